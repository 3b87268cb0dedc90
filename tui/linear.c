/* The console line by line: for terminals that can't be addressed and for
 * people who listen to theirs. A line typed is run as the command line runs
 * it; what happens meanwhile is a line each, its time last. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "core.h"
#include "desk.h"
#include "load.h"
#include "pulse.h"
#include "screen.h"
#include "text.h"

struct linear {
	struct session	*session;
	struct line	*start;
	struct desk	*desk;
	struct sight	*sight;		/* what is watched */
	struct poller	*poller;
	struct pulse	*pulse;
	struct work	*pulsing;
	char		*at;		/* as `time` was given; NULL: now */
	bool		 quit, asks;
	struct buf	 in;
};

/* ---- saying --------------------------------------------------------------------- */

static void say(const char *text)
{
	struct buf b = {0};
	size_t at = 0;

	text_harmless(&b, text, strlen(text));
	buf_addc(&b, '\n');
	while (at < b.n) {
		ssize_t n = write(STDOUT_FILENO, b.p + at, b.n - at);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	buf_free(&b);
}

static void say_event(const char *what, const char *text)
{
	struct buf b = {0};

	buf_addf(&b, "%s%s, ", what, text);
	value_show(&b, TYPE_TIME, 0, SPELL_SHORT,
	    (struct cell){.tag = CELL_INT, .i = clock_now()});
	say(buf_str(&b));
	buf_free(&b);
}

static void prompt(struct linear *l)
{
	char *text;

	if (!l->asks || l->quit)
		return;
	text = xasprintf("%s> ", l->sight->context);
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		l->quit = true;
	free(text);
}

/* ---- what happens meanwhile -------------------------------------------------------- */

static bool has(const struct pulse *p, const char *name)
{
	for (size_t i = 0; p && i < p->n; i++)
		if (!strcmp(p->v[i].name, name))
			return true;
	return false;
}

static void say_findings(const struct pulse *before, const struct pulse *now)
{
	for (size_t i = 0; i < now->n; i++)
		if (!has(before, now->v[i].name))
			say_event(now->v[i].bad ? "bad: " : "doubtful: ",
			    now->v[i].text);
	for (size_t i = 0; before && i < before->n; i++)
		if (!has(now, before->v[i].name))
			say_event("over: ", before->v[i].text);
}

/* Its ages move all the time: what failed is told once. */
static bool same_source(const char *a, const char *b)
{
	size_t n = a ? strcspn(a, ",") : 0;

	return a && b && n == strcspn(b, ",") && !strncmp(a, b, n);
}

static void pulse_came(void *arg, struct pulse *p)
{
	struct linear *l = arg;
	const char *before = l->pulse ? l->pulse->error : NULL;

	l->pulsing = NULL;
	if (!p || l->quit) {
		pulse_free(p);
		return;
	}
	say_findings(l->pulse, p);
	if (p->error && !same_source(before, p->error))
		say_event("source: ", p->error);
	if (!p->error && before)
		say_event("source: ", "all answer again");
	pulse_free(l->pulse);
	l->pulse = p;
}

static void look(struct linear *l)
{
	if (!l->pulsing)
		l->pulsing = pulse_start(l->desk, l->sight, pulse_came, l);
}

/* ---- lines ------------------------------------------------------------------------ */

static const char help[] =
    "A line is a command as after kiban: home, findings, changed, mesh "
    "services. help COMMAND tells about one, time TIME shows the past, time "
    "now the present, quit leaves.";

static void set_time(struct linear *l, const char *text)
{
	struct err err = {0};
	int64_t at;

	free(l->at);
	l->at = NULL;
	if (!text || !strcmp(text, "now"))
		say("It is now.");
	else if (value_time(text, clock_now(), &at, &err) < 0)
		say(err.text);
	else {
		struct buf b = {0};
		value_rfc3339(&b, at);
		l->at = buf_take(&b);
		say(l->at);
	}
}

static bool run_word(struct linear *l, int argc, const char *const *argv)
{
	if (!strcmp(argv[0], "quit") || !strcmp(argv[0], "q"))
		l->quit = true;
	else if (!strcmp(argv[0], "time") && argc <= 2)
		set_time(l, argc == 2 ? argv[1] : NULL);
	else if (!strcmp(argv[0], "help") && argc == 1)
		say(help);
	else
		return false;
	return true;
}

/* The line with the context and time that hold here. */
static int parse(struct linear *l, int argc, const char *const *argv,
    struct line *out, struct err *err)
{
	const char **all = xcalloc((size_t)argc + 6, sizeof(*all));
	const struct registry *r = &l->session->registry;
	int n = 0, rc;

	all[n++] = "--context";
	all[n++] = l->sight->context;
	memcpy(all + n, argv, (size_t)argc * sizeof(*all));
	n += argc;
	rc = line_parse(r, n, all, out, err);
	/* The last flag wins: what is typed stands behind. */
	if (rc == 0 && l->at && !out->flags.at_text && line_has_past(out)) {
		line_release(out);
		memmove(all + 2, all, (size_t)n * sizeof(*all));
		all[0] = "--at";
		all[1] = l->at;
		rc = line_parse(r, n + 2, all, out, err);
	}
	free(all);
	return rc;
}

static void run_parsed(struct linear *l, struct line *line)
{
	struct session own = *l->session;
	struct buf b = {0};

	own.write = own.write || line->flags.write;
	own.read_only = own.read_only || line->flags.read_only;
	if (line->flags.help || (!line->view && !line->command &&
	    line->module && *line->module->name)) {
		line_help(&own.registry, line, &b);
		fputs(buf_str(&b), stdout);
		fflush(stdout);
		buf_free(&b);
		return;
	}
	if (!line->view && !line->command)
		line->command = &home_command;
	cli_run(&own, line);
}

static void run_line(struct linear *l, const char *text)
{
	struct arena a = {0};
	struct err err = {0};
	struct line line;
	const char **argv;
	int argc;

	if (line_split(&a, text, &argv, &argc, &err) < 0) {
		say(err.text);
	} else if (argc && !run_word(l, argc, argv)) {
		bool helps = !strcmp(argv[0], "help");
		if (parse(l, argc - helps, argv + helps, &line, &err) < 0) {
			say(err.text);
		} else {
			line.flags.help = line.flags.help || helps;
			run_parsed(l, &line);
			line_release(&line);
		}
	}
	arena_free(&a);
}

/* False: no more lines will come. */
static bool take_lines(struct linear *l)
{
	char bytes[4096], *end;
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n <= 0)
		return false;
	buf_add(&l->in, bytes, (size_t)n);
	while (!l->quit && l->in.n && (end = memchr(l->in.p, '\n', l->in.n))) {
		size_t len = (size_t)(end - l->in.p);
		char *text = xstrndup(l->in.p, len);
		l->in.n -= len + 1;
		memmove(l->in.p, end + 1, l->in.n);
		run_line(l, text);
		free(text);
		prompt(l);
	}
	return true;
}

static void loop(struct linear *l)
{
	int64_t next = clock_mono() + 2000;

	while (!l->quit) {
		struct pollfd p[2] = {
			{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = desk_fd(l->desk), .events = POLLIN},
		};
		int64_t left = next - clock_mono();
		poll(p, 2, left > 0 ? (int)left : 0);
		if (desk_turn(l->desk) || clock_mono() >= next) {
			look(l);
			next = clock_mono() + 2000;
		}
		if (p[0].revents && !take_lines(l))
			l->quit = true;
	}
}

static int begin(struct linear *l, struct err *err)
{
	struct line empty = {.flags = {.format = -1, .limit = -1,
	    .timeout = -1}};

	l->sight = sight_new(l->session, &empty, l->start->flags.context, err);
	if (!l->sight)
		return -1;
	if (!l->start->flags.offline)
		l->poller = poller_start(l->session, l->sight->contexts,
		    l->sight->ncontexts, desk_poke, l->desk);
	return 0;
}

int screen_linear(struct session *s, struct line *start, struct err *err)
{
	struct linear l = {
		.session = s, .start = start, .desk = desk_new(s),
		.asks = isatty(STDIN_FILENO),
	};

	if (begin(&l, err) < 0) {
		desk_free(l.desk);
		return -1;
	}
	if (l.asks)
		say(help);
	if (start->view || start->command)
		run_parsed(&l, start);
	look(&l);
	prompt(&l);
	loop(&l);
	if (l.poller)
		poller_stop(l.poller);
	desk_free(l.desk);
	sight_free(l.sight);
	pulse_free(l.pulse);
	free(l.at);
	buf_free(&l.in);
	return 0;
}
