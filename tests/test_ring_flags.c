/* SPDX-License-Identifier: MIT */
/* test_ring_flags.c - flags in the ring's words, and claiming all of it. */
#include "queue/ring.h"

#include "rings.h"
#include "suite.h"

enum { FLAGS = WEIR__RING_FLAGS, MOST = 8 };

static const uint64_t numbers[MOST] = {1, 2, 3, 4, 5, 6, 7, 8};

/* An empty ring whose words stand before the slot `start`. */
static void open_at(size_t capacity, size_t start)
{
    uint64_t number;

    open_ring(capacity, sizeof(number));
    for (size_t i = 0; i < start; i++) {
        ck_assert_uint_eq(ring_put(numbers, 1, 0), 1);
        ck_assert_uint_eq(ring_get(&number, 1, 0), 1);
    }
}

/* ----------------------------------------------------------------- obeyed */

/* _i: the tail's flags, and the flags that the put ignores. */
START_TEST(a_put_obeys_each_flag_of_the_tail_that_it_does_not_ignore)
{
    uint64_t flags = (unsigned)_i & FLAGS, ignored = (unsigned)_i / 4;
    size_t allowed = flags & ~ignored ? 0 : 2;
    uint64_t before;

    open_at(3, 1);
    before = tail_now();
    weir__counter_or(&ring.tail, flags);
    ck_assert_uint_eq(ring_put(numbers, 2, ignored), allowed);
    ck_assert_uint_eq(tail_now(),
                      weir__ring_after(&ring, before, allowed) | flags);
    ck_assert_int_eq(has_item(), allowed > 0);
    ck_assert_int_eq(weir__ring_is_published(&ring, before), allowed > 0);
}
END_TEST

START_TEST(a_get_obeys_each_flag_of_the_head_that_it_does_not_ignore)
{
    uint64_t flags = (unsigned)_i & FLAGS, ignored = (unsigned)_i / 4;
    size_t allowed = flags & ~ignored ? 0 : 2;
    uint64_t before, got[2] = {0, 0};

    open_at(3, 1);
    before = head_now();
    ck_assert_uint_eq(ring_put(numbers, 2, 0), 2);
    weir__counter_or(&ring.head, flags);
    ck_assert_uint_eq(ring_get(got, 2, ignored), allowed);
    ck_assert_uint_eq(head_now(),
                      weir__ring_after(&ring, before, allowed) | flags);
    ck_assert_uint_eq(got[0], allowed ? 1 : 0);
    ck_assert_uint_eq(got[1], allowed ? 2 : 0);
}
END_TEST

START_TEST(a_flag_is_for_its_own_side)
{
    uint64_t got;

    open_at(3, 0);
    weir__counter_or(&ring.head, (unsigned)_i & FLAGS);
    ck_assert_uint_eq(ring_put(numbers, 1, 0), 1);
    weir__counter_and(&ring.head, ~(uint64_t)FLAGS);
    weir__counter_or(&ring.tail, (unsigned)_i & FLAGS);
    ck_assert_uint_eq(ring_get(&got, 1, 0), 1);
}
END_TEST

START_TEST(a_flag_that_is_taken_off_is_obeyed_no_longer)
{
    open_at(3, 2);
    weir__counter_or(&ring.tail, WEIR__RING_STAND_BACK);
    ck_assert_uint_eq(ring_put(numbers, 1, 0), 0);
    weir__counter_and(&ring.tail, ~(uint64_t)WEIR__RING_STAND_BACK);
    ck_assert_uint_eq(ring_put(numbers, 1, 0), 1);
}
END_TEST

/* ------------------------------------------------------------------- kept */

/* _i: flags.  Every batch from every slot, so across each lap's end too. */
START_TEST(flags_outlive_every_claim)
{
    uint64_t flags = (unsigned)_i & FLAGS, got[MOST];

    for (size_t start = 0; start < 5; start++)
        for (size_t count = 1; count <= 5; count++) {
            uint64_t before, end;

            open_at(5, start);
            before = tail_now();
            end = weir__ring_after(&ring, before, count);
            weir__counter_or(&ring.tail, flags);
            weir__counter_or(&ring.head, flags ^ FLAGS);
            ck_assert_uint_eq(ring_put(numbers, count, FLAGS), count);
            ck_assert_uint_eq(tail_now(), end | flags);
            ck_assert_uint_eq(head_now(), before | (flags ^ FLAGS));
            ck_assert_uint_eq(ring_get(got, count, FLAGS), count);
            ck_assert_uint_eq(head_now(), end | (flags ^ FLAGS));
            ck_assert_uint_eq(tail_now(), end | flags);
            ck_assert_mem_eq(got, numbers, count * sizeof(got[0]));
            ck_assert_uint_eq(most_now(), count);
            close_ring();
        }
}
END_TEST

START_TEST(flags_do_not_count_as_items_or_room)
{
    open_at(2, 1);
    weir__counter_or(&ring.tail, (unsigned)_i & FLAGS);
    weir__counter_or(&ring.head, (unsigned)_i / 4);
    ck_assert(!has_item());
    ck_assert(has_room());
    ck_assert_uint_eq(ring_put(numbers, 2, FLAGS), 2);
    ck_assert(has_item());
    ck_assert(!has_room());
    ck_assert_uint_eq(weir__ring_put_ever(&ring), 3);
    ck_assert_uint_eq(weir__ring_got_ever(&ring), 1);
    ck_assert_uint_eq(most_now(), 2);
}
END_TEST

/* ------------------------------------------------------------ all of it */

/* That claiming all of a ring with `count` items from `from` on gives them,
 * leaves their bytes, and stops at the tail. */
static void assert_claim_all(uint64_t from, size_t count, uint64_t unflag)
{
    uint64_t flags = head_now() & FLAGS, end = tail_now(), at = 1;

    ck_assert_uint_eq(weir__ring_claim_all(&ring, unflag, &at), count);
    ck_assert_uint_eq(at, from);
    ck_assert_uint_eq(tail_now(), end);
    ck_assert_uint_eq(head_now(), weir__ring_position(end) | (flags & ~unflag));
    ck_assert(!has_item());
    for (size_t i = 0; i < count; i++) {
        ck_assert(weir__ring_is_published(&ring, at));
        ck_assert_mem_eq(weir__ring_slot(&ring, at)->item, &numbers[i],
                         sizeof(numbers[i]));
        at = weir__ring_after(&ring, at, 1);
    }
    ck_assert(!weir__ring_is_published(&ring, at));
}

/* _i: the head's flags, and those to be taken off. */
START_TEST(all_items_are_claimed_at_once_wherever_they_lie)
{
    static const size_t capacities[] = {1, 2, 3, 5, 7, 8};
    uint64_t flags = (unsigned)_i & FLAGS, unflag = (unsigned)_i / 4;

    for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++)
        for (size_t start = 0; start <= capacities[i]; start++)
            for (size_t count = 0; count <= capacities[i]; count++) {
                uint64_t from;

                open_at(capacities[i], start);
                from = head_now();
                if (count > 0)
                    ck_assert_uint_eq(ring_put(numbers, count, 0), count);
                weir__counter_or(&ring.head, flags);
                weir__counter_or(&ring.tail, WEIR__RING_CLOSED);
                assert_claim_all(from, count, unflag);
                close_ring();
            }
}
END_TEST

START_TEST(what_is_claimed_by_a_put_and_not_published_is_claimed_too)
{
    uint64_t from, end;

    open_at(3, 2);
    ck_assert_uint_eq(ring_put(numbers, 1, 0), 1);
    end = weir__ring_after(&ring, tail_now(), 2);
    weir__counter_write(&ring.tail, end | WEIR__RING_CLOSED);
    ck_assert_uint_eq(weir__ring_claim_all(&ring, 0, &from), 3);
    ck_assert_uint_eq(weir__ring_ordinal(&ring, from), 2);
    ck_assert(weir__ring_is_published(&ring, from));
    ck_assert(
        !weir__ring_is_published(&ring, weir__ring_after(&ring, from, 1)));
    ck_assert_uint_eq(head_now(), end);
}
END_TEST

START_TEST(a_second_claim_of_all_finds_nothing_and_nobody_else_does)
{
    uint64_t from, got;

    open_at(3, 1);
    ck_assert_uint_eq(ring_put(numbers, 3, 0), 3);
    weir__counter_or(&ring.tail, WEIR__RING_CLOSED);
    ck_assert_uint_eq(weir__ring_claim_all(&ring, 0, &from), 3);
    ck_assert_uint_eq(weir__ring_claim_all(&ring, 0, &from), 0);
    ck_assert_uint_eq(from, head_now());
    ck_assert_uint_eq(ring_get(&got, 1, FLAGS), 0);
    ck_assert_uint_eq(ring_put(numbers, 1, 0), 0);
}
END_TEST

int main(void)
{
    const TTest *const obeyed[] = {
        a_put_obeys_each_flag_of_the_tail_that_it_does_not_ignore,
        a_get_obeys_each_flag_of_the_head_that_it_does_not_ignore,
        a_flag_is_for_its_own_side,
        a_flag_that_is_taken_off_is_obeyed_no_longer, NULL};
    const TTest *const kept[] = {flags_outlive_every_claim,
                                 flags_do_not_count_as_items_or_room, NULL};
    const TTest *const all[] = {all_items_are_claimed_at_once_wherever_they_lie,
                                NULL};
    const TTest *const once[] = {
        what_is_claimed_by_a_put_and_not_published_is_claimed_too,
        a_second_claim_of_all_finds_nothing_and_nobody_else_does, NULL};
    const struct chapter chapters[] = {
        {"obeyed", obeyed, NULL, close_ring, 16, 0},
        {"kept", kept, NULL, close_ring, 16, 0},
        {"all of it", all, NULL, close_ring, 16, 0},
        {"all of it, once", once, NULL, close_ring, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("ring: flags", chapters);
}
