/* Work beside the loop: what may wait (queries, commands, fetches, files) runs
 * on tasks, and its results come back to the loop's thread, one after another.
 *
 *	w = work_start(desk, "core", "mesh services", &load_work, arg);
 *	on the task:	run() calls work_cache(), work_send(part) …
 *	on the loop:	desk_turn() calls part() for each, at last ended()
 *
 * Nothing of the screen is touched on a task; nothing waits on the loop. */
#ifndef DESK_H
#define DESK_H

#include "session.h"
#include "task.h"

struct desk;
struct work;

struct work_kind {
	/* On the task's thread. */
	int (*run)(struct work *w, void *arg, struct err *err);
	/* On the loop's: takes what run() sent. May be NULL. */
	void (*part)(void *arg, void *part);
	/* On the loop's, once, last: err NULL when it went well. Frees arg. */
	void (*ended)(void *arg, const struct err *err);
};

struct desk *desk_new(const struct session *s);
/* Cancels what runs, hands out what is left, waits for the tasks. */
void desk_free(struct desk *d);
/* Readable when desk_turn() has something to do. */
int desk_fd(const struct desk *d);
/* Its other end, for signal handlers and desk_poke(). */
int desk_wake_fd(const struct desk *d);
/* From any thread: something moved. desk_turn() returns true once. */
void desk_poke(void *desk);
/* Hands out what came in. */
bool desk_turn(struct desk *d);
/* Something runs that isn't waiting for an answer. */
bool desk_busy(const struct desk *d);

struct work *work_start(struct desk *d, const char *module, const char *title,
    const struct work_kind *kind, void *arg);
/* ended() still comes, with ERR_CANCELLED unless it was done by then. */
void work_cancel(struct work *w);
void *work_arg(struct work *w);

/* For run(): */
struct task *work_task(struct work *w);
const struct session *work_session(const struct work *w);
/* A connection that is this work's until it ends; aimed at anything. */
struct cache *work_cache(struct work *w, struct err *err);
void work_send(struct work *w, void *part);
/* Waits until the loop answers (false when cancelled). */
bool work_ask(struct work *w, const char *question, const char *wanted);

/* For the loop: the question that waits longest, NULL: none. */
struct work *desk_asking(const struct desk *d, const char **question,
    const char **wanted);
void work_answer(struct work *w, bool yes);
/* done, total (-1 unknown), unit of a work. */
void work_info(struct work *w, struct task_info *out);

#endif
