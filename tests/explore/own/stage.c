/* SPDX-License-Identifier: MIT */
/*
 * stage.c - see stage.h.
 *
 * As each call answers: an item that is got was put, and nobody got it before.
 * At the end: whatever was accepted comes out, the calls have an order that
 * explains them (linear.h), and all memory is given back.
 */
#include "own/stage.h"

#include <string.h>

#include "arena.h"
#include "history.h"
#include "linear.h"
#include "own_queue.h"
#include "trace.h"

enum { MOST_ITEMS = 100 };

static struct queue *queue;

static struct stage {
    unsigned started;
    unsigned numbers[WORLD_THREADS];
    void (*acts[WORLD_THREADS])(unsigned number);
    unsigned char accepted[MOST_ITEMS], got[MOST_ITEMS];
} stage;

/* What the file's own variables were before anything ran: own.sh gathers them
 * in these sections. */
extern char __start_own_data[] __attribute__((weak));
extern char __stop_own_data[] __attribute__((weak));
static char before[1 << 16];
static bool is_kept;

static void reset_variables(void)
{
    size_t bytes;

    if (!__start_own_data)
        return;
    bytes = (size_t)(__stop_own_data - __start_own_data);
    if (bytes > sizeof(before))
        world_fail("the file has more than %zu bytes of variables",
                   sizeof(before));
    if (is_kept)
        memcpy(__start_own_data, before, bytes);
    else
        memcpy(before, __start_own_data, bytes);
    is_kept = true;
}

void stage_open(size_t capacity)
{
    history_reset(capacity, WEIR_ON_FULL_WAIT, false);
    queue = queue_create(capacity);
    if (!queue)
        world_fail("queue_create answers NULL");
}

static void act(void *arg)
{
    size_t index = (size_t)((unsigned *)arg - stage.numbers);

    stage.acts[index](stage.numbers[index]);
}

void start(void (*run)(unsigned number), unsigned number)
{
    unsigned index = stage.started++;

    stage.acts[index] = run;
    stage.numbers[index] = number;
    world_spawn(act, NULL, &stage.numbers[index]);
}

void join_all(void)
{
    for (unsigned i = 1; i <= stage.started; i++)
        world_join(i);
}

static void say(const char *what, unsigned long number)
{
    if (trace_is_on)
        trace_say(world_self(), "%s %lu", what, number);
}

static bool end(struct call *call, int answer, const char *name)
{
    if (answer != 0 && answer != -1)
        world_fail("%s answers %d, which is neither 0 nor -1", name, answer);
    call->done = answer == 0;
    history_end(call, answer ? WEIR_CLOSED : WEIR_OK);
    if (trace_is_on)
        trace_say(world_self(), "  = %d", answer);
    return answer == 0;
}

bool put(unsigned item)
{
    struct call *call = history_begin(CALL_PUT);

    say("put", item);
    call->count = 1;
    call->items[0] = item;
    if (!end(call, queue_put(queue, item), "queue_put"))
        return false;
    stage.accepted[item] = 1;
    return true;
}

bool get(void)
{
    struct call *call = history_begin(CALL_GET);
    uint64_t item = 0;

    say("get", 1);
    call->count = 1;
    if (!end(call, queue_get(queue, &item), "queue_get"))
        return false;
    call->items[0] = item;
    say("  got", item);
    if (item >= MOST_ITEMS || item < 10)
        world_fail("%lu is got, which nobody put", (unsigned long)item);
    if (stage.got[item]++)
        world_fail("item %lu is got twice", (unsigned long)item);
    return true;
}

void drain(void)
{
    while (get()) {
    }
}

void close_queue(void)
{
    struct call *call = history_begin(CALL_CLOSE);

    say("close", 0);
    queue_close(queue);
    history_end(call, WEIR_OK);
}

void must_do(bool done, const char *what)
{
    if (!done)
        world_fail("%s answers -1, and nobody closed the queue", what);
}

void own_play(const struct scenario *scenario)
{
    memset(&stage, 0, sizeof(stage));
    reset_variables();
    scenario->run();
    join_all();
    close_queue();
    drain();
    for (unsigned i = 0; i < MOST_ITEMS; i++)
        if (stage.accepted[i] != stage.got[i])
            world_fail("item %u was %s, but came out %u times", i,
                       stage.accepted[i] ? "accepted" : "not accepted",
                       stage.got[i]);
    if (!linear_explains_history())
        world_fail("no order of the calls explains what they answered");
    queue_destroy(queue);
    if (arena_live())
        world_fail("%zu blocks of memory were not freed", arena_live());
}
