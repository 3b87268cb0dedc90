/* The core module: the lists and commands that are about kiban itself. Its
 * literal stands in core.c; a command's function and literal in core_*.c. */
#ifndef CORE_H
#define CORE_H

#include "home.h"
#include "run.h"

extern const struct module core_module;

extern const struct command home_command, findings_command,
    findings_mute_command, findings_unmute_command, sql_command,
    schema_command, context_list_command, context_use_command,
    context_show_command, config_check_command, cache_stats_command,
    cache_prune_command, doctor_command, record_command, completion_command;

/* What `findings` and `findings --muted` show first. */
#define FINDING_COLUMNS \
	{.name = "context", .help = "the platform"}, \
	{.name = "severity", .rank = 1, .help = "bad or doubtful"}, \
	{.name = "module", .rank = 3, .help = "whose rule it is"}, \
	{.name = "rule", .rank = 2, .help = "what found it"}, \
	{.name = "object", .flags = COLUMN_LINK | COLUMN_PATH, \
	    .help = "what it is about"}, \
	{.name = "text", .help = "what is wrong"}, \
	{.name = "since", .type = TYPE_TIME, .rank = 1, \
	    .help = "open since then"}, \
	{.name = "command", .rank = 4, .help = "looks at it or mends it"}, \
	{.name = "kind", .flags = COLUMN_WIDE, \
	    .help = "kind of the row it is about"}, \
	{.name = "key", .type = TYPE_OBJECT, .flags = COLUMN_WIDE, \
	    .help = "that row"}

/* The beginning of the window of a line that is shown at that time (0: now):
 * --since, or what stands for it; 0: all there is. */
int64_t line_since(const struct line *l, int64_t at);

/* New: KIND [KEY…] of v, `changed` or `timeline`, as an SQL expression over its
 * rows. ERR_USAGE for an unknown kind, or keys that aren't all there. */
char *past_where(const struct registry *r, const struct view *v,
    const char *const *args, size_t nargs, struct err *err);

/* `home` in one table: `section`, then every column that some section has, in
 * the order of sections. New; *n gets how many. */
struct column *home_columns(const struct home *h, size_t *n);
/* Where a column of that name stands among them; n: nowhere. */
size_t home_column(const struct column *all, size_t n, const char *name);
/* One row of a section as cells of that table. */
void home_cells(const struct home_section *s, size_t row,
    const struct column *all, size_t n, struct cell *out);

#endif
