/* SPDX-License-Identifier: MIT */
/* test_pool_room.c - when a submitter that waits for room is woken. */
#include "gate.h"
#include "pools.h"
#include "suite.h"

enum { CAPACITY = 8, STRETCH = CAPACITY / 4 };

/* A full queue, and a submitter that waits. */
static struct job *at_work, *queued[CAPACITY];
static struct call call;

static void fill_up(void)
{
    options.queue_capacity = CAPACITY;
    open_pool();
    at_work = start_new(act_wait);
    for (int i = 0; i < CAPACITY; i++)
        queued[i] = submit_new(act_wait);
    call = (struct call){.job = new_job(act_answer)};
    block_call(&call, act_submit);
}

/* The first has ended, and the second begun: there is one place. */
static void make_room_for_one(void)
{
    finish_job(at_work);
    await_start(queued[0]);
}

static void assert_let_in(void)
{
    helper_join(&call.helper);
    ck_assert_int_eq(call.status, WEIR_OK);
    for (int i = 0; i < CAPACITY; i++)
        gate_open(&queued[i]->finish);
    settle_all();
}

START_TEST(a_stretch_of_room_lets_a_submitter_in_at_once)
{
    int64_t began_ns;

    fill_up();
    began_ns = test_clock_now();
    make_room_for_one();
    await_timekeeper(began_ns + WEIR_MS(1)); /* it has not been woken */
    ck_assert_uint_eq(ledger_now().queued, CAPACITY - 1);
    for (int i = 1; i < STRETCH; i++) {
        finish_job(queued[i - 1]);
        await_start(queued[i]);
    }
    assert_let_in();
    ck_assert_int_eq(test_clock_now(), began_ns);
}
END_TEST

START_TEST(one_place_lets_a_submitter_in_after_a_moment)
{
    int64_t began_ns;

    fill_up();
    began_ns = test_clock_now();
    make_room_for_one();
    advance_to(began_ns + WEIR_MS(1));
    assert_let_in();
}
END_TEST

START_TEST(the_moment_comes_again)
{
    struct call second;

    fill_up();
    make_room_for_one();
    advance_to(test_clock_now() + WEIR_MS(1));
    helper_join(&call.helper);
    second = (struct call){.job = new_job(act_answer)};
    block_call(&second, act_submit);
    finish_job(queued[0]);
    await_start(queued[1]);
    advance_to(test_clock_now() + WEIR_MS(1));
    helper_join(&second.helper);
    ck_assert_int_eq(second.status, WEIR_OK);
    for (int i = 0; i < CAPACITY; i++)
        gate_open(&queued[i]->finish);
    settle_all();
}
END_TEST

int main(void)
{
    const TTest *const all[] = {a_stretch_of_room_lets_a_submitter_in_at_once,
                                one_place_lets_a_submitter_in_after_a_moment,
                                the_moment_comes_again, NULL};
    const struct chapter chapters[] = {{"room", all, pool_setup, pool_teardown,
                                        0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("pool: room", chapters);
}
