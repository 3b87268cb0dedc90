/* Rows to text: the writer, one small function a format. What a value looks
 * like is value.c, what a table looks like is layout.c. */
#include "format.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

const char *const format_names[] = {
	[FORMAT_TABLE]	= "table",
	[FORMAT_WIDE]	= "wide",
	[FORMAT_JSON]	= "json",
	[FORMAT_NDJSON]	= "ndjson",
	[FORMAT_YAML]	= "yaml",
	[FORMAT_CSV]	= "csv",
	[FORMAT_TSV]	= "tsv",
	NULL
};

int format_from_name(const char *s)
{
	for (int i = 0; format_names[i]; i++)
		if (!strcmp(format_names[i], s))
			return i;
	return -1;
}

int format_from_file(const char *path)
{
	static const struct {
		const char	*ending;
		enum format	 format;
	} endings[] = {
		{ ".json", FORMAT_JSON }, { ".ndjson", FORMAT_NDJSON },
		{ ".yaml", FORMAT_YAML }, { ".yml", FORMAT_YAML },
		{ ".csv", FORMAT_CSV }, { ".tsv", FORMAT_TSV },
		{ ".txt", FORMAT_TABLE },
	};
	const char *name = strrchr(path, '/'), *dot;

	dot = strrchr(name ? name : path, '.');
	for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
		if (!strcasecmp(endings[i].ending, dot))
			return (int)endings[i].format;
	return -1;
}

#define HELD 1000	/* rows that a table takes its widths from */

struct writer {
	struct how		 how;
	const struct column	*columns;
	size_t			 ncolumns;
	put_fn			*put;
	void			*arg;
	struct buf		 line;
	size_t			 n;		/* rows written */
	bool			 failed, ended;
	struct err		 err;		/* of the put that failed */
	struct layout		 layout;	/* table, wide */
	struct rows		 held;
	bool			 flows;		/* nothing is held any more */
};

static bool is_table(const struct writer *w)
{
	return w->how.format == FORMAT_TABLE || w->how.format == FORMAT_WIDE;
}

struct writer *writer_new(const struct how *how, const struct column *columns,
    size_t ncolumns, put_fn *put, void *arg)
{
	struct writer *w = xcalloc(1, sizeof *w);

	w->how = *how;
	w->columns = columns;
	w->ncolumns = ncolumns;
	w->put = put;
	w->arg = arg;
	if (is_table(w)) {
		layout_init(&w->layout, columns, ncolumns, how);
		rows_init(&w->held, columns, ncolumns);
	}
	return w;
}

/* Gives the line away and empties it. */
static int flush(struct writer *w, struct err *err)
{
	if (!w->failed && w->line.n &&
	    w->put(w->arg, w->line.p, w->line.n, &w->err) < 0)
		w->failed = true;
	buf_clear(&w->line);
	if (!w->failed)
		return 0;
	if (err)
		*err = w->err;
	return -1;
}

/* ---- table ------------------------------------------------------------ */

#define SGR_BOLD	"\033[1m"
#define SGR_DIM		"\033[2m"
#define SGR_RED		"\033[31m"
#define SGR_YELLOW	"\033[33m"
#define SGR_PLAIN	"\033[0m"

static bool has_colour(const struct writer *w)
{
	return w->how.terminal && w->how.colour;
}

static void table_head(struct writer *w)
{
	if (has_colour(w))
		buf_adds(&w->line, SGR_BOLD);
	layout_head(&w->layout, &w->line);
	if (has_colour(w))
		buf_adds(&w->line, SGR_PLAIN);
	buf_addc(&w->line, '\n');
}

/* Colour repeats the gutter: its mark for bad and doubtful, the whole row
 * where it is old. */
static void table_row(struct writer *w, const struct cell *cells)
{
	struct buf row = {0};
	const char *sgr = NULL;
	size_t painted = 2;

	layout_row(&w->layout, &row, false, cells);
	if (has_colour(w) && row.n > 1) {
		switch (row.p[1]) {
		case 'x':
			sgr = SGR_RED;
			break;
		case '!':
			sgr = SGR_YELLOW;
			break;
		case '~':
			sgr = SGR_DIM;
			painted = row.n;
		}
	}
	if (sgr) {
		buf_adds(&w->line, sgr);
		buf_add(&w->line, row.p, painted);
		buf_adds(&w->line, SGR_PLAIN);
		buf_add(&w->line, row.p + painted, row.n - painted);
	} else {
		buf_add(&w->line, buf_str(&row), row.n);
	}
	buf_addc(&w->line, '\n');
	buf_free(&row);
}

static int table_release(struct writer *w, struct err *err)
{
	struct cell *cells = xcalloc(w->ncolumns, sizeof *cells);
	int result = 0;

	w->flows = true;
	if (w->held.n)
		table_head(w);
	for (size_t row = 0; row < w->held.n && result == 0; row++) {
		for (size_t i = 0; i < w->ncolumns; i++)
			cells[i] = rows_cell(&w->held, row, i);
		table_row(w, cells);
		result = flush(w, err);
	}
	rows_release(&w->held);
	free(cells);
	return result;
}

static int table_add(struct writer *w, const struct cell *cells,
    struct err *err)
{
	if (w->flows) {
		table_row(w, cells);
		return flush(w, err);
	}
	layout_measure(&w->layout, cells);
	rows_add(&w->held, cells);
	if (w->how.hold || w->held.n < HELD)
		return 0;
	return table_release(w, err);
}

/* ---- json, yaml ------------------------------------------------------- */

static void json_object(struct writer *w, const struct cell *cells)
{
	const char *comma = "";

	buf_addc(&w->line, '{');
	if (w->how.stamp && w->how.format == FORMAT_NDJSON) {
		buf_adds(&w->line, "\"at\":");
		value_json_text(&w->line, w->how.stamp, strlen(w->how.stamp));
		comma = ",";
	}
	for (size_t i = 0; i < w->ncolumns; i++) {
		const struct column *c = w->columns + i;

		buf_adds(&w->line, comma);
		value_json_text(&w->line, c->name, strlen(c->name));
		buf_addc(&w->line, ':');
		value_json(&w->line, c->type, cells[i]);
		comma = ",";
	}
	buf_addc(&w->line, '}');
}

static void json_row(struct writer *w, const struct cell *cells)
{
	const char *newline = w->how.one_line ? "" : "\n";

	if (!w->how.object) {
		buf_adds(&w->line, w->n ? "," : "[");
		buf_adds(&w->line, newline);
	}
	json_object(w, cells);
	if (w->how.object)
		buf_addc(&w->line, '\n');
}

static void json_end(struct writer *w)
{
	if (w->how.object)
		return;
	if (w->n == 0)
		buf_adds(&w->line, "[]\n");
	else
		buf_adds(&w->line, w->how.one_line ? "]\n" : "\n]\n");
}

/* A key over 1024 characters needs its `?` (YAML 1.2, 7.4.2). */
static void yaml_key(struct buf *out, const char *name, const char *indent)
{
	struct buf key = {0};

	value_yaml_text(&key, name, strlen(name));
	if (key.n > 1000)
		buf_addf(out, "? %s\n%s", key.p, indent);
	else
		buf_add(out, key.p, key.n);
	buf_adds(out, ": ");
	buf_free(&key);
}

static void yaml_begin(struct writer *w)
{
	if (w->how.document && w->n == 0)
		buf_adds(&w->line, "---\n");
}

static void yaml_row(struct writer *w, const struct cell *cells)
{
	const char *indent = w->how.object ? "" : "  ";

	yaml_begin(w);
	for (size_t i = 0; i < w->ncolumns; i++) {
		const struct column *c = w->columns + i;

		buf_adds(&w->line, i || w->how.object ? indent : "- ");
		yaml_key(&w->line, c->name, indent);
		value_yaml(&w->line, c->type, cells[i]);
		buf_addc(&w->line, '\n');
	}
}

static void yaml_end(struct writer *w)
{
	yaml_begin(w);
	if (w->n == 0 && !w->how.object)
		buf_adds(&w->line, "[]\n");
}

/* ---- csv, tsv --------------------------------------------------------- */

static void csv_field(struct writer *w, const char *s, size_t n)
{
	struct buf marked = {0};
	bool quoted;

	if (w->how.terminal) {
		text_harmless(&marked, s, n);
		s = buf_str(&marked);
		n = marked.n;
	}
	quoted = n == 0 || memchr(s, ',', n) || memchr(s, '"', n) ||
	    memchr(s, '\n', n) || memchr(s, '\r', n);
	if (!quoted) {
		buf_add(&w->line, s, n);
	} else {
		buf_addc(&w->line, '"');
		for (; n; s++, n--) {
			if (*s == '"')
				buf_addc(&w->line, '"');
			buf_addc(&w->line, *s);
		}
		buf_addc(&w->line, '"');
	}
	buf_free(&marked);
}

static void tsv_field(struct writer *w, const char *s, size_t n)
{
	static const char from[] = "\t\n\r\\", to[] = "tnr\\";
	const char *at;
	unsigned c;
	int k;

	for (; n; s += k, n -= (size_t)k) {
		k = text_char(s, n, &c);
		at = k == 1 ? memchr(from, *s, 4) : NULL;
		if (at) {
			buf_addc(&w->line, '\\');
			buf_addc(&w->line, to[at - from]);
		} else if (k && text_is_plain(c)) {
			buf_add(&w->line, s, (size_t)k);
		} else {
			k = k ? k : 1;
			for (int i = 0; i < k; i++)
				buf_addf(&w->line, "\\x%02x",
				    (unsigned char)s[i]);
		}
	}
}

static void plain_field(struct writer *w, const char *s, size_t n)
{
	if (w->how.format == FORMAT_CSV)
		csv_field(w, s, n);
	else
		tsv_field(w, s, n);
}

static void plain_head(struct writer *w)
{
	char between = w->how.format == FORMAT_CSV ? ',' : '\t';

	if (w->how.no_head)
		return;
	w->how.no_head = true;
	if (w->how.stamp) {
		buf_adds(&w->line, "at");
		buf_addc(&w->line, between);
	}
	for (size_t i = 0; i < w->ncolumns; i++) {
		const char *name = w->columns[i].name;

		if (i)
			buf_addc(&w->line, between);
		plain_field(w, name, strlen(name));
	}
	buf_addc(&w->line, '\n');
}

static void plain_row(struct writer *w, const struct cell *cells)
{
	char between = w->how.format == FORMAT_CSV ? ',' : '\t';
	struct buf b = {0};

	plain_head(w);
	if (w->how.stamp) {
		plain_field(w, w->how.stamp, strlen(w->how.stamp));
		buf_addc(&w->line, between);
	}
	for (size_t i = 0; i < w->ncolumns; i++) {
		if (i)
			buf_addc(&w->line, between);
		buf_clear(&b);
		value_plain(&b, w->columns[i].type, cells[i]);
		if (b.n || cells[i].tag == CELL_TEXT)
			plain_field(w, buf_str(&b), b.n);
	}
	buf_addc(&w->line, '\n');
	buf_free(&b);
}

/* ---- the writer ------------------------------------------------------- */

int writer_row(struct writer *w, const struct cell *cells, struct err *err)
{
	if (w->failed)
		return flush(w, err);
	switch (w->how.format) {
	case FORMAT_TABLE:
	case FORMAT_WIDE:
		return table_add(w, cells, err);
	case FORMAT_JSON:
		json_row(w, cells);
		break;
	case FORMAT_NDJSON:
		json_object(w, cells);
		buf_addc(&w->line, '\n');
		break;
	case FORMAT_YAML:
		yaml_row(w, cells);
		break;
	case FORMAT_CSV:
	case FORMAT_TSV:
		plain_row(w, cells);
		break;
	}
	w->n++;
	return flush(w, err);
}

int writer_end(struct writer *w, struct err *err)
{
	w->ended = true;
	if (w->failed)
		return flush(w, err);
	switch (w->how.format) {
	case FORMAT_TABLE:
	case FORMAT_WIDE:
		return w->flows ? 0 : table_release(w, err);
	case FORMAT_JSON:
		json_end(w);
		break;
	case FORMAT_YAML:
		yaml_end(w);
		break;
	case FORMAT_CSV:
	case FORMAT_TSV:
		plain_head(w);
		break;
	default:
		break;
	}
	return flush(w, err);
}

/* Broken off: what arrived is shown, and a whole row ends its line. */
static void break_off(struct writer *w)
{
	if (is_table(w) && !w->flows)
		table_release(w, NULL);
	if (w->how.format == FORMAT_JSON && w->n && !w->how.object) {
		buf_addc(&w->line, '\n');
		flush(w, NULL);
	}
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	if (!w->ended && !w->failed)
		break_off(w);
	if (is_table(w)) {
		layout_release(&w->layout);
		rows_release(&w->held);
	}
	buf_free(&w->line);
	free(w);
}
