/* The cell renderer under libFuzzer: any bytes as a cell of any type, in every
 * spelling and format. Crashes on what a sanitizer sees, and on a byte that
 * must never leave. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *arg, const char *p, size_t n, struct err *err)
{
	(void)err;
	buf_add(arg, p, n);
	return 0;
}

static void must_be_plain(const char *s, size_t n, const char *also)
{
	unsigned c;
	int k;

	for (; n; s += k, n -= (size_t)k) {
		k = text_char(s, n, &c);
		if (k == 0 || (!text_is_plain(c) &&
		    !(c < 0x80 && strchr(also, (int)c))))
			abort();
	}
}

static void fit_all(const char *s, size_t n, int width)
{
	struct buf b = {0};

	for (int how = 0; how < 4; how++) {
		buf_clear(&b);
		text_fit(&b, s, n, width, how & 1 ? CUT_MIDDLE : CUT_END,
		    how & 2);
		if (text_width(buf_str(&b), b.n) != width)
			abort();
		must_be_plain(buf_str(&b), b.n, "");
	}
	buf_free(&b);
}

static void write_all(const struct column *column, struct cell c,
    enum format format, bool terminal)
{
	const struct how how = { .format = format, .terminal = terminal };
	struct buf b = {0};
	struct writer *w = writer_new(&how, column, 1, take, &b);

	writer_row(w, &c, NULL);
	writer_end(w, NULL);
	writer_free(w);
	if (format != FORMAT_CSV || terminal)
		must_be_plain(buf_str(&b), b.n,
		    format == FORMAT_TSV ? "\n\t" : "\n");
	buf_free(&b);
}

/* The first byte chooses type, terminal and width; the rest is the cell. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct column column = { .name = "a" };
	struct buf b = {0};
	struct cell c = { .tag = CELL_TEXT };

	if (size < 2)
		return 0;
	c.s = (const char *)data + 2;
	c.n = size - 2;
	column.type = (enum type)(data[0] % (TYPE_ANY + 1));
	column.flags = data[0] & 0x80 ? COLUMN_SPARK : 0;
	text_setup(data[1] & 0x80, data[1] & 0x40);
	text_harmless(&b, c.s, c.n);
	must_be_plain(buf_str(&b), b.n, "");
	fit_all(buf_str(&b), b.n, data[1] & 0x3f);
	buf_clear(&b);
	value_json_text(&b, c.s, c.n);
	must_be_plain(b.p, b.n, "");
	buf_free(&b);
	for (int f = FORMAT_TABLE; f <= FORMAT_TSV; f++)
		write_all(&column, c, (enum format)f, data[0] & 0x40);
	if (c.n >= 8) {
		memcpy(&c.d, c.s, sizeof c.d);
		c.tag = data[0] & 0x20 ? CELL_INT : CELL_REAL;
		for (int f = FORMAT_TABLE; f <= FORMAT_TSV; f++)
			write_all(&column, c, (enum format)f, false);
	}
	return 0;
}
