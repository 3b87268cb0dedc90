/* Views over a real cache: every list of every module gives its columns, and
 * what is asked of a list is answered; rules become findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"
#include "find.h"
#include "view.h"

extern const struct module mesh_module;

static const struct rule heavy = {
	.id = "toy.heavy",
	.kind = "toy_thing",
	.severity = SEVERITY_DOUBTFUL,
	.sql = "SELECT context, name, n, name AS object, weight, CASE WHEN "
	    "weight > 90 THEN 'bad' ELSE 'doubtful' END AS severity "
	    "FROM toy_thing WHERE weight > 50",
	.reason = "weighs {weight}",
	.command = "toy things show {name} {n}",
	.help = "too heavy",
};
static const struct kind thing_kind = {
	.name = "toy_thing",
	.help = "a thing",
	.object = "name",
	.fields = (const struct field[]){
		{"name", ROLE_KEY, TYPE_TEXT, .help = "its name"},
		{"n", ROLE_KEY, TYPE_NUMBER, .help = "tells equal ones apart"},
		{"weight", ROLE_FACT, TYPE_NUMBER, .help = "its weight",
		    .suspect = 70},
		{0},
	},
	.every = 5000,
};
static const struct view things_view = {
	.name = "things",
	.help = "things",
	.sql = "SELECT context, name, n, weight, seen FROM toy_thing",
	.kind = "toy_thing",
	.columns = (const struct column[]){
		{.name = "name", .help = "its name"},
		{.name = "n", .type = TYPE_NUMBER, .help = "n"},
		{.name = "weight", .type = TYPE_NUMBER, .help = "weight"},
		{0},
	},
	.empty = "none",
};
static const struct view unseen_view = {
	.name = "unseen",
	.help = "without its own age",
	.sql = "SELECT context, name, n FROM toy_thing",
	.kind = "toy_thing",
	.columns = (const struct column[]){
		{.name = "name", .help = "its name"},
		{.name = "n", .type = TYPE_NUMBER, .help = "n"},
		{0},
	},
	.empty = "none",
};
static const struct module toy_module = {
	.name = "toy",
	.help = "for tests",
	.kinds = (const struct kind *const[]){&thing_kind, NULL},
	.views = (const struct view *const[]){&things_view, &unseen_view, NULL},
	.rules = (const struct rule *const[]){&heavy, NULL},
};
static const struct module *const modules[] = {&core_module, &mesh_module,
    &toy_module, NULL};

static struct session session = {.registry.modules = modules};
static struct cache *cache;
static char dir[] = "/tmp/kiban-view-XXXXXX";
static const char *const contexts[] = {"t"};
static const struct context context = {.name = "t"};

static void put(int64_t t, const int *weights, size_t n)
{
	struct err err = {0};
	struct merge *m = merge_begin(cache, &thing_kind, "t", "s", t, 0);

	for (size_t i = 0; i < n; i++) {
		char name[] = {(char)('a' + i), 0};

		merge_text(m, "name", name, -1);
		merge_int(m, "n", (int64_t)i);
		if (weights[i] < 0)
			merge_null(m, "weight");
		else
			merge_int(m, "weight", weights[i]);
		assert_int_equal(merge_row(m, &err), 0);
	}
	assert_int_equal(merge_end(m, &err), 0);
}

static void aim(int64_t at)
{
	struct err err = {0};

	assert_int_equal(cache_aim(cache, contexts, 1, at, 0, &err), 0);
}

/* The rows as one text: columns by blanks, rows by commas; the first `n`. */
static char *rows_of(const struct view *v, const struct view_ask *ask, size_t n)
{
	struct err err = {0};
	struct buf out = {0};
	const struct cell *cells;
	char *sql = view_select(&session.registry, v, ask, &err);
	struct query *q;

	if (!sql)
		return xstrdup(err.text);
	q = query_new(cache, sql, 0, 0, NULL, &err);
	if (!q)
		fail_msg("%s: %s", sql, err.text);
	for (size_t i = 0; i < ask->nkey; i++)
		query_bind(q, (int)i + 1, run_s(ask->key[i]));
	while (query_step(q, &cells, &err) == 1) {
		if (out.n)
			buf_addc(&out, ',');
		for (size_t i = 0; i < n; i++) {
			if (i)
				buf_addc(&out, ' ');
			value_json(&out, TYPE_ANY, cells[i]);
		}
	}
	assert_int_equal(err.code, ERR_NONE);
	query_free(q);
	free(sql);
	return buf_take(&out);
}

static void expect(const struct view *v, struct view_ask ask, size_t n,
    const char *want)
{
	char *got = rows_of(v, &ask, n);

	assert_string_equal(got, want);
	free(got);
}

static int one_view(void *arg, const struct module *m, const struct view *v)
{
	struct view_ask ask = {.limit = 1};
	struct err err = {0};
	size_t n;
	struct column *c = view_columns(v, &n);
	const char *const *names;
	char *sql = view_select(&session.registry, v, &ask, &err);
	struct query *q = sql ? query_new(cache, sql, 0, 0, NULL, &err) : NULL;
	const struct cell *cells;

	(void)arg;
	if (!q)
		fail_msg("%s %s: %s\n%s", m->name, v->name, err.text, sql);
	assert_int_equal(query_columns(q, &names), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(names[i], c[i].name);
	assert_true(query_step(q, &cells, &err) >= 0);
	query_free(q);
	free(sql);
	free(c);
	return 0;
}

static void test_every_view(void **state)
{
	(void)state;
	aim(0);
	registry_each_view(&session.registry, one_view, NULL);
	aim(clock_now() - 1000);
	registry_each_view(&session.registry, one_view, NULL);
}

static void test_order_and_limit(void **state)
{
	(void)state;
	put(clock_now(), (const int[]){30, -1, 60, 7}, 4);
	aim(0);
	expect(&things_view, (struct view_ask){.limit = -1}, 4,
	    "\"t\" \"a\" 0 30,\"t\" \"b\" 1 null,\"t\" \"c\" 2 60,"
	    "\"t\" \"d\" 3 7");
	expect(&things_view, (struct view_ask){.limit = -1, .sort = "weight"},
	    2, "\"t\" \"d\",\"t\" \"a\",\"t\" \"c\",\"t\" \"b\"");
	/* Null is last either way. */
	expect(&things_view, (struct view_ask){.limit = -1,
	    .sort = "weight:desc"}, 2,
	    "\"t\" \"c\",\"t\" \"a\",\"t\" \"d\",\"t\" \"b\"");
	expect(&things_view, (struct view_ask){.limit = 1, .sort = "name:desc"},
	    2, "\"t\" \"d\"");
	expect(&things_view, (struct view_ask){.limit = -1, .sort = "wieght"},
	    2, "--sort: no column \"wieght\"; did you mean \"weight\"?");
	expect(&things_view, (struct view_ask){.limit = -1, .sort = "name:up"},
	    2, "--sort: \"name:up\" ends in neither a column nor :desc");
}

static void test_where_and_key(void **state)
{
	const char *where[] = {"weight > 10", "name <> 'a' -- a comment"};
	const char *key[] = {"c", "2"}, *no[] = {"c", "3"};

	(void)state;
	expect(&things_view, (struct view_ask){.limit = -1, .where = where,
	    .nwhere = 2}, 2, "\"t\" \"c\"");
	expect(&things_view, (struct view_ask){.limit = -1, .key = key,
	    .nkey = 2}, 4, "\"t\" \"c\" 2 60");
	expect(&things_view, (struct view_ask){.limit = -1, .key = no,
	    .nkey = 2}, 4, "");
}

static void test_where_is_checked(void **state)
{
	static const char *const bad[] = {"nope = 1", "weight >", "", "1); SELECT 1",
	    "1) OR (1", "weight > 1; DROP TABLE x", "(SELECT 1 FROM sqlite_master)",
	    "load_extension('x')", "EXISTS (SELECT 1 FROM main.scope)", NULL};
	struct err err = {0};

	(void)state;
	assert_int_equal(view_check_where(cache, &session.registry,
	    &things_view, "weight > 3 AND status = 'ok'", &err), 0);
	for (size_t i = 0; bad[i]; i++) {
		err = (struct err){0};
		if (!view_check_where(cache, &session.registry, &things_view,
		    bad[i], &err) && strcmp(bad[i], "1) OR (1"))
			fail_msg("taken: %s", bad[i]);
		if (strcmp(bad[i], "1) OR (1"))
			assert_int_equal(err.code, ERR_USAGE);
	}
}

static void test_status_and_age(void **state)
{
	const char *where[] = {"status = 'old'"};

	(void)state;
	expect(&things_view, (struct view_ask){.limit = -1, .where = where,
	    .nwhere = 1}, 2, "");
	put(clock_now() - 1, (const int[]){30, 1, 60, 95}, 4);
	assert_int_equal(find_evaluate(&session, cache, &context, clock_now(),
	    NULL, NULL, NULL), 0);
	aim(0);
	where[0] = "status <> 'ok'";
	expect(&things_view, (struct view_ask){.limit = -1, .where = where,
	    .nwhere = 1, .sort = "status"}, 5,
	    "\"t\" \"d\" 3 95 \"bad\",\"t\" \"c\" 2 60 \"doubtful\"");
	expect(&unseen_view, (struct view_ask){.limit = -1, .where = where,
	    .nwhere = 1, .sort = "status"}, 4,
	    "\"t\" \"d\" 3 \"bad\",\"t\" \"c\" 2 \"doubtful\"");
}

static void test_findings(void **state)
{
	const struct view *v = registry_view(&session.registry, "findings");
	struct err err = {0};
	struct buf note = {0};
	const char *where[] = {"rule = 'toy.heavy'"};
	struct view_ask ask = {.limit = -1, .where = where, .nwhere = 1,
	    .sort = "object"};
	char *got = rows_of(v, &ask, 6);

	(void)state;
	assert_string_equal(got,
	    "\"t\" \"doubtful\" \"toy\" \"toy.heavy\" \"c\" \"weighs 60\","
	    "\"t\" \"bad\" \"toy\" \"toy.heavy\" \"d\" \"weighs 95\"");
	free(got);
	/* A muted one is not listed and marks nothing. */
	assert_int_equal(mute_put(cache, "t", "toy.heavy", "d",
	    clock_now() + 60000, "known", &err), 0);
	expect(v, ask, 5, "\"t\" \"doubtful\" \"toy\" \"toy.heavy\" \"c\"");
	where[0] = "status = 'bad'";
	expect(&things_view, (struct view_ask){.limit = -1, .where = where,
	    .nwhere = 1}, 2, "");
	assert_int_equal(mute_drop(cache, "t", "toy.heavy", "d", &err), 1);
	/* What is mended closes; `changed` tells both. */
	put(clock_now(), (const int[]){30, 1, 6, 95}, 4);
	assert_int_equal(find_evaluate(&session, cache, &context, clock_now(),
	    NULL, &note, &err), 0);
	assert_string_equal(buf_str(&note), "");
	aim(0);
	where[0] = "rule = 'toy.heavy'";
	expect(v, ask, 5, "\"t\" \"bad\" \"toy\" \"toy.heavy\" \"d\"");
	v = registry_view(&session.registry, "changed");
	where[0] = "op = 'closed'";
	got = rows_of(v, &ask, 1);
	assert_string_equal(got, "\"t\"");
	free(got);
}

static int setup(void **state)
{
	struct err err = {0};
	struct buf note = {0};

	(void)state;
	clock_init(&err);
	if (!mkdtemp(dir))
		return -1;
	cache = cache_open(dir, dir, &session.registry, 0, &note, &err);
	if (!cache)
		fail_msg("%s", err.text);
	return 0;
}

static int teardown(void **state)
{
	char *line = xasprintf("rm -r %s", dir);
	int rc;

	(void)state;
	cache_close(cache);
	rc = system(line);
	free(line);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_view),
		cmocka_unit_test(test_order_and_limit),
		cmocka_unit_test(test_where_and_key),
		cmocka_unit_test(test_where_is_checked),
		cmocka_unit_test(test_status_and_age),
		cmocka_unit_test(test_findings),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
