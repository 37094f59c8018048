/* SPDX-License-Identifier: MIT */
/* states.c - see states.h.  A hash table with open addresses. */
#include "states.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_ROOM = 1 << 12, MOST_ROOM = 1 << 25 };

static struct table {
    uint64_t *state; /* 0: free */
    unsigned char *with;
    size_t room, count;
} table;

static size_t place_of(const struct table *in, uint64_t state)
{
    size_t at = (size_t)state & (in->room - 1);

    while (in->state[at] != 0 && in->state[at] != state)
        at = (at + 1) & (in->room - 1);
    return at;
}

/* Returns whether there is room for one more. */
static bool grow(void)
{
    struct table into = {.room = table.room ? table.room * 2 : LEAST_ROOM};

    if (table.count < table.room / 4 * 3)
        return true;
    if (into.room > MOST_ROOM)
        return table.count + 1 < table.room;
    into.state = calloc(into.room, sizeof(*into.state));
    into.with = malloc(into.room);
    if (!into.state || !into.with) {
        free(into.state);
        free(into.with);
        return table.count + 1 < table.room;
    }
    into.count = table.count;
    for (size_t i = 0; i < table.room; i++)
        if (table.state[i] != 0) {
            size_t at = place_of(&into, table.state[i]);

            into.state[at] = table.state[i];
            into.with[at] = table.with[i];
        }
    free(table.state);
    free(table.with);
    table = into;
    return true;
}

void states_forget(void)
{
    free(table.state);
    free(table.with);
    table = (struct table){.room = 0};
}

/* Returns where it is; NULL: it is new, and is kept if there is room. */
static unsigned char *find(uint64_t state, unsigned char with)
{
    bool has_room = grow();
    size_t at;

    if (table.room == 0)
        return NULL;
    state = state ? state : 1;
    at = place_of(&table, state);
    if (table.state[at] == state)
        return &table.with[at];
    if (has_room) {
        table.state[at] = state;
        table.with[at] = with;
        table.count++;
    }
    return NULL;
}

bool states_has(uint64_t state, unsigned char with)
{
    unsigned char *least = find(state, with);

    if (!least)
        return false;
    if (*least <= with)
        return true;
    *least = with;
    return false;
}

unsigned char states_first(uint64_t state, unsigned char with)
{
    const unsigned char *first = find(state, with);

    return first ? *first : with;
}

size_t states_count(void)
{
    return table.count;
}
