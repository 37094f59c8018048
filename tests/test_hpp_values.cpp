/* SPDX-License-Identifier: MIT */
/* test_hpp_values.cpp - durations and moments, queues and errors in C++. */
#include "cpp.hpp"

#include <climits>
#include <cstring>
#include <limits>
#include <poll.h>
#include <ratio>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

/* -------------------------------------------------------------------- time */

template <class Rep, class Period>
using span = std::chrono::duration<Rep, Period>;

START_TEST(a_duration_becomes_nanoseconds_exactly)
{
    constexpr auto frames = span<std::int64_t, std::ratio<1, 60>>(90);

    static_assert(weir::ns(50ms) == WEIR_MS(50));
    static_assert(weir::ns(-2s) == -WEIR_SECONDS(2));
    static_assert(weir::ns(9223372036854775806ns) == 9223372036854775806);
    static_assert(weir::ns(frames) == WEIR_MS(1500));
    static_assert(weir::ns(span<double, std::ratio<1>>(0.25)) == WEIR_MS(250));
    static_assert(weir::ns(span<std::uint8_t, std::milli>(200)) ==
                  WEIR_MS(200));
}
END_TEST

START_TEST(less_than_a_nanosecond_is_not_none)
{
    static_assert(weir::ns(span<std::int64_t, std::pico>(1)) == 1);
    static_assert(weir::ns(span<std::int64_t, std::pico>(2001)) == 3);
    static_assert(weir::ns(span<std::int64_t, std::pico>(-1)) == 0);
    static_assert(weir::ns(span<double, std::nano>(0.1)) == 1);
    static_assert(weir::ns(0s) == 0);
}
END_TEST

START_TEST(a_duration_beyond_the_range_saturates)
{
    using doubles = span<double, std::ratio<1>>;
    volatile double none = NAN; /* not for the compiler to work out */

    static_assert(weir::ns(std::chrono::hours::max()) == INT64_MAX);
    static_assert(weir::ns(std::chrono::hours::min()) == INT64_MIN);
    static_assert(weir::ns(std::chrono::nanoseconds::max()) == INT64_MAX);
    static_assert(weir::ns(span<std::uint64_t, std::nano>(UINT64_MAX)) ==
                  INT64_MAX);
    ck_assert(weir::ns(doubles(1e300)) == INT64_MAX);
    ck_assert(weir::ns(-doubles(INFINITY)) == INT64_MIN);
    ck_assert(weir::ns(doubles(none)) == 0);
}
END_TEST

static std::int64_t at(weir::deadline deadline)
{
    return static_cast<weir_deadline>(deadline).at_ns;
}

START_TEST(a_deadline_is_made_from_whatever_is_a_time)
{
    std::int64_t now_ns = test_clock_now();

    ck_assert_int_eq(at(WEIR_NOW), 0);
    ck_assert_int_eq(at(WEIR_FOREVER), INT64_MAX);
    ck_assert_int_eq(at(50ms), now_ns + WEIR_MS(50));
    ck_assert_int_eq(at(0s), 0);
    ck_assert_int_eq(at(-1h), 0);
    ck_assert_int_eq(at(std::chrono::hours::max()), INT64_MAX);
    ck_assert(weir::deadline(7s).remaining() == 7s);
    ck_assert(weir::deadline(WEIR_FOREVER).remaining() ==
              std::chrono::nanoseconds::max());
}
END_TEST

/* A clock that stands where a test puts it. */
struct still_clock {
    using duration = std::chrono::milliseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<still_clock>;
    static constexpr bool is_steady = false;
    static inline duration stands{0};
    static time_point now()
    {
        return time_point(stands);
    }
};

START_TEST(a_time_point_of_any_clock_is_what_is_left_until_it)
{
    using point = still_clock::time_point;
    std::int64_t now_ns = test_clock_now();

    for (auto stands : {5s, -5s, 0s, 5000s}) {
        still_clock::stands = stands;
        ck_assert_int_eq(at(still_clock::now() + 3ms), now_ns + WEIR_MS(3));
        ck_assert_int_eq(at(still_clock::now()), 0);
        ck_assert_int_eq(at(still_clock::now() - 1ms), 0);
        ck_assert_int_eq(at(point::max()), INT64_MAX);
        ck_assert_int_eq(at(point::min()), 0);
    }
    still_clock::stands = -1s;
    ck_assert_int_eq(at(point(std::chrono::milliseconds(INT64_MAX / 1000000))),
                     INT64_MAX);
    ck_assert(at(std::chrono::steady_clock::now() + 1h) >
              now_ns + WEIR_SECONDS(3590));
    ck_assert_int_eq(at(std::chrono::steady_clock::now() - 1h), 0);
}
END_TEST

/* ------------------------------------------------------------------- queue */

struct point {
    int x, y;
};

START_TEST(values_go_in_and_come_out_in_order)
{
    weir::queue<point> queue(2);
    point item = {0, 0};

    ck_assert_uint_eq(queue.capacity(), 2);
    ck_assert_int_eq(queue.put({1, 2}), WEIR_OK);
    ck_assert_int_eq(queue.put({3, 4}, 1ms), WEIR_OK);
    ck_assert_int_eq(queue.put({5, 6}, WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert_uint_eq(queue.count(), 2);
    ck_assert_int_eq(queue.get(item), WEIR_OK);
    ck_assert_int_eq(item.y, 2);
    ck_assert_int_eq(queue.take()->x, 3);
    ck_assert(!queue.take(0s));
    ck_assert_uint_eq(queue.stats().got, 2);
    ck_assert_uint_eq(queue.unfinished(), 2);
    queue.task_done(2);
    ck_assert_int_eq(queue.join(WEIR_NOW), WEIR_OK);
}
END_TEST

START_TEST(a_loop_can_poll_queues_and_pools)
{
    weir::queue<int> queue(1);
    weir::pool pool;
    struct pollfd polled[3] = {{queue.item_fd(), POLLIN, 0},
                               {queue.room_fd(), POLLIN, 0},
                               {pool.fd(), POLLIN, 0}};

    ck_assert_int_eq(poll(polled, 3, 0), 1);
    ck_assert_int_eq(polled[1].revents, POLLIN);
    ck_assert_int_eq(queue.put(1), WEIR_OK);
    ck_assert_int_eq(queue.put(2, WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert_int_eq(pool.submit([] {}), WEIR_OK);
    ck_assert_int_eq(pool.join(), WEIR_OK);
    ck_assert_int_eq(poll(polled, 3, 0), 2);
    ck_assert_int_eq(polled[1].revents, 0);
    ck_assert_uint_eq(pool.settled_so_far(), 1);
    ck_assert_int_eq(poll(polled, 3, 0), 1);
}
END_TEST

START_TEST(batches_say_how_many_they_moved)
{
    weir::queue<int> queue(3);
    const int in[] = {1, 2, 3, 4};
    int out[4] = {};
    std::size_t done = 9;

    ck_assert_int_eq(queue.put_many(in, 4, done, WEIR_NOW), WEIR_TIMED_OUT);
    ck_assert_uint_eq(done, 3);
    ck_assert_int_eq(queue.get_many(out, 4, done), WEIR_OK);
    ck_assert_uint_eq(done, 3);
    ck_assert_int_eq(out[2], 3);
}
END_TEST

START_TEST(what_is_ordinary_is_a_status)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    int item = 0;

    options.capacity = 1;
    options.on_full = WEIR_ON_FULL_REFUSE;
    weir::queue<int> queue(options);
    ck_assert_int_eq(queue.put(1), WEIR_OK);
    ck_assert_int_eq(queue.put(2), WEIR_FULL);
    ck_assert_int_eq(queue.poison(1), WEIR_OK);
    ck_assert(!queue.is_closed());
    queue.close();
    ck_assert(queue.is_closed());
    ck_assert_int_eq(queue.put(3), WEIR_CLOSED);
    ck_assert_int_eq(queue.get(item), WEIR_OK);
    ck_assert_int_eq(queue.get(item), WEIR_POISONED);
    ck_assert_int_eq(queue.get(item), WEIR_CLOSED);
    ck_assert(!queue.take());
    ck_assert_int_eq(queue.poison(1), WEIR_CLOSED);
    ck_assert_int_eq(queue.join(WEIR_NOW), WEIR_TIMED_OUT);
}
END_TEST

START_TEST(what_is_not_is_thrown)
{
    weir::queue<int> queue(1);
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    assert_refused([&] { queue.task_done(); }, WEIR_EINVAL, "task_done");
    assert_refused([&] { (void)!queue.poison(0); }, WEIR_EINVAL);
    options.low_water = 5;
    options.capacity = 2;
    assert_refused([&] { weir::queue<int> none(options); }, WEIR_EINVAL,
                   "low_water");
    weir::queue<int> moved = std::move(queue);
    ck_assert_int_eq(moved.put(1), WEIR_OK);
    assert_refused([&] { (void)!queue.put(1); }, WEIR_EINVAL);
    ck_assert_uint_eq(queue.count(), 0);
    queue = std::move(moved);
    ck_assert_int_eq(*queue.take(WEIR_NOW), 1);
}
END_TEST

START_TEST(a_forks_child_is_told_by_a_throw)
{
    weir::queue<int> queue(1);
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        assert_refused([&] { (void)!queue.put(1); }, WEIR_FORKED);
        _exit(EXIT_SUCCESS);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(queue.put(1), WEIR_OK);
}
END_TEST

static int discarded;

static void note_discarded(void *, void *item, weir_discard_reason)
{
    discarded += static_cast<point *>(item)->x;
}

START_TEST(items_left_inside_go_to_on_discard)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.on_discard = note_discarded;
    {
        weir::queue<point> queue(options), other(options);

        ck_assert_int_eq(queue.put({1, 0}), WEIR_OK);
        ck_assert_int_eq(other.put({20, 0}), WEIR_OK);
        queue = std::move(other); /* ends the one that it was */
        ck_assert_int_eq(discarded, 1);
        ck_assert_int_eq(queue.put({300, 0}), WEIR_OK);
        queue.abort();
        ck_assert_int_eq(discarded, 321);
    }
    ck_assert_int_eq(discarded, 321);
}
END_TEST

/* ------------------------------------------------------------------ errors */

START_TEST(every_want_of_memory_is_an_error_and_leaves_nothing_behind)
{
    std::uint64_t nth = 1;

    for (;; nth++) {
        weir__fault_arm(nth);
        try {
            weir::queue<int> queue(4);

            weir__fault_arm(0);
            break;
        } catch (const weir::error &e) {
            ck_assert_int_eq(e.status(), WEIR_ENOMEM);
            ck_assert_int_eq(e.system(), 0);
        }
    }
    ck_assert_uint_gt(nth, 1);
}
END_TEST

START_TEST(a_thread_that_does_not_start_is_an_error_with_errno)
{
    int threads = 0;

    for (std::uint64_t nth = 1;; nth++) {
        weir__fault_arm(nth);
        try {
            weir::pool pool;

            weir__fault_arm(0);
            break;
        } catch (const weir::error &e) {
            ck_assert(e.status() == WEIR_ENOMEM || e.status() == WEIR_ESYSTEM);
            if (e.status() != WEIR_ESYSTEM)
                continue;
            threads++;
            ck_assert_int_eq(e.system(), EAGAIN);
            ck_assert_ptr_nonnull(std::strstr(e.what(), "did not start"));
        }
    }
    ck_assert_int_gt(threads, 0);
}
END_TEST

/* --------------------------------------------------------------- semaphore */

START_TEST(a_permit_goes_back_at_the_end_of_its_scope)
{
    weir::semaphore two(2);

    {
        weir::permit held(two);

        ck_assert_uint_eq(two.available(), 1);
        ck_assert_int_eq(two.acquire(2, 0s), WEIR_TIMED_OUT);
        ck_assert_int_eq(two.acquire(1, 0s), WEIR_OK);
        two.release();
    }
    ck_assert_uint_eq(two.available(), 2);
    ck_assert_uint_eq(two.waiting(), 0);
}
END_TEST

START_TEST(a_permit_that_cannot_be_had_is_thrown)
{
    weir::semaphore one(1);
    weir::permit held(one);

    try {
        weir::permit another(one, 1, 0s);

        ck_abort_msg("it was had");
    } catch (const weir::error &e) {
        ck_assert_int_eq(e.status(), WEIR_TIMED_OUT);
    }
    try {
        one.release(2);
        ck_abort_msg("it was released");
    } catch (const weir::error &e) {
        ck_assert_int_eq(e.status(), WEIR_EINVAL);
    }
    ck_assert_uint_eq(one.available(), 0);
}
END_TEST

int main()
{
    static const TTest *const time[] = {
        a_duration_becomes_nanoseconds_exactly,
        less_than_a_nanosecond_is_not_none,
        a_duration_beyond_the_range_saturates,
        a_deadline_is_made_from_whatever_is_a_time,
        a_time_point_of_any_clock_is_what_is_left_until_it,
        nullptr};
    static const TTest *const queue[] = {values_go_in_and_come_out_in_order,
                                         a_loop_can_poll_queues_and_pools,
                                         batches_say_how_many_they_moved,
                                         what_is_ordinary_is_a_status,
                                         what_is_not_is_thrown,
                                         a_forks_child_is_told_by_a_throw,
                                         items_left_inside_go_to_on_discard,
                                         nullptr};
    static const TTest *const semaphore[] = {
        a_permit_goes_back_at_the_end_of_its_scope,
        a_permit_that_cannot_be_had_is_thrown, nullptr};
    static const TTest *const errors[] = {
        every_want_of_memory_is_an_error_and_leaves_nothing_behind,
        a_thread_that_does_not_start_is_an_error_with_errno, nullptr};
    const struct chapter book[] = {{"time", time, test_clock_install,
                                    test_clock_remove, 0, 0},
                                   {"queue", queue, nullptr, nullptr, 0, 0},
                                   {"semaphore", semaphore, nullptr, nullptr, 0,
                                    0},
                                   {"errors", errors, nullptr, nullptr, 0, 0},
                                   {nullptr, nullptr, nullptr, nullptr, 0, 0}};

    return report("C++ values", book);
}
