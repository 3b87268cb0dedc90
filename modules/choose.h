/* Rows that no SELECT gave (those of commands), chosen as the row flags say:
 * --where, --filter, --sort, the same as for a view. --limit and --columns are
 * left to whoever prints. */
#ifndef CHOOSE_H
#define CHOOSE_H

#include "line.h"
#include "task.h"

/* Before anything is done: do those flags fit those columns? ERR_USAGE. */
int choose_check(struct cache *c, const struct column *columns, size_t n,
    const struct flags *f, struct err *err);
/* New: numbers of the rows that are left, in order, in *index. contexts: the
 * table shows the column context. Returns how many, or -1. */
int64_t choose_rows(struct cache *c, const struct rows *rows,
    const struct flags *f, bool contexts, struct task *t, uint32_t **index,
    struct err *err);
/* True when none of the flags chooses anything. */
bool choose_all(const struct flags *f);

#endif
