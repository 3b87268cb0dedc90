/* Reading series. The frames and blocks of a part of a scope are read once a
 * statement and kept: a list asks for every metric of every row of a scope, and
 * all of them stand in the same few blobs. */
#include "cache_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHELVES		512
#define BYTES_MAX	(32 << 20)	/* of blobs kept */

const struct res_rule res_rules[RES_N] = {
	[RES_RAW]	= { .width = 0, .keep = 2 * INT64_C(3600000) },
	[RES_MINUTE]	= { .width = 60000, .keep = 48 * INT64_C(3600000) },
	[RES_QUARTER]	= { .width = 900000, .keep = 30 * INT64_C(86400000) },
};

/* One blob: a frame (n 0) or a block. */
struct strip {
	int64_t	 t0, t1;
	enum res res;
	size_t	 n;		/* samples of a block */
	size_t	 bytes;
	int64_t	*times;		/* of a block */
	uint8_t	*p;
};
/* What was read of a part: every sample of [from, to], by time. */
struct reel {
	struct reel	*next;
	int64_t		 scope, part, asked, from, to;
	struct strip	*v;
	size_t		 n, cap;
	struct arena	 arena;
};
/* What is known of a scope; scope 0: an empty place of the hash. */
struct memo {
	int64_t			 scope;
	const struct table	*t;
	bool			 has_kind;
	int64_t			 at, seen;
};
struct reels {
	struct reel	*shelf[SHELVES];
	size_t		 bytes;
	struct memo	*memo;		/* open addressing; a power of two */
	size_t		 nmemo, memo_size;
};

static void reel_free(struct reel *r)
{
	arena_free(&r->arena);
	free(r->v);
	free(r);
}

static void reels_clear(struct reels *all)
{
	struct reel *r;
	size_t i;

	for (i = 0; i < SHELVES; i++) {
		while ((r = all->shelf[i])) {
			all->shelf[i] = r->next;
			reel_free(r);
		}
	}
	all->bytes = 0;
}

void reels_free(struct reels *all)
{
	if (!all)
		return;
	reels_clear(all);
	free(all->memo);
	free(all);
}

static struct reels *reels_of(struct cache *c)
{
	if (!c->reels)
		c->reels = xcalloc(1, sizeof(*c->reels));
	return c->reels;
}

/* ---- which series ------------------------------------------------------- */

static struct memo *memo_place(const struct reels *all, int64_t scope)
{
	uint64_t i = (uint64_t)scope * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	for (i &= all->memo_size - 1; all->memo[i].scope &&
	    all->memo[i].scope != scope; i = (i + 1) & (all->memo_size - 1))
		;
	return &all->memo[i];
}

static void memo_grow(struct reels *all)
{
	struct memo *old = all->memo;
	size_t n = all->memo_size, i;

	all->memo_size = n ? n * 2 : 64;
	all->memo = xcalloc(all->memo_size, sizeof(*all->memo));
	for (i = 0; i < n; i++)
		if (old[i].scope)
			*memo_place(all, old[i].scope) = old[i];
	free(old);
}

static struct memo *memo_of(struct cache *c, int64_t scope)
{
	struct reels *all = reels_of(c);
	struct memo *m;

	if (all->nmemo * 2 >= all->memo_size)
		memo_grow(all);
	m = memo_place(all, scope);
	if (!m->scope) {
		m->scope = scope;
		all->nmemo++;
	}
	return m;
}

static const struct table *kind_of(struct cache *c, int64_t scope)
{
	struct memo *m = scope > 0 ? memo_of(c, scope) : NULL;
	const char *kind;
	sqlite3_stmt *s;

	if (!m || m->has_kind)
		return m ? m->t : NULL;
	s = db_prepare(c, NULL, "SELECT kind FROM main.scope WHERE id = ?1");
	if (!s)
		return NULL;
	sqlite3_bind_int64(s, 1, scope);
	if (sqlite3_step(s) == SQLITE_ROW) {
		kind = (const char *)sqlite3_column_text(s, 0);
		m->t = kind ? cache_table(c, kind) : NULL;
	}
	sqlite3_finalize(s);
	m->has_kind = true;
	return m->t;
}

int64_t series_seen(struct cache *c, int64_t scope, int64_t at)
{
	struct memo *m = scope > 0 ? memo_of(c, scope) : NULL;

	if (m && m->at != at) {
		m->seen = fetched_before(c, scope, at);
		m->at = at;
	}
	return m ? m->seen : 0;
}

int series_find(struct cache *c, int64_t id, struct series *out)
{
	out->scope = id >> SLOT_BITS;
	out->part = PART_OF(id & SLOT_MAX);
	out->slot = (size_t)(id & (PART_SLOTS - 1));
	out->t = kind_of(c, out->scope);
	return out->t ? 0 : -1;
}

int series_column(const struct table *t, const char *field)
{
	size_t first = table_stored(t), i;

	for (i = first; i < t->n; i++)
		if (strcmp(t->fields[i]->name, field) == 0)
			return (int)(i - first);
	return -1;
}

/* ---- reading a part ----------------------------------------------------- */

static struct strip *strip_add(struct reel *r, sqlite3_stmt *s, int column)
{
	struct strip *x;

	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 32;
		r->v = xrealloc(r->v, r->cap, sizeof(*r->v));
	}
	x = &r->v[r->n++];
	*x = (struct strip){ .bytes = (size_t)sqlite3_column_bytes(s, column) };
	x->p = arena_alloc(&r->arena, x->bytes + 1);
	if (x->bytes)
		memcpy(x->p, sqlite3_column_blob(s, column), x->bytes);
	return x;
}

/* The two readings are prepared once a connection: a list of 200 scopes makes
 * 400 of them. */
static sqlite3_stmt *reading(struct cache *c, sqlite3_stmt **s,
    const char *sql, const struct reel *r, enum res res, int64_t from,
    int64_t to)
{
	if (!*s)
		*s = db_prepare(c, NULL, sql);
	if (*s)
		db_bind(*s, "iiiii", (int64_t)res, r->scope, r->part, from,
		    to);
	return *s;
}

static void read_blocks(struct cache *c, struct reel *r, enum res res,
    int64_t from, int64_t to)
{
	sqlite3_stmt *s = reading(c, &c->read_block, "SELECT t0, t1, n, v FROM "
	    "main.block WHERE res = ?1 AND scope = ?2 AND part = ?3 AND "
	    "t1 >= ?4 AND t0 <= ?5 ORDER BY t1", r, res, from, to);
	struct strip *x;

	if (!s)
		return;
	while (sqlite3_step(s) == SQLITE_ROW) {
		x = strip_add(r, s, 3);
		x->res = res;
		x->t0 = sqlite3_column_int64(s, 0);
		x->t1 = sqlite3_column_int64(s, 1);
		x->n = (size_t)sqlite3_column_int64(s, 2);
		x->times = arena_alloc(&r->arena, x->n * sizeof(*x->times) + 8);
		if (block_times(x->p, x->bytes, x->times, x->n) != x->n ||
		    x->n == 0)
			r->n--;
	}
	sqlite3_reset(s);
}

static void read_frames(struct cache *c, struct reel *r, enum res res,
    int64_t from, int64_t to)
{
	sqlite3_stmt *s = reading(c, &c->read_frame, "SELECT t, v FROM "
	    "main.frame WHERE res = ?1 AND scope = ?2 AND part = ?3 AND "
	    "t BETWEEN ?4 AND ?5 ORDER BY t", r, res, from, to);
	struct strip *x;

	if (!s)
		return;
	while (sqlite3_step(s) == SQLITE_ROW) {
		x = strip_add(r, s, 1);
		x->res = res;
		x->t0 = x->t1 = sqlite3_column_int64(s, 0);
	}
	sqlite3_reset(s);
}

static int by_time(const void *a, const void *b)
{
	const struct strip *x = a, *y = b;

	if (x->t1 != y->t1)
		return (x->t1 > y->t1) - (x->t1 < y->t1);
	return (int)x->res - (int)y->res;
}

/* Finest first; a coarser one only for what lies before the first sample of
 * the finer. Read a little further back than asked for, so that there is such
 * a first sample and the coarser ones need not be looked at. */
static void reel_fill(struct cache *c, struct reel *r, int64_t asked)
{
	int64_t to = r->to;
	size_t had, i;
	int res;

	for (res = RES_RAW; res < RES_N && to >= asked; res++) {
		had = r->n;
		read_blocks(c, r, (enum res)res, r->from, to);
		read_frames(c, r, (enum res)res, r->from, to);
		for (i = had; i < r->n; i++)
			if (r->v[i].t0 - 1 < to)
				to = r->v[i].t0 - 1;
	}
	if (r->n > 1)
		qsort(r->v, r->n, sizeof(*r->v), by_time);
}

static struct reel *reel_get(struct cache *c, const struct series *s,
    int64_t from, int64_t to)
{
	struct reels *all = reels_of(c);
	struct reel **shelf, *r;

	shelf = &all->shelf[(uint64_t)(s->scope * 31 + s->part) % SHELVES];
	for (r = *shelf; r; r = r->next)
		if (r->scope == s->scope && r->part == s->part &&
		    r->asked <= from && r->to >= to)
			return r;
	if (all->bytes > BYTES_MAX)
		reels_clear(all);
	r = xcalloc(1, sizeof(*r));
	r->scope = s->scope;
	r->part = s->part;
	r->asked = from;
	r->from = from - 3 * s->t->kind->every - 1000;
	r->to = to;
	reel_fill(c, r, from);
	all->bytes += r->arena.bytes + r->cap * sizeof(*r->v) + sizeof(*r);
	r->next = *shelf;
	*shelf = r;
	return r;
}

/* ---- reading a series --------------------------------------------------- */

static void sample_add(struct samples *out, int64_t t, enum res res,
    union sample v)
{
	/* Where a coarse sample and a fine one meet, or a poll was folded and
	 * written again. */
	if (out->n > 0 && out->v[out->n - 1].t >= t)
		return;
	if (out->n == out->cap) {
		out->cap = out->cap ? out->cap * 2 : 64;
		out->v = xrealloc(out->v, out->cap, sizeof(*out->v));
	}
	out->v[out->n++] = (struct sample_at){ .t = t, .res = res, .v = v };
}

static void read_block(const struct strip *x, const struct series *s,
    size_t column, int64_t from, int64_t to, struct samples *out)
{
	union sample *v = xmalloc(x->n * sizeof(*v));
	size_t i;

	block_get(x->p, x->bytes, series_shape(s->t), s->slot, column,
	    &out->arena, v, x->n);
	for (i = 0; i < x->n; i++)
		if (x->times[i] >= from && x->times[i] <= to)
			sample_add(out, x->times[i], x->res, v[i]);
	free(v);
}

void series_read(struct cache *c, const struct series *s, size_t column,
    int64_t from, int64_t to, struct samples *out)
{
	struct reel *r = reel_get(c, s, from, to);
	union sample v;
	struct strip *x;
	size_t i;

	for (i = 0; i < r->n; i++) {
		x = &r->v[i];
		if (x->t1 < from || x->t0 > to)
			continue;
		if (x->times) {
			read_block(x, s, column, from, to, out);
			continue;
		}
		frame_get(x->p, x->bytes, series_shape(s->t), s->slot, column,
		    &out->arena, &v);
		sample_add(out, x->t0, x->res, v);
	}
}

void samples_release(struct samples *s)
{
	free(s->v);
	arena_free(&s->arena);
	*s = (struct samples){0};
}
