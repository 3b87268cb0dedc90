/* Liveness, after a round over the fleet: it is a scope of its own. A proxy
 * that doesn't answer keeps its facts, only `state` and `error` move; and when
 * none answers it is rather this machine's network, so nothing is said of any
 * (rule mesh.no_backend says it once). */
#include "mesh.h"

#include <stdlib.h>
#include <string.h>

#define GONE_FOR 3600000	/* ms; then it is only in the past */

/* What the cache says of a proxy. */
struct known {
	char	*proxy, *address, *state, *error;
	int64_t	 gone, seen;
};
struct fleet {
	struct known	*v;
	size_t		 n, cap;
};

static char *copy(struct cell c)
{
	return c.tag == CELL_TEXT ? xstrndup(c.s, c.n) : xstrdup("");
}

static int64_t whole(struct cell c)
{
	return c.tag == CELL_INT ? c.i : (int64_t)cell_number(c);
}

static void fleet_release(struct fleet *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		free(f->v[i].proxy);
		free(f->v[i].address);
		free(f->v[i].state);
		free(f->v[i].error);
	}
	free(f->v);
}

static int fleet_load(struct fleet *f, struct fetch_round *r, struct err *err)
{
	const char *context = r->context->name;
	const struct cell *c;
	struct query *q;
	int more;

	if (cache_aim(r->cache, &context, 1, 0, 0, err) < 0)
		return -1;
	q = query_new(r->cache, "SELECT proxy, address, state, error, gone, seen"
	    " FROM mesh_proxy", 0, 0, NULL, err);
	if (!q)
		return -1;
	while ((more = query_step(q, &c, err)) > 0) {
		if (f->n == f->cap) {
			f->cap = f->cap ? f->cap * 2 : 16;
			f->v = xrealloc(f->v, f->cap, sizeof(*f->v));
		}
		f->v[f->n++] = (struct known){
			.proxy = copy(c[0]), .address = copy(c[1]),
			.state = copy(c[2]), .error = copy(c[3]),
			.gone = whole(c[4]), .seen = whole(c[5]),
		};
	}
	query_free(q);
	return more;
}

static const struct known *fleet_find(const struct fleet *f,
    const char *address)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (strcmp(f->v[i].address, address) == 0)
			return &f->v[i];
	return NULL;
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), k = strlen(with);

	return n >= k && strcmp(s + n - k, with) == 0;
}

/* It answered when last asked: fully, or at least as far as its state. */
static bool answers(const struct source_row *o, const struct known *k)
{
	if (o->failures == 0)
		return o->seen > 0;
	return k && o->tried > 0 && k->seen >= o->tried;
}

/* Nobody listens there, or it failed twice in a row. */
static bool is_down(const struct source_row *o, const struct known *k)
{
	if (o->failures == 0 || answers(o, k))
		return false;
	return o->failures > 1 || ends(o->error, "connection refused") ||
	    ends(o->error, "no such socket");
}

static int patch(struct fetch_round *r, const char *address, const char *name,
    const char *state, const char *error, int64_t gone, struct err *err)
{
	struct merge *m = merge_begin(r->cache, &proxy_kind, r->context->name,
	    address, r->now, MERGE_PATCH);

	merge_text(m, "proxy", name, -1);
	merge_text(m, "address", address, -1);
	merge_text(m, "state", state, -1);
	if (error)
		merge_text(m, "error", error, -1);
	else
		merge_null(m, "error");
	if (gone)
		merge_int(m, "gone", gone);
	else
		merge_null(m, "gone");
	if (merge_row(m, err) == 0)
		return merge_end(m, err);
	merge_abort(m);
	return -1;
}

/* "envoy http://…: GET /ready: connection refused", less whose it is. */
static const char *reason(const char *error, const char *address)
{
	size_t n = strlen(address);

	if (strncmp(error, "envoy ", 6) == 0 &&
	    strncmp(error + 6, address, n) == 0 &&
	    strncmp(error + 6 + n, ": ", 2) == 0)
		return error + 6 + n + 2;
	return error;
}

static int mark_down(struct fetch_round *r, const struct fleet *f,
    struct err *err)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		const struct fetch_outcome *o = &r->v[i];
		const struct known *k = fleet_find(f, o->backend->address);
		const char *why = reason(o->row.error, o->backend->address);

		if (!is_down(&o->row, k))
			continue;
		/* The first reason stays: later ones are probes that fail in
		 * other ways, and would be changes. */
		if (k && strcmp(k->state, "unreachable") == 0)
			continue;
		if (patch(r, o->backend->address, envoy_name(o->backend),
		    "unreachable", why, 0, err) < 0)
			return -1;
	}
	return 0;
}

static int drop(struct fetch_round *r, const char *address, struct err *err)
{
	static const struct kind *const kinds[] = { &listener_kind,
	    &route_kind, &cluster_kind, &endpoint_kind, &cert_kind,
	    &proxy_kind };
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (cache_drop_scope(r->cache, kinds[i], r->context->name,
		    address, r->now, err) < 0)
			return -1;
	return 0;
}

static bool is_named(const struct fetch_round *r, const char *address)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->v[i].backend->address, address) == 0)
			return true;
	return false;
}

static int mark_gone(struct fetch_round *r, const struct fleet *f,
    struct err *err)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		const struct known *k = &f->v[i];
		int result = 0;

		if (is_named(r, k->address))
			continue;
		if (!k->gone)
			result = patch(r, k->address, k->proxy, "gone", NULL,
			    r->now, err);
		else if (r->now - k->gone > GONE_FOR)
			result = drop(r, k->address, err);
		if (result < 0)
			return -1;
	}
	return 0;
}

int envoy_round(struct fetch_round *r, struct err *err)
{
	struct fleet f = {0};
	bool any = false;
	int result;
	size_t i;

	result = fleet_load(&f, r, err);
	for (i = 0; i < r->n && result == 0; i++)
		any = any || answers(&r->v[i].row,
		    fleet_find(&f, r->v[i].backend->address));
	if (result == 0 && any)
		result = mark_down(r, &f, err);
	if (result == 0)
		result = mark_gone(r, &f, err);
	fleet_release(&f);
	return result;
}
