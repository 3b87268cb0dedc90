/* The clock: the real one, or KIBAN_NOW standing still, for ages, stamps and
 * the screen. Time limits go by clock_mono() and never stand still. */
#include "value.h"

#include <stdlib.h>
#include <time.h>

/* Written by clock_init() before threads start. */
static int64_t fixed = -1;

int clock_init(struct err *err)
{
	const char *s = getenv("KIBAN_NOW");

	fixed = -1;
	if (!s || !*s)
		return 0;
	if (value_read_rfc3339(s, &fixed) == 0 && fixed >= 0)
		return 0;
	fixed = -1;
	return err_set(err, ERR_USAGE, "KIBAN_NOW is \"%s\"; it takes a time "
	    "like 2026-11-23T03:14:07Z", s);
}

static int64_t clock_read(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0)
		BUG("clock %d can't be read", (int)id);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_now(void)
{
	return fixed >= 0 ? fixed : clock_read(CLOCK_REALTIME);
}

int64_t clock_mono(void)
{
	return clock_read(CLOCK_MONOTONIC);
}
