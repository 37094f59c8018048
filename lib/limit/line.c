/* SPDX-License-Identifier: MIT */
/* line.c - see line.h. */
#include "limit/line.h"

#include "base/clock.h"
#include "base/park.h"

/* On the stack of the thread that waits; the request comes first. */
struct place {
    struct weir__request request;
    struct weir__waitlist alone; /* with the lock of the permits */
};

static void wake_place(struct weir__request *request)
{
    struct place *place = (struct place *)request;

    weir__waitlist_wake_all(&place->alone);
}

weir_status
weir__line_wait(struct weir__permits *permits, struct weir__mutex *lock,
                size_t wanted, weir_deadline deadline)
{
    struct place place = {.request = {.wanted = wanted, .tell = wake_place}};
    struct weir__turn turn = {0};
    weir_status status = WEIR_OK;

    if (weir__is_now(deadline) && !weir__permits_would_grant(permits, wanted))
        return WEIR_TIMED_OUT;
    if (weir__permits_ask(permits, &place.request))
        return WEIR_OK;
    while (!place.request.is_granted && status == WEIR_OK)
        status = weir__waitlist_wait(&place.alone, lock, &turn, deadline);
    if (place.request.is_granted)
        return WEIR_OK;
    weir__permits_withdraw(permits, &place.request);
    return WEIR_TIMED_OUT;
}
