/* Values: the types of CONTRACT.md, how they are read from what people type
 * and how they are written. Also the clock.
 *
 * Inside (SQL, cells): a time is an integer, ms since 1970 UTC; a duration is
 * seconds; a latency is ms; a size is bytes; a share is percent 0 to 100; a
 * bool is 1 or 0; list and object are JSON text.
 *
 * Numbers have a point in every locale as long as nobody sets LC_NUMERIC: the
 * top sets LC_CTYPE only. */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

enum type {
	TYPE_TEXT,
	TYPE_NUMBER,
	TYPE_BOOL,
	TYPE_TIME,
	TYPE_DURATION,
	TYPE_LATENCY,
	TYPE_SIZE,
	TYPE_SHARE,
	TYPE_LIST,
	TYPE_OBJECT,
	TYPE_ANY,	/* columns of `sql`: each cell as SQL gave it */
};
const char *type_name(enum type type);		/* "text", "number", … */
/* -1 when s names no type. */
int type_from_name(const char *s);
/* Numbers stand on the right. */
bool type_is_right(enum type type);

enum cell_tag { CELL_NULL, CELL_INT, CELL_REAL, CELL_TEXT };
struct cell {
	enum cell_tag	 tag;
	size_t		 n;	/* bytes of s */
	union {
		int64_t		 i;
		double		 d;
		const char	*s;	/* not NUL-terminated, may hold NULs */
	};
};
/* Int or real as a double; text and NULL are 0. */
double cell_number(struct cell c);

/* ms since 1970 UTC. KIBAN_NOW (RFC 3339) stands still in its place; a value
 * that can't be read is an error at the start: clock_init(). */
int clock_init(struct err *err);
int64_t clock_now(void);
/* ms of CLOCK_MONOTONIC: for time limits, never stopped by KIBAN_NOW. */
int64_t clock_mono(void);

/* What people type; see CONTRACT.md "Values typed in". ERR_USAGE. */
int value_duration(const char *s, int64_t *ms, struct err *err);
int value_size(const char *s, int64_t *bytes, struct err *err);
/* TIME; relative and bare clock times count from now; later than now is
 * ERR_USAGE. The zone is TZ's. */
int value_time(const char *s, int64_t now, int64_t *ms, struct err *err);
/* RFC 3339 with any offset and nothing else; digits below a millisecond are
 * dropped. -1 when s is none: of backends, so there is no error to say. */
int value_read_rfc3339(const char *s, int64_t *ms);

void value_rfc3339(struct buf *out, int64_t ms);	/* …T03:14:07.250Z */
/* Digits that read back the same, the fewest. NaN and infinite: "null". */
void value_number(struct buf *out, double d);
/* One JSON string with its quotes; see Formats for controls, bidi and bytes
 * that are not UTF-8. */
void value_json_text(struct buf *out, const char *s, size_t n);
/* The raw JSON value of a cell of that type (numbers are numbers, times are
 * strings, lists and objects as they are). */
void value_json(struct buf *out, enum type type, struct cell c);
/* The same for a YAML flow: a text stands plain where no reader takes it for
 * something else, and is !!binary where it isn't UTF-8. */
void value_yaml_text(struct buf *out, const char *s, size_t n);
void value_yaml(struct buf *out, enum type type, struct cell c);
/* As csv and tsv have it, before quoting: text and JSON as they are, NULL
 * nothing. */
void value_plain(struct buf *out, enum type type, struct cell c);

enum spelling {
	SPELL_SHORT,	/* the table column of Formats */
	SPELL_WIDE,
};
/* A cell as table or wide shows it, made harmless (text.h). Unknown is the
 * dash. decimals: of a number; 0 means none for whole numbers, one else. */
void value_show(struct buf *out, enum type type, int decimals,
    enum spelling spelling, struct cell c);
/* "5m", "3h", "2d" and "5m12s": of a duration in seconds. */
void value_ago(struct buf *out, double seconds, enum spelling spelling);

#endif
