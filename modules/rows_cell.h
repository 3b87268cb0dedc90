/* How a cell of struct rows is packed; for rows.c and rows_sort.c only. */
#ifndef ROWS_CELL_H
#define ROWS_CELL_H

#include "rows.h"

#define CELL_TAG_NULL	UINT64_C(0xfff9000000000000)
#define CELL_TAG_INT	UINT64_C(0xfffa000000000000)
#define CELL_TAG_BIG	UINT64_C(0xfffb000000000000)
#define CELL_TAG_TEXT	UINT64_C(0xfffc000000000000)
#define CELL_PAYLOAD	UINT64_C(0x0000ffffffffffff)

/* The bytes of a text word, borrowed from the result. */
const char *rows_text_at(uint64_t word, size_t *n);
int64_t rows_int_at(const struct rows *r, uint64_t word);

#endif
