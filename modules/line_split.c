/* Between a line as text and a line as words: splitting and quoting as sh
 * does, and filling a bound line with a row's values. A value never becomes
 * more than a part of one word, and never a flag. */
#include <string.h>

#include "line_impl.h"
#include "text.h"

struct splitting {
	struct arena	*arena;
	struct buf	 word;
	bool		 begun;		/* '' is a word too */
	struct names	 words;
};

static void end_word(struct splitting *s)
{
	if (!s->begun)
		return;
	names_add(&s->words, arena_strndup(s->arena, buf_str(&s->word),
	    s->word.n));
	buf_clear(&s->word);
	s->begun = false;
}

/* The quoted part that begins at p; NULL where it has no end. In double quotes
 * a backslash only counts before what would end or change it. */
static const char *quoted(struct splitting *s, const char *p)
{
	char q = *p++;

	for (; *p && *p != q; p++) {
		if (q == '"' && *p == '\\' && p[1] && strchr("\"\\$`", p[1]))
			p++;
		buf_addc(&s->word, *p);
	}
	return *p ? p : NULL;
}

int line_split(struct arena *a, const char *text, const char ***argv,
    int *argc, struct err *err)
{
	struct splitting s = {.arena = a};
	const char *why = NULL;

	for (const char *p = text; *p && !why; p++) {
		if (strchr(" \t\n\r", *p)) {
			end_word(&s);
			continue;
		}
		s.begun = true;
		if (*p == '\'' || *p == '"') {
			const char *end = quoted(&s, p);
			if (!end)
				why = *p == '"' ? "a \" is not closed"
						: "a ' is not closed";
			else
				p = end;
		} else if (*p != '\\') {
			buf_addc(&s.word, *p);
		} else if (p[1]) {
			buf_addc(&s.word, *++p);
		} else {
			why = "the \\ at the end has nothing behind it";
		}
	}
	if (!why)
		end_word(&s);
	*argc = (int)s.words.n;
	*argv = arena_alloc(a, (s.words.n + 1) * sizeof(**argv));
	if (s.words.n)
		memcpy(*argv, s.words.v, s.words.n * sizeof(**argv));
	names_free(&s.words);
	buf_free(&s.word);
	return why ? err_set(err, ERR_USAGE, "%s", why) : 0;
}

void line_quote(struct buf *out, const char *word)
{
	size_t plain = strspn(word, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-");

	if (plain && !word[plain]) {
		buf_adds(out, word);
		return;
	}
	buf_addc(out, '\'');
	for (const char *p = word; *p; p++)
		if (*p == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *p);
	buf_addc(out, '\'');
}

/* ---- filling ------------------------------------------------------------ */

struct filling {
	const char *const	*names;
	const struct cell	*cells;
	size_t			 n;
	struct err		*err;
};

/* The column that {name} at p means; NULL and no error: no placeholder. */
static const struct cell *placeholder(const struct filling *f, const char *p,
    size_t *len)
{
	size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");

	*len = n + 2;
	if (!n || p[n + 1] != '}')
		return NULL;
	for (size_t i = 0; i < f->n; i++)
		if (!strncmp(f->names[i], p + 1, n) && !f->names[i][n])
			return &f->cells[i];
	err_set(f->err, ERR_USAGE, "{%.*s} is no column of this row", (int)n,
	    p + 1);
	return NULL;
}

static int add_text(struct filling *f, struct buf *out, struct cell c,
    bool sql)
{
	if (memchr(c.s, 0, c.n))
		return err_set(f->err, ERR_USAGE,
		    "a value of this row holds a NUL and can't stand in a "
		    "line");
	if (!sql) {
		buf_add(out, c.s, c.n);
		return 0;
	}
	buf_addc(out, '\'');
	for (size_t i = 0; i < c.n; i++) {
		if (c.s[i] == '\'')
			buf_addc(out, '\'');
		buf_addc(out, c.s[i]);
	}
	buf_addc(out, '\'');
	return 0;
}

static int add_cell(struct filling *f, struct buf *out, struct cell c, bool sql)
{
	switch (c.tag) {
	case CELL_NULL:
		if (sql)
			buf_adds(out, "NULL");
		return 0;
	case CELL_INT:
		buf_addf(out, "%lld", (long long)c.i);
		return 0;
	case CELL_REAL:
		value_number(out, c.d);
		return 0;
	case CELL_TEXT:
		return add_text(f, out, c, sql);
	}
	return 0;
}

static int fill_word(struct filling *f, struct buf *out, const char *p,
    bool sql)
{
	f->err->code = ERR_NONE;
	while (*p) {
		size_t len = 1;
		const struct cell *c = *p == '{' ? placeholder(f, p, &len)
						 : NULL;
		if (f->err->code)
			return -1;
		if (!c) {
			buf_addc(out, *p++);
			continue;
		}
		if (add_cell(f, out, *c, sql))
			return -1;
		p += len;
	}
	return 0;
}

int line_fill(struct arena *a, const char *bound, const char *const *names,
    const struct cell *cells, size_t n, const char ***argv, int *argc,
    struct err *err)
{
	struct err own;
	struct filling f = {names, cells, n, err ? err : &own};
	const struct known_flag *before = NULL;
	struct buf word = {0};
	bool words_only = false;
	int rc = line_split(a, bound, argv, argc, f.err);

	for (int i = 0; !rc && i < *argc; i++) {
		const char *w = (*argv)[i];
		bool value = before && before->arg && !before->loose;
		bool where = !words_only &&
		    (value ? before->id == FLAG_WHERE
			   : !strncmp(w, "--where=", 8));
		buf_clear(&word);
		rc = fill_word(&f, &word, w, where);
		/* A backend chooses its names: "--yes" must stay one. */
		if (!rc && !words_only && !value && *w != '-' &&
		    *buf_str(&word) == '-' && word.n > 1)
			rc = err_set(f.err, ERR_USAGE, "the value of %s would "
			    "be read as a flag: type the line with -- before "
			    "it", shown(a, w));
		words_only = words_only || (!value && !strcmp(w, "--"));
		before = value || words_only ? NULL : flag_find(w);
		(*argv)[i] = arena_strndup(a, buf_str(&word), word.n);
	}
	buf_free(&word);
	return rc;
}
