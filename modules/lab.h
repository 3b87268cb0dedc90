/* The lab: a playground on this machine with real parts. Each module brings
 * its own; the core's `lab up|down|status|break|mend` goes over them. */
#ifndef LAB_H
#define LAB_H

#include "run.h"

struct lab_part {
	char	 part[200];
	char	 state[8];	/* up, down, broken */
	int64_t	 pid;		/* 0: none of its own */
	char	 address[200];
	char	 text[300];
};
typedef int lab_each(void *arg, const struct lab_part *p);

struct lab {
	/* dir: the lab's folder, made. Starts what isn't running; twice is
	 * once. Appends this module's block of the context `lab` as YAML (two
	 * blanks deep) to context. */
	int (*up)(struct run *r, const char *dir, struct buf *context,
	    struct err *err);
	/* Waits until all of it lives; deadline by clock_mono(). */
	int (*wait)(struct run *r, const char *dir, int64_t deadline,
	    struct err *err);
	int (*down)(struct run *r, const char *dir, struct err *err);
	int (*status)(struct run *r, const char *dir, lab_each *each,
	    void *arg, struct err *err);
	const char *const *faults;	/* words of `lab break`; ends NULL */
	int (*break_)(struct run *r, const char *dir, const char *what,
	    lab_each *each, void *arg, struct err *err);
	int (*mend)(struct run *r, const char *dir, lab_each *each, void *arg,
	    struct err *err);
};

/* A process of the lab, recorded in DIR/NAME.pid as "pid starttime": started
 * detached, output to DIR/NAME.log. Already running: does nothing. */
int lab_spawn(const char *dir, const char *name, char *const *argv,
    struct err *err);
/* Its pid while it lives (and is the one recorded), else 0. */
int64_t lab_pid(const char *dir, const char *name);
/* Ends it: SIGTERM, then SIGKILL after 2 s; removes the record. */
void lab_end(const char *dir, const char *name);

extern const struct command lab_up_command, lab_down_command,
    lab_status_command, lab_break_command, lab_mend_command;

#endif
