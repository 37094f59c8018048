/* SPDX-License-Identifier: MIT */
/* settings.h - a queue's options: read, defaults filled in, checked. */
#ifndef WEIR_LIB_QUEUE_SETTINGS_H
#define WEIR_LIB_QUEUE_SETTINGS_H

#include <stddef.h>

#include <weir/queue.h>

enum { WEIR__MOST_ITEM_BYTES = 4096 };

/* Returns WEIR_OK, WEIR_EINVAL (naming the option and the remedy). */
weir_status
weir__queue_settings_read(weir_queue_options *into, size_t item_size,
                          const weir_queue_options *options);

#endif /* WEIR_LIB_QUEUE_SETTINGS_H */
