/* Rows on their way to stdout: those that --filter lets through, as many as
 * --limit wants, in the columns that --columns names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "view.h"

static int pick(const struct column *columns, size_t n, const char *names,
    int **out, struct err *err)
{
	size_t max = 1;
	int k;

	for (const char *p = names; *p; p++)
		max += *p == ',';
	*out = xcalloc(max, sizeof(**out));
	k = view_pick(columns, n, names, *out, max, err);
	if (k < 0) {
		free(*out);
		*out = NULL;
	}
	return k;
}

int sink_check(const struct column *columns, size_t n, const struct flags *f,
    struct err *err)
{
	struct filter *filter;
	int *picked;

	if (f->columns) {
		if (pick(columns, n, f->columns, &picked, err) < 0)
			return -1;
		free(picked);
	}
	if (f->filter) {
		filter = filter_new(f->filter, err);
		if (!filter)
			return err_prefix(err, "--filter");
		filter_free(filter);
	}
	return 0;
}

static int column_named(const struct column *c, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(c[i].name, name))
			return (int)i;
	return -1;
}

static int choose_columns(struct sink *s, const char *names, struct err *err)
{
	int n;

	if (!names) {
		s->nshown = s->ncolumns;
		return 0;
	}
	n = pick(s->columns, s->ncolumns, names, &s->pick, err);
	if (n < 0)
		return -1;
	s->nshown = (size_t)n;
	s->shown = xcalloc(s->nshown + 1, sizeof(*s->shown));
	s->cells = xcalloc(s->nshown + 1, sizeof(*s->cells));
	for (size_t i = 0; i < s->nshown; i++)
		s->shown[i] = s->columns[s->pick[i]];
	return 0;
}

static struct how how_of(const struct sink *s)
{
	const struct cli *c = s->cli;
	const struct flags *f = &c->line->flags;
	bool terminal = isatty(STDOUT_FILENO);
	bool watch = f->watch;
	int format = f->format < 0 ? FORMAT_TABLE : f->format;
	const char *term = getenv("TERM");

	return (struct how){
		.format = (enum format)format,
		.context = c->ncontexts > 1,
		.terminal = terminal,
		.colour = terminal && !f->no_color && !getenv("NO_COLOR") &&
		    term && strcmp(term, "dumb"),
		.bare = f->columns && !s->whole,
		.hold = s->hold,
		.object = s->object,
		.one_line = watch,
		.no_head = watch && !c->first,
		.document = watch,
		.stamp = watch && (format == FORMAT_NDJSON ||
		    format == FORMAT_CSV || format == FORMAT_TSV) ?
		    c->stamp : NULL,
	};
}

int sink_begin(struct sink *s, const struct column *columns, size_t n,
    struct err *err)
{
	const struct flags *f = &s->cli->line->flags;
	struct how how = how_of(s);

	s->columns = columns;
	s->ncolumns = n;
	s->limit = f->limit;
	s->severity = f->fail_on ? column_named(columns, n, "severity") : -1;
	s->muted = column_named(columns, n, "muted_until");
	if (choose_columns(s, s->whole ? NULL : f->columns, err) < 0)
		return -1;
	if (f->filter && !(s->filter = filter_new(f->filter, err)))
		return -1;
	s->writer = writer_new(&how, s->shown ? s->shown : s->columns,
	    s->nshown, out_put, &s->cli->out);
	return 0;
}

/* A finding as severe as --fail-on says, that isn't muted. */
static void look_for(struct sink *s, const struct cell *cells)
{
	struct cell c = cells[s->severity];
	bool bad = c.tag == CELL_TEXT && c.n == 3 && !memcmp(c.s, "bad", 3);

	if (s->muted >= 0 && cells[s->muted].tag != CELL_NULL)
		return;
	if (bad || s->cli->line->flags.fail_on == SEVERITY_DOUBTFUL)
		s->cli->found = true;
}

int sink_row(struct sink *s, const struct cell *cells, struct err *err)
{
	if (s->filter && !filter_match(s->filter, s->columns, s->ncolumns,
	    cells, s->cli->ncontexts > 1))
		return 1;
	if (s->severity >= 0)
		look_for(s, cells);
	s->rows++;
	if (s->limit >= 0 && s->rows > s->limit)
		return s->severity >= 0;	/* they are still looked at */
	if (!s->pick)
		return writer_row(s->writer, cells, err) < 0 ? -1 : 1;
	for (size_t i = 0; i < s->nshown; i++)
		s->cells[i] = cells[s->pick[i]];
	return writer_row(s->writer, s->cells, err) < 0 ? -1 : 1;
}

int sink_end(struct sink *s, struct err *err)
{
	char text[100];

	if (writer_end(s->writer, err) < 0)
		return -1;
	if (s->limit >= 0 && s->rows > s->limit && s->cli->first) {
		snprintf(text, sizeof(text),
		    "first %lld rows, there are more (--limit)",
		    (long long)s->limit);
		cli_note(s->cli->session, text);
	}
	return 0;
}

void sink_release(struct sink *s)
{
	if (s->writer)
		writer_free(s->writer);
	if (s->filter)
		filter_free(s->filter);
	free(s->shown);
	free(s->pick);
	free(s->cells);
	s->writer = NULL;
	s->filter = NULL;
	s->shown = NULL;
	s->pick = NULL;
	s->cells = NULL;
}
