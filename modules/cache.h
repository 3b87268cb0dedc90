/* The cache: rows of kinds in SQLite, now and in the past; series; change. And
 * the data file beside it, which holds what the user made.
 *
 * One struct cache is one connection: it belongs to one thread at a time. Any
 * number of processes share the files (WAL). All of SQLite is behind this
 * header, in modules/cache_*.c. Measured in research before it was written: no
 * lock is held while comparing; big scopes are written in slices.
 *
 * Files: DIR/cache.db (disposable), DATA/data.db (never dropped).
 */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "module.h"
#include "registry.h"
#include "rows.h"

struct cache;
struct task;
struct task_info;

enum cache_flag {
	CACHE_READ	= 1 << 0,	/* never creates or changes a file */
	CACHE_MEMORY	= 1 << 1,	/* no file at all (tests) */
};
/* Opens, creating what is missing (0700 folders, 0600 files). A corrupt cache
 * is set aside as *.corrupt and begun anew; one from a newer kiban, or a folder
 * that can't be written, gives a cache in memory, which is this connection's
 * alone: session_settle() moves a whole run elsewhere then. Both are said in note, "" when
 * all is well. A kind whose literal changed has its tables rebuilt empty. */
struct cache *cache_open(const char *cache_dir, const char *data_dir,
    const struct registry *r, unsigned flags, struct buf *note,
    struct err *err);
void cache_close(struct cache *c);
/* True for the fallback in memory. */
bool cache_in_memory(const struct cache *c);
/* Why data.db can't be written, "" when it can. It is never set aside. */
const char *cache_own_fault(const struct cache *c);

/* ---- reading ---------------------------------------------------------- */

/* What SQL on this connection sees from now on: those contexts (n names), at
 * that time (0: now), since that time (for since()). Kinds and views are
 * TEMP views made for it: `mesh_proxy`, `mesh_proxies`, `findings`, … */
int cache_aim(struct cache *c, const char *const *contexts, size_t n,
    int64_t at, int64_t since, struct err *err);

enum query_flag {
	QUERY_GUARD	= 1 << 0,	/* text of a user: SELECT only, our tables
					 * only (CONTRACT, `sql`); ERR_USAGE when
					 * it can't be prepared */
	QUERY_KINDS	= 1 << 1,	/* cells of typed columns only */
};
struct query;
/* Prepares one SELECT. limit: ms until it is stopped (0: none). t, when not
 * NULL, stops it when cancelled. */
struct query *query_new(struct cache *c, const char *sql, unsigned flags,
    int64_t limit, struct task *t, struct err *err);
/* Binds text to ?i (from 1); cells may be any. */
void query_bind(struct query *q, int i, struct cell v);
/* Names come with _2 when twice; `series` is dropped unless the text has it. */
size_t query_columns(const struct query *q, const char *const **names);
/* 1: *cells (borrowed until the next step) holds a row; 0: end; -1: err. */
int query_step(struct query *q, const struct cell **cells, struct err *err);
void query_free(struct query *q);
/* One value: an integer, or what is given otherwise. Internal SQL only, by
 * sqlite3_mprintf's rules: %Q is a text with its quotes, %lld a number. */
int64_t cache_int(struct cache *c, int64_t otherwise, const char *sql, ...);
/* Names of kinds that the last prepared statement read (for what must be
 * fetched). Ends with NULL; borrowed until the next query_new. */
const char *const *query_kinds(const struct query *q);

/* Functions in SQL on every connection. SERIES is a kind's hidden `series`;
 * a window is the SECONDS up to at(), or up to AGO seconds before it.
 *	at() since()			ms
 *	delta(SERIES, FIELD, SECONDS [, AGO])	growth of a counter over the
 *					window, restarts and resets left out;
 *					last - first of a gauge; NULL without
 *					two samples
 *	rate(…)				delta over the seconds it covers
 *	bins(…)				growth of a histogram over the window
 *	quantile(P, BINS)		aggregate: sums bins; P 0 to 1; NULL: none
 *	samples(BINS)			how many a histogram has
 *	spark(SERIES, FIELD, SECONDS, N)	JSON array of N: rates of a counter,
 *					means of a gauge; null where no sample
 *	span(SERIES, SECONDS)		seconds between the first and the last
 *					sample in the window; 0
 *	mark(KIND, SEEN, CONTEXT, KEY…)	status: worst open, unmuted finding on
 *					that row; 'old' when SEEN is older than
 *					three times the kind's every; 'ok'
 *	module_of(KIND)			"mesh"
 *	ms(TIME) regexp(PATTERN, TEXT)	X REGEXP Y too
 */

/* ---- merging ---------------------------------------------------------- */

/* A fetch is a merge:
 *
 *	m = merge_begin(cache, kind, "prod", "http://10.0.1.7:9901", now, 0);
 *	merge_text(m, "proxy", name, -1); merge_int(m, "weight", 3);
 *	if (merge_row(m, err)) …		fields not set are NULL
 *	merge_end(m, err)			or merge_abort(m)
 *
 * The scope says what the fetch was complete for: rows of it that were not
 * given are closed. Unchanged rows are not written. Texts are copied. A key
 * given twice in one merge: the later one wins. The first merge of a scope
 * writes no change. Nothing is written before merge_end; -1 there means
 * nothing was (or, over 20,000 rows, that some slices were, and the age is the
 * old one: the next merge puts it right). A clock that went back never makes a
 * version that ends before it began. */
struct merge;
enum merge_flag {
	/* Rows not given stay open, fields not given keep their value, the
	 * scope's age doesn't move: liveness beside the facts. */
	MERGE_PATCH	= 1 << 0,
};
struct merge *merge_begin(struct cache *c, const struct kind *k,
    const char *context, const char *scope, int64_t t, unsigned flags);
void merge_text(struct merge *m, const char *field, const char *s, int n);
void merge_int(struct merge *m, const char *field, int64_t v);
void merge_real(struct merge *m, const char *field, double v);
void merge_null(struct merge *m, const char *field);
/* bins: n pairs, by bound: the lower bound, and how many fell into that bin
 * since the backend began to count (not how many lie below it). */
struct bin { double lower; uint64_t count; };
void merge_bins(struct merge *m, const char *field, const struct bin *bins,
    size_t n);
int merge_row(struct merge *m, struct err *err);
int merge_end(struct merge *m, struct err *err);
void merge_abort(struct merge *m);
/* Nothing moved: the scope's rows are confirmed as of t. */
int cache_confirm(struct cache *c, const struct kind *k, const char *context,
    const char *scope, int64_t t, struct err *err);
/* Closes all rows of a scope, and forgets the scope. */
int cache_drop_scope(struct cache *c, const struct kind *k,
    const char *context, const char *scope, int64_t t, struct err *err);
/* Scopes of a kind in a context: each() gets name and last good fetch. */
void cache_each_scope(struct cache *c, const struct kind *k,
    const char *context,
    void (*each)(void *arg, const char *scope, int64_t seen), void *arg);

/* ---- upkeep ----------------------------------------------------------- */

/* Folds frames into blocks, rolls up, prunes: bounded work in short
 * transactions, called now and then by whoever polls. keep ms and max bytes
 * are the config's (30 d, 2 GB). */
int cache_tend(struct cache *c, int64_t keep, int64_t max, struct task *t,
    struct err *err);
struct prune_row { char *name; int64_t rows, bytes; };
/* `cache prune`: closed versions and change older than that; what went is
 * reported a table each. */
int cache_prune(struct cache *c, int64_t before,
    void (*each)(void *arg, const char *name, int64_t rows, int64_t bytes),
    void *arg, struct err *err);

/* ---- sources (cache_source.c): the polling budget of all processes ----- */

struct claim {
	int64_t		 id;
	int64_t		 due;		/* when it should have begun */
	int64_t		 began;		/* when it did */
	int64_t		 before;	/* and the poll before it */
	int		 failures;	/* in a row, before this one */
};
/* Makes sure that a row for this backend is there; every in ms. */
int source_name(struct cache *c, const char *context, const char *source,
    const char *backend, const char *module, const char *kinds_json,
    int64_t every, struct err *err);
/* Takes it for this process when it is due (or force: also past an open
 * breaker, unless another began after `since`). 1 taken; 0 not due (*next says
 * when), with force: done since then; 2 another has it: ask again; -1 error. A
 * claim of a dead process, or one older than 60 s, is void. */
int source_claim(struct cache *c, const char *context, const char *source,
    const char *backend, bool force, int64_t since, struct claim *out,
    int64_t *next, struct err *err);
/* Gives it back. failed NULL: good. Sets next: due + every on the backend's
 * own grid, or the backoff: from 10 failures in a row on one probe in 30 s over
 * all processes; Retry-After. ERR_CANCELLED: as if never asked. */
int source_done(struct cache *c, const struct claim *k, int64_t took,
    int64_t rows, const struct err *failed, struct err *err);
/* Forgets backends of a context that were not named since t. */
int source_forget(struct cache *c, const char *context, const char *source,
    int64_t t, struct err *err);
struct source_row {
	char		 state[12];	/* ok failing throttled refused never */
	int64_t		 seen, tried, next;	/* 0: never */
	int		 failures;
	char		 error[600];
};
/* 0, or -1 when there is no such row. */
int source_get(struct cache *c, const char *context, const char *source,
    const char *backend, struct source_row *out);

/* ---- journal, mutes, tasks (cache_own.c) -------------------------------- */

/* Before the act: the row with result `unknown`; returns its id, or -1 when
 * the journal can't be written (then the write is refused). */
int64_t journal_begin(struct cache *c, const char *context,
    const char *command, const char *target, struct err *err);
/* After it: done, failed, declined, refused. */
int journal_end(struct cache *c, int64_t id, const char *result,
    const char *error, struct err *err);

/* object NULL: the whole rule. until in ms. Upserts. */
int mute_put(struct cache *c, const char *context, const char *rule,
    const char *object, int64_t until, const char *because, struct err *err);
/* Returns how many went. */
int mute_drop(struct cache *c, const char *context, const char *rule,
    const char *object, struct err *err);

/* This process's tasks that are worth a row, for `tasks` of every process. */
int task_publish(struct cache *c, const struct task_info *i, struct err *err);
/* Takes the row of one back. */
int task_retract(struct cache *c, int64_t id, struct err *err);

#endif
