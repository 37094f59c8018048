/* SPDX-License-Identifier: MIT */
/* cast.c - see cast.h. */
#include "cast.h"

#include <string.h>

#include "world.h"

static struct player {
    void (*act)(unsigned number);
    unsigned number;
    unsigned thread; /* of the world */
} players[WORLD_THREADS];
static unsigned player_count;

void cast_reset(void)
{
    memset(players, 0, sizeof(players));
    player_count = 0;
}

static void play_part(void *arg)
{
    const struct player *player = arg;

    player->act(player->number);
}

void start(void (*run)(unsigned number), unsigned number)
{
    struct player *player = &players[player_count++];

    player->act = run;
    player->number = number;
    player->thread = world_spawn(play_part, NULL, player);
}

void join_all(void)
{
    for (unsigned i = 0; i < player_count; i++)
        world_join(players[i].thread);
}

bool cast_has(unsigned thread)
{
    bool has = thread == 0;

    for (unsigned i = 0; i < player_count; i++)
        has |= players[i].thread == thread;
    return has;
}

weir_deadline soon(void)
{
    return weir_deadline_after(WEIR_MS(1));
}

weir_deadline later(void)
{
    return weir_deadline_after(WEIR_SECONDS(1));
}
