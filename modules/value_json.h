/* JSON text as cells of type list and object hold it: checked, written again
 * harmless, joined for people.
 *
 * Not jansson: the text must come out as it went in (all digits of a number,
 * the order and the repetition of keys), and may hold bytes that are not UTF-8
 * as \udcXX, which jansson refuses. */
#ifndef VALUE_JSON_H
#define VALUE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

enum json_text { JSON_TEXT_JSON, JSON_TEXT_YAML };

/* Appends the value without blanks between tokens. False, and nothing
 * appended, when s isn't JSON (RFC 8259) or nests deeper than 200. */
bool json_text_copy(struct buf *out, const char *s, size_t n,
    enum json_text how);
/* Appends a list's elements, or an object's name=value, joined by ", ",
 * harmless; another value as it is. False as above. */
bool json_text_join(struct buf *out, const char *s, size_t n);
/* The numbers of a list to v, at most max; all else in it is NaN. Returns how
 * many it has (which may be more than max), -1 when s is no list. */
long json_text_numbers(const char *s, size_t n, double *v, size_t max);
/* Appends a JSON number as YAML 1.1 takes it for one: 1e+20 is a text there,
 * 1.0e+20 is not. */
void json_text_yaml_number(struct buf *out, const char *s, size_t n);

#endif
