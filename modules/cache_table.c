/* Kinds as tables: which field is stored where, and the DDL that follows. */
#include "cache_impl.h"

#include <stdlib.h>
#include <string.h>

/* Where a field stands among the places of a row. */
static int part_of(const struct field *f)
{
	switch (f->role) {
	case ROLE_KEY:
		return 0;
	case ROLE_FACT:
		return 1;
	case ROLE_NOTE:
		return 2;
	case ROLE_METRIC:
		return f->flags & FIELD_BINS ? 4 : 3;
	case ROLE_END:
		break;
	}
	BUG("field %s has no role", f->name);
}

struct table *table_new(const struct kind *k)
{
	struct table *t = xcalloc(1, sizeof(*t));
	const struct field *f;
	size_t *n[] = { &t->nkeys, &t->nfacts, &t->nnotes, &t->nmetrics,
	    &t->nbins };
	int part;

	t->kind = k;
	t->is_finding = strcmp(k->name, "finding") == 0;
	for (f = k->fields; f->role != ROLE_END; f++)
		t->n++;
	t->fields = xcalloc(t->n + 1, sizeof(*t->fields));
	t->n = 0;
	for (part = 0; part < 5; part++) {
		for (f = k->fields; f->role != ROLE_END; f++) {
			if (part_of(f) != part)
				continue;
			t->fields[t->n++] = f;
			(*n[part])++;
		}
	}
	return t;
}

void table_free(struct table *t)
{
	free(t->fields);
	free(t);
}

int table_place(const struct table *t, const char *field)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->fields[i]->name, field) == 0)
			return (int)i;
	return -1;
}

void table_names(struct buf *out, const struct table *t, const char *prefix,
    size_t from, size_t n)
{
	size_t i;

	for (i = from; i < from + n; i++)
		buf_addf(out, ", %s%s", prefix, t->fields[i]->name);
}

void table_shape(struct buf *out, const struct table *t)
{
	size_t i;

	/* A format of the tables of its own: raise it when they change. */
	buf_addf(out, "1");
	for (i = 0; i < t->n; i++)
		buf_addf(out, " %s:%d:%u", t->fields[i]->name,
		    (int)t->fields[i]->role, t->fields[i]->flags);
}

void table_ddl(struct buf *out, const struct table *t, bool temp)
{
	const char *name = t->kind->name, *db = temp ? "temp" : "main";

	/* _k and _f are hashes of keys and of facts and notes: a merge reads
	 * them and not the texts. */
	buf_addf(out, "CREATE TABLE %s.%s_now(_id INTEGER PRIMARY KEY, _k, "
	    "_f, context", db, name);
	table_names(out, t, "", 0, table_stored(t));
	buf_addf(out, ", _since);\n");

	/* Not unique: two scopes may claim one key, and then both are shown. */
	buf_addf(out, "CREATE INDEX %s.%s_key ON %s_now(context", db, name,
	    name);
	table_names(out, t, "", 0, t->nkeys);
	buf_addf(out, ");\nCREATE TABLE %s.%s_m(_id INTEGER PRIMARY KEY", db,
	    name);
	table_names(out, t, "", table_stored(t), t->nmetrics);

	buf_addf(out, ");\nCREATE TABLE %s.%s_past(_until, _id, context", db,
	    name);
	table_names(out, t, "", 0, table_stored(t));
	buf_addf(out, ", _since, PRIMARY KEY(_until, _id)) WITHOUT ROWID;\n");
}
