/* Errors: filling the caller's struct err, and the two ways a process ends
 * because of itself. Both are written to stderr by one write(), so that lines
 * of several threads don't mix. */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void (*at_death)(void);

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	/* Through a buffer: the arguments may point into err->text. */
	char text[sizeof err->text];
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err->code = code;
	err->retry_after = 0;
	memcpy(err->text, text, strlen(text) + 1);
	return -1;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	char text[2 * sizeof err->text + 2];
	va_list ap;
	size_t n;

	if (!err)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof err->text, fmt, ap);
	va_end(ap);
	n = strlen(text);
	snprintf(text + n, sizeof text - n, ": %s", err->text);
	text[sizeof err->text - 1] = '\0';
	memcpy(err->text, text, strlen(text) + 1);
	return -1;
}

static void last_words(const char *text)
{
	static int dying;
	ssize_t n;

	/* A second thread, or at_death() itself, may die as well. */
	if (!__atomic_exchange_n(&dying, 1, __ATOMIC_SEQ_CST) && at_death)
		at_death();
	n = write(STDERR_FILENO, text, strlen(text));
	(void)n;
}

void bug(const char *file, int line, const char *fmt, ...)
{
	char what[600], text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	snprintf(text, sizeof text, "kiban: bug at %s:%d: %s\n", file, line,
	    what);
	last_words(text);
	abort();
}

void die(const char *fmt, ...)
{
	char what[600], text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	snprintf(text, sizeof text, "kiban: %s\n", what);
	last_words(text);
	_exit(1);
}
