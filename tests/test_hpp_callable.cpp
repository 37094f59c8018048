/* SPDX-License-Identifier: MIT */
/* test_hpp_callable.cpp - callables as tasks, and when they are destroyed. */
#include "cpp.hpp"

#include <array>
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
    const struct chapter book[] = {{"what is run", run, nullptr, nullptr, 0, 0},
                                   {"ends", ends, nullptr, nullptr, 4, 0},
                                   {"other ends", others, test_clock_install,
                                    test_clock_remove, 0, 0},
                                   {"refused, or run by the submitter", twice,
                                    nullptr, nullptr, 2, 0},
                                   {nullptr, nullptr, nullptr, nullptr, 0, 0}};

    return report("C++ callable", book);
}
