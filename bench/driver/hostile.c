/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - a contender's program for tasks that mean no good.
 *
 * Its argument is one thing that happens; it says in words what comes of it, as
 * far as it gets: whoever started it sees whether it ends.
 */
#include "hostile.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 4, MORE_TASKS = 8, FEW_TASKS = 3, PATIENCE_MS = 1000 };

/* A count that can be waited for. */
struct count {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned value;
};
#define COUNT_INIT                                                             \
 {                                                                             \
  PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0                       \
 }

static void add(struct count *count)
{
    pthread_mutex_lock(&count->mutex);
    count->value++;
    pthread_cond_broadcast(&count->changed);
    pthread_mutex_unlock(&count->mutex);
}

/* What it is when it has reached `wanted`, or after a while. */
static unsigned await(struct count *count, unsigned wanted)
{
    struct timespec until;
    unsigned value;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&count->mutex);
    while (count->value < wanted &&
           !pthread_cond_timedwait(&count->changed, &count->mutex, &until))
        continue;
    value = count->value;
    pthread_mutex_unlock(&count->mutex);
    return value;
}

static void nap_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* ------------------------------------------------------------------- tasks */

static struct count exits = COUNT_INIT, runs = COUNT_INIT;
static struct count meeting = COUNT_INIT, stuck = COUNT_INIT;

static void run_and_exit(void *arg)
{
    (void)arg;
    add(&exits);
    pthread_exit(NULL);
}

static void run(void *arg)
{
    (void)arg;
    add(&runs);
}

/* Waits for as many others as there should be workers. */
static void meet(void *arg)
{
    (void)arg;
    add(&meeting);
    await(&meeting, WORKERS);
}

static void be_stuck(void *arg)
{
    add(&stuck);
    while (!arg)
        pause();
}

/* ------------------------------------------------------------- what happens */

static void *start(void)
{
    void *pool = hostile_pool.start(WORKERS);

    if (!pool) {
        printf("does not start");
        exit(1);
    }
    return pool;
}

/* How many it accepts. */
static unsigned submit(void *pool, void (*task)(void *arg), unsigned count)
{
    unsigned accepted = 0;

    while (count-- > 0)
        accepted += hostile_pool.submit(pool, task, NULL);
    return accepted;
}

static void end(void *pool)
{
    const char *said = hostile_pool.end(pool);

    if (said)
        printf("%s; ", said);
}

static void *start_and_lose_threads(void)
{
    void *pool = start();

    submit(pool, run_and_exit, WORKERS);
    await(&exits, WORKERS);
    nap_ms(100);
    return pool;
}

static void exits_happen(void)
{
    void *pool = start_and_lose_threads();

    submit(pool, meet, WORKERS);
    printf("%u of %d workers left; ", await(&meeting, WORKERS), WORKERS);
    end(pool);
}

static void exits_then_end(void)
{
    void *pool = start_and_lose_threads();

    printf("%u accepted; ", submit(pool, run, MORE_TASKS));
    end(pool);
    printf("%u run; ", await(&runs, 0));
}

static void another_ends(void)
{
    void *pool = start();
    void *other = hostile_pool.start(WORKERS);

    if (!other) {
        printf("there is one pool only; ");
        return;
    }
    end(other);
    printf("%u accepted; ", submit(pool, run, FEW_TASKS));
    printf("%u run; ", await(&runs, FEW_TASKS));
    end(pool);
}

static void fork_happens(void)
{
    void *pool = start();
    pid_t child;
    int status;

    submit(pool, run, 1);
    await(&runs, 1);
    nap_ms(50);
    child = fork();
    if (child == 0) {
        alarm(5);
        runs.value = 0;
        printf("%u accepted in the child; ", submit(pool, run, FEW_TASKS));
        printf("%u run; ", await(&runs, FEW_TASKS));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    end(pool);
}

static void one_is_stuck(void)
{
    void *pool = start();

    submit(pool, be_stuck, 1);
    await(&stuck, 1);
    end(pool);
}

static void closed_with_items(void)
{
    if (hostile_pool.close_queue)
        printf("%u of 3 come out; ", hostile_pool.close_queue());
    else
        printf("has no queue to close; ");
}

static const struct {
    const char *name;
    void (*happens)(void);
} happenings[] = {
    {"exits", exits_happen},   {"drain", exits_then_end},
    {"another", another_ends}, {"fork", fork_happens},
    {"stuck", one_is_stuck},   {"closed", closed_with_items},
};

int main(int argc, char **argv)
{
    const char *version = hostile_pool.version ? hostile_pool.version() : "";

    setvbuf(stdout, NULL, _IONBF, 0); /* it may hang, or fork */
    if (argc == 2 && strcmp(argv[1], "about") == 0) {
        printf("%s%s%s", hostile_pool.name, *version ? " " : "", version);
        return 0;
    }
    for (size_t i = 0; i < sizeof(happenings) / sizeof(happenings[0]); i++)
        if (argc == 2 && strcmp(argv[1], happenings[i].name) == 0) {
            happenings[i].happens();
            exit(0); /* with all that runs at an exit */
        }
    fprintf(stderr,
            "usage: %s about | exits | drain | another | fork | stuck "
            "| closed\n",
            argv[0]);
    return 2;
}
