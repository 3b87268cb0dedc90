/* Reading rows on a task. The first page comes from a query with a LIMIT, which
 * SQLite answers without sorting everything; the rest is read behind it. A
 * sort or filter of rows that are there goes over memory alone. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "view.h"

/* ---- counted things ------------------------------------------------------ */

static void ref(int *refs)
{
	__atomic_add_fetch(refs, 1, __ATOMIC_RELAXED);
}

static bool unref(int *refs)
{
	return __atomic_sub_fetch(refs, 1, __ATOMIC_ACQ_REL) == 0;
}

struct sight *sight_new(const struct session *s, struct line *line,
    const char *context, struct err *err)
{
	struct sight *v = xcalloc(1, sizeof(*v));
	const char *names = line->flags.context;
	int n;

	if (!names)
		names = context ? context : config_current(&s->config);
	v->refs = 1;
	v->line = *line;
	v->context = xstrdup(names);
	n = config_contexts(&s->config, v->context, v->contexts, CONTEXTS_MAX,
	    err);
	*line = (struct line){0};
	if (n < 0) {
		sight_free(v);
		return NULL;
	}
	v->ncontexts = (size_t)n;
	for (int i = 0; i < n; i++)
		v->names[i] = v->contexts[i]->name;
	return v;
}

struct sight *sight_ref(struct sight *s)
{
	ref(&s->refs);
	return s;
}

void sight_free(struct sight *s)
{
	if (!s || !unref(&s->refs))
		return;
	line_release(&s->line);
	free(s->context);
	free(s);
}

bool sight_has_past(const struct sight *s)
{
	return line_has_past(&s->line);
}

struct result *result_new(const struct column *columns, size_t ncolumns)
{
	struct result *r = xcalloc(1, sizeof(*r));

	r->refs = 1;
	r->columns = xcalloc(ncolumns + 1, sizeof(*columns));
	memcpy(r->columns, columns, ncolumns * sizeof(*columns));
	r->ncolumns = ncolumns;
	rows_init(&r->rows, r->columns, ncolumns);
	return r;
}

struct result *result_ref(struct result *r)
{
	ref(&r->refs);
	return r;
}

void result_free(struct result *r)
{
	if (!r || !unref(&r->refs))
		return;
	rows_release(&r->rows);
	free(r->columns);
	free(r);
}

void result_finish(struct result *r, bool whole)
{
	int seen = rows_column(&r->rows, "seen");

	r->whole = whole;
	for (size_t i = 0; seen >= 0 && i < r->rows.n; i++) {
		struct cell c = rows_cell(&r->rows, i, (size_t)seen);
		if (c.tag == CELL_INT && (!r->seen || c.i < r->seen))
			r->seen = c.i;
	}
}

void haul_free(struct haul *h)
{
	if (!h)
		return;
	for (size_t i = 0; h->kinds && h->kinds[i]; i++)
		free(h->kinds[i]);
	free(h->kinds);
	free(h->index);
	free(h->text);
	result_free(h->result);
	free(h);
}

uint32_t haul_row(const struct haul *h, size_t at)
{
	return h->index ? h->index[at] : (uint32_t)at;
}

/* ---- a load --------------------------------------------------------------- */

struct load {
	struct want			 want;
	struct column			*columns;
	size_t				 ncolumns;
	const struct load_face		*face;
	void				*arg;	/* NULL: forgotten */
	struct work			*work;
	char				**kinds;
	int64_t				 began;
};

static int aim(struct load *l, struct cache *c, struct err *err)
{
	const struct sight *s = l->want.sight;

	return cache_aim(c, s->names, s->ncontexts, l->want.at,
	    line_since(&s->line, l->want.at), err);
}

static void note_kinds(struct load *l, const struct query *q)
{
	const char *const *names = query_kinds(q);
	size_t n = 0;

	if (l->kinds || !names)
		return;
	while (names[n])
		n++;
	l->kinds = xcalloc(n + 1, sizeof(*l->kinds));
	for (size_t i = 0; i < n; i++)
		l->kinds[i] = xstrdup(names[i]);
}

/* `changed KIND KEY…` and every --where, checked before they are used. */
static int collect_where(struct load *l, struct cache *c, const char **where,
    char **past, struct view_ask *ask, struct err *err)
{
	const struct registry *r = &work_session(l->work)->registry;
	const struct line *line = &l->want.sight->line;

	for (size_t i = 0; i < line->flags.nwhere; i++) {
		if (view_check_where(c, r, line->view, line->flags.where[i],
		    err) < 0)
			return -1;
		where[ask->nwhere++] = line->flags.where[i];
	}
	if (line->verb == VERB_LIST && line->nargs) {
		*past = past_where(r, line->view, line->args, line->nargs, err);
		if (!*past)
			return -1;
		where[ask->nwhere++] = *past;
	}
	ask->where = where;
	return 0;
}

static struct query *prepare(struct load *l, struct cache *c, int64_t limit,
    struct err *err)
{
	const struct line *line = &l->want.sight->line;
	const char **where = xcalloc(line->flags.nwhere + 1, sizeof(*where));
	struct view_ask ask = {.sort = l->want.sort, .limit = limit};
	char *past = NULL, *sql = NULL;
	struct query *q = NULL;

	if (line->verb == VERB_SHOW) {
		ask.key = line->args;
		ask.nkey = line->nargs;
	}
	if (collect_where(l, c, where, &past, &ask, err) == 0)
		sql = view_select(&work_session(l->work)->registry, line->view,
		    &ask, err);
	if (sql)
		q = query_new(c, sql, 0, 0, work_task(l->work), err);
	for (size_t i = 0; q && i < ask.nkey; i++)
		query_bind(q, (int)i + 1, (struct cell){.tag = CELL_TEXT,
		    .s = ask.key[i], .n = strlen(ask.key[i])});
	if (q)
		note_kinds(l, q);
	free(past);
	free(sql);
	free(where);
	return q;
}

static int read_rows(struct load *l, struct query *q, struct rows *out,
    struct err *err)
{
	const struct cell *cells;
	int rc;

	while ((rc = query_step(q, &cells, err)) == 1) {
		rows_add(out, cells);
		if (out->n % 20000)
			continue;
		if (task_check(work_task(l->work), err) < 0)
			return -1;
		task_progress(work_task(l->work), (int64_t)out->n, -1, "rows");
	}
	return rc;
}

static struct result *read_view(struct load *l, struct cache *c, int64_t limit,
    struct err *err)
{
	struct query *q = prepare(l, c, limit, err);
	struct result *r;

	if (!q)
		return NULL;
	r = result_new(l->columns, l->ncolumns);
	if (read_rows(l, q, &r->rows, err) < 0) {
		result_free(r);
		r = NULL;
	}
	query_free(q);
	return r;
}

/* ---- order ---------------------------------------------------------------- */

static bool is_fault(const struct rows *r, size_t row, int status)
{
	struct cell c = rows_cell(r, row, (size_t)status);

	return c.tag == CELL_TEXT && c.n && (c.s[0] == 'b' || c.s[0] == 'd');
}

/* The rows that filter and faults leave. */
static int choose(struct load *l, struct haul *h, struct err *err)
{
	const struct rows *rows = &h->result->rows;
	size_t nc = rows->ncolumns;
	struct filter *f = NULL;
	struct cell *cells;
	int status = rows_column(rows, "status");
	bool contexts = l->want.sight->ncontexts > 1, faults = l->want.faults;

	if (status < 0)
		status = rows_column(rows, "severity");
	if (l->want.filter && !(f = filter_new(l->want.filter, err)))
		return -1;
	cells = xcalloc(nc + 1, sizeof(*cells));
	h->index = xcalloc(rows->n + 1, sizeof(*h->index));
	h->n = 0;
	for (size_t i = 0; i < rows->n; i++) {
		if (i % 20000 == 0 && task_cancelled(work_task(l->work)))
			break;
		if (faults && (status < 0 || !is_fault(rows, i, status)))
			continue;
		for (size_t c = 0; f && c < nc; c++)
			cells[c] = rows_cell(rows, i, c);
		if (!f || filter_match(f, rows->columns, nc, cells, contexts))
			h->index[h->n++] = (uint32_t)i;
	}
	free(cells);
	filter_free(f);
	return task_check(work_task(l->work), err);
}

/* The order as columns, ties by key as view_select() has them. */
static int order_of(struct load *l, const struct rows *rows,
    struct order *by, size_t max, struct err *err)
{
	const struct registry *r = &work_session(l->work)->registry;
	const struct view *v = l->want.sight->line.view;
	const char *key[VIEW_KEY_MAX + 1] = {"context"};
	const char *sort = l->want.sort;
	size_t nkey;
	int n = 0;

	/* The fields of a detail stand as they are unless asked otherwise. */
	if (l->want.sight->line.verb != VERB_LIST)
		v = NULL;
	if (!sort && v)
		sort = v->sort;

	if (sort && (n = view_order(rows->columns, rows->ncolumns, sort, by,
	    max, err)) < 0)
		return -1;
	nkey = v ? 1 + view_key(r, v, key + 1, VIEW_KEY_MAX) : 0;
	for (size_t i = 0; i < nkey && (size_t)n < max; i++) {
		int c = rows_column(rows, key[i]);
		if (c >= 0)
			by[n++] = (struct order){.column = c};
	}
	return n;
}

static int sort(struct load *l, struct haul *h, struct err *err)
{
	const struct rows *rows = &h->result->rows;
	struct order by[24];
	int n = order_of(l, rows, by, 24, err);

	if (n <= 0)
		return n;
	if (!h->index) {
		h->index = xcalloc(rows->n + 1, sizeof(*h->index));
		for (size_t i = 0; i < rows->n; i++)
			h->index[i] = (uint32_t)i;
	}
	return rows_sort(rows, by, (size_t)n, h->index, h->n, NULL);
}

static void cut_to_limit(struct load *l, struct haul *h)
{
	int64_t limit = l->want.sight->line.flags.limit;

	if (limit >= 0 && (uint64_t)limit < h->n)
		h->n = (size_t)limit;
}

static int put_buf(void *arg, const char *p, size_t n, struct err *err)
{
	(void)err;
	buf_add(arg, p, n);
	return 0;
}

static int write_text(struct load *l, struct haul *h, struct err *err)
{
	const struct result *r = h->result;
	struct how how = {.format = (enum format)l->want.format, .hold = true};
	struct cell *cells = xcalloc(r->ncolumns + 1, sizeof(*cells));
	struct buf b = {0};
	struct writer *w = writer_new(&how, r->columns, r->ncolumns, put_buf,
	    &b);
	int rc = 0;

	for (size_t i = 0; i < h->n && rc == 0; i++) {
		for (size_t c = 0; c < r->ncolumns; c++)
			cells[c] = rows_cell(&r->rows, haul_row(h, i), c);
		rc = task_check(work_task(l->work), err);
		if (rc == 0)
			rc = writer_row(w, cells, err);
	}
	if (rc == 0)
		rc = writer_end(w, err);
	writer_free(w);
	free(cells);
	h->text = buf_take(&b);
	return rc;
}

/* sorted: the rows are in order as they were read. */
static int send(struct load *l, struct result *r, bool sorted, struct err *err)
{
	struct haul *h = xcalloc(1, sizeof(*h));
	int rc = 0;

	h->result = r;
	h->n = r->rows.n;
	if (l->want.filter || l->want.faults)
		rc = choose(l, h, err);
	if (rc == 0 && !sorted)
		rc = sort(l, h, err);
	if (rc < 0) {
		haul_free(h);
		return -1;
	}
	cut_to_limit(l, h);
	h->took = clock_mono() - l->began;
	h->reordered = !sorted;
	if (l->want.format >= 0 && write_text(l, h, err) < 0) {
		haul_free(h);
		return -1;
	}
	if (r->whole) {
		h->kinds = l->kinds;
		l->kinds = NULL;
	}
	work_send(l->work, h);
	return 0;
}

/* ---- what is run ----------------------------------------------------------- */

static int64_t asked_limit(const struct load *l)
{
	bool later = l->want.filter || l->want.faults;

	return later ? -1 : l->want.sight->line.flags.limit;
}

/* 1: that was all there is. */
static int load_page(struct load *l, struct cache *c, struct err *err)
{
	int64_t limit = asked_limit(l), page = l->want.page;
	struct result *r;
	bool whole;

	/* A filter has to see all rows to find a page. */
	if (!page || l->want.filter || l->want.faults ||
	    l->want.sight->line.verb != VERB_LIST)
		return 0;
	r = read_view(l, c, limit >= 0 && limit <= page ? limit : page + 1,
	    err);
	if (!r)
		return -1;
	whole = r->rows.n <= (uint64_t)page;
	result_finish(r, whole);
	return send(l, r, true, err) < 0 ? -1 : whole;
}

static int load_list(struct load *l, struct cache *c, struct err *err)
{
	int rc = load_page(l, c, err);
	struct result *r;

	if (rc)
		return rc < 0 ? -1 : 0;
	r = read_view(l, c, asked_limit(l), err);
	if (!r)
		return -1;
	result_finish(r, true);
	return send(l, r, true, err);
}

static int load_series(struct load *l, struct cache *c, struct err *err)
{
	const struct sight *s = l->want.sight;
	const struct line *line = &s->line;
	int64_t at = l->want.at ? l->want.at : clock_now();
	struct result *r = result_new(series_columns, 2);

	if (view_series(work_session(l->work), c, s->contexts[0], line->view,
	    line->column, line->args, line->nargs, line_since(&s->line, l->want.at),
	    at, &r->rows, work_task(l->work), err) < 0) {
		result_free(r);
		return -1;
	}
	result_finish(r, true);
	return send(l, r, true, err);
}

static int load_run(struct work *w, void *arg, struct err *err)
{
	struct load *l = arg;
	struct cache *c;

	l->work = w;
	l->began = clock_mono();
	if (l->want.have) {
		struct result *r = l->want.have;
		l->want.have = NULL;
		return send(l, r, false, err);
	}
	c = work_cache(w, err);
	if (!c || aim(l, c, err) < 0)
		return -1;
	if (l->want.sight->line.verb == VERB_SERIES)
		return load_series(l, c, err);
	return load_list(l, c, err);
}

static void load_part(void *arg, void *part)
{
	struct load *l = arg;

	if (l->arg)
		l->face->came(l->arg, part);
	else
		haul_free(part);
}

static void load_ended(void *arg, const struct err *err)
{
	struct load *l = arg;

	if (l->arg)
		l->face->ended(l->arg, err);
	for (size_t i = 0; l->kinds && l->kinds[i]; i++)
		free(l->kinds[i]);
	free(l->kinds);
	sight_free(l->want.sight);
	result_free(l->want.have);
	free(l->want.sort);
	free(l->want.filter);
	free(l->columns);
	free(l);
}

static const struct work_kind load_work = {load_run, load_part, load_ended};

struct work *load_start(struct desk *d, const struct want *want,
    const struct load_face *face, void *arg)
{
	const struct line *line = &want->sight->line;
	struct load *l = xcalloc(1, sizeof(*l));
	char title[120];

	l->want = *want;
	l->face = face;
	l->arg = arg;
	if (line->view)
		l->columns = view_columns(line->view, &l->ncolumns);
	snprintf(title, sizeof(title), "read %s", line->view ? line->view->name
	    : line->command ? line->command->name : "rows");
	return work_start(d, line->module ? line->module->name : "", title,
	    &load_work, l);
}

void load_forget(struct work *w)
{
	struct load *l = work_arg(w);

	l->arg = NULL;
	work_cancel(w);
}
