/* Rows under heads on a frame: the table of format.h, with columns that leave
 * and cells that are cut where the frame is narrow. */
#ifndef GRID_H
#define GRID_H

#include "format.h"
#include "frame.h"

struct grid {
	struct layout	 layout;
	size_t		 n;
	int		*shown;		/* cells of each as drawn; -1: not */
	bool		*numbers, *texts;	/* seen in a TYPE_ANY column */
	int		 dropped;	/* columns that had to leave */
	int		 sorted;	/* column with the arrow; -1 */
	bool		 desc;
};

void grid_init(struct grid *g, const struct column *columns, size_t n,
    const struct how *how);
void grid_release(struct grid *g);
/* Widens; widths never shrink. */
void grid_measure(struct grid *g, const struct cell *cells);
/* Decides what stands on a frame of that width. Call it after measuring. */
void grid_fit(struct grid *g, int cols);
void grid_head(const struct grid *g, struct frame *f, int y);
enum row_flag {
	ROW_MARKED	= 1 << 0,
	ROW_SELECTED	= 1 << 1,	/* and the cursor is put there */
	ROW_OLD		= 1 << 2,	/* dim */
};
void grid_row(const struct grid *g, struct frame *f, int y, unsigned flags,
    const struct cell *cells);

#endif
