/* What SQL on a connection sees: contexts, a time, and the names for them.
 *
 * Every name people query is a TEMP view of the connection, made for the
 * contexts it is aimed at. While it looks at now, a kind's view is a plain join
 * of what is stored; when it looks at the past, the view of the same name is
 * the union of what is still true and what was closed since. Moving from one
 * time of the past to another is one number. */
#include "cache_impl.h"

#include <stdlib.h>
#include <string.h>

#include "view.h"

struct aim {
	struct buf	 contexts;	/* 'a', 'b' */
	bool		 past;
	const struct view **made;	/* lists that have their TEMP view */
	size_t		 nmade;
	struct names_made {
		char	*name;
	} *names;			/* of all TEMP views, to drop them */
	size_t		 nnames;
};

void aim_free(struct aim *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->nnames; i++)
		free(a->names[i].name);
	free(a->names);
	free(a->made);
	buf_free(&a->contexts);
	free(a);
}

const char *aim_contexts(const struct cache *c)
{
	return c->aim ? buf_str(&c->aim->contexts) : "";
}

/* ---- names in a text ---------------------------------------------------- */

static bool is_letter(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

bool sql_has_word(const char *sql, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = sql; (p = strcasestr(p, word)); p += n)
		if ((p == sql || !is_letter(p[-1])) && !is_letter(p[n]))
			return true;
	return false;
}

/* ---- making TEMP views -------------------------------------------------- */

static int make(struct cache *c, const char *name, const char *body,
    struct err *err)
{
	struct aim *a = c->aim;

	if (db_exec(c, err, "CREATE TEMP VIEW \"%w\" AS %s", name, body) < 0)
		return -1;
	a->names = xrealloc(a->names, a->nnames + 1, sizeof(*a->names));
	a->names[a->nnames++].name = xstrdup(name);
	return 0;
}

static void one_time(struct buf *out, const struct table *t,
    const char *contexts, bool closed)
{
	const char *name = t->kind->name;

	buf_adds(out, "SELECT n.context");
	table_names(out, t, "n.", 0, table_stored(t));
	for (size_t i = 0; i < t->nmetrics; i++)
		buf_addf(out, ", last(n._id, '%s') AS %s",
		    t->fields[table_stored(t) + i]->name,
		    t->fields[table_stored(t) + i]->name);
	buf_addf(out, ", fetched_before(n._id >> %d) AS seen, n._id AS series"
	    " FROM %s_%s n WHERE n.context IN (%s) AND n._since <= at()%s",
	    SLOT_BITS, name, closed ? "past" : "now", contexts,
	    closed ? " AND n._until > at()" : "");
}

static int make_kind(struct cache *c, const struct table *t, struct err *err)
{
	const char *name = t->kind->name, *contexts = buf_str(&c->aim->contexts);
	struct buf b = {0};
	int rc;

	if (c->aim->past) {
		one_time(&b, t, contexts, false);
		buf_adds(&b, " UNION ALL ");
		one_time(&b, t, contexts, true);
	} else {
		buf_adds(&b, "SELECT n.context");
		table_names(&b, t, "n.", 0, table_stored(t));
		table_names(&b, t, "m.", table_stored(t), t->nmetrics);
		buf_addf(&b, ", s.merged_at AS seen, n._id AS series"
		    " FROM %s_now n LEFT JOIN %s_m m ON m._id = n._id"
		    " LEFT JOIN main.scope s ON s.id = n._id >> %d"
		    " WHERE n.context IN (%s)", name, name, SLOT_BITS, contexts);
	}
	rc = make(c, name, buf_str(&b), err);
	buf_free(&b);
	return rc;
}

static int make_core(struct cache *c, struct err *err)
{
	for (const struct core_table *t = core_tables; t->name; t++) {
		const char *at = strstr(t->sql, "%s");
		char *body = xasprintf("%.*s%s%s", (int)(at - t->sql), t->sql,
		    buf_str(&c->aim->contexts), at + 2);
		int rc = make(c, t->name, body, err);

		free(body);
		if (rc)
			return -1;
	}
	return 0;
}

/* ---- lists, when a statement names them --------------------------------- */

struct naming {
	struct cache	*cache;
	const char	*sql;
	struct err	*err;
};

static bool is_made(const struct aim *a, const struct view *v)
{
	for (size_t i = 0; i < a->nmade; i++)
		if (a->made[i] == v)
			return true;
	return false;
}

static int make_named(void *arg, const struct module *m, const struct view *v)
{
	struct naming *n = arg;
	struct aim *a = n->cache->aim;
	char *name = view_sql_name(m, v), *body = NULL;
	int rc = 0;

	if (!is_made(a, v) && sql_has_word(n->sql, name)) {
		a->made = xrealloc(a->made, a->nmade + 1, sizeof(*a->made));
		a->made[a->nmade++] = v;
		body = view_body(n->cache->registry, v);
		rc = make(n->cache, name, body, n->err) ||
		    aim_names(n->cache, body, n->err);
	}
	free(body);
	free(name);
	return rc;
}

int aim_names(struct cache *c, const char *sql, struct err *err)
{
	struct naming n = {.cache = c, .sql = sql, .err = err};

	if (!c->aim)
		return 0;
	return registry_each_view(c->registry, make_named, &n) ? -1 : 0;
}

static int is_list(void *arg, const struct module *m, const struct view *v)
{
	char *name = view_sql_name(m, v);
	bool same = !strcmp(name, arg);

	free(name);
	return same;
}

bool aim_knows(const struct cache *c, const char *name)
{
	char *copy = xstrdup(name);
	bool known = cache_table(c, name) != NULL;

	for (const struct core_table *t = core_tables; t->name && !known; t++)
		known = !strcmp(t->name, name);
	known = known || !strcmp(name, "sample") ||
	    registry_each_view(c->registry, is_list, copy);
	free(copy);
	return known;
}

/* ---- aiming ------------------------------------------------------------- */

static void unmake(struct cache *c)
{
	struct aim *a = c->aim;

	for (size_t i = 0; a && i < a->nnames; i++)
		db_exec(c, NULL, "DROP VIEW IF EXISTS temp.\"%w\"",
		    a->names[i].name);
	aim_free(a);
	c->aim = NULL;
}

int cache_aim(struct cache *c, const char *const *contexts, size_t n,
    int64_t at, int64_t since, struct err *err)
{
	struct buf list = {0};
	struct aim *a = c->aim;
	bool past = at != 0;

	for (size_t i = 0; i < n; i++) {
		char *quoted = sqlite3_mprintf("%Q", contexts[i]);

		buf_addf(&list, "%s%s", i ? ", " : "", quoted);
		sqlite3_free(quoted);
	}
	if (c->at != at) {
		marks_free(c->marks);
		c->marks = NULL;
		reels_free(c->reels);
		c->reels = NULL;
	}
	c->at = at;
	c->since = since;
	if (a && a->past == past && !strcmp(buf_str(&a->contexts),
	    buf_str(&list))) {
		buf_free(&list);
		return 0;
	}
	unmake(c);
	c->aim = a = xcalloc(1, sizeof(*a));
	a->contexts = list;
	a->past = past;
	for (struct table **t = c->tables; *t; t++)
		if (make_kind(c, *t, err))
			return -1;
	return make_core(c, err);
}
