/* SPDX-License-Identifier: MIT */
/* crashes.h - ways to crash, each by a fault of its own. */
#ifndef WEIR_TESTS_CRASHES_H
#define WEIR_TESTS_CRASHES_H

struct crash {
    const char *name; /* of the signal */
    int signal;
    const char *words; /* that a message about it has */
    void (*make)(void);
};

/* Those that this processor knows. */
extern const struct crash crashes[];
extern const int crash_count;

/* SIGSEGV. */
void crash(void);
/* An address that nothing can be read from or written to. */
extern void *const volatile bad_address;

#endif /* WEIR_TESTS_CRASHES_H */
