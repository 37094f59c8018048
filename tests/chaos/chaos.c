/* SPDX-License-Identifier: MIT */
/*
 * chaos.c - hostile tasks by the million, and then everything is counted.
 *
 * Rounds of submitters: the first one, a tenth as long, warms everything up
 * (what is allocated once, stacks, code); the quiet after it is what later ones
 * are compared with.
 */
#include "chaos.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SUBMITTERS = 4, WARM_UP = 10, LEAST_WARM_UP = 8000, QUIET_SECONDS = 60 };

struct wish wish = {.tasks = 1000000, .workers = 8, .command = "./dev chaos"};

static const char usage[] =
    "usage: chaos [--tasks N] [--seed S] [--minutes M] [--workers W]\n"
    "             [--only KIND,...] [--list]\n"
    "\n"
    "Has N hostile tasks (1000000) run by pools of W workers (8) each while\n"
    "others disturb, then counts everything.\n"
    "\n"
    "  --tasks N     so many tasks a round, at least 1000\n"
    "  --seed S      what the mixture is drawn from (the time; it is printed)\n"
    "  --minutes M   round after round for M minutes: a soak\n"
    "  --workers W   of each pool, 1 to 64\n"
    "  --only K,...  tasks of these kinds only\n"
    "  --list        the kinds, and their share of 1000 tasks\n";

/* ------------------------------------------------------------------ failing */

/* How to see it again: written once, at the start. */
static char again[400];

static void compose_again(void)
{
    snprintf(again, sizeof(again),
             "chaos: to run it again: %s --tasks %" PRIu64 " --seed %" PRIu64
             " --workers %u%s%s%s\n",
             wish.command, wish.tasks, wish.seed, (unsigned)wish.workers,
             wish.only ? " --only '" : "", wish.only ? wish.only : "",
             wish.only ? "'" : "");
}

void fail(const char *format, ...)
{
    static struct weir__flag failing;
    va_list arguments;

    if (weir__flag_swap(&failing, true))
        for (;;)
            pause(); /* the first one has the word */
    fflush(stdout);
    fprintf(stderr, "\nchaos: FAILED: ");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n%s", again);
    _exit(1);
}

/* A crash ends the run as it should, but not without a word. */
static void on_crash(int number)
{
    ssize_t written = write(STDERR_FILENO, again, strlen(again));

    (void)written;
    signal(number, SIG_DFL);
    raise(number);
}

static void catch_crashes(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_NODEFER};

    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        sigaction(crashes[i], &action, NULL);
}

/* ------------------------------------------------------------------ helpers */

uint32_t draw(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

/* splitmix64: neighbours have nothing in common. */
uint32_t seeded(uint32_t number)
{
    uint64_t z = wish.seed + (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z ^ z >> 31) | 1;
}

static int64_t slowness(void)
{
    const char *slow = getenv("WEIR_TEST_SLOW");
    long times = slow ? strtol(slow, NULL, 10) : 1;

    return times > 1 ? times : 1;
}

weir_deadline hang(void)
{
    return weir_deadline_after(WEIR_SECONDS(QUIET_SECONDS) * slowness());
}

/* Not a cancellation point: a pending cancel is a kind's own affair. */
void nap_us(uint32_t us)
{
    struct timespec time = {us / 1000000, (long)(us % 1000000) * 1000};
    int before;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    nanosleep(&time, NULL);
    pthread_setcancelstate(before, &before);
}

int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * WEIR_SECONDS(1) + now.tv_nsec;
}

/* --------------------------------------------------------------- submitters */

struct submitter {
    pthread_t thread;
    uint32_t random;
    uint64_t tasks; /* to submit */
};

/* A block: the numbers of kinds, each as often as its share says.  `tasks` is
 * how many tasks that makes. */
static size_t lay_out_block(unsigned char *block, unsigned *tasks)
{
    size_t length = 0;
    unsigned taken = 0;

    *tasks = 0;
    for (size_t i = 0; i < kind_count; i++) {
        unsigned burst = kinds[i].burst ? kinds[i].burst : 1;

        taken += kinds[i].share;
        if (!kind_is_in(&kinds[i]))
            continue;
        for (unsigned k = 0; k + burst <= kinds[i].share; k += burst)
            block[length++] = (unsigned char)i;
        *tasks += kinds[i].share / burst * burst;
    }
    for (; taken < SHARES && kind_is_in(&kinds[0]); taken++) {
        block[length++] = 0;
        ++*tasks;
    }
    return length;
}

static void shuffle(unsigned char *block, size_t length, uint32_t *random)
{
    for (size_t i = length; i > 1; i--) {
        size_t k = draw(random, (uint32_t)i);
        unsigned char other = block[k];

        block[k] = block[i - 1];
        block[i - 1] = other;
    }
}

static void *submitter_main(void *arg)
{
    struct submitter *me = arg;
    unsigned char block[SHARES];
    unsigned tasks;
    size_t length = lay_out_block(block, &tasks);

    for (uint64_t done = 0; done < me->tasks; done += tasks) {
        shuffle(block, length, &me->random);
        for (size_t i = 0; i < length; i++)
            submit_kind(&kinds[block[i]], &me->random);
    }
    return NULL;
}

static void play_round(uint32_t number, uint64_t tasks)
{
    struct submitter submitters[SUBMITTERS];

    troubles_start();
    for (uint32_t i = 0; i < SUBMITTERS; i++) {
        submitters[i].random = seeded(number * 1000 + i);
        submitters[i].tasks = tasks / SUBMITTERS;
        if (pthread_create(&submitters[i].thread, NULL, submitter_main,
                           &submitters[i]))
            fail("a thread of the run's own does not start");
    }
    for (uint32_t i = 0; i < SUBMITTERS; i++)
        pthread_join(submitters[i].thread, NULL);
    troubles_stop();
    account_check();
}

static double seconds_now(void)
{
    return (double)now_ns() / 1e9;
}

static void *thread_of_no_use(void *arg)
{
    return arg;
}

/* A sanitizer starts a thread of its own with the first one. */
static void start_first_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, thread_of_no_use, NULL))
        fail("a thread of the run's own does not start");
    pthread_join(thread, NULL);
}

static void run(void)
{
    struct belongings at_first, warm, quiet;
    double began = seconds_now();
    uint32_t round = 0;

    start_first_thread();
    at_first = belongings_now();
    slots_create();
    houses_open();
    play_round(round++, wish.tasks / WARM_UP > LEAST_WARM_UP
                            ? wish.tasks / WARM_UP
                            : LEAST_WARM_UP);
    warm = belongings_now();
    do {
        play_round(round++, wish.tasks);
        quiet = belongings_now();
        if (wish.minutes > 0) {
            printf("%6.0f s, round %u: ", seconds_now() - began, round - 1);
            account_check_memory(&warm, &quiet);
            fflush(stdout);
        }
    } while (seconds_now() - began < (double)wish.minutes * 60);
    account_await_leanness();
    account_print();
    account_check_memory(&warm, &quiet);
    account_check_mixture();
    houses_close();
    account_check_remains(&at_first);
    slots_destroy();
    printf("%.1f s; each task settled once and released once, %u workers in "
           "each pool, every ledger right\n",
           seconds_now() - began, (unsigned)wish.workers);
}

/* ------------------------------------------------------------- command line */

static void list(void)
{
    unsigned rest = SHARES;

    for (size_t i = 0; i < kind_count; i++)
        rest -= kinds[i].share;
    for (size_t i = 0; i < kind_count; i++)
        printf("%-18s %4u\n", kinds[i].name, i == 0 ? rest : kinds[i].share);
}

static bool
read_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = text ? strtoull(text, &end, 10) : 0;
    return text && *text >= '0' && *text <= '9' && !*end && !errno &&
           *out >= least && *out <= most;
}

/* Whether it is understood. */
static bool read_option(const char *name, const char *value)
{
    uint64_t number;

    if (strcmp(name, "--tasks") == 0)
        return read_number(value, SHARES, UINT64_MAX / 2, &wish.tasks);
    if (strcmp(name, "--seed") == 0)
        return read_number(value, 0, UINT64_MAX, &wish.seed);
    if (strcmp(name, "--minutes") == 0)
        return read_number(value, 1, 1000000, &wish.minutes);
    if (strcmp(name, "--workers") == 0) {
        if (!read_number(value, 1, 64, &number))
            return false;
        wish.workers = (uint32_t)number;
        return true;
    }
    if (strcmp(name, "--only") == 0) {
        wish.only = value;
        return value && kinds_check_only();
    }
    return false;
}

/* What is free is to be given back whenever we look: malloc_trim does not do
 * that for any arena but the first. */
static void steady_malloc(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

int main(int argc, char **argv)
{
    const char *command = getenv("WEIR_CHAOS_COMMAND");

    wish.seed = (uint64_t)time(NULL);
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--list") == 0) {
            list();
            return 0;
        }
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (!read_option(argv[i], argv[i + 1])) {
            fprintf(stderr, "chaos: '%s %s' is not understood\n%s", argv[i],
                    argv[i + 1] ? argv[i + 1] : "", usage);
            return 2;
        }
    }
    wish.command = command ? command : argv[0];
    compose_again();
    printf("chaos: %" PRIu64 " tasks, seed %" PRIu64 ", pools of %u workers\n",
           wish.tasks, wish.seed, (unsigned)wish.workers);
    fflush(stdout);
    steady_malloc();
    if (weir_process_start())
        fail("%s", weir_last_error());
    if (!is_sanitized())
        catch_crashes();
    run();
    return 0;
}
