/* A command brings what it needs up to date, and waits for it.
 *
 * The calling thread claims, waits and reports; up to 32 workers ask. What
 * another process has in hand is waited for, not asked a second time. Whoever
 * is not back by the limit is cancelled, and every worker is joined before the
 * call returns: nothing goes on behind the caller's back. */
#include "fetch_impl.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "find.h"
#include "value.h"

#define WORKERS		32
#define ASK_AGAIN	40	/* ms between looks at another's claim */
/* ms. A poll that began so soon has the whole limit, in round figures; and its
 * own limit speaks before ours, because it knows what it waited for. */
#define GRACE		100

enum job_state {
	JOB_HELD,	/* another process has it */
	JOB_READY,	/* claimed, waits for a worker */
	JOB_RUNNING,
	JOB_OVER,
};
struct group {
	struct target		 target;
	struct backend_list	 list;
	bool			 fetched;
};
struct job {
	struct group		*group;
	const struct backend	*backend;
	struct claim		 claim;
	enum job_state		 state;
	bool			 claimed;	/* to be given back */
	bool			 tried;
	struct err		 err;		/* ERR_NONE: good */
};
struct work {
	const struct session	*session;
	struct cache		*cache;
	enum fetch_mode		 mode;
	int64_t			 since, began, timeout;
	struct group		*groups;
	size_t			 ngroups;
	struct job		*jobs;
	size_t			 n;
	struct task		*workers[WORKERS];
	size_t			 nworkers;
	int			 moved;		/* eventfd: a job is over */
	pthread_mutex_t		 lock;		/* over what follows, and jobs */
	pthread_cond_t		 ready;
	bool			 closing, expired;
};

/* ---- what is needed ------------------------------------------------- */

static int work_list(struct work *w, const struct context *const *contexts,
    size_t ncontexts, const char *const *kinds, struct err *err)
{
	const struct source *sources[SOURCES_MAX];
	size_t n, i, j;

	n = sources_of_kinds(&w->session->registry, kinds, sources,
	    SOURCES_MAX);
	w->groups = xcalloc(ncontexts * n + 1, sizeof(*w->groups));
	for (i = 0; i < ncontexts; i++)
		for (j = 0; j < n; j++) {
			struct group *g = &w->groups[w->ngroups++];

			target_init(&g->target, w->session, contexts[i],
			    sources[j]);
			if (target_list(&g->target, w->cache, &g->list,
			    err) < 0)
				return -1;
			w->n += g->list.n;
		}
	w->jobs = xcalloc(w->n + 1, sizeof(*w->jobs));
	w->n = 0;
	for (i = 0; i < w->ngroups; i++)
		for (j = 0; j < w->groups[i].list.n; j++)
			w->jobs[w->n++] = (struct job){
				.group = &w->groups[i],
				.backend = &w->groups[i].list.v[j],
				.state = JOB_HELD,
			};
	return 0;
}

static void job_row(struct work *w, const struct job *j, struct source_row *r)
{
	source_get(w->cache, j->group->target.context->name,
	    j->group->target.source->name, j->backend->address, r);
}

/* It won't be asked now: what the last to ask it found stands. */
static void job_settle(struct work *w, struct job *j,
    const struct source_row *row)
{
	static const struct { const char *state; enum err_code code; } codes[] = {
		{ "refused", ERR_REFUSED },
		{ "throttled", ERR_THROTTLED },
		{ "failing", ERR_UNREACHABLE },
	};
	size_t i;

	j->state = JOB_OVER;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(row->state, codes[i].state) == 0)
			err_set(&j->err, codes[i].code, "%s", row->error);
	/* Another asked it for us. */
	j->tried = row->tried >= w->since;
}

/* Claims it where that is needed and possible. */
static void job_claim(struct work *w, struct job *j)
{
	const struct target *t = &j->group->target;
	bool force = w->mode == FETCH_ALWAYS;
	int64_t now = clock_now(), since = w->since, next;
	struct source_row row;
	int got;

	job_row(w, j, &row);
	/* Good rows are stale by their age, whatever is planned for them. */
	if (!force && strcmp(row.state, "ok") == 0) {
		if (row.seen <= now && row.seen > now - t->every) {
			job_settle(w, j, &row);
			return;
		}
		force = true;
		since = now - t->every + 1;
	}
	got = source_claim(w->cache, t->context->name, t->source->name,
	    j->backend->address, force, since, &j->claim, &next, &j->err);
	switch (got) {
	case 1:
		j->claimed = j->tried = true;
		j->state = JOB_READY;
		break;
	case 2:
		break;
	case 0:
		/* It may have become so between the two reads. */
		job_row(w, j, &row);
		job_settle(w, j, &row);
		break;
	default:
		j->state = JOB_OVER;
	}
}

/* ---- workers -------------------------------------------------------- */

static int64_t work_left(const struct work *w)
{
	return w->timeout > 0 ? w->began + w->timeout - clock_mono() :
	    24 * 3600000;
}

/* Waits for a job; NULL when there will be no more. */
static struct job *work_next(struct work *w)
{
	struct job *j = NULL;
	size_t i;

	pthread_mutex_lock(&w->lock);
	while (!j && !w->closing) {
		for (i = 0; work_left(w) > 0 && i < w->n && !j; i++)
			if (w->jobs[i].state == JOB_READY)
				j = &w->jobs[i];
		if (!j)
			pthread_cond_wait(&w->ready, &w->lock);
	}
	if (j)
		j->state = JOB_RUNNING;
	pthread_mutex_unlock(&w->lock);
	return j;
}

static void work_tell(struct work *w)
{
	static const uint64_t one = 1;

	/* It can only fail because it is readable already. */
	if (write(w->moved, &one, sizeof(one)) < 0)
		return;
}

static void job_run(struct work *w, struct job *j, struct cache *cache,
    struct task *t)
{
	const struct source *source = j->group->target.source;
	struct fetch f = {
		.backend = j->backend, .cache = cache, .task = t,
		.timeout = work_left(w), .forced = w->mode == FETCH_ALWAYS,
	};
	struct err err = {0};
	bool expired;

	if (f.timeout < 1)
		f.timeout = 1;
	if (w->timeout > 0 && w->timeout - f.timeout <= GRACE)
		f.timeout = w->timeout;
	target_poll(&j->group->target, &f, &j->claim, w->timeout, &err);
	if (source->forget && f.memo)
		source->forget(f.memo);
	pthread_mutex_lock(&w->lock);
	expired = w->expired;
	j->err = err;
	j->state = JOB_OVER;
	j->claimed = false;
	j->group->fetched |= !task_cancelled(t) || expired;
	pthread_mutex_unlock(&w->lock);
	work_tell(w);
}

static int worker(struct task *t, void *arg, struct err *err)
{
	struct work *w = arg;
	/* One in memory is this connection's alone; the calling thread leaves
	 * it to the only worker until that is through. */
	bool borrowed = cache_in_memory(w->cache);
	struct cache *cache = borrowed ? w->cache :
	    session_cache(w->session, err);
	struct job *j;

	while ((j = work_next(w))) {
		if (cache) {
			job_run(w, j, cache, t);
			continue;
		}
		pthread_mutex_lock(&w->lock);
		j->state = JOB_OVER;
		j->err = *err;
		pthread_mutex_unlock(&w->lock);
		work_tell(w);
	}
	if (cache && !borrowed)
		cache_close(cache);
	return cache ? 0 : -1;
}

static void work_hire(struct work *w, size_t ready)
{
	if (cache_in_memory(w->cache) && ready > 1)
		ready = 1;
	while (w->nworkers < WORKERS && w->nworkers < ready)
		w->workers[w->nworkers++] = task_start("", NULL, worker, w,
		    NULL);
}

/* ---- the wait ------------------------------------------------------- */

static void work_count(struct work *w, size_t *held, size_t *open,
    size_t *claimed)
{
	size_t i;

	*held = *open = *claimed = 0;
	pthread_mutex_lock(&w->lock);
	for (i = 0; i < w->n; i++) {
		*held += w->jobs[i].state == JOB_HELD;
		*open += w->jobs[i].state != JOB_OVER;
		*claimed += w->jobs[i].claimed;
	}
	pthread_mutex_unlock(&w->lock);
}

static void claim_held(struct work *w)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		/* Only this thread moves a job out of JOB_HELD. */
		struct job *j = &w->jobs[i], copy;

		pthread_mutex_lock(&w->lock);
		copy = *j;
		pthread_mutex_unlock(&w->lock);
		if (copy.state != JOB_HELD)
			continue;
		job_claim(w, &copy);
		pthread_mutex_lock(&w->lock);
		*j = copy;
		pthread_cond_signal(&w->ready);
		pthread_mutex_unlock(&w->lock);
	}
}

/* Until all jobs are over or the limit is; -1 only for a cancel of t. */
static int work_wait(struct work *w, struct task *t, struct err *err)
{
	size_t held, open, claimed;
	uint64_t n;

	for (;;) {
		struct pollfd p[2] = {
			{ .fd = w->moved, .events = POLLIN },
			{ .fd = task_fd(t), .events = POLLIN },
		};
		int64_t left = work_left(w) + 2 * GRACE;

		if (task_check(t, err) < 0)
			return -1;
		work_count(w, &held, &open, &claimed);
		if (open == 0 || left <= 0)
			return 0;
		work_hire(w, claimed);
		if (held && left > ASK_AGAIN)
			left = ASK_AGAIN;
		poll(p, 2, left > 60000 ? 60000 : (int)left);
		if (read(w->moved, &n, sizeof(n)) < 0 && errno != EAGAIN)
			return err_set(err, ERR_FAILED, "eventfd: %s",
			    strerror(errno));
		if (held)
			claim_held(w);
	}
}

/* Sends the workers home: they leave what they do within 200 ms. */
static void work_close(struct work *w, bool expired)
{
	size_t i;

	pthread_mutex_lock(&w->lock);
	w->closing = true;
	w->expired = expired;
	pthread_cond_broadcast(&w->ready);
	pthread_mutex_unlock(&w->lock);
	for (i = 0; i < w->nworkers; i++)
		task_cancel(w->workers[i]);
	for (i = 0; i < w->nworkers; i++)
		task_free(w->workers[i]);
}

/* What nobody came to is given back, and has failed. */
static void work_abandon(struct work *w)
{
	static const struct err cancelled = { .code = ERR_CANCELLED };
	size_t i;

	for (i = 0; i < w->n; i++) {
		struct job *j = &w->jobs[i];

		if (j->claimed)
			source_done(w->cache, &j->claim, 0, 0, &cancelled,
			    NULL);
		if (j->state != JOB_OVER)
			err_set(&j->err, ERR_UNREACHABLE,
			    "%s %s: timed out after %.4gs%s",
			    j->group->target.source->name, j->backend->address,
			    w->timeout / 1e3, j->state == JOB_HELD ?
			    ", another kiban is asking it" :
			    ", before its turn");
		j->state = JOB_OVER;
	}
}

/* ---- afterwards ----------------------------------------------------- */

static void report_job(struct work *w, const struct job *j,
    struct fetch_report *r)
{
	struct source_row row;

	job_row(w, j, &row);
	r->backends++;
	r->empty += row.seen == 0;
	r->tried += j->tried;
	if (j->err.code == ERR_NONE)
		return;
	r->failures = xrealloc(r->failures, r->failed + 1,
	    sizeof(*r->failures));
	r->failures[r->failed++] = (struct fetch_failure){
		.text = xasprintf("%s: %s", j->group->target.module,
		    j->err.text),
		.seen = row.seen,
	};
	if (j->err.code == ERR_REFUSED)
		r->refused++;
	else if (j->err.code != ERR_UNREACHABLE)
		r->unusable++;
}

void fetch_report_release(struct fetch_report *r)
{
	size_t i;

	for (i = 0; i < r->failed; i++)
		free(r->failures[i].text);
	free(r->failures);
	buf_free(&r->note);
	*r = (struct fetch_report){0};
}

/* Rounds and rules of what was fetched. The rows are in: a rule that fails is
 * a note, no failure of the fetch. */
static void work_judge(struct work *w, const struct context *const *contexts,
    size_t ncontexts, bool rules, struct task *t, struct fetch_report *r)
{
	struct err err = {0};
	size_t i, k;

	for (i = 0; i < ncontexts; i++) {
		bool any = rules;

		for (k = 0; k < w->ngroups; k++) {
			struct group *g = &w->groups[k];

			/* Of an empty fleet nothing is fetched, and all that
			 * was in it is gone. */
			if (g->target.context != contexts[i] ||
			    (!g->fetched && g->list.n))
				continue;
			any = true;
			if (target_round(&g->target, w->cache, &g->list,
			    &err) < 0)
				buf_addf(&r->note, "%s%s", r->note.n ? "; " :
				    "", err.text);
		}
		if (any && find_evaluate(w->session, w->cache, contexts[i],
		    clock_now(), t, &r->note, &err) < 0 &&
		    err.code != ERR_CANCELLED)
			buf_addf(&r->note, "%s%s", r->note.n ? "; " : "",
			    err.text);
	}
}

static void work_init(struct work *w)
{
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->ready, NULL);
	w->moved = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->moved < 0)
		die("no file descriptor: %s", strerror(errno));
}

static void work_release(struct work *w)
{
	size_t i;

	for (i = 0; i < w->ngroups; i++) {
		backend_list_release(&w->groups[i].list);
		target_release(&w->groups[i].target);
	}
	free(w->groups);
	free(w->jobs);
	close(w->moved);
	pthread_cond_destroy(&w->ready);
	pthread_mutex_destroy(&w->lock);
}

int fetch_kinds(const struct session *s, struct cache *cache,
    const struct context *const *contexts, size_t ncontexts,
    const char *const *kinds, enum fetch_mode mode, bool rules,
    int64_t timeout, struct task *t, struct fetch_report *report,
    struct err *err)
{
	struct work w = {
		.session = s, .cache = cache, .mode = mode,
		.since = clock_now(), .began = clock_mono(),
		.timeout = timeout,
	};
	int result;
	size_t i;

	*report = (struct fetch_report){0};
	work_init(&w);
	result = work_list(&w, contexts, ncontexts, kinds, err);
	if (result == 0 && mode != FETCH_NEVER) {
		claim_held(&w);
		result = work_wait(&w, t, err);
		work_close(&w, result == 0);
		work_abandon(&w);
		if (result == 0)
			work_judge(&w, contexts, ncontexts, rules, t, report);
		if (result == 0)
			result = task_check(t, err);
	}
	if (result == 0)
		for (i = 0; i < w.n; i++)
			report_job(&w, &w.jobs[i], report);
	work_release(&w);
	return result;
}
