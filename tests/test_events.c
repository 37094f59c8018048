/* SPDX-License-Identifier: MIT */
/* test_events.c - the ring of records, without a pool. */
#include "observe/events.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "faults.h"
#include "helper.h"
#include "suite.h"

enum { ROOM = 4096, MEMORY_BYTES = 64 << 10 };

static weir_events *events;
static weir_events_cursor cursor;
static weir_event out[ROOM];

static void setup(void)
{
    events = NULL;
    cursor = (weir_events_cursor)WEIR_EVENTS_CURSOR_INIT;
}

static void teardown(void)
{
    weir_events_destroy(events);
}

static void open_events(size_t records, uint32_t lanes)
{
    weir_events_options options = WEIR_EVENTS_OPTIONS_INIT;

    options.records = records;
    options.lanes = lanes;
    ck_assert_int_eq(weir_events_create(&events, &options), WEIR_OK);
}

static weir_event event_at(int64_t at_ns, uint32_t worker)
{
    return (weir_event){.at_ns = at_ns,
                        .task = (uint64_t)at_ns * 3,
                        .value = -at_ns,
                        .worker = worker,
                        .attempt = (uint32_t)at_ns * 5,
                        .kind = WEIR_EVENT_START,
                        .source = 7,
                        .flags = (uint32_t)at_ns * 9};
}

static void write_one(int64_t at_ns, uint32_t worker)
{
    weir_event event = event_at(at_ns, worker);

    weir__events_write(events, &event);
}

static void assert_whole(const weir_event *event)
{
    weir_event wanted = event_at(event->at_ns, event->worker);

    wanted.stamp = event->stamp;
    ck_assert_mem_eq(event, &wanted, sizeof(wanted));
}

static void assert_names(const char *word)
{
    ck_assert_msg(strstr(weir_last_error(), word), "\"%s\" lacks \"%s\"",
                  weir_last_error(), word);
}

/* ----------------------------------------------------------------- reading */

START_TEST(an_empty_ring_has_nothing_to_read)
{
    open_events(0, 0);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 0);
    ck_assert_uint_eq(cursor.read, 0);
    ck_assert_uint_eq(cursor.lost, 0);
}
END_TEST

START_TEST(what_is_written_is_read_once_as_it_was)
{
    open_events(64, 4);
    for (int i = 1; i <= 10; i++)
        write_one(i, 0);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, 4), 4);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out + 4, ROOM - 4), 6);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out + 10, 1), 0);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_int_eq(out[i].at_ns, i + 1);
        ck_assert_uint_eq(out[i].stamp, i);
        assert_whole(&out[i]);
    }
    ck_assert_uint_eq(cursor.read, 10);
    ck_assert_uint_eq(cursor.lost, 0);
}
END_TEST

START_TEST(lanes_are_merged_by_time)
{
    open_events(256, 8);
    for (int i = 40; i >= 1; i--) /* each lane from old to young */
        write_one(1000 - i * 10 + i % 4, (uint32_t)i % 4);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 40);
    for (int i = 1; i < 40; i++)
        ck_assert_int_le(out[i - 1].at_ns, out[i].at_ns);
    ck_assert_uint_ne(out[0].worker, out[1].worker);
}
END_TEST

START_TEST(of_one_moment_a_submit_comes_before_a_start_and_that_before_the_end)
{
    const weir_event_kind kinds[] = {WEIR_EVENT_SETTLE, WEIR_EVENT_START,
                                     WEIR_EVENT_SUBMIT};

    open_events(256, 8);
    for (uint32_t i = 0; i < 3; i++) {
        weir_event event = event_at(5, i);

        event.kind = (uint16_t)kinds[i];
        weir__events_write(events, &event);
    }
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 3);
    ck_assert_uint_eq(out[0].kind, WEIR_EVENT_SUBMIT);
    ck_assert_uint_eq(out[1].kind, WEIR_EVENT_START);
    ck_assert_uint_eq(out[2].kind, WEIR_EVENT_SETTLE);
}
END_TEST

START_TEST(the_oldest_are_lost_and_counted)
{
    open_events(64, 4); /* 16 a lane */
    for (int i = 1; i <= 100; i++)
        write_one(i, 0);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 16);
    ck_assert_int_eq(out[0].at_ns, 85);
    ck_assert_int_eq(out[15].at_ns, 100);
    ck_assert_uint_eq(cursor.lost, 84);
    ck_assert_uint_eq(cursor.dropped, 0);
    for (int i = 101; i <= 120; i++)
        write_one(i, 0);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, 3), 3);
    ck_assert_uint_eq(cursor.lost, 88);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 13);
    ck_assert_uint_eq(cursor.read + cursor.lost, 120);
}
END_TEST

static struct weir__counter *busy_of(uint32_t lane)
{
    return (struct weir__counter *)(void *)(events->memory + events->lanes_at +
                                            lane * events->lane_bytes) +
           1;
}

START_TEST(who_finds_a_lane_busy_takes_another_and_with_all_busy_it_is_counted)
{
    open_events(64, 4);
    weir__counter_write(busy_of(0), 1);
    write_one(1, 0);
    for (uint32_t i = 1; i < 4; i++)
        weir__counter_write(busy_of(i), 1);
    write_one(2, 0);
    write_one(3, UINT32_MAX);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 1);
    ck_assert_int_eq(out[0].at_ns, 1);
    ck_assert_uint_eq(cursor.lost, 2);
    ck_assert_uint_eq(cursor.dropped, 2);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 0);
    ck_assert_uint_eq(cursor.lost, 2);
}
END_TEST

static struct weir__record *first_record(uint32_t lane)
{
    return (struct weir__record *)(void *)(events->memory + events->lanes_at +
                                           lane * events->lane_bytes +
                                           events->records_at);
}

START_TEST(half_of_the_lanes_can_be_bound_and_the_others_write_beside)
{
    struct weir__events_lane *first, *second;
    weir_event event = event_at(1, 0);

    open_events(64, 4);
    first = weir__events_bind(events, 0);
    second = weir__events_bind(events, 0);
    ck_assert(first && second && first != second);
    ck_assert_ptr_null(weir__events_bind(events, 0));
    weir__events_write_bound(events, first, &event);
    write_one(2, 0);
    event = event_at(3, 0);
    weir__events_write_bound(events, NULL, &event);
    ck_assert_uint_eq(weir__counter_read(&first->written), 1);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 3);
    for (size_t i = 0; i < 3; i++)
        assert_whole(&out[i]);
    ck_assert_uint_eq(cursor.lost, 0);
    weir__events_unbind(first);
    ck_assert_ptr_eq(weir__events_bind(events, 1), first);
}
END_TEST

START_TEST(of_a_single_lane_none_can_be_bound)
{
    open_events(64, 1);
    ck_assert_ptr_null(weir__events_bind(events, 0));
    weir__events_unbind(NULL);
}
END_TEST

START_TEST(a_record_that_is_being_written_is_lost_not_read)
{
    open_events(64, 4);
    for (int i = 1; i <= 16; i++)
        write_one(i, 0);
    /* Somebody has begun number 16, in the place of 0. */
    weir__counter_write(&first_record(0)->stamp, 2 * 16 + 1);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 15);
    ck_assert_int_eq(out[0].at_ns, 2);
    ck_assert_uint_eq(cursor.lost, 1);
}
END_TEST

START_TEST(a_cursor_that_skips_sees_what_comes_then)
{
    open_events(64, 4);
    for (int i = 1; i <= 30; i++)
        write_one(i, (uint32_t)i);
    weir_events_skip(events, &cursor);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 0);
    write_one(31, 1);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 1);
    ck_assert_int_eq(out[0].at_ns, 31);
    ck_assert_uint_eq(cursor.lost, 0);
}
END_TEST

START_TEST(reading_with_nothing_to_read_from_or_into_is_refused)
{
    weir_events_cursor unset = WEIR_EVENTS_CURSOR_INIT;

    open_events(64, 4);
    write_one(1, 0);
    unset.size = 0;
    ck_assert_uint_eq(weir_events_read(NULL, &cursor, out, 1), 0);
    assert_names("events");
    ck_assert_uint_eq(weir_events_read(events, NULL, out, 1), 0);
    assert_names("cursor");
    ck_assert_uint_eq(weir_events_read(events, &cursor, NULL, 1), 0);
    assert_names("out");
    ck_assert_uint_eq(weir_events_read(events, &unset, out, 1), 0);
    assert_names("WEIR_EVENTS_CURSOR_INIT");
    weir_events_skip(events, &unset);
    weir_events_skip(NULL, &cursor);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, 1), 1);
}
END_TEST

/* ----------------------------------------------------------------- threads */

enum { WRITERS = 3, EACH = 20000 };

static void write_many(void *arg)
{
    uint32_t worker = *(uint32_t *)arg;

    for (int i = 1; i <= EACH; i++)
        write_one(i, worker);
}

static bool all_have_ended(struct helper *helpers)
{
    for (size_t i = 0; i < WRITERS; i++)
        if (!gate_is_open(&helpers[i].ended))
            return false;
    return true;
}

/* Two writers of one lane, one of another, and a reader beside them. */
START_TEST(a_reader_beside_writers_gets_whole_records_and_the_exact_loss)
{
    uint32_t workers[WRITERS] = {0, 0, 1};
    struct helper helpers[WRITERS];
    size_t count;
    bool over;

    open_events(128, 4);
    helpers_start(helpers, WRITERS, write_many, workers, sizeof(workers[0]));
    do {
        over = all_have_ended(helpers);
        count = weir_events_read(events, &cursor, out, ROOM);
        for (size_t i = 0; i < count; i++)
            assert_whole(&out[i]);
    } while (!over || count > 0);
    helpers_join(helpers, WRITERS);
    ck_assert_uint_eq(cursor.read + cursor.lost, (uint64_t)WRITERS * EACH);
}
END_TEST

/* ----------------------------------------------------------------- sources */

START_TEST(sources_are_numbered_from_1_and_read_back)
{
    weir_event_source source = {.kind = WEIR_SOURCE_POOL,
                                .workers = 3,
                                .capacity = 1024,
                                .name = "crew"};
    weir_event_source read;

    open_events(64, 4);
    ck_assert(!weir_events_read_source(events, 1, &read));
    ck_assert_uint_eq(weir__events_enter(events, &source), 1);
    source.kind = WEIR_SOURCE_QUEUE;
    ck_assert_uint_eq(weir__events_enter(events, &source), 2);
    ck_assert(weir_events_read_source(events, 1, &read));
    ck_assert_uint_eq(read.kind, WEIR_SOURCE_POOL);
    ck_assert_uint_eq(read.workers, 3);
    ck_assert_uint_eq(read.capacity, 1024);
    ck_assert_str_eq(read.name, "crew");
    ck_assert(weir_events_read_source(events, 2, &read));
    ck_assert_uint_eq(read.kind, WEIR_SOURCE_QUEUE);
    ck_assert(!weir_events_read_source(events, 0, &read));
    ck_assert(!weir_events_read_source(events, 256, &read));
    ck_assert(!weir_events_read_source(NULL, 1, &read));
}
END_TEST

START_TEST(beyond_255_sources_share_number_0)
{
    weir_event_source source = {.kind = WEIR_SOURCE_POOL};

    open_events(64, 4);
    for (unsigned i = 1; i < WEIR_EVENTS_MOST_SOURCES; i++)
        ck_assert_uint_eq(weir__events_enter(events, &source), i);
    ck_assert_uint_eq(weir__events_enter(events, &source), 0);
    ck_assert_uint_eq(weir__events_enter(events, &source), 0);
    ck_assert(weir_events_read_source(events, 255, &source));
}
END_TEST

/* ------------------------------------------------------------------ memory */

static unsigned char *shared;
static weir_events *attached;

static void map_shared(void)
{
    int fd = memfd_create("events", 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, MEMORY_BYTES), 0);
    shared =
        mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    memset(shared, 0xa5, MEMORY_BYTES); /* whatever it was */
    close(fd);
}

static void open_shared(void)
{
    weir_events_options options = WEIR_EVENTS_OPTIONS_INIT;

    map_shared();
    options.memory = shared;
    options.memory_bytes = MEMORY_BYTES;
    options.lanes = 4;
    ck_assert_int_eq(weir_events_create(&events, &options), WEIR_OK);
}

static void shared_teardown(void)
{
    weir_events_destroy(attached);
    attached = NULL;
    teardown();
    munmap(shared, MEMORY_BYTES);
}

START_TEST(given_memory_is_filled_with_as_many_records_as_fit)
{
    open_shared();
    ck_assert_uint_eq(events->records, 256);
    for (int i = 1; i <= 200; i++)
        write_one(i, 0);
    ck_assert_uint_eq(weir_events_read(events, &cursor, out, ROOM), 200);
}
END_TEST

START_TEST(another_reads_the_same_from_memory_that_it_cannot_write)
{
    weir_event_source source = {.kind = WEIR_SOURCE_POOL, .name = "far"};

    open_shared();
    weir__events_enter(events, &source);
    for (int i = 1; i <= 300; i++)
        write_one(i, 0);
    mprotect(shared, MEMORY_BYTES, PROT_READ);
    ck_assert_int_eq(weir_events_attach(&attached, shared, MEMORY_BYTES),
                     WEIR_OK);
    ck_assert_uint_eq(weir_events_read(attached, &cursor, out, ROOM), 256);
    ck_assert_uint_eq(cursor.lost, 44);
    for (size_t i = 0; i < 256; i++)
        assert_whole(&out[i]);
    source.name[0] = 0;
    ck_assert(weir_events_read_source(attached, 1, &source));
    ck_assert_str_eq(source.name, "far");
    ck_assert_int_eq(weir__events_check(attached, "events"), WEIR_EINVAL);
    assert_names("weir_events_attach");
    ck_assert_int_eq(weir__events_check(events, "events"), WEIR_OK);
    ck_assert_int_eq(weir__events_check(NULL, "events"), WEIR_OK);
    mprotect(shared, MEMORY_BYTES, PROT_READ | PROT_WRITE);
}
END_TEST

/* Where a word of four bytes lies, what is written there, and the words for
 * it. */
static const struct {
    size_t at;
    uint32_t value;
    const char *word;
} damages[] = {
    {0, 0, "weirevts"},     {8, 2, "version"},      {12, 0x04030201, "order"},
    {24, 65535, "whole"},   {24, 129, "whole"},     {28, 257, "whole"},
    {32, 1 << 30, "whole"}, {32, 8321, "whole"},    {36, 0, "whole"},
    {36, 65, "whole"},      {36, 8, "whole"},       {44, 1, "whole"},
    {40, 12001, "whole"},   {48, 0, "whole"},       {48, 255, "whole"},
    {48, 512, "whole"},     {52, 1 << 30, "whole"}, {56, 64, "version"},
    {60, 8, "whole"},       {60, 1 << 20, "whole"}, {60, 129, "whole"},
};

START_TEST(a_header_that_says_more_than_there_is_is_refused)
{
    open_shared();
    memcpy(shared + damages[_i].at, &damages[_i].value, 4);
    ck_assert_int_eq(weir_events_attach(&attached, shared, MEMORY_BYTES),
                     WEIR_EINVAL);
    assert_names(damages[_i].word);
    ck_assert_ptr_null(attached);
}
END_TEST

START_TEST(no_memory_and_too_little_of_it_hold_no_events)
{
    open_shared();
    ck_assert_int_eq(weir_events_attach(NULL, shared, MEMORY_BYTES),
                     WEIR_EINVAL);
    assert_names("out");
    ck_assert_int_eq(weir_events_attach(&attached, NULL, MEMORY_BYTES),
                     WEIR_EINVAL);
    assert_names("memory");
    ck_assert_int_eq(weir_events_attach(&attached, shared + 4, 4096),
                     WEIR_EINVAL);
    assert_names("aligned");
    ck_assert_int_eq(weir_events_attach(&attached, shared, 95), WEIR_EINVAL);
    assert_names("whole");
    ck_assert_int_eq(weir_events_attach(&attached, shared, 4096), WEIR_EINVAL);
    assert_names("whole");
}
END_TEST

/* ----------------------------------------------------------------- refusals */

static void assert_refused(const weir_events_options *options, const char *word)
{
    ck_assert_int_eq(weir_events_create(&events, options), WEIR_EINVAL);
    assert_names(word);
    ck_assert_ptr_null(events);
}

START_TEST(options_that_make_no_sense_are_refused_by_name)
{
    static _Alignas(128) unsigned char memory[MEMORY_BYTES];
    weir_events_options options = WEIR_EVENTS_OPTIONS_INIT;

    ck_assert_int_eq(weir_events_create(NULL, NULL), WEIR_EINVAL);
    assert_names("out");
    options.lanes = 65;
    assert_refused(&options, "lanes");
    options.lanes = 0;
    options.records = ((size_t)1 << 30) + 1;
    assert_refused(&options, "records");
    options.records = 0;
    options.memory_bytes = MEMORY_BYTES;
    assert_refused(&options, "memory_bytes");
    options.memory = memory + 64;
    assert_refused(&options, "aligned");
    options.memory = memory;
    options.memory_bytes--;
    assert_refused(&options, "memory_bytes");
    options.memory_bytes++;
    options.records = 1;
    assert_refused(&options, "records");
    options.records = 0;
    options.size = 0;
    assert_refused(&options, "WEIR_EVENTS_OPTIONS_INIT");
}
END_TEST

static weir_status try_create(void *arg)
{
    weir_status status = weir_events_create(&events, NULL);

    (void)arg;
    if (!status)
        weir_events_destroy(events);
    events = NULL;
    return status;
}

static weir_status try_attach(void *arg)
{
    weir_status status = weir_events_attach(&attached, arg, MEMORY_BYTES);

    if (!status)
        weir_events_destroy(attached);
    attached = NULL;
    return status;
}

START_TEST(without_memory_there_are_none)
{
    ck_assert_uint_eq(fault_sweep(try_create, NULL, WEIR_ENOMEM), 2);
    open_shared();
    ck_assert_uint_eq(fault_sweep(try_attach, shared, WEIR_ENOMEM), 1);
    munmap(shared, MEMORY_BYTES);
}
END_TEST

START_TEST(who_holds_it_still_has_it_when_it_is_destroyed)
{
    weir_events *mine;

    open_events(64, 4);
    mine = events;
    weir__events_hold(mine);
    weir_events_destroy(events);
    write_one(1, 0);
    ck_assert_uint_eq(weir_events_read(mine, &cursor, out, ROOM), 1);
}
END_TEST

int main(void)
{
    const TTest *const reading[] = {
        an_empty_ring_has_nothing_to_read,
        what_is_written_is_read_once_as_it_was,
        lanes_are_merged_by_time,
        of_one_moment_a_submit_comes_before_a_start_and_that_before_the_end,
        the_oldest_are_lost_and_counted,
        who_finds_a_lane_busy_takes_another_and_with_all_busy_it_is_counted,
        half_of_the_lanes_can_be_bound_and_the_others_write_beside,
        of_a_single_lane_none_can_be_bound,
        a_record_that_is_being_written_is_lost_not_read,
        a_cursor_that_skips_sees_what_comes_then,
        reading_with_nothing_to_read_from_or_into_is_refused,
        a_reader_beside_writers_gets_whole_records_and_the_exact_loss,
        NULL,
    };
    const TTest *const sources[] = {
        sources_are_numbered_from_1_and_read_back,
        beyond_255_sources_share_number_0,
        NULL,
    };
    const TTest *const memory[] = {
        given_memory_is_filled_with_as_many_records_as_fit,
        another_reads_the_same_from_memory_that_it_cannot_write,
        no_memory_and_too_little_of_it_hold_no_events,
        NULL,
    };
    const TTest *const headers[] = {
        a_header_that_says_more_than_there_is_is_refused,
        NULL,
    };
    const TTest *const life[] = {
        options_that_make_no_sense_are_refused_by_name,
        without_memory_there_are_none,
        who_holds_it_still_has_it_when_it_is_destroyed,
        NULL,
    };
    const struct chapter chapters[] = {
        {"reading", reading, setup, teardown, 0, 0},
        {"sources", sources, setup, teardown, 0, 0},
        {"memory", memory, setup, shared_teardown, 0, 0},
        {"headers", headers, setup, shared_teardown,
         sizeof(damages) / sizeof(damages[0]), 0},
        {"life", life, setup, teardown, 0, 0},
        {.name = NULL},
    };

    return report("events", chapters);
}
