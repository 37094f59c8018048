/* SPDX-License-Identifier: MIT */
/* carrier.hpp - a C++ queue of values as a contender: written once for items of
 * any type, made for the size that is asked for. */
#ifndef BENCH_CARRIER_HPP
#define BENCH_CARRIER_HPP

#include <cstddef>
#include <cstdint>

#include "contender.h"

template <std::size_t words> struct parcel {
    std::uint64_t word[words];
};

/* get answers how many it took: 1 or more. */
struct carrier {
    virtual ~carrier() = default;
    virtual void put(const std::uint64_t *items, std::size_t count) = 0;
    virtual std::size_t get(std::uint64_t *items, std::size_t count) = 0;
};

template <template <class> class made_for>
void *carrier_create(std::size_t capacity, std::size_t item_size)
{
    switch (item_size / sizeof(std::uint64_t)) {
    case 1:
        return static_cast<carrier *>(new made_for<parcel<1>>(capacity));
    case 2:
        return static_cast<carrier *>(new made_for<parcel<2>>(capacity));
    case 4:
        return static_cast<carrier *>(new made_for<parcel<4>>(capacity));
    case 8:
        return static_cast<carrier *>(new made_for<parcel<8>>(capacity));
    case 16:
        return static_cast<carrier *>(new made_for<parcel<16>>(capacity));
    default:
        return static_cast<carrier *>(new made_for<parcel<32>>(capacity));
    }
}

inline void carrier_put(void *queue, const std::uint64_t *item)
{
    static_cast<carrier *>(queue)->put(item, 1);
}

inline void carrier_get(void *queue, std::uint64_t *item)
{
    static_cast<carrier *>(queue)->get(item, 1);
}

inline void
carrier_put_many(void *queue, const std::uint64_t *items, std::size_t count)
{
    static_cast<carrier *>(queue)->put(items, count);
}

inline std::size_t
carrier_get_many(void *queue, std::uint64_t *items, std::size_t count)
{
    return static_cast<carrier *>(queue)->get(items, count);
}

inline void carrier_destroy(void *queue)
{
    delete static_cast<carrier *>(queue);
}

#endif /* BENCH_CARRIER_HPP */
