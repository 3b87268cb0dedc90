/* The table `sample` in SQL: every value of every metric, one a row. A virtual
 * table over frames and blocks; what a statement asks for of context, kind, key,
 * field and t is not read beyond. */
#include "cache_series.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_CONTEXT, SAMPLE_KIND, SAMPLE_KEY, SAMPLE_FIELD, SAMPLE_T,
    SAMPLE_VALUE };
/* What the arguments of a filter are, in order of these bits. */
enum {
	BY_CONTEXT = 1 << 0, BY_KIND = 1 << 1, BY_KEY = 1 << 2,
	BY_FIELD = 1 << 3, BY_T = 1 << 4, BY_FROM = 1 << 5, BY_TO = 1 << 6,
};
#define BY_N 7

struct tab {
	sqlite3_vtab	 base;
	struct cache	*c;
};
struct cursor {
	sqlite3_vtab_cursor	 base;
	struct cache		*c;
	char			*want[4];	/* context kind key field; NULL */
	json_t			*key;		/* want[SAMPLE_KEY] read */
	int64_t			 from, to;

	struct table		**t;		/* the kind that is read */
	sqlite3_stmt		*rows;		/* its rows: id, context, keys */
	struct buf		 key_text;
	size_t			 column;
	struct samples		 samples;
	size_t			 i;
	int64_t			 rowid;
};

static int tab_connect(sqlite3 *db, void *arg, int argc,
    const char *const *argv, sqlite3_vtab **out, char **fault)
{
	struct tab *t;
	int rc;

	(void)argc, (void)argv, (void)fault;
	rc = sqlite3_declare_vtab(db, "CREATE TABLE x(context TEXT, kind TEXT, "
	    "key TEXT, field TEXT, t INT, value)");
	if (rc != SQLITE_OK)
		return rc;
	t = xcalloc(1, sizeof(*t));
	t->c = arg;
	*out = &t->base;
	return SQLITE_OK;
}

static int tab_disconnect(sqlite3_vtab *v)
{
	free(v);
	return SQLITE_OK;
}

static int bit_of(int column, int op)
{
	if (column < SAMPLE_T)
		return op == SQLITE_INDEX_CONSTRAINT_EQ ? 1 << column : 0;
	if (column != SAMPLE_T)
		return 0;
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		return BY_T;
	case SQLITE_INDEX_CONSTRAINT_GT:
	case SQLITE_INDEX_CONSTRAINT_GE:
		return BY_FROM;
	case SQLITE_INDEX_CONSTRAINT_LT:
	case SQLITE_INDEX_CONSTRAINT_LE:
		return BY_TO;
	}
	return 0;
}

/* SQLite checks every constraint again: what is pushed down only narrows. */
static int tab_best(sqlite3_vtab *v, sqlite3_index_info *info)
{
	int used[BY_N], bit, i, n = 0;
	double cost = 1e9;

	(void)v;
	memset(used, -1, sizeof(used));
	for (i = 0; i < info->nConstraint; i++) {
		if (!info->aConstraint[i].usable)
			continue;
		bit = bit_of(info->aConstraint[i].iColumn,
		    info->aConstraint[i].op);
		if (bit)
			used[__builtin_ctz((unsigned)bit)] = i;
	}
	for (i = 0; i < BY_N; i++) {
		if (used[i] < 0)
			continue;
		info->aConstraintUsage[used[i]].argvIndex = ++n;
		info->idxNum |= 1 << i;
		cost /= i == 2 ? 1e4 : 10;
	}
	info->estimatedCost = cost;
	info->estimatedRows = (sqlite3_int64)cost;
	return SQLITE_OK;
}

static int tab_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
	struct cursor *k = xcalloc(1, sizeof(*k));

	k->c = ((struct tab *)v)->c;
	*out = &k->base;
	return SQLITE_OK;
}

static void cursor_clear(struct cursor *k)
{
	int i;

	for (i = 0; i < 4; i++) {
		free(k->want[i]);
		k->want[i] = NULL;
	}
	json_decref(k->key);
	k->key = NULL;
	sqlite3_finalize(k->rows);
	k->rows = NULL;
	samples_release(&k->samples);
}

static int tab_close(sqlite3_vtab_cursor *base)
{
	struct cursor *k = (struct cursor *)base;

	cursor_clear(k);
	buf_free(&k->key_text);
	free(k);
	return SQLITE_OK;
}

/* ---- rows of a kind ----------------------------------------------------- */

static void rows_sql(struct buf *sql, const struct cursor *k,
    const struct table *t, const char *part, const char *when)
{
	size_t i;

	buf_adds(sql, "SELECT _id, context");
	table_names(sql, t, "", 0, t->nkeys);
	buf_addf(sql, " FROM main.%s_%s WHERE context IN (%s)%s",
	    t->kind->name, part, aim_contexts(k->c), when);
	if (k->want[SAMPLE_CONTEXT])
		buf_adds(sql, " AND context = ?1");
	for (i = 0; k->key && i < t->nkeys; i++)
		buf_addf(sql, " AND %s IS ?%zu", t->fields[i]->name, i + 2);
}

static void bind_key(const struct cursor *k, const struct table *t)
{
	json_t *v;
	size_t i;

	for (i = 0; k->key && i < t->nkeys; i++) {
		v = json_object_get(k->key, t->fields[i]->name);
		if (json_is_string(v))
			sqlite3_bind_text(k->rows, (int)i + 2,
			    json_string_value(v),
			    (int)json_string_length(v), SQLITE_TRANSIENT);
		else if (json_is_integer(v))
			sqlite3_bind_int64(k->rows, (int)i + 2,
			    json_integer_value(v));
		else if (json_is_real(v))
			sqlite3_bind_double(k->rows, (int)i + 2,
			    json_real_value(v));
	}
}

/* Rows that are there, and those that were within the time asked for. */
static int rows_open(struct cursor *k)
{
	const struct table *t = *k->t;
	struct buf sql = {0};
	char when[80];

	rows_sql(&sql, k, t, "now", "");
	buf_adds(&sql, " UNION ");
	sqlite3_snprintf(sizeof(when), when, " AND _until > %lld",
	    (long long)k->from);
	rows_sql(&sql, k, t, "past", when);
	k->rows = db_prepare(k->c, NULL, buf_str(&sql));
	buf_free(&sql);
	if (!k->rows)
		return SQLITE_ERROR;
	if (k->want[SAMPLE_CONTEXT])
		sqlite3_bind_text(k->rows, 1, k->want[SAMPLE_CONTEXT], -1,
		    SQLITE_STATIC);
	bind_key(k, t);
	return SQLITE_OK;
}

static bool is_wanted(const struct cursor *k, const struct table *t)
{
	const char *kind = k->want[SAMPLE_KIND], *field = k->want[SAMPLE_FIELD];

	return t->nmetrics > 0 && (!kind || strcmp(kind, t->kind->name) == 0) &&
	    (!field || series_column(t, field) >= 0);
}

static void key_write(struct cursor *k)
{
	const char *names[64];
	struct cell cells[64];
	const struct table *t = *k->t;
	size_t i;

	for (i = 0; i < t->nkeys && i < 64; i++) {
		names[i] = t->fields[i]->name;
		cells[i] = db_cell(k->rows, (int)i + 2);
	}
	buf_clear(&k->key_text);
	key_json(&k->key_text, names, cells, i);
}

static void column_read(struct cursor *k)
{
	struct series s;

	samples_release(&k->samples);
	k->i = 0;
	if (series_find(k->c, sqlite3_column_int64(k->rows, 0), &s) == 0)
		series_read(k->c, &s, k->column, k->from, k->to, &k->samples);
}

/* The next column that is asked for, of this row, the next row, the next kind.
 * Leaves k->t at the end when there is none. */
static int column_next(struct cursor *k)
{
	const char *field = k->want[SAMPLE_FIELD];
	int rc;

	for (;;) {
		if (k->rows && ++k->column < (*k->t)->nmetrics) {
			if (field && (int)k->column !=
			    series_column(*k->t, field))
				continue;
			column_read(k);
			return SQLITE_OK;
		}
		while (*k->t && !k->rows && !is_wanted(k, *k->t))
			k->t++;
		if (!*k->t)
			return SQLITE_OK;
		if (!k->rows && rows_open(k) != SQLITE_OK)
			return SQLITE_ERROR;
		rc = sqlite3_step(k->rows);
		k->column = (size_t)-1;
		if (rc == SQLITE_ROW) {
			key_write(k);
			continue;
		}
		sqlite3_finalize(k->rows);
		k->rows = NULL;
		if (rc != SQLITE_DONE)
			return rc;
		k->t++;
	}
}

static int tab_next(sqlite3_vtab_cursor *base)
{
	struct cursor *k = (struct cursor *)base;
	int rc;

	k->rowid++;
	k->i++;
	for (;;) {
		for (; k->i < k->samples.n; k->i++)
			if (!isnan(k->samples.v[k->i].v.d))
				return SQLITE_OK;
		rc = column_next(k);
		if (rc != SQLITE_OK || !*k->t)
			return rc;
	}
}

/* A bound of t as SQL gave it. */
static int64_t bound(sqlite3_value *v)
{
	double d = sqlite3_value_double(v);

	return d > 1e16 ? (int64_t)1e16 : d < -1e16 ? (int64_t)-1e16 :
	    sqlite3_value_type(v) == SQLITE_FLOAT ? (int64_t)floor(d) :
	    sqlite3_value_int64(v);
}

static void take_argument(struct cursor *k, int bit, sqlite3_value *v)
{
	const char *text;
	int64_t t;

	if (bit < 4) {
		text = (const char *)sqlite3_value_text(v);
		k->want[bit] = xstrdup(text ? text : "");
		return;
	}
	t = bound(v);
	if (1 << bit != BY_TO && t > k->from)
		k->from = t;
	/* One more: 12.5 is after 12. */
	if (1 << bit != BY_FROM && t + 1 < k->to)
		k->to = t + 1;
}

static int tab_filter(sqlite3_vtab_cursor *base, int number, const char *text,
    int argc, sqlite3_value **argv)
{
	struct cursor *k = (struct cursor *)base;
	int bit, n = 0;

	(void)text, (void)argc;
	cursor_clear(k);
	k->from = cache_at(k->c) - res_rules[RES_QUARTER].keep;
	k->to = cache_at(k->c);
	for (bit = 0; bit < BY_N; bit++)
		if (number & 1 << bit)
			take_argument(k, bit, argv[n++]);
	if (k->want[SAMPLE_KEY])
		k->key = json_loads(k->want[SAMPLE_KEY], JSON_ALLOW_NUL, NULL);
	k->t = k->c->tables;
	k->rowid = 0;
	k->i = 0;
	return tab_next(base);
}

static int tab_eof(sqlite3_vtab_cursor *base)
{
	return *((struct cursor *)base)->t == NULL;
}

static int tab_column(sqlite3_vtab_cursor *base, sqlite3_context *x, int column)
{
	struct cursor *k = (struct cursor *)base;
	const struct table *t = *k->t;
	double d;

	switch (column) {
	case SAMPLE_CONTEXT:
		sqlite3_result_value(x, sqlite3_column_value(k->rows, 1));
		break;
	case SAMPLE_KIND:
		sqlite3_result_text(x, t->kind->name, -1, SQLITE_STATIC);
		break;
	case SAMPLE_KEY:
		sqlite3_result_text(x, buf_str(&k->key_text),
		    (int)k->key_text.n, SQLITE_TRANSIENT);
		break;
	case SAMPLE_FIELD:
		sqlite3_result_text(x, t->fields[table_stored(t) +
		    k->column]->name, -1, SQLITE_STATIC);
		break;
	case SAMPLE_T:
		sqlite3_result_int64(x, k->samples.v[k->i].t);
		break;
	case SAMPLE_VALUE:
		d = k->samples.v[k->i].v.d;
		if (fabs(d) < 9007199254740992.0 && d == (double)(int64_t)d)
			sqlite3_result_int64(x, (int64_t)d);
		else
			sqlite3_result_double(x, d);
		break;
	}
	return SQLITE_OK;
}

static int tab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
	*id = ((struct cursor *)base)->rowid;
	return SQLITE_OK;
}

static const sqlite3_module tab_module = {
	.iVersion	= 1,
	.xConnect	= tab_connect,
	.xBestIndex	= tab_best,
	.xDisconnect	= tab_disconnect,
	.xDestroy	= tab_disconnect,
	.xOpen		= tab_open,
	.xClose		= tab_close,
	.xFilter	= tab_filter,
	.xNext		= tab_next,
	.xEof		= tab_eof,
	.xColumn	= tab_column,
	.xRowid		= tab_rowid,
};

void sample_module(struct cache *c)
{
	sqlite3_create_module(c->db, "sample", &tab_module, c);
}
