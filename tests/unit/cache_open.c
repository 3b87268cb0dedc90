/* Opening: what is made, what is set aside, what is refused, and that what the
 * user made stays. */
#include "cachekit.h"

#include <fcntl.h>

static void put_thing(const char *name)
{
	struct merge *m = thing_begin("s", 1000);

	thing(m, name, "up", 1);
	end(m);
}

static void reopen_as(const struct registry *r, unsigned flags)
{
	cache_close(kit.c);
	kit.c = kit_open_as(r, flags);
	assert_int_equal(kit_aim(kit.c, 0), 0);
}

static void overwrite(const char *name, off_t at, const char *bytes, size_t n)
{
	int fd = open(kit_path(name), O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	close(fd);
}

static bool is_file(const char *name)
{
	return access(kit_path(name), F_OK) == 0;
}

static void files_are_the_users_alone(void **state)
{
	static const char *const names[] = { "cache", "data", "cache/cache.db",
	    "cache/cache.db-wal", "data/data.db" };
	struct stat st;
	size_t i;

	(void)state;
	put_thing("a");
	for (i = 0; i < 5; i++) {
		assert_int_equal(stat(kit_path(names[i]), &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
	}
	assert_false(cache_in_memory(kit.c));
	assert_string_equal(buf_str(&kit.note), "");
}

static void rows_are_there_after_a_restart(void **state)
{
	(void)state;
	put_thing("a");
	reopen_as(&test_registry, 0);
	assert_string_equal(ask("SELECT name FROM test_thing"), "a");
	assert_string_equal(buf_str(&kit.note), "");
}

static void a_file_that_is_none_is_set_aside(void **state)
{
	(void)state;
	put_thing("a");
	assert_true(journal_begin(kit.c, "here", "x", "y", &kit.err) > 0);
	cache_close(kit.c);
	overwrite("cache/cache.db", 0, "no database, no header, none", 28);
	kit_open(0);
	assert_non_null(strstr(buf_str(&kit.note), "cache.db.corrupt"));
	assert_true(is_file("cache/cache.db.corrupt"));
	assert_false(cache_in_memory(kit.c));
	assert_string_equal(ask("SELECT count(*) FROM test_thing"), "0");
	/* Said once. */
	put_thing("b");
	reopen_as(&test_registry, 0);
	assert_string_equal(buf_str(&kit.note), "");
	assert_string_equal(ask("SELECT name FROM test_thing"), "b");
	assert_string_equal(ask("SELECT count(*) FROM data.journal"), "1");
}

static void half_a_file_is_set_aside(void **state)
{
	(void)state;
	put_thing("a");
	cache_close(kit.c);
	assert_int_equal(truncate(kit_path("cache/cache.db"), 20480), 0);
	kit_open(0);
	assert_non_null(strstr(buf_str(&kit.note), "corrupt"));
	assert_string_equal(ask("SELECT count(*) FROM test_thing"), "0");
}

/* Damage inside is met when it is read; the next start renews the file. */
static void damage_inside_is_met_later(void **state)
{
	char page[4096];
	struct merge *m;
	int i, pages;
	char name[20];

	(void)state;
	m = thing_begin("s", 1000);
	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		thing(m, name, "up", i);
	}
	end(m);
	pages = (int)cache_int(kit.c, 0, "PRAGMA main.page_count");
	cache_close(kit.c);
	memset(page, 0x5a, sizeof(page));
	for (i = pages / 2; i < pages; i++)
		overwrite("cache/cache.db", (off_t)i * 4096, page,
		    sizeof(page));
	kit_open(0);
	ask("SELECT sum(length(name) + length(health)) FROM test_thing");
	assert_non_null(strstr(buf_str(&kit.out), "error"));
	assert_non_null(strstr(buf_str(&kit.out), "damaged"));
	reopen_as(&test_registry, 0);
	assert_non_null(strstr(buf_str(&kit.note), "corrupt"));
	assert_string_equal(ask("SELECT count(*) FROM test_thing"), "0");
}

static void a_newer_file_is_left_alone(void **state)
{
	(void)state;
	put_thing("a");
	assert_int_equal(cache_int(kit.c, 7, "PRAGMA main.user_version = 99"),
	    7);
	reopen_as(&test_registry, 0);
	assert_true(cache_in_memory(kit.c));
	assert_non_null(strstr(buf_str(&kit.note), "newer kiban"));
	put_thing("b");
	assert_string_equal(ask("SELECT name FROM test_thing"), "b");
	assert_false(is_file("cache/cache.db.corrupt"));
}

static void newer_data_is_never_written(void **state)
{
	(void)state;
	assert_int_equal(mute_put(kit.c, "here", "r", NULL, T0 + 5, "x",
	    &kit.err), 0);
	assert_int_equal(cache_int(kit.c, 7, "PRAGMA data.user_version = 99"),
	    7);
	reopen_as(&test_registry, 0);
	assert_non_null(strstr(buf_str(&kit.note), "data.db"));
	assert_int_equal(journal_begin(kit.c, "here", "x", "y", &kit.err), -1);
	assert_non_null(strstr(kit.err.text, "data.db"));
	assert_int_equal(mute_drop(kit.c, "here", "r", NULL, &kit.err), -1);
}

/* What the user made costs nothing of the cache, and is left as it was. */
static void damaged_data_costs_no_cache(void **state)
{
	static const char junk[8192] = "this is no database";

	(void)state;
	put_thing("a");
	cache_close(kit.c);
	overwrite("data/data.db", 0, junk, sizeof(junk));
	unlink(kit_path("data/data.db-wal"));
	for (int run = 0; run < 3; run++) {
		kit_open(0);
		assert_non_null(strstr(buf_str(&kit.note), "data.db"));
		assert_null(strstr(buf_str(&kit.note), "corrupt"));
		assert_non_null(strstr(cache_own_fault(kit.c), "damaged"));
		assert_int_equal(journal_begin(kit.c, "here", "x", "y",
		    &kit.err), -1);
		assert_string_equal(ask("SELECT name FROM test_thing"), "a");
		assert_false(is_file("cache/cache.db.damaged"));
		assert_false(is_file("cache/cache.db.corrupt"));
		cache_close(kit.c);
	}
	kit_open(0);
}

/* Met only when it is read: by a query that may as well read the cache. */
static void damage_inside_data_costs_no_cache(void **state)
{
	char page[4096];
	int pages;

	(void)state;
	put_thing("a");
	assert_true(journal_begin(kit.c, "here", "x", "y", &kit.err) > 0);
	pages = (int)cache_int(kit.c, 0, "PRAGMA data.page_count");
	cache_close(kit.c);
	memset(page, 0x5a, sizeof(page));
	for (int i = 1; i < pages; i++)
		overwrite("data/data.db", (off_t)i * 4096, page, sizeof(page));
	kit_open(0);
	ask("SELECT a.name, j.command FROM test_thing a, data.journal j");
	assert_non_null(strstr(buf_str(&kit.out), "data.db is damaged"));
	assert_int_equal(journal_begin(kit.c, "here", "x", "y", &kit.err), -1);
	assert_non_null(strstr(kit.err.text, "data.db is damaged"));
	assert_false(is_file("cache/cache.db.damaged"));
	assert_string_equal(ask("SELECT name FROM test_thing"), "a");
}

/* root writes where it likes: a file in the folder's place stops it too. */
static void a_folder_that_cant_be_made_is_said(void **state)
{
	char data[400], cache[400];
	int fd;

	(void)state;
	cache_close(kit.c);
	snprintf(cache, sizeof(cache), "%s/file/cache", kit.dir);
	snprintf(data, sizeof(data), "%s/file/data", kit.dir);
	fd = open(kit_path("file"), O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	buf_clear(&kit.note);
	kit.c = cache_open(cache, data, &test_registry, 0, &kit.note, &kit.err);
	assert_non_null(kit.c);
	assert_true(cache_in_memory(kit.c));
	assert_non_null(strstr(buf_str(&kit.note), "can't be written ("));
	assert_int_equal(kit_aim(kit.c, 0), 0);
	put_thing("a");
	assert_string_equal(ask("SELECT name FROM test_thing"), "a");
	assert_int_equal(journal_begin(kit.c, "here", "x", "y", &kit.err), -1);
}

static void a_changed_kind_is_begun_anew(void **state)
{
	(void)state;
	put_thing("a");
	reopen_as(&other_registry, 0);
	assert_string_equal(buf_str(&kit.note), "");
	assert_string_equal(ask("SELECT pool, colour FROM test_thing"), "");
	assert_string_equal(ask("SELECT count(*) FROM main.scope"), "0");
	reopen_as(&test_registry, 0);
	put_thing("b");
	assert_string_equal(ask("SELECT name FROM test_thing"), "b");
}

static void a_reader_changes_nothing(void **state)
{
	struct merge *m;

	(void)state;
	put_thing("a");
	reopen_as(&test_registry, CACHE_READ);
	assert_string_equal(ask("SELECT name FROM test_thing"), "a");
	m = thing_begin("s", 2000);
	thing(m, "b", "up", 1);
	assert_int_equal(merge_end(m, &kit.err), -1);
	assert_int_equal(journal_begin(kit.c, "here", "x", "y", &kit.err), -1);
	/* Of another shape: empty, and the file stays as it was. */
	reopen_as(&other_registry, CACHE_READ);
	assert_string_equal(ask("SELECT count(*) FROM test_thing"), "0");
	reopen_as(&test_registry, 0);
	assert_string_equal(ask("SELECT name FROM test_thing"), "a");
}

static void a_reader_makes_no_file(void **state)
{
	struct buf note = {0};
	struct cache *c;

	(void)state;
	c = cache_open(kit_path("none"), kit_path("nor"), &test_registry,
	    CACHE_READ, &note, &kit.err);
	assert_non_null(c);
	assert_string_equal(buf_str(&note), "");
	assert_false(is_file("none"));
	assert_false(is_file("nor"));
	cache_close(c);
}

static void the_journal_is_written_before_and_after(void **state)
{
	int64_t first, second;

	(void)state;
	clock_at(5000);
	first = journal_begin(kit.c, "here", "test do a", "a", &kit.err);
	second = journal_begin(kit.c, "here", "test do b", "b", &kit.err);
	assert_true(first > 0 && second > first);
	assert_int_equal(journal_end(kit.c, second, "failed", "no", &kit.err),
	    0);
	assert_string_equal(ask("SELECT t, context, command, target, result, "
	    "error FROM data.journal ORDER BY id"),
	    "@5000 here test do a a unknown -; "
	    "@5000 here test do b b failed no");
	assert_string_equal(ask("SELECT count(*) FROM data.journal WHERE "
	    "who LIKE '%_@_%'"), "2");
	reopen_as(&test_registry, 0);
	assert_string_equal(ask("SELECT count(*) FROM data.journal"), "2");
}

static void mutes_are_kept_and_dropped(void **state)
{
	(void)state;
	assert_int_equal(mute_put(kit.c, "here", "r", NULL, T0 + 9000, "x",
	    &kit.err), 0);
	assert_int_equal(mute_put(kit.c, "here", "r", "o", T0 + 9000, "y",
	    &kit.err), 0);
	assert_int_equal(mute_put(kit.c, "here", "r", "o", T0 + 8000, "z",
	    &kit.err), 0);
	assert_string_equal(ask("SELECT object, until, because FROM data.mute "
	    "ORDER BY object"), "- @9000 x; o @8000 z");
	assert_int_equal(mute_drop(kit.c, "here", "r", NULL, &kit.err), 1);
	assert_int_equal(mute_drop(kit.c, "here", "r", NULL, &kit.err), 0);
	assert_int_equal(mute_drop(kit.c, "here", "r", "o", &kit.err), 1);
}

static void finding_of(const char *name)
{
	struct merge *m = merge_begin(kit.c, &finding_kind, "here", "r",
	    T0 + 1000, 0);

	merge_text(m, "rule", "r", -1);
	merge_text(m, "object", name, -1);
	merge_text(m, "kind", "test_thing", -1);
	merge_text(m, "key", "{\"pool\":\"p\",\"name\":\"a\"}", -1);
	merge_text(m, "severity", "bad", -1);
	assert_int_equal(merge_row(m, &kit.err), 0);
	end(m);
}

static void a_status_is_the_worst_that_is_open(void **state)
{
	static const char *const status = "SELECT mark('test_thing', seen, "
	    "context, pool, name) FROM test_thing ORDER BY name";
	struct merge *m = thing_begin("s", 1000);

	(void)state;
	thing(m, "a", "up", 1);
	thing(m, "b", "up", 1);
	end(m);
	clock_at(2000);
	assert_string_equal(ask(status), "ok; ok");
	clock_at(17000);
	assert_string_equal(ask(status), "old; old");
	clock_at(2000);
	finding_of("a");
	assert_string_equal(ask(status), "bad; ok");
	assert_int_equal(mute_put(kit.c, "here", "r", "a", T0 + 9000, "x",
	    &kit.err), 0);
	assert_string_equal(ask(status), "ok; ok");
	clock_at(9000);
	assert_string_equal(ask(status), "bad; ok");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_up, kit_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_are_the_users_alone),
		TEST(rows_are_there_after_a_restart),
		TEST(a_file_that_is_none_is_set_aside),
		TEST(half_a_file_is_set_aside),
		TEST(damage_inside_is_met_later),
		TEST(a_newer_file_is_left_alone),
		TEST(newer_data_is_never_written),
		TEST(damaged_data_costs_no_cache),
		TEST(damage_inside_data_costs_no_cache),
		TEST(a_folder_that_cant_be_made_is_said),
		TEST(a_changed_kind_is_begun_anew),
		TEST(a_reader_changes_nothing),
		TEST(a_reader_makes_no_file),
		TEST(the_journal_is_written_before_and_after),
		TEST(mutes_are_kept_and_dropped),
		TEST(a_status_is_the_worst_that_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
