/* How the rows that were given differ from those stored: by hashes, with no
 * lock held. What became of each row is decided here, and what a reader of
 * `change` will see is written into memory; cache_merge.c then stores it. */
#include "cache_merge.h"

#include <stdlib.h>
#include <string.h>

struct index {
	uint32_t	*slot;		/* number of an old row, + 1 */
	size_t		 mask;
};

/* ---- what is stored ----------------------------------------------------- */

static int scope_read(struct merge *m, sqlite3_stmt *s, struct err *err)
{
	int rc;

	db_bind(s, "sss", m->t->kind->name, m->context, m->scope);
	rc = sqlite3_step(s);
	m->s.id = 0;
	if (rc == SQLITE_ROW) {
		m->s.id = sqlite3_column_int64(s, 0);
		m->s.known = sqlite3_column_int(s, 1) != 0;
		m->s.merged_at = sqlite3_column_int64(s, 2);
		m->s.version = sqlite3_column_int64(s, 3);
		m->s.slots = sqlite3_column_int64(s, 4);
		m->s.gone = sqlite3_column_int64(s, 5);
		m->s.last = sqlite3_column_int64(s, 6);
	} else if (rc != SQLITE_DONE) {
		return db_fault(m->c, "scope", err);
	}
	sqlite3_reset(s);
	return 0;
}

/* Finds the scope; makes it, empty and not known, where it is new. */
static int scope_find(struct merge *m, struct err *err)
{
	sqlite3_stmt *s = db_prepare(m->c, err, "SELECT id, known, merged_at, "
	    "version, slots, gone, last FROM main.scope "
	    "WHERE kind = ?1 AND context = ?2 AND name = ?3");
	int rc = s ? scope_read(m, s, err) : -1;

	if (rc == 0 && m->s.id == 0) {
		rc = db_begin(m->c, err);
		if (rc == 0 && db_exec(m->c, err, "INSERT OR IGNORE INTO "
		    "main.scope(kind, context, name) VALUES(%Q, %Q, %Q)",
		    m->t->kind->name, m->context, m->scope) < 0) {
			db_rollback(m->c);
			rc = -1;
		}
		if (rc == 0)
			rc = db_commit(m->c, err);
		if (rc == 0)
			rc = scope_read(m, s, err);
	}
	sqlite3_finalize(s);
	return rc;
}

static int old_read(struct merge *m, struct err *err)
{
	int64_t base = m->s.id << SLOT_BITS;
	size_t cap = 0;
	sqlite3_stmt *s;
	int rc;

	if (m->s.slots == 0)
		return 0;
	s = db_preparef(m->c, err, "SELECT _id, _k, _f FROM %s_now WHERE _id "
	    "BETWEEN %lld AND %lld ORDER BY _id", m->t->kind->name,
	    (long long)base, (long long)(base + SLOT_MAX));
	if (!s)
		return -1;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (m->nold == cap) {
			cap = cap ? cap * 2 : 64;
			m->old = xrealloc(m->old, cap, sizeof(*m->old));
		}
		m->old[m->nold++] = (struct old){
			.id = sqlite3_column_int64(s, 0),
			.k = (uint64_t)sqlite3_column_int64(s, 1),
			.f = (uint64_t)sqlite3_column_int64(s, 2),
		};
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : db_fault(m->c, "rows", err);
}

/* ---- which is which ----------------------------------------------------- */

static void index_make(struct index *x, const struct merge *m)
{
	size_t n = 64, i, at;

	while (n < m->nold * 2)
		n *= 2;
	x->mask = n - 1;
	x->slot = xcalloc(n, sizeof(*x->slot));
	for (i = 0; i < m->nold; i++) {
		at = m->old[i].k & x->mask;
		while (x->slot[at])
			at = (at + 1) & x->mask;
		x->slot[at] = (uint32_t)i + 1;
	}
}

static struct old *index_find(const struct index *x, struct merge *m,
    uint64_t k)
{
	size_t at = k & x->mask;

	for (; x->slot[at]; at = (at + 1) & x->mask)
		if (m->old[x->slot[at] - 1].k == k)
			return &m->old[x->slot[at] - 1];
	return NULL;
}

/* Gives each pending row the id of the stored row of its key. Backends answer
 * in the same order as last time more often than not: the next old row is
 * tried before the index, which is made only when that failed. */
static void match(struct merge *m)
{
	struct index x = {0};
	struct old *o;
	size_t i, next = 0;

	for (i = 0; i < m->n; i++) {
		o = NULL;
		if (next < m->nold && m->old[next].k == m->v[i].k) {
			o = &m->old[next];
		} else if (m->nold > 0) {
			if (!x.slot)
				index_make(&x, m);
			o = index_find(&x, m, m->v[i].k);
		}
		m->v[i].id = 0;
		if (!o)
			continue;
		next = (size_t)(o - m->old) + 1;
		if (o->by)
			m->v[o->by - 1].id = -1;
		o->by = (uint32_t)i + 1;
		m->v[i].id = o->id;
	}
	free(x.slot);
}

static uint32_t *list_new(size_t n)
{
	return xcalloc(n + 1, sizeof(uint32_t));
}

static int by_key(const void *a, const void *b, void *arg)
{
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct merge *m = arg;
	int rc = pend_order(m, &m->v[i], &m->v[j]);

	return rc ? rc : (i > j) - (i < j);
}

static int by_id(const void *a, const void *b, void *arg)
{
	const struct merge *m = arg;
	int64_t x = m->v[*(const uint32_t *)a].id;
	int64_t y = m->v[*(const uint32_t *)b].id;

	return (x > y) - (x < y);
}

/* New rows go in by key, or the index is written all over the place. Of a key
 * given twice the later one stays. */
static void sort_news(struct merge *m)
{
	size_t i, n = 0;
	bool rising = true;

	for (i = 1; i < m->nnews && rising; i++)
		rising = pend_order(m, &m->v[m->news[i - 1]],
		    &m->v[m->news[i]]) < 0;
	if (rising)
		return;
	qsort_r(m->news, m->nnews, sizeof(*m->news), by_key, m);
	for (i = 0; i < m->nnews; i++) {
		if (i + 1 < m->nnews && pend_order(m, &m->v[m->news[i]],
		    &m->v[m->news[i + 1]]) == 0)
			m->v[m->news[i]].id = -1;
		else
			m->news[n++] = m->news[i];
	}
	m->nnews = n;
}

static void sort_met(struct merge *m)
{
	size_t i;

	for (i = 1; i < m->nmet; i++) {
		if (m->v[m->met[i - 1]].id < m->v[m->met[i]].id)
			continue;
		qsort_r(m->met, m->nmet, sizeof(*m->met), by_id, m);
		return;
	}
}

static void classify(struct merge *m)
{
	struct old *o;
	size_t i, next = 0;

	m->news = list_new(m->n);
	m->changed = list_new(m->n);
	m->met = list_new(m->n);
	m->closed = list_new(m->nold);
	for (i = 0; i < m->n; i++) {
		if (m->v[i].id == 0)
			m->news[m->nnews++] = (uint32_t)i;
		else if (m->v[i].id > 0)
			m->met[m->nmet++] = (uint32_t)i;
	}
	sort_news(m);
	sort_met(m);
	/* Both are in the order of ids now. */
	for (i = 0; i < m->nmet; i++) {
		while (m->old[next].id < m->v[m->met[i]].id)
			next++;
		if (m->old[next].f != m->v[m->met[i]].f)
			m->changed[m->nchanged++] = m->met[i];
	}
	if (m->flags & MERGE_PATCH)
		return;
	for (o = m->old; o < m->old + m->nold; o++)
		if (!o->by)
			m->closed[m->nclosed++] = (uint32_t)(o - m->old);
}

/* ---- MERGE_PATCH: what wasn't given is what is stored ------------------- */

/* The stored value in the place of one that wasn't given. */
static struct part stored_part(const struct merge *m, sqlite3_stmt *s,
    sqlite3_stmt *metrics, size_t place)
{
	size_t stored = table_stored(m->t);
	struct part part = { .tag = PART_NULL };
	struct cell v = { .tag = CELL_NULL };

	if (place < stored)
		v = db_cell(s, (int)place);
	else if (place < stored + m->t->nmetrics)
		v = db_cell(metrics, (int)(place - stored) + 1);
	part.tag = (enum part_tag)v.tag;
	part.n = (uint32_t)v.n;
	part.i = v.i;
	if (v.tag == CELL_TEXT)
		part.s = v.s;
	return part;
}

static int fill_row(struct merge *m, struct pend *p, sqlite3_stmt *s,
    sqlite3_stmt *metrics, struct err *err)
{
	const uint8_t *at = p->rec;
	struct part part;
	size_t i;

	sqlite3_bind_int64(s, 1, p->id);
	sqlite3_bind_int64(metrics, 1, p->id);
	if (p->id > 0 && sqlite3_step(s) != SQLITE_ROW)
		return db_fault(m->c, "row", err);
	if (p->id > 0)
		sqlite3_step(metrics);
	buf_clear(&m->rec);
	for (i = 0; i < m->t->n; i++) {
		at = part_read(at, &part);
		if (part.tag == PART_UNSET)
			part = p->id > 0 ? stored_part(m, s, metrics, i) :
			    (struct part){ .tag = PART_NULL };
		part_write(&m->rec, &part);
	}
	sqlite3_reset(s);
	sqlite3_reset(metrics);
	p->rec = pend_keep(m, &m->rec);
	pend_hash(m, p);
	return 0;
}

static int fill(struct merge *m, struct err *err)
{
	struct buf sql = {0};
	sqlite3_stmt *s, *metrics;
	size_t i;
	int rc = 0;

	buf_adds(&sql, "SELECT ");
	table_names(&sql, m->t, "", 0, table_stored(m->t));
	/* The first comma stands where a name would. */
	sql.p[7] = ' ';
	buf_addf(&sql, " FROM %s_now WHERE _id = ?1", m->t->kind->name);
	s = db_prepare(m->c, err, buf_str(&sql));
	buf_clear(&sql);
	buf_adds(&sql, "SELECT 0");
	table_names(&sql, m->t, "", table_stored(m->t), m->t->nmetrics);
	buf_addf(&sql, " FROM %s_m WHERE _id = ?1", m->t->kind->name);
	metrics = db_prepare(m->c, err, buf_str(&sql));
	buf_free(&sql);
	if (!s || !metrics)
		rc = -1;
	if (!m->given) {
		m->given = xcalloc(m->n + 1, sizeof(*m->given));
		for (i = 0; i < m->n; i++)
			m->given[i] = m->v[i].rec;
	}
	for (i = 0; i < m->n && rc == 0; i++) {
		m->v[i].rec = m->given[i];
		if (m->v[i].id >= 0)
			rc = fill_row(m, &m->v[i], s, metrics, err);
	}
	sqlite3_finalize(s);
	sqlite3_finalize(metrics);
	return rc;
}

/* ---- slots -------------------------------------------------------------- */

static int gone_read(struct merge *m, struct err *err)
{
	size_t cap = 0;
	sqlite3_stmt *s;
	int rc;

	if (m->s.gone == 0 || m->nnews == 0)
		return 0;
	s = db_preparef(m->c, err, "SELECT k, slot, t FROM main.gone "
	    "WHERE scope = %lld ORDER BY k", (long long)m->s.id);
	if (!s)
		return -1;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (m->ngone == cap) {
			cap = cap ? cap * 2 : 64;
			m->gone = xrealloc(m->gone, cap, sizeof(*m->gone));
		}
		m->gone[m->ngone++] = (struct gone){
			.k = sqlite3_column_int64(s, 0),
			.slot = sqlite3_column_int64(s, 1),
			.t = sqlite3_column_int64(s, 2),
		};
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : db_fault(m->c, "slots", err);
}

static int gone_order(const void *a, const void *b)
{
	int64_t x = ((const struct gone *)a)->k, y = ((const struct gone *)b)->k;

	return (x > y) - (x < y);
}

/* A row that comes back has the slot that it had, and so goes on with its
 * series. Others take slots that have rested, then new ones. */
static int give_slots(struct merge *m, struct err *err)
{
	int64_t base = m->s.id << SLOT_BITS, next = m->s.slots;
	struct gone *g, key;
	struct pend *p;
	size_t i, rested = 0;

	if (gone_read(m, err) < 0)
		return -1;
	for (i = 0; i < m->nnews && m->ngone > 0; i++) {
		p = &m->v[m->news[i]];
		key.k = (int64_t)p->k;
		g = bsearch(&key, m->gone, m->ngone, sizeof(*g), gone_order);
		if (!g || g->used)
			continue;
		g->used = true;
		p->id = base + g->slot;
	}
	for (i = 0; i < m->nnews; i++) {
		p = &m->v[m->news[i]];
		if (p->id > 0)
			continue;
		while (rested < m->ngone && (m->gone[rested].used ||
		    m->gone[rested].t > m->now - SLOT_REST))
			rested++;
		if (rested < m->ngone) {
			m->gone[rested].used = true;
			p->id = base + m->gone[rested].slot;
		} else {
			p->id = base + next++;
		}
	}
	m->slots = next;
	if (next > SLOT_MAX)
		return err_set(err, ERR_DATA, "cache: %s of %s: over %lld rows "
		    "within a month", m->t->kind->name, m->scope,
		    (long long)SLOT_MAX);
	return 0;
}

/* ---- what `change` will say --------------------------------------------- */

static void json_of(struct buf *out, struct cell v)
{
	switch (v.tag) {
	case CELL_NULL:
		buf_adds(out, "null");
		break;
	case CELL_INT:
		buf_addf(out, "%lld", (long long)v.i);
		break;
	case CELL_REAL:
		value_number(out, v.d);
		break;
	case CELL_TEXT:
		value_json_text(out, v.s, v.n);
		break;
	}
}

/* Kept with the merge. */
static const char *json_word(struct merge *m, struct cell v)
{
	buf_clear(&m->texts);
	json_of(&m->texts, v);
	return arena_strndup(&m->words, m->texts.p, m->texts.n);
}

static const char *key_word(struct merge *m, const struct cell *cells)
{
	const char *names[INCOMING_COLUMNS];
	size_t i;

	for (i = 0; i < m->t->nkeys; i++)
		names[i] = m->t->fields[i]->name;
	buf_clear(&m->texts);
	key_json(&m->texts, names, cells, m->t->nkeys);
	return arena_strndup(&m->words, m->texts.p, m->texts.n);
}

static const char *object_word(struct merge *m, const struct cell *cells)
{
	int place = m->t->kind->object ?
	    table_place(m->t, m->t->kind->object) : -1;
	const struct cell *v = &cells[place < 0 ? 0 : place];

	buf_clear(&m->texts);
	if (v->tag == CELL_TEXT)
		buf_add(&m->texts, v->s, v->n);
	else
		json_of(&m->texts, *v);
	return arena_strndup(&m->words, buf_str(&m->texts), m->texts.n);
}

static void add_change(struct merge *m, struct change ch)
{
	if (m->nchanges == m->cap_changes) {
		m->cap_changes = m->cap_changes ? m->cap_changes * 2 : 64;
		m->changes = xrealloc(m->changes, m->cap_changes,
		    sizeof(*m->changes));
	}
	m->changes[m->nchanges++] = ch;
}

/* Cells of what a record stores, by place. */
static void rec_cells(const struct merge *m, const uint8_t *rec,
    struct cell *cells)
{
	struct part part;
	size_t i;

	for (i = 0; i < table_stored(m->t); i++) {
		rec = part_read(rec, &part);
		cells[i] = part_cell(&part);
	}
}

static bool same_cell(const struct cell *a, const struct cell *b)
{
	if (a->tag != b->tag)
		return false;
	switch (a->tag) {
	case CELL_NULL:
		return true;
	case CELL_INT:
		return a->i == b->i;
	case CELL_REAL:
		return memcmp(&a->d, &b->d, sizeof(a->d)) == 0;
	case CELL_TEXT:
		return a->n == b->n && memcmp(a->s, b->s, a->n) == 0;
	}
	return false;
}

/* A row of `changed`: a line a fact that differs; when only notes do, the
 * version that stands stays. */
static void say_changed(struct merge *m, size_t i, const struct cell *before,
    int64_t since)
{
	struct cell now[INCOMING_COLUMNS];
	const struct table *t = m->t;
	const char *key = NULL, *object = NULL;
	bool facts = false;
	size_t f;

	rec_cells(m, m->v[m->changed[i]].rec, now);
	for (f = t->nkeys; f < t->nkeys + t->nfacts; f++) {
		if (same_cell(&before[f], &now[f]))
			continue;
		facts = true;
		if (!m->s.known)
			break;
		if (!key) {
			key = key_word(m, now);
			object = object_word(m, now);
		}
		add_change(m, (struct change){
			.op = "changed", .field = t->fields[f]->name,
			.key = key, .object = object,
			.before = json_word(m, before[f]),
			.now = json_word(m, now[f]),
		});
	}
	m->since[i] = facts ? 0 : since;
}

static void say_whole(struct merge *m, const char *op,
    const struct cell *cells)
{
	add_change(m, (struct change){
		.op = op, .key = key_word(m, cells),
		.object = object_word(m, cells),
	});
}

static sqlite3_stmt *stored_row(struct merge *m, struct err *err)
{
	struct buf sql = {0};
	sqlite3_stmt *s;

	buf_adds(&sql, "SELECT _since");
	table_names(&sql, m->t, "", 0, table_stored(m->t));
	buf_addf(&sql, " FROM %s_now WHERE _id = ?1", m->t->kind->name);
	s = db_prepare(m->c, err, buf_str(&sql));
	buf_free(&sql);
	return s;
}

/* Steps s to the row of that id; cells are its own until it is reset. */
static int stored_cells(struct merge *m, sqlite3_stmt *s, int64_t id,
    struct cell *cells, struct err *err)
{
	size_t i;

	sqlite3_bind_int64(s, 1, id);
	if (sqlite3_step(s) != SQLITE_ROW)
		return db_fault(m->c, "row", err);
	for (i = 0; i < table_stored(m->t); i++)
		cells[i] = db_cell(s, (int)i + 1);
	return 0;
}

static int say(struct merge *m, struct err *err)
{
	struct cell cells[INCOMING_COLUMNS];
	sqlite3_stmt *s = NULL;
	bool finding = m->t->is_finding;
	size_t i;
	int rc = 0;

	m->since = xcalloc(m->nchanged + 1, sizeof(*m->since));
	m->said = xcalloc(m->nchanged + 1, sizeof(*m->said));
	if (m->nchanged > 0 || (m->nclosed > 0 && m->s.known)) {
		s = stored_row(m, err);
		if (!s)
			return -1;
	}
	for (i = 0; i < m->nchanged && rc == 0; i++) {
		rc = stored_cells(m, s, m->v[m->changed[i]].id, cells, err);
		if (rc == 0)
			say_changed(m, i, cells, sqlite3_column_int64(s, 0));
		m->said[i] = m->nchanges;
		sqlite3_reset(s);
	}
	m->said_closed = m->nchanges;
	for (i = 0; m->s.known && i < m->nclosed && rc == 0; i++) {
		rc = stored_cells(m, s, m->old[m->closed[i]].id, cells, err);
		if (rc == 0)
			say_whole(m, finding ? "closed" : "removed", cells);
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	m->said_news = m->nchanges;
	for (i = 0; m->s.known && i < m->nnews && rc == 0; i++) {
		rec_cells(m, m->v[m->news[i]].rec, cells);
		say_whole(m, finding ? "opened" : "added", cells);
	}
	return rc;
}

/* ---- one attempt -------------------------------------------------------- */

int compare_load(struct merge *m, struct err *err)
{
	if (scope_find(m, err) < 0 || old_read(m, err) < 0)
		return -1;
	m->now = m->time;
	if (m->now < m->s.last && m->s.last - m->now <= CLOCK_SLACK)
		m->now = m->s.last;
	match(m);
	if (m->flags & MERGE_PATCH && fill(m, err) < 0)
		return -1;
	classify(m);
	if (give_slots(m, err) < 0 || say(m, err) < 0)
		return -1;
	m->frames = m->flags & MERGE_PATCH || m->drop ||
	    table_columns(m->t) == 0 ? NULL : frames_make(m);
	return 0;
}

void compare_release(struct merge *m)
{
	free(m->old);
	free(m->news);
	free(m->changed);
	free(m->met);
	free(m->closed);
	free(m->gone);
	free(m->since);
	free(m->said);
	free(m->changes);
	arena_free(&m->words);
	frames_free(m->frames);
	m->old = NULL;
	m->news = m->changed = m->met = m->closed = NULL;
	m->gone = NULL;
	m->since = NULL;
	m->said = NULL;
	m->changes = NULL;
	m->frames = NULL;
	m->nold = m->nnews = m->nchanged = m->nmet = m->nclosed = 0;
	m->ngone = m->nchanges = m->cap_changes = 0;
}
