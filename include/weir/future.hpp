/* SPDX-License-Identifier: MIT */
/* weir/future.hpp - one task's result, of its own type. */
#ifndef WEIR_FUTURE_HPP
#define WEIR_FUTURE_HPP

#include <cstddef>
#include <cstring>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/future.h>

namespace weir
{

namespace detail
{

/* Results that travel as bytes; they fit into any pool's max_result but a
 * lowered one. */
template <class T>
inline constexpr bool
    by_bytes = std::is_trivially_copyable_v<T> && sizeof(T) <= 256;
template <> inline constexpr bool by_bytes<void> = true;

struct nowhere {
};

/* Where other results lie: shared by callable and future.  Attempts write it
 * one after the other, and it is read only if the last one made the task DONE,
 * after which none follows. */
template <class T>
using shelf_of =
    std::conditional_t<by_bytes<T>, nowhere, std::shared_ptr<std::optional<T>>>;

struct let_future_go {
    void operator()(weir_future *future) const noexcept
    {
        weir_future_release(future);
    }
};

} // namespace detail

/* The outcome of a task that returns a T; made by pool::async.  To let go of it
 * does not touch the task.  It may outlive the pool. */
template <class T> class future
{
  public:
    future() noexcept = default;
    /* Takes over a future of C's. */
    explicit future(weir_future *made,
                    detail::shelf_of<T> shelf = detail::shelf_of<T>())
        : future_(made), shelf_(std::move(shelf))
    {
    }
    /* Whether there is a task: not after get, nor after a move. */
    bool valid() const noexcept
    {
        return future_ != nullptr;
    }
    /* WEIR_OK: it has settled; WEIR_TIMED_OUT. */
    [[nodiscard]] weir_status wait(deadline until = WEIR_FOREVER) const
    {
        return detail::ordinary(weir_future_wait(native(), nullptr, until));
    }
    /* Waits until it has settled.  Lends message and result until this is
     * destroyed, assigned to, or asked to get. */
    weir_outcome outcome() const
    {
        weir_outcome outcome = WEIR_OUTCOME_INIT;

        detail::require(weir_future_wait(native(), &outcome, WEIR_FOREVER));
        return outcome;
    }
    /*
     * Waits until it has settled and lets go of it.
     *
     * Returns: what the callable returned, moved out.
     * Throws:  weir::task_failed if the task is not DONE.
     */
    T get()
    {
        const weir_outcome known = outcome();
        const future taken = std::move(*this);

        if (known.kind != WEIR_OUTCOME_DONE)
            throw task_failed(known);
        if constexpr (std::is_void_v<T>) {
            return;
        } else if constexpr (detail::by_bytes<T>) {
            alignas(T) unsigned char bytes[sizeof(T)];

            if (known.result_size != sizeof(T))
                throw error(WEIR_EINVAL, "the task's result is of another size "
                                         "than the future's type");
            std::memcpy(bytes, known.result, sizeof(T));
            return *std::launder(reinterpret_cast<T *>(bytes));
        } else {
            return std::move(**taken.shelf_);
        }
    }
    /* The task settles CANCELLED, unless it has settled. */
    void cancel()
    {
        detail::require(weir_future_cancel(native()));
    }
    /* For calls of C; still owned by this. */
    weir_future *native() const noexcept
    {
        return future_.get();
    }

  private:
    std::unique_ptr<weir_future, detail::let_future_go> future_;
    detail::shelf_of<T> shelf_;
};

/*
 * Waits until one of the futures from `first` to `last` has settled; empty ones
 * are passed over, so that a loop which gets what it is given comes to them
 * all.  Allocates an array of pointers.
 *
 * Returns: which one; `last` if none has by the deadline.
 * Throws:  weir::error as weir_future_wait_any says, if all are empty too.
 */
template <class Iterator>
[[nodiscard]] Iterator
wait_any(Iterator first, Iterator last, deadline until = WEIR_FOREVER)
{
    std::vector<weir_future *> futures;
    std::size_t index = 0;

    for (Iterator each = first; each != last; ++each)
        futures.push_back(each->native());
    if (detail::ordinary(weir_future_wait_any(futures.data(), futures.size(),
                                              &index, until)) != WEIR_OK)
        return last;
    using distance = typename std::iterator_traits<Iterator>::difference_type;
    return std::next(first, static_cast<distance>(index));
}

} // namespace weir

#endif /* WEIR_FUTURE_HPP */
