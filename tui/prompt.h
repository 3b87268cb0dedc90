/* The line at the bottom: commands, the filter, the time, questions. An editor
 * of one line that knows nothing of what its text means. */
#ifndef PROMPT_H
#define PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "frame.h"
#include "mem.h"

enum prompt_kind {
	PROMPT_NONE,
	PROMPT_LINE,		/* : */
	PROMPT_FILTER,		/* / */
	PROMPT_TIME,
	PROMPT_ASK,		/* y or n */
	PROMPT_WORD,		/* a word typed whole */
};
struct prompt {
	enum prompt_kind	 kind;
	char			*label;
	struct buf		 text;
	size_t			 at;		/* byte of the cursor */
	/* History of lines, oldest first. */
	char			**past;
	size_t			 npast;
	size_t			 looked;	/* which is shown; npast: none */
	char			*typed;		/* what stood there before */
	/* Candidates of the last Tab. */
	char			**offers;
	size_t			 noffers;
	size_t			 offer;		/* which is in; noffers: none */
	size_t			 stem;		/* where the word begins */
};
#define HISTORY_MAX 500

void prompt_open(struct prompt *p, enum prompt_kind kind, const char *label,
    const char *text);
void prompt_close(struct prompt *p);
void prompt_release(struct prompt *p);

enum prompt_did {
	PROMPT_NOTHING,		/* the key is none of its */
	PROMPT_EDITED,
	PROMPT_ENTERED,
	PROMPT_LEFT,
	PROMPT_TAB,		/* candidates are asked for: prompt_offer() */
};
enum prompt_did prompt_key(struct prompt *p, const char *key);
/* Puts candidates for the word before the cursor: the common part first, then
 * one after another. Takes the array and its texts. */
void prompt_offer(struct prompt *p, char **words, size_t n);
bool prompt_offers(const struct prompt *p);
void prompt_next_offer(struct prompt *p, int step);
void prompt_draw(const struct prompt *p, struct frame *f, int y);

/* DATA/history: read at the start, written whole with each line, at most
 * HISTORY_MAX of them, mode 0600. A file that can't be had is no error. */
void history_read(struct prompt *p, const char *data_dir);
void history_add(struct prompt *p, const char *data_dir, const char *line);

#endif
