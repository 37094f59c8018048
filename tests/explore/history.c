/* SPDX-License-Identifier: MIT */
/* history.c - see history.h. */
#include "history.h"

#include "world.h"

struct history history;

void history_reset(size_t capacity, weir_on_full on_full, bool stands_back)
{
    history.capacity = capacity;
    history.on_full = on_full;
    history.stands_back = stands_back;
    history.count = 0;
}

struct call *history_begin(enum call_kind kind)
{
    struct call *call;

    if (history.count == HISTORY_CALLS)
        world_fail("the scenario makes more than %d calls", HISTORY_CALLS);
    call = &history.calls[history.count++];
    *call = (struct call){.kind = kind, .thread = world_self()};
    world_stamp_when_begun(&call->began);
    return call;
}

void history_end(struct call *call, weir_status status)
{
    if (call->began == 0) { /* it had nothing to step back for */
        world_stamp_when_begun(NULL);
        call->began = world_stamp();
    }
    call->status = status;
    call->ended = world_stamp();
}

uint64_t history_earliest(const struct call *call)
{
    return call->late > call->began ? call->late : call->began;
}

bool history_beside(const struct call *call, enum call_kind kind)
{
    for (size_t i = 0; i < history.count; i++) {
        const struct call *other = &history.calls[i];

        if (other != call && other->kind == kind &&
            other->began < call->ended && history_earliest(call) < other->ended)
            return true;
    }
    return false;
}
