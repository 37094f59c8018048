/* SPDX-License-Identifier: MIT */
/* inlets.c - see inlets.h. */
#include "flow/inlets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/park.h"
#include "base/thread.h"

/* I: set before the threads start.  L: with the lock.  T: the thread's, and
 * once it has ended of whoever saw that. */
struct inlet {
    struct weir__inlets *inlets; /* I */
    weir_producer source;        /* I: a copy */
    unsigned char *held;         /* L: room for `most` */
    unsigned char *coming;       /* T: what next writes */
    size_t count;                /* L: items held */
    int64_t since_ns;            /* L: when the first of them came */
    struct inlet *behind;        /* L: in the line */
    struct weir__waitlist room;  /* L: its thread, while it is full */
    bool is_over;                /* L: its thread brings nothing more */
    weir_status status;          /* T: why */
    int system_error;            /* T: errno then */
    char error[256];             /* T: the words for it */
    struct weir__thread thread;
};

struct weir__inlets {
    struct weir__mutex lock;
    struct weir__waitlist taker;
    struct inlet *first, *last; /* L: the line */
    size_t alive;               /* L */
    bool is_ending;             /* L: nothing more is asked for */
    bool is_interrupted;        /* L: nothing more is handed out */
    bool told;                  /* L: the sources were interrupted */
    weir_status status;         /* L: of the first to fail */
    int system_error;           /* L */
    char error[256];            /* L */
    bool has_started;           /* the taker's */
    size_t started;             /* the taker's: threads to join */
    uint64_t generation;        /* I */
    size_t inlet_count, most;   /* I */
    int64_t patience_ns;        /* I */
    struct inlet inlets[];
};

/* ------------------------------------------------------------------ ending */

/* Nothing more is asked for; interrupts the sources, the first time. */
static void end_inlets(struct weir__inlets *ins, bool interrupted)
{
    bool tell;

    weir__mutex_lock(&ins->lock);
    ins->is_ending = true;
    ins->is_interrupted = ins->is_interrupted || interrupted;
    tell = !ins->told;
    ins->told = true;
    for (size_t i = 0; i < ins->inlet_count; i++)
        weir__waitlist_wake_all(&ins->inlets[i].room);
    weir__waitlist_wake_all(&ins->taker);
    weir__mutex_unlock(&ins->lock);
    for (size_t i = 0; tell && i < ins->inlet_count; i++) {
        const weir_producer *p = &ins->inlets[i].source;

        if (p->interrupt)
            p->interrupt(p->self);
    }
}

/* Whoever fails first says why. */
static void note_source_failure(struct weir__inlets *ins, weir_status status,
                                const char *error)
{
    int system_error = errno;

    weir__mutex_lock(&ins->lock);
    if (!ins->status) {
        ins->status = status;
        ins->system_error = system_error;
        snprintf(ins->error, sizeof(ins->error), "%s", error);
    }
    weir__mutex_unlock(&ins->lock);
    end_inlets(ins, false);
}

/* ------------------------------------------------------------- the threads */

/* Waits for room; false if no more is wanted. */
static bool await_inlet_room(struct inlet *in)
{
    struct weir__inlets *ins = in->inlets;
    struct weir__turn turn = {0};
    bool wanted;

    weir__mutex_lock(&ins->lock);
    while (in->count == ins->most && !ins->is_ending) {
        weir_status status =
            weir__waitlist_wait(&in->room, &ins->lock, &turn, WEIR_FOREVER);

        (void)status; /* there is no deadline */
    }
    wanted = !ins->is_ending;
    weir__mutex_unlock(&ins->lock);
    return wanted;
}

static void hold_item(struct inlet *in)
{
    struct weir__inlets *ins = in->inlets;
    size_t bytes = in->source.item_size;

    weir__mutex_lock(&ins->lock);
    memcpy(in->held + in->count * bytes, in->coming, bytes);
    if (in->count++ == 0) {
        in->since_ns = weir__now();
        in->behind = NULL;
        if (ins->last)
            ins->last->behind = in;
        else
            ins->first = in;
        ins->last = in;
        weir__waitlist_wake_all(&ins->taker);
    } else if (in->count == ins->most) {
        weir__waitlist_wake_all(&ins->taker);
    }
    weir__mutex_unlock(&ins->lock);
}

static void fill_inlet(void *arg)
{
    struct inlet *in = arg;
    weir_status status = WEIR_END;

    while (await_inlet_room(in)) {
        status = in->source.next(in->source.self, in->coming);
        if (status)
            break;
        hold_item(in);
        status = WEIR_END; /* told to end before it said more */
    }
    in->status = status;
    in->system_error = errno;
    snprintf(in->error, sizeof(in->error), "%s", weir_last_error());
}

static void inlet_left(void *arg)
{
    struct inlet *in = arg;
    struct weir__inlets *ins = in->inlets;

    if (in->status != WEIR_END) {
        errno = in->system_error;
        note_source_failure(ins, in->status, in->error);
    }
    weir__mutex_lock(&ins->lock);
    if (!in->is_over) {
        in->is_over = true;
        ins->alive--;
        weir__waitlist_wake_all(&ins->taker);
    }
    weir__mutex_unlock(&ins->lock);
}

static weir_status start_inlet(struct inlet *in, size_t number)
{
    char suffix[24];

    snprintf(suffix, sizeof(suffix), "in%zu", number);
    weir__thread_set_name(&in->thread, "weir", suffix);
    in->thread.run = fill_inlet;
    in->thread.ended = inlet_left;
    in->thread.arg = in;
    /* Stands if next ends the thread instead of returning. */
    in->status = WEIR_ESYSTEM;
    snprintf(in->error, sizeof(in->error),
             "a producer's next ended its thread");
    return weir__thread_start(&in->thread);
}

static void start_inlets(struct weir__inlets *ins)
{
    ins->has_started = true;
    weir__mutex_lock(&ins->lock);
    ins->alive = ins->inlet_count;
    weir__mutex_unlock(&ins->lock);
    for (; ins->started < ins->inlet_count; ins->started++) {
        weir_status status =
            start_inlet(&ins->inlets[ins->started], ins->started);

        if (status) {
            note_source_failure(ins, status, weir_last_error());
            break;
        }
    }
    weir__mutex_lock(&ins->lock);
    ins->alive -= ins->inlet_count - ins->started;
    weir__mutex_unlock(&ins->lock);
}

/* ------------------------------------------------------------------ taking */

/* Until when the first in the line may go on collecting. */
static weir_deadline ripe_at(const struct weir__inlets *ins)
{
    const struct inlet *in = ins->first;
    weir_deadline at = WEIR_FOREVER;

    if (in && (in->count == ins->most || in->is_over || ins->is_ending))
        return WEIR_NOW;
    if (in)
        at.at_ns = weir__moment_after(in->since_ns, ins->patience_ns);
    return at;
}

/* Waits for a ripe inlet or the end of all; NULL: that, or the interrupt. */
static struct inlet *
await_ripe_locked(struct weir__inlets *ins) WEIR_REQUIRES(ins->lock)
{
    struct weir__turn turn = {0};

    while (!ins->is_interrupted && (ins->first || ins->alive > 0)) {
        weir_deadline at = ripe_at(ins);
        weir_status status;

        if (!weir__is_forever(at) && at.at_ns <= weir__now())
            return ins->first;
        status = weir__waitlist_wait(&ins->taker, &ins->lock, &turn, at);
        (void)status; /* what is ripe is asked again */
    }
    return NULL;
}

static void
empty_inlet_locked(struct weir__inlets *ins, struct inlet *in, void *items,
                   size_t *count) WEIR_REQUIRES(ins->lock)
{
    memcpy(items, in->held, in->count * in->source.item_size);
    *count = in->count;
    in->count = 0;
    ins->first = in->behind;
    if (!ins->first)
        ins->last = NULL;
    weir__waitlist_wake_all(&in->room);
}

/* Why there is nothing more. */
static weir_status tell_inlets_end(struct weir__inlets *ins)
{
    if (ins->is_interrupted)
        return WEIR_CANCELLED;
    if (!ins->status)
        return WEIR_END;
    errno = ins->system_error;
    return weir__refuse(ins->status, "%s", ins->error);
}

weir_status weir__inlets_take(struct weir__inlets *ins, void *items,
                              size_t *count, size_t *from)
{
    weir_status status = WEIR_OK;
    struct inlet *in;

    if (weir__is_forked(ins->generation))
        return weir__refuse_forked("producer");
    if (!ins->has_started)
        start_inlets(ins);
    weir__mutex_lock(&ins->lock);
    in = await_ripe_locked(ins);
    if (in) {
        empty_inlet_locked(ins, in, items, count);
        *from = (size_t)(in - ins->inlets);
    } else {
        status = tell_inlets_end(ins);
    }
    weir__mutex_unlock(&ins->lock);
    return status;
}

void weir__inlets_interrupt(struct weir__inlets *ins)
{
    if (!weir__is_forked(ins->generation))
        end_inlets(ins, true);
}

/* ------------------------------------------------ what becomes of the items */

const weir_producer *
weir__inlets_source(const struct weir__inlets *ins, size_t from)
{
    return &ins->inlets[from].source;
}

void weir__inlets_settle(const struct weir__inlets *ins, size_t from,
                         const void *items, size_t count,
                         const weir_outcome *outcome)
{
    const weir_producer *p = &ins->inlets[from].source;
    const unsigned char *item = items;

    for (size_t i = 0; p->settle && i < count; i++)
        p->settle(p->self, item + i * p->item_size, outcome);
}

void weir__inlets_release(const struct weir__inlets *ins, size_t from,
                          void *items, size_t count)
{
    const weir_producer *p = &ins->inlets[from].source;
    unsigned char *item = items;

    for (size_t i = 0; p->release && i < count; i++)
        p->release(p->self, item + i * p->item_size);
}

/* -------------------------------------------------------------------- life */

static void free_inlets(struct weir__inlets *ins)
{
    for (size_t i = 0; i < ins->inlet_count; i++) {
        weir__release(ins->inlets[i].held);
        weir__release(ins->inlets[i].coming);
    }
    weir__release(ins);
}

static bool furnish_inlet(struct weir__inlets *ins, struct inlet *in,
                          const weir_producer *source)
{
    in->inlets = ins;
    in->source = *source;
    in->held = weir__allocate_many(ins->most, source->item_size);
    in->coming = weir__allocate(source->item_size);
    return in->held && in->coming;
}

weir_status
weir__inlets_create(struct weir__inlets **out, const weir_producer *sources,
                    size_t count, size_t most, int64_t patience_ns)
{
    struct weir__inlets *ins = NULL;
    weir_status status = weir__fork_watch();
    bool furnished;

    if (status)
        return status;
    if (count <= (SIZE_MAX - sizeof(*ins)) / sizeof(ins->inlets[0]))
        ins = weir__allocate(sizeof(*ins) + count * sizeof(ins->inlets[0]));
    if (!ins)
        return weir__refuse(WEIR_ENOMEM, "no memory for a producer");
    ins->inlet_count = count;
    ins->most = most;
    ins->patience_ns = patience_ns;
    ins->generation = weir__fork_generation();
    furnished = true;
    for (size_t i = 0; furnished && i < count; i++)
        furnished = furnish_inlet(ins, &ins->inlets[i], &sources[i]);
    status = furnished ? weir__mutex_init(&ins->lock, WEIR__RANK_RUN)
                       : weir__refuse(WEIR_ENOMEM, "no memory for a producer");
    if (status)
        free_inlets(ins);
    else
        *out = ins;
    return status;
}

static void give_back_held(struct weir__inlets *ins, size_t from)
{
    struct inlet *in = &ins->inlets[from];
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    outcome.kind = WEIR_OUTCOME_CANCELLED;
    outcome.message = "its producer was closed before it was handed out";
    weir__inlets_settle(ins, from, in->held, in->count, &outcome);
    weir__inlets_release(ins, from, in->held, in->count);
}

void weir__inlets_close(struct weir__inlets *ins)
{
    /* A fork child has none of the threads, and what is held is its parent's;
     * what a source does there it knows itself. */
    bool is_ours = !weir__is_forked(ins->generation);

    if (is_ours && ins->started > 0)
        end_inlets(ins, true);
    for (size_t i = 0; is_ours && i < ins->started; i++)
        weir__thread_join(&ins->inlets[i].thread);
    for (size_t i = 0; i < ins->inlet_count; i++) {
        const weir_producer *p = &ins->inlets[i].source;

        if (is_ours)
            give_back_held(ins, i);
        if (p->close)
            p->close(p->self);
    }
    if (is_ours)
        weir__mutex_dispose(&ins->lock);
    free_inlets(ins);
}
