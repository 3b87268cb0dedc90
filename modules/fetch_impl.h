/* Between fetch.c, fetch_poll.c and poller.c: backends of one source in one
 * context, and what is done to them. */
#ifndef FETCH_IMPL_H
#define FETCH_IMPL_H

#include "fetch.h"

struct target {
	const struct session	*session;
	const struct context	*context;
	const struct source	*source;
	const char		*module;
	char			*kinds;		/* JSON list; target_release() */
	int64_t			 every;
};
void target_init(struct target *t, const struct session *s,
    const struct context *c, const struct source *source);
void target_release(struct target *t);
/* Reads the config (globs, files) and sees to their rows in the cache. */
int target_list(const struct target *t, struct cache *c,
    struct backend_list *out, struct err *err);
/* Asks the claimed backend and gives the claim back. f has task, cache,
 * backend, timeout, forced and memo; the rest is set here. The result is in
 * *outcome: ERR_NONE when it is good. limit > 0: a cancel after f.timeout means
 * that a limit of so many ms is over, and is a failure in those words. */
void target_poll(const struct target *t, struct fetch *f,
    const struct claim *claim, int64_t limit, struct err *outcome);
/* What only the fleet tells: the source's `round`. */
int target_round(const struct target *t, struct cache *c,
    const struct backend_list *l, struct err *err);
/* The sources that fill those kinds, each once; how many, at most max. */
size_t sources_of_kinds(const struct registry *r, const char *const *kinds,
    const struct source **out, size_t max);
#define SOURCES_MAX 64

#endif
