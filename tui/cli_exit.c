/* What became of a run, as the one number that scripts see. */
#include <signal.h>

#include "cli.h"

int outcome_nothing(const struct outcome *o)
{
	const struct fetch_report *r = &o->report;

	if (o->before_all)
		return 6;
	if (!r->backends || r->empty < r->backends ||
	    (!r->failed && !o->offline))
		return 0;
	if (r->failed && r->refused == r->failed)
		return 4;
	if (r->failed && r->unusable == r->failed)
		return 1;
	return 6;
}

/* CONTRACT, "Exit code": the first line that holds.
 *
 *	128 + n	ended by signal n; `record` ends with 0 on SIGINT and SIGTERM,
 *		and what was done before the signal came is done; a reader
 *		that has left is 0
 *	2	refused before anything was done
 *	4, 1, 6	every fetch that was needed failed and the cache held nothing
 *		of those backends: 4 when all were refused, 1 when all answered
 *		but not usably, else 6
 *	4	a write in a read-only context, or refused by the backend
 *	1	anything else failed as a whole
 *	3	found
 *	5	some fetch of this run, or some target of a write, failed
 *	0	otherwise, rows or none */
int outcome_exit(const struct outcome *o)
{
	int nothing = outcome_nothing(o);

	if (o->signal && (o->code == ERR_CANCELLED || o->signal == SIGHUP))
		return 128 + o->signal;
	if (o->left)
		return 0;
	if (o->code == ERR_USAGE)
		return 2;
	if (nothing)
		return nothing;
	if (o->code == ERR_REFUSED)
		return 4;
	if (o->code == ERR_UNREACHABLE)
		return 6;
	if (o->code != ERR_NONE)
		return 1;
	if (o->own && o->own != 5)
		return o->own;
	if (o->found)
		return 3;
	return o->own || o->report.failed ? 5 : 0;
}
