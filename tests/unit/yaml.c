/* YAML to nodes: places, shapes, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"

struct parsed {
	struct arena		 arena;
	const struct node	*root;
	struct err		 err;
	int			 rc;
};

static void parse_n(struct parsed *p, const char *text, size_t n)
{
	*p = (struct parsed){0};
	p->rc = yaml_parse(&p->arena, text, n, &p->root, &p->err);
	assert_null(strpbrk(p->err.text, "\r\n"));
}

static void parse(struct parsed *p, const char *text)
{
	parse_n(p, text, strlen(text));
	if (p->rc)
		fail_msg("%s", p->err.text);
}

static void release(struct parsed *p)
{
	arena_free(&p->arena);
}

/* Refused, at that place, with that in the sentence. */
static void refused(const char *text, const char *place, const char *why)
{
	struct parsed p;

	parse_n(&p, text, strlen(text));
	assert_int_equal(p.rc, -1);
	assert_int_equal(p.err.code, ERR_USAGE);
	assert_null(p.root);
	if (strncmp(p.err.text, place, strlen(place)) ||
	    !strstr(p.err.text, why))
		fail_msg("%s: wanted %s … %s", p.err.text, place, why);
	release(&p);
}

static void test_tree(void **state)
{
	struct parsed p;
	const struct node *n;

	(void)state;
	parse(&p, "a: 1\nb:\n  - x\n  - {c: 'd'}\ne: {f: {g: \"h\\n\"}}\n");
	assert_int_equal(p.root->type, NODE_MAP);
	n = node_get(p.root, "a");
	assert_string_equal(n->text, "1");
	assert_false(n->quoted);
	assert_int_equal(n->line, 1);
	assert_int_equal(n->column, 4);
	assert_int_equal(n->key_column, 1);
	n = node_get(p.root, "b");
	assert_int_equal(n->type, NODE_LIST);
	assert_string_equal(n->first->text, "x");
	assert_null(n->first->key);
	assert_int_equal(n->first->line, 3);
	n = node_get(n->first->next, "c");
	assert_true(n->quoted);
	assert_int_equal(n->line, 4);
	assert_string_equal(node_text(p.root, "e.f.g", ""), "h\n");
	assert_null(node_get(p.root, "e.f.x"));
	assert_null(node_get(p.root, "a.b"));
	assert_string_equal(node_text(p.root, "b", "none"), "none");
	release(&p);
}

static void test_null(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "a: null\nb:\nc: ~\nd: 'null'\ne: ''\n");
	assert_null(node_get(p.root, "a"));
	assert_null(node_get(p.root, "b"));
	assert_null(node_get(p.root, "c"));
	assert_string_equal(node_text(p.root, "d", "x"), "null");
	assert_string_equal(node_text(p.root, "e", "x"), "");
	release(&p);
}

static void test_empty(void **state)
{
	static const char *const texts[] = {"", "\n\n", "# only words\n"};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		parse(&p, texts[i]);
		assert_null(p.root);
		release(&p);
	}
	parse(&p, "---\na: 1\n...\n");
	assert_string_equal(node_text(p.root, "a", ""), "1");
	release(&p);
}

static void test_bool(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "a: true\nb: false\nc: yes\nd: []\n");
	assert_int_equal(node_bool(node_get(p.root, "a")), 1);
	assert_int_equal(node_bool(node_get(p.root, "b")), 0);
	assert_int_equal(node_bool(node_get(p.root, "c")), -1);
	assert_int_equal(node_bool(node_get(p.root, "d")), -1);
	release(&p);
}

static void test_refused(void **state)
{
	(void)state;
	refused("a: &x 1\nb: *x\n", "2:4: ", "aliases");
	refused("a: 1\nb: 2\na: 3\n", "3:1: ", "before");
	refused("x: {k: 1, k: 2}\n", "1:11: ", "before");
	refused("a: !!int 1\n", "1:4: ", "tags");
	refused("a: !mine {b: c}\n", "1:4: ", "tags");
	refused("? [a]\n: b\n", "1:3: ", "key");
	refused("a: 1\n---\nb: 2\n", "2:1: ", "second document");
	refused("a:\n\tb: 1\n", "2:1: ", "tab");
	refused("a: [1, 2\n", "", "");
	refused("a: \"x\\0y\"\n", "1:4: ", "NUL");
	refused("a: \"open\n", "", "");
	refused("a: b: c\n", "1:5: ", "");
	refused("a: \xff\xfe\n", "1:4: ", "");
	refused("- a\nb: c\n", "2:1: ", "");
}

/* Nine levels of nine aliases each would be 387 million nodes. */
static void test_laughs(void **state)
{
	struct buf b = {0};
	struct parsed p;

	(void)state;
	buf_adds(&b, "a: &a [lol, lol, lol]\n");
	for (char c = 'b'; c < 'k'; c++) {
		buf_addf(&b, "%c: &%c [", c, c);
		for (int i = 0; i < 9; i++)
			buf_addf(&b, "%s*%c", i ? ", " : "", c - 1);
		buf_adds(&b, "]\n");
	}
	parse_n(&p, b.p, b.n);
	assert_int_equal(p.rc, -1);
	assert_non_null(strstr(p.err.text, "aliases"));
	assert_true(p.arena.bytes < 10000);
	release(&p);
	buf_free(&b);
}

static void nested(struct buf *b, int depth, char open, char close)
{
	buf_clear(b);
	for (int i = 0; i < depth; i++)
		buf_addc(b, open);
	for (int i = 0; i < depth; i++)
		buf_addc(b, close);
}

static void test_depth(void **state)
{
	struct buf b = {0};
	struct parsed p;

	(void)state;
	nested(&b, 64, '[', ']');
	parse(&p, b.p);
	release(&p);
	nested(&b, 65, '[', ']');
	refused(b.p, "1:65: ", "64 levels");
	nested(&b, 100000, '[', ']');
	refused(b.p, "", "");
	nested(&b, 100000, '{', '}');
	refused(b.p, "", "");
	buf_clear(&b);
	for (int i = 0; i < 100000; i++)
		buf_adds(&b, "- ");
	refused(b.p, "", "");
	buf_free(&b);
}

static void test_big(void **state)
{
	struct buf b = {0};
	struct parsed p;

	(void)state;
	buf_adds(&b, "a: ");
	for (int i = 0; i < 1 << 20; i++)
		buf_addc(&b, 'x');
	parse(&p, b.p);
	assert_int_equal(strlen(node_text(p.root, "a", "")), 1 << 20);
	release(&p);
	buf_clear(&b);
	for (int i = 0; i < 50000; i++)
		buf_addf(&b, "k%d: %d\n", i, i);
	parse(&p, b.p);
	assert_string_equal(node_text(p.root, "k49999", ""), "49999");
	release(&p);
	buf_addf(&b, "k7: again\n");
	refused(b.p, "50001:1: ", "before");
	buf_free(&b);
}

static void test_rubbish(void **state)
{
	unsigned seed = 1;
	char text[400];
	struct parsed p;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		for (size_t i = 0; i < sizeof(text); i++) {
			seed = seed * 1103515245u + 12345u;
			text[i] = round % 2 ? (char)(seed >> 16)
			    : "ab: -[]{}'\"\n\t&*!|>?,#"[(seed >> 16) % 22];
		}
		parse_n(&p, text, 1 + round % sizeof(text));
		assert_true(p.rc || p.err.code == ERR_NONE);
		release(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_laughs),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
