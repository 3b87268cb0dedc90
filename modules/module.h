/* The nouns of kiban. Each is a constant struct literal; adding one is adding
 * a literal. Lists end with {0} or NULL.
 *
 *	kind	a table: its DDL, merge, `schema` page and JSON follow from it
 *	source	a backend client that fills kinds
 *	view	a named SELECT with columns and keys: a list on both faces
 *	rule	a SELECT that finds offenders
 *	command	something people do
 *	module	mesh, lake, engage, and the core: lists of the above
 *
 * One word everywhere: the kind `mesh_proxy` is a table in SQL, its view
 * `mesh_proxies` is `kiban mesh proxies`; columns are JSON keys: lower snake
 * case, no SQL keyword that needs quotes. */
#ifndef MODULE_H
#define MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "rows.h"
#include "value.h"

enum role {
	ROLE_END = 0,
	ROLE_KEY,	/* text or number; together they name a row */
	ROLE_FACT,	/* its changes are history: versions and `change` */
	ROLE_METRIC,	/* a number, or bins: its values are a series */
	ROLE_NOTE,	/* kept up to date in place: no version, no series */
};
enum field_flag {
	FIELD_COUNTER	= 1 << 0,	/* metric that only grows, or restarts */
	FIELD_BINS	= 1 << 1,	/* metric: histogram, see cache.h */
	FIELD_SECRET	= 1 << 2,	/* redacted when written */
};
struct field {
	const char	*name;
	enum role	 role;
	enum type	 type;
	const char	*help;
	unsigned	 flags;		/* enum field_flag */
	const char	*unit;
	/* 0 to 100: how likely a change of this fact is what broke things.
	 * `changed` ranks by it. */
	int		 suspect;
};

/* Every kind has `context` as its first key; no literal repeats it. In SQL it
 * also has `seen` (time of the last good fetch of its scope) and the hidden
 * `series`. */
struct kind {
	const char		*name;		/* "mesh_proxy" */
	const char		*help;
	/* The field that `object` of findings and changes shows. */
	const char		*object;
	const struct field	*fields;	/* keys first; ends with {0} */
	int64_t			 every;		/* ms; how often it is fetched */
};

/* A key of the keyboard (named as in --play) bound to a line as typed after
 * `:`; {column} is the selected row's value, put in after the line was split
 * (never more than part of one word; inside --where an SQL literal). A line
 * that ends in a blank opens the prompt with it filled in. */
struct bind {
	const char	*key;
	const char	*line;
	const char	*note;		/* for the help; one or two words */
};

enum view_flag {
	VIEW_NO_PAST	= 1 << 0,	/* --at is refused: tasks, sources, … */
	VIEW_SINCE	= 1 << 1,	/* takes --since; since() in the SELECT */
	VIEW_NO_FETCH	= 1 << 2,	/* prints what the cache has */
	VIEW_NO_STATUS	= 1 << 3,	/* exactly the columns written: neither
					 * status nor seen is added */
	VIEW_RULES	= 1 << 4,	/* needs all that the rules read */
};
struct view {
	const char		*name;	/* "proxies" */
	const char		*help;
	/* One SELECT over kinds and other views. It gives `context` (where
	 * rows belong to one), every column named, and `seen`; without `seen`
	 * it is that of the kind. `status` is added from findings and age. */
	const char		*sql;
	/* What a row is: its findings, `schema`, timeline. May be a name that
	 * has no table (mesh_service). NULL: rows are nothing of their own. */
	const char		*kind;
	/* Columns that name a row, without context; NULL: the kind's keys.
	 * Ends with NULL. */
	const char *const	*key;
	const char		*every_of;	/* kind fetched for it; NULL: kind */
	const struct column	*columns;	/* without context, status, seen */
	const struct bind	*keys;		/* may be NULL; <Enter> is deeper */
	const char		*sort;		/* as --sort takes it; NULL: by key */
	const char		*empty;		/* why none, and what to do */
	unsigned		 flags;		/* enum view_flag */
};

enum severity { SEVERITY_NONE, SEVERITY_DOUBTFUL, SEVERITY_BAD };

/* sql gives context, the key columns of kind, object, the columns that reason
 * and command name, and optionally severity ('bad', 'doubtful'). Runs under
 * the guard of `kiban sql`, once a poll. */
struct rule {
	const char	*id;		/* "mesh.no_healthy_host" */
	const char	*kind;		/* of the offender; a view's kind too */
	enum severity	 severity;
	const char	*sql;
	const char	*reason;	/* with {column} */
	const char	*command;	/* with {column}: looks or mends */
	const char	*help;
};

struct backend_list;
struct context;
struct fetch;
struct fetch_round;

/* A client of one sort of backend. */
struct source {
	const char		*name;		/* "envoy" */
	const char *const	*kinds;		/* names it fills; ends with NULL */
	int64_t			 every;		/* ms, unless the config says */
	/* Appends the context's backends (fetch.h: backend_add). Called again
	 * at every poll round: globs and files are read anew. */
	int (*backends)(const struct context *c, struct backend_list *out,
	    struct err *err);
	/* One poll of one backend: plain blocking code that merges scopes
	 * (fetch.h). What it merged stays when it fails later. */
	int (*fetch)(struct fetch *f, struct err *err);
	/* After a round over a context: which backends were named, which
	 * failed. For what only the whole fleet tells. May be NULL. */
	int (*round)(struct fetch_round *r, struct err *err);
	void (*forget)(void *memo);		/* frees fetch.memo */
};

struct run;

enum command_flag {
	COMMAND_WRITES	= 1 << 0,	/* goes through the gate (gate.h) */
	COMMAND_SEVERE	= 1 << 1,	/* wants the name typed */
	COMMAND_OWN	= 1 << 2,	/* writes only kiban's own things */
	COMMAND_ROWS	= 1 << 3,	/* takes --where --filter --sort … */
	COMMAND_SINCE	= 1 << 4,
	COMMAND_AT	= 1 << 5,	/* takes --at */
	COMMAND_SCREEN	= 1 << 6,	/* only after `:` and in keys: */
	COMMAND_BROKEN	= 1 << 7,	/* runs with a config that can't be used */
	COMMAND_ONE	= 1 << 8,	/* json, yaml: one object, no array */
};
/* A flag of a command's own, beside those that every command takes. */
struct flag {
	const char	*name;		/* "--for" */
	const char	*arg;		/* "DUR"; NULL: takes none */
	const char	*help;
};
struct command {
	const char		*name;	/* words: "log-level", "cache prune" */
	const char		*args;	/* as usage prints: "PROXY [LOGGER] LEVEL" */
	const char		*help;
	const struct flag	*flags_own;	/* may be NULL */
	const struct column	*columns;	/* of its rows; NULL: none */
	unsigned		 flags;		/* enum command_flag */
	/* Blocking; runs on a task of its own on the screen. Prints by
	 * run_row() (run.h) only. */
	int (*run)(struct run *r, struct err *err);
	/* Candidates for argument n (0 first) by completion: one run_row() of
	 * a text each. May be NULL. */
	int (*complete)(struct run *r, int n, struct err *err);
};

struct lab;	/* lab.h */

struct module {
	const char			*name;		/* "mesh"; core: "" */
	const char			*help;
	const struct kind *const	*kinds;
	const struct source *const	*sources;
	const struct view *const	*views;
	const struct rule *const	*rules;
	const struct command *const	*commands;
	/* Its section of home: the view shown, the columns of it, at most ten
	 * rows, worst first. NULL: none. */
	const char			*home;
	const char			*home_columns;	/* "service,rps,…" */
	const struct lab		*lab;	/* its part of the playground */
};

#endif
