/* SPDX-License-Identifier: MIT */
/*
 * textbook_flow.c - threads in rows, and the textbook's queue (textbook.c)
 * before each row.  A zero ends a row: whoever gets it puts it back, and the
 * last to get it puts one into the next queue.
 */
#include <stdatomic.h>
#include <time.h>

#include "contender.h"
#include "crew.h"
#include "driver.h"
#include "work.h"

enum { ROWS = 3 };

struct row {
    void *queue;
    struct row *next; /* NULL: it takes what comes */
    uint64_t mask;    /* what it does to an item */
    atomic_uint at_work;
};

static struct row rows[ROWS];
static struct part parts[WORK_MOST_WORKERS + ROWS];
static const struct work *doing;

struct driver_about driver_about(void)
{
    return (struct driver_about){"textbook, a queue a stage", "", true, false};
}

const char *driver_why_not(const struct work *work)
{
    return work->item_size == sizeof(uint64_t) ? NULL : "its items are numbers";
}

static void take_time(uint64_t item)
{
    struct timespec span = {0, (long)doing->span_us * 1000};

    if (doing->kind == WORK_UNEVEN && item % WORK_UNEVEN_ONE_IN == 0)
        nanosleep(&span, NULL);
}

static void give_all(struct part *part)
{
    uint64_t end = 0;

    for (uint64_t i = 1; i <= part->count; i++)
        contender.put(rows[0].queue, &i);
    contender.put(rows[0].queue, &end);
}

static void work_in_row(struct part *part)
{
    struct row *row = part->queue;
    uint64_t item;

    while (contender.get(row->queue, &item), item != 0) {
        if (row == &rows[0])
            take_time(item);
        item ^= row->mask;
        if (row->next)
            contender.put(row->next->queue, &item);
        else
            part_take(part, &item, 1);
    }
    if (atomic_fetch_sub(&row->at_work, 1) > 1)
        contender.put(row->queue, &item);
    else if (row->next)
        contender.put(row->next->queue, &item);
}

/* Adds `threads` that work in it; returns how many parts there are. */
static size_t
add_row(size_t count, struct row *row, const struct work *work, size_t threads)
{
    row->queue = contender.create(work->capacity, sizeof(uint64_t));
    atomic_store(&row->at_work, (unsigned)threads);
    for (size_t i = 0; i < threads; i++)
        parts[count++] =
            (struct part){.run = work_in_row, .work = work, .queue = row};
    return count;
}

void driver_run(const struct work *work, struct result *out)
{
    bool has_stages = work->kind == WORK_STAGES;
    /* A changed number is never zero. */
    uint64_t mask = has_stages ? UINT64_C(1) << 63 : 0;
    size_t count = 1, used = has_stages ? 3 : 2;

    doing = work;
    parts[0] =
        (struct part){.run = give_all, .work = work, .count = work->items};
    for (size_t i = 0; i < used; i++) {
        bool is_wide = i == (has_stages ? 1 : 0);

        rows[i] = (struct row){.next = i + 1 < used ? &rows[i + 1] : NULL,
                               .mask = i > 0 ? mask : 0};
        count = add_row(count, &rows[i], work, is_wide ? work->consumers : 1);
    }
    crew_run(parts, count, out);
    for (size_t i = 0; i < used; i++)
        contender.destroy(rows[i].queue);
}
