/* The mesh's part of the lab: a small shop of real Envoys with its traffic,
 * and the ways to break it. How it is wired: lab_shop.h. */
#include "lab_shop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- up, down ------------------------------------------------------------ */

static int start_missing(const struct shop *s, struct err *err)
{
	char *envoy = NULL;
	int i, rc = 0;

	/* From the last: who is called stands before who calls. */
	for (i = PROXIES - 1; i >= 0 && rc == 0; i--) {
		if (!shop_wants(s, i) || lab_pid(s->dir, shop_proxies[i].name))
			continue;
		if (!envoy)
			envoy = shop_envoy(err);
		rc = envoy ? shop_start(s, i, envoy, err) : -1;
	}
	free(envoy);
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
	struct err ignored;
	struct shop s;
	int i;

	(void)r, (void)err;
	/* What can't be read of the folder goes as well. */
	shop_load(&s, dir, &ignored);
	lab_end(dir, "traffic");
	for (i = 0; i < PROXIES; i++)
		lab_end(dir, shop_proxies[i].name);
	shop_leave(&s);
	return 0;
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
	set_state(p, !shop_wants(s, proxy) ? "broken" : p->pid ? "up" : "down");
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
	const struct shop_slow *slow = &shop_slows[s->slow];
	const struct shop_proxy *x = &shop_proxies[slow->proxy];

	snprintf(p->part, sizeof(p->part), "%s", x->name);
	snprintf(p->text, sizeof(p->text), "a service, answers in %d ms",
	    shop_is_broken(s, FAULT_SLOW) ? slow->ms : x->delay);
	set_state_of(s, FAULT_SLOW, slow->proxy, p);
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
	if ((f == FAULT_SLOW && shop_slower(&s, err) < 0) ||
	    set_broken(&s, (enum fault)f, true, err) < 0 ||
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
		envoy = shop_envoy(err);
		rc = envoy ? shop_start(s, BROKEN_PROXY, envoy, err) : -1;
		free(envoy);
	}
	if (rc < 0)
		return -1;
	while ((rc = shop_is_up(r, s, BROKEN_PROXY, &why, err)) == 0) {
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

static int ready(struct buf *what, struct err *err)
{
	char *envoy = shop_envoy(err);

	if (!envoy)
		return -1;
	buf_addf(what, "Envoy: %s", envoy);
	free(envoy);
	return 0;
}

const struct lab mesh_lab = {
	.up = up,
	.wait = shop_wait,
	.down = down,
	.status = status,
	.faults = shop_faults,
	.break_ = break_it,
	.mend = mend,
	.traffic = shop_traffic,
	.ready = ready,
};
