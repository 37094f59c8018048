/* SPDX-License-Identifier: MIT */
/*
 * weir/log.h - what an operator must know of a pool, as it happens.
 *
 * The library prints nothing.  A pool with on_log tells it, in records with a
 * level, fields for programs and a sentence for people; weir_log_stderr is one
 * ready to be used.
 *
 * A storm does not flood: of each kind at most 16 are told in a second, and no
 * more than 64 wait for an on_log that is slow; how many were left out is told
 * with the next of the kind.  Figures count them all: weir/stats.h.
 */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include <stddef.h>
#include <stdint.h>

#include <weir/api.h>

WEIR_BEGIN_DECLS

typedef enum weir_log_level {
    WEIR_LOG_ERROR,   /* the pool does not do what it is for */
    WEIR_LOG_WARNING, /* it does, but something has gone wrong */
    WEIR_LOG_INFO     /* it has come right again */
} weir_log_level;

typedef enum weir_log_kind {
    WEIR_LOG_DEGRADED,  /* max_abandoned threads are abandoned: no new tasks;
                           an error */
    WEIR_LOG_RECOVERED, /* and are not any more; info */
    WEIR_LOG_TAINTED,   /* the first trapped crash; an error */
    WEIR_LOG_ABANDONED, /* a thread that overstays past its grace */
    WEIR_LOG_EXITED,    /* a handler ended its thread or child; code:
                           the child's status */
    WEIR_LOG_CRASHED,   /* a trapped crash, or a child's; code: the
                           signal */
    WEIR_LOG_RETRIES_EXHAUSTED, /* a task that may be retried settles after its
                                   last attempt; code: its outcome's */
    WEIR_LOG_RETRY_DENIED,      /* the budget of retries is spent */
    WEIR_LOG_NO_WORKER, /* a thread, a child or the worker_start that one needs
                           failed, and is tried again soon; an error; code:
                           errno, or what worker_start answered */
    WEIR_LOG_NO_SERVER, /* the server that makes children is gone: tasks settle
                           CRASHED; an error */
    WEIR_LOG_BREAKER_OPEN,  /* submits are refused */
    WEIR_LOG_BREAKER_CLOSED /* and are not any more; info */
} weir_log_kind;

typedef struct weir_log_record {
    size_t size; /* of this struct, where it was made */
    weir_log_level level;
    weir_log_kind kind;
    const char *pool;    /* its name */
    const char *message; /* a sentence, without a line's end */
    uint64_t task_id;    /* 0: of no task */
    const char *label;   /* of the task; "": none */
    uint32_t attempt;    /* 0: of none */
    uint32_t worker;     /* UINT32_MAX: of none */
    int code;            /* see the kind; 0: none */
    int64_t at_ns;       /* when it happened, on the clock of deadlines */
    uint64_t left_out;   /* of this kind, since the last that was told */
} weir_log_record;

/*
 * Gets a record, lent until it returns.  Runs on the pool's notifier thread,
 * one at a time and in the order of what happened; join and stop wait for it,
 * on_settled of deadlines and cancels too.  No weir lock is held; see
 * docs/callbacks.md for what it may call.
 */
typedef void weir_logged(void *arg, const weir_log_record *record);

/*
 * A weir_logged: writes the record to standard error, as one line of key=value
 * and with one write: level=warning kind=abandoned pool=... task=... msg=...
 * `arg` is not used.
 *
 * Blocks:  as write to standard error does; what cannot be written is lost.
 * Threads: any.
 */
WEIR_API void weir_log_stderr(void *arg, const weir_log_record *record);

/* In lower-case words: "warning", "retries exhausted"; "unknown level" and
 * "unknown kind" for a number that is none.  Constants.  Any thread. */
WEIR_API const char *weir_log_level_name(weir_log_level level);
/* The same of a kind.  Any thread. */
WEIR_API const char *weir_log_kind_name(weir_log_kind kind);

WEIR_END_DECLS

#endif /* WEIR_LOG_H */
