/* The inside of the screen: places (what was opened, in order), and the screen
 * that shows one of them. All of it belongs to the loop's thread.
 *
 *	loop.c, linear.c	where keys come from and frames go to
 *	screen.c		lines to places, history, keys, what is drawn around
 *	browser.c pager.c chart.c overview.c	the bodies
 *	prompt.c		the line at the bottom
 *	words.c act.c		what keys and `:` words do
 */
#ifndef PLACE_H
#define PLACE_H

#include "desk.h"
#include "fetch.h"
#include "frame.h"
#include "keys.h"
#include "load.h"
#include "prompt.h"
#include "pulse.h"

struct screen;
struct place;

/* The selected row, as keys and actions see it. */
struct selected {
	const struct view	*view;		/* NULL: of no list */
	const struct module	*module;
	const struct column	*columns;
	size_t			 n;
	struct cell		*cells;		/* n; caller's, free() */
};

/* How a place shows itself. Any may be NULL where it isn't needed. */
struct body {
	/* Begins to read what it shows, anew. */
	void (*load)(struct place *p);
	void (*draw)(struct place *p, struct frame *f, int y, int rows);
	/* True when the key was the body's. */
	bool (*key)(struct place *p, const char *key);
	bool (*selected)(struct place *p, struct selected *out);
	/* Position, filter, sort: parts of the status line, apart by \n. */
	void (*status)(struct place *p, struct buf *out);
	/* What `copy` takes: the selection, or all. */
	void (*copy)(struct place *p, struct buf *out);
	/* Age of the oldest data shown (a time; 0: none), columns left out. */
	int64_t (*seen)(struct place *p);
	int (*dropped)(struct place *p);
	/* It is not shown any more: what is big may go. */
	void (*hide)(struct place *p);
	void (*release)(struct place *p);
	/* Sorting, filtering, faults, wide, mark; -1 with err. NULL: none. */
	int (*choose)(struct place *p, const char *what, const char *arg,
	    struct err *err);
	/* A press of the mouse on that line of the frame. */
	void (*click)(struct place *p, int y);
	/* What the right end of the top line says besides. */
	void (*headline)(struct place *p, struct buf *out);
	/* Forgets p->load. NULL: it is a load of load.h. */
	void (*forget)(struct place *p);
	/* Rows as they are shown, for export; the caller frees. NULL: none. */
	struct haul *(*rows)(struct place *p);
};

struct place {
	struct screen		*screen;
	struct place		*older, *newer;
	struct sight		*sight;
	const struct body	*body;
	void			*own;		/* the body's */
	struct work		*load;		/* runs now; NULL */
	bool			 loaded;	/* something came once */
	bool			 fixed;		/* what a command gave: it isn't
						 * read again */
	bool			 fetched;	/* --refresh was done for it */
	bool			 stale;		/* load again when it is shown */
	char			*error;		/* of the last load; NULL */
	char			*filter, *sort;	/* as set here; NULL */
	bool			 faults, wide;
	char			**kinds;	/* read by it; NULL */
	int64_t			 took;		/* ms of its last load */
	int64_t			 began;		/* clock_mono() of it */
	char			*title;		/* text of a place without a line */
	char			*text;		/* of a pager, taken */
};

/* What the screen wants of the terminal; whoever runs the loop takes it. */
struct wishes {
	bool		bell, suspend, repaint;
	bool		retitle;
	struct buf	copy;		/* n 0: nothing */
};

struct screen {
	struct session	*session;
	struct line	*start;
	struct desk	*desk;
	struct frame	 frame;
	bool		 play;		/* no terminal, nothing by itself */
	bool		 quit;
	struct place	*here, *last;
	size_t		 places;
	int64_t		 at;		/* the time shown; 0: now */
	struct prompt	 prompt;
	struct work	*command;	/* runs in the foreground; NULL */
	char		*command_line;
	struct work	*fetch;		/* of `r` without a poller */
	struct buf	 said;		/* the last message */
	unsigned	 said_look;
	bool		 said_long;	/* shown whole, over the body */
	struct pulse	*pulse;		/* NULL: not yet */
	struct work	*pulsing;
	struct poller	*poller;
	char		*polled;	/* contexts the poller has */
	const char *const *shown;	/* kinds that it was told */
	int64_t		 moved_at;	/* last reload */
	bool		 moved;		/* rows came in since */
	struct wishes	 wishes;
};

/* ---- screen.c ------------------------------------------------------------- */

void screen_init(struct screen *s, struct session *session,
    struct line *start, int cols, int rows, bool play);
/* Opens the first place. ERR_USAGE for contexts that can't be used. */
int screen_begin(struct screen *s, struct err *err);
void screen_release(struct screen *s);
void screen_key(struct screen *s, const char *key, bool pasted);
void screen_click(struct screen *s, int x, int y);
void screen_resize(struct screen *s, int cols, int rows);
/* Draws all into s->frame. */
void screen_draw(struct screen *s);
/* Results came in, or time passed: begins what is due. */
void screen_turn(struct screen *s, bool moved);
/* ms until screen_turn() has something to do by itself; -1: nothing. */
int screen_due(const struct screen *s);

/* A message for the status line, or over it when it is long. */
void screen_say(struct screen *s, unsigned look, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void screen_fail(struct screen *s, const struct err *err);

/* ---- places (places.c) ---------------------------------------------------- */

/* Runs a line as typed after `:`, or bound to a key. */
void screen_run_line(struct screen *s, const char *text);
void screen_run_argv(struct screen *s, int argc, const char *const *argv);
/* Shows what the line names; takes its insides. */
int screen_open(struct screen *s, struct line *line, struct err *err);
/* A place of rows or text that a command gave; takes them. */
struct place *screen_show_rows(struct screen *s, struct sight *sight,
    struct result *r);
struct place *screen_show_text(struct screen *s, struct sight *sight,
    const char *title, char *text);
void screen_go(struct screen *s, struct place *to);
void screen_back(struct screen *s);
void screen_forward(struct screen *s);
void screen_last(struct screen *s);
/* Sets the time shown; 0 is now. */
void screen_time(struct screen *s, int64_t at);
void screen_reload(struct screen *s);
void place_load(struct place *p);
void place_forget(struct place *p);
void place_release(struct place *p);
bool place_is_home(const struct place *p);
/* The line of a place with its sort and filter, as `C` shows it. New. */
char *place_command(const struct place *p);
/* What a place is called in the top line; the module less where short. */
void place_name(const struct place *p, bool with_module, struct buf *out);

/* ---- what keys do (words.c, act.c) ---------------------------------------- */

/* A word of CONTRACT.md that only the screen knows. False: it's none. */
bool word_run(struct screen *s, int argc, const char *const *argv);
/* Calls each word with what it does. */
void word_each(void (*each)(void *arg, const char *word, const char *help),
    void *arg);
/* The key's built-in meaning. False: it has none. */
bool key_run(struct screen *s, const char *key);
/* Text of the help: the keys here, then the line's own help. */
void keys_help(struct screen *s, struct buf *out);
/* Keys that matter here, for the status line: "Enter clusters" …; returns how
 * many, least important last. */
struct hint { char key[KEY_BYTES + 4]; char note[24]; int rank; };
size_t keys_hints(struct screen *s, struct hint *out, size_t max);
/* The line bound to a key here: the user's, the view's; NULL. */
const struct bind *key_bind(struct screen *s, const struct view *v,
    const char *key);

void act_bind(struct screen *s, const struct bind *b);
void act_command(struct screen *s);
void act_copy(struct screen *s);
void act_export(struct screen *s, const char *path);
void act_time(struct screen *s, const char *text);
void act_step(struct screen *s, int direction);
void act_diff(struct screen *s);
void act_enter(struct screen *s);
void act_show(struct screen *s, bool yaml);
void act_past(struct screen *s);
void act_chart(struct screen *s);
void act_refresh(struct screen *s);
void act_context(struct screen *s, const char *name);
/* Runs a parsed command beside the loop; takes its insides. */
void command_start(struct screen *s, struct sight *sight);
/* Fetches what the place shows and reads it again. */
void fetch_start(struct screen *s);

extern const struct body browser_body, pager_body, chart_body, overview_body;
/* browser.c: gives a place rows that were not loaded from a view. */
void browser_take(struct place *p, struct haul *h);
/* Marked rows, at most max, of which result. */
size_t browser_marked(struct place *p, uint32_t *out, size_t max,
    struct result **result);
/* chart.c: the column whose past `v` shows; NULL: none has a curve. */
const char *place_chart_column(struct place *p);
const char *place_chart_column_of(struct place *p, const struct view *v);

#endif
