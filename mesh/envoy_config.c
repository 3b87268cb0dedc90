/* What is read only when something moved: who the proxy is, types of its
 * clusters, its listeners. Small masked answers of /config_dump, so a tree will
 * do. Fields that are missing are defaults; a wrong type is said. */
#include "mesh.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "envoy_json.h"

json_t *doc_load(const char *text, size_t n, struct err *err)
{
	json_error_t e;
	json_t *doc = json_loadb(text, n, JSON_ALLOW_NUL, &e);

	if (!doc) {
		err_set(err, ERR_DATA, "the answer is not JSON: %s, line %d",
		    e.text, e.line);
		return NULL;
	}
	if (!json_is_object(doc)) {
		json_decref(doc);
		err_set(err, ERR_DATA, "the answer is not a JSON object");
		return NULL;
	}
	return doc;
}

int doc_list(json_t *doc, const char *key, json_t **list, struct err *err)
{
	*list = json_object_get(doc, key);
	if (*list && !json_is_array(*list))
		return err_set(err, ERR_DATA, "\"%s\" is not a list", key);
	if (!*list && json_object_size(doc))
		return err_set(err, ERR_DATA, "there is no \"%s\": is this "
		    "Envoy's admin address?", key);
	return 0;
}

/* a.b.c of an object, or NULL. No key of Envoy has a dot. */
json_t *doc_at(json_t *v, const char *path)
{
	while (v && *path) {
		size_t n = strcspn(path, ".");

		v = json_object_getn(v, path, n);
		path += n + (path[n] == '.');
	}
	return v;
}

/* Text in the arena, NULL when there is none. Bytes after a NUL are lost: a
 * name with a NUL is nobody's. */
const char *doc_text(struct arena *a, json_t *v, const char *path)
{
	json_t *s = doc_at(v, path);

	return json_is_string(s) ? arena_strdup(a, json_string_value(s)) : NULL;
}

/* ---- who it is ---------------------------------------------------------- */

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

int envoy_identity(struct envoy_identity *id, const char *text, size_t n,
    struct err *err)
{
	json_t *doc = doc_load(text, n, err), *list, *node, *v;

	if (!doc || doc_list(doc, "configs", &list, err) < 0) {
		json_decref(doc);
		return -1;
	}
	envoy_identity_release(id);
	node = doc_at(json_array_get(list, 0), "bootstrap.node");
	id->node = copy(json_string_value(json_object_get(node, "id")));
	id->cluster = copy(json_string_value(json_object_get(node, "cluster")));
	v = doc_at(node, "user_agent_build_version.version");
	if (json_is_object(v))
		id->version = xasprintf("%d.%d.%d",
		    (int)json_integer_value(json_object_get(v, "major_number")),
		    (int)json_integer_value(json_object_get(v, "minor_number")),
		    (int)json_integer_value(json_object_get(v, "patch")));
	json_decref(doc);
	return 0;
}

void envoy_identity_release(struct envoy_identity *id)
{
	free(id->node);
	free(id->cluster);
	free(id->version);
	*id = (struct envoy_identity){0};
}

/* ---- types of clusters -------------------------------------------------- */

static void add_type(struct envoy_types *t, json_t *c)
{
	json_t *cluster = json_object_get(c, "cluster");
	const char *name = doc_text(&t->arena, cluster, "name");
	struct envoy_type *v;

	if (!name)
		return;
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 16;
		t->v = xrealloc(t->v, t->cap, sizeof(*t->v));
	}
	v = &t->v[t->n++];
	*v = (struct envoy_type){ .name = name, .name_n = strlen(name) };
	v->type = doc_text(&t->arena, cluster, "type");
	if (!v->type)
		v->type = doc_text(&t->arena, cluster, "cluster_type.name");
	if (!v->type)
		v->type = "STATIC";
	v->lb = doc_text(&t->arena, cluster, "lb_policy");
	if (!v->lb)
		v->lb = "ROUND_ROBIN";
	v->version = doc_text(&t->arena, c, "version_info");
}

int envoy_types(struct envoy_types *t, const char *text, size_t n,
    struct err *err)
{
	json_t *doc = doc_load(text, n, err), *list, *c;
	size_t i;

	if (!doc || doc_list(doc, "configs", &list, err) < 0) {
		json_decref(doc);
		return -1;
	}
	json_array_foreach(list, i, c)
		add_type(t, c);
	json_decref(doc);
	return 0;
}

static struct span type_name_of(const struct envoy_type *t)
{
	return (struct span){ t->name, t->name_n };
}

static int type_order(const void *x, const void *y)
{
	return span_cmp(type_name_of(x), type_name_of(y));
}

void envoy_types_sort(struct envoy_types *t)
{
	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), type_order);
}

const struct envoy_type *envoy_types_find(const struct envoy_types *t,
    struct span name)
{
	struct envoy_type key = { .name = name.s, .name_n = name.n };

	return t->n ? bsearch(&key, t->v, t->n, sizeof(*t->v), type_order) :
	    NULL;
}

void envoy_types_release(struct envoy_types *t)
{
	free(t->v);
	arena_free(&t->arena);
	*t = (struct envoy_types){0};
}

/* ---- listeners ---------------------------------------------------------- */

static const char *say_address(struct arena *a, json_t *v)
{
	const char *ip = doc_text(a, v, "socket_address.address"), *path, *name;
	json_t *port = doc_at(v, "socket_address.port_value");
	char text[512];

	path = doc_text(a, v, "pipe.path");
	name = doc_text(a, v, "envoy_internal_address.server_listener_name");
	if (ip)
		snprintf(text, sizeof(text), strchr(ip, ':') ?
		    "[%s]:%lld" : "%s:%lld", ip,
		    (long long)json_integer_value(port));
	else if (path)
		snprintf(text, sizeof(text), "unix:%s", path);
	else if (name)
		snprintf(text, sizeof(text), "envoy://%s", name);
	else
		return NULL;
	return arena_strdup(a, text);
}

static struct envoy_listener *listener_named(struct envoy_listeners *l,
    const char *name)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 8;
		l->v = xrealloc(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n] = (struct envoy_listener){ .name = name };
	return &l->v[l->n++];
}

int envoy_listeners(struct envoy_listeners *l, const char *text, size_t n,
    struct err *err)
{
	json_t *doc = doc_load(text, n, err), *list, *v;
	size_t i;

	if (!doc || doc_list(doc, "listener_statuses", &list, err) < 0) {
		json_decref(doc);
		return -1;
	}
	json_array_foreach(list, i, v) {
		const char *name = doc_text(&l->arena, v, "name");
		struct envoy_listener *out;

		if (!name)
			continue;
		out = listener_named(l, name);
		out->address = say_address(&l->arena,
		    json_object_get(v, "local_address"));
		out->state = "active";
	}
	json_decref(doc);
	return 0;
}

/* An entry may have several states at once: a rejected update beside the
 * version that serves, one warming beside one that is active. */
static void take_dynamic(struct envoy_listeners *l, json_t *v)
{
	const char *name = doc_text(&l->arena, v, "name");
	json_t *failed = json_object_get(v, "error_state");
	struct envoy_listener *out;

	/* A refused update adds a second entry that has no name. */
	if (!name)
		return;
	out = listener_named(l, name);
	if (json_object_get(v, "active_state"))
		out->state = "active";
	else if (json_object_get(v, "warming_state"))
		out->state = "warming";
	else if (json_object_get(v, "draining_state"))
		out->state = "draining";
	out->version = doc_text(&l->arena, v, "active_state.version_info");
	if (failed) {
		out->state = "rejected";
		out->error = doc_text(&l->arena, failed, "details");
	}
	if (!out->state)
		out->state = "warming";
}

int envoy_listeners_dump(struct envoy_listeners *l, const char *text,
    size_t n, struct err *err)
{
	json_t *doc = doc_load(text, n, err), *list, *v;
	size_t i;

	if (!doc || doc_list(doc, "configs", &list, err) < 0) {
		json_decref(doc);
		return -1;
	}
	json_array_foreach(list, i, v)
		take_dynamic(l, v);
	json_decref(doc);
	return 0;
}

void envoy_listeners_release(struct envoy_listeners *l)
{
	free(l->v);
	arena_free(&l->arena);
	*l = (struct envoy_listeners){0};
}
