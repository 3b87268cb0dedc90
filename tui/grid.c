/* Drawing rows. Where all columns fit, the frame shows what layout.c prints,
 * cell for cell; where they don't, columns leave whole by rank, and only texts
 * are cut. */
#include "grid.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define GUTTER		3
#define BETWEEN		2
#define TEXT_MIN	12	/* a text is not cut below this, except alone */
#define PATH_MIN	14	/* nor a path before columns have left */

void grid_init(struct grid *g, const struct column *columns, size_t n,
    const struct how *how)
{
	*g = (struct grid){.n = n, .sorted = -1};
	layout_init(&g->layout, columns, n, how);
	g->shown = xcalloc(n + 1, sizeof(*g->shown));
	g->numbers = xcalloc(n + 1, sizeof(*g->numbers));
	g->texts = xcalloc(n + 1, sizeof(*g->texts));
}

void grid_release(struct grid *g)
{
	if (!g->shown)
		return;
	layout_release(&g->layout);
	free(g->shown);
	free(g->numbers);
	free(g->texts);
	*g = (struct grid){0};
}

void grid_measure(struct grid *g, const struct cell *cells)
{
	layout_measure(&g->layout, cells);
	for (size_t i = 0; i < g->n; i++) {
		g->texts[i] |= cells[i].tag == CELL_TEXT;
		g->numbers[i] |= cells[i].tag == CELL_INT ||
		    cells[i].tag == CELL_REAL;
	}
}

static bool is_right(const struct grid *g, size_t i)
{
	if (g->layout.columns[i].type == TYPE_ANY)
		return g->numbers[i] && !g->texts[i];
	return type_is_right(g->layout.columns[i].type);
}

/* ---- what fits ------------------------------------------------------------- */

static void add_title(const struct grid *g, size_t i, struct buf *out)
{
	const struct column *c = &g->layout.columns[i];
	const char *title = c->title ? c->title : c->name;

	text_harmless(out, title, strlen(title));
	if ((int)i == g->sorted)
		buf_adds(out, text_glyph(g->desc ? GLYPH_DOWN : GLYPH_UP));
}

static int total(const struct grid *g)
{
	int sum = GUTTER - BETWEEN;

	for (size_t i = 0; i < g->n; i++)
		if (g->shown[i] >= 0)
			sum += g->shown[i] + BETWEEN;
	return sum;
}

static bool can_be_cut(const struct grid *g, size_t i)
{
	return g->shown[i] >= 0 && !is_right(g, i) &&
	    !(g->layout.columns[i].flags & COLUMN_SPARK) &&
	    g->layout.columns[i].type != TYPE_TIME;
}

/* Takes cells from the widest texts, none below min; from paths alone where
 * only_paths. */
static void cut_texts(struct grid *g, int cols, int min, bool only_paths)
{
	int over = total(g) - cols;

	while (over > 0) {
		int widest = -1, next = min;
		for (size_t i = 0; i < g->n; i++)
			if (can_be_cut(g, i) && (!only_paths ||
			    g->layout.columns[i].flags & COLUMN_PATH) &&
			    (widest < 0 ||
			    g->shown[i] > g->shown[widest]))
				widest = (int)i;
		if (widest < 0 || g->shown[widest] <= min)
			return;
		for (size_t i = 0; i < g->n; i++)
			if (can_be_cut(g, i) && (int)i != widest &&
			    g->shown[i] > next && !only_paths)
				next = g->shown[i];
		/* Down to the next widest; of equals one cell each. */
		if (next >= g->shown[widest])
			next = g->shown[widest] - 1;
		if (g->shown[widest] - next > over)
			next = g->shown[widest] - over;
		over -= g->shown[widest] - next;
		g->shown[widest] = next;
	}
}

/* The least important column that isn't the first; -1: none but it. */
static int least(const struct grid *g, int above)
{
	int found = -1;
	bool first = true;

	for (size_t i = 0; i < g->n; i++) {
		if (g->shown[i] < 0)
			continue;
		if (!first && g->layout.columns[i].rank > above &&
		    (found < 0 || g->layout.columns[i].rank >=
		    g->layout.columns[found].rank))
			found = (int)i;
		first = false;
	}
	return found;
}

static void drop(struct grid *g, int i)
{
	g->shown[i] = -1;
	g->dropped++;
}

static void widen_for_arrow(struct grid *g)
{
	struct buf b = {0};
	int w;

	if (g->sorted < 0 || g->shown[g->sorted] < 0)
		return;
	add_title(g, (size_t)g->sorted, &b);
	w = text_width(buf_str(&b), b.n);
	if (w > g->shown[g->sorted])
		g->shown[g->sorted] = w;
	buf_free(&b);
}

void grid_fit(struct grid *g, int cols)
{
	int i;

	g->dropped = 0;
	for (size_t k = 0; k < g->n; k++)
		g->shown[k] = g->layout.width[k];
	widen_for_arrow(g);
	/* One long text or path doesn't push the others out. */
	cut_texts(g, cols, cols / 2, false);
	cut_texts(g, cols, cols / 4 > PATH_MIN ? cols / 4 : PATH_MIN, true);
	while (total(g) > cols && (i = least(g, 0)) >= 0)
		drop(g, i);
	cut_texts(g, cols, TEXT_MIN, false);
	while (total(g) > cols && (i = least(g, -1)) >= 0)
		drop(g, i);
	/* What those who left make room for goes back to the texts. */
	for (size_t k = 0; k < g->n; k++)
		if (g->shown[k] >= 0 && g->shown[k] < g->layout.width[k])
			g->shown[k] = g->layout.width[k];
	cut_texts(g, cols, 1, false);
}

/* ---- drawing --------------------------------------------------------------- */

static int put(const struct grid *g, struct frame *f, int x, int y, size_t i,
    unsigned look, const struct buf *text)
{
	enum cut cut = g->layout.columns[i].flags & COLUMN_PATH ? CUT_MIDDLE
								: CUT_END;
	struct buf b = {0};

	text_fit(&b, buf_str(text), text->n, g->shown[i], cut, is_right(g, i));
	frame_put(f, x, y, g->shown[i], look, buf_str(&b), b.n);
	buf_free(&b);
	return x + g->shown[i] + BETWEEN;
}

void grid_head(const struct grid *g, struct frame *f, int y)
{
	struct buf b = {0};
	int x = GUTTER;

	for (size_t i = 0; i < g->n; i++) {
		if (g->shown[i] < 0)
			continue;
		buf_clear(&b);
		add_title(g, i, &b);
		x = put(g, f, x, y, i, LOOK_HEAD, &b);
	}
	buf_free(&b);
}

static unsigned state_look(char mark)
{
	return mark == 'x' ? LOOK_BAD : mark == '!' ? LOOK_DOUBTFUL
		: mark == '~' ? LOOK_OLD : LOOK_PLAIN;
}

/* What the row itself looks like: its state on the first cell, the accent on
 * what can be followed. */
static unsigned cell_look(const struct grid *g, size_t i, bool first,
    unsigned state, bool old)
{
	if (first && state != LOOK_PLAIN)
		return state;
	if (old)
		return LOOK_OLD;
	return g->layout.columns[i].flags & COLUMN_LINK ? LOOK_ACCENT
							: LOOK_PLAIN;
}

void grid_row(const struct grid *g, struct frame *f, int y, unsigned flags,
    const struct cell *cells)
{
	bool old = flags & ROW_OLD, first = true;
	struct buf b = {0};
	unsigned state;
	int x = GUTTER;

	layout_gutter(&g->layout, &b, flags & ROW_MARKED, cells);
	state = state_look(b.p[1]);
	old = old || state == LOOK_OLD;
	frame_put(f, 0, y, GUTTER, state, buf_str(&b), b.n);
	for (size_t i = 0; i < g->n; i++) {
		if (g->shown[i] < 0)
			continue;
		buf_clear(&b);
		layout_cell(&g->layout, &b, i, cells);
		x = put(g, f, x, y, i, cell_look(g, i, first, state, old), &b);
		first = false;
	}
	buf_free(&b);
	if (!(flags & ROW_SELECTED))
		return;
	frame_mark(f, 0, y, -1, LOOK_SELECTED);
	f->x = GUTTER < f->cols ? GUTTER : 0;
	f->y = y;
}
