/* The shop's customers: a steady stream of requests to its two gateways, by
 * the clock and not by the answers, so that slow answers are no fewer
 * requests. A connection a request: it outlives any proxy. */
#include "lab_shop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RATE = 30,		/* requests a second */
	SHOTS = 64,		/* on their way at a time; more are left out */
	PATIENCE = 5000,	/* ms that one waits */
};

/* What is asked in turn: about 24 requests a second at front, 6 at back. */
static const struct {
	int		 gateway;
	const char	*path;
} turns[] = {
	{ FRONT, "/orders" },
	{ FRONT, "/orders/payments" },
	{ FRONT, "/orders/stock" },
	{ FRONT, "/orders/payments" },
	{ BACK, "/orders/stock" },
	{ FRONT, "/orders" },
	{ FRONT, "/orders/payments" },
	{ FRONT, "/orders/stock" },
	{ FRONT, "/orders/payments" },
	{ BACK, "/orders" },
};
enum { TURNS = sizeof(turns) / sizeof(turns[0]) };

struct shot {
	int		 fd;		/* -1: free */
	int64_t		 until;
	const char	*path;
	bool		 asked;
};
struct traffic {
	struct shot	 shots[SHOTS];
	int		 port[PROXIES];
	int64_t		 sent, started;
};

static void drop(struct shot *s)
{
	close(s->fd);
	s->fd = -1;
}

static void shoot(struct traffic *t, int64_t now)
{
	size_t turn = (size_t)(t->sent % TURNS);
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)t->port[turns[turn].gateway]),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct shot *s = t->shots;

	while (s < t->shots + SHOTS && s->fd >= 0)
		s++;
	if (s == t->shots + SHOTS)
		return;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return;
	s->until = now + PATIENCE;
	s->path = turns[turn].path;
	s->asked = false;
	if (connect(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0 &&
	    errno != EINPROGRESS)
		drop(s);
}

/* The request is smaller than any socket's buffer: all of it goes at once. */
static bool ask(struct shot *s)
{
	char line[200];
	int n = snprintf(line, sizeof(line), "GET %s HTTP/1.1\r\n"
	    "host: shop.lab\r\nuser-agent: kiban-lab\r\n"
	    "connection: close\r\n\r\n", s->path);

	s->asked = true;
	return send(s->fd, line, (size_t)n, MSG_NOSIGNAL) == n;
}

/* Reads what came; false at its end. */
static bool hear(struct shot *s)
{
	char rest[4096];
	ssize_t n = recv(s->fd, rest, sizeof(rest), 0);

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void serve(struct shot *s, short events, int64_t now)
{
	if (events & POLLOUT && !s->asked) {
		if (!ask(s))
			drop(s);
	} else if (events && !hear(s)) {
		drop(s);
	}
	if (s->fd >= 0 && now > s->until)
		drop(s);
}

static void wait_and_serve(struct traffic *t, int ms, int wake)
{
	struct pollfd p[SHOTS + 1];
	int64_t now;
	int i;

	for (i = 0; i < SHOTS; i++) {
		p[i].fd = t->shots[i].fd;
		p[i].events = t->shots[i].asked ? POLLIN : POLLOUT;
		p[i].revents = 0;
	}
	p[SHOTS] = (struct pollfd){ .fd = wake, .events = POLLIN };
	if (poll(p, SHOTS + 1, ms) < 0)
		return;
	now = clock_mono();
	for (i = 0; i < SHOTS; i++)
		if (p[i].fd >= 0)
			serve(&t->shots[i], p[i].revents, now);
}

/* Sends what is due. A clock that was away (a suspended machine) begins anew
 * instead of sending all that was missed. Returns ms to the next. */
static int send_due(struct traffic *t)
{
	int64_t now = clock_mono(), due;

	for (;;) {
		due = t->started + t->sent * 1000 / RATE;
		if (due > now)
			return (int)(due - now);
		if (due < now - 1000) {
			t->started = now;
			t->sent = 0;
			continue;
		}
		shoot(t, now);
		t->sent++;
	}
}

/* True while the shop is there; with it go the ports. */
static bool is_there(const char *dir)
{
	char *path = xasprintf("%s/ports.json", dir);
	bool there = !access(path, F_OK);

	free(path);
	return there;
}

int shop_traffic(struct run *r, const char *dir, struct err *err)
{
	struct traffic t = { .started = clock_mono() };
	int64_t look = 0;
	struct shop s;
	int i, ms;

	if (shop_load(&s, dir, err) < 0)
		return -1;
	if (!s.tls_port)
		return err_set(err, ERR_FAILED,
		    "the lab is not up: kiban lab up starts it");
	for (i = 0; i < SHOTS; i++)
		t.shots[i].fd = -1;
	for (i = 0; i < PROXIES; i++)
		t.port[i] = s.port[i][0];
	while (!task_cancelled(r->task)) {
		if (clock_mono() >= look) {
			if (!is_there(dir))
				break;
			look = clock_mono() + 1000;
		}
		ms = send_due(&t);
		wait_and_serve(&t, ms, task_fd(r->task));
	}
	for (i = 0; i < SHOTS; i++)
		if (t.shots[i].fd >= 0)
			drop(&t.shots[i]);
	return 0;
}
