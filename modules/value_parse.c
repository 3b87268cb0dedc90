/* Values as people type them: durations, sizes, times. Every refusal names a
 * form that would do. */
#include "value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Above it doubles stop being whole, and no time or size of ours is as big. */
#define VALUE_MAX 9e15

struct unit {
	const char	*name;
	double		 factor;
};

/* Digits, with a fraction or not; the end, or NULL. */
static const char *read_decimal(const char *s, double *v)
{
	const char *p = s;
	char digits[40];
	size_t n;

	while (isdigit((unsigned char)*p))
		p++;
	if (p == s)
		return NULL;
	if (*p == '.' && isdigit((unsigned char)p[1]))
		for (p++; isdigit((unsigned char)*p); p++)
			;
	n = (size_t)(p - s);
	if (n >= sizeof digits)
		return NULL;
	memcpy(digits, s, n);
	digits[n] = '\0';
	*v = strtod(digits, NULL);
	return p;
}

static const struct unit *find_unit(const struct unit *u, const char *s,
    size_t n, bool fold)
{
	for (; u->name; u++)
		if (strlen(u->name) == n && (fold ? !strncasecmp(u->name, s, n)
		    : !strncmp(u->name, s, n)))
			return u;
	return NULL;
}

/* Largest unit first: 30m1h is more likely a slip than a wish. */
static bool read_duration(const char *s, size_t n, int64_t *ms)
{
	static const struct unit units[] = {
		{ "w", 604800000 }, { "d", 86400000 }, { "h", 3600000 },
		{ "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
	};
	const struct unit *u, *last = units;
	const char *end = s + n, *p;
	double sum = 0, v;
	bool first = true;

	if (n == 0)
		return false;
	for (; s < end; s = p) {
		s = read_decimal(s, &v);
		if (!s || s > end)
			return false;
		for (p = s; p < end && isalpha((unsigned char)*p); p++)
			;
		if (first && p == s && p == end) {
			sum = v * 1000;
			break;
		}
		u = find_unit(units, s, (size_t)(p - s), false);
		if (!u || (!first && u <= last))
			return false;
		sum += v * u->factor;
		last = u;
		first = false;
	}
	if (sum > VALUE_MAX)
		return false;
	*ms = llround(sum);
	return true;
}

int value_duration(const char *s, int64_t *ms, struct err *err)
{
	if (read_duration(s, strlen(s), ms))
		return 0;
	return err_set(err, ERR_USAGE, "\"%.100s\" is no duration; write it "
	    "like 30m, 1h30m, 500ms or 90 (seconds)", s);
}

int value_size(const char *s, int64_t *bytes, struct err *err)
{
	static const struct unit units[] = {
		{ "", 1 }, { "B", 1 },
		{ "kB", 1e3 }, { "MB", 1e6 }, { "GB", 1e9 }, { "TB", 1e12 },
		{ "PB", 1e15 }, { "KiB", 0x1p10 }, { "MiB", 0x1p20 },
		{ "GiB", 0x1p30 }, { "TiB", 0x1p40 }, { "PiB", 0x1p50 },
		{ NULL, 0 },
	};
	const struct unit *u = NULL;
	const char *p;
	double v;

	p = read_decimal(s, &v);
	if (p)
		u = find_unit(units, p, strlen(p), true);
	if (!u || v * u->factor > VALUE_MAX)
		return err_set(err, ERR_USAGE, "\"%.100s\" is no size; write "
		    "it like 256MB, 256MiB or 4096 (bytes)", s);
	*bytes = llround(v * u->factor);
	return 0;
}

/* ---- times ------------------------------------------------------------ */

/* A date and a clock time as they are written, in no zone yet. */
struct stamp {
	int	year, month, day, hour, minute, second, ms;
};

/* Exactly min to max digits; the end, or NULL. */
static const char *read_digits(const char *s, int min, int max, int *v)
{
	int n;

	if (!s)
		return NULL;
	for (*v = n = 0; n < max && isdigit((unsigned char)s[n]); n++)
		*v = *v * 10 + s[n] - '0';
	return n >= min ? s + n : NULL;
}

static const char *read_mark(const char *s, const char *any)
{
	return s && *s && strchr(any, *s) ? s + 1 : NULL;
}

static const char *read_date(const char *s, struct stamp *t)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31 };
	bool leap;

	s = read_mark(read_digits(s, 4, 4, &t->year), "-");
	s = read_mark(read_digits(s, 2, 2, &t->month), "-");
	s = read_digits(s, 2, 2, &t->day);
	if (!s || t->month < 1 || t->month > 12 || t->day < 1)
		return NULL;
	leap = (t->year % 4 == 0 && t->year % 100 != 0) || t->year % 400 == 0;
	return t->day <= days[t->month - 1] + (leap && t->month == 2) ? s
	    : NULL;
}

/* HH:MM[:SS[.fraction]]; a leap second is the next minute's first. */
static const char *read_clock(const char *s, struct stamp *t)
{
	int scale = 100;

	s = read_mark(read_digits(s, 2, 2, &t->hour), ":");
	s = read_digits(s, 2, 2, &t->minute);
	t->second = t->ms = 0;
	if (!s || t->hour > 23 || t->minute > 59)
		return NULL;
	if (*s == ':') {
		s = read_digits(s + 1, 2, 2, &t->second);
		if (!s || t->second > 60)
			return NULL;
		if (*s == '.' && isdigit((unsigned char)s[1]))
			for (s++; isdigit((unsigned char)*s); s++) {
				t->ms += (*s - '0') * scale;
				scale /= 10;
			}
	}
	return s;
}

static int64_t stamp_utc(const struct stamp *t)
{
	struct tm tm = {
		.tm_year = t->year - 1900, .tm_mon = t->month - 1,
		.tm_mday = t->day, .tm_hour = t->hour, .tm_min = t->minute,
		.tm_sec = t->second,
	};

	return (int64_t)timegm(&tm) * 1000 + t->ms;
}

/* Z or ±hh:mm, at the end of the text. */
static bool read_offset(const char *s, int64_t *ms)
{
	int hours, minutes;
	bool west = *s == '-';

	if ((*s == 'Z' || *s == 'z') && !s[1]) {
		*ms = 0;
		return true;
	}
	s = read_mark(read_digits(read_mark(s, "+-"), 2, 2, &hours), ":");
	s = read_digits(s, 2, 2, &minutes);
	if (!s || *s || hours > 23 || minutes > 59)
		return false;
	*ms = (hours * 60 + minutes) * (west ? -60000 : 60000);
	return true;
}

int value_read_rfc3339(const char *s, int64_t *ms)
{
	struct stamp t = {0};
	int64_t offset;
	const char *p;

	p = read_mark(read_date(s, &t), "Tt ");
	/* RFC 3339 has seconds always, unlike what people type. */
	if (!p || strlen(p) < 8 || p[5] != ':')
		return -1;
	p = read_clock(p, &t);
	if (!p || !read_offset(p, &offset))
		return -1;
	*ms = stamp_utc(&t) - offset;
	return 0;
}

static int64_t offset_at(int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

/* Instants that the zone's clocks showed as that stamp: none where they were
 * put forward over it, two where they were put back. Earliest first. */
static int local_instants(const struct stamp *t, int64_t ms[2])
{
	int64_t utc = stamp_utc(t), s = utc / 1000 - (utc % 1000 < 0);
	int64_t offsets[2] = { offset_at(s - 86400), offset_at(s + 86400) };
	int n = 0;

	for (int i = 0; i < (offsets[0] == offsets[1] ? 1 : 2); i++)
		if (offset_at(s - offsets[i]) == offsets[i])
			ms[n++] = utc - offsets[i] * 1000;
	return n;
}

/* A date names the first instant of it that there was: in a gap, the moment
 * the clocks went on. */
static int64_t local_first(const struct stamp *t)
{
	int64_t ms[2], low, high, middle;

	if (local_instants(t, ms) > 0)
		return ms[0];
	low = stamp_utc(t) / 1000 - 86400;
	high = low + 2 * 86400;
	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (offset_at(middle) == offset_at(low))
			low = middle;
		else
			high = middle;
	}
	return high * 1000;
}

/* A bare clock time: the last that has been, so of two the later, and not on
 * a day whose clocks went over it. */
static bool local_last(struct stamp t, int64_t now, int64_t *out)
{
	time_t seconds = (time_t)(now / 1000);
	struct tm today;
	int64_t ms[2];

	if (!localtime_r(&seconds, &today))
		return false;
	for (int back = 0; back < 8; back++) {
		t.year = today.tm_year + 1900;
		t.month = today.tm_mon + 1;
		t.day = today.tm_mday - back;	/* timegm() puts it right */
		for (int n = local_instants(&t, ms); n-- > 0;) {
			if (ms[n] <= now) {
				*out = ms[n];
				return true;
			}
		}
	}
	return false;
}

static bool read_ago(const char *s, int64_t now, int64_t *ms)
{
	size_t n = strlen(s);
	int64_t back;

	if (n < 5 || strcmp(s + n - 4, " ago"))
		return false;
	if (!read_duration(s, n - 4, &back))
		return false;
	*ms = now - back;
	return true;
}

/* Local forms: a date, a date and a clock time, a clock time. */
static bool read_local(const char *s, int64_t now, int64_t *ms)
{
	struct stamp t = {0};
	const char *p;

	p = read_clock(s, &t);
	if (p && !*p)
		return local_last(t, now, ms);
	t = (struct stamp){0};	/* a year begins like an hour */
	p = read_date(s, &t);
	if (p && *p == ' ')
		p = read_clock(p + 1, &t);
	if (!p || *p)
		return false;
	*ms = local_first(&t);
	return true;
}

/* What `wide` prints, with the blank before the offset, can be typed back. */
static bool read_wide(const char *s, int64_t *ms)
{
	char joined[64];
	const char *blank = strrchr(s, ' ');

	if (!blank || strlen(s) >= sizeof joined ||
	    (blank[1] != '+' && blank[1] != '-'))
		return false;
	snprintf(joined, sizeof joined, "%.*s%s", (int)(blank - s), s,
	    blank + 1);
	return value_read_rfc3339(joined, ms) == 0;
}

int value_time(const char *s, int64_t now, int64_t *ms, struct err *err)
{
	tzset();	/* localtime_r() need not */
	if (!strcmp(s, "now"))
		*ms = now;
	else if (value_read_rfc3339(s, ms) < 0 && !read_wide(s, ms) &&
	    !read_ago(s, now, ms) && !read_local(s, now, ms))
		return err_set(err, ERR_USAGE, "\"%.100s\" is no time; write "
		    "it like 03:12, \"2026-11-23 03:12\", "
		    "2026-11-23T03:12:00Z, \"30m ago\" or now", s);
	if (*ms > now)
		return err_set(err, ERR_USAGE, "\"%.100s\" is in the future; "
		    "write a time that has been, like 03:12 or \"30m ago\"",
		    s);
	return 0;
}
