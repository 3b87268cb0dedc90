/* The headless face: the exit code, line by line of the contract's table, and
 * rows on their way to stdout. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tui/cli.h"

/* ---- the exit code ------------------------------------------------------------- */

static void test_exit_codes(void **state)
{
	static const struct {
		const char	*what;
		struct outcome	 o;
		int		 want;
	} all[] = {
		{"nothing special", {0}, 0},
		{"Ctrl-C", {.signal = SIGINT, .code = ERR_CANCELLED}, 130},
		{"SIGTERM", {.signal = SIGTERM, .code = ERR_CANCELLED}, 143},
		{"record and SIGTERM", {.signal = SIGTERM}, 0},
		{"record and SIGHUP", {.signal = SIGHUP}, 129},
		{"a signal beats a reader that left", {.signal = SIGINT,
		    .code = ERR_CANCELLED, .left = true}, 130},
		{"a reader that left", {.left = true, .code = ERR_FAILED}, 0},
		{"a wrong word", {.code = ERR_USAGE}, 2},
		{"all unreachable, nothing cached", {.report = {.backends = 2,
		    .tried = 2, .failed = 2, .empty = 2}}, 6},
		{"all refused, nothing cached", {.report = {.backends = 2,
		    .tried = 2, .failed = 2, .refused = 2, .empty = 2}}, 4},
		{"all unusable, nothing cached", {.report = {.backends = 2,
		    .tried = 2, .failed = 2, .unusable = 2, .empty = 2}}, 1},
		{"mixed, nothing cached", {.report = {.backends = 2,
		    .tried = 2, .failed = 2, .refused = 1, .unusable = 1,
		    .empty = 2}}, 6},
		{"all failed, old rows of one", {.report = {.backends = 2,
		    .tried = 2, .failed = 2, .empty = 1}}, 5},
		{"one failed", {.report = {.backends = 2, .tried = 2,
		    .failed = 1, .empty = 1}}, 5},
		{"no backend is configured", {0}, 0},
		{"offline, never filled", {.offline = true,
		    .report = {.backends = 1, .empty = 1}}, 6},
		{"offline, filled", {.offline = true,
		    .report = {.backends = 1}}, 0},
		{"before the first fetch", {.before_all = true}, 6},
		{"a write in a read-only context", {.code = ERR_REFUSED}, 4},
		{"a time limit", {.code = ERR_FAILED}, 1},
		{"an answer that can't be used", {.code = ERR_DATA}, 1},
		{"found", {.found = true}, 3},
		{"found stands before partial", {.found = true,
		    .report = {.backends = 2, .tried = 2, .failed = 1}}, 3},
		{"a bad check", {.own = 3}, 3},
		{"a bad check and a failed fetch", {.own = 3,
		    .report = {.backends = 2, .tried = 2, .failed = 1}}, 3},
		{"a bad config", {.own = 2}, 2},
		{"some targets of a write", {.own = 5}, 5},
		{"some targets, and found", {.own = 5, .found = true}, 3},
		{"nothing stands before found", {.found = true,
		    .report = {.backends = 1, .tried = 1, .failed = 1,
		    .empty = 1}}, 6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		int got = outcome_exit(&all[i].o);
		if (got != all[i].want)
			fail_msg("%s: %d, not %d", all[i].what, got,
			    all[i].want);
	}
}

/* ---- rows ------------------------------------------------------------------------- */

static const struct column columns[] = {
	{.name = "name"}, {.name = "severity"}, {.name = "muted_until"},
};

struct pipe_out {
	struct session	s;
	struct line	l;
	struct cli	c;
	struct sink	sink;
	struct err	err;
};

static void open_out(struct pipe_out *p)
{
	*p = (struct pipe_out){.l = {.flags = {
	    .format = FORMAT_CSV, .limit = -1}}};
	p->s.quiet = true;
	p->c = (struct cli){.session = &p->s, .line = &p->l, .first = true,
	    .ncontexts = 1};
	p->sink = (struct sink){.cli = &p->c};
}

static void begin(struct pipe_out *p)
{
	if (sink_begin(&p->sink, columns, 3, &p->err) < 0)
		fail_msg("%s", p->err.text);
}

static int row(struct pipe_out *p, const char *name, const char *severity,
    int64_t muted)
{
	const struct cell cells[] = {
		run_s(name), run_s(severity),
		muted ? run_i(muted) : run_s(NULL)};

	return sink_row(&p->sink, cells, &p->err);
}

static void close_out(struct pipe_out *p, const char *want)
{
	assert_int_equal(sink_end(&p->sink, &p->err), 0);
	sink_release(&p->sink);
	assert_string_equal(buf_str(&p->c.out.b), want);
	buf_free(&p->c.out.b);
}

static void test_limit(void **state)
{
	struct pipe_out p;

	(void)state;
	open_out(&p);
	p.l.flags.limit = 2;
	p.l.flags.columns = "name";
	begin(&p);
	assert_int_equal(row(&p, "a", "bad", 0), 1);
	assert_int_equal(row(&p, "b", "bad", 0), 1);
	/* No more are wanted, and it is known that there are some. */
	assert_int_equal(row(&p, "c", "bad", 0), 0);
	close_out(&p, "name\na\nb\n");
}

static void test_limit_and_fail_on(void **state)
{
	struct pipe_out p;

	(void)state;
	open_out(&p);
	p.l.flags.limit = 1;
	p.l.flags.fail_on = SEVERITY_BAD;
	p.l.flags.columns = "severity,name";
	begin(&p);
	assert_int_equal(row(&p, "a", "doubtful", 0), 1);
	assert_false(p.c.found);
	assert_int_equal(row(&p, "b", "bad", 1000), 1);
	assert_false(p.c.found);	/* muted */
	assert_int_equal(row(&p, "c", "bad", 0), 1);
	assert_true(p.c.found);		/* though it isn't printed */
	close_out(&p, "severity,name\ndoubtful,a\n");
}

static void test_fail_on_doubtful_takes_bad(void **state)
{
	struct pipe_out p;

	(void)state;
	open_out(&p);
	p.l.flags.fail_on = SEVERITY_DOUBTFUL;
	begin(&p);
	row(&p, "a", "bad", 0);
	assert_true(p.c.found);
	close_out(&p, "name,severity,muted_until\na,bad,\n");
}

static void test_filter_comes_before_the_limit(void **state)
{
	struct pipe_out p;

	(void)state;
	open_out(&p);
	p.l.flags.limit = 1;
	p.l.flags.filter = "^b";
	begin(&p);
	assert_int_equal(row(&p, "a", "bad", 0), 1);
	assert_int_equal(row(&p, "b1", "bad", 0), 1);
	assert_int_equal(row(&p, "x", "b", 0), 1);
	assert_int_equal(p.sink.rows, 1);
	close_out(&p, "name,severity,muted_until\nb1,bad,\n");
}

static void test_check_names_the_flag(void **state)
{
	const struct flags bad_filter = {.filter = "("};
	const struct flags bad_columns = {.columns = "nmae"};
	struct err err = {0};

	(void)state;
	assert_int_equal(sink_check(columns, 3, &bad_filter, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.text, "--filter"));
	assert_int_equal(sink_check(columns, 3, &bad_columns, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.text, "name"));
}

/* ---- stdout --------------------------------------------------------------------------- */

/* Runs with stdout in another's place; returns what out_flush() did. */
static int flush_to(int fd, struct out *o, struct err *err)
{
	int keep = dup(STDOUT_FILENO), rc;

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	rc = out_flush(o, err);
	dup2(keep, STDOUT_FILENO);
	close(keep);
	return rc;
}

static void test_a_full_disk(void **state)
{
	struct out o = {0};
	struct err err = {0};
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(out_put(&o, "x", 1, &err), 0);
	assert_int_equal(flush_to(fd, &o, &err), -1);
	assert_true(o.broken);
	assert_false(o.left);
	assert_int_equal(err.code, ERR_FAILED);
	assert_non_null(strstr(err.text, "stdout"));
	close(fd);
	buf_free(&o.b);
}

static void test_a_reader_that_left(void **state)
{
	struct out o = {0};
	struct err err = {0};
	int fd[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fd), 0);
	close(fd[0]);
	assert_int_equal(out_put(&o, "x", 1, &err), 0);
	assert_int_equal(flush_to(fd[1], &o, &err), -1);
	assert_true(o.left);
	/* And what still wants to print is told so at once. */
	assert_int_equal(out_put(&o, "x", 1, &err), -1);
	close(fd[1]);
	buf_free(&o.b);
}

static void test_a_cancel_while_the_reader_sleeps(void **state)
{
	struct out o = {.task = task_self("", "test")};
	struct err err = {0};
	char *big = xcalloc(1, 1 << 20);
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	buf_add(&o.b, big, 1 << 20);
	task_cancel(o.task);
	/* The pipe takes 64 KB, and nobody reads. */
	assert_int_equal(flush_to(fd[1], &o, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	close(fd[0]);
	close(fd[1]);
	task_free(o.task);
	buf_free(&o.b);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_and_fail_on),
		cmocka_unit_test(test_fail_on_doubtful_takes_bad),
		cmocka_unit_test(test_filter_comes_before_the_limit),
		cmocka_unit_test(test_check_names_the_flag),
		cmocka_unit_test(test_a_full_disk),
		cmocka_unit_test(test_a_reader_that_left),
		cmocka_unit_test(test_a_cancel_while_the_reader_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
