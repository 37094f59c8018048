/* SPDX-License-Identifier: MIT */
/* traffic.c - see traffic.h. */
#include "traffic.h"

#include <check.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "helper.h"

enum { BATCH = 7 };

/* An item: who put it, and its number, from 1. */
struct parcel {
    uint64_t putter;
    uint64_t number;
};

/* What became of some items. */
struct sum {
    uint64_t count, total, exclusive;
};

/* One thread's part; its own until it is joined. */
struct part {
    struct helper helper;
    const struct traffic *traffic;
    weir_queue *queue;
    uint64_t index;
    struct sum moved;
    uint64_t last[TRAFFIC_MOST]; /* number got, of each putter */
    uint64_t disorder;           /* numbers that went back */
    weir_status status;          /* that ended it */
};

/* Discarded items come from any thread. */
static pthread_mutex_t discard_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct sum discarded; /* with `discard_mutex` */

static void add(struct sum *sum, const struct parcel *parcel)
{
    uint64_t mark = parcel->putter << 32 | parcel->number;

    sum->count++;
    sum->total += mark;
    sum->exclusive ^= mark * 0x9e3779b97f4a7c15u;
}

static void add_sum(struct sum *sum, const struct sum *more)
{
    sum->count += more->count;
    sum->total += more->total;
    sum->exclusive ^= more->exclusive;
}

static void note_discarded(void *arg, void *item, weir_discard_reason reason)
{
    struct parcel parcel = {0, 0};

    (void)arg;
    (void)reason;
    memcpy(&parcel, item, sizeof(parcel));
    pthread_mutex_lock(&discard_mutex);
    add(&discarded, &parcel);
    pthread_mutex_unlock(&discard_mutex);
}

/* A limit that is often too short, or none. */
static weir_deadline limit_of(const struct part *part, uint64_t turn)
{
    if (part->traffic->style != TRAFFIC_HASTY)
        return WEIR_FOREVER;
    return turn % 3 == 0 ? WEIR_NOW : weir_deadline_after(WEIR_US(20));
}

static void put_all(void *arg)
{
    struct part *part = arg;
    const struct traffic *traffic = part->traffic;
    size_t most = traffic->style == TRAFFIC_BATCHES ? BATCH : 1;
    uint64_t next = 1;

    for (uint64_t turn = 0; next <= traffic->items; turn++) {
        struct parcel parcels[BATCH] = {{0, 0}};
        size_t count = 0, done;

        for (; count < most && next + count <= traffic->items; count++)
            parcels[count] = (struct parcel){part->index, next + count};
        part->status = weir_queue_put_many(part->queue, parcels, count, &done,
                                           limit_of(part, turn));
        for (size_t i = 0; i < done; i++)
            add(&part->moved, &parcels[i]);
        next += done;
        if (part->status == WEIR_CLOSED)
            return;
        if (part->status)
            sched_yield();
    }
}

static void take_parcel(struct part *part, const struct parcel *parcel)
{
    uint64_t *last = &part->last[parcel->putter];

    add(&part->moved, parcel);
    part->disorder += parcel->number <= *last;
    *last = parcel->number;
}

static void get_all(void *arg)
{
    struct part *part = arg;
    size_t most = part->traffic->style == TRAFFIC_BATCHES ? BATCH : 1;

    for (uint64_t turn = 0;; turn++) {
        struct parcel parcels[BATCH] = {{0, 0}};
        size_t done;

        part->status = weir_queue_get_many(part->queue, parcels, most, &done,
                                           limit_of(part, turn));
        for (size_t i = 0; i < done; i++)
            take_parcel(part, &parcels[i]);
        if (done > 0 && weir_queue_task_done(part->queue, done))
            part->disorder++;
        if (part->status == WEIR_CLOSED || part->status == WEIR_POISONED)
            return;
        if (part->status == WEIR_TIMED_OUT)
            sched_yield();
    }
}

/* Ends it, once the putters have, or sooner. */
static void end_intake(weir_queue *queue, const struct traffic *traffic,
                       struct part *putters)
{
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;

    if (traffic->end == TRAFFIC_ABORT) {
        while (stats.put < traffic->putters * traffic->items / 2) {
            sched_yield();
            weir_queue_read_stats(queue, &stats);
        }
        weir_queue_abort(queue);
    }
    for (size_t i = 0; i < traffic->putters; i++)
        helper_join(&putters[i].helper);
    if (traffic->end == TRAFFIC_CLOSE)
        weir_queue_close(queue);
    if (traffic->end == TRAFFIC_PILLS)
        ck_assert_int_eq(weir_queue_poison(queue, traffic->getters), WEIR_OK);
    if (traffic->end == TRAFFIC_POISON)
        ck_assert_int_eq(weir_queue_poison(queue, WEIR_EVERY_CONSUMER),
                         WEIR_OK);
}

static void
assert_accounted_for(weir_queue *queue, const struct traffic *traffic,
                     struct part *putters, struct part *getters)
{
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;
    bool pills =
        traffic->end == TRAFFIC_PILLS || traffic->end == TRAFFIC_POISON;
    struct sum in = {0}, out = discarded;

    for (size_t i = 0; i < traffic->putters; i++)
        add_sum(&in, &putters[i].moved);
    for (size_t i = 0; i < traffic->getters; i++) {
        add_sum(&out, &getters[i].moved);
        ck_assert_uint_eq(getters[i].disorder, 0);
        ck_assert_int_eq(getters[i].status,
                         pills ? WEIR_POISONED : WEIR_CLOSED);
    }
    weir_queue_read_stats(queue, &stats);
    ck_assert_uint_eq(in.count, out.count);
    ck_assert_uint_eq(in.total, out.total);
    ck_assert_uint_eq(in.exclusive, out.exclusive);
    ck_assert_uint_eq(stats.put, in.count);
    ck_assert_uint_eq(stats.dropped, discarded.count);
    ck_assert_uint_eq(stats.got, in.count - discarded.count);
    ck_assert_uint_eq(stats.count, 0);
    ck_assert_uint_le(stats.most, traffic->capacity);
    ck_assert_int_eq(weir_queue_join(queue, WEIR_NOW), WEIR_OK);
    if (traffic->end != TRAFFIC_ABORT)
        ck_assert_uint_eq(in.count, traffic->putters * traffic->items);
    if (traffic->end != TRAFFIC_ABORT &&
        traffic->on_full != WEIR_ON_FULL_DROP_OLDEST)
        ck_assert_uint_eq(discarded.count, 0);
}

/* Sets a thread to work on its part. */
static void begin(struct part *part, const struct traffic *traffic,
                  weir_queue *queue, uint64_t index, void (*work)(void *arg))
{
    *part = (struct part){.traffic = traffic, .queue = queue, .index = index};
    helper_start(&part->helper, work, part);
}

void traffic_run(const struct traffic *traffic)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    struct part putters[TRAFFIC_MOST], getters[TRAFFIC_MOST];
    weir_queue *queue;

    discarded = (struct sum){0};
    options.capacity = traffic->capacity;
    options.on_full = traffic->on_full;
    options.on_discard = note_discarded;
    options.on_pressure = traffic->on_pressure;
    ck_assert_int_eq(weir_queue_create(&queue, sizeof(struct parcel), &options),
                     WEIR_OK);
    for (size_t i = 0; i < traffic->getters; i++)
        begin(&getters[i], traffic, queue, i, get_all);
    for (size_t i = 0; i < traffic->putters; i++)
        begin(&putters[i], traffic, queue, i, put_all);
    end_intake(queue, traffic, putters);
    for (size_t i = 0; i < traffic->getters; i++)
        helper_join(&getters[i].helper);
    assert_accounted_for(queue, traffic, putters, getters);
    weir_queue_destroy(queue);
}

size_t traffic_items(size_t items)
{
    size_t fewer = items / (size_t)test_slowness();

    return fewer > 0 ? fewer : 1;
}
