/* Publishing tasks: the rows of `kiban tasks`. What was last written of each
 * is remembered, so that a task that waits costs the cache nothing; one lock
 * over it makes it the same for all threads that publish. */
#include "publish.h"

#include <pthread.h>
#include <stdlib.h>

#include "mem.h"
#include "task.h"
#include "value.h"

#define EVERY		1000	/* ms */
#define WORTH_A_ROW	1000	/* ms that a task has run */

struct row {
	struct task_info	info;	/* as it was written */
	bool			there;	/* in the list being read */
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct row *rows;
static size_t nrows;
static int64_t due;

static struct row *row_find(int64_t id)
{
	size_t i;

	for (i = 0; i < nrows; i++)
		if (rows[i].info.id == id)
			return &rows[i];
	return NULL;
}

static void publish(const struct task_info *i, void *arg)
{
	struct cache *c = arg;
	struct row *r = row_find(i->id);

	if (r)
		r->there = true;
	if (r ? r->info.state == i->state && r->info.done == i->done :
	    i->state != TASK_RUNNING ||
	    clock_now() - i->started < WORTH_A_ROW)
		return;
	if (task_publish(c, i, NULL) < 0)
		return;
	if (!r) {
		rows = xrealloc(rows, nrows + 1, sizeof(*rows));
		r = &rows[nrows++];
	}
	*r = (struct row){ .info = *i, .there = true };
}

/* Of a task that was freed between two looks the end isn't known. */
static void retract_freed(struct cache *c)
{
	size_t i, kept = 0;

	for (i = 0; i < nrows; i++)
		if (rows[i].there || task_retract(c, rows[i].info.id,
		    NULL) < 0)
			rows[kept++] = rows[i];
	nrows = kept;
}

void publish_tasks(struct cache *c)
{
	size_t i;

	pthread_mutex_lock(&lock);
	if (clock_mono() >= due) {
		due = clock_mono() + EVERY;
		for (i = 0; i < nrows; i++)
			rows[i].there = false;
		task_each(publish, c);
		retract_freed(c);
	}
	pthread_mutex_unlock(&lock);
}
