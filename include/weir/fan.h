/* SPDX-License-Identifier: MIT */
/* weir/fan.h - one producer into several pools, by a key. */
#ifndef WEIR_FAN_H
#define WEIR_FAN_H

#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>
#include <weir/pool.h>
#include <weir/producer.h>
#include <weir/run.h>
#include <weir/status.h>
#include <weir/task.h>

WEIR_BEGIN_DECLS

/* What an item belongs to.  Runs on the thread that calls the producer's next,
 * and must return. */
typedef uint64_t weir_key(void *arg, const void *item);

typedef struct weir_fan_options {
    size_t size;                   /* set by WEIR_FAN_OPTIONS_INIT */
    const weir_producer *producer; /* copied */
    weir_pool *const *pools;       /* stay yours, and open; their item_size is
                                      the producer's */
    size_t pool_count;             /* 1 to 65536 */
    weir_handler *handler;
    weir_key *key; /* NULL: the items go round from pool to pool */
    void *key_arg;
} weir_fan_options;
#define WEIR_FAN_OPTIONS_INIT WEIR_SIZED(weir_fan_options)

/*
 * Runs the handler on every item of the producer, in the pool that its key says
 * (key modulo pool_count), and returns when the last one has been released.
 * What has the same key goes to the same pool, in the order in which the
 * producer gave it: so in a pool with one worker, that tries nothing again, it
 * is run in that order, one after the other.  The producer waits while the pool
 * that its item is for is full.  Others may use the pools meanwhile.
 *
 * To end it early interrupt the producer: what was accepted is still run.
 *
 * Blocks:  until the end; a handler that never returns keeps it waiting, unless
 *          it is abandoned.
 * Owns:    closes the producer, whatever it returns, except on WEIR_EINVAL,
 *          WEIR_DEADLOCK and WEIR_FORKED: then it was not touched; and while
 *          abandoned attempts hold items (WEIR_STUCK): then closing it is
 *          yours, when those have ended.
 * Returns: WEIR_OK, also when tasks failed: the ledger says so; a failed
 *          producer's status, WEIR_CANCELLED (it was interrupted), WEIR_CLOSED
 *          and WEIR_DEGRADED (a pool took no more), WEIR_STUCK, WEIR_DEADLOCK
 *          (from a handler or callback of one of the pools), WEIR_EINVAL,
 *          WEIR_ENOMEM, WEIR_ESYSTEM, WEIR_FORKED.  *report, of these items
 *          only, is written unless WEIR_EINVAL, WEIR_DEADLOCK, WEIR_FORKED;
 *          NULL is allowed.
 * Threads: any; from a handler of another pool too.
 */
WEIR_API WEIR_MUST_USE weir_status weir_fan_out(const weir_fan_options *options,
                                                weir_report *report);

WEIR_END_DECLS

#endif /* WEIR_FAN_H */
