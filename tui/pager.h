/* Text in lines. */
#ifndef PAGER_H
#define PAGER_H

#include "frame.h"

/* Puts text wrapped at words, from column 3, into at most rows lines. Returns
 * how many it took. */
int pager_wrap(struct frame *f, int y, int rows, unsigned look,
    const char *text);

/* The bytes of harmless text that stand on one line of that width. */
size_t pager_line(const char *s, size_t n, int width);

#endif
