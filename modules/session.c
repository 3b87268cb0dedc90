/* What follows from the session alone: where its cache is, a thread's own
 * connection, and whether a context may be written to. */
#include "session.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

/* On a path that everybody may write to, mkdtemp's 0700 keeps them out. */
static char *make_run_dir(void)
{
	const char *const places[] = { getenv("TMPDIR"), "/dev/shm", "/tmp" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		char *dir;

		if (!places[i] || !*places[i])
			continue;
		dir = xasprintf("%s/kiban-XXXXXX", places[i]);
		if (mkdtemp(dir))
			return dir;
		free(dir);
	}
	return NULL;
}

/* In memory each thread would have a cache of its own, and see nothing of what
 * the others fetched. */
void session_settle(struct session *s)
{
	struct err err = {0};
	struct cache *c = cache_open(s->config.cache_dir, s->config.data_dir,
	    &s->registry, 0, &s->note, &err);

	if (c && cache_in_memory(c))
		s->run_dir = make_run_dir();
	if (s->run_dir)
		s->config.cache_dir = s->run_dir;
	cache_close(c);
}

static int remove_one(const char *path, const struct stat *st, int type,
    struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	remove(path);
	return 0;
}

void session_release(struct session *s)
{
	if (s->run_dir)
		nftw(s->run_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(s->run_dir);
	s->run_dir = NULL;
	buf_free(&s->note);
}

struct cache *session_cache(const struct session *s, struct err *err)
{
	/* What it says was said once, by session_settle(). */
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
