/* Every write passes here, so that none can forget a step: the plan, whether
 * the context may be written to, the question, the journal before and after,
 * the rows with what became of each. */
#include "gate.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Targets named in one row of the journal; more are counted. */
enum { TARGETS_MAX = 20 };

static const struct column plan_columns[] = {
	{.name = "target", .help = "what is changed"},
	{.name = "action", .help = "what is done to it"},
	{.name = "field", .help = "which part of it"},
	{.name = "old", .help = "what it is now"},
	{.name = "new", .help = "what it will be"},
	{.name = "result", .help = "done, failed, refused"},
};
enum { PLAN_COLUMNS = 5, RESULT_COLUMNS = 6 };

static char *dup(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

struct plan_step *plan_add(struct plan *p, const char *target,
    const char *action, const char *field, const char *old, const char *new)
{
	struct plan_step *s;

	p->v = xrealloc(p->v, p->n + 1, sizeof(*p->v));
	s = &p->v[p->n++];
	*s = (struct plan_step){
		.target = dup(target),
		.action = dup(action),
		.field = dup(field),
		.old = dup(old),
		.new = dup(new),
	};
	return s;
}

void plan_result(struct plan *p, size_t i, const char *result,
    const char *error)
{
	struct plan_step *s = &p->v[i];

	free(s->result);
	free(s->error);
	s->result = dup(result);
	s->error = dup(error);
}

void plan_release(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct plan_step *s = &p->v[i];
		free(s->target);
		free(s->action);
		free(s->field);
		free(s->old);
		free(s->new);
		free(s->result);
		free(s->error);
	}
	free(p->v);
	*p = (struct plan){0};
}

static int plan_print(struct run *r, const struct plan *p, size_t ncolumns,
    struct err *err)
{
	if (run_columns(r, plan_columns, ncolumns, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_step *s = &p->v[i];
		const struct cell cells[RESULT_COLUMNS] = {
			run_s(s->target), run_s(s->action), run_s(s->field),
			run_s(s->old), run_s(s->new), run_s(s->result),
		};
		if (run_row(r, cells, err) < 0)
			return -1;
	}
	return 0;
}

/* "checkout: set log level info -> debug" */
static void step_text(struct buf *out, const struct plan_step *s)
{
	buf_addf(out, "%s: %s", s->target ? s->target : "",
	    s->action ? s->action : "change");
	if (s->field)
		buf_addf(out, " %s", s->field);
	if (s->old)
		buf_addf(out, " %s", s->old);
	if (s->old && s->new)
		buf_addf(out, " %s", text_glyph(GLYPH_ARROW));
	if (s->new)
		buf_addf(out, " %s", s->new);
}

/* One step is its own question; of several each is a line. */
static void question(struct buf *out, const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		step_text(out, &p->v[i]);
		buf_addc(out, p->n > 1 ? '\n' : '?');
	}
	if (p->n > 1)
		buf_addf(out, "these %zu changes?", p->n);
}

static bool only_adds(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->v[i].adds)
			return false;
	return true;
}

/* New: the targets, each once. */
static char *plan_targets(const struct plan *p)
{
	struct buf b = {0};
	size_t named = 0, more = 0;

	for (size_t i = 0; i < p->n; i++) {
		const char *t = p->v[i].target;
		bool again = !t;

		for (size_t j = 0; j < i && !again; j++)
			again = p->v[j].target && !strcmp(p->v[j].target, t);
		if (again)
			continue;
		if (named == TARGETS_MAX) {
			more++;
			continue;
		}
		buf_addf(&b, "%s%s", named++ ? ", " : "", t);
	}
	if (more)
		buf_addf(&b, " and %zu more", more);
	return buf_take(&b);
}

static int64_t begin(struct run *r, const char *context, const char *target,
    struct err *err)
{
	int64_t id = journal_begin(r->cache, context, r->line->text, target,
	    err);

	if (id < 0)
		err_prefix(err, "nothing was changed: the journal can't be "
		    "written");
	return id;
}

/* A write that ends before it began. Fills err with why; -1. */
static int turned_down(struct run *r, const struct plan *p,
    const struct context *c, const char *result, const struct err *why,
    struct err *err)
{
	char *targets = plan_targets(p);
	int64_t id = begin(r, c->name, targets, err);

	free(targets);
	if (id < 0 || journal_end(r->cache, id, result,
	    why->code == ERR_REFUSED ? why->text : NULL, err) < 0)
		return -1;
	if (err)
		*err = *why;
	return -1;
}

static int read_only(struct run *r, const struct plan *p,
    const struct context *c, struct err *err)
{
	struct err why = {0};

	err_set(&why, ERR_REFUSED, r->session->read_only ?
	    "%s: --read-only forbids every change" :
	    "context %s is read-only: --write allows this one change, "
	    "write: true in its config all", r->session->read_only ?
	    r->line->command->name : c->name);
	return turned_down(r, p, c, "refused", &why, err);
}

int gate_allows(struct run *r, const char *target, struct err *err)
{
	const struct context *c = run_context(r, err);
	struct plan p = {0};
	int rc;

	if (!c)
		return -1;
	if (r->line->flags.dry_run || session_may_write(r->session, c))
		return 0;
	plan_add(&p, target, NULL, NULL, NULL, NULL);
	rc = read_only(r, &p, c, err);
	plan_release(&p);
	return rc;
}

/* 1: goes on; -1: declined, or a SEVERE one that nobody confirmed. */
static int confirmed(struct run *r, const struct plan *p,
    const struct context *c, const char *name, struct err *err)
{
	const struct flags *f = &r->line->flags;
	bool severe = r->line->command->flags & COMMAND_SEVERE;
	bool asks = r->face->asks(r), yes;
	struct buf q = {0};
	struct err why = {0};

	if (severe && f->confirm) {
		if (!strcmp(f->confirm, name))
			return 1;
		return err_set(err, ERR_USAGE, "--confirm %s: this is about "
		    "%s, nothing was done", f->confirm, name);
	}
	if (severe && !asks)
		return err_set(err, ERR_USAGE, "%s can't be undone: say "
		    "--confirm %s", r->line->command->name, name);
	if (!asks || (!severe && (f->yes || only_adds(p))))
		return 1;
	question(&q, p);
	yes = r->face->ask(r, buf_str(&q), severe ? name : NULL);
	buf_free(&q);
	if (yes)
		return 1;
	if (task_check(r->task, &why) == 0)
		err_set(&why, ERR_FAILED, "declined, nothing was done");
	return turned_down(r, p, c, "declined", &why, err);
}

int gate_enter(struct run *r, struct plan *p, const char *name,
    struct err *err)
{
	const struct context *c = run_context(r, err);
	char *targets;

	if (!c)
		return -1;
	if (!(r->line->command->flags & COMMAND_WRITES))
		BUG("%s writes and doesn't say so", r->line->command->name);
	if (r->line->flags.dry_run || !p->n)
		return plan_print(r, p, PLAN_COLUMNS, err);
	if (!session_may_write(r->session, c))
		return read_only(r, p, c, err);
	if (confirmed(r, p, c, name, err) < 0 || task_check(r->task, err) < 0)
		return -1;
	targets = plan_targets(p);
	p->journal = begin(r, c->name, targets, err);
	free(targets);
	return p->journal < 0 ? -1 : 1;
}

int gate_leave(struct run *r, struct plan *p, struct err *err)
{
	size_t failed = 0, refused = 0;
	const char *error = NULL;
	struct err unsaid;
	int written;

	for (size_t i = 0; i < p->n; i++) {
		struct plan_step *s = &p->v[i];
		if (!s->result)
			plan_result(p, i, "failed", "it was not reached");
		if (!strcmp(s->result, "done"))
			continue;
		failed++;
		refused += !strcmp(s->result, "refused");
		if (!error)
			error = s->error;
	}
	if (!failed)
		error = NULL;
	else if (!error)
		error = "no reason was given";
	written = journal_end(r->cache, p->journal, !failed ? "done" :
	    refused == failed ? "refused" : "failed", error, err);
	/* What was done is said also where it can't be written down. */
	if (plan_print(r, p, RESULT_COLUMNS, written < 0 ? &unsaid : err) < 0 ||
	    written < 0)
		return -1;
	if (failed && failed == p->n) {
		err_set(err, refused == failed ? ERR_REFUSED : ERR_FAILED,
		    "%s", error);
		return -1;
	}
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].result, "done"))
			run_error(r, "%s: %s", p->v[i].target ?
			    p->v[i].target : r->line->command->name,
			    p->v[i].error ? p->v[i].error : error);
	if (failed)
		r->exit = 5;
	return 0;
}

int gate_own(struct run *r, const char *target,
    int (*act)(struct run *r, struct err *err), struct err *err)
{
	const char *context = r->ncontexts == 1 ? r->contexts[0]->name : NULL;
	struct err ignored;
	int64_t id;

	if (r->line->flags.dry_run) {
		struct plan p = {0};
		int rc;

		plan_add(&p, target, r->line->command->name, NULL, NULL, NULL);
		rc = plan_print(r, &p, PLAN_COLUMNS, err);
		plan_release(&p);
		return rc;
	}
	id = begin(r, context, target, err);
	if (id < 0)
		return -1;
	if (act(r, err) < 0) {
		journal_end(r->cache, id, "failed", err->text, &ignored);
		return -1;
	}
	return journal_end(r->cache, id, "done", NULL, err);
}
