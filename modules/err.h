/* What went wrong, as one complete phrase and one code.
 *
 * An expected failure fills the caller's struct err and returns -1 (or NULL):
 *
 *	return err_set(err, ERR_DATA, "envoy: no \"configs\" in %s", url);
 *
 * The text names the thing, the place and, where there is one, the remedy; it
 * has no newline and no full stop. Outer layers may err_prefix() it. Nobody
 * prints before the top does. A code exists only because somebody branches on
 * it: the top maps it to the exit code. */
#ifndef ERR_H
#define ERR_H

#include <stdint.h>

enum err_code {
	ERR_NONE = 0,
	ERR_FAILED,		/* the work failed as a whole: exit 1 */
	ERR_USAGE,		/* refused before anything was done: exit 2 */
	ERR_REFUSED,		/* 401, 403, read-only context: exit 4 */
	ERR_UNREACHABLE,	/* no answer: exit 6 */
	ERR_DATA,		/* an answer that can't be used: exit 1 */
	ERR_THROTTLED,		/* 429, 503: come back after retry_after */
	ERR_CANCELLED,		/* the task was asked to stop: exit 130 */
};

struct err {
	enum err_code	code;
	int64_t		retry_after;	/* ms, with ERR_THROTTLED; else 0 */
	char		text[1000];
};

/* Fills err (which may be NULL) and returns -1. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "fmt: " before the text; returns -1. */
int err_prefix(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A broken invariant or memory that can't be had ends the process, after
 * at_death() has been called once: the screen gives the terminal back there. */
#define BUG(...) bug(__FILE__, __LINE__, __VA_ARGS__)
void bug(const char *file, int line, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
void die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));
extern void (*at_death)(void);

#endif
