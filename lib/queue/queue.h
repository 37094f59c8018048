/* SPDX-License-Identifier: MIT */
/* queue.h - what other rooms may do with a queue beyond its public contract. */
#ifndef WEIR_LIB_QUEUE_H
#define WEIR_LIB_QUEUE_H

#include <stddef.h>

#include <weir/queue.h>

#include "base/atomic.h"

/*
 * weir_queue_get, but answers WEIR_CANCELLED instead of waiting once
 * *interrupted is true.  Whoever sets it calls weir__queue_wake_getters after.
 */
weir_status
weir__queue_get_unless(weir_queue *queue, void *item, weir_deadline deadline,
                       const struct weir__flag *interrupted);
void weir__queue_wake_getters(weir_queue *queue);

size_t weir__queue_item_size(const weir_queue *queue);

#endif /* WEIR_LIB_QUEUE_H */
