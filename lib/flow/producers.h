/* SPDX-License-Identifier: MIT */
/* producers.h - what the built-in producers share. */
#ifndef WEIR_LIB_FLOW_PRODUCERS_H
#define WEIR_LIB_FLOW_PRODUCERS_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/producer.h>

/* WEIR_OK, or WEIR_EINVAL naming what is wrong. */
weir_status weir__producer_check(const weir_producer *out, size_t item_size);

/* Reads a producer that was given to us as `name`.  WEIR_OK, or WEIR_EINVAL
 * naming what is wrong. */
weir_status weir__producer_read(weir_producer *into, const weir_producer *from,
                                const char *name);

/* Whether its next is one of ours that neither blocks nor fails, whatever
 * thread it runs on: of an array or a range. */
bool weir__producer_is_at_hand(const weir_producer *producer);

/* Zeroed memory for a producer's state; NULL after noting why. */
void *weir__producer_allocate(size_t bytes);

#endif /* WEIR_LIB_FLOW_PRODUCERS_H */
