/* One SELECT, stepped: internal ones, and users' under the guard.
 *
 * SQLite asks the authorizer about everything a statement would touch, also
 * when it prepares it again by itself. Without a guarded statement in hand it
 * only notes which kinds are read. */
#include "cache_impl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "task.h"
#include "text.h"

struct kind_set {
	const char	**v;		/* ends with NULL */
	size_t		  n;
};

struct query {
	struct cache	 *cache;
	sqlite3_stmt	 *stmt;
	const char	 *sql;		/* while it is prepared */
	unsigned	  flags;
	int64_t		  limit, deadline;	/* ms, of clock_mono(); 0 */
	struct task	 *task;
	const char	**names;	/* of the columns that are given */
	int		 *from;		/* their numbers in the statement */
	size_t		  n;
	struct cell	 *cells;
	struct buf	 *hex;		/* a blob's, by column */
	struct arena	  arena;
	struct kind_set	  reads;
	struct kind_set	  within;	/* tables that lists of ours read */
	char		 *denied;	/* why the guard refused; NULL */
	bool		  begun;
};

/* ---- what is read ------------------------------------------------------- */

static bool is_named(const struct kind_set *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i], name))
			return true;
	return false;
}

static void note_name(struct kind_set *s, const char *name)
{
	if (is_named(s, name))
		return;
	s->v = xrealloc(s->v, s->n + 2, sizeof(*s->v));
	s->v[s->n++] = xstrdup(name);
	s->v[s->n] = NULL;
}

static void note_kind(struct kind_set *s, const struct cache *c,
    const char *name)
{
	const struct table *t = name ? cache_table(c, name) : NULL;

	if (!t)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] == t->kind->name)
			return;
	s->v = xrealloc(s->v, s->n + 2, sizeof(*s->v));
	s->v[s->n++] = t->kind->name;
	s->v[s->n] = NULL;
}

const char *const *query_kinds(const struct query *q)
{
	static const char *const none[] = {NULL};

	return q->reads.v ? (const char *const *)q->reads.v : none;
}

/* ---- the guard ---------------------------------------------------------- */

static int deny(struct query *q, const char *fmt, const char *what)
{
	if (!q->denied)
		q->denied = xasprintf(fmt, what ? what : "");
	return SQLITE_DENY;
}

static bool begins(const char *s, const char *with)
{
	return !strncasecmp(s, with, strlen(with));
}

static int guard_function(struct query *q, const char *name)
{
	static const char *const no[] = {"sqlite_", "load_extension", "fts",
	    "rtree", "readfile", "writefile", "edit", "zipfile", "offsets",
	    "snippet", "matchinfo", "optimize", NULL};

	for (size_t i = 0; no[i]; i++)
		if (begins(name, no[i]))
			return deny(q, "the function %s is not allowed here",
			    name);
	return SQLITE_OK;
}

/* `name AS (` or `name(a, b) AS (` in a WITH would pass for ours. */
static bool takes_name(const char *sql, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = sql; (p = strcasestr(p, name)); p += n) {
		const char *q = p + n;

		q += strspn(q, "\"]`' \t\r\n");
		if (*q == '(') {
			q += strcspn(q, ")");
			q += *q == ')';
			q += strspn(q, " \t\r\n");
		}
		if (begins(q, "as") && !isalnum((unsigned char)q[2]) &&
		    q[2] != '_') {
			q += 2;
			q += strspn(q, " \t\r\n");
			if (begins(q, "not"))
				q += 3 + strspn(q + 3, " \t\r\n");
			if (begins(q, "materialized"))
				q += 12 + strspn(q + 12, " \t\r\n");
			if (*q == '(')
				return true;
		}
	}
	return false;
}

static bool is_stored(const struct cache *c, const char *name)
{
	static const char *const core[] = {"meta", "shape", "scope",
	    "change_row", "frame", "block", "fetched", "gone", "source", "task",
	    "journal", "mute", "incoming", "dbstat", NULL};
	size_t n;

	for (size_t i = 0; core[i]; i++)
		if (!strcasecmp(core[i], name))
			return true;
	for (struct table **t = c->tables; *t; t++) {
		n = strlen((*t)->kind->name);
		if (begins(name, (*t)->kind->name) && name[n] == '_')
			return true;
	}
	return false;
}

/* A name is ours as a TEMP view; what such a view reads itself is its own
 * matter: guard_names() sees to it that no WITH takes the name of one. */
static int guard_read(struct query *q, const char *table, const char *column,
    const char *db, const char *view)
{
	static const char *const free_for_all[] = {"json_each", "json_tree",
	    NULL};

	if (begins(table, "sqlite_") || begins(table, "pragma_"))
		return deny(q, "no table \"%s\" here: kinds and lists are in "
		    "`kiban schema`", table);
	if (view && aim_knows(q->cache, view)) {
		note_name(&q->within, table);
		return SQLITE_OK;
	}
	/* Joined by a list, but nothing of it is used: SQLite asks once more,
	 * then without the list's name. */
	if (!*column && is_named(&q->within, table) &&
	    !sql_has_word(q->sql, table))
		return SQLITE_OK;
	for (size_t i = 0; free_for_all[i]; i++)
		if (!strcasecmp(table, free_for_all[i]))
			return SQLITE_OK;
	if (!strcmp(table, "sample"))
		return SQLITE_OK;
	/* count(*) is asked of a name in a WITH as of a table. */
	if (!db && !*column && takes_name(q->sql, table) &&
	    !is_stored(q->cache, table))
		return SQLITE_OK;
	/* One of which nothing is used comes as it was written: a name alone
	 * is the TEMP view, which shadows all others. */
	if ((db ? !strcmp(db, "temp") : !*column) &&
	    aim_knows(q->cache, table))
		return SQLITE_OK;
	return deny(q, "no table \"%s\" here: kinds and lists are in "
	    "`kiban schema`", table);
}

int guard_authorize(void *arg, int action, const char *a, const char *b,
    const char *db, const char *view)
{
	struct cache *c = arg;
	struct query *q = c->guarded;

	if (action == SQLITE_READ && c->reads)
		note_kind(c->reads, c, a);
	if (!q)
		return SQLITE_OK;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_READ:
		return guard_read(q, a, b ? b : "", db, view);
	case SQLITE_FUNCTION:
		return guard_function(q, b);
	case SQLITE_PRAGMA:
		/* json_each and the like ask for it on their first use. */
		if (view || !a)
			return SQLITE_OK;
		/* fallthrough */
	default:
		return deny(q, "only a SELECT is allowed here%s", "");
	}
}

struct taking {
	const char	*sql;
	char		*name;
};

static int list_taken(void *arg, const struct module *m, const struct view *v)
{
	struct taking *t = arg;
	char *name = view_sql_name(m, v);

	if (takes_name(t->sql, name)) {
		t->name = name;
		return 1;
	}
	free(name);
	return 0;
}

static int guard_names(struct query *q, const char *sql)
{
	struct taking t = {.sql = sql};

	/* Comments could stand between the words that are looked for. */
	if (strcasestr(sql, "with") &&
	    (strstr(sql, "/*") || strstr(sql, "--"))) {
		q->denied = xstrdup("a WITH can't have comments here");
		return -1;
	}
	if (!strcasestr(sql, "with"))
		return 0;
	registry_each_view(q->cache->registry, list_taken, &t);
	for (struct table **k = q->cache->tables; *k && !t.name; k++)
		if (takes_name(sql, (*k)->kind->name))
			t.name = xstrdup((*k)->kind->name);
	for (const struct core_table *k = core_tables; k->name && !t.name; k++)
		if (takes_name(sql, k->name))
			t.name = xstrdup(k->name);
	if (!t.name)
		return 0;
	q->denied = xasprintf("a WITH can't take the name %s, it is a list's",
	    t.name);
	free(t.name);
	return -1;
}

/* ---- preparing ---------------------------------------------------------- */

static int name_added(void *arg, const struct module *m, const struct view *v)
{
	struct kind_set *s = arg;

	s->v = xrealloc(s->v, s->n + 2, sizeof(*s->v));
	s->v[s->n++] = view_sql_name(m, v);
	s->v[s->n] = NULL;
	return 0;
}

/* "no such table: x" gets the nearest name there is. */
static void add_nearest(struct query *q, struct err *err)
{
	const char *table = strstr(err->text, "no such table: "), *near;
	size_t n = strlen(err->text);
	struct kind_set s = {0};
	size_t views;

	if (!table)
		return;
	registry_each_view(q->cache->registry, name_added, &s);
	views = s.n;
	for (struct table **t = q->cache->tables; *t; t++) {
		s.v = xrealloc(s.v, s.n + 2, sizeof(*s.v));
		s.v[s.n++] = (*t)->kind->name;
		s.v[s.n] = NULL;
	}
	near = s.v ? text_nearest(table + 15, s.v) : NULL;
	if (near)
		snprintf(err->text + n, sizeof(err->text) - n,
		    "; did you mean \"%s\"?", near);
	for (size_t i = 0; i < views; i++)
		free((char *)s.v[i]);
	free(s.v);
}

static int fault(struct query *q, struct err *err)
{
	bool guarded = q->flags & QUERY_GUARD;
	const char *message = sqlite3_errmsg(q->cache->db);

	if (q->denied)
		return err_set(err, ERR_USAGE, "%s", q->denied);
	err_set(err, guarded ? ERR_USAGE : ERR_FAILED, "%s%s",
	    guarded ? "" : "cache: ", message);
	if (err)
		add_nearest(q, err);
	return -1;
}

/* Nothing but blanks, comments and semicolons may follow the statement. */
static bool is_whole(sqlite3 *db, const char *tail)
{
	sqlite3_stmt *more = NULL;

	while (*tail && (isspace((unsigned char)*tail) || *tail == ';'))
		tail++;
	if (!*tail)
		return true;
	if (sqlite3_prepare_v2(db, tail, -1, &more, NULL) == SQLITE_OK && !more)
		return true;
	sqlite3_finalize(more);
	return false;
}

static int check_guarded(struct query *q, const char *tail, struct err *err)
{
	if (!q->stmt)
		return err_set(err, ERR_USAGE, "there is no SQL in it");
	if (!is_whole(q->cache->db, tail))
		return err_set(err, ERR_USAGE, "one statement is allowed, and "
		    "more follow");
	if (sqlite3_stmt_isexplain(q->stmt) ||
	    !sqlite3_stmt_readonly(q->stmt) ||
	    !sqlite3_column_count(q->stmt))
		return err_set(err, ERR_USAGE,
		    "only a SELECT is allowed here");
	return 0;
}

static void name_columns(struct query *q, const char *sql)
{
	int total = sqlite3_column_count(q->stmt);
	bool series = sql_has_word(sql, "series");

	q->names = xcalloc((size_t)total + 1, sizeof(*q->names));
	q->from = xcalloc((size_t)total + 1, sizeof(*q->from));
	q->cells = xcalloc((size_t)total + 1, sizeof(*q->cells));
	q->hex = xcalloc((size_t)total + 1, sizeof(*q->hex));
	for (int i = 0; i < total; i++) {
		const char *name = sqlite3_column_name(q->stmt, i);
		char *given = arena_strdup(&q->arena, name ? name : "?");
		bool twice = true;

		if (!series && !strcmp(given, "series"))
			continue;
		for (int k = 2; twice; k++) {
			twice = false;
			for (size_t j = 0; j < q->n; j++)
				twice = twice || !strcmp(q->names[j], given);
			if (twice) {
				char *next = xasprintf("%s_%d", name, k);
				given = arena_strdup(&q->arena, next);
				free(next);
			}
		}
		q->names[q->n] = given;
		q->from[q->n++] = i;
	}
}

static int stop(void *arg)
{
	const struct cache *c = arg;
	const struct query *q = c->running;

	if (!q)
		return 0;
	return (q->task && task_cancelled(q->task)) ||
	    (q->deadline && clock_mono() > q->deadline);
}

/* SQLite declares these at their first use, by statements of its own that the
 * guard would refuse: so the first use is one without it. */
static void declare_tables(struct cache *c)
{
	static const char *const names[] = {"json_each", "json_tree", "sample",
	    NULL};

	for (size_t i = 0; !c->declared && names[i]; i++)
		sqlite3_finalize(db_preparef(c, NULL, "SELECT 1 FROM %s",
		    names[i]));
	c->declared = true;
}

struct query *query_new(struct cache *c, const char *sql, unsigned flags,
    int64_t limit, struct task *t, struct err *err)
{
	struct query *q = xcalloc(1, sizeof(*q));
	const char *tail = "";
	int rc = -1;

	q->cache = c;
	q->sql = sql;
	q->flags = flags;
	q->limit = limit;
	q->task = t;
	sqlite3_progress_handler(c->db, 4000, stop, c);
	if (flags & QUERY_GUARD)
		declare_tables(c);
	/* Aimed at nothing yet: names are there, rows aren't. */
	if ((!c->aim && cache_aim(c, NULL, 0, 0, 0, err)) ||
	    aim_names(c, sql, err))
		goto fail;
	if (flags & QUERY_GUARD && guard_names(q, sql)) {
		fault(q, err);
		goto fail;
	}
	c->reads = &q->reads;
	c->guarded = flags & QUERY_GUARD ? q : NULL;
	rc = sqlite3_prepare_v2(c->db, sql, -1, &q->stmt, &tail);
	c->guarded = NULL;
	c->reads = NULL;
	if (rc != SQLITE_OK) {
		fault(q, err);
		goto fail;
	}
	if (flags & QUERY_GUARD && check_guarded(q, tail, err))
		goto fail;
	name_columns(q, sql);
	return q;
fail:
	query_free(q);
	return NULL;
}

void query_bind(struct query *q, int i, struct cell v)
{
	db_bind_cell(q->stmt, i, v);
}

size_t query_columns(const struct query *q, const char *const **names)
{
	*names = q->names;
	return q->n;
}

/* ---- stepping ----------------------------------------------------------- */

static struct cell hex_cell(struct query *q, size_t i)
{
	const unsigned char *p = sqlite3_column_blob(q->stmt, q->from[i]);
	int n = sqlite3_column_bytes(q->stmt, q->from[i]);

	buf_clear(&q->hex[i]);
	for (int k = 0; k < n; k++)
		buf_addf(&q->hex[i], "%02x", p[k]);
	return (struct cell){.tag = CELL_TEXT, .s = buf_str(&q->hex[i]),
	    .n = q->hex[i].n};
}

static int step_failed(struct query *q, int rc, struct err *err)
{
	struct buf limit = {0};

	if (rc != SQLITE_INTERRUPT) {
		if (q->flags & QUERY_GUARD)
			return err_set(err, ERR_FAILED, "%s",
			    sqlite3_errmsg(q->cache->db));
		return db_fault(q->cache, "reading", err);
	}
	if (q->task && task_cancelled(q->task))
		return err_set(err, ERR_CANCELLED, "interrupted");
	value_ago(&limit, (double)q->limit / 1000, SPELL_WIDE);
	err_set(err, ERR_FAILED, "stopped after its time limit of %s "
	    "(--timeout)", q->limit < 1000 ? "less than a second" :
	    buf_str(&limit));
	buf_free(&limit);
	return -1;
}

int query_step(struct query *q, const struct cell **cells, struct err *err)
{
	struct query *before = q->cache->running;
	int rc;

	if (!q->begun) {
		q->begun = true;
		if (!before)
			cache_fresh(q->cache);
		if (q->limit)
			q->deadline = clock_mono() + q->limit;
	}
	q->cache->running = q;
	rc = sqlite3_step(q->stmt);
	q->cache->running = before;
	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return step_failed(q, rc, err);
	for (size_t i = 0; i < q->n; i++)
		q->cells[i] = sqlite3_column_type(q->stmt, q->from[i]) ==
		    SQLITE_BLOB ? hex_cell(q, i) :
		    db_cell(q->stmt, q->from[i]);
	*cells = q->cells;
	return 1;
}

void query_free(struct query *q)
{
	if (!q)
		return;
	sqlite3_finalize(q->stmt);
	for (size_t i = 0; i < q->n; i++)
		buf_free(&q->hex[i]);
	free(q->hex);
	free(q->names);
	free(q->from);
	free(q->cells);
	free(q->reads.v);
	for (size_t i = 0; i < q->within.n; i++)
		free((char *)q->within.v[i]);
	free(q->within.v);
	free(q->denied);
	arena_free(&q->arena);
	free(q);
}
