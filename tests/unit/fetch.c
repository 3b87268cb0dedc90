/* fetch.h over real sockets: what a command waits for and reports, and
 * pollers of several processes that share one budget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "faulty.h"
#include "fleet.h"

static struct fetch_report report;
static struct err err;

static int setup(void **state)
{
	(void)state;
	return faulty_start(NULL);
}

static int teardown(void **state)
{
	(void)state;
	faulty_stop();
	return 0;
}

static int before(void **state)
{
	(void)state;
	err = (struct err){0};
	if (faulty_ask("/reset-count") < 0)
		return -1;
	return fleet_start();
}

static int after(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < fleet.n; i++)
		free((char *)fleet.urls[i]);
	fetch_report_release(&report);
	fleet_stop();
	return 0;
}

static void backend(const char *path)
{
	fleet.urls[fleet.n++] = xasprintf("%s%s", faulty.url, path);
}

static int fetch(enum fetch_mode mode, int64_t timeout)
{
	fetch_report_release(&report);
	return fetch_kinds(&fleet.session, fleet.cache, fleet.contexts, 1,
	    fleet_kinds, mode, false, timeout, NULL, &report, &err);
}

static bool says(const char *part)
{
	size_t i;

	for (i = 0; i < report.failed; i++)
		if (strstr(report.failures[i].text, part))
			return true;
	return false;
}

static bool fails(const char *end)
{
	size_t i;

	for (i = 0; i < report.failed; i++) {
		const char *s = report.failures[i].text;
		size_t n = strlen(s), m = strlen(end);

		if (n >= m && strcmp(s + n - m, end) == 0)
			return true;
	}
	return false;
}

static void test_good(void **state)
{
	(void)state;
	backend("/ok?1");
	backend("/ok?2");
	backend("/ok?1");	/* twice is once */
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	assert_int_equal(report.backends, 2);
	assert_int_equal(report.tried, 2);
	assert_int_equal(report.failed, 0);
	assert_int_equal(report.empty, 0);
	assert_int_equal(fleet.rounds, 1);
	assert_int_equal(faulty_ask("/count"), 2);

	/* Young enough: nobody is asked. */
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	assert_int_equal(report.backends, 2);
	assert_int_equal(report.tried, 0);
	assert_int_equal(report.failed, 0);
	assert_int_equal(faulty_ask("/count"), 2);
	assert_int_equal(fleet.rounds, 1);

	assert_int_equal(fetch(FETCH_ALWAYS, 5000), 0);
	assert_int_equal(report.tried, 2);
	assert_int_equal(faulty_ask("/count"), 4);
}

/* All that was in an empty fleet is gone: only the round can say so. */
static void test_emptied(void **state)
{
	(void)state;
	backend("/ok");
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	assert_int_equal(fleet.rounds, 1);
	free((char *)fleet.urls[0]);
	fleet.n = 0;
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	assert_int_equal(report.backends, 0);
	assert_int_equal(fleet.rounds, 2);
	assert_int_equal(fetch(FETCH_NEVER, 5000), 0);
	assert_int_equal(fleet.rounds, 2);
}

static void test_stale(void **state)
{
	(void)state;
	fleet_source.every = 100;
	backend("/ok");
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	usleep(110000);
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	assert_int_equal(report.tried, 1);
	assert_int_equal(faulty_ask("/count"), 2);
}

static void test_never(void **state)
{
	(void)state;
	backend("/ok?1");
	assert_int_equal(fetch(FETCH_NEVER, 5000), 0);
	assert_int_equal(report.backends, 1);
	assert_int_equal(report.empty, 1);
	assert_int_equal(report.tried, 0);
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	backend("/ok?2");
	assert_int_equal(fetch(FETCH_NEVER, 5000), 0);
	assert_int_equal(report.backends, 2);
	assert_int_equal(report.empty, 1);
	assert_int_equal(faulty_ask("/count"), 1);
}

static void test_failures(void **state)
{
	char *text;

	(void)state;
	backend("/ok");
	backend("/status/403");
	backend("/status/500");
	backend("/html");
	backend("/truncated");
	fleet.urls[fleet.n++] = xstrdup("http://127.0.0.1:1");
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	assert_int_equal(report.backends, 6);
	assert_int_equal(report.tried, 6);
	assert_int_equal(report.failed, 5);
	assert_int_equal(report.refused, 1);
	assert_int_equal(report.unusable, 3);
	assert_int_equal(report.empty, 5);
	text = xasprintf("test: faulty %s/status/403: GET /status/403: "
	    "answered 403 Faulty: as you wished", faulty.url);
	assert_string_equal(report.failures[0].text, text);
	free(text);
	assert_int_equal(report.failures[0].seen, 0);
	assert_string_equal(report.failures[4].text, "test: faulty "
	    "http://127.0.0.1:1: GET /: connection refused");
	assert_true(fails("/html: not JSON"));
	assert_true(fails("broke off after 8 bytes"));
	assert_int_equal(fleet.failing, 5);

	/* Not due again, and no better for that. */
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	assert_int_equal(report.tried, 0);
	assert_int_equal(report.failed, 5);
	assert_int_equal(report.refused, 1);
	assert_true(fails("connection refused"));
}

static void test_old_rows(void **state)
{
	(void)state;
	fleet_source.every = 50;
	backend("/flaky/0/500");
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	assert_int_equal(report.failed, 0);
	free((char *)fleet.urls[0]);
	/* The same backend, dead now. */
	faulty_ask("/reset-count");
	fleet.n = 0;
	backend("/flaky/0/500");
	faulty_stop();
	usleep(60000);
	assert_int_equal(fetch(FETCH_STALE, 2000), 0);
	assert_int_equal(report.failed, 1);
	assert_int_equal(report.empty, 0);
	assert_true(report.failures[0].seen > clock_now() - 5000);
	assert_int_equal(faulty_start(NULL), 0);
}

static void test_limit(void **state)
{
	int64_t began = clock_mono();
	struct source_row row;

	(void)state;
	backend("/silent");
	backend("/ok");
	backend("/stall");
	assert_int_equal(fetch(FETCH_STALE, 400), 0);
	assert_in_range(clock_mono() - began, 380, 1100);
	assert_int_equal(report.tried, 3);
	assert_int_equal(report.failed, 2);
	/* Whole where the machine is quick enough: "0.4s". */
	assert_true(says("/silent: GET /silent: timed out after 0."));
	assert_true(says("/stall: GET /stall: timed out after 0."));
	assert_int_equal(report.unusable, 0);
	source_get(fleet.cache, "here", "faulty", fleet.urls[0], &row);
	assert_string_equal(row.state, "failing");
	assert_int_equal(row.failures, 1);
}

/* More silent ones than workers: those that had no turn are said too, and are
 * no failure of theirs. */
static void test_crowd(void **state)
{
	struct source_row row;
	int64_t began = clock_mono();
	char path[40];
	size_t i, failing = 0;

	(void)state;
	for (i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "/silent?%zu", i);
		backend(path);
	}
	assert_int_equal(fetch(FETCH_STALE, 500), 0);
	assert_in_range(clock_mono() - began, 480, 2000);
	assert_int_equal(report.failed, 40);
	assert_true(fails("timed out after 0.5s, before its turn"));
	for (i = 0; i < 40; i++) {
		source_get(fleet.cache, "here", "faulty", fleet.urls[i], &row);
		failing += row.failures;
	}
	/* As many as there are workers, fewer where they begin slowly. */
	assert_in_range(failing, 1, 32);
	assert_int_equal(faulty_ask("/count"), failing);
}

static int wait_and_cancel(struct task *t, void *arg, struct err *e)
{
	task_sleep(t, 200, e);
	task_cancel(arg);
	return 0;
}

static void test_cancel(void **state)
{
	struct task *self = task_self("", "test"), *other;
	int64_t began = clock_mono();
	struct source_row row;

	(void)state;
	backend("/silent");
	other = task_start("", "x", wait_and_cancel, self, NULL);
	assert_int_equal(fetch_kinds(&fleet.session, fleet.cache,
	    fleet.contexts, 1, fleet_kinds, FETCH_STALE, false, 10000, self,
	    &report, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_in_range(clock_mono() - began, 200, 600);
	task_free(other);
	task_free(self);
	/* As if never asked. */
	source_get(fleet.cache, "here", "faulty", fleet.urls[0], &row);
	assert_string_equal(row.state, "never");
	assert_int_equal(row.failures, 0);
}

static void test_config(void **state)
{
	(void)state;
	fleet.urls[fleet.n++] = xstrdup("broken");
	assert_int_equal(fetch(FETCH_STALE, 1000), -1);
	assert_string_equal(err.text, "test: no such glob");
	assert_int_equal(err.code, ERR_USAGE);
}

/* Another process has it in hand: awaited, not asked twice. */
static void test_held(void **state)
{
	pid_t pid;

	(void)state;
	backend("/ok");
	assert_int_equal(fetch(FETCH_NEVER, 0), 0);
	pid = fork();
	if (pid == 0) {
		struct cache *c = session_cache(&fleet.session, &err);
		struct claim k;
		int64_t next;

		if (source_claim(c, "here", "faulty", fleet.urls[0], false, 0,
		    &k, &next, &err) != 1)
			_exit(1);
		usleep(500000);
		source_done(c, &k, 1, 1, NULL, &err);
		_exit(0);
	}
	usleep(200000);
	assert_int_equal(fetch(FETCH_STALE, 5000), 0);
	assert_int_equal(report.failed, 0);
	assert_int_equal(report.empty, 0);
	assert_int_equal(faulty_ask("/count"), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_add(void **state)
{
	struct backend_list l = {0};
	struct backend *b;

	(void)state;
	b = backend_add(&l, "http://a/", "one", NULL);
	assert_string_equal(b->address, "http://a");
	assert_string_equal(b->name, "one");
	assert_ptr_equal(backend_add(&l, "http://a", NULL, NULL), &l.v[0]);
	assert_int_equal(l.n, 1);
	backend_add(&l, "http://ab", NULL, NULL);
	assert_int_equal(l.n, 2);
	assert_null(l.v[1].name);
	backend_list_release(&l);
	assert_int_equal(l.n, 0);
}

/* ---- pollers -------------------------------------------------------- */

static atomic_int moves;

static void moved(void *arg)
{
	(void)arg;
	moves++;
}

/* A process that polls for so long. */
static pid_t poll_apart(int64_t ms)
{
	struct poller *p;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	p = poller_start(&fleet.session, fleet.contexts, 1, moved, NULL);
	poller_show(p, fleet_kinds);
	task_sleep(NULL, ms, NULL);
	poller_stop(p);
	_exit(0);
}

/* Requests that so many processes made in so many ms. */
static long poll_together(int processes, int64_t ms)
{
	int i, status, bad = 0;

	for (i = 0; i < processes; i++)
		poll_apart(ms);
	for (i = 0; i < processes; i++) {
		assert_true(wait(&status) > 0);
		bad += status != 0;
	}
	assert_int_equal(bad, 0);
	return faulty_ask("/count");
}

static void test_poller(void **state)
{
	struct poller *p;
	int64_t began;
	long n;

	(void)state;
	moves = 0;
	fleet_source.every = 200;
	backend("/ok?1");
	backend("/ok?2");
	backend("/ok?3");
	p = poller_start(&fleet.session, fleet.contexts, 1, moved, NULL);
	usleep(400000);
	/* Nobody looks, no rule reads it: it isn't polled. */
	assert_int_equal(faulty_ask("/count"), 0);
	poller_show(p, fleet_kinds);
	usleep(2000000);
	n = faulty_ask("/count");
	assert_in_range(n, 24, 34);
	assert_in_range(moves, 1, 4);
	/* Hidden again: it ends, within what was on its way. */
	poller_show(p, NULL);
	usleep(200000);
	n = faulty_ask("/count");
	usleep(500000);
	assert_int_equal(faulty_ask("/count"), n);
	began = clock_mono();
	poller_stop(p);
	assert_in_range(clock_mono() - began, 0, 500);
	assert_in_range(fleet.rounds, 1, 4);
	/* Its connections were kept. */
	assert_in_range(faulty_ask("/connections"), 3, 12);
}

static void test_refresh(void **state)
{
	struct poller *p;

	(void)state;
	fleet_source.every = 60000;
	backend("/ok?1");
	p = poller_start(&fleet.session, fleet.contexts, 1, moved, NULL);
	poller_show(p, fleet_kinds);
	usleep(500000);
	assert_int_equal(faulty_ask("/count"), 1);
	poller_refresh(p);
	usleep(500000);
	assert_int_equal(faulty_ask("/count"), 2);
	poller_stop(p);
}

static void test_stop_silent(void **state)
{
	struct poller *p;
	int64_t began;

	(void)state;
	backend("/silent");
	backend("/stall");
	p = poller_start(&fleet.session, fleet.contexts, 1, moved, NULL);
	poller_show(p, fleet_kinds);
	usleep(400000);
	began = clock_mono();
	poller_stop(p);
	assert_in_range(clock_mono() - began, 0, 400);
	assert_int_equal(faulty_ask("/count"), 2);
}

/* Silent backends hold half of the workers: those that answer go on. */
static void test_silent_half(void **state)
{
	struct poller *p;
	char path[40];
	size_t i;

	(void)state;
	fleet_source.every = 300;
	for (i = 0; i < 30; i++) {
		struct claim k;
		int64_t next;
		struct err e = { .code = ERR_UNREACHABLE };

		snprintf(path, sizeof(path), "/silent?%zu", i);
		backend(path);
		/* They have failed before. */
		source_name(fleet.cache, "here", "faulty", fleet.urls[i],
		    "test", "[\"test_thing\"]", 300, &err);
		assert_int_equal(source_claim(fleet.cache, "here", "faulty",
		    fleet.urls[i], true, 0, &k, &next, &err), 1);
		source_done(fleet.cache, &k, 1, 0, &e, &err);
	}
	backend("/ok");
	p = poller_start(&fleet.session, fleet.contexts, 1, moved, NULL);
	poller_show(p, fleet_kinds);
	usleep(2000000);
	poller_stop(p);
	/* 8 silent ones in hand, and /ok at its pace. */
	assert_in_range(faulty_ask("/count"), 8 + 4, 30 + 8);
}

static void test_budget(void **state)
{
	long one, three;

	(void)state;
	fleet_source.every = 200;
	backend("/ok?1");
	backend("/ok?2");
	backend("/ok?3");
	backend("/ok?4");
	one = poll_together(1, 2500);
	assert_in_range(one, 40, 56);
	faulty_ask("/reset-count");
	three = poll_together(3, 2500);
	assert_in_range(three, 40, one * 11 / 10);
}

/* From ten failures in a row at most one probe in 30 s, from all of them. */
static void test_breaker(void **state)
{
	(void)state;
	fleet_source.every = 50;
	backend("/status/500");
	assert_in_range(poll_together(3, 2500), 10, 11);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, before, after)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_add),
		TEST(test_good),
		TEST(test_emptied),
		TEST(test_stale),
		TEST(test_never),
		TEST(test_failures),
		TEST(test_old_rows),
		TEST(test_limit),
		TEST(test_crowd),
		TEST(test_cancel),
		TEST(test_config),
		TEST(test_held),
		TEST(test_poller),
		TEST(test_refresh),
		TEST(test_stop_silent),
		TEST(test_silent_half),
		TEST(test_budget),
		TEST(test_breaker),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
