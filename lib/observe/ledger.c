/* SPDX-License-Identifier: MIT */
/* ledger.c - see ledger.h; the law is in weir/pool.h. */
#include "observe/ledger.h"

#include "base/atomic.h"

size_t weir__ledger_column(weir_outcome_kind kind)
{
    static const size_t columns[] = {
        [WEIR_OUTCOME_DONE] = WEIR__COLUMN(done),
        [WEIR_OUTCOME_FAILED] = WEIR__COLUMN(failed),
        [WEIR_OUTCOME_TIMED_OUT] = WEIR__COLUMN(timed_out),
        [WEIR_OUTCOME_CRASHED] = WEIR__COLUMN(crashed),
        [WEIR_OUTCOME_EXITED] = WEIR__COLUMN(exited),
        [WEIR_OUTCOME_CANCELLED] = WEIR__COLUMN(cancelled),
        [WEIR_OUTCOME_EXPIRED] = WEIR__COLUMN(expired),
        [WEIR_OUTCOME_DROPPED] = WEIR__COLUMN(dropped),
    };

    return columns[kind];
}

void weir__ledger_add(weir_ledger *ledger, size_t column, int64_t more)
{
    uint64_t *figure = (uint64_t *)(void *)((unsigned char *)ledger + column);

    weir__figure_write(figure, *figure + (uint64_t)more);
}

void weir__ledger_sum(weir_ledger *sum, const weir_ledger *more)
{
    static const size_t columns = sizeof(*sum) / sizeof(uint64_t);
    uint64_t *into = (uint64_t *)(void *)sum;
    const uint64_t *from = (const uint64_t *)(const void *)more;

    for (size_t i = 0; i < columns; i++)
        into[i] += from[i];
}

void weir__ledger_glance(weir_ledger *out, const weir_ledger *ledger)
{
    static const size_t columns = sizeof(*out) / sizeof(uint64_t);
    uint64_t *into = (uint64_t *)(void *)out;
    const uint64_t *from = (const uint64_t *)(const void *)ledger;

    for (size_t i = 0; i < columns; i++)
        into[i] = weir__figure_glance(from + i);
}

bool weir_ledger_balances(const weir_ledger *ledger)
{
    uint64_t settled = ledger->done + ledger->failed + ledger->timed_out +
                       ledger->crashed + ledger->exited + ledger->cancelled +
                       ledger->expired + ledger->dropped;

    return ledger->accepted == settled + weir__ledger_live(ledger) &&
           ledger->abandoned <= ledger->overdue && ledger->overdue <= settled;
}
