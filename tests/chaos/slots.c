/* SPDX-License-Identifier: MIT */
/* slots.c - a place for each task that lives, and the steps of its life. */
#include "chaos.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { SLOTS = 16384 };

static const char *const life_names[] = {"free", "out", "settled"};

static struct slot *slots;
static struct slot *free_slots;
static uint64_t out;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed;

void slots_create(void)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&freed, &attr);
    pthread_condattr_destroy(&attr);
    slots = calloc(SLOTS, sizeof(slots[0]));
    if (!slots)
        fail("no memory for the slots");
    for (size_t i = 0; i < SLOTS; i++) {
        slots[i].next = free_slots;
        free_slots = &slots[i];
    }
}

void slots_destroy(void)
{
    pthread_cond_destroy(&freed);
    free(slots);
}

/* Until there is one. */
static void await_free_slot(void)
{
    int64_t until_ns = hang().at_ns;
    struct timespec until = {until_ns / WEIR_SECONDS(1),
                             until_ns % WEIR_SECONDS(1)};

    while (!free_slots)
        if (pthread_cond_timedwait(&freed, &mutex, &until) == ETIMEDOUT)
            fail("%d tasks are out and none comes back", SLOTS);
}

struct slot *slot_take(const struct kind *kind, enum house_id house,
                       uint32_t random, bool may_wait)
{
    struct slot *slot;
    uint64_t serial;

    pthread_mutex_lock(&mutex);
    if (!free_slots && may_wait)
        await_free_slot();
    slot = free_slots;
    if (slot) {
        free_slots = slot->next;
        out++;
    }
    pthread_mutex_unlock(&mutex);
    if (!slot)
        return NULL;
    slot->kind = kind;
    slot->house = house;
    slot->random = random | 1;
    serial = weir__counter_read(&slot->life) / LIVES + 1;
    slot->ticket = (struct ticket){slot, serial, (uint32_t)kind_number(kind),
                                   slot->random};
    weir__counter_write(&slot->life, serial * LIVES + LIFE_OUT);
    return slot;
}

void slot_give_back(struct slot *slot)
{
    pthread_mutex_lock(&mutex);
    slot->next = free_slots;
    free_slots = slot;
    out--;
    pthread_cond_signal(&freed);
    pthread_mutex_unlock(&mutex);
}

uint64_t slots_out(void)
{
    uint64_t count;

    pthread_mutex_lock(&mutex);
    count = out;
    pthread_mutex_unlock(&mutex);
    return count;
}

static bool is_slot(const struct ticket *ticket)
{
    return ticket->slot >= slots && ticket->slot < slots + SLOTS;
}

_Noreturn static void
fail_life(const struct ticket *ticket, const char *what, uint64_t found)
{
    fail("a task of kind %s in pool %s %s: it is %s, and task %llu of its "
         "slot where %llu is meant",
         ticket->slot->kind->name, houses[ticket->slot->house].name, what,
         life_names[found % LIVES], (unsigned long long)(found / LIVES),
         (unsigned long long)ticket->serial);
}

void slot_step(const struct ticket *ticket, enum life from, enum life to,
               const char *what)
{
    uint64_t found = ticket->serial * LIVES + from;

    if (!is_slot(ticket))
        fail("a task %s, but its item is no ticket", what);
    if (!weir__counter_compare_swap(&ticket->slot->life, &found,
                                    ticket->serial * LIVES + to))
        fail_life(ticket, what, found);
}

bool slot_is_out(const struct ticket *ticket)
{
    uint64_t found = weir__counter_read(&ticket->slot->life);

    return found / LIVES == ticket->serial && found % LIVES != LIFE_FREE;
}

void slot_check(const struct ticket *ticket, const char *what)
{
    uint64_t found;

    if (!is_slot(ticket))
        fail("a task %s, but its item is no ticket", what);
    found = weir__counter_read(&ticket->slot->life);
    if (!slot_is_out(ticket))
        fail_life(ticket, what, found);
}
