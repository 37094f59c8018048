/* SPDX-License-Identifier: MIT */
/* test_codel.c - when the oldest of what waits is given up. */
#include "limit/codel.h"

#include <weir/deadline.h>

#include "suite.h"

/* In the tables times are milliseconds; the clock begins here. */
#define START_NS WEIR_SECONDS(1000)

static struct weir__codel codel;

static void setup(void)
{
    codel = (struct weir__codel){.target_ns = WEIR_MS(5),
                                 .interval_ns = WEIR_MS(100)};
}

static bool ask(int64_t at_ms, int64_t waited_ms, bool is_last)
{
    return weir__codel_drops(&codel, START_NS + WEIR_MS(at_ms),
                             WEIR_MS(waited_ms), is_last);
}

/* ------------------------------------------------------------------ states */

/* A task that is taken, and what becomes of it. */
struct step {
    int64_t at_ms, waited_ms;
    bool is_last, is_dropped;
};

static void play(const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *s = &steps[i];

        ck_assert_msg(ask(s->at_ms, s->waited_ms, s->is_last) == s->is_dropped,
                      "step %zu, at %lld ms: dropped or not", i,
                      (long long)s->at_ms);
    }
}

#define PLAY(steps) play(steps, sizeof(steps) / sizeof((steps)[0]))

/* The comments are the RFC's conditions. */

/* sojourn_time < TARGET */
START_TEST(below_the_target_nothing_is_dropped_for_ever)
{
    for (int64_t at = 0; at < 10000; at++)
        ck_assert(!ask(at, 4, false));
}
END_TEST

/* first_above_time_ = now + INTERVAL; now >= first_above_time_ */
START_TEST(above_it_nothing_is_dropped_for_an_interval)
{
    const struct step steps[] = {
        {0, 5, false, false},  {1, 50, false, false},  {50, 90, false, false},
        {99, 9, false, false}, {99, 90, false, false}, {100, 90, false, true},
    };

    PLAY(steps);
}
END_TEST

START_TEST(then_all_that_has_waited_for_more_than_twice_the_target)
{
    const struct step steps[] = {
        {0, 50, false, false},    {100, 90, false, true},
        {100, 11, false, true},   {100, 10, false, false},
        {101, 5, false, false},   {250, 11, false, true},
        {9000, 10, false, false}, {9000, 11, false, true},
    };

    PLAY(steps);
}
END_TEST

/* first_above_time_ = 0 */
START_TEST(one_below_the_target_begins_the_interval_anew)
{
    const struct step steps[] = {
        {0, 50, false, false},   {99, 50, false, false},
        {99, 4, false, false},   {101, 50, false, false},
        {200, 50, false, false}, {201, 50, false, true},
        {202, 4, false, false},  {203, 50, false, false},
        {302, 50, false, false}, {303, 50, false, true},
    };

    PLAY(steps);
}
END_TEST

/* bytes_ <= maxpacket_ */
START_TEST(so_does_the_last_that_waits)
{
    const struct step steps[] = {
        {0, 50, false, false},   {99, 50, true, false},
        {150, 50, false, false}, {249, 50, false, false},
        {250, 50, true, false},  {300, 50, false, false},
        {400, 50, false, true},  {400, 50, true, false},
        {401, 50, false, false},
    };

    PLAY(steps);
}
END_TEST

START_TEST(no_time_is_too_long)
{
    codel.target_ns = INT64_MAX;
    codel.interval_ns = INT64_MAX;
    ck_assert(!weir__codel_drops(&codel, 1, INT64_MAX, false));
    ck_assert(!weir__codel_drops(&codel, INT64_MAX, INT64_MAX, false));
    codel.target_ns = 1;
    ck_assert(weir__codel_drops(&codel, INT64_MAX, INT64_MAX, false));
}
END_TEST

/* -------------------------------------------------------------- properties */

/* xorshift: any fixed seed does. */
static uint32_t draw(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Mostly on by up to 20 ms, at times back or on by any length. */
static int64_t next_moment(uint32_t *random, int64_t now_ns)
{
    int64_t far_ns = (int64_t)((uint64_t)draw(random) << 31);

    switch (draw(random) % 64) {
    case 0:
        return far_ns;
    case 1:
        return now_ns > WEIR_SECONDS(1) ? now_ns - WEIR_SECONDS(1) : 0;
    case 2:
        return INT64_MAX - 1 - WEIR_MS(draw(random) % 200);
    default:
        return now_ns > INT64_MAX - WEIR_MS(20)
                   ? now_ns
                   : now_ns + draw(random) % WEIR_MS(20);
    }
}

/* What is dropped has waited for more than twice the target, and each look
 * since one that was an interval before was above, with others behind it. */
START_TEST(whatever_the_clock_does_only_a_standing_queue_loses_tasks)
{
    uint32_t random = 1 + (uint32_t)_i;
    int64_t now_ns = START_NS, least_ns = INT64_MAX;
    unsigned drops = 0;

    for (int i = 0; i < 20000; i++) {
        int64_t waited_ns = draw(&random) % 32 ? WEIR_MS(5 + draw(&random) % 40)
                                               : draw(&random) % WEIR_MS(5);
        bool is_last = draw(&random) % 64 == 0;
        bool dropped;

        now_ns = next_moment(&random, now_ns);
        if (waited_ns < WEIR_MS(5) || is_last)
            least_ns = INT64_MAX; /* of those above in a row */
        else if (now_ns < least_ns)
            least_ns = now_ns;
        dropped = weir__codel_drops(&codel, now_ns, waited_ns, is_last);
        drops += dropped;
        ck_assert(!dropped || waited_ns > WEIR_MS(10));
        ck_assert(!dropped || !is_last);
        ck_assert(!dropped || now_ns - least_ns >= WEIR_MS(100));
    }
    ck_assert_uint_gt(drops, 100);
}
END_TEST

/* No jump makes it drop nothing for ever. */
START_TEST(after_any_jump_it_drops_again_within_an_interval)
{
    uint32_t random = 1 + (uint32_t)_i;
    int64_t now_ns = START_NS;

    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 50; i++) {
            now_ns = next_moment(&random, now_ns);
            (void)weir__codel_drops(&codel, now_ns, WEIR_MS(draw(&random) % 50),
                                    false);
        }
        now_ns %= WEIR_SECONDS(2000);
        (void)weir__codel_drops(&codel, now_ns, WEIR_MS(50), false);
        ck_assert(weir__codel_drops(&codel, now_ns + WEIR_MS(100), WEIR_MS(50),
                                    false));
    }
}
END_TEST

int main(void)
{
    const TTest *const states[] = {
        below_the_target_nothing_is_dropped_for_ever,
        above_it_nothing_is_dropped_for_an_interval,
        then_all_that_has_waited_for_more_than_twice_the_target,
        one_below_the_target_begins_the_interval_anew,
        so_does_the_last_that_waits,
        no_time_is_too_long,
        NULL,
    };
    const TTest *const properties[] = {
        whatever_the_clock_does_only_a_standing_queue_loses_tasks,
        after_any_jump_it_drops_again_within_an_interval,
        NULL,
    };
    const struct chapter chapters[] = {
        {.name = "states", .tests = states, .setup = setup},
        {.name = "properties", .tests = properties, .setup = setup, .runs = 20},
        {.name = NULL},
    };

    return report("codel", chapters);
}
