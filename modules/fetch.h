/* Fetching: when which backend is asked, shared by all processes through the
 * cache's sources (cache.h), so that two consoles cost a backend no more than
 * one; and what a source's fetch may use.
 *
 * A poll of a backend is claimed first. Cadence is by the clock: due + every,
 * not end + every. A source's `round` is called after every round over a
 * context in which something was fetched, and where no backend is named any
 * more. Then the rules are evaluated (find.h). */
#ifndef FETCH_H
#define FETCH_H

#include "session.h"
#include "task.h"

struct backend {
	const char		*address;	/* as configured, less a trailing / */
	const char		*name;		/* as configured; NULL */
	const struct node	*node;		/* its map in the config; NULL */
};
struct backend_list {
	struct backend	*v;
	size_t		 n, cap;
	struct arena	 arena;
};
/* Copies texts. The same address twice is one. */
struct backend *backend_add(struct backend_list *l, const char *address,
    const char *name, const struct node *node);
void backend_list_release(struct backend_list *l);

/* One poll, as a source's fetch sees it. */
struct fetch {
	const struct session	*session;
	const struct context	*context;
	const struct backend	*backend;
	struct cache		*cache;		/* this thread's */
	struct task		*task;
	int64_t			 now;		/* ms: the time of its rows */
	int64_t			 timeout;	/* ms for the whole poll */
	bool			 forced;	/* --refresh: take everything */
	void			*memo;		/* the source's own, kept from poll to
						 * poll of this backend in this
						 * process; source.forget frees it */
	int64_t			 rows;		/* the source counts them here */
};

struct fetch_outcome {
	const struct backend	*backend;
	struct source_row	 row;		/* of all processes */
};
/* After a round: every backend the config names now. */
struct fetch_round {
	const struct session		*session;
	const struct context		*context;
	struct cache			*cache;
	int64_t				 now;
	const struct fetch_outcome	*v;
	size_t				 n;
};

enum fetch_mode {
	FETCH_STALE,	/* what is older than its every */
	FETCH_ALWAYS,	/* --refresh */
	FETCH_NEVER,	/* --offline: only looks at what there is */
};
/* What became of the backends that were needed; for the exit code. */
struct fetch_report {
	size_t		 backends;	/* named by the config for those kinds */
	size_t		 tried, failed;	/* in this run */
	size_t		 refused, unusable;	/* of the failed */
	size_t		 empty;		/* backends of which the cache has nothing */
	/* `failed` of them, by context and backend: "mesh: envoy http://…: GET
	 * /clusters: connection refused", and when its rows were seen (0). */
	struct fetch_failure { char *text; int64_t seen; } *failures;
	struct buf	 note;		/* rules that can't run; "" */
};
/* Brings those kinds (names, ends NULL; those that no source fills are left
 * out) of those contexts up to date and waits, `timeout` ms at most (0: no
 * limit; what is not back by then counts as failed and goes on no longer). What
 * another process began after this call did counts as fetched. A backend that
 * is not asked because of its breaker counts as failed, not as tried.
 * Evaluates rules where `rules`, and where something was fetched; aim the
 * cache afterwards. -1 only for
 * a config that can't be used, a cache that can't be read or a cancel; the
 * report is released by the caller after either result. */
int fetch_kinds(const struct session *s, struct cache *cache,
    const struct context *const *contexts, size_t ncontexts,
    const char *const *kinds, enum fetch_mode mode, bool rules,
    int64_t timeout, struct task *t, struct fetch_report *report,
    struct err *err);
void fetch_report_release(struct fetch_report *r);

/* Polling beside a screen, or as `record`: what the rules of the contexts
 * read, and what is shown. moved (may be NULL) is called on a thread of the
 * poller when rows came in, once a second at most: it wakes somebody. */
struct poller;
struct poller *poller_start(const struct session *s,
    const struct context *const *contexts, size_t ncontexts,
    void (*moved)(void *arg), void *arg);
/* What the screen shows now: polled too (ends NULL; copied). */
void poller_show(struct poller *p, const char *const *kinds);
/* r: asks all that is shown at once. */
void poller_refresh(struct poller *p);
/* Cancels and waits, 1 s at most. */
void poller_stop(struct poller *p);

#endif
