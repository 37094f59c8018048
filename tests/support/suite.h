/* SPDX-License-Identifier: MIT */
/* suite.h - a test program's main as its table of contents. */
#ifndef WEIR_TESTS_SUITE_H
#define WEIR_TESTS_SUITE_H

#include <check.h>

/* Tests of one subject. */
struct chapter {
    const char *name;          /* NULL ends the book */
    const TTest *const *tests; /* NULL ends the chapter */
    void (*setup)(void);       /* before each test; may be NULL */
    void (*teardown)(void);    /* after each test; may be NULL */
    int runs;                  /* of each test, with _i = 0, 1, ...; 0: one */
    int signal;                /* that ends each of the tests; 0: none */
};

/* Runs all chapters; returns what main returns.  Check's environment
 * variables hold: CK_VERBOSITY, CK_RUN_CASE, CK_FORK. */
int report(const char *name, const struct chapter *chapters);

#endif /* WEIR_TESTS_SUITE_H */
