/* SPDX-License-Identifier: MIT */
/*
 * world.c - see world.h.
 *
 * THE IDEA
 *
 * Each thread is a fiber.  A thread that is about to act sets its state and
 * calls threads_take_turns, which draws up the menu (which threads can go on,
 * what may happen to the clock and to those who wait)
 * and lets choice.c take a line of it, until that line is a thread to run.
 *
 *     READY    ──picked──────────────────────────▶  acts
 *     AT_LOCK  ──lock free, picked───────────────▶  has the lock
 *     AT_COND  ──woken, lock free, picked────────▶  has the lock
 *              ──deadline passed, picked─────────▶  AT_LOCK, timed out
 *              ──spurious, picked────────────────▶  AT_LOCK
 *     AT_JOIN  ──the other has ended, picked─────▶  acts
 *
 * TIME
 *
 * Moves when nobody can run, to the first deadline that somebody waits for;
 * and as a leap, at any point, while there is noise left: also past the
 * deadline of a thread that was woken already.  A clock that moves only when
 * all wait hides the bugs of a time-out that meets a wake-up.
 *
 * WHERE THREADS STEP BACK
 *
 * Before taking a lock, before waiting, before every access to an atomic,
 * before a look at the clock, and before waking somebody without his lock.  Not
 * before giving a lock back, nor before a wake-up under the lock that is waited
 * with: whatever could come between could as well come before the step that
 * follows, or before the lock.
 *
 * POLLING
 *
 * Each pause or yield takes a microsecond, so that a poll with a limit in time
 * ends too.  A thread that yields does not go on before every thread that could
 * have run since its last yield has run (Musuvathi and Qadeer, fair stateless
 * model checking, 2008): so a polling loop ends if what it polls for comes at
 * all.
 */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "choice.h"
#include "fiber.h"
#include "locals.h"
#include "moments.h"
#include "past.h"
#include "race.h"
#include "threads.h"
#include "trace.h"
#include "views.h"

/* Lines of the menu. */
enum { RUN, LEAP, SPURIOUS };

enum { POLL_NS = 1000 };

const struct world_rules *world_rules;
struct thread threads[WORLD_THREADS];
unsigned thread_count;
unsigned thread_current;

static unsigned noise_left, failures_left, delays_left;
static bool has_leapt;
static unsigned steps; /* of this execution */
static uint64_t all_steps, all_runs;
static uint64_t stamps;
static bool running, failed, cut;
static char failure[512];

/* ------------------------------------------------------------------ failing */

const char *world_failure(void)
{
    return failure;
}

uint64_t world_runs(void)
{
    return all_runs;
}

uint64_t world_steps(void)
{
    return all_steps + (running ? steps : 0);
}

bool world_is_running(void)
{
    return running && !failed;
}

_Noreturn void world_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(failure, sizeof(failure), format, arguments);
    va_end(arguments);
    if (trace_is_on)
        trace_say(thread_current, "*** %s", failure);
    failed = true;
    fiber_switch(thread_current, FIBER_DRIVER);
    abort(); /* nobody comes back here */
}

static const char *state_words(const struct thread *thread)
{
    switch (thread->state) {
    case THREAD_READY:
        return "can go on at";
    case THREAD_AT_LOCK:
        return "wants";
    case THREAD_AT_COND:
        return "waits on";
    case THREAD_AT_JOIN:
        return "joins";
    case THREAD_ENDED:
    default:
        return "has ended";
    }
}

static _Noreturn void fail_for_deadlock(void)
{
    char text[400];
    size_t used = 0;

    for (unsigned i = 0; i < thread_count && used < sizeof(text); i++) {
        const struct thread *thread = &threads[i];
        int more;

        if (thread->state == THREAD_ENDED)
            continue;
        if (thread->state == THREAD_AT_JOIN)
            more = snprintf(text + used, sizeof(text) - used,
                            "; thread %u joins thread %u", i, thread->joins);
        else
            more = snprintf(text + used, sizeof(text) - used,
                            "; thread %u %s %s", i, state_words(thread),
                            trace_name(thread->act.name, thread->act.address));
        used += more > 0 ? (size_t)more : 0;
    }
    world_fail("deadlock: nobody can go on%s", text);
}

/* ---------------------------------------------------------------- the menu */

static bool is_free(const struct world_lock *lock)
{
    return lock->owner == 0;
}

static bool has_expired(const struct thread *thread)
{
    return thread->state == THREAD_AT_COND &&
           thread->deadline_ns <= moments_now();
}

static bool can_run(const struct thread *thread)
{
    switch (thread->state) {
    case THREAD_READY:
        return true;
    case THREAD_AT_LOCK:
        return is_free(thread->lock);
    case THREAD_AT_COND:
        return thread->woken ? is_free(thread->lock) : has_expired(thread);
    case THREAD_AT_JOIN:
        return threads[thread->joins].state == THREAD_ENDED;
    case THREAD_ENDED:
    default:
        return false;
    }
}

static unsigned runnable(void)
{
    unsigned set = 0;

    for (unsigned i = 0; i < thread_count; i++)
        set |= (unsigned)can_run(&threads[i]) << i;
    return set;
}

/* Those that stand behind none of the others. */
static unsigned not_behind(unsigned set)
{
    unsigned first = 0;

    for (unsigned i = 0; i < thread_count; i++)
        if (set & 1u << i && !(threads[i].behind & set))
            first |= 1u << i;
    return first ? first : set;
}

static void
add(struct menu *menu, unsigned what, unsigned thread, unsigned cost)
{
    menu->what[menu->count] = (unsigned char)what;
    menu->thread[menu->count] = (unsigned char)thread;
    menu->cost[menu->count++] = (unsigned char)cost;
}

/* The current thread first: to go on is the usual thing. */
static void list_runs(struct menu *menu, bool yields)
{
    unsigned me = 1u << thread_current;
    unsigned set = not_behind(runnable());
    unsigned cost = 0;

    if (yields && set != me)
        set &= ~me;
    if (set & me) {
        add(menu, RUN, thread_current, 0);
        cost = 1;
    }
    for (unsigned i = 0; i < thread_count; i++)
        if (set & ~me & 1u << i)
            add(menu, RUN, i, has_expired(&threads[i]) ? 0 : cost);
    menu->runs = menu->count;
}

static bool is_alone(void)
{
    unsigned alive = 0;

    for (unsigned i = 0; i < thread_count; i++)
        alive += threads[i].state != THREAD_ENDED;
    return alive < 2;
}

static void list_noise(struct menu *menu)
{
    if (noise_left == 0 || is_alone())
        return;
    if (moments_next() != INT64_MAX)
        add(menu, LEAP, 0, 0);
    for (unsigned i = 0; i < thread_count; i++)
        if (threads[i].state == THREAD_AT_COND && !threads[i].woken &&
            !has_expired(&threads[i]))
            add(menu, SPURIOUS, i, 0);
}

/* Nobody can run and nothing is under way: time passes, if anybody waits for
 * it. */
static void pass_time(void)
{
    int64_t first_ns = INT64_MAX;
    unsigned first = 0;

    for (unsigned i = 0; i < thread_count; i++)
        if (threads[i].state == THREAD_AT_COND &&
            threads[i].deadline_ns < first_ns) {
            first = i;
            first_ns = threads[i].deadline_ns;
        }
    if (first_ns == INT64_MAX)
        fail_for_deadlock();
    if (threads[first].naps && !world_rules->store_buffer)
        world_fail("thread %u naps for nobody: all the others wait", first);
    moments_advance(first_ns);
}

/* ---------------------------------------------------------------- the turn */

static void leave_cond(unsigned number, bool timed_out)
{
    struct thread *thread = &threads[number];

    thread->timed_out = timed_out;
    thread->state = THREAD_AT_LOCK;
    past_note_write(number, thread->cond);
    past_note_write(number, thread);
    past_note_value(number, timed_out);
}

/* Whether the thread runs now. */
static bool pick(unsigned number)
{
    struct thread *thread = &threads[number];

    if (thread->state != THREAD_AT_COND)
        return true;
    if (thread->woken) {
        past_read_clock(number);
        leave_cond(number, has_expired(thread) && choice_of(2));
        return true;
    }
    past_read_clock(number);
    leave_cond(number, true);
    return is_free(thread->lock);
}

static bool do_line(const struct menu *menu, unsigned line)
{
    unsigned thread = menu->thread[line];

    switch (menu->what[line]) {
    case RUN:
        return pick(thread);
    case LEAP:
        noise_left--;
        has_leapt = true;
        moments_advance(moments_next());
        trace_act(TRACE_NO_THREAD, (struct act){"the clock leaps", NULL, NULL},
                  TRACE_NO_VALUE);
        return false;
    case SPURIOUS:
    default:
        noise_left--;
        leave_cond(thread, false);
        trace_act(thread, (struct act){"wakes for no reason", NULL, NULL},
                  TRACE_NO_VALUE);
        return false;
    }
}

static void note_run(unsigned number)
{
    for (unsigned i = 0; i < thread_count; i++) {
        threads[i].behind &= ~(1u << number);
        threads[i].seen |= 1u << number;
    }
}

/* All that the rest of the execution depends on. */
static uint64_t state(bool yields)
{
    uint64_t sum = past_sum() + (uint64_t)thread_current * 2 + yields;

    for (unsigned i = 0; i < thread_count; i++)
        sum = (sum ^ threads[i].behind ^ threads[i].seen << 16) *
                  UINT64_C(0x9E3779B97F4A7C15) +
              (sum >> 32);
    return sum;
}

/* Ends the execution: all that could follow was seen. */
static _Noreturn void cut_short(void)
{
    cut = true;
    fiber_switch(thread_current, FIBER_DRIVER);
    abort(); /* nobody comes back here */
}

/* Who goes on; the menu is drawn up until the answer is a thread. */
static unsigned choose_thread(bool yields)
{
    for (;;) {
        struct menu menu = {.count = 0};
        unsigned line = 0;

        list_runs(&menu, yields);
        if (menu.runs > 0 && !choice_is_hushed())
            list_noise(&menu);
        if (menu.count == 0) {
            pass_time();
            continue;
        }
        if (menu.count > 1 && past_is_kept && choice_was_had(state(yields)))
            cut_short();
        if (menu.count > 1)
            line = choice_from(&menu);
        if (do_line(&menu, line))
            return menu.thread[line];
    }
}

static void take_turns(bool yields)
{
    unsigned me = thread_current, next;

    if (++steps > world_rules->most_steps || choice_is_full())
        world_fail("no end after %u steps: the threads run in circles", steps);
    threads[me].polls = yields;
    next = choose_thread(yields);
    if (yields)
        threads[me].seen = 0;
    note_run(next);
    if (next != me) {
        locals_switch(me, next);
        thread_current = next;
        fiber_switch(me, next);
    }
    if (threads[me].stamp) {
        *threads[me].stamp = ++stamps;
        threads[me].stamp = NULL;
        past_begin_call();
    }
}

void threads_take_turns(void)
{
    take_turns(false);
}

void threads_step(struct act act)
{
    thread_me()->act = act;
    take_turns(false);
}

void world_step(const char *verb, const char *name, const void *address)
{
    threads_step((struct act){verb, name, address});
    past_write(address ? address : &running);
}

/* Again and again without a look in between is no more than once. */
void world_yield(const char *verb)
{
    struct thread *me = thread_me();

    past_value(0);
    moments_advance(moments_now() + POLL_NS);
    if (me->polls)
        return;
    me->act = (struct act){verb, NULL, NULL};
    me->behind |= runnable() & ~me->seen & ~(1u << thread_current);
    take_turns(true);
    trace_act(thread_current, me->act, TRACE_NO_VALUE);
}

/* --------------------------------------------------------------- executions */

static void (*first_of_all)(void);

static void run_first(void *arg)
{
    (void)arg;
    first_of_all();
}

bool world_was_cut(void)
{
    return cut;
}

bool world_has_leapt(void)
{
    return has_leapt;
}

bool world_run(const struct world_rules *rules, void (*first)(void))
{
    world_rules = rules;
    thread_count = 0;
    noise_left = rules->noise;
    has_leapt = false;
    failures_left = rules->failures;
    delays_left = rules->delays;
    steps = 0;
    all_runs++;
    stamps = 0;
    failed = false;
    cut = false;
    running = true;
    past_begin(choice_keeps_past());
    moments_reset();
    arena_reset();
    locals_reset();
    views_reset(rules->store_buffer);
    race_reset();
    first_of_all = first;
    thread_current = world_spawn(run_first, NULL, NULL);
    fiber_switch(FIBER_DRIVER, thread_current);
    running = false;
    all_steps += steps;
    return !failed;
}

/* --------------------------------------------------------- what goes wrong */

bool world_strikes(const char *what)
{
    bool strikes = failures_left > 0 && choice_rare();

    past_value(strikes);
    if (!strikes)
        return false;
    failures_left--;
    trace_act(thread_current, (struct act){"is refused", what, NULL},
              TRACE_NO_VALUE);
    return true;
}

/* By lot as likely as any other: a read of the latest shows nothing. */
unsigned world_miss(unsigned values)
{
    unsigned age = delays_left > 0 ? choice_of(values) : 0;

    delays_left -= age > 0;
    return age;
}

void world_touch(const void *address, unsigned bytes)
{
    if (!arena_may_touch(address, bytes))
        world_fail("memory is touched that was released, or never ours");
}

/* -------------------------------------------------------------------- order */

uint64_t world_stamp(void)
{
    return ++stamps;
}

void world_stamp_when_begun(uint64_t *at)
{
    thread_me()->stamp = at;
}
