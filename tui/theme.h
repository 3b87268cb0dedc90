/* What the roles of frame.h look like, from `theme:` of the config: words
 * such as "red", "bold", "dim", several joined by blanks. */
#ifndef THEME_H
#define THEME_H

#include "config.h"
#include "frame.h"

struct style {
	int	colour;		/* 0 to 7; -1: the terminal's own */
	bool	bold, dim, underline, reverse;
};
struct theme {
	struct style	style[LOOKS];
	struct style	selection;	/* laid over the role */
	bool		colour;		/* false: NO_COLOR, --no-color */
	bool		mouse;
};

/* Words that the config's check let through only; others leave the default. */
void theme_load(struct theme *t, const struct config *c, bool no_color);
/* The style of a tile's look. */
struct style theme_style(const struct theme *t, unsigned look);

#endif
