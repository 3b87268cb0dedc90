/* A line as it runs: what a command's function may use, the same on both
 * faces. Headless it prints; on the screen its rows are a table. */
#ifndef RUN_H
#define RUN_H

#include "fetch.h"
#include "line.h"
#include "session.h"
#include "task.h"

struct run {
	struct session		*session;
	struct line		*line;
	struct cache		*cache;		/* this thread's, aimed */
	struct task		*task;
	const struct context	*contexts[CONTEXTS_MAX];
	size_t			 ncontexts;
	int			 exit;		/* set by the command when it is
						 * neither 0 nor its error's: 3, 5 */
	const struct face	*face;
	void			*arg;
	bool			 given;		/* run.c: columns or text were */
};
/* What differs between the faces. */
struct face {
	/* Columns of the rows to come: once, before the first row. */
	int (*columns)(struct run *r, const struct column *c, size_t n,
	    struct err *err);
	int (*row)(struct run *r, const struct cell *cells, struct err *err);
	/* Plain text in place of rows: help, completion scripts. */
	int (*text)(struct run *r, const char *p, size_t n, struct err *err);
	void (*note)(struct run *r, const char *text);	/* a hint */
	/* What failed while the rest goes on. NULL: said as a note. */
	void (*error)(struct run *r, const char *text);
	/* Asks; true: yes. The question may have several lines: the plan, then
	 * what is asked. wanted NULL: y or n, else the word to be typed. Not
	 * called where nobody can answer. */
	bool (*ask)(struct run *r, const char *question, const char *wanted);
	bool (*asks)(struct run *r);	/* somebody can answer */
};

/* The command's own columns are given when the first row comes. */
int run_columns(struct run *r, const struct column *c, size_t n,
    struct err *err);
int run_row(struct run *r, const struct cell *cells, struct err *err);
int run_text(struct run *r, const char *text, struct err *err);
void run_note(struct run *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void run_error(struct run *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A cell of text (NULL: null), of an integer, of a real. */
struct cell run_s(const char *s);
struct cell run_i(int64_t v);
struct cell run_d(double v);
/* The one context meant; ERR_USAGE when several are. */
const struct context *run_context(struct run *r, struct err *err);

/* Runs a command on the calling thread; the face has set the rest. */
int run_command(struct run *r, struct err *err);

#endif
