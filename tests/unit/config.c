/* The config file: the known keys, complaints with their places, contexts,
 * which one is meant, secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "task.h"

static char home[64];	/* a folder a test */

static char *in_home(const char *name)
{
	return xasprintf("%s/%s", home, name);
}

static void put(const char *name, const char *text)
{
	char *path = in_home(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

static void folder(const char *name)
{
	char *path = in_home(name);

	assert_int_equal(mkdir(path, 0700), 0);
	free(path);
}

static int setup(void **state)
{
	(void)state;
	snprintf(home, sizeof(home), "/tmp/kiban-config-XXXXXX");
	if (!mkdtemp(home))
		return -1;
	setenv("HOME", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_DATA_HOME");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("KIBAN_CONTEXT");
	folder(".config");
	folder(".config/kiban");
	return 0;
}

static int teardown(void **state)
{
	char *line = xasprintf("rm -rf %s", home);
	int rc = system(line);

	(void)state;
	free(line);
	return rc;
}

static void load(struct config *c)
{
	struct err err = {0};

	if (config_load(c, NULL, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < c->ncomplaints; i++) {
		assert_null(strpbrk(c->complaints[i].text, "\r\n"));
		assert_null(strpbrk(c->complaints[i].remedy, "\r\n"));
		assert_null(strpbrk(c->complaints[i].place, "\r\n"));
	}
}

static void load_text(struct config *c, const char *text)
{
	put(".config/kiban/config.yaml", text);
	load(c);
}

/* The i-th complaint: where it is, and what text and remedy hold. */
static void complains(const struct config *c, size_t i, const char *place,
    const char *text, const char *remedy)
{
	const struct complaint *p;

	if (i >= c->ncomplaints)
		fail_msg("only %zu complaints", c->ncomplaints);
	p = &c->complaints[i];
	if (!strstr(p->place, place) || !strstr(p->text, text) ||
	    !strstr(p->remedy, remedy))
		fail_msg("%s: %s; %s (wanted %s: %s; %s)", p->place, p->text,
		    p->remedy, place, text, remedy);
	assert_string_equal(p->severity, "bad");
}

static void clean(const char *text)
{
	struct config c;

	load_text(&c, text);
	if (c.ncomplaints)
		fail_msg("%s: %s; %s", c.complaints[0].place,
		    c.complaints[0].text, c.complaints[0].remedy);
	assert_false(c.broken);
	config_release(&c);
}

/* ---- known keys ---------------------------------------------------------- */

static void test_design_example(void **state)
{
	(void)state;
	clean("context: prod\n"
	    "contexts:\n"
	    "  prod:\n"
	    "    write: false\n"
	    "    aws: {region: ap-northeast-1, profile: prod, endpoint: null,"
	    " endpoints: {s3: \"http://127.0.0.1:7070\"}}\n"
	    "    mesh:\n"
	    "      every: 5s\n"
	    "      envoys:\n"
	    "        - http://10.0.1.7:9901\n"
	    "        - unix:/run/envoy/*.sock\n"
	    "        - file:fleet.txt\n"
	    "        - {name: a, url: \"https://h:1\", ca: c.pem, cert: d.pem,"
	    " key: k.pem, headers: {Authorization: env:X}}\n"
	    "    lake:\n"
	    "      budget: 1.50\n"
	    "      stores:\n"
	    "        s3:   {type: s3}\n"
	    "        raw:  {type: s3, endpoint: \"http://127.0.0.1:7070\","
	    " path_style: true, access_key: env:RAW_KEY, secret_key: env:S,"
	    " session_token: env:T, region: x, profile: y, requester_pays:"
	    " true, checksum: crc64nvme, part_size: 8MiB, connections: 4,"
	    " price: {get_1000: 0.0004, list_1000: 0.005, gb_out: 0.09}}\n"
	    "        disk: {type: directory, path: /srv/lake}\n"
	    "      engines:\n"
	    "        duckdb: {type: duckdb}\n"
	    "        trino:  {type: trino, url: \"http://127.0.0.1:8080\","
	    " user: kiban, catalog: hive, schema: lake, price: {per_tb: 5,"
	    " minimum: 10MB, currency: USD}}\n"
	    "        pg:     {type: postgresql, dsn: \"host=/run dbname=app\","
	    " password: env:PGPASSWORD}\n"
	    "    engage:\n"
	    "      from: \"Shop <news@example.com>\"\n"
	    "      unsubscribe: \"https://e.example.com\"\n"
	    "      verp: bounce@example.com\n"
	    "      dkim: [{domain: example.com, selector: k1,"
	    " key: \"file:/run/secrets/dkim.pem\"}]\n"
	    "      bounces: [/var/mail/bounces]\n"
	    "      pause: {hardbounce: 5, complaint: 0.1}\n"
	    "      only: []\n"
	    "      link_key: file:k\n"
	    "      dns: 127.0.0.1:53\n"
	    "      channels:\n"
	    "        mail: {type: smtp, url: \"smtp://127.0.0.1:2525\","
	    " tls: starttls, user: u, password: file:/run/secrets/smtp,"
	    " connections: 8, window: 1024, messages_per_second: 0,"
	    " give_up: 10m, timeout: 5s}\n"
	    "        box:  {type: maildir, path: /srv/outbox}\n"
	    "        hook: {type: webhook, url: u, secret: env:S,"
	    " headers: {X: y}, connections: 2}\n"
	    "        out:  {type: stdout}\n"
	    "views: []\nrules: []\nkeys: {}\n"
	    "theme: {bad: red, ascii: true, ambiguous: 2, mouse: true}\n"
	    "cache: {keep: 30d, max: 2GB}\n"
	    "serve: {listen: 127.0.0.1:8470}\n");
	clean("views:\n- {module: mesh, name: slow, help: h, sql: s, key: [a],"
	    " every_of: k, columns: [{name: a, title: A, type: number,"
	    " width: 8, wide: true}], keys: {e: l}}\n"
	    "rules:\n- {id: mesh.x, kind: k, severity: bad, sql: s, reason: r,"
	    " command: c}\n"
	    "keys: {mesh services: {e: l}, \"*\": {<F1>: l}}\n");
	clean("");
	clean("theme:\ncontexts:\n  a:\n");
}

static void test_unknown_key(void **state)
{
	struct config c;

	(void)state;
	load_text(&c, "contexts:\n  prod:\n    aws:\n      regoin: x\n"
	    "tehme: {}\n");
	assert_int_equal(c.ncomplaints, 2);
	complains(&c, 0, "/.config/kiban/config.yaml:5:1", "\"tehme\"",
	    "\"theme\"");
	complains(&c, 1, "config.yaml:4:7",
	    "unknown key \"regoin\" in contexts.prod.aws", "\"region\"");
	assert_null(c.complaints[0].context);
	assert_string_equal(c.complaints[1].context, "prod");
	assert_true(config_context(&c, "prod")->broken);
	config_release(&c);
	/* A dotted path is no key, and a name inside no path. */
	load_text(&c, "contexts:\n  p: {mesh.every: 5s, \"lake.stores.*\": 1}\n"
	    "\"views[]\": {}\n");
	assert_int_equal(c.ncomplaints, 3);
	config_release(&c);
}

static void test_wrong_values(void **state)
{
	struct config c;

	(void)state;
	load_text(&c, "contexts:\n"
	    "  a:\n"
	    "    write: yes\n"
	    "    mesh: {every: soon, envoys: {a: b}}\n"
	    "    lake: {budget: 1.5x, stores: [x], engines: {e: {}}}\n"
	    "    engage: {channels: {m: {type: smpt}, n: text}}\n");
	complains(&c, 0, ":3:12", "contexts.a.write: \"yes\"", "true or false");
	complains(&c, 1, ":4:19", "\"soon\"", "duration");
	complains(&c, 2, ":4:33", "contexts.a.mesh.envoys is a map where a list"
	    " belongs", "a list");
	complains(&c, 3, ":5:20", "\"1.5x\"", "a number");
	complains(&c, 4, ":5:34", "is a list where a map belongs", "a map");
	complains(&c, 5, ":5:52", "contexts.a.lake.engines.e has no \"type\"",
	    "duckdb trino postgresql");
	complains(&c, 6, ":6:35", "\"smpt\"", "\"smtp\"");
	complains(&c, 7, ":6:45", "is one value where a map belongs", "a map");
	assert_int_equal(c.ncomplaints, 8);
	config_release(&c);
	load_text(&c, "contexts: {a: {mesh: {envoys: [x, ~]}}}\n"
	    "cache: {max: lots}\n");
	complains(&c, 0, ":2:14", "cache.max: \"lots\"", "size");
	complains(&c, 1, ":1:35", "envoys[1]", "a value");
	config_release(&c);
}

/* Outside contexts a mistake skips its entry, and no more than that. */
static void test_skipped(void **state)
{
	struct config c;

	(void)state;
	load_text(&c, "theme: {bad: rde, doubtful: bold yellow, ascii: 1}\n"
	    "cache: {keep: never, max: 1GB}\n"
	    "views:\n"
	    "- {module: mesh, name: a, sql: s, columns: [{name: x, tpye: text}]}\n"
	    "- {module: mesh, name: b, sql: s, columns: [{name: x}]}\n"
	    "- {module: mesh, name: c}\n"
	    "keys: {findings: {a: b, c: [d]}}\n");
	assert_false(c.broken);
	assert_null(node_get(c.root, "theme.bad"));
	assert_string_equal(node_text(c.root, "theme.doubtful", ""),
	    "bold yellow");
	assert_null(node_get(c.root, "theme.ascii"));
	assert_int_equal(config_duration(&c, "cache.keep", 7), 7);
	assert_int_equal(config_size(&c, "cache.max", 7), 1000000000);
	assert_string_equal(node_text(node_get(c.root, "views")->first, "name",
	    ""), "b");
	assert_null(node_get(c.root, "views")->first->next);
	assert_string_equal(node_text(c.root, "keys.findings.a", ""), "b");
	assert_null(node_get(c.root, "keys.findings.c"));
	assert_int_equal(c.ncomplaints, 7);
	config_release(&c);
}

static void test_broken(void **state)
{
	static const char *const texts[] = {
		"a: [1\n", "just words\n", "- a\n- b\n", "contexts: [a]\n",
		"contexts: x\n", "a: 1\na: 2\n",
	};
	const struct context *v[4];
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct err err = {0};
		load_text(&c, texts[i]);
		assert_true(c.broken);
		assert_true(c.ncomplaints > 0);
		assert_string_equal(c.complaints[0].severity, "bad");
		/* What needs no context finds one all the same. */
		assert_non_null(config_context(&c, "local"));
		assert_int_equal(config_contexts(&c, "local", v, 4, &err), -1);
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(strstr(err.text, "config.yaml:"));
		assert_null(strchr(err.text, '\n'));
		config_release(&c);
	}
}

static void test_many_mistakes(void **state)
{
	struct buf b = {0};
	struct config c;

	(void)state;
	for (int i = 0; i < 5000; i++)
		buf_addf(&b, "\"k%d\\n\\e[31m\": 1\n", i);
	load_text(&c, b.p);
	assert_int_equal(c.ncomplaints, 200);
	complains(&c, 0, ":1:1", "unknown key", "");
	assert_null(strchr(c.complaints[0].text, '\033'));
	complains(&c, 199, "", "more mistakes", "");
	config_release(&c);
	buf_free(&b);
}

/* ---- folders ------------------------------------------------------------- */

static void test_folders(void **state)
{
	struct config c;
	struct err err = {0};
	char *want = in_home(".local/share/kiban");

	(void)state;
	load(&c);
	assert_string_equal(c.data_dir, want);
	free(want);
	want = in_home(".config/kiban/config.yaml");
	assert_string_equal(c.path, want);
	free(want);
	config_release(&c);
	setenv("XDG_DATA_HOME", "/d", 1);
	setenv("XDG_CACHE_HOME", "relative", 1);
	load(&c);
	assert_string_equal(c.data_dir, "/d/kiban");
	want = in_home(".cache/kiban");
	assert_string_equal(c.cache_dir, want);
	free(want);
	config_release(&c);
	unsetenv("HOME");
	assert_int_equal(config_load(&c, NULL, &err), -1);
	assert_non_null(strstr(err.text, "HOME"));
	setenv("XDG_CACHE_HOME", "/c", 1);
	setenv("XDG_CONFIG_HOME", "/f", 1);
	load(&c);
	config_release(&c);
}

static void test_named_file(void **state)
{
	struct config c;
	struct err err = {0};
	char *path = in_home("none.yaml"), *abs;

	(void)state;
	assert_int_equal(config_load(&c, path, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.text, path));
	put("none.yaml", "context: local\n");
	assert_int_equal(config_load(&c, path, &err), 0);
	abs = config_path(&c, "fleet.txt");
	assert_int_equal(strncmp(abs, home, strlen(home)), 0);
	assert_non_null(strstr(abs, "/fleet.txt"));
	free(abs);
	abs = config_path(&c, "/fleet.txt");
	assert_string_equal(abs, "/fleet.txt");
	free(abs);
	config_release(&c);
	assert_int_equal(config_load(&c, home, &err), -1);	/* a folder */
	free(path);
}

/* ---- contexts ------------------------------------------------------------ */

static void test_contexts(void **state)
{
	const struct context *v[CONTEXTS_MAX];
	struct err err = {0};
	struct config c;

	(void)state;
	load_text(&c, "contexts:\n  tokyo: {mesh: {every: 2s}}\n"
	    "  osaka: {write: true}\n  all: {}\n  \"a,b\": {}\n");
	assert_int_equal(c.ncontexts, 3);
	complains(&c, 0, ":4:3", "\"all\"", "another name");
	complains(&c, 1, ":5:3", "\"a,b\"", "another name");
	assert_string_equal(c.contexts[0].name, "tokyo");
	assert_false(c.contexts[0].write);
	assert_string_equal(c.contexts[0].origin, "config");
	assert_true(c.contexts[1].write);
	assert_string_equal(c.contexts[2].name, "local");
	assert_string_equal(c.contexts[2].origin, "built in");
	assert_true(c.contexts[2].write);
	assert_int_equal(context_duration(v[0] = &c.contexts[0], "mesh.every",
	    9), 2000);
	assert_int_equal(context_duration(&c.contexts[2], "mesh.every", 9), 9);
	assert_int_equal(config_contexts(&c, "all", v, CONTEXTS_MAX, &err), 3);
	assert_int_equal(config_contexts(&c, "osaka,tokyo,osaka", v,
	    CONTEXTS_MAX, &err), 2);
	assert_string_equal(v[0]->name, "osaka");
	assert_int_equal(config_contexts(&c, "tokio", v, CONTEXTS_MAX, &err),
	    -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.text, "the nearest is \"tokyo\""));
	assert_int_equal(config_contexts(&c, "", v, CONTEXTS_MAX, &err), -1);
	assert_int_equal(config_contexts(&c, "tokyo,", v, CONTEXTS_MAX, &err),
	    -1);
	assert_int_equal(config_contexts(&c, "all", v, 2, &err), -1);
	assert_int_equal(config_contexts(&c, "x\n\033]0;y", v, 2, &err), -1);
	assert_null(strpbrk(err.text, "\n\033"));
	config_release(&c);
}

static void test_broken_context(void **state)
{
	const struct context *v[CONTEXTS_MAX];
	struct err err = {0};
	struct config c;

	(void)state;
	load_text(&c, "contexts:\n  a: {wirte: true}\n  b: {}\n  local: {}\n");
	assert_int_equal(config_contexts(&c, "b", v, 4, &err), 1);
	assert_int_equal(config_contexts(&c, "a", v, 4, &err), -1);
	assert_non_null(strstr(err.text, "config.yaml:2:7"));
	assert_non_null(strstr(err.text, "\"write\""));
	assert_int_equal(config_contexts(&c, "all", v, 4, &err), -1);
	assert_int_equal(c.ncontexts, 3);
	assert_true(config_context(&c, "local")->write);
	config_release(&c);
	load_text(&c, "contexts:\n  local: {write: false}\n");
	assert_false(config_context(&c, "local")->write);
	config_release(&c);
}

static void test_current(void **state)
{
	const struct context *v[4];
	struct err err = {0};
	struct config c;
	struct stat st;
	char *path = in_home(".local/share/kiban/context");

	(void)state;
	load(&c);
	assert_string_equal(config_current(&c), "local");
	config_release(&c);
	load_text(&c, "context: a\ncontexts: {a: {}, b: {}, c: {}}\n");
	assert_string_equal(config_current(&c), "a");
	assert_int_equal(config_use(&c, "bb", &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(config_use(&c, "b", &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	config_release(&c);
	load(&c);
	assert_string_equal(config_current(&c), "b");
	setenv("KIBAN_CONTEXT", "c", 1);
	assert_string_equal(config_current(&c), "c");
	setenv("KIBAN_CONTEXT", "gone", 1);
	assert_int_equal(config_contexts(&c, config_current(&c), v, 4, &err),
	    -1);
	assert_non_null(strstr(err.text, "KIBAN_CONTEXT"));
	config_release(&c);
	unsetenv("KIBAN_CONTEXT");
	/* Used, and then gone from the config: not silently another. */
	load_text(&c, "contexts: {a: {}}\n");
	assert_int_equal(config_contexts(&c, config_current(&c), v, 4, &err),
	    -1);
	assert_non_null(strstr(err.text, "context use"));
	config_release(&c);
	free(path);
}

static void test_current_unknown(void **state)
{
	const struct context *v[4];
	struct err err = {0};
	struct config c;

	(void)state;
	load_text(&c, "context: pord\ncontexts: {prod: {}}\n");
	complains(&c, 0, ":1:10", "\"pord\"", "contexts:");
	assert_int_equal(config_contexts(&c, config_current(&c), v, 4, &err),
	    -1);
	assert_non_null(strstr(err.text, "\"prod\""));
	assert_int_equal(config_contexts(&c, "local", v, 4, &err), 1);
	config_release(&c);
}

static void test_use_fails(void **state)
{
	struct err err = {0};
	struct config c;

	(void)state;
	put(".local", "a file where a folder belongs");
	load(&c);
	assert_int_equal(config_use(&c, "local", &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_non_null(strstr(err.text, "kiban/context"));
	config_release(&c);
}

/* Up while a process that it recorded lives. */
static void test_lab(void **state)
{
	struct config c;
	char *record;
	FILE *stat;
	char line[1024], *p;
	unsigned long long began = 0;

	(void)state;
	folder(".local");
	folder(".local/share");
	folder(".local/share/kiban");
	folder(".local/share/kiban/lab");
	put(".local/share/kiban/lab/context.yaml",
	    "mesh: {envoys: [\"unix:/x/*.sock\"]}\n");
	load(&c);
	assert_null(config_context(&c, "lab"));
	config_release(&c);
	stat = fopen("/proc/self/stat", "r");
	assert_non_null(fgets(line, sizeof(line), stat));
	fclose(stat);
	p = strrchr(line, ')') + 2;
	for (int field = 3; field < 22; field++)
		p = strchr(p, ' ') + 1;
	began = strtoull(p, NULL, 10);
	record = xasprintf("%ld %llu\n", (long)getpid(), began);
	put(".local/share/kiban/lab/front.pid", record);
	free(record);
	load_text(&c, "contexts: {a: {}}\n");
	assert_string_equal(c.contexts[1].name, "lab");
	assert_string_equal(c.contexts[1].origin, "lab");
	assert_true(c.contexts[1].write);
	assert_false(c.contexts[1].broken);
	assert_string_equal(config_current(&c), "lab");
	assert_string_equal(context_get(&c.contexts[1], "mesh.envoys")->first
	    ->text, "unix:/x/*.sock");
	config_release(&c);
	put(".local/share/kiban/lab/context.yaml", "mehs: {}\n");
	load_text(&c, "contexts: {a: {}}\n");
	assert_true(config_context(&c, "lab")->broken);
	complains(&c, 0, "lab/context.yaml:1:1", "\"mehs\"", "\"mesh\"");
	config_release(&c);
	put(".local/share/kiban/lab/front.pid", "999999999 1\n");
	load(&c);
	assert_null(config_context(&c, "lab"));
	config_release(&c);
}

/* ---- secrets ------------------------------------------------------------- */

static void gives(const struct config *c, const char *reference,
    const char *want)
{
	struct buf out = {0};
	struct err err = {0};

	if (config_secret(c, reference, &out, NULL, &err))
		fail_msg("%s", err.text);
	assert_string_equal(buf_str(&out), want);
	buf_free(&out);
}

static void gives_none(const struct config *c, const char *reference,
    const char *why)
{
	struct buf out = {0};
	struct err err = {0};

	assert_int_equal(config_secret(c, reference, &out, NULL, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_int_equal(out.n, 0);
	assert_null(strpbrk(err.text, "\r\n"));
	assert_null(strstr(err.text, "s3cret"));
	if (!strstr(err.text, why))
		fail_msg("%s", err.text);
	buf_free(&out);
}

static void test_secrets(void **state)
{
	struct config c;

	(void)state;
	load(&c);
	setenv("KIBAN_TEST_SECRET", "s3cret", 1);
	put(".config/kiban/pw", "s3cret\n");
	put(".config/kiban/empty", "");
	gives(&c, "plain", "plain");
	gives(&c, "", "");
	gives(&c, "env:KIBAN_TEST_SECRET", "s3cret");
	gives(&c, "file:pw", "s3cret");
	gives(&c, "file:empty", "");
	gives(&c, "cmd:echo s3cret", "s3cret");
	gives(&c, "cmd:printf 'a\\nb\\r\\n'", "a\nb");
	gives(&c, "cmd:cat", "");		/* nothing to read from */
	gives(&c, "cmd:echo noise >&2; echo s3cret; sleep 60 &", "s3cret");
	gives_none(&c, "env:KIBAN_TEST_NONE", "env:KIBAN_TEST_NONE");
	gives_none(&c, "env:", "env:");
	gives_none(&c, "file:none", "file:none");
	gives_none(&c, "file:/", "file:/");
	gives_none(&c, "cmd:echo $KIBAN_TEST_SECRET; exit 3", "error");
	gives_none(&c, "cmd:kill -9 $$", "signal");
	gives_none(&c, "cmd:printf 's3\\0cret'", "NUL");
	gives_none(&c, "cmd:head -c 100000 /dev/zero", "64 KB");
	config_release(&c);
}

static void test_secret_cancelled(void **state)
{
	struct config c;
	struct buf out = {0};
	struct err err = {0};
	struct task *t = task_self("", "x");
	time_t start = time(NULL);

	(void)state;
	load(&c);
	task_cancel(t);
	assert_int_equal(config_secret(&c, "cmd:echo s3cret; sleep 60", &out,
	    t, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_int_equal(out.n, 0);
	assert_true(time(NULL) - start < 5);
	task_free(t);
	buf_free(&out);
	config_release(&c);
}

/* What it started in its group goes too, and a closed output is no end. */
static void test_secret_hangs(void **state)
{
	struct config c;
	time_t start = time(NULL);
	struct buf pid = {0};
	char *path = in_home("pid"), *line;
	FILE *f;
	long child = 0;

	(void)state;
	load(&c);
	line = xasprintf("cmd:exec >&-; sleep 60 & echo $! >%s; wait", path);
	gives_none(&c, line, "10 s");
	assert_in_range(time(NULL) - start, 9, 15);
	f = fopen(path, "r");
	assert_int_equal(fscanf(f, "%ld", &child), 1);
	fclose(f);
	for (int i = 0; i < 100 && !kill((pid_t)child, 0); i++) {
		char state_of[64] = "", *proc = xasprintf("/proc/%ld/stat",
		    child);
		f = fopen(proc, "r");
		free(proc);
		if (f && fscanf(f, "%*d %*s %60s", state_of) != 1)
			state_of[0] = '\0';
		if (f)
			fclose(f);
		if (!strcmp(state_of, "Z"))
			break;
		usleep(20000);
		assert_true(i < 99);
	}
	free(line);
	free(path);
	buf_free(&pid);
	config_release(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_design_example),
		TEST(test_unknown_key),
		TEST(test_wrong_values),
		TEST(test_skipped),
		TEST(test_broken),
		TEST(test_many_mistakes),
		TEST(test_folders),
		TEST(test_named_file),
		TEST(test_contexts),
		TEST(test_broken_context),
		TEST(test_current),
		TEST(test_current_unknown),
		TEST(test_use_fails),
		TEST(test_lab),
		TEST(test_secrets),
		TEST(test_secret_cancelled),
		TEST(test_secret_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
