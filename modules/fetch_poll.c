/* What a command that waits and a poller beside a screen do alike: list the
 * backends of a source, ask one, and look at the fleet afterwards. */
#include "fetch_impl.h"

#include <stdlib.h>
#include <string.h>

#include "value.h"

/* `sources` keeps what the config doesn't name any more for so long: another
 * process may run with another config. */
#define FORGET_AFTER	(5 * 60000)

struct backend *backend_add(struct backend_list *l, const char *address,
    const char *name, const struct node *node)
{
	size_t n = strlen(address), i;

	while (n > 1 && address[n - 1] == '/')
		n--;
	for (i = 0; i < l->n; i++)
		if (strlen(l->v[i].address) == n &&
		    memcmp(l->v[i].address, address, n) == 0)
			return &l->v[i];
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 16;
		l->v = xrealloc(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n] = (struct backend){
		.address = arena_strndup(&l->arena, address, n),
		.name = name ? arena_strdup(&l->arena, name) : NULL,
		.node = node,
	};
	return &l->v[l->n++];
}

void backend_list_release(struct backend_list *l)
{
	free(l->v);
	arena_free(&l->arena);
	*l = (struct backend_list){0};
}

void target_init(struct target *t, const struct session *s,
    const struct context *c, const struct source *source)
{
	const struct module *m = registry_module_of_kind(&s->registry,
	    source->kinds[0]);
	struct buf kinds = {0};
	char *path;
	size_t i;

	*t = (struct target){
		.session = s, .context = c, .source = source,
		.module = m ? m->name : "",
	};
	path = xasprintf("%s.every", t->module);
	t->every = context_duration(c, path, source->every);
	free(path);
	buf_addc(&kinds, '[');
	for (i = 0; source->kinds[i]; i++) {
		buf_adds(&kinds, i ? "," : "");
		value_json_text(&kinds, source->kinds[i],
		    strlen(source->kinds[i]));
	}
	buf_addc(&kinds, ']');
	t->kinds = buf_take(&kinds);
}

void target_release(struct target *t)
{
	free(t->kinds);
	t->kinds = NULL;
}

int target_list(const struct target *t, struct cache *c,
    struct backend_list *out, struct err *err)
{
	const char *context = t->context->name, *source = t->source->name;
	size_t i;

	if (t->source->backends(t->context, out, err) < 0)
		return err_prefix(err, "%s", t->module);
	for (i = 0; i < out->n; i++)
		if (source_name(c, context, source, out->v[i].address,
		    t->module, t->kinds, t->every, err) < 0)
			return -1;
	return source_forget(c, context, source, clock_now() - FORGET_AFTER,
	    err);
}

void target_poll(const struct target *t, struct fetch *f,
    const struct claim *claim, int64_t limit, struct err *outcome)
{
	int64_t began = clock_mono(), took;
	struct err unwritten = {0};
	int result;

	*outcome = (struct err){0};
	f->session = t->session;
	f->context = t->context;
	f->now = claim->began;
	f->rows = 0;
	result = t->source->fetch(f, outcome);
	took = clock_mono() - began;
	if (result == 0)
		outcome->code = ERR_NONE;
	else if (outcome->code == ERR_CANCELLED && limit > 0 &&
	    took >= f->timeout)
		err_set(outcome, ERR_UNREACHABLE,
		    "%s %s: timed out after %.4gs", t->source->name,
		    f->backend->address, limit / 1e3);
	/* The poll is as good as its rows; one that can't be written down is
	 * found void in a minute and asked again. */
	if (source_done(f->cache, claim, took, f->rows,
	    result == 0 ? NULL : outcome, &unwritten) < 0 && result == 0)
		*outcome = unwritten;
}

int target_round(const struct target *t, struct cache *c,
    const struct backend_list *l, struct err *err)
{
	struct fetch_outcome *v = xcalloc(l->n ? l->n : 1, sizeof(*v));
	struct fetch_round round = {
		.session = t->session, .context = t->context, .cache = c,
		.now = clock_now(), .v = v, .n = l->n,
	};
	size_t i;
	int result = 0;

	for (i = 0; i < l->n; i++) {
		v[i].backend = &l->v[i];
		source_get(c, t->context->name, t->source->name,
		    l->v[i].address, &v[i].row);
	}
	if (t->source->round)
		result = t->source->round(&round, err);
	free(v);
	return result;
}

size_t sources_of_kinds(const struct registry *r, const char *const *kinds,
    const struct source **out, size_t max)
{
	size_t n = 0, i;

	for (; kinds && *kinds; kinds++) {
		const struct source *s = registry_source_of_kind(r, *kinds);

		for (i = 0; i < n && out[i] != s; i++)
			;
		if (s && i == n && n < max)
			out[n++] = s;
	}
	return n;
}
