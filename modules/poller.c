/* Polling beside a screen: one scheduler and up to 16 workers.
 *
 * The scheduler knows when each backend may be due and hands it to a worker;
 * whether it is, the claim decides, with all other processes. Within the
 * process time is the monotonic clock's: a clock that is set back or forward
 * changes when a backend is looked at again by a period at most, and the claim
 * puts the rest right.
 *
 * A worker is a thread with its own connection to the cache. Backends that
 * fail may hold half of them at most, so that a fleet of silent ones doesn't
 * starve those that answer. Rules are work like polls: they may take longer
 * than the next poll can wait. */
#include "fetch_impl.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "find.h"
#include "publish.h"
#include "value.h"

#define WORKERS		16
#define LOOK		1000	/* ms; the longest sleep of the scheduler */
#define TIMEOUT		10000	/* of a poll */
#define TEND_EVERY	300000
#define STOP_WAIT	1000
#define HELD_WAIT	250	/* until another's claim is looked at again */

/* One backend in this process. The scheduler's, but for what a worker that has
 * it (busy) writes under the lock when it is through. */
struct slot {
	struct backend	 backend;	/* texts are its own */
	void		*memo;
	int64_t		 at;		/* monotonic: look at it then */
	int		 failures;
	bool		 busy, force;
	bool		 named;		/* by the list being read */
	bool		 gone;		/* the worker that has it frees it */
};

/* One source in one context. */
struct fleet {
	struct target		  target;
	struct slot		**slots;
	size_t			  n, cap;
	int64_t			  list_at;
	int64_t			  since;	/* r was pressed */
	bool			  ruled, shown;
	bool			  listed;	/* read once at least */
	bool			  fetched;	/* since the last round */
};

/* What is judged as one: a context. */
struct place {
	const struct context	*context;
	int64_t			 every, judge_at;
	bool			 judging;
};

enum work_type { WORK_POLL, WORK_JUDGE, WORK_TEND };
struct work {
	enum work_type	 type;
	struct fleet	*fleet;
	struct slot	*slot;
	struct place	*place;
};

struct poller {
	const struct session	*session;
	struct fleet		*fleets;
	size_t			 nfleets;
	struct place		*places;
	size_t			 nplaces;
	void			(*moved)(void *arg);
	void			*arg;
	struct task		*scheduler, *workers[WORKERS];

	pthread_mutex_t		 lock;	/* over all that follows, and slots */
	pthread_cond_t		 wake;	/* the scheduler */
	pthread_cond_t		 more;	/* workers */
	size_t			 nworkers, idle, failing;
	struct work		*queue;
	size_t			 head, tail, cap;
	bool			 stopping, rows;	/* rows came in */
	bool			 tending;
	int64_t			 tend_at, told_at;
};

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- slots ---------------------------------------------------------- */

static void slot_free(struct fleet *f, struct slot *s)
{
	if (s->memo && f->target.source->forget)
		f->target.source->forget(s->memo);
	free((char *)s->backend.address);
	free((char *)s->backend.name);
	free(s);
}

static struct slot *slot_find(struct fleet *f, const char *address, size_t hint)
{
	size_t i;

	/* Lists keep their order as a rule. */
	if (hint < f->n && !strcmp(f->slots[hint]->backend.address, address))
		return f->slots[hint];
	for (i = 0; i < f->n; i++)
		if (strcmp(f->slots[i]->backend.address, address) == 0)
			return f->slots[i];
	return NULL;
}

static void slot_add(struct fleet *f, const struct backend *b)
{
	struct slot *s = xcalloc(1, sizeof(*s));

	s->backend = (struct backend){
		.address = xstrdup(b->address),
		.name = b->name ? xstrdup(b->name) : NULL,
		.node = b->node,
	};
	s->named = true;
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 16;
		f->slots = xrealloc(f->slots, f->cap, sizeof(*f->slots));
	}
	f->slots[f->n++] = s;
}

/* Makes the slots those of the list. */
static void fleet_match(struct fleet *f, const struct backend_list *l)
{
	size_t i, kept = 0;

	for (i = 0; i < f->n; i++)
		f->slots[i]->named = false;
	for (i = 0; i < l->n; i++) {
		struct slot *s = slot_find(f, l->v[i].address, i);

		if (s)
			s->named = true;
		else
			slot_add(f, &l->v[i]);
	}
	for (i = 0; i < f->n; i++) {
		struct slot *s = f->slots[i];

		if (s->named)
			f->slots[kept++] = s;
		else if (s->busy)
			s->gone = true;
		else
			slot_free(f, s);
	}
	f->n = kept;
}

/* ---- the queue ------------------------------------------------------ */

static int worker_main(struct task *t, void *arg, struct err *err);

/* Under the lock. */
static void put(struct poller *p, struct work w)
{
	if (p->tail == p->cap) {
		if (p->head > 0)
			memmove(p->queue, p->queue + p->head,
			    (p->tail - p->head) * sizeof(*p->queue));
		p->tail -= p->head;
		p->head = 0;
		if (p->tail * 2 >= p->cap) {
			p->cap = p->cap ? 2 * p->cap : 64;
			p->queue = xrealloc(p->queue, p->cap,
			    sizeof(*p->queue));
		}
	}
	p->queue[p->tail++] = w;
	if (p->tail - p->head > p->idle && p->nworkers < WORKERS)
		p->workers[p->nworkers++] = task_start("", NULL, worker_main,
		    p, NULL);
	pthread_cond_signal(&p->more);
}

/* False when it is time to go home. */
static bool take(struct poller *p, struct work *w)
{
	bool more;

	pthread_mutex_lock(&p->lock);
	p->idle++;
	while (p->head == p->tail && !p->stopping)
		pthread_cond_wait(&p->more, &p->lock);
	p->idle--;
	more = !p->stopping;
	if (more)
		*w = p->queue[p->head++];
	pthread_mutex_unlock(&p->lock);
	return more;
}

/* ---- what workers do ------------------------------------------------ */

struct worker {
	struct poller	*poller;
	struct task	*task;
	struct cache	*cache;
};

/* Under the lock: the worker is through with the slot. */
static void slot_return(struct poller *p, struct fleet *f, struct slot *s,
    bool forced, int64_t wait, int failures)
{
	int64_t most = f->target.every > 30000 ? f->target.every : 30000;

	if (s->failures > 0)
		p->failing--;
	s->failures = failures;
	s->busy = false;
	/* It may have been pressed again meanwhile. */
	if (forced)
		s->force = false;
	if (s->force || wait < 0)
		wait = 0;
	/* Looked at now and then also where the clock says never. */
	s->at = clock_mono() + earlier(wait, most);
	if (s->gone)
		slot_free(f, s);
	pthread_cond_signal(&p->wake);
}

static void do_poll(struct worker *w, struct fleet *f, struct slot *s,
    bool force, int64_t since)
{
	const struct target *t = &f->target;
	struct fetch fetch = {
		.backend = &s->backend, .cache = w->cache, .task = w->task,
		.timeout = TIMEOUT, .memo = s->memo, .forced = force,
	};
	struct source_row row = {0};
	struct err err = {0};
	struct claim claim;
	int64_t next = 0;
	int got = source_claim(w->cache, t->context->name, t->source->name,
	    s->backend.address, force, since, &claim, &next, &err);

	if (got == 1) {
		target_poll(t, &fetch, &claim, 0, &err);
		s->memo = fetch.memo;
	}
	if (got != 2 && source_get(w->cache, t->context->name,
	    t->source->name, s->backend.address, &row) == 0)
		next = row.next;
	/* A cache that can't be written now may be later. */
	if (got < 0 || got == 2 || next == 0)
		next = clock_now() + (got == 2 ? HELD_WAIT : t->every);
	pthread_mutex_lock(&w->poller->lock);
	if (got == 1) {
		f->fetched = true;
		w->poller->rows = true;
	}
	slot_return(w->poller, f, s, force && got != 2, next - clock_now(),
	    row.failures);
	pthread_mutex_unlock(&w->poller->lock);
}

/* The fleet of a source as the slots have it, for its round. */
static void fleet_list(struct poller *p, struct fleet *f,
    struct backend_list *l)
{
	size_t i;

	pthread_mutex_lock(&p->lock);
	for (i = 0; i < f->n; i++)
		backend_add(l, f->slots[i]->backend.address,
		    f->slots[i]->backend.name, f->slots[i]->backend.node);
	f->fetched = false;
	pthread_mutex_unlock(&p->lock);
}

static void do_judge(struct worker *w, struct place *place)
{
	struct poller *p = w->poller;
	struct err err = {0};
	struct buf note = {0};
	size_t i;

	for (i = 0; i < p->nfleets; i++) {
		struct fleet *f = &p->fleets[i];
		struct backend_list l = {0};
		bool fetched;

		pthread_mutex_lock(&p->lock);
		fetched = f->fetched;
		pthread_mutex_unlock(&p->lock);
		if (f->target.context != place->context || !fetched)
			continue;
		/* What fails here is tried again after the next poll. */
		fleet_list(p, f, &l);
		target_round(&f->target, w->cache, &l, &err);
		backend_list_release(&l);
	}
	if (!task_cancelled(w->task))
		find_evaluate(p->session, w->cache, place->context,
		    clock_now(), w->task, &note, &err);
	buf_free(&note);
	pthread_mutex_lock(&p->lock);
	place->judging = false;
	place->judge_at = clock_mono() + place->every;
	p->rows = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

/* One process at a time, once in five minutes for all: the lock's file is as
 * old as the last time. */
static void do_tend(struct worker *w)
{
	const struct config *config = &w->poller->session->config;
	char *path = xasprintf("%s/tend.lock", config->cache_dir ?
	    config->cache_dir : "");
	int fd = cache_in_memory(w->cache) ? -1 :
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct timespec now;
	struct err err = {0};
	struct stat st;
	bool due = true;

	clock_gettime(CLOCK_REALTIME, &now);
	if (fd >= 0)
		due = flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		    fstat(fd, &st) == 0 && (st.st_size == 0 ||
		    llabs((long long)(now.tv_sec - st.st_mtime)) * 1000 >=
		    TEND_EVERY);
	if (due && (fd < 0 || pwrite(fd, "\n", 1, 0) == 1))
		cache_tend(w->cache, config_duration(config, "cache.keep",
		    30LL * 86400000), config_size(config, "cache.max",
		    2000000000LL), w->task, &err);
	if (fd >= 0)
		close(fd);
	free(path);
	pthread_mutex_lock(&w->poller->lock);
	w->poller->tending = false;
	w->poller->tend_at = clock_mono() + TEND_EVERY;
	pthread_mutex_unlock(&w->poller->lock);
}

static void do_work(struct worker *w, const struct work *work)
{
	bool force;
	int64_t since;

	switch (work->type) {
	case WORK_POLL:
		pthread_mutex_lock(&w->poller->lock);
		force = work->slot->force;
		since = work->fleet->since;
		pthread_mutex_unlock(&w->poller->lock);
		do_poll(w, work->fleet, work->slot, force, since);
		break;
	case WORK_JUDGE:
		do_judge(w, work->place);
		break;
	case WORK_TEND:
		do_tend(w);
		break;
	}
}

/* A connection to the cache, however long it takes to get one. */
static struct cache *own_cache(struct poller *p, struct task *t,
    struct err *err)
{
	struct cache *c;

	while (!(c = session_cache(p->session, err)))
		if (task_sleep(t, LOOK, err) < 0)
			return NULL;
	return c;
}

static int worker_main(struct task *t, void *arg, struct err *err)
{
	struct worker w = { .poller = arg, .task = t };
	struct work work = {0};

	w.cache = own_cache(w.poller, t, err);
	if (!w.cache)
		return -1;
	while (take(w.poller, &work))
		do_work(&w, &work);
	cache_close(w.cache);
	return 0;
}

/* Whether a source fills one of those kinds. */
static bool fills(const struct source *s, const char *const *kinds)
{
	size_t i, k;

	for (k = 0; kinds && kinds[k]; k++)
		for (i = 0; s->kinds[i]; i++)
			if (strcmp(s->kinds[i], kinds[k]) == 0)
				return true;
	return false;
}

/* ---- the scheduler -------------------------------------------------- */

/* Which backends there are is asked of the config again and again; the lock is
 * not held while its globs and files are read. */
static void fleet_read(struct poller *p, struct fleet *f, struct cache *c)
{
	struct backend_list l = {0};
	struct err err = {0};
	bool good = target_list(&f->target, c, &l, &err) == 0, first;

	pthread_mutex_lock(&p->lock);
	/* Of an empty fleet nothing is fetched, and all that was in it is
	 * gone: a round says so. */
	first = good && !f->listed && !l.n;
	if (good) {
		f->fetched |= f->n && !l.n;
		f->listed = true;
		fleet_match(f, &l);
	}
	f->list_at = clock_mono() + f->target.every;
	pthread_mutex_unlock(&p->lock);
	/* Not judged: nothing is in yet that a rule could go by. */
	if (first)
		target_round(&f->target, c, &l, &err);
	backend_list_release(&l);
}

static void read_fleets(struct poller *p, struct cache *c)
{
	size_t i;

	for (i = 0; i < p->nfleets; i++) {
		struct fleet *f = &p->fleets[i];
		bool due;

		pthread_mutex_lock(&p->lock);
		due = (f->ruled || f->shown) && clock_mono() >= f->list_at;
		pthread_mutex_unlock(&p->lock);
		if (due)
			fleet_read(p, f, c);
	}
}

/* Hands out what is due; when the next may be. Under the lock. */
static int64_t schedule_fleet(struct poller *p, struct fleet *f, int64_t now)
{
	int64_t next = f->list_at;
	size_t i;

	if (!f->ruled && !f->shown)
		return now + LOOK;
	for (i = 0; i < f->n; i++) {
		struct slot *s = f->slots[i];

		if (s->busy)
			continue;
		if (s->at > now) {
			next = earlier(next, s->at);
			continue;
		}
		if (s->failures > 0) {
			/* Its turn comes when one of those is through. */
			if (p->failing >= WORKERS / 2)
				continue;
			p->failing++;
		}
		s->busy = true;
		put(p, (struct work){ WORK_POLL, f, s, NULL });
	}
	return next;
}

static int64_t schedule_place(struct poller *p, struct place *place,
    int64_t now)
{
	bool fetched = false;
	size_t i;

	for (i = 0; i < p->nfleets; i++)
		if (p->fleets[i].target.context == place->context)
			fetched |= p->fleets[i].fetched;
	if (!fetched || place->judging)
		return now + LOOK;
	if (place->judge_at > now)
		return place->judge_at;
	place->judging = true;
	put(p, (struct work){ WORK_JUDGE, NULL, NULL, place });
	return now + LOOK;
}

/* Hands out all that is due. Returns when to look again. */
static int64_t schedule(struct poller *p)
{
	int64_t now = clock_mono(), next = now + LOOK;
	size_t i;

	for (i = 0; i < p->nfleets; i++)
		next = earlier(next, schedule_fleet(p, &p->fleets[i], now));
	for (i = 0; i < p->nplaces; i++)
		next = earlier(next, schedule_place(p, &p->places[i], now));
	if (!p->tending && now >= p->tend_at) {
		p->tending = true;
		put(p, (struct work){ WORK_TEND, NULL, NULL, NULL });
	}
	if (p->rows)
		next = earlier(next, p->told_at + LOOK);
	return next;
}

static void wait_until(struct poller *p, int64_t at)
{
	struct timespec ts = {
		.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000,
	};

	if (!p->stopping && at > clock_mono())
		pthread_cond_timedwait(&p->wake, &p->lock, &ts);
}

static int scheduler_main(struct task *t, void *arg, struct err *err)
{
	struct poller *p = arg;
	struct cache *c = own_cache(p, t, err);
	const char **ruled;
	size_t i;

	if (!c)
		return -1;
	ruled = find_kinds(p->session, c);
	pthread_mutex_lock(&p->lock);
	for (i = 0; i < p->nfleets; i++)
		p->fleets[i].ruled = fills(p->fleets[i].target.source, ruled);
	while (!p->stopping) {
		bool tell;

		pthread_mutex_unlock(&p->lock);
		read_fleets(p, c);
		publish_tasks(c);
		pthread_mutex_lock(&p->lock);
		tell = p->rows && clock_mono() >= p->told_at + LOOK;
		if (tell) {
			p->rows = false;
			p->told_at = clock_mono();
			pthread_mutex_unlock(&p->lock);
			if (p->moved)
				p->moved(p->arg);
			pthread_mutex_lock(&p->lock);
		}
		wait_until(p, schedule(p));
	}
	pthread_mutex_unlock(&p->lock);
	free(ruled);
	cache_close(c);
	return 0;
}

/* ---- the calls ------------------------------------------------------ */

static void init_places(struct poller *p,
    const struct context *const *contexts, size_t n)
{
	const struct module *const *m;
	size_t i, j, sources = 0;

	for (m = p->session->registry.modules; *m; m++)
		for (i = 0; (*m)->sources && (*m)->sources[i]; i++)
			sources++;
	p->fleets = xcalloc(n * sources + 1, sizeof(*p->fleets));
	p->places = xcalloc(n + 1, sizeof(*p->places));
	p->nplaces = n;
	for (j = 0; j < n; j++) {
		struct place *place = &p->places[j];

		place->context = contexts[j];
		place->every = 60000;
		for (m = p->session->registry.modules; *m; m++)
			for (i = 0; (*m)->sources && (*m)->sources[i]; i++) {
				struct fleet *f = &p->fleets[p->nfleets++];

				target_init(&f->target, p->session,
				    contexts[j], (*m)->sources[i]);
				place->every = earlier(place->every,
				    f->target.every);
			}
		if (place->every < LOOK)
			place->every = LOOK;
	}
}

struct poller *poller_start(const struct session *s,
    const struct context *const *contexts, size_t ncontexts,
    void (*moved)(void *arg), void *arg)
{
	struct poller *p = xcalloc(1, sizeof(*p));
	pthread_condattr_t mono;
	struct buf title = {0};
	size_t i;

	p->session = s;
	p->moved = moved;
	p->arg = arg;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &mono);
	pthread_cond_init(&p->more, NULL);
	pthread_condattr_destroy(&mono);
	/* Upkeep waits until the first rows are in. */
	p->tend_at = clock_mono() + 10 * LOOK;
	init_places(p, contexts, ncontexts);
	buf_adds(&title, "poll ");
	for (i = 0; i < ncontexts; i++)
		buf_addf(&title, "%s%s", i ? ", " : "", contexts[i]->name);
	p->scheduler = task_start("", buf_str(&title), scheduler_main, p,
	    NULL);
	buf_free(&title);
	return p;
}

void poller_show(struct poller *p, const char *const *kinds)
{
	size_t i;

	pthread_mutex_lock(&p->lock);
	for (i = 0; i < p->nfleets; i++)
		p->fleets[i].shown = fills(p->fleets[i].target.source, kinds);
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

void poller_refresh(struct poller *p)
{
	size_t i, k;

	pthread_mutex_lock(&p->lock);
	for (i = 0; i < p->nfleets; i++) {
		struct fleet *f = &p->fleets[i];

		if (!f->shown)
			continue;
		f->since = clock_now();
		f->list_at = 0;
		for (k = 0; k < f->n; k++) {
			f->slots[k]->force = true;
			f->slots[k]->at = 0;
		}
	}
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

static void poller_free(struct poller *p)
{
	size_t i, k;

	for (i = 0; i < p->nfleets; i++) {
		struct fleet *f = &p->fleets[i];

		for (k = 0; k < f->n; k++)
			slot_free(f, f->slots[k]);
		free(f->slots);
		target_release(&f->target);
	}
	free(p->fleets);
	free(p->places);
	free(p->queue);
	pthread_cond_destroy(&p->wake);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static bool all_ended(struct poller *p)
{
	size_t i;

	for (i = 0; i < p->nworkers; i++)
		if (!task_ended(p->workers[i]))
			return false;
	return true;
}

void poller_stop(struct poller *p)
{
	int64_t until = clock_mono() + STOP_WAIT;
	size_t i;

	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->more);
	pthread_cond_signal(&p->wake);
	task_cancel(p->scheduler);
	for (i = 0; i < p->nworkers; i++)
		task_cancel(p->workers[i]);
	pthread_mutex_unlock(&p->lock);
	/* The scheduler waits for nobody, and hires no more from here on. */
	task_free(p->scheduler);
	while (!all_ended(p) && clock_mono() < until)
		task_sleep(NULL, 5, NULL);
	/* What still isn't through (a disk that hangs) is left what it works
	 * with: the process is about to end. */
	if (!all_ended(p))
		return;
	for (i = 0; i < p->nworkers; i++)
		task_free(p->workers[i]);
	poller_free(p);
}
