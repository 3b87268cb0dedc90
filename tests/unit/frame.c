/* The grid of cells: widths, halves of wide characters, hostile text; rows on
 * it where it is narrow; the curve. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../tui/frame.h"
#include "../../tui/grid.h"
#include "../../tui/plot.h"
#include "text.h"

static char *dump(const struct frame *f)
{
	struct buf b = {0};

	frame_dump(f, &b);
	return buf_take(&b);
}

static void assert_dump(const struct frame *f, const char *wanted)
{
	char *text = dump(f);

	assert_string_equal(text, wanted);
	free(text);
}

static void put_and_cut(void **state)
{
	struct frame f = {0};

	(void)state;
	frame_resize(&f, 8, 2);
	assert_int_equal(frame_puts(&f, 2, 0, LOOK_PLAIN, "abc"), 5);
	assert_int_equal(frame_puts(&f, 6, 1, LOOK_PLAIN, "wxyz"), 8);
	assert_dump(&f, "  abc\n      wx\n");
	assert_int_equal(frame_put(&f, 0, 1, 2, LOOK_PLAIN, "1234", 4), 2);
	assert_dump(&f, "  abc\n12    wx\n");
	frame_release(&f);
}

static void outside_is_nothing(void **state)
{
	struct frame f = {0};

	(void)state;
	frame_resize(&f, 4, 1);
	frame_puts(&f, 0, 1, LOOK_PLAIN, "x");
	frame_puts(&f, 4, 0, LOOK_PLAIN, "x");
	frame_puts(&f, -1, 0, LOOK_PLAIN, "x");
	frame_mark(&f, 2, 9, -1, LOOK_SELECTED);
	assert_null(frame_at(&f, 4, 0));
	assert_dump(&f, "\n");
	frame_resize(&f, 0, 0);
	assert_dump(&f, "");
	frame_release(&f);
}

static void wide_characters(void **state)
{
	struct frame f = {0};

	(void)state;
	frame_resize(&f, 5, 1);
	/* Three of two cells don't fit in five. */
	assert_int_equal(frame_puts(&f, 0, 0, LOOK_PLAIN, "日本語"), 4);
	assert_int_equal(frame_at(&f, 0, 0)->wide, 2);
	assert_int_equal(frame_at(&f, 1, 0)->n, 0);
	assert_dump(&f, "日本\n");
	/* A half that is written over leaves a blank, not half a character. */
	frame_puts(&f, 1, 0, LOOK_PLAIN, "x");
	assert_dump(&f, " x本\n");
	frame_puts(&f, 2, 0, LOOK_PLAIN, "y");
	assert_dump(&f, " xy\n");
	frame_release(&f);
}

static void clusters_stay_whole(void **state)
{
	struct frame f = {0};
	struct buf tower = {0};
	char *text;

	(void)state;
	frame_resize(&f, 4, 1);
	frame_puts(&f, 0, 0, LOOK_PLAIN, "e\xcc\x81x");
	assert_int_equal(frame_at(&f, 0, 0)->n, 3);
	assert_dump(&f, "e\xcc\x81x\n");
	/* A tower of marks is cut between characters. */
	buf_adds(&tower, "a");
	for (int i = 0; i < 200; i++)
		buf_adds(&tower, "\xcc\x81");
	buf_adds(&tower, "b");
	frame_clear(&f);
	frame_puts(&f, 0, 0, LOOK_PLAIN, buf_str(&tower));
	assert_int_equal(frame_at(&f, 0, 0)->n % 2, 1);
	assert_int_equal(frame_at(&f, 1, 0)->s[0], 'b');
	text = dump(&f);
	assert_true(strlen(text) <= TILE_BYTES + 2);
	free(text);
	buf_free(&tower);
	frame_release(&f);
}

static void hostile_bytes(void **state)
{
	struct frame f = {0};

	(void)state;
	frame_resize(&f, 200, 1);
	for (int c = 0; c < 256; c++) {
		char s[8] = {'a', (char)c, 'b', '\x1b', ']', '\x9b'};
		char *text;
		frame_clear(&f);
		frame_put(&f, 0, 0, 200, LOOK_PLAIN, s, 6);
		text = dump(&f);
		for (char *p = text; *p && *p != '\n'; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
		assert_null(strstr(text, "\xc2\x9b"));
		free(text);
	}
	frame_clear(&f);
	frame_puts(&f, 0, 0, LOOK_PLAIN, "a\xe2\x80\xae" "b");
	assert_dump(&f, "a\\u202eb\n");
	frame_release(&f);
}

static void marks(void **state)
{
	struct frame f = {0};

	(void)state;
	frame_resize(&f, 4, 1);
	frame_puts(&f, 0, 0, LOOK_BAD, "ab");
	frame_mark(&f, 1, 0, -1, LOOK_SELECTED);
	assert_int_equal(frame_at(&f, 0, 0)->look, LOOK_BAD);
	assert_int_equal(frame_at(&f, 1, 0)->look, LOOK_BAD | LOOK_SELECTED);
	assert_int_equal(frame_at(&f, 3, 0)->look,
	    LOOK_PLAIN | LOOK_SELECTED);
	frame_release(&f);
}

/* ---- rows ------------------------------------------------------------------- */

static const struct column columns[] = {
	{.name = "proxy", .flags = COLUMN_PATH},
	{.name = "state", .rank = 1},
	{.name = "rps", .type = TYPE_NUMBER, .decimals = 1, .rank = 2},
	{.name = "hosts", .type = TYPE_NUMBER, .rank = 3},
	{.name = "status"},
};

static struct cell text_cell(const char *s)
{
	return (struct cell){.tag = CELL_TEXT, .s = s, .n = strlen(s)};
}

static void draw(int cols, struct frame *f, int *dropped)
{
	struct how how = {.format = FORMAT_TABLE};
	struct cell cells[5] = {
		text_cell("unix:/run/envoy/a-rather-long-name.sock"),
		text_cell("LIVE"), {.tag = CELL_REAL, .d = 12.34},
		{.tag = CELL_INT, .i = 3}, text_cell("bad"),
	};
	struct grid g;

	frame_resize(f, cols, 2);
	grid_init(&g, columns, 5, &how);
	grid_measure(&g, cells);
	grid_fit(&g, cols);
	grid_head(&g, f, 0);
	grid_row(&g, f, 1, ROW_SELECTED | ROW_MARKED, cells);
	*dropped = g.dropped;
	grid_release(&g);
}

static void rows_that_fit(void **state)
{
	struct frame f = {0};
	int dropped;

	(void)state;
	draw(80, &f, &dropped);
	assert_int_equal(dropped, 0);
	assert_dump(&f,
	    "   proxy                                    state   rps  hosts\n"
	    "*x unix:/run/envoy/a-rather-long-name.sock  LIVE   12.3      3\n");
	assert_int_equal(f.y, 1);
	assert_int_equal(frame_at(&f, 0, 1)->look, LOOK_BAD | LOOK_SELECTED);
	frame_release(&f);
}

static void columns_leave_by_rank(void **state)
{
	struct frame f = {0};
	char *text;
	int dropped;

	(void)state;
	draw(40, &f, &dropped);
	text = dump(&f);
	assert_int_equal(dropped, 0);		/* the path is cut first */
	assert_non_null(strstr(text, "…"));
	assert_non_null(strstr(text, ".sock"));
	free(text);
	draw(24, &f, &dropped);
	text = dump(&f);
	assert_int_equal(dropped, 2);		/* hosts, then rps */
	assert_non_null(strstr(text, "state"));
	assert_null(strstr(text, "rps"));
	free(text);
	draw(6, &f, &dropped);
	assert_int_equal(dropped, 3);
	frame_release(&f);
}

static void no_cell_leaves_the_frame(void **state)
{
	struct frame f = {0};
	int dropped;

	(void)state;
	for (int cols = 1; cols < 90; cols++) {
		char *text;
		draw(cols, &f, &dropped);
		text = dump(&f);
		for (char *line = strtok(text, "\n"); line;
		    line = strtok(NULL, "\n"))
			assert_true(text_width(line, strlen(line)) <= cols);
		free(text);
	}
	frame_release(&f);
}

/* ---- the curve ---------------------------------------------------------------- */

static void axes_are_round(void **state)
{
	double lo = 0.2, hi = 27.5;

	(void)state;
	plot_axis(&lo, &hi);
	assert_true(lo >= 0 && lo <= 0 && hi >= 27.5 && hi <= 40);
	lo = 98.2;
	hi = 99.9;
	plot_axis(&lo, &hi);
	assert_true(lo > 90 && lo <= 98.2 && hi >= 99.9 && hi < 105);
	lo = hi = 5;
	plot_axis(&lo, &hi);
	assert_true(lo < 5 && hi > 5);
	lo = hi = 0;
	plot_axis(&lo, &hi);
	assert_true(lo < hi);
	lo = -3;
	hi = -1;
	plot_axis(&lo, &hi);
	assert_true(lo <= -3 && hi >= -1);
}

static void curve(void **state)
{
	struct sample v[120];
	struct series s = {.v = v, .n = 120, .from = 0, .to = 600000,
	    .type = TYPE_NUMBER, .title = "rps"};
	struct frame f = {0};
	char *text;

	(void)state;
	for (int i = 0; i < 120; i++)
		v[i] = (struct sample){.t = (i + 1) * 5000,
		    .v = i >= 40 && i < 80 ? NAN : 10 + i % 10};
	frame_resize(&f, 80, 16);
	plot_draw(&s, &f, 0, 16);
	text = dump(&f);
	assert_non_null(strstr(text, "rps   last 19"));
	assert_non_null(strstr(text, "max 19"));
	free(text);
	/* Where nothing is known nothing is drawn. */
	for (int y = 1; y < 14; y++)
		for (int x = 32; x < 50; x++)
			assert_int_equal(frame_at(&f, x, y)->s[0], ' ');
	for (int rows = 1; rows < 12; rows++) {
		frame_resize(&f, 12, rows);
		plot_draw(&s, &f, 0, rows);
	}
	frame_release(&f);
}

static void curve_in_ascii(void **state)
{
	struct sample v[2] = {{.t = 1, .v = 1}, {.t = 2, .v = 2}};
	struct series s = {.v = v, .n = 2, .from = 0, .to = 2,
	    .type = TYPE_NUMBER, .title = "x"};
	struct frame f = {0};
	char *text;

	(void)state;
	text_setup(true, false);
	frame_resize(&f, 40, 10);
	plot_draw(&s, &f, 0, 10);
	text = dump(&f);
	for (char *p = text; *p; p++)
		assert_true((unsigned char)*p < 0x80);
	assert_non_null(strchr(text, '*'));
	free(text);
	text_setup(false, false);
	frame_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_and_cut),
		cmocka_unit_test(outside_is_nothing),
		cmocka_unit_test(wide_characters),
		cmocka_unit_test(clusters_stay_whole),
		cmocka_unit_test(hostile_bytes),
		cmocka_unit_test(marks),
		cmocka_unit_test(rows_that_fit),
		cmocka_unit_test(columns_leave_by_rank),
		cmocka_unit_test(no_cell_leaves_the_frame),
		cmocka_unit_test(axes_are_round),
		cmocka_unit_test(curve),
		cmocka_unit_test(curve_in_ascii),
	};

	setenv("TZ", "UTC", 1);
	text_setup(false, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
