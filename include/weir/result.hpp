/* SPDX-License-Identifier: MIT */
/* weir/result.hpp - a call that a breaker or an adaptive limit has let in. */
#ifndef WEIR_RESULT_HPP
#define WEIR_RESULT_HPP

#include <utility>

#include <weir/error.hpp>
#include <weir/result.h>

namespace weir
{

/*
 * A call for a scope: empty if it was not let in.  Say by leave how it went;
 * one whose scope ends without, by an exception or the end of its thread, has
 * failed.  The limit that let it in outlives it.
 */
template <class Handle, class Pass,
          weir_status (*Leave)(Handle *, Pass *, weir_result)>
class [[nodiscard]] call_of
{
  public:
    call_of() noexcept = default;
    /* Takes over a pass of C's. */
    call_of(Handle *of, Pass pass) noexcept : of_(of), pass_(pass)
    {
    }
    call_of(call_of &&other) noexcept
        : of_(std::exchange(other.of_, nullptr)), pass_(other.pass_)
    {
    }
    call_of &operator=(call_of &&other) noexcept
    {
        if (this != &other) {
            give_up();
            of_ = std::exchange(other.of_, nullptr);
            pass_ = other.pass_;
        }
        return *this;
    }
    ~call_of()
    {
        give_up();
    }
    /* Whether it was let in and has not left. */
    explicit operator bool() const noexcept
    {
        return of_ != nullptr;
    }
    void leave(weir_result result)
    {
        Handle *of = std::exchange(of_, nullptr);

        if (!of)
            throw error(WEIR_EINVAL, "the call was not let in, or has left");
        detail::require(Leave(of, &pass_, result));
    }

  private:
    void give_up() noexcept
    {
        if (of_)
            Leave(of_, &pass_, WEIR_RESULT_FAILED);
    }

    Handle *of_ = nullptr;
    Pass pass_ = {};
};

} // namespace weir

#endif /* WEIR_RESULT_HPP */
