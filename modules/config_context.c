/* Which contexts are meant, and what stands in them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "text.h"
#include "value.h"

const struct context *config_context(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->ncontexts; i++)
		if (!strcmp(c->contexts[i].name, name))
			return &c->contexts[i];
	return NULL;
}

const char *config_current(const struct config *c)
{
	const char *name = getenv("KIBAN_CONTEXT");

	if (name && *name)
		return name;
	if (c->used)
		return c->used;
	name = node_text(c->root, "context", NULL);
	if (name)
		return name;
	for (size_t i = 0; i < c->ncontexts; i++)
		if (!strcmp(c->contexts[i].origin, "lab"))
			return c->contexts[i].name;
	return "local";
}

/* ---- names to contexts -------------------------------------------------- */

/* Who named it, when it was no flag. */
static const char *named_by(const struct config *c, const char *names)
{
	const char *env = getenv("KIBAN_CONTEXT");

	if (names == env)
		return " (named by KIBAN_CONTEXT)";
	if (names == c->used)
		return " (named by `kiban context use`)";
	if (names == node_text(c->root, "context", NULL))
		return " (named by context: in the config)";
	return "";
}

static int unknown(const struct config *c, const char *name,
    const char *by, struct err *err)
{
	const char **known = xcalloc(c->ncontexts + 1, sizeof(*known));
	struct buf b = {0};
	const char *near;

	for (size_t i = 0; i < c->ncontexts; i++)
		known[i] = c->contexts[i].name;
	buf_adds(&b, "unknown context \"");
	text_harmless(&b, name, strlen(name));
	buf_addf(&b, "\"%s; ", by);
	near = text_nearest(name, known);
	if (near)
		buf_addf(&b, "the nearest is \"%s\"", near);
	else
		for (size_t i = 0; known[i]; i++)
			buf_addf(&b, "%s%s", i ? ", " : "there are ", known[i]);
	err_set(err, ERR_USAGE, "%s", buf_str(&b));
	buf_free(&b);
	free(known);
	return -1;
}

static int refuse(const struct config *c, const char *context, struct err *err)
{
	for (size_t i = 0; i < c->ncomplaints; i++) {
		const struct complaint *p = &c->complaints[i];
		if (context ? !p->context || strcmp(p->context, context)
			    : p->context != NULL)
			continue;
		return err_set(err, ERR_USAGE, "%s: %s; %s", p->place, p->text,
		    p->remedy);
	}
	return err_set(err, ERR_USAGE, "the config can't be used: see kiban "
	    "config check");
}

/* Appends one, once. */
static int take(const struct config *c, const struct context *x,
    const struct context **out, int n, int max, struct err *err)
{
	if (x->broken)
		return refuse(c, x->name, err);
	for (int i = 0; i < n; i++)
		if (out[i] == x)
			return n;
	if (n == max)
		return err_set(err, ERR_USAGE,
		    "more than %d contexts at once: name fewer", max);
	out[n] = x;
	return n + 1;
}

int config_contexts(const struct config *c, const char *names,
    const struct context **out, int max, struct err *err)
{
	const char *by = named_by(c, names);
	int n = 0;

	if (c->broken)
		return refuse(c, NULL, err);
	if (!strcmp(names, "all")) {
		for (size_t i = 0; i < c->ncontexts && n >= 0; i++)
			n = take(c, &c->contexts[i], out, n, max, err);
		return n;
	}
	for (const char *p = names; n >= 0; p++) {
		size_t len = strcspn(p, ",");
		char *name = xstrndup(p, len);
		const struct context *x = config_context(c, name);
		n = x ? take(c, x, out, n, max, err)
		      : unknown(c, name, by, err);
		free(name);
		p += len;
		if (!*p)
			break;
	}
	return n;
}

/* ---- context use -------------------------------------------------------- */

/* The folders above and the last, as XDG asks: for the user alone. */
static int make_folders(const char *path)
{
	char *copy = xstrdup(path);
	int rc = 0;

	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(copy, 0700);	/* the last mkdir tells */
		*p = '/';
	}
	if (mkdir(copy, 0700) && errno != EEXIST)
		rc = -1;
	free(copy);
	return rc;
}

static int write_whole(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t n = strlen(text);
	int rc = -1, e;

	if (fd < 0)
		return -1;
	if (write(fd, text, n) == (ssize_t)n && !fsync(fd))
		rc = 0;
	e = errno;
	if (close(fd) && !rc) {
		rc = -1;
		e = errno;
	}
	errno = e;
	return rc;
}

int config_use(const struct config *c, const char *name, struct err *err)
{
	char *path, *draft, *text;
	int rc = 0;

	if (!config_context(c, name))
		return unknown(c, name, "", err);
	path = xasprintf("%s/context", c->data_dir);
	draft = xasprintf("%s.%ld", path, (long)getpid());
	text = xasprintf("%s\n", name);
	if (make_folders(c->data_dir) || write_whole(draft, text) ||
	    rename(draft, path)) {
		rc = err_set(err, ERR_FAILED, "%s can't be written: %s", path,
		    strerror(errno));
		unlink(draft);
	}
	free(text);
	free(draft);
	free(path);
	return rc;
}

/* ---- values ------------------------------------------------------------- */

const struct node *context_get(const struct context *c, const char *path)
{
	return node_get(c->node, path);
}

static int64_t duration(const struct node *n, const char *path,
    int64_t otherwise)
{
	const char *s = node_text(n, path, NULL);
	int64_t ms;

	return s && !value_duration(s, &ms, NULL) ? ms : otherwise;
}

int64_t context_duration(const struct context *c, const char *path,
    int64_t otherwise)
{
	return duration(c->node, path, otherwise);
}

int64_t config_duration(const struct config *c, const char *path,
    int64_t otherwise)
{
	return duration(c->root, path, otherwise);
}

int64_t config_size(const struct config *c, const char *path,
    int64_t otherwise)
{
	const char *s = node_text(c->root, path, NULL);
	int64_t bytes;

	return s && !value_size(s, &bytes, NULL) ? bytes : otherwise;
}

char *config_path(const struct config *c, const char *text)
{
	const char *slash = strrchr(c->path, '/');

	if (*text == '/' || !slash)
		return xstrdup(text);
	return xasprintf("%.*s/%s", (int)(slash - c->path), c->path, text);
}
