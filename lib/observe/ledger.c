/* SPDX-License-Identifier: MIT */
/* ledger.c - see ledger.h; the law is in weir/pool.h. */
#include "observe/ledger.h"

void weir__ledger_settle(weir_ledger *ledger, weir_outcome_kind kind)
{
    uint64_t *const columns[] = {
        [WEIR_OUTCOME_DONE] = &ledger->done,
        [WEIR_OUTCOME_FAILED] = &ledger->failed,
        [WEIR_OUTCOME_TIMED_OUT] = &ledger->timed_out,
        [WEIR_OUTCOME_CRASHED] = &ledger->crashed,
        [WEIR_OUTCOME_EXITED] = &ledger->exited,
        [WEIR_OUTCOME_CANCELLED] = &ledger->cancelled,
        [WEIR_OUTCOME_EXPIRED] = &ledger->expired,
        [WEIR_OUTCOME_DROPPED] = &ledger->dropped,
    };

    ++*columns[kind];
}

bool weir_ledger_balances(const weir_ledger *ledger)
{
    uint64_t settled = ledger->done + ledger->failed + ledger->timed_out +
                       ledger->crashed + ledger->exited + ledger->cancelled +
                       ledger->expired + ledger->dropped;

    return ledger->accepted == settled + weir__ledger_live(ledger) &&
           ledger->abandoned <= ledger->overdue && ledger->overdue <= settled;
}
