/* Places: what a line opens, the history of what was open, the time they all
 * show. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "place.h"
#include "text.h"

#define PLACES_MAX 50

/* ---- a place ---------------------------------------------------------------- */

static struct place *place_new(struct screen *s, struct sight *sight,
    const struct body *body)
{
	struct place *p = xcalloc(1, sizeof(*p));
	const struct flags *f = &sight->line.flags;

	p->screen = s;
	p->sight = sight;
	p->body = body;
	p->filter = f->filter ? xstrdup(f->filter) : NULL;
	p->sort = f->sort ? xstrdup(f->sort) : NULL;
	p->wide = f->format == FORMAT_WIDE;
	p->stale = true;
	return p;
}

void place_forget(struct place *p)
{
	if (!p->load)
		return;
	if (p->body->forget)
		p->body->forget(p);
	else
		load_forget(p->load);
	p->load = NULL;
}

void place_release(struct place *p)
{
	place_forget(p);
	if (p->body->release)
		p->body->release(p);
	sight_free(p->sight);
	for (size_t i = 0; p->kinds && p->kinds[i]; i++)
		free(p->kinds[i]);
	free(p->kinds);
	free(p->error);
	free(p->filter);
	free(p->sort);
	free(p->title);
	free(p->text);
	free(p);
}

void place_load(struct place *p)
{
	p->stale = false;
	p->began = clock_mono();
	if (p->body->load && !p->fixed)
		p->body->load(p);
	else
		p->loaded = true;
}

bool place_is_home(const struct place *p)
{
	return p->body == &overview_body;
}

/* ---- history ---------------------------------------------------------------- */

static void drop(struct screen *s, struct place *p)
{
	if (s->last == p)
		s->last = NULL;
	if (p->older)
		p->older->newer = p->newer;
	if (p->newer)
		p->newer->older = p->older;
	s->places--;
	place_release(p);
}

void screen_go(struct screen *s, struct place *to)
{
	struct place *from = s->here;

	if (!to || to == from)
		return;
	if (from) {
		place_forget(from);
		if (from->body->hide)
			from->body->hide(from);
		from->stale = true;
	}
	s->last = from;
	s->here = to;
	if (to->stale)
		place_load(to);
}

/* Behind here; what was there forward is forgotten. */
static void push(struct screen *s, struct place *p)
{
	struct place *oldest;

	while (s->here && s->here->newer) {
		struct place *newest = s->here->newer;
		while (newest->newer)
			newest = newest->newer;
		drop(s, newest);
	}
	p->older = s->here;
	if (s->here)
		s->here->newer = p;
	s->places++;
	screen_go(s, p);
	for (oldest = p; oldest->older; oldest = oldest->older)
		;
	/* The first is home, where Esc ends: it stays. */
	while (s->places > PLACES_MAX && oldest->newer &&
	    oldest->newer != s->here)
		drop(s, oldest->newer);
}

void screen_back(struct screen *s)
{
	if (s->here->older)
		screen_go(s, s->here->older);
}

void screen_forward(struct screen *s)
{
	if (s->here->newer)
		screen_go(s, s->here->newer);
	else
		screen_say(s, LOOK_PLAIN, "nothing is forward of this");
}

void screen_last(struct screen *s)
{
	if (s->last)
		screen_go(s, s->last);
	else
		screen_say(s, LOOK_PLAIN, "there is no last place yet");
}

void screen_reload(struct screen *s)
{
	for (struct place *p = s->here; p; p = p->older)
		p->stale = true;
	for (struct place *p = s->here; p; p = p->newer)
		p->stale = true;
	place_load(s->here);
}

void screen_time(struct screen *s, int64_t at)
{
	if (at == s->at)
		return;
	s->at = at;
	screen_reload(s);
	if (at && !sight_has_past(s->here->sight))
		screen_say(s, LOOK_PLAIN, "this has no past: it shows now");
}

/* ---- lines ------------------------------------------------------------------ */

struct place *screen_show_rows(struct screen *s, struct sight *sight,
    struct result *r)
{
	struct place *p = place_new(s, sight, &browser_body);
	struct haul *h = xcalloc(1, sizeof(*h));

	h->result = r;
	h->n = r->rows.n;
	if (sight->line.flags.limit >= 0 &&
	    (uint64_t)sight->line.flags.limit < h->n)
		h->n = (size_t)sight->line.flags.limit;
	p->loaded = p->fixed = true;
	browser_take(p, h);
	push(s, p);
	/* What the line filters is filtered by the same means as by `/`. */
	if (p->filter)
		p->body->choose(p, "filter", sight->line.flags.filter, NULL);
	return p;
}

struct place *screen_show_text(struct screen *s, struct sight *sight,
    const char *title, char *text)
{
	struct place *p = place_new(s, sight, &pager_body);

	free(p->filter);
	p->filter = NULL;
	p->title = title ? xstrdup(title) : NULL;
	p->text = text;
	p->loaded = p->fixed = true;
	push(s, p);
	return p;
}

static const struct body *body_for(const struct line *l)
{
	if (!l->view)
		return &overview_body;
	if (l->flags.format >= 0 && l->flags.format != FORMAT_TABLE &&
	    l->flags.format != FORMAT_WIDE)
		return &pager_body;
	return l->verb == VERB_SERIES ? &chart_body : &browser_body;
}

static void show_help(struct screen *s, struct sight *sight)
{
	struct buf b = {0};

	line_help(&s->session->registry, &sight->line, &b);
	screen_show_text(s, sight, "help", buf_take(&b));
}

int screen_open(struct screen *s, struct line *line, struct err *err)
{
	const struct sight *here = s->here ? s->here->sight : NULL;
	int64_t at = line->flags.at;
	bool now = line->flags.at_text && !strcmp(line->flags.at_text, "now");
	struct sight *sight = sight_new(s->session, line,
	    here ? here->context : NULL, err);
	const struct line *l;

	if (!sight)
		return -1;
	l = &sight->line;
	if (l->flags.help || (l->module && *l->module->name && !l->view &&
	    !l->command)) {
		show_help(s, sight);
		return 0;
	}
	if (l->command && l->command != &home_command) {
		command_start(s, sight);
		return 0;
	}
	if (now || at)
		s->at = now ? 0 : at;
	push(s, place_new(s, sight, body_for(l)));
	return 0;
}

static void open_argv(struct screen *s, int argc, const char *const *argv)
{
	struct line line;
	struct err err = {0};

	if (line_parse_prompt(&s->session->registry, argc, argv, &line,
	    &err) < 0 || screen_open(s, &line, &err) < 0)
		screen_fail(s, &err);
}

void screen_run_argv(struct screen *s, int argc, const char *const *argv)
{
	if (argc && !word_run(s, argc, argv))
		open_argv(s, argc, argv);
}

void screen_run_line(struct screen *s, const char *text)
{
	struct arena a = {0};
	struct err err = {0};
	const char **argv;
	int argc;

	if (line_split(&a, text, &argv, &argc, &err) < 0)
		screen_fail(s, &err);
	/* "kiban mesh services", as C shows it, is the same line. */
	else if (argc && !strcmp(argv[0], "kiban"))
		screen_run_argv(s, argc - 1, argv + 1);
	else
		screen_run_argv(s, argc, argv);
	arena_free(&a);
}

/* ---- names ------------------------------------------------------------------ */

char *place_command(const struct place *p)
{
	struct line l = p->sight->line;

	l.flags.sort = p->sort;
	l.flags.filter = p->filter;
	if (p->wide && l.flags.format < 0)
		l.flags.format = FORMAT_WIDE;
	if (place_is_home(p)) {
		/* Sections are lists of their own: home takes no filter. */
		l.command = &home_command;
		l.flags.filter = l.flags.sort = NULL;
	}
	return line_command(&l, p->sight->context,
	    sight_has_past(p->sight) ? p->screen->at : 0);
}

static void add_crumb(struct buf *out, const char *word)
{
	if (out->n)
		buf_addf(out, " %s ", text_glyph(GLYPH_CRUMB));
	buf_adds(out, word);
}

void place_name(const struct place *p, bool with_module, struct buf *out)
{
	const struct line *l = &p->sight->line;

	if (with_module && l->module && *l->module->name)
		add_crumb(out, l->module->name);
	if (l->view)
		add_crumb(out, l->view->name);
	else if (l->command)
		add_crumb(out, l->command->name);
	else if (place_is_home(p))
		add_crumb(out, "home");
	for (size_t i = 0; i < l->nargs; i++)
		add_crumb(out, l->args[i]);
	if (l->verb == VERB_SERIES)
		add_crumb(out, l->column);
	if (p->title)
		add_crumb(out, p->title);
}
