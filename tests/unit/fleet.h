/* A session of its own for tests: folders in /tmp, one module `test` whose
 * source asks the URLs that the test names, one context `here`. */
#ifndef TEST_FLEET_H
#define TEST_FLEET_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch.h"
#include "find.h"
#include "http.h"
#include "value.h"

static struct {
	struct session		 session;
	struct context		 context;
	const struct context	*contexts[1];
	struct cache		*cache;
	char			 dir[64];
	const char		*urls[256];	/* "http://127.0.0.1:1/status/500" */
	size_t			 n;
	int			 rounds;	/* of the source */
	size_t			 failing;	/* in the last one */
} fleet;

/* ---- the source ----------------------------------------------------- */

struct fleet_memo { struct http_link *link; };

static int fleet_backends(const struct context *c, struct backend_list *out,
    struct err *err)
{
	size_t i;

	(void)c;
	if (fleet.n == 1 && strcmp(fleet.urls[0], "broken") == 0)
		return err_set(err, ERR_USAGE, "no such glob");
	for (i = 0; i < fleet.n; i++)
		backend_add(out, fleet.urls[i], NULL, NULL);
	return 0;
}

static int fleet_fetch(struct fetch *f, struct err *err)
{
	struct fleet_memo *memo = f->memo;
	char *what = xasprintf("faulty %s", f->backend->address);
	struct http_request q = {
		.url = f->backend->address, .timeout = f->timeout,
		.once = true, .what = what,
	};
	struct http_response r;
	int result;

	if (!memo)
		f->memo = memo = xcalloc(1, sizeof(*memo));
	q.link = &memo->link;
	result = http_get(f->task, &q, &r, err);
	if (result == 0 && r.body.n > 0 && r.body.p[0] != '{')
		result = err_set(err, ERR_DATA, "%s: not JSON", what);
	f->rows = 1;
	http_response_release(&r);
	free(what);
	return result;
}

static int fleet_round(struct fetch_round *r, struct err *err)
{
	size_t i;

	(void)err;
	fleet.rounds++;
	fleet.failing = 0;
	for (i = 0; i < r->n; i++)
		fleet.failing += r->v[i].row.failures > 0;
	return 0;
}

static void fleet_forget(void *memo)
{
	http_close(((struct fleet_memo *)memo)->link);
	free(memo);
}

static const struct field fleet_fields[] = {
	{ .name = "name", .role = ROLE_KEY, .type = TYPE_TEXT, .help = "x" },
	{0},
};
static const struct kind fleet_kind = {
	.name = "test_thing", .help = "x", .object = "name",
	.fields = fleet_fields, .every = 5000,
};
static const char *const fleet_kinds[] = { "test_thing", NULL };
/* every is changed by tests, before threads start. */
static struct source fleet_source = {
	.name = "faulty", .kinds = fleet_kinds, .every = 5000,
	.backends = fleet_backends, .fetch = fleet_fetch,
	.round = fleet_round, .forget = fleet_forget,
};
static const struct kind *const fleet_all_kinds[] = { &fleet_kind, NULL };
static const struct kind *const core_kinds[] = { &finding_kind, NULL };
static const struct source *const fleet_sources[] = { &fleet_source, NULL };
static const struct module fleet_core = {
	.name = "", .help = "x", .kinds = core_kinds,
};
static const struct module fleet_module = {
	.name = "test", .help = "x", .kinds = fleet_all_kinds,
	.sources = fleet_sources,
};
static const struct module *const fleet_modules[] = { &fleet_core,
    &fleet_module, NULL };

/* ---- the session ---------------------------------------------------- */

static inline int fleet_start(void)
{
	struct err err = {0};

	snprintf(fleet.dir, sizeof(fleet.dir), "/tmp/kiban-test-XXXXXX");
	if (!mkdtemp(fleet.dir))
		return -1;
	fleet.session = (struct session){
		.registry.modules = fleet_modules,
		.config.cache_dir = xasprintf("%s/cache", fleet.dir),
		.config.data_dir = xasprintf("%s/data", fleet.dir),
	};
	fleet.context = (struct context){
		.name = "here", .origin = "built in",
		.config = &fleet.session.config,
	};
	fleet.contexts[0] = &fleet.context;
	fleet.n = 0;
	fleet.rounds = 0;
	fleet_source.every = 5000;
	fleet.cache = session_cache(&fleet.session, &err);
	if (!fleet.cache)
		fprintf(stderr, "%s\n", err.text);
	return fleet.cache ? 0 : -1;
}

static inline int fleet_remove(const char *path, const struct stat *st,
    int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void fleet_stop(void)
{
	cache_close(fleet.cache);
	free(fleet.session.config.cache_dir);
	free(fleet.session.config.data_dir);
	nftw(fleet.dir, fleet_remove, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
