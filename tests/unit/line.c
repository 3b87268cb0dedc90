/* The grammar: words, flags, values, sentences for what is refused; splitting,
 * quoting, filling; help and completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "line.h"
#include "shop.h"
#include "text.h"

static const struct registry shop = {.modules = shop_modules};
static bool at_prompt;

/* Splits text as sh does and parses it. */
static int try(struct line *l, const char *text, struct err *err)
{
	struct arena a = {0};
	const char **argv;
	int argc, rc;

	*err = (struct err){0};
	if (line_split(&a, text, &argv, &argc, err))
		fail_msg("%s", err->text);
	rc = at_prompt ? line_parse_prompt(&shop, argc, argv, l, err)
		       : line_parse(&shop, argc, argv, l, err);
	arena_free(&a);		/* the line keeps nothing of argv */
	return rc;
}

static void parse(struct line *l, const char *text)
{
	struct err err;

	if (try(l, text, &err))
		fail_msg("%s: %s", text, err.text);
}

static void good(const char *text)
{
	struct line l;

	parse(&l, text);
	line_release(&l);
}

/* Exit 2 with one sentence that holds all of it. */
static void bad(const char *text, const char *says, const char *also)
{
	struct line l;
	struct err err;

	if (!try(&l, text, &err))
		fail_msg("%s: was taken", text);
	assert_int_equal(err.code, ERR_USAGE);
	if (!strstr(err.text, says) || !strstr(err.text, also) ||
	    strpbrk(err.text, "\r\n\033") || !*err.text)
		fail_msg("%s: %s (wanted %s, %s)", text, err.text, says, also);
	line_release(&l);	/* is safe after a failure */
}

static int setup(void **state)
{
	(void)state;
	setenv("KIBAN_NOW", "2026-11-25T12:00:00Z", 1);
	setenv("TZ", "UTC", 1);
	at_prompt = false;
	return clock_init(NULL);
}

#define NOW INT64_C(1795608000000)

/* ---- words --------------------------------------------------------------- */

static void test_words(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "");
	assert_null(l.module);
	assert_null(l.view);
	assert_null(l.command);
	assert_int_equal(l.nargs, 0);
	assert_int_equal(l.flags.format, -1);
	assert_int_equal(l.flags.limit, -1);
	assert_int_equal(l.flags.timeout, -1);
	line_release(&l);
	parse(&l, "mesh");
	assert_ptr_equal(l.module, &shop_mesh);
	assert_null(l.view);
	line_release(&l);
	parse(&l, "mesh proxies");
	assert_ptr_equal(l.view, &shop_proxies);
	assert_int_equal(l.verb, VERB_LIST);
	line_release(&l);
	parse(&l, "mesh log-level a debug");
	assert_ptr_equal(l.command, &shop_log_level);
	assert_null(l.view);
	assert_int_equal(l.nargs, 2);
	assert_string_equal(l.args[1], "debug");
	assert_null(l.args[2]);
	line_release(&l);
	parse(&l, "findings mute mesh.x a --for 2h --because 'we know'");
	assert_ptr_equal(l.command, &shop_mute);
	assert_ptr_equal(l.module, &shop_core);
	assert_int_equal(l.nargs, 2);
	assert_string_equal(line_own(&l, "--for"), "2h");
	assert_string_equal(line_own(&l, "because"), "we know");
	assert_null(line_own(&l, "--until"));
	assert_string_equal(l.text,
	    "findings mute mesh.x a --for 2h --because 'we know'");
	line_release(&l);
}

static void test_verbs(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "mesh endpoints show a b 10.0.0.1:80");
	assert_int_equal(l.verb, VERB_SHOW);
	assert_int_equal(l.nargs, 3);
	line_release(&l);
	parse(&l, "mesh endpoints series weight a b c --since 2h");
	assert_int_equal(l.verb, VERB_SERIES);
	assert_string_equal(l.column, "weight");
	assert_int_equal(l.nargs, 3);
	assert_string_equal(l.args[0], "a");
	line_release(&l);
	/* A list and a command of one name: the list has the verbs. */
	parse(&l, "findings show mesh.x a");
	assert_ptr_equal(l.view, &shop_findings);
	line_release(&l);
	parse(&l, "findings --muted --sort rule");
	assert_ptr_equal(l.command, &shop_findings_list);
	assert_non_null(line_own(&l, "--muted"));
	line_release(&l);
	parse(&l, "changed mesh_proxy a b");
	assert_ptr_equal(l.view, &shop_changed);
	assert_int_equal(l.nargs, 3);
	line_release(&l);
	bad("mesh endpoints show a b", "proxy cluster address", "2 words");
	bad("mesh endpoints show", "0 words", "");
	bad("mesh endpoints series", "COLUMN", "");
	bad("mesh endpoints series wieght a b c", "\"wieght\"", "weight");
	bad("mesh endpoints series weight a b", "COLUMN proxy cluster address",
	    "3 words");
	bad("tasks series id 1", "tasks", "no past");
	bad("changed show x", "no key", "");
	bad("changed mesh_porxy", "\"mesh_porxy\"", "mesh_proxy");
	bad("journal mesh_proxy", "\"mesh_proxy\"", "show");
}

static void test_unknown_words(void **state)
{
	(void)state;
	bad("mehs", "\"mehs\"", "mesh");
	bad("finding", "\"finding\"", "findings");
	bad("mesh prox", "\"prox\" after mesh", "");
	bad("mesh proxie", "\"proxie\" after mesh", "the nearest is proxies");
	bad("mesh proxies shwo a", "\"shwo\" after mesh proxies", "show");
	bad("mesh proxies a", "\"a\"", "show, series");
	bad("findings mut x", "\"mut\" after findings", "mute");
	bad("context", "context goes on with", "list, use");
	bad("context lsit", "\"lsit\" after context", "list");
	bad("context list x", "\"x\" after context list", "too many");
	bad("context use", "NAME", "0 words were");
	bad("mesh log-level a b c d", "PROXY [LOGGER] LEVEL", "4 words were");
	bad("Mesh", "\"Mesh\"", "mesh");
	bad("''", "\"\"", "");
	bad("'a\nb\033[31m'", "unknown word", "");
	good("mesh pick a b c d e f");
	bad("mesh pick", "NAME", "0 words");
}

/* ---- flags --------------------------------------------------------------- */

static void test_flags(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "--context a,b mesh -o json proxies --limit=5 --where 'a = 1'"
	    " --where b=2 -q -v --sort proxy:desc --columns=a,b"
	    " --filter '!x' --timeout 500ms --offline --no-color --ascii"
	    " --config c.yaml --trace-http t --limit 7");
	assert_ptr_equal(l.view, &shop_proxies);
	assert_string_equal(l.flags.context, "a,b");
	assert_int_equal(l.flags.format, FORMAT_JSON);
	assert_int_equal(l.flags.limit, 7);
	assert_int_equal(l.flags.nwhere, 2);
	assert_string_equal(l.flags.where[0], "a = 1");
	assert_string_equal(l.flags.where[1], "b=2");
	assert_string_equal(l.flags.sort, "proxy:desc");
	assert_string_equal(l.flags.columns, "a,b");
	assert_string_equal(l.flags.filter, "!x");
	assert_int_equal(l.flags.timeout, 500);
	assert_true(l.flags.offline && l.flags.quiet && l.flags.verbose);
	assert_true(l.flags.no_color && l.flags.ascii);
	assert_string_equal(l.flags.config, "c.yaml");
	line_release(&l);
	parse(&l, "mesh proxies --where -1");
	assert_string_equal(l.flags.where[0], "-1");
	line_release(&l);
	parse(&l, "sql -");
	assert_string_equal(l.args[0], "-");
	line_release(&l);
	parse(&l, "mesh log-level -- --write -- debug");
	assert_int_equal(l.nargs, 3);
	assert_string_equal(l.args[0], "--write");
	assert_string_equal(l.args[1], "--");
	assert_false(l.flags.write);
	line_release(&l);
}

static void test_watch(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "mesh proxies --watch");
	assert_int_equal(l.flags.watch, 2000);
	line_release(&l);
	parse(&l, "mesh proxies --watch=0.2");
	assert_int_equal(l.flags.watch, 200);
	line_release(&l);
	bad("mesh proxies --watch=0.1", "--watch", "0.2");
	bad("mesh proxies --watch=", "--watch", "");
	bad("mesh proxies --watch=x", "\"x\"", "");
	bad("mesh proxies --watch 2", "\"2\"", "");
}

static void test_bad_values(void **state)
{
	(void)state;
	bad("mesh proxies -o jsn", "\"jsn\"", "json");
	bad("mesh proxies --limit x", "--limit", "\"x\"");
	bad("mesh proxies --limit -1", "--limit", "\"-1\"");
	bad("mesh proxies --limit 99999999999999999999", "--limit", "");
	bad("mesh proxies --limit", "--limit needs a value", "N");
	bad("mesh proxies --timeout soon", "--timeout", "\"soon\"");
	bad("mesh proxies --refresh=1", "--refresh takes no value", "");
	bad("mesh proxies --sort ''", "--sort", "empty");
	bad("findings --fail-on worse", "\"worse\"", "doubtful or bad");
	bad("--size 80", "--size", "COLSxROWS");
	bad("--size 80x", "--size", "");
	bad("--size 0x10", "--size", "");
	bad("--size 80x24x", "--size", "");
	bad("--size 2000x24", "--size", "1000");
	bad("mesh proxies --limt 5", "--limt", "--limit");
	bad("mesh proxies -5", "-5", "--");
	bad("mesh proxies -ojson", "-ojson", "");
	bad("findings mute x --fro 2h", "--fro", "--for");
	bad("findings mute x --for", "--for needs a value", "DUR");
	bad("findings --muted=yes", "--muted takes no value", "");
}

/* A flag that what is named doesn't take. */
static void test_fit(void **state)
{
	static const char *const rows[] = {"--where x", "--filter x",
	    "--sort x", "--limit 1", "--columns x", "--watch"};
	char *text;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		text = xasprintf("mesh log-level a b %s", rows[i]);
		bad(text, "mesh log-level doesn't take", "");
		free(text);
		text = xasprintf("context list %s", rows[i]);
		good(text);
		free(text);
	}
	bad("mesh proxies show a --where x", "mesh proxies show doesn't take",
	    "--where");
	bad("mesh proxies --since 1h", "--since", "mesh proxies");
	good("changed --since 1h");
	good("mesh proxies series version a --since 1h");
	bad("mesh proxies --fail-on bad", "--fail-on", "");
	good("findings --fail-on bad");
	bad("journal --fail-on bad", "--fail-on", "");
	bad("mesh proxies --dry-run", "--dry-run", "");
	bad("mesh proxies --write", "--write", "");
	bad("findings mute x --yes", "--yes", "");
	good("mesh log-level a b --dry-run --yes --confirm x --write");
	good("mesh proxies --screen --write");
	good("--write");
	good("mesh proxies --read-only");
	/* A command's own flag of a row flag's name. */
	good("mesh pick a --where x -r");
	bad("mesh pick a --sort x", "--sort", "");
}

static void test_own_before_words(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "--for 2h findings mute x");
	assert_ptr_equal(l.command, &shop_mute);
	assert_string_equal(line_own(&l, "--for"), "2h");
	assert_int_equal(l.nargs, 1);
	line_release(&l);
	parse(&l, "-r mesh pick --where y x");
	assert_int_equal(l.nargs, 1);
	assert_string_equal(line_own(&l, "-r"), "");
	assert_int_equal(l.flags.nwhere, 0);
	line_release(&l);
	parse(&l, "mesh pick x --where y --where z");
	assert_string_equal(line_own(&l, "--where"), "z");
	assert_int_equal(l.nown, 2);
	line_release(&l);
}

static void test_excluding(void **state)
{
	(void)state;
	bad("mesh proxies --refresh --offline", "--refresh", "--offline");
	bad("mesh log-level a b --write --read-only", "--write",
	    "--read-only");
	bad("mesh proxies --at now --refresh", "--at", "--refresh");
	bad("mesh log-level a b --at now", "mesh log-level", "--at");
	bad("tasks --at now", "tasks has no past", "--at");
	bad("context list --at now", "context list has no past", "");
	good("tasks --at now --screen");
	good("sql x --at now");
	good("mesh proxies --at now --offline");
}

static void test_times(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "mesh proxies --at '30m ago'");
	assert_int_equal(l.flags.at, NOW - 1800000);
	assert_string_equal(l.flags.at_text, "30m ago");
	line_release(&l);
	parse(&l, "changed --at 2026-11-25T11:00:00Z --since 10m");
	assert_int_equal(l.flags.at, NOW - 3600000);
	assert_int_equal(l.flags.since, NOW - 4200000);
	line_release(&l);
	parse(&l, "changed --since 2026-11-25T11:00:00Z");
	assert_int_equal(l.flags.since, NOW - 3600000);
	line_release(&l);
	bad("mesh proxies --at tomorrow", "--at", "tomorrow");
	bad("mesh proxies --at 2027-01-01T00:00:00Z", "--at", "2027");
	bad("changed --since whenever", "--since", "\"whenever\"");
	bad("changed --at 2026-11-25T11:00:00Z --since 2026-11-25T11:30:00Z",
	    "--since", "later");
}

static void test_help_flags(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "mesh log-level --help");	/* without its words */
	assert_true(l.flags.help);
	assert_ptr_equal(l.command, &shop_log_level);
	line_release(&l);
	parse(&l, "context -h");
	assert_true(l.flags.help);
	assert_int_equal(l.nargs, 1);
	line_release(&l);
	parse(&l, "--version");
	assert_true(l.flags.version);
	line_release(&l);
	bad("mesh proxeis --help", "\"proxeis\"", "proxies");
}

static void test_prompt(void **state)
{
	struct line l;

	(void)state;
	bad("quit", "\"quit\"", "");
	at_prompt = true;
	parse(&l, "quit");
	assert_ptr_equal(l.command, &shop_quit);
	line_release(&l);
	good("mesh proxies");
	at_prompt = false;
}

static void test_no_registry(void **state)
{
	const char *const argv[] = {"lake", "ls", "-r", "--config", "f",
	    "--limit", "x", "--context=a", "--until", "y", "-q"};
	struct line l;
	struct err err = {0};

	(void)state;
	assert_int_equal(line_parse(NULL, 11, argv, &l, &err), 0);
	assert_string_equal(l.flags.config, "f");
	assert_string_equal(l.flags.context, "a");
	assert_true(l.flags.quiet);
	assert_null(l.module);
	assert_string_equal(l.args[0], "lake");
	line_release(&l);
}

/* ---- splitting, quoting, filling ------------------------------------------- */

static void splits(const char *text, const char *want)
{
	struct arena a = {0};
	struct err err = {0};
	struct buf b = {0};
	const char **argv;
	int argc;

	if (line_split(&a, text, &argv, &argc, &err))
		fail_msg("%s: %s", text, err.text);
	for (int i = 0; i < argc; i++)
		buf_addf(&b, "%s<%s>", "", argv[i]);
	assert_null(argv[argc]);
	assert_string_equal(buf_str(&b), want);
	arena_free(&a);
	buf_free(&b);
}

static void test_split(void **state)
{
	static const char *const open[] = {"'a", "\"a", "a\\", "\"a\\\"", "'"};
	struct arena a = {0};
	const char **argv;
	struct err err;
	int argc;

	(void)state;
	splits("", "");
	splits("  a \t b\n", "<a><b>");
	splits("'a b' \"c d\" e\\ f", "<a b><c d><e f>");
	splits("a''b '' \"\"", "<ab><><>");
	splits("\"a\\\"b\\\\c\\n$x`\"", "<a\"b\\c\\n$x`>");
	splits("'a\\' \\' $HOME * # ;", "<a\\><'><$HOME><*><#><;>");
	splits("--where=\"a = 'b'\"", "<--where=a = 'b'>");
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(line_split(&a, open[i], &argv, &argc, &err),
		    -1);
		assert_int_equal(err.code, ERR_USAGE);
	}
	arena_free(&a);
}

/* What was quoted splits to the same word again. */
static void test_quote(void **state)
{
	static const char *const words[] = {"a", "", "a b", "it's", "''", "$x",
	    "a\"b\\", "~", "*", "line\nbreak", "-o", "#", "日本", "a=b:c/d"};
	struct arena a = {0};
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct buf b = {0};
		const char **argv;
		int argc;
		line_quote(&b, words[i]);
		assert_int_equal(line_split(&a, b.p, &argv, &argc, &err), 0);
		assert_int_equal(argc, 1);
		assert_string_equal(argv[0], words[i]);
		buf_free(&b);
	}
	arena_free(&a);
}

static struct cell text_cell(const char *s)
{
	return (struct cell){.tag = CELL_TEXT, .s = s, .n = strlen(s)};
}

/* bound with {service}, filled: the words, or NULL when it is refused. */
static void fills(const char *bound, struct cell value, const char *want)
{
	const char *const names[] = {"context", "service"};
	const struct cell cells[] = {text_cell("prod"), value};
	struct arena a = {0};
	struct err err = {0};
	struct buf b = {0};
	const char **argv;
	int argc, rc;

	rc = line_fill(&a, bound, names, cells, 2, &argv, &argc, &err);
	for (int i = 0; !rc && i < argc; i++)
		buf_addf(&b, "<%s>", argv[i]);
	if (rc && (want || err.code != ERR_USAGE))
		fail_msg("%s: %s", bound, err.text);
	if (!rc && (!want || strcmp(buf_str(&b), want)))
		fail_msg("%s: %s", bound, buf_str(&b));
	arena_free(&a);
	buf_free(&b);
}

static void test_fill(void **state)
{
	struct cell evil = text_cell("a' OR 1=1 --x \"; rm");
	struct cell n = {.tag = CELL_INT, .i = -3};
	struct cell null = {.tag = CELL_NULL};
	struct cell nul = {.tag = CELL_TEXT, .s = "a\0b", .n = 3};
	struct cell dash = text_cell("--write");

	(void)state;
	fills("mesh show {service} x", text_cell("a b"), "<mesh><show><a b><x>");
	fills("x{service}y{context}", text_cell("-"), "<x-yprod>");
	fills("m --where \"s = {service}\"", evil,
	    "<m><--where><s = 'a'' OR 1=1 --x \"; rm'>");
	fills("m --where='s = {service}'", evil,
	    "<m><--where=s = 'a'' OR 1=1 --x \"; rm'>");
	fills("m --where 's = {service}' {service}", n, NULL);
	fills("m --where 's = {service}'", n, "<m><--where><s = -3>");
	fills("m --where 's IS {service}'", null, "<m><--where><s IS NULL>");
	fills("m x{service}", null, "<m><x>");
	fills("m {service}", nul, NULL);
	fills("m {service}", dash, NULL);
	fills("m -- {service}", dash, "<m><--><--write>");
	fills("m --sort {service}", dash, "<m><--sort><--write>");
	fills("m --refresh {service}", dash, NULL);
	fills("m --watch {service}", dash, NULL);
	fills("m --columns={service}", dash, "<m><--columns=--write>");
	fills("m {nothing}", n, NULL);
	fills("m '{\"a\":1}' {} {A}", n, "<m><{\"a\":1}><{}><{A}>");
	fills("m 'open", n, NULL);
}

/* ---- the line again ------------------------------------------------------ */

static void commands(const char *text, const char *context, int64_t at,
    const char *want)
{
	struct line l, again;
	struct err err;
	char *s;

	parse(&l, text);
	s = line_command(&l, context, at);
	assert_string_equal(s, want);
	/* What is shown can be typed. */
	if (try(&again, s + strlen("kiban"), &err))
		fail_msg("%s: %s", s, err.text);
	assert_ptr_equal(again.view, l.view);
	assert_ptr_equal(again.command, l.command);
	assert_int_equal(again.nargs, l.nargs);
	line_release(&again);
	line_release(&l);
	free(s);
}

static void test_command(void **state)
{
	(void)state;
	commands("mesh proxies", "prod", 0, "kiban mesh proxies --context prod");
	commands("", NULL, 0, "kiban");
	commands("--at '30m ago' mesh proxies --context x -q --no-color",
	    "prod", 0,
	    "kiban mesh proxies --context prod --at 2026-11-25T11:30:00.000Z");
	commands("mesh proxies --refresh", "p", NOW - 1000,
	    "kiban mesh proxies --context p --at 2026-11-25T11:59:59.000Z");
	commands("changed --since 10m", "p", 0,
	    "kiban changed --context p --since 2026-11-25T11:50:00.000Z");
	commands("tasks", "p", NOW - 1000, "kiban tasks --context p");
	commands("mesh log-level 'a b' debug --write", "p", NOW - 1000,
	    "kiban mesh log-level 'a b' debug --context p --write");
	commands("mesh log-level --yes -- -x debug", "p", 0,
	    "kiban mesh log-level --context p --yes -- -x debug");
	commands("mesh endpoints --where \"a = 'b'\" --sort a:desc --limit 3"
	    " -o csv --watch=1.5", NULL, 0,
	    "kiban mesh endpoints -o csv --where 'a = '\\''b'\\''' --sort"
	    " a:desc --limit 3 --watch=1500ms");
	commands("findings mute x --for 2h --because ''", NULL, 0,
	    "kiban findings mute x --for 2h --because ''");
	commands("mesh endpoints series weight a b c", "p", 0,
	    "kiban mesh endpoints series weight a b c --context p");
	commands("findings --muted --fail-on bad", NULL, 0,
	    "kiban findings --fail-on bad --muted");
	commands("mesh proxies --filter ''\\''-x'", NULL, 0,
	    "kiban mesh proxies --filter ''\\''-x'");
}

/* ---- help ---------------------------------------------------------------- */

static void helps(const char *text, const char *const *says)
{
	struct line l;
	struct buf b = {0};

	parse(&l, text);
	line_help(&shop, &l, &b);
	for (; *says; says++)
		if (!strstr(b.p, *says))
			fail_msg("%s: no %s in\n%s", text, *says, b.p);
	for (char *p = strtok(b.p, "\n"); p; p = strtok(NULL, "\n"))
		if (text_width(p, strlen(p)) > 80)
			fail_msg("over 80: %s", p);
	buf_free(&b);
	line_release(&l);
}

static void test_help(void **state)
{
	(void)state;
	helps("--help", (const char *const[]){"usage: kiban", "mesh",
	    "services and the proxies", "findings mute RULE", "--context",
	    "--version", NULL});
	helps("mesh", (const char *const[]){"usage: kiban mesh", "proxies",
	    "the Envoys", "log-level PROXY [LOGGER] LEVEL", NULL});
	helps("mesh services --help", (const char *const[]){
	    "usage: kiban mesh services", "show service",
	    "series COLUMN service", "p99", "slowest of a hundred (latency, ms)",
	    "--where EXPR", NULL});
	helps("mesh proxies -h", (const char *const[]){"<Enter>",
	    "mesh endpoints --where", NULL});
	helps("findings mute -h", (const char *const[]){"--for DUR",
	    "--because TEXT", "usage: kiban findings mute RULE [OBJECT]",
	    NULL});
	helps("mesh log-level -h", (const char *const[]){"--dry-run",
	    "It changes things", NULL});
	helps("findings -h", (const char *const[]){"show rule object",
	    "--muted", "--fail-on", NULL});
	helps("context -h", (const char *const[]){"list", "use NAME", NULL});
}

static void test_help_leaves_out(void **state)
{
	struct line l;
	struct buf b = {0};

	(void)state;
	parse(&l, "tasks --help");
	line_help(&shop, &l, &b);
	assert_null(strstr(b.p, "--at "));
	assert_null(strstr(b.p, "--since"));
	assert_null(strstr(b.p, "--dry-run"));
	assert_null(strstr(b.p, "series"));
	buf_clear(&b);
	line_release(&l);
	parse(&l, "--help");
	line_help(&shop, &l, &b);
	assert_null(strstr(b.p, "quit"));
	buf_free(&b);
	line_release(&l);
}

/* ---- completion ---------------------------------------------------------- */

static void collect(void *arg, const char *word, const char *help)
{
	(void)help;
	buf_addf(arg, " %s", word);
}

/* The last word of text is the one that is typed; a blank ends the one
 * before. */
static void completes(const struct config *c, const char *text,
    const char *want)
{
	struct arena a = {0};
	struct err err = {0};
	struct buf b = {0};
	const char **argv, *words[20];
	int argc;

	if (line_split(&a, text, &argv, &argc, &err))
		fail_msg("%s", err.text);
	for (int i = 0; i < argc; i++)
		words[i] = argv[i];
	if (!*text || text[strlen(text) - 1] == ' ')
		words[argc++] = "";
	if (at_prompt)
		line_complete_prompt(&shop, c, NULL, argc, words, collect, &b);
	else
		line_complete(&shop, c, NULL, argc, words, collect, &b);
	if (strcmp(buf_str(&b), want))
		fail_msg("%s:%s, wanted%s", text, buf_str(&b), want);
	arena_free(&a);
	buf_free(&b);
}

static void test_complete(void **state)
{
	struct context x[] = {{.name = "prod", .origin = "config"},
	    {.name = "pre", .origin = "config"}, {.name = "local",
	    .origin = "built in"}};
	struct config c = {.contexts = x, .ncontexts = 3};
	struct buf none = {0};

	(void)state;
	completes(&c, "m", " mesh");
	completes(&c, "mesh ", " services proxies endpoints log-level pick");
	completes(&c, "mesh p", " proxies pick");
	completes(&c, "mesh proxies ", " show series");
	completes(&c, "mesh proxies s", " show series");
	completes(&c, "mesh proxies series ver", " version");
	completes(&c, "con", " context");
	completes(&c, "context ", " list use");
	completes(&c, "findings m", " mute");
	completes(&c, "q", "");
	completes(&c, "mesh proxies --context p", " prod pre");
	completes(&c, "mesh proxies --context=p", " --context=prod"
	    " --context=pre");
	completes(&c, "mesh proxies --context prod,l", " prod,local");
	completes(&c, "mesh proxies --context a", " all");
	completes(&c, "mesh proxies -o nd", " ndjson");
	completes(&c, "mesh proxies --columns proxy,v", " proxy,version");
	completes(&c, "mesh proxies --sort s", " status seen");
	completes(&c, "context list --columns ", " name");
	completes(&c, "mesh proxies --lim", " --limit");
	completes(&c, "mesh log-level --dr", " --dry-run");
	completes(&c, "mesh proxies --dr", "");
	completes(&c, "mesh proxies --limit ", "");
	completes(&c, "findings mute x --f", " --for");
	completes(&c, "findings mute x --for ", "");
	completes(&c, "findings --fail-on ", " doubtful bad");
	completes(&c, "mesh nonsense ", "");
	completes(NULL, "mesh proxies --context p", "");
	completes(&c, "mesh proxies show ", "");	/* no cache */
	line_complete(&shop, &c, NULL, 0, NULL, collect, &none);
	assert_non_null(strstr(none.p, " mesh"));
	buf_free(&none);
	at_prompt = true;
	completes(&c, "q", " quit");
	at_prompt = false;
}

/* ---- rubbish ------------------------------------------------------------- */

static void test_rubbish(void **state)
{
	static const char *const words[] = {"mesh", "proxies", "show",
	    "series", "--where", "--", "-", "--watch=1", "", "=", "--=", "-o",
	    "findings", "mute", "--for", "context", "use", "--at", "now",
	    "--help", "\xff\xfe", "\033[2J", "--limit=-1", "a\nb", "--context",
	    "changed", "--since", "1h", "-\xff"};
	const char *argv[12];
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 30000; round++) {
		struct line l;
		struct err err = {0};
		struct buf b = {0};
		int argc = round % 12;
		for (int i = 0; i < argc; i++) {
			seed = seed * 1103515245u + 12345u;
			argv[i] = words[(seed >> 16) %
			    (sizeof(words) / sizeof(*words))];
		}
		line_complete(&shop, NULL, NULL, argc, argv, collect, &b);
		if (line_parse(&shop, argc, argv, &l, &err)) {
			assert_int_equal(err.code, ERR_USAGE);
			if (strpbrk(err.text, "\n\r\033"))
				fail_msg("%s", err.text);
		} else {
			char *s = line_command(&l, "p", 0);
			line_help(&shop, &l, &b);
			free(s);
		}
		line_release(&l);
		buf_free(&b);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_words),
		TEST(test_verbs),
		TEST(test_unknown_words),
		TEST(test_flags),
		TEST(test_watch),
		TEST(test_bad_values),
		TEST(test_fit),
		TEST(test_own_before_words),
		TEST(test_excluding),
		TEST(test_times),
		TEST(test_help_flags),
		TEST(test_prompt),
		TEST(test_no_registry),
		TEST(test_split),
		TEST(test_quote),
		TEST(test_fill),
		TEST(test_command),
		TEST(test_help),
		TEST(test_help_leaves_out),
		TEST(test_complete),
		TEST(test_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
