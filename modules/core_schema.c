/* `schema`: every name that SQL knows, and what stands behind one of them, as
 * the literals say it. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "text.h"

/* The functions of `sql` that are kiban's own; cache.h holds their contract. */
static const struct function {
	const char	*name, *call, *help;
} functions[] = {
	{"at", "at()", "the time that is shown, ms"},
	{"since", "since()", "the beginning of its window, ms"},
	{"delta", "delta(series, 'FIELD', SECONDS)",
	    "growth of a counter over the seconds up to at(); last less first "
	    "of any other"},
	{"rate", "rate(series, 'FIELD', SECONDS)",
	    "delta over the seconds that it covers"},
	{"bins", "bins(series, 'FIELD', SECONDS)",
	    "the histogram of the window"},
	{"quantile", "quantile(P, BINS)",
	    "aggregate: sums bins; P from 0 to 1"},
	{"samples", "samples(BINS)", "how many a histogram has"},
	{"spark", "spark(series, 'FIELD', SECONDS, N)",
	    "JSON array of N values; null where there is no sample"},
	{"span", "span(series, SECONDS)",
	    "seconds between the first and last sample of the window"},
	{"mark", "mark(KIND, SEEN, CONTEXT, KEY…)",
	    "status of a row: bad, doubtful, old, ok"},
	{"module_of", "module_of(KIND)", "the module of a kind"},
	{"ms", "ms('TIME')", "any TIME as ms"},
	{"regexp", "regexp(PATTERN, TEXT)", "POSIX extended"},
	{NULL, NULL, NULL},
};

static const struct column all_columns[] = {
	{.name = "name", .help = "in SQL"},
	{.name = "type", .help = "kind, view, function"},
	{.name = "module", .help = "where it stands"},
	{.name = "help", .help = "what it is"},
	{0},
};
static const struct column one_columns[] = {
	{.name = "name", .help = "of the column"},
	{.name = "type", .help = "of its values"},
	{.name = "role", .help = "key, fact, metric, derived"},
	{.name = "unit", .help = "of numbers"},
	{.name = "help", .help = "what it says"},
	{0},
};
enum { ONE_COLUMNS = 5 };

/* ---- all names ------------------------------------------------------------ */

struct listing {
	struct run	*r;
	struct err	*err;
};

static int list(struct listing *l, const char *name, const char *type,
    const char *module, const char *help)
{
	const struct cell cells[] = {
		run_s(name), run_s(type), run_s(module), run_s(help)};

	return run_row(l->r, cells, l->err);
}

static int list_kind(void *arg, const struct module *m, const struct kind *k)
{
	return list(arg, k->name, "kind", m->name, k->help);
}

static int list_view(void *arg, const struct module *m, const struct view *v)
{
	char *name = view_sql_name(m, v);
	int rc = list(arg, name, "view", m->name, v->help);

	free(name);
	return rc;
}

static int list_all(struct run *r, struct err *err)
{
	struct listing l = {r, err};

	if (registry_each_kind(&r->session->registry, list_kind, &l) < 0 ||
	    registry_each_view(&r->session->registry, list_view, &l) < 0)
		return -1;
	for (const struct function *f = functions; f->name; f++) {
		char *help = xasprintf("%s: %s", f->call, f->help);
		int rc = list(&l, f->name, "function", "", help);

		free(help);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* ---- one name ------------------------------------------------------------- */

static int column_row(struct run *r, const char *name, enum type type,
    const char *role, const char *unit, const char *help, struct err *err)
{
	const struct cell cells[ONE_COLUMNS] = {
		run_s(name), run_s(type_name(type)), run_s(role), run_s(unit),
		run_s(help)};

	return run_row(r, cells, err);
}

static const char *role_name(enum role role)
{
	switch (role) {
	case ROLE_KEY:		return "key";
	case ROLE_FACT:		return "fact";
	case ROLE_METRIC:	return "metric";
	default:		return "derived";
	}
}

static const struct field *field_of(const struct kind *k, const char *name)
{
	for (const struct field *f = k ? k->fields : NULL; f && f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

static int show_kind(struct run *r, const struct kind *k, struct err *err)
{
	if (run_columns(r, one_columns, ONE_COLUMNS, err) < 0 ||
	    column_row(r, "context", TYPE_TEXT, "key", NULL,
	    "the platform that the row belongs to", err) < 0)
		return -1;
	for (const struct field *f = k->fields; f->name; f++)
		if (column_row(r, f->name, f->type, role_name(f->role),
		    f->unit, f->help, err) < 0)
			return -1;
	return column_row(r, "seen", TYPE_TIME, "derived", NULL,
	    "when the last good fetch was", err);
}

static bool is_key(const char *name, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(keys[i], name))
			return true;
	return !strcmp(name, "context");
}

/* In the order that `show` wants its words: keys first where they aren't. */
static int view_rows(struct run *r, const struct view *v, bool keys_too,
    struct err *err)
{
	const struct registry *reg = &r->session->registry;
	const struct kind *k = v->kind ? registry_kind(reg, v->kind) : NULL;
	const char *key[VIEW_KEY_MAX];
	size_t nkey = view_key(reg, v, key, VIEW_KEY_MAX), n;
	struct column *c = view_columns(v, &n);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct field *f = field_of(k, c[i].name);
		bool named = is_key(c[i].name, key, nkey);

		if (named != keys_too)
			continue;
		rc = column_row(r, c[i].name, c[i].type, named ? "key" :
		    f && f->role != ROLE_KEY ? role_name(f->role) : "derived",
		    c[i].unit ? c[i].unit : f ? f->unit : NULL,
		    c[i].help ? c[i].help : f ? f->help : NULL, err);
	}
	free(c);
	return rc;
}

static int show_view(struct run *r, const struct view *v, struct err *err)
{
	if (run_columns(r, one_columns, ONE_COLUMNS, err) < 0 ||
	    view_rows(r, v, true, err) < 0)
		return -1;
	return view_rows(r, v, false, err);
}

static int show_function(struct run *r, const struct function *f,
    struct err *err)
{
	char *help = xasprintf("%s: %s", f->call, f->help);
	const struct cell cells[] = {
		run_s(f->name), run_s("function"), run_s(""), run_s(help)};
	int rc;

	rc = run_columns(r, all_columns, 4, err);
	if (rc == 0)
		rc = run_row(r, cells, err);
	free(help);
	return rc;
}

/* ---- a name that isn't known ----------------------------------------------- */

struct names {
	char	**v;
	size_t	  n;
};

static void names_take(struct names *l, char *name)
{
	l->v = xrealloc(l->v, l->n + 2, sizeof(*l->v));
	l->v[l->n++] = name;
	l->v[l->n] = NULL;
}

static int name_kind(void *arg, const struct module *m, const struct kind *k)
{
	(void)m;
	names_take(arg, xstrdup(k->name));
	return 0;
}

static int name_view(void *arg, const struct module *m, const struct view *v)
{
	names_take(arg, view_sql_name(m, v));
	return 0;
}

static void names_all(const struct registry *r, struct names *out)
{
	registry_each_kind(r, name_kind, out);
	registry_each_view(r, name_view, out);
	for (const struct function *f = functions; f->name; f++)
		names_take(out, xstrdup(f->name));
}

static void names_free(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

static int unknown(struct run *r, const char *name, struct err *err)
{
	struct names all = {0};
	const char *near;

	names_all(&r->session->registry, &all);
	near = text_nearest(name, (const char *const *)all.v);
	if (near)
		err_set(err, ERR_USAGE, "schema: unknown name %s; the nearest "
		    "is %s", name, near);
	else
		err_set(err, ERR_USAGE, "schema: unknown name %s; kiban schema "
		    "lists them", name);
	names_free(&all);
	return -1;
}

static int schema_run(struct run *r, struct err *err)
{
	const struct registry *reg = &r->session->registry;
	const char *name = r->line->args[0];
	const struct kind *k;
	const struct view *v;

	if (!name)
		return list_all(r, err);
	if ((k = registry_kind(reg, name)))
		return show_kind(r, k, err);
	if ((v = registry_view(reg, name)))
		return show_view(r, v, err);
	for (const struct function *f = functions; f->name; f++)
		if (!strcmp(f->name, name))
			return show_function(r, f, err);
	return unknown(r, name, err);
}

static int schema_complete(struct run *r, int n, struct err *err)
{
	struct names all = {0};
	int rc = 0;

	if (n != 0)
		return 0;
	names_all(&r->session->registry, &all);
	for (size_t i = 0; i < all.n && rc == 0; i++) {
		const struct cell c = run_s(all.v[i]);
		rc = run_row(r, &c, err);
	}
	names_free(&all);
	return rc;
}

const struct command schema_command = {
	.name = "schema",
	.args = "[NAME]",
	.help = "what SQL knows: kinds, lists, functions; NAME: its columns",
	.columns = all_columns,
	.flags = COMMAND_ROWS | COMMAND_BROKEN,
	.run = schema_run,
	.complete = schema_complete,
};
