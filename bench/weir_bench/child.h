/* SPDX-License-Identifier: MIT */
/* child.h - run a program that answers with one line. */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stdbool.h>
#include <stdint.h>

struct child_end {
    bool started;
    bool timed_out; /* and was killed */
    int status;     /* of the exit; 128 + n: ended by signal n */
    uint64_t cpu_ns;
    char line[1024]; /* its standard output, cut there */
};

/* Starts argv[0] and waits for its end, at most `limit_s` seconds.  Its
 * standard error is ours.  It does not outlive us. */
struct child_end child_run(char *const *argv, unsigned limit_s);

/* An INT or TERM has come: what ran was killed, nothing is started any more.
 * child_catch_signals arranges for it. */
void child_catch_signals(void);
int child_stop_signal(void);

/* What stands behind "key": in a line of JSON without blanks or escapes. */
bool child_number(const char *line, const char *key, uint64_t *out);
bool child_text(const char *line, const char *key, char *out, unsigned room);
bool child_true(const char *line, const char *key);

#endif /* BENCH_CHILD_H */
