/* SPDX-License-Identifier: MIT */
/* test_hpp_pool.cpp - callables in a pool, and when they are destroyed. */
#include "cpp.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <new>
#include <string>

using namespace std::chrono_literals;

/* ------------------------------------------------------------- what is run */

START_TEST(callables_of_all_kinds_run_and_are_done)
{
    static std::atomic<int> ran;
    std::atomic<int> *counter = &ran;
    std::function<void()> function = [] { ran++; };
    auto generic = [](auto task) { ran += static_cast<int>(task.attempt()); };
    struct {
        void operator()() const
        {
            ran++;
        }
        void operator()(weir::task_ref task) const
        {
            ran += task.cancelled() ? 1000 : 1;
        }
    } both;
    weir::pool pool(one_worker());

    ck_assert_int_eq(pool.submit([counter] { ++*counter; }), WEIR_OK);
    ck_assert_int_eq(pool.submit(+[] { ran++; }), WEIR_OK);
    ck_assert_int_eq(pool.submit(function), WEIR_OK);
    ck_assert_int_eq(pool.submit(generic), WEIR_OK);
    ck_assert_int_eq(pool.submit(both), WEIR_OK);
    ck_assert_int_eq(pool.submit([n = 1]() mutable { ran += n++; }), WEIR_OK);
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_int_eq(ran, 6);
    ck_assert_uint_eq(pool.stats().ledger.done, 6);
}
END_TEST

START_TEST(small_ones_are_not_allocated_and_others_once)
{
    std::array<char, weir::pool::room> fits = {};
    std::array<char, weir::pool::room + 1> does_not = {};
    struct alignas(32) {
        char byte;
    } aligned = {};
    struct fate held;
    weir::pool pool(one_worker());
    int before = news;

    ck_assert_int_eq(pool.submit([fits] { (void)fits; }), WEIR_OK);
    ck_assert_int_eq(pool.async([&fits] { return fits[0]; }).get(), 0);
    ck_assert_int_eq(news - before, 0);
    ck_assert_int_eq(pool.submit([does_not] { (void)does_not; }), WEIR_OK);
    ck_assert_int_eq(news - before, 1);
    ck_assert_int_eq(pool.submit(marked(held, do_nothing)), WEIR_OK);
    ck_assert_int_eq(news - before, 2);
    ck_assert_int_eq(pool.submit([aligned] {
        ck_assert_uint_eq(reinterpret_cast<std::uintptr_t>(&aligned) % 32, 0);
    }),
                     WEIR_OK);
    ck_assert_int_eq(news - before, 3);
    await_destroyed(held);
    before = news;
    assert_words(pool.async([] { return std::string("x"); }).get(), "x");
    ck_assert_int_eq(news - before, 2); /* with the result's place */
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_uint_eq(pool.stats().ledger.failed, 0);
}
END_TEST

START_TEST(plain_callables_allocate_nothing)
{
    std::atomic<std::uint64_t> sum{0};
    weir::plain_pool pool(one_worker());
    int before = news;

    for (std::uint64_t i = 1; i <= 100; i++)
        ck_assert_int_eq(pool.submit([&sum, i] { sum += i; }), WEIR_OK);
    ck_assert_int_eq(pool.submit(
                         [](weir::task_ref task) { task.fail(3, "no"); }),
                     WEIR_OK);
    ck_assert_int_eq(pool.submit([] { throw 3; }), WEIR_OK);
    ck_assert_int_eq(pool.submit([] { pthread_exit(nullptr); }), WEIR_OK);
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_int_le(news - before, 1); /* the exception's own */
    ck_assert_uint_eq(sum, 5050);
    ck_assert_uint_eq(pool.stats().ledger.done, 100);
    ck_assert_uint_eq(pool.stats().ledger.failed, 2);
    ck_assert_uint_eq(pool.stats().ledger.exited, 1);
}
END_TEST

/* -------------------------------------------------------------------- ends */

static void throw_words(weir::task_ref, fate &)
{
    throw std::runtime_error("words");
}
static void exit_thread(weir::task_ref, fate &)
{
    pthread_exit(nullptr);
}
static void cancel_thread(weir::task_ref, fate &)
{
    pthread_cancel(pthread_self());
    pthread_testcancel();
}

/* Submits it, and gives what it settles as. */
template <class F>
static weir_outcome_kind kind_of(weir::pool &pool, F &&callable)
{
    auto future = pool.async(std::forward<F>(callable));

    return future.outcome().kind;
}

START_TEST(it_is_destroyed_once_when_the_attempt_has_ended)
{
    static const struct {
        void (*act)(weir::task_ref, fate &);
        weir_outcome_kind kind;
    } ends[] = {{do_nothing, WEIR_OUTCOME_DONE},
                {throw_words, WEIR_OUTCOME_FAILED},
                {exit_thread, WEIR_OUTCOME_EXITED},
                {cancel_thread, WEIR_OUTCOME_EXITED}};
    struct fate its;
    weir::pool pool(one_worker());

    ck_assert_int_eq(kind_of(pool, marked(its, ends[_i].act)), ends[_i].kind);
    await_destroyed(its);
    ck_assert_uint_eq(tally_read(&its.ended), 1); /* its frame was unwound */
    ck_assert_int_eq(kind_of(pool, [] {}), WEIR_OUTCOME_DONE);
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_uint_eq(tally_read(&its.destroyed), 1);
}
END_TEST

START_TEST(one_that_times_out_is_destroyed_when_its_attempt_ends)
{
    weir_pool_options options = one_worker();
    struct fate its;

    options.timeout_ns = weir::ns(5s);
    weir::pool pool(options);
    auto future = pool.async(marked(its, wait_for_finish));
    await_count(&its.started, 1);
    ck_assert_int_eq(future.wait(0s), WEIR_TIMED_OUT);
    test_clock_advance(WEIR_SECONDS(5));
    assert_words(assert_fails(future, WEIR_OUTCOME_TIMED_OUT).what(),
                 "the attempt's deadline passed");
    assert_not_destroyed(its);
    gate_open(&its.finish);
    await_destroyed(its);
}
END_TEST

START_TEST(one_that_is_retried_is_run_in_place_and_destroyed_at_the_end)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_retry retry = WEIR_RETRY_INIT;
    struct fate its;
    int runs = 0;

    retry.max_attempts = 3;
    retry.base_ns = 1;
    retry.jitter = -1;
    spec.retry = &retry;
    weir::pool pool(one_worker());
    auto future = pool.async(
        [held = mark(its), &runs, sum = 0](weir::task_ref task) mutable {
            assert_not_destroyed(*held);
            sum += ++runs;
            if (task.attempt() < 3) {
                test_clock_advance(1000); /* the next is due */
                throw std::runtime_error("again");
            }
            return sum;
        },
        spec);
    while (future.wait(0s))
        test_clock_advance(1000);
    ck_assert_int_eq(future.get(), 6);
    await_destroyed(its);
    ck_assert_uint_eq(pool.stats().ledger.attempts, 3);
}
END_TEST

/* A pool whose one worker waits at `its`. */
static weir::pool busy_pool(fate &its, weir_pool_options options = one_worker())
{
    weir::pool pool(options);

    ck_assert_int_eq(pool.submit(marked(its, wait_for_finish)), WEIR_OK);
    await_count(&its.started, 1);
    return pool;
}

START_TEST(one_that_never_runs_is_destroyed_when_it_settles)
{
    struct fate first, cancelled, stopped;
    weir::pool pool = busy_pool(first);
    auto future = pool.async(marked(cancelled, do_nothing));

    ck_assert_int_eq(pool.submit(marked(stopped, do_nothing)), WEIR_OK);
    future.cancel();
    await_destroyed(cancelled);
    assert_not_destroyed(stopped);
    ck_assert_int_eq(pool.stop(WEIR_STOP_NOW, 0s), WEIR_STUCK);
    await_destroyed(stopped);
    assert_fails(future, WEIR_OUTCOME_CANCELLED);
    assert_not_destroyed(first);
    gate_open(&first.finish);
    await_destroyed(first);
    ck_assert_uint_eq(tally_read(&cancelled.started), 0);
    ck_assert_uint_eq(tally_read(&stopped.started), 0);
}
END_TEST

START_TEST(one_that_is_cancelled_at_work_is_destroyed_when_its_attempt_ends)
{
    struct fate its;
    weir::pool pool(one_worker());
    auto future = pool.async(marked(its, wait_for_finish));

    await_count(&its.started, 1);
    future.cancel();
    assert_fails(future, WEIR_OUTCOME_CANCELLED);
    assert_not_destroyed(its);
    gate_open(&its.finish);
    await_destroyed(its);
}
END_TEST

START_TEST(one_that_expires_is_destroyed)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    struct fate first, its;
    weir::pool pool = busy_pool(first);

    spec.time_to_live_ns = weir::ns(1s);
    auto future = pool.async(marked(its, do_nothing), spec);
    test_clock_advance(WEIR_SECONDS(1));
    assert_fails(future, WEIR_OUTCOME_EXPIRED);
    await_destroyed(its);
    gate_open(&first.finish);
}
END_TEST

START_TEST(one_that_is_dropped_is_destroyed_before_submit_returns)
{
    weir_pool_options options = one_worker();
    struct fate first, its, other;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_DROP_OLDEST;
    weir::pool pool = busy_pool(first, options);
    auto future = pool.async(marked(its, do_nothing));
    ck_assert_int_eq(pool.submit(marked(other, do_nothing)), WEIR_OK);
    ck_assert_uint_eq(tally_read(&its.destroyed), 1);
    assert_fails(future, WEIR_OUTCOME_DROPPED);
    gate_open(&first.finish);
    await_destroyed(other);
}
END_TEST

START_TEST(one_that_is_refused_is_destroyed_unless_it_is_a_job)
{
    weir_pool_options options = one_worker();
    struct fate first, filler, refused, again;
    weir_status status = _i == 0 ? WEIR_FULL : WEIR_TIMED_OUT;

    options.queue_capacity = 1;
    options.on_full = _i == 0 ? WEIR_ON_FULL_REFUSE : WEIR_ON_FULL_WAIT;
    weir::pool pool = busy_pool(first, options);
    weir::job job(marked(again, do_nothing));
    ck_assert_int_eq(pool.submit(marked(filler, do_nothing)), WEIR_OK);

    ck_assert_int_eq(pool.submit(marked(refused, do_nothing), 0s), status);
    ck_assert_uint_eq(tally_read(&refused.destroyed), 1);
    assert_refused([&] { pool.async(marked(refused, do_nothing), 0s); },
                   status);
    ck_assert_uint_eq(tally_read(&refused.destroyed), 2);
    ck_assert_int_eq(pool.submit([] {}, 0s), status);
    ck_assert_int_eq(pool.submit(job, WEIR_NOW), status);
    assert_not_destroyed(again);
    ck_assert(job.valid());
    gate_open(&first.finish);
    await_destroyed(filler);
    ck_assert_int_eq(pool.submit(job), WEIR_OK);
    ck_assert(!job.valid());
    await_destroyed(again);
    assert_refused([&] { (void)!pool.submit(job); }, WEIR_EINVAL, "empty");
    ck_assert_int_eq(pool.stop(WEIR_STOP_AFTER_DRAIN), WEIR_OK);
    weir::job late(marked(refused, do_nothing));
    ck_assert_int_eq(pool.submit(late), WEIR_CLOSED);
    late = weir::job();
    ck_assert_uint_eq(tally_read(&refused.destroyed), 3);
}
END_TEST

START_TEST(without_memory_nothing_is_accepted_and_nothing_leaks)
{
    struct fate its;
    weir::pool pool(one_worker());
    auto callable = marked(its, do_nothing);
    bool thrown = false;

    fail_next_new = true;
    try {
        (void)!pool.submit(std::move(callable));
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    ck_assert(thrown);
    assert_not_destroyed(its); /* nothing has moved */
    weir__fault_arm(1);
    assert_refused([&] { pool.async(std::move(callable)); }, WEIR_ENOMEM);
    weir__fault_arm(0);
    ck_assert_uint_eq(tally_read(&its.destroyed), 1);
    ck_assert_uint_eq(pool.stats().ledger.accepted, 0);
}
END_TEST

/* ------------------------------------------------------------- caller-runs */

struct caller {
    weir::pool *pool;
    struct fate its, frame;
    void (*act)(weir::task_ref, fate &);
    pthread_t ran_on;
    bool returned;
};

static void *submit_and_run(void *arg)
{
    auto *caller = static_cast<struct caller *>(arg);
    const visit here(caller->frame);

    ck_assert_int_eq(caller->pool->submit(marked(caller->its, caller->act)),
                     WEIR_OK);
    caller->returned = true;
    return nullptr;
}

START_TEST(a_submitter_that_runs_it_may_exit_and_it_is_destroyed_once)
{
    weir_pool_options options = one_worker();
    struct fate first, filler;
    struct caller caller = {};
    pthread_t thread;

    options.queue_capacity = 1;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    weir::pool pool = busy_pool(first, options);
    ck_assert_int_eq(pool.submit(marked(filler, do_nothing)), WEIR_OK);
    caller.pool = &pool;
    caller.act = _i == 0 ? throw_words : exit_thread;
    ck_assert_int_eq(pthread_create(&thread, nullptr, submit_and_run, &caller),
                     0);
    pthread_join(thread, nullptr);
    ck_assert_uint_eq(tally_read(&caller.its.destroyed), 1);
    ck_assert_uint_eq(tally_read(&caller.frame.ended), 1);
    ck_assert_int_eq(caller.returned, _i == 0);
    ck_assert_uint_eq(pool.stats().ledger.failed, _i == 0);
    ck_assert_uint_eq(pool.stats().ledger.exited, _i == 1);
    gate_open(&first.finish);
}
END_TEST

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

int main()
{
    static const TTest *const run[] = {
        callables_of_all_kinds_run_and_are_done,
        small_ones_are_not_allocated_and_others_once,
        plain_callables_allocate_nothing, nullptr};
    static const TTest *const ends[] = {
        it_is_destroyed_once_when_the_attempt_has_ended, nullptr};
    static const TTest *const others[] = {
        one_that_times_out_is_destroyed_when_its_attempt_ends,
        one_that_is_retried_is_run_in_place_and_destroyed_at_the_end,
        one_that_never_runs_is_destroyed_when_it_settles,
        one_that_is_cancelled_at_work_is_destroyed_when_its_attempt_ends,
        one_that_expires_is_destroyed,
        one_that_is_dropped_is_destroyed_before_submit_returns,
        without_memory_nothing_is_accepted_and_nothing_leaks,
        nullptr};
    static const TTest *const twice[] = {
        one_that_is_refused_is_destroyed_unless_it_is_a_job,
        a_submitter_that_runs_it_may_exit_and_it_is_destroyed_once, nullptr};
    static const TTest *const pools[] = {
        its_end_cancels_what_waits_and_awaits_what_runs,
        a_pool_that_is_assigned_to_ends_the_one_it_was,
        destroy_does_not_wait_for_handlers,
        options_that_are_the_classes_own_are_refused,
        a_spec_says_all_but_what_is_run,
        it_can_be_resized,
        what_would_wait_for_itself_is_thrown,
        nullptr};
    static const TTest *const callbacks[] = {on_settled_hears_of_every_outcome,
                                             on_settled_may_end_its_thread,
                                             nullptr};
    static const TTest *const fatal[] = {an_exception_in_on_settled_is_the_end,
                                         nullptr};
    const struct chapter book[] = {
        {"what is run", run, nullptr, nullptr, 0, 0},
        {"ends", ends, nullptr, nullptr, 4, 0},
        {"other ends", others, test_clock_install, test_clock_remove, 0, 0},
        {"refused, or run by the submitter", twice, nullptr, nullptr, 2, 0},
        {"pools", pools, test_clock_install, test_clock_remove, 0, 0},
        {"callbacks", callbacks, nullptr, nullptr, 0, 0},
        {"fatal", fatal, nullptr, nullptr, 0, SIGABRT},
        {nullptr, nullptr, nullptr, nullptr, 0, 0}};

    return report("C++ pool", book);
}
