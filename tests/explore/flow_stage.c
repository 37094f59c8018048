/* SPDX-License-Identifier: MIT */
/*
 * flow_stage.c - see flow_stage.h.
 *
 * WHAT IS CHECKED
 *
 * What becomes of each item: flow_items.c.  As results are taken: each comes
 * once, in order if that was said, with the item's bytes and its handler's
 * result; a wake-up that is lost is a nap for nobody or a deadlock.  At the
 * end, with everything at rest: the pool's ledger is what the items say,
 * nothing is left of those who waited or passed, all threads have ended, all
 * memory was released.
 */
#include "flow_stage.h"

#include <inttypes.h>
#include <string.h>

#include "arena.h"
#include "choice.h"
#include "pool_jobs.h"
#include "pool_quiet.h"
#include "race.h"
#include "threads.h"
#include "trace.h"

static struct {
    weir_pool *pool;
    weir_stream *stream;
    weir_order order;
    unsigned latest; /* number that was taken */
    unsigned lent;   /* 0: none */
} flow;

static void say(const char *what)
{
    if (trace_is_on)
        trace_say(world_self(), "%s", what);
}

weir_pool_options flow_options(uint32_t workers)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = workers;
    options.queue_capacity = 1;
    options.item_size = sizeof(uint64_t);
    options.max_result = sizeof(uint64_t);
    return options;
}

static void open_flow_pool(const weir_pool_options *options)
{
    choice_hush(true);
    if (weir_pool_create(&flow.pool, options))
        world_fail("the pool is not created: %s", weir_last_error());
    world_await_all();
}

void open_stream(const weir_pool_options *options, enum flow_kind kind,
                 unsigned window, weir_order order)
{
    weir_stream_options o = WEIR_STREAM_OPTIONS_INIT;
    weir_producer source = items_source(kind == FLOW_TELLS);

    open_flow_pool(options);
    o.handler = items_first;
    o.window = window;
    o.order = order;
    flow.order = order;
    items.window = window;
    if (weir_stream_open(&flow.stream, flow.pool, &source, &o))
        world_fail("the stream is not opened: %s", weir_last_error());
    choice_hush(false);
}

/* --------------------------------------------------------------- the reader */

static void end_loan(void)
{
    if (flow.lent)
        items.fates[flow.lent].is_lent = false;
    flow.lent = 0;
}

static void check_taken(unsigned number, const weir_outcome *outcome)
{
    struct fate *fate = &items.fates[number];
    uint64_t result = 0;

    if (number == 0 || number > items.given)
        world_fail("%u is taken, which nobody gave", number);
    if (fate->is_taken)
        world_fail("item %u is taken twice", number);
    if (flow.order == WEIR_IN_ORDER && number != flow.latest + 1)
        world_fail("item %u is taken after %u", number, flow.latest);
    items_heard(number, outcome);
    if (outcome->kind == WEIR_OUTCOME_DONE) {
        must(outcome->result_size == sizeof(result));
        race_read(outcome->result, sizeof(result), __builtin_return_address(0));
        memcpy(&result, outcome->result, sizeof(result));
        must(result == number);
    }
    fate->is_taken = fate->is_lent = true;
    flow.lent = flow.latest = number;
}

weir_status take(unsigned *number, weir_deadline deadline)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    uint64_t item = 0;
    weir_status status;

    say("takes");
    end_loan();
    items.taking++;
    world_begin_call(deadline.at_ns > 0 ? WORLD_WAITS : WORLD_NEVER_WAITS,
                     deadline.at_ns);
    status = weir_stream_next(flow.stream, &item, &outcome, deadline);
    world_end_call();
    say(weir_status_name(status));
    if (status == WEIR_OK) {
        *number = item ? (unsigned)item : items_overdue(&outcome);
        check_taken(*number, &outcome);
        items.taken++;
    }
    items.taking--;
    if (status == WEIR_TIMED_OUT && deadline.at_ns > 0 &&
        world_peek() < deadline.at_ns)
        world_fail("a call timed out before its time");
    return status;
}

void take_item(unsigned number)
{
    unsigned taken;

    must(take(&taken, WEIR_FOREVER) == WEIR_OK);
    must(taken == number);
}

weir_status take_all(void)
{
    weir_status status;
    unsigned number;

    do
        status = take(&number, WEIR_FOREVER);
    while (status == WEIR_OK);
    if (status == WEIR_END && items.taken != items.given)
        world_fail("%u results were taken, but %u items given", items.taken,
                   items.given);
    return status;
}

void close_stream(void)
{
    say("closes the stream");
    end_loan();
    items.may_be_cancelled = true;
    weir_stream_close(flow.stream);
    flow.stream = NULL;
    items.starts_nothing = true;
    items.asks_nothing = true;
    say("has closed the stream");
}

void open_pool_for_map(const weir_pool_options *options, unsigned count)
{
    open_flow_pool(options);
    for (unsigned i = 1; i <= count; i++)
        items.fates[i].is_given = true;
    items.given = count;
    items.is_closed = true;
    choice_hush(false);
}

weir_status map_items(const uint64_t *from, unsigned count, uint64_t *into)
{
    return weir_map(flow.pool, items_first, from, count, into);
}

void resize_streams_pool(uint32_t workers)
{
    must(weir_pool_resize(flow.pool, workers) == WEIR_OK);
}

weir_status stop_streams_pool(weir_stop_how how)
{
    weir_status status;

    say("stops the pool");
    items.may_be_cancelled = true;
    status = weir_pool_stop(flow.pool, how, WEIR_FOREVER);
    items.starts_nothing |= how == WEIR_STOP_NOW;
    return status;
}

void destroy_streams_pool(void)
{
    say("destroys the pool");
    items.may_be_cancelled = true;
    weir_pool_destroy(flow.pool);
    items.starts_nothing = true;
    flow.pool = NULL;
}

/* ------------------------------------------------------------------ the end */

static void must_be(const char *what, uint64_t is, uint64_t should_be)
{
    if (is != should_be)
        world_fail("at rest %s is %" PRIu64 ", but should be %" PRIu64, what,
                   is, should_be);
}

/* Of items that were turned away we hear that they are cancelled; of quiet ones
 * that nobody took we hear nothing. */
static void check_figures(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    const weir_ledger *l = &stats.ledger;

    weir_pool_read_stats(flow.pool, &stats);
    if (!weir_ledger_balances(l))
        world_fail("the ledger does not balance");
    if (l->accepted > items.given)
        world_fail("%" PRIu64 " are accepted, but %u were given", l->accepted,
                   items.given);
    must_be("attempts", l->attempts, items_attempts());
    must_be("queued", l->queued, 0);
    must_be("running", l->running, 0);
    must_be("overdue", l->overdue, 0);
    if (!items.tells && items.taken < items.given)
        return;
    must_be("done", l->done, items_that_are(WEIR_OUTCOME_DONE));
    must_be("failed", l->failed, items_that_are(WEIR_OUTCOME_FAILED));
    must_be("timed out", l->timed_out, items_that_are(WEIR_OUTCOME_TIMED_OUT));
    must_be("cancelled and not accepted",
            l->cancelled + items.given - l->accepted,
            items_that_are(WEIR_OUTCOME_CANCELLED));
}

static void rest(void)
{
    weir_status status;

    world_await_all();
    status = weir_pool_join(flow.pool, WEIR_FOREVER);
    if (status)
        world_fail("join answers %s", weir_status_name(status));
    world_await_all();
    check_figures();
    if (pool_quiet_is_broken(flow.pool))
        world_fail("nobody is in the pool any more, but %s",
                   pool_quiet_is_broken(flow.pool));
}

void flow_scenario_play(const struct scenario *scenario)
{
    cast_reset();
    jobs_reset();
    deeds_reset();
    items_reset();
    memset(&flow, 0, sizeof(flow));
    scenario->run();
    join_all();
    choice_hush(true);
    if (flow.stream)
        close_stream();
    if (flow.pool) {
        rest();
        weir_pool_destroy(flow.pool);
    }
    world_await_all();
    items_must_be_over();
    for (unsigned i = 1; i < thread_count; i++)
        if (!world_has_ended(i))
            world_fail("thread %u has not ended", i);
    if (arena_live())
        world_fail("%zu blocks of memory were not released", arena_live());
}
