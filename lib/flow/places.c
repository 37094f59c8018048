/* SPDX-License-Identifier: MIT */
/* places.c - see places.h. */
#include "flow/places.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/park.h"
#include "task/outcome.h"

static size_t round_up(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

static void release_places(struct weir__places *places)
{
    weir__release(places->seats);
    weir__release(places->words);
    weir__release_apart(places->memory);
    places->memory = NULL;
}

/* Small items are not to share a line with those beside them. */
static weir_status
allocate_places(struct weir__places *places, size_t item_size, size_t words)
{
    size_t all = places->tickets + places->spares;

    places->stride =
        round_up(sizeof(struct weir__place) + item_size, WEIR__APART);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are meant */
    places->seats = weir__allocate_many(all, sizeof(*places->seats));
    places->words = weir__allocate_many(all, words);
    if (all <= SIZE_MAX / places->stride)
        places->memory = weir__allocate_apart(all * places->stride);
    if (places->seats && places->words && places->memory)
        return WEIR_OK;
    release_places(places);
    return weir__refuse(WEIR_ENOMEM, "no memory for a window of %zu",
                        places->tickets);
}

weir_status
weir__places_init(struct weir__places *places, size_t tickets, size_t spares,
                  size_t item_size, size_t result_size)
{
    size_t words =
        WEIR__MESSAGE_BYTES + round_up(result_size, alignof(max_align_t));
    weir_status status;

    *places = (struct weir__places){.tickets = tickets, .spares = spares};
    status = allocate_places(places, item_size, words);
    if (status)
        return status;
    status = weir__mutex_init(&places->lock, WEIR__RANK_STREAM);
    if (status) {
        release_places(places);
        return status;
    }
    places->spare = places->seats + tickets;
    for (size_t i = 0; i < tickets + spares; i++) {
        struct weir__place *place = weir__places_at(places, i);

        place->kept.item = place->item;
        place->words = places->words + i * words;
        places->seats[i] = place;
    }
    return WEIR_OK;
}

void weir__places_dispose(struct weir__places *places)
{
    weir__mutex_dispose(&places->lock);
    release_places(places);
}

/* ------------------------------------------------------------------ seating */

static bool is_vacant(const struct weir__place *place)
{
    return weir__counter_read(&place->holds) == 0;
}

/* Its own, or one of the spare ones in its stead. */
static struct weir__place *
find_place(struct weir__places *places, size_t ticket)
{
    struct weir__place **seat = &places->seats[ticket];

    for (size_t n = 0; !is_vacant(*seat) && n < places->spares; n++) {
        struct weir__place **spare = &places->spare[places->at];

        places->at = (places->at + 1) % places->spares;
        if (is_vacant(*spare)) {
            struct weir__place *held = *seat;

            *seat = *spare;
            *spare = held;
        }
    }
    return is_vacant(*seat) ? *seat : NULL;
}

static void want_all(struct weir__places *places)
{
    for (size_t i = 0; i < places->tickets + places->spares; i++) {
        struct weir__place *place = weir__places_at(places, i);
        uint64_t holds = weir__counter_read(&place->holds);

        while (holds != 0 &&
               !weir__counter_compare_swap(&place->holds, &holds,
                                           holds | WEIR__HELD_BUT_WANTED))
            continue;
    }
}

static struct weir__place *
wait_for_place(struct weir__places *places, size_t ticket,
               const struct weir__flag *gives_up)
{
    struct weir__place *place = NULL;
    struct weir__turn turn = {0};

    weir__mutex_lock(&places->lock);
    for (;;) {
        weir_status status;

        want_all(places);
        place = find_place(places, ticket);
        if (place || weir__flag_read(gives_up))
            break;
        status = weir__waitlist_wait(&places->freed, &places->lock, &turn,
                                     WEIR_FOREVER);
        (void)status; /* there is no deadline */
    }
    weir__mutex_unlock(&places->lock);
    return place;
}

struct weir__place *
weir__places_seat(struct weir__places *places, uint32_t ticket,
                  const struct weir__flag *gives_up)
{
    struct weir__place *place = find_place(places, ticket);

    if (!place)
        place = wait_for_place(places, ticket, gives_up);
    if (!place)
        return NULL;
    place->ticket = ticket;
    place->accepted = false;
    place->settled = false;
    weir__counter_write_release(&place->holds,
                                WEIR__HELD_BY_POOL | WEIR__HELD_BY_READER);
    return place;
}

void weir__places_recall(struct weir__places *places)
{
    weir__mutex_lock(&places->lock);
    weir__waitlist_wake_all(&places->freed);
    weir__mutex_unlock(&places->lock);
}

/* ------------------------------------------------------------------ holding */

void weir__place_settle(struct weir__place *place, const weir_outcome *outcome,
                        bool overdue)
{
    place->kind = outcome->kind;
    place->code = outcome->code;
    place->attempts = outcome->attempts;
    place->task_id = outcome->task_id;
    place->waited_ns = outcome->waited_ns;
    place->ran_ns = outcome->ran_ns;
    place->has_message = outcome->message[0] != '\0';
    if (place->has_message)
        snprintf((char *)place->words, WEIR__MESSAGE_BYTES, "%s",
                 outcome->message);
    place->result_size = outcome->result_size;
    if (outcome->result_size > 0)
        memcpy(place->words + WEIR__MESSAGE_BYTES, outcome->result,
               outcome->result_size);
    place->overdue = overdue;
    place->settled = true;
}

weir_outcome weir__place_outcome(const struct weir__place *place)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    outcome.kind = place->kind;
    outcome.code = place->code;
    outcome.attempts = place->attempts;
    outcome.task_id = place->task_id;
    outcome.waited_ns = place->waited_ns;
    outcome.ran_ns = place->ran_ns;
    outcome.message = place->has_message ? (const char *)place->words : "";
    outcome.result_size = place->result_size;
    if (place->result_size > 0)
        outcome.result = place->words + WEIR__MESSAGE_BYTES;
    return outcome;
}

bool weir__place_let_go(struct weir__place *place, enum weir__hold hold)
{
    uint64_t both = WEIR__HELD_BY_POOL | WEIR__HELD_BY_READER;
    uint64_t before = weir__counter_read(&place->holds);

    /* The last one keeps its own until the item is released: the place is not
     * free before that. */
    do {
        if ((before & both) == (uint64_t)hold)
            return true;
    } while (!weir__counter_compare_swap(&place->holds, &before,
                                         before & ~(uint64_t)hold));
    return false;
}

bool weir__places_free(struct weir__places *places, struct weir__place *place)
{
    uint64_t before = weir__counter_read(&place->holds);

    while (!(before & WEIR__HELD_BUT_WANTED))
        if (weir__counter_compare_swap(&place->holds, &before, 0))
            return before & WEIR__HELD_AFTER_CLOSE;
    weir__mutex_lock(&places->lock);
    before = weir__counter_and(&place->holds, 0);
    weir__waitlist_wake_all(&places->freed);
    weir__mutex_unlock(&places->lock);
    return before & WEIR__HELD_AFTER_CLOSE;
}
