/* SPDX-License-Identifier: MIT */
/* weir/status.h - what a weir call can answer. */
#ifndef WEIR_STATUS_H
#define WEIR_STATUS_H

#include <weir/api.h>

WEIR_BEGIN_DECLS

typedef enum weir_status {
    WEIR_OK = 0,
    WEIR_TIMED_OUT = -1, /* the deadline passed first; with WEIR_NOW: it
                            would have had to wait */
    WEIR_CLOSED = -2,    /* no more puts; for a getter: closed and empty */
    WEIR_POISONED = -3,  /* this consumer took a poison pill and should stop */
    WEIR_FULL = -4,      /* refused by the overload policy */
    WEIR_END = -5,       /* a producer or stream has no more items */
    WEIR_CANCELLED = -6,
    WEIR_STUCK = -7,     /* only threads that will not stop are in the way */
    WEIR_DEGRADED = -8,  /* too many abandoned threads: no new work */
    WEIR_FORKED = -9,    /* the handle belongs to the parent process */
    WEIR_DEADLOCK = -10, /* the call would have waited for itself */
    WEIR_EINVAL = -11,   /* an argument or option is out of range */
    WEIR_ENOMEM = -12,   /* no memory */
    WEIR_ESYSTEM = -13,  /* the system refused; errno says what */
    WEIR_ECORRUPT = -14, /* stored bytes are not what was written */
    WEIR_FAILED = -15    /* some task's outcome is not DONE */
} weir_status;

/*
 * The constant's own name, "WEIR_CLOSED"; "WEIR_?" for a number that is none.
 *
 * Owns:    a constant; never NULL, never freed.
 * Threads: any.
 */
WEIR_API const char *weir_status_name(weir_status status);

/*
 * The same for people: "closed"; "unknown status" for a number that is none.
 *
 * Owns:    a constant; never NULL, never freed.
 * Threads: any.
 */
WEIR_API const char *weir_status_text(weir_status status);

/*
 * What was wrong with the last call that weir refused on this thread, and what
 * to do about it.  WEIR_EINVAL, WEIR_ENOMEM, WEIR_ESYSTEM, WEIR_FORKED,
 * WEIR_DEADLOCK and WEIR_FAILED set it; other statuses say all there is, and
 * leave it alone as WEIR_OK does.  It is "" at first.
 *
 * Owns:    lends the text until this thread's next refused call.
 * Threads: any; each has its own.
 */
WEIR_API const char *weir_last_error(void);

WEIR_END_DECLS

#endif /* WEIR_STATUS_H */
