/* SPDX-License-Identifier: MIT */
/* stress_queue_moved.c - the queue while its threads are moved from processor
 * to processor and interrupted by signals, wherever they stand. */
#include <weir/queue.h>

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/atomic.h"
#include "helper.h"
#include "suite.h"
#include "traffic.h"

/* ------------------------------------------------------------ the tormentor */

static struct weir__flag traffic_is_over;
static struct weir__counter signals; /* handled */
static struct weir__counter moves;

static void count_signal(int number)
{
    (void)number;
    weir__counter_add(&signals, 1);
}

/* The same numbers each time; what they meet is up to the machine. */
static unsigned random_below(unsigned limit)
{
    static uint64_t state = 1;

    state =
        state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % limit;
}

/* One processor of those allowed, or now and then all of them again. */
static cpu_set_t choose_from(const cpu_set_t *allowed)
{
    unsigned nth = random_below((unsigned)CPU_COUNT(allowed) + 1);
    cpu_set_t one;

    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, allowed))
            continue;
        if (nth-- == 0) {
            CPU_SET(cpu, &one);
            return one;
        }
    }
    return *allowed;
}

/* A thread that has ended meanwhile is no longer there to be hurt. */
static void torment(pid_t thread, const cpu_set_t *allowed)
{
    if (random_below(4) == 0) {
        cpu_set_t there = choose_from(allowed);

        if (sched_setaffinity(thread, sizeof(there), &there) == 0)
            weir__counter_add(&moves, 1);
    }
    tgkill(getpid(), thread, SIGUSR1);
}

/* All threads but the first, whose children would inherit where it is, and the
 * tormentor itself. */
static void torment_until_over(void *arg)
{
    const cpu_set_t *allowed = arg;

    while (!weir__flag_read(&traffic_is_over)) {
        DIR *threads = opendir("/proc/self/task");
        struct dirent *entry;

        while ((entry = readdir(threads)) != NULL) {
            pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

            if (thread > 0 && thread != getpid() && thread != gettid())
                torment(thread, allowed);
        }
        closedir(threads);
        sched_yield();
    }
}

static void run_tormented(const struct traffic *traffic)
{
    struct sigaction action = {.sa_handler = count_signal};
    struct helper tormentor;
    cpu_set_t allowed;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    weir__flag_write(&traffic_is_over, false);
    helper_start(&tormentor, torment_until_over, &allowed);
    traffic_run(traffic);
    weir__flag_write(&traffic_is_over, true);
    helper_join(&tormentor);
}

/* ---------------------------------------------------------------- traffic */

static const size_t capacities[] = {1, 3, 64};
enum { CAPACITIES = sizeof(capacities) / sizeof(capacities[0]) };

/* _i: a capacity and a style; some numbers of threads, and all ends. */
START_TEST(threads_that_are_moved_and_interrupted_lose_nothing)
{
    for (size_t i = 0; i < TRAFFIC_ENDS; i++) {
        struct traffic traffic = {.putters = i + 1,
                                  .getters = TRAFFIC_ENDS - i,
                                  .capacity = capacities[_i % CAPACITIES],
                                  .items = traffic_items(6000),
                                  .style = (unsigned)_i / CAPACITIES,
                                  .end = (unsigned)i};

        run_tormented(&traffic);
        traffic.on_full = WEIR_ON_FULL_DROP_OLDEST;
        run_tormented(&traffic);
    }
    ck_assert_uint_gt(weir__counter_read(&signals), 0);
    ck_assert_uint_gt(weir__counter_read(&moves), 0);
}
END_TEST

int main(void)
{
    const TTest *const traffic[] = {
        threads_that_are_moved_and_interrupted_lose_nothing, NULL};
    const struct chapter chapters[] = {{"traffic", traffic, NULL, NULL,
                                        CAPACITIES * TRAFFIC_STYLES, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("stress: queue, moved", chapters);
}
