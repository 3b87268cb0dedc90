/* The line editor: whole grapheme clusters, a history, candidates. */
#include "prompt.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys.h"
#include "text.h"

/* ---- candidates ----------------------------------------------------------- */

static void drop_offers(struct prompt *p)
{
	for (size_t i = 0; i < p->noffers; i++)
		free(p->offers[i]);
	free(p->offers);
	p->offers = NULL;
	p->noffers = p->offer = 0;
}

bool prompt_offers(const struct prompt *p)
{
	return p->noffers > 0;
}

static void insert(struct prompt *p, const char *s, size_t n)
{
	struct buf b = {0};

	buf_add(&b, buf_str(&p->text), p->at);
	buf_add(&b, s, n);
	buf_add(&b, buf_str(&p->text) + p->at, p->text.n - p->at);
	buf_free(&p->text);
	p->text = b;
	p->at += n;
}

static void erase(struct prompt *p, size_t from, size_t to)
{
	if (from >= to)
		return;
	memmove(p->text.p + from, p->text.p + to, p->text.n - to);
	p->text.n -= to - from;
	p->text.p[p->text.n] = '\0';
	p->at = from;
}

static size_t word_start(const struct prompt *p)
{
	size_t at = p->at;

	while (at && p->text.p[at - 1] != ' ')
		at--;
	return at;
}

static size_t common(char **words, size_t n)
{
	size_t len = strlen(words[0]);

	for (size_t i = 1; i < n; i++) {
		size_t k = 0;
		while (k < len && words[i][k] == words[0][k])
			k++;
		len = k;
	}
	/* Not in the middle of a character. */
	while (len && (words[0][len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void replace_word(struct prompt *p, const char *s, size_t n)
{
	erase(p, p->stem, p->at);
	insert(p, s, n);
}

void prompt_offer(struct prompt *p, char **words, size_t n)
{
	size_t len;

	drop_offers(p);
	p->offers = words;
	p->noffers = n;
	p->offer = n;
	if (!n)
		return;
	p->stem = word_start(p);
	len = common(words, n);
	if (n == 1) {
		replace_word(p, words[0], strlen(words[0]));
		insert(p, " ", 1);
		drop_offers(p);
	} else if (len > p->at - p->stem) {
		replace_word(p, words[0], len);
	}
}

void prompt_next_offer(struct prompt *p, int step)
{
	size_t n = p->noffers;

	if (!n)
		return;
	if (p->offer == n)
		p->offer = step > 0 ? 0 : n - 1;
	else
		p->offer = (p->offer + (step > 0 ? 1 : n - 1)) % n;
	replace_word(p, p->offers[p->offer], strlen(p->offers[p->offer]));
}

/* ---- opening, closing ----------------------------------------------------- */

void prompt_open(struct prompt *p, enum prompt_kind kind, const char *label,
    const char *text)
{
	prompt_close(p);
	p->kind = kind;
	p->label = xstrdup(label);
	buf_clear(&p->text);
	buf_adds(&p->text, text);
	p->at = p->text.n;
	p->looked = p->npast;
}

void prompt_close(struct prompt *p)
{
	p->kind = PROMPT_NONE;
	free(p->label);
	p->label = NULL;
	free(p->typed);
	p->typed = NULL;
	drop_offers(p);
	buf_clear(&p->text);
	p->at = 0;
}

void prompt_release(struct prompt *p)
{
	prompt_close(p);
	for (size_t i = 0; i < p->npast; i++)
		free(p->past[i]);
	free(p->past);
	buf_free(&p->text);
}

/* ---- moving --------------------------------------------------------------- */

/* A cluster before or behind the cursor: walked from the start, lines are
 * short. */
static size_t step_from(const struct prompt *p, size_t from)
{
	int cells;
	size_t n = p->text.n - from;
	size_t k = text_fits(p->text.p + from, n, 1, &cells);

	if (!k)
		k = text_fits(p->text.p + from, n, 2, &cells);
	return k ? k : 1;
}

static size_t next_at(const struct prompt *p)
{
	return p->at < p->text.n ? p->at + step_from(p, p->at) : p->at;
}

static size_t previous_at(const struct prompt *p)
{
	size_t at = 0, before = 0;

	while (at < p->at) {
		before = at;
		at += step_from(p, at);
	}
	return before;
}

static void show_past(struct prompt *p, size_t which)
{
	if (p->looked == p->npast) {
		free(p->typed);
		p->typed = xstrdup(buf_str(&p->text));
	}
	p->looked = which;
	buf_clear(&p->text);
	buf_adds(&p->text, which < p->npast ? p->past[which] : p->typed);
	p->at = p->text.n;
}

static bool move(struct prompt *p, const char *key)
{
	if (!strcmp(key, "<Left>") || !strcmp(key, "<C-b>"))
		p->at = previous_at(p);
	else if (!strcmp(key, "<Right>") || !strcmp(key, "<C-f>"))
		p->at = next_at(p);
	else if (!strcmp(key, "<Home>") || !strcmp(key, "<C-a>"))
		p->at = 0;
	else if (!strcmp(key, "<End>") || !strcmp(key, "<C-e>"))
		p->at = p->text.n;
	else
		return false;
	return true;
}

static bool look_back(struct prompt *p, const char *key)
{
	bool up = !strcmp(key, "<Up>") || !strcmp(key, "<C-p>");
	bool down = !strcmp(key, "<Down>") || !strcmp(key, "<C-n>");

	if (p->kind != PROMPT_LINE || (!up && !down))
		return false;
	if (up && p->looked)
		show_past(p, p->looked - 1);
	if (down && p->looked < p->npast)
		show_past(p, p->looked + 1);
	return true;
}

static size_t word_back(const struct prompt *p)
{
	size_t at = p->at;

	while (at && p->text.p[at - 1] == ' ')
		at--;
	while (at && p->text.p[at - 1] != ' ')
		at--;
	return at;
}

static bool cut(struct prompt *p, const char *key)
{
	if (!strcmp(key, "<BS>")) {
		erase(p, previous_at(p), p->at);
	} else if (!strcmp(key, "<Del>") || !strcmp(key, "<C-d>")) {
		erase(p, p->at, next_at(p));
	} else if (!strcmp(key, "<C-w>")) {
		erase(p, word_back(p), p->at);
	} else if (!strcmp(key, "<C-u>")) {
		erase(p, 0, p->at);
	} else if (!strcmp(key, "<C-k>")) {
		size_t at = p->at;
		erase(p, at, p->text.n);
	} else {
		return false;
	}
	return true;
}

static enum prompt_did answer(struct prompt *p, const char *key)
{
	if (!strcmp(key, "y") || !strcmp(key, "Y")) {
		buf_clear(&p->text);
		buf_adds(&p->text, "y");
		return PROMPT_ENTERED;
	}
	/* Anything else that could be an answer is No. */
	if (key_char(key) || !strcmp(key, "<Enter>"))
		return PROMPT_LEFT;
	return PROMPT_NOTHING;
}

enum prompt_did prompt_key(struct prompt *p, const char *key)
{
	size_t n = key_char(key);

	if (!strcmp(key, "<Esc>") || !strcmp(key, "<C-c>") ||
	    !strcmp(key, "<C-g>"))
		return PROMPT_LEFT;
	if (p->kind == PROMPT_ASK)
		return answer(p, key);
	if (!strcmp(key, "<Enter>"))
		return PROMPT_ENTERED;
	if (!strcmp(key, "<BS>") && !p->text.n && p->kind != PROMPT_WORD)
		return PROMPT_LEFT;
	if (p->kind == PROMPT_LINE && (!strcmp(key, "<Tab>") ||
	    !strcmp(key, "<S-Tab>")))
		return PROMPT_TAB;
	drop_offers(p);
	if (n)
		insert(p, key, n);
	else if (!cut(p, key)) {
		if (move(p, key) || look_back(p, key))
			return PROMPT_EDITED;
		return PROMPT_NOTHING;
	}
	return PROMPT_EDITED;
}

/* ---- drawing -------------------------------------------------------------- */

void prompt_draw(const struct prompt *p, struct frame *f, int y)
{
	struct buf before = {0};
	int x, room, width;
	size_t from = 0;

	x = frame_puts(f, 0, y, LOOK_HEAD, p->label);
	room = f->cols - x - 1;
	text_harmless(&before, buf_str(&p->text), p->at);
	width = text_width(buf_str(&before), before.n);
	/* The cursor stays in sight: what is left of it moves out. */
	while (width > room && from < p->at) {
		from += step_from(p, from);
		buf_clear(&before);
		text_harmless(&before, p->text.p + from, p->at - from);
		width = text_width(buf_str(&before), before.n);
	}
	frame_put(f, x, y, f->cols - x, LOOK_PLAIN, buf_str(&p->text) + from,
	    p->text.n - from);
	f->x = x + width < f->cols ? x + width : f->cols - 1;
	f->y = y;
	buf_free(&before);
}

/* ---- history -------------------------------------------------------------- */

static void past_add(struct prompt *p, const char *line, size_t n)
{
	if (!n)
		return;
	if (p->npast && !strncmp(p->past[p->npast - 1], line, n) &&
	    !p->past[p->npast - 1][n])
		return;
	if (p->npast == HISTORY_MAX) {
		free(p->past[0]);
		memmove(p->past, p->past + 1,
		    (--p->npast) * sizeof(*p->past));
	}
	p->past = xrealloc(p->past, p->npast + 1, sizeof(*p->past));
	p->past[p->npast++] = xstrndup(line, n);
}

void history_read(struct prompt *p, const char *data_dir)
{
	char *path = xasprintf("%s/history", data_dir), *line = NULL;
	FILE *f = fopen(path, "re");
	size_t cap = 0;
	ssize_t n;

	free(path);
	if (!f)
		return;
	for (size_t i = 0; i < p->npast; i++)
		free(p->past[i]);
	p->npast = 0;
	while ((n = getline(&line, &cap, f)) > 0)
		past_add(p, line, (size_t)n - (line[n - 1] == '\n'));
	free(line);
	fclose(f);
}

void history_add(struct prompt *p, const char *data_dir, const char *line)
{
	char *path, *part;
	FILE *f;
	int fd;

	/* Another console may have added some meanwhile. */
	if (data_dir)
		history_read(p, data_dir);
	past_add(p, line, strlen(line));
	p->looked = p->npast;
	if (!data_dir)
		return;
	path = xasprintf("%s/history", data_dir);
	part = xasprintf("%s.%ld", path, (long)getpid());
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f) {
		bool good = true;
		for (size_t i = 0; i < p->npast; i++)
			good = fprintf(f, "%s\n", p->past[i]) > 0 && good;
		if (fclose(f) == 0 && good)
			rename(part, path);
		else
			unlink(part);
	} else if (fd >= 0) {
		close(fd);
	}
	free(part);
	free(path);
}
