/* SPDX-License-Identifier: MIT */
/*
 * stress_group.c - groups that come and go in one pool, on the real clock.
 *
 * Each thread makes a group, submits to it, lets its tasks submit more,
 * cancels, joins and destroys it, while others do the same and another reads
 * all ledgers.  After a join nothing of the group may be left, and its ledger
 * says what its tasks have seen.
 */
#include <weir/group.h>

#include <sched.h>

#include "base/atomic.h"
#include "helper.h"
#include "suite.h"

enum { OWNERS = 4, ROUNDS = 60, TASKS = 12 };

/* One group of one thread. */
struct owner {
    uint32_t state;
    weir_group *group;
    struct weir__counter submitted, settled, released;
};

struct item {
    struct owner *owner;
    uint32_t children, yields;
};

static weir_pool *pool;
static struct weir__flag over;
static struct weir__counter accepted_in_all;

static uint32_t draw_from(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

static void
note_settled(void *arg, const void *shown, const weir_outcome *outcome)
{
    const struct item *item = shown;

    (void)arg;
    (void)outcome;
    if (item->owner)
        weir__counter_add(&item->owner->settled, 1);
}

static void note_released(void *arg, void *shown)
{
    struct item *item = shown;

    (void)arg;
    if (item->owner)
        weir__counter_add(&item->owner->released, 1);
}

static int handle(weir_task *task, void *arg);

static weir_status submit_to_group(struct owner *owner, uint32_t children,
                                   uint32_t yields, weir_deadline deadline)
{
    struct item item = {owner, children, yields};
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_status status;

    spec.handler = handle;
    spec.item = &item;
    spec.copy = true;
    status = weir_group_submit_task(owner->group, &spec, NULL, deadline);
    if (status == WEIR_OK) {
        weir__counter_add(&owner->submitted, 1);
        weir__counter_add(&accepted_in_all, 1);
    }
    return status;
}

static int handle(weir_task *task, void *arg)
{
    struct item *item = arg;

    for (uint32_t i = 0; i < item->yields && !weir_task_cancelled(task); i++)
        sched_yield();
    if (item->children > 0)
        (void)!submit_to_group(item->owner, item->children - 1, item->yields,
                               WEIR_NOW);
    return (int)(item->yields % 2);
}

static void assert_joined(struct owner *owner)
{
    weir_ledger ledger;

    weir_group_read_ledger(owner->group, &ledger);
    ck_assert(weir_ledger_balances(&ledger));
    ck_assert(
        ledger.queued + ledger.running + ledger.retrying + ledger.overdue == 0);
    ck_assert(ledger.accepted == weir__counter_read(&owner->submitted));
    ck_assert(ledger.accepted == weir__counter_read(&owner->settled));
    ck_assert(ledger.accepted == weir__counter_read(&owner->released));
}

static void come_and_go(void *arg)
{
    struct owner *owner = arg;

    for (int round = 0; round < ROUNDS; round++) {
        weir__counter_write(&owner->submitted, 0);
        weir__counter_write(&owner->settled, 0);
        weir__counter_write(&owner->released, 0);
        ck_assert(weir_group_create(&owner->group, pool) == WEIR_OK);
        for (int i = 0; i < TASKS; i++)
            ck_assert(submit_to_group(owner, draw_from(&owner->state, 3),
                                      draw_from(&owner->state, 4),
                                      WEIR_FOREVER) == WEIR_OK);
        if (draw_from(&owner->state, 3) == 0)
            weir_group_cancel(owner->group);
        ck_assert(weir_group_join(owner->group, WEIR_FOREVER) == WEIR_OK);
        assert_joined(owner);
        weir_group_destroy(owner->group);
    }
}

/* Groups that are gone before their tasks. */
static void leave_early(void *arg)
{
    uint32_t state = *(uint32_t *)arg;

    while (!weir__flag_read(&over)) {
        weir_group *group;
        struct item item = {.yields = draw_from(&state, 5)};
        weir_task_spec spec = WEIR_TASK_SPEC_INIT;

        spec.handler = handle;
        spec.item = &item;
        spec.copy = true;
        ck_assert(weir_group_create(&group, pool) == WEIR_OK);
        for (int i = 0; i < 3; i++)
            if (weir_group_submit_task(group, &spec, NULL, WEIR_NOW) == WEIR_OK)
                weir__counter_add(&accepted_in_all, 1);
        weir_group_destroy(group);
        sched_yield();
    }
}

static void watch_ledgers(void *arg)
{
    (void)arg;
    while (!weir__flag_read(&over)) {
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;

        weir_pool_read_stats(pool, &stats);
        ck_assert(weir_ledger_balances(&stats.ledger));
        sched_yield();
    }
}

START_TEST(a_join_ends_when_nothing_of_the_group_is_left)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    struct helper helpers[OWNERS], others[2];
    static struct owner owners[OWNERS];
    uint32_t state = 77 + (uint32_t)_i;

    options.workers = 3;
    options.queue_capacity = 16;
    options.item_size = sizeof(struct item);
    options.on_settled = note_settled;
    options.on_release = note_released;
    ck_assert(weir_pool_create(&pool, &options) == WEIR_OK);
    helper_start(&others[0], leave_early, &state);
    helper_start(&others[1], watch_ledgers, NULL);
    for (int i = 0; i < OWNERS; i++)
        owners[i].state = 1 + 100 * (uint32_t)_i + (uint32_t)i;
    helpers_start(helpers, OWNERS, come_and_go, owners, sizeof(owners[0]));
    helpers_join(helpers, OWNERS);
    weir__flag_write(&over, true);
    helpers_join(others, 2);
    ck_assert(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER) ==
              WEIR_OK);
    weir_pool_read_stats(pool, &stats);
    ck_assert(weir_ledger_balances(&stats.ledger));
    ck_assert(stats.ledger.accepted == weir__counter_read(&accepted_in_all));
    weir_pool_destroy(pool);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_join_ends_when_nothing_of_the_group_is_left,
                                  NULL};
    const struct chapter chapters[] = {{"groups", tests, NULL, NULL, 2, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("stress: groups", chapters);
}
