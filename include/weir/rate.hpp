/* SPDX-License-Identifier: MIT */
/* weir/rate.hpp - so many a second. */
#ifndef WEIR_RATE_HPP
#define WEIR_RATE_HPP

#include <cstddef>
#include <memory>

#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/rate.h>

namespace weir
{

/* A token bucket, full at first. */
class rate
{
  public:
    rate(double per_second, std::size_t burst)
    {
        weir_rate *made = nullptr;

        detail::require(weir_rate_create(&made, per_second, burst));
        rate_.reset(made);
    }
    /* WEIR_OK, WEIR_TIMED_OUT (at once). */
    [[nodiscard]] weir_status
    acquire(std::size_t tokens = 1, deadline until = WEIR_FOREVER)
    {
        return detail::ordinary(weir_rate_acquire(native(), tokens, until));
    }
    std::size_t available() const noexcept
    {
        return weir_rate_available(native());
    }
    /* For calls of C; still owned by this. */
    weir_rate *native() const noexcept
    {
        return rate_.get();
    }

  private:
    struct end {
        void operator()(weir_rate *ended) const noexcept
        {
            weir_rate_destroy(ended);
        }
    };

    std::unique_ptr<weir_rate, end> rate_;
};

} // namespace weir

#endif /* WEIR_RATE_HPP */
