/* --trace-http: what went over the wire, for people who look for a fault.
 *
 * Heads are written as they were sent and received, bodies only as sizes. What
 * lets somebody in is replaced, by name and not by value: headers and query
 * parameters that carry credentials or signatures. A name that only looks like
 * one loses its value too; a trace that hides too much is asked for again, one
 * that hides too little can't be taken back. */
#include "http_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "value.h"

static int trace_fd = -1;	/* set once, before threads start */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int http_trace(const char *path, struct err *err)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, ERR_FAILED, "--trace-http: %s: %s", path,
		    strerror(errno));
	/* A file that was there may be open to others; /dev/stderr may too. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 0077) && fchmod(fd, 0600) < 0) {
		err_set(err, ERR_FAILED,
		    "--trace-http: %s can be read by others: %s", path,
		    strerror(errno));
		close(fd);
		return -1;
	}
	if (trace_fd >= 0)
		close(trace_fd);
	trace_fd = fd;
	return 0;
}

bool http_traced(void)
{
	return trace_fd >= 0;
}

/* A percent-encoded name reads the same to a server. */
static size_t decode(const char *s, size_t n, char *out, size_t max)
{
	size_t i, used = 0;

	for (i = 0; i < n && used + 1 < max; i++) {
		unsigned char c = s[i];
		char hex[3] = {0};

		if (c == '%' && i + 2 < n) {
			char *end;
			long v;

			memcpy(hex, s + i + 1, 2);
			v = strtol(hex, &end, 16);
			if (end == hex + 2) {
				c = (unsigned char)v;
				i += 2;
			}
		}
		out[used++] = (char)c;
	}
	out[used] = '\0';
	return used;
}

bool http_is_secret(const char *name, size_t n)
{
	static const char *const whole[] = { "sig", "key", "code", "cookie",
	    "set-cookie", "auth", NULL };
	static const char *const part[] = { "token", "password", "passwd",
	    "secret", "signature", "authorization", "credential", "apikey",
	    "api-key", "api_key", "access-key", "access_key", NULL };
	char text[200];
	size_t i, len = decode(name, n, text, sizeof(text));

	for (i = 0; whole[i]; i++)
		if (strcasecmp(text, whole[i]) == 0)
			return true;
	for (i = 0; part[i]; i++)
		if (strcasestr(text, part[i]))
			return true;
	/* Longer than any name people use: cut, so not looked at whole. */
	return len + 1 == sizeof(text) ||
	    (len > 4 && strcasecmp(text + len - 4, "-key") == 0);
}

bool http_has_user(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return memchr(host, '@', strcspn(host, "/?#"));
}

static const char redacted[] = "[redacted]";

/* Replaces the values of secret parameters anywhere in a text. */
static void redact_query(struct buf *out, const char *s, size_t n)
{
	static const char ends[] = "&;# \t\"'<>,";
	const char *end = s + n;

	while (s < end) {
		const char *name = s, *eq;

		/* Up to and with the next beginning of a parameter. */
		while (s < end && *s != '?' && *s != '&')
			s++;
		if (s < end)
			s++;
		buf_add(out, name, s - name);
		for (eq = s; eq < end && *eq != '=' && !memchr(ends, *eq,
		    sizeof(ends) - 1); eq++)
			;
		if (eq == end || *eq != '=' || !http_is_secret(s, eq - s))
			continue;
		buf_add(out, s, eq + 1 - s);
		buf_adds(out, redacted);
		for (s = eq + 1; s < end && !memchr(ends, *s,
		    sizeof(ends) - 1); s++)
			;
	}
}

void http_redact(struct buf *out, const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n);
	const char *blank = memchr(line, ' ', n);

	/* A header's name has no blank; a request line's colon comes later. */
	if (colon && (!blank || colon < blank) &&
	    http_is_secret(line, colon - line)) {
		buf_add(out, line, colon + 1 - line);
		buf_addc(out, ' ');
		buf_adds(out, redacted);
		return;
	}
	redact_query(out, line, n);
}

static void add_lines(struct buf *out, const char *mark, const char *s,
    size_t n)
{
	while (n > 0) {
		const char *nl = memchr(s, '\n', n);
		size_t len = nl ? (size_t)(nl - s) : n;
		size_t text = len;

		while (text > 0 && s[text - 1] == '\r')
			text--;
		if (text > 0) {
			buf_adds(out, mark);
			http_redact(out, s, text);
			buf_addc(out, '\n');
		}
		n -= nl ? len + 1 : len;
		s += nl ? len + 1 : len;
	}
}

void http_trace_write(const struct http_exchange *x)
{
	struct buf out = {0};
	size_t at = 0;

	value_rfc3339(&out, clock_now());
	buf_addf(&out, " %s\n", x->place);
	add_lines(&out, "> ", x->sent, x->sent_size);
	if (x->body_size > 0)
		buf_addf(&out, "> (%zu bytes)\n", x->body_size);
	add_lines(&out, "< ", x->headers, strlen(x->headers));
	if (x->error) {
		buf_adds(&out, "! ");
		http_redact(&out, x->error, strlen(x->error));
		buf_addf(&out, " (%zu bytes, %lld ms)\n\n", x->received,
		    (long long)x->took);
	} else {
		buf_addf(&out, "< (%zu bytes, %lld ms)\n\n", x->received,
		    (long long)x->took);
	}
	/* The lock keeps exchanges whole among threads, O_APPEND among
	 * processes. A trace that can't be written stops nothing. */
	pthread_mutex_lock(&lock);
	while (at < out.n) {
		ssize_t n = write(trace_fd, out.p + at, out.n - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += n;
	}
	pthread_mutex_unlock(&lock);
	buf_free(&out);
}
