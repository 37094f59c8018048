/* SPDX-License-Identifier: MIT */
/* faults.c - see faults.h. */
#include "faults.h"

#include <check.h>
#include <stdbool.h>

#include "base/fault.h"

static bool is_expected(weir_status status, weir_status expected)
{
    if (expected == WEIR_OK)
        return status == WEIR_ENOMEM || status == WEIR_ESYSTEM;
    return status == expected;
}

/* Whether the nth point was there to fail. */
static bool strike(uint64_t nth, weir_status (*attempt)(void *arg), void *arg,
                   weir_status *status)
{
    bool struck;

    weir__fault_arm(nth);
    *status = attempt(arg);
    struck = weir__fault_points() >= nth;
    weir__fault_arm(0);
    return struck;
}

uint64_t
fault_sweep(weir_status (*attempt)(void *arg), void *arg, weir_status expected)
{
    weir_status status;
    uint64_t nth = 1;

    for (; strike(nth, attempt, arg, &status); nth++)
        if (!is_expected(status, expected))
            ck_abort_msg("point %d gave %s", (int)nth,
                         weir_status_name(status));
    if (nth == 1)
        ck_abort_msg("no point was passed: nothing was tested");
    if (status != WEIR_OK)
        ck_abort_msg("without a fault: %s", weir_status_name(status));
    return nth - 1;
}
