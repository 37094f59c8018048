/* SPDX-License-Identifier: MIT */
/*
 * crew.h - one crew of threads for all stages of a pipeline.
 *
 * THE IDEA
 *
 * A pipeline of which nobody hears but its ledger, and whose stages ask for
 * nothing but workers, needs no pool for each stage.  Its stages are posts,
 * with a queue before each, and all threads are of one pool.  A thread takes
 * what is furthest on, runs that post's handler, and looks again: so it mostly
 * carries an item on to the next post, and nobody has to be woken for it.
 *
 *     source ──inbox──▶ [waiting] post 0 ──▶ [waiting] post 1 ──▶ ... ──▶ left
 *                           ▲                    ▲
 *                           └── bearer ──────────┘   takes what is furthest on
 *
 * Items come from a feeder, on whose thread the source's next runs.  It puts
 * them into an inbox without the lock.  Only a source of ours that never blocks
 * is read by the bearers themselves, when nothing waits at the first post.
 *
 * A bearer is a task of the pool that goes on until the pipeline is over. There
 * is one for each worker of each post, so whoever has work to begin finds a
 * thread.  What a handler sees is the bearer's attempt, begun anew for each
 * item: asking it to stop, and the end of its thread, are the pool's affair.
 *
 * A place is what a stage can hold.  An item keeps that of its post, running or
 * done, until it has one at the next: so queues are bounded, and a slow last
 * post brings the feeder to a stop.
 *
 * STATES of a post's item, and what causes each transition
 *
 *   waiting   ▶ running    a bearer takes it; there is a free worker's number
 *             ▶ left       the pipeline ends early
 *   running   ▶ waiting at the next post, or done if that is full
 *             ▶ left       at the last post, without a result, with any outcome
 *                          but DONE; the pipeline ends early
 *   done      ▶ waiting at the next post, when there is a place
 *             ▶ left       the pipeline ends early
 *
 * INVARIANTS (hold whenever the lock is free)
 *
 *   1. accepted = left + what is waiting, running or done; what the feeder has
 *      put into the inbox is not accepted yet.
 *   2. No post holds more than its window, or runs more than its workers.
 *   3. Who is done waits for a place, and there is none.
 *   4. `active` bearers are not parked; `slow` of them are in a handler that
 * may take long.
 *   5. If active = slow then it is hungry, and if a handler could be begun no
 *      bearer is parked; nor is the feeder, if it could go on.
 *
 * WAKING
 *
 * Nobody is woken while a bearer is about to look again: it is between two
 * handlers, or in a quick one.  A post is quick when its handler has come back
 * at once so many times in a row; one run in so many is timed again.  Before a
 * bearer calls a handler that is not quick, it wakes one for what else there is
 * to do.
 *
 * A quick handler may block all the same.  So while bearers are in quick
 * handlers a watch, the pipeline's own thread, naps; one that it finds in the
 * same handler after a nap is slow, and somebody is woken.  That is what a
 * wrong guess costs: a nap or two, once.
 *
 * The feeder looks at `hungry` only, and then takes the lock.
 *
 * MEMORY ORDER
 *
 * feeder: push, hungry?      crew: hungry, inbox?     One sees the other; both
 * are sequentially consistent.  `onward` is read by the feeder without the
 * lock: it only says that there is room.
 *
 * WHO FREES IT
 *
 * The handle and each bearer hold a reference; a bearer until no attempt of it
 * is left.  With the last one the pipeline is let go of, and closes the source.
 *
 * LOCKING
 *
 * Rank RUN; that of an attempt is taken below it, to begin one.
 *
 * WHY NOT
 *
 *   A pool for each stage, as where more is asked of one: each item is handed
 *   over seven times.  A thread woken for whatever there is to do: the threads
 *   wake each other for items that are gone when they come.  The source read by
 *   the bearers: its next is promised one thread.
 */
#ifndef WEIR_LIB_FLOW_CREW_H
#define WEIR_LIB_FLOW_CREW_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/pipeline.h>

#include "base/atomic.h"
#include "base/lock.h"
#include "base/park.h"
#include "base/spin.h"
#include "flow/feed.h"
#include "pool/kept.h"

/* So many runs in a row below QUICK_NS, and one in so many is timed then; an
 * exploration sets them. */
#ifndef WEIR__QUICK_RUNS
# define WEIR__QUICK_RUNS  16
# define WEIR__QUICK_TIMED 64u
#endif

struct weir__cargo {
    struct weir__cargo *next; /* of the list it is in; or in the inbox, or the
                                feeder's */
    uint64_t number;          /* I: 1, 2, ...: where it lies */
    alignas(max_align_t) unsigned char bytes[];
};

struct weir__cargoes {
    struct weir__cargo *first, *last;
};

/* I: set by create, then read-only.  L: with the crew's lock.  F: the
 * feeder's. */
struct weir__post {
    char name[32];                /* I */
    weir_handler *handler;        /* I */
    void *context;                /* I */
    size_t item_size;             /* I */
    size_t result_room;           /* I */
    size_t window;                /* I: places */
    uint32_t workers;             /* I */
    uint32_t *numbers;            /* L: of workers, the free ones */
    uint32_t free_count;          /* L: of them */
    bool is_quick;                /* L */
    unsigned quick_runs;          /* L: in a row */
    unsigned untimed;             /* L: runs since one was timed */
    struct weir__cargoes waiting; /* L */
    struct weir__cargoes done;    /* L: and waiting for a place */
    uint64_t held;                /* L: places taken; not of the first */
    uint64_t tasks;               /* L: ids so far */
    weir_ledger ledger;           /* L */
};

struct weir__bearer {
    struct weir__kept kept;
    struct weir__crew *crew;   /* I */
    struct weir__post *post;   /* L: that it is at, or NULL */
    struct weir__cargo *cargo; /* L: what it is at */
    uint32_t number;           /* L: as worker of that post */
    bool is_slow;              /* L: counted in `slow` */
    bool is_void;              /* L: settled: its attempt has to end */
    int64_t began_ns;          /* L: of a run that is timed; else 0 */
    uint64_t runs;             /* L */
    uint64_t seen;             /* L: the run that the watch has seen last */
};

struct weir__crew {
    struct weir__mutex lock;
    bool lock_is_there;                     /* I */
    bool is_fed;                            /* I: the feeder was started */
    weir_pool *pool;                        /* I */
    void (*let_go)(struct weir_pipeline *); /* I: with the last reference */
    struct weir_pipeline *pipeline;         /* I */
    struct weir__counter references;        /* A */
    struct weir__keeper keeper;             /* I: of the bearers */
    unsigned char *memory;                  /* I: of cargoes */
    size_t stride;                          /* I: from one to the next */
    uint32_t *numbers;                      /* I: memory of all posts' */
    struct weir__bearer *bearers;           /* I: the array */
    size_t bearer_count;                    /* I */
    struct weir__feed feed;
    void (*fed)(void *arg, const struct weir__feed *feed); /* I: it has ended */
    void *fed_arg;                                         /* I */
    weir_producer drawn; /* I: what bearers read; its self: L.  NULL: next */

    struct weir__cargoes spare;   /* L: that nobody uses */
    size_t active, slow;          /* L: bearers */
    size_t parked;                /* L: bearers */
    struct weir__waitlist idlers; /* L: those */
    struct weir__waitlist feeder; /* L: for a place at the first post */
    struct weir__waitlist watch;  /* L: the watch */
    bool watch_sleeps;            /* L: not just for a nap */
    bool has_fed;                 /* L: the feeder has ended */
    bool is_ending;               /* L: nothing is begun any more */
    bool is_over;                 /* L: all has left */
    size_t sent;                  /* I: bearers, once it has started */
    size_t gone;                  /* L: of them, let go of */
    uint64_t left;                /* L */
    weir_ledger ledger;           /* L: of the whole */
    char first_failure[sizeof(((weir_report *)0)->first_failure)]; /* L */

    struct weir__cargo *own; /* F: spare ones */
    uint64_t put;            /* F: what `given` is */

    alignas(WEIR__APART) struct weir__counter inbox; /* A: the newest's
                                                        number, or 0 */
    struct weir__flag hungry; /* A, L to write: see WAKING */
    struct weir__hint given;  /* A, F to write: items */
    alignas(WEIR__APART) struct weir__counter onward; /* A, L to write: items
                                                         that have left the
                                                         first post */
    struct weir__spin spin;
    size_t count; /* I: posts */
    struct weir__post posts[];
};

/* What a crew is made of; the caller fills in the posts from name to workers.
 * NULL: no memory. */
struct weir__crew *weir__crew_create(size_t posts);
/* Memory, threads and bearers, but not the feeder.  `options` are the pool's:
 * name, stack_bytes and max_result.  Returns WEIR_OK, WEIR_EINVAL, WEIR_ENOMEM,
 * WEIR_ESYSTEM. */
weir_status
weir__crew_start(struct weir__crew *crew, const weir_pool_options *options);
/* The source's items go to the first post, from now on.  Returns WEIR_OK,
 * WEIR_ENOMEM, WEIR_ESYSTEM: then nothing has been asked of it. */
weir_status
weir__crew_feed(struct weir__crew *crew, const weir_producer *source);

/* Nothing is begun any more; what waits leaves CANCELLED. */
void weir__crew_stop(struct weir__crew *crew);
/* Watches over quick handlers until all has left. */
void weir__crew_watch(struct weir__crew *crew);
/* What has become of all items, once they have left. */
void weir__crew_report(struct weir__crew *crew, weir_ledger *ledger,
                       char *first_failure, size_t room);
/* The post's figures at this moment. */
void weir__crew_read(struct weir__crew *crew, size_t post,
                     weir_stage_stats *stats);
/* NULL, or one that was never started, is allowed. */
void weir__crew_close(struct weir__crew *crew);

/* ------------------------------------------------------------------ carry.c */

/* What the feeder is to do: see feed.h. */
void *weir__crew_seat(void *arg);
weir_status weir__crew_take_on(void *arg, void *item);

/* A bearer's handler, and what the pool tells of one. */
int weir__crew_carry(weir_task *task, void *bearer);
void weir__crew_settle(void *crew, const void *bearer,
                       const weir_outcome *outcome, bool overdue);

/* Takes what the feeder has put; and sees to it that somebody works, or all
 * end.  After whatever changes. */
void weir__crew_look(struct weir__crew *crew) WEIR_REQUIRES(crew->lock);
/* It leaves from the post, which has counted it, and gives its place up. */
void weir__crew_leave(struct weir__crew *crew, struct weir__post *post,
                      struct weir__cargo *cargo, const weir_outcome *outcome)
    WEIR_REQUIRES(crew->lock);

#endif /* WEIR_LIB_FLOW_CREW_H */
