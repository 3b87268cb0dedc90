/* Every literal there is: its SQL prepares, its columns exist and need no
 * quotes, keys and names are unique, commands that it names exist, every
 * placeholder is known, and all of it has help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache.h"
#include "core.h"
#include "line.h"
#include "view.h"
#include "../../mesh/mesh.h"

static const struct module *const modules[] = {
	&core_module, &mesh_module, NULL};
static struct registry registry = {.modules = modules};
static struct cache *cache;
/* What the test that runs looks at, for its sentence. */
static const char *at = "";

static int setup(void **state)
{
	static const char *const contexts[] = {"t"};
	struct buf note = {0};
	struct err err = {0};

	(void)state;
	cache = cache_open("", "", &registry, CACHE_MEMORY, &note, &err);
	if (!cache || cache_aim(cache, contexts, 1, 0, 0, &err) < 0)
		fail_msg("%s", err.text);
	buf_free(&note);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cache_close(cache);
	return 0;
}

/* ---- small things -------------------------------------------------------------- */

static void assert_help(const char *help)
{
	if (!help || !*help)
		fail_msg("%s: no help", at);
	if (strchr(help, '\n') || help[strlen(help) - 1] == '.')
		fail_msg("%s: help is a phrase of one line: %s", at, help);
}

static bool is_word(const char *s)
{
	if (!s || *s < 'a' || *s > 'z')
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

static int index_of(const struct column *c, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(c[i].name, name))
			return (int)i;
	return -1;
}

static void check_columns(const struct column *c, size_t n)
{
	struct buf sql = {0};
	struct err err = {0};
	struct query *q;
	char *inner;

	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		if (!is_word(c[i].name))
			fail_msg("%s: column %s", at, c[i].name);
		if (index_of(c, n, c[i].name) != (int)i)
			fail_msg("%s: column %s twice", at, c[i].name);
		assert_help(c[i].help);
		buf_addf(&sql, "%s1 AS %s", i ? ", " : "SELECT ", c[i].name);
	}
	/* As a name and as an expression, without quotes. */
	inner = buf_take(&sql);
	for (size_t i = 0; i < n; i++)
		buf_addf(&sql, "%s%s", i ? ", " : "SELECT ", c[i].name);
	buf_addf(&sql, " FROM (%s)", inner);
	free(inner);
	q = query_new(cache, buf_str(&sql), QUERY_GUARD, 0, NULL, &err);
	if (!q)
		fail_msg("%s: a column needs quotes: %s", at, err.text);
	query_free(q);
	buf_free(&sql);
}

/* Every {word} of the template is one of the names. */
static void check_placeholders(const char *template,
    const char *const *names, size_t n)
{
	for (const char *p = template; p && (p = strchr(p, '{')); p++) {
		size_t len = strcspn(p + 1, "}");
		bool known = false;

		if (!p[1 + len])
			fail_msg("%s: { without } in: %s", at, template);
		for (size_t i = 0; i < n; i++)
			known = known || (strlen(names[i]) == len &&
			    !memcmp(names[i], p + 1, len));
		if (!known)
			fail_msg("%s: no column {%.*s} for: %s", at, (int)len,
			    p + 1, template);
	}
}

/* A bound line, filled from a row of the letter x, is one that runs; one that
 * ends in a blank is the beginning of one, whose words must resolve. */
static void check_line(const char *bound, const char *const *names, size_t n)
{
	struct cell *cells = xcalloc(n + 1, sizeof(*cells));
	struct arena a = {0};
	struct line l;
	struct err err = {0};
	const char **argv;
	int argc, rc;
	bool open = bound[strlen(bound) - 1] == ' ';

	check_placeholders(bound, names, n);
	for (size_t i = 0; i < n; i++)
		cells[i] = run_s("x");
	if (line_fill(&a, bound, names, cells, n, &argv, &argc, &err) < 0)
		fail_msg("%s: %s: %s", at, bound, err.text);
	if (open) {
		const char **more = arena_alloc(&a,
		    ((size_t)argc + 1) * sizeof(*more));
		memcpy(more, argv, (size_t)argc * sizeof(*more));
		more[argc++] = "1";
		argv = more;
	}
	rc = line_parse_prompt(&registry, argc, argv, &l, &err);
	if (rc < 0)
		fail_msg("%s: %s: %s", at, bound, err.text);
	line_release(&l);
	arena_free(&a);
	free(cells);
}

/* ---- kinds and sources ------------------------------------------------------------- */

static int check_kind(void *arg, const struct module *m, const struct kind *k)
{
	bool object = false, keys = true;
	struct column *c;
	size_t n = 0;

	(void)arg;
	at = k->name;
	assert_true(is_word(k->name));
	assert_help(k->help);
	if (*m->name && (strncmp(k->name, m->name, strlen(m->name)) ||
	    k->name[strlen(m->name)] != '_'))
		fail_msg("%s: is of the module %s", at, m->name);
	while (k->fields[n].name)
		n++;
	c = xcalloc(n, sizeof(*c));
	for (size_t i = 0; i < n; i++) {
		const struct field *f = &k->fields[i];

		c[i].name = f->name;
		c[i].help = f->help;
		object = object || !strcmp(f->name, k->object);
		if (f->role == ROLE_KEY && !keys)
			fail_msg("%s: the key %s behind others", at, f->name);
		keys = f->role == ROLE_KEY;
		if (f->flags & (FIELD_COUNTER | FIELD_BINS))
			assert_int_equal(f->role, ROLE_METRIC);
		assert_in_range(f->suspect, 0, 100);
		if (f->suspect)
			assert_int_equal(f->role, ROLE_FACT);
	}
	check_columns(c, n);
	assert_int_equal(k->fields[0].role, ROLE_KEY);
	if (!object)
		fail_msg("%s: no field %s to be its object", at, k->object);
	assert_true(k->every > 0);
	assert_ptr_equal(registry_kind(&registry, k->name), k);
	free(c);
	return 0;
}

static void test_kinds(void **state)
{
	(void)state;
	registry_each_kind(&registry, check_kind, NULL);
}

static void test_sources(void **state)
{
	(void)state;
	for (const struct module *const *m = modules; *m; m++)
		for (size_t i = 0; (*m)->sources && (*m)->sources[i]; i++) {
			const struct source *s = (*m)->sources[i];

			at = s->name;
			assert_true(is_word(s->name));
			assert_non_null(s->backends);
			assert_non_null(s->fetch);
			assert_true(s->every > 0);
			for (size_t k = 0; s->kinds[k]; k++)
				if (!registry_kind(&registry, s->kinds[k]))
					fail_msg("%s: no kind %s", at,
					    s->kinds[k]);
		}
}

/* ---- views ---------------------------------------------------------------------------- */

static void check_select(const struct view *v, const struct column *c,
    size_t n)
{
	struct view_ask ask = {.limit = 1};
	struct err err = {0};
	char *sql = view_select(&registry, v, &ask, &err);
	const char *const *names;
	struct query *q;

	if (!sql || !(q = query_new(cache, sql, 0, 0, NULL, &err)))
		fail_msg("%s: %s\n%s", at, err.text, sql ? sql : "");
	assert_int_equal(query_columns(q, &names), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(names[i], c[i].name);
	query_free(q);
	free(sql);
	/* And under its name, as `kiban sql` and --where see it. */
	if (view_check_where(cache, &registry, v, "1 = 1", &err) < 0)
		fail_msg("%s: %s", at, err.text);
}

static void check_key(const struct view *v, const struct column *c, size_t n)
{
	const char *key[VIEW_KEY_MAX];
	size_t nkey = view_key(&registry, v, key, VIEW_KEY_MAX);

	if (!nkey)
		fail_msg("%s: nothing names a row", at);
	for (size_t i = 0; i < nkey; i++)
		if (index_of(c, n, key[i]) < 0)
			fail_msg("%s: the key %s is no column", at, key[i]);
}

static void check_keys(const struct view *v, const struct column *c, size_t n)
{
	const char **names = xcalloc(n + 1, sizeof(*names));

	for (size_t i = 0; i < n; i++)
		names[i] = c[i].name;
	for (const struct bind *b = v->keys; b && b->key; b++) {
		assert_help(b->note);
		for (const struct bind *o = v->keys; o < b; o++)
			if (!strcmp(o->key, b->key))
				fail_msg("%s: the key %s twice", at, b->key);
		check_line(b->line, names, n);
	}
	free(names);
}

static int check_view(void *arg, const struct module *m, const struct view *v)
{
	struct order by[16];
	struct err err = {0};
	size_t n;
	struct column *c = view_columns(v, &n);
	char *name = view_sql_name(m, v);

	(void)arg;
	at = name;
	assert_true(is_word(v->name));
	assert_help(v->help);
	if (!v->empty || !*v->empty)
		fail_msg("%s: doesn't say why it is empty", at);
	check_columns(c, n);
	check_select(v, c, n);
	check_key(v, c, n);
	check_keys(v, c, n);
	if (v->sort && view_order(c, n, v->sort, by, 16, &err) < 0)
		fail_msg("%s: %s", at, err.text);
	if (v->every_of && !registry_kind(&registry, v->every_of))
		fail_msg("%s: no kind %s", at, v->every_of);
	if (!v->every_of && v->kind && !(v->flags & VIEW_NO_FETCH) &&
	    !registry_kind(&registry, v->kind))
		fail_msg("%s: no kind %s", at, v->kind);
	assert_ptr_equal(registry_view(&registry, name), v);
	free(name);
	free(c);
	return 0;
}

static void test_views(void **state)
{
	(void)state;
	registry_each_view(&registry, check_view, NULL);
}

/* ---- rules ------------------------------------------------------------------------------ */

static bool gives(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* The columns that name a row of the kind, whether it has a table or a list. */
static size_t keys_of(const char *kind, const char **key)
{
	const struct kind *k = registry_kind(&registry, kind);
	const struct view *v = registry_view_of_kind(&registry, kind);
	size_t n = 0;

	if (!k)
		return v ? view_key(&registry, v, key, VIEW_KEY_MAX) : 0;
	for (const struct field *f = k->fields; f->name; f++)
		if (f->role == ROLE_KEY)
			key[n++] = f->name;
	return n;
}

static int check_rule(void *arg, const struct module *m, const struct rule *u)
{
	const char *key[VIEW_KEY_MAX];
	const char *const *names;
	struct err err = {0};
	struct query *q = query_new(cache, u->sql, QUERY_GUARD, 0, NULL, &err);
	size_t nkey = keys_of(u->kind, key), n;

	(void)arg;
	at = u->id;
	if (!q)
		fail_msg("%s: %s", at, err.text);
	assert_help(u->help);
	if (strncmp(u->id, m->name, strlen(m->name)) ||
	    u->id[strlen(m->name)] != '.')
		fail_msg("%s: is a rule of %s", at, m->name);
	assert_ptr_equal(registry_rule(&registry, u->id), u);
	assert_true(u->severity == SEVERITY_BAD ||
	    u->severity == SEVERITY_DOUBTFUL);
	n = query_columns(q, &names);
	if (!nkey)
		fail_msg("%s: no kind %s", at, u->kind);
	for (size_t i = 0; i < nkey; i++)
		if (!gives(names, n, key[i]))
			fail_msg("%s: gives no %s, a key of %s", at, key[i],
			    u->kind);
	assert_true(gives(names, n, "context"));
	assert_true(gives(names, n, "object"));
	check_placeholders(u->reason, names, n);
	if (u->command)
		check_line(u->command, names, n);
	query_free(q);
	return 0;
}

static void test_rules(void **state)
{
	(void)state;
	registry_each_rule(&registry, check_rule, NULL);
}

/* ---- commands, modules --------------------------------------------------------------------- */

static void check_command(const struct module *m, const struct command *c)
{
	size_t n = 0;

	at = c->name;
	assert_help(c->help);
	assert_non_null(c->run);
	for (size_t i = 0; m->commands[i] != c; i++)
		if (!strcmp(m->commands[i]->name, c->name))
			fail_msg("%s %s twice", m->name, c->name);
	for (const struct flag *f = c->flags_own; f && f->name; f++) {
		if (strncmp(f->name, "--", 2))
			fail_msg("%s: the flag %s", at, f->name);
		assert_help(f->help);
	}
	while (c->columns && c->columns[n].name)
		n++;
	if (c->columns)
		check_columns(c->columns, n);
	if (c->flags & COMMAND_SEVERE)
		assert_true(c->flags & COMMAND_WRITES);
	if (c->flags & COMMAND_OWN)
		assert_false(c->flags & COMMAND_WRITES);
}

static void test_commands(void **state)
{
	(void)state;
	for (const struct module *const *m = modules; *m; m++)
		for (size_t i = 0; (*m)->commands && (*m)->commands[i]; i++)
			check_command(*m, (*m)->commands[i]);
}

/* "service,rps,success" */
static void check_home(const struct module *m)
{
	const struct view *v = registry_view_of(&registry, m, m->home);
	int picked[32];
	struct err err = {0};
	struct column *c;
	size_t n;

	if (!v)
		fail_msg("%s: no list %s for home", at, m->home);
	c = view_columns(v, &n);
	if (view_pick(c, n, m->home_columns, picked, 32, &err) < 0)
		fail_msg("%s: %s", at, err.text);
	free(c);
}

static void test_modules(void **state)
{
	(void)state;
	for (const struct module *const *m = modules; *m; m++) {
		at = (*m)->name;
		assert_help((*m)->help);
		assert_ptr_equal(registry_module(&registry, at), *m);
		/* A noun of the core can't have a module's name. */
		if (*at) {
			assert_true(is_word(at));
			assert_null(registry_view_of(&registry, modules[0],
			    at));
		}
		if ((*m)->home)
			check_home(*m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_modules),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
