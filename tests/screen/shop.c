/* shop CONTEXT: twenty minutes of a small fleet in the cache of the folders
 * that XDG_* name, up to now (KIBAN_NOW): the polls that a source would have
 * merged, the findings that its rules then had. Five minutes ago payments lost
 * its hosts, so that checkout failed; orders got a new weight after that. For
 * frames that can be compared, which no living fleet gives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "find.h"

extern const struct module mesh_module;

#define STEP	5000		/* ms between polls */
#define POLLS	240
#define BROKE	60		/* polls before the end */

static const struct {
	const char	*name;
	int		 hosts;
	double		 rps, ms;
} services[] = {
	{"checkout", 3, 41.2, 60},
	{"front", 4, 118.0, 12},
	{"legacy-batch", 1, 0.4, 4},
	{"orders", 2, 36.4, 25},
	{"payments", 2, 38.2, 30},
};
#define SERVICES (sizeof(services) / sizeof(*services))

static struct cache *cache;
static const char *context;

static void must(int rc, const struct err *err)
{
	if (rc) {
		fprintf(stderr, "shop: %s\n", err->text);
		exit(1);
	}
}

static struct merge *begin(const struct session *s, const char *kind,
    const char *scope, int64_t t)
{
	return merge_begin(cache, registry_kind(&s->registry, kind), context,
	    scope, t, 0);
}

static void end(struct merge *m)
{
	struct err err = {0};

	must(merge_end(m, &err), &err);
}

static void row(struct merge *m)
{
	struct err err = {0};

	must(merge_row(m, &err), &err);
}

static void put_proxy(const struct session *s, const char *proxy, int poll,
    int64_t t)
{
	struct merge *m = begin(s, "mesh_proxy", proxy, t);

	merge_text(m, "proxy", proxy, -1);
	merge_text(m, "state", "LIVE", -1);
	merge_text(m, "node", "front-1", -1);
	merge_text(m, "cluster", "front", -1);
	merge_text(m, "version", "1.40.0", -1);
	merge_text(m, "address", proxy, -1);
	merge_int(m, "uptime", 86400 + poll * STEP / 1000);
	row(m);
	end(m);
}

static void put_route(const struct session *s, const char *proxy, int poll,
    int64_t t)
{
	static const char *const targets[] = {"orders", "orders-v2"};
	bool moved = poll >= POLLS - BROKE + 40;
	struct merge *m = begin(s, "mesh_route", proxy, t);

	for (int i = 0; i < 2; i++) {
		merge_text(m, "proxy", proxy, -1);
		merge_text(m, "route_config", "shop", -1);
		merge_text(m, "virtual_host", "shop", -1);
		merge_text(m, "match", "prefix /orders", -1);
		merge_text(m, "target", targets[i], -1);
		merge_int(m, "n", 1);
		merge_text(m, "domains", "[\"*\"]", -1);
		merge_int(m, "weight", moved == (i == 1) ? 90 : 10);
		merge_int(m, "timeout", 15);
		merge_int(m, "retries", 2);
		row(m);
	}
	end(m);
}

static void put_clusters(const struct session *s, const char *proxy, int poll,
    int64_t t)
{
	struct merge *m = begin(s, "mesh_cluster", proxy, t);
	int broken = poll - (POLLS - BROKE);

	for (size_t i = 0; i < SERVICES; i++) {
		double rq = services[i].rps * poll * STEP / 1000, bad = 0;
		int hosts = services[i].hosts;
		struct bin bins[2] = {{services[i].ms, 0},
		    {services[i].ms * 2, 0}};

		if (broken > 0 && !strcmp(services[i].name, "payments")) {
			bad = services[i].rps * broken * STEP / 1000;
			hosts = 0;
		} else if (broken > 0 && !strcmp(services[i].name, "checkout"))
			bad = services[i].rps * 0.38 * broken * STEP / 1000;
		bins[0].count = (uint64_t)((rq - bad) * 0.95);
		bins[1].count = (uint64_t)((rq - bad) * 0.05);
		merge_text(m, "proxy", proxy, -1);
		merge_text(m, "cluster", services[i].name, -1);
		merge_text(m, "type", "EDS", -1);
		merge_text(m, "lb", "ROUND_ROBIN", -1);
		merge_int(m, "hosts", services[i].hosts);
		merge_int(m, "healthy", hosts);
		merge_int(m, "ejected", 0);
		merge_int(m, "rq", (int64_t)rq);
		merge_int(m, "rq_5xx", (int64_t)bad);
		merge_int(m, "open", 0);
		merge_bins(m, "rq_time", bins, 2);
		row(m);
	}
	end(m);
}

static void put_endpoints(const struct session *s, const char *proxy,
    int poll, int64_t t)
{
	struct merge *m = begin(s, "mesh_endpoint", proxy, t);
	char address[40];

	for (size_t i = 0; i < SERVICES; i++)
		for (int h = 0; h < services[i].hosts; h++) {
			bool bad = poll > POLLS - BROKE &&
			    !strcmp(services[i].name, "payments");
			double rq = services[i].rps * poll * STEP / 1000 /
			    services[i].hosts;

			snprintf(address, sizeof(address), "10.0.%zu.%d:8080",
			    i + 1, 11 + h);
			merge_text(m, "proxy", proxy, -1);
			merge_text(m, "cluster", services[i].name, -1);
			merge_text(m, "address", address, -1);
			merge_text(m, "health", bad ? "unhealthy" : "healthy",
			    -1);
			merge_text(m, "reasons", bad ?
			    "[\"failed_active_health_check\"]" : "[]", -1);
			merge_int(m, "weight", 1);
			merge_int(m, "rq_success", (int64_t)rq);
			merge_int(m, "rq_error", 0);
			row(m);
		}
	end(m);
}

static void name_source(const char *proxy, int64_t t)
{
	struct err err = {0};
	struct claim k;
	int64_t next;

	must(source_name(cache, context, "envoy", proxy, "mesh",
	    "[\"mesh_proxy\",\"mesh_cluster\",\"mesh_endpoint\"]", STEP, &err),
	    &err);
	if (source_claim(cache, context, "envoy", proxy, true, t, &k, &next,
	    &err) == 1)
		source_done(cache, &k, 12, 18, NULL, &err);
}

int main(int argc, char **argv)
{
	static const struct module *const modules[] = {&core_module,
	    &mesh_module, NULL};
	static const char proxy[] = "http://10.0.1.7:9901";
	struct session s = {.registry.modules = modules};
	struct context c = {.write = false};
	struct err err = {0};
	int64_t now;

	context = c.name = argc > 1 ? argv[1] : "prod";
	must(clock_init(&err), &err);
	must(config_load(&s.config, NULL, &err), &err);
	cache = session_cache(&s, &err);
	must(!cache, &err);
	now = clock_now();
	for (int poll = 0; poll <= POLLS; poll++) {
		int64_t t = now - (int64_t)(POLLS - poll) * STEP;

		put_proxy(&s, proxy, poll, t);
		put_clusters(&s, proxy, poll, t);
		put_endpoints(&s, proxy, poll, t);
		put_route(&s, proxy, poll, t);
		if (poll == 0)
			must(find_evaluate(&s, cache, &c, t, NULL, NULL,
			    &err), &err);
	}
	name_source(proxy, now);
	must(find_evaluate(&s, cache, &c, now, NULL, NULL, &err), &err);
	cache_close(cache);
	config_release(&s.config);
	return 0;
}
