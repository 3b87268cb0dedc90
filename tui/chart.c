/* A series as a chart: braille dots, two a cell across and four down, with the
 * values and times of its axes. Where samples are missing there is nothing;
 * no line is drawn over a gap. */
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "place.h"
#include "text.h"
#include "view.h"

struct chart {
	struct haul	*haul;
	struct series	 series;
};

static struct chart *chart_of(struct place *p)
{
	if (!p->own)
		p->own = xcalloc(1, sizeof(struct chart));
	return p->own;
}

/* ---- reading ---------------------------------------------------------------- */

static void came(void *arg, struct haul *h)
{
	struct place *p = arg;
	struct chart *c = chart_of(p);
	const struct rows *r = &h->result->rows;

	haul_free(c->haul);
	c->haul = h;
	free(c->series.v);
	c->series = (struct series){0};
	c->series.v = xcalloc(r->n + 1, sizeof(*c->series.v));
	for (size_t i = 0; i < r->n; i++) {
		struct cell t = rows_cell(r, i, 0), v = rows_cell(r, i, 1);
		if (t.tag != CELL_INT)
			continue;
		c->series.v[c->series.n++] = (struct sample){
			.t = t.i,
			.v = v.tag == CELL_INT || v.tag == CELL_REAL
			    ? cell_number(v) : NAN,
		};
	}
	p->loaded = true;
	p->took = h->took;
}

static void ended(void *arg, const struct err *err)
{
	struct place *p = arg;

	p->load = NULL;
	if (err && err->code == ERR_CANCELLED)
		return;
	p->loaded = true;
	free(p->error);
	p->error = err ? xstrdup(err->text) : NULL;
}

static const struct load_face face = {came, ended};

static void load(struct place *p)
{
	struct want w = {.at = p->screen->at, .format = -1,
	    .sight = sight_ref(p->sight)};

	if (p->load)
		load_forget(p->load);
	p->load = load_start(p->screen->desk, &w, &face, p);
}

/* ---- drawing ---------------------------------------------------------------- */

static const struct column *column_of(const struct place *p)
{
	const struct line *l = &p->sight->line;

	for (const struct column *c = l->view->columns; c->name; c++)
		if (!strcmp(c->name, l->column))
			return c;
	return NULL;
}

/* Facts that are words have no curve: what they were is listed. */
static bool is_words(const struct chart *c)
{
	const struct rows *r = &c->haul->result->rows;

	for (size_t i = 0; i < r->n; i++)
		if (rows_cell(r, i, 1).tag == CELL_TEXT)
			return true;
	return false;
}

static void draw_words(const struct chart *c, struct frame *f, int y,
    int rows)
{
	const struct rows *r = &c->haul->result->rows;
	size_t first = r->n > (size_t)rows ? r->n - (size_t)rows : 0;

	for (size_t i = first; i < r->n; i++) {
		struct buf b = {0};
		int at = y + (int)(i - first), x;
		value_show(&b, TYPE_TIME, 0, SPELL_SHORT, rows_cell(r, i, 0));
		x = frame_puts(f, 3, at, LOOK_OLD, buf_str(&b));
		buf_clear(&b);
		value_show(&b, TYPE_ANY, 0, SPELL_SHORT, rows_cell(r, i, 1));
		frame_puts(f, x + 2, at, LOOK_PLAIN, buf_str(&b));
		buf_free(&b);
	}
}

static void draw(struct place *p, struct frame *f, int y, int rows)
{
	struct chart *c = chart_of(p);
	const struct column *col = column_of(p);
	int64_t at = p->screen->at ? p->screen->at : clock_now();

	if (p->error || !c->haul || !c->series.n) {
		pager_wrap(f, y + 1, rows - 1, p->error ? LOOK_BAD : LOOK_PLAIN,
		    p->error ? p->error : !c->haul
		    ? p->screen->play ? "" : "Reading."
		    : "No samples in that time: nobody fetched, or it did "
		      "not change.");
		return;
	}
	if (is_words(c)) {
		draw_words(c, f, y, rows);
		return;
	}
	c->series.from = line_since(&p->sight->line, p->screen->at);
	c->series.to = at;
	c->series.type = col ? col->type : TYPE_NUMBER;
	c->series.title = col && col->title ? col->title : p->sight->line.column;
	plot_draw(&c->series, f, y, rows);
	f->x = 0;
	f->y = y;
}

/* ---- keys ------------------------------------------------------------------- */

static bool has_curve(const struct column *c, const char *const *key, size_t n)
{
	switch (c->type) {
	case TYPE_NUMBER:
	case TYPE_LATENCY:
	case TYPE_SHARE:
	case TYPE_SIZE:
	case TYPE_DURATION:
		break;
	default:
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (!strcmp(key[i], c->name))
			return false;
	return true;
}

/* The column whose past `v` shows: the one sorted by, else the first that has a
 * curve. */
const char *place_chart_column_of(struct place *p, const struct view *v)
{
	const char *key[VIEW_KEY_MAX], *first = NULL;
	const char *sort = p->sort ? p->sort : v ? v->sort : NULL;
	size_t n = v ? view_key(&p->screen->session->registry, v, key,
	    VIEW_KEY_MAX) : 0;

	for (const struct column *c = v ? v->columns : NULL; c && c->name;
	    c++) {
		size_t len = strlen(c->name);
		if (!has_curve(c, key, n))
			continue;
		if (sort && !strncmp(sort, c->name, len) &&
		    (!sort[len] || strchr(":,", sort[len])))
			return c->name;
		if (!first)
			first = c->name;
	}
	return first;
}

const char *place_chart_column(struct place *p)
{
	return place_chart_column_of(p, p->sight ? p->sight->line.view : NULL);
}

static const char *neighbour(struct place *p, int step)
{
	const struct line *l = &p->sight->line;
	const char *key[VIEW_KEY_MAX], *before = NULL, *last = NULL,
	    *first = NULL;
	size_t n = view_key(&p->screen->session->registry, l->view, key,
	    VIEW_KEY_MAX);
	bool next = false;
	const char *found = NULL;

	for (const struct column *c = l->view->columns; c->name; c++) {
		if (!has_curve(c, key, n))
			continue;
		if (!first)
			first = c->name;
		if (next && !found)
			found = c->name;
		next = !strcmp(c->name, l->column);
		if (next)
			before = last;
		last = c->name;
	}
	if (step > 0)
		return found ? found : first;
	return before ? before : last;
}

static void go_to(struct place *p, const char *column)
{
	const struct line *l = &p->sight->line;
	const char **argv;
	int n = 0;

	if (!column)
		return;
	argv = xcalloc(l->nargs + 8, sizeof(*argv));
	if (*l->module->name)
		argv[n++] = l->module->name;
	argv[n++] = l->view->name;
	argv[n++] = "series";
	argv[n++] = column;
	if (l->flags.since_text) {
		argv[n++] = "--since";
		argv[n++] = l->flags.since_text;
	}
	argv[n++] = "--";
	for (size_t i = 0; i < l->nargs; i++)
		argv[n++] = l->args[i];
	screen_run_argv(p->screen, n, argv);
	free(argv);
}

static bool key(struct place *p, const char *key)
{
	if (!strcmp(key, "<Tab>") || !strcmp(key, "<Right>"))
		go_to(p, neighbour(p, 1));
	else if (!strcmp(key, "<S-Tab>") || !strcmp(key, "<Left>"))
		go_to(p, neighbour(p, -1));
	else
		return false;
	return true;
}

static void status(struct place *p, struct buf *out)
{
	buf_addf(out, "%zu samples", chart_of(p)->series.n);
}

static void copy(struct place *p, struct buf *out)
{
	struct chart *c = chart_of(p);

	for (size_t i = 0; i < c->series.n; i++) {
		value_rfc3339(out, c->series.v[i].t);
		buf_addc(out, '\t');
		if (!isnan(c->series.v[i].v))
			value_number(out, c->series.v[i].v);
		buf_addc(out, '\n');
	}
}

static struct haul *rows(struct place *p)
{
	struct chart *c = chart_of(p);
	struct haul *h;

	if (!c->haul)
		return NULL;
	h = xcalloc(1, sizeof(*h));
	h->result = result_ref(c->haul->result);
	h->n = h->result->rows.n;
	return h;
}

static void release(struct place *p)
{
	struct chart *c = p->own;

	if (!c)
		return;
	haul_free(c->haul);
	free(c->series.v);
	free(c);
	p->own = NULL;
}

const struct body chart_body = {
	.load = load, .draw = draw, .key = key, .status = status,
	.copy = copy, .rows = rows, .release = release,
};
