/* SPDX-License-Identifier: MIT */
/*
 * stage.c - see stage.h.
 *
 * WHAT IS CHECKED
 *
 * As calls answer: an item that is got was put, nobody got or lost it before,
 * and each producer's come in order; what may not wait does not; a time-out
 * comes with its time; a callback runs with no lock held.
 *
 * At the end: offered == put + refused, put == got + dropped + count; what is
 * unfinished; that what was told of pressure is so; that nothing is left of
 * those who waited (quiet.h); that the calls have an order that explains them
 * (linear.h); then, the queue being destroyed, that every item accepted was got
 * or discarded once and nothing else was; that all memory was released.
 */
#include "stage.h"

#include <inttypes.h>
#include <string.h>

#include "arena.h"
#include "history.h"
#include "linear.h"
#include "queue/queue.h"
#include "quiet.h"
#include "race.h"
#include "trace.h"

enum { MOST_ITEMS = 100, PRODUCERS = 10, OWED = 16 };

weir_queue *queue;

/* What became of each item. */
static struct fate {
    unsigned char offered, accepted, got, discarded;
    bool is_finished; /* task_done has begun, or on_discard has returned */
} fates[MOST_ITEMS];

static struct stage {
    const struct scenario *scenario;
    weir_queue_options options;
    struct call *calls[WORLD_THREADS];         /* that each thread is in */
    uint64_t latest[WORLD_THREADS][PRODUCERS]; /* item that a thread got */
    size_t offered, accepted, got, discarded;
    size_t done;                             /* by task_done */
    size_t loose;                            /* task_done for what others got */
    unsigned char owed[WORLD_THREADS][OWED]; /* got and not finished */
    size_t owed_count[WORLD_THREADS];
    bool told_high, ever_high, telling;
    struct weir__flag interrupted;
} stage;

/* ------------------------------------------------------------ the callbacks */

static weir_discard_reason reason_of(const struct call *call)
{
    if (!call)
        return WEIR_DISCARD_DESTROY;
    return call->kind == CALL_ABORT ? WEIR_DISCARD_ABORT
                                    : WEIR_DISCARD_OVERLOAD;
}

static void on_discard(void *arg, void *item, weir_discard_reason reason)
{
    struct call *call = stage.calls[world_self()];
    uint64_t number;

    (void)arg;
    if (world_holds_a_lock())
        world_fail("on_discard is called with a lock held");
    race_read(item, sizeof(number), __builtin_return_address(0));
    memcpy(&number, item, sizeof(number));
    world_step("is given back", "an item", NULL);
    if (trace_is_on)
        trace_say(world_self(), "on_discard(%" PRIu64 ")", number);
    if (reason != reason_of(call))
        world_fail("item %" PRIu64 " is discarded for reason %d", number,
                   (int)reason);
    if (number >= MOST_ITEMS || !fates[number].offered)
        world_fail("%" PRIu64 " is discarded, which nobody put", number);
    if (fates[number].discarded++ || fates[number].got)
        world_fail("item %" PRIu64 " is discarded, but was gone before",
                   number);
    stage.discarded++;
    if (call && call->victim_count < CALL_ITEMS)
        call->victims[call->victim_count++] = number;
    world_step("has been given back", "an item", NULL);
    fates[number].is_finished = true;
}

static void on_pressure(void *arg, bool high)
{
    (void)arg;
    if (world_holds_a_lock())
        world_fail("on_pressure is called with a lock held");
    if (stage.telling)
        world_fail("on_pressure is called by two threads at once");
    if (stage.told_high == high)
        world_fail("on_pressure says twice that it is %s",
                   high ? "high" : "low");
    stage.telling = true;
    stage.told_high = high;
    stage.ever_high = stage.ever_high || high;
    if (trace_is_on)
        trace_say(world_self(), "on_pressure(%s)", high ? "high" : "low");
    world_step("is told of pressure", NULL, NULL);
    stage.telling = false;
}

bool stage_was_told_high(void)
{
    return stage.ever_high;
}

weir_queue_options stage_options(size_t capacity)
{
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;

    options.capacity = capacity;
    options.on_discard = on_discard;
    return options;
}

void stage_open_as(const weir_queue_options *options)
{
    weir_status status;

    stage.options = *options;
    if (stage.options.high_water)
        stage.options.on_pressure = on_pressure;
    history_reset(options->capacity, options->on_full,
                  stage.scenario->overtaken_at_most != 0);
    do
        status = weir_queue_create(&queue, sizeof(uint64_t), &stage.options);
    while (status == WEIR_ENOMEM);
    if (status)
        world_fail("the queue is not created: %s", weir_last_error());
}

void stage_open(size_t capacity)
{
    weir_queue_options options = stage_options(capacity);

    stage_open_as(&options);
}

/* -------------------------------------------------------- around every call */

/* What drops or aborts may have to wait for who is just putting or getting. */
static enum world_waiting waiting_of(const struct call *call, bool waits)
{
    bool drops = call->kind == CALL_PUT &&
                 stage.options.on_full == WEIR_ON_FULL_DROP_OLDEST;

    if (drops || call->kind == CALL_ABORT)
        return WORLD_NAPS;
    return waits ? WORLD_WAITS : WORLD_NEVER_WAITS;
}

static struct call *begin(enum call_kind kind, const weir_deadline *deadline)
{
    struct call *call = history_begin(kind);
    bool waits = deadline && deadline->at_ns > 0;
    int64_t latest_ns = waits ? deadline->at_ns : INT64_MAX;

    stage.calls[world_self()] = call;
    call->is_now = deadline && deadline->at_ns <= 0;
    world_begin_call(waiting_of(call, waits), latest_ns);
    return call;
}

static void note_time_out(struct call *call, const weir_deadline *deadline)
{
    if (call->status != WEIR_TIMED_OUT || !deadline || call->is_now)
        return;
    if (world_peek() < deadline->at_ns)
        world_fail("a call timed out before its time");
    call->late = world_stamp_of(deadline->at_ns);
}

static weir_status
end(struct call *call, weir_status status, const weir_deadline *deadline)
{
    history_end(call, status);
    stage.calls[world_self()] = NULL;
    world_end_call();
    note_time_out(call, deadline);
    if (trace_is_on)
        trace_say(world_self(), "  = %s", weir_status_name(status));
    return status;
}

static void say(const char *what, size_t number)
{
    if (trace_is_on)
        trace_say(world_self(), "%s %zu", what, number);
}

/* --------------------------------------------------------- putting, getting */

static void offer(struct call *call, uint64_t first, size_t count)
{
    call->count = count;
    for (size_t i = 0; i < count; i++) {
        uint64_t item = first + i;

        if (fates[item].offered++)
            world_fail("the scenario puts %" PRIu64 " twice", item);
        call->items[i] = item;
    }
    stage.offered += count;
}

static void accept(struct call *call, size_t done)
{
    if (done > call->count ||
        (call->status == WEIR_OK) != (done == call->count))
        world_fail("%zu of %zu items were put, and the answer is %s", done,
                   call->count, weir_status_name(call->status));
    call->done = done;
    for (size_t i = 0; i < done; i++)
        fates[call->items[i]].accepted = 1;
    stage.accepted += done;
}

weir_status put_many(uint64_t first, size_t count, weir_deadline deadline)
{
    struct call *call = begin(CALL_PUT, &deadline);
    uint64_t items[CALL_ITEMS];
    size_t done = 99;
    weir_status status;

    say(count > 1 ? "put many from" : "put", first);
    offer(call, first, count);
    memcpy(items, call->items, sizeof(items));
    if (count == 1) {
        status = weir_queue_put(queue, items, deadline);
        done = status == WEIR_OK;
    } else {
        status = weir_queue_put_many(queue, items, count, &done, deadline);
    }
    end(call, status, &deadline);
    accept(call, done);
    return status;
}

weir_status put(uint64_t item, weir_deadline deadline)
{
    return put_many(item, 1, deadline);
}

static void check_got(uint64_t item)
{
    uint64_t *latest;

    if (item >= MOST_ITEMS || !fates[item].offered)
        world_fail("%" PRIu64 " is got, which nobody put", item);
    if (fates[item].got++)
        world_fail("item %" PRIu64 " is got twice", item);
    if (fates[item].discarded)
        world_fail("item %" PRIu64 " is got, but was discarded", item);
    latest = &stage.latest[world_self()][item / 10];
    if (*latest > item)
        world_fail("item %" PRIu64 " is got after %" PRIu64
                   " of the same producer",
                   item, *latest);
    *latest = item;
    if (stage.owed_count[world_self()] < OWED)
        stage.owed[world_self()][stage.owed_count[world_self()]++] =
            (unsigned char)item;
    say("  got", item);
}

static weir_status
end_get(struct call *call, weir_status status, const weir_deadline *deadline)
{
    end(call, status, deadline);
    for (size_t i = 0; i < call->done; i++)
        check_got(call->items[i]);
    stage.got += call->done;
    return status;
}

static weir_status
get_one(uint64_t *item, weir_deadline deadline, const struct weir__flag *flag)
{
    struct call *call = begin(CALL_GET, &deadline);
    weir_status status;

    *item = 0;
    say("get", call->count = 1);
    if (flag)
        status = weir__queue_get_unless(queue, item, deadline, flag);
    else
        status = weir_queue_get(queue, item, deadline);
    call->done = status == WEIR_OK;
    call->items[0] = *item;
    if (status != WEIR_OK && *item)
        world_fail("a get that got nothing wrote to its item");
    return end_get(call, status, &deadline);
}

weir_status get_item(uint64_t *item, weir_deadline deadline)
{
    return get_one(item, deadline, NULL);
}

weir_status get(weir_deadline deadline)
{
    uint64_t item;

    return get_one(&item, deadline, NULL);
}

weir_status get_unless_interrupted(weir_deadline deadline)
{
    uint64_t item;

    return get_one(&item, deadline, &stage.interrupted);
}

void interrupt_getters(void)
{
    struct call *call = begin(CALL_INTERRUPT, NULL);

    say("interrupt", 0);
    weir__flag_write(&stage.interrupted, true);
    weir__queue_wake_getters(queue);
    end(call, WEIR_OK, NULL);
}

size_t get_many(size_t count, weir_deadline deadline)
{
    struct call *call = begin(CALL_GET, &deadline);
    uint64_t items[CALL_ITEMS] = {0};
    weir_status status;
    size_t done = 99;

    say("get many, up to", call->count = count);
    status = weir_queue_get_many(queue, items, count, &done, deadline);
    if (done > count || (status == WEIR_OK) != (done > 0))
        world_fail("%zu items were got, and the answer is %s", done,
                   weir_status_name(status));
    call->done = done;
    memcpy(call->items, items, sizeof(items));
    end_get(call, status, &deadline);
    return done;
}

weir_status drain(void)
{
    weir_status status;

    do
        status = get(WEIR_FOREVER);
    while (status == WEIR_OK);
    return status;
}

/* --------------------------------------------------------- the other calls */

/* Whose task_done it is: of what the thread itself got, oldest first. */
static void finish_own(size_t count)
{
    unsigned char *owed = stage.owed[world_self()];
    size_t *owed_count = &stage.owed_count[world_self()];

    for (; count > 0 && *owed_count > 0; count--) {
        fates[owed[0]].is_finished = true;
        memmove(owed, owed + 1, --*owed_count);
    }
    stage.loose += count;
}

weir_status task_done(size_t count)
{
    struct call *call = begin(CALL_DONE, NULL);
    weir_status status;

    say("task done", call->count = count);
    finish_own(count);
    status = weir_queue_task_done(queue, count);
    if (status == WEIR_OK)
        stage.done += count;
    return end(call, status, NULL);
}

static size_t unfinished_before(uint64_t moment)
{
    size_t unfinished = 0;

    for (size_t i = 0; i < history.count; i++) {
        const struct call *call = &history.calls[i];

        if (call->kind != CALL_PUT || !call->ended || call->ended > moment)
            continue;
        for (size_t k = 0; k < call->done; k++)
            unfinished += !fates[call->items[k]].is_finished;
    }
    return unfinished;
}

weir_status join_queue(weir_deadline deadline)
{
    struct call *call = begin(CALL_JOIN, &deadline);
    weir_status status;
    size_t left;

    say("join", 0);
    status = weir_queue_join(queue, deadline);
    end(call, status, &deadline);
    left = unfinished_before(call->began);
    if (status == WEIR_OK && left > stage.loose)
        world_fail("join returned, but %zu items are unfinished", left);
    return status;
}

weir_status poison(size_t consumers)
{
    struct call *call = begin(CALL_POISON, NULL);

    say("poison", call->count = consumers);
    return end(call, weir_queue_poison(queue, consumers), NULL);
}

void close_queue(void)
{
    struct call *call = begin(CALL_CLOSE, NULL);

    say("close", 0);
    weir_queue_close(queue);
    end(call, WEIR_OK, NULL);
}

void abort_queue(void)
{
    struct call *call = begin(CALL_ABORT, NULL);

    say("abort", 0);
    weir_queue_abort(queue);
    end(call, WEIR_OK, NULL);
}

bool is_closed(void)
{
    struct call *call = begin(CALL_IS_CLOSED, NULL);

    say("is closed", 0);
    call->count = weir_queue_is_closed(queue);
    end(call, WEIR_OK, NULL);
    return call->count != 0;
}

void check_stats(void)
{
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;

    say("look at the figures", 0);
    weir_queue_read_stats(queue, &stats);
    if (stats.put != stats.got + stats.dropped + stats.count)
        world_fail("put %" PRIu64 " is not got %" PRIu64 " + dropped %" PRIu64
                   " + count %zu",
                   stats.put, stats.got, stats.dropped, stats.count);
    if (stats.got > stats.put)
        world_fail("got %" PRIu64 " of %" PRIu64 " that were put", stats.got,
                   stats.put);
    if (stats.count > stage.options.capacity || stats.most < stats.count ||
        stats.most > stage.options.capacity)
        world_fail("count %zu, most %zu, capacity %zu", stats.count, stats.most,
                   stage.options.capacity);
}

/* ---------------------------------------------------------------- the end */

static void must_be(const char *what, uint64_t is, uint64_t should_be)
{
    if (is != should_be)
        world_fail("at the end %s is %" PRIu64 ", but should be %" PRIu64, what,
                   is, should_be);
}

static void check_figures(void)
{
    size_t inside = stage.accepted - stage.got - stage.discarded;
    size_t finished = stage.done + stage.discarded;
    weir_queue_stats stats = WEIR_QUEUE_STATS_INIT;

    check_stats();
    weir_queue_read_stats(queue, &stats);
    must_be("put", stats.put, stage.accepted);
    must_be("got", stats.got, stage.got);
    must_be("dropped", stats.dropped, stage.discarded);
    must_be("refused", stats.refused, stage.offered - stage.accepted);
    must_be("count", stats.count, inside);
    must_be("weir_queue_count", weir_queue_count(queue), inside);
    if (finished <= stage.accepted)
        must_be("unfinished", weir_queue_unfinished(queue),
                stage.accepted - finished);
}

static void check_pressure(void)
{
    size_t count = weir_queue_count(queue);

    if (stage.options.on_pressure &&
        (stage.told_high ? count <= stage.options.low_water
                         : count >= stage.options.high_water))
        world_fail("with %zu items inside, the last word was that it is %s",
                   count, stage.told_high ? "high" : "low");
}

static void check_fates(void)
{
    for (unsigned i = 0; i < MOST_ITEMS; i++) {
        const struct fate *fate = &fates[i];

        if (fate->got + fate->discarded != fate->accepted)
            world_fail("item %u was %s, got %u times and discarded %u times", i,
                       fate->accepted ? "accepted" : "not accepted", fate->got,
                       fate->discarded);
    }
}

void scenario_play(const struct scenario *scenario)
{
    cast_reset();
    memset(&stage, 0, sizeof(stage));
    memset(fates, 0, sizeof(fates));
    stage.scenario = scenario;
    scenario->run();
    join_all();
    check_figures();
    check_pressure();
    if (quiet_is_broken(queue))
        world_fail("nobody is in the queue any more, but %s",
                   quiet_is_broken(queue));
    if (!linear_explains_history())
        world_fail("no order of the calls explains what they answered");
    weir_queue_destroy(queue);
    check_fates();
    if (arena_live())
        world_fail("%zu blocks of memory were not released", arena_live());
}
