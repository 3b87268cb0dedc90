/* The program: which modules there are, and which face a line gets. */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "core.h"
#include "http.h"
#include "screen.h"
#include "text.h"
#include "../mesh/mesh.h"

#define VERSION	"0.1.0"

static const struct module *const modules[] = {
	&core_module,
	&mesh_module,
	NULL,
};

/* Descriptors 0 to 2 that were closed would be given to the next file that is
 * opened: the cache. False: there is no stdout at all. */
static bool keep_standard_files(void)
{
	bool out = fcntl(STDOUT_FILENO, F_GETFD) >= 0;

	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd ? O_WRONLY : O_RDONLY) < 0)
			return false;
	return out;
}

static void setup_text(const struct session *s, const struct flags *f)
{
	const struct node *theme = node_get(s->config.root, "theme");
	const struct node *ascii = theme ? node_get(theme, "ascii") : NULL;
	const char *ambiguous = theme ? node_text(theme, "ambiguous", "1")
				      : "1";

	text_setup(f->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") ||
	    (ascii && node_bool(ascii) == 1), !strcmp(ambiguous, "2"));
}

static int print(const char *text, struct err *err)
{
	struct out o = {0};
	int rc = out_put(&o, text, strlen(text), err);

	if (rc == 0)
		rc = out_flush(&o, err);
	buf_free(&o.b);
	/* A reader that has left has read what it wanted. */
	return o.left ? 0 : rc;
}

static int print_help(const struct session *s, const struct line *l,
    struct err *err)
{
	struct buf b = {0};
	int rc;

	line_help(&s->registry, l, &b);
	rc = print(buf_str(&b), err);
	buf_free(&b);
	return rc;
}

static int play(struct session *s, struct line *l, struct err *err)
{
	const struct flags *f = &l->flags;
	struct buf frame = {0};
	int rc = screen_play(s, l, f->play, f->size_cols ? f->size_cols : 80,
	    f->size_rows ? f->size_rows : 24, &frame, err);

	if (rc == 0)
		rc = print(buf_str(&frame), err);
	buf_free(&frame);
	return rc;
}

static bool on_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* A line without a list or command: a module's name alone is its help. */
static bool wants_help(const struct line *l)
{
	return l->flags.help || (l->module && *l->module->name && !l->view &&
	    !l->command);
}

static int failed(const struct err *err)
{
	cli_say(err->text);
	switch (err->code) {
	case ERR_USAGE:
		return 2;
	case ERR_REFUSED:
		return 4;
	case ERR_UNREACHABLE:
		return 6;
	case ERR_CANCELLED:
		return 130;
	default:
		return 1;
	}
}

/* Which face: the console where it is asked for, or where there are no words
 * and somebody sits at a terminal; else the line is run and printed. */
static int run(struct session *s, struct line *l)
{
	const struct flags *f = &l->flags;
	const char *term = getenv("TERM");
	bool words = l->view || l->command;
	struct err err = {0};
	int rc;

	if (!f->version && !wants_help(l))
		session_settle(s);
	if (f->version)
		rc = print("kiban " VERSION "\n", &err);
	else if (wants_help(l))
		rc = print_help(s, l, &err);
	else if (f->play)
		rc = play(s, l, &err);
	else if (f->linear || ((f->screen || (!words && on_terminal())) &&
	    term && !strcmp(term, "dumb")))
		rc = screen_linear(s, l, &err);
	else if (f->screen || (!words && on_terminal()))
		rc = screen_run(s, l, &err);
	else {
		if (!words)
			l->command = &home_command;
		return cli_run(s, l);
	}
	return rc < 0 ? failed(&err) : 0;
}

static int begin(struct session *s, int argc, const char *const *argv,
    struct line *l, struct err *err)
{
	struct line early;
	int rc;

	/* The registry holds the user's own literals, so the config comes
	 * first, and its place may be a flag. */
	if (clock_init(err) < 0 || line_parse(NULL, argc, argv, &early, err) <
	    0)
		return -1;
	rc = config_load(&s->config, early.flags.config, err);
	text_setup(early.flags.ascii, false);
	line_release(&early);
	if (rc < 0)
		return -1;
	s->registry.modules = modules;
	registry_add_user(&s->registry, &s->config);
	if (line_parse(&s->registry, argc, argv, l, err) < 0)
		return -1;
	setup_text(s, &l->flags);
	s->read_only = l->flags.read_only;
	s->write = l->flags.write;
	s->quiet = l->flags.quiet;
	s->verbose = l->flags.verbose;
	return l->flags.trace_http ? http_trace(l->flags.trace_http, err) : 0;
}

int main(int argc, char **argv)
{
	struct session s = {0};
	struct line l = {0};
	struct err err = {0};
	int code;

	signal(SIGPIPE, SIG_IGN);
	if (!keep_standard_files()) {
		cli_say("stdout is closed: there is no place to print to");
		return 1;
	}
	setlocale(LC_CTYPE, "");
	code = begin(&s, argc - 1, (const char *const *)argv + 1, &l, &err) < 0
	    ? failed(&err) : run(&s, &l);
	line_release(&l);
	registry_release(&s.registry);
	session_release(&s);
	config_release(&s.config);
	return code;
}
