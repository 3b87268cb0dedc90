/* What an answer says: its headers, when to come back, and its status as an
 * error in words. Needs no libcurl. */
#include "http_impl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "value.h"

int64_t http_retry_after(const struct http_response *r)
{
	char *s = http_header(r, "Retry-After");
	int64_t ms = 0, date;

	if (!s)
		return 0;
	if (isdigit((unsigned char)*s)) {
		double seconds = strtod(s, NULL);

		/* What is over a day is no answer to "when". */
		ms = seconds < 86400 ? (int64_t)(seconds * 1000) : 86400000;
	} else if ((date = http_date(s)) > 0) {
		ms = date - clock_now();
	}
	free(s);
	return ms > 86400000 ? 86400000 : ms > 0 ? ms : 0;
}

static void add_line(struct buf *out, const char *lead, const char *s,
    size_t max)
{
	size_t n = strcspn(s, "\r\n");

	if (n > 0)
		buf_addf(out, "%s%.*s", lead, (int)(n < max ? n : max), s);
}

/* "answered 503 Service Unavailable", and of a plain text its first line. */
static void say_status(struct buf *out, const struct http_response *r)
{
	const char *line = buf_str(&r->headers);
	const char *end = line + strcspn(line, "\n");
	const char *code = memchr(line, ' ', end - line);
	const char *reason = code ? memchr(code + 1, ' ', end - code - 1) : NULL;
	char *type = http_header(r, "Content-Type");

	buf_addf(out, "answered %d", r->status);
	if (reason)
		add_line(out, " ", reason + 1, 60);
	if (r->status / 100 == 3)
		buf_adds(out, ", a redirect, which is not followed");
	else if (type && strncasecmp(type, "text/plain", 10) == 0)
		add_line(out, ": ", buf_str(&r->body), 200);
	free(type);
}

int http_get(struct task *t, const struct http_request *q,
    struct http_response *r, struct err *err)
{
	enum err_code code = ERR_DATA;
	struct buf why = {0};
	int64_t asked;

	if (http_do(t, q, r, err) < 0)
		return -1;
	if (r->status / 100 == 2)
		return 0;
	asked = http_retry_after(r);
	if (r->status == 401 || r->status == 403)
		code = ERR_REFUSED;
	else if (r->status == 429 || (r->status == 503 && asked > 0))
		code = ERR_THROTTLED;
	say_status(&why, r);
	if (code == ERR_THROTTLED && asked > 0)
		buf_addf(&why, ", come back in %llds",
		    (long long)(asked + 999) / 1000);
	http_fail(q, err, code, buf_str(&why));
	if (err && code == ERR_THROTTLED)
		err->retry_after = asked;
	buf_free(&why);
	return -1;
}

char *http_header(const struct http_response *r, const char *name)
{
	const char *line = buf_str(&r->headers);
	size_t n = strlen(name);

	while (*line) {
		size_t len = strcspn(line, "\n");

		if (len > n && line[n] == ':' &&
		    strncasecmp(line, name, n) == 0) {
			size_t skip = n + 1;

			skip += strspn(line + skip, " \t");
			return xstrndup(line + skip, len - skip);
		}
		line += len + (line[len] == '\n');
	}
	return NULL;
}

void http_response_release(struct http_response *r)
{
	buf_free(&r->body);
	buf_free(&r->headers);
	*r = (struct http_response){0};
}
