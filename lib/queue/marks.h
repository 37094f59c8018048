/* SPDX-License-Identifier: MIT */
/*
 * marks.h - when to say that a queue is under pressure, and no longer.
 *
 * Between the two marks the last word stands, so that a count that hovers
 * about one of them is not told over and over.
 */
#ifndef WEIR_LIB_QUEUE_MARKS_H
#define WEIR_LIB_QUEUE_MARKS_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/status.h>

struct weir__marks {
    size_t high, low; /* I: items; low < high */
    bool telling;     /* L: a thread is at it */
};

/* Fills in what is 0: the capacity, and a quarter of it.  Returns WEIR_OK,
 * WEIR_EINVAL (naming the option; `name` is the capacity's). */
weir_status
weir__marks_read(size_t *high, size_t *low, size_t capacity, const char *name);

/* Whether what was told, that pressure is high or not, is no longer so. */
bool weir__marks_changed(const struct weir__marks *marks, bool told_high,
                         size_t count);

#endif /* WEIR_LIB_QUEUE_MARKS_H */
