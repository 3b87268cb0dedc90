/* The terminal over terminfo: painting the difference of two frames, decoding
 * keys, signals, and giving it all back. What is written is put together in
 * one buffer a frame, so that the terminal never shows half of one. */
#include "curses.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "err.h"
#include "keypad.h"
#include "text.h"

/* curses.h of ncurses has macros of these names. */
#undef columns
#undef lines
#undef tab

static struct {
	bool			 open;
	struct theme		 theme;
	struct termios		 before;
	struct frame		 shown;
	bool			 fresh;		/* nothing is painted yet */
	struct buf		 out;
	int			 x, y;		/* the cursor; x -1: unknown */
	int			 look;		/* as written last; -1: unknown */
	bool			 cursor;	/* it is visible */
	bool			 titled;
	struct keypad		 keypad;
} term;

/* For the handlers, which may do nothing but write and tcsetattr. */
static char give_back[512];
static size_t give_back_n;
static int wake_fd = -1;
static volatile sig_atomic_t got_deadly, got_resize, got_suspend, got_resume;

/* ---- writing ------------------------------------------------------------ */

static int out_byte(int c)
{
	buf_addc(&term.out, (char)c);
	return c;
}

static void out_cap(const char *cap)
{
	if (cap && cap != (char *)-1)
		tputs(cap, 1, out_byte);
}

static void out_flush(void)
{
	size_t at = 0;

	while (at < term.out.n) {
		ssize_t n = write(STDOUT_FILENO, term.out.p + at,
		    term.out.n - at);
		struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
		if (n > 0)
			at += (size_t)n;
		else if (errno == EAGAIN)
			poll(&p, 1, 1000);
		else if (errno != EINTR)
			break;		/* gone: the next read says so */
	}
	buf_clear(&term.out);
}

/* ---- painting ----------------------------------------------------------- */

static void set_look(unsigned look)
{
	struct style s;

	if (term.look == (int)look)
		return;
	s = theme_style(&term.theme, look);
	out_cap(exit_attribute_mode);
	if (s.bold)
		out_cap(enter_bold_mode);
	if (s.dim)
		out_cap(enter_dim_mode);
	if (s.underline)
		out_cap(enter_underline_mode);
	if (s.reverse)
		out_cap(enter_reverse_mode);
	if (s.colour >= 0 && max_colors >= 8 && set_a_foreground)
		out_cap(tiparm(set_a_foreground, s.colour));
	term.look = (int)look;
}

static void move_to(int x, int y)
{
	if (term.x == x && term.y == y)
		return;
	/* Some terminals move with the attributes that are on. */
	if (!move_standout_mode)
		set_look(LOOK_PLAIN);
	out_cap(tiparm(cursor_address, y, x));
	term.x = x;
	term.y = y;
}

/* Characters whose width no terminal doubts; behind all others the cursor is
 * placed anew. */
static bool width_is_sure(const struct tile *t)
{
	unsigned c;

	if (t->ascii)
		return true;
	if (text_char(t->s, t->n, &c) != t->n)
		return false;
	return (c >= 0x3041 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) ||
	    (c >= 0x2800 && c <= 0x28ff);
}

static void paint_tile(const struct tile *t, int x, int y)
{
	/* The corner would scroll the screen. */
	if (x + t->wide >= term.shown.cols && y + 1 >= term.shown.rows &&
	    auto_right_margin && !eat_newline_glitch)
		return;
	move_to(x, y);
	set_look(t->look);
	buf_add(&term.out, t->s, t->n);
	term.x += t->wide;
	if (!width_is_sure(t) || term.x >= term.shown.cols)
		term.x = -1;
}

static void paint_row(const struct frame *f, int y)
{
	for (int x = 0; x < f->cols; x++) {
		struct tile *old = frame_at(&term.shown, x, y);
		const struct tile *new = frame_at(f, x, y);
		if (tile_same(old, new))
			continue;
		if (new->wide)
			paint_tile(new, x, y);
		*old = *new;
	}
}

static void start_over(const struct frame *f)
{
	frame_resize(&term.shown, f->cols, f->rows);
	term.look = -1;
	set_look(LOOK_PLAIN);
	out_cap(clear_screen);
	term.x = term.y = 0;
	term.fresh = false;
}

static void show_cursor(const struct frame *f)
{
	if (f->x >= 0)
		move_to(f->x, f->y);
	if ((f->x >= 0) == term.cursor)
		return;
	term.cursor = f->x >= 0;
	out_cap(term.cursor ? cursor_normal : cursor_invisible);
}

void term_paint(const struct frame *f)
{
	if (term.fresh || f->cols != term.shown.cols ||
	    f->rows != term.shown.rows)
		start_over(f);
	for (int y = 0; y < f->rows; y++)
		paint_row(f, y);
	show_cursor(f);
	out_flush();
}

void term_forget(void)
{
	term.fresh = true;
}

void term_size(int *cols, int *rows)
{
	struct winsize w = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || !w.ws_col || !w.ws_row) {
		w.ws_col = 80;
		w.ws_row = 24;
	}
	/* A terminal of a million columns is somebody's experiment. */
	*cols = w.ws_col > 1000 ? 1000 : w.ws_col;
	*rows = w.ws_row > 500 ? 500 : w.ws_row;
}

/* ---- taking and giving back --------------------------------------------- */

static void out_title_stack(bool push)
{
	const char *name = getenv("TERM");

	/* Those that understand titles; others would print the sequence. */
	if (name && (!strncmp(name, "xterm", 5) || !strncmp(name, "tmux", 4) ||
	    !strncmp(name, "screen", 6) || !strncmp(name, "rxvt", 4) ||
	    !strncmp(name, "alacritty", 9) || !strncmp(name, "foot", 4)))
		term.titled = true;
	if (term.titled)
		buf_adds(&term.out, push ? "\033[22;0t" : "\033[23;0t");
}

static void take(void)
{
	struct termios raw = term.before;

	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	out_title_stack(true);
	out_cap(enter_ca_mode);
	out_cap(keypad_xmit);
	buf_adds(&term.out, "\033[?2004h");
	if (term.theme.mouse)
		buf_adds(&term.out, "\033[?1000h\033[?1006h");
	term.cursor = true;
	term.fresh = true;
	out_flush();
}

/* What puts everything back, also for a handler that can't call tputs. */
static void prepare_give_back(void)
{
	struct buf kept = term.out;

	term.out = (struct buf){0};
	if (term.theme.mouse)
		buf_adds(&term.out, "\033[?1006l\033[?1000l");
	buf_adds(&term.out, "\033[?2004l");
	out_cap(exit_attribute_mode);
	out_cap(cursor_normal);
	out_cap(keypad_local);
	out_cap(exit_ca_mode);
	out_title_stack(false);
	give_back_n = term.out.n < sizeof(give_back) ? term.out.n
						     : sizeof(give_back);
	memcpy(give_back, buf_str(&term.out), give_back_n);
	buf_free(&term.out);
	term.out = kept;
}

/* Safe in a handler. */
static void give(void)
{
	ssize_t n = write(STDOUT_FILENO, give_back, give_back_n);

	(void)n;
	tcsetattr(STDIN_FILENO, TCSANOW, &term.before);
}

void term_close(void)
{
	if (!term.open)
		return;
	term.open = false;
	give();
	frame_release(&term.shown);
	buf_free(&term.out);
}

/* ---- signals ------------------------------------------------------------ */

static const int deadly[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGALRM,
    SIGUSR1, SIGUSR2};
static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL,
    SIGSYS, SIGXCPU, SIGXFSZ};
#define COUNT(v) (sizeof(v) / sizeof(*(v)))
static struct sigaction crash_before[COUNT(crashes)];

static void wake(void)
{
	int saved = errno;
	ssize_t n = write(wake_fd, "", 1);

	(void)n;
	errno = saved;
}

static void on_signal(int sig)
{
	switch (sig) {
	case SIGWINCH:
		got_resize = 1;
		break;
	case SIGTSTP:
		got_suspend = 1;
		break;
	case SIGCONT:
		got_resume = 1;
		break;
	default:
		got_deadly = sig;
	}
	wake();
}

/* Whoever was there before us (a sanitizer, the kernel's dump) goes on. */
static void on_crash(int sig)
{
	if (term.open)
		give();
	term.open = false;
	for (size_t i = 0; i < COUNT(crashes); i++)
		if (crashes[i] == sig)
			sigaction(sig, &crash_before[i], NULL);
	raise(sig);
}

static void catch_signals(void)
{
	static char stack[64 * 1024];
	stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigemptyset(&a.sa_mask);
	for (size_t i = 0; i < COUNT(deadly); i++)
		sigaction(deadly[i], &a, NULL);
	sigaction(SIGWINCH, &a, NULL);
	sigaction(SIGTSTP, &a, NULL);
	sigaction(SIGCONT, &a, NULL);
	sigaltstack(&alt, NULL);
	a.sa_handler = on_crash;
	a.sa_flags = SA_ONSTACK;
	for (size_t i = 0; i < COUNT(crashes); i++)
		sigaction(crashes[i], &a, &crash_before[i]);
}

struct term_asked term_asked(void)
{
	struct term_asked a = {
		.deadly = got_deadly, .resized = got_resize,
		.suspend = got_suspend, .resumed = got_resume,
	};

	got_resize = got_suspend = got_resume = 0;
	return a;
}

void term_suspend(void)
{
	struct sigaction stop = {.sa_handler = SIG_DFL}, ours;

	give();
	sigaction(SIGTSTP, &stop, &ours);
	/* The whole group: a shell or script around us stops too. */
	kill(0, SIGTSTP);
	sigaction(SIGTSTP, &ours, NULL);
	got_suspend = got_resume = 0;
	got_resize = 1;
	take();
}

/* ---- opening ------------------------------------------------------------ */

static void learn(const char *cap, const char *name)
{
	if (cap && cap != (char *)-1)
		keypad_learn(&term.keypad, cap, name);
}

/* What this terminal's database says its keys send. */
static void learn_keys(void)
{
	learn(key_up, "<Up>");
	learn(key_down, "<Down>");
	learn(key_left, "<Left>");
	learn(key_right, "<Right>");
	learn(key_home, "<Home>");
	learn(key_end, "<End>");
	learn(key_ppage, "<PgUp>");
	learn(key_npage, "<PgDn>");
	learn(key_dc, "<Del>");
	learn(key_backspace, "<BS>");
	learn(key_btab, "<S-Tab>");
	learn(key_f1, "<F1>");
	learn(key_f2, "<F2>");
	learn(key_f3, "<F3>");
	learn(key_f4, "<F4>");
	learn(key_f5, "<F5>");
	learn(key_f6, "<F6>");
	learn(key_f7, "<F7>");
	learn(key_f8, "<F8>");
	learn(key_f9, "<F9>");
	learn(key_f10, "<F10>");
	learn(key_f11, "<F11>");
	learn(key_f12, "<F12>");
}

int term_open(const struct theme *t, int wake_to, struct err *err)
{
	const char *name = getenv("TERM");
	int rc = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(err, ERR_FAILED, "the screen needs a terminal "
		    "on stdin and stdout");
	if (setupterm(NULL, STDOUT_FILENO, &rc) != OK || !cursor_address)
		return err_set(err, ERR_FAILED, "TERM=%.40s names no terminal "
		    "that this machine knows; set TERM, or use --linear",
		    name ? name : "");
	if (tcgetattr(STDIN_FILENO, &term.before) < 0)
		return err_set(err, ERR_FAILED, "the terminal's settings can't "
		    "be read: %s", strerror(errno));
	term.theme = *t;
	term.x = -1;
	term.look = -1;
	wake_fd = wake_to;
	keypad_init(&term.keypad);
	learn_keys();
	prepare_give_back();
	term.open = true;
	at_death = term_close;
	catch_signals();
	take();
	return 0;
}

/* ---- keys --------------------------------------------------------------- */

int term_read(struct term_key *k)
{
	char bytes[512];
	struct keypad_key key;
	ssize_t n;

	if (keypad_take(&term.keypad, &key) == 0) {
		n = read(STDIN_FILENO, bytes, sizeof(bytes));
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n > 0)
			keypad_feed(&term.keypad, bytes, (size_t)n);
		/* VMIN 0 reads nothing both when there is nothing and when
		 * the other end is gone; poll tells them apart. */
		if (n == 0) {
			struct pollfd p = {.fd = STDIN_FILENO,
			    .events = POLLIN};
			if (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP |
			    POLLERR | POLLNVAL)))
				return -1;
		}
		if (keypad_take(&term.keypad, &key) == 0)
			return 0;
	}
	*k = (struct term_key){.pasted = key.pasted, .x = key.x, .y = key.y};
	memcpy(k->name, key.name, sizeof(k->name));
	return 1;
}

int term_due(void)
{
	return keypad_due(&term.keypad);
}

/* ---- beside the frame ---------------------------------------------------- */

void term_bell(void)
{
	out_cap(bell);
	out_flush();
}

void term_title(const char *text)
{
	struct buf b = {0};

	if (!term.titled)
		return;
	text_harmless(&b, text, strlen(text));
	buf_addf(&term.out, "\033]2;%s\033\\", buf_str(&b));
	buf_free(&b);
	out_flush();
}

bool term_copy(const char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";

	if (n > TERM_COPY_MAX)
		return false;
	buf_adds(&term.out, "\033]52;c;");
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)(unsigned char)p[i] << 16;
		size_t left = n - i;
		if (left > 1)
			v |= (unsigned)(unsigned char)p[i + 1] << 8;
		if (left > 2)
			v |= (unsigned char)p[i + 2];
		buf_addc(&term.out, digits[v >> 18]);
		buf_addc(&term.out, digits[v >> 12 & 63]);
		buf_addc(&term.out, left > 1 ? digits[v >> 6 & 63] : '=');
		buf_addc(&term.out, left > 2 ? digits[v & 63] : '=');
	}
	buf_adds(&term.out, "\033\\");
	out_flush();
	return true;
}
