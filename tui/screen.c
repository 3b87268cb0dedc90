/* The screen as a whole: what a key reaches, the prompt and what its lines mean,
 * what is drawn where, and what begins by itself as time passes. */
#include <stdlib.h>
#include <string.h>

#include "bars.h"
#include "core.h"
#include "place.h"
#include "text.h"

#define COLS_MIN 40
#define ROWS_MIN 10

/* ---- saying ------------------------------------------------------------------- */

void screen_say(struct screen *s, unsigned look, const char *fmt, ...)
{
	va_list ap;

	buf_clear(&s->said);
	va_start(ap, fmt);
	buf_vaddf(&s->said, fmt, ap);
	va_end(ap);
	s->said_look = look;
	s->said_long = false;
}

void screen_fail(struct screen *s, const struct err *err)
{
	if (err->code == ERR_CANCELLED)
		screen_say(s, LOOK_PLAIN, "cancelled");
	else
		screen_say(s, LOOK_BAD, "%s", err->text);
}

/* ---- the prompt ------------------------------------------------------------------ */

struct offers {
	char	**v;
	size_t	  n;
	const char *word;
};

static void offer(void *arg, const char *word, const char *help)
{
	struct offers *o = arg;

	(void)help;
	if (strncmp(word, o->word, strlen(o->word)))
		return;
	for (size_t i = 0; i < o->n; i++)
		if (!strcmp(o->v[i], word))
			return;
	o->v = xrealloc(o->v, o->n + 1, sizeof(*o->v));
	o->v[o->n++] = xstrdup(word);
}

static void offer_column(struct screen *s, struct offers *o)
{
	const struct view *v = s->here->sight->line.view;
	struct column *c;
	size_t n;

	if (!v)
		return;
	c = view_columns(v, &n);
	for (size_t i = 0; i < n; i++) {
		char *desc = xasprintf("%s:desc", c[i].name);
		offer(o, c[i].name, NULL);
		if (strlen(o->word) >= strlen(c[i].name))
			offer(o, desc, NULL);
		free(desc);
	}
	free(c);
}

/* Names of rows from the cache would have to be waited for: words alone. */
static void complete(struct screen *s)
{
	struct prompt *p = &s->prompt;
	char *before = xstrndup(buf_str(&p->text), p->at);
	struct arena a = {0};
	struct offers o = {.word = ""};
	const char **argv;
	int argc;

	if (line_split(&a, before, &argv, &argc, NULL) == 0) {
		const char **all = xcalloc((size_t)argc + 2, sizeof(*all));
		memcpy(all, argv, (size_t)argc * sizeof(*all));
		if (!argc || (p->at && before[p->at - 1] == ' '))
			all[argc++] = "";
		o.word = all[argc - 1];
		if (argc == 1)
			word_each(offer, &o);
		if (argc == 2 && !strcmp(all[0], "sort"))
			offer_column(s, &o);
		line_complete_prompt(&s->session->registry,
		    &s->session->config, NULL, argc, all, offer, &o);
		prompt_offer(p, o.v, o.n);
		free(all);
	}
	arena_free(&a);
	free(before);
}

static void tab(struct screen *s, const char *key)
{
	if (prompt_offers(&s->prompt))
		prompt_next_offer(&s->prompt, !strcmp(key, "<Tab>") ? 1 : -1);
	else
		complete(s);
}

static void entered(struct screen *s)
{
	enum prompt_kind kind = s->prompt.kind;
	char *text = xstrdup(buf_str(&s->prompt.text));
	const char *wanted = NULL;
	struct work *w;

	prompt_close(&s->prompt);
	switch (kind) {
	case PROMPT_LINE:
		if (text[strspn(text, " ")])
			history_add(&s->prompt, s->play ? NULL
			    : s->session->config.data_dir, text);
		screen_run_line(s, text);
		break;
	case PROMPT_TIME:
		act_time(s, text);
		break;
	case PROMPT_ASK:
	case PROMPT_WORD:
		w = desk_asking(s->desk, NULL, &wanted);
		if (w)
			work_answer(w, wanted ? !strcmp(text, wanted) : true);
		break;
	default:
		break;
	}
	free(text);
}

static void left(struct screen *s)
{
	enum prompt_kind kind = s->prompt.kind;
	struct work *w;

	prompt_close(&s->prompt);
	if (kind != PROMPT_ASK && kind != PROMPT_WORD)
		return;
	w = desk_asking(s->desk, NULL, NULL);
	if (w)
		work_answer(w, false);
}

/* A filter is tried as it is typed; what is half a regex changes nothing. */
static void try_filter(struct screen *s)
{
	struct place *p = s->here;

	buf_clear(&s->said);
	if (p->body->choose)
		p->body->choose(p, "filter", buf_str(&s->prompt.text), NULL);
}

static void enter_filter(struct screen *s)
{
	struct place *p = s->here;
	struct err err = {0};

	if (p->body->choose && p->body->choose(p, "filter",
	    buf_str(&s->prompt.text), &err) < 0)
		screen_fail(s, &err);
	prompt_close(&s->prompt);
}

static void key_to_prompt(struct screen *s, const char *key)
{
	bool filter = s->prompt.kind == PROMPT_FILTER;

	switch (prompt_key(&s->prompt, key)) {
	case PROMPT_ENTERED:
		if (filter)
			enter_filter(s);
		else
			entered(s);
		break;
	case PROMPT_LEFT:
		left(s);
		break;
	case PROMPT_TAB:
		tab(s, key);
		break;
	case PROMPT_EDITED:
		if (filter)
			try_filter(s);
		break;
	case PROMPT_NOTHING:
		break;
	}
}

/* A command that runs has a question: the prompt opens with it. */
static void take_question(struct screen *s)
{
	const char *question, *wanted;
	char *label;

	if (!desk_asking(s->desk, &question, &wanted)) {
		/* Whoever asked was cancelled meanwhile. */
		if (s->prompt.kind == PROMPT_ASK ||
		    s->prompt.kind == PROMPT_WORD)
			prompt_close(&s->prompt);
		return;
	}
	if (s->prompt.kind == PROMPT_ASK || s->prompt.kind == PROMPT_WORD)
		return;
	/* The plan stands above, the question itself is the prompt. */
	const char *last = strrchr(question, '\n');
	if (last) {
		screen_say(s, LOOK_PLAIN, "%.*s", (int)(last - question),
		    question);
		s->said_long = true;
	}
	if (wanted)
		label = xasprintf("%s Type %s to do it: ",
		    last ? last + 1 : question, wanted);
	else
		label = xasprintf("%s [y/N] ", last ? last + 1 : question);
	prompt_open(&s->prompt, wanted ? PROMPT_WORD : PROMPT_ASK, label, "");
	free(label);
}

/* ---- keys ------------------------------------------------------------------------ */

static bool cancel(struct screen *s)
{
	struct place *p = s->here;

	if (s->command)
		work_cancel(s->command);
	else if (s->fetch)
		work_cancel(s->fetch);
	else if (p->load && p->loaded && clock_mono() - p->began > 300)
		place_forget(p);
	else
		return false;
	return true;
}

/* The prompt was closed before; now what runs, the filter, then back. */
static void escape(struct screen *s, bool leaves)
{
	struct place *p = s->here;

	if (cancel(s))
		return;
	if (p->filter && p->body->choose) {
		p->body->choose(p, "filter", "", NULL);
		return;
	}
	if (leaves && place_is_home(p))
		s->quit = true;
	else
		screen_back(s);
}

static bool key_fixed(struct screen *s, const char *key)
{
	if (!strcmp(key, "<Esc>") || !strcmp(key, "q")) {
		escape(s, *key == 'q');
	} else if (!strcmp(key, "<C-c>")) {
		if (!cancel(s))
			screen_say(s, LOOK_PLAIN, "nothing runs; :quit or q "
			    "at home leaves");
	} else if (!strcmp(key, "<C-z>")) {
		s->wishes.suspend = true;
	} else if (!strcmp(key, "<C-l>")) {
		s->wishes.repaint = true;
	} else {
		return false;
	}
	return true;
}

static const struct bind *bound(struct screen *s, const char *key)
{
	struct place *p = s->here;
	const struct view *v = NULL;
	struct selected r;

	if (p->sight->line.verb == VERB_LIST && p->body->selected &&
	    p->body->selected(p, &r)) {
		v = r.view;
		free(r.cells);
	}
	return key_bind(s, v, key);
}

void screen_key(struct screen *s, const char *key, bool pasted)
{
	const struct bind *b;

	if (s->prompt.kind) {
		key_to_prompt(s, key);
		return;
	}
	/* What was pasted is text, and there is nowhere to put it. */
	if (pasted)
		return;
	buf_clear(&s->said);
	if ((b = bound(s, key))) {
		act_bind(s, b);
		return;
	}
	if (key_fixed(s, key))
		return;
	if (s->here->body->key && s->here->body->key(s->here, key))
		return;
	if (!key_run(s, key))
		screen_say(s, LOOK_PLAIN, "%s means nothing here; ? lists the "
		    "keys", !strcmp(key, " ") ? "<Space>" : key);
}

void screen_click(struct screen *s, int x, int y)
{
	(void)x;
	if (!s->prompt.kind && s->here->body->click)
		s->here->body->click(s->here, y);
}

/* ---- drawing ----------------------------------------------------------------------- */

static void draw_too_small(struct screen *s)
{
	char *text = xasprintf("too small: %dx%d, kiban wants %dx%d",
	    s->frame.cols, s->frame.rows, COLS_MIN, ROWS_MIN);
	const char *t = text;

	for (int y = 0; y < s->frame.rows && *t; y++) {
		size_t n = strlen(t), k = (size_t)s->frame.cols;
		k = k < n ? k : n;
		frame_put(&s->frame, 0, y, s->frame.cols, LOOK_PLAIN, t, k);
		t += k;
	}
	free(text);
}

static void draw_offers(struct screen *s, int y)
{
	const struct prompt *p = &s->prompt;
	int x = 1;

	/* The one that is in stays in sight. */
	size_t from = p->offer < p->noffers && p->offer > 3 ? p->offer - 3 : 0;
	for (size_t i = from; i < p->noffers && x < s->frame.cols; i++) {
		x = frame_puts(&s->frame, x, y, i == p->offer
		    ? LOOK_PLAIN | LOOK_SELECTED : LOOK_OLD, p->offers[i]);
		x = frame_puts(&s->frame, x, y, LOOK_PLAIN, "  ");
	}
}

static void clear_lines(struct frame *f, int from, int to)
{
	struct buf blank = {0};

	buf_addf(&blank, "%*s", f->cols, "");
	for (int y = from; y < to; y++)
		frame_put(f, 0, y, f->cols, LOOK_PLAIN, buf_str(&blank),
		    blank.n);
	buf_free(&blank);
}

static int message_lines(struct screen *s)
{
	struct frame probe = {0};
	int most = s->frame.rows / 2, used;

	if (!bars_is_long(s))
		return 0;
	frame_resize(&probe, s->frame.cols, most);
	used = pager_wrap(&probe, 0, most, LOOK_PLAIN, buf_str(&s->said));
	frame_release(&probe);
	return used;
}

void screen_draw(struct screen *s)
{
	struct frame *f = &s->frame;
	bool error = s->pulse && s->pulse->error && !s->at;
	int top = 1 + error, bottom, said;

	frame_clear(f);
	if (f->cols < COLS_MIN || f->rows < ROWS_MIN) {
		draw_too_small(s);
		return;
	}
	bottom = f->rows - 1 - (s->prompt.kind != PROMPT_NONE);
	s->here->body->draw(s->here, f, top, bottom - top);
	said = message_lines(s);
	if (said) {
		clear_lines(f, bottom - said, bottom);
		pager_wrap(f, bottom - said, said, s->said_look,
		    buf_str(&s->said));
	}
	bars_top(s, 0);
	if (error)
		bars_error(s, 1);
	if (s->prompt.noffers)
		draw_offers(s, bottom);
	else
		bars_status(s, bottom);
	if (s->prompt.kind)
		prompt_draw(&s->prompt, f, f->rows - 1);
}

void screen_resize(struct screen *s, int cols, int rows)
{
	frame_resize(&s->frame, cols, rows);
}

/* ---- by itself --------------------------------------------------------------------- */

static void pulse_came(void *arg, struct pulse *p)
{
	struct screen *s = arg;

	s->pulsing = NULL;
	if (!p || s->quit) {
		pulse_free(p);
		return;
	}
	if (!s->pulse || s->pulse->bad != p->bad)
		s->wishes.retitle = true;
	if (pulse_worse(s->pulse, p))
		s->wishes.bell = true;
	pulse_free(s->pulse);
	s->pulse = p;
}

static void look(struct screen *s)
{
	if (!s->pulsing)
		s->pulsing = pulse_start(s->desk, s->here->sight, pulse_came,
		    s);
}

/* The poller follows the contexts that are shown, and what is shown. */
static void poll_what_is_shown(struct screen *s)
{
	static const char *const none[] = {NULL};
	struct place *p = s->here;
	const char *const *kinds = p->kinds ? (const char *const *)p->kinds
					    : none;

	if (s->play || s->start->flags.offline)
		return;
	if (!s->polled || strcmp(s->polled, p->sight->context)) {
		if (s->poller)
			poller_stop(s->poller);
		free(s->polled);
		s->polled = xstrdup(p->sight->context);
		s->poller = poller_start(s->session, p->sight->contexts,
		    p->sight->ncontexts, desk_poke, s->desk);
		s->shown = NULL;
	}
	if (s->shown != kinds) {
		poller_show(s->poller, kinds);
		s->shown = kinds;
	}
}

/* Reading anew costs at most a quarter of a percent of a core when nothing
 * moved, and five percent when something did. */
static int64_t pause_of(const struct place *p, bool moved)
{
	int64_t ms = p->took * (moved ? 20 : 400);
	int64_t least = moved ? 200 : 2000;

	return ms < least ? least : ms > 120000 ? 120000 : ms;
}

static int64_t reload_due(const struct screen *s)
{
	const struct place *p = s->here;

	if (p->load || s->pulsing)
		return INT64_MAX;
	return (p->began > s->moved_at ? p->began : s->moved_at) +
	    pause_of(p, s->moved);
}

static void refresh_for_play(struct screen *s)
{
	struct place *p = s->here;

	if (!s->start->flags.refresh || p->fetched || !p->loaded || p->load ||
	    s->at || p->fixed || s->quit)
		return;
	p->fetched = true;
	fetch_start(s);
}

void screen_turn(struct screen *s, bool moved)
{
	bool fetched = s->moved;

	s->moved = s->moved || moved;
	if (s->quit)
		return;
	take_question(s);
	poll_what_is_shown(s);
	if (s->play ? s->moved : clock_mono() >= reload_due(s)) {
		s->moved = false;
		s->moved_at = clock_mono();
		/* In the past nothing moves but the findings of now. */
		if (!s->at || !sight_has_past(s->here->sight) || fetched)
			place_load(s->here);
		look(s);
	}
	if (s->play)
		refresh_for_play(s);
}

int screen_due(const struct screen *s)
{
	int64_t now = clock_mono(), due = reload_due(s), tick;

	/* The clock in the top line, on the full second. */
	tick = now + 1000 - clock_now() % 1000;
	if (s->frame.cols < COLS_MIN || s->frame.rows < ROWS_MIN)
		tick = INT64_MAX;
	due = due < tick ? due : tick;
	if (due == INT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

/* ---- beginning and end ---------------------------------------------------------------- */

void screen_init(struct screen *s, struct session *session,
    struct line *start, int cols, int rows, bool play)
{
	*s = (struct screen){
		.session = session, .start = start, .play = play,
		.desk = desk_new(session),
	};
	frame_resize(&s->frame, cols, rows);
	if (!play)
		history_read(&s->prompt, session->config.data_dir);
}

/* start's own memory stays the caller's: the line is parsed again. */
static int open_start(struct screen *s, bool home, struct err *err)
{
	const struct flags *f = &s->start->flags;
	const char *args[] = {"home", "--context", f->context};
	struct arena a = {0};
	struct line line;
	const char **argv;
	int argc = 0, rc;

	if (home) {
		rc = line_parse_prompt(&s->session->registry,
		    f->context ? 3 : 1, args, &line, err);
	} else {
		rc = line_split(&a, s->start->text, &argv, &argc, err);
		if (rc == 0)
			rc = line_parse_prompt(&s->session->registry, argc,
			    argv, &line, err);
	}
	if (rc == 0)
		rc = screen_open(s, &line, err);
	arena_free(&a);
	return rc;
}

int screen_begin(struct screen *s, struct err *err)
{
	const struct line *l = s->start;
	bool words = (l->view || l->command) && l->command != &home_command;

	s->at = l->flags.at;
	/* Home lies below, so that Esc leads there; it is read when shown. */
	if (open_start(s, true, err) < 0)
		return -1;
	if (words && open_start(s, false, err) < 0)
		return -1;
	if (s->session->note.n)
		screen_say(s, LOOK_BAD, "%s", buf_str(&s->session->note));
	look(s);
	return 0;
}

static void drop_places(struct screen *s)
{
	struct place *p = s->here;

	while (p && p->older)
		p = p->older;
	while (p) {
		struct place *newer = p->newer;
		place_release(p);
		p = newer;
	}
	s->here = NULL;
}

void screen_release(struct screen *s)
{
	s->quit = true;
	if (s->poller)
		poller_stop(s->poller);
	drop_places(s);
	desk_free(s->desk);
	pulse_free(s->pulse);
	prompt_release(&s->prompt);
	frame_release(&s->frame);
	buf_free(&s->said);
	buf_free(&s->wishes.copy);
	free(s->polled);
	free(s->command_line);
}
