/* series [MINUTES]: 200 scopes of 50 rows with 8 metrics, polled every 5 s of a
 * simulated clock for MINUTES (120): 16,000 samples a second, by merges as a source
 * makes them, with the upkeep that a poller does. Then what the samples take on
 * disk, and how long 15 minutes of 60 series take to read. One line a figure:
 * NAME VALUE BAR held|SHORT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"

#define SCOPES	200
#define ROWS	50
#define METRICS	8
#define STEP	5	/* s */
#define T0	INT64_C(1764000000)

static const struct kind thing = {
	.name = "bench_thing",
	.help = "a cluster of a proxy",
	.object = "cluster",
	.every = STEP * 1000,
	.fields = (const struct field[]){
		{ .name = "proxy", .role = ROLE_KEY },
		{ .name = "cluster", .role = ROLE_KEY },
		{ .name = "type", .role = ROLE_FACT },
		{ .name = "rq", .role = ROLE_METRIC, .flags = FIELD_COUNTER },
		{ .name = "rq_good", .role = ROLE_METRIC,
		    .flags = FIELD_COUNTER },
		{ .name = "rq_5xx", .role = ROLE_METRIC,
		    .flags = FIELD_COUNTER },
		{ .name = "active", .role = ROLE_METRIC },
		{ .name = "p50", .role = ROLE_METRIC },
		{ .name = "p95", .role = ROLE_METRIC },
		{ .name = "p99", .role = ROLE_METRIC },
		{ .name = "cx", .role = ROLE_METRIC, .flags = FIELD_COUNTER },
		{0},
	},
};
static const struct module module = {
	.name = "bench", .help = "figures",
	.kinds = (const struct kind *const[]){ &thing, NULL },
};
static const struct registry registry = {
	.modules = (const struct module *const[]){ &module, NULL },
};
static const char *const names[METRICS] = { "rq", "rq_good", "rq_5xx",
    "active", "p50", "p95", "p99", "cx" };

static double rate[SCOPES][ROWS], value[SCOPES][ROWS][METRICS];

static double dice(void)
{
	static uint64_t s = 88172645463325252u;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return (double)(s >> 11) / 9007199254740992.0;
}

/* Two significant digits, as Envoy's percentiles have them. */
static double two_digits(double v)
{
	double m = 1;

	for (; v >= 100; v /= 10)
		m *= 10;
	return (double)(long)v * m;
}

/* Three in ten are idle, half have up to 20 requests a second, the rest up to
 * 1,000; numbers wander by a fifth. */
static void begin_load(void)
{
	int s, r;
	double u;

	for (s = 0; s < SCOPES; s++) {
		for (r = 0; r < ROWS; r++) {
			u = dice();
			rate[s][r] = u < 0.3 ? 0 : u < 0.8 ? 0.1 + dice() * 20 :
			    20 + dice() * 980;
			value[s][r][0] = value[s][r][1] =
			    (double)(long)(rate[s][r] * 86400 * dice());
			value[s][r][7] = (double)(long)(rate[s][r] * 20);
		}
	}
}

static void step_load(double *v, double per_second, int row)
{
	double n = per_second * STEP * (0.8 + 0.4 * dice());
	double k = (double)(long)(n + dice());
	double bad = dice() < 0.05 ? 1 + (double)(long)(dice() * k * 0.01) : 0;
	double base = 15 * (1 + row % 7);

	if (per_second <= 0)
		return;
	v[0] += k;
	v[1] += k > bad ? k - bad : 0;
	v[2] += bad < k ? bad : k;
	v[3] += dice() < 0.3 ? 1 : dice() < 0.43 ? -1 : 0;
	v[3] = v[3] < 0 ? 0 : v[3];
	v[7] += (double)(long)(k / 100 + dice());
	if (k > 0) {
		v[4] = two_digits(base * (0.9 + 0.2 * dice()));
		v[5] = two_digits(base * 2 * (0.8 + 0.4 * dice()));
		v[6] = two_digits(base * 4 * (0.7 + 0.6 * dice()));
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *text)
{
	fprintf(stderr, "series: %s\n", text);
	exit(1);
}

static void poll_scope(struct cache *c, int s, int64_t t)
{
	struct err err = {0};
	struct merge *m;
	char proxy[40], cluster[40];
	int r, i;

	snprintf(proxy, sizeof(proxy), "http://10.0.0.%d:9901", s);
	m = merge_begin(c, &thing, "prod", proxy, t * 1000, 0);
	for (r = 0; r < ROWS; r++) {
		step_load(value[s][r], rate[s][r], r);
		snprintf(cluster, sizeof(cluster), "service-%02d", r);
		merge_text(m, "proxy", proxy, -1);
		merge_text(m, "cluster", cluster, -1);
		merge_text(m, "type", "EDS", -1);
		for (i = 0; i < METRICS; i++)
			merge_real(m, names[i], value[s][r][i]);
		merge_row(m, &err);
	}
	if (merge_end(m, &err) < 0)
		fail(err.text);
}

static void set_clock(int64_t t)
{
	struct buf text = {0};
	struct err err = {0};

	value_rfc3339(&text, t * 1000);
	setenv("KIBAN_NOW", buf_str(&text), 1);
	if (clock_init(&err) < 0)
		fail(err.text);
	buf_free(&text);
}

/* Runs it to its end; ms. */
static double ask(struct cache *c, const char *sql)
{
	const struct cell *cells;
	struct err err = {0};
	double began = now();
	struct query *q = query_new(c, sql, 0, 0, NULL, &err);
	int rc = q ? 1 : -1, n = 0;

	while (rc == 1)
		if ((rc = query_step(q, &cells, &err)) == 1)
			n++;
	if (rc < 0 || n != 60)
		fail(rc < 0 ? err.text : "not 60 series");
	query_free(q);
	return (now() - began) * 1000;
}

static double best_of(struct cache *c, const char *sql)
{
	struct err err = {0};
	double best = 1e9, t;
	int i;

	for (i = 0; i < 5; i++) {
		/* Something moves: nothing that was read before is kept. */
		if (cache_confirm(c, &thing, "prod", "http://10.0.0.0:9901",
		    clock_now() + i, &err) < 0)
			fail(err.text);
		t = ask(c, sql);
		best = t < best ? t : best;
	}
	return best;
}

static void say(const char *name, double v, const char *unit, double bar)
{
	printf("%-34s %10.2f %-6s bar %-7g %s\n", name, v, unit, bar,
	    v < bar ? "held" : "SHORT");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const char *const prod[] = { "prod" };
	int64_t minutes = argc > 1 ? atol(argv[1]) : 120, t,
	    until = T0 + minutes * 60;
	char dir[] = "/tmp/kiban-bench-series-XXXXXX";
	double began, longest = 0, tended = 0, x;
	struct buf note = {0};
	struct err err = {0};
	struct rusage ru;
	struct cache *c;
	char *text;
	int s;

	if (minutes < 15 || !mkdtemp(dir))
		return 2;
	begin_load();
	set_clock(T0);
	c = cache_open(dir, dir, &registry, 0, &note, &err);
	if (!c)
		fail(err.text);
	began = now();
	for (t = T0; t < until; t += STEP) {
		set_clock(t);
		for (s = 0; s < SCOPES; s++)
			poll_scope(c, s, t);
		if (t % 60)
			continue;
		x = now();
		if (cache_tend(c, INT64_C(30) * 86400000, INT64_C(2000000000),
		    NULL, &err) < 0)
			fail(err.text);
		x = now() - x;
		tended += x;
		longest = x > longest ? x : longest;
	}
	getrusage(RUSAGE_SELF, &ru);
	printf("    %lld min in %.0f s; CPU %.1f %% of the time simulated; upkeep "
	    "%.1f s, longest %.0f ms\n", (long long)minutes, now() - began,
	    ((double)ru.ru_utime.tv_sec + (double)ru.ru_stime.tv_sec) * 100 /
	    (double)(minutes * 60), tended, longest * 1000);
	cache_int(c, 0, "PRAGMA main.wal_checkpoint(TRUNCATE)");
	x = (double)cache_int(c, 0, "SELECT sum(pgsize) FROM dbstat WHERE "
	    "name IN ('frame', 'block')") / 1e6;
	say("series on disk", x, "MB", 150);
	printf("    %.2f bytes a sample, rollups among them\n", x * 1e6 /
	    ((double)minutes * 60 / STEP * SCOPES * ROWS * METRICS));
	cache_aim(c, prod, 1, 0, 0, &err);
	say("series: 15 min of 60, in 60 scopes", best_of(c, "SELECT "
	    "spark(series, 'rq', 900, 15) FROM (SELECT series FROM "
	    "bench_thing WHERE cluster = 'service-07' LIMIT 60)"), "ms", 10);
	say("series: 15 min of 60, in 2 scopes", best_of(c, "SELECT "
	    "spark(series, 'rq', 900, 15) FROM (SELECT series FROM "
	    "bench_thing ORDER BY series LIMIT 60)"), "ms", 10);
	cache_close(c);
	text = xasprintf("rm -rf '%s'", dir);
	if (system(text) != 0)
		fprintf(stderr, "series: %s is left\n", dir);
	free(text);
	buf_free(&note);
	return 0;
}
