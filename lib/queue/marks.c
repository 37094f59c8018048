/* SPDX-License-Identifier: MIT */
/* marks.c - see marks.h. */
#include "queue/marks.h"

bool weir__marks_changed(const struct weir__marks *marks, bool told_high,
                         size_t count)
{
    return told_high ? count <= marks->low : count >= marks->high;
}
