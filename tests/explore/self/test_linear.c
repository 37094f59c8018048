/* SPDX-License-Identifier: MIT */
/* test_linear.c - which histories have an order, and which have none. */
#include <check.h>

#include "history.h"
#include "linear.h"
#include "suite.h"

/* A call from one moment to another. */
static struct call *called(enum call_kind kind, uint64_t item,
                           weir_status status, uint64_t began, uint64_t ended)
{
    struct call *call = &history.calls[history.count++];

    *call = (struct call){.kind = kind,
                          .status = status,
                          .began = began,
                          .ended = ended,
                          .count = 1};
    call->items[0] = item;
    call->done = status == WEIR_OK;
    return call;
}

static void new_history(size_t capacity)
{
    linear_forget();
    history_reset(capacity, WEIR_ON_FULL_WAIT, false);
}

START_TEST(a_get_may_come_before_the_end_of_its_put)
{
    new_history(1);
    called(CALL_PUT, 11, WEIR_OK, 1, 4);
    called(CALL_GET, 11, WEIR_OK, 2, 3);
    ck_assert(linear_explains_history());
}
END_TEST

START_TEST(a_get_before_its_put_is_not_explained)
{
    new_history(1);
    called(CALL_GET, 11, WEIR_OK, 1, 2);
    called(CALL_PUT, 11, WEIR_OK, 3, 4);
    ck_assert(!linear_explains_history());
}
END_TEST

START_TEST(the_wrong_order_is_not_explained)
{
    new_history(2);
    called(CALL_PUT, 11, WEIR_OK, 1, 2);
    called(CALL_PUT, 21, WEIR_OK, 3, 4);
    called(CALL_GET, 21, WEIR_OK, 5, 6);
    called(CALL_GET, 11, WEIR_OK, 7, 8);
    ck_assert(!linear_explains_history());
    history.calls[0].ended = 4; /* now the puts overlap */
    history.calls[1].began = 2;
    linear_forget();
    ck_assert(linear_explains_history());
}
END_TEST

START_TEST(more_than_capacity_is_not_explained)
{
    new_history(1);
    called(CALL_PUT, 11, WEIR_OK, 1, 2);
    called(CALL_PUT, 12, WEIR_OK, 3, 4);
    ck_assert(!linear_explains_history());
}
END_TEST

START_TEST(a_false_time_out_is_not_explained)
{
    new_history(1);
    called(CALL_PUT, 11, WEIR_OK, 1, 2);
    called(CALL_GET, 0, WEIR_TIMED_OUT, 3, 4);
    ck_assert(!linear_explains_history());
}
END_TEST

/* A claimed slot may be in the way of what may not wait, and of nothing
 * else. */
START_TEST(only_a_put_under_way_excuses_a_get_that_may_not_wait)
{
    new_history(2);
    called(CALL_PUT, 11, WEIR_OK, 1, 2);
    called(CALL_GET, 0, WEIR_TIMED_OUT, 3, 5);
    called(CALL_PUT, 12, WEIR_OK, 4, 6);
    ck_assert(!linear_explains_history());
    history.calls[1].is_now = true;
    ck_assert(linear_explains_history());
    history.calls[2].kind = CALL_DONE;
    ck_assert(!linear_explains_history());
}
END_TEST

START_TEST(closed_while_an_item_is_inside_is_not_explained)
{
    new_history(1);
    called(CALL_PUT, 11, WEIR_OK, 1, 2);
    called(CALL_CLOSE, 0, WEIR_OK, 3, 4);
    called(CALL_GET, 0, WEIR_CLOSED, 5, 6);
    ck_assert(!linear_explains_history());
    called(CALL_GET, 11, WEIR_OK, 5, 7);
    ck_assert(linear_explains_history());
}
END_TEST

START_TEST(a_pill_is_for_so_many)
{
    new_history(1);
    called(CALL_POISON, 0, WEIR_OK, 1, 2)->count = 2;
    called(CALL_GET, 0, WEIR_POISONED, 3, 4);
    called(CALL_GET, 0, WEIR_POISONED, 5, 6);
    ck_assert(linear_explains_history());
    called(CALL_GET, 0, WEIR_POISONED, 7, 8);
    ck_assert(!linear_explains_history());
}
END_TEST

START_TEST(a_join_before_the_end_is_not_explained)
{
    new_history(1);
    called(CALL_PUT, 11, WEIR_OK, 1, 2);
    called(CALL_JOIN, 0, WEIR_OK, 3, 4);
    ck_assert(!linear_explains_history());
    called(CALL_DONE, 0, WEIR_OK, 3, 5);
    ck_assert(linear_explains_history());
}
END_TEST

int main(void)
{
    const TTest *const explaining[] = {
        a_get_may_come_before_the_end_of_its_put,
        a_get_before_its_put_is_not_explained,
        the_wrong_order_is_not_explained,
        more_than_capacity_is_not_explained,
        a_false_time_out_is_not_explained,
        only_a_put_under_way_excuses_a_get_that_may_not_wait,
        closed_while_an_item_is_inside_is_not_explained,
        a_pill_is_for_so_many,
        a_join_before_the_end_is_not_explained,
        NULL,
    };
    const struct chapter chapters[] = {{"explaining", explaining, NULL, NULL, 0,
                                        0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("explore: linear", chapters);
}
