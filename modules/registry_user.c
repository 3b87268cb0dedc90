/* The users' own nouns: views:, rules: and keys: of the config become the same
 * literals as those in C. The shape was checked when the config was read; here
 * the names are: that what is referred to exists, and that nothing that exists
 * is hidden. An entry with a mistake is left out whole, and said. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "registry_user.h"
#include "text.h"

struct adding {
	struct registry		*r;
	struct registry_user	*u;
	struct config		*c;
};

/* ---- saying what is wrong ------------------------------------------------ */

/* value: the word that is wrong, quoted into the sentence. */
static bool wrong(struct adding *a, const struct node *at, const char *what,
    const char *value, const char *why, const char *remedy)
{
	char *text = xasprintf("%s %s %s", what, config_quote(a->c, value), why);

	config_complain(a->c, at, "bad", NULL, text, remedy);
	free(text);
	return false;
}

struct known {
	const char	**v;
	size_t		 n;
};

static void know(struct known *k, const char *name)
{
	k->v = xrealloc(k->v, k->n + 2, sizeof(*k->v));
	k->v[k->n++] = name;
	k->v[k->n] = NULL;
}

static bool unknown(struct adding *a, const struct node *at, const char *what,
    const char *value, struct known *k)
{
	const char *near = k->n ? text_nearest(value, k->v) : NULL;
	struct buf b = {0};

	if (near)
		buf_addf(&b, "the nearest is \"%s\"", near);
	for (size_t i = 0; !near && i < k->n; i++)
		buf_addf(&b, "%s%s", i ? ", " : "there are ", k->v[i]);
	wrong(a, at, what, value, "is not known", buf_str(&b));
	buf_free(&b);
	free(k->v);
	return false;
}

static int know_kind(void *arg, const struct module *m, const struct kind *k)
{
	(void)m;
	know(arg, k->name);
	return 0;
}

static int know_view_kind(void *arg, const struct module *m,
    const struct view *v)
{
	(void)m;
	if (v->kind)
		know(arg, v->kind);
	return 0;
}

static int know_module(struct known *k, const struct registry *r)
{
	for (size_t i = 0; r->modules[i]; i++)
		if (*r->modules[i]->name)
			know(k, r->modules[i]->name);
	return 0;
}

/* ---- small checks -------------------------------------------------------- */

/* SQL's own words: a column of that name would need quotes. */
static bool is_keyword(const char *s)
{
	static const char *const words[] = {
		"add", "all", "alter", "and", "as", "autoincrement", "between",
		"case", "check", "collate", "commit", "constraint", "create",
		"default", "deferrable", "delete", "distinct", "drop", "else",
		"escape", "except", "exists", "foreign", "from", "group",
		"having", "in", "index", "insert", "intersect", "into", "is",
		"isnull", "join", "limit", "not", "nothing", "notnull", "null",
		"on", "or", "order", "primary", "references", "returning",
		"select", "set", "table", "then", "to", "transaction",
		"union", "unique", "update", "using", "values", "when",
		"where", NULL,
	};

	for (size_t i = 0; words[i]; i++)
		if (!strcmp(words[i], s))
			return true;
	return false;
}

static bool is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n && n <= 64 && !s[n] && *s >= 'a' && !is_keyword(s);
}

static bool check_name(struct adding *a, const struct node *at,
    const char *what, const char *s)
{
	return is_name(s) || wrong(a, at, what, s, "can't be a name",
	    "take lower case letters, digits and _, no word of SQL");
}

/* One character, or one of the names that --play knows. */
static bool is_key(const char *s)
{
	static const char *const names[] = {
		"<Enter>", "<Esc>", "<Tab>", "<S-Tab>", "<BS>", "<Del>",
		"<Space>", "<Up>", "<Down>", "<Left>", "<Right>", "<Home>",
		"<End>", "<PgUp>", "<PgDn>", "<F1>", "<F2>", "<F3>", "<F4>",
		"<F5>", "<F6>", "<F7>", "<F8>", "<F9>", "<F10>", "<F11>",
		"<F12>", "<lt>", NULL,
	};
	size_t n = strlen(s);
	unsigned ch;

	for (size_t i = 0; names[i]; i++)
		if (key_same(names[i], s))
			return true;
	if (n == 5 && *s == '<' && s[2] == '-' && s[4] == '>')
		return strchr("CcMm", s[1]) && s[3] > ' ' && s[3] < 0x7f;
	return n && *s != '<' && text_char(s, n, &ch) == (int)n && ch > ' ' &&
	    ch != 0x7f && (ch < 0x80 || ch > 0x9f);
}

static const char *own(struct adding *a, const struct node *n, const char *key)
{
	const char *s = node_text(n, key, NULL);

	return s ? arena_strdup(&a->u->arena, s) : NULL;
}

static size_t count(const struct node *list)
{
	size_t n = 0;

	for (const struct node *i = list ? list->first : NULL; i; i = i->next)
		n++;
	return n;
}

/* ---- views ---------------------------------------------------------------- */

static const struct module *find_module(struct adding *a,
    const struct node *n, const char *name)
{
	const struct module *m = *name ? registry_module(a->r, name) : NULL;
	struct known k = {0};

	if (m)
		return m;
	know_module(&k, a->r);
	unknown(a, n, "module", name, &k);
	return NULL;
}

/* A name that has a meaning already, on the line or in SQL. */
static bool is_taken(struct adding *a, const struct module *m, const char *name)
{
	char *sql = xasprintf("%s_%s", m->name, name);
	bool taken = registry_view_of(a->r, m, name) ||
	    registry_kind(a->r, sql) || registry_view(a->r, sql);

	free(sql);
	for (size_t i = 0; m->commands && m->commands[i] && !taken; i++) {
		size_t n = strcspn(m->commands[i]->name, " ");
		taken = !strncmp(m->commands[i]->name, name, n) && !name[n];
	}
	return taken;
}

static bool find_kind(struct adding *a, const struct node *at,
    const char *what, const char *kind, bool table)
{
	struct known k = {0};

	if (table ? registry_kind(a->r, kind) != NULL
		  : registry_module_of_kind(a->r, kind) != NULL)
		return true;
	registry_each_kind(a->r, know_kind, &k);
	if (!table)
		registry_each_view(a->r, know_view_kind, &k);
	return unknown(a, at, what, kind, &k);
}

static bool is_added(const char *name)
{
	return !strcmp(name, "context") || !strcmp(name, "status") ||
	    !strcmp(name, "seen");
}

static bool read_column(struct adding *a, const struct node *n,
    struct column *columns, size_t at)
{
	const char *type = node_text(n, "type", "text");
	const struct node *wide = node_get(n, "wide");
	struct column *c = &columns[at];

	*c = (struct column){
		.name = own(a, n, "name"),
		.title = own(a, n, "title"),
		.type = (enum type)type_from_name(type),
		.flags = wide && node_bool(wide) == 1 ? COLUMN_WIDE : 0,
	};
	if (!check_name(a, n, "column", c->name))
		return false;
	if (is_added(c->name))
		return wrong(a, n, "column", c->name, "is added by kiban",
		    "leave it out of columns");
	for (size_t i = 0; i < at; i++)
		if (!strcmp(columns[i].name, c->name))
			return wrong(a, n, "column", c->name,
			    "was given before", "name it once");
	return true;
}

/* A list without a kind that is fetched for it has neither age nor status, but
 * still a context in front. */
static const struct column plain_context = {.name = "context"};

static bool read_columns(struct adding *a, const struct node *list,
    struct view *v)
{
	size_t n = count(list), at = 0;
	struct column *c = arena_alloc(&a->u->arena, (n + 2) * sizeof(*c));

	if (!n) {
		config_complain(a->c, list, "bad", NULL,
		    "columns is empty", "name at least one: - name: COLUMN");
		return false;
	}
	if (v->flags & VIEW_NO_STATUS)
		c[at++] = plain_context;
	for (const struct node *i = list->first; i; i = i->next)
		if (!read_column(a, i, c, at++))
			return false;
	v->columns = c;
	return true;
}

static bool has_column(const struct view *v, const char *name)
{
	for (const struct column *c = v->columns; c->name; c++)
		if (!strcmp(c->name, name))
			return strcmp(name, "context") != 0;
	return false;
}

static bool read_key(struct adding *a, const struct node *list, struct view *v)
{
	const char **key;
	size_t n = count(list), at = 0;

	if (!n)
		return true;
	if (n > VIEW_KEY_MAX) {
		config_complain(a->c, list, "bad", NULL,
		    "key has more than 8 columns", "name those that tell rows "
		    "apart");
		return false;
	}
	key = arena_alloc(&a->u->arena, (n + 1) * sizeof(*key));
	for (const struct node *i = list->first; i; i = i->next) {
		struct known k = {0};
		key[at] = arena_strdup(&a->u->arena, i->text);
		if (has_column(v, key[at++]))
			continue;
		for (const struct column *c = v->columns; c->name; c++)
			know(&k, c->name);
		return unknown(a, i, "key column", i->text, &k);
	}
	v->key = key;
	return true;
}

/* {column} names a column of the list where the key is bound; v may be NULL:
 * everywhere, where nobody knows. */
static bool check_placeholders(struct adding *a, const struct node *n,
    const struct view *v)
{
	struct known k = {0};
	struct column *c;
	const char *p = n->text;
	char *name = NULL;
	size_t ncolumns;
	bool good;

	if (!v)
		return true;
	c = view_columns(v, &ncolumns);
	for (size_t i = 0; i < ncolumns; i++)
		know(&k, c[i].name);
	while (!name && (p = strchr(p, '{'))) {
		size_t i = 0, len = strspn(++p,
		    "abcdefghijklmnopqrstuvwxyz0123456789_");
		if (!len || p[len] != '}')
			continue;
		name = xstrndup(p, len);
		while (i < k.n && strcmp(k.v[i], name))
			i++;
		if (i < k.n) {
			free(name);
			name = NULL;
		}
	}
	good = !name;
	if (good)
		free(k.v);
	else
		unknown(a, n, "column", name, &k);
	free(c);
	free(name);
	return good;
}

/* One {KEY: LINE}. */
static bool read_bind(struct adding *a, const struct node *n,
    const struct view *v, struct bind *b)
{
	if (!is_key(n->key))
		return wrong(a, n, "key", n->key, "is no key of the keyboard",
		    "write one character, or <Name> as --play takes it");
	if (!*n->text) {
		config_complain(a->c, n, "bad", NULL,
		    "the line of a key is empty",
		    "write what you would type after the colon");
		return false;
	}
	*b = (struct bind){
		.key = arena_strdup(&a->u->arena, n->key),
		.line = arena_strdup(&a->u->arena, n->text),
		.note = "your own",
	};
	return check_placeholders(a, n, v);
}

static bool read_view_keys(struct adding *a, const struct node *map,
    struct view *v)
{
	struct bind *b;
	size_t at = 0;

	if (!map)
		return true;
	b = arena_alloc(&a->u->arena, (count(map) + 1) * sizeof(*b));
	for (const struct node *i = map->first; i; i = i->next)
		if (!node_is_null(i) && !read_bind(a, i, v, &b[at++]))
			return false;
	v->keys = b;
	return true;
}

static bool read_view(struct adding *a, const struct node *n,
    struct user_view *out)
{
	struct view *v = &out->view;

	*out = (struct user_view){.node = n};
	v->name = own(a, n, "name");
	v->help = own(a, n, "help");
	if (!v->help)
		v->help = "a list of your own";
	v->sql = own(a, n, "sql");
	v->every_of = own(a, n, "every_of");
	v->empty = "No rows. The SELECT of this list is in your config.";
	v->flags = v->every_of ? 0 : VIEW_NO_STATUS;
	out->module = find_module(a, n, node_text(n, "module", ""));
	if (!out->module || !check_name(a, n, "view", v->name))
		return false;
	if (is_taken(a, out->module, v->name))
		return wrong(a, n, "view", v->name, "is a name that is taken",
		    "take another");
	if (v->every_of && !find_kind(a, n, "every_of", v->every_of, true))
		return false;
	return read_columns(a, node_get(n, "columns"), v) &&
	    read_key(a, node_get(n, "key"), v) &&
	    read_view_keys(a, node_get(n, "keys"), v);
}

static void add_views(struct adding *a, const struct node *list)
{
	struct registry_user *u = a->u;

	u->views = arena_alloc(&u->arena, (count(list) + 1) *
	    sizeof(*u->views));
	for (const struct node *n = list ? list->first : NULL; n; n = n->next)
		if (read_view(a, n, &u->views[u->nviews]))
			u->nviews++;
}

/* ---- rules ----------------------------------------------------------------- */

/* "mesh.x": the module before the dot, a name behind it. */
static const struct module *module_of_id(struct adding *a,
    const struct node *n, const char *id)
{
	const char *dot = strchr(id, '.');
	const struct module *m;
	char *name;

	if (!dot || !is_name(dot + 1)) {
		wrong(a, n, "rule", id, "can't be an id",
		    "write MODULE.NAME, as in mesh.no_healthy_host");
		return NULL;
	}
	name = xstrndup(id, (size_t)(dot - id));
	m = find_module(a, n, name);
	free(name);
	return m;
}

static bool read_rule(struct adding *a, const struct node *n,
    struct user_rule *out)
{
	struct rule *u = &out->rule;

	*out = (struct user_rule){.node = n};
	u->id = own(a, n, "id");
	u->kind = own(a, n, "kind");
	u->sql = own(a, n, "sql");
	u->reason = own(a, n, "reason");
	u->command = own(a, n, "command");
	u->help = u->reason;
	u->severity = !strcmp(node_text(n, "severity", ""), "bad")
	    ? SEVERITY_BAD : SEVERITY_DOUBTFUL;
	out->module = module_of_id(a, n, u->id);
	if (!out->module)
		return false;
	if (registry_rule(a->r, u->id))
		return wrong(a, n, "rule", u->id, "is an id that is taken",
		    "take another");
	return find_kind(a, n, "kind", u->kind, false);
}

static void add_rules(struct adding *a, const struct node *list)
{
	struct registry_user *u = a->u;

	u->rules = arena_alloc(&u->arena, (count(list) + 1) *
	    sizeof(*u->rules));
	for (const struct node *n = list ? list->first : NULL; n; n = n->next)
		if (read_rule(a, n, &u->rules[u->nrules]))
			u->nrules++;
}

/* ---- keys ------------------------------------------------------------------ */

/* "mesh services", or "findings" for one of the core. */
static const struct view *view_of_place(struct adding *a, const char *place)
{
	const char *blank = strchr(place, ' ');
	const struct module *m;
	char *name = xstrndup(place, blank ? (size_t)(blank - place) : 0);

	m = registry_module(a->r, name);
	free(name);
	return m ? registry_view_of(a->r, m, blank ? blank + 1 : place) : NULL;
}

static int know_place(void *arg, const struct module *m, const struct view *v)
{
	void **to = arg;
	struct adding *a = to[0];
	char *s = xasprintf("%s%s%s", m->name, *m->name ? " " : "", v->name);

	know(to[1], arena_strdup(&a->u->arena, s));
	free(s);
	return 0;
}

static bool unknown_place(struct adding *a, const struct node *n)
{
	struct known k = {0};
	void *to[] = {a, &k};

	registry_each_view(a->r, know_place, to);
	know(&k, "*");
	return unknown(a, n, "list", n->key, &k);
}

static void add_keys(struct adding *a, const struct node *map)
{
	struct registry_user *u = a->u;
	size_t n = 0;

	for (const struct node *i = map ? map->first : NULL; i; i = i->next)
		n += i->type == NODE_MAP ? count(i) : 0;
	u->binds = arena_alloc(&u->arena, (n + 1) * sizeof(*u->binds));
	for (const struct node *i = map ? map->first : NULL; i; i = i->next) {
		bool anywhere = !strcmp(i->key, "*");
		const struct view *v = anywhere ? NULL
						: view_of_place(a, i->key);
		if (!v && !anywhere) {
			unknown_place(a, i);
			continue;
		}
		for (const struct node *k = i->type == NODE_MAP ? i->first
		    : NULL; k; k = k->next) {
			struct user_bind *b = &u->binds[u->nbinds];
			if (node_is_null(k) || !read_bind(a, k, v, &b->bind))
				continue;
			b->view = v;
			u->nbinds++;
		}
	}
}

/* ---- all ------------------------------------------------------------------- */

void registry_add_user(struct registry *r, struct config *c)
{
	struct adding a = {.r = r, .c = c};

	if (c->broken)
		return;
	registry_release(r);
	r->user = a.u = xcalloc(1, sizeof(*r->user));
	add_views(&a, node_get(c->root, "views"));
	add_rules(&a, node_get(c->root, "rules"));
	add_keys(&a, node_get(c->root, "keys"));
}

void registry_release(struct registry *r)
{
	if (r->user)
		arena_free(&r->user->arena);
	free(r->user);
	r->user = NULL;
}
