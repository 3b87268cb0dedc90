/* Keys by name, as people write them and as the terminal's decoder gives them:
 * one spelling inside, whatever the case outside. */
#include "keys.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text.h"

static const struct { const char *typed, *name; } names[] = {
	{"Enter", "<Enter>"}, {"Esc", "<Esc>"}, {"Tab", "<Tab>"},
	{"S-Tab", "<S-Tab>"}, {"BS", "<BS>"}, {"Del", "<Del>"},
	{"Space", " "}, {"Up", "<Up>"}, {"Down", "<Down>"},
	{"Left", "<Left>"}, {"Right", "<Right>"}, {"Home", "<Home>"},
	{"End", "<End>"}, {"PgUp", "<PgUp>"}, {"PgDn", "<PgDn>"},
	{"F1", "<F1>"}, {"F2", "<F2>"}, {"F3", "<F3>"}, {"F4", "<F4>"},
	{"F5", "<F5>"}, {"F6", "<F6>"}, {"F7", "<F7>"}, {"F8", "<F8>"},
	{"F9", "<F9>"}, {"F10", "<F10>"}, {"F11", "<F11>"},
	{"F12", "<F12>"}, {"lt", "<"},
};

/* Where control characters are keys of their own on every terminal. */
static const struct { char c; const char *name; } controls[] = {
	{'i', "<Tab>"}, {'m', "<Enter>"}, {'j', "<Enter>"}, {'h', "<BS>"},
	{'[', "<Esc>"},
};

static int wrong(const char *s, struct err *err)
{
	const char *end = strchr(s, '>');
	size_t n = end ? (size_t)(end - s) + 1 : strlen(s);
	struct buf b = {0};

	text_harmless(&b, s, n > 20 ? 20 : n);
	err_set(err, ERR_USAGE, "\"%s\" is no key; <lt> is the character <, "
	    "keys are named as <Enter>, <C-x>, <M-x>, <F1>", buf_str(&b));
	buf_free(&b);
	return -1;
}

static int key_control(const char *s, char name[KEY_BYTES], struct err *err)
{
	char c = s[3] >= 'A' && s[3] <= 'Z' ? s[3] + 32 : s[3];

	if (s[4] != '>' || !((c >= 'a' && c <= 'z') || strchr("[\\]^_", c)))
		return wrong(s, err);
	snprintf(name, KEY_BYTES, "<C-%c>", c);
	for (size_t i = 0; i < sizeof(controls) / sizeof(*controls); i++)
		if (controls[i].c == c)
			snprintf(name, KEY_BYTES, "%s", controls[i].name);
	return 1;
}

static int key_meta(const char *s, char name[KEY_BYTES], struct err *err)
{
	unsigned c;
	int n = text_char(s + 3, strlen(s + 3), &c);

	if (!n || c < 0x20 || s[3 + n] != '>')
		return wrong(s, err);
	snprintf(name, KEY_BYTES, "<M-%.*s>", n, s + 3);
	return 1;
}

static int key_named(const char **at, char name[KEY_BYTES], struct err *err)
{
	const char *s = *at, *end = strchr(s, '>');
	size_t n;
	int rc;

	/* <M->> is Alt with >. */
	if (end && !strncasecmp(s, "<M->", 4) && s[4] == '>')
		end = s + 4;
	if (!end)
		return wrong(s, err);
	n = (size_t)(end - s) - 1;
	*at = end + 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i].typed) != n ||
		    strncasecmp(names[i].typed, s + 1, n))
			continue;
		snprintf(name, KEY_BYTES, "%s", names[i].name);
		return 1;
	}
	if (!strncasecmp(s, "<C-", 3))
		rc = key_control(s, name, err);
	else if (!strncasecmp(s, "<M-", 3))
		rc = key_meta(s, name, err);
	else
		rc = wrong(s, err);
	return rc;
}

int key_next(const char **s, char name[KEY_BYTES], struct err *err)
{
	unsigned c = 0;
	int n;

	if (!**s)
		return 0;
	if (**s == '<')
		return key_named(s, name, err);
	n = text_char(*s, strlen(*s), &c);
	if (!n)
		return err_set(err, ERR_USAGE,
		    "the keys hold a byte that is not UTF-8 (0x%02x)",
		    (unsigned char)**s);
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return err_set(err, ERR_USAGE, "the keys hold a control "
		    "character (0x%02x); name it as <Enter>, <Tab>, <C-x>", c);
	snprintf(name, KEY_BYTES, "%.*s", n, *s);
	*s += n;
	return 1;
}

int keys_check(const char *s, struct err *err)
{
	char name[KEY_BYTES];
	int rc;

	while ((rc = key_next(&s, name, err)) == 1)
		;
	return rc;
}

size_t key_char(const char *name)
{
	size_t n = strlen(name);

	return n > 1 && *name == '<' ? 0 : n;
}
