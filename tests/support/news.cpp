/* SPDX-License-Identifier: MIT */
/* news.cpp - operator new, counted and failing when asked to; a file of its
 * own, so that no compiler sees through it. */
#include "cpp.hpp"

#include <cstdlib>
#include <new>

std::atomic<int> news;
std::atomic<bool> fail_next_new;

void *operator new(std::size_t bytes)
{
    void *memory;

    news++;
    memory = fail_next_new.exchange(false) ? nullptr : std::malloc(bytes);
    if (!memory)
        throw std::bad_alloc();
    return memory;
}

void *operator new(std::size_t bytes, std::align_val_t align)
{
    void *memory = std::aligned_alloc(static_cast<std::size_t>(align), bytes);

    news++;
    if (!memory)
        throw std::bad_alloc();
    return memory;
}

void operator delete(void *memory, std::align_val_t) noexcept
{
    std::free(memory);
}

void operator delete(void *memory, std::size_t, std::align_val_t) noexcept
{
    std::free(memory);
}

void operator delete(void *memory) noexcept
{
    std::free(memory);
}

void operator delete(void *memory, std::size_t) noexcept
{
    std::free(memory);
}
