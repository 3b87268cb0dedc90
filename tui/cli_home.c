/* `home` without a screen. Its sections are lists of their own: a table has
 * them one below the other, json and yaml a row each with the columns of its
 * own list, csv and tsv the union of all columns. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "core.h"

enum { SECTION_ROWS = 10 };

bool is_home(const struct line *l)
{
	return l->command == &home_command;
}

static int refuse(const char *flag, struct err *err)
{
	return err_set(err, ERR_USAGE, "home doesn't take %s: each section is a "
	    "list of its own, which does", flag);
}

static int check(const struct flags *f, struct err *err)
{
	if (f->nwhere)
		return refuse("--where", err);
	if (f->sort)
		return refuse("--sort", err);
	if (f->columns)
		return refuse("--columns", err);
	if (f->filter)
		return refuse("--filter", err);
	return 0;
}

/* ---- json, ndjson, yaml -------------------------------------------------------------- */

/* json as one array: objects come as ndjson lines, and what stands between
 * them is put there here. */
struct joining {
	struct out	*out;
	bool		 one_line;	/* --watch */
	size_t		 objects;
};

static int join_put(void *arg, const char *p, size_t n, struct err *err)
{
	struct joining *j = arg;
	const char *end;
	int rc = 0;

	for (; n && rc == 0; n -= (size_t)(end - p), p = end) {
		end = memchr(p, '\n', n);
		if (!end)
			end = p + n;
		if (end > p) {
			/* The writer gives a line whole. */
			rc = out_put(j->out, j->objects++ ? "," : "[", 1, err);
			if (rc == 0 && !j->one_line)
				rc = out_put(j->out, "\n", 1, err);
			if (rc == 0)
				rc = out_put(j->out, p, (size_t)(end - p), err);
		} else {
			end++;
		}
	}
	return rc;
}

/* The section's columns behind `section`. New. */
static struct column *with_section(const struct home_section *s)
{
	struct column *c = xcalloc(s->ncolumns + 2, sizeof(*c));

	c[0] = (struct column){.name = "section"};
	memcpy(c + 1, s->columns, s->ncolumns * sizeof(*c));
	return c;
}

static int put_section(const struct home_section *s, const struct how *how,
    put_fn *put, void *arg, struct err *err)
{
	struct column *columns = with_section(s);
	struct cell *cells = xcalloc(s->ncolumns + 1, sizeof(*cells));
	struct writer *w = writer_new(how, columns, s->ncolumns + 1, put, arg);
	int rc = 0;

	cells[0] = run_s(s->name);
	for (size_t i = 0; i < s->rows.n && rc == 0; i++) {
		for (size_t k = 0; k < s->ncolumns; k++)
			cells[k + 1] = rows_cell(&s->rows, i, k);
		rc = writer_row(w, cells, err);
	}
	if (rc == 0)
		rc = writer_end(w, err);
	writer_free(w);
	free(cells);
	free(columns);
	return rc;
}

static int put_objects(struct cli *c, const struct home *h, struct err *err)
{
	const struct flags *f = &c->line->flags;
	struct joining j = {.out = &c->out, .one_line = f->watch};
	bool json = f->format == FORMAT_JSON;
	struct how how = {
		.format = json ? FORMAT_NDJSON : (enum format)f->format,
		.stamp = f->watch && f->format == FORMAT_NDJSON ? c->stamp :
		    NULL,
		.document = f->watch,
	};
	bool any = false;

	for (size_t i = 0; i < h->n; i++) {
		if (!h->v[i].rows.n)
			continue;
		if (put_section(&h->v[i], &how, json ? join_put : out_put,
		    json ? (void *)&j : &c->out, err) < 0)
			return -1;
		how.document = false;
		any = true;
	}
	if (json)
		return out_put(&c->out, !any ? "[]\n" : f->watch ? "]\n" :
		    "\n]\n", !any ? 3 : f->watch ? 2 : 3, err);
	if (!any && f->format == FORMAT_YAML)
		return out_put(&c->out, "[]\n", 3, err);
	return 0;
}

/* ---- csv, tsv ------------------------------------------------------------------------- */

/* A name may be typed otherwise in another list: each section's cells are
 * written as its own columns say, so each has a writer. */
static int put_part(const struct home_section *s, const struct how *how,
    struct column *all, size_t n, struct out *out, struct err *err)
{
	struct cell *cells = xcalloc(n, sizeof(*cells));
	struct writer *w;
	int rc = 0;

	for (size_t k = 0; k < s->ncolumns; k++)
		all[home_column(all, n, s->columns[k].name)] = s->columns[k];
	w = writer_new(how, all, n, out_put, out);
	for (size_t i = 0; i < s->rows.n && rc == 0; i++) {
		home_cells(s, i, all, n, cells);
		rc = writer_row(w, cells, err);
	}
	if (rc == 0)
		rc = writer_end(w, err);
	writer_free(w);
	free(cells);
	return rc;
}

static int put_union(struct cli *c, const struct home *h, struct err *err)
{
	const struct flags *f = &c->line->flags;
	size_t n;
	struct column *all = home_columns(h, &n);
	struct how how = {
		.format = (enum format)f->format,
		.terminal = isatty(STDOUT_FILENO),
		.stamp = f->watch ? c->stamp : NULL,
		.no_head = f->watch && !c->first,
	};
	int rc = 0;

	for (size_t i = 0; i < h->n && rc == 0; i++) {
		rc = put_part(&h->v[i], &how, all, n, &c->out, err);
		how.no_head = true;
	}
	free(all);
	return rc;
}

/* ---- table ------------------------------------------------------------------------------ */

static int put_table(struct cli *c, const struct home *h, struct err *err)
{
	const struct flags *f = &c->line->flags;
	bool terminal = isatty(STDOUT_FILENO);
	const char *term = getenv("TERM");
	struct how how = {
		.format = f->format < 0 ? FORMAT_TABLE : (enum format)f->format,
		.context = c->ncontexts > 1,
		.terminal = terminal,
		.colour = terminal && !f->no_color && !getenv("NO_COLOR") &&
		    term && strcmp(term, "dumb"),
	};
	struct buf b = {0};
	int rc;

	home_print(h, &how, &b);
	rc = out_put(&c->out, buf_str(&b), b.n, err);
	buf_free(&b);
	return rc;
}

static int print(struct cli *c, const struct home *h, struct err *err)
{
	switch (c->line->flags.format) {
	case FORMAT_JSON:
	case FORMAT_NDJSON:
	case FORMAT_YAML:
		return put_objects(c, h, err);
	case FORMAT_CSV:
	case FORMAT_TSV:
		return put_union(c, h, err);
	default:
		return put_table(c, h, err);
	}
}

static bool has_rows(const struct home *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].rows.n)
			return true;
	return false;
}

int cli_home(struct cli *c, struct err *err)
{
	const struct flags *f = &c->line->flags;
	const char **kinds;
	struct home h = {0};
	int rc;

	if (check(f, err) < 0)
		return -1;
	kinds = home_kinds(c->session);
	rc = cli_fetch(c, kinds, true, err);
	if (rc == 0)
		rc = home_load(c->session, c->cache, c->ncontexts > 1, f->at,
		    line_since(c->line, f->at), f->limit < 0 ? SECTION_ROWS : f->limit,
		    c->task, &h, err);
	if (rc == 0) {
		rc = print(c, &h, err);
		if (rc == 0 && !has_rows(&h)) {
			rc = cli_look(c, kinds, true, err);
			if (rc == 0 && c->first && !c->before_all)
				cli_note(c->session, "no finding is open and "
				    "nothing changed; kiban context list says "
				    "what is configured");
		}
	}
	home_release(&h);
	free(kinds);
	return rc;
}
