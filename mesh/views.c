/* The mesh's lists. Rates and shares are over the last minute; what Envoy has
 * not said is null. */
#include "mesh.h"

#define DOWN "('unreachable', 'gone')"

/* ---- proxies ------------------------------------------------------------ */

const struct view proxies_view = {
	.name = "proxies",
	.help = "Envoys: who they are and how they are",
	.kind = "mesh_proxy",
	.sql = "SELECT context, proxy, node, cluster, version, state,"
	    " CASE WHEN state NOT IN " DOWN " THEN"
	    " uptime + max(at() - seen, 0) / 1000 END AS uptime, error,"
	    " rate(series, 'rq', 60) AS rps, cds, lds,"
	    " delta(series, 'rejected', 3600) AS rejected, address, seen"
	    " FROM mesh_proxy",
	.columns = (const struct column[]){
		{ .name = "proxy", .flags = COLUMN_PATH | COLUMN_LINK,
		  .help = "its name in the config, else its admin address" },
		{ .name = "node", .rank = 4, .help = "node.id; may repeat" },
		{ .name = "cluster", .rank = 2,
		  .help = "node.cluster: the service it stands for" },
		{ .name = "version", .rank = 6, .help = "of Envoy" },
		{ .name = "state",
		  .help = "Envoy's word; unreachable, gone are kiban's" },
		{ .name = "uptime", .type = TYPE_DURATION, .rank = 5,
		  .help = "since it started; null when it doesn't answer" },
		{ .name = "error", .rank = 3, .help = "why it doesn't answer" },
		{ .name = "rps", .type = TYPE_NUMBER, .decimals = 1,
		  .flags = COLUMN_WIDE, .unit = "1/s",
		  .help = "requests a second at its listeners" },
		{ .name = "cds", .flags = COLUMN_WIDE,
		  .help = "version of clusters it accepted" },
		{ .name = "lds", .flags = COLUMN_WIDE,
		  .help = "version of listeners it accepted" },
		{ .name = "rejected", .type = TYPE_NUMBER,
		  .flags = COLUMN_WIDE,
		  .help = "config updates it refused in the last hour" },
		{ .name = "address", .flags = COLUMN_WIDE | COLUMN_PATH,
		  .help = "of its admin API" },
		{0},
	},
	.keys = (const struct bind[]){
		{ "<Enter>", "mesh clusters --where \"proxy = {proxy}\"",
		  "clusters" },
		{ "l", "mesh listeners --where \"proxy = {proxy}\"",
		  "listeners" },
		{ "o", "mesh routes --where \"proxy = {proxy}\"", "routes" },
		{ "e", "mesh endpoints --where \"proxy = {proxy}\"",
		  "endpoints" },
		{ "p", "mesh certs --where \"proxy = {proxy}\"",
		  "certificates" },
		{ "L", "mesh log-level {proxy} ", "log level" },
		{0},
	},
	.empty = "No proxies yet. Name one under mesh.envoys of this context "
	    "in the config, or try: kiban lab up",
};

/* ---- listeners, routes --------------------------------------------------- */

const struct view listeners_view = {
	.name = "listeners",
	.help = "where proxies listen",
	.kind = "mesh_listener",
	.sql = "SELECT context, proxy, listener, address, state, error, version,"
	    " seen FROM mesh_listener",
	.columns = (const struct column[]){
		{ .name = "proxy", .flags = COLUMN_PATH, .rank = 1,
		  .help = "the proxy" },
		{ .name = "listener", .flags = COLUMN_LINK,
		  .help = "name of the listener" },
		{ .name = "address", .rank = 2, .flags = COLUMN_PATH,
		  .help = "where it listens" },
		{ .name = "state",
		  .help = "active, warming, draining, rejected" },
		{ .name = "error", .rank = 3, .help = "why it was rejected" },
		{ .name = "version", .flags = COLUMN_WIDE,
		  .help = "of the update that last replaced it; null: static" },
		{0},
	},
	.keys = (const struct bind[]){
		{ "<Enter>", "mesh routes --where \"proxy = {proxy}\"",
		  "routes" },
		{ "p", "mesh proxies show {proxy}", "proxy" },
		{0},
	},
	.empty = "No listeners: no proxy has answered yet, or none has one. "
	    "See kiban sources",
};

const struct view routes_view = {
	.name = "routes",
	.help = "where requests go: one row a weighted target",
	.kind = "mesh_route",
	.sql = "SELECT context, proxy, route_config, virtual_host, domains,"
	    " match, target, weight, timeout, retries, n, seen"
	    " FROM mesh_route",
	.columns = (const struct column[]){
		{ .name = "proxy", .flags = COLUMN_PATH, .rank = 2,
		  .help = "the proxy" },
		{ .name = "route_config", .rank = 6,
		  .help = "name of the route config" },
		{ .name = "virtual_host", .rank = 5,
		  .help = "name of the virtual host" },
		{ .name = "domains", .type = TYPE_LIST, .rank = 4,
		  .help = "hosts it is for" },
		{ .name = "match",
		  .help = "prefix, path or regex, and headers" },
		{ .name = "target", .flags = COLUMN_LINK,
		  .help = "cluster it sends to; in brackets: what it does else" },
		{ .name = "weight", .type = TYPE_NUMBER,
		  .help = "as configured; 100 where there is one target" },
		{ .name = "timeout", .type = TYPE_DURATION, .rank = 1,
		  .help = "for the whole answer; 0: no limit" },
		{ .name = "retries", .type = TYPE_NUMBER, .rank = 3,
		  .help = "how often it tries again" },
		{ .name = "n", .type = TYPE_NUMBER, .flags = COLUMN_WIDE,
		  .help = "tells equal ones apart" },
		{0},
	},
	.keys = (const struct bind[]){
		{ "<Enter>", "mesh clusters --where "
		  "\"proxy = {proxy} and cluster = {target}\"", "cluster" },
		{ "p", "mesh proxies show {proxy}", "proxy" },
		{0},
	},
	.empty = "No routes: no proxy has answered yet, or none speaks HTTP. "
	    "See kiban sources",
};

/* ---- clusters, endpoints ------------------------------------------------- */

const struct view clusters_view = {
	.name = "clusters",
	.help = "upstream clusters, as each proxy sees them",
	.kind = "mesh_cluster",
	.sql = "SELECT context, proxy, cluster, type, lb, hosts, healthy,"
	    " ejected, rate(series, 'rq', 60) AS rps,"
	    " CASE WHEN delta(series, 'rq', 60) > 0 THEN max(0, 100.0 * (1 -"
	    " coalesce(delta(series, 'rq_5xx', 60), 0) * 1.0 /"
	    " delta(series, 'rq', 60))) END AS success,"
	    " CASE WHEN open > 0 OR delta(series, 'overflow', 60) > 0"
	    " THEN 'open' END AS breaker,"
	    " rq_active, cx_active, delta(series, 'retries', 60) AS retries,"
	    " delta(series, 'timeouts', 60) AS timeouts,"
	    " delta(series, 'cx_fail', 60) AS cx_fail, version, seen"
	    " FROM mesh_cluster",
	.columns = (const struct column[]){
		{ .name = "proxy", .flags = COLUMN_PATH, .rank = 1,
		  .help = "the proxy" },
		{ .name = "cluster", .flags = COLUMN_LINK,
		  .help = "name of the cluster" },
		{ .name = "type", .rank = 6, .help = "how hosts are found" },
		{ .name = "lb", .rank = 7, .help = "how a host is chosen" },
		{ .name = "hosts", .type = TYPE_NUMBER, .rank = 3,
		  .help = "hosts, each address once" },
		{ .name = "healthy", .type = TYPE_NUMBER, .rank = 2,
		  .help = "of those, healthy" },
		{ .name = "ejected", .type = TYPE_NUMBER, .rank = 4,
		  .help = "of those, ejected by outlier detection" },
		{ .name = "rps", .type = TYPE_NUMBER, .decimals = 1,
		  .unit = "1/s",
		  .help = "requests completed a second, over the last minute" },
		{ .name = "success", .title = "success %", .type = TYPE_SHARE,
		  .decimals = 1, .unit = "%",
		  .help = "of those, not answered 5xx; null without requests" },
		{ .name = "breaker", .rank = 5,
		  .help = "open: a circuit breaker refused in the last minute, "
		  "or is open" },
		{ .name = "rq_active", .type = TYPE_NUMBER,
		  .flags = COLUMN_WIDE, .help = "requests under way" },
		{ .name = "cx_active", .type = TYPE_NUMBER,
		  .flags = COLUMN_WIDE, .help = "connections" },
		{ .name = "retries", .type = TYPE_NUMBER, .flags = COLUMN_WIDE,
		  .help = "retries in the last minute" },
		{ .name = "timeouts", .type = TYPE_NUMBER,
		  .flags = COLUMN_WIDE,
		  .help = "requests and attempts that timed out in it" },
		{ .name = "cx_fail", .type = TYPE_NUMBER, .flags = COLUMN_WIDE,
		  .help = "connections that failed in it" },
		{ .name = "version", .flags = COLUMN_WIDE,
		  .help = "of the update that last changed it; null: static" },
		{0},
	},
	.keys = (const struct bind[]){
		{ "<Enter>", "mesh endpoints --where "
		  "\"proxy = {proxy} and cluster = {cluster}\"", "endpoints" },
		{ "o", "mesh routes --where "
		  "\"proxy = {proxy} and target = {cluster}\"", "routes" },
		{ "p", "mesh proxies show {proxy}", "proxy" },
		{0},
	},
	.empty = "No clusters: none is meant, or no proxy has answered yet. See "
	    "kiban sources",
};

const struct view endpoints_view = {
	.name = "endpoints",
	.help = "hosts of clusters, as each proxy sees them",
	.kind = "mesh_endpoint",
	.sql = "SELECT context, proxy, cluster, address, health, reasons, weight,"
	    " reasons LIKE '%failed_outlier_check%' AS ejected,"
	    " rate(series, 'rq_success', 60) + rate(series, 'rq_error', 60)"
	    " AS rps,"
	    " 100.0 * delta(series, 'rq_success', 60) / nullif("
	    "delta(series, 'rq_success', 60) + delta(series, 'rq_error', 60),"
	    " 0) AS success,"
	    " rq_active, delta(series, 'cx_fail', 60) AS cx_fail, hostname,"
	    " locality, priority, seen FROM mesh_endpoint",
	.columns = (const struct column[]){
		{ .name = "proxy", .flags = COLUMN_PATH, .rank = 2,
		  .help = "the proxy" },
		{ .name = "cluster", .rank = 1, .help = "the cluster" },
		{ .name = "address", .flags = COLUMN_PATH | COLUMN_LINK,
		  .help = "where it is" },
		{ .name = "health",
		  .help = "healthy, degraded, unhealthy, draining" },
		{ .name = "reasons", .type = TYPE_LIST, .rank = 3,
		  .help = "Envoy's flags behind it" },
		{ .name = "weight", .type = TYPE_NUMBER, .rank = 6,
		  .help = "weight in load balancing" },
		{ .name = "ejected", .type = TYPE_BOOL, .rank = 5,
		  .help = "by outlier detection" },
		{ .name = "rps", .type = TYPE_NUMBER, .decimals = 1,
		  .rank = 4, .unit = "1/s",
		  .help = "requests a second, over the last minute" },
		{ .name = "success", .title = "success %", .type = TYPE_SHARE,
		  .decimals = 1, .rank = 4, .unit = "%",
		  .help = "of those, succeeded; null without requests" },
		{ .name = "rq_active", .type = TYPE_NUMBER,
		  .flags = COLUMN_WIDE, .help = "requests under way" },
		{ .name = "cx_fail", .type = TYPE_NUMBER, .flags = COLUMN_WIDE,
		  .help = "connections that failed in the last minute" },
		{ .name = "hostname", .flags = COLUMN_WIDE,
		  .help = "name it was resolved from" },
		{ .name = "locality", .flags = COLUMN_WIDE,
		  .help = "region/zone/sub zone" },
		{ .name = "priority", .type = TYPE_NUMBER,
		  .flags = COLUMN_WIDE, .help = "0 is used first" },
		{0},
	},
	.keys = (const struct bind[]){
		{ "<Enter>", "mesh endpoints --where \"address = {address}\"",
		  "who sees it" },
		{ "p", "mesh proxies show {proxy}", "proxy" },
		{0},
	},
	.empty = "No endpoints: no proxy has answered yet, or none of these "
	    "clusters has a host. See kiban mesh clusters",
};

/* ---- certificates -------------------------------------------------------- */

const struct view certs_view = {
	.name = "certs",
	.help = "certificates that proxies have loaded",
	.kind = "mesh_cert",
	/* Whole days, downwards: -1 from the first second after the end. */
	.sql = "SELECT context, proxy, path, serial, sans, expires,"
	    " (expires - at() - (expires < at()) * 86399999) / 86400000"
	    " AS days, usage, starts, n, seen FROM mesh_cert",
	.columns = (const struct column[]){
		{ .name = "proxy", .flags = COLUMN_PATH | COLUMN_LINK,
		  .help = "the proxy" },
		{ .name = "path", .flags = COLUMN_PATH, .rank = 2,
		  .help = "its file; <inline>: by SDS or in the config" },
		{ .name = "serial", .flags = COLUMN_PATH, .rank = 4,
		  .help = "serial number" },
		{ .name = "sans", .type = TYPE_LIST, .rank = 1,
		  .help = "names it is for" },
		{ .name = "expires", .type = TYPE_TIME, .rank = 3,
		  .help = "valid until" },
		{ .name = "days", .type = TYPE_NUMBER,
		  .help = "whole days left; below 0: it has ended" },
		{ .name = "usage", .flags = COLUMN_WIDE,
		  .help = "ca: it is trusted; chain: it is shown to others" },
		{ .name = "starts", .type = TYPE_TIME, .flags = COLUMN_WIDE,
		  .help = "valid from" },
		{ .name = "n", .type = TYPE_NUMBER, .flags = COLUMN_WIDE,
		  .help = "tells equal ones apart" },
		{0},
	},
	.keys = (const struct bind[]){
		{ "<Enter>", "mesh proxies show {proxy}", "proxy" },
		{0},
	},
	.sort = "expires",
	.empty = "No certificates: no proxy that answered has loaded one",
};

/* ---- services ----------------------------------------------------------- */

/* w: what each proxy measured, once. r: summed by service. s: 15 rates.
 * h: hosts by address; a proxy that doesn't answer has no say while another
 * one does. */
#define SERVICES_SQL \
	"WITH w AS MATERIALIZED (SELECT context, proxy, service, series, seen," \
	" rate(series, 'rq', 60) AS rps, delta(series, 'rq', 60) AS rq," \
	" delta(series, 'rq_5xx', 60) AS bad," \
	" bins(series, 'rq_time', 60) AS times, open," \
	" CASE WHEN upstream THEN delta(series, 'overflow', 60) END AS overflow," \
	" CASE WHEN upstream THEN delta(series, 'retries', 60) END AS retries," \
	" CASE WHEN upstream THEN delta(series, 'timeouts', 60) END AS timeouts" \
	" FROM (" SERVICE_SERIES "))," \
	" r AS (SELECT context, service, max(seen) AS seen, sum(rps) AS rps," \
	" sum(rq) AS rq, coalesce(sum(bad), 0) AS bad," \
	" quantile(0.5, times) AS p50, quantile(0.95, times) AS p95," \
	" quantile(0.99, times) AS p99, sum(samples(times)) AS sampled," \
	" max(open > 0 OR coalesce(overflow, 0) > 0) AS is_open," \
	" sum(retries) AS retries, sum(timeouts) AS timeouts," \
	" count(*) AS proxies FROM w GROUP BY context, service)," \
	" s AS (SELECT context, service, json_group_array(rate) AS spark" \
	" FROM (SELECT w.context, w.service, j.key AS slot," \
	" sum(j.value) AS rate" \
	" FROM w, json_each(spark(w.series, 'rq', 900, 15)) j" \
	" GROUP BY w.context, w.service, j.key" \
	" ORDER BY w.context, w.service, j.key)" \
	" GROUP BY context, service)," \
	" e AS (SELECT e.context, e.cluster AS service, e.address," \
	" e.health = 'healthy' AS healthy," \
	" e.reasons LIKE '%failed_outlier_check%' AS ejected," \
	" coalesce(p.state IN " DOWN ", 0) AS down" \
	" FROM mesh_endpoint e LEFT JOIN mesh_proxy p" \
	" ON p.context = e.context AND p.proxy = e.proxy" \
	" UNION ALL SELECT p.context, p.cluster, p.proxy, p.state = 'LIVE'," \
	" 0, 0 FROM mesh_proxy p WHERE (p.context, p.cluster) NOT IN" \
	" (SELECT m.context, m.cluster FROM mesh_cluster m))," \
	" d AS (SELECT context, service, min(down) AS down FROM e" \
	" GROUP BY context, service)," \
	" h AS (SELECT context, service, count(*) AS hosts," \
	" sum(healthy) AS healthy, sum(ejected) AS ejected FROM" \
	" (SELECT e.context, e.service, e.address," \
	" min(e.healthy) AS healthy, max(e.ejected) AS ejected" \
	" FROM e JOIN d ON d.context = e.context AND d.service = e.service" \
	" AND d.down = e.down GROUP BY e.context, e.service, e.address)" \
	" GROUP BY context, service)" \
	" SELECT r.context, r.service, r.rps," \
	" CASE WHEN r.rq > 0 THEN max(0, 100.0 * (1 - r.bad * 1.0 / r.rq)) END" \
	" AS success, r.p50, r.p95, r.p99, coalesce(h.healthy, 0) AS healthy," \
	" coalesce(h.hosts, 0) AS hosts, coalesce(h.ejected, 0) AS ejected," \
	" CASE WHEN r.is_open THEN 'open' END AS breaker, s.spark," \
	" max(0, r.rq - coalesce(r.sampled, 0)) AS unsampled, r.retries," \
	" r.timeouts, r.proxies, r.seen FROM r" \
	" LEFT JOIN h ON h.context = r.context AND h.service = r.service" \
	" LEFT JOIN s ON s.context = r.context AND s.service = r.service"

const struct view services_view = {
	.name = "services",
	.help = "what is called in the mesh, over all proxies that call it",
	.kind = "mesh_service",
	.key = (const char *const[]){ "service", NULL },
	.every_of = "mesh_cluster",
	.sql = SERVICES_SQL,
	.columns = (const struct column[]){
		{ .name = "service", .flags = COLUMN_LINK,
		  .help = "name of the upstream cluster; where nobody calls it, "
		  "node.cluster of proxies, measured at their listeners" },
		{ .name = "rps", .type = TYPE_NUMBER, .decimals = 1,
		  .unit = "1/s",
		  .help = "requests completed a second, over the last minute" },
		{ .name = "success", .title = "success %", .type = TYPE_SHARE,
		  .decimals = 1, .unit = "%",
		  .help = "of those, not answered 5xx; null without requests" },
		{ .name = "p50", .title = "p50 ms", .type = TYPE_LATENCY,
		  .rank = 8, .unit = "ms",
		  .help = "half of the answers came within" },
		{ .name = "p95", .title = "p95 ms", .type = TYPE_LATENCY,
		  .rank = 4, .unit = "ms",
		  .help = "95 of 100 answers came within" },
		{ .name = "p99", .title = "p99 ms", .type = TYPE_LATENCY,
		  .unit = "ms", .help = "99 of 100 answers came within" },
		{ .name = "healthy", .type = TYPE_NUMBER, .rank = 2,
		  .help = "hosts that every proxy which lists them calls so" },
		{ .name = "hosts", .type = TYPE_NUMBER, .rank = 1,
		  .help = "hosts, each address once" },
		{ .name = "ejected", .type = TYPE_NUMBER, .rank = 7,
		  .help = "hosts that some proxy has ejected" },
		{ .name = "breaker", .rank = 6,
		  .help = "open: some proxy's circuit breaker refused in the "
		  "last minute, or is open" },
		{ .name = "spark", .title = "15 min", .type = TYPE_LIST,
		  .flags = COLUMN_SPARK, .rank = 3, .unit = "1/s",
		  .help = "requests a second, a minute each" },
		{ .name = "unsampled", .type = TYPE_NUMBER,
		  .flags = COLUMN_WIDE, .help = "requests of the last minute "
		  "without a latency: timed out, or no host answered" },
		{ .name = "retries", .type = TYPE_NUMBER, .flags = COLUMN_WIDE,
		  .help = "retries in the last minute" },
		{ .name = "timeouts", .type = TYPE_NUMBER,
		  .flags = COLUMN_WIDE,
		  .help = "requests and attempts that timed out in it" },
		{ .name = "proxies", .type = TYPE_NUMBER, .flags = COLUMN_WIDE,
		  .help = "that measure it" },
		{0},
	},
	.keys = (const struct bind[]){
		/* One that nobody calls is measured at its proxies: deeper is
		 * what they call. */
		{ "<Enter>", "mesh clusters --where \"cluster = {service} or "
		  "{service} not in (select cluster from mesh_cluster) and "
		  "proxy in (select proxy from mesh_proxy "
		  "where cluster = {service})\"", "clusters" },
		{ "e", "mesh endpoints --where \"cluster = {service}\"",
		  "endpoints" },
		{ "o", "mesh routes --where \"target = {service}\"", "routes" },
		{ "p", "mesh proxies --where \"cluster = {service}\"",
		  "its proxies" },
		{0},
	},
	.sort = "rps:desc",
	.empty = "No services yet. Name a proxy under mesh.envoys of this "
	    "context in the config, or try: kiban lab up",
};
