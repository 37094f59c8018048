/* SPDX-License-Identifier: MIT */
/*
 * scenarios_events.c - the ring of events, between writers and a reader.
 *
 * As a read answers: each record is whole, and none comes twice.  At the end
 * all that was written has been read, or is known to be lost; and nothing is
 * lost for which there was room.
 */
#include "observe/events.h"

#include <string.h>

#include "arena.h"
#include "cast.h"
#include "choice.h"
#include "scenario.h"
#include "scenarios.h"

static weir_events *ring;
static weir_events_cursor cursor;
static uint64_t written;
static bool has_come[16]; /* by at_ns */

static void open_ring_of(size_t records, uint32_t lanes)
{
    weir_events_options options = WEIR_EVENTS_OPTIONS_INIT;
    weir_status status;

    options.records = records;
    options.lanes = lanes;
    written = 0;
    memset(has_come, 0, sizeof(has_come));
    memset(&cursor, 0, sizeof(cursor));
    cursor.size = sizeof(cursor);
    do
        status = weir_events_create(&ring, &options);
    while (status == WEIR_ENOMEM);
    must(status == WEIR_OK);
}

static void open_ring(size_t records)
{
    open_ring_of(records, 1);
}

/* All fields follow from one. */
static weir_event event_of(unsigned n)
{
    return (weir_event){.at_ns = n,
                        .task = n,
                        .value = n,
                        .worker = n,
                        .attempt = n,
                        .kind = (uint16_t)n,
                        .source = (uint16_t)n,
                        .flags = n};
}

static void read_some(void)
{
    weir_event got[4];
    size_t count = weir_events_read(ring, &cursor, got, 4);

    for (size_t i = 0; i < count; i++) {
        weir_event wanted = event_of((unsigned)got[i].at_ns);

        must(got[i].at_ns > 0 && got[i].at_ns < 16);
        must(!has_come[got[i].at_ns]);
        has_come[got[i].at_ns] = true;
        wanted.stamp = got[i].stamp;
        must(memcmp(&got[i], &wanted, sizeof(wanted)) == 0);
    }
}

static void ring_play(const struct scenario *scenario)
{
    cast_reset();
    scenario->run();
    join_all();
    choice_hush(true);
    read_some();
    read_some();
    must(cursor.read + cursor.lost == written);
    must(cursor.dropped <= cursor.lost);
    if (ring->records >= written)
        must(cursor.lost == cursor.dropped);
    weir_events_destroy(ring);
    must(arena_live() == 0);
}

#define RING_SCENARIO(function, how_many, text)                                \
 SCENE(function, how_many, text), .play = ring_play

/* ------------------------------------------------------------------ players */

static void write_event_of(unsigned n)
{
    weir_event event = event_of(n);

    written++;
    weir__events_write(ring, &event);
}

/* As a worker's thread does. */
static void write_two_bound(unsigned n)
{
    struct weir__events_lane *lane = weir__events_bind(ring, 0);

    for (unsigned i = 0; i < 2; i++) {
        weir_event event = event_of(n + i);

        written++;
        weir__events_write_bound(ring, lane, &event);
    }
    weir__events_unbind(lane);
}

static void write_two(unsigned n)
{
    write_event_of(n);
    write_event_of(n + 1);
}

static void read_twice(unsigned unused)
{
    (void)unused;
    read_some();
    read_some();
}

/* ---------------------------------------------------------------- scenarios */

static void events_read_against_overwrite(void)
{
    open_ring(1);
    write_event_of(1);
    start(read_twice, 0);
    write_two(2);
}

static void events_read_against_write(void)
{
    open_ring(4);
    start(read_twice, 0);
    write_two(1);
}

static void events_write_against_write(void)
{
    open_ring(4);
    start(write_event_of, 1);
    start(write_event_of, 2);
}

static void events_two_write_and_one_reads(void)
{
    open_ring(1);
    start(write_event_of, 1);
    start(write_event_of, 2);
    read_some();
}

/* Of two lanes one is for workers; who else writes finds the other. */
static void events_bound_against_write(void)
{
    open_ring_of(8, 2);
    start(write_two_bound, 1);
    write_event_of(3);
    read_some();
    join_all();
    read_some();
    must(cursor.lost == 0);
}

static void events_bound_one_after_the_other(void)
{
    struct weir__events_lane *lane;

    open_ring_of(8, 2);
    start(write_two_bound, 1);
    start(write_two_bound, 3);
    join_all();
    lane = weir__events_bind(ring, 0);
    must(lane);
    must(!weir__events_bind(ring, 0));
    weir__events_unbind(lane);
}

const struct scenario scenarios_events[] = {
    {RING_SCENARIO(events_read_against_overwrite, 2,
                   "a record that is overwritten while it is read is lost, "
                   "and not read torn")},
    {RING_SCENARIO(events_read_against_write, 2,
                   "a record is read whole, or not yet; none is lost")},
    {RING_SCENARIO(events_write_against_write, 3,
                   "of two who write at once none is in the other's way, or "
                   "one is counted as dropped")},
    {RING_SCENARIO(events_two_write_and_one_reads, 3,
                   "two write in turn to one place while it is read")},
    {RING_SCENARIO(events_bound_against_write, 2,
                   "a thread that is bound to a lane has it to itself")},
    {RING_SCENARIO(events_bound_one_after_the_other, 2,
                   "a lane is bound to one at a time, and free afterwards")},
    {.name = NULL},
};
