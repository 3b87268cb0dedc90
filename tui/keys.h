/* Names of keys: the same in --play, in `keys:` of the config, in the literals
 * of modules and in the help. A character is itself; <Name> is a key. */
#ifndef KEYS_H
#define KEYS_H

#include <stddef.h>

#include "err.h"

/* Bytes of the longest name: a character of four bytes behind "<M-", ">". */
#define KEY_BYTES 16

/* Reads the key at *s into name, in the spelling that kiban uses (<Enter>,
 * <C-x>; "<lt>" as "<", "<Space>" as " "), and moves *s behind it. 1; 0 at the end;
 * -1 with ERR_USAGE for a < that begins no key, a control character, or bytes
 * that are not UTF-8. */
int key_next(const char **s, char name[KEY_BYTES], struct err *err);
/* Checks a whole string of them. */
int keys_check(const char *s, struct err *err);
/* A key that stands for a character to be typed: its length, else 0. */
size_t key_char(const char *name);

#endif
