/* Rules to findings: each rule's SELECT is run, its rows become rows of the
 * kind `finding` under the rule's own scope, and the merge does the rest. */
#include "find.h"

#include <stdlib.h>
#include <string.h>

#include "line.h"

static const struct field finding_fields[] = {
	{"rule", ROLE_KEY, TYPE_TEXT, .help = "id of the rule that found it"},
	{"object", ROLE_KEY, TYPE_TEXT, .help = "what it is about"},
	{"kind", ROLE_KEY, TYPE_TEXT, .help = "kind of the offender"},
	{"key", ROLE_KEY, TYPE_OBJECT, .help = "key of the offender"},
	{"severity", ROLE_FACT, TYPE_TEXT, .help = "bad or doubtful",
	    .suspect = 50},
	{"since", ROLE_NOTE, TYPE_TIME, .help = "when it was opened"},
	{"text", ROLE_NOTE, TYPE_TEXT, .help = "the sentence"},
	{"command", ROLE_NOTE, TYPE_TEXT, .help = "what looks or mends"},
	{"module", ROLE_NOTE, TYPE_TEXT, .help = "whose rule it is"},
	{0},
};
const struct kind finding_kind = {
	.name = "finding",
	.help = "what the rules found: open now, or closed in the past",
	.object = "object",
	.fields = finding_fields,
	.every = 5000,
};

/* ---- templates ------------------------------------------------------------ */

static int index_of(const char *const *names, size_t n, const char *name,
    size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len))
			return (int)i;
	return -1;
}

void fill(struct buf *out, const char *template, const char *const *names,
    const struct cell *cells, size_t n)
{
	const char *p = template;

	while (*p) {
		size_t plain = strcspn(p, "{"), len;
		int at;

		buf_add(out, p, plain);
		p += plain;
		if (!*p)
			return;
		len = strcspn(p, "}");
		at = p[len] ? index_of(names, n, p + 1, len - 1) : -1;
		if (at < 0) {
			buf_addc(out, *p++);
			continue;
		}
		if (cells[at].tag == CELL_TEXT)
			buf_add(out, cells[at].s, cells[at].n);
		else if (cells[at].tag == CELL_NULL)
			buf_adds(out, "unknown");
		else
			value_number(out, cell_number(cells[at]));
		p += len + 1;
	}
}

/* ---- one context ----------------------------------------------------------- */

/* When each open finding of the context was opened. */
struct open {
	struct since {
		char	*name;	/* rule, object, kind, key joined by newlines */
		int64_t	 t;
	} *v;
	size_t	 n;
};

static char *joined(const char *rule, struct cell object, const char *kind,
    const char *key)
{
	return xasprintf("%s\n%.*s\n%s\n%s", rule, (int)object.n,
	    object.n ? object.s : "", kind, key);
}

static int open_load(struct open *o, struct cache *c, struct err *err)
{
	struct query *q = query_new(c, "SELECT rule || char(10) || object ||"
	    " char(10) || kind || char(10) || key, since FROM finding", 0, 0,
	    NULL, err);
	const struct cell *cells;
	int rc;

	if (!q)
		return -1;
	while ((rc = query_step(q, &cells, err)) == 1) {
		o->v = xrealloc(o->v, o->n + 1, sizeof(*o->v));
		o->v[o->n++] = (struct since){
		    .name = xstrndup(cells[0].s, cells[0].n),
		    .t = cells[1].tag == CELL_INT ? cells[1].i : 0};
	}
	query_free(q);
	return rc;
}

static int64_t open_since(const struct open *o, const char *name, int64_t now)
{
	for (size_t i = 0; i < o->n; i++)
		if (!strcmp(o->v[i].name, name) && o->v[i].t)
			return o->v[i].t < now ? o->v[i].t : now;
	return now;
}

static void open_release(struct open *o)
{
	for (size_t i = 0; i < o->n; i++)
		free(o->v[i].name);
	free(o->v);
}

/* One rule as it runs. */
struct search {
	const struct session	*session;
	struct cache		*cache;
	const struct context	*context;
	int64_t			 now;
	struct task		*task;
	struct open		 open;
	struct buf		*note;
};

/* The columns that name a row of the kind: a table's keys, or those of the
 * view whose kind it is. */
static size_t kind_key(const struct registry *r, const char *kind,
    const char **names, size_t max)
{
	const struct kind *k = registry_kind(r, kind);
	const struct view *v = registry_view_of_kind(r, kind);
	size_t n = 0;

	if (!k)
		return v ? view_key(r, v, names, max) : 0;
	for (const struct field *f = k->fields; f->name && n < max; f++)
		if (f->role == ROLE_KEY)
			names[n++] = f->name;
	return n;
}

/* The rule's command with the row's values, each within one word. "" when a
 * value can't stand in a line. */
static char *filled_line(const struct rule *u, const char *const *names,
    const struct cell *cells, size_t n)
{
	struct arena a = {0};
	struct buf b = {0};
	const char **argv;
	int argc = 0;

	if (u->command &&
	    line_fill(&a, u->command, names, cells, n, &argv, &argc, NULL))
		argc = 0;
	for (int i = 0; i < argc; i++) {
		if (i)
			buf_addc(&b, ' ');
		line_quote(&b, argv[i]);
	}
	arena_free(&a);
	return buf_take(&b);
}

static const char *severity_of(const struct rule *u, const char *const *names,
    const struct cell *cells, size_t n)
{
	int at = index_of(names, n, "severity", 8);

	if (at >= 0 && cells[at].tag == CELL_TEXT)
		return cells[at].n == 3 && !memcmp(cells[at].s, "bad", 3) ?
		    "bad" : "doubtful";
	return u->severity == SEVERITY_BAD ? "bad" : "doubtful";
}

static int add_finding(struct search *s, const struct module *m,
    const struct rule *u, struct merge *to, const char *const *names,
    const struct cell *cells, size_t n, struct err *err)
{
	const char *key[VIEW_KEY_MAX];
	size_t nkey = kind_key(&s->session->registry, u->kind, key,
	    VIEW_KEY_MAX);
	struct cell values[VIEW_KEY_MAX], object;
	struct buf json = {0}, text = {0};
	int at = index_of(names, n, "object", 6), rc = -1;
	char *name, *line;

	if (at < 0 || cells[at].tag != CELL_TEXT)
		return err_set(err, ERR_DATA, "rule %s: no text in \"object\"",
		    u->id);
	object = cells[at];
	for (size_t i = 0; i < nkey; i++) {
		at = index_of(names, n, key[i], strlen(key[i]));
		if (at < 0)
			return err_set(err, ERR_DATA,
			    "rule %s: its SELECT gives no \"%s\", a key of %s",
			    u->id, key[i], u->kind);
		values[i] = cells[at];
	}
	key_json(&json, key, values, nkey);
	fill(&text, u->reason, names, cells, n);
	line = filled_line(u, names, cells, n);
	name = joined(u->id, object, u->kind, buf_str(&json));
	merge_text(to, "rule", u->id, -1);
	merge_text(to, "object", object.s, (int)object.n);
	merge_text(to, "kind", u->kind, -1);
	merge_text(to, "key", buf_str(&json), (int)json.n);
	merge_text(to, "severity", severity_of(u, names, cells, n), -1);
	merge_int(to, "since", open_since(&s->open, name, s->now));
	merge_text(to, "text", buf_str(&text), (int)text.n);
	merge_text(to, "command", line, -1);
	merge_text(to, "module", m->name, -1);
	rc = merge_row(to, err);
	free(name);
	free(line);
	buf_free(&json);
	buf_free(&text);
	return rc;
}

static int run_rule(struct search *s, const struct module *m,
    const struct rule *u, struct err *err)
{
	struct query *q = query_new(s->cache, u->sql, QUERY_GUARD, 5000,
	    s->task, err);
	const char *const *names;
	const struct cell *cells;
	struct merge *to;
	size_t n;
	int rc;

	if (!q)
		return -1;
	n = query_columns(q, &names);
	to = merge_begin(s->cache, &finding_kind, s->context->name, u->id,
	    s->now, 0);
	while ((rc = query_step(q, &cells, err)) == 1)
		if (add_finding(s, m, u, to, names, cells, n, err)) {
			rc = -1;
			break;
		}
	query_free(q);
	if (!rc)
		return merge_end(to, err);
	merge_abort(to);
	return -1;
}

static int try_rule(void *arg, const struct module *m, const struct rule *u)
{
	struct search *s = arg;
	struct err err = {0};

	if (task_cancelled(s->task))
		return -1;
	if (run_rule(s, m, u, &err) && s->note && err.code != ERR_CANCELLED)
		buf_addf(s->note, "%srule %s: %s", s->note->n ? "\n" : "",
		    u->id, err.text);
	return 0;
}

int find_evaluate(const struct session *session, struct cache *c,
    const struct context *context, int64_t now, struct task *t,
    struct buf *note, struct err *err)
{
	struct search s = {.session = session, .cache = c, .context = context,
	    .now = now, .task = t, .note = note};
	const char *contexts[] = {context->name};
	int rc = -1;

	if (!cache_aim(c, contexts, 1, 0, 0, err) &&
	    !open_load(&s.open, c, err)) {
		registry_each_rule(&session->registry, try_rule, &s);
		rc = task_check(t, err);
	}
	open_release(&s.open);
	return rc;
}

/* ---- what rules read -------------------------------------------------------- */

struct reads {
	const struct session	 *session;
	struct cache		 *cache;
	const char		**v;
	size_t			  n;
};

static int add_reads(void *arg, const struct module *m, const struct rule *u)
{
	struct reads *r = arg;
	struct query *q = query_new(r->cache, u->sql, QUERY_GUARD, 0, NULL,
	    NULL);

	(void)m;
	for (const char *const *k = q ? query_kinds(q) : NULL; k && *k; k++) {
		const struct kind *kind = registry_kind(&r->session->registry,
		    *k);
		size_t i = 0;

		while (i < r->n && strcmp(r->v[i], *k))
			i++;
		if (i < r->n || !kind)
			continue;
		r->v = xrealloc(r->v, r->n + 2, sizeof(*r->v));
		r->v[r->n++] = kind->name;
		r->v[r->n] = NULL;
	}
	query_free(q);
	return 0;
}

const char **find_kinds(const struct session *s, struct cache *c)
{
	struct reads r = {.session = s, .cache = c,
	    .v = xcalloc(1, sizeof(*r.v))};

	registry_each_rule(&s->registry, add_reads, &r);
	return r.v;
}
