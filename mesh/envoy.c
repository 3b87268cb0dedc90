/* The source: one poll of one Envoy.
 *
 * Every poll asks /ready, /clusters and /stats by one filter. What config says
 * (types, listeners, routes, certificates) is asked when a version, a counter
 * of changes or the uptime moved, and once a minute; in between its rows are
 * confirmed. A proxy that answers as far as its state is alive, whatever else
 * fails: each answer that came is merged, the first failure is the poll's. */
#include "mesh.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_EVERY	60000		/* ms */
#define POLL_LIMIT	10000		/* ms, where the caller sets none */

enum doc { DOC_TYPES, DOC_LISTENERS, DOC_ROUTES, DOC_CERTS, DOCS };

/* Kept from poll to poll. */
struct memo {
	struct envoy_link	 link;
	bool			 opened;
	struct envoy_identity	 id;
	bool			 identified;
	struct envoy_types	 types;
	uint64_t		 mark, uptime;
	int64_t			 config_at;	/* clock_mono(); 0: never */
	bool			 good[DOCS];	/* read since then */
	bool			 closed[DOCS];	/* allow_paths keeps it from us */
};

struct poll {
	struct fetch	*f;
	struct memo	*memo;
	int64_t		 deadline;
	struct err	*err;		/* the first failure */
	bool		 failed;
	bool		 lost;		/* the proxy doesn't answer any more */
};

/* ---- asking and noting failures ------------------------------------------ */

static void note(struct poll *p, const struct err *e)
{
	if (!p->failed && p->err)
		*p->err = *e;
	p->failed = true;
	if (e->code == ERR_UNREACHABLE || e->code == ERR_CANCELLED)
		p->lost = true;
}

static void note_answer(struct poll *p, const char *target, struct err *e)
{
	err_prefix(e, "%s: GET %.*s", p->memo->link.what,
	    (int)strcspn(target, "?"), target);
	note(p, e);
}

/* A part of the config that this Envoy has no use for: route configs where
 * nothing speaks HTTP. */
static bool is_absent(const struct http_response *r)
{
	return r->status == 404 &&
	    strstr(buf_str(&r->body), "not found in config dump");
}

/* True when it answered, with an empty body where there is nothing to say. A
 * path that allow_paths keeps from us is *closed, no failure, where closed is
 * given. */
static bool get(struct poll *p, const char *target, struct http_response *r,
    bool *closed)
{
	struct err e = {0};

	*r = (struct http_response){0};
	if (p->lost)
		return false;
	if (envoy_get(&p->memo->link, p->f->task, target, p->deadline, r,
	    &e) == 0)
		return true;
	if (is_absent(r)) {
		buf_free(&r->body);
		return true;
	}
	if (closed && r->status == 403)
		*closed = true;
	else
		note(p, &e);
	http_response_release(r);
	return false;
}

/* Asks and parses into out. */
typedef int parse_fn(void *out, const char *text, size_t n, struct err *err);

static bool read_into(struct poll *p, const char *target, parse_fn *parse,
    void *out, bool *closed)
{
	struct http_response r;
	struct err e = {0};
	bool good;

	if (!get(p, target, &r, closed))
		return false;
	good = !r.body.n || parse(out, r.body.p, r.body.n, &e) == 0;
	if (!good)
		note_answer(p, target, &e);
	http_response_release(&r);
	return good;
}

/* ---- every poll ---------------------------------------------------------- */

/* Envoy's word for its state: 200 LIVE, 503 for the others. */
static bool ask_state(struct poll *p, char *state, size_t size)
{
	struct http_response r;
	struct err e = {0};
	const char *s;
	size_t n;

	if (envoy_ask(&p->memo->link, p->f->task, "GET", "/ready",
	    p->deadline, &r, &e) < 0) {
		note(p, &e);
		http_response_release(&r);
		return false;
	}
	s = buf_str(&r.body);
	n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	if ((r.status == 200 || r.status == 503) && n && n < size &&
	    s[n + strspn(s + n, "\r\n")] == '\0') {
		memcpy(state, s, n);
		state[n] = '\0';
		http_response_release(&r);
		return true;
	}
	if (r.status == 401 || r.status == 403)
		err_set(&e, ERR_REFUSED, "HTTP %d", r.status);
	else
		err_set(&e, ERR_DATA, "HTTP %d, and no state of an Envoy: is "
		    "this its admin address?", r.status);
	note_answer(p, "/ready", &e);
	http_response_release(&r);
	return false;
}

/* The text is kept with the poll: spans point into it. */
static bool ask_into(struct poll *p, const char *target,
    int (*parse)(struct envoy_poll *e, char *text, size_t n, struct err *err),
    struct envoy_poll *e, struct buf *text)
{
	struct http_response r;
	struct err why = {0};

	if (!get(p, target, &r, NULL))
		return false;
	*text = r.body;
	r.body = (struct buf){0};
	http_response_release(&r);
	if (!text->n)
		buf_addc(text, ' ');
	if (parse(e, text->p, text->n, &why) == 0)
		return true;
	note_answer(p, target, &why);
	return false;
}

/* ---- what config says ---------------------------------------------------- */

static int parse_identity(void *out, const char *s, size_t n, struct err *err)
{
	return envoy_identity(out, s, n, err);
}

static int parse_types(void *out, const char *s, size_t n, struct err *err)
{
	return envoy_types(out, s, n, err);
}

static int parse_listeners(void *out, const char *s, size_t n, struct err *err)
{
	return envoy_listeners(out, s, n, err);
}

static int parse_dump(void *out, const char *s, size_t n, struct err *err)
{
	return envoy_listeners_dump(out, s, n, err);
}

static int parse_routes(void *out, const char *s, size_t n, struct err *err)
{
	return envoy_routes(out, s, n, err);
}

static int parse_certs(void *out, const char *s, size_t n, struct err *err)
{
	return envoy_certs(out, s, n, err);
}

#define DUMP(resource, mask) "/config_dump?resource=" resource "&mask=" mask
#define NODE "bootstrap.node."

static void ask_identity(struct poll *p)
{
	bool closed = false;

	p->memo->identified = read_into(p, "/config_dump?mask=" NODE "id,"
	    NODE "cluster," NODE "user_agent_build_version.version",
	    parse_identity, &p->memo->id, &closed) || closed;
}

static bool ask_types(struct poll *p, bool *closed)
{
	static const char mask[] = "cluster.name,cluster.type,"
	    "cluster.lb_policy,cluster.cluster_type.name";
	struct envoy_types t = {0};
	char *fixed = xasprintf(DUMP("static_clusters", "%s"), mask);
	char *moving = xasprintf(DUMP("dynamic_active_clusters",
	    "%s,version_info"), mask);
	bool good = read_into(p, fixed, parse_types, &t, closed) &&
	    read_into(p, moving, parse_types, &t, closed);

	free(fixed);
	free(moving);
	if (good) {
		envoy_types_release(&p->memo->types);
		p->memo->types = t;
		envoy_types_sort(&p->memo->types);
	} else {
		envoy_types_release(&t);
	}
	return good;
}

static bool ask_listeners(struct poll *p, bool *closed)
{
	struct envoy_listeners l = {0};
	struct err e = {0};
	bool good = read_into(p, "/listeners?format=json", parse_listeners,
	    &l, closed) && read_into(p, DUMP("dynamic_listeners",
	    "name,active_state.version_info,warming_state.version_info,"
	    "draining_state.version_info,error_state.details"), parse_dump,
	    &l, closed);

	if (good && envoy_merge_listeners(p->f, &l, &e) < 0) {
		note(p, &e);
		good = false;
	}
	envoy_listeners_release(&l);
	return good;
}

static bool ask_routes(struct poll *p, bool *closed)
{
	struct envoy_routes v = {0};
	struct err e = {0};
	bool good = read_into(p, DUMP("static_route_configs",
	    "route_config.name,route_config.virtual_hosts"), parse_routes,
	    &v, closed) && read_into(p, DUMP("dynamic_route_configs",
	    "route_config.name,route_config.virtual_hosts"), parse_routes,
	    &v, closed);

	if (good) {
		envoy_routes_number(&v);
		if (envoy_merge_routes(p->f, &v, &e) < 0) {
			note(p, &e);
			good = false;
		}
	}
	envoy_routes_release(&v);
	return good;
}

static bool ask_certs(struct poll *p, bool *closed)
{
	struct envoy_certs v = {0};
	struct err e = {0};
	bool good = read_into(p, "/certs", parse_certs, &v, closed);

	if (good && envoy_merge_certs(p->f, &v, &e) < 0) {
		note(p, &e);
		good = false;
	}
	envoy_certs_release(&v);
	return good;
}

static const struct {
	bool			(*ask)(struct poll *p, bool *closed);
	const struct kind	*kind;		/* NULL: a part of clusters */
} docs[DOCS] = {
	[DOC_TYPES] = { ask_types, NULL },
	[DOC_LISTENERS] = { ask_listeners, &listener_kind },
	[DOC_ROUTES] = { ask_routes, &route_kind },
	[DOC_CERTS] = { ask_certs, &cert_kind },
};

static void confirm(struct poll *p, const struct kind *k)
{
	struct err e = {0};

	if (k && cache_confirm(p->f->cache, k, p->f->context->name,
	    p->f->backend->address, p->f->now, &e) < 0)
		note(p, &e);
}

/* Asks again what moved or failed; else the rows are as true as ever. */
static void look_at_config(struct poll *p, bool all)
{
	struct memo *m = p->memo;
	int i;

	for (i = 0; i < DOCS && !p->lost; i++) {
		if (all)
			m->good[i] = m->closed[i] = false;
		if (m->good[i])
			confirm(p, docs[i].kind);
		else if (!m->closed[i])
			m->good[i] = docs[i].ask(p, &m->closed[i]);
	}
}

/* A cluster whose type isn't known is one that came since. */
static bool knows_clusters(const struct memo *m, const struct envoy_poll *e)
{
	size_t i;

	for (i = 0; i < e->nclusters; i++)
		if (!envoy_types_find(&m->types, e->clusters[i].name))
			return m->closed[DOC_TYPES];
	return true;
}

/* Whether config has to be read, noted for the next time. */
static bool config_moved(struct poll *p, const struct envoy_totals *t,
    bool known)
{
	struct memo *m = p->memo;
	bool restarted = t->uptime < m->uptime;
	bool moved = p->f->forced || !m->config_at || restarted || !known ||
	    t->mark != m->mark || clock_mono() - m->config_at >= CONFIG_EVERY;

	if (restarted)
		m->identified = false;
	m->uptime = t->uptime;
	m->mark = t->mark;
	if (moved)
		m->config_at = clock_mono();
	return moved;
}

/* ---- one poll ------------------------------------------------------------ */

static void merge_all(struct poll *p, const struct envoy_poll *e,
    const char *state, bool clusters, bool stats)
{
	struct fetch *f = p->f;
	struct err why = {0};

	if (envoy_merge_proxy(f, &p->memo->id, state, &e->totals, &why) < 0 ||
	    (clusters && envoy_merge_endpoints(f, e, &why) < 0) ||
	    (clusters && stats &&
	    envoy_merge_clusters(f, e, &p->memo->types, &why) < 0))
		note(p, &why);
}

static void poll_once(struct poll *p)
{
	struct memo *m = p->memo;
	struct envoy_poll e = {0};
	bool clusters, stats;
	char state[40];

	if (!ask_state(p, state, sizeof(state)))
		return;
	clusters = ask_into(p, "/clusters?format=json", envoy_clusters, &e,
	    &e.clusters_text);
	stats = ask_into(p, envoy_stats_target, envoy_stats, &e,
	    &e.stats_text);
	/* Half of an answer's numbers would look like a restart. */
	if (!stats) {
		free(e.totals.time.v);
		e.totals = (struct envoy_totals){ .uptime = m->uptime,
		    .mark = m->mark };
	}
	if (config_moved(p, &e.totals, !clusters || knows_clusters(m, &e)) ||
	    !m->identified) {
		ask_identity(p);
		look_at_config(p, true);
	} else {
		look_at_config(p, false);
	}
	merge_all(p, &e, state, clusters, stats);
	envoy_poll_release(&e);
}

static int envoy_fetch(struct fetch *f, struct err *err)
{
	struct poll p = { .f = f, .err = err };

	if (!f->memo)
		f->memo = xcalloc(1, sizeof(struct memo));
	p.memo = f->memo;
	p.deadline = clock_mono() + (f->timeout > 0 ? f->timeout : POLL_LIMIT);
	if (!p.memo->opened) {
		if (envoy_link_open(&p.memo->link, f->session, f->backend,
		    f->task, err) < 0)
			return -1;
		p.memo->opened = true;
	}
	poll_once(&p);
	/* Credentials may have been renewed: they are read again. */
	if (p.failed && err && err->code == ERR_REFUSED) {
		envoy_link_close(&p.memo->link);
		p.memo->opened = false;
	}
	return p.failed ? -1 : 0;
}

static void envoy_forget(void *memo)
{
	struct memo *m = memo;

	if (!m)
		return;
	if (m->opened)
		envoy_link_close(&m->link);
	envoy_identity_release(&m->id);
	envoy_types_release(&m->types);
	free(m);
}

const struct source envoy_source = {
	.name = "envoy",
	.kinds = (const char *const[]){ "mesh_proxy", "mesh_listener",
	    "mesh_route", "mesh_cluster", "mesh_endpoint", "mesh_cert", NULL },
	.every = 5000,
	.backends = envoy_backends,
	.fetch = envoy_fetch,
	.round = envoy_round,
	.forget = envoy_forget,
};
