/* SPDX-License-Identifier: MIT */
/* scaling.c - see scaling.h. */
#include "pool/scaling.h"

#include <stdbool.h>

#include "base/clock.h"

void weir__scaling_begin(struct weir__scaling *scaling,
                         const struct weir__load *load, int64_t now_ns)
{
    scaling->look_ns = weir__moment_after(now_ns, WEIR__SCALING_TICK_NS);
    scaling->waiting = load->waiting;
    scaling->begun = load->begun;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint32_t weir__scaling_look(struct weir__scaling *scaling,
                            const struct weir__load *load, int64_t now_ns)
{
    bool waited = load->begun - scaling->begun < scaling->waiting;
    uint32_t idle = load->workers > load->busy ? load->workers - load->busy : 0;
    uint64_t more = load->workers > 1 ? load->workers / 2 : 1;

    weir__scaling_begin(scaling, load, now_ns);
    if (!waited || load->waiting <= idle || load->workers >= load->most)
        return 0;
    more = lesser(more, load->most - load->workers);
    return (uint32_t)lesser(more, load->waiting - idle);
}

uint32_t
weir__scaling_rebase(uint32_t workers, uint32_t least_before, uint32_t least)
{
    if (least > least_before)
        return least > workers ? least : workers;
    return workers - (least_before - least);
}
