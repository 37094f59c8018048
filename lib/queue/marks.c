/* SPDX-License-Identifier: MIT */
/* marks.c - see marks.h. */
#include "queue/marks.h"

#include "base/error.h"

bool weir__marks_changed(const struct weir__marks *marks, bool told_high,
                         size_t count)
{
    return told_high ? count <= marks->low : count >= marks->high;
}

weir_status
weir__marks_read(size_t *high, size_t *low, size_t capacity, const char *name)
{
    if (*high == 0)
        *high = capacity;
    if (*high > capacity)
        return weir__refuse(WEIR_EINVAL,
                            "high_water %zu is above %s %zu: lower it", *high,
                            name, capacity);
    if (*low == 0)
        *low = capacity / 4 < *high ? capacity / 4 : *high - 1;
    if (*low >= *high)
        return weir__refuse(
            WEIR_EINVAL, "low_water %zu is not below high_water %zu: lower it",
            *low, *high);
    return WEIR_OK;
}
