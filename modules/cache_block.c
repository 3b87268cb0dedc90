/* How samples are packed into blocks, column after column: numbers as integers
 * of a scale, then the smaller of differences with runs, or bits over a base
 * and a common divisor, of the values or of their differences; histograms by
 * the bins that grew. Nothing read here is trusted: a file can be damaged. */
#include "cache_pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BITS_MAX 56	/* so that a value is within 8 bytes at any bit */

/* ---- columns of numbers ------------------------------------------------- */

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
		pack_varint(out, pack_sign(least));
		pack_varint(out, g);
		buf_addc(out, (char)width);
		put_bits(out, u, n, width);
	}
	free(u);
	return width <= BITS_MAX;
}

static void get_packed(struct reader *r, int64_t *v, size_t n)
{
	int64_t least = unpack_sign(unpack_varint(r));
	uint64_t g = unpack_varint(r);
	uint8_t width = 0;
	size_t i;

	unpack_bytes(r, &width, 1);
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
	pack_varint(out, pack_sign(v[0]));
	fits = n < 2 || put_packed(out, d, n - 1);
	free(d);
	return fits;
}

static void get_steps(struct reader *r, int64_t *v, size_t n)
{
	size_t i;

	v[0] = unpack_sign(unpack_varint(r));
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
			pack_varint(out, 0);
			pack_varint(out, same);
			same = 0;
		}
		if (i == n)
			break;
		if (is_none[i]) {
			pack_varint(out, 1);
			continue;
		}
		pack_varint(out, pack_sign(step) + 1);
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
		token = unpack_varint(r);
		if (token == 0) {
			for (same = unpack_varint(r); same > 0 && i < n; same--)
				out[i++].d = (double)last / scale;
		} else if (token == 1) {
			out[i++].d = NAN;
		} else {
			last += unpack_sign(token - 1);
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
			if (!is_none[i] && !pack_scaled(v[i], scales[k].scale,
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

	unpack_bytes(r, &head, 1);
	scale = head >> 4 == 3 ? 1000 : 1;
	switch (head & 15) {
	case COLUMN_RAW:
		for (i = 0; i < n; i++)
			unpack_bytes(r, &out[i].d, 8);
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

/* ---- columns of histograms ---------------------------------------------- */

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
		pack_varint(out, (i - last) << 1 | !there);
		last = i;
		if (there) {
			pack_varint(out, now->v[i].count - before->v[j++].count);
		} else {
			pack_bound(out, now->v[i].lower);
			pack_varint(out, now->v[i].count);
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
		word = unpack_varint(r);
		at += (size_t)(word >> 1);
		while (h->n < at && j < before->n)
			h->v[h->n++] = before->v[j++];
		if (h->n != at || (!(word & 1) && j >= before->n)) {
			r->bad = true;
		} else if (word & 1) {
			h->v[h->n].lower = unpack_bound(r);
			h->v[h->n++].count = unpack_varint(r);
		} else {
			h->v[h->n] = before->v[j++];
			h->v[h->n++].count += unpack_varint(r);
		}
	}
	while (j < before->n)
		h->v[h->n++] = before->v[j++];
	return r->bad ? NULL : h;
}

/* 0 and how many that stay, 1 none, 2 whole, else how many bins grew, + 2. */
static void put_hists(struct buf *out, const struct hist *const *v, size_t n)
{
	const struct hist *last = NULL;
	size_t i, grown;

	buf_addc(out, COLUMN_HISTS);
	for (i = 0; i < n; i++) {
		if (!v[i]) {
			pack_varint(out, 1);
			continue;
		}
		grown = last ? hist_grown(last, v[i]) : SIZE_MAX;
		if (grown == SIZE_MAX) {
			pack_varint(out, 2);
			pack_hist(out, v[i]);
		} else if (grown == 0) {
			pack_varint(out, 0);
		} else {
			pack_varint(out, grown + 2);
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

	unpack_bytes(r, &head, 1);
	if (head != COLUMN_HISTS)
		r->bad = true;
	for (i = 0; i < n && !r->bad; i++) {
		token = unpack_varint(r);
		out[i].h = NULL;
		if (token == 1 || r->bad)
			continue;
		if (token == 2)
			last = unpack_hist(r, a);
		else if (!last)
			r->bad = true;
		else if (token > 2)
			last = get_growth(r, a, last, (size_t)token - 2);
		out[i].h = last;
	}
}

/* ---- blocks ------------------------------------------------------------- */

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
	pack_varint(out, column.n);
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
	pack_varint(out, n);
	if (!put_steps(&times, t, n))
		BUG("times of a block");
	pack_varint(out, times.n);
	buf_add(out, times.p, times.n);
	pack_varint(out, there);
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
	size_t n = (size_t)unpack_varint(r), bytes = (size_t)unpack_varint(r);

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
	size_t there = (size_t)unpack_varint(r), low = 0, high = there, mid;
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
			bytes = (size_t)unpack_varint(&r);
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
		sample_none(&out[c], bins);
	return good;
}
