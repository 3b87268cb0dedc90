/* A parsed line written again, so that whoever pastes it sees the same: what
 * depended on the clock or on this machine's current context is spelled
 * out, what only concerned this terminal is gone. */
#include <string.h>

#include "line_impl.h"

static void add_word(struct buf *b, const char *word)
{
	buf_addc(b, ' ');
	line_quote(b, word);
}

/* A value that begins with a dash is still a value, also without =. */
static void add_flag(struct buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(b, " %s", name);
	if (*value)
		add_word(b, value);
}

static void add_time(struct buf *b, const char *name, int64_t ms)
{
	if (!ms)
		return;
	buf_addf(b, " %s ", name);
	value_rfc3339(b, ms);
}

/* Milliseconds as a DUR. */
static void add_duration(struct buf *b, const char *name, char joint,
    int64_t ms)
{
	buf_addf(b, " %s%c%lldms", name, joint, (long long)ms);
}

static void add_rows(struct buf *b, const struct flags *f)
{
	if (f->format >= 0)
		add_flag(b, "-o", format_names[f->format]);
	add_flag(b, "--columns", f->columns);
	for (size_t i = 0; i < f->nwhere; i++)
		add_flag(b, "--where", f->where[i]);
	add_flag(b, "--filter", f->filter);
	add_flag(b, "--sort", f->sort);
	if (f->limit >= 0)
		buf_addf(b, " --limit %lld", (long long)f->limit);
	if (f->watch)
		add_duration(b, "--watch", '=', f->watch);
	if (f->fail_on != SEVERITY_NONE)
		add_flag(b, "--fail-on",
		    f->fail_on == SEVERITY_BAD ? "bad" : "doubtful");
}

static void add_ways(struct buf *b, const struct flags *f, bool past)
{
	if (f->refresh && !past)
		buf_adds(b, " --refresh");
	if (f->offline)
		buf_adds(b, " --offline");
	if (f->timeout >= 0)
		add_duration(b, "--timeout", ' ', f->timeout);
	if (f->write)
		buf_adds(b, " --write");
	if (f->read_only)
		buf_adds(b, " --read-only");
	if (f->dry_run)
		buf_adds(b, " --dry-run");
	if (f->yes)
		buf_adds(b, " --yes");
	add_flag(b, "--confirm", f->confirm);
	add_flag(b, "--config", f->config);
}

static void add_names(struct buf *b, const struct line *l)
{
	if (l->module && *l->module->name)
		buf_addf(b, " %s", l->module->name);
	if (l->view)
		buf_addf(b, " %s", l->view->name);
	if (l->command)
		buf_addf(b, " %s", l->command->name);
	if (l->verb != VERB_LIST)
		buf_adds(b, l->verb == VERB_SHOW ? " show" : " series");
	if (l->column)
		add_word(b, l->column);
}

static void add_args(struct buf *b, const struct line *l)
{
	for (size_t i = 0; i < l->nargs; i++)
		add_word(b, l->args[i]);
}

static void add_own(struct buf *b, const struct line *l)
{
	for (size_t i = 0; i < l->nown; i++) {
		buf_addf(b, " %s", l->own[i].name);
		if (own_find(l->command, l->own[i].name)->arg)
			add_word(b, l->own[i].value);
	}
}

char *line_command(const struct line *l, const char *context, int64_t at)
{
	const struct flags *f = &l->flags;
	bool writes = l->command && (l->command->flags & COMMAND_WRITES);
	bool dashes = false;
	struct buf b = {0};

	if (!at)
		at = f->at;
	if (writes || !line_has_past(l))
		at = 0;
	for (size_t i = 0; i < l->nargs; i++)
		dashes = dashes || (l->args[i][0] == '-' && l->args[i][1]);
	buf_adds(&b, "kiban");
	add_names(&b, l);
	if (!dashes)
		add_args(&b, l);
	add_flag(&b, "--context", context ? context : f->context);
	add_time(&b, "--at", at);
	add_time(&b, "--since", f->since);
	add_rows(&b, f);
	add_own(&b, l);
	add_ways(&b, f, at != 0);
	if (dashes) {
		buf_adds(&b, " --");
		add_args(&b, l);
	}
	return buf_take(&b);
}
