/* SPDX-License-Identifier: MIT */
/*
 * trace.c - a tape as Chrome's trace events, which Perfetto reads.
 *
 * Threads of a source: 1 is where submits are, without a length; from
 * FIRST_WORKER on its workers; from FIRST_CALLER on attempts that submitters
 * run themselves, and from FIRST_WAIT on waits for room, in rows in which no
 * two overlap, since slices of a thread must nest.
 *
 * Arrows are flows of version 2: a submit and each attempt but the last flow
 * out, each attempt flows in, all by the task's number.
 */
#include <weir/trace.h>

#include <inttypes.h>

#include <weir/task.h>

#include "base/trap.h"
#include "edge/tape.h"
#include "edge/words.h"

enum {
    SUBMITS = 1,
    FIRST_WORKER = 2,
    FIRST_CALLER = 200000,
    FIRST_WAIT = 300000
};

struct trace {
    struct weir__words words;
    const struct weir__tape *tape;
    int64_t from_ns;
    const char *comma; /* before the next event */
};

static const struct weir__escape json_escapes[] = {{'\\', "\\\\"},
                                                   {'"', "\\\""}};

static void say_quoted(struct trace *trace, const char *text)
{
    weir__words_say(&trace->words, "\"");
    weir__words_quote(&trace->words, text, json_escapes,
                      sizeof(json_escapes) / sizeof(json_escapes[0]));
    weir__words_say(&trace->words, "\"");
}

/* Microseconds since the first record. */
static void say_time(struct trace *trace, const char *key, int64_t ns)
{
    weir__words_say(&trace->words, ",\"%s\":", key);
    weir__words_decimal(&trace->words, ns, 3);
}

static void begin_event(struct trace *trace, const char *phase, uint16_t source,
                        uint32_t thread)
{
    weir__words_say(&trace->words, "%s\n{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u",
                    trace->comma, phase, (unsigned)source, (unsigned)thread);
    trace->comma = ",";
}

static void end_event(struct trace *trace)
{
    weir__words_say(&trace->words, "}");
}

/* ------------------------------------------------------------------- names */

static void name_process(struct trace *trace, uint16_t source)
{
    char name[WEIR__TAPE_NAME];

    weir__tape_name(trace->tape, source, name);
    begin_event(trace, "M", source, 0);
    weir__words_say(&trace->words, ",\"name\":\"process_name\",\"args\":"
                                   "{\"name\":");
    say_quoted(trace, name);
    weir__words_say(&trace->words, "}");
    end_event(trace);
}

static void name_thread(struct trace *trace, uint16_t source, uint32_t thread,
                        const char *name, uint32_t number)
{
    begin_event(trace, "M", source, thread);
    weir__words_say(&trace->words,
                    ",\"name\":\"thread_name\",\"args\":{\"name\":\"%s %u\"}",
                    name, (unsigned)number);
    end_event(trace);
}

static void name_submits(struct trace *trace, uint16_t source)
{
    begin_event(trace, "M", source, SUBMITS);
    weir__words_say(&trace->words, ",\"name\":\"thread_name\",\"args\":"
                                   "{\"name\":\"submits\"}");
    end_event(trace);
}

static uint32_t thread_of(const struct weir__span *span)
{
    if (span->how == WEIR__SPAN_WAIT)
        return FIRST_WAIT + span->lane;
    return (span->has_worker ? FIRST_WORKER : FIRST_CALLER) + span->lane;
}

/* Each time a lane is used; to say it again does no harm, so it is said where
 * the lane was not the one of the last few spans. */
static void
name_lanes(struct trace *trace, const struct weir__span *spans, size_t count)
{
    enum { REMEMBERED = 256 };
    uint64_t named[REMEMBERED] = {0};

    for (size_t i = 0; i < count; i++) {
        const struct weir__span *span = &spans[i];
        uint32_t thread = thread_of(span);
        uint64_t key = (uint64_t)span->source << 32 | thread;
        uint64_t *place = &named[(thread + span->source * 31u) % REMEMBERED];

        if (*place == key)
            continue;
        *place = key;
        name_thread(trace, span->source, thread,
                    span->how == WEIR__SPAN_WAIT ? "waits for room"
                    : span->has_worker           ? "worker"
                                                 : "submitter",
                    span->lane);
    }
}

static void write_names(struct trace *trace)
{
    bool met[WEIR_EVENTS_MOST_SOURCES] = {false};

    for (size_t i = 0; i < trace->tape->count; i++) {
        uint16_t source =
            trace->tape->records[i].source % WEIR_EVENTS_MOST_SOURCES;

        if (met[source])
            continue;
        met[source] = true;
        name_process(trace, source);
        if (trace->tape->sources[source].kind != WEIR_SOURCE_QUEUE)
            name_submits(trace, source);
    }
    name_lanes(trace, trace->tape->attempts, trace->tape->attempt_count);
    name_lanes(trace, trace->tape->waits, trace->tape->wait_count);
}

/* ------------------------------------------------------------------ slices */

/* By the old names of colours, for who still knows them. */
static const char *colour_of(const struct weir__span *span)
{
    switch (span->how) {
    case WEIR_OUTCOME_DONE:
        return "good";
    case WEIR_OUTCOME_FAILED:
    case WEIR__SPAN_RETRIED:
        return "bad";
    case WEIR_OUTCOME_TIMED_OUT:
    case WEIR_OUTCOME_CRASHED:
    case WEIR_OUTCOME_EXITED:
        return "terrible";
    default:
        return "grey";
    }
}

static const char *name_of(const struct weir__span *span)
{
    if (span->how == WEIR__SPAN_OPEN)
        return "open";
    if (span->how == WEIR__SPAN_RETRIED)
        return "retried";
    if (span->how == WEIR__SPAN_WAIT)
        return "waits for room";
    return weir_outcome_name((weir_outcome_kind)span->how);
}

static void
say_flow(struct trace *trace, uint16_t source, uint64_t task, bool in, bool out)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t id = (uint64_t)source << 48 ^ task;

    weir__words_say(&trace->words, ",\"bind_id\":\"0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        weir__words_say(&trace->words, "%c", digits[id >> shift & 15]);
    weir__words_say(&trace->words, "\"%s%s", in ? ",\"flow_in\":true" : "",
                    out ? ",\"flow_out\":true" : "");
}

static void write_submit(struct trace *trace, const weir_event *event)
{
    begin_event(trace, "X", event->source, SUBMITS);
    weir__words_say(&trace->words, ",\"cat\":\"submit\",\"name\":\"submit\"");
    say_time(trace, "ts", event->at_ns - trace->from_ns);
    say_time(trace, "dur", 0);
    say_flow(trace, event->source, event->task, false, true);
    weir__words_say(&trace->words, ",\"args\":{\"task\":%" PRIu64 "}",
                    event->task);
    end_event(trace);
}

static void write_span(struct trace *trace, const struct weir__span *span)
{
    bool is_wait = span->how == WEIR__SPAN_WAIT;

    begin_event(trace, "X", span->source, thread_of(span));
    weir__words_say(&trace->words, ",\"cat\":\"%s\",\"name\":\"%s\"",
                    is_wait ? "wait" : "run", name_of(span));
    if (!is_wait)
        weir__words_say(&trace->words, ",\"cname\":\"%s\"", colour_of(span));
    say_time(trace, "ts", span->from_ns - trace->from_ns);
    say_time(trace, "dur", span->to_ns - span->from_ns);
    if (is_wait) {
        weir__words_say(&trace->words, ",\"args\":{\"wait\":%" PRIu64,
                        span->task);
    } else {
        say_flow(trace, span->source, span->task, true,
                 span->how == WEIR__SPAN_RETRIED);
        weir__words_say(&trace->words,
                        ",\"args\":{\"task\":%" PRIu64 ",\"attempt\":%u",
                        span->task, (unsigned)span->attempt);
    }
    weir__words_say(&trace->words, "%s%s}",
                    span->is_open ? ",\"open\":true" : "",
                    span->is_abandoned ? ",\"abandoned\":true" : "");
    end_event(trace);
}

/* ----------------------------------------------------- counters and moments */

static void write_counter(struct trace *trace, uint16_t source, int64_t at_ns,
                          const char *group, const char *name, int64_t value)
{
    begin_event(trace, "C", source, 0);
    weir__words_say(&trace->words, ",\"name\":\"%s\"", group);
    say_time(trace, "ts", at_ns - trace->from_ns);
    weir__words_say(&trace->words, ",\"args\":{\"%s\":%" PRId64 "}", name,
                    value);
    end_event(trace);
}

static void
write_moment(struct trace *trace, const weir_event *event, const char *name)
{
    bool has_worker = event->worker != UINT32_MAX;

    begin_event(trace, "i", event->source,
                has_worker ? FIRST_WORKER + event->worker : 0);
    weir__words_say(&trace->words,
                    ",\"s\":\"%s\",\"cat\":\"life\",\"name\":\"%s\"",
                    has_worker ? "t" : "p", name);
    say_time(trace, "ts", event->at_ns - trace->from_ns);
    weir__words_say(&trace->words,
                    ",\"args\":{\"value\":%" PRId64 ",\"task\":%" PRIu64 "}",
                    event->value, event->task);
    end_event(trace);
}

static const char *held_words(int64_t by)
{
    static const char *const words[] = {
        [WEIR_HELD_BY_NONE] = "let go on",
        [WEIR_HELD_BY_SEMAPHORE] = "held by its semaphore",
        [WEIR_HELD_BY_POOL] = "held by the pool's semaphore",
        [WEIR_HELD_BY_ADAPTIVE] = "held by the adaptive limit",
        [WEIR_HELD_BY_RATE] = "held by the rate",
        [WEIR_HELD_BY_BREAKER] = "held by the breaker"};

    return by >= 0 && by < (int64_t)(sizeof(words) / sizeof(words[0]))
               ? words[by]
               : "held";
}

static void write_record(struct trace *trace, const weir_event *event)
{
    switch (event->kind) {
    case WEIR_EVENT_SUBMIT:
        write_submit(trace, event);
        break;
    case WEIR_EVENT_PILL:
        write_moment(trace, event, event->value < 0 ? "pill taken" : "pill");
        break;
    case WEIR_EVENT_CLOSE:
        write_moment(trace, event, "close");
        break;
    case WEIR_EVENT_SCALE:
        write_counter(trace, event->source, event->at_ns, "pool", "workers",
                      event->value);
        break;
    case WEIR_EVENT_CHILD:
        write_moment(trace, event, "child");
        break;
    case WEIR_EVENT_HELD:
        write_moment(trace, event, held_words(event->value));
        break;
    case WEIR_EVENT_ABANDON:
        write_moment(trace, event, "abandon");
        break;
    case WEIR_EVENT_EXIT:
        write_moment(trace, event, "exit");
        break;
    case WEIR_EVENT_CRASH:
        write_moment(trace, event, "crash");
        break;
    default:
        break;
    }
}

weir_status weir_trace_write(const weir_events *events, int fd)
{
    WEIR__UNTRAPPED;
    struct trace trace = {.comma = ""};
    struct weir__tape *tape;
    weir_status status = weir__tape_read(&tape, events);

    if (status)
        return status;
    weir__words_open(&trace.words, fd);
    trace.tape = tape;
    trace.from_ns = tape->count > 0 ? tape->records[0].at_ns : 0;
    weir__words_say(&trace.words,
                    "{\"displayTimeUnit\":\"ms\",\"otherData\":"
                    "{\"from_ns\":\"%" PRId64 "\",\"records\":\"%" PRIu64 "\","
                    "\"lost\":\"%" PRIu64 "\"},\n\"traceEvents\":[",
                    trace.from_ns, (uint64_t)tape->count, tape->lost);
    write_names(&trace);
    for (size_t i = 0; i < tape->count; i++)
        write_record(&trace, &tape->records[i]);
    for (size_t i = 0; i < tape->attempt_count; i++)
        write_span(&trace, &tape->attempts[i]);
    for (size_t i = 0; i < tape->wait_count; i++)
        write_span(&trace, &tape->waits[i]);
    for (size_t i = 0; i < tape->depth_count; i++)
        write_counter(&trace, tape->depths[i].source, tape->depths[i].at_ns,
                      "queue", "depth", tape->depths[i].depth);
    weir__words_say(&trace.words, "\n]}\n");
    weir__tape_destroy(tape);
    return weir__words_close(&trace.words, "the trace");
}
