/* SPDX-License-Identifier: MIT */
/* ledger.h - counting what becomes of tasks. */
#ifndef WEIR_LIB_OBSERVE_LEDGER_H
#define WEIR_LIB_OBSERVE_LEDGER_H

#include <weir/pool.h>

/* Counts a task that settles. */
void weir__ledger_settle(weir_ledger *ledger, weir_outcome_kind kind);

/* Accepted tasks that have not settled. */
static inline uint64_t weir__ledger_live(const weir_ledger *ledger)
{
    return ledger->queued + ledger->running + ledger->retrying;
}

#endif /* WEIR_LIB_OBSERVE_LEDGER_H */
