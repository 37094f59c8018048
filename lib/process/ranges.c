/* SPDX-License-Identifier: MIT */
/* ranges.c - see ranges.h. */
#include "process/ranges.h"

#include <link.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/fault.h"

/* Called for each loaded object, with the number of executable segments, or to
 * note them. */
static int count_segments(struct dl_phdr_info *info, size_t size, void *arg)
{
    size_t *count = arg;

    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++)
        *count += info->dlpi_phdr[i].p_type == PT_LOAD &&
                  (info->dlpi_phdr[i].p_flags & PF_X);
    return 0;
}

struct noting {
    struct weir__ranges *ranges;
    size_t room;
};

static int note_segments(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct noting *noting = arg;
    struct weir__ranges *ranges = noting->ranges;

    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t first = info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) &&
            ranges->count < noting->room)
            ranges->all[ranges->count++] =
                (struct weir__range){first, first + segment->p_memsz};
    }
    return 0;
}

static int from_low_to_high(const void *a, const void *b)
{
    const struct weir__range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

weir_status weir__ranges_note(struct weir__ranges *ranges)
{
    struct noting noting = {.ranges = ranges};

    weir__ranges_forget(ranges);
    dl_iterate_phdr(count_segments, &noting.room);
    ranges->all = weir__allocate_many(noting.room, sizeof(*ranges->all));
    if (!ranges->all)
        return weir__refuse(WEIR_ENOMEM, "no memory to note what is loaded");
    dl_iterate_phdr(note_segments, &noting);
    qsort(ranges->all, ranges->count, sizeof(*ranges->all), from_low_to_high);
    return WEIR_OK;
}

void weir__ranges_forget(struct weir__ranges *ranges)
{
    weir__release(ranges->all);
    *ranges = (struct weir__ranges){0};
}

bool weir__ranges_have(const struct weir__ranges *ranges, uintptr_t address)
{
    size_t low = 0, high = ranges->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct weir__range *range = &ranges->all[middle];

        if (address >= range->first && address < range->end)
            return true;
        if (address < range->first)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}
