/* Tasks: threads that run blocking code and can be told to stop.
 *
 * The cancel is an eventfd that nobody ever reads, so every wait of the task
 * sees it, in any order, for good. The flag beside it is for code that counts
 * rather than waits. Both can be set from a signal handler. What is shown of a
 * task is kept under one lock for all of them: it changes rarely, and a list
 * of tasks is a moment of the whole process. */
#include "task.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mem.h"
#include "value.h"

struct task {
	struct task		*next;
	struct task_info	 info;		/* under the lock */
	pthread_t		 thread;
	bool			 threaded;
	int			 fd;
	atomic_bool		 cancelled;
	task_fn			*fn;
	void			*arg;
	void			(*finished)(struct task *t, void *arg);
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct task *tasks;
static int64_t last_id;
/* The one that SIGINT means. Its task_free() must not run into a handler that
 * has already read it: handlers run on the thread that frees. */
static struct task *_Atomic interrupted;

static struct task *task_new(const char *module, const char *title)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->fd < 0)
		die("no file descriptor for a task: %s", strerror(errno));
	t->info.module = module;
	snprintf(t->info.title, sizeof(t->info.title), "%s",
	    title ? title : "");
	t->info.total = -1;
	t->info.unit = "";
	pthread_mutex_lock(&lock);
	t->info.id = ++last_id;
	t->next = tasks;
	tasks = t;
	pthread_mutex_unlock(&lock);
	return t;
}

static void task_begin(struct task *t)
{
	pthread_mutex_lock(&lock);
	t->info.state = TASK_RUNNING;
	t->info.started = clock_now();
	pthread_mutex_unlock(&lock);
}

static void task_end(struct task *t, int result, const struct err *err)
{
	pthread_mutex_lock(&lock);
	t->info.ended = clock_now();
	if (result == 0) {
		t->info.state = TASK_DONE;
	} else {
		t->info.state = err->code == ERR_CANCELLED ? TASK_CANCELLED :
		    TASK_FAILED;
		t->info.err = *err;
	}
	pthread_mutex_unlock(&lock);
}

static void *task_main(void *arg)
{
	struct task *t = arg;
	struct err err = {0};

	task_begin(t);
	task_end(t, t->fn(t, t->arg, &err), &err);
	if (t->finished)
		t->finished(t, t->arg);
	return NULL;
}

struct task *task_start(const char *module, const char *title, task_fn *fn,
    void *arg, void (*finished)(struct task *t, void *arg))
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
	    SIGSYS };
	struct task *t = task_new(module, title);
	sigset_t others, before;
	size_t i;
	int e;

	t->fn = fn;
	t->arg = arg;
	t->finished = finished;
	t->threaded = true;
	/* Signals are the main thread's. What the thread itself does wrong is
	 * not: blocked, it would end the process past every handler. */
	sigfillset(&others);
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&others, own[i]);
	pthread_sigmask(SIG_SETMASK, &others, &before);
	e = pthread_create(&t->thread, NULL, task_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (e)
		die("no thread for a task: %s", strerror(e));
	return t;
}

struct task *task_self(const char *module, const char *title)
{
	struct task *t = task_new(module, title);

	task_begin(t);
	atomic_store(&interrupted, t);
	return t;
}

void task_interrupt(void)
{
	task_cancel(atomic_load(&interrupted));
}

void task_cancel(struct task *t)
{
	static const uint64_t one = 1;
	int keep = errno;

	if (!t)
		return;
	atomic_store(&t->cancelled, true);
	/* It can only fail because it is readable already. */
	if (write(t->fd, &one, sizeof(one)) < 0)
		errno = keep;
}

bool task_cancelled(const struct task *t)
{
	return t && atomic_load(&t->cancelled);
}

int task_fd(const struct task *t)
{
	return t ? t->fd : -1;
}

int task_check(const struct task *t, struct err *err)
{
	if (task_cancelled(t))
		return err_set(err, ERR_CANCELLED, "interrupted");
	return 0;
}

int task_sleep(struct task *t, int64_t ms, struct err *err)
{
	int64_t end = clock_mono() + ms;
	struct pollfd p = { .fd = task_fd(t), .events = POLLIN };

	for (;;) {
		int64_t left = end - clock_mono();

		if (task_check(t, err) < 0)
			return -1;
		if (left <= 0)
			return 0;
		poll(&p, 1, left > 60000 ? 60000 : (int)left);
	}
}

void task_progress(struct task *t, int64_t done, int64_t total,
    const char *unit)
{
	if (!t)
		return;
	pthread_mutex_lock(&lock);
	t->info.done = done;
	t->info.total = total;
	t->info.unit = unit;
	pthread_mutex_unlock(&lock);
}

bool task_ended(struct task *t)
{
	bool ended;

	if (!t)
		return false;
	pthread_mutex_lock(&lock);
	ended = t->info.state >= TASK_DONE;
	pthread_mutex_unlock(&lock);
	return ended;
}

void task_info(struct task *t, struct task_info *out)
{
	if (!t) {
		*out = (struct task_info){ .total = -1 };
		return;
	}
	pthread_mutex_lock(&lock);
	*out = t->info;
	pthread_mutex_unlock(&lock);
}

void task_free(struct task *t)
{
	struct task **at, *self = t;

	if (!t)
		return;
	if (t->threaded)
		pthread_join(t->thread, NULL);
	atomic_compare_exchange_strong(&interrupted, &self, NULL);
	pthread_mutex_lock(&lock);
	for (at = &tasks; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	pthread_mutex_unlock(&lock);
	close(t->fd);
	free(t);
}

void task_each(void (*each)(const struct task_info *i, void *arg), void *arg)
{
	struct task_info *copies;
	struct task *t;
	size_t n = 0, i = 0;

	/* each() may take its time, and may ask for tasks. */
	pthread_mutex_lock(&lock);
	for (t = tasks; t; t = t->next)
		n++;
	copies = xcalloc(n ? n : 1, sizeof(*copies));
	for (t = tasks; t; t = t->next)
		if (t->info.title[0])
			copies[i++] = t->info;
	pthread_mutex_unlock(&lock);
	while (i-- > 0)
		each(&copies[i], arg);
	free(copies);
}
