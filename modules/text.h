/* Text as it may be shown: harmless, measured, cut.
 *
 * Text from backends is kept as it came; this is where it is made harmless.
 * C0, DEL and bytes that are not UTF-8 become \x1b; C1, bidi controls, line
 * separators and other format characters that move or hide text become
 * \u202e. Nothing else is changed. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

/* The terminal's ways; set once before threads start. ascii: no byte over
 * 0x7f of our own (text of backends stays). wide: ambiguous characters take
 * two cells. */
void text_setup(bool ascii, bool wide);
bool text_ascii(void);
bool text_wide(void);

/* Marks by name in the terminal's way: "…" or "..", "–" or "-", "→" or "->",
 * "↓" or "v", "↑" or "^", "›" or ">". */
enum glyph { GLYPH_MORE, GLYPH_DASH, GLYPH_ARROW, GLYPH_DOWN, GLYPH_UP,
    GLYPH_CRUMB };
const char *text_glyph(enum glyph g);
/* A sparkline of n values in n cells, NaN is a blank: blocks, braille where
 * ambiguous is wide, digits in ASCII. */
void text_spark(struct buf *out, const double *v, size_t n);

/* False for a character that is shown as a mark: controls, bidi, what moves or
 * hides text. */
bool text_is_plain(unsigned c);
/* Appends the character as UTF-8. */
void text_add_char(struct buf *out, unsigned c);
/* Appends s made harmless. */
void text_harmless(struct buf *out, const char *s, size_t n);
/* Cells that harmless text takes. */
int text_width(const char *s, size_t n);
/* The bytes of the longest beginning of harmless text, in whole grapheme
 * clusters, that fits in width cells; *cells gets what it takes. */
size_t text_fits(const char *s, size_t n, int width, int *cells);

enum cut { CUT_END, CUT_MIDDLE };
/* Appends harmless text in exactly width cells: cut with the mark where it
 * must be, filled with blanks on the right, or on the left where right. */
void text_fit(struct buf *out, const char *s, size_t n, int width,
    enum cut cut, bool right);

/* Length of the valid UTF-8 sequence at s, 0 when there is none; *c gets the
 * character. */
int text_char(const char *s, size_t n, unsigned *c);
/* Of the n names (ended by NULL) the nearest to s by edit distance, NULL when
 * none is near. */
const char *text_nearest(const char *s, const char *const *names);

#endif
