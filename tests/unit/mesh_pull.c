/* The JSON reader without a tree: values, escapes, numbers beyond 63 bits, and
 * what it makes of texts that are cut off or wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../mesh/json_pull.h"
#include "mem.h"

/* Exactly as long as the text: a reader that goes over its end is caught. */
static char *exact(const char *s, size_t n)
{
	char *p = malloc(n ? n : 1);

	memcpy(p, s, n);
	return p;
}

static int skip_all(const char *s, size_t n, struct err *err)
{
	char *copy = exact(s, n);
	struct pull p;
	int result;

	pull_init(&p, copy, n);
	pull_skip(&p);
	result = pull_end(&p, err);
	free(copy);
	return result;
}

static void reads_values(void **state)
{
	char text[] = " { \"a\" : [1, \"2\", 3e+05, 18446744073709551615,"
	    "\"18446744073709551616\", 0], \"b\": true,\"c\":null, "
	    "\"d\": 0.1, \"e\": {}, \"f\": [] } \n";
	const uint64_t want[] = { 1, 2, 300000, UINT64_MAX, UINT64_MAX, 0 };
	struct pull p;
	struct span key;
	uint64_t v;
	double d = 0;
	bool b = false;
	size_t i = 0;
	struct err err;

	(void)state;
	pull_init(&p, text, strlen(text));
	assert_true(pull_map(&p));
	while (pull_key(&p, &key)) {
		if (span_is(key, "a")) {
			assert_true(pull_list(&p));
			while (pull_item(&p)) {
				assert_true(pull_uint(&p, &v));
				assert_true(v == want[i]);
				i++;
			}
		} else if (span_is(key, "b")) {
			assert_true(pull_bool(&p, &b));
		} else if (span_is(key, "d")) {
			assert_true(pull_real(&p, &d));
		} else {
			assert_true(pull_skip(&p));
		}
	}
	assert_int_equal(pull_end(&p, &err), 0);
	assert_int_equal(i, 6);
	assert_true(b);
	assert_true(d == 0.1);
}

static void decodes_strings(void **state)
{
	static const struct { const char *json, *want; size_t n; } t[] = {
		{ "\"\"", "", 0 },
		{ "\"a\\n\\t\\\\\\/\\\"\\b\\f\\r\"", "a\n\t\\/\"\b\f\r", 9 },
		{ "\"\\u003cinline\\u003E\"", "<inline>", 8 },
		{ "\"\\u00e9\\u20ac\"", "\xc3\xa9\xe2\x82\xac", 5 },
		{ "\"\\ud83d\\ude00x\"", "\xf0\x9f\x98\x80x", 5 },
		{ "\"\\ud83dx\"", "\xef\xbf\xbdx", 4 },
		{ "\"\\udc00\\u0041\"", "\xef\xbf\xbd" "A", 4 },
		{ "\"a\\u0000b\"", "a\0b", 3 },
		{ "\"\xff\xfe\x01\"", "\xff\xfe\x01", 3 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *s = exact(t[i].json, strlen(t[i].json));
		struct span out;
		struct pull p;

		pull_init(&p, s, strlen(t[i].json));
		assert_true(pull_text(&p, &out));
		assert_int_equal(out.n, t[i].n);
		assert_memory_equal(out.s, t[i].want, t[i].n);
		assert_int_equal(pull_end(&p, NULL), 0);
		free(s);
	}
}

static void refuses_what_is_broken(void **state)
{
	static const char *const bad[] = { "", " ", "<html>", "{", "[", "\"a",
	    "\"a\\", "{\"a\"", "{\"a\":", "{\"a\":1", "[1", "[1,",
	    "tru", "nul", "{]", "[}", "[1}", "1 2", "{} {}", "-", "--1",
	    "nan", "\x01" };
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = (struct err){0};
		assert_int_equal(skip_all(bad[i], strlen(bad[i]), &err), -1);
		assert_int_equal(err.code, ERR_DATA);
		assert_true(strlen(err.text) > 10);
	}
	skip_all("<html>", 6, &err);
	assert_non_null(strstr(err.text, "not JSON"));
}

static void refuses_broken_escapes(void **state)
{
	static const char *const bad[] = { "\"\\x\"", "\"\\u12\"",
	    "\"\\u12g4\"", "\"\\", "\"\\u", "\"\\ud83d\\u12\"" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *s = exact(bad[i], strlen(bad[i]));
		struct span out;
		struct pull p;

		pull_init(&p, s, strlen(bad[i]));
		assert_false(pull_text(&p, &out));
		assert_int_equal(pull_end(&p, NULL), -1);
		free(s);
	}
}

static void every_cut_is_an_error(void **state)
{
	static const char whole[] = "{\"a\":[{\"b\":\"c\\u0041\\n\"},1.5e3,"
	    "true,null],\"d\":{\"e\":-1}}";
	size_t n;

	(void)state;
	assert_int_equal(skip_all(whole, sizeof(whole) - 1, NULL), 0);
	for (n = 0; n < sizeof(whole) - 1; n++)
		assert_int_equal(skip_all(whole, n, NULL), -1);
}

static void names_what_is_of_a_wrong_type(void **state)
{
	static const struct { const char *json, *want; } t[] = {
		{ "{\"port\": \"x\"}", "\"port\" is not a number" },
		{ "{\"port\": -1}",
		  "\"port\" is not a whole number of 0 or more" },
		{ "{\"port\": []}", "\"port\" is not a number" },
		{ "{\"port\": null}", "\"port\" is not a number" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *s = exact(t[i].json, strlen(t[i].json));
		struct span key;
		struct pull p;
		struct err err = {0};
		uint64_t v = 7;

		pull_init(&p, s, strlen(t[i].json));
		pull_map(&p);
		while (pull_key(&p, &key))
			pull_uint(&p, &v);
		assert_int_equal(pull_end(&p, &err), -1);
		assert_string_equal(err.text, t[i].want);
		free(s);
	}
}

static void is_calm_after_a_failure(void **state)
{
	char text[] = "[1,2]";
	struct pull p;
	struct span key;
	bool b;
	double d;

	(void)state;
	pull_init(&p, text, 5);
	assert_false(pull_map(&p));
	assert_false(pull_key(&p, &key));
	assert_false(pull_list(&p));
	assert_false(pull_item(&p));
	assert_false(pull_bool(&p, &b));
	assert_false(pull_real(&p, &d));
	assert_false(pull_text(&p, &key));
	assert_false(pull_skip(&p));
	assert_int_equal(pull_end(&p, NULL), -1);
}

static void depth_is_bounded(void **state)
{
	char *deep = malloc(200000);
	struct err err = {0};

	(void)state;
	memset(deep, '[', 200000);
	assert_int_equal(skip_all(deep, 200000, &err), -1);
	assert_non_null(strstr(err.text, "deep"));
	free(deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_values),
		cmocka_unit_test(decodes_strings),
		cmocka_unit_test(refuses_what_is_broken),
		cmocka_unit_test(refuses_broken_escapes),
		cmocka_unit_test(every_cut_is_an_error),
		cmocka_unit_test(names_what_is_of_a_wrong_type),
		cmocka_unit_test(is_calm_after_a_failure),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
