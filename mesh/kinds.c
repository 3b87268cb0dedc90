/* The mesh's kinds: what is kept of Envoy's proxies.
 *
 * `suspect` ranks causes over what follows from them: a proxy that died, a
 * weight, a certificate or a host's health break things, and of these the
 * newest comes first; a text that explains it and a version that moved with it
 * come after the cause.
 *
 * Requests at listeners are measured a proxy, not a listener: Envoy counts
 * them a stat_prefix, over all listeners that share one, and its histogram
 * downstream_rq_time exists only so. */
#include "mesh.h"

#define EVERY 5000

const struct kind proxy_kind = {
	.name = "mesh_proxy",
	.help = "an Envoy and how it is",
	.object = "proxy",
	.every = EVERY,
	.fields = (const struct field[]){
		{ .name = "proxy", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "its name in the config, else its admin address" },
		{ .name = "state", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "Envoy's word (LIVE, DRAINING, INITIALIZING, "
		  "PRE_INITIALIZING); unreachable: named and silent; gone: no "
		  "longer named", .suspect = 90 },
		{ .name = "error", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "why it is unreachable", .suspect = 15 },
		{ .name = "node", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "node.id of its bootstrap", .suspect = 10 },
		{ .name = "cluster", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "node.cluster: the service it stands for",
		  .suspect = 10 },
		{ .name = "version", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "of Envoy", .suspect = 40 },
		{ .name = "address", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "of its admin API", .suspect = 10 },
		{ .name = "cds", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "version of clusters it accepted; null: none are "
		  "dynamic", .suspect = 25 },
		{ .name = "lds", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "version of listeners it accepted; null: none are "
		  "dynamic", .suspect = 25 },
		{ .name = "gone", .role = ROLE_NOTE, .type = TYPE_TIME,
		  .help = "since when the config no longer names it" },
		{ .name = "uptime", .role = ROLE_METRIC, .type = TYPE_DURATION,
		  .help = "seconds, when last asked" },
		{ .name = "rejected", .role = ROLE_METRIC, .type = TYPE_NUMBER,
		  .flags = FIELD_COUNTER,
		  .help = "config updates it refused, of any type" },
		{ .name = "rq", .role = ROLE_METRIC, .type = TYPE_NUMBER,
		  .flags = FIELD_COUNTER,
		  .help = "requests completed at its listeners" },
		{ .name = "rq_5xx", .role = ROLE_METRIC, .type = TYPE_NUMBER,
		  .flags = FIELD_COUNTER, .help = "of those, answered 5xx" },
		{ .name = "rq_time", .role = ROLE_METRIC, .type = TYPE_LATENCY,
		  .flags = FIELD_COUNTER | FIELD_BINS, .unit = "ms",
		  .help = "histogram of those requests" },
		{0},
	},
};

const struct kind listener_kind = {
	.name = "mesh_listener",
	.help = "a listener of a proxy",
	.object = "proxy",
	.every = EVERY,
	.fields = (const struct field[]){
		{ .name = "proxy", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "the proxy" },
		{ .name = "listener", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "its name; Envoy gives one without a new one at each "
		  "start" },
		{ .name = "state", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "active, warming, draining, or rejected: the last "
		  "update to it was refused", .suspect = 80 },
		{ .name = "error", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "why it was rejected", .suspect = 20 },
		{ .name = "address", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "where it listens", .suspect = 80 },
		{ .name = "version", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "of the update that last replaced it; null: static",
		  .suspect = 20 },
		{0},
	},
};

const struct kind route_kind = {
	.name = "mesh_route",
	.help = "a route's way to one target",
	.object = "target",
	.every = EVERY,
	.fields = (const struct field[]){
		{ .name = "proxy", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "the proxy" },
		{ .name = "route_config", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "name of the route config" },
		{ .name = "virtual_host", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "name of the virtual host" },
		{ .name = "match", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "what it matches: prefix, path or regex, then headers "
		  "(= equal, * the rest, ~ regex)" },
		{ .name = "target", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "cluster it sends to; in brackets: what it does else" },
		{ .name = "n", .role = ROLE_KEY, .type = TYPE_NUMBER,
		  .help = "tells equal ones apart, from 1, in their order" },
		{ .name = "domains", .role = ROLE_FACT, .type = TYPE_LIST,
		  .help = "of the virtual host", .suspect = 70 },
		{ .name = "weight", .role = ROLE_FACT, .type = TYPE_NUMBER,
		  .help = "share of the route's requests, as configured; 100 "
		  "where there is one target", .suspect = 90 },
		{ .name = "timeout", .role = ROLE_FACT, .type = TYPE_DURATION,
		  .help = "seconds for the whole answer; 0: no limit",
		  .suspect = 80 },
		{ .name = "retries", .role = ROLE_FACT, .type = TYPE_NUMBER,
		  .help = "how often it tries again", .suspect = 70 },
		{0},
	},
};

#define COUNTER(field, text) { .name = field, .role = ROLE_METRIC, \
	.type = TYPE_NUMBER, .flags = FIELD_COUNTER, .help = text }
#define GAUGE(field, text) { .name = field, .role = ROLE_METRIC, \
	.type = TYPE_NUMBER, .help = text }

const struct kind cluster_kind = {
	.name = "mesh_cluster",
	.help = "an upstream cluster as one proxy sees it",
	.object = "cluster",
	.every = EVERY,
	.fields = (const struct field[]){
		{ .name = "proxy", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "the proxy" },
		{ .name = "cluster", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "name of the cluster" },
		{ .name = "type", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "how hosts are found: STATIC, STRICT_DNS, "
		  "LOGICAL_DNS, EDS, ORIGINAL_DST or an extension's name",
		  .suspect = 60 },
		{ .name = "lb", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "how a host is chosen", .suspect = 50 },
		{ .name = "version", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "of the update that last changed it; null: static",
		  .suspect = 30 },
		GAUGE("hosts", "hosts, each address once"),
		GAUGE("healthy", "of those, healthy"),
		GAUGE("ejected", "of those, ejected by outlier detection"),
		COUNTER("rq", "requests completed, also those that Envoy "
		    "answered itself"),
		COUNTER("rq_4xx", "of those, answered 4xx"),
		COUNTER("rq_5xx", "of those, answered 5xx"),
		COUNTER("tries", "attempts sent to hosts; retries count"),
		COUNTER("retries", "attempts that were retries"),
		COUNTER("timeouts", "requests and attempts that timed out"),
		COUNTER("overflow", "requests and retries that a circuit "
		    "breaker refused"),
		COUNTER("ejections", "hosts ejected so far"),
		COUNTER("cx_fail", "connections that failed"),
		GAUGE("rq_active", "requests under way"),
		GAUGE("cx_active", "connections"),
		GAUGE("open", "1: a circuit breaker other than that of "
		    "connections is open"),
		{ .name = "rq_time", .role = ROLE_METRIC, .type = TYPE_LATENCY,
		  .flags = FIELD_COUNTER | FIELD_BINS, .unit = "ms",
		  .help = "histogram of requests that an upstream answered" },
		{0},
	},
};

const struct kind endpoint_kind = {
	.name = "mesh_endpoint",
	.help = "a host of a cluster as one proxy sees it",
	.object = "cluster",
	.every = EVERY,
	.fields = (const struct field[]){
		{ .name = "proxy", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "the proxy" },
		{ .name = "cluster", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "the cluster" },
		{ .name = "address", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "IP and port, unix: and a path, or envoy:// and a "
		  "listener" },
		{ .name = "health", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "healthy, degraded, unhealthy, draining",
		  .suspect = 90 },
		{ .name = "reasons", .role = ROLE_FACT, .type = TYPE_LIST,
		  .help = "Envoy's flags behind it", .suspect = 15 },
		{ .name = "weight", .role = ROLE_FACT, .type = TYPE_NUMBER,
		  .help = "weight in load balancing", .suspect = 60 },
		{ .name = "priority", .role = ROLE_FACT, .type = TYPE_NUMBER,
		  .help = "0 is used first", .suspect = 50 },
		{ .name = "hostname", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "name it was resolved from", .suspect = 10 },
		{ .name = "locality", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "region/zone/sub zone", .suspect = 30 },
		COUNTER("rq_success", "requests it answered, other than 5xx"),
		COUNTER("rq_error", "requests that failed, also before they "
		    "reached it"),
		GAUGE("rq_active", "requests under way"),
		COUNTER("cx_fail", "connections that failed"),
		{0},
	},
};

const struct kind cert_kind = {
	.name = "mesh_cert",
	.help = "a certificate that a proxy has loaded",
	.object = "proxy",
	.every = EVERY,
	.fields = (const struct field[]){
		{ .name = "proxy", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "the proxy" },
		{ .name = "path", .role = ROLE_KEY, .type = TYPE_TEXT,
		  .help = "its file; <inline>: by SDS or in the config" },
		{ .name = "sans", .role = ROLE_KEY, .type = TYPE_LIST,
		  .help = "names it is for" },
		{ .name = "n", .role = ROLE_KEY, .type = TYPE_NUMBER,
		  .help = "tells equal ones apart, from 1, by serial" },
		{ .name = "serial", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "serial number", .suspect = 20 },
		{ .name = "usage", .role = ROLE_FACT, .type = TYPE_TEXT,
		  .help = "ca: it is trusted; chain: it is shown to others",
		  .suspect = 10 },
		{ .name = "starts", .role = ROLE_FACT, .type = TYPE_TIME,
		  .help = "valid from", .suspect = 20 },
		{ .name = "expires", .role = ROLE_FACT, .type = TYPE_TIME,
		  .help = "valid until", .suspect = 90 },
		{0},
	},
};
