/* A result in memory: cells of eight bytes, texts in an arena. Sorting it is
 * rows_sort.c.
 *
 * A cell whose upper 16 bits are a NaN's that no arithmetic gives is a tagged
 * word: null, a whole number of 48 bits, a number beyond that in a list of its
 * own, or the address of a text (addresses of user space have 47 bits). All
 * else is a double; a NaN is nothing known and so null. */
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rows_cell.h"

/* Equal texts share their bytes through a cache that keeps the last one of
 * each hash: bounded, and as good as a full table for columns of few values.
 * Columns of mostly different texts stop asking it. */
#define CACHE_MIN 256
#define CACHE_MAX 16384
#define TRIAL 4096		/* looks before a column is judged */

struct share {
	unsigned	looks, hits;
};
struct rows_text {
	struct arena	 arena;
	char		**cache;
	size_t		 slots, kept;
	struct share	*share;		/* one a column */
	int64_t		*big;
	size_t		 nbig, bigcap;
};

void rows_init(struct rows *r, const struct column *columns, size_t ncolumns)
{
	*r = (struct rows){ .columns = columns, .ncolumns = ncolumns };
	r->text = xcalloc(1, sizeof *r->text);
	r->text->share = xcalloc(ncolumns, sizeof *r->text->share);
}

void rows_release(struct rows *r)
{
	if (r->text) {
		arena_free(&r->text->arena);
		free(r->text->cache);
		free(r->text->share);
		free(r->text->big);
		free(r->text);
	}
	free(r->cells);
	*r = (struct rows){0};
}

/* ---- texts ------------------------------------------------------------ */

/* Before the bytes stands their number, seven bits a byte, lowest first. */
static char *text_store(struct rows_text *t, const char *s, size_t n)
{
	unsigned char head[10];
	size_t k = 0, rest = n;
	char *p;

	do {
		head[k++] = (unsigned char)((rest & 0x7f) | (rest > 0x7f) << 7);
		rest >>= 7;
	} while (rest);
	p = arena_bytes(&t->arena, k + n);
	memcpy(p, head, k);
	if (n)
		memcpy(p + k, s, n);
	return p;
}

const char *rows_text_at(uint64_t word, size_t *n)
{
	const unsigned char *p =
	    (const unsigned char *)(uintptr_t)(word & CELL_PAYLOAD);
	int shift = 0;

	*n = 0;
	do {
		*n |= (size_t)(*p & 0x7f) << shift;
		shift += 7;
	} while (*p++ & 0x80);
	return (const char *)p;
}

static uint64_t hash(const char *s, size_t n)
{
	uint64_t h = n * 0x9e3779b97f4a7c15, w;

	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&w, s, 8);
		h = (h ^ w) * 0xff51afd7ed558ccd;
		h ^= h >> 32;
	}
	w = 0;
	if (n)
		memcpy(&w, s, n);
	h = (h ^ w) * 0xc4ceb9fe1a85ec53;
	return h ^ h >> 29;
}

static void cache_grow(struct rows_text *t)
{
	free(t->cache);
	t->slots = t->slots ? t->slots * 4 : CACHE_MIN;
	t->cache = xcalloc(t->slots, sizeof *t->cache);
	t->kept = 0;
}

static char *text_share(struct rows_text *t, struct share *share,
    const char *s, size_t n)
{
	const char *had;
	size_t had_n;
	char **slot;

	if (share->looks >= TRIAL && share->hits < share->looks / 8)
		return text_store(t, s, n);
	if (!t->slots || (t->kept > t->slots / 2 && t->slots < CACHE_MAX))
		cache_grow(t);
	slot = t->cache + (hash(s, n) & (t->slots - 1));
	share->looks++;
	if (*slot) {
		had = rows_text_at((uint64_t)(uintptr_t)*slot, &had_n);
		if (had_n == n && !memcmp(had, s, n)) {
			share->hits++;
			return *slot;
		}
	} else {
		t->kept++;
	}
	*slot = text_store(t, s, n);
	return *slot;
}

/* ---- cells ------------------------------------------------------------ */

static uint64_t box_int(struct rows_text *t, int64_t v)
{
	if (v >= -(INT64_C(1) << 47) && v < INT64_C(1) << 47)
		return CELL_TAG_INT | ((uint64_t)v & CELL_PAYLOAD);
	if (t->nbig == t->bigcap) {
		t->bigcap = t->bigcap ? t->bigcap * 2 : 64;
		t->big = xrealloc(t->big, t->bigcap, sizeof *t->big);
	}
	t->big[t->nbig] = v;
	return CELL_TAG_BIG | t->nbig++;
}

static uint64_t box(struct rows_text *t, struct share *share, struct cell c)
{
	uint64_t word;
	char *p;

	switch (c.tag) {
	case CELL_INT:
		return box_int(t, c.i);
	case CELL_REAL:
		if (isnan(c.d))
			return CELL_TAG_NULL;
		memcpy(&word, &c.d, sizeof word);
		return word;
	case CELL_TEXT:
		p = text_share(t, share, c.s, c.n);
		word = (uint64_t)(uintptr_t)p;
		if (word & ~CELL_PAYLOAD)
			BUG("a text's address has more than 48 bits");
		return CELL_TAG_TEXT | word;
	default:
		return CELL_TAG_NULL;
	}
}

void rows_add(struct rows *r, const struct cell *cells)
{
	uint64_t *to;

	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap + r->cap / 2 : 64;
		r->cells = xrealloc(r->cells, r->cap,
		    r->ncolumns * sizeof *r->cells);
	}
	to = r->cells + r->n * r->ncolumns;
	for (size_t i = 0; i < r->ncolumns; i++)
		to[i] = box(r->text, r->text->share + i, cells[i]);
	r->n++;
}

int64_t rows_int_at(const struct rows *r, uint64_t word)
{
	if ((word & ~CELL_PAYLOAD) == CELL_TAG_BIG)
		return r->text->big[word & CELL_PAYLOAD];
	return (int64_t)(word << 16) >> 16;
}

struct cell rows_cell(const struct rows *r, size_t row, size_t column)
{
	uint64_t word = r->cells[row * r->ncolumns + column];
	struct cell c = {0};

	switch (word & ~CELL_PAYLOAD) {
	case CELL_TAG_NULL:
		c.tag = CELL_NULL;
		break;
	case CELL_TAG_INT:
	case CELL_TAG_BIG:
		c.tag = CELL_INT;
		c.i = rows_int_at(r, word);
		break;
	case CELL_TAG_TEXT:
		c.tag = CELL_TEXT;
		c.s = rows_text_at(word, &c.n);
		break;
	default:
		c.tag = CELL_REAL;
		memcpy(&c.d, &word, sizeof word);
	}
	return c;
}

int rows_column(const struct rows *r, const char *name)
{
	for (size_t i = 0; i < r->ncolumns; i++)
		if (!strcmp(r->columns[i].name, name))
			return (int)i;
	return -1;
}
