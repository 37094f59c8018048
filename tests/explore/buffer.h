/* SPDX-License-Identifier: MIT */
/*
 * buffer.h - stores on their way: each thread's, oldest first.
 *
 * A processor may keep a store to itself for a while, and read on meanwhile.
 * Only a sequentially consistent read after a sequentially consistent store
 * waits for that store to land, as does every read-modify-write.  This is
 * stronger than C11 (stores of one thread land in order), but weaker than x86,
 * where it would never show that such a read was made weaker.
 */
#ifndef WEIR_EXPLORE_BUFFER_H
#define WEIR_EXPLORE_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

void buffers_reset(void);

/* Whether this thread has stores under way. */
bool buffer_is_empty(unsigned thread);
/* The thread stores, 1 to 8 bytes.  It must not be full. */
void buffer_add(unsigned thread, void *address, unsigned bytes, uint64_t value,
                bool sc);
bool buffer_is_full(unsigned thread);
/* Whether a store of the thread's to there is under way. */
bool buffer_has(unsigned thread, const void *address);

/* How many stores of the thread were kept back so far; and when the latest of
 * so many landed, as a stamp; 0: there was none, UINT64_MAX: not yet. */
unsigned buffer_kept_back(unsigned thread);
uint64_t buffer_landed(unsigned thread, unsigned stores);

/* What the thread reads: its own latest store, or what has landed. */
uint64_t buffer_read(unsigned thread, const void *address, unsigned bytes);

/* The oldest one lands. */
void buffer_land(unsigned thread);
void buffer_land_all(unsigned thread);
/* Up to the last that is sequentially consistent. */
void buffer_land_ordered(unsigned thread);

#endif /* WEIR_EXPLORE_BUFFER_H */
