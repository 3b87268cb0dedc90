/* How samples are packed into frames: values whole, slot after slot, with a way
 * in every four slots. And the small parts that blocks are made of too. Nothing
 * read here is trusted: a file can be damaged. */
#include "cache_pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUP	4	/* slots between two ways in */

/* ---- bytes -------------------------------------------------------------- */

void pack_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addc(out, (char)(v | 0x80));
	buf_addc(out, (char)v);
}

uint64_t unpack_varint(struct reader *r)
{
	uint64_t v = 0;
	int shift;

	for (shift = 0; r->p < r->end && shift < 64; shift += 7) {
		v |= (uint64_t)(*r->p & 0x7f) << shift;
		if (!(*r->p++ & 0x80))
			return v;
	}
	r->bad = true;
	return 0;
}

void unpack_bytes(struct reader *r, void *out, size_t n)
{
	if ((size_t)(r->end - r->p) < n) {
		r->bad = true;
		memset(out, 0, n);
		return;
	}
	memcpy(out, r->p, n);
	r->p += n;
}

uint64_t pack_sign(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

int64_t unpack_sign(uint64_t u)
{
	return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

/* Also false for -0, which no integer is. */
bool pack_scaled(double v, double scale, int64_t *out)
{
	double r = nearbyint(v * scale);

	if (!(fabs(r) < 9007199254740992.0) || r / scale != v ||
	    (r == 0 && signbit(v)))
		return false;
	*out = (int64_t)r;
	return true;
}

/* ---- histograms --------------------------------------------------------- */

static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
    1e9, 1e10, 1e11, 1e12 };
#define POWERS	(sizeof(powers) / sizeof(*powers))
#define RAW_BOUND 255

/* Bounds are short decimals: a digit count and a mantissa. */
void pack_bound(struct buf *out, double v)
{
	int64_t m;
	size_t k;

	for (k = 0; k < POWERS; k++) {
		if (!pack_scaled(v, powers[k], &m))
			continue;
		buf_addc(out, (char)k);
		pack_varint(out, pack_sign(m));
		return;
	}
	buf_addc(out, (char)RAW_BOUND);
	buf_add(out, &v, 8);
}

double unpack_bound(struct reader *r)
{
	uint8_t k;
	double v;

	unpack_bytes(r, &k, 1);
	if (k < POWERS)
		return (double)unpack_sign(unpack_varint(r)) / powers[k];
	unpack_bytes(r, &v, 8);
	return v;
}

void pack_hist(struct buf *out, const struct hist *h)
{
	size_t i;

	pack_varint(out, h->n);
	for (i = 0; i < h->n; i++) {
		pack_bound(out, h->v[i].lower);
		pack_varint(out, h->v[i].count);
	}
}

struct hist *hist_new(struct arena *a, size_t n)
{
	struct hist *h = arena_alloc(a, sizeof(*h) + n * sizeof(*h->v));

	h->n = n;
	h->v = (struct bin *)(h + 1);
	return h;
}

const struct hist *unpack_hist(struct reader *r, struct arena *a)
{
	size_t n = (size_t)unpack_varint(r), i;
	struct hist *h;

	/* A bin takes three bytes at least. */
	if (r->bad || n > (size_t)(r->end - r->p) / 3) {
		r->bad = true;
		return NULL;
	}
	h = hist_new(a, n);
	for (i = 0; i < n; i++) {
		h->v[i].lower = unpack_bound(r);
		h->v[i].count = unpack_varint(r);
	}
	return h;
}

void hist_bytes(struct buf *out, const struct hist *h)
{
	if (h->n > 0)
		buf_add(out, h->v, h->n * sizeof(*h->v));
}

/* ---- frames ------------------------------------------------------------- */

/* Tokens: NONES and ZEROS are followed by how many; from FIRST on it is an
 * integer's zigzag, which is not 0. */
enum { NONES, ZEROS, RAW, MILLI, HIST, FIRST };

struct group {
	struct buf	*out;
	int		 run;		/* NONES or ZEROS, or -1 */
	uint64_t	 length;
};

static void group_flush(struct group *g)
{
	if (g->run < 0)
		return;
	pack_varint(g->out, (uint64_t)g->run);
	pack_varint(g->out, g->length);
	g->run = -1;
}

static void group_run(struct group *g, int token)
{
	if (g->run != token) {
		group_flush(g);
		g->run = token;
		g->length = 0;
	}
	g->length++;
}

static void group_number(struct group *g, double v)
{
	int64_t n;

	if (isnan(v)) {
		group_run(g, NONES);
		return;
	}
	if (pack_scaled(v, 1, &n) && n == 0) {
		group_run(g, ZEROS);
		return;
	}
	group_flush(g);
	if (pack_scaled(v, 1, &n)) {
		pack_varint(g->out, pack_sign(n) + FIRST - 1);
	} else if (pack_scaled(v, 1000, &n)) {
		pack_varint(g->out, MILLI);
		pack_varint(g->out, pack_sign(n));
	} else {
		pack_varint(g->out, RAW);
		buf_add(g->out, &v, 8);
	}
}

static void group_hist(struct group *g, const struct hist *h)
{
	if (!h) {
		group_run(g, NONES);
		return;
	}
	group_flush(g);
	pack_varint(g->out, HIST);
	pack_hist(g->out, h);
}

void frame_pack(struct buf *out, struct shape s, size_t nslots,
    const union sample *v)
{
	size_t columns = shape_columns(s), groups, i, c, ways;
	struct group g = { .out = out, .run = -1 };
	uint32_t offset;

	pack_varint(out, nslots);
	groups = (nslots + GROUP - 1) / GROUP;
	ways = out->n;
	for (i = 0; i < groups; i++)
		buf_add(out, "\0\0\0\0", 4);
	for (i = 0; i < nslots; i++) {
		if (i % GROUP == 0) {
			group_flush(&g);
			offset = (uint32_t)(out->n - ways);
			memcpy(out->p + ways + i / GROUP * 4, &offset, 4);
		}
		for (c = 0; c < columns; c++, v++) {
			if (c < s.nnumbers)
				group_number(&g, v->d);
			else
				group_hist(&g, v->h);
		}
	}
	group_flush(&g);
}

/* A walk over the values of groups. */
struct walk {
	struct reader	 r;
	int		 run;		/* what `left` more values are */
	uint64_t	 left;
};

void sample_none(union sample *out, bool bins)
{
	if (bins)
		out->h = NULL;
	else
		out->d = NAN;
}

static void walk_next(struct walk *w, struct arena *a, bool bins,
    union sample *out)
{
	const struct hist *h;
	uint64_t token;
	double d;

	sample_none(out, bins);
	if (w->left == 0) {
		token = unpack_varint(&w->r);
		if (token == NONES || token == ZEROS) {
			w->run = (int)token;
			w->left = unpack_varint(&w->r);
		} else if (token == HIST) {
			h = unpack_hist(&w->r, a);
			if (bins)
				out->h = h;
			return;
		} else {
			if (token == RAW)
				unpack_bytes(&w->r, &d, 8);
			else if (token == MILLI)
				d = (double)unpack_sign(unpack_varint(&w->r)) / 1000;
			else
				d = (double)unpack_sign(token - (FIRST - 1));
			if (!bins)
				out->d = d;
			return;
		}
	}
	if (w->left > 0)
		w->left--;
	if (!bins && w->run == ZEROS)
		out->d = 0;
}

static bool frame_open(struct reader *r, size_t *nslots, const uint8_t **ways)
{
	*nslots = (size_t)unpack_varint(r);
	*ways = r->p;
	if (r->bad || *nslots > PART_SLOTS)
		return false;
	return (size_t)(r->end - r->p) >= (*nslots + GROUP - 1) / GROUP * 4;
}

static bool frame_seek(struct reader *r, const uint8_t *ways, size_t group)
{
	uint32_t offset;

	memcpy(&offset, ways + group * 4, 4);
	if (offset > (size_t)(r->end - ways))
		return false;
	r->p = ways + offset;
	return true;
}

bool frame_get(const uint8_t *p, size_t n, struct shape s, size_t slot,
    size_t column, struct arena *a, union sample *out)
{
	struct walk w = { .r = { p, p + n, false } };
	size_t columns = shape_columns(s), nslots, i, left;
	const uint8_t *ways;

	sample_none(out, column >= s.nnumbers);
	if (!frame_open(&w.r, &nslots, &ways))
		return false;
	if (slot >= nslots)
		return true;
	if (!frame_seek(&w.r, ways, slot / GROUP))
		return false;
	left = slot % GROUP * columns + column;
	for (i = 0; i <= left && !w.r.bad; i++)
		walk_next(&w, a, i % columns >= s.nnumbers, out);
	if (w.r.bad)
		sample_none(out, column >= s.nnumbers);
	return !w.r.bad;
}

bool frame_all(const uint8_t *p, size_t n, struct shape s, struct arena *a,
    union sample *v, size_t *nslots)
{
	struct walk w = { .r = { p, p + n, false } };
	size_t columns = shape_columns(s), i;
	const uint8_t *ways;

	if (!frame_open(&w.r, nslots, &ways))
		return false;
	for (i = 0; i < *nslots * columns && !w.r.bad; i++) {
		if (i % (GROUP * columns) == 0) {
			if (!frame_seek(&w.r, ways, i / (GROUP * columns)))
				return false;
			w.left = 0;
		}
		walk_next(&w, a, i % columns >= s.nnumbers, &v[i]);
	}
	return !w.r.bad;
}
