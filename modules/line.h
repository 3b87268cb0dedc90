/* One grammar for argv, the ':' prompt and bound keys:
 *
 *	kiban [flags] MODULE NOUN [VERB] [ARG…]
 *
 * Flags stand anywhere before `--`; words are exact; whatever is not known is
 * ERR_USAGE with one sentence that names the nearest known one. */
#ifndef LINE_H
#define LINE_H

#include "format.h"
#include "registry.h"

struct cache;
struct config;

struct flags {
	const char	*context;
	const char	*at_text, *since_text;	/* as typed; NULL */
	int64_t		 at, since;		/* ms; 0: not given */
	int		 format;		/* enum format; -1: not given */
	const char	*columns, *sort, *filter;
	const char	**where;
	size_t		 nwhere;
	int64_t		 limit;			/* -1 */
	int64_t		 watch;			/* ms; 0: not */
	int64_t		 timeout;		/* ms; -1: not given */
	bool		 refresh, offline, write, read_only, dry_run, yes;
	const char	*confirm, *config, *trace_http;
	bool		 no_color, quiet, verbose, screen, linear, ascii;
	const char	*play;
	int		 size_cols, size_rows;	/* 0 */
	enum severity	 fail_on;
	bool		 help, version;
};
enum verb { VERB_LIST, VERB_SHOW, VERB_SERIES };
struct line {
	struct flags		 flags;
	const struct module	*module;	/* NULL: the line has no words */
	const struct view	*view;		/* one of view and command, or none */
	const struct command	*command;
	enum verb		 verb;
	const char		*column;	/* series COLUMN */
	const char		**args;		/* ends NULL */
	size_t			 nargs;
	struct line_own { const char *name, *value; } *own;
	size_t			 nown;
	char			*text;		/* the line quoted for sh, less kiban */
	struct arena		 arena;
};

/* argv without the program's name. Times count from clock_now(). r may be NULL
 * (flags only, words to args: for --config before the registry stands). */
int line_parse(const struct registry *r, int argc, const char *const *argv,
    struct line *out, struct err *err);
/* The same as typed after `:` or bound to a key: COMMAND_SCREEN ones are known
 * there alone. */
int line_parse_prompt(const struct registry *r, int argc,
    const char *const *argv, struct line *out, struct err *err);
/* Splits as sh does: quotes and backslash, no variables, no globs. New arrays
 * in the arena. ERR_USAGE for an open quote. */
int line_split(struct arena *a, const char *text, const char ***argv,
    int *argc, struct err *err);
/* Appends a word quoted for sh where it must be. */
void line_quote(struct buf *out, const char *word);
/* A bound line with {column} filled in after the split: argv in the arena. A
 * value that would be read as a flag is refused. */
int line_fill(struct arena *a, const char *bound, const char *const *names,
    const struct cell *cells, size_t n, const char ***argv, int *argc,
    struct err *err);
/* Value of a command's own flag ("--for" or "for"), the last one given; NULL
 * when not given; "" for one without arg. All of them are in l->own. */
const char *line_own(const struct line *l, const char *name);
/* The line that shows the same anywhere, beginning with "kiban ": times
 * absolute in UTC, the context named (NULL: as typed); at, when not 0, is the
 * time of the screen. What only concerns a terminal is left out. New. */
char *line_command(const struct line *l, const char *context, int64_t at);
/* False for what knows only the present: --at is refused. */
bool line_has_past(const struct line *l);
void line_release(struct line *l);

/* Help made from the literals: of a module, command or view, or all (NULLs;
 * args are then the first words of commands: "context"). */
void line_help(const struct registry *r, const struct line *l, struct buf *out);
/* Candidates for the last of the words typed so far, on both faces: calls
 * each(arg, word, help). Values of keys come from the cache (may be NULL). */
void line_complete(const struct registry *r, const struct config *config,
    struct cache *c, int argc, const char *const *argv,
    void (*each)(void *arg, const char *word, const char *help), void *arg);
/* The same after `:`. */
void line_complete_prompt(const struct registry *r,
    const struct config *config, struct cache *c, int argc,
    const char *const *argv,
    void (*each)(void *arg, const char *word, const char *help), void *arg);

#endif
