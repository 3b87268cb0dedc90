/* What follows from the session alone: a thread's own connection, and whether
 * a context may be written to. */
#include "session.h"

struct cache *session_cache(const struct session *s, struct err *err)
{
	/* Why the cache is in memory was said once, at the start. */
	struct buf note = {0};
	struct cache *c = cache_open(s->config.cache_dir, s->config.data_dir,
	    &s->registry, 0, &note, err);

	buf_free(&note);
	return c;
}

bool session_may_write(const struct session *s, const struct context *c)
{
	if (s->read_only)
		return false;
	return s->write || c->write;
}
