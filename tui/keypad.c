/* The decoder of keys: what the terminal's database knows first, then the
 * sequences that all of today's terminals share; what nobody knows is
 * swallowed whole, so that no stray byte of it acts as a key. */
#include "keypad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "value.h"

void keypad_init(struct keypad *k)
{
	*k = (struct keypad){0};
}

void keypad_learn(struct keypad *k, const char *bytes, const char *name)
{
	size_t n = strlen(bytes);

	/* One byte is a character or a control: known anyway. */
	if (n < 2 || n >= sizeof(k->learnt[0].bytes) ||
	    k->nlearnt == sizeof(k->learnt) / sizeof(*k->learnt))
		return;
	memcpy(k->learnt[k->nlearnt].bytes, bytes, n + 1);
	k->learnt[k->nlearnt++].name = name;
}

void keypad_feed(struct keypad *k, const char *p, size_t n)
{
	buf_add(&k->in, p, n);
	k->fed = clock_mono();
}

int keypad_due(const struct keypad *k)
{
	int64_t left;

	if (!k->in.n)
		return -1;
	left = k->fed + KEYPAD_WAIT - clock_mono();
	return left > 0 ? (int)left : 0;
}

static void drop(struct keypad *k, size_t n)
{
	k->in.n -= n;
	memmove(k->in.p, k->in.p + n, k->in.n);
}

static int give(struct keypad *k, struct keypad_key *out, const char *name,
    size_t bytes)
{
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->pasted = k->pasting;
	drop(k, bytes);
	return 1;
}

/* ---- sequences ----------------------------------------------------------- */

static const char *by_letter(char c)
{
	switch (c) {
	case 'A': return "<Up>";
	case 'B': return "<Down>";
	case 'C': return "<Right>";
	case 'D': return "<Left>";
	case 'H': return "<Home>";
	case 'F': return "<End>";
	case 'P': return "<F1>";
	case 'Q': return "<F2>";
	case 'R': return "<F3>";
	case 'S': return "<F4>";
	case 'Z': return "<S-Tab>";
	case 'M': return "<Enter>";
	default: return NULL;
	}
}

static const char *by_number(int n)
{
	static const struct { int n; const char *name; } v[] = {
		{1, "<Home>"}, {3, "<Del>"}, {4, "<End>"}, {5, "<PgUp>"},
		{6, "<PgDn>"}, {7, "<Home>"}, {8, "<End>"}, {11, "<F1>"},
		{12, "<F2>"}, {13, "<F3>"}, {14, "<F4>"}, {15, "<F5>"},
		{17, "<F6>"}, {18, "<F7>"}, {19, "<F8>"}, {20, "<F9>"},
		{21, "<F10>"}, {23, "<F11>"}, {24, "<F12>"},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
		if (v[i].n == n)
			return v[i].name;
	return NULL;
}

/* ESC [ < BUTTON ; X ; Y M: a press; wheels are buttons 64 and 65. */
static const char *mouse(const char *s, struct keypad_key *out, char final)
{
	int b, x, y;

	if (sscanf(s, "\033[<%d;%d;%d", &b, &x, &y) != 3 || final != 'M')
		return NULL;
	out->x = x - 1;
	out->y = y - 1;
	return b == 0 ? "<Click>" : b == 64 ? "<Up>" : b == 65 ? "<Down>"
							       : NULL;
}

/* Length of a whole control sequence at the start; 0: not whole yet. */
static size_t sequence(const struct keypad *k)
{
	const char *s = k->in.p;

	if (s[1] == 'O')
		return k->in.n > 2 ? 3 : 0;
	for (size_t i = 2; i < k->in.n; i++)
		if (s[i] >= 0x40 && s[i] <= 0x7e)
			return i + 1;
	return 0;
}

static int take_sequence(struct keypad *k, struct keypad_key *out)
{
	size_t n = sequence(k);
	const char *s = k->in.p, *name;
	char final;

	if (!n)
		return 0;
	final = s[n - 1];
	if (s[1] == '[' && s[2] == '<')
		name = mouse(s, out, final);
	else if (s[1] == '[' && final == '~')
		name = by_number(atoi(s + 2));
	else
		name = by_letter(final);
	if (n == 6 && !memcmp(s, "\033[200~", 6))
		k->pasting = true;
	if (n == 6 && !memcmp(s, "\033[201~", 6))
		k->pasting = false;
	if (name)
		return give(k, out, name, n);
	drop(k, n);
	return keypad_take(k, out);
}

static int take_learnt(struct keypad *k, struct keypad_key *out)
{
	for (size_t i = 0; i < k->nlearnt; i++) {
		size_t n = strlen(k->learnt[i].bytes);
		if (n <= k->in.n && !memcmp(k->in.p, k->learnt[i].bytes, n))
			return give(k, out, k->learnt[i].name, n);
	}
	return 0;
}

static int take_escape(struct keypad *k, struct keypad_key *out)
{
	bool waited = keypad_due(k) <= 0;
	char name[KEY_BYTES];
	unsigned c;
	int n;

	if (take_learnt(k, out))
		return 1;
	if (k->in.n == 1)
		return waited ? give(k, out, "<Esc>", 1) : 0;
	if (k->in.p[1] == '[' || k->in.p[1] == 'O') {
		if (take_sequence(k, out))
			return 1;
		return waited && k->in.n ? give(k, out, "<Esc>", 1) : 0;
	}
	n = text_char(k->in.p + 1, k->in.n - 1, &c);
	if (!n || c < 0x20 || c == 0x7f)
		return give(k, out, "<Esc>", 1);
	snprintf(name, sizeof(name), "<M-%.*s>", n, k->in.p + 1);
	return give(k, out, name, (size_t)n + 1);
}

/* ---- characters ---------------------------------------------------------- */

static int take_control(struct keypad *k, struct keypad_key *out, char c)
{
	char name[KEY_BYTES];

	/* Lines of a paste are not orders. */
	if (k->pasting)
		return give(k, out, " ", 1);
	switch (c) {
	case '\r':
	case '\n':
		return give(k, out, "<Enter>", 1);
	case '\t':
		return give(k, out, "<Tab>", 1);
	case '\b':
	case 0x7f:
		return give(k, out, "<BS>", 1);
	case 0:
		drop(k, 1);
		return keypad_take(k, out);
	}
	snprintf(name, sizeof(name), "<C-%c>", c < 27 ? c + 'a' - 1 : c + '@');
	return give(k, out, name, 1);
}

/* By its first byte; 1 for what begins none. */
static size_t utf8_length(unsigned char c)
{
	return c >= 0xf5 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
}

static int take_text(struct keypad *k, struct keypad_key *out)
{
	char name[KEY_BYTES];
	unsigned c;
	int n = text_char(k->in.p, k->in.n, &c);

	if (n) {
		snprintf(name, sizeof(name), "%.*s", n, k->in.p);
		return give(k, out, name, (size_t)n);
	}
	if (utf8_length((unsigned char)*k->in.p) > k->in.n &&
	    keypad_due(k) > 0)
		return 0;
	drop(k, 1);
	return keypad_take(k, out);
}

int keypad_take(struct keypad *k, struct keypad_key *out)
{
	char c;

	if (!k->in.n)
		return 0;
	c = *k->in.p;
	if (c == 0x1b)
		return take_escape(k, out);
	if ((c >= 0 && c < 0x20) || c == 0x7f)
		return take_control(k, out, c);
	return take_text(k, out);
}
