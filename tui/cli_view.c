/* A view's rows: checked, fetched, selected, printed. `show` is one of them as
 * field and value, `series` the past of one of its columns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "core.h"
#include "view.h"

enum { WHERE_MS = 30000 };

/* ---- what it reads ---------------------------------------------------------------- */

struct listing {
	const struct view	*view;
	struct column		*columns;
	size_t			 ncolumns;
	const char		**where;	/* --where and KIND KEY… */
	size_t			 nwhere;
	char			*past;
	char			*sql;
	const char		**kinds;	/* ends with NULL */
};

/* Copies what the prepared statement reads, and what the view says itself. */
static const char **kinds_of(const struct registry *r, const struct view *v,
    const struct query *q)
{
	const char *const *read = query_kinds(q);
	const char **out, *own = v->every_of ? v->every_of : v->kind;
	size_t n = 0, at = 0;

	while (read[n])
		n++;
	out = xcalloc(n + 2, sizeof(*out));
	if (own)
		out[at++] = own;
	for (size_t i = 0; i < n; i++) {
		const struct kind *k = registry_kind(r, read[i]);
		if (k)
			out[at++] = k->name;	/* lives as long as we do */
	}
	return out;
}

static int fetch_for(struct cli *c, const struct view *v,
    const char *const *kinds, struct err *err)
{
	if (v->flags & VIEW_NO_FETCH)
		return 0;
	return cli_fetch(c, kinds, v->flags & VIEW_RULES, err);
}

static int look_for(struct cli *c, const struct view *v,
    const char *const *kinds, struct err *err)
{
	if (v->flags & VIEW_NO_FETCH)
		return 0;
	return cli_look(c, kinds, v->flags & VIEW_RULES, err);
}

/* ---- lists ------------------------------------------------------------------------- */

static int check(struct cli *c, struct listing *l, struct err *err)
{
	const struct flags *f = &c->line->flags;
	const struct registry *r = &c->session->registry;

	for (size_t i = 0; i < f->nwhere; i++)
		if (view_check_where(c->cache, r, l->view, f->where[i], err) <
		    0)
			return -1;
	return sink_check(l->columns, l->ncolumns, f, err);
}

static int add_where(struct cli *c, struct listing *l, struct err *err)
{
	const struct line *line = c->line;

	l->where = xcalloc(line->flags.nwhere + 1, sizeof(*l->where));
	for (size_t i = 0; i < line->flags.nwhere; i++)
		l->where[l->nwhere++] = line->flags.where[i];
	if (!line->nargs)
		return 0;
	l->past = past_where(&c->session->registry, l->view, line->args,
	    line->nargs, err);
	if (!l->past)
		return -1;
	l->where[l->nwhere++] = l->past;
	return 0;
}

static struct query *listing_query(struct cli *c, const struct listing *l,
    struct err *err)
{
	const struct flags *f = &c->line->flags;

	return query_new(c->cache, l->sql, f->nwhere ? QUERY_GUARD : 0,
	    f->nwhere ? WHERE_MS : 0, c->task, err);
}

static int prepare(struct cli *c, struct listing *l, struct err *err)
{
	const struct flags *f = &c->line->flags;
	/* One more than wanted tells whether there are more. Rows that are
	 * chosen here, or looked at, are all read. */
	struct view_ask ask = {
		.where = l->where,
		.nwhere = l->nwhere,
		.sort = f->sort,
		.limit = f->limit < 0 || f->filter || f->fail_on ? -1 :
		    f->limit + 1,
	};
	struct query *q;

	l->sql = view_select(&c->session->registry, l->view, &ask, err);
	if (!l->sql || !(q = listing_query(c, l, err)))
		return -1;
	l->kinds = kinds_of(&c->session->registry, l->view, q);
	query_free(q);
	return 0;
}

struct listing *listing_new(struct cli *c, struct err *err)
{
	struct listing *l = xcalloc(1, sizeof(*l));

	l->view = c->line->view;
	l->columns = view_columns(l->view, &l->ncolumns);
	if (check(c, l, err) < 0 || add_where(c, l, err) < 0 ||
	    prepare(c, l, err) < 0) {
		listing_free(l);
		return NULL;
	}
	return l;
}

void listing_free(struct listing *l)
{
	if (!l)
		return;
	free(l->columns);
	free(l->where);
	free(l->past);
	free(l->sql);
	free(l->kinds);
	free(l);
}

/* Why there are no rows, and what to do. */
static void say_none(struct cli *c, const struct listing *l)
{
	const struct flags *f = &c->line->flags;

	if (c->report.failed || c->before_all || f->watch || !f->limit)
		return;
	if (f->nwhere || f->filter || l->past)
		cli_note(c->session, "no row is as asked");
	else if (l->view->empty)
		cli_note(c->session, l->view->empty);
}

static int print_rows(struct cli *c, struct listing *l, struct sink *s,
    struct err *err)
{
	struct query *q = listing_query(c, l, err);
	const struct cell *cells;
	int rc, more = 1;

	if (!q)
		return -1;
	rc = sink_begin(s, l->columns, l->ncolumns, err) < 0 ? -1 : 1;
	while (rc == 1 && more == 1) {
		rc = query_step(q, &cells, err);
		if (rc == 1)
			more = sink_row(s, cells, err);
	}
	query_free(q);
	if (rc < 0 || more < 0)
		return -1;
	return sink_end(s, err);
}

int listing_run(struct cli *c, struct listing *l, struct err *err)
{
	struct sink s = {.cli = c, .hold = true};
	int rc = -1;

	if (fetch_for(c, l->view, l->kinds, err) < 0)
		return -1;
	if (print_rows(c, l, &s, err) == 0) {
		rc = 0;
		if (!s.rows && (rc = look_for(c, l->view, l->kinds, err)) == 0)
			say_none(c, l);
	} else if (s.rows && err->code != ERR_CANCELLED) {
		size_t n = strlen(err->text);
		snprintf(err->text + n, sizeof(err->text) - n,
		    "; incomplete, %lld rows", (long long)s.rows);
	}
	sink_release(&s);
	return rc;
}

/* ---- show ---------------------------------------------------------------------------- */

static const struct column show_columns[] = {
	{.name = "field", .help = "name of the column"},
	{.name = "value", .help = "of the row"},
};

static int print_fields(struct sink *s, const struct column *columns,
    const int *picked, size_t n, const struct cell *cells, struct err *err)
{
	bool wide = s->cli->line->flags.format == FORMAT_WIDE;

	for (size_t i = 0; i < n; i++) {
		size_t k = picked ? (size_t)picked[i] : i;
		struct buf text = {0};
		struct cell row[2] = {run_s(columns[k].name)};
		int rc;

		value_show(&text, columns[k].type, columns[k].decimals,
		    wide ? SPELL_WIDE : SPELL_SHORT, cells[k]);
		row[1] = run_s(buf_str(&text));
		rc = sink_row(s, row, err);
		buf_free(&text);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Prints one row in either way; 1: there was one. */
static int print_whole(struct cli *c, struct query *q,
    const struct column *columns, size_t n, struct sink *s, struct err *err)
{
	int format = c->line->flags.format;
	bool fields = format < 0 || format == FORMAT_TABLE ||
	    format == FORMAT_WIDE;
	const char *chosen = c->line->flags.columns;
	int picked[256], npicked = 0, rc, rows = 0;
	const struct cell *cells;

	if (chosen && (npicked = view_pick(columns, n, chosen, picked, 256,
	    err)) < 0)
		return -1;
	s->whole = fields;	/* columns are rows there */
	if ((fields ? sink_begin(s, show_columns, 2, err) :
	    sink_begin(s, columns, n, err)) < 0)
		return -1;
	while ((rc = query_step(q, &cells, err)) == 1) {
		rows++;
		if (fields ? print_fields(s, columns, chosen ? picked : NULL,
		    chosen ? (size_t)npicked : n, cells, err) < 0 :
		    sink_row(s, cells, err) < 0)
			return -1;
	}
	return rc < 0 ? -1 : rows;
}

static struct query *show_query(struct cli *c, struct err *err)
{
	struct view_ask ask = {
		.limit = -1, .key = c->line->args, .nkey = c->line->nargs};
	char *sql = view_select(&c->session->registry, c->line->view, &ask,
	    err);
	struct query *q = sql ? query_new(c->cache, sql, 0, 0, c->task, err)
			      : NULL;

	for (size_t i = 0; q && i < c->line->nargs; i++)
		query_bind(q, (int)i + 1, run_s(c->line->args[i]));
	free(sql);
	return q;
}

static int not_there(struct cli *c, struct err *err)
{
	struct buf b = {0};

	for (size_t i = 0; i < c->line->nargs; i++)
		buf_addf(&b, "%s%s", i ? " " : "", c->line->args[i]);
	err_set(err, ERR_FAILED, "%s: there is no row %s%s",
	    c->line->view->name, buf_str(&b),
	    c->line->flags.at ? " at that time" : "");
	buf_free(&b);
	return -1;
}

int cli_show(struct cli *c, struct err *err)
{
	const struct view *v = c->line->view;
	struct sink s = {.cli = c, .hold = true};
	struct query *q = show_query(c, err);
	size_t n;
	struct column *columns;
	const char **kinds;
	int rc = -1;

	if (!q)
		return -1;
	kinds = kinds_of(&c->session->registry, v, q);
	query_free(q);
	columns = view_columns(v, &n);
	if (sink_check(columns, n, &c->line->flags, err) == 0 &&
	    fetch_for(c, v, kinds, err) == 0 && (q = show_query(c, err))) {
		rc = print_whole(c, q, columns, n, &s, err);
		query_free(q);
		if (rc > 0)
			rc = sink_end(&s, err);
		else if (rc == 0 && (rc = look_for(c, v, kinds, err)) == 0)
			rc = not_there(c, err);
	}
	sink_release(&s);
	free(columns);
	free(kinds);
	return rc;
}

/* ---- series --------------------------------------------------------------------------- */

/* t and value, the latter as the column is typed. */
static void typed_columns(const struct cli *c, struct column out[2])
{
	size_t n;
	struct column *columns = view_columns(c->line->view, &n);

	out[0] = series_columns[0];
	out[1] = series_columns[1];
	for (size_t i = 0; i < n; i++)
		if (!strcmp(columns[i].name, c->line->column)) {
			out[1].type = columns[i].type;
			out[1].decimals = columns[i].decimals;
			out[1].unit = columns[i].unit;
		}
	free(columns);
}

static int print_series(struct cli *c, const struct rows *rows,
    const struct column *columns, struct err *err)
{
	struct sink s = {.cli = c, .hold = true};
	struct flags f = c->line->flags;
	uint32_t *index = NULL;
	int64_t n;
	int rc;

	f.filter = NULL;	/* the sink's */
	n = choose_rows(c->cache, rows, &f, false, c->task, &index, err);
	rc = n < 0 || sink_begin(&s, columns, 2, err) < 0 ? -1 : 1;
	for (int64_t i = 0; rc == 1 && i < n; i++) {
		const struct cell cells[2] = {
			rows_cell(rows, index[i], 0),
			rows_cell(rows, index[i], 1)};
		rc = sink_row(&s, cells, err);
	}
	if (rc >= 0)
		rc = sink_end(&s, err);
	if (rc == 0 && !s.rows && !c->report.failed)
		cli_note(c->session, "no sample in that time, as far as it was "
		    "fetched; --since goes further back");
	sink_release(&s);
	free(index);
	return rc;
}

static int check_series(struct cli *c, const struct column *columns,
    struct err *err)
{
	const struct line *l = c->line;

	if (c->ncontexts != 1)
		return err_set(err, ERR_USAGE, "series is of one context, %zu "
		    "are meant: name one with --context", c->ncontexts);
	if (sink_check(columns, 2, &l->flags, err) < 0)
		return -1;
	return choose_check(c->cache, columns, 2, &l->flags, err);
}

int cli_series(struct cli *c, struct err *err)
{
	const struct line *l = c->line;
	struct column columns[2];
	struct rows rows;
	struct query *q;
	const char **kinds;
	int rc = -1;

	typed_columns(c, columns);
	if (check_series(c, columns, err) < 0 || !(q = show_query(c, err)))
		return -1;
	kinds = kinds_of(&c->session->registry, l->view, q);
	query_free(q);
	rows_init(&rows, columns, 2);
	if (fetch_for(c, l->view, kinds, err) == 0)
		rc = view_series(c->session, c->cache, c->contexts[0],
		    l->view, l->column, l->args, l->nargs,
		    line_since(l, l->flags.at),
		    l->flags.at ? l->flags.at : clock_now(), &rows, c->task,
		    err);
	if (rc == 0)
		rc = print_series(c, &rows, columns, err);
	rows_release(&rows);
	free(kinds);
	/* It looked at other times. */
	return rc < 0 ? -1 : cli_aim(c, err);
}
