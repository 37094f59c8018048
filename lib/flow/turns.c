/* SPDX-License-Identifier: MIT */
/* turns.c - see turns.h. */
#include "flow/turns.h"

weir_status weir__turns_init(struct weir__turns *turns)
{
    *turns = (struct weir__turns){.taken = false};
    return weir__mutex_init(&turns->lock, WEIR__RANK_RUN);
}

void weir__turns_dispose(struct weir__turns *turns)
{
    weir__mutex_dispose(&turns->lock);
}

void weir__turns_take(struct weir__turns *turns)
{
    struct weir__turn turn = {0};

    weir__mutex_lock(&turns->lock);
    if (turns->taken) { /* whoever wakes it has given it the turn */
        weir_status status = weir__waitlist_wait(&turns->in_line, &turns->lock,
                                                 &turn, WEIR_FOREVER);

        (void)status; /* there is no deadline */
    }
    turns->taken = true;
    weir__mutex_unlock(&turns->lock);
}

void weir__turns_give(struct weir__turns *turns)
{
    weir__mutex_lock(&turns->lock);
    if (turns->in_line.first)
        weir__waitlist_wake(&turns->in_line, 1);
    else
        turns->taken = false;
    weir__mutex_unlock(&turns->lock);
}
