/* SPDX-License-Identifier: MIT */
/* machine.c - see machine.h. */
#include "machine.h"

#include <gnu/libc-version.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../driver/work.h"

enum { TRIPS = 20000, FEW_TRIPS = 500, TRIES = 5, MOST_OTHERS = 8 };

/* ------------------------------------------------------------------ facts */

static void read_model(char *out, size_t room)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];

    snprintf(out, room, "unknown processor");
    while (file && fgets(line, sizeof(line), file)) {
        const char *value = strchr(line, ':');

        if (strncmp(line, "model name", 10) == 0 && value) {
            snprintf(out, room, "%.*s", (int)strcspn(value + 2, "\n\"\\"),
                     value + 2);
            break;
        }
    }
    if (file)
        fclose(file);
}

static unsigned usable(size_t *first, unsigned room)
{
    cpu_set_t set;
    unsigned count = 0;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set))
        return 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set)) {
            if (count < room)
                first[count] = i;
            count++;
        }
    return count;
}

struct machine machine_look(void)
{
    struct machine m = {.processors = usable(NULL, 0)};
    struct utsname name;

    read_model(m.model, sizeof(m.model));
    if (!uname(&name))
        snprintf(m.kernel, sizeof(m.kernel), "%.20s %.60s", name.sysname,
                 name.release);
    snprintf(m.libc, sizeof(m.libc), "glibc %s", gnu_get_libc_version());
#ifdef __clang__
    snprintf(m.compiler, sizeof(m.compiler), "clang %s", __clang_version__);
#else
    snprintf(m.compiler, sizeof(m.compiler), "gcc %s", __VERSION__);
#endif
    return m;
}

/* ------------------------------------------------------------- round trip */

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pin(size_t processor)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* On a cache line of its own. */
static struct {
    unsigned turn;
} line __attribute__((aligned(128)));

static unsigned trips_to_make;
static double began_s; /* when both were there; written by the first player */

struct player {
    size_t processor;
    unsigned mine; /* the turns that are mine: odd or even */
};

static void *play(void *arg)
{
    const struct player *player = arg;
    const unsigned end = 2 * trips_to_make;
    unsigned turn = player->mine;

    pin(player->processor);
    for (; turn < end; turn += 2) {
        while (__atomic_load_n(&line.turn, __ATOMIC_ACQUIRE) != turn)
            continue;
        if (turn == 2)
            began_s = now_s();
        __atomic_store_n(&line.turn, turn + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static double trip_ns(size_t one, size_t other)
{
    struct player players[2] = {{one, 0}, {other, 1}};
    pthread_t threads[2];

    __atomic_store_n(&line.turn, 0, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, play, &players[i]))
            abort();
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return (now_s() - began_s) * 1e9 / trips_to_make;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct machine_trip machine_trip(bool few)
{
    double trips[TRIES * MOST_OTHERS];
    size_t processors[1 + MOST_OTHERS];
    unsigned count = usable(processors, 1 + MOST_OTHERS), n = 0;

    trips_to_make = few ? FEW_TRIPS : TRIPS;
    if (count < 2)
        return (struct machine_trip){0, 0, 0};
    if (count > 1 + MOST_OTHERS)
        count = 1 + MOST_OTHERS;
    for (unsigned i = 1; i < count; i++)
        for (int try = 0; try < TRIES; try++)
            trips[n++] = trip_ns(processors[0], processors[i]);
    qsort(trips, n, sizeof(*trips), by_size);
    return (struct machine_trip){trips[n / 2], trips[0], trips[n - 1]};
}

/* ------------------------------------------------------------------ steps */

enum { STEPS = 100000, STEP_TRIES = 50 };

uint64_t machine_steps(uint64_t us)
{
    static double step_ns;

    for (int try = 0; step_ns <= 0 || try < STEP_TRIES; try++) {
        double began = now_s(), ns;
        uint64_t result = work_compute((uint64_t)try, STEPS);

        __asm__ volatile("" : : "r"(result));
        ns = (now_s() - began) * 1e9 / STEPS;
        if (step_ns <= 0 || ns < step_ns)
            step_ns = ns;
    }
    return (uint64_t)((double)us * 1000 / step_ns + 0.5);
}

/* ------------------------------------------------------------------- load */

struct machine_load machine_load(void)
{
    FILE *file = fopen("/proc/stat", "re");
    char text[256] = "";
    double ticks = 0;
    char *at = text + 3;

    if (file && !fgets(text, sizeof(text), file))
        text[0] = '\0';
    if (file)
        fclose(file);
    /* user nice system idle iowait irq softirq steal */
    for (int field = 0; *text && field < 8; field++) {
        double value = (double)strtoull(at, &at, 10);

        if (field != 3 && field != 4)
            ticks += value;
    }
    return (struct machine_load){ticks / (double)sysconf(_SC_CLK_TCK), now_s()};
}

double machine_cpu_s(pid_t process)
{
    struct timespec used;
    clockid_t clock;

    if (process < 0 || clock_getcpuclockid(process, &clock) ||
        clock_gettime(clock, &used))
        return 0;
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

double machine_foreign(double seconds, pid_t taker)
{
    const struct timespec moment = {.tv_sec = (time_t)seconds,
                                    .tv_nsec = (long)(fmod(seconds, 1) * 1e9)};
    double taken = machine_cpu_s(taker), foreign;
    struct machine_load before = machine_load(), after;

    nanosleep(&moment, NULL);
    after = machine_load();
    taken = machine_cpu_s(taker) - taken;
    foreign =
        (after.busy_s - before.busy_s - taken) / (after.now_s - before.now_s);
    return foreign > 0 ? foreign : 0;
}

pid_t machine_take(void)
{
    size_t processors[CPU_SETSIZE];
    unsigned count = usable(processors, CPU_SETSIZE);
    pid_t parent = getpid(), pid = count ? fork() : -1;

    if (pid != 0)
        return pid;
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(processors[count - 1]);
    while (getppid() == parent)
        for (unsigned i = 0; i < 1000000; i++)
            __asm__ volatile("" ::: "memory");
    _exit(0);
}

void machine_give_back(pid_t taker)
{
    if (taker <= 0)
        return;
    kill(taker, SIGKILL);
    waitpid(taker, NULL, 0);
}
