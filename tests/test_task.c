/* SPDX-License-Identifier: MIT */
/* test_task.c - every way for an attempt to end, and what it may say. */
#include <weir/task.h>

#include <signal.h>
#include <string.h>

#include "pools.h"
#include "suite.h"

static void setup(void)
{
    pool_setup();
    open_pool();
}

static struct job *
ended_so(int (*act)(weir_task *task, struct job *job), weir_outcome_kind kind)
{
    struct job *job = submit_new(act);

    assert_outcome(job, kind);
    await_released(job);
    return job;
}

static void assert_failed_so(struct job *job, int code, const char *message)
{
    ck_assert_int_eq(job->outcome.code, code);
    ck_assert_str_eq(job->message, message);
}

/* ----------------------------------------------------------------- endings */

START_TEST(returning_0_is_done)
{
    struct job *job = ended_so(act_answer, WEIR_OUTCOME_DONE);

    assert_failed_so(job, 0, "");
    ck_assert_uint_eq(job->outcome.attempts, 1);
    ck_assert_uint_eq(job->outcome.task_id, job->id);
    ck_assert_ptr_null(job->outcome.result);
    ck_assert_uint_eq(job->outcome.result_size, 0);
    ck_assert_uint_eq(job->outcome.size, sizeof(weir_outcome));
}
END_TEST

static int act_return_minus_7(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    return -7;
}

START_TEST(returning_anything_else_is_failed_with_that_code)
{
    struct job *job = ended_so(act_return_minus_7, WEIR_OUTCOME_FAILED);

    assert_failed_so(job, -7, "the handler returned an error code");
}
END_TEST

static int act_fail(weir_task *task, struct job *job)
{
    return weir_task_fail(task, job->code, "row %d of %s", 12, "x");
}

START_TEST(fail_sets_code_and_message_and_answers_the_code)
{
    struct job *job = new_job(act_fail);

    job->code = 5;
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_FAILED);
    assert_failed_so(job, 5, "row 12 of x");
}
END_TEST

START_TEST(failing_with_code_0_is_failed_all_the_same)
{
    assert_failed_so(ended_so(act_fail, WEIR_OUTCOME_FAILED), 0, "row 12 of x");
}
END_TEST

static int act_fail_and_return_another(weir_task *task, struct job *job)
{
    (void)job;
    ck_assert_int_eq(weir_task_fail(task, 3, "first"), 3);
    ck_assert_int_eq(weir_task_fail(task, 4, "%s", "second"), 4);
    return 9;
}

START_TEST(the_last_fail_holds_whatever_is_returned)
{
    assert_failed_so(ended_so(act_fail_and_return_another, WEIR_OUTCOME_FAILED),
                     4, "second");
}
END_TEST

static int act_fail_wordless(weir_task *task, struct job *job)
{
    (void)job;
    return weir_task_fail(task, 3, "%s", "");
}

START_TEST(a_failure_without_words_gets_the_usual_ones)
{
    assert_failed_so(ended_so(act_fail_wordless, WEIR_OUTCOME_FAILED), 3,
                     "the handler returned an error code");
}
END_TEST

static int act_fail_at_length(weir_task *task, struct job *job)
{
    char words[400];

    (void)job;
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    return weir_task_fail(task, 1, "%s", words);
}

START_TEST(a_message_is_cut_at_255_bytes)
{
    struct job *job = ended_so(act_fail_at_length, WEIR_OUTCOME_FAILED);

    ck_assert_uint_eq(strlen(job->message), 255);
}
END_TEST

static int act_exit_after_fail(weir_task *task, struct job *job)
{
    ck_assert_int_eq(weir_task_fail(task, 3, "unheard"), 3);
    return act_exit(task, job);
}

START_TEST(ending_the_thread_is_exited)
{
    struct job *job = ended_so(act_exit, WEIR_OUTCOME_EXITED);

    assert_failed_so(job, 0, "the handler ended its thread");
    job = ended_so(act_exit_after_fail, WEIR_OUTCOME_EXITED);
    assert_failed_so(job, 0, "the handler ended its thread");
}
END_TEST

static int act_cancel_self_at_a_point(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    cancel_this_thread();
    pthread_testcancel();
    return 0;
}

START_TEST(cancelling_the_own_thread_is_exited)
{
    ended_so(act_cancel_self_at_a_point, WEIR_OUTCOME_EXITED);
}
END_TEST

static int act_cancel_self(weir_task *task, struct job *job)
{
    (void)task;
    cancel_this_thread();
    return job->code;
}

START_TEST(a_cancel_that_is_pending_at_return_is_exited)
{
    ended_so(act_cancel_self, WEIR_OUTCOME_EXITED);
    ended_so(act_answer, WEIR_OUTCOME_DONE);
}
END_TEST

START_TEST(each_ending_leaves_a_clean_record_to_the_next_task)
{
    struct job *failed = ended_so(act_fail, WEIR_OUTCOME_FAILED);
    struct job *done = ended_so(act_answer, WEIR_OUTCOME_DONE);

    ck_assert_str_eq(failed->message, "row 12 of x");
    assert_failed_so(done, 0, "");
}
END_TEST

/* ------------------------------------------------------------------- raise */

/* What the clean-ups saw, in order. */
static int seen[40];
static size_t seen_count;

static void note_seen(void *arg)
{
    seen[seen_count++] = *(int *)arg;
}

static int act_raise_over_locals(weir_task *task, struct job *job)
{
    volatile int local[2] = {41, 42};

    (void)job;
    ck_assert_int_eq(weir_task_defer(task, note_seen, (void *)&local[0]), 0);
    ck_assert_int_eq(weir_task_defer(task, note_seen, (void *)&local[1]), 0);
    weir_task_raise(task, 8, "raised %d", local[1]);
}

START_TEST(raise_fails_and_leaves_with_the_handlers_variables_in_place)
{
    struct job *job = ended_so(act_raise_over_locals, WEIR_OUTCOME_FAILED);

    assert_failed_so(job, 8, "raised 42");
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_int_eq(seen[0], 42);
    ck_assert_int_eq(seen[1], 41);
    ended_so(act_answer, WEIR_OUTCOME_DONE);
}
END_TEST

static int act_raise_0(weir_task *task, struct job *job)
{
    (void)job;
    weir_task_raise(task, 0, "nothing");
}

START_TEST(raising_code_0_is_failed_all_the_same)
{
    assert_failed_so(ended_so(act_raise_0, WEIR_OUTCOME_FAILED), 0, "nothing");
}
END_TEST

static int act_cancel_self_and_raise(weir_task *task, struct job *job)
{
    (void)job;
    cancel_this_thread();
    weir_task_raise(task, 0, "nothing");
}

START_TEST(a_cancel_that_is_pending_at_a_raise_is_exited)
{
    ended_so(act_cancel_self_and_raise, WEIR_OUTCOME_EXITED);
}
END_TEST

static void *raise_from_here(void *task)
{
    weir_task_raise(task, 1, "not mine");
}

static int act_raise_elsewhere(weir_task *task, struct job *job)
{
    pthread_t other;

    (void)job;
    ck_assert_int_eq(pthread_create(&other, NULL, raise_from_here, task), 0);
    pthread_join(other, NULL);
    return 0;
}

START_TEST(raising_on_another_thread_aborts)
{
    ended_so(act_raise_elsewhere, WEIR_OUTCOME_DONE);
}
END_TEST

/* ------------------------------------------------------------------- defer */

static int numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* run_job has deferred one already. */
static void defer_15(weir_task *task)
{
    seen_count = 0;
    for (int i = 1; i < 16; i++)
        ck_assert_int_eq(weir_task_defer(task, note_seen, &numbers[i]),
                         WEIR_OK);
    ck_assert_int_eq(weir_task_defer(task, note_seen, &numbers[0]), WEIR_FULL);
    assert_error_names("16");
}

static int act_defer_and_return(weir_task *task, struct job *job)
{
    defer_15(task);
    return job->code;
}

static int act_defer_and_raise(weir_task *task, struct job *job)
{
    (void)job;
    defer_15(task);
    weir_task_raise(task, 1, "so");
}

static int act_defer_and_exit(weir_task *task, struct job *job)
{
    defer_15(task);
    return act_exit(task, job);
}

START_TEST(sixteen_clean_ups_run_latest_first_however_the_attempt_ends)
{
    static int (*const acts[])(weir_task *,
                               struct job *) = {act_defer_and_return,
                                                act_defer_and_raise,
                                                act_defer_and_exit};
    static const weir_outcome_kind kinds[] = {WEIR_OUTCOME_DONE,
                                              WEIR_OUTCOME_FAILED,
                                              WEIR_OUTCOME_EXITED};

    ended_so(acts[_i], kinds[_i]);
    ck_assert_uint_eq(seen_count, 15);
    for (int i = 0; i < 15; i++)
        ck_assert_int_eq(seen[i], 15 - i);
    ended_so(acts[_i], kinds[_i]); /* as many again in the next attempt */
    ck_assert_uint_eq(seen_count, 15);
}
END_TEST

static weir_pool *other_pool; /* in which this is not */

static void assert_before_settle(void *arg)
{
    struct job *job = arg;

    ck_assert(weir_task_current() == job->task);
    ck_assert_int_eq(weir_pool_join(pool, WEIR_NOW), WEIR_DEADLOCK);
    ck_assert_int_eq(weir_pool_join(other_pool, WEIR_NOW), WEIR_OK);
    ck_assert_uint_eq(tally_read(&job->settled), 0);
    ck_assert(pthread_equal(pthread_self(), job->ran_on));
    seen_count++;
}

static int act_defer_check(weir_task *task, struct job *job)
{
    ck_assert_int_eq(weir_task_defer(task, assert_before_settle, job), WEIR_OK);
    return job->code ? act_exit(task, job) : 0;
}

START_TEST(clean_ups_run_on_the_attempts_thread_before_it_settles)
{
    struct job *exits = new_job(act_defer_check);

    exits->code = 1;
    ck_assert_int_eq(weir_pool_create(&other_pool, &options), WEIR_OK);
    ended_so(act_defer_check, WEIR_OUTCOME_DONE);
    must_submit(exits);
    assert_outcome(exits, WEIR_OUTCOME_EXITED);
    ck_assert_uint_eq(seen_count, 2);
    weir_pool_destroy(other_pool);
}
END_TEST

/* ----------------------------------------------------------------- results */

static int act_result(weir_task *task, struct job *job)
{
    char gone[] = "the first is replaced";

    ck_assert_int_eq(weir_task_result(task, gone, sizeof(gone)), WEIR_OK);
    memcpy(gone, "second", 7);
    ck_assert_int_eq(weir_task_result(task, gone, 7), WEIR_OK);
    gone[0] = '?'; /* it was copied */
    return job->code;
}

START_TEST(the_last_result_is_copied_and_handed_on)
{
    struct job *job = ended_so(act_result, WEIR_OUTCOME_DONE);

    ck_assert_uint_eq(job->outcome.result_size, 7);
    ck_assert_str_eq((char *)job->result, "second");
    job = ended_so(act_answer, WEIR_OUTCOME_DONE);
    ck_assert_uint_eq(job->outcome.result_size, 0);
    ck_assert_ptr_null(job->outcome.result);
}
END_TEST

START_TEST(a_failed_task_has_its_result_too)
{
    struct job *job = new_job(act_result);

    job->code = 2;
    must_submit(job);
    assert_outcome(job, WEIR_OUTCOME_FAILED);
    ck_assert_str_eq((char *)job->result, "second");
}
END_TEST

static int act_result_and_exit(weir_task *task, struct job *job)
{
    ck_assert_int_eq(weir_task_result(task, "abc", 4), WEIR_OK);
    return act_exit(task, job);
}

START_TEST(an_exited_task_has_no_result)
{
    struct job *job = ended_so(act_result_and_exit, WEIR_OUTCOME_EXITED);

    ck_assert_uint_eq(job->outcome.result_size, 0);
    ck_assert_ptr_null(job->outcome.result);
}
END_TEST

static int act_result_of(weir_task *task, struct job *job)
{
    char bytes[300] = "as far as it goes";

    ck_assert_int_eq(weir_task_result(task, bytes, (size_t)job->code), WEIR_OK);
    ck_assert_int_eq(weir_task_result(task, bytes, (size_t)job->code + 1),
                     WEIR_EINVAL);
    assert_error_names("max_result");
    return 0;
}

START_TEST(a_result_is_as_large_as_the_pool_allows)
{
    struct job *job = new_job(act_result_of);
    struct job *small = new_job(act_result_of);

    job->code = 256; /* the default */
    must_submit(job);
    await_settled(job);
    ck_assert_uint_eq(job->outcome.result_size, 256);
    end_pool();
    options.max_result = 5;
    open_pool();
    small->code = 5;
    must_submit(small);
    await_settled(small);
    ck_assert_uint_eq(small->outcome.result_size, 5);
    ck_assert_int_eq(memcmp(small->result, "as fa", 5), 0);
}
END_TEST

static int act_result_of_nothing(weir_task *task, struct job *job)
{
    (void)job;
    ck_assert_int_eq(weir_task_result(task, "x", 1), WEIR_OK);
    ck_assert_int_eq(weir_task_result(task, NULL, 0), WEIR_OK);
    return 0;
}

START_TEST(a_result_of_no_bytes_is_none)
{
    struct job *job = ended_so(act_result_of_nothing, WEIR_OUTCOME_DONE);

    ck_assert_uint_eq(job->outcome.result_size, 0);
    ck_assert_ptr_null(job->outcome.result);
}
END_TEST

/* ----------------------------------------------------------------- glances */

START_TEST(there_is_no_current_task_outside_a_handler)
{
    ck_assert_ptr_null(weir_task_current());
    ended_so(act_answer, WEIR_OUTCOME_DONE);
    ck_assert_ptr_null(weir_task_current());
}
END_TEST

START_TEST(tasks_are_numbered_in_the_order_of_acceptance)
{
    struct job *wait = start_new(act_wait);
    struct job *later[3];

    for (int i = 0; i < 3; i++)
        later[i] = submit_new(act_answer);
    finish_job(wait);
    ck_assert_uint_eq(wait->outcome.task_id, 1);
    for (int i = 0; i < 3; i++) {
        await_settled(later[i]);
        ck_assert_uint_eq(later[i]->outcome.task_id, 2 + (unsigned)i);
        ck_assert_uint_eq(later[i]->id, 2 + (unsigned)i);
    }
}
END_TEST

START_TEST(a_task_without_a_timeout_has_no_deadline)
{
    struct job *job = ended_so(act_answer, WEIR_OUTCOME_DONE);

    ck_assert_int_eq(job->deadline.at_ns, INT64_MAX);
    ck_assert_uint_eq(job->attempt, 1);
    ck_assert_uint_eq(job->worker, 0);
}
END_TEST

START_TEST(the_context_is_the_pools_unless_the_spec_has_one)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct job *plain = new_job(act_answer), *own = new_job(act_answer);
    int pools, specs;

    end_pool();
    options.context = &pools;
    open_pool();
    weir_future_release(submit_spec(plain, spec));
    spec.context = &specs;
    weir_future_release(submit_spec(own, spec));
    await_released(plain);
    await_released(own);
    ck_assert_ptr_eq(plain->context, &pools);
    ck_assert_ptr_eq(own->context, &specs);
}
END_TEST

START_TEST(waiting_and_running_are_timed)
{
    struct job *first = start_new(act_wait), *second = submit_new(act_wait);

    test_clock_advance(5);
    gate_open(&first->finish);
    await_start(second);
    test_clock_advance(30);
    finish_job(second);
    ck_assert_int_eq(first->outcome.waited_ns, 0);
    ck_assert_int_eq(first->outcome.ran_ns, 5);
    ck_assert_int_eq(second->outcome.waited_ns, 5);
    ck_assert_int_eq(second->outcome.ran_ns, 30);
}
END_TEST

START_TEST(outcomes_have_names)
{
    static const char *const names[] = {"done",    "failed", "timed out",
                                        "crashed", "exited", "cancelled",
                                        "expired", "dropped"};

    for (int kind = WEIR_OUTCOME_DONE; kind <= WEIR_OUTCOME_DROPPED; kind++)
        ck_assert_str_eq(weir_outcome_name((weir_outcome_kind)kind),
                         names[kind]);
    ck_assert_str_eq(weir_outcome_name((weir_outcome_kind)8),
                     "unknown outcome");
    ck_assert_str_eq(weir_outcome_name((weir_outcome_kind)-1),
                     "unknown outcome");
}
END_TEST

int main(void)
{
    const TTest *const endings[] = {
        returning_0_is_done,
        returning_anything_else_is_failed_with_that_code,
        fail_sets_code_and_message_and_answers_the_code,
        failing_with_code_0_is_failed_all_the_same,
        the_last_fail_holds_whatever_is_returned,
        a_failure_without_words_gets_the_usual_ones,
        a_message_is_cut_at_255_bytes,
        ending_the_thread_is_exited,
        cancelling_the_own_thread_is_exited,
        a_cancel_that_is_pending_at_return_is_exited,
        each_ending_leaves_a_clean_record_to_the_next_task,
        raise_fails_and_leaves_with_the_handlers_variables_in_place,
        raising_code_0_is_failed_all_the_same,
        a_cancel_that_is_pending_at_a_raise_is_exited,
        NULL};
    const TTest *const aborts[] = {raising_on_another_thread_aborts, NULL};
    const TTest *const all_endings[] = {
        sixteen_clean_ups_run_latest_first_however_the_attempt_ends, NULL};
    const TTest *const says[] = {
        clean_ups_run_on_the_attempts_thread_before_it_settles,
        the_last_result_is_copied_and_handed_on,
        a_failed_task_has_its_result_too,
        an_exited_task_has_no_result,
        a_result_is_as_large_as_the_pool_allows,
        a_result_of_no_bytes_is_none,
        NULL};
    const TTest *const glances[] = {
        there_is_no_current_task_outside_a_handler,
        tasks_are_numbered_in_the_order_of_acceptance,
        a_task_without_a_timeout_has_no_deadline,
        the_context_is_the_pools_unless_the_spec_has_one,
        waiting_and_running_are_timed,
        outcomes_have_names,
        NULL};
    const struct chapter chapters[] = {
        {"endings", endings, setup, pool_teardown, 0, 0},
        {"aborts", aborts, setup, pool_teardown, 0, SIGABRT},
        {"all endings", all_endings, setup, pool_teardown, 3, 0},
        {"what it says", says, setup, pool_teardown, 0, 0},
        {"glances", glances, setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("task", chapters);
}
