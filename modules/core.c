/* The core: what is found, what changed, what runs, whom it asks and what was
 * done, as SELECTs over the cache's own tables; and the literal of it all.
 * `change_all` is the table of changes with what only these lists need. */
#include "core.h"

#include "find.h"
#include "lab.h"

/* A name that isn't there in SQL would be text: these are one word each. */
#define NOT_MUTED \
	"NOT EXISTS (SELECT 1 FROM mute m WHERE m.context = f.context AND " \
	"m.rule = f.rule AND (m.object IS NULL OR m.object = f.object) AND " \
	"m.until > at())"

static const struct view findings_view = {
	.name = "findings",
	.help = "what is wrong now, by the rules",
	.sql =
	    "SELECT context, severity, module, rule, object, text, since, "
	    "command, kind, key FROM finding f WHERE " NOT_MUTED,
	.kind = "finding",
	.columns = (const struct column[]){
		FINDING_COLUMNS,
		{0},
	},
	.keys = (const struct bind[]){
		{"m", "findings mute {rule} {object} --for 2h --because ",
		    "mute"},
		{0},
	},
	.sort = "severity,since:desc",
	.empty = "no rule finds anything",
	.flags = VIEW_RULES | VIEW_NO_STATUS,
};

/* The change as a sentence. What a row is called there: the last of its keys
 * that is a text, unless that is the object itself. */
#define NOUN "replace(substr(kind, instr(kind, '_') + 1), '_', ' ')"
#define NAMED \
	"coalesce(' ' || (SELECT spell(c.kind, j.key, iif(value LIKE '[%', " \
	"value, json_quote(value))) FROM json_each(c.key) j WHERE " \
	"type = 'text' AND value IS NOT c.object ORDER BY id DESC LIMIT 1), '')"
#define SPELL(value) "coalesce(spell(kind, field, " value "), 'unknown')"

static const struct view changed_view = {
	.name = "changed",
	.help = "what changed, most suspicious first",
	.sql =
	    "WITH open(context, object, rule, bad) AS MATERIALIZED ("
	    "SELECT context, object, rule, max(severity = 'bad') FROM finding "
	    "GROUP BY context, object), "
	    /* A finding's change is told as one of the row it is about. */
	    "c AS (SELECT h.context, h.t, h.after, "
	    "h.kind = 'finding' AS found, "
	    "iif(h.kind = 'finding', h.key ->> 'kind', h.kind) AS kind, "
	    "iif(h.kind = 'finding', h.key ->> 'key', h.key) AS key, "
	    "iif(h.kind = 'finding', h.key ->> 'object', h.object) AS object, "
	    "iif(h.kind = 'finding', h.key ->> 'rule', o.rule) AS rule, "
	    "h.op, h.field, h.old, h.new, f.text AS sentence, f.severity, "
	    /* What went and came back explains nothing any more. */
	    "h.op = 'changed' AND first_value(h.old) OVER w IS "
	    "last_value(h.new) OVER w AS undone "
	    "FROM change_all h "
	    "LEFT JOIN open o ON h.kind <> 'finding' AND "
	    "o.context = h.context AND o.object = h.object "
	    "LEFT JOIN finding f ON h.kind = 'finding' AND "
	    "f.context = h.context AND f.rule = h.key ->> 'rule' AND "
	    "f.object IS h.key ->> 'object' AND f.key IS h.key ->> 'key' "
	    "WHERE h.t > since() AND h.t <= at() "
	    "WINDOW w AS (PARTITION BY h.context, h.kind, h.key, h.field "
	    "ORDER BY h.t ROWS BETWEEN UNBOUNDED PRECEDING AND "
	    "UNBOUNDED FOLLOWING)), "
	    "d AS (SELECT c.*, "
	    "CASE WHEN NOT found THEN op WHEN op = 'added' THEN 'opened' "
	    "WHEN op = 'removed' THEN 'closed' ELSE op END AS what, "
	    "CASE WHEN NOT found THEN "
	    "iif(undone, suspect(kind, field) / 4, "
	    "suspect(kind, field) + iif(rule IS NULL, 0, 20)) "
	    "WHEN op = 'removed' THEN 10 "
	    "WHEN sentence IS NULL THEN 20 "
	    "WHEN op = 'changed' AND new = 'doubtful' THEN 30 "
	    "WHEN coalesce(severity, new) = 'bad' THEN 85 ELSE 60 END + "
	    "20.0 * (t - since()) / max(1, at() - since()) AS score "
	    "FROM c) "
	    "SELECT context, row_number() OVER (ORDER BY score DESC, t DESC, "
	    "kind, key, field) AS rank, t, after, "
	    "coalesce(module_of(kind), substr(rule, 1, instr(rule, '.') - 1)) "
	    "AS module, object, what AS op, field, "
	    "raw(kind, field, old) AS old, raw(kind, field, new) AS new, "
	    "CASE what "
	    "WHEN 'opened' THEN 'opened: ' || coalesce(sentence, rule) "
	    "WHEN 'closed' THEN 'closed: ' || rule "
	    "WHEN 'changed' THEN iif(found, rule, " NOUN " || " NAMED ") || "
	    "' ' || field || ' ' || " SPELL("old") " || ' → ' || "
	    SPELL("new") " "
	    "ELSE " NOUN " || " NAMED " || ' ' || what END AS text, "
	    "rule, kind, key FROM d c",
	.key = (const char *const[]){"rank", NULL},
	.columns = (const struct column[]){
		{.name = "context", .help = "the platform"},
		{.name = "rank", .type = TYPE_NUMBER, .flags = COLUMN_WIDE,
		    .help = "1 is most suspicious"},
		{.name = "t", .title = "time", .type = TYPE_TIME,
		    .help = "when it was seen"},
		{.name = "after", .type = TYPE_TIME, .flags = COLUMN_WIDE,
		    .help = "the fetch before: it happened after that"},
		{.name = "module", .rank = 3, .help = "whose kind it is"},
		{.name = "object", .flags = COLUMN_LINK | COLUMN_PATH,
		    .help = "what it is about"},
		{.name = "op", .rank = 4,
		    .help = "added, changed, removed; of findings opened, "
			"closed"},
		{.name = "field", .flags = COLUMN_WIDE,
		    .help = "of the row, when one changed"},
		{.name = "old", .type = TYPE_ANY, .flags = COLUMN_WIDE,
		    .help = "its value before"},
		{.name = "new", .type = TYPE_ANY, .flags = COLUMN_WIDE,
		    .help = "its value since"},
		{.name = "text", .help = "the change as a sentence"},
		{.name = "rule", .rank = 2,
		    .help = "the finding that raised its rank"},
		{.name = "kind", .flags = COLUMN_WIDE, .help = "of the row"},
		{.name = "key", .type = TYPE_OBJECT, .flags = COLUMN_WIDE,
		    .help = "the row"},
		{0},
	},
	.sort = "rank",
	.empty = "nothing changed in that time, as far as it was fetched; "
	    "--since goes further back",
	.flags = VIEW_RULES | VIEW_NO_STATUS | VIEW_SINCE,
};

static const struct view timeline_view = {
	.name = "timeline",
	.help = "what happened, oldest first: changes, findings, writes, gaps",
	.sql =
	    "SELECT context, t, iif(op IN ('opened', 'closed') OR "
	    "(field = 'severity' AND rule IS NOT NULL), 'finding', 'change') "
	    "AS type, module, object, text, kind, key FROM changed "
	    "UNION ALL "
	    "SELECT context, t, 'write', NULL, target, command || ': ' || "
	    "result || coalesce(', ' || error, ''), NULL, NULL FROM journal "
	    "WHERE t > since() "
	    "UNION ALL "
	    "SELECT context, t1, 'gap', NULL, NULL, 'nobody fetched until ' || "
	    "strftime('%Y-%m-%dT%H:%M:%SZ', t2 / 1000, 'unixepoch'), "
	    "NULL, NULL FROM gap WHERE t1 > since() AND t1 <= at()",
	.key = (const char *const[]){"t", "type", "object", NULL},
	.columns = (const struct column[]){
		{.name = "context", .help = "the platform"},
		{.name = "t", .title = "time", .type = TYPE_TIME,
		    .help = "when it was seen"},
		{.name = "type", .rank = 2,
		    .help = "change, finding, write, gap (nobody fetched)"},
		{.name = "module", .rank = 3, .help = "whose it is"},
		{.name = "object", .flags = COLUMN_LINK | COLUMN_PATH,
		    .help = "what it is about"},
		{.name = "text", .help = "what happened"},
		{.name = "kind", .flags = COLUMN_WIDE, .help = "of the row"},
		{.name = "key", .type = TYPE_OBJECT, .flags = COLUMN_WIDE,
		    .help = "the row"},
		{0},
	},
	.sort = "t",
	.empty = "nothing happened in that time, as far as it was fetched; "
	    "--since goes further back",
	.flags = VIEW_RULES | VIEW_NO_STATUS | VIEW_SINCE,
};

static const struct view tasks_view = {
	.name = "tasks",
	.help = "what runs in all living kiban processes",
	.sql =
	    "SELECT id, pid, module, title, state, done, total, unit, started, "
	    "ended, error FROM task_all",
	.key = (const char *const[]){"pid", "id", NULL},
	.columns = (const struct column[]){
		{.name = "id", .type = TYPE_NUMBER, .help = "in its process"},
		{.name = "pid", .type = TYPE_NUMBER, .rank = 2,
		    .help = "the process"},
		{.name = "module", .rank = 3, .help = "whose work it is"},
		{.name = "title", .help = "what it does"},
		{.name = "state",
		    .help = "waiting, running, done, failed, cancelled"},
		{.name = "done", .type = TYPE_NUMBER,
		    .help = "how far it is"},
		{.name = "total", .type = TYPE_NUMBER,
		    .help = "how far it has to go, when known"},
		{.name = "unit", .rank = 4, .help = "of done and total"},
		{.name = "started", .type = TYPE_TIME, .rank = 1,
		    .help = "when it began"},
		{.name = "ended", .type = TYPE_TIME, .rank = 1,
		    .help = "when it ended"},
		{.name = "error", .help = "why it failed"},
		{0},
	},
	.sort = "started,pid,id",
	.empty = "no task runs",
	.flags = VIEW_NO_PAST | VIEW_NO_FETCH | VIEW_NO_STATUS,
};

static const struct view sources_view = {
	.name = "sources",
	.help = "the backends that are asked, and how they answer",
	.sql =
	    "SELECT context, source, backend, module, kinds, state, "
	    "every / 1000.0 AS every, seen, tried, next, took, rows, failures, "
	    "error FROM source",
	.key = (const char *const[]){"source", "backend", NULL},
	.columns = (const struct column[]){
		{.name = "context", .help = "the platform"},
		{.name = "source", .rank = 3, .help = "the sort of backend"},
		{.name = "backend", .flags = COLUMN_PATH,
		    .help = "its address as configured"},
		{.name = "module", .rank = 4, .help = "whose it is"},
		{.name = "kinds", .type = TYPE_LIST, .flags = COLUMN_WIDE,
		    .help = "what it fills"},
		{.name = "state",
		    .help = "ok, failing, throttled, refused, never"},
		{.name = "every", .type = TYPE_DURATION, .rank = 2,
		    .help = "how often it is asked"},
		{.name = "seen", .type = TYPE_TIME, .rank = 1,
		    .help = "the last good fetch"},
		{.name = "tried", .type = TYPE_TIME, .flags = COLUMN_WIDE,
		    .help = "the last fetch"},
		{.name = "next", .type = TYPE_TIME, .flags = COLUMN_WIDE,
		    .help = "when the next one is due"},
		{.name = "took", .title = "took ms", .type = TYPE_LATENCY,
		    .rank = 2, .help = "the last fetch"},
		{.name = "rows", .type = TYPE_NUMBER, .rank = 2,
		    .help = "the last good fetch gave"},
		{.name = "failures", .type = TYPE_NUMBER, .rank = 1,
		    .help = "in a row"},
		{.name = "error", .help = "why the last fetch failed"},
		{0},
	},
	.sort = "state,backend",
	.empty = "no backend was asked yet; contexts: in the config names them",
	.flags = VIEW_NO_PAST | VIEW_NO_FETCH | VIEW_NO_STATUS,
};

static const struct view journal_view = {
	.name = "journal",
	.help = "every attempted change, newest first",
	.sql =
	    "SELECT context, id, t, who, command, target, result, error "
	    "FROM journal_all WHERE t > since() AND t <= at()",
	.key = (const char *const[]){"id", NULL},
	.columns = (const struct column[]){
		{.name = "context", .help = "the platform"},
		{.name = "id", .type = TYPE_NUMBER, .flags = COLUMN_WIDE,
		    .help = "its number"},
		{.name = "t", .title = "time", .type = TYPE_TIME,
		    .help = "when it began"},
		{.name = "who", .rank = 2, .help = "user@host"},
		{.name = "command", .help = "the line"},
		{.name = "target", .rank = 1, .help = "what it was about"},
		{.name = "result",
		    .help = "done, failed, declined, refused; unknown: it died "
			"midway"},
		{.name = "error", .help = "why it failed"},
		{0},
	},
	.sort = "t:desc,id:desc",
	.empty = "nothing was changed",
	.flags = VIEW_NO_FETCH | VIEW_NO_STATUS | VIEW_SINCE,
};

const struct module core_module = {
	.name = "",
	.help = "kiban itself",
	.kinds = (const struct kind *const[]){&finding_kind, NULL},
	.views = (const struct view *const[]){
		&findings_view, &changed_view, &timeline_view, &tasks_view,
		&sources_view, &journal_view, NULL,
	},
	.commands = (const struct command *const[]){
		&home_command, &findings_command, &findings_mute_command,
		&findings_unmute_command, &sql_command, &schema_command,
		&context_list_command, &context_use_command,
		&context_show_command, &config_check_command,
		&cache_stats_command, &cache_prune_command, &doctor_command,
		&record_command, &completion_command, &lab_up_command,
		&lab_down_command, &lab_status_command, &lab_break_command,
		&lab_mend_command, &lab_traffic_command, NULL,
	},
};
