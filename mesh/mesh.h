/* The mesh's own header: what its rooms share. Nobody outside mesh/ includes
 * it.
 *
 *	envoy.c			the source: one poll of one proxy
 *	envoy_backends.c	which proxies the config names
 *	envoy_clusters.c	/clusters
 *	envoy_stats.c		/stats
 *	envoy_config.c		/config_dump by masks, /listeners: who it is,
 *				types of clusters, listeners
 *	envoy_routes.c		/config_dump: routes
 *	envoy_certs.c		/certs
 *	envoy_merge.c		what was read as rows
 *	envoy_round.c		liveness: what only the whole fleet tells
 */
#ifndef MESH_H
#define MESH_H

#include <stdbool.h>
#include <stdint.h>

#include "cache.h"
#include "fetch.h"
#include "http.h"
#include "json_pull.h"
#include "mem.h"
#include "module.h"

extern const struct kind proxy_kind, listener_kind, route_kind, cluster_kind,
    endpoint_kind, cert_kind;
extern const struct view proxies_view, listeners_view, routes_view,
    clusters_view, endpoints_view, certs_view, services_view;
extern const struct rule *const mesh_rules[];
extern const struct source envoy_source;
extern const struct command log_level_command;
extern const struct lab mesh_lab;
extern const struct module mesh_module;

/* Every row that measures requests, by the service it measures: clusters by
 * their name, and proxies whose node.cluster nobody calls, at their listeners.
 * Both kinds name the metrics alike; `upstream` is 0 where there are no more
 * than rq, rq_5xx and rq_time. */
#define SERVICE_SERIES \
	"SELECT c.context, c.proxy, c.cluster AS service, c.series, c.seen," \
	" c.open, 1 AS upstream FROM mesh_cluster c UNION ALL" \
	" SELECT x.context, x.proxy, x.cluster, x.series, x.seen, 0, 0" \
	" FROM mesh_proxy x WHERE x.cluster <> '' AND" \
	" (x.context, x.cluster) NOT IN" \
	" (SELECT m.context, m.cluster FROM mesh_cluster m)"

/* ---- one poll of one proxy ---------------------------------------------- */

/* /clusters?format=json, a host. */
enum host_stat { HOST_SUCCESS, HOST_ERROR, HOST_ACTIVE, HOST_CX_FAIL,
    HOST_STATS };
enum host_health { HOST_HEALTHY, HOST_DEGRADED, HOST_DRAINING,
    HOST_UNHEALTHY };
struct envoy_host {
	struct span	 address;	/* "10.0.3.11:8080", "[::1]:80", "unix:/p" */
	struct span	 hostname, region, zone, sub_zone;
	uint64_t	 weight, priority;
	unsigned	 reasons;	/* bits, envoy_reasons() */
	uint64_t	 stat[HOST_STATS];
};
enum cluster_stat {
	CLUSTER_RQ, CLUSTER_RQ_4XX, CLUSTER_RQ_5XX, CLUSTER_TRIES,
	CLUSTER_RETRIES, CLUSTER_TIMEOUTS, CLUSTER_OVERFLOW, CLUSTER_EJECTIONS,
	CLUSTER_CX_FAIL, CLUSTER_RQ_ACTIVE, CLUSTER_CX_ACTIVE, CLUSTER_OPEN,
	CLUSTER_STATS
};
struct envoy_bins {
	struct bin	*v;		/* by lower bound */
	size_t		 n, cap;
};
struct envoy_cluster {
	struct span	 name;
	struct span	 stats_name;	/* as its stats spell it */
	size_t		 first, n;	/* of hosts */
	size_t		 hosts, healthy, ejected;	/* by address, once each */
	bool		 exported;	/* /stats knows it */
	uint64_t	 stat[CLUSTER_STATS];
	struct envoy_bins time;
};
/* What /stats says of the proxy itself. */
struct envoy_totals {
	uint64_t	 uptime;	/* s */
	bool		 exported;	/* it says anything of itself */
	uint64_t	 rq, rq_5xx;	/* over all listeners, not the admin's */
	struct envoy_bins time;
	uint64_t	 rejected;	/* updates of any type */
	struct span	 cds, lds;	/* versions accepted; s NULL: not dynamic */
	/* Changes when config, listeners or certificates may have. */
	uint64_t	 mark;
};
struct envoy_poll {
	struct arena		 arena;
	struct buf		 clusters_text, stats_text;	/* spans point here */
	struct envoy_cluster	*clusters;	/* by name */
	size_t			 nclusters, clusters_cap;
	struct envoy_host	*hosts;		/* by address in a cluster */
	size_t			 nhosts, hosts_cap;
	struct envoy_totals	 totals;
};
void envoy_poll_release(struct envoy_poll *p);

/* The parsers take a JSON text that they may change and that must outlive
 * what they fill. -1 is ERR_DATA, a phrase to be prefixed with what was asked.
 * What they had filled by then is released with the rest. */
int envoy_clusters(struct envoy_poll *p, char *text, size_t n,
    struct err *err);
/* After envoy_clusters(): its names are what stats are matched against. */
int envoy_stats(struct envoy_poll *p, char *text, size_t n, struct err *err);
extern const char envoy_stats_target[];	/* what to ask */

enum host_health envoy_health(unsigned reasons);
extern const char *const envoy_health_words[];
/* Envoy's flags that are set, as a JSON list. */
void envoy_reasons(struct buf *out, unsigned reasons);
#define REASON_EJECTED 1u	/* failed_outlier_check */

/* ---- config: read when something moved ----------------------------------- */

struct envoy_identity {
	char	*node, *cluster, *version;	/* new; NULL: not said */
};
int envoy_identity(struct envoy_identity *id, const char *text, size_t n,
    struct err *err);
void envoy_identity_release(struct envoy_identity *id);

struct envoy_type {
	const char	*name, *type, *lb, *version;
	size_t		 name_n;
};
struct envoy_types {
	struct arena		 arena;
	struct envoy_type	*v;		/* sorted by envoy_types_sort() */
	size_t			 n, cap;
};
int envoy_types(struct envoy_types *t, const char *text, size_t n,
    struct err *err);
void envoy_types_sort(struct envoy_types *t);
const struct envoy_type *envoy_types_find(const struct envoy_types *t,
    struct span name);
void envoy_types_release(struct envoy_types *t);

struct envoy_listener {
	const char	*name, *address, *state, *error, *version;
};
struct envoy_listeners {
	struct arena		 arena;
	struct envoy_listener	*v;
	size_t			 n, cap;
};
/* /listeners, then the dump of dynamic ones on top of it. */
int envoy_listeners(struct envoy_listeners *l, const char *text, size_t n,
    struct err *err);
int envoy_listeners_dump(struct envoy_listeners *l, const char *text,
    size_t n, struct err *err);
void envoy_listeners_release(struct envoy_listeners *l);

struct envoy_route {
	const char	*config, *host, *match, *target;
	int		 n;
	const char	*domains;	/* JSON list */
	int64_t		 weight;	/* -1: not said */
	double		 timeout;	/* s; -1: there is none to say */
	int64_t		 retries;	/* -1 */
};
struct envoy_routes {
	struct arena		 arena;
	struct envoy_route	*v;
	size_t			 n, cap;
};
int envoy_routes(struct envoy_routes *r, const char *text, size_t n,
    struct err *err);
void envoy_routes_number(struct envoy_routes *r);	/* when all are in */
void envoy_routes_release(struct envoy_routes *r);

struct envoy_cert {
	const char	*path, *sans, *serial;	/* sans: JSON list */
	const char	*role;			/* "ca", "chain" */
	int		 n;
	int64_t		 starts, expires;	/* ms; 0: not said */
};
struct envoy_certs {
	struct arena		 arena;
	struct envoy_cert	*v;
	size_t			 n, cap;
};
/* Each certificate once, numbered. */
int envoy_certs(struct envoy_certs *c, const char *text, size_t n,
    struct err *err);
void envoy_certs_release(struct envoy_certs *c);

/* ---- rows --------------------------------------------------------------- */

/* The name a proxy goes by: as configured, else its address. */
const char *envoy_name(const struct backend *b);

int envoy_merge_proxy(struct fetch *f, const struct envoy_identity *id,
    const char *state, const struct envoy_totals *t, struct err *err);
int envoy_merge_clusters(struct fetch *f, const struct envoy_poll *p,
    const struct envoy_types *types, struct err *err);
int envoy_merge_endpoints(struct fetch *f, const struct envoy_poll *p,
    struct err *err);
int envoy_merge_listeners(struct fetch *f, const struct envoy_listeners *l,
    struct err *err);
int envoy_merge_routes(struct fetch *f, const struct envoy_routes *r,
    struct err *err);
int envoy_merge_certs(struct fetch *f, const struct envoy_certs *c,
    struct err *err);

/* ---- asking ------------------------------------------------------------- */

/* A connection to one proxy, as the config describes it. */
struct envoy_link {
	char			*url, *what;
	char			*ca, *cert, *key;
	char			**headers;	/* ends with NULL */
	size_t			 nheaders;
	struct http_link	*http;
};
/* A cancel of t ends the `cmd:` of a secret header. */
int envoy_link_open(struct envoy_link *l, const struct session *s,
    const struct backend *b, const struct task *t, struct err *err);
/* Any whole answer is 0. deadline by clock_mono(). */
int envoy_ask(struct envoy_link *l, struct task *t, const char *method,
    const char *target, int64_t deadline, struct http_response *r,
    struct err *err);
/* 2xx only, else the reason in Envoy's own words. */
int envoy_get(struct envoy_link *l, struct task *t, const char *target,
    int64_t deadline, struct http_response *r, struct err *err);
void envoy_link_close(struct envoy_link *l);

int envoy_backends(const struct context *c, struct backend_list *out,
    struct err *err);
int envoy_round(struct fetch_round *r, struct err *err);

#endif
