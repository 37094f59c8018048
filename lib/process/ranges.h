/* SPDX-License-Identifier: MIT */
/*
 * ranges.h - what code there was when the fork server started.
 *
 * A child is a copy of that moment: a function that was loaded later is not
 * there, or something else is at its address.  So the executable ranges are
 * noted just before, and functions are looked up in them.
 */
#ifndef WEIR_LIB_PROCESS_RANGES_H
#define WEIR_LIB_PROCESS_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

struct weir__range {
    uintptr_t first, end;
};

/* I: once noted. */
struct weir__ranges {
    struct weir__range *all; /* from low to high */
    size_t count;
};

/* WEIR_OK, WEIR_ENOMEM.  What was noted before is forgotten. */
weir_status weir__ranges_note(struct weir__ranges *ranges);
void weir__ranges_forget(struct weir__ranges *ranges);

/* Whether the function at this address was there. */
bool weir__ranges_have(const struct weir__ranges *ranges, uintptr_t address);

#endif /* WEIR_LIB_PROCESS_RANGES_H */
