/* SPDX-License-Identifier: MIT */
/* test_pool_options.c - what a pool is made from, and what its threads are. */
#include <weir/pool.h>

#include <signal.h>
#include <string.h>

#include "pools.h"
#include "suite.h"

/* ----------------------------------------------------------------- options */

static void assert_refused(const char *word)
{
    weir_pool *none = NULL;

    ck_assert_int_eq(weir_pool_create(&none, &options), WEIR_EINVAL);
    ck_assert_ptr_null(none);
    assert_error_names(word);
    pool_teardown();
    pool_setup();
}

START_TEST(a_pool_needs_no_options)
{
    struct job *job = new_job(act_answer);

    ck_assert_int_eq(weir_pool_create(&pool, NULL), WEIR_OK);
    ck_assert_uint_ge(stats_now().workers, 1);
    must_submit(job);
    settle_all();
    ck_assert_uint_eq(ledger_now().done, 1);
    ck_assert_uint_eq(tally_read(&job->ended), 1);
    options.on_settled = NULL; /* it had none */
}
END_TEST

START_TEST(create_needs_a_place_for_the_pool)
{
    ck_assert_int_eq(weir_pool_create(NULL, &options), WEIR_EINVAL);
    assert_error_names("out");
}
END_TEST

START_TEST(an_isolation_that_is_none_is_refused_by_name)
{
    options.isolation = (weir_isolation)3;
    assert_refused("isolation 3");
}
END_TEST

START_TEST(processes_without_a_fork_server_are_refused_with_the_remedy)
{
    options.isolation = WEIR_ISOLATE_PROCESS;
    assert_refused("weir_process_start");
}
END_TEST

START_TEST(sizes_out_of_range_are_refused_by_name)
{
    options.workers = 65537;
    assert_refused("workers");
    options.workers = 2;
    options.max_workers = 1;
    assert_refused("max_workers");
    options.max_workers = 65537;
    assert_refused("max_workers");
    options.queue_capacity = SIZE_MAX;
    assert_refused("queue_capacity");
    options.item_size = 4097;
    assert_refused("item_size");
    options.max_result = (1 << 20) + 1;
    assert_refused("max_result");
    options.stack_bytes = 1;
    assert_refused("stack_bytes");
    options.size = 1;
    assert_refused("WEIR_POOL_OPTIONS_INIT");
}
END_TEST

START_TEST(times_policies_and_retries_out_of_range_are_refused_by_name)
{
    options.timeout_ns = -1;
    assert_refused("timeout_ns");
    options.time_to_live_ns = -1;
    assert_refused("time_to_live_ns");
    options.on_full = (weir_on_full)4;
    assert_refused("on_full");
    options.on_full = (weir_on_full)-1;
    assert_refused("on_full");
    policy.factor = 0.5;
    options.retry = &policy;
    assert_refused("factor");
}
END_TEST

/* A refusal that says both what is wrong and what to do. */
static void assert_refused_with(const char *word, const char *remedy)
{
    weir_pool *none = NULL;

    ck_assert_int_eq(weir_pool_create(&none, &options), WEIR_EINVAL);
    assert_error_names(remedy);
    assert_refused(word);
}

START_TEST(grace_and_what_contradicts_it_are_refused_by_name)
{
    options.timeout_ns = 1;
    options.grace_ns = -1;
    assert_refused_with("grace_ns", "negative");
    options.grace_ns = 1;
    assert_refused_with("grace_ns", "set timeout_ns");
    options.timeout_ns = 1;
    options.max_abandoned = 1;
    assert_refused_with("max_abandoned", "set grace_ns");
    options.timeout_ns = 1;
    options.grace_ns = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    assert_refused_with("grace_ns", "another policy");
    options.timeout_ns = 1;
    options.grace_ns = 1;
    options.max_abandoned = 65537;
    assert_refused_with("max_abandoned", "65536");
}
END_TEST

static void handle_nothing(int signal)
{
    (void)signal;
}

static void handle_nothing_with_info(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
}

START_TEST(interrupt_signals_of_others_are_refused_by_name)
{
    const int taken = SIGRTMIN + 4;
    struct sigaction action = {.sa_handler = handle_nothing};
    const int no_real_time[] = {SIGUSR1, SIGRTMIN - 1, SIGRTMAX + 1, -1};

    for (size_t i = 0; i < sizeof(no_real_time) / sizeof(int); i++) {
        options.interrupt_signal = no_real_time[i];
        assert_refused_with("interrupt_signal", "SIGRTMIN");
    }
    sigaction(taken, &action, NULL);
    options.interrupt_signal = taken;
    assert_refused_with("interrupt_signal", "already handled");
    action.sa_handler = SIG_IGN;
    sigaction(taken, &action, NULL);
    options.interrupt_signal = taken;
    assert_refused_with("interrupt_signal", "already handled");
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = handle_nothing_with_info;
    sigaction(taken, &action, NULL);
    options.interrupt_signal = taken;
    assert_refused_with("interrupt_signal", "already handled");
    options.interrupt_signal = SIGRTMIN + 5;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    assert_refused_with("interrupt_signal", "another policy");
    options.interrupt_signal = SIGRTMAX;
    open_pool();
}
END_TEST

/* Whoever made the options wrong must not find a handler there. */
START_TEST(a_pool_that_is_refused_claims_no_signal)
{
    struct sigaction action;

    options.interrupt_signal = SIGRTMIN + 6;
    options.queue_capacity = SIZE_MAX;
    assert_refused("queue_capacity");
    sigaction(SIGRTMIN + 6, NULL, &action);
    ck_assert(action.sa_handler == SIG_DFL);
}
END_TEST

START_TEST(fields_of_a_newer_library_are_refused_unless_zero)
{
    struct {
        weir_pool_options known;
        uint64_t unknown;
    } newer = {options, 0};

    newer.known.size = sizeof(newer);
    ck_assert_int_eq(weir_pool_create(&pool, &newer.known), WEIR_OK);
    end_pool();
    newer.unknown = 1;
    ck_assert_int_eq(weir_pool_create(&pool, &newer.known), WEIR_EINVAL);
    ck_assert_ptr_null(pool);
}
END_TEST

START_TEST(the_options_are_copied)
{
    char name[] = "first";
    struct job *job = new_job(act_answer);

    policy.max_attempts = 1;
    options.retry = &policy;
    options.name = name;
    open_pool();
    memset(name, 'x', sizeof(name) - 1);
    policy.max_attempts = 5;
    job->code = 1;
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_FAILED);
}
END_TEST

/* ----------------------------------------------------------------- threads */

static int act_read_name(weir_task *task, struct job *job)
{
    char name[16];

    ck_assert_int_eq(pthread_getname_np(pthread_self(), name, sizeof(name)), 0);
    ck_assert_int_eq(weir_task_result(task, name, strlen(name) + 1), WEIR_OK);
    (void)job;
    return 0;
}

START_TEST(threads_are_named_and_the_number_is_never_cut)
{
    static const char *const given[] = {NULL, "a", "a name that is too long"};
    static const char *const seen[] = {"weir/0", "a/0", "a name that i/0"};
    struct job *job;

    options.name = given[_i];
    open_pool();
    job = submit_new(act_read_name);
    await_settled(job);
    ck_assert_str_eq((char *)job->result, seen[_i]);
}
END_TEST

static int act_look_at_signals(weir_task *task, struct job *job)
{
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    static const int blocked[] = {SIGINT,  SIGTERM, SIGHUP,  SIGUSR1,
                                  SIGUSR2, SIGALRM, SIGCHLD, SIGPIPE};
    sigset_t mask;

    (void)task;
    (void)job;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        ck_assert_int_eq(sigismember(&mask, open[i]), 0);
    for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++)
        ck_assert_int_eq(sigismember(&mask, blocked[i]), 1);
    return 0;
}

START_TEST(workers_block_all_signals_but_their_own_faults)
{
    sigset_t before, after;

    pthread_sigmask(SIG_SETMASK, NULL, &before);
    open_pool();
    assert_outcome(submit_new(act_look_at_signals), WEIR_OUTCOME_DONE);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert_int_eq(sigismember(&after, SIGUSR1),
                     sigismember(&before, SIGUSR1));
}
END_TEST

static int act_use_stack(weir_task *task, struct job *job)
{
    pthread_attr_t attr;
    size_t bytes;

    (void)task;
    ck_assert_int_eq(pthread_getattr_np(pthread_self(), &attr), 0);
    ck_assert_int_eq(pthread_attr_getstacksize(&attr, &bytes), 0);
    pthread_attr_destroy(&attr);
    /* What is left of the last page may be the stack's too. */
    ck_assert_uint_ge(bytes, *(size_t *)job->arg);
    ck_assert_uint_lt(bytes, *(size_t *)job->arg + (1 << 16));
    return 0;
}

START_TEST(a_workers_stack_is_as_large_as_asked_for)
{
    struct job *job = new_job(act_use_stack);

    options.stack_bytes = 1 << 20;
    job->arg = &options.stack_bytes;
    open_pool();
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_DONE);
}
END_TEST

int main(void)
{
    const TTest *const making[] = {
        a_pool_needs_no_options,
        create_needs_a_place_for_the_pool,
        an_isolation_that_is_none_is_refused_by_name,
        processes_without_a_fork_server_are_refused_with_the_remedy,
        sizes_out_of_range_are_refused_by_name,
        times_policies_and_retries_out_of_range_are_refused_by_name,
        grace_and_what_contradicts_it_are_refused_by_name,
        interrupt_signals_of_others_are_refused_by_name,
        a_pool_that_is_refused_claims_no_signal,
        fields_of_a_newer_library_are_refused_unless_zero,
        the_options_are_copied,
        NULL};
    const TTest *const threads[] = {
        workers_block_all_signals_but_their_own_faults,
        a_workers_stack_is_as_large_as_asked_for, NULL};
    const TTest *const names[] = {threads_are_named_and_the_number_is_never_cut,
                                  NULL};
    const struct chapter chapters[] = {
        {"making", making, pool_setup, pool_teardown, 0, 0},
        {"threads", threads, pool_setup, pool_teardown, 0, 0},
        {"names", names, pool_setup, pool_teardown, 3, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: options", chapters);
}
