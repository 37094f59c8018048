/* SPDX-License-Identifier: MIT */
/* weir/stream.hpp - results pulled through a window. */
#ifndef WEIR_STREAM_HPP
#define WEIR_STREAM_HPP

#include <cstddef>
#include <cstring>
#include <iterator>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/pool.hpp>
#include <weir/producer.hpp>
#include <weir/stream.h>

namespace weir
{

/*
 * A producer's items on their way through a pool, and what became of them.
 *
 *   weir::plain_pool<sizeof(int)> pool;
 *   weir::stream<int, long> squares(pool, weir::producer::array(all, count),
 *                                   weir::handler<int, square>);
 *   for (const auto &each : squares)
 *       sum += each.get();
 *
 * Item is what the producer gives, and Result what the handler returns.
 */
template <class Item, class Result = void> class stream
{
    static_assert(std::is_trivially_copyable_v<Item> &&
                      std::is_default_constructible_v<Item>,
                  "items are bytes: produce pointers to other things");
    static_assert(std::is_void_v<Result> ||
                      std::is_trivially_copyable_v<Result>,
                  "results are bytes: return pointers to other things");

  public:
    /* One result; it and what it points to last until the following next. */
    struct each {
        Item item; /* as Item{} has it if its attempt was still running */
        weir_outcome outcome;

        /* Throws weir::task_failed if the task is not DONE. */
        Result get() const
        {
            if (outcome.kind != WEIR_OUTCOME_DONE)
                throw task_failed(outcome);
            if constexpr (!std::is_void_v<Result>) {
                alignas(Result) unsigned char bytes[sizeof(Result)];

                if (outcome.result_size != sizeof(Result))
                    throw error(WEIR_EINVAL, "the task's result is of another "
                                             "size than the stream's type");
                std::memcpy(bytes, outcome.result, sizeof(bytes));
                return *std::launder(reinterpret_cast<Result *>(bytes));
            }
        }
    };

    class iterator
    {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = each;
        using difference_type = std::ptrdiff_t;
        using pointer = const each *;
        using reference = const each &;

        explicit iterator(stream *of = nullptr) : of_(of)
        {
            if (of_)
                ++*this;
        }
        reference operator*() const
        {
            return of_->last_;
        }
        pointer operator->() const
        {
            return &of_->last_;
        }
        iterator &operator++()
        {
            if (!of_->take())
                of_ = nullptr;
            return *this;
        }
        void operator++(int)
        {
            ++*this;
        }
        bool operator==(const iterator &other) const
        {
            return of_ == other.of_;
        }
        bool operator!=(const iterator &other) const
        {
            return of_ != other.of_;
        }

      private:
        stream *of_;
    };

    /* On a plain_pool, which outlives it.  With a pool of its own item_size,
     * the producer's; at most `window` items are in the pool or not yet taken;
     * 0: four for each worker there is now. */
    template <std::size_t Bytes>
    stream(plain_pool<Bytes> &pool, producer from, weir_handler *handler,
           weir_order order = WEIR_AS_COMPLETED, std::size_t window = 0)
        : why_(from.why())
    {
        weir_stream_options options = WEIR_STREAM_OPTIONS_INIT;

        options.handler = handler;
        options.order = order;
        options.window = window ? window : 4 * pool.stats().workers;
        open(pool.native(), from, options);
    }
    /* On a pool of C's, with all the options there are. */
    stream(weir_pool *pool, producer from, const weir_stream_options &options)
        : why_(from.why())
    {
        open(pool, from, options);
    }

    /* WEIR_OK; WEIR_TIMED_OUT; at the end WEIR_END, WEIR_CANCELLED, WEIR_CLOSED
     * or WEIR_DEGRADED.  Throws what the producer failed with. */
    [[nodiscard]] weir_status next(each &into, deadline until = WEIR_FOREVER)
    {
        into.item = Item{};
        into.outcome = WEIR_OUTCOME_INIT;
        return detail::heard(weir_stream_next(native(), &into.item,
                                              &into.outcome, until),
                             why_);
    }
    /* Takes what is left.  An end other than WEIR_END is thrown. */
    iterator begin()
    {
        return iterator(this);
    }
    iterator end()
    {
        return iterator();
    }
    /* For calls of C; still owned by this. */
    weir_stream *native() const noexcept
    {
        return stream_.get();
    }

  private:
    struct close {
        void operator()(weir_stream *ended) const noexcept
        {
            weir_stream_close(ended);
        }
    };

    void
    open(weir_pool *pool, producer &from, const weir_stream_options &options)
    {
        weir_stream *made = nullptr;

        if (from.item_size() != sizeof(Item))
            throw error(WEIR_EINVAL, "the producer's items are of another size "
                                     "than the stream's type");
        detail::require(weir_stream_open(&made, pool, from.native(), &options));
        from.release();
        stream_.reset(made);
    }
    bool take()
    {
        weir_status status = next(last_);

        if (status == WEIR_END)
            return false;
        detail::require(status);
        return true;
    }

    detail::kept_exception why_;
    each last_ = {Item{}, WEIR_OUTCOME_INIT};
    std::unique_ptr<weir_stream, close> stream_;
};

} // namespace weir

#endif /* WEIR_STREAM_HPP */
