/* SPDX-License-Identifier: MIT */
/* places.c - see places.h. */
#include "flow/places.h"

#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/park.h"
#include "task/outcome.h"

static size_t round_up(size_t bytes)
{
    size_t unit = alignof(struct weir__place);

    return (bytes + unit - 1) / unit * unit;
}

static void release_places(struct weir__places *places)
{
    weir__release(places->seats);
    weir__release(places->memory);
    places->memory = NULL;
}

weir_status
weir__places_init(struct weir__places *places, size_t tickets, size_t spares,
                  size_t item_size, size_t result_size)
{
    size_t all = tickets + spares;
    weir_status status;

    *places = (struct weir__places){.tickets = tickets, .spares = spares};
    places->stride = sizeof(struct weir__place) + round_up(item_size) +
                     round_up(result_size);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are meant */
    places->seats = weir__allocate_many(all, sizeof(*places->seats));
    places->memory = weir__allocate_many(all, places->stride);
    if (!places->seats || !places->memory) {
        release_places(places);
        return weir__refuse(WEIR_ENOMEM, "no memory for a window of %zu",
                            tickets);
    }
    status = weir__mutex_init(&places->lock, WEIR__RANK_STREAM);
    if (status) {
        release_places(places);
        return status;
    }
    places->spare = places->seats + tickets;
    for (size_t i = 0; i < all; i++) {
        struct weir__place *place = weir__places_at(places, i);

        place->kept.item = place->item;
        place->result = place->item + round_up(item_size);
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
weir__places_seat(struct weir__places *places, size_t ticket,
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
    place->is_lost = false;
    weir__counter_write(&place->holds,
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
    size_t length = strlen(outcome->message);

    if (length >= sizeof(place->message))
        length = sizeof(place->message) - 1;
    memcpy(place->message, outcome->message, length);
    place->message[length] = '\0';
    place->outcome = *outcome;
    place->outcome.message = place->message;
    place->outcome.result = NULL;
    if (outcome->result_size > 0) {
        memcpy(place->result, outcome->result, outcome->result_size);
        place->outcome.result = place->result;
    }
    place->overdue = overdue;
    place->settled = true;
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
