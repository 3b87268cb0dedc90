/* One row whole: its columns as fields and values, a table of two columns that
 * the browser shows as any other; or, with -o yaml and its like, as text. */
#include <stdlib.h>
#include <string.h>

#include "browser.h"
#include "run.h"

static const struct column detail_columns[] = {
	{.name = "field"},
	{.name = "value"},
};

static struct haul *transpose(const struct result *raw, bool wide)
{
	enum spelling spelling = wide ? SPELL_WIDE : SPELL_SHORT;
	struct haul *h = xcalloc(1, sizeof(*h));
	struct buf value = {0};

	h->result = result_new(detail_columns, 2);
	for (size_t c = 0; c < raw->ncolumns; c++) {
		const struct column *column = &raw->columns[c];
		struct cell row[2];
		buf_clear(&value);
		value_show(&value, column->type, column->decimals, spelling,
		    rows_cell(&raw->rows, 0, c));
		row[0] = run_s(column->name);
		row[1] = run_s(buf_str(&value));
		rows_add(&h->result->rows, row);
	}
	h->result->whole = true;
	h->n = raw->ncolumns;
	buf_free(&value);
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
