/* A result in memory: columns, and typed cells of eight bytes.
 *
 * A cell is a double, or a tagged word in a NaN's place: null, integer, text.
 * Texts are kept once each in the result's own memory: a million rows of
 * twelve columns take about 120 MB. A result only grows; it is freed whole.
 *
 *	struct rows rows;
 *	rows_init(&rows, columns, ncolumns);
 *	rows_add(&rows, cells);			copies
 *	rows_release(&rows);
 */
#ifndef ROWS_H
#define ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value.h"

enum column_flag {
	COLUMN_WIDE	= 1 << 0,	/* only in `wide` and the full formats */
	COLUMN_PATH	= 1 << 1,	/* cut in the middle */
	COLUMN_SPARK	= 1 << 2,	/* a list shown as a sparkline */
	COLUMN_LINK	= 1 << 3,	/* Enter follows it: the accent */
};
struct column {
	const char	*name;		/* SQL, JSON key, csv header */
	const char	*title;		/* head, with the unit; NULL: name */
	enum type	 type;
	int		 decimals;	/* of numbers; see value_show() */
	unsigned	 flags;		/* enum column_flag */
	int		 rank;		/* where cells are few, high ranks leave first */
	const char	*unit;		/* for `schema`; NULL: none */
	const char	*help;
};

struct rows {
	const struct column	*columns;	/* borrowed */
	size_t			 ncolumns;
	size_t			 n;
	uint64_t		*cells;
	size_t			 cap;
	struct rows_text	*text;
};

void rows_init(struct rows *r, const struct column *columns, size_t ncolumns);
void rows_add(struct rows *r, const struct cell *cells);
struct cell rows_cell(const struct rows *r, size_t row, size_t column);
/* Column index by name; -1 when there is none. */
int rows_column(const struct rows *r, const char *name);
void rows_release(struct rows *r);

struct order {
	int	column;
	bool	desc;
};
/* Fills index[0..n) with row numbers in order: numbers as numbers, text by
 * bytes, null last either way, ties by row number. index holds the rows to
 * sort (all, or those that a filter left). *stop, when not NULL, is watched:
 * non-zero ends it early and returns -1. */
int rows_sort(const struct rows *r, const struct order *by, size_t nby,
    uint32_t *index, size_t n, const volatile int *stop);
/* The first k of that order to index[0..k), without sorting all. */
void rows_first(const struct rows *r, const struct order *by, size_t nby,
    const uint32_t *from, size_t n, uint32_t *index, size_t k);

/* --filter: POSIX extended over the row's cells as `table` shows them, joined
 * by one blank (columns shown in table only); a leading ! inverts; case counts
 * only when the pattern has a capital. ERR_USAGE. */
struct filter;
struct filter *filter_new(const char *pattern, struct err *err);
/* Columns with COLUMN_WIDE, and the one named status, don't count; `context`
 * counts when the table shows it (several contexts are meant). */
bool filter_match(struct filter *f, const struct column *columns,
    size_t ncolumns, const struct cell *cells, bool context);
void filter_free(struct filter *f);

#endif
