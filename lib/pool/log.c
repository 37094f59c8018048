/* SPDX-License-Identifier: MIT */
/* log.c - see log.h and weir/log.h. */
#include "pool/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "task/retry.h"

enum {
    NOTES = 64,          /* that wait to be told */
    NOTES_A_SECOND = 16, /* of a kind */
    KINDS = WEIR_LOG_BREAKER_CLOSED + 1,
    DETAIL_BYTES = 64,
    MESSAGE_BYTES = 256
};

struct note {
    weir_log_kind kind;
    uint32_t attempt, worker;
    int code;
    uint64_t task_id, left_out;
    int64_t at_ns;
    char label[32];
    char detail[DETAIL_BYTES]; /* "": none */
};

/* Of a kind. */
struct flow {
    int64_t since_ns; /* a second that is going on */
    uint32_t count;   /* notes in it */
    uint64_t left_out;
};

/* L: all. */
struct weir__log {
    struct note notes[NOTES]; /* a ring */
    size_t first, count;
    struct flow flows[KINDS];
    bool telling;
    bool was_degraded, was_tainted, was_open, was_lost; /* as it was noted */
    struct weir__inside inside; /* of the notifier, while it tells */
};

weir_status weir__log_create(weir_pool *pool)
{
    if (!pool->settings.options.on_log)
        return WEIR_OK;
    pool->log = weir__allocate(sizeof(*pool->log));
    if (!pool->log)
        return weir__refuse(WEIR_ENOMEM, "no memory for a pool's on_log");
    for (size_t i = 0; i < KINDS; i++)
        pool->log->flows[i].since_ns = INT64_MIN;
    return WEIR_OK;
}

void weir__log_release(weir_pool *pool)
{
    weir__release(pool->log);
    pool->log = NULL;
}

/* ----------------------------------------------------------------- noting */

/* NULL: there is no room, or too many of the kind in this second. */
static struct note *
take_note(weir_pool *pool, weir_log_kind kind) WEIR_REQUIRES(pool->lock)
{
    struct weir__log *log = pool->log;
    struct flow *flow = &log->flows[kind];
    int64_t now_ns = weir__now();
    struct note *note;

    if (flow->count == 0 || now_ns - flow->since_ns >= WEIR_SECONDS(1)) {
        flow->since_ns = now_ns;
        flow->count = 0;
    }
    if (log->count == NOTES || flow->count == NOTES_A_SECOND) {
        flow->left_out++;
        return NULL;
    }
    flow->count++;
    note = &log->notes[(log->first + log->count++) % NOTES];
    *note = (struct note){.kind = kind,
                          .at_ns = now_ns,
                          .worker = UINT32_MAX,
                          .left_out = flow->left_out};
    flow->left_out = 0;
    weir__notifier_call(pool);
    return note;
}

static void
note_with(weir_pool *pool, weir_log_kind kind, const struct weir__entry *entry,
          int code, const char *detail) WEIR_REQUIRES(pool->lock)
{
    struct note *note = pool->log ? take_note(pool, kind) : NULL;

    if (!note)
        return;
    note->code = code;
    snprintf(note->detail, sizeof(note->detail), "%s", detail);
    if (!entry)
        return;
    note->task_id = entry->id;
    note->attempt = entry->outcome.attempts;
    if (entry->worker)
        note->worker = entry->worker->index;
    memcpy(note->label, entry->label, sizeof(note->label));
}

void weir__log_note(weir_pool *pool, weir_log_kind kind,
                    const struct weir__entry *entry, int code)
{
    note_with(pool, kind, entry, code, "");
}

void weir__log_end(weir_pool *pool, const struct weir__entry *entry,
                   enum weir__ending how)
{
    bool is_known = entry->state == WEIR__RUNNING; /* what its outcome says */
    int code = is_known ? entry->outcome.code : 0;
    const char *words = is_known ? entry->outcome.message : "";

    if (!pool->log)
        return;
    switch (how) {
    case WEIR__EXITED:
    case WEIR__CHILD_EXITED:
        weir__log_note(pool, WEIR_LOG_EXITED, entry, code);
        break;
    case WEIR__CRASHED:
        if (!pool->log->was_tainted)
            weir__log_note(pool, WEIR_LOG_TAINTED, entry, code);
        pool->log->was_tainted = true;
        note_with(pool, WEIR_LOG_CRASHED, entry, code, words);
        break;
    case WEIR__CHILD_CRASHED:
        note_with(pool, WEIR_LOG_CRASHED, entry, code, words);
        break;
    case WEIR__ANSWERED:
    case WEIR__CHILD_KILLED:
        break;
    }
}

void weir__log_settle(weir_pool *pool, const struct weir__entry *entry)
{
    const weir_outcome *outcome = &entry->outcome;
    bool would_go_on = entry->retry->retryable
                           ? outcome->kind != WEIR_OUTCOME_DONE &&
                                 outcome->kind <= WEIR_OUTCOME_EXITED
                           : weir__retry_by_default(outcome);

    if (pool->log && would_go_on && entry->retry->max_attempts > 1 &&
        outcome->attempts >= entry->retry->max_attempts)
        note_with(pool, WEIR_LOG_RETRIES_EXHAUSTED, entry, outcome->code,
                  outcome->message);
}

void weir__log_abandoned(weir_pool *pool)
{
    struct weir__log *log = pool->log;

    if (!log || log->was_degraded == weir__pool_is_degraded(pool))
        return;
    log->was_degraded = !log->was_degraded;
    weir__log_note(pool,
                   log->was_degraded ? WEIR_LOG_DEGRADED : WEIR_LOG_RECOVERED,
                   NULL, 0);
}

void weir__log_breaker(weir_pool *pool)
{
    struct weir__log *log = pool->log;
    weir_breaker_state state;

    if (!log)
        return;
    state = weir_breaker_read(pool->settings.options.breaker);
    if (state == WEIR_BREAKER_OPEN && !log->was_open)
        weir__log_note(pool, WEIR_LOG_BREAKER_OPEN, NULL, 0);
    if (state == WEIR_BREAKER_CLOSED && log->was_open)
        weir__log_note(pool, WEIR_LOG_BREAKER_CLOSED, NULL, 0);
    if (state != WEIR_BREAKER_HALF_OPEN)
        log->was_open = state == WEIR_BREAKER_OPEN;
}

void weir__log_server(weir_pool *pool)
{
    if (!pool->log || pool->log->was_lost)
        return;
    pool->log->was_lost = true;
    weir__log_note(pool, WEIR_LOG_NO_SERVER, NULL, 0);
}

/* ---------------------------------------------------------------- telling */

static weir_log_level level_of(weir_log_kind kind)
{
    switch (kind) {
    case WEIR_LOG_DEGRADED:
    case WEIR_LOG_TAINTED:
    case WEIR_LOG_NO_WORKER:
    case WEIR_LOG_NO_SERVER:
        return WEIR_LOG_ERROR;
    case WEIR_LOG_RECOVERED:
    case WEIR_LOG_BREAKER_CLOSED:
        return WEIR_LOG_INFO;
    case WEIR_LOG_ABANDONED:
    case WEIR_LOG_EXITED:
    case WEIR_LOG_CRASHED:
    case WEIR_LOG_RETRIES_EXHAUSTED:
    case WEIR_LOG_RETRY_DENIED:
    case WEIR_LOG_BREAKER_OPEN:
        break;
    }
    return WEIR_LOG_WARNING;
}

/* A sentence, into `text`. */
static void put_in_words(const struct note *note, char text[MESSAGE_BYTES])
{
    static const char *const sentences[KINDS] = {
        [WEIR_LOG_DEGRADED] = "as many threads as max_abandoned are abandoned: "
                              "new tasks are refused until one of them ends",
        [WEIR_LOG_RECOVERED] = "an abandoned thread has ended: tasks are taken "
                               "again",
        [WEIR_LOG_TAINTED] = "a handler has crashed in this process: its "
                             "memory may be damaged, finish and begin again",
        [WEIR_LOG_ABANDONED] = "a handler overstays its deadline and grace: "
                               "its thread is abandoned, another takes its "
                               "place",
        [WEIR_LOG_EXITED] = "a handler ended its thread or child: another "
                            "takes its place",
        [WEIR_LOG_CRASHED] = "a handler crashed",
        [WEIR_LOG_RETRIES_EXHAUSTED] = "a task has used up its attempts",
        [WEIR_LOG_RETRY_DENIED] = "a retry was denied: its budget is spent",
        [WEIR_LOG_NO_WORKER] = "a worker did not start, and is tried again "
                               "soon",
        [WEIR_LOG_NO_SERVER] = "the server that makes child processes has "
                               "ended: tasks settle CRASHED",
        [WEIR_LOG_BREAKER_OPEN] = "the breaker has opened: submits are refused",
        [WEIR_LOG_BREAKER_CLOSED] = "the breaker has closed: submits are let "
                                    "in again"};

    snprintf(text, MESSAGE_BYTES, "%s%s%s", sentences[note->kind],
             note->detail[0] ? ": " : "", note->detail);
}

bool weir__log_is_quiet(const weir_pool *pool)
{
    return !pool->log ||
           (!pool->log->telling && (pool->log->count == 0 || pool->destroyed));
}

/* The ring's place is another's as soon as the lock is had by others. */
bool weir__log_tell_drops_lock(weir_pool *pool)
{
    const weir_pool_options *o = &pool->settings.options;
    struct weir__log *log = pool->log;
    char message[MESSAGE_BYTES];
    weir_log_record record;
    struct note note;

    if (!log || log->count == 0 || pool->destroyed)
        return false;
    note = log->notes[log->first];
    log->first = (log->first + 1) % NOTES;
    log->count--;
    log->telling = true;
    weir__mutex_unlock(&pool->lock);
    put_in_words(&note, message);
    record = (weir_log_record){.size = sizeof(record),
                               .level = level_of(note.kind),
                               .kind = note.kind,
                               .pool = pool->settings.name,
                               .message = message,
                               .task_id = note.task_id,
                               .label = note.label,
                               .attempt = note.attempt,
                               .worker = note.worker,
                               .code = note.code,
                               .at_ns = note.at_ns,
                               .left_out = note.left_out};
    weir__pool_enter(&log->inside, pool);
    o->on_log(o->on_log_arg, &record);
    weir__pool_leave(&log->inside);
    weir__mutex_lock(&pool->lock);
    weir__log_forget(pool);
    weir__pool_changed(pool);
    return true;
}

void weir__log_forget(weir_pool *pool)
{
    if (pool->log)
        pool->log->telling = false;
}
