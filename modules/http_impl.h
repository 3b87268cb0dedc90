/* Between http.c, http_answer.c and http_trace.c only. */
#ifndef HTTP_IMPL_H
#define HTTP_IMPL_H

#include "http.h"

/* ms that the answer asks to wait; 0: it doesn't say. RFC 9110 10.2.3. */
int64_t http_retry_after(const struct http_response *r);
/* ms since 1970 of an HTTP date, or -1. */
int64_t http_date(const char *s);
/* "WHAT: GET /path: why"; returns -1. */
int http_fail(const struct http_request *q, struct err *err,
    enum err_code code, const char *why);

/* One request as it went over the wire and what came back. */
struct http_exchange {
	const char	*place;		/* "http://host:1" or "unix:/path" */
	const char	*sent;		/* request line and headers */
	size_t		 sent_size;
	size_t		 body_size;
	const char	*headers;	/* of the answer, lines by \n; "" */
	size_t		 received;	/* bytes of its body */
	int64_t		 took;
	const char	*error;		/* NULL: a whole answer */
};
bool http_traced(void);
void http_trace_write(const struct http_exchange *x);
/* Appends one line of a request or an answer with its secrets replaced. */
void http_redact(struct buf *out, const char *line, size_t n);

#endif
