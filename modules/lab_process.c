/* Processes of the lab. One is started only after its record is on disk, so
 * that whatever is killed and whenever, `lab down` knows of every process: the
 * child waits for a byte, and leaves when its parent died before sending it. */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TERM_MS = 2000, KILL_MS = 2000 };

extern char **environ;

/* Clock ticks from boot to the start of a living process, else 0. A zombie
 * that nobody reaps doesn't live. */
static uint64_t started(int64_t pid)
{
	char path[64], line[1024], *p, *save = NULL, *word = NULL;
	ssize_t n;
	int fd, i;

	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, line, sizeof line - 1);
	close(fd);
	if (n <= 0)
		return 0;
	line[n] = '\0';
	/* The name, in parentheses, may hold anything. */
	p = strrchr(line, ')');
	if (p == NULL || p[1] == '\0' || p[2] == 'Z' || p[2] == 'X')
		return 0;
	/* Field 3 follows the name; the start is field 22. */
	for (i = 3, p++; i <= 22; i++, p = NULL) {
		word = strtok_r(p, " ", &save);
		if (word == NULL)
			return 0;
	}
	return strtoull(word, NULL, 10);
}

static int64_t recorded(const char *dir, const char *name, uint64_t *start)
{
	char *path = xasprintf("%s/%s.pid", dir, name);
	FILE *f = fopen(path, "re");
	long long pid = 0;
	unsigned long long ticks = 0;

	free(path);
	if (f == NULL)
		return 0;
	if (fscanf(f, "%lld %llu", &pid, &ticks) != 2 || pid <= 0)
		pid = 0;
	fclose(f);
	*start = ticks;
	return pid;
}

int64_t lab_pid(const char *dir, const char *name)
{
	uint64_t start;
	int64_t pid = recorded(dir, name, &start);

	return pid > 0 && start > 0 && started(pid) == start ? pid : 0;
}

static int record(const char *dir, const char *name, pid_t pid, struct err *err)
{
	char *path = xasprintf("%s/%s.pid", dir, name);
	char *new = xasprintf("%s.new", path);
	FILE *f = fopen(new, "we");
	int bad = 1;

	if (f != NULL) {
		fprintf(f, "%d %llu\n", (int)pid,
		    (unsigned long long)started(pid));
		bad = ferror(f);
		bad |= fclose(f) != 0 || rename(new, path) < 0;
	}
	if (bad)
		err_set(err, ERR_FAILED, "lab: %s: %s", path, strerror(errno));
	free(new);
	free(path);
	return bad ? -1 : 0;
}

/* The environment less what is meant for the command that starts the part: its
 * clock that stands still, and its context. */
static char **child_environ(void)
{
	size_t n = 0, i, k = 0;
	char **env;

	while (environ != NULL && environ[n] != NULL)
		n++;
	env = xcalloc(n + 1, sizeof *env);
	for (i = 0; i < n; i++)
		if (strncmp(environ[i], "KIBAN_NOW=", 10) != 0 &&
		    strncmp(environ[i], "KIBAN_CONTEXT=", 14) != 0)
			env[k++] = environ[i];
	return env;
}

struct birth {
	int	say[2];		/* from the child: its pid, then exec's errno */
	int	go[2];		/* to the child: a byte once it is recorded */
	int	null, log;
	char	*const *argv;
	char	**env;
};

/* Between fork and exec, other threads may hold any lock: only calls that are
 * safe in a signal handler stand here. */
static void __attribute__((noreturn)) be_child(const struct birth *b)
{
	pid_t self = getpid();
	sigset_t none;
	char byte;
	int i;

	close(b->go[1]);
	if (write(b->say[1], &self, sizeof self) != sizeof self ||
	    read(b->go[0], &byte, 1) != 1)
		_exit(0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	if (chdir("/") == 0 && dup2(b->null, 0) == 0 &&
	    dup2(b->log, 1) == 1 && dup2(b->log, 2) == 2) {
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		execve(b->argv[0], b->argv, b->env);
	}
	i = errno;
	if (write(b->say[1], &i, sizeof i) < 0)
		_exit(126);
	_exit(127);
}

static ssize_t read_all(int fd, void *p, size_t size)
{
	ssize_t n;

	do
		n = read(fd, p, size);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Forks twice, so that the part is nobody's child and leaves no zombie in a
 * console that stays. Records it, lets it go, and waits for its exec. */
static int give_birth(struct birth *b, const char *dir, const char *name,
    struct err *err)
{
	pid_t middle, pid;
	int failed = 0;

	middle = fork();
	if (middle < 0)
		return err_set(err, ERR_FAILED, "lab: %s: fork: %s", name,
		    strerror(errno));
	if (middle == 0) {
		setsid();
		if (fork() == 0)
			be_child(b);
		_exit(0);
	}
	while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
		;
	close(b->say[1]);
	close(b->go[0]);
	b->say[1] = b->go[0] = -1;
	if (read_all(b->say[0], &pid, sizeof pid) != sizeof pid)
		return err_set(err, ERR_FAILED,
		    "lab: %s: no process could be made", name);
	if (record(dir, name, pid, err) < 0)
		return -1;
	if (write(b->go[1], "", 1) != 1)
		failed = errno;
	else
		read_all(b->say[0], &failed, sizeof failed);
	if (failed == 0)
		return 0;
	lab_end(dir, name);
	return err_set(err, ERR_FAILED, "lab: %s: %s: %s", name, b->argv[0],
	    strerror(failed));
}

static void close_all(int *fds, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int lab_spawn(const char *dir, const char *name, char *const *argv,
    struct err *err)
{
	struct birth b = {
		.say = { -1, -1 }, .go = { -1, -1 }, .null = -1, .log = -1,
		.argv = argv,
	};
	char *log;
	int result = -1;

	if (lab_pid(dir, name) != 0)
		return 0;
	log = xasprintf("%s/%s.log", dir, name);
	b.env = child_environ();
	b.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	b.log = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
	    0600);
	if (b.null < 0 || b.log < 0)
		err_set(err, ERR_FAILED, "lab: %s: %s", log, strerror(errno));
	else if (pipe2(b.say, O_CLOEXEC) < 0 || pipe2(b.go, O_CLOEXEC) < 0)
		err_set(err, ERR_FAILED, "lab: %s: %s", name, strerror(errno));
	else
		result = give_birth(&b, dir, name, err);
	close_all(b.say, 2);
	close_all(b.go, 2);
	close_all((int[]){ b.null, b.log }, 2);
	free(b.env);
	free(log);
	return result;
}

/* Waits until the process is gone; false when it still lives after ms. */
static bool is_gone(int fd, int64_t pid, uint64_t start, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t until = clock_mono() + ms;

	while (started(pid) == start) {
		if (clock_mono() >= until)
			return false;
		/* Without a descriptor (an old kernel) this is a sleep. */
		poll(&p, 1, fd < 0 ? 10 : 50);
	}
	return true;
}

static void send_signal(int fd, int64_t pid, int sig)
{
	if (fd >= 0)
		pidfd_send_signal(fd, sig, NULL, 0);
	else
		kill((pid_t)pid, sig);
}

void lab_end(const char *dir, const char *name)
{
	uint64_t start = 0;
	int64_t pid = recorded(dir, name, &start);
	bool gone = true;
	char *path;
	int fd;

	if (pid > 0) {
		/* The descriptor first, then the look at who it is: a pid that
		 * is given out anew in between is not hit. */
		fd = pidfd_open((pid_t)pid, 0);
		if (start > 0 && started(pid) == start) {
			send_signal(fd, pid, SIGTERM);
			gone = is_gone(fd, pid, start, TERM_MS);
			if (!gone) {
				send_signal(fd, pid, SIGKILL);
				gone = is_gone(fd, pid, start, KILL_MS);
			}
		}
		if (fd >= 0)
			close(fd);
	}
	if (!gone)
		return;
	path = xasprintf("%s/%s.pid", dir, name);
	unlink(path);
	free(path);
}

void lab_last_words(const char *dir, const char *name, struct buf *out)
{
	char tail[4096], *path, *line;
	ssize_t n;
	off_t size;
	int fd;

	path = xasprintf("%s/%s.log", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return;
	size = lseek(fd, 0, SEEK_END);
	n = pread(fd, tail, sizeof tail - 1,
	    size > (off_t)sizeof tail - 1 ? size - (off_t)sizeof tail + 1 : 0);
	close(fd);
	while (n > 0 && strchr(" \n", tail[n - 1]) != NULL)
		n--;
	if (n <= 0)
		return;
	tail[n] = '\0';
	line = strrchr(tail, '\n');
	buf_adds(out, line == NULL ? tail : line + 1);
}

char *lab_self(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	/* A program that was replaced while it runs is only there by /proc. */
	if (n <= 0)
		return xstrdup("/proc/self/exe");
	path[n] = '\0';
	return xstrdup(access(path, X_OK) == 0 ? path : "/proc/self/exe");
}
