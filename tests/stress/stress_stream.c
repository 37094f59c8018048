/* SPDX-License-Identifier: MIT */
/* stress_stream.c - streams that come and go on one pool, plain ones and
 * others, while it is resized. */
#include <weir.h>

#include <stdlib.h>
#include <string.h>

#include "helper.h"
#include "suite.h"

enum { READERS = 3, STREAMS = 300, ITEMS = 400 };

static weir_pool *pool;
static struct tally given = TALLY_INIT, settled = TALLY_INIT,
                    released = TALLY_INIT, closed = TALLY_INIT;
static struct gate over = GATE_INIT;

/* A reader's chances, the same in each run. */
struct reader {
    uint64_t state;
    uint64_t read;
};

static uint64_t draw(struct reader *reader, uint64_t below)
{
    reader->state = reader->state * 6364136223846793005u + 1442695040888963407u;
    return (reader->state >> 33) % below;
}

static int answer(weir_task *task, void *item)
{
    uint64_t number = *(uint64_t *)item;

    if (number % 64 == 63)
        return weir_task_fail(task, 1, "%llu", (unsigned long long)number);
    return (int)weir_task_result(task, &number, sizeof(number));
}

/* A producer that hears of its items, so that its tasks are entries. */
struct source {
    uint64_t next;
};

static weir_status give(void *self, void *item)
{
    struct source *source = self;

    if (source->next == ITEMS)
        return WEIR_END;
    memcpy(item, &source->next, sizeof(source->next));
    source->next++;
    tally_add(&given, 1);
    return WEIR_OK;
}

static void settle(void *self, const void *item, const weir_outcome *outcome)
{
    (void)self;
    (void)item;
    (void)outcome;
    tally_add(&settled, 1);
}

static void release(void *self, void *item)
{
    (void)self;
    (void)item;
    tally_add(&released, 1);
}

static void close_source(void *self)
{
    free(self);
    tally_add(&closed, 1);
}

static weir_producer make_producer(struct reader *reader)
{
    weir_producer producer = WEIR_PRODUCER_INIT;

    if (draw(reader, 2)) {
        ck_assert_int_eq(weir_producer_range(&producer, 0, ITEMS), WEIR_OK);
        tally_add(&closed, 1);
        return producer;
    }
    producer.item_size = sizeof(uint64_t);
    producer.next = give;
    producer.settle = settle;
    producer.release = release;
    producer.close = close_source;
    producer.self = calloc(1, sizeof(struct source));
    ck_assert_ptr_nonnull(producer.self);
    return producer;
}

static void read_some(struct reader *reader)
{
    weir_stream_options how = WEIR_STREAM_OPTIONS_INIT;
    weir_producer producer = make_producer(reader);
    uint64_t most = draw(reader, 2 * ITEMS), taken = 0, number;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_stream *stream;

    how.handler = answer;
    how.window = 1 + draw(reader, 40);
    how.order = draw(reader, 2) ? WEIR_IN_ORDER : WEIR_AS_COMPLETED;
    ck_assert_int_eq(weir_stream_open(&stream, pool, &producer, &how), WEIR_OK);
    for (; taken < most; taken++) {
        weir_status status =
            weir_stream_next(stream, &number, &outcome, WEIR_FOREVER);

        if (status == WEIR_END)
            break;
        ck_assert_int_eq(status, WEIR_OK);
        ck_assert(how.order != WEIR_IN_ORDER || number == taken);
        ck_assert_int_eq(outcome.kind, number % 64 == 63 ? WEIR_OUTCOME_FAILED
                                                         : WEIR_OUTCOME_DONE);
    }
    ck_assert(taken == (most < ITEMS ? most : ITEMS));
    weir_stream_close(stream);
    reader->read += taken;
}

static void read_and_leave(void *arg)
{
    for (int i = 0; i < STREAMS / test_slowness() + 1; i++)
        read_some(arg);
}

static void resize_often(void *arg)
{
    (void)arg;
    for (uint32_t workers = 1; !gate_is_open(&over); workers = workers % 4 + 1)
        ck_assert_int_eq(weir_pool_resize(pool, workers), WEIR_OK);
}

START_TEST(streams_come_and_go)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    struct reader readers[READERS] = {{1, 0}, {2, 0}, {3, 0}};
    struct helper helpers[READERS], resizer;

    options.workers = 2;
    options.queue_capacity = 16;
    options.item_size = sizeof(uint64_t);
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
    helper_start(&resizer, resize_often, NULL);
    helpers_start(helpers, READERS, read_and_leave, readers,
                  sizeof(readers[0]));
    helpers_join(helpers, READERS);
    gate_open(&over);
    helper_join(&resizer);
    await_count(&closed,
                (uint64_t)READERS * (STREAMS / (uint64_t)test_slowness() + 1));
    ck_assert_uint_eq(tally_read(&settled), tally_read(&given));
    ck_assert_uint_eq(tally_read(&released), tally_read(&given));
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_read_stats(pool, &stats);
    ck_assert(weir_ledger_balances(&stats.ledger));
    ck_assert_uint_ge(stats.ledger.accepted,
                      readers[0].read + readers[1].read + readers[2].read);
    weir_pool_destroy(pool);
}
END_TEST

int main(void)
{
    const TTest *const all[] = {streams_come_and_go, NULL};
    const struct chapter chapters[] = {{"streams", all, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("streams under load", chapters);
}
