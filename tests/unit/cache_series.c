/* Series: what goes in by merges comes out by rate() and its like, fresh,
 * folded and rolled up; and the packing alone, also of bytes that are none. */
#include "cachekit.h"

#include <math.h>

#include "cache_fold.h"

/* ---- packing ------------------------------------------------------------ */

#define SLOTS	40
#define TIMES	70
#define COLUMNS	3	/* two numbers, one histogram */

static const struct shape shape = { 2, 1 };

static struct hist *hist(struct arena *a, size_t n, uint64_t base)
{
	struct hist *h = arena_alloc(a, sizeof(*h) + n * sizeof(struct bin));
	size_t i;

	h->n = n;
	h->v = (struct bin *)(h + 1);
	for (i = 0; i < n; i++)
		h->v[i] = (struct bin){ (double)i * 0.1 + 0.3, base + i };
	return h;
}

/* Numbers of every sort: none, zero, whole, decimal, huge, tiny, negative. */
static double odd_number(size_t slot, size_t i)
{
	static const double some[] = { 0, 1, -1, 0.001, 12.345, 1e15, 1e300,
	    -2.5e-8, 9007199254740993.0, INFINITY, 0.1 };

	switch (slot % 8) {
	case 0:
		return (double)(i * 1000 + slot);	/* a counter */
	case 1:
		return (double)(i / 10 * 100);		/* steps */
	case 2:
		return i % 7 ? (double)i : NAN;
	case 3:
		return some[(i + slot) % 11];
	case 4:
		return (double)(i * i % 17) / 1000;
	case 5:
		return 5;
	case 6:
		return i % 2 ? 1e12 : -1e12;
	}
	return NAN;
}

static void fill_frame(union sample *v, size_t i, struct arena *a)
{
	size_t slot;

	for (slot = 0; slot < SLOTS; slot++, v += COLUMNS) {
		v[0].d = odd_number(slot, i);
		v[1].d = odd_number(slot + 3, i * 3);
		v[2].h = slot % 4 == 3 ? NULL : hist(a, slot % 4 == 2 ?
		    i % 5 : slot % 6 + i / 20, i * slot);
	}
}

static void same_number(double a, double b)
{
	if (isnan(a) && isnan(b))
		return;
	assert_memory_equal(&a, &b, sizeof(a));
}

static void same_hist(const struct hist *a, const struct hist *b)
{
	assert_true(!a == !b);
	if (!a)
		return;
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->v, b->v, a->n * sizeof(*a->v));
}

static void a_frame_gives_back_what_was_put_in(void **state)
{
	static union sample in[SLOTS * COLUMNS], all[PART_SLOTS * COLUMNS], one;
	struct arena a = {0};
	struct buf b = {0};
	size_t i, n;

	(void)state;
	fill_frame(in, 13, &a);
	frame_pack(&b, shape, SLOTS, in);
	assert_true(frame_all((uint8_t *)b.p, b.n, shape, &a, all, &n));
	assert_int_equal(n, SLOTS);
	for (i = 0; i < SLOTS * COLUMNS; i++) {
		assert_true(frame_get((uint8_t *)b.p, b.n, shape, i / COLUMNS,
		    i % COLUMNS, &a, &one));
		if (i % COLUMNS == 2) {
			same_hist(in[i].h, one.h);
			same_hist(in[i].h, all[i].h);
		} else {
			same_number(in[i].d, one.d);
			same_number(in[i].d, all[i].d);
		}
	}
	assert_true(frame_get((uint8_t *)b.p, b.n, shape, SLOTS + 5, 0, &a,
	    &one));
	assert_true(isnan(one.d));
	arena_free(&a);
	buf_free(&b);
}

static void make_block(struct buf *b, struct arena *a,
    union sample (*in)[SLOTS * COLUMNS], int64_t *t)
{
	union sample *rows[TIMES];
	size_t i;

	for (i = 0; i < TIMES; i++) {
		fill_frame(in[i], i, a);
		rows[i] = in[i];
		t[i] = T0 + (int64_t)i * 5000 + (int64_t)(i * i % 13);
	}
	block_pack(b, shape, SLOTS, t, rows, TIMES);
}

static void a_block_gives_back_what_was_put_in(void **state)
{
	static union sample in[TIMES][SLOTS * COLUMNS], out[TIMES];
	int64_t t[TIMES], times[TIMES];
	struct arena a = {0};
	struct buf b = {0};
	size_t i, k;

	(void)state;
	make_block(&b, &a, in, t);
	assert_int_equal(block_times((uint8_t *)b.p, b.n, times, TIMES), TIMES);
	assert_memory_equal(t, times, sizeof(t));
	for (k = 0; k < SLOTS * COLUMNS; k++) {
		block_get((uint8_t *)b.p, b.n, shape, k / COLUMNS, k % COLUMNS,
		    &a, out, TIMES);
		for (i = 0; i < TIMES; i++) {
			if (k % COLUMNS == 2)
				same_hist(in[i][k].h, out[i].h);
			else
				same_number(in[i][k].d, out[i].d);
		}
	}
	assert_false(block_get((uint8_t *)b.p, b.n, shape, 900, 0, &a, out,
	    TIMES));
	assert_true(isnan(out[0].d));
	arena_free(&a);
	buf_free(&b);
}

/* Any byte may be wrong, and the end missing: nothing is read outside (the
 * sanitiser says so), and it always ends. */
static void damaged_bytes_harm_nobody(void **state)
{
	static union sample in[TIMES][SLOTS * COLUMNS], out[TIMES],
	    all[PART_SLOTS * COLUMNS];
	int64_t t[TIMES], times[TIMES];
	struct buf block = {0}, frame = {0};
	struct arena a = {0}, scratch = {0};
	uint8_t *copy;
	size_t i, n, slot, count;

	(void)state;
	make_block(&block, &a, in, t);
	frame_pack(&frame, shape, SLOTS, in[20]);
	srand(7);
	for (i = 0; i < 4000; i++) {
		struct buf *b = i % 2 ? &block : &frame;

		n = i % 5 ? b->n : (size_t)rand() % b->n;
		copy = xmalloc(n + 1);
		memcpy(copy, b->p, n);
		if (n)
			copy[(size_t)rand() % n] ^= (uint8_t)(1 << rand() % 8);
		if (n && i % 3 == 0)
			copy[(size_t)rand() % (n < 60 ? n : 60)] =
			    (uint8_t)rand();
		copy = xrealloc(copy, n ? n : 1, 1);
		slot = (size_t)rand() % (SLOTS + 3);
		if (b == &frame) {
			frame_all(copy, n, shape, &scratch, all, &count);
			frame_get(copy, n, shape, slot, i % 3, &scratch, out);
		} else {
			block_times(copy, n, times, TIMES);
			block_get(copy, n, shape, slot, i % 3, &scratch, out,
			    TIMES);
		}
		free(copy);
		arena_free(&scratch);
	}
	arena_free(&a);
	buf_free(&block);
	buf_free(&frame);
}

/* ---- polls -------------------------------------------------------------- */

/* One poll of two things; NAN leaves the value out. */
static void poll(int64_t ms, double rq, double active)
{
	struct merge *m = thing_begin("s", ms);
	struct bin bins[2] = { { 10, (uint64_t)(ms / 1000) },
	    { 20, (uint64_t)(ms / 5000) } };

	merge_real(m, "rq", rq);
	merge_real(m, "active", active);
	merge_bins(m, "took", bins, 2);
	thing(m, "a", "up", 1);
	merge_real(m, "rq", 5);
	thing(m, "b", "up", 1);
	end(m);
}

#define OF_A " FROM test_thing WHERE name = 'a'"

static void counters_grow(void **state)
{
	int i;

	(void)state;
	for (i = 0; i <= 24; i++)
		poll(i * 5000, i * 50, i % 3);
	clock_at(120000);
	assert_string_equal(ask("SELECT rate(series, 'rq', 60), "
	    "delta(series, 'rq', 60), delta(series, 'rq', 60, 30)" OF_A),
	    "10 600 600");
	assert_string_equal(ask("SELECT rate(series, 'rq', 60), "
	    "delta(series, 'rq', 60) FROM test_thing WHERE name = 'b'"), "0 0");
	assert_string_equal(ask("SELECT delta(series, 'active', 10)" OF_A),
	    "-1");
	assert_string_equal(ask("SELECT span(series, 60), span(series, 3600)"
	    OF_A), "55 120");
	assert_string_equal(ask("SELECT rq, active" OF_A), "1200 0");
	/* Without two samples nothing is known. */
	clock_at(10000000);
	assert_string_equal(ask("SELECT rate(series, 'rq', 60), "
	    "span(series, 60)" OF_A), "- 0");
}

static void a_restart_is_no_spike(void **state)
{
	int i;

	(void)state;
	for (i = 0; i <= 12; i++)
		poll(i * 5000, i < 6 ? 1000000 + i * 50 : (i - 6) * 50, 1);
	clock_at(60000);
	/* 5 steps before, 6 after; the one between isn't known. */
	assert_string_equal(ask("SELECT delta(series, 'rq', 60), "
	    "rate(series, 'rq', 60)" OF_A), "550 10");
	assert_string_equal(ask("SELECT spark(series, 'rq', 60, 12)" OF_A),
	    "[10,10,10,10,10,null,10,10,10,10,10,10]");
}

static void a_row_that_was_away_is_no_spike(void **state)
{
	struct merge *m;
	int i;

	(void)state;
	for (i = 0; i <= 12; i++) {
		if (i != 5) {
			poll(i * 5000, i < 5 ? i : 5000 + i, 1);
			continue;
		}
		m = thing_begin("s", i * 5000);
		thing(m, "b", "up", 1);
		end(m);
	}
	clock_at(60000);
	assert_string_equal(ask("SELECT delta(series, 'rq', 60)" OF_A), "10");
}

static void sparks_have_null_where_nobody_fetched(void **state)
{
	int i;

	(void)state;
	for (i = 0; i <= 60; i++)
		if (i < 20 || i > 40)
			poll(i * 5000, i * 50, 4 + i % 2 * 2);
	clock_at(300000);
	assert_string_equal(ask("SELECT spark(series, 'rq', 300, 5), "
	    "spark(series, 'active', 300, 5)" OF_A),
	    "[10,10,null,10,10] [5,5.142857142857143,null,5,5]");
}

static void histograms_grow_and_sum(void **state)
{
	int i;

	(void)state;
	for (i = 0; i <= 24; i++)
		poll(i * 5000, i, 1);
	clock_at(120000);
	assert_string_equal(ask("SELECT samples(bins(series, 'took', 60))"
	    OF_A), "72");
	/* 60 of 72 lie in 10 to 11, the rest in 20 to 21; and nothing of b. */
	assert_string_equal(ask("SELECT quantile(0.5, bins(series, 'took', "
	    "60)), quantile(0, bins(series, 'took', 60)), "
	    "quantile(1, bins(series, 'took', 60)) FROM test_thing"),
	    "10.6 10 21");
	assert_string_equal(ask("SELECT quantile(0.5, NULL)"), "-");
	assert_string_equal(ask("SELECT bins(series, 'took', 60) IS NULL FROM "
	    "test_thing WHERE name = 'b'"), "1");
	assert_string_equal(ask("SELECT samples(bins(series, 'took', 3600)), "
	    "samples(bins(series, 'took', 30, 30))" OF_A), "144 36");
}

static void fields_that_are_none_are_errors(void **state)
{
	(void)state;
	poll(1000, 1, 1);
	assert_non_null(strstr(ask("SELECT rate(series, 'nope', 60)" OF_A),
	    "no metric \"nope\""));
	assert_non_null(strstr(ask("SELECT rate(series, 'took', 60)" OF_A),
	    "bins()"));
	assert_non_null(strstr(ask("SELECT bins(series, 'rq', 60)" OF_A),
	    "no histogram"));
	assert_non_null(strstr(ask("SELECT spark(series, 'rq', 60, 0)" OF_A),
	    "error"));
	assert_string_equal(ask("SELECT rate(NULL, 'rq', 60), "
	    "rate(77, 'rq', 60), rate(series, 'rq', -1)" OF_A), "- - -");
}

static void the_past_has_its_metrics(void **state)
{
	int i;

	(void)state;
	for (i = 0; i <= 24; i++)
		poll(i * 5000, i * 50, i);
	clock_at(500000);
	look_at(62000);
	assert_string_equal(ask("SELECT rq, active, seen, "
	    "rate(series, 'rq', 60)" OF_A), "600 12 @60000 10");
}

/* ---- folding ------------------------------------------------------------ */

static void tend(void)
{
	if (cache_tend(kit.c, INT64_C(30) * 86400000, INT64_C(2000000000), NULL,
	    &kit.err) < 0)
		fail_msg("%s", kit.err.text);
}

static void folding_changes_no_answer(void **state)
{
	static const char *const asks[] = {
		"SELECT rate(series, 'rq', 60), delta(series, 'rq', 600), "
		"spark(series, 'active', 900, 15), "
		"samples(bins(series, 'took', 600))" OF_A,
		"SELECT group_concat(value) FROM sample WHERE kind = "
		"'test_thing' AND field = 'active' AND "
		"key = '{\"pool\":\"p\",\"name\":\"a\"}'",
		"SELECT count(*), sum(value), min(t), max(t) FROM sample",
	};
	char *before[3];
	int i, k;

	(void)state;
	for (i = 0; i <= 200; i++)
		poll(i * 5000, i % 90 * 50, i % 7 + 0.5);
	clock_at(1000000);
	for (k = 0; k < 3; k++)
		before[k] = xstrdup(ask(asks[k]));
	tend();
	assert_string_equal(ask("SELECT count(*) FROM main.block"), "5");
	for (k = 0; k < 3; k++) {
		assert_string_equal(ask(asks[k]), before[k]);
		free(before[k]);
	}
	/* Minutes are there already, and each is whole. */
	assert_string_equal(ask("SELECT count(*) FROM main.frame WHERE "
	    "res = 1"), "15");
	/* A second time there's nothing to do. */
	tend();
	assert_string_equal(ask("SELECT count(*) FROM main.block"), "5");
}

static void rollups_take_over_with_age(void **state)
{
	int64_t t;

	(void)state;
	/* Three days, a poll a minute: a rate of one in a second. */
	for (t = 0; t <= 3 * 86400; t += 60) {
		poll(t * 1000, (double)t, (double)(t / 60 % 3));
		if (t % 3600 == 0) {
			clock_at(t * 1000);
			tend();
		}
	}
	clock_at(3 * 86400000);
	tend();
	/* Raw for two hours, minutes for two days, quarters beyond. */
	assert_string_equal(ask("SELECT min(t0) > 1764000000000 + 70 * "
	    "3600000 - 14400000 FROM main.block WHERE res = 0"), "1");
	assert_string_equal(ask("SELECT sum(n) BETWEEN 100 AND 200 FROM "
	    "(SELECT n FROM main.block WHERE res = 0 UNION ALL SELECT 1 FROM "
	    "main.frame WHERE res = 0)"), "1");
	assert_string_equal(ask("SELECT min(t0) >= 1764000000000 + 86400000 "
	    "- 3600000 FROM main.block WHERE res = 1"), "1");
	look_at(3 * 86400000 - 60000);
	assert_string_equal(ask("SELECT rate(series, 'rq', 60), "
	    "rate(series, 'rq', 3600)" OF_A), "1 1");
	look_at(2 * 86400000);
	assert_string_equal(ask("SELECT rate(series, 'rq', 60), rq, "
	    "delta(series, 'rq', 600)" OF_A), "1 172800 600");
	look_at(86400000 / 2);
	assert_string_equal(ask("SELECT rate(series, 'rq', 60), "
	    "delta(series, 'rq', 3600), samples(bins(series, 'took', 3600)), "
	    "spark(series, 'active', 3600, 2)" OF_A),
	    "1 3600 4320 [1,1]");
	look_at(0);
	assert_string_equal(ask("SELECT rate(series, 'rq', 200000)" OF_A), "1");
}

static void samples_can_be_asked_for(void **state)
{
	(void)state;
	poll(1000, 1, 0.5);
	poll(6000, 2, 1.5);
	clock_at(6000);
	assert_string_equal(ask("SELECT context, kind, key, field, t, value "
	    "FROM sample WHERE field = 'rq' AND t > 1764000001000 "
	    "ORDER BY key"), "here test_thing {\"pool\":\"p\",\"name\":\"a\"} "
	    "rq @6000 2; here test_thing {\"pool\":\"p\",\"name\":\"b\"} "
	    "rq @6000 5");
	assert_string_equal(ask("SELECT count(*) FROM sample WHERE "
	    "context = 'there'"), "0");
	assert_string_equal(ask("SELECT count(*) FROM sample WHERE "
	    "kind = 'finding'"), "0");
	assert_string_equal(ask("SELECT count(*) FROM sample WHERE t < 5"),
	    "0");
	assert_string_equal(ask("SELECT t FROM sample WHERE value = 1.5"),
	    "@6000");
	assert_string_equal(ask("SELECT value FROM sample WHERE "
	    "key = 'no json'"), "");
	/* A row that is gone has left its samples. */
	end(thing_begin("s", 7000));
	clock_at(8000);
	assert_string_equal(ask("SELECT count(*) FROM sample WHERE "
	    "field = 'active'"), "2");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_up, kit_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_gives_back_what_was_put_in),
		cmocka_unit_test(a_block_gives_back_what_was_put_in),
		cmocka_unit_test(damaged_bytes_harm_nobody),
		TEST(counters_grow),
		TEST(a_restart_is_no_spike),
		TEST(a_row_that_was_away_is_no_spike),
		TEST(sparks_have_null_where_nobody_fetched),
		TEST(histograms_grow_and_sum),
		TEST(fields_that_are_none_are_errors),
		TEST(the_past_has_its_metrics),
		TEST(folding_changes_no_answer),
		TEST(rollups_take_over_with_age),
		TEST(samples_can_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
