/* SPDX-License-Identifier: MIT */
/* test_trace.c - events put together again; tests/edge/trace.py reads traces.
 */
#include <weir/picture.h>
#include <weir/trace.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/tape.h"
#include "faults.h"
#include "pools.h"
#include "suite.h"

static weir_events *events;
static struct weir__tape *tape;
static size_t records;

static void setup(void)
{
    weir_events_options few = WEIR_EVENTS_OPTIONS_INIT;

    pool_setup();
    few.records = records;
    few.lanes = 1;
    ck_assert_int_eq(weir_events_create(&events, &few), WEIR_OK);
    options.events = events;
    options.timeout_ns = WEIR_SECONDS(10);
    options.name = "mill";
    tape = NULL;
}

static void teardown(void)
{
    pool_teardown();
    weir__tape_destroy(tape);
    weir_events_destroy(events);
}

static void read_tape(void)
{
    weir__tape_destroy(tape);
    tape = NULL;
    ck_assert_int_eq(weir__tape_read(&tape, events), WEIR_OK);
}

START_TEST(an_attempt_is_a_span_that_ends_as_its_task)
{
    struct job *job, *open;

    open_pool();
    job = new_job(act_answer);
    job->code = 7;
    must_submit(job);
    settle_all();
    open = start_new(act_wait);
    test_clock_advance(WEIR_MS(5));
    submit_new(act_answer);
    read_tape();
    ck_assert_uint_eq(tape->attempt_count, 2);
    ck_assert_int_eq(tape->attempts[0].how, WEIR_OUTCOME_FAILED);
    ck_assert(!tape->attempts[0].is_open);
    ck_assert_uint_eq(tape->attempts[0].lane, job->worker);
    ck_assert_int_eq(tape->attempts[1].how, WEIR__SPAN_OPEN);
    ck_assert(tape->attempts[1].is_open);
    ck_assert_int_eq(tape->attempts[1].to_ns - tape->attempts[1].from_ns,
                     WEIR_MS(5));
    ck_assert_int_eq(tape->depths[tape->depth_count - 1].depth, 1);
    ck_assert_str_eq(tape->sources[tape->attempts[0].source].name, "mill");
    finish_job(open);
}
END_TEST

START_TEST(an_overdue_attempt_ends_when_it_has_ended)
{
    struct job *job;

    open_pool();
    job = start_new(act_wait);
    advance_to(job->deadline.at_ns);
    await_settled(job);
    test_clock_advance(WEIR_SECONDS(3));
    finish_job(job);
    settle_all();
    test_clock_advance(WEIR_SECONDS(5));
    submit_new(act_answer);
    settle_all();
    read_tape();
    ck_assert_uint_eq(tape->attempt_count, 2);
    ck_assert_int_eq(tape->attempts[0].how, WEIR_OUTCOME_TIMED_OUT);
    ck_assert_int_eq(tape->attempts[0].to_ns - tape->attempts[0].from_ns,
                     WEIR_SECONDS(13));
}
END_TEST

START_TEST(cancelling_what_waits_makes_it_less_deep)
{
    struct job *job;
    weir_future *future;

    open_pool();
    job = start_new(act_wait);
    future = submit_for(new_job(act_answer));
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    read_tape();
    ck_assert_int_eq(tape->depths[tape->depth_count - 2].depth, 1);
    ck_assert_int_eq(tape->depths[tape->depth_count - 1].depth, 0);
    ck_assert_uint_eq(tape->attempt_count, 1);
    weir_future_release(future);
    finish_job(job);
}
END_TEST

START_TEST(what_retries_waits_again)
{
    struct job *job = new_job(act_answer);

    job->code = 1;
    policy.max_attempts = 2;
    policy.base_ns = WEIR_SECONDS(1);
    options.retry = &policy;
    open_pool();
    must_submit(job);
    await_timekeeper(test_clock_now() + WEIR_SECONDS(1));
    read_tape();
    ck_assert_uint_eq(tape->attempt_count, 1);
    ck_assert_int_eq(tape->attempts[0].how, WEIR__SPAN_RETRIED);
    ck_assert(!tape->attempts[0].is_open);
    ck_assert_uint_eq(tape->depth_count, 3); /* in, out, in again */
    ck_assert_int_eq(tape->depths[2].depth, 1);
}
END_TEST

/* Far more happens than the ring keeps. */
START_TEST(whatever_is_lost_spans_of_a_worker_do_not_overlap)
{
    int64_t until_ns[8] = {0};

    open_pool_of(4);
    for (int i = 0; i < 240; i++) {
        must_submit(new_job(act_answer));
        if (i % 4 == 3)
            settle_all();
    }
    settle_all();
    read_tape();
    ck_assert_uint_gt(tape->lost, 0);
    ck_assert_uint_gt(tape->attempt_count, 0);
    for (size_t i = 0; i < tape->attempt_count; i++) {
        struct weir__span *span = &tape->attempts[i];

        ck_assert_int_le(span->from_ns, span->to_ns);
        ck_assert_int_le(until_ns[span->lane], span->from_ns);
        until_ns[span->lane] = span->to_ns;
    }
    for (size_t i = 0; i < tape->depth_count; i++)
        ck_assert_int_ge(tape->depths[i].depth, 0);
}
END_TEST

static weir_status write_trace(void *arg)
{
    int null = open("/dev/null", O_WRONLY);
    weir_status status = weir_trace_write(events, null);

    (void)arg;
    close(null);
    return status;
}

static weir_status write_picture(void *arg)
{
    int null = open("/dev/null", O_WRONLY);
    weir_status status = weir_picture_write(events, null);

    (void)arg;
    close(null);
    return status;
}

static size_t length_of(int fd)
{
    off_t length = lseek(fd, 0, SEEK_END);

    ck_assert_int_gt(length, 0);
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return (size_t)length;
}

/* Its lanes begin where the header says, at 32; a record is six numbers. */
START_TEST(a_ring_of_another_process_may_say_anything)
{
    weir_events_options there = WEIR_EVENTS_OPTIONS_INIT;
    uint64_t *memory = aligned_alloc(128, 65536);
    const int64_t moments[] = {INT64_MIN, -1, INT64_MAX / 2};
    const int64_t values[] = {INT64_MIN, -1, INT64_MAX};
    weir_events *theirs;
    uint32_t lane, first;
    int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

    ck_assert(memory && fd >= 0);
    there.memory = memset(memory, 0, 65536);
    there.memory_bytes = 65536;
    there.lanes = 1;
    ck_assert_int_eq(weir_events_create(&theirs, &there), WEIR_OK);
    options.events = theirs;
    open_pool();
    for (int i = 0; i < 6; i++)
        submit_new(act_answer);
    settle_all();
    memcpy(&lane, (char *)memory + 32, sizeof(lane));
    memcpy(&first, (char *)memory + 60, sizeof(first));
    for (size_t at = 0; at < memory[lane / 8] * 6; at += 6) {
        uint64_t *record = memory + (lane + first) / 8 + at;

        record[1] = (uint64_t)moments[at / 6 % 3];
        record[3] = (uint64_t)values[at / 12 % 3];
    }
    weir_events_destroy(events);
    ck_assert_int_eq(weir_events_attach(&events, memory, 65536), WEIR_OK);
    read_tape();
    ck_assert_uint_eq(tape->count, memory[lane / 8] / 3);
    ck_assert_uint_eq(tape->count + tape->lost, memory[lane / 8]);
    ck_assert_int_eq(weir_trace_write(events, fd), WEIR_OK);
    length_of(fd);
    ck_assert_int_eq(weir_picture_write(events, fd), WEIR_OK);
    length_of(fd);
    close(fd);
    end_pool();
    weir_events_destroy(theirs);
    weir_events_destroy(events);
    events = NULL;
    free(memory);
}
END_TEST

static void assert_tape_calls(uint32_t source, const char *wanted)
{
    char name[WEIR__TAPE_NAME];

    weir__tape_name(tape, source, name);
    ck_assert_str_eq(name, wanted);
}

START_TEST(of_two_with_one_name_each_has_its_number_too)
{
    weir_queue_options like = WEIR_QUEUE_OPTIONS_INIT;
    const char *const names[] = {NULL, "orders", NULL};
    weir_queue *queues[3];

    open_pool();
    like.events = events;
    for (int i = 0; i < 3; i++) {
        like.name = names[i];
        ck_assert_int_eq(weir_queue_create(&queues[i], 4, &like), WEIR_OK);
    }
    read_tape();
    assert_tape_calls(0, "others");
    assert_tape_calls(1, "mill");
    assert_tape_calls(2, "queue 2");
    assert_tape_calls(3, "orders");
    assert_tape_calls(4, "queue 4");
    for (int i = 0; i < 3; i++)
        weir_queue_destroy(queues[i]);
}
END_TEST

START_TEST(a_picture_of_nothing_is_one_too)
{
    int null = open("/dev/null", O_WRONLY);

    ck_assert_int_eq(weir_picture_write(events, null), WEIR_OK);
    ck_assert_int_eq(weir_trace_write(events, null), WEIR_OK);
    close(null);
}
END_TEST

START_TEST(whatever_fails_is_answered)
{
    int full = open("/dev/full", O_WRONLY);

    open_pool();
    submit_new(act_answer);
    settle_all();
    ck_assert_uint_ge(fault_sweep(write_trace, NULL, WEIR_OK), 7);
    ck_assert_uint_ge(fault_sweep(write_picture, NULL, WEIR_OK), 8);
    ck_assert_int_eq(weir_picture_write(events, full), WEIR_ESYSTEM);
    assert_error_names("the picture");
    ck_assert_int_eq(weir_trace_write(events, full), WEIR_ESYSTEM);
    ck_assert_int_eq(errno, ENOSPC);
    assert_error_names("the trace");
    ck_assert_int_eq(weir_trace_write(NULL, full), WEIR_EINVAL);
    assert_error_names("events is NULL");
    close(full);
}
END_TEST

static void setup_few(void)
{
    records = 256;
    setup();
}

static void setup_many(void)
{
    records = 0;
    setup();
}

int main(void)
{
    const TTest *const tapes[] = {an_attempt_is_a_span_that_ends_as_its_task,
                                  an_overdue_attempt_ends_when_it_has_ended,
                                  cancelling_what_waits_makes_it_less_deep,
                                  what_retries_waits_again,
                                  a_ring_of_another_process_may_say_anything,
                                  of_two_with_one_name_each_has_its_number_too,
                                  a_picture_of_nothing_is_one_too,
                                  whatever_fails_is_answered,
                                  NULL};
    const TTest *const lossy[] = {
        whatever_is_lost_spans_of_a_worker_do_not_overlap, NULL};
    const struct chapter chapters[] = {{"tapes", tapes, setup_many, teardown, 0,
                                        0},
                                       {"lossy", lossy, setup_few, teardown, 0,
                                        0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("trace", chapters);
}
