/* task.h: states, cancels from threads and handlers, progress, the list. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "task.h"
#include "value.h"

static atomic_int finished;

static void count_finished(struct task *t, void *arg)
{
	(void)arg;
	if (task_ended(t))
		finished++;
}

static int succeed(struct task *t, void *arg, struct err *err)
{
	(void)err;
	task_progress(t, 3, 10, "rows");
	*(int *)arg = 7;
	return 0;
}

static int refuse(struct task *t, void *arg, struct err *err)
{
	(void)t;
	(void)arg;
	return err_set(err, ERR_DATA, "no use");
}

static int wait_long(struct task *t, void *arg, struct err *err)
{
	(void)arg;
	return task_sleep(t, 60000, err);
}

static void test_states(void **state)
{
	int answer = 0;
	struct task *t = task_start("mesh", "one", succeed, &answer,
	    count_finished);
	struct task_info i;

	(void)state;
	finished = 0;
	while (!task_ended(t))
		usleep(1000);
	task_info(t, &i);
	assert_int_equal(i.state, TASK_DONE);
	assert_int_equal(i.done, 3);
	assert_int_equal(i.total, 10);
	assert_string_equal(i.unit, "rows");
	assert_string_equal(i.title, "one");
	assert_true(i.started > 0 && i.ended >= i.started);
	task_free(t);
	assert_int_equal(answer, 7);

	t = task_start("mesh", "two", refuse, NULL, count_finished);
	while (!task_ended(t))
		usleep(1000);
	task_info(t, &i);
	assert_int_equal(i.state, TASK_FAILED);
	assert_string_equal(i.err.text, "no use");
	assert_int_equal(i.err.code, ERR_DATA);
	assert_int_equal(i.total, -1);
	task_free(t);
}

static void test_finished(void **state)
{
	int answer = 0;

	(void)state;
	finished = 0;
	task_free(task_start("mesh", "x", succeed, &answer, count_finished));
	/* task_free() has waited for it. */
	assert_int_equal(finished, 1);
}

static void test_cancel(void **state)
{
	struct task *t = task_start("", "long", wait_long, NULL, NULL);
	struct task_info i;
	struct pollfd p = { .fd = task_fd(t), .events = POLLIN };
	int64_t began;

	(void)state;
	assert_int_equal(poll(&p, 1, 20), 0);
	assert_false(task_cancelled(t));
	began = clock_mono();
	task_cancel(t);
	task_cancel(t);
	assert_true(task_cancelled(t));
	assert_int_equal(poll(&p, 1, 0), 1);
	while (!task_ended(t))
		usleep(1000);
	assert_in_range(clock_mono() - began, 0, 200);
	task_info(t, &i);
	assert_int_equal(i.state, TASK_CANCELLED);
	assert_int_equal(i.err.code, ERR_CANCELLED);
	assert_string_equal(i.err.text, "interrupted");
	task_free(t);
}

static void on_alarm(int sig)
{
	(void)sig;
	task_interrupt();
}

static void test_interrupt(void **state)
{
	struct task *t;
	struct err err = {0};

	(void)state;
	task_interrupt();		/* nobody's: nothing */
	t = task_self("", "main");
	signal(SIGALRM, on_alarm);
	ualarm(50000, 0);
	assert_int_equal(task_sleep(t, 20000, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_int_equal(task_check(t, NULL), -1);
	task_free(t);
	task_interrupt();
	signal(SIGALRM, SIG_DFL);
}

static void test_null(void **state)
{
	struct err err = {0};
	struct task_info i;
	int64_t began = clock_mono();

	(void)state;
	task_cancel(NULL);
	task_progress(NULL, 1, 2, "");
	task_free(NULL);
	task_info(NULL, &i);
	assert_int_equal(i.id, 0);
	assert_false(task_cancelled(NULL));
	assert_false(task_ended(NULL));
	assert_int_equal(task_fd(NULL), -1);
	assert_int_equal(task_check(NULL, &err), 0);
	assert_int_equal(task_sleep(NULL, 30, &err), 0);
	assert_in_range(clock_mono() - began, 29, 500);
}

struct seen { int n; int64_t last; bool ordered; };

static void each(const struct task_info *i, void *arg)
{
	struct seen *s = arg;

	s->ordered &= i->id > s->last;
	s->last = i->id;
	s->n++;
}

static void test_each(void **state)
{
	struct task *t[20];
	struct seen s = { .ordered = true };
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		t[i] = task_start("", "t", wait_long, NULL, NULL);
	task_each(each, &s);
	assert_int_equal(s.n, 20);
	assert_true(s.ordered);
	for (i = 0; i < 20; i++)
		task_cancel(t[i]);
	for (i = 19; i >= 0; i--)
		task_free(t[i]);
	s = (struct seen){0};
	task_each(each, &s);
	assert_int_equal(s.n, 0);
}

/* Signals are the main thread's: a task never sees one. */
static int own_mask(struct task *t, void *arg, struct err *err)
{
	sigset_t set;

	(void)t;
	(void)err;
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	*(int *)arg = sigismember(&set, SIGINT) + sigismember(&set, SIGCHLD);
	return 0;
}

static void test_signals(void **state)
{
	int n = 0;
	sigset_t set;

	(void)state;
	task_free(task_start("", "mask", own_mask, &n, NULL));
	assert_int_equal(n, 2);
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	assert_int_equal(sigismember(&set, SIGINT), 0);
}

static void test_title(void **state)
{
	char title[500];
	int answer;
	struct task *t;
	struct task_info i;

	(void)state;
	memset(title, 'x', sizeof(title) - 1);
	title[sizeof(title) - 1] = '\0';
	t = task_start("", title, succeed, &answer, NULL);
	task_info(t, &i);
	assert_int_equal(strlen(i.title), sizeof(i.title) - 1);
	task_free(t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_finished),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_title),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
