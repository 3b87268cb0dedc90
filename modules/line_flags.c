/* The flags that are the same everywhere: what each takes, where each may
 * stand, and which exclude each other. */
#include <stdlib.h>
#include <string.h>

#include "line_impl.h"
#include "text.h"

#define WATCH_MS	2000
#define WATCH_MIN_MS	200

const struct known_flag known_flags[] = {
	{"--context", "NAME[,…]|all", "the platforms meant", FLAG_CONTEXT, 0},
	{"--at", "TIME", "what was true then; never fetches", FLAG_AT, 0},
	{"--since", "DUR|TIME", "how far back: 30m, 03:12", FLAG_SINCE, 0},
	{"-o", "FORMAT", "table wide json ndjson yaml csv tsv", FLAG_OUTPUT, 0},
	{"--columns", "A,B", "these, in this order", FLAG_COLUMNS, 0},
	{"--where", "EXPR", "only rows for which this SQL holds", FLAG_WHERE,
	    0},
	{"--filter", "REGEX", "only rows that show this; ! inverts",
	    FLAG_FILTER, 0},
	{"--sort", "A[:desc],…", "in this order", FLAG_SORT, 0},
	{"--limit", "N", "the first N rows", FLAG_LIMIT, 0},
	{"--watch", "SEC", "again every SEC seconds (2), given as --watch=SEC",
	    FLAG_WATCH, true},
	{"--refresh", NULL, "fetch first, in any case", FLAG_REFRESH, 0},
	{"--offline", NULL, "send nothing, print what the cache has",
	    FLAG_OFFLINE, 0},
	{"--timeout", "DUR", "wait that long at most (10s)", FLAG_TIMEOUT, 0},
	{"--fail-on", "doubtful|bad", "exit 3 when one is that severe",
	    FLAG_FAIL_ON, 0},
	{"--write", NULL, "allow changes in a context that is read-only",
	    FLAG_WRITE, 0},
	{"--read-only", NULL, "change nothing, whatever the config says",
	    FLAG_READ_ONLY, 0},
	{"--dry-run", NULL, "show what would be done, and stop", FLAG_DRY_RUN,
	    0},
	{"--yes", NULL, "answer the question with yes", FLAG_YES, 0},
	{"--confirm", "NAME", "the name that a severe change wants typed",
	    FLAG_CONFIRM, 0},
	{"--screen", NULL, "open the console there", FLAG_SCREEN, 0},
	{"--play", "KEYS", "run the screen without a terminal, print the last "
	    "frame", FLAG_PLAY, 0},
	{"--size", "COLSxROWS", "size of that screen (80x24)", FLAG_SIZE, 0},
	{"--linear", NULL, "line by line, no cursor addressing", FLAG_LINEAR,
	    0},
	{"--ascii", NULL, "marks and borders in ASCII", FLAG_ASCII, 0},
	{"--no-color", NULL, "no colour", FLAG_NO_COLOR, 0},
	{"--config", "FILE", "in place of ~/.config/kiban/config.yaml",
	    FLAG_CONFIG, 0},
	{"--trace-http", "FILE", "write requests and answers there, redacted",
	    FLAG_TRACE_HTTP, 0},
	{"-q", NULL, "no hints, no progress", FLAG_QUIET, 0},
	{"-v", NULL, "say more", FLAG_VERBOSE, 0},
	{"--help", NULL, "this", FLAG_HELP, 0},
	{"--version", NULL, "the version", FLAG_VERSION, 0},
	{0},
};
static const struct known_flag short_help = {"-h", NULL, "this", FLAG_HELP, 0};

const struct known_flag *flag_find(const char *name)
{
	for (const struct known_flag *f = known_flags; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return strcmp(name, "-h") ? NULL : &short_help;
}

/* ---- where each may stand ------------------------------------------------ */

static bool takes_rows(const struct line *l, enum flag_id id)
{
	if (l->command)
		return l->command->flags & COMMAND_ROWS;
	/* Without words it may become home, which takes these. */
	if (!l->view)
		return !l->module && (id == FLAG_LIMIT || id == FLAG_WATCH);
	switch (l->verb) {
	case VERB_SHOW:		/* one row: there is nothing to choose from */
		return id == FLAG_COLUMNS || id == FLAG_WATCH;
	case VERB_SERIES:	/* t and value are no table in SQL */
		return id != FLAG_WHERE;
	default:
		return true;
	}
}

static bool takes_since(const struct line *l)
{
	if (l->command)
		return l->command->flags & COMMAND_SINCE;
	return l->view && (l->verb == VERB_SERIES ||
	    (l->verb == VERB_LIST && (l->view->flags & VIEW_SINCE)));
}

static bool is_findings(const struct line *l)
{
	const char *noun = l->view ? l->view->name
	    : l->command ? l->command->name : "";

	return l->module && !*l->module->name && !strcmp(noun, "findings") &&
	    l->verb == VERB_LIST;
}

bool flag_fits(const struct line *l, enum flag_id id)
{
	bool writes = l->command && (l->command->flags & COMMAND_WRITES);

	switch (id) {
	case FLAG_WHERE: case FLAG_FILTER: case FLAG_SORT: case FLAG_LIMIT:
	case FLAG_COLUMNS: case FLAG_WATCH:
		return takes_rows(l, id);
	case FLAG_SINCE:
		return takes_since(l);
	case FLAG_DRY_RUN: case FLAG_YES: case FLAG_CONFIRM:
		return writes;
	case FLAG_WRITE:	/* a console is opened to write in, too */
		return writes || l->flags.screen || l->flags.play ||
		    (!l->view && !l->command);
	case FLAG_FAIL_ON:
		return is_findings(l);
	default:
		return true;
	}
}

/* ---- values -------------------------------------------------------------- */

static int refuse(struct line *l, const struct known_flag *f, const char *value,
    const char *wants, struct err *err)
{
	return err_set(err, ERR_USAGE, "%s: \"%s\" is not %s", f->name,
	    shown(&l->arena, value), wants);
}

static int set_format(struct line *l, const char *value, struct err *err)
{
	const char *near;

	l->flags.format = format_from_name(value);
	if (l->flags.format >= 0)
		return 0;
	near = text_nearest(value, format_names);
	return err_set(err, ERR_USAGE, "-o: unknown format \"%s\"; %s%s",
	    shown(&l->arena, value), near ? "the nearest is " : "there are ",
	    near ? near : "table, wide, json, ndjson, yaml, csv and tsv");
}

/* A whole number of digits alone; -1. */
static int64_t digits(const char *s, const char **end)
{
	int64_t n = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (p - s == 15)
			return -1;
		n = n * 10 + (*p - '0');
	}
	*end = p;
	return p == s ? -1 : n;
}

static int set_limit(struct line *l, const struct known_flag *f,
    const char *value, struct err *err)
{
	const char *end;

	l->flags.limit = digits(value, &end);
	if (l->flags.limit < 0 || *end)
		return refuse(l, f, value, "a whole number", err);
	return 0;
}

static int set_size(struct line *l, const struct known_flag *f,
    const char *value, struct err *err)
{
	const char *end;
	int64_t cols = digits(value, &end), rows = -1;

	if (cols > 0 && *end == 'x')
		rows = digits(end + 1, &end);
	if (rows < 1 || cols > 1000 || rows > 1000 || *end)
		return refuse(l, f, value,
		    "COLSxROWS such as 80x24, 1000 at most", err);
	l->flags.size_cols = (int)cols;
	l->flags.size_rows = (int)rows;
	return 0;
}

static int set_watch(struct line *l, const struct known_flag *f,
    const char *value, struct err *err)
{
	l->flags.watch = WATCH_MS;
	if (!value)
		return 0;
	if (value_duration(value, &l->flags.watch, NULL))
		return refuse(l, f, value, "seconds or a duration", err);
	if (l->flags.watch < WATCH_MIN_MS)
		return err_set(err, ERR_USAGE,
		    "--watch: every 0.2 seconds is the most often");
	return 0;
}

static int set_timeout(struct line *l, const struct known_flag *f,
    const char *value, struct err *err)
{
	if (value_duration(value, &l->flags.timeout, NULL))
		return refuse(l, f, value, "a duration such as 500ms or 30s",
		    err);
	return 0;
}

static int set_severity(struct line *l, const struct known_flag *f,
    const char *value, struct err *err)
{
	l->flags.fail_on = !strcmp(value, "bad") ? SEVERITY_BAD
	    : !strcmp(value, "doubtful") ? SEVERITY_DOUBTFUL : SEVERITY_NONE;
	if (l->flags.fail_on == SEVERITY_NONE)
		return refuse(l, f, value, "doubtful or bad", err);
	return 0;
}

static int set_text(const char **to, const struct known_flag *f,
    const char *value, struct err *err)
{
	if (!*value)
		return err_set(err, ERR_USAGE, "%s: the value is empty; it "
		    "takes %s", f->name, f->arg);
	*to = value;
	return 0;
}

static int set_switch(struct flags *g, enum flag_id id)
{
	switch (id) {
	case FLAG_QUIET:	g->quiet = true; break;
	case FLAG_VERBOSE:	g->verbose = true; break;
	case FLAG_REFRESH:	g->refresh = true; break;
	case FLAG_OFFLINE:	g->offline = true; break;
	case FLAG_NO_COLOR:	g->no_color = true; break;
	case FLAG_ASCII:	g->ascii = true; break;
	case FLAG_HELP:		g->help = true; break;
	case FLAG_VERSION:	g->version = true; break;
	case FLAG_READ_ONLY:	g->read_only = true; break;
	case FLAG_WRITE:	g->write = true; break;
	case FLAG_DRY_RUN:	g->dry_run = true; break;
	case FLAG_YES:		g->yes = true; break;
	case FLAG_SCREEN:	g->screen = true; break;
	case FLAG_LINEAR:	g->linear = true; break;
	default:		BUG("flag %d is no switch", id);
	}
	return 0;
}

int flag_set(struct line *l, const struct known_flag *f, const char *value,
    struct err *err)
{
	struct flags *g = &l->flags;

	switch (f->id) {
	case FLAG_CONTEXT:	return set_text(&g->context, f, value, err);
	case FLAG_CONFIG:	return set_text(&g->config, f, value, err);
	case FLAG_TRACE_HTTP:	return set_text(&g->trace_http, f, value, err);
	case FLAG_AT:		return set_text(&g->at_text, f, value, err);
	case FLAG_SINCE:	return set_text(&g->since_text, f, value, err);
	case FLAG_COLUMNS:	return set_text(&g->columns, f, value, err);
	case FLAG_SORT:		return set_text(&g->sort, f, value, err);
	case FLAG_FILTER:	return set_text(&g->filter, f, value, err);
	case FLAG_CONFIRM:	return set_text(&g->confirm, f, value, err);
	case FLAG_WHERE:
		return set_text(&g->where[g->nwhere++], f, value, err);
	case FLAG_PLAY:		g->play = value; return 0;	/* "": no key */
	case FLAG_OUTPUT:	return set_format(l, value, err);
	case FLAG_LIMIT:	return set_limit(l, f, value, err);
	case FLAG_WATCH:	return set_watch(l, f, value, err);
	case FLAG_TIMEOUT:	return set_timeout(l, f, value, err);
	case FLAG_SIZE:		return set_size(l, f, value, err);
	case FLAG_FAIL_ON:	return set_severity(l, f, value, err);
	default:		return set_switch(g, f->id);
	}
}

/* ---- all of them together ------------------------------------------------ */

/* value_time() quotes what it was given as it is. */
static int set_at(struct line *l, int64_t now, struct err *err)
{
	struct err why = {0};
	struct buf b = {0};

	if (!value_time(l->flags.at_text, now, &l->flags.at, &why))
		return 0;
	text_harmless(&b, why.text, strlen(why.text));
	err_set(err, why.code, "--at: %s", buf_str(&b));
	buf_free(&b);
	return -1;
}

static int check_times(struct line *l, struct err *err)
{
	struct flags *g = &l->flags;
	int64_t now = clock_now(), ms;

	if (g->at_text && set_at(l, now, err))
		return -1;
	if (!g->since_text)
		return 0;
	if (!value_duration(g->since_text, &ms, NULL))
		g->since = (g->at ? g->at : now) - ms;
	else if (value_time(g->since_text, now, &g->since, NULL))
		return err_set(err, ERR_USAGE, "--since: \"%s\" is neither a "
		    "duration such as 30m nor a time that has been",
		    shown(&l->arena, g->since_text));
	if (g->at && g->since > g->at)
		return err_set(err, ERR_USAGE,
		    "--since is later than --at: nothing lies between them");
	return 0;
}

bool line_has_past(const struct line *l)
{
	if (l->view)
		return !(l->view->flags & VIEW_NO_PAST);
	return !l->command || (l->command->flags & COMMAND_AT);
}

static int excludes(const char *a, const char *b, struct err *err)
{
	return err_set(err, ERR_USAGE, "%s and %s exclude each other: leave "
	    "one out", a, b);
}

int flags_check(struct line *l, struct err *err)
{
	struct flags *g = &l->flags;

	if (g->refresh && g->offline)
		return excludes("--refresh", "--offline", err);
	if (g->write && g->read_only)
		return excludes("--write", "--read-only", err);
	if (g->at_text && g->refresh)
		return excludes("--at", "--refresh", err);
	if (g->at_text && l->command && (l->command->flags & COMMAND_WRITES))
		return err_set(err, ERR_USAGE,
		    "%s writes, and the past can't be changed: leave out --at",
		    line_name(l));
	/* A console keeps the present there, and says so. */
	if (g->at_text && !line_has_past(l) && !g->screen && !g->play)
		return err_set(err, ERR_USAGE,
		    "%s has no past: leave out --at", line_name(l));
	return check_times(l, err);
}
