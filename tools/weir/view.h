/* SPDX-License-Identifier: MIT */
/* view.h - what the picture of a run says: figures to lines. */
#ifndef WEIR_TOOL_VIEW_H
#define WEIR_TOOL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/stats.h>

#include "canvas.h"

/* Bytes of a record that are kept to be shown. */
enum { VIEW_RECORD_ROOM = 224 };

/* What a worker runs. */
struct view_seat {
    bool is_taken;
    uint32_t worker, attempt;
    uint64_t number; /* of the record */
    int64_t since_ns;
    size_t length;
    char record[VIEW_RECORD_ROOM];
};

struct view_times {
    uint64_t count; /* 0: none yet */
    int64_t p50_ns, p90_ns, p99_ns, max_ns;
};

struct view {
    int64_t elapsed_ns, now_ns;
    weir_pool_stats stats;
    uint64_t capacity;
    double rate_now, rate;       /* settled in a second */
    double blocked_now, blocked; /* share of the time that the producer was */
    struct view_times waiting, running;
    bool is_stopping, is_ending; /* asked to by a signal, or two */
    bool is_over;                /* nothing is at anything any more */
};

/* The figures; and one line for each seat, as many as fit: the longest at it,
 * in the order of the workers, and how many more there are.  Sorts `seats`. */
void view_figures(struct canvas *canvas, const struct view *view);
void view_seats(struct canvas *canvas, const struct view *view,
                const struct view_seat **seats, size_t count);

#endif /* WEIR_TOOL_VIEW_H */
