/* SPDX-License-Identifier: MIT */
/* collatz.cpp - a stream in C++: how many steps numbers take to come to 1, and
 * which of them takes the most. */
#include <weir/weir.hpp>

#include <iostream>
#include <optional>

static unsigned count_steps(const unsigned long &number)
{
    unsigned steps = 0;

    for (unsigned long n = number; n != 1; steps++)
        n = n % 2 ? 3 * n + 1 : n / 2;
    return steps;
}

int main()
{
    weir::plain_pool<sizeof(unsigned long)> pool;
    unsigned long longest = 0;
    unsigned most = 0;

    auto below_10000 = [n = 1UL]() mutable -> std::optional<unsigned long> {
        if (n == 10000)
            return std::nullopt;
        return n++;
    };
    weir::stream<unsigned long, unsigned> steps(
        pool, weir::producer::from(below_10000),
        weir::handler<unsigned long, count_steps>);
    for (const auto &each : steps) {
        if (each.get() > most) {
            most = each.get();
            longest = each.item;
        }
    }
    std::cout << longest << " takes " << most << " steps\n";
    return longest == 6171 && most == 261 ? 0 : 1;
}
