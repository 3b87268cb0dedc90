/* The inside of the table, shared with detail.c. */
#ifndef BROWSER_H
#define BROWSER_H

#include "grid.h"
#include "pager.h"
#include "place.h"

#define KEYS_MAX 64

struct browser {
	struct haul	*haul;		/* what is shown; NULL: nothing yet */
	struct result	*raw;		/* of a detail: the row itself */
	bool		 awaited;	/* a page of another order is better
					 * than all of the old one */
	struct grid	 grid;
	int		*pick;		/* columns of the result, as shown */
	struct column	*columns;	/* those */
	size_t		 npick;
	bool		 chosen;	/* by --columns */
	struct cell	*cells;		/* npick: of the row at hand */
	size_t		 measured;
	size_t		 top, at;	/* places in the haul */
	size_t		 lines;		/* rows on the screen */
	int		 y;		/* where the first stands */
	int		 keys[KEYS_MAX];	/* columns that name a row */
	size_t		 nkeys;
	struct cell	 kept[KEYS_MAX];	/* those of the selected row */
	size_t		 nkept;
	struct buf	 kept_text;	/* which those point into */
	char		**marks;	/* keys */
	size_t		 nmarks;
	int64_t		 every;		/* of its kind; 0: rows don't age */
};

struct browser *browser_of(struct place *p);

/* detail.c: turns a haul of one row (taken) into fields and values. NULL when
 * there is none: the place says so. */
struct haul *detail_of(struct place *p, struct haul *h);
/* The same row anew, wide or not. */
void detail_again(struct place *p);

#endif
