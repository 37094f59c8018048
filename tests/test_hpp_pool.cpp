/* SPDX-License-Identifier: MIT */
/* test_hpp_pool.cpp - a pool of callables: its end, its options, its callbacks.
 */
#include "cpp.hpp"

#include <csignal>
#include <string>

using namespace std::chrono_literals;

/* --------------------------------------------------------- the pool's ends */

START_TEST(its_end_cancels_what_waits_and_awaits_what_runs)
{
    struct fate running, waiting;
    int done = 0, cancelled = 0;
    auto count = [&](const weir_outcome &outcome) {
        done += outcome.kind == WEIR_OUTCOME_DONE;
        cancelled += outcome.kind == WEIR_OUTCOME_CANCELLED;
    };

    {
        weir::pool pool(one_worker(), count);

        ck_assert_int_eq(pool.submit(marked(running, sleep_until_cancelled)),
                         WEIR_OK);
        await_count(&running.started, 1);
        ck_assert_int_eq(pool.submit(marked(waiting, do_nothing)), WEIR_OK);
    }
    ck_assert_int_eq(done, 1); /* its answer was waited for */
    ck_assert_int_eq(cancelled, 1);
    ck_assert_uint_eq(tally_read(&running.destroyed), 1);
    ck_assert_uint_eq(tally_read(&waiting.started), 0);
    ck_assert_uint_eq(tally_read(&waiting.destroyed), 1);
}
END_TEST

START_TEST(a_pool_that_is_assigned_to_ends_the_one_it_was)
{
    struct fate old, fresh;
    int settled = 0;
    weir::pool pool(one_worker(), [&](const weir_outcome &) { settled++; });
    weir::pool other(one_worker());

    ck_assert_int_eq(pool.submit(marked(old, sleep_until_cancelled)), WEIR_OK);
    ck_assert_int_eq(other.submit(marked(fresh, wait_for_finish)), WEIR_OK);
    await_count(&old.started, 1);
    await_count(&fresh.started, 1);
    pool = std::move(other);
    ck_assert_uint_eq(tally_read(&old.destroyed), 1);
    ck_assert_int_eq(settled, 1);
    assert_not_destroyed(fresh);
    gate_open(&fresh.finish);
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_uint_eq(tally_read(&fresh.destroyed), 1);
    ck_assert_int_eq(settled, 1);
    assert_refused([&] { (void)!other.submit([] {}); }, WEIR_EINVAL);
}
END_TEST

/* It stays reachable, for those who look for leaks. */
static const mark *volatile held_for_ever;

START_TEST(destroy_does_not_wait_for_handlers)
{
    struct fate stuck;
    weir::pool pool(one_worker());
    auto callable = [held = mark(stuck)] {
        const visit here(*held);

        held_for_ever = &held;
        gate_wait(&held->finish);
    };

    ck_assert_int_eq(pool.submit(std::move(callable)), WEIR_OK);
    await_count(&stuck.started, 1);
    auto waiting = pool.async([] {});
    pool.destroy();
    assert_fails(waiting, WEIR_OUTCOME_CANCELLED);
    assert_not_destroyed(stuck);
    gate_open(&stuck.finish);
    await_count(&stuck.ended, 1);
    assert_not_destroyed(stuck);
}
END_TEST

/* ----------------------------------------------------------------- options */

START_TEST(options_that_are_the_classes_own_are_refused)
{
    weir_pool_options options = one_worker();

    options.item_size = 8;
    assert_refused([&] { weir::pool pool(options); }, WEIR_EINVAL, "item_size");
    assert_refused([&] { weir::plain_pool<> pool(options); }, WEIR_EINVAL,
                   "item_size");
    options.item_size = 0;
    options.on_settled = [](void *, const void *, const weir_outcome *) {};
    assert_refused([&] { weir::pool pool(options); }, WEIR_EINVAL,
                   "on_settled");
    options.on_settled = nullptr;
    options.on_release = [](void *, void *) {};
    assert_refused([&] { weir::pool pool(options); }, WEIR_EINVAL,
                   "on_release");
    options.on_release = nullptr;
    options.timeout_ns = -1;
    assert_refused([&] { weir::pool pool(options); }, WEIR_EINVAL,
                   "timeout_ns");
}
END_TEST

START_TEST(a_spec_says_all_but_what_is_run)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    std::string context = "mine";
    struct fate its;
    weir::pool pool(one_worker());
    weir::job job(marked(its, [](weir::task_ref task, fate &) {
        ck_assert_str_eq(task.context<std::string>()->c_str(), "mine");
    }));

    spec.context = &context;
    spec.timeout_ns = weir::ns(3s);
    ck_assert_int_eq(pool.submit(
                         [](weir::task_ref task) {
                             ck_assert(task.deadline().remaining() == 3s);
                             ck_assert_str_eq(
                                 task.context<std::string>()->c_str(), "mine");
                         },
                         spec, 1s),
                     WEIR_OK);
    ck_assert_int_eq(pool.submit(job, spec), WEIR_OK);
    await_destroyed(its);
    spec.copy = true;
    assert_refused([&] { (void)!pool.submit([] {}, spec); }, WEIR_EINVAL,
                   "spec");
    assert_refused([&] { pool.async([] {}, spec); }, WEIR_EINVAL, "spec");
    assert_refused([&] { (void)!pool.submit(job, spec); }, WEIR_EINVAL, "spec");
    ck_assert_uint_eq(pool.stats().ledger.failed, 0);
}
END_TEST

START_TEST(it_can_be_resized)
{
    weir::pool pool(one_worker());

    ck_assert_int_eq(pool.resize(3), WEIR_OK);
    ck_assert_uint_eq(pool.stats().workers, 3);
    ck_assert_double_eq(pool.pressure(), 0);
    assert_refused([&] { (void)!pool.resize(0); }, WEIR_EINVAL);
    ck_assert_int_eq(pool.stop(WEIR_STOP_NOW), WEIR_OK);
    ck_assert_int_eq(pool.resize(2), WEIR_CLOSED);
}
END_TEST

START_TEST(what_would_wait_for_itself_is_thrown)
{
    weir::pool pool(one_worker());
    auto future = pool.async([&pool] { (void)!pool.join(); });

    ck_assert_int_eq(assert_fails(future, WEIR_OUTCOME_FAILED).code(), 1);
}
END_TEST

/* --------------------------------------------------------------- callbacks */

START_TEST(on_settled_hears_of_every_outcome)
{
    struct tally heard = TALLY_INIT;
    std::string message;
    weir::pool pool(one_worker(), [&](const weir_outcome &outcome) {
        message = outcome.message;
        tally_add(&heard, 1);
    });

    ck_assert_int_eq(pool.submit([] { throw weir::failure(4, "no"); }),
                     WEIR_OK);
    await_count(&heard, 1);
    ck_assert_str_eq(message.c_str(), "no");
    ck_assert_int_eq(pool.join(), WEIR_OK);
}
END_TEST

START_TEST(on_settled_may_end_its_thread)
{
    int heard = 0;
    weir::pool pool(one_worker(), [&](const weir_outcome &) {
        if (++heard == 1)
            pthread_exit(nullptr);
    });
    struct fate its;

    ck_assert_int_eq(pool.submit(marked(its, do_nothing)), WEIR_OK);
    await_destroyed(its);
    ck_assert_int_eq(pool.submit([] {}), WEIR_OK);
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_int_eq(heard, 2);
}
END_TEST

/* Ends the process with SIGABRT, though the submitter would catch it. */
START_TEST(an_exception_in_on_settled_is_the_end)
{
    weir_pool_options options = one_worker();
    struct fate first;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    weir::pool pool(options, [](const weir_outcome &) { throw 1; });
    ck_assert_int_eq(pool.submit(marked(first, wait_for_finish)), WEIR_OK);
    await_count(&first.started, 1);
    ck_assert_int_eq(pool.submit([] {}), WEIR_OK);
    try {
        (void)!pool.submit([] {});
    } catch (...) {
        exit(EXIT_SUCCESS);
    }
}
END_TEST

/* A handler that ends its thread is a warning. */
template <class Pool> static void log_an_exit(Pool &pool)
{
    ck_assert_int_eq(pool.submit([] { pthread_exit(nullptr); }), WEIR_OK);
    ck_assert_int_eq(pool.join(), WEIR_OK);
}

START_TEST(on_log_hears_what_an_operator_must_know)
{
    std::string pools, plain_pools;
    auto into = [](std::string &told) {
        return [&told](const weir_log_record &record) {
            told += std::string(weir_log_level_name(record.level)) + " " +
                    weir_log_kind_name(record.kind) + ";";
        };
    };
    weir::pool pool(one_worker(), {}, into(pools));
    weir::plain_pool<> plain(one_worker(), into(plain_pools));

    log_an_exit(pool); /* join waits for on_log */
    log_an_exit(plain);
    ck_assert_str_eq(pools.c_str(), "warning exited;");
    ck_assert_str_eq(plain_pools.c_str(), "warning exited;");
}
END_TEST

START_TEST(on_log_may_be_a_function_of_c)
{
    weir_pool_options options = one_worker();
    int told = 0;

    options.on_log_arg = &told;
    options.on_log = [](void *arg, const weir_log_record *) {
        ++*static_cast<int *>(arg);
    };
    weir::pool pool(options);
    log_an_exit(pool);
    ck_assert_int_eq(told, 1);
    assert_refused(
        [&] { weir::pool twice(options, {}, [](const weir_log_record &) {}); },
        WEIR_EINVAL, "on_log");
}
END_TEST

START_TEST(what_on_log_needs_goes_with_its_pool)
{
    auto held = std::make_shared<int>(0);
    auto count = [held](const weir_log_record &) { ++*held; };
    weir::pool pool(one_worker(), {}, count), moved_to;

    moved_to = std::move(pool);
    log_an_exit(moved_to);
    ck_assert_int_eq(*held, 1);
    ck_assert_int_eq(held.use_count(), 3);
    moved_to.destroy();
    ck_assert_int_eq(held.use_count(), 2);
}
END_TEST

/* Ends the process with SIGABRT. */
START_TEST(an_exception_in_on_log_is_the_end)
{
    weir::pool pool(one_worker(), {}, [](const weir_log_record &) { throw 1; });

    log_an_exit(pool);
}
END_TEST

int main()
{
    static const TTest *const pools[] = {
        its_end_cancels_what_waits_and_awaits_what_runs,
        a_pool_that_is_assigned_to_ends_the_one_it_was,
        destroy_does_not_wait_for_handlers,
        options_that_are_the_classes_own_are_refused,
        a_spec_says_all_but_what_is_run,
        it_can_be_resized,
        what_would_wait_for_itself_is_thrown,
        nullptr};
    static const TTest *const callbacks[] = {
        on_settled_hears_of_every_outcome,       on_settled_may_end_its_thread,
        on_log_hears_what_an_operator_must_know, on_log_may_be_a_function_of_c,
        what_on_log_needs_goes_with_its_pool,    nullptr};
    static const TTest *const fatal[] = {an_exception_in_on_settled_is_the_end,
                                         an_exception_in_on_log_is_the_end,
                                         nullptr};
    const struct chapter book[] = {
        {"pools", pools, test_clock_install, test_clock_remove, 0, 0},
        {"callbacks", callbacks, nullptr, nullptr, 0, 0},
        {"fatal", fatal, nullptr, nullptr, 0, SIGABRT},
        {nullptr, nullptr, nullptr, nullptr, 0, 0}};

    return report("C++ pool", book);
}
