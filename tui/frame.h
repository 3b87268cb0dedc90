/* A frame: what a screen shows, as a grid of cells. Everything is drawn into
 * one; terminals, --play and tests only differ in what they do with it.
 *
 * A cell holds one grapheme cluster and a look. A cluster of two cells stands
 * in the left one; the right one is covered (n = 0, wide = 0). Nothing that is
 * not harmless (text.h) gets in. */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

/* The role of a cell; theme.h says what it looks like. */
enum look {
	LOOK_PLAIN,
	LOOK_BAD,
	LOOK_DOUBTFUL,
	LOOK_OLD,		/* also what is secondary */
	LOOK_ACCENT,		/* what can be followed */
	LOOK_HEAD,
	LOOKS,
	LOOK_MASK	= 0x0f,
	/* Added to a role. */
	LOOK_SELECTED	= 1 << 4,
	LOOK_REVERSE	= 1 << 5,
};

#define TILE_BYTES 28
struct tile {
	char		s[TILE_BYTES];
	uint8_t		n;		/* bytes; 0: covered */
	uint8_t		wide;		/* cells: 1 or 2; 0: covered */
	uint8_t		look;
	bool		ascii;		/* one byte: its width is no question */
};

struct frame {
	int		 cols, rows;
	struct tile	*tiles;
	int		 x, y;		/* where the cursor rests; x -1: hidden */
};

/* Blank, of that size; what was in it is gone. */
void frame_resize(struct frame *f, int cols, int rows);
void frame_clear(struct frame *f);
void frame_release(struct frame *f);
struct tile *frame_at(const struct frame *f, int x, int y);
/* Puts text at x, y, made harmless, in at most width cells and not over the
 * right edge; a cluster that doesn't fit ends it. Returns the x behind it.
 * Outside the frame nothing happens. */
int frame_put(struct frame *f, int x, int y, int width, unsigned look,
    const char *s, size_t n);
int frame_puts(struct frame *f, int x, int y, unsigned look, const char *s);
/* Adds LOOK_SELECTED or LOOK_REVERSE to a stretch of a row; -1: to its end. */
void frame_mark(struct frame *f, int x, int y, int width, unsigned flag);
bool tile_same(const struct tile *a, const struct tile *b);
/* rows lines of text, blanks at the ends cut. */
void frame_dump(const struct frame *f, struct buf *out);

#endif
