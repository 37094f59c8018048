/* SPDX-License-Identifier: MIT */
/* test_moments.c - the heap of moments, against a plain array. */
#include "pool/moments.h"

#include "suite.h"

enum { MOST = 100, STEPS = 1000 };

static struct weir__moments heap;
static struct weir__moment nodes[MOST];

/* xorshift: any fixed seed does. */
static uint32_t draw(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static int64_t earliest_of_nodes(void)
{
    int64_t earliest_ns = INT64_MAX;

    for (size_t i = 0; i < MOST; i++)
        if (nodes[i].is_in && nodes[i].at_ns < earliest_ns)
            earliest_ns = nodes[i].at_ns;
    return earliest_ns;
}

static void add(size_t i, int64_t at_ns)
{
    int64_t before_ns = weir__moments_next(&heap);
    bool soonest = weir__moments_add(&heap, &nodes[i], at_ns);

    ck_assert(nodes[i].is_in);
    ck_assert_int_eq(nodes[i].at_ns, at_ns);
    if (at_ns != before_ns)
        ck_assert_int_eq(soonest, at_ns < before_ns);
    ck_assert_int_eq(soonest, heap.soonest == &nodes[i]);
}

/* Takes all out, soonest first; returns how many there were. */
static size_t drain(void)
{
    int64_t last_ns = INT64_MIN;
    size_t count = 0;

    while (heap.soonest) {
        struct weir__moment *soonest = heap.soonest;

        ck_assert_int_ge(soonest->at_ns, last_ns);
        last_ns = soonest->at_ns;
        weir__moments_remove(&heap, soonest);
        ck_assert(!soonest->is_in);
        count++;
    }
    return count;
}

START_TEST(an_empty_heap_is_never_due)
{
    ck_assert_int_eq(weir__moments_next(&heap), INT64_MAX);
}
END_TEST

START_TEST(removing_what_is_not_in_does_nothing)
{
    weir__moments_remove(&heap, &nodes[0]);
    add(1, 5);
    weir__moments_remove(&heap, &nodes[0]);
    ck_assert_int_eq(weir__moments_next(&heap), 5);
    weir__moments_remove(&heap, &nodes[1]);
    weir__moments_remove(&heap, &nodes[1]);
    ck_assert_int_eq(weir__moments_next(&heap), INT64_MAX);
}
END_TEST

START_TEST(moments_come_out_in_order_however_they_went_in)
{
    uint32_t random = 1 + (uint32_t)_i;

    for (size_t i = 0; i < MOST; i++)
        add(i, draw(&random) % (_i % 2 ? 50 : 100000));
    ck_assert_uint_eq(drain(), MOST);
}
END_TEST

START_TEST(ascending_and_descending_rows_come_out_in_order)
{
    for (size_t i = 0; i < MOST; i++)
        add(i, (int64_t)i);
    ck_assert_uint_eq(drain(), MOST);
    for (size_t i = 0; i < MOST; i++)
        add(i, -(int64_t)i);
    ck_assert_uint_eq(drain(), MOST);
}
END_TEST

START_TEST(equal_moments_all_come_out)
{
    for (size_t i = 0; i < MOST; i++)
        add(i, 7);
    ck_assert_uint_eq(drain(), MOST);
}
END_TEST

/* Nodes at the root, inside and at the leaves go and come again. */
START_TEST(the_soonest_is_right_after_any_adds_and_removes)
{
    uint32_t random = 77 + (uint32_t)_i;
    size_t in = 0;

    for (int step = 0; step < STEPS; step++) {
        size_t i = draw(&random) % MOST;

        if (nodes[i].is_in) {
            weir__moments_remove(&heap, &nodes[i]);
            ck_assert(!nodes[i].is_in);
            in--;
        } else {
            add(i, (int64_t)(draw(&random) % 1000) - 500);
            in++;
        }
        if (draw(&random) % 16 == 0 && heap.soonest) {
            weir__moments_remove(&heap, heap.soonest);
            in--;
        }
        ck_assert_int_eq(weir__moments_next(&heap), earliest_of_nodes());
    }
    ck_assert_uint_eq(drain(), in);
}
END_TEST

static void empty(void)
{
    heap = (struct weir__moments){NULL};
    for (size_t i = 0; i < MOST; i++)
        nodes[i] = (struct weir__moment){.is_in = false};
}

int main(void)
{
    const TTest *const few[] = {an_empty_heap_is_never_due,
                                removing_what_is_not_in_does_nothing,
                                ascending_and_descending_rows_come_out_in_order,
                                equal_moments_all_come_out, NULL};
    const TTest *const many[] = {
        moments_come_out_in_order_however_they_went_in,
        the_soonest_is_right_after_any_adds_and_removes, NULL};
    const struct chapter chapters[] = {{"few", few, empty, NULL, 0, 0},
                                       {"many", many, empty, NULL, 8, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: moments", chapters);
}
