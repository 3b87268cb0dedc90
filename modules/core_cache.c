/* `cache stats` and `cache prune`: what the cache holds, how big it is, and
 * letting go of its past. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "gate.h"

#define KEEP_MS	(30 * INT64_C(86400000))

/* ---- stats ---------------------------------------------------------------------- */

static const struct column stats_columns[] = {
	{.name = "name", .help = "a kind, or what stands beside them"},
	{.name = "rows", .type = TYPE_NUMBER, .help = "true now"},
	{.name = "versions", .type = TYPE_NUMBER, .help = "of the past"},
	{.name = "bytes", .type = TYPE_SIZE, .help = "on disk"},
	{.name = "oldest", .type = TYPE_TIME, .help = "how far back it goes"},
	{.name = "newest", .type = TYPE_TIME, .help = "the last of it"},
	{0},
};

/* A kind's own tables. Bytes of tables come from SQLite's dbstat. */
#define BYTES(names) \
	"(SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1 AND " names ")"
static const char kind_sql[] =
    "SELECT '%1$s', (SELECT count(*) FROM main.%1$s_now), "
    "(SELECT count(*) FROM main.%1$s_past), "
    BYTES("name IN ('%1$s_now', '%1$s_m', '%1$s_past', '%1$s_key')") ", "
    "coalesce((SELECT min(_since) FROM main.%1$s_past), "
    "(SELECT min(_since) FROM main.%1$s_now)), "
    "(SELECT max(merged_at) FROM main.scope WHERE kind = '%1$s')";
static const char *const other_sql[] = {
	"SELECT 'change', count(*), NULL, "
	BYTES("name IN ('change_row', 'change_t')") ", min(t), max(t) "
	"FROM main.change_row",
	"SELECT 'series', NULL, NULL, " BYTES("name IN ('frame', 'block')")
	", min(t0), max(coalesce((SELECT max(t) FROM main.frame), t1)) "
	"FROM (SELECT min(t0) AS t0, max(t1) AS t1 FROM main.block UNION ALL "
	"SELECT min(t), max(t) FROM main.frame)",
	"SELECT 'journal', count(*), NULL, NULL, min(t), max(t) "
	"FROM data.journal",
	NULL,
};

static int print_query(struct run *r, const char *sql, struct err *err)
{
	struct query *q = query_new(r->cache, sql, 0, 0, r->task, err);
	const struct cell *cells;
	int rc;

	if (!q)
		return -1;
	while ((rc = query_step(q, &cells, err)) == 1)
		if (run_row(r, cells, err) < 0) {
			rc = -1;
			break;
		}
	query_free(q);
	return rc;
}

struct printing {
	struct run	*r;
	struct err	*err;
};

static int print_kind(void *arg, const struct module *m, const struct kind *k)
{
	struct printing *p = arg;
	char *sql = xasprintf(kind_sql, k->name);
	int rc = print_query(p->r, sql, p->err);

	(void)m;
	free(sql);
	return rc;
}

static int stats_run(struct run *r, struct err *err)
{
	struct printing p = {r, err};

	if (registry_each_kind(&r->session->registry, print_kind, &p) < 0)
		return -1;
	for (size_t i = 0; other_sql[i]; i++)
		if (print_query(r, other_sql[i], err) < 0)
			return -1;
	return 0;
}

const struct command cache_stats_command = {
	.name = "cache stats",
	.help = "what the cache holds",
	.columns = stats_columns,
	.flags = COMMAND_ROWS,
	.run = stats_run,
};

/* ---- prune ------------------------------------------------------------------------ */

static const struct column prune_columns[] = {
	{.name = "name", .help = "a kind, or what stands beside them"},
	{.name = "rows", .type = TYPE_NUMBER, .help = "removed"},
	{.name = "bytes", .type = TYPE_SIZE, .help = "removed"},
	{0},
};

static void print_pruned(void *arg, const char *name, int64_t rows,
    int64_t bytes)
{
	struct printing *p = arg;
	const struct cell cells[] = {run_s(name), run_i(rows), run_i(bytes)};

	run_row(p->r, cells, p->err);
}

static int older(struct run *r, int64_t *ms, struct err *err)
{
	const char *text = line_own(r->line, "--older");

	if (!text)
		*ms = config_duration(&r->session->config, "cache.keep",
		    KEEP_MS);
	else if (value_duration(text, ms, err) < 0)
		return err_prefix(err, "--older");
	return 0;
}

static int prune_act(struct run *r, struct err *err)
{
	struct printing p = {r, err};
	int64_t ms;

	if (older(r, &ms, err) < 0)
		return -1;
	return cache_prune(r->cache, clock_now() - ms, print_pruned, &p, err);
}

static int prune_run(struct run *r, struct err *err)
{
	int64_t ms;

	if (older(r, &ms, err) < 0)
		return -1;
	return gate_own(r, "cache", prune_act, err);
}

const struct command cache_prune_command = {
	.name = "cache prune",
	.help = "let go of the past that is older than the config keeps",
	.flags_own = (const struct flag[]){
		{"--older", "DUR", "than that instead: 7d, 0s"},
		{0},
	},
	.columns = prune_columns,
	.flags = COMMAND_OWN,
	.run = prune_run,
};
