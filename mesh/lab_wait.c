/* Waiting for the shop: all proxies live, all hosts are healthy, traffic comes
 * through. Asked over the admin sockets, as anybody would. */
#include "lab_shop.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

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

	if (all < 0 || well < 0) {
		buf_addf(why, "%s does not answer", shop_proxies[proxy].name);
		return false;
	}
	if (proxy == ORDERS && shop_is_broken(s, FAULT_HOST))
		all--;
	if (well >= all)
		return true;
	buf_addf(why, "%s sees %lld of %lld hosts healthy",
	    shop_proxies[proxy].name, (long long)well, (long long)all);
	return false;
}

int shop_is_up(struct run *r, const struct shop *s, int proxy,
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

static int start_traffic(const struct shop *s, struct err *err)
{
	char *self = lab_self();
	char *argv[] = { self, "lab", "traffic", NULL };
	int rc = lab_spawn(s->dir, "traffic", argv, err);

	free(self);
	return rc;
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
		rc = shop_wants(s, i) ? shop_is_up(r, s, i, why, err) : 1;
		if (rc <= 0)
			return rc;
	}
	return is_busy(r, s, before, why, err);
}

int shop_wait(struct run *r, const char *dir, int64_t deadline,
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

