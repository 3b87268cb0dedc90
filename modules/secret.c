/* Secrets: references read when they are needed, never before, never shown.
 * A program that prints one (cmd:) runs in a process group of its own, so that
 * all of it can be ended when it takes too long. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "task.h"
#include "text.h"
#include "value.h"

#define SECRET_MAX	(64 << 10)
#define COMMAND_MS	10000

/* The reference is said, what it gave is not. */
static int fail(struct err *err, const char *reference, const char *why)
{
	struct buf b = {0};

	text_harmless(&b, reference, strlen(reference));
	err_set(err, ERR_FAILED, "secret %.300s: %s", buf_str(&b), why);
	buf_free(&b);
	return -1;
}

/* Programs and editors end a text with a newline that is no part of it. */
static void cut_newline(struct buf *b, size_t start)
{
	if (b->n > start && b->p[b->n - 1] == '\n')
		b->n--;
	if (b->n > start && b->p[b->n - 1] == '\r')
		b->n--;
	if (b->p)
		b->p[b->n] = '\0';
}

/* Reads what is there. 1: there may be more; 0: the end; -1: errno. */
static int drain(int fd, struct buf *out)
{
	char chunk[4096];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n > 0)
		buf_add(out, chunk, (size_t)n);
	wipe(chunk, sizeof(chunk));
	if (out->n > SECRET_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -1;
	return n > 0;
}

static int from_file(const struct config *c, const char *reference,
    struct buf *out, struct err *err)
{
	char *path = config_path(c, reference + strlen("file:"));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : 1;

	free(path);
	while (rc > 0)
		rc = drain(fd, out);
	if (rc)
		fail(err, reference, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

/* sh -c LINE, leader of its own group, with nothing of ours but its output. */
static pid_t spawn(const char *line, int out_fd)
{
	char *argv[] = {"sh", "-c", (char *)line, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	pid_t pid;
	int e;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out_fd, 1);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&how);
	posix_spawnattr_setpgroup(&how, 0);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &all);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	e = posix_spawn(&pid, "/bin/sh", &files, &how, argv, environ);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	errno = e;
	return e ? -1 : pid;
}

/* Reads until the program has ended; what it left running in the background
 * may hold the pipe open and isn't waited for. 0, or why not. */
static const char *collect(pid_t pid, int fd, struct buf *out,
    const struct task *t)
{
	int64_t end = clock_mono() + COMMAND_MS;
	struct pollfd p[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = task_fd(t), .events = POLLIN},
	};
	bool ended = false;
	int status = 0, more = 1;

	while (!ended) {
		if (clock_mono() > end)
			return "it didn't end within 10 s and was stopped";
		poll(p, 2, 20);
		if (task_cancelled(t))
			return "interrupted";
		if (more > 0 && (p[0].revents & (POLLIN | POLLHUP)))
			more = drain(fd, out);
		if (more < 0)
			return "it printed more than 64 KB, or can't be read";
		if (!more)
			p[0].fd = -1;
		ended = waitpid(pid, &status, WNOHANG) == pid;
	}
	while (more > 0 && poll(p, 1, 0) > 0)
		more = drain(fd, out);
	if (more < 0)
		return "it printed more than 64 KB, or can't be read";
	if (WIFSIGNALED(status))
		return "a signal ended it";
	return WEXITSTATUS(status) ? "it ended with an error" : NULL;
}

static int from_command(const char *reference, struct buf *out,
    const struct task *t, struct err *err)
{
	const char *why = NULL;
	int fd[2];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC))
		return fail(err, reference, strerror(errno));
	fcntl(fd[0], F_SETFL, O_NONBLOCK);	/* ours: not the program's */
	pid = spawn(reference + strlen("cmd:"), fd[1]);
	close(fd[1]);
	if (pid < 0) {
		why = strerror(errno);
	} else {
		why = collect(pid, fd[0], out, t);
		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(fd[0]);
	if (task_check(t, err) < 0)
		return -1;
	return why ? fail(err, reference, why) : 0;
}

static int from_env(const char *reference, struct buf *out, struct err *err)
{
	const char *v = getenv(reference + strlen("env:"));

	if (!v)
		return fail(err, reference,
		    "this variable is not set: export it before kiban starts");
	buf_adds(out, v);
	return 0;
}

int config_secret(const struct config *c, const char *reference,
    struct buf *out, const struct task *t, struct err *err)
{
	size_t start = out->n;
	int rc = 0;

	if (!strncmp(reference, "env:", 4)) {
		return from_env(reference, out, err);
	} else if (!strncmp(reference, "file:", 5)) {
		rc = from_file(c, reference, out, err);
	} else if (!strncmp(reference, "cmd:", 4)) {
		rc = from_command(reference, out, t, err);
	} else {
		buf_adds(out, reference);
		return 0;
	}
	if (!rc && memchr(out->p ? out->p + start : "", 0, out->n - start))
		rc = fail(err, reference, "there is a NUL in it");
	if (rc && out->p) {
		wipe(out->p + start, out->n - start);
		out->n = start;
	}
	if (!rc)
		cut_newline(out, start);
	return rc;
}
