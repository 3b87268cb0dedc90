/* The gate: what is asked, what is refused, what the journal says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "gate.h"

static const struct module *const modules[] = {&core_module, NULL};
static int acts;

static int never_run(struct run *r, struct err *err)
{
	(void)r, (void)err;
	return 0;
}
static const struct command writes = {
	.name = "level", .flags = COMMAND_WRITES, .run = never_run};
static const struct command severe = {
	.name = "drop", .flags = COMMAND_WRITES | COMMAND_SEVERE,
	.run = never_run};
static const struct command own = {
	.name = "use", .flags = COMMAND_OWN, .run = never_run};

/* ---- a face that remembers ----------------------------------------------------- */

struct scene {
	struct session	 session;
	struct context	 context;
	struct line	 line;
	struct run	 run;
	struct plan	 plan;
	struct err	 err;
	bool		 somebody, yes;
	int		 asked;
	char		 question[500], wanted[50];
	struct buf	 out;		/* columns and rows, cells by | */
	struct buf	 said;
};

static int face_columns(struct run *r, const struct column *c, size_t n,
    struct err *err)
{
	struct scene *s = r->arg;

	(void)err;
	for (size_t i = 0; i < n; i++)
		buf_addf(&s->out, "%s%s", i ? "|" : "", c[i].name);
	buf_addc(&s->out, '\n');
	return 0;
}

static int face_row(struct run *r, const struct cell *cells, struct err *err)
{
	struct scene *s = r->arg;
	size_t n = 1;

	(void)err;
	for (const char *p = buf_str(&s->out); *p != '\n'; p++)
		n += *p == '|';
	for (size_t i = 0; i < n; i++)
		buf_addf(&s->out, "%s%.*s", i ? "|" : "", (int)cells[i].n,
		    cells[i].tag == CELL_TEXT ? cells[i].s : "");
	buf_addc(&s->out, '\n');
	return 0;
}

static void face_note(struct run *r, const char *text)
{
	struct scene *s = r->arg;

	buf_addf(&s->said, "%s\n", text);
}

static bool face_ask(struct run *r, const char *question, const char *wanted)
{
	struct scene *s = r->arg;

	s->asked++;
	snprintf(s->question, sizeof(s->question), "%s", question);
	snprintf(s->wanted, sizeof(s->wanted), "%s", wanted ? wanted : "");
	return s->yes;
}

static bool face_asks(struct run *r)
{
	struct scene *s = r->arg;

	return s->somebody;
}

static const struct face face = {
	.columns = face_columns,
	.row = face_row,
	.note = face_note,
	.ask = face_ask,
	.asks = face_asks,
};

static void open_scene(struct scene *s, const struct command *c, bool write)
{
	static const char *const names[] = {"t"};
	struct buf note = {0};
	char text[] = "mesh level a info";

	*s = (struct scene){.context = {.name = "t", .write = write}};
	s->session.registry.modules = modules;
	s->line = (struct line){.command = c, .text = xstrdup(text)};
	s->run = (struct run){
		.session = &s->session, .line = &s->line, .face = &face,
		.arg = s, .contexts = {&s->context}, .ncontexts = 1};
	s->run.cache = cache_open("", "", &s->session.registry, CACHE_MEMORY,
	    &note, &s->err);
	if (!s->run.cache || cache_aim(s->run.cache, names, 1, 0, 0, &s->err))
		fail_msg("%s", s->err.text);
	buf_free(&note);
}

static void close_scene(struct scene *s)
{
	plan_release(&s->plan);
	cache_close(s->run.cache);
	buf_free(&s->out);
	buf_free(&s->said);
	line_release(&s->line);
}

static void add(struct scene *s)
{
	plan_add(&s->plan, "a", "set", "log level", "info", "debug");
}

static int enter(struct scene *s, const char *name)
{
	return gate_enter(&s->run, &s->plan, name, &s->err);
}

/* The journal's only row as "command|target|result|error"; "" when empty. */
static void assert_journal(struct scene *s, const char *want)
{
	struct buf b = {0};
	const struct cell *cells;
	struct query *q = query_new(s->run.cache, "SELECT command || '|' || "
	    "coalesce(target, '') || '|' || result || '|' || "
	    "coalesce(error, '') FROM data.journal", 0, 0, NULL, &s->err);

	if (!q)
		fail_msg("%s", s->err.text);
	while (query_step(q, &cells, &s->err) == 1)
		buf_add(&b, cells[0].s, cells[0].n);
	query_free(q);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
}

/* ---- a write that is done ------------------------------------------------------------ */

static void test_without_a_terminal_the_line_is_the_intent(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, true);
	add(&s);
	assert_int_equal(enter(&s, "a"), 1);
	assert_int_equal(s.asked, 0);
	assert_string_equal(buf_str(&s.out), "");
	/* Before the act: it may die here. */
	assert_journal(&s, "mesh level a info|a|unknown|");
	plan_result(&s.plan, 0, "done", NULL);
	assert_int_equal(gate_leave(&s.run, &s.plan, &s.err), 0);
	assert_string_equal(buf_str(&s.out),
	    "target|action|field|old|new|result\n"
	    "a|set|log level|info|debug|done\n");
	assert_journal(&s, "mesh level a info|a|done|");
	assert_int_equal(s.run.exit, 0);
	close_scene(&s);
}

static void test_on_a_terminal_it_asks(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, true);
	s.somebody = s.yes = true;
	add(&s);
	assert_int_equal(enter(&s, "a"), 1);
	assert_int_equal(s.asked, 1);
	assert_string_equal(s.wanted, "");
	assert_non_null(strstr(s.question, "log level"));
	assert_non_null(strstr(s.question, "debug"));
	close_scene(&s);
}

static void test_yes_answers(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, true);
	s.somebody = true;
	s.line.flags.yes = true;
	add(&s);
	assert_int_equal(enter(&s, "a"), 1);
	assert_int_equal(s.asked, 0);
	close_scene(&s);
}

static void test_what_only_adds_is_not_asked(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, true);
	s.somebody = true;
	plan_add(&s.plan, "a", "add", NULL, NULL, "x")->adds = true;
	assert_int_equal(enter(&s, "a"), 1);
	assert_int_equal(s.asked, 0);
	/* One step that changes something, and all of it is asked. */
	add(&s);
	assert_int_equal(enter(&s, "a"), -1);
	assert_int_equal(s.asked, 1);
	assert_non_null(strstr(s.question, "2 changes"));
	close_scene(&s);
}

/* ---- a write that isn't -------------------------------------------------------------- */

static void test_declined(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, true);
	s.somebody = true;
	add(&s);
	assert_int_equal(enter(&s, "a"), -1);
	assert_int_equal(s.err.code, ERR_FAILED);
	assert_journal(&s, "mesh level a info|a|declined|");
	close_scene(&s);
}

static void test_dry_run_prints_also_where_it_is_read_only(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &severe, false);
	s.line.flags.dry_run = true;
	s.somebody = true;
	add(&s);
	assert_int_equal(enter(&s, "a"), 0);
	assert_string_equal(buf_str(&s.out), "target|action|field|old|new\n"
	    "a|set|log level|info|debug\n");
	assert_int_equal(s.asked, 0);
	assert_journal(&s, "");
	close_scene(&s);
}

static void test_read_only(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, false);
	add(&s);
	assert_int_equal(enter(&s, "a"), -1);
	assert_int_equal(s.err.code, ERR_REFUSED);
	assert_non_null(strstr(s.err.text, "--write"));
	{
		char *want = xasprintf("mesh level a info|a|refused|%s",
		    s.err.text);
		assert_journal(&s, want);
		free(want);
	}
	close_scene(&s);
}

static void test_flags_beat_the_config(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, false);
	s.session.write = true;
	add(&s);
	assert_int_equal(enter(&s, "a"), 1);
	close_scene(&s);

	open_scene(&s, &writes, true);
	s.session.read_only = true;
	add(&s);
	assert_int_equal(enter(&s, "a"), -1);
	assert_int_equal(s.err.code, ERR_REFUSED);
	close_scene(&s);
}

static void test_several_contexts(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, true);
	s.run.contexts[1] = &s.context;
	s.run.ncontexts = 2;
	add(&s);
	assert_int_equal(enter(&s, "a"), -1);
	assert_int_equal(s.err.code, ERR_USAGE);
	close_scene(&s);
}

/* ---- severe ---------------------------------------------------------------------------- */

static void test_severe_wants_the_name(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &severe, true);
	s.line.flags.yes = true;
	add(&s);
	/* Nobody to ask: --yes is not enough. */
	assert_int_equal(enter(&s, "shop"), -1);
	assert_int_equal(s.err.code, ERR_USAGE);
	assert_non_null(strstr(s.err.text, "--confirm shop"));
	assert_journal(&s, "");
	s.line.flags.confirm = "shoq";
	assert_int_equal(enter(&s, "shop"), -1);
	assert_int_equal(s.err.code, ERR_USAGE);
	assert_journal(&s, "");
	s.line.flags.confirm = "shop";
	assert_int_equal(enter(&s, "shop"), 1);
	assert_int_equal(s.asked, 0);
	close_scene(&s);
}

static void test_severe_on_a_terminal(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &severe, true);
	s.somebody = s.yes = true;
	s.line.flags.yes = true;
	plan_add(&s.plan, "a", "add", NULL, NULL, "x")->adds = true;
	assert_int_equal(enter(&s, "shop"), 1);
	assert_int_equal(s.asked, 1);
	assert_string_equal(s.wanted, "shop");
	close_scene(&s);
}

/* ---- results --------------------------------------------------------------------------- */

static void test_some_failed(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, true);
	add(&s);
	plan_add(&s.plan, "b", "set", NULL, NULL, NULL);
	plan_add(&s.plan, "b", "set", NULL, NULL, NULL);
	assert_int_equal(enter(&s, "a"), 1);
	plan_result(&s.plan, 0, "done", NULL);
	plan_result(&s.plan, 1, "failed", "b is down");
	/* The third was not reached. */
	assert_int_equal(gate_leave(&s.run, &s.plan, &s.err), 0);
	assert_int_equal(s.run.exit, 5);
	assert_non_null(strstr(buf_str(&s.said), "b: b is down\n"));
	assert_non_null(strstr(buf_str(&s.out), "b|set||||failed\n"));
	/* Targets once each. */
	assert_journal(&s, "mesh level a info|a, b|failed|b is down");
	close_scene(&s);
}

static void test_all_refused(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, true);
	add(&s);
	assert_int_equal(enter(&s, "a"), 1);
	plan_result(&s.plan, 0, "refused", "403 from a");
	assert_int_equal(gate_leave(&s.run, &s.plan, &s.err), -1);
	assert_int_equal(s.err.code, ERR_REFUSED);
	assert_string_equal(s.err.text, "403 from a");
	assert_journal(&s, "mesh level a info|a|refused|403 from a");
	close_scene(&s);
}

static void test_nothing_to_do(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &writes, false);
	assert_int_equal(enter(&s, "a"), 0);
	assert_string_equal(buf_str(&s.out), "target|action|field|old|new\n");
	assert_journal(&s, "");
	close_scene(&s);
}

/* ---- kiban's own things -------------------------------------------------------------------- */

static int act_well(struct run *r, struct err *err)
{
	(void)r, (void)err;
	acts++;
	return 0;
}

static int act_badly(struct run *r, struct err *err)
{
	(void)r;
	return err_set(err, ERR_FAILED, "the disk is full");
}

static void test_own(void **state)
{
	struct scene s;

	(void)state;
	acts = 0;
	open_scene(&s, &own, false);
	s.somebody = true;
	assert_int_equal(gate_own(&s.run, "prod", act_well, &s.err), 0);
	assert_int_equal(acts, 1);
	assert_int_equal(s.asked, 0);
	assert_journal(&s, "mesh level a info|prod|done|");
	close_scene(&s);

	open_scene(&s, &own, false);
	assert_int_equal(gate_own(&s.run, "prod", act_badly, &s.err), -1);
	assert_journal(&s, "mesh level a info|prod|failed|the disk is full");
	close_scene(&s);

	open_scene(&s, &own, false);
	s.line.flags.dry_run = true;
	assert_int_equal(gate_own(&s.run, "prod", act_well, &s.err), 0);
	assert_int_equal(acts, 1);
	assert_journal(&s, "");
	close_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_without_a_terminal_the_line_is_the_intent),
		cmocka_unit_test(test_on_a_terminal_it_asks),
		cmocka_unit_test(test_yes_answers),
		cmocka_unit_test(test_what_only_adds_is_not_asked),
		cmocka_unit_test(test_declined),
		cmocka_unit_test(
		    test_dry_run_prints_also_where_it_is_read_only),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_flags_beat_the_config),
		cmocka_unit_test(test_several_contexts),
		cmocka_unit_test(test_severe_wants_the_name),
		cmocka_unit_test(test_severe_on_a_terminal),
		cmocka_unit_test(test_some_failed),
		cmocka_unit_test(test_all_refused),
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
