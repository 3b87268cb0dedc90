/* Series: what the rooms of samples share.
 *
 * A frame is one poll of up to PART_SLOTS slots of a scope: every value as it
 * was, so that any of them can be read alone. Many frames are folded into a
 * block, column after column, each packed as it packs best. Rollups are the
 * same two tables with another res. */
#ifndef CACHE_SERIES_H
#define CACHE_SERIES_H

#include "cache_impl.h"

#define PART_BITS	10
#define PART_SLOTS	(1 << PART_BITS)
#define PART_OF(slot)	((slot) >> PART_BITS)

/* How long samples of each res are kept, and what one stands for. */
enum res { RES_RAW, RES_MINUTE, RES_QUARTER, RES_N };
struct res_rule { int64_t width, keep; };
extern const struct res_rule res_rules[RES_N];

/* A histogram; n may be 0. */
struct hist {
	size_t		 n;
	struct bin	*v;
};
/* A value: a number (NAN: none), or for a column of bins a histogram (NULL:
 * none). */
union sample {
	double			 d;
	const struct hist	*h;
};

/* ---- cache_pack.c, cache_block.c ---------------------------------------- */

struct shape { size_t nnumbers, nbins; };	/* columns of a slot */
static inline size_t shape_columns(struct shape s)
{
	return s.nnumbers + s.nbins;
}
/* Appends a frame of nslots slots, slot after slot: v[slot * columns + c]. */
void frame_pack(struct buf *out, struct shape s, size_t nslots,
    const union sample *v);
/* One value; false for a frame that can't be read. bins: memory of a. */
bool frame_get(const uint8_t *p, size_t n, struct shape s, size_t slot,
    size_t column, struct arena *a, union sample *out);
/* All of them, to v[PART_SLOTS * columns]; *nslots gets how many stand there. */
bool frame_all(const uint8_t *p, size_t n, struct shape s, struct arena *a,
    union sample *v, size_t *nslots);

/* Appends a block of n samples: v[i] is the frame at t[i]. */
void block_pack(struct buf *out, struct shape s, size_t nslots,
    const int64_t *t, union sample *const *v, size_t n);
/* Times of a block, at most max; returns how many, 0 when it can't be read. */
size_t block_times(const uint8_t *p, size_t n, int64_t *t, size_t max);
/* One column of one slot, its n values. False: it isn't there or can't be
 * read: all are none. */
bool block_get(const uint8_t *p, size_t n, struct shape s, size_t slot,
    size_t column, struct arena *a, union sample *out, size_t count);

/* Bytes of a blob that SQL sees as bins. */
void hist_bytes(struct buf *out, const struct hist *h);

/* ---- cache_series.c: reading -------------------------------------------- */

struct sample_at {
	int64_t		 t;
	enum res	 res;
	union sample	 v;
};
struct samples {
	struct sample_at	*v;
	size_t			 n, cap;
	struct arena		 arena;		/* of histograms */
};
struct series {
	const struct table	*t;
	int64_t			 scope;
	size_t			 slot;		/* in its part */
	int64_t			 part;
};
/* What a SERIES is; -1 when there is no such scope. */
int series_find(struct cache *c, int64_t id, struct series *out);
static inline struct shape series_shape(const struct table *t)
{
	return (struct shape){ t->nmetrics, t->nbins };
}
/* Column of a metric by name; -1. */
int series_column(const struct table *t, const char *field);
/* Appends the samples over [from, to], by time; those without a value too.
 * Read parts are kept until the data moves. */
void series_read(struct cache *c, const struct series *s, size_t column,
    int64_t from, int64_t to, struct samples *out);
void samples_release(struct samples *s);

#endif
