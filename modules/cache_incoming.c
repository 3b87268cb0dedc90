/* An eponymous virtual table over the rows that a merge is writing: a slice of
 * them is one INSERT … SELECT, not a bind, step and reset a row. */
#include "cache_merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The rows being written now stand in struct cache: one merge at a time. */
struct window {
	sqlite3_vtab	 base;
	struct cache	*c;
};
struct cursor {
	sqlite3_vtab_cursor	 base;
	const struct incoming	*in;
	size_t			 row;
	/* Where each place of the row's record begins. */
	const uint8_t		*place[INCOMING_COLUMNS];
	bool			 read;
};

void incoming_set(struct cache *c, const struct incoming *in)
{
	*c->incoming = *in;
}

static int window_connect(sqlite3 *db, void *arg, int argc,
    const char *const *argv, sqlite3_vtab **out, char **fault)
{
	struct buf sql = {0};
	struct window *w;
	int i, rc;

	(void)argc, (void)argv, (void)fault;
	buf_adds(&sql, "CREATE TABLE x(c0");
	for (i = 1; i < INCOMING_COLUMNS; i++)
		buf_addf(&sql, ", c%d", i);
	buf_addc(&sql, ')');
	rc = sqlite3_declare_vtab(db, buf_str(&sql));
	buf_free(&sql);
	if (rc != SQLITE_OK)
		return rc;
	w = xcalloc(1, sizeof(*w));
	w->c = arg;
	*out = &w->base;
	return SQLITE_OK;
}

static int window_disconnect(sqlite3_vtab *v)
{
	free(v);
	return SQLITE_OK;
}

static int window_best(sqlite3_vtab *v, sqlite3_index_info *info)
{
	(void)v;
	info->estimatedCost = 1000;
	info->estimatedRows = 1000;
	return SQLITE_OK;
}

static int window_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
	struct cursor *k = xcalloc(1, sizeof(*k));

	k->in = ((struct window *)v)->c->incoming;
	*out = &k->base;
	return SQLITE_OK;
}

static int window_close(sqlite3_vtab_cursor *base)
{
	free(base);
	return SQLITE_OK;
}

static int window_filter(sqlite3_vtab_cursor *base, int number,
    const char *text, int argc, sqlite3_value **argv)
{
	struct cursor *k = (struct cursor *)base;

	(void)number, (void)text, (void)argc, (void)argv;
	k->row = k->in->from;
	k->read = false;
	return SQLITE_OK;
}

static int window_next(sqlite3_vtab_cursor *base)
{
	struct cursor *k = (struct cursor *)base;

	k->row++;
	k->read = false;
	return SQLITE_OK;
}

static int window_eof(sqlite3_vtab_cursor *base)
{
	struct cursor *k = (struct cursor *)base;

	return k->row >= k->in->to;
}

static int window_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
	*id = (sqlite3_int64)((struct cursor *)base)->row;
	return SQLITE_OK;
}

static void result_part(sqlite3_context *x, const uint8_t *p)
{
	struct part part;

	part_read(p, &part);
	switch (part.tag) {
	case PART_INT:
		sqlite3_result_int64(x, part.i);
		break;
	case PART_REAL:
		sqlite3_result_double(x, part.d);
		break;
	case PART_TEXT:
		sqlite3_result_text(x, part.s, (int)part.n, SQLITE_STATIC);
		break;
	default:
		sqlite3_result_null(x);
	}
}

static void row_column(struct cursor *k, sqlite3_context *x, int column)
{
	const struct merge *m = k->in->m;
	const struct pend *p = &m->v[k->in->index[k->row]];
	struct part part;
	size_t i;

	switch (column) {
	case 0:
		sqlite3_result_int64(x, p->id);
		return;
	case 1:
		sqlite3_result_int64(x, (int64_t)p->k);
		return;
	case 2:
		sqlite3_result_int64(x, (int64_t)p->f);
		return;
	case 3:
		sqlite3_result_text(x, m->context, -1, SQLITE_STATIC);
		return;
	case 4:
		sqlite3_result_int64(x, m->now);
		return;
	}
	if (!k->read) {
		k->place[0] = p->rec;
		for (i = 0; i + 1 < m->t->n; i++)
			k->place[i + 1] = part_read(k->place[i], &part);
		k->read = true;
	}
	if ((size_t)(column - INCOMING_PLACES) < m->t->n)
		result_part(x, k->place[column - INCOMING_PLACES]);
}

static void change_column(const struct cursor *k, sqlite3_context *x,
    int column)
{
	const struct merge *m = k->in->m;
	const struct change *ch = &m->changes[k->row];
	const char *const words[] = { m->context, m->t->kind->name, ch->object,
	    ch->key, ch->op, ch->field, ch->before, ch->now };

	if (column == 0)
		sqlite3_result_int64(x, m->now);
	else if (column == 1 && m->s.merged_at)
		sqlite3_result_int64(x, m->s.merged_at < m->now ?
		    m->s.merged_at : m->now);
	else if (column > 1 && column < 10)
		sqlite3_result_text(x, words[column - 2], -1, SQLITE_STATIC);
}

static int window_column(sqlite3_vtab_cursor *base, sqlite3_context *x,
    int column)
{
	struct cursor *k = (struct cursor *)base;
	const struct merge *m = k->in->m;

	switch (k->in->sort) {
	case INCOMING_ROWS:
		row_column(k, x, column);
		break;
	case INCOMING_OLD:
		if (column == 0)
			sqlite3_result_int64(x,
			    m->old[k->in->index[k->row]].id);
		else if (column == 1)
			sqlite3_result_int64(x, (int64_t)
			    m->old[k->in->index[k->row]].k);
		break;
	case INCOMING_CHANGES:
		change_column(k, x, column);
		break;
	}
	return SQLITE_OK;
}

static const sqlite3_module window_module = {
	.iVersion	= 1,
	.xConnect	= window_connect,
	.xBestIndex	= window_best,
	.xDisconnect	= window_disconnect,
	.xDestroy	= window_disconnect,
	.xOpen		= window_open,
	.xClose		= window_close,
	.xFilter	= window_filter,
	.xNext		= window_next,
	.xEof		= window_eof,
	.xColumn	= window_column,
	.xRowid		= window_rowid,
};

void incoming_module(struct cache *c)
{
	c->incoming = xcalloc(1, sizeof(*c->incoming));
	sqlite3_create_module(c->db, "incoming", &window_module, c);
}
