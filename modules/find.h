/* Findings: rules are SELECTs; what they find is a kind like any other, so it
 * has a past, and `changed` shows what opened and closed.
 *
 * A rule's rows are merged under the scope of its id. `since` stays while a
 * finding is open, also when its severity changes. */
#ifndef FIND_H
#define FIND_H

#include "session.h"
#include "task.h"

extern const struct kind finding_kind;

/* Runs every rule over one context, as of now. A rule that can't run keeps its
 * findings and is itself said in note. The first evaluation of a context
 * opens findings without `change`. A cancel of t (may be NULL) breaks off the
 * rule that runs and begins no other: -1. */
int find_evaluate(const struct session *s, struct cache *c,
    const struct context *context, int64_t now, struct task *t,
    struct buf *note, struct err *err);
/* Names of the kinds that rules read, for polling: new array of borrowed
 * names, ends NULL; free() it. */
const char **find_kinds(const struct session *s, struct cache *c);
/* {column} in a template by a row; unknown ones stay. For reasons. */
void fill(struct buf *out, const char *template, const char *const *names,
    const struct cell *cells, size_t n);

#endif
