/* What the rooms of merging share: the rows of one merge as they were given,
 * and how they differ from those stored.
 *
 * A row that was given is one record in memory: for each place of the table a
 * tag and its bytes, so that the hashes of keys and of facts are each taken
 * over one run of bytes. */
#ifndef CACHE_MERGE_H
#define CACHE_MERGE_H

#include "cache_impl.h"

/* Two processes that merge one scope may end in the other order: a time that is
 * earlier by less than this is taken as the later one. More, and the clock went
 * back: what was to be true after that time is taken back. */
#define CLOCK_SLACK	60000
#define SLICE_OVER	20000	/* rows: bigger merges are written in slices */

enum part_tag {
	PART_NULL	= CELL_NULL,
	PART_INT	= CELL_INT,
	PART_REAL	= CELL_REAL,
	PART_TEXT	= CELL_TEXT,
	PART_BINS,
	PART_UNSET,		/* MERGE_PATCH: keep what is stored */
};
/* One value of a record; text and bins are borrowed from it. */
struct part {
	enum part_tag	 tag;
	uint32_t	 n;		/* bytes of text; how many bins */
	union {
		int64_t			 i;
		double			 d;
		const char		*s;
		const uint8_t		*bins;	/* n struct bin, not aligned */
	};
};
/* Reads one value, and returns where the next one stands. */
const uint8_t *part_read(const uint8_t *p, struct part *out);
struct cell part_cell(const struct part *p);	/* bins, unset: NULL */
void part_write(struct buf *out, const struct part *p);
/* A number as a double; NAN when it is none. */
double part_number(const struct part *p);

struct pend {
	uint64_t	 k, f;		/* hashes of keys, of facts and notes */
	int64_t		 id;		/* 0: not stored; -1: given again later */
	const uint8_t	*rec;
};
/* A row as stored, without its texts. */
struct old {
	uint64_t	 k, f;
	int64_t		 id;
	uint32_t	 by;		/* the pending row of that key, + 1 */
};
/* A slot whose row was closed. */
struct gone {
	int64_t	 k, slot, t;
	bool	 used;
};
struct change {
	const char	*op, *field;
	const char	*key, *object, *before, *now;
};

struct merge {
	struct cache		*c;
	const struct table	*t;
	char			*context, *scope;
	int64_t			 time;		/* as given */
	unsigned		 flags;
	bool			 drop;		/* the scope is forgotten */

	struct part		*row;		/* being filled, by place */
	uint32_t		*next;		/* what was set after each place */
	size_t			 place;		/* set last */
	struct buf		 texts;		/* of that row */
	struct buf		 rec;
	struct arena		 arena;		/* of all records */
	uint8_t			*chunk;		/* its last piece */
	size_t			 left;
	struct pend		*v;
	size_t			 n, cap;
	const uint8_t		**given;	/* MERGE_PATCH: records as given */

	/* What one attempt of merge_end found. */
	struct {
		int64_t	 id, version, merged_at, last, slots, gone;
		bool	 known;
	} s;
	int64_t			 now;		/* time, or last when the clock
						 * went back a little */
	struct old		*old;
	size_t			 nold;
	uint32_t		*news, *changed, *met;	/* of v */
	uint32_t		*closed;		/* of old */
	size_t			 nnews, nchanged, nmet, nclosed;
	struct gone		*gone;
	size_t			 ngone;
	int64_t			 slots;		/* of the scope, with the new ones */
	int64_t			*since;		/* of changed: 0, or what stays */
	struct change		*changes;
	size_t			 nchanges, cap_changes;
	/* Where those of each changed row end, and those of the closed and of
	 * the new rows begin. */
	size_t			*said, said_closed, said_news;
	sqlite3_stmt		*say;
	struct arena		 words;		/* of changes */
	struct framing		*frames;
	int64_t			 begun;		/* when the lock was taken */
};

/* cache_pending.c: what merge_row gathers. */
uint64_t merge_hash(const struct cache *c, const uint8_t *p, size_t n);
/* Hashes of a record. */
void pend_hash(const struct merge *m, struct pend *p);
/* Copies a record into the merge's memory. */
const uint8_t *pend_keep(struct merge *m, const struct buf *rec);
/* Orders two records by their keys as SQLite's index does. */
int pend_order(const struct merge *m, const struct pend *a,
    const struct pend *b);

/* cache_compare.c: what differs; no lock is held. */
int compare_load(struct merge *m, struct err *err);
void compare_release(struct merge *m);

/* cache_merge.c: between two batches of a sliced merge. 0; 1 another process
 * merged the scope meanwhile; -1. */
int merge_breathe(struct merge *m, struct err *err);

/* cache_incoming.c: an eponymous virtual table over rows being written, so
 * that a slice of them is one statement. Columns c0…: of a row id, _k, _f,
 * context, since and then its places; of a change as in change_row. */
enum incoming_sort { INCOMING_ROWS, INCOMING_OLD, INCOMING_CHANGES };
struct incoming {
	enum incoming_sort	 sort;
	const struct merge	*m;
	const uint32_t		*index;		/* of v or old; NULL: changes */
	size_t			 from, to;
};
#define INCOMING_COLUMNS 120
#define INCOMING_PLACES	5		/* the column of place 0 */
void incoming_set(struct cache *c, const struct incoming *in);

/* cache_frame.c: the metrics of the rows met, as frames of parts. */
struct framing *frames_make(const struct merge *m);
int frames_write(struct merge *m, struct err *err);
void frames_free(struct framing *f);

/* cache_fetched.c: runs of fetches. */
int fetched_add(struct cache *c, const struct table *t, const char *context,
    int64_t scope, int64_t at, struct err *err);
int fetched_rewind(struct cache *c, int64_t scope, int64_t at,
    struct err *err);

#endif
