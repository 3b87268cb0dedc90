/* Values: typed in, written, and the clock. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hostile.h"
#include "strict.h"
#include "value.h"
#include "value_json.h"

#define NOW INT64_C(1795600000000)	/* 2026-11-25T09:46:40Z */

static struct cell i(int64_t v)
{
	return (struct cell){ .tag = CELL_INT, .i = v };
}

static struct cell d(double v)
{
	return (struct cell){ .tag = CELL_REAL, .d = v };
}

static struct cell s(const char *v)
{
	return (struct cell){ .tag = CELL_TEXT, .s = v, .n = strlen(v) };
}

static const struct cell null = { .tag = CELL_NULL };

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void is_text(struct buf *b, const char *want)
{
	assert_string_equal(buf_str(b), want);
	buf_clear(b);
}

/* ---- typed in --------------------------------------------------------- */

static void durations(void **state)
{
	static const struct {
		const char	*s;
		int64_t		 ms;
	} good[] = {
		{ "500ms", 500 }, { "90s", 90000 }, { "30m", 1800000 },
		{ "2h", 7200000 }, { "3d", 259200000 }, { "1w", 604800000 },
		{ "1h30m", 5400000 }, { "90", 90000 }, { "0", 0 },
		{ "0.2", 200 }, { "1.5h", 5400000 }, { "1w2d3h4m5s6ms",
		788645006 },
	};
	static const char *const bad[] = { "", "m", "5x", "-5m", "5 m", "5m ",
	    " 5m", "5m5m", "30m1h", "1h30", "5M", "1e3", ".5h", "1.h", "0x10",
	    "99999999999999w", "5m-", "inf", "999999999999999999999999999999"
	    "9999999999999999s" };
	struct err e;
	int64_t ms;

	(void)state;
	for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
		assert_int_equal(value_duration(good[k].s, &ms, &e), 0);
		assert_int_equal(ms, good[k].ms);
	}
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		assert_int_equal(value_duration(bad[k], &ms, &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
		assert_non_null(strstr(e.text, "1h30m"));
	}
}

static void sizes(void **state)
{
	static const struct {
		const char	*s;
		int64_t		 bytes;
	} good[] = {
		{ "256MB", 256000000 }, { "256MiB", 268435456 }, { "0", 0 },
		{ "4096", 4096 }, { "1.5GB", 1500000000 }, { "1kB", 1000 },
		{ "1KB", 1000 }, { "10mb", 10000000 }, { "7B", 7 },
		{ "2TiB", INT64_C(2199023255552) },
		{ "1PB", INT64_C(1000000000000000) },
	};
	static const char *const bad[] = { "", "MB", "5M B", "5 MB", "-1",
	    "5XB", "5k", "1e6", "99999PB", "0x10", "5MBMB" };
	struct err e;
	int64_t v;

	(void)state;
	for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
		assert_int_equal(value_size(good[k].s, &v, &e), 0);
		assert_int_equal(v, good[k].bytes);
	}
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		assert_int_equal(value_size(bad[k], &v, &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
		assert_non_null(strstr(e.text, "256MB"));
	}
}

static void is_time(const char *typed, const char *want)
{
	struct buf b = {0};
	struct err e = {0};
	int64_t ms = 0;

	if (value_time(typed, NOW, &ms, &e) < 0)
		fail_msg("%s: %s", typed, e.text);
	value_rfc3339(&b, ms);
	assert_string_equal(b.p, want);
	buf_free(&b);
}

static void times(void **state)
{
	(void)state;
	zone("Asia/Tokyo");	/* 18:46:40 there */
	is_time("now", "2026-11-25T09:46:40.000Z");
	is_time("2026-11-23T03:14:07Z", "2026-11-23T03:14:07.000Z");
	is_time("2026-11-23t03:14:07z", "2026-11-23T03:14:07.000Z");
	is_time("2026-11-23T03:14:07.25+09:00", "2026-11-22T18:14:07.250Z");
	is_time("2026-11-23T03:14:07.1234567-05:30",
	    "2026-11-23T08:44:07.123Z");
	is_time("2026-11-23", "2026-11-22T15:00:00.000Z");
	is_time("2026-11-23 03:12", "2026-11-22T18:12:00.000Z");
	is_time("2026-11-23 03:12:07", "2026-11-22T18:12:07.000Z");
	is_time("2026-11-23 12:14:07.250 +09:00", "2026-11-23T03:14:07.250Z");
	is_time("03:12", "2026-11-24T18:12:00.000Z");
	is_time("18:46:40", "2026-11-25T09:46:40.000Z");
	is_time("18:46:41", "2026-11-24T09:46:41.000Z");
	is_time("23:59:59", "2026-11-24T14:59:59.000Z");
	is_time("30m ago", "2026-11-25T09:16:40.000Z");
	is_time("1h30m ago", "2026-11-25T08:16:40.000Z");
	is_time("90 ago", "2026-11-25T09:45:10.000Z");
	is_time("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z");
	is_time("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z");
	is_time("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
	zone("UTC");
}

static void times_where_clocks_change(void **state)
{
	int64_t ms;
	struct err e;
	/* 2026-11-01T07:30Z: in New York 02:30, an hour after 01:59 came the
	 * second time. */
	const int64_t fold = INT64_C(1793518200000);

	(void)state;
	zone("America/New_York");
	is_time("2026-03-08 01:59", "2026-03-08T06:59:00.000Z");
	is_time("2026-03-08 02:30", "2026-03-08T07:00:00.000Z");	/* gap */
	is_time("2026-03-08 03:00", "2026-03-08T07:00:00.000Z");
	is_time("2026-11-01 01:30", "2026-11-01T05:30:00.000Z");	/* fold */
	assert_int_equal(value_time("01:30", fold, &ms, &e), 0);
	assert_int_equal(ms, fold - 3600000);	/* the later of the two */
	/* In the gap's own day 02:30 has not been. 2026-03-08T16:00Z */
	assert_int_equal(value_time("02:30", INT64_C(1772985600000), &ms, &e),
	    0);
	assert_int_equal(ms, INT64_C(1772868600000));	/* 03-07T07:30Z */
	zone("America/Sao_Paulo");	/* midnight itself was skipped */
	is_time("2018-11-04", "2018-11-04T03:00:00.000Z");
	zone("Pacific/Apia");		/* 2011-12-30 wasn't */
	is_time("2011-12-30 12:00", "2011-12-30T10:00:00.000Z");
	zone("UTC");
}

static void times_refused(void **state)
{
	static const char *const bad[] = { "", "x", "3:12", "25:00", "03:60",
	    "03:12:61", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1",
	    "2026-11-23T03:12", "2026-11-23T03:12:07", "2026-11-23 ",
	    "2026-11-23  03:12", "2026-11-23T03:12:07+0900", "ago",
	    " ago", "5x ago", "30m  ago", "30mago", "now ", "yesterday",
	    "2026-11-23T03:14:07Z ", "12345", "2026-11-23T24:00:00Z",
	    "03:12x", "-5m ago", "2026-11-23T03:14:07+25:00" };
	static const char *const late[] = { "2026-11-25T09:46:41Z",
	    "2027-01-01", "2026-11-26 00:00", "9999-12-31T23:59:59Z" };
	struct err e;
	int64_t ms;

	(void)state;
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		if (value_time(bad[k], NOW, &ms, &e) == 0)
			fail_msg("\"%s\" was taken", bad[k]);
		assert_int_equal(e.code, ERR_USAGE);
		assert_non_null(strstr(e.text, "30m ago"));
	}
	for (size_t k = 0; k < sizeof late / sizeof *late; k++) {
		assert_int_equal(value_time(late[k], NOW, &ms, &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
		assert_non_null(strstr(e.text, "future"));
	}
	for (size_t k = 0; k < NHOSTILE; k++) {
		char text[200];

		snprintf(text, sizeof text, "%s", hostile[k].s);
		value_duration(text, &ms, &e);
		value_size(text, &ms, &e);
		value_time(text, NOW, &ms, &e);
	}
}

static void rfc3339_only(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(value_read_rfc3339("2026-11-25T09:46:40Z", &ms), 0);
	assert_int_equal(ms, NOW);
	assert_int_equal(value_read_rfc3339("2026-11-25T09:46Z", &ms), -1);
	assert_int_equal(value_read_rfc3339("2026-11-25", &ms), -1);
	assert_int_equal(value_read_rfc3339("", &ms), -1);
}

static void clock_stands_still(void **state)
{
	struct err e;
	int64_t a;

	(void)state;
	setenv("KIBAN_NOW", "2026-11-25T18:46:40+09:00", 1);
	assert_int_equal(clock_init(&e), 0);
	assert_int_equal(clock_now(), NOW);
	a = clock_mono();
	assert_true(clock_mono() >= a);
	setenv("KIBAN_NOW", "03:12", 1);
	assert_int_equal(clock_init(&e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "KIBAN_NOW"));
	unsetenv("KIBAN_NOW");
	assert_int_equal(clock_init(&e), 0);
	assert_true(llabs(clock_now() - (int64_t)time(NULL) * 1000) < 5000);
}

/* ---- written ---------------------------------------------------------- */

static void rfc3339_written(void **state)
{
	struct buf b = {0};

	(void)state;
	value_rfc3339(&b, 0);
	is_text(&b, "1970-01-01T00:00:00.000Z");
	value_rfc3339(&b, -1);
	is_text(&b, "1969-12-31T23:59:59.999Z");
	value_rfc3339(&b, INT64_C(951782400007));
	is_text(&b, "2000-02-29T00:00:00.007Z");
	value_rfc3339(&b, INT64_C(253402300799999));
	is_text(&b, "9999-12-31T23:59:59.999Z");
	value_rfc3339(&b, INT64_MAX);
	is_text(&b, "292278994-08-17T07:12:55.807Z");
	value_rfc3339(&b, INT64_MIN);
	is_text(&b, "-292275055-05-16T16:47:04.192Z");
	/* Against the C library, over every sort of year. */
	for (int64_t t = -62135596800; t < 253402300800; t += 86400 * 37 + 61) {
		time_t seconds = (time_t)t;
		struct tm tm;
		char want[64];

		gmtime_r(&seconds, &tm);
		snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d"
		    ".000Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		    tm.tm_hour, tm.tm_min, tm.tm_sec);
		value_rfc3339(&b, t * 1000);
		is_text(&b, want);
	}
	buf_free(&b);
}

static void numbers(void **state)
{
	static const struct {
		double		 v;
		const char	*s;
	} shortest[] = {
		{ 0, "0" }, { -0.0, "0" }, { 1, "1" }, { -1, "-1" },
		{ 0.1, "0.1" }, { 0.1 + 0.2, "0.30000000000000004" },
		{ 61.8, "61.8" }, { 1e15, "1000000000000000" },
		{ 9007199254740991, "9007199254740991" }, { 1e22, "1e+22" },
		{ 5e-324, "5e-324" }, { 1e-7, "1e-07" }, { NAN, "null" },
		{ INFINITY, "null" }, { -INFINITY, "null" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ DBL_MAX, "1.7976931348623157e+308" },
	};
	struct buf b = {0};
	uint64_t bits = 88172645463325252u;
	double v;

	(void)state;
	for (size_t k = 0; k < sizeof shortest / sizeof *shortest; k++) {
		value_number(&b, shortest[k].v);
		is_text(&b, shortest[k].s);
	}
	for (int k = 0; k < 20000; k++) {
		bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
		memcpy(&v, &bits, sizeof v);
		if (!isfinite(v))
			continue;
		value_number(&b, v);
		assert_true(strtod(b.p, NULL) == v);
		buf_clear(&b);
	}
	buf_free(&b);
}

static void json_cells(void **state)
{
	struct buf b = {0};

	(void)state;
	value_json(&b, TYPE_NUMBER, i(INT64_MAX));
	is_text(&b, "9223372036854775807");
	value_json(&b, TYPE_BOOL, i(1));
	is_text(&b, "true");
	value_json(&b, TYPE_BOOL, d(0));
	is_text(&b, "false");
	value_json(&b, TYPE_TIME, i(NOW + 250));
	is_text(&b, "\"2026-11-25T09:46:40.250Z\"");
	value_json(&b, TYPE_DURATION, d(1.5));
	is_text(&b, "1.5");
	value_json(&b, TYPE_SIZE, i(-7));
	is_text(&b, "-7");
	value_json(&b, TYPE_NUMBER, d(NAN));
	is_text(&b, "null");
	value_json(&b, TYPE_NUMBER, null);
	is_text(&b, "null");
	value_json(&b, TYPE_TEXT, null);
	is_text(&b, "null");
	value_json(&b, TYPE_NUMBER, s("1"));
	is_text(&b, "\"1\"");
	value_json(&b, TYPE_TIME, s("then"));
	is_text(&b, "\"then\"");
	value_json(&b, TYPE_ANY, i(3));
	is_text(&b, "3");
	value_json(&b, TYPE_LIST, s(" [ 1 , \"a\\u001b\" ,{} , 1.50e+3 ] "));
	is_text(&b, "[1,\"a\\u001b\",{},1.50e+3]");
	value_json(&b, TYPE_OBJECT, s("{\"b\":1,\"a\":[],\"b\":2}"));
	is_text(&b, "{\"b\":1,\"a\":[],\"b\":2}");
	value_json(&b, TYPE_LIST, s("[\"a\nb\"]"));	/* raw newline */
	is_text(&b, "[\"a\\u000ab\"]");
	value_json(&b, TYPE_OBJECT, s("{\"k\":\"\\udc9b\"}"));
	is_text(&b, "{\"k\":\"\\udc9b\"}");
	value_json(&b, TYPE_LIST, s("123456789012345678901234567890"));
	is_text(&b, "123456789012345678901234567890");
	buf_free(&b);
}

static void json_that_is_none(void **state)
{
	static const char *const bad[] = { "", " ", "[", "]", "[1,]", "{,}",
	    "{\"a\"}", "{\"a\":}", "{a:1}", "[01]", "[1.]", "[.5]", "[+1]",
	    "[1e]", "[-]", "nul", "truex", "[1] 2", "\"abc", "\"\\x\"",
	    "\"\\u12\"", "\"\\u12g4\"", "[\"a\\\"]", "'a'", "[NaN]", "1 2",
	    "{\"a\":1 \"b\":2}", "[1 2]", "\\", "{\"a\":1,}", "\"\\" };
	struct buf b = {0}, nested = {0};
	double v[2];

	(void)state;
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		buf_adds(&b, "before");
		if (json_text_copy(&b, bad[k], strlen(bad[k]), JSON_TEXT_JSON))
			fail_msg("%s was taken", bad[k]);
		is_text(&b, "before");
		buf_adds(&b, "before");
		assert_false(json_text_join(&b, bad[k], strlen(bad[k])));
		is_text(&b, "before");
		assert_int_equal(json_text_numbers(bad[k], strlen(bad[k]), v,
		    2), -1);
		value_json(&b, TYPE_LIST, s(bad[k]));
		assert_int_equal(b.p[0], '"');
		buf_clear(&b);
	}
	for (int k = 0; k < 100000; k++)
		buf_addc(&nested, '[');
	assert_false(json_text_copy(&b, nested.p, nested.n, JSON_TEXT_JSON));
	assert_false(json_text_join(&b, nested.p, nested.n));
	buf_free(&b);
	buf_free(&nested);
}

/* Every byte alone and in the middle, and every hostile text: strict JSON that
 * gives the same bytes back, with nothing below 0x20 and no 0x7f in it. */
static void json_gives_bytes_back(const char *text, size_t n)
{
	struct buf b = {0}, back = {0};
	const char *end;

	value_json_text(&b, text, n);
	for (size_t k = 0; k < b.n; k++)
		assert_true((unsigned char)b.p[k] >= 0x20 && b.p[k] != 0x7f);
	end = strict_string(b.p, b.p + b.n, &back);
	assert_ptr_equal(end, b.p + b.n);
	assert_int_equal(back.n, n);
	assert_memory_equal(buf_str(&back), text, n);
	/* As a JSON text in a cell it stays what it is. */
	buf_clear(&back);
	assert_true(json_text_copy(&back, b.p, b.n, JSON_TEXT_JSON));
	assert_string_equal(back.p, b.p);
	buf_free(&b);
	buf_free(&back);
}

static void json_text_bytes(void **state)
{
	struct buf b = {0};
	char all[258];

	(void)state;
	for (int k = 0; k < 256; k++) {
		char one[3] = { 'a', (char)k, 'b' };

		all[k] = (char)k;
		json_gives_bytes_back(one + 1, 1);
		json_gives_bytes_back(one, 3);
	}
	json_gives_bytes_back(all, 256);
	for (size_t k = 0; k < NHOSTILE; k++)
		json_gives_bytes_back(hostile[k].s, hostile[k].n);
	value_json_text(&b, "\033\x7f\x9b\xc2\x9b\xe2\x80\xae\n", 9);
	is_text(&b, "\"\\u001b\\u007f\\udc9b\\u009b\\u202e\\u000a\"");
	value_json_text(&b, "\xf3\xa0\x80\x81", 4);
	is_text(&b, "\"\\udb40\\udc01\"");
	value_json_text(&b, "基盤 é", 9);
	is_text(&b, "\"基盤 é\"");
	buf_free(&b);
}

static void shown(enum type type, int decimals, struct cell c,
    const char *narrow, const char *wide)
{
	struct buf b = {0};

	value_show(&b, type, decimals, SPELL_SHORT, c);
	assert_string_equal(buf_str(&b), narrow);
	buf_clear(&b);
	value_show(&b, type, decimals, SPELL_WIDE, c);
	assert_string_equal(buf_str(&b), wide);
	buf_free(&b);
}

static void shown_numbers(void **state)
{
	(void)state;
	shown(TYPE_NUMBER, 0, i(0), "0", "0");
	shown(TYPE_NUMBER, 0, i(-12), "-12", "-12");
	shown(TYPE_NUMBER, 0, i(99999), "99999", "99999");
	shown(TYPE_NUMBER, 0, i(100000), "100.0k", "100000");
	shown(TYPE_NUMBER, 0, i(128402), "128.4k", "128402");
	shown(TYPE_NUMBER, 0, i(999949), "999.9k", "999949");
	shown(TYPE_NUMBER, 0, i(999950), "1.0M", "999950");
	shown(TYPE_NUMBER, 0, i(-41229100), "-41.2M", "-41229100");
	shown(TYPE_NUMBER, 0, i(INT64_MAX), "9.2E", "9223372036854775807");
	shown(TYPE_NUMBER, 0, d(1e30), "1.0e+30", "1e+30");
	shown(TYPE_NUMBER, 0, d(38.24), "38.2", "38.24");
	shown(TYPE_NUMBER, 1, i(118), "118.0", "118");
	shown(TYPE_NUMBER, 2, d(0.036), "0.04", "0.036");
	shown(TYPE_NUMBER, 1, d(99999.96), "100.0k", "99999.96");
	shown(TYPE_NUMBER, 0, d(-0.01), "0.0", "-0.01");
	shown(TYPE_NUMBER, 0, d(NAN), "–", "–");
	shown(TYPE_NUMBER, 0, d(INFINITY), "–", "–");
	shown(TYPE_NUMBER, 0, null, "–", "–");
	shown(TYPE_LATENCY, 0, i(2010), "2010", "2010");
	shown(TYPE_SHARE, 0, d(61.8), "61.8", "61.8");
	shown(TYPE_SHARE, 0, i(100), "100.0", "100");
	shown(TYPE_SHARE, 2, d(0.0412), "0.04", "0.0412");
	shown(TYPE_SIZE, 0, i(1800000000), "1.8 GB", "1800000000");
	shown(TYPE_SIZE, 0, i(999), "999 B", "999");
	shown(TYPE_SIZE, 0, i(1000), "1.0 kB", "1000");
	shown(TYPE_SIZE, 0, i(999960), "1.0 MB", "999960");
	shown(TYPE_SIZE, 0, i(0), "0 B", "0");
	shown(TYPE_ANY, 0, i(128402), "128402", "128402");
	shown(TYPE_ANY, 0, d(0.5), "0.5", "0.5");
	shown(TYPE_NUMBER, 0, s("n\033a"), "n\\x1ba", "n\\x1ba");
}

static void shown_others(void **state)
{
	struct err e;

	(void)state;
	shown(TYPE_BOOL, 0, i(1), "yes", "yes");
	shown(TYPE_BOOL, 0, i(0), "no", "no");
	shown(TYPE_BOOL, 0, null, "–", "–");
	shown(TYPE_DURATION, 0, i(0), "0s", "0s");
	shown(TYPE_DURATION, 0, d(0.25), "250ms", "250ms");
	shown(TYPE_DURATION, 0, i(59), "59s", "59s");
	shown(TYPE_DURATION, 0, i(312), "5m", "5m12s");
	shown(TYPE_DURATION, 0, i(3600), "1h", "1h");
	shown(TYPE_DURATION, 0, i(18030), "5h", "5h30s");
	shown(TYPE_DURATION, 0, i(86400 * 400 + 60), "400d", "400d1m");
	shown(TYPE_DURATION, 0, i(-90), "-1m", "-1m30s");
	shown(TYPE_DURATION, 0, d(1e300), "–", "–");
	shown(TYPE_LIST, 0, s("[\"a\",\"b\",1,null,true,[1,2]]"),
	    "a, b, 1, –, true, [1,2]", "a, b, 1, –, true, [1,2]");
	shown(TYPE_LIST, 0, s("[]"), "", "");
	shown(TYPE_LIST, 0, s("[\"\\u001b[31m\",\"\\udc9b\"]"),
	    "\\x1b[31m, \\x9b", "\\x1b[31m, \\x9b");
	shown(TYPE_OBJECT, 0, s("{\"a\":\"x\",\"b\":{\"c\":1}}"),
	    "a=x, b={\"c\":1}", "a=x, b={\"c\":1}");
	shown(TYPE_LIST, 0, s("[broken\033"), "[broken\\x1b", "[broken\\x1b");
	shown(TYPE_LIST, 0, s("[\"\\ud83d\\ude00\"]"), "😀", "😀");
	shown(TYPE_LIST, 0, s("[\"\\ud83d\"]"), "\\xed\\xa0\\xbd",
	    "\\xed\\xa0\\xbd");
	setenv("KIBAN_NOW", "2026-11-25T09:46:40Z", 1);
	clock_init(&e);
	zone("Asia/Tokyo");
	shown(TYPE_TIME, 0, i(NOW), "18:46:40",
	    "2026-11-25 18:46:40.000 +09:00");
	shown(TYPE_TIME, 0, i(NOW - 86400000 + 7), "2026-11-24 18:46:40",
	    "2026-11-24 18:46:40.007 +09:00");
	shown(TYPE_TIME, 0, i(-1), "1970-01-01 08:59:59",
	    "1970-01-01 08:59:59.999 +09:00");
	zone("America/St_Johns");
	shown(TYPE_TIME, 0, i(NOW), "06:16:40",
	    "2026-11-25 06:16:40.000 -03:30");
	shown(TYPE_TIME, 0, i(INT64_MAX), "292278994-08-17 03:42:55",
	    "292278994-08-17 03:42:55.807 -03:30");
	zone("UTC");
	shown(TYPE_TIME, 0, i(INT64_MIN), "-292275055-05-16 16:47:04",
	    "-292275055-05-16 16:47:04.192 +00:00");
	unsetenv("KIBAN_NOW");
	clock_init(&e);
}

static void yaml_texts(void **state)
{
	struct buf b = {0};

	(void)state;
	value_yaml_text(&b, "front-1.example/x", 17);
	is_text(&b, "front-1.example/x");
	value_yaml_text(&b, "No", 2);
	is_text(&b, "\"No\"");
	value_yaml_text(&b, "", 0);
	is_text(&b, "\"\"");
	value_yaml_text(&b, "a\x9b", 2);
	is_text(&b, "!!binary \"YZs=\"");
	value_yaml_text(&b, "\xf3\xa0\x80\x81", 4);
	is_text(&b, "\"\\U000e0001\"");
	value_yaml(&b, TYPE_NUMBER, d(1e22));
	is_text(&b, "1.0e+22");
	value_yaml(&b, TYPE_OBJECT, s("{\"a\":[1E3,\"\\udc9b\",\"t\"]}"));
	is_text(&b, "{a: [1.0e+3, !!binary \"mw==\", t]}");
	buf_free(&b);
}

static void types(void **state)
{
	(void)state;
	for (int t = TYPE_TEXT; t <= TYPE_ANY; t++)
		assert_int_equal(type_from_name(type_name((enum type)t)), t);
	assert_int_equal(type_from_name("nothing"), -1);
	assert_true(type_is_right(TYPE_SHARE));
	assert_false(type_is_right(TYPE_TIME));
	assert_true(cell_number(i(3)) == 3);
	assert_true(cell_number(s("3")) == 0);
	assert_true(cell_number(null) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(sizes),
		cmocka_unit_test(times),
		cmocka_unit_test(times_where_clocks_change),
		cmocka_unit_test(times_refused),
		cmocka_unit_test(rfc3339_only),
		cmocka_unit_test(clock_stands_still),
		cmocka_unit_test(rfc3339_written),
		cmocka_unit_test(numbers),
		cmocka_unit_test(json_cells),
		cmocka_unit_test(json_that_is_none),
		cmocka_unit_test(json_text_bytes),
		cmocka_unit_test(shown_numbers),
		cmocka_unit_test(shown_others),
		cmocka_unit_test(yaml_texts),
		cmocka_unit_test(types),
	};

	unsetenv("KIBAN_NOW");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
