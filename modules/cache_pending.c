/* The rows of a merge as they are given: each becomes one record in memory. No
 * statement runs before merge_end. */
#include "cache_merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (1 << 20)

/* ---- records ------------------------------------------------------------ */

const uint8_t *part_read(const uint8_t *p, struct part *out)
{
	out->tag = *p++;
	out->n = 0;
	switch (out->tag) {
	case PART_INT:
		memcpy(&out->i, p, 8);
		return p + 8;
	case PART_REAL:
		memcpy(&out->d, p, 8);
		return p + 8;
	case PART_TEXT:
		memcpy(&out->n, p, 4);
		out->s = (const char *)p + 4;
		return p + 4 + out->n;
	case PART_BINS:
		memcpy(&out->n, p, 4);
		out->bins = p + 4;
		return p + 4 + out->n * sizeof(struct bin);
	default:
		return p;
	}
}

void part_write(struct buf *out, const struct part *p)
{
	buf_addc(out, (char)p->tag);
	switch (p->tag) {
	case PART_INT:
		buf_add(out, &p->i, 8);
		break;
	case PART_REAL:
		buf_add(out, &p->d, 8);
		break;
	case PART_TEXT:
		buf_add(out, &p->n, 4);
		buf_add(out, p->s, p->n);
		break;
	case PART_BINS:
		buf_add(out, &p->n, 4);
		buf_add(out, p->bins, p->n * sizeof(struct bin));
		break;
	default:
		break;
	}
}

struct cell part_cell(const struct part *p)
{
	struct cell v = { .tag = CELL_NULL };

	switch (p->tag) {
	case PART_INT:
		v.tag = CELL_INT;
		v.i = p->i;
		break;
	case PART_REAL:
		v.tag = CELL_REAL;
		v.d = p->d;
		break;
	case PART_TEXT:
		v.tag = CELL_TEXT;
		v.s = p->s;
		v.n = p->n;
		break;
	default:
		break;
	}
	return v;
}

double part_number(const struct part *p)
{
	if (p->tag == PART_INT)
		return (double)p->i;
	return p->tag == PART_REAL ? p->d : NAN;
}

/* ---- hashes and order --------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t r = (__uint128_t)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* Seeded by the file: a backend that knows this text can't make collisions. */
uint64_t merge_hash(const struct cache *c, const uint8_t *p, size_t n)
{
	uint64_t h = mix(c->seed ^ UINT64_C(0x9e3779b97f4a7c15),
	    n + UINT64_C(0xe7037ed1a0b428db)), w;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = mix(h ^ w, UINT64_C(0xa0761d6478bd642f) ^ c->seed);
	}
	if (n > 0) {
		w = 0;
		memcpy(&w, p, n);
		h = mix(h ^ w, UINT64_C(0x8ebc6af09c88c6e3) ^ c->seed);
	}
	return h;
}

void pend_hash(const struct merge *m, struct pend *p)
{
	const struct table *t = m->t;
	const uint8_t *keys, *facts;
	struct part part;
	size_t i;

	keys = p->rec;
	for (i = 0; i < t->nkeys; i++)
		keys = part_read(keys, &part);
	facts = keys;
	for (i = t->nkeys; i < table_stored(t); i++)
		facts = part_read(facts, &part);
	p->k = merge_hash(m->c, p->rec, (size_t)(keys - p->rec));
	p->f = merge_hash(m->c, keys, (size_t)(facts - keys));
}

static int part_order(const struct part *a, const struct part *b)
{
	bool ta = a->tag == PART_TEXT, tb = b->tag == PART_TEXT;
	size_t n = a->n < b->n ? a->n : b->n;
	double x, y;
	int rc;

	if (a->tag == PART_NULL || b->tag == PART_NULL)
		return (a->tag != PART_NULL) - (b->tag != PART_NULL);
	if (ta != tb)
		return ta - tb;
	if (ta) {
		rc = memcmp(a->s, b->s, n);
		return rc ? rc : (a->n > b->n) - (a->n < b->n);
	}
	if (a->tag == PART_INT && b->tag == PART_INT)
		return (a->i > b->i) - (a->i < b->i);
	x = part_number(a);
	y = part_number(b);
	return (x > y) - (x < y);
}

int pend_order(const struct merge *m, const struct pend *a,
    const struct pend *b)
{
	const uint8_t *p = a->rec, *q = b->rec;
	struct part x, y;
	size_t i;
	int rc;

	for (i = 0; i < m->t->nkeys; i++) {
		p = part_read(p, &x);
		q = part_read(q, &y);
		rc = part_order(&x, &y);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- filling a row ------------------------------------------------------ */

static void row_clear(struct merge *m)
{
	size_t i;

	for (i = 0; i < m->t->n; i++)
		m->row[i].tag = m->flags & MERGE_PATCH ? PART_UNSET : PART_NULL;
	buf_clear(&m->texts);
}

struct merge *merge_begin(struct cache *c, const struct kind *k,
    const char *context, const char *scope, int64_t t, unsigned flags)
{
	struct merge *m = xcalloc(1, sizeof(*m));

	m->c = c;
	m->t = cache_table(c, k->name);
	if (!m->t)
		BUG("kind %s is in no module", k->name);
	if (m->t->n > INCOMING_COLUMNS - INCOMING_PLACES)
		BUG("kind %s has too many fields", k->name);
	m->context = xstrdup(context);
	m->scope = xstrdup(scope);
	m->time = t;
	m->flags = flags;
	m->row = xcalloc(m->t->n + 1, sizeof(*m->row));
	m->next = xcalloc(m->t->n + 1, sizeof(*m->next));
	row_clear(m);
	return m;
}

/* Callers set fields in the same order row after row: the next one is tried
 * first. */
static struct part *part_of(struct merge *m, const char *field)
{
	int place = (int)m->next[m->place];

	if (strcmp(m->t->fields[place]->name, field) != 0) {
		place = table_place(m->t, field);
		if (place < 0)
			BUG("kind %s has no field %s", m->t->kind->name, field);
		m->next[m->place] = (uint32_t)place;
	}
	m->place = (size_t)place;
	return &m->row[place];
}

/* Texts stand at offsets until the row is done: the buffer may move. */
static void part_bytes(struct merge *m, struct part *p, const void *s,
    size_t n)
{
	p->i = (int64_t)m->texts.n;
	buf_add(&m->texts, s, n);
}

void merge_text(struct merge *m, const char *field, const char *s, int n)
{
	static const char redacted[] = "[redacted]";
	struct part *p = part_of(m, field);

	if (!s) {
		p->tag = PART_NULL;
		return;
	}
	if (m->t->fields[m->place]->flags & FIELD_SECRET) {
		s = redacted;
		n = sizeof(redacted) - 1;
	}
	p->tag = PART_TEXT;
	p->n = n < 0 ? (uint32_t)strlen(s) : (uint32_t)n;
	part_bytes(m, p, s, p->n);
}

void merge_int(struct merge *m, const char *field, int64_t v)
{
	struct part *p = part_of(m, field);

	p->tag = PART_INT;
	p->i = v;
}

void merge_real(struct merge *m, const char *field, double v)
{
	struct part *p = part_of(m, field);

	/* One spelling a number: 3.0 after 3 is no change. */
	if (isnan(v)) {
		p->tag = PART_NULL;
	} else if (fabs(v) < 9007199254740992.0 && v == (double)(int64_t)v) {
		p->tag = PART_INT;
		p->i = (int64_t)v;
	} else {
		p->tag = PART_REAL;
		p->d = v;
	}
}

void merge_null(struct merge *m, const char *field)
{
	part_of(m, field)->tag = PART_NULL;
}

void merge_bins(struct merge *m, const char *field, const struct bin *bins,
    size_t n)
{
	struct part *p = part_of(m, field);

	p->tag = PART_BINS;
	p->n = (uint32_t)n;
	part_bytes(m, p, bins, n * sizeof(*bins));
}

const uint8_t *pend_keep(struct merge *m, const struct buf *rec)
{
	uint8_t *p;

	if (rec->n > m->left) {
		m->left = rec->n > CHUNK ? rec->n : CHUNK;
		m->chunk = arena_alloc(&m->arena, m->left);
	}
	p = m->chunk;
	memcpy(p, rec->p, rec->n);
	m->chunk += rec->n;
	m->left -= rec->n;
	return p;
}

int merge_row(struct merge *m, struct err *err)
{
	struct part *p;
	struct pend *v;
	size_t i;

	for (i = 0; i < m->t->nkeys; i++)
		if (m->row[i].tag == PART_UNSET)
			m->row[i].tag = PART_NULL;
	if (m->n >= (size_t)SLOT_MAX)
		return err_set(err, ERR_DATA, "cache: %s of %s: over %lld rows",
		    m->t->kind->name, m->scope, (long long)SLOT_MAX);
	buf_clear(&m->rec);
	for (i = 0; i < m->t->n; i++) {
		p = &m->row[i];
		if (p->tag == PART_TEXT || p->tag == PART_BINS)
			p->s = buf_str(&m->texts) + p->i;
		part_write(&m->rec, p);
	}
	if (m->n == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 64;
		m->v = xrealloc(m->v, m->cap, sizeof(*m->v));
	}
	v = &m->v[m->n++];
	*v = (struct pend){ .rec = pend_keep(m, &m->rec) };
	pend_hash(m, v);
	row_clear(m);
	return 0;
}

void merge_abort(struct merge *m)
{
	compare_release(m);
	arena_free(&m->arena);
	buf_free(&m->texts);
	buf_free(&m->rec);
	free(m->row);
	free(m->next);
	free(m->v);
	free(m->given);
	free(m->context);
	free(m->scope);
	free(m);
}
