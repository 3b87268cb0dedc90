/* Tasks: worker threads that run plain blocking code.
 *
 * A task can be cancelled: every wait in it also watches task_fd(), which
 * becomes readable. Tasks share nothing but the cache and what they were
 * handed. All calls that take a task accept NULL: work on the main thread that
 * nobody cancels, except through task_interrupt(). */
#ifndef TASK_H
#define TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

enum task_state { TASK_WAITING, TASK_RUNNING, TASK_DONE, TASK_FAILED,
    TASK_CANCELLED };

struct task;
typedef int task_fn(struct task *t, void *arg, struct err *err);

/* What is shown of one. */
struct task_info {
	int64_t		 id;
	const char	*module;
	char		 title[160];
	enum task_state	 state;
	int64_t		 done, total;	/* total -1: unknown */
	const char	*unit;
	int64_t		 started, ended;	/* clock_now(); 0 */
	struct err	 err;
};

/* Starts fn on a thread of its own, with all signals blocked but those of a
 * crash; after it ended, `finished` (may be NULL) is called on that thread. The
 * handle lives until task_free(), which waits; so `finished` must not call it.
 * module and unit are borrowed for good: literals. One without title is not
 * listed: part of something else. No thread to be had dies, like memory. */
struct task *task_start(const char *module, const char *title, task_fn *fn,
    void *arg, void (*finished)(struct task *t, void *arg));
/* A task for code on this thread: the one that SIGINT cancels. */
struct task *task_self(const char *module, const char *title);
/* Cancels the task of task_self(), if there is one. */
void task_interrupt(void);
/* Both cancels may be called in a signal handler. */
void task_cancel(struct task *t);
bool task_cancelled(const struct task *t);
/* Readable from the cancel on; -1 for NULL. */
int task_fd(const struct task *t);
/* err = ERR_CANCELLED "interrupted" and -1 when cancelled, else 0. */
int task_check(const struct task *t, struct err *err);
/* Waits ms, or until cancelled (-1, err). */
int task_sleep(struct task *t, int64_t ms, struct err *err);
void task_progress(struct task *t, int64_t done, int64_t total,
    const char *unit);
bool task_ended(struct task *t);
void task_info(struct task *t, struct task_info *out);
/* Cancels nothing: waits for the end and frees. */
void task_free(struct task *t);
/* Calls each() with a copy for every task of this process. */
void task_each(void (*each)(const struct task_info *i, void *arg), void *arg);

#endif
