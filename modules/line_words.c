/* Words and what they name: modules, lists, commands (whose names may have
 * several words), verbs; and which words can follow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line_impl.h"

void names_add(struct names *l, const char *name)
{
	l->v = xrealloc(l->v, l->n + 2, sizeof(*l->v));
	l->v[l->n++] = name;
	l->v[l->n] = NULL;
}

void names_free(struct names *l)
{
	free(l->v);
	*l = (struct names){0};
}

void usage_bounds(const char *args, size_t *min, size_t *max)
{
	int depth = 0;
	bool inside = false;

	*min = *max = 0;
	for (const char *p = args ? args : ""; *p; p++) {
		if (*p == ' ') {
			inside = false;
			continue;
		}
		if (*p != '[' && *p != ']' && !inside) {
			inside = true;
			*min += !depth;
			*max += 1;
		}
		depth += (*p == '[') - (*p == ']');
	}
	if (args && (strstr(args, "…") || strstr(args, "...")))
		*max = SIZE_MAX;
}

/* ---- names of commands -------------------------------------------------- */

const char *name_word(const char *name, size_t i, char *buf, size_t size)
{
	for (; i; i--) {
		name += strcspn(name, " ");
		name += *name == ' ';
	}
	snprintf(buf, size, "%.*s", (int)strcspn(name, " "), name);
	return buf;
}

static size_t name_length(const char *name)
{
	size_t n = 1;

	for (; *name; name++)
		n += *name == ' ';
	return n;
}

size_t command_begins(const struct command *c, bool prompt, size_t n,
    const char *const *words)
{
	size_t len = name_length(c->name);
	char word[64];

	if (n > len || ((c->flags & COMMAND_SCREEN) && !prompt))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(name_word(c->name, i, word, sizeof(word)), words[i]))
			return 0;
	return len;
}

/* The longest name that the words begin with. */
static const struct command *find_command(const struct module *m, bool prompt,
    size_t n, const char *const *words, size_t *len)
{
	const struct command *best = NULL;

	*len = 0;
	for (size_t i = 0; m->commands && m->commands[i]; i++) {
		const struct command *c = m->commands[i];
		size_t k = name_length(c->name);
		if (k > *len && k <= n && command_begins(c, prompt, k, words)) {
			best = c;
			*len = k;
		}
	}
	return best;
}

static bool is_verb(const char *word, enum verb *verb)
{
	if (!strcmp(word, "show"))
		*verb = VERB_SHOW;
	else if (!strcmp(word, "series"))
		*verb = VERB_SERIES;
	else
		return false;
	return true;
}

/* ---- words to nouns ----------------------------------------------------- */

size_t line_resolve(const struct registry *r, bool prompt, size_t n,
    const char *const *words, struct line *l)
{
	const struct module *m = n && *words[0] ? registry_module(r, words[0])
						: NULL;
	const struct command *c;
	const struct view *v;
	size_t used = m != NULL, len;
	enum verb verb = VERB_LIST;

	l->module = m;
	l->view = NULL;
	l->command = NULL;
	l->verb = VERB_LIST;
	if (!m && !(m = registry_module(r, "")))
		return 0;
	if (used == n)
		return used;
	c = find_command(m, prompt, n - used, words + used, &len);
	v = registry_view_of(r, m, words[used]);
	/* A list and a command of one name: the list has the verbs. */
	if (v && used + 1 < n && is_verb(words[used + 1], &verb) && len < 2)
		c = NULL;
	if (!c && !v)
		return used;
	l->module = m;
	l->command = c;
	if (c)
		return used + len;
	l->view = v;
	l->verb = verb;
	return used + 1 + (verb != VERB_LIST);
}

struct next {
	void		(*each)(void *arg, const char *word, const char *help);
	void		*arg;
	const char	*module;
};

static void next_commands(const struct module *m, bool prompt, size_t n,
    const char *const *words, struct next *x)
{
	char before[64] = "", word[64];

	for (size_t i = 0; m->commands && m->commands[i]; i++) {
		const struct command *c = m->commands[i];
		size_t len = command_begins(c, prompt, n, words);
		if (len <= n)
			continue;
		name_word(c->name, n, word, sizeof(word));
		/* Names that share a word stand together: told once. */
		if (strcmp(word, before))
			x->each(x->arg, word, len == n + 1 ? c->help : NULL);
		memcpy(before, word, sizeof(before));
	}
}

static int next_view(void *arg, const struct module *m, const struct view *v)
{
	struct next *x = arg;

	if (!strcmp(m->name, x->module))
		x->each(x->arg, v->name, v->help);
	return 0;
}

void line_next(const struct registry *r, bool prompt, size_t n,
    const char *const *words,
    void (*each)(void *arg, const char *word, const char *help), void *arg)
{
	struct next x = {.each = each, .arg = arg};
	const struct module *m = n && *words[0] ? registry_module(r, words[0])
						: NULL;
	size_t used = m != NULL;

	if (!m)
		m = registry_module(r, "");
	if (!n)
		for (size_t i = 0; r->modules[i]; i++)
			if (*r->modules[i]->name)
				each(arg, r->modules[i]->name,
				    r->modules[i]->help);
	if (!m)
		return;
	x.module = m->name;
	if (used == n)
		registry_each_view(r, next_view, &x);
	next_commands(m, prompt, n - used, words + used, &x);
	if (n == used + 1 && registry_view_of(r, m, words[used])) {
		each(arg, "show", "one row whole");
		each(arg, "series", "the past of one column");
	}
}
