/* One line without a screen: contexts, the fetch, what it runs, again and again
 * under --watch, and at last the exit code. */
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "find.h"
#include "publish.h"

enum { FETCH_MS = 10000, PUBLISH_MS = 1000, FAILURES_SHOWN = 5 };

/* ---- signals ------------------------------------------------------------------ */

static volatile sig_atomic_t ended_by;

/* The first one cancels what runs; who asks twice waits for nothing. */
static void on_signal(int n)
{
	if (ended_by)
		_exit(128 + n);
	ended_by = n;
	task_interrupt();
}

static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction now = {.sa_handler = on_signal}, before;

	/* No SA_RESTART: a read or write that waits is to see the cancel. One
	 * that was ignored (nohup) stays so. */
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (sigaction(signals[i], NULL, &before) == 0 &&
		    before.sa_handler != SIG_IGN)
			sigaction(signals[i], &now, NULL);
}

/* ---- contexts -------------------------------------------------------------------- */

static bool runs_broken(const struct line *l)
{
	return l->command && l->command->flags & COMMAND_BROKEN;
}

static int complaint(const struct complaint *p, struct err *err)
{
	return err_set(err, ERR_USAGE, "%s: %s%s%s", p->place, p->text,
	    p->remedy ? "; " : "", p->remedy ? p->remedy : "");
}

static bool is_meant(const struct cli *c, const char *name)
{
	for (size_t i = 0; name && i < c->ncontexts; i++)
		if (!strcmp(c->names[i], name))
			return true;
	return false;
}

/* Mistakes elsewhere in the config: their entries were skipped. */
static void say_complaints(const struct cli *c)
{
	const struct config *g = &c->session->config;
	struct err err;

	for (size_t i = 0; i < g->ncomplaints; i++) {
		if (is_meant(c, g->complaints[i].context))
			continue;
		complaint(&g->complaints[i], &err);
		cli_say(err.text);
	}
}

static int find_contexts(struct cli *c, struct err *err)
{
	const struct config *g = &c->session->config;
	const char *names = c->line->flags.context;
	int n;

	if (g->broken && !runs_broken(c->line))
		return g->ncomplaints ? complaint(&g->complaints[0], err) :
		    err_set(err, ERR_USAGE, "%s can't be read", g->path);
	n = config_contexts(g, names ? names : config_current(g), c->contexts,
	    CONTEXTS_MAX, err);
	if (n < 0 && runs_broken(c->line) && g->ncomplaints)
		n = 0;
	if (n < 0)
		return -1;
	c->ncontexts = (size_t)n;
	for (int i = 0; i < n; i++)
		c->names[i] = c->contexts[i]->name;
	if (!runs_broken(c->line))
		say_complaints(c);
	return 0;
}

int cli_aim(struct cli *c, struct err *err)
{
	const struct flags *f = &c->line->flags;

	return cache_aim(c->cache, c->names, c->ncontexts, f->at,
	    line_since(c->line, f->at), err);
}

/* ---- fetching -------------------------------------------------------------------- */

struct kinds {
	const char	**v;
	size_t		  n;
};

/* Only what a source fills can be fetched. */
static void kinds_add(const struct cli *c, struct kinds *k,
    const char *const *names)
{
	for (; names && *names; names++) {
		size_t i = 0;

		while (i < k->n && strcmp(k->v[i], *names))
			i++;
		if (i < k->n || !registry_source_of_kind(
		    &c->session->registry, *names))
			continue;
		k->v = xrealloc(k->v, k->n + 2, sizeof(*k->v));
		k->v[k->n++] = *names;
		k->v[k->n] = NULL;
	}
}

static struct kinds kinds_of(const struct cli *c, const char *const *names,
    bool rules)
{
	struct kinds k = {0};
	const char **read = rules ? find_kinds(c->session, c->cache) : NULL;

	kinds_add(c, &k, names);
	kinds_add(c, &k, read);
	free(read);
	return k;
}

/* Each failure of this round, unless the round before said just the same. */
static void say_failures(struct cli *c)
{
	const struct fetch_report *r = &c->report;
	struct buf all = {0};
	char *line, *end;

	for (size_t i = 0; i < r->failed && i < FAILURES_SHOWN; i++) {
		buf_adds(&all, r->failures[i].text);
		if (r->failures[i].seen) {
			buf_adds(&all, "; rows are ");
			value_ago(&all, (double)(clock_now() -
			    r->failures[i].seen) / 1000, SPELL_SHORT);
			buf_adds(&all, " old");
		}
		buf_addc(&all, '\n');
	}
	if (r->failed > FAILURES_SHOWN)
		buf_addf(&all, "%zu more, see kiban sources\n",
		    r->failed - FAILURES_SHOWN);
	if (r->note.n)
		buf_addf(&all, "%s\n", buf_str(&r->note));
	if (!c->said || strcmp(c->said, buf_str(&all))) {
		char *copy = xstrdup(buf_str(&all));

		for (line = copy; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			cli_say(line);
		}
		free(copy);
	}
	free(c->said);
	c->said = buf_take(&all);
}

static int ask_backends(struct cli *c, struct kinds *k, enum fetch_mode mode,
    bool rules, struct err *err)
{
	const struct flags *f = &c->line->flags;
	int rc = 0;

	fetch_report_release(&c->report);
	c->report = (struct fetch_report){0};
	if (k->n)
		rc = fetch_kinds(c->session, c->cache, c->contexts,
		    c->ncontexts, k->v, mode, rules,
		    f->timeout < 0 ? FETCH_MS : f->timeout, c->task,
		    &c->report, err);
	return rc;
}

int cli_fetch(struct cli *c, const char *const *kinds, bool rules,
    struct err *err)
{
	const struct flags *f = &c->line->flags;
	struct kinds k;
	int rc;

	if (f->at || f->offline)
		return 0;
	k = kinds_of(c, kinds, rules);
	rc = ask_backends(c, &k, f->refresh ? FETCH_ALWAYS : FETCH_STALE, true,
	    err);
	free(k.v);
	if (rc < 0)
		return -1;
	say_failures(c);
	return cli_aim(c, err);
}

/* Had anybody fetched those kinds before --at? */
static bool any_before(struct cli *c, const struct kinds *k)
{
	for (size_t i = 0; i < k->n; i++)
		for (size_t j = 0; j < c->ncontexts; j++)
			if (cache_int(c->cache, 0, "SELECT 1 FROM main.scope s "
			    "JOIN main.fetched f ON f.scope = s.id WHERE "
			    "s.context = %Q AND s.kind = %Q AND f.t0 <= %lld "
			    "LIMIT 1", c->names[j], k->v[i],
			    (long long)c->line->flags.at))
				return true;
	return !k->n;
}

int cli_look(struct cli *c, const char *const *kinds, bool rules,
    struct err *err)
{
	const struct flags *f = &c->line->flags;
	struct kinds k;
	int rc = 0;

	if (!f->at && !f->offline)
		return 0;
	k = kinds_of(c, kinds, rules);
	if (f->at && !any_before(c, &k)) {
		c->before_all = true;
		cli_say("nothing was fetched before that time: kiban record "
		    "keeps a past");
	} else if (f->offline) {
		rc = ask_backends(c, &k, FETCH_NEVER, false, err);
		if (rc == 0 && outcome_nothing(&(struct outcome){
		    .offline = true, .report = c->report}))
			cli_say("nothing was ever fetched of what this shows: "
			    "leave out --offline");
		/* Nothing was asked: what is old is no failure. */
		c->report.failed = 0;
	}
	free(k.v);
	return rc;
}

/* ---- rounds ------------------------------------------------------------------------ */

static int run_once(struct cli *c, struct listing *listing, struct err *err)
{
	const struct line *l = c->line;

	if (is_home(l))
		return cli_home(c, err);
	if (l->command)
		return cli_command(c, err);
	if (l->verb == VERB_SHOW)
		return cli_show(c, err);
	if (l->verb == VERB_SERIES)
		return cli_series(c, err);
	return listing_run(c, listing, err);
}

/* What stands before a round's result. */
static int begin_round(struct cli *c, struct err *err)
{
	const struct flags *f = &c->line->flags;
	struct buf b = {0};
	int rc = 0;

	value_rfc3339(&b, clock_now());
	snprintf(c->stamp, sizeof(c->stamp), "%s", buf_str(&b));
	buf_clear(&b);
	if (f->watch && (f->format < 0 || f->format == FORMAT_TABLE ||
	    f->format == FORMAT_WIDE)) {
		if (isatty(STDOUT_FILENO))
			buf_adds(&b, c->first ? "\033[H\033[2J" :
			    "\033[H\033[J");
		else
			buf_addf(&b, "-- %s\n", c->stamp);
		rc = out_put(&c->out, b.p, b.n, err);
	}
	buf_free(&b);
	return rc;
}

/* One result, whole. What was broken off before a row of it reached the buffer
 * prints nothing. */
static int run_round(struct cli *c, struct listing *listing, struct err *err)
{
	struct err flush = {0};
	int rc;

	if (begin_round(c, err) < 0)
		return -1;
	rc = run_once(c, listing, err);
	if (out_flush(&c->out, &flush) < 0 && rc == 0) {
		*err = flush;
		rc = -1;
	}
	return rc;
}

/* --watch goes on over what may be better the next time. */
static bool may_go_on(const struct cli *c, const struct err *err)
{
	return !c->out.left && err->code != ERR_CANCELLED &&
	    err->code != ERR_USAGE && err->code != ERR_REFUSED;
}

static int watch(struct cli *c, struct listing *listing, struct err *err)
{
	int64_t every = c->line->flags.watch, due = clock_mono();

	for (;; c->first = false) {
		if (run_round(c, listing, err) < 0) {
			if (!may_go_on(c, err) || c->out.broken)
				return -1;
			cli_say(err->text);
			*err = (struct err){0};
		}
		due += every;
		if (due < clock_mono())
			due = clock_mono();
		if (task_sleep(c->task, due - clock_mono(), err) < 0)
			return -1;
	}
}

static int run_line(struct cli *c, struct err *err)
{
	struct session *s = c->session;
	struct listing *listing = NULL;
	int rc;

	if (find_contexts(c, err) < 0)
		return -1;
	c->cache = session_cache(s, err);
	if (!c->cache)
		return -1;
	if (s->note.n)
		cli_say(buf_str(&s->note));
	if (cli_aim(c, err) < 0)
		return -1;
	if (c->line->view && c->line->verb == VERB_LIST &&
	    !(listing = listing_new(c, err)))
		return -1;
	rc = c->line->flags.watch ? watch(c, listing, err) :
	    run_round(c, listing, err);
	listing_free(listing);
	return rc;
}

/* What takes longer than a second is seen in `tasks`, by a thread of its own:
 * this one waits. */
static int publisher(struct task *t, void *arg, struct err *err)
{
	struct cache *c = NULL;

	while (task_sleep(t, PUBLISH_MS, err) == 0) {
		if (!c)
			c = session_cache(arg, NULL);
		if (c)
			publish_tasks(c);
	}
	cache_close(c);
	return -1;
}

int cli_run(struct session *s, struct line *l)
{
	struct cli c = {.session = s, .line = l, .first = true};
	struct err err = {0};
	struct task *published;
	int code;

	c.task = task_self(l->module ? l->module->name : "", l->text);
	c.out.task = c.task;
	catch_signals();
	published = task_start("", NULL, publisher, s, NULL);
	if (run_line(&c, &err) == 0)
		err.code = ERR_NONE;
	else if (err.code != ERR_CANCELLED && !c.out.left)
		cli_say(err.text);
	code = outcome_exit(&(struct outcome){
		.signal = ended_by,
		.code = err.code,
		.left = c.out.left,
		.before_all = c.before_all,
		.offline = l->flags.offline,
		.found = c.found,
		.own = c.exit,
		.report = c.report,
	});
	fetch_report_release(&c.report);
	task_cancel(published);
	task_free(published);
	cache_close(c.cache);
	task_free(c.task);
	buf_free(&c.out.b);
	free(c.said);
	return code;
}
