/* SPDX-License-Identifier: MIT */
/* crew.c - see crew.h. */
#include "crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "contender.h"

static pthread_barrier_t gate;

static uint64_t of_timeval(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

static struct crew_usage usage_of(int who)
{
    struct rusage r;

    if (getrusage(who, &r))
        contender_failed("getrusage");
    return (struct crew_usage){of_timeval(r.ru_utime) + of_timeval(r.ru_stime),
                               (uint64_t)(r.ru_nvcsw + r.ru_nivcsw)};
}

struct crew_usage crew_others(void)
{
    struct crew_usage mine = usage_of(RUSAGE_THREAD);
    struct crew_usage all = usage_of(RUSAGE_SELF);

    return (struct crew_usage){all.cpu_ns > mine.cpu_ns
                                   ? all.cpu_ns - mine.cpu_ns
                                   : 0,
                               all.switches - mine.switches};
}

uint64_t crew_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void crew_sleep_until(uint64_t at_ns)
{
    struct timespec at = {.tv_sec = (time_t)(at_ns / 1000000000),
                          .tv_nsec = (long)(at_ns % 1000000000)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
        continue;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

void crew_lateness(uint64_t *late_ns, size_t count, struct result *out)
{
    qsort(late_ns, count, sizeof(*late_ns), by_size);
    out->p50_ns = late_ns[count / 2];
    out->p99_ns = late_ns[count * 99 / 100];
    out->p999_ns = late_ns[count * 999 / 1000];
    out->max_ns = late_ns[count - 1];
}

/* Binds this thread to the processor whose turn it is, of those allowed. */
static void bind(unsigned turn)
{
    cpu_set_t allowed, only;
    size_t processor = 0;

    if (sched_getaffinity(0, sizeof(allowed), &allowed))
        contender_failed("sched_getaffinity");
    turn %= (unsigned)CPU_COUNT(&allowed);
    for (;; processor++)
        if (CPU_ISSET(processor, &allowed) && turn-- == 0)
            break;
    CPU_ZERO(&only);
    CPU_SET(processor, &only);
    if (sched_setaffinity(0, sizeof(only), &only))
        contender_failed("sched_setaffinity");
}

static void *run_part(void *arg)
{
    struct part *part = arg;

    if (part->work->bound)
        bind(part->turn);
    pthread_barrier_wait(&gate);
    part->began_ns = crew_now_ns();
    part->run(part);
    part->ended_ns = crew_now_ns();
    return NULL;
}

static void add_up(const struct part *parts, size_t count, struct result *out)
{
    uint64_t first = UINT64_MAX, last = 0;

    for (size_t i = 0; i < count; i++) {
        if (parts[i].began_ns < first)
            first = parts[i].began_ns;
        if (parts[i].ended_ns > last)
            last = parts[i].ended_ns;
        out->items += parts[i].items;
        out->sum += parts[i].sum;
        out->hash ^= parts[i].hash;
    }
    out->wall_ns = last - first;
}

void crew_run(struct part *parts, size_t count, struct result *out)
{
    pthread_t *threads = calloc(count, sizeof(*threads));
    struct crew_usage before, after;
    uint64_t start_ns;

    if (!threads || pthread_barrier_init(&gate, NULL, (unsigned)count + 1))
        contender_failed("no memory for threads");
    for (size_t i = 0; i < count; i++) {
        parts[i].turn = (unsigned)i;
        if (pthread_create(&threads[i], NULL, run_part, &parts[i]))
            contender_failed("a thread did not start");
    }
    before = usage_of(RUSAGE_SELF);
    start_ns = crew_now_ns() + 1000000;
    for (size_t i = 0; i < count; i++)
        parts[i].start_ns = start_ns;
    pthread_barrier_wait(&gate);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    after = usage_of(RUSAGE_SELF);
    pthread_barrier_destroy(&gate);
    free(threads);
    *out = (struct result){0};
    add_up(parts, count, out);
    out->cpu_ns = after.cpu_ns - before.cpu_ns;
    out->switches = after.switches - before.switches;
}
