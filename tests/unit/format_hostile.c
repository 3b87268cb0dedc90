/* Every hostile text in every format: what comes out holds no control, and
 * read back it is what went in. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "format.h"
#include "hostile.h"
#include "strict.h"
#include "text.h"

static int to_buf(void *arg, const char *p, size_t n, struct err *err)
{
	(void)err;
	buf_add(arg, p, n);
	return 0;
}

/* One column, one row. */
static void write_one(const struct how *how, const struct column *column,
    struct cell c, struct buf *out)
{
	struct writer *w = writer_new(how, column, 1, to_buf, out);
	struct err e;

	buf_clear(out);
	assert_int_equal(writer_row(w, &c, &e), 0);
	assert_int_equal(writer_end(w, &e), 0);
	writer_free(w);
}

static const enum type hostile_types[] = { TYPE_TEXT, TYPE_LIST, TYPE_OBJECT,
    TYPE_NUMBER, TYPE_TIME, TYPE_ANY };

static void has_no_controls(const char *s, size_t n, bool tabs)
{
	for (size_t k = 0; k < n; k++) {
		unsigned char c = (unsigned char)s[k];

		if (c != '\n' && !(tabs && c == '\t'))
			assert_true(c >= 0x20 && c != 0x7f);
	}
}

static void all_plain(const char *s, size_t n, bool tabs)
{
	unsigned c;
	int k;

	has_no_controls(s, n, tabs);
	for (; n; s += k, n -= (size_t)k) {
		k = text_char(s, n, &c);
		assert_true(k > 0);
		assert_true(c == '\n' || c == '\t' || text_is_plain(c));
	}
}

static size_t lines(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static void json_holds(const char *out, const char *s, size_t n)
{
	const char *start = strstr(out, "{\"a\":"), *end;
	struct buf back = {0};

	assert_non_null(start);
	end = strict_string(start + 5, out + strlen(out), &back);
	assert_non_null(end);
	assert_memory_equal(end, "}\n", 2);
	assert_int_equal(back.n, n);
	assert_memory_equal(buf_str(&back), s, n);
	buf_free(&back);
}

static void from_base64(struct buf *out, const char *s, size_t n)
{
	unsigned v = 0, bits = 0;

	for (; n && *s != '='; s++, n--) {
		int c = *s;

		v = v << 6 | (unsigned)(c >= 'a' ? c - 'a' + 26 : c >= 'A' ?
		    c - 'A' : c == '+' ? 62 : c == '/' ? 63 : c - '0' + 52);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_addc(out, (char)(v >> bits & 0xff));
		}
	}
}

/* By libyaml: the value of the key a, or of !!binary's bytes. A plain scalar
 * must be one that no resolver takes for something else. */
static void yaml_holds(const char *out, const char *s, size_t n)
{
	yaml_parser_t p;
	yaml_document_t doc;
	yaml_node_t *node;
	struct buf back = {0};
	const char *value;

	assert_true(yaml_parser_initialize(&p));
	yaml_parser_set_input_string(&p, (const unsigned char *)out,
	    strlen(out));
	assert_true(yaml_parser_load(&p, &doc));
	node = yaml_document_get_root_node(&doc);
	assert_int_equal(node->type, YAML_SEQUENCE_NODE);
	node = yaml_document_get_node(&doc, *node->data.sequence.items.start);
	assert_int_equal(node->type, YAML_MAPPING_NODE);
	node = yaml_document_get_node(&doc,
	    node->data.mapping.pairs.start->value);
	assert_int_equal(node->type, YAML_SCALAR_NODE);
	value = (const char *)node->data.scalar.value;
	if (!strcmp((const char *)node->tag, "tag:yaml.org,2002:binary"))
		from_base64(&back, value, node->data.scalar.length);
	else
		buf_add(&back, value, node->data.scalar.length);
	assert_int_equal(back.n, n);
	assert_memory_equal(back.p, s, n);
	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		assert_true((*s | 32) >= 'a' && (*s | 32) <= 'z');
	buf_free(&back);
	yaml_document_delete(&doc);
	yaml_parser_delete(&p);
}

/* Python's csv module would say the same; quotes and newlines only. */
static void csv_holds(const char *out, const char *s, size_t n, bool exact)
{
	struct buf back = {0};
	const char *end = out + n + strlen("a\n") + 2 * n + 8;

	assert_memory_equal(out, "a\n", 2);
	out += 2;
	if (*out == '"') {
		for (out++; out < end && !(out[0] == '"' && out[1] != '"');
		    out++) {
			out += *out == '"';
			buf_addc(&back, *out);
		}
		out++;
	} else {
		for (; *out != '\n' && back.n <= n; out++)
			buf_addc(&back, *out);
	}
	assert_int_equal(*out, '\n');
	if (exact) {
		assert_int_equal(back.n, n);
		assert_memory_equal(buf_str(&back), s, n);
	}
	buf_free(&back);
}

static void tsv_holds(const char *out, const char *s, size_t n)
{
	struct buf back = {0};
	char hex[3] = "";

	for (out += 2; *out != '\n'; out++) {
		if (*out != '\\') {
			buf_addc(&back, *out);
			continue;
		}
		switch (*++out) {
		case 'x':
			memcpy(hex, out + 1, 2);
			buf_addc(&back, (char)strtoul(hex, NULL, 16));
			out += 2;
			break;
		case 't':
			buf_addc(&back, '\t');
			break;
		case 'n':
			buf_addc(&back, '\n');
			break;
		case 'r':
			buf_addc(&back, '\r');
			break;
		default:
			assert_int_equal(*out, '\\');
			buf_addc(&back, '\\');
		}
	}
	assert_int_equal(back.n, n);
	assert_memory_equal(buf_str(&back), s, n);
	buf_free(&back);
}

static void check_one(enum format format, const struct buf *out,
    const char *s, size_t n, bool text)
{
	const char *got = buf_str(out);

	if (format == FORMAT_CSV)
		csv_holds(got, s, n, text);
	else
		all_plain(got, out->n, format == FORMAT_TSV);
	if (format == FORMAT_TABLE || format == FORMAT_WIDE ||
	    format == FORMAT_TSV)
		assert_int_equal(lines(got), 2);
	if (!text)
		return;
	if (format == FORMAT_JSON || format == FORMAT_NDJSON)
		json_holds(got, s, n);
	if (format == FORMAT_YAML)
		yaml_holds(got, s, n);
	if (format == FORMAT_TSV)
		tsv_holds(got, s, n);
}

static void one_hostile(const char *s, size_t n, enum type type)
{
	const struct column one = { .name = "a", .type = type };
	const struct cell c = { .tag = CELL_TEXT, .s = s, .n = n };
	bool text = type != TYPE_LIST && type != TYPE_OBJECT;
	struct how how = {0};
	struct buf b = {0};

	for (int f = FORMAT_TABLE; f <= FORMAT_TSV; f++) {
		how.format = (enum format)f;
		write_one(&how, &one, c, &b);
		check_one(how.format, &b, s, n, text);
	}
	how = (struct how){ .format = FORMAT_CSV, .terminal = true };
	write_one(&how, &one, c, &b);
	all_plain(b.p, b.n, false);
	assert_int_equal(lines(b.p), 2);
	buf_free(&b);
}

static void hostile_in_every_format(void **state)
{
	char s[4] = "a";

	(void)state;
	for (size_t k = 0; k < sizeof hostile_types / sizeof *hostile_types;
	    k++) {
		for (int b = 0; b < 256; b++) {
			s[1] = (char)b;
			s[2] = 'b';
			one_hostile(s + 1, 1, hostile_types[k]);
			one_hostile(s, 3, hostile_types[k]);
		}
		for (size_t h = 0; h < NHOSTILE; h++)
			one_hostile(hostile[h].s, hostile[h].n,
			    hostile_types[k]);
	}
}

static void hostile_and_long(void **state)
{
	struct buf b = {0};

	(void)state;
	for (int k = 0; k < 20000; k++)
		buf_adds(&b, k % 3 ? "\033]52;c;\a" : "基\xcc\x81\xff");
	one_hostile(b.p, b.n, TYPE_TEXT);
	one_hostile(b.p, b.n, TYPE_LIST);
	buf_free(&b);
}

/* Names of columns are hostile where a user writes `as "…"`. */
static void hostile_names(void **state)
{
	const struct cell c = { .tag = CELL_TEXT, .s = "v", .n = 1 };
	struct column one = { .type = TYPE_ANY };
	struct buf b = {0};
	char name[2000];

	(void)state;
	one.name = name;
	for (size_t h = 0; h < NHOSTILE + 1; h++) {
		if (h < NHOSTILE)
			snprintf(name, sizeof name, "%s", hostile[h].s);
		else
			memset(name, 'k', sizeof name - 1);
		name[sizeof name - 1] = '\0';
		for (int f = FORMAT_TABLE; f <= FORMAT_TSV; f++) {
			const struct how how = { .format = (enum format)f };

			write_one(&how, &one, c, &b);
			if (f != FORMAT_CSV)
				all_plain(b.p, b.n, f == FORMAT_TSV);
			if (f == FORMAT_YAML)
				yaml_holds(b.p, "v", 1);
		}
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_in_every_format),
		cmocka_unit_test(hostile_and_long),
		cmocka_unit_test(hostile_names),
	};

	text_setup(false, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
