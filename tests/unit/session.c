/* Where a run's cache is when its folder can't be used: one for all threads,
 * gone at the end. */
#include "cachekit.h"

#include "session.h"

static struct session session_at(const char *cache)
{
	return (struct session){
		.registry = test_registry,
		.config.cache_dir = xstrdup(cache),
		.config.data_dir = xstrdup(kit_path("data")),
	};
}

static struct cache *connect_to(const struct session *s)
{
	struct cache *c = session_cache(s, &kit.err);

	if (!c)
		fail_msg("%s", kit.err.text);
	assert_int_equal(kit_aim(c, 0), 0);
	return c;
}

/* What one connection writes, another sees. */
static void two_share(struct session *s, char *was)
{
	struct cache *kept = kit.c, *other = connect_to(s);
	struct merge *m;
	struct stat st;
	char *dir;

	assert_non_null(s->run_dir);
	assert_ptr_equal(s->config.cache_dir, s->run_dir);
	assert_non_null(strstr(buf_str(&s->note), "this run keeps its own, "
	    "gone at its end"));
	assert_int_equal(stat(s->run_dir, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	kit.c = connect_to(s);
	m = thing_begin("s", 1000);
	thing(m, "a", "up", 1);
	end(m);
	assert_false(cache_in_memory(other));
	assert_string_equal(ask_of(other, "SELECT name FROM test_thing", 0),
	    "a");
	cache_close(kit.c);
	cache_close(other);
	kit.c = kept;
	dir = xstrdup(s->run_dir);
	session_release(s);
	assert_int_equal(stat(dir, &st), -1);
	free(dir);
	free(was);
	free(s->config.data_dir);
}

static void a_folder_that_cant_be_made(void **state)
{
	struct session s = session_at("/dev/null/kiban");
	char *was = s.config.cache_dir;

	(void)state;
	session_settle(&s);
	assert_non_null(strstr(buf_str(&s.note), "cache: /dev/null/kiban can't "
	    "be written (Not a directory)"));
	two_share(&s, was);
}

static void a_file_from_a_newer_kiban(void **state)
{
	struct session s = session_at(kit_path("cache"));
	char *was = s.config.cache_dir;

	(void)state;
	cache_int(kit.c, 0, "PRAGMA main.user_version = 99");
	session_settle(&s);
	assert_non_null(strstr(buf_str(&s.note), "newer kiban"));
	two_share(&s, was);
	assert_int_equal(access(kit_path("cache/cache.db"), F_OK), 0);
}

static void a_good_folder_stays(void **state)
{
	struct session s = session_at(kit_path("cache"));
	char *was = s.config.cache_dir;

	(void)state;
	session_settle(&s);
	assert_null(s.run_dir);
	assert_ptr_equal(s.config.cache_dir, was);
	assert_string_equal(buf_str(&s.note), "");
	session_release(&s);
	assert_int_equal(access(kit_path("cache/cache.db"), F_OK), 0);
	free(was);
	free(s.config.data_dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_up, kit_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_folder_that_cant_be_made),
		TEST(a_file_from_a_newer_kiban),
		TEST(a_good_folder_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
