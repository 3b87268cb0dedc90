/* Writing what a merge found. Everything was compared before the lock is taken;
 * inside it a merge only stores. Merges of up to SLICE_OVER rows are one
 * transaction. Bigger ones give the lock back every few tens of ms, and only
 * their last slice moves the scope's age, so that a merge cut short is put
 * right by the next one. When another process merged the scope meanwhile, the
 * comparison is made again. */
#include "cache_merge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH		500	/* rows a statement: some ms */
#define HOLD		50	/* ms that a slice may hold the lock */
#define PAUSE		3000	/* us between two slices: who waits gets in */
#define ATTEMPTS	5

enum { DONE = 0, MOVED = 1 };	/* or -1 */

/* ---- slices ------------------------------------------------------------- */

static bool is_sliced(const struct merge *m)
{
	return m->n > SLICE_OVER || m->nold > SLICE_OVER;
}

static int lock_take(struct merge *m, struct err *err)
{
	if (db_begin(m->c, err) < 0)
		return -1;
	m->begun = clock_mono();
	if (cache_int(m->c, -1, "SELECT version FROM main.scope "
	    "WHERE id = %lld", (long long)m->s.id) == m->s.version)
		return DONE;
	db_rollback(m->c);
	return MOVED;
}

static int lock_give(struct merge *m, struct err *err)
{
	if (db_exec(m->c, err, "UPDATE main.scope SET version = %lld "
	    "WHERE id = %lld", (long long)m->s.version + 1,
	    (long long)m->s.id) < 0)
		return -1;
	if (db_commit(m->c, err) < 0)
		return -1;
	m->s.version++;
	return 0;
}

/* Between two batches: lets others in when the lock was held for long. */
int merge_breathe(struct merge *m, struct err *err)
{
	if (!is_sliced(m) || clock_mono() - m->begun < HOLD)
		return DONE;
	if (lock_give(m, err) < 0)
		return -1;
	usleep(PAUSE);
	return lock_take(m, err);
}

/* ---- rows --------------------------------------------------------------- */

/* Appends "c5, c6, …": the columns of n places from one on. */
static void columns_of(struct buf *sql, size_t from, size_t n)
{
	size_t i;

	for (i = from; i < from + n; i++)
		buf_addf(sql, ", c%zu", i + INCOMING_PLACES);
}

/* Stands in the same transaction as the rows it tells of. */
static int put_changes(struct merge *m, size_t from, size_t to,
    struct err *err)
{
	struct incoming in = { .sort = INCOMING_CHANGES, .m = m, .from = from,
	    .to = to };

	if (from == to)
		return 0;
	if (!m->say)
		m->say = db_prepare(m->c, err, "INSERT INTO main.change_row(t, "
		    "after, context, kind, object, key, op, field, old, new) "
		    "SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 "
		    "FROM incoming");
	if (!m->say)
		return -1;
	incoming_set(m->c, &in);
	return db_done(m->c, m->say, err);
}

/* Runs statements (each may be NULL) over a list, a batch at a time. said: the
 * first row's change, where each row has one; else -1. */
static int run_batches(struct merge *m, struct incoming in, size_t n,
    sqlite3_stmt *const *s, size_t ns, int64_t said, struct err *err)
{
	size_t i;
	int rc = DONE;

	in.m = m;
	for (in.from = 0; in.from < n && rc == DONE; in.from = in.to) {
		in.to = n - in.from > BATCH ? in.from + BATCH : n;
		incoming_set(m->c, &in);
		for (i = 0; i < ns; i++)
			if (s[i] && db_done(m->c, s[i], err) < 0)
				return -1;
		if (said >= 0 && put_changes(m, (size_t)said + in.from,
		    (size_t)said + in.to, err) < 0)
			return -1;
		rc = merge_breathe(m, err);
	}
	return rc;
}

static sqlite3_stmt *prepare_metrics(struct merge *m, const char *verb,
    struct err *err)
{
	struct buf sql = {0};
	sqlite3_stmt *s;

	buf_addf(&sql, "%s INTO main.%s_m SELECT c0", verb, m->t->kind->name);
	columns_of(&sql, table_stored(m->t), m->t->nmetrics);
	buf_adds(&sql, " FROM incoming");
	s = db_prepare(m->c, err, buf_str(&sql));
	buf_free(&sql);
	return s;
}

static int put_news(struct merge *m, struct err *err)
{
	struct incoming in = { .sort = INCOMING_ROWS, .index = m->news };
	sqlite3_stmt *s[2] = { NULL, NULL };
	struct buf sql = {0};
	int rc = -1;

	if (m->nnews == 0)
		return DONE;
	buf_addf(&sql, "INSERT INTO main.%s_now SELECT c0, c1, c2, c3",
	    m->t->kind->name);
	columns_of(&sql, 0, table_stored(m->t));
	buf_adds(&sql, ", c4 FROM incoming");
	s[0] = db_prepare(m->c, err, buf_str(&sql));
	buf_free(&sql);
	if (m->t->nmetrics > 0)
		s[1] = prepare_metrics(m, "INSERT OR REPLACE", err);
	if (s[0] && (s[1] || m->t->nmetrics == 0))
		rc = run_batches(m, in, m->nnews, s, 2,
		    m->s.known ? (int64_t)m->said_news : -1, err);
	sqlite3_finalize(s[0]);
	sqlite3_finalize(s[1]);
	return rc;
}

static int put_metrics(struct merge *m, struct err *err)
{
	struct incoming in = { .sort = INCOMING_ROWS, .index = m->met };
	sqlite3_stmt *s;
	int rc;

	if (m->nmet == 0 || m->t->nmetrics == 0)
		return DONE;
	s = prepare_metrics(m, "INSERT OR REPLACE", err);
	rc = s ? run_batches(m, in, m->nmet, &s, 1, -1, err) : -1;
	sqlite3_finalize(s);
	return rc;
}

/* A version that would end when it began was never seen: it leaves no past. */
static sqlite3_stmt *prepare_close(struct merge *m, struct err *err)
{
	struct buf sql = {0};
	sqlite3_stmt *s;

	buf_addf(&sql, "INSERT OR IGNORE INTO main.%s_past SELECT %lld, "
	    "n._id, n.context", m->t->kind->name, (long long)m->now);
	table_names(&sql, m->t, "n.", 0, table_stored(m->t));
	buf_addf(&sql, ", n._since FROM incoming i CROSS JOIN main.%s_now n "
	    "ON n._id = i.c0 WHERE n._since < %lld", m->t->kind->name,
	    (long long)m->now);
	s = db_prepare(m->c, err, buf_str(&sql));
	buf_free(&sql);
	return s;
}

static int put_closed(struct merge *m, struct err *err)
{
	struct incoming in = { .sort = INCOMING_OLD, .index = m->closed };
	const char *name = m->t->kind->name;
	sqlite3_stmt *s[4];
	int rc = -1, i;

	if (m->nclosed == 0)
		return DONE;
	s[0] = prepare_close(m, err);
	s[1] = db_preparef(m->c, err, "DELETE FROM main.%s_now WHERE _id IN "
	    "(SELECT c0 FROM incoming)", name);
	s[2] = db_preparef(m->c, err, "DELETE FROM main.%s_m WHERE _id IN "
	    "(SELECT c0 FROM incoming)", name);
	s[3] = db_preparef(m->c, err, "INSERT OR REPLACE INTO main.gone SELECT "
	    "%lld, c1, c0 & %lld, %lld FROM incoming", (long long)m->s.id,
	    (long long)SLOT_MAX, (long long)m->now);
	if (s[0] && s[1] && s[2] && s[3])
		rc = run_batches(m, in, m->nclosed, s, 4,
		    m->s.known ? (int64_t)m->said_closed : -1, err);
	for (i = 0; i < 4; i++)
		sqlite3_finalize(s[i]);
	return rc;
}

static sqlite3_stmt *prepare_update(struct merge *m, struct err *err)
{
	struct buf sql = {0};
	sqlite3_stmt *s;
	size_t i;

	buf_addf(&sql, "UPDATE main.%s_now SET _f = ?2, "
	    "_since = iif(?3, ?3, %lld)", m->t->kind->name, (long long)m->now);
	for (i = m->t->nkeys; i < table_stored(m->t); i++)
		buf_addf(&sql, ", %s = ?%zu", m->t->fields[i]->name, i + 4);
	buf_adds(&sql, " WHERE _id = ?1");
	s = db_prepare(m->c, err, buf_str(&sql));
	buf_free(&sql);
	return s;
}

static int update_one(struct merge *m, sqlite3_stmt *s, size_t i,
    struct err *err)
{
	const struct pend *p = &m->v[m->changed[i]];
	const uint8_t *at = p->rec;
	struct part part;
	size_t f;

	db_bind(s, "iii", p->id, (int64_t)p->f, m->since[i]);
	for (f = 0; f < table_stored(m->t); f++) {
		at = part_read(at, &part);
		if (f >= m->t->nkeys)
			db_bind_cell(s, (int)f + 4, part_cell(&part));
	}
	return db_done(m->c, s, err);
}

static int put_changed(struct merge *m, struct err *err)
{
	sqlite3_stmt *close = NULL, *update = NULL;
	struct incoming in = { .sort = INCOMING_ROWS, .index = m->changed,
	    .m = m };
	size_t i, said = 0;
	int rc = DONE;

	if (m->nchanged == 0)
		return DONE;
	close = prepare_close(m, err);
	update = prepare_update(m, err);
	if (!close || !update)
		rc = -1;
	for (i = 0; i < m->nchanged && rc == DONE; i++) {
		in.from = i;
		in.to = i + 1;
		incoming_set(m->c, &in);
		if ((m->since[i] == 0 && db_done(m->c, close, err) < 0) ||
		    update_one(m, update, i, err) < 0)
			rc = -1;
		if (rc == DONE && (i % 256 == 255 || i + 1 == m->nchanged)) {
			rc = put_changes(m, said, m->said[i], err);
			said = m->said[i];
			if (rc == DONE)
				rc = merge_breathe(m, err);
		}
	}
	sqlite3_finalize(close);
	sqlite3_finalize(update);
	return rc;
}

/* ---- the scope ---------------------------------------------------------- */

/* Slots are taken before the first row that uses one. */
static int put_slots(struct merge *m, struct err *err)
{
	size_t i;

	for (i = 0; i < m->ngone; i++)
		if (m->gone[i].used && db_exec(m->c, err, "DELETE FROM "
		    "main.gone WHERE scope = %lld AND k = %lld AND slot = %lld",
		    (long long)m->s.id, (long long)m->gone[i].k,
		    (long long)m->gone[i].slot) < 0)
			return -1;
	if (m->slots == m->s.slots)
		return 0;
	return db_exec(m->c, err, "UPDATE main.scope SET slots = %lld "
	    "WHERE id = %lld", (long long)m->slots, (long long)m->s.id);
}

/* The clock went back: nothing was true after now. Versions that ended later
 * end now, those that began later never were, and rows stand since now at the
 * latest. What changed stays, as seen now. */
static int rewind_scope(struct cache *c, const struct table *t,
    const char *context, int64_t scope, int64_t at, struct err *err)
{
	const char *name = t->kind->name;
	long long now = at, id = scope, low = id << SLOT_BITS,
	    high = low + SLOT_MAX;

	if (db_exec(c, err, "DELETE FROM main.%s_past WHERE _until > %lld "
	    "AND _id BETWEEN %lld AND %lld AND _since >= %lld", name, now, low,
	    high, now) < 0 ||
	    db_exec(c, err, "UPDATE main.%s_past SET _until = %lld "
	    "WHERE _until > %lld AND _id BETWEEN %lld AND %lld", name, now, now,
	    low, high) < 0 ||
	    db_exec(c, err, "UPDATE main.%s_now SET _since = %lld "
	    "WHERE _id BETWEEN %lld AND %lld AND _since > %lld", name, now, low,
	    high, now) < 0 ||
	    db_exec(c, err, "UPDATE main.change_row SET t = %lld, "
	    "after = min(after, %lld) WHERE t > %lld AND kind = %Q AND "
	    "context = %Q", now, now, now, name, context) < 0 ||
	    db_exec(c, err, "DELETE FROM main.frame WHERE res IN (0, 1, 2) "
	    "AND scope = %lld AND t > %lld", id, now) < 0 ||
	    db_exec(c, err, "DELETE FROM main.block WHERE res IN (0, 1, 2) "
	    "AND scope = %lld AND t1 > %lld", id, now) < 0)
		return -1;
	return fetched_rewind(c, scope, at, err);
}

static int put_clock(struct merge *m, struct err *err)
{
	if (m->now >= m->s.last)
		return 0;
	return rewind_scope(m->c, m->t, m->context, m->s.id, m->now, err);
}

/* Last of all: the age, and that the scope is known. */
static int put_scope(struct merge *m, struct err *err)
{
	bool patch = m->flags & MERGE_PATCH;
	size_t rows = patch ? m->nold + m->nnews : m->nmet + m->nnews;

	if ((m->nclosed > 0 || m->ngone > 0) && db_exec(m->c, err,
	    "UPDATE main.scope SET gone = (SELECT count(*) FROM main.gone "
	    "WHERE scope = id) WHERE id = %lld", (long long)m->s.id) < 0)
		return -1;
	if (db_exec(m->c, err, "UPDATE main.scope SET known = %d, last = %lld, "
	    "rows = %lld, merged_at = iif(%d, merged_at, iif(%d, NULL, %lld)) "
	    "WHERE id = %lld", !m->drop, (long long)m->now, (long long)rows,
	    patch, m->drop, (long long)m->now, (long long)m->s.id) < 0)
		return -1;
	if (patch || m->drop)
		return 0;
	return fetched_add(m->c, m->t, m->context, m->s.id, m->now, err);
}

/* ---- one attempt -------------------------------------------------------- */

static int write_all(struct merge *m, struct err *err)
{
	int (*const steps[])(struct merge *, struct err *) = {
		put_clock, put_slots, put_closed, put_changed, put_news,
		put_metrics, frames_write, put_scope,
	};
	size_t i;
	int rc = DONE;

	for (i = 0; i < sizeof(steps) / sizeof(*steps) && rc == DONE; i++)
		rc = steps[i](m, err);
	return rc == DONE ? lock_give(m, err) : rc;
}

/* held: compares inside the lock, where nothing can move. */
static int attempt(struct merge *m, bool held, struct err *err)
{
	int rc = DONE;

	if (held) {
		rc = db_begin(m->c, err);
		m->begun = clock_mono();
	}
	if (rc == DONE)
		rc = compare_load(m, err);
	if (rc == DONE && !held)
		rc = lock_take(m, err);
	if (rc == DONE)
		rc = write_all(m, err);
	if (rc != DONE)
		db_rollback(m->c);
	sqlite3_finalize(m->say);
	m->say = NULL;
	compare_release(m);
	return rc;
}

int merge_end(struct merge *m, struct err *err)
{
	int i, rc = MOVED;

	/* Where others merge the scope again and again, a small merge ends
	 * that by comparing under the lock. */
	for (i = 0; i < ATTEMPTS && rc == MOVED; i++)
		rc = attempt(m, i > 1 && m->n <= SLICE_OVER, err);
	if (rc == MOVED)
		rc = err_set(err, ERR_FAILED, "cache: %s of %s: other "
		    "processes merge it all the time", m->t->kind->name,
		    m->scope);
	merge_abort(m);
	return rc < 0 ? -1 : 0;
}

int cache_drop_scope(struct cache *c, const struct kind *k,
    const char *context, const char *scope, int64_t t, struct err *err)
{
	struct merge *m;

	if (cache_int(c, 0, "SELECT count(*) FROM main.scope WHERE kind = %Q "
	    "AND context = %Q AND name = %Q AND known", k->name, context,
	    scope) == 0)
		return 0;
	m = merge_begin(c, k, context, scope, t, 0);
	m->drop = true;
	return merge_end(m, err);
}

static int confirm(struct cache *c, const struct table *t,
    const char *context, int64_t id, int64_t at, struct err *err)
{
	int64_t last;

	if (db_begin(c, err) < 0)
		return -1;
	last = cache_int(c, 0, "SELECT last FROM main.scope WHERE id = %lld",
	    (long long)id);
	if (at < last && last - at <= CLOCK_SLACK)
		at = last;
	if ((at < last && rewind_scope(c, t, context, id, at, err) < 0) ||
	    db_exec(c, err, "UPDATE main.scope SET merged_at = %lld, "
	    "last = %lld WHERE id = %lld", (long long)at, (long long)at,
	    (long long)id) < 0 ||
	    fetched_add(c, t, context, id, at, err) < 0) {
		db_rollback(c);
		return -1;
	}
	return db_commit(c, err);
}

int cache_confirm(struct cache *c, const struct kind *k, const char *context,
    const char *scope, int64_t t, struct err *err)
{
	const struct table *table = cache_table(c, k->name);
	int64_t id;

	if (!table)
		BUG("kind %s is in no module", k->name);
	id = cache_int(c, 0, "SELECT id FROM main.scope WHERE kind = %Q AND "
	    "context = %Q AND name = %Q AND merged_at IS NOT NULL", k->name,
	    context, scope);
	return id ? confirm(c, table, context, id, t, err) : 0;
}

void cache_each_scope(struct cache *c, const struct kind *k,
    const char *context,
    void (*each)(void *arg, const char *scope, int64_t seen), void *arg)
{
	sqlite3_stmt *s = db_prepare(c, NULL, "SELECT name, merged_at FROM "
	    "main.scope WHERE kind = ?1 AND context = ?2 AND known "
	    "ORDER BY name");
	struct buf names = {0};
	int64_t *seen = NULL;
	size_t n = 0, i;
	const char *name;

	if (!s)
		return;
	db_bind(s, "ss", k->name, context);
	/* Read first: each() may merge. */
	while (sqlite3_step(s) == SQLITE_ROW) {
		seen = xrealloc(seen, n + 1, sizeof(*seen));
		seen[n++] = sqlite3_column_int64(s, 1);
		name = (const char *)sqlite3_column_text(s, 0);
		buf_add(&names, name ? name : "", strlen(name ? name : "") + 1);
	}
	sqlite3_finalize(s);
	for (name = names.p, i = 0; i < n; i++, name += strlen(name) + 1)
		each(arg, name, seen[i]);
	buf_free(&names);
	free(seen);
}
