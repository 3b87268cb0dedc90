/* What the user made: data.db beside the cache, attached as `data`. The journal
 * of writes and the muted findings; never dropped, and its schema only grows.
 * Also the table of tasks, which belongs to the living processes. */
#include "cache_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "task.h"

/* Append only: user_version counts those that were applied. */
static const char *const migrations[] = {
	"CREATE TABLE data.journal(id INTEGER PRIMARY KEY AUTOINCREMENT, "
	"  t INT NOT NULL, context, who, command, target, result, error);"
	"CREATE TABLE data.mute(context, rule, object, since INT, until INT, "
	"  because);"
	"CREATE UNIQUE INDEX data.mute_one ON "
	"  mute(context, rule, ifnull(object, ''), object IS NULL);",
	NULL
};

static int count_migrations(void)
{
	int n;

	for (n = 0; migrations[n]; n++)
		;
	return n;
}

/* ---- opening ------------------------------------------------------------ */

static int migrate(struct cache *c, struct err *err)
{
	int done = (int)cache_int(c, -1, "PRAGMA data.user_version");
	int n = count_migrations();

	if (done == n)
		return 0;
	if (done > n)
		return err_set(err, ERR_FAILED, "it is from a newer kiban");
	if (done < 0)
		return db_fault(c, "data.db", err);
	if (db_exec(c, err, "BEGIN IMMEDIATE") < 0)
		return -1;
	/* Read again inside the lock. */
	done = (int)cache_int(c, n, "PRAGMA data.user_version");
	for (; done < n; done++) {
		if (db_exec(c, err, "%s", migrations[done]) < 0) {
			db_rollback(c);
			return -1;
		}
	}
	if (db_exec(c, err, "PRAGMA data.user_version = %d", n) < 0) {
		db_rollback(c);
		return -1;
	}
	return db_commit(c, err);
}

static int attach(struct cache *c, const char *path, struct err *err)
{
	if (db_exec(c, err, "ATTACH %Q AS data", path) < 0)
		return -1;
	/* A power cut must not take a begun write out of the journal. */
	if ((c->flags & CACHE_READ ||
	    db_exec(c, err, "PRAGMA data.journal_mode = WAL") == 0) &&
	    db_exec(c, err, "PRAGMA data.synchronous = FULL") == 0 &&
	    migrate(c, err) == 0)
		return 0;
	sqlite3_exec(c->db, "DETACH data", NULL, NULL, NULL);
	return -1;
}

static int attach_memory(struct cache *c, struct err *err)
{
	unsigned flags = c->flags;
	int rc;

	c->flags &= ~(unsigned)CACHE_READ;
	rc = attach(c, ":memory:", err);
	c->flags = flags;
	return rc;
}

int own_open(struct cache *c, const char *data_dir, struct buf *note,
    struct err *err)
{
	struct err why = {0};
	char *path;
	int fd, rc;

	if (c->flags & CACHE_MEMORY)
		return attach_memory(c, err);
	c->own = true;
	path = xasprintf("%s/data.db", data_dir);
	if (c->flags & CACHE_READ) {
		rc = access(path, F_OK) < 0 ? attach_memory(c, err) :
		    attach(c, path, &why);
	} else {
		cache_folder(data_dir);
		/* Only made here, never opened when it is there: closing it
		 * would drop SQLite's locks in this process. */
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST) {
			rc = err_set(&why, ERR_FAILED, "%s", strerror(errno));
		} else {
			if (fd >= 0)
				close(fd);
			rc = attach(c, path, &why);
		}
	}
	if (rc < 0) {
		snprintf(c->own_fault, sizeof(c->own_fault), "%s: %s", path,
		    why.text);
		if (note->n)
			buf_adds(note, "; ");
		buf_addf(note, "%s; nothing can be written in this run",
		    c->own_fault);
		rc = attach_memory(c, err);
	}
	free(path);
	c->own = false;
	return rc;
}

const char *cache_own_fault(const struct cache *c)
{
	return c->own_fault;
}

/* ---- the journal -------------------------------------------------------- */

static char *who_am_i(void)
{
	char host[256] = "", text[1024];
	struct passwd pw, *found = NULL;

	gethostname(host, sizeof(host) - 1);
	if (getpwuid_r(getuid(), &pw, text, sizeof(text), &found) == 0 && found)
		return xasprintf("%s@%s", pw.pw_name, host);
	return xasprintf("%u@%s", (unsigned)getuid(), host);
}

static int own_writable(struct cache *c, struct err *err)
{
	if (c->own_fault[0])
		return err_set(err, ERR_FAILED, "%s", c->own_fault);
	if (c->flags & CACHE_READ)
		return err_set(err, ERR_FAILED,
		    "data.db was opened for reading only");
	return 0;
}

/* Until finish(), what fails is data.db's fault: it must not cost the cache. */
static sqlite3_stmt *own_prepare(struct cache *c, struct err *err,
    const char *sql)
{
	c->own = true;
	return db_prepare(c, err, sql);
}

/* Runs s, which wrote one thing of the user's, and frees it. */
static int finish(struct cache *c, sqlite3_stmt *s, struct err *err)
{
	int rc = s ? db_done(c, s, err) : -1;

	sqlite3_finalize(s);
	c->own = false;
	c->writes++;
	return rc;
}

int64_t journal_begin(struct cache *c, const char *context,
    const char *command, const char *target, struct err *err)
{
	sqlite3_stmt *s;
	char *who;

	if (own_writable(c, err) < 0)
		return -1;
	s = own_prepare(c, err, "INSERT INTO data.journal(t, context, who, "
	    "command, target, result) VALUES(?1, ?2, ?3, ?4, ?5, 'unknown')");
	who = who_am_i();
	if (s)
		db_bind(s, "issss", clock_now(), context, who, command,
		    target);
	free(who);
	return finish(c, s, err) < 0 ? -1 : sqlite3_last_insert_rowid(c->db);
}

int journal_end(struct cache *c, int64_t id, const char *result,
    const char *error, struct err *err)
{
	sqlite3_stmt *s = own_prepare(c, err, "UPDATE data.journal SET "
	    "result = ?2, error = ?3 WHERE id = ?1");

	if (s)
		db_bind(s, "iss", id, result, error);
	return finish(c, s, err);
}

/* ---- mutes -------------------------------------------------------------- */

int mute_put(struct cache *c, const char *context, const char *rule,
    const char *object, int64_t until, const char *because, struct err *err)
{
	sqlite3_stmt *s;

	if (own_writable(c, err) < 0)
		return -1;
	s = own_prepare(c, err, "INSERT OR REPLACE INTO data.mute(context, "
	    "rule, object, since, until, because) "
	    "VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
	if (s)
		db_bind(s, "sssiis", context, rule, object, clock_now(), until,
		    because);
	return finish(c, s, err);
}

int mute_drop(struct cache *c, const char *context, const char *rule,
    const char *object, struct err *err)
{
	sqlite3_stmt *s;

	if (own_writable(c, err) < 0)
		return -1;
	s = own_prepare(c, err, "DELETE FROM data.mute WHERE context = ?1 AND "
	    "rule = ?2 AND object IS ?3");
	if (s)
		db_bind(s, "sss", context, rule, object);
	return finish(c, s, err) < 0 ? -1 : sqlite3_changes(c->db);
}

/* ---- tasks -------------------------------------------------------------- */

/* Field 22 of /proc/PID/stat: ticks since boot; a pid alone is used again. */
int64_t process_start(int64_t pid)
{
	char path[40], text[1000], *at;
	long long start = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	/* The name in brackets may hold anything; 20 fields on is 22. */
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s"
	    " %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld", &start) != 1)
		return 0;
	return start;
}

bool process_lives(int64_t pid, int64_t start)
{
	return start > 0 && process_start(pid) == start;
}

static const char *state_name(enum task_state s)
{
	switch (s) {
	case TASK_WAITING:	return "waiting";
	case TASK_RUNNING:	return "running";
	case TASK_DONE:		return "done";
	case TASK_FAILED:	return "failed";
	case TASK_CANCELLED:	return "cancelled";
	}
	return "running";
}

/* Rows of processes that are no more, and of what ended an hour ago. */
static int tasks_sweep(struct cache *c, struct err *err)
{
	return db_exec(c, err, "DELETE FROM main.task WHERE NOT alive(pid, "
	    "start) OR ended < %lld", (long long)(clock_now() - 3600000));
}

int task_publish(struct cache *c, const struct task_info *i, struct err *err)
{
	int64_t pid = getpid();
	sqlite3_stmt *s;
	bool begins = i->state == TASK_WAITING || i->done <= 0;
	int rc;

	s = db_prepare(c, err, "INSERT OR REPLACE INTO main.task VALUES(?1, ?2,"
	    " ?3, ?4, ?5, ?6, ?7, nullif(?8, -1), ?9, nullif(?10, 0), "
	    "nullif(?11, 0), ?12)");
	if (!s)
		return -1;
	db_bind(s, "iiisssiisiis", pid, process_start(pid), i->id, i->module,
	    i->title, state_name(i->state), i->done, i->total, i->unit,
	    i->started, i->ended, i->err.code ? i->err.text : NULL);
	rc = finish(c, s, err);
	return rc == 0 && begins ? tasks_sweep(c, err) : rc;
}

int task_retract(struct cache *c, int64_t id, struct err *err)
{
	return db_exec(c, err, "DELETE FROM main.task WHERE pid = %lld AND "
	    "id = %lld", (long long)getpid(), (long long)id);
}
