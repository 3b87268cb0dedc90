/* The registry: look-ups over all literals, and the users' own from YAML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "shop.h"

static void test_look_ups(void **state)
{
	struct registry r = {.modules = shop_modules};

	(void)state;
	assert_ptr_equal(registry_module(&r, "mesh"), &shop_mesh);
	assert_ptr_equal(registry_module(&r, ""), &shop_core);
	assert_null(registry_module(&r, "mes"));
	assert_ptr_equal(registry_kind(&r, "mesh_proxy"), &shop_proxy);
	assert_null(registry_kind(&r, "proxy"));
	assert_ptr_equal(registry_view(&r, "mesh_proxies"), &shop_proxies);
	assert_ptr_equal(registry_view(&r, "findings"), &shop_findings);
	assert_null(registry_view(&r, "proxies"));
	assert_null(registry_view(&r, "mesh"));
	assert_null(registry_view(&r, "mesh_"));
	assert_ptr_equal(registry_view_of(&r, &shop_mesh, "proxies"),
	    &shop_proxies);
	assert_null(registry_view_of(&r, &shop_core, "proxies"));
	assert_ptr_equal(registry_rule(&r, "mesh.no_healthy_host"), &shop_rule);
	assert_ptr_equal(registry_module_of_view(&r, &shop_tasks), &shop_core);
	assert_ptr_equal(registry_module_of_kind(&r, "mesh_endpoint"),
	    &shop_mesh);
	assert_ptr_equal(registry_module_of_kind(&r, "mesh_service"),
	    &shop_mesh);
	assert_null(registry_module_of_kind(&r, "lake_table"));
	assert_ptr_equal(registry_source_of_kind(&r, "mesh_endpoint"),
	    &shop_source);
	assert_null(registry_source_of_kind(&r, "finding"));
	assert_ptr_equal(registry_view_of_kind(&r, "mesh_service"),
	    &shop_services);
}

static void test_views(void **state)
{
	struct registry r = {.modules = shop_modules};
	const char *key[VIEW_KEY_MAX];
	struct column *c;
	char *name;
	size_t n;

	(void)state;
	name = view_sql_name(&shop_mesh, &shop_proxies);
	assert_string_equal(name, "mesh_proxies");
	free(name);
	name = view_sql_name(&shop_core, &shop_findings);
	assert_string_equal(name, "findings");
	free(name);
	assert_int_equal(view_key(&r, &shop_endpoints, key, VIEW_KEY_MAX), 3);
	assert_string_equal(key[2], "address");
	assert_int_equal(view_key(&r, &shop_endpoints, key, 2), 2);
	assert_int_equal(view_key(&r, &shop_services, key, VIEW_KEY_MAX), 1);
	assert_string_equal(key[0], "service");
	assert_int_equal(view_key(&r, &shop_changed, key, VIEW_KEY_MAX), 0);
	c = view_columns(&shop_proxies, &n);
	assert_int_equal(n, 5);
	assert_string_equal(c[0].name, "context");
	assert_string_equal(c[1].name, "proxy");
	assert_string_equal(c[3].name, "status");
	assert_string_equal(c[4].name, "seen");
	assert_int_equal(c[4].type, TYPE_TIME);
	free(c);
	c = view_columns(&shop_tasks, &n);
	assert_int_equal(n, 1);
	free(c);
}

static void test_key_json(void **state)
{
	const char *const names[] = {"proxy", "n", "x", "y"};
	const struct cell cells[] = {
		{.tag = CELL_TEXT, .n = 6, .s = "a\"b\n\0c"},
		{.tag = CELL_INT, .i = -7},
		{.tag = CELL_NULL},
		{.tag = CELL_REAL, .d = 0.5},
	};
	struct buf b = {0};

	(void)state;
	key_json(&b, names, cells, 4);
	assert_string_equal(b.p, "{\"proxy\":\"a\\\"b\\u000a\\u0000c\","
	    "\"n\":-7,\"x\":null,\"y\":0.5}");
	buf_clear(&b);
	key_json(&b, names, cells, 0);
	assert_string_equal(b.p, "{}");
	buf_free(&b);
}

/* ---- the users' own ------------------------------------------------------ */

struct user {
	struct config	c;
	struct registry	r;
};

static char home[64];

static int setup(void **state)
{
	(void)state;
	snprintf(home, sizeof(home), "/tmp/kiban-registry-XXXXXX");
	if (!mkdtemp(home))
		return -1;
	setenv("HOME", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_DATA_HOME");
	unsetenv("XDG_CACHE_HOME");
	return 0;
}

static int teardown(void **state)
{
	char *path = xasprintf("%s/c.yaml", home);

	(void)state;
	unlink(path);
	free(path);
	return rmdir(home);
}

static void user_load(struct user *u, const char *text)
{
	char *path = xasprintf("%s/c.yaml", home);
	struct err err = {0};
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	*u = (struct user){.r = {.modules = shop_modules}};
	if (config_load(&u->c, path, &err))
		fail_msg("%s", err.text);
	registry_add_user(&u->r, &u->c);
	free(path);
}

static void user_release(struct user *u)
{
	registry_release(&u->r);
	config_release(&u->c);
}

static int count_view(void *arg, const struct module *m, const struct view *v)
{
	(void)m, (void)v;
	++*(int *)arg;
	return 0;
}

static int count_user(void *arg, const struct view *v, const struct rule *u,
    const struct node *node)
{
	assert_true((v == NULL) != (u == NULL));
	assert_true(node->line > 0);
	++*(int *)arg;
	return 0;
}

static void test_user(void **state)
{
	struct user u;
	const struct view *v;
	const struct rule *rule;
	const struct bind *b;
	const char *key[VIEW_KEY_MAX];
	int views = 0, mine = 0;

	(void)state;
	user_load(&u,
	    "views:\n"
	    "- module: mesh\n  name: slow\n  help: the slow ones\n"
	    "  sql: SELECT context, service, p99 FROM mesh_services\n"
	    "  key: [service]\n  every_of: mesh_endpoint\n"
	    "  columns:\n  - {name: service}\n"
	    "  - {name: p99, title: p99 ms, type: latency, wide: true}\n"
	    "  keys: {e: 'mesh endpoints', <enter>: 'mesh services'}\n"
	    "- {module: mesh, name: bare, sql: s, columns: [{name: a}]}\n"
	    "rules:\n"
	    "- {id: mesh.mine, kind: mesh_service, severity: doubtful,"
	    " sql: s, reason: 'slow: {p99}', command: mesh slow}\n"
	    "keys:\n"
	    "  mesh slow: {x: changed}\n"
	    "  mesh proxies: {L: tasks, <ENTER>: findings}\n"
	    "  findings: {<C-x>: tasks}\n"
	    "  '*': {<F5>: home, é: back}\n");
	if (u.c.ncomplaints)
		fail_msg("%s %s", u.c.complaints[0].place,
		    u.c.complaints[0].text);
	v = registry_view(&u.r, "mesh_slow");
	assert_non_null(v);
	assert_ptr_equal(registry_view_of(&u.r, &shop_mesh, "slow"), v);
	assert_ptr_equal(registry_module_of_view(&u.r, v), &shop_mesh);
	assert_string_equal(v->columns[1].title, "p99 ms");
	assert_int_equal(v->columns[1].type, TYPE_LATENCY);
	assert_int_equal(v->columns[1].flags, COLUMN_WIDE);
	assert_null(v->columns[2].name);
	assert_int_equal(v->flags, 0);
	assert_int_equal(view_key(&u.r, v, key, VIEW_KEY_MAX), 1);
	v = registry_view(&u.r, "mesh_bare");
	assert_int_equal(v->flags, VIEW_NO_STATUS);
	assert_string_equal(v->columns[0].name, "context");
	rule = registry_rule(&u.r, "mesh.mine");
	assert_int_equal(rule->severity, SEVERITY_DOUBTFUL);
	assert_string_equal(rule->command, "mesh slow");
	v = registry_view(&u.r, "mesh_slow");
	assert_string_equal(registry_bind(&u.r, v, "e")->line,
	    "mesh endpoints");
	assert_string_equal(registry_bind(&u.r, v, "x")->line, "changed");
	b = registry_bind(&u.r, &shop_proxies, "<Enter>");
	assert_string_equal(b->line, "findings");	/* over the literal's */
	assert_string_equal(registry_bind(&u.r, &shop_proxies, "l")->note,
	    "log level");
	assert_string_equal(registry_bind(&u.r, &shop_proxies, "L")->line,
	    "tasks");
	assert_non_null(registry_bind(&u.r, &shop_findings, "<c-X>"));
	assert_null(registry_bind(&u.r, &shop_findings, "x"));
	assert_string_equal(registry_bind(&u.r, NULL, "<f5>")->line, "home");
	assert_string_equal(registry_bind(&u.r, NULL, "é")->line, "back");
	registry_each_view(&u.r, count_view, &views);
	assert_int_equal(views, 4 + 3 + 2);
	registry_each_user(&u.r, count_user, &mine);
	assert_int_equal(mine, 3);
	user_release(&u);
}

/* An entry with one mistake is left out, and said with that. */
static void refused(const char *text, const char *place, const char *says,
    const char *remedy)
{
	struct user u;
	const struct complaint *p;
	int mine = 0;

	user_load(&u, text);
	if (u.c.ncomplaints != 1)
		fail_msg("%zu complaints: %s", u.c.ncomplaints, text);
	p = &u.c.complaints[0];
	if (!strstr(p->place, place) || !strstr(p->text, says) ||
	    !strstr(p->remedy, remedy) || strpbrk(p->text, "\n\033") ||
	    p->context)
		fail_msg("%s: %s; %s", p->place, p->text, p->remedy);
	registry_each_user(&u.r, count_user, &mine);
	assert_int_equal(mine, 0);
	user_release(&u);
}

#define VIEW "views:\n- {module: mesh, name: slow, sql: s, "
#define COLUMNS "columns: [{name: a}]"

static void test_user_mistakes(void **state)
{
	(void)state;
	refused("views:\n- {module: mehs, name: a, sql: s, " COLUMNS "}\n",
	    ":2:3", "module \"mehs\"", "\"mesh\"");
	refused("views:\n- {module: mesh, name: proxies, sql: s, " COLUMNS
	    "}\n", ":2:3", "\"proxies\"", "take another");
	refused("views:\n- {module: mesh, name: proxy, sql: s, " COLUMNS "}\n",
	    ":2:3", "\"proxy\"", "take another");
	refused("views:\n- {module: mesh, name: pick, sql: s, " COLUMNS "}\n",
	    ":2:3", "\"pick\"", "take another");
	refused("views:\n- {module: mesh, name: \"a\\nb\", sql: s, " COLUMNS
	    "}\n", ":2:3", "can't be a name", "lower case");
	refused("views:\n- {module: mesh, name: select, sql: s, " COLUMNS
	    "}\n", ":2:3", "\"select\"", "SQL");
	refused(VIEW "every_of: mesh_endpoints, " COLUMNS "}\n", ":2:3",
	    "mesh_endpoints", "\"mesh_endpoint\"");
	refused(VIEW "every_of: mesh_service, " COLUMNS "}\n", ":2:3",
	    "mesh_service", "mesh_proxy");
	refused(VIEW "columns: []}\n", ":2:", "columns is empty", "at least");
	refused(VIEW "columns: [{name: a}, {name: a}]}\n", ":2:", "\"a\"",
	    "once");
	refused(VIEW "columns: [{name: status}]}\n", ":2:", "\"status\"",
	    "leave it out");
	refused(VIEW "columns: [{name: A}]}\n", ":2:", "\"A\"", "lower case");
	refused(VIEW "columns: [{name: a, type: txt}]}\n", ":2:", "\"txt\"",
	    "\"text\"");
	refused(VIEW "key: [b], " COLUMNS "}\n", ":2:", "\"b\"", "a");
	refused(VIEW "key: [a,a,a,a,a,a,a,a,a], " COLUMNS "}\n", ":2:",
	    "more than 8", "apart");
	refused(VIEW COLUMNS ", keys: {e: 'x {b}'}}\n", ":2:", "\"b\"", "a");
	refused("keys: {mesh proxies: {e: 'x {proxi}'}}\n", ":1:",
	    "\"proxi\"", "\"proxy\"");
	refused(VIEW COLUMNS ", keys: {ab: x}}\n", ":2:", "\"ab\"", "<Name>");
	refused(VIEW COLUMNS ", keys: {\"<Entre>\": x}}\n", ":2:",
	    "\"<Entre>\"", "<Name>");
	refused("rules:\n- {id: x, kind: finding, severity: bad, sql: s,"
	    " reason: r}\n", ":2:3", "\"x\"", "MODULE.NAME");
	refused("rules:\n- {id: mesh.no_healthy_host, kind: finding,"
	    " severity: bad, sql: s, reason: r}\n", ":2:3", "taken",
	    "another");
	refused("rules:\n- {id: mesh.x, kind: mesh_servce, severity: bad,"
	    " sql: s, reason: r}\n", ":2:3", "mesh_servce", "mesh_service");
	refused("rules:\n- {id: mesh.x, kind: finding, severity: worse,"
	    " sql: s, reason: r}\n", ":2:", "\"worse\"", "bad");
	refused("rules:\n- {id: mesh.x, kind: finding, severity: bad,"
	    " reason: r}\n", ":2:3", "no \"sql\"", "sql:");
	refused("keys: {mesh proxis: {a: b}}\n", ":1:", "\"mesh proxis\"",
	    "\"mesh proxies\"");
	refused("keys: {proxies: {a: b}}\n", ":1:", "\"proxies\"", "");
	refused("keys: {findings: {a: ''}}\n", ":1:", "empty", "colon");
	refused("keys: {findings: {\"\\e\": x}}\n", ":1:", "no key", "<Name>");
}

/* One bad entry leaves the others in place. */
static void test_user_some(void **state)
{
	struct user u;

	(void)state;
	user_load(&u, VIEW COLUMNS "}\n"
	    "- {module: mesh, name: slow, sql: s, " COLUMNS "}\n"
	    "- {module: mesh, name: slower, sql: s, " COLUMNS "}\n"
	    "keys: {findings: {a: b, zz: c, d: e}}\n");
	assert_int_equal(u.c.ncomplaints, 2);
	assert_non_null(registry_view(&u.r, "mesh_slow"));
	assert_non_null(registry_view(&u.r, "mesh_slower"));
	assert_non_null(registry_bind(&u.r, &shop_findings, "a"));
	assert_non_null(registry_bind(&u.r, &shop_findings, "d"));
	user_release(&u);
	user_load(&u, "views: [\n");
	assert_true(u.c.broken);
	assert_null(registry_view(&u.r, "mesh_slow"));
	user_release(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look_ups),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_key_json),
		cmocka_unit_test_setup_teardown(test_user, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_mistakes, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_user_some, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
