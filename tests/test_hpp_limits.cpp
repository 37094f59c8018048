/* SPDX-License-Identifier: MIT */
/* test_hpp_limits.cpp - rates, breakers and adaptive limits in C++. */
#include "cpp.hpp"

#include <stdexcept>

using namespace std::chrono_literals;

/* -------------------------------------------------------------------- rate */

START_TEST(a_rate_hands_out_its_burst_and_says_when_it_is_too_early)
{
    weir::rate rate(10, 3);

    ck_assert_uint_eq(rate.available(), 3);
    ck_assert_int_eq(rate.acquire(), WEIR_OK);
    ck_assert_int_eq(rate.acquire(2, 1s), WEIR_OK);
    ck_assert_int_eq(rate.acquire(1, 99ms), WEIR_TIMED_OUT);
    test_clock_advance(WEIR_MS(100));
    ck_assert_int_eq(rate.acquire(1, WEIR_NOW), WEIR_OK);
    assert_refused([&] { (void)!rate.acquire(4); }, WEIR_EINVAL);
    assert_refused([] { weir::rate none(0, 1); }, WEIR_EINVAL);
}
END_TEST

START_TEST(a_rate_can_be_moved)
{
    weir::rate rate(10, 3), other(10, 1);

    other = std::move(rate);
    ck_assert_uint_eq(other.available(), 3);
    assert_refused([&] { (void)!rate.acquire(); }, WEIR_EINVAL);
}
END_TEST

/* ----------------------------------------------------------------- breaker */

/* Opens at the second failure of two. */
static weir_breaker_options of_two()
{
    weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;

    options.window = 2;
    options.trials = 1;
    options.failure_share = 1;
    return options;
}

static void call_and_throw(weir::breaker &breaker)
{
    auto call = breaker.enter();

    ck_assert(call);
    throw std::runtime_error("as services do");
}

START_TEST(what_is_left_by_a_throw_has_failed)
{
    weir::breaker breaker(of_two());

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(breaker.state(), WEIR_BREAKER_CLOSED);
        try {
            call_and_throw(breaker);
        } catch (const std::runtime_error &) {
        }
    }
    ck_assert_int_eq(breaker.state(), WEIR_BREAKER_OPEN);
    ck_assert(!breaker.enter());
    test_clock_advance(WEIR_SECONDS(10));
    {
        auto call = breaker.enter();

        ck_assert(call);
        ck_assert(!breaker.enter()); /* one trial */
        call.leave(WEIR_RESULT_OK);
        ck_assert(!call);
    }
    ck_assert_int_eq(breaker.state(), WEIR_BREAKER_CLOSED);
}
END_TEST

START_TEST(a_call_leaves_once_wherever_it_has_moved_to)
{
    weir::breaker breaker(of_two());
    auto call = breaker.enter(), other = breaker.enter();

    weir::breaker::call moved = std::move(call);
    ck_assert(moved && !call);
    assert_refused([&] { call.leave(WEIR_RESULT_OK); }, WEIR_EINVAL,
                   "not let in");
    moved = std::move(other); /* ends the one that it was: one has failed */
    ck_assert_int_eq(breaker.state(), WEIR_BREAKER_CLOSED);
    moved = weir::breaker::call(); /* and another */
    ck_assert_int_eq(breaker.state(), WEIR_BREAKER_OPEN);
}
END_TEST

START_TEST(wrong_options_are_thrown)
{
    weir_breaker_options breaker = WEIR_BREAKER_OPTIONS_INIT;
    weir_adaptive_options adaptive = WEIR_ADAPTIVE_OPTIONS_INIT;

    breaker.failure_share = 2;
    adaptive.tolerance = 0.5;
    assert_refused([&] { weir::breaker none(breaker); }, WEIR_EINVAL,
                   "failure_share");
    assert_refused([&] { weir::adaptive none(adaptive); }, WEIR_EINVAL,
                   "tolerance");
}
END_TEST

/* ---------------------------------------------------------------- adaptive */

START_TEST(calls_are_in_flight_until_they_leave)
{
    weir_adaptive_options options = WEIR_ADAPTIVE_OPTIONS_INIT;

    options.kind = WEIR_ADAPTIVE_AIMD;
    options.least = options.most = 2;
    weir::adaptive adaptive(options);
    ck_assert_uint_eq(adaptive.limit(), 2);
    auto first = adaptive.enter();
    {
        auto second = adaptive.enter(1s);

        ck_assert(first && second);
        ck_assert_uint_eq(adaptive.in_flight(), 2);
        ck_assert(!adaptive.enter(0s));
    }
    ck_assert_uint_eq(adaptive.in_flight(), 1);
    first.leave(WEIR_RESULT_OK);
    ck_assert_uint_eq(adaptive.in_flight(), 0);
    assert_refused([&] { first.leave(WEIR_RESULT_OK); }, WEIR_EINVAL);
}
END_TEST

/* Whatever becomes of the attempt, its frame is unwound. */
START_TEST(a_handler_that_ends_its_thread_leaves)
{
    weir::adaptive adaptive;
    weir::pool pool(one_worker());

    ck_assert_int_eq(pool.submit([&] {
        auto call = adaptive.enter();

        ck_assert(call);
        pthread_exit(nullptr);
    }),
                     WEIR_OK);
    ck_assert_int_eq(pool.submit([&] {
        auto call = adaptive.enter();

        throw weir::failure(7, "no");
    }),
                     WEIR_OK);
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_uint_eq(adaptive.in_flight(), 0);
    ck_assert_uint_eq(pool.stats().ledger.exited, 1);
    ck_assert_uint_eq(pool.stats().ledger.failed, 1);
}
END_TEST

/* ------------------------------------------------------------------ memory */

template <class Make> static void must_survive_wants(Make make)
{
    std::uint64_t nth = 1;

    for (;; nth++) {
        weir__fault_arm(nth);
        try {
            auto made = make();

            weir__fault_arm(0);
            break;
        } catch (const weir::error &e) {
            ck_assert_int_eq(e.status(), WEIR_ENOMEM);
        }
    }
    ck_assert_uint_gt(nth, 1);
}

START_TEST(a_want_of_memory_is_thrown)
{
    must_survive_wants([] { return weir::rate(1, 1); });
    must_survive_wants([] { return weir::breaker(); });
    must_survive_wants([] { return weir::adaptive(); });
}
END_TEST

int main()
{
    static const TTest *const timed[] = {
        a_rate_hands_out_its_burst_and_says_when_it_is_too_early,
        a_rate_can_be_moved,
        what_is_left_by_a_throw_has_failed,
        a_call_leaves_once_wherever_it_has_moved_to,
        calls_are_in_flight_until_they_leave,
        nullptr};
    static const TTest *const others[] = {wrong_options_are_thrown,
                                          a_handler_that_ends_its_thread_leaves,
                                          a_want_of_memory_is_thrown, nullptr};
    const struct chapter book[] = {{"timed", timed, test_clock_install,
                                    test_clock_remove, 0, 0},
                                   {"others", others, nullptr, nullptr, 0, 0},
                                   {nullptr, nullptr, nullptr, nullptr, 0, 0}};

    return report("C++ limits", book);
}
