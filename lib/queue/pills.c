/* SPDX-License-Identifier: MIT */
/* pills.c - see pills.h. */
#include "queue/pills.h"

#include "base/fault.h"

struct weir__pill *
weir__pills_add(struct weir__pills *pills, struct weir__pill *pill)
{
    struct weir__pill *last = pills->last;

    if (last && last->after == pill->after &&
        last->left <= SIZE_MAX - pill->left) {
        last->left += pill->left;
        return pill;
    }
    pill->next = NULL;
    if (last)
        last->next = pill;
    else
        pills->first = pill;
    pills->last = pill;
    return NULL;
}

bool weir__pills_are_due(const struct weir__pills *pills, uint64_t removed)
{
    return pills->first && pills->first->after <= removed;
}

uint64_t
weir__pills_items_before(const struct weir__pills *pills, uint64_t removed)
{
    if (!pills->first)
        return UINT64_MAX;
    return weir__pills_are_due(pills, removed) ? 0
                                               : pills->first->after - removed;
}

struct weir__pill *weir__pills_take(struct weir__pills *pills)
{
    struct weir__pill *pill = pills->first;

    if (--pill->left > 0)
        return NULL;
    pills->first = pill->next;
    if (!pills->first)
        pills->last = NULL;
    return pill;
}

void weir__pills_release(struct weir__pill *first)
{
    while (first) {
        struct weir__pill *next = first->next;

        weir__release(first);
        first = next;
    }
}
