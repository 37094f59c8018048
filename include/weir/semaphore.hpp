/* SPDX-License-Identifier: MIT */
/* weir/semaphore.hpp - so many at once. */
#ifndef WEIR_SEMAPHORE_HPP
#define WEIR_SEMAPHORE_HPP

#include <cstddef>
#include <memory>

#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/semaphore.h>

namespace weir
{

/* In a task nothing has to be released: what it holds goes back at its end.
 * Elsewhere weir::permit does so at the end of its scope. */
class semaphore
{
  public:
    explicit semaphore(std::size_t permits)
    {
        weir_semaphore *made = nullptr;

        detail::require(weir_semaphore_create(&made, permits));
        semaphore_.reset(made);
    }
    /* WEIR_OK, WEIR_TIMED_OUT, WEIR_FULL. */
    [[nodiscard]] weir_status
    acquire(std::size_t permits = 1, deadline until = WEIR_FOREVER)
    {
        return detail::ordinary(
            weir_semaphore_acquire(native(), permits, until));
    }
    void release(std::size_t permits = 1)
    {
        detail::require(weir_semaphore_release(native(), permits));
    }
    std::size_t available() const noexcept
    {
        return weir_semaphore_available(native());
    }
    std::size_t waiting() const noexcept
    {
        return weir_semaphore_waiting(native());
    }
    /* For calls of C; still owned by this. */
    weir_semaphore *native() const noexcept
    {
        return semaphore_.get();
    }

  private:
    struct end {
        void operator()(weir_semaphore *ended) const
        {
            weir_semaphore_destroy(ended);
        }
    };

    std::unique_ptr<weir_semaphore, end> semaphore_;
};

/* Permits for a scope, which is of one thread and within one task if any.  The
 * semaphore outlives it. */
class permit
{
  public:
    explicit permit(semaphore &of, std::size_t permits = 1,
                    deadline until = WEIR_FOREVER)
        : of_(of), permits_(permits)
    {
        detail::require(of.acquire(permits, until));
    }
    ~permit()
    {
        weir_semaphore_release(of_.native(), permits_);
    }
    permit(const permit &) = delete;
    permit &operator=(const permit &) = delete;

  private:
    semaphore &of_;
    std::size_t permits_;
};

} // namespace weir

#endif /* WEIR_SEMAPHORE_HPP */
