/* What the core's own lists read: the cache's tables under the names that
 * modules/core.c uses, and three functions that know the literals. */
#include "cache_impl.h"

#include <jansson.h>
#include <string.h>

/* %s is the list of contexts that the connection is aimed at. Bodies of TEMP
 * views, made by cache_aim(). */
const struct core_table core_tables[] = {
	{"change", "SELECT t, context, kind, key, op, field, old, new "
	    "FROM main.change_row WHERE context IN (%s)"},
	{"change_all", "SELECT context, t, after, kind, object, key, op, "
	    "field, old, new FROM main.change_row WHERE context IN (%s)"},
	/* Times in which nothing of the context was fetched: between the end
	 * of all runs that began before, and the next one. */
	{"gap", "SELECT context, before AS t1, t0 AS t2 FROM (SELECT "
	    "s.context, f.t0, f.gap, max(f.t1) OVER (PARTITION BY s.context "
	    "ORDER BY f.t0 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) "
	    "AS before FROM main.fetched f JOIN main.scope s ON s.id = f.scope "
	    "WHERE s.kind <> 'finding' AND s.context IN (%s)) "
	    "WHERE gap IS NOT NULL AND t0 - before > 15000"},
	{"mute", "SELECT rowid AS rowid, context, rule, object, since, until, "
	    "because FROM data.mute WHERE context IN (%s)"},
	{"source", "SELECT * FROM main.source WHERE context IN (%s)"},
	/* Tasks are of processes, not of contexts. */
	{"task_all", "SELECT * FROM main.task WHERE alive(pid, start) AND "
	    "'' NOT IN (%s)"},
	{"journal_all", "SELECT * FROM data.journal "
	    "WHERE context IS NULL OR context IN (%s)"},
	{NULL, NULL},
};

static const struct field *field_of(sqlite3_context *x, sqlite3_value **v)
{
	const struct cache *c = sqlite3_user_data(x);
	const char *kind = (const char *)sqlite3_value_text(v[0]);
	const char *name = (const char *)sqlite3_value_text(v[1]);
	const struct table *t = kind ? cache_table(c, kind) : NULL;
	int at = t && name ? table_place(t, name) : -1;

	return at < 0 ? NULL : t->fields[at];
}

/* suspect(KIND, FIELD): the literal's weight; of a whole row that came or
 * went, a middle one. */
static void suspect_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	const struct field *f = field_of(x, v);

	(void)n;
	sqlite3_result_int(x, f ? f->suspect :
	    sqlite3_value_type(v[1]) == SQLITE_NULL ? 30 : 0);
}

/* A JSON scalar as SQL has it; lists and objects stay text. */
static void result_json(sqlite3_context *x, const char *text, json_t *j)
{
	switch (j ? json_typeof(j) : JSON_NULL) {
	case JSON_STRING:
		sqlite3_result_text(x, json_string_value(j),
		    (int)json_string_length(j), SQLITE_TRANSIENT);
		break;
	case JSON_INTEGER:
		sqlite3_result_int64(x, json_integer_value(j));
		break;
	case JSON_REAL:
		sqlite3_result_double(x, json_real_value(j));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		sqlite3_result_int(x, json_is_true(j));
		break;
	case JSON_NULL:
		sqlite3_result_null(x);
		break;
	default:
		sqlite3_result_text(x, text, -1, SQLITE_TRANSIENT);
	}
}

/* raw(KIND, FIELD, JSON): the value of a change as SQL has it; a time as every
 * format writes it, since no column's type says that it is one. */
static void raw_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	const struct field *f = field_of(x, v);
	const char *text = (const char *)sqlite3_value_text(v[2]);
	json_t *j = text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL,
	    NULL) : NULL;
	struct buf b = {0};

	(void)n;
	if (f && f->type == TYPE_TIME && json_is_integer(j)) {
		value_rfc3339(&b, json_integer_value(j));
		sqlite3_result_text(x, buf_str(&b), (int)b.n,
		    SQLITE_TRANSIENT);
	} else {
		result_json(x, text, j);
	}
	buf_free(&b);
	json_decref(j);
}

static struct cell json_cell(json_t *j, const char *text, enum type type)
{
	if (type == TYPE_LIST || type == TYPE_OBJECT)
		return (struct cell){.tag = CELL_TEXT, .s = text,
		    .n = strlen(text)};
	if (json_is_string(j))
		return (struct cell){.tag = CELL_TEXT,
		    .s = json_string_value(j), .n = json_string_length(j)};
	if (json_is_integer(j))
		return (struct cell){.tag = CELL_INT,
		    .i = json_integer_value(j)};
	if (json_is_real(j))
		return (struct cell){.tag = CELL_REAL,
		    .d = json_real_value(j)};
	return (struct cell){0};
}

/* spell(KIND, FIELD, JSON): the same as a table shows it; NULL is NULL. Made
 * harmless where it is shown, like every text. */
static void spell_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	const struct field *f = field_of(x, v);
	const char *text = (const char *)sqlite3_value_text(v[2]);
	json_t *j = text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL,
	    NULL) : NULL;
	enum type type = f ? f->type : TYPE_ANY;
	struct buf b = {0};
	struct cell c;

	(void)n;
	if (!j || json_is_null(j)) {
		sqlite3_result_null(x);
	} else if (json_is_string(j) && type != TYPE_LIST &&
	    type != TYPE_OBJECT) {
		result_json(x, text, j);
	} else {
		c = json_cell(j, text, type);
		value_show(&b, type, 0, SPELL_SHORT, c);
		sqlite3_result_text(x, buf_str(&b), (int)b.n,
		    SQLITE_TRANSIENT);
	}
	buf_free(&b);
	json_decref(j);
}

void core_functions(struct cache *c)
{
	int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC;

	sqlite3_create_function(c->db, "suspect", 2, flags, c,
	    suspect_function, NULL, NULL);
	sqlite3_create_function(c->db, "raw", 3, flags, c, raw_function, NULL,
	    NULL);
	sqlite3_create_function(c->db, "spell", 3, flags, c, spell_function,
	    NULL, NULL);
}
