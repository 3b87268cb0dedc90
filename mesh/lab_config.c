/* The shop's configuration as Envoy reads it: a bootstrap for each proxy, and
 * the files that a running one watches. JSON, so that any path stands in it. */
#include "lab_shop.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define T "type.googleapis.com/envoy."
#define HTTP T "extensions.filters.http."

static bool holds(const char *path, const char *text, size_t n)
{
	char *old;
	FILE *f = fopen(path, "re");
	bool same;

	if (!f)
		return false;
	old = xmalloc(n + 1);
	same = fread(old, 1, n + 1, f) == n && !memcmp(old, text, n);
	free(old);
	fclose(f);
	return same;
}

int shop_write(const char *path, const char *text, size_t n, struct err *err)
{
	char *new;
	ssize_t done;
	int fd, rc = 0;

	if (holds(path, text, n))
		return 0;
	new = xasprintf("%s.new", path);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	done = fd < 0 ? -1 : write(fd, text, n);
	if (done >= 0 && (size_t)done < n)
		errno = ENOSPC;
	if (done != (ssize_t)n || rename(new, path) < 0)
		rc = err_set(err, ERR_FAILED, "lab: %s: %s", path,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		unlink(new);
	free(new);
	return rc;
}

/* Takes what is packed. */
static int write_json(const struct shop *s, const char *proxy,
    const char *what, json_t *j, struct err *err)
{
	char *path = xasprintf("%s/%s%s.json", s->dir, proxy, what);
	char *text = j ? json_dumps(j, JSON_INDENT(1)) : NULL;
	int rc;

	if (text)
		rc = shop_write(path, text, strlen(text), err);
	else
		rc = err_set(err, ERR_FAILED, "lab: %s can't stand in JSON: "
		    "XDG_DATA_HOME is not UTF-8", path);
	free(text);
	json_decref(j);
	free(path);
	return rc;
}

/* A file that Envoy watches. New. */
static json_t *watched(const struct shop *s, const char *proxy,
    const char *what)
{
	char *path = xasprintf("%s/%s%s.json", s->dir, proxy, what);
	json_t *j = json_pack("{s:s,s:{s:s}}", "resource_api_version", "V3",
	    "path_config_source", "path", path);

	free(path);
	return j;
}

static json_t *address(int port)
{
	return json_pack("{s:{s:s,s:i}}", "socket_address",
	    "address", "127.0.0.1", "port_value", port);
}

static json_t *delay(int ms)
{
	char late[32];

	snprintf(late, sizeof(late), "0.%03ds", ms);
	return json_pack("{s:s,s:{s:i}}", "fixed_delay", late,
	    "percentage", "numerator", 100);
}

/* The delay of a host, and its end when it is broken: both follow the runtime
 * file. */
static json_t *fault_filter(int ms, int host)
{
	char key[32];

	if (ms == 0)
		return json_pack("{s:s,s:{s:s}}", "name", "fault",
		    "typed_config", "@type", HTTP "fault.v3.HTTPFault");
	snprintf(key, sizeof(key), "lab.abort_%d", host + 1);
	return json_pack("{s:s,s:{s:s,s:o,s:s,s:{s:i,s:{s:i}},s:s}}",
	    "name", "fault", "typed_config",
	    "@type", HTTP "fault.v3.HTTPFault", "delay", delay(ms),
	    "delay_duration_runtime", "lab.delay_ms",
	    "abort", "http_status", 503, "percentage", "numerator", 0,
	    "abort_percent_runtime", key);
}

/* Takes filters (before the router) and the routes' config. */
static json_t *manager(const char *prefix, json_t *filters, const char *key,
    json_t *routes)
{
	json_array_append_new(filters, json_pack("{s:s,s:{s:s}}",
	    "name", "router", "typed_config",
	    "@type", HTTP "router.v3.Router"));
	return json_pack("{s:s,s:{s:s,s:s,s:o,s:o}}", "name", "http",
	    "typed_config", "@type", T "extensions.filters.network."
	    "http_connection_manager.v3.HttpConnectionManager",
	    "stat_prefix", prefix, key, routes, "http_filters", filters);
}

/* Without SO_REUSEPORT a second Envoy can't share the port unseen. */
static json_t *listener(const char *name, int port, json_t *chain)
{
	return json_pack("{s:s,s:o,s:b,s:[o]}", "name", name,
	    "address", address(port), "enable_reuse_port", 0,
	    "filter_chains", chain);
}

/* late: ms of this route alone, 0 for the filter's. */
static json_t *answer(const char *name, int late)
{
	char *body = xasprintf("%s\n", name);
	json_t *j = json_pack("{s:{s:s},s:{s:i,s:{s:s}}}",
	    "match", "prefix", "/", "direct_response", "status", 200,
	    "body", "inline_string", body);

	if (late)
		json_object_set_new(j, "typed_per_filter_config",
		    json_pack("{s:{s:s,s:o}}", "fault",
		    "@type", HTTP "fault.v3.HTTPFault", "delay", delay(late)));
	free(body);
	return j;
}

/* A host that fails is left out at the second try: a broken one costs nobody
 * a request. */
static json_t *forward(const char *prefix, const char *cluster)
{
	return json_pack("{s:{s:s},s:{s:s,s:{s:s,s:i,s:[{s:s,s:{s:s}}],s:i}}}",
	    "match", "prefix", prefix, "route", "cluster", cluster,
	    "retry_policy", "retry_on", "5xx", "num_retries", 2,
	    "retry_host_predicate", "name", "previous_hosts", "typed_config",
	    "@type", T "extensions.retry.host.previous_hosts.v3."
	    "PreviousHostsPredicate",
	    "host_selection_retry_max_attempts", 3);
}

static json_t *split(const char *prefix, const char *a, const char *b, int wa)
{
	return json_pack("{s:{s:s},s:{s:{s:[{s:s,s:i},{s:s,s:i}]}}}",
	    "match", "prefix", prefix, "route", "weighted_clusters",
	    "clusters", "name", a, "weight", wa, "name", b, "weight", 100 - wa);
}

/* Takes the list of routes. */
static json_t *route_config(const char *name, json_t *routes)
{
	return json_pack("{s:s,s:[{s:s,s:[s],s:o}]}", "name", name,
	    "virtual_hosts", "name", "shop", "domains", "*",
	    "routes", routes);
}

static json_t *own_routes(int proxy, const char *name)
{
	json_t *routes = json_array();

	if (proxy == BACK) {
		json_array_append_new(routes, forward("/orders", "orders"));
		return route_config(name, routes);
	}
	if (proxy == ORDERS) {
		json_array_append_new(routes,
		    forward("/orders/payments", "payments"));
		json_array_append_new(routes,
		    forward("/orders/stock", "stock"));
	}
	json_array_append_new(routes, answer(shop_proxies[proxy].name,
	    proxy == ORDERS ? ORDERS_MS : 0));
	return route_config(name, routes);
}

static json_t *front_manager(const struct shop *s)
{
	json_t *rds = json_pack("{s:s,s:o}", "route_config_name", "front",
	    "config_source", watched(s, "front", ".routes"));

	return manager("in", json_array(), "rds", rds);
}

static json_t *own_listeners(const struct shop *s, int proxy)
{
	const struct shop_proxy *p = &shop_proxies[proxy];
	json_t *list = json_array(), *http;
	char name[32];
	int k;

	for (k = 0; k < p->hosts; k++) {
		snprintf(name, sizeof(name), "%s-%d", p->name, k + 1);
		if (proxy == FRONT)
			http = front_manager(s);
		else
			http = manager("in", json_pack("[o]", fault_filter(
			    p->delay ? p->delay + 5 * k : 0, k)),
			    "route_config", own_routes(proxy, name));
		json_array_append_new(list, listener(name, s->port[proxy][k],
		    json_pack("{s:[o]}", "filters", http)));
	}
	return list;
}

static json_t *cluster(const char *name, const int *ports, int n)
{
	json_t *hosts = json_array();
	int i;

	for (i = 0; i < n; i++)
		json_array_append_new(hosts, json_pack("{s:{s:o}}",
		    "endpoint", "address", address(ports[i])));
	/* With no traffic Envoy would check once a minute; below half of its
	 * hosts it would send to broken ones too; and a slow one is not dead,
	 * a dead one doesn't let it wait. */
	return json_pack("{s:s,s:s,s:s,s:s,s:{s:{s:i}},"
	    "s:[{s:s,s:s,s:s,s:i,s:i,s:{s:s}}],"
	    "s:{s:s,s:[{s:o}]}}",
	    "name", name, "type", "STATIC", "lb_policy", "ROUND_ROBIN",
	    "connect_timeout", "1s",
	    "common_lb_config", "healthy_panic_threshold", "value", 0,
	    "health_checks", "timeout", "5s", "interval", "1s",
	    "no_traffic_interval", "1s", "unhealthy_threshold", 2,
	    "healthy_threshold", 1, "http_health_check", "path", "/healthz",
	    "load_assignment", "cluster_name", name,
	    "endpoints", "lb_endpoints", hosts);
}

static json_t *own_clusters(const struct shop *s, int proxy)
{
	json_t *list = json_array();
	const int *orders = s->port[ORDERS];

	/* The last host of orders is its next version. */
	if (proxy == FRONT || proxy == BACK)
		json_array_append_new(list, cluster("orders", orders, 2));
	if (proxy == FRONT)
		json_array_append_new(list,
		    cluster("orders-next", orders + 2, 1));
	if (proxy == ORDERS) {
		json_array_append_new(list, cluster("payments",
		    s->port[PAYMENTS], shop_proxies[PAYMENTS].hosts));
		json_array_append_new(list, cluster("stock",
		    s->port[STOCK], shop_proxies[STOCK].hosts));
	}
	return list;
}

int shop_bootstrap(const struct shop *s, int proxy, struct err *err)
{
	const char *name = shop_proxies[proxy].name;
	char *sock = shop_socket(s, proxy);
	json_t *j = json_pack("{s:{s:{s:{s:s,s:i}}},s:{s:s,s:s},s:s,"
	    "s:{s:[{s:s,s:{s:s,s:o}}]},s:{s:o,s:o}}",
	    "admin", "address", "pipe", "path", sock, "mode", 0600,
	    "node", "id", name, "cluster", name,
	    "stats_flush_interval", "1s",
	    "layered_runtime", "layers", "name", "lab", "rtds_layer",
	    "name", "lab", "rtds_config", watched(s, name, ".runtime"),
	    "static_resources", "listeners", own_listeners(s, proxy),
	    "clusters", own_clusters(s, proxy));

	if (proxy == FRONT)
		json_object_set_new(j, "dynamic_resources", json_pack("{s:o}",
		    "lds_config", watched(s, name, ".listeners")));
	free(sock);
	return write_json(s, name, "", j, err);
}

static json_t *discovery(const char *version, const char *type, json_t *one)
{
	json_object_set_new(one, "@type", json_string(type));
	return json_pack("{s:s,s:[o]}", "version_info", version,
	    "resources", one);
}

static int apply_runtime(const struct shop *s, int proxy, struct err *err)
{
	json_t *keys = json_object();
	char key[32];

	if (proxy == STOCK && shop_is_broken(s, FAULT_HOST)) {
		snprintf(key, sizeof(key), "lab.abort_%d", BROKEN_HOST + 1);
		json_object_set_new(keys, key, json_integer(100));
	}
	if (proxy == shop_slows[s->slow].proxy &&
	    shop_is_broken(s, FAULT_SLOW))
		json_object_set_new(keys, "lab.delay_ms",
		    json_integer(shop_slows[s->slow].ms));
	return write_json(s, shop_proxies[proxy].name, ".runtime",
	    discovery(json_object_size(keys) ? "broken" : "good",
	    T "service.runtime.v3.Runtime",
	    json_pack("{s:s,s:o}", "name", "lab", "layer", keys)), err);
}

static int apply_routes(const struct shop *s, struct err *err)
{
	int weight = shop_is_broken(s, FAULT_ROUTE) ? 100 - WEIGHT : WEIGHT;
	char version[32];

	snprintf(version, sizeof(version), "%d-%d", weight, 100 - weight);
	return write_json(s, "front", ".routes", discovery(version,
	    T "config.route.v3.RouteConfiguration", route_config("front",
	    json_pack("[o]", split("/orders", "orders", "orders-next",
	    weight)))), err);
}

/* Files that a listener names are read when it changes: its filter chain bears
 * the certificate's serial number. */
static int apply_listeners(const struct shop *s, struct err *err)
{
	char *cert = shop_certificate(s), *key, serial[41];
	json_t *chain;

	if (shop_renew(cert, shop_is_broken(s, FAULT_CERT) ?
	    CERT_BROKEN_DAYS : CERT_DAYS, serial, err) < 0) {
		free(cert);
		return -1;
	}
	key = xasprintf("%s/front-key.pem", s->place);
	chain = json_pack("{s:s,s:{s:s,s:{s:s,s:{s:[{s:{s:s},s:{s:s}}]}}},"
	    "s:[o]}", "name", serial,
	    "transport_socket", "name", "tls", "typed_config", "@type",
	    T "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
	    "common_tls_context", "tls_certificates",
	    "certificate_chain", "filename", cert,
	    "private_key", "filename", key,
	    "filters", front_manager(s));
	free(key);
	free(cert);
	return write_json(s, "front", ".listeners", discovery(serial,
	    T "config.listener.v3.Listener",
	    listener("front-tls", s->tls_port, chain)), err);
}

int shop_apply(const struct shop *s, struct err *err)
{
	int i;

	for (i = 0; i < PROXIES; i++)
		if (apply_runtime(s, i, err) < 0)
			return -1;
	return apply_routes(s, err) < 0 ? -1 : apply_listeners(s, err);
}
