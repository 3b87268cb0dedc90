/* The config file and what stands around it: the folders, the contexts, which
 * of them is meant. A file with mistakes is still read: the mistakes become
 * complaints, and only what needs the broken part is refused. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_keys.h"
#include "lab.h"
#include "text.h"
#include "value.h"

#define FILE_MAX	(4 << 20)
#define COMPLAINTS_MAX	200
#define QUOTE_CELLS	60

/* ---- nodes -------------------------------------------------------------- */

bool node_is_null(const struct node *n)
{
	return n->type == NODE_SCALAR && !n->quoted &&
	    (!*n->text || !strcmp(n->text, "~") || !strcmp(n->text, "null"));
}

int node_bool(const struct node *n)
{
	if (n->type == NODE_SCALAR && !strcmp(n->text, "true"))
		return 1;
	return n->type == NODE_SCALAR && !strcmp(n->text, "false") ? 0 : -1;
}

const struct node *node_get(const struct node *n, const char *path)
{
	while (n && *path) {
		size_t len = strcspn(path, ".");
		const struct node *c = n->type == NODE_MAP ? n->first : NULL;
		while (c && (strncmp(c->key, path, len) || c->key[len]))
			c = c->next;
		n = c && !node_is_null(c) ? c : NULL;
		path += len;
		path += *path == '.';
	}
	return n;
}

const char *node_text(const struct node *n, const char *path,
    const char *otherwise)
{
	n = node_get(n, path);
	return n && n->type == NODE_SCALAR && !node_is_null(n) ? n->text
							       : otherwise;
}

/* ---- complaints --------------------------------------------------------- */

static char *harmless(struct config *c, const char *s)
{
	struct buf b = {0};
	char *copy;

	text_harmless(&b, s, strlen(s));
	copy = arena_strndup(&c->arena, buf_str(&b), b.n);
	buf_free(&b);
	return copy;
}

const char *config_quote(struct config *c, const char *s)
{
	const char *safe = harmless(c, s), *copy;
	int cells;
	size_t n = text_fits(safe, strlen(safe), QUOTE_CELLS, &cells);
	char *quoted = xasprintf("\"%.*s%s\"", (int)n, safe,
	    safe[n] ? text_glyph(GLYPH_MORE) : "");

	copy = arena_strdup(&c->arena, quoted);
	free(quoted);
	return copy;
}

void config_complain_at(struct config *c, const char *file, int line,
    int column, const char *severity, const char *context, const char *text,
    const char *remedy)
{
	struct complaint *p;
	char *place;

	if (c->ncomplaints == COMPLAINTS_MAX)
		return;
	if (c->ncomplaints == COMPLAINTS_MAX - 1) {
		text = "there are more mistakes than are listed here";
		remedy = "mend those above, then look again";
	}
	c->complaints = xrealloc(c->complaints, c->ncomplaints + 1,
	    sizeof(*c->complaints));
	place = xasprintf("%s:%d:%d", file, line, column);
	p = &c->complaints[c->ncomplaints++];
	*p = (struct complaint){
		.place = harmless(c, place),
		.severity = severity,
		.text = harmless(c, text),
		.remedy = harmless(c, remedy),
		.context = context ? arena_strdup(&c->arena, context) : NULL,
	};
	free(place);
}

void config_complain(struct config *c, const struct node *at,
    const char *severity, const char *context, const char *text,
    const char *remedy)
{
	config_complain_at(c, c->path, at->line, at->column, severity, context,
	    text, remedy);
}

/* ---- folders and files -------------------------------------------------- */

/* New: an XDG folder. The specification has relative ones ignored. */
static char *xdg(const char *name, const char *below_home, struct err *err)
{
	const char *dir = getenv(name), *home = getenv("HOME");

	if (dir && *dir == '/')
		return xasprintf("%s/kiban", dir);
	if (home && *home == '/')
		return xasprintf("%s/%s/kiban", home, below_home);
	err_set(err, ERR_FAILED, "neither HOME nor %s names a folder: set HOME "
	    "to an absolute path", name);
	return NULL;
}

static char *absolute(const char *path)
{
	char *cwd, *out;

	if (*path == '/' || !(cwd = getcwd(NULL, 0)))
		return xstrdup(path);
	out = xasprintf("%s/%s", cwd, path);
	free(cwd);
	return out;
}

static char *keep(struct config *c, char *new)
{
	char *copy = new ? arena_strdup(&c->arena, new) : NULL;

	free(new);
	return copy;
}

/* The whole file, or -1 and errno. */
static int read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[16384];
	ssize_t n = 0;
	int e;

	if (fd < 0)
		return -1;
	while (out->n <= FILE_MAX && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)n);
	e = errno;
	close(fd);
	if (n >= 0 && out->n > FILE_MAX) {
		n = -1;
		e = EFBIG;
	}
	errno = e;
	return n < 0 ? -1 : 0;
}

/* ---- reading the file --------------------------------------------------- */

static void broken(struct config *c, int line, int column, const char *text,
    const char *remedy)
{
	c->broken = true;
	config_complain_at(c, c->path, line, column, "bad", NULL, text, remedy);
}

/* yaml_parse() begins its sentence with LINE:COL. */
static const char *place_of(const struct err *err, int *line, int *column)
{
	int used = 0;

	*line = *column = 1;
	if (sscanf(err->text, "%d:%d: %n", line, column, &used) == 2)
		return err->text + used;
	return err->text;
}

/* Parses text into the arena; says what is wrong with it by the file's name
 * and the context that it is for. */
static struct node *parse(struct config *c, const char *file,
    const struct buf *text, const char *context)
{
	const struct node *root;
	struct err err = {0};
	int line, column;
	const char *why;

	if (!yaml_parse(&c->arena, buf_str(text), text->n, &root, &err))
		/* The tree is the config's own until it is handed out. */
		return (struct node *)root;
	why = place_of(&err, &line, &column);
	config_complain_at(c, file, line, column, "bad", context, why,
	    "mend the YAML there");
	return NULL;
}

static void check_root(struct config *c, struct node *root)
{
	const struct node *contexts;

	if (node_is_null(root))
		return;
	if (root->type != NODE_MAP) {
		broken(c, root->line, root->column,
		    "the file is not a map of keys",
		    "begin with a key such as contexts:");
		return;
	}
	contexts = node_get(root, "contexts");
	if (contexts && contexts->type != NODE_MAP)
		broken(c, contexts->line, contexts->column,
		    "contexts is not a map of names",
		    "write contexts: and below it NAME: with its block");
	config_check(c, root);
	c->root = root;
}

static int read_config(struct config *c, const char *named, struct err *err)
{
	struct buf text = {0};
	struct node *root;

	if (read_file(c->path, &text)) {
		int e = errno;
		buf_free(&text);
		if (named)
			return err_set(err, ERR_USAGE,
			    "config %s can't be read: %s; name another by "
			    "--config", c->path, strerror(e));
		if (e != ENOENT && e != ENOTDIR)
			broken(c, 1, 1, strerror(e),
			    "make the file readable, or name another by "
			    "--config");
		return 0;
	}
	root = parse(c, c->path, &text, NULL);
	if (root)
		check_root(c, root);
	else if (c->ncomplaints)
		c->broken = true;
	buf_free(&text);
	return 0;
}

/* ---- contexts ----------------------------------------------------------- */

static struct context *add_context(struct config *c, const char *name,
    const char *origin, const struct node *block)
{
	struct context *x = &c->contexts[c->ncontexts++];

	*x = (struct context){
		.name = name,
		.origin = origin,
		.node = block,
		.config = c,
	};
	return x;
}

/* Letters, digits, dot, dash, underscore: what --context can name. */
static bool good_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n && n <= 64 && !s[n] && *s != '.' && *s != '-';
}

static void bad_name(struct config *c, const struct node *n)
{
	const char *why = strcmp(n->key, "all") ? "can't be a context's name"
	    : "means every context and can't be the name of one";
	char *text = xasprintf("%s %s", config_quote(c, n->key), why);

	config_complain_at(c, c->path, n->key_line, n->key_column, "bad", NULL,
	    text, "take another name, of letters, digits, - _ and .");
	free(text);
}

static void file_contexts(struct config *c, struct node *list)
{
	for (struct node *n = list->first; n; n = n->next) {
		struct context *x;
		const struct node *w;
		if (!strcmp(n->key, "all") || !good_name(n->key)) {
			bad_name(c, n);
			continue;
		}
		x = add_context(c, n->key, "config", node_is_null(n) ? NULL : n);
		x->write = !strcmp(x->name, "local");
		if (!x->node)
			continue;
		x->broken = config_check_context(c, c->path, n, x->name);
		w = node_get(n, "write");
		if (w)
			x->write = node_bool(w) == 1;
	}
}

/* While one of the processes that it recorded lives. */
static bool lab_is_up(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool up = false;

	while (d && !up && (e = readdir(d))) {
		size_t n = strlen(e->d_name);
		if (n <= 4 || strcmp(e->d_name + n - 4, ".pid"))
			continue;
		e->d_name[n - 4] = '\0';
		up = lab_pid(dir, e->d_name) > 0;
	}
	if (d)
		closedir(d);
	return up;
}

static void add_lab(struct config *c)
{
	char *dir = xasprintf("%s/lab", c->data_dir);
	char *file = xasprintf("%s/context.yaml", dir);
	struct buf text = {0};
	struct context *x;
	struct node *block;

	if (access(file, F_OK) || !lab_is_up(dir))
		goto out;
	if (config_context(c, "lab")) {
		config_complain_at(c, c->path, 1, 1, "doubtful", NULL,
		    "contexts.lab hides the lab that is up",
		    "give that context another name");
		goto out;
	}
	x = add_context(c, "lab", "lab", NULL);
	x->write = true;
	if (read_file(file, &text)) {
		x->broken = true;
		config_complain_at(c, file, 1, 1, "bad", "lab",
		    strerror(errno), "kiban lab down, then up");
		goto out;
	}
	block = parse(c, file, &text, "lab");
	x->broken = !block || config_check_context(c, file, block, "lab");
	x->node = block;
out:
	buf_free(&text);
	free(file);
	free(dir);
}

static void load_contexts(struct config *c)
{
	const struct node *list = node_get(c->root, "contexts");
	size_t n = 2;

	if (list && list->type != NODE_MAP)
		list = NULL;
	for (const struct node *k = list ? list->first : NULL; k; k = k->next)
		n++;
	c->contexts = arena_alloc(&c->arena, n * sizeof(*c->contexts));
	if (list)
		file_contexts(c, (struct node *)list);
	add_lab(c);
	if (!config_context(c, "local"))
		add_context(c, "local", "built in", NULL)->write = true;
}

/* What `context use` wrote: one name and a newline. */
static void load_used(struct config *c)
{
	char *path = xasprintf("%s/context", c->data_dir);
	struct buf text = {0};

	if (!read_file(path, &text) && text.n) {
		text.p[strcspn(text.p, "\n")] = '\0';
		if (good_name(text.p))
			c->used = arena_strdup(&c->arena, text.p);
	}
	buf_free(&text);
	free(path);
}

/* A context: that names nothing is not skipped: without it `local` would be
 * meant, which may write. It keeps its word, and what uses it is refused. */
static void check_named(struct config *c)
{
	const struct node *n = node_get(c->root, "context");
	const char *p = n ? n->text : "all";

	while (strcmp(p, "all")) {
		size_t len = strcspn(p, ",");
		char *name = arena_strndup(&c->arena, p, len), *text;
		if (!config_context(c, name)) {
			text = xasprintf("context: %s is not there",
			    config_quote(c, name));
			config_complain(c, n, "bad", NULL, text,
			    "name one that stands under contexts:");
			free(text);
		}
		if (!p[len])
			break;
		p += len + 1;
	}
}

int config_load(struct config *c, const char *path, struct err *err)
{
	char *dir;

	*c = (struct config){0};
	c->data_dir = keep(c, xdg("XDG_DATA_HOME", ".local/share", err));
	c->cache_dir = keep(c, xdg("XDG_CACHE_HOME", ".cache", err));
	dir = xdg("XDG_CONFIG_HOME", ".config", err);
	if (dir)
		c->path = keep(c, path ? absolute(path)
				       : xasprintf("%s/config.yaml", dir));
	free(dir);
	if (!c->data_dir || !c->cache_dir || !c->path ||
	    read_config(c, path, err)) {
		config_release(c);
		return -1;
	}
	load_contexts(c);
	load_used(c);
	check_named(c);
	return 0;
}

void config_release(struct config *c)
{
	free(c->complaints);
	arena_free(&c->arena);
	*c = (struct config){0};
}
