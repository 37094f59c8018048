/* SPDX-License-Identifier: MIT */
/* ledger.h - counting what becomes of tasks. */
#ifndef WEIR_LIB_OBSERVE_LEDGER_H
#define WEIR_LIB_OBSERVE_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include <weir/stats.h>
#include <weir/task.h>

/* A column of a ledger: where it lies in there. */
#define WEIR__COLUMN(name) offsetof(weir_ledger, name)

/* The column that counts tasks that have settled so. */
size_t weir__ledger_column(weir_outcome_kind kind);
/* Each figure is written at once, for weir__ledger_glance. */
void weir__ledger_add(weir_ledger *ledger, size_t column, int64_t more);

/* Column by column. */
void weir__ledger_sum(weir_ledger *sum, const weir_ledger *more);

/* Copies one that others may be changing: each figure is whole, and of a moment
 * of its own. */
void weir__ledger_glance(weir_ledger *out, const weir_ledger *ledger);

/* Accepted tasks that have not settled. */
static inline uint64_t weir__ledger_live(const weir_ledger *ledger)
{
    return ledger->queued + ledger->running + ledger->retrying;
}

#endif /* WEIR_LIB_OBSERVE_LEDGER_H */
