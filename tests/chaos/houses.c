/* SPDX-License-Identifier: MIT */
/* houses.c - the pools, their callbacks, and how tasks come to them. */
#include "chaos.h"

#include <signal.h>
#include <stdlib.h>

enum { MOST_MEMBERS = 10, MOST_INDICES = 4096, STACK_BYTES = 256 * 1024 };

struct house houses[HOUSES] = {
    [HOUSE_PLAIN] = {.name = "plain", .is_deaf = true},
    [HOUSE_RICH] = {.name = "rich"},
    [HOUSE_DROPPING] = {.name = "dropping"},
    [HOUSE_REFUSING] = {.name = "refusing"},
    [HOUSE_CALLERS] = {.name = "callers"},
    [HOUSE_HASTY] = {.name = "hasty"},
    [HOUSE_TRAP] = {.name = "trap"},
    [HOUSE_ELASTIC] = {.name = "elastic"},
    [HOUSE_PROCESS] = {.name = "process"},
};

/* Workers at an attempt, by their index. */
static struct weir__flag busy[HOUSES][MOST_INDICES];

enum house_id house_of(const weir_pool *pool)
{
    enum house_id id = HOUSE_PLAIN;

    while (id < HOUSES && houses[id].pool != pool)
        id++;
    if (id == HOUSES)
        fail("a pool that is none of ours");
    return id;
}

/* ---------------------------------------------------------------- callbacks */

static void
note_settled(void *arg, const void *item, const weir_outcome *outcome)
{
    struct house *house = arg;
    const struct ticket *ticket = item;
    const struct kind *kind;
    struct tally *tally;

    slot_step(ticket, LIFE_OUT, LIFE_SETTLED, "settles");
    kind = ticket->slot->kind;
    tally = &house->tallies[kind_number(kind)];
    if (!outcome->message)
        fail("kind %s settles without a message", kind->name);
    if (!((kind->expected | kind->allowed) & 1u << outcome->kind))
        fail("kind %s ends as %s (code %d, \"%s\")", kind->name,
             weir_outcome_name(outcome->kind), outcome->code, outcome->message);
    if (kind->attempts && outcome->kind <= WEIR_OUTCOME_FAILED &&
        outcome->attempts != kind->attempts)
        fail("kind %s ends as %s after %u attempts", kind->name,
             weir_outcome_name(outcome->kind), (unsigned)outcome->attempts);
    if (house == &houses[HOUSE_PROCESS]) /* nobody else can tell */
        weir__counter_add(&tally->attempts, outcome->attempts);
    weir__counter_add(&tally->settled, 1);
    weir__counter_add(&tally->outcomes[outcome->kind], 1);
    if (kind->on_settled)
        kind->on_settled(house->pool);
}

static void note_released(void *arg, void *item)
{
    struct house *house = arg;
    struct ticket ticket = *(struct ticket *)item;
    struct slot *slot = ticket.slot;
    const struct kind *kind;

    slot_check(&ticket, "is released");
    kind = slot->kind;
    if (weir__flag_read(&slot->running))
        fail("kind %s is released while an attempt is at it", kind->name);
    slot_step(&ticket, LIFE_SETTLED, LIFE_FREE, "is released");
    weir__counter_add(&house->tallies[kind_number(kind)].released, 1);
    slot_give_back(slot);
    if (kind->on_release)
        kind->on_release(house->pool);
}

/* ---------------------------------------------------------------- attempts */

void attempt_begins(weir_task *task, struct slot *slot)
{
    struct house *house = &houses[slot->house];
    uint32_t worker = weir_task_worker(task);

    if (weir__flag_swap(&slot->running, true))
        fail("two attempts at one task of kind %s", slot->kind->name);
    if (weir_task_current() != task)
        fail("weir_task_current is not the task of its handler");
    weir__counter_add(&house->tallies[kind_number(slot->kind)].attempts, 1);
    slot->worker = worker;
    if (worker == UINT32_MAX)
        weir__counter_add(&house->stand_ins, 1);
    else if (worker >= MOST_INDICES)
        fail("a worker's index is %u", (unsigned)worker);
    else if (weir__flag_swap(&busy[slot->house][worker], true))
        fail("two live threads have index %u in pool %s", (unsigned)worker,
             house->name);
}

void attempt_ends(struct slot *slot)
{
    struct house *house = &houses[slot->house];
    struct ticket ticket = slot->ticket;
    size_t number = kind_number(slot->kind);

    if (slot->worker != UINT32_MAX)
        weir__flag_write(&busy[slot->house][slot->worker], false);
    weir__flag_write(&slot->running, false);
    if (!house->is_deaf)
        return;
    slot_step(&ticket, LIFE_OUT, LIFE_FREE, "ends");
    weir__counter_add(&house->tallies[number].released, 1);
    slot_give_back(slot);
}

/* ------------------------------------------------------------------- life */

/* What is special about each. */
static void set_manners(weir_pool_options *options, enum house_id id)
{
    switch (id) {
    case HOUSE_PLAIN:
        options->timeout_ns = WEIR_MS(2);
        break;
    case HOUSE_DROPPING:
        options->on_full = WEIR_ON_FULL_DROP_OLDEST;
        options->queue_capacity = 8;
        break;
    case HOUSE_REFUSING:
        options->on_full = WEIR_ON_FULL_REFUSE;
        options->queue_capacity = 4;
        break;
    case HOUSE_CALLERS:
        options->on_full = WEIR_ON_FULL_CALLER_RUNS;
        options->queue_capacity = 2;
        break;
    case HOUSE_HASTY:
        options->timeout_ns = WEIR_SECONDS(600);
        options->grace_ns = WEIR_MS(1);
        options->max_abandoned = 3;
        options->interrupt_signal = SIGRTMIN + 3;
        break;
    case HOUSE_ELASTIC: /* more than any resize asks for */
        options->max_workers = 3 * wish.workers;
        break;
    case HOUSE_PROCESS:
        options->isolation = WEIR_ISOLATE_PROCESS;
        options->grace_ns = WEIR_MS(2);
        break;
    case HOUSE_TRAP:
        options->isolation =
            is_sanitized() ? WEIR_ISOLATE_THREAD : WEIR_ISOLATE_TRAP;
        break;
    case HOUSE_RICH:
    case HOUSES:
        break;
    }
}

void houses_open(void)
{
    for (enum house_id id = HOUSE_PLAIN; id < HOUSES; id++) {
        struct house *house = &houses[id];
        weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

        options.workers = wish.workers;
        options.name = house->name;
        options.stack_bytes = STACK_BYTES;
        options.item_size = sizeof(struct ticket);
        options.queue_capacity = 512;
        if (!house->is_deaf) {
            options.on_settled = note_settled;
            options.on_settled_arg = house;
            options.on_release = note_released;
            options.on_release_arg = house;
        }
        set_manners(&options, id);
        house->wanted = wish.workers;
        if (weir_pool_create(&house->pool, &options))
            fail("pool %s: %s", house->name, weir_last_error());
    }
}

void houses_close(void)
{
    for (enum house_id id = HOUSE_PLAIN; id < HOUSES; id++) {
        weir_status status =
            weir_pool_stop(houses[id].pool, WEIR_STOP_AFTER_DRAIN, hang());

        if (status)
            fail("stopping pool %s: %s", houses[id].name,
                 weir_status_name(status));
        weir_pool_destroy(houses[id].pool);
        houses[id].pool = NULL;
    }
}

/* --------------------------------------------------------------- submitting */

/* Whether a submit without a spec says it all. */
static bool needs_no_spec(const struct kind *kind)
{
    return !kind->cancelled && !kind->waited && !kind->lives_ns &&
           !kind->retry && !kind->timeout_ns;
}

static weir_status submit_spec(weir_group *group, struct slot *slot, bool copy,
                               weir_future **future, weir_deadline deadline)
{
    const struct kind *kind = slot->kind;
    const struct house *house = &houses[slot->house];
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    bool wants_future = kind->cancelled || kind->waited;

    spec.handler = kind->is_remote ? handle_remotely : handle;
    spec.item = &slot->ticket;
    spec.copy = copy;
    spec.timeout_ns = house->is_deaf ? 0 : kind->timeout_ns;
    spec.time_to_live_ns = kind->lives_ns;
    spec.retry = kind->retry;
    spec.label = slot->random & 8 ? kind->name : NULL;
    if (!wants_future)
        future = NULL;
    if (group)
        return weir_group_submit_task(group, &spec, future, deadline);
    return weir_pool_submit_task(house->pool, &spec, future, deadline);
}

static weir_status submit_bare(weir_group *group, struct slot *slot, bool copy,
                               weir_deadline deadline)
{
    weir_pool *pool = houses[slot->house].pool;

    if (group)
        return weir_group_submit(group, handle, &slot->ticket, deadline);
    if (slot->kind->is_remote)
        return weir_pool_submit_copy(pool, handle_remotely, &slot->ticket,
                                     deadline);
    if (copy)
        return weir_pool_submit_copy(pool, handle, &slot->ticket, deadline);
    return weir_pool_submit(pool, handle, &slot->ticket, deadline);
}

/* As one of the group's, or with NULL the pool's alone.  Whether it was
 * accepted. */
static bool
submit_slot(struct slot *slot, weir_group *group, weir_deadline deadline)
{
    const struct kind *kind = slot->kind;
    enum house_id id = slot->house;
    struct house *house = &houses[id];
    struct tally *tally = &house->tallies[kind_number(kind)];
    bool copy = slot->random & 4 || kind->is_remote;
    weir_future *future = NULL;
    weir_status status;

    weir__counter_add(&tally->offered, 1);
    if (house->is_deaf ? slot->random & 0x3f0
                       : needs_no_spec(kind) && slot->random & 16)
        status = submit_bare(group, slot, copy, deadline);
    else
        status = submit_spec(group, slot, copy, &future, deadline);
    if (status == WEIR_OK) {
        weir__counter_add(&tally->accepted, 1);
        if (future)
            hand_over(future, kind);
        return true;
    }
    /* It is ours again. */
    weir__counter_add(&house->refused, 1);
    if (status == WEIR_ENOMEM)
        weir__counter_add(&troubles.refused_for_memory, 1);
    else if (status == WEIR_DEGRADED && id == HOUSE_HASTY)
        weir__counter_add(&troubles.refused_degraded, 1);
    else if (!(status == WEIR_FULL && id == HOUSE_REFUSING) &&
             !(status == WEIR_TIMED_OUT && deadline.at_ns == 0))
        fail("submitting kind %s to pool %s: %s", kind->name, house->name,
             weir_status_name(status));
    slot_step(&slot->ticket, LIFE_OUT, LIFE_FREE, "is refused");
    slot_give_back(slot);
    return false;
}

static enum house_id choose_house(const struct kind *kind, uint32_t *random)
{
    enum house_id id;

    do
        id = (enum house_id)draw(random, HOUSES);
    while (!(kind->houses & 1u << id));
    return id;
}

/* What was let in through one. */
struct membership {
    struct ticket tickets[MOST_MEMBERS];
    uint64_t accepted;
};

/* Everything of it was settled and released, and nothing else was. */
static void check_group(weir_group *group, const struct kind *kind,
                        const struct membership *members)
{
    weir_ledger ledger;
    weir_status status;

    while ((status = weir_group_join(group, hang())) == WEIR_STUCK)
        nap_us(1000);
    if (status)
        fail("joining a group of kind %s: %s", kind->name,
             weir_status_name(status));
    weir_group_read_ledger(group, &ledger);
    if (!weir_ledger_balances(&ledger) ||
        ledger.accepted != members->accepted ||
        ledger.queued + ledger.running + ledger.retrying + ledger.overdue > 0)
        fail("the ledger of a group of kind %s is wrong", kind->name);
    for (uint64_t i = 0; i < members->accepted; i++)
        if (slot_is_out(&members->tickets[i]))
            fail("a group of kind %s was joined before all was released",
                 kind->name);
}

/* Joined, cancelled and joined, or destroyed at once. */
static void
submit_group(const struct kind *kind, enum house_id id, uint32_t *random)
{
    uint32_t what = draw(random, 4);
    struct membership members = {.accepted = 0};
    weir_group *group;
    weir_status status = weir_group_create(&group, houses[id].pool);

    if (status == WEIR_ENOMEM)
        return; /* a fault has struck */
    if (status)
        fail("%s", weir_last_error());
    for (unsigned i = 0; i < kind->burst; i++) {
        struct slot *slot = slot_take(kind, id, draw(random, UINT32_MAX), true);

        members.tickets[members.accepted] = slot->ticket;
        members.accepted += submit_slot(slot, group, hang());
    }
    if (what == 1) {
        nap_us(draw(random, 2000));
        weir_group_cancel(group);
        weir__counter_add(&troubles.group_cancels, 1);
    }
    if (what < 2) {
        check_group(group, kind, &members);
        weir__counter_add(&troubles.group_joins, 1);
    }
    weir_group_destroy(group);
}

void submit_kind(const struct kind *kind, uint32_t *random)
{
    enum house_id id = choose_house(kind, random);
    unsigned count = kind->burst ? kind->burst : 1;

    if (kind->grouped) {
        submit_group(kind, id, random);
        return;
    }
    while (count-- > 0)
        submit_slot(slot_take(kind, id, draw(random, UINT32_MAX), true), NULL,
                    hang());
}

void submit_one(const struct kind *kind, enum house_id house, uint32_t random)
{
    struct slot *slot = slot_take(kind, house, random, false);

    if (slot)
        submit_slot(slot, NULL, WEIR_NOW);
}
