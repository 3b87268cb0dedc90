/* fill CONTEXT KIND ROWS SCOPES [POLLS SECONDS]: rows of a kind in the cache
 * of the folders that XDG_* name, by the merges that a source would make. For
 * figures at sizes that no fleet on one machine has. Each of SCOPES backends
 * has ROWS / SCOPES of them; POLLS more follow, SECONDS apart up to now, in
 * which only metrics move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "session.h"

extern const struct module mesh_module;

static void put_field(struct merge *m, const struct field *f, long scope,
    long row, long poll)
{
	char text[80];

	if (f->flags & FIELD_BINS)
		return;
	if (f->role == ROLE_METRIC) {
		merge_int(m, f->name, (row * 7919) % 1000 + poll * (row % 50));
		return;
	}
	if (!strcmp(f->name, "proxy"))
		snprintf(text, sizeof(text), "http://10.%ld.%ld.%ld:9901",
		    scope >> 16, scope >> 8 & 255, scope & 255);
	else if (!strcmp(f->name, "cluster"))
		snprintf(text, sizeof(text), "service-%02ld", row % 50);
	else if (!strcmp(f->name, "address"))
		snprintf(text, sizeof(text), "10.%ld.%ld.%ld:8080",
		    row >> 16 & 255, row >> 8 & 255, row & 255);
	else if (!strcmp(f->name, "health"))
		snprintf(text, sizeof(text), row % 97 ? "healthy" : "unhealthy");
	else if (f->type == TYPE_LIST)
		snprintf(text, sizeof(text), "[]");
	else if (f->type != TYPE_TEXT) {
		merge_int(m, f->name, row % 5);
		return;
	} else
		snprintf(text, sizeof(text), "%s-%ld", f->name, row % 1000);
	merge_text(m, f->name, text, -1);
}

static int merge_scope(struct cache *c, const struct kind *k,
    const char *context, long scope, long rows, long poll, int64_t t,
    struct err *err)
{
	char name[40];
	struct merge *m;

	snprintf(name, sizeof(name), "http://10.%ld.%ld.%ld:9901", scope >> 16,
	    scope >> 8 & 255, scope & 255);
	m = merge_begin(c, k, context, name, t, 0);
	for (long i = 0; i < rows; i++) {
		for (const struct field *f = k->fields; f->name; f++)
			put_field(m, f, scope, scope * rows + i, poll);
		if (merge_row(m, err)) {
			merge_abort(m);
			return -1;
		}
	}
	return merge_end(m, err);
}

int main(int argc, char **argv)
{
	static const struct module *const modules[] = {&core_module,
	    &mesh_module, NULL};
	struct session s = {.registry.modules = modules};
	const struct kind *k;
	long rows, scopes, polls = 0, seconds = 5;
	struct err err = {0};
	struct cache *c;
	int64_t now;

	if (argc < 5) {
		fprintf(stderr, "fill CONTEXT KIND ROWS SCOPES [POLLS SECONDS]\n");
		return 2;
	}
	rows = atol(argv[3]);
	scopes = atol(argv[4]);
	if (argc > 6) {
		polls = atol(argv[5]);
		seconds = atol(argv[6]);
	}
	k = registry_kind(&s.registry, argv[2]);
	if (!k || clock_init(&err) || config_load(&s.config, NULL, &err) ||
	    !(c = session_cache(&s, &err))) {
		fprintf(stderr, "fill: %s\n", k ? err.text : "no such kind");
		return 1;
	}
	now = clock_now();
	for (long p = 0; p <= polls; p++)
		for (long i = 0; i < scopes; i++)
			if (merge_scope(c, k, argv[1], i, rows / scopes, p,
			    now - (polls - p) * seconds * 1000, &err)) {
				fprintf(stderr, "fill: %s\n", err.text);
				return 1;
			}
	cache_close(c);
	config_release(&s.config);
	return 0;
}
