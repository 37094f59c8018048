/* SPDX-License-Identifier: MIT */
/* machine.h - where it is measured, and who else is at work there. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct machine {
    char model[96], kernel[96], libc[32], compiler[64];
    unsigned processors; /* that we may use */
};

struct machine machine_look(void);

/*
 * Nanoseconds for a cache line to go from one processor to another and back:
 * the price of everything here.  From the first processor that we may use to
 * up to eight others; 0, all: there is but one.  `few` is for when the figure
 * does not matter: on a machine that is busy each trip may take milliseconds.
 */
struct machine_trip {
    double median, least, most;
};
struct machine_trip machine_trip(bool few);

/* So many steps of work_compute take about as long.  Measured once, when a
 * processor is there for it: the least of several times. */
uint64_t machine_steps(uint64_t us);

/* Processor time spent by everyone, and the moment. */
struct machine_load {
    double busy_s, now_s;
};
struct machine_load machine_load(void);

/* Processors that others use just now, but for `taker`; looked at for so many
 * seconds. */
double machine_foreign(double seconds, pid_t taker);

/* Takes the last processor that we may use until machine_give_back: another
 * process that never sleeps.  Its id; -1: it could not be done. */
pid_t machine_take(void);

/* Ends it. */
void machine_give_back(pid_t taker);

/* Processor seconds that `process` has used; 0: none or no such process. */
double machine_cpu_s(pid_t process);

#endif /* BENCH_MACHINE_H */
