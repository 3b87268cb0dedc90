/* Text as it may be shown. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "text.h"

static int plain_setup(void **state)
{
	(void)state;
	text_setup(false, false);
	return 0;
}

static void harmless(const char *s, size_t n, const char *want)
{
	struct buf b = {0};

	text_harmless(&b, s, n);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
}

static void marks(void **state)
{
	(void)state;
	harmless("\033]52;c;x\a", 9, "\\x1b]52;c;x\\x07");
	harmless("\0", 1, "\\x00");
	harmless("a\tb\r\n\x7f", 6, "a\\x09b\\x0d\\x0a\\x7f");
	harmless("\x9b" "31m", 4, "\\x9b31m");
	harmless("\xc2\x9b", 2, "\\u009b");
	harmless("\xe2\x80\xae" "abc", 6, "\\u202eabc");
	harmless("\xe2\x80\xa8\xe2\x80\xa9", 6, "\\u2028\\u2029");
	harmless("\xef\xbb\xbf", 3, "\\ufeff");
	harmless("\xf3\xa0\x80\x81", 4, "\\U000e0001");
	harmless("\xc0\xaf", 2, "\\xc0\\xaf");
	harmless("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
	harmless("\xe2\x82", 2, "\\xe2\\x82");
	harmless("基盤 é \\x1b", 14, "基盤 é \\x1b");
	harmless("👩\xe2\x80\x8d👧", 11, "👩\xe2\x80\x8d👧");
	harmless("❤\xef\xb8\x8f", 6, "❤\xef\xb8\x8f");
}

/* What comes out is valid UTF-8 of plain characters only, and making it
 * harmless again changes nothing. */
static void is_harmless(const char *s, size_t n)
{
	struct buf once = {0}, twice = {0};
	unsigned c = 0;
	int k;

	text_harmless(&once, s, n);
	for (size_t at = 0; at < once.n; at += (size_t)k) {
		k = text_char(once.p + at, once.n - at, &c);
		assert_true(k > 0);
		assert_true(text_is_plain(c));
		assert_true(c >= 0x20 && c != 0x7f);
		assert_false(c >= 0x80 && c <= 0x9f);
	}
	text_harmless(&twice, buf_str(&once), once.n);
	assert_string_equal(buf_str(&once), buf_str(&twice));
	assert_true(text_width(buf_str(&once), once.n) >= 0);
	buf_free(&once);
	buf_free(&twice);
}

static void every_byte_is_harmless(void **state)
{
	char s[3];

	(void)state;
	for (int a = 0; a < 256; a++) {
		s[0] = (char)a;
		is_harmless(s, 1);
		for (int b = 0; b < 256; b++) {
			s[1] = (char)b;
			s[2] = 'm';
			is_harmless(s, 3);
		}
	}
	for (size_t k = 0; k < NHOSTILE; k++)
		is_harmless(hostile[k].s, hostile[k].n);
}

static void chars(void **state)
{
	struct buf b = {0};
	unsigned c, back = 0;
	long n = 0;

	(void)state;
	for (c = 0; c <= 0x10ffff; c++) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		buf_clear(&b);
		text_add_char(&b, c);
		assert_int_equal(text_char(b.p, b.n, &back), (int)b.n);
		assert_int_equal(back, c);
		if (b.n > 1)
			assert_int_equal(text_char(b.p, b.n - 1, &back), 0);
		n++;
	}
	assert_int_equal(n, 0x110000 - 0x800);
	assert_int_equal(text_char("", 0, &c), 0);
	assert_int_equal(text_char("\xf5\x80\x80\x80", 4, &c), 0);
	assert_int_equal(text_char("\x80", 1, &c), 0);
	buf_free(&b);
}

static int width(const char *s)
{
	return text_width(s, strlen(s));
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(width(""), 0);
	assert_int_equal(width("abc"), 3);
	assert_int_equal(width("基盤"), 4);
	assert_int_equal(width("ｶﾞ"), 2);
	assert_int_equal(width("e\xcc\x81"), 1);
	assert_int_equal(width("😀"), 2);
	assert_int_equal(width("▁▇…–→"), 5);
	text_setup(false, true);
	assert_int_equal(width("▁▇…–→"), 10);
	assert_int_equal(width("é"), 2);
	assert_int_equal(width("À"), 1);	/* neutral, not ambiguous */
	assert_int_equal(width("⣀⣿"), 2);
	assert_int_equal(width("基盤"), 4);
	assert_int_equal(width("e\xcc\x81"), 1);
	assert_int_equal(width("abc"), 3);
}

static void fit(const char *s, int w, enum cut cut, bool right,
    const char *want)
{
	struct buf b = {0};

	text_fit(&b, s, strlen(s), w, cut, right);
	assert_string_equal(buf_str(&b), want);
	assert_int_equal(text_width(buf_str(&b), b.n), w);
	buf_free(&b);
}

static void fits(void **state)
{
	(void)state;
	fit("abc", 5, CUT_END, false, "abc  ");
	fit("abc", 5, CUT_END, true, "  abc");
	fit("abcdef", 4, CUT_END, false, "abc…");
	fit("abcdef", 6, CUT_END, false, "abcdef");
	fit("abcdef", 1, CUT_END, false, "…");
	fit("abcdef", 0, CUT_END, false, "");
	fit("", 2, CUT_END, false, "  ");
	fit("arn:aws:x/orders", 9, CUT_MIDDLE, false, "arn:…ders");
	fit("arn:aws:x/orders", 10, CUT_MIDDLE, false, "arn:a…ders");
	fit("基盤基盤", 4, CUT_END, false, "基… ");
	fit("基盤基盤", 5, CUT_END, false, "基盤…");
	fit("基盤基盤", 5, CUT_END, true, "基盤…");
	fit("基盤基盤", 6, CUT_MIDDLE, false, "基…盤 ");
	fit("基盤", 1, CUT_END, false, "…");
	/* Clusters stay whole: a mark with its letter, a family, a flag. */
	fit("ae\xcc\x81xyz", 3, CUT_END, false, "ae\xcc\x81…");
	fit("ae\xcc\x81xyz", 2, CUT_END, false, "a…");
	fit("👩\xe2\x80\x8d👧xyz", 4, CUT_END, false, "…   ");
	fit("👩\xe2\x80\x8d👧xyz", 5, CUT_END, false, "👩\xe2\x80\x8d👧…");
	fit("xyz👩\xe2\x80\x8d👧", 6, CUT_MIDDLE, false, "xyz…  ");
	fit("🇯🇵🇯🇵ab", 4, CUT_END, false, "🇯🇵… ");
	text_setup(true, false);
	fit("abcdef", 4, CUT_END, false, "ab..");
	fit("abcdef", 2, CUT_END, false, "..");
	fit("abcdef", 1, CUT_END, false, ".");
	fit("abcdefgh", 6, CUT_MIDDLE, false, "ab..gh");
}

/* Any text, any width, both cuts: exactly that many cells of valid text. */
static void fits_always(void **state)
{
	struct buf b = {0}, out = {0};
	unsigned c;

	(void)state;
	for (int setup = 0; setup < 3; setup++) {
		text_setup(setup == 1, setup == 2);
		for (size_t k = 0; k < NHOSTILE; k++) {
			buf_clear(&b);
			text_harmless(&b, hostile[k].s, hostile[k].n);
			for (int w = 0; w < 24; w++) {
				for (int how = 0; how < 4; how++) {
					buf_clear(&out);
					text_fit(&out, buf_str(&b), b.n, w,
					    how & 1 ? CUT_MIDDLE : CUT_END,
					    how & 2);
					assert_int_equal(text_width(
					    buf_str(&out), out.n), w);
					for (size_t at = 0; at < out.n;) {
						int n = text_char(out.p + at,
						    out.n - at, &c);

						assert_true(n > 0);
						at += (size_t)n;
					}
				}
			}
		}
	}
	buf_free(&b);
	buf_free(&out);
}

static void fits_piles_and_lengths(void **state)
{
	struct buf b = {0}, out = {0};
	int cells;

	(void)state;
	buf_addc(&b, 'e');
	for (int k = 0; k < 100000; k++)
		buf_adds(&b, "\xcc\x81");
	buf_adds(&b, "xyz");
	text_fit(&out, b.p, b.n, 3, CUT_END, false);
	assert_int_equal(text_width(out.p, out.n), 3);
	assert_int_equal(text_fits(b.p, b.n, 1, &cells), 200001);
	assert_int_equal(cells, 1);
	buf_clear(&out);
	text_fit(&out, b.p, b.n, 3, CUT_MIDDLE, false);
	assert_int_equal(text_width(out.p, out.n), 3);
	buf_clear(&b);
	for (int k = 0; k < 1000000; k++)
		buf_adds(&b, "基");
	buf_clear(&out);
	text_fit(&out, b.p, b.n, 20, CUT_MIDDLE, false);
	assert_int_equal(text_width(out.p, out.n), 20);
	assert_int_equal(text_width(b.p, b.n), 2000000);
	buf_free(&b);
	buf_free(&out);
}

static void spark(const char *want, size_t n, const double *v)
{
	struct buf b = {0};

	text_spark(&b, v, n);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
}

static void sparks(void **state)
{
	const double rise[] = { 0, 1, 2, 3, 4, 5, 6 };
	const double gap[] = { 3, NAN, 3, 0 }, flat[] = { 0, 0 };
	const double odd[] = { -1, 0, 1, INFINITY, -INFINITY };
	const double huge[] = { -1.7e308, 1.7e308 };

	(void)state;
	spark("▁▂▃▄▅▆▇", 7, rise);
	spark("▇ ▇▁", 4, gap);
	spark("▁▁", 2, flat);
	spark("▁▄▇▇▁", 5, odd);
	spark("▁▇", 2, huge);
	spark("", 0, rise);
	text_setup(false, true);
	spark("⣀⣤⣤⣶⣶⣿⣿", 7, rise);
	text_setup(true, false);
	spark("0235689", 7, rise);
}

static void glyphs(void **state)
{
	(void)state;
	assert_string_equal(text_glyph(GLYPH_MORE), "…");
	text_setup(false, true);
	assert_string_equal(text_glyph(GLYPH_DASH), "-");
	text_setup(true, false);
	assert_true(text_ascii());
	assert_false(text_wide());
	for (int g = GLYPH_MORE; g <= GLYPH_CRUMB; g++)
		for (const char *p = text_glyph((enum glyph)g); *p; p++)
			assert_true(*p > 0x20 && *p < 0x7f);
}

static void nearest(void **state)
{
	static const char *const names[] = { "services", "proxies", "routes",
	    "clusters", "endpoints", "certs", "--context", "--columns", NULL };
	static const char *const none[] = { NULL };
	char long_one[200];

	(void)state;
	assert_string_equal(text_nearest("sevices", names), "services");
	assert_string_equal(text_nearest("serivces", names), "services");
	assert_string_equal(text_nearest("Proxies", names), "proxies");
	assert_string_equal(text_nearest("prox", names), "proxies");
	assert_string_equal(text_nearest("cert", names), "certs");
	assert_string_equal(text_nearest("--colums", names), "--columns");
	assert_string_equal(text_nearest("endpionts", names), "endpoints");
	assert_null(text_nearest("zebra", names));
	assert_null(text_nearest("", names));
	assert_null(text_nearest("a", none));
	memset(long_one, 's', sizeof long_one - 1);
	long_one[sizeof long_one - 1] = '\0';
	assert_null(text_nearest(long_one, names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(marks, plain_setup),
		cmocka_unit_test_setup(every_byte_is_harmless, plain_setup),
		cmocka_unit_test_setup(chars, plain_setup),
		cmocka_unit_test_setup(widths, plain_setup),
		cmocka_unit_test_setup(fits, plain_setup),
		cmocka_unit_test_setup(fits_always, plain_setup),
		cmocka_unit_test_setup(fits_piles_and_lengths, plain_setup),
		cmocka_unit_test_setup(sparks, plain_setup),
		cmocka_unit_test_setup(glyphs, plain_setup),
		cmocka_unit_test_setup(nearest, plain_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
