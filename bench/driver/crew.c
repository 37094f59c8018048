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

struct usage {
    uint64_t cpu_ns, switches;
};

static uint64_t of_timeval(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

static struct usage usage_now(void)
{
    struct rusage r;

    if (getrusage(RUSAGE_SELF, &r))
        contender_failed("getrusage");
    return (struct usage){of_timeval(r.ru_utime) + of_timeval(r.ru_stime),
                          (uint64_t)(r.ru_nvcsw + r.ru_nivcsw)};
}

uint64_t crew_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
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
    struct usage before, after;
    uint64_t start_ns;

    if (!threads || pthread_barrier_init(&gate, NULL, (unsigned)count + 1))
        contender_failed("no memory for threads");
    for (size_t i = 0; i < count; i++) {
        parts[i].turn = (unsigned)i;
        if (pthread_create(&threads[i], NULL, run_part, &parts[i]))
            contender_failed("a thread did not start");
    }
    before = usage_now();
    start_ns = crew_now_ns() + 1000000;
    for (size_t i = 0; i < count; i++)
        parts[i].start_ns = start_ns;
    pthread_barrier_wait(&gate);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    after = usage_now();
    pthread_barrier_destroy(&gate);
    free(threads);
    *out = (struct result){0};
    add_up(parts, count, out);
    out->cpu_ns = after.cpu_ns - before.cpu_ns;
    out->switches = after.switches - before.switches;
}
