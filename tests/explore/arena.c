/* SPDX-License-Identifier: MIT */
/* arena.c - see arena.h. */
#include "arena.h"

#include <stdint.h>
#include <string.h>

#include "views.h"

enum {
    ARENA_BYTES = 1 << 20,
    GRAIN = ARENA_ALIGNMENT,
    GRAINS = ARENA_BYTES / GRAIN
};

/* What each grain is. */
enum { UNUSED, LIVE, RELEASED };

static _Alignas(GRAIN) unsigned char arena[ARENA_BYTES];
static unsigned char kind[GRAINS + 1]; /* of the last one: UNUSED */
static uint32_t length[GRAINS];        /* of the block that begins there */
static size_t used, live;              /* grains, blocks */

void arena_reset(void)
{
    memset(kind, UNUSED, used);
    used = 0;
    live = 0;
}

void *arena_allocate(size_t bytes)
{
    size_t grains = bytes / GRAIN + 1; /* at least a byte between two blocks */
    size_t first = used;

    if (bytes > ARENA_BYTES || grains > GRAINS - used)
        return NULL;
    used += grains;
    live++;
    memset(arena + first * GRAIN, 0, bytes);
    memset(kind + first, LIVE, grains);
    length[first] = (uint32_t)grains;
    return arena + first * GRAIN;
}

static bool is_ours(const void *address)
{
    uintptr_t at = (uintptr_t)address;

    return at >= (uintptr_t)arena && at < (uintptr_t)arena + ARENA_BYTES;
}

static size_t grain_of(const void *address)
{
    return ((uintptr_t)address - (uintptr_t)arena) / GRAIN;
}

bool arena_release(void *memory)
{
    size_t first;

    if (!is_ours(memory))
        return false;
    first = grain_of(memory);
    if (kind[first] != LIVE || memory != arena + first * GRAIN ||
        length[first] == 0)
        return false;
    views_forget(memory, (size_t)length[first] * GRAIN);
    memset(kind + first, RELEASED, length[first]);
    memset(memory, 0xDD, (size_t)length[first] * GRAIN);
    length[first] = 0;
    live--;
    return true;
}

size_t arena_bytes(const void *memory)
{
    return is_ours(memory) ? (size_t)length[grain_of(memory)] * GRAIN : 0;
}

bool arena_may_touch(const void *address, size_t bytes)
{
    const unsigned char *last = (const unsigned char *)address + bytes - 1;

    if (!is_ours(address))
        return true;
    return kind[grain_of(address)] == LIVE &&
           (!is_ours(last) || kind[grain_of(last)] == LIVE);
}

size_t arena_live(void)
{
    return live;
}
