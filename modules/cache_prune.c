/* Pruning: closed versions and changes, oldest first, by age and by size. The
 * rows that are true now stay, whatever the size. */
#include "cache_fold.h"

#include <stdlib.h>
#include <string.h>

#define PIECE	5000	/* rows a transaction */
#define ROUNDS	32

typedef void prune_each(void *arg, const char *name, int64_t rows,
    int64_t bytes);

/* Bytes in use: what is free in the file is used again before it grows. */
static int64_t used(struct cache *c)
{
	int64_t pages = cache_int(c, 0, "PRAGMA main.page_count");
	int64_t spare = cache_int(c, 0, "PRAGMA main.freelist_count");

	return (pages - spare) * cache_int(c, 4096, "PRAGMA main.page_size");
}

/* One piece; how many rows went, or -1. */
static int64_t prune_piece(struct cache *c, const char *sql, struct err *err)
{
	int64_t n;

	if (db_begin(c, err) < 0)
		return -1;
	if (db_exec(c, err, "%s", sql) < 0) {
		db_rollback(c);
		return -1;
	}
	n = sqlite3_changes(c->db);
	return db_commit(c, err) < 0 ? -1 : n;
}

/* t NULL: the changes. until: clock_mono() at which it stops; 0: never. */
static int64_t prune_table(struct cache *c, const struct table *t,
    int64_t before, int64_t until, struct err *err)
{
	int64_t n, rows = 0;
	char *sql = t ? xasprintf("DELETE FROM main.%s_past WHERE (_until, _id)"
	    " IN (SELECT _until, _id FROM main.%s_past WHERE _until < %lld "
	    "ORDER BY _until, _id LIMIT %d)", t->kind->name, t->kind->name,
	    (long long)before, PIECE) :
	    xasprintf("DELETE FROM main.change_row WHERE id IN (SELECT id FROM "
	    "main.change_row WHERE t < %lld ORDER BY t LIMIT %d)",
	    (long long)before, PIECE);

	/* Looking takes no lock. */
	n = t ? cache_int(c, 0, "SELECT 1 FROM main.%s_past WHERE _until < %lld"
	    " LIMIT 1", t->kind->name, (long long)before) :
	    cache_int(c, 0, "SELECT 1 FROM main.change_row WHERE t < %lld "
	    "LIMIT 1", (long long)before);
	n = n ? PIECE : 0;
	while (n == PIECE && !(until && clock_mono() > until)) {
		n = prune_piece(c, sql, err);
		if (n > 0)
			rows += n;
	}
	free(sql);
	return n < 0 ? -1 : rows;
}

static int prune_all(struct cache *c, int64_t before, int64_t until,
    prune_each *each, void *arg, struct err *err)
{
	struct table **t = c->tables;
	int64_t rows, bytes;
	bool last = false;

	for (; !last; t++) {
		last = *t == NULL;
		bytes = each ? used(c) : 0;
		rows = prune_table(c, *t, before, until, err);
		if (rows < 0)
			return -1;
		if (each && rows > 0)
			each(arg, last ? "change" : (*t)->kind->name, rows,
			    bytes - used(c));
		if (last)
			break;
	}
	return 0;
}

int prune_before(struct cache *c, int64_t before, int64_t until,
    struct err *err)
{
	return prune_all(c, before, until, NULL, NULL, err);
}

int cache_prune(struct cache *c, int64_t before,
    void (*each)(void *arg, const char *name, int64_t rows, int64_t bytes),
    void *arg, struct err *err)
{
	return prune_all(c, before, 0, each, arg, err);
}

static int64_t oldest(struct cache *c)
{
	int64_t first = cache_int(c, INT64_MAX,
	    "SELECT min(t) FROM main.change_row"), t;
	struct table **k;

	for (k = c->tables; *k; k++) {
		t = cache_int(c, INT64_MAX, "SELECT min(_until) FROM "
		    "main.%s_past", (*k)->kind->name);
		first = t < first ? t : first;
	}
	return first;
}

int prune_to_size(struct cache *c, int64_t max, int64_t until,
    struct err *err)
{
	int64_t now = clock_now(), first;
	int i;

	if (max <= 0)
		return 0;
	for (i = 0; i < ROUNDS && used(c) > max && clock_mono() < until; i++) {
		first = oldest(c);
		if (first == INT64_MAX)
			return 0;
		if (prune_all(c, first + (now - first) / 8 + 1, until, NULL,
		    NULL, err) < 0)
			return -1;
	}
	return 0;
}
