/* Formats: a stream of rows to text. CONTRACT.md, "Formats", to the letter.
 *
 *	w = writer_new(&how, columns, n, put, arg);
 *	writer_row(w, cells) …
 *	writer_end(w)		the closing bracket; nothing more
 *	writer_free(w)		without writer_end: what was broken off looks so
 *
 * `table` holds the first 1,000 rows back to take its widths from them (all
 * rows where how.hold); a wider cell later pushes its row to the right. */
#ifndef FORMAT_H
#define FORMAT_H

#include "rows.h"

enum format { FORMAT_TABLE, FORMAT_WIDE, FORMAT_JSON, FORMAT_NDJSON,
    FORMAT_YAML, FORMAT_CSV, FORMAT_TSV };
/* -1 when s names none. */
int format_from_name(const char *s);
extern const char *const format_names[];	/* ended by NULL */
/* By the ending of a file's name; -1 when it has none of ours. */
int format_from_file(const char *path);

struct how {
	enum format	 format;
	bool		 context;	/* table shows the column context */
	bool		 terminal;	/* bold heads, csv marks controls */
	bool		 colour;
	bool		 bare;		/* columns were chosen: all are shown,
					 * also context, and no gutter of status */
	bool		 hold;		/* widths from all rows */
	bool		 one_line;	/* json: the array on one line (--watch) */
	bool		 no_head;	/* csv, tsv: the header was written */
	bool		 document;	/* yaml: begin with --- */
	bool		 object;	/* json, yaml: one object, no array */
	const char	*stamp;		/* ndjson, csv, tsv: a first column
					 * `at` of that text; NULL: none */
};

/* One cell as table (wide) has it, harmless, not padded: what a filter sees. */
void column_show(struct buf *out, const struct column *c, int decimals,
    enum spelling spelling, struct cell cell);

/* Takes n bytes; -1 ends the writing (and every later call returns -1). */
typedef int put_fn(void *arg, const char *p, size_t n, struct err *err);

/* columns, and what how points to, are borrowed until writer_free(), which
 * prints what is still held back. Every later call fails like the first that
 * put() failed in. */
struct writer;
struct writer *writer_new(const struct how *how, const struct column *columns,
    size_t ncolumns, put_fn *put, void *arg);
int writer_row(struct writer *w, const struct cell *cells, struct err *err);
int writer_end(struct writer *w, struct err *err);
void writer_free(struct writer *w);

/* The table's own parts, which the screen shares, so that both show the same
 * cells: which columns stand there, their heads and widths, one row as text. */
struct layout {
	const struct column	*columns;
	size_t			 ncolumns;
	bool			 wide;
	int			*width;		/* cells of each; -1: not shown */
	int			 status;	/* index of the column whose words
						 * are the gutter's state: status
						 * (not shown then) or severity
						 * (shown too); -1: none */
	struct layout_column	*seen;		/* what measuring learned */
};
void layout_init(struct layout *l, const struct column *columns,
    size_t ncolumns, const struct how *how);
/* Widens the columns for one row: they never shrink. Also settles decimals (one
 * for a column in which some number needs it) and the side of TYPE_ANY columns
 * (right while all are numbers). */
void layout_measure(struct layout *l, const struct cell *cells);
/* Appends the two cells of gutter and a blank: mark, state. */
void layout_gutter(const struct layout *l, struct buf *out, bool marked,
    const struct cell *cells);
void layout_head(const struct layout *l, struct buf *out);
void layout_row(const struct layout *l, struct buf *out, bool marked,
    const struct cell *cells);
/* One cell as the table shows it, not padded. */
void layout_cell(const struct layout *l, struct buf *out, size_t column,
    const struct cell *cells);
void layout_release(struct layout *l);

#endif
