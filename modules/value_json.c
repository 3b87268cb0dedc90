/* JSON strings and JSON text in cells; see value_json.h. One scanner with
 * three ways out: JSON again, YAML flow, words for people. */
#include "value_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "value.h"

static void add_unit(struct buf *out, unsigned u)
{
	buf_addf(out, "\\u%04x", u);
}

/* The inside of a JSON string; its bytes may be anything. */
static void add_inside(struct buf *out, const char *s, size_t n)
{
	unsigned c;
	int k;

	for (; n; s += k, n -= (size_t)k) {
		k = text_char(s, n, &c);
		if (k == 0) {
			add_unit(out, 0xdc00 + (unsigned char)*s);
			k = 1;
		} else if (c == '"' || c == '\\') {
			buf_addc(out, '\\');
			buf_addc(out, (char)c);
		} else if (text_is_plain(c)) {
			buf_add(out, s, (size_t)k);
		} else if (c < 0x10000) {
			add_unit(out, c);
		} else {
			add_unit(out, 0xd7c0 + (c >> 10));
			add_unit(out, 0xdc00 + (c & 0x3ff));
		}
	}
}

void value_json_text(struct buf *out, const char *s, size_t n)
{
	buf_addc(out, '"');
	add_inside(out, s, n);
	buf_addc(out, '"');
}

static void add_base64(struct buf *out, const unsigned char *s, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char four[4];

	for (; n; s += n < 3 ? n : 3, n -= n < 3 ? n : 3) {
		unsigned v = (unsigned)s[0] << 16 |
		    (n > 1 ? (unsigned)s[1] << 8 : 0) | (n > 2 ? s[2] : 0);

		four[0] = digits[v >> 18];
		four[1] = digits[v >> 12 & 63];
		four[2] = n > 1 ? digits[v >> 6 & 63] : '=';
		four[3] = n > 2 ? digits[v & 63] : '=';
		buf_add(out, four, 4);
	}
}

/* A letter first keeps numbers, dates, `=`, `~` and all indicators out; the
 * words of YAML 1.1's bool and null are the rest. */
static bool is_yaml_plain(const char *s, size_t n)
{
	static const char *const words[] = { "y", "n", "yes", "no", "on",
	    "off", "true", "false", "null", NULL };
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./@+";

	if (n == 0 || n > 200 || !memchr(safe, *s, 52))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!memchr(safe, s[i], sizeof safe - 1))
			return false;
	for (size_t i = 0; words[i]; i++)
		if (strlen(words[i]) == n && !strncasecmp(words[i], s, n))
			return false;
	return true;
}

static bool is_utf8(const char *s, size_t n)
{
	unsigned c;
	int k;

	for (; n; s += k, n -= (size_t)k) {
		k = text_char(s, n, &c);
		if (k == 0)
			return false;
	}
	return true;
}

void value_yaml_text(struct buf *out, const char *s, size_t n)
{
	unsigned c;
	int k;

	if (is_yaml_plain(s, n)) {
		buf_add(out, s, n);
		return;
	}
	if (!is_utf8(s, n)) {
		buf_adds(out, "!!binary \"");
		add_base64(out, (const unsigned char *)s, n);
		buf_addc(out, '"');
		return;
	}
	buf_addc(out, '"');
	for (; n; s += k, n -= (size_t)k) {
		k = text_char(s, n, &c);
		/* YAML's \u has no surrogates. */
		if (c >= 0x10000 && !text_is_plain(c))
			buf_addf(out, "\\U%08x", c);
		else
			add_inside(out, s, (size_t)k);
	}
	buf_addc(out, '"');
}

void json_text_yaml_number(struct buf *out, const char *s, size_t n)
{
	const char *e = NULL;
	size_t k;

	for (k = 0; k < n && !e; k++)
		if (s[k] == 'e' || s[k] == 'E')
			e = s + k;
	if (!e) {
		buf_add(out, s, n);
		return;
	}
	k = (size_t)(e - s);
	buf_add(out, s, k);
	if (!memchr(s, '.', k))
		buf_adds(out, ".0");
	buf_addc(out, 'e');
	if (e[1] != '+' && e[1] != '-')
		buf_addc(out, '+');
	buf_add(out, e + 1, n - k - 1);
}

/* ---- the scanner ------------------------------------------------------ */

#define DEPTH_MAX 200

struct scan {
	const char	*p, *end;
	struct buf	*out;		/* NULL: only checked */
	enum json_text	 how;
	int		 depth;
};

static void emit(struct scan *s, const char *p, size_t n)
{
	if (s->out)
		buf_add(s->out, p, n);
}

/* The next byte that isn't a blank, not taken; 0 at the end. */
static char peek(struct scan *s)
{
	while (s->p < s->end && memchr(" \t\n\r", *s->p, 4))
		s->p++;
	return s->p < s->end ? *s->p : '\0';
}

static bool take(struct scan *s, char c)
{
	if (peek(s) != c || s->p == s->end)
		return false;
	s->p++;
	return true;
}

static bool hex4(const char *p, const char *end, unsigned *u)
{
	*u = 0;
	if (end - p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		unsigned v;

		if (c >= '0' && c <= '9')
			v = (unsigned)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = (unsigned)((c | 32) - 'a' + 10);
		else
			return false;
		*u = *u << 4 | v;
	}
	return true;
}

/* From the quote to behind the closing one: the raw inside. */
static bool string_bounds(struct scan *s, const char **raw, size_t *n)
{
	static const char escapes[] = "\"\\/bfnrt";
	unsigned u;

	if (!take(s, '"'))
		return false;
	*raw = s->p;
	for (; s->p < s->end && *s->p != '"'; s->p++) {
		if (*s->p != '\\')
			continue;
		if (++s->p == s->end)
			return false;
		if (*s->p == 'u') {
			if (!hex4(s->p + 1, s->end, &u))
				return false;
			s->p += 4;
		} else if (!memchr(escapes, *s->p, sizeof escapes - 1)) {
			return false;
		}
	}
	if (s->p == s->end)
		return false;
	*n = (size_t)(s->p++ - *raw);
	return true;
}

/* The bytes that an escape stands for; \udcXX is the byte it came from, other
 * halves of a pair become what is no UTF-8. Returns the bytes taken. */
static size_t decode_unit(struct buf *out, const char *p, const char *end)
{
	unsigned u, low;

	hex4(p + 2, end, &u);
	if (u >= 0xd800 && u < 0xdc00 && end - p >= 12 && p[6] == '\\' &&
	    p[7] == 'u' && hex4(p + 8, end, &low) && low >= 0xdc00 &&
	    low < 0xe000) {
		text_add_char(out, 0x10000 + ((u - 0xd800) << 10) +
		    (low - 0xdc00));
		return 12;
	}
	if (u >= 0xdc80 && u <= 0xdcff)
		buf_addc(out, (char)(u - 0xdc00));
	else
		text_add_char(out, u);
	return 6;
}

static void decode(struct buf *out, const char *raw, size_t n)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *end = raw + n, *at;

	while (raw < end) {
		if (*raw != '\\') {
			buf_addc(out, *raw++);
		} else if (raw[1] == 'u') {
			raw += decode_unit(out, raw, end);
		} else {
			at = strchr(from, raw[1]);
			buf_addc(out, at ? to[at - from] : raw[1]);
			raw += 2;
		}
	}
}

/* Escapes stay as they are; only what stands raw and mustn't is escaped. */
static void copy_inside(struct buf *out, const char *raw, size_t n)
{
	const char *end = raw + n, *from;

	while (raw < end) {
		from = raw;
		if (*raw == '\\') {
			raw += 2;
			buf_add(out, from, 2);
			continue;
		}
		while (raw < end && *raw != '\\')
			raw++;
		add_inside(out, from, (size_t)(raw - from));
	}
}

static bool scan_string(struct scan *s, bool key)
{
	struct buf text = {0}, yaml = {0};
	const char *raw;
	size_t n;

	if (!string_bounds(s, &raw, &n))
		return false;
	if (!s->out)
		return true;
	if (s->how == JSON_TEXT_JSON) {
		buf_addc(s->out, '"');
		copy_inside(s->out, raw, n);
		buf_addc(s->out, '"');
		return true;
	}
	decode(&text, raw, n);
	value_yaml_text(&yaml, buf_str(&text), text.n);
	/* A key without `?` ends within 1024 characters (YAML 1.2, 7.4.2). */
	if (key && yaml.n > 1000)
		buf_adds(s->out, "? ");
	buf_add(s->out, yaml.p, yaml.n);
	buf_free(&text);
	buf_free(&yaml);
	return true;
}

static size_t digits(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return (size_t)(p - from);
}

static bool scan_number(struct scan *s)
{
	const char *p = s->p;
	size_t n;

	if (p < s->end && *p == '-')
		p++;
	n = digits(p, s->end);
	if (n == 0 || (n > 1 && *p == '0'))
		return false;
	p += n;
	if (p < s->end && *p == '.') {
		n = digits(++p, s->end);
		if (n == 0)
			return false;
		p += n;
	}
	if (p < s->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		n = digits(p, s->end);
		if (n == 0)
			return false;
		p += n;
	}
	if (s->out && s->how == JSON_TEXT_YAML)
		json_text_yaml_number(s->out, s->p, (size_t)(p - s->p));
	else
		emit(s, s->p, (size_t)(p - s->p));
	s->p = p;
	return true;
}

static bool scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n))
		return false;
	emit(s, word, n);
	s->p += n;
	return true;
}

static bool scan_value(struct scan *s);

/* YAML wants a blank behind the colon and the comma, or takes what follows for
 * the rest of a plain text. */
static void emit_mark(struct scan *s, char c)
{
	emit(s, &c, 1);
	if (s->how == JSON_TEXT_YAML)
		emit(s, " ", 1);
}

static bool scan_many(struct scan *s, char open, char close)
{
	bool ok = false;

	take(s, open);
	emit(s, &open, 1);
	if (peek(s) == close) {
		take(s, close);
		emit(s, &close, 1);
		return true;
	}
	do {
		if (open == '{') {
			if (!scan_string(s, true) || !take(s, ':'))
				return false;
			emit_mark(s, ':');
		}
		if (!scan_value(s))
			return false;
		ok = take(s, ',');
		if (ok)
			emit_mark(s, ',');
	} while (ok);
	if (!take(s, close))
		return false;
	emit(s, &close, 1);
	return true;
}

static bool scan_value(struct scan *s)
{
	bool ok;

	switch (peek(s)) {
	case '{':
	case '[':
		if (s->depth == DEPTH_MAX)
			return false;
		s->depth++;
		ok = scan_many(s, *s->p, *s->p == '{' ? '}' : ']');
		s->depth--;
		return ok;
	case '"':
		return scan_string(s, false);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		return scan_number(s);
	}
}

static bool is_whole(struct scan *s)
{
	peek(s);
	return s->p == s->end;
}

static void cut_back(struct buf *b, size_t n)
{
	b->n = n;
	if (b->p)
		b->p[n] = '\0';
}

bool json_text_copy(struct buf *out, const char *s, size_t n,
    enum json_text how)
{
	struct scan scan = { .p = s, .end = s + n, .out = out, .how = how };
	size_t before = out->n;

	if (scan_value(&scan) && is_whole(&scan))
		return true;
	cut_back(out, before);
	return false;
}

/* One element for people: a text bare, null the dash, all else as JSON. */
static bool join_value(struct scan *s)
{
	struct buf *out = s->out, b = {0};
	const char *raw;
	size_t n;
	bool ok;

	switch (peek(s)) {
	case '"':
		ok = string_bounds(s, &raw, &n);
		if (ok)
			decode(&b, raw, n);
		break;
	case 'n':
		s->out = NULL;
		ok = scan_word(s, "null");
		s->out = out;
		buf_adds(&b, text_glyph(GLYPH_DASH));
		break;
	default:
		s->out = &b;
		ok = scan_value(s);
		s->out = out;
	}
	if (ok)
		text_harmless(out, buf_str(&b), b.n);
	buf_free(&b);
	return ok;
}

static bool join_name(struct scan *s)
{
	struct buf b = {0};
	const char *raw;
	size_t n;

	if (!string_bounds(s, &raw, &n) || !take(s, ':'))
		return false;
	decode(&b, raw, n);
	text_harmless(s->out, buf_str(&b), b.n);
	buf_free(&b);
	buf_addc(s->out, '=');
	return true;
}

static bool join(struct scan *s)
{
	char open = peek(s), close = open == '{' ? '}' : ']';
	bool more;

	if (open != '{' && open != '[')
		return join_value(s);
	take(s, open);
	if (take(s, close))
		return true;
	do {
		if (open == '{' && !join_name(s))
			return false;
		if (!join_value(s))
			return false;
		more = take(s, ',');
		if (more)
			buf_adds(s->out, ", ");
	} while (more);
	return take(s, close);
}

bool json_text_join(struct buf *out, const char *s, size_t n)
{
	struct scan scan = { .p = s, .end = s + n, .out = out };
	size_t before = out->n;

	if (join(&scan) && is_whole(&scan))
		return true;
	cut_back(out, before);
	return false;
}

long json_text_numbers(const char *s, size_t n, double *v, size_t max)
{
	struct scan scan = { .p = s, .end = s + n };
	const char *from;
	char digit[64];
	size_t k;
	long count = 0;
	char c;

	if (!take(&scan, '['))
		return -1;
	if (take(&scan, ']'))
		return is_whole(&scan) ? 0 : -1;
	do {
		c = peek(&scan);
		from = scan.p;
		if (!scan_value(&scan))
			return -1;
		k = (size_t)(scan.p - from);
		if ((size_t)count < max) {
			v[count] = NAN;
			if (memchr("-0123456789", c, 11) && k < sizeof digit) {
				memcpy(digit, from, k);
				digit[k] = '\0';
				v[count] = strtod(digit, NULL);
			}
		}
		count++;
	} while (take(&scan, ','));
	return take(&scan, ']') && is_whole(&scan) ? count : -1;
}
