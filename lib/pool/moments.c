/* SPDX-License-Identifier: MIT */
/* moments.c - see moments.h. */
#include "pool/moments.h"

static bool
is_sooner(const struct weir__moment *a, const struct weir__moment *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

/* One of two heaps becomes the first child of the other. */
static struct weir__moment *meld(struct weir__moment *a, struct weir__moment *b)
{
    struct weir__moment *parent, *child;

    if (!a || !b)
        return a ? a : b;
    parent = is_sooner(b, a) ? b : a;
    child = parent == a ? b : a;
    child->next = parent->child;
    if (child->next)
        child->next->previous = child;
    child->previous = parent;
    parent->child = child;
    parent->next = NULL;
    parent->previous = NULL;
    return parent;
}

/* Melds brothers two by two from the left, then the pairs from the right: this
 * is what makes taking out cheap in the long run. */
static struct weir__moment *meld_brothers(struct weir__moment *first)
{
    struct weir__moment *pairs = NULL, *all = NULL;

    while (first) {
        struct weir__moment *a = first;
        struct weir__moment *b = a->next;
        struct weir__moment *pair;

        first = b ? b->next : NULL;
        a->next = NULL;
        if (b)
            b->next = NULL;
        pair = meld(a, b);
        pair->next = pairs;
        pairs = pair;
    }
    while (pairs) {
        struct weir__moment *pair = pairs;

        pairs = pair->next;
        pair->next = NULL;
        all = meld(all, pair);
    }
    return all;
}

bool weir__moments_add(struct weir__moments *moments,
                       struct weir__moment *moment, int64_t at_ns)
{
    *moment = (struct weir__moment){.at_ns = at_ns,
                                    .is_in = true,
                                    .is_repeat = moment->is_repeat,
                                    .is_series = moment->is_series,
                                    .order = moment->order};
    moments->soonest = meld(moments->soonest, moment);
    return moments->soonest == moment;
}

void weir__moments_remove(struct weir__moments *moments,
                          struct weir__moment *moment)
{
    struct weir__moment *orphans;

    if (!moment->is_in)
        return;
    orphans = meld_brothers(moment->child);
    if (orphans)
        orphans->previous = NULL;
    if (moment == moments->soonest) {
        moments->soonest = orphans;
    } else {
        if (moment->previous->child == moment)
            moment->previous->child = moment->next;
        else
            moment->previous->next = moment->next;
        if (moment->next)
            moment->next->previous = moment->previous;
        moments->soonest = meld(moments->soonest, orphans);
    }
    *moment = (struct weir__moment){.is_in = false,
                                    .is_repeat = moment->is_repeat,
                                    .is_series = moment->is_series,
                                    .order = moment->order};
}
