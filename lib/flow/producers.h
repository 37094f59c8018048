/* SPDX-License-Identifier: MIT */
/* producers.h - what the built-in producers share. */
#ifndef WEIR_LIB_FLOW_PRODUCERS_H
#define WEIR_LIB_FLOW_PRODUCERS_H

#include <stddef.h>

#include <weir/producer.h>

/* WEIR_OK, or WEIR_EINVAL naming what is wrong. */
weir_status weir__producer_check(const weir_producer *out, size_t item_size);

/* Reads a producer that was given to us as `name`.  WEIR_OK, or WEIR_EINVAL
 * naming what is wrong. */
weir_status weir__producer_read(weir_producer *into, const weir_producer *from,
                                const char *name);

/* Zeroed memory for a producer's state; NULL after noting why. */
void *weir__producer_allocate(size_t bytes);

#endif /* WEIR_LIB_FLOW_PRODUCERS_H */
