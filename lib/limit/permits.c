/* SPDX-License-Identifier: MIT */
/* permits.c - see permits.h. */
#include "limit/permits.h"

#include <assert.h>

static void
join_line(struct weir__permits *permits, struct weir__request *request)
{
    request->is_waiting = true;
    request->next = NULL;
    request->previous = permits->last;
    if (permits->last)
        permits->last->next = request;
    else
        permits->first = request;
    permits->last = request;
    permits->waiting++;
}

static void
leave_line(struct weir__permits *permits, struct weir__request *request)
{
    if (request->previous)
        request->previous->next = request->next;
    else
        permits->first = request->next;
    if (request->next)
        request->next->previous = request->previous;
    else
        permits->last = request->previous;
    request->next = request->previous = NULL;
    request->is_waiting = false;
    permits->waiting--;
}

static void
grant_permits(struct weir__permits *permits, struct weir__request *request)
{
    permits->held += request->wanted;
    request->is_granted = true;
}

/* Restores invariant 1. */
static void serve_line(struct weir__permits *permits)
{
    while (permits->first &&
           permits->first->wanted <= weir__permits_free(permits)) {
        struct weir__request *request = permits->first;

        leave_line(permits, request);
        grant_permits(permits, request);
        request->tell(request);
    }
}

bool weir__permits_would_grant(const struct weir__permits *permits,
                               size_t wanted)
{
    return !permits->first && wanted <= weir__permits_free(permits);
}

bool weir__permits_ask(struct weir__permits *permits,
                       struct weir__request *request)
{
    request->is_granted = false;
    if (weir__permits_would_grant(permits, request->wanted)) {
        grant_permits(permits, request);
        return true;
    }
    join_line(permits, request);
    return false;
}

void weir__permits_withdraw(struct weir__permits *permits,
                            struct weir__request *request)
{
    leave_line(permits, request);
    serve_line(permits);
}

void weir__permits_give(struct weir__permits *permits, size_t count)
{
    assert(count <= permits->held);
    permits->held -= count;
    serve_line(permits);
}

void weir__permits_resize(struct weir__permits *permits, size_t total)
{
    permits->total = total;
    serve_line(permits);
}
