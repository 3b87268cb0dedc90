/* The headless face: one line is run, its rows go to stdout, everything else to
 * stderr. Between the rooms tui/cli*.c only, but for cli_run() and the first
 * two, which tui/main.c calls.
 *
 *	cli.c		one line, --watch
 *	cli_exit.c	the exit code
 *	cli_view.c	a list, `show`, `series`
 *	cli_command.c	a command and its questions
 *	cli_home.c	`home`, which is several tables
 *	cli_sink.c	rows on their way to stdout: filter, limit, columns
 *	cli_out.c	stdout and stderr */
#ifndef CLI_H
#define CLI_H

#include "choose.h"
#include "fetch.h"
#include "format.h"
#include "run.h"

/* ---- stdout and stderr (cli_out.c) ----------------------------------------- */

/* "kiban: TEXT" to stderr, made harmless. */
void cli_say(const char *text);
/* "kiban: note: TEXT", unless quiet. */
void cli_note(const struct session *s, const char *text);

struct out {
	struct buf	 b;
	struct task	*task;	/* its cancel ends a write that waits */
	bool		 left;	/* the reader has: quiet, and all is well */
	bool		 broken; /* it can't be written */
};
/* A put_fn; arg is the struct out. Holds back up to 64 KB. */
int out_put(void *out, const char *p, size_t n, struct err *err);
int out_flush(struct out *o, struct err *err);

/* ---- one line ---------------------------------------------------------------- */

struct cli {
	struct session		*session;
	struct line		*line;
	struct cache		*cache;
	struct task		*task;
	struct out		 out;
	const struct context	*contexts[CONTEXTS_MAX];
	const char		*names[CONTEXTS_MAX];
	size_t			 ncontexts;
	/* Of this round of --watch, or of the only one. */
	char			 stamp[40];
	bool			 first;
	bool			 before_all;	/* --at, and nobody had fetched */
	bool			 found;
	int			 exit;		/* a command's own: 2, 3, 5 */
	struct fetch_report	 report;
	char			*said;		/* failures of the last round */
};

/* Runs the line and returns the exit code of the process. */
int cli_run(struct session *s, struct line *l);

/* What the line is aimed at: its contexts, --at, --since. */
int cli_aim(struct cli *c, struct err *err);
/* Brings those kinds (ends NULL) up to date as the flags say; the cache is
 * aimed again afterwards. Says what failed. rules: what they read too. */
int cli_fetch(struct cli *c, const char *const *kinds, bool rules,
    struct err *err);
/* No rows came of those kinds: was any ever fetched? For the exit code. */
int cli_look(struct cli *c, const char *const *kinds, bool rules,
    struct err *err);

/* ---- the exit code (cli_exit.c) ------------------------------------------------- */

struct outcome {
	int			signal;		/* that came; 0 */
	enum err_code		code;		/* of what failed as a whole */
	bool			left;		/* the reader has */
	bool			before_all;	/* --at, before the first fetch */
	bool			offline;
	bool			found;
	int			own;		/* a command's: 2, 3, 5; 0 */
	struct fetch_report	report;
};
/* Nothing was fetched, and the cache has nothing of it: the code that says so;
 * 0 when it isn't so. */
int outcome_nothing(const struct outcome *o);
int outcome_exit(const struct outcome *o);

/* ---- rows on their way (cli_sink.c) ------------------------------------------- */

struct sink {
	struct cli		*cli;
	const struct column	*columns;
	size_t			 ncolumns;
	struct column		*shown;
	int			*pick;		/* of columns; NULL: all */
	size_t			 nshown;
	struct cell		*cells;
	struct filter		*filter;
	int64_t			 limit;		/* -1 */
	int64_t			 rows;		/* that passed the filter */
	int			 severity, muted;	/* columns; -1 */
	struct writer		*writer;
	bool			 hold;		/* table: widths of all rows */
	bool			 object;
	bool			 whole;		/* --columns means nothing here */
};
/* Before anything is done: do --columns and --filter fit? ERR_USAGE. */
int sink_check(const struct column *columns, size_t n, const struct flags *f,
    struct err *err);
/* s->cli, and hold, object and whole, are set; the columns are borrowed. */
int sink_begin(struct sink *s, const struct column *columns, size_t n,
    struct err *err);
/* 1: go on; 0: no more rows are wanted; -1. */
int sink_row(struct sink *s, const struct cell *cells, struct err *err);
int sink_end(struct sink *s, struct err *err);
void sink_release(struct sink *s);

/* ---- what a line runs ------------------------------------------------------------ */

/* A list (VERB_LIST), prepared once and run once a round. */
struct listing;
struct listing *listing_new(struct cli *c, struct err *err);
int listing_run(struct cli *c, struct listing *l, struct err *err);
void listing_free(struct listing *l);

int cli_show(struct cli *c, struct err *err);
int cli_series(struct cli *c, struct err *err);
int cli_command(struct cli *c, struct err *err);
int cli_home(struct cli *c, struct err *err);
bool is_home(const struct line *l);

#endif
