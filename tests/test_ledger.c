/* SPDX-License-Identifier: MIT */
/* test_ledger.c - the law of the ledger, column by column. */
#include "observe/ledger.h"

#include "suite.h"

enum { KINDS = WEIR_OUTCOME_DROPPED + 1 };

static uint64_t *column(weir_ledger *ledger, int i)
{
    uint64_t *const columns[] = {&ledger->done,      &ledger->failed,
                                 &ledger->timed_out, &ledger->crashed,
                                 &ledger->exited,    &ledger->cancelled,
                                 &ledger->expired,   &ledger->dropped,
                                 &ledger->queued,    &ledger->running,
                                 &ledger->retrying};

    return columns[i];
}

START_TEST(an_empty_ledger_balances)
{
    const weir_ledger ledger = {0};

    ck_assert(weir_ledger_balances(&ledger));
    ck_assert_uint_eq(weir__ledger_live(&ledger), 0);
}
END_TEST

START_TEST(each_column_counts_once)
{
    weir_ledger ledger = {0};

    ledger.accepted = 1;
    ck_assert(!weir_ledger_balances(&ledger));
    ++*column(&ledger, _i);
    ck_assert(weir_ledger_balances(&ledger));
    ++*column(&ledger, _i);
    ck_assert(!weir_ledger_balances(&ledger));
}
END_TEST

START_TEST(each_kind_has_its_own_column)
{
    weir_ledger ledger = {0};

    if (_i >= KINDS)
        return;
    weir__ledger_add(&ledger, weir__ledger_column((weir_outcome_kind)_i), 1);
    for (int i = 0; i < KINDS + 3; i++)
        ck_assert_uint_eq(*column(&ledger, i), i == _i);
    ck_assert_uint_eq(ledger.accepted, 0);
    weir__ledger_add(&ledger, weir__ledger_column((weir_outcome_kind)_i), -1);
    ck_assert_uint_eq(*column(&ledger, _i), 0);
}
END_TEST

START_TEST(what_is_queued_running_or_retrying_is_live)
{
    weir_ledger ledger = {0};

    ++*column(&ledger, _i);
    ck_assert_uint_eq(weir__ledger_live(&ledger), _i >= KINDS);
}
END_TEST

START_TEST(other_figures_have_no_part_in_the_sum)
{
    weir_ledger ledger = {0};

    ledger.accepted = ledger.done = 3;
    ledger.refused = ledger.attempts = ledger.late = ledger.unreleased = 9;
    ck_assert(weir_ledger_balances(&ledger));
}
END_TEST

START_TEST(only_what_has_settled_is_overdue_and_of_that_abandoned)
{
    weir_ledger ledger = {0};

    ledger.accepted = 3;
    ledger.timed_out = 2;
    ledger.running = 1;
    ledger.overdue = 2;
    ck_assert(weir_ledger_balances(&ledger));
    ledger.overdue = 3;
    ck_assert(!weir_ledger_balances(&ledger));
    ledger.overdue = 1;
    ledger.abandoned = 2;
    ck_assert(!weir_ledger_balances(&ledger));
    ledger.abandoned = 1;
    ck_assert(weir_ledger_balances(&ledger));
}
END_TEST

int main(void)
{
    const TTest *const whole[] = {
        an_empty_ledger_balances, other_figures_have_no_part_in_the_sum,
        only_what_has_settled_is_overdue_and_of_that_abandoned, NULL};
    const TTest *const columns[] = {each_column_counts_once,
                                    each_kind_has_its_own_column,
                                    what_is_queued_running_or_retrying_is_live,
                                    NULL};
    const struct chapter chapters[] = {{"whole", whole, NULL, NULL, 0, 0},
                                       {"columns", columns, NULL, NULL,
                                        KINDS + 3, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("ledger", chapters);
}
