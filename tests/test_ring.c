/* SPDX-License-Identifier: MIT */
/* test_ring.c - positions, laps and batches; what is copied; figures. */
#include "queue/ring.h"

#include "faults.h"
#include "rings.h"
#include "suite.h"

/* Powers of two and their neighbours: only there a lap has no spare. */
static const size_t capacities[] = {1, 2, 3, 5, 7, 8, 1000};
enum { CAPACITIES = sizeof(capacities) / sizeof(capacities[0]), MOST = 1000 };

/* What is asked a million times is asked with an if: a ck_assert writes. */

/* -------------------------------------------------------------- positions */

/* _i: a capacity. */
START_TEST(a_lap_has_room_for_the_capacity_and_its_bits_are_its_own)
{
    size_t capacity = capacities[_i];

    open_ring(capacity, 8);
    ck_assert_uint_ge(ring.lap, capacity * WEIR__RING_STEP);
    ck_assert_uint_lt(ring.lap, 2 * capacity * WEIR__RING_STEP);
    ck_assert_uint_eq(ring.lap & (ring.lap - 1), 0);
}
END_TEST

START_TEST(positions_go_slot_by_slot_and_lap_by_lap)
{
    uint64_t capacity = capacities[_i], at = 0;

    open_ring((size_t)capacity, 8);
    for (uint64_t n = 0; n < 4 * capacity; n++) {
        unsigned char *slot = ring.slots + n % capacity * ring.stride;

        ck_assert_uint_eq(weir__ring_ordinal(&ring, at), n);
        ck_assert_uint_eq(weir__ring_stamp(&ring, at), n / capacity * ring.lap);
        ck_assert_ptr_eq(weir__ring_slot(&ring, at), slot);
        at = weir__ring_after(&ring, at, 1);
    }
}
END_TEST

/* Ordinals tell whether it is the right position; they are tested above. */
START_TEST(many_steps_at_once_lead_to_the_same_position)
{
    uint64_t capacity = capacities[_i], at = 0;

    open_ring((size_t)capacity, 8);
    for (uint64_t n = 0; n < 2 * capacity; n++) {
        for (size_t count = 0; count <= capacity; count++) {
            uint64_t to = weir__ring_after(&ring, at, count);

            if (weir__ring_ordinal(&ring, to) != n + count)
                ck_abort_msg("from %d by %zu", (int)n, count);
        }
        at = weir__ring_after(&ring, at, 1);
    }
}
END_TEST

START_TEST(flags_are_no_part_of_a_position)
{
    uint64_t capacity = capacities[_i], at = 0;

    open_ring((size_t)capacity, 8);
    for (uint64_t n = 0; n < 2 * capacity; n++) {
        for (uint64_t flags = 0; flags <= WEIR__RING_FLAGS; flags++) {
            ck_assert_uint_eq(weir__ring_position(at | flags), at);
            ck_assert_uint_eq(weir__ring_ordinal(&ring, at | flags), n);
            ck_assert_uint_eq(weir__ring_stamp(&ring, at | flags),
                              weir__ring_stamp(&ring, at));
            ck_assert_ptr_eq(weir__ring_slot(&ring, at | flags),
                             weir__ring_slot(&ring, at));
        }
        at = weir__ring_after(&ring, at, 1);
    }
}
END_TEST

START_TEST(a_late_position_has_its_ordinal_too)
{
    uint64_t capacity = capacities[_i], laps = UINT64_C(1) << 40;
    uint64_t at;

    open_ring((size_t)capacity, 8);
    at = laps * ring.lap;
    for (uint64_t n = 0; n < 2 * capacity; n++) {
        ck_assert_uint_eq(weir__ring_ordinal(&ring, at), laps * capacity + n);
        at = weir__ring_after(&ring, at, 1);
    }
}
END_TEST

/* ------------------------------------------------------------------ making */

static weir_status init_and_dispose(void *arg)
{
    weir_status status = weir__ring_init(&ring, 3, 5);

    (void)arg;
    if (!status)
        close_ring();
    return status;
}

START_TEST(a_ring_without_memory_is_refused)
{
    ck_assert_uint_eq(fault_sweep(init_and_dispose, NULL, WEIR_ENOMEM), 1);
    ck_assert_int_eq(weir__ring_init(&ring, SIZE_MAX / 8, 4096), WEIR_ENOMEM);
    ck_assert_ptr_null(ring.slots);
}
END_TEST

START_TEST(a_ring_may_be_made_where_another_was)
{
    const uint64_t numbers[] = {1, 2, 3};

    open_ring(2, 8);
    ck_assert_uint_eq(ring_put(numbers, 2, 0), 2);
    weir__counter_or(&ring.tail, WEIR__RING_CLOSED);
    close_ring();
    open_ring(3, 8);
    ck_assert(!has_item());
    ck_assert_uint_eq(most_now(), 0);
    ck_assert_uint_eq(ring_put(numbers, 3, 0), 3);
    ck_assert_uint_eq(most_now(), 3);
}
END_TEST

/* ---------------------------------------------------------- what is copied */

enum { GUARD = 16, LARGEST = 4096 };

static const struct {
    size_t from, to;
} sizes[] = {{1, 16}, {17, 40}, {41, 80}, {LARGEST, LARGEST}};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

/* A byte that depends on its item and its place, and is never 0. */
static unsigned char pattern(uint64_t item, size_t place)
{
    return (unsigned char)((item * 131 + place * 7 + place / 251) % 255 + 1);
}

static void write_pattern(unsigned char *bytes, size_t size, uint64_t item)
{
    for (size_t place = 0; place < size; place++)
        bytes[place] = pattern(item, place);
}

static void
assert_pattern(const unsigned char *bytes, size_t size, uint64_t item)
{
    for (size_t place = 0; place < size; place++)
        if (bytes[place] != pattern(item, place))
            ck_abort_msg("byte %zu of item %d", place, (int)item);
}

static void assert_all(const unsigned char *bytes, size_t count, unsigned value)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != value)
            ck_abort_msg("%d in byte %zu", bytes[i], i);
}

/* That the slots hold `count` items from `first` on, and beyond each of them
 * only what the ring was made with. */
static void assert_slots(uint64_t first, uint64_t count)
{
    size_t used = sizeof(struct weir__slot) + ring.item_size;

    for (uint64_t item = first; item < first + count; item++) {
        unsigned char *slot = ring.slots + item % ring.capacity * ring.stride;

        assert_pattern(slot + used - ring.item_size, ring.item_size, item);
        assert_all(slot + used, ring.stride - used, 0);
    }
}

/* Ten laps one by one, each item beside two neighbours. */
static void pass_singly(size_t size)
{
    static unsigned char bytes[LARGEST + 2 * GUARD];

    open_ring(3, size);
    ck_assert_uint_eq(ring.stride % sizeof(uint64_t), 0);
    for (uint64_t item = 0; item < 30; item++) {
        write_pattern(bytes, size, item);
        ck_assert_uint_eq(ring_put(bytes, 1, 0), 1);
        assert_slots(item < 2 ? 0 : item - 2, item < 2 ? item + 1 : 3);
        if (item < 2)
            continue;
        memset(bytes, 0xee, sizeof(bytes));
        ck_assert_uint_eq(ring_get(bytes + GUARD, 1, 0), 1);
        assert_pattern(bytes + GUARD, size, item - 2);
        assert_all(bytes, GUARD, 0xee);
        assert_all(bytes + GUARD + size, LARGEST + GUARD - size, 0xee);
    }
    close_ring();
}

/* Capacity 4, batches of 3: they start in every slot. */
static void pass_in_batches(size_t size)
{
    static unsigned char bytes[3 * LARGEST + 2 * GUARD];
    size_t rest = sizeof(bytes) - GUARD - 3 * size;

    open_ring(4, size);
    for (uint64_t item = 0; item < 36; item += 3) {
        for (size_t i = 0; i < 3; i++)
            write_pattern(bytes + i * size, size, item + i);
        ck_assert_uint_eq(ring_put(bytes, 3, 0), 3);
        assert_slots(item, 3);
        memset(bytes, 0xee, sizeof(bytes));
        ck_assert_uint_eq(ring_get(bytes + GUARD, 3, 0), 3);
        for (size_t i = 0; i < 3; i++)
            assert_pattern(bytes + GUARD + i * size, size, item + i);
        assert_all(bytes, GUARD, 0xee);
        assert_all(bytes + GUARD + 3 * size, rest, 0xee);
    }
    close_ring();
}

/* _i: some sizes. */
START_TEST(an_item_of_any_size_is_copied_and_its_neighbours_are_not_touched)
{
    for (size_t size = sizes[_i].from; size <= sizes[_i].to; size++)
        pass_singly(size);
}
END_TEST

START_TEST(a_batch_of_any_size_is_copied_and_nothing_else)
{
    for (size_t size = sizes[_i].from; size <= sizes[_i].to; size++)
        pass_in_batches(size);
}
END_TEST

/* ----------------------------------------------------------------- batches */

static uint64_t put_so_far, got_so_far, most_so_far;

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What a ring that has put and got so much looks like from outside, and that
 * no put has to look for `most` that cannot exceed it. */
static void assert_ring(uint64_t before)
{
    uint64_t inside = put_so_far - got_so_far;
    uint64_t head = head_now();
    uint64_t most_at = weir__hint_read(&ring.most_at);

    ck_assert_uint_eq(weir__ring_put_ever(&ring), before + put_so_far);
    ck_assert_uint_eq(weir__ring_got_ever(&ring), before + got_so_far);
    ck_assert_int_eq(has_item(), inside > 0);
    ck_assert_int_eq(has_room(), inside < ring.capacity);
    ck_assert_int_eq(weir__ring_is_published(&ring, head), inside > 0);
    ck_assert_uint_eq(most_now(), most_so_far);
    ck_assert_uint_ge(most_at, tail_now());
    if (most_so_far == ring.capacity)
        ck_assert_uint_eq(most_at, UINT64_MAX);
}

/* As many as fit of a batch, and no more, go in; as `most` says. */
static void put_batch(size_t count)
{
    uint64_t fit = smaller(count, ring.capacity - (put_so_far - got_so_far));
    uint64_t numbers[MOST + 8];

    for (size_t i = 0; i < count; i++)
        numbers[i] = put_so_far + i;
    if (ring_put(numbers, count, 0) != fit)
        ck_abort_msg("not %d put", (int)fit);
    put_so_far += fit;
    if (put_so_far - got_so_far > most_so_far)
        most_so_far = put_so_far - got_so_far;
}

/* As many as there are, in order, come out. */
static void get_batch(size_t count)
{
    uint64_t there = smaller(count, put_so_far - got_so_far);
    uint64_t numbers[MOST + 8];

    if (ring_get(numbers, count, 0) != there)
        ck_abort_msg("not %d got", (int)there);
    for (uint64_t i = 0; i < there; i++)
        if (numbers[i] != got_so_far + i)
            ck_abort_msg("%d in place of %d", (int)numbers[i],
                         (int)(got_so_far + i));
    got_so_far += there;
}

/* Opens an empty ring of numbers, as if all its words and stamps had moved on
 * by about so many positions.  Returns how many items those are. */
static uint64_t open_used(size_t capacity, uint64_t positions)
{
    uint64_t to;

    put_so_far = got_so_far = most_so_far = 0;
    open_ring(capacity, sizeof(uint64_t));
    to = positions / ring.lap * ring.lap;
    weir__counter_write(&ring.tail, to);
    weir__counter_write(&ring.head, to);
    for (uint64_t i = 0; i < capacity; i++)
        weir__counter_write(&weir__ring_slot(&ring, i * WEIR__RING_STEP)->stamp,
                            to);
    return to / ring.lap * capacity;
}

/* A new ring, one beyond 32 bits, one far beyond what is ever reached. */
static const uint64_t ages[] = {0, UINT64_C(1) << 32, UINT64_C(1) << 61};
enum { AGES = sizeof(ages) / sizeof(ages[0]) };

static uint64_t open_nth(int i)
{
    return open_used(capacities[i % CAPACITIES], ages[i / CAPACITIES]);
}

/* _i: a capacity and an age. */
START_TEST(a_batch_from_any_slot_goes_in_and_out_in_order)
{
    uint64_t before = open_nth(_i);
    size_t step = ring.capacity > 8 ? 97 : 1;

    for (size_t start = 0; start < ring.capacity; start += step)
        for (size_t count = 1; count < ring.capacity + 4; count += step) {
            while ((put_so_far % ring.capacity) != start) {
                put_batch(1);
                get_batch(1);
            }
            put_batch(count);
            assert_ring(before);
            get_batch(count);
            assert_ring(before);
        }
}
END_TEST

START_TEST(a_batch_larger_than_the_capacity_is_cut_to_it)
{
    uint64_t before = open_nth(_i);

    for (int round = 0; round < 5; round++) {
        put_batch(ring.capacity + 8);
        assert_ring(before);
        put_batch(1);
        assert_ring(before);
        get_batch(ring.capacity + 8);
        assert_ring(before);
        get_batch(1);
        put_batch(1); /* the next round starts one slot on */
        get_batch(1);
    }
}
END_TEST

/* The same random walk each time. */
static uint64_t walk;

static size_t random_count(void)
{
    walk = walk * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(walk >> 33) % (ring.capacity + 8) + 1;
}

START_TEST(puts_and_gets_of_any_size_keep_order_room_and_figures)
{
    uint64_t before = open_nth(_i);

    walk = 1;
    for (int step = 0; step < 2000; step++) {
        size_t count = random_count();

        if (step / 16 % 2) /* for a while fuller, for a while emptier */
            count = count / 4 + 1;
        put_batch(count);
        assert_ring(before);
        get_batch(random_count());
        assert_ring(before);
    }
}
END_TEST

/* _i: as above.  Each height is reached once, in ever later laps. */
START_TEST(most_is_the_highest_there_was_whatever_the_lap)
{
    uint64_t before = open_nth(_i);

    for (uint64_t height = 1; height <= ring.capacity; height++) {
        for (uint64_t n = 0; n < height; n++)
            put_batch(1);
        ck_assert_uint_eq(most_now(), height);
        get_batch(ring.capacity);
        if (height % 50 == 1)
            assert_ring(before);
    }
}
END_TEST

START_TEST(a_slow_note_of_most_lowers_nothing_and_hides_no_later_put)
{
    uint64_t second;

    open_used(5, 0);
    put_batch(2);
    second = tail_now();
    get_batch(2);
    put_batch(3);
    get_batch(3);
    weir__ring_note_most(&ring, second);
    ck_assert_uint_eq(most_now(), 3);
    for (uint64_t most = 3; most <= 5; most++) {
        put_batch((size_t)most);
        weir__ring_note_most(&ring, second);
        ck_assert_uint_eq(most_now(), most);
        get_batch((size_t)most);
    }
}
END_TEST

/* -------------------------------------------------- claims under way */

START_TEST(an_item_is_published_from_its_put_to_its_get)
{
    open_used(3, 0);
    for (int i = 0; i < 7; i++) {
        uint64_t at = tail_now();

        ck_assert(!weir__ring_is_published(&ring, at));
        put_batch(1);
        ck_assert(weir__ring_is_published(&ring, at));
        get_batch(1);
        ck_assert(!weir__ring_is_published(&ring, at));
    }
}
END_TEST

/* The stamp of the nth slot, as a thread in the middle of a call leaves it. */
static struct weir__counter *stamp_of(size_t n)
{
    return &weir__ring_slot(&ring, n * WEIR__RING_STEP)->stamp;
}

START_TEST(a_get_ends_before_an_item_that_is_only_claimed)
{
    uint64_t numbers[3];

    open_used(5, 0);
    put_batch(3);
    weir__counter_write(stamp_of(1), 0);
    ck_assert_uint_eq(ring_get(numbers, 3, 0), 1);
    ck_assert(has_item());
    ck_assert(!weir__ring_is_published(&ring, WEIR__RING_STEP));
    ck_assert(weir__ring_is_published(&ring, 2 * WEIR__RING_STEP));
    ck_assert_uint_eq(ring_get(numbers, 3, 0), 0);
    weir__counter_write(stamp_of(1), WEIR__RING_FULL);
    ck_assert_uint_eq(ring_get(numbers, 3, 0), 2);
    ck_assert_uint_eq(numbers[0], 1);
    ck_assert_uint_eq(numbers[1], 2);
}
END_TEST

START_TEST(a_put_ends_before_a_slot_that_is_not_given_back)
{
    const uint64_t numbers[] = {5, 6, 7, 8};

    open_used(5, 0);
    put_batch(5);
    get_batch(4);
    weir__counter_write(stamp_of(1), WEIR__RING_FULL);
    ck_assert_uint_eq(ring_put(numbers, 4, 0), 1);
    ck_assert(has_room());
    ck_assert_uint_eq(ring_put(numbers + 1, 3, 0), 0);
    weir__counter_write(stamp_of(1), ring.lap);
    ck_assert_uint_eq(ring_put(numbers + 1, 3, 0), 3);
    ck_assert(!has_room());
    put_so_far += 4;
    get_batch(5);
}
END_TEST

int main(void)
{
    const TTest *const positions[] = {
        a_lap_has_room_for_the_capacity_and_its_bits_are_its_own,
        positions_go_slot_by_slot_and_lap_by_lap,
        many_steps_at_once_lead_to_the_same_position,
        flags_are_no_part_of_a_position,
        a_late_position_has_its_ordinal_too,
        NULL};
    const TTest *const making[] = {a_ring_without_memory_is_refused,
                                   a_ring_may_be_made_where_another_was, NULL};
    const TTest *const copied[] = {
        an_item_of_any_size_is_copied_and_its_neighbours_are_not_touched,
        a_batch_of_any_size_is_copied_and_nothing_else, NULL};
    const TTest *const batches[] = {
        a_batch_from_any_slot_goes_in_and_out_in_order,
        a_batch_larger_than_the_capacity_is_cut_to_it,
        puts_and_gets_of_any_size_keep_order_room_and_figures,
        most_is_the_highest_there_was_whatever_the_lap, NULL};
    const TTest *const under_way[] = {
        an_item_is_published_from_its_put_to_its_get,
        a_slow_note_of_most_lowers_nothing_and_hides_no_later_put,
        a_get_ends_before_an_item_that_is_only_claimed,
        a_put_ends_before_a_slot_that_is_not_given_back, NULL};
    const struct chapter chapters[] = {
        {"positions", positions, NULL, close_ring, CAPACITIES, 0},
        {"making", making, NULL, close_ring, 0, 0},
        {"what is copied", copied, NULL, close_ring, SIZES, 0},
        {"batches", batches, NULL, close_ring, AGES * CAPACITIES, 0},
        {"under way", under_way, NULL, close_ring, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("ring", chapters);
}
