/* SPDX-License-Identifier: MIT */
/* spin.c - see spin.h. */
#include "base/spin.h"

#include <weir/deadline.h>

#include "base/clock.h"
#include "base/thread.h"

/* So many yields that do nothing outlast any budget; but a clock may be told
 * to stand still.  Exploration sets both. */
#ifndef WEIR__SPIN_PAUSES
# define WEIR__SPIN_PAUSES 6
# define WEIR__SPIN_YIELDS 500
#endif

#define LEAST_BUDGET_NS WEIR_US(2)
#define MOST_BUDGET_NS  WEIR_US(150)
/* Of so many spins one tries all pauses, however vain they were. */
#define TRY_AGAIN 16
/* Spinning on would have saved a park no longer than this. */
#define SHORT_PARK_NS WEIR_US(400)
/* A yield longer than this was not for one of us, who would soon wait too. */
#define LONG_YIELD_NS WEIR_US(50)
#define BAN_NS        WEIR_MS(50)

void weir__spin_init(struct weir__spin *spin, uint32_t processors)
{
    spin->most_yielding = processors > 1 ? processors : 0;
    weir__hint_write(&spin->budget_ns, MOST_BUDGET_NS);
    weir__hint_write(&spin->banned_ns, 0);
    weir__hint_write(&spin->yielding, 0);
    weir__hint_write(&spin->in_vain, 0);
}

/* Counts the thread among those that yield, and gives it its budget. */
static void begin_yields(struct weir__spin *spin, struct weir__spinner *spinner)
{
    int64_t now_ns = weir__now();

    spinner->yielding = true;
    if (weir__hint_add(&spin->yielding, 1) < spin->most_yielding &&
        now_ns >= (int64_t)weir__hint_read(&spin->banned_ns))
        spinner->until_ns = now_ns + (int64_t)weir__hint_read(&spin->budget_ns);
}

/* Returns whether it has yielded. */
static bool yield(struct weir__spin *spin, struct weir__spinner *spinner)
{
    int64_t before_ns = weir__now(), after_ns;

    if (before_ns >= spinner->until_ns ||
        spinner->yields++ == WEIR__SPIN_YIELDS)
        return false;
    weir__thread_yield();
    after_ns = weir__now();
    if (after_ns - before_ns > LONG_YIELD_NS) {
        weir__hint_write(&spin->budget_ns, LEAST_BUDGET_NS);
        weir__hint_write(&spin->banned_ns, (uint64_t)(after_ns + BAN_NS));
        spinner->until_ns = 0;
    }
    return true;
}

/* How many are worth it. */
static unsigned rounds_of_pauses(const struct weir__spin *spin)
{
    uint64_t in_vain = weir__hint_read(&spin->in_vain);

    if (in_vain % TRY_AGAIN == 0)
        return WEIR__SPIN_PAUSES;
    return in_vain < WEIR__SPIN_PAUSES ? WEIR__SPIN_PAUSES - (unsigned)in_vain
                                       : 0;
}

bool weir__spin_on(struct weir__spin *spin, struct weir__spinner *spinner)
{
    if (!weir__spin_is_on(spin))
        return false;
    if (spinner->pauses < rounds_of_pauses(spin)) {
        for (unsigned i = 0; i < 1u << spinner->pauses; i++)
            weir__cpu_pause();
        spinner->pauses++;
        return true;
    }
    if (!spinner->yielding)
        begin_yields(spin, spinner);
    return yield(spin, spinner);
}

void weir__spin_end(struct weir__spin *spin, struct weir__spinner *spinner,
                    bool came)
{
    uint64_t in_vain = weir__hint_read(&spin->in_vain);

    if (spinner->yielding)
        weir__hint_add(&spin->yielding, UINT64_MAX);
    if (came && spinner->yielding)
        weir__hint_write(&spin->in_vain, in_vain + 1);
    else if (came && in_vain > 0)
        weir__hint_write(&spin->in_vain, 0);
}

void weir__spin_learn(struct weir__spin *spin, int64_t parked_ns)
{
    int64_t budget_ns = (int64_t)weir__hint_read(&spin->budget_ns);

    if (parked_ns < SHORT_PARK_NS)
        budget_ns =
            budget_ns < MOST_BUDGET_NS / 2 ? budget_ns * 2 : MOST_BUDGET_NS;
    else
        budget_ns =
            budget_ns > LEAST_BUDGET_NS * 2 ? budget_ns / 2 : LEAST_BUDGET_NS;
    weir__hint_write(&spin->budget_ns, (uint64_t)budget_ns);
}
