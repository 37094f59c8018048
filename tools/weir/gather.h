/* SPDX-License-Identifier: MIT */
/* gather.h - bytes kept until their turn: in memory, beyond a cap in a file. */
#ifndef WEIR_TOOL_GATHER_H
#define WEIR_TOOL_GATHER_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What gathered_piece needs to read from the file. */
enum { GATHER_SLOT = 65536 };

/* L: only with `lock` held.  I: set by open, then read-only. */
struct store {
    pthread_mutex_t lock;
    size_t cap;        /* I: bytes of memory for all together */
    size_t held;       /* L: of these, in use */
    uint64_t spilled;  /* L: bytes of slots in use */
    int file;          /* L: unlinked; -1 at first; who has a slot may read it
                          without the lock, as it never changes again */
    uint32_t slots;    /* L: the file's length in slots */
    uint32_t *idle;    /* L: slots that are free again */
    size_t idle_count; /* L */
    size_t idle_room;  /* L */
};

/* One stream of one task.  Zero is empty.  One thread at a time. */
struct gathered {
    char *bytes;      /* the beginning; `room` of them count as held */
    size_t length;    /* in memory */
    size_t room;      /* in memory */
    uint32_t *slots;  /* the rest, in this order */
    size_t slot_room; /* of the array */
    uint64_t spilled; /* bytes in the slots */
};

/* 0, or an error number. */
int store_open(struct store *store, size_t cap);

/* Frees what is the store's.  Every gathered must have been cleared. */
void store_close(struct store *store);

/* Bytes of file in use.  Any thread. */
uint64_t store_spilled(struct store *store);

/* The directory where the file is or would be. */
const char *store_directory(void);

/*
 * Appends `length` bytes.
 *
 * Returns: 0, or an error number: the file has no room, say.  Then a part of
 *          the bytes may have been appended.
 */
int gathered_append(struct gathered *gathered, struct store *store,
                    const char *bytes, size_t length);

/*
 * Finds what lies at byte `at`: *piece points into memory, or into `buffer` of
 * GATHER_SLOT bytes.
 *
 * Returns: the number of bytes there, 0 at the end, -1 with errno set.
 */
ssize_t gathered_piece(const struct gathered *gathered, struct store *store,
                       uint64_t at, char *buffer, const char **piece);

/* Empties it and gives back its memory and its part of the file. */
void gathered_clear(struct gathered *gathered, struct store *store);

#endif /* WEIR_TOOL_GATHER_H */
