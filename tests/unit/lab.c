/* The lab's processes and files: what is recorded, ended and written. The shop
 * itself runs in tests/live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../mesh/lab_shop.h"

extern const struct lab mesh_lab;

/* ---- a folder a test ---------------------------------------------------- */

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = xasprintf("%s/kiban lab XXXXXX", tmp ? tmp : "/tmp");

	assert_non_null(mkdtemp(dir));
	*state = dir;
	return 0;
}

static void remove_all(const char *dir)
{
	char *line = xasprintf("rm -rf '%s'", dir);

	assert_int_equal(system(line), 0);
	free(line);
}

static int tear_down(void **state)
{
	remove_all(*state);
	free(*state);
	return 0;
}

static void put(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

static bool has(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	bool there = !access(path, F_OK);

	free(path);
	return there;
}

static json_t *get(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	json_error_t why;
	json_t *j = json_load_file(path, 0, &why);

	if (!j)
		fail_msg("%s: %s", path, why.text);
	free(path);
	return j;
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* ---- processes ---------------------------------------------------------- */

static void a_part_is_started_once_and_ended(void **state)
{
	const char *dir = *state;
	char *argv[] = { "/bin/sleep", "60", NULL };
	struct err err = {0};
	int64_t pid;

	assert_int_equal(lab_pid(dir, "a"), 0);
	assert_int_equal(lab_spawn(dir, "a", argv, &err), 0);
	pid = lab_pid(dir, "a");
	assert_true(pid > 1);
	assert_int_equal(lab_spawn(dir, "a", argv, &err), 0);
	assert_int_equal(lab_pid(dir, "a"), pid);
	/* Nobody's child here: it leaves no zombie to this process. */
	assert_int_equal(getpgid((pid_t)pid) == getpgrp(), 0);
	lab_end(dir, "a");
	assert_int_equal(lab_pid(dir, "a"), 0);
	assert_false(has(dir, "a.pid"));
	lab_end(dir, "a");
}

static void one_that_ignores_sigterm_is_killed(void **state)
{
	const char *dir = *state;
	char *argv[] = { "/bin/sh", "-c",
	    "trap '' TERM; echo on; while :; do sleep 1; done", NULL };
	struct err err = {0};
	struct buf last = {0};
	int i;

	assert_int_equal(lab_spawn(dir, "b", argv, &err), 0);
	for (i = 0; i < 200 && last.n == 0; i++) {
		sleep_ms(10);
		lab_last_words(dir, "b", &last);
	}
	assert_string_equal(buf_str(&last), "on");
	lab_end(dir, "b");
	assert_int_equal(lab_pid(dir, "b"), 0);
	assert_false(has(dir, "b.pid"));
	buf_free(&last);
}

/* A pid that was given out anew is somebody else's. */
static void another_start_time_is_another_process(void **state)
{
	const char *dir = *state;
	char *argv[] = { "/bin/sleep", "60", NULL };
	struct err err = {0};
	char record[64];
	int64_t pid;

	assert_int_equal(lab_spawn(dir, "mine", argv, &err), 0);
	pid = lab_pid(dir, "mine");
	snprintf(record, sizeof(record), "%lld 12345\n", (long long)pid);
	put(dir, "other.pid", record);
	assert_int_equal(lab_pid(dir, "other"), 0);
	lab_end(dir, "other");
	assert_false(has(dir, "other.pid"));
	assert_int_equal(lab_pid(dir, "mine"), pid);
	lab_end(dir, "mine");
}

static void bad_records_name_nobody(void **state)
{
	static const char *const bad[] = { "", "x", "1", "-1 5", "0 0",
	    "99999999999999999999 1", "1 x", NULL };
	const char *dir = *state;
	int i;

	for (i = 0; bad[i]; i++) {
		put(dir, "bad.pid", bad[i]);
		assert_int_equal(lab_pid(dir, "bad"), 0);
		lab_end(dir, "bad");
		assert_false(has(dir, "bad.pid"));
	}
}

static void a_program_that_is_not_there_leaves_no_record(void **state)
{
	const char *dir = *state;
	char *argv[] = { "/nowhere/envoy", NULL };
	struct err err = {0};

	assert_int_equal(lab_spawn(dir, "none", argv, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_non_null(strstr(err.text, "/nowhere/envoy"));
	assert_non_null(strstr(err.text, "No such file"));
	assert_false(has(dir, "none.pid"));
}

/* A part gets none of this process's descriptors, clock or signal mask. */
static void a_part_begins_clean(void **state)
{
	const char *dir = *state;
	char *argv[] = { "/bin/sh", "-c", "echo $(ls /proc/self/fd | wc -w) "
	    "${KIBAN_NOW-none} ${KIBAN_CONTEXT-none}", NULL };
	int fd = open("/dev/null", O_RDONLY), i;
	struct err err = {0};
	struct buf last = {0};

	assert_true(fd >= 0);
	setenv("KIBAN_NOW", "2026-11-25T00:00:00Z", 1);
	setenv("KIBAN_CONTEXT", "prod", 1);
	assert_int_equal(lab_spawn(dir, "c", argv, &err), 0);
	unsetenv("KIBAN_NOW");
	unsetenv("KIBAN_CONTEXT");
	for (i = 0; i < 300 && lab_pid(dir, "c"); i++)
		sleep_ms(10);
	lab_last_words(dir, "c", &last);
	/* 0, 1, 2, and the folder that ls reads. */
	assert_string_equal(buf_str(&last), "4 none none");
	lab_end(dir, "c");
	close(fd);
	buf_free(&last);
}

static void last_words_are_the_last_line(void **state)
{
	const char *dir = *state;
	struct buf b = {0};

	lab_last_words(dir, "quiet", &b);
	assert_int_equal(b.n, 0);
	put(dir, "quiet.log", "\n\n");
	lab_last_words(dir, "quiet", &b);
	assert_int_equal(b.n, 0);
	put(dir, "loud.log", "first\nsecond, the cause\n\n");
	lab_last_words(dir, "loud", &b);
	assert_string_equal(buf_str(&b), "second, the cause");
	buf_free(&b);
}

/* ---- the shop's files --------------------------------------------------- */

static struct shop placed(const char *dir)
{
	struct err err = {0};
	struct shop s;

	if (shop_load(&s, dir, &err) < 0 || shop_place(&s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static void ports_are_chosen_once_and_differ(void **state)
{
	struct shop a = placed(*state), b = placed(*state);
	int all[PROXIES * PORTS_MAX + 1], n = 0, i, k;

	assert_memory_equal(a.port, b.port, sizeof(a.port));
	assert_int_equal(a.tls_port, b.tls_port);
	all[n++] = a.tls_port;
	for (i = 0; i < PROXIES; i++)
		for (k = 0; k < shop_proxies[i].hosts; k++)
			all[n++] = a.port[i][k];
	for (i = 0; i < n; i++) {
		assert_in_range(all[i], 1024, 65535);
		for (k = 0; k < i; k++)
			assert_int_not_equal(all[i], all[k]);
	}
	assert_string_equal(a.place, b.place);
	assert_int_equal(strncmp(a.place, a.dir, strlen(a.dir)), 0);
}

static int listen_on(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static void a_taken_port_is_named_and_then_left(void **state)
{
	struct shop s = placed(*state), again;
	int fd = listen_on(s.port[ORDERS][1]);
	struct err err = {0};
	char port[16];

	snprintf(port, sizeof(port), "port %d", s.port[ORDERS][1]);
	assert_int_equal(shop_ports_free(&s, PAYMENTS, &err), 0);
	assert_int_equal(shop_ports_free(&s, ORDERS, &err), -1);
	assert_non_null(strstr(err.text, port));
	/* With nothing running, others are chosen. */
	again = placed(*state);
	assert_int_not_equal(again.port[ORDERS][1], s.port[ORDERS][1]);
	close(fd);
}

static void a_long_folder_has_its_sockets_elsewhere(void **state)
{
	char *dir = xasprintf("%s/%080d", (char *)*state, 7);
	struct shop s;
	struct stat st;
	char *socket;

	assert_int_equal(mkdir(dir, 0700), 0);
	s = placed(dir);
	assert_string_not_equal(s.place, dir);
	socket = shop_socket(&s, PAYMENTS);
	assert_true(strlen(socket) < 108);
	assert_int_equal(stat(s.place, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	shop_leave(&s);
	assert_int_equal(stat(s.place, &st), -1);
	free(socket);
	free(dir);
}

static void a_pattern_in_the_folder_is_no_pattern(void **state)
{
	char *dir = xasprintf("%s/a[b]*", (char *)*state);
	struct shop s;

	assert_int_equal(mkdir(dir, 0700), 0);
	s = placed(dir);
	assert_null(strpbrk(s.place, "[*"));
	shop_leave(&s);
	free(dir);
}

static void broken_ports_are_said(void **state)
{
	struct err err = {0};
	struct shop s;

	put(*state, "ports.json", "{\"front\": [");
	assert_int_equal(shop_load(&s, *state, &err), -1);
	assert_non_null(strstr(err.text, "ports.json"));
}

static int64_t weight_of(const char *dir, int i)
{
	json_t *j = get(dir, "front.routes.json");
	json_int_t w = -1;

	json_t *one = json_array_get(json_object_get(j, "resources"), 0);
	one = json_array_get(json_object_get(one, "virtual_hosts"), 0);
	one = json_array_get(json_object_get(one, "routes"), 0);
	one = json_object_get(json_object_get(one, "route"),
	    "weighted_clusters");
	one = json_array_get(json_object_get(one, "clusters"), (size_t)i);
	w = json_integer_value(json_object_get(one, "weight"));
	json_decref(j);
	return w;
}

static size_t runtime_keys(const char *dir, const char *name)
{
	json_t *j = get(dir, name);
	json_t *one = json_array_get(json_object_get(j, "resources"), 0);
	size_t n = json_object_size(json_object_get(one, "layer"));

	json_decref(j);
	return n;
}

static int64_t days_left(const struct shop *s)
{
	char *path = shop_certificate(s);
	int64_t t = shop_expires(path) - time(NULL);

	free(path);
	return (t + 12 * 60 * 60) / (24 * 60 * 60);
}

static void faults_are_in_the_files(void **state)
{
	const char *dir = *state;
	struct err err = {0};
	struct shop s = placed(dir);

	assert_int_equal(shop_apply(&s, &err), 0);
	assert_int_equal(weight_of(dir, 0), WEIGHT);
	assert_int_equal(weight_of(dir, 1), 100 - WEIGHT);
	assert_int_equal(runtime_keys(dir, "stock.runtime.json"), 0);
	assert_int_equal(runtime_keys(dir, "payments.runtime.json"), 0);
	assert_int_equal(days_left(&s), CERT_DAYS);

	put(dir, "broken.host", "");
	put(dir, "broken.slow", "");
	put(dir, "broken.route", "");
	put(dir, "broken.cert", "");
	s = placed(dir);
	assert_int_equal(shop_apply(&s, &err), 0);
	assert_int_equal(weight_of(dir, 0), 100 - WEIGHT);
	assert_int_equal(runtime_keys(dir, "stock.runtime.json"), 1);
	assert_int_equal(runtime_keys(dir, "payments.runtime.json"), 1);
	assert_int_equal(runtime_keys(dir, "orders.runtime.json"), 0);
	assert_int_equal(days_left(&s), CERT_BROKEN_DAYS);
}

/* Envoy sees a rename: what is as it should be must not be renamed over. */
static void applying_twice_writes_once(void **state)
{
	static const char *const files[] = { "front.routes.json",
	    "front.listeners.json", "stock.runtime.json", NULL };
	const char *dir = *state;
	struct stat before[3], after;
	struct err err = {0};
	struct shop s = placed(dir);
	char *path;
	int i;

	assert_int_equal(shop_apply(&s, &err), 0);
	for (i = 0; files[i]; i++) {
		path = xasprintf("%s/%s", dir, files[i]);
		assert_int_equal(stat(path, &before[i]), 0);
		assert_int_equal(before[i].st_mode & 0777, 0600);
		free(path);
	}
	assert_int_equal(shop_apply(&s, &err), 0);
	for (i = 0; files[i]; i++) {
		path = xasprintf("%s/%s", dir, files[i]);
		assert_int_equal(stat(path, &after), 0);
		assert_int_equal(after.st_ino, before[i].st_ino);
		free(path);
	}
}

static void every_bootstrap_is_json_with_its_own_socket(void **state)
{
	struct shop s = placed(*state);
	struct err err = {0};
	int i;

	for (i = 0; i < PROXIES; i++) {
		char *name = xasprintf("%s.json", shop_proxies[i].name);
		char *socket = shop_socket(&s, i);
		const char *path = NULL, *node = NULL;
		json_t *j;

		assert_int_equal(shop_bootstrap(&s, i, &err), 0);
		j = get(*state, name);
		assert_int_equal(json_unpack(j,
		    "{s:{s:{s:{s:s}}},s:{s:s}}", "admin", "address", "pipe",
		    "path", &path, "node", "id", &node), 0);
		assert_string_equal(path, socket);
		assert_string_equal(node, shop_proxies[i].name);
		json_decref(j);
		free(socket);
		free(name);
	}
}

static void a_folder_that_is_not_utf8_is_said(void **state)
{
	char *dir = xasprintf("%s/\xff", (char *)*state);
	struct err err = {0};
	struct shop s;

	assert_int_equal(mkdir(dir, 0700), 0);
	s = placed(dir);
	assert_int_equal(shop_bootstrap(&s, FRONT, &err), -1);
	assert_non_null(strstr(err.text, "UTF-8"));
	free(dir);
}

/* ---- status, break, mend without a process ------------------------------- */

struct seen {
	struct lab_part	p[16];
	int		n;
};

static int see(void *arg, const struct lab_part *p)
{
	struct seen *s = arg;

	assert_in_range(s->n, 0, 15);
	s->p[s->n++] = *p;
	return 0;
}

static const struct lab_part *part_of(const struct seen *s, const char *text)
{
	int i;

	for (i = 0; i < s->n; i++)
		if (strstr(s->p[i].text, text))
			return &s->p[i];
	return NULL;
}

static void a_break_is_a_state_that_mend_undoes(void **state)
{
	const char *dir = *state;
	struct shop s = placed(dir);
	struct seen seen = {0};
	struct err err = {0};
	struct run r = {0};

	assert_int_equal(shop_apply(&s, &err), 0);
	assert_int_equal(mesh_lab.status(&r, dir, see, &seen, &err), 0);
	assert_int_equal(seen.n, PROXIES + FAULTS - 1 + 1);
	assert_string_equal(part_of(&seen, "a route of")->state, "down");

	seen.n = 0;
	assert_int_equal(mesh_lab.break_(&r, dir, "route", see, &seen, &err),
	    0);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.p[0].part, "prefix /orders");
	assert_string_equal(seen.p[0].state, "broken");
	assert_int_equal(weight_of(dir, 0), 100 - WEIGHT);
	/* Again changes nothing, and so prints nothing. */
	assert_int_equal(mesh_lab.break_(&r, dir, "route", see, &seen, &err),
	    0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(mesh_lab.break_(&r, dir, "cert", see, &seen, &err),
	    0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(days_left(&s), CERT_BROKEN_DAYS);

	seen.n = 0;
	assert_int_equal(mesh_lab.mend(&r, dir, see, &seen, &err), 0);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.p[0].state, "down");
	assert_int_equal(weight_of(dir, 0), WEIGHT);
	assert_int_equal(days_left(&s), CERT_DAYS);
	seen.n = 0;
	assert_int_equal(mesh_lab.mend(&r, dir, see, &seen, &err), 0);
	assert_int_equal(seen.n, 0);
}

/* Its own hour remembers: the second time is slower, another hour begins
 * anew. */
static void slow_is_slower_the_second_time(void **state)
{
	const char *dir = *state;
	char *path = xasprintf("%s/slow", dir);
	struct timespec old[2] = { { time(NULL) - 3700, 0 },
	    { time(NULL) - 3700, 0 } };
	struct shop s = placed(dir);
	struct seen seen = {0};
	struct err err = {0};
	struct run r = {0};
	int i;

	for (i = 0; i < SLOWS + 1; i++) {
		int k = i < SLOWS ? i : SLOWS - 1;

		assert_int_equal(mesh_lab.break_(&r, dir, "slow", see, &seen,
		    &err), 0);
		assert_int_equal(shop_load(&s, dir, &err), 0);
		assert_int_equal(s.slow, k);
		assert_int_equal(seen.n, 1);
		assert_string_equal(seen.p[0].part,
		    shop_proxies[shop_slows[k].proxy].name);
		assert_int_equal(mesh_lab.mend(&r, dir, see, &seen, &err), 0);
		assert_string_equal(seen.p[1].part, seen.p[0].part);
		seen.n = 0;
	}
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_int_equal(mesh_lab.break_(&r, dir, "slow", see, &seen, &err),
	    0);
	assert_int_equal(shop_load(&s, dir, &err), 0);
	assert_int_equal(s.slow, 0);
	free(path);
}

/* ---- traffic ------------------------------------------------------------- */

struct customers {
	const char	*dir;
	int		 rc;
};

static void *play(void *arg)
{
	struct customers *c = arg;
	struct err err = {0};
	struct run r = {0};

	c->rc = shop_traffic(&r, c->dir, &err);
	return NULL;
}

/* Answers what comes to either gateway for ms; returns how many came. */
static int serve(int front, int back, int ms)
{
	int64_t until = clock_mono() + ms;
	int n = 0;

	while (clock_mono() < until) {
		struct pollfd p[2] = { { front, POLLIN, 0 },
		    { back, POLLIN, 0 } };
		char line[512];
		ssize_t k;
		int i, fd;

		poll(p, 2, 10);
		for (i = 0; i < 2; i++) {
			if (!(p[i].revents & POLLIN))
				continue;
			fd = accept4(p[i].fd, NULL, NULL, SOCK_CLOEXEC);
			k = recv(fd, line, sizeof(line) - 1, 0);
			assert_true(k > 0);
			line[k] = '\0';
			assert_non_null(strstr(line, "GET /orders"));
			assert_non_null(strstr(line, "\r\n\r\n"));
			k = send(fd, "HTTP/1.1 204 x\r\n\r\n", 18,
			    MSG_NOSIGNAL);
			close(fd);
			n++;
		}
	}
	return n;
}

static void traffic_is_steady_and_ends_with_the_lab(void **state)
{
	struct shop s = placed(*state);
	struct customers c = { .dir = *state, .rc = -2 };
	int front = listen_on(s.port[FRONT][0]);
	int back = listen_on(s.port[BACK][0]), n;
	pthread_t thread;
	char *ports;

	assert_int_equal(pthread_create(&thread, NULL, play, &c), 0);
	n = serve(front, back, 2000);
	assert_in_range(n, 50, 65);
	/* Nobody answers any more: it neither ends nor hangs. */
	close(front);
	close(back);
	sleep_ms(200);
	ports = xasprintf("%s/ports.json", s.dir);
	assert_int_equal(unlink(ports), 0);
	free(ports);
	pthread_join(thread, NULL);
	assert_int_equal(c.rc, 0);
}

static void traffic_wants_a_lab(void **state)
{
	struct err err = {0};
	struct run r = {0};

	assert_int_equal(shop_traffic(&r, *state, &err), -1);
	assert_non_null(strstr(err.text, "kiban lab up"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_part_is_started_once_and_ended),
		TEST(one_that_ignores_sigterm_is_killed),
		TEST(another_start_time_is_another_process),
		TEST(bad_records_name_nobody),
		TEST(a_program_that_is_not_there_leaves_no_record),
		TEST(a_part_begins_clean),
		TEST(last_words_are_the_last_line),
		TEST(ports_are_chosen_once_and_differ),
		TEST(a_taken_port_is_named_and_then_left),
		TEST(a_long_folder_has_its_sockets_elsewhere),
		TEST(a_pattern_in_the_folder_is_no_pattern),
		TEST(broken_ports_are_said),
		TEST(faults_are_in_the_files),
		TEST(applying_twice_writes_once),
		TEST(every_bootstrap_is_json_with_its_own_socket),
		TEST(a_folder_that_is_not_utf8_is_said),
		TEST(a_break_is_a_state_that_mend_undoes),
		TEST(slow_is_slower_the_second_time),
		TEST(traffic_is_steady_and_ends_with_the_lab),
		TEST(traffic_wants_a_lab),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
