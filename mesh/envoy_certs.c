/* Envoy's /certs: no subject, no issuer, no listener; a path, names and dates.
 * The same certificate stands there once for each TLS context that uses it:
 * here it is one. */
#include "mesh.h"

#include <stdlib.h>

#include "envoy_json.h"

static const char *say_sans(struct arena *a, json_t *list)
{
	static const char *const keys[] = { "dns", "uri", "ip_address" };
	struct buf out = {0};
	const char *s;
	json_t *v, *text;
	size_t i, k;

	buf_addc(&out, '[');
	json_array_foreach(list, i, v)
		for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			text = json_object_get(v, keys[k]);
			if (!json_is_string(text))
				continue;
			if (out.n > 1)
				buf_addc(&out, ',');
			value_json_text(&out, json_string_value(text),
			    json_string_length(text));
		}
	buf_addc(&out, ']');
	s = arena_strdup(a, buf_str(&out));
	buf_free(&out);
	return s;
}

static int64_t date(json_t *v)
{
	const char *s = json_string_value(v);
	int64_t ms;

	return s && value_read_rfc3339(s, &ms) == 0 ? ms : 0;
}

static void add_chain(struct envoy_certs *c, json_t *list, const char *role)
{
	struct envoy_cert *out;
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v) {
		if (c->n == c->cap) {
			c->cap = c->cap ? c->cap * 2 : 8;
			c->v = xrealloc(c->v, c->cap, sizeof(*c->v));
		}
		out = &c->v[c->n++];
		*out = (struct envoy_cert){ .role = role };
		out->path = doc_text(&c->arena, v, "path");
		out->serial = doc_text(&c->arena, v, "serial_number");
		if (!out->path)
			out->path = "";
		if (!out->serial)
			out->serial = "";
		out->sans = say_sans(&c->arena,
		    json_object_get(v, "subject_alt_names"));
		out->starts = date(json_object_get(v, "valid_from"));
		out->expires = date(json_object_get(v, "expiration_time"));
	}
}

static int cert_order(const void *x, const void *y)
{
	const struct envoy_cert *a = x, *b = y;
	int d = strcmp(a->path, b->path);

	d = d ? d : strcmp(a->sans, b->sans);
	d = d ? d : strcmp(a->serial, b->serial);
	return d ? d : strcmp(a->role, b->role);
}

/* Sorts, drops what stands there again, numbers from 1. */
static void settle(struct envoy_certs *c)
{
	size_t i, w = 0;

	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), cert_order);
	for (i = 0; i < c->n; i++) {
		struct envoy_cert *last = w ? &c->v[w - 1] : NULL;
		bool alike = last && strcmp(last->path, c->v[i].path) == 0 &&
		    strcmp(last->sans, c->v[i].sans) == 0;

		if (alike && strcmp(last->serial, c->v[i].serial) == 0)
			continue;
		c->v[i].n = alike ? last->n + 1 : 1;
		c->v[w++] = c->v[i];
	}
	c->n = w;
}

int envoy_certs(struct envoy_certs *c, const char *text, size_t n,
    struct err *err)
{
	json_t *doc = doc_load(text, n, err), *list, *v;
	size_t i;

	if (!doc || doc_list(doc, "certificates", &list, err) < 0) {
		json_decref(doc);
		return -1;
	}
	json_array_foreach(list, i, v) {
		add_chain(c, json_object_get(v, "ca_cert"), "ca");
		add_chain(c, json_object_get(v, "cert_chain"), "chain");
	}
	json_decref(doc);
	settle(c);
	return 0;
}

void envoy_certs_release(struct envoy_certs *c)
{
	free(c->v);
	arena_free(&c->arena);
	*c = (struct envoy_certs){0};
}
