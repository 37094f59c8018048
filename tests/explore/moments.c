/* SPDX-License-Identifier: MIT */
/* moments.c - see moments.h. */
#include "moments.h"

#include <stdbool.h>
#include <stddef.h>

#include "past.h"
#include "threads.h"
#include "trace.h"
#include "world.h"

enum { MOMENTS = 32, BEGINNING_S = 1000 };

static int64_t now_ns;
static int64_t moments[MOMENTS];
static unsigned moment_count;
/* When the clock came where it has been. */
static struct {
    int64_t now_ns;
    uint64_t stamp;
} advances[MOMENTS];
static unsigned advance_count;

void moments_reset(void)
{
    now_ns = INT64_C(1000000000) * BEGINNING_S;
    moment_count = 0;
    advance_count = 0;
}

int64_t moments_now(void)
{
    return now_ns;
}

int64_t moments_next(void)
{
    int64_t first_ns = INT64_MAX;

    for (unsigned i = 0; i < moment_count; i++)
        if (moments[i] > now_ns && moments[i] < first_ns)
            first_ns = moments[i];
    return first_ns;
}

void moments_advance(int64_t at_ns)
{
    bool comes_to_one = moments_next() <= at_ns;

    now_ns = at_ns;
    past_advance(at_ns, comes_to_one);
    if (!comes_to_one)
        return;
    if (advance_count == MOMENTS)
        world_fail("more than %d deadlines pass", MOMENTS);
    advances[advance_count].now_ns = at_ns;
    advances[advance_count++].stamp = world_stamp();
}

int64_t world_now(void)
{
    threads_step((struct act){"looks at the clock", NULL, NULL});
    past_read_clock(thread_current);
    trace_act(thread_current, thread_me()->act, TRACE_NO_VALUE);
    return now_ns;
}

int64_t world_peek(void)
{
    past_read_clock(thread_current);
    return now_ns;
}

void world_mind(int64_t at_ns)
{
    if (at_ns <= now_ns || at_ns == INT64_MAX)
        return;
    for (unsigned i = 0; i < moment_count; i++)
        if (moments[i] == at_ns)
            return;
    if (moment_count == MOMENTS)
        world_fail("more than %d deadlines", MOMENTS);
    moments[moment_count++] = at_ns;
}

uint64_t world_stamp_of(int64_t at_ns)
{
    for (unsigned i = 0; i < advance_count; i++)
        if (advances[i].now_ns >= at_ns)
            return advances[i].stamp;
    return 0;
}
