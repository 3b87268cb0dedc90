/* Where the shop is: its ports, chosen free at the first start and kept, and
 * the folder of its sockets. */
#include "lab_shop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const struct shop_proxy shop_proxies[PROXIES] = {
	[FRONT] = { "front", 1, 0, "the shop's gateway, calls orders" },
	[BACK] = { "back", 1, 0, "the back office's gateway, calls orders" },
	[ORDERS] = { "orders", 3, 0, "takes orders, calls payments and stock" },
	[PAYMENTS] = { "payments", 2, 8, "takes money, calls nobody" },
	[STOCK] = { "stock", 3, 12, "knows what is there, calls nobody" },
};
const struct shop_slow shop_slows[SLOWS] = {
	{ PAYMENTS, 150 }, { STOCK, 150 }, { PAYMENTS, 500 }, { STOCK, 500 },
};
const char *const shop_faults[FAULTS + 1] = { "host", "slow", "proxy",
    "route", "cert", NULL };

bool shop_is_broken(const struct shop *s, enum fault f)
{
	return s->broken & 1u << f;
}

bool shop_wants(const struct shop *s, int proxy)
{
	return proxy != BROKEN_PROXY || !shop_is_broken(s, FAULT_PROXY);
}

char *shop_socket(const struct shop *s, int proxy)
{
	return xasprintf("%s/%s.sock", s->place, shop_proxies[proxy].name);
}

char *shop_certificate(const struct shop *s)
{
	return xasprintf("%s/front.pem", s->place);
}

static int load_ports(struct shop *s, struct err *err)
{
	char *path = xasprintf("%s/ports.json", s->dir);
	json_error_t why;
	json_t *all = access(path, F_OK) ? json_object() :
	    json_load_file(path, 0, &why);
	int i, k;

	if (!all) {
		err_set(err, ERR_FAILED, "lab: %s: %s: kiban lab down, then "
		    "up, makes it anew", path, why.text);
		free(path);
		return -1;
	}
	for (i = 0; i < PROXIES; i++)
		for (k = 0; k < PORTS_MAX; k++)
			s->port[i][k] = (int)json_integer_value(json_array_get(
			    json_object_get(all, shop_proxies[i].name), k));
	s->tls_port = (int)json_integer_value(json_object_get(all, "tls"));
	json_decref(all);
	free(path);
	return 0;
}

/* The number of the slow fault, and when it began; 0 for none so far. */
static time_t load_slow(struct shop *s)
{
	char *path = xasprintf("%s/slow", s->dir);
	FILE *f = fopen(path, "re");
	struct stat st = {0};

	free(path);
	if (!f)
		return 0;
	if (fscanf(f, "%d", &s->slow) != 1 || s->slow < 0 || s->slow >= SLOWS)
		s->slow = 0;
	if (fstat(fileno(f), &st) < 0)
		st.st_mtime = 0;
	fclose(f);
	return st.st_mtime;
}

int shop_slower(struct shop *s, struct err *err)
{
	time_t last = load_slow(s);
	char *path = xasprintf("%s/slow", s->dir), text[16];
	int rc;

	if (last + 3600 < time(NULL))
		s->slow = 0;
	else if (s->slow < SLOWS - 1)
		s->slow++;
	snprintf(text, sizeof(text), "%d\n", s->slow);
	/* What is the same is not written, and its time must be now. */
	unlink(path);
	rc = shop_write(path, text, strlen(text), err);
	free(path);
	return rc;
}

int shop_load(struct shop *s, const char *dir, struct err *err)
{
	char *path = xasprintf("%s/place", dir);
	FILE *f = fopen(path, "re");
	int i;

	free(path);
	*s = (struct shop){ .dir = dir };
	if (f) {
		if (!fgets(s->place, sizeof(s->place), f))
			s->place[0] = '\0';
		fclose(f);
	}
	for (i = 0; i < FAULTS; i++) {
		path = xasprintf("%s/broken.%s", dir, shop_faults[i]);
		if (!access(path, F_OK))
			s->broken |= 1u << i;
		free(path);
	}
	load_slow(s);
	return load_ports(s, err);
}

/* A socket's path has at most 107 bytes, and a pattern's characters in the
 * config would be one. */
static bool fits(const char *dir)
{
	return strlen(dir) + strlen("/235959/payments.sock") < 100 &&
	    !strpbrk(dir, "*?[\\\n");
}

static int choose_place(struct shop *s, struct err *err)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	time_t now = time(NULL);
	struct tm tm = {0};
	char *path;
	int rc;

	localtime_r(&now, &tm);

	if (s->place[0] && !access(s->place, W_OK))
		return 0;
	if (fits(s->dir)) {
		snprintf(s->place, sizeof(s->place), "%s/%02d%02d%02d", s->dir,
		    tm.tm_hour, tm.tm_min, tm.tm_sec);
		if (mkdir(s->place, 0700) < 0 && errno != EEXIST)
			return err_set(err, ERR_FAILED, "lab: %s: %s",
			    s->place, strerror(errno));
	} else {
		if (!run || run[0] != '/' || access(run, W_OK) ||
		    strlen(run) > 60 || !fits(run))
			run = "/tmp";
		snprintf(s->place, sizeof(s->place), "%s/kiban-lab-XXXXXX",
		    run);
		if (!mkdtemp(s->place))
			return err_set(err, ERR_FAILED, "lab: %s: %s",
			    s->place, strerror(errno));
	}
	path = xasprintf("%s/place", s->dir);
	rc = shop_write(path, s->place, strlen(s->place), err);
	free(path);
	return rc;
}

void shop_leave(const struct shop *s)
{
	static const char *const files[] = { "front.pem", "front-key.pem",
	    NULL };
	char *path;
	int i;

	if (!s->place[0])
		return;
	for (i = 0; i < PROXIES; i++) {
		path = shop_socket(s, i);
		unlink(path);
		free(path);
	}
	for (i = 0; files[i]; i++) {
		path = xasprintf("%s/%s", s->place, files[i]);
		unlink(path);
		free(path);
	}
	rmdir(s->place);
}

/* A socket bound to the port, 0 for any: nobody else listens there. -1. */
static int bound(int port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -1;
	/* As Envoy does: connections that ended just now don't count. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	close(fd);
	return -1;
}

static int choose_ports(struct shop *s, struct err *err)
{
	int *want[PROXIES * PORTS_MAX + 1], fd[PROXIES * PORTS_MAX + 1];
	struct sockaddr_in a;
	socklen_t size = sizeof(a);
	int n = 0, i, k, rc = 0;

	for (i = 0; i < PROXIES; i++)
		for (k = 0; k < shop_proxies[i].hosts; k++)
			want[n++] = &s->port[i][k];
	want[n++] = &s->tls_port;
	/* All are held until the last is chosen, so that no two are one. */
	for (i = 0; i < n; i++) {
		fd[i] = bound(0);
		if (fd[i] < 0 ||
		    getsockname(fd[i], (struct sockaddr *)&a, &size) < 0)
			rc = err_set(err, ERR_FAILED, "lab: no free port: %s",
			    strerror(errno));
		else
			*want[i] = ntohs(a.sin_port);
	}
	for (i = 0; i < n; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return rc;
}

static int save_ports(const struct shop *s, struct err *err)
{
	char *path = xasprintf("%s/ports.json", s->dir), *text;
	json_t *all = json_pack("{s:i}", "tls", s->tls_port);
	int i, k, rc;

	for (i = 0; i < PROXIES; i++) {
		json_t *list = json_array();

		for (k = 0; k < shop_proxies[i].hosts; k++)
			json_array_append_new(list,
			    json_integer(s->port[i][k]));
		json_object_set_new(all, shop_proxies[i].name, list);
	}
	text = json_dumps(all, 0);
	rc = shop_write(path, text, strlen(text), err);
	free(text);
	json_decref(all);
	free(path);
	return rc;
}

int shop_ports_free(const struct shop *s, int proxy, struct err *err)
{
	int ports[PORTS_MAX + 1] = {0}, k, fd;

	for (k = 0; k < shop_proxies[proxy].hosts; k++)
		ports[k] = s->port[proxy][k];
	if (proxy == FRONT)
		ports[k++] = s->tls_port;
	while (k-- > 0) {
		fd = bound(ports[k]);
		if (fd < 0)
			return err_set(err, ERR_FAILED, "lab: port %d of %s "
			    "is taken by another program: kiban lab down, then "
			    "up, chooses others", ports[k],
			    shop_proxies[proxy].name);
		close(fd);
	}
	return 0;
}

/* With nothing of the shop running, taken ports are no reason to fail. */
static bool may_choose(const struct shop *s)
{
	bool taken = false;
	struct err ignored;
	int i;

	if (!s->tls_port)
		return true;
	for (i = 0; i < PROXIES; i++) {
		if (lab_pid(s->dir, shop_proxies[i].name))
			return false;
		taken |= shop_ports_free(s, i, &ignored) < 0;
	}
	return taken;
}

int shop_place(struct shop *s, struct err *err)
{
	if (choose_place(s, err) < 0)
		return -1;
	if (!may_choose(s))
		return 0;
	/* The traffic of before would knock at the old ones. */
	lab_end(s->dir, "traffic");
	return choose_ports(s, err) < 0 ? -1 : save_ports(s, err);
}
