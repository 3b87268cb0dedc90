/* The loop: one thread that waits for the terminal, for what comes back to the
 * desk, or for a time; and the same without a terminal, for --play. */
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curses.h"
#include "place.h"
#include "screen.h"
#include "text.h"

/* ---- on a terminal ------------------------------------------------------------- */

static void retitle(const struct screen *s)
{
	struct buf b = {0};

	if (s->pulse && s->pulse->bad)
		buf_addf(&b, "(%zu bad) ", s->pulse->bad);
	buf_addf(&b, "kiban %s", s->here->sight->context);
	term_title(buf_str(&b));
	buf_free(&b);
}

static void grant(struct screen *s)
{
	struct wishes *w = &s->wishes;

	if (w->suspend) {
		term_suspend();
		w->retitle = true;
	}
	if (w->repaint)
		term_forget();
	if (w->bell)
		term_bell();
	if (w->retitle)
		retitle(s);
	if (w->copy.n)
		term_copy(w->copy.p, w->copy.n);
	buf_clear(&w->copy);
	w->suspend = w->repaint = w->bell = w->retitle = false;
}

static bool take_signals(struct screen *s, int *deadly)
{
	struct term_asked a = term_asked();
	int cols, rows;

	*deadly = a.deadly;
	if (a.deadly)
		return false;
	if (a.suspend)
		s->wishes.suspend = true;
	if (a.resumed)
		term_forget();
	if (a.resized || a.resumed) {
		term_size(&cols, &rows);
		screen_resize(s, cols, rows);
	}
	return true;
}

/* False: the terminal is gone. */
static bool take_keys(struct screen *s)
{
	struct term_key k;
	int rc;

	while (!s->quit && (rc = term_read(&k)) == 1) {
		if (!strcmp(k.name, "<Click>"))
			screen_click(s, k.x, k.y);
		else
			screen_key(s, k.name, k.pasted);
	}
	return s->quit || rc == 0;
}

/* What comes within a moment needs no frame that says it is being read. */
#define MOMENT 80

static int64_t held(const struct screen *s)
{
	int64_t left = s->here->began + MOMENT - clock_mono();

	return s->here->loaded || s->prompt.kind || left < 0 ? 0 : left;
}

static void wait_for_something(struct screen *s)
{
	struct pollfd p[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = desk_fd(s->desk), .events = POLLIN},
	};
	int due = screen_due(s), key = term_due();

	if (key >= 0 && (due < 0 || key < due))
		due = key;
	if (held(s) && (due < 0 || held(s) < due))
		due = (int)held(s);
	poll(p, 2, due);
}

static int run(struct screen *s)
{
	int deadly = 0;

	while (!s->quit) {
		bool moved = desk_turn(s->desk);
		if (!take_signals(s, &deadly))
			break;
		if (!take_keys(s)) {
			deadly = SIGHUP;
			break;
		}
		screen_turn(s, moved);
		if (s->quit)
			break;
		grant(s);
		if (!held(s)) {
			screen_draw(s);
			term_paint(&s->frame);
		}
		wait_for_something(s);
	}
	return deadly;
}

/* Results are read on tasks and freed here, big ones and often: what is freed
 * goes back to the system instead of lying about in the tasks' own arenas. */
static void tune_memory(void)
{
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

int screen_run(struct session *s, struct line *start, struct err *err)
{
	struct theme theme;
	struct screen screen;
	int cols, rows, deadly;

	tune_memory();
	theme_load(&theme, &s->config, start->flags.no_color);
	screen_init(&screen, s, start, 80, 24, false);
	if (screen_begin(&screen, err) < 0 ||
	    term_open(&theme, desk_wake_fd(screen.desk), err) < 0) {
		screen_release(&screen);
		return -1;
	}
	screen.wishes.retitle = true;
	term_size(&cols, &rows);
	screen_resize(&screen, cols, rows);
	deadly = run(&screen);
	term_close();
	screen_release(&screen);
	if (deadly) {
		signal(deadly, SIG_DFL);
		raise(deadly);
	}
	return 0;
}

/* ---- without one ---------------------------------------------------------------- */

static bool is_busy(const struct screen *s)
{
	return desk_busy(s->desk) || s->moved || s->to_look;
}

/* Until nothing runs any more, or only what waits for an answer. */
static int settle(struct screen *s, int64_t deadline, const char *after,
    struct err *err)
{
	for (;;) {
		struct pollfd p = {.fd = desk_fd(s->desk), .events = POLLIN};
		int64_t left = deadline - clock_mono();
		screen_turn(s, desk_turn(s->desk));
		if (s->quit)
			return 0;
		if (!is_busy(s)) {
			/* A question may have come since. */
			screen_turn(s, false);
			if (!is_busy(s))
				return 0;
		}
		if (left <= 0)
			return err_set(err, ERR_FAILED, "--play: what %s began "
			    "is not done; --timeout allows more time", after);
		if (desk_busy(s->desk))
			poll(&p, 1, left < 1000 ? (int)left : 1000);
	}
}

static int feed(struct screen *s, const char *keys, int64_t deadline,
    struct err *err)
{
	char name[KEY_BYTES];
	int rc = settle(s, deadline, "the start", err);

	while (rc == 0 && !s->quit && (rc = key_next(&keys, name, err)) == 1) {
		screen_key(s, name, false);
		rc = settle(s, deadline, name, err);
	}
	return rc;
}

int screen_play(struct session *s, struct line *start, const char *keys,
    int cols, int rows, struct buf *frame, struct err *err)
{
	int64_t limit = start->flags.timeout >= 0 ? start->flags.timeout
						  : 10000;
	struct screen screen;
	int rc;

	if (keys_check(keys, err) < 0)
		return err_prefix(err, "--play");
	screen_init(&screen, s, start, cols, rows, true);
	rc = screen_begin(&screen, err);
	if (rc == 0)
		rc = feed(&screen, keys, clock_mono() + limit, err);
	if (rc == 0) {
		screen_draw(&screen);
		frame_dump(&screen.frame, frame);
	}
	screen_release(&screen);
	return rc;
}
