/* Running a command's function, the same on both faces: what it prints goes to
 * the face, in the order columns, rows; a command without rows still says its
 * columns, so that an empty result has a header. */
#include "run.h"

#include <stdarg.h>
#include <string.h>

static size_t count_columns(const struct column *c)
{
	size_t n = 0;

	while (c && c[n].name)
		n++;
	return n;
}

int run_columns(struct run *r, const struct column *c, size_t n,
    struct err *err)
{
	if (r->given)
		BUG("columns given twice by %s", r->line->command->name);
	r->given = true;
	return r->face->columns(r, c, n, err);
}

static int run_own_columns(struct run *r, struct err *err)
{
	const struct column *c = r->line->command->columns;

	if (r->given || !c)
		return 0;
	return run_columns(r, c, count_columns(c), err);
}

int run_row(struct run *r, const struct cell *cells, struct err *err)
{
	if (task_check(r->task, err) < 0 || run_own_columns(r, err) < 0)
		return -1;
	return r->face->row(r, cells, err);
}

int run_text(struct run *r, const char *text, struct err *err)
{
	r->given = true;
	return r->face->text(r, text, strlen(text), err);
}

void run_note(struct run *r, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	r->face->note(r, buf_str(&b));
	buf_free(&b);
}

void run_error(struct run *r, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	(r->face->error ? r->face->error : r->face->note)(r, buf_str(&b));
	buf_free(&b);
}

struct cell run_s(const char *s)
{
	if (!s)
		return (struct cell){.tag = CELL_NULL};
	return (struct cell){.tag = CELL_TEXT, .n = strlen(s), .s = s};
}

struct cell run_i(int64_t v)
{
	return (struct cell){.tag = CELL_INT, .i = v};
}

struct cell run_d(double v)
{
	return (struct cell){.tag = CELL_REAL, .d = v};
}

const struct context *run_context(struct run *r, struct err *err)
{
	if (r->ncontexts == 1)
		return r->contexts[0];
	err_set(err, ERR_USAGE, "%s works in one context, %zu are meant: "
	    "name one with --context", r->line->command->name, r->ncontexts);
	return NULL;
}

int run_command(struct run *r, struct err *err)
{
	r->given = false;
	if (r->line->command->run(r, err) < 0)
		return -1;
	return run_own_columns(r, err);
}
