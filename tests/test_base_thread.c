/* SPDX-License-Identifier: MIT */
/* test_base_thread.c - how our threads begin and end. */
#include "base/thread.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <weir/status.h>

#include "base/fault.h"
#include "base/trap.h"
#include "gate.h"
#include "suite.h"

/* What one thread's end looked like. */
static struct tally ends = TALLY_INIT;
static pthread_t ended_on;

static void note_end(void *arg)
{
    (void)arg;
    ended_on = pthread_self();
    tally_add(&ends, 1);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static struct weir__thread thread_of(void (*run)(void *arg), void *arg)
{
    return (struct weir__thread){.name = "t",
                                 .run = run,
                                 .ended = note_end,
                                 .arg = arg};
}

/* Runs `run` on a thread to its end, which must be noted. */
static void run_to_end(void (*run)(void *arg), void *arg)
{
    struct weir__thread thread = thread_of(run, arg);

    ck_assert_int_eq(weir__thread_start(&thread), WEIR_OK);
    weir__thread_join(&thread);
    ck_assert_uint_eq(tally_read(&ends), 1);
    ck_assert(pthread_equal(ended_on, thread.native));
}

/* ------------------------------------------------------------------ names */

static void assert_name(const char *name, const char *suffix, const char *is)
{
    struct weir__thread thread;

    weir__thread_set_name(&thread, name, suffix);
    ck_assert_str_eq(thread.name, is);
}

START_TEST(a_name_is_cut_and_its_suffix_is_not)
{
    assert_name("weir", "0", "weir/0");
    assert_name("", "0", "/0");
    assert_name("ninebytes", "65535", "ninebytes/65535");
    assert_name("ninebytes+", "65535", "ninebytes/65535");
    assert_name("a-long-name-of-a-pool", "7", "a-long-name-o/7");
    assert_name("x", "fourteen-bytes", "/fourteen-bytes");
    assert_name("x", "more-than-fifteen", "/more-than-fift");
}
END_TEST

static void read_name(void *arg)
{
    pthread_getname_np(pthread_self(), arg, 16);
}

START_TEST(a_thread_bears_its_name)
{
    char name[16] = "";
    struct weir__thread thread = thread_of(read_name, name);

    weir__thread_set_name(&thread, "a-long-name-of-a-pool", "12");
    ck_assert_int_eq(weir__thread_start(&thread), WEIR_OK);
    weir__thread_join(&thread);
    ck_assert_str_eq(name, "a-long-name-/12");
}
END_TEST

/* ---------------------------------------------------------------- signals */

static void read_mask(void *arg)
{
    pthread_sigmask(SIG_SETMASK, NULL, arg);
}

START_TEST(only_signals_of_its_own_making_reach_a_thread)
{
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                               SIGTRAP, SIGSYS, SIGABRT};
    static const int shut[] = {SIGINT,  SIGTERM, SIGHUP,  SIGUSR1,
                               SIGALRM, SIGCHLD, SIGPIPE, SIGPROF};
    sigset_t mask;

    sigemptyset(&mask);
    run_to_end(read_mask, &mask);
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        ck_assert_int_eq(sigismember(&mask, open[i]), 0);
    for (size_t i = 0; i < sizeof(shut) / sizeof(shut[0]); i++)
        ck_assert_int_eq(sigismember(&mask, shut[i]), 1);
    ck_assert_int_eq(sigismember(&mask, SIGRTMIN), 1);
}
END_TEST

START_TEST(a_start_leaves_the_starters_mask_alone)
{
    sigset_t usr2, after;

    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &usr2, NULL);
    run_to_end(do_nothing, NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert_int_eq(sigismember(&after, SIGUSR2), 1);
    ck_assert_int_eq(sigismember(&after, SIGTERM), 0);
}
END_TEST

/* ------------------------------------------------------------------- ends */

START_TEST(an_end_by_return_is_noted)
{
    run_to_end(do_nothing, NULL);
}
END_TEST

static void exit_thread(void *arg)
{
    pthread_exit(arg);
}

START_TEST(an_end_by_pthread_exit_is_noted)
{
    run_to_end(exit_thread, NULL);
}
END_TEST

static void cancel_oneself(void *arg)
{
    bool *survived = arg;

    pthread_cancel(pthread_self());
    weir__thread_test_cancel();
    survived[0] = true;
    weir__thread_let_cancel(true);
    weir__thread_test_cancel();
    survived[1] = true;
}

START_TEST(a_thread_is_cancelled_only_where_it_lets_be)
{
    bool survived[2] = {false, false};

    run_to_end(cancel_oneself, survived);
    ck_assert(survived[0]);
    ck_assert(!survived[1]);
}
END_TEST

static void let_and_take_back(void *arg)
{
    weir__thread_let_cancel(true);
    weir__thread_test_cancel();
    weir__thread_let_cancel(false);
    pthread_cancel(pthread_self());
    weir__thread_test_cancel();
    *(bool *)arg = true;
}

START_TEST(leave_to_cancel_can_be_taken_back)
{
    bool survived = false;

    run_to_end(let_and_take_back, &survived);
    ck_assert(survived);
}
END_TEST

static struct gate letting = GATE_INIT;

static void wait_for_cancel(void *arg)
{
    (void)arg;
    weir__thread_let_cancel(true);
    gate_open(&letting);
    for (;;)
        pause();
}

START_TEST(an_end_by_cancel_is_noted)
{
    struct weir__thread thread = thread_of(wait_for_cancel, NULL);

    ck_assert_int_eq(weir__thread_start(&thread), WEIR_OK);
    gate_wait(&letting);
    pthread_cancel(thread.native);
    weir__thread_join(&thread);
    ck_assert_uint_eq(tally_read(&ends), 1);
}
END_TEST

/* A program's own thread-specific data, with a destructor of two rounds. */
static pthread_key_t own_key;
static int own_rounds, own_rounds_at_end;

static void destroy_own(void *value)
{
    if (++own_rounds == 1)
        pthread_setspecific(own_key, value);
}

static void use_own_key(void *arg)
{
    pthread_setspecific(own_key, arg);
}

static void note_rounds(void *arg)
{
    own_rounds_at_end = own_rounds;
    note_end(arg);
}

/* _i: whether the program's key is made before ours. */
START_TEST(the_end_comes_after_the_programs_own_destructors)
{
    struct weir__thread thread = thread_of(use_own_key, &own_key);

    if (_i == 0)
        run_to_end(do_nothing, NULL);
    ck_assert_int_eq(pthread_key_create(&own_key, destroy_own), 0);
    thread.ended = note_rounds;
    ck_assert_int_eq(weir__thread_start(&thread), WEIR_OK);
    weir__thread_join(&thread);
    ck_assert_int_eq(own_rounds_at_end, 2);
}
END_TEST

START_TEST(the_end_of_a_detached_thread_is_noted)
{
    static struct weir__thread thread;

    thread = thread_of(do_nothing, NULL);
    ck_assert_int_eq(weir__thread_start(&thread), WEIR_OK);
    weir__thread_detach(&thread);
    await_count(&ends, 1);
}
END_TEST

/* --------------------------------------------------------------- starting */

static void read_stack(void *arg)
{
    pthread_attr_t attr;

    pthread_getattr_np(pthread_self(), &attr);
    pthread_attr_getstacksize(&attr, arg);
    pthread_attr_destroy(&attr);
}

START_TEST(a_thread_gets_the_stack_it_asks_for)
{
    size_t got = 0, wanted = weir__thread_least_stack() + ((size_t)3 << 20);
    struct weir__thread thread = thread_of(read_stack, &got);

    thread.stack_bytes = wanted;
    ck_assert_int_eq(weir__thread_start(&thread), WEIR_OK);
    weir__thread_join(&thread);
    ck_assert_uint_ge(got, wanted);
    ck_assert_uint_lt(got, wanted + ((size_t)2 << 20));
}
END_TEST

START_TEST(a_stack_that_is_too_small_is_refused)
{
    struct weir__thread thread = thread_of(do_nothing, NULL);

    thread.stack_bytes = weir__thread_least_stack() - 1;
    weir__thread_set_name(&thread, "small", "1");
    ck_assert_int_eq(weir__thread_start(&thread), WEIR_ESYSTEM);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "small/1"));
    ck_assert_uint_eq(tally_read(&ends), 0);
}
END_TEST

/* In a process that has made no thread of ours before. */
START_TEST(in_a_program_that_has_used_up_its_keys_nothing_starts)
{
    struct weir__thread thread = thread_of(do_nothing, NULL);
    pthread_key_t key;

    while (pthread_key_create(&key, NULL) == 0)
        continue;
    ck_assert_int_eq(weir__thread_prepare(), WEIR_ESYSTEM);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "PTHREAD_KEYS_MAX"));
    ck_assert_int_eq(weir__trap_acquire(), WEIR_ESYSTEM);
    weir__thread_set_name(&thread, "keyless", "1");
    ck_assert_int_eq(weir__thread_start(&thread), WEIR_ESYSTEM);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "keyless/1"));
    ck_assert_uint_eq(tally_read(&ends), 0);
}
END_TEST

START_TEST(a_start_that_fails_runs_nothing)
{
    struct weir__thread thread = thread_of(do_nothing, NULL);

    weir__fault_arm(1);
    ck_assert_int_eq(weir__thread_start(&thread), WEIR_ESYSTEM);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_uint_eq(tally_read(&ends), 0);
    ck_assert_int_eq(weir__thread_start(&thread), WEIR_OK);
    weir__thread_join(&thread);
}
END_TEST

static void note_self(void *arg)
{
    const void **selves = arg;

    selves[0] = weir__thread_self();
    selves[1] = weir__thread_self();
}

START_TEST(each_live_thread_has_an_address_of_its_own)
{
    const void *selves[2] = {NULL, NULL};

    run_to_end(note_self, selves);
    ck_assert_ptr_nonnull(selves[0]);
    ck_assert_ptr_eq(selves[0], selves[1]);
    ck_assert_ptr_ne(selves[0], weir__thread_self());
}
END_TEST

int main(void)
{
    const TTest *const names[] = {a_name_is_cut_and_its_suffix_is_not,
                                  a_thread_bears_its_name,
                                  only_signals_of_its_own_making_reach_a_thread,
                                  a_start_leaves_the_starters_mask_alone, NULL};
    const TTest *const ending[] = {an_end_by_return_is_noted,
                                   an_end_by_pthread_exit_is_noted,
                                   a_thread_is_cancelled_only_where_it_lets_be,
                                   leave_to_cancel_can_be_taken_back,
                                   an_end_by_cancel_is_noted,
                                   the_end_of_a_detached_thread_is_noted,
                                   NULL};
    const TTest *const last[] = {
        the_end_comes_after_the_programs_own_destructors, NULL};
    const TTest *const starting[] = {
        a_thread_gets_the_stack_it_asks_for,
        a_stack_that_is_too_small_is_refused,
        a_start_that_fails_runs_nothing,
        in_a_program_that_has_used_up_its_keys_nothing_starts,
        each_live_thread_has_an_address_of_its_own,
        NULL};
    const struct chapter chapters[] = {{"names and signals", names, NULL, NULL,
                                        0, 0},
                                       {"ends", ending, NULL, NULL, 0, 0},
                                       {"last of all", last, NULL, NULL, 2, 0},
                                       {"starting", starting, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("base: threads", chapters);
}
