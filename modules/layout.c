/* The table's own parts: which columns stand there, how wide, one row as text.
 * The screen draws with the same functions, so both show the same cells. */
#include "format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "value_json.h"

struct layout_column {
	int	decimals;
	int	fraction;	/* cells it would take with one decimal */
	bool	numbers, texts;	/* seen in a column of TYPE_ANY */
};

#define GUTTER "   "
#define SPARK_MAX 512

static void show_spark(struct buf *out, const struct column *c,
    enum spelling spelling, struct cell cell)
{
	double v[SPARK_MAX];
	long n = json_text_numbers(cell.s, cell.n, v, SPARK_MAX);

	if (n < 0 || n > SPARK_MAX)
		value_show(out, c->type, 0, spelling, cell);
	else
		text_spark(out, v, (size_t)n);
}

void column_show(struct buf *out, const struct column *c, int decimals,
    enum spelling spelling, struct cell cell)
{
	if (c->flags & COLUMN_SPARK && cell.tag == CELL_TEXT)
		show_spark(out, c, spelling, cell);
	else
		value_show(out, c->type, decimals, spelling, cell);
}

static bool is_shown(const struct column *c, const struct how *how)
{
	if (how->bare)
		return true;
	if (!strcmp(c->name, "status"))
		return false;
	if (!strcmp(c->name, "context"))
		return how->context;
	return how->format == FORMAT_WIDE || !(c->flags & COLUMN_WIDE);
}

static void add_title(struct buf *out, const struct column *c)
{
	const char *title = c->title ? c->title : c->name;

	text_harmless(out, title, strlen(title));
}

static int column_index(const struct layout *l, const char *name)
{
	for (size_t i = 0; i < l->ncolumns; i++)
		if (!strcmp(l->columns[i].name, name))
			return (int)i;
	return -1;
}

void layout_init(struct layout *l, const struct column *columns,
    size_t ncolumns, const struct how *how)
{
	struct buf b = {0};

	*l = (struct layout){
		.columns = columns,
		.ncolumns = ncolumns,
		.wide = how->format == FORMAT_WIDE,
		.status = -1,
	};
	l->width = xcalloc(ncolumns, sizeof *l->width);
	l->seen = xcalloc(ncolumns, sizeof *l->seen);
	for (size_t i = 0; i < ncolumns; i++) {
		buf_clear(&b);
		add_title(&b, columns + i);
		l->width[i] = is_shown(columns + i, how) ?
		    text_width(buf_str(&b), b.n) : -1;
		l->seen[i].decimals = columns[i].decimals;
	}
	if (!how->bare) {
		l->status = column_index(l, "status");
		if (l->status < 0)
			l->status = column_index(l, "severity");
	}
	buf_free(&b);
}

void layout_release(struct layout *l)
{
	free(l->width);
	free(l->seen);
	*l = (struct layout){0};
}

/* Whether the literal left the decimals of this column to its values. */
static bool is_free(const struct layout *l, size_t i)
{
	enum type type = l->columns[i].type;

	return !l->wide && l->columns[i].decimals <= 0 &&
	    (type == TYPE_NUMBER || type == TYPE_LATENCY);
}

/* A whole number may need room for a decimal when another has one. From
 * 100,000 on there is a decimal already. */
static void measure_number(struct layout *l, size_t i, struct cell cell,
    int width)
{
	struct layout_column *seen = l->seen + i;
	double v = cell_number(cell);

	if (fabs(v) >= 99999.5)
		return;
	if (v == trunc(v)) {
		if (seen->decimals == 0 && width + 2 > seen->fraction)
			seen->fraction = width + 2;
	} else if (seen->decimals == 0) {
		seen->decimals = 1;
		if (seen->fraction > l->width[i])
			l->width[i] = seen->fraction;
	}
}

static void measure_cell(struct layout *l, size_t i, struct cell cell,
    struct buf *b)
{
	int width;

	buf_clear(b);
	column_show(b, l->columns + i, l->seen[i].decimals,
	    l->wide ? SPELL_WIDE : SPELL_SHORT, cell);
	width = text_width(buf_str(b), b->n);
	if (width > l->width[i])
		l->width[i] = width;
	if (cell.tag == CELL_TEXT)
		l->seen[i].texts = true;
	else if (cell.tag != CELL_NULL)
		l->seen[i].numbers = true;
	if ((cell.tag == CELL_INT || cell.tag == CELL_REAL) &&
	    is_free(l, i) && isfinite(cell_number(cell)))
		measure_number(l, i, cell, width);
}

void layout_measure(struct layout *l, const struct cell *cells)
{
	struct buf b = {0};

	for (size_t i = 0; i < l->ncolumns; i++)
		if (l->width[i] >= 0)
			measure_cell(l, i, cells[i], &b);
	buf_free(&b);
}

static char state_mark(struct cell status)
{
	static const struct {
		const char	*word;
		char		 mark;
	} marks[] = { { "bad", 'x' }, { "doubtful", '!' }, { "old", '~' } };

	if (status.tag != CELL_TEXT)
		return ' ';
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (strlen(marks[i].word) == status.n &&
		    !memcmp(marks[i].word, status.s, status.n))
			return marks[i].mark;
	return ' ';
}

void layout_gutter(const struct layout *l, struct buf *out, bool marked,
    const struct cell *cells)
{
	buf_addc(out, marked ? '*' : ' ');
	buf_addc(out, l->status < 0 ? ' ' : state_mark(cells[l->status]));
	buf_addc(out, ' ');
}

void layout_cell(const struct layout *l, struct buf *out, size_t column,
    const struct cell *cells)
{
	column_show(out, l->columns + column, l->seen[column].decimals,
	    l->wide ? SPELL_WIDE : SPELL_SHORT, cells[column]);
}

static bool is_right(const struct layout *l, size_t i)
{
	if (l->columns[i].type == TYPE_ANY)
		return l->seen[i].numbers && !l->seen[i].texts;
	return type_is_right(l->columns[i].type);
}

/* Text b in column i: never cut, a wider one pushes what follows. */
static void add_padded(const struct layout *l, struct buf *out, size_t i,
    const struct buf *b)
{
	int fill = l->width[i] - text_width(buf_str(b), b->n);

	if (is_right(l, i))
		buf_addf(out, "%*s", fill > 0 ? fill : 0, "");
	buf_add(out, buf_str(b), b->n);
	if (!is_right(l, i))
		buf_addf(out, "%*s", fill > 0 ? fill : 0, "");
}

/* cells NULL: the heads. */
static void add_columns(const struct layout *l, struct buf *out,
    const struct cell *cells)
{
	struct buf b = {0};
	const char *between = "";

	for (size_t i = 0; i < l->ncolumns; i++) {
		if (l->width[i] < 0)
			continue;
		buf_clear(&b);
		if (cells)
			layout_cell(l, &b, i, cells);
		else
			add_title(&b, l->columns + i);
		buf_adds(out, between);
		add_padded(l, out, i, &b);
		between = "  ";
	}
	buf_free(&b);
	while (out->n && out->p[out->n - 1] == ' ')
		out->p[--out->n] = '\0';
}

void layout_head(const struct layout *l, struct buf *out)
{
	buf_adds(out, GUTTER);
	add_columns(l, out, NULL);
}

void layout_row(const struct layout *l, struct buf *out, bool marked,
    const struct cell *cells)
{
	layout_gutter(l, out, marked, cells);
	add_columns(l, out, cells);
}
