/* SPDX-License-Identifier: MIT */
/* test_hpp_memory.cpp - an allocator of one's own, under C++. */
#include "cpp.hpp"

/* Counts with a lock-free number; C's atomics are not C++'s. */
static std::atomic<int> taken, live;

static void *take(void *, std::size_t bytes)
{
    taken++;
    live++;
    return std::malloc(bytes);
}

static void give_back(void *, void *memory)
{
    live--;
    std::free(memory);
}

static weir_allocator counting()
{
    weir_allocator allocator = WEIR_ALLOCATOR_INIT;

    allocator.allocate = take;
    allocator.release = give_back;
    return allocator;
}

START_TEST(what_a_pool_of_callables_takes_it_gives_back)
{
    const weir_allocator allocator = counting();

    ck_assert_int_eq(weir_set_allocator(&allocator), WEIR_OK);
    {
        weir::pool pool;
        const std::string long_text(1000, 'x');
        auto length = pool.async([long_text] { return long_text.size(); });

        ck_assert_uint_eq(length.get(), 1000);
        ck_assert_int_gt(live, 3);
    }
    ck_assert_int_gt(taken, 3);
    ck_assert_int_eq(live, 0);
}
END_TEST

START_TEST(too_late_is_a_status)
{
    const weir_allocator allocator = counting();
    weir::rate rate(10, 3);

    ck_assert_int_eq(weir_set_allocator(&allocator), WEIR_EINVAL);
    ck_assert_int_eq(taken, 0);
}
END_TEST

int main()
{
    const TTest *const use[] = {what_a_pool_of_callables_takes_it_gives_back,
                                too_late_is_a_status, nullptr};
    const chapter chapters[] = {{"use", use, nullptr, nullptr, 0, 0},
                                {nullptr, nullptr, nullptr, nullptr, 0, 0}};

    return report("memory in C++", chapters);
}
