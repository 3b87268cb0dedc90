/* HTTP over libcurl: one blocking call that can be told to stop.
 *
 * Each call drives a multi handle of its own (or its link's), because only
 * there can the wait watch the task's descriptor beside the sockets: in DNS,
 * in connect, in TLS, in a body that stalls. The time limit is ours, not
 * curl's: it spans the repeats and is said as people typed it.
 *
 * libcurl costs 4 ms to load, more than the rest of a run that only reads the
 * cache, so it is loaded at the first call. The prototypes are the header's. */
#include "http.h"

#include <curl/curl.h>
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/un.h>
#include <unistd.h>

#include "http_impl.h"
#include "value.h"

#define BODY_MAX	(64 * 1000 * 1000)
#define HEADERS_MAX	(256 * 1000)
#define TIMEOUT		10000
#define TRIES		3
#define PAUSE		200	/* ms before the second try, doubled */

static struct {
	__typeof__(&curl_global_init)		global_init;
	__typeof__(&curl_easy_init)		easy_init;
	__typeof__(&curl_easy_setopt)		setopt;
	__typeof__(&curl_easy_getinfo)		getinfo;
	__typeof__(&curl_easy_reset)		easy_reset;
	__typeof__(&curl_easy_cleanup)		easy_cleanup;
	__typeof__(&curl_easy_strerror)		strerror;
	__typeof__(&curl_multi_init)		multi_init;
	__typeof__(&curl_multi_setopt)		multi_setopt;
	__typeof__(&curl_multi_add_handle)	multi_add;
	__typeof__(&curl_multi_remove_handle)	multi_remove;
	__typeof__(&curl_multi_perform)		perform;
	__typeof__(&curl_multi_poll)		poll;
	__typeof__(&curl_multi_info_read)	info_read;
	__typeof__(&curl_multi_cleanup)		multi_cleanup;
	__typeof__(&curl_slist_append)		slist_append;
	__typeof__(&curl_slist_free_all)	slist_free;
	__typeof__(&curl_url)			url;
	__typeof__(&curl_url_set)		url_set;
	__typeof__(&curl_url_get)		url_get;
	__typeof__(&curl_url_cleanup)		url_cleanup;
	__typeof__(&curl_free)			free;
	__typeof__(&curl_getdate)		getdate;
} lib;
static const struct {
	const char	*name;
	void		*at;
} symbols[] = {
	{ "curl_global_init", &lib.global_init },
	{ "curl_easy_init", &lib.easy_init },
	{ "curl_easy_setopt", &lib.setopt },
	{ "curl_easy_getinfo", &lib.getinfo },
	{ "curl_easy_reset", &lib.easy_reset },
	{ "curl_easy_cleanup", &lib.easy_cleanup },
	{ "curl_easy_strerror", &lib.strerror },
	{ "curl_multi_init", &lib.multi_init },
	{ "curl_multi_setopt", &lib.multi_setopt },
	{ "curl_multi_add_handle", &lib.multi_add },
	{ "curl_multi_remove_handle", &lib.multi_remove },
	{ "curl_multi_perform", &lib.perform },
	{ "curl_multi_poll", &lib.poll },
	{ "curl_multi_info_read", &lib.info_read },
	{ "curl_multi_cleanup", &lib.multi_cleanup },
	{ "curl_slist_append", &lib.slist_append },
	{ "curl_slist_free_all", &lib.slist_free },
	{ "curl_url", &lib.url },
	{ "curl_url_set", &lib.url_set },
	{ "curl_url_get", &lib.url_get },
	{ "curl_url_cleanup", &lib.url_cleanup },
	{ "curl_free", &lib.free },
	{ "curl_getdate", &lib.getdate },
};
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct err unloadable;

static void load(void)
{
	void *so = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	size_t i;

	if (!so) {
		err_set(&unloadable, ERR_FAILED,
		    "libcurl can't be loaded (install libcurl4): %s",
		    dlerror());
		return;
	}
	for (i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *f = dlsym(so, symbols[i].name);

		if (!f) {
			err_set(&unloadable, ERR_FAILED,
			    "libcurl is too old (7.85 is needed): %s",
			    dlerror());
			return;
		}
		/* POSIX's way from an object to a function pointer. */
		memcpy(symbols[i].at, &f, sizeof(f));
	}
	lib.global_init(CURL_GLOBAL_DEFAULT);
}

struct http_link {
	CURLM	*multi;
	CURL	*easy;
	bool	 kept;		/* the last call was answered on it */
};

static struct http_link *link_new(void)
{
	struct http_link *l = xcalloc(1, sizeof(*l));

	l->multi = lib.multi_init();
	l->easy = lib.easy_init();
	if (!l->multi || !l->easy)
		die("out of memory");
	lib.multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, 1L);
	return l;
}

void http_close(struct http_link *l)
{
	if (!l)
		return;
	lib.easy_cleanup(l->easy);
	lib.multi_cleanup(l->multi);
	free(l);
}

struct call {
	struct task			*task;
	const struct http_request	*q;
	struct http_response		*r;
	struct http_link		*link;
	const char			*method;
	const char			*socket;	/* of unix:; NULL */
	struct buf			 url, place, sent;
	char				*path;		/* less the query */
	bool				 loopback;
	int64_t				 timeout, deadline;
	size_t				 max, received;
	bool				 whole_head, over, headers_over;
	int				 write_error;
	struct curl_slist		*headers;
	char				 error[CURL_ERROR_SIZE];
};

/* ---- where it goes -------------------------------------------------- */

static int call_fail(struct call *c, struct err *err, enum err_code code,
    const char *why)
{
	return err_set(err, code, "%s: %s %s: %s",
	    c->q->what ? c->q->what : buf_str(&c->place), c->method,
	    c->path, why);
}

static bool is_loopback(const char *host)
{
	size_t n = strlen(host);

	return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	    (n > 10 && strcasecmp(host + n - 10, ".localhost") == 0) ||
	    (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n);
}

static int aim_socket(struct call *c, struct err *err)
{
	const struct sockaddr_un *a = NULL;

	c->socket = c->q->url + strlen("unix:");
	if (strlen(c->socket) >= sizeof(a->sun_path))
		return err_set(err, ERR_FAILED,
		    "%s: the path of a socket has at most %zu bytes, this has "
		    "%zu: use a shorter one, or a symlink to its folder",
		    c->q->what ? c->q->what : c->q->url,
		    sizeof(a->sun_path) - 1, strlen(c->socket));
	buf_adds(&c->place, c->q->url);
	buf_adds(&c->url, "http://localhost");
	return 0;
}

/* Reads the URL by curl's own parser: two readers of one URL may disagree. */
static int aim_parse(struct call *c, struct err *err)
{
	CURLU *u = lib.url();
	char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
	int result = -1;

	if (!u)
		die("out of memory");
	if (lib.url_set(u, CURLUPART_URL, buf_str(&c->url), 0) ||
	    lib.url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
	    lib.url_get(u, CURLUPART_HOST, &host, 0) ||
	    lib.url_get(u, CURLUPART_PATH, &path, 0) ||
	    (strcmp(scheme, "http") && strcmp(scheme, "https"))) {
		err_set(err, ERR_FAILED, "%s: not a URL that kiban can ask: "
		    "http://, https:// or unix:/path", c->q->what ?
		    c->q->what : c->q->url);
		goto out;
	}
	c->path = xstrdup(path);
	c->loopback = is_loopback(host);
	if (!c->socket) {
		lib.url_get(u, CURLUPART_PORT, &port, 0);
		buf_addf(&c->place, "%s://%s%s%s", scheme, host,
		    port ? ":" : "", port ? port : "");
	}
	result = 0;
out:
	lib.free(scheme);
	lib.free(host);
	lib.free(port);
	lib.free(path);
	lib.url_cleanup(u);
	return result;
}

static int call_aim(struct call *c, struct err *err)
{
	const char *target = c->q->target ? c->q->target : "";

	if (strncmp(c->q->url, "unix:", 5) == 0) {
		if (aim_socket(c, err) < 0)
			return -1;
	} else {
		buf_adds(&c->url, c->q->url);
		if (*target == '/' && c->url.n > 0 &&
		    c->url.p[c->url.n - 1] == '/')
			target++;
	}
	buf_adds(&c->url, target);
	return aim_parse(c, err);
}

static void call_release(struct call *c)
{
	free(c->path);
	buf_free(&c->url);
	buf_free(&c->place);
	/* It held what the trace redacts. */
	if (c->sent.p)
		wipe(c->sent.p, c->sent.cap);
	buf_free(&c->sent);
}

/* ---- what comes back ------------------------------------------------ */

static size_t got_header(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	size_t len = size * n, keep = len;

	while (keep > 0 && (p[keep - 1] == '\n' || p[keep - 1] == '\r'))
		keep--;
	/* After a 1xx, or a proxy's answer to CONNECT, comes the real head. */
	if (c->whole_head && keep > 5 && memcmp(p, "HTTP/", 5) == 0) {
		buf_clear(&c->r->headers);
		c->whole_head = false;
	}
	if (keep == 0) {
		c->whole_head = true;
		return len;
	}
	if (c->r->headers.n + keep > HEADERS_MAX) {
		c->headers_over = true;
		return 0;
	}
	buf_add(&c->r->headers, p, keep);
	buf_addc(&c->r->headers, '\n');
	return len;
}

static bool call_to_fd(struct call *c)
{
	long status = 0;

	if (c->q->to_fd <= 0)
		return false;
	lib.getinfo(c->link->easy, CURLINFO_RESPONSE_CODE, &status);
	return status / 100 == 2;
}

static size_t got_body(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	size_t len = size * n, at = 0;
	bool to_fd = call_to_fd(c);
	size_t max = to_fd || c->q->max ? c->max : BODY_MAX;

	if (max && len > max - c->received) {
		c->over = true;
		return 0;
	}
	c->received += len;
	if (!to_fd) {
		buf_add(&c->r->body, p, len);
		return len;
	}
	while (at < len) {
		ssize_t w = write(c->q->to_fd, p + at, len - at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			c->write_error = errno;
			return 0;
		}
		at += w;
	}
	return len;
}

static int got_debug(CURL *easy, curl_infotype type, char *p, size_t n,
    void *arg)
{
	struct call *c = arg;

	(void)easy;
	if (type == CURLINFO_HEADER_OUT)
		buf_add(&c->sent, p, n);
	return 0;
}

/* ---- one try -------------------------------------------------------- */

static void add_header(struct call *c, const char *line)
{
	struct curl_slist *l = lib.slist_append(c->headers, line);

	if (!l)
		die("out of memory");
	c->headers = l;
}

static void set_headers(struct call *c)
{
	const char *const *h;
	bool typed = false;

	for (h = c->q->headers; h && *h; h++) {
		typed |= strncasecmp(*h, "Content-Type:", 13) == 0;
		add_header(c, *h);
	}
	/* Neither wait a second for a 100 nor claim that a body is a form. */
	add_header(c, "Expect:");
	if (!typed)
		add_header(c, "Content-Type:");
	lib.setopt(c->link->easy, CURLOPT_HTTPHEADER, c->headers);
}

static void set_method(struct call *c)
{
	CURL *e = c->link->easy;
	bool get = strcmp(c->method, "GET") == 0;
	bool posts = strcmp(c->method, "POST") == 0 ||
	    strcmp(c->method, "PUT") == 0 || strcmp(c->method, "PATCH") == 0;

	if (strcmp(c->method, "HEAD") == 0) {
		lib.setopt(e, CURLOPT_NOBODY, 1L);
		return;
	}
	if (c->q->body_size > 0 || posts) {
		lib.setopt(e, CURLOPT_POST, 1L);
		lib.setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)c->q->body_size);
		lib.setopt(e, CURLOPT_POSTFIELDS,
		    c->q->body_size ? c->q->body : "");
		get = false;
	}
	if (!get)
		lib.setopt(e, CURLOPT_CUSTOMREQUEST, c->method);
}

static void set_tls(struct call *c)
{
	CURL *e = c->link->easy;

	if (c->q->ca)
		lib.setopt(e, CURLOPT_CAINFO, c->q->ca);
	if (c->q->cert)
		lib.setopt(e, CURLOPT_SSLCERT, c->q->cert);
	if (c->q->key)
		lib.setopt(e, CURLOPT_SSLKEY, c->q->key);
}

static bool may_repeat(const struct call *c)
{
	return !c->q->once && (c->q->repeat ||
	    strcmp(c->method, "GET") == 0 || strcmp(c->method, "HEAD") == 0);
}

static void call_set(struct call *c)
{
	CURL *e = c->link->easy;

	lib.easy_reset(e);
	lib.setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* A resolver that hangs is left behind, not waited for. */
	lib.setopt(e, CURLOPT_QUICK_EXIT, 1L);
	lib.setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	lib.setopt(e, CURLOPT_URL, buf_str(&c->url));
	lib.setopt(e, CURLOPT_ERRORBUFFER, c->error);
	lib.setopt(e, CURLOPT_USERAGENT, "kiban");
	lib.setopt(e, CURLOPT_HEADERFUNCTION, got_header);
	lib.setopt(e, CURLOPT_HEADERDATA, c);
	lib.setopt(e, CURLOPT_WRITEFUNCTION, got_body);
	lib.setopt(e, CURLOPT_WRITEDATA, c);
	lib.setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout);
	if (c->max)
		lib.setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)c->max);
	if (c->socket && *c->socket == '@')
		lib.setopt(e, CURLOPT_ABSTRACT_UNIX_SOCKET, c->socket + 1);
	else if (c->socket)
		lib.setopt(e, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	if (c->socket || c->loopback)
		lib.setopt(e, CURLOPT_PROXY, "");
	/* On a kept connection that turns out dead curl sends again by itself:
	 * not for what must be sent once. */
	if (!c->q->repeat && strcmp(c->method, "GET") &&
	    strcmp(c->method, "HEAD"))
		lib.setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	if (http_traced()) {
		lib.setopt(e, CURLOPT_DEBUGFUNCTION, got_debug);
		lib.setopt(e, CURLOPT_DEBUGDATA, c);
		lib.setopt(e, CURLOPT_VERBOSE, 1L);
	}
	set_method(c);
	set_headers(c);
	set_tls(c);
}

/* Drives the transfer to its end. -1 (err) only for a cancel. */
static int call_drive(struct call *c, CURLcode *out, struct err *err)
{
	struct curl_waitfd fd = {
		.fd = task_fd(c->task), .events = CURL_WAIT_POLLIN,
	};
	CURLM *m = c->link->multi;
	int running, left, result = 0;
	CURLMsg *msg;

	*out = CURLE_OPERATION_TIMEDOUT;
	if (lib.multi_add(m, c->link->easy))
		die("out of memory");
	for (;;) {
		int64_t ms = c->deadline - clock_mono();

		if ((result = task_check(c->task, err)) < 0 || ms <= 0)
			break;
		lib.perform(m, &running);
		msg = lib.info_read(m, &left);
		if (msg && msg->msg == CURLMSG_DONE) {
			*out = msg->data.result;
			break;
		}
		lib.poll(m, &fd, fd.fd >= 0, ms > 1000 ? 1000 : (int)ms, NULL);
	}
	lib.multi_remove(m, c->link->easy);
	return result;
}

/* ---- what went wrong, in words -------------------------------------- */

static void add_lower(struct buf *out, const char *s)
{
	/* "Connection refused", but "SSL …". */
	if (isupper((unsigned char)s[0]) && islower((unsigned char)s[1]))
		buf_addc(out, (char)tolower((unsigned char)s[0]));
	else
		buf_addf(out, "%.1s", s);
	if (*s)
		buf_adds(out, s + 1);
}

static void say_errno(struct buf *out, long e, const char *otherwise)
{
	switch (e) {
	case 0:
		buf_adds(out, otherwise);
		break;
	case ENOENT:
		buf_adds(out, "no such socket");
		break;
	case ECONNRESET:
	case EPIPE:
		buf_adds(out, "connection reset");
		break;
	default:
		add_lower(out, strerror((int)e));
	}
}

static void say_tls(struct call *c, struct buf *out, CURLcode code)
{
	static const char problem[] = "SSL certificate problem: ";
	const char *s = c->error, *reason;

	if (strstr(s, "subject name") && strstr(s, "match")) {
		buf_adds(out, "certificate is for another name");
	} else if (strncmp(s, problem, sizeof(problem) - 1) == 0) {
		buf_adds(out, "TLS: ");
		buf_adds(out, s + sizeof(problem) - 1);
	} else if ((reason = strstr(s, "SSL routines::"))) {
		buf_adds(out, "TLS: ");
		buf_adds(out, reason + strlen("SSL routines::"));
	} else {
		buf_adds(out, "TLS: ");
		add_lower(out, *s ? s : lib.strerror(code));
	}
}

/* The callbacks refused to take more. */
static enum err_code say_stopped(struct call *c, struct buf *out)
{
	size_t max = c->max ? c->max : BODY_MAX;

	if (c->write_error) {
		buf_addf(out, "the body can't be written: %s",
		    strerror(c->write_error));
		return ERR_FAILED;
	}
	if (!c->over)
		buf_addf(out, "the answer's headers are over %d KB",
		    HEADERS_MAX / 1000);
	else if (max >= 1000 * 1000)
		buf_addf(out, "the answer is over %.4g MB", (double)max / 1e6);
	else
		buf_addf(out, "the answer is over %zu bytes", max);
	return ERR_DATA;
}

/* What is left of 10 s after claiming is "10s" to people. */
static void say_timeout(struct buf *out, int64_t ms)
{
	int64_t unit = ms >= 1000 ? 100 : 10;

	ms = (ms + unit / 2) / unit * unit;
	buf_addf(out, "timed out after %gs", (double)ms / 1e3);
}

static enum err_code say(struct call *c, struct buf *out, CURLcode code)
{
	bool answered = c->r->headers.n > 0;
	long e = 0;

	lib.getinfo(c->link->easy, CURLINFO_OS_ERRNO, &e);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		say_timeout(out, c->timeout);
		return ERR_UNREACHABLE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		buf_addf(out, "name%s not found",
		    code == CURLE_COULDNT_RESOLVE_PROXY ? " of the proxy" : "");
		return ERR_UNREACHABLE;
	case CURLE_COULDNT_CONNECT:
		say_errno(out, e, "connection failed");
		return ERR_UNREACHABLE;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		say_tls(c, out, code);
		return ERR_UNREACHABLE;
	case CURLE_FILESIZE_EXCEEDED:
		c->over = true;
		return say_stopped(c, out);
	case CURLE_PARTIAL_FILE:
		buf_addf(out, "the answer broke off after %zu bytes",
		    c->received);
		return ERR_DATA;
	case CURLE_GOT_NOTHING:
		buf_adds(out, "closed without an answer");
		return ERR_UNREACHABLE;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		buf_adds(out, "the answer is not HTTP");
		return ERR_DATA;
	case CURLE_WRITE_ERROR:
		return say_stopped(c, out);
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		say_errno(out, e, "connection broken");
		return answered ? ERR_DATA : ERR_UNREACHABLE;
	default:
		break;
	}
	add_lower(out, *c->error ? c->error : lib.strerror(code));
	return answered ? ERR_DATA : ERR_UNREACHABLE;
}

static void call_trace(struct call *c, const char *error)
{
	struct http_exchange x = {
		.place = buf_str(&c->place),
		.sent = buf_str(&c->sent),
		.sent_size = c->sent.n,
		.body_size = c->q->body_size,
		.headers = buf_str(&c->r->headers),
		.received = c->received,
		.took = c->r->took,
		.error = error,
	};

	if (http_traced())
		http_trace_write(&x);
}

/* One request. 0: a whole answer; else -1 and *again when it may be sent anew:
 * nothing came back, and it was a connection's end and not the backend's. */
static int call_try(struct call *c, bool *again, struct err *err)
{
	struct buf why = {0};
	bool kept = c->link->kept;
	int64_t began = clock_mono();
	enum err_code fault;
	long status = 0;
	CURLcode code;
	int result;

	buf_clear(&c->r->headers);
	buf_clear(&c->r->body);
	buf_clear(&c->sent);
	c->received = 0;
	c->whole_head = false;
	c->error[0] = '\0';
	c->link->kept = false;
	*again = false;
	result = call_drive(c, &code, err);
	c->r->took = clock_mono() - began;
	if (result < 0) {
		call_trace(c, "interrupted");
	} else if (code == CURLE_OK) {
		lib.getinfo(c->link->easy, CURLINFO_RESPONSE_CODE, &status);
		c->r->status = (int)status;
		c->link->kept = true;
		call_trace(c, NULL);
	} else {
		fault = say(c, &why, code);
		result = call_fail(c, err, fault, buf_str(&why));
		*again = kept && c->r->headers.n == 0 &&
		    (code == CURLE_COULDNT_CONNECT ||
		    code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
		    code == CURLE_SEND_ERROR);
		call_trace(c, buf_str(&why));
	}
	buf_free(&why);
	return result;
}

/* ---- repeats -------------------------------------------------------- */

static bool is_passing(int status)
{
	return status == 429 || (status >= 502 && status <= 504);
}

/* Sleeps before the next try; false when there is no time for one. */
static bool call_pause(struct call *c, int n, int64_t asked, int *result,
    struct err *err)
{
	uint32_t dice = 0;
	int64_t ms = (int64_t)PAUSE << n;

	if (getrandom(&dice, sizeof(dice), GRND_NONBLOCK) < 0)
		dice = (uint32_t)clock_mono();
	ms = ms / 2 + dice % ms;
	if (asked > 0)
		ms = asked + dice % PAUSE;
	if (clock_mono() + ms >= c->deadline)
		return false;
	if (task_sleep(c->task, ms, err) < 0) {
		*result = -1;
		return false;
	}
	return true;
}

static int call_run(struct call *c, struct err *err)
{
	bool again;
	int n, result;

	call_set(c);
	for (n = 0; ; n++) {
		int64_t asked = 0;

		result = call_try(c, &again, err);
		if (n + 1 == TRIES || !may_repeat(c))
			break;
		if (result == 0) {
			if (!is_passing(c->r->status))
				break;
			asked = http_retry_after(c->r);
		} else if (!again) {
			break;
		}
		if (!call_pause(c, n, asked, &result, err))
			break;
		/* It was the kept connection's fault as long as none of the
		 * tries after it was answered. */
		c->link->kept |= again;
	}
	return result;
}

int http_fail(const struct http_request *q, struct err *err,
    enum err_code code, const char *why)
{
	struct call c = { .q = q, .method = q->method ? q->method : "GET" };

	if (call_aim(&c, err) == 0)
		call_fail(&c, err, code, why);
	call_release(&c);
	return -1;
}

int64_t http_date(const char *s)
{
	time_t t = lib.getdate(s, NULL);

	return t < 0 ? -1 : (int64_t)t * 1000;
}

/* OpenSSL writes without MSG_NOSIGNAL. */
static bool pipe_block(sigset_t *before)
{
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, before);
	sigpending(&pending);
	return sigismember(&pending, SIGPIPE);
}

static void pipe_restore(const sigset_t *before, bool was_pending)
{
	static const struct timespec now = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	if (!was_pending)
		sigtimedwait(&set, NULL, &now);
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

int http_do(struct task *t, const struct http_request *q,
    struct http_response *r, struct err *err)
{
	int64_t timeout = q->timeout ? q->timeout : TIMEOUT;
	struct call c = {
		.task = t, .q = q, .r = r, .timeout = timeout,
		.method = q->method ? q->method : "GET",
		.max = q->max || q->to_fd > 0 ? q->max : BODY_MAX,
		.deadline = clock_mono() + timeout,
	};
	bool was_pending;
	sigset_t before;
	int result = -1;

	*r = (struct http_response){0};
	pthread_once(&once, load);
	if (unloadable.code) {
		return err_set(err, unloadable.code, "%s", unloadable.text);
	}
	if (call_aim(&c, err) < 0)
		goto out;
	c.link = q->link && *q->link ? *q->link : link_new();
	was_pending = pipe_block(&before);
	result = call_run(&c, err);
	if (q->link)
		*q->link = c.link;
	else
		http_close(c.link);
	pipe_restore(&before, was_pending);
	lib.slist_free(c.headers);
out:
	call_release(&c);
	return result;
}
