/* SPDX-License-Identifier: MIT */
/*
 * pool.h - what the rooms of a pool share.
 *
 * THE IDEA
 *
 * One lock, and under it a record (an entry) for each task that is inside.
 * Entries come from a store that is made with the pool, so that no task costs
 * an allocation.  Who does what:
 *
 *   submit.c      lets tasks in, or says why not
 *   callers.h     runs what a submitter runs itself
 *   worker.c      takes the oldest, runs an attempt, says how it ended
 *   entry.c       what becomes of a task: the states below
 *   tell.c        its callbacks
 *   retrying.c    chance and budget of retries
 *   schedule.h    tasks that wait for their time, and that come again
 *   timekeeper.c  lets deadlines pass, starts and joins threads
 *   children.h    has handlers run in child processes
 *   grace.c       abandons threads whose attempts overstay
 *   interrupt.c   has the blocking calls of such attempts return
 *   watch.c       more workers when tasks wait, fewer when they are idle
 *   notifier.c    runs callbacks that no worker is there for
 *   room.h        wakes submitters when there is room
 *   overload.h    tells of water marks, and expires stale work
 *   limits.h      tasks that a semaphore, rate or breaker holds back
 *   stop.c        brings it all to an end
 *   lane.h        a short way for tasks of which nobody hears; with it
 *                 plain.c, how workers run them, beat.c, their deadlines, and
 *                 adopt.c, how they become entries
 *   pool.c        life, resize
 *   figures.c     the ledger
 *   future.c      one task's outcome
 *   group.c       some tasks' ledger
 *   list.c        what there is
 *   seen.h        events, histograms, and other figures of those who look on
 *   look.h        the same from a signal handler, with boards (board.h)
 *   store.c       where entries come from
 *
 * What needs no pool is below this room: settings.h (the options), moments.h
 * (a heap), scaling.h (how many workers), task/task.h (an attempt).
 *
 * STATES of an entry (record.h), and what causes each transition
 *
 *   queued    ▶ running    a worker takes it
 *             ▶ settled    expired, dropped, cancelled
 *   running   ▶ settled    the attempt answers; its deadline passes; cancelled
 *             ▶ retrying   the same, and the policy grants another attempt
 *   retrying  ▶ running    due, the old attempt has ended, a worker takes it
 *             ▶ settled    cancelled; the old attempt outlasts the patience;
 *                          the predicate says no
 *   settled   ▶ free       told, attempt ended, released
 *
 * A settled one whose attempt is alive is overdue; what becomes of its thread
 * is in grace.c.
 *
 * INVARIANTS (hold whenever the lock is free)
 *
 *   1. The ledger balances.
 *   2. Each entry is in exactly one state, and is settled, told (on_settled
 *      has returned) and released at most once, in this order.
 *   3. An entry is free only when no attempt is at its item, no callback runs
 *      for it, none is owed, and it is no worker's.
 *   4. queued + retrying is what capacity bounds; the store holds capacity +
 *      slots entries, a slot being a place for a worker's thread, so that what
 *      was let in always has a place.
 *   5. If a task can be taken, no worker sleeps without a wake-up on its way;
 *      if there is room, no submitter does, but for a moment (room.h).
 *   6. The timekeeper sleeps no longer than to the soonest moment.
 *
 * WHO FREES THE POOL
 *
 * The handle, each thread, future and group hold a reference.  The store, with
 * the copies of items, goes when the pool is destroyed and the last worker has
 * left; the pool itself with the last reference.
 *
 * LOCKING
 *
 * Rank POOL.  A function whose name ends in _drops_lock gives the lock up on
 * its way, to run user code or start a thread; its caller looks again at what
 * it knew.  The lock of an attempt (rank TASK) is taken below.
 */
#ifndef WEIR_LIB_POOL_H
#define WEIR_LIB_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/group.h>
#include <weir/pool.h>

#include "base/eventcount.h"
#include "base/lock.h"
#include "base/park.h"
#include "base/spin.h"
#include "base/thread.h"
#include "pool/held.h"
#include "pool/lane.h"
#include "pool/moments.h"
#include "pool/record.h"
#include "pool/scaling.h"
#include "pool/settings.h"
#include "pool/slot.h"
#include "pool/strain.h"
#include "pool/tally.h"
#include "task/retry.h"
#include "task/task.h"

/* I: set by create, then read-only.  L: only with `lock` held. */
struct weir_pool {
    struct weir__mutex lock;
    uint64_t generation;                 /* I: see base/fork.h */
    struct weir__pool_settings settings; /* I, but for max_workers, L */
    size_t entry_stride;                 /* I: bytes */
    struct weir__counter references;     /* A */

    struct weir__block *store;        /* L: the newest block first */
    struct weir__entry *free_entries; /* L */
    size_t free_count;                /* L: free, and never used yet */
    struct weir__entry_list queued;   /* L: in order of submission */
    struct weir__entry_list due;      /* L: retries that may start */
    uint64_t due_count;               /* L: of them */
    struct weir__entry_list later;    /* L: the other retries */
    struct weir__schedule schedule;   /* L */
    struct weir__entry_list callers;  /* L: that submitters run themselves */
    struct weir__entry *first_notice, *last_notice; /* L */
    struct weir__moments moments;                   /* L */
    weir_ledger ledger;          /* A, L to write: by observe/ledger.h */
    struct weir__counter listed; /* A, L to write: tasks accepted as entries */
    uint64_t open;               /* L: entries that are not free */
    uint64_t handling;           /* L: threads in callbacks of entries */
    uint64_t begun;              /* L: attempts of workers at entries */
    uint64_t random;             /* L: state of the generator */
    uint64_t first_attempts;     /* L: of entries, ever */
    struct weir__retry_account retry_account; /* L */
    struct weir__strain strain;               /* L */
    struct weir__held held;                   /* L */
    struct weir__log *log; /* I, what it is L: log.h; NULL: nobody is told */

    struct weir__worker **workers; /* L: the array; `worker_slots` long */
    uint32_t worker_slots;         /* L */
    uint32_t least;                /* L: workers there should be, idle or not */
    uint32_t wanted;               /* L: workers there should be now */
    uint32_t alive;                /* L: workers not ended, leaving or
                                      abandoned */
    uint32_t threads;              /* L: workers and notifier, not joined */
    struct weir__worker *ended;    /* L: to be joined */
    int64_t workers_hold_ns;  /* L: no start before this, after a failure */
    int64_t notifier_hold_ns; /* L: the same */
    bool resizing;            /* L: somebody's turn */

    struct weir__thread timekeeper, notifier;
    struct weir__counter keeper_until_ns; /* A, L to write: to when the
                                             timekeeper sleeps */
    bool notifier_wanted;                 /* L: there is something to tell */
    enum weir__phase notifier_phase;      /* L */
    struct weir__entry *notifier_entry;   /* L: what the notifier is at */
    bool timekeeper_ended, timekeeper_joined, joining; /* L */

    bool closing;    /* L: no more tasks; never turns false */
    bool no_retries; /* L: stop now, or the run's end */
    bool destroyed;  /* L: no callback starts any more */
    bool stopped;    /* L: some stop has answered */
    bool tainted;    /* L: a handler has crashed; never turns false */
    bool store_gone; /* L: freed */

    struct weir__scaling scaling; /* L: what the watch keeps */
    struct weir__flag unwatched;  /* A, L to write: see watch.c; beside
                                     idlers.armed, as submitters read both */
    /* L, all of them: who waits for what. */
    struct weir__eventcount idlers;     /* workers: a task */
    struct weir__eventcount submitters; /* room */
    int64_t room_ns;                    /* L: see room.h; INT64_MAX: never */
    struct weir__eventcount joiners;    /* nothing open */
    struct weir__waitlist stoppers;     /* the end, or a step towards it */
    struct weir__waitlist starters;     /* worker_start, or their turn */
    struct weir__waitlist keeper;       /* the timekeeper: time, or news */
    struct weir__waitlist notified;     /* the notifier: a notice */
    struct weir__waitlist handled;      /* a worker: the notifier lets go */

    bool has_lane;                  /* I */
    bool is_seen;                   /* I: it has events or histograms */
    bool lane_shut;                 /* L */
    uint64_t adopted;               /* A, L to write: attempts, ever */
    size_t attached;                /* L: workers with an entry */
    void *lane_copy;                /* L: room for an item */
    struct weir__flag lane_closing; /* A, L to write: `closing` */
    struct weir__flag on_beat;      /* A, L to write: see beat.c */
    uint64_t beat_taken;            /* L: plain tasks by the last beat */
    int64_t beat_at_ns;             /* L: the next one */
    struct weir__hint first_worker; /* A, L to write: see look.h */
    /* Of submitters without room; of workers without a task, or an answer. */
    _Alignas(WEIR__APART) struct weir__spin submit_spin;
    struct weir__spin work_spin;
    struct weir__ring lane;
    struct weir__tally tally; /* cold, so at the end */
};

/* ------------------------------------------------------------------ store.c */

/* Bytes from one entry with the copy of its item to the next. */
size_t weir__store_stride(size_t item_size);
/* A block with room for `entries` more; NULL: no memory. */
struct weir__block *weir__block_create(const weir_pool *pool, size_t entries);
void weir__block_add(weir_pool *pool, struct weir__block *block)
    WEIR_REQUIRES(pool->lock);
/* A zeroed entry, or NULL; and back. */
struct weir__entry *weir__store_take(weir_pool *pool) WEIR_REQUIRES(pool->lock);
void weir__store_give_back(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* Frees a chain of blocks. */
void weir__blocks_release(struct weir__block *block);
/* An entry that a submitter runs itself, with an attempt's record. */
struct weir__entry *weir__store_create_callers(const weir_pool *pool);
void weir__store_release_callers(struct weir__entry *entry); /* or NULL */
/* Where the copy of an entry's item lies; what limits keep beside it. */
void *weir__store_copy_of(struct weir__entry *entry);
struct weir__admission *weir__store_admission_of(struct weir__entry *entry);
struct weir__entry *weir__store_entry_of(struct weir__admission *admission);

void weir__entry_list_append(struct weir__entry_list *list,
                             struct weir__entry *entry);
void weir__entry_list_remove(struct weir__entry_list *list,
                             struct weir__entry *entry);

/* -------------------------------------------------------------- figures.c */

uint64_t weir__pool_accepted(const weir_pool *pool);
void weir__pool_ledger(const weir_pool *pool, weir_ledger *out)
    WEIR_REQUIRES(pool->lock);
/* Plain tasks that have not settled and have no entry, but might need one. */
uint64_t weir__lane_live(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Accepted tasks that have not settled. */
uint64_t weir__pool_live(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Nothing is live, and no entry in use. */
bool weir__pool_is_idle(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Plain tasks that workers have taken, ever: their only attempts. */
uint64_t weir__lane_taken(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Tasks in the lane. */
uint64_t weir__lane_count(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Tasks that a worker could take; how many have been taken so far, submitters'
 * own aside; workers that are at one, or at its callbacks. */
uint64_t weir__pool_waiting(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
uint64_t weir__pool_begun(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
uint32_t weir__pool_busy(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Whether another task may wait here. */
bool weir__pool_has_room(const weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* -------------------------------- seen.c, log.c; more in their headers */

/* WEIR_OK, WEIR_ENOMEM; and its end, also of one that was not created. */
weir_status weir__seen_create(weir_pool *pool);
void weir__seen_release(weir_pool *pool);
weir_status weir__log_create(weir_pool *pool);
void weir__log_release(weir_pool *pool);
/* `wanted` may have changed. */
void weir__seen_scale(weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* ----------------------------------------------------------------- look.c */

/* So many more workers are in the array. */
void weir__look_add(weir_pool *pool, uint32_t fresh) WEIR_REQUIRES(pool->lock);

/* ---------------------------------------------------------------- adopt.c */

/* By the settings, which say whether there are plain tasks at all.  WEIR_OK,
 * WEIR_ENOMEM. */
weir_status weir__lane_create(weir_pool *pool);
/* Also of one that was not created. */
void weir__lane_release(weir_pool *pool);

/* Moves what is in the lane to the list; from now on tasks come there. */
void weir__lane_shut(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* The pool is closing: it stays shut, and what runs is adopted. */
void weir__lane_close(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* All that is in the lane and all that runs becomes entries; weir__lane_review
 * when they have been looked at. */
void weir__lane_reveal(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Opens it again if it may be, and tells putters whether to take the lock. */
void weir__lane_review(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Has workers take the lock before their next task, as long as there are too
 * many of them. */
void weir__lane_call_workers(weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* A worker has got its entry, or is rid of it. */
void weir__entry_attach(weir_pool *pool, struct weir__worker *worker,
                        struct weir__entry *entry) WEIR_REQUIRES(pool->lock);
void weir__entry_detach(weir_pool *pool, struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock);

/* By the worker: the plain task that it is at, if any, is an entry from now
 * on.  Returns whether it has one. */
bool weir__lane_adopt_own(weir_pool *pool, struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock);
/* By the worker that sees the pool close, before the handler: whether the task
 * is cancelled instead, since everything that waits has been; if not it is an
 * entry, for whoever asks what runs to stop. */
bool weir__lane_turn_back_drops_lock(weir_pool *pool,
                                     struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock);
/* The two halves of adopting what it is at; a heavy fence comes between.  What
 * is adopted stays wanted, until the worker has found that out. */
void weir__lane_want(struct weir__worker *worker);
void weir__lane_adopt_wanted(weir_pool *pool, struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock);

/* ----------------------------------------------------------------- beat.c */

/* By the worker, before it says what it is at: sets the deadline of the attempt
 * that begins.  False: it is not known yet, and weir__beat_find_deadline does
 * what weir_task_deadline is to answer. */
bool weir__beat_stamp(weir_pool *pool, struct weir__lane_work *lane);
/* And afterwards: the timekeeper will not sleep over it. */
void weir__beat_began(weir_pool *pool, struct weir__worker *worker);
weir_deadline weir__beat_find_deadline(weir_task *task);
/* From now on the deadline of what the worker is at is this. */
int64_t weir__beat_deadline(weir_pool *pool, struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock);
/* By the timekeeper: adopts what is past its deadline.  Returns when to look
 * again: now_ns, the soonest of the others, the next beat, or INT64_MAX. */
int64_t weir__beat_let_happen(weir_pool *pool, int64_t now_ns)
    WEIR_REQUIRES(pool->lock);

/* ---------------------------------------------------------------- plain.c */

/* A plain task for the worker, without the lock, after some spinning; or,
 * whatever head and tail bear, with it: *coming then says whether one is just
 * being put, and comes without a wake-up. */
bool weir__plain_take(weir_pool *pool, struct weir__worker *worker);
bool weir__plain_get_locked(weir_pool *pool, struct weir__worker *worker,
                            bool *coming) WEIR_REQUIRES(pool->lock);
/* Runs the task that it has taken.  False: its handler crashed, and the thread
 * is to return; what is left of the task is done when it ends. */
bool weir__plain_run(weir_pool *pool, struct weir__worker *worker);
/* It will do something else now. */
void weir__plain_rest(struct weir__worker *worker);

/* ------------------------------------------------------------------ entry.c */

/* A task comes in: counted, and in the queue. */
void weir__entry_queue(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* The task's outcome is `kind`, with the words for it; settles it.  What it
 * was waiting in forgets it. */
void weir__entry_settle(weir_pool *pool, struct weir__entry *entry,
                        weir_outcome_kind kind) WEIR_REQUIRES(pool->lock);
/* The same with the outcome that it has. */
void weir__entry_settle_so(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* A live attempt is asked to stop. */
void weir__entry_ask(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* The task settles CANCELLED, unless it has settled; a live attempt is asked
 * to stop if `ask`.  The notifier runs the callbacks. */
void weir__entry_cancel_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                   bool ask) WEIR_REQUIRES(pool->lock);

/* An attempt begins: states and clocks. */
void weir__entry_start(weir_pool *pool, struct weir__entry *entry,
                       struct weir_task *task, uint32_t worker)
    WEIR_REQUIRES(pool->lock);

/* An attempt has ended, and how.  Settles, retries, or counts it late; runs the
 * callbacks that are now due.  Notes in `phase` what it is doing. */
void weir__entry_end_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                enum weir__ending how, enum weir__phase *phase)
    WEIR_REQUIRES(pool->lock);

/* Its moment has come. */
void weir__entry_moment_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* The attempt has ended and the predicate has spoken, if there was need: what
 * becomes of it, and the callbacks that are then due. */
void weir__entry_conclude_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                     bool granted, enum weir__phase *phase)
    WEIR_REQUIRES(pool->lock);
/* Lets a retrying one be taken if nothing stands in its way. */
void weir__entry_retry_if_ready(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* ------------------------------------------------------------------- tell.c */

/* Whether anybody beside a future hears of it. */
bool weir__entry_has_callbacks(const weir_pool *pool,
                               const struct weir__entry *entry);

/* Runs the callbacks that are due for a settled entry, unless another thread
 * is at it or will be. */
void weir__entry_tell_drops_lock(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* The notifier's part for one entry; it notes in `phase` what it is doing. */
void weir__entry_notify_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                   unsigned notices, enum weir__phase *phase)
    WEIR_REQUIRES(pool->lock);

/* A thread ended in the middle of something for the entry, by the phase it was
 * in: what it began counts as done, and the rest goes on here. */
void weir__entry_go_on_drops_lock(weir_pool *pool, struct weir__entry *entry,
                                  enum weir__phase *phase)
    WEIR_REQUIRES(pool->lock);

/* -------------------------------------------------------------- retrying.c */

/* How long the entry's next attempt is to wait, by its policy and chance. */
int64_t weir__entry_draw_delay(weir_pool *pool, const struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* Whether the budget of its policy, if any, pays for another attempt; it has
 * then. */
bool weir__entry_pay(weir_pool *pool, const struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* ------------------------------------------------------------------ grace.c */

/* How long an entry is retrying at most while the old attempt is alive. */
int64_t
weir__grace_limit(const weir_pool *pool, const struct weir__entry *entry);
/* The entry has settled, its attempt is alive: the grace begins. */
void weir__grace_begin(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* And it is over: the thread is abandoned, if that may be. */
void weir__grace_pass(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* The attempt has ended, whatever became of its task. */
void weir__grace_end(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* No thread more may be abandoned, and no task more let in. */
bool weir__pool_is_degraded(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Nothing is left but abandoned attempts: no callback runs or is owed. */
bool weir__pool_is_stuck(const weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* -------------------------------------------------------------- interrupt.c */

/* The entry's live attempt, a worker's, has been asked to stop. */
void weir__interrupt_begin(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);
/* A worker's `repeat` has come. */
void weir__interrupt_again(weir_pool *pool, struct weir__moment *repeat)
    WEIR_REQUIRES(pool->lock);
/* The attempt has ended. */
void weir__interrupt_end(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* ------------------------------------------------------------- worker.c */

/* Starts so many workers as are missing, and waits for their worker_start.
 * WEIR_OK, or what went wrong. */
weir_status
weir__workers_grow_drops_lock(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Whether one is missing and there is a place to start it in. */
bool weir__worker_is_missing(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Starts one if there is a place; *out is NULL if there is none. */
weir_status
weir__worker_start_drops_lock(weir_pool *pool, struct weir__worker **out)
    WEIR_REQUIRES(pool->lock);
/* The worker's attempt has ended. */
void weir__worker_end_attempt_drops_lock(weir_pool *pool,
                                         struct weir__worker *worker,
                                         enum weir__ending how)
    WEIR_REQUIRES(pool->lock);
/* A task can be taken: wakes an idle worker, or begins a watch. */
void weir__workers_wake(weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* ---------------------------------------------------------------- limits.c */

/* Of create, and of the last reference: the options' limits are held. */
void weir__limits_attach(weir_pool *pool);
void weir__limits_detach(weir_pool *pool);

/* -------------------------------------------------------------- children.c */

/* What a worker has for its child, if the pool has such; false: no memory, no
 * descriptor.  And its end. */
bool weir__children_equip(weir_pool *pool, struct weir__worker *worker);
void weir__children_dispose(struct weir__worker *worker);

/* ----------------------------------------------------------------- watch.c */

/* No worker is idle, and there is a task; nothing if it is off, or on. */
void weir__watch_begin(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* `wanted` or max_workers has changed. */
void weir__watch_review(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* By the timekeeper: the next look, if it is time for it. */
void weir__watch_look(weir_pool *pool, int64_t now_ns)
    WEIR_REQUIRES(pool->lock);
/* A worker did not start. */
void weir__watch_give_up(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Until when an idle worker stays, or INT64_MAX; *idle_since_ns is 0 before it
 * first asks. */
int64_t weir__watch_idle_until(const weir_pool *pool, int64_t *idle_since_ns)
    WEIR_REQUIRES(pool->lock);
/* It leaves, and nobody is to take its place. */
void weir__watch_let_go(weir_pool *pool) WEIR_REQUIRES(pool->lock);

/* ------------------------------------------------ timekeeper.c, notifier.c */

weir_status weir__timekeeper_start(weir_pool *pool);
void weir__timekeeper_wake(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* A thread did not start: such a one is not tried again at once.  With the
 * lock; *hold_ns is one of the pool's. */
void weir__timekeeper_hold_off(int64_t *hold_ns);
/* Something is to happen at the entry's moment. */
void weir__timekeeper_set(weir_pool *pool, struct weir__entry *entry,
                          int64_t at_ns) WEIR_REQUIRES(pool->lock);
/* The same, for any moment in the pool's heap. */
void weir__timekeeper_set_moment(weir_pool *pool, struct weir__moment *moment,
                                 int64_t at_ns) WEIR_REQUIRES(pool->lock);

void weir__notifier_prepare(weir_pool *pool);
void weir__notifier_call(weir_pool *pool) WEIR_REQUIRES(pool->lock);
bool weir__notifier_is_quiet(const weir_pool *pool) WEIR_REQUIRES(pool->lock);
void weir__notifier_post(weir_pool *pool, struct weir__entry *entry,
                         unsigned notices) WEIR_REQUIRES(pool->lock);
/* The entry is in no notice any more, unless the notifier is at it. */
void weir__notifier_withdraw(weir_pool *pool, struct weir__entry *entry)
    WEIR_REQUIRES(pool->lock);

/* ------------------------------------------------------------------ stop.c */

/* To be called when a task has settled or been freed, or a thread has ended:
 * wakes those whose wait is over. */
void weir__pool_changed(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* Of that, the part for those in join. */
void weir__joiners_tell(weir_pool *pool) WEIR_REQUIRES(pool->lock);
/* A run's early end: refuses tasks, settles queued and retrying ones
 * CANCELLED, grants no more retries; running attempts finish untouched. */
void weir__pool_cancel_waiting(weir_pool *pool);

/* ------------------------------------------------------------------ pool.c */

/* Whether this thread is in a handler or callback of the pool; in its
 * worker_start or worker_stop. */
bool weir__pool_is_inside(const weir_pool *pool);
bool weir__pool_is_in_hook(const weir_pool *pool);
/* This thread enters or leaves one; to be nested like brackets. */
void weir__pool_enter(struct weir__inside *inside, const weir_pool *pool);
void weir__pool_leave(struct weir__inside *inside);
/* The thread's frames are gone: it is ending. */
void weir__pool_forget_inside(void);

/* WEIR_OK, WEIR_EINVAL (NULL), WEIR_FORKED. */
weir_status weir__pool_check(const weir_pool *pool);

/* Also without the lock, while it is there by another reference. */
void weir__pool_hold(weir_pool *pool);
/* Gives one up that is not the last. */
void weir__pool_drop(weir_pool *pool);
/* Unlocks, and frees the pool if this was the last reference. */
void weir__pool_unlock_and_let_go(weir_pool *pool) WEIR_RELEASES(pool->lock);

/* ---------------------------------------------------------------- submit.c */

/* For a run: the task's source is told too, and its item is copied. */
weir_status
weir__pool_submit_from(weir_pool *pool, const struct weir__source *source,
                       weir_handler *handler, const void *item,
                       weir_deadline deadline);

/* The same as its public siblings, for a group's task too; NULL: of none. */
weir_status
weir__submit(weir_pool *pool, weir_group *group, weir_handler *handler,
             void *item, weir_deadline deadline);
weir_status weir__submit_task(weir_pool *pool, weir_group *group,
                              const weir_task_spec *spec, weir_future **out,
                              weir_deadline deadline);

/* ----------------------------------------------------------------- group.c */

/* Changes a figure of an entry: in the pool's ledger, and in its group's. */
void weir__entry_count(weir_pool *pool, const struct weir__entry *entry,
                       size_t column, int64_t more) WEIR_REQUIRES(pool->lock);
/* Offers that were not accepted; WEIR_OK: without a status. */
void weir__count_refused(weir_pool *pool, weir_group *group, uint64_t more,
                         weir_status status) WEIR_REQUIRES(pool->lock);
/* All with the pool's lock; a group or an entry's group may be NULL.  The entry
 * holds a reference from enter to leave, when nothing is left to do for it. */
void weir__group_enter(weir_group *group, struct weir__entry *entry);
void weir__group_settle(struct weir__entry *entry);
void weir__group_leave_drops_lock(weir_pool *pool, weir_group *group)
    WEIR_REQUIRES(pool->lock);
/* Wakes who joins it if that is over. */
void weir__group_review(weir_pool *pool, weir_group *group)
    WEIR_REQUIRES(pool->lock);

/* ---------------------------------------------------------------- future.c */

/* The first reference is the caller's. */
weir_status weir__future_create(weir_future **out, weir_pool *pool);
/* With the pool's lock: the entry holds a reference until it detaches; settle
 * copies its outcome. */
void weir__future_attach(weir_future *future, struct weir__entry *entry);
void weir__future_settle(weir_future *future, const struct weir__entry *entry);

#endif /* WEIR_LIB_POOL_H */
