/* What of the past a line means: since when, and for `changed KIND KEY…` and
 * `timeline KIND KEY…` which rows, as an expression over those lists, whose
 * rows name kind and key too. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "find.h"

enum { CHANGED_MS = 1800000, SERIES_MS = 3600000 };

int64_t line_since(const struct line *l, int64_t at)
{
	const char *typed = l->flags.since_text;
	int64_t now = at ? at : clock_now(), span;

	/* A duration counts back from the time that is shown. */
	if (typed && value_duration(typed, &span, NULL) == 0)
		return now - span;
	if (l->flags.since)
		return l->flags.since;
	if (l->verb == VERB_SERIES)
		return now - SERIES_MS;
	if (l->view && !strcmp(l->view->name, "journal"))
		return 0;
	/* Anything else may read `changed`: home, the lists made of it, SQL. */
	return now - CHANGED_MS;
}

/* A text as an SQL literal. */
static void quote(struct buf *out, const char *s, size_t n)
{
	buf_addc(out, '\'');
	for (size_t i = 0; i < n; i++) {
		buf_addc(out, s[i]);
		if (s[i] == '\'')
			buf_addc(out, '\'');
	}
	buf_addc(out, '\'');
}

/* The key columns of a kind and their types: its fields', or, of a kind that
 * has no table, those of its list. */
static size_t key_of(const struct registry *r, const char *kind,
    const char **names, enum type *types)
{
	const struct kind *k = registry_kind(r, kind);
	const struct view *v = registry_view_of_kind(r, kind);
	struct column *c;
	size_t n = 0, nc;

	for (const struct field *f = k ? k->fields : NULL; f && f->name; f++)
		if (f->role == ROLE_KEY && n < VIEW_KEY_MAX) {
			names[n] = f->name;
			types[n++] = f->type;
		}
	if (n || !v)
		return n;
	n = view_key(r, v, names, VIEW_KEY_MAX);
	c = view_columns(v, &nc);
	for (size_t i = 0; i < n; i++)
		for (size_t k2 = 0; k2 < nc; k2++)
			if (!strcmp(c[k2].name, names[i]))
				types[i] = c[k2].type;
	free(c);
	return n;
}

/* The word as the cell that the cache has for it. */
static struct cell typed(enum type type, const char *word)
{
	char *end;
	double d;

	if (type != TYPE_TEXT && type != TYPE_LIST && *word) {
		d = strtod(word, &end);
		if (!*end && d == (double)(int64_t)d)
			return run_i((int64_t)d);
		if (!*end)
			return run_d(d);
	}
	return run_s(word);
}

static int key_where(struct buf *out, const struct registry *r,
    const char *const *args, size_t nargs, struct err *err)
{
	const char *names[VIEW_KEY_MAX];
	enum type types[VIEW_KEY_MAX] = {0};
	struct cell cells[VIEW_KEY_MAX];
	size_t n = key_of(r, args[0], names, types);
	struct buf want = {0};

	if (nargs - 1 != n) {
		for (size_t i = 0; i < n; i++)
			buf_addf(&want, " %s", names[i]);
		err_set(err, ERR_USAGE, "a row of %s is named by:%s", args[0],
		    n ? buf_str(&want) : " nothing");
		buf_free(&want);
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		cells[i] = typed(types[i], args[i + 1]);
	key_json(&want, names, cells, n);
	buf_adds(out, " AND key = ");
	quote(out, buf_str(&want), want.n);
	buf_free(&want);
	return 0;
}

/* A finding's changes are told as those of the row that it is about, so its
 * own name picks them out by what only they have. `timeline` doesn't say the
 * rule. */
static int finding_where(struct buf *out, const struct view *v,
    const char *const *args, size_t nargs, struct err *err)
{
	static const char *const names[] = {"rule", "object", "kind", "key"};
	bool told = false;

	if (nargs != 1 && nargs != 5)
		return err_set(err, ERR_USAGE, "a row of finding is named by: "
		    "rule object kind key");
	for (const struct column *c = v->columns; c->name; c++)
		told = told || !strcmp(c->name, "rule");
	buf_adds(out, told ? "coalesce(op IN ('opened', 'closed') OR "
	    "field = 'severity', 0)" : "type = 'finding'");
	for (size_t i = told ? 0 : 1; i + 1 < nargs; i++) {
		buf_addf(out, " AND %s = ", names[i]);
		quote(out, args[i + 1], strlen(args[i + 1]));
	}
	return 0;
}

char *past_where(const struct registry *r, const struct view *v,
    const char *const *args, size_t nargs, struct err *err)
{
	struct buf b = {0};
	int rc = 0;

	if (!strcmp(args[0], finding_kind.name)) {
		rc = finding_where(&b, v, args, nargs, err);
	} else {
		buf_adds(&b, "kind = ");
		quote(&b, args[0], strlen(args[0]));
		if (nargs > 1)
			rc = key_where(&b, r, args, nargs, err);
	}
	if (rc < 0) {
		buf_free(&b);
		return NULL;
	}
	return buf_take(&b);
}
