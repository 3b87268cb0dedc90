/* The parsers of Envoy's answers, over texts in the shapes that Envoy 1.40
 * gives (seen on the release binary), and over what it would never give. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../mesh/mesh.h"

/* A copy that ends where its allocation does. */
struct text {
	char	*s;
	size_t	 n;
};

static struct text text_of(const char *s)
{
	struct text t = { malloc(strlen(s) + 1), strlen(s) };

	memcpy(t.s, s, t.n);
	return t;
}

static void assert_span(struct span a, const char *want)
{
	assert_int_equal(a.n, strlen(want));
	assert_memory_equal(a.s, want, a.n);
}

/* ---- /clusters ---------------------------------------------------------- */

#define STATS(success, error) "\"stats\":[{\"name\":\"cx_connect_fail\"}," \
	"{\"value\":\"" success "\",\"name\":\"rq_success\"}," \
	"{\"value\":\"" error "\",\"name\":\"rq_error\"}," \
	"{\"type\":\"GAUGE\",\"value\":\"3\",\"name\":\"rq_active\"}]"
#define AT(ip, port) "\"address\":{\"socket_address\":{\"address\":\"" ip \
	"\",\"port_value\":" port "}}"

static const char clusters[] =
    "{\"cluster_statuses\":["
    "{\"name\":\"x.external\",\"observability_name\":\"x.external\"},"
    "{\"name\":\"orders:v2\",\"added_via_api\":true,\"host_statuses\":["
    "{" AT("127.0.0.1", "80") "," STATS("16", "1") ",\"weight\":7,"
    "\"locality\":{\"region\":\"eu\",\"zone\":\"z\"},"
    "\"health_status\":{\"eds_health_status\":\"HEALTHY\"}},"
    "{" AT("::1", "80") ",\"hostname\":\"h\",\"priority\":1,\"locality\":{},"
    "\"health_status\":{\"failed_active_health_check\":true,"
    "\"active_hc_timeout\":true,\"eds_health_status\":\"HEALTHY\"}},"
    "{" AT("127.0.0.1", "80") ",\"priority\":1,"
    "\"health_status\":{\"failed_outlier_check\":true}},"
    "{\"address\":{\"pipe\":{\"path\":\"/p\"}},"
    "\"health_status\":{\"eds_health_status\":\"DRAINING\"}},"
    "{\"address\":{\"envoy_internal_address\":{\"server_listener_name\":"
    "\"l\",\"endpoint_id\":\"e9\"}},"
    "\"health_status\":{\"eds_health_status\":\"DEGRADED\"}}"
    "],\"circuit_breakers\":{\"thresholds\":[{\"max_connections\":1024}]},"
    "\"observability_name\":\"orders:v2\"},"
    "{\"name\":\"x\"}]}";

static void clusters_and_their_hosts(void **state)
{
	struct text t = text_of(clusters);
	struct envoy_poll p = {0};
	struct envoy_cluster *c;
	struct envoy_host *h;
	struct buf words = {0};

	(void)state;
	assert_int_equal(envoy_clusters(&p, t.s, t.n, NULL), 0);
	assert_int_equal(p.nclusters, 3);
	c = &p.clusters[0];
	assert_span(c->name, "orders:v2");
	assert_span(c->stats_name, "orders_v2");
	/* 127.0.0.1:80 stands twice and counts once, at priority 0. */
	assert_int_equal(c->hosts, 4);
	assert_int_equal(c->healthy, 1);
	assert_int_equal(c->ejected, 0);
	assert_int_equal(c->n, 4);
	h = &p.hosts[c->first];
	assert_span(h[0].address, "127.0.0.1:80");
	assert_int_equal(h[0].stat[HOST_SUCCESS], 16);
	assert_int_equal(h[0].stat[HOST_ERROR], 1);
	assert_int_equal(h[0].stat[HOST_ACTIVE], 3);
	assert_int_equal(h[0].weight, 7);
	assert_span(h[0].region, "eu");
	assert_span(h[1].address, "[::1]:80");
	assert_span(h[1].hostname, "h");
	assert_int_equal(envoy_health(h[1].reasons), HOST_UNHEALTHY);
	envoy_reasons(&words, h[1].reasons);
	assert_string_equal(words.p,
	    "[\"failed_active_health_check\",\"active_hc_timeout\"]");
	assert_span(h[2].address, "envoy://l/e9");
	assert_int_equal(envoy_health(h[2].reasons), HOST_DEGRADED);
	assert_span(h[3].address, "unix:/p");
	assert_int_equal(envoy_health(h[3].reasons), HOST_DRAINING);
	assert_span(p.clusters[1].name, "x");
	assert_int_equal(p.clusters[1].hosts, 0);
	buf_free(&words);
	envoy_poll_release(&p);
	free(t.s);
}

static void health_is_the_worst(void **state)
{
	struct text t = text_of("{\"cluster_statuses\":[{\"name\":\"c\","
	    "\"host_statuses\":[{" AT("a", "1") ",\"health_status\":{"
	    "\"failed_outlier_check\":true,\"eds_health_status\":\"DRAINING\","
	    "\"pending_dynamic_removal\":true,\"some_new_flag\":true}}]}]}");
	struct envoy_poll p = {0};
	struct buf words = {0};

	(void)state;
	assert_int_equal(envoy_clusters(&p, t.s, t.n, NULL), 0);
	assert_int_equal(p.clusters[0].ejected, 1);
	assert_int_equal(envoy_health(p.hosts[0].reasons), HOST_UNHEALTHY);
	envoy_reasons(&words, p.hosts[0].reasons);
	assert_string_equal(words.p, "[\"failed_outlier_check\","
	    "\"pending_dynamic_removal\",\"eds_status_draining\"]");
	envoy_reasons(&words, 0);
	buf_free(&words);
	envoy_poll_release(&p);
	free(t.s);
}

static void refused(const char *json, const char *want)
{
	struct text t = text_of(json);
	struct envoy_poll p = {0};
	struct err err = {0};

	assert_int_equal(envoy_clusters(&p, t.s, t.n, &err), -1);
	assert_int_equal(err.code, ERR_DATA);
	if (!strstr(err.text, want))
		fail_msg("%s: %s", json, err.text);
	envoy_poll_release(&p);
	free(t.s);
}

static void clusters_that_are_none(void **state)
{
	struct text t = text_of("{}");
	struct envoy_poll p = {0};

	(void)state;
	assert_int_equal(envoy_clusters(&p, t.s, t.n, NULL), 0);
	assert_int_equal(p.nclusters, 0);
	envoy_poll_release(&p);
	free(t.s);
	refused("{\"cluster_statuses\":{}}",
	    "\"cluster_statuses\" is not a list");
	refused("{\"hello\":1}", "no \"cluster_statuses\"");
	refused("<html>", "not JSON");
	refused("[]", "not an object");
	refused("{\"cluster_statuses\":[{\"host_statuses\":[]}]}",
	    "without \"name\"");
	refused("{\"cluster_statuses\":[{\"name\":1}]}",
	    "\"name\" is not a string");
	refused("{\"cluster_statuses\":[{\"name\":\"a\",\"host_statuses\":"
	    "[{\"weight\":1}]}]}", "address");
	refused("{\"cluster_statuses\":[{\"name\":\"a\",\"host_statuses\":[{"
	    AT("a", "1") ",\"health_status\":[]}]}]}",
	    "\"health_status\" is not an object");
	refused("{\"cluster_statuses\":[{\"name\":\"a\",\"host_statuses\":[{"
	    AT("a", "1") ",\"weight\":\"many\"}]}]}",
	    "\"weight\" is not a number");
}

static void every_cut_of_clusters_is_refused(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n + 1 < sizeof(clusters); n++) {
		struct envoy_poll p = {0};
		char *s = malloc(n ? n : 1);

		memcpy(s, clusters, n);
		assert_int_equal(envoy_clusters(&p, s, n, NULL), -1);
		envoy_poll_release(&p);
		free(s);
	}
}

/* ---- /stats ------------------------------------------------------------- */

#define S(name, value) "{\"name\":\"" name "\",\"value\":" value "},"

static const char stats[] = "{\"stats\":["
    S("cluster_manager.cds.version_text", "\"c1\"")
    S("cluster.orders_v2.upstream_rq_completed", "18446744073709551615")
    S("cluster.orders_v2.upstream_rq_5xx", "2")
    S("cluster.orders_v2.external.upstream_rq_5xx", "2")
    S("cluster.orders_v2.upstream_rq_pending_overflow", "1")
    S("cluster.orders_v2.upstream_rq_active_overflow", "4")
    S("cluster.orders_v2.circuit_breakers.default.rq_open", "1")
    S("cluster.orders_v2.circuit_breakers.default.cx_open", "1")
    S("cluster.x.upstream_rq_completed", "5")
    S("cluster.x.external.upstream_rq_completed", "7")
    S("cluster.stranger.upstream_rq_completed", "9")
    S("cluster..upstream_rq_completed", "9")
    S("cluster_manager.cluster_added", "3")
    S("http.in.downstream_rq_completed", "10")
    S("http.out.bound.downstream_rq_completed", "20")
    S("http.admin.downstream_rq_completed", "40")
    S("http.async-client.downstream_rq_completed", "40")
    S("http.in.downstream_rq_5xx", "1")
    S("http.in.rds.r.update_rejected", "2")
    S("server.uptime", "77")
    "{\"histograms\":{\"supported_percentiles\":[0],\"details\":["
    "{\"name\":\"cluster.orders_v2.upstream_rq_time\",\"totals\":["
    "{\"lower_bound\":0,\"width\":0,\"count\":16},"
    "{\"lower_bound\":3e+05,\"width\":10000,\"count\":2},"
    "{\"lower_bound\":2.3,\"width\":0.1,\"count\":\"5\"}],"
    "\"intervals\":[],\"percentiles\":[{\"cumulative\":0,"
    "\"interval\":null}]},"
    "{\"name\":\"http.in.downstream_rq_time\",\"totals\":["
    "{\"lower_bound\":1,\"width\":0.1,\"count\":1}]},"
    "{\"name\":\"http.out.bound.downstream_rq_time\",\"totals\":["
    "{\"lower_bound\":0,\"width\":0,\"count\":2},"
    "{\"lower_bound\":1,\"width\":0.1,\"count\":3}]},"
    "{\"name\":\"http.admin.downstream_rq_time\",\"totals\":["
    "{\"lower_bound\":9,\"width\":1,\"count\":3}]}]}}]}";

static void read_both(struct envoy_poll *p, const char *more)
{
	struct text c = text_of(clusters), s = text_of(more);
	struct err err = {0};

	buf_add(&p->clusters_text, c.s, c.n);
	buf_add(&p->stats_text, s.s, s.n);
	free(c.s);
	free(s.s);
	assert_int_equal(envoy_clusters(p, p->clusters_text.p,
	    p->clusters_text.n, &err), 0);
	if (envoy_stats(p, p->stats_text.p, p->stats_text.n, &err) < 0)
		fail_msg("%s", err.text);
}

static void stats_by_known_names(void **state)
{
	struct envoy_poll p = {0};
	struct envoy_cluster *orders, *x, *external;

	(void)state;
	read_both(&p, stats);
	orders = &p.clusters[0];
	x = &p.clusters[1];
	external = &p.clusters[2];
	assert_true(orders->stat[CLUSTER_RQ] == UINT64_MAX);
	assert_int_equal(orders->stat[CLUSTER_RQ_5XX], 2);
	assert_int_equal(orders->stat[CLUSTER_OVERFLOW], 5);
	assert_int_equal(orders->stat[CLUSTER_OPEN], 1);
	assert_int_equal(x->stat[CLUSTER_RQ], 5);
	/* The name of a cluster has dots: it is matched, not split. */
	assert_int_equal(external->stat[CLUSTER_RQ], 7);
	assert_true(orders->exported && x->exported && external->exported);
	assert_int_equal(orders->time.n, 3);
	assert_true(orders->time.v[1].lower == 2.3);
	assert_int_equal(orders->time.v[1].count, 5);
	assert_true(orders->time.v[2].lower == 300000);
	envoy_poll_release(&p);
}

static void totals_without_the_admin(void **state)
{
	struct envoy_poll p = {0};

	(void)state;
	read_both(&p, stats);
	assert_true(p.totals.exported);
	assert_int_equal(p.totals.uptime, 77);
	assert_int_equal(p.totals.rq, 30);
	assert_int_equal(p.totals.rq_5xx, 1);
	assert_int_equal(p.totals.rejected, 2);
	assert_span(p.totals.cds, "c1");
	assert_null(p.totals.lds.s);
	assert_int_equal(p.totals.time.n, 2);
	assert_int_equal(p.totals.time.v[0].count, 2);
	assert_true(p.totals.time.v[1].lower == 1);
	assert_int_equal(p.totals.time.v[1].count, 4);
	envoy_poll_release(&p);
}

static uint64_t mark_of(const char *more)
{
	struct envoy_poll p = {0};
	uint64_t mark;

	read_both(&p, more);
	mark = p.totals.mark;
	envoy_poll_release(&p);
	return mark;
}

static void the_mark_moves_with_config_alone(void **state)
{
#define M(v, added, rq, up) "{\"stats\":[" \
	S("cluster_manager.cds.version_text", "\"" v "\"") \
	S("cluster_manager.cluster_added", added) \
	S("cluster.x.upstream_rq_completed", rq) \
	S("cluster_manager.cds.update_rejected", rq) \
	S("http.in.downstream_rq_completed", rq) \
	"{\"name\":\"server.uptime\",\"value\":" up "}]}"
	uint64_t mark = mark_of(M("c1", "3", "1", "5"));

	(void)state;
	assert_true(mark == mark_of(M("c1", "3", "100", "10")));
	assert_true(mark != mark_of(M("c2", "3", "1", "5")));
	assert_true(mark != mark_of(M("c1", "4", "1", "5")));
}

static void stats_that_are_none(void **state)
{
	static const struct { const char *json, *want; } t[] = {
		{ "{}", "no \"stats\"" },
		{ "{\"stats\":{}}", "\"stats\" is not a list" },
		{ "{\"stats\":[1]}", "\"stats\" is not an object" },
		{ "{\"stats\":[{\"name\":\"a\",\"value\":null}]}",
		  "\"value\" is not a number" },
		{ "{\"stats\":[{\"histograms\":[]}]}",
		  "\"histograms\" is not an object" },
		{ "{\"stats\":[{\"histograms\":{\"details\":[{\"totals\":"
		  "[{\"lower_bound\":\"x\"}]}]}}]}",
		  "\"lower_bound\" is not a number" },
		{ "Invalid re2 regex", "not JSON" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct text s = text_of(t[i].json);
		struct envoy_poll p = {0};
		struct err err = {0};

		assert_int_equal(envoy_stats(&p, s.s, s.n, &err), -1);
		if (!strstr(err.text, t[i].want))
			fail_msg("%s: %s", t[i].json, err.text);
		envoy_poll_release(&p);
		free(s.s);
	}
}

/* ---- config ------------------------------------------------------------- */

#define DUMP(rest) "{\"configs\":[{\"@type\":\"t\"," rest "}]}"

static void identity(void **state)
{
	static const char whole[] = DUMP("\"bootstrap\":{\"node\":{\"id\":\"n1\","
	    "\"cluster\":\"shop\",\"user_agent_build_version\":{\"version\":"
	    "{\"major_number\":1,\"minor_number\":40}}}}");
	static const char bare[] = DUMP("\"bootstrap\":{}");
	struct envoy_identity id = {0};

	(void)state;
	assert_int_equal(envoy_identity(&id, whole, strlen(whole), NULL), 0);
	assert_string_equal(id.node, "n1");
	assert_string_equal(id.cluster, "shop");
	assert_string_equal(id.version, "1.40.0");
	assert_int_equal(envoy_identity(&id, bare, strlen(bare), NULL), 0);
	assert_null(id.node);
	assert_null(id.version);
	assert_int_equal(envoy_identity(&id, "[]", 2, NULL), -1);
	envoy_identity_release(&id);
}

static void types(void **state)
{
	static const char fixed[] = "{\"configs\":[{\"cluster\":{\"name\":\"b\","
	    "\"cluster_type\":{\"name\":\"envoy.clusters.aggregate\"}}},"
	    "{\"cluster\":{\"name\":\"a\",\"type\":\"EDS\","
	    "\"lb_policy\":\"LEAST_REQUEST\"},\"version_info\":\"c1\"},"
	    "{\"cluster\":{}},{}]}";
	struct envoy_types t = {0};
	const struct envoy_type *a;

	(void)state;
	assert_int_equal(envoy_types(&t, fixed, strlen(fixed), NULL), 0);
	assert_int_equal(envoy_types(&t, "{}", 2, NULL), 0);
	envoy_types_sort(&t);
	assert_int_equal(t.n, 2);
	a = envoy_types_find(&t, (struct span){ "a", 1 });
	assert_string_equal(a->type, "EDS");
	assert_string_equal(a->lb, "LEAST_REQUEST");
	assert_string_equal(a->version, "c1");
	a = envoy_types_find(&t, (struct span){ "b", 1 });
	assert_string_equal(a->type, "envoy.clusters.aggregate");
	assert_string_equal(a->lb, "ROUND_ROBIN");
	assert_null(envoy_types_find(&t, (struct span){ "c", 1 }));
	envoy_types_release(&t);
}

static const struct envoy_listener *listener(const struct envoy_listeners *l,
    const char *name)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	return NULL;
}

static void listeners(void **state)
{
	static const char now[] = "{\"listener_statuses\":[{\"name\":\"a\","
	    "\"local_address\":{\"socket_address\":{\"address\":\"::1\","
	    "\"port_value\":80}}},{\"name\":\"b\",\"local_address\":"
	    "{\"pipe\":{\"path\":\"/p\"}}},{\"name\":\"c\",\"local_address\":"
	    "{\"envoy_internal_address\":{\"server_listener_name\":\"i\"}}}]}";
	static const char dump[] = "{\"configs\":[{\"name\":\"a\","
	    "\"active_state\":{\"version_info\":\"l1\"},\"error_state\":"
	    "{\"details\":\"port taken\"}},{\"error_state\":{\"details\":"
	    "\"no name\"}},{\"name\":\"d\",\"warming_state\":{}},"
	    "{\"name\":\"e\",\"draining_state\":{}},{\"name\":\"b\","
	    "\"active_state\":{\"version_info\":\"l2\"},"
	    "\"warming_state\":{}}]}";
	struct envoy_listeners l = {0};

	(void)state;
	assert_int_equal(envoy_listeners(&l, now, strlen(now), NULL), 0);
	assert_int_equal(envoy_listeners_dump(&l, dump, strlen(dump), NULL),
	    0);
	assert_int_equal(l.n, 5);
	assert_string_equal(listener(&l, "a")->address, "[::1]:80");
	assert_string_equal(listener(&l, "a")->state, "rejected");
	assert_string_equal(listener(&l, "a")->error, "port taken");
	assert_string_equal(listener(&l, "a")->version, "l1");
	assert_string_equal(listener(&l, "b")->address, "unix:/p");
	assert_string_equal(listener(&l, "b")->state, "active");
	assert_string_equal(listener(&l, "c")->address, "envoy://i");
	assert_string_equal(listener(&l, "d")->state, "warming");
	assert_string_equal(listener(&l, "e")->state, "draining");
	envoy_listeners_release(&l);
}

#define ROUTES(routes) DUMP("\"route_config\":{\"name\":\"main\"," \
	"\"virtual_hosts\":[{\"name\":\"shop\",\"domains\":[\"s.example\"," \
	"\"*\"],\"retry_policy\":{\"retry_on\":\"5xx\",\"num_retries\":2}," \
	"\"routes\":[" routes "]}]}")

static void routes(void **state)
{
	static const char dump[] = ROUTES(
	    "{\"match\":{\"prefix\":\"/o\"},\"route\":{\"weighted_clusters\":"
	    "{\"clusters\":[{\"name\":\"orders\",\"weight\":90},{\"name\":"
	    "\"next\",\"weight\":0},{\"name\":\"orders\",\"weight\":10}]},"
	    "\"timeout\":\"0.250s\",\"retry_policy\":{\"retry_on\":"
	    "\"connect-failure\"}}},"
	    "{\"match\":{\"safe_regex\":{\"regex\":\"/r.*\"},\"headers\":["
	    "{\"name\":\":method\",\"string_match\":{\"exact\":\"GET\"}},"
	    "{\"name\":\"x\",\"invert_match\":true,\"present_match\":true}]},"
	    "\"route\":{\"cluster_header\":\"x-c\",\"timeout\":\"0s\"}},"
	    "{\"match\":{\"path\":\"/d\"},\"direct_response\":"
	    "{\"status\":418}},"
	    "{\"match\":{\"path_separated_prefix\":\"/p\"},\"redirect\":{}}");
	struct envoy_routes r = {0};
	struct envoy_route *v;

	(void)state;
	assert_int_equal(envoy_routes(&r, dump, strlen(dump), NULL), 0);
	envoy_routes_number(&r);
	assert_int_equal(r.n, 6);
	v = r.v;	/* sorted by match: folder, path, prefix, regex */
	assert_string_equal(v[0].match, "folder /p");
	assert_string_equal(v[0].target, "(redirects)");
	assert_true(v[0].weight < 0 && v[0].timeout < 0 && v[0].retries < 0);
	assert_string_equal(v[1].target, "(answers 418)");
	assert_string_equal(v[2].target, "next");
	assert_int_equal(v[2].weight, 0);
	assert_string_equal(v[3].target, "orders");
	assert_string_equal(v[3].config, "main");
	assert_string_equal(v[3].host, "shop");
	assert_string_equal(v[3].domains, "[\"s.example\",\"*\"]");
	assert_int_equal(v[3].n, 1);
	assert_int_equal(v[3].weight, 90);
	assert_true(v[3].timeout == 0.25);
	assert_int_equal(v[3].retries, 1);
	assert_int_equal(v[4].n, 2);
	assert_int_equal(v[4].weight, 10);
	assert_string_equal(v[5].match,
	    "regex /r.* header :method=GET header not x");
	assert_string_equal(v[5].target, "(by header x-c)");
	assert_int_equal(v[5].weight, 100);
	assert_true(v[5].timeout == 0);
	assert_int_equal(v[5].retries, 2);
	envoy_routes_release(&r);
}

static void routes_that_are_none(void **state)
{
	static const char *const bad[] = { "{\"configs\":1}", "{\"x\":1}", "[",
	    DUMP("\"route_config\":{\"virtual_hosts\":{}}"),
	    DUMP("\"route_config\":{\"virtual_hosts\":[{\"routes\":1}]}") };
	static const char *const odd[] = { "{}", "{\"configs\":[]}",
	    "{\"configs\":[1,null,{}]}",
	    DUMP("\"route_config\":{\"virtual_hosts\":[1,{\"routes\":[1,{}]}]}"),
	    ROUTES("{\"route\":{\"timeout\":5,\"weighted_clusters\":"
		"{\"clusters\":[1,{\"weight\":\"x\"}]}}}") };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct envoy_routes r = {0};
		struct err err = {0};

		assert_int_equal(envoy_routes(&r, bad[i], strlen(bad[i]),
		    &err), -1);
		assert_int_equal(err.code, ERR_DATA);
		envoy_routes_release(&r);
	}
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct envoy_routes r = {0};

		assert_int_equal(envoy_routes(&r, odd[i], strlen(odd[i]),
		    NULL), 0);
		envoy_routes_number(&r);
		envoy_routes_release(&r);
	}
}

static void certificates(void **state)
{
#define C(path, serial, until) "{\"path\":\"" path "\",\"serial_number\":\"" \
	serial "\",\"subject_alt_names\":[{\"dns\":\"a\"},{\"uri\":\"s://b\"}," \
	"{\"ip_address\":\"::1\"}],\"days_until_expiration\":\"0\"," \
	"\"valid_from\":\"2026-11-23T02:41:49Z\",\"expiration_time\":\"" \
	until "\"}"
	static const char text[] = "{\"certificates\":[{\"ca_cert\":["
	    C("/ca", "1", "2026-11-23T02:41:49Z") "],\"cert_chain\":["
	    C("/x", "02", "1999-01-01T00:00:00Z")
	    "]},{\"ca_cert\":[" C("/ca", "1", "2026-11-23T02:41:49Z")
	    "],\"cert_chain\":[" C("/x", "01", "soon") ",{}]}]}";
	struct envoy_certs c = {0};

	(void)state;
	assert_int_equal(envoy_certs(&c, text, strlen(text), NULL), 0);
	assert_int_equal(c.n, 4);
	assert_string_equal(c.v[0].path, "");
	assert_string_equal(c.v[0].sans, "[]");
	assert_string_equal(c.v[1].path, "/ca");
	assert_string_equal(c.v[1].role, "ca");
	assert_string_equal(c.v[1].sans, "[\"a\",\"s://b\",\"::1\"]");
	assert_true(c.v[1].expires == INT64_C(1795401709000));
	assert_string_equal(c.v[2].serial, "01");
	assert_int_equal(c.v[2].n, 1);
	assert_int_equal(c.v[2].expires, 0);
	assert_string_equal(c.v[3].serial, "02");
	assert_int_equal(c.v[3].n, 2);
	assert_true(c.v[3].expires == INT64_C(915148800000));
	envoy_certs_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clusters_and_their_hosts),
		cmocka_unit_test(health_is_the_worst),
		cmocka_unit_test(clusters_that_are_none),
		cmocka_unit_test(every_cut_of_clusters_is_refused),
		cmocka_unit_test(stats_by_known_names),
		cmocka_unit_test(totals_without_the_admin),
		cmocka_unit_test(the_mark_moves_with_config_alone),
		cmocka_unit_test(stats_that_are_none),
		cmocka_unit_test(identity),
		cmocka_unit_test(types),
		cmocka_unit_test(listeners),
		cmocka_unit_test(routes),
		cmocka_unit_test(routes_that_are_none),
		cmocka_unit_test(certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
