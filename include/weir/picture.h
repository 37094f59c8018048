/* SPDX-License-Identifier: MIT */
/*
 * weir/picture.h - what happened, as a drawing.
 *
 * For each pool or queue: how much waited, what each worker was at, and when
 * producers waited for room; all over the same time.  One SVG that needs
 * nothing else, for a page or a report, in the light or in the dark (by
 * prefers-color-scheme).
 */
#ifndef WEIR_PICTURE_H
#define WEIR_PICTURE_H

#include <weir/api.h>
#include <weir/events.h>
#include <weir/status.h>

WEIR_BEGIN_DECLS

/*
 * Draws all that the ring still has to `fd`.  What is closer together than can
 * be seen is drawn as one; of more than 16 pools and queues, 48 workers or 12
 * waits at a time the rest is left out, and said.
 *
 * It needs memory: about 500 bytes for each record in the ring.
 *
 * Blocks:  for what write to `fd` does; who writes events is not held up.
 * Returns: WEIR_OK, WEIR_ESYSTEM (a write failed: weir_last_error() says how,
 *          errno too; some may be written), WEIR_ENOMEM, WEIR_EINVAL.
 * Threads: any.
 */
WEIR_API WEIR_MUST_USE weir_status weir_picture_write(const weir_events *events,
                                                      int fd);

WEIR_END_DECLS

#endif /* WEIR_PICTURE_H */
