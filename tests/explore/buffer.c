/* SPDX-License-Identifier: MIT */
/* buffer.c - see buffer.h. */
#include "buffer.h"

#include <string.h>

#include "past.h"
#include "trace.h"
#include "world.h"

enum { ROOM = 16, STORES = 256 };

static struct buffer {
    struct store {
        void *address;
        uint64_t value;
        uint64_t past;
        unsigned bytes;
        bool sc;
    } stores[ROOM];
    unsigned count;
    unsigned kept_back;      /* so far */
    uint64_t landed[STORES]; /* when each of them did */
} buffers[WORLD_THREADS];

void buffers_reset(void)
{
    for (unsigned i = 0; i < WORLD_THREADS; i++)
        buffers[i].count = buffers[i].kept_back = 0;
}

bool buffer_is_empty(unsigned thread)
{
    return buffers[thread].count == 0;
}

bool buffer_is_full(unsigned thread)
{
    return buffers[thread].count == ROOM;
}

void buffer_add(unsigned thread, void *address, unsigned bytes, uint64_t value,
                bool sc)
{
    struct buffer *buffer = &buffers[thread];

    if (buffer->kept_back++ == STORES)
        world_fail("more than %d stores are kept back", STORES);
    buffer->stores[buffer->count++] =
        (struct store){address, value, past_keep_back(), bytes, sc};
}

bool buffer_has(unsigned thread, const void *address)
{
    for (unsigned i = 0; i < buffers[thread].count; i++)
        if (buffers[thread].stores[i].address == address)
            return true;
    return false;
}

unsigned buffer_kept_back(unsigned thread)
{
    return buffers[thread].kept_back;
}

uint64_t buffer_landed(unsigned thread, unsigned stores)
{
    const struct buffer *buffer = &buffers[thread];

    if (stores == 0)
        return 0;
    return stores > buffer->kept_back - buffer->count
               ? UINT64_MAX
               : buffer->landed[stores - 1];
}

uint64_t buffer_read(unsigned thread, const void *address, unsigned bytes)
{
    const struct buffer *buffer = &buffers[thread];
    uint64_t value = 0;

    for (unsigned i = buffer->count; i > 0; i--)
        if (buffer->stores[i - 1].address == address)
            return buffer->stores[i - 1].value;
    memcpy(&value, address, bytes); /* the low bytes come first here */
    return value;
}

void buffer_land(unsigned thread)
{
    struct buffer *buffer = &buffers[thread];
    struct store *oldest = &buffer->stores[0];

    trace_act(thread, (struct act){"lands", NULL, oldest->address},
              oldest->value);
    world_touch(oldest->address, oldest->bytes);
    past_land(oldest->past, oldest->address);
    memcpy(oldest->address, &oldest->value, oldest->bytes);
    buffer->landed[buffer->kept_back - buffer->count] = world_stamp();
    buffer->count--;
    memmove(oldest, oldest + 1, buffer->count * sizeof(*oldest));
}

void buffer_land_all(unsigned thread)
{
    while (buffers[thread].count > 0)
        buffer_land(thread);
}

void buffer_land_ordered(unsigned thread)
{
    const struct buffer *buffer = &buffers[thread];
    unsigned ordered = buffer->count;

    while (ordered > 0 && !buffer->stores[ordered - 1].sc)
        ordered--;
    for (; ordered > 0; ordered--)
        buffer_land(thread);
}
