/* `kiban sql`: one SELECT of the user's own over everything that is cached,
 * under the guard, with a time limit; values as SQL gave them. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "find.h"

enum { SQL_MS = 30000, SQL_TEXT_MAX = 1 << 20 };

/* All of stdin; a cancel ends the wait. */
static int read_stdin(struct task *t, struct buf *out, struct err *err)
{
	struct pollfd p[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = task_fd(t), .events = POLLIN},
	};
	char piece[65536];
	ssize_t n;

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_set(err, ERR_FAILED, "stdin: %s",
			    strerror(errno));
		if (task_check(t, err) < 0)
			return -1;
		if (!p[0].revents)
			continue;
		n = read(STDIN_FILENO, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_USAGE, "stdin: %s",
			    strerror(errno));
		if (n == 0)
			return 0;
		if (out->n + (size_t)n > SQL_TEXT_MAX)
			return err_set(err, ERR_USAGE, "stdin: more than 1 MiB "
			    "of SQL");
		buf_add(out, piece, (size_t)n);
	}
}

static int sql_text(struct run *r, struct buf *out, struct err *err)
{
	if (strcmp(r->line->args[0], "-"))
		buf_adds(out, r->line->args[0]);
	else if (read_stdin(r->task, out, err) < 0)
		return -1;
	if (memchr(buf_str(out), '\0', out->n))
		return err_set(err, ERR_USAGE, "sql: the text holds a NUL");
	return 0;
}

static void seen_scope(void *arg, const char *scope, int64_t seen)
{
	bool *any = arg;

	(void)scope;
	*any = *any || seen;
}

static void note_never_fetched(struct run *r, const struct query *q)
{
	const struct registry *reg = &r->session->registry;

	for (const char *const *k = query_kinds(q); *k; k++) {
		const struct kind *kind = registry_kind(reg, *k);
		bool any = false;

		if (!kind || !strcmp(*k, finding_kind.name))
			continue;
		for (size_t i = 0; i < r->ncontexts && !any; i++)
			cache_each_scope(r->cache, kind, r->contexts[i]->name,
			    seen_scope, &any);
		if (!any)
			run_note(r, "%s was never fetched: `kiban record`, or "
			    "its list, does", *k);
	}
}

static int give_columns(struct run *r, const struct query *q, struct err *err)
{
	const char *const *names;
	size_t n = query_columns(q, &names);
	struct column *c = xcalloc(n + 1, sizeof(*c));
	int rc;

	for (size_t i = 0; i < n; i++)
		c[i] = (struct column){
			.name = arena_strdup(&r->line->arena, names[i]),
			.type = TYPE_ANY,
		};
	/* The face borrows them for as long as the line. */
	rc = run_columns(r, memcpy(arena_alloc(&r->line->arena,
	    (n + 1) * sizeof(*c)), c, (n + 1) * sizeof(*c)), n, err);
	free(c);
	return rc;
}

static int sql_run(struct run *r, struct err *err)
{
	int64_t limit = r->line->flags.timeout;
	struct buf text = {0};
	const struct cell *cells;
	struct query *q = NULL;
	int rc = -1;

	if (sql_text(r, &text, err) == 0)
		q = query_new(r->cache, buf_str(&text), QUERY_GUARD,
		    limit < 0 ? SQL_MS : limit, r->task, err);
	buf_free(&text);
	if (!q)
		return -1;
	note_never_fetched(r, q);
	if (give_columns(r, q, err) == 0)
		while ((rc = query_step(q, &cells, err)) == 1)
			if (run_row(r, cells, err) < 0)
				break;
	query_free(q);
	return rc ? -1 : 0;
}

const struct command sql_command = {
	.name = "sql",
	.args = "SQL|-",
	.help = "one SELECT over kinds, lists, change and sample; see schema",
	.flags = COMMAND_ROWS | COMMAND_AT,
	.run = sql_run,
};
