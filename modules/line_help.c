/* Help made from the literals, 80 columns wide: nothing here knows a view or a
 * command by name, so nothing here can be out of date. */
#include <stdlib.h>
#include <string.h>

#include "line_impl.h"
#include "text.h"

#define COLUMNS		80
#define LEFT_MAX	30	/* of the left one of two columns */

/* ---- layout -------------------------------------------------------------- */

/* Words of s from column `at` on, broken before COLUMNS, later lines beginning
 * at `indent`. Texts of users' literals come through here: made harmless. */
static void wrap(struct buf *out, const char *s, int at, int indent)
{
	struct buf safe = {0};
	const char *p;
	int start = at;

	text_harmless(&safe, s, strlen(s));
	for (p = buf_str(&safe); *p;) {
		size_t n = strcspn(p, " ");
		int w = text_width(p, n);
		if (at > start && at + 1 + w > COLUMNS) {
			buf_addf(out, "\n%*s", indent, "");
			at = start = indent;
		} else if (at > start) {
			buf_addc(out, ' ');
			at++;
		}
		buf_add(out, p, n);
		at += w;
		p += n;
		p += strspn(p, " ");
	}
	buf_addc(out, '\n');
	buf_free(&safe);
}

/* Two columns: what it is called, what it is. */
static void pair(struct buf *out, const char *left, int width, const char *s)
{
	int at = 2 + text_width(left, strlen(left));

	buf_addf(out, "  %s", left);
	if (!s || !*s) {
		buf_addc(out, '\n');
		return;
	}
	if (at + 2 > width) {
		buf_addc(out, '\n');
		at = 0;
	}
	buf_addf(out, "%*s", width - at, "");
	wrap(out, s, width, width);
}

static void head(struct buf *out, const char *title)
{
	buf_addf(out, "\n%s:\n", title);
}

static void widen(int *width, const char *left)
{
	int w = 4 + text_width(left, strlen(left));

	if (w > *width && w <= LEFT_MAX)
		*width = w;
}

/* ---- flags ---------------------------------------------------------------- */

static char *flag_left(const char *name, const char *arg)
{
	return arg ? xasprintf("%s %s", name, arg) : xstrdup(name);
}

static void flags(struct buf *out, const struct line *l)
{
	const struct command *c = l->command;

	if (c && c->flags_own) {
		head(out, "Its own flags");
		for (const struct flag *f = c->flags_own; f->name; f++) {
			char *left = flag_left(f->name, f->arg);
			pair(out, left, 24, f->help);
			free(left);
		}
	}
	head(out, "Flags");
	for (const struct known_flag *f = known_flags; f->name; f++) {
		char *left;
		if (!flag_fits(l, f->id) || own_find(c, f->name) ||
		    (f->id == FLAG_AT && !line_has_past(l)))
			continue;
		left = f->loose ? xasprintf("%s[=%s]", f->name, f->arg)
				: flag_left(f->name, f->arg);
		pair(out, left, 24, f->help);
		free(left);
	}
}

/* ---- a list --------------------------------------------------------------- */

static void column_help(struct buf *out, const struct column *c, int width)
{
	struct buf b = {0};

	if (c->help)
		buf_adds(&b, c->help);
	if (c->type != TYPE_TEXT)
		buf_addf(&b, "%s%s%s%s", b.n ? " (" : "", type_name(c->type),
		    c->unit ? ", " : "", c->unit ? c->unit : "");
	if (c->type != TYPE_TEXT && c->help)
		buf_addc(&b, ')');
	if (c->flags & COLUMN_WIDE)
		buf_adds(&b, b.n ? "; in wide" : "in wide");
	pair(out, c->name, width, buf_str(&b));
	buf_free(&b);
}

static void columns(struct buf *out, const struct column *c, size_t n)
{
	int width = 12;

	head(out, "Columns");
	for (size_t i = 0; i < n; i++)
		widen(&width, c[i].name);
	for (size_t i = 0; i < n; i++)
		column_help(out, &c[i], width);
}

static void bind_help(struct buf *out, const struct bind *b, int width)
{
	char *s = b->note ? xasprintf("%s: %s", b->note, b->line)
			  : xstrdup(b->line);

	pair(out, b->key, width, s);
	free(s);
}

static void view_keys(struct buf *out, const struct registry *r,
    const struct view *v)
{
	const struct bind *b = v->keys;

	if (!b || !b->key)
		return;
	head(out, "Keys on the screen");
	for (; b->key; b++)
		bind_help(out, registry_bind(r, v, b->key), 12);
}

/* show and series, by the columns that name a row. */
static void verbs(struct buf *out, const struct registry *r,
    const struct view *v, const char *name)
{
	const char *key[VIEW_KEY_MAX];
	size_t n = view_key(r, v, key, VIEW_KEY_MAX);
	struct buf b = {0};

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, " %s", key[i]);
	if (n)
		buf_addf(out, "       kiban %s show%s\n", name, buf_str(&b));
	if (n && !(v->flags & VIEW_NO_PAST))
		buf_addf(out, "       kiban %s series COLUMN%s\n", name,
		    buf_str(&b));
	buf_free(&b);
}

static void view_help(const struct registry *r, const struct line *l,
    struct buf *out)
{
	const struct view *v = l->view;
	const char *prefix = l->module->name;
	char *name = xasprintf("%s%s%s", prefix, *prefix ? " " : "", v->name);
	size_t n;
	struct column *c = view_columns(v, &n);

	buf_addf(out, "usage: kiban %s [flags]\n", name);
	verbs(out, r, v, name);
	buf_addc(out, '\n');
	wrap(out, v->help, 0, 0);
	columns(out, c, n);
	view_keys(out, r, v);
	flags(out, l);
	free(name);
	free(c);
}

/* ---- a command ------------------------------------------------------------ */

static char *command_usage(const struct module *m, const struct command *c)
{
	return xasprintf("%s%s%s%s%s", m->name, *m->name ? " " : "", c->name,
	    c->args && *c->args ? " " : "", c->args ? c->args : "");
}

static void command_help(const struct registry *r, const struct line *l,
    struct buf *out)
{
	const struct command *c = l->command;
	const struct view *twin = registry_view_of(r, l->module, c->name);
	char *usage = command_usage(l->module, c);
	size_t n = 0;

	buf_addf(out, "usage: kiban %s [flags]\n", usage);
	if (twin)	/* a list of that name has the verbs and the keys */
		verbs(out, r, twin, usage);
	buf_addc(out, '\n');
	wrap(out, c->help, 0, 0);
	if (c->flags & COMMAND_WRITES)
		wrap(out, c->flags & COMMAND_SEVERE ?
		    "It changes things that can't be had back: it shows a plan "
		    "and wants the name typed, or --confirm NAME." :
		    "It changes things: it shows a plan, and asks on a "
		    "terminal.", 0, 0);
	while (c->columns && c->columns[n].name)
		n++;
	if (n)
		columns(out, c->columns, n);
	if (twin)
		view_keys(out, r, twin);
	flags(out, l);
	free(usage);
}

/* ---- a module, all -------------------------------------------------------- */

struct listing {
	struct buf		*out;
	const struct module	*module;
	int			 width;
	bool			 measure;
	size_t			 n;
};

static void list_one(struct listing *x, const char *left, const char *help)
{
	if (x->measure)
		widen(&x->width, left);
	else
		pair(x->out, left, x->width, help);
	x->n++;
}

static int list_view(void *arg, const struct module *m, const struct view *v)
{
	struct listing *x = arg;

	if (m == x->module)
		list_one(x, v->name, v->help);
	return 0;
}

static void views(struct listing *x, const struct registry *r)
{
	x->width = 14;
	x->n = 0;
	x->measure = true;
	registry_each_view(r, list_view, x);
	if (!x->n)
		return;
	head(x->out, "Lists");
	x->measure = false;
	registry_each_view(r, list_view, x);
}

/* Those whose names begin with the words given. */
static void commands(struct listing *x, size_t n, const char *const *words)
{
	bool any = false;

	x->width = LEFT_MAX;
	x->measure = false;
	for (size_t i = 0; x->module->commands && x->module->commands[i]; i++) {
		const struct command *c = x->module->commands[i];
		char *left;
		if (!command_begins(c, false, n, words))
			continue;
		if (!any)
			head(x->out, "Commands");
		any = true;
		left = xasprintf("%s%s%s", c->name,
		    c->args && *c->args ? " " : "", c->args ? c->args : "");
		list_one(x, left, c->help);
		free(left);
	}
}

static void module_help(const struct registry *r, const struct line *l,
    struct buf *out)
{
	struct listing x = {.out = out, .module = l->module};

	buf_addf(out, "usage: kiban %s NOUN [VERB] [ARG…] [flags]\n\n",
	    l->module->name);
	wrap(out, l->module->help, 0, 0);
	if (!l->nargs)
		views(&x, r);
	commands(&x, l->nargs, l->args);
	buf_adds(out, "\n");
	wrap(out, "Every list has the verbs show and series. For columns, keys "
	    "and flags add --help behind a noun.", 0, 0);
}

static void all_help(const struct registry *r, const struct line *l,
    struct buf *out)
{
	struct listing x = {.out = out, .module = registry_module(r, "")};

	buf_adds(out, "usage: kiban [flags] MODULE NOUN [VERB] [ARG…]\n"
	    "       kiban\n\n");
	wrap(out, "For the people who run a platform: its service mesh, its "
	    "data lake, its customer engagement. Without words it opens the "
	    "console on a terminal, else it prints home.", 0, 0);
	head(out, "Modules");
	for (size_t i = 0; r->modules[i]; i++)
		if (*r->modules[i]->name)
			pair(out, r->modules[i]->name, 14, r->modules[i]->help);
	if (x.module) {
		views(&x, r);
		commands(&x, 0, NULL);
	}
	buf_adds(out, "\n");
	wrap(out, "Every list has the verbs show and series. For columns, keys "
	    "and the flags that it takes add --help behind a noun.", 0, 0);
	flags(out, l);
}

void line_help(const struct registry *r, const struct line *l, struct buf *out)
{
	const struct module *core = registry_module(r, "");
	struct listing x = {.out = out, .module = core};

	if (l->view) {
		view_help(r, l, out);
	} else if (l->command) {
		command_help(r, l, out);
	} else if (l->module) {
		module_help(r, l, out);
	} else if (l->nargs && core) {
		buf_addf(out, "usage: kiban %s …\n", l->args[0]);
		commands(&x, l->nargs, l->args);
	} else {
		all_help(r, l, out);
	}
}
