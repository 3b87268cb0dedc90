/* Findings beyond the list: those that are muted too, and muting. A mute is
 * kept in the data folder, with an end and a reason, and ends by itself. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "gate.h"
#include "text.h"

static const struct column muted_columns[] = {
	FINDING_COLUMNS,
	{.name = "muted_until", .type = TYPE_TIME,
	    .help = "shown again from then on; none: not muted"},
	{.name = "because", .help = "why it is muted"},
	{0},
};

/* A mute of the object stands before one of the whole rule. */
static const char muted_sql[] =
    "SELECT f.context, f.severity, f.module, f.rule, f.object, f.text, "
    "f.since, f.command, f.kind, f.key, m.until, m.because "
    "FROM finding f LEFT JOIN mute m ON m.rowid = (SELECT n.rowid FROM mute n "
    "WHERE n.context = f.context AND n.rule = f.rule AND "
    "(n.object IS NULL OR n.object = f.object) AND n.until > at() "
    "ORDER BY n.object IS NULL, n.until DESC LIMIT 1) "
    "ORDER BY f.severity, f.since DESC, f.rule, f.object";

static int findings_run(struct run *r, struct err *err)
{
	struct query *q = query_new(r->cache, muted_sql, 0, 0, r->task, err);
	const struct cell *cells;
	int rc;

	if (!q)
		return -1;
	while ((rc = query_step(q, &cells, err)) == 1)
		if (run_row(r, cells, err) < 0)
			break;
	query_free(q);
	return rc ? -1 : 0;
}

const struct command findings_command = {
	.name = "findings",
	.help = "with --muted: those that are muted too, until when and why",
	.flags_own = (const struct flag[]){
		{"--muted", NULL, "the muted ones too, until when and why"},
		{0},
	},
	.columns = muted_columns,
	.flags = COMMAND_ROWS | COMMAND_AT,
	.run = findings_run,
};

/* ---- muting ---------------------------------------------------------------- */

static int add_rule(void *arg, const struct module *m, const struct rule *u)
{
	struct buf *b = arg;
	const char *id = u->id;

	(void)m;
	buf_add(b, &id, sizeof(id));
	return 0;
}

static int known_rule(struct run *r, const char *id, struct err *err)
{
	const struct registry *reg = &r->session->registry;
	struct buf names = {0};
	const char *near, *end = NULL;

	if (registry_rule(reg, id))
		return 0;
	registry_each_rule(reg, add_rule, &names);
	buf_add(&names, &end, sizeof(end));
	near = text_nearest(id, (const char *const *)names.p);
	buf_free(&names);
	if (near)
		return err_set(err, ERR_USAGE, "unknown rule %s; the nearest is "
		    "%s", id, near);
	return err_set(err, ERR_USAGE, "unknown rule %s; kiban findings shows "
	    "rules that found something", id);
}

/* Runs on every context that is meant. */
static int mute_act(struct run *r, struct err *err)
{
	const char *const *args = r->line->args;
	int64_t ms;

	if (value_duration(line_own(r->line, "--for"), &ms, err) < 0)
		return -1;
	for (size_t i = 0; i < r->ncontexts; i++)
		if (mute_put(r->cache, r->contexts[i]->name, args[0],
		    r->line->nargs > 1 ? args[1] : NULL, clock_now() + ms,
		    line_own(r->line, "--because"), err) < 0)
			return -1;
	return 0;
}

static char *mute_target(const struct line *l)
{
	return l->nargs > 1 ? xasprintf("%s %s", l->args[0], l->args[1])
			    : xstrdup(l->args[0]);
}

static int through_gate(struct run *r,
    int (*act)(struct run *r, struct err *err), struct err *err)
{
	char *target = mute_target(r->line);
	int rc = gate_own(r, target, act, err);

	free(target);
	return rc;
}

static int mute_run(struct run *r, struct err *err)
{
	const char *wanted = line_own(r->line, "--for");
	const char *because = line_own(r->line, "--because");
	int64_t ms;

	if (!wanted || !because || !*because)
		return err_set(err, ERR_USAGE, "findings mute needs --for DUR "
		    "and --because TEXT");
	if (value_duration(wanted, &ms, err) < 0)
		return err_prefix(err, "--for");
	if (ms <= 0)
		return err_set(err, ERR_USAGE, "--for %s: is no time at all",
		    wanted);
	if (known_rule(r, r->line->args[0], err) < 0)
		return -1;
	return through_gate(r, mute_act, err);
}

static int unmute_act(struct run *r, struct err *err)
{
	const char *const *args = r->line->args;
	const char *object = r->line->nargs > 1 ? args[1] : NULL;
	int gone = 0;

	for (size_t i = 0; i < r->ncontexts; i++) {
		int n = mute_drop(r->cache, r->contexts[i]->name, args[0],
		    object, err);
		if (n < 0)
			return -1;
		gone += n;
	}
	if (gone)
		return 0;
	return err_set(err, ERR_FAILED, "%s%s%s is not muted: kiban findings "
	    "--muted shows what is", args[0], object ? " " : "",
	    object ? object : "");
}

static int unmute_run(struct run *r, struct err *err)
{
	if (known_rule(r, r->line->args[0], err) < 0)
		return -1;
	return through_gate(r, unmute_act, err);
}

/* Rules first; then the objects that it is open on. */
static int complete_rule(void *arg, const struct module *m,
    const struct rule *u)
{
	struct run *r = arg;
	const struct cell c = run_s(u->id);

	(void)m;
	return run_row(r, &c, NULL);
}

static int mute_complete(struct run *r, int n, struct err *err)
{
	const struct cell *cells;
	struct query *q;
	int rc;

	if (n == 0)
		return registry_each_rule(&r->session->registry,
		    complete_rule, r);
	if (n != 1)
		return 0;
	q = query_new(r->cache, "SELECT DISTINCT object FROM finding WHERE "
	    "rule = ?1 AND object IS NOT NULL ORDER BY 1", 0, 0, r->task, err);
	if (!q)
		return -1;
	query_bind(q, 1, run_s(r->line->args[0]));
	while ((rc = query_step(q, &cells, err)) == 1)
		if (run_row(r, cells, err) < 0)
			break;
	query_free(q);
	return rc ? -1 : 0;
}

const struct command findings_mute_command = {
	.name = "findings mute",
	.args = "RULE [OBJECT]",
	.help = "leave a rule's findings (about OBJECT) out for a while",
	.flags_own = (const struct flag[]){
		{"--for", "DUR", "how long: 2h, 3d"},
		{"--because", "TEXT", "why, for whoever comes next"},
		{0},
	},
	.flags = COMMAND_OWN,
	.run = mute_run,
	.complete = mute_complete,
};

const struct command findings_unmute_command = {
	.name = "findings unmute",
	.args = "RULE [OBJECT]",
	.help = "show a muted rule's findings again",
	.flags = COMMAND_OWN,
	.run = unmute_run,
	.complete = mute_complete,
};
