/* Drawing a curve. A cell is two dots wide and four high in braille, one dot
 * in ASCII. A dot column shows the range of the samples that fall in it, so
 * that a short spike is seen however much time a cell covers. */
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct dots {
	int		 cols, rows;	/* cells */
	int		 across, down;	/* dots a cell */
	uint8_t		*cell;		/* bits of braille; ASCII: 1 */
};

/* ---- axes ------------------------------------------------------------------- */

static double round_up(double v)
{
	double p = pow(10, floor(log10(v)));

	/* All of them are round by quarters too. */
	static const double steps[] = {1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (v <= steps[i] * p * 1.0000001)
			return steps[i] * p;
	}
	return 10 * p;
}

void plot_axis(double *lo, double *hi)
{
	double span = *hi - *lo, step;

	/* From zero, unless that would press the curve to the edge. */
	if (*lo >= 0 && *lo < 0.7 * *hi) {
		*lo = 0;
		*hi = round_up(*hi);
		return;
	}
	if (!(span > 0)) {
		span = fabs(*hi) > 0 ? fabs(*hi) * 0.1 : 1;
		*lo -= span / 2;
		*hi += span / 2;
	}
	step = round_up((*hi - *lo) / 4);
	*lo = floor(*lo / step) * step;
	*hi = ceil(*hi / step) * step;
}

static bool range_of(const struct series *s, double *lo, double *hi)
{
	bool any = false;

	for (size_t i = 0; i < s->n; i++) {
		double v = s->v[i].v;
		if (!isfinite(v) || s->v[i].t <= s->from || s->v[i].t > s->to)
			continue;
		*lo = any && *lo < v ? *lo : v;
		*hi = any && *hi > v ? *hi : v;
		any = true;
	}
	return any;
}

/* ---- dots ------------------------------------------------------------------- */

static void set_dot(struct dots *d, int x, int y)
{
	static const uint8_t bit[4][2] = {{0x01, 0x08}, {0x02, 0x10},
	    {0x04, 0x20}, {0x40, 0x80}};
	uint8_t *c;

	if (x < 0 || y < 0 || x >= d->cols * d->across ||
	    y >= d->rows * d->down)
		return;
	c = &d->cell[y / d->down * d->cols + x / d->across];
	*c |= d->across == 2 ? bit[y % 4][x % 2] : 1;
}

/* Samples further apart than this have a gap between them: four times what is
 * usual among them. */
static int64_t usual_gap(const struct series *s)
{
	int64_t sum = 0, least = INT64_MAX;

	for (size_t i = 1; i < s->n; i++) {
		int64_t gap = s->v[i].t - s->v[i - 1].t;
		sum += gap;
		if (gap < least)
			least = gap;
	}
	if (s->n < 2)
		return 0;
	sum /= (int64_t)s->n - 1;
	return 4 * (sum < 4 * least ? sum : 4 * least);
}

static int dot_x(const struct series *s, const struct dots *d, int64_t t)
{
	double span = (double)(s->to - s->from);
	int n = d->cols * d->across;
	int x = span > 0 ? (int)((double)(t - s->from) / span * n) : 0;

	return x >= n ? n - 1 : x;
}

static int dot_y(const struct dots *d, double v, double lo, double hi)
{
	int n = d->rows * d->down;

	return n - 1 - (int)lround((v - lo) / (hi - lo) * (n - 1));
}

/* A stroke between two samples, in whole dots. */
static void stroke(struct dots *d, int x0, int y0, int x1, int y1)
{
	int steps = abs(x1 - x0) > abs(y1 - y0) ? abs(x1 - x0) : abs(y1 - y0);

	for (int i = 0; i <= steps; i++)
		set_dot(d, steps ? x0 + (x1 - x0) * i / steps : x0,
		    steps ? y0 + (y1 - y0) * i / steps : y0);
}

static void put_curve(const struct series *s, struct dots *d, double lo,
    double hi)
{
	int64_t gap = usual_gap(s);
	const struct sample *last = NULL;

	for (size_t i = 0; i < s->n; i++) {
		const struct sample *v = &s->v[i];
		int x, y;
		if (!isfinite(v->v) || v->t <= s->from || v->t > s->to) {
			last = NULL;
			continue;
		}
		x = dot_x(s, d, v->t);
		y = dot_y(d, v->v, lo, hi);
		if (last && v->t - last->t <= gap)
			stroke(d, dot_x(s, d, last->t),
			    dot_y(d, last->v, lo, hi), x, y);
		else
			set_dot(d, x, y);
		last = v;
	}
}

static void put_cells(const struct dots *d, struct frame *f, int x, int y)
{
	for (int i = 0; i < d->cols * d->rows; i++) {
		struct buf b = {0};
		if (!d->cell[i])
			continue;
		if (d->across == 2)
			text_add_char(&b, 0x2800u + d->cell[i]);
		else
			buf_addc(&b, '*');
		frame_put(f, x + i % d->cols, y + i / d->cols, 1, LOOK_PLAIN,
		    buf_str(&b), b.n);
		buf_free(&b);
	}
}

/* ---- axes on the frame -------------------------------------------------------- */

static void value_text(struct buf *b, const struct series *s, double v,
    double step)
{
	/* Decimals only where the axis needs them. */
	if (s->type == TYPE_SIZE || s->type == TYPE_DURATION ||
	    fabs(v) >= 1000)
		value_show(b, s->type, 0, SPELL_SHORT,
		    (struct cell){.tag = CELL_REAL, .d = v});
	else
		buf_addf(b, "%.*f", step >= 1 ? 0 : step >= 0.1 ? 1 : 2, v);
}

static int axis_width(const struct series *s, double lo, double hi)
{
	int width = 0;

	for (int i = 0; i <= 4; i++) {
		struct buf b = {0};
		int w;
		value_text(&b, s, lo + (hi - lo) * i / 4, (hi - lo) / 4);
		w = text_width(buf_str(&b), b.n);
		width = w > width ? w : width;
		buf_free(&b);
	}
	return width;
}

/* As many values as have a line each, at most five. */
static void put_values(const struct series *s, struct frame *f, int y,
    int rows, int width, double lo, double hi)
{
	int steps = rows >= 9 ? 4 : rows >= 5 ? 2 : 1;

	for (int i = 0; i <= steps; i++) {
		struct buf b = {0}, fit = {0};
		int at = y + (rows - 1) - (rows - 1) * i / steps;
		value_text(&b, s, lo + (hi - lo) * i / steps,
		    (hi - lo) / steps);
		text_fit(&fit, buf_str(&b), b.n, width, CUT_END, true);
		frame_puts(f, 1, at, LOOK_OLD, buf_str(&fit));
		buf_free(&b);
		buf_free(&fit);
	}
}

static void put_times(const struct series *s, struct frame *f, int x, int y,
    int cols)
{
	int step = 20, last = 0;

	for (int i = 0; i < cols; i += step) {
		struct buf b = {0};
		int64_t t = s->from + (s->to - s->from) * i / cols;
		value_show(&b, TYPE_TIME, 0, SPELL_SHORT,
		    (struct cell){.tag = CELL_INT, .i = t});
		if (i + text_width(buf_str(&b), b.n) <= cols && i >= last) {
			last = i + text_width(buf_str(&b), b.n) + 2;
			frame_puts(f, x + i, y, LOOK_OLD, buf_str(&b));
		}
		buf_free(&b);
	}
}

/* Last, least and greatest, in words: a curve alone is hard to read off. */
static void put_summary(const struct series *s, struct frame *f, int y,
    double lo, double hi)
{
	struct buf b = {0};
	double last = NAN;
	int x;

	for (size_t i = 0; i < s->n; i++)
		if (isfinite(s->v[i].v))
			last = s->v[i].v;
	x = frame_puts(f, 3, y, LOOK_HEAD, s->title);
	buf_adds(&b, "   last ");
	value_show(&b, s->type, 0, SPELL_SHORT, (struct cell){
	    .tag = CELL_REAL, .d = last});
	buf_adds(&b, "   min ");
	value_show(&b, s->type, 0, SPELL_SHORT, (struct cell){
	    .tag = CELL_REAL, .d = lo});
	buf_adds(&b, "   max ");
	value_show(&b, s->type, 0, SPELL_SHORT, (struct cell){
	    .tag = CELL_REAL, .d = hi});
	frame_puts(f, x, y, LOOK_PLAIN, buf_str(&b));
	buf_free(&b);
}

void plot_draw(const struct series *s, struct frame *f, int y, int rows)
{
	bool ascii = text_ascii();
	struct dots d = {.across = ascii ? 1 : 2, .down = ascii ? 1 : 4};
	double lo = 0, hi = 0;
	int width, left;

	if (!range_of(s, &lo, &hi)) {
		pager_wrap(f, y + 1, rows - 1, LOOK_PLAIN,
		    "No values in that time: unknown.");
		return;
	}
	put_summary(s, f, y, lo, hi);
	plot_axis(&lo, &hi);
	width = axis_width(s, lo, hi);
	left = width + 2;
	d.cols = f->cols - left - 1 > 0 ? f->cols - left - 1 : 1;
	d.rows = rows - 3 > 0 ? rows - 3 : 1;
	d.cell = xcalloc((size_t)d.cols * (size_t)d.rows, 1);
	put_curve(s, &d, lo, hi);
	put_values(s, f, y + 1, d.rows, width, lo, hi);
	put_cells(&d, f, left, y + 1);
	put_times(s, f, left, y + 1 + d.rows, d.cols);
	free(d.cell);
}
