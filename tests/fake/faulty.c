/* faulty [--unix PATH] [--always PATH]: an HTTP server that misbehaves as the
 * request's path says, or as --always says whatever was asked.
 *
 * It listens on a free TCP port of 127.0.0.1, prints the URL as one line, also
 * listens on the unix socket, and ends with its stdin or by a signal. A thread
 * a connection; connections are kept.
 *
 *	/count			requests so far, this one and /reset-count aside
 *	/connections		likewise: connections so far
 *	/reset-count		begins anew
 *	/ok /echo		200 with JSON; the request as text
 *	/status/CODE[/SECONDS]	that status, with Retry-After
 *	/flaky/N/CODE		that status N times since the last reset, then 200
 *	/html			200 and a page
 *	/json-cut		200, whole, but half a JSON document
 *	/truncated		Content-Length twice of what comes
 *	/slow-headers		a byte each 100 ms, without end
 *	/silent			nothing, without end
 *	/stall			a head and half a body, then nothing
 *	/reset			half a body, then RST
 *	/close			closed without an answer
 *	/close-after		a good answer, then closed without a word
 *	/huge /huge-length	1 GB chunked, with Content-Length
 *	/wrong-length		Content-Length half of what comes
 *	/headers		headers without end
 *	/redirect		302 to /ok
 *	/garbage		not HTTP
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GIGA	(1000L * 1000 * 1000)

static atomic_long count, flaky, connections;
static const char *always;

static bool put(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n > 0) {
		ssize_t w = send(fd, s, n, MSG_NOSIGNAL);

		if (w <= 0)
			return false;
		s += w;
		n -= w;
	}
	return true;
}

static bool putf(int fd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static bool putf(int fd, const char *fmt, ...)
{
	char text[8000];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return put(fd, text, n < (int)sizeof(text) ? n : (int)sizeof(text) - 1);
}

static bool answer(int fd, int status, const char *more, const char *type,
    const char *body)
{
	return putf(fd, "HTTP/1.1 %d Faulty\r\n%sContent-Type: %s\r\n"
	    "Content-Length: %zu\r\n\r\n%s", status, more, type, strlen(body),
	    body);
}

/* Until the client leaves. */
static bool hang(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	poll(&p, 1, 60000);
	return false;
}

static bool huge(int fd, bool chunked)
{
	static char zeros[100000];
	long left;

	putf(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
	if (chunked)
		putf(fd, "Transfer-Encoding: chunked\r\n\r\n");
	else
		putf(fd, "Content-Length: %ld\r\n\r\n", GIGA);
	for (left = GIGA; left > 0; left -= (long)sizeof(zeros)) {
		if (chunked && !putf(fd, "%zx\r\n", sizeof(zeros)))
			return false;
		if (!put(fd, zeros, sizeof(zeros)))
			return false;
		if (chunked && !put(fd, "\r\n", 2))
			return false;
	}
	return !chunked || put(fd, "0\r\n\r\n", 5);
}

static bool cut_with_reset(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	putf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":");
	usleep(50000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	return false;
}

static bool drip(int fd, const char *line, int us)
{
	while (putf(fd, "%s", line))
		if (us)
			usleep(us);
	return false;
}

static bool status(int fd, const char *what)
{
	int code = 500, seconds = -1;
	char more[100] = "";

	sscanf(what, "%d/%d", &code, &seconds);
	if (seconds >= 0)
		snprintf(more, sizeof(more), "Retry-After: %d\r\n", seconds);
	return answer(fd, code, more, "text/plain", "as you wished\n");
}

static bool flake(int fd, const char *what)
{
	long n = 0;
	int code = 503;

	sscanf(what, "%ld/%d", &n, &code);
	return answer(fd, flaky++ < n ? code : 200, "", "application/json",
	    "{}\n");
}

/* 1 answered, 0 not about counts, -1 the connection is gone. */
static int counted(int fd, const char *path)
{
	char text[40];

	if (strcmp(path, "/reset-count") == 0)
		count = flaky = connections = 0;
	else if (strcmp(path, "/count") && strcmp(path, "/connections"))
		return 0;
	snprintf(text, sizeof(text), "%ld\n", strcmp(path, "/connections") ?
	    (long)count : (long)connections);
	return answer(fd, 200, "", "text/plain", text) ? 1 : -1;
}

static bool is(const char *path, const char *name, const char **rest)
{
	size_t n = strlen(name);

	*rest = path + n;
	return strncmp(path, name, n) == 0 &&
	    (name[n - 1] == '/' || !path[n] || path[n] == '?');
}

/* False: the connection ends here. */
static bool behave(int fd, const char *path, const char *request)
{
	static const char json[] = "application/json";
	const char *rest;

	if (is(path, "/ok", &rest))
		return answer(fd, 200, "", json, "{\"ok\":true}\n");
	if (is(path, "/echo", &rest))
		return answer(fd, 200, "", "text/plain", request);
	if (is(path, "/status/", &rest))
		return status(fd, rest);
	if (is(path, "/flaky/", &rest))
		return flake(fd, rest);
	if (is(path, "/html", &rest))
		return answer(fd, 200, "", "text/html",
		    "<!DOCTYPE html><title>Sign in</title>\n");
	if (is(path, "/json-cut", &rest))
		return answer(fd, 200, "", json, "{\"cluster_statuses\":[{\"na");
	if (is(path, "/truncated", &rest)) {
		putf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"half\":");
		return false;
	}
	if (is(path, "/slow-headers", &rest))
		return putf(fd, "HTTP/1.1 200 OK\r\nX-Slow: ") &&
		    drip(fd, "a", 100000);
	if (is(path, "/silent", &rest))
		return hang(fd);
	if (is(path, "/stall", &rest))
		return putf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n"
		    "{\"half\":") && hang(fd);
	if (is(path, "/reset", &rest))
		return cut_with_reset(fd);
	if (is(path, "/close", &rest))
		return false;
	if (is(path, "/close-after", &rest))
		return answer(fd, 200, "", json, "{}\n") && false;
	if (is(path, "/huge", &rest))
		return huge(fd, true);
	if (is(path, "/huge-length", &rest))
		return huge(fd, false);
	if (is(path, "/wrong-length", &rest))
		return putf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
		    "{\"a\":1}\n") && false;
	if (is(path, "/headers", &rest))
		return putf(fd, "HTTP/1.1 200 OK\r\n") &&
		    drip(fd, "X-More: and more and more and more\r\n", 0);
	if (is(path, "/redirect", &rest))
		return answer(fd, 302, "Location: /ok\r\n", "text/plain", "");
	if (is(path, "/garbage", &rest))
		return putf(fd, "220 mail.example.com ESMTP\r\n") && false;
	return answer(fd, 404, "", "text/plain", "no such path\n");
}

/* One request's head and body; false at the end. */
static bool read_request(int fd, char *out, size_t size)
{
	size_t n = 0, head, body = 0;
	const char *end, *length;

	for (;;) {
		ssize_t got = recv(fd, out + n, size - 1 - n, 0);

		if (got <= 0)
			return false;
		n += got;
		out[n] = '\0';
		/* TLS, most likely: what servers without it answer. */
		if (out[0] < 'A' || out[0] > 'Z')
			return answer(fd, 400, "", "text/plain", "") && false;
		end = strstr(out, "\r\n\r\n");
		if (end)
			break;
	}
	head = end + 4 - out;
	length = strcasestr(out, "\r\nContent-Length:");
	if (length && length < end)
		body = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	while (n < head + body && n < size - 1) {
		ssize_t got = recv(fd, out + n, size - 1 - n, 0);

		if (got <= 0)
			return false;
		n += got;
		out[n] = '\0';
	}
	return true;
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char request[6000], path[2000];
	int done;

	while (read_request(fd, request, sizeof(request))) {
		if (sscanf(request, "%*s %1999s", path) != 1)
			break;
		done = counted(fd, path);
		if (done < 0)
			break;
		if (done > 0)
			continue;
		count++;
		if (!behave(fd, always ? always : path, request))
			break;
	}
	close(fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	int listener = (int)(intptr_t)arg, fd;
	pthread_t t;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		connections++;
		if (pthread_create(&t, NULL, serve, (void *)(intptr_t)fd))
			close(fd);
		else
			pthread_detach(t);
	}
	return NULL;
}

static int listen_on(const struct sockaddr *a, socklen_t n)
{
	int fd = socket(a->sa_family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, a, n) < 0 || listen(fd, 200) < 0) {
		perror("faulty: listen");
		exit(1);
	}
	return fd;
}

static void start(int listener)
{
	pthread_t t;

	if (pthread_create(&t, NULL, accept_all, (void *)(intptr_t)listener))
		exit(1);
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t n = sizeof(in);
	int i, fd;

	for (i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--always") == 0) {
			always = argv[i + 1];
		} else if (strcmp(argv[i], "--unix") == 0) {
			snprintf(un.sun_path, sizeof(un.sun_path), "%s",
			    argv[i + 1]);
			unlink(un.sun_path);
			start(listen_on((struct sockaddr *)&un, sizeof(un)));
		}
	}
	fd = listen_on((struct sockaddr *)&in, sizeof(in));
	getsockname(fd, (struct sockaddr *)&in, &n);
	start(fd);
	printf("http://127.0.0.1:%d\n", ntohs(in.sin_port));
	fflush(stdout);
	while (getchar() != EOF)
		;
	if (un.sun_path[0])
		unlink(un.sun_path);
	return 0;
}
