/* SPDX-License-Identifier: MIT */
/* stress_queue_idle.c - who waits on a queue costs nothing: it does not run. */
#include <weir/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper.h"
#include "suite.h"

enum { EACH = 4, WAITERS = 3 * EACH, QUIET_MS = 200, PERIODS_AT_MOST = 40 };

static weir_queue *empty; /* nothing to get */
static weir_queue *full;  /* no room, and an item that nobody finishes */
static struct tally begun = TALLY_INIT, passed = TALLY_INIT;

/* ------------------------------------------------------------- who waits */

struct waiter {
    struct helper helper;
    pid_t thread; /* set before `begun` counts it */
    weir_status (*act)(void);
    weir_status status; /* that ended it */
};

static weir_status get_from_empty(void)
{
    int item;

    return weir_queue_get(empty, &item, WEIR_FOREVER);
}

static weir_status put_into_full(void)
{
    const int item = 1;

    return weir_queue_put(full, &item, WEIR_FOREVER);
}

/* Only once: when it is joined it is over. */
static weir_status join_full(void)
{
    weir_status status = weir_queue_join(full, WEIR_FOREVER);

    return status == WEIR_OK ? WEIR_CLOSED : status;
}

static void wait_again_and_again(void *arg)
{
    struct waiter *waiter = arg;

    waiter->thread = gettid();
    tally_add(&begun, 1);
    while ((waiter->status = waiter->act()) == WEIR_OK)
        tally_add(&passed, 1);
}

static void start_waiters(struct waiter waiters[WAITERS])
{
    weir_status (*const acts[])(void) = {get_from_empty, put_into_full,
                                         join_full};

    for (int i = 0; i < WAITERS; i++) {
        waiters[i].act = acts[i / EACH];
        helper_start(&waiters[i].helper, wait_again_and_again, &waiters[i]);
    }
    await_count(&begun, WAITERS);
}

static weir_queue *new_queue(void)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    weir_queue *queue = NULL;

    options.capacity = 1;
    ck_assert_int_eq(weir_queue_create(&queue, sizeof(int), &options), WEIR_OK);
    return queue;
}

static void setup(void)
{
    empty = new_queue();
    full = new_queue();
    ck_assert_int_eq(put_into_full(), WEIR_OK);
}

/* Ends everybody's wait. */
static void end_waiters(struct waiter waiters[WAITERS])
{
    weir_queue_close(empty);
    weir_queue_abort(full);
    ck_assert_int_eq(weir_queue_task_done(full, weir_queue_unfinished(full)),
                     WEIR_OK);
    for (int i = 0; i < WAITERS; i++) {
        helper_join(&waiters[i].helper);
        ck_assert_int_eq(waiters[i].status, WEIR_CLOSED);
    }
    weir_queue_destroy(empty);
    weir_queue_destroy(full);
}

/* --------------------------------------------------------- what it costs */

struct cost {
    long switches; /* of the thread with another, by its will or not */
    int64_t cpu_ns;
    bool asleep;
};

static long number_after(const char *line, const char *name)
{
    size_t length = strlen(name);

    return strncmp(line, name, length) ? 0 : strtol(line + length, NULL, 10);
}

static struct cost cost_of(const struct waiter *waiter)
{
    struct cost cost = {0, 0, false};
    char path[100], line[200];
    struct timespec used;
    clockid_t clock;
    FILE *file;

    ck_assert_int_eq(pthread_getcpuclockid(waiter->helper.native, &clock), 0);
    ck_assert_int_eq(clock_gettime(clock, &used), 0);
    cost.cpu_ns = (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
    snprintf(path, sizeof(path), "/proc/self/task/%d/status",
             (int)waiter->thread);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file)) {
        cost.switches += number_after(line, "voluntary_ctxt_switches:") +
                         number_after(line, "nonvoluntary_ctxt_switches:");
        cost.asleep |= strncmp(line, "State:\tS", 8) == 0;
    }
    fclose(file);
    return cost;
}

/* What a period without traffic costs all of them; `asleep`: at its begin and
 * its end. */
static struct cost cost_of_a_period(const struct waiter waiters[WAITERS])
{
    const struct timespec quiet = {.tv_nsec = QUIET_MS * 1000000L};
    struct cost sum = {0, 0, true}, before[WAITERS];

    for (int i = 0; i < WAITERS; i++)
        before[i] = cost_of(&waiters[i]);
    nanosleep(&quiet, NULL);
    for (int i = 0; i < WAITERS; i++) {
        struct cost after = cost_of(&waiters[i]);

        sum.switches += after.switches - before[i].switches;
        sum.cpu_ns += after.cpu_ns - before[i].cpu_ns;
        sum.asleep &= before[i].asleep && after.asleep;
    }
    return sum;
}

/* They may be still on their way to where they park, so some periods are left
 * out; whoever wakes now and then does so in each. */
static void assert_it_costs_nothing(const struct waiter waiters[WAITERS])
{
    struct cost cost;

    for (int i = 0; i < PERIODS_AT_MOST; i++) {
        cost = cost_of_a_period(waiters);
        if (cost.asleep && cost.switches == 0 && cost.cpu_ns == 0)
            return;
    }
    ck_abort_msg("%ld switches and %ld us of processor time in %d ms",
                 cost.switches, (long)(cost.cpu_ns / 1000), QUIET_MS);
}

START_TEST(getters_putters_and_joiners_that_wait_do_not_run)
{
    struct waiter waiters[WAITERS];

    setup();
    start_waiters(waiters);
    assert_it_costs_nothing(waiters);
    end_waiters(waiters);
}
END_TEST

/* One by one: each put and get wakes somebody. */
START_TEST(nor_do_they_once_traffic_has_passed)
{
    struct waiter waiters[WAITERS];

    setup();
    start_waiters(waiters);
    for (uint64_t i = 0; i < 500; i++) {
        int item = 1;

        ck_assert_int_eq(weir_queue_put(empty, &item, WEIR_FOREVER), WEIR_OK);
        ck_assert_int_eq(weir_queue_get(full, &item, WEIR_FOREVER), WEIR_OK);
        if (i % 50 == 0)
            await_count(&passed, 2 * i);
    }
    assert_it_costs_nothing(waiters);
    end_waiters(waiters);
}
END_TEST

int main(void)
{
    const TTest *const idle[] = {
        getters_putters_and_joiners_that_wait_do_not_run,
        nor_do_they_once_traffic_has_passed, NULL};
    const struct chapter chapters[] = {{"idle", idle, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("queue: idle", chapters);
}
