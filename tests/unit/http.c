/* http.h against a server that misbehaves, over real sockets. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <cmocka.h>

#include "faulty.h"

/* ms in which a cancelled task has left; what a sanitizer adds is not ours. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SOON	1000
#else
#define SOON	200
#endif
#include "http_impl.h"
#include "value.h"

/* A resolver that answers late, in place of the C library's. */
int getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **out)
{
	static __typeof__(&getaddrinfo) real;
	void *f = dlsym(RTLD_NEXT, "getaddrinfo");

	memcpy(&real, &f, sizeof(f));
	if (node && strcmp(node, "missing.test") == 0)
		return EAI_NONAME;
	if (node && strcmp(node, "slow.test") == 0) {
		sleep(3);
		return EAI_AGAIN;
	}
	return real(node, service, hints, out);
}

static struct http_response r;
static struct err err;

static int setup(void **state)
{
	(void)state;
	return faulty_start(NULL);
}

static int teardown(void **state)
{
	(void)state;
	faulty_stop();
	return 0;
}

static int before(void **state)
{
	(void)state;
	err = (struct err){0};
	return faulty_ask("/reset-count") < 0;
}

static int after(void **state)
{
	(void)state;
	http_response_release(&r);
	return 0;
}

static int answered(const struct http_request *q)
{
	http_response_release(&r);
	return http_do(NULL, q, &r, &err);
}

static int asked(const struct http_request *q)
{
	http_response_release(&r);
	return http_get(NULL, q, &r, &err);
}

static int get(const char *target, int64_t timeout)
{
	struct http_request q = {
		.url = faulty.url, .target = target, .what = "envoy a",
		.timeout = timeout,
	};

	return asked(&q);
}

static void fails(const char *target, enum err_code code, const char *text)
{
	assert_int_equal(get(target, 2000), -1);
	assert_string_equal(err.text, text);
	assert_int_equal(err.code, code);
}

static void test_answer(void **state)
{
	char *type;

	(void)state;
	assert_int_equal(get("/ok?x=1", 0), 0);
	assert_int_equal(r.status, 200);
	assert_string_equal(buf_str(&r.body), "{\"ok\":true}\n");
	type = http_header(&r, "content-type");
	assert_string_equal(type, "application/json");
	free(type);
	assert_null(http_header(&r, "content"));
	assert_non_null(strstr(buf_str(&r.headers), "Content-Length: 12\n"));
}

static void test_request(void **state)
{
	static const char *const headers[] = { "X-One: 1", NULL };
	struct http_request q = {
		.url = faulty.url, .target = "/echo", .method = "POST",
		.headers = headers, .body = "a\0b", .body_size = 3,
	};
	const char *s;

	(void)state;
	assert_int_equal(asked(&q), 0);
	s = buf_str(&r.body);
	assert_memory_equal(s, "POST /echo HTTP/1.1\r\n", 21);
	assert_non_null(strstr(s, "X-One: 1\r\n"));
	assert_non_null(strstr(s, "User-Agent: kiban\r\n"));
	assert_non_null(strstr(s, "Content-Length: 3\r\n"));
	assert_null(strstr(s, "Expect"));
	assert_null(strstr(s, "Content-Type"));
}

static void test_statuses(void **state)
{
	(void)state;
	fails("/status/401", ERR_REFUSED, "envoy a: GET /status/401: "
	    "answered 401 Faulty: as you wished");
	fails("/status/403?k=v", ERR_REFUSED, "envoy a: GET /status/403: "
	    "answered 403 Faulty: as you wished");
	fails("/nowhere", ERR_DATA, "envoy a: GET /nowhere: "
	    "answered 404 Faulty: no such path");
	fails("/status/500", ERR_DATA, "envoy a: GET /status/500: "
	    "answered 500 Faulty: as you wished");
	fails("/redirect", ERR_DATA, "envoy a: GET /redirect: "
	    "answered 302 Faulty, a redirect, which is not followed");
	assert_int_equal(faulty_ask("/count"), 5);
}

static void test_throttled(void **state)
{
	(void)state;
	/* It wouldn't be over before the limit: not waited for. */
	fails("/status/429/30", ERR_THROTTLED, "envoy a: GET /status/429/30: "
	    "answered 429 Faulty: as you wished, come back in 30s");
	assert_int_equal(err.retry_after, 30000);
	fails("/status/503/7", ERR_THROTTLED, "envoy a: GET /status/503/7: "
	    "answered 503 Faulty: as you wished, come back in 7s");
	assert_int_equal(err.retry_after, 7000);
	assert_int_equal(faulty_ask("/count"), 2);
	assert_int_equal(get("/status/503", 2000), -1);
	assert_int_equal(err.code, ERR_DATA);
	assert_int_equal(err.retry_after, 0);
}

static void test_repeats(void **state)
{
	struct http_request q = {
		.url = faulty.url, .target = "/flaky/2/503",
	};

	(void)state;
	assert_int_equal(get("/flaky/2/503", 0), 0);
	assert_int_equal(faulty_ask("/count"), 3);
	faulty_ask("/reset-count");
	assert_int_equal(get("/flaky/9/502", 0), -1);
	assert_int_equal(faulty_ask("/count"), 3);

	q.once = true;
	faulty_ask("/reset-count");
	assert_int_equal(answered(&q), 0);
	assert_int_equal(r.status, 503);
	assert_int_equal(faulty_ask("/count"), 1);

	q.once = false;
	q.method = "POST";
	faulty_ask("/reset-count");
	assert_int_equal(answered(&q), 0);
	assert_int_equal(r.status, 503);
	assert_int_equal(faulty_ask("/count"), 1);

	q.repeat = true;
	faulty_ask("/reset-count");
	assert_int_equal(answered(&q), 0);
	assert_int_equal(r.status, 200);
	assert_int_equal(faulty_ask("/count"), 3);
}

static void test_retry_after(void **state)
{
	int64_t began = clock_mono();

	(void)state;
	assert_int_equal(get("/status/429/1", 2500), -1);
	assert_in_range(clock_mono() - began, 1000, 2600);
	assert_int_equal(faulty_ask("/count"), 2 + (clock_mono() - began > 2000));
}

static void test_broken(void **state)
{
	(void)state;
	fails("/truncated", ERR_DATA, "envoy a: GET /truncated: "
	    "the answer broke off after 8 bytes");
	fails("/close", ERR_UNREACHABLE, "envoy a: GET /close: "
	    "closed without an answer");
	fails("/reset", ERR_DATA, "envoy a: GET /reset: connection reset");
	fails("/garbage", ERR_DATA, "envoy a: GET /garbage: "
	    "the answer is not HTTP");
	fails("/headers", ERR_DATA, "envoy a: GET /headers: "
	    "the answer's headers are over 256 KB");
	assert_int_equal(faulty_ask("/count"), 5);
	assert_int_equal(get("/wrong-length", 0), 0);
	assert_int_equal(r.body.n, 4);
}

static void test_bound(void **state)
{
	struct rusage use;

	(void)state;
	fails("/huge", ERR_DATA, "envoy a: GET /huge: "
	    "the answer is over 64 MB");
	fails("/huge-length", ERR_DATA, "envoy a: GET /huge-length: "
	    "the answer is over 64 MB");
	getrusage(RUSAGE_SELF, &use);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_true(use.ru_maxrss < 150 * 1000);
#endif
}

static void test_to_file(void **state)
{
	FILE *f = tmpfile();
	struct http_request q = {
		.url = faulty.url, .target = "/ok", .to_fd = fileno(f),
	};
	char text[40] = "";

	(void)state;
	assert_int_equal(asked(&q), 0);
	assert_int_equal(r.body.n, 0);
	rewind(f);
	assert_int_equal(fread(text, 1, sizeof(text), f), 12);
	assert_string_equal(text, "{\"ok\":true}\n");

	q.target = "/nowhere";
	assert_int_equal(asked(&q), -1);
	assert_string_equal(buf_str(&r.body), "no such path\n");

	q.target = "/huge";
	q.max = 200000;
	q.what = "envoy a";
	assert_int_equal(asked(&q), -1);
	assert_string_equal(err.text,
	    "envoy a: GET /huge: the answer is over 200000 bytes");
	fclose(f);
}

static void test_socket(void **state)
{
	struct http_request q = {
		.url = faulty.socket, .target = "/ok", .what = "envoy u",
	};
	char path[200] = "unix:/";
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(asked(&q), 0);
	assert_string_equal(buf_str(&r.body), "{\"ok\":true}\n");

	q.url = "unix:/tmp/kiban-no-such.sock";
	q.target = "/clusters?format=json";
	assert_int_equal(asked(&q), -1);
	assert_string_equal(err.text, "envoy u: GET /clusters: no such socket");
	assert_int_equal(err.code, ERR_UNREACHABLE);

	/* Bound and not listened to: what a dead Envoy leaves. */
	snprintf(path, sizeof(path), "unix:%s/dead", faulty.dir);
	strcpy(un.sun_path, path + 5);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	q.url = path;
	assert_int_equal(asked(&q), -1);
	assert_string_equal(err.text,
	    "envoy u: GET /clusters: connection refused");
	unlink(path + 5);

	memset(path + 6, 'x', 150);
	assert_int_equal(asked(&q), -1);
	assert_non_null(strstr(err.text, "at most 107 bytes, this has 151"));
}

static void test_words(void **state)
{
	struct http_request q = {
		.url = "http://127.0.0.1:1", .target = "/clusters?a=b",
		.what = "envoy http://127.0.0.1:1",
	};

	(void)state;
	assert_int_equal(asked(&q), -1);
	assert_string_equal(err.text,
	    "envoy http://127.0.0.1:1: GET /clusters: connection refused");
	assert_int_equal(err.code, ERR_UNREACHABLE);

	q.url = "http://missing.test";
	q.what = NULL;
	assert_int_equal(asked(&q), -1);
	assert_string_equal(err.text,
	    "http://missing.test: GET /clusters: name not found");

	q.url = "file:///etc/passwd";
	q.target = NULL;
	assert_int_equal(asked(&q), -1);
	assert_string_equal(err.text, "file:///etc/passwd: not a URL that "
	    "kiban can ask: http://, https:// or unix:/path");
	assert_int_equal(err.code, ERR_FAILED);
	q.url = "http://";
	assert_int_equal(asked(&q), -1);
	assert_int_equal(err.code, ERR_FAILED);
}

static void test_timeout(void **state)
{
	int64_t began = clock_mono();

	(void)state;
	assert_int_equal(get("/stall", 300), -1);
	assert_string_equal(err.text,
	    "envoy a: GET /stall: timed out after 0.3s");
	assert_int_equal(err.code, ERR_UNREACHABLE);
	assert_int_equal(get("/slow-headers", 300), -1);
	assert_in_range(clock_mono() - began, 600, 900);
	assert_int_equal(faulty_ask("/count"), 2);
}

static void test_link(void **state)
{
	struct http_link *l = NULL;
	struct http_request q = {
		.url = faulty.url, .target = "/ok", .link = &l,
	};
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		assert_int_equal(asked(&q), 0);
	}
	/* One for these, one for the question. */
	assert_int_equal(faulty_ask("/connections"), 2);

	/* A connection that ended since the last call is no fault. */
	q.target = "/close-after";
	for (i = 0; i < 5; i++) {
		assert_int_equal(asked(&q), 0);
	}
	http_close(l);
}

/* What must be sent once is, also where a kept connection breaks. */
static void test_link_once(void **state)
{
	struct http_link *l = NULL;
	struct http_request q = {
		.url = faulty.url, .target = "/ok", .link = &l,
	};

	(void)state;
	assert_int_equal(asked(&q), 0);
	q.method = "POST";
	q.target = "/close";
	assert_int_equal(asked(&q), -1);
	assert_int_equal(faulty_ask("/count"), 2);
	http_close(l);
}

/* ---- cancel --------------------------------------------------------- */

static int ask(struct task *t, void *arg, struct err *e)
{
	struct http_response mine;
	int result = http_get(t, arg, &mine, e);

	http_response_release(&mine);
	return result;
}

/* Until this process only waits: after the first bytes of TLS curl loads all
 * certificates, 50 ms of work, or a second where memory is watched. */
static void settle(void)
{
	clock_t used, before;
	int i;

	used = clock();
	for (i = 0; i < 100; i++) {
		usleep(100000);
		before = used;
		used = clock();
		if (used - before < CLOCKS_PER_SEC / 100)
			return;
	}
}

/* listener: where its first bytes are awaited; -1. */
static void cancels_at(const char *url, const char *target, int listener)
{
	struct http_request q = { .url = url, .target = target };
	struct task *t = task_start("mesh", "ask", ask, &q, NULL);
	struct task_info i;
	int64_t began, took;
	bool early;
	int fd = -1;
	char c;

	if (listener >= 0) {
		fd = accept(listener, NULL, NULL);
		assert_int_equal(recv(fd, &c, 1, 0), 1);
		settle();
	} else {
		usleep(150000);
	}
	early = task_ended(t);
	began = clock_mono();
	task_cancel(t);
	while (!task_ended(t))
		usleep(1000);
	took = clock_mono() - began;
	task_info(t, &i);
	/* It reads our stack: it ends before anything here can fail. */
	task_free(t);
	if (fd >= 0)
		close(fd);
	assert_false(early);
	assert_in_range(took, 0, SOON);
	assert_int_equal(i.state, TASK_CANCELLED);
	assert_int_equal(i.err.code, ERR_CANCELLED);
}

static void cancels(const char *url, const char *target)
{
	cancels_at(url, target, -1);
}

static void test_cancel_answer(void **state)
{
	(void)state;
	cancels(faulty.url, "/silent");
	cancels(faulty.url, "/stall");
	cancels(faulty.url, "/slow-headers");
	cancels(faulty.socket, "/stall");
	/* In the pause before a repeat. */
	cancels(faulty.url, "/status/503/5");
}

static void test_cancel_dns(void **state)
{
	(void)state;
	cancels("http://slow.test", "/");
}

/* A socket whose backlog is full: connecting hangs. */
static void test_cancel_connect(void **state)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0), filling[3], i;
	char url[64];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(listen(fd, 0), 0);
	getsockname(fd, (struct sockaddr *)&in, &n);
	for (i = 0; i < 3; i++) {
		filling[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(filling[i], (struct sockaddr *)&in, n);
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(in.sin_port));
	cancels(url, "/");
	for (i = 0; i < 3; i++)
		close(filling[i]);
	close(fd);
}

/* A server that accepts, and says nothing of TLS. */
static void test_cancel_tls(void **state)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char url[64];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(listen(fd, 10), 0);
	getsockname(fd, (struct sockaddr *)&in, &n);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d", ntohs(in.sin_port));
	cancels_at(url, "/", fd);
	close(fd);
}

/* ---- TLS ------------------------------------------------------------ */

static pid_t tls_server(const char *dir, const char *name, char *url,
    size_t size)
{
	char line[1000];
	int port = 20000 + getpid() % 20000;
	pid_t pid;

	snprintf(line, sizeof(line), "openssl req -x509 -newkey rsa:2048 "
	    "-nodes -subj /CN=x -addext subjectAltName=%s -days 1 "
	    "-keyout %s/key -out %s/cert 2>/dev/null", name, dir, dir);
	if (system(line) != 0)
		return -1;
	snprintf(url, size, "https://127.0.0.1:%d", port);
	snprintf(line, sizeof(line), "exec openssl s_server -quiet -www -key "
	    "%s/key -cert %s/cert -accept 127.0.0.1:%d >/dev/null 2>&1", dir,
	    dir, port);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(1);
	}
	return pid;
}

static void tls_case(const char *name, bool trusted, const char *error)
{
	char url[64], cert[100], text[200];
	struct http_request q = { .url = url, .ca = trusted ? cert : NULL };
	pid_t pid = tls_server(faulty.dir, name, url, sizeof(url));
	int i, result = -1;

	if (pid < 0)
		skip();
	snprintf(cert, sizeof(cert), "%s/cert", faulty.dir);
	for (i = 0; i < 50; i++) {
		result = asked(&q);
		if (result == 0 || !strstr(err.text, "connection refused"))
			break;
		usleep(100000);
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	unlink(cert);
	snprintf(text, sizeof(text), "%s/key", faulty.dir);
	unlink(text);
	if (!error) {
		assert_int_equal(result, 0);
		return;
	}
	snprintf(text, sizeof(text), "%s: GET /: %s", url, error);
	assert_int_equal(result, -1);
	assert_string_equal(err.text, text);
	assert_int_equal(err.code, ERR_UNREACHABLE);
}

static void test_tls(void **state)
{
	(void)state;
	tls_case("IP:127.0.0.1", true, NULL);
	tls_case("IP:127.0.0.1", false, "TLS: self-signed certificate");
	tls_case("DNS:other.example", true, "certificate is for another name");
}

static void test_tls_plain(void **state)
{
	char url[100];
	struct http_request q = { .url = url };

	(void)state;
	snprintf(url, sizeof(url), "https%.60s", faulty.url + 4);
	assert_int_equal(asked(&q), -1);
	assert_non_null(strstr(err.text, "GET /: TLS: "));
	q.ca = "/no/such/file";
	assert_int_equal(asked(&q), -1);
	assert_non_null(strstr(err.text, "/no/such/file"));
}

/* ---- trace ---------------------------------------------------------- */

static void redacts(const char *line, const char *expected)
{
	struct buf out = {0};

	http_redact(&out, line, strlen(line));
	assert_string_equal(buf_str(&out), expected);
	buf_free(&out);
}

static void test_redact(void **state)
{
	(void)state;
	redacts("Host: a", "Host: a");
	redacts("authorization: Bearer x", "authorization: [redacted]");
	redacts("Proxy-Authorization: x", "Proxy-Authorization: [redacted]");
	redacts("Set-Cookie: a=b", "Set-Cookie: [redacted]");
	redacts("X-Amz-Security-Token: t", "X-Amz-Security-Token: [redacted]");
	redacts("GET /a?b=c&X-Amz-Signature=d&e=f HTTP/1.1",
	    "GET /a?b=c&X-Amz-Signature=[redacted]&e=f HTTP/1.1");
	redacts("GET /a?tok%65n=x HTTP/1.1",
	    "GET /a?tok%65n=[redacted] HTTP/1.1");
	redacts("GET /a?PASSWORD=&key=k", "GET /a?PASSWORD=[redacted]&key="
	    "[redacted]");
	redacts("Location: https://h/?Signature=x", "Location: https://h/?"
	    "Signature=[redacted]");
	redacts("GET /a?monkey=1&b&=", "GET /a?monkey=1&b&=");
	redacts("", "");
	redacts("?", "?");
	redacts("?token=", "?token=[redacted]");
}

/* Last: a trace stays on. */
static void test_trace(void **state)
{
	static const char *const headers[] = { "Authorization: Bearer s3cret",
	    NULL };
	struct http_request q = {
		.url = faulty.url, .target = "/ok?token=s3cret&a=b",
		.headers = headers, .method = "POST", .body = "s3cret",
		.body_size = 6,
	};
	char path[100], text[4000] = "";
	struct stat st;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/trace", faulty.dir);
	assert_int_equal(http_trace("/no/such/folder/x", &err), -1);
	assert_int_equal(http_trace(path, &err), 0);
	assert_int_equal(asked(&q), 0);
	q.url = "http://127.0.0.1:1";
	assert_int_equal(asked(&q), -1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	f = fopen(path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	unlink(path);
	assert_null(strstr(text, "s3cret"));
	assert_non_null(strstr(text, "> POST /ok?token=[redacted]&a=b"));
	assert_non_null(strstr(text, "> Authorization: [redacted]\n"));
	assert_non_null(strstr(text, "> (6 bytes)\n"));
	assert_non_null(strstr(text, "< HTTP/1.1 200 Faulty\n"));
	assert_non_null(strstr(text, "< (12 bytes, "));
	assert_non_null(strstr(text, "! connection refused (0 bytes, "));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, before, after)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_answer),
		TEST(test_request),
		TEST(test_statuses),
		TEST(test_throttled),
		TEST(test_repeats),
		TEST(test_retry_after),
		TEST(test_broken),
		TEST(test_bound),
		TEST(test_to_file),
		TEST(test_socket),
		TEST(test_words),
		TEST(test_timeout),
		TEST(test_link),
		TEST(test_link_once),
		TEST(test_cancel_answer),
		TEST(test_cancel_dns),
		TEST(test_cancel_connect),
		TEST(test_cancel_tls),
		TEST(test_tls),
		TEST(test_tls_plain),
		TEST(test_redact),
		TEST(test_trace),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
