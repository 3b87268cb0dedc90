/* merge [ROWS [PAIRS]]: merges of ROWS rows (1,000,000) of one scope, first,
 * with other metrics, with one fact in a hundred changed, each beside a
 * prepared INSERT loop into the same columns and key, in the same run. Rows a
 * second by the wall and by the process's own time; how long a merge held the
 * write lock at once, and how long a reader waited at most, as another process
 * sees them. One line a figure: NAME VALUE BAR held|SHORT. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"

static const struct kind thing = {
	.name = "bench_thing",
	.help = "an endpoint of a fleet",
	.object = "cluster",
	.every = 5000,
	.fields = (const struct field[]){
		{ .name = "proxy", .role = ROLE_KEY },
		{ .name = "cluster", .role = ROLE_KEY },
		{ .name = "address", .role = ROLE_KEY },
		{ .name = "health", .role = ROLE_FACT },
		{ .name = "reasons", .role = ROLE_FACT },
		{ .name = "zone", .role = ROLE_FACT },
		{ .name = "weight", .role = ROLE_FACT },
		{ .name = "rq", .role = ROLE_METRIC, .flags = FIELD_COUNTER },
		{ .name = "rq_error", .role = ROLE_METRIC,
		    .flags = FIELD_COUNTER },
		{ .name = "active", .role = ROLE_METRIC },
		{ .name = "rtt", .role = ROLE_METRIC },
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

struct row {
	char	proxy[48], cluster[64], address[80];
	const char *health, *reasons, *zone;
	int	weight;
	double	m[4];
};

static long nrows = 1000000;
static int npairs = 5;

/* Row i of a poll; every metric differs from poll to poll. */
static void make(struct row *r, long i, int poll, bool changed)
{
	static const char *const zones[] = { "ap-northeast-1a",
	    "ap-northeast-1c", "ap-northeast-1d" };
	uint64_t h = (uint64_t)i * 0x9e3779b97f4a7c15u;
	long per = nrows / 200 ? nrows / 200 : 1;
	bool bad = changed && i % 100 == 7;

	snprintf(r->proxy, sizeof(r->proxy), "payments-sidecar-%05ld", i / per);
	snprintf(r->cluster, sizeof(r->cluster), "outbound|8080||svc-%03ld.prod",
	    i % per * 50 / per);
	snprintf(r->address, sizeof(r->address), "10.%ld.%ld.%ld:%ld",
	    i >> 16 & 255, i >> 8 & 255, i & 255, 1024 + i % 60000);
	r->health = bad ? "unhealthy" : "healthy";
	r->reasons = bad ? "[\"/failed_active_hc\"]" : "[]";
	r->zone = zones[i % 3];
	r->weight = 1 + (int)(i % 4);
	r->m[0] = (double)((h & 0xfffff) + (uint64_t)poll * (h >> 20 & 0xff));
	r->m[1] = (double)((h >> 8 & 0xff) + (uint64_t)poll);
	r->m[2] = (double)((h >> (poll % 8)) & 0x3f);
	r->m[3] = (double)((h >> 30 & 0xfff) + (h >> poll & 0xff)) / 4;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double used(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

struct took { double wall, cpu; };

static void check(int rc, sqlite3 *db)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE)
		return;
	fprintf(stderr, "merge: %s\n", sqlite3_errmsg(db));
	exit(1);
}

/* The peer: WAL, synchronous NORMAL, one transaction. */
static struct took insert_loop(const char *dir)
{
	char *path = xasprintf("%s/peer.db", dir);
	struct took t = { now(), used() };
	sqlite3_stmt *s;
	sqlite3 *db;
	struct row r;
	int k;

	check(sqlite3_open(path, &db), db);
	check(sqlite3_exec(db, "PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = NORMAL;"
	    "CREATE TABLE t(context, proxy, cluster, address, health, reasons, "
	    "zone, weight, rq, rq_error, active, rtt, "
	    "PRIMARY KEY(context, proxy, cluster, address)); BEGIN", NULL, NULL,
	    NULL), db);
	check(sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?,?,?,?,?,?,?,?,?,?,"
	    "?,?)", -1, &s, NULL), db);
	for (long i = 0; i < nrows; i++) {
		make(&r, i, 0, false);
		sqlite3_bind_text(s, 1, "prod-tokyo", 10, SQLITE_STATIC);
		sqlite3_bind_text(s, 2, r.proxy, -1, SQLITE_STATIC);
		sqlite3_bind_text(s, 3, r.cluster, -1, SQLITE_STATIC);
		sqlite3_bind_text(s, 4, r.address, -1, SQLITE_STATIC);
		sqlite3_bind_text(s, 5, r.health, -1, SQLITE_STATIC);
		sqlite3_bind_text(s, 6, r.reasons, -1, SQLITE_STATIC);
		sqlite3_bind_text(s, 7, r.zone, -1, SQLITE_STATIC);
		sqlite3_bind_int(s, 8, r.weight);
		for (k = 0; k < 4; k++)
			sqlite3_bind_double(s, 9 + k, r.m[k]);
		check(sqlite3_step(s), db);
		sqlite3_reset(s);
	}
	check(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), db);
	t = (struct took){ now() - t.wall, used() - t.cpu };
	sqlite3_finalize(s);
	sqlite3_close(db);
	for (k = 0; k < 3; k++) {
		char *part = xasprintf("%s%s", path, k == 0 ? "" : k == 1 ?
		    "-wal" : "-shm");
		unlink(part);
		free(part);
	}
	free(path);
	return t;
}

static struct took merge(struct cache *c, int poll, bool changed)
{
	struct took t = { now(), used() };
	struct err err = {0};
	struct merge *m;
	struct row r;

	m = merge_begin(c, &thing, "prod-tokyo", "fleet",
	    1764000000000 + poll * 5000, 0);
	for (long i = 0; i < nrows; i++) {
		make(&r, i, poll, changed);
		merge_text(m, "proxy", r.proxy, -1);
		merge_text(m, "cluster", r.cluster, -1);
		merge_text(m, "address", r.address, -1);
		merge_text(m, "health", r.health, -1);
		merge_text(m, "reasons", r.reasons, -1);
		merge_text(m, "zone", r.zone, -1);
		merge_int(m, "weight", r.weight);
		merge_real(m, "rq", r.m[0]);
		merge_real(m, "rq_error", r.m[1]);
		merge_real(m, "active", r.m[2]);
		merge_real(m, "rtt", r.m[3]);
		merge_row(m, &err);
	}
	if (merge_end(m, &err) < 0) {
		fprintf(stderr, "merge: %s\n", err.text);
		exit(1);
	}
	return (struct took){ now() - t.wall, used() - t.cpu };
}

/* ---- what another process sees ------------------------------------------ */

struct seen {
	volatile int	stop, pause;	/* pause: the peer runs */
	double		lock, reader;	/* longest, in s */
};

/* Asks for the write lock every 2 ms, and reads a page every 2 ms. */
static void watch(const char *path, struct seen *seen)
{
	sqlite3_stmt *q;
	sqlite3 *db;
	double began = 0, t;

	check(sqlite3_open(path, &db), db);
	check(sqlite3_prepare_v2(db, "SELECT _id, proxy, health FROM "
	    "bench_thing_now WHERE _id BETWEEN ?1 AND ?1 + 60", -1, &q, NULL),
	    db);
	while (!seen->stop) {
		if (seen->pause) {
			began = 0;
			usleep(2000);
			continue;
		}
		t = now();
		sqlite3_bind_int64(q, 1, (INT64_C(1) << 24) +
		    rand() % nrows);
		while (sqlite3_step(q) == SQLITE_ROW)
			;
		sqlite3_reset(q);
		if (now() - t > seen->reader)
			seen->reader = now() - t;
		/* Refused: from the first refusal on it was held. */
		if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ==
		    SQLITE_OK) {
			sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
			if (began > 0 && now() - began > seen->lock)
				seen->lock = now() - began;
			began = 0;
		} else if (began == 0) {
			began = now();
		}
		usleep(2000);
	}
	sqlite3_finalize(q);
	sqlite3_close(db);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

static void say(const char *name, double value, const char *unit, double bar,
    bool held)
{
	printf("%-34s %10.2f %-6s bar %-7g %s\n", name, value, unit, bar,
	    held ? "held" : "SHORT");
	fflush(stdout);
}

static void erase(const char *dir)
{
	char *command = xasprintf("rm -rf '%s'", dir);

	if (system(command) != 0)
		fprintf(stderr, "merge: %s is left\n", dir);
	free(command);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "merge first", "merge metrics",
	    "merge 1 % of facts" };
	static const double bars[] = { 0.8, 2.0, 1.5 };
	double wall[3][16], cpu[3][16], rate[3][16];
	struct seen *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char dir[] = "/tmp/kiban-bench-merge-XXXXXX";
	struct buf note = {0};
	struct err err = {0};
	struct took peer, ours;
	struct rusage ru;

	if (argc > 1)
		nrows = atol(argv[1]);
	if (argc > 2)
		npairs = atoi(argv[2]);
	if (nrows < 1 || npairs < 1 || npairs > 16 || seen == MAP_FAILED ||
	    !mkdtemp(dir) || clock_init(&err) < 0)
		return 2;
	for (int p = 0; p < npairs; p++) {
		struct cache *c = cache_open(dir, dir, &registry, 0, &note,
		    &err);
		char *path = xasprintf("%s/cache.db", dir);
		pid_t pid;

		seen->stop = 0;
		pid = fork();
		if (pid == 0) {
			watch(path, seen);
			_exit(0);
		}
		for (int k = 0; k < 3; k++) {
			ours = merge(c, k, k == 2);
			seen->pause = 1;
			peer = insert_loop(dir);
			seen->pause = 0;
			wall[k][p] = peer.wall / ours.wall;
			cpu[k][p] = peer.cpu / ours.cpu;
			rate[k][p] = (double)nrows / ours.wall;
		}
		seen->stop = 1;
		waitpid(pid, NULL, 0);
		cache_close(c);
		erase(dir);
		if (mkdir(dir, 0700) < 0)
			return 1;
		free(path);
	}
	getrusage(RUSAGE_SELF, &ru);
	for (int k = 0; k < 3; k++) {
		double x = median(cpu[k], npairs);

		say(names[k], median(wall[k], npairs), "x peer", bars[k],
		    median(wall[k], npairs) >= bars[k]);
		printf("    by CPU time %.2f; %.0f rows/s\n", x,
		    median(rate[k], npairs));
	}
	say("merge write lock, longest", seen->lock * 1000, "ms", 150,
	    seen->lock < 0.150);
	say("merge reader, longest", seen->reader * 1000, "ms", 30,
	    seen->reader < 0.030);
	printf("    peak memory %ld MB\n", ru.ru_maxrss / 1024);
	erase(dir);
	buf_free(&note);
	return 0;
}
