/* `record`: polls without a screen, until it is told to stop. */
#include "core.h"

static int record_run(struct run *r, struct err *err)
{
	struct poller *p;
	struct buf names = {0};

	for (size_t i = 0; i < r->ncontexts; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", r->contexts[i]->name);
	run_note(r, "recording %s until Ctrl-C or SIGTERM", buf_str(&names));
	buf_free(&names);
	p = poller_start(r->session, r->contexts, r->ncontexts, NULL, NULL);
	if (!p)
		return err_set(err, ERR_FAILED, "record: polling can't begin");
	/* A cancel is how it is meant to end. */
	while (task_sleep(r->task, 60000, err) == 0)
		;
	poller_stop(p);
	return 0;
}

const struct command record_command = {
	.name = "record",
	.help = "poll what the rules read, without a screen, until stopped",
	.run = record_run,
};
