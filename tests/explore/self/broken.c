/* SPDX-License-Identifier: MIT */
/* broken.c - see broken.h.  The textbook's queue: a lock, two conditions. */
#include "broken.h"

#include <string.h>

#include "base/atomic.h"
#include "base/clock.h"
#include "base/lock.h"
#include "stage.h"

enum { SLOTS = 4 };

enum bug broken_bug;

static struct broken {
    struct weir__mutex lock;
    struct world_cond not_empty, not_full;
    struct weir__flag closed;
    unsigned count, capacity, head;
    unsigned slots[SLOTS];
} it;
static unsigned got[8];

static void open_broken(unsigned capacity)
{
    memset(&it, 0, sizeof(it));
    memset(got, 0, sizeof(got));
    it.capacity = capacity;
    (void)weir__mutex_init(&it.lock, WEIR__RANK_QUEUE);
    world_cond_init(&it.not_empty);
    world_cond_init(&it.not_full);
}

static struct world_cond *not_full(void)
{
    return broken_bug == BUG_ONE_CONDITION_FOR_BOTH ? &it.not_empty
                                                    : &it.not_full;
}

static bool wait(struct world_cond *cond, weir_deadline deadline)
{
    return world_cond_wait(cond, &it.lock.seam, deadline.at_ns,
                           cond == &it.not_full ? "not_full" : "not_empty");
}

static WEIR_TRUST_ME bool put_broken(unsigned item)
{
    bool closed;

    weir__mutex_lock(&it.lock);
    while (it.count == it.capacity && !it.closed.value)
        wait(not_full(), WEIR_FOREVER);
    closed = it.closed.value;
    if (!closed) {
        it.slots[(it.head + it.count++) % SLOTS] = item;
        if (broken_bug != BUG_WAKE_ONLY_WHEN_IT_WAS_EMPTY || it.count == 1)
            world_cond_wake(&it.not_empty, "not_empty");
    }
    weir__mutex_unlock(&it.lock);
    return !closed;
}

static bool is_closed_broken(void)
{
    if (broken_bug == BUG_CLOSED_OUTSIDE_THE_LOCK)
        return weir__flag_read(&it.closed);
    return it.closed.value;
}

/* Whether it ran out of time, as this queue sees it. */
static bool wait_for_item_broken(weir_deadline deadline)
{
    bool late = wait(&it.not_empty, deadline);

    if (broken_bug == BUG_TIMEOUT_EATS_THE_WAKE)
        return late ||
               (!weir__is_forever(deadline) && weir__now() >= deadline.at_ns);
    return late && it.count == 0;
}

static WEIR_TRUST_ME bool get_broken(weir_deadline deadline)
{
    bool there;

    weir__mutex_lock(&it.lock);
    while (it.count == 0 && !is_closed_broken()) {
        if (wait_for_item_broken(deadline)) {
            weir__mutex_unlock(&it.lock);
            return false;
        }
        if (broken_bug == BUG_IF_FOR_WHILE)
            break;
    }
    there =
        it.count > 0 || (broken_bug == BUG_IF_FOR_WHILE && !it.closed.value);
    if (there) {
        got[it.slots[it.head % SLOTS]]++;
        it.head++;
        it.count--;
        world_cond_wake(not_full(), "not_full");
    }
    weir__mutex_unlock(&it.lock);
    return there;
}

static WEIR_TRUST_ME void close_broken(void)
{
    if (broken_bug == BUG_CLOSED_OUTSIDE_THE_LOCK) {
        weir__flag_write(&it.closed, true);
        world_cond_wake_all(&it.not_empty, "not_empty");
        world_cond_wake_all(&it.not_full, "not_full");
        return;
    }
    weir__mutex_lock(&it.lock);
    it.closed.value = true;
    if (broken_bug == BUG_CLOSE_WAKES_ONE) {
        world_cond_wake(&it.not_empty, "not_empty");
        world_cond_wake(not_full(), "not_full");
    } else {
        world_cond_wake_all(&it.not_empty, "not_empty");
        world_cond_wake_all(not_full(), "not_full");
    }
    weir__mutex_unlock(&it.lock);
}

/* ---------------------------------------------------------------- scenarios */

static bool hasty_got;

static void put_one(void *arg)
{
    (void)arg;
    must(put_broken(1));
}

static void put_two(void *arg)
{
    put_one(arg);
    must(put_broken(2));
}

static void get_all(void *arg)
{
    (void)arg;
    while (get_broken(WEIR_FOREVER)) {
    }
}

static void get_one(void *arg)
{
    (void)arg;
    must(get_broken(WEIR_FOREVER));
}

static void get_soon(void *arg)
{
    (void)arg;
    hasty_got = get_broken(weir_deadline_after(WEIR_MS(1)));
}

static unsigned begin(void (*run)(void *))
{
    return world_spawn(run, NULL, NULL);
}

static void drain_by_two(void)
{
    unsigned putter;

    open_broken(1);
    begin(get_all);
    begin(get_all);
    putter = begin(put_two);
    world_join(putter);
    close_broken();
    world_join(1);
    world_join(2);
    must(got[0] == 0 && got[1] == 1 && got[2] == 1);
}

static void one_each(void)
{
    open_broken(4);
    begin(get_one);
    begin(get_one);
    put_two(NULL);
    world_join(1);
    world_join(2);
    must(got[1] == 1 && got[2] == 1);
}

static void hasty_and_patient(void)
{
    open_broken(4);
    hasty_got = false;
    begin(get_soon);
    begin(get_one);
    put_one(NULL);
    world_join(1);
    if (hasty_got)
        must(put_broken(2));
    world_join(2);
}

const struct scenario broken_scenarios[] = {
    {SCENE(drain_by_two, 4, "two getters drain"), .bound = 1, .noise = 1},
    {SCENE(one_each, 3, "two getters, two items"), .noise = 1},
    {SCENE(hasty_and_patient, 3, "a time-out and a wake-up"), .noise = 1},
    {.name = NULL},
};
