/* The polling budget of all processes: who may ask which backend, and when.
 *
 * A row a backend. A poll is claimed by one UPDATE that names the state it was
 * decided on, so of two that race one finds nothing to change; no lock is held
 * while a backend is asked. A claim is void when its process is gone (pid and
 * start time) or after a minute.
 *
 * The next time is a point of a grid, not the end of this poll plus a period:
 * each backend has its own phase in the period, spread by its row's number, so
 * that a fleet named at one moment isn't asked at one moment for ever after,
 * and a poll that was late or a clock that jumped is followed by one poll and
 * not by those that were missed. `tried` in the future means that the clock
 * went back: what was planned by it holds no longer. */
#include "cache_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "value.h"

#define CLAIM_LIFE	60000	/* ms; no poll takes longer */
#define OPEN_AT		10	/* failures in a row that open the breaker */
#define PROBE_EVERY	30000
#define WAIT_MAX	3600000	/* of a Retry-After */
#define BACKOFF_MAX	300000
#define SLACK		1000	/* ms that clocks of two reads may differ */

struct row {
	int64_t		 id, every, tried, next, claimed;
	int		 failures;
	char		 state[12], owner[48];
};

/* Context, source and backend are ?1 to ?3. */
static sqlite3_stmt *prepare_for(struct cache *c, const char *sql,
    const char *context, const char *source, const char *backend,
    struct err *err)
{
	sqlite3_stmt *s = db_prepare(c, err, sql);

	if (s)
		db_bind(s, "sss", context, source, backend);
	return s;
}

/* Runs it to its end: how many rows it changed, or -1. */
static int run(struct cache *c, sqlite3_stmt *s, struct err *err)
{
	int n = db_done(c, s, err);

	if (n == 0)
		n = sqlite3_changes(c->db);
	sqlite3_finalize(s);
	return n;
}

static void copy_text(char *out, size_t size, sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	snprintf(out, size, "%s", text ? text : "");
}

/* ---- who ---------------------------------------------------------------- */

/* "PID:START": a pid alone is used again. */
static const char *own_name(char *out, size_t size)
{
	snprintf(out, size, "%d:%lld", (int)getpid(),
	    (long long)process_start(getpid()));
	return out;
}

static bool owner_lives(const char *owner)
{
	long long pid, start;

	return sscanf(owner, "%lld:%lld", &pid, &start) == 2 &&
	    process_lives(pid, start);
}

/* ---- when --------------------------------------------------------------- */

/* The first point of its grid half a period or more after due, and after
 * now. */
static int64_t on_grid(int64_t id, int64_t every, int64_t due, int64_t now)
{
	/* Multiples of the golden ratio spread any number of rows evenly. */
	double turn = fmod((double)id * 0.6180339887498949, 1.0);
	int64_t phase = (int64_t)(turn * (double)every);
	int64_t from = due + every / 2;

	if (from <= now)
		from = now + 1;
	return from + ((phase - from % every) % every + every) % every;
}

static double dice(void)
{
	uint32_t n = 0;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) < 0)
		n = (uint32_t)clock_mono();
	return n / 4294967296.0;
}

/* Failures in a row, this one with them. */
static int64_t after_failure(const struct row *r, int64_t due, int64_t now,
    int failures, const struct err *failed)
{
	int64_t next = on_grid(r->id, r->every, due, now);
	double ms;

	if (failed->code == ERR_THROTTLED) {
		ms = (double)failed->retry_after;
		if (ms > WAIT_MAX)
			ms = WAIT_MAX;
		/* It didn't say when: a doubling time of our own. */
		if (ms <= 0) {
			ms = (double)r->every * pow(2,
			    failures < 8 ? failures : 8);
			ms = ms > BACKOFF_MAX ? BACKOFF_MAX : ms;
		}
		ms = (double)now + ms + ms * dice() / 4;
		next = ms > (double)next ? (int64_t)ms : next;
	}
	if (failures >= OPEN_AT && next < now + PROBE_EVERY)
		next = now + PROBE_EVERY;
	return next;
}

/* The time planned for it, also after the clock went back. */
static int64_t due_time(const struct row *r, int64_t now)
{
	if (r->next == 0)
		return now;
	if (r->tried <= now + SLACK)
		return r->next;
	if (strcmp(r->state, "throttled") == 0 || r->failures >= OPEN_AT)
		return now + (r->next - r->tried);
	return now;
}

/* ---- the calls ---------------------------------------------------------- */

static void bind_row(sqlite3_stmt *s, const char *module,
    const char *kinds_json, int64_t every, int64_t now)
{
	sqlite3_bind_text(s, 4, module, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(s, 5, kinds_json, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(s, 6, every);
	sqlite3_bind_int64(s, 7, now);
}

int source_name(struct cache *c, const char *context, const char *source,
    const char *backend, const char *module, const char *kinds_json,
    int64_t every, struct err *err)
{
	int64_t now = clock_now();
	bool known;
	sqlite3_stmt *s = prepare_for(c, "SELECT 1 FROM main.source WHERE "
	    "context = ?1 AND source = ?2 AND backend = ?3 AND module = ?4 AND "
	    "kinds = ?5 AND every = ?6 AND named BETWEEN ?7 - 60000 AND ?8",
	    context, source, backend, err);

	if (!s)
		return -1;
	bind_row(s, module, kinds_json, every, now);
	sqlite3_bind_int64(s, 8, now + SLACK);
	known = sqlite3_step(s) == SQLITE_ROW;
	sqlite3_finalize(s);
	/* A write a minute, not one a round. */
	if (known)
		return 0;
	s = prepare_for(c, "INSERT INTO main.source (context, source, "
	    "backend, module, kinds, every, named) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
	    "ON CONFLICT (context, source, backend) DO UPDATE SET "
	    "module = ?4, kinds = ?5, every = ?6, named = ?7",
	    context, source, backend, err);
	if (!s)
		return -1;
	bind_row(s, module, kinds_json, every, now);
	return run(c, s, err) < 0 ? -1 : 0;
}

static int row_read(struct cache *c, sqlite3_stmt *s, struct row *r,
    const char *what, struct err *err)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW) {
		r->id = sqlite3_column_int64(s, 0);
		r->every = sqlite3_column_int64(s, 1);
		r->tried = sqlite3_column_int64(s, 2);
		r->next = sqlite3_column_int64(s, 3);
		r->claimed = sqlite3_column_int64(s, 4);
		r->failures = sqlite3_column_int(s, 5);
		copy_text(r->state, sizeof(r->state), s, 6);
		copy_text(r->owner, sizeof(r->owner), s, 7);
		if (r->every < 1)
			r->every = 1;
	} else if (rc == SQLITE_DONE) {
		err_set(err, ERR_FAILED, "cache: sources: %s is not there",
		    what);
	} else {
		db_fault(c, what, err);
	}
	sqlite3_finalize(s);
	return rc == SQLITE_ROW ? 0 : -1;
}

#define ROW_COLUMNS "id, every, tried, next, claimed, failures, state, owner"

static bool is_held(const struct row *r, int64_t now)
{
	return r->claimed > now - CLAIM_LIFE && r->claimed <= now + SLACK &&
	    owner_lives(r->owner);
}

/* 1 this process has it now, 0 it changed since r was read. */
static int take(struct cache *c, const struct row *r, int64_t now,
    struct err *err)
{
	char name[48];
	sqlite3_stmt *s = db_prepare(c, err, "UPDATE main.source SET "
	    "claimed = ?1, tried = ?1, owner = ?2 WHERE id = ?3 AND "
	    "claimed = ?4 AND tried = ?5 AND next = ?6 AND "
	    "coalesce(owner, '') = ?7");

	if (!s)
		return -1;
	db_bind(s, "isiiiis", now, own_name(name, sizeof(name)), r->id,
	    r->claimed, r->tried, r->next, r->owner);
	return run(c, s, err);
}

int source_claim(struct cache *c, const char *context, const char *source,
    const char *backend, bool force, int64_t since, struct claim *out,
    int64_t *next, struct err *err)
{
	int64_t now = clock_now(), due;
	struct row r = {0};
	sqlite3_stmt *s = prepare_for(c, "SELECT " ROW_COLUMNS
	    " FROM main.source WHERE context = ?1 AND source = ?2 AND backend = ?3",
	    context, source, backend, err);
	int got;

	if (!s || row_read(c, s, &r, backend, err) < 0)
		return -1;
	due = due_time(&r, now);
	*next = due;
	if (is_held(&r, now))
		return 2;
	if (force) {
		/* What another began after us is as good as ours. */
		if (r.tried > 0 && r.tried >= since && r.tried <= now + SLACK)
			return 0;
	} else if (due > now) {
		return 0;
	}
	got = take(c, &r, now, err);
	if (got < 1)
		return got < 0 ? -1 : 2;
	*out = (struct claim){
		.id = r.id, .due = due < now ? due : now, .began = now,
		.before = r.tried, .failures = r.failures,
	};
	return 1;
}

static const char *state_of(const struct err *failed)
{
	if (!failed)
		return "ok";
	if (failed->code == ERR_THROTTLED)
		return "throttled";
	return failed->code == ERR_REFUSED ? "refused" : "failing";
}

/* Nothing came of it: the next one to ask may have it at once. */
static int give_back(struct cache *c, const struct claim *k, const char *name,
    struct err *err)
{
	sqlite3_stmt *s = db_prepare(c, err, "UPDATE main.source SET "
	    "claimed = 0, owner = NULL, tried = ?4 "
	    "WHERE id = ?1 AND claimed = ?2 AND owner = ?3");

	if (!s)
		return -1;
	db_bind(s, "iisi", k->id, k->began, name, k->before);
	return run(c, s, err) < 0 ? -1 : 0;
}

static int put_result(struct cache *c, const struct claim *k,
    const char *name, int64_t next, int64_t took, int64_t rows,
    const struct err *failed, struct err *err)
{
	sqlite3_stmt *s = db_prepare(c, err, "UPDATE main.source SET "
	    "claimed = 0, owner = NULL, state = ?4, next = ?5, took = ?6, "
	    "error = ?7, seen = iif(?7 IS NULL, ?2, seen), "
	    "rows = iif(?7 IS NULL, ?8, rows), "
	    "failures = iif(?7 IS NULL, 0, ?9) "
	    "WHERE id = ?1 AND claimed = ?2 AND owner = ?3");

	if (!s)
		return -1;
	db_bind(s, "iissiisii", k->id, k->began, name, state_of(failed), next,
	    took, failed ? failed->text : NULL, rows,
	    (int64_t)k->failures + 1);
	return run(c, s, err) < 0 ? -1 : 0;
}

int source_done(struct cache *c, const struct claim *k, int64_t took,
    int64_t rows, const struct err *failed, struct err *err)
{
	int64_t now = clock_now(), next;
	struct row r = {0};
	char name[48];
	sqlite3_stmt *s;

	own_name(name, sizeof(name));
	if (failed && failed->code == ERR_CANCELLED)
		return give_back(c, k, name, err);
	s = db_prepare(c, err, "SELECT " ROW_COLUMNS " FROM main.source "
	    "WHERE id = ?1");
	if (!s)
		return -1;
	db_bind(s, "i", k->id);
	if (row_read(c, s, &r, "a backend", err) < 0)
		return -1;
	next = failed ? after_failure(&r, k->due, now, k->failures + 1, failed) :
	    on_grid(r.id, r.every, k->due, now);
	return put_result(c, k, name, next, took, rows, failed, err);
}

int source_forget(struct cache *c, const char *context, const char *source,
    int64_t t, struct err *err)
{
	sqlite3_stmt *s = db_prepare(c, err, "DELETE FROM main.source WHERE "
	    "context = ?1 AND source = ?2 AND named < ?3");

	if (!s)
		return -1;
	db_bind(s, "ssi", context, source, t);
	return run(c, s, err) < 0 ? -1 : 0;
}

int source_get(struct cache *c, const char *context, const char *source,
    const char *backend, struct source_row *out)
{
	sqlite3_stmt *s = prepare_for(c, "SELECT state, seen, tried, next, "
	    "failures, error FROM main.source WHERE context = ?1 AND source = ?2 "
	    "AND backend = ?3", context, source, backend, NULL);
	bool found = s && sqlite3_step(s) == SQLITE_ROW;

	*out = (struct source_row){ .state = "never" };
	if (found) {
		copy_text(out->state, sizeof(out->state), s, 0);
		out->seen = sqlite3_column_int64(s, 1);
		out->tried = sqlite3_column_int64(s, 2);
		out->next = sqlite3_column_int64(s, 3);
		out->failures = sqlite3_column_int(s, 4);
		copy_text(out->error, sizeof(out->error), s, 5);
	}
	sqlite3_finalize(s);
	return found ? 0 : -1;
}
