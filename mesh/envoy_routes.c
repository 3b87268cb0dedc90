/* Envoy's route configs as rows: one a target that a route sends to. */
#include "mesh.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "envoy_json.h"

static const char *keep(struct arena *a, struct buf *b)
{
	const char *s = arena_strdup(a, buf_str(b));

	buf_free(b);
	return s;
}

/* ---- the parts of a route ------------------------------------------------ */

/* A StringMatcher, or what older configs have in its place. */
static void say_matcher(struct buf *out, json_t *v)
{
	static const struct { const char *key, *before, *after; } how[] = {
		{ "exact", "=", "" }, { "prefix", "=", "*" },
		{ "suffix", "=*", "" }, { "contains", "=*", "*" },
	};
	json_t *regex = doc_at(v, "safe_regex.regex");
	size_t i;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		json_t *s = json_object_get(v, how[i].key);

		if (json_is_string(s))
			buf_addf(out, "%s%s%s", how[i].before,
			    json_string_value(s), how[i].after);
	}
	if (json_is_string(regex))
		buf_addf(out, "~%s", json_string_value(regex));
}

static void say_conditions(struct buf *out, json_t *list, const char *what)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v) {
		const char *name = json_string_value(json_object_get(v, "name"));

		buf_addf(out, " %s%s %s", what,
		    json_is_true(json_object_get(v, "invert_match")) ?
		    " not" : "", name ? name : "");
		say_matcher(out, json_object_get(v, "string_match"));
	}
}

/* "prefix /api", "path /x", "regex /r.*", with headers and query after it. */
static const char *say_match(struct arena *a, json_t *m)
{
	static const char *const paths[][2] = {
		{ "prefix", "prefix" }, { "path", "path" },
		{ "safe_regex.regex", "regex" },
		{ "path_separated_prefix", "folder" },
	};
	struct buf out = {0};
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		json_t *s = doc_at(m, paths[i][0]);

		if (json_is_string(s))
			buf_addf(&out, "%s %s", paths[i][1],
			    json_string_value(s));
	}
	if (json_object_get(m, "connect_matcher"))
		buf_adds(&out, "connect");
	if (json_object_get(m, "path_match_policy"))
		buf_adds(&out, "template");
	if (!out.n)
		buf_adds(&out, "any");
	if (json_object_get(m, "grpc"))
		buf_adds(&out, " grpc");
	say_conditions(&out, json_object_get(m, "headers"), "header");
	say_conditions(&out, json_object_get(m, "query_parameters"), "query");
	return keep(a, &out);
}

static const char *say_domains(struct arena *a, json_t *list)
{
	struct buf out = {0};
	json_t *v;
	size_t i;

	buf_addc(&out, '[');
	json_array_foreach(list, i, v) {
		if (!json_is_string(v))
			continue;
		if (out.n > 1)
			buf_addc(&out, ',');
		value_json_text(&out, json_string_value(v),
		    json_string_length(v));
	}
	buf_addc(&out, ']');
	return keep(a, &out);
}

/* "0.250s" as seconds. */
static double duration(json_t *v, double otherwise)
{
	const char *s = json_string_value(v);
	long whole, part = 0, unit = 1;
	char *end;

	if (!s)
		return otherwise;
	errno = 0;
	whole = strtol(s, &end, 10);
	if (end == s || errno)
		return otherwise;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9' && unit < 1000000000;
		    end++, unit *= 10)
			part = part * 10 + (*end - '0');
	return (double)whole + (double)part / (double)unit;
}

/* Of the route, else of its virtual host. A policy without a number is one
 * retry; without retry_on it does nothing. */
static int64_t retries(json_t *action, json_t *host)
{
	json_t *p = json_object_get(action, "retry_policy");
	json_t *n;

	if (!p)
		p = json_object_get(host, "retry_policy");
	if (!p || !json_is_string(json_object_get(p, "retry_on")))
		return 0;
	n = json_object_get(p, "num_retries");
	return json_is_integer(n) ? json_integer_value(n) : 1;
}

/* ---- rows --------------------------------------------------------------- */

static struct envoy_route *add(struct envoy_routes *r,
    const struct envoy_route *like, const char *target, int64_t weight)
{
	struct envoy_route *v;

	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 32;
		r->v = xrealloc(r->v, r->cap, sizeof(*r->v));
	}
	v = &r->v[r->n++];
	*v = *like;
	v->target = target;
	v->weight = weight;
	return v;
}

/* What stands in brackets is no cluster: no name of one is written so. */
static const char *say_header(struct arena *a, const char *header)
{
	struct buf out = {0};

	buf_addf(&out, "(by header %s)", header);
	return keep(a, &out);
}

static const char *target_of(struct arena *a, json_t *v)
{
	const char *name = doc_text(a, v, "cluster"), *header;

	if (!name)
		name = doc_text(a, v, "name");
	if (name)
		return name;
	header = doc_text(a, v, "cluster_header");
	if (header)
		return say_header(a, header);
	name = doc_text(a, v, "cluster_specifier_plugin");
	return name ? name : "(by plugin)";
}

static void add_action(struct envoy_routes *r, const struct envoy_route *like,
    json_t *action)
{
	json_t *list = doc_at(action, "weighted_clusters.clusters"), *c;
	size_t i;

	if (!json_is_array(list)) {
		/* One target takes all of it. */
		add(r, like, target_of(&r->arena, action), 100);
		return;
	}
	json_array_foreach(list, i, c) {
		json_t *w = json_object_get(c, "weight");

		add(r, like, target_of(&r->arena, c),
		    json_is_integer(w) ? json_integer_value(w) : -1);
	}
}

static void add_route(struct envoy_routes *r, struct envoy_route like,
    json_t *host, json_t *route)
{
	json_t *action = json_object_get(route, "route"), *v;
	char text[40];

	like.match = say_match(&r->arena, json_object_get(route, "match"));
	like.timeout = -1;
	like.retries = -1;
	if (action) {
		like.timeout = duration(json_object_get(action, "timeout"), 15);
		like.retries = retries(action, host);
		add_action(r, &like, action);
	} else if ((v = json_object_get(route, "direct_response"))) {
		snprintf(text, sizeof(text), "(answers %lld)",
		    (long long)json_integer_value(json_object_get(v, "status")));
		add(r, &like, arena_strdup(&r->arena, text), -1);
	} else if (json_object_get(route, "redirect")) {
		add(r, &like, "(redirects)", -1);
	} else {
		add(r, &like, "(none)", -1);
	}
}

static int add_host(struct envoy_routes *r, struct envoy_route like,
    json_t *host, struct err *err)
{
	json_t *routes = json_object_get(host, "routes"), *v;
	size_t i;

	if (routes && !json_is_array(routes))
		return err_set(err, ERR_DATA, "\"routes\" is not a list");
	like.host = doc_text(&r->arena, host, "name");
	if (!like.host)
		like.host = "";
	like.domains = say_domains(&r->arena, json_object_get(host, "domains"));
	json_array_foreach(routes, i, v)
		add_route(r, like, host, v);
	return 0;
}

static int add_config(struct envoy_routes *r, json_t *config, struct err *err)
{
	json_t *hosts = json_object_get(config, "virtual_hosts"), *v;
	struct envoy_route like = {0};
	size_t i;

	if (hosts && !json_is_array(hosts))
		return err_set(err, ERR_DATA, "\"virtual_hosts\" is not a list");
	like.config = doc_text(&r->arena, config, "name");
	if (!like.config)
		like.config = "";
	json_array_foreach(hosts, i, v)
		if (add_host(r, like, v, err) < 0)
			return -1;
	return 0;
}

int envoy_routes(struct envoy_routes *r, const char *text, size_t n,
    struct err *err)
{
	json_t *doc = doc_load(text, n, err), *list, *v;
	int result = -1;
	size_t i;

	if (!doc || doc_list(doc, "configs", &list, err) < 0)
		goto out;
	json_array_foreach(list, i, v)
		if (add_config(r, json_object_get(v, "route_config"), err) < 0)
			goto out;
	result = 0;
out:
	json_decref(doc);
	return result;
}

static int route_order(const void *x, const void *y)
{
	const struct envoy_route *a = x, *b = y;
	int d = strcmp(a->config, b->config);

	d = d ? d : strcmp(a->host, b->host);
	d = d ? d : strcmp(a->match, b->match);
	d = d ? d : strcmp(a->target, b->target);
	return d ? d : a->n - b->n;
}

static bool same_key(const struct envoy_route *a, const struct envoy_route *b)
{
	return strcmp(a->config, b->config) == 0 &&
	    strcmp(a->host, b->host) == 0 &&
	    strcmp(a->match, b->match) == 0 &&
	    strcmp(a->target, b->target) == 0;
}

/* Equal ones are told apart by their order, from 1: a route put in between
 * others renames none of them. */
void envoy_routes_number(struct envoy_routes *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		r->v[i].n = (int)i;
	if (r->n)
		qsort(r->v, r->n, sizeof(*r->v), route_order);
	for (i = 0; i < r->n; i++)
		r->v[i].n = i && same_key(&r->v[i - 1], &r->v[i]) ?
		    r->v[i - 1].n + 1 : 1;
}

void envoy_routes_release(struct envoy_routes *r)
{
	free(r->v);
	arena_free(&r->arena);
	*r = (struct envoy_routes){0};
}
