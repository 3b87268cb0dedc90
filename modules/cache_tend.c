/* Upkeep, a bounded piece of it at each call: folds frames, drops samples that
 * coarser ones stand for, joins old runs of fetches, prunes. Every step is a
 * short transaction of its own, and any number of processes may do it. */
#include "cache_fold.h"

#include <stdlib.h>

#include "task.h"

#define WORK	500		/* ms of one call */
#define YOUNG	(2 * INT64_C(3600000))	/* runs that know their fetches */
#define JOIN_AT	12		/* runs of a scope, before they are joined */

struct tend {
	struct cache	*c;
	struct task	*task;
	int64_t		 now, until, keep;
};

static bool is_over(const struct tend *d)
{
	return clock_mono() > d->until || task_cancelled(d->task);
}

struct place { int64_t scope, part; const struct table *t; };

/* The part behind the last one that the table has of that res: a seek, where
 * DISTINCT would read every blob. */
static bool next_place(struct tend *d, const char *table, enum res res,
    struct place *p)
{
	sqlite3_stmt *s = db_preparef(d->c, NULL, "SELECT scope, part, "
	    "(SELECT kind FROM main.scope WHERE id = scope) FROM main.%s "
	    "WHERE res = ?1 AND (scope, part) > (?2, ?3) "
	    "ORDER BY scope, part LIMIT 1", table);
	const char *kind;
	bool found;

	if (!s)
		return false;
	db_bind(s, "iii", (int64_t)res, p->scope, p->part);
	found = sqlite3_step(s) == SQLITE_ROW;
	if (found) {
		p->scope = sqlite3_column_int64(s, 0);
		p->part = sqlite3_column_int64(s, 1);
		kind = (const char *)sqlite3_column_text(s, 2);
		p->t = kind ? cache_table(d->c, kind) : NULL;
	}
	sqlite3_finalize(s);
	return found;
}

/* ---- samples ------------------------------------------------------------ */

static int fold_all(struct tend *d, struct err *err)
{
	struct place p;
	int res, rc;

	for (res = RES_RAW; res < RES_N; res++) {
		p = (struct place){ .scope = -1 };
		while (next_place(d, "frame", (enum res)res, &p)) {
			do {
				if (is_over(d))
					return 0;
				rc = p.t ? fold_part(d->c, p.t, (enum res)res,
				    p.scope, p.part, d->now, err) : 0;
			} while (rc == 1);
			if (rc < 0)
				return -1;
		}
	}
	return 0;
}

static int expire(struct tend *d, const char *table, const char *column,
    enum res res, struct err *err)
{
	int64_t keep = res == RES_QUARTER && d->keep < res_rules[res].keep ?
	    d->keep : res_rules[res].keep;
	struct place p = { .scope = -1 };
	long long before = d->now - keep;

	while (next_place(d, table, res, &p)) {
		if (is_over(d))
			return 0;
		if (!cache_int(d->c, 0, "SELECT 1 FROM main.%s WHERE res = %d "
		    "AND scope = %lld AND part = %lld AND %s < %lld LIMIT 1",
		    table, (int)res, (long long)p.scope, (long long)p.part,
		    column, before))
			continue;
		if (db_begin(d->c, err) < 0)
			return -1;
		if (db_exec(d->c, err, "DELETE FROM main.%s WHERE res = %d AND "
		    "scope = %lld AND part = %lld AND %s < %lld", table,
		    (int)res, (long long)p.scope, (long long)p.part, column,
		    before) < 0) {
			db_rollback(d->c);
			return -1;
		}
		if (db_commit(d->c, err) < 0)
			return -1;
	}
	return 0;
}

static int expire_all(struct tend *d, struct err *err)
{
	int res;

	for (res = RES_RAW; res < RES_N; res++)
		if (expire(d, "frame", "t", (enum res)res, err) < 0 ||
		    expire(d, "block", "t1", (enum res)res, err) < 0)
			return -1;
	return 0;
}

/* ---- runs of fetches ---------------------------------------------------- */

/* Old runs next to each other become one that knows only its ends. */
static int join_runs(struct tend *d, long long scope, struct err *err)
{
	long long old = d->now - YOUNG;

	if (db_begin(d->c, err) < 0)
		return -1;
	if (db_exec(d->c, err, "CREATE TEMP TABLE joined AS SELECT min(t0) t0, "
	    "max(t1) t1, sum(n) n, max(gap) gap FROM (SELECT *, "
	    "sum(gap IS NOT NULL) OVER (ORDER BY t0) run FROM main.fetched "
	    "WHERE scope = %lld AND t1 < %lld) GROUP BY run;"
	    "DELETE FROM main.fetched WHERE scope = %lld AND t1 < %lld;"
	    "INSERT INTO main.fetched(scope, t0, t1, n, gap) "
	    "SELECT %lld, t0, t1, n, gap FROM temp.joined WHERE t1 >= %lld;"
	    "DROP TABLE temp.joined", scope, old, scope, old, scope,
	    (long long)(d->now - d->keep)) < 0) {
		db_rollback(d->c);
		return -1;
	}
	return db_commit(d->c, err);
}

static int join_all(struct tend *d, struct err *err)
{
	sqlite3_stmt *s = db_prepare(d->c, err, "SELECT scope FROM "
	    "main.fetched f WHERE t1 < ?1 AND (v IS NOT NULL OR t1 < ?2) "
	    "GROUP BY scope HAVING count(*) >= ?3 OR min(t1) < ?2");
	int64_t *scopes = NULL;
	size_t n = 0, i;
	int rc = 0;

	if (!s)
		return -1;
	db_bind(s, "iii", d->now - YOUNG, d->now - d->keep, (int64_t)JOIN_AT);
	while (sqlite3_step(s) == SQLITE_ROW) {
		scopes = xrealloc(scopes, n + 1, sizeof(*scopes));
		scopes[n++] = sqlite3_column_int64(s, 0);
	}
	sqlite3_finalize(s);
	for (i = 0; i < n && rc == 0 && !is_over(d); i++)
		rc = join_runs(d, scopes[i], err);
	free(scopes);
	return rc;
}

int cache_tend(struct cache *c, int64_t keep, int64_t max, struct task *t,
    struct err *err)
{
	struct tend d = { .c = c, .task = t, .now = clock_now(), .keep = keep,
	    .until = clock_mono() + WORK };

	if (fold_all(&d, err) < 0 || expire_all(&d, err) < 0 ||
	    join_all(&d, err) < 0 ||
	    prune_before(c, d.now - keep, d.until, err) < 0 ||
	    prune_to_size(c, max, d.until, err) < 0)
		return -1;
	return task_check(t, err);
}
