/* One row whole: its columns as fields and values, a table of two columns that
 * the browser shows as any other; or, with -o yaml and its like, as text. */
#include <stdlib.h>
#include <string.h>

#include "browser.h"
#include "text.h"

static const struct column detail_columns[] = {
	{.name = "field"},
	{.name = "value"},
};

static struct haul *transpose(const struct result *raw, bool wide)
{
	struct how how = {
		.format = wide ? FORMAT_WIDE : FORMAT_TABLE, .bare = true,
	};
	struct cell *cells = xcalloc(raw->ncolumns + 1, sizeof(*cells));
	struct haul *h = xcalloc(1, sizeof(*h));
	struct buf value = {0};
	struct layout l;

	for (size_t c = 0; c < raw->ncolumns; c++)
		cells[c] = rows_cell(&raw->rows, 0, c);
	layout_init(&l, raw->columns, raw->ncolumns, &how);
	layout_measure(&l, cells);
	h->result = result_new(detail_columns, 2);
	for (size_t c = 0; c < raw->ncolumns; c++) {
		const char *name = raw->columns[c].name;
		struct cell row[2];
		buf_clear(&value);
		layout_cell(&l, &value, c, cells);
		row[0] = (struct cell){.tag = CELL_TEXT, .s = name,
		    .n = strlen(name)};
		row[1] = (struct cell){.tag = CELL_TEXT, .s = buf_str(&value),
		    .n = value.n};
		rows_add(&h->result->rows, row);
	}
	h->result->whole = true;
	h->n = raw->ncolumns;
	layout_release(&l);
	buf_free(&value);
	free(cells);
	return h;
}

static void say_gone(struct place *p)
{
	const struct line *l = &p->sight->line;
	struct buf b = {0};

	buf_addf(&b, "%s has no row", l->view->name);
	for (size_t i = 0; i < l->nargs; i++)
		buf_addf(&b, " %s", l->args[i]);
	buf_addf(&b, "%s.", p->screen->at ? " at that time" : "");
	free(p->error);
	p->error = buf_take(&b);
}

struct haul *detail_of(struct place *p, struct haul *h)
{
	struct browser *b = browser_of(p);
	struct haul *fields;

	if (!h->n) {
		haul_free(h);
		haul_free(b->haul);
		b->haul = NULL;
		say_gone(p);
		return NULL;
	}
	result_free(b->raw);
	b->raw = result_ref(h->result);
	fields = transpose(b->raw, p->wide);
	haul_free(h);
	return fields;
}

void detail_again(struct place *p)
{
	struct browser *b = browser_of(p);

	browser_take(p, transpose(b->raw, p->wide));
}
