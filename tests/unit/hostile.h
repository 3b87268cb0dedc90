/* Texts as a hostile or broken backend sends them. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stddef.h>

struct hostile {
	const char	*s;
	size_t		 n;
};
#define HOSTILE(s) { s, sizeof (s) - 1 }

static const struct hostile hostile[] = {
	HOSTILE(""),
	HOSTILE(" "),
	HOSTILE("plain"),
	HOSTILE("\0"),
	HOSTILE("a\0b\0"),
	HOSTILE("\033]52;c;aGVsbG8=\a"),		/* clipboard */
	HOSTILE("\033]0;title\033\\"),
	HOSTILE("\033]8;;http://x\033\\link\033]8;;\033\\"),
	HOSTILE("\033P+q544e\033\\"),			/* DCS */
	HOSTILE("\033_G\033\\\033^x\033\\"),		/* APC, PM */
	HOSTILE("\033[6n\033[31m\033[2J\033[?1049h"),	/* CSI */
	HOSTILE("\033]52;c;unterminated"),
	HOSTILE("\2331;31m"),				/* C1 as bytes */
	HOSTILE("\235" "0;x\234\220q\234"),
	HOSTILE("\xc2\x9b" "31m\xc2\x9d" "0;x\xc2\x9c"),/* C1 as UTF-8 */
	HOSTILE("\xc2\x85next line"),
	HOSTILE("\xe2\x80\xae" "cod.exe\xe2\x80\xac"),	/* bidi override */
	HOSTILE("\xe2\x81\xa6iso\xe2\x81\xa9\xd8\x9c\xe2\x80\x8f"),
	HOSTILE("\xc0\xaf\xc1\xbf\xe0\x80\xaf\xf0\x80\x80\xaf"), /* overlong */
	HOSTILE("\xc0\x80\xe0\x9b\xc0\x9b"),		/* overlong NUL, ESC */
	HOSTILE("\xed\xa0\x80\xed\xbf\xbf\xed\xa0\xbd\xed\xb8\x80"),
	HOSTILE("\xf4\x90\x80\x80\xf8\x88\x80\x80\x80\xfe\xff"),
	HOSTILE("\xe2\x82"),				/* cut off */
	HOSTILE("\x80\xbf\xc3"),
	HOSTILE("over\rwritten\r\n"),
	HOSTILE("a\nb\tc\vd\fe\bf\x7f"),
	HOSTILE("\xe2\x80\xa8LS\xe2\x80\xa9PS"),
	HOSTILE("\xef\xbb\xbf" "BOM\xef\xbf\xbe\xef\xbf\xbf"),
	HOSTILE("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d"
	    "\xf0\x9f\x91\xa7"),			/* ZWJ family */
	HOSTILE("\xf0\x9f\x87\xaf\xf0\x9f\x87\xb5"),	/* a flag */
	HOSTILE("e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86\xcc\x87"),
	HOSTILE("\xcc\x81 begins with a mark"),
	HOSTILE("\xe5\x9f\xba\xe7\x9b\xa4\xef\xbd\xb6"),	/* wide, halfwidth */
	HOSTILE("\xf3\xa0\x80\x81\xf3\xa0\x81\xa8"),	/* tags */
	HOSTILE("\xe2\x80\x8b\xe2\x81\xa0\xc2\xad"),	/* not to be seen */
	HOSTILE("\"quoted\", \\back\\slash, 'single'"),
	HOSTILE("=1+1"), HOSTILE("-"), HOSTILE("- a"), HOSTILE("a: b"),
	HOSTILE("#x"), HOSTILE("a #b"), HOSTILE("&a"), HOSTILE("*a"),
	HOSTILE("!!str a"), HOSTILE("|"), HOSTILE(">"), HOSTILE("%a"),
	HOSTILE("@a"), HOSTILE("`a`"), HOSTILE("{}"), HOSTILE("[a, b]"),
	HOSTILE("{a: b}"), HOSTILE("? a"), HOSTILE("---"), HOSTILE("..."),
	HOSTILE("null"), HOSTILE("Null"), HOSTILE("~"), HOSTILE("true"),
	HOSTILE("NO"), HOSTILE("y"), HOSTILE("off"), HOSTILE("1"),
	HOSTILE("-1.5"), HOSTILE("0x1f"), HOSTILE("1e3"), HOSTILE(".inf"),
	HOSTILE("nan"), HOSTILE("1_000"), HOSTILE("12:30:45"), HOSTILE("<<"),
	HOSTILE("="), HOSTILE("2026-11-23"), HOSTILE("0o17"), HOSTILE("+1"),
	HOSTILE("2026-11-23T03:14:07Z"), HOSTILE("trailing "),
	HOSTILE("%s%n%x"), HOSTILE("\\x1b[31m"), HOSTILE("\\u202e"),
};
#define NHOSTILE (sizeof hostile / sizeof *hostile)

#endif
