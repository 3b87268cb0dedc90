/* Opening the cache: folders, the file, its schema, and what happens when one
 * of them is not as it should be. The cache is disposable: whatever is wrong
 * with it, kiban goes on, and says so. */
#include "cache_merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_WAIT	10000		/* ms */
#define BUSY_STEP	2
#define TEXT_LIMIT	(64 << 20)	/* bytes of one value, also a user's */

static const char core_ddl[] =
    "CREATE TABLE main.meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE main.shape(kind TEXT PRIMARY KEY, shape) WITHOUT ROWID;"
    /* known: a merge ended whole, so what differs from now on is a change.
     * Ids are never used again: series hang on them. */
    "CREATE TABLE main.scope(id INTEGER PRIMARY KEY AUTOINCREMENT, context, "
    "  kind, name, known INT NOT NULL DEFAULT 0, merged_at INT, last INT, "
    "  version INT NOT NULL DEFAULT 0, slots INT NOT NULL DEFAULT 0, "
    "  gone INT NOT NULL DEFAULT 0, rows INT NOT NULL DEFAULT 0, "
    "  UNIQUE(kind, context, name));"
    /* after: the fetch before. key, old, new are JSON; field NULL is the whole
     * row. */
    "CREATE TABLE main.change_row(id INTEGER PRIMARY KEY, t INT, after INT, "
    "  context, kind, object, key, op, field, old, new);"
    "CREATE INDEX main.change_t ON change_row(t);"
    "CREATE TABLE main.frame(res INT, scope INT, part INT, t INT, v BLOB, "
    "  PRIMARY KEY(res, scope, part, t)) WITHOUT ROWID;"
    "CREATE TABLE main.block(res INT, scope INT, part INT, t1 INT, t0 INT, "
    "  n INT, v BLOB, PRIMARY KEY(res, scope, part, t1)) WITHOUT ROWID;"
    /* Fetches from t0 to t1, their distances in v while they are young. gap:
     * ms in which nobody fetched before t0; NULL: none. */
    "CREATE TABLE main.fetched(scope INT, t0 INT, t1 INT, n INT, gap INT, "
    "  v BLOB, PRIMARY KEY(scope, t0)) WITHOUT ROWID;"
    "CREATE TABLE main.gone(scope INT, k INT, slot INT, t INT, "
    "  PRIMARY KEY(scope, k, slot)) WITHOUT ROWID;"
    "CREATE TABLE main.source(id INTEGER PRIMARY KEY, context, source, "
    "  backend, module, kinds, every INT, "
    "  state NOT NULL DEFAULT 'never', seen INT, "
    "  tried INT NOT NULL DEFAULT 0, next INT NOT NULL DEFAULT 0, "
    "  took INT, rows INT, failures INT NOT NULL DEFAULT 0, error, "
    "  claimed INT NOT NULL DEFAULT 0, owner, named INT, "
    "  UNIQUE(context, source, backend));"
    "CREATE TABLE main.task(pid INT, start INT, id INT, module, title, state, "
    "  done INT, total INT, unit, started INT, ended INT, error, "
    "  PRIMARY KEY(pid, start, id)) WITHOUT ROWID;";

static bool is_reader(const struct cache *c)
{
	return c->flags & CACHE_READ && !c->memory;
}

/* ---- the registry as tables --------------------------------------------- */

struct gather {
	struct table	**v;
	size_t		  n;
};

static int gather_kind(void *arg, const struct module *m, const struct kind *k)
{
	struct gather *g = arg;

	(void)m;
	g->v = xrealloc(g->v, g->n + 2, sizeof(*g->v));
	g->v[g->n++] = table_new(k);
	g->v[g->n] = NULL;
	return 0;
}

const struct table *cache_table(const struct cache *c, const char *kind)
{
	struct table **t;

	for (t = c->tables; *t; t++)
		if (strcmp((*t)->kind->name, kind) == 0)
			return *t;
	return NULL;
}

/* The name people know, for any sqlite3 that opens the file. Connections of
 * kiban shadow it by a TEMP view of the same name. */
static void view_ddl(struct buf *out, const struct table *t)
{
	const char *name = t->kind->name;

	buf_addf(out, "CREATE VIEW main.%s AS SELECT n.context", name);
	table_names(out, t, "n.", 0, table_stored(t));
	table_names(out, t, "m.", table_stored(t), t->nmetrics);
	buf_addf(out, ", s.merged_at AS seen, n._id AS series FROM %s_now n "
	    "LEFT JOIN %s_m m ON m._id = n._id LEFT JOIN scope s ON "
	    "s.id = n._id >> %d;\n", name, name, SLOT_BITS);
}

static bool shape_is_same(struct cache *c, const struct table *t)
{
	sqlite3_stmt *s = db_prepare(c, NULL,
	    "SELECT 1 FROM main.shape WHERE kind = ?1 AND shape = ?2");
	struct buf shape = {0};
	bool same;

	table_shape(&shape, t);
	db_bind(s, "ss", t->kind->name, buf_str(&shape));
	same = s && sqlite3_step(s) == SQLITE_ROW;
	sqlite3_finalize(s);
	buf_free(&shape);
	return same;
}

static int kind_forget(struct cache *c, const char *name, struct err *err)
{
	static const char *const by_scope[] = { "frame", "block", "fetched",
	    "gone", NULL };
	static const char *const parts[] = { "now", "m", "past", NULL };
	int i;

	for (i = 0; by_scope[i]; i++)
		if (db_exec(c, err, "DELETE FROM main.%s WHERE scope IN (SELECT "
		    "id FROM main.scope WHERE kind = %Q)", by_scope[i],
		    name) < 0)
			return -1;
	for (i = 0; parts[i]; i++)
		if (db_exec(c, err, "DROP TABLE IF EXISTS main.%s_%s", name,
		    parts[i]) < 0)
			return -1;
	if (db_exec(c, err, "DELETE FROM main.scope WHERE kind = %Q", name) < 0)
		return -1;
	return db_exec(c, err, "DROP VIEW IF EXISTS main.%s", name);
}

static int kind_build(struct cache *c, const struct table *t, struct err *err)
{
	struct buf ddl = {0}, shape = {0};
	int rc;

	table_shape(&shape, t);
	table_ddl(&ddl, t, false);
	view_ddl(&ddl, t);
	rc = kind_forget(c, t->kind->name, err);
	if (rc == 0)
		rc = db_exec(c, err, "%s", buf_str(&ddl));
	if (rc == 0)
		rc = db_exec(c, err, "INSERT OR REPLACE INTO main.shape VALUES "
		    "(%Q, %Q)", t->kind->name, buf_str(&shape));
	buf_free(&ddl);
	buf_free(&shape);
	return rc;
}

/* For a reader that may not change the file: empty tables of its own stand in
 * the place of those that don't fit. */
static int kind_stand_in(struct cache *c, const struct table *t,
    struct err *err)
{
	struct buf ddl = {0};
	int rc;

	table_ddl(&ddl, t, true);
	rc = db_exec(c, err, "%s", buf_str(&ddl));
	buf_free(&ddl);
	return rc;
}

static int kinds_open(struct cache *c, struct err *err)
{
	struct table **t;
	int rc = 0;

	for (t = c->tables; *t && shape_is_same(c, *t); t++)
		;
	if (!*t)
		return 0;
	if (is_reader(c)) {
		for (; *t && rc == 0; t++)
			if (!shape_is_same(c, *t))
				rc = kind_stand_in(c, *t, err);
		return rc;
	}
	if (db_begin(c, err) < 0)
		return -1;
	/* Compared again: another process may have just built them. */
	for (t = c->tables; *t && rc == 0; t++)
		if (!shape_is_same(c, *t))
			rc = kind_build(c, *t, err);
	if (rc == 0)
		return db_commit(c, err);
	db_rollback(c);
	return -1;
}

/* ---- the file ----------------------------------------------------------- */

static int schema_create(struct cache *c, struct err *err)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) < 0)
		seed = (uint64_t)clock_mono();
	if (db_exec(c, err, "BEGIN IMMEDIATE") < 0)
		return -1;
	if (cache_int(c, -1, "PRAGMA main.user_version") == 0 &&
	    (db_exec(c, err, "%s", core_ddl) < 0 ||
	    db_exec(c, err, "INSERT INTO main.meta VALUES('seed', %lld)",
	    (long long)seed) < 0 ||
	    db_exec(c, err, "PRAGMA main.user_version = %d",
	    CACHE_VERSION) < 0)) {
		db_rollback(c);
		return -1;
	}
	return db_commit(c, err);
}

/* SQLite's own waiting sleeps longer and longer, and would miss the moments in
 * which a big merge gives the lock back. */
static int wait_a_little(void *arg, int times)
{
	(void)arg;
	if (times * BUSY_STEP >= BUSY_WAIT)
		return 0;
	usleep(BUSY_STEP * 1000);
	return 1;
}

static int settings(struct cache *c, struct err *err)
{
	sqlite3_busy_handler(c->db, wait_a_little, NULL);
	sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, TEXT_LIMIT);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0,
	    NULL);
	if (!is_reader(c) && !c->memory &&
	    db_exec(c, err, "PRAGMA main.journal_mode = WAL") < 0)
		return -1;
	return db_exec(c, err, "PRAGMA main.synchronous = NORMAL;"
	    "PRAGMA main.secure_delete = OFF; PRAGMA main.cache_size = -8192;"
	    "PRAGMA main.journal_size_limit = 67108864;"
	    "PRAGMA main.wal_autocheckpoint = 4000;"
	    "PRAGMA temp_store = MEMORY");
}

static void file_close(struct cache *c)
{
	sqlite3_close_v2(c->db);
	c->db = NULL;
}

enum outcome { OPEN_GOOD, OPEN_DAMAGED, OPEN_NEWER, OPEN_EMPTY, OPEN_FAILED };

/* Opens path and brings its schema to this kiban's. Whatever it returns but
 * good, no handle is left. */
static enum outcome file_open(struct cache *c, const char *path,
    struct err *err)
{
	/* A reader's handle could write, or it could not attach a data file in
	 * memory; db_begin() is what refuses. */
	int flags = SQLITE_OPEN_READWRITE |
	    (is_reader(c) ? 0 : SQLITE_OPEN_CREATE);
	enum outcome o = OPEN_FAILED;
	int64_t version;

	if (sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK) {
		db_fault(c, path, err);
		file_close(c);
		return OPEN_FAILED;
	}
	version = cache_int(c, -1, "PRAGMA main.user_version");
	if (version > CACHE_VERSION)
		o = OPEN_NEWER;
	else if (version == 0 && is_reader(c))
		o = OPEN_EMPTY;
	else if (settings(c, err) == 0 &&
	    (version > 0 || schema_create(c, err) == 0) &&
	    kinds_open(c, err) == 0)
		o = OPEN_GOOD;
	else if ((sqlite3_errcode(c->db) & 0xff) == SQLITE_CORRUPT ||
	    (sqlite3_errcode(c->db) & 0xff) == SQLITE_NOTADB)
		o = OPEN_DAMAGED;
	if (o != OPEN_GOOD)
		file_close(c);
	return o;
}

static int lock_folder(const char *dir)
{
	char *path = xasprintf("%s/cache.lock", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	free(path);
	if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void set_aside(const char *path)
{
	static const char *const parts[] = { "", "-wal", NULL };
	char *from, *to;
	int i;

	for (i = 0; parts[i]; i++) {
		from = xasprintf("%s%s", path, parts[i]);
		to = xasprintf("%s.corrupt%s", path, parts[i]);
		unlink(to);
		rename(from, to);
		free(from);
		free(to);
	}
	from = xasprintf("%s-shm", path);
	unlink(from);
	free(from);
}

/* Born with its mode: SQLite gives -wal and -shm the same. A file that is there
 * is not opened: closing it would drop the locks that other connections of this
 * process hold on it, since POSIX locks belong to the process. */
static void file_born(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

static enum outcome file_renew(struct cache *c, const char *dir,
    struct err *err)
{
	char *marker = xasprintf("%s.damaged", c->path);
	int lock = lock_folder(dir);
	enum outcome o = OPEN_DAMAGED;

	/* Another process may have renewed it while this one waited. */
	if (access(marker, F_OK) < 0)
		o = file_open(c, c->path, err);
	if (o == OPEN_DAMAGED) {
		set_aside(c->path);
		unlink(marker);
		file_born(c->path);
		o = file_open(c, c->path, err);
	}
	if (lock >= 0)
		close(lock);
	free(marker);
	return o;
}

static bool is_marked(const struct cache *c)
{
	char *marker = xasprintf("%s.damaged", c->path);
	bool marked = access(marker, F_OK) == 0;

	free(marker);
	return marked;
}

int cache_folder(const char *dir)
{
	char *path = xstrdup(dir), *p;
	int rc = 0;

	for (p = path + 1; *p && rc == 0; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			rc = -1;
		*p = '/';
	}
	if (rc == 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
		rc = -1;
	free(path);
	return rc;
}

#define OWN "; this run keeps its own, gone at its end"

/* True when c->db is a good file; else why not is in note. */
static bool open_on_disk(struct cache *c, const char *dir, struct buf *note)
{
	struct err why = {0};
	enum outcome o;

	c->path = xasprintf("%s/cache.db", dir);
	if (c->flags & CACHE_READ) {
		if (access(c->path, F_OK) < 0)
			return false;
	} else if (cache_folder(dir) < 0 || access(dir, W_OK) < 0 ||
	    (access(c->path, W_OK) < 0 && errno != ENOENT)) {
		buf_addf(note, "cache: %s can't be written (%s)" OWN, dir,
		    strerror(errno));
		return false;
	} else {
		file_born(c->path);
	}
	o = is_marked(c) ? OPEN_DAMAGED : file_open(c, c->path, &why);
	if (o == OPEN_DAMAGED && !(c->flags & CACHE_READ)) {
		o = file_renew(c, dir, &why);
		if (o == OPEN_GOOD)
			buf_addf(note, "cache: %s was damaged: it was set aside "
			    "as cache.db.corrupt and begun anew", c->path);
	}
	if (o == OPEN_NEWER)
		buf_addf(note, "cache: %s is from a newer kiban" OWN, c->path);
	else if (o == OPEN_DAMAGED)
		buf_addf(note, "cache: %s is damaged", c->path);
	else if (o == OPEN_FAILED)
		buf_addf(note, "%s" OWN, why.text);
	return o == OPEN_GOOD;
}

struct cache *cache_open(const char *cache_dir, const char *data_dir,
    const struct registry *r, unsigned flags, struct buf *note,
    struct err *err)
{
	struct cache *c = xcalloc(1, sizeof(*c));
	struct gather g = { .v = xcalloc(1, sizeof(*g.v)) };

	registry_each_kind(r, gather_kind, &g);
	c->tables = g.v;
	c->registry = r;
	c->flags = flags;
	c->now = clock_now();
	if (flags & CACHE_MEMORY || !open_on_disk(c, cache_dir, note)) {
		free(c->path);
		c->path = NULL;
		c->memory = true;
		if (file_open(c, ":memory:", err) != OPEN_GOOD)
			goto fail;
	}
	c->seed = (uint64_t)cache_int(c, 0,
	    "SELECT value FROM main.meta WHERE name = 'seed'");
	if (own_open(c, data_dir, note, err) < 0)
		goto fail;
	sqlite3_set_authorizer(c->db, guard_authorize, c);
	sql_functions(c);
	mark_functions(c);
	figure_functions(c);
	sample_module(c);
	incoming_module(c);
	return c;
fail:
	cache_close(c);
	return NULL;
}

void cache_close(struct cache *c)
{
	struct table **t;

	if (!c)
		return;
	reels_free(c->reels);
	marks_free(c->marks);
	aim_free(c->aim);
	sqlite3_finalize(c->read_block);
	sqlite3_finalize(c->read_frame);
	sqlite3_close_v2(c->db);
	for (t = c->tables; *t; t++)
		table_free(*t);
	free(c->tables);
	free(c->incoming);
	free(c->path);
	free(c);
}

bool cache_in_memory(const struct cache *c)
{
	return c->memory;
}
