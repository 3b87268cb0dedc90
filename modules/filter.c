/* --filter and `/`: a POSIX extended expression over rows as the table shows
 * them. A pattern is typed by a person, the text it meets is anybody's: what
 * could make the two take long together is bounded on both sides. */
#include "rows.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "mem.h"

#define PATTERN_MAX 1000
#define TEXT_MAX 65536	/* bytes of a row that are looked at */
#define REPEAT_MAX 1000	/* product of the bounds of nested {n,m} */

struct filter {
	regex_t		 regex;
	char		*word;		/* a pattern without operators */
	bool		 fold, inverse;
	struct buf	 text;
};

static bool has_capital(const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;	/* \W, \S, \B are no capitals */
		else if (isupper((unsigned char)*s))
			return true;
	}
	return false;
}

/* glibc unrolls {n,m} when it compiles, and tries back-references (which POSIX
 * leaves out of extended expressions) in exponential time. */
static int check(const char *pattern, struct err *err)
{
	long product = 1, most;
	const char *p;
	char *end;

	if (strlen(pattern) > PATTERN_MAX)
		return err_set(err, ERR_USAGE, "the filter is longer than %d "
		    "bytes", PATTERN_MAX);
	for (p = pattern; *p; p++) {
		if (*p == '\\' && p[1]) {
			if (isdigit((unsigned char)*++p))
				return err_set(err, ERR_USAGE, "filter \"%s\": "
				    "back-references like \\%c are not taken",
				    pattern, *p);
		} else if (*p == '{' && isdigit((unsigned char)p[1])) {
			most = strtol(p + 1, &end, 10);
			if (*end == ',' && isdigit((unsigned char)end[1]))
				most = strtol(end + 1, &end, 10);
			product = most > REPEAT_MAX ? most
			    : product * (most > 1 ? most : 1);
			if (product > REPEAT_MAX)
				return err_set(err, ERR_USAGE, "filter \"%s\": "
				    "repeats more than %d times", pattern,
				    REPEAT_MAX);
		}
	}
	return 0;
}

struct filter *filter_new(const char *pattern, struct err *err)
{
	struct filter *f;
	const char *body = pattern;
	char why[200];
	int flags = REG_EXTENDED | REG_NOSUB, e;

	if (check(pattern, err) < 0)
		return NULL;
	f = xcalloc(1, sizeof *f);
	if (*body == '!') {
		f->inverse = true;
		body++;
	}
	f->fold = !has_capital(body);
	if (f->fold)
		flags |= REG_ICASE;
	e = regcomp(&f->regex, body, flags);
	if (e) {
		regerror(e, &f->regex, why, sizeof why);
		err_set(err, ERR_USAGE, "filter \"%s\": %s", pattern, why);
		free(f);
		return NULL;
	}
	/* A plain word doesn't need the machine: searching is ten times as
	 * fast. Beyond ASCII regcomp() folds case by the locale. */
	if (!strpbrk(body, ".[]()*+?{}|^$\\")) {
		const char *s = body;

		while (*s > 0)
			s++;
		if (!*s)
			f->word = xstrdup(body);
	}
	return f;
}

static bool counts(const struct column *c, bool context)
{
	if (!strcmp(c->name, "status"))
		return false;
	if (!strcmp(c->name, "context"))
		return context;
	return !(c->flags & COLUMN_WIDE);
}

/* Text that is cut must not end within a character. */
static void bound(struct buf *b)
{
	size_t n = TEXT_MAX;

	if (b->n <= n)
		return;
	while (n && (b->p[n] & 0xc0) == 0x80)
		n--;
	b->n = n;
	b->p[n] = '\0';
}

bool filter_match(struct filter *f, const struct column *columns,
    size_t ncolumns, const struct cell *cells, bool context)
{
	const char *text, *blank = "";
	struct cell c;
	bool found;

	buf_clear(&f->text);
	for (size_t i = 0; i < ncolumns && f->text.n < TEXT_MAX; i++) {
		if (!counts(columns + i, context))
			continue;
		c = cells[i];
		if (c.tag == CELL_TEXT && c.n > TEXT_MAX &&
		    columns[i].type == TYPE_TEXT)
			c.n = TEXT_MAX;
		buf_adds(&f->text, blank);
		column_show(&f->text, columns + i, columns[i].decimals,
		    SPELL_SHORT, c);
		blank = " ";
	}
	bound(&f->text);
	text = buf_str(&f->text);
	if (!f->word)
		found = regexec(&f->regex, text, 0, NULL, 0) == 0;
	else if (f->fold)
		found = strcasestr(text, f->word) != NULL;
	else
		found = strstr(text, f->word) != NULL;
	return found != f->inverse;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	regfree(&f->regex);
	free(f->word);
	buf_free(&f->text);
	free(f);
}
