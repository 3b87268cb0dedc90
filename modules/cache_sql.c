/* Functions in SQL that are about the connection and about values: at() since()
 * ms() module_of() regexp() fetched_before(). Those over series stand in
 * cache_figure.c, mark() in cache_mark.c, the core lists' in cache_core.c. */
#include "cache_impl.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

static void at_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	(void)n;
	(void)v;
	sqlite3_result_int64(x, cache_at(sqlite3_user_data(x)));
}

static void since_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	const struct cache *c = sqlite3_user_data(x);

	(void)n;
	(void)v;
	sqlite3_result_int64(x, c->since);
}

static void ms_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	const char *text = (const char *)sqlite3_value_text(v[0]);
	const struct cache *c = sqlite3_user_data(x);
	struct err err = {0};
	int64_t ms;

	(void)n;
	if (!text)
		sqlite3_result_null(x);
	else if (value_time(text, cache_at(c), &ms, &err))
		sqlite3_result_error(x, err.text, -1);
	else
		sqlite3_result_int64(x, ms);
}

static void module_of_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	const char *kind = (const char *)sqlite3_value_text(v[0]);
	const struct cache *c = sqlite3_user_data(x);
	const struct module *m = kind ?
	    registry_module_of_kind(c->registry, kind) : NULL;

	(void)n;
	if (m)
		sqlite3_result_text(x, *m->name ? m->name : "core", -1,
		    SQLITE_STATIC);
	else
		sqlite3_result_null(x);
}

static void fetched_before_function(sqlite3_context *x, int n,
    sqlite3_value **v)
{
	struct cache *c = sqlite3_user_data(x);
	int64_t t = series_seen(c, sqlite3_value_int64(v[0]), cache_at(c));

	(void)n;
	if (t)
		sqlite3_result_int64(x, t);
	else
		sqlite3_result_null(x);
}

/* alive(PID, START): the process that wrote a row of `task`. */
static void alive_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	(void)n;
	sqlite3_result_int(x, process_lives(sqlite3_value_int64(v[0]),
	    sqlite3_value_int64(v[1])));
}

static void regex_free(void *p)
{
	regfree(p);
	free(p);
}

/* X REGEXP Y is regexp(Y, X): POSIX extended, case matters. */
static void regexp_function(sqlite3_context *x, int n, sqlite3_value **v)
{
	const char *pattern = (const char *)sqlite3_value_text(v[0]);
	const char *text = (const char *)sqlite3_value_text(v[1]);
	regex_t *re = sqlite3_get_auxdata(x, 0);
	char why[200];
	int rc;

	(void)n;
	if (!pattern || !text) {
		sqlite3_result_null(x);
		return;
	}
	if (!re) {
		re = xmalloc(sizeof(*re));
		rc = regcomp(re, pattern, REG_EXTENDED | REG_NOSUB);
		if (rc) {
			regerror(rc, re, why, sizeof(why));
			sqlite3_result_error(x, why, -1);
			free(re);
			return;
		}
		rc = regexec(re, text, 0, NULL, 0);
		sqlite3_result_int(x, rc == 0);
		sqlite3_set_auxdata(x, 0, re, regex_free);
		return;
	}
	sqlite3_result_int(x, regexec(re, text, 0, NULL, 0) == 0);
}

void sql_functions(struct cache *c)
{
	static const struct {
		const char	*name;
		int		 n;
		void		(*f)(sqlite3_context *, int, sqlite3_value **);
		int		 flags;
	} all[] = {
		/* One time for one execution of a statement. */
		{"at", 0, at_function, SQLITE_DETERMINISTIC},
		{"since", 0, since_function, SQLITE_DETERMINISTIC},
		{"ms", 1, ms_function, SQLITE_DETERMINISTIC},
		{"module_of", 1, module_of_function, SQLITE_DETERMINISTIC},
		{"fetched_before", 1, fetched_before_function, 0},
		{"regexp", 2, regexp_function, SQLITE_DETERMINISTIC},
		{"alive", 2, alive_function, 0},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		sqlite3_create_function(c->db, all[i].name, all[i].n,
		    SQLITE_UTF8 | SQLITE_INNOCUOUS | all[i].flags, c,
		    all[i].f, NULL, NULL);
	core_functions(c);
}
