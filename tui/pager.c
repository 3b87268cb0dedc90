/* Text: help, a row as YAML, what a command printed. Lines are wrapped, a
 * filter leaves those that match. */
#include "pager.h"

#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "text.h"

#define MARGIN 3

/* ---- wrapping --------------------------------------------------------------- */

/* The bytes of s that stand on one line of that width: to the last blank that
 * fits, or cut where there is none. */
size_t pager_line(const char *s, size_t n, int width)
{
	int cells;
	size_t fit = text_fits(s, n, width, &cells), at = fit;

	if (fit == n)
		return n;
	while (at && s[at] != ' ')
		at--;
	if (at)
		return at;
	/* Not even one cluster: it is left to the edge. */
	return fit ? fit : 1;
}

int pager_wrap(struct frame *f, int y, int rows, unsigned look,
    const char *text)
{
	struct buf b = {0};
	const char *s;
	size_t n;
	int used = 0, width = f->cols > 2 * MARGIN ? f->cols - MARGIN - 1
						   : f->cols;

	text_harmless(&b, text, strlen(text));
	s = buf_str(&b);
	n = b.n;
	while (n && used < rows) {
		size_t k = pager_line(s, n, width);
		frame_put(f, f->cols > 2 * MARGIN ? MARGIN : 0, y + used++,
		    width, look, s, k);
		s += k;
		n -= k;
		if (n && *s == ' ') {
			s++;
			n--;
		}
	}
	buf_free(&b);
	return used;
}

/* ---- the body --------------------------------------------------------------- */

struct pager {
	char	**line;		/* harmless */
	size_t	 nlines;
	size_t	*shown;		/* those that the filter leaves */
	size_t	 nshown;
	size_t	 top;
	int	 rows;		/* as drawn last */
	bool	 end;		/* the last line was in sight */
};

static void split(struct pager *g, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		struct buf b = {0};
		text_harmless(&b, text, n);
		g->line = xrealloc(g->line, g->nlines + 1, sizeof(*g->line));
		g->line[g->nlines++] = buf_take(&b);
		text += n + (text[n] == '\n');
	}
}

static void clear(struct pager *g)
{
	for (size_t i = 0; i < g->nlines; i++)
		free(g->line[i]);
	free(g->line);
	free(g->shown);
	*g = (struct pager){.top = g->top, .rows = g->rows};
}

/* Those lines that the filter leaves. */
static void show(struct place *p, struct pager *g)
{
	static const struct column column = {.name = "line"};
	struct filter *f = p->filter ? filter_new(p->filter, NULL) : NULL;

	g->nshown = 0;
	for (size_t i = 0; i < g->nlines; i++) {
		struct cell c = {.tag = CELL_TEXT, .s = g->line[i],
		    .n = strlen(g->line[i])};
		if (!f || filter_match(f, &column, 1, &c, false))
			g->shown[g->nshown++] = i;
	}
	filter_free(f);
	if (g->top >= g->nshown)
		g->top = 0;
}

static void take_text(struct place *p, struct pager *g)
{
	clear(g);
	split(g, p->text ? p->text : "");
	g->shown = xcalloc(g->nlines + 1, sizeof(*g->shown));
	show(p, g);
}

static struct pager *pager_of(struct place *p)
{
	if (!p->own) {
		p->own = xcalloc(1, sizeof(struct pager));
		take_text(p, p->own);
	}
	return p->own;
}

/* ---- rows as text: -o yaml and its like --------------------------------------- */

static void came(void *arg, struct haul *h)
{
	struct place *p = arg;
	struct pager *g = pager_of(p);

	free(p->text);
	p->text = h->text;
	h->text = NULL;
	p->took = h->took;
	haul_free(h);
	take_text(p, g);
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
	struct want w = {.at = p->screen->at};
	const struct flags *f;

	if (!p->sight || !p->sight->line.view)
		return;
	f = &p->sight->line.flags;
	if (p->load)
		load_forget(p->load);
	w.sight = sight_ref(p->sight);
	w.format = f->format;
	w.sort = f->sort ? xstrdup(f->sort) : NULL;
	w.filter = f->filter ? xstrdup(f->filter) : NULL;
	p->load = load_start(p->screen->desk, &w, &face, p);
}

/* ---- drawing and keys ----------------------------------------------------------- */

/* Lines are drawn from the margin where they have none of their own. */
static int put_line(struct frame *f, int y, int rows, const char *s)
{
	size_t n = strlen(s), indent = strspn(s, " ");
	int used = 0, margin = f->cols > 40 ? MARGIN : 0;

	do {
		int left = margin + (used ? (int)indent : 0);
		int width = f->cols - left;
		size_t k;
		if (width < 10) {
			left = 0;
			width = f->cols;
		}
		k = pager_line(s, n, width);
		frame_put(f, left, y + used++, width, LOOK_PLAIN, s, k);
		s += k;
		n -= k;
		while (n && *s == ' ') {
			s++;
			n--;
		}
	} while (n && used < rows);
	return used;
}

static void draw(struct place *p, struct frame *f, int y, int rows)
{
	struct pager *g = pager_of(p);
	size_t i = g->top;
	int used = 0;

	g->rows = rows;
	while (i < g->nshown && used < rows)
		used += put_line(f, y + used, rows - used,
		    g->line[g->shown[i++]]);
	g->end = i == g->nshown;
	if (p->error)
		pager_wrap(f, y, rows, LOOK_BAD, p->error);
	else if (!g->nshown && p->loaded)
		pager_wrap(f, y, rows, LOOK_PLAIN, p->filter
		    ? "No line matches the filter." : "Nothing was printed.");
	f->x = 0;
	f->y = y;
}

static void move(struct pager *g, int64_t top)
{
	if (top < 0)
		top = 0;
	/* Further down only while there is something below. */
	if ((uint64_t)top > g->top && g->end)
		return;
	if (g->nshown && (uint64_t)top >= g->nshown)
		top = (int64_t)g->nshown - 1;
	g->top = (size_t)top;
}

static bool key(struct place *p, const char *key)
{
	struct pager *g = pager_of(p);
	int64_t top = (int64_t)g->top, page = g->rows > 1 ? g->rows - 1 : 1;

	if (!strcmp(key, "<Down>") || !strcmp(key, "j") ||
	    !strcmp(key, "<Enter>"))
		move(g, top + 1);
	else if (!strcmp(key, "<Up>") || !strcmp(key, "k"))
		move(g, top - 1);
	else if (!strcmp(key, "<PgDn>") || !strcmp(key, " ") ||
	    !strcmp(key, "<C-f>"))
		move(g, top + page);
	else if (!strcmp(key, "<PgUp>") || !strcmp(key, "<C-b>"))
		move(g, top - page);
	else if (!strcmp(key, "<Home>") || !strcmp(key, "g"))
		move(g, 0);
	else if (!strcmp(key, "<End>") || !strcmp(key, "G"))
		move(g, (int64_t)g->nshown - g->rows);
	else
		return false;
	return true;
}

static void status(struct place *p, struct buf *out)
{
	struct pager *g = pager_of(p);

	buf_addf(out, "line %zu/%zu", g->nshown ? g->top + 1 : 0, g->nshown);
	if (p->filter)
		buf_addf(out, "\n/%s", p->filter);
}

static void copy(struct place *p, struct buf *out)
{
	buf_adds(out, p->text ? p->text : "");
}

static int set_filter(struct place *p, const char *text, struct err *err)
{
	struct filter *f = NULL;

	if (text && *text && !(f = filter_new(text, err)))
		return -1;
	free(p->filter);
	p->filter = f ? xstrdup(text) : NULL;
	filter_free(f);
	show(p, pager_of(p));
	return 0;
}

static int choose(struct place *p, const char *what, const char *arg,
    struct err *err)
{
	if (!strcmp(what, "filter"))
		return set_filter(p, arg, err);
	return err_set(err, ERR_FAILED, "this is text: it has no %s", what);
}

static void release(struct place *p)
{
	struct pager *g = p->own;

	if (!g)
		return;
	clear(g);
	free(g);
	p->own = NULL;
}

const struct body pager_body = {
	.load = load, .draw = draw, .key = key, .status = status,
	.copy = copy, .choose = choose, .release = release,
};
