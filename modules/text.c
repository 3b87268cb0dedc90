/* Text as it may be shown: made harmless, measured in cells, cut in whole
 * grapheme clusters. Widths are those of Unicode, by libunistring, and never
 * the locale's; a sequence joined by ZWJ counts as the sum of its characters,
 * as wcwidth() and so ncurses and most terminals count it. */
#include "text.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <unigbrk.h>
#include <uniwidth.h>

#include "text_ambiguous.h"

static bool is_ascii;
static bool is_wide;

void text_setup(bool ascii, bool wide)
{
	is_ascii = ascii;
	is_wide = wide;
}

bool text_ascii(void)
{
	return is_ascii;
}

bool text_wide(void)
{
	return is_wide;
}

const char *text_glyph(enum glyph g)
{
	static const char *const glyphs[][2] = {
		[GLYPH_MORE]	= { "…", ".." },
		[GLYPH_DASH]	= { "–", "-" },
		[GLYPH_ARROW]	= { "→", "->" },
		[GLYPH_DOWN]	= { "↓", "v" },
		[GLYPH_UP]	= { "↑", "^" },
		[GLYPH_CRUMB]	= { "›", ">" },
	};

	return glyphs[g][is_ascii || is_wide];
}

/* Zero is the lowest mark, the largest value the highest: a steady series
 * looks steady, not noisy. */
void text_spark(struct buf *out, const double *v, size_t n)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆",
	    "▇" };
	static const char *const braille[] = { "⣀", "⣤", "⣶", "⣿" };
	static const char *const digits[] = { "0", "1", "2", "3", "4", "5",
	    "6", "7", "8", "9" };
	const char *const *marks = is_ascii ? digits : is_wide ? braille
	    : blocks;
	double top = is_ascii ? 9 : is_wide ? 3 : 6, low = 0, high = 0, at;

	for (size_t i = 0; i < n; i++) {
		if (isfinite(v[i])) {
			low = fmin(low, v[i]);
			high = fmax(high, v[i]);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (isnan(v[i])) {
			buf_addc(out, ' ');
			continue;
		}
		/* Halves: the whole range may be more than a double holds. */
		at = high > low ? (v[i] / 2 - low / 2) / (high / 2 - low / 2)
		    : 0;
		at = fmin(fmax(at, 0), 1);
		buf_adds(out, marks[(int)lround(at * top)]);
	}
}

int text_char(const char *s, size_t n, unsigned *c)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned lowest;
	int k;

	if (n == 0)
		return 0;
	*c = *p;
	if (*p < 0x80)
		return 1;
	if (*p >= 0xc2 && *p <= 0xdf) {
		k = 2, lowest = 0x80, *c &= 0x1f;
	} else if ((*p & 0xf0) == 0xe0) {
		k = 3, lowest = 0x800, *c &= 0xf;
	} else if (*p >= 0xf0 && *p <= 0xf4) {
		k = 4, lowest = 0x10000, *c &= 7;
	} else {
		return 0;
	}
	if (n < (size_t)k)
		return 0;
	for (int i = 1; i < k; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	if (*c < lowest || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return k;
}

void text_add_char(struct buf *out, unsigned c)
{
	char s[4];
	size_t n = 0;

	if (c < 0x80) {
		s[n++] = (char)c;
	} else if (c < 0x800) {
		s[n++] = (char)(0xc0 | c >> 6);
		s[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		s[n++] = (char)(0xe0 | c >> 12);
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		s[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | c >> 18);
		s[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		s[n++] = (char)(0x80 | (c & 0x3f));
	}
	buf_add(out, s, n);
}

/* ZWJ, ZWNJ and variation selectors stay: scripts and emoji need them. Tags
 * (U+E0000) hide whole sentences and are worth less than that. */
bool text_is_plain(unsigned c)
{
	static const struct {
		unsigned first, last;
	} marked[] = {
		{ 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c },
		{ 0x180e, 0x180e }, { 0x200b, 0x200b }, { 0x200e, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe00ff },
		{ 0xe01f0, 0xe0fff },
	};

	if (c < 0x7f)
		return c >= 0x20;
	for (size_t i = 0; i < sizeof marked / sizeof *marked; i++)
		if (c >= marked[i].first && c <= marked[i].last)
			return false;
	return true;
}

static size_t ascii_run(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= 0x20 && s[i] < 0x7f)
		i++;
	return i;
}

void text_harmless(struct buf *out, const char *s, size_t n)
{
	unsigned c;
	size_t run;
	int k;

	while (n) {
		run = ascii_run(s, n);
		buf_add(out, s, run);
		s += run;
		n -= run;
		if (n == 0)
			break;
		k = text_char(s, n, &c);
		if (k == 0 || c < 0x80) {
			buf_addf(out, "\\x%02x", (unsigned char)*s);
			k = 1;
		} else if (text_is_plain(c)) {
			buf_add(out, s, (size_t)k);
		} else {
			buf_addf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
		}
		s += k;
		n -= (size_t)k;
	}
}

static bool is_ambiguous(unsigned c)
{
	size_t low = 0, high = sizeof ambiguous / sizeof *ambiguous, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (c > ambiguous[middle].last)
			low = middle + 1;
		else if (c < ambiguous[middle].first)
			high = middle;
		else
			return true;
	}
	return false;
}

static int char_width(unsigned c)
{
	int width;

	if (c >= 0x20 && c < 0x7f)
		return 1;
	width = uc_width(c, "UTF-8");
	if (width < 0)
		return 1;
	return width == 1 && is_wide && is_ambiguous(c) ? 2 : width;
}

/* One character and its cells; a stray byte is one of each. */
static size_t step(const char *s, size_t n, int *width)
{
	unsigned c;
	int k = text_char(s, n, &c);

	*width = k ? char_width(c) : 1;
	return k ? (size_t)k : 1;
}

int text_width(const char *s, size_t n)
{
	size_t run = ascii_run(s, n);
	int64_t sum = (int64_t)run;
	int width;

	while (run < n) {
		run += step(s + run, n - run, &width);
		sum += width;
	}
	return sum < INT32_MAX ? (int)sum : INT32_MAX;
}

/* The last place at or before `at` where a cluster begins. What stands behind
 * the character at `at` doesn't matter for that. */
static size_t cluster_start(const char *s, size_t n, size_t at)
{
	char *breaks;
	size_t end;
	int width;

	if (at == 0 || at >= n ||
	    (ascii_run(s + at - 1, 1) && ascii_run(s + at, 1)))
		return at;
	end = at + step(s + at, n - at, &width);
	breaks = xmalloc(end);
	u8_grapheme_breaks((const uint8_t *)s, end, breaks);
	while (at > 0 && !breaks[at])
		at--;
	free(breaks);
	return at;
}

size_t text_fits(const char *s, size_t n, int width, int *cells)
{
	size_t at = 0, k;
	int sum = 0, w;

	while (at < n) {
		k = step(s + at, n - at, &w);
		if (w > width - sum)
			break;
		sum += w;
		at += k;
	}
	if (at < n) {
		k = cluster_start(s, n, at);
		sum = k < at ? text_width(s, k) : sum;
		at = k;
	}
	*cells = sum;
	return at;
}

/* Where the longest end that fits in width cells begins. Clusters are sought
 * in the 256 bytes before it: no real one is longer. */
static size_t text_fits_end(const char *s, size_t n, int width, int *cells)
{
	size_t at = n, from, k;
	int sum = 0, w;

	while (at > 0) {
		for (k = at - 1; k > 0 && at - k < 4 && (s[k] & 0xc0) == 0x80;)
			k--;
		if (step(s + k, at - k, &w) != at - k)
			k = at - 1, w = 1;
		if (w > width - sum)
			break;
		sum += w;
		at = k;
	}
	from = at > 256 ? at - 256 : 0;
	while (from < at && (s[from] & 0xc0) == 0x80)
		from++;
	/* Forward to the next beginning: the cut cluster goes whole. */
	while (at < n && from + cluster_start(s + from, n - from, at - from) !=
	    at)
		at += step(s + at, n - at, &w);
	*cells = text_width(s + at, n - at);
	return at;
}

static void add_blanks(struct buf *out, int n)
{
	while (n-- > 0)
		buf_addc(out, ' ');
}

/* The mark in at most width cells. */
static int add_more(struct buf *out, int width)
{
	const char *mark = text_glyph(GLYPH_MORE);
	int cells = text_width(mark, strlen(mark));

	if (cells > width) {
		buf_add(out, mark, (size_t)width);	/* only dots are two */
		return width;
	}
	buf_adds(out, mark);
	return cells;
}

void text_fit(struct buf *out, const char *s, size_t n, int width,
    enum cut cut, bool right)
{
	struct buf shown = {0};
	int cells = text_width(s, n), head, tail = 0, mark;
	size_t at, from = n;

	if (width <= 0)
		return;
	if (cells <= width) {
		buf_add(&shown, s, n);
	} else {
		mark = text_width(text_glyph(GLYPH_MORE),
		    strlen(text_glyph(GLYPH_MORE)));
		mark = mark < width ? mark : width;
		if (cut == CUT_MIDDLE)
			from = text_fits_end(s, n, (width - mark) / 2, &tail);
		at = text_fits(s, n, width - mark - tail, &head);
		buf_add(&shown, s, at);
		add_more(&shown, mark);
		buf_add(&shown, s + from, n - from);
		cells = head + mark + tail;
	}
	if (right)
		add_blanks(out, width - cells);
	buf_add(out, buf_str(&shown), shown.n);
	if (!right)
		add_blanks(out, width - cells);
	buf_free(&shown);
}

#define NAME_MAX_NEAR 64

/* Edits with neighbours swapped (optimal string alignment); case is none. */
static int distance(const char *a, size_t n, const char *b, size_t m)
{
	int rows[3][NAME_MAX_NEAR + 1], *old = rows[0], *last = rows[1],
	    *row = rows[2], *spare, best;

	for (size_t j = 0; j <= m; j++)
		last[j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		row[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			int x = tolower((unsigned char)a[i - 1]);
			int y = tolower((unsigned char)b[j - 1]);

			best = last[j - 1] + (x != y);
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && old[j - 2] + 1 < best &&
			    x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]))
				best = old[j - 2] + 1;
			row[j] = best;
		}
		spare = old;
		old = last;
		last = row;
		row = spare;
	}
	return last[m];
}

const char *text_nearest(const char *s, const char *const *names)
{
	size_t n = strlen(s), m;
	const char *nearest = NULL;
	int least = 0, limit = n / 3 > 1 ? (int)(n / 3) : 1, d;

	if (n == 0 || n > NAME_MAX_NEAR)
		return NULL;
	for (; *names; names++) {
		m = strlen(*names);
		if (m > NAME_MAX_NEAR)
			continue;
		d = distance(s, n, *names, m);
		if (d > limit && strncasecmp(*names, s, n))
			continue;
		if (!nearest || d < least) {
			nearest = *names;
			least = d;
		}
	}
	return nearest;
}
