/* SPDX-License-Identifier: MIT */
/* tbb.cpp - oneTBB's concurrent_bounded_queue. */
#include <oneapi/tbb/concurrent_queue.h>
#include <oneapi/tbb/version.h>

#include "carrier.hpp"

namespace
{

template <class item> struct tbb_carrier final : carrier {
    explicit tbb_carrier(std::size_t capacity)
    {
        queue.set_capacity(static_cast<std::ptrdiff_t>(capacity));
    }

    void put(const std::uint64_t *items, std::size_t) override
    {
        queue.push(*reinterpret_cast<const item *>(items));
    }

    std::size_t get(std::uint64_t *items, std::size_t) override
    {
        queue.pop(*reinterpret_cast<item *>(items));
        return 1;
    }

    oneapi::tbb::concurrent_bounded_queue<item> queue;
};

} // namespace

const struct contender contender = {"TBB concurrent_bounded_queue",
                                    TBB_runtime_version,
                                    true,
                                    carrier_create<tbb_carrier>,
                                    carrier_put,
                                    carrier_get,
                                    carrier_destroy,
                                    nullptr,
                                    nullptr,
                                    false};
