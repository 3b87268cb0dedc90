/* What stands around the body: the top line, the line of errors, the status. */
#ifndef BARS_H
#define BARS_H

#include "pager.h"
#include "place.h"

void bars_top(struct screen *s, int y);
void bars_error(struct screen *s, int y);
void bars_status(struct screen *s, int y);
/* True when the message doesn't fit into the status line. */
bool bars_is_long(const struct screen *s);

#endif
