/* SPDX-License-Identifier: MIT */
/* weir/deadline.hpp - durations and moments of std::chrono. */
#ifndef WEIR_DEADLINE_HPP
#define WEIR_DEADLINE_HPP

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

#include <weir/deadline.h>

namespace weir
{

/*
 * A duration as the C structs have it: options.timeout_ns = weir::ns(50ms).
 * What lies beyond int64_t saturates; less than a nanosecond counts as one.
 */
template <class Rep, class Period>
constexpr std::int64_t ns(std::chrono::duration<Rep, Period> duration)
{
    using limits = std::numeric_limits<std::int64_t>;
    using each = std::ratio_divide<Period, std::nano>;
    long double exact = static_cast<long double>(duration.count()) *
                        static_cast<long double>(each::num) /
                        static_cast<long double>(each::den);

    if (exact >= static_cast<long double>(limits::max()))
        return limits::max();
    if (exact <= static_cast<long double>(limits::min()))
        return limits::min();
    if constexpr (std::is_integral_v<Rep> && each::den == 1) {
        return static_cast<std::int64_t>(duration.count()) * each::num;
    } else { /* no number: 0 */
        std::int64_t whole =
            exact == exact ? static_cast<std::int64_t>(exact) : 0;
        return whole + (exact > static_cast<long double>(whole));
    }
}

/*
 * A moment to stop waiting, made from a weir_deadline (WEIR_NOW, WEIR_FOREVER),
 * a duration from now, or a time point.  A time point of another clock than
 * the steady one is taken as what is left until it now.  Saturates.
 */
class deadline
{
  public:
    deadline(weir_deadline at) noexcept : at_(at)
    {
    }
    template <class Rep, class Period>
    deadline(std::chrono::duration<Rep, Period> from_now)
        : at_(weir_deadline_after(ns(from_now)))
    {
    }
    template <class Clock, class Duration>
    deadline(std::chrono::time_point<Clock, Duration> at)
        : at_(after(ns(at.time_since_epoch()),
                    ns(Clock::now().time_since_epoch())))
    {
    }
    operator weir_deadline() const noexcept
    {
        return at_;
    }
    /* 0 once it has passed, nanoseconds::max() for WEIR_FOREVER. */
    std::chrono::nanoseconds remaining() const
    {
        return std::chrono::nanoseconds(weir_deadline_remaining(at_));
    }

  private:
    static weir_deadline after(std::int64_t at_ns, std::int64_t now_ns)
    {
        if (at_ns == INT64_MAX)
            return WEIR_FOREVER;
        if (at_ns <= now_ns)
            return WEIR_NOW;
        if (now_ns < 0 && at_ns > INT64_MAX + now_ns)
            return WEIR_FOREVER;
        return weir_deadline_after(at_ns - now_ns);
    }

    weir_deadline at_;
};

} // namespace weir

#endif /* WEIR_DEADLINE_HPP */
