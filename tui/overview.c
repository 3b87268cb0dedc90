/* Home on the screen: the sections of home.h one below the other, and one
 * selection that goes through the rows of all of them. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "grid.h"
#include "home.h"
#include "pager.h"
#include "place.h"
#include "text.h"

/* A line of the body: a title, a row, why there are none, or nothing. */
struct home_line {
	enum { LINE_TITLE, LINE_ROW, LINE_EMPTY, LINE_BLANK } what;
	size_t	section, row;
};
struct overview {
	struct home		*home;
	struct grid		*grid;		/* one a section */
	struct home_line	*line;
	size_t			 nlines;
	size_t			 at, top;	/* lines */
	size_t			 nrows;
	size_t			 rows;		/* lines on the screen */
	int			 y, cols;
	struct buf		 key;		/* of the selected row */
};

static struct overview *overview_of(struct place *p)
{
	if (!p->own)
		p->own = xcalloc(1, sizeof(struct overview));
	return p->own;
}

/* ---- the selected row --------------------------------------------------------- */

/* What names a row beyond a refresh: of changes not their rank. */
static void line_key(struct place *p, const struct overview *o, size_t at,
    struct buf *out)
{
	static const char *const change[] = {"t", "kind", "key", "op", "field"};
	const struct home_line *l = &o->line[at];
	const struct home_section *s = &o->home->v[l->section];
	const char *names[VIEW_KEY_MAX + 1] = {"context"};
	size_t n = 1 + view_key(&p->screen->session->registry, s->view,
	    names + 1, VIEW_KEY_MAX);

	if (!strcmp(s->name, "changed")) {
		memcpy(names, change, sizeof(change));
		n = sizeof(change) / sizeof(*change);
	}
	buf_addf(out, "%s\n", s->name);
	for (size_t i = 0; i < n; i++) {
		int c = rows_column(&s->rows, names[i]);
		if (c < 0)
			continue;
		value_plain(out, s->columns[c].type,
		    rows_cell(&s->rows, l->row, (size_t)c));
		buf_addc(out, '\n');
	}
}

static void keep_selection(struct place *p, struct overview *o)
{
	buf_clear(&o->key);
	if (o->at < o->nlines && o->line[o->at].what == LINE_ROW)
		line_key(p, o, o->at, &o->key);
}

static bool is_row(const struct overview *o, size_t at)
{
	return at < o->nlines && o->line[at].what == LINE_ROW;
}

static void find_selection(struct place *p, struct overview *o)
{
	struct buf k = {0};
	size_t at = 0;

	for (size_t i = 0; o->key.n && i < o->nlines; i++) {
		if (!is_row(o, i))
			continue;
		buf_clear(&k);
		line_key(p, o, i, &k);
		if (k.n == o->key.n && !memcmp(k.p, o->key.p, k.n)) {
			o->at = i;
			buf_free(&k);
			return;
		}
	}
	buf_free(&k);
	if (o->at >= o->nlines)
		o->at = o->nlines ? o->nlines - 1 : 0;
	for (at = o->at; at < o->nlines && !is_row(o, at); at++)
		;
	while (at && !is_row(o, at))
		at--;
	o->at = at;
	keep_selection(p, o);
}

/* ---- lines ---------------------------------------------------------------------- */

static void add_line(struct overview *o, int what, size_t section, size_t row)
{
	o->line = xrealloc(o->line, o->nlines + 1, sizeof(*o->line));
	o->line[o->nlines++] = (struct home_line){
		.what = what, .section = section, .row = row,
	};
}

static const struct cell *row_cells(const struct home_section *s, size_t row,
    struct cell *cells)
{
	for (size_t c = 0; c < s->nshown; c++)
		cells[c] = rows_cell(&s->table, row, c);
	return cells;
}

static bool is_fault(const struct home_section *s, size_t row)
{
	int c = rows_column(&s->table, "status");
	struct cell v;

	if (c < 0)
		return false;
	v = rows_cell(&s->table, row, (size_t)c);
	return v.tag == CELL_TEXT && v.n && (v.s[0] == 'b' || v.s[0] == 'd');
}

static int empty_width(const struct overview *o)
{
	return o->cols > 20 ? o->cols - 4 : 76;
}

static size_t add_rows(struct place *p, struct overview *o, size_t section,
    struct filter *f)
{
	const struct home_section *s = &o->home->v[section];
	struct cell *cells = xcalloc(s->nshown + 1, sizeof(*cells));
	size_t n = 0;

	for (size_t i = 0; i < s->table.n; i++) {
		if (p->faults && !is_fault(s, i))
			continue;
		if (f && !filter_match(f, s->shown, s->nshown,
		    row_cells(s, i, cells), p->sight->ncontexts > 1))
			continue;
		add_line(o, LINE_ROW, section, i);
		n++;
	}
	free(cells);
	return n;
}

/* A line for each piece of it that fits. */
static void add_empty(struct overview *o, size_t section)
{
	const char *s = o->home->v[section].empty;
	size_t at = 0, n = strlen(s);

	while (at < n) {
		add_line(o, LINE_EMPTY, section, at);
		at += pager_line(s + at, n - at, empty_width(o));
		at += at < n && s[at] == ' ';
	}
}

static void lay_out(struct place *p, struct overview *o)
{
	struct filter *f = p->filter ? filter_new(p->filter, NULL) : NULL;

	o->nlines = o->nrows = 0;
	for (size_t i = 0; o->home && i < o->home->n; i++) {
		const struct home_section *s = &o->home->v[i];
		size_t n;
		if (i)
			add_line(o, LINE_BLANK, i, 0);
		add_line(o, LINE_TITLE, i, 0);
		n = add_rows(p, o, i, f);
		o->nrows += n;
		if (!n && !s->table.n && s->empty)
			add_empty(o, i);
	}
	filter_free(f);
	find_selection(p, o);
}

static void make_grids(struct place *p, struct overview *o, struct home *h)
{
	struct how how = {.format = FORMAT_TABLE,
	    .context = p->sight->ncontexts > 1};

	o->grid = xcalloc(h->n + 1, sizeof(*o->grid));
	for (size_t i = 0; i < h->n; i++) {
		const struct home_section *s = &h->v[i];
		struct cell *cells = xcalloc(s->nshown + 1, sizeof(*cells));
		grid_init(&o->grid[i], s->shown, s->nshown, &how);
		for (size_t r = 0; r < s->table.n; r++)
			grid_measure(&o->grid[i], row_cells(s, r, cells));
		free(cells);
	}
}

static void drop_home(struct overview *o)
{
	for (size_t i = 0; o->home && i < o->home->n; i++)
		grid_release(&o->grid[i]);
	free(o->grid);
	o->grid = NULL;
	if (o->home)
		home_release(o->home);
	free(o->home);
	o->home = NULL;
}

/* ---- reading -------------------------------------------------------------------- */

struct home_load {
	struct place	*place;		/* NULL: nobody waits any more */
	struct sight	*sight;
	int64_t		 at, began, limit;
};

static int load_run(struct work *w, void *arg, struct err *err)
{
	struct home_load *l = arg;
	int64_t since = line_since(&l->sight->line, l->at);
	struct cache *c = work_cache(w, err);
	struct home *h;

	if (!c || cache_aim(c, l->sight->names, l->sight->ncontexts, l->at,
	    since, err) < 0)
		return -1;
	h = xcalloc(1, sizeof(*h));
	if (home_load(work_session(w), c, l->sight->ncontexts > 1, l->at,
	    since, l->limit, work_task(w), h, err) < 0) {
		free(h);
		return -1;
	}
	work_send(w, h);
	return 0;
}

static void load_part(void *arg, void *part)
{
	struct home_load *l = arg;
	struct place *p = l->place;
	struct overview *o;

	if (!p) {
		home_release(part);
		free(part);
		return;
	}
	o = overview_of(p);
	drop_home(o);
	o->home = part;
	make_grids(p, o, o->home);
	lay_out(p, o);
	p->took = clock_mono() - l->began;
}

static void load_ended(void *arg, const struct err *err)
{
	struct home_load *l = arg;
	struct place *p = l->place;

	if (p)
		p->load = NULL;
	if (p && !(err && err->code == ERR_CANCELLED)) {
		p->loaded = true;
		free(p->error);
		p->error = err ? xstrdup(err->text) : NULL;
	}
	sight_free(l->sight);
	free(l);
}

static const struct work_kind home_work = {load_run, load_part, load_ended};

static void forget(struct place *p)
{
	if (!p->load)
		return;
	((struct home_load *)work_arg(p->load))->place = NULL;
	work_cancel(p->load);
	p->load = NULL;
}

static void load(struct place *p)
{
	struct home_load *l = xcalloc(1, sizeof(*l));
	int64_t limit = p->sight->line.flags.limit;

	forget(p);
	*l = (struct home_load){
		.place = p, .sight = sight_ref(p->sight),
		.at = p->screen->at, .began = clock_mono(),
		.limit = limit >= 0 ? limit : 10,
	};
	if (!p->kinds) {
		const char **names = home_kinds(p->screen->session);
		size_t n = 0;
		while (names[n])
			n++;
		p->kinds = xcalloc(n + 1, sizeof(*p->kinds));
		for (size_t i = 0; i < n; i++)
			p->kinds[i] = xstrdup(names[i]);
		free(names);
	}
	p->load = work_start(p->screen->desk, "", "read home", &home_work, l);
}

/* ---- drawing -------------------------------------------------------------------- */

static void draw_title(const struct overview *o, const struct home_line *l,
    struct frame *f, int y)
{
	const struct home_section *s = &o->home->v[l->section];
	int x, width = text_width(s->right, strlen(s->right));

	if (s->heads && s->table.n) {
		grid_head(&o->grid[l->section], f, y);
		return;
	}
	x = frame_puts(f, 3, y, LOOK_HEAD, s->title);
	if (!*s->right || s->right == s->empty)
		return;
	if (x + 2 + width < f->cols)
		frame_puts(f, f->cols - 1 - width, y, LOOK_OLD, s->right);
}

/* An age that ends a finding stands at the right edge. */
static void push_right(const struct home_section *s, const struct grid *g,
    struct frame *f)
{
	int sum = 3 - 2, wide = -1;

	if (!s->right_last)
		return;
	for (size_t i = 0; i < g->n; i++) {
		if (g->shown[i] < 0)
			continue;
		sum += g->shown[i] + 2;
		if (!strcmp(g->layout.columns[i].name, "text"))
			wide = (int)i;
	}
	if (wide >= 0 && sum < f->cols - 1)
		g->shown[wide] += f->cols - 1 - sum;
}

static void draw_row(struct place *p, struct overview *o, size_t at,
    struct frame *f, int y)
{
	const struct home_line *l = &o->line[at];
	const struct home_section *s = &o->home->v[l->section];
	struct cell *cells = xcalloc(s->nshown + 1, sizeof(*cells));

	(void)p;
	grid_row(&o->grid[l->section], f, y, at == o->at ? ROW_SELECTED : 0,
	    row_cells(s, l->row, cells));
	free(cells);
}

static void scroll(struct overview *o)
{
	size_t first = o->at;

	if (!o->rows)
		return;
	/* The title above a first row comes into view with it. */
	while (first && o->line[first].what == LINE_ROW && first - 1 < o->nlines
	    && o->line[first - 1].what != LINE_ROW)
		first--;
	if (first < o->top)
		o->top = first && o->line[first].what == LINE_BLANK ? first + 1
								    : first;
	if (o->at >= o->top + o->rows)
		o->top = o->at - o->rows + 1;
	if (o->nlines <= o->rows)
		o->top = 0;
	else if (o->top + o->rows > o->nlines)
		o->top = o->nlines - o->rows;
}

static void draw_line(struct place *p, struct overview *o, size_t at,
    struct frame *f, int y)
{
	const struct home_line *l = &o->line[at];
	const struct home_section *s = &o->home->v[l->section];

	switch (l->what) {
	case LINE_TITLE:
		draw_title(o, l, f, y);
		break;
	case LINE_ROW:
		draw_row(p, o, at, f, y);
		break;
	case LINE_EMPTY:
		frame_put(f, 3, y, f->cols, s->empty == s->right ? LOOK_BAD
		    : LOOK_OLD, s->empty + l->row, pager_line(s->empty +
		    l->row, strlen(s->empty + l->row), empty_width(o)));
		break;
	case LINE_BLANK:
		break;
	}
}

static void draw(struct place *p, struct frame *f, int y, int rows)
{
	struct overview *o = overview_of(p);

	o->rows = rows > 0 ? (size_t)rows : 0;
	o->y = y;
	if (!o->home) {
		pager_wrap(f, y, rows, p->error ? LOOK_BAD : LOOK_PLAIN,
		    p->error ? p->error : p->screen->play ? "" : "Reading.");
		return;
	}
	if (o->cols != f->cols) {
		o->cols = f->cols;
		lay_out(p, o);
	}
	for (size_t i = 0; i < o->home->n; i++) {
		grid_fit(&o->grid[i], f->cols);
		push_right(&o->home->v[i], &o->grid[i], f);
	}
	scroll(o);
	for (size_t i = 0; i < o->rows && o->top + i < o->nlines; i++)
		draw_line(p, o, o->top + i, f, y + (int)i);
	if (f->x < 0) {
		f->x = 0;
		f->y = y;
	}
}

/* ---- keys ------------------------------------------------------------------------ */

static void move(struct place *p, struct overview *o, int step, size_t count)
{
	size_t at = o->at;

	for (size_t i = 0; i < o->nlines && count; i++) {
		if ((step < 0 && !at) || (step > 0 && at + 1 >= o->nlines))
			break;
		at += step > 0 ? 1 : (size_t)-1;
		if (is_row(o, at)) {
			o->at = at;
			count--;
		}
	}
	keep_selection(p, o);
}

static bool key(struct place *p, const char *key)
{
	struct overview *o = overview_of(p);

	if (!strcmp(key, "<Down>") || !strcmp(key, "j"))
		move(p, o, 1, 1);
	else if (!strcmp(key, "<Up>") || !strcmp(key, "k"))
		move(p, o, -1, 1);
	else if (!strcmp(key, "<PgDn>") || !strcmp(key, "<C-f>"))
		move(p, o, 1, o->rows);
	else if (!strcmp(key, "<PgUp>") || !strcmp(key, "<C-b>"))
		move(p, o, -1, o->rows);
	else if (!strcmp(key, "<Home>") || !strcmp(key, "g"))
		move(p, o, -1, SIZE_MAX);
	else if (!strcmp(key, "<End>") || !strcmp(key, "G"))
		move(p, o, 1, SIZE_MAX);
	else
		return false;
	return true;
}

static void click(struct place *p, int y)
{
	struct overview *o = overview_of(p);
	size_t at = o->top + (size_t)(y - o->y);

	if (y >= o->y && is_row(o, at)) {
		o->at = at;
		keep_selection(p, o);
	}
}

static bool selected(struct place *p, struct selected *out)
{
	struct overview *o = overview_of(p);
	const struct home_section *s;

	if (!is_row(o, o->at))
		return false;
	s = &o->home->v[o->line[o->at].section];
	*out = (struct selected){
		.view = s->view, .module = s->module,
		.columns = s->columns, .n = s->ncolumns,
		.cells = xcalloc(s->ncolumns + 1, sizeof(struct cell)),
	};
	for (size_t c = 0; c < s->ncolumns; c++)
		out->cells[c] = rows_cell(&s->rows, o->line[o->at].row, c);
	return true;
}

static int choose(struct place *p, const char *what, const char *arg,
    struct err *err)
{
	struct overview *o = overview_of(p);
	struct filter *f = NULL;

	if (!strcmp(what, "faults")) {
		p->faults = !p->faults;
	} else if (!strcmp(what, "filter")) {
		if (arg && *arg && !(f = filter_new(arg, err)))
			return -1;
		filter_free(f);
		free(p->filter);
		p->filter = f ? xstrdup(arg) : NULL;
	} else {
		return err_set(err, ERR_FAILED, "home has no %s: each section "
		    "is a list of its own, Enter opens what is selected", what);
	}
	lay_out(p, o);
	return 0;
}

static void status(struct place *p, struct buf *out)
{
	struct overview *o = overview_of(p);
	size_t before = 0;

	for (size_t i = 0; i < o->at && i < o->nlines; i++)
		before += is_row(o, i);
	buf_addf(out, "%zu/%zu", o->nrows ? before + 1 : 0, o->nrows);
	if (p->filter)
		buf_addf(out, "\n/%s", p->filter);
	if (p->faults)
		buf_adds(out, "\nfaults only");
	if (p->error && o->home)
		buf_addf(out, "\n%s", p->error);
}

/* What the row is about: its object, else its first column. */
static void copy(struct place *p, struct buf *out)
{
	struct selected s;
	int c = -1;

	if (!selected(p, &s))
		return;
	for (size_t i = 0; i < s.n; i++)
		if (!strcmp(s.columns[i].name, "object"))
			c = (int)i;
	for (size_t i = 0; c < 0 && i < s.n; i++)
		if (strcmp(s.columns[i].name, "context"))
			c = (int)i;
	if (c >= 0)
		value_plain(out, s.columns[c].type, s.cells[c]);
	free(s.cells);
}

static int64_t seen(struct place *p)
{
	struct overview *o = overview_of(p);

	return o->home ? o->home->seen : 0;
}

static void headline(struct place *p, struct buf *out)
{
	const struct home *h = overview_of(p)->home;

	if (!h || !h->sources)
		return;
	buf_addf(out, "%zu source%s", h->sources, h->sources == 1 ? "" : "s");
	if (h->down)
		buf_addf(out, ", %zu down", h->down);
}

static void release(struct place *p)
{
	struct overview *o = p->own;

	if (!o)
		return;
	drop_home(o);
	free(o->line);
	buf_free(&o->key);
	free(o);
	p->own = NULL;
}

const struct body overview_body = {
	.load = load, .draw = draw, .key = key, .selected = selected,
	.status = status, .copy = copy, .seen = seen, .choose = choose,
	.click = click, .headline = headline, .forget = forget,
	.release = release,
};
