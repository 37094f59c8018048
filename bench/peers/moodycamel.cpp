/* SPDX-License-Identifier: MIT */
/* moodycamel.cpp - BlockingConcurrentQueue as it is, which is unbounded; with
 * -DBOUNDED behind a semaphore of slots, its own LightweightSemaphore. */
#include <blockingconcurrentqueue.h>

#include "carrier.hpp"

namespace
{

#ifdef BOUNDED
constexpr bool bounded = true;
constexpr char name[] = "moodycamel, slot semaphore";
#else
constexpr bool bounded = false;
constexpr char name[] = "moodycamel BlockingConcurrentQueue";
#endif

template <class item> struct moodycamel_carrier final : carrier {
    explicit moodycamel_carrier(std::size_t capacity)
        : queue(capacity), slots(static_cast<std::ptrdiff_t>(capacity))
    {
    }

    void put(const std::uint64_t *items, std::size_t count) override
    {
        auto from = reinterpret_cast<const item *>(items);

        while (count > 0) {
            std::size_t n = bounded ? acquire(count) : count;

            if (!(n == 1 ? queue.enqueue(*from) : queue.enqueue_bulk(from, n)))
                contender_failed("enqueue: no memory");
            from += n;
            count -= n;
        }
    }

    std::size_t get(std::uint64_t *items, std::size_t count) override
    {
        auto to = reinterpret_cast<item *>(items);
        std::size_t n = 1;

        if (count == 1)
            queue.wait_dequeue(*to);
        else
            n = queue.wait_dequeue_bulk(to, count);
        if (bounded)
            slots.signal(static_cast<std::ptrdiff_t>(n));
        return n;
    }

    std::size_t acquire(std::size_t most)
    {
        return static_cast<std::size_t>(
            slots.waitMany(static_cast<std::ptrdiff_t>(most)));
    }

    moodycamel::BlockingConcurrentQueue<item> queue;
    moodycamel::LightweightSemaphore slots;
};

const char *version()
{
    return MOODYCAMEL_VERSION;
}

} // namespace

const struct contender contender = {name,
                                    version,
                                    bounded,
                                    carrier_create<moodycamel_carrier>,
                                    carrier_put,
                                    carrier_get,
                                    carrier_destroy,
                                    carrier_put_many,
                                    carrier_get_many,
                                    false};
