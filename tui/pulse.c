/* The pulse: two small queries of what is true now, whatever time is shown. */
#include "pulse.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

struct beat {
	struct sight	*sight;
	void		(*came)(void *arg, struct pulse *p);
	void		*arg;
	bool		 sent;
};

static void add_text(struct buf *b, struct cell c)
{
	if (c.tag == CELL_TEXT)
		buf_add(b, c.s, c.n);
}

static void add_finding(struct pulse *p, const struct cell *c)
{
	struct buf name = {0}, text = {0};
	bool bad = c[1].tag == CELL_TEXT && c[1].n == 3;

	add_text(&name, c[0]);
	add_text(&text, c[2]);
	buf_adds(&text, text.n ? ": " : "");
	add_text(&text, c[3]);
	p->v = xrealloc(p->v, p->n + 1, sizeof(*p->v));
	p->v[p->n++] = (struct finding_now){
		.name = buf_take(&name), .text = buf_take(&text), .bad = bad,
	};
	p->bad += bad;
}

static int read_findings(struct work *w, struct cache *c, struct pulse *p,
    struct err *err)
{
	struct query *q = query_new(c, "SELECT context || ' ' || rule || ' ' "
	    "|| coalesce(object, '') || ' ' || coalesce(key, '') AS name, "
	    "severity, object, text FROM findings ORDER BY name", 0, 2000,
	    work_task(w), err);
	const struct cell *cells;
	int rc;

	if (!q)
		return -1;
	while ((rc = query_step(q, &cells, err)) == 1)
		add_finding(p, cells);
	query_free(q);
	return rc;
}

/* "3m" of a time behind or ahead; 0: nothing. */
static void add_span(struct buf *b, const char *before, struct cell c,
    int64_t from, int sign)
{
	double seconds;

	if (c.tag != CELL_INT || !c.i)
		return;
	seconds = (double)((c.i - from) * sign) / 1000;
	buf_adds(b, before);
	value_ago(b, seconds > 0 ? (double)(int64_t)seconds : 0, SPELL_SHORT);
}

/* "envoy 10.0.1.7:9901: ", as errors of sources begin too. */
static void add_backend(struct buf *b, const struct cell *c)
{
	add_text(b, c[0]);
	buf_addc(b, ' ');
	add_text(b, c[1]);
	buf_adds(b, ": ");
}

static void drop_scheme(struct buf *b)
{
	static const char scheme[] = "http://";
	char *at = strstr(buf_str(b), scheme);
	size_t n = sizeof(scheme) - 1;

	if (!at)
		return;
	memmove(at, at + n, strlen(at + n) + 1);
	b->n -= n;
}

static void say_source(struct buf *b, const struct cell *c)
{
	const struct cell *error = c[2].tag == CELL_TEXT && c[2].n ? &c[2]
								   : &c[3];
	int64_t now = clock_now();
	struct buf name = {0};

	add_backend(&name, c);
	if (error->n < name.n || memcmp(error->s, name.p, name.n))
		buf_add(b, name.p, name.n);
	add_text(b, *error);
	drop_scheme(b);
	add_span(b, ", ", c[4], now, -1);
	add_span(b, ", again in ", c[5], now, 1);
	buf_free(&name);
}

static int read_sources(struct work *w, struct cache *c, struct pulse *p,
    struct err *err)
{
	struct query *q = query_new(c, "SELECT source, backend, error, state, "
	    "seen, next FROM sources WHERE state NOT IN ('ok', 'never') "
	    "ORDER BY seen IS NULL, seen, backend", 0, 2000, work_task(w),
	    err);
	const struct cell *cells;
	struct buf b = {0};
	size_t n = 0;
	int rc;

	if (!q)
		return -1;
	while ((rc = query_step(q, &cells, err)) == 1)
		if (!n++)
			say_source(&b, cells);
	query_free(q);
	if (n > 1)
		buf_addf(&b, " (+%zu, see sources)", n - 1);
	if (n)
		p->error = buf_take(&b);
	buf_free(&b);
	return rc;
}

static int beat_run(struct work *w, void *arg, struct err *err)
{
	struct beat *b = arg;
	struct cache *c = work_cache(w, err);
	struct pulse *p;

	if (!c || cache_aim(c, b->sight->names, b->sight->ncontexts, 0, 0,
	    err) < 0)
		return -1;
	p = xcalloc(1, sizeof(*p));
	if (read_findings(w, c, p, err) < 0 || read_sources(w, c, p, err) < 0) {
		pulse_free(p);
		return -1;
	}
	work_send(w, p);
	return 0;
}

static void beat_part(void *arg, void *part)
{
	struct beat *b = arg;

	b->sent = true;
	b->came(b->arg, part);
}

static void beat_ended(void *arg, const struct err *err)
{
	struct beat *b = arg;

	(void)err;
	if (!b->sent)
		b->came(b->arg, NULL);
	sight_free(b->sight);
	free(b);
}

static const struct work_kind beat_work = {beat_run, beat_part, beat_ended};

struct work *pulse_start(struct desk *d, struct sight *sight,
    void (*came)(void *arg, struct pulse *p), void *arg)
{
	struct beat *b = xcalloc(1, sizeof(*b));

	b->sight = sight_ref(sight);
	b->came = came;
	b->arg = arg;
	return work_start(d, "", "look at findings and sources", &beat_work,
	    b);
}

bool pulse_worse(const struct pulse *before, const struct pulse *now)
{
	size_t b = 0;

	if (!before)
		return false;
	for (size_t i = 0; i < now->n; i++) {
		const char *name = now->v[i].name;
		if (!now->v[i].bad)
			continue;
		while (b < before->n && strcmp(before->v[b].name, name) < 0)
			b++;
		if (b == before->n || strcmp(before->v[b].name, name) ||
		    !before->v[b].bad)
			return true;
	}
	return false;
}

void pulse_free(struct pulse *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].name);
		free(p->v[i].text);
	}
	free(p->v);
	free(p->error);
	free(p);
}
