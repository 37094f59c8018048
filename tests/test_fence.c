/* SPDX-License-Identifier: MIT */
/*
 * test_fence.c - of two that write and then look, one sees the other.
 *
 * One thread counts in its word as fast as it can and looks at the other's
 * after each step; the other writes a round's number, fences, and looks how far
 * the count is.  A step that it has not seen must have seen the round.
 */
#include "base/fence.h"

#include <sched.h>

#include "base/atomic.h"
#include "helper.h"
#include "suite.h"

enum { ROUNDS = 3000, SPINS = 1000 };

/* On lines of their own, as the words of two threads are. */
static struct word {
    _Alignas(WEIR__APART) struct weir__counter value;
} steps, round_now;

/* For each round: the last step that did not see it, and what it saw itself. */
static uint64_t last_without[ROUNDS + 1], seen[ROUNDS + 1];

static void step_often(void *arg)
{
    uint64_t step = 0, known = 0;

    (void)arg;
    while (known < ROUNDS) {
        uint64_t round;

        weir__counter_write_release(&steps.value, ++step);
        weir__fence_light();
        round = weir__counter_read(&round_now.value);
        while (known < round)
            last_without[++known] = step - 1;
        if (step % SPINS == 0)
            sched_yield();
    }
}

static void write_rarely(void *arg)
{
    (void)arg;
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        uint64_t before = weir__counter_read(&steps.value);

        for (unsigned i = 0;
             weir__counter_read(&steps.value) < before + 8 && i < SPINS; i++)
            weir__cpu_pause();
        weir__counter_write_release(&round_now.value, round);
        weir__fence_heavy();
        seen[round] = weir__counter_read(&steps.value);
    }
}

static void assert_one_saw_the_other(void)
{
    struct helper helpers[2];

    weir__counter_write(&steps.value, 0);
    weir__counter_write(&round_now.value, 0);
    helper_start(&helpers[0], step_often, NULL);
    helper_start(&helpers[1], write_rarely, NULL);
    helpers_join(helpers, 2);
    for (uint64_t round = 1; round <= ROUNDS; round++)
        ck_assert_uint_le(last_without[round], seen[round]);
}

START_TEST(one_of_two_sees_the_other)
{
    weir__fence_prepare();
    assert_one_saw_the_other();
}
END_TEST

START_TEST(so_it_is_where_the_system_cannot_help)
{
    weir__fence_prepare();
    weir__fence_is_uneven = false;
    assert_one_saw_the_other();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {one_of_two_sees_the_other,
                                  so_it_is_where_the_system_cannot_help, NULL};
    const struct chapter chapters[] = {{"fences", tests, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("fence", chapters);
}
