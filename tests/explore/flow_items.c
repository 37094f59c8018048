/* SPDX-License-Identifier: MIT */
/*
 * flow_items.c - see flow_items.h.
 *
 * WHAT IS CHECKED
 *
 * As the source is asked: by one thread at a time, never after its end, and
 * only while fewer than a window are given and not taken.  As handlers begin:
 * once at each stage, in the order of the stages, and not when the stream has
 * been closed, unless they are asked to stop.  As it is told: an outcome is one
 * that can be, all hear the same, the release comes after it and after the last
 * attempt, once, and not while the reader is lent the item.
 */
#include "flow_items.h"

#include <string.h>

#include "race.h"
#include "trace.h"

struct items items;

static struct door {
    struct world_lock lock;
    struct world_cond opens;
    bool is_open;
} door;

void items_reset(void)
{
    memset(&items, 0, sizeof(items));
    items.end = WEIR_END;
    world_lock_init(&door.lock, WORLD_UNRANKED);
    world_cond_init(&door.opens);
    door.is_open = false;
}

static void say(const char *what, unsigned number)
{
    if (trace_is_on)
        trace_say(world_self(), "%s %u", what, number);
}

static struct fate *fate_of(unsigned number)
{
    if (number == 0 || number > FLOW_ITEMS || !items.fates[number].is_given)
        world_fail("%u is no item that the source gave", number);
    return &items.fates[number];
}

static unsigned number_of(const void *item)
{
    uint64_t number;

    race_read(item, sizeof(number), __builtin_return_address(0));
    memcpy(&number, item, sizeof(number));
    return (unsigned)number;
}

static void must_hold_no_lock(const char *name)
{
    if (world_holds_a_lock())
        world_fail("%s is called with a lock held", name);
    if (items.is_closed)
        world_fail("%s is called, but the source is closed", name);
}

/* ------------------------------------------------------------------- source */

static void wait_at_the_door(void)
{
    world_lock_acquire(&door.lock, "the door");
    while (!door.is_open)
        (void)world_cond_wait(&door.opens, &door.lock, INT64_MAX, "the door");
    world_lock_release(&door.lock, "the door");
}

void items_unblock(void)
{
    world_lock_acquire(&door.lock, "the door");
    door.is_open = true;
    world_cond_wake_all(&door.opens, "the door");
    world_lock_release(&door.lock, "the door");
}

static weir_status end_of_source(void)
{
    if (items.blocks) {
        wait_at_the_door();
        return items.is_interrupted ? WEIR_CANCELLED : WEIR_END;
    }
    return items.end;
}

static weir_status next_item(void *self, void *item)
{
    uint64_t number = items.given + 1;
    weir_status status;

    (void)self;
    must_hold_no_lock("next");
    if (items.is_asked)
        world_fail("next is called by two threads at once");
    if (items.asks_nothing)
        world_fail("next is called, but the stream has ended");
    items.is_asked = true;
    world_step("is asked for", "an item", &items.given);
    if (items.given == items.count && items.exits) {
        items.is_asked = false;
        world_exit();
    }
    if (items.given == items.count) {
        status = end_of_source();
        items.is_asked = false;
        return status;
    }
    if (items.window &&
        items.given - items.taken >= items.window + items.taking)
        world_fail("item %u is asked for, and the window is full",
                   (unsigned)number);
    items.given++;
    items.fates[number].is_given = true;
    say("gives", (unsigned)number);
    race_write(item, sizeof(number), __builtin_return_address(0));
    memcpy(item, &number, sizeof(number));
    items.is_asked = false;
    return WEIR_OK;
}

static void interrupt_source(void *self)
{
    (void)self;
    must_hold_no_lock("interrupt");
    say("interrupts the source", 0);
    items.is_interrupted = true;
    items_unblock();
}

static bool can_be(const struct fate *fate, weir_outcome_kind kind)
{
    switch (kind) {
    case WEIR_OUTCOME_DONE:
        for (unsigned i = 0; i < FLOW_STAGES; i++)
            if (fate->begun[i] > fate->ended[i] ||
                (fate->begun[i] && !fate->is_done[i]))
                return false;
        return fate->begun[0] > 0;
    case WEIR_OUTCOME_FAILED:
        for (unsigned i = 0; i < FLOW_STAGES; i++)
            if (fate->ended[i] && !fate->is_done[i])
                return true;
        return false;
    case WEIR_OUTCOME_CANCELLED:
        return items.may_be_cancelled;
    case WEIR_OUTCOME_TIMED_OUT:
        return fate->begun[0] > 0;
    default:
        return false;
    }
}

unsigned items_overdue(const weir_outcome *outcome)
{
    if (outcome->kind != WEIR_OUTCOME_TIMED_OUT &&
        outcome->kind != WEIR_OUTCOME_CANCELLED)
        world_fail("an item that is %s was not written",
                   weir_outcome_name(outcome->kind));
    for (unsigned i = 1; i <= items.given; i++)
        if (items.fates[i].begun[0] &&
            items.fates[i].task_id == outcome->task_id)
            return i;
    world_fail("an item was not written that has not begun");
}

void items_heard(unsigned number, const weir_outcome *outcome)
{
    struct fate *fate = fate_of(number);

    say(weir_outcome_name(outcome->kind), number);
    if (fate->is_heard && fate->kind != outcome->kind)
        world_fail("item %u is %s, but was %s before", number,
                   weir_outcome_name(outcome->kind),
                   weir_outcome_name(fate->kind));
    if (!fate->is_heard && !can_be(fate, outcome->kind))
        world_fail("item %u cannot be %s", number,
                   weir_outcome_name(outcome->kind));
    fate->is_heard = true;
    fate->kind = outcome->kind;
}

static void
settle_item(void *self, const void *item, const weir_outcome *outcome)
{
    unsigned number = number_of(item);
    struct fate *fate = fate_of(number);

    (void)self;
    must_hold_no_lock("settle");
    if (fate->is_settled)
        world_fail("item %u is settled twice", number);
    if (fate->is_released)
        world_fail("item %u is settled, but was released", number);
    items_heard(number, outcome);
    fate->is_settled = true;
    world_step("settles", "an item", fate);
    if (fate->is_released)
        world_fail("item %u is released while it is settled", number);
}

static void release_item(void *self, void *item)
{
    unsigned number = number_of(item);
    struct fate *fate = fate_of(number);

    (void)self;
    must_hold_no_lock("release");
    if (!fate->is_settled)
        world_fail("item %u is released before it is settled", number);
    if (fate->is_released)
        world_fail("item %u is released twice", number);
    for (unsigned i = 0; i < FLOW_STAGES; i++)
        if (fate->begun[i] > fate->ended[i])
            world_fail("item %u is released while it runs", number);
    if (fate->is_lent)
        world_fail("item %u is released, but the reader has it", number);
    fate->is_released = true;
    race_write(item, sizeof(uint64_t), __builtin_return_address(0));
    world_step("releases", "an item", fate);
}

static void close_source(void *self)
{
    (void)self;
    must_hold_no_lock("close");
    if (items.is_asked)
        world_fail("the source is closed while it is asked");
    say("closes the source", 0);
    items.is_closed = true;
    for (unsigned i = 1; items.tells && i <= items.given; i++)
        if (!items.fates[i].is_released)
            world_fail("the source is closed, and item %u is not released", i);
}

weir_producer items_source(bool tells)
{
    weir_producer source = WEIR_PRODUCER_INIT;

    items.tells = tells;
    source.item_size = sizeof(uint64_t);
    source.next = next_item;
    source.interrupt = interrupt_source;
    source.settle = tells ? settle_item : NULL;
    source.release = tells ? release_item : NULL;
    source.close = close_source;
    return source;
}

/* ----------------------------------------------------------------- handlers */

static void check_beginning(unsigned number, const struct fate *fate,
                            unsigned stage, const weir_task *task)
{
    if (world_holds_a_lock())
        world_fail("a handler runs with a lock held");
    if (fate->begun[stage])
        world_fail("item %u is run twice", number);
    if (stage > 0 && !fate->is_done[stage - 1])
        world_fail("item %u goes on, but is not done where it was", number);
    if (fate->is_released || fate->is_taken)
        world_fail("item %u begins, but its outcome is known", number);
    if (items.starts_nothing && !weir_task_cancelled(task))
        world_fail("item %u begins, and nobody wants it any more", number);
}

static void check_last(unsigned number)
{
    if (items.is_serial && items.last_running > 0)
        world_fail("item %u begins beside another", number);
    if (items.in_order && number < items.last_begun)
        world_fail("item %u begins after %u", number, items.last_begun);
    items.last_begun = number;
}

static int run_item(weir_task *task, unsigned number, unsigned stage)
{
    struct fate *fate = fate_of(number);
    deed *does = fate->does[stage] ? fate->does[stage] : works;
    uint64_t result = number;
    bool is_last = stage == FLOW_STAGES - 1;
    int answer;

    say("begins", number);
    check_beginning(number, fate, stage, task);
    if (is_last)
        check_last(number);
    fate->begun[stage]++;
    if (stage == 0)
        fate->task_id = weir_task_id(task);
    items.last_running += is_last;
    world_step("is at", "an item", fate);
    answer = does(task, number);
    if (answer == 0)
        must(weir_task_result(task, &result, sizeof(result)) == WEIR_OK);
    say("ends", number);
    items.last_running -= is_last;
    fate->is_done[stage] = answer == 0;
    fate->ended[stage]++;
    return answer;
}

int items_first(weir_task *task, void *item)
{
    return run_item(task, number_of(item), 0);
}

int items_second(weir_task *task, void *item)
{
    return run_item(task, number_of(item), 1);
}

/* ------------------------------------------------------------------ the end */

void items_must_be_over(void)
{
    if (!items.is_closed)
        world_fail("the source has not been closed");
    for (unsigned i = 1; i <= items.given; i++) {
        const struct fate *fate = &items.fates[i];

        if (items.tells && !fate->is_settled)
            world_fail("item %u has not been settled", i);
        if (items.tells && !fate->is_released)
            world_fail("item %u has not been released", i);
    }
}

unsigned items_attempts(void)
{
    unsigned count = 0;

    for (unsigned i = 1; i <= items.given; i++)
        for (unsigned stage = 0; stage < FLOW_STAGES; stage++)
            count += items.fates[i].begun[stage];
    return count;
}

unsigned items_that_are(weir_outcome_kind kind)
{
    unsigned count = 0;

    for (unsigned i = 1; i <= items.given; i++)
        count += items.fates[i].is_heard && items.fates[i].kind == kind;
    return count;
}
