/* Home: the sections that both faces show. Each is the rows of a view (so that
 * json has them whole) and a table made of them for people, where what one
 * fetch changed on one thing is one line. */
#include "home.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "text.h"
#include "view.h"

/* Changes are joined after they were read: enough for ten lines of them, and
 * no more than a moment's reading. */
#define CHANGES_MAX	2000

struct loading {
	const struct session	*session;
	const struct registry	*registry;
	struct cache		*cache;
	bool			 contexts;
	int64_t			 at, since, limit;
	struct task		*task;
	struct home		*home;
};

static int64_t now_of(const struct loading *l)
{
	return l->at ? l->at : clock_now();
}

/* ---- reading ------------------------------------------------------------ */

static int read_query(struct query *q, struct rows *out, struct err *err)
{
	const struct cell *cells;
	int rc;

	while ((rc = query_step(q, &cells, err)) == 1)
		rows_add(out, cells);
	query_free(q);
	return rc;
}

static int read_view(struct loading *l, struct home_section *s, int64_t max,
    struct err *err)
{
	struct view_ask ask = {.limit = max};
	char *sql = view_select(l->registry, s->view, &ask, err);
	struct query *q;

	if (!sql)
		return -1;
	q = query_new(l->cache, sql, 0, 0, l->task, err);
	free(sql);
	return q ? read_query(q, &s->rows, err) : -1;
}

static struct cell cell_of(const struct rows *r, size_t row, const char *name)
{
	int c = rows_column(r, name);

	return c < 0 ? (struct cell){.tag = CELL_NULL}
		     : rows_cell(r, row, (size_t)c);
}

static bool cell_is(struct cell c, const char *text)
{
	return c.tag == CELL_TEXT && c.n == strlen(text) &&
	    !memcmp(c.s, text, c.n);
}

static bool cell_same(struct cell a, struct cell b)
{
	if (a.tag != b.tag)
		return false;
	switch (a.tag) {
	case CELL_NULL:
		return true;
	case CELL_INT:
		return a.i == b.i;
	case CELL_REAL:
		return !(a.d < b.d) && !(a.d > b.d);
	case CELL_TEXT:
		return a.n == b.n && !memcmp(a.s, b.s, a.n);
	}
	return false;
}

/* ---- the rows that stay ------------------------------------------------- */

/* Keeps those rows, in that order. */
static void keep_rows(struct home_section *s, const uint32_t *index, size_t n)
{
	struct rows kept;
	struct cell *cells = xcalloc(s->ncolumns, sizeof(*cells));

	rows_init(&kept, s->columns, s->ncolumns);
	for (size_t i = 0; i < n; i++) {
		for (size_t c = 0; c < s->ncolumns; c++)
			cells[c] = rows_cell(&s->rows, index[i], c);
		rows_add(&kept, cells);
	}
	free(cells);
	rows_release(&s->rows);
	s->rows = kept;
}

static size_t limited(const struct loading *l, size_t n)
{
	return l->limit >= 0 && (uint64_t)l->limit < n ? (size_t)l->limit : n;
}

static const char *const worst_first[] = {"bad", "doubtful", "old"};

static size_t badness(struct cell status)
{
	size_t i = 0;

	while (i < 3 && !cell_is(status, worst_first[i]))
		i++;
	return i;
}

/* The worst first, otherwise as the view sorts them. */
static void keep_worst(struct loading *l, struct home_section *s)
{
	uint32_t *index = xcalloc(s->rows.n + 1, sizeof(*index));
	size_t n = 0;

	for (size_t rank = 0; rank <= 3; rank++)
		for (size_t i = 0; i < s->rows.n; i++)
			if (badness(cell_of(&s->rows, i, "status")) == rank)
				index[n++] = (uint32_t)i;
	keep_rows(s, index, limited(l, n));
	free(index);
}

static void keep_first(struct loading *l, struct home_section *s)
{
	uint32_t *index = xcalloc(s->rows.n + 1, sizeof(*index));

	for (size_t i = 0; i < s->rows.n; i++)
		index[i] = (uint32_t)i;
	keep_rows(s, index, limited(l, s->rows.n));
	free(index);
}

static void keep_not_ok(struct loading *l, struct home_section *s)
{
	uint32_t *index = xcalloc(s->rows.n + 1, sizeof(*index));
	size_t n = 0;

	l->home->sources = s->rows.n;
	for (size_t i = 0; i < s->rows.n; i++)
		if (!cell_is(cell_of(&s->rows, i, "state"), "ok"))
			index[n++] = (uint32_t)i;
	l->home->down = n;
	s->total = n;
	keep_rows(s, index, limited(l, n));
	free(index);
}

/* ---- joining changes ---------------------------------------------------- */

/* "host A removed" and "host B removed" are "host A, B removed": what is
 * common in whole words before and after stays once. joined holds the first,
 * *head and *tail how much of it is common so far; -1: not joined yet. */
struct joint {
	struct buf	text, last;
	size_t		head, tail;
	bool		any;
};

static size_t common_head(const char *a, size_t na, const char *b, size_t nb)
{
	size_t n = 0, word = 0;

	while (n < na && n < nb && a[n] == b[n])
		if (a[n++] == ' ')
			word = n;
	return word;
}

static size_t common_tail(const char *a, size_t na, const char *b, size_t nb,
    size_t head)
{
	size_t n = 0, word = 0;

	while (n < na - head && n < nb - head && a[na - n - 1] == b[nb - n - 1])
		if (a[na - ++n] == ' ')
			word = n;
	return word;
}

static void joint_add(struct joint *j, const char *s, size_t n)
{
	struct buf whole = {0};

	if (!j->any) {
		buf_add(&j->text, s, n);
		buf_add(&j->last, s, n);
		j->head = j->tail = SIZE_MAX;
		j->any = true;
		return;
	}
	if (j->head == SIZE_MAX) {
		j->head = common_head(j->last.p, j->last.n, s, n);
		j->tail = common_tail(j->last.p, j->last.n, s, n, j->head);
	}
	buf_add(&whole, buf_str(&j->text), j->text.n - j->tail);
	if (n >= j->head + j->tail && j->head + j->tail &&
	    !memcmp(s, j->last.p, j->head) &&
	    !memcmp(s + n - j->tail, j->last.p + j->last.n - j->tail,
	    j->tail)) {
		buf_adds(&whole, ", ");
		buf_add(&whole, s + j->head, n - j->head - j->tail);
		buf_add(&whole, j->text.p + j->text.n - j->tail, j->tail);
	} else {
		buf_add(&whole, j->text.p + j->text.n - j->tail, j->tail);
		buf_adds(&whole, "; ");
		buf_add(&whole, s, n);
		/* From here on nothing is common. */
		j->head = j->tail = 0;
	}
	buf_free(&j->text);
	j->text = whole;
}

static bool same_change(const struct rows *r, size_t a, size_t b)
{
	static const char *const names[] = {"context", "t", "kind", "object",
	    "op", "field"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!cell_same(cell_of(r, a, names[i]),
		    cell_of(r, b, names[i])))
			return false;
	return true;
}

static void add_joined(struct home_section *s, struct rows *out, size_t first,
    bool *taken)
{
	int text = rows_column(&s->rows, "text");
	struct cell *cells = xcalloc(s->ncolumns, sizeof(*cells));
	struct joint j = {0};

	for (size_t c = 0; c < s->ncolumns; c++)
		cells[c] = rows_cell(&s->rows, first, c);
	for (size_t i = first; i < s->rows.n && text >= 0; i++) {
		struct cell t = rows_cell(&s->rows, i, (size_t)text);
		if (taken[i] || !same_change(&s->rows, first, i))
			continue;
		taken[i] = true;
		if (t.tag == CELL_TEXT)
			joint_add(&j, t.s, t.n);
	}
	if (j.any)
		cells[text] = (struct cell){.tag = CELL_TEXT, .n = j.text.n,
		    .s = buf_str(&j.text)};
	rows_add(out, cells);
	buf_free(&j.text);
	buf_free(&j.last);
	free(cells);
}

static void join_changes(struct loading *l, struct home_section *s)
{
	bool *taken = xcalloc(s->rows.n + 1, sizeof(*taken));
	struct rows joined;

	rows_init(&joined, s->columns, s->ncolumns);
	s->total = 0;
	for (size_t i = 0; i < s->rows.n; i++) {
		if (taken[i])
			continue;
		taken[i] = true;
		if (s->total++ < limited(l, SIZE_MAX)) {
			taken[i] = false;
			add_joined(s, &joined, i, taken);
			continue;
		}
		for (size_t k = i; k < s->rows.n; k++)
			taken[k] = taken[k] || same_change(&s->rows, i, k);
	}
	free(taken);
	rows_release(&s->rows);
	s->rows = joined;
}

/* ---- the table of a section --------------------------------------------- */

static const struct column age_column = {
	.name = "age", .title = "", .type = TYPE_DURATION, .rank = 1,
};
static const struct column status_column = {.name = "status"};

static void show_column(struct home_section *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->ncolumns; i++) {
		const char *have = s->columns[i].name;
		if (strlen(have) != len || memcmp(have, name, len))
			continue;
		s->shown[s->nshown] = s->columns[i];
		s->shown[s->nshown++].flags &= ~(unsigned)COLUMN_WIDE;
	}
}

/* "a,b"; age is made of the column that `age` names. */
static void show_columns(struct loading *l, struct home_section *s,
    const char *names, bool age, bool status)
{
	s->shown = xcalloc(s->ncolumns + 3, sizeof(*s->shown));
	if (l->contexts)
		show_column(s, "context", strlen("context"));
	while (names && *names) {
		size_t len = strcspn(names, ",");
		show_column(s, names, len);
		names += len + (names[len] == ',');
	}
	if (age)
		s->shown[s->nshown++] = age_column;
	if (status)
		s->shown[s->nshown++] = status_column;
	rows_init(&s->table, s->shown, s->nshown);
}

static struct cell age_of(int64_t now, struct cell t)
{
	if (t.tag != CELL_INT)
		return (struct cell){.tag = CELL_NULL};
	return run_i(t.i < now ? (now - t.i) / 1000 : 0);
}

/* since: the column that an age is counted from; state: the one that the
 * gutter shows. Either may be NULL. */
static void fill_table(struct loading *l, struct home_section *s,
    const char *since, const char *state)
{
	struct cell *cells = xcalloc(s->nshown, sizeof(*cells));

	for (size_t i = 0; i < s->rows.n; i++) {
		for (size_t c = 0; c < s->nshown; c++) {
			const char *name = s->shown[c].name;
			if (since && !strcmp(name, "age"))
				cells[c] = age_of(now_of(l),
				    cell_of(&s->rows, i, since));
			else if (state && !strcmp(name, "status"))
				cells[c] = cell_of(&s->rows, i, state);
			else
				cells[c] = cell_of(&s->rows, i, name);
		}
		rows_add(&s->table, cells);
	}
	free(cells);
}

static void note_seen(struct loading *l, const struct home_section *s)
{
	for (size_t i = 0; i < s->rows.n; i++) {
		struct cell c = cell_of(&s->rows, i, "seen");
		if (c.tag == CELL_INT && (!l->home->seen ||
		    c.i < l->home->seen))
			l->home->seen = c.i;
	}
}

/* ---- sections ----------------------------------------------------------- */

static struct home_section *add_section(struct loading *l, const char *name,
    const struct module *m, const struct view *v)
{
	struct home *h = l->home;
	struct home_section *s;

	h->v = xrealloc(h->v, h->n + 1, sizeof(*h->v));
	s = &h->v[h->n++];
	*s = (struct home_section){.name = name, .module = m, .view = v};
	s->columns = view_columns(v, &s->ncolumns);
	rows_init(&s->rows, s->columns, s->ncolumns);
	return s;
}

static char *upper(const char *name)
{
	char *s = xstrdup(name);

	for (char *p = s; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p -= 'a' - 'A';
	return s;
}

/* "MESH", and "MESH, 10 of 43" where rows were left out. */
static void title_counted(struct home_section *s, const char *name)
{
	char *up = upper(name);

	if (s->total > s->rows.n)
		s->title = xasprintf("%s, %zu of %zu", up, s->rows.n, s->total);
	else
		s->title = xstrdup(up);
	free(up);
}

/* A section that can't be read says why in its rows' place. */
static void failed(struct home_section *s, const struct err *err)
{
	if (!s->title)
		s->title = upper(s->name);
	s->right = xstrdup(err->text);
	s->empty = s->right;
	rows_release(&s->rows);
	rows_init(&s->rows, s->columns, s->ncolumns);
}

static char *findings_counted(struct loading *l, const struct home_section *s)
{
	struct buf b = {0};

	if (l->home->bad)
		buf_addf(&b, "%zu bad", l->home->bad);
	if (l->home->doubtful)
		buf_addf(&b, "%s%zu doubtful", b.n ? ", " : "",
		    l->home->doubtful);
	if (s->total > s->rows.n)
		buf_addf(&b, ", first %zu", s->rows.n);
	return buf_take(&b);
}

static int load_findings(struct loading *l, struct err *err)
{
	const struct view *v = registry_view(l->registry, "findings");
	struct home_section *s;

	if (!v)
		return 0;
	s = add_section(l, "findings", registry_module_of_view(l->registry, v),
	    v);
	s->right_last = true;
	show_columns(l, s, "module,object,text", true, true);
	if (read_view(l, s, -1, err) < 0)
		return -1;
	s->total = s->rows.n;
	for (size_t i = 0; i < s->rows.n; i++) {
		struct cell c = cell_of(&s->rows, i, "severity");
		l->home->bad += cell_is(c, "bad");
		l->home->doubtful += cell_is(c, "doubtful");
	}
	keep_first(l, s);
	fill_table(l, s, "since", "severity");
	s->title = xstrdup("FINDINGS");
	s->right = findings_counted(l, s);
	s->empty = "None is open.";
	return 0;
}

static int load_module(struct loading *l, const struct module *m,
    struct err *err)
{
	const struct view *v = m->home ? registry_view_of(l->registry, m,
	    m->home) : NULL;
	struct home_section *s;

	if (!v)
		return 0;
	s = add_section(l, m->name, m, v);
	s->heads = true;
	show_columns(l, s, m->home_columns, false,
	    !(v->flags & VIEW_NO_STATUS));
	s->empty = v->empty;
	if (read_view(l, s, -1, err) < 0)
		return -1;
	s->total = s->rows.n;
	keep_worst(l, s);
	fill_table(l, s, NULL, NULL);
	note_seen(l, s);
	title_counted(s, m->name);
	return 0;
}

/* What sources were like in the past nobody kept. */
static int load_sources(struct loading *l, struct err *err)
{
	const struct view *v = registry_view(l->registry, "sources");
	struct home_section *s;

	if (!v || l->at)
		return 0;
	s = add_section(l, "sources", registry_module_of_view(l->registry, v),
	    v);
	s->heads = true;
	show_columns(l, s, "backend,state,error", true, false);
	if (read_view(l, s, -1, err) < 0)
		return -1;
	keep_not_ok(l, s);
	fill_table(l, s, "seen", NULL);
	title_counted(s, "sources");
	return 0;
}

static char *window(const struct loading *l)
{
	struct buf b = {0};
	double span = (double)(now_of(l) - l->since) / 1000;
	bool minutes = l->since && span < 3600;

	if (minutes)
		buf_addf(&b, "CHANGED in the last %.0f minutes", span / 60);
	else
		buf_adds(&b, "CHANGED in the last ");
	if (!minutes)
		value_ago(&b, span > 0 ? span : 0, SPELL_SHORT);
	return buf_take(&b);
}

static int load_changed(struct loading *l, struct err *err)
{
	const struct view *v = registry_view(l->registry, "changed");
	struct home_section *s;

	if (!v)
		return 0;
	s = add_section(l, "changed", registry_module_of_view(l->registry, v),
	    v);
	show_columns(l, s, "t,module,object,text", false, false);
	s->title = window(l);
	s->empty = "Nothing.";
	if (read_view(l, s, CHANGES_MAX, err) < 0)
		return -1;
	join_changes(l, s);
	fill_table(l, s, NULL, NULL);
	s->right = s->total > s->rows.n ? xasprintf("first %zu of %zu",
	    s->rows.n, s->total) : xstrdup("most suspicious first");
	return 0;
}

/* One section that can't be read takes no other with it. */
static int after(struct loading *l, size_t before, int rc, struct err *err)
{
	if (rc == 0)
		return 0;
	if (err->code == ERR_CANCELLED)
		return -1;
	if (l->home->n > before)
		failed(&l->home->v[l->home->n - 1], err);
	return 0;
}

static int load_sections(struct loading *l, struct err *err)
{
	const struct registry *r = l->registry;
	size_t n = l->home->n;

	if (after(l, n, load_findings(l, err), err))
		return -1;
	for (size_t i = 0; r->modules[i]; i++) {
		n = l->home->n;
		if (after(l, n, load_module(l, r->modules[i], err), err))
			return -1;
	}
	n = l->home->n;
	if (after(l, n, load_sources(l, err), err))
		return -1;
	n = l->home->n;
	return after(l, n, load_changed(l, err), err);
}

/* The title of a section with heads stands in place of its first head; it can
 * only be put there when it is known. */
static void finish(struct home_section *s)
{
	if (!s->title)
		s->title = upper(s->name);
	if (!s->right)
		s->right = xstrdup("");
	if (s->heads && s->nshown)
		s->shown[0].title = s->title;
}

static void section_release(struct home_section *s)
{
	rows_release(&s->rows);
	if (s->shown)
		rows_release(&s->table);
	free(s->columns);
	free(s->shown);
	free(s->title);
	free(s->right);
}

/* Sources are worth a section only while one isn't ok. */
static void drop_quiet_sources(struct home *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (strcmp(h->v[i].name, "sources") || h->v[i].rows.n ||
		    h->v[i].empty)
			continue;
		section_release(&h->v[i]);
		memmove(&h->v[i], &h->v[i + 1],
		    (h->n - i - 1) * sizeof(*h->v));
		h->n--;
		return;
	}
}

int home_load(const struct session *s, struct cache *c, bool contexts,
    int64_t at, int64_t since, int64_t limit, struct task *t,
    struct home *out, struct err *err)
{
	struct loading l = {
		.session = s, .registry = &s->registry, .cache = c,
		.contexts = contexts, .at = at, .since = since, .limit = limit,
		.task = t, .home = out,
	};
	struct err own = {0};

	*out = (struct home){0};
	if (load_sections(&l, &own) < 0) {
		if (err)
			*err = own;
		home_release(out);
		return -1;
	}
	for (size_t i = 0; i < out->n; i++)
		finish(&out->v[i]);
	drop_quiet_sources(out);
	return 0;
}

void home_release(struct home *h)
{
	for (size_t i = 0; i < h->n; i++)
		section_release(&h->v[i]);
	free(h->v);
	*h = (struct home){0};
}

const char **home_kinds(const struct session *s)
{
	const struct registry *r = &s->registry;
	const char **names = NULL;
	size_t n = 0;

	for (size_t i = 0; r->modules[i]; i++) {
		const struct module *m = r->modules[i];
		const struct view *v = m->home
		    ? registry_view_of(r, m, m->home) : NULL;
		const char *kind = !v ? NULL : v->every_of ? v->every_of
							   : v->kind;
		if (!kind)
			continue;
		names = xrealloc(names, n + 2, sizeof(*names));
		names[n++] = kind;
	}
	if (!names)
		names = xcalloc(1, sizeof(*names));
	names[n] = NULL;
	return names;
}

/* ---- as text ------------------------------------------------------------ */

static void print_title(const struct home_section *s, const struct layout *l,
    struct buf *out)
{
	if (s->heads && s->table.n) {
		layout_head(l, out);
	} else {
		buf_addf(out, "   %s", s->title);
		if (*s->right)
			buf_addf(out, "   %s", s->right);
	}
	buf_addc(out, '\n');
}

static void print_section(const struct home_section *s, const struct how *how,
    struct buf *out)
{
	struct cell *cells = xcalloc(s->nshown + 1, sizeof(*cells));
	struct layout l;

	layout_init(&l, s->shown, s->nshown, how);
	for (size_t i = 0; i < s->table.n; i++) {
		for (size_t c = 0; c < s->nshown; c++)
			cells[c] = rows_cell(&s->table, i, c);
		layout_measure(&l, cells);
	}
	print_title(s, &l, out);
	for (size_t i = 0; i < s->table.n; i++) {
		for (size_t c = 0; c < s->nshown; c++)
			cells[c] = rows_cell(&s->table, i, c);
		layout_row(&l, out, false, cells);
		buf_addc(out, '\n');
	}
	if (!s->table.n && s->empty && s->empty != s->right)
		buf_addf(out, "   %s\n", s->empty);
	layout_release(&l);
	free(cells);
}

void home_print(const struct home *h, const struct how *how, struct buf *out)
{
	for (size_t i = 0; i < h->n; i++) {
		if (i)
			buf_addc(out, '\n');
		print_section(&h->v[i], how, out);
	}
}
