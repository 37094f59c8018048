/* SPDX-License-Identifier: MIT */
/*
 * own_queue.h - bring your own queue: five functions, and it takes part.
 *
 * Write them in one file and hand it over:
 *
 *   ./dev bench queue --queue mine.c
 *
 * The file is compiled at that moment (cc -O2), raced against the others at
 * the same work, and every item is looked for at the other end.  Include this
 * header ("own_queue.h"; the directory is on the include path), so that the
 * compiler holds your functions to it.
 *
 * Items are numbers; first in, first out.  Any number of threads put and get
 * at once; create comes before them all, destroy when every other call has
 * returned.
 */
#ifndef OWN_QUEUE_H
#define OWN_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct queue; /* yours */

/* Makes an empty queue with room for `capacity` items, 1 or more.  NULL: no
 * memory. */
struct queue *queue_create(size_t capacity);

/* Appends an item, waiting for room.  0, or -1: closed, and nothing was put. */
int queue_put(struct queue *queue, uint64_t item);

/* Takes the oldest item into *item, waiting for one.  0, or -1: closed and
 * empty, and *item is untouched. */
int queue_get(struct queue *queue, uint64_t *item);

/* No more puts: putters that wait get -1.  Getters drain what is inside, then
 * get -1.  Again is a no-op. */
void queue_close(struct queue *queue);

/* Frees the queue, and what is still inside. */
void queue_destroy(struct queue *queue);

#ifdef __cplusplus
}
#endif

#endif /* OWN_QUEUE_H */
