/* SPDX-License-Identifier: MIT */
/*
 * watch.c - a run shown live on the terminal.
 *
 * THE IDEA
 *
 * One thread looks ten times a second: at the pool's figures, and at the seats,
 * where each handler notes what it is at.  It asks for the terminal's size each
 * time, so that the next picture fits whatever has become of it.
 *
 *   handlers ──▶ seats ──┐
 *                        ├──▶ view ──▶ canvas ──▶ screen
 *   pool ────▶ figures ──┘
 *
 * Nothing waits for the thread but the run's end: a terminal that takes nothing
 * stops the pictures, not the tasks.
 *
 * LOCKING
 *
 * `lock` is for the seats, and for the end; nothing else is done under it.
 */
#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weir/deadline.h>
#include <weir/task.h>

#include "output.h"
#include "signals.h"
#include "view.h"

/* Ten a second is as fast as eyes are. */
#define PICTURE_NS   INT64_C(100000000)
#define QUANTILES_NS INT64_C(500000000)

/* So many looks back lies what "now" is measured from: 3 seconds. */
enum { LOOKS = 30 };

struct look {
    int64_t at_ns, blocked_ns;
    uint64_t settled;
};

/* I: set by open or begin, then read-only.  L: with `lock` held.  W: the
 * watching thread's, and what begins and ends it. */
struct watch {
    struct screen *screen;   /* I */
    const weir_pool *pool;   /* I */
    struct outputs *outputs; /* I */
    pthread_mutex_t lock;
    pthread_cond_t changed;         /* L: is_over */
    bool is_over;                   /* L */
    bool is_begun;                  /* W */
    pthread_t thread;               /* W */
    uint32_t workers;               /* I */
    struct view_seat *seats;        /* L: of each worker */
    struct view_seat *copies;       /* W: as they were */
    const struct view_seat **taken; /* W: of these, who is at something */
    struct canvas canvas;           /* W */
    struct view view;               /* W */
    int64_t begun_ns, quantiles_ns; /* W */
    struct look looks[LOOKS];       /* W: a ring */
    size_t look_count;              /* W: ever */
    weir_histogram histogram;       /* W */
};

static void *watch_run(void *arg);
static void wait_for_next(struct watch *watch, int64_t until_ns);
static void draw(struct watch *watch);
static void look(struct watch *watch);

/* ------------------------------------------------------------------- life */

bool watch_open(struct watch **out, uint32_t workers)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    pthread_condattr_t monotonic;

    if (!watch)
        return false;
    watch->workers = workers;
    watch->seats = calloc(workers, sizeof(*watch->seats));
    watch->copies = calloc(workers, sizeof(*watch->copies));
    watch->taken = calloc(workers, sizeof(struct view_seat *));
    if (!watch->seats || !watch->copies || !watch->taken)
        goto free_watch;
    if ((errno = pthread_condattr_init(&monotonic)) != 0)
        goto free_watch;
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    errno = pthread_cond_init(&watch->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (errno != 0)
        goto free_watch;
    if ((errno = pthread_mutex_init(&watch->lock, NULL)) != 0)
        goto destroy_changed;
    if (!screen_open(&watch->screen))
        goto destroy_lock;
    canvas_open(&watch->canvas);
    *out = watch;
    return true;

destroy_lock:
    pthread_mutex_destroy(&watch->lock);
destroy_changed:
    pthread_cond_destroy(&watch->changed);
free_watch:
    free(watch->seats);
    free(watch->copies);
    free(watch->taken);
    free(watch);
    return false;
}

void watch_close(struct watch *watch)
{
    if (!watch)
        return;
    screen_close(watch->screen);
    canvas_close(&watch->canvas);
    pthread_mutex_destroy(&watch->lock);
    pthread_cond_destroy(&watch->changed);
    free(watch->seats);
    free(watch->copies);
    free(watch->taken);
    free(watch);
}

struct screen *watch_screen(struct watch *watch)
{
    return watch ? watch->screen : NULL;
}

/* Signals are for the main thread, but for faults, which are this one's. */
static int start_thread(struct watch *watch)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    sigset_t all, before;
    int error;

    sigfillset(&all);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&watch->thread, NULL, watch_run, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

bool watch_begin(struct watch *watch, const weir_pool *pool, uint64_t capacity,
                 struct outputs *outputs)
{
    if (!watch)
        return true;
    watch->pool = pool;
    watch->outputs = outputs;
    watch->view.capacity = capacity;
    watch->begun_ns = monotonic_ns();
    watch->quantiles_ns = watch->begun_ns - QUANTILES_NS;
    errno = start_thread(watch);
    watch->is_begun = errno == 0;
    return watch->is_begun;
}

void watch_end(struct watch *watch)
{
    if (!watch || !watch->is_begun)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->is_over = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    watch->quantiles_ns -= QUANTILES_NS;
    look(watch);
    screen_leave(watch->screen, NULL);
}

void watch_sum_up(struct watch *watch)
{
    unsigned rows, columns;

    if (!watch || !watch->is_begun)
        return;
    screen_size(watch->screen, &rows, &columns);
    /* A few lines more than the figures have, so that the last one ends. */
    if (!canvas_begin(&watch->canvas, 16, columns))
        return;
    watch->view.is_over = true;
    view_figures(&watch->canvas, &watch->view);
    screen_leave(watch->screen, &watch->canvas);
}

/* ------------------------------------------------------------- the thread */

static void *watch_run(void *arg)
{
    struct watch *watch = arg;
    for (;;) {
        bool is_over;

        wait_for_next(watch, monotonic_ns() + PICTURE_NS);
        pthread_mutex_lock(&watch->lock);
        is_over = watch->is_over;
        pthread_mutex_unlock(&watch->lock);
        if (is_over)
            return NULL;
        screen_mind_signals(watch->screen);
        outputs_flush(watch->outputs);
        draw(watch);
    }
}

static void wait_for_next(struct watch *watch, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / WEIR_SECONDS(1),
                             .tv_nsec = until_ns % WEIR_SECONDS(1)};

    pthread_mutex_lock(&watch->lock);
    while (!watch->is_over &&
           pthread_cond_timedwait(&watch->changed, &watch->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&watch->lock);
}

static size_t copy_seats(struct watch *watch)
{
    size_t count = 0;

    pthread_mutex_lock(&watch->lock);
    for (uint32_t i = 0; i < watch->workers; i++) {
        if (!watch->seats[i].is_taken)
            continue;
        watch->copies[count] = watch->seats[i];
        watch->taken[count] = &watch->copies[count];
        count++;
    }
    pthread_mutex_unlock(&watch->lock);
    return count;
}

static void draw(struct watch *watch)
{
    unsigned rows, columns;
    size_t count;

    screen_size(watch->screen, &rows, &columns);
    if (!canvas_begin(&watch->canvas, rows, columns))
        return;
    look(watch);
    view_figures(&watch->canvas, &watch->view);
    count = copy_seats(watch);
    view_seats(&watch->canvas, &watch->view, watch->taken, count);
    screen_show(watch->screen, &watch->canvas);
}

/* ---------------------------------------------------------------- figures */

static uint64_t settled_of(const weir_ledger *l)
{
    return l->done + l->failed + l->timed_out + l->crashed + l->exited +
           l->cancelled + l->expired + l->dropped;
}

static double share_of(int64_t part_ns, int64_t whole_ns)
{
    return whole_ns > 0 ? (double)part_ns / (double)whole_ns : 0;
}

static void
read_times(struct watch *watch, weir_pool_time of, struct view_times *out)
{
    weir_histogram *h = &watch->histogram;

    *h = (weir_histogram)WEIR_HISTOGRAM_INIT;
    if (weir_pool_read_histogram(watch->pool, of, h) != WEIR_OK)
        return;
    *out = (struct view_times){.count = h->count,
                               .p50_ns = weir_histogram_quantile(h, 0.5),
                               .p90_ns = weir_histogram_quantile(h, 0.9),
                               .p99_ns = weir_histogram_quantile(h, 0.99),
                               .max_ns = h->max_ns};
}

/* "Now" is since the oldest look that is kept, at first since the begin. */
static void measure(struct watch *watch, const struct look *now)
{
    const struct look first = {.at_ns = watch->begun_ns};
    const struct look *from = watch->look_count < LOOKS
                                  ? &first
                                  : &watch->looks[watch->look_count % LOOKS];
    struct view *v = &watch->view;

    v->elapsed_ns = now->at_ns - watch->begun_ns;
    v->rate = share_of((int64_t)now->settled * WEIR_SECONDS(1), v->elapsed_ns);
    v->blocked = share_of(now->blocked_ns, v->elapsed_ns);
    v->rate_now =
        share_of((int64_t)(now->settled - from->settled) * WEIR_SECONDS(1),
                 now->at_ns - from->at_ns);
    v->blocked_now =
        share_of(now->blocked_ns - from->blocked_ns, now->at_ns - from->at_ns);
    watch->looks[watch->look_count++ % LOOKS] = *now;
}

static void look(struct watch *watch)
{
    struct view *v = &watch->view;
    struct look now = {.at_ns = monotonic_ns()};

    v->stats = (weir_pool_stats)WEIR_POOL_STATS_INIT;
    weir_pool_read_stats(watch->pool, &v->stats);
    now.settled = settled_of(&v->stats.ledger);
    now.blocked_ns = v->stats.blocked_ns;
    v->now_ns = now.at_ns;
    measure(watch, &now);
    v->is_stopping = signals_stop_asked();
    v->is_ending = signals_end_asked();
    if (now.at_ns - watch->quantiles_ns < QUANTILES_NS)
        return;
    watch->quantiles_ns = now.at_ns;
    read_times(watch, WEIR_POOL_WAITING, &v->waiting);
    read_times(watch, WEIR_POOL_RUNNING, &v->running);
}

/* ------------------------------------------------------------------ seats */

void watch_attempt_begins(struct watch *watch, const weir_task *task,
                          uint64_t number, const char *record, size_t length)
{
    uint32_t worker = weir_task_worker(task);
    struct view_seat *seat;

    if (!watch || worker >= watch->workers)
        return;
    seat = &watch->seats[worker];
    pthread_mutex_lock(&watch->lock);
    *seat = (struct view_seat){.is_taken = true,
                               .worker = worker,
                               .attempt = weir_task_attempt(task),
                               .number = number,
                               .since_ns = monotonic_ns(),
                               .length = length < VIEW_RECORD_ROOM
                                             ? length
                                             : VIEW_RECORD_ROOM};
    memcpy(seat->record, record, seat->length);
    pthread_mutex_unlock(&watch->lock);
}

void watch_attempt_ends(struct watch *watch, const weir_task *task)
{
    uint32_t worker = weir_task_worker(task);

    if (!watch || worker >= watch->workers)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->seats[worker].is_taken = false;
    pthread_mutex_unlock(&watch->lock);
}
