/* Upkeep, shared by its rooms. */
#ifndef CACHE_FOLD_H
#define CACHE_FOLD_H

#include "cache_series.h"

/* cache_fold.c: folds what can be folded of a part, one block at most. 1: it
 * did, more may be there; 0: nothing to do; -1. */
int fold_part(struct cache *c, const struct table *t, enum res res,
    int64_t scope, int64_t part, int64_t now, struct err *err);

/* cache_prune.c: closed versions and changes that ended before, all or until
 * the time (clock_mono()) is up. */
int prune_before(struct cache *c, int64_t before, int64_t until,
    struct err *err);
/* Oldest first, until the file's used pages are below max bytes. */
int prune_to_size(struct cache *c, int64_t max, int64_t until,
    struct err *err);

#endif
