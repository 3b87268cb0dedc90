/* Starts and asks tests/fake/faulty, which the Makefile builds beside the unit
 * tests. One at a time a program. */
#ifndef TEST_FAULTY_H
#define TEST_FAULTY_H

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http.h"

static struct {
	pid_t	 pid;
	int	 in;		/* closing it ends it */
	char	 url[64];	/* http://127.0.0.1:PORT */
	char	 socket[64];	/* unix:/… */
	char	 dir[64];
} faulty;

static void faulty_exec(int in, int out, const char *always)
{
	char self[PATH_MAX] = "", path[PATH_MAX + 32];

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		_exit(1);
	snprintf(path, sizeof(path), "%s/../fake/faulty", dirname(self));
	dup2(in, 0);
	dup2(out, 1);
	execl(path, "faulty", "--unix", faulty.socket + 5,
	    always ? "--always" : NULL, always, NULL);
	fprintf(stderr, "%s: not built\n", path);
	_exit(1);
}

/* 0, or -1. */
static inline int faulty_start(const char *always)
{
	int in[2], out[2];
	ssize_t n;

	snprintf(faulty.dir, sizeof(faulty.dir), "/tmp/kiban-test-XXXXXX");
	if (!mkdtemp(faulty.dir) || pipe2(in, O_CLOEXEC) < 0 ||
	    pipe2(out, O_CLOEXEC) < 0)
		return -1;
	snprintf(faulty.socket, sizeof(faulty.socket), "unix:%.40s/s",
	    faulty.dir);
	faulty.pid = fork();
	if (faulty.pid == 0)
		faulty_exec(in[0], out[1], always);
	close(in[0]);
	close(out[1]);
	faulty.in = in[1];
	n = read(out[0], faulty.url, sizeof(faulty.url) - 1);
	close(out[0]);
	if (n <= 0)
		return -1;
	faulty.url[n - 1] = '\0';
	return 0;
}

static inline void faulty_stop(void)
{
	close(faulty.in);
	waitpid(faulty.pid, NULL, 0);
	unlink(faulty.socket + 5);
	rmdir(faulty.dir);
}

/* "/count" or "/connections" of it, or its "/reset-count". */
static inline long faulty_ask(const char *target)
{
	struct http_request q = { .url = faulty.url, .target = target };
	struct http_response r;
	struct err err = {0};
	long n = -1;

	if (http_get(NULL, &q, &r, &err) == 0)
		n = strtol(buf_str(&r.body), NULL, 10);
	http_response_release(&r);
	return n;
}

#endif
