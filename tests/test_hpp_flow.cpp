/* SPDX-License-Identifier: MIT */
/* test_hpp_flow.cpp - producers, streams and pipelines in C++. */
#include "cpp.hpp"

#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;

/* Counts up, and says when it is destroyed. */
struct counter {
    mark held;
    int next, end;

    std::optional<int> operator()()
    {
        if (next == end)
            return std::nullopt;
        return next++;
    }
};

static weir::producer numbers(fate &its, int end)
{
    return weir::producer::from(counter{mark(its), 0, end});
}

static long square(const int &number)
{
    return static_cast<long>(number) * number;
}

/* Of five one throws, one throws what is no exception, one ends its thread. */
static long square_or_throw(const int &number)
{
    if (number % 5 == 1)
        throw weir::failure(7, "not one");
    if (number % 5 == 2)
        throw 1;
    if (number % 5 == 3)
        pthread_exit(nullptr);
    return square(number);
}

/* --------------------------------------------------------------- producers */

START_TEST(a_producer_that_nobody_takes_closes_itself)
{
    struct fate its, others;

    {
        weir::producer made = numbers(its, 3), other = numbers(others, 3);
        int number = -1;

        ck_assert_uint_eq(made.item_size(), sizeof(int));
        ck_assert_int_eq(made.native()->next(made.native()->self, &number),
                         WEIR_OK);
        ck_assert_int_eq(number, 0);
        assert_not_destroyed(its);
        made = std::move(other);
        await_destroyed(its);
        made.native()->interrupt(made.native()->self);
        ck_assert_int_eq(made.native()->next(made.native()->self, &number),
                         WEIR_CANCELLED);
    }
    await_destroyed(others);
}
END_TEST

START_TEST(cs_producers_have_their_own)
{
    const int all[] = {1, 2};

    ck_assert_uint_eq(weir::producer::array(all, 2).item_size(), sizeof(int));
    ck_assert_uint_eq(weir::producer::range(0, 9).item_size(), 8);
    ck_assert_uint_eq(weir::producer::files("/").item_size(), sizeof(char *));
    ck_assert_uint_eq(weir::producer::lines(0).item_size(), sizeof(weir_line));
    assert_refused([] { (void)weir::producer::range(2, UINT64_MAX); },
                   WEIR_EINVAL);
    try {
        (void)weir::producer::files("/nowhere");
        ck_abort_msg("it is somewhere");
    } catch (const weir::error &e) {
        ck_assert_int_eq(e.status(), WEIR_ESYSTEM);
        ck_assert_int_eq(e.system(), ENOENT);
    }
}
END_TEST

/* ----------------------------------------------------------------- streams */

START_TEST(a_stream_gives_each_result_in_order)
{
    struct fate its;
    weir::plain_pool<sizeof(int)> pool;
    int expected = 0;

    {
        weir::stream<int, long> squares(pool, numbers(its, 1000),
                                        weir::handler<int, square>,
                                        WEIR_IN_ORDER);

        for (const auto &each : squares) {
            ck_assert_int_eq(each.item, expected);
            ck_assert_int_eq(each.get(), square(expected));
            expected++;
        }
        ck_assert_int_eq(expected, 1000);
        ck_assert(squares.begin() == squares.end());
    }
    await_destroyed(its);
}
END_TEST

START_TEST(what_handlers_throw_is_their_tasks_failure)
{
    struct fate its;
    weir::plain_pool<sizeof(int)> pool;
    weir::stream<int, long> squares(pool, numbers(its, 100),
                                    weir::handler<int, square_or_throw>,
                                    WEIR_IN_ORDER);
    weir::stream<int, long>::each each;
    int i = 0;

    for (; squares.next(each, 20s) == WEIR_OK; i++) {
        const weir_outcome_kind kinds[] = {WEIR_OUTCOME_DONE,
                                           WEIR_OUTCOME_FAILED,
                                           WEIR_OUTCOME_FAILED,
                                           WEIR_OUTCOME_EXITED,
                                           WEIR_OUTCOME_DONE};

        ck_assert_int_eq(each.item, i);
        ck_assert_int_eq(each.outcome.kind, kinds[i % 5]);
        if (each.outcome.kind == WEIR_OUTCOME_DONE) {
            ck_assert_int_eq(each.get(), square(i));
            continue;
        }
        try {
            each.get();
            ck_abort_msg("nothing was thrown");
        } catch (const weir::task_failed &e) {
            ck_assert_int_eq(e.kind(), kinds[i % 5]);
            if (i % 5 == 1)
                assert_words(e.what(), "not one");
        }
    }
    ck_assert_int_eq(i, 100);
}
END_TEST

static std::optional<int> throw_at_five()
{
    static int next;

    if (next == 5)
        throw std::runtime_error("the well is dry");
    return next++;
}

/* Each of five has come before. */
START_TEST(what_a_producer_throws_is_thrown_at_the_end)
{
    weir::plain_pool<sizeof(int)> pool;
    weir::stream<int, long> squares(pool, weir::producer::from(throw_at_five),
                                    weir::handler<int, square>);
    int count = 0;

    try {
        for (const auto &each : squares) {
            each.get();
            count++;
        }
        ck_abort_msg("nothing was thrown");
    } catch (const std::runtime_error &e) {
        assert_words(e.what(), "the well is dry");
    }
    ck_assert_int_eq(count, 5);
}
END_TEST

static void wait_for_ever(weir::task_ref task, int &)
{
    (void)!task.sleep_for(1h);
}

START_TEST(a_stream_that_is_left_cancels_and_closes)
{
    struct fate its;
    weir::plain_pool<sizeof(int)> pool;

    {
        weir::stream<int> stream(pool, numbers(its, 1000),
                                 weir::handler<int, wait_for_ever>);
        weir::stream<int>::each each;

        ck_assert_int_eq(stream.next(each, 0s), WEIR_TIMED_OUT);
    }
    ck_assert_int_eq(pool.join(), WEIR_OK);
    await_destroyed(its);
    ck_assert_uint_eq(pool.stats().ledger.done, 0);
}
END_TEST

START_TEST(a_stream_says_how_it_ended)
{
    struct fate its;
    weir::plain_pool<sizeof(int)> pool;
    weir::stream<int, long> squares(pool, numbers(its, 1 << 30),
                                    weir::handler<int, square>);
    weir::stream<int, long> moved = std::move(squares);

    ck_assert_int_eq(pool.stop(WEIR_STOP_NOW), WEIR_OK);
    assert_refused(
        [&] {
            for (const auto &each : moved)
                (void)each;
        },
        WEIR_CLOSED);
}
END_TEST

/* The producer is closed all the same. */
START_TEST(a_stream_that_is_refused_throws)
{
    struct fate one, two, three;
    weir::plain_pool<sizeof(int)> pool;
    weir::plain_pool<sizeof(long)> longs;

    using stream = weir::stream<int, long>;
    assert_refused(
        [&] {
            stream none(longs, numbers(one, 1), weir::handler<int, square>);
        },
        WEIR_EINVAL, "item_size");
    assert_refused([&] { stream none(pool, numbers(two, 1), nullptr); },
                   WEIR_EINVAL, "handler");
    assert_refused(
        [&] { weir::stream<long> none(longs, numbers(three, 1), nullptr); },
        WEIR_EINVAL, "another size");
    await_destroyed(one);
    await_destroyed(two);
    await_destroyed(three);
}
END_TEST

START_TEST(a_result_of_another_size_is_thrown)
{
    struct fate its;
    weir::plain_pool<sizeof(int)> pool;
    weir::stream<int, char> chars(pool, numbers(its, 1),
                                  weir::handler<int, square>);
    weir::stream<int, char>::each each;

    ck_assert_int_eq(chars.next(each), WEIR_OK);
    assert_refused([&] { (void)each.get(); }, WEIR_EINVAL, "another size");
}
END_TEST

/* --------------------------------------------------------------- pipelines */

static std::optional<long> square_the_even(const int &number)
{
    if (number % 2)
        return std::nullopt;
    return square(number);
}

static std::vector<long> seen;

static void see(const long &number)
{
    seen.push_back(number);
}

START_TEST(a_pipeline_passes_results_on_and_drops_what_has_none)
{
    struct fate its;
    std::multiset<std::string> left;
    weir_report report = WEIR_REPORT_INIT;

    {
        weir::pipeline pipeline(
            numbers(its, 100),
            {weir::stage<int, square_the_even>("square"),
             weir::stage<long, see>("see", WEIR_STAGE_SERIAL_IN_ORDER)},
            [&](const char *stage, const void *, const weir_outcome &outcome) {
                static std::mutex lock;
                const std::lock_guard<std::mutex> hold(lock);

                ck_assert_int_eq(outcome.kind, WEIR_OUTCOME_DONE);
                left.insert(stage);
            });

        ck_assert_int_eq(pipeline.wait(WEIR_FOREVER, &report), WEIR_OK);
        ck_assert_uint_eq(pipeline.stats(1).ledger.accepted, 50);
        assert_refused([&] { pipeline.stats(2); }, WEIR_EINVAL);
    }
    ck_assert_uint_eq(report.ledger.done, 100);
    ck_assert_uint_eq(left.count("square"), 50);
    ck_assert_uint_eq(left.count("see"), 50);
    ck_assert_uint_eq(seen.size(), 50);
    for (std::size_t i = 0; i < 50; i++)
        ck_assert_int_eq(seen[i], square(static_cast<int>(2 * i)));
    ck_assert_uint_eq(tally_read(&its.destroyed), 1);
}
END_TEST

START_TEST(a_pipeline_ends_early)
{
    struct fate stopped, destroyed;

    {
        weir::pipeline first(numbers(stopped, 1 << 30),
                             {weir::stage<int, square>("square")});

        first.stop();
        ck_assert_int_eq(first.wait(20s), WEIR_CANCELLED);
        weir::pipeline second(numbers(destroyed, 1 << 30),
                              {weir::stage<int, square>("square")},
                              [](auto...) {});
        ck_assert_int_eq(second.wait(0s), WEIR_TIMED_OUT);
        first = std::move(second); /* ends the one that it was */
        await_destroyed(stopped);
        assert_not_destroyed(destroyed);
    }
    await_destroyed(destroyed);
}
END_TEST

static std::optional<int> only_throw()
{
    throw weir::failure(3, "no numbers");
}

START_TEST(a_pipeline_that_fails_throws)
{
    struct fate its;
    weir::pipeline pipeline(weir::producer::from(only_throw),
                            {weir::stage<int, square>("square")});

    try {
        (void)!pipeline.wait();
        ck_abort_msg("nothing was thrown");
    } catch (const weir::failure &e) {
        ck_assert_int_eq(e.code(), 3);
    }
    assert_refused([&] { weir::pipeline none(numbers(its, 1), {}); },
                   WEIR_EINVAL);
    await_destroyed(its);
}
END_TEST

/* ------------------------------------------------------------------ memory */

START_TEST(a_want_of_memory_is_thrown_and_leaves_nothing)
{
    weir::plain_pool<sizeof(int)> pool;

    for (std::uint64_t nth = 1;; nth++) {
        struct fate its, others;
        bool all = false;

        weir__fault_arm(nth);
        try {
            weir::stream<int, long> stream(pool, numbers(its, 1),
                                           weir::handler<int, square>);
            weir::pipeline pipeline(numbers(others, 1),
                                    {weir::stage<int, square>("square")});

            weir__fault_arm(0);
            ck_assert_int_eq(pipeline.wait(), WEIR_OK);
            all = true;
        } catch (const weir::error &e) {
            weir__fault_arm(0);
            ck_assert(e.status() == WEIR_ENOMEM || e.status() == WEIR_ESYSTEM);
        }
        ck_assert_int_eq(pool.join(), WEIR_OK);
        await_destroyed(its);
        if (all)
            break;
    }
}
END_TEST

int main()
{
    static const TTest *const producers[] = {
        a_producer_that_nobody_takes_closes_itself, cs_producers_have_their_own,
        nullptr};
    static const TTest *const streams[] = {
        a_stream_gives_each_result_in_order,
        what_handlers_throw_is_their_tasks_failure,
        what_a_producer_throws_is_thrown_at_the_end,
        a_stream_that_is_left_cancels_and_closes,
        a_stream_says_how_it_ended,
        a_stream_that_is_refused_throws,
        a_result_of_another_size_is_thrown,
        nullptr};
    static const TTest *const pipelines[] = {
        a_pipeline_passes_results_on_and_drops_what_has_none,
        a_pipeline_ends_early, a_pipeline_that_fails_throws,
        a_want_of_memory_is_thrown_and_leaves_nothing, nullptr};
    const struct chapter book[] = {{"producers", producers, nullptr, nullptr, 0,
                                    0},
                                   {"streams", streams, nullptr, nullptr, 0, 0},
                                   {"pipelines", pipelines, nullptr, nullptr, 0,
                                    0},
                                   {nullptr, nullptr, nullptr, nullptr, 0, 0}};

    return report("C++ flow", book);
}
