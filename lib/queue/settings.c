/* SPDX-License-Identifier: MIT */
/* settings.c - see settings.h. */
#include "queue/settings.h"

#include <stdint.h>

#include "base/error.h"
#include "base/options.h"
#include "observe/events.h"
#include "queue/marks.h"

enum { DEFAULT_CAPACITY = 1024 };

/* All of them, by name, so that the compiler asks after one that is new. */
static bool is_for_queues(weir_on_full on_full)
{
    switch (on_full) {
    case WEIR_ON_FULL_WAIT:
    case WEIR_ON_FULL_REFUSE:
    case WEIR_ON_FULL_DROP_OLDEST:
        return true;
    case WEIR_ON_FULL_CALLER_RUNS:
        return false;
    }
    return false;
}

static weir_status check_room(weir_queue_options *o, size_t item_size)
{
    if (item_size == 0 || item_size > WEIR__MOST_ITEM_BYTES)
        return weir__refuse(WEIR_EINVAL,
                            "item_size %zu is not 1 to %d bytes: set it, or "
                            "queue pointers to larger items",
                            item_size, WEIR__MOST_ITEM_BYTES);
    if (o->capacity == 0)
        o->capacity = DEFAULT_CAPACITY;
    if (o->capacity > (size_t)PTRDIFF_MAX / item_size)
        return weir__refuse(WEIR_EINVAL, "capacity %zu does not fit in memory",
                            o->capacity);
    if (!is_for_queues(o->on_full))
        return weir__refuse(WEIR_EINVAL,
                            "on_full %d is no policy for a queue: wait, refuse "
                            "or drop oldest (caller runs is for pools)",
                            (int)o->on_full);
    return WEIR_OK;
}

weir_status
weir__queue_settings_read(weir_queue_options *into, size_t item_size,
                          const weir_queue_options *options)
{
    weir_status status =
        weir__options_read(into, sizeof(*into), options, "weir_queue_options");

    if (!status)
        status = check_room(into, item_size);
    if (!status)
        status = weir__marks_read(&into->high_water, &into->low_water,
                                  into->capacity, "capacity");
    if (!status)
        status = weir__events_check(into->events, "events");
    return status;
}
