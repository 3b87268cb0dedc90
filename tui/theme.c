/* Roles to styles: the terminal's own eight colours and its default
 * background, so that light and dark both work. */
#include "theme.h"

#include <stdlib.h>
#include <string.h>

static const struct theme theme_default = {
	.style = {
		[LOOK_PLAIN] = {.colour = -1},
		[LOOK_BAD] = {.colour = 1},
		[LOOK_DOUBTFUL] = {.colour = 3},
		[LOOK_OLD] = {.colour = -1, .dim = true},
		[LOOK_ACCENT] = {.colour = 6},
		[LOOK_HEAD] = {.colour = -1, .bold = true},
	},
	.selection = {.colour = -1, .reverse = true},
	.colour = true,
};

static const char *const colours[] = {"black", "red", "green", "yellow",
    "blue", "magenta", "cyan", "white"};

static bool word_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && !memcmp(s, word, n);
}

static void style_word(struct style *s, const char *w, size_t n)
{
	for (int i = 0; i < 8; i++)
		if (word_is(w, n, colours[i]))
			s->colour = i;
	if (word_is(w, n, "bold"))
		s->bold = true;
	else if (word_is(w, n, "dim"))
		s->dim = true;
	else if (word_is(w, n, "underline"))
		s->underline = true;
	else if (word_is(w, n, "reverse"))
		s->reverse = true;
}

static void style_read(struct style *s, const char *text)
{
	if (!text)
		return;
	*s = (struct style){.colour = -1};
	while (*text) {
		size_t n = strcspn(text, " ");
		style_word(s, text, n);
		text += n + (text[n] == ' ');
	}
}

void theme_load(struct theme *t, const struct config *c, bool no_color)
{
	static const struct { const char *path; enum look look; } roles[] = {
		{"theme.bad", LOOK_BAD}, {"theme.doubtful", LOOK_DOUBTFUL},
		{"theme.old", LOOK_OLD}, {"theme.accent", LOOK_ACCENT},
		{"theme.head", LOOK_HEAD},
	};
	const char *env = getenv("NO_COLOR"), *text;

	*t = theme_default;
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		style_read(&t->style[roles[i].look],
		    node_text(c->root, roles[i].path, NULL));
	text = node_text(c->root, "theme.selection", NULL);
	style_read(&t->selection, text);
	/* A colour alone is the bar's: without it nothing would be seen. */
	if (!t->selection.bold && !t->selection.underline)
		t->selection.reverse = true;
	t->colour = !no_color && !(env && *env);
	text = node_text(c->root, "theme.mouse", "false");
	t->mouse = !strcmp(text, "true");
}

struct style theme_style(const struct theme *t, unsigned look)
{
	unsigned role = look & LOOK_MASK;
	struct style s = t->style[role < LOOKS ? role : LOOK_PLAIN];

	if (look & LOOK_SELECTED) {
		const struct style *over = &t->selection;
		/* On the bar only what is wrong keeps its colour. */
		if (role == LOOK_ACCENT)
			s = t->style[LOOK_PLAIN];
		if (over->colour >= 0)
			s.colour = over->colour;
		s.bold |= over->bold;
		s.underline |= over->underline;
		s.reverse |= over->reverse;
		/* Dim and reverse together can't be read. */
		s.dim = false;
	}
	if (look & LOOK_REVERSE)
		s.reverse = true;
	if (!t->colour)
		s.colour = -1;
	return s;
}
