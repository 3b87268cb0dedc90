/* Contexts and the config: which there are, what stands in one, what is wrong
 * with the file. Values are shown as they were written: a secret is its
 * reference, and one that stands there in the open is not shown at all. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "gate.h"
#include "http.h"

/* ---- context list ----------------------------------------------------------- */

static const struct column list_columns[] = {
	{.name = "name", .help = "as --context takes it"},
	{.name = "current", .type = TYPE_BOOL,
	    .help = "meant when none is named"},
	{.name = "write", .type = TYPE_BOOL, .help = "may be changed"},
	{.name = "modules", .type = TYPE_LIST,
	    .help = "that have something there"},
	{.name = "backends", .type = TYPE_NUMBER, .help = "how many are asked"},
	{.name = "origin", .help = "config, lab, built in"},
	{0},
};

/* Backends of a module in a context. A list that can't be made (a glob, a file
 * that isn't there) counts what came before. */
static size_t count_backends(const struct module *m, const struct context *c)
{
	struct err ignored;
	size_t n = 0;

	for (const struct source *const *s = m->sources; s && *s; s++) {
		struct backend_list l = {0};
		(*s)->backends(c, &l, &ignored);
		n += l.n;
		backend_list_release(&l);
	}
	return n;
}

static int list_one(struct run *r, const struct context *c, struct err *err)
{
	const struct session *s = r->session;
	struct buf modules = {0};
	size_t backends = 0;
	int rc;

	for (const struct module *const *m = s->registry.modules; *m; m++) {
		size_t n = count_backends(*m, c);

		if (!*(*m)->name || (!n && !context_get(c, (*m)->name)))
			continue;
		buf_addf(&modules, "%s\"%s\"", modules.n ? "," : "[",
		    (*m)->name);
		backends += n;
	}
	buf_adds(&modules, modules.n ? "]" : "[]");
	{
		const struct cell cells[] = {
			run_s(c->name),
			run_i(!strcmp(c->name, config_current(&s->config))),
			run_i(session_may_write(s, c)),
			run_s(buf_str(&modules)),
			run_i((int64_t)backends),
			run_s(c->origin),
		};
		rc = run_row(r, cells, err);
	}
	buf_free(&modules);
	return rc;
}

static int list_run(struct run *r, struct err *err)
{
	const struct config *c = &r->session->config;

	for (size_t i = 0; i < c->ncontexts; i++)
		if (list_one(r, &c->contexts[i], err) < 0)
			return -1;
	return 0;
}

const struct command context_list_command = {
	.name = "context list",
	.help = "the platforms there are",
	.columns = list_columns,
	.flags = COMMAND_ROWS | COMMAND_BROKEN,
	.run = list_run,
};

/* ---- context use ------------------------------------------------------------ */

static int use_act(struct run *r, struct err *err)
{
	return config_use(&r->session->config, r->line->args[0], err);
}

static int use_run(struct run *r, struct err *err)
{
	const struct context *c;

	/* Refused with the nearest known one before anything is written. */
	if (config_contexts(&r->session->config, r->line->args[0], &c, 1,
	    err) < 0)
		return -1;
	return gate_own(r, r->line->args[0], use_act, err);
}

static int name_complete(struct run *r, int n, struct err *err)
{
	const struct config *c = &r->session->config;

	for (size_t i = 0; n == 0 && i < c->ncontexts; i++) {
		const struct cell cell = run_s(c->contexts[i].name);
		if (run_row(r, &cell, err) < 0)
			return -1;
	}
	return 0;
}

const struct command context_use_command = {
	.name = "context use",
	.args = "NAME",
	.help = "mean that one from now on; your config is not edited",
	.flags = COMMAND_OWN,
	.run = use_run,
	.complete = name_complete,
};

/* ---- context show ----------------------------------------------------------- */

static const struct column show_columns[] = {
	{.name = "key", .help = "as it stands in the config, dotted"},
	{.name = "value", .help = "a secret is its reference"},
	{.name = "origin", .help = "config, lab, built in"},
	{0},
};

/* A secret written in the open rather than as a reference. */
static bool is_open_secret(const char *path, const char *key,
    const char *value)
{
	static const char *const references[] = {"env:", "file:", "cmd:", NULL};

	for (size_t i = 0; references[i]; i++)
		if (!strncmp(value, references[i], strlen(references[i])))
			return false;
	/* Any header may be what lets somebody in. */
	if (!strncmp(path, "headers.", 8) || strstr(path, ".headers."))
		return true;
	if (!strcmp(key, "dsn") && strstr(value, "password"))
		return true;
	/* `key` beside `cert` is the path of a file. */
	return (strstr(value, "://") && http_has_user(value)) ||
	    (strcmp(key, "key") && http_is_secret(key, strlen(key)));
}

static int show_value(struct run *r, const struct context *c, const char *path,
    const struct node *n, struct err *err)
{
	const char *key = n->key ? n->key : "";
	const struct cell cells[] = {
		run_s(path),
		node_is_null(n) ? run_s(NULL) :
		    run_s(is_open_secret(path, key, n->text) ? "[redacted]" :
		    n->text),
		run_s(c->origin),
	};

	return run_row(r, cells, err);
}

/* Maps by key, lists by number; an empty one has no row. */
static int show_node(struct run *r, const struct context *c, const char *path,
    const struct node *n, struct err *err)
{
	size_t i = 0;
	int rc = 0;

	if (n->type == NODE_SCALAR)
		return show_value(r, c, path, n, err);
	for (const struct node *k = n->first; k && rc == 0; k = k->next, i++) {
		const char *dot = *path ? "." : "";
		char *below = k->key ? xasprintf("%s%s%s", path, dot, k->key)
				     : xasprintf("%s%s%zu", path, dot, i);
		rc = show_node(r, c, below, k, err);
		free(below);
	}
	return rc;
}

static int show_run(struct run *r, struct err *err)
{
	const struct context *c;
	const char *name = r->line->args[0];

	if (name) {
		if (config_contexts(&r->session->config, name, &c, 1, err) < 0)
			return -1;
	} else if (!(c = run_context(r, err))) {
		return -1;
	}
	if (!context_get(c, "write")) {
		const struct cell cells[] = {
			run_s("write"), run_s(c->write ? "true" : "false"),
			run_s("built in")};
		if (run_row(r, cells, err) < 0)
			return -1;
	}
	return c->node ? show_node(r, c, "", c->node, err) : 0;
}

const struct command context_show_command = {
	.name = "context show",
	.args = "[NAME]",
	.help = "what is configured there",
	.columns = show_columns,
	.flags = COMMAND_ROWS,
	.run = show_run,
	.complete = name_complete,
};

/* ---- config check ----------------------------------------------------------- */

static const struct column check_columns[] = {
	{.name = "place", .help = "FILE:LINE:COLUMN"},
	{.name = "severity", .help = "bad, doubtful"},
	{.name = "text", .help = "what is wrong"},
	{.name = "remedy", .help = "what to do"},
	{0},
};

static int check_run(struct run *r, struct err *err)
{
	const struct config *c = &r->session->config;

	for (size_t i = 0; i < c->ncomplaints; i++) {
		const struct complaint *p = &c->complaints[i];
		const struct cell cells[] = {
			run_s(p->place), run_s(p->severity), run_s(p->text),
			run_s(p->remedy)};

		if (run_row(r, cells, err) < 0)
			return -1;
		if (!strcmp(p->severity, "bad"))
			r->exit = 2;
	}
	if (!c->ncomplaints)
		run_note(r, "%s: nothing is wrong with it", c->path);
	return 0;
}

const struct command config_check_command = {
	.name = "config check",
	.help = "what is wrong with the config; exit 2 when something is bad",
	.columns = check_columns,
	.flags = COMMAND_ROWS | COMMAND_BROKEN,
	.run = check_run,
};
