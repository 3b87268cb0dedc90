/* The one place that knows which literals there are: those of the modules it
 * was given, in their order, and behind each module's the users' own. Lists
 * are short (tens, not thousands), so every look-up walks them. */
#include "registry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registry_user.h"

const struct module *registry_module(const struct registry *r, const char *name)
{
	for (size_t i = 0; r->modules[i]; i++)
		if (!strcmp(r->modules[i]->name, name))
			return r->modules[i];
	return NULL;
}

/* ---- walking ------------------------------------------------------------ */

int registry_each_kind(const struct registry *r,
    int (*each)(void *arg, const struct module *m, const struct kind *k),
    void *arg)
{
	for (size_t i = 0; r->modules[i]; i++) {
		const struct module *m = r->modules[i];
		for (size_t j = 0; m->kinds && m->kinds[j]; j++) {
			int rc = each(arg, m, m->kinds[j]);
			if (rc)
				return rc;
		}
	}
	return 0;
}

int registry_each_view(const struct registry *r,
    int (*each)(void *arg, const struct module *m, const struct view *v),
    void *arg)
{
	int rc;

	for (size_t i = 0; r->modules[i]; i++) {
		const struct module *m = r->modules[i];
		const struct registry_user *u = r->user;
		for (size_t j = 0; m->views && m->views[j]; j++)
			if ((rc = each(arg, m, m->views[j])))
				return rc;
		for (size_t j = 0; u && j < u->nviews; j++)
			if (u->views[j].module == m &&
			    (rc = each(arg, m, &u->views[j].view)))
				return rc;
	}
	return 0;
}

int registry_each_rule(const struct registry *r,
    int (*each)(void *arg, const struct module *m, const struct rule *u),
    void *arg)
{
	int rc;

	for (size_t i = 0; r->modules[i]; i++) {
		const struct module *m = r->modules[i];
		const struct registry_user *u = r->user;
		for (size_t j = 0; m->rules && m->rules[j]; j++)
			if ((rc = each(arg, m, m->rules[j])))
				return rc;
		for (size_t j = 0; u && j < u->nrules; j++)
			if (u->rules[j].module == m &&
			    (rc = each(arg, m, &u->rules[j].rule)))
				return rc;
	}
	return 0;
}

int registry_each_user(const struct registry *r,
    int (*each)(void *arg, const struct view *v, const struct rule *u,
	const struct node *node),
    void *arg)
{
	const struct registry_user *u = r->user;
	int rc;

	for (size_t i = 0; u && i < u->nviews; i++)
		if ((rc = each(arg, &u->views[i].view, NULL, u->views[i].node)))
			return rc;
	for (size_t i = 0; u && i < u->nrules; i++)
		if ((rc = each(arg, NULL, &u->rules[i].rule, u->rules[i].node)))
			return rc;
	return 0;
}

/* ---- looking up --------------------------------------------------------- */

/* One search: by what, and the literal and its module when it is found. */
struct search {
	const char		*name;
	const void		*literal;
	const struct module	*module;
};

static int found(struct search *s, const struct module *m, const void *literal)
{
	s->literal = literal;
	s->module = m;
	return 1;
}

static int is_kind(void *arg, const struct module *m, const struct kind *k)
{
	struct search *s = arg;

	return strcmp(k->name, s->name) ? 0 : found(s, m, k);
}

static int is_rule(void *arg, const struct module *m, const struct rule *u)
{
	struct search *s = arg;

	return strcmp(u->id, s->name) ? 0 : found(s, m, u);
}

/* "mesh_proxies" without building it: prefix, underscore, noun. */
static int is_sql_name(void *arg, const struct module *m, const struct view *v)
{
	struct search *s = arg;
	size_t n = strlen(m->name);
	const char *noun = s->name;

	if (n) {
		if (strncmp(noun, m->name, n) || noun[n] != '_')
			return 0;
		noun += n + 1;
	}
	return strcmp(noun, v->name) ? 0 : found(s, m, v);
}

static int is_view(void *arg, const struct module *m, const struct view *v)
{
	struct search *s = arg;

	return s->literal == v ? found(s, m, v) : 0;
}

static int lists_kind(void *arg, const struct module *m, const struct view *v)
{
	struct search *s = arg;

	return v->kind && !strcmp(v->kind, s->name) ? found(s, m, v) : 0;
}

const struct kind *registry_kind(const struct registry *r, const char *name)
{
	struct search s = {.name = name};

	return registry_each_kind(r, is_kind, &s) ? s.literal : NULL;
}

const struct view *registry_view(const struct registry *r, const char *name)
{
	struct search s = {.name = name};

	return registry_each_view(r, is_sql_name, &s) ? s.literal : NULL;
}

const struct view *registry_view_of(const struct registry *r,
    const struct module *m, const char *noun)
{
	const struct registry_user *u = r->user;

	for (size_t i = 0; m->views && m->views[i]; i++)
		if (!strcmp(m->views[i]->name, noun))
			return m->views[i];
	for (size_t i = 0; u && i < u->nviews; i++)
		if (u->views[i].module == m &&
		    !strcmp(u->views[i].view.name, noun))
			return &u->views[i].view;
	return NULL;
}

const struct rule *registry_rule(const struct registry *r, const char *id)
{
	struct search s = {.name = id};

	return registry_each_rule(r, is_rule, &s) ? s.literal : NULL;
}

const struct module *registry_module_of_view(const struct registry *r,
    const struct view *v)
{
	struct search s = {.literal = v};

	return registry_each_view(r, is_view, &s) ? s.module : NULL;
}

/* A kind without a table (mesh_service) belongs where its list stands. */
const struct module *registry_module_of_kind(const struct registry *r,
    const char *kind)
{
	struct search s = {.name = kind};

	if (registry_each_kind(r, is_kind, &s) ||
	    registry_each_view(r, lists_kind, &s))
		return s.module;
	return NULL;
}

const struct source *registry_source_of_kind(const struct registry *r,
    const char *kind)
{
	for (size_t i = 0; r->modules[i]; i++) {
		const struct source *const *s = r->modules[i]->sources;
		for (; s && *s; s++)
			for (size_t k = 0; (*s)->kinds[k]; k++)
				if (!strcmp((*s)->kinds[k], kind))
					return *s;
	}
	return NULL;
}

const struct view *registry_view_of_kind(const struct registry *r,
    const char *kind)
{
	struct search s = {.name = kind};

	return registry_each_view(r, lists_kind, &s) ? s.literal : NULL;
}

/* ---- views -------------------------------------------------------------- */

char *view_sql_name(const struct module *m, const struct view *v)
{
	return *m->name ? xasprintf("%s_%s", m->name, v->name)
			: xstrdup(v->name);
}

size_t view_key(const struct registry *r, const struct view *v,
    const char **names, size_t max)
{
	const struct kind *k = NULL;
	size_t n = 0;

	if (v->key) {
		for (; v->key[n] && n < max; n++)
			names[n] = v->key[n];
		return n;
	}
	if (v->kind)
		k = registry_kind(r, v->kind);
	for (size_t i = 0; k && k->fields[i].name && n < max; i++)
		if (k->fields[i].role == ROLE_KEY)
			names[n++] = k->fields[i].name;
	return n;
}

static const struct column context_column = {
	.name = "context", .help = "the platform that the row belongs to",
};
static const struct column status_column = {
	.name = "status",
	.help = "the worst finding on the row: bad, doubtful; else old when "
		"not confirmed for three times its interval, else ok",
};
static const struct column seen_column = {
	.name = "seen", .type = TYPE_TIME, .flags = COLUMN_WIDE,
	.help = "when the last good fetch was",
};

struct column *view_columns(const struct view *v, size_t *n)
{
	size_t own = 0, at = 0;
	bool bare = v->flags & VIEW_NO_STATUS;
	struct column *c;

	while (v->columns[own].name)
		own++;
	c = xcalloc(own + 3, sizeof(*c));
	if (!bare)
		c[at++] = context_column;
	memcpy(c + at, v->columns, own * sizeof(*c));
	at += own;
	if (!bare) {
		c[at++] = status_column;
		c[at++] = seen_column;
	}
	*n = at;
	return c;
}

bool key_same(const char *a, const char *b)
{
	return *a == '<' ? !strcasecmp(a, b) : !strcmp(a, b);
}

const struct bind *registry_bind(const struct registry *r,
    const struct view *view, const char *key)
{
	const struct registry_user *u = r->user;

	for (size_t i = 0; u && i < u->nbinds; i++)
		if (u->binds[i].view == view &&
		    key_same(u->binds[i].bind.key, key))
			return &u->binds[i].bind;
	for (const struct bind *b = view ? view->keys : NULL; b && b->key; b++)
		if (key_same(b->key, key))
			return b;
	return NULL;
}

void key_json(struct buf *out, const char *const *names,
    const struct cell *cells, size_t n)
{
	buf_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(out, ',');
		value_json_text(out, names[i], strlen(names[i]));
		buf_addc(out, ':');
		switch (cells[i].tag) {
		case CELL_NULL:
			buf_adds(out, "null");
			break;
		case CELL_INT:
			buf_addf(out, "%lld", (long long)cells[i].i);
			break;
		case CELL_REAL:
			value_number(out, cells[i].d);
			break;
		case CELL_TEXT:
			value_json_text(out, cells[i].s, cells[i].n);
			break;
		}
	}
	buf_addc(out, '}');
}
