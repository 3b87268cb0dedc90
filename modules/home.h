/* Home: what a person on call sees first, the same on both faces: the open
 * findings, a section for each module that has one, the sources that aren't
 * ok, and what changed.
 *
 * A section holds its rows twice: `rows` with all columns of its view, as json
 * and csv give them, and `table` as a person reads them: few columns, changes
 * of one fetch joined, ages in place of times. Both have the same number of
 * rows, in the same order. */
#ifndef HOME_H
#define HOME_H

#include "format.h"
#include "session.h"
#include "task.h"

struct home_section {
	const char		*name;	/* the column `section` */
	char			*title;	/* FINDINGS, MESH, CHANGED in the … */
	char			*right;	/* "2 bad, 1 doubtful"; "" */
	const struct module	*module;
	const struct view	*view;	/* whose rows these are */
	struct column		*columns;	/* view_columns() */
	size_t			 ncolumns;
	struct rows		 rows;
	/* Of the table: without context unless several are meant. The last
	 * is `status` (the gutter) where rows have one. */
	struct column		*shown;
	size_t			 nshown;
	struct rows		 table;
	bool			 heads;	/* the title stands in place of the
					 * first head, the others beside it */
	bool			 right_last;	/* the last shown column ends
						 * at the right edge */
	size_t			 total;	/* rows before the limit */
	const char		*empty;	/* why there are none; NULL */
};
struct home {
	struct home_section	*v;
	size_t			 n;
	size_t			 sources, down;
	size_t			 bad, doubtful;	/* open findings */
	int64_t			 seen;	/* oldest data shown; 0: none */
};

/* Reads what the cache is aimed at (its since() is the window of `changed`).
 * at: the time aimed at, 0 for now; since: the same as aimed, for the title.
 * A section has at most limit rows (-1: all). A section whose query fails
 * stays empty and says so. -1 only when cancelled. */
int home_load(const struct session *s, struct cache *c, bool contexts,
    int64_t at, int64_t since, int64_t limit, struct task *t,
    struct home *out, struct err *err);
void home_release(struct home *h);
/* The table as `kiban home` prints it: a section's title or heads, its rows, an
 * empty line. */
void home_print(const struct home *h, const struct how *how, struct buf *out);
/* Names of the kinds that home shows, for polling: what the rules read is
 * added by whoever polls. New array of borrowed names, ends NULL. */
const char **home_kinds(const struct session *s);

#endif
