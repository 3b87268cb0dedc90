/* The gate: every write goes through it.
 *
 *	struct plan plan = {0};
 *	plan_add(&plan, target, "set", "log level", old, new);
 *	switch (gate_enter(r, &plan, &err)) …
 *	for each step: plan_result(&plan, i, "done" or "failed", error)
 *	return gate_leave(r, &plan, err);
 *
 * gate_enter refuses in a read-only context (ERR_REFUSED), prints the plan
 * under --dry-run, asks where that is due, and writes the journal before the
 * act; gate_leave writes it after, and prints the rows with their result.
 *
 * The journal gets one row a command. What is asked is asked before it: a row
 * `unknown` is one that died within the act. */
#ifndef GATE_H
#define GATE_H

#include "run.h"

struct plan_step {
	char	*target, *action, *field, *old, *new;	/* any may be NULL */
	char	*result, *error;
	bool	 adds;		/* only adds: isn't asked */
};
struct plan {
	struct plan_step	*v;
	size_t			 n;
	int64_t			 journal;	/* its row there */
};
struct plan_step *plan_add(struct plan *p, const char *target,
    const char *action, const char *field, const char *old, const char *new);
/* "done", "failed", or "refused": by the backend (401, 403). */
void plan_result(struct plan *p, size_t i, const char *result,
    const char *error);
void plan_release(struct plan *p);

/* 1: do it. 0: nothing is to be done (dry run: the plan was printed). -1: err
 * says why not (declined: ERR_FAILED). name: what --confirm must be for a
 * SEVERE command. */
int gate_enter(struct run *r, struct plan *p, const char *name,
    struct err *err);
/* For a command that must ask the backend before it has a plan: -1, journalled,
 * where gate_enter would refuse whatever the plan is. */
int gate_allows(struct run *r, const char *target, struct err *err);
/* Prints target action field old new result; journals; says the error of each
 * step that failed. Sets r->exit to 5 when some failed; -1 when all did, with
 * the first one's error (ERR_REFUSED when all were refused). */
int gate_leave(struct run *r, struct plan *p, struct err *err);
/* For commands that touch only kiban's own things: the journal alone. Under
 * --dry-run the plan is one row, and act is not called. */
int gate_own(struct run *r, const char *target,
    int (*act)(struct run *r, struct err *err), struct err *err);

#endif
