/* The lab: a playground on this machine with real parts. Each module brings
 * its own; the core's `lab up|down|status|break|mend` goes over them. All that
 * it keeps is in one folder, which is there while the lab is up; every process
 * of it has a record there, and is ended by pid and start time, never by name.
 *
 * One command works on the lab at a time, in all processes. A fault is a state
 * that is kept, so `up` after a crash brings back what was broken too. */
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
	 * once. Appends this module's key of the context `lab` as YAML to
	 * context. */
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
	/* Plays the people who use it: sends until cancelled, or until the lab
	 * is gone. A process of its own, which up starts as `lab traffic`. */
	int (*traffic)(struct run *r, const char *dir, struct err *err);
	/* For `doctor`: is there what it needs? Says what, or -1 and how to
	 * get it. */
	int (*ready)(struct buf *what, struct err *err);
};

/* A process of the lab, recorded in DIR/NAME.pid as "pid starttime" before it
 * begins: started detached, output to DIR/NAME.log. argv[0] is the program's
 * path. Already running: does nothing. */
int lab_spawn(const char *dir, const char *name, char *const *argv,
    struct err *err);
/* Its pid while it lives (and is the one recorded), else 0. */
int64_t lab_pid(const char *dir, const char *name);
/* Ends it: SIGTERM, then SIGKILL after 2 s; removes the record. What can't be
 * ended keeps it. */
void lab_end(const char *dir, const char *name);
/* Appends the last line that it wrote to its log, for an error. */
void lab_last_words(const char *dir, const char *name, struct buf *out);
/* New: the path of the running program, for parts that are kiban too. */
char *lab_self(void);

extern const struct command lab_up_command, lab_down_command,
    lab_status_command, lab_break_command, lab_mend_command,
    lab_traffic_command;

#endif
