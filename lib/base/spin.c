/* SPDX-License-Identifier: MIT */
/* spin.c - see spin.h. */
#include "base/spin.h"

#include <weir/deadline.h>

#include "base/thread.h"

enum { PAUSES = 5, LEAST_YIELDS = 2, MOST_YIELDS = 16 };

/* A park this short would have been saved by spinning on. */
#define SHORT_PARK_NS WEIR_US(100)

void weir__spin_init(struct weir__spin *spin, uint32_t processors)
{
    spin->most_yielding = processors > 1 ? processors : 0;
    weir__counter_write(&spin->yields, MOST_YIELDS);
    weir__counter_write(&spin->yielding, 0);
}

static bool may_yield(struct weir__spin *spin, struct weir__spinner *spinner)
{
    if (!spinner->yielding) {
        spinner->yielding = true;
        spinner->yields = PAUSES + (unsigned)weir__counter_read(&spin->yields);
        if (weir__counter_add(&spin->yielding, 1) >= spin->most_yielding)
            return false;
    }
    return spinner->looks < spinner->yields;
}

bool weir__spin_on(struct weir__spin *spin, struct weir__spinner *spinner)
{
    if (spin->most_yielding == 0)
        return false;
    if (spinner->looks < PAUSES) {
        for (unsigned i = 0; i < 1u << spinner->looks; i++)
            weir__cpu_pause();
    } else {
        if (!may_yield(spin, spinner))
            return false;
        weir__thread_yield();
    }
    spinner->looks++;
    return true;
}

void weir__spin_end(struct weir__spin *spin, struct weir__spinner *spinner)
{
    if (spinner->yielding)
        weir__counter_add(&spin->yielding, UINT64_MAX);
}

void weir__spin_learn(struct weir__spin *spin, int64_t parked_ns)
{
    uint64_t yields = weir__counter_read(&spin->yields);

    if (parked_ns < SHORT_PARK_NS)
        yields = yields * 2 < MOST_YIELDS ? yields * 2 : MOST_YIELDS;
    else
        yields = yields / 2 > LEAST_YIELDS ? yields / 2 : LEAST_YIELDS;
    weir__counter_write(&spin->yields, yields);
}
