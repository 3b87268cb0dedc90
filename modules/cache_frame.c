/* The metrics of a merge as frames, one a part of its scope. Made before the
 * lock is taken; written in the transaction of the rows. */
#include "cache_merge.h"
#include "cache_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct frame {
	int64_t	 part;
	size_t	 from, n;	/* of bytes */
};
struct framing {
	struct frame	*v;
	size_t		 n;
	struct buf	 bytes;
};

static int by_id(const void *a, const void *b)
{
	int64_t x = (*(const struct pend *const *)a)->id;
	int64_t y = (*(const struct pend *const *)b)->id;

	return (x > y) - (x < y);
}

/* All rows of the merge in the order of their ids. */
static const struct pend **rows_by_id(const struct merge *m)
{
	const struct pend **rows = xcalloc(m->nmet + m->nnews + 1,
	    sizeof(*rows));
	bool rising = true;
	size_t i, n = 0;

	for (i = 0; i < m->nmet; i++)
		rows[n++] = &m->v[m->met[i]];
	for (i = 0; i < m->nnews; i++)
		rows[n++] = &m->v[m->news[i]];
	for (i = 1; i < n && rising; i++)
		rising = rows[i - 1]->id < rows[i]->id;
	if (!rising)
		qsort(rows, n, sizeof(*rows), by_id);
	return rows;
}

static const struct hist *hist_of(const struct part *p, struct arena *a)
{
	struct hist *h;

	if (p->tag != PART_BINS)
		return NULL;
	h = arena_alloc(a, sizeof(*h) + p->n * sizeof(struct bin));
	h->n = p->n;
	h->v = (struct bin *)(h + 1);
	memcpy(h->v, p->bins, p->n * sizeof(struct bin));
	return h;
}

static void read_metrics(const struct table *t, const struct pend *p,
    struct arena *a, union sample *v)
{
	const uint8_t *at = p->rec;
	struct part part;
	size_t i, first = table_stored(t);

	for (i = 0; i < t->n; i++) {
		at = part_read(at, &part);
		if (i < first)
			continue;
		if (i < first + t->nmetrics)
			v[i - first].d = part_number(&part);
		else
			v[i - first].h = hist_of(&part, a);
	}
}

/* Rows of one part; returns how many it took. */
static size_t make_part(const struct merge *m, struct framing *f,
    const struct pend *const *rows, size_t n, union sample *v)
{
	struct shape s = series_shape(m->t);
	size_t columns = shape_columns(s), i, slot = 0, at;
	int64_t part = PART_OF(rows[0]->id);
	struct arena a = {0};
	struct frame *frame;

	for (i = 0; i < PART_SLOTS * columns; i++) {
		if (i % columns < s.nnumbers)
			v[i].d = NAN;
		else
			v[i].h = NULL;
	}
	for (i = 0; i < n && PART_OF(rows[i]->id) == part; i++) {
		at = (size_t)(rows[i]->id & (PART_SLOTS - 1));
		slot = at + 1;
		read_metrics(m->t, rows[i], &a, &v[at * columns]);
	}
	f->v = xrealloc(f->v, f->n + 1, sizeof(*f->v));
	frame = &f->v[f->n++];
	frame->part = part & (SLOT_MAX >> PART_BITS);
	frame->from = f->bytes.n;
	frame_pack(&f->bytes, s, slot, v);
	frame->n = f->bytes.n - frame->from;
	arena_free(&a);
	return i;
}

struct framing *frames_make(const struct merge *m)
{
	struct framing *f = xcalloc(1, sizeof(*f));
	const struct pend **rows = rows_by_id(m);
	size_t n = m->nmet + m->nnews, i;
	union sample *v = xmalloc(PART_SLOTS * sizeof(*v) *
	    shape_columns(series_shape(m->t)));

	for (i = 0; i < n; )
		i += make_part(m, f, rows + i, n - i, v);
	free(v);
	free(rows);
	return f;
}

int frames_write(struct merge *m, struct err *err)
{
	struct framing *f = m->frames;
	sqlite3_stmt *s;
	size_t i;
	int rc = 0;

	if (!f || f->n == 0)
		return 0;
	s = db_prepare(m->c, err, "INSERT OR REPLACE INTO main.frame(res, "
	    "scope, part, t, v) VALUES(0, ?1, ?2, ?3, ?4)");
	if (!s)
		return -1;
	for (i = 0; i < f->n && rc == 0; i++) {
		db_bind(s, "iii", m->s.id, f->v[i].part, m->now);
		sqlite3_bind_blob(s, 4, f->bytes.p + f->v[i].from,
		    (int)f->v[i].n, SQLITE_STATIC);
		rc = db_done(m->c, s, err);
		if (rc == 0)
			rc = merge_breathe(m, err);
	}
	sqlite3_finalize(s);
	return rc;
}

void frames_free(struct framing *f)
{
	if (!f)
		return;
	free(f->v);
	buf_free(&f->bytes);
	free(f);
}
