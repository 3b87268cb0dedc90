/* Rows in memory, their order, and the filter. */
#include "check.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "rows.h"
#include "text.h"

static struct cell i(int64_t v)
{
	return (struct cell){ .tag = CELL_INT, .i = v };
}

static struct cell d(double v)
{
	return (struct cell){ .tag = CELL_REAL, .d = v };
}

static struct cell tn(const char *v, size_t n)
{
	return (struct cell){ .tag = CELL_TEXT, .s = v, .n = n };
}

static struct cell t(const char *v)
{
	return tn(v, strlen(v));
}

static const struct cell null = { .tag = CELL_NULL };

static const struct column two[] = {
	{ .name = "a", .type = TYPE_ANY },
	{ .name = "b", .type = TYPE_ANY },
};

static bool same(struct cell a, struct cell b)
{
	if (a.tag != b.tag)
		return false;
	switch (a.tag) {
	case CELL_INT:
		return a.i == b.i;
	case CELL_REAL:
		return !memcmp(&a.d, &b.d, sizeof a.d);
	case CELL_TEXT:
		return a.n == b.n && !memcmp(a.s, b.s, a.n);
	default:
		return true;
	}
}

static void cells_come_back(void **state)
{
	const struct cell cells[] = {
		null, i(0), i(-1), i(1), i(INT64_MAX), i(INT64_MIN),
		i(INT64_C(1) << 47), i(-(INT64_C(1) << 47)),
		i((INT64_C(1) << 47) - 1), i(-(INT64_C(1) << 47) - 1),
		i(9007199254740993), d(0), d(-0.0), d(0.1), d(-1e308),
		d(5e-324), d(INFINITY), d(-INFINITY), t(""), t("text"),
		tn("a\0b", 3), tn("\0", 1),
	};
	const size_t n = sizeof cells / sizeof *cells;
	struct cell pair[2];
	struct rows r;
	char *big = malloc(3000000);

	(void)state;
	memset(big, 'x', 3000000);
	rows_init(&r, two, 2);
	for (size_t k = 0; k < n; k++) {
		pair[0] = cells[k];
		pair[1] = cells[n - 1 - k];
		rows_add(&r, pair);
	}
	pair[0] = d(NAN);
	pair[1] = tn(big, 3000000);
	rows_add(&r, pair);
	for (size_t k = 0; k < NHOSTILE; k++) {
		pair[0] = pair[1] = tn(hostile[k].s, hostile[k].n);
		rows_add(&r, pair);
	}
	assert_int_equal(r.n, n + 1 + NHOSTILE);
	for (size_t k = 0; k < n; k++) {
		assert_true(same(rows_cell(&r, k, 0), cells[k]));
		assert_true(same(rows_cell(&r, k, 1), cells[n - 1 - k]));
	}
	assert_int_equal(rows_cell(&r, n, 0).tag, CELL_NULL);
	assert_true(same(rows_cell(&r, n, 1), tn(big, 3000000)));
	for (size_t k = 0; k < NHOSTILE; k++)
		assert_true(same(rows_cell(&r, n + 1 + k, 1),
		    tn(hostile[k].s, hostile[k].n)));
	assert_int_equal(rows_column(&r, "b"), 1);
	assert_int_equal(rows_column(&r, "c"), -1);
	rows_release(&r);
	rows_release(&r);
	free(big);
}

/* A text that moves while it is copied: cells of the result itself. */
static void texts_are_shared(void **state)
{
	struct rows r;
	struct cell pair[2];
	char name[32];

	(void)state;
	rows_init(&r, two, 2);
	for (int k = 0; k < 100000; k++) {
		snprintf(name, sizeof name, "unique-%d", k);
		pair[0] = t(name);
		pair[1] = t(k % 2 ? "healthy" : "unhealthy");
		rows_add(&r, pair);
		if (k == 10) {
			pair[0] = rows_cell(&r, 3, 0);
			pair[1] = rows_cell(&r, 3, 1);
			rows_add(&r, pair);
		}
	}
	assert_true(same(rows_cell(&r, 11, 0), t("unique-3")));
	assert_true(same(rows_cell(&r, 100000, 0), t("unique-99999")));
	assert_ptr_equal(rows_cell(&r, 99000, 1).s, rows_cell(&r, 99002, 1).s);
	rows_release(&r);
}

/* ---- order ------------------------------------------------------------ */

/* An integer against a double, exactly. */
static int mixed(int64_t a, double b)
{
	int64_t whole;

	if (b >= 0x1p63 || b < -0x1p63)
		return b > 0 ? -1 : 1;
	whole = (int64_t)b;
	if (a != whole)
		return a < whole ? -1 : 1;
	return (0 > b - (double)whole) - (0 < b - (double)whole);
}

/* What the contract says, without any of the cleverness. */
static int reference(struct cell a, struct cell b, bool desc)
{
	int c = 0;

	if (a.tag == CELL_NULL || b.tag == CELL_NULL)
		return (a.tag == CELL_NULL) - (b.tag == CELL_NULL);
	if ((a.tag == CELL_TEXT) != (b.tag == CELL_TEXT)) {
		c = a.tag == CELL_TEXT ? 1 : -1;
	} else if (a.tag == CELL_TEXT) {
		c = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);
		if (!c)
			c = (a.n > b.n) - (a.n < b.n);
	} else if (a.tag == CELL_INT && b.tag == CELL_INT) {
		c = (a.i > b.i) - (a.i < b.i);
	} else if (a.tag == CELL_REAL && b.tag == CELL_REAL) {
		c = (a.d > b.d) - (a.d < b.d);
	} else {
		c = a.tag == CELL_INT ? mixed(a.i, b.d) : -mixed(b.i, a.d);
	}
	return desc ? -c : c;
}

static const struct rows *current;
static struct order current_by[2];

static int by_reference(const void *p, const void *q)
{
	uint32_t a = *(const uint32_t *)p, b = *(const uint32_t *)q;
	int c;

	for (int k = 0; k < 2; k++) {
		size_t column = (size_t)current_by[k].column;

		c = reference(rows_cell(current, a, column),
		    rows_cell(current, b, column), current_by[k].desc);
		if (c)
			return c;
	}
	return a < b ? -1 : 1;
}

static uint64_t seed = 88172645463325252u;

static uint64_t next(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed;
}

static struct cell any_cell(char *text)
{
	static const double some[] = { 0, -0.0, 1, -1, 1.5, INFINITY,
	    -INFINITY, 0x1p53, 0x1p63, -0x1p63, 1e300, 5e-324 };
	size_t n;

	switch (next() % 9) {
	case 0:
		return null;
	case 1:
		return i((int64_t)next());
	case 2:
		return i((INT64_C(1) << 53) + (int64_t)(next() % 5) - 2);
	case 3:
		return i((int64_t)(next() % 7) - 3);
	case 4:
		return d(some[next() % (sizeof some / sizeof *some)]);
	case 5:
		return d((double)(int64_t)next() / 1e9);
	case 6:
		n = next() % 4;		/* NULs and beginnings of each other */
		for (size_t k = 0; k < n; k++)
			text[k] = (char)(next() % 2 ? 0 : 'a' + next() % 2);
		return tn(text, n);
	case 7:
		n = (size_t)snprintf(text, 120, "http://10.0.0.%d:9901",
		    (int)(next() % 50));
		return tn(text, n);
	default:
		n = 60 + next() % 40;
		memset(text, 'z', n);
		text[n - 1] = (char)next();
		return tn(text, n);
	}
}

static void sorts_like_the_reference(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 16, 17, 400, 1501, 6000 };
	char text[2][120];
	struct cell pair[2];
	uint32_t *got, *want, *first;
	struct rows r;

	(void)state;
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		size_t n = sizes[s];

		rows_init(&r, two, 2);
		for (size_t k = 0; k < n; k++) {
			pair[0] = any_cell(text[0]);
			pair[1] = any_cell(text[1]);
			rows_add(&r, pair);
		}
		current = &r;
		got = calloc(n + 1, sizeof *got);
		want = calloc(n + 1, sizeof *want);
		first = calloc(n + 1, sizeof *first);
		for (int how = 0; how < 8; how++) {
			size_t page = n < 60 ? n : 60;

			current_by[0] = (struct order){ how & 1, how & 2 };
			current_by[1] = (struct order){ !(how & 1), how & 4 };
			for (size_t k = 0; k < n; k++)
				got[k] = want[k] = (uint32_t)k;
			qsort(want, n, sizeof *want, by_reference);
			rows_first(&r, current_by, 2, got, n, first, 60);
			assert_memory_equal(first, want, page * sizeof *want);
			rows_first(&r, current_by, 2, got, n, first, n);
			assert_memory_equal(first, want, n * sizeof *want);
			/* Ties go by row number in whatever order they come. */
			for (size_t k = 0; how & 4 && k < n / 2; k++) {
				uint32_t swap = got[k];

				got[k] = got[n - 1 - k];
				got[n - 1 - k] = swap;
			}
			assert_int_equal(rows_sort(&r, current_by, 2, got, n,
			    NULL), 0);
			assert_memory_equal(got, want, n * sizeof *want);
		}
		free(got);
		free(want);
		free(first);
		rows_release(&r);
	}
}

static void sorts_a_part(void **state)
{
	const char *const names[] = { "d", "a", "c", "b", "e" };
	const struct order by = { 0, false };
	uint32_t index[] = { 4, 0, 2 };
	struct rows r;

	(void)state;
	rows_init(&r, two, 1);
	for (int k = 0; k < 5; k++) {
		struct cell c = t(names[k]);

		rows_add(&r, &c);
	}
	assert_int_equal(rows_sort(&r, &by, 1, index, 3, NULL), 0);
	assert_int_equal(index[0], 2);
	assert_int_equal(index[1], 0);
	assert_int_equal(index[2], 4);
	assert_int_equal(rows_sort(&r, NULL, 0, index, 3, NULL), 0);
	assert_int_equal(index[0], 0);
	rows_release(&r);
}

static void sort_stops(void **state)
{
	const struct order by = { 0, true };
	volatile int stop = 1;
	uint32_t index[5000];
	struct rows r;

	(void)state;
	rows_init(&r, two, 1);
	for (uint32_t k = 0; k < 5000; k++) {
		struct cell c = i((int64_t)k);

		rows_add(&r, &c);
		index[k] = k;
	}
	assert_int_equal(rows_sort(&r, &by, 1, index, 5000, &stop), -1);
	assert_int_equal(index[17], 17);
	stop = 0;
	assert_int_equal(rows_sort(&r, &by, 1, index, 5000, &stop), 0);
	assert_int_equal(index[0], 4999);
	rows_release(&r);
}

/* A megabyte of the same, twenty times: no depth for every seven bytes. */
static void sorts_long_texts(void **state)
{
	const struct order by = { 0, false };
	char *text = malloc(1000000);
	uint32_t index[20];
	struct rows r;

	(void)state;
	memset(text, 'y', 1000000);
	rows_init(&r, two, 1);
	for (uint32_t k = 0; k < 20; k++) {
		struct cell c;

		text[999999] = (char)('z' - k);
		c = tn(text, 1000000);
		rows_add(&r, &c);
		index[k] = k;
	}
	assert_int_equal(rows_sort(&r, &by, 1, index, 20, NULL), 0);
	for (uint32_t k = 0; k < 20; k++)
		assert_int_equal(index[k], 19 - k);
	rows_release(&r);
	free(text);
}

/* ---- filter ----------------------------------------------------------- */

static const struct column cols[] = {
	{ .name = "context", .type = TYPE_TEXT },
	{ .name = "service", .type = TYPE_TEXT },
	{ .name = "rps", .type = TYPE_NUMBER, .decimals = 1 },
	{ .name = "bytes", .type = TYPE_SIZE },
	{ .name = "up", .type = TYPE_BOOL },
	{ .name = "spark", .type = TYPE_LIST, .flags = COLUMN_SPARK },
	{ .name = "node", .type = TYPE_TEXT, .flags = COLUMN_WIDE },
	{ .name = "status", .type = TYPE_TEXT },
	{ .name = "seen", .type = TYPE_TIME, .flags = COLUMN_WIDE },
};
#define NCOLS (sizeof cols / sizeof *cols)

static bool matches(const char *pattern, bool context)
{
	const struct cell row[NCOLS] = {
		t("prod"), t("Front\033[31m"), i(128402), i(1800000000), i(1),
		t("[0,6]"), t("hidden"), t("bad"), i(0),
	};
	struct err e = {0};
	struct filter *f = filter_new(pattern, &e);
	bool found;

	if (!f)
		fail_msg("%s: %s", pattern, e.text);
	found = filter_match(f, cols, NCOLS, row, context);
	assert_int_equal(filter_match(f, cols, NCOLS, row, context), found);
	filter_free(f);
	return found;
}

static void filter_sees_the_table(void **state)
{
	(void)state;
	text_setup(false, false);
	assert_true(matches("front", false));
	assert_true(matches("Front", false));
	assert_false(matches("FRONT", false));
	assert_false(matches("fRont", false));
	assert_true(matches("f.*1m 128\\.4k 1\\.8 gb yes ▁▇$", false));
	assert_true(matches("\\\\x1b", false));
	assert_true(matches("^front", false));
	assert_false(matches("^front", true));
	assert_true(matches("^prod front", true));
	assert_false(matches("prod", false));
	assert_false(matches("hidden", false));
	assert_false(matches("bad", false));
	assert_false(matches("128402", false));
	assert_false(matches("!front", false));
	assert_true(matches("!zebra", false));
	assert_true(matches("zebra|yes", false));
	assert_true(matches("", false));
	assert_false(matches("!", false));
	assert_true(matches("front\\W", false));	/* \W is no capital */
	assert_true(matches("[[:digit:]]{3}\\.4k", false));
	assert_true(matches("(f)(r)(o)", false));
}

static void filter_refuses(void **state)
{
	static const char *const bad[] = { "(", ")", "a)", "[", "a{2", "\\",
	    "*a", "[[:foo:]]", "(a)\\1", "a{1001}", "(a{40}){40}",
	    "((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)", "!(", "a{99999999999}" };
	char deep[601] = "", longest[1100];
	struct err e;

	(void)state;
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		e.text[0] = '\0';
		if (filter_new(bad[k], &e))
			fail_msg("%s was taken", bad[k]);
		assert_int_equal(e.code, ERR_USAGE);
		assert_non_null(strstr(e.text, bad[k]));
	}
	memset(deep, '(', 300);
	memset(deep + 300, ')', 300);
	assert_null(filter_new(deep, &e));
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_null(filter_new(longest, &e));
	assert_null(filter_new("(", NULL));
}

/* Patterns that take a matcher which begins anew at each byte, or one without
 * bounds, minutes. */
static void filter_ends_soon(void **state)
{
	static const char *const slow[] = { "(.*a){50}c", "(a*)*c",
	    "(a|aa)+c", "(.*.*.*)*c", "(a.*b.*){20}c",
	    "(a|b)*a(a|b){200}c", "((a{1,9}){1,9}){1,9}c",
	    "((((((a+)+)+)+)+)+)c", "(x+x+)+y" };
	const struct column one = { .name = "x", .type = TYPE_TEXT };
	struct cell c;
	struct filter *f;
	struct err e;
	char *text = malloc(300000);

	(void)state;
	for (size_t k = 0; k < 300000; k++)
		text[k] = "ab"[next() & 1];
	c = tn(text, 300000);
	for (size_t k = 0; k < sizeof slow / sizeof *slow; k++) {
		int64_t began = clock_mono();

		f = filter_new(slow[k], &e);
		assert_non_null(f);
		assert_false(filter_match(f, &one, 1, &c, false));
		filter_free(f);
		/* Under valgrind too, with neighbours on the machine. */
		assert_true(clock_mono() - began < 60000);
	}
	free(text);
}

static void filter_meets_anything(void **state)
{
	const struct column one = { .name = "x", .type = TYPE_TEXT };
	struct filter *f, *none;
	struct err e;

	(void)state;
	f = filter_new("^.*$", &e);
	none = filter_new("!.*", &e);
	for (size_t k = 0; k < NHOSTILE; k++) {
		struct cell c = tn(hostile[k].s, hostile[k].n);
		struct filter *wild;
		char pattern[300];

		assert_true(filter_match(f, &one, 1, &c, false));
		assert_false(filter_match(none, &one, 1, &c, false));
		snprintf(pattern, sizeof pattern, "%s", hostile[k].s);
		wild = filter_new(pattern, &e);
		if (wild)
			filter_match(wild, &one, 1, &c, false);
		filter_free(wild);
	}
	filter_free(f);
	filter_free(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_come_back),
		cmocka_unit_test(texts_are_shared),
		cmocka_unit_test(sorts_like_the_reference),
		cmocka_unit_test(sorts_a_part),
		cmocka_unit_test(sort_stops),
		cmocka_unit_test(sorts_long_texts),
		cmocka_unit_test(filter_sees_the_table),
		cmocka_unit_test(filter_refuses),
		cmocka_unit_test(filter_ends_soon),
		cmocka_unit_test(filter_meets_anything),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
