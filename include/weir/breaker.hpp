/* SPDX-License-Identifier: MIT */
/* weir/breaker.hpp - a service that fails is left alone for a while. */
#ifndef WEIR_BREAKER_HPP
#define WEIR_BREAKER_HPP

#include <memory>

#include <weir/breaker.h>
#include <weir/error.hpp>
#include <weir/result.hpp>

namespace weir
{

/* if (auto call = breaker.enter()) { ...; call.leave(WEIR_RESULT_OK); } */
class breaker
{
  public:
    using call = call_of<weir_breaker, weir_breaker_pass, weir_breaker_leave>;

    explicit breaker(
        const weir_breaker_options &options = WEIR_BREAKER_OPTIONS_INIT)
    {
        weir_breaker *made = nullptr;

        detail::require(weir_breaker_create(&made, &options));
        breaker_.reset(made);
    }
    /* Empty: do not call (WEIR_FULL). */
    call enter()
    {
        weir_breaker_pass pass = {};

        if (detail::ordinary(weir_breaker_enter(native(), &pass)) != WEIR_OK)
            return call();
        return call(native(), pass);
    }
    weir_breaker_state state() const noexcept
    {
        return weir_breaker_read(native());
    }
    /* For calls of C; still owned by this. */
    weir_breaker *native() const noexcept
    {
        return breaker_.get();
    }

  private:
    struct end {
        void operator()(weir_breaker *ended) const noexcept
        {
            weir_breaker_destroy(ended);
        }
    };

    std::unique_ptr<weir_breaker, end> breaker_;
};

} // namespace weir

#endif /* WEIR_BREAKER_HPP */
