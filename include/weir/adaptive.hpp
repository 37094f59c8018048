/* SPDX-License-Identifier: MIT */
/* weir/adaptive.hpp - as many calls at once as the service can take. */
#ifndef WEIR_ADAPTIVE_HPP
#define WEIR_ADAPTIVE_HPP

#include <cstddef>
#include <memory>

#include <weir/adaptive.h>
#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/result.hpp>

namespace weir
{

/* auto call = adaptive.enter(); ...; call.leave(WEIR_RESULT_OK); */
class adaptive
{
  public:
    using call =
        call_of<weir_adaptive, weir_adaptive_pass, weir_adaptive_leave>;

    explicit adaptive(
        const weir_adaptive_options &options = WEIR_ADAPTIVE_OPTIONS_INIT)
    {
        weir_adaptive *made = nullptr;

        detail::require(weir_adaptive_create(&made, &options));
        adaptive_.reset(made);
    }
    /* Empty: it could not begin by the deadline. */
    call enter(deadline until = WEIR_FOREVER)
    {
        weir_adaptive_pass pass = {};

        if (detail::ordinary(weir_adaptive_enter(native(), &pass, until)) !=
            WEIR_OK)
            return call();
        return call(native(), pass);
    }
    std::size_t limit() const noexcept
    {
        return weir_adaptive_limit(native());
    }
    std::size_t in_flight() const noexcept
    {
        return weir_adaptive_in_flight(native());
    }
    /* For calls of C; still owned by this. */
    weir_adaptive *native() const noexcept
    {
        return adaptive_.get();
    }

  private:
    struct end {
        void operator()(weir_adaptive *ended) const noexcept
        {
            weir_adaptive_destroy(ended);
        }
    };

    std::unique_ptr<weir_adaptive, end> adaptive_;
};

} // namespace weir

#endif /* WEIR_ADAPTIVE_HPP */
