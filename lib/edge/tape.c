/* SPDX-License-Identifier: MIT */
/* tape.c - see tape.h. */
#include "edge/tape.h"

#include <stdio.h>
#include <string.h>

#include <weir/task.h>

#include "base/error.h"
#include "base/fault.h"

enum { FIRST_READ = 4096, MOST_READ = 1 << 26, TAPE_ROWS = 256 };

/* What is known by a number of its source's: a task, a wait, a worker. */
struct known {
    uint64_t id;
    uint32_t tag;  /* its source and what it is, and never 0; 0: free */
    uint32_t span; /* that is open: its place and 1; 0: none */
    bool waits;    /* a task that counts into the depth */
};

enum known_kind { A_TASK = 1, A_WAIT, A_LANE };

struct joining {
    struct weir__tape *tape;
    struct known *known;
    size_t mask;
    int64_t depths[WEIR_EVENTS_MOST_SOURCES];
};

/* ----------------------------------------------------------------- reading */

static bool make_room_for_more(struct weir__tape *tape, size_t *room)
{
    size_t more = *room ? *room * 2 : FIRST_READ;
    weir_event *records;

    if (tape->count < *room)
        return true;
    if (more > MOST_READ)
        return false;
    records = weir__allocate_many(more, sizeof(*records));
    if (!records)
        return false;
    if (tape->count > 0)
        memcpy(records, tape->records, tape->count * sizeof(*records));
    weir__release(tape->records);
    tape->records = records;
    *room = more;
    return true;
}

/* The ring may be another process's, and say anything.  What no ring of ours
 * says is lost: then moments have sums and differences, and values an opposite.
 */
static bool can_be(const weir_event *event)
{
    return event->at_ns >= 0 && event->at_ns <= INT64_MAX / 2 &&
           event->value > INT64_MIN;
}

static void take_records(struct weir__tape *tape, size_t got)
{
    for (size_t i = tape->count, end = i + got; i < end; i++)
        if (can_be(&tape->records[i]))
            tape->records[tape->count++] = tape->records[i];
}

/* What was there at the time of the call, and a bit more: not for ever, while
 * others write. */
static bool read_records(struct weir__tape *tape, const weir_events *events)
{
    weir_events_cursor cursor = WEIR_EVENTS_CURSOR_INIT;
    size_t room = 0, got;
    bool full;

    do {
        if (!make_room_for_more(tape, &room))
            return false;
        got = weir_events_read(events, &cursor, tape->records + tape->count,
                               room - tape->count);
        full = got == room - tape->count;
        take_records(tape, got);
    } while (got > 0 && full);
    tape->lost = cursor.lost + (cursor.read - tape->count);
    for (uint32_t i = 0; i < WEIR_EVENTS_MOST_SOURCES; i++)
        weir_events_read_source(events, i, &tape->sources[i]);
    return true;
}

/* ----------------------------------------------------------------- joining */

static struct known *find_known(struct joining *joining, enum known_kind kind,
                                uint16_t source, uint64_t id)
{
    uint32_t tag = (uint32_t)source * 4 + kind;
    uint64_t hash = (id ^ (uint64_t)tag << 40) * 0x9e3779b97f4a7c15u;
    size_t at = (size_t)(hash >> 20) & joining->mask;

    while (joining->known[at].tag &&
           (joining->known[at].tag != tag || joining->known[at].id != id))
        at = (at + 1) & joining->mask;
    joining->known[at].id = id;
    return &joining->known[at];
}

/* Known from now on; returns whether it was before. */
static bool
meet_known(struct known *known, enum known_kind kind, uint16_t source)
{
    bool before = known->tag != 0;

    known->tag = (uint32_t)source * 4 + kind;
    return before;
}

static void
change_depth(struct joining *joining, const weir_event *event, int64_t more)
{
    struct weir__tape *tape = joining->tape;
    int64_t *depth = &joining->depths[event->source % WEIR_EVENTS_MOST_SOURCES];

    if (__builtin_add_overflow(*depth, more, depth))
        *depth = INT64_MAX;
    if (*depth < 0) /* what was put has been lost */
        *depth = 0;
    tape->depths[tape->depth_count++] =
        (struct weir__depth){event->at_ns, *depth, event->source};
}

static void set_waits(struct joining *joining, const weir_event *event,
                      struct known *task, bool waits)
{
    if (task->waits == waits)
        return;
    task->waits = waits;
    change_depth(joining, event, waits ? 1 : -1);
}

static void join_start(struct joining *joining, const weir_event *event)
{
    struct weir__tape *tape = joining->tape;
    struct known *task =
        find_known(joining, A_TASK, event->source, event->task);
    bool has_worker = event->worker != UINT32_MAX;
    struct known *lane;

    meet_known(task, A_TASK, event->source);
    set_waits(joining, event, task, false);
    if (has_worker) {
        lane = find_known(joining, A_LANE, event->source, event->worker);
        if (lane->span) { /* the one before, which must have ended */
            struct weir__span *before = &tape->attempts[lane->span - 1];

            if (before->is_open || before->to_ns > event->at_ns)
                before->to_ns = event->at_ns;
            before->is_open = false;
        }
        meet_known(lane, A_LANE, event->source);
        lane->span = (uint32_t)tape->attempt_count + 1;
    }
    tape->attempts[tape->attempt_count++] =
        (struct weir__span){.from_ns = event->at_ns,
                            .task = event->task,
                            .attempt = event->attempt,
                            .lane = event->worker,
                            .source = event->source,
                            .has_worker = has_worker,
                            .is_open = true,
                            .how = WEIR__SPAN_OPEN};
    task->span = (uint32_t)tape->attempt_count;
}

/* SETTLE, RETRY, END, ABANDON: something becomes of the attempt. */
static void join_fate(struct joining *joining, const weir_event *event)
{
    struct known *task =
        find_known(joining, A_TASK, event->source, event->task);
    struct weir__span *span =
        task->span ? &joining->tape->attempts[task->span - 1] : NULL;
    bool is_retry = event->kind == WEIR_EVENT_RETRY;
    bool is_settle = event->kind == WEIR_EVENT_SETTLE;

    if (meet_known(task, A_TASK, event->source) || is_retry)
        if (is_retry || is_settle)
            set_waits(joining, event, task, is_retry);
    if (!span)
        return;
    if (is_retry)
        span->how = WEIR__SPAN_RETRIED;
    else if (is_settle)
        span->how = (int)event->value;
    if (event->kind == WEIR_EVENT_ABANDON)
        span->is_abandoned = true;
    if (event->kind != WEIR_EVENT_END && !(event->flags & WEIR_EVENT_ENDED))
        return;
    if (span->is_open)
        span->to_ns = event->at_ns;
    span->is_open = false;
    task->span = 0;
}

static void join_wait(struct joining *joining, const weir_event *event)
{
    struct weir__tape *tape = joining->tape;
    struct known *wait =
        find_known(joining, A_WAIT, event->source, event->task);

    meet_known(wait, A_WAIT, event->source);
    if (event->kind == WEIR_EVENT_BLOCKED) {
        tape->waits[tape->wait_count++] =
            (struct weir__span){.from_ns = event->at_ns,
                                .task = event->task,
                                .source = event->source,
                                .is_open = true,
                                .how = WEIR__SPAN_WAIT};
        wait->span = (uint32_t)tape->wait_count;
    } else if (wait->span) {
        tape->waits[wait->span - 1].to_ns = event->at_ns;
        tape->waits[wait->span - 1].is_open = false;
    }
}

static void join_one(struct joining *joining, const weir_event *event)
{
    struct known *task;

    switch (event->kind) {
    case WEIR_EVENT_SUBMIT:
        task = find_known(joining, A_TASK, event->source, event->task);
        if (!meet_known(task, A_TASK, event->source))
            set_waits(joining, event, task, true);
        break;
    case WEIR_EVENT_START:
        join_start(joining, event);
        break;
    case WEIR_EVENT_SETTLE:
    case WEIR_EVENT_RETRY:
    case WEIR_EVENT_END:
    case WEIR_EVENT_ABANDON:
        join_fate(joining, event);
        break;
    case WEIR_EVENT_BLOCKED:
    case WEIR_EVENT_UNBLOCKED:
        join_wait(joining, event);
        break;
    case WEIR_EVENT_PUT:
        change_depth(joining, event, event->value);
        break;
    case WEIR_EVENT_GET:
    case WEIR_EVENT_DISCARD:
        change_depth(joining, event, -event->value);
        break;
    default:
        break;
    }
}

/* What is open ends with the tape; and rows for what has no worker. */
static void finish_spans(struct weir__span *spans, size_t count, int64_t end_ns)
{
    int64_t until_ns[TAPE_ROWS] = {0};

    for (size_t i = 0; i < count; i++) {
        struct weir__span *span = &spans[i];
        uint32_t row = 0;

        if (span->is_open)
            span->to_ns = end_ns;
        if (span->to_ns < span->from_ns)
            span->to_ns = span->from_ns;
        if (span->has_worker)
            continue;
        while (row < TAPE_ROWS - 1 && until_ns[row] > span->from_ns)
            row++;
        until_ns[row] = span->to_ns;
        span->lane = row;
    }
}

static weir_status join_records(struct weir__tape *tape)
{
    struct joining *joining = weir__allocate(sizeof(*joining));
    size_t places = 64;
    int64_t end_ns = tape->count ? tape->records[tape->count - 1].at_ns : 0;

    while (places < tape->count * 4)
        places *= 2;
    if (!joining)
        return WEIR_ENOMEM;
    joining->tape = tape;
    joining->mask = places - 1;
    joining->known = weir__allocate_many(places, sizeof(*joining->known));
    if (!joining->known) {
        weir__release(joining);
        return WEIR_ENOMEM;
    }
    for (size_t i = 0; i < tape->count; i++)
        join_one(joining, &tape->records[i]);
    finish_spans(tape->attempts, tape->attempt_count, end_ns);
    finish_spans(tape->waits, tape->wait_count, end_ns);
    weir__release(joining->known);
    weir__release(joining);
    return WEIR_OK;
}

static weir_status fill_tape(struct weir__tape *tape, const weir_events *events)
{
    size_t room;

    if (!read_records(tape, events))
        return WEIR_ENOMEM;
    room = tape->count + 1;
    tape->attempts = weir__allocate_many(room, sizeof(*tape->attempts));
    tape->waits = weir__allocate_many(room, sizeof(*tape->waits));
    tape->depths = weir__allocate_many(room, sizeof(*tape->depths));
    if (!tape->attempts || !tape->waits || !tape->depths)
        return WEIR_ENOMEM;
    return join_records(tape);
}

weir_status weir__tape_no_memory(void)
{
    return weir__refuse(WEIR_ENOMEM, "no memory to put events together");
}

weir_status weir__tape_read(struct weir__tape **out, const weir_events *events)
{
    struct weir__tape *tape;

    if (!events)
        return weir__refuse(WEIR_EINVAL,
                            "events is NULL: make some, and give them to the "
                            "pool by its options");
    tape = weir__allocate(sizeof(*tape));
    if (!tape || fill_tape(tape, events)) {
        weir__tape_destroy(tape);
        return weir__tape_no_memory();
    }
    *out = tape;
    return WEIR_OK;
}

void weir__tape_destroy(struct weir__tape *tape)
{
    if (!tape)
        return;
    weir__release(tape->records);
    weir__release(tape->attempts);
    weir__release(tape->waits);
    weir__release(tape->depths);
    weir__release(tape);
}

/* ------------------------------------------------------------------- names */

void weir__tape_name(const struct weir__tape *tape, uint32_t source,
                     char into[WEIR__TAPE_NAME])
{
    const weir_event_source *of = &tape->sources[source];
    bool alone = true;

    if (of->kind == WEIR_SOURCE_NONE) {
        snprintf(into, WEIR__TAPE_NAME, "others");
        return;
    }
    for (uint32_t i = 0; i < WEIR_EVENTS_MOST_SOURCES; i++)
        if (i != source && tape->sources[i].kind != WEIR_SOURCE_NONE &&
            strcmp(tape->sources[i].name, of->name) == 0)
            alone = false;
    if (alone)
        snprintf(into, WEIR__TAPE_NAME, "%s", of->name);
    else
        snprintf(into, WEIR__TAPE_NAME, "%s %u", of->name, (unsigned)source);
}
