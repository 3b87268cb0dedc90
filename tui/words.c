/* What keys mean and which words only the screen knows: one table, from which
 * the help is made too. A key that the user or the view has bound to a line
 * stands before it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "text.h"

/* arg is NULL where none was typed. */
typedef void word_fn(struct screen *s, const char *arg);

struct word {
	const char	*word;		/* after `:`; NULL: a key alone */
	const char	*args;		/* as usage prints them; NULL: none */
	const char	*key;		/* NULL: a word alone */
	const char	*help;
	word_fn		*run;
	bool		 needs_arg;
};

/* ---- what they do ------------------------------------------------------------- */

static void choose(struct screen *s, const char *what, const char *arg)
{
	struct place *p = s->here;
	struct err err = {0};

	if (!p->body->choose)
		screen_say(s, LOOK_PLAIN, "this has no %s", what);
	else if (p->body->choose(p, what, arg, &err) < 0)
		screen_fail(s, &err);
}

static void do_quit(struct screen *s, const char *arg)
{
	(void)arg;
	s->quit = true;
}

static void do_back(struct screen *s, const char *arg)
{
	(void)arg;
	screen_back(s);
}

static void do_forward(struct screen *s, const char *arg)
{
	(void)arg;
	screen_forward(s);
}

static void do_last(struct screen *s, const char *arg)
{
	(void)arg;
	screen_last(s);
}

static void do_filter(struct screen *s, const char *arg)
{
	choose(s, "filter", arg);
}

static void key_filter(struct screen *s, const char *arg)
{
	(void)arg;
	prompt_open(&s->prompt, PROMPT_FILTER, "/",
	    s->here->filter ? s->here->filter : "");
}

static void do_sort(struct screen *s, const char *arg)
{
	choose(s, "sort", arg);
}

static void key_sort(struct screen *s, const char *arg)
{
	(void)arg;
	if (s->here->body->choose && !place_is_home(s->here))
		prompt_open(&s->prompt, PROMPT_LINE, ":", "sort ");
	else
		choose(s, "sort", NULL);
}

static void do_mark(struct screen *s, const char *arg)
{
	(void)arg;
	choose(s, "mark", NULL);
}

static void do_faults(struct screen *s, const char *arg)
{
	(void)arg;
	choose(s, "faults", NULL);
}

static void do_wide(struct screen *s, const char *arg)
{
	(void)arg;
	choose(s, "wide", NULL);
}

static void do_describe(struct screen *s, const char *arg)
{
	(void)arg;
	act_show(s, false);
}

static void do_yaml(struct screen *s, const char *arg)
{
	(void)arg;
	act_show(s, true);
}

static void do_diff(struct screen *s, const char *arg)
{
	(void)arg;
	act_diff(s);
}

static void do_time(struct screen *s, const char *arg)
{
	act_time(s, arg ? arg : "");
}

static void key_time(struct screen *s, const char *arg)
{
	(void)arg;
	prompt_open(&s->prompt, PROMPT_TIME, "time (empty: now): ", "");
}

static void do_copy(struct screen *s, const char *arg)
{
	(void)arg;
	act_copy(s);
}

static void do_command(struct screen *s, const char *arg)
{
	(void)arg;
	act_command(s);
}

static void do_export(struct screen *s, const char *arg)
{
	act_export(s, arg);
}

static void key_export(struct screen *s, const char *arg)
{
	(void)arg;
	prompt_open(&s->prompt, PROMPT_LINE, ":", "export ");
}

static void do_refresh(struct screen *s, const char *arg)
{
	(void)arg;
	act_refresh(s);
}

static void do_help(struct screen *s, const char *arg)
{
	struct buf b = {0};

	(void)arg;
	keys_help(s, &b);
	screen_show_text(s, sight_ref(s->here->sight), "help", buf_take(&b));
}

static void do_enter(struct screen *s, const char *arg)
{
	(void)arg;
	act_enter(s);
}

static void do_past(struct screen *s, const char *arg)
{
	(void)arg;
	act_past(s);
}

static void do_chart(struct screen *s, const char *arg)
{
	(void)arg;
	act_chart(s);
}

static void do_previous(struct screen *s, const char *arg)
{
	(void)arg;
	act_step(s, -1);
}

static void do_next(struct screen *s, const char *arg)
{
	(void)arg;
	act_step(s, 1);
}

static void key_line(struct screen *s, const char *arg)
{
	(void)arg;
	prompt_open(&s->prompt, PROMPT_LINE, ":", "");
}

static const struct word words[] = {
	{NULL, NULL, "<Enter>", "go deeper into the selected row", do_enter,
	    false},
	{"back", NULL, "[", "back to the place before", do_back, false},
	{"forward", NULL, "]", "forward again", do_forward, false},
	{"last", NULL, "-", "to the last place, and back", do_last, false},
	{"filter", "[REGEX]", NULL, "leave what matches; ! inverts; none: all",
	    do_filter, false},
	{NULL, NULL, "/", "filter rows by a regex; a leading ! inverts",
	    key_filter, false},
	{NULL, NULL, "!", "show only bad and doubtful rows", do_faults, false},
	{"sort", "[COLUMN[:desc],…]", NULL, "sort rows; none: as the list does",
	    do_sort, false},
	{NULL, NULL, "s", "sort by columns", key_sort, false},
	{"mark", NULL, " ", "mark the row", do_mark, false},
	{"wide", NULL, "w", "further columns, values in full", do_wide, false},
	{"describe", NULL, "d", "the row whole", do_describe, false},
	{"yaml", NULL, "y", "the row as YAML", do_yaml, false},
	{"diff", NULL, NULL, "what differs between two marked rows", do_diff,
	    false},
	{NULL, NULL, "v", "chart of a column's past", do_chart, false},
	{NULL, NULL, "D", "timeline of the row", do_past, false},
	{"time", "TIME", NULL, "show the console as it was; now: as it is",
	    do_time, true},
	{NULL, NULL, "T", "time to show; empty is now", key_time, false},
	{NULL, NULL, "<", "to the previous change of what is shown",
	    do_previous, false},
	{NULL, NULL, ">", "to the next one", do_next, false},
	{"copy", NULL, "c", "copy the row to the clipboard", do_copy, false},
	{"command", NULL, "C", "the command that prints this", do_command,
	    false},
	{"export", "FILE", NULL, "write the rows to a file; its ending is the "
	    "format", do_export, true},
	{NULL, NULL, "x", "export the rows to a file", key_export, false},
	{"refresh", NULL, "r", "fetch now", do_refresh, false},
	{"help", NULL, "?", "this help", do_help, false},
	{NULL, NULL, ":", "a command", key_line, false},
	{"quit", NULL, NULL, "leave kiban", do_quit, false},
	{"q", NULL, NULL, "leave kiban", do_quit, false},
};
#define WORDS (sizeof(words) / sizeof(*words))

/* ---- running them ---------------------------------------------------------------- */

bool word_run(struct screen *s, int argc, const char *const *argv)
{
	for (size_t i = 0; i < WORDS; i++) {
		const struct word *w = &words[i];
		if (!w->word || strcmp(w->word, argv[0]))
			continue;
		if (argc > 2 || (argc == 2 && !w->args))
			screen_say(s, LOOK_BAD, "%s takes %s", w->word,
			    w->args ? w->args : "no words");
		else if (argc == 1 && w->needs_arg)
			screen_say(s, LOOK_BAD, "%s takes %s", w->word, w->args);
		else
			w->run(s, argc == 2 ? argv[1] : NULL);
		return true;
	}
	return false;
}

void word_each(void (*each)(void *arg, const char *word, const char *help),
    void *arg)
{
	for (size_t i = 0; i < WORDS; i++)
		if (words[i].word && strcmp(words[i].word, "q"))
			each(arg, words[i].word, words[i].help);
}

bool key_run(struct screen *s, const char *key)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (!words[i].key || strcmp(words[i].key, key))
			continue;
		words[i].run(s, NULL);
		return true;
	}
	return false;
}

/* ---- keys bound to lines ------------------------------------------------------------ */

/* Names as literals and configs may write a key. */
static const char *const spellings[][2] = {
	{" ", "<Space>"}, {"<", "<lt>"},
};

const struct bind *key_bind(struct screen *s, const struct view *v,
    const char *key)
{
	const struct registry *r = &s->session->registry;
	const struct bind *b = v ? registry_bind(r, v, key) : NULL;

	for (size_t i = 0; !b && i < 2; i++)
		if (v && !strcmp(spellings[i][0], key))
			b = registry_bind(r, v, spellings[i][1]);
	if (!b)
		b = registry_bind(r, NULL, key);
	for (size_t i = 0; !b && i < 2; i++)
		if (!strcmp(spellings[i][0], key))
			b = registry_bind(r, NULL, spellings[i][1]);
	return b;
}

/* ---- help --------------------------------------------------------------------------- */

static void help_pair(struct buf *out, const char *key, const char *help)
{
	if (!strcmp(key, " "))
		key = "<Space>";
	buf_addf(out, "  %-10s %s\n", key, help);
}

static void help_binds(struct screen *s, const struct view *v, struct buf *out)
{
	const struct bind *b = v->keys;

	for (; b && b->key; b++) {
		const struct bind *now = key_bind(s, v, b->key);
		char *text = xasprintf("%s%s:%s", now->note ? now->note : "",
		    now->note ? "   " : "", now->line);
		help_pair(out, b->key, text);
		free(text);
	}
}

void keys_help(struct screen *s, struct buf *out)
{
	const struct line *l = &s->here->sight->line;

	if (l->view && l->verb == VERB_LIST && l->view->keys) {
		buf_addf(out, "Keys of %s\n", l->view->name);
		help_binds(s, l->view, out);
		buf_addc(out, '\n');
	}
	buf_adds(out, "Keys everywhere\n");
	for (size_t i = 0; i < WORDS; i++) {
		const struct bind *b = !words[i].key ? NULL
		    : key_bind(s, NULL, words[i].key);
		if (words[i].key)
			help_pair(out, words[i].key, b ? b->line
			    : words[i].help);
	}
	help_pair(out, "<Esc> q", "close the prompt, then the filter, then "
	    "back; q at home leaves");
	help_pair(out, "<C-c>", "cancel what runs");
	help_pair(out, "<C-l>", "paint the screen anew");
	help_pair(out, "<C-z>", "stop; fg goes on");
	help_pair(out, "j k g G", "down, up, first, last; arrows, <PgUp>, "
	    "<PgDn>, <Home>, <End> too");
	buf_adds(out, "\nWords after : that only the screen knows\n");
	for (size_t i = 0; i < WORDS; i++) {
		char *w;
		if (!words[i].word)
			continue;
		w = xasprintf("%s%s%s", words[i].word, words[i].args ? " " : "",
		    words[i].args ? words[i].args : "");
		buf_addf(out, "  %-28s %s\n", w, words[i].help);
		free(w);
	}
	buf_addc(out, '\n');
	line_help(&s->session->registry, l, out);
}

/* ---- hints -------------------------------------------------------------------------- */

static void hint(struct hint *out, size_t *n, size_t max, int rank,
    const char *key, const char *note)
{
	struct hint *h;

	if (*n == max)
		return;
	h = &out[(*n)++];
	*h = (struct hint){.rank = rank};
	snprintf(h->key, sizeof(h->key), "%s", key);
	snprintf(h->note, sizeof(h->note), "%s", note ? note : "");
}

static void plain_key(const char *key, char out[KEY_BYTES + 4])
{
	size_t n = strlen(key);

	/* <Enter> is Enter to who reads it. */
	if (n > 2 && key[0] == '<' && key[n - 1] == '>') {
		memcpy(out, key + 1, n - 2);
		out[n - 2] = '\0';
	} else {
		memcpy(out, key, n + 1);
	}
}

static size_t bind_hints(struct screen *s, const struct view *v,
    struct hint *out, size_t n, size_t max)
{
	char key[KEY_BYTES + 4];
	const struct bind *b = v->keys;
	int rank = 6;

	for (; b && b->key && strlen(b->key) < KEY_BYTES; b++) {
		const struct bind *now = key_bind(s, v, b->key);
		plain_key(b->key, key);
		hint(out, &n, max, !strcmp(b->key, "<Enter>") ? 1 : rank++,
		    key, now->note);
	}
	return n;
}

size_t keys_hints(struct screen *s, struct hint *out, size_t max)
{
	struct place *p = s->here;
	const struct line *l = &p->sight->line;
	bool list = l->view && l->verb == VERB_LIST && !p->fixed &&
	    p->body == &browser_body;
	size_t n = 0;

	if (list)
		n = bind_hints(s, l->view, out, n, max);
	if (place_is_home(p)) {
		hint(out, &n, max, 1, "Enter", "open");
		hint(out, &n, max, 3, "/", "filter");
		hint(out, &n, max, 4, "!", "faults");
	} else if (list && (!n || out[0].rank != 1) && p->body->selected) {
		hint(out, &n, max, 1, "Enter", "open");
	}
	if (list && place_chart_column(p) && !(l->view->flags & VIEW_NO_PAST))
		hint(out, &n, max, 4, "v", "chart");
	if (list && l->view->kind && !(l->view->flags & VIEW_SINCE))
		hint(out, &n, max, 5, "D", "past");
	if (p->body == &chart_body)
		hint(out, &n, max, 3, "Tab", "next column");
	hint(out, &n, max, 2, "T", "time");
	if (place_is_home(p))
		hint(out, &n, max, 5, "C", "command");
	hint(out, &n, max, 0, "?", "help");
	return n;
}
