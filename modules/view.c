/* A view as a query. Its SELECT is wrapped twice: once so that it gives just
 * the view's columns with `status` and `seen`, once for what was asked of it.
 * SQLite flattens both, so a page by key reads a page. */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "task.h"
#include "text.h"

/* Does the text hold the word? Good enough to know whether a SELECT gives
 * `seen`: when it is wrong, the SELECT doesn't prepare, which is checked. */
static bool has_word(const char *text, const char *word)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t n = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += n)
		if ((p == text || !strchr(letters, p[-1])) &&
		    (!p[n] || !strchr(letters, p[n])))
			return true;
	return false;
}

static const char *fetched_kind(const struct view *v)
{
	return v->every_of ? v->every_of : v->kind;
}

char *view_body(const struct registry *r, const struct view *v)
{
	const char *key[VIEW_KEY_MAX], *of = fetched_kind(v);
	size_t nkey = view_key(r, v, key, VIEW_KEY_MAX), n;
	bool own_seen = has_word(v->sql, "seen");
	struct column *c;
	struct buf b = {0};

	if (v->flags & VIEW_NO_STATUS)
		return xstrdup(v->sql);
	c = view_columns(v, &n);
	buf_adds(&b, "SELECT ");
	for (size_t i = 0; i + 2 < n; i++)
		buf_addf(&b, "%sv.%s", i ? ", " : "", c[i].name);
	buf_addf(&b, ", mark('%s', %s, v.context", v->kind ? v->kind : of,
	    own_seen ? "v.seen" : "f.seen");
	for (size_t i = 0; i < nkey; i++)
		buf_addf(&b, ", v.%s", key[i]);
	buf_addf(&b, ") AS status, %s AS seen FROM (%s) v",
	    own_seen ? "v.seen" : "f.seen", v->sql);
	if (!own_seen)
		buf_addf(&b, " LEFT JOIN (SELECT context AS c, max(seen) AS seen"
		    " FROM %s GROUP BY context) f ON f.c = v.context", of);
	free(c);
	return buf_take(&b);
}

/* ---- orders and picks ----------------------------------------------------- */

static int unknown_column(const char *flag, const struct column *columns,
    size_t n, const char *name, size_t len, struct err *err)
{
	const char **names = xcalloc(n + 1, sizeof(*names)), *near;
	char *word = xstrndup(name, len);
	struct buf b = {0};

	for (size_t i = 0; i < n; i++)
		names[i] = columns[i].name;
	near = text_nearest(word, names);
	text_harmless(&b, word, strlen(word));
	if (near)
		err_set(err, ERR_USAGE,
		    "%s: no column \"%s\"; did you mean \"%s\"?", flag,
		    buf_str(&b), near);
	else {
		struct buf all = {0};
		for (size_t i = 0; i < n; i++)
			buf_addf(&all, "%s%s", i ? ", " : "", names[i]);
		err_set(err, ERR_USAGE, "%s: no column \"%s\"; there are %s",
		    flag, buf_str(&b), buf_str(&all));
		buf_free(&all);
	}
	buf_free(&b);
	free(word);
	free(names);
	return -1;
}

static int column_at(const struct column *c, size_t n, const char *name,
    size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(c[i].name) == len && !memcmp(c[i].name, name, len))
			return (int)i;
	return -1;
}

static bool is_number(const struct column *c, size_t n, const char *name)
{
	int at = column_at(c, n, name, strlen(name));

	return at >= 0 && c[at].type == TYPE_NUMBER;
}

int view_order(const struct column *columns, size_t ncolumns,
    const char *sort, struct order *out, size_t max, struct err *err)
{
	size_t n = 0;

	for (const char *p = sort; ; p++) {
		size_t len = strcspn(p, ","), name = len;
		const char *colon = memchr(p, ':', len);
		bool desc = false;
		int at;

		if (colon) {
			name = (size_t)(colon - p);
			if (len - name == 5 && !memcmp(colon, ":desc", 5))
				desc = true;
			else
				return err_set(err, ERR_USAGE, "--sort: \"%.*s\""
				    " ends in neither a column nor :desc",
				    (int)len, p);
		}
		at = column_at(columns, ncolumns, p, name);
		if (at < 0)
			return unknown_column("--sort", columns, ncolumns, p,
			    name, err);
		if (n == max)
			return err_set(err, ERR_USAGE,
			    "--sort: more than %zu columns", max);
		out[n++] = (struct order){.column = at, .desc = desc};
		p += len;
		if (!*p)
			return (int)n;
	}
}

int view_pick(const struct column *columns, size_t ncolumns,
    const char *names, int *out, size_t max, struct err *err)
{
	size_t n = 0;

	for (const char *p = names; ; p++) {
		size_t len = strcspn(p, ",");
		int at = column_at(columns, ncolumns, p, len);

		if (at < 0)
			return unknown_column("--columns", columns, ncolumns, p,
			    len, err);
		if (n == max)
			return err_set(err, ERR_USAGE,
			    "--columns: more than %zu columns", max);
		out[n++] = at;
		p += len;
		if (!*p)
			return (int)n;
	}
}

/* ---- the query ------------------------------------------------------------ */

/* Null last either way; key columns are never null, and plain they can follow
 * the key's index. */
static void add_term(struct buf *b, const char *name, bool desc, bool key)
{
	buf_adds(b, b->n ? ", " : " ORDER BY ");
	if (!key)
		buf_addf(b, "%s IS NULL, ", name);
	buf_addf(b, "%s%s", name, desc ? " DESC" : "");
}

static int add_order(struct buf *out, const struct column *c, size_t n,
    const char *sort, bool context, const char *const *key, size_t nkey,
    struct err *err)
{
	struct order by[16];
	struct buf b = {0};
	int nby = 0;

	if (sort && (nby = view_order(c, n, sort, by, 16, err)) < 0)
		return -1;
	for (int i = 0; i < nby; i++)
		add_term(&b, c[by[i].column].name, by[i].desc, false);
	if (nkey && context)
		add_term(&b, "context", false, true);
	for (size_t i = 0; i < nkey; i++)
		add_term(&b, key[i], false, true);
	buf_adds(out, buf_str(&b));
	buf_free(&b);
	return 0;
}

char *view_select(const struct registry *r, const struct view *v,
    const struct view_ask *ask, struct err *err)
{
	const char *key[VIEW_KEY_MAX];
	size_t nkey = view_key(r, v, key, VIEW_KEY_MAX), n;
	struct column *c = view_columns(v, &n);
	char *body = view_body(r, v);
	const char *with = " WHERE ";
	struct buf b = {0};
	int rc;

	buf_adds(&b, "SELECT ");
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", c[i].name);
	buf_addf(&b, " FROM (%s)", body);
	/* The newline ends a comment that the expression may hold. */
	for (size_t i = 0; i < ask->nwhere; i++, with = " AND ")
		buf_addf(&b, "%s(%s\n)", with, ask->where[i]);
	for (size_t i = 0; i < ask->nkey && i < nkey; i++, with = " AND ")
		buf_addf(&b, is_number(c, n, key[i]) ?
		    "%s%s = CAST(?%zu AS NUMERIC)" : "%s%s = ?%zu", with,
		    key[i], i + 1);
	rc = add_order(&b, c, n, ask->sort ? ask->sort : v->sort,
	    column_at(c, n, "context", 7) >= 0, key, nkey, err);
	if (ask->limit >= 0)
		buf_addf(&b, " LIMIT %lld", (long long)ask->limit);
	free(c);
	free(body);
	if (rc) {
		buf_free(&b);
		return NULL;
	}
	return buf_take(&b);
}

/* What SQLite says of the whole statement, as it concerns the expression. */
static int bad_where(const struct view *v, const char *where, struct err *err)
{
	static const char column[] = "no such column: ";
	const char *name = err ? strstr(err->text, column) : NULL;
	size_t n;
	struct column *c;

	if (name) {
		char *copy = xstrdup(name + sizeof(column) - 1);

		c = view_columns(v, &n);
		unknown_column("--where", c, n, copy, strlen(copy), err);
		free(copy);
		free(c);
		return -1;
	}
	if (err && strstr(err->text, "syntax error"))
		return err_set(err, ERR_USAGE, "--where: \"%.200s\" is not one"
		    " whole SQL expression, such as \"%s = 'x'\"", where,
		    v->columns[0].name);
	return err_prefix(err, "--where");
}

int view_check_where(struct cache *c, const struct registry *r,
    const struct view *v, const char *where, struct err *err)
{
	char *body = view_body(r, v);
	/* Between WHEN and THEN no bracket can be closed that it didn't open; as
	 * a condition in brackets it must be one expression. */
	char *sql = xasprintf("SELECT CASE WHEN %s\n THEN 1 END FROM (%s)"
	    " WHERE (%s\n)", where, body, where);
	struct query *q = query_new(c, sql, QUERY_GUARD, 0, NULL, err);

	free(sql);
	free(body);
	if (!q)
		return bad_where(v, where, err);
	query_free(q);
	return 0;
}

/* ---- series ---------------------------------------------------------------- */

const struct column series_columns[2] = {
	{.name = "t", .type = TYPE_TIME, .help = "when"},
	{.name = "value", .type = TYPE_ANY, .help = "what it was then"},
};

/* What a series is taken of. */
struct past {
	const struct session	*session;
	struct cache		*cache;
	const char		*context;
	const struct view	*view;
	const char		*column;
	const char *const	*key;
	size_t			 nkey;
	char			*json;	/* the key as `change` has it */
	int64_t			 since, at;
	struct rows		*out;
	struct task		*task;
};

/* Runs sql with ?1 context, ?2 kind, ?3 key, ?4 field, ?5 since, ?6 at; its
 * two columns are appended. */
static int add_past(struct past *p, const char *sql, const char *kind,
    struct err *err)
{
	struct query *q = query_new(p->cache, sql, 0, 0, p->task, err);
	const char *text[] = {p->context, kind, p->json, p->column};
	const struct cell *cells;
	int rc;

	if (!q)
		return -1;
	for (int i = 0; i < 4; i++)
		query_bind(q, i + 1, (struct cell){.tag = CELL_TEXT,
		    .s = text[i], .n = strlen(text[i])});
	query_bind(q, 5, (struct cell){.tag = CELL_INT, .i = p->since});
	query_bind(q, 6, (struct cell){.tag = CELL_INT, .i = p->at});
	while ((rc = query_step(q, &cells, err)) == 1)
		rows_add(p->out, cells);
	query_free(q);
	return rc;
}

/* The row's value of that column at t: 1 with a copy in *text for texts, 0 when
 * the row isn't there. */
static int value_at(struct past *p, int64_t t, struct cell *value,
    struct buf *text, struct err *err)
{
	struct view_ask ask = {.limit = 1, .key = p->key, .nkey = p->nkey};
	const char *contexts[] = {p->context};
	const struct cell *cells;
	struct query *q = NULL;
	struct column *c;
	size_t n;
	char *sql;
	int rc = -1;

	c = view_columns(p->view, &n);
	sql = view_select(&p->session->registry, p->view, &ask, err);
	if (!sql || cache_aim(p->cache, contexts, 1, t, 0, err))
		goto out;
	q = query_new(p->cache, sql, 0, 0, p->task, err);
	if (!q)
		goto out;
	for (size_t i = 0; i < p->nkey; i++)
		query_bind(q, (int)i + 1, (struct cell){.tag = CELL_TEXT,
		    .s = p->key[i], .n = strlen(p->key[i])});
	rc = query_step(q, &cells, err);
	if (rc == 1) {
		*value = cells[column_at(c, n, p->column, strlen(p->column))];
		if (value->tag == CELL_TEXT) {
			buf_clear(text);
			buf_add(text, value->s, value->n);
			value->s = buf_str(text);
		}
	}
out:
	query_free(q);
	free(sql);
	free(c);
	return rc;
}

static int add_derived(struct past *p, const char *kind, struct err *err)
{
	/* Times at which the row was sampled, where it has a table. */
	static const char *const sql =
	    "SELECT DISTINCT t, NULL FROM sample WHERE context = ?1 AND kind ="
	    " ?2 AND key = ?3 AND ?4 = ?4 AND t > ?5 AND t <= ?6 ORDER BY t";
	/* Backends are asked one after another: the last of each interval
	 * stands for all, and no more of them than a chart shows. */
	static const char *const of_many =
	    "SELECT max(t), NULL FROM sample WHERE context = ?1 AND kind = ?2"
	    " AND ?3 = ?3 AND ?4 = ?4 AND t > ?5 AND t <= ?6"
	    " GROUP BY t / max(5000, (?6 - ?5) / 240) ORDER BY 1";
	bool own = registry_kind(&p->session->registry, p->view->kind) != NULL;
	struct past times = *p;
	struct rows at;
	struct buf text = {0};
	int rc;

	rows_init(&at, series_columns, 2);
	times.out = &at;
	rc = add_past(&times, own ? sql : of_many, kind, err);
	for (size_t i = 0; !rc && i < at.n; i++) {
		struct cell row[2] = {rows_cell(&at, i, 0)};

		if (task_check(p->task, err))
			rc = -1;
		else if ((rc = value_at(p, row[0].i, &row[1], &text, err)) == 1)
			rows_add(p->out, row);
		rc = rc < 0 ? -1 : 0;
	}
	buf_free(&text);
	rows_release(&at);
	return rc;
}

static const struct field *field_of(const struct kind *k, const char *name)
{
	for (const struct field *f = k ? k->fields : NULL; f && f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

static int add_series(struct past *p, struct err *err)
{
	const struct registry *r = &p->session->registry;
	const struct kind *k = registry_kind(r, p->view->kind);
	const struct field *f = field_of(k, p->column);

	if (f && f->role == ROLE_METRIC)
		return add_past(p, "SELECT t, value FROM sample WHERE context ="
		    " ?1 AND kind = ?2 AND key = ?3 AND field = ?4 AND t > ?5"
		    " AND t <= ?6 ORDER BY t", k->name, err);
	if (f && f->role == ROLE_FACT)
		return add_past(p, "SELECT t, json_extract(new, '$') FROM"
		    " change WHERE context = ?1 AND kind = ?2 AND key = ?3 AND"
		    " field = ?4 AND t > ?5 AND t <= ?6 ORDER BY t", k->name,
		    err);
	return add_derived(p, fetched_kind(p->view), err);
}

int view_series(const struct session *s, struct cache *c,
    const struct context *context, const struct view *v, const char *column,
    const char *const *key, size_t nkey, int64_t since, int64_t at,
    struct rows *out, struct task *t, struct err *err)
{
	struct past p = {.session = s, .cache = c, .context = context->name,
	    .view = v, .column = column, .key = key, .nkey = nkey,
	    .since = since, .at = at, .out = out, .task = t};
	const char *names[VIEW_KEY_MAX];
	struct cell cells[VIEW_KEY_MAX];
	size_t want = view_key(&s->registry, v, names, VIEW_KEY_MAX), n;
	struct column *columns = view_columns(v, &n);
	struct buf json = {0}, text = {0};
	struct cell now;
	int rc = -1;

	if (!v->kind || v->flags & VIEW_NO_PAST)
		err_set(err, ERR_USAGE, "%s has no past, so no series", v->name);
	else if (column_at(columns, n, column, strlen(column)) < 0)
		unknown_column("series", columns, n, column, strlen(column),
		    err);
	else if (nkey != want)
		err_set(err, ERR_USAGE,
		    "series of %s: the key has %zu parts, not %zu", v->name,
		    want, nkey);
	else if ((rc = value_at(&p, at, &now, &text, err)) == 0)
		rc = err_set(err, ERR_FAILED, "%s: no row \"%s\"", v->name,
		    nkey ? key[nkey - 1] : "");
	else if (rc == 1) {
		for (size_t i = 0; i < nkey; i++)
			cells[i] = is_number(columns, n, names[i]) ?
			    (struct cell){.tag = CELL_INT, .i = atoll(key[i])} :
			    (struct cell){.tag = CELL_TEXT, .s = key[i],
				.n = strlen(key[i])};
		key_json(&json, names, cells, nkey);
		p.json = json.p;
		rc = add_series(&p, err);
	}
	buf_free(&json);
	buf_free(&text);
	free(columns);
	return rc;
}
