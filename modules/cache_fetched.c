/* When a scope was fetched: runs of good fetches. A young run knows each of its
 * fetches, so that a row of the past has the age that it had; an old one knows
 * where it began and ended (cache_tend.c joins them). */
#include "cache_merge.h"
#include "cache_pack.h"

#include <stdlib.h>
#include <string.h>

#define RUN_MAX 60	/* fetches a row */

/* How often the kind is fetched in that context: as the config says where a
 * source of it is named, else as its literal does. */
static int64_t every_of(struct cache *c, const struct table *t,
    const char *context)
{
	int64_t every = cache_int(c, 0, "SELECT max(every) FROM main.source, "
	    "json_each(kinds) WHERE context = %Q AND json_each.value = %Q",
	    context, t->kind->name);

	return every > t->kind->every ? every : t->kind->every;
}

struct run {
	int64_t	   t0, t1, n;
	struct buf v;		/* distances, as varints */
	bool	   young;
};

/* The run that holds at or ended before it. False: there is none. */
static bool run_read(struct cache *c, int64_t scope, int64_t at,
    struct run *r)
{
	sqlite3_stmt *s = db_prepare(c, NULL, "SELECT t0, t1, n, v FROM "
	    "main.fetched WHERE scope = ?1 AND t0 <= ?2 "
	    "ORDER BY t0 DESC LIMIT 1");
	bool found;

	*r = (struct run){0};
	if (!s)
		return false;
	db_bind(s, "ii", scope, at);
	found = sqlite3_step(s) == SQLITE_ROW;
	if (found) {
		r->t0 = sqlite3_column_int64(s, 0);
		r->t1 = sqlite3_column_int64(s, 1);
		r->n = sqlite3_column_int64(s, 2);
		r->young = sqlite3_column_type(s, 3) != SQLITE_NULL;
		if (sqlite3_column_bytes(s, 3) > 0)
			buf_add(&r->v, sqlite3_column_blob(s, 3),
			    (size_t)sqlite3_column_bytes(s, 3));
	}
	sqlite3_finalize(s);
	return found;
}

static int run_write(struct cache *c, int64_t scope, const struct run *r,
    int64_t gap, struct err *err)
{
	sqlite3_stmt *s = db_prepare(c, err, "INSERT INTO main.fetched(scope, "
	    "t0, t1, n, gap, v) VALUES(?1, ?2, ?3, ?4, nullif(?5, 0), ?6) "
	    "ON CONFLICT(scope, t0) DO UPDATE SET t1 = ?3, n = ?4, v = ?6");
	int rc;

	if (!s)
		return -1;
	db_bind(s, "iiiii", scope, r->t0, r->t1, r->n, gap);
	sqlite3_bind_blob(s, 6, buf_str(&r->v), (int)r->v.n, SQLITE_STATIC);
	rc = db_done(c, s, err);
	sqlite3_finalize(s);
	return rc;
}

int fetched_add(struct cache *c, const struct table *t, const char *context,
    int64_t scope, int64_t at, struct err *err)
{
	struct run r;
	int64_t gap = 0;
	bool found = run_read(c, scope, at, &r);
	int rc;

	if (found && r.t1 >= at) {
		buf_free(&r.v);
		return 0;
	}
	if (found && at - r.t1 > 3 * t->kind->every &&
	    at - r.t1 > 3 * every_of(c, t, context))
		gap = at - r.t1;
	if (found && gap == 0 && r.young && r.n < RUN_MAX) {
		pack_varint(&r.v, (uint64_t)(at - r.t1));
		r.t1 = at;
		r.n++;
	} else {
		buf_clear(&r.v);
		r.t0 = r.t1 = at;
		r.n = 1;
	}
	rc = run_write(c, scope, &r, gap, err);
	buf_free(&r.v);
	return rc;
}

int64_t fetched_before(struct cache *c, int64_t scope, int64_t at)
{
	struct reader steps;
	int64_t seen = 0, t;
	struct run r;

	if (!run_read(c, scope, at, &r))
		return 0;
	if (r.t1 <= at) {
		seen = r.t1;
	} else if (!r.young) {
		seen = at;
	} else {
		seen = t = r.t0;
		steps = (struct reader){ (const uint8_t *)buf_str(&r.v),
		    (const uint8_t *)buf_str(&r.v) + r.v.n, false };
		while (steps.p < steps.end && t <= at) {
			seen = t;
			t += (int64_t)unpack_varint(&steps);
		}
		if (t <= at)
			seen = t;
	}
	buf_free(&r.v);
	return seen;
}

int fetched_rewind(struct cache *c, int64_t scope, int64_t at,
    struct err *err)
{
	int64_t before = fetched_before(c, scope, at);

	if (db_exec(c, err, "DELETE FROM main.fetched WHERE scope = %lld AND "
	    "t0 > %lld", (long long)scope, (long long)at) < 0)
		return -1;
	return db_exec(c, err, "UPDATE main.fetched SET t1 = %lld, v = NULL "
	    "WHERE scope = %lld AND t1 > %lld", (long long)before,
	    (long long)scope, (long long)at);
}
