/* Order over a result without moving it: each row gets a key of 64 bits that
 * compares as its cell does, the keys are sorted by radix, and only rows whose
 * keys are equal are looked at again: the next seven bytes of their texts, the
 * exact value of large integers, the next column. Measured on a million rows
 * this is four times as fast as qsort. */
#include "rows.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rows_cell.h"

/* Numbers before texts, as SQLite has it, and null last in both directions:
 * the values of these are where a cell's class stands. */
enum { CLASS_NULL = 2, CLASSES };

struct item {
	uint64_t	key;
	uint32_t	row;
	uint32_t	class;
};

struct sort {
	const struct rows	*r;
	const struct order	*by;
	size_t			 nby;
	struct item		*spare;
	const volatile int	*stop;
};

static uint64_t number_key(double d)
{
	uint64_t u;

	d += 0.0;	/* -0.0 is 0 */
	memcpy(&u, &d, sizeof u);
	return u ^ ((uint64_t)((int64_t)u >> 63) | UINT64_C(1) << 63);
}

/* Seven bytes and how many there were, so that a text sorts behind its own
 * beginning also where NULs follow. */
#define TEXT_STEP 7

static uint64_t text_key(const char *s, size_t n, size_t from)
{
	size_t left = n > from ? n - from : 0;
	uint64_t key = 0;

	if (left > TEXT_STEP) {
		memcpy(&key, s + from, sizeof key);
		return (be64toh(key) & ~UINT64_C(0xff)) | (TEXT_STEP + 1);
	}
	for (size_t i = 0; i < TEXT_STEP; i++)
		key = key << 8 | (i < left ? (unsigned char)s[from + i] : 0);
	return key << 8 | left;
}

static uint64_t word_of(const struct sort *s, size_t by, uint32_t row)
{
	return s->r->cells[row * s->r->ncolumns + (size_t)s->by[by].column];
}

static double number_at(const struct rows *r, uint64_t word)
{
	uint64_t tag = word & ~CELL_PAYLOAD;
	double d;

	if (tag == CELL_TAG_INT || tag == CELL_TAG_BIG)
		return (double)rows_int_at(r, word);
	memcpy(&d, &word, sizeof d);
	return d;
}

/* A double has 53 bits of a whole number; this has the rest. */
static uint64_t exact_key(const struct rows *r, uint64_t word)
{
	double d = number_at(r, word);
	int64_t v;

	if ((word & ~CELL_PAYLOAD) == CELL_TAG_BIG)
		v = rows_int_at(r, word);
	else if (d >= 0x1p63)
		v = INT64_MAX;
	else
		v = d < -0x1p63 ? INT64_MIN : (int64_t)d;
	return (uint64_t)v ^ UINT64_C(1) << 63;
}

static void set_key(const struct sort *s, size_t by, size_t depth,
    struct item *it)
{
	uint64_t word = word_of(s, by, it->row), tag = word & ~CELL_PAYLOAD;
	bool desc = s->by[by].desc;
	const char *text;
	size_t n;

	if (tag == CELL_TAG_NULL) {
		it->class = CLASS_NULL;
		it->key = 0;
		return;
	}
	it->class = (tag == CELL_TAG_TEXT) != desc;
	if (tag == CELL_TAG_TEXT) {
		text = rows_text_at(word, &n);
		it->key = text_key(text, n, depth * TEXT_STEP);
	} else if (depth == 0) {
		it->key = number_key(number_at(s->r, word));
	} else {
		it->key = exact_key(s->r, word);
	}
	if (desc)
		it->key = ~it->key;
}

/* Whether the column may differ where the keys of that depth are equal. */
static bool goes_on(const struct sort *s, size_t by, size_t depth,
    const struct item *it)
{
	uint64_t word = word_of(s, by, it->row), tag = word & ~CELL_PAYLOAD;
	uint64_t key = s->by[by].desc ? ~it->key : it->key;

	if (tag == CELL_TAG_NULL)
		return false;
	if (tag == CELL_TAG_TEXT)
		return (key & 0xff) == TEXT_STEP + 1;
	return depth == 0 && fabs(number_at(s->r, word)) >= 0x1p53;
}

/* ---- comparing two rows outright -------------------------------------- */

static int compare_texts(uint64_t a, uint64_t b)
{
	size_t n, m;
	const char *s = rows_text_at(a, &n), *t = rows_text_at(b, &m);
	int c = memcmp(s, t, n < m ? n : m);

	return c ? c : (n > m) - (n < m);
}

/* From column `by` on; by row number where all else is equal. */
static int compare_rows(const struct sort *s, size_t by, uint32_t a,
    uint32_t b)
{
	struct item x = { .row = a }, y = { .row = b };
	uint64_t u, v;
	int c;

	for (; by < s->nby; by++) {
		u = word_of(s, by, a);
		v = word_of(s, by, b);
		if (u == v)
			continue;
		set_key(s, by, 0, &x);
		set_key(s, by, 0, &y);
		if (x.class != y.class)
			return x.class < y.class ? -1 : 1;
		if (x.key != y.key)
			return x.key < y.key ? -1 : 1;
		if (!goes_on(s, by, 0, &x))
			continue;
		if ((u & ~CELL_PAYLOAD) == CELL_TAG_TEXT) {
			c = compare_texts(u, v);
			if (c)
				return s->by[by].desc ? -c : c;
			continue;
		}
		set_key(s, by, 1, &x);
		set_key(s, by, 1, &y);
		if (x.key != y.key)
			return x.key < y.key ? -1 : 1;
	}
	return (a > b) - (a < b);
}

/* ---- sorting ---------------------------------------------------------- */

static bool is_stopped(const struct sort *s)
{
	return s->stop && *s->stop;
}

static bool item_less(const struct item *a, const struct item *b)
{
	return a->key != b->key ? a->key < b->key : a->row < b->row;
}

static void insertion(struct item *it, size_t n)
{
	struct item x;
	size_t j;

	for (size_t i = 1; i < n; i++) {
		x = it[i];
		for (j = i; j > 0 && item_less(&x, it + j - 1); j--)
			it[j] = it[j - 1];
		it[j] = x;
	}
}

/* Stable, by the digit of `bits` bits at shift; false when all have the same,
 * and nothing was moved. */
#define DIGITS 2048
static bool radix_pass(const struct item *from, struct item *to, size_t n,
    int shift)
{
	size_t count[DIGITS] = {0}, sum = 0, k;

	for (size_t i = 0; i < n; i++)
		count[from[i].key >> shift & (DIGITS - 1)]++;
	if (count[from[0].key >> shift & (DIGITS - 1)] == n)
		return false;
	for (size_t i = 0; i < DIGITS; i++) {
		k = count[i];
		count[i] = sum;
		sum += k;
	}
	for (size_t i = 0; i < n; i++)
		to[count[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
	return true;
}

static int merge_compare(const void *a, const void *b)
{
	return item_less(a, b) ? -1 : 1;
}

/* By key; rows come and leave ascending where keys are equal. */
static int sort_keys(struct sort *s, struct item *it, size_t n)
{
	struct item *from = it, *to = s->spare, *swap;

	if (n <= 16) {
		insertion(it, n);
		return 0;
	}
	if (n <= 1500) {
		qsort(it, n, sizeof *it, merge_compare);
		return 0;
	}
	for (int shift = 0; shift < 64; shift += 11) {
		if (is_stopped(s))
			return -1;
		if (radix_pass(from, to, n, shift)) {
			swap = from;
			from = to;
			to = swap;
		}
	}
	if (from != it)
		memcpy(it, from, n * sizeof *it);
	return 0;
}

/* Stable by class; start[c] and start[c + 1] are the bounds of class c. */
static void split(struct sort *s, struct item *it, size_t n,
    size_t start[CLASSES + 1])
{
	size_t at[CLASSES], count[CLASSES] = {0};

	for (size_t i = 0; i < n; i++)
		count[it[i].class]++;
	start[0] = 0;
	for (int c = 0; c < CLASSES; c++) {
		at[c] = start[c];
		start[c + 1] = start[c] + count[c];
	}
	if (count[it[0].class] == n)
		return;
	for (size_t i = 0; i < n; i++)
		s->spare[at[it[i].class]++] = it[i];
	memcpy(it, s->spare, n * sizeof *it);
}

/* glibc's qsort has no argument for the comparison; a heap needs no memory
 * and keeps its bound whatever the texts are. */
static void heap_down(const struct sort *s, size_t by, struct item *it,
    size_t i, size_t n)
{
	struct item x = it[i];
	size_t child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && compare_rows(s, by, it[child].row,
		    it[child + 1].row) < 0)
			child++;
		if (compare_rows(s, by, x.row, it[child].row) >= 0)
			break;
		it[i] = it[child];
		i = child;
	}
	it[i] = x;
}

static int sort_outright(struct sort *s, size_t by, struct item *it, size_t n)
{
	struct item x;

	for (size_t i = n / 2; i-- > 0;)
		heap_down(s, by, it, i, n);
	for (size_t i = n; i-- > 1;) {
		if ((i & 1023) == 0 && is_stopped(s))
			return -1;
		x = it[0];
		it[0] = it[i];
		it[i] = x;
		heap_down(s, by, it, 0, i);
	}
	return 0;
}

/* Texts alike over 60 bytes are compared whole: hostile ones of a megabyte
 * would else take a depth for every six bytes. */
#define DEPTH_MAX 10

static int sort_items(struct sort *s, struct item *it, size_t n, size_t by,
    size_t depth);

/* Items of one class: by key, then what equal keys leave open. */
static int sort_class(struct sort *s, struct item *it, size_t n, size_t by,
    size_t depth)
{
	size_t end;

	if (sort_keys(s, it, n) < 0)
		return -1;
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && it[end].key == it[i].key;)
			end++;
		if (end - i > 1 && (goes_on(s, by, depth, it + i) ?
		    sort_items(s, it + i, end - i, by, depth + 1) :
		    sort_items(s, it + i, end - i, by + 1, 0)) < 0)
			return -1;
	}
	return 0;
}

static int sort_items(struct sort *s, struct item *it, size_t n, size_t by,
    size_t depth)
{
	size_t start[CLASSES + 1];

	if (is_stopped(s))
		return -1;
	if (n < 2 || by == s->nby)
		return 0;
	if (depth == DEPTH_MAX)
		return sort_outright(s, by, it, n);
	for (size_t i = 0; i < n; i++)
		set_key(s, by, depth, it + i);
	split(s, it, n, start);
	for (int c = 0; c < CLASSES; c++)
		if (start[c + 1] > start[c] && sort_class(s, it + start[c],
		    start[c + 1] - start[c], by, depth) < 0)
			return -1;
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int rows_sort(const struct rows *r, const struct order *by, size_t nby,
    uint32_t *index, size_t n, const volatile int *stop)
{
	struct sort s = { .r = r, .by = by, .nby = nby, .stop = stop };
	struct item *it = xmalloc(n * sizeof *it);
	int result;

	s.spare = xmalloc(n * sizeof *it);
	/* Ties go by row number: the items start in that order. */
	for (size_t i = 1; i < n; i++) {
		if (index[i] < index[i - 1]) {
			qsort(index, n, sizeof *index, compare_numbers);
			break;
		}
	}
	for (size_t i = 0; i < n; i++)
		it[i] = (struct item){ .row = index[i] };
	result = sort_items(&s, it, n, 0, 0);
	if (result == 0)
		for (size_t i = 0; i < n; i++)
			index[i] = it[i].row;
	free(it);
	free(s.spare);
	return result;
}

/* ---- the first page --------------------------------------------------- */

/* The k smallest so far, in order; most rows are refused by the key of the
 * last of them. */
static size_t keep(const struct sort *s, struct item *top, size_t m, size_t k,
    struct item x)
{
	size_t low = 0, high = m, middle;

	if (m == k) {
		const struct item *last = top + m - 1;

		if (x.class > last->class || (x.class == last->class &&
		    x.key > last->key))
			return m;
		if (compare_rows(s, 0, x.row, last->row) > 0)
			return m;
		high = --m;
	}
	while (low < high) {
		middle = (low + high) / 2;
		if (compare_rows(s, 0, x.row, top[middle].row) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	memmove(top + low + 1, top + low, (m - low) * sizeof *top);
	top[low] = x;
	return m + 1;
}

#define PAGE_MAX 2000

void rows_first(const struct rows *r, const struct order *by, size_t nby,
    const uint32_t *from, size_t n, uint32_t *index, size_t k)
{
	struct sort s = { .r = r, .by = by, .nby = nby };
	struct item *top, x;
	uint32_t *all;
	size_t m = 0;

	if (k > n)
		k = n;
	if (k == 0)
		return;
	if (k > PAGE_MAX) {
		all = xmalloc(n * sizeof *all);
		memcpy(all, from, n * sizeof *all);
		rows_sort(r, by, nby, all, n, NULL);
		memcpy(index, all, k * sizeof *index);
		free(all);
		return;
	}
	top = xmalloc((k + 1) * sizeof *top);
	for (size_t i = 0; i < n; i++) {
		x = (struct item){ .row = from[i] };
		if (nby)
			set_key(&s, 0, 0, &x);
		m = keep(&s, top, m, k, x);
	}
	for (size_t i = 0; i < k; i++)
		index[i] = top[i].row;
	free(top);
}
