/* Memory: allocations that can't fail, a growing buffer, an arena.
 *
 * Out of memory dies (err.h). A struct buf is born empty by {0}; its bytes are
 * always followed by a NUL once it holds anything. An arena is thrown away
 * whole. */
#ifndef MEM_H
#define MEM_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);	/* checks n * size */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Overwrites n bytes so that no optimiser drops it: for secrets. */
void wipe(void *p, size_t n);

struct buf {
	char	*p;
	size_t	 n;	/* bytes used, without the NUL */
	size_t	 cap;
};

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap);
void buf_clear(struct buf *b);		/* empty, memory kept */
void buf_free(struct buf *b);		/* empty, memory given back */
char *buf_take(struct buf *b);		/* new: the text (never NULL), b empty */
const char *buf_str(const struct buf *b);	/* borrowed; "" when empty */

struct arena {
	struct arena_block	*head;
	size_t			 bytes;	/* handed out, for limits */
};

void *arena_alloc(struct arena *a, size_t n);	/* zeroed, aligned to 8 */
void *arena_bytes(struct arena *a, size_t n);	/* the same, not aligned */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);
void arena_free(struct arena *a);

#endif
