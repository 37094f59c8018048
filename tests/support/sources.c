/* SPDX-License-Identifier: MIT */
/* sources.c - see sources.h. */
#include "sources.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"

enum { FOR_EVER = 1 << 30 };

struct source sources[MOST_SOURCES];
static int source_count;

static weir_status give_number(void *self, void *item)
{
    struct source *s = self;
    int number = s->first + s->got;

    tally_add(&s->entered, 1);
    await_count(&s->allowed, (uint64_t)s->got + 1);
    if (s->interrupted)
        return WEIR_CANCELLED;
    if (s->got == s->count) {
        if (s->end)
            weir__refuse(s->end, "the well is dry");
        errno = s->error;
        return s->end ? s->end : WEIR_END;
    }
    memcpy(item, &number, sizeof(number));
    s->got++;
    return WEIR_OK;
}

static void interrupt_numbers(void *self)
{
    struct source *s = self;

    ck_assert_int_eq(s->closed, 0);
    s->interrupts++;
    s->interrupted = true;
    tally_add(&s->allowed, FOR_EVER);
}

static int index_of(const struct source *s, const void *item)
{
    int number;

    memcpy(&number, item, sizeof(number));
    ck_assert_int_ge(number, s->first);
    ck_assert_int_lt(number, s->first + s->got);
    return number - s->first;
}

static void
settle_number(void *self, const void *item, const weir_outcome *outcome)
{
    struct source *s = self;

    s->settled[index_of(s, item)]++;
    s->cancelled += outcome->kind == WEIR_OUTCOME_CANCELLED;
    s->ended_as[outcome->kind]++;
}

static void release_number(void *self, void *item)
{
    struct source *s = self;
    int i = index_of(s, item);

    ck_assert_int_eq(s->settled[i], 1);
    s->released[i]++;
}

static void close_numbers(void *self)
{
    struct source *s = self;

    s->closed++;
}

void sources_reset(void)
{
    source_count = 0;
}

struct source *new_slow_source(int first, int count)
{
    static const struct tally none = TALLY_INIT;
    struct source *s = &sources[source_count++];

    memset(s, 0, sizeof(*s));
    s->entered = s->allowed = none;
    s->first = first;
    s->count = count;
    s->producer = (weir_producer)WEIR_PRODUCER_INIT;
    s->producer.item_size = sizeof(int);
    s->producer.next = give_number;
    s->producer.interrupt = interrupt_numbers;
    s->producer.settle = settle_number;
    s->producer.release = release_number;
    s->producer.close = close_numbers;
    s->producer.self = s;
    return s;
}

struct source *new_source(int first, int count)
{
    struct source *s = new_slow_source(first, count);

    tally_add(&s->allowed, FOR_EVER);
    return s;
}

void assert_all_returned(struct source *s)
{
    ck_assert_int_eq(s->closed, 1);
    ck_assert_int_le(s->interrupts, 1);
    for (int i = 0; i < s->got; i++) {
        ck_assert_int_eq(s->settled[i], 1);
        ck_assert_int_eq(s->released[i], 1);
    }
}
