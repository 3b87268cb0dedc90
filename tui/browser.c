/* The table: rows of a view or of a command. It holds what was read, an order
 * over it, and a selection that stays on its row by key, whatever is read
 * anew. */
#include <stdlib.h>
#include <string.h>

#include "browser.h"
#include "text.h"
#include "view.h"

/* ---- keys of rows ---------------------------------------------------------- */

/* The columns that name a row: context and the view's key; all columns where
 * rows have none. */
static void find_keys(struct browser *b, struct place *p)
{
	const struct registry *r = &p->screen->session->registry;
	const struct view *v = p->sight ? p->sight->line.view : NULL;
	const char *names[VIEW_KEY_MAX + 1] = {"context"};
	const struct rows *rows = &b->haul->result->rows;
	size_t n = v ? 1 + view_key(r, v, names + 1, VIEW_KEY_MAX) : 0;

	b->nkeys = 0;
	for (size_t i = 0; i < n; i++) {
		int c = rows_column(rows, names[i]);
		if (c >= 0)
			b->keys[b->nkeys++] = c;
	}
	for (size_t c = 0; !b->nkeys && c < rows->ncolumns && c < KEYS_MAX; c++)
		b->keys[c] = (int)c;
	if (!b->nkeys)
		b->nkeys = rows->ncolumns < KEYS_MAX ? rows->ncolumns
						     : KEYS_MAX;
}

static void row_key(const struct browser *b, uint32_t row, struct buf *out)
{
	for (size_t i = 0; i < b->nkeys; i++) {
		struct cell c = rows_cell(&b->haul->result->rows, row,
		    (size_t)b->keys[i]);
		buf_addf(out, "%d:", (int)c.tag);
		if (c.tag == CELL_TEXT)
			buf_add(out, c.s, c.n);
		else if (c.tag == CELL_INT)
			buf_addf(out, "%lld", (long long)c.i);
		else if (c.tag == CELL_REAL)
			buf_addf(out, "%.17g", c.d);
		buf_addc(out, '\n');
	}
}

static struct cell key_cell(const struct browser *b, size_t at, size_t i)
{
	return rows_cell(&b->haul->result->rows, haul_row(b->haul, at),
	    (size_t)b->keys[i]);
}

/* With texts of its own: the rows go when others come. */
static void keep_selection(struct browser *b)
{
	size_t used = 0;

	buf_clear(&b->kept_text);
	b->nkept = b->at < b->haul->n ? b->nkeys : 0;
	for (size_t i = 0; i < b->nkept; i++) {
		b->kept[i] = key_cell(b, b->at, i);
		if (b->kept[i].tag == CELL_TEXT)
			buf_add(&b->kept_text, b->kept[i].s, b->kept[i].n);
	}
	/* It moved while it grew. */
	for (size_t i = 0; i < b->nkept; i++)
		if (b->kept[i].tag == CELL_TEXT) {
			b->kept[i].s = buf_str(&b->kept_text) + used;
			used += b->kept[i].n;
		}
}

static bool same_cell(const struct cell *a, const struct cell *b)
{
	if (a->tag != b->tag)
		return false;
	switch (a->tag) {
	case CELL_TEXT:
		return a->n == b->n && !memcmp(a->s, b->s, a->n);
	case CELL_INT:
		return a->i == b->i;
	case CELL_REAL:
		return !memcmp(&a->d, &b->d, sizeof(a->d));
	default:
		return true;
	}
}

/* On the loop, for every row of a list perhaps: the first column that differs
 * decides. */
static bool is_kept(const struct browser *b, size_t at)
{
	for (size_t i = 0; i < b->nkept; i++) {
		struct cell c = key_cell(b, at, i);
		if (!same_cell(&c, &b->kept[i]))
			return false;
	}
	return true;
}

/* Puts the selection on the row that it was on, on the same line of the screen;
 * when that row is gone, on the one that took its place. */
static void find_selection(struct browser *b)
{
	size_t n = b->haul->n, line = b->at - b->top, before = b->at;
	bool known = b->nkept && b->nkept == b->nkeys, found = false;

	/* Most often it is where it was, else anywhere. */
	for (size_t i = 0; known && i <= n && !found; i++) {
		size_t at = i ? i - 1 : before;
		found = at < n && is_kept(b, at);
		if (found)
			b->at = at;
	}
	if (b->at >= n)
		b->at = n ? n - 1 : 0;
	b->top = b->at > line ? b->at - line : 0;
	if (!found)
		keep_selection(b);
}

/* ---- columns ---------------------------------------------------------------- */

static void pick_columns(struct browser *b, struct place *p)
{
	const struct result *r = b->haul->result;
	const char *names = p->sight ? p->sight->line.flags.columns : NULL;
	int n = -1;

	free(b->pick);
	b->pick = xcalloc(r->ncolumns + 64, sizeof(*b->pick));
	b->chosen = false;
	if (names)
		n = view_pick(r->columns, r->ncolumns, names, b->pick,
		    r->ncolumns + 64, NULL);
	b->chosen = n >= 0;
	for (n = n < 0 ? 0 : n; !b->chosen && (size_t)n < r->ncolumns; n++)
		b->pick[n] = n;
	b->npick = (size_t)n;
	free(b->columns);
	b->columns = xcalloc(b->npick + 1, sizeof(*b->columns));
	for (size_t i = 0; i < b->npick; i++)
		b->columns[i] = r->columns[b->pick[i]];
}

static void show_arrow(struct browser *b, const struct place *p)
{
	struct order by[1];

	b->grid.sorted = -1;
	if (!p->sort || !b->columns)
		return;
	/* Only the first counts, and the last of by[] is of no interest. */
	struct buf first = {0};
	buf_add(&first, p->sort, strcspn(p->sort, ","));
	if (view_order(b->columns, b->npick, buf_str(&first), by, 1, NULL) == 1) {
		b->grid.sorted = by[0].column;
		b->grid.desc = by[0].desc;
	}
	buf_free(&first);
}

static void lay_out(struct browser *b, struct place *p)
{
	struct how how = {
		.format = p->wide ? FORMAT_WIDE : FORMAT_TABLE,
		.context = p->sight && p->sight->ncontexts > 1,
		.bare = b->chosen,
	};

	pick_columns(b, p);
	grid_release(&b->grid);
	grid_init(&b->grid, b->columns, b->npick, &how);
	show_arrow(b, p);
	b->measured = 0;
	free(b->cells);
	b->cells = xcalloc(b->npick + 1, sizeof(*b->cells));
}

static const struct cell *cells_of(const struct browser *b, size_t at)
{
	uint32_t row = haul_row(b->haul, at);

	for (size_t i = 0; i < b->npick; i++)
		b->cells[i] = rows_cell(&b->haul->result->rows, row,
		    (size_t)b->pick[i]);
	return b->cells;
}

/* As `table` takes its widths: from the first thousand. What comes into view
 * later widens further. */
static void measure(struct browser *b)
{
	size_t n = b->haul->n < 1000 ? b->haul->n : 1000;

	for (; b->measured < n; b->measured++)
		grid_measure(&b->grid, cells_of(b, b->measured));
}

static bool same_columns(const struct result *a, const struct result *b)
{
	if (a->ncolumns != b->ncolumns)
		return false;
	for (size_t i = 0; i < a->ncolumns; i++)
		if (strcmp(a->columns[i].name, b->columns[i].name))
			return false;
	return true;
}

/* ---- what came --------------------------------------------------------------- */

struct browser *browser_of(struct place *p)
{
	if (!p->own)
		p->own = xcalloc(1, sizeof(struct browser));
	return p->own;
}

void browser_take(struct place *p, struct haul *h)
{
	struct browser *b = browser_of(p);
	struct haul *before = b->haul;
	bool fresh = !before || !same_columns(before->result, h->result);

	/* A first page of what is there already would only be a step back. */
	if (before && !h->result->whole && before->result->whole && !fresh &&
	    !b->awaited) {
		haul_free(h);
		return;
	}
	b->haul = h;
	b->awaited = false;
	if (fresh)
		lay_out(b, p);
	/* The columns of the result that went are gone with it. */
	for (size_t i = 0; i < b->npick; i++)
		b->columns[i] = h->result->columns[b->pick[i]];
	b->measured = 0;
	measure(b);
	find_keys(b, p);
	find_selection(b);
	haul_free(before);
}

static void came(void *arg, struct haul *h)
{
	struct place *p = arg;

	p->loaded = true;
	if (!h->reordered)
		p->took = h->took;
	if (h->kinds) {
		for (size_t i = 0; p->kinds && p->kinds[i]; i++)
			free(p->kinds[i]);
		free(p->kinds);
		p->kinds = h->kinds;
		h->kinds = NULL;
	}
	free(p->error);
	p->error = NULL;
	/* A detail's fields in another order are no row to be turned. */
	if (p->sight->line.verb == VERB_SHOW && !h->reordered)
		h = detail_of(p, h);
	if (h)
		browser_take(p, h);
}

static void ended(void *arg, const struct err *err)
{
	struct place *p = arg;

	p->load = NULL;
	if (err && err->code == ERR_CANCELLED)
		return;
	p->loaded = true;
	if (!err)
		return;
	free(p->error);
	p->error = xstrdup(err->text);
}

static const struct load_face face = {came, ended};

static int page_of(const struct place *p)
{
	return p->screen->frame.rows > 100 ? p->screen->frame.rows : 100;
}

static void load(struct place *p)
{
	struct browser *b = browser_of(p);
	struct want w = {.at = p->screen->at, .faults = p->faults,
	    .format = -1};

	if (!p->sight || !p->sight->line.view)
		return;
	if (p->load)
		load_forget(p->load);
	if (!sight_has_past(p->sight))
		w.at = 0;
	w.sight = sight_ref(p->sight);
	w.sort = p->sort ? xstrdup(p->sort) : NULL;
	w.filter = p->filter && *p->filter ? xstrdup(p->filter) : NULL;
	w.page = b->haul && !b->awaited ? 0 : page_of(p);
	p->load = load_start(p->screen->desk, &w, &face, p);
}

/* Sorts and filters what is there; reads it anew when that isn't all. */
static void reorder(struct place *p)
{
	struct browser *b = browser_of(p);
	struct want w = {.at = p->screen->at, .faults = p->faults,
	    .format = -1};

	show_arrow(b, p);
	if (!b->haul)
		return;
	if (!b->haul->result->whole) {
		b->awaited = true;
		load(p);
		return;
	}
	if (p->load)
		load_forget(p->load);
	w.sight = sight_ref(p->sight);
	w.sort = p->sort ? xstrdup(p->sort) : NULL;
	w.filter = p->filter && *p->filter ? xstrdup(p->filter) : NULL;
	w.have = result_ref(b->haul->result);
	p->load = load_start(p->screen->desk, &w, &face, p);
}

/* ---- drawing ------------------------------------------------------------------ */

/* A row that is bad is old as well when nobody confirmed it. */
static bool is_old(const struct place *p, const struct browser *b, size_t at)
{
	const struct rows *rows = &b->haul->result->rows;
	int seen = rows_column(rows, "seen");
	int64_t now = p->screen->at ? p->screen->at : clock_now();
	struct cell c;

	if (seen < 0 || !b->every)
		return false;
	c = rows_cell(rows, haul_row(b->haul, at), (size_t)seen);
	return c.tag == CELL_INT && now - c.i > 3 * b->every;
}

static int64_t every_of(const struct place *p)
{
	const struct registry *r = &p->screen->session->registry;
	const struct view *v = p->sight ? p->sight->line.view : NULL;
	const char *of = !v ? NULL : v->every_of ? v->every_of : v->kind;
	const struct kind *k = of ? registry_kind(r, of) : NULL;
	const struct module *m = k ? registry_module_of_kind(r, of) : NULL;
	int64_t every;
	char *path;

	if (!m || v->flags & VIEW_NO_STATUS)
		return 0;
	path = xasprintf("%s.every", m->name);
	every = context_duration(p->sight->contexts[0], path, k->every);
	free(path);
	return every;
}

static bool is_marked(const struct browser *b, size_t at)
{
	struct buf k = {0};
	bool found = false;

	if (!b->nmarks)
		return false;
	row_key(b, haul_row(b->haul, at), &k);
	for (size_t i = 0; i < b->nmarks && !found; i++)
		found = !strcmp(b->marks[i], buf_str(&k));
	buf_free(&k);
	return found;
}

static void scroll(struct browser *b, size_t lines)
{
	if (!lines)
		return;
	if (b->at < b->top)
		b->top = b->at;
	if (b->at >= b->top + lines)
		b->top = b->at - lines + 1;
	if (b->top + lines > b->haul->n)
		b->top = b->haul->n > lines ? b->haul->n - lines : 0;
}

static void add_where(struct buf *out, const struct flags *f)
{
	buf_adds(out, "No row is where ");
	for (size_t i = 0; i < f->nwhere; i++)
		buf_addf(out, "%s%s", i ? " and " : "", f->where[i]);
	buf_addc(out, '.');
}

/* Why nothing is to be seen. */
static void draw_empty(struct place *p, const struct browser *b,
    struct frame *f, int y, int rows)
{
	const struct view *v = p->sight ? p->sight->line.view : NULL;
	struct buf t = {0};

	if (!b->haul && !p->error && !p->loaded)
		buf_adds(&t, p->screen->play ? "" : "Reading.");
	else if (p->error)
		buf_adds(&t, p->error);
	else if (b->haul && b->haul->result->rows.n && (p->filter ||
	    p->faults))
		buf_addf(&t, "None of %zu rows is left by %s%s%s.",
		    b->haul->result->rows.n, p->filter ? "the filter " : "",
		    p->filter ? p->filter : "",
		    p->faults ? p->filter ? ", faults only" : "faults only"
			      : "");
	else if (p->sight && p->sight->line.flags.nwhere)
		add_where(&t, &p->sight->line.flags);
	else if (p->screen->at && sight_has_past(p->sight))
		buf_adds(&t, "Nothing was there at that time, as far as it "
		    "was fetched. T and Enter is now.");
	else if (v && v->empty)
		buf_adds(&t, v->empty);
	else
		buf_adds(&t, "No rows.");
	pager_wrap(f, y, rows, p->error ? LOOK_BAD : LOOK_PLAIN, buf_str(&t));
	buf_free(&t);
}

static void draw_rows(struct place *p, struct browser *b, struct frame *f,
    int y, size_t lines)
{
	for (size_t i = 0; i < lines && b->top + i < b->haul->n; i++)
		grid_measure(&b->grid, cells_of(b, b->top + i));
	grid_fit(&b->grid, f->cols);
	grid_head(&b->grid, f, y);
	for (size_t i = 0; i < lines && b->top + i < b->haul->n; i++) {
		size_t at = b->top + i;
		unsigned flags = at == b->at ? ROW_SELECTED : 0;
		if (is_marked(b, at))
			flags |= ROW_MARKED;
		if (is_old(p, b, at))
			flags |= ROW_OLD;
		grid_row(&b->grid, f, y + 1 + (int)i, flags, cells_of(b, at));
	}
}

static void draw(struct place *p, struct frame *f, int y, int rows)
{
	struct browser *b = browser_of(p);

	b->lines = rows > 1 ? (size_t)rows - 1 : 1;
	b->y = y + 1;
	b->every = every_of(p);
	if (!b->haul || !b->haul->n || (p->error && !b->haul->n)) {
		draw_empty(p, b, f, y + 1, rows - 1);
		return;
	}
	scroll(b, b->lines);
	draw_rows(p, b, f, y, b->lines);
}

/* ---- keys ---------------------------------------------------------------------- */

static void move_to(struct browser *b, int64_t at)
{
	if (!b->haul || !b->haul->n)
		return;
	if (at < 0)
		at = 0;
	if ((uint64_t)at >= b->haul->n)
		at = (int64_t)b->haul->n - 1;
	b->at = (size_t)at;
	scroll(b, b->lines);
	keep_selection(b);
}

static bool key(struct place *p, const char *key)
{
	struct browser *b = browser_of(p);
	int64_t at = (int64_t)b->at, page = (int64_t)b->lines;

	if (!strcmp(key, "<Down>") || !strcmp(key, "j"))
		move_to(b, at + 1);
	else if (!strcmp(key, "<Up>") || !strcmp(key, "k"))
		move_to(b, at - 1);
	else if (!strcmp(key, "<PgDn>") || !strcmp(key, "<C-f>"))
		move_to(b, at + page);
	else if (!strcmp(key, "<PgUp>") || !strcmp(key, "<C-b>"))
		move_to(b, at - page);
	else if (!strcmp(key, "<Home>") || !strcmp(key, "g"))
		move_to(b, 0);
	else if (!strcmp(key, "<End>") || !strcmp(key, "G"))
		move_to(b, b->haul ? (int64_t)b->haul->n - 1 : 0);
	else
		return false;
	return true;
}

static void click(struct place *p, int y)
{
	struct browser *b = browser_of(p);

	if (y >= b->y)
		move_to(b, (int64_t)b->top + (y - b->y));
}

static bool selected(struct place *p, struct selected *out)
{
	struct browser *b = browser_of(p);
	const struct result *r = b->haul ? b->haul->result : NULL;

	if (!r || b->at >= b->haul->n)
		return false;
	*out = (struct selected){
		.view = p->sight ? p->sight->line.view : NULL,
		.module = p->sight ? p->sight->line.module : NULL,
		.columns = r->columns, .n = r->ncolumns,
		.cells = xcalloc(r->ncolumns + 1, sizeof(struct cell)),
	};
	for (size_t c = 0; c < r->ncolumns; c++)
		out->cells[c] = rows_cell(&r->rows, haul_row(b->haul, b->at),
		    c);
	return true;
}

/* ---- marks ---------------------------------------------------------------------- */

static void toggle_mark(struct browser *b)
{
	struct buf k = {0};

	if (!b->haul || b->at >= b->haul->n)
		return;
	row_key(b, haul_row(b->haul, b->at), &k);
	for (size_t i = 0; i < b->nmarks; i++) {
		if (strcmp(b->marks[i], buf_str(&k)))
			continue;
		free(b->marks[i]);
		b->marks[i] = b->marks[--b->nmarks];
		buf_free(&k);
		move_to(b, (int64_t)b->at + 1);
		return;
	}
	b->marks = xrealloc(b->marks, b->nmarks + 1, sizeof(*b->marks));
	b->marks[b->nmarks++] = buf_take(&k);
	move_to(b, (int64_t)b->at + 1);
}

size_t browser_marked(struct place *p, uint32_t *out, size_t max,
    struct result **result)
{
	struct browser *b = browser_of(p);
	size_t n = 0;

	*result = b->haul ? b->haul->result : NULL;
	for (size_t i = 0; b->haul && b->nmarks && i < b->haul->n && n < max;
	    i++)
		if (is_marked(b, i))
			out[n++] = haul_row(b->haul, i);
	return n;
}

/* ---- choosing -------------------------------------------------------------------- */

static int set_filter(struct place *p, const char *text, struct err *err)
{
	struct filter *f;

	if (text && *text) {
		if (!(f = filter_new(text, err)))
			return -1;
		filter_free(f);
	}
	free(p->filter);
	p->filter = text && *text ? xstrdup(text) : NULL;
	reorder(p);
	return 0;
}

static int set_sort(struct place *p, const char *text, struct err *err)
{
	struct browser *b = browser_of(p);
	struct order by[16];

	if (text && *text && b->haul && view_order(b->haul->result->columns,
	    b->haul->result->ncolumns, text, by, 16, err) < 0)
		return -1;
	free(p->sort);
	p->sort = text && *text ? xstrdup(text) : NULL;
	/* Who stands at the top wants to see what comes to the top. */
	if (!b->at)
		b->nkept = 0;
	reorder(p);
	return 0;
}

static int choose(struct place *p, const char *what, const char *arg,
    struct err *err)
{
	struct browser *b = browser_of(p);

	if (!strcmp(what, "filter"))
		return set_filter(p, arg, err);
	if (!strcmp(what, "sort"))
		return set_sort(p, arg, err);
	if (!strcmp(what, "mark")) {
		toggle_mark(b);
	} else if (!strcmp(what, "faults")) {
		p->faults = !p->faults;
		reorder(p);
	} else if (!strcmp(what, "wide")) {
		p->wide = !p->wide;
		if (b->raw)
			detail_again(p);
		else if (b->haul)
			lay_out(b, p);
		if (b->haul)
			measure(b);
	}
	return 0;
}

/* ---- around ---------------------------------------------------------------------- */

static void status_sort(const struct place *p, struct buf *out)
{
	const struct view *v = p->sight ? p->sight->line.view : NULL;
	const char *sort = p->sort ? p->sort : v && p->sight->line.verb ==
	    VERB_LIST ? v->sort : NULL;

	if (!sort)
		return;
	buf_adds(out, "\nsort ");
	for (; *sort; sort++)
		buf_addc(out, *sort == ':' ? ' ' : *sort);
}

static void status(struct place *p, struct buf *out)
{
	const struct browser *b = browser_of(p);
	size_t n = b->haul ? b->haul->n : 0;

	buf_addf(out, "%zu/%zu", n ? b->at + 1 : 0, n);
	if (b->haul && !b->haul->result->whole)
		buf_adds(out, " so far");
	if (b->nmarks)
		buf_addf(out, "\n%zu marked", b->nmarks);
	if (p->filter)
		buf_addf(out, "\n/%s", p->filter);
	if (p->faults)
		buf_adds(out, "\nfaults only");
	status_sort(p, out);
	if (p->error && n)
		buf_addf(out, "\n%s", p->error);
}

static int put_buf(void *arg, const char *s, size_t n, struct err *err)
{
	struct buf *b = arg;

	(void)err;
	/* What is over the clipboard's bound is not copied anyway. */
	if (b->n > 200 * 1000)
		return -1;
	buf_add(b, s, n);
	return 0;
}

/* Rows that are marked, else the selected one: as tsv without its header. */
static void copy(struct place *p, struct buf *out)
{
	struct browser *b = browser_of(p);
	struct how how = {.format = FORMAT_TSV, .no_head = true, .bare = true};
	struct writer *w;

	if (!b->haul || !b->haul->n)
		return;
	/* Of a detail, or of a single column, the value is what is meant. */
	if (b->raw || b->npick == 1) {
		layout_cell(&b->grid.layout, out, b->npick - 1,
		    cells_of(b, b->at));
		return;
	}
	w = writer_new(&how, b->columns, b->npick, put_buf, out);
	if (!b->nmarks)
		writer_row(w, cells_of(b, b->at), NULL);
	for (size_t i = 0; b->nmarks && i < b->haul->n; i++)
		if (is_marked(b, i))
			writer_row(w, cells_of(b, i), NULL);
	writer_end(w, NULL);
	writer_free(w);
	if (out->n && out->p[out->n - 1] == '\n' && !b->nmarks)
		out->n--;
}

static int64_t seen(struct place *p)
{
	struct browser *b = browser_of(p);

	return b->raw ? b->raw->seen : b->haul ? b->haul->result->seen : 0;
}

static int dropped(struct place *p)
{
	struct browser *b = browser_of(p);

	return b->haul && b->haul->n ? b->grid.dropped : 0;
}

static void hide(struct place *p)
{
	struct browser *b = browser_of(p);

	/* Small ones are there at once when one comes back. */
	if (!p->sight || !p->sight->line.view || !b->haul ||
	    b->haul->result->rows.n < 10000)
		return;
	haul_free(b->haul);
	b->haul = NULL;
	p->loaded = false;
}

static struct haul *rows(struct place *p)
{
	struct browser *b = browser_of(p);
	const struct haul *from = b->haul;
	struct haul *h;

	if (!from || !from->result->whole)
		return NULL;
	h = xcalloc(1, sizeof(*h));
	h->n = from->n;
	h->result = result_ref(b->raw ? b->raw : from->result);
	if (b->raw)
		h->n = b->raw->rows.n;
	else if (from->index) {
		h->index = xcalloc(h->n + 1, sizeof(*h->index));
		memcpy(h->index, from->index, h->n * sizeof(*h->index));
	}
	return h;
}

static void release(struct place *p)
{
	struct browser *b = p->own;

	if (!b)
		return;
	haul_free(b->haul);
	result_free(b->raw);
	for (size_t i = 0; i < b->nmarks; i++)
		free(b->marks[i]);
	free(b->marks);
	grid_release(&b->grid);
	buf_free(&b->kept_text);
	free(b->pick);
	free(b->columns);
	free(b->cells);
	free(b);
	p->own = NULL;
}

const struct body browser_body = {
	.load = load, .draw = draw, .key = key, .selected = selected,
	.status = status, .copy = copy, .seen = seen, .dropped = dropped,
	.hide = hide, .release = release, .choose = choose, .rows = rows,
	.click = click,
};
