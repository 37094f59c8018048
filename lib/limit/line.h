/* SPDX-License-Identifier: MIT */
/* line.h - a thread in the line for permits (permits.h). */
#ifndef WEIR_LIB_LIMIT_LINE_H
#define WEIR_LIB_LIMIT_LINE_H

#include <weir/deadline.h>
#include <weir/status.h>

#include "base/annotate.h"
#include "base/lock.h"
#include "limit/permits.h"

/*
 * Asks for `wanted` permits and waits in the line until they are granted or
 * the deadline passes.  The thread stands on a list of its own, so that what
 * is granted reaches it and nobody else; a grant that comes with the deadline
 * is a grant.
 *
 * Returns WEIR_OK, WEIR_TIMED_OUT (nothing is held, nobody is held up).
 */
weir_status
weir__line_wait(struct weir__permits *permits, struct weir__mutex *lock,
                size_t wanted, weir_deadline deadline) WEIR_REQUIRES(lock);

#endif /* WEIR_LIB_LIMIT_LINE_H */
