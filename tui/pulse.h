/* What the screen always knows, wherever it stands: sources that fail, and the
 * findings that are open. */
#ifndef PULSE_H
#define PULSE_H

#include "desk.h"
#include "load.h"

struct finding_now {
	char	*name;		/* what it is beyond a refresh */
	char	*text;		/* "payments: no healthy host (0 of 2)" */
	bool	 bad;
};
struct pulse {
	char			*error;		/* the line under the top; NULL */
	struct finding_now	*v;		/* open ones, by name */
	size_t			 n, bad;
};
/* came() takes the pulse; a reading that fails calls it with NULL. */
struct work *pulse_start(struct desk *d, struct sight *sight,
    void (*came)(void *arg, struct pulse *p), void *arg);
/* A bad finding that wasn't there before. */
bool pulse_worse(const struct pulse *before, const struct pulse *now);
void pulse_free(struct pulse *p);

#endif
