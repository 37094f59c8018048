/* SPDX-License-Identifier: MIT */
/* test_hpp_task.cpp - how callables fail, what they return, what they ask. */
#include "cpp.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;

/* ---------------------------------------------------------------- failures */

/* The failure of a callable that throws so, or fails as it says. */
template <class F> static weir::task_failed failure_of(F callable)
{
    weir::pool pool(one_worker());
    auto future = pool.async(callable);

    return assert_fails(future, WEIR_OUTCOME_FAILED);
}

static void
assert_failure(const weir::task_failed &e, int code, const char *message)
{
    ck_assert_int_eq(e.code(), code);
    ck_assert_str_eq(e.what(), message);
    ck_assert_uint_eq(e.attempts(), 1);
    ck_assert_uint_eq(e.task_id(), 1);
}

START_TEST(an_exception_becomes_a_failure_with_its_words_and_code)
{
    assert_failure(failure_of([] { throw weir::failure(7, "row 5"); }), 7,
                   "row 5");
    assert_failure(failure_of(
                       []() -> int { throw std::out_of_range("100%s"); }),
                   1, "100%s");
    assert_failure(failure_of([] { throw 5; }), 1, "unknown exception");
    assert_failure(failure_of([] {
                       throw std::system_error(ENOENT, std::generic_category(),
                                               "notes.txt");
                   }),
                   ENOENT, "notes.txt: No such file or directory");
}
END_TEST

START_TEST(a_weir_error_in_a_handler_keeps_its_words)
{
    auto e = failure_of([] { weir::queue<int>(1).task_done(); });

    ck_assert_ptr_nonnull(std::strstr(e.what(), "task_done"));
}
END_TEST

START_TEST(words_are_cut_where_the_library_cuts_them)
{
    auto e =
        failure_of([] { throw std::runtime_error(std::string(300, 'x')); });

    ck_assert_uint_eq(std::strlen(e.what()), 255);
    e = failure_of(
        [](weir::task_ref task) { task.fail(0, std::string(300, 'y')); });
    ck_assert_uint_eq(std::strlen(e.what()), 255);
}
END_TEST

START_TEST(failing_without_a_throw_overrules_the_result)
{
    assert_failure(failure_of([](weir::task_ref task) {
                       task.fail(0, std::string_view("words and more", 5));
                       return 3;
                   }),
                   0, "words");
    assert_failure(failure_of([](weir::task_ref task) {
                       task.fail(2, "the first");
                       throw weir::failure(3, "the last");
                   }),
                   3, "the last");
}
END_TEST

START_TEST(a_worker_lives_through_any_number_of_exceptions)
{
    weir::pool pool(one_worker());

    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(pool.submit([] { throw 1; }), WEIR_OK);
    ck_assert_int_eq(
        pool.async([](weir::task_ref task) { return task.worker(); }).get(), 0);
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_uint_eq(pool.stats().ledger.failed, 100);
    ck_assert_uint_eq(pool.stats().workers, 1);
}
END_TEST

/* ----------------------------------------------------------------- results */

struct big {
    char bytes[300];
};
struct no_default {
    explicit no_default(int is) : n(is)
    {
    }
    int n;
};

START_TEST(results_are_of_their_own_type)
{
    weir::pool pool(one_worker());
    int n = 6;

    ck_assert_int_eq(pool.async([&n] { return n * 7; }).get(), 42);
    ck_assert_ptr_eq(pool.async([&n] { return &n; }).get(), &n);
    ck_assert_int_eq(pool.async([] { return no_default(5); }).get().n, 5);
    ck_assert_int_eq(
        pool.async([]() -> const no_default { return no_default(8); }).get().n,
        8);
    assert_words(
        pool.async([](weir::task_ref) { return std::string(1000, 'z'); }).get(),
        std::string(1000, 'z'));
    ck_assert_int_eq(*pool.async([held = std::make_unique<int>(3)] {
                              return std::make_unique<int>(*held + 1);
                          })
                          .get(),
                     4);
    ck_assert_int_eq(pool.async([] {
                             big result = {};

                             result.bytes[299] = 9;
                             return result;
                         })
                         .get()
                         .bytes[299],
                     9);
    pool.async([&n] { n = 1; }).get();
    ck_assert_int_eq(n, 1);
}
END_TEST

START_TEST(a_result_above_a_lowered_limit_fails_by_name)
{
    weir_pool_options options = one_worker();

    options.max_result = 4;
    weir::pool pool(options);
    auto future = pool.async([] { return 1.5; });
    ck_assert_ptr_nonnull(
        std::strstr(assert_fails(future, WEIR_OUTCOME_FAILED).what(),
                    "max_result"));
}
END_TEST

START_TEST(a_result_that_nobody_fetches_is_destroyed)
{
    struct fate its, left;
    weir::pool pool(one_worker());

    {
        auto future = pool.async([&] { return mark(its); });

        ck_assert_int_eq(future.wait(), WEIR_OK);
        assert_not_destroyed(its);
    }
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_uint_eq(tally_read(&its.destroyed), 1);
    pool.async([&] { return mark(left); });
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_uint_eq(tally_read(&left.destroyed), 1);
}
END_TEST

START_TEST(the_result_of_a_late_attempt_goes_nowhere)
{
    struct fate its, result;
    weir::pool pool(one_worker());
    auto future = pool.async([&] {
        tally_add(&its.started, 1);
        gate_wait(&its.finish);
        return mark(result);
    });

    await_count(&its.started, 1);
    future.cancel();
    assert_fails(future, WEIR_OUTCOME_CANCELLED);
    gate_open(&its.finish);
    await_destroyed(result);
}
END_TEST

START_TEST(a_future_moves_and_outlives_its_pool)
{
    weir::future<std::string> kept;

    ck_assert(!kept.valid());
    {
        weir::pool pool(one_worker());
        auto future = pool.async([] { return std::string("kept"); });

        ck_assert_int_eq(future.wait(10s), WEIR_OK);
        kept = std::move(future);
        ck_assert(!future.valid());
    }
    ck_assert(kept.valid());
    ck_assert_uint_eq(kept.outcome().attempts, 1);
    assert_words(kept.get(), "kept");
    ck_assert(!kept.valid());
    assert_refused([&] { kept.get(); }, WEIR_EINVAL);
    assert_refused([&] { kept.cancel(); }, WEIR_EINVAL);
    assert_refused([&] { (void)!kept.wait(); }, WEIR_EINVAL);
}
END_TEST

START_TEST(a_future_of_cs_is_taken_over_if_the_sizes_agree)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *made[2] = {};
    weir_pool *pool = nullptr;

    spec.handler = [](weir_task *task, void *) {
        short answer = 5;

        return static_cast<int>(
            weir_task_result(task, &answer, sizeof(answer)));
    };
    ck_assert_int_eq(weir_pool_create(&pool, nullptr), WEIR_OK);
    for (auto &one : made)
        ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &one, WEIR_FOREVER),
                         WEIR_OK);
    ck_assert_int_eq(weir::future<short>(made[0]).get(), 5);
    assert_refused([&] { weir::future<int>(made[1]).get(); }, WEIR_EINVAL,
                   "size");
    weir_pool_destroy(pool);
}
END_TEST

START_TEST(futures_are_got_in_the_order_in_which_they_settle)
{
    std::vector<weir::future<int>> futures;
    struct fate gates[3];
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = 3;
    weir::pool pool(options);
    for (int i = 0; i < 3; i++)
        futures.push_back(pool.async([&gates, i] {
            gate_wait(&gates[i].finish);
            return i;
        }));
    ck_assert(weir::wait_any(futures.begin(), futures.end(), 0s) ==
              futures.end());
    for (int i : {1, 2, 0}) {
        gate_open(&gates[i].finish);
        auto settled = weir::wait_any(futures.begin(), futures.end());
        ck_assert_int_eq(settled - futures.begin(), i);
        ck_assert_int_eq(settled->get(), i);
    }
    assert_refused(
        [&] { (void)weir::wait_any(futures.begin(), futures.end()); },
        WEIR_EINVAL);
}
END_TEST

/* ------------------------------------------------------------ the task_ref */

START_TEST(a_handler_knows_where_it_is)
{
    weir_pool_options options = one_worker();
    int context = 0;

    options.context = &context;
    weir::pool pool(options);
    pool.async([&](weir::task_ref task) {
            ck_assert_uint_eq(task.id(), 1);
            ck_assert_uint_eq(task.attempt(), 1);
            ck_assert_uint_eq(task.worker(), 0);
            ck_assert_ptr_eq(task.context<int>(), &context);
            ck_assert_ptr_eq(task.native(), weir_task_current());
            ck_assert(task.deadline().remaining() ==
                      std::chrono::nanoseconds::max());
            ck_assert(!task.cancelled());
            ck_assert_int_eq(task.sleep_for(0s), WEIR_OK);
        })
        .get();
}
END_TEST

START_TEST(a_handler_sees_that_it_is_cancelled)
{
    struct fate its;
    weir::pool pool(one_worker());
    auto future = pool.async([&](weir::task_ref task) {
        struct pollfd ready = {task.cancel_fd(), POLLIN, 0};

        tally_add(&its.started, 1);
        ck_assert_int_eq(task.sleep_for(std::chrono::hours::max()),
                         WEIR_CANCELLED);
        ck_assert(task.cancelled());
        ck_assert_int_eq(poll(&ready, 1, 0), 1);
        tally_add(&its.ended, 1);
    });

    await_count(&its.started, 1);
    future.cancel();
    await_count(&its.ended, 1);
}
END_TEST

START_TEST(bytes_of_a_handler_are_in_the_outcome)
{
    weir::pool pool(one_worker());
    auto future = pool.async([](weir::task_ref task) {
        task.result("bytes", 6);
        task.fail(3, "but");
    });

    ck_assert_str_eq(static_cast<const char *>(future.outcome().result),
                     "bytes");
    auto more = pool.async([](weir::task_ref task) {
        static const char zeros[300] = {};

        task.result(zeros, sizeof(zeros));
    });
    ck_assert_ptr_nonnull(
        std::strstr(assert_fails(more, WEIR_OUTCOME_FAILED).what(),
                    "max_result"));
}
END_TEST

START_TEST(clean_ups_run_in_reverse_and_are_destroyed_however_it_ends)
{
    struct fate first, second;
    std::string order;
    weir::pool pool(one_worker());
    auto future = pool.async([&](weir::task_ref task) {
        ck_assert_int_eq(task.defer([&, held = mark(first)] { order += "1"; }),
                         WEIR_OK);
        ck_assert_int_eq(task.defer([&, held = mark(second)] { order += "2"; }),
                         WEIR_OK);
        assert_not_destroyed(second);
        if (_i == 1)
            throw 1;
        if (_i == 2)
            pthread_exit(nullptr);
    });

    ck_assert_int_eq(future.wait(), WEIR_OK);
    ck_assert_str_eq(order.c_str(), "21");
    ck_assert_uint_eq(tally_read(&first.destroyed), 1);
    ck_assert_uint_eq(tally_read(&second.destroyed), 1);
}
END_TEST

START_TEST(one_clean_up_too_many_is_refused_and_destroyed)
{
    struct fate its;
    int ran = 0;
    weir::pool pool(one_worker());

    pool.async([&](weir::task_ref task) {
            for (int i = 0; i < 16; i++)
                ck_assert_int_eq(task.defer([&] { ran++; }), WEIR_OK);
            ck_assert_int_eq(task.defer([&, held = mark(its)] { ran += 100; }),
                             WEIR_FULL);
            ck_assert_uint_eq(tally_read(&its.destroyed), 1);
            ck_assert_int_eq(task.on_cancel(
                                 [&, held = mark(its)] { ran += 100; }),
                             WEIR_FULL);
            ck_assert_uint_eq(tally_read(&its.destroyed), 2);
        })
        .get();
    ck_assert_int_eq(ran, 16);
}
END_TEST

START_TEST(cancel_actions_run_once_and_are_destroyed_at_the_end)
{
    struct fate its, action;
    weir::pool pool(one_worker());
    auto future = pool.async([&](weir::task_ref task) {
        ck_assert_int_eq(task.on_cancel([&, held = mark(action)] {
            tally_add(&held->started, 1);
        }),
                         WEIR_OK);
        tally_add(&its.started, 1);
        gate_wait(&its.finish);
        assert_not_destroyed(action);
        ck_assert_int_eq(task.on_cancel([&] { tally_add(&its.ended, 1); }),
                         WEIR_OK); /* at once, here */
        ck_assert_uint_eq(tally_read(&its.ended), 1);
    });

    await_count(&its.started, 1);
    future.cancel();
    await_count(&action.started, 1);
    gate_open(&its.finish);
    await_destroyed(action);
    ck_assert_uint_eq(tally_read(&action.started), 1);
}
END_TEST

START_TEST(cancel_actions_that_were_dropped_do_not_run)
{
    struct fate its, action;
    weir::pool pool(one_worker());
    auto future = pool.async([&](weir::task_ref task) {
        ck_assert_int_eq(task.on_cancel([&, held = mark(action)] {
            tally_add(&held->started, 1);
        }),
                         WEIR_OK);
        task.drop_cancel_actions();
        tally_add(&its.started, 1);
        gate_wait(&its.finish);
    });

    await_count(&its.started, 1);
    future.cancel();
    gate_open(&its.finish);
    await_destroyed(action);
    ck_assert_uint_eq(tally_read(&action.started), 0);
}
END_TEST

/* Ends the process with SIGABRT, though the submitter would catch it. */
START_TEST(an_exception_in_a_clean_up_is_the_end)
{
    weir_pool_options options = one_worker();
    struct fate first;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    weir::pool pool(options);
    ck_assert_int_eq(pool.submit(marked(first, wait_for_finish)), WEIR_OK);
    await_count(&first.started, 1);
    ck_assert_int_eq(pool.submit([] {}), WEIR_OK);
    try {
        (void)!pool.submit([](weir::task_ref task) {
            ck_assert_int_eq(task.defer([] { throw 1; }), WEIR_OK);
        });
    } catch (...) {
        exit(EXIT_SUCCESS);
    }
}
END_TEST

int main()
{
    static const TTest *const failures[] = {
        an_exception_becomes_a_failure_with_its_words_and_code,
        a_weir_error_in_a_handler_keeps_its_words,
        words_are_cut_where_the_library_cuts_them,
        failing_without_a_throw_overrules_the_result,
        a_worker_lives_through_any_number_of_exceptions,
        nullptr};
    static const TTest *const results[] = {
        results_are_of_their_own_type,
        a_result_above_a_lowered_limit_fails_by_name,
        a_result_that_nobody_fetches_is_destroyed,
        the_result_of_a_late_attempt_goes_nowhere,
        a_future_moves_and_outlives_its_pool,
        a_future_of_cs_is_taken_over_if_the_sizes_agree,
        futures_are_got_in_the_order_in_which_they_settle,
        nullptr};
    static const TTest *const tasks[] = {
        a_handler_knows_where_it_is,
        a_handler_sees_that_it_is_cancelled,
        bytes_of_a_handler_are_in_the_outcome,
        one_clean_up_too_many_is_refused_and_destroyed,
        cancel_actions_run_once_and_are_destroyed_at_the_end,
        cancel_actions_that_were_dropped_do_not_run,
        nullptr};
    static const TTest *const ends[] = {
        clean_ups_run_in_reverse_and_are_destroyed_however_it_ends, nullptr};
    static const TTest *const fatal[] = {an_exception_in_a_clean_up_is_the_end,
                                         nullptr};
    const struct chapter book[] = {{"failures", failures, nullptr, nullptr, 0,
                                    0},
                                   {"results", results, nullptr, nullptr, 0, 0},
                                   {"tasks", tasks, nullptr, nullptr, 0, 0},
                                   {"clean-ups", ends, nullptr, nullptr, 3, 0},
                                   {"fatal", fatal, nullptr, nullptr, 0,
                                    SIGABRT},
                                   {nullptr, nullptr, nullptr, nullptr, 0, 0}};

    return report("C++ task", book);
}
