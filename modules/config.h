/* The config file: a tree of YAML nodes that know their place, checked against
 * the known keys, and the contexts in it.
 *
 * Every key of DESIGN.md's example and of CONTRACT.md is known from the start.
 * An unknown one is a complaint that names the nearest. Complaints of the YAML
 * itself, and those inside contexts in use, stop what needs them (exit 2);
 * all others skip their entry and are said.
 *
 * Strings that may be secrets are references (env:NAME, file:PATH, cmd:LINE)
 * until config_secret() reads them. A relative path is relative to the config
 * file. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

struct task;

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };
struct node {
	enum node_type	 type;
	const char	*text;		/* of a scalar */
	bool		 quoted;
	const char	*key;		/* its name in the map above; NULL */
	struct node	*first, *next;	/* children, in order; siblings */
	int		 line, column;	/* from 1 */
	int		 key_line, key_column;	/* of its key; 0 */
};
/* YAML text to a tree in the arena; aliases, tags, keys given twice and a
 * second document are refused; depth at most 64. err (ERR_USAGE) begins with
 * LINE:COL. NULL root for an empty text. (yaml.c) */
int yaml_parse(struct arena *a, const char *text, size_t n,
    const struct node **root, struct err *err);
/* A child by key, by dotted path "mesh.every"; NULL when it isn't there. A key
 * given as null (or with nothing) is one that isn't there. */
const struct node *node_get(const struct node *n, const char *path);
/* Text of the scalar there, else what is given; "" as path: of n itself. */
const char *node_text(const struct node *n, const char *path,
    const char *otherwise);
bool node_is_null(const struct node *n);	/* a plain null, ~ or nothing */
/* 1, 0; -1 for what is neither true nor false. */
int node_bool(const struct node *n);

struct context {
	const char		*name;
	bool			 write;
	const char		*origin;	/* "config", "lab", "built in" */
	const struct node	*node;		/* its block; NULL when built in */
	const struct config	*config;
	bool			 broken;	/* has complaints: exit 2 */
};

struct complaint {
	char		*place;		/* FILE:LINE:COLUMN */
	const char	*severity;	/* "bad" or "doubtful" */
	char		*text, *remedy;
	const char	*context;	/* name, or NULL */
};

struct config {
	char			*path;		/* of the file; may not exist */
	bool			 broken;	/* the YAML itself */
	const struct node	*root;
	struct context		*contexts;	/* config's, lab, local */
	size_t			 ncontexts;
	struct complaint	*complaints;
	size_t			 ncomplaints;
	struct arena		 arena;
	char			*data_dir, *cache_dir;	/* …/kiban */
	char			*used;		/* by `context use`; NULL */
};

/* Reads path, or the default place when NULL. An absent file is an empty
 * config (an absent file that was named is an error). Adds the context `lab`
 * from the data folder's lab/context.yaml while the lab is up, and `local`. A
 * config that can't be used still comes back, with complaints. */
int config_load(struct config *c, const char *path, struct err *err);
void config_complain(struct config *c, const struct node *at,
    const char *severity, const char *context, const char *text,
    const char *remedy);
/* A name or value of the file as complaints quote it: harmless, in quotes, cut
 * where it is long. New, in the config's arena. */
const char *config_quote(struct config *c, const char *s);
void config_release(struct config *c);

const struct context *config_context(const struct config *c, const char *name);
/* The one meant when no flag names one: KIBAN_CONTEXT, `context use`, the
 * config's, lab while it is up, local. */
const char *config_current(const struct config *c);
/* "a,b", "all": fills out (at most max) with contexts in that order. An
 * unknown one or one with complaints: ERR_USAGE. Returns how many, or -1. */
int config_contexts(const struct config *c, const char *names,
    const struct context **out, int max, struct err *err);
#define CONTEXTS_MAX 64
/* `context use`: kept in the data folder; the user's file is not edited. */
int config_use(const struct config *c, const char *name, struct err *err);

/* A node of the context's block: "mesh.envoys"; NULL when absent. */
const struct node *context_get(const struct context *c, const char *path);
/* A DUR or SIZE at path, or what is given otherwise. */
int64_t context_duration(const struct context *c, const char *path,
    int64_t otherwise);
int64_t config_duration(const struct config *c, const char *path,
    int64_t otherwise);
int64_t config_size(const struct config *c, const char *path,
    int64_t otherwise);
/* New: text as an absolute path, relative to the config file. */
char *config_path(const struct config *c, const char *text);
/* Reads a reference into out (the caller wipes it); a plain text is itself.
 * cmd: is stopped after 10 s, and by a cancel of t (may be NULL). ERR_FAILED
 * names the reference, not its value. */
int config_secret(const struct config *c, const char *reference,
    struct buf *out, const struct task *t, struct err *err);

#endif
