/* The grid that everything is drawn into. It measures with text.h alone, so
 * that what a frame says about columns is what the rest of kiban says. */
#include "frame.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

static const struct tile blank = {
	.s = " ", .n = 1, .wide = 1, .look = LOOK_PLAIN, .ascii = true,
};

void frame_clear(struct frame *f)
{
	for (size_t i = 0; i < (size_t)f->cols * (size_t)f->rows; i++)
		f->tiles[i] = blank;
	f->x = -1;
	f->y = 0;
}

void frame_resize(struct frame *f, int cols, int rows)
{
	f->cols = cols > 0 ? cols : 0;
	f->rows = rows > 0 ? rows : 0;
	f->tiles = xrealloc(f->tiles, (size_t)f->cols * (size_t)f->rows + 1,
	    sizeof(*f->tiles));
	frame_clear(f);
}

void frame_release(struct frame *f)
{
	free(f->tiles);
	*f = (struct frame){0};
}

struct tile *frame_at(const struct frame *f, int x, int y)
{
	if (x < 0 || y < 0 || x >= f->cols || y >= f->rows)
		return NULL;
	return &f->tiles[(size_t)y * (size_t)f->cols + (size_t)x];
}

/* Half of a wide cluster that something else was put over is a blank. */
static void cut_half(struct frame *f, int x, int y)
{
	struct tile *t = frame_at(f, x, y), *left = frame_at(f, x - 1, y),
	    *right = frame_at(f, x + 1, y);

	if (!t->wide && left && left->wide == 2) {
		uint8_t look = left->look;
		*left = blank;
		left->look = look;
	}
	if (t->wide == 2 && right && !right->wide) {
		uint8_t look = right->look;
		*right = blank;
		right->look = look;
	}
}

/* The bytes of a cluster that a tile can hold, in whole characters: of a tower
 * of combining marks the lowest. */
static size_t tile_bytes(const char *s, size_t n)
{
	size_t at = 0;
	unsigned c;

	while (at < n) {
		size_t len = (size_t)text_char(s + at, n - at, &c);
		if (!len || at + len > TILE_BYTES)
			break;
		at += len;
	}
	return at;
}

static void put_cluster(struct frame *f, int x, int y, unsigned look,
    const char *s, size_t n, int wide)
{
	struct tile *t = frame_at(f, x, y);

	cut_half(f, x, y);
	if (wide == 2)
		cut_half(f, x + 1, y);
	n = tile_bytes(s, n);
	*t = (struct tile){
		.n = (uint8_t)n, .wide = (uint8_t)wide, .look = (uint8_t)look,
		.ascii = n == 1,
	};
	memcpy(t->s, s, n);
	if (wide == 2)
		t[1] = (struct tile){.look = (uint8_t)look};
}

static bool is_plain(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return true;
}

/* One cluster at s that fits in room cells; 0: none does. */
static size_t next_cluster(const char *s, size_t n, int room, int *wide)
{
	size_t len = text_fits(s, n, 1, wide);

	if (!len && room > 1)
		len = text_fits(s, n, 2, wide);
	return len;
}

static int put_harmless(struct frame *f, int x, int y, int end, unsigned look,
    const char *s, size_t n)
{
	while (n && x < end) {
		int wide = 1;
		size_t len;
		/* The next byte decides whether a mark follows this one. */
		if (s[0] >= 0x20 && s[0] < 0x7f &&
		    (n == 1 || (s[1] >= 0x20 && s[1] < 0x7f)))
			len = 1;
		else
			len = next_cluster(s, n, end - x, &wide);
		if (!len)
			break;
		/* Marks with no letter before them take no cell: left out. */
		if (wide)
			put_cluster(f, x, y, look, s, len, wide);
		x += wide;
		s += len;
		n -= len;
	}
	return x;
}

int frame_put(struct frame *f, int x, int y, int width, unsigned look,
    const char *s, size_t n)
{
	int end = width > f->cols - x ? f->cols : x + width;
	struct buf b = {0};

	if (x < 0 || y < 0 || y >= f->rows || x >= end)
		return x;
	if (is_plain(s, n))
		return put_harmless(f, x, y, end, look, s, n);
	text_harmless(&b, s, n);
	x = put_harmless(f, x, y, end, look, buf_str(&b), b.n);
	buf_free(&b);
	return x;
}

int frame_puts(struct frame *f, int x, int y, unsigned look, const char *s)
{
	return frame_put(f, x, y, f->cols - x, look, s, strlen(s));
}

void frame_mark(struct frame *f, int x, int y, int width, unsigned flag)
{
	int end = width < 0 || width > f->cols - x ? f->cols : x + width;
	struct tile *t;

	for (; x < end; x++)
		if ((t = frame_at(f, x, y)))
			t->look |= (uint8_t)flag;
}

bool tile_same(const struct tile *a, const struct tile *b)
{
	return a->n == b->n && a->wide == b->wide && a->look == b->look &&
	    !memcmp(a->s, b->s, a->n);
}

void frame_dump(const struct frame *f, struct buf *out)
{
	for (int y = 0; y < f->rows; y++) {
		const struct tile *row = frame_at(f, 0, y);
		int end = f->cols;
		while (end && row[end - 1].ascii && row[end - 1].s[0] == ' ')
			end--;
		for (int x = 0; x < end; x++)
			buf_add(out, row[x].s, row[x].n);
		buf_addc(out, '\n');
	}
}
