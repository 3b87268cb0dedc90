/* A command without a screen: its rows go to stdout as they come, or, where
 * row flags choose among them, at its end; its questions go to the terminal,
 * where there is one. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli.h"
#include "core.h"
#include "text.h"

/* What a run of a command hangs on to. */
struct printing {
	struct cli		*cli;
	struct sink		 sink;
	bool			 begun;
	bool			 enough;	/* --limit: no more rows wanted */
	bool			 collects;
	struct rows		 rows;
	const struct column	*columns;
	size_t			 ncolumns;
};

static size_t count_columns(const struct column *c)
{
	size_t n = 0;

	while (c && c[n].name)
		n++;
	return n;
}

static int check_flags(struct cli *c, const struct column *columns, size_t n,
    struct err *err)
{
	if (sink_check(columns, n, &c->line->flags, err) < 0)
		return -1;
	return choose_check(c->cache, columns, n, &c->line->flags, err);
}

/* ---- the face --------------------------------------------------------------------- */

static int face_columns(struct run *r, const struct column *columns, size_t n,
    struct err *err)
{
	struct printing *p = r->arg;

	p->columns = columns;
	p->ncolumns = n;
	if (check_flags(p->cli, columns, n, err) < 0)
		return -1;
	if (p->collects)
		rows_init(&p->rows, columns, n);
	p->begun = true;
	return sink_begin(&p->sink, columns, n, err);
}

static int face_row(struct run *r, const struct cell *cells, struct err *err)
{
	struct printing *p = r->arg;
	int rc;

	if (p->collects) {
		rows_add(&p->rows, cells);
		return 0;
	}
	rc = sink_row(&p->sink, cells, err);
	p->enough = rc == 0;
	return rc == 1 ? 0 : -1;
}

static int face_text(struct run *r, const char *text, size_t n,
    struct err *err)
{
	struct printing *p = r->arg;

	return out_put(&p->cli->out, text, n, err);
}

static void face_note(struct run *r, const char *text)
{
	cli_note(r->session, text);
}

static void face_error(struct run *r, const char *text)
{
	(void)r;
	cli_say(text);
}

static bool face_asks(struct run *r)
{
	(void)r;
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static void prompt(const char *question, const char *wanted)
{
	struct buf b = {0};

	for (const char *p = question; *p;) {
		size_t n = strcspn(p, "\n");
		bool last = !p[n];

		buf_adds(&b, last ? "kiban: " : "  ");
		text_harmless(&b, p, n);
		if (!last)
			buf_addc(&b, '\n');
		p += n + !last;
	}
	if (wanted) {
		buf_adds(&b, " Type ");
		text_harmless(&b, wanted, strlen(wanted));
		buf_adds(&b, " to do it: ");
	} else {
		buf_adds(&b, " [y/N] ");
	}
	if (write(STDERR_FILENO, b.p, b.n) < 0)
		errno = 0;
	buf_free(&b);
}

/* One line typed; an end of file is an empty one. False: cancelled, and the
 * terminal's line isn't at its beginning. */
static bool read_answer(struct task *t, struct buf *out)
{
	struct pollfd p[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = task_fd(t), .events = POLLIN},
	};
	char c;

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return false;
		if (task_cancelled(t))
			return false;
		if (!p[0].revents)
			continue;
		if (read(STDIN_FILENO, &c, 1) != 1 || c == '\n')
			return true;
		buf_addc(out, c);
	}
}

static bool face_ask(struct run *r, const char *question, const char *wanted)
{
	struct buf answer = {0};
	const char *a;
	bool yes;

	prompt(question, wanted);
	yes = read_answer(r->task, &answer);
	a = buf_str(&answer);
	if (!yes && write(STDERR_FILENO, "\n", 1) < 0)
		errno = 0;
	if (yes)
		yes = wanted ? !strcmp(a, wanted) :
		    !strcasecmp(a, "y") || !strcasecmp(a, "yes");
	buf_free(&answer);
	return yes;
}

static const struct face headless = {
	.columns = face_columns,
	.row = face_row,
	.text = face_text,
	.note = face_note,
	.error = face_error,
	.ask = face_ask,
	.asks = face_asks,
};

/* ---- the run ------------------------------------------------------------------------ */

/* Rows that were kept back, chosen and in order. */
static int print_chosen(struct printing *p, struct err *err)
{
	struct cli *c = p->cli;
	struct flags f = c->line->flags;
	struct cell *cells;
	uint32_t *index = NULL;
	int64_t n;
	int rc = 1;

	f.filter = NULL;	/* the sink's */
	n = choose_rows(c->cache, &p->rows, &f, c->ncontexts > 1, c->task,
	    &index, err);
	if (n < 0)
		return -1;
	cells = xcalloc(p->ncolumns + 1, sizeof(*cells));
	for (int64_t i = 0; rc == 1 && i < n; i++) {
		for (size_t k = 0; k < p->ncolumns; k++)
			cells[k] = rows_cell(&p->rows, index[i], k);
		rc = sink_row(&p->sink, cells, err);
	}
	free(cells);
	free(index);
	return rc < 0 ? -1 : 0;
}

static int finish(struct printing *p, struct err *err)
{
	if (!p->begun)
		return 0;
	if (p->collects && print_chosen(p, err) < 0)
		return -1;
	return sink_end(&p->sink, err);
}

/* What can be known before it runs: its columns, where they are always the
 * same. */
static int check_before(struct cli *c, struct err *err)
{
	const struct command *k = c->line->command;

	if (!k->columns || k->args)
		return 0;
	return check_flags(c, k->columns, count_columns(k->columns), err);
}

static int run_it(struct cli *c, struct printing *p, struct err *err)
{
	struct run r = {
		.session = c->session,
		.line = c->line,
		.cache = c->cache,
		.task = c->task,
		.ncontexts = c->ncontexts,
		.face = &headless,
		.arg = p,
	};
	int rc;

	memcpy(r.contexts, c->contexts, sizeof(r.contexts));
	rc = run_command(&r, err);
	c->exit = r.exit;
	return rc < 0 && !p->enough ? -1 : 0;
}

int cli_command(struct cli *c, struct err *err)
{
	const struct command *k = c->line->command;
	struct printing p = {
		.cli = c,
		.sink = {.cli = c, .object = k->flags & COMMAND_ONE},
		.collects = k->flags & COMMAND_ROWS &&
		    !choose_all(&c->line->flags),
	};
	int rc;

	c->exit = 0;
	if (check_before(c, err) < 0 ||
	    /* The other lists of findings are views, and fetch as such. */
	    (k == &findings_command && cli_fetch(c, NULL, true, err) < 0))
		return -1;
	rc = run_it(c, &p, err);
	if (rc == 0)
		rc = finish(&p, err);
	if (p.begun) {
		sink_release(&p.sink);
		if (p.collects)
			rows_release(&p.rows);
	}
	return rc;
}
