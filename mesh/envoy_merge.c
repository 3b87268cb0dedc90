/* What was read from Envoy as rows of kinds. A kind's scope is the address of
 * the proxy: each answer is complete for it. */
#include "mesh.h"

#include <stdio.h>

const char *envoy_name(const struct backend *b)
{
	return b->name ? b->name : b->address;
}

static struct merge *begin(struct fetch *f, const struct kind *k)
{
	return merge_begin(f->cache, k, f->context->name, f->backend->address,
	    f->now, 0);
}

static void put_span(struct merge *m, const char *field, struct span s)
{
	if (s.s)
		merge_text(m, field, s.s, (int)s.n);
	else
		merge_null(m, field);
}

static void put_text(struct merge *m, const char *field, const char *s)
{
	if (s)
		merge_text(m, field, s, -1);
	else
		merge_null(m, field);
}

/* SQL's integers have a sign: what is larger stays the largest. */
static void put_uint(struct merge *m, const char *field, uint64_t v)
{
	merge_int(m, field, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

static int row(struct fetch *f, struct merge *m, struct err *err)
{
	if (merge_row(m, err) < 0)
		return -1;
	f->rows++;
	return 0;
}

/* The answer of a row decides: a merge that can't go on is thrown away. */
static int end(struct merge *m, int result, struct err *err)
{
	if (result == 0)
		return merge_end(m, err);
	merge_abort(m);
	return -1;
}

int envoy_merge_proxy(struct fetch *f, const struct envoy_identity *id,
    const char *state, const struct envoy_totals *t, struct err *err)
{
	struct merge *m = begin(f, &proxy_kind);

	merge_text(m, "proxy", envoy_name(f->backend), -1);
	merge_text(m, "address", f->backend->address, -1);
	put_text(m, "node", id->node);
	put_text(m, "cluster", id->cluster);
	put_text(m, "version", id->version);
	merge_text(m, "state", state, -1);
	put_span(m, "cds", t->cds);
	put_span(m, "lds", t->lds);
	if (t->exported) {
		put_uint(m, "uptime", t->uptime);
		put_uint(m, "rejected", t->rejected);
		put_uint(m, "rq", t->rq);
		put_uint(m, "rq_5xx", t->rq_5xx);
		merge_bins(m, "rq_time", t->time.v, t->time.n);
	}
	return end(m, row(f, m, err), err);
}

static const char *const cluster_fields[CLUSTER_STATS] = {
	[CLUSTER_RQ] = "rq",
	[CLUSTER_RQ_4XX] = "rq_4xx",
	[CLUSTER_RQ_5XX] = "rq_5xx",
	[CLUSTER_TRIES] = "tries",
	[CLUSTER_RETRIES] = "retries",
	[CLUSTER_TIMEOUTS] = "timeouts",
	[CLUSTER_OVERFLOW] = "overflow",
	[CLUSTER_EJECTIONS] = "ejections",
	[CLUSTER_CX_FAIL] = "cx_fail",
	[CLUSTER_RQ_ACTIVE] = "rq_active",
	[CLUSTER_CX_ACTIVE] = "cx_active",
	[CLUSTER_OPEN] = "open",
};

static int cluster_row(struct fetch *f, struct merge *m,
    const struct envoy_cluster *c, const struct envoy_type *t,
    struct err *err)
{
	int i;

	merge_text(m, "proxy", envoy_name(f->backend), -1);
	put_span(m, "cluster", c->name);
	put_text(m, "type", t ? t->type : NULL);
	put_text(m, "lb", t ? t->lb : NULL);
	put_text(m, "version", t ? t->version : NULL);
	put_uint(m, "hosts", c->hosts);
	put_uint(m, "healthy", c->healthy);
	put_uint(m, "ejected", c->ejected);
	/* A proxy whose stats_matcher leaves this cluster out says nothing of
	 * it, and nothing is not 0. A cluster without hosts has no stats
	 * before its first request: there 0 is what it means. */
	if (c->exported || !c->hosts) {
		for (i = 0; i < CLUSTER_STATS; i++)
			put_uint(m, cluster_fields[i], c->stat[i]);
		merge_bins(m, "rq_time", c->time.v, c->time.n);
	}
	return row(f, m, err);
}

int envoy_merge_clusters(struct fetch *f, const struct envoy_poll *p,
    const struct envoy_types *types, struct err *err)
{
	struct merge *m = begin(f, &cluster_kind);
	int result = 0;
	size_t i;

	for (i = 0; i < p->nclusters && result == 0; i++)
		result = cluster_row(f, m, &p->clusters[i],
		    envoy_types_find(types, p->clusters[i].name), err);
	return end(m, result, err);
}

/* "eu/eu-1a/r1", as much of it as there is. */
static void put_locality(struct merge *m, const struct envoy_host *h,
    struct buf *scratch)
{
	const struct span *part[] = { &h->region, &h->zone, &h->sub_zone };
	int i, last = -1;

	for (i = 0; i < 3; i++)
		if (part[i]->n)
			last = i;
	if (last < 0) {
		merge_null(m, "locality");
		return;
	}
	buf_clear(scratch);
	for (i = 0; i <= last; i++) {
		if (i)
			buf_addc(scratch, '/');
		if (part[i]->n)
			buf_add(scratch, part[i]->s, part[i]->n);
	}
	merge_text(m, "locality", scratch->p, (int)scratch->n);
}

static int host_row(struct fetch *f, struct merge *m, struct span cluster,
    const struct envoy_host *h, struct buf *scratch, struct err *err)
{
	merge_text(m, "proxy", envoy_name(f->backend), -1);
	put_span(m, "cluster", cluster);
	put_span(m, "address", h->address);
	merge_text(m, "health", envoy_health_words[envoy_health(h->reasons)],
	    -1);
	buf_clear(scratch);
	envoy_reasons(scratch, h->reasons);
	merge_text(m, "reasons", scratch->p, (int)scratch->n);
	put_uint(m, "weight", h->weight);
	put_uint(m, "priority", h->priority);
	put_span(m, "hostname", h->hostname.n ? h->hostname :
	    (struct span){0});
	put_locality(m, h, scratch);
	put_uint(m, "rq_success", h->stat[HOST_SUCCESS]);
	put_uint(m, "rq_error", h->stat[HOST_ERROR]);
	put_uint(m, "rq_active", h->stat[HOST_ACTIVE]);
	put_uint(m, "cx_fail", h->stat[HOST_CX_FAIL]);
	return row(f, m, err);
}

int envoy_merge_endpoints(struct fetch *f, const struct envoy_poll *p,
    struct err *err)
{
	struct merge *m = begin(f, &endpoint_kind);
	struct buf scratch = {0};
	int result = 0;
	size_t i, h;

	for (i = 0; i < p->nclusters && result == 0; i++) {
		const struct envoy_cluster *c = &p->clusters[i];

		for (h = c->first; h < c->first + c->n && result == 0; h++)
			result = host_row(f, m, c->name, &p->hosts[h],
			    &scratch, err);
	}
	buf_free(&scratch);
	return end(m, result, err);
}

int envoy_merge_listeners(struct fetch *f, const struct envoy_listeners *l,
    struct err *err)
{
	struct merge *m = begin(f, &listener_kind);
	int result = 0;
	size_t i;

	for (i = 0; i < l->n && result == 0; i++) {
		merge_text(m, "proxy", envoy_name(f->backend), -1);
		merge_text(m, "listener", l->v[i].name, -1);
		put_text(m, "address", l->v[i].address);
		put_text(m, "state", l->v[i].state);
		put_text(m, "error", l->v[i].error);
		put_text(m, "version", l->v[i].version);
		result = row(f, m, err);
	}
	return end(m, result, err);
}

static int route_row(struct fetch *f, struct merge *m,
    const struct envoy_route *r, struct err *err)
{
	merge_text(m, "proxy", envoy_name(f->backend), -1);
	merge_text(m, "route_config", r->config, -1);
	merge_text(m, "virtual_host", r->host, -1);
	merge_text(m, "match", r->match, -1);
	merge_text(m, "target", r->target, -1);
	merge_int(m, "n", r->n);
	merge_text(m, "domains", r->domains, -1);
	if (r->weight >= 0)
		merge_int(m, "weight", r->weight);
	if (r->timeout >= 0)
		merge_real(m, "timeout", r->timeout);
	if (r->retries >= 0)
		merge_int(m, "retries", r->retries);
	return row(f, m, err);
}

int envoy_merge_routes(struct fetch *f, const struct envoy_routes *r,
    struct err *err)
{
	struct merge *m = begin(f, &route_kind);
	int result = 0;
	size_t i;

	for (i = 0; i < r->n && result == 0; i++)
		result = route_row(f, m, &r->v[i], err);
	return end(m, result, err);
}

int envoy_merge_certs(struct fetch *f, const struct envoy_certs *c,
    struct err *err)
{
	struct merge *m = begin(f, &cert_kind);
	int result = 0;
	size_t i;

	for (i = 0; i < c->n && result == 0; i++) {
		const struct envoy_cert *v = &c->v[i];

		merge_text(m, "proxy", envoy_name(f->backend), -1);
		merge_text(m, "path", v->path, -1);
		merge_text(m, "sans", v->sans, -1);
		merge_int(m, "n", v->n);
		merge_text(m, "serial", v->serial, -1);
		merge_text(m, "usage", v->role, -1);
		if (v->starts)
			merge_int(m, "starts", v->starts);
		if (v->expires)
			merge_int(m, "expires", v->expires);
		result = row(f, m, err);
	}
	return end(m, result, err);
}
