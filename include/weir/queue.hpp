/* SPDX-License-Identifier: MIT */
/* weir/queue.hpp - the bounded queue for values of one type. */
#ifndef WEIR_QUEUE_HPP
#define WEIR_QUEUE_HPP

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>

#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/queue.h>

namespace weir
{

/* A bounded queue of values; T is trivially copyable, and of at most 4096
 * bytes. */
template <class T> class queue
{
    static_assert(std::is_trivially_copyable_v<T>,
                  "weir::queue copies bytes: queue pointers to other things");
    static_assert(sizeof(T) <= 4096, "queue pointers to larger things");

  public:
    /* 0: 1024 items. */
    explicit queue(std::size_t capacity = 0) : queue(of_capacity(capacity))
    {
    }
    /* The item that on_discard gets is a T. */
    explicit queue(const weir_queue_options &options)
    {
        weir_queue *made = nullptr;

        detail::require(weir_queue_create(&made, sizeof(T), &options));
        queue_.reset(made);
    }

    [[nodiscard]] weir_status put(const T &item, deadline until = WEIR_FOREVER)
    {
        return detail::ordinary(weir_queue_put(native(), &item, until));
    }
    [[nodiscard]] weir_status get(T &item, deadline until = WEIR_FOREVER)
    {
        return detail::ordinary(weir_queue_get(native(), &item, until));
    }
    /* The next item; nothing if the queue is closed and empty, this consumer
     * took a pill, or the deadline has passed. */
    [[nodiscard]] std::optional<T> take(deadline until = WEIR_FOREVER)
    {
        T item{};

        if (get(item, until) != WEIR_OK)
            return std::nullopt;
        return item;
    }
    [[nodiscard]] weir_status
    put_many(const T *items, std::size_t count, std::size_t &done,
             deadline until = WEIR_FOREVER)
    {
        return detail::ordinary(
            weir_queue_put_many(native(), items, count, &done, until));
    }
    [[nodiscard]] weir_status
    get_many(T *items, std::size_t count, std::size_t &done,
             deadline until = WEIR_FOREVER)
    {
        return detail::ordinary(
            weir_queue_get_many(native(), items, count, &done, until));
    }
    void task_done(std::size_t count = 1)
    {
        detail::require(weir_queue_task_done(native(), count));
    }
    [[nodiscard]] weir_status join(deadline until = WEIR_FOREVER)
    {
        return detail::ordinary(weir_queue_join(native(), until));
    }
    [[nodiscard]] weir_status poison(std::size_t consumers)
    {
        return detail::ordinary(weir_queue_poison(native(), consumers));
    }
    void close()
    {
        weir_queue_close(native());
    }
    void abort()
    {
        weir_queue_abort(native());
    }
    /* -1 with errno; see weir_queue_item_fd. */
    int item_fd()
    {
        return weir_queue_item_fd(native());
    }
    int room_fd()
    {
        return weir_queue_room_fd(native());
    }
    std::size_t count() const
    {
        return weir_queue_count(native());
    }
    std::size_t capacity() const
    {
        return weir_queue_capacity(native());
    }
    std::size_t unfinished() const
    {
        return weir_queue_unfinished(native());
    }
    bool is_closed() const
    {
        return weir_queue_is_closed(native());
    }
    weir_queue_stats stats() const
    {
        weir_queue_stats now = WEIR_QUEUE_STATS_INIT;

        weir_queue_read_stats(native(), &now);
        return now;
    }
    /* For calls of C; still owned by this. */
    weir_queue *native() const noexcept
    {
        return queue_.get();
    }

  private:
    struct destroy {
        void operator()(weir_queue *ended) const noexcept
        {
            weir_queue_destroy(ended);
        }
    };
    static weir_queue_options of_capacity(std::size_t capacity)
    {
        weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

        options.capacity = capacity;
        return options;
    }

    std::unique_ptr<weir_queue, destroy> queue_;
};

} // namespace weir

#endif /* WEIR_QUEUE_HPP */
