/* SPDX-License-Identifier: MIT */
/* suite.c - see suite.h. */
#include "suite.h"

#include <stdlib.h>

#include "gate.h"

/* Longer than any hang detector, which knows better what hangs. */
enum { TEST_SECONDS = 30 };

static TCase *tcase_of(const struct chapter *chapter)
{
    TCase *tcase = tcase_create(chapter->name);
    int runs = chapter->runs ? chapter->runs : 1;

    tcase_set_timeout(tcase, TEST_SECONDS * test_slowness());
    tcase_add_checked_fixture(tcase, chapter->setup, chapter->teardown);
    for (const TTest *const *test = chapter->tests; *test; test++)
        tcase_add_loop_test_raise_signal(tcase, *test, chapter->signal, 0,
                                         runs);
    return tcase;
}

int report(const char *name, const struct chapter *chapters)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failed;

    for (; chapters->name; chapters++)
        suite_add_tcase(suite, tcase_of(chapters));
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
