/* SPDX-License-Identifier: MIT */
/* carry.c - items on their way past the posts of a crew.  The essay is in
 * crew.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "flow/crew.h"
#include "observe/ledger.h"
#include "task/outcome.h"
#include "task/task.h"

enum { QUICK_NS = 2000 };

static const char ended_before[] = "the pipeline ended before this stage";

/* -------------------------------------------------------------------- lists */

static void append_cargo(struct weir__cargoes *list, struct weir__cargo *cargo)
{
    cargo->next = NULL;
    if (list->first)
        list->last->next = cargo;
    else
        list->first = cargo;
    list->last = cargo;
}

static struct weir__cargo *take_cargo(struct weir__cargoes *list)
{
    struct weir__cargo *cargo = list->first;

    if (cargo)
        list->first = cargo->next;
    return cargo;
}

static struct weir__cargo *
cargo_of(const struct weir__crew *crew, uint64_t number)
{
    size_t at = (size_t)(number - 1) * crew->stride;

    return number ? (struct weir__cargo *)(void *)(crew->memory + at) : NULL;
}

/* ------------------------------------------------------------------- places */

static void enter_post(struct weir__crew *crew, struct weir__post *post,
                       struct weir__cargo *cargo) WEIR_REQUIRES(crew->lock)
{
    (void)crew;
    post->held++;
    post->ledger.accepted++;
    post->ledger.queued++;
    append_cargo(&post->waiting, cargo);
}

/* One place of the post is free.  Returns who has it now: it was done at the
 * post before. */
static struct weir__cargo *
vacate(struct weir__crew *crew, struct weir__post *post)
    WEIR_REQUIRES(crew->lock)
{
    post->held--;
    if (post != crew->posts)
        return take_cargo(&post[-1].done);
    weir__counter_write_release(&crew->onward,
                                weir__counter_read(&crew->onward) + 1);
    return NULL;
}

/* From the post to the next one, where there is a place; and who can goes on
 * then, back to the first post. */
static void move_on(struct weir__crew *crew, struct weir__post *post,
                    struct weir__cargo *cargo) WEIR_REQUIRES(crew->lock)
{
    for (; cargo; post--) {
        enter_post(crew, post + 1, cargo);
        cargo = vacate(crew, post);
    }
}

/* Words for the first failure of all. */
static void word_first(struct weir__crew *crew, const struct weir__post *post,
                       const weir_outcome *outcome) WEIR_REQUIRES(crew->lock)
{
    char code[24] = "";

    if (outcome->code != 0)
        snprintf(code, sizeof(code), ", code %d", outcome->code);
    snprintf(crew->first_failure, sizeof(crew->first_failure),
             "stage %s: %s%s: %s", post->name, weir_outcome_name(outcome->kind),
             code, outcome->message);
}

void weir__crew_leave(struct weir__crew *crew, struct weir__post *post,
                      struct weir__cargo *cargo, const weir_outcome *outcome)
{
    struct weir__cargo *next;

    weir__ledger_add(&crew->ledger, weir__ledger_column(outcome->kind), 1);
    if (outcome->kind != WEIR_OUTCOME_DONE && crew->first_failure[0] == '\0')
        word_first(crew, post, outcome);
    crew->left++;
    if (cargo)
        append_cargo(&crew->spare, cargo);
    next = vacate(crew, post);
    if (next)
        move_on(crew, post - 1, next);
}

/* -------------------------------------------------------------------- inbox */

static void take_inbox(struct weir__crew *crew) WEIR_REQUIRES(crew->lock)
{
    struct weir__cargo *newest, *first = NULL;

    if (weir__counter_read(&crew->inbox) == 0)
        return;
    newest = cargo_of(crew, weir__counter_and(&crew->inbox, 0));
    while (newest) {
        struct weir__cargo *before = newest->next;

        newest->next = first;
        first = newest;
        newest = before;
    }
    while (first) {
        struct weir__cargo *cargo = first;

        first = cargo->next;
        crew->ledger.accepted++;
        enter_post(crew, crew->posts, cargo);
    }
}

/* From a source that is at hand, so many at most. */
static void
draw_items(struct weir__crew *crew, size_t most) WEIR_REQUIRES(crew->lock)
{
    struct weir__post *first = crew->posts;

    crew->has_fed |= crew->is_ending;
    while (most-- > 0 && !crew->has_fed && first->held < first->window) {
        struct weir__cargo *cargo = take_cargo(&crew->spare);

        if (crew->drawn.next(crew->drawn.self, cargo->bytes)) {
            crew->has_fed = true;
            append_cargo(&crew->spare, cargo);
            return;
        }
        crew->ledger.accepted++;
        enter_post(crew, first, cargo);
    }
}

/* What the source has, if nothing waits for the first post. */
static void take_more(struct weir__crew *crew) WEIR_REQUIRES(crew->lock)
{
    if (!crew->drawn.next)
        take_inbox(crew);
    else if (!crew->posts[0].waiting.first && crew->posts[0].free_count > 0)
        draw_items(crew, 1);
}

/* --------------------------------------------------------------- who works */

/* The one that is furthest on and has something to begin, or NULL. */
static struct weir__post *
find_post(struct weir__crew *crew) WEIR_REQUIRES(crew->lock)
{
    for (size_t i = crew->count; i-- > 0;) {
        struct weir__post *post = &crew->posts[i];

        if (post->waiting.first && post->free_count > 0)
            return post;
    }
    return NULL;
}

static size_t feeders_room(const struct weir__crew *crew)
{
    return crew->posts[0].window - (size_t)(weir__hint_read(&crew->given) -
                                            weir__counter_read(&crew->onward));
}

static void
wake_idlers(struct weir__crew *crew, size_t most) WEIR_REQUIRES(crew->lock)
{
    size_t count = crew->parked < most ? crew->parked : most;

    weir__waitlist_wake(&crew->idlers, count);
    crew->parked -= count;
    crew->active += count;
}

static void see_the_end(struct weir__crew *crew) WEIR_REQUIRES(crew->lock)
{
    if (crew->is_over || !crew->has_fed || crew->left != crew->ledger.accepted)
        return;
    crew->is_over = true;
    weir__waitlist_wake_all(&crew->watch);
    wake_idlers(crew, crew->parked);
}

static void cancel_all(struct weir__crew *crew) WEIR_REQUIRES(crew->lock)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    outcome.kind = WEIR_OUTCOME_CANCELLED;
    for (size_t i = crew->count; i-- > 0;) {
        struct weir__post *post = &crew->posts[i];
        struct weir__cargo *cargo;

        outcome.message = ended_before;
        while ((cargo = take_cargo(&post->done)))
            weir__crew_leave(crew, post, cargo, &outcome);
        outcome.message = weir__outcome_message(WEIR_OUTCOME_CANCELLED);
        while ((cargo = take_cargo(&post->waiting))) {
            post->ledger.queued--;
            post->ledger.cancelled++;
            weir__crew_leave(crew, post, cargo, &outcome);
        }
    }
}

void weir__crew_look(struct weir__crew *crew)
{
    bool hungry = crew->active == crew->slow;

    if (hungry != weir__flag_read(&crew->hungry))
        weir__flag_write(&crew->hungry, hungry);
    if (hungry || crew->is_ending || crew->has_fed)
        take_inbox(crew); /* after the flag: see MEMORY ORDER */
    if (crew->drawn.next && (hungry || crew->is_ending))
        draw_items(crew, crew->posts[0].window);
    if (crew->is_ending)
        cancel_all(crew);
    see_the_end(crew);
    if (crew->feeder.first &&
        (crew->is_ending || feeders_room(crew) >= crew->posts[0].window / 2 ||
         (hungry && feeders_room(crew) > 0)))
        weir__waitlist_wake(&crew->feeder, 1);
    if (!hungry || crew->parked == 0 || !find_post(crew))
        return;
    wake_idlers(crew, 1);
    weir__flag_write(&crew->hungry, false);
}

/* ------------------------------------------------------------------ running */

static bool is_to_be_timed(struct weir__post *post)
{
    if (post->is_quick && ++post->untimed < WEIR__QUICK_TIMED)
        return false;
    post->untimed = 0;
    return true;
}

static void begin_carrying(struct weir__crew *crew, struct weir__bearer *bearer,
                           struct weir__post *post, weir_task *task)
    WEIR_REQUIRES(crew->lock)
{
    struct weir__attempt attempt = {.id = ++post->tasks,
                                    .attempt = 1,
                                    .context = post->context,
                                    .deadline = WEIR_FOREVER};

    bearer->post = post;
    bearer->cargo = take_cargo(&post->waiting);
    bearer->number = post->numbers[--post->free_count];
    bearer->runs++;
    bearer->is_slow = !post->is_quick;
    crew->slow += bearer->is_slow;
    post->ledger.queued--;
    post->ledger.running++;
    post->ledger.attempts++;
    attempt.worker = bearer->number;
    task->result_room = post->result_room;
    /* With the lock, so that whoever ends it all first, and asks what runs to
     * stop then, does not ask in vain. */
    weir__task_begin(task, &attempt);
    if (!bearer->is_slow && crew->watch_sleeps) {
        crew->watch_sleeps = false;
        weir__waitlist_wake_all(&crew->watch);
    }
    bearer->began_ns = is_to_be_timed(post) ? weir__now() : 0;
}

static void note_time(struct weir__bearer *bearer)
{
    struct weir__post *post = bearer->post;

    if (bearer->began_ns == 0)
        return;
    if (weir__now() - bearer->began_ns >= QUICK_NS) {
        post->is_quick = false;
        post->quick_runs = 0;
    } else if (!post->is_quick && ++post->quick_runs >= WEIR__QUICK_RUNS) {
        post->is_quick = true;
    }
}

/* The post has done with the bearer, whose cargo is anybody's. */
static struct weir__cargo *
put_down(struct weir__crew *crew, struct weir__bearer *bearer)
    WEIR_REQUIRES(crew->lock)
{
    struct weir__post *post = bearer->post;
    struct weir__cargo *cargo = bearer->cargo;

    post->numbers[post->free_count++] = bearer->number;
    crew->slow -= bearer->is_slow;
    bearer->is_slow = false;
    bearer->post = NULL;
    bearer->cargo = NULL;
    return cargo;
}

static void go_on(struct weir__crew *crew, struct weir__post *post,
                  struct weir__cargo *cargo, const weir_task *task)
    WEIR_REQUIRES(crew->lock)
{
    const struct weir__post *next = post + 1;

    assert(cargo && "a bearer comes back with what it went with");
    memcpy(cargo->bytes, task->result, next->item_size);
    if (next->held < next->window)
        move_on(crew, post, cargo);
    else
        append_cargo(&post->done, cargo);
}

/* What is DONE, but does not go on. */
static void stay_behind(struct weir__crew *crew, struct weir__post *post,
                        struct weir__cargo *cargo, weir_outcome *outcome)
    WEIR_REQUIRES(crew->lock)
{
    const struct weir__post *next = post + 1;
    char message[128];

    if (next < crew->posts + crew->count && outcome->result_size > 0) {
        bool fits = outcome->result_size == next->item_size;

        if (fits)
            snprintf(message, sizeof(message), "%s", ended_before);
        else
            snprintf(message, sizeof(message),
                     "its result has %zu bytes, but items of stage %s have %zu",
                     outcome->result_size, next->name, next->item_size);
        outcome->kind = fits ? WEIR_OUTCOME_CANCELLED : WEIR_OUTCOME_FAILED;
        outcome->message = message;
    }
    weir__crew_leave(crew, post, cargo, outcome);
    outcome->message = "";
}

/* The handler has come back. */
static void end_carrying(struct weir__crew *crew, struct weir__bearer *bearer,
                         const weir_task *task) WEIR_REQUIRES(crew->lock)
{
    struct weir__post *post = bearer->post;
    const struct weir__post *next = post + 1;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    struct weir__cargo *cargo;

    if (bearer->is_void) { /* all that became of it has been told */
        append_cargo(&crew->spare, put_down(crew, bearer));
        return;
    }
    note_time(bearer);
    cargo = put_down(crew, bearer);
    post->ledger.running--;
    if (weir__task_is_done(task) && next < crew->posts + crew->count &&
        task->result_size == next->item_size && !crew->is_ending) {
        post->ledger.done++;
        go_on(crew, post, cargo, task);
        return;
    }
    weir__task_answer(task, &outcome);
    weir__ledger_add(&post->ledger, weir__ledger_column(outcome.kind), 1);
    if (outcome.kind == WEIR_OUTCOME_FAILED && outcome.message[0] == '\0')
        outcome.message = weir__outcome_message(WEIR_OUTCOME_FAILED);
    if (outcome.kind == WEIR_OUTCOME_DONE)
        stay_behind(crew, post, cargo, &outcome);
    else
        weir__crew_leave(crew, post, cargo, &outcome);
}

/* ------------------------------------------------------------------ bearers */

/* For a moment, if it is the only one: more may come from the feeder. */
static void linger_drops_lock(struct weir__crew *crew) WEIR_REQUIRES(crew->lock)
{
    struct weir__spinner spinner = {0};
    bool came = false;

    if (crew->drawn.next || crew->active != crew->slow + 1 ||
        !crew->posts[0].is_quick || !weir__spin_is_on(&crew->spin))
        return;
    weir__mutex_unlock(&crew->lock);
    while (!came && weir__spin_on(&crew->spin, &spinner))
        came = weir__counter_read(&crew->inbox) != 0;
    weir__spin_end(&crew->spin, &spinner, came);
    weir__mutex_lock(&crew->lock);
}

static void rest_drops_lock(struct weir__crew *crew) WEIR_REQUIRES(crew->lock)
{
    struct weir__turn turn = {0};
    weir_status status;

    crew->active--;
    weir__crew_look(crew);
    if (crew->is_over || find_post(crew)) {
        crew->active++;
        return;
    }
    crew->parked++;
    status =
        weir__waitlist_wait(&crew->idlers, &crew->lock, &turn, WEIR_FOREVER);
    (void)status; /* whoever woke it has counted it */
}

/* What to begin; NULL: the bearer is to end. */
static struct weir__post *
await_post_drops_lock(struct weir__crew *crew,
                      const struct weir__bearer *bearer)
    WEIR_REQUIRES(crew->lock)
{
    bool has_spun = false;

    while (!crew->is_over && !bearer->is_void) {
        struct weir__post *post;

        post = find_post(crew);
        if (!post) {
            take_more(crew);
            post = find_post(crew);
        }
        if (post && !crew->is_ending)
            return post;
        if (!has_spun && !crew->is_ending)
            linger_drops_lock(crew);
        else
            rest_drops_lock(crew);
        has_spun = !has_spun;
    }
    return NULL;
}

int weir__crew_carry(weir_task *task, void *item)
{
    struct weir__bearer *bearer = item;
    struct weir__crew *crew = bearer->crew;
    struct weir__post *post;

    weir__mutex_lock(&crew->lock);
    crew->active++;
    while ((post = await_post_drops_lock(crew, bearer))) {
        void *bytes;

        begin_carrying(crew, bearer, post, task);
        bytes = bearer->cargo->bytes;
        weir__crew_look(crew);
        weir__mutex_unlock(&crew->lock);
        weir__task_run_again(task, post->handler, bytes);
        weir__mutex_lock(&crew->lock);
        end_carrying(crew, bearer, task);
    }
    crew->active--;
    weir__crew_look(crew);
    weir__mutex_unlock(&crew->lock);
    return 0;
}

/* The bearer's thread has ended in a handler, or it was asked to end. */
void weir__crew_settle(void *arg, const void *item, const weir_outcome *outcome,
                       bool overdue)
{
    struct weir__crew *crew = arg;
    struct weir__bearer *bearer = (struct weir__bearer *)item;
    struct weir__post *post;

    weir__mutex_lock(&crew->lock);
    post = bearer->post;
    if (post && !bearer->is_void) {
        struct weir__cargo *cargo = bearer->cargo;

        post->ledger.running--;
        weir__ledger_add(&post->ledger, weir__ledger_column(outcome->kind), 1);
        if (!overdue) {
            cargo = put_down(crew, bearer);
            crew->active--;
        }
        weir__crew_leave(crew, post, overdue ? NULL : cargo, outcome);
    }
    bearer->is_void = overdue;
    weir__crew_look(crew);
    weir__mutex_unlock(&crew->lock);
}

/* ------------------------------------------------------------------- feeder */

static bool has_place(const struct weir__crew *crew)
{
    return crew->put - weir__counter_read(&crew->onward) <
           crew->posts[0].window;
}

static void spin_for_seat(struct weir__crew *crew)
{
    struct weir__spinner spinner = {0};
    bool came = has_place(crew);

    if (came || !weir__spin_is_on(&crew->spin))
        return;
    while (!came && weir__spin_on(&crew->spin, &spinner))
        came = has_place(crew);
    weir__spin_end(&crew->spin, &spinner, came);
}

void *weir__crew_seat(void *arg)
{
    struct weir__crew *crew = arg;
    struct weir__turn turn = {0};
    bool is_ending;

    if (crew->own && has_place(crew))
        return crew->own->bytes;
    spin_for_seat(crew);
    if (crew->own && has_place(crew))
        return crew->own->bytes;
    weir__mutex_lock(&crew->lock);
    while (!crew->is_ending && !has_place(crew)) {
        weir_status status = weir__waitlist_wait(&crew->feeder, &crew->lock,
                                                 &turn, WEIR_FOREVER);

        (void)status; /* there is no deadline */
    }
    is_ending = crew->is_ending;
    if (!crew->own) {
        crew->own = crew->spare.first;
        crew->spare.first = NULL;
    }
    weir__mutex_unlock(&crew->lock);
    return is_ending ? NULL : crew->own->bytes;
}

weir_status weir__crew_take_on(void *arg, void *item)
{
    struct weir__crew *crew = arg;
    struct weir__cargo *cargo = crew->own;
    uint64_t newest = weir__counter_read(&crew->inbox);

    (void)item;
    crew->own = cargo->next;
    weir__hint_write(&crew->given, ++crew->put);
    do
        cargo->next = cargo_of(crew, newest);
    while (!weir__counter_compare_swap(&crew->inbox, &newest, cargo->number));
    if (!weir__flag_read(&crew->hungry))
        return WEIR_OK;
    weir__mutex_lock(&crew->lock);
    weir__crew_look(crew);
    weir__mutex_unlock(&crew->lock);
    return WEIR_OK;
}
