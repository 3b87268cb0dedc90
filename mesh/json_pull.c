/* A JSON reader without a tree: see json_pull.h. Lenient where a lie can't
 * come of it (control characters in strings, digits as strings), strict about
 * structure: a text that is cut off anywhere is an error. */
#include "json_pull.h"

#include <math.h>
#include <stdio.h>

#define DEPTH_MAX 128	/* of what is skipped; what is read nests by calls */

int span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.s, b.s, n) : 0;

	return d ? d : (a.n > b.n) - (a.n < b.n);
}

void pull_init(struct pull *p, char *text, size_t n)
{
	*p = (struct pull){ .start = text, .p = text, .end = text + n };
}

static bool fail_at(struct pull *p, const char *why)
{
	if (!p->failed)
		snprintf(p->why, sizeof(p->why), "%s at byte %zu", why,
		    (size_t)(p->p - p->start));
	p->failed = true;
	return false;
}

void pull_fail(struct pull *p, const char *why)
{
	fail_at(p, why);
}

/* The value after a key isn't what it has to be. */
static bool fail_type(struct pull *p, const char *wanted)
{
	if (!p->failed)
		snprintf(p->why, sizeof(p->why), "\"%.*s\" is not %s",
		    (int)(p->key.n > 60 ? 60 : p->key.n),
		    p->key.s ? p->key.s : "", wanted);
	p->failed = true;
	return false;
}

/* The byte that comes next, after white space; 0 at the end or after a
 * failure. */
static char next(struct pull *p)
{
	if (p->failed)
		return 0;
	while (p->p < p->end && (*p->p == ' ' || *p->p == '\n' ||
	    *p->p == '\t' || *p->p == '\r'))
		p->p++;
	if (p->p == p->end) {
		fail_at(p, "the answer ends too early");
		return 0;
	}
	return *p->p;
}

enum pull_type pull_peek(struct pull *p)
{
	switch (next(p)) {
	case '{':
		return PULL_MAP;
	case '[':
		return PULL_LIST;
	case '"':
		return PULL_STRING;
	case 't':
	case 'f':
		return PULL_BOOL;
	case 'n':
		return PULL_NULL;
	case '-':
	case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return PULL_NUMBER;
	}
	if (!p->failed && p->p == p->start)
		fail_at(p, "the answer is not JSON");
	fail_at(p, "the answer is broken JSON");
	return PULL_BAD;
}

static bool word(struct pull *p, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(p->end - p->p) < n || memcmp(p->p, w, n) != 0)
		return fail_at(p, "the answer is broken JSON");
	p->p += n;
	p->fresh = false;
	return true;
}

/* ---- strings ------------------------------------------------------------ */

static int hex4(const char *s, const char *end)
{
	int i, v = 0;

	if (end - s < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		char c = s[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = v << 4 | ((c | 32) - 'a' + 10);
		else
			return -1;
	}
	return v;
}

static char *put_char(char *w, unsigned c)
{
	if (c < 0x80) {
		*w++ = (char)c;
	} else if (c < 0x800) {
		*w++ = (char)(0xc0 | c >> 6);
		*w++ = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		*w++ = (char)(0xe0 | c >> 12);
		*w++ = (char)(0x80 | (c >> 6 & 63));
		*w++ = (char)(0x80 | (c & 63));
	} else {
		*w++ = (char)(0xf0 | c >> 18);
		*w++ = (char)(0x80 | (c >> 12 & 63));
		*w++ = (char)(0x80 | (c >> 6 & 63));
		*w++ = (char)(0x80 | (c & 63));
	}
	return w;
}

/* \uXXXX at *r (after the u), pairs joined; a lone half is U+FFFD. Never
 * longer than what was read: six bytes give three, twelve give four. */
static char *unescape_u(char **r, const char *end, char *w)
{
	int c = hex4(*r, end), low;

	if (c < 0)
		return NULL;
	*r += 4;
	if (c >= 0xd800 && c < 0xdc00 && end - *r >= 6 && (*r)[0] == '\\' &&
	    (*r)[1] == 'u' && (low = hex4(*r + 2, end)) >= 0xdc00 &&
	    low < 0xe000) {
		*r += 6;
		return put_char(w, 0x10000u + ((unsigned)(c - 0xd800) << 10) +
		    (unsigned)(low - 0xdc00));
	}
	return put_char(w, c >= 0xd800 && c < 0xe000 ? 0xfffd : (unsigned)c);
}

static char *unescape(char **r, const char *end, char *w)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (*r == end)
		return NULL;
	if (**r == 'u') {
		++*r;
		return unescape_u(r, end, w);
	}
	at = memchr(from, **r, sizeof(from) - 1);
	if (!at)
		return NULL;
	++*r;
	*w++ = to[at - from];
	return w;
}

/* p is at the quote. */
static bool string(struct pull *p, struct span *out)
{
	char *r = p->p + 1, *w = r;

	out->s = r;
	for (;;) {
		char *stop = r;

		while (stop < p->end && *stop != '"' && *stop != '\\')
			stop++;
		if (w != r)
			memmove(w, r, (size_t)(stop - r));
		w += stop - r;
		r = stop;
		if (r == p->end)
			return fail_at(p, "the answer ends too early");
		if (*r == '"')
			break;
		r++;
		w = unescape(&r, p->end, w);
		if (!w)
			return fail_at(p, "a broken escape in a string");
	}
	out->n = (size_t)(w - out->s);
	p->p = r + 1;
	p->fresh = false;
	return true;
}

/* The same, decoding nothing. */
static bool skip_string(struct pull *p)
{
	char *r = p->p + 1;

	while (r < p->end && *r != '"')
		r += *r == '\\' ? 2 : 1;
	if (r >= p->end)
		return fail_at(p, "the answer ends too early");
	p->p = r + 1;
	return true;
}

/* ---- numbers ------------------------------------------------------------ */

struct number {
	uint64_t	digits;		/* saturated */
	int		exponent;	/* of ten */
	bool		negative;
};

static bool read_number(const char **s, const char *end, struct number *n)
{
	bool any = false, point = false, over = false;
	int e = 0, sign = 1;

	*n = (struct number){0};
	if (*s < end && **s == '-') {
		n->negative = true;
		++*s;
	}
	for (; *s < end; ++*s) {
		unsigned d = (unsigned)**s - '0';

		if (**s == '.' && !point) {
			point = true;
			continue;
		}
		if (d > 9)
			break;
		any = true;
		over = over || n->digits > (UINT64_MAX - d) / 10;
		if (!over)
			n->digits = n->digits * 10 + d;
		/* Digits that found no room still count where they stand. */
		if (over && !point)
			n->exponent++;
		else if (!over && point)
			n->exponent--;
	}
	if (any && *s < end && (**s | 32) == 'e') {
		++*s;
		if (*s < end && (**s == '+' || **s == '-'))
			sign = *(*s)++ == '-' ? -1 : 1;
		for (any = false; *s < end && (unsigned)**s - '0' <= 9; ++*s) {
			any = true;
			if (e < 10000)
				e = e * 10 + (**s - '0');
		}
		n->exponent += sign * e;
	}
	return any;
}

static double number_real(const struct number *n)
{
	double d = (double)n->digits;

	/* Exact for what Envoy writes: digits below 2^53, powers to 22. */
	if (n->exponent < 0)
		d /= pow(10, -n->exponent);
	else if (n->exponent > 0)
		d *= pow(10, n->exponent);
	return n->negative ? -d : d;
}

static bool number_uint(const struct number *n, uint64_t *out)
{
	double d;

	if (n->exponent == 0) {
		*out = n->digits;
		return !n->negative || n->digits == 0;
	}
	d = number_real(n);
	if (!(d >= 0))
		return false;
	*out = d >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)d;
	return true;
}

static bool pull_number(struct pull *p, struct number *out)
{
	enum pull_type type = pull_peek(p);
	struct span text;
	const char *s, *end;

	if (type == PULL_STRING) {
		if (!string(p, &text))
			return false;
		s = text.s;
		end = s + text.n;
		return (read_number(&s, end, out) && s == end) ||
		    fail_type(p, "a number");
	}
	if (type != PULL_NUMBER)
		return type != PULL_BAD && fail_type(p, "a number");
	s = p->p;
	if (!read_number(&s, p->end, out))
		return fail_at(p, "the answer is broken JSON");
	p->p += s - p->p;
	p->fresh = false;
	return true;
}

bool pull_uint(struct pull *p, uint64_t *out)
{
	struct number n;

	return pull_number(p, &n) && (number_uint(&n, out) ||
	    fail_type(p, "a whole number of 0 or more"));
}

bool pull_real(struct pull *p, double *out)
{
	struct number n;

	if (!pull_number(p, &n))
		return false;
	*out = number_real(&n);
	return true;
}

/* ---- values and structure ------------------------------------------------ */

static bool enter(struct pull *p, enum pull_type type, const char *wanted)
{
	enum pull_type is = pull_peek(p);

	if (is != type)
		return is != PULL_BAD && fail_type(p, wanted);
	p->p++;
	p->fresh = true;
	return true;
}

bool pull_map(struct pull *p)
{
	return enter(p, PULL_MAP, "an object");
}

bool pull_list(struct pull *p)
{
	return enter(p, PULL_LIST, "a list");
}

/* Before a key or an item: false when `close` ended the level. */
static bool more(struct pull *p, char close)
{
	char c = next(p);

	if (p->failed)
		return false;
	if (c == close) {
		p->p++;
		p->fresh = false;
		return false;
	}
	if (!p->fresh) {
		if (c != ',')
			return fail_at(p, "the answer is broken JSON");
		p->p++;
	}
	return true;
}

bool pull_key(struct pull *p, struct span *key)
{
	if (!more(p, '}'))
		return false;
	if (next(p) != '"')
		return fail_at(p, "the answer is broken JSON");
	if (!string(p, key))
		return false;
	if (next(p) != ':')
		return fail_at(p, "the answer is broken JSON");
	p->p++;
	p->key = *key;
	return true;
}

bool pull_item(struct pull *p)
{
	return more(p, ']');
}

bool pull_text(struct pull *p, struct span *out)
{
	enum pull_type type = pull_peek(p);

	if (type != PULL_STRING)
		return type != PULL_BAD && fail_type(p, "a string");
	return string(p, out);
}

bool pull_bool(struct pull *p, bool *out)
{
	enum pull_type type = pull_peek(p);

	if (type != PULL_BOOL)
		return type != PULL_BAD && fail_type(p, "true or false");
	*out = *p->p == 't';
	return word(p, *out ? "true" : "false");
}

static bool skip_scalar(struct pull *p)
{
	struct number n;

	switch (pull_peek(p)) {
	case PULL_STRING:
		return skip_string(p);
	case PULL_NUMBER:
		return pull_number(p, &n);
	case PULL_BOOL:
		return word(p, *p->p == 't' ? "true" : "false");
	case PULL_NULL:
		return word(p, "null");
	default:
		return fail_at(p, "the answer is broken JSON");
	}
}

/* What stands between values is not checked here beyond its brackets. */
bool pull_skip(struct pull *p)
{
	char open[DEPTH_MAX];
	int depth = 0;

	do {
		char c = next(p);

		if (c == '{' || c == '[') {
			if (depth == DEPTH_MAX)
				return fail_at(p, "nested too deep");
			open[depth++] = c;
			p->p++;
		} else if (depth && (c == '}' || c == ']')) {
			if (open[--depth] != (c == '}' ? '{' : '['))
				return fail_at(p, "the answer is broken JSON");
			p->p++;
		} else if (depth && (c == ',' || c == ':')) {
			p->p++;
		} else if (p->failed || !skip_scalar(p)) {
			return false;
		}
	} while (depth);
	p->fresh = false;
	return true;
}

int pull_end(struct pull *p, struct err *err)
{
	if (!p->failed) {
		while (p->p < p->end && strchr(" \t\r\n", *p->p) && *p->p)
			p->p++;
		if (p->p < p->end)
			fail_at(p, "something follows the JSON");
	}
	return p->failed ? err_set(err, ERR_DATA, "%s", p->why) : 0;
}
