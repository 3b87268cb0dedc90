/* What this process is at, for `kiban tasks` of every process. */
#ifndef PUBLISH_H
#define PUBLISH_H

#include "cache.h"

/* Writes down those tasks of this process that have run for a second, where
 * something about them has changed. Threads may call it as often as they like:
 * it looks once a second, and what can't be written is tried again then. */
void publish_tasks(struct cache *c);

#endif
