/* The formats, to the letter of CONTRACT.md. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "format.h"
#include "text.h"

#define NOW INT64_C(1795600000000)	/* 2026-11-25T09:46:40Z */

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

static const struct column cols[] = {
	{ .name = "context", .type = TYPE_TEXT },
	{ .name = "service", .type = TYPE_TEXT },
	{ .name = "rps", .type = TYPE_NUMBER, .decimals = 1 },
	{ .name = "success", .title = "success %", .type = TYPE_SHARE },
	{ .name = "p99", .title = "p99 ms", .type = TYPE_LATENCY },
	{ .name = "up", .type = TYPE_BOOL },
	{ .name = "age", .type = TYPE_DURATION },
	{ .name = "bytes", .type = TYPE_SIZE },
	{ .name = "spark", .title = "15 min", .type = TYPE_LIST,
	    .flags = COLUMN_SPARK },
	{ .name = "sans", .type = TYPE_LIST },
	{ .name = "key", .type = TYPE_OBJECT, .flags = COLUMN_WIDE },
	{ .name = "status", .type = TYPE_TEXT },
	{ .name = "seen", .type = TYPE_TIME, .flags = COLUMN_WIDE },
};
#define NCOLS (sizeof cols / sizeof *cols)

static const struct cell rows[3][NCOLS] = {
	{ { .tag = CELL_TEXT, .s = "prod", .n = 4 },
	    { .tag = CELL_TEXT, .s = "front", .n = 5 },
	    { .tag = CELL_INT, .i = 118 }, { .tag = CELL_REAL, .d = 99.87 },
	    { .tag = CELL_INT, .i = 84 }, { .tag = CELL_INT, .i = 1 },
	    { .tag = CELL_INT, .i = 312 }, { .tag = CELL_INT, .i = 1800000000 },
	    { .tag = CELL_TEXT, .s = "[0,6,null,3]", .n = 12 },
	    { .tag = CELL_TEXT, .s = "[\"a\",\"b\"]", .n = 9 },
	    { .tag = CELL_TEXT, .s = "{\"service\":\"front\"}", .n = 19 },
	    { .tag = CELL_TEXT, .s = "ok", .n = 2 },
	    { .tag = CELL_INT, .i = NOW } },
	{ { .tag = CELL_TEXT, .s = "prod", .n = 4 },
	    { .tag = CELL_TEXT, .s = "基盤, \"x\"", .n = 11 },
	    { .tag = CELL_INT, .i = 128402 }, { .tag = CELL_INT, .i = 0 },
	    { .tag = CELL_NULL }, { .tag = CELL_INT, .i = 0 },
	    { .tag = CELL_NULL }, { .tag = CELL_INT, .i = 0 },
	    { .tag = CELL_NULL }, { .tag = CELL_TEXT, .s = "[]", .n = 2 },
	    { .tag = CELL_TEXT, .s = "{}", .n = 2 },
	    { .tag = CELL_TEXT, .s = "bad", .n = 3 },
	    { .tag = CELL_INT, .i = NOW + 250 } },
	{ { .tag = CELL_TEXT, .s = "prod", .n = 4 },
	    { .tag = CELL_TEXT, .s = "", .n = 0 },
	    { .tag = CELL_REAL, .d = 0.4 }, { .tag = CELL_NULL },
	    { .tag = CELL_REAL, .d = 2.5 }, { .tag = CELL_NULL },
	    { .tag = CELL_REAL, .d = 0.25 }, { .tag = CELL_NULL },
	    { .tag = CELL_TEXT, .s = "broken", .n = 6 },
	    { .tag = CELL_NULL }, { .tag = CELL_NULL },
	    { .tag = CELL_TEXT, .s = "old", .n = 3 }, { .tag = CELL_NULL } },
};

static int to_buf(void *arg, const char *p, size_t n, struct err *err)
{
	(void)err;
	buf_add(arg, p, n);
	return 0;
}

/* New: n rows written; ended, or broken off. */
static char *written(const struct how *how, const struct column *columns,
    size_t ncolumns, const struct cell *cells, size_t n, bool end)
{
	struct buf b = {0};
	struct err e;
	struct writer *w = writer_new(how, columns, ncolumns, to_buf, &b);

	for (size_t k = 0; k < n; k++)
		assert_int_equal(writer_row(w, cells + k * ncolumns, &e), 0);
	if (end)
		assert_int_equal(writer_end(w, &e), 0);
	writer_free(w);
	return buf_take(&b);
}

static void writes(const struct how *how, size_t n, const char *want)
{
	char *got = written(how, cols, NCOLS, rows[0], n, true);

	assert_string_equal(got, want);
	free(got);
}

static int setup(void **state)
{
	struct err e;

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	setenv("KIBAN_NOW", "2026-11-25T09:50:00Z", 1);
	clock_init(&e);
	text_setup(false, false);
	return 0;
}

static void table(void **state)
{
	const struct how how = { .format = FORMAT_TABLE };
	const struct how context = { .format = FORMAT_TABLE, .context = true };
	char *got;

	(void)state;
	writes(&how, 0, "");
	writes(&how, 3,
	    "   service       rps  success %  p99 ms  up     age   bytes  "
	    "15 min  sans\n"
	    "   front       118.0       99.9    84.0  yes     5m  1.8 GB  "
	    "▁▇ ▄    a, b\n"
	    " x 基盤, \"x\"  128.4k        0.0       –  no       –     0 B  "
	    "–\n"
	    " ~               0.4          –     2.5  –    250ms       –  "
	    "broken  –\n");
	got = written(&context, cols, NCOLS, rows[0], 1, true);
	assert_memory_equal(got, "   context  service", 19);
	free(got);
}

static void wide(void **state)
{
	const struct how how = { .format = FORMAT_WIDE };

	(void)state;
	writes(&how, 2,
	    "   service       rps  success %  p99 ms  up     age       bytes"
	    "  15 min  sans  key            seen\n"
	    "   front         118      99.87      84  yes  5m12s  1800000000"
	    "  ▁▇ ▄    a, b  service=front  2026-11-25 18:46:40.000 +09:00\n"
	    " x 基盤, \"x\"  128402          0       –  no       –           0"
	    "  –                            2026-11-25 18:46:40.250 +09:00\n");
}

static void table_on_a_terminal(void **state)
{
	const struct how how = { .format = FORMAT_TABLE, .terminal = true,
	    .colour = true };
	struct how plain = how;
	static const struct column two[] = { { .name = "a" },
	    { .name = "status" } };
	const struct cell cells[][2] = {
		{ t("1"), t("ok") }, { t("2"), t("bad") },
		{ t("3"), t("doubtful") }, { t("4"), t("old") },
		{ t("5"), null },
	};
	char *got;

	(void)state;
	got = written(&how, two, 2, cells[0], 5, true);
	assert_string_equal(got, "\033[1m   a\033[0m\n"
	    "   1\n\033[31m x\033[0m 2\n\033[33m !\033[0m 3\n"
	    "\033[2m ~ 4\033[0m\n   5\n");
	free(got);
	plain.colour = false;
	got = written(&plain, two, 2, cells[0], 5, true);
	assert_string_equal(got, "   a\n   1\n x 2\n ! 3\n ~ 4\n   5\n");
	free(got);
}

static void table_in_ascii(void **state)
{
	const struct how how = { .format = FORMAT_TABLE };
	static const struct column two[] = { { .name = "a" },
	    { .name = "s", .type = TYPE_LIST, .flags = COLUMN_SPARK } };
	const struct cell cells[][2] = { { null, t("[0,9]") } };
	char *got;

	(void)state;
	text_setup(true, false);
	got = written(&how, two, 2, cells[0], 1, true);
	assert_string_equal(got, "   a  s\n   -  09\n");
	free(got);
	text_setup(false, true);
	got = written(&how, two, 2, cells[0], 1, true);
	assert_string_equal(got, "   a  s\n   -  ⣀⣿\n");
	free(got);
	text_setup(false, false);
}

/* Chosen columns are all shown; severity speaks in the gutter, too. */
static void table_columns(void **state)
{
	struct how how = { .format = FORMAT_TABLE, .bare = true };
	static const struct column chosen[] = {
		{ .name = "status" }, { .name = "context" },
		{ .name = "seen", .type = TYPE_TIME, .flags = COLUMN_WIDE },
	};
	static const struct column findings[] = { { .name = "severity" },
	    { .name = "n", .type = TYPE_NUMBER } };
	const struct cell one[] = { t("bad"), t("prod"), i(NOW) };
	const struct cell two[] = { t("doubtful"), i(7) };
	char *got;

	(void)state;
	got = written(&how, chosen, 3, one, 1, true);
	assert_string_equal(got, "   status  context  seen\n"
	    "   bad     prod     18:46:40\n");
	free(got);
	how.bare = false;
	got = written(&how, findings, 2, two, 1, true);
	assert_string_equal(got, "   severity  n\n ! doubtful  7\n");
	free(got);
}

/* Columns of `sql`: raw, and right where all are numbers. */
static void table_any(void **state)
{
	const struct how how = { .format = FORMAT_TABLE, .bare = true };
	static const struct column three[] = {
		{ .name = "n", .type = TYPE_ANY },
		{ .name = "mixed", .type = TYPE_ANY },
		{ .name = "x", .type = TYPE_ANY },
	};
	const struct cell cells[][3] = {
		{ i(128402), i(1), null }, { d(0.5), t("a"), null },
	};
	char *got;

	(void)state;
	got = written(&how, three, 3, cells[0], 2, true);
	assert_string_equal(got, "        n  mixed  x\n   128402  1      –\n"
	    "      0.5  a      –\n");
	free(got);
}

static void table_decimals(void **state)
{
	const struct how how = { .format = FORMAT_TABLE };
	static const struct column one[] = { { .name = "n",
	    .type = TYPE_NUMBER } };
	const struct cell whole[] = { i(5), i(41), i(250000) };
	const struct cell mixed[] = { i(12345), d(2.25), null, i(250000) };
	const struct cell late[] = { d(2.25), i(12345) };
	char *got;

	(void)state;
	got = written(&how, one, 1, whole, 3, true);
	assert_string_equal(got, "        n\n        5\n       41\n   250.0k\n");
	free(got);
	got = written(&how, one, 1, mixed, 4, true);
	assert_string_equal(got, "         n\n   12345.0\n       2.2\n"
	    "         –\n    250.0k\n");
	free(got);
	got = written(&how, one, 1, late, 2, true);
	assert_string_equal(got, "         n\n       2.2\n   12345.0\n");
	free(got);
}

/* Widths come from the first 1,000 rows; what is wider later pushes. */
static void table_streams(void **state)
{
	struct how how = { .format = FORMAT_TABLE };
	static const struct column two[] = { { .name = "a" }, { .name = "b" } };
	const struct cell narrow[] = { t("1"), t("2") };
	const struct cell broad[] = { t("broad"), t("2") };
	struct writer *w;
	struct buf b = {0};
	struct err e;

	(void)state;
	for (int hold = 0; hold < 2; hold++) {
		how.hold = hold;
		w = writer_new(&how, two, 2, to_buf, &b);
		for (int k = 0; k < 999; k++)
			writer_row(w, narrow, &e);
		assert_int_equal(b.n, 0);
		writer_row(w, narrow, &e);
		assert_true(hold == (b.n == 0));
		writer_row(w, broad, &e);
		writer_end(w, &e);
		writer_free(w);
		if (hold)
			assert_memory_equal(b.p, "   a      b\n   1      2\n",
			    24);
		else
			assert_memory_equal(b.p, "   a  b\n   1  2\n", 16);
		assert_string_equal(b.p + b.n - 12, "   broad  2\n");
		buf_clear(&b);
	}
	buf_free(&b);
}

#define JSON_0 "{\"context\":\"prod\",\"service\":\"front\",\"rps\":118," \
	"\"success\":99.87,\"p99\":84,\"up\":true,\"age\":312," \
	"\"bytes\":1800000000,\"spark\":[0,6,null,3],\"sans\":[\"a\",\"b\"]," \
	"\"key\":{\"service\":\"front\"},\"status\":\"ok\"," \
	"\"seen\":\"2026-11-25T09:46:40.000Z\"}"
#define JSON_1 "{\"context\":\"prod\",\"service\":\"基盤, \\\"x\\\"\"," \
	"\"rps\":128402,\"success\":0,\"p99\":null,\"up\":false," \
	"\"age\":null,\"bytes\":0,\"spark\":null,\"sans\":[],\"key\":{}," \
	"\"status\":\"bad\",\"seen\":\"2026-11-25T09:46:40.250Z\"}"
#define JSON_2 "{\"context\":\"prod\",\"service\":\"\",\"rps\":0.4," \
	"\"success\":null,\"p99\":2.5,\"up\":null,\"age\":0.25," \
	"\"bytes\":null,\"spark\":\"broken\",\"sans\":null,\"key\":null," \
	"\"status\":\"old\",\"seen\":null}"

static void json(void **state)
{
	struct how how = { .format = FORMAT_JSON };
	char *got;

	(void)state;
	writes(&how, 0, "[]\n");
	writes(&how, 1, "[\n" JSON_0 "\n]\n");
	writes(&how, 3, "[\n" JSON_0 ",\n" JSON_1 ",\n" JSON_2 "\n]\n");
	got = written(&how, cols, NCOLS, rows[0], 2, false);
	assert_string_equal(got, "[\n" JSON_0 ",\n" JSON_1 "\n");
	free(got);
	how.one_line = true;
	writes(&how, 0, "[]\n");
	writes(&how, 2, "[" JSON_0 "," JSON_1 "]\n");
	how.one_line = false;
	how.object = true;
	writes(&how, 1, JSON_0 "\n");
	writes(&how, 0, "");
	how = (struct how){ .format = FORMAT_NDJSON };
	writes(&how, 0, "");
	writes(&how, 2, JSON_0 "\n" JSON_1 "\n");
	how.stamp = "2026-11-25T09:50:00.000Z";
	got = written(&how, cols, 1, rows[0], 1, true);
	assert_string_equal(got, "{\"at\":\"2026-11-25T09:50:00.000Z\","
	    "\"context\":\"prod\"}\n");
	free(got);
}

static void yaml(void **state)
{
	struct how how = { .format = FORMAT_YAML };
	char *got;

	(void)state;
	writes(&how, 0, "[]\n");
	writes(&how, 2,
	    "- context: prod\n  service: front\n  rps: 118\n"
	    "  success: 99.87\n  p99: 84\n  up: true\n  age: 312\n"
	    "  bytes: 1800000000\n  spark: [0, 6, null, 3]\n"
	    "  sans: [a, b]\n  key: {service: front}\n  status: ok\n"
	    "  seen: \"2026-11-25T09:46:40.000Z\"\n"
	    "- context: prod\n  service: \"基盤, \\\"x\\\"\"\n  rps: 128402\n"
	    "  success: 0\n  p99: null\n  up: false\n  age: null\n"
	    "  bytes: 0\n  spark: null\n  sans: []\n  key: {}\n"
	    "  status: bad\n  seen: \"2026-11-25T09:46:40.250Z\"\n");
	how.document = true;
	writes(&how, 0, "---\n[]\n");
	got = written(&how, cols, 2, rows[0], 1, true);
	assert_string_equal(got, "---\n- context: prod\n  service: front\n");
	free(got);
	how.document = false;
	how.object = true;
	got = written(&how, cols, 2, rows[0], 1, true);
	assert_string_equal(got, "context: prod\nservice: front\n");
	free(got);
}

#define CSV_HEAD "context,service,rps,success,p99,up,age,bytes,spark,sans," \
	"key,status,seen\n"

static void csv(void **state)
{
	struct how how = { .format = FORMAT_CSV };
	static const struct column one[] = { { .name = "a, \"b\"" } };
	const struct cell lines[] = { t("x\ny\r\033[0m\x9b"), t(" lead") };
	char *got;

	(void)state;
	writes(&how, 0, CSV_HEAD);
	writes(&how, 3, CSV_HEAD
	    "prod,front,118,99.87,84,true,312,1800000000,\"[0,6,null,3]\","
	    "\"[\"\"a\"\",\"\"b\"\"]\",\"{\"\"service\"\":\"\"front\"\"}\",ok,"
	    "2026-11-25T09:46:40.000Z\n"
	    "prod,\"基盤, \"\"x\"\"\",128402,0,,false,,0,,[],{},bad,"
	    "2026-11-25T09:46:40.250Z\n"
	    "prod,\"\",0.4,,2.5,,0.25,,broken,,,old,\n");
	got = written(&how, one, 1, lines, 2, true);
	assert_string_equal(got, "\"a, \"\"b\"\"\"\n\"x\ny\r\033[0m\x9b\"\n"
	    " lead\n");
	free(got);
	how.terminal = true;
	got = written(&how, one, 1, lines, 2, true);
	assert_string_equal(got, "\"a, \"\"b\"\"\"\n"
	    "x\\x0ay\\x0d\\x1b[0m\\x9b\n lead\n");
	free(got);
	how.stamp = "T";
	how.no_head = true;
	got = written(&how, one, 1, lines + 1, 1, true);
	assert_string_equal(got, "T, lead\n");
	free(got);
}

static void tsv(void **state)
{
	struct how how = { .format = FORMAT_TSV, .stamp = "T" };
	static const struct column two[] = { { .name = "a" }, { .name = "b" } };
	const struct cell cells[] = {
		tn("\t\n\r\\\0\033\x7f\x9b", 8), t("\xc2\x9b\xe2\x80\xae é"),
		t(""), null,
	};
	char *got;

	(void)state;
	got = written(&how, two, 2, cells, 2, true);
	assert_string_equal(got, "at\ta\tb\n"
	    "T\t\\t\\n\\r\\\\\\x00\\x1b\\x7f\\x9b\t"
	    "\\xc2\\x9b\\xe2\\x80\\xae é\nT\t\t\n");
	free(got);
	how.stamp = NULL;
	got = written(&how, two, 2, cells, 0, true);
	assert_string_equal(got, "a\tb\n");
	free(got);
}

static void broken_off(void **state)
{
	char *got;

	(void)state;
	for (int f = FORMAT_TABLE; f <= FORMAT_TSV; f++) {
		const struct how how = { .format = (enum format)f };

		got = written(&how, cols, NCOLS, rows[0], 3, false);
		assert_true(strlen(got) > 100);
		assert_int_equal(got[strlen(got) - 1], '\n');
		free(got);
		got = written(&how, cols, NCOLS, rows[0], 0, false);
		assert_string_equal(got, "");
		free(got);
	}
}

static int fails_after(void *arg, const char *p, size_t n, struct err *err)
{
	(void)p, (void)n;
	if (--*(int *)arg > 0)
		return 0;
	return err_set(err, ERR_FAILED, "stdout: no space left");
}

static void put_fails(void **state)
{
	(void)state;
	for (int f = FORMAT_TABLE; f <= FORMAT_TSV; f++) {
		const struct how how = { .format = (enum format)f };
		int left = 2, failed = 0;
		struct err e = {0};
		struct writer *w;

		w = writer_new(&how, cols, NCOLS, fails_after, &left);
		for (int k = 0; k < 2000; k++)
			failed += writer_row(w, rows[0], &e) < 0;
		assert_true(failed >= 999);
		assert_string_equal(e.text, "stdout: no space left");
		memset(&e, 0, sizeof e);
		assert_int_equal(writer_end(w, &e), -1);
		assert_int_equal(e.code, ERR_FAILED);
		assert_int_equal(writer_row(w, rows[0], NULL), -1);
		writer_free(w);
		assert_int_equal(left, 0);	/* never called again */
	}
	writer_free(NULL);
}

static void names(void **state)
{
	(void)state;
	for (int f = FORMAT_TABLE; f <= FORMAT_TSV; f++)
		assert_int_equal(format_from_name(format_names[f]), f);
	assert_int_equal(format_from_name("JSON"), -1);
	assert_int_equal(format_from_name(""), -1);
	assert_int_equal(format_from_file("a/b.json"), FORMAT_JSON);
	assert_int_equal(format_from_file("x.YML"), FORMAT_YAML);
	assert_int_equal(format_from_file("a.csv/b"), -1);
	assert_int_equal(format_from_file("csv"), -1);
	assert_int_equal(format_from_file("x.tsv.gz"), -1);
}

/* By jansson: whole, ordered, numbers as numbers. */
static void json_by_jansson(void **state)
{
	const struct how how = { .format = FORMAT_JSON };
	char *got = written(&how, cols, NCOLS, rows[0], 3, true);
	json_error_t error;
	json_t *all = json_loads(got, 0, &error), *row;

	(void)state;
	assert_non_null(all);
	assert_int_equal(json_array_size(all), 3);
	row = json_array_get(all, 2);
	assert_int_equal(json_object_size(row), NCOLS);
	assert_true(json_real_value(json_object_get(row, "rps")) == 0.4);
	assert_true(json_is_null(json_object_get(row, "seen")));
	assert_string_equal(json_object_iter_key(json_object_iter(row)),
	    "context");
	json_decref(all);
	free(got);
}

/* The screen's part: a mark, a column that left, a cell alone. */
static void layout(void **state)
{
	const struct how how = { .format = FORMAT_TABLE };
	struct buf b = {0};
	struct layout l;

	(void)state;
	layout_init(&l, cols, NCOLS, &how);
	for (int k = 0; k < 3; k++)
		layout_measure(&l, rows[k]);
	assert_int_equal(l.width[0], -1);
	assert_int_equal(l.width[1], 9);
	assert_int_equal(l.status, 11);
	for (size_t k = 4; k < NCOLS; k++)
		l.width[k] = -1;
	layout_row(&l, &b, true, rows[1]);
	assert_string_equal(b.p, "*x 基盤, \"x\"  128.4k        0.0");
	buf_clear(&b);
	layout_head(&l, &b);
	assert_string_equal(b.p, "   service       rps  success %");
	buf_clear(&b);
	layout_gutter(&l, &b, false, rows[2]);
	assert_string_equal(b.p, " ~ ");
	buf_clear(&b);
	layout_cell(&l, &b, 4, rows[0]);
	assert_string_equal(b.p, "84.0");
	buf_free(&b);
	layout_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(table, setup),
		cmocka_unit_test_setup(wide, setup),
		cmocka_unit_test_setup(table_on_a_terminal, setup),
		cmocka_unit_test_setup(table_in_ascii, setup),
		cmocka_unit_test_setup(table_columns, setup),
		cmocka_unit_test_setup(table_any, setup),
		cmocka_unit_test_setup(table_decimals, setup),
		cmocka_unit_test_setup(table_streams, setup),
		cmocka_unit_test_setup(json, setup),
		cmocka_unit_test_setup(yaml, setup),
		cmocka_unit_test_setup(csv, setup),
		cmocka_unit_test_setup(tsv, setup),
		cmocka_unit_test_setup(broken_off, setup),
		cmocka_unit_test_setup(put_fails, setup),
		cmocka_unit_test_setup(names, setup),
		cmocka_unit_test_setup(json_by_jansson, setup),
		cmocka_unit_test_setup(layout, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
