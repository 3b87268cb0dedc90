/* The lines around the body. On a narrow screen they lose what matters least,
 * word by word, in the order that SCREENS.md gives. */
#include "bars.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"

/* ---- the top line ------------------------------------------------------------- */

/* What may go, in the order in which it goes. */
enum top_part {
	TOP_KIBAN	= 1 << 0,
	TOP_ZONE	= 1 << 1,
	TOP_DATA	= 1 << 2,
	TOP_MODULE	= 1 << 3,
	TOP_AGO		= 1 << 4,	/* how long ago the past is */
	TOP_ALL		= (1 << 5) - 1,
};

static void zone(struct buf *out, int64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	char text[64];
	struct tm tm;

	if (localtime_r(&t, &tm) && strftime(text, sizeof(text), " %Z", &tm))
		buf_adds(out, text);
}

static void time_text(struct buf *out, int64_t ms, unsigned parts)
{
	value_show(out, TYPE_TIME, 0, SPELL_SHORT,
	    (struct cell){.tag = CELL_INT, .i = ms});
	if (parts & TOP_ZONE)
		zone(out, ms);
}

static bool in_past(const struct screen *s)
{
	return s->at && sight_has_past(s->here->sight);
}

/* In whole seconds: what is younger is new. */
static void age_text(struct buf *out, int64_t from, int64_t to)
{
	value_ago(out, to > from ? (double)((to - from) / 1000) : 0,
	    SPELL_SHORT);
}

static void add_age(struct screen *s, unsigned parts, struct buf *out)
{
	int64_t now = in_past(s) ? s->at : clock_now();
	int64_t seen = s->here->body->seen ? s->here->body->seen(s->here) : 0;

	if (!seen)
		return;
	buf_adds(out, parts & TOP_DATA ? "  data " : "  ");
	age_text(out, seen, now);
	buf_adds(out, " old");
	if (in_past(s) && parts & TOP_AGO)
		buf_adds(out, " then");
}

static void add_right(struct screen *s, unsigned parts, struct buf *out)
{
	int dropped = s->here->body->dropped ? s->here->body->dropped(s->here)
					     : 0;
	struct buf more = {0};

	if (!in_past(s))
		time_text(out, clock_now(), parts);
	if (s->at && !in_past(s))
		buf_adds(out, " now");
	add_age(s, parts, out);
	if (dropped)
		buf_addf(out, "  +%d", dropped);
	if (s->here->body->headline)
		s->here->body->headline(s->here, &more);
	if (more.n && parts & TOP_DATA)
		buf_addf(out, "  %s", buf_str(&more));
	buf_free(&more);
	if (s->here->load && s->here->loaded && clock_mono() -
	    s->here->began > 1000)
		buf_adds(out, "  reading");
}

static bool may_write(const struct screen *s)
{
	const struct sight *v = s->here->sight;

	for (size_t i = 0; i < v->ncontexts; i++)
		if (session_may_write(s->session, v->contexts[i]))
			return true;
	return false;
}

struct top {
	struct buf	before, place, right;
	bool		write;
};

static void top_make(struct screen *s, unsigned parts, struct top *t)
{
	buf_clear(&t->before);
	buf_clear(&t->place);
	buf_clear(&t->right);
	if (in_past(s)) {
		buf_adds(&t->before, " AT ");
		time_text(&t->before, s->at, parts);
		if (parts & TOP_AGO) {
			buf_adds(&t->before, " (");
			age_text(&t->before, s->at, clock_now());
			buf_adds(&t->before, " ago)");
		}
		buf_adds(&t->before, "  ");
	} else {
		buf_adds(&t->before, parts & TOP_KIBAN ? " kiban  " : " ");
	}
	buf_adds(&t->before, s->here->sight->context);
	place_name(s->here, parts & TOP_MODULE, &t->place);
	add_right(s, parts, &t->right);
	while (t->right.n && t->right.p[0] == ' ') {
		memmove(t->right.p, t->right.p + 1, t->right.n);
		t->right.n--;
	}
	/* The past can't be written. */
	t->write = !in_past(s) && may_write(s);
}

static int width_of(const struct buf *b)
{
	struct buf h = {0};
	int w;

	text_harmless(&h, buf_str(b), b->n);
	w = text_width(buf_str(&h), h.n);
	buf_free(&h);
	return w;
}

static int top_width(const struct top *t)
{
	return width_of(&t->before) + (t->write ? 6 : 0) + 3 +
	    width_of(&t->place) + 2 + width_of(&t->right) + 1;
}

static int put_place(struct frame *f, int x, int y, int room,
    const struct buf *name)
{
	struct buf h = {0}, fit = {0};

	if (room < 1)
		return x;
	text_harmless(&h, buf_str(name), name->n);
	if (text_width(buf_str(&h), h.n) > room)
		text_fit(&fit, buf_str(&h), h.n, room, CUT_MIDDLE, false);
	else
		buf_add(&fit, buf_str(&h), h.n);
	x = frame_put(f, x, y, room, LOOK_HEAD, buf_str(&fit), fit.n);
	buf_free(&h);
	buf_free(&fit);
	return x;
}

void bars_top(struct screen *s, int y)
{
	static const unsigned fewer[] = {
		TOP_ALL, TOP_ALL & ~TOP_KIBAN, TOP_DATA | TOP_MODULE | TOP_AGO,
		TOP_MODULE | TOP_AGO, TOP_AGO, 0,
	};
	struct frame *f = &s->frame;
	struct top t = {0};
	char crumb[16] = " ";
	int x, right;

	for (size_t i = 0; i < sizeof(fewer) / sizeof(*fewer); i++) {
		top_make(s, fewer[i], &t);
		if (top_width(&t) <= f->cols)
			break;
	}
	strcat(strcat(crumb, text_glyph(GLYPH_CRUMB)), " ");
	right = f->cols - 1 - width_of(&t.right);
	x = frame_put(f, 0, y, f->cols, LOOK_HEAD, buf_str(&t.before),
	    t.before.n);
	if (t.write) {
		x = frame_puts(f, x, y, LOOK_PLAIN, " ");
		x = frame_puts(f, x, y, LOOK_PLAIN | LOOK_REVERSE, "WRITE");
	}
	x = frame_puts(f, x, y, LOOK_OLD, crumb);
	x = put_place(f, x, y, right - 2 - x, &t.place);
	frame_put(f, right > x ? right : x + 1, y, f->cols, LOOK_PLAIN,
	    buf_str(&t.right), t.right.n);
	if (in_past(s))
		frame_mark(f, 0, y, -1, LOOK_REVERSE);
	buf_free(&t.before);
	buf_free(&t.place);
	buf_free(&t.right);
}

/* ---- errors ------------------------------------------------------------------- */

void bars_error(struct screen *s, int y)
{
	struct buf b = {0}, h = {0}, fit = {0};

	buf_addf(&b, " ! %s", s->pulse->error);
	text_harmless(&h, buf_str(&b), b.n);
	/* Its end says when it is tried again and how many more there are. */
	if (text_width(buf_str(&h), h.n) > s->frame.cols - 1)
		text_fit(&fit, buf_str(&h), h.n, s->frame.cols - 1,
		    CUT_MIDDLE, false);
	else
		buf_add(&fit, buf_str(&h), h.n);
	frame_put(&s->frame, 0, y, s->frame.cols, LOOK_BAD, buf_str(&fit),
	    fit.n);
	buf_free(&b);
	buf_free(&h);
	buf_free(&fit);
}

/* ---- the status line ------------------------------------------------------------ */

static void add_running(struct screen *s, struct buf *out)
{
	struct work *w = s->command ? s->command : s->fetch;
	struct task_info i;

	if (!w)
		return;
	work_info(w, &i);
	buf_addf(out, "\n%s", s->command ? s->command_line : "fetching");
	if (i.total > 0)
		buf_addf(out, " %lld %%", (long long)(i.done * 100 / i.total));
	else if (i.done > 0)
		buf_addf(out, " %lld %s", (long long)i.done,
		    i.unit ? i.unit : "");
	buf_adds(out, ", Ctrl-C cancels");
}

/* The parts apart by blanks. Returns the x behind them. */
static int put_parts(struct frame *f, int y, const char *parts,
    const char *between)
{
	int x = 1;

	while (*parts) {
		size_t n = strcspn(parts, "\n");
		if (x > 1)
			x = frame_puts(f, x, y, LOOK_OLD, between);
		x = frame_put(f, x, y, f->cols - x, LOOK_OLD, parts, n);
		parts += n + (parts[n] == '\n');
	}
	return x;
}

static int hints_width(const struct hint *h, size_t n, int between, int least)
{
	int w = 0;

	for (size_t i = 0; i < n; i++) {
		if (h[i].rank < 0)
			continue;
		w += text_width(h[i].key, strlen(h[i].key)) + between;
		/* The most narrow line says keys alone, but for T. */
		if (*h[i].note && (!least || h[i].rank == 2))
			w += 1 + text_width(h[i].note, strlen(h[i].note));
	}
	return w;
}

/* Keys leave from the least important on, then their notes. */
static int hints_fit(struct hint *h, size_t n, int between, int room)
{
	for (int rank = 20; rank > 2; rank--) {
		if (hints_width(h, n, between, 0) <= room)
			return 0;
		for (size_t i = 0; i < n; i++)
			if (h[i].rank == rank)
				h[i].rank = -1;
	}
	if (hints_width(h, n, between, 0) <= room)
		return 0;
	for (int rank = 2; rank >= 0 && hints_width(h, n, between, 1) > room;
	    rank--)
		for (size_t i = 0; i < n; i++)
			if (h[i].rank == rank && rank)
				h[i].rank = -1;
	return 1;
}

static void put_hints(struct screen *s, int x, int y, const char *between)
{
	struct frame *f = &s->frame;
	int gap = (int)strlen(between), least;
	struct hint h[16];
	size_t n = keys_hints(s, h, 16);

	least = hints_fit(h, n, gap, f->cols - x - 1);
	for (size_t i = 0; i < n; i++) {
		if (h[i].rank < 0)
			continue;
		x = frame_puts(f, x, y, LOOK_PLAIN, between);
		x = frame_puts(f, x, y, LOOK_HEAD, h[i].key);
		if (!*h[i].note || (least && h[i].rank != 2))
			continue;
		x = frame_puts(f, x, y, LOOK_OLD, " ");
		x = frame_puts(f, x, y, LOOK_OLD, h[i].note);
	}
}

bool bars_is_long(const struct screen *s)
{
	if (!s->said.n)
		return false;
	return s->said_long || width_of(&s->said) > s->frame.cols / 2;
}

void bars_status(struct screen *s, int y)
{
	const char *between = s->frame.cols >= 60 ? "   " : "  ";
	struct buf b = {0};
	int x;

	if (s->here->body->status)
		s->here->body->status(s->here, &b);
	add_running(s, &b);
	x = put_parts(&s->frame, y, buf_str(&b), between);
	if (s->said.n && !bars_is_long(s)) {
		x = frame_puts(&s->frame, x, y, LOOK_PLAIN, between);
		x = frame_put(&s->frame, x, y, s->frame.cols - x,
		    s->said_look, buf_str(&s->said), s->said.n);
	}
	put_hints(s, x, y, between);
	buf_free(&b);
}
