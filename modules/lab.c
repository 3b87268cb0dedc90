/* The lab's commands: they go over the modules' parts, keep the folder, the
 * context `lab` and the recorder, and let one command at a time work on it. */
#include "lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gate.h"
#include "text.h"

enum { UP_MS = 30000, FAULTS_MAX = 32 };

/* New. */
static char *lab_dir(const struct run *r)
{
	return xasprintf("%s/lab", r->session->config.data_dir);
}

static bool is_there(const char *dir)
{
	return !access(dir, F_OK);
}

static int not_up(struct err *err)
{
	return err_set(err, ERR_FAILED,
	    "the lab is not up: kiban lab up starts it");
}

/* The i-th part of the lab; NULL after the last. */
static const struct lab *lab_of(const struct run *r, size_t i)
{
	const struct module *const *m = r->session->registry.modules;

	for (; *m; m++)
		if ((*m)->lab && i-- == 0)
			return (*m)->lab;
	return NULL;
}

/* ---- rows ---------------------------------------------------------------- */

static const struct column columns[] = {
	{ .name = "part", .flags = COLUMN_PATH, .help =
	    "a process, or what can be broken, as its view names it" },
	{ .name = "state", .help = "up, down (by itself), broken (by lab break)" },
	{ .name = "pid", .type = TYPE_NUMBER, .help = "its process, if it has "
	    "one", .rank = 2 },
	{ .name = "address", .flags = COLUMN_PATH, .help = "where it listens, "
	    "or what it belongs to", .rank = 3 },
	{ .name = "text", .help = "what it is and does", .rank = 1 },
	{ 0 },
};

struct printer {
	struct run	*run;
	struct err	*err;
	size_t		 rows;
};

static int print_part(void *arg, const struct lab_part *p)
{
	struct printer *to = arg;
	const struct cell cells[] = {
		run_s(p->part), run_s(p->state),
		p->pid ? run_i(p->pid) : run_s(NULL),
		run_s(p->address[0] ? p->address : NULL), run_s(p->text),
	};

	to->rows++;
	return run_row(to->run, cells, to->err);
}

static int print_record(struct printer *to, const char *dir)
{
	int64_t pid = lab_pid(dir, "record");
	struct lab_part p = {
		.part = "record",
		.pid = pid,
		.text = "keeps the past: kiban record --context lab",
	};

	snprintf(p.state, sizeof(p.state), "%s", pid ? "up" : "down");
	return print_part(to, &p);
}

static int print_status(struct run *r, const char *dir, struct err *err)
{
	struct printer to = { .run = r, .err = err };
	const struct lab *l;
	size_t i;

	for (i = 0; (l = lab_of(r, i)); i++)
		if (l->status(r, dir, print_part, &to, err) < 0)
			return -1;
	return print_record(&to, dir);
}

/* ---- files --------------------------------------------------------------- */

static int make_folders(const char *dir, struct err *err)
{
	char *path = xstrdup(dir), *p = path;

	while ((p = strchr(p + 1, '/'))) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	free(path);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_FAILED, "lab: %s: %s", dir,
		    strerror(errno));
	return 0;
}

/* Whether DIR/NAME holds exactly that text. */
static bool holds(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name), *old;
	size_t n = strlen(text);
	FILE *f = fopen(path, "re");
	bool same = false;

	free(path);
	if (!f)
		return false;
	old = xmalloc(n + 1);
	same = fread(old, 1, n + 1, f) == n && !memcmp(old, text, n);
	free(old);
	fclose(f);
	return same;
}

/* By rename. */
static int put_file(const char *dir, const char *name, const char *text,
    struct err *err)
{
	char *path = xasprintf("%s/%s", dir, name);
	char *new = xasprintf("%s.new", path);
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t n = strlen(text);
	int rc = 0;

	if (fd < 0 || write(fd, text, n) != (ssize_t)n ||
	    rename(new, path) < 0)
		rc = err_set(err, ERR_FAILED, "lab: %s: %s", path,
		    errno ? strerror(errno) : "no space");
	if (fd >= 0)
		close(fd);
	free(new);
	free(path);
	return rc;
}

static int remove_one(const char *path, const struct stat *st, int type,
    struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path) < 0 && errno != ENOENT;
}

static int remove_folder(const char *dir, struct err *err)
{
	if (!is_there(dir) || !nftw(dir, remove_one, 16,
	    FTW_DEPTH | FTW_PHYS | FTW_MOUNT))
		return 0;
	return err_set(err, ERR_FAILED, "lab: %s can't be removed: %s", dir,
	    strerror(errno));
}

/* ---- one at a time ------------------------------------------------------- */

/* Locks the data folder itself: no file of the lab can, it leaves none. The
 * descriptor holds the lock. */
static int lock_lab(struct run *r, struct err *err)
{
	const char *dir = r->session->config.data_dir;
	int fd;

	if (make_folders(dir, err) < 0)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_FAILED, "lab: %s: %s", dir,
		    strerror(errno));
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		/* A file system without locks: alone, most likely. */
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		if (task_sleep(r->task, 50, err) < 0) {
			close(fd);
			return -1;
		}
	}
	return fd;
}

static int locked(struct run *r, int (*act)(struct run *r, const char *dir,
    struct err *err), struct err *err)
{
	char *dir = lab_dir(r);
	int fd = lock_lab(r, err), rc = -1;

	if (fd >= 0) {
		rc = act(r, dir, err);
		close(fd);
	}
	free(dir);
	return rc;
}

/* ---- what the recorder fetched ------------------------------------------- */

struct scope {
	const struct kind	*kind;
	char			*name;
	int64_t			 first;		/* fetch seen at first */
	bool			 twice;
};
struct watch {
	struct run		*run;
	int64_t			 since;
	const struct kind	*kind;		/* the one looked at */
	struct scope		*scopes;
	size_t			 n;
	const struct kind	*missing;	/* one not fetched twice */
};

static void see_scope(void *arg, const char *name, int64_t seen)
{
	struct watch *w = arg;
	size_t i;

	/* Those of an earlier lab are older. */
	if (seen < w->since)
		return;
	for (i = 0; i < w->n; i++) {
		struct scope *s = &w->scopes[i];

		if (s->kind != w->kind || strcmp(s->name, name))
			continue;
		s->twice |= seen > s->first;
		return;
	}
	w->scopes = xrealloc(w->scopes, w->n + 1, sizeof(*w->scopes));
	w->scopes[w->n++] = (struct scope){ .kind = w->kind,
	    .name = xstrdup(name), .first = seen };
}

/* For a kind that a source of the lab's modules fills. */
static int see_kind(void *arg, const struct module *m, const struct kind *k)
{
	struct watch *w = arg;
	size_t i, n = 0, once = 0;

	if (!m->lab || !registry_source_of_kind(&w->run->session->registry,
	    k->name))
		return 0;
	w->kind = k;
	cache_each_scope(w->run->cache, k, "lab", see_scope, w);
	for (i = 0; i < w->n; i++)
		if (w->scopes[i].kind == k) {
			n++;
			once += !w->scopes[i].twice;
		}
	if (n == 0 || once > 0)
		w->missing = k;
	return 0;
}

/* The recorder's clock goes, also where KIBAN_NOW stops this one. */
static int64_t real_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int recorder_ended(const char *dir, struct err *err)
{
	struct buf last = {0};

	lab_last_words(dir, "record", &last);
	err_set(err, ERR_FAILED, "lab: record ended: %s",
	    last.n ? last.p : "it said nothing");
	buf_free(&last);
	return -1;
}

static int watch_record(struct watch *w, const char *dir, int64_t deadline,
    struct err *err)
{
	struct run *r = w->run;

	for (;;) {
		w->missing = NULL;
		registry_each_kind(&r->session->registry, see_kind, w);
		if (!w->missing)
			return 0;
		if (!lab_pid(dir, "record"))
			return recorder_ended(dir, err);
		if (clock_mono() >= deadline)
			return err_set(err, ERR_FAILED, "lab: in time: %s was "
			    "not fetched twice (kiban --context lab sources "
			    "says why)", w->missing->name);
		if (task_sleep(r->task, 100, err) < 0)
			return -1;
	}
}

/* Rates and changes need two fetches of every kind; once they were seen, the
 * name of that recorder is kept in `ready`. */
static int wait_record(struct run *r, const char *dir, int64_t since,
    int64_t deadline, struct err *err)
{
	struct watch w = { .run = r, .since = since };
	char pid[32];
	int rc;

	snprintf(pid, sizeof(pid), "%lld\n",
	    (long long)lab_pid(dir, "record"));
	if (holds(dir, "ready", pid))
		return 0;
	if (cache_in_memory(r->cache) || r->session->run_dir) {
		run_note(r, "this run keeps its own cache: what record fetches "
		    "is not seen here");
		return 0;
	}
	rc = watch_record(&w, dir, deadline, err);
	while (w.n > 0)
		free(w.scopes[--w.n].name);
	free(w.scopes);
	return rc < 0 ? -1 : put_file(dir, "ready", pid, err);
}

/* ---- up ------------------------------------------------------------------ */

static int start_record(struct run *r, const char *dir, struct err *err)
{
	const char *named = r->line->flags.config;
	char *self = lab_self(), *config = NULL;
	char *argv[] = { self, "record", "--context", "lab", NULL, NULL, NULL };
	int rc;

	if (named) {
		config = realpath(named, NULL);
		argv[4] = "--config";
		argv[5] = config ? config : (char *)named;
	}
	rc = lab_spawn(dir, "record", argv, err);
	free(config);
	free(self);
	return rc;
}

/* Ends what has a record still: parts of another version of kiban. */
static int end_recorded(const char *dir, struct err *err)
{
	struct dirent *e;
	int64_t pid = 0;
	size_t n;
	DIR *d = opendir(dir);

	while (d && !pid && (e = readdir(d))) {
		n = strlen(e->d_name);
		if (n <= 4 || strcmp(e->d_name + n - 4, ".pid"))
			continue;
		e->d_name[n - 4] = '\0';
		lab_end(dir, e->d_name);
		pid = lab_pid(dir, e->d_name);
	}
	if (d)
		closedir(d);
	if (pid)
		return err_set(err, ERR_FAILED, "lab: process %lld can't be "
		    "ended: end it, then kiban lab down", (long long)pid);
	return 0;
}

struct names {
	char	**v;
	size_t	  n;
};

static void add_name(void *arg, const char *scope, int64_t seen)
{
	struct names *s = arg;

	(void)seen;
	s->v = xrealloc(s->v, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = xstrdup(scope);
}

static int forget_kind(void *arg, const struct module *m, const struct kind *k)
{
	struct run *r = arg;
	struct names names = {0};
	struct err ignored;

	if (!m->lab)
		return 0;
	cache_each_scope(r->cache, k, "lab", add_name, &names);
	while (names.n > 0) {
		cache_drop_scope(r->cache, k, "lab", names.v[--names.n],
		    real_now(), &ignored);
		free(names.v[names.n]);
	}
	free(names.v);
	return 0;
}

static int end_all(struct run *r, const char *dir, struct err *err)
{
	const struct lab *l;
	size_t i;

	/* First, so that it doesn't record how the others end. */
	lab_end(dir, "record");
	for (i = 0; (l = lab_of(r, i)); i++)
		if (l->down(r, dir, err) < 0)
			return -1;
	if (end_recorded(dir, err) < 0)
		return -1;
	/* The next lab has other ports and certificates: what it finds at
	 * first is no change of this one. */
	registry_each_kind(&r->session->registry, forget_kind, r);
	return remove_folder(dir, err);
}

/* The parts, and the context that names them. */
static int start_parts(struct run *r, const char *dir, struct err *err)
{
	struct buf context = {0};
	const struct lab *l;
	int rc = 0;
	size_t i;

	buf_adds(&context, "write: true\n");
	for (i = 0; rc == 0 && (l = lab_of(r, i)); i++)
		rc = l->up(r, dir, &context, err);
	if (rc == 0 && !holds(dir, "context.yaml", buf_str(&context))) {
		/* A recorder reads it at its start. */
		lab_end(dir, "record");
		rc = put_file(dir, "context.yaml", buf_str(&context), err);
	}
	buf_free(&context);
	return rc;
}

static int wait_parts(struct run *r, const char *dir, int64_t deadline,
    struct err *err)
{
	const struct lab *l;
	size_t i;

	for (i = 0; (l = lab_of(r, i)); i++)
		if (l->wait(r, dir, deadline, err) < 0)
			return -1;
	return 0;
}

static int up(struct run *r, const char *dir, struct err *err)
{
	int64_t limit = r->line->flags.timeout, since = real_now();
	int64_t deadline = clock_mono() + (limit >= 0 ? limit : UP_MS);
	bool new = !is_there(dir);
	struct err ignored;

	if (make_folders(dir, err) < 0)
		return -1;
	if (start_parts(r, dir, err) < 0) {
		/* Nothing half: where there was none, none is left. */
		if (new)
			end_all(r, dir, &ignored);
		return -1;
	}
	if (wait_parts(r, dir, deadline, err) < 0 ||
	    start_record(r, dir, err) < 0 ||
	    wait_record(r, dir, since, deadline, err) < 0 ||
	    print_status(r, dir, err) < 0)
		return -1;
	run_note(r, "kiban --context lab looks at it, kiban lab break host "
	    "breaks something, kiban lab down ends it");
	return 0;
}

static int up_own(struct run *r, struct err *err)
{
	return locked(r, up, err);
}

static int run_up(struct run *r, struct err *err)
{
	return gate_own(r, "lab", up_own, err);
}

/* ---- down, status, traffic ----------------------------------------------- */

static int down_own(struct run *r, struct err *err)
{
	return locked(r, end_all, err);
}

static int run_down(struct run *r, struct err *err)
{
	char *dir = lab_dir(r);
	bool there = is_there(dir);

	free(dir);
	if (there)
		return gate_own(r, "lab", down_own, err);
	run_note(r, "the lab is not up");
	return 0;
}

static int run_status(struct run *r, struct err *err)
{
	char *dir = lab_dir(r);
	int rc = 0;

	if (is_there(dir))
		rc = print_status(r, dir, err);
	else
		run_note(r, "the lab is not up: kiban lab up starts it");
	free(dir);
	return rc;
}

static int run_traffic(struct run *r, struct err *err)
{
	char *dir = lab_dir(r);
	const struct lab *l;
	int rc = not_up(err);
	size_t i;

	for (i = 0; is_there(dir) && (l = lab_of(r, i)); i++)
		if (l->traffic) {
			rc = l->traffic(r, dir, err);
			break;
		}
	free(dir);
	return rc;
}

/* ---- break, mend --------------------------------------------------------- */

static const struct lab *lab_with(const struct run *r, const char *fault)
{
	const struct lab *l;
	size_t i, k;

	for (i = 0; (l = lab_of(r, i)); i++)
		for (k = 0; l->faults && l->faults[k]; k++)
			if (!strcmp(l->faults[k], fault))
				return l;
	return NULL;
}

/* All faults there are; ends with NULL. */
static void all_faults(const struct run *r, const char *names[FAULTS_MAX + 1])
{
	const struct lab *l;
	size_t i, k, n = 0;

	for (i = 0; (l = lab_of(r, i)); i++)
		for (k = 0; l->faults && l->faults[k] && n < FAULTS_MAX; k++)
			names[n++] = l->faults[k];
	names[n] = NULL;
}

static int check_faults(const struct run *r, struct err *err)
{
	const char *names[FAULTS_MAX + 1], *near;
	struct buf list = {0};
	size_t i;

	all_faults(r, names);
	for (i = 0; i < r->line->nargs; i++) {
		if (lab_with(r, r->line->args[i]))
			continue;
		near = text_nearest(r->line->args[i], names);
		if (near)
			return err_set(err, ERR_USAGE, "lab break: there is no "
			    "%s to break; did you mean %s?",
			    r->line->args[i], near);
		break;
	}
	if (r->line->nargs > 0 && i == r->line->nargs)
		return 0;
	for (size_t k = 0; names[k]; k++)
		buf_addf(&list, "%s%s", k ? ", " : "", names[k]);
	err_set(err, ERR_USAGE, "lab break: %s%swhat can be broken is %s",
	    i < r->line->nargs ? r->line->args[i] : "",
	    i < r->line->nargs ? " is not known; " : "", buf_str(&list));
	buf_free(&list);
	return -1;
}

static int break_all(struct run *r, const char *dir, struct err *err)
{
	struct printer to = { .run = r, .err = err };
	const struct lab *l;
	size_t i;

	if (!is_there(dir))
		return not_up(err);
	for (i = 0; i < r->line->nargs; i++) {
		l = lab_with(r, r->line->args[i]);
		if (l->break_(r, dir, r->line->args[i], print_part, &to,
		    err) < 0)
			return -1;
	}
	if (to.rows == 0)
		run_note(r, "that is broken already: kiban lab mend undoes it");
	return 0;
}

static int break_own(struct run *r, struct err *err)
{
	return locked(r, break_all, err);
}

static int run_break(struct run *r, struct err *err)
{
	struct buf target = {0};
	size_t i;
	int rc;

	if (check_faults(r, err) < 0)
		return -1;
	for (i = 0; i < r->line->nargs; i++)
		buf_addf(&target, "%s%s", i ? ", " : "", r->line->args[i]);
	rc = gate_own(r, buf_str(&target), break_own, err);
	buf_free(&target);
	return rc;
}

static int complete_break(struct run *r, int n, struct err *err)
{
	const char *names[FAULTS_MAX + 1];
	struct cell c;
	size_t i;

	(void)n;
	all_faults(r, names);
	for (i = 0; names[i]; i++) {
		c = run_s(names[i]);
		if (run_row(r, &c, err) < 0)
			return -1;
	}
	return 0;
}

static int mend_all(struct run *r, const char *dir, struct err *err)
{
	struct printer to = { .run = r, .err = err };
	const struct lab *l;
	size_t i;

	if (!is_there(dir))
		return not_up(err);
	for (i = 0; (l = lab_of(r, i)); i++)
		if (l->mend(r, dir, print_part, &to, err) < 0)
			return -1;
	if (to.rows == 0)
		run_note(r, "nothing is broken");
	return 0;
}

static int mend_own(struct run *r, struct err *err)
{
	return locked(r, mend_all, err);
}

static int run_mend(struct run *r, struct err *err)
{
	return gate_own(r, "lab", mend_own, err);
}

/* ---- literals ------------------------------------------------------------ */

const struct command lab_up_command = {
	.name = "lab up",
	.help = "starts the playground: a small shop of real Envoys on this "
	    "machine, and the context lab",
	.columns = columns,
	.flags = COMMAND_OWN | COMMAND_ROWS,
	.run = run_up,
};
const struct command lab_down_command = {
	.name = "lab down",
	.help = "ends the playground: no process and no file is left",
	.flags = COMMAND_OWN | COMMAND_BROKEN,
	.run = run_down,
};
const struct command lab_status_command = {
	.name = "lab status",
	.help = "the playground's parts, and which of them are broken",
	.columns = columns,
	.flags = COMMAND_ROWS | COMMAND_BROKEN,
	.run = run_status,
};
const struct command lab_break_command = {
	.name = "lab break",
	.args = "WHAT…",
	.help = "breaks something in the playground: host, slow, proxy, route, "
	    "cert",
	.columns = columns,
	.flags = COMMAND_OWN | COMMAND_ROWS,
	.run = run_break,
	.complete = complete_break,
};
const struct command lab_mend_command = {
	.name = "lab mend",
	.help = "undoes all that lab break did",
	.columns = columns,
	.flags = COMMAND_OWN | COMMAND_ROWS,
	.run = run_mend,
};
const struct command lab_traffic_command = {
	.name = "lab traffic",
	.help = "sends the playground's steady requests until it is stopped; "
	    "lab up starts one",
	.run = run_traffic,
};
