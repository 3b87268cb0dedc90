/* What is done with the selected row and with what is shown: opening it,
 * its past, copying, the command behind it, the time. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "run.h"
#include "text.h"

/* ---- lines made of a row -------------------------------------------------------- */

/* argv that grows; its texts are its own. */
struct words {
	const char	**v;
	size_t		  n;
};

static void add(struct words *w, const char *s, size_t n)
{
	w->v = xrealloc(w->v, w->n + 1, sizeof(*w->v));
	w->v[w->n++] = xstrndup(s, n);
}

static void add_word(struct words *w, const char *s)
{
	add(w, s, strlen(s));
}

static void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free((char *)w->v[i]);
	free(w->v);
	*w = (struct words){0};
}

static void words_run(struct screen *s, struct words *w)
{
	screen_run_argv(s, (int)w->n, w->v);
	words_free(w);
}

static const struct cell *cell_of(const struct selected *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->columns[i].name, name))
			return &r->cells[i];
	return NULL;
}

static const struct column *column_of(const struct selected *r,
    const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->columns[i].name, name))
			return &r->columns[i];
	return NULL;
}

static void add_cell(struct words *w, const struct selected *r,
    const char *name)
{
	const struct cell *c = cell_of(r, name);
	const struct column *column = column_of(r, name);
	struct buf b = {0};

	if (c && c->tag == CELL_TEXT)
		buf_add(&b, c->s, c->n);
	else if (c)
		value_plain(&b, column->type, *c);
	add(w, buf_str(&b), b.n);
	buf_free(&b);
}

/* Where several contexts are shown, a row's own is meant. */
static void add_context(struct screen *s, struct words *w,
    const struct selected *r)
{
	if (s->here->sight->ncontexts < 2 || !cell_of(r, "context"))
		return;
	add_word(w, "--context");
	add_cell(w, r, "context");
}

static void add_noun(struct words *w, const struct module *m, const char *noun)
{
	if (m && *m->name)
		add_word(w, m->name);
	add_word(w, noun);
}

/* MODULE VIEW VERB [COLUMN] [-o FORMAT] -- KEY… of the row; false: rows of that
 * list have no key. column and format may be NULL. */
static bool add_row(struct screen *s, struct words *w,
    const struct selected *r, const char *verb, const char *column,
    const char *format)
{
	const struct registry *reg = &s->session->registry;
	const char *key[VIEW_KEY_MAX];
	size_t n = r->view ? view_key(reg, r->view, key, VIEW_KEY_MAX) : 0;

	if (!n)
		return false;
	add_noun(w, registry_module_of_view(reg, r->view), r->view->name);
	add_word(w, verb);
	if (column)
		add_word(w, column);
	add_context(s, w, r);
	if (format) {
		add_word(w, "-o");
		add_word(w, format);
	}
	add_word(w, "--");
	for (size_t i = 0; i < n; i++)
		add_cell(w, r, key[i]);
	return true;
}

static bool get_row(struct screen *s, struct selected *r)
{
	struct place *p = s->here;

	if (p->body->selected && p->body->selected(p, r))
		return true;
	screen_say(s, LOOK_PLAIN, "no row is selected");
	return false;
}

/* ---- the thing that a finding or a change is about ---------------------------------- */

static void add_json(struct words *w, const json_t *v)
{
	struct buf b = {0};

	if (json_is_string(v))
		buf_add(&b, json_string_value(v), json_string_length(v));
	else if (json_is_integer(v))
		buf_addf(&b, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v))
		value_number(&b, json_real_value(v));
	add(w, buf_str(&b), b.n);
	buf_free(&b);
}

static json_t *key_object(const struct selected *r)
{
	const struct cell *c = cell_of(r, "key");

	if (!c || c->tag != CELL_TEXT)
		return NULL;
	return json_loadb(c->s, c->n, JSON_ALLOW_NUL, NULL);
}

/* The row's kind as a text of its own; NULL: it names none. */
static char *kind_of(const struct selected *r)
{
	const struct cell *c = cell_of(r, "kind");

	if (c && c->tag == CELL_TEXT && cell_of(r, "key"))
		return xstrndup(c->s, c->n);
	return NULL;
}

static bool open_thing(struct screen *s, const struct selected *r)
{
	const struct registry *reg = &s->session->registry;
	const char *key[VIEW_KEY_MAX];
	char *kind = kind_of(r);
	const struct view *v = kind ? registry_view_of_kind(reg, kind) : NULL;
	json_t *object = v ? key_object(r) : NULL;
	size_t n = v ? view_key(reg, v, key, VIEW_KEY_MAX) : 0;
	struct words w = {0};

	free(kind);
	if (!object || !n) {
		json_decref(object);
		return false;
	}
	add_noun(&w, registry_module_of_view(reg, v), v->name);
	add_word(&w, "show");
	add_context(s, &w, r);
	add_word(&w, "--");
	for (size_t i = 0; i < n; i++)
		add_json(&w, json_object_get(object, key[i]));
	json_decref(object);
	words_run(s, &w);
	return true;
}

static bool is_word(const struct cell *c, const char *word)
{
	return c && c->tag == CELL_TEXT && c->n == strlen(word) &&
	    !memcmp(c->s, word, c->n);
}

/* A change is looked at when it was seen; what went, when it was there. */
static int64_t time_of(const struct selected *r)
{
	const struct cell *op = cell_of(r, "op"), *t = cell_of(r, "t"),
	    *after = cell_of(r, "after");
	bool gone = is_word(op, "removed") || is_word(op, "closed");

	if (gone && after && after->tag == CELL_INT)
		return after->i;
	return t && t->tag == CELL_INT ? t->i : 0;
}

static bool open_change(struct screen *s, const struct selected *r)
{
	int64_t t = cell_of(r, "t") ? time_of(r) : 0;
	char *kind = kind_of(r);
	bool known = kind && registry_view_of_kind(&s->session->registry,
	    kind);

	free(kind);
	if (!t || !known)
		return false;
	/* Before it opens: it is read once, at that time. */
	s->at = t;
	for (struct place *p = s->here; p; p = p->older)
		p->stale = true;
	return open_thing(s, r);
}

/* ---- Enter, d, y, D, v -------------------------------------------------------------- */

static void show_value(struct screen *s, const struct selected *r)
{
	const struct cell *field = cell_of(r, "field"),
	    *value = cell_of(r, "value");
	char *title;

	if (!field || !value || value->tag != CELL_TEXT)
		return;
	title = xstrndup(field->s, field->n);
	screen_show_text(s, sight_ref(s->here->sight), title,
	    xstrndup(value->s, value->n));
	free(title);
}

void act_enter(struct screen *s)
{
	struct place *p = s->here;
	struct selected r;

	if (!p->body->selected || !get_row(s, &r))
		return;
	if (p->sight->line.verb == VERB_SHOW)
		show_value(s, &r);
	else if (!open_change(s, &r) && !open_thing(s, &r))
		act_show(s, false);
	free(r.cells);
}

/* A row of no list is shown as it is. */
static void show_raw(struct screen *s, const struct selected *r)
{
	struct buf b = {0};

	for (size_t i = 0; i < r->n; i++) {
		buf_addf(&b, "%-16s ", r->columns[i].name);
		value_show(&b, r->columns[i].type, r->columns[i].decimals,
		    SPELL_WIDE, r->cells[i]);
		buf_addc(&b, '\n');
	}
	screen_show_text(s, sight_ref(s->here->sight), "row", buf_take(&b));
}

/* The row that a detail shows, as YAML. */
static void detail_as_yaml(struct screen *s)
{
	const struct line *l = &s->here->sight->line;
	struct words w = {0};

	add_noun(&w, l->module, l->view->name);
	add_word(&w, "show");
	add_word(&w, "-o");
	add_word(&w, "yaml");
	add_word(&w, "--");
	for (size_t i = 0; i < l->nargs; i++)
		add_word(&w, l->args[i]);
	words_run(s, &w);
}

void act_show(struct screen *s, bool yaml)
{
	const struct line *l = &s->here->sight->line;
	struct words w = {0};
	struct selected r;

	if (l->view && l->verb == VERB_SHOW) {
		if (yaml)
			detail_as_yaml(s);
		return;
	}
	if (!get_row(s, &r))
		return;
	if (add_row(s, &w, &r, "show", NULL, yaml ? "yaml" : NULL))
		words_run(s, &w);
	else
		show_raw(s, &r);
	words_free(&w);
	free(r.cells);
}

void act_past(struct screen *s)
{
	const struct registry *reg = &s->session->registry;
	const struct line *l = &s->here->sight->line;
	const char *key[VIEW_KEY_MAX];
	struct words w = {0};
	struct selected r;
	char *kind = NULL;
	size_t n;

	if (l->view && l->verb != VERB_LIST && l->view->kind) {
		/* Of the row that is shown whole, or whose curve this is. */
		add_word(&w, "timeline");
		add_word(&w, "--");
		add_word(&w, l->view->kind);
		for (size_t i = 0; i < l->nargs; i++)
			add_word(&w, l->args[i]);
		words_run(s, &w);
		return;
	}
	if (!get_row(s, &r))
		return;
	if ((kind = kind_of(&r))) {
		json_t *object = key_object(&r);
		const char *name;
		json_t *value;
		add_word(&w, "timeline");
		add_context(s, &w, &r);
		add_word(&w, "--");
		add_word(&w, kind);
		json_object_foreach(object, name, value)
			add_json(&w, value);
		json_decref(object);
	} else if (r.view && r.view->kind) {
		add_word(&w, "timeline");
		add_context(s, &w, &r);
		add_word(&w, "--");
		add_word(&w, r.view->kind);
		n = view_key(reg, r.view, key, VIEW_KEY_MAX);
		for (size_t i = 0; i < n; i++)
			add_cell(&w, &r, key[i]);
	} else {
		screen_say(s, LOOK_PLAIN, "nobody keeps the past of these "
		    "rows");
	}
	if (w.n)
		words_run(s, &w);
	free(kind);
	free(r.cells);
}

void act_chart(struct screen *s)
{
	const char *column = NULL;
	struct words w = {0};
	struct selected r;

	if (!get_row(s, &r))
		return;
	if (s->here->sight->line.verb == VERB_LIST && r.view)
		column = place_chart_column_of(s->here, r.view);
	if (!column || r.view->flags & VIEW_NO_PAST || !r.view->kind)
		screen_say(s, LOOK_PLAIN, "no column here has a curve");
	else if (add_row(s, &w, &r, "series", column, NULL))
		words_run(s, &w);
	words_free(&w);
	free(r.cells);
}

/* ---- bound lines -------------------------------------------------------------------- */

/* A line that ends in a blank is filled in and left to be finished. */
static void open_prompt(struct screen *s, int argc, const char *const *argv)
{
	struct buf b = {0};

	for (int i = 0; i < argc; i++) {
		line_quote(&b, argv[i]);
		buf_addc(&b, ' ');
	}
	prompt_open(&s->prompt, PROMPT_LINE, ":", buf_str(&b));
	buf_free(&b);
}

/* What a row's line needs besides when several contexts are shown. */
static void run_filled(struct screen *s, const struct selected *r,
    bool opens, int argc, const char *const *argv)
{
	struct words w = {0};

	if (opens) {
		open_prompt(s, argc, argv);
		return;
	}
	if (r)
		add_context(s, &w, r);
	for (int i = 0; i < argc; i++)
		add_word(&w, argv[i]);
	/* A word of the screen takes no flags. */
	if (argc && word_run(s, argc, argv))
		words_free(&w);
	else
		words_run(s, &w);
}

void act_bind(struct screen *s, const struct bind *b)
{
	struct place *p = s->here;
	size_t len = strlen(b->line), n = 0;
	struct selected r = {0};
	struct arena a = {0};
	struct err err = {0};
	const char **names, **argv;
	int argc;

	if (p->body->selected && p->body->selected(p, &r))
		n = r.n;
	names = xcalloc(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = r.columns[i].name;
	if (!n && strchr(b->line, '{'))
		screen_say(s, LOOK_PLAIN, "no row is selected");
	else if (line_fill(&a, b->line, names, r.cells, n, &argv, &argc,
	    &err) < 0)
		screen_fail(s, &err);
	else
		run_filled(s, n ? &r : NULL, len && b->line[len - 1] == ' ',
		    argc, argv);
	arena_free(&a);
	free(names);
	free(r.cells);
}

/* ---- copying, the command, the time --------------------------------------------------- */

#define COPY_MAX (74 * 1000)

void act_copy(struct screen *s)
{
	struct place *p = s->here;
	struct buf b = {0};

	if (p->body->copy)
		p->body->copy(p, &b);
	if (!b.n) {
		screen_say(s, LOOK_PLAIN, "there is nothing to copy here");
	} else if (b.n > COPY_MAX) {
		screen_say(s, LOOK_BAD, "over 74 KB: terminals take no more "
		    "into the clipboard; x exports to a file");
	} else {
		screen_say(s, LOOK_PLAIN, "copied %zu bytes", b.n);
		buf_clear(&s->wishes.copy);
		buf_add(&s->wishes.copy, b.p, b.n);
	}
	buf_free(&b);
}

void act_command(struct screen *s)
{
	char *line = place_command(s->here);

	screen_say(s, LOOK_PLAIN, "%s", line);
	s->said_long = true;
	free(line);
}

void act_time(struct screen *s, const char *text)
{
	struct err err = {0};
	int64_t at = 0;

	text += strspn(text, " ");
	if (*text && strcmp(text, "now") &&
	    value_time(text, clock_now(), &at, &err) < 0) {
		screen_fail(s, &err);
		return;
	}
	screen_time(s, at);
}

void act_refresh(struct screen *s)
{
	if (s->start->flags.offline)
		screen_say(s, LOOK_PLAIN, "offline: nothing is fetched");
	else if (s->at && sight_has_past(s->here->sight))
		screen_say(s, LOOK_PLAIN, "the past can't be fetched; T and "
		    "Enter is now");
	else if (s->here->fixed && s->here->sight->line.command &&
	    !(s->here->sight->line.command->flags & COMMAND_WRITES))
		command_start(s, sight_ref(s->here->sight));
	else if (s->poller) {
		poller_refresh(s->poller);
		screen_say(s, LOOK_PLAIN, "fetching");
	} else {
		fetch_start(s);
	}
}

void act_context(struct screen *s, const char *name)
{
	struct words w = {0};

	add_word(&w, "home");
	add_word(&w, "--context");
	add_word(&w, name);
	words_run(s, &w);
}
