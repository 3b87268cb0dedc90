/* What the rooms of the cache share. Nobody else includes this: the contract
 * is cache.h.
 *
 * Stored in cache.db:
 *	scope		one a fetch's completeness; the age of its rows
 *	K_now		rows of the kind K that are true now
 *	K_m		their latest metrics, narrow, by the same id
 *	K_past		closed versions, clustered by the time they ended
 *	change_row	what changed, when it was seen
 *	frame, block	series: a poll of a scope; many of them by column
 *	fetched		runs of good fetches
 *	gone		slots of closed rows, until they may be used again
 *	source, task	shared between processes
 * and in data.db, attached as `data`: journal, mute.
 *
 * A row's id is its scope << 24 | its slot; it is `series` in SQL. */
#ifndef CACHE_IMPL_H
#define CACHE_IMPL_H

#include <sqlite3.h>

#include "cache.h"
#include "mem.h"
#include "value.h"

#define CACHE_VERSION	1	/* user_version of cache.db */
#define SLOT_BITS	24
#define SLOT_MAX	((INT64_C(1) << SLOT_BITS) - 1)
#define SLOT_REST	(INT64_C(30) * 86400000)	/* ms before a slot is reused */

/* ---- kinds as tables (cache_table.c) ------------------------------------ */

/* A kind's columns by where they are stored. Values of a row stand in the
 * order keys, facts, notes, metrics, bins: `place` of each field. */
struct table {
	const struct kind	*kind;
	size_t			 nkeys, nfacts, nnotes, nmetrics, nbins;
	size_t			 n;		/* of them all */
	const struct field	**fields;	/* by place */
	bool			 is_finding;
};
struct table *table_new(const struct kind *k);
void table_free(struct table *t);
/* Place of a field by name; -1. */
int table_place(const struct table *t, const char *field);
/* The metric's place among the metrics and bins: its column in a frame. */
static inline size_t table_stored(const struct table *t)
{
	return t->nkeys + t->nfacts + t->nnotes;
}
static inline size_t table_columns(const struct table *t)
{
	return t->nmetrics + t->nbins;
}
/* Appends `prefix` and the names of the fields at those places, with commas
 * before each: ", n.proxy, n.cluster". */
void table_names(struct buf *out, const struct table *t, const char *prefix,
    size_t from, size_t n);
/* What a changed literal changes; two equal texts mean the same tables. */
void table_shape(struct buf *out, const struct table *t);
/* CREATE statements; temp: in the connection's own database. */
void table_ddl(struct buf *out, const struct table *t, bool temp);

/* ---- the connection ----------------------------------------------------- */

struct aim;
struct reels;
struct marks;
struct incoming;

struct cache {
	sqlite3			*db;
	const struct registry	*registry;
	struct table		**tables;	/* ends with NULL */
	unsigned		 flags;
	bool			 memory;	/* the fallback */
	bool			 damaged;	/* SQLite said so */
	bool			 declared;	/* json_each, sample: used once */
	char			*path;		/* of cache.db; NULL in memory */
	char			 own_fault[1400]; /* why data.db can't be written */
	bool			 own;		/* the statement is on data.db */
	uint64_t		 seed;		/* of hashes stored in this file */

	int64_t			 at, since;	/* as aimed; at 0: now */
	int64_t			 now;		/* of the running statement */
	struct aim		*aim;
	int64_t			 data_version;	/* what memos below were read from */
	int64_t			 writes;	/* own ones, since the open */
	int64_t			 memo_writes;
	struct reels		*reels;		/* read samples (cache_series.c) */
	sqlite3_stmt		*read_block, *read_frame;
	struct marks		*marks;		/* open findings (cache_mark.c) */
	struct incoming		*incoming;	/* rows being written */

	struct query		*running;	/* whose step is on its way */
	struct query		*guarded;	/* being prepared under the guard */
	struct kind_set		*reads;		/* kinds that a prepare names */
};

const struct table *cache_table(const struct cache *c, const char *kind);

/* ---- plain SQL (cache_db.c) --------------------------------------------- */

/* -1 with the message of SQLite behind `what`: "cache: WHAT: disk is full". */
int db_fault(struct cache *c, const char *what, struct err *err);
/* New statement; NULL: err. */
sqlite3_stmt *db_prepare(struct cache *c, struct err *err, const char *sql);
/* The same for a text made by sqlite3_mprintf's rules. */
sqlite3_stmt *db_preparef(struct cache *c, struct err *err,
    const char *fmt, ...);
/* Runs one statement (sqlite3_mprintf's rules) to its end. */
int db_exec(struct cache *c, struct err *err, const char *fmt, ...);
/* Binds, in order, by letter: i int64_t, s text (NULL is null), d double. */
void db_bind(sqlite3_stmt *s, const char *letters, ...);
/* Steps a statement that gives no rows, and resets it. */
int db_done(struct cache *c, sqlite3_stmt *s, struct err *err);
/* Text of a column, copied; NULL stays NULL. */
char *db_text(sqlite3_stmt *s, int column);
struct cell db_cell(sqlite3_stmt *s, int column);
void db_bind_cell(sqlite3_stmt *s, int i, struct cell v);

/* A writing transaction of cache.db only: BEGIN IMMEDIATE would lock data.db
 * too. Waits for other writers, ten seconds at most. */
int db_begin(struct cache *c, struct err *err);
/* After a failed commit nothing is written, and the transaction is over. */
int db_commit(struct cache *c, struct err *err);
void db_rollback(struct cache *c);

/* Drops what was read into memory when the files have moved since, and takes
 * the time for at(). Before a statement's first step. */
void cache_fresh(struct cache *c);
int64_t cache_at(const struct cache *c);

/* ---- names (cache_aim.c, cache_core.c) ---------------------------------- */

/* Makes the TEMP views of the lists that a text names. */
int aim_names(struct cache *c, const char *sql, struct err *err);
/* Is it the name of a kind, a list or one of core_tables? */
bool aim_knows(const struct cache *c, const char *name);
/* The contexts it is aimed at, as SQL writes them in IN (…). */
const char *aim_contexts(const struct cache *c);
bool sql_has_word(const char *sql, const char *word);
/* What the core's lists read: bodies of TEMP views with %s for the contexts. */
struct core_table {
	const char	*name, *sql;
};
extern const struct core_table core_tables[];	/* ends with {NULL} */
void core_functions(struct cache *c);
/* The last fetch at or before that time; 0: none. (cache_fetched.c) */
int64_t fetched_before(struct cache *c, int64_t scope, int64_t at);
/* The same, asked once a scope: all its rows have that age. (cache_series.c) */
int64_t series_seen(struct cache *c, int64_t scope, int64_t at);

/* ---- other rooms -------------------------------------------------------- */

/* Makes a folder and those above it, 0700. -1 and errno. (cache_open.c) */
int cache_folder(const char *dir);
int own_open(struct cache *c, const char *data_dir, struct buf *note,
    struct err *err);
void sql_functions(struct cache *c);	/* cache_sql.c */
void mark_functions(struct cache *c);	/* cache_mark.c */
void marks_free(struct marks *m);
/* The time from which on they are others, though no data moved. */
int64_t marks_until(const struct marks *m);
void figure_functions(struct cache *c);	/* cache_figure.c */
void sample_module(struct cache *c);	/* cache_sample.c */
void incoming_module(struct cache *c);	/* cache_incoming.c */
void reels_free(struct reels *r);
void aim_free(struct aim *a);
int guard_authorize(void *arg, int action, const char *a, const char *b,
    const char *db, const char *view);
bool process_lives(int64_t pid, int64_t start);
int64_t process_start(int64_t pid);	/* 0: there is none */

#endif
