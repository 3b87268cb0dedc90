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
	/* Why the cache is elsewhere or was begun anew, or why data.db can't be
	 * written; "" */
	struct buf	 note;
	/* The cache's folder for this run alone; NULL: it is where it should */
	char		*run_dir;
};

/* Looks, once and before there are threads, whether the cache can be used. When
 * it can't, config.cache_dir becomes a folder that session_release() removes;
 * note says why. */
void session_settle(struct session *s);
void session_release(struct session *s);

/* A connection for the calling thread, aimed at nothing yet. */
struct cache *session_cache(const struct session *s, struct err *err);
bool session_may_write(const struct session *s, const struct context *c);

#endif
