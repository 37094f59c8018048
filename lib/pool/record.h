/* SPDX-License-Identifier: MIT */
/* record.h - the record of a task in a pool: an entry.  The essay is in
 * pool.h. */
#ifndef WEIR_LIB_POOL_RECORD_H
#define WEIR_LIB_POOL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/group.h>
#include <weir/pool.h>

#include "pool/moments.h"

/* A handler or callback that a thread is in.  Not on the stack, which is gone
 * when it has ended the thread and the program's own destructors run. */
struct weir__inside {
    const weir_pool *pool;
    bool is_hook; /* worker_start or worker_stop: a resize may wait for it */
    struct weir__inside *outer;
};

/* Somebody beside the pool who wants to know of a task: a producer.  Each of
 * these may be NULL. */
struct weir__source {
    /* `overdue`: a handler is still at the item. */
    void (*settle)(void *arg, const void *item, const weir_outcome *outcome,
                   bool overdue);
    void (*release)(void *arg, void *item);
    /* For kept.h: whether the pool is to release the item; else it has nothing
     * more to do with it.  And when it has: `released`, or the pool was
     * destroyed before the attempt ended. */
    bool (*may_release)(void *arg, void *item);
    void (*let_go)(void *arg, void *item, bool released);
    void *arg;
};

enum weir__entry_state {
    WEIR__FREE,
    WEIR__QUEUED,
    WEIR__RUNNING,
    WEIR__RETRYING,
    WEIR__SETTLED
};

/* Where a task is that limits hold back: limits.h. */
enum weir__held_at {
    WEIR__HELD_NOWHERE,
    WEIR__HELD_READY, /* not any more: for the next worker */
    WEIR__HELD_IN_LINE,
    WEIR__HELD_FOR_TOKEN,
    WEIR__HELD_BY_BREAKER,
    WEIR__HELD_PLACES
};

/* What the notifier owes an entry. */
enum weir__notice {
    WEIR__NOTICE_ACTIONS = 1,  /* run on_cancel actions */
    WEIR__NOTICE_DECISION = 2, /* ask the predicate about a TIMED_OUT */
    WEIR__NOTICE_CALLBACKS = 4 /* on_settled and what follows */
};

/* The callbacks of an entry, in their order; the next one that is due. */
enum weir__step {
    WEIR__STEP_SOURCE_SETTLE,
    WEIR__STEP_ON_SETTLED,
    WEIR__STEP_TOLD, /* waits for the attempt to end */
    WEIR__STEP_ON_RELEASE,
    WEIR__STEP_SOURCE_RELEASE,
    WEIR__STEP_FREE
};

/* L: all, with the pool's lock; but what `handler` to `retry` say is set at
 * submit and then read by the attempt. */
struct weir__entry {
    struct weir__entry *next;     /* in `queued`, `due`, `later`, `callers`
                                     or the free list */
    struct weir__entry *previous; /* likewise */
    struct weir__entry *next_notice;
    struct weir__moment moment; /* queued: its time, then expires; running:
                                   deadline;
                                   retrying: due, or patience over;
                                   settled: grace over */
    enum weir__entry_state state;
    enum weir__step step;
    unsigned notices;           /* set of enum weir__notice */
    bool is_noticed;            /* in the pool's list of notices */
    bool is_handled;            /* a thread runs callbacks for it */
    bool is_due;                /* retrying, and in `due`, or held */
    bool is_delayed;            /* queued, but not before due_ns */
    bool is_undecided;          /* retrying, if the predicate grants it */
    bool attempt_alive;         /* a handler is at the item */
    bool is_overdue;            /* settled while it was, and it still is */
    bool has_crashed;           /* the notifier is to go on for its thread */
    bool is_kept;               /* its item and source are a keeper's: kept.h */
    bool is_past_grace;         /* overdue, to be abandoned when that may be */
    bool is_callers;            /* run by its submitter; not from the store */
    bool is_limited;            /* it has an admission beside it: held.h */
    enum weir__held_at held_at; /* queued, or retrying and due */
    struct weir_task *task;     /* the live attempt's record */
    struct weir__worker *worker; /* the live attempt's; NULL: a submitter */
    uint64_t cancel_generation;  /* which attempt the actions are of */
    int64_t submitted_ns, started_ns, first_started_ns, due_ns;
    int64_t since_ns;     /* in its state; overdue and abandoned are
                             states here too */
    int64_t overstays_ns; /* the live attempt, since then; 0: not yet */
    weir_outcome outcome; /* settled: lent strings; else scratch */
    int64_t noted_ns;     /* when its times were */
    weir_future *future;  /* NULL, or holds a reference */
    weir_group *group;    /* the same */
    struct weir__entry *group_next, *group_previous; /* unsettled, in it */
    struct weir__inside inside; /* of the thread that runs its callbacks */
    char crash[64];             /* the words for it: the thread's record is
                                   another's by the time they are told */

    uint64_t id; /* what follows is set when it is let in */
    weir_handler *handler;
    void *item; /* the submitter's, or the copy behind this struct */
    void *context;
    int64_t timeout_ns, time_to_live_ns; /* 0: none */
    const struct weir__source *source;   /* may be NULL */
    struct weir__series *series;         /* NULL: it is no firing of any */
    const weir_retry *retry;             /* the pool's, or own_retry */
    weir_retry own_retry;
    char label[32];
};

struct weir__entry_list {
    struct weir__entry *first, *last;
};
/* Where it belongs by age, in one that is kept so: looked for from both ends.
 */
void weir__entry_list_insert(struct weir__entry_list *list,
                             struct weir__entry *entry);

/* What waits for its time: see schedule.h. */
struct weir__schedule {
    struct weir__entry_list delayed; /* in no order */
    uint64_t delayed_count;
    struct weir__series *series; /* the newest first */
};

/* A block of the store: entries that were there from the start, or that a
 * resize has added. */
struct weir__block {
    struct weir__block *next;
    size_t entries;
    size_t used; /* handed out at least once: the rest is untouched memory */
    unsigned char *memory;
};

#endif /* WEIR_LIB_POOL_RECORD_H */
