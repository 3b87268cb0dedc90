/* The core's lists over a cache that the test filled, and what its commands
 * make of words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choose.h"
#include "core.h"
#include "find.h"
#include "view.h"

#define MINUTE	INT64_C(60000)

static const struct kind host_kind = {
	.name = "shop_host",
	.help = "a host",
	.object = "service",
	.fields = (const struct field[]){
		{"service", ROLE_KEY, TYPE_TEXT, .help = "whose"},
		{"address", ROLE_KEY, TYPE_TEXT, .help = "where"},
		{"weight", ROLE_FACT, TYPE_NUMBER, .help = "share",
		    .suspect = 80},
		{"expires", ROLE_FACT, TYPE_TIME, .help = "until",
		    .suspect = 20},
		{"zone", ROLE_FACT, TYPE_TEXT, .help = "zone", .suspect = 5},
		{0},
	},
	.every = 5000,
};
static const struct module shop_module = {
	.name = "shop",
	.help = "a shop",
	.kinds = (const struct kind *const[]){&host_kind, NULL},
};
static const struct module *const modules[] = {
	&core_module, &shop_module, NULL};

struct scene {
	struct registry	 registry;
	struct cache	*cache;
	int64_t		 now;
	struct err	 err;
};

static void open_scene(struct scene *s)
{
	struct buf note = {0};

	*s = (struct scene){.registry.modules = modules, .now = clock_now()};
	s->cache = cache_open("", "", &s->registry, CACHE_MEMORY, &note,
	    &s->err);
	if (!s->cache)
		fail_msg("%s", s->err.text);
	buf_free(&note);
}

static void close_scene(struct scene *s)
{
	cache_close(s->cache);
}

struct host {
	const char	*service, *address;
	int64_t		 weight, expires;
	const char	*zone;
};

/* What was there so many ms ago. */
static void hosts(struct scene *s, int64_t ago, const struct host *h)
{
	struct merge *m = merge_begin(s->cache, &host_kind, "t", "all",
	    s->now - ago, 0);

	for (; h->service; h++) {
		merge_text(m, "service", h->service, -1);
		merge_text(m, "address", h->address, -1);
		merge_int(m, "weight", h->weight);
		merge_int(m, "expires", h->expires);
		merge_text(m, "zone", h->zone, -1);
		if (merge_row(m, &s->err) < 0)
			fail_msg("%s", s->err.text);
	}
	if (merge_end(m, &s->err) < 0)
		fail_msg("%s", s->err.text);
}

/* The findings of one rule so many ms ago: about that service, or none. */
static void findings(struct scene *s, int64_t ago, const char *service,
    const char *severity)
{
	struct merge *m = merge_begin(s->cache, &finding_kind, "t",
	    "shop.down", s->now - ago, 0);
	char *key;

	if (service) {
		key = xasprintf("{\"service\":\"%s\",\"address\":\"a:1\"}",
		    service);
		merge_text(m, "rule", "shop.down", -1);
		merge_text(m, "object", service, -1);
		merge_text(m, "kind", "shop_host", -1);
		merge_text(m, "key", key, -1);
		merge_text(m, "severity", severity, -1);
		merge_int(m, "since", s->now - ago);
		merge_text(m, "text", "it is down", -1);
		merge_text(m, "module", "shop", -1);
		if (merge_row(m, &s->err) < 0)
			fail_msg("%s", s->err.text);
		free(key);
	}
	if (merge_end(m, &s->err) < 0)
		fail_msg("%s", s->err.text);
}

/* Rows of a SELECT, cells by |, aimed at the last half hour. */
static void assert_rows(struct scene *s, const char *sql, const char *want)
{
	static const char *const names[] = {"t"};
	const char *const *columns;
	const struct cell *cells;
	struct buf b = {0};
	struct query *q;
	size_t n;

	if (cache_aim(s->cache, names, 1, 0, s->now - 30 * MINUTE, &s->err))
		fail_msg("%s", s->err.text);
	q = query_new(s->cache, sql, QUERY_GUARD, 0, NULL, &s->err);
	if (!q)
		fail_msg("%s", s->err.text);
	n = query_columns(q, &columns);
	while (query_step(q, &cells, &s->err) == 1)
		for (size_t i = 0; i < n; i++) {
			value_json(&b, TYPE_ANY, cells[i]);
			buf_addc(&b, i + 1 < n ? '|' : '\n');
		}
	query_free(q);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
}

/* ---- changed, timeline ------------------------------------------------------------ */

static void incident(struct scene *s)
{
	hosts(s, 20 * MINUTE, (const struct host[]){
	    {"pay", "a:1", 1, 1000, "x"}, {"pay", "a:2", 1, 1000, "x"},
	    {"web", "b:1", 1, 1000, "x"}, {0}});
	findings(s, 20 * MINUTE, NULL, NULL);
	hosts(s, 10 * MINUTE, (const struct host[]){
	    {"pay", "a:1", 9, 1000, "x"}, {"pay", "a:2", 1, 1000, "x"},
	    {"web", "b:1", 1, 1000, "y"}, {0}});
	findings(s, 10 * MINUTE, "pay", "bad");
}

static void test_changed_ranks(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	incident(&s);
	/* The weight is the most suspicious, and a finding is open on its
	 * service; then the finding; then the zone, which nobody minds. */
	assert_rows(&s, "SELECT rank, module, object, op, field, old, new, "
	    "rule, kind FROM changed ORDER BY rank",
	    "1|\"shop\"|\"pay\"|\"changed\"|\"weight\"|1|9|\"shop.down\"|"
	    "\"shop_host\"\n"
	    "2|\"shop\"|\"pay\"|\"opened\"|null|null|null|\"shop.down\"|"
	    "\"shop_host\"\n"
	    "3|\"shop\"|\"web\"|\"changed\"|\"zone\"|\"x\"|\"y\"|null|"
	    "\"shop_host\"\n");
	close_scene(&s);
}

static void test_changed_says_it_in_a_sentence(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	incident(&s);
	assert_rows(&s, "SELECT text FROM changed ORDER BY rank",
	    "\"host a:1 weight 1 → 9\"\n\"opened: it is down\"\n"
	    "\"host b:1 zone x → y\"\n");
	close_scene(&s);
}

static void test_changed_whole_rows_and_times(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	hosts(&s, 20 * MINUTE, (const struct host[]){
	    {"pay", "a:1", 1, 1000, "x"}, {"pay", "a:2", 1, 1000, "x"}, {0}});
	hosts(&s, 10 * MINUTE, (const struct host[]){
	    {"pay", "a:1", 1, 2000, "x"}, {"pay", "a:3", 1, 1000, "x"}, {0}});
	assert_rows(&s, "SELECT op, text, old, new FROM changed "
	    "WHERE field IS NULL ORDER BY text",
	    "\"removed\"|\"host a:2 removed\"|null|null\n"
	    "\"added\"|\"host a:3 added\"|null|null\n");
	/* A time reads as every format writes it. */
	assert_rows(&s, "SELECT old, new FROM changed WHERE field = 'expires'",
	    "\"1970-01-01T00:00:01.000Z\"|\"1970-01-01T00:00:02.000Z\"\n");
	close_scene(&s);
}

static void test_changed_has_a_window(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	hosts(&s, 90 * MINUTE, (const struct host[]){
	    {"pay", "a:1", 1, 0, "x"}, {0}});
	hosts(&s, 40 * MINUTE, (const struct host[]){
	    {"pay", "a:1", 2, 0, "x"}, {0}});
	hosts(&s, 5 * MINUTE, (const struct host[]){
	    {"pay", "a:1", 3, 0, "x"}, {0}});
	assert_rows(&s, "SELECT old, new FROM changed", "2|3\n");
	close_scene(&s);
}

static void test_a_finding_closes(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	incident(&s);
	findings(&s, 5 * MINUTE, NULL, NULL);
	assert_rows(&s, "SELECT op, rule, text FROM changed "
	    "WHERE op IN ('opened', 'closed') ORDER BY t",
	    "\"opened\"|\"shop.down\"|\"opened: shop.down\"\n"
	    "\"closed\"|\"shop.down\"|\"closed: shop.down\"\n");
	/* It raises nobody's rank any more. */
	assert_rows(&s, "SELECT rule FROM changed WHERE field = 'weight'",
	    "null\n");
	close_scene(&s);
}

static void test_a_finding_gets_worse(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	findings(&s, 20 * MINUTE, NULL, NULL);
	findings(&s, 15 * MINUTE, "pay", "doubtful");
	findings(&s, 10 * MINUTE, "pay", "bad");
	assert_rows(&s, "SELECT op, field, old, new, kind FROM changed "
	    "ORDER BY t",
	    "\"opened\"|null|null|null|\"shop_host\"\n"
	    "\"changed\"|\"severity\"|\"doubtful\"|\"bad\"|\"shop_host\"\n");
	close_scene(&s);
}

static void test_timeline(void **state)
{
	struct scene s;
	int64_t id;

	(void)state;
	open_scene(&s);
	incident(&s);
	id = journal_begin(s.cache, "t", "mesh level a info", "a", &s.err);
	assert_true(id > 0);
	assert_int_equal(journal_end(s.cache, id, "failed", "a is down",
	    &s.err), 0);
	/* Ten minutes without a fetch, where every five seconds is usual. */
	assert_rows(&s, "SELECT count(*), min(t) = (SELECT min(t) FROM "
	    "timeline) FROM timeline WHERE type = 'gap'", "1|1\n");
	assert_rows(&s, "SELECT type, object, text FROM timeline "
	    "WHERE type <> 'gap' ORDER BY t, text",
	    "\"change\"|\"pay\"|\"host a:1 weight 1 → 9\"\n"
	    "\"change\"|\"web\"|\"host b:1 zone x → y\"\n"
	    "\"finding\"|\"pay\"|\"opened: it is down\"\n"
	    "\"write\"|\"a\"|\"mesh level a info: failed, a is down\"\n");
	close_scene(&s);
}

static void test_findings_and_mutes(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	incident(&s);
	assert_rows(&s, "SELECT rule, object FROM findings",
	    "\"shop.down\"|\"pay\"\n");
	mute_put(s.cache, "t", "shop.down", "web", s.now + MINUTE, "x", NULL);
	assert_rows(&s, "SELECT count(*) FROM findings", "1\n");
	mute_put(s.cache, "t", "shop.down", "pay", s.now + MINUTE, "x", NULL);
	assert_rows(&s, "SELECT count(*) FROM findings", "0\n");
	/* Back by itself. */
	mute_put(s.cache, "t", "shop.down", "pay", s.now - MINUTE, "x", NULL);
	assert_rows(&s, "SELECT count(*) FROM findings", "1\n");
	mute_put(s.cache, "t", "shop.down", NULL, s.now + MINUTE, "x", NULL);
	assert_rows(&s, "SELECT count(*) FROM findings", "0\n");
	close_scene(&s);
}

/* ---- KIND KEY… ---------------------------------------------------------------------- */

static void assert_past(struct scene *s, const char *view, size_t n,
    const char *const *args, const char *want)
{
	const struct view *v = registry_view(&s->registry, view);
	char *where = past_where(&s->registry, v, args, n, &s->err);

	if (!where)
		fail_msg("%s", s->err.text);
	assert_string_equal(where, want);
	if (view_check_where(s->cache, &s->registry, v, where, &s->err) < 0)
		fail_msg("%s: %s", where, s->err.text);
	free(where);
}

static void test_past_of_a_row(void **state)
{
	static const char *const row[] = {"shop_host", "it's", "a:1"};
	static const char *const found[] = {"finding", "shop.down", "pay",
	    "shop_host", "{}"};
	struct scene s;

	(void)state;
	open_scene(&s);
	assert_rows(&s, "SELECT count(*) FROM changed", "0\n");
	assert_past(&s, "changed", 1, row, "kind = 'shop_host'");
	assert_past(&s, "timeline", 3, row, "kind = 'shop_host' AND key = "
	    "'{\"service\":\"it''s\",\"address\":\"a:1\"}'");
	assert_past(&s, "timeline", 1, found, "type = 'finding'");
	assert_past(&s, "changed", 5, found, "coalesce(op IN ('opened', "
	    "'closed') OR field = 'severity', 0) AND rule = 'shop.down' AND "
	    "object = 'pay' AND kind = 'shop_host' AND key = '{}'");
	assert_null(past_where(&s.registry, registry_view(&s.registry,
	    "changed"), row, 2, &s.err));
	assert_int_equal(s.err.code, ERR_USAGE);
	assert_non_null(strstr(s.err.text, "service address"));
	close_scene(&s);
}

static void test_past_finds_the_row(void **state)
{
	static const char *const row[] = {"shop_host", "pay", "a:1"};
	struct scene s;
	char *where, *sql;

	(void)state;
	open_scene(&s);
	incident(&s);
	where = past_where(&s.registry, registry_view(&s.registry, "changed"),
	    row, 3, &s.err);
	sql = xasprintf("SELECT text FROM changed WHERE %s ORDER BY rank",
	    where);
	assert_rows(&s, sql, "\"host a:1 weight 1 → 9\"\n"
	    "\"opened: it is down\"\n");
	free(where);
	free(sql);
	close_scene(&s);
}

static int64_t since_of(struct scene *s, int argc, const char *const *argv)
{
	struct line l;
	int64_t t;

	if (line_parse(&s->registry, argc, argv, &l, &s->err) < 0)
		fail_msg("%s", s->err.text);
	t = line_since(&l, l.flags.at);
	line_release(&l);
	return t;
}

static void test_since(void **state)
{
	static const char *const changed[] = {"changed"};
	static const char *const at[] = {"timeline", "--at",
	    "2026-01-01T00:00:00Z"};
	static const char *const both[] = {"changed", "--at",
	    "2026-01-01T00:00:00Z", "--since", "1h"};
	static const char *const journal[] = {"journal"};
	static const char *const home[] = {"home"};
	static const char *const sql[] = {"sql", "SELECT since()"};
	const int64_t then = INT64_C(1767225600000);
	struct scene s;

	(void)state;
	open_scene(&s);
	assert_in_range(s.now - since_of(&s, 1, changed), 30 * MINUTE - 5000,
	    30 * MINUTE);
	assert_in_range(s.now - since_of(&s, 1, home), 30 * MINUTE - 5000,
	    30 * MINUTE);
	assert_true(since_of(&s, 3, at) == then - 30 * MINUTE);
	assert_true(since_of(&s, 5, both) == then - 60 * MINUTE);
	assert_true(since_of(&s, 1, journal) == 0);
	assert_in_range(s.now - since_of(&s, 2, sql), 30 * MINUTE - 5000,
	    30 * MINUTE);
	close_scene(&s);
}

/* ---- choosing among rows --------------------------------------------------------------- */

static const struct column thing_columns[] = {
	{.name = "name"},
	{.name = "size", .type = TYPE_NUMBER},
	{.name = "count(*)"},
};

static void things(struct rows *r)
{
	static const struct {
		const char *name; int64_t size; } all[] = {
		{"b", 3}, {"a", 20}, {"", 1}, {"a\x1b", 7}};

	rows_init(r, thing_columns, 3);
	for (size_t i = 0; i < 4; i++) {
		const struct cell cells[] = {run_s(all[i].name),
		    i == 2 ? run_s(NULL) : run_i(all[i].size), run_i(1)};
		rows_add(r, cells);
	}
}

static void assert_chosen(struct scene *s, const struct flags *f,
    const char *want)
{
	struct buf b = {0};
	struct rows r;
	uint32_t *index = NULL;
	int64_t n;

	things(&r);
	if (choose_check(s->cache, thing_columns, 3, f, &s->err) < 0)
		fail_msg("%s", s->err.text);
	n = choose_rows(s->cache, &r, f, false, NULL, &index, &s->err);
	if (n < 0)
		fail_msg("%s", s->err.text);
	for (int64_t i = 0; i < n; i++)
		buf_addf(&b, "%u", index[i]);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
	free(index);
	rows_release(&r);
}

static void test_choose(void **state)
{
	const char *where[] = {"size > 2 -- a comment", "name LIKE 'a%'"};
	const char *null[] = {"size IS NULL"};
	const char *odd[] = {"\"count(*)\" = 1"};
	struct scene s;

	(void)state;
	open_scene(&s);
	assert_chosen(&s, &(struct flags){0}, "0123");
	assert_chosen(&s, &(struct flags){.where = where, .nwhere = 1}, "013");
	assert_chosen(&s, &(struct flags){.where = where, .nwhere = 2}, "13");
	assert_chosen(&s, &(struct flags){.where = null, .nwhere = 1}, "2");
	assert_chosen(&s, &(struct flags){.where = odd, .nwhere = 1}, "0123");
	/* As numbers; null last either way. */
	assert_chosen(&s, &(struct flags){.sort = "size"}, "0312");
	assert_chosen(&s, &(struct flags){.sort = "size:desc"}, "1302");
	assert_chosen(&s, &(struct flags){.filter = "^b"}, "0");
	assert_chosen(&s, &(struct flags){.where = where, .nwhere = 1,
	    .filter = "!^b", .sort = "name:desc"}, "31");
	close_scene(&s);
}

static void refuses(struct scene *s, const struct flags *f, const char *says)
{
	s->err = (struct err){0};
	assert_int_equal(choose_check(s->cache, thing_columns, 3, f, &s->err),
	    -1);
	assert_int_equal(s->err.code, ERR_USAGE);
	if (!strstr(s->err.text, says))
		fail_msg("%s: doesn't say %s", s->err.text, says);
}

static void test_choose_refuses(void **state)
{
	const char *bracket[] = {"1) OR (1 = 1"};
	const char *unknown[] = {"nmae = 1"};
	const char *other[] = {"1 IN (SELECT 1 FROM sqlite_master)"};
	struct scene s;

	(void)state;
	open_scene(&s);
	refuses(&s, &(struct flags){.where = unknown, .nwhere = 1}, "nmae");
	refuses(&s, &(struct flags){.where = other, .nwhere = 1},
	    "sqlite_master");
	refuses(&s, &(struct flags){.sort = "nmae"}, "name");
	refuses(&s, &(struct flags){.filter = "["}, "--filter");
	refuses(&s, &(struct flags){.where = bracket, .nwhere = 1}, "--where");
	close_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changed_ranks),
		cmocka_unit_test(test_changed_says_it_in_a_sentence),
		cmocka_unit_test(test_changed_whole_rows_and_times),
		cmocka_unit_test(test_changed_has_a_window),
		cmocka_unit_test(test_a_finding_closes),
		cmocka_unit_test(test_a_finding_gets_worse),
		cmocka_unit_test(test_timeline),
		cmocka_unit_test(test_findings_and_mutes),
		cmocka_unit_test(test_past_of_a_row),
		cmocka_unit_test(test_past_finds_the_row),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_choose_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
