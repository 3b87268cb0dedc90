/* Functions in SQL over series: what a metric did in a window of time. */
#include "cache_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How far before a window its first sample may lie, at the least. */
#define NEAR_MS		15000
/* Rollups stand up to a quarter apart. */
#define FAR_MS		(2 * INT64_C(900000))

struct window {
	struct series	 s;
	const struct field *field;
	size_t		 column;
	int64_t		 from, to;	/* samples of (from, to] */
	struct samples	 samples;	/* one at or before from stands first */
};

/* ---- windows ------------------------------------------------------------ */

static int64_t gap_of(const struct window *w, enum res res)
{
	int64_t every = w->s.t->kind->every * 3;
	int64_t wide = res_rules[res].width * 2;
	int64_t most = every > NEAR_MS ? every : NEAR_MS;

	return wide > most ? wide : most;
}

static void fail(sqlite3_context *x, const char *fmt, const char *what)
{
	char *text = xasprintf(fmt, what);

	sqlite3_result_error(x, text, -1);
	free(text);
}

static bool metric_exists(const struct cache *c, const char *field)
{
	for (struct table **t = c->tables; *t; t++)
		if (series_column(*t, field) >= 0)
			return true;
	return false;
}

/* SERIES and FIELD of a call. A list may stand over several kinds: one that
 * lacks the metric gives NULL, a name that none has is an error. 0, or -1 with
 * NULL or an error as its result. */
static int window_series(sqlite3_context *x, sqlite3_value **v,
    struct window *w)
{
	struct cache *c = sqlite3_user_data(x);
	const char *field = (const char *)sqlite3_value_text(v[1]);
	int column;

	*w = (struct window){0};
	sqlite3_result_null(x);
	if (sqlite3_value_type(v[0]) == SQLITE_NULL || !field ||
	    series_find(c, sqlite3_value_int64(v[0]), &w->s) < 0)
		return -1;
	column = series_column(w->s.t, field);
	if (column < 0) {
		if (!metric_exists(c, field))
			fail(x, "no metric \"%s\" in any kind", field);
		return -1;
	}
	w->column = (size_t)column;
	w->field = w->s.t->fields[table_stored(w->s.t) + w->column];
	return 0;
}

static void window_drop(struct window *w, size_t n)
{
	if (n == 0)
		return;
	memmove(w->samples.v, w->samples.v + n,
	    (w->samples.n - n) * sizeof(*w->samples.v));
	w->samples.n -= n;
}

/* Leaves one sample at or before `from`, near enough to tell of the window. */
static void window_cut(struct window *w)
{
	struct samples *s = &w->samples;
	size_t i, base;
	int64_t gap;

	for (i = 0; i < s->n && s->v[i].t <= w->from; i++)
		;
	base = i > 0 ? i - 1 : 0;
	if (i > 0 && i < s->n) {
		gap = gap_of(w, s->v[base].res);
		if (gap < 2 * (w->to - w->from))
			gap = 2 * (w->to - w->from);
		if (s->v[i].t - s->v[base].t > gap)
			base = i;
	}
	if (i == s->n)
		base = i;
	window_drop(w, base);
}

/* The samples over (to - span, to], and the one that they grew from. In the
 * past rollups stand further apart than a short window is long: then it ends
 * at the last of them. */
static void window_read(struct cache *c, struct window *w, int64_t span,
    int64_t to)
{
	int64_t near = gap_of(w, RES_RAW);
	struct samples *s = &w->samples;
	struct sample_at *last;

	w->from = to - span;
	w->to = to;
	series_read(c, &w->s, w->column, w->from - near, to, s);
	window_cut(w);
	if (s->n >= 2 && s->v[0].t <= w->from)
		return;
	samples_release(s);
	series_read(c, &w->s, w->column, w->from - FAR_MS, to, s);
	last = s->n ? &s->v[s->n - 1] : NULL;
	if (last && last->t <= w->from && last->res != RES_RAW &&
	    to - last->t <= gap_of(w, last->res)) {
		w->to = last->t;
		w->from = last->t - span;
	}
	window_cut(w);
}

/* SECONDS [, AGO] to the window's samples. */
static void window_arguments(struct cache *c, struct window *w, int n,
    sqlite3_value **v)
{
	double span = n > 0 ? sqlite3_value_double(v[0]) : 0;
	double ago = n > 1 ? sqlite3_value_double(v[1]) : 0;

	/* A hundred years; also what makes no sense. */
	if (!(span >= 0 && span < 3e9))
		span = 0;
	if (!(ago >= 0 && ago < 3e9))
		ago = 0;
	window_read(c, w, (int64_t)(span * 1000),
	    cache_at(c) - (int64_t)(ago * 1000));
}

/* ---- counters and gauges ------------------------------------------------ */

struct growth {
	double	 sum;
	int64_t	 covered;	/* ms */
	size_t	 n;		/* samples with a value */
};

/* Of a counter: what it grew by between samples next to each other. Where it
 * fell, or the row wasn't there, nothing is known, and that time isn't
 * covered either. */
static struct growth grown(const struct window *w)
{
	const struct samples *s = &w->samples;
	struct growth g = {0};
	double first = 0;
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (isnan(s->v[i].v.d))
			continue;
		if (g.n++ == 0)
			first = s->v[i].v.d;
		if (!(w->field->flags & FIELD_COUNTER))
			g.sum = s->v[i].v.d - first;
		if (i == 0 || isnan(s->v[i - 1].v.d))
			continue;
		if (!(w->field->flags & FIELD_COUNTER)) {
			g.covered += s->v[i].t - s->v[i - 1].t;
		} else if (s->v[i].v.d >= s->v[i - 1].v.d) {
			g.sum += s->v[i].v.d - s->v[i - 1].v.d;
			g.covered += s->v[i].t - s->v[i - 1].t;
		}
	}
	return g;
}

static void result_number(sqlite3_context *x, double d)
{
	if (isnan(d))
		sqlite3_result_null(x);
	else if (fabs(d) < 9007199254740992.0 && d == (double)(int64_t)d)
		sqlite3_result_int64(x, (int64_t)d);
	else
		sqlite3_result_double(x, d);
}

static void change_function(sqlite3_context *x, int n, sqlite3_value **v,
    bool per_second)
{
	struct cache *c = sqlite3_user_data(x);
	struct growth g;
	struct window w;

	if (n < 3 || n > 4) {
		fail(x, "%s takes SERIES, FIELD, SECONDS and AGO",
		    per_second ? "rate()" : "delta()");
		return;
	}
	if (window_series(x, v, &w) < 0)
		return;
	if (w.field->flags & FIELD_BINS) {
		fail(x, "\"%s\" is a histogram: bins()", w.field->name);
		return;
	}
	window_arguments(c, &w, n - 2, v + 2);
	g = grown(&w);
	if (g.n >= 2 && !per_second && g.covered > 0)
		result_number(x, g.sum);
	else if (g.n >= 2 && g.covered > 0)
		sqlite3_result_double(x, g.sum * 1000 / (double)g.covered);
	samples_release(&w.samples);
}

static void delta_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	change_function(x, n, v, false);
}

static void rate_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	change_function(x, n, v, true);
}

/* last(SERIES, FIELD): the last sample at or before at(). */
static void last_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	struct cache *c = sqlite3_user_data(x);
	struct samples *s;
	struct window w;

	(void)n;
	if (window_series(x, v, &w) < 0 || w.field->flags & FIELD_BINS)
		return;
	s = &w.samples;
	series_read(c, &w.s, w.column, cache_at(c) - gap_of(&w, RES_RAW),
	    cache_at(c), s);
	if (s->n == 0)
		series_read(c, &w.s, w.column, cache_at(c) - FAR_MS,
		    cache_at(c), s);
	if (s->n > 0)
		result_number(x, s->v[s->n - 1].v.d);
	samples_release(s);
}

static bool there(const struct window *w, const struct sample_at *s)
{
	return w->column < w->s.t->nmetrics ? !isnan(s->v.d) : s->v.h != NULL;
}

/* span(SERIES, SECONDS) */
static void span_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	struct cache *c = sqlite3_user_data(x);
	double seconds = sqlite3_value_double(v[1]);
	int64_t first = 0, last = 0, longest = 0, to = cache_at(c);
	struct window w = {0};
	size_t i;

	(void)n;
	sqlite3_result_int(x, 0);
	if (series_find(c, sqlite3_value_int64(v[0]), &w.s) < 0 ||
	    !(seconds > 0 && seconds < 3e9))
		return;
	for (w.column = 0; w.column < table_columns(w.s.t); w.column++) {
		series_read(c, &w.s, w.column,
		    to - (int64_t)(seconds * 1000) + 1, to, &w.samples);
		first = last = 0;
		for (i = 0; i < w.samples.n; i++) {
			if (!there(&w, &w.samples.v[i]))
				continue;
			first = first ? first : w.samples.v[i].t;
			last = w.samples.v[i].t;
		}
		samples_release(&w.samples);
		longest = last - first > longest ? last - first : longest;
	}
	sqlite3_result_double(x, (double)longest / 1000);
}

/* ---- histograms --------------------------------------------------------- */

static uint64_t hist_total(const struct hist *h)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < h->n; i++)
		n += h->v[i].count;
	return n;
}

/* Adds h's counts, times sign, to sum: both by bound. */
static void hist_add(struct hist *sum, const struct hist *h, int sign)
{
	struct bin *v = xcalloc(sum->n + h->n + 1, sizeof(*v));
	size_t i = 0, j = 0, n = 0;

	while (i < sum->n || j < h->n) {
		if (j == h->n || (i < sum->n &&
		    sum->v[i].lower < h->v[j].lower)) {
			v[n++] = sum->v[i++];
			continue;
		}
		if (i < sum->n && sum->v[i].lower == h->v[j].lower)
			v[n] = sum->v[i++];
		else
			v[n] = (struct bin){ .lower = h->v[j].lower };
		/* Wraps and wraps back: what is taken off was put on. */
		v[n++].count += sign < 0 ? -h->v[j].count : h->v[j].count;
		j++;
	}
	free(sum->v);
	sum->v = v;
	sum->n = n;
}

static bool hist_fell(const struct hist *before, const struct hist *now)
{
	size_t i, j = 0;

	for (i = 0; i < before->n; i++) {
		while (j < now->n && now->v[j].lower < before->v[i].lower)
			j++;
		if (before->v[i].count > (j < now->n &&
		    now->v[j].lower == before->v[i].lower ?
		    now->v[j].count : 0))
			return true;
	}
	return false;
}

/* bins(SERIES, FIELD, SECONDS [, AGO]) */
static void bins_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	struct cache *c = sqlite3_user_data(x);
	const struct hist *a, *b;
	struct hist sum = {0};
	struct buf out = {0};
	struct window w;
	size_t i, m, pairs = 0;

	if (n < 3 || n > 4) {
		fail(x, "%s takes SERIES, FIELD, SECONDS and AGO", "bins()");
		return;
	}
	if (window_series(x, v, &w) < 0)
		return;
	if (!(w.field->flags & FIELD_BINS)) {
		fail(x, "\"%s\" is no histogram", w.field->name);
		return;
	}
	window_arguments(c, &w, n - 2, v + 2);
	for (i = 1; i < w.samples.n; i++) {
		a = w.samples.v[i - 1].v.h;
		b = w.samples.v[i].v.h;
		if (!a || !b || hist_fell(a, b))
			continue;
		pairs++;
		if (a == b)
			continue;
		hist_add(&sum, b, 1);
		hist_add(&sum, a, -1);
	}
	for (i = m = 0; i < sum.n; i++)
		if (sum.v[i].count)
			sum.v[m++] = sum.v[i];
	sum.n = m;
	hist_bytes(&out, &sum);
	if (pairs > 0)
		sqlite3_result_blob(x, buf_str(&out), (int)out.n,
		    SQLITE_TRANSIENT);
	buf_free(&out);
	free(sum.v);
	samples_release(&w.samples);
}

/* A blob of bins(); NULL and what is none have no bins. */
static struct hist hist_of(sqlite3_value *v)
{
	struct hist h = {0};

	if (sqlite3_value_type(v) != SQLITE_BLOB)
		return h;
	h.n = (size_t)sqlite3_value_bytes(v) / sizeof(*h.v);
	h.v = xcalloc(h.n + 1, sizeof(*h.v));
	if (h.n)
		memcpy(h.v, sqlite3_value_blob(v), h.n * sizeof(*h.v));
	return h;
}

static void samples_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	struct hist h;

	(void)n;
	if (sqlite3_value_type(v[0]) == SQLITE_NULL)
		return;
	h = hist_of(v[0]);
	sqlite3_result_int64(x, (int64_t)hist_total(&h));
	free(h.v);
}

struct sum {
	struct hist	h;
	double		p;
};

static void quantile_step(sqlite3_context *x, int n, sqlite3_value **v)
{
	struct sum *s = sqlite3_aggregate_context(x, sizeof(*s));
	struct hist h = hist_of(v[1]);

	(void)n;
	if (s) {
		s->p = sqlite3_value_double(v[0]);
		hist_add(&s->h, &h, 1);
	}
	free(h.v);
}

/* Bins have two significant digits (Envoy's circllhist): a tenth of their
 * power of ten wide. */
static double bin_width(double lower)
{
	double width;

	if (lower == 0)
		return 0;
	width = pow(10, floor(log10(fabs(lower)) + 1e-9) - 1);
	return width;
}

static double quantile_of(const struct hist *h, double p)
{
	double rank = p * (double)hist_total(h), below = 0, width, part;
	size_t i, last = 0;

	for (i = 0; i < h->n; i++) {
		if (h->v[i].count == 0)
			continue;
		last = i;
		if (below + (double)h->v[i].count >= rank)
			break;
		below += (double)h->v[i].count;
	}
	width = bin_width(h->v[last].lower);
	if (last + 1 < h->n && h->v[last + 1].lower - h->v[last].lower < width)
		width = h->v[last + 1].lower - h->v[last].lower;
	part = (rank - below) / (double)h->v[last].count;
	return h->v[last].lower + width * fmin(fmax(part, 0), 1);
}

static void quantile_final(sqlite3_context *x)
{
	struct sum *s = sqlite3_aggregate_context(x, 0);

	if (!s)
		return;
	if (hist_total(&s->h) > 0 && s->p >= 0 && s->p <= 1)
		sqlite3_result_double(x, quantile_of(&s->h, s->p));
	free(s->h.v);
}

/* ---- sparklines --------------------------------------------------------- */

#define SPARK_MAX 1000

struct bucket { double sum, weight; };

/* Spreads a value that held over (from, to] on the buckets it touches. */
static void spread(struct bucket *b, size_t n, double start, double width,
    double from, double to, double v)
{
	double low, high;
	size_t i;

	if (to <= start || width <= 0)
		return;
	i = from <= start ? 0 : (size_t)((from - start) / width);
	for (; i < n && start + width * (double)i < to; i++) {
		low = fmax(from, start + width * (double)i);
		high = fmin(to, start + width * (double)(i + 1));
		if (high > low) {
			b[i].sum += v * (high - low);
			b[i].weight += high - low;
		}
	}
}

static void spark_fill(const struct window *w, struct bucket *b, size_t n)
{
	const struct samples *s = &w->samples;
	double width = (double)(w->to - w->from) / (double)n, from, v;
	bool counter = w->field->flags & FIELD_COUNTER;
	int64_t gap;
	size_t i;

	for (i = 0; i < s->n; i++) {
		v = s->v[i].v.d;
		if (isnan(v))
			continue;
		gap = i > 0 ? s->v[i].t - s->v[i - 1].t : 0;
		/* A gauge's raw sample stands for its moment. */
		from = (double)s->v[i].t - (s->v[i].res == RES_RAW ? 1 :
		    fmin((double)gap, (double)res_rules[s->v[i].res].width));
		if (counter) {
			if (i == 0 || isnan(s->v[i - 1].v.d) ||
			    v < s->v[i - 1].v.d ||
			    gap > gap_of(w, s->v[i - 1].res))
				continue;
			v = (v - s->v[i - 1].v.d) * 1000 / (double)gap;
			from = (double)s->v[i - 1].t;
		}
		spread(b, n, (double)w->from, width, from, (double)s->v[i].t,
		    v);
	}
}

/* spark(SERIES, FIELD, SECONDS, N) */
static void spark_function(sqlite3_context *x, int argc, sqlite3_value **v)
{
	struct cache *c = sqlite3_user_data(x);
	int64_t n = sqlite3_value_int64(v[3]), i;
	struct bucket *b;
	struct buf out = {0};
	struct window w;

	(void)argc;
	if (window_series(x, v, &w) < 0)
		return;
	if (w.field->flags & FIELD_BINS || n < 1 || n > SPARK_MAX) {
		fail(x, "spark() takes a metric and 1 to 1000 values, not "
		    "\"%s\"", w.field->name);
		return;
	}
	window_arguments(c, &w, 1, v + 2);
	/* Where rollups moved the window, the buckets stay. */
	w.from += cache_at(c) - w.to;
	w.to = cache_at(c);
	b = xcalloc((size_t)n, sizeof(*b));
	spark_fill(&w, b, (size_t)n);
	for (i = 0; i < n; i++) {
		buf_addc(&out, i ? ',' : '[');
		if (b[i].weight > 0)
			value_number(&out, b[i].sum / b[i].weight);
		else
			buf_adds(&out, "null");
	}
	buf_addc(&out, ']');
	sqlite3_result_text(x, buf_str(&out), (int)out.n, SQLITE_TRANSIENT);
	buf_free(&out);
	free(b);
	samples_release(&w.samples);
}

void figure_functions(struct cache *c)
{
	static const struct {
		const char	*name;
		int		 n;
		void		(*f)(sqlite3_context *, int, sqlite3_value **);
	} all[] = {
		{ "delta", -1, delta_function },
		{ "rate", -1, rate_function },
		{ "last", 2, last_function },
		{ "bins", -1, bins_function },
		{ "samples", 1, samples_function },
		{ "spark", 4, spark_function },
		{ "span", 2, span_function },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		sqlite3_create_function(c->db, all[i].name, all[i].n,
		    SQLITE_UTF8 | SQLITE_INNOCUOUS, c, all[i].f, NULL, NULL);
	sqlite3_create_function(c->db, "quantile", 2, SQLITE_UTF8 |
	    SQLITE_INNOCUOUS, c, NULL, quantile_step, quantile_final);
}
