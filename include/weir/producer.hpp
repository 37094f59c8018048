/* SPDX-License-Identifier: MIT */
/* weir/producer.hpp - where items come from: C's producers, or a callable. */
#ifndef WEIR_PRODUCER_HPP
#define WEIR_PRODUCER_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <weir/error.hpp>
#include <weir/producer.h>
#include <weir/task.hpp>

namespace weir
{

namespace detail
{

/* Read once the status that it comes with has been heard. */
using kept_exception = std::shared_ptr<std::exception_ptr>;

/* A callable as a producer's self. */
template <class Next> struct source_of {
    Next next;
    kept_exception why;
    std::atomic<bool> interrupted{false};

    template <class From>
    source_of(From &&from, kept_exception kept)
        : next(std::forward<From>(from)), why(std::move(kept))
    {
    }
    /* Exits pass, as in contained. */
    __attribute__((no_sanitize("null", "alignment"))) static weir_status
    give(void *self, void *item)
    {
        auto *source = static_cast<source_of *>(self);

        if (source->interrupted)
            return WEIR_CANCELLED;
        try {
            const auto made = source->next();

            if (!made)
                return WEIR_END;
            std::memcpy(item, &*made, sizeof(*made));
            return WEIR_OK;
#ifdef __GLIBCXX__
        } catch (abi::__forced_unwind &) {
            throw;
#endif
        } catch (...) {
            *source->why = std::current_exception();
            return WEIR_FAILED;
        }
    }
    static void interrupt(void *self)
    {
        static_cast<source_of *>(self)->interrupted = true;
    }
    static void close(void *self)
    {
        delete static_cast<source_of *>(self);
    }
};

} // namespace detail

/*
 * A producer that nobody runs yet, and that is closed with this unless it has
 * been handed over to a stream or a pipeline, or by release().
 */
class producer
{
  public:
    /* Takes over one of C's. */
    explicit producer(const weir_producer &made) noexcept : made_(made)
    {
    }
    producer(producer &&other) noexcept
        : made_(other.release()), why_(std::move(other.why_))
    {
    }
    producer &operator=(producer &&other) noexcept
    {
        if (this != &other) {
            close();
            made_ = other.release();
            why_ = std::move(other.why_);
        }
        return *this;
    }
    ~producer()
    {
        close();
    }

    /* The numbers first, first + 1, ..., `count` of them, as uint64_t. */
    static producer range(std::uint64_t first, std::uint64_t count)
    {
        weir_producer made = WEIR_PRODUCER_INIT;

        detail::require(weir_producer_range(&made, first, count));
        return producer(made);
    }
    /* The items of an array, which outlives it. */
    template <class Item>
    static producer array(const Item *items, std::size_t count)
    {
        static_assert(std::is_trivially_copyable_v<Item>,
                      "items are bytes: produce pointers to other things");
        weir_producer made = WEIR_PRODUCER_INIT;

        detail::require(weir_producer_array(&made, items, count, sizeof(Item)));
        return producer(made);
    }
    /* As weir_producer_lines: items are weir_line. */
    static producer
    lines(int fd, char delimiter = '\n', std::size_t max_bytes = 0)
    {
        weir_producer made = WEIR_PRODUCER_INIT;

        detail::require(weir_producer_lines(&made, fd, delimiter, max_bytes));
        return producer(made);
    }
    /* As weir_producer_files: items are char *. */
    static producer files(const char *root)
    {
        weir_producer made = WEIR_PRODUCER_INIT;

        detail::require(weir_producer_files(&made, root));
        return producer(made);
    }
    /*
     * What a callable returns, a std::optional of a trivially copyable type,
     * until that is empty.  It is called on one thread.  What it throws ends
     * the producer, and is thrown again where its end is heard: by a stream's
     * next, a pipeline's wait.  It cannot be interrupted: one that blocks holds
     * up the end.
     *
     * Owns:    the callable, until the producer is closed.
     */
    template <class Next> static producer from(Next &&next)
    {
        using held_type = std::decay_t<Next>;
        using source = detail::source_of<held_type>;
        using item = typename std::decay_t<
            decltype(std::declval<held_type &>()())>::value_type;
        weir_producer made = WEIR_PRODUCER_INIT;

        static_assert(std::is_trivially_copyable_v<item>,
                      "items are bytes: produce pointers to other things");
        static_assert(sizeof(item) <= 4096, "produce pointers to larger items");
        auto why = std::make_shared<std::exception_ptr>();
        made.item_size = sizeof(item);
        made.next = source::give;
        made.interrupt = source::interrupt;
        made.close = source::close;
        made.self = new source(std::forward<Next>(next), why);
        producer all(made);
        all.why_ = std::move(why);
        return all;
    }

    std::size_t item_size() const noexcept
    {
        return made_.item_size;
    }
    /* For calls of C; still owned by this. */
    const weir_producer *native() const noexcept
    {
        return &made_;
    }
    /* Closing it is yours from now on. */
    weir_producer release() noexcept
    {
        return std::exchange(made_, WEIR_PRODUCER_INIT);
    }
    /* What a callable of its own threw, to be read when it has ended. */
    detail::kept_exception why() const noexcept
    {
        return why_;
    }

  private:
    void close() noexcept
    {
        if (made_.close)
            made_.close(made_.self);
    }

    weir_producer made_;
    detail::kept_exception why_;
};

namespace detail
{

/* Of a call that may say how a producer ended. */
inline weir_status heard(weir_status status, const kept_exception &why)
{
    if (status == WEIR_FAILED && why && *why)
        std::rethrow_exception(*why);
    return ordinary(status);
}

} // namespace detail

} // namespace weir

#endif /* WEIR_PRODUCER_HPP */
