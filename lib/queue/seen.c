/* SPDX-License-Identifier: MIT */
/*
 * seen.c - what a queue tells those who look on (observe/events.h).
 *
 * Puts and gets are told of when they have happened, without the lock: so who
 * counts may see a get before its put, and a depth that is one too low for that
 * moment.  Pills are told of as pills: they count into no depth.
 */
#include <string.h>

#include "base/stamp.h"
#include "observe/events.h"
#include "queue/state.h"

void weir__queue_enter_events(weir_queue *q)
{
    weir_event_source source = {.kind = WEIR_SOURCE_QUEUE,
                                .capacity = q->options.capacity};

    q->is_heeded = q->options.events || q->options.on_pressure;
    if (!q->options.events)
        return;
    memcpy(source.name, "queue", sizeof("queue"));
    weir__events_hold(q->options.events);
    q->source = weir__events_enter(q->options.events, &source);
}

void weir__queue_note(const weir_queue *q, weir_event_kind kind, uint64_t what,
                      int64_t value)
{
    weir_event event = {.task = what,
                        .value = value,
                        .worker = UINT32_MAX,
                        .kind = (uint16_t)kind,
                        .source = q->source};

    if (!q->options.events)
        return;
    event.at_ns = weir__stamp();
    weir__events_write(q->options.events, &event);
}

void weir__queue_tell(weir_queue *q, weir_event_kind kind, size_t count)
{
    weir__queue_note(q, kind, 0, (int64_t)count);
    if (q->options.on_pressure)
        weir__queue_tell_pressure(q);
}
