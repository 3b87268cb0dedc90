/* The desk between the loop and its tasks: one queue of what came back, one
 * pipe that wakes the loop, a few connections to the cache that go from task
 * to task, because opening one takes longer than most queries. */
#include "desk.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem.h"

#define SPARE_MAX 3

struct post {
	struct post	*next;
	struct work	*work;
	void		*part;		/* NULL: it ended */
};

struct desk {
	const struct session	*session;
	int			 wake[2];
	atomic_bool		 poked;
	struct work		*works;		/* the loop's own */

	pthread_mutex_t		 lock;		/* over all below */
	pthread_cond_t		 answered;
	struct post		*first, **last;
	struct cache		*spare[SPARE_MAX];
	size_t			 nspare;
};

struct work {
	struct work		*next;
	struct desk		*desk;
	const struct work_kind	*kind;
	void			*arg;
	struct task		*task;		/* as the loop knows it */
	struct task		*own;		/* as the task itself does */
	struct cache		*cache;
	bool			 failed;
	struct err		 err;
	/* Of the last question, which the loop may still look at; changed under
	 * the desk's lock: */
	char			*question, *wanted;
	bool			 asking, yes;
};

/* ---- the queue ---------------------------------------------------------- */

static void wake(struct desk *d)
{
	ssize_t n = write(d->wake[1], "", 1);

	(void)n;	/* full: it is awake already */
}

static void post(struct work *w, void *part)
{
	struct desk *d = w->desk;
	struct post *p = xcalloc(1, sizeof(*p));

	p->work = w;
	p->part = part;
	pthread_mutex_lock(&d->lock);
	*d->last = p;
	d->last = &p->next;
	pthread_mutex_unlock(&d->lock);
	wake(d);
}

static struct post *take_post(struct desk *d)
{
	struct post *p;

	pthread_mutex_lock(&d->lock);
	p = d->first;
	if (p && !(d->first = p->next))
		d->last = &d->first;
	pthread_mutex_unlock(&d->lock);
	return p;
}

void desk_poke(void *desk)
{
	struct desk *d = desk;

	atomic_store(&d->poked, true);
	wake(d);
}

/* ---- on the task -------------------------------------------------------- */

static int work_main(struct task *t, void *arg, struct err *err)
{
	struct work *w = arg;

	w->own = t;
	w->failed = w->kind->run(w, w->arg, err) < 0;
	if (w->failed)
		w->err = *err;
	return w->failed ? -1 : 0;
}

static void work_finished(struct task *t, void *arg)
{
	(void)t;
	post(arg, NULL);
}

struct task *work_task(struct work *w)
{
	return w->own;
}

const struct session *work_session(const struct work *w)
{
	return w->desk->session;
}

struct cache *work_cache(struct work *w, struct err *err)
{
	struct desk *d = w->desk;

	if (w->cache)
		return w->cache;
	pthread_mutex_lock(&d->lock);
	if (d->nspare)
		w->cache = d->spare[--d->nspare];
	pthread_mutex_unlock(&d->lock);
	if (!w->cache)
		w->cache = session_cache(d->session, err);
	return w->cache;
}

void work_send(struct work *w, void *part)
{
	post(w, part);
}

bool work_ask(struct work *w, const char *question, const char *wanted)
{
	struct desk *d = w->desk;
	bool yes;

	/* Nobody is to be asked any more, and what was asked before may be in
	 * use: only an answer, which the loop gave, says that it isn't. */
	if (task_cancelled(w->own))
		return false;
	pthread_mutex_lock(&d->lock);
	free(w->question);
	free(w->wanted);
	w->question = xstrdup(question);
	w->wanted = wanted ? xstrdup(wanted) : NULL;
	w->asking = true;
	w->yes = false;
	wake(d);
	while (w->asking && !task_cancelled(w->own))
		pthread_cond_wait(&d->answered, &d->lock);
	w->asking = false;
	yes = w->yes;
	pthread_mutex_unlock(&d->lock);
	return yes;
}

/* ---- on the loop -------------------------------------------------------- */

struct work *work_start(struct desk *d, const char *module, const char *title,
    const struct work_kind *kind, void *arg)
{
	struct work *w = xcalloc(1, sizeof(*w));

	w->desk = d;
	w->kind = kind;
	w->arg = arg;
	w->next = d->works;
	d->works = w;
	w->task = task_start(module, title, work_main, w, work_finished);
	return w;
}

void work_cancel(struct work *w)
{
	task_cancel(w->task);
	pthread_mutex_lock(&w->desk->lock);
	pthread_cond_broadcast(&w->desk->answered);
	pthread_mutex_unlock(&w->desk->lock);
}

void *work_arg(struct work *w)
{
	return w->arg;
}

void work_info(struct work *w, struct task_info *out)
{
	task_info(w->task, out);
}

void work_answer(struct work *w, bool yes)
{
	pthread_mutex_lock(&w->desk->lock);
	w->yes = yes;
	w->asking = false;
	pthread_cond_broadcast(&w->desk->answered);
	pthread_mutex_unlock(&w->desk->lock);
}

struct work *desk_asking(const struct desk *d, const char **question,
    const char **wanted)
{
	struct desk *own = (struct desk *)d;
	struct work *found = NULL;

	pthread_mutex_lock(&own->lock);
	for (struct work *w = d->works; w; w = w->next)
		if (w->asking)
			found = w;	/* the list has the youngest first */
	if (found && question)
		*question = found->question;
	if (found && wanted)
		*wanted = found->wanted;
	pthread_mutex_unlock(&own->lock);
	return found;
}

bool desk_busy(const struct desk *d)
{
	struct desk *own = (struct desk *)d;
	bool busy = false;

	pthread_mutex_lock(&own->lock);
	for (struct work *w = d->works; w; w = w->next)
		busy = busy || !w->asking;
	busy = busy || d->first;
	pthread_mutex_unlock(&own->lock);
	return busy;
}

static void give_cache_back(struct work *w)
{
	struct desk *d = w->desk;

	if (!w->cache)
		return;
	pthread_mutex_lock(&d->lock);
	if (d->nspare < SPARE_MAX) {
		d->spare[d->nspare++] = w->cache;
		w->cache = NULL;
	}
	pthread_mutex_unlock(&d->lock);
	if (w->cache)
		cache_close(w->cache);
}

static void end(struct work *w)
{
	struct work **at = &w->desk->works;

	task_free(w->task);
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	give_cache_back(w);
	w->kind->ended(w->arg, w->failed ? &w->err : NULL);
	free(w->question);
	free(w->wanted);
	free(w);
}

bool desk_turn(struct desk *d)
{
	char bytes[64];
	struct post *p;

	while (read(d->wake[0], bytes, sizeof(bytes)) > 0)
		;
	while ((p = take_post(d))) {
		if (p->part)
			p->work->kind->part(p->work->arg, p->part);
		else
			end(p->work);
		free(p);
	}
	return atomic_exchange(&d->poked, false);
}

struct desk *desk_new(const struct session *s)
{
	struct desk *d = xcalloc(1, sizeof(*d));

	d->session = s;
	d->last = &d->first;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->answered, NULL);
	if (pipe2(d->wake, O_CLOEXEC | O_NONBLOCK) < 0)
		die("no pipe can be had; too many open files?");
	return d;
}

int desk_fd(const struct desk *d)
{
	return d->wake[0];
}

int desk_wake_fd(const struct desk *d)
{
	return d->wake[1];
}

void desk_free(struct desk *d)
{
	for (struct work *w = d->works; w; w = w->next)
		work_cancel(w);
	while (d->works) {
		struct pollfd p = {.fd = d->wake[0], .events = POLLIN};
		poll(&p, 1, 100);
		desk_turn(d);
	}
	for (size_t i = 0; i < d->nspare; i++)
		cache_close(d->spare[i]);
	close(d->wake[0]);
	close(d->wake[1]);
	pthread_cond_destroy(&d->answered);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
