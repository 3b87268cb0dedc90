/* What the tests of the cache share: a module of their own, a clock that stands
 * where they put it, folders that go away, and a SELECT as one text. */
#ifndef CACHEKIT_H
#define CACHEKIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "cache.h"
#include "find.h"

#define T0	INT64_C(1764000000000)	/* a whole quarter of an hour */

static const struct kind thing_kind = {
	.name = "test_thing",
	.help = "a thing",
	.object = "name",
	.every = 5000,
	.fields = (const struct field[]){
		{ .name = "pool", .role = ROLE_KEY },
		{ .name = "name", .role = ROLE_KEY },
		{ .name = "health", .role = ROLE_FACT },
		{ .name = "weight", .role = ROLE_FACT, .type = TYPE_NUMBER },
		{ .name = "token", .role = ROLE_FACT, .flags = FIELD_SECRET },
		{ .name = "said", .role = ROLE_NOTE },
		{ .name = "rq", .role = ROLE_METRIC, .type = TYPE_NUMBER,
		    .flags = FIELD_COUNTER },
		{ .name = "active", .role = ROLE_METRIC,
		    .type = TYPE_NUMBER },
		{ .name = "took", .role = ROLE_METRIC, .flags = FIELD_BINS },
		{0},
	},
};
/* The same kind as another kiban has it. */
static const struct kind other_kind = {
	.name = "test_thing",
	.help = "a thing",
	.every = 5000,
	.fields = (const struct field[]){
		{ .name = "pool", .role = ROLE_KEY },
		{ .name = "colour", .role = ROLE_FACT },
		{0},
	},
};
static const struct module test_module = {
	.name = "test", .help = "a module",
	.kinds = (const struct kind *const[]){ &thing_kind, &finding_kind,
	    NULL },
};
static const struct module other_module = {
	.name = "test", .help = "a module",
	.kinds = (const struct kind *const[]){ &other_kind, &finding_kind,
	    NULL },
};
static const struct registry test_registry = {
	.modules = (const struct module *const[]){ &test_module, NULL },
};
static const struct registry other_registry = {
	.modules = (const struct module *const[]){ &other_module, NULL },
};

static struct kit {
	struct cache	*c;
	char		 dir[256];
	struct buf	 note, out;
	struct err	 err;
} kit;

/* The clock stands at T0 + ms. */
static inline void clock_at(int64_t ms)
{
	struct buf text = {0};

	value_rfc3339(&text, T0 + ms);
	setenv("KIBAN_NOW", buf_str(&text), 1);
	assert_int_equal(clock_init(&kit.err), 0);
	buf_free(&text);
}

static inline const char *kit_path(const char *name)
{
	static char path[2][400];
	static int i;

	i = !i;
	snprintf(path[i], sizeof(path[i]), "%s/%s", kit.dir, name);
	return path[i];
}

static inline struct cache *kit_open_as(const struct registry *r,
    unsigned flags)
{
	char cache[400], data[400];
	struct cache *c;

	snprintf(cache, sizeof(cache), "%s/cache", kit.dir);
	snprintf(data, sizeof(data), "%s/data", kit.dir);
	buf_clear(&kit.note);
	c = cache_open(cache, data, r, flags, &kit.note, &kit.err);
	if (!c)
		fail_msg("%s", kit.err.text);
	return c;
}

static inline int kit_aim(struct cache *c, int64_t at)
{
	static const char *const here[] = { "here" };

	return cache_aim(c, here, 1, at, 0, &kit.err);
}

static inline void kit_open(unsigned flags)
{
	kit.c = kit_open_as(&test_registry, flags);
	assert_int_equal(kit_aim(kit.c, 0), 0);
}

static inline int kit_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(kit.dir, sizeof(kit.dir), "%s/kiban-cache-XXXXXX",
	    tmp ? tmp : "/tmp");
	if (!mkdtemp(kit.dir))
		return -1;
	clock_at(0);
	kit_open(0);
	return 0;
}

static inline int kit_down(void **state)
{
	char *command = xasprintf("chmod -R u+rwX '%s'; rm -rf '%s'", kit.dir,
	    kit.dir);

	(void)state;
	cache_close(kit.c);
	kit.c = NULL;
	buf_free(&kit.note);
	buf_free(&kit.out);
	if (system(command) != 0)
		return -1;
	free(command);
	return 0;
}

/* Looks back to T0 + ms; 0 is now. */
static inline void look_at(int64_t ms)
{
	assert_int_equal(kit_aim(kit.c, ms ? T0 + ms : 0), 0);
}

static inline void put_cell(struct buf *b, struct cell v)
{
	switch (v.tag) {
	case CELL_NULL:
		buf_adds(b, "-");
		break;
	case CELL_INT:
		/* Times are told from T0. */
		if (v.i > T0 - 1000000000 && v.i < T0 + INT64_C(10000000000))
			buf_addf(b, "@%lld", (long long)(v.i - T0));
		else
			buf_addf(b, "%lld", (long long)v.i);
		break;
	case CELL_REAL:
		value_number(b, v.d);
		break;
	case CELL_TEXT:
		buf_add(b, v.s, v.n);
		break;
	}
}

/* Cells joined by blanks, rows by "; ". A failure is its text. */
static inline const char *ask_of(struct cache *c, const char *sql,
    unsigned flags)
{
	const struct cell *cells;
	const char *const *names;
	struct query *q;
	size_t n, i;
	int rc, rows = 0;

	buf_clear(&kit.out);
	q = query_new(c, sql, flags, 0, NULL, &kit.err);
	if (!q) {
		buf_addf(&kit.out, "error: %s", kit.err.text);
		return buf_str(&kit.out);
	}
	n = query_columns(q, &names);
	while ((rc = query_step(q, &cells, &kit.err)) == 1) {
		if (rows++)
			buf_adds(&kit.out, "; ");
		for (i = 0; i < n; i++) {
			if (i)
				buf_addc(&kit.out, ' ');
			put_cell(&kit.out, cells[i]);
		}
	}
	if (rc < 0)
		buf_addf(&kit.out, "error: %s", kit.err.text);
	query_free(q);
	return buf_str(&kit.out);
}

static inline const char *ask(const char *sql)
{
	return ask_of(kit.c, sql, 0);
}

static inline struct merge *thing_begin(const char *scope, int64_t ms)
{
	return merge_begin(kit.c, &thing_kind, "here", scope, T0 + ms, 0);
}

static inline void thing(struct merge *m, const char *name, const char *health,
    int64_t weight)
{
	merge_text(m, "pool", "p", 1);
	merge_text(m, "name", name, -1);
	merge_text(m, "health", health, -1);
	merge_int(m, "weight", weight);
	if (merge_row(m, &kit.err) < 0)
		fail_msg("%s", kit.err.text);
}

static inline void end(struct merge *m)
{
	if (merge_end(m, &kit.err) < 0)
		fail_msg("%s", kit.err.text);
}

#endif
