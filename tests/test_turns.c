/* SPDX-License-Identifier: MIT */
/* test_turns.c - first come, first served. */
#include "flow/turns.h"

#include <sched.h>

#include "helper.h"
#include "suite.h"

enum { OTHERS = 4 };

static struct weir__turns turns;
static int order[OTHERS + 1]; /* by who has the turn */
static int passed;

static void setup(void)
{
    passed = 0;
    ck_assert_int_eq(weir__turns_init(&turns), WEIR_OK);
}

static void teardown(void)
{
    ck_assert(!turns.taken);
    ck_assert_ptr_null(turns.in_line.first);
    weir__turns_dispose(&turns);
}

static void pass_once(void *arg)
{
    weir__turns_take(&turns);
    order[passed++] = *(int *)arg;
    weir__turns_give(&turns);
}

static const void *last_in_line(void)
{
    const void *last;

    weir__mutex_lock(&turns.lock);
    last = turns.in_line.last;
    weir__mutex_unlock(&turns.lock);
    return last;
}

START_TEST(who_has_given_it_up_comes_last)
{
    struct helper helpers[OTHERS];
    int numbers[OTHERS + 1] = {0, 1, 2, 3, 4};

    weir__turns_take(&turns);
    for (int i = 0; i < OTHERS; i++) {
        const void *before = last_in_line();

        helper_start(&helpers[i], pass_once, &numbers[i]);
        while (last_in_line() == before)
            sched_yield();
    }
    weir__turns_give(&turns);
    pass_once(&numbers[OTHERS]); /* at once again, and yet the last */
    for (int i = 0; i < OTHERS; i++)
        helper_join(&helpers[i]);
    for (int i = 0; i <= OTHERS; i++)
        ck_assert_int_eq(order[i], i);
}
END_TEST

START_TEST(alone_nobody_waits)
{
    int number = 7;

    for (int i = 0; i < 3; i++) {
        passed = 0;
        pass_once(&number);
        ck_assert_int_eq(order[0], 7);
    }
}
END_TEST

int main(void)
{
    const TTest *const all[] = {who_has_given_it_up_comes_last,
                                alone_nobody_waits, NULL};
    const struct chapter chapters[] = {{"turns", all, setup, teardown, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("turns", chapters);
}
