/* Queries: names and columns, the guard, limits, cancels, several contexts. */
#include "cachekit.h"

#include "task.h"

static int up(void **state)
{
	struct merge *m;

	if (kit_up(state))
		return -1;
	m = thing_begin("s", 1000);
	merge_int(m, "rq", 5);
	thing(m, "a", "up", 1);
	merge_int(m, "rq", 6);
	thing(m, "b", "down", 2);
	end(m);
	m = merge_begin(kit.c, &thing_kind, "there", "s", T0 + 1000, 0);
	thing(m, "z", "up", 1);
	end(m);
	clock_at(2000);
	return 0;
}

static void what_is_allowed_works(void **state)
{
	static const char *const good[] = {
		"SELECT name FROM test_thing",
		"VALUES (1), (2)",
		"WITH x AS (SELECT name FROM test_thing) SELECT * FROM x",
		"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 "
		"FROM n WHERE i < 5) SELECT sum(i) FROM n",
		"WITH x(a) AS (SELECT name FROM test_thing) "
		"SELECT count(*) FROM x",
		"SELECT value FROM json_each('[1,2]')",
		"SELECT value FROM json_tree('{\"a\":1}')",
		"SELECT count(*) FROM change",
		"SELECT count(*) FROM sample",
		"SELECT * FROM (SELECT name n FROM test_thing) WHERE n > 'a'",
		"SELECT at(), since(), ms('now'), 'x' REGEXP '^x$', "
		"regexp('a|b', 'b'), abs(-1), upper('a'), sqrt(4)",
		"SELECT name FROM test_thing;  -- the end",
		"SELECT 1 AS \"scope\", 'main.scope' AS frame",
		"SELECT a.name FROM test_thing a JOIN test_thing b USING (name)",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (strstr(ask_of(kit.c, good[i], QUERY_GUARD), "error"))
			fail_msg("%s: %s", good[i], buf_str(&kit.out));
}

static void what_is_refused_is_usage(void **state)
{
	static const char *const bad[] = {
		"", "   ", "-- nothing", ";",
		"SELECT", "SELECT nope FROM test_thing", "SELECT * FROM nope",
		"SELECT 1; SELECT 2",
		"SELECT 1; DROP TABLE main.scope",
		"INSERT INTO test_thing_now VALUES (1)",
		"DELETE FROM main.scope", "UPDATE main.scope SET name = 1",
		"DROP VIEW test_thing", "CREATE TABLE x(a)",
		"CREATE TEMP VIEW x AS SELECT 1",
		"PRAGMA user_version", "PRAGMA writable_schema = 1",
		"ATTACH '/tmp/x' AS x", "DETACH data",
		"BEGIN", "COMMIT", "SAVEPOINT x", "VACUUM", "VACUUM INTO '/tmp/x'",
		"ANALYZE", "REINDEX", "EXPLAIN SELECT 1",
		"EXPLAIN QUERY PLAN SELECT 1",
		"SELECT * FROM sqlite_master", "SELECT * FROM sqlite_schema",
		"SELECT * FROM temp.sqlite_master",
		"SELECT * FROM pragma_table_info('scope')",
		"SELECT * FROM pragma_database_list",
		"SELECT * FROM main.scope", "SELECT * FROM scope",
		"SELECT * FROM main.test_thing_now",
		"SELECT * FROM test_thing_now", "SELECT * FROM [test_thing_past]",
		"SELECT * FROM `frame`", "SELECT * FROM data.journal",
		"SELECT count(*) FROM main.change_row",
		"SELECT (SELECT count(*) FROM main.scope)",
		"SELECT 1 WHERE EXISTS (SELECT 1 FROM main.source)",
		"SELECT name FROM test_thing UNION SELECT name FROM main.scope",
		"SELECT * FROM (SELECT * FROM main.scope) AS test_thing",
		"WITH test_thing AS (SELECT * FROM main.scope) "
		"SELECT * FROM test_thing",
		"WITH x AS (SELECT * FROM main.scope) SELECT * FROM x",
		"WITH change(a) AS (SELECT name FROM main.scope) "
		"SELECT * FROM change",
		"WITH x AS (SELECT 1) DELETE FROM main.scope",
		"WITH x AS (SELECT 1) SELECT count(*) FROM scope",
		"WITH scope AS (SELECT 1) SELECT count(*) FROM scope",
		"SELECT * FROM main.test_thing",
		"SELECT load_extension('x')", "SELECT sqlite_version()",
		"SELECT sqlite_source_id()",
		"SELECT sqlite_compileoption_get(1)",
		"SELECT * FROM dbstat", "SELECT * FROM sqlite_stmt",
		"SELECT * FROM bytecode('SELECT 1')",
		"SELECT * FROM incoming", "SELECT * FROM fts3tokenize",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		kit.err.code = ERR_NONE;
		ask_of(kit.c, bad[i], QUERY_GUARD);
		if (kit.err.code != ERR_USAGE)
			fail_msg("\"%s\" gave %d: %s", bad[i], kit.err.code,
			    buf_str(&kit.out));
	}
	assert_string_equal(ask("SELECT count(*) FROM test_thing"), "2");
}

static void the_nearest_name_is_named(void **state)
{
	(void)state;
	assert_non_null(strstr(ask_of(kit.c, "SELECT * FROM test_thin",
	    QUERY_GUARD), "\"test_thing\""));
}

static const char *columns(const char *sql)
{
	struct query *q = query_new(kit.c, sql, QUERY_GUARD, 0, NULL,
	    &kit.err);
	const char *const *names;
	size_t n, i;

	assert_non_null(q);
	n = query_columns(q, &names);
	buf_clear(&kit.out);
	for (i = 0; i < n; i++)
		buf_addf(&kit.out, "%s%s", i ? " " : "", names[i]);
	query_free(q);
	return buf_str(&kit.out);
}

static void columns_have_one_name_each(void **state)
{
	(void)state;
	assert_string_equal(columns("SELECT 1 a, 2 a, 3 a, 4 a_2"),
	    "a a_2 a_3 a_2_2");
	assert_string_equal(columns("SELECT * FROM test_thing"), "context "
	    "pool name health weight token said rq active seen");
	assert_string_equal(columns("SELECT series, name FROM test_thing"),
	    "series name");
}

static void a_blob_is_hex(void **state)
{
	(void)state;
	assert_string_equal(ask("SELECT x'00ff41', x''"), "00ff41 ");
}

static void values_can_be_bound(void **state)
{
	struct query *q = query_new(kit.c, "SELECT rq FROM test_thing WHERE "
	    "name = ?1", 0, 0, NULL, &kit.err);
	const struct cell *cells;

	(void)state;
	assert_non_null(q);
	query_bind(q, 1, (struct cell){ .tag = CELL_TEXT, .s = "b", .n = 1 });
	assert_int_equal(query_step(q, &cells, &kit.err), 1);
	assert_int_equal(cells[0].i, 6);
	assert_int_equal(query_step(q, &cells, &kit.err), 0);
	assert_string_equal(query_kinds(q)[0], "test_thing");
	assert_null(query_kinds(q)[1]);
	query_free(q);
}

static const char endless[] = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL "
    "SELECT i + 1 FROM n) SELECT count(*) FROM n";

static void a_limit_stops_it(void **state)
{
	struct query *q = query_new(kit.c, endless, QUERY_GUARD, 100, NULL,
	    &kit.err);
	const struct cell *cells;
	int64_t began = clock_mono();

	(void)state;
	assert_int_equal(query_step(q, &cells, &kit.err), -1);
	assert_in_range(clock_mono() - began, 90, 2000);
	assert_int_equal(kit.err.code, ERR_FAILED);
	assert_non_null(strstr(kit.err.text, "--timeout"));
	query_free(q);
	assert_string_equal(ask("SELECT count(*) FROM test_thing"), "2");
}

static int endless_task(struct task *t, void *arg, struct err *err)
{
	struct query *q = query_new(kit.c, endless, 0, 0, t, err);
	const struct cell *cells;
	int rc = query_step(q, &cells, err);

	(void)arg;
	query_free(q);
	return rc < 0 ? -1 : 0;
}

static void a_cancel_stops_it(void **state)
{
	struct task *t = task_start("test", "endless", endless_task, NULL,
	    NULL);
	struct task_info info;
	int64_t began;

	(void)state;
	usleep(50000);
	began = clock_mono();
	task_cancel(t);
	while (!task_ended(t) && clock_mono() - began < 5000)
		usleep(1000);
	assert_in_range(clock_mono() - began, 0, 1000);
	task_info(t, &info);
	assert_int_equal(info.state, TASK_CANCELLED);
	task_free(t);
}

static void contexts_are_those_aimed_at(void **state)
{
	static const char *const both[] = { "there", "here" };
	static const char *const odd[] = { "it's" };

	(void)state;
	assert_string_equal(ask("SELECT name FROM test_thing ORDER BY name"),
	    "a; b");
	cache_aim(kit.c, both, 2, 0, 0, &kit.err);
	assert_string_equal(ask("SELECT context, name FROM test_thing "
	    "ORDER BY name"), "here a; here b; there z");
	cache_aim(kit.c, both, 1, 0, 0, &kit.err);
	assert_string_equal(ask("SELECT name FROM test_thing"), "z");
	assert_int_equal(cache_aim(kit.c, odd, 1, 0, 0, &kit.err), 0);
	assert_string_equal(ask("SELECT name FROM test_thing"), "");
	assert_int_equal(cache_aim(kit.c, both, 0, 0, 0, &kit.err), 0);
	assert_string_equal(ask("SELECT name FROM test_thing"), "");
}

static void time_is_one_number(void **state)
{
	static const char *const here[] = { "here" };

	(void)state;
	assert_string_equal(ask("SELECT at()"), "@2000");
	cache_aim(kit.c, here, 1, T0 + 1500, T0 + 500, &kit.err);
	assert_string_equal(ask("SELECT at(), since()"), "@1500 @500");
	assert_string_equal(ask("SELECT count(*) FROM test_thing"), "2");
	cache_aim(kit.c, here, 1, T0 + 500, 0, &kit.err);
	assert_string_equal(ask("SELECT count(*) FROM test_thing"), "0");
}

/* A page by key goes by the key's index, whatever the size. */
static void a_page_by_key_is_no_scan(void **state)
{
	struct query *q;
	const struct cell *cells;
	bool sorts = false;

	(void)state;
	q = query_new(kit.c, "EXPLAIN QUERY PLAN SELECT * FROM test_thing "
	    "ORDER BY context, pool, name LIMIT 60", 0, 0, NULL, &kit.err);
	assert_non_null(q);
	while (query_step(q, &cells, &kit.err) == 1)
		sorts |= cells[3].n > 8 && memcmp(cells[3].s, "USE TEMP", 8) ==
		    0;
	assert_false(sorts);
	query_free(q);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, up, kit_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_allowed_works),
		TEST(what_is_refused_is_usage),
		TEST(the_nearest_name_is_named),
		TEST(columns_have_one_name_each),
		TEST(a_blob_is_hex),
		TEST(values_can_be_bound),
		TEST(a_limit_stops_it),
		TEST(a_cancel_stops_it),
		TEST(contexts_are_those_aimed_at),
		TEST(time_is_one_number),
		TEST(a_page_by_key_is_no_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
