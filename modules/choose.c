/* Choosing among rows in memory. --where is SQL, so the rows go to SQLite as
 * one JSON text, and the numbers of those that hold come back: the expression
 * runs under the same guard, and means the same, as over a view. */
#include "choose.h"

#include <stdlib.h>

#include "cache.h"
#include "view.h"

enum { ORDERS_MAX = 32, WHERE_MS = 30000 };

bool choose_all(const struct flags *f)
{
	return !f->nwhere && !f->filter && !f->sort;
}

/* A column's name as SQL reads it: that of a function's result may be any. */
static void add_name(struct buf *sql, const char *name)
{
	buf_addc(sql, '"');
	for (; *name; name++) {
		buf_addc(sql, *name);
		if (*name == '"')
			buf_addc(sql, '"');
	}
	buf_addc(sql, '"');
}

/* The expressions, each in its brackets on lines of its own, so that a comment
 * in one can't swallow the next. */
static void add_where(struct buf *sql, const struct flags *f)
{
	for (size_t i = 0; i < f->nwhere; i++)
		buf_addf(sql, "%s (%s\n)", i ? " AND" : " WHERE", f->where[i]);
}

static int check_where(struct cache *c, const struct column *columns, size_t n,
    const struct flags *f, struct err *err)
{
	struct buf sql = {0};
	struct query *q;

	/* Each alone; between WHEN and THEN, too, where one that closes a
	 * bracket it didn't open can't stand. */
	for (size_t i = 0; i < f->nwhere; i++) {
		const struct flags one = {.where = &f->where[i], .nwhere = 1};

		buf_clear(&sql);
		buf_addf(&sql, "SELECT CASE WHEN %s\n THEN 1 END FROM (SELECT ",
		    f->where[i]);
		for (size_t k = 0; k < n; k++) {
			buf_addf(&sql, "%sNULL AS ", k ? ", " : "");
			add_name(&sql, columns[k].name);
		}
		buf_adds(&sql, ")");
		add_where(&sql, &one);
		q = query_new(c, buf_str(&sql), QUERY_GUARD, 0, NULL, err);
		if (!q) {
			buf_free(&sql);
			return err_prefix(err, "--where");
		}
		query_free(q);
	}
	buf_free(&sql);
	return 0;
}

int choose_check(struct cache *c, const struct column *columns, size_t n,
    const struct flags *f, struct err *err)
{
	struct order order[ORDERS_MAX];
	struct filter *filter;

	if (f->sort && view_order(columns, n, f->sort, order, ORDERS_MAX,
	    err) < 0)
		return -1;
	if (f->filter) {
		filter = filter_new(f->filter, err);
		if (!filter)
			return err_prefix(err, "--filter");
		filter_free(filter);
	}
	return check_where(c, columns, n, f, err);
}

/* [[0, cells…], …]: the row's number, then its cells as SQL has them. */
static void rows_json(struct buf *out, const struct rows *rows)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < rows->n; i++) {
		buf_addf(out, "%s[%zu", i ? "," : "", i);
		for (size_t k = 0; k < rows->ncolumns; k++) {
			buf_addc(out, ',');
			value_json(out, TYPE_ANY, rows_cell(rows, i, k));
		}
		buf_addc(out, ']');
	}
	buf_addc(out, ']');
}

static int run_where(struct cache *c, const struct rows *rows,
    const struct flags *f, struct task *t, uint32_t *index, size_t *n,
    struct err *err)
{
	struct buf sql = {0}, json = {0};
	const struct cell *cells;
	struct query *q;
	int rc;

	buf_adds(&sql, "SELECT \"\" FROM (SELECT value ->> 0 AS \"\"");
	for (size_t k = 0; k < rows->ncolumns; k++) {
		buf_addf(&sql, ", value ->> %zu AS ", k + 1);
		add_name(&sql, rows->columns[k].name);
	}
	buf_adds(&sql, " FROM json_each(?1))");
	add_where(&sql, f);
	rows_json(&json, rows);
	q = query_new(c, buf_str(&sql), QUERY_GUARD, WHERE_MS, t, err);
	buf_free(&sql);
	if (!q) {
		buf_free(&json);
		return err_prefix(err, "--where");
	}
	query_bind(q, 1, (struct cell){
	    .tag = CELL_TEXT, .n = json.n, .s = json.p});
	*n = 0;
	while ((rc = query_step(q, &cells, err)) == 1)
		index[(*n)++] = (uint32_t)cells[0].i;
	query_free(q);
	buf_free(&json);
	return rc;
}

static int run_filter(const struct rows *rows, const struct flags *f,
    bool contexts, uint32_t *index, size_t *n, struct err *err)
{
	struct filter *filter = filter_new(f->filter, err);
	struct cell *cells;
	size_t left = 0;

	if (!filter)
		return -1;
	cells = xcalloc(rows->ncolumns + 1, sizeof(*cells));
	for (size_t i = 0; i < *n; i++) {
		for (size_t k = 0; k < rows->ncolumns; k++)
			cells[k] = rows_cell(rows, index[i], k);
		if (filter_match(filter, rows->columns, rows->ncolumns, cells,
		    contexts))
			index[left++] = index[i];
	}
	*n = left;
	free(cells);
	filter_free(filter);
	return 0;
}

static int run_sort(const struct rows *rows, const char *sort,
    uint32_t *index, size_t n, struct err *err)
{
	struct order order[ORDERS_MAX];
	int by = view_order(rows->columns, rows->ncolumns, sort, order,
	    ORDERS_MAX, err);

	if (by < 0)
		return -1;
	return rows_sort(rows, order, (size_t)by, index, n, NULL);
}

int64_t choose_rows(struct cache *c, const struct rows *rows,
    const struct flags *f, bool contexts, struct task *t, uint32_t **index,
    struct err *err)
{
	size_t n = rows->n;
	uint32_t *left = xmalloc((n + 1) * sizeof(*left));

	for (size_t i = 0; i < n; i++)
		left[i] = (uint32_t)i;
	if ((f->nwhere && run_where(c, rows, f, t, left, &n, err) < 0) ||
	    (f->filter && run_filter(rows, f, contexts, left, &n, err) < 0) ||
	    (f->sort && run_sort(rows, f->sort, left, n, err) < 0)) {
		free(left);
		return -1;
	}
	*index = left;
	return (int64_t)n;
}
