/* SPDX-License-Identifier: MIT */
/* park.c - see park.h. */
#include "base/park.h"

#include <stdint.h>

#include "base/clock.h"

struct weir__waiter {
    struct weir__cond cond;
    struct weir__waiter *next;
    struct weir__waiter *previous;
    bool woken;
};

static void add_first(struct weir__waitlist *list, struct weir__waiter *waiter)
{
    waiter->previous = NULL;
    waiter->next = list->first;
    if (list->first)
        list->first->previous = waiter;
    else
        list->last = waiter;
    list->first = waiter;
}

static void add_last(struct weir__waitlist *list, struct weir__waiter *waiter)
{
    waiter->next = NULL;
    waiter->previous = list->last;
    if (list->last)
        list->last->next = waiter;
    else
        list->first = waiter;
    list->last = waiter;
}

static void take_off(struct weir__waitlist *list, struct weir__waiter *waiter)
{
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        list->first = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else
        list->last = waiter->previous;
}

weir_status
weir__waitlist_wait(struct weir__waitlist *list, struct weir__mutex *mutex,
                    struct weir__turn *turn, weir_deadline deadline)
{
    struct weir__waiter waiter = {.woken = false};
    weir_status status = WEIR_OK;
    bool overtaken;

    if (weir__is_now(deadline))
        return WEIR_TIMED_OUT;
    weir__cond_init(&waiter.cond);
    if (turn->waits == 0 && list->overtaken > 0)
        list->stood_back++;
    if (turn->waits++ == 0 && !list->newest_first)
        add_last(list, &waiter);
    else
        add_first(list, &waiter);
    overtaken = turn->waits > WEIR__OVERTAKEN_AT_MOST && !list->newest_first;
    list->overtaken += overtaken;

    while (!waiter.woken && status == WEIR_OK)
        status = weir__cond_wait(&waiter.cond, mutex, deadline);

    if (!waiter.woken)
        take_off(list, &waiter);
    if (overtaken && --list->overtaken == 0) {
        /* Those who stood back may have seen a chance each and let it go: they
         * must look again.  Nobody else, or two would wake each other for
         * ever. */
        weir__waitlist_wake(list, list->stood_back);
        list->stood_back = 0;
    }
    weir__cond_dispose(&waiter.cond);
    return waiter.woken ? WEIR_OK : WEIR_TIMED_OUT;
}

void weir__waitlist_wake(struct weir__waitlist *list, size_t most)
{
    for (; list->first && most > 0; most--) {
        struct weir__waiter *waiter = list->first;

        take_off(list, waiter);
        waiter->woken = true;
        weir__cond_wake(&waiter->cond);
    }
}

void weir__waitlist_wake_all(struct weir__waitlist *list)
{
    weir__waitlist_wake(list, SIZE_MAX);
}
