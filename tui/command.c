/* Commands on the screen: run_command() on a task, with a face that keeps rows
 * and text until it ends and asks through the prompt. */
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

#include "choose.h"
#include "core.h"
#include "place.h"
#include "run.h"

struct running {
	struct screen	*screen;
	struct sight	*sight;
	int64_t		 at;
	struct work	*work;		/* the task's own knowledge of it */
	struct result	*result;
	struct buf	 text, notes;
	int		 exit;
};

/* ---- the face, on the task ----------------------------------------------------- */

static int face_columns(struct run *r, const struct column *c, size_t n,
    struct err *err)
{
	struct running *x = r->arg;

	if (x->sight->line.command->flags & COMMAND_ROWS &&
	    choose_check(r->cache, c, n, &x->sight->line.flags, err) < 0)
		return -1;
	x->result = result_new(c, n);
	return 0;
}

static int face_row(struct run *r, const struct cell *cells, struct err *err)
{
	struct running *x = r->arg;

	(void)err;
	rows_add(&x->result->rows, cells);
	return 0;
}

static int face_text(struct run *r, const char *p, size_t n, struct err *err)
{
	struct running *x = r->arg;

	(void)err;
	buf_add(&x->text, p, n);
	return 0;
}

static void face_note(struct run *r, const char *text)
{
	struct running *x = r->arg;

	buf_addf(&x->notes, "%s%s", x->notes.n ? "; " : "", text);
}

static bool face_ask(struct run *r, const char *question, const char *wanted)
{
	struct running *x = r->arg;

	return work_ask(x->work, question, wanted);
}

static bool face_asks(struct run *r)
{
	(void)r;
	return true;
}

static const struct face screen_face = {
	.columns = face_columns, .row = face_row, .text = face_text,
	.note = face_note, .ask = face_ask, .asks = face_asks,
};

/* --where and --sort of a command's rows; --filter is the screen's own. */
static int choose(struct running *x, struct run *r, struct err *err)
{
	struct flags f = x->sight->line.flags;
	struct result *chosen, *all = x->result;
	struct cell *cells;
	uint32_t *index = NULL;
	int64_t n;

	f.filter = NULL;
	if (!all || !(r->line->command->flags & COMMAND_ROWS) || choose_all(&f))
		return 0;
	n = choose_rows(r->cache, &all->rows, &f, r->ncontexts > 1, r->task,
	    &index, err);
	if (n < 0)
		return -1;
	chosen = result_new(all->columns, all->ncolumns);
	cells = xcalloc(all->ncolumns + 1, sizeof(*cells));
	for (int64_t i = 0; i < n; i++) {
		for (size_t c = 0; c < all->ncolumns; c++)
			cells[c] = rows_cell(&all->rows, index[i], c);
		rows_add(&chosen->rows, cells);
	}
	free(cells);
	free(index);
	result_free(all);
	x->result = chosen;
	return 0;
}

static int command_run(struct work *w, void *arg, struct err *err)
{
	struct running *x = arg;
	struct sight *s = x->sight;
	struct cache *c = work_cache(w, err);
	/* --write and --read-only of a line hold for that line. */
	struct session own = *work_session(w);
	struct run r = {
		.session = &own,
		.line = &s->line, .cache = c, .task = work_task(w),
		.ncontexts = s->ncontexts, .face = &screen_face, .arg = x,
	};
	int64_t at = s->line.flags.at ? s->line.flags.at : x->at;
	int rc;

	own.write = own.write || s->line.flags.write;
	own.read_only = own.read_only || s->line.flags.read_only;
	x->work = w;
	if (!c || cache_aim(c, s->names, s->ncontexts,
	    sight_has_past(s) ? at : 0, line_since(&s->line, at), err) < 0)
		return -1;
	memcpy(r.contexts, s->contexts, sizeof(r.contexts));
	rc = run_command(&r, err);
	if (rc == 0)
		rc = choose(x, &r, err);
	x->exit = r.exit;
	return rc;
}

/* ---- its end, on the loop ------------------------------------------------------- */

static void add_cell(struct buf *b, const struct result *r, size_t row,
    const char *name)
{
	int c = rows_column(&r->rows, name);
	struct cell v;

	if (c < 0)
		return;
	v = rows_cell(&r->rows, row, (size_t)c);
	if (v.tag == CELL_NULL)
		return;
	buf_addf(b, "%s", b->n ? " " : "");
	value_plain(b, r->columns[c].type, v);
}

/* One step of a write is a sentence; more are a table. */
static bool say_write(struct screen *s, const struct running *x)
{
	const struct result *r = x->result;
	struct buf b = {0};

	if (!r || r->rows.n != 1 || rows_column(&r->rows, "result") < 0 ||
	    rows_column(&r->rows, "action") < 0)
		return false;
	add_cell(&b, r, 0, "target");
	add_cell(&b, r, 0, "action");
	add_cell(&b, r, 0, "field");
	add_cell(&b, r, 0, "new");
	buf_adds(&b, ":");
	add_cell(&b, r, 0, "result");
	screen_say(s, LOOK_PLAIN, "%s", buf_str(&b));
	buf_free(&b);
	return true;
}

static void show(struct screen *s, struct running *x)
{
	const struct command *c = x->sight->line.command;
	bool writes = c->flags & (COMMAND_WRITES | COMMAND_OWN);

	if (writes && !x->sight->line.flags.dry_run && say_write(s, x)) {
		screen_reload(s);
		return;
	}
	if (x->result) {
		struct result *r = x->result;
		x->result = NULL;
		result_finish(r, true);
		screen_show_rows(s, sight_ref(x->sight), r);
	} else if (x->text.n) {
		screen_show_text(s, sight_ref(x->sight), NULL,
		    buf_take(&x->text));
	} else {
		screen_say(s, LOOK_PLAIN, "%s: done", c->name);
	}
	if (writes)
		s->moved = true;
}

static void command_ended(void *arg, const struct err *err)
{
	struct running *x = arg;
	struct screen *s = x->screen;

	if (!s->quit) {
		s->command = NULL;
		free(s->command_line);
		s->command_line = NULL;
		if (err)
			screen_fail(s, err);
		else
			show(s, x);
		if (x->notes.n && (!err || err->code != ERR_CANCELLED))
			screen_say(s, err ? LOOK_BAD : LOOK_PLAIN, "%s%s%s",
			    err ? err->text : "", err ? "; " : "",
			    buf_str(&x->notes));
		if (!err && !strcmp(x->sight->line.command->name,
		    "context use"))
			act_context(s, x->sight->line.args[0]);
	}
	sight_free(x->sight);
	result_free(x->result);
	buf_free(&x->text);
	buf_free(&x->notes);
	free(x);
}

static const struct work_kind command_work = {
	.run = command_run, .ended = command_ended,
};

void command_start(struct screen *s, struct sight *sight)
{
	const struct line *l = &sight->line;
	struct running *x;
	char title[140];

	if (s->command) {
		screen_say(s, LOOK_BAD, "%s still runs; Ctrl-C cancels it",
		    s->command_line);
		sight_free(sight);
		return;
	}
	x = xcalloc(1, sizeof(*x));
	x->screen = s;
	x->sight = sight;
	x->at = s->at;
	s->command_line = xstrdup(l->command->name);
	snprintf(title, sizeof(title), "%s", l->text);
	s->command = work_start(s->desk, l->module ? l->module->name : "",
	    title, &command_work, x);
}

/* ---- fetching ------------------------------------------------------------------ */

struct fetching {
	struct screen		*screen;
	struct sight		*sight;
	const char		**kinds;	/* ends NULL; own texts */
	size_t			 n;
	bool			 rules;
	int64_t			 timeout;
	struct fetch_report	 report;
};

static int fetch_run(struct work *w, void *arg, struct err *err)
{
	struct fetching *f = arg;
	struct cache *c = work_cache(w, err);

	if (!c)
		return -1;
	return fetch_kinds(work_session(w), c, f->sight->contexts,
	    f->sight->ncontexts, f->kinds, FETCH_ALWAYS, f->rules, f->timeout,
	    work_task(w), &f->report, err);
}

static void fetch_ended(void *arg, const struct err *err)
{
	struct fetching *f = arg;
	struct screen *s = f->screen;

	s->fetch = NULL;
	if (err)
		screen_fail(s, err);
	else if (f->report.failed && f->report.failures)
		screen_say(s, LOOK_BAD, "%s", f->report.failures[0].text);
	if (!err || err->code != ERR_CANCELLED)
		s->moved = true;
	fetch_report_release(&f->report);
	for (size_t i = 0; i < f->n; i++)
		free((char *)f->kinds[i]);
	free(f->kinds);
	sight_free(f->sight);
	free(f);
}

static const struct work_kind fetch_work = {
	.run = fetch_run, .ended = fetch_ended,
};

void fetch_start(struct screen *s)
{
	struct place *p = s->here;
	const struct view *v = p->sight->line.view;
	struct fetching *f;
	size_t n = 0;

	if (s->fetch)
		return;
	f = xcalloc(1, sizeof(*f));
	f->screen = s;
	f->sight = sight_ref(p->sight);
	f->rules = place_is_home(p) || (v && v->flags & VIEW_RULES);
	f->timeout = s->start->flags.timeout >= 0 ? s->start->flags.timeout
						  : 10000;
	while (p->kinds && p->kinds[n])
		n++;
	f->kinds = xcalloc(n + 1, sizeof(*f->kinds));
	for (f->n = 0; f->n < n; f->n++)
		f->kinds[f->n] = xstrdup(p->kinds[f->n]);
	s->fetch = work_start(s->desk, "", "fetch what is shown", &fetch_work,
	    f);
}
