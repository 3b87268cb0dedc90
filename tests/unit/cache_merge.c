/* Merges: what becomes of rows, versions and changes. */
#include "cachekit.h"

#define THINGS "SELECT name, health, weight FROM test_thing ORDER BY name"
#define CHANGES "SELECT t, key, op, field, old, new FROM change ORDER BY t, key"

static void two(int64_t ms, const char *health)
{
	struct merge *m = thing_begin("s", ms);

	clock_at(ms);
	thing(m, "a", health, 1);
	thing(m, "b", "up", 2);
	end(m);
}

static void rows_appear_and_the_first_fetch_is_no_change(void **state)
{
	(void)state;
	two(1000, "up");
	assert_string_equal(ask(THINGS), "a up 1; b up 2");
	assert_string_equal(ask("SELECT context, seen FROM test_thing"),
	    "here @1000; here @1000");
	assert_string_equal(ask(CHANGES), "");
}

static void a_changed_fact_is_a_version_and_a_change(void **state)
{
	(void)state;
	two(1000, "up");
	two(6000, "down");
	assert_string_equal(ask(THINGS), "a down 1; b up 2");
	assert_string_equal(ask(CHANGES), "@6000 {\"pool\":\"p\",\"name\":\"a\"}"
	    " changed health \"up\" \"down\"");
	assert_string_equal(ask("SELECT after, object FROM change_all"),
	    "@1000 a");
	look_at(5999);
	assert_string_equal(ask(THINGS), "a up 1; b up 2");
	look_at(6000);
	assert_string_equal(ask(THINGS), "a down 1; b up 2");
	look_at(999);
	assert_string_equal(ask(THINGS), "");
}

static void numbers_of_changes_stand_bare(void **state)
{
	struct merge *m;

	(void)state;
	two(1000, "up");
	m = thing_begin("s", 2000);
	thing(m, "a", "up", 7);
	thing(m, "b", NULL, 2);
	end(m);
	clock_at(2000);
	assert_string_equal(ask("SELECT field, old, new FROM change "
	    "ORDER BY field"), "health \"up\" null; weight 1 7");
}

static void rows_not_given_are_closed(void **state)
{
	struct merge *m;

	(void)state;
	two(1000, "up");
	m = thing_begin("s", 2000);
	thing(m, "b", "up", 2);
	thing(m, "c", "up", 3);
	end(m);
	clock_at(3000);
	assert_string_equal(ask(THINGS), "b up 2; c up 3");
	assert_string_equal(ask("SELECT object, op, field FROM change_all "
	    "ORDER BY object"), "a removed -; c added -");
	look_at(1500);
	assert_string_equal(ask(THINGS), "a up 1; b up 2");
}

static void of_a_key_given_twice_the_later_wins(void **state)
{
	struct merge *m;

	(void)state;
	/* New, in order, out of order, and stored. */
	m = thing_begin("s", 1000);
	thing(m, "b", "first", 1);
	thing(m, "a", "first", 1);
	thing(m, "a", "second", 2);
	thing(m, "b", "second", 2);
	end(m);
	assert_string_equal(ask(THINGS), "a second 2; b second 2");
	m = thing_begin("s", 2000);
	thing(m, "a", "third", 3);
	thing(m, "b", "second", 2);
	thing(m, "a", "fourth", 4);
	end(m);
	assert_string_equal(ask(THINGS), "a fourth 4; b second 2");
	assert_string_equal(ask("SELECT count(*) FROM change WHERE "
	    "field = 'health'"), "1");
}

static void a_failed_fetch_closes_nothing(void **state)
{
	struct merge *m;

	(void)state;
	two(1000, "up");
	m = thing_begin("s", 2000);
	thing(m, "c", "up", 1);
	merge_abort(m);
	clock_at(20000);
	assert_string_equal(ask("SELECT name, seen FROM test_thing "
	    "ORDER BY name"), "a @1000; b @1000");
}

static void a_patch_keeps_what_it_does_not_give(void **state)
{
	struct merge *m;

	(void)state;
	two(1000, "up");
	m = merge_begin(kit.c, &thing_kind, "here", "s", T0 + 2000,
	    MERGE_PATCH);
	merge_text(m, "pool", "p", -1);
	merge_text(m, "name", "a", -1);
	merge_text(m, "health", "lost", -1);
	assert_int_equal(merge_row(m, &kit.err), 0);
	end(m);
	assert_string_equal(ask("SELECT name, health, weight, seen FROM "
	    "test_thing ORDER BY name"), "a lost 1 @1000; b up 2 @1000");
	assert_string_equal(ask("SELECT op, field, old, new FROM change"),
	    "changed health \"up\" \"lost\"");
}

static void a_patch_first_makes_the_scope_known(void **state)
{
	struct merge *m = merge_begin(kit.c, &thing_kind, "here", "s",
	    T0 + 1000, MERGE_PATCH);

	(void)state;
	merge_text(m, "pool", "p", -1);
	merge_text(m, "name", "a", -1);
	merge_text(m, "health", "lost", -1);
	assert_int_equal(merge_row(m, &kit.err), 0);
	end(m);
	assert_string_equal(ask("SELECT name, health, weight, seen FROM "
	    "test_thing"), "a lost - -");
	assert_string_equal(ask(CHANGES), "");
	two(2000, "up");
	assert_string_equal(ask("SELECT object, op, field FROM change_all "
	    "ORDER BY object, field"),
	    "a changed health; a changed weight; b added -");
}

static void notes_move_without_a_version(void **state)
{
	struct merge *m;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		m = thing_begin("s", 1000 + i * 1000);
		merge_text(m, "said", i ? "new" : "old", -1);
		thing(m, "a", "up", 1);
		end(m);
	}
	assert_string_equal(ask("SELECT said FROM test_thing"), "new");
	assert_string_equal(ask(CHANGES), "");
	assert_string_equal(ask("SELECT count(*) FROM main.test_thing_past"),
	    "0");
}

static void secrets_never_reach_the_file(void **state)
{
	char *search = xasprintf("grep -rq hunter '%s'", kit.dir);
	struct merge *m;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		m = thing_begin("s", 1000 + i * 1000);
		merge_text(m, "token", i ? "hunter2" : "hunter1", -1);
		thing(m, "a", "up", 1);
		end(m);
	}
	assert_string_equal(ask("SELECT token FROM test_thing"), "[redacted]");
	assert_string_equal(ask(CHANGES), "");
	cache_close(kit.c);
	kit.c = NULL;
	assert_int_equal(WEXITSTATUS(system(search)), 1);
	free(search);
}

static void confirming_moves_the_age_alone(void **state)
{
	(void)state;
	two(1000, "up");
	assert_int_equal(cache_confirm(kit.c, &thing_kind, "here", "s",
	    T0 + 4000, &kit.err), 0);
	assert_string_equal(ask("SELECT DISTINCT seen FROM test_thing"),
	    "@4000");
	assert_int_equal(cache_confirm(kit.c, &thing_kind, "here", "none",
	    T0 + 4000, &kit.err), 0);
	assert_string_equal(ask("SELECT count(*) FROM main.scope"), "1");
}

static void count_scope(void *arg, const char *scope, int64_t seen)
{
	buf_addf(arg, "%s@%lld ", scope, (long long)(seen - T0));
}

static void a_scope_is_dropped_and_may_come_back(void **state)
{
	struct buf names = {0};

	(void)state;
	two(1000, "up");
	cache_each_scope(kit.c, &thing_kind, "here", count_scope, &names);
	assert_string_equal(buf_str(&names), "s@1000 ");
	assert_int_equal(cache_drop_scope(kit.c, &thing_kind, "here", "s",
	    T0 + 2000, &kit.err), 0);
	assert_string_equal(ask(THINGS), "");
	buf_clear(&names);
	cache_each_scope(kit.c, &thing_kind, "here", count_scope, &names);
	assert_string_equal(buf_str(&names), "");
	buf_free(&names);
	assert_string_equal(ask("SELECT object, op FROM change_all "
	    "ORDER BY object"), "a removed; b removed");
	look_at(1500);
	assert_string_equal(ask(THINGS), "a up 1; b up 2");
	look_at(0);
	two(3000, "up");
	/* As new: nothing was added, it is a first fetch. */
	assert_string_equal(ask("SELECT count(*) FROM change"), "2");
}

static void two_scopes_are_each_whole(void **state)
{
	struct merge *m;

	(void)state;
	two(1000, "up");
	m = thing_begin("t", 1500);
	thing(m, "c", "up", 3);
	end(m);
	two(2000, "up");
	assert_string_equal(ask("SELECT name, seen FROM test_thing "
	    "ORDER BY name"), "a @2000; b @2000; c @1500");
}

static void a_row_that_comes_back_has_its_series(void **state)
{
	char *before;
	struct merge *m;

	(void)state;
	two(1000, "up");
	before = xstrdup(ask("SELECT series FROM test_thing WHERE name = 'a'"));
	m = thing_begin("s", 2000);
	thing(m, "b", "up", 2);
	end(m);
	m = thing_begin("s", 3000);
	thing(m, "a", "up", 1);
	thing(m, "b", "up", 2);
	thing(m, "c", "up", 2);
	end(m);
	assert_string_equal(ask("SELECT series FROM test_thing WHERE "
	    "name = 'a'"), before);
	assert_string_equal(ask("SELECT count(DISTINCT series) FROM "
	    "test_thing"), "3");
	free(before);
}

static void no_version_ends_before_it_begins(void **state)
{
	static const int64_t times[] = { 10000000, 10005000, 6405000, 6410000,
	    6409000, 10010000 };
	static const char *const bad = "SELECT count(*) FROM "
	    "main.test_thing_past WHERE _until < _since";
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		two(times[i], i % 2 ? "down" : "up");
		assert_string_equal(ask(bad), "0");
		assert_string_equal(ask("SELECT name, health FROM test_thing "
		    "ORDER BY name"), i % 2 ? "a down; b up" : "a up; b up");
		/* One row a key, whenever one looks. */
		look_at(times[i]);
		assert_string_equal(ask("SELECT name, count(*) FROM test_thing "
		    "GROUP BY name"), "a 1; b 1");
		look_at(0);
	}
	/* An hour back: what is seen now was seen now. */
	assert_string_equal(ask("SELECT count(*) FROM change WHERE "
	    "t > 1764010010000"), "0");
}

static void an_hour_back_the_age_is_of_now(void **state)
{
	(void)state;
	two(3600000, "up");
	two(1000, "up");
	assert_string_equal(ask("SELECT DISTINCT seen FROM test_thing"),
	    "@1000");
	look_at(1000);
	assert_string_equal(ask("SELECT name, seen FROM test_thing "
	    "ORDER BY name"), "a @1000; b @1000");
}

static void seen_in_the_past_is_the_fetch_before(void **state)
{
	int i;

	(void)state;
	for (i = 1; i <= 130; i++)
		two(i * 5000, "up");
	look_at(7000);
	assert_string_equal(ask("SELECT DISTINCT seen FROM test_thing"),
	    "@5000");
	look_at(400000);
	assert_string_equal(ask("SELECT DISTINCT seen FROM test_thing"),
	    "@400000");
	look_at(404999);
	assert_string_equal(ask("SELECT DISTINCT seen FROM test_thing"),
	    "@400000");
	look_at(900000);
	assert_string_equal(ask("SELECT DISTINCT seen FROM test_thing"),
	    "@650000");
}

static void findings_open_and_close(void **state)
{
	static const char *const severities[] = { NULL, "doubtful", "bad",
	    NULL };
	struct merge *m;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		m = merge_begin(kit.c, &finding_kind, "here", "test.rule",
		    T0 + 1000 + i * 1000, 0);
		if (severities[i]) {
			merge_text(m, "rule", "test.rule", -1);
			merge_text(m, "object", "a", -1);
			merge_text(m, "kind", "test_thing", -1);
			merge_text(m, "key", "{\"pool\":\"p\",\"name\":\"a\"}",
			    -1);
			merge_text(m, "severity", severities[i], -1);
			assert_int_equal(merge_row(m, &kit.err), 0);
		}
		end(m);
	}
	assert_string_equal(ask("SELECT t, op, field, object FROM change_all "
	    "ORDER BY t"), "@2000 opened - a; @3000 changed severity a; "
	    "@4000 closed - a");
}

static void texts_keep_their_bytes(void **state)
{
	static const char odd[] = "\xff\x1b]0;x\a\0y";
	struct merge *m = thing_begin("s", 1000);

	(void)state;
	merge_text(m, "pool", "p", -1);
	merge_text(m, "name", odd, sizeof(odd) - 1);
	merge_text(m, "health", "", 0);
	assert_int_equal(merge_row(m, &kit.err), 0);
	end(m);
	assert_string_equal(ask("SELECT hex(name), health = '' FROM "
	    "test_thing"), "FF1B5D303B78070079 1");
	m = thing_begin("s", 2000);
	end(m);
	assert_string_equal(ask("SELECT op FROM change"), "removed");
}

static void big_merges_are_whole_too(void **state)
{
	struct merge *m;
	char name[20];
	int round, i;

	(void)state;
	for (round = 0; round < 3; round++) {
		m = thing_begin("s", 1000 + round * 5000);
		for (i = 0; i < 30000; i++) {
			if (round == 2 && i % 3 == 0)
				continue;
			snprintf(name, sizeof(name), "n%05d", i * 7919 % 30000);
			merge_int(m, "rq", i + round);
			thing(m, name, round && i % 10 == 1 ? "down" : "up", 1);
		}
		end(m);
	}
	clock_at(20000);
	assert_string_equal(ask("SELECT count(*), sum(health = 'down'), "
	    "sum(rq), count(DISTINCT name), count(DISTINCT series) FROM "
	    "test_thing"), "20000 2000 300040000 20000 20000");
	assert_string_equal(ask("SELECT op, count(*) FROM change GROUP BY op"),
	    "changed 3000; removed 10000");
	look_at(7000);
	assert_string_equal(ask("SELECT count(*), sum(health = 'down') FROM "
	    "test_thing"), "30000 3000");
	look_at(2000);
	assert_string_equal(ask("SELECT count(*), sum(health = 'down') FROM "
	    "test_thing"), "30000 0");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_up, kit_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_appear_and_the_first_fetch_is_no_change),
		TEST(a_changed_fact_is_a_version_and_a_change),
		TEST(numbers_of_changes_stand_bare),
		TEST(rows_not_given_are_closed),
		TEST(of_a_key_given_twice_the_later_wins),
		TEST(a_failed_fetch_closes_nothing),
		TEST(a_patch_keeps_what_it_does_not_give),
		TEST(a_patch_first_makes_the_scope_known),
		TEST(notes_move_without_a_version),
		TEST(secrets_never_reach_the_file),
		TEST(confirming_moves_the_age_alone),
		TEST(a_scope_is_dropped_and_may_come_back),
		TEST(two_scopes_are_each_whole),
		TEST(a_row_that_comes_back_has_its_series),
		TEST(no_version_ends_before_it_begins),
		TEST(an_hour_back_the_age_is_of_now),
		TEST(seen_in_the_past_is_the_fetch_before),
		TEST(findings_open_and_close),
		TEST(texts_keep_their_bytes),
		TEST(big_merges_are_whole_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
