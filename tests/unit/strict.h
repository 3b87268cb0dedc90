/* A strict reader of one JSON string, after RFC 8259, with Python's
 * surrogateescape: the bytes that went in. */
#ifndef STRICT_H
#define STRICT_H

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

/* The end of the string, NULL when it isn't one. */
static inline const char *strict_string(const char *p, const char *end,
    struct buf *out)
{
	unsigned u, low;
	char hex[5];
	int k;

	if (p == end || *p++ != '"')
		return NULL;
	while (p < end && *p != '"') {
		if (*p != '\\') {
			k = text_char(p, (size_t)(end - p), &u);
			if (k == 0 || u < 0x20)
				return NULL;
			buf_add(out, p, (size_t)k);
			p += k;
			continue;
		}
		if (end - p < 2)
			return NULL;
		if (p[1] != 'u') {
			static const char from[] = "\"\\/bfnrt";
			static const char to[] = "\"\\/\b\f\n\r\t";
			const char *at = memchr(from, p[1], 8);

			if (!at)
				return NULL;
			buf_addc(out, to[at - from]);
			p += 2;
			continue;
		}
		if (end - p < 6)
			return NULL;
		memcpy(hex, p + 2, 4);
		hex[4] = '\0';
		u = (unsigned)strtoul(hex, NULL, 16);
		p += 6;
		if (u >= 0xd800 && u < 0xdc00) {
			if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
				return NULL;
			memcpy(hex, p + 2, 4);
			low = (unsigned)strtoul(hex, NULL, 16);
			p += 6;
			u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
		}
		if (u >= 0xdc80 && u <= 0xdcff)
			buf_addc(out, (char)(u - 0xdc00));
		else if (u >= 0xd800 && u < 0xe000)
			return NULL;
		else
			text_add_char(out, u);
	}
	return p < end ? p + 1 : NULL;
}

#endif
