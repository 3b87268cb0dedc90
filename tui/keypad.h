/* Bytes from a terminal to keys: a pure decoder, fed and asked. */
#ifndef KEYPAD_H
#define KEYPAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys.h"
#include "mem.h"

struct keypad {
	struct buf	in;
	int64_t		fed;		/* clock_mono() of the last bytes */
	bool		pasting;
	struct { char bytes[16]; const char *name; } learnt[40];
	size_t		nlearnt;
};
struct keypad_key {
	char	name[KEY_BYTES];
	bool	pasted;
	int	x, y;
};

/* An Esc that nothing followed for so long is the key. */
#define KEYPAD_WAIT 40

void keypad_init(struct keypad *k);
/* name is a literal. */
void keypad_learn(struct keypad *k, const char *bytes, const char *name);
void keypad_feed(struct keypad *k, const char *p, size_t n);
/* 1: the next key; 0: none, or not yet. */
int keypad_take(struct keypad *k, struct keypad_key *out);
/* ms until keypad_take() may give what is there now; -1: nothing is. */
int keypad_due(const struct keypad *k);

#endif
