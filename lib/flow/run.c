/* SPDX-License-Identifier: MIT */
/*
 * run.c - producers in, handler, report out.
 *
 * THE IDEA
 *
 *   producer ──▶ feed ─┐
 *   producer ──▶ feed ─┼──submit──▶ pool ──▶ handler
 *   producer ──▶ feed ─┘              ▲
 *                                     │ cancel what waits
 *   stop_fd ───▶ watcher ─────────────┘ and interrupt the producers
 *
 * The calling thread waits until every feed has ended, drains the pool, and
 * then closes the producers: so no attempt holds an item any more, and close
 * comes after the last release.
 *
 * If abandoned attempts are left they hold items: then no producer is closed.
 *
 * Several feeds take turns (turns.h), so that none is starved by a faster one.
 *
 * ENDING EARLY
 *
 * Whoever ends the run first (a producer that fails, stop_fd) says why; the
 * producers are interrupted, once.  After a failure what was accepted still
 * runs; stop_fd also cancels what has not started.
 *
 * Locking: rank RUN, for the report and the flags; never held while anything
 * of the pool or a producer is called.
 */
#include <weir/run.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/event.h"
#include "base/fault.h"
#include "base/options.h"
#include "base/park.h"
#include "base/trap.h"
#include "flow/feed.h"
#include "flow/producers.h"
#include "process/start.h"

/* I: set before the threads start.  L: with `lock`. */
struct run {
    struct weir__mutex lock;
    struct weir__waitlist enders; /* L: the caller, for the feeds */
    size_t alive;                 /* L: feeds that have not ended */
    bool interrupted;             /* L: once is enough */
    bool is_stuck;                /* the caller's: attempts were abandoned */
    weir_status status;           /* L: why it ended early */
    char error[256];              /* L: the words for it */
    int system_error;             /* L: errno then */
    char first_failure[sizeof(((weir_report *)0)->first_failure)]; /* L */
    weir_settled *on_settled; /* I: the user's */
    void *on_settled_arg;     /* I */
    weir_pool *pool;          /* I */
    struct weir__feed *feeds; /* I */
    struct weir__turns turns; /* of the feeds, if they wait for room: what else
                                 they do there may end their thread */
    size_t feed_count;        /* I */
    int stop_fd;              /* I: the caller's; 0: none */
    int quit_fd;              /* I: ours: the watcher may go */
    struct weir__thread watcher;
};

/* ------------------------------------------------------------- what is told */

static void note_failure_of_task(struct run *run, const weir_outcome *outcome)
{
    weir__mutex_lock(&run->lock);
    weir__word_failure(run->first_failure, sizeof(run->first_failure), outcome);
    weir__mutex_unlock(&run->lock);
}

static void
run_settled(void *arg, const void *item, const weir_outcome *outcome)
{
    struct run *run = arg;

    note_failure_of_task(run, outcome);
    if (run->on_settled)
        run->on_settled(run->on_settled_arg, item, outcome);
}

static void run_turned_away(void *arg, void *item, const weir_outcome *outcome)
{
    (void)item;
    note_failure_of_task(arg, outcome);
}

/* ------------------------------------------------------------ ending early */

/* Notes that this, with errno, is why it ends, unless there is a reason. */
static void note_end(struct run *run, weir_status status, const char *error)
{
    if (run->status)
        return;
    run->status = status;
    run->system_error = errno;
    snprintf(run->error, sizeof(run->error), "%s", error);
}

/* The run ends early because of `status`, unless it already does.  Interrupts
 * the producers, the first time. */
static void end_early(struct run *run, weir_status status, const char *error)
{
    bool interrupt;

    weir__mutex_lock(&run->lock);
    note_end(run, status, error);
    interrupt = !run->interrupted;
    run->interrupted = true;
    weir__mutex_unlock(&run->lock);
    for (size_t i = 0; interrupt && i < run->feed_count; i++)
        weir__feed_end(&run->feeds[i]);
}

static void feed_ended(void *arg, struct weir__feed *feed)
{
    struct run *run = arg;

    if (feed->status) {
        errno = feed->system_error;
        end_early(run, feed->status, feed->error);
    }
    weir__mutex_lock(&run->lock);
    if (--run->alive == 0)
        weir__waitlist_wake_all(&run->enders);
    weir__mutex_unlock(&run->lock);
}

static void watch_stop_fd(void *arg)
{
    struct run *run = arg;
    struct pollfd polled[] = {{.fd = run->quit_fd, .events = POLLIN},
                              {.fd = run->stop_fd, .events = POLLIN}};

    while (poll(polled, 2, -1) < 0 && errno == EINTR)
        continue;
    if (polled[0].revents)
        return;
    end_early(run, WEIR_CANCELLED, "stop_fd became readable");
    weir__pool_cancel_waiting(run->pool);
}

static void watcher_left(void *arg)
{
    (void)arg;
}

/* ------------------------------------------------------------------- checks */

/* One of the list, read into `p`. */
static weir_status
check_producer(const weir_run_options *o, size_t i, weir_producer *p)
{
    char name[40];

    for (size_t before = 0; before < i; before++)
        if (o->producers[before] == o->producers[i])
            return weir__refuse(WEIR_EINVAL,
                                "producers[%zu] and producers[%zu] are the "
                                "same: make two",
                                before, i);
    snprintf(name, sizeof(name), "producers[%zu]", i);
    return weir__producer_read(p, o->producers[i], name);
}

static weir_status check_producers(const weir_run_options *o, size_t *item_size)
{
    weir_status status = WEIR_OK;

    if (!o->producers || o->producer_count == 0)
        return weir__refuse(WEIR_EINVAL, "there are no producers");
    for (size_t i = 0; !status && i < o->producer_count; i++) {
        weir_producer p = WEIR_PRODUCER_INIT;

        status = check_producer(o, i, &p);
        if (!status && i > 0 && p.item_size != *item_size)
            status = weir__refuse(WEIR_EINVAL,
                                  "producers[%zu].item_size is %zu, but that "
                                  "of producers[0] is %zu: one handler takes "
                                  "both",
                                  i, p.item_size, *item_size);
        *item_size = p.item_size;
    }
    return status;
}

/* What children are to run and to be given. */
static weir_status check_for_children(const weir_run_options *o)
{
    weir_status status =
        weir__server_check_code((uintptr_t)o->handler, "the handler");

    for (size_t i = 0; !status && i < o->producer_count; i++) {
        weir_producer p = WEIR_PRODUCER_INIT;

        status = check_producer(o, i, &p);
        if (!status && p.has_pointers)
            status = weir__refuse(WEIR_EINVAL,
                                  "producers[%zu] yields pointers, which lead "
                                  "nowhere in another process: use one that "
                                  "copies what they point to",
                                  i);
    }
    return status;
}

static weir_status
check_run(const weir_run_options *options, weir_run_options *o,
          struct weir__pool_settings *settings)
{
    weir_status status =
        options ? weir__options_read(o, sizeof(*o), options, "weir_run_options")
                : weir__refuse(WEIR_EINVAL, "options is NULL");
    size_t item_size = 0;

    if (!status && !o->handler)
        status = weir__refuse(WEIR_EINVAL, "handler is NULL");
    if (!status && o->stop_fd != 0 && fcntl(o->stop_fd, F_GETFD) < 0)
        status =
            weir__refuse(WEIR_EINVAL, "stop_fd %d is not open: 0 means none",
                         o->stop_fd);
    if (!status)
        status = check_producers(o, &item_size);
    if (!status)
        status = weir__pool_settings_read(settings, o->pool);
    if (!status && settings->has_children)
        status = check_for_children(o);
    if (!status && settings->options.item_size != 0 &&
        settings->options.item_size != item_size)
        status = weir__refuse(WEIR_EINVAL,
                              "pool.item_size %zu is not the producers', %zu: "
                              "leave it 0",
                              settings->options.item_size, item_size);
    if (!status)
        settings->options.item_size = item_size;
    return status;
}

/* ---------------------------------------------------------------- its life */

/* From here on the producers are ours to close. */
static weir_status
prepare(struct run *run, const weir_run_options *o, weir_pool_options *pool)
{
    weir_status status;

    run->on_settled = pool->on_settled;
    run->on_settled_arg = pool->on_settled_arg;
    run->stop_fd = o->stop_fd;
    run->quit_fd = -1;
    pool->on_settled = run_settled;
    pool->on_settled_arg = run;
    status = weir_pool_create(&run->pool, pool);
    if (!status) {
        run->feeds =
            weir__allocate_many(o->producer_count, sizeof(*run->feeds));
        if (!run->feeds) {
            weir__refuse(WEIR_ENOMEM, "no memory for a run");
            status = WEIR_ENOMEM;
        }
    }
    for (; !status && run->feed_count < o->producer_count; run->feed_count++) {
        struct weir__feed *feed = &run->feeds[run->feed_count];

        status = weir__feed_init(feed, o->producers[run->feed_count]);
        if (status) {
            weir__refuse(status, "no memory for an item");
            break;
        }
        feed->pool = run->pool;
        if (o->producer_count > 1 && pool->on_full == WEIR_ON_FULL_WAIT)
            feed->turns = &run->turns;
        feed->handler = o->handler;
        feed->turned_away = run_turned_away;
        feed->ended = feed_ended;
        feed->arg = run;
    }
    return status;
}

static void dispose_feeds(struct run *run)
{
    for (size_t i = 0; i < run->feed_count; i++)
        weir__feed_dispose(&run->feeds[i]);
    weir__release(run->feeds);
}

static weir_status start_watcher(struct run *run, const char *name)
{
    if (run->stop_fd == 0)
        return WEIR_OK;
    run->quit_fd = weir__event_create();
    if (run->quit_fd < 0)
        return weir__refuse(WEIR_ESYSTEM, "eventfd failed: %s",
                            strerror(errno));
    weir__thread_set_name(&run->watcher, name, "stop");
    run->watcher.run = watch_stop_fd;
    run->watcher.ended = watcher_left;
    run->watcher.arg = run;
    return weir__thread_start(&run->watcher);
}

/* Returns how many feeds there are to join. */
static size_t start_feeds(struct run *run, const char *name)
{
    size_t started;

    run->alive = run->feed_count;
    for (started = 0; started < run->feed_count; started++) {
        weir_status status =
            weir__feed_start(&run->feeds[started], name, started);

        if (status) {
            end_early(run, status, weir_last_error());
            break;
        }
    }
    weir__mutex_lock(&run->lock);
    run->alive -= run->feed_count - started;
    weir__mutex_unlock(&run->lock);
    return started;
}

static void await_feeds(struct run *run, size_t started)
{
    struct weir__turn turn = {0};

    weir__mutex_lock(&run->lock);
    while (run->alive > 0) {
        weir_status status =
            weir__waitlist_wait(&run->enders, &run->lock, &turn, WEIR_FOREVER);

        (void)status; /* there is no deadline */
    }
    weir__mutex_unlock(&run->lock);
    for (size_t i = 0; i < started; i++)
        weir__thread_join(&run->feeds[i].thread);
}

static void carry_out(struct run *run, const char *name)
{
    weir_status status = start_watcher(run, name);
    bool watched = !status && run->stop_fd != 0;

    if (status)
        end_early(run, status, weir_last_error());
    else
        await_feeds(run, start_feeds(run, name));
    /* The watcher stays until the drain is over: stop_fd may cut it short. */
    status = weir_pool_stop(run->pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER);
    run->is_stuck = status == WEIR_STUCK;
    if (status)
        end_early(run, status,
                  run->is_stuck ? "abandoned attempts have not ended"
                                : weir_last_error());
    if (watched) {
        weir__event_set(run->quit_fd);
        weir__thread_join(&run->watcher);
    }
}

/* Our copies, if it came to that: the caller's may be gone by now.  None while
 * an attempt may be at an item. */
static void close_producers(const struct run *run, const weir_run_options *o)
{
    for (size_t i = 0; i < o->producer_count && !run->is_stuck; i++) {
        const weir_producer *p =
            i < run->feed_count ? &run->feeds[i].producer : o->producers[i];

        if (p->close)
            p->close(p->self);
    }
}

static weir_status init_locks(struct run *run)
{
    weir_status status = weir__mutex_init(&run->lock, WEIR__RANK_RUN);

    if (status)
        return status;
    status = weir__turns_init(&run->turns);
    if (status)
        weir__mutex_dispose(&run->lock);
    return status;
}

static void lend_pool(const struct run *run, const weir_run_options *o,
                      weir_run_moment moment)
{
    if (o->on_pool)
        o->on_pool(o->on_pool_arg, run->pool, moment);
}

/* With the locks made; leaves the feeds, whose producers are to be closed. */
static void
run_to_the_end(struct run *run, const weir_run_options *o,
               struct weir__pool_settings *settings, weir_report *report)
{
    weir_status status = prepare(run, o, &settings->options);

    if (!status) {
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;

        lend_pool(run, o, WEIR_RUN_BEGINS);
        carry_out(run, settings->name);
        lend_pool(run, o, WEIR_RUN_ENDS);
        weir_pool_read_stats(run->pool, &stats);
        report->ledger = stats.ledger;
        memcpy(report->first_failure, run->first_failure,
               sizeof(report->first_failure));
    } else {
        note_end(run, status, weir_last_error());
    }
    weir_pool_destroy(run->pool);
    if (run->quit_fd >= 0)
        weir__event_close(run->quit_fd);
}

weir_status weir_run(const weir_run_options *options, weir_report *report)
{
    WEIR__UNTRAPPED;
    weir_report filled = WEIR_REPORT_INIT;
    struct weir__pool_settings settings;
    struct run run = {.status = WEIR_OK};
    weir_run_options o = WEIR_RUN_OPTIONS_INIT;
    int64_t began_ns;
    bool could;
    weir_status status = check_run(options, &o, &settings);

    if (!status && report)
        status = weir__snapshot_check(report, "weir_report");
    if (status)
        return status;
    began_ns = weir__now();
    /* The threads of a run refer to this frame. */
    could = weir__thread_let_cancel(false);
    status = init_locks(&run);
    if (status) {
        note_end(&run, status, "no mutex for a run");
    } else {
        run_to_the_end(&run, &o, &settings, &filled);
        weir__turns_dispose(&run.turns);
        weir__mutex_dispose(&run.lock);
    }
    close_producers(&run, &o);
    dispose_feeds(&run);
    weir__thread_let_cancel(could);
    filled.status = run.status;
    filled.elapsed_ns = weir__now() - began_ns;
    if (report)
        weir__snapshot_write(report, &filled, sizeof(filled));
    if (run.status) {
        errno = run.system_error;
        weir__refuse(run.status, "%s", run.error);
    }
    return run.status;
}
