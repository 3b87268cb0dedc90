/* Envoy's /clusters?format=json: clusters, their hosts and the health of each.
 * Shapes as in 1.40 (envoy/admin/v3/clusters.proto): defaults are left out,
 * key order is not the proto's, 64 bit numbers are strings. */
#include "mesh.h"

#include <stdio.h>
#include <stdlib.h>

/* Booleans of HostHealthStatus, and the values of eds_health_status in the
 * words of Envoy's own text format. */
static const struct {
	const char		*key;		/* in health_status; NULL */
	const char		*eds;		/* value of eds_health_status */
	const char		*word;
	enum host_health	 health;
} reasons[] = {
	{ "failed_outlier_check", NULL, NULL, HOST_UNHEALTHY },
	{ "failed_active_health_check", NULL, NULL, HOST_UNHEALTHY },
	{ "active_hc_timeout", NULL, NULL, HOST_HEALTHY },
	{ "excluded_via_immediate_hc_fail", NULL, NULL, HOST_HEALTHY },
	{ "pending_active_hc", NULL, NULL, HOST_HEALTHY },
	{ "pending_dynamic_removal", NULL, NULL, HOST_DRAINING },
	{ "failed_active_degraded_check", NULL, NULL, HOST_DEGRADED },
	{ "failed_degraded_outlier_detection", NULL, NULL, HOST_DEGRADED },
	{ NULL, "UNHEALTHY", "failed_eds_health", HOST_UNHEALTHY },
	{ NULL, "TIMEOUT", "failed_eds_health", HOST_UNHEALTHY },
	{ NULL, "DRAINING", "eds_status_draining", HOST_DRAINING },
	{ NULL, "DEGRADED", "degraded_eds_health", HOST_DEGRADED },
};
#define NREASONS (sizeof(reasons) / sizeof(reasons[0]))
const char *const envoy_health_words[] = { "healthy", "degraded", "draining",
    "unhealthy" };

enum host_health envoy_health(unsigned bits)
{
	enum host_health worst = HOST_HEALTHY;
	size_t i;

	for (i = 0; i < NREASONS; i++)
		if (bits & 1u << i && reasons[i].health > worst)
			worst = reasons[i].health;
	return worst;
}

void envoy_reasons(struct buf *out, unsigned bits)
{
	const char *comma = "";
	size_t i;

	buf_addc(out, '[');
	for (i = 0; i < NREASONS; i++) {
		if (!(bits & 1u << i))
			continue;
		buf_addf(out, "%s\"%s\"", comma, reasons[i].word ?
		    reasons[i].word : reasons[i].key);
		comma = ",";
	}
	buf_addc(out, ']');
}

static bool span_eq(struct span a, const char *s)
{
	return a.n == strlen(s) && memcmp(a.s, s, a.n) == 0;
}

static void read_health(struct pull *p, struct envoy_host *h)
{
	struct span key, word;
	size_t i;

	pull_map(p);
	while (pull_key(p, &key)) {
		bool set = false;

		if (span_is(key, "eds_health_status")) {
			if (!pull_text(p, &word))
				return;
			for (i = 0; i < NREASONS; i++)
				if (reasons[i].eds && span_eq(word, reasons[i].eds))
					h->reasons |= 1u << i;
			continue;
		}
		for (i = 0; i < NREASONS; i++)
			if (reasons[i].key && span_eq(key, reasons[i].key))
				break;
		if (i == NREASONS)
			pull_skip(p);
		else if (pull_bool(p, &set) && set)
			h->reasons |= 1u << i;
	}
}

static void read_stats(struct pull *p, struct envoy_host *h)
{
	static const char *const names[HOST_STATS] = {
		[HOST_SUCCESS] = "rq_success",
		[HOST_ERROR] = "rq_error",
		[HOST_ACTIVE] = "rq_active",
		[HOST_CX_FAIL] = "cx_connect_fail",
	};

	pull_list(p);
	while (pull_item(p)) {
		struct span key, name = {0};
		uint64_t v = 0;
		int i;

		pull_map(p);
		while (pull_key(p, &key)) {
			if (span_is(key, "name"))
				pull_text(p, &name);
			else if (span_is(key, "value"))
				pull_uint(p, &v);
			else
				pull_skip(p);
		}
		for (i = 0; i < HOST_STATS; i++)
			if (name.s && span_eq(name, names[i]))
				h->stat[i] = v;
	}
}

static struct span join(struct arena *a, const char *before, struct span s,
    const char *between, struct span end)
{
	size_t nb = strlen(before), nm = strlen(between);
	char *w = arena_alloc(a, nb + s.n + nm + end.n + 1);
	struct span out = { w, nb + s.n + nm + end.n };

	memcpy(w, before, nb);
	if (s.n)
		memcpy(w + nb, s.s, s.n);
	memcpy(w + nb + s.n, between, nm);
	if (end.n)
		memcpy(w + nb + s.n + nm, end.s, end.n);
	return out;
}

static void read_socket(struct pull *p, struct arena *a, struct span *out)
{
	struct span key, ip = {0};
	uint64_t port = 0;
	char digits[24];
	bool v6;

	pull_map(p);
	while (pull_key(p, &key)) {
		if (span_is(key, "address"))
			pull_text(p, &ip);
		else if (span_is(key, "port_value"))
			pull_uint(p, &port);
		else
			pull_skip(p);
	}
	v6 = ip.n && memchr(ip.s, ':', ip.n);
	*out = join(a, v6 ? "[" : "", ip, v6 ? "]:" : ":", (struct span){
	    digits, (size_t)snprintf(digits, sizeof(digits), "%llu",
	    (unsigned long long)port) });
}

static void read_pipe(struct pull *p, struct arena *a, struct span *out)
{
	struct span key, path = {0};

	pull_map(p);
	while (pull_key(p, &key)) {
		if (span_is(key, "path"))
			pull_text(p, &path);
		else
			pull_skip(p);
	}
	*out = join(a, "unix:", path, "", (struct span){0});
}

static void read_internal(struct pull *p, struct arena *a, struct span *out)
{
	struct span key, name = {0}, id = {0};

	pull_map(p);
	while (pull_key(p, &key)) {
		if (span_is(key, "server_listener_name"))
			pull_text(p, &name);
		else if (span_is(key, "endpoint_id"))
			pull_text(p, &id);
		else
			pull_skip(p);
	}
	*out = join(a, "envoy://", name, id.n ? "/" : "", id);
}

static void read_address(struct pull *p, struct arena *a, struct span *out)
{
	struct span key;

	pull_map(p);
	while (pull_key(p, &key)) {
		if (span_is(key, "socket_address"))
			read_socket(p, a, out);
		else if (span_is(key, "pipe"))
			read_pipe(p, a, out);
		else if (span_is(key, "envoy_internal_address"))
			read_internal(p, a, out);
		else
			pull_skip(p);
	}
}

static void read_locality(struct pull *p, struct envoy_host *h)
{
	struct span key;

	pull_map(p);
	while (pull_key(p, &key)) {
		if (span_is(key, "region"))
			pull_text(p, &h->region);
		else if (span_is(key, "zone"))
			pull_text(p, &h->zone);
		else if (span_is(key, "sub_zone"))
			pull_text(p, &h->sub_zone);
		else
			pull_skip(p);
	}
}

static void read_host(struct pull *p, struct arena *a, struct envoy_host *h)
{
	struct span key;

	pull_map(p);
	while (pull_key(p, &key)) {
		if (span_is(key, "address"))
			read_address(p, a, &h->address);
		else if (span_is(key, "stats"))
			read_stats(p, h);
		else if (span_is(key, "health_status"))
			read_health(p, h);
		else if (span_is(key, "hostname"))
			pull_text(p, &h->hostname);
		else if (span_is(key, "locality"))
			read_locality(p, h);
		else if (span_is(key, "weight"))
			pull_uint(p, &h->weight);
		else if (span_is(key, "priority"))
			pull_uint(p, &h->priority);
		else
			pull_skip(p);
	}
	if (!p->failed && !h->address.n)
		pull_fail(p, "a host without an address that kiban knows");
}

static int host_order(const void *x, const void *y)
{
	const struct envoy_host *a = x, *b = y;
	int d = span_cmp(a->address, b->address);

	/* Of an address that stands twice the higher priority (0) is the one
	 * that counts: it comes last, and the later row wins. */
	return d ? d : (a->priority < b->priority) - (a->priority > b->priority);
}

/* Counts each address once, and leaves it once. */
static void settle_hosts(struct envoy_poll *e, struct envoy_cluster *c)
{
	struct envoy_host *h = e->hosts + c->first;
	size_t i, w = 0;

	if (c->n)
		qsort(h, c->n, sizeof(*h), host_order);
	for (i = 0; i < c->n; i++) {
		if (i + 1 < c->n && span_cmp(h[i].address, h[i + 1].address) == 0)
			continue;
		c->hosts++;
		c->healthy += envoy_health(h[i].reasons) == HOST_HEALTHY;
		c->ejected += h[i].reasons & REASON_EJECTED;
		h[w++] = h[i];
	}
	c->n = w;
	e->nhosts = c->first + w;
}

static void read_hosts(struct pull *p, struct envoy_poll *e,
    struct envoy_cluster *c)
{
	pull_list(p);
	while (pull_item(p)) {
		if (e->nhosts == e->hosts_cap) {
			e->hosts_cap = e->hosts_cap ? e->hosts_cap * 2 : 64;
			e->hosts = xrealloc(e->hosts, e->hosts_cap,
			    sizeof(*e->hosts));
		}
		e->hosts[e->nhosts] = (struct envoy_host){0};
		read_host(p, &e->arena, e->hosts + e->nhosts);
		if (p->failed)
			return;
		e->nhosts++;
		c->n++;
	}
}

/* Stats write ':' as '_' and leave all else. */
static struct span stats_name(struct arena *a, struct span s)
{
	char *w, *colon;

	if (!s.n || !memchr(s.s, ':', s.n))
		return s;
	w = arena_strndup(a, s.s, s.n);
	while ((colon = memchr(w, ':', s.n)))
		*colon = '_';
	return (struct span){ w, s.n };
}

static void read_cluster(struct pull *p, struct envoy_poll *e,
    struct envoy_cluster *c)
{
	struct span key;

	c->first = e->nhosts;
	pull_map(p);
	while (pull_key(p, &key)) {
		if (span_is(key, "name"))
			pull_text(p, &c->name);
		else if (span_is(key, "observability_name"))
			pull_text(p, &c->stats_name);
		else if (span_is(key, "host_statuses"))
			read_hosts(p, e, c);
		else
			pull_skip(p);
	}
	if (!p->failed && !c->name.s)
		pull_fail(p, "a cluster without \"name\"");
	if (p->failed)
		return;
	c->stats_name = stats_name(&e->arena, c->stats_name.s ? c->stats_name :
	    c->name);
	settle_hosts(e, c);
}

static void read_list(struct pull *p, struct envoy_poll *e)
{
	pull_list(p);
	while (pull_item(p)) {
		if (e->nclusters == e->clusters_cap) {
			e->clusters_cap = e->clusters_cap ?
			    e->clusters_cap * 2 : 16;
			e->clusters = xrealloc(e->clusters, e->clusters_cap,
			    sizeof(*e->clusters));
		}
		e->clusters[e->nclusters] = (struct envoy_cluster){0};
		read_cluster(p, e, e->clusters + e->nclusters);
		if (p->failed)
			return;
		e->nclusters++;
	}
}

/* Two answers of one process differ in the order of clusters. */
static int cluster_order(const void *x, const void *y)
{
	const struct envoy_cluster *a = x, *b = y;

	return span_cmp(a->name, b->name);
}

int envoy_clusters(struct envoy_poll *e, char *text, size_t n,
    struct err *err)
{
	bool found = false, other = false;
	struct pull p;
	struct span key;

	pull_init(&p, text, n);
	pull_map(&p);
	while (pull_key(&p, &key)) {
		if (span_is(key, "cluster_statuses") && !found) {
			found = true;
			read_list(&p, e);
		} else {
			other = true;
			pull_skip(&p);
		}
	}
	if (pull_end(&p, err) < 0)
		return -1;
	/* No cluster at all is {}. */
	if (!found && other)
		return err_set(err, ERR_DATA, "there is no "
		    "\"cluster_statuses\": is this Envoy's admin address?");
	if (e->nclusters)
		qsort(e->clusters, e->nclusters, sizeof(*e->clusters),
		    cluster_order);
	return 0;
}

void envoy_poll_release(struct envoy_poll *p)
{
	size_t i;

	for (i = 0; i < p->nclusters; i++)
		free(p->clusters[i].time.v);
	free(p->clusters);
	free(p->hosts);
	free(p->totals.time.v);
	buf_free(&p->clusters_text);
	buf_free(&p->stats_text);
	arena_free(&p->arena);
	*p = (struct envoy_poll){0};
}
