/* The small parts of packed samples, for frames and for blocks. A reader that
 * meets what can't be goes bad, and gives zeros from then on. */
#ifndef CACHE_PACK_H
#define CACHE_PACK_H

#include "cache_series.h"

struct reader {
	const uint8_t	*p, *end;
	bool		 bad;
};

void pack_varint(struct buf *out, uint64_t v);
uint64_t unpack_varint(struct reader *r);
void unpack_bytes(struct reader *r, void *out, size_t n);
/* Signed numbers with small ones small (zigzag). */
uint64_t pack_sign(int64_t v);
int64_t unpack_sign(uint64_t u);
/* v as an integer of a scale, exactly; false when it is none. */
bool pack_scaled(double v, double scale, int64_t *out);

void pack_bound(struct buf *out, double v);
double unpack_bound(struct reader *r);
void pack_hist(struct buf *out, const struct hist *h);
struct hist *hist_new(struct arena *a, size_t n);
const struct hist *unpack_hist(struct reader *r, struct arena *a);
void sample_none(union sample *out, bool bins);

#endif
