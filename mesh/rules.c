/* What is wrong in the mesh: each rule is a SELECT that finds offenders, run
 * once a round over the fleet. The first step of each is a cheap one over
 * clusters, so that a fleet where all is well costs next to nothing. */
#include "mesh.h"

#define DOWN "('unreachable', 'gone')"

/* Hosts of the services where some proxy sees trouble, by address: one is
 * usable or healthy when every proxy that lists it says so; a proxy that
 * doesn't answer has no say while another does. CROSS JOIN keeps the order:
 * few clusters first, then their endpoints by key. */
#define HOSTS(trouble) \
	"WITH c AS MATERIALIZED (SELECT DISTINCT context, cluster" \
	" FROM mesh_cluster WHERE " trouble ")," \
	" e AS MATERIALIZED (SELECT m.context, m.cluster AS service, e.address," \
	" e.health IN ('healthy', 'degraded') AS usable," \
	" e.reasons LIKE '%failed_outlier_check%' AS ejected," \
	" coalesce(p.state IN " DOWN ", 0) AS down FROM c" \
	" CROSS JOIN mesh_cluster m ON m.context = c.context" \
	" AND m.cluster = c.cluster" \
	" CROSS JOIN mesh_endpoint e ON e.context = m.context" \
	" AND e.proxy = m.proxy AND e.cluster = m.cluster" \
	" LEFT JOIN mesh_proxy p ON p.context = m.context" \
	" AND p.proxy = m.proxy)," \
	" d AS (SELECT context, service, min(down) AS down FROM e GROUP BY 1, 2)," \
	" a AS (SELECT e.context, e.service, min(e.usable) AS usable," \
	" max(e.ejected) AS ejected FROM e JOIN d ON d.context = e.context" \
	" AND d.service = e.service AND d.down = e.down" \
	" GROUP BY e.context, e.service, e.address)," \
	" h AS (SELECT context, service, count(*) AS hosts," \
	" sum(usable) AS usable, sum(ejected) AS ejected FROM a GROUP BY 1, 2)"

static const struct rule no_healthy_host = {
	.id = "mesh.no_healthy_host",
	.kind = "mesh_service",
	.severity = SEVERITY_BAD,
	.help = "a service of which no host is healthy",
	.sql = HOSTS("healthy < hosts")
	    " SELECT context, service, service AS object, hosts FROM h"
	    " WHERE usable = 0 UNION ALL"
	    " SELECT m.context, m.cluster, m.cluster, 0 FROM mesh_cluster m"
	    " WHERE m.hosts = 0 AND delta(m.series, 'rq', 60) > 0"
	    " AND (m.context, m.cluster) NOT IN (SELECT context, cluster"
	    " FROM mesh_cluster WHERE hosts > 0) GROUP BY 1, 2",
	.reason = "no healthy host (0 of {hosts})",
	.command = "mesh endpoints --where \"cluster = {service}\"",
};

static const struct rule ejected = {
	.id = "mesh.ejected",
	.kind = "mesh_service",
	.severity = SEVERITY_DOUBTFUL,
	.help = "outlier detection took 30 % of a service's hosts out; bad "
	    "from 50 %",
	.sql = HOSTS("ejected > 0")
	    " SELECT context, service, service AS object, hosts, ejected,"
	    " CASE WHEN ejected * 2 >= hosts THEN 'bad' ELSE 'doubtful' END"
	    " AS severity FROM h WHERE ejected * 10 >= hosts * 3",
	.reason = "{ejected} of {hosts} hosts ejected",
	.command = "mesh endpoints --where \"cluster = {service}\"",
};

static const struct rule breaker = {
	.id = "mesh.breaker",
	.kind = "mesh_service",
	.severity = SEVERITY_DOUBTFUL,
	.help = "a circuit breaker refused requests in the last minute, or is "
	    "open",
	.sql = "SELECT context, cluster AS service, cluster AS object,"
	    " count(*) AS proxies, sum(refused) AS refused FROM"
	    " (SELECT context, cluster, open, CASE WHEN overflow > 0 THEN"
	    " coalesce(delta(series, 'overflow', 60), 0) ELSE 0 END AS refused"
	    " FROM mesh_cluster WHERE open > 0 OR overflow > 0)"
	    " WHERE open > 0 OR refused > 0 GROUP BY context, cluster",
	.reason = "circuit breaker open at {proxies} of its proxies, {refused} "
	    "requests refused in a minute",
	.command = "mesh clusters --where \"cluster = {service}\"",
};

static const struct rule cert_expires = {
	.id = "mesh.cert_expires",
	.kind = "mesh_cert",
	.severity = SEVERITY_DOUBTFUL,
	.help = "a certificate ends within 30 days; bad within 7 days",
	.sql = "SELECT context, proxy, path, sans, n, proxy AS object,"
	    " coalesce(json_extract(sans, '$[0]'), path) AS subject,"
	    " CASE WHEN days = 0 THEN iif(expires > at(), 'ends', 'ended') ||"
	    " ' within a day' WHEN expires > at() THEN 'ends in ' || days ||"
	    " iif(days = 1, ' day', ' days') ELSE 'ended ' || days ||"
	    " iif(days = 1, ' day', ' days') || ' ago' END AS how,"
	    " CASE WHEN expires - at() < 7 * 86400000 THEN 'bad'"
	    " ELSE 'doubtful' END AS severity FROM"
	    " (SELECT context, proxy, path, sans, n, expires,"
	    " abs(expires - at()) / 86400000 AS days FROM mesh_cert"
	    " WHERE expires - at() < 30 * 86400000)",
	.reason = "certificate {subject} {how}",
	.command = "mesh certs --where \"proxy = {proxy}\"",
};

static const struct rule listener_rejected = {
	.id = "mesh.listener_rejected",
	.kind = "mesh_listener",
	.severity = SEVERITY_BAD,
	.help = "a proxy refused the last update of a listener",
	.sql = "SELECT context, proxy, listener, proxy AS object,"
	    " coalesce(error, 'no reason given') AS error FROM mesh_listener"
	    " WHERE state = 'rejected'",
	.reason = "listener {listener} rejected: {error}",
	.command = "mesh listeners --where \"proxy = {proxy}\"",
};

static const struct rule proxy_down = {
	.id = "mesh.proxy_down",
	.kind = "mesh_proxy",
	.severity = SEVERITY_BAD,
	.help = "a proxy that doesn't answer, or that the config no longer "
	    "names",
	.sql = "SELECT p.context, p.proxy, p.proxy AS object, p.state,"
	    " coalesce(p.error, 'the config no longer names it') AS error"
	    " FROM mesh_proxy p WHERE p.state IN " DOWN
	    " AND EXISTS (SELECT 1 FROM sources s WHERE s.context = p.context"
	    " AND s.source = 'envoy' AND s.state = 'ok')",
	.reason = "{state}: {error}",
	.command = "mesh proxies show {proxy}",
};

/* What happened lately against what was before, a service: over the last
 * minute and the rest of the hour, or over both halves of what there is when
 * that is less than two minutes. `hot` are the services worth the reading. */
#define WINDOWS(hot) \
	"WITH s AS MATERIALIZED (" SERVICE_SERIES ")," \
	" hot AS MATERIALIZED (" hot ")," \
	" t AS MATERIALIZED (SELECT s.context, s.service, s.series," \
	" span(s.series, 3600) AS span FROM hot JOIN s" \
	" ON s.context = hot.context AND s.service = hot.service)," \
	" w AS MATERIALIZED (SELECT context, service," \
	" CASE WHEN max(span) >= 120 THEN 60" \
	" ELSE CAST(max(span) / 2 AS INTEGER) END AS secs FROM t GROUP BY 1, 2)"

static const struct rule errors = {
	.id = "mesh.errors",
	.kind = "mesh_service",
	.severity = SEVERITY_DOUBTFUL,
	.help = "a service's success fell 5 points below its own hour; bad "
	    "from 20",
	.sql = WINDOWS("SELECT DISTINCT context, service FROM s"
	    " WHERE delta(series, 'rq_5xx', 60) > 0")
	    ", v AS (SELECT t.context, t.service,"
	    " sum(delta(t.series, 'rq', w.secs)) AS rq,"
	    " sum(delta(t.series, 'rq_5xx', w.secs)) AS bad,"
	    " sum(delta(t.series, 'rq', 3600 - w.secs, w.secs)) AS rq_was,"
	    " sum(delta(t.series, 'rq_5xx', 3600 - w.secs, w.secs)) AS bad_was"
	    " FROM t JOIN w ON w.context = t.context"
	    " AND w.service = t.service GROUP BY t.context, t.service),"
	    " x AS (SELECT context, service,"
	    " max(0, 100.0 - 100.0 * coalesce(bad, 0) / rq) AS success,"
	    " max(0, 100.0 - 100.0 * coalesce(bad_was, 0) / rq_was) AS was"
	    " FROM v WHERE rq >= 20 AND rq_was >= 20)"
	    " SELECT context, service, service AS object,"
	    " round(success, 1) AS success, round(was, 1) AS was,"
	    " CASE WHEN was - success >= 20 THEN 'bad' ELSE 'doubtful' END"
	    " AS severity FROM x WHERE was - success >= 5",
	.reason = "success {success} %, was {was} %",
	.command = "mesh clusters --where \"cluster = {service}\"",
};

static const struct rule slow = {
	.id = "mesh.slow",
	.kind = "mesh_service",
	.severity = SEVERITY_DOUBTFUL,
	.help = "a service's p99 is above 100 ms and three times that of its "
	    "own hour",
	.sql = WINDOWS("SELECT context, service FROM s"
	    " GROUP BY context, service"
	    " HAVING quantile(0.99, bins(series, 'rq_time', 60)) > 100")
	    ", b AS MATERIALIZED (SELECT t.context, t.service,"
	    " bins(t.series, 'rq_time', w.secs) AS lately,"
	    " bins(t.series, 'rq_time', 3600 - w.secs, w.secs) AS before"
	    " FROM t JOIN w ON w.context = t.context"
	    " AND w.service = t.service),"
	    " x AS (SELECT context, service, quantile(0.99, lately) AS p99,"
	    " quantile(0.99, before) AS was, sum(samples(lately)) AS n,"
	    " sum(samples(before)) AS n_was FROM b GROUP BY context, service)"
	    " SELECT context, service, service AS object,"
	    " round(p99) AS p99, round(was) AS was FROM x"
	    " WHERE n >= 20 AND n_was >= 20 AND p99 > 100 AND p99 >= 3 * was",
	.reason = "p99 {p99} ms, was {was} ms",
	.command = "mesh clusters --where \"cluster = {service}\"",
};

/* A proxy that answered as far as its state is no dead one, whatever else
 * failed then. */
static const struct rule no_backend = {
	.id = "mesh.no_backend",
	.kind = "mesh_proxy",
	.severity = SEVERITY_BAD,
	.help = "no proxy of a context answers: rather this machine's network "
	    "than all of them",
	.sql = "SELECT s.context, NULL AS proxy, s.context AS object,"
	    " count(*) AS proxies, max(s.error) AS error FROM sources s"
	    " WHERE s.source = 'envoy' GROUP BY s.context"
	    " HAVING sum((s.failures > 1 OR s.error LIKE '%connection refused'"
	    " OR s.error LIKE '%no such socket') AND NOT EXISTS"
	    " (SELECT 1 FROM mesh_proxy p WHERE p.context = s.context"
	    " AND p.address = s.backend AND p.seen >= s.tried)) = count(*)",
	.reason = "no proxy answers, of {proxies}: is it this machine's "
	    "network? {error}",
	.command = "sources",
};

const struct rule *const mesh_rules[] = { &no_healthy_host, &errors,
    &proxy_down, &no_backend, &listener_rejected, &cert_expires, &ejected,
    &breaker, &slow, NULL };
