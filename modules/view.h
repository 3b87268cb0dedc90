/* A view as a query: sorting, filtering and keys wrap its SELECT. */
#ifndef VIEW_H
#define VIEW_H

#include "session.h"

struct view_ask {
	const char *const	*where;		/* SQL expressions, joined by AND */
	size_t			 nwhere;
	const char		*sort;		/* "a,b:desc"; NULL: the view's */
	int64_t			 limit;		/* -1: none */
	const char *const	*key;		/* show: values of the key, in order */
	size_t			 nkey;
};
/* New: one SELECT that gives exactly view_columns(), in that order, of what
 * the connection is aimed at. Keys are ?1…; bind them. ERR_USAGE for a sort
 * that names no column (nearest named). */
char *view_select(const struct registry *r, const struct view *v,
    const struct view_ask *ask, struct err *err);
/* New: the TEMP view's SELECT that `kiban sql` and --where see: all columns of
 * view_columns(). For cache_aim(). */
char *view_body(const struct registry *r, const struct view *v);
/* Checks a --where before anything is fetched: one expression over the view's
 * columns. ERR_USAGE. */
int view_check_where(struct cache *c, const struct registry *r,
    const struct view *v, const char *where, struct err *err);
/* "a,b:desc" to columns and directions. Returns how many, or -1 (ERR_USAGE). */
int view_order(const struct column *columns, size_t ncolumns,
    const char *sort, struct order *out, size_t max, struct err *err);
/* "a,b" to column numbers. Returns how many, or -1 (ERR_USAGE). */
int view_pick(const struct column *columns, size_t ncolumns,
    const char *names, int *out, size_t max, struct err *err);

/* The past of one column of one row as t, value over (since, at]: a metric's
 * samples, a fact's changes, a derived column at each sample. -1 with
 * ERR_USAGE for what has no past, ERR_FAILED for a key that isn't there. */
int view_series(const struct session *s, struct cache *c,
    const struct context *context, const struct view *v, const char *column,
    const char *const *key, size_t nkey, int64_t since, int64_t at,
    struct rows *out, struct task *t, struct err *err);
extern const struct column series_columns[2];	/* t, value */

#endif
