/* Asking one Envoy: its address and credentials from the config, one
 * connection kept, errors in Envoy's own words where it gave any. */
#include "mesh.h"

#include <stdlib.h>
#include <string.h>

/* A path in the config: relative to it, file: may stand before it. */
static char *path_at(const struct session *s, const struct node *n,
    const char *key)
{
	const char *text = n ? node_text(n, key, NULL) : NULL;

	if (!text)
		return NULL;
	if (strncmp(text, "file:", 5) == 0)
		text += 5;
	return config_path(&s->config, text);
}

static int add_header(struct envoy_link *l, const struct session *s,
    const struct node *n, const struct task *t, struct err *err)
{
	struct buf value = {0};

	if (config_secret(&s->config, n->text, &value, t, err) < 0)
		return err_prefix(err, "%s: header %s", l->what, n->key);
	if (strpbrk(buf_str(&value), "\r\n")) {
		err_set(err, ERR_FAILED, "%s: header %s: its value has more "
		    "than one line", l->what, n->key);
		wipe(value.p, value.cap);
		buf_free(&value);
		return -1;
	}
	l->headers = xrealloc(l->headers, l->nheaders + 2,
	    sizeof(*l->headers));
	l->headers[l->nheaders++] = xasprintf("%s: %s", n->key,
	    buf_str(&value));
	l->headers[l->nheaders] = NULL;
	if (value.p)
		wipe(value.p, value.cap);
	buf_free(&value);
	return 0;
}

/* A socket's path may be relative to the config, as the address names it. */
static char *url_of(const struct session *s, const char *address)
{
	char *path, *url;

	if (strncmp(address, "unix:", 5) != 0)
		return xstrdup(address);
	path = config_path(&s->config, address + 5);
	url = xasprintf("unix:%s", path);
	free(path);
	return url;
}

int envoy_link_open(struct envoy_link *l, const struct session *s,
    const struct backend *b, const struct task *t, struct err *err)
{
	const struct node *headers = b->node ? node_get(b->node, "headers") :
	    NULL, *n;

	*l = (struct envoy_link){
		.url = url_of(s, b->address),
		.what = xasprintf("envoy %s", b->address),
		.ca = path_at(s, b->node, "ca"),
		.cert = path_at(s, b->node, "cert"),
		.key = path_at(s, b->node, "key"),
	};
	for (n = headers ? headers->first : NULL; n; n = n->next)
		if (n->text && add_header(l, s, n, t, err) < 0) {
			envoy_link_close(l);
			return -1;
		}
	return 0;
}

void envoy_link_close(struct envoy_link *l)
{
	size_t i;

	for (i = 0; i < l->nheaders; i++) {
		wipe(l->headers[i], strlen(l->headers[i]));
		free(l->headers[i]);
	}
	free(l->headers);
	free(l->url);
	free(l->what);
	free(l->ca);
	free(l->cert);
	free(l->key);
	http_close(l->http);
	*l = (struct envoy_link){0};
}

static int request(struct envoy_link *l, const char *method,
    const char *target, int64_t deadline, struct http_request *q,
    struct err *err)
{
	int64_t left = deadline - clock_mono();

	if (left <= 0)
		return err_set(err, ERR_UNREACHABLE, "%s: %s %.*s: timed out "
		    "before it was asked", l->what, method,
		    (int)strcspn(target, "?"), target);
	*q = (struct http_request){
		.method = method, .url = l->url, .target = target,
		.headers = (const char *const *)l->headers,
		.ca = l->ca, .cert = l->cert, .key = l->key,
		.timeout = left, .once = true, .what = l->what,
		.link = &l->http,
	};
	return 0;
}

int envoy_ask(struct envoy_link *l, struct task *t, const char *method,
    const char *target, int64_t deadline, struct http_response *r,
    struct err *err)
{
	struct http_request q;

	*r = (struct http_response){0};
	return request(l, method, target, deadline, &q, err) < 0 ? -1 :
	    http_do(t, &q, r, err);
}

int envoy_get(struct envoy_link *l, struct task *t, const char *target,
    int64_t deadline, struct http_response *r, struct err *err)
{
	struct http_request q;

	*r = (struct http_response){0};
	if (request(l, "GET", target, deadline, &q, err) < 0)
		return -1;
	return http_get(t, &q, r, err);
}
