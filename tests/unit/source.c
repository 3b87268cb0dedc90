/* The polling budget (cache.h, sources): claims, grid, backoff, breaker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "fleet.h"

#define T0	1764000000000LL

static struct claim claim;
static struct err err;
static int64_t next;

/* The clock stands at ms. */
static void at(int64_t ms)
{
	struct buf text = {0};

	value_rfc3339(&text, ms);
	setenv("KIBAN_NOW", buf_str(&text), 1);
	assert_int_equal(clock_init(&err), 0);
	buf_free(&text);
}

static void name(const char *backend, int64_t every)
{
	assert_int_equal(source_name(fleet.cache, "here", "s", backend, "test",
	    "[\"test_thing\"]", every, &err), 0);
}

static int take(const char *backend)
{
	return source_claim(fleet.cache, "here", "s", backend, false, 0,
	    &claim, &next, &err);
}

static int force(const char *backend, int64_t since)
{
	return source_claim(fleet.cache, "here", "s", backend, true, since,
	    &claim, &next, &err);
}

static void done(enum err_code code, int64_t retry_after)
{
	struct err e = { .code = code, .retry_after = retry_after };

	strcpy(e.text, "why");
	assert_int_equal(source_done(fleet.cache, &claim, 5, 7,
	    code ? &e : NULL, &err), 0);
}

static struct source_row row(const char *backend)
{
	struct source_row r;

	source_get(fleet.cache, "here", "s", backend, &r);
	return r;
}

static int setup(void **state)
{
	(void)state;
	err = (struct err){0};
	at(T0);
	if (fleet_start() < 0)
		return -1;
	name("a", 5000);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fleet_stop();
	unsetenv("KIBAN_NOW");
	return clock_init(NULL);
}

static void test_cycle(void **state)
{
	struct source_row r = row("a");

	(void)state;
	assert_string_equal(r.state, "never");
	assert_int_equal(r.seen, 0);
	assert_int_equal(take("a"), 1);
	assert_int_equal(claim.due, T0);
	assert_int_equal(claim.failures, 0);
	assert_int_equal(take("a"), 2);
	assert_int_equal(force("a", T0), 2);
	at(T0 + 30);
	done(ERR_NONE, 0);
	r = row("a");
	assert_string_equal(r.state, "ok");
	assert_int_equal(r.seen, T0);
	assert_int_equal(r.tried, T0);
	assert_string_equal(r.error, "");
	assert_in_range(r.next, T0 + 2500, T0 + 7500);
	/* From then on exactly each period. */
	assert_int_equal(take("a"), 0);
	assert_int_equal(next, r.next);
	at(r.next);
	assert_int_equal(take("a"), 1);
	assert_int_equal(claim.due, r.next);
	at(r.next + 1000);
	done(ERR_NONE, 0);
	assert_int_equal(row("a").next, r.next + 5000);
}

static void test_unknown(void **state)
{
	struct source_row r;

	(void)state;
	assert_int_equal(take("b"), -1);
	assert_int_equal(source_get(fleet.cache, "here", "s", "b", &r), -1);
	assert_string_equal(r.state, "never");
}

static void test_force(void **state)
{
	(void)state;
	assert_int_equal(take("a"), 1);
	done(ERR_NONE, 0);
	at(T0 + 10);
	/* Begun before us: not ours. */
	assert_int_equal(force("a", T0 + 10), 1);
	done(ERR_NONE, 0);
	/* Begun since: as good as ours. */
	assert_int_equal(force("a", T0 + 5), 0);
	assert_int_equal(force("a", T0 + 10), 0);
}

static void test_cancelled(void **state)
{
	struct source_row r;

	(void)state;
	assert_int_equal(take("a"), 1);
	done(ERR_CANCELLED, 0);
	r = row("a");
	assert_string_equal(r.state, "never");
	assert_int_equal(r.failures, 0);
	assert_int_equal(r.tried, 0);
	assert_int_equal(take("a"), 1);
	done(ERR_NONE, 0);
}

static void test_failures(void **state)
{
	struct source_row r;
	int i;

	(void)state;
	for (i = 1; i < 10; i++) {
		assert_int_equal(take("a"), 1);
		assert_int_equal(claim.failures, i - 1);
		done(ERR_UNREACHABLE, 0);
		r = row("a");
		assert_string_equal(r.state, "failing");
		assert_string_equal(r.error, "why");
		assert_int_equal(r.failures, i);
		assert_int_equal(r.seen, 0);
		/* Below ten it is asked at its every. */
		assert_in_range(r.next - claim.due, 2500, 7500);
		at(r.next);
	}
	/* The breaker: one probe in 30 s. */
	for (i = 0; i < 3; i++) {
		int64_t now = clock_now();

		assert_int_equal(take("a"), 1);
		done(ERR_UNREACHABLE, 0);
		assert_true(row("a").next >= now + 30000);
		at(now + 29999);
		assert_int_equal(take("a"), 0);
		/* --refresh goes past it, once. */
		assert_int_equal(force("a", now + 29999), 1);
		done(ERR_UNREACHABLE, 0);
		assert_int_equal(force("a", now + 29999), 0);
		at(row("a").next);
	}
	assert_int_equal(take("a"), 1);
	done(ERR_NONE, 0);
	r = row("a");
	assert_string_equal(r.state, "ok");
	assert_int_equal(r.failures, 0);
	assert_string_equal(r.error, "");
}

static void test_words(void **state)
{
	(void)state;
	assert_int_equal(take("a"), 1);
	done(ERR_REFUSED, 0);
	assert_string_equal(row("a").state, "refused");
	at(row("a").next);
	assert_int_equal(take("a"), 1);
	done(ERR_THROTTLED, 40000);
	assert_string_equal(row("a").state, "throttled");
	assert_in_range(row("a").next - clock_now(), 40000, 50000);
	at(row("a").next);
	assert_int_equal(take("a"), 1);
	done(ERR_THROTTLED, 99999999);
	assert_in_range(row("a").next - clock_now(), 3600000, 4500000);
	at(row("a").next);
	assert_int_equal(take("a"), 1);
	/* It didn't say: longer each time. */
	done(ERR_THROTTLED, 0);
	assert_in_range(row("a").next - clock_now(), 80000, 100000);
}

static void test_clock_back(void **state)
{
	int i;

	(void)state;
	assert_int_equal(take("a"), 1);
	done(ERR_NONE, 0);
	at(T0 - 3600000);
	assert_int_equal(take("a"), 1);
	done(ERR_NONE, 0);
	assert_in_range(row("a").next, T0 - 3600000 + 2500,
	    T0 - 3600000 + 7500);
	/* While it is being asked. */
	at(row("a").next);
	assert_int_equal(take("a"), 1);
	at(clock_now() - 3600000);
	assert_int_equal(take("a"), 1);
	done(ERR_NONE, 0);
	/* The breaker stays open for what was left of it. */
	for (i = 0; i < 10; i++) {
		at(row("a").next);
		assert_int_equal(take("a"), 1);
		done(ERR_UNREACHABLE, 0);
	}
	at(clock_now() - 3600000);
	assert_int_equal(take("a"), 0);
	assert_in_range(next - clock_now(), 29000, 36000);
}

static void test_clock_forward(void **state)
{
	(void)state;
	assert_int_equal(take("a"), 1);
	done(ERR_NONE, 0);
	at(T0 + 3600000);
	assert_int_equal(take("a"), 1);
	done(ERR_NONE, 0);
	/* One, not those that were missed. */
	assert_int_equal(take("a"), 0);
	assert_in_range(row("a").next - clock_now(), 1, 7500);
	/* A claim taken before the jump is a minute old. */
	at(row("a").next);
	assert_int_equal(take("a"), 1);
	at(clock_now() + 3600000);
	assert_int_equal(take("a"), 1);
}

/* The claim of a process that is no more holds nobody up. */
static void test_dead_owner(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct cache *c = session_cache(&fleet.session, &err);

		status = c ? source_claim(c, "here", "s", "a", false, 0,
		    &claim, &next, &err) : 0;
		cache_close(c);
		_exit(status != 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(take("a"), 1);
	done(ERR_NONE, 0);
}

/* Opens, says so, claims when `go` is closed, says what it got, and lives
 * until `stay` is: a claim is its process's. */
static void race(int go, int stay, int out)
{
	struct cache *c = session_cache(&fleet.session, &err);
	char got = 9;

	if (!c || write(out, &got, 1) != 1 || read(go, &got, 1) != 0)
		_exit(1);
	got = (char)source_claim(c, "here", "s", "a", false, 0, &claim, &next,
	    &err);
	if (write(out, &got, 1) != 1 || read(stay, &got, 1) != 0)
		_exit(1);
	cache_close(c);
	_exit(0);
}

/* Of processes that race for one, one gets it. */
static void test_race(void **state)
{
	int i, status, taken = 0, go[2], stay[2], said[2];
	char c;

	(void)state;
	assert_int_equal(pipe(go) | pipe(stay) | pipe(said), 0);
	for (i = 0; i < 4; i++)
		if (fork() == 0) {
			close(go[1]);
			close(stay[1]);
			race(go[0], stay[0], said[1]);
		}
	close(said[1]);
	for (i = 0; i < 4; i++)
		assert_int_equal(read(said[0], &c, 1), 1);
	close(go[1]);
	for (i = 0; i < 4; i++) {
		assert_int_equal(read(said[0], &c, 1), 1);
		assert_true(c == 1 || c == 2);
		taken += c == 1;
	}
	close(stay[1]);
	for (i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(taken, 1);
	close(go[0]);
	close(stay[0]);
	close(said[0]);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* A fleet that is first asked at one moment is spread over its period. */
static void test_spread(void **state)
{
	int64_t v[200];
	char text[20];
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "b%d", i);
		name(text, 5000);
		assert_int_equal(take(text), 1);
		done(ERR_NONE, 0);
		v[i] = row(text).next;
	}
	qsort(v, 200, sizeof(v[0]), by_value);
	assert_in_range(v[0], T0 + 2500, T0 + 2600);
	assert_in_range(v[199], T0 + 7400, T0 + 7500);
	/* 25 ms apart on average: nowhere a crowd, nowhere a hole. */
	for (i = 10; i < 200; i++)
		assert_in_range(v[i] - v[i - 10], 180, 330);
}

static void test_forget(void **state)
{
	struct source_row r;

	(void)state;
	at(T0 + 400000);
	name("b", 5000);
	assert_int_equal(source_forget(fleet.cache, "here", "s", T0 + 100000,
	    &err), 0);
	assert_int_equal(source_get(fleet.cache, "here", "s", "a", &r), -1);
	assert_int_equal(source_get(fleet.cache, "here", "s", "b", &r), 0);
	/* Named anew it is there again. */
	name("a", 5000);
	assert_int_equal(source_get(fleet.cache, "here", "s", "a", &r), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_cycle),
		TEST(test_unknown),
		TEST(test_force),
		TEST(test_cancelled),
		TEST(test_failures),
		TEST(test_words),
		TEST(test_clock_back),
		TEST(test_clock_forward),
		TEST(test_dead_owner),
		TEST(test_race),
		TEST(test_spread),
		TEST(test_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
