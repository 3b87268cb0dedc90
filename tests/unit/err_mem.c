/* Errors and memory. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

static void set_and_prefix(void **state)
{
	struct err e = { .retry_after = 7 };

	(void)state;
	assert_int_equal(err_set(&e, ERR_DATA, "no \"%s\" in %d", "x", 3), -1);
	assert_int_equal(e.code, ERR_DATA);
	assert_int_equal(e.retry_after, 0);
	assert_string_equal(e.text, "no \"x\" in 3");
	e.retry_after = 9;
	assert_int_equal(err_prefix(&e, "envoy %s", "a"), -1);
	assert_string_equal(e.text, "envoy a: no \"x\" in 3");
	assert_int_equal(e.code, ERR_DATA);
	assert_int_equal(e.retry_after, 9);
	assert_int_equal(err_set(NULL, ERR_DATA, "x"), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
}

static void set_from_itself(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERR_FAILED, "inner");
	err_set(&e, ERR_USAGE, "outer (%s)", e.text);
	assert_string_equal(e.text, "outer (inner)");
	err_prefix(&e, "%s", e.text);
	assert_string_equal(e.text, "outer (inner): outer (inner)");
}

static void too_long_is_cut(void **state)
{
	struct err e;
	char big[3000];

	(void)state;
	memset(big, 'a', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	err_set(&e, ERR_FAILED, "%s", big);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	err_prefix(&e, "b");
	assert_memory_equal(e.text, "b: aaa", 6);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	err_prefix(&e, "%s", big);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

static void mourn(void)
{
	dprintf(STDERR_FILENO, "back\n");
}

/* What a child that ends by end() says, and how it ended. */
static int last_words(void (*end)(void), char *out, size_t size)
{
	int fd[2], status;
	pid_t pid;
	ssize_t n, all = 0;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fd[1], STDERR_FILENO);
		at_death = mourn;
		end();
		_exit(77);
	}
	close(fd[1]);
	while ((n = read(fd[0], out + all, size - 1 - (size_t)all)) > 0)
		all += n;
	out[all] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void do_die(void)
{
	die("no %s", "disk");
}

static void do_bug(void)
{
	BUG("%d is odd", 2);
}

static void do_overflow(void)
{
	free(xrealloc(NULL, (size_t)-1 / 2, 4));
}

static void death_gives_the_terminal_back_first(void **state)
{
	char out[500];
	int status;

	(void)state;
	status = last_words(do_die, out, sizeof out);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_string_equal(out, "back\nkiban: no disk\n");
	status = last_words(do_bug, out, sizeof out);
	assert_true(WIFSIGNALED(status));
	assert_memory_equal(out, "back\nkiban: bug at ", 19);
	assert_non_null(strstr(out, "2 is odd\n"));
	status = last_words(do_overflow, out, sizeof out);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_non_null(strstr(out, "kiban: out of memory"));
}

static void copies(void **state)
{
	char *p;

	(void)state;
	p = xstrdup("text");
	assert_string_equal(p, "text");
	free(p);
	p = xstrndup("text", 2);
	assert_string_equal(p, "te");
	free(p);
	p = xstrndup("te", 99);
	assert_string_equal(p, "te");
	free(p);
	p = xasprintf("%d-%s", 4, "x");
	assert_string_equal(p, "4-x");
	free(p);
	free(xmalloc(0));
	free(xcalloc(0, 4));
	p = xcalloc(3, 2);
	assert_memory_equal(p, "\0\0\0\0\0\0", 6);
	wipe(p, 6);
	free(p);
}

static void buf_grows(void **state)
{
	struct buf b = {0};
	char *p;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_add(&b, NULL, 0);
	assert_string_equal(b.p, "");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "%03d,", i);
	assert_int_equal(b.n, 4000);
	assert_memory_equal(b.p + 3996, "999,", 5);
	buf_clear(&b);
	assert_string_equal(buf_str(&b), "");
	buf_addc(&b, 'a');
	buf_add(&b, "\0b", 2);
	buf_adds(&b, "cd");
	assert_int_equal(b.n, 5);
	assert_memory_equal(b.p, "a\0bcd", 6);
	p = buf_take(&b);
	assert_memory_equal(p, "a\0bcd", 6);
	free(p);
	assert_null(b.p);
	p = buf_take(&b);
	assert_string_equal(p, "");
	free(p);
	buf_free(&b);
}

/* At every size around the first allocation the NUL must have its place. */
static void buf_edges(void **state)
{
	char text[200];

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t n = 0; n < sizeof text; n++) {
		struct buf b = {0};

		buf_add(&b, text, n);
		assert_int_equal(strlen(b.p), n);
		buf_addf(&b, "%.*s", (int)n, text);
		assert_int_equal(strlen(b.p), 2 * n);
		buf_free(&b);
	}
}

static void arena_keeps(void **state)
{
	struct arena a = {0};
	char *first, *big, *last = NULL;
	unsigned char *p;

	(void)state;
	first = arena_strdup(&a, "first");
	big = arena_strndup(&a, "cut off", 3);
	for (int i = 1; i < 3000; i++) {
		p = arena_alloc(&a, (size_t)i);
		assert_int_equal((uintptr_t)p % 8, 0);
		for (int k = 0; k < i; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, (size_t)i);
		memset(arena_bytes(&a, 3), 0xee, 3);
	}
	p = arena_alloc(&a, 5 << 20);
	memset(p, 1, 5 << 20);
	last = arena_strdup(&a, "last");
	assert_string_equal(first, "first");
	assert_string_equal(big, "cut");
	assert_string_equal(last, "last");
	assert_true(a.bytes > 5 << 20);
	arena_free(&a);
	assert_int_equal(a.bytes, 0);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_and_prefix),
		cmocka_unit_test(set_from_itself),
		cmocka_unit_test(too_long_is_cut),
		cmocka_unit_test(death_gives_the_terminal_back_first),
		cmocka_unit_test(copies),
		cmocka_unit_test(buf_grows),
		cmocka_unit_test(buf_edges),
		cmocka_unit_test(arena_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
