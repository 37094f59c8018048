/* SPDX-License-Identifier: MIT */
/* board.c - see board.h. */
#include "pool/board.h"

#include <string.h>

enum { BOARD_TRIES = 8 };

void weir__board_write(struct weir__board *board,
                       const struct weir__posted *posted)
{
    uint64_t version = weir__hint_read(&board->version);
    uint64_t words[WEIR__BOARD_WORDS] = {0};
    size_t count = posted ? WEIR__BOARD_WORDS : 1; /* the id alone */

    if (posted)
        memcpy(words, posted, sizeof(words));
    weir__hint_write(&board->version, version + 1);
    for (size_t i = 0; i < count; i++)
        weir__hint_publish(&board->words[i], words[i]);
    weir__hint_publish(&board->version, version + 2);
}

bool weir__board_read(const struct weir__board *board, struct weir__posted *out)
{
    uint64_t words[WEIR__BOARD_WORDS];

    for (int tries = 0; tries < BOARD_TRIES; tries++) {
        uint64_t version = weir__hint_observe(&board->version);

        for (size_t i = 0; i < WEIR__BOARD_WORDS; i++)
            words[i] = weir__hint_observe(&board->words[i]);
        if (version % 2 == 0 && weir__hint_read(&board->version) == version) {
            memcpy(out, words, sizeof(*out));
            return true;
        }
        weir__cpu_pause();
    }
    return false;
}
