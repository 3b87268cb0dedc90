/* All literals there are: those of the modules, and the users' own from the
 * config. Built once at the start, then constant. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stddef.h>

#include "module.h"

struct registry {
	const struct module *const	*modules;	/* core first; ends NULL */
	/* What the config's views:, rules:, keys: added (registry_add_user). */
	struct registry_user		*user;
};

const struct module *registry_module(const struct registry *r, const char *name);
const struct kind *registry_kind(const struct registry *r, const char *name);
/* By its name in SQL: "mesh_proxies", "findings". */
const struct view *registry_view(const struct registry *r, const char *name);
/* By module and noun; NULL when there is none. */
const struct view *registry_view_of(const struct registry *r,
    const struct module *m, const char *noun);
const struct rule *registry_rule(const struct registry *r, const char *id);
/* The module that a literal stands in. A user's view belongs to its module. */
const struct module *registry_module_of_view(const struct registry *r,
    const struct view *v);
const struct module *registry_module_of_kind(const struct registry *r,
    const char *kind);
const struct source *registry_source_of_kind(const struct registry *r,
    const char *kind);
/* The main list of a kind: the view whose kind it is; NULL. */
const struct view *registry_view_of_kind(const struct registry *r,
    const char *kind);

/* Calls each() for every literal of a sort, the users' too, in the order of
 * modules. Stops and returns what each() returned when that is not 0. */
int registry_each_kind(const struct registry *r,
    int (*each)(void *arg, const struct module *m, const struct kind *k),
    void *arg);
int registry_each_view(const struct registry *r,
    int (*each)(void *arg, const struct module *m, const struct view *v),
    void *arg);
int registry_each_rule(const struct registry *r,
    int (*each)(void *arg, const struct module *m, const struct rule *u),
    void *arg);

/* The users' own views and rules (the other is NULL), each with its place in
 * the config: for the check that their SQL prepares. */
struct node;
int registry_each_user(const struct registry *r,
    int (*each)(void *arg, const struct view *v, const struct rule *u,
	const struct node *node),
    void *arg);

/* New: the name of a view in SQL: "mesh_" "proxies"; core views as they are. */
char *view_sql_name(const struct module *m, const struct view *v);
/* The columns that name a row of the view, without context: its own list or
 * its kind's keys. Returns how many, at most max; names are borrowed. */
size_t view_key(const struct registry *r, const struct view *v,
    const char **names, size_t max);
#define VIEW_KEY_MAX 8
/* The view's columns as both faces have them: context first, then its own,
 * then status and seen; with VIEW_NO_STATUS its own alone (it writes context
 * itself where rows belong to one). New; free() it. */
struct column *view_columns(const struct view *v, size_t *n);
/* Lines bound to keys on a view: the view's own and the user's over them;
 * `view` may be NULL for those everywhere ("*"). NULL: not bound. */
const struct bind *registry_bind(const struct registry *r,
    const struct view *view, const char *key);
/* Key text: the row's key as a compact JSON object in key order without
 * context; the form of `key` in change and findings. */
void key_json(struct buf *out, const char *const *names,
    const struct cell *cells, size_t n);

struct config;
/* Reads views:, rules:, keys: of the config into literals. A mistake skips its
 * entry and is added to the config's complaints (config.h). */
void registry_add_user(struct registry *r, struct config *c);
void registry_release(struct registry *r);

#endif
