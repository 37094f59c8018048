/* SPDX-License-Identifier: MIT */
/* tray.c - see tray.h. */
#include "limit/tray.h"

static uint64_t tray_word(struct weir__on_tray on)
{
    return (uint64_t)on.places << 42 | (uint64_t)on.loose << 21 | on.free;
}

static struct weir__on_tray read_tray(uint64_t word)
{
    return (struct weir__on_tray){.free = word & WEIR__MOST_ON_TRAY,
                                  .loose = word >> 21 & WEIR__MOST_ON_TRAY,
                                  .places = word >> 42 & WEIR__MOST_ON_TRAY};
}

bool weir__tray_read(const struct weir__tray *tray, struct weir__on_tray *on)
{
    uint64_t word = weir__counter_read(&tray->word);

    *on = read_tray(word);
    return !(word & WEIR__TRAY_SHUT);
}

bool weir__tray_take(struct weir__tray *tray, size_t permits, bool loose,
                     bool new_place)
{
    uint64_t word = weir__counter_read(&tray->word);

    while (!(word & WEIR__TRAY_SHUT)) {
        struct weir__on_tray on = read_tray(word);

        if (on.free < permits || on.places == WEIR__MOST_ON_TRAY)
            return false;
        on.free -= permits;
        on.loose += loose ? permits : 0;
        on.places += new_place;
        if (weir__counter_compare_swap(&tray->word, &word, tray_word(on)))
            return true;
    }
    return false;
}

bool weir__tray_give(struct weir__tray *tray, size_t permits, bool loose,
                     size_t old_places)
{
    uint64_t word = weir__counter_read(&tray->word);

    while (!(word & WEIR__TRAY_SHUT)) {
        struct weir__on_tray on = read_tray(word);

        if ((loose && on.loose < permits) || on.places < old_places)
            return false;
        on.free += permits;
        on.loose -= loose ? permits : 0;
        on.places -= old_places;
        if (weir__counter_compare_swap(&tray->word, &word, tray_word(on)))
            return true;
    }
    return false;
}

struct weir__on_tray weir__tray_shut(struct weir__tray *tray)
{
    struct weir__on_tray nothing = {0, 0, 0};
    uint64_t word = weir__counter_read(&tray->word);

    if (!(word & WEIR__TRAY_SHUT))
        word = weir__counter_or(&tray->word, WEIR__TRAY_SHUT);
    return word & WEIR__TRAY_SHUT ? nothing : read_tray(word);
}

void weir__tray_open(struct weir__tray *tray, struct weir__on_tray on)
{
    weir__counter_write(&tray->word, tray_word(on));
}
