/* The screen: three ways to run the same console. tui/main.c calls these.
 *
 * start is borrowed until the call returns: the line whose words name the first
 * screen; without words it is home. Flags of the line that concern the whole
 * console (context, at, refresh, offline, timeout, no_color, ascii) hold until
 * it is left. */
#ifndef SCREEN_H
#define SCREEN_H

#include "line.h"
#include "session.h"

/* On the terminal of stdin and stdout, until it is left. -1 when there is no
 * terminal that can be used. A signal that ended it is raised again after the
 * terminal was given back. */
int screen_run(struct session *s, struct line *start, struct err *err);
/* Without a terminal: feeds the keys (see keys.h) and appends the last frame to
 * frame, exactly rows lines. ERR_USAGE for keys that can't be read, ERR_FAILED
 * when what a key began is not done in time. */
int screen_play(struct session *s, struct line *start, const char *keys,
    int cols, int rows, struct buf *frame, struct err *err);
/* For TERM=dumb and screen readers: lines in, tables out, no cursor. */
int screen_linear(struct session *s, struct line *start, struct err *err);

#endif
