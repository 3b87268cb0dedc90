/* Plain SQL for the rooms of the cache: prepare, bind, run, transactions, and
 * how SQLite's failures read. */
#include "cache_impl.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Told at the next open, which sets the file aside: a file that others have
 * open can't be replaced under them. */
static void note_damage(struct cache *c)
{
	char *path;
	int fd;

	if (c->damaged || !c->path)
		return;
	c->damaged = true;
	path = xasprintf("%s.damaged", c->path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	free(path);
}

/* A query may read both files, and SQLite doesn't say which is damaged. What
 * can't be prepared is main's: data's schema was read when it was attached. */
static bool own_is_damaged(struct cache *c)
{
	sqlite3_stmt *s = NULL;
	const char *said;
	bool bad;
	int rc;

	/* Before it is attached, the opening still looks at errcode. */
	if (!sqlite3_db_filename(c->db, "data") ||
	    sqlite3_prepare_v2(c->db, "PRAGMA data.quick_check(1)", -1, &s,
	    NULL) != SQLITE_OK)
		return false;
	rc = sqlite3_step(s);
	said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) :
	    NULL;
	bad = said ? strcmp(said, "ok") != 0 : (rc & 0xff) == SQLITE_CORRUPT ||
	    (rc & 0xff) == SQLITE_NOTADB;
	sqlite3_finalize(s);
	return bad;
}

static int damage(struct cache *c, const char *what, struct err *err)
{
	if (c->own || own_is_damaged(c))
		return err_set(err, ERR_FAILED, "data.db is damaged; it holds "
		    "what you made, so it is never dropped nor renewed: "
		    "writes are refused, reads go on");
	note_damage(c);
	return err_set(err, ERR_FAILED, "cache: %s: the file is damaged; the "
	    "next start sets it aside", what);
}

int db_fault(struct cache *c, const char *what, struct err *err)
{
	int rc = sqlite3_errcode(c->db);

	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return damage(c, what, err);
	case SQLITE_FULL:
		return err_set(err, ERR_FAILED, "cache: %s: no space left on "
		    "the disk; nothing was written", what);
	case SQLITE_BUSY:
		return err_set(err, ERR_FAILED, "cache: %s: another process "
		    "has held the file for ten seconds", what);
	case SQLITE_READONLY:
		return err_set(err, ERR_FAILED, "cache: %s: the file can't be "
		    "written", what);
	}
	return err_set(err, ERR_FAILED, "cache: %s: %s", what,
	    sqlite3_errmsg(c->db));
}

sqlite3_stmt *db_prepare(struct cache *c, struct err *err, const char *sql)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v3(c->db, sql, -1, 0, &s, NULL) != SQLITE_OK)
		db_fault(c, sql, err);
	return s;
}

static char *print(const char *fmt, va_list ap)
{
	char *sql = sqlite3_vmprintf(fmt, ap);

	if (!sql)
		die("out of memory");
	return sql;
}

sqlite3_stmt *db_preparef(struct cache *c, struct err *err,
    const char *fmt, ...)
{
	sqlite3_stmt *s;
	va_list ap;
	char *sql;

	va_start(ap, fmt);
	sql = print(fmt, ap);
	va_end(ap);
	s = db_prepare(c, err, sql);
	sqlite3_free(sql);
	return s;
}

int db_exec(struct cache *c, struct err *err, const char *fmt, ...)
{
	va_list ap;
	char *sql;
	int rc;

	va_start(ap, fmt);
	sql = print(fmt, ap);
	va_end(ap);
	rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		db_fault(c, sql, err);
	sqlite3_free(sql);
	return rc == SQLITE_OK ? 0 : -1;
}

void db_bind(sqlite3_stmt *s, const char *letters, ...)
{
	va_list ap;
	int i;

	va_start(ap, letters);
	for (i = 1; *letters; i++, letters++) {
		switch (*letters) {
		case 'i':
			sqlite3_bind_int64(s, i, va_arg(ap, int64_t));
			break;
		case 'd':
			sqlite3_bind_double(s, i, va_arg(ap, double));
			break;
		case 's':
			sqlite3_bind_text(s, i, va_arg(ap, const char *), -1,
			    SQLITE_TRANSIENT);
			break;
		default:
			BUG("letter %c", *letters);
		}
	}
	va_end(ap);
}

int db_done(struct cache *c, sqlite3_stmt *s, struct err *err)
{
	int rc = sqlite3_step(s), failed = 0;

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		failed = db_fault(c, "write", err);
	sqlite3_reset(s);
	return failed;
}

char *db_text(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? xstrndup(text, (size_t)sqlite3_column_bytes(s, column)) :
	    NULL;
}

struct cell db_cell(sqlite3_stmt *s, int column)
{
	struct cell v = { .tag = CELL_NULL };

	switch (sqlite3_column_type(s, column)) {
	case SQLITE_INTEGER:
		v.tag = CELL_INT;
		v.i = sqlite3_column_int64(s, column);
		break;
	case SQLITE_FLOAT:
		v.tag = CELL_REAL;
		v.d = sqlite3_column_double(s, column);
		break;
	case SQLITE_TEXT:
		v.tag = CELL_TEXT;
		v.s = (const char *)sqlite3_column_text(s, column);
		v.n = (size_t)sqlite3_column_bytes(s, column);
		break;
	}
	return v;
}

void db_bind_cell(sqlite3_stmt *s, int i, struct cell v)
{
	switch (v.tag) {
	case CELL_NULL:
		sqlite3_bind_null(s, i);
		break;
	case CELL_INT:
		sqlite3_bind_int64(s, i, v.i);
		break;
	case CELL_REAL:
		sqlite3_bind_double(s, i, v.d);
		break;
	case CELL_TEXT:
		sqlite3_bind_text64(s, i, v.s, v.n, SQLITE_TRANSIENT,
		    SQLITE_UTF8);
		break;
	}
}

/* ---- transactions ------------------------------------------------------- */

int db_begin(struct cache *c, struct err *err)
{
	if (c->flags & CACHE_READ && !c->memory)
		return err_set(err, ERR_FAILED,
		    "cache: it was opened for reading only");
	if (db_exec(c, err, "BEGIN") < 0)
		return -1;
	/* Changes nothing, but takes the lock, of this file alone. */
	if (db_exec(c, err, "DELETE FROM main.scope WHERE 0") < 0) {
		db_rollback(c);
		return -1;
	}
	return 0;
}

int db_commit(struct cache *c, struct err *err)
{
	c->writes++;
	if (db_exec(c, err, "COMMIT") == 0)
		return 0;
	db_rollback(c);
	return -1;
}

void db_rollback(struct cache *c)
{
	/* SQLite may have done it already, after a full disk. */
	if (!sqlite3_get_autocommit(c->db))
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- one number --------------------------------------------------------- */

int64_t cache_int(struct cache *c, int64_t otherwise, const char *fmt, ...)
{
	int64_t v = otherwise;
	sqlite3_stmt *s;
	va_list ap;
	char *sql;

	va_start(ap, fmt);
	sql = print(fmt, ap);
	va_end(ap);
	s = db_prepare(c, NULL, sql);
	if (s && sqlite3_step(s) == SQLITE_ROW &&
	    sqlite3_column_type(s, 0) != SQLITE_NULL)
		v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_free(sql);
	return v;
}

/* ---- what was read into memory ------------------------------------------ */

int64_t cache_at(const struct cache *c)
{
	return c->at ? c->at : c->now;
}

void cache_fresh(struct cache *c)
{
	int64_t version = cache_int(c, 0, "PRAGMA main.data_version");

	version += cache_int(c, 0, "PRAGMA data.data_version") << 32;
	c->now = clock_now();
	if (version == c->data_version && c->writes == c->memo_writes &&
	    c->now < marks_until(c->marks))
		return;
	c->data_version = version;
	c->memo_writes = c->writes;
	reels_free(c->reels);
	c->reels = NULL;
	marks_free(c->marks);
	c->marks = NULL;
}
