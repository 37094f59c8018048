/* SPDX-License-Identifier: MIT */
/* weir/deadline.h - a moment to stop waiting, on the monotonic clock. */
#ifndef WEIR_DEADLINE_H
#define WEIR_DEADLINE_H

#include <stdint.h>

#include <weir/api.h>

WEIR_BEGIN_DECLS

/*
 * A struct, not a number, so that a duration cannot be passed by mistake:
 * weir_queue_put(queue, item, 50) does not compile.  The clock is
 * CLOCK_MONOTONIC: setting the time does not move it, and it stands still
 * while the machine is suspended.
 */
typedef struct weir_deadline {
    int64_t at_ns;
} weir_deadline;

#define WEIR_NOW     (WEIR_LITERAL(weir_deadline){0})         /* do not wait */
#define WEIR_FOREVER (WEIR_LITERAL(weir_deadline){INT64_MAX}) /* no limit */

/* Durations are int64_t nanoseconds. */
#define WEIR_US(n)      ((int64_t)(n)*1000)
#define WEIR_MS(n)      ((int64_t)(n)*1000000)
#define WEIR_SECONDS(n) ((int64_t)(n)*1000000000)

/*
 * The moment `ns` nanoseconds from now.  Zero and less are WEIR_NOW; what lies
 * beyond the clock's range is WEIR_FOREVER.
 *
 * Threads: any.
 */
WEIR_API weir_deadline weir_deadline_after(int64_t ns);

/*
 * Nanoseconds until `deadline`: 0 once it has passed, INT64_MAX for
 * WEIR_FOREVER.
 *
 * Threads: any.
 */
WEIR_API int64_t weir_deadline_remaining(weir_deadline deadline);

WEIR_END_DECLS

#endif /* WEIR_DEADLINE_H */
