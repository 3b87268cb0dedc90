/* Values as they are written: one function a type and spelling, so that the
 * table, the screen and every format agree on what a cell says. How they are
 * read is value_parse.c; JSON text inside cells is value_json.c. */
#include "value.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"
#include "value_json.h"

static const char *const names[] = {
	[TYPE_TEXT]	= "text",
	[TYPE_NUMBER]	= "number",
	[TYPE_BOOL]	= "bool",
	[TYPE_TIME]	= "time",
	[TYPE_DURATION]	= "duration",
	[TYPE_LATENCY]	= "latency",
	[TYPE_SIZE]	= "size",
	[TYPE_SHARE]	= "share",
	[TYPE_LIST]	= "list",
	[TYPE_OBJECT]	= "object",
	[TYPE_ANY]	= "any",
};

const char *type_name(enum type type)
{
	return names[type];
}

int type_from_name(const char *s)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(names[i], s))
			return (int)i;
	return -1;
}

bool type_is_right(enum type type)
{
	switch (type) {
	case TYPE_NUMBER:
	case TYPE_DURATION:
	case TYPE_LATENCY:
	case TYPE_SIZE:
	case TYPE_SHARE:
		return true;
	default:
		return false;
	}
}

double cell_number(struct cell c)
{
	if (c.tag == CELL_INT)
		return (double)c.i;
	return c.tag == CELL_REAL ? c.d : 0;
}

/* Nothing is known: NULL, or a number that is none. */
static bool is_unknown(struct cell c)
{
	return c.tag == CELL_NULL || (c.tag == CELL_REAL && !isfinite(c.d));
}

/* Days since 1970 to a date of the proleptic Gregorian calendar, by Howard
 * Hinnant's "chrono-compatible low-level date algorithms". gmtime() would do
 * but for years that don't fit its int. */
static void date_of(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t era, of_era, year_of_era, of_year, m;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	of_era = days - era * 146097;
	year_of_era = (of_era - of_era / 1460 + of_era / 36524 -
	    of_era / 146096) / 365;
	of_year = of_era - (365 * year_of_era + year_of_era / 4 -
	    year_of_era / 100);
	m = (5 * of_year + 2) / 153;
	*day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = year_of_era + era * 400 + (*month <= 2);
}

void value_rfc3339(struct buf *out, int64_t ms)
{
	int64_t days = ms / 86400000, rest = ms % 86400000, year;
	int month, day;

	if (rest < 0) {
		days--;
		rest += 86400000;
	}
	date_of(days, &year, &month, &day);
	buf_addf(out, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%03dZ", year,
	    month, day, (int)(rest / 3600000), (int)(rest / 60000 % 60),
	    (int)(rest / 1000 % 60), (int)(rest % 1000));
}

void value_number(struct buf *out, double d)
{
	char s[40];
	/* Below the normal range fewer than 15 digits may be exact, and %g
	 * would write all of them. */
	int digits = fabs(d) < DBL_MIN ? 1 : 15;

	if (!isfinite(d)) {
		buf_adds(out, "null");
		return;
	}
	if (d == trunc(d) && fabs(d) < 0x1p53) {
		buf_addf(out, "%.0f", d + 0.0);
		return;
	}
	do
		snprintf(s, sizeof s, "%.*g", digits, d);
	while (strtod(s, NULL) != d && digits++ < 17);
	buf_adds(out, s);
}

static void add_digits(struct buf *out, struct cell c)
{
	if (c.tag == CELL_INT)
		buf_addf(out, "%" PRId64, c.i);
	else
		value_number(out, c.d);
}

static int64_t cell_ms(struct cell c)
{
	if (c.tag == CELL_INT)
		return c.i;
	if (c.d >= 0x1p63)
		return INT64_MAX;
	return c.d < -0x1p63 ? INT64_MIN : (int64_t)c.d;
}

/* A number or a word of that type, without quotes; what isn't a text. */
static void add_scalar(struct buf *out, enum type type, struct cell c)
{
	if (type == TYPE_BOOL)
		buf_adds(out, cell_number(c) != 0 ? "true" : "false");
	else if (type == TYPE_TIME)
		value_rfc3339(out, cell_ms(c));
	else
		add_digits(out, c);
}

void value_json(struct buf *out, enum type type, struct cell c)
{
	const char *quote = type == TYPE_TIME ? "\"" : "";

	if (is_unknown(c)) {
		buf_adds(out, "null");
	} else if (c.tag != CELL_TEXT) {
		buf_adds(out, quote);
		add_scalar(out, type, c);
		buf_adds(out, quote);
	} else if ((type != TYPE_LIST && type != TYPE_OBJECT) ||
	    !json_text_copy(out, c.s, c.n, JSON_TEXT_JSON)) {
		value_json_text(out, c.s, c.n);
	}
}

void value_yaml(struct buf *out, enum type type, struct cell c)
{
	struct buf b = {0};

	if (c.tag == CELL_TEXT) {
		if ((type != TYPE_LIST && type != TYPE_OBJECT) ||
		    !json_text_copy(out, c.s, c.n, JSON_TEXT_YAML))
			value_yaml_text(out, c.s, c.n);
		return;
	}
	value_json(&b, type, c);
	if (c.tag == CELL_REAL && type != TYPE_TIME)
		json_text_yaml_number(out, b.p, b.n);
	else
		buf_add(out, b.p, b.n);
	buf_free(&b);
}

void value_plain(struct buf *out, enum type type, struct cell c)
{
	if (is_unknown(c))
		return;
	if (c.tag != CELL_TEXT)
		add_scalar(out, type, c);
	else if ((type != TYPE_LIST && type != TYPE_OBJECT) ||
	    !json_text_copy(out, c.s, c.n, JSON_TEXT_JSON))
		buf_add(out, c.s, c.n);
}

/* The largest step that leaves at least one before the point, counting what
 * rounding to one decimal does: 999950 is 1.0M. */
static void add_scaled(struct buf *out, double v, const char *const *units)
{
	double a = fabs(v), whole = v;

	v /= 1000;
	a /= 1000;
	while (a >= 999.95 && units[1]) {
		v /= 1000;
		a /= 1000;
		units++;
	}
	if (a >= 999.95)
		buf_addf(out, "%.1e", whole);
	else
		buf_addf(out, "%.1f%s", v, *units);
}

static void add_short(struct buf *out, int decimals, struct cell c)
{
	static const char *const units[] = { "k", "M", "G", "T", "P", "E",
	    NULL };
	double v = cell_number(c);

	if (decimals <= 0)
		decimals = v != trunc(v);
	if (fabs(v) + 0.5 * pow(10, -decimals) >= 100000)
		add_scaled(out, v, units);
	else if (fabs(v) < 0.5 * pow(10, -decimals))
		buf_addf(out, "%.*f", decimals, 0.0);	/* not -0.0 */
	else
		buf_addf(out, "%.*f", decimals, v);
}

static void add_size(struct buf *out, double v)
{
	static const char *const units[] = { " kB", " MB", " GB", " TB",
	    " PB", " EB", NULL };

	if (fabs(v) < 999.5)
		buf_addf(out, "%.0f B", v);
	else
		add_scaled(out, v, units);
}

/* As people read a clock on the wall: the zone is TZ's. */
static void add_local(struct buf *out, int64_t ms, enum spelling spelling)
{
	time_t t = (time_t)(ms / 1000 - (ms % 1000 < 0));
	time_t now = (time_t)(clock_now() / 1000);
	struct tm tm, today;
	char s[64];
	long minutes;

	if (!localtime_r(&t, &tm) || !localtime_r(&now, &today)) {
		value_rfc3339(out, ms);
		return;
	}
	if (spelling == SPELL_SHORT) {
		bool same = tm.tm_year == today.tm_year &&
		    tm.tm_yday == today.tm_yday;

		strftime(s, sizeof s, same ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S",
		    &tm);
		buf_adds(out, s);
		return;
	}
	strftime(s, sizeof s, "%Y-%m-%d %H:%M:%S", &tm);
	minutes = labs(tm.tm_gmtoff) / 60;
	buf_addf(out, "%s.%03d %c%02ld:%02ld", s,
	    (int)((ms % 1000 + 1000) % 1000), tm.tm_gmtoff < 0 ? '-' : '+',
	    minutes / 60, minutes % 60);
}

void value_ago(struct buf *out, double seconds, enum spelling spelling)
{
	static const struct {
		int64_t		 ms;
		const char	*unit;
	} steps[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" },
		{ 1000, "s" }, { 1, "ms" },
	};
	int64_t ms;
	size_t n;

	if (!isfinite(seconds) || fabs(seconds) > 9e15) {
		buf_adds(out, text_glyph(GLYPH_DASH));
		return;
	}
	ms = llround(fabs(seconds) * 1000);
	if (ms == 0) {
		buf_adds(out, "0s");
		return;
	}
	if (seconds < 0)
		buf_addc(out, '-');
	for (size_t i = 0; ms > 0 && i < sizeof steps / sizeof *steps; i++) {
		n = (size_t)(ms / steps[i].ms);
		if (n == 0)
			continue;
		buf_addf(out, "%zu%s", n, steps[i].unit);
		ms %= steps[i].ms;
		if (spelling == SPELL_SHORT)
			break;
	}
}

static void show_text(struct buf *out, enum type type, struct cell c)
{
	if ((type != TYPE_LIST && type != TYPE_OBJECT) ||
	    !json_text_join(out, c.s, c.n))
		text_harmless(out, c.s, c.n);
}

void value_show(struct buf *out, enum type type, int decimals,
    enum spelling spelling, struct cell c)
{
	if (is_unknown(c)) {
		buf_adds(out, text_glyph(GLYPH_DASH));
		return;
	}
	if (c.tag == CELL_TEXT) {
		show_text(out, type, c);
		return;
	}
	switch (type) {
	case TYPE_BOOL:
		buf_adds(out, cell_number(c) != 0 ? "yes" : "no");
		return;
	case TYPE_TIME:
		add_local(out, cell_ms(c), spelling);
		return;
	case TYPE_DURATION:
		value_ago(out, cell_number(c), spelling);
		return;
	case TYPE_SIZE:
		if (spelling == SPELL_SHORT)
			add_size(out, cell_number(c));
		else
			add_digits(out, c);
		return;
	case TYPE_SHARE:
		if (decimals <= 0)
			decimals = 1;
		break;
	case TYPE_ANY:
		spelling = SPELL_WIDE;
		break;
	default:
		break;
	}
	if (spelling == SPELL_SHORT)
		add_short(out, decimals, c);
	else
		add_digits(out, c);
}
