/* Reading what a place shows, beside the loop: a first page at once, the rest
 * behind it; sorting and filtering of what is there. */
#ifndef LOAD_H
#define LOAD_H

#include "desk.h"
#include "line.h"

/* What a place shows, constant, shared by the place and its works: counted. */
struct sight {
	int			 refs;		/* by atomics only */
	struct line		 line;
	const struct context	*contexts[CONTEXTS_MAX];
	size_t			 ncontexts;
	char			*context;	/* as named: "a,b" */
	const char		*names[CONTEXTS_MAX];	/* for cache_aim() */
};
/* New. Takes line's insides, also when it fails. context: when the line names
 * none (NULL: the current one). ERR_USAGE. */
struct sight *sight_new(const struct session *s, struct line *line,
    const char *context, struct err *err);
struct sight *sight_ref(struct sight *s);
void sight_free(struct sight *s);
bool sight_has_past(const struct sight *s);

/* Rows as they were read, constant from then on: counted. */
struct result {
	int		 refs;		/* by atomics only */
	struct column	*columns;
	size_t		 ncolumns;
	struct rows	 rows;
	bool		 whole;		/* all rows there are */
	int64_t		 seen;		/* of the oldest row; 0 */
};
/* Copies the columns (their texts are borrowed). */
struct result *result_new(const struct column *columns, size_t ncolumns);
struct result *result_ref(struct result *r);
void result_free(struct result *r);
/* Finds the oldest `seen`; call once when rows are complete. */
void result_finish(struct result *r, bool whole);

struct haul {
	struct result	*result;
	uint32_t	*index;		/* rows in order; NULL: as they are */
	size_t		 n;		/* rows to be shown */
	int64_t		 took;		/* ms of reading */
	bool		 reordered;	/* of rows that were there */
	char		*text;		/* with want.format: instead of rows */
	char		**kinds;	/* that were read, ends NULL; or NULL */
};
void haul_free(struct haul *h);
uint32_t haul_row(const struct haul *h, size_t at);

struct want {
	struct sight	*sight;		/* taken */
	int64_t		 at;
	char		*sort;		/* taken; NULL: the view's own */
	char		*filter;	/* taken; NULL */
	bool		 faults;	/* bad and doubtful rows only */
	int		 page;		/* rows of a first haul; 0: none */
	int		 format;	/* -1: rows; else they come as text */
	struct result	*have;		/* taken: only order this anew */
};
/* came() takes each haul; ended() comes last, err NULL when all went well. */
struct load_face {
	void	(*came)(void *arg, struct haul *h);
	void	(*ended)(void *arg, const struct err *err);
};
struct work *load_start(struct desk *d, const struct want *want,
    const struct load_face *face, void *arg);
/* Nobody is interested any more: cancels, and calls neither. */
void load_forget(struct work *w);

#endif
