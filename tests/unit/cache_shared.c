/* Several processes on one cache, kills at any moment, and what pruning takes. */
#include "cachekit.h"

#include <signal.h>

/* ---- processes ---------------------------------------------------------- */

/* Merges the same scope again and again, as a process of its own. */
static void merge_rounds(int who, int rounds, int rows)
{
	char name[20];
	struct merge *m;
	int i, k;

	for (i = 0; i < rounds; i++) {
		m = thing_begin("s", 1000 + i * 5000);
		for (k = 0; k < rows; k++) {
			snprintf(name, sizeof(name), "n%d", k);
			merge_int(m, "rq", i * 10 + who);
			thing(m, name, (i + k + who) % 7 ? "up" : "down", k);
		}
		if (merge_end(m, &kit.err) < 0) {
			fprintf(stderr, "%s\n", kit.err.text);
			_exit(1);
		}
	}
}

/* A fork may not use its parent's connection: it forgets it, unclosed. */
static pid_t child(int who, int rounds, int rows, bool tends)
{
	pid_t pid = fork();
	int i;

	if (pid)
		return pid;
	kit.c = kit_open_as(&test_registry, 0);
	for (i = 0; i < (tends ? 1000000 : 1); i++) {
		merge_rounds(who, rounds, rows);
		if (tends)
			cache_tend(kit.c, 3600000, 1000000000, NULL, &kit.err);
	}
	cache_close(kit.c);
	_exit(0);
}

static void is_sound(void)
{
	assert_string_equal(ask("PRAGMA main.integrity_check"), "ok");
	assert_string_equal(ask("SELECT count(*) FROM main.test_thing_past "
	    "WHERE _until < _since"), "0");
	assert_string_equal(ask("SELECT count(*) FROM main.test_thing_now n "
	    "JOIN main.test_thing_past p ON p._id = n._id "
	    "AND p._until > n._since"), "0");
	assert_string_equal(ask("SELECT count(*) - count(DISTINCT name) FROM "
	    "test_thing"), "0");
	/* No sample stands in a frame and in a block. */
	assert_string_equal(ask("SELECT count(*) FROM main.frame f JOIN "
	    "main.block b USING (res, scope, part) WHERE "
	    "f.t BETWEEN b.t0 AND b.t1"), "0");
}

static void three_processes_share_a_scope(void **state)
{
	pid_t pid[3];
	int i, status;

	(void)state;
	for (i = 0; i < 3; i++)
		pid[i] = child(i, 40, 50, false);
	for (i = 0; i < 3; i++) {
		waitpid(pid[i], &status, 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	clock_at(300000);
	is_sound();
	assert_string_equal(ask("SELECT count(*) FROM test_thing"), "50");
	assert_string_equal(ask("SELECT DISTINCT seen FROM test_thing"),
	    "@196000");
}

static void a_merge_sees_what_came_meanwhile(void **state)
{
	struct cache *other = kit_open_as(&test_registry, 0);
	struct merge *m, *n;

	(void)state;
	m = thing_begin("s", 1000);
	thing(m, "a", "up", 1);
	n = merge_begin(other, &thing_kind, "here", "s", T0 + 2000, 0);
	thing(n, "a", "down", 1);
	thing(n, "b", "down", 1);
	end(n);
	/* Older than what is there: a moment before, but told later. */
	end(m);
	clock_at(3000);
	is_sound();
	assert_string_equal(ask("SELECT name, health, seen FROM test_thing"),
	    "a up @2000");
	cache_close(other);
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SLOW	8
#else
#define SLOW	1
#endif

static void kills_leave_a_whole_file(void **state)
{
	unsigned us;
	pid_t pid;
	int i, status;

	(void)state;
	srand(11);
	for (i = 0; i < 20; i++) {
		cache_close(kit.c);
		kit.c = NULL;
		pid = child(i, 3 + i, 400 + i * 20, true);
		us = (2000 + (unsigned)rand() % 120000) * SLOW;
		usleep(us);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		kit_open(0);
		assert_string_equal(buf_str(&kit.note), "");
		clock_at(1000000);
		is_sound();
	}
	assert_string_equal(ask("SELECT count(*) > 300 FROM test_thing"), "1");
}

/* Stands where a merge of many rows was killed between two slices. */
static void a_first_merge_cut_short_makes_no_changes(void **state)
{
	struct merge *m = thing_begin("s", 1000);

	(void)state;
	thing(m, "a", "up", 1);
	end(m);
	cache_int(kit.c, 0, "UPDATE main.scope SET known = 0, merged_at = NULL "
	    "WHERE kind = 'test_thing'");
	m = thing_begin("s", 2000);
	thing(m, "a", "down", 1);
	thing(m, "b", "down", 1);
	end(m);
	assert_string_equal(ask("SELECT count(*) FROM change"), "0");
	m = thing_begin("s", 3000);
	thing(m, "b", "down", 1);
	end(m);
	clock_at(3000);
	assert_string_equal(ask("SELECT op, object FROM change_all"),
	    "removed a");
}

/* ---- full disk ---------------------------------------------------------- */

static void a_full_disk_fails_the_merge_alone(void **state)
{
	struct merge *m = thing_begin("s", 1000);
	char name[40];
	int i;

	(void)state;
	thing(m, "a", "up", 1);
	end(m);
	cache_int(kit.c, 0, "PRAGMA main.max_page_count = 60");
	m = thing_begin("s", 6000);
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "a name that takes room %d", i);
		thing(m, name, "up", 1);
	}
	assert_int_equal(merge_end(m, &kit.err), -1);
	assert_int_equal(kit.err.code, ERR_FAILED);
	assert_non_null(strstr(kit.err.text, "no space"));
	clock_at(7000);
	assert_string_equal(ask("SELECT name, seen FROM test_thing"),
	    "a @1000");
	assert_string_equal(ask("SELECT count(*) FROM change"), "0");
	cache_int(kit.c, 0, "PRAGMA main.max_page_count = 100000");
	m = thing_begin("s", 8000);
	thing(m, "a", "down", 1);
	end(m);
	assert_string_equal(ask("SELECT health FROM test_thing"), "down");
}

/* ---- pruning ------------------------------------------------------------ */

#define DAY INT64_C(86400000)

/* A change a day, for n days. */
static void days(int n)
{
	struct merge *m;
	char name[2000];
	int i;

	memset(name, 'x', sizeof(name));
	for (i = 0; i < n; i++) {
		snprintf(name, 20, "value %d", i);
		name[strlen(name)] = ' ';
		m = thing_begin("s", i * DAY);
		merge_text(m, "pool", "p", -1);
		merge_text(m, "name", "a", -1);
		merge_text(m, "health", name, sizeof(name));
		assert_int_equal(merge_row(m, &kit.err), 0);
		end(m);
	}
	clock_at(n * DAY);
}

static void what_is_old_goes(void **state)
{
	(void)state;
	days(40);
	assert_int_equal(cache_tend(kit.c, 30 * DAY, INT64_C(2000000000), NULL,
	    &kit.err), 0);
	assert_string_equal(ask("SELECT count(*), min(t) FROM change"),
	    "30 @864000000");
	assert_string_equal(ask("SELECT count(*) FROM main.test_thing_past"),
	    "30");
	/* What is true now stays, however old. */
	clock_at(400 * DAY);
	assert_int_equal(cache_tend(kit.c, 30 * DAY, INT64_C(2000000000), NULL,
	    &kit.err), 0);
	assert_string_equal(ask("SELECT substr(health, 1, 8) FROM test_thing"),
	    "value 39");
	assert_string_equal(ask("SELECT count(*) FROM change"), "0");
}

static void what_is_too_much_goes_oldest_first(void **state)
{
	(void)state;
	days(300);
	assert_int_equal(cache_tend(kit.c, 1000 * DAY, 600000, NULL, &kit.err),
	    0);
	assert_string_equal(ask("SELECT count(*) BETWEEN 20 AND 150, "
	    "max(t) = 1764000000000 + 299 * 86400000 FROM change"), "1 1");
	assert_string_equal(ask("SELECT (SELECT min(t) FROM change) - "
	    "(SELECT min(_until) FROM main.test_thing_past)"), "0");
	assert_string_equal(ask("SELECT count(*) FROM test_thing"), "1");
}

static void tell(void *arg, const char *name, int64_t rows, int64_t bytes)
{
	buf_addf(arg, "%s %lld %d; ", name, (long long)rows, bytes > 0);
}

static void pruning_tells_what_went(void **state)
{
	struct buf b = {0};

	(void)state;
	days(40);
	assert_int_equal(cache_prune(kit.c, T0 + 20 * DAY, tell, &b, &kit.err),
	    0);
	assert_string_equal(buf_str(&b), "test_thing 19 1; change 19 1; ");
	buf_clear(&b);
	assert_int_equal(cache_prune(kit.c, T0 + 20 * DAY, tell, &b, &kit.err),
	    0);
	assert_string_equal(buf_str(&b), "");
	buf_free(&b);
}

static void old_runs_are_joined(void **state)
{
	struct merge *m;
	int i;

	(void)state;
	/* Four hours, a gap of one, an hour. */
	for (i = 0; i < 6 * 720; i++) {
		if (i >= 4 * 720 && i < 5 * 720)
			continue;
		m = thing_begin("s", i * 5000);
		thing(m, "a", "up", 1);
		end(m);
	}
	clock_at(6 * 3600000);
	assert_string_equal(ask("SELECT count(*) FROM main.fetched"), "60");
	assert_int_equal(cache_tend(kit.c, 30 * DAY, INT64_C(2000000000), NULL,
	    &kit.err), 0);
	assert_string_equal(ask("SELECT count(*), sum(n) FROM main.fetched"),
	    "13 3600");
	assert_string_equal(ask("SELECT t1, t2 FROM gap"),
	    "@14395000 @18000000");
	look_at(5 * 3600000 - 1000);
	assert_string_equal(ask("SELECT seen FROM test_thing"), "@14395000");
	look_at(5 * 3600000 + 12000);
	assert_string_equal(ask("SELECT seen FROM test_thing"), "@18010000");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_up, kit_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(three_processes_share_a_scope),
		TEST(a_merge_sees_what_came_meanwhile),
		TEST(kills_leave_a_whole_file),
		TEST(a_first_merge_cut_short_makes_no_changes),
		TEST(a_full_disk_fails_the_merge_alone),
		TEST(what_is_old_goes),
		TEST(what_is_too_much_goes_oldest_first),
		TEST(pruning_tells_what_went),
		TEST(old_runs_are_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
