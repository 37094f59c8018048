/* SPDX-License-Identifier: MIT */
/*
 * weir/trace.h - what happened, for Perfetto (https://ui.perfetto.dev).
 *
 * A pool or queue is a process there: its workers are threads, an attempt is a
 * slice that is called by its outcome, which gives it its colour; how much
 * waits is a counter; producers that wait for room have tracks of their own;
 * and arrows go from a submit to each attempt of the task.
 */
#ifndef WEIR_TRACE_H
#define WEIR_TRACE_H

#include <weir/api.h>
#include <weir/events.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

/*
 * Writes all that the ring still has to `fd`, as Chrome's trace event JSON.
 * What has not ended ends with the trace and is called "open"; what has lost
 * its beginning is left out, and how many records were lost is told in
 * otherData.
 *
 * It needs memory: about 500 bytes for each record in the ring.
 *
 * Blocks:  for what write to `fd` does; who writes events is not held up.
 * Returns: WEIR_OK, WEIR_ESYSTEM (a write failed: weir_last_error() says how,
 *          errno too; some may be written), WEIR_ENOMEM, WEIR_EINVAL.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_trace_write(const weir_events *events,
                                                    int fd);

WEIR_END_DECLS

#endif /* WEIR_TRACE_H */
