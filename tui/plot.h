/* A curve on a frame: axes with values and times, braille or ASCII dots. */
#ifndef PLOT_H
#define PLOT_H

#include "frame.h"
#include "pager.h"
#include "value.h"

struct sample {
	int64_t	t;
	double	v;		/* NAN: unknown */
};
struct series {
	struct sample	*v;	/* by time */
	size_t		 n;
	int64_t		 from, to;
	enum type	 type;	/* how values are written */
	const char	*title;
};

/* The top and bottom of an axis that holds lo to hi: round numbers, 0 where it
 * is near. */
void plot_axis(double *lo, double *hi);
void plot_draw(const struct series *s, struct frame *f, int y, int rows);

#endif
