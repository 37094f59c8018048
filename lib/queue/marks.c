/* SPDX-License-Identifier: MIT */
/* marks.c - see marks.h. */
#include "queue/marks.h"

bool weir__marks_changed(const struct weir__marks *marks, size_t count)
{
    return marks->told ? count <= marks->low : count >= marks->high;
}
