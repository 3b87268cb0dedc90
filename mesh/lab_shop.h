/* The shop that the lab runs, for the rooms mesh/lab*.c alone:
 *
 *	front ─┬─> orders ─┬─> payments
 *	back ──┘           └─> stock
 *
 * Five Envoys, each started from a file of its own. One that others call has
 * several hosts, each a listener that answers itself, late by a fault filter's
 * delay. What breaks is read from files that Envoy watches (runtime, routes,
 * the listener with TLS), so a state on disk is a state of the shop: `apply`
 * writes them from the faults, and twice is once.
 *
 * In the lab's folder: NAME.json, NAME.runtime.json, front.routes.json,
 * front.listeners.json, ports.json, place, slow, and an empty broken.FAULT for
 * each fault. Sockets and the certificate are in `place`: a folder in it, or,
 * where its path is too long for a socket, elsewhere. It is named anew at each
 * first start: proxies are named by their sockets, and those of this lab have
 * no past of another. */
#ifndef MESH_LAB_SHOP_H
#define MESH_LAB_SHOP_H

#include "lab.h"

enum { FRONT, BACK, ORDERS, PAYMENTS, STOCK, PROXIES };
enum { PORTS_MAX = 3 };

struct shop_proxy {
	const char	*name;		/* node id and node cluster */
	int		 hosts;		/* listeners; 0 ends */
	int		 delay;		/* ms of its first host; each further
					 * one takes 5 ms more */
	const char	*text;		/* for `lab status` */
};
extern const struct shop_proxy shop_proxies[PROXIES];

/* Faults, in the order of mesh_lab.faults. */
enum fault { FAULT_HOST, FAULT_SLOW, FAULT_PROXY, FAULT_ROUTE, FAULT_CERT,
    FAULTS };
extern const char *const shop_faults[FAULTS + 1];
enum {
	BROKEN_PROXY = BACK,		/* nobody calls it */
	BROKEN_HOST = 1,		/* of STOCK, from 0 */
	/* What orders takes where it asks nobody: longer than the others. */
	ORDERS_MS = 200,
	CERT_DAYS = 365, CERT_BROKEN_DAYS = 3,
	WEIGHT = 90,			/* of orders; orders-next has the rest */
};

/* The slow fault: which service, and how slow. A service is found slow by its
 * own hour, and that remembers: the next time is another's, then it is slower
 * than before. Each is over 100 ms and over 3 times what that service took so
 * far, but below 3 times what orders takes, which calls both: nobody else is
 * found slow by the same rule. */
struct shop_slow { int proxy, ms; };
enum { SLOWS = 4 };
extern const struct shop_slow shop_slows[SLOWS];

struct shop {
	const char	*dir;
	char		 place[100];
	int		 port[PROXIES][PORTS_MAX];	/* 0: not chosen yet */
	int		 tls_port;			/* front's */
	unsigned	 broken;			/* bits 1 << enum fault */
	int		 slow;		/* of shop_slows: now, or the last */
};

/* What the folder says; an empty one is no error. */
int shop_load(struct shop *s, const char *dir, struct err *err);
bool shop_is_broken(const struct shop *s, enum fault f);
/* False for the proxy that a break ended: it isn't missing. */
bool shop_wants(const struct shop *s, int proxy);
/* New: the admin socket's path; the certificate's. */
char *shop_socket(const struct shop *s, int proxy);
char *shop_certificate(const struct shop *s);

/* The next of shop_slows; the first after an hour without. */
int shop_slower(struct shop *s, struct err *err);

/* Chooses free ports and the place where none are known (lab_place.c). */
int shop_place(struct shop *s, struct err *err);
/* ERR_FAILED names a port of a proxy that somebody else listens on. */
int shop_ports_free(const struct shop *s, int proxy, struct err *err);
/* Removes what is outside the folder. */
void shop_leave(const struct shop *s);

/* Writes a proxy's bootstrap; the files that all watch, where they differ from
 * what the faults ask for (lab_config.c). */
int shop_bootstrap(const struct shop *s, int proxy, struct err *err);
int shop_apply(const struct shop *s, struct err *err);
/* Writes a file whole, by rename, unless it holds that text already. */
int shop_write(const char *path, const char *text, size_t n, struct err *err);

/* Sees to a certificate that ends in days (lab_cert.c): makes one, with its
 * key beside it (front-key.pem of front.pem), unless there is one of which
 * between a half and all of those days are left. serial: 41 bytes, its serial
 * number in hex. */
int shop_renew(const char *path, int days, char *serial, struct err *err);
/* End of the certificate, seconds since 1970; 0 when there is none. */
int64_t shop_expires(const char *path);

/* New: Envoy's program: $KIBAN_ENVOY, the build's, one in PATH (lab_envoy.c).
 * ERR_FAILED says how to get one. */
char *shop_envoy(struct err *err);
int shop_start(const struct shop *s, int proxy, const char *envoy,
    struct err *err);

/* 1: the proxy is live and sees its hosts healthy; 0: not yet, and why; -1: it
 * ended (lab_wait.c). */
int shop_is_up(struct run *r, const struct shop *s, int proxy,
    struct buf *why, struct err *err);
/* Waits for all of it, starts the traffic, waits for that. */
int shop_wait(struct run *r, const char *dir, int64_t deadline,
    struct err *err);

/* Sends until cancelled, or until the shop is gone (lab_traffic.c). */
int shop_traffic(struct run *r, const char *dir, struct err *err);

#endif
