/* JSON read once, from left to right, without a tree: for the two answers of
 * Envoy that come at every poll (a tree of 500 endpoints costs 6.5 ms and six
 * times the text in memory). Everything else uses jansson.
 *
 *	struct pull p;
 *	struct span key;
 *	pull_init(&p, text, n);
 *	pull_map(&p);
 *	while (pull_key(&p, &key))
 *		if (span_is(key, "port"))
 *			pull_uint(&p, &port);
 *		else
 *			pull_skip(&p);
 *	return pull_end(&p, err);
 *
 * Each key and each item is followed by exactly one reading call. After the
 * first failure every call returns false and changes nothing, so loops end and
 * only pull_end() has to be looked at. Strings are decoded in place: the text
 * is changed, and spans point into it. */
#ifndef JSON_PULL_H
#define JSON_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "err.h"

/* Text of a known length, not NUL-terminated, borrowed. */
struct span {
	const char	*s;
	size_t		 n;
};
#define span_is(a, literal) ((a).n == sizeof(literal) - 1 && \
    memcmp((a).s, literal, sizeof(literal) - 1) == 0)
int span_cmp(struct span a, struct span b);	/* by bytes */

enum pull_type { PULL_BAD, PULL_NULL, PULL_BOOL, PULL_NUMBER, PULL_STRING,
    PULL_LIST, PULL_MAP };

struct pull {
	char		*start, *p, *end;
	bool		 fresh;		/* nothing was read in this map or list */
	struct span	 key;		/* the last one, for messages */
	bool		 failed;
	char		 why[160];
};

void pull_init(struct pull *p, char *text, size_t n);
/* What comes next, not read. */
enum pull_type pull_peek(struct pull *p);
bool pull_map(struct pull *p);
bool pull_key(struct pull *p, struct span *key);	/* false: the map ends */
bool pull_list(struct pull *p);
bool pull_item(struct pull *p);			/* false: the list ends */
bool pull_text(struct pull *p, struct span *out);
bool pull_bool(struct pull *p, bool *out);
/* A whole number, also as a string, as 3e+05, and over 2^63; what is over
 * 2^64 - 1 becomes that. */
bool pull_uint(struct pull *p, uint64_t *out);
bool pull_real(struct pull *p, double *out);
bool pull_skip(struct pull *p);
/* The caller found something wrong; the text is completed with the place. */
void pull_fail(struct pull *p, const char *why);
/* 0 when all was read and nothing follows, else -1 with ERR_DATA: the caller
 * prefixes what was read. */
int pull_end(struct pull *p, struct err *err);

#endif
