/* SPDX-License-Identifier: MIT */
/* inserts.c - rows from two producers, inserted in batches. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <weir.h>

static atomic_int inserts, rows;

/* Stands for INSERT INTO ... VALUES (...), (...), ...: one trip for many. */
static int insert(weir_task *task, void *item)
{
    weir_batch *batch = item;

    (void)task;
    for (size_t i = 0; i < batch->count; i++) {
        uint64_t row; /* a merged item is 4 bytes longer: not aligned here */

        memcpy(&row, weir_batch_item(batch, i), sizeof(row));
        rows += row > 0;
    }
    inserts++;
    return 0;
}

int main(void)
{
    weir_producer first, second, both, batches;
    const weir_producer *const sources[] = {&first, &second};
    const weir_producer *const producers[] = {&batches};
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;

    if (weir_producer_range(&first, 1, 5000) ||
        weir_producer_range(&second, 100000, 5000) ||
        weir_producer_merge(&both, sources, 2) ||
        weir_producer_batch(&batches, &both, 100, INT64_MAX))
        return 1;
    options.producers = producers;
    options.producer_count = 1;
    options.handler = insert;
    if (weir_run(&options, &report))
        return 1;
    printf("%d rows in %d inserts\n", rows, inserts);
    return rows != 10000 || inserts != 100 ||
           !weir_ledger_balances(&report.ledger);
}
