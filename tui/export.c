/* What is written or looked up beside the loop on behalf of a key: an export,
 * the next change, what differs between two rows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "run.h"
#include "text.h"

/* ---- export -------------------------------------------------------------------- */

struct exporting {
	struct screen	*screen;
	struct haul	*haul;
	int		 format;
	bool		 contexts;
	char		*path, *part;
	FILE		*file;
};

static int put_file(void *arg, const char *p, size_t n, struct err *err)
{
	struct exporting *x = arg;

	if (fwrite(p, 1, n, x->file) == n)
		return 0;
	return err_set(err, ERR_FAILED, "%s: %s", x->part, strerror(errno));
}

static int write_rows(struct exporting *x, struct task *t, struct err *err)
{
	const struct result *r = x->haul->result;
	struct how how = {.format = (enum format)x->format,
	    .context = x->contexts, .hold = true};
	struct cell *cells = xcalloc(r->ncolumns + 1, sizeof(*cells));
	struct writer *w = writer_new(&how, r->columns, r->ncolumns, put_file,
	    x);
	int rc = 0;

	for (size_t i = 0; i < x->haul->n && rc == 0; i++) {
		for (size_t c = 0; c < r->ncolumns; c++)
			cells[c] = rows_cell(&r->rows, haul_row(x->haul, i), c);
		rc = task_check(t, err);
		if (rc == 0)
			rc = writer_row(w, cells, err);
		if (i % 1000 == 0)
			task_progress(t, (int64_t)i, (int64_t)x->haul->n,
			    "rows");
	}
	if (rc == 0)
		rc = writer_end(w, err);
	writer_free(w);
	free(cells);
	return rc;
}

/* Whole under its name or not at all: written beside it, then renamed. */
static int export_run(struct work *w, void *arg, struct err *err)
{
	struct exporting *x = arg;
	int fd = open(x->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int rc;

	if (fd < 0)
		return err_set(err, ERR_FAILED, "%s: %s", x->part,
		    strerror(errno));
	x->file = fdopen(fd, "w");
	if (!x->file)
		die("no stream can be had for %s", x->part);
	rc = write_rows(x, work_task(w), err);
	if (rc == 0 && (fflush(x->file) || fsync(fd)))
		rc = err_set(err, ERR_FAILED, "%s: %s", x->part,
		    strerror(errno));
	if (fclose(x->file) && rc == 0)
		rc = err_set(err, ERR_FAILED, "%s: %s", x->part,
		    strerror(errno));
	if (rc == 0 && rename(x->part, x->path) < 0)
		rc = err_set(err, ERR_FAILED, "%s: %s", x->path,
		    strerror(errno));
	if (rc < 0)
		unlink(x->part);
	return rc;
}

static void export_ended(void *arg, const struct err *err)
{
	struct exporting *x = arg;
	struct screen *s = x->screen;

	s->command = NULL;
	free(s->command_line);
	s->command_line = NULL;
	if (err)
		screen_fail(s, err);
	else
		screen_say(s, LOOK_PLAIN, "wrote %zu rows to %s", x->haul->n,
		    x->path);
	haul_free(x->haul);
	free(x->path);
	free(x->part);
	free(x);
}

static const struct work_kind export_work = {
	.run = export_run, .ended = export_ended,
};

static char *part_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash - path) + 1 : 0;

	return xasprintf("%.*s.%s.%ld.kiban-part", dir, path, path + dir,
	    (long)getpid());
}

void act_export(struct screen *s, const char *path)
{
	struct place *p = s->here;
	int format = format_from_file(path);
	struct haul *h = NULL;
	struct exporting *x;

	if (format < 0)
		screen_say(s, LOOK_BAD, "export: the ending of %s names no "
		    "format; .csv .tsv .json .ndjson .yaml do", path);
	else if (s->command)
		screen_say(s, LOOK_BAD, "%s still runs; Ctrl-C cancels it",
		    s->command_line);
	else if (!p->body->rows)
		screen_say(s, LOOK_BAD, "there are no rows to export here; C "
		    "shows the command, which takes -o");
	else if (!(h = p->body->rows(p)))
		screen_say(s, LOOK_BAD, "not all rows are read yet: nothing "
		    "was exported");
	if (!h)
		return;
	x = xcalloc(1, sizeof(*x));
	*x = (struct exporting){
		.screen = s, .haul = h, .format = format,
		.contexts = p->sight->ncontexts > 1,
		.path = xstrdup(path), .part = part_of(path),
	};
	s->command_line = xstrdup("export");
	s->command = work_start(s->desk, "", "export", &export_work, x);
}

/* ---- the previous and next change ------------------------------------------------ */

struct stepping {
	struct screen	*screen;
	struct sight	*sight;
	char		*sql;
	int64_t		 from, found;
	int		 direction;
};

static int step_run(struct work *w, void *arg, struct err *err)
{
	struct stepping *x = arg;
	struct cache *c = work_cache(w, err);
	const struct cell *cells;
	struct query *q;
	int rc;

	if (!c || cache_aim(c, x->sight->names, x->sight->ncontexts, 0, 0,
	    err) < 0)
		return -1;
	q = query_new(c, x->sql, 0, 0, work_task(w), err);
	if (!q)
		return -1;
	query_bind(q, 1, run_i(x->from));
	rc = query_step(q, &cells, err);
	if (rc == 1 && cells[0].tag == CELL_INT)
		x->found = cells[0].i;
	query_free(q);
	return rc < 0 ? -1 : 0;
}

static void step_ended(void *arg, const struct err *err)
{
	struct stepping *x = arg;
	struct screen *s = x->screen;

	if (s->quit)
		;
	else if (err)
		screen_fail(s, err);
	else if (x->found)
		screen_time(s, x->found);
	else if (x->direction > 0 && s->at)
		screen_time(s, 0);
	else
		screen_say(s, LOOK_PLAIN, "no %s change of this is known",
		    x->direction > 0 ? "later" : "earlier");
	sight_free(x->sight);
	free(x->sql);
	free(x);
}

static const struct work_kind step_work = {
	.run = step_run, .ended = step_ended,
};

static void quote(struct buf *b, const char *text)
{
	buf_addc(b, '\'');
	for (; *text; text++) {
		buf_addc(b, *text);
		if (*text == '\'')
			buf_addc(b, '\'');
	}
	buf_addc(b, '\'');
}

/* Of all kinds that the place read; of all there are where it says none. */
static char *step_sql(const struct place *p, int direction)
{
	struct buf b = {0};

	buf_addf(&b, "SELECT %s(t) AS t FROM change WHERE t %s ?1",
	    direction > 0 ? "min" : "max", direction > 0 ? ">" : "<");
	if (p->kinds && *p->kinds && !place_is_home(p)) {
		buf_adds(&b, " AND kind IN (");
		for (size_t i = 0; p->kinds[i]; i++) {
			buf_adds(&b, i ? ", " : "");
			quote(&b, p->kinds[i]);
		}
		buf_addc(&b, ')');
	}
	return buf_take(&b);
}

void act_step(struct screen *s, int direction)
{
	struct stepping *x;

	if (!sight_has_past(s->here->sight)) {
		screen_say(s, LOOK_PLAIN, "this has no past");
		return;
	}
	if (direction > 0 && !s->at) {
		screen_say(s, LOOK_PLAIN, "this is now");
		return;
	}
	x = xcalloc(1, sizeof(*x));
	*x = (struct stepping){
		.screen = s, .sight = sight_ref(s->here->sight),
		.sql = step_sql(s->here, direction),
		.from = s->at ? s->at : clock_now() + 1,
		.direction = direction,
	};
	work_start(s->desk, "", "find a change", &step_work, x);
}

/* ---- diff ------------------------------------------------------------------------ */

static const struct column diff_columns[] = {
	{.name = "field"},
	{.name = "one", .type = TYPE_TEXT},
	{.name = "other", .type = TYPE_TEXT},
};

static void spell(struct buf *b, const struct result *r, uint32_t row,
    size_t c)
{
	buf_clear(b);
	value_show(b, r->columns[c].type, r->columns[c].decimals, SPELL_WIDE,
	    rows_cell(&r->rows, row, c));
}

void act_diff(struct screen *s)
{
	struct result *from = NULL, *out;
	struct buf a = {0}, b = {0};
	uint32_t rows[3];
	size_t n = s->here->body == &browser_body
	    ? browser_marked(s->here, rows, 3, &from) : 0;

	if (n != 2) {
		screen_say(s, LOOK_PLAIN, "diff wants two marked rows (Space "
		    "marks), %s%zu are", n > 2 ? "over " : "", n > 2 ? 2 : n);
		return;
	}
	out = result_new(diff_columns, 3);
	for (size_t c = 0; c < from->ncolumns; c++) {
		struct cell cells[3] = {run_s(from->columns[c].name)};
		spell(&a, from, rows[0], c);
		spell(&b, from, rows[1], c);
		if (a.n == b.n && !memcmp(buf_str(&a), buf_str(&b), a.n))
			continue;
		cells[1] = run_s(buf_str(&a));
		cells[2] = run_s(buf_str(&b));
		rows_add(&out->rows, cells);
	}
	buf_free(&a);
	buf_free(&b);
	result_finish(out, true);
	screen_show_rows(s, sight_ref(s->here->sight), out)->title =
	    xstrdup("diff");
}
