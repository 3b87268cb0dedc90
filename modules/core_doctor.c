/* `doctor`: whether what kiban stands on is as it should be, each check a row
 * with what to do about it. Exit 3 when one is bad. */
#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core.h"
#include "find.h"
#include "lab.h"

enum { FETCH_MS = 10000, COLUMNS_MIN = 40, LINES_MIN = 10,
    SLACK_MS = 60000 };

static const struct column columns[] = {
	{.name = "what", .flags = COLUMN_PATH, .help = "what was looked at"},
	{.name = "state", .help = "ok, doubtful, bad, skipped"},
	{.name = "text", .help = "what was found"},
	{.name = "remedy", .help = "what to do"},
	{0},
};

static int check(struct run *r, struct err *err, const char *what,
    const char *state, const char *text, const char *remedy)
{
	const struct cell cells[] = {
		run_s(what), run_s(state), run_s(text), run_s(remedy)};

	if (!strcmp(state, "bad"))
		r->exit = 3;
	return run_row(r, cells, err);
}

/* ---- the terminal ------------------------------------------------------------------- */

static int check_size(struct run *r, struct err *err)
{
	struct winsize w = {0};
	char *text;
	bool small;
	int rc;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 &&
	    ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0)
		return check(r, err, "terminal size", "skipped",
		    "there is no terminal here", NULL);
	small = w.ws_col < COLUMNS_MIN || w.ws_row < LINES_MIN;
	text = xasprintf("%dx%d", w.ws_col, w.ws_row);
	rc = check(r, err, "terminal size", small ? "doubtful" : "ok", text,
	    small ? "the screen draws from 40x10 on: make the window larger" :
	    NULL);
	free(text);
	return rc;
}

static int check_terminal(struct run *r, struct err *err)
{
	const char *term = getenv("TERM"), *code = nl_langinfo(CODESET);
	bool utf8 = !strcmp(code, "UTF-8");
	bool dumb = !term || !*term || !strcmp(term, "dumb");
	int rc;

	rc = check(r, err, "terminal", !term || !*term ? "doubtful" : "ok",
	    dumb ? "plain lines, no screen" : term, !term || !*term ?
	    "set TERM to what your terminal is, such as xterm-256color" :
	    NULL);
	if (rc == 0)
		rc = check(r, err, "locale", utf8 ? "ok" : "doubtful", code,
		    utf8 ? NULL : "set LANG=C.UTF-8: until then marks are ASCII");
	if (rc == 0)
		rc = check(r, err, "colour", "ok", getenv("NO_COLOR") ?
		    "off, by NO_COLOR" : dumb ? "off, the terminal is dumb" :
		    "on", NULL);
	return rc < 0 ? -1 : check_size(r, err);
}

/* ---- config, cache, data, clock -------------------------------------------------------- */

static int check_config(struct run *r, struct err *err)
{
	const struct config *c = &r->session->config;

	for (size_t i = 0; i < c->ncomplaints; i++) {
		const struct complaint *p = &c->complaints[i];
		char *text = xasprintf("%s: %s", p->place, p->text);
		int rc = check(r, err, "config", p->severity, text, p->remedy);

		free(text);
		if (rc < 0)
			return -1;
	}
	if (c->ncomplaints)
		return 0;
	return check(r, err, "config", "ok", access(c->path, F_OK) == 0 ?
	    c->path : "there is none: everything has its default", NULL);
}

static int check_cache(struct run *r, struct err *err)
{
	const struct session *s = r->session;
	struct query *q;
	const struct cell *cells;
	struct buf text = {0};
	bool good = false;
	int rc;

	if (cache_in_memory(r->cache) || s->run_dir)
		return check(r, err, "cache", "doubtful", buf_str(&s->note),
		    "make its folder writable, or set XDG_CACHE_HOME to one "
		    "that is; nothing is kept until then");
	q = query_new(r->cache, "SELECT quick_check FROM "
	    "pragma_quick_check(1, 'main')", 0, 0, r->task, err);
	if (q && query_step(q, &cells, err) == 1) {
		buf_add(&text, cells[0].s, cells[0].n);
		good = !strcmp(buf_str(&text), "ok");
	} else if (task_check(r->task, err) < 0) {
		query_free(q);
		return -1;
	} else {
		buf_adds(&text, err->text);
	}
	query_free(q);
	rc = check(r, err, "cache", good ? "ok" : "bad", good ?
	    s->config.cache_dir : buf_str(&text), good ? NULL :
	    "remove cache.db there: it is filled again by itself");
	buf_free(&text);
	return rc;
}

static int check_data(struct run *r, struct err *err)
{
	const char *dir = r->session->config.data_dir;
	const char *fault = cache_own_fault(r->cache);
	bool writable = access(dir, W_OK) == 0;
	struct buf text = {0};
	int rc;

	if (writable && *fault)
		return check(r, err, "data", "bad", fault, "use the newer "
		    "kiban when it is from one; else put data.db back from a "
		    "copy, or move it away: a new one is begun. Until then "
		    "every write is refused");
	if (writable)
		return check(r, err, "data", "ok", dir, NULL);
	buf_addf(&text, "%s: %s", dir, strerror(errno));
	rc = check(r, err, "data", "bad", buf_str(&text), "make it writable, "
	    "or set XDG_DATA_HOME to a folder that is: without the journal "
	    "every write is refused");
	buf_free(&text);
	return rc;
}

static int check_clock(struct run *r, struct err *err)
{
	int64_t newest = cache_int(r->cache, 0,
	    "SELECT max(seen) FROM main.source");

	if (getenv("KIBAN_NOW"))
		return check(r, err, "clock", "doubtful", "it stands still, by "
		    "KIBAN_NOW", "unset KIBAN_NOW");
	if (newest > clock_now() + SLACK_MS)
		return check(r, err, "clock", "doubtful", "the cache holds rows "
		    "from its future", "set the clock; ages are wrong until it "
		    "gets there");
	return check(r, err, "clock", "ok", "it goes forward", NULL);
}

/* ---- what modules stand on ---------------------------------------------------------------- */

static int check_labs(struct run *r, struct err *err)
{
	const struct module *const *m = r->session->registry.modules;

	for (; *m; m++) {
		struct err why = {0};
		struct buf text = {0};
		char *what;
		bool ready;
		int rc;

		if (!(*m)->lab || !(*m)->lab->ready)
			continue;
		ready = (*m)->lab->ready(&text, &why) == 0;
		what = xasprintf("lab %s", (*m)->name);
		rc = check(r, err, what, ready ? "ok" : "doubtful",
		    ready ? buf_str(&text) : "what it needs is not there",
		    ready ? NULL : why.text);
		free(what);
		buf_free(&text);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int add_kind(void *arg, const struct module *m, const struct kind *k)
{
	struct buf *b = arg;

	(void)m;
	buf_add(b, &k->name, sizeof(k->name));
	return 0;
}

/* Asks every backend of the contexts anew. */
static int ask_all(struct run *r, struct err *err)
{
	int64_t timeout = r->line->flags.timeout;
	const char *names[CONTEXTS_MAX], *end = NULL;
	struct fetch_report report = {0};
	struct buf kinds = {0};
	int rc;

	registry_each_kind(&r->session->registry, add_kind, &kinds);
	buf_add(&kinds, &end, sizeof(end));
	rc = fetch_kinds(r->session, r->cache, r->contexts, r->ncontexts,
	    (const char *const *)kinds.p, FETCH_ALWAYS, true,
	    timeout < 0 ? FETCH_MS : timeout, r->task, &report, err);
	fetch_report_release(&report);
	buf_free(&kinds);
	for (size_t i = 0; i < r->ncontexts; i++)
		names[i] = r->contexts[i]->name;
	/* Evaluating rules aimed it elsewhere. */
	return rc < 0 ? -1 : cache_aim(r->cache, names, r->ncontexts, 0, 0,
	    err);
}

static const char *remedy(const char *state)
{
	if (!strcmp(state, "refused"))
		return "give it credentials that are allowed to ask";
	if (!strcmp(state, "throttled"))
		return "ask less often: every: in the context's block";
	return "see that it runs and that this machine reaches it, or take it "
	    "out of the config";
}

static int check_backend(struct run *r, const struct cell *cells,
    struct err *err)
{
	char *what = xstrndup(cells[0].s, cells[0].n);
	char *state = xstrndup(cells[1].s, cells[1].n);
	char *error = cells[2].tag == CELL_TEXT ?
	    xstrndup(cells[2].s, cells[2].n) : NULL;
	bool good = !strcmp(state, "ok"), never = !strcmp(state, "never");
	int rc = check(r, err, what, good ? "ok" : never ? "skipped" : "bad",
	    error ? error : good ? "it answers" : "it was never asked",
	    good ? NULL : never ? "leave out --offline" : remedy(state));

	free(what);
	free(state);
	free(error);
	return rc;
}

static int check_backends(struct run *r, struct err *err)
{
	const struct cell *cells;
	struct query *q;
	int rc, n = 0;

	if (!r->line->flags.offline && r->ncontexts && ask_all(r, err) < 0)
		return -1;
	q = query_new(r->cache, "SELECT source || ' ' || backend, state, "
	    "iif(state = 'ok', NULL, error) FROM sources "
	    "ORDER BY context, source, backend", 0, 0, r->task, err);
	if (!q)
		return -1;
	while ((rc = query_step(q, &cells, err)) == 1) {
		n++;
		if (check_backend(r, cells, err) < 0) {
			rc = -1;
			break;
		}
	}
	query_free(q);
	if (rc < 0 || n)
		return rc;
	return check(r, err, "backends", "skipped", "none is configured here",
	    "name some under contexts: in the config, or try: kiban lab up");
}

static int doctor_run(struct run *r, struct err *err)
{
	static int (*const checks[])(struct run *r, struct err *err) = {
		check_terminal, check_config, check_cache, check_data,
		check_clock, check_labs, check_backends, NULL,
	};

	for (size_t i = 0; checks[i]; i++)
		if (checks[i](r, err) < 0)
			return -1;
	return 0;
}

const struct command doctor_command = {
	.name = "doctor",
	.help = "is what kiban stands on as it should be; exit 3 when not",
	.columns = columns,
	.flags = COMMAND_ROWS | COMMAND_BROKEN,
	.run = doctor_run,
};
