/* SPDX-License-Identifier: MIT */
/*
 * seen.c - what a queue tells those who look on (observe/events.h).
 *
 * Puts and gets are told of when they have happened, without the lock: so who
 * counts may see a get before its put, and a depth that is one too low for that
 * moment.  Pills are told of as pills: they count into no depth.
 */
#include <stdio.h>
#include <string.h>

#include "base/stamp.h"
#include "observe/events.h"
#include "queue/state.h"

void weir__queue_enter_events(weir_queue *q)
{
    weir_event_source source = {.kind = WEIR_SOURCE_QUEUE,
                                .capacity = q->options.capacity};

    snprintf(q->name, sizeof(q->name), "%s",
             q->options.name ? q->options.name : "queue");
    q->options.name = q->name;
    q->is_heeded = q->options.events || q->options.on_pressure;
    if (!q->options.events)
        return;
    memcpy(source.name, q->name, sizeof(source.name));
    weir__events_hold(q->options.events);
    q->source = weir__events_enter(q->options.events, &source);
}

/* Of what is rare; of puts and gets they know themselves. */
static void probe_queue(const weir_queue *q, weir_event_kind kind,
                        uint64_t what, int64_t value)
{
    if (kind == WEIR_EVENT_BLOCKED)
        WEIR__QUEUE_PROBE(q, blocked, what, value);
    if (kind == WEIR_EVENT_UNBLOCKED)
        WEIR__QUEUE_PROBE(q, unblocked, what, value);
    if (kind == WEIR_EVENT_PILL)
        WEIR__QUEUE_PROBE(q, pill, what, value);
    if (kind == WEIR_EVENT_CLOSE)
        WEIR__QUEUE_PROBE(q, close, what, value);
    if (kind == WEIR_EVENT_DISCARD)
        WEIR__QUEUE_PROBE(q, discard, what, value);
}

void weir__queue_note(const weir_queue *q, weir_event_kind kind, uint64_t what,
                      int64_t value)
{
    weir_event event = {.task = what,
                        .value = value,
                        .worker = UINT32_MAX,
                        .kind = (uint16_t)kind,
                        .source = q->source};

    probe_queue(q, kind, what, value);
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
