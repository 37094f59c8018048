/* SPDX-License-Identifier: MIT */
/*
 * kinds.c - what tasks do, and how each of them has to end.
 *
 * A new kind is a row of the table below: its share, the pools that it goes to,
 * the outcomes that must come and those that may, and what its handler does.
 */
#include "chaos.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TO(house)  (1u << HOUSE_##house)
#define END(kind)  (1u << WEIR_OUTCOME_##kind)
#define EVERYWHERE (TO(PLAIN) | TO(RICH) | TO(HASTY) | TO(TRAP))

/* ---------------------------------------------------------- they do as told */

static int act_answer(weir_task *task, struct slot *slot)
{
    unsigned char bytes[32] = {0};

    if (slot->random & 1 << 10 &&
        weir_task_result(task, bytes, sizeof(bytes)) != WEIR_OK)
        fail("no room for a result");
    return 0;
}

static int act_fail(weir_task *task, struct slot *slot)
{
    if (slot->random & 1 << 10)
        return 7;
    return weir_task_fail(task, 8, "failed on purpose");
}

static int act_raise(weir_task *task, struct slot *slot)
{
    (void)slot;
    weir_task_raise(task, 9, "raised on purpose");
}

/* ---------------------------------------------------- they end their thread */

static int act_exit(weir_task *task, struct slot *slot)
{
    (void)task;
    (void)slot;
    pthread_exit(NULL);
}

static int act_cancel_self(weir_task *task, struct slot *slot)
{
    (void)task;
    pthread_cancel(pthread_self());
    if (slot->random & 1 << 10)
        pthread_testcancel();
    return 0;
}

/* ---------------------------------------------------------- they crash */

/* A page beyond the end of its file. */
static volatile unsigned char *page_of_nothing;
static pthread_once_t page_once = PTHREAD_ONCE_INIT;

static void map_nothing(void)
{
    int file = memfd_create("nothing", MFD_CLOEXEC);
    void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);

    if (file < 0 || page == MAP_FAILED)
        fail("nothing to map: %s", strerror(errno));
    close(file);
    page_of_nothing = page;
}

/* Deeper than any stack. */
static int overflow(uint32_t levels)
{
    volatile unsigned char frame[1024] = {0};

    frame[levels % sizeof(frame)] = (unsigned char)levels;
    return levels > 0 ? overflow(levels - 1) + frame[0] : 0;
}

/* What there is to know of its attempt is known before. */
static int act_crash(weir_task *task, struct slot *slot)
{
    uint32_t how = slot->random >> 10 & 7;
    volatile uintptr_t nowhere = 16;

    (void)task;
    pthread_once(&page_once, map_nothing);
    attempt_ends(slot);
    switch (how) {
    case 0:
        abort();
    case 1:
        return overflow(UINT32_MAX);
    case 2:
        return page_of_nothing[0];
    case 3:
        __builtin_trap();
    default:
        return *(const int *)nowhere;
    }
}

/* ------------------------------------------------------------ they overstay */

static int act_listen(weir_task *task, struct slot *slot)
{
    if (weir_task_sleep(task, WEIR_SECONDS(600)) != WEIR_CANCELLED)
        fail("kind %s was never asked to stop", slot->kind->name);
    return 0;
}

static int act_poll(weir_task *task, struct slot *slot)
{
    struct pollfd wait = {.fd = weir_task_cancel_fd(task), .events = POLLIN};

    if (wait.fd < 0) /* the fault that trouble armed may have struck here */
        wait.fd = weir_task_cancel_fd(task);
    if (wait.fd < 0)
        fail("kind %s has no descriptor: %s", slot->kind->name,
             strerror(errno));
    while (poll(&wait, 1, 600 * 1000) < 0 && errno == EINTR)
        continue;
    if (!weir_task_cancelled(task))
        fail("kind %s has a descriptor that lies", slot->kind->name);
    return 3;
}

/* Where nothing but a signal can end it; and it may come late for the first. */
static int act_block(weir_task *task, struct slot *slot)
{
    int64_t until_ns = now_ns() + (slot->random & 1 << 10 ? WEIR_MS(2) : 0);

    while (now_ns() < until_ns)
        draw(&slot->random, 2);
    do
        if (poll(NULL, 0, 600 * 1000) == 0)
            fail("kind %s was never interrupted", slot->kind->name);
    while (!weir_task_cancelled(task));
    return 0;
}

/* Nobody has asked it to stop. */
static int act_innocently(weir_task *task, struct slot *slot)
{
    (void)task;
    if (poll(NULL, 0, (int)(slot->random >> 10 & 1)) != 0)
        fail("kind %s was interrupted", slot->kind->name);
    return 0;
}

static void tell(void *pipe_end)
{
    if (write(*(int *)pipe_end, "x", 1) != 1)
        fail("an on_cancel action cannot write: %s", strerror(errno));
}

/* Blocks where only an on_cancel action can end it. */
static int act_with_action(weir_task *task, struct slot *slot)
{
    int ends[2];
    char byte;

    if (pipe(ends))
        fail("no pipe: %s", strerror(errno));
    if (weir_task_on_cancel(task, tell, &ends[1]) != WEIR_OK)
        fail("kind %s: no place for an action", slot->kind->name);
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
        continue;
    if (weir_task_on_cancel(task, NULL, NULL) != WEIR_OK)
        fail("kind %s: actions cannot be taken back", slot->kind->name);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

/* On the clock, whatever wakes it; whoever looks finds it abandoned, maybe. */
static int act_ignore(weir_task *task, struct slot *slot)
{
    int64_t until_ns = now_ns() + WEIR_MS(8);

    (void)task;
    while (now_ns() < until_ns)
        nap_us(1000);
    if (slot->random & 1 << 10)
        pthread_exit(NULL);
    return 0;
}

static int64_t computed_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * WEIR_SECONDS(1) + time.tv_nsec;
}

static int act_compute(weir_task *task, struct slot *slot)
{
    int64_t until_ns = computed_ns() + WEIR_MS(5);

    (void)task;
    while (computed_ns() < until_ns)
        for (uint32_t i = 0; i < 10000; i++)
            draw(&slot->random, 2);
    return 0;
}

/* ----------------------------------------------------------- they come back */

static const weir_retry thrice = {.size = sizeof(thrice),
                                  .max_attempts = 3,
                                  .base_ns = WEIR_US(100),
                                  .cap_ns = WEIR_US(400)};
static const weir_retry frugal = {.size = sizeof(frugal),
                                  .max_attempts = 3,
                                  .base_ns = WEIR_US(100),
                                  .cap_ns = WEIR_US(400),
                                  .budget = 0.01};
static const weir_retry patient = {.size = sizeof(patient),
                                   .max_attempts = 2,
                                   .base_ns = WEIR_US(100),
                                   .patience_ns = WEIR_SECONDS(600)};

static bool exit_when_asked(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    (void)outcome;
    pthread_exit(NULL);
}

static const weir_retry unanswered = {.size = sizeof(unanswered),
                                      .max_attempts = 3,
                                      .retryable = exit_when_asked};

static int act_third_time_lucky(weir_task *task, struct slot *slot)
{
    (void)slot;
    return weir_task_attempt(task) < 3;
}

static int act_listen_once(weir_task *task, struct slot *slot)
{
    return weir_task_attempt(task) == 1 ? act_listen(task, slot) : 0;
}

/* ---------------------------------------------- they are in a child process */

/* Whatever there is of the library works there, too. */
static int act_remotely(weir_task *task, struct slot *none)
{
    unsigned char bytes[200] = {0};

    (void)none;
    if (weir_task_result(task, bytes, sizeof(bytes)) != WEIR_OK ||
        weir_task_current() != task)
        fail("a child is not at its task");
    return 0;
}

static int act_fail_remotely(weir_task *task, struct slot *none)
{
    (void)none;
    return weir_task_fail(task, 8, "failed on purpose");
}

static int act_crash_remotely(weir_task *task, struct slot *none)
{
    volatile uintptr_t nowhere = 16;

    (void)none;
    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    if (weir_task_id(task) % 2 == 0)
        abort();
    return *(const int *)nowhere;
}

static int act_exit_remotely(weir_task *task, struct slot *none)
{
    (void)none;
    switch (weir_task_id(task) % 3) {
    case 0:
        _exit(3);
    case 1:
        pthread_exit(NULL);
    default:
        if (fork() == 0) /* it is left behind, with the line open */
            for (;;)
                pause();
        _exit(4);
    }
}

/* Listens, or is deaf, or is beside itself. */
static int act_overstay_remotely(weir_task *task, struct slot *none)
{
    (void)none;
    switch (weir_task_id(task) % 3) {
    case 0:
        return weir_task_sleep(task, WEIR_SECONDS(600)) == WEIR_OK;
    case 1:
        signal(SIGTERM, SIG_IGN);
    }
    for (;;)
        poll(NULL, 0, -1);
}

/* ---------------------------------------------- they use weir, or the world */

static int act_submit(weir_task *task, struct slot *slot)
{
    weir_pool *pool = houses[slot->house].pool;
    uint32_t random = slot->random;

    (void)task;
    for (int i = 0; i < 2; i++)
        submit_child(slot->house, draw(&random, UINT32_MAX));
    if (weir_pool_join(pool, hang()) != WEIR_DEADLOCK ||
        weir_pool_stop(pool, WEIR_STOP_NOW, hang()) != WEIR_DEADLOCK)
        fail("a handler may join or stop its own pool");
    return 0;
}

/* In the child: every handle says so, and nothing is accepted. */
static bool forked_handles_say_so(weir_pool *pool)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    if (weir_pool_submit(pool, handle, NULL, WEIR_FOREVER) != WEIR_FORKED ||
        weir_pool_join(pool, WEIR_FOREVER) != WEIR_FORKED ||
        weir_pool_resize(pool, 3) != WEIR_FORKED ||
        weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER) != WEIR_FORKED)
        return false;
    weir_pool_read_stats(pool, &stats);
    weir_pool_destroy(pool);
    return stats.ledger.accepted == 0 && stats.workers == 0;
}

static int act_fork(weir_task *task, struct slot *slot)
{
    pid_t child = fork(), ended;
    int status = 0;

    (void)task;
    if (child == 0)
        _exit(forked_handles_say_so(houses[slot->house].pool) ? 0 : 1);
    if (child < 0)
        fail("fork: %s", strerror(errno));
    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended != child || status != 0)
        fail("in a fork child a handle of its parent's works (status %#x)",
             (unsigned)status);
    return 0;
}

/* --------------------------------------------------- where there is no room */

static int act_linger(weir_task *task, struct slot *slot)
{
    (void)task;
    (void)slot;
    nap_us(200);
    return 0;
}

/* Long enough for the crowd that it came with to be noticed. */
static int act_crowd(weir_task *task, struct slot *slot)
{
    nap_us(8000);
    if (slot->random & 1 << 10)
        return 0;
    if (slot->random & 1 << 11)
        pthread_exit(NULL);
    weir_task_raise(task, 9, "raised on purpose");
}

/* A submitter must not lose its thread; a worker may. */
static int act_stand_in(weir_task *task, struct slot *slot)
{
    nap_us(50);
    switch (slot->random >> 10 & 3) {
    case 0:
        weir_task_raise(task, 9, "raised on purpose");
    case 1:
        if (weir_task_worker(task) != UINT32_MAX)
            pthread_exit(NULL);
    }
    return 0;
}

/* ---------------------------------------------------------------- callbacks */

static void block(weir_pool *pool)
{
    (void)pool;
    nap_us(300);
}

static void end_thread(weir_pool *pool)
{
    (void)pool;
    pthread_exit(NULL);
}

static void submit_again(weir_pool *pool)
{
    submit_child(house_of(pool), 1);
}

/* ---------------------------------------------------------------- the table */

/* The first is for what the shares of the others leave. */
const struct kind kinds[] = {
    {"quick", 0, TO(PLAIN), END(DONE), .act = NULL},
    {"heard", 90, TO(RICH), END(DONE), .act = act_answer},
    {"error", 30, EVERYWHERE, END(FAILED), .act = act_fail},
    {"raise", 20, EVERYWHERE, END(FAILED), .act = act_raise, .odd_end = true},
    {"exit", 12, EVERYWHERE | TO(DROPPING) | TO(REFUSING), END(EXITED),
     .allowed = END(DROPPED), .act = act_exit, .odd_end = true},
    {"cancel self", 12, EVERYWHERE, END(EXITED), .act = act_cancel_self,
     .odd_end = true},
    {"crash", 12, TO(TRAP), END(CRASHED), .act = act_crash, .crashes = true,
     .no_sanitizer = true},
    {"overstay", 12, EVERYWHERE, END(TIMED_OUT), .act = act_listen,
     .timeout_ns = WEIR_MS(1)},
    {"overstay in poll", 12, EVERYWHERE, END(TIMED_OUT), .act = act_poll,
     .timeout_ns = WEIR_US(500)},
    {"overstay in read", 12, EVERYWHERE, END(TIMED_OUT), .act = act_with_action,
     .timeout_ns = WEIR_US(700)},
    {"be interrupted", 15, TO(HASTY), END(TIMED_OUT), .act = act_block,
     .timeout_ns = WEIR_MS(1)},
    {"innocent", 15, TO(HASTY), END(DONE), .act = act_innocently},
    {"ignore", 4, TO(PLAIN) | TO(RICH), END(TIMED_OUT), .act = act_ignore,
     .odd_end = true, .timeout_ns = WEIR_MS(1)},
    {"be abandoned", 4, TO(HASTY), END(TIMED_OUT), .burst = 4,
     .act = act_ignore, .odd_end = true, .timeout_ns = WEIR_MS(1)},
    {"ignore a cancel", 4, TO(RICH) | TO(HASTY), END(CANCELLED),
     .allowed = END(DONE) | END(EXITED), .act = act_ignore, .odd_end = true,
     .cancelled = true},
    {"compute", 4, EVERYWHERE, END(TIMED_OUT), .act = act_compute,
     .timeout_ns = WEIR_MS(1)},
    {"cancelled", 20, TO(RICH), END(CANCELLED), .act = act_listen,
     .cancelled = true},
    {"awaited", 20, TO(RICH), END(DONE), .act = act_answer, .waited = true},
    {"submit inside", 12, EVERYWHERE, END(DONE), .act = act_submit},
    {"child", 0, EVERYWHERE, END(DONE), .act = NULL},
    {"fork", 13, EVERYWHERE, END(DONE), .act = act_fork},
    {"in a group", 20, TO(RICH) | TO(HASTY), END(DONE) | END(CANCELLED),
     .burst = 10, .act = act_answer, .grouped = true},
    {"retried", 12, TO(RICH), END(DONE), .act = act_third_time_lucky,
     .retry = &thrice, .attempts = 3},
    {"given up", 12, TO(RICH), END(FAILED), .act = act_fail, .retry = &thrice,
     .attempts = 3},
    {"on a budget", 12, TO(RICH), END(FAILED), .act = act_fail,
     .retry = &frugal},
    {"retried late", 12, TO(RICH), END(DONE), .allowed = END(TIMED_OUT),
     .act = act_listen_once, .timeout_ns = WEIR_MS(3), .retry = &patient,
     .attempts = 2},
    {"expire", 12, TO(RICH), END(EXPIRED), .allowed = END(DONE),
     .lives_ns = WEIR_US(1)},
    {"drop", 40, TO(DROPPING), END(DROPPED) | END(DONE), .burst = 40,
     .act = act_linger},
    {"refuse", 40, TO(REFUSING), END(DONE), .burst = 40, .act = act_linger},
    {"crowd", 40, TO(ELASTIC), END(DONE) | END(FAILED) | END(EXITED),
     .burst = 40, .act = act_crowd, .odd_end = true},
    {"stand in", 32, TO(CALLERS), END(DONE) | END(FAILED) | END(EXITED),
     .burst = 32, .act = act_stand_in, .odd_end = true},
    {"settled blocks", 12, TO(RICH), END(DONE), .on_settled = block},
    {"settled exits", 12, TO(RICH), END(DONE), .on_settled = end_thread},
    {"settled submits", 12, TO(RICH), END(DONE), .on_settled = submit_again},
    {"released exits", 12, TO(RICH), END(FAILED), .act = act_fail,
     .on_release = end_thread},
    {"notifier exits", 12, TO(RICH), END(TIMED_OUT), .act = act_listen,
     .timeout_ns = WEIR_MS(1), .on_settled = end_thread},
    {"predicate exits", 12, TO(RICH), END(FAILED), .act = act_fail,
     .retry = &unanswered, .attempts = 1},
    {"remote", 20, TO(PROCESS), END(DONE), .act = act_remotely,
     .is_remote = true},
    {"remote error", 10, TO(PROCESS), END(FAILED), .act = act_fail_remotely,
     .is_remote = true, .retry = &thrice, .attempts = 3},
    {"remote crash", 10, TO(PROCESS), END(CRASHED), .act = act_crash_remotely,
     .is_remote = true},
    {"remote exit", 10, TO(PROCESS), END(EXITED), .act = act_exit_remotely,
     .is_remote = true},
    {"remote overstay", 10, TO(PROCESS), END(TIMED_OUT),
     .act = act_overstay_remotely, .is_remote = true, .timeout_ns = WEIR_MS(1)},
    {"remote cancelled", 10, TO(PROCESS), END(CANCELLED),
     .act = act_overstay_remotely, .is_remote = true, .cancelled = true},
};
const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) <= MOST_KINDS,
               "raise MOST_KINDS");

size_t kind_number(const struct kind *kind)
{
    return (size_t)(kind - kinds);
}

/* Whether `name` stands in a list with commas. */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 &&
            (!at[length] || at[length] == ','))
            return true;
    }
    return false;
}

static bool is_child(const struct kind *kind)
{
    return strcmp(kind->name, "child") == 0;
}

bool kind_is_in(const struct kind *kind)
{
    if (kind->no_sanitizer && is_sanitized())
        return false;
    return !wish.only || is_child(kind) || is_listed(wish.only, kind->name);
}

bool kinds_check_only(void)
{
    size_t names = 1, found = 0;

    if (!wish.only)
        return true;
    for (const char *at = wish.only; *at; at++)
        names += *at == ',';
    for (size_t i = 0; i < kind_count; i++)
        found += !is_child(&kinds[i]) && is_listed(wish.only, kinds[i].name);
    return names == found;
}

/* ------------------------------------------------------------- the handler */

static void end_attempt(void *slot)
{
    attempt_ends(slot);
}

int handle(weir_task *task, void *item)
{
    const struct ticket *ticket = item;
    struct slot *slot = ticket->slot;
    const struct kind *kind;
    int code = 0;

    slot_check(ticket, "starts");
    kind = slot->kind;
    attempt_begins(task, slot);
    if (kind->odd_end && weir_task_defer(task, end_attempt, slot) != WEIR_OK)
        fail("no place for a clean-up");
    if (kind->act)
        code = kind->act(task, slot);
    if (!kind->odd_end && !kind->crashes)
        attempt_ends(slot);
    return code;
}

int handle_remotely(weir_task *task, void *item)
{
    const struct ticket *ticket = item;

    return kinds[ticket->kind].act(task, NULL);
}

void submit_child(enum house_id house, uint32_t random)
{
    const struct kind *kind = kinds;

    while (!is_child(kind))
        kind++;
    submit_one(kind, house, random);
}
