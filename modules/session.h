/* What one process works with: literals, config, folders. Built at the start
 * by tui/main.c, then constant, and shared by all threads. */
#ifndef SESSION_H
#define SESSION_H

#include "cache.h"
#include "config.h"
#include "registry.h"

struct session {
	struct registry	 registry;
	struct config	 config;
	bool		 read_only;	/* --read-only, --write: beat the config */
	bool		 write;
	bool		 quiet, verbose;
	/* A reason why the cache is in memory, or was begun anew; "" */
	struct buf	 note;
};

/* A connection for the calling thread, aimed at nothing yet. */
struct cache *session_cache(const struct session *s, struct err *err);
bool session_may_write(const struct session *s, const struct context *c);

#endif
