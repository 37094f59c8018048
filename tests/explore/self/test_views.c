/* SPDX-License-Identifier: MIT */
/* test_views.c - what threads may miss of what others write, and what not. */
#include <check.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fence.h"
#include "base/lock.h"
#include "stage.h"
#include "suite.h"
#include "trial.h"

static struct weir__counter counter, other_counter;
static uint64_t seen[2];

/* ------------------------------------------------- write mine, read yours */

/* Which accesses of "write mine, read yours" are weak. */
static bool weak_write, weak_read;

static uint64_t
write_then_read(struct weir__counter *mine, const struct weir__counter *yours)
{
    if (weak_write)
        weir__counter_write_release(mine, 1);
    else
        weir__counter_write(mine, 1);
    if (weak_read)
        return weir__counter_read_acquire(yours);
    return weir__counter_read(yours);
}

static void one_side(void *arg)
{
    (void)arg;
    seen[0] = write_then_read(&counter, &other_counter);
}

static void other_side(void *arg)
{
    (void)arg;
    seen[1] = write_then_read(&other_counter, &counter);
}

static void dekker(void)
{
    counter.value = 0;
    other_counter.value = 0;
    both(one_side, other_side);
    must(seen[0] || seen[1]);
}

START_TEST(a_weak_write_or_read_shows_with_store_buffers)
{
    struct scenario scenario = bare(dekker);

    weak_write = _i & 1;
    weak_read = (_i & 2) != 0;
    run_buffered(&scenario, true);
    ck_assert_int_eq(findings.failed, _i != 0);
    ck_assert(findings.failed || findings.exhausted);
}
END_TEST

START_TEST(it_does_not_show_without)
{
    struct scenario scenario = bare(dekker);

    weak_write = _i & 1;
    weak_read = (_i & 2) != 0;
    run_buffered(&scenario, false);
    ck_assert(!findings.failed && findings.exhausted);
}
END_TEST

/* --------------------------------------------- to register, and look again */

static struct weir__cond sleeper;
static struct weir__mutex sleeping;
static bool is_woken;
/* Which of the four accesses is weak: 1, 2 of who waits, 3, 4 of who wakes; and
 * whether who waits reads something else first, as strongly as can be. */
static int weak_one;
static bool looks_elsewhere;
static struct weir__counter elsewhere;

static void put_there(struct weir__counter *place, int number)
{
    if (weak_one == number)
        weir__counter_write_release(place, 1);
    else
        weir__counter_write(place, 1);
}

static bool is_there(const struct weir__counter *place, int number)
{
    if (weak_one == number)
        return weir__counter_read_acquire(place) != 0;
    return weir__counter_read(place) != 0;
}

/* Registers, looks again, sleeps; `other_counter` says that somebody waits. */
static void wait_for_counter(void *arg)
{
    (void)arg;
    put_there(&other_counter, 1);
    if (looks_elsewhere)
        (void)weir__counter_read(&elsewhere);
    if (is_there(&counter, 2))
        return;
    world_lock_acquire(&sleeping.seam, "sleeping");
    while (!is_woken)
        (void)world_cond_wait(&sleeper.seam, &sleeping.seam, INT64_MAX,
                              "sleeper");
    world_lock_release(&sleeping.seam, "sleeping");
}

static void set_and_wake(void *arg)
{
    (void)arg;
    put_there(&counter, 3);
    if (!is_there(&other_counter, 4))
        return;
    world_lock_acquire(&sleeping.seam, "sleeping");
    is_woken = true;
    world_cond_wake(&sleeper.seam, "sleeper");
    world_lock_release(&sleeping.seam, "sleeping");
}

static void register_and_recheck(void)
{
    counter.value = 0;
    other_counter.value = 0;
    is_woken = false;
    (void)weir__mutex_init(&sleeping, WEIR__RANK_QUEUE);
    weir__cond_init(&sleeper);
    both(wait_for_counter, set_and_wake);
}

START_TEST(a_weak_access_of_register_and_recheck_shows)
{
    struct scenario scenario = bare(register_and_recheck);

    weak_one = _i % 5;
    looks_elsewhere = _i >= 5;
    run_buffered(&scenario, true);
    ck_assert_int_eq(findings.failed, weak_one != 0);
    ck_assert(findings.failed || findings.exhausted);
    if (findings.failed)
        ck_assert_ptr_nonnull(strstr(findings.what, "deadlock"));
    run_buffered(&scenario, false);
    ck_assert(!findings.failed && findings.exhausted);
}
END_TEST

/* --------------------------------------------------------- passing it on */

/* How the second of two writes is made, and read. */
static enum atomics_order write_order, read_order;
static bool has_fences, is_updated;

static struct atomics_place place_of(struct weir__counter *of)
{
    return (struct atomics_place){&of->value, 8, "it"};
}

static void publish(void *arg)
{
    (void)arg;
    weir__counter_write_relaxed(&counter, 1);
    if (has_fences)
        atomics_fence(ATOMICS_ONE_WAY);
    atomics_write(place_of(&other_counter), 1, write_order);
    if (is_updated)
        atomics_change(place_of(&other_counter), ATOMICS_ADD, 1,
                       ATOMICS_RELAXED);
}

static void look(void *arg)
{
    (void)arg;
    seen[0] = atomics_read(place_of(&other_counter), read_order);
    if (has_fences)
        atomics_fence(ATOMICS_ONE_WAY);
    seen[1] = weir__counter_read_relaxed(&counter);
}

static void message(void)
{
    counter.value = 0;
    other_counter.value = 0;
    both(publish, look);
    must(!seen[0] || seen[1]);
    must(weir__counter_read_relaxed(&counter) == 1); /* they were joined */
}

static bool arrives(enum atomics_order written, enum atomics_order read)
{
    struct scenario scenario = bare(message);

    write_order = written;
    read_order = read;
    run_buffered(&scenario, true);
    ck_assert(findings.failed || findings.exhausted);
    return !findings.failed;
}

START_TEST(who_acquires_what_was_released_has_seen_all_before)
{
    has_fences = false;
    is_updated = _i != 0; /* it goes on with what it found */
    ck_assert(arrives(ATOMICS_ONE_WAY, ATOMICS_ONE_WAY));
    ck_assert(arrives(ATOMICS_ORDERED, ATOMICS_ORDERED));
    ck_assert(!arrives(ATOMICS_RELAXED, ATOMICS_ONE_WAY));
    ck_assert(!arrives(ATOMICS_ONE_WAY, ATOMICS_RELAXED));
    has_fences = true;
    ck_assert(arrives(ATOMICS_RELAXED, ATOMICS_RELAXED));
}
END_TEST

static struct weir__mutex box;

static void put_in(void *arg)
{
    (void)arg;
    world_lock_acquire(&box.seam, "box");
    weir__counter_write_relaxed(&counter, 1);
    world_lock_release(&box.seam, "box");
    weir__counter_write_relaxed(&other_counter, 1);
}

static void take_out(void *arg)
{
    (void)arg;
    seen[0] = weir__counter_read_relaxed(&other_counter);
    world_lock_acquire(&box.seam, "box");
    seen[1] = weir__counter_read_relaxed(&counter);
    world_lock_release(&box.seam, "box");
}

static void by_a_lock(void)
{
    counter.value = 0;
    other_counter.value = 0;
    (void)weir__mutex_init(&box, WEIR__RANK_QUEUE);
    both(put_in, take_out);
    must(!seen[0] || seen[1]);
}

START_TEST(a_lock_takes_along_what_its_last_owner_saw)
{
    struct scenario scenario = bare(by_a_lock);

    run_buffered(&scenario, true);
    ck_assert_msg(!findings.failed && findings.exhausted, "%s", findings.what);
}
END_TEST

/* --------------------------------------------------------- one place alone */

static void count_up(void *arg)
{
    (void)arg;
    weir__counter_write_relaxed(&counter, 1);
    must(weir__counter_read_relaxed(&counter) == 1);
    weir__counter_write_relaxed(&counter, 2);
    must(weir__counter_add(&counter, 1) == 2);
}

static void look_twice(void *arg)
{
    uint64_t before = weir__counter_read_relaxed(&counter);

    (void)arg;
    must(weir__counter_read_relaxed(&counter) >= before);
}

static void one_place(void)
{
    counter.value = 0;
    both(count_up, look_twice);
    must(weir__counter_read_relaxed(&counter) == 3);
}

START_TEST(nobody_sees_a_place_go_back)
{
    struct scenario scenario = bare(one_place);

    run_buffered(&scenario, true);
    ck_assert_msg(!findings.failed && findings.exhausted, "%s", findings.what);
}
END_TEST

static void fence_between(void *arg)
{
    struct weir__counter *own = arg ? &other_counter : &counter;
    struct weir__counter *others = arg ? &counter : &other_counter;

    weir__counter_write_relaxed(own, 1);
    atomics_fence(ATOMICS_ORDERED);
    seen[arg != NULL] = weir__counter_read_relaxed(others);
}

static void fenced_dekker(void)
{
    counter.value = 0;
    other_counter.value = 0;
    world_spawn(fence_between, NULL, NULL);
    world_spawn(fence_between, NULL, &counter);
    world_join(1);
    world_join(2);
    must(seen[0] || seen[1]);
}

START_TEST(a_fence_between_write_and_read_is_enough)
{
    struct scenario scenario = bare(fenced_dekker);

    run_buffered(&scenario, true);
    ck_assert_msg(!findings.failed && findings.exhausted, "%s", findings.what);
}
END_TEST

/* ------------------------------------------------ one side pays for both */

static bool no_heavy_fence;

static void light_side(void *arg)
{
    (void)arg;
    weir__counter_write_release(&counter, 1);
    weir__fence_light();
    seen[0] = weir__counter_read_acquire(&other_counter);
}

static void heavy_side(void *arg)
{
    (void)arg;
    weir__counter_write_release(&other_counter, 1);
    if (!no_heavy_fence)
        weir__fence_heavy();
    seen[1] = weir__counter_read_acquire(&counter);
}

static void uneven_dekker(void)
{
    counter.value = 0;
    other_counter.value = 0;
    both(light_side, heavy_side);
    must(seen[0] || seen[1]);
}

START_TEST(a_heavy_fence_is_enough_for_both)
{
    struct scenario scenario = bare(uneven_dekker);

    no_heavy_fence = _i == 0;
    run_buffered(&scenario, true);
    ck_assert_int_eq(findings.failed, no_heavy_fence);
    ck_assert(findings.failed || findings.exhausted);
}
END_TEST

int main(void)
{
    const TTest *const weakening[] = {
        a_weak_write_or_read_shows_with_store_buffers,
        it_does_not_show_without,
        NULL,
    };
    const TTest *const registering[] = {
        a_weak_access_of_register_and_recheck_shows, NULL};
    const TTest *const passing[] = {
        who_acquires_what_was_released_has_seen_all_before, NULL};
    const TTest *const paying[] = {a_heavy_fence_is_enough_for_both, NULL};
    const TTest *const others[] = {
        a_lock_takes_along_what_its_last_owner_saw,
        nobody_sees_a_place_go_back,
        a_fence_between_write_and_read_is_enough,
        NULL,
    };
    const struct chapter chapters[] = {
        {"weakening", weakening, NULL, NULL, 4, 0},
        {"registering", registering, NULL, NULL, 10, 0},
        {"passing it on", passing, NULL, NULL, 2, 0},
        {"paying", paying, NULL, NULL, 2, 0},
        {"others", others, NULL, NULL, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("explore: views", chapters);
}
