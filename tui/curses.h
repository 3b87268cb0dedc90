/* The terminal: the only room that talks to it. It paints frames, reads keys,
 * and gives the terminal back, whatever ends the process.
 *
 * Of ncurses this uses terminfo, not windows: a window believes that the
 * terminal gives characters the widths that wcwidth() says, and lines break
 * where ambiguous ones are wide. Here every cell is addressed whose place
 * could be in doubt.
 *
 * There is one terminal a process: no handle. One thread uses it. */
#ifndef CURSES_ROOM_H
#define CURSES_ROOM_H

#include "frame.h"
#include "keys.h"
#include "theme.h"

/* Takes the terminal of stdin and stdout. wake: written a byte to when a
 * signal came in (a pipe's end that never blocks). ERR_FAILED: no terminal, or
 * TERM names none that can be addressed. */
int term_open(const struct theme *t, int wake, struct err *err);
/* Gives it back; twice is once. */
void term_close(void);

void term_size(int *cols, int *rows);
/* Writes what differs from the frame painted before. */
void term_paint(const struct frame *f);
/* The next paint paints all. */
void term_forget(void);

struct term_key {
	char	name[KEY_BYTES];	/* also "<Click>" */
	bool	pasted;			/* text that came by a paste */
	int	x, y;			/* of <Click> */
};
/* 1: a key; 0: none yet; -1: the terminal is gone. Never waits. */
int term_read(struct term_key *k);
/* ms until what was read so far is a key of its own (Esc); -1: nothing. */
int term_due(void);

/* What signals asked for since the last call. */
struct term_asked {
	int	deadly;		/* SIGTERM, SIGHUP, …: leave; 0 */
	bool	resized, suspend, resumed;
};
struct term_asked term_asked(void);
/* Gives the terminal back, stops the process group as Ctrl-Z does, and takes
 * it again. */
void term_suspend(void);

void term_bell(void);
/* text is made harmless; NULL gives the old title back. */
void term_title(const char *text);
/* OSC 52. false: over 74 KB, nothing was sent. */
#define TERM_COPY_MAX (74 * 1000)
bool term_copy(const char *p, size_t n);

#endif
