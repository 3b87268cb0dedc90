/* What the screen always knows, wherever it stands: sources that fail, and the
 * bad findings that are open. */
#ifndef PULSE_H
#define PULSE_H

#include "desk.h"
#include "load.h"

struct pulse {
	char		*error;		/* the line under the top; NULL: none */
	size_t		 bad;		/* open bad findings */
	char		**names;	/* of them, sorted; ends NULL */
};
/* came() takes the pulse; a reading that fails calls it with NULL. */
struct work *pulse_start(struct desk *d, struct sight *sight,
    void (*came)(void *arg, struct pulse *p), void *arg);
/* A bad finding that wasn't there before. */
bool pulse_worse(const struct pulse *before, const struct pulse *now);
void pulse_free(struct pulse *p);

#endif
