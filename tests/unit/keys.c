/* Names of keys, bytes of terminals to keys, and the line editor that they
 * reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../tui/keypad.h"
#include "../../tui/keys.h"
#include "../../tui/prompt.h"
#include "text.h"

/* The keys of a string, each behind a blank. */
static char *names(const char *s)
{
	struct buf b = {0};
	char name[KEY_BYTES];
	int rc;

	while ((rc = key_next(&s, name, NULL)) == 1)
		buf_addf(&b, "%s%s", b.n ? "|" : "", name);
	if (rc < 0)
		buf_adds(&b, "|wrong");
	return buf_take(&b);
}

static void assert_names(const char *s, const char *wanted)
{
	char *got = names(s);

	assert_string_equal(got, wanted);
	free(got);
}

static void written_keys(void **state)
{
	(void)state;
	assert_names("", "");
	assert_names("a:é日", "a|:|é|日");
	assert_names("<Enter><enter><ENTER>", "<Enter>|<Enter>|<Enter>");
	assert_names("<lt>><Space>", "<|>| ");
	assert_names("<C-x><c-X><M-x><M->>", "<C-x>|<C-x>|<M-x>|<M->>");
	assert_names("<C-i><C-m><C-h>", "<Tab>|<Enter>|<BS>");
	assert_names("<S-Tab><F1><F12><PgUp>", "<S-Tab>|<F1>|<F12>|<PgUp>");
}

static void wrong_keys(void **state)
{
	static const char *const wrong[] = {"<", "<Foo>", "<F13>", "<F0>", "a<",
	    "<C->", "<C-é>", "<M->", "<M-ab>", "<>", "\n", "\x1b", "\x7f",
	    "\xc2\x9b", "\xff", "\xe6\x97", "<Enter"};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		err = (struct err){0};
		assert_int_equal(keys_check(wrong[i], &err), -1);
		assert_int_equal(err.code, ERR_USAGE);
		assert_true(strlen(err.text) > 10);
	}
	assert_int_equal(keys_check("<C-^>abc<lt>", NULL), 0);
}

static void characters(void **state)
{
	(void)state;
	assert_int_equal(key_char("a"), 1);
	assert_int_equal(key_char("<"), 1);
	assert_int_equal(key_char("日"), 3);
	assert_int_equal(key_char("<Enter>"), 0);
}

/* ---- bytes ------------------------------------------------------------------- */

static char *decode(const char *bytes, size_t n, bool waited)
{
	struct keypad k;
	struct keypad_key key;
	struct buf b = {0};

	keypad_init(&k);
	keypad_learn(&k, "\033OA", "<Up>");
	keypad_learn(&k, "\033[33~", "<F5>");
	keypad_feed(&k, bytes, n);
	for (int i = 0; i < 2; i++) {
		while (keypad_take(&k, &key))
			buf_addf(&b, "%s%s%s", b.n ? "|" : "",
			    key.pasted ? "p:" : "", key.name);
		if (waited)
			nanosleep(&(struct timespec){.tv_nsec =
			    (KEYPAD_WAIT + 10) * 1000000L}, NULL);
	}
	buf_free(&k.in);
	return buf_take(&b);
}

static void assert_decoded(const char *bytes, size_t n, const char *wanted)
{
	char *got = decode(bytes, n, false);

	assert_string_equal(got, wanted);
	free(got);
}
#define DECODED(bytes, wanted) assert_decoded(bytes, sizeof(bytes) - 1, wanted)

static void bytes_to_keys(void **state)
{
	(void)state;
	DECODED("aé日", "a|é|日");
	DECODED("\r\n\t\x7f\b", "<Enter>|<Enter>|<Tab>|<BS>|<BS>");
	DECODED("\x01\x1a\x03", "<C-a>|<C-z>|<C-c>");
	DECODED("\033OA\033[A\033[1;5B", "<Up>|<Up>|<Down>");
	DECODED("\033[5~\033[6~\033[3~\033[1~\033[F", "<PgUp>|<PgDn>|<Del>|"
	    "<Home>|<End>");
	DECODED("\033OP\033[15~\033[24~\033[33~", "<F1>|<F5>|<F12>|<F5>");
	DECODED("\033[Z\033x\033é", "<S-Tab>|<M-x>|<M-é>");
	DECODED("\033[<0;5;7M\033[<64;1;1M\033[<0;5;7m", "<Click>|<Up>");
}

static void strange_bytes(void **state)
{
	(void)state;
	/* What nobody knows is swallowed whole: none of it is a key. */
	DECODED("\033[99;7xq", "q");
	DECODED("\033[?1;2cq", "q");
	DECODED("\xff\xc2q", "q");
	DECODED("\0q", "q");
}

static void pasted_text(void **state)
{
	(void)state;
	DECODED("\033[200~a\nb\033[201~c", "p:a|p: |p:b|c");
}

static void escape_alone(void **state)
{
	char *got = decode("\033", 1, false);

	(void)state;
	assert_string_equal(got, "");
	free(got);
	got = decode("\033", 1, true);
	assert_string_equal(got, "<Esc>");
	free(got);
	got = decode("\033[", 2, true);
	assert_true(!strncmp(got, "<Esc>", 5));
	free(got);
}

/* ---- the editor ----------------------------------------------------------------- */

static void type(struct prompt *p, const char *keys)
{
	char name[KEY_BYTES];

	while (key_next(&keys, name, NULL) == 1)
		prompt_key(p, name);
}

static void editing(void **state)
{
	struct prompt p = {0};

	(void)state;
	prompt_open(&p, PROMPT_LINE, ":", "");
	type(&p, "mesh");
	assert_string_equal(buf_str(&p.text), "mesh");
	type(&p, "<Home>x<End>y<Left><BS>");
	assert_string_equal(buf_str(&p.text), "xmesy");
	type(&p, "<C-u>");
	assert_string_equal(buf_str(&p.text), "y");
	type(&p, "<End> e\xcc\x81日<BS>");
	assert_string_equal(buf_str(&p.text), "y e\xcc\x81");
	type(&p, "<BS>");
	assert_string_equal(buf_str(&p.text), "y ");
	type(&p, "one two<C-w>");
	assert_string_equal(buf_str(&p.text), "y one ");
	type(&p, "<Home><Right><C-k>");
	assert_string_equal(buf_str(&p.text), "y");
	type(&p, "<Home><Del><Del><Left>");
	assert_string_equal(buf_str(&p.text), "");
	/* An empty line and one more backspace: it is left. */
	assert_int_equal(prompt_key(&p, "<BS>"), PROMPT_LEFT);
	assert_int_equal(prompt_key(&p, "<Esc>"), PROMPT_LEFT);
	assert_int_equal(prompt_key(&p, "<Enter>"), PROMPT_ENTERED);
	prompt_release(&p);
}

static void questions(void **state)
{
	static const char *const no[] = {"n", "N", "<Enter>", "x", "<Esc>",
	    "<C-c>"};
	struct prompt p = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
		prompt_open(&p, PROMPT_ASK, "sure? ", "");
		assert_int_equal(prompt_key(&p, no[i]), PROMPT_LEFT);
	}
	prompt_open(&p, PROMPT_ASK, "sure? ", "");
	assert_int_equal(prompt_key(&p, "<Down>"), PROMPT_NOTHING);
	assert_int_equal(prompt_key(&p, "y"), PROMPT_ENTERED);
	prompt_release(&p);
}

static char **words(size_t n, const char *const *from)
{
	char **v = xcalloc(n + 1, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = xstrdup(from[i]);
	return v;
}

static void candidates(void **state)
{
	static const char *const three[] = {"services", "series", "sources"};
	struct prompt p = {0};

	(void)state;
	prompt_open(&p, PROMPT_LINE, ":", "mesh s");
	prompt_offer(&p, words(3, three), 3);
	assert_string_equal(buf_str(&p.text), "mesh s");
	prompt_next_offer(&p, 1);
	assert_string_equal(buf_str(&p.text), "mesh services");
	prompt_next_offer(&p, 1);
	prompt_next_offer(&p, 1);
	prompt_next_offer(&p, 1);
	assert_string_equal(buf_str(&p.text), "mesh services");
	prompt_next_offer(&p, -1);
	assert_string_equal(buf_str(&p.text), "mesh sources");
	type(&p, "<C-w>ser");
	assert_false(prompt_offers(&p));
	prompt_offer(&p, words(2, three), 2);
	assert_string_equal(buf_str(&p.text), "mesh ser");
	type(&p, "v");
	prompt_offer(&p, words(1, three), 1);
	assert_string_equal(buf_str(&p.text), "mesh services ");
	prompt_offer(&p, words(0, three), 0);
	assert_string_equal(buf_str(&p.text), "mesh services ");
	prompt_release(&p);
}

static void history(void **state)
{
	char dir[] = "/tmp/kiban-keys-XXXXXX";
	struct prompt p = {0}, q = {0};
	struct stat st;
	char *path;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < HISTORY_MAX + 20; i++) {
		char line[32];
		snprintf(line, sizeof(line), "line %d", i);
		history_add(&p, dir, line);
	}
	history_add(&p, dir, "line 519");	/* twice is once */
	assert_int_equal(p.npast, HISTORY_MAX);
	/* Another console sees them, and both add. */
	history_read(&q, dir);
	assert_int_equal(q.npast, HISTORY_MAX);
	history_add(&q, dir, "of the other");
	history_add(&p, dir, "mine");
	prompt_open(&p, PROMPT_LINE, ":", "half");
	type(&p, "<Up>");
	assert_string_equal(buf_str(&p.text), "mine");
	type(&p, "<Up>");
	assert_string_equal(buf_str(&p.text), "of the other");
	type(&p, "<Down><Down>");
	assert_string_equal(buf_str(&p.text), "half");
	path = xasprintf("%s/history", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(path);
	free(path);
	assert_int_equal(rmdir(dir), 0);
	/* A folder that isn't there is no error. */
	history_add(&p, dir, "still");
	assert_string_equal(p.past[p.npast - 1], "still");
	prompt_release(&p);
	prompt_release(&q);
}

static void drawing(void **state)
{
	struct prompt p = {0};
	struct frame f = {0};
	struct buf b = {0};

	(void)state;
	frame_resize(&f, 10, 1);
	prompt_open(&p, PROMPT_LINE, ":", "0123456789日本\033[31m");
	prompt_draw(&p, &f, 0);
	assert_true(f.x > 0 && f.x < 10);
	frame_dump(&f, &b);
	assert_null(memchr(b.p, 0x1b, b.n));
	assert_int_equal(b.p[0], ':');
	/* The cursor at the start brings the start into sight. */
	type(&p, "<Home>");
	frame_clear(&f);
	prompt_draw(&p, &f, 0);
	assert_int_equal(f.x, 1);
	buf_free(&b);
	prompt_release(&p);
	frame_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_keys),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(characters),
		cmocka_unit_test(bytes_to_keys),
		cmocka_unit_test(strange_bytes),
		cmocka_unit_test(pasted_text),
		cmocka_unit_test(escape_alone),
		cmocka_unit_test(editing),
		cmocka_unit_test(questions),
		cmocka_unit_test(candidates),
		cmocka_unit_test(history),
		cmocka_unit_test(drawing),
	};

	text_setup(false, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
