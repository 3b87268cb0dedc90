/* The screen as --play runs it, over a real cache: every list of every module
 * against its table, and what keys and lines do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tui/place.h"
#include "../../tui/screen.h"
#include "core.h"
#include "find.h"
#include "text.h"
#include "view.h"

extern const struct module mesh_module;

#define NOW	1795565647250LL		/* 2026-11-25T00:14:07.250Z */
#define MINUTE	60000LL

/* ---- a module of our own --------------------------------------------------------- */

static int ask_run(struct run *r, struct err *err)
{
	const struct cell row[2] = {run_s("thing"), run_s("done")};

	if (!r->face->ask(r, "one line of a plan\nreally?", NULL))
		return err_set(err, ERR_FAILED, "declined");
	return run_row(r, row, err);
}

static int name_run(struct run *r, struct err *err)
{
	const struct cell row[2] = {run_s("thing"), run_s("gone")};

	if (!r->face->ask(r, "this can't be undone.", "thing"))
		return err_set(err, ERR_FAILED, "declined");
	return run_row(r, row, err);
}

static int sleep_run(struct run *r, struct err *err)
{
	return task_sleep(r->task, 60000, err);
}

static int text_run(struct run *r, struct err *err)
{
	return run_text(r, "first line\nsecond \x1b[31mline\nthird\n", err);
}

static const struct column done_columns[] = {
	{.name = "what", .help = "what"}, {.name = "outcome", .help = "how"},
	{0},
};
static const struct command ask_command = {
	.name = "ask", .help = "asks", .columns = done_columns,
	.run = ask_run,
};
static const struct command name_command = {
	.name = "name", .help = "wants a name", .columns = done_columns,
	.run = name_run,
};
static const struct command sleep_command = {
	.name = "sleep", .help = "sleeps", .run = sleep_run,
};
static const struct command text_command = {
	.name = "text", .help = "prints", .run = text_run,
};

static const struct kind thing_kind = {
	.name = "toy_thing", .help = "a thing", .object = "name",
	.fields = (const struct field[]){
		{"name", ROLE_KEY, TYPE_TEXT, .help = "its name"},
		{"state", ROLE_FACT, TYPE_TEXT, .help = "its state",
		    .suspect = 50},
		{"note", ROLE_FACT, TYPE_TEXT, .help = "about it"},
		{"load", ROLE_METRIC, TYPE_NUMBER, .help = "how much"},
		{0},
	},
	.every = 5000,
};
static const struct view things_view = {
	.name = "things", .help = "things",
	.sql = "SELECT context, name, state, load, note, seen FROM toy_thing",
	.kind = "toy_thing",
	.columns = (const struct column[]){
		{.name = "name", .flags = COLUMN_LINK, .help = "its name"},
		{.name = "state", .rank = 1, .help = "its state"},
		{.name = "load", .type = TYPE_NUMBER, .decimals = 1,
		    .help = "how much"},
		{.name = "note", .flags = COLUMN_WIDE, .help = "about it"},
		{0},
	},
	.keys = (const struct bind[]){
		{"<Enter>", "toy things --where \"name = {name}\"", "alone"},
		{"o", "toy others", "others"},
		{"p", "toy things show {name} ", "prompt"},
		{0},
	},
	.empty = "No things: name some.",
};
static const struct view others_view = {
	.name = "others", .help = "other things",
	.sql = "SELECT context, name, state, seen FROM toy_thing WHERE 0",
	.kind = "toy_other", .every_of = "toy_thing",
	.key = (const char *const[]){"name", NULL},
	.columns = (const struct column[]){
		{.name = "name", .help = "its name"},
		{.name = "state", .help = "its state"},
		{0},
	},
	.empty = "No others: there never are.",
};
static const struct rule stuck_rule = {
	.id = "toy.stuck", .kind = "toy_thing", .severity = SEVERITY_BAD,
	.sql = "SELECT context, name, name AS object FROM toy_thing WHERE "
	    "state = 'stuck'",
	.reason = "is stuck", .command = "toy things show {name}",
	.help = "a thing that is stuck",
};
static const struct module toy_module = {
	.name = "toy", .help = "for tests",
	.kinds = (const struct kind *const[]){&thing_kind, NULL},
	.views = (const struct view *const[]){&things_view, &others_view, NULL},
	.rules = (const struct rule *const[]){&stuck_rule, NULL},
	.commands = (const struct command *const[]){&ask_command,
	    &name_command, &sleep_command, &text_command, NULL},
	.home = "things", .home_columns = "name,state,load",
};
static const struct module *const modules[] = {&core_module, &mesh_module,
    &toy_module, NULL};

static struct session session = {.registry.modules = modules};
static char dir[] = "/tmp/kiban-screen-XXXXXX";

/* ---- rows -------------------------------------------------------------------------- */

static const char *const names[] = {"alpha", "bravo", "日本の店", "delta",
    "e\xcc\x81" "cho", "fox\x1b[31mtrot", "golf", "hotel"};
#define THINGS 8

static void merge_things(struct cache *c, int64_t t, int round)
{
	struct merge *m = merge_begin(c, &thing_kind, "t", "all", t, 0);
	struct err err = {0};

	for (int i = 0; i < THINGS; i++) {
		bool stuck = i == 3 && round > 0;
		merge_text(m, "name", names[i], -1);
		merge_text(m, "state", stuck ? "stuck" : "fine", -1);
		merge_text(m, "note", i == 2 ? "wide 幅" : "plain", -1);
		merge_real(m, "load", (i * 37) % 11 + round * 0.5);
		assert_int_equal(merge_row(m, &err), 0);
	}
	assert_int_equal(merge_end(m, &err), 0);
}

static void merge_field(struct merge *m, const struct field *f, int i,
    int round)
{
	static const struct bin bins[] = {{1, 10}, {5, 20}, {25, 21}};
	char text[64];

	snprintf(text, sizeof(text), "%s-%d%s", f->name, i,
	    i == 4 ? "-\xe5\xb9\x85\x1b" : "");
	if (f->flags & FIELD_BINS)
		merge_bins(m, f->name, bins, 3);
	else if (f->type == TYPE_TEXT || f->type == TYPE_ANY)
		merge_text(m, f->name, text, -1);
	else if (f->type == TYPE_LIST)
		merge_text(m, f->name, i % 2 ? "[\"a\",\"b\"]" : "[]", -1);
	else if (f->type == TYPE_OBJECT)
		merge_text(m, f->name, "{}", -1);
	else if (f->type == TYPE_TIME)
		merge_int(m, f->name, NOW + i * 86400000LL);
	else if (f->type == TYPE_BOOL)
		merge_int(m, f->name, i % 2);
	else if (f->role == ROLE_KEY)
		merge_int(m, f->name, i);
	else
		merge_int(m, f->name, i * 1000 + round *
		    (f->role == ROLE_METRIC ? 100 : 0));
}

struct filling {
	struct cache	*cache;
	int64_t		 t;
	int		 round;
};

static int fill_kind(void *arg, const struct module *m, const struct kind *k)
{
	struct filling *f = arg;
	struct err err = {0};
	struct merge *x;

	if (k == &thing_kind || !*m->name)
		return 0;
	x = merge_begin(f->cache, k, "t", "all", f->t, 0);
	for (int i = 0; i < 12; i++) {
		for (const struct field *e = k->fields; e->name; e++)
			merge_field(x, e, i, f->round);
		assert_int_equal(merge_row(x, &err), 0);
	}
	if (merge_end(x, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static struct cache *open_cache(void)
{
	struct err err = {0};
	struct cache *c = session_cache(&session, &err);

	if (!c)
		fail_msg("%s", err.text);
	return c;
}

static void fill_cache(void)
{
	struct cache *c = open_cache();
	const struct context *t = config_context(&session.config, "t");
	struct buf note = {0};
	struct err err = {0};

	for (int round = 0; round < 3; round++) {
		struct filling f = {c, NOW - (2 - round) * MINUTE - 1000,
		    round};
		registry_each_kind(&session.registry, fill_kind, &f);
		merge_things(c, f.t, round);
		assert_int_equal(find_evaluate(&session, c, t, f.t, NULL,
		    &note, &err), 0);
	}
	assert_string_equal(buf_str(&note), "");
	cache_close(c);
}

/* ---- playing ----------------------------------------------------------------------- */

static int try_play(const char *words, const char *keys, int cols, int rows,
    struct buf *out, struct err *err)
{
	struct arena a = {0};
	struct line line;
	const char **argv;
	int argc, rc;

	assert_int_equal(line_split(&a, words, &argv, &argc, err), 0);
	rc = line_parse(&session.registry, argc, argv, &line, err);
	if (rc == 0) {
		rc = screen_play(&session, &line, keys, cols, rows, out, err);
		line_release(&line);
	}
	arena_free(&a);
	return rc;
}

static char *play_at(const char *words, const char *keys, int cols, int rows)
{
	struct buf out = {0};
	struct err err = {0};
	int lines = 0;

	if (try_play(words, keys, cols, rows, &out, &err) < 0)
		fail_msg("%s: %s", keys, err.text);
	for (size_t i = 0; i < out.n; i++) {
		lines += out.p[i] == '\n';
		assert_true((unsigned char)out.p[i] >= 0x20 ||
		    out.p[i] == '\n');
		assert_false(out.p[i] == '\n' && i && out.p[i - 1] == ' ');
	}
	assert_int_equal(lines, rows);
	return buf_take(&out);
}

static char *play(const char *words, const char *keys)
{
	return play_at(words, keys, 80, 24);
}

static char *line_of(const char *frame, int n)
{
	for (; n; n--)
		frame = strchr(frame, '\n') + 1;
	return xstrndup(frame, strcspn(frame, "\n"));
}

static void expect_line(const char *words, const char *keys, int n,
    const char *wanted)
{
	char *frame = play(words, keys), *line = line_of(frame, n);

	assert_string_equal(line, wanted);
	free(line);
	free(frame);
}

static void expect(const char *words, const char *keys, const char *wanted)
{
	char *frame = play(words, keys);

	if (!strstr(frame, wanted))
		fail_msg("%s: no \"%s\" in\n%s", keys, wanted, frame);
	free(frame);
}

static void expect_not(const char *words, const char *keys, const char *text)
{
	char *frame = play(words, keys);

	if (strstr(frame, text))
		fail_msg("%s: \"%s\" in\n%s", keys, text, frame);
	free(frame);
}

/* ---- the screen is the table ---------------------------------------------------------- */

static int put_buf(void *arg, const char *p, size_t n, struct err *err)
{
	(void)err;
	buf_add(arg, p, n);
	return 0;
}

static void table_of(struct cache *c, const struct view *v, bool wide,
    struct buf *out)
{
	struct view_ask ask = {.limit = -1};
	struct how how = {.format = wide ? FORMAT_WIDE : FORMAT_TABLE,
	    .hold = true};
	const char *contexts[] = {"t"};
	const struct cell *cells;
	struct err err = {0};
	size_t n;
	struct column *columns = view_columns(v, &n);
	char *sql = view_select(&session.registry, v, &ask, &err);
	struct writer *w = writer_new(&how, columns, n, put_buf, out);
	struct query *q;

	assert_int_equal(cache_aim(c, contexts, 1, 0, strcmp(v->name,
	    "journal") ? NOW - 30 * MINUTE : 0, &err), 0);
	q = query_new(c, sql, 0, 0, NULL, &err);
	if (!q)
		fail_msg("%s: %s", v->name, err.text);
	while (query_step(q, &cells, &err) == 1)
		assert_int_equal(writer_row(w, cells, &err), 0);
	assert_int_equal(writer_end(w, &err), 0);
	writer_free(w);
	query_free(q);
	free(sql);
	free(columns);
}

static int widest(const char *text)
{
	int most = 0;

	while (*text) {
		size_t n = strcspn(text, "\n");
		int w = text_width(text, n);
		most = w > most ? w : most;
		text += n + (text[n] == '\n');
	}
	return most;
}

/* tasks shows the screen's own reading: never twice the same. */
static int compare(void *arg, const struct module *m, const struct view *v)
{
	struct cache *c = arg;

	if (!strcmp(v->name, "tasks"))
		return 0;
	for (int wide = 0; wide < 2; wide++) {
		struct buf table = {0};
		char *words = xasprintf("%s %s%s", m->name, v->name,
		    wide ? " -o wide" : ""), *frame;
		table_of(c, v, wide, &table);
		if (table.n && widest(buf_str(&table)) <= 300) {
			const char *body;
			frame = play_at(words, "", 300, 100);
			body = strchr(frame, '\n') + 1;
			if (strncmp(body, buf_str(&table), table.n))
				fail_msg("%s\n%s\n%s", words, body,
				    buf_str(&table));
			free(frame);
		}
		free(words);
		buf_free(&table);
	}
	return 0;
}

static void every_list_is_its_table(void **state)
{
	struct cache *c = open_cache();

	(void)state;
	registry_each_view(&session.registry, compare, c);
	cache_close(c);
}

/* ---- places ------------------------------------------------------------------------------ */

static void home(void **state)
{
	char *frame;

	(void)state;
	expect_line("", "", 0, " kiban  t WRITE › home                       "
	    "         00:14:07 UTC  data 1s old");
	expect("", "", "   FINDINGS");
	expect("", "", " x toy     delta");
	frame = play_at("", "", 80, 80);
	assert_non_null(strstr(frame, "\n   TOY"));
	assert_non_null(strstr(frame, "   CHANGED in the last 30 minutes"));
	free(frame);
	expect("home", "", "   FINDINGS");
	/* Enter on the finding opens what it is about. */
	expect("", "<Enter>", "toy › things › delta");
	expect("", "!", " x toy     delta");
	expect_not("", "!", "   golf");
	expect("", "/golf<Enter>", "   golf");
	expect_not("", "/golf<Enter>", "hotel");
}

static void a_list(void **state)
{
	(void)state;
	expect_line("toy things", "", 1, "   name             state  load");
	expect_line("toy things", "", 2, "   alpha            fine    1.0");
	expect_line("toy things", "", 4, " x delta            stuck   2.0");
	expect("toy things", "", "fox\\x1b[31mtrot");
	expect("toy things", "", "1/8");
	expect("toy things", "<End>", "8/8");
	expect("toy things", "<Down><Down><Up>", "2/8");
	expect("toy things", "w", "note");
	expect("toy others", "", "No others: there never are.");
	expect("toy things", "<Enter>", "1/1");
	expect("toy things", "o", "toy › others");
	expect("toy things", "p", ":toy things show alpha");
}

static void sort_filter_faults_marks(void **state)
{
	(void)state;
	expect_line("toy things", ":sort load:desc<Enter>", 1,
	    "   name             state  load↓");
	expect_line("toy things", ":sort load:desc<Enter>", 2,
	    "   fox\\x1b[31mtrot  fine    10.0");
	expect("toy things", "sload:desc<Enter>", "sort load desc");
	expect("toy things", ":sort nosuch<Enter>", "no column \"nosuch\"");
	/* The selection stays on its row. */
	expect("toy things", "<Down><Down><Down>:sort load<Enter>", "5/8");
	expect("toy things", "/^[ab]<Enter>", "1/2");
	expect("toy things", "/!fine<Enter>", "1/1");
	expect("toy things", "/(<Enter>", "/8");
	expect("toy things", "/zzz<Enter>", "None of 8 rows is left");
	expect("toy things --filter stuck", "", "1/1");
	expect("toy things", "!", "1/1");
	expect("toy things", "!!", "3/8");
	expect("toy things", "<Space><Space>", "2 marked");
	expect_line("toy things", "<Space>", 2,
	    "*  alpha            fine    1.0");
	expect("toy things", "<Space><Up><Space>", "2/8");
	expect("toy things", "<Space><Down><Space>:diff<Enter>", "alpha  delta");
	expect("toy things", ":diff<Enter>", "diff wants two marked rows");
	expect("toy things --limit 3", "", "1/3");
}

static void escape_closes_in_order(void **state)
{
	(void)state;
	expect("toy things", "/alpha<Enter>:mesh<Esc>", "1/1");
	expect("toy things", "/alpha<Enter>:mesh<Esc><Esc>", "1/8");
	expect("toy things", "/alpha<Enter><Esc><Esc>", "FINDINGS");
	expect("toy things", "<Esc><Esc><Esc>", "FINDINGS");
	expect("toy things", "q", "FINDINGS");
	/* After the end it is the frame before. */
	expect("toy things", "qq", "FINDINGS");
	expect("toy things", ":quit<Enter>", "alpha");
	expect("toy things", ":q<Enter>xyz", "alpha");
}

static void history(void **state)
{
	(void)state;
	expect("toy things", ":toy others<Enter>[", "1/8");
	expect("toy things", ":toy others<Enter>[]", "toy › others");
	expect("toy things", ":toy others<Enter>-", "1/8");
	expect("toy things", ":toy others<Enter>--", "toy › others");
	expect("", "]", "nothing is forward");
	/* A line takes what was forward. */
	expect("toy things", ":toy others<Enter>[:findings<Enter>]",
	    "nothing is forward");
	expect("toy things", "<End>:toy others<Enter>[", "8/8");
}

static void detail(void **state)
{
	(void)state;
	expect_line("toy things", "d", 1, "   field    value");
	expect("toy things", "d", "toy › things › alpha");
	expect("toy things show 日本の店", "", "wide 幅");
	expect("toy things show nosuch", "", "has no row nosuch");
	expect("toy things", "y", "- context: t");
	expect("toy things", "dy", "name: alpha");
	expect("toy things -o json", "", "{\"context\":\"t\"");
	expect("toy things", "D", "timeline › toy_thing › alpha");
	expect("toy things", "v", "toy › things › alpha › load");
	expect("toy things", "v", "3 samples");
}

static void time_travel(void **state)
{
	(void)state;
	expect("toy things", "T00:12:30<Enter>",
	    " AT 00:12:30 UTC (1m ago)  t › toy › things");
	expect_not("toy things", "T00:12:30<Enter>", "stuck");
	expect("toy things", "T00:12:30<Enter>T<Enter>", "stuck");
	expect("toy things", "T00:12:30<Enter><Esc>", "AT 00:12:30");
	expect("toy things", ":time 00:12:30<Enter>:time now<Enter>", "stuck");
	expect("toy things --at 00:12:30", "", "AT 00:12:30");
	expect("toy things", "Tnonsense<Enter>", "nonsense");
	expect("toy things", "T2030-01-01<Enter>", "2030");
	expect("sources", "T00:12:30<Enter>", "now");
	/* To the changes of what is shown, and on to now. */
	expect("toy things", "<lt>", "AT 00:13:06");
	expect("toy things", "<lt>>", "kiban  t");
	expect("toy things", ">", "this is now");
	expect("changed", "/stuck<Enter><Enter>", "AT 00:13:06");
}

static void commands(void **state)
{
	(void)state;
	expect("", ":toy text<Enter>", "second \\x1b[31mline");
	expect("", ":toy text<Enter>/third<Enter>", "line 1/1");
	expect("", ":sql 'select 1 as one, 2 as two'<Enter>", "one  two");
	expect("", ":sql 'select nosuch'<Enter>", "nosuch");
	expect("", ":toy ask<Enter>", "really? [y/N]");
	expect("", ":toy ask<Enter>", "one line of a plan");
	expect("", ":toy ask<Enter>y", "thing  done");
	expect("", ":toy ask<Enter>n", "declined");
	expect("", ":toy ask<Enter><Enter>", "declined");
	expect("", ":toy ask<Enter><Esc>", "declined");
	expect("", ":toy name<Enter>thing<Enter>", "thing  gone");
	expect("", ":toy name<Enter>thin<Enter>", "declined");
	expect("", ":toy name<Enter><Enter>", "declined");
	expect("", ":nosuch<Enter>", "unknown word \"nosuch\"");
	expect("", ":toy thing<Enter>", "the nearest is things");
	expect("", ":toy things 'open<Enter>", "is not closed");
	expect("", ":wide now<Enter>", "wide takes no words");
	expect("", ":toy<Enter>", "for tests");
	expect("", "?", "Keys everywhere");
	expect("", "Z", "Z means nothing here");
	expect("toy things", ":kiban toy others<Enter>", "toy › others");
	expect("toy things", "C", "kiban toy things --context t");
	expect("toy things", "/fine<Enter>:sort load:desc<Enter>C",
	    "kiban toy things --context t --filter fine --sort load:desc");
	expect("toy things", "T00:12:30<Enter>C",
	    "--at 2026-11-25T00:12:30.000Z");
}

static void completion(void **state)
{
	(void)state;
	expect("", ":to<Tab>", ":toy");
	expect("", ":toy th<Tab>", ":toy things");
	expect("toy things", ":sort lo<Tab>", ":sort load");
	expect("", ":refr<Tab>", ":refresh");
	expect("", ":toy things<Enter>:<Up>", ":toy things");
}

static void errors(void **state)
{
	struct buf out = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(try_play("", "<Foo>", 80, 24, &out, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	err = (struct err){0};
	assert_int_equal(try_play("--context nosuch", "", 80, 24, &out, &err),
	    -1);
	assert_int_equal(err.code, ERR_USAGE);
	err = (struct err){0};
	assert_int_equal(try_play("--timeout 300ms", ":toy sleep<Enter>", 80,
	    24, &out, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_int_equal(out.n, 0);
	expect("toy things --where 'nosuch = 1'", "", "nosuch");
	expect("toy things --where \"name = 'x'\"", "", "No row is where");
}

static void exports(void **state)
{
	char *path = xasprintf("%s/out.csv", dir);
	char *keys = xasprintf(":export %s<Enter>", path);
	char *wrong = xasprintf(":export %s/none/out.csv<Enter>", dir);
	char text[400] = "";
	struct stat st;
	FILE *f;

	(void)state;
	expect("toy things", "x", ":export");
	expect("toy things", ":export out.doc<Enter>", "names no format");
	expect("toy things", wrong, "No such file");
	expect("toy things", keys, "wrote 8 rows");
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_int_equal(strncmp(text, "context,name,state,load,note,status,"
	    "seen\nt,alpha,fine,1,", 50), 0);
	unlink(path);
	expect("toy things", "/nosuch<Enter>", "0/0");
	expect("", keys, "no rows to export here");
	assert_int_equal(stat(path, &st), -1);
	expect("toy things", "c", "copied");
	free(wrong);
	free(keys);
	free(path);
}

static void sizes(void **state)
{
	static const int size[][2] = {{40, 10}, {80, 24}, {120, 36}, {200, 60},
	    {300, 100}, {40, 100}, {300, 10}};
	static const char *const words[] = {"", "toy things", "changed",
	    "mesh endpoints", "toy things show alpha",
	    "toy things series load alpha", "toy things -o yaml", "sources"};
	char *frame;

	(void)state;
	for (size_t i = 0; i < sizeof(size) / sizeof(*size); i++)
		for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++) {
			frame = play_at(words[k], ":x", size[i][0],
			    size[i][1]);
			assert_true(widest(frame) <= size[i][0]);
			free(frame);
		}
	frame = play_at("", "", 39, 10);
	assert_non_null(strstr(frame, "too small"));
	free(frame);
	frame = play_at("", "", 1, 1);
	free(frame);
}

static void narrow_lines(void **state)
{
	char *frame = play_at("toy things", "", 40, 10), *line;

	(void)state;
	line = line_of(frame, 0);
	assert_string_equal(line, " t WRITE › things      00:14:07  1s old");
	free(line);
	line = line_of(frame, 9);
	assert_string_equal(line, " 1/8  Enter alone  T time  ? help");
	free(line);
	free(frame);
}

static void ascii(void **state)
{
	char *frame;

	(void)state;
	text_setup(true, false);
	frame = play("toy things", "/alpha<Enter>");
	for (char *p = frame; *p; p++)
		assert_true((unsigned char)*p < 0x80);
	free(frame);
	text_setup(false, false);
}

/* ---- a console that stays open ------------------------------------------------------------- */

static void settle(struct screen *s)
{
	for (int i = 0; i < 200; i++) {
		screen_turn(s, desk_turn(s->desk));
		if (!desk_busy(s->desk) && !s->moved)
			return;
		usleep(5000);
	}
	fail_msg("it never settles");
}

static void press(struct screen *s, const char *keys)
{
	char name[KEY_BYTES];

	while (key_next(&keys, name, NULL) == 1) {
		screen_key(s, name, false);
		settle(s);
	}
}

static char *shown(struct screen *s)
{
	struct buf b = {0};

	screen_draw(s);
	frame_dump(&s->frame, &b);
	return buf_take(&b);
}

static void refreshes(void **state)
{
	struct line start = {.flags = {.format = -1, .limit = -1,
	    .timeout = -1}};
	struct cache *c = open_cache();
	struct screen s;
	struct err err = {0};
	char *before, *after;

	(void)state;
	screen_init(&s, &session, &start, 80, 24, true);
	assert_int_equal(screen_begin(&s, &err), 0);
	settle(&s);
	press(&s, ":toy things<Enter>:sort load<Enter><Down><Down>");
	before = shown(&s);
	assert_non_null(strstr(before, "3/8"));
	/* Nothing moved: the same frame. */
	s.moved = true;
	settle(&s);
	after = shown(&s);
	assert_string_equal(before, after);
	free(after);
	/* A row comes in above: the selection is still on its own. */
	char *key = xstrdup(before);
	int y = s.frame.y;
	free(line_of(key, y));
	struct merge *m = merge_begin(c, &thing_kind, "t", "more", NOW - 500,
	    0);
	merge_text(m, "name", "aaa", -1);
	merge_real(m, "load", -5);
	assert_int_equal(merge_row(m, &err), 0);
	assert_int_equal(merge_end(m, &err), 0);
	s.moved = true;
	settle(&s);
	after = shown(&s);
	assert_non_null(strstr(after, "4/9"));
	char *was = line_of(before, y), *is = line_of(after, s.frame.y);
	assert_string_equal(was, is);
	free(was);
	free(is);
	free(key);
	free(before);
	free(after);
	assert_int_equal(cache_drop_scope(c, &thing_kind, "t", "more", NOW - 400,
	    &err), 0);
	screen_release(&s);
	cache_close(c);
}

static void cancels(void **state)
{
	struct line start = {.flags = {.format = -1, .limit = -1,
	    .timeout = -1}};
	struct screen s;
	struct err err = {0};
	char *frame;

	(void)state;
	screen_init(&s, &session, &start, 80, 24, true);
	assert_int_equal(screen_begin(&s, &err), 0);
	settle(&s);
	for (const char *k = ":toy sleep"; *k; k++)
		screen_key(&s, (char[]){*k, 0}, false);
	screen_key(&s, "<Enter>", false);
	frame = shown(&s);
	assert_non_null(strstr(frame, "Ctrl-C cancels"));
	free(frame);
	/* Keys are not held up by it. */
	screen_key(&s, "<Down>", false);
	screen_key(&s, "<C-c>", false);
	settle(&s);
	frame = shown(&s);
	assert_non_null(strstr(frame, "cancelled"));
	assert_false(s.quit);
	free(frame);
	/* Left in the middle of one, nothing is left behind. */
	screen_key(&s, ":", false);
	for (const char *k = "toy sleep"; *k; k++)
		screen_key(&s, (char[]){*k, 0}, false);
	screen_key(&s, "<Enter>", false);
	screen_release(&s);
}

/* What is pasted does nothing where there is no line to put it in. */
static void pasting(void **state)
{
	struct line start = {.flags = {.format = -1, .limit = -1,
	    .timeout = -1}};
	struct screen s;
	struct err err = {0};

	(void)state;
	screen_init(&s, &session, &start, 80, 24, true);
	assert_int_equal(screen_begin(&s, &err), 0);
	settle(&s);
	screen_key(&s, "q", true);
	assert_false(s.quit);
	screen_key(&s, ":", false);
	screen_key(&s, "q", true);
	assert_string_equal(buf_str(&s.prompt.text), "q");
	screen_release(&s);
}

/* What the start had to say about the cache is on the screen until a key. */
static void the_start_says_its_note(void **state)
{
	struct err err = {0};
	struct line start;
	struct screen s;
	char *frame;

	(void)state;
	assert_int_equal(line_parse(&session.registry, 0, NULL, &start, &err),
	    0);
	buf_adds(&session.note, "cache: it is elsewhere");
	screen_init(&s, &session, &start, 80, 24, true);
	assert_int_equal(screen_begin(&s, &err), 0);
	settle(&s);
	frame = shown(&s);
	assert_non_null(strstr(frame, "cache: it is elsewhere"));
	free(frame);
	screen_release(&s);
	line_release(&start);
	buf_free(&session.note);
}

/* ---- setting up ----------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int flag,
    struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void set_dir(const char *name, const char *below)
{
	char *path = xasprintf("%s/%s", dir, below);

	setenv(name, path, 1);
	free(path);
}

static int setup(void **state)
{
	struct err err = {0};
	char *path;
	FILE *f;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	set_dir("XDG_CACHE_HOME", "cache");
	set_dir("XDG_DATA_HOME", "data");
	set_dir("XDG_CONFIG_HOME", "config");
	unsetenv("KIBAN_CONTEXT");
	setenv("TZ", "UTC", 1);
	setenv("KIBAN_NOW", "2026-11-25T00:14:07.250Z", 1);
	path = xasprintf("%s/config.yaml", dir);
	f = fopen(path, "w");
	if (!f)
		return -1;
	fputs("context: t\ncontexts:\n  t: {write: true}\n", f);
	fclose(f);
	if (clock_init(&err) < 0 || config_load(&session.config, path, &err) < 0)
		fail_msg("%s", err.text);
	free(path);
	assert_int_equal(clock_now(), NOW);
	fill_cache();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	config_release(&session.config);
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_list_is_its_table),
		cmocka_unit_test(home),
		cmocka_unit_test(the_start_says_its_note),
		cmocka_unit_test(a_list),
		cmocka_unit_test(sort_filter_faults_marks),
		cmocka_unit_test(escape_closes_in_order),
		cmocka_unit_test(history),
		cmocka_unit_test(detail),
		cmocka_unit_test(time_travel),
		cmocka_unit_test(commands),
		cmocka_unit_test(completion),
		cmocka_unit_test(errors),
		cmocka_unit_test(exports),
		cmocka_unit_test(sizes),
		cmocka_unit_test(narrow_lines),
		cmocka_unit_test(ascii),
		cmocka_unit_test(refreshes),
		cmocka_unit_test(cancels),
		cmocka_unit_test(pasting),
	};

	text_setup(false, false);
	return cmocka_run_group_tests(tests, setup, teardown);
}
