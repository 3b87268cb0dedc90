/* The grammar: which module, noun, verb and arguments a line's words mean. The
 * words can only be told from the flags' values once the command is known
 * (its own flags may take some), and the command only by its words; so a line
 * is scanned twice: first with what any command takes, then with what this
 * one does. */
#include <stdlib.h>
#include <string.h>

#include "line_impl.h"
#include "text.h"

/* ---- small things ------------------------------------------------------- */

const char *shown(struct arena *a, const char *word)
{
	struct buf b = {0};
	int cells;
	size_t n;
	char *s;

	text_harmless(&b, word, strlen(word));
	n = text_fits(buf_str(&b), b.n, 60, &cells);
	if (n < b.n) {
		b.n = n;
		buf_adds(&b, text_glyph(GLYPH_MORE));
	}
	s = arena_strndup(a, buf_str(&b), b.n);
	buf_free(&b);
	return s;
}

const char *line_name(struct line *l)
{
	struct buf b = {0};
	const char *s;

	if (l->module)
		buf_adds(&b, l->module->name);
	if (l->view || l->command)
		buf_addf(&b, "%s%s", b.n ? " " : "",
		    l->view ? l->view->name : l->command->name);
	if (l->verb != VERB_LIST)
		buf_adds(&b, l->verb == VERB_SHOW ? " show" : " series");
	s = arena_strdup(&l->arena, b.n ? buf_str(&b) : "kiban");
	buf_free(&b);
	return s;
}

const struct flag *own_find(const struct command *c, const char *name)
{
	for (const struct flag *f = c ? c->flags_own : NULL; f && f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

const char *line_own(const struct line *l, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < l->nown; i++)
		if (!strcmp(l->own[i].name, name) ||
		    !strcmp(l->own[i].name + strspn(l->own[i].name, "-"), name))
			value = l->own[i].value;
	return value;
}

/* ---- scanning ----------------------------------------------------------- */

struct arity {
	const char	*name;
	bool		 known, takes;
};

static void any_own(const struct registry *r, struct arity *a)
{
	for (size_t i = 0; r->modules[i]; i++) {
		const struct command *const *c = r->modules[i]->commands;
		for (; c && *c; c++) {
			const struct flag *f = own_find(*c, a->name);
			if (!f)
				continue;
			a->known = true;
			a->takes = a->takes || f->arg;
		}
	}
}

/* Does the next word belong to this flag? */
static bool takes_value(const struct registry *r, const struct command *c,
    const char *name)
{
	const struct flag *own = own_find(c, name);
	const struct known_flag *f = flag_find(name);
	struct arity a = {.name = name};

	if (own)
		return own->arg;
	if (f)
		return f->arg && !f->loose;
	if (r && !c)
		any_own(r, &a);
	return a.takes;
}

size_t line_scan(const struct registry *r, const struct command *c,
    struct arena *a, int argc, const char *const *argv, struct token *out)
{
	bool words_only = false;
	size_t n = 0;

	for (int i = 0; i < argc; i++) {
		struct token *t = &out[n++];
		const char *eq = strchr(argv[i], '=');
		*t = (struct token){.text = arena_strdup(a, argv[i])};
		if (!words_only && !strcmp(argv[i], "--")) {
			words_only = true;
			n--;
			continue;
		}
		if (words_only || argv[i][0] != '-' || !argv[i][1])
			continue;
		t->is_flag = true;
		if (eq) {
			t->joined = true;
			t->text = arena_strndup(a, argv[i],
			    (size_t)(eq - argv[i]));
			t->value = arena_strdup(a, eq + 1);
		} else if (takes_value(r, c, argv[i]) && i + 1 < argc) {
			t->value = arena_strdup(a, argv[++i]);
		}
	}
	return n;
}

/* ---- one parse ---------------------------------------------------------- */

struct parse {
	const struct registry	*r;
	bool			 prompt;
	int			 argc;
	const char *const	*argv;
	struct line		*l;
	struct token		*tokens;
	size_t			 ntokens;
	const char		**words;	/* ends with NULL */
	size_t			 nwords, used;
	struct err		*err;
};

static void scan(struct parse *p, const struct command *c)
{
	p->ntokens = line_scan(p->r, c, &p->l->arena, p->argc, p->argv,
	    p->tokens);
	p->nwords = 0;
	for (size_t i = 0; i < p->ntokens; i++)
		if (!p->tokens[i].is_flag)
			p->words[p->nwords++] = p->tokens[i].text;
	p->words[p->nwords] = NULL;
}

static int unknown_flag(struct parse *p, const char *name)
{
	struct arena *a = &p->l->arena;
	const struct command *c = p->l->command;
	struct names known = {0};
	const char *near;

	for (const struct known_flag *f = known_flags; f->name; f++)
		names_add(&known, f->name);
	for (const struct flag *f = c ? c->flags_own : NULL; f && f->name; f++)
		names_add(&known, f->name);
	/* All of one letter are near each other. */
	near = strlen(name) > 2 ? text_nearest(name, known.v) : NULL;
	names_free(&known);
	if (near)
		return err_set(p->err, ERR_USAGE,
		    "unknown flag %s; the nearest is %s", shown(a, name), near);
	return err_set(p->err, ERR_USAGE, "unknown flag %s; put -- before a "
	    "word that begins with a dash", shown(a, name));
}

static int wrong_value(struct parse *p, const struct token *t, const char *arg)
{
	if (arg)
		return err_set(p->err, ERR_USAGE, "%s needs a value: %s %s",
		    t->text, t->text, arg);
	return err_set(p->err, ERR_USAGE, "%s takes no value", t->text);
}

static int take_own(struct parse *p, const struct token *t,
    const struct flag *f)
{
	struct line *l = p->l;

	if (!f->arg != !t->value)
		return wrong_value(p, t, f->arg);
	l->own[l->nown].name = f->name;
	l->own[l->nown].value = t->value ? t->value : "";
	l->nown++;
	return 0;
}

static int take_flag(struct parse *p, const struct token *t)
{
	const struct flag *own = own_find(p->l->command, t->text);
	const struct known_flag *f;

	if (own)
		return take_own(p, t, own);
	f = flag_find(t->text);
	if (!f)
		return unknown_flag(p, t->text);
	if (!f->arg ? t->value != NULL : !t->value && !f->loose)
		return wrong_value(p, t, f->arg);
	return flag_set(p->l, f, t->value, p->err);
}

/* Before the words are looked at: --help changes what is wrong with them. */
static int take_flags(struct parse *p)
{
	for (size_t i = 0; i < p->ntokens; i++)
		if (p->tokens[i].is_flag && take_flag(p, &p->tokens[i]))
			return -1;
	return 0;
}

static int check_fit(struct parse *p)
{
	for (size_t i = 0; i < p->ntokens; i++) {
		const struct token *t = &p->tokens[i];
		const struct known_flag *f;
		if (!t->is_flag || own_find(p->l->command, t->text))
			continue;
		f = flag_find(t->text);
		if (f && !flag_fits(p->l, f->id))
			return err_set(p->err, ERR_USAGE,
			    "%s doesn't take %s: see kiban %s --help",
			    line_name(p->l), t->text, line_name(p->l));
	}
	return 0;
}

/* ---- what is wrong with the words ---------------------------------------- */

static void add_name(void *arg, const char *word, const char *help)
{
	struct names *l = arg;

	(void)help;
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], word))
			return;
	names_add(l, xstrdup(word));
}

static void drop_names(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free((char *)l->v[i]);
	names_free(l);
}

/* The first word that isn't known after the `from` before it. */
static int unknown_word(struct parse *p, size_t from)
{
	struct arena *a = &p->l->arena;
	struct names known = {0};
	struct buf where = {0}, list = {0};
	const char *near;

	line_next(p->r, p->prompt, from, p->words, add_name, &known);
	for (size_t i = 0; i < from; i++)
		buf_addf(&where, "%s%s", i ? " " : " after ",
		    shown(a, p->words[i]));
	near = known.n ? text_nearest(p->words[from], known.v) : NULL;
	for (size_t i = 0; !near && i < known.n; i++)
		buf_addf(&list, "%s%s", i ? ", " : "", known.v[i]);
	if (near)
		err_set(p->err, ERR_USAGE, "unknown word \"%s\"%s; the nearest "
		    "is %s", shown(a, p->words[from]), buf_str(&where), near);
	else if (known.n)
		err_set(p->err, ERR_USAGE, "unknown word \"%s\"%s; known there "
		    "are %s", shown(a, p->words[from]), buf_str(&where),
		    buf_str(&list));
	else
		err_set(p->err, ERR_USAGE, "\"%s\"%s is a word too many",
		    shown(a, p->words[from]), buf_str(&where));
	buf_free(&list);
	buf_free(&where);
	drop_names(&known);
	return -1;
}

/* Words that are the beginning of longer names: "context". */
static int unfinished(struct parse *p)
{
	struct names known = {0};
	struct buf list = {0}, so_far = {0};

	line_next(p->r, p->prompt, p->nwords, p->words, add_name, &known);
	for (size_t i = 0; i < known.n; i++)
		buf_addf(&list, "%s%s", i ? ", " : "", known.v[i]);
	for (size_t i = 0; i < p->nwords; i++)
		buf_addf(&so_far, "%s%s", i ? " " : "",
		    shown(&p->l->arena, p->words[i]));
	err_set(p->err, ERR_USAGE, "%s goes on with one of: %s",
	    buf_str(&so_far), buf_str(&list));
	buf_free(&so_far);
	buf_free(&list);
	drop_names(&known);
	return -1;
}

/* How many words of the line begin the name of some command; used when none
 * was found whole. */
static size_t known_words(struct parse *p)
{
	size_t n = p->used;

	while (n < p->nwords) {
		struct names known = {0};
		bool there = false;
		line_next(p->r, p->prompt, n, p->words, add_name, &known);
		for (size_t i = 0; i < known.n; i++)
			there = there || !strcmp(known.v[i], p->words[n]);
		drop_names(&known);
		if (!there)
			break;
		n++;
	}
	return n;
}

static int no_noun(struct parse *p)
{
	size_t known;

	if (p->used == p->nwords)
		return 0;		/* nothing, or a module alone: help */
	known = known_words(p);
	if (known < p->nwords)
		return unknown_word(p, known);
	return p->l->flags.help ? 0 : unfinished(p);
}

/* ---- arguments ----------------------------------------------------------- */

static int check_command(struct parse *p)
{
	size_t given = p->nwords - p->used, min, max;
	const struct command *c = p->l->command;

	usage_bounds(c->args, &min, &max);
	if (given >= min && given <= max)
		return 0;
	/* "findings mut": a slip in a longer name, not an argument. */
	if (given && !max && known_words(p) == p->used)
		return unknown_word(p, p->used);
	return err_set(p->err, ERR_USAGE, "%s takes %s: %zu %s given",
	    line_name(p->l), c->args && *c->args ? c->args : "no words", given,
	    given == 1 ? "word was" : "words were");
}

/* changed and timeline: their rows name kind and key, and a line may too. */
static bool takes_kind(const struct view *v)
{
	int found = 0;

	for (const struct column *c = v->columns; c->name; c++)
		found += !strcmp(c->name, "kind") || !strcmp(c->name, "key");
	return (v->flags & VIEW_SINCE) && found == 2;
}

static int list_kind(void *arg, const struct module *m, const struct kind *k)
{
	(void)m;
	names_add(arg, k->name);
	return 0;
}

static int list_view_kind(void *arg, const struct module *m,
    const struct view *v)
{
	(void)m;
	if (v->kind)
		names_add(arg, v->kind);
	return 0;
}

static int check_kind(struct parse *p, const char *kind)
{
	struct names known = {0};
	const char *near;

	if (registry_module_of_kind(p->r, kind))
		return 0;
	registry_each_kind(p->r, list_kind, &known);
	registry_each_view(p->r, list_view_kind, &known);
	near = known.n ? text_nearest(kind, known.v) : NULL;
	names_free(&known);
	return err_set(p->err, ERR_USAGE, "unknown kind \"%s\"; %s%s",
	    shown(&p->l->arena, kind), near ? "the nearest is " :
	    "kiban schema lists them", near ? near : "");
}

static int check_column(struct parse *p, const char *name)
{
	struct names known = {0};
	const char *near;
	bool there = false;
	size_t n;
	struct column *c = view_columns(p->l->view, &n);

	for (size_t i = 0; i < n; i++) {
		there = there || !strcmp(c[i].name, name);
		names_add(&known, c[i].name);
	}
	near = there || !n ? NULL : text_nearest(name, known.v);
	names_free(&known);
	free(c);
	if (there)
		return 0;
	return err_set(p->err, ERR_USAGE, "%s: unknown column \"%s\"; %s%s",
	    line_name(p->l), shown(&p->l->arena, name),
	    near ? "the nearest is " : "see its --help", near ? near : "");
}

/* "COLUMN PROXY CLUSTER": how the verb goes on, for its sentence. */
static int check_keys(struct parse *p, size_t given)
{
	const char *key[VIEW_KEY_MAX];
	size_t n = view_key(p->r, p->l->view, key, VIEW_KEY_MAX);
	bool series = p->l->verb == VERB_SERIES;
	struct buf b = {0};

	if (!n)
		return err_set(p->err, ERR_USAGE, "%s: rows of %s have no key",
		    line_name(p->l), p->l->view->name);
	if (given == n)
		return 0;
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, " %s", key[i]);
	err_set(p->err, ERR_USAGE, "%s takes%s%s: %zu %s given",
	    line_name(p->l), series ? " COLUMN" : "", buf_str(&b),
	    given + series, given + series == 1 ? "word was" : "words were");
	buf_free(&b);
	return -1;
}

static int check_view(struct parse *p)
{
	const char **rest = p->words + p->used;
	size_t n = p->nwords - p->used;
	struct line *l = p->l;

	if (l->verb == VERB_LIST && n && takes_kind(l->view))
		return check_kind(p, rest[0]);
	if (l->verb == VERB_LIST)
		return n ? unknown_word(p, p->used) : 0;
	if (l->verb == VERB_SHOW)
		return check_keys(p, n);
	if (l->view->flags & VIEW_NO_PAST)
		return err_set(p->err, ERR_USAGE,
		    "%s has no past, and so no series", l->view->name);
	if (!n)
		return err_set(p->err, ERR_USAGE,
		    "%s wants a COLUMN and the row's key", line_name(l));
	l->column = rest[0];
	p->used++;
	return check_column(p, rest[0]) || check_keys(p, n - 1) ? -1 : 0;
}

static int check_words(struct parse *p)
{
	if (p->l->command)
		return p->l->flags.help ? 0 : check_command(p);
	if (!p->l->view)
		return no_noun(p);
	return p->l->flags.help ? 0 : check_view(p);
}

/* ---- the parse ----------------------------------------------------------- */

/* A list and a command of one name: the command is what its own flags ask
 * for, and what the help tells of. */
static void prefer_list(struct parse *p)
{
	struct line *l = p->l;
	const struct view *v;

	if (!l->command || l->nown || l->flags.help)
		return;
	v = registry_view_of(p->r, l->module, l->command->name);
	if (!v)
		return;
	l->view = v;
	l->command = NULL;
}

static int parse_words(struct parse *p)
{
	struct line *l = p->l;

	p->used = line_resolve(p->r, p->prompt, p->nwords, p->words, l);
	if (l->command) {
		/* Now that its own flags are known. */
		scan(p, l->command);
		p->used = line_resolve(p->r, p->prompt, p->nwords, p->words, l);
	}
	if (take_flags(p))
		return -1;
	prefer_list(p);
	if (check_words(p))
		return -1;
	if (!l->flags.help && !l->flags.version && (check_fit(p) ||
	    flags_check(l, p->err)))
		return -1;
	return 0;
}

/* Without a registry nobody knows which flags take what: what can't be read
 * now is said by the second parse. */
static void parse_flags_only(struct parse *p)
{
	for (size_t i = 0; i < p->ntokens; i++) {
		const struct token *t = &p->tokens[i];
		const struct known_flag *f = t->is_flag ? flag_find(t->text)
							: NULL;
		if (f && (f->arg ? t->value || f->loose : !t->value))
			flag_set(p->l, f, t->value, NULL);
	}
}

static char *quoted_line(int argc, const char *const *argv)
{
	struct buf b = {0};

	for (int i = 0; i < argc; i++) {
		if (i)
			buf_addc(&b, ' ');
		line_quote(&b, argv[i]);
	}
	return buf_take(&b);
}

static int parse(const struct registry *r, bool prompt, int argc,
    const char *const *argv, struct line *out, struct err *err)
{
	struct parse p = {
		.r = r, .prompt = prompt, .argc = argc, .argv = argv, .l = out,
		.err = err,
	};
	size_t room = (size_t)argc + 1;
	int rc = 0;

	*out = (struct line){
		.flags = {.format = -1, .limit = -1, .timeout = -1},
	};
	out->text = quoted_line(argc, argv);
	out->flags.where = arena_alloc(&out->arena, room * sizeof(char *));
	out->own = arena_alloc(&out->arena, room * sizeof(*out->own));
	p.words = arena_alloc(&out->arena, room * sizeof(char *));
	p.tokens = xcalloc(room, sizeof(*p.tokens));
	scan(&p, NULL);
	if (r)
		rc = parse_words(&p);
	else
		parse_flags_only(&p);
	out->args = p.words + p.used;
	out->nargs = p.nwords - p.used;
	free(p.tokens);
	if (rc)
		line_release(out);
	return rc;
}

int line_parse(const struct registry *r, int argc, const char *const *argv,
    struct line *out, struct err *err)
{
	return parse(r, false, argc, argv, out, err);
}

int line_parse_prompt(const struct registry *r, int argc,
    const char *const *argv, struct line *out, struct err *err)
{
	return parse(r, true, argc, argv, out, err);
}

void line_release(struct line *l)
{
	free(l->text);
	arena_free(&l->arena);
	*l = (struct line){0};
}
