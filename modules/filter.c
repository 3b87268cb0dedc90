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
#define TEXT_MAX 16384	/* bytes of a row that are looked at */
#define FRESH_MAX 262144	/* bytes matched by one compiled pattern */
#define WEIGHT_MAX 1000	/* characters of the pattern, repeats written out */
#define DEPTH_MAX 20	/* of groups: glibc's closures grow with its square */

struct filter {
	regex_t		 regex;
	char		*wrapped;	/* what regex was compiled from */
	int		 flags;
	size_t		 matched;	/* bytes since then */
	char		*word;		/* a pattern without operators */
	bool		 inverse;
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

/* Behind the bracket expression that begins at p. */
static const char *skip_bracket(const char *p)
{
	p += p[1] == '^' ? 2 : 1;
	if (*p == ']')
		p++;
	while (*p && *p != ']') {
		if (*p == '[' && p[1] && strchr(":.=", p[1])) {
			const char kind[] = { p[1], ']', '\0' };
			const char *end = strstr(p + 2, kind);

			if (end)
				p = end + 1;
		}
		p++;
	}
	return *p ? p + 1 : p;
}

/* The bound that a {n,m} at p multiplies by; past it. */
static const char *read_bound(const char *p, long *most)
{
	char *end;

	*most = strtol(p + 1, &end, 10);
	if (*end == ',' && isdigit((unsigned char)end[1]))
		*most = strtol(end + 1, &end, 10);
	else if (*end == ',' && end++)
		++*most;
	*most = *most < 1 ? 1 : *most > WEIGHT_MAX ? WEIGHT_MAX + 1 : *most;
	return *end == '}' ? end + 1 : end;
}

/* What the pattern up to the group's end becomes when glibc writes {n,m} and +
 * (x+ is xx*) out. */
static const char *weigh(const char *p, int depth, long *weight)
{
	long atom = 0, sum = depth > DEPTH_MAX ? WEIGHT_MAX + 1 : 0, most;

	while (*p && *p != ')' && sum <= WEIGHT_MAX) {
		if (*p == '+' || (*p == '{' && isdigit((unsigned char)p[1]))) {
			most = 2;
			p = *p == '+' ? p + 1 : read_bound(p, &most);
			sum += atom * (most - 1);
			atom *= most;
			continue;
		}
		atom = 1;
		if (*p == '(') {
			p = weigh(p + 1, depth + 1, &atom);
			p += *p == ')';
		} else if (*p == '[') {
			p = skip_bracket(p);
		} else {
			p += *p == '\\' && p[1] ? 2 : 1;
		}
		sum += atom;
	}
	*weight = sum;
	return p;
}

/* POSIX leaves back-references out of extended expressions; glibc takes them,
 * and exponential time. */
static const char *find_back_reference(const char *p)
{
	while (*p) {
		if (*p == '[') {
			p = skip_bracket(p);
		} else if (*p == '\\' && p[1]) {
			if (isdigit((unsigned char)p[1]))
				return p;
			p += 2;
		} else {
			p++;
		}
	}
	return NULL;
}

static int check(const char *pattern, struct err *err)
{
	const char *p;
	long weight;

	if (strlen(pattern) > PATTERN_MAX)
		return err_set(err, ERR_USAGE, "the filter is longer than %d "
		    "bytes", PATTERN_MAX);
	p = find_back_reference(pattern);
	if (p)
		return err_set(err, ERR_USAGE, "filter \"%s\": "
		    "back-references like %.2s are not taken", pattern, p);
	p = weigh(pattern, 0, &weight);
	if (weight > WEIGHT_MAX)
		return err_set(err, ERR_USAGE, "filter \"%s\": it repeats or "
		    "nests too much: %d characters written out and groups %d "
		    "deep are taken", pattern, WEIGHT_MAX, DEPTH_MAX);
	if (*p)
		return err_set(err, ERR_USAGE, "filter \"%s\": Unmatched ) "
		    "or \\)", pattern);
	return 0;
}

static bool is_all_ascii(const char *s)
{
	while (*s && (unsigned char)*s < 0x80)
		s++;
	return !*s;
}

/* Anchored, glibc's matcher goes over the text once; else it begins anew at
 * every byte where nothing matches, and takes minutes over what a person types
 * (".*a" fifty times) on a text that somebody made for it. */
static void compile(struct filter *f)
{
	if (regcomp(&f->regex, f->wrapped, f->flags))
		BUG("filter \"%s\" compiled bare but not anchored",
		    f->wrapped);
	f->matched = 0;
}

struct filter *filter_new(const char *pattern, struct err *err)
{
	const char *body = pattern + (*pattern == '!');
	struct filter *f;
	regex_t bare;
	char why[200];
	int e, flags = REG_EXTENDED | REG_NOSUB;

	if (check(body, err) < 0)
		return NULL;
	if (!has_capital(body))
		flags |= REG_ICASE;
	e = regcomp(&bare, body, flags);
	if (e) {
		regerror(e, &bare, why, sizeof why);
		err_set(err, ERR_USAGE, "filter \"%s\": %s", pattern, why);
		return NULL;
	}
	regfree(&bare);
	f = xcalloc(1, sizeof *f);
	f->inverse = body != pattern;
	f->flags = flags;
	f->wrapped = xasprintf("^.*(%s)", body);
	compile(f);
	/* A plain word doesn't need the machine: searching is ten times as
	 * fast. Beyond ASCII regcomp() folds case by the locale. */
	if (!strpbrk(body, ".[]()*+?{}|^$\\") && is_all_ascii(body))
		f->word = xstrdup(body);
	return f;
}

static bool match(struct filter *f)
{
	const char *text = buf_str(&f->text);

	if (f->word && f->flags & REG_ICASE)
		return strcasestr(text, f->word);
	if (f->word)
		return strstr(text, f->word);
	/* The matcher remembers every state it was in, without bound. */
	f->matched += f->text.n;
	if (f->matched > FRESH_MAX) {
		regfree(&f->regex);
		compile(f);
	}
	return regexec(&f->regex, text, 0, NULL, 0) == 0;
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
	const char *blank = "";
	struct cell c;

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
	return match(f) != f->inverse;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	regfree(&f->regex);
	free(f->wrapped);
	free(f->word);
	buf_free(&f->text);
	free(f);
}
