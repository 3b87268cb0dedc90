/* HTTP over libcurl: one blocking call.
 *
 * TLS is verified. Bodies are bounded. What is safe to repeat is repeated
 * (jittered backoff, Retry-After honoured) while the time limit allows. A
 * cancelled task leaves within 200 ms, also inside DNS, connect, TLS and a
 * stalled body. libcurl is loaded at the first call. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"
#include "task.h"

struct http_request {
	const char	*method;	/* NULL: GET */
	/* http://, https://, or unix:/path/of.sock with `target` */
	const char	*url;
	const char	*target;	/* "/clusters?format=json": appended */
	const char *const *headers;	/* "Name: value"; ends with NULL */
	const void	*body;
	size_t		 body_size;
	const char	*ca, *cert, *key;	/* files; NULL: the system's */
	int64_t		 timeout;	/* ms for all of it; 0: 10 s */
	size_t		 max;		/* bytes of body; 0: 64 MB in memory, any
					 * size to to_fd */
	int		 to_fd;		/* the body of a 2xx goes there; 0: to
					 * memory */
	bool		 repeat;	/* GET and HEAD always are */
	bool		 once;		/* nothing is: what is polled comes again
					 * anyway, and a 503 may be the answer */
	const char	*what;		/* "envoy http://10.0.1.7:9901": begins
					 * every error */
	/* Connection kept between calls; owned by the caller, made at the
	 * first call, freed by http_close(). NULL: none is kept. */
	struct http_link **link;
};
struct http_response {
	int		 status;
	struct buf	 body;
	struct buf	 headers;	/* as received, lines by \n */
	int64_t		 took;		/* ms */
};

/* Any whole answer is 0, whatever its status; else -1: ERR_UNREACHABLE (DNS,
 * connect, TLS, timeout, nothing came back), ERR_DATA (over the bound, broken
 * off), ERR_FAILED (a URL that is none, to_fd can't be written),
 * ERR_CANCELLED. r needn't be cleared before and is released by the caller
 * after either result. Redirects are answers. */
int http_do(struct task *t, const struct http_request *q,
    struct http_response *r, struct err *err);
/* The same, and a status other than 2xx is an error: ERR_REFUSED for 401 and
 * 403, ERR_THROTTLED for 429 and 503 with Retry-After (err.retry_after is that,
 * 0 when none was said), else ERR_DATA; r holds the answer. */
int http_get(struct task *t, const struct http_request *q,
    struct http_response *r, struct err *err);
/* New, or NULL. */
char *http_header(const struct http_response *r, const char *name);
void http_response_release(struct http_response *r);
void http_close(struct http_link *link);

/* --trace-http: heads of requests and answers appended to that file (mode
 * 0600), bodies as sizes, secrets redacted: Authorization, cookies, tokens,
 * signatures, queries' secrets. Once, before threads start. */
int http_trace(const char *path, struct err *err);
/* Does a value of that name, of a header, parameter or key, let somebody in? */
bool http_is_secret(const char *name, size_t n);
/* Does a URL, its scheme left out or not, carry a user, and so perhaps a
 * password? */
bool http_has_user(const char *url);

#endif
