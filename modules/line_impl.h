/* Between the rooms of line.h only. */
#ifndef LINE_IMPL_H
#define LINE_IMPL_H

#include "line.h"

enum flag_id {
	FLAG_CONTEXT, FLAG_CONFIG, FLAG_OUTPUT, FLAG_QUIET, FLAG_VERBOSE,
	FLAG_TIMEOUT, FLAG_REFRESH, FLAG_OFFLINE, FLAG_TRACE_HTTP,
	FLAG_NO_COLOR, FLAG_ASCII, FLAG_HELP, FLAG_VERSION, FLAG_READ_ONLY,
	FLAG_AT, FLAG_SINCE,
	FLAG_WHERE, FLAG_FILTER, FLAG_SORT, FLAG_LIMIT, FLAG_COLUMNS,
	FLAG_WATCH,
	FLAG_WRITE, FLAG_DRY_RUN, FLAG_YES, FLAG_CONFIRM, FLAG_FAIL_ON,
	FLAG_SCREEN, FLAG_PLAY, FLAG_SIZE, FLAG_LINEAR,
};
/* The flags that are the same everywhere, in the order of the help. */
struct known_flag {
	const char	*name;		/* "--where" */
	const char	*arg;		/* NULL: takes none */
	const char	*help;
	enum flag_id	 id;
	bool		 loose;		/* its value only after = */
};
extern const struct known_flag known_flags[];	/* ends with {0} */
const struct known_flag *flag_find(const char *name);
/* Whether what the line's words mean takes it. */
bool flag_fits(const struct line *l, enum flag_id id);
/* Puts the value into the line's flags; ERR_USAGE. The value is borrowed from
 * the line's arena; where[] has room. */
int flag_set(struct line *l, const struct known_flag *f, const char *value,
    struct err *err);
/* What only shows once all flags are known: times, and pairs that exclude each
 * other. */
int flags_check(struct line *l, struct err *err);

/* A command's own flag; NULL. */
const struct flag *own_find(const struct command *c, const char *name);
/* How many words a command's usage takes: "PROXY [LOGGER] LEVEL" is 2 to 3. */
void usage_bounds(const char *args, size_t *min, size_t *max);
/* "mesh services show": what the words mean, for sentences. In the arena. */
const char *line_name(struct line *l);
/* A typed word as sentences show it: harmless, not endless. In the arena. */
const char *shown(struct arena *a, const char *word);

/* Names as a growing list that ends with NULL. */
struct names {
	const char	**v;
	size_t		 n;
};
void names_add(struct names *l, const char *name);
void names_free(struct names *l);
/* Every word that can follow those n: modules, nouns, verbs. help may be
 * NULL. */
void line_next(const struct registry *r, bool prompt, size_t n,
    const char *const *words,
    void (*each)(void *arg, const char *word, const char *help), void *arg);
/* Does the name of a command begin with those words? Returns how many words
 * the name has, 0: no. Prompt-only ones count only at the prompt. */
size_t command_begins(const struct command *c, bool prompt, size_t n,
    const char *const *words);
/* The i-th word of a command's name, in buf. */
const char *name_word(const char *name, size_t i, char *buf, size_t size);

/* argv as words and flags, by what a command (NULL: any) takes. */
struct token {
	bool		 is_flag;
	const char	*text;		/* word, or the flag's name */
	const char	*value;		/* of a flag; NULL */
	bool		 joined;	/* --flag=value */
};
size_t line_scan(const struct registry *r, const struct command *c,
    struct arena *a, int argc, const char *const *argv, struct token *out);
/* Module, view or command, and verb that the words mean, without a sentence
 * when they mean nothing whole. Returns how many words that took. */
size_t line_resolve(const struct registry *r, bool prompt, size_t n,
    const char *const *words, struct line *l);

#endif
