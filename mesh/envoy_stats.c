/* Envoy's /stats?format=json: counters, gauges, version texts and histograms
 * of the whole proxy in one answer, asked for by one filter.
 *
 * Names are raw (a cluster may be called `x.external`), so nothing is split on
 * dots: a name has to end in a suffix that is known here, and what is left
 * between has to be the name of a cluster that /clusters gave. */
#include "mesh.h"

#include <stdlib.h>

/* RE2, searched in the full name, URL-encoded. `usedonly` leaves out what was
 * never written and is what makes the answer small. */
#define FILTER \
	"%5E(cluster%5C..%2B%5C.(" \
	"upstream_rq_(completed|total|%5B45%5Dxx|pending_overflow|" \
	"active_overflow|retry_overflow|retry|timeout|per_try_timeout|active|" \
	"time)|upstream_cx_(active|connect_fail)|" \
	"outlier_detection%5C.ejections_enforced_total|membership_total|" \
	"update_rejected|circuit_breakers%5C.(default|high)%5C." \
	"(cx_pool|rq|rq_pending|rq_retry)_open)" \
	"|http%5C..%2B%5C.(downstream_rq_(completed|5xx|time)|" \
	"rds%5C..%2B%5C.(version_text|config_reload|update_rejected))" \
	"|(cluster_manager%5C.(cds%5C.(version_text|config_reload|" \
	"update_rejected)|cluster_(added|modified|removed)|" \
	"(active|warming)_clusters))" \
	"|(listener_manager%5C.(lds%5C.(version_text|config_reload|" \
	"update_rejected)|listener_(added|modified|removed|in_place_updated|" \
	"create_failure|stopped)|total_listeners_(active|warming|draining)))" \
	"|sds%5C..%2B%5C.(version_text|update_rejected)" \
	"|.*ssl_context_update_by_sds|server%5C.uptime)$"
const char envoy_stats_target[] =
    "/stats?format=json&usedonly&histogram_buckets=detailed&filter=" FILTER;

static const struct {
	const char		*suffix;
	enum cluster_stat	 stat;
} cluster_suffixes[] = {
	{ ".upstream_rq_completed", CLUSTER_RQ },
	{ ".upstream_rq_4xx", CLUSTER_RQ_4XX },
	{ ".upstream_rq_5xx", CLUSTER_RQ_5XX },
	{ ".upstream_rq_total", CLUSTER_TRIES },
	{ ".upstream_rq_retry", CLUSTER_RETRIES },
	{ ".upstream_rq_timeout", CLUSTER_TIMEOUTS },
	{ ".upstream_rq_per_try_timeout", CLUSTER_TIMEOUTS },
	{ ".upstream_rq_pending_overflow", CLUSTER_OVERFLOW },
	{ ".upstream_rq_active_overflow", CLUSTER_OVERFLOW },
	{ ".upstream_rq_retry_overflow", CLUSTER_OVERFLOW },
	{ ".outlier_detection.ejections_enforced_total", CLUSTER_EJECTIONS },
	{ ".upstream_cx_connect_fail", CLUSTER_CX_FAIL },
	{ ".upstream_rq_active", CLUSTER_RQ_ACTIVE },
	{ ".upstream_cx_active", CLUSTER_CX_ACTIVE },
	{ ".circuit_breakers.default.cx_pool_open", CLUSTER_OPEN },
	{ ".circuit_breakers.default.rq_open", CLUSTER_OPEN },
	{ ".circuit_breakers.default.rq_pending_open", CLUSTER_OPEN },
	{ ".circuit_breakers.default.rq_retry_open", CLUSTER_OPEN },
	{ ".circuit_breakers.high.cx_pool_open", CLUSTER_OPEN },
	{ ".circuit_breakers.high.rq_open", CLUSTER_OPEN },
	{ ".circuit_breakers.high.rq_pending_open", CLUSTER_OPEN },
	{ ".circuit_breakers.high.rq_retry_open", CLUSTER_OPEN },
	/* There as soon as a cluster has had a host: says that the proxy
	 * exports this cluster, and nothing else. */
	{ ".membership_total", CLUSTER_STATS },
};
#define NSUFFIXES (sizeof(cluster_suffixes) / sizeof(cluster_suffixes[0]))

/* ---- names -------------------------------------------------------------- */

static bool begins(struct span s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.s, with, n) == 0;
}

static bool ends(struct span s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.s + s.n - n, with, n) == 0;
}

/* What stands between; s NULL when the name doesn't begin and end so, or
 * nothing is between. */
static struct span between(struct span s, const char *begin, const char *end)
{
	size_t nb = strlen(begin), ne = strlen(end);

	if (s.n <= nb + ne || !begins(s, begin) || !ends(s, end))
		return (struct span){0};
	return (struct span){ s.s + nb, s.n - nb - ne };
}

static uint64_t hash(uint64_t h, struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.s[i]) * 1099511628211u;
	return h * 31;
}

/* Clusters by the name that their stats have: open addressing, at most half
 * full. */
struct table {
	uint32_t	*slot;		/* index of a cluster + 1 */
	size_t		 size;		/* a power of two */
};
#define SEED 14695981039346656037u

static void table_fill(struct table *t, const struct envoy_poll *e)
{
	size_t i, at;

	for (t->size = 16; t->size < e->nclusters * 2; t->size *= 2)
		;
	t->slot = xcalloc(t->size, sizeof(*t->slot));
	for (i = 0; i < e->nclusters; i++) {
		at = hash(SEED, e->clusters[i].stats_name) & (t->size - 1);
		while (t->slot[at])
			at = (at + 1) & (t->size - 1);
		t->slot[at] = (uint32_t)i + 1;
	}
}

/* The first of those that share a name (alt_stat_name) has its stats. */
static struct envoy_cluster *table_find(const struct table *t,
    const struct envoy_poll *e, struct span name)
{
	size_t at = hash(SEED, name) & (t->size - 1);

	for (; t->slot[at]; at = (at + 1) & (t->size - 1)) {
		struct envoy_cluster *c = e->clusters + t->slot[at] - 1;

		if (span_cmp(c->stats_name, name) == 0)
			return c;
	}
	return NULL;
}

/* The admin's own listener and Envoy's own client aren't traffic. */
static bool is_traffic(struct span prefix)
{
	return prefix.s && !span_is(prefix, "admin") &&
	    !span_is(prefix, "async-client");
}

/* ---- one stat ----------------------------------------------------------- */

struct reading {
	struct envoy_poll	*poll;
	struct table		 table;
};

static void take_cluster(struct reading *r, struct span name, uint64_t v)
{
	struct envoy_cluster *c;
	size_t i;

	for (i = 0; i < NSUFFIXES; i++) {
		struct span s = between(name, "cluster.",
		    cluster_suffixes[i].suffix);
		enum cluster_stat stat = cluster_suffixes[i].stat;

		if (!s.s || !(c = table_find(&r->table, r->poll, s)))
			continue;
		c->exported = true;
		if (stat == CLUSTER_OPEN)
			c->stat[stat] |= v != 0;
		else if (stat < CLUSTER_STATS)
			c->stat[stat] += v;
		return;
	}
}

static void take_number(struct reading *r, struct span name, uint64_t v)
{
	struct envoy_totals *t = &r->poll->totals;

	if (ends(name, ".update_rejected"))
		t->rejected += v;
	if (begins(name, "cluster.")) {
		take_cluster(r, name, v);
	} else if (span_is(name, "server.uptime")) {
		t->exported = true;
		t->uptime = v;
	} else if (is_traffic(between(name, "http.",
	    ".downstream_rq_completed"))) {
		t->exported = true;
		t->rq += v;
	} else if (is_traffic(between(name, "http.", ".downstream_rq_5xx"))) {
		t->rq_5xx += v;
	} else if (!begins(name, "http.") || ends(name, ".config_reload")) {
		/* A REST server's rejected update is rejected again at every
		 * poll; only of listeners does the dump say more then. */
		if (ends(name, ".update_rejected") &&
		    !begins(name, "listener_manager."))
			return;
		t->mark ^= hash(hash(SEED, name), (struct span){
		    (const char *)&v, sizeof(v) });
	}
}

static void take_text(struct reading *r, struct span name, struct span v)
{
	struct envoy_totals *t = &r->poll->totals;

	if (!ends(name, ".version_text"))
		return;
	if (span_is(name, "cluster_manager.cds.version_text"))
		t->cds = v;
	else if (span_is(name, "listener_manager.lds.version_text"))
		t->lds = v;
	t->mark ^= hash(hash(SEED, name), v);
}

static int bin_order(const void *x, const void *y)
{
	const struct bin *a = x, *b = y;

	return (a->lower > b->lower) - (a->lower < b->lower);
}

static void bins_add(struct envoy_bins *b, double lower, uint64_t count)
{
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 16;
		b->v = xrealloc(b->v, b->cap, sizeof(*b->v));
	}
	b->v[b->n++] = (struct bin){ .lower = lower, .count = count };
}

/* Sums v into `to`; both by bound. */
static void bins_merge(struct envoy_bins *to, const struct envoy_bins *v)
{
	size_t i, w = 0;

	for (i = 0; i < v->n; i++)
		bins_add(to, v->v[i].lower, v->v[i].count);
	if (to->n)
		qsort(to->v, to->n, sizeof(*to->v), bin_order);
	for (i = 0; i < to->n; i++) {
		if (w && !(to->v[w - 1].lower < to->v[i].lower))
			to->v[w - 1].count += to->v[i].count;
		else
			to->v[w++] = to->v[i];
	}
	to->n = w;
}

static void take_bins(struct reading *r, struct span name,
    const struct envoy_bins *v)
{
	struct envoy_cluster *c;
	struct span s = between(name, "cluster.", ".upstream_rq_time");

	if (s.s) {
		c = table_find(&r->table, r->poll, s);
		if (c) {
			c->exported = true;
			bins_merge(&c->time, v);
		}
	} else if (is_traffic(between(name, "http.", ".downstream_rq_time"))) {
		bins_merge(&r->poll->totals.time, v);
	}
}

/* ---- the document -------------------------------------------------------- */

static void read_totals(struct pull *p, struct envoy_bins *bins)
{
	struct span key;

	pull_list(p);
	while (pull_item(p)) {
		double lower = 0;
		uint64_t count = 0;

		pull_map(p);
		while (pull_key(p, &key)) {
			if (span_is(key, "lower_bound"))
				pull_real(p, &lower);
			else if (span_is(key, "count"))
				pull_uint(p, &count);
			else
				pull_skip(p);
		}
		if (!p->failed && count)
			bins_add(bins, lower, count);
	}
}

static void read_details(struct pull *p, struct reading *r)
{
	struct envoy_bins bins = {0};
	struct span key;

	pull_list(p);
	while (pull_item(p)) {
		struct span name = {0};

		bins.n = 0;
		pull_map(p);
		while (pull_key(p, &key)) {
			if (span_is(key, "name"))
				pull_text(p, &name);
			else if (span_is(key, "totals"))
				read_totals(p, &bins);
			else
				pull_skip(p);
		}
		if (!p->failed && name.s)
			take_bins(r, name, &bins);
	}
	free(bins.v);
}

static void read_histograms(struct pull *p, struct reading *r)
{
	struct span key;

	pull_map(p);
	while (pull_key(p, &key)) {
		if (span_is(key, "details"))
			read_details(p, r);
		else
			pull_skip(p);
	}
}

static void read_stat(struct pull *p, struct reading *r)
{
	struct span key, name = {0}, text = {0};
	bool number = false;
	uint64_t v = 0;

	pull_map(p);
	while (pull_key(p, &key)) {
		if (span_is(key, "name")) {
			pull_text(p, &name);
		} else if (span_is(key, "value")) {
			if (pull_peek(p) == PULL_STRING)
				pull_text(p, &text);
			else
				number = pull_uint(p, &v);
		} else if (span_is(key, "histograms")) {
			read_histograms(p, r);
		} else {
			pull_skip(p);
		}
	}
	if (p->failed || !name.s)
		return;
	if (number)
		take_number(r, name, v);
	else if (text.s)
		take_text(r, name, text);
}

int envoy_stats(struct envoy_poll *e, char *text, size_t n, struct err *err)
{
	struct reading r = { .poll = e };
	bool found = false;
	struct pull p;
	struct span key;

	table_fill(&r.table, e);
	pull_init(&p, text, n);
	pull_map(&p);
	while (pull_key(&p, &key)) {
		if (!span_is(key, "stats")) {
			pull_skip(&p);
			continue;
		}
		found = true;
		pull_list(&p);
		while (pull_item(&p))
			read_stat(&p, &r);
	}
	free(r.table.slot);
	if (pull_end(&p, err) < 0)
		return -1;
	if (!found)
		return err_set(err, ERR_DATA, "there is no \"stats\": is this "
		    "Envoy's admin address?");
	return 0;
}
