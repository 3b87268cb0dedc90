/* How samples are packed. A frame keeps values whole, slot after slot, with a
 * way in every four slots. A block keeps columns: numbers as integers of a
 * scale, then the smaller of differences with runs, or bits over a base and a
 * common divisor, of the values or of their differences. Nothing read here is
 * trusted: a file can be damaged. */
#include "cache_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUP	4	/* slots between two ways in */
#define BITS_MAX 56	/* so that a value is within 8 bytes at any bit */

/* ---- bytes --------------------------------------------------------------------- */

struct reader {
	const uint8_t	*p, *end;
	bool		 bad;
};

static void put_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addc(out, (char)(v | 0x80));
	buf_addc(out, (char)v);
}

static uint64_t get_varint(struct reader *r)
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

static void get_bytes(struct reader *r, void *out, size_t n)
{
	if ((size_t)(r->end - r->p) < n) {
		r->bad = true;
		memset(out, 0, n);
		return;
	}
	memcpy(out, r->p, n);
	r->p += n;
}

static uint64_t zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t u)
{
	return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

/* v as an integer of a scale, exactly. */
static bool scaled(double v, double scale, int64_t *out)
{
	double r = nearbyint(v * scale);

	if (!(fabs(r) < 9007199254740992.0) || r / scale != v ||
	    (r == 0 && signbit(v)))
		return false;
	*out = (int64_t)r;
	return true;
}

/* ---- histograms ------------------------------------------------------------------ */

static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
    1e9, 1e10, 1e11, 1e12 };
#define POWERS	(sizeof(powers) / sizeof(*powers))
#define RAW_BOUND 255

/* Bounds are short decimals: a digit count and a mantissa. */
static void put_bound(struct buf *out, double v)
{
	int64_t m;
	size_t k;

	for (k = 0; k < POWERS; k++) {
		if (!scaled(v, powers[k], &m))
			continue;
		buf_addc(out, (char)k);
		put_varint(out, zigzag(m));
		return;
	}
	buf_addc(out, (char)RAW_BOUND);
	buf_add(out, &v, 8);
}

static double get_bound(struct reader *r)
{
	uint8_t k;
	double v;

	get_bytes(r, &k, 1);
	if (k < POWERS)
		return (double)unzigzag(get_varint(r)) / powers[k];
	get_bytes(r, &v, 8);
	return v;
}

static void put_hist(struct buf *out, const struct hist *h)
{
	size_t i;

	put_varint(out, h->n);
	for (i = 0; i < h->n; i++) {
		put_bound(out, h->v[i].lower);
		put_varint(out, h->v[i].count);
	}
}

static struct hist *hist_new(struct arena *a, size_t n)
{
	struct hist *h = arena_alloc(a, sizeof(*h) + n * sizeof(*h->v));

	h->n = n;
	h->v = (struct bin *)(h + 1);
	return h;
}

static const struct hist *get_hist(struct reader *r, struct arena *a)
{
	size_t n = (size_t)get_varint(r), i;
	struct hist *h;

	/* A bin takes three bytes at least. */
	if (r->bad || n > (size_t)(r->end - r->p) / 3) {
		r->bad = true;
		return NULL;
	}
	h = hist_new(a, n);
	for (i = 0; i < n; i++) {
		h->v[i].lower = get_bound(r);
		h->v[i].count = get_varint(r);
	}
	return h;
}

/* What of `now` isn't in `before`: how many, or SIZE_MAX when before isn't
 * part of it (a restart). */
static size_t hist_grown(const struct hist *before, const struct hist *now)
{
	size_t i, j = 0, n = 0;

	for (i = 0; i < now->n; i++) {
		if (j < before->n && before->v[j].lower == now->v[i].lower) {
			if (before->v[j].count > now->v[i].count)
				return SIZE_MAX;
			n += before->v[j].count != now->v[i].count;
			j++;
		} else {
			n++;
		}
	}
	return j == before->n ? n : SIZE_MAX;
}

static void put_growth(struct buf *out, const struct hist *before,
    const struct hist *now)
{
	size_t i, j = 0, last = 0;
	bool there;

	for (i = 0; i < now->n; i++) {
		there = j < before->n &&
		    before->v[j].lower == now->v[i].lower;
		if (there && before->v[j].count == now->v[i].count) {
			j++;
			continue;
		}
		put_varint(out, (i - last) << 1 | !there);
		last = i;
		if (there) {
			put_varint(out, now->v[i].count - before->v[j++].count);
		} else {
			put_bound(out, now->v[i].lower);
			put_varint(out, now->v[i].count);
		}
	}
}

static const struct hist *get_growth(struct reader *r, struct arena *a,
    const struct hist *before, size_t n)
{
	struct hist *h;
	size_t i, j = 0, at = 0;
	uint64_t word;

	if (n > (size_t)(r->end - r->p)) {
		r->bad = true;
		return NULL;
	}
	h = hist_new(a, before->n + n);
	h->n = 0;
	for (i = 0; i < n && !r->bad; i++) {
		word = get_varint(r);
		at += (size_t)(word >> 1);
		while (h->n < at && j < before->n)
			h->v[h->n++] = before->v[j++];
		if (h->n != at || (!(word & 1) && j >= before->n)) {
			r->bad = true;
		} else if (word & 1) {
			h->v[h->n].lower = get_bound(r);
			h->v[h->n++].count = get_varint(r);
		} else {
			h->v[h->n] = before->v[j++];
			h->v[h->n++].count += get_varint(r);
		}
	}
	while (j < before->n)
		h->v[h->n++] = before->v[j++];
	return r->bad ? NULL : h;
}

void hist_pack(struct buf *out, const struct hist *h)
{
	if (h->n > 0)
		buf_add(out, h->v, h->n * sizeof(*h->v));
}

/* ---- frames ------------------------------------------------------------------------ */

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
	put_varint(g->out, (uint64_t)g->run);
	put_varint(g->out, g->length);
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
	if (scaled(v, 1, &n) && n == 0) {
		group_run(g, ZEROS);
		return;
	}
	group_flush(g);
	if (scaled(v, 1, &n)) {
		put_varint(g->out, zigzag(n) + FIRST - 1);
	} else if (scaled(v, 1000, &n)) {
		put_varint(g->out, MILLI);
		put_varint(g->out, zigzag(n));
	} else {
		put_varint(g->out, RAW);
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
	put_varint(g->out, HIST);
	put_hist(g->out, h);
}

void frame_pack(struct buf *out, struct shape s, size_t nslots,
    const union sample *v)
{
	size_t columns = shape_columns(s), groups, i, c, ways;
	struct group g = { .out = out, .run = -1 };
	uint32_t offset;

	put_varint(out, nslots);
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

static void none(union sample *out, bool bins)
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

	none(out, bins);
	if (w->left == 0) {
		token = get_varint(&w->r);
		if (token == NONES || token == ZEROS) {
			w->run = (int)token;
			w->left = get_varint(&w->r);
		} else if (token == HIST) {
			h = get_hist(&w->r, a);
			if (bins)
				out->h = h;
			return;
		} else {
			if (token == RAW)
				get_bytes(&w->r, &d, 8);
			else if (token == MILLI)
				d = (double)unzigzag(get_varint(&w->r)) / 1000;
			else
				d = (double)unzigzag(token - (FIRST - 1));
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
	*nslots = (size_t)get_varint(r);
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

	none(out, column >= s.nnumbers);
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
		none(out, column >= s.nnumbers);
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

/* ---- columns of numbers -------------------------------------------------------------- */

enum { COLUMN_RAW = 1, COLUMN_RUNS, COLUMN_VALUES, COLUMN_STEPS, COLUMN_HISTS };

static void put_bits(struct buf *out, const uint64_t *v, size_t n, int width)
{
	__uint128_t acc = 0;
	int have = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		acc |= (__uint128_t)v[i] << have;
		for (have += width; have >= 8; have -= 8, acc >>= 8)
			buf_addc(out, (char)acc);
	}
	if (have > 0)
		buf_addc(out, (char)acc);
}

static uint64_t get_bits(const struct reader *r, size_t i, int width)
{
	size_t bit = i * (size_t)width, byte = bit / 8;
	size_t there = (size_t)(r->end - r->p);
	uint64_t w = 0;

	if (byte < there)
		memcpy(&w, r->p + byte, there - byte < 8 ? there - byte : 8);
	return w >> (bit % 8) & ((UINT64_C(1) << width) - 1);
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
	uint64_t r;

	for (; b; a = b, b = r)
		r = a % b;
	return a;
}

/* Values less their least one, over their common divisor, in bits. False when
 * that doesn't fit. */
static bool put_packed(struct buf *out, const int64_t *v, size_t n)
{
	uint64_t *u, g = 0, most = 0;
	int64_t least = v[0];
	int width = 0;
	size_t i;

	for (i = 1; i < n; i++)
		least = v[i] < least ? v[i] : least;
	u = xmalloc(n * sizeof(*u));
	for (i = 0; i < n; i++) {
		u[i] = (uint64_t)v[i] - (uint64_t)least;
		g = divisor(g, u[i]);
		most = u[i] > most ? u[i] : most;
	}
	g = g ? g : 1;
	while (width <= BITS_MAX && most / g >> width)
		width++;
	if (width <= BITS_MAX) {
		for (i = 0; i < n; i++)
			u[i] /= g;
		put_varint(out, zigzag(least));
		put_varint(out, g);
		buf_addc(out, (char)width);
		put_bits(out, u, n, width);
	}
	free(u);
	return width <= BITS_MAX;
}

static void get_packed(struct reader *r, int64_t *v, size_t n)
{
	int64_t least = unzigzag(get_varint(r));
	uint64_t g = get_varint(r);
	uint8_t width = 0;
	size_t i;

	get_bytes(r, &width, 1);
	if (width > BITS_MAX)
		r->bad = true;
	for (i = 0; i < n && !r->bad; i++)
		v[i] = (int64_t)((uint64_t)least +
		    (width ? get_bits(r, i, width) * g : 0));
	r->p += (n * width + 7) / 8 > (size_t)(r->end - r->p) ?
	    (size_t)(r->end - r->p) : (n * width + 7) / 8;
}

/* The first one, then the steps. */
static bool put_steps(struct buf *out, const int64_t *v, size_t n)
{
	int64_t *d = xmalloc(n * sizeof(*d));
	bool fits;
	size_t i;

	for (i = 1; i < n; i++)
		d[i - 1] = (int64_t)((uint64_t)v[i] - (uint64_t)v[i - 1]);
	put_varint(out, zigzag(v[0]));
	fits = n < 2 || put_packed(out, d, n - 1);
	free(d);
	return fits;
}

static void get_steps(struct reader *r, int64_t *v, size_t n)
{
	size_t i;

	v[0] = unzigzag(get_varint(r));
	if (n > 1)
		get_packed(r, v + 1, n - 1);
	for (i = 1; i < n; i++)
		v[i] = (int64_t)((uint64_t)v[i] + (uint64_t)v[i - 1]);
}

/* Differences: 0 and how many that stay, 1 none, else zigzag + 1. */
static void put_runs(struct buf *out, const int64_t *v, const bool *is_none,
    size_t n)
{
	int64_t last = 0, step;
	uint64_t same = 0;
	size_t i;

	for (i = 0; i <= n; i++) {
		step = i < n ? (int64_t)((uint64_t)v[i] - (uint64_t)last) : 1;
		if (i < n && !is_none[i] && step == 0) {
			same++;
			continue;
		}
		if (same) {
			put_varint(out, 0);
			put_varint(out, same);
			same = 0;
		}
		if (i == n)
			break;
		if (is_none[i]) {
			put_varint(out, 1);
			continue;
		}
		put_varint(out, zigzag(step) + 1);
		last = v[i];
	}
}

static void get_runs(struct reader *r, double scale, union sample *out,
    size_t n)
{
	int64_t last = 0;
	uint64_t token, same;
	size_t i = 0;

	while (i < n && !r->bad) {
		token = get_varint(r);
		if (token == 0) {
			for (same = get_varint(r); same > 0 && i < n; same--)
				out[i++].d = (double)last / scale;
		} else if (token == 1) {
			out[i++].d = NAN;
		} else {
			last += unzigzag(token - 1);
			out[i++].d = (double)last / scale;
		}
	}
}

/* One scale for the whole column: 0, 3 digits; -1 when it has none. */
static int column_scale(const double *v, size_t n, int64_t *ints,
    bool *is_none, bool *gaps)
{
	static const struct { int digits; double scale; } scales[] = {
		{ 0, 1 }, { 3, 1000 },
	};
	size_t i, k;

	for (k = 0; k < 2; k++) {
		*gaps = false;
		for (i = 0; i < n; i++) {
			ints[i] = i > 0 ? ints[i - 1] : 0;
			is_none[i] = isnan(v[i]);
			*gaps |= is_none[i];
			if (!is_none[i] && !scaled(v[i], scales[k].scale,
			    &ints[i]))
				break;
		}
		if (i == n)
			return scales[k].digits;
	}
	return -1;
}

/* The smallest of the ways. */
static void put_numbers(struct buf *out, const double *v, size_t n)
{
	int64_t *ints = xmalloc(n * sizeof(*ints));
	bool *is_none = xmalloc(n * sizeof(*is_none)), gaps;
	struct buf way[3] = {{0}};
	int digits, best = 0, i;

	digits = column_scale(v, n, ints, is_none, &gaps);
	if (digits < 0) {
		buf_addc(out, COLUMN_RAW);
		buf_add(out, v, n * sizeof(*v));
		goto done;
	}
	put_runs(&way[0], ints, is_none, n);
	if (!gaps && put_packed(&way[1], ints, n) && way[1].n <= way[best].n)
		best = 1;
	if (!gaps && put_steps(&way[2], ints, n) && way[2].n < way[best].n)
		best = 2;
	buf_addc(out, (char)(COLUMN_RUNS + best + (digits << 4)));
	buf_add(out, way[best].p, way[best].n);
	for (i = 0; i < 3; i++)
		buf_free(&way[i]);
done:
	free(ints);
	free(is_none);
}

static void get_numbers(struct reader *r, union sample *out, size_t n)
{
	int64_t *ints;
	uint8_t head;
	double scale;
	size_t i;

	get_bytes(r, &head, 1);
	scale = head >> 4 == 3 ? 1000 : 1;
	switch (head & 15) {
	case COLUMN_RAW:
		for (i = 0; i < n; i++)
			get_bytes(r, &out[i].d, 8);
		return;
	case COLUMN_RUNS:
		get_runs(r, scale, out, n);
		return;
	case COLUMN_VALUES:
	case COLUMN_STEPS:
		ints = xcalloc(n, sizeof(*ints));
		if ((head & 15) == COLUMN_VALUES)
			get_packed(r, ints, n);
		else
			get_steps(r, ints, n);
		for (i = 0; i < n; i++)
			out[i].d = (double)ints[i] / scale;
		free(ints);
		return;
	}
	r->bad = true;
}

/* ---- columns of histograms ------------------------------------------------------------ */

/* 0 and how many that stay, 1 none, 2 whole, else how many bins grew, + 2. */
static void put_hists(struct buf *out, const struct hist *const *v, size_t n)
{
	const struct hist *last = NULL;
	size_t i, grown;

	buf_addc(out, COLUMN_HISTS);
	for (i = 0; i < n; i++) {
		if (!v[i]) {
			put_varint(out, 1);
			continue;
		}
		grown = last ? hist_grown(last, v[i]) : SIZE_MAX;
		if (grown == SIZE_MAX) {
			put_varint(out, 2);
			put_hist(out, v[i]);
		} else if (grown == 0) {
			put_varint(out, 0);
		} else {
			put_varint(out, grown + 2);
			put_growth(out, last, v[i]);
		}
		last = v[i];
	}
}

static void get_hists(struct reader *r, struct arena *a, union sample *out,
    size_t n)
{
	const struct hist *last = NULL;
	uint64_t token;
	uint8_t head;
	size_t i;

	get_bytes(r, &head, 1);
	if (head != COLUMN_HISTS)
		r->bad = true;
	for (i = 0; i < n && !r->bad; i++) {
		token = get_varint(r);
		out[i].h = NULL;
		if (token == 1 || r->bad)
			continue;
		if (token == 2)
			last = get_hist(r, a);
		else if (!last)
			r->bad = true;
		else if (token > 2)
			last = get_growth(r, a, last, (size_t)token - 2);
		out[i].h = last;
	}
}

/* ---- blocks ------------------------------------------------------------------------------ */

static void put_column(struct buf *out, struct shape s, size_t at, size_t c,
    union sample *const *v, size_t n)
{
	const struct hist **h = xmalloc(n * sizeof(*h));
	double *d = xmalloc(n * sizeof(*d));
	struct buf column = {0};
	bool some = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (c < s.nnumbers) {
			d[i] = v[i][at].d;
			some |= !isnan(d[i]);
		} else {
			h[i] = v[i][at].h;
			some |= h[i] != NULL;
		}
	}
	if (some && c < s.nnumbers)
		put_numbers(&column, d, n);
	else if (some)
		put_hists(&column, h, n);
	put_varint(out, column.n);
	buf_add(out, buf_str(&column), column.n);
	buf_free(&column);
	free(h);
	free(d);
}

static bool slot_is_there(struct shape s, size_t slot, union sample *const *v,
    size_t n)
{
	size_t columns = shape_columns(s), i, c;
	const union sample *x;

	for (i = 0; i < n; i++) {
		x = &v[i][slot * columns];
		for (c = 0; c < columns; c++)
			if (c < s.nnumbers ? !isnan(x[c].d) : x[c].h != NULL)
				return true;
	}
	return false;
}

/* n, times, how many slots; then slot and offset of each; then columns, each
 * with its length before it. */
void block_pack(struct buf *out, struct shape s, size_t nslots,
    const int64_t *t, union sample *const *v, size_t n)
{
	size_t columns = shape_columns(s), slot, c, there = 0, ways;
	struct buf times = {0}, data = {0};
	uint32_t way[2];

	for (slot = 0; slot < nslots; slot++)
		there += slot_is_there(s, slot, v, n);
	put_varint(out, n);
	if (!put_steps(&times, t, n))
		BUG("times of a block");
	put_varint(out, times.n);
	buf_add(out, times.p, times.n);
	put_varint(out, there);
	ways = there * sizeof(way);
	for (slot = 0; slot < nslots; slot++) {
		if (!slot_is_there(s, slot, v, n))
			continue;
		way[0] = (uint32_t)slot;
		way[1] = (uint32_t)(ways + data.n);
		buf_add(out, way, sizeof(way));
		for (c = 0; c < columns; c++)
			put_column(&data, s, slot * columns + c, c, v, n);
	}
	buf_add(out, buf_str(&data), data.n);
	buf_free(&data);
	buf_free(&times);
}

static size_t block_open(struct reader *r, struct reader *times)
{
	size_t n = (size_t)get_varint(r), bytes = (size_t)get_varint(r);

	if (r->bad || bytes > (size_t)(r->end - r->p) || n > 1 << 20)
		return 0;
	*times = (struct reader){ r->p, r->p + bytes, false };
	r->p += bytes;
	return n;
}

size_t block_times(const uint8_t *p, size_t n, int64_t *t, size_t max)
{
	struct reader r = { p, p + n, false }, times;
	size_t count = block_open(&r, &times);

	if (count == 0 || count > max)
		return 0;
	get_steps(&times, t, count);
	return times.bad ? 0 : count;
}

static bool block_seek(struct reader *r, size_t slot)
{
	size_t there = (size_t)get_varint(r), low = 0, high = there, mid;
	const uint8_t *ways = r->p;
	uint32_t way[2];

	if (r->bad || there > (size_t)(r->end - r->p) / sizeof(way))
		return false;
	while (low < high) {
		mid = (low + high) / 2;
		memcpy(way, ways + mid * sizeof(way), sizeof(way));
		if (way[0] == slot) {
			r->p = ways + way[1];
			return way[1] <= (size_t)(r->end - ways);
		}
		if (way[0] < slot)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool block_get(const uint8_t *p, size_t n, struct shape s, size_t slot,
    size_t column, struct arena *a, union sample *out, size_t count)
{
	struct reader r = { p, p + n, false }, times, one;
	bool bins = column >= s.nnumbers, good = false;
	size_t c, bytes = 0;

	if (block_open(&r, &times) == count && block_seek(&r, slot)) {
		for (c = 0; c <= column && !r.bad; c++) {
			r.p += bytes;
			bytes = (size_t)get_varint(&r);
			if (bytes > (size_t)(r.end - r.p))
				r.bad = true;
		}
		one = (struct reader){ r.p, r.bad ? r.p : r.p + bytes, r.bad };
		if (!r.bad && bytes > 0 && bins)
			get_hists(&one, a, out, count);
		else if (!r.bad && bytes > 0)
			get_numbers(&one, out, count);
		good = !r.bad && bytes > 0 && !one.bad;
	}
	for (c = 0; !good && c < count; c++)
		none(&out[c], bins);
	return good;
}
