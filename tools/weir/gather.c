/* SPDX-License-Identifier: MIT */
/*
 * gather.c - bytes kept until their turn: in memory, beyond a cap in a file.
 *
 * THE IDEA
 *
 * Each stream begins in memory and grows there as long as all streams together
 * stay below the cap.  From the moment it is refused more, the rest of that
 * stream goes to slots of one file that all streams share:
 *
 *   stream A   [ memory ....... ][ slot 0 ][ slot 3 ][ slo.. ]
 *   stream B   [ memory ][ slot 1 ][ slot 2.. ]
 *
 *   file       [ 0: A ][ 1: B ][ 2: B ][ 3: A ][ 4: A ]
 *
 * The file has no name, so whatever becomes of weir it leaves nothing behind.
 *
 * INVARIANTS (hold whenever `lock` is free)
 *
 *   1. held is the sum of all rooms and at most cap.
 *   2. Every slot below `slots` belongs to one stream, or is idle, or was lost
 *      for want of memory to note that it is idle.
 *   3. spilled is the number of slots in streams times GATHER_SLOT.
 *
 * WHY NOT
 *
 * A file per task is what others do.  With ordered output a slow first task
 * would then hold two descriptors for every task behind it.  Slots cost four
 * bytes of memory for each 64 KiB, and the file is never longer than the most
 * that was ever spilled at once.
 *
 * LOCKING
 *
 * Bytes are copied, written and read without the lock; a stream has one thread
 * at a time.  Only opening the file, once, happens under it.
 */
#include "gather.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a stream asks for first; most tasks say little. */
enum { FIRST_ROOM = 1024 };

static bool make_room(struct gathered *g, struct store *store, size_t length);
static bool reserve(struct store *store, size_t bytes);
static int append_to_file(struct gathered *g, struct store *store,
                          const char *bytes, size_t length);
static int add_slot(struct gathered *g, struct store *store);
static int take_slot(struct store *store, uint32_t *out);
static int take_slot_locked(struct store *store, uint32_t *out);
static void give_slot(struct store *store, uint32_t slot);
static void give_slot_locked(struct store *store, uint32_t slot);
static int open_file_locked(struct store *store);
static int
write_all(int fd, const char *bytes, size_t length, off_t at, size_t *done);

/* ------------------------------------------------------------------- life */

int store_open(struct store *store, size_t cap)
{
    *store = (struct store){.cap = cap, .file = -1};
    return pthread_mutex_init(&store->lock, NULL);
}

void store_close(struct store *store)
{
    if (store->file >= 0)
        close(store->file);
    free(store->idle);
    pthread_mutex_destroy(&store->lock);
}

uint64_t store_spilled(struct store *store)
{
    uint64_t spilled;

    pthread_mutex_lock(&store->lock);
    spilled = store->spilled;
    pthread_mutex_unlock(&store->lock);
    return spilled;
}

const char *store_directory(void)
{
    const char *directory = getenv("TMPDIR");

    return directory && directory[0] ? directory : "/tmp";
}

/* -------------------------------------------------------------------- use */

int gathered_append(struct gathered *g, struct store *store, const char *bytes,
                    size_t length)
{
    /* What follows bytes in the file must go there too. */
    if (g->spilled == 0 && make_room(g, store, length)) {
        memcpy(g->bytes + g->length, bytes, length);
        g->length += length;
        return 0;
    }
    return append_to_file(g, store, bytes, length);
}

ssize_t gathered_piece(const struct gathered *g, struct store *store,
                       uint64_t at, char *buffer, const char **piece)
{
    uint64_t beyond, left;
    size_t within, count;
    off_t place;

    if (at < g->length) {
        *piece = g->bytes + at;
        return (ssize_t)(g->length - at);
    }
    beyond = at - g->length;
    left = g->spilled - beyond;
    if (left == 0)
        return 0;
    within = (size_t)(beyond % GATHER_SLOT);
    count = GATHER_SLOT - within;
    if (count > left)
        count = (size_t)left;
    place = (off_t)g->slots[beyond / GATHER_SLOT] * GATHER_SLOT + (off_t)within;

    *piece = buffer;
    for (;;) {
        ssize_t got = pread(store->file, buffer, count, place);

        if (got < 0 && errno == EINTR)
            continue;
        /* What was written cannot be past the end, unless somebody has cut the
         * file. */
        if (got == 0)
            errno = EIO;
        return got == 0 ? -1 : got;
    }
}

void gathered_clear(struct gathered *g, struct store *store)
{
    size_t slots = (size_t)((g->spilled + GATHER_SLOT - 1) / GATHER_SLOT);

    pthread_mutex_lock(&store->lock);
    store->held -= g->room;
    for (size_t i = 0; i < slots; i++)
        give_slot_locked(store, g->slots[i]);
    pthread_mutex_unlock(&store->lock);
    free(g->bytes);
    free(g->slots);
    *g = (struct gathered){0};
}

/* ----------------------------------------------------------------- memory */

/* Doubles the room until `length` more bytes fit; false: not within the cap, or
 * the system has none. */
static bool make_room(struct gathered *g, struct store *store, size_t length)
{
    size_t need = g->length + length;
    size_t room = g->room ? g->room : FIRST_ROOM;
    char *grown;

    if (need <= g->room)
        return true;
    while (room < need)
        room *= 2;
    if (!reserve(store, room - g->room))
        return false;
    grown = realloc(g->bytes, room);
    if (!grown) {
        pthread_mutex_lock(&store->lock);
        store->held -= room - g->room;
        pthread_mutex_unlock(&store->lock);
        return false;
    }
    g->bytes = grown;
    g->room = room;
    return true;
}

static bool reserve(struct store *store, size_t bytes)
{
    bool granted;

    pthread_mutex_lock(&store->lock);
    granted = bytes <= store->cap - store->held;
    if (granted)
        store->held += bytes;
    pthread_mutex_unlock(&store->lock);
    return granted;
}

/* --------------------------------------------------------------- the file */

static int append_to_file(struct gathered *g, struct store *store,
                          const char *bytes, size_t length)
{
    int error = 0;

    while (length > 0 && !error) {
        size_t within = (size_t)(g->spilled % GATHER_SLOT);
        size_t count = GATHER_SLOT - within, done = 0;
        uint32_t *slot;

        if (count > length)
            count = length;
        if (within == 0 && (error = add_slot(g, store)) != 0)
            break;
        slot = &g->slots[g->spilled / GATHER_SLOT];
        error = write_all(store->file, bytes, count,
                          (off_t)*slot * GATHER_SLOT + (off_t)within, &done);
        if (within + done == 0)
            give_slot(store, *slot);
        g->spilled += done;
        bytes += done;
        length -= done;
    }
    return error;
}

static int add_slot(struct gathered *g, struct store *store)
{
    size_t count = (size_t)(g->spilled / GATHER_SLOT);

    if (count == g->slot_room) {
        size_t room = count ? 2 * count : 4;
        uint32_t *grown = realloc(g->slots, room * sizeof(*grown));

        if (!grown)
            return ENOMEM;
        g->slots = grown;
        g->slot_room = room;
    }
    return take_slot(store, &g->slots[count]);
}

static int take_slot(struct store *store, uint32_t *out)
{
    int error;

    pthread_mutex_lock(&store->lock);
    error = take_slot_locked(store, out);
    if (!error)
        store->spilled += GATHER_SLOT;
    pthread_mutex_unlock(&store->lock);
    return error;
}

static int take_slot_locked(struct store *store, uint32_t *out)
{
    int error = store->file >= 0 ? 0 : open_file_locked(store);

    if (error)
        return error;
    if (store->idle_count > 0)
        *out = store->idle[--store->idle_count];
    else if (store->slots == UINT32_MAX)
        return EFBIG;
    else
        *out = store->slots++;
    return 0;
}

static void give_slot(struct store *store, uint32_t slot)
{
    pthread_mutex_lock(&store->lock);
    give_slot_locked(store, slot);
    pthread_mutex_unlock(&store->lock);
}

static void give_slot_locked(struct store *store, uint32_t slot)
{
    store->spilled -= GATHER_SLOT;
    if (store->idle_count == store->idle_room) {
        size_t room = store->idle_room ? 2 * store->idle_room : 64;
        uint32_t *grown = realloc(store->idle, room * sizeof(*grown));

        /* Without memory to note it the slot is lost, and the file longer. */
        if (!grown)
            return;
        store->idle = grown;
        store->idle_room = room;
    }
    store->idle[store->idle_count++] = slot;
}

/* Not every file system has O_TMPFILE. */
static int open_file_locked(struct store *store)
{
    const char *directory = store_directory();
    char name[PATH_MAX];
    int length, file = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (file < 0) {
        length = snprintf(name, sizeof(name), "%s/weir-XXXXXX", directory);
        if (length < 0 || (size_t)length >= sizeof(name))
            return ENAMETOOLONG;
        file = mkostemp(name, O_CLOEXEC);
        if (file < 0)
            return errno;
        unlink(name);
    }
    store->file = file;
    return 0;
}

/* *done is the number of bytes that were written, also after an error. */
static int
write_all(int fd, const char *bytes, size_t length, off_t at, size_t *done)
{
    while (*done < length) {
        ssize_t written =
            pwrite(fd, bytes + *done, length - *done, at + (off_t)*done);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        *done += (size_t)written;
    }
    return 0;
}
