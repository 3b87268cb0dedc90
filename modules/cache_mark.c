/* mark(): the status of a row. The open, unmuted findings of the time that is
 * looked at are read once into a small hash, so that a list of 100,000 rows
 * asks memory, and asks nothing at all while nothing is found. */
#include "cache_impl.h"

#include <stdlib.h>
#include <string.h>

struct marked {
	char	*name;		/* context, kind, key (or object) */
	bool	 bad;
};
/* How often a context's sources are asked, where that is known. */
struct pace {
	char	*context, *kinds;	/* kinds: JSON */
	int64_t	 every;
};
struct marks {
	struct marked	*v;	/* open addressing; a power of two */
	size_t		 n, size;
	struct pace	*paces;
	size_t		 npaces;
	int64_t		 until;	/* when the first mute ends */
};

void marks_free(struct marks *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->size; i++)
		free(m->v[i].name);
	for (size_t i = 0; i < m->npaces; i++) {
		free(m->paces[i].context);
		free(m->paces[i].kinds);
	}
	free(m->paces);
	free(m->v);
	free(m);
}

int64_t marks_until(const struct marks *m)
{
	return m ? m->until : INT64_MAX;
}

static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;	/* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h;
}

static struct marked *slot_of(const struct marks *m, const char *name)
{
	size_t i = hash(name) & (m->size - 1);

	while (m->v[i].name && strcmp(m->v[i].name, name))
		i = (i + 1) & (m->size - 1);
	return &m->v[i];
}

static void marks_add(struct marks *m, const char *name, bool bad)
{
	struct marks old = *m;
	struct marked *s;

	if (m->n * 2 >= m->size) {
		m->size = old.size ? old.size * 2 : 64;
		m->v = xcalloc(m->size, sizeof(*m->v));
		for (size_t i = 0; i < old.size; i++)
			if (old.v[i].name)
				*slot_of(m, old.v[i].name) = old.v[i];
		free(old.v);
	}
	s = slot_of(m, name);
	if (!s->name) {
		s->name = xstrdup(name);
		m->n++;
	}
	s->bad = s->bad || bad;
}

/* By key, and by object for what has no table (mesh_service): \1 and \2 can't
 * begin a JSON object, nor stand in a context's name. */
static void mark_names(struct buf *out, const char *context, const char *kind,
    const char *what, char sort)
{
	buf_clear(out);
	buf_addf(out, "%s\1%s%c%s", context, kind, sort, what);
}

static const char *text_or_empty(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? text : "";
}

static void paces_load(struct cache *c, struct marks *m)
{
	sqlite3_stmt *s = db_prepare(c, NULL, "SELECT context, kinds, max(every)"
	    " FROM main.source GROUP BY context, kinds");

	while (s && sqlite3_step(s) == SQLITE_ROW) {
		m->paces = xrealloc(m->paces, m->npaces + 1, sizeof(*m->paces));
		m->paces[m->npaces++] = (struct pace){
			.context = xstrdup(text_or_empty(s, 0)),
			.kinds = xstrdup(text_or_empty(s, 1)),
			.every = sqlite3_column_int64(s, 2),
		};
	}
	sqlite3_finalize(s);
}

static struct marks *marks_load(struct cache *c)
{
	struct query *running = c->running;
	struct marks *m = xcalloc(1, sizeof(*m));
	sqlite3_stmt *s = db_prepare(c, NULL, "SELECT f.context, f.kind, f.key,"
	    " f.object, f.severity = 'bad' FROM temp.finding f WHERE NOT EXISTS"
	    " (SELECT 1 FROM data.mute m WHERE m.context = f.context AND m.rule"
	    " = f.rule AND (m.object IS NULL OR m.object = f.object) AND"
	    " m.until > at())");
	struct buf name = {0};

	c->running = NULL;	/* a reading of our own: nobody's time limit */
	while (s && sqlite3_step(s) == SQLITE_ROW) {
		const char *context = (const char *)sqlite3_column_text(s, 0);
		const char *kind = (const char *)sqlite3_column_text(s, 1);
		const char *key = (const char *)sqlite3_column_text(s, 2);
		const char *object = (const char *)sqlite3_column_text(s, 3);
		bool bad = sqlite3_column_int(s, 4);

		if (!context || !kind || !key || !object)
			continue;
		mark_names(&name, context, kind, key, '\1');
		marks_add(m, buf_str(&name), bad);
		mark_names(&name, context, "", object, '\2');
		marks_add(m, buf_str(&name), bad);
	}
	sqlite3_finalize(s);
	paces_load(c, m);
	m->until = cache_int(c, INT64_MAX,
	    "SELECT min(until) FROM data.mute WHERE until > at()");
	c->running = running;
	buf_free(&name);
	return m;
}

/* The names of the columns that the row's key has, in order: of the kind, or
 * of the list whose kind has no table. */
static size_t key_names(const struct cache *c, const char *kind,
    const char **names)
{
	const struct table *t = cache_table(c, kind);
	const struct view *v;

	if (!t) {
		v = registry_view_of_kind(c->registry, kind);
		return v ? view_key(c->registry, v, names, VIEW_KEY_MAX) : 0;
	}
	for (size_t i = 0; i < t->nkeys && i < VIEW_KEY_MAX; i++)
		names[i] = t->fields[i]->name;
	return t->nkeys < VIEW_KEY_MAX ? t->nkeys : VIEW_KEY_MAX;
}

static int64_t every_of(const struct cache *c, const char *kind,
    const char *context)
{
	const struct kind *k = registry_kind(c->registry, kind);
	const struct view *v = registry_view_of_kind(c->registry, kind);

	if (!k && v && v->every_of)
		k = registry_kind(c->registry, v->every_of);
	for (size_t i = 0; k && context && i < c->marks->npaces; i++) {
		const struct pace *p = &c->marks->paces[i];

		if (p->every && !strcmp(p->context, context) &&
		    strstr(p->kinds, k->name))
			return p->every;
	}
	return k ? k->every : 0;
}

static const char *worst(const struct cache *c, const char *kind, int n,
    sqlite3_value **v)
{
	const char *context = (const char *)sqlite3_value_text(v[2]), *object;
	const char *names[VIEW_KEY_MAX];
	struct cell cells[VIEW_KEY_MAX];
	size_t nkey = key_names(c, kind, names);
	struct buf key = {0}, name = {0};
	const struct marked *found[2] = {0};

	if (!context)
		return NULL;
	for (size_t i = 0; i < nkey && (int)i < n - 3; i++) {
		sqlite3_value *x = v[3 + i];

		cells[i] = sqlite3_value_type(x) == SQLITE_INTEGER ?
		    (struct cell){.tag = CELL_INT,
			.i = sqlite3_value_int64(x)} :
		    sqlite3_value_type(x) == SQLITE_NULL ? (struct cell){0} :
		    (struct cell){.tag = CELL_TEXT,
			.s = (const char *)sqlite3_value_text(x),
			.n = (size_t)sqlite3_value_bytes(x)};
	}
	if ((int)nkey == n - 3) {
		key_json(&key, names, cells, nkey);
		mark_names(&name, context, kind, buf_str(&key), '\1');
		found[0] = slot_of(c->marks, buf_str(&name));
	}
	object = n > 3 ? (const char *)sqlite3_value_text(v[3]) : NULL;
	if (object && !cache_table(c, kind)) {
		mark_names(&name, context, "", object, '\2');
		found[1] = slot_of(c->marks, buf_str(&name));
	}
	buf_free(&key);
	buf_free(&name);
	if ((found[0] && found[0]->bad) || (found[1] && found[1]->bad))
		return "bad";
	if ((found[0] && found[0]->name) || (found[1] && found[1]->name))
		return "doubtful";
	return NULL;
}

/* mark(KIND, SEEN, CONTEXT, KEY…) */
static void mark_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	struct cache *c = sqlite3_user_data(x);
	const char *kind = (const char *)sqlite3_value_text(v[0]), *status;
	int64_t seen, every;

	if (n < 3 || !kind) {
		sqlite3_result_null(x);
		return;
	}
	if (!c->marks)
		c->marks = marks_load(c);
	status = c->marks->n ? worst(c, kind, n, v) : NULL;
	if (!status) {
		seen = sqlite3_value_type(v[1]) == SQLITE_NULL ? 0 :
		    sqlite3_value_int64(v[1]);
		every = every_of(c, kind,
		    (const char *)sqlite3_value_text(v[2]));
		status = every && cache_at(c) - seen > 3 * every ? "old" : "ok";
	}
	sqlite3_result_text(x, status, -1, SQLITE_STATIC);
}

void mark_functions(struct cache *c)
{
	sqlite3_create_function(c->db, "mark", -1, SQLITE_UTF8 |
	    SQLITE_INNOCUOUS, c, mark_function, NULL, NULL);
}
