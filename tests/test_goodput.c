/* SPDX-License-Identifier: MIT */
/*
 * test_goodput.c - what is done in time at twice the capacity.
 *
 * A pool of 4 workers, 20 ms a task, is offered 400 tasks a second, and can do
 * 200.  What is done more than 100 ms after it came is of no use.  Time is
 * virtual and there are no threads: the policies are the library's, the rest
 * is arithmetic, so each figure is the same everywhere.
 */
#include <math.h>
#include <stdio.h>

#include <weir/deadline.h>

#include "limit/codel.h"
#include "suite.h"

enum {
    WORKERS = 4,
    RATE = 400,     /* tasks offered a second */
    CAPACITY = 200, /* tasks done a second */
    LONG = 4096,    /* places in a long queue */
    SECONDS = 60,
    MOST = RATE * SECONDS
};

#define SERVICE_NS  WEIR_MS(20)
#define DEADLINE_NS WEIR_MS(100)

static struct plan {
    size_t places;
    bool drops_oldest;        /* if there is no place; else refuses */
    int64_t time_to_live_ns;  /* 0: none */
    struct weir__codel codel; /* target 0: none */
    bool by_the_rfc;
} plan;

/* When they came; those in [head, tail) wait. */
static int64_t came_ns[MOST];
static size_t head, tail;
static unsigned good, done, given_up;
static unsigned good_in_second[SECONDS + 1];

static void offer(int64_t now_ns)
{
    if (tail - head == plan.places) {
        given_up++;
        if (!plan.drops_oldest)
            return;
        head++;
    }
    came_ns[tail++] = now_ns;
}

/* ---------------------------------------------- RFC 8289, for comparison */

/* Its pseudo-code, chapters 5.4 to 5.6, by its names, one task a call. */
static struct rfc {
    int64_t first_above_time, drop_next;
    bool dropping;
    uint32_t count, lastcount;
} rfc;

static int64_t control_law(int64_t t, uint32_t count)
{
    return t + (int64_t)((double)WEIR_MS(100) / sqrt(count));
}

static bool ok_to_drop(int64_t now, int64_t sojourn, bool is_last)
{
    if (sojourn < WEIR_MS(5) || is_last) {
        rfc.first_above_time = 0;
        return false;
    }
    if (rfc.first_above_time == 0)
        rfc.first_above_time = now + WEIR_MS(100);
    return now >= rfc.first_above_time;
}

static bool rfc_drops(int64_t now, int64_t sojourn, bool is_last)
{
    uint32_t delta = rfc.count - rfc.lastcount;

    if (!ok_to_drop(now, sojourn, is_last)) {
        rfc.dropping = false;
        return false;
    }
    if (!rfc.dropping) {
        rfc.dropping = true;
        rfc.count =
            delta > 1 && now - rfc.drop_next < 16 * WEIR_MS(100) ? delta : 1;
        rfc.drop_next = control_law(now, rfc.count);
        rfc.lastcount = rfc.count;
        return true;
    }
    if (now < rfc.drop_next)
        return false;
    rfc.drop_next = control_law(rfc.drop_next, ++rfc.count);
    return true;
}

/* -------------------------------------------------------------- simulation */

static bool is_given_up(int64_t now_ns)
{
    int64_t waited_ns = now_ns - came_ns[head];

    if (plan.time_to_live_ns > 0 && waited_ns >= plan.time_to_live_ns)
        return true;
    if (plan.by_the_rfc)
        return rfc_drops(now_ns, waited_ns, tail - head == 1);
    return plan.codel.target_ns > 0 &&
           weir__codel_drops(&plan.codel, now_ns, waited_ns, tail - head == 1);
}

/* A worker is free. */
static bool take(int64_t now_ns)
{
    while (head < tail && is_given_up(now_ns)) {
        head++;
        given_up++;
    }
    if (head == tail)
        return false;
    done++;
    if (now_ns + SERVICE_NS - came_ns[head] <= DEADLINE_NS) {
        good++;
        good_in_second[now_ns / WEIR_SECONDS(1)]++;
    }
    head++;
    return true;
}

/* Tasks come every 1 / RATE, give or take half of that. */
static int64_t arrival(unsigned i)
{
    static uint32_t random;

    random = (i == 0 ? 7 : random) * 1664525 + 1013904223;
    return WEIR_SECONDS(i) / RATE +
           (int64_t)(random >> 8) % (WEIR_SECONDS(1) / RATE) / 2;
}

/* Runs the plan for so many seconds; returns what was good, in percent of the
 * capacity. */
static double simulate(struct plan what, unsigned seconds)
{
    int64_t free_ns[WORKERS] = {0};
    int64_t next_ns = arrival(0);
    unsigned offered = 0;

    plan = what;
    rfc = (struct rfc){0};
    head = tail = 0;
    good = done = given_up = 0;
    for (unsigned i = 0; i <= SECONDS; i++)
        good_in_second[i] = 0;
    for (int64_t now_ns = 0; now_ns < WEIR_SECONDS(seconds);
         now_ns += WEIR_US(100)) {
        while (next_ns <= now_ns && offered < RATE * seconds) {
            offer(now_ns);
            next_ns = arrival(++offered);
        }
        for (int i = 0; i < WORKERS; i++)
            if (free_ns[i] <= now_ns && take(now_ns))
                free_ns[i] = now_ns + SERVICE_NS;
    }
    ck_assert_uint_eq(offered, done + given_up + (tail - head));
    ck_assert_uint_le(done, CAPACITY * seconds + WORKERS);
    return 100.0 * good / (CAPACITY * seconds);
}

static void say(const char *what, double percent)
{
    printf("  %-40s %5.1f %% of the capacity in time\n", what, percent);
}

/* ------------------------------------------------------------- experiments */

START_TEST(a_long_queue_delivers_almost_nothing_in_time)
{
    double share = simulate((struct plan){.places = LONG}, 10);

    say("first in first out, a long queue", share);
    ck_assert_double_lt(share, 5);
    ck_assert_uint_ge(done, 1990); /* and all are busy */
}
END_TEST

START_TEST(and_so_does_dropping_the_oldest_of_it)
{
    double share =
        simulate((struct plan){.places = LONG / 4, .drops_oldest = true}, 10);

    say("drop oldest, a long queue", share);
    ck_assert_double_lt(share, 5);
}
END_TEST

START_TEST(a_time_to_live_of_deadline_less_service_delivers_all_it_can)
{
    double share =
        simulate((struct plan){.places = LONG,
                               .time_to_live_ns = DEADLINE_NS - SERVICE_NS},
                 10);

    say("time to live, a long queue", share);
    ck_assert_double_ge(share, 95);
}
END_TEST

/* rate * (deadline - service) = 16 places */
START_TEST(so_does_a_queue_no_longer_than_the_deadline)
{
    double refuses = simulate((struct plan){.places = 12}, 10);
    double drops =
        simulate((struct plan){.places = 12, .drops_oldest = true}, 10);

    say("refuse, 12 places", refuses);
    say("drop oldest, 12 places", drops);
    ck_assert_double_ge(refuses, 95);
    ck_assert_double_ge(drops, 95);
    ck_assert_double_lt(simulate((struct plan){.places = 32}, 10), 20);
}
END_TEST

static struct plan controlled(int64_t target_ns, size_t places)
{
    return (struct plan){.places = places,
                         .codel = {.target_ns = target_ns,
                                   .interval_ns = WEIR_MS(100)}};
}

/* Twice the target, and the service, are the deadline. */
START_TEST(controlled_delay_delivers_all_but_the_beginning)
{
    double in_all = simulate(controlled(WEIR_MS(40), LONG), 10);
    unsigned later = 0;

    say("CoDel, target 40 ms, a long queue", in_all);
    say("CoDel, target 5 ms", simulate(controlled(WEIR_MS(5), LONG), 10));
    say("CoDel, target 80 ms", simulate(controlled(WEIR_MS(80), LONG), 10));
    (void)simulate(controlled(WEIR_MS(40), LONG), 10);
    for (int second = 1; second < 10; second++)
        later += good_in_second[second];
    ck_assert_double_ge(in_all, 90);
    ck_assert_uint_ge(later, CAPACITY * 9 * 95 / 100);
}
END_TEST

START_TEST(the_control_law_of_the_rfc_delivers_little)
{
    double in_all =
        simulate((struct plan){.places = LONG, .by_the_rfc = true}, SECONDS);

    say("CoDel by RFC 8289, target 5 ms", in_all);
    ck_assert_double_lt(in_all, 20);
}
END_TEST

/* What it is made for. */
START_TEST(controlled_delay_bears_a_burst)
{
    plan = controlled(WEIR_MS(40), LONG);
    head = tail = 0;
    given_up = 0;
    for (int i = 0; i < 16; i++)
        offer(0);
    for (int64_t now_ns = 0; head < tail; now_ns += WEIR_MS(5))
        (void)take(now_ns);
    ck_assert_uint_eq(given_up, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_long_queue_delivers_almost_nothing_in_time,
        and_so_does_dropping_the_oldest_of_it,
        a_time_to_live_of_deadline_less_service_delivers_all_it_can,
        so_does_a_queue_no_longer_than_the_deadline,
        controlled_delay_delivers_all_but_the_beginning,
        the_control_law_of_the_rfc_delivers_little,
        controlled_delay_bears_a_burst,
        NULL,
    };
    const struct chapter chapters[] = {
        {.name = "goodput", .tests = tests},
        {.name = NULL},
    };

    return report("goodput", chapters);
}
