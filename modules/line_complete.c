/* Candidates for the word that is being typed. What came before decides: a
 * flag that wants a value, the words so far, or a command's own knowledge.
 * Nothing here is invented or fetched: words come from the literals, names
 * from the config, keys from the cache. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "line_impl.h"
#include "run.h"

#define CANDIDATES_MAX	1000	/* of keys: nobody reads more */
#define QUERY_MS	200	/* people wait for a Tab no longer */

struct completion {
	const struct registry	*r;
	const struct config	*config;
	struct cache		*cache;
	const char		*word;		/* what is typed of it */
	const char		*before;	/* put before each: "--where=", "a," */
	void			(*each)(void *arg, const char *word,
				    const char *help);
	void			*arg;
};

static void offer(void *arg, const char *word, const char *help)
{
	struct completion *x = arg;
	char *whole;

	if (strncmp(word, x->word, strlen(x->word)))
		return;
	whole = xasprintf("%s%s", x->before, word);
	x->each(x->arg, whole, help);
	free(whole);
}

/* ---- values of flags ------------------------------------------------------ */

/* Of a list a,b,c only the last part is being typed. */
static char *after_comma(struct completion *x, const char *before)
{
	const char *comma = strrchr(x->word, ',');
	size_t n = comma ? (size_t)(comma - x->word) + 1 : 0;
	char *s = xasprintf("%s%.*s", before, (int)n, x->word);

	x->word += n;
	x->before = s;
	return s;
}

static void contexts(struct completion *x)
{
	if (!x->config)
		return;
	for (size_t i = 0; i < x->config->ncontexts; i++)
		offer(x, x->config->contexts[i].name,
		    x->config->contexts[i].origin);
	if (!*x->before || x->before[strlen(x->before) - 1] != ',')
		offer(x, "all", "every context");
}

static void columns(struct completion *x, const struct line *l)
{
	struct column *own = NULL;
	const struct column *c = l->command ? l->command->columns : NULL;
	size_t n = 0;

	if (l->view)
		c = own = view_columns(l->view, &n);
	else
		while (c && c[n].name)
			n++;
	for (size_t i = 0; i < n; i++)
		offer(x, c[i].name, c[i].help);
	free(own);
}

static void flag_value(struct completion *x, const struct line *l,
    enum flag_id id)
{
	char *before = NULL;

	switch (id) {
	case FLAG_CONTEXT:
		before = after_comma(x, x->before);
		contexts(x);
		break;
	case FLAG_COLUMNS:
	case FLAG_SORT:
		before = after_comma(x, x->before);
		columns(x, l);
		break;
	case FLAG_OUTPUT:
		for (size_t i = 0; format_names[i]; i++)
			offer(x, format_names[i], NULL);
		break;
	case FLAG_FAIL_ON:
		offer(x, "doubtful", NULL);
		offer(x, "bad", NULL);
		break;
	default:
		break;
	}
	free(before);
}

static void flag_names(struct completion *x, const struct line *l)
{
	const struct command *c = l->command;

	for (const struct flag *f = c ? c->flags_own : NULL; f && f->name; f++)
		offer(x, f->name, f->help);
	for (const struct known_flag *f = known_flags; f->name; f++)
		if (!own_find(c, f->name) && flag_fits(l, f->id) &&
		    (f->id != FLAG_AT || line_has_past(l)))
			offer(x, f->name, f->help);
}

/* ---- values of keys ------------------------------------------------------- */

/* The contexts that the line means, or -1. */
static int meant(struct completion *x, const struct line *l,
    const struct context **out)
{
	if (!x->config)
		return -1;
	return config_contexts(x->config, l->flags.context ? l->flags.context
	    : config_current(x->config), out, CONTEXTS_MAX, NULL);
}

static int aim(struct completion *x, const struct line *l)
{
	const struct context *v[CONTEXTS_MAX];
	const char *names[CONTEXTS_MAX];
	int n = meant(x, l, v);

	for (int i = 0; i < n; i++)
		names[i] = v[i]->name;
	return n < 1 ? -1 : cache_aim(x->cache, names, (size_t)n, 0, 0, NULL);
}

/* New: the values that the i-th key column has, the ones before it given. */
static char *keys_sql(const char *table, const char *const *key, size_t i)
{
	struct buf b = {0};

	buf_addf(&b, "SELECT DISTINCT \"%s\" FROM \"%s\"", key[i], table);
	for (size_t k = 0; k < i; k++)
		buf_addf(&b, " %s CAST(\"%s\" AS TEXT) = ?%zu",
		    k ? "AND" : "WHERE", key[k], k + 1);
	buf_addf(&b, " ORDER BY 1 LIMIT %d", CANDIDATES_MAX);
	return buf_take(&b);
}

static void offer_cell(struct completion *x, struct cell c)
{
	struct buf b = {0};

	if (c.tag == CELL_TEXT)
		buf_add(&b, c.s, c.n);
	else if (c.tag == CELL_INT)
		buf_addf(&b, "%lld", (long long)c.i);
	else if (c.tag == CELL_REAL)
		value_number(&b, c.d);
	if (b.n && !memchr(b.p, 0, b.n))
		offer(x, b.p, NULL);
	buf_free(&b);
}

static void key_values(struct completion *x, const struct line *l,
    size_t given, const char *const *values)
{
	const char *key[VIEW_KEY_MAX];
	size_t n = view_key(x->r, l->view, key, VIEW_KEY_MAX);
	const struct cell *cells;
	char *table, *sql;
	struct query *q;

	if (!x->cache || given >= n || aim(x, l))
		return;
	table = view_sql_name(l->module, l->view);
	sql = keys_sql(table, key, given);
	q = query_new(x->cache, sql, 0, QUERY_MS, NULL, NULL);
	for (size_t i = 0; q && i < given; i++)
		query_bind(q, (int)i + 1, (struct cell){
			.tag = CELL_TEXT, .s = values[i],
			.n = strlen(values[i]),
		});
	while (q && query_step(q, &cells, NULL) == 1)
		offer_cell(x, cells[0]);
	query_free(q);
	free(sql);
	free(table);
}

/* ---- arguments of commands ------------------------------------------------ */

static int take_columns(struct run *r, const struct column *c, size_t n,
    struct err *err)
{
	(void)r, (void)c, (void)n, (void)err;
	return 0;
}

static int take_row(struct run *r, const struct cell *cells, struct err *err)
{
	(void)err;
	offer_cell(r->arg, cells[0]);
	return 0;
}

static int take_text(struct run *r, const char *p, size_t n, struct err *err)
{
	(void)r, (void)p, (void)n, (void)err;
	return 0;
}

static void take_note(struct run *r, const char *text)
{
	(void)r, (void)text;
}

static bool nobody(struct run *r)
{
	(void)r;
	return false;
}

/* A command's rows are its candidates. */
static const struct face candidates = {
	.columns = take_columns,
	.row = take_row,
	.text = take_text,
	.note = take_note,
	.asks = nobody,
};

static void arguments(struct completion *x, struct line *l, size_t given)
{
	struct session s = {.registry = *x->r};
	struct run run = {
		.session = &s, .line = l, .cache = x->cache,
		.face = &candidates, .arg = x,
	};
	int n;

	if (!l->command->complete || !x->cache || !x->config || aim(x, l))
		return;
	s.config = *x->config;		/* borrowed whole */
	n = meant(x, l, run.contexts);
	run.ncontexts = n > 0 ? (size_t)n : 0;
	l->command->complete(&run, (int)given, NULL);
}

/* ---- the word ------------------------------------------------------------- */

/* words are those before the one being typed. */
static void next_word(struct completion *x, struct line *l, size_t n,
    const char *const *words, bool prompt)
{
	size_t used = line_resolve(x->r, prompt, n, words, l);

	line_next(x->r, prompt, n, words, offer, x);
	if (l->command) {
		l->args = (const char **)words + used;
		l->nargs = n - used;
		arguments(x, l, n - used);
	} else if (l->view && l->verb == VERB_SHOW) {
		key_values(x, l, n - used, words + used);
	} else if (l->view && l->verb == VERB_SERIES && n == used) {
		columns(x, l);
	} else if (l->view && l->verb == VERB_SERIES) {
		key_values(x, l, n - used - 1, words + used + 1);
	}
}

/* What the tokens before say of flags: only those that the rest looks at. */
static void note_flags(struct line *l, const struct token *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct known_flag *f = t[i].is_flag ?
		    flag_find(t[i].text) : NULL;
		if (f && (f->id == FLAG_CONTEXT ? t[i].value != NULL
		    : f->id == FLAG_SCREEN))
			flag_set(l, f, t[i].value, NULL);
	}
}

/* A flag that stands last and waits for its value. */
static const struct known_flag *waiting(const struct token *t, size_t n)
{
	const struct known_flag *f = NULL;

	if (n && t[n - 1].is_flag && !t[n - 1].value)
		f = flag_find(t[n - 1].text);
	return f && f->arg && !f->loose ? f : NULL;
}

/* A command's own flag waits for one: nobody knows which values it has. */
static bool own_waits(const struct line *l, const struct token *t, size_t n)
{
	const struct flag *f = NULL;

	if (n && t[n - 1].is_flag && !t[n - 1].value)
		f = own_find(l->command, t[n - 1].text);
	return f && f->arg;
}

static void complete(struct completion *x, struct line *l,
    const struct token *t, size_t n, bool prompt)
{
	const char **words = arena_alloc(&l->arena, (n + 1) * sizeof(*words));
	const struct known_flag *f = waiting(t, n);
	const char *eq = strchr(x->word, '=');
	size_t nwords = 0;

	for (size_t i = 0; i < n; i++)
		if (!t[i].is_flag)
			words[nwords++] = t[i].text;
	note_flags(l, t, n);
	line_resolve(x->r, prompt, nwords, words, l);
	if (own_waits(l, t, n))
		return;
	if (f) {
		flag_value(x, l, f->id);
	} else if (*x->word == '-' && eq) {
		x->before = arena_strndup(&l->arena, x->word,
		    (size_t)(eq - x->word) + 1);
		f = flag_find(arena_strndup(&l->arena, x->word,
		    (size_t)(eq - x->word)));
		x->word = eq + 1;
		if (f && f->arg)
			flag_value(x, l, f->id);
	} else if (*x->word == '-') {
		flag_names(x, l);
	} else {
		next_word(x, l, nwords, words, prompt);
	}
}

/* Scanned twice, as by the parse: the command decides what its flags take. */
static void run_completion(struct completion *x, int argc,
    const char *const *argv, bool prompt)
{
	struct line l = {.flags = {.format = -1, .limit = -1, .timeout = -1}};
	int before = argc ? argc - 1 : 0;
	struct token *t = xcalloc((size_t)argc + 1, sizeof(*t));
	const char **words = xcalloc((size_t)argc + 1, sizeof(*words));
	size_t n = line_scan(x->r, NULL, &l.arena, before, argv, t);
	size_t nwords = 0;

	for (size_t i = 0; i < n; i++)
		if (!t[i].is_flag)
			words[nwords++] = t[i].text;
	line_resolve(x->r, prompt, nwords, words, &l);
	if (l.command)
		n = line_scan(x->r, l.command, &l.arena, before, argv, t);
	x->word = argc ? argv[argc - 1] : "";
	x->before = "";
	complete(x, &l, t, n, prompt);
	free(words);
	free(t);
	arena_free(&l.arena);
}

void line_complete(const struct registry *r, const struct config *config,
    struct cache *c, int argc, const char *const *argv,
    void (*each)(void *arg, const char *word, const char *help), void *arg)
{
	struct completion x = {
		.r = r, .config = config, .cache = c, .each = each, .arg = arg,
	};

	run_completion(&x, argc, argv, false);
}

void line_complete_prompt(const struct registry *r,
    const struct config *config, struct cache *c, int argc,
    const char *const *argv,
    void (*each)(void *arg, const char *word, const char *help), void *arg)
{
	struct completion x = {
		.r = r, .config = config, .cache = c, .each = each, .arg = arg,
	};

	run_completion(&x, argc, argv, true);
}
