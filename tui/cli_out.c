/* stdout, whose reader may be slow, gone, or a full disk; and stderr, one
 * sentence a line, whatever bytes the sentence holds. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "text.h"

/* A pipe that poll() calls writable takes that many bytes without waiting, so
 * that a cancel is never missed within write(). */
enum { OUT_HELD = 65536, OUT_PIECE = 4096 };

static void say(const char *begin, const char *text)
{
	struct buf b = {0};

	buf_adds(&b, begin);
	text_harmless(&b, text, strlen(text));
	buf_addc(&b, '\n');
	/* One write a line: several processes may share the terminal. Where
	 * stderr can't be written there is nobody to tell. */
	if (write(STDERR_FILENO, b.p, b.n) < 0)
		errno = 0;
	buf_free(&b);
}

void cli_say(const char *text)
{
	say("kiban: ", text);
}

void cli_note(const struct session *s, const char *text)
{
	if (!s->quiet)
		say("kiban: note: ", text);
}

static int wait_writable(struct out *o, struct err *err)
{
	struct pollfd p[2] = {
		{.fd = STDOUT_FILENO, .events = POLLOUT},
		{.fd = task_fd(o->task), .events = POLLIN},
	};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return err_set(err, ERR_FAILED, "stdout: %s",
			    strerror(errno));
	return p[0].revents ? 0 : task_check(o->task, err);
}

static int write_some(struct out *o, const char **p, size_t *n,
    struct err *err)
{
	ssize_t k;

	if (wait_writable(o, err) < 0)
		return -1;
	k = write(STDOUT_FILENO, *p, *n < OUT_PIECE ? *n : OUT_PIECE);
	if (k < 0 && (errno == EINTR || errno == EAGAIN))
		return task_check(o->task, err);
	if (k < 0 && errno == EPIPE) {
		o->left = true;
		return err_set(err, ERR_FAILED, "stdout: the reader has left");
	}
	if (k < 0) {
		o->broken = true;
		return err_set(err, ERR_FAILED, "stdout can't be written: %s",
		    strerror(errno));
	}
	*p += k;
	*n -= (size_t)k;
	return 0;
}

int out_flush(struct out *o, struct err *err)
{
	const char *p = o->b.p;
	size_t n = o->b.n;

	while (n)
		if (write_some(o, &p, &n, err) < 0) {
			buf_clear(&o->b);
			return -1;
		}
	buf_clear(&o->b);
	return 0;
}

int out_put(void *arg, const char *p, size_t n, struct err *err)
{
	struct out *o = arg;

	if (o->left)
		return err_set(err, ERR_FAILED, "stdout: the reader has left");
	buf_add(&o->b, p, n);
	return o->b.n < OUT_HELD ? 0 : out_flush(o, err);
}
