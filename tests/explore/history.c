/* SPDX-License-Identifier: MIT */
/* history.c - see history.h. */
#include "history.h"

#include "past.h"
#include "views.h"
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
    (void)views_missed();
    world_stamp_when_begun(&call->began);
    return call;
}

void history_end(struct call *call, weir_status status)
{
    if (call->began == 0) { /* it had nothing to step back for */
        world_stamp_when_begun(NULL);
        call->began = world_stamp();
        past_begin_call();
    }
    call->status = status;
    call->ended = world_stamp();
    call->missed = views_missed();
    past_end_call();
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

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

/* Of one call, by its thread and its place there. */
static uint64_t answer_of(const struct call *call)
{
    uint64_t hash = call->thread, ends = 0;

    for (size_t i = 0; i < history.count; i++) {
        const struct call *other = &history.calls[i];

        hash += other->thread == call->thread && other < call ? 8 : 0;
        ends += other->ended < history_earliest(call)
                    ? mix(mix(other->thread, other->kind), other->items[0])
                    : 0;
    }
    hash = mix(mix(hash, (uint64_t)call->status), call->done);
    for (size_t i = 0; i < call->done; i++)
        hash = mix(hash, call->items[i]);
    for (size_t i = 0; i < call->victim_count; i++)
        hash = mix(hash, call->victims[i]);
    return mix(hash, ends);
}

uint64_t history_outcome(void)
{
    uint64_t outcome = 0;

    for (size_t i = 0; i < history.count; i++)
        outcome += answer_of(&history.calls[i]);
    return outcome;
}
