/* SPDX-License-Identifier: MIT */
/*
 * board.h - what a worker is at, for who cannot take the pool's lock.
 *
 * THE IDEA
 *
 * Whoever attaches an entry to a worker, with the lock, also writes the task's
 * id, start and label on the worker's board.  A reader takes no lock: it copies
 * the board and looks whether it was written meanwhile.
 *
 *   writer   version odd ▶ what is on it ▶ version even
 *   reader   version ▶ what is on it ▶ version: even, and the same?
 *
 * MEMORY ORDER
 *
 * Each word on the board is published, each read of one observes.  So a reader
 * that has seen one word of a later writing sees that writing's odd version, or
 * a later one, when it looks again; and one that first saw an even version sees
 * all that was written before it.  On x86 these are plain moves.
 *
 * A reader may have interrupted the very thread that writes, so it does not
 * wait for an even version: it tries a few times and says that it failed.
 */
#ifndef WEIR_LIB_POOL_BOARD_H
#define WEIR_LIB_POOL_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

/* What is on a board. */
struct weir__posted {
    uint64_t task_id; /* 0: nothing */
    uint64_t attempt;
    int64_t since_ns; /* when the attempt began */
    char label[32];
};

enum { WEIR__BOARD_WORDS = sizeof(struct weir__posted) / sizeof(uint64_t) };

struct weir__board {
    struct weir__hint version; /* odd: it is being written */
    struct weir__hint words[WEIR__BOARD_WORDS];
};

/* With the pool's lock.  NULL: nothing. */
void weir__board_write(struct weir__board *board,
                       const struct weir__posted *posted);
/* By anybody, also in a signal handler.  False: it is being written. */
bool weir__board_read(const struct weir__board *board,
                      struct weir__posted *out);

#endif /* WEIR_LIB_POOL_BOARD_H */
