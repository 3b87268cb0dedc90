/* Which Envoys the config names: URLs, sockets and globs of them, files with
 * one a line. Globs and files are read anew at every round, so a fleet may
 * change under a console that stays open. */
#include "mesh.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_glob(const char *s)
{
	return s[strcspn(s, "*?[")] != '\0';
}

static int add_glob(const struct context *c, struct backend_list *out,
    const char *pattern)
{
	char *path = config_path(c->config, pattern), *address;
	glob_t g;
	size_t i;

	/* No match, or a folder that isn't there yet, is no socket yet. */
	if (glob(path, 0, NULL, &g) == 0) {
		for (i = 0; i < g.gl_pathc; i++) {
			address = xasprintf("unix:%s", g.gl_pathv[i]);
			backend_add(out, address, NULL, NULL);
			free(address);
		}
		globfree(&g);
	}
	free(path);
	return 0;
}

/* One address, as it stands in the config or in a file. */
static int add_address(const struct context *c, struct backend_list *out,
    const char *s, const char *name, const struct node *map, struct err *err)
{
	if (strncmp(s, "unix:", 5) == 0 && s[5]) {
		if (is_glob(s + 5) && !map)
			return add_glob(c, out, s + 5);
		backend_add(out, s, name, map);
		return 0;
	}
	/* Before any sentence repeats it; an address is seen everywhere. */
	if (http_has_user(s))
		return err_set(err, ERR_USAGE, "mesh.envoys: a URL with a user "
		    "and password is not taken; put it into headers: as env:, "
		    "file: or cmd:");
	if (strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0) {
		backend_add(out, s, name, map);
		return 0;
	}
	return err_set(err, ERR_USAGE, "\"%s\" is no address of an Envoy: "
	    "http://HOST:PORT, https://HOST:PORT, unix:/PATH or file:PATH", s);
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n");
	n = strlen(s);
	while (n && strchr(" \t\r\n", s[n - 1]))
		s[--n] = '\0';
	return s;
}

static int read_lines(const struct context *c, struct backend_list *out,
    FILE *f, const char *path, struct err *err)
{
	char *line = NULL, *s;
	size_t size = 0;
	int result = 0, number = 0;

	while (result == 0 && getline(&line, &size, f) >= 0) {
		number++;
		s = trim(line);
		if (*s && *s != '#' &&
		    add_address(c, out, s, NULL, NULL, err) < 0)
			result = err_prefix(err, "%s:%d", path, number);
	}
	if (result == 0 && ferror(f))
		result = err_set(err, ERR_FAILED, "%s: %s", path,
		    strerror(errno));
	free(line);
	return result;
}

static int add_file(const struct context *c, struct backend_list *out,
    const char *name, struct err *err)
{
	char *path = config_path(c->config, name);
	FILE *f = fopen(path, "re");
	int result;

	if (f) {
		result = read_lines(c, out, f, path, err);
		fclose(f);
	} else {
		result = err_set(err, ERR_FAILED, "%s: %s: it is the list of "
		    "proxies that mesh.envoys names", path, strerror(errno));
	}
	free(path);
	return result;
}

static int add_node(const struct context *c, struct backend_list *out,
    const struct node *n, struct err *err)
{
	const char *url;

	if (n->type == NODE_MAP) {
		url = node_text(n, "url", NULL);
		if (!url)
			return err_set(err, ERR_USAGE,
			    "an entry of mesh.envoys has no url");
		return add_address(c, out, url, node_text(n, "name", NULL), n,
		    err);
	}
	if (n->type != NODE_SCALAR || !n->text)
		return err_set(err, ERR_USAGE,
		    "an entry of mesh.envoys is neither an address nor a map");
	if (strncmp(n->text, "file:", 5) == 0)
		return add_file(c, out, n->text + 5, err);
	return add_address(c, out, n->text, NULL, NULL, err);
}

int envoy_backends(const struct context *c, struct backend_list *out,
    struct err *err)
{
	const struct node *list = context_get(c, "mesh.envoys"), *n;

	if (!list)
		return 0;
	if (list->type != NODE_LIST)
		return add_node(c, out, list, err);
	for (n = list->first; n; n = n->next)
		if (add_node(c, out, n, err) < 0)
			return err->code == ERR_USAGE ? err_prefix(err, "%s:%d:%d",
			    c->config->path, n->line, n->column) : -1;
	return 0;
}
