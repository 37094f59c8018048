/* SPDX-License-Identifier: MIT */
/* test_hpp_group.cpp - callables of a group in a shared pool. */
#include "cpp.hpp"

#include <array>
#include <sched.h>
#include <string>

using namespace std::chrono_literals;

/* Goes on for a while, so that who does not wait for it is seen. */
static void linger_when_cancelled(weir::task_ref task, fate &its)
{
    sleep_until_cancelled(task, its);
    for (int i = 0; i < 1000; i++)
        sched_yield();
}

static void add_to_context(weir::task_ref task, fate &)
{
    ++*task.context<int>();
}

START_TEST(a_group_takes_all_that_a_pool_takes)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    std::array<char, 100> large = {};
    struct fate held, others;
    int ran = 0;
    weir::pool pool(one_worker());
    weir::group group(pool);
    weir::job job([&] { ran++; });

    spec.context = &ran;
    ck_assert_int_eq(group.submit([&] { ran++; }), WEIR_OK);
    ck_assert_int_eq(group.submit([&, large] { ran += 1 + large[0]; }, 1s),
                     WEIR_OK);
    ck_assert_int_eq(group.submit([&] { ran++; }, spec), WEIR_OK);
    ck_assert_int_eq(group.submit(marked(held, add_to_context), spec), WEIR_OK);
    ck_assert_int_eq(group.submit(job), WEIR_OK);
    ck_assert_int_eq(pool.submit(marked(others, wait_for_finish)), WEIR_OK);
    gate_open(&others.finish);
    assert_words(group.async([] { return std::string("x"); }, 0s).get(), "x");
    ck_assert_int_eq(group.async([] { return 5; }, spec).get(), 5);
    ck_assert_int_eq(group.join(), WEIR_OK);
    ck_assert_int_eq(ran, 5);
    ck_assert_uint_eq(tally_read(&held.destroyed), 1);
    ck_assert_uint_eq(group.ledger().accepted, 7);
    ck_assert_uint_eq(group.ledger().done, 7);
    ck_assert_uint_eq(pool.stats().ledger.accepted, 8);
}
END_TEST

START_TEST(a_join_waits_for_its_own_only)
{
    struct fate others, its;
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = 2;
    weir::pool pool(options);
    weir::group group(pool);
    ck_assert_int_eq(pool.submit(marked(others, wait_for_finish)), WEIR_OK);
    ck_assert_int_eq(group.submit(marked(its, wait_for_finish)), WEIR_OK);
    ck_assert_int_eq(group.join(0s), WEIR_TIMED_OUT);
    gate_open(&its.finish);
    ck_assert_int_eq(group.join(), WEIR_OK);
    ck_assert_uint_eq(tally_read(&its.destroyed), 1);
    assert_not_destroyed(others);
    gate_open(&others.finish);
}
END_TEST

START_TEST(its_end_cancels_its_tasks_and_waits_for_them)
{
    struct fate running, waiting, others;
    weir::pool pool(one_worker());

    {
        weir::group group(pool);

        ck_assert_int_eq(group.submit(marked(running, linger_when_cancelled)),
                         WEIR_OK);
        await_count(&running.started, 1);
        ck_assert_int_eq(group.submit(marked(waiting, do_nothing)), WEIR_OK);
        ck_assert_int_eq(pool.submit(marked(others, do_nothing)), WEIR_OK);
    }
    ck_assert_uint_eq(tally_read(&running.destroyed), 1);
    ck_assert_uint_eq(tally_read(&waiting.destroyed), 1);
    ck_assert_uint_eq(tally_read(&waiting.started), 0);
    await_destroyed(others);
    ck_assert_uint_eq(tally_read(&others.started), 1);
    ck_assert_uint_eq(pool.stats().ledger.cancelled, 2);
}
END_TEST

START_TEST(a_cancel_leaves_the_group_open)
{
    struct fate first;
    weir::pool pool(one_worker());
    weir::group group(pool);

    ck_assert_int_eq(group.submit(marked(first, sleep_until_cancelled)),
                     WEIR_OK);
    await_count(&first.started, 1);
    group.cancel();
    await_destroyed(first);
    group.async([] {}).get();
    ck_assert_uint_eq(group.ledger().cancelled, 1);
    ck_assert_uint_eq(group.ledger().done, 1);
}
END_TEST

START_TEST(what_it_refuses_is_destroyed_unless_it_is_a_job)
{
    struct fate its, kept;
    weir::pool pool(one_worker());
    weir::group group(pool);
    weir::job job(marked(kept, do_nothing));

    ck_assert_int_eq(pool.stop(WEIR_STOP_NOW), WEIR_OK);
    ck_assert_int_eq(group.submit(marked(its, do_nothing)), WEIR_CLOSED);
    ck_assert_uint_eq(tally_read(&its.destroyed), 1);
    assert_refused([&] { group.async(marked(its, do_nothing)); }, WEIR_CLOSED);
    ck_assert_uint_eq(tally_read(&its.destroyed), 2);
    ck_assert_int_eq(group.submit(job), WEIR_CLOSED);
    ck_assert(job.valid());
    assert_not_destroyed(kept);
}
END_TEST

START_TEST(in_a_handler_its_end_does_not_wait)
{
    struct fate its;
    weir::pool pool(one_worker());

    pool.async([&] {
            weir::group group(pool);

            ck_assert_int_eq(group.submit(marked(its, do_nothing)), WEIR_OK);
        })
        .get();
    await_destroyed(its);
    ck_assert_uint_eq(tally_read(&its.started), 0);
}
END_TEST

START_TEST(destroy_does_not_wait)
{
    struct fate its;
    weir::pool pool(one_worker());
    weir::group group(pool);

    ck_assert_int_eq(group.submit(marked(its, wait_for_finish)), WEIR_OK);
    await_count(&its.started, 1);
    group.destroy();
    assert_not_destroyed(its);
    gate_open(&its.finish);
    await_destroyed(its);
}
END_TEST

START_TEST(it_moves_and_says_what_is_wrong)
{
    struct fate old;
    weir::pool pool(one_worker());
    weir::group group(pool), other(pool);

    ck_assert_int_eq(group.submit(marked(old, linger_when_cancelled)), WEIR_OK);
    await_count(&old.started, 1);
    group = std::move(other); /* ends the one that it was */
    ck_assert_uint_eq(tally_read(&old.destroyed), 1);
    group.async([] {}).get();
    assert_refused([&] { (void)!other.submit([] {}); }, WEIR_EINVAL);
    assert_refused([&] { (void)!other.join(); }, WEIR_EINVAL);
    weir__fault_arm(1);
    assert_refused([&] { weir::group none(pool); }, WEIR_ENOMEM);
    weir__fault_arm(0);
}
END_TEST

int main()
{
    static const TTest *const groups[] = {
        a_group_takes_all_that_a_pool_takes,
        a_join_waits_for_its_own_only,
        its_end_cancels_its_tasks_and_waits_for_them,
        a_cancel_leaves_the_group_open,
        what_it_refuses_is_destroyed_unless_it_is_a_job,
        in_a_handler_its_end_does_not_wait,
        destroy_does_not_wait,
        it_moves_and_says_what_is_wrong,
        nullptr};
    const struct chapter book[] = {{"groups", groups, nullptr, nullptr, 0, 0},
                                   {nullptr, nullptr, nullptr, nullptr, 0, 0}};

    return report("C++ group", book);
}
