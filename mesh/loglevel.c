/* `mesh log-level`: how much a proxy writes to its log, of one logger or all.
 * Reading the levels is a POST too: Envoy has no GET for it. */
#include "mesh.h"

#include <stdlib.h>
#include <string.h>

#include "gate.h"
#include "text.h"

static const char *const levels[] = { "trace", "debug", "info", "warning",
    "error", "critical", "off", NULL };
#define LIMIT 10000	/* ms, unless --timeout */

struct loggers {
	char	**names;	/* ends with NULL */
	char	**levels;
	size_t	 n;
};

static void loggers_release(struct loggers *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->names[i]);
		free(l->levels[i]);
	}
	free(l->names);
	free(l->levels);
	*l = (struct loggers){0};
}

static void add_logger(struct loggers *l, const char *name, size_t n,
    const char *level, size_t nlevel)
{
	l->names = xrealloc(l->names, l->n + 2, sizeof(*l->names));
	l->levels = xrealloc(l->levels, l->n + 1, sizeof(*l->levels));
	l->names[l->n] = xstrndup(name, n);
	l->levels[l->n++] = xstrndup(level, nlevel);
	l->names[l->n] = NULL;
}

/* "active loggers:\n  admin: error\n  http: info\n" */
static void loggers_parse(struct loggers *l, const char *s)
{
	while (*s) {
		size_t line = strcspn(s, "\n"), indent = strspn(s, " ");
		const char *colon = memchr(s, ':', line);

		if (indent && colon && colon + 2 < s + line)
			add_logger(l, s + indent, (size_t)(colon - s) - indent,
			    colon + 2, line - (size_t)(colon - s) - 2);
		s += line + (s[line] == '\n');
	}
}

static const char *loggers_level(const struct loggers *l, const char *name)
{
	const char *level = NULL;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (name && strcmp(l->names[i], name) == 0)
			return l->levels[i];
		if (name)
			continue;
		/* Of all: the one they share. */
		if (level && strcmp(level, l->levels[i]) != 0)
			return "various";
		level = l->levels[i];
	}
	return level;
}

static int unknown(struct err *err, const char *what, const char *word,
    const char *const *names, const char *otherwise)
{
	const char *near = text_nearest(word, names);

	if (near)
		return err_set(err, ERR_USAGE, "no %s is called \"%s\": the "
		    "nearest is \"%s\"", what, word, near);
	return err_set(err, ERR_USAGE, "no %s is called \"%s\": %s", what,
	    word, otherwise);
}

/* ---- the proxy that is meant ---------------------------------------------- */

static const struct backend *find_proxy(const struct backend_list *l,
    const char *name, const char *context, struct err *err)
{
	const char **names = xcalloc(l->n + 1, sizeof(*names));
	const struct backend *found = NULL;
	char *otherwise;
	size_t i;

	for (i = 0; i < l->n && !found; i++) {
		names[i] = envoy_name(&l->v[i]);
		if (strcmp(names[i], name) == 0 ||
		    strcmp(l->v[i].address, name) == 0)
			found = &l->v[i];
	}
	if (!found) {
		otherwise = xasprintf(l->n ? "context %s has %zu, see kiban "
		    "mesh proxies" : "context %s names %zu under mesh.envoys",
		    context, l->n);
		unknown(err, "proxy", name, names, otherwise);
		free(otherwise);
	}
	free(names);
	return found;
}

/* ---- asking --------------------------------------------------------------- */

static int post(struct envoy_link *l, struct run *r, const char *target,
    struct loggers *out, struct err *err)
{
	int64_t limit = r->line->flags.timeout;
	struct http_response a;
	int result = -1;

	if (envoy_ask(l, r->task, "POST", target,
	    clock_mono() + (limit > 0 ? limit : LIMIT), &a, err) < 0)
		goto out;
	if (a.status == 200) {
		loggers_parse(out, buf_str(&a.body));
		result = 0;
	} else {
		/* Its first line says why; usage and all loggers follow. */
		err_set(err, a.status == 401 || a.status == 403 ? ERR_REFUSED :
		    ERR_DATA, "%s: POST /logging: HTTP %d: %.*s", l->what,
		    a.status, (int)strcspn(buf_str(&a.body), "\r\n"),
		    buf_str(&a.body));
	}
out:
	http_response_release(&a);
	return result;
}

/* Logger and level are checked words: nothing in them has to be encoded. */
static int set_level(struct envoy_link *l, struct run *r, const char *logger,
    const char *level, struct err *err)
{
	char *target = xasprintf("/logging?%s=%s", logger ? logger : "level",
	    level);
	struct loggers now = {0};
	const char *is;
	int result = post(l, r, target, &now, err);

	is = loggers_level(&now, logger);
	if (result == 0 && (!is || strcmp(is, level) != 0))
		result = err_set(err, ERR_DATA, "%s: POST /logging: it is %s "
		    "afterwards", l->what, is ? is : "unknown");
	loggers_release(&now);
	free(target);
	return result;
}

/* ---- the command ----------------------------------------------------------- */

static int act(struct run *r, struct envoy_link *l, const char *proxy,
    const char *logger, const char *level, const char *old, struct err *err)
{
	char *field = logger ? xasprintf("log level of %s", logger) :
	    xstrdup("log level");
	struct plan plan = {0};
	struct err e = {0};
	int result;

	plan_add(&plan, proxy, "set", field, old, level);
	free(field);
	result = gate_enter(r, &plan, proxy, err);
	if (result == 1) {
		if (set_level(l, r, logger, level, &e) == 0)
			plan_result(&plan, 0, "done", NULL);
		else
			plan_result(&plan, 0, e.code == ERR_REFUSED ?
			    "refused" : "failed", e.text);
		result = gate_leave(r, &plan, err);
	}
	plan_release(&plan);
	return result;
}

static int ask_and_act(struct run *r, const struct backend *b,
    const char *logger, const char *level, struct err *err)
{
	struct envoy_link link;
	struct loggers now = {0};
	const char *old;
	int result = -1;

	if (envoy_link_open(&link, r->session, b, r->task, err) < 0)
		return -1;
	if (post(&link, r, "/logging", &now, err) < 0)
		goto out;
	old = loggers_level(&now, logger);
	if (!now.n)
		err_set(err, ERR_FAILED, "%s: POST /logging: it names no "
		    "logger: it runs with --enable-fine-grain-logging",
		    link.what);
	else if (!old)
		unknown(err, "logger", logger, (const char *const *)now.names,
		    "leave it out for all of them");
	else
		result = act(r, &link, envoy_name(b), logger, level, old, err);
out:
	loggers_release(&now);
	envoy_link_close(&link);
	return result;
}

static int log_level_run(struct run *r, struct err *err)
{
	const char *const *args = (const char *const *)r->line->args;
	const char *logger = r->line->nargs == 3 ? args[1] : NULL;
	const char *level = args[r->line->nargs - 1];
	const struct context *c = run_context(r, err);
	struct backend_list list = {0};
	const struct backend *b;
	int result = -1;
	size_t i;

	if (!c)
		return -1;
	for (i = 0; levels[i] && strcmp(levels[i], level) != 0; i++)
		;
	if (!levels[i])
		return unknown(err, "level", level, levels, "trace, debug, "
		    "info, warning, error, critical or off");
	if (envoy_backends(c, &list, err) == 0 &&
	    (b = find_proxy(&list, args[0], c->name, err)) &&
	    gate_allows(r, envoy_name(b), err) == 0)
		result = ask_and_act(r, b, logger, level, err);
	backend_list_release(&list);
	return result;
}

static int log_level_complete(struct run *r, int n, struct err *err)
{
	struct backend_list list = {0};
	struct cell word;
	int result = 0;
	size_t i;

	if (n > 0) {
		for (i = 0; levels[i] && result == 0; i++) {
			word = run_s(levels[i]);
			result = run_row(r, &word, err);
		}
		return result;
	}
	if (r->ncontexts == 0 ||
	    envoy_backends(r->contexts[0], &list, err) < 0)
		result = -1;
	for (i = 0; i < list.n && result == 0; i++) {
		word = run_s(envoy_name(&list.v[i]));
		result = run_row(r, &word, err);
	}
	backend_list_release(&list);
	return result;
}

const struct command log_level_command = {
	.name = "log-level",
	.args = "PROXY [LOGGER] LEVEL",
	.help = "set how much a proxy writes to its log, until it restarts",
	.flags = COMMAND_WRITES,
	.run = log_level_run,
	.complete = log_level_complete,
};
