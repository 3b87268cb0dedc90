/* Memory: allocations that can't fail, a growing buffer, an arena. */
#include "mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

static void *or_die(void *p, size_t n)
{
	if (!p)
		die("out of memory: %zu bytes could not be had", n);
	return p;
}

/* What malloc(0) gives is up to the library; one byte is not. */
void *xmalloc(size_t n)
{
	return or_die(malloc(n ? n : 1), n);
}

void *xcalloc(size_t n, size_t size)
{
	return or_die(n && size ? calloc(n, size) : calloc(1, 1), n * size);
}

void *xrealloc(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		die("out of memory: %zu times %zu bytes is more than there can "
		    "be", n, size);
	return or_die(realloc(p, bytes ? bytes : 1), bytes);
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
	char *p;

	n = strnlen(s, n);
	p = xmalloc(n + 1);
	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	return buf_take(&b);
}

void wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

static void buf_reserve(struct buf *b, size_t more)
{
	size_t need, cap = b->cap ? b->cap : 64;

	if (__builtin_add_overflow(b->n, more, &need) || need > SIZE_MAX / 4)
		die("out of memory: a text grew over %zu bytes", b->n);
	if (need < b->cap)
		return;
	while (cap <= need)
		cap *= 2;
	b->p = xrealloc(b->p, cap, 1);
	b->cap = cap;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	buf_reserve(b, n);
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_reserve(b, 1);
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		BUG("the format \"%s\" can't be written", fmt);
	buf_reserve(b, (size_t)n);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
	va_end(again);
	b->n += (size_t)n;
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	if (b->p)
		b->p[0] = '\0';
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

char *buf_take(struct buf *b)
{
	char *p = b->p ? b->p : xcalloc(1, 1);

	*b = (struct buf){0};
	return p;
}

const char *buf_str(const struct buf *b)
{
	return b->n ? b->p : "";
}

/* Blocks double up to a bound, so that a small arena stays small and a big one
 * asks the allocator rarely. A text bigger than a block gets one of its own,
 * behind the head, so that the head's rest is not lost. */
struct arena_block {
	struct arena_block	*next;
	size_t			 used, size;
	char			 bytes[];
};
#define BLOCK_MIN ((size_t)4 << 10)
#define BLOCK_MAX ((size_t)1 << 20)

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b = xcalloc(1, sizeof *b + size);

	b->size = size;
	return b;
}

static void *arena_take(struct arena *a, size_t n, size_t align)
{
	struct arena_block *b = a->head;
	size_t at = 0, size;
	void *p;

	if (n > SIZE_MAX / 4)
		die("out of memory: %zu bytes could not be had", n);
	if (b)
		at = (b->used + align - 1) & ~(align - 1);
	if (!b || at > b->size || n > b->size - at) {
		at = 0;
		size = b ? b->size * 2 : BLOCK_MIN;
		if (size > BLOCK_MAX)
			size = BLOCK_MAX;
		if (n > size / 4 && b) {
			b = block_new(n);
			b->next = a->head->next;
			a->head->next = b;
		} else {
			b = block_new(n > size ? n : size);
			b->next = a->head;
			a->head = b;
		}
	}
	p = b->bytes + at;
	b->used = at + n;
	a->bytes += n;
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	return arena_take(a, n, 8);
}

void *arena_bytes(struct arena *a, size_t n)
{
	return arena_take(a, n, 1);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p;

	n = strnlen(s, n);
	p = arena_take(a, n + 1, 1);
	memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

void arena_free(struct arena *a)
{
	struct arena_block *b, *next;

	for (b = a->head; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct arena){0};
}
