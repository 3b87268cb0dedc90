/* Folding: frames of a part become a block and, bucket by bucket, frames of the
 * next coarser res. A bucket is folded only when no more frame of it can come,
 * so a rollup is made once. Whoever polls folds; of two processes that fold the
 * same frames the second finds them gone and leaves it at that. */
#include "cache_fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FOLD_MIN	36		/* frames a block has at least… */
#define FOLD_MAX	240		/* …and at most */
#define LATE		60000		/* ms a merge may end after its time */

/* When fewer than FOLD_MIN are folded too: nobody fetches any more. */
static const int64_t stale[RES_N] = {
	[RES_RAW] = 3600000, [RES_MINUTE] = 24 * INT64_C(3600000),
	[RES_QUARTER] = INT64_MAX,
};

struct fold {
	struct cache		*c;
	const struct table	*t;
	enum res		 res;
	int64_t			 scope, part;
	int64_t			 times[FOLD_MAX];
	union sample		*v[FOLD_MAX];
	size_t			 slots[FOLD_MAX];
	size_t			 n, nslots;
	struct arena		 arena;		/* of histograms */
};

static void fill_none(struct shape s, union sample *v, size_t from, size_t to)
{
	size_t columns = shape_columns(s), i;

	for (i = from * columns; i < to * columns; i++) {
		if (i % columns < s.nnumbers)
			v[i].d = NAN;
		else
			v[i].h = NULL;
	}
}

/* ---- which frames ------------------------------------------------------- */

static int64_t bucket(const struct fold *f, int64_t t)
{
	int64_t width = f->res + 1 < RES_N ? res_rules[f->res + 1].width : 0;

	return width ? t / width : t;
}

static int64_t newest(struct fold *f)
{
	return cache_int(f->c, 0, "SELECT max(t) FROM main.frame WHERE "
	    "res = %d AND scope = %lld AND part = %lld", (int)f->res,
	    (long long)f->scope, (long long)f->part);
}

static void take_frame(struct fold *f, sqlite3_stmt *s, union sample *all)
{
	struct shape shape = series_shape(f->t);
	size_t columns = shape_columns(shape), n = 0;

	f->times[f->n] = sqlite3_column_int64(s, 0);
	if (!frame_all(sqlite3_column_blob(s, 1),
	    (size_t)sqlite3_column_bytes(s, 1), shape, &f->arena, all, &n))
		n = 0;
	f->v[f->n] = xmalloc((n * columns + 1) * sizeof(**f->v));
	memcpy(f->v[f->n], all, n * columns * sizeof(**f->v));
	f->slots[f->n++] = n;
	if (n > f->nslots)
		f->nslots = n;
}

/* The oldest frames whose buckets are complete, up to the end of one. */
static int fold_read(struct fold *f, int64_t now, struct err *err)
{
	size_t columns = table_columns(f->t), i;
	sqlite3_stmt *s = db_prepare(f->c, err, "SELECT t, v FROM main.frame "
	    "WHERE res = ?1 AND scope = ?2 AND part = ?3 ORDER BY t");
	int64_t last = newest(f), b;
	union sample *all;

	if (!s)
		return -1;
	/* In the last bucket more may come. */
	if (now - LATE > last)
		last = now - LATE;
	all = xmalloc(PART_SLOTS * columns * sizeof(*all));
	db_bind(s, "iii", (int64_t)f->res, f->scope, f->part);
	while (f->n < FOLD_MAX && sqlite3_step(s) == SQLITE_ROW) {
		b = bucket(f, sqlite3_column_int64(s, 0));
		if (b >= bucket(f, last) || (f->n >= FOLD_MIN &&
		    b != bucket(f, f->times[f->n - 1])))
			break;
		take_frame(f, s, all);
	}
	sqlite3_finalize(s);
	free(all);
	for (i = 0; i < f->n; i++) {
		f->v[i] = xrealloc(f->v[i], f->nslots * columns + 1,
		    sizeof(**f->v));
		fill_none(series_shape(f->t), f->v[i], f->slots[i], f->nslots);
	}
	return 0;
}

/* ---- rollups ------------------------------------------------------------ */

/* Of a counter and of bins the last value, of a gauge the mean. */
static union sample roll(const struct fold *f, size_t from, size_t to,
    size_t at)
{
	size_t column = at % table_columns(f->t), i, n = 0;
	const struct field *field =
	    f->t->fields[table_stored(f->t) + column];
	union sample v;
	double sum = 0;

	if (field->flags & FIELD_BINS) {
		v.h = NULL;
		for (i = from; i < to; i++)
			if (f->v[i][at].h)
				v.h = f->v[i][at].h;
		return v;
	}
	v.d = NAN;
	for (i = from; i < to; i++) {
		if (isnan(f->v[i][at].d))
			continue;
		v = f->v[i][at];
		sum += v.d;
		n++;
	}
	if (n > 1 && !(field->flags & FIELD_COUNTER)) {
		v.d = sum / (double)n;
		/* Three decimals pack well, and say enough of a mean. */
		if (fabs(v.d) >= 1 && fabs(v.d) < 1e12)
			v.d = nearbyint(v.d * 1000) / 1000;
	}
	return v;
}

static int put_rollups(struct fold *f, struct err *err)
{
	size_t n = f->nslots * table_columns(f->t), from, to, i;
	sqlite3_stmt *s = db_prepare(f->c, err, "INSERT OR REPLACE INTO "
	    "main.frame(res, scope, part, t, v) VALUES(?1, ?2, ?3, ?4, ?5)");
	union sample *v = xmalloc((n + 1) * sizeof(*v));
	struct buf blob = {0};
	int rc = s ? 0 : -1;

	for (from = 0; from < f->n && rc == 0; from = to) {
		for (to = from + 1; to < f->n && bucket(f, f->times[to]) ==
		    bucket(f, f->times[from]); to++)
			;
		for (i = 0; i < n; i++)
			v[i] = roll(f, from, to, i);
		buf_clear(&blob);
		frame_pack(&blob, series_shape(f->t), f->nslots, v);
		db_bind(s, "iiii", (int64_t)f->res + 1, f->scope, f->part,
		    f->times[to - 1]);
		sqlite3_bind_blob(s, 5, blob.p, (int)blob.n, SQLITE_STATIC);
		rc = db_done(f->c, s, err);
	}
	sqlite3_finalize(s);
	buf_free(&blob);
	free(v);
	return rc;
}

/* ---- writing ------------------------------------------------------------ */

static int put_block(struct fold *f, const struct buf *blob, struct err *err)
{
	sqlite3_stmt *s = db_prepare(f->c, err, "INSERT OR REPLACE INTO "
	    "main.block(res, scope, part, t0, t1, n, v) "
	    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	int rc;

	if (!s)
		return -1;
	db_bind(s, "iiiiii", (int64_t)f->res, f->scope, f->part, f->times[0],
	    f->times[f->n - 1], (int64_t)f->n);
	sqlite3_bind_blob(s, 7, blob->p, (int)blob->n, SQLITE_STATIC);
	rc = db_done(f->c, s, err);
	sqlite3_finalize(s);
	return rc;
}

static int fold_write(struct fold *f, struct err *err)
{
	struct buf blob = {0};
	int rc;

	block_pack(&blob, series_shape(f->t), f->nslots, f->times,
	    (union sample *const *)f->v, f->n);
	rc = db_begin(f->c, err);
	if (rc < 0)
		goto out;
	rc = db_exec(f->c, err, "DELETE FROM main.frame WHERE res = %d AND "
	    "scope = %lld AND part = %lld AND t BETWEEN %lld AND %lld",
	    (int)f->res, (long long)f->scope, (long long)f->part,
	    (long long)f->times[0], (long long)f->times[f->n - 1]);
	if (rc == 0 && (size_t)sqlite3_changes(f->c->db) != f->n) {
		db_rollback(f->c);
		goto out;
	}
	if (rc == 0)
		rc = put_block(f, &blob, err);
	if (rc == 0 && f->res + 1 < RES_N)
		rc = put_rollups(f, err);
	if (rc == 0)
		rc = db_commit(f->c, err);
	else
		db_rollback(f->c);
out:
	buf_free(&blob);
	return rc;
}

int fold_part(struct cache *c, const struct table *t, enum res res,
    int64_t scope, int64_t part, int64_t now, struct err *err)
{
	struct fold f = { .c = c, .t = t, .res = res, .scope = scope,
	    .part = part };
	size_t i;
	int rc;

	rc = fold_read(&f, now, err);
	if (rc == 0 && f.n > 0 && (f.n >= FOLD_MIN ||
	    now - f.times[0] > stale[res]))
		rc = fold_write(&f, err) < 0 ? -1 : 1;
	for (i = 0; i < f.n; i++)
		free(f.v[i]);
	arena_free(&f.arena);
	return rc;
}
