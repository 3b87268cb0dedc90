/* `home` as rows: the sections of home.h one after the other, in the union of
 * their columns. Both faces have a way of their own to show it; this is what a
 * command's rows are. */
#include "home.h"

#include <stdlib.h>
#include <string.h>

#include "core.h"

enum { SECTION_ROWS = 10 };

size_t home_column(const struct column *all, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(all[i].name, name))
		i++;
	return i;
}

struct column *home_columns(const struct home *h, size_t *n)
{
	struct column *all = xcalloc(1, sizeof(*all));

	all[0] = (struct column){
		.name = "section", .help = "the list that the row is of"};
	*n = 1;
	for (size_t i = 0; i < h->n; i++)
		for (size_t k = 0; k < h->v[i].ncolumns; k++) {
			const struct column *c = &h->v[i].columns[k];

			if (home_column(all, *n, c->name) < *n)
				continue;
			all = xrealloc(all, *n + 1, sizeof(*all));
			all[(*n)++] = *c;
		}
	return all;
}

void home_cells(const struct home_section *s, size_t row,
    const struct column *all, size_t n, struct cell *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = run_s(NULL);
	out[0] = run_s(s->name);
	for (size_t k = 0; k < s->ncolumns; k++)
		out[home_column(all, n, s->columns[k].name)] =
		    rows_cell(&s->rows, row, k);
}

static int print(struct run *r, const struct home *h, struct err *err)
{
	size_t n;
	struct column *all = home_columns(h, &n);
	/* The face borrows them for as long as the line. */
	struct column *kept = arena_alloc(&r->line->arena, n * sizeof(*kept));
	struct cell *cells = xcalloc(n, sizeof(*cells));
	int rc;

	memcpy(kept, all, n * sizeof(*kept));
	rc = run_columns(r, kept, n, err);
	for (size_t i = 0; i < h->n && rc == 0; i++)
		for (size_t k = 0; k < h->v[i].rows.n && rc == 0; k++) {
			home_cells(&h->v[i], k, all, n, cells);
			rc = run_row(r, cells, err);
		}
	free(cells);
	free(all);
	return rc;
}

static int home_run(struct run *r, struct err *err)
{
	const struct flags *f = &r->line->flags;
	struct home h = {0};
	int rc = home_load(r->session, r->cache, r->ncontexts > 1, f->at,
	    line_since(r->line, f->at), f->limit < 0 ? SECTION_ROWS : f->limit,
	    r->task, &h, err);

	if (rc == 0)
		rc = print(r, &h, err);
	home_release(&h);
	return rc;
}

const struct command home_command = {
	.name = "home",
	.help = "findings, each module's own, sources that fail, what changed",
	.flags = COMMAND_ROWS | COMMAND_AT,
	.run = home_run,
};
