/* SPDX-License-Identifier: MIT */
/*
 * flow_items.h - a producer of numbers, and what becomes of each.
 *
 * Items are the numbers from 1.  Their handler's deed is one of those that
 * tasks of the pool's scenarios have (pool_stage.h).
 */
#ifndef WEIR_EXPLORE_FLOW_ITEMS_H
#define WEIR_EXPLORE_FLOW_ITEMS_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/producer.h>

#include "pool_stage.h"

enum { FLOW_ITEMS = 16, FLOW_STAGES = 2 };

struct fate {
    deed *does[FLOW_STAGES]; /* NULL: works */
    bool is_given;
    unsigned begun[FLOW_STAGES], ended[FLOW_STAGES]; /* attempts */
    bool is_done[FLOW_STAGES];                       /* it answered 0 */
    uint64_t task_id; /* at the first stage, once it has begun */
    bool is_heard;    /* of its outcome: the producer's settle, or the reader */
    bool is_settled;  /* the producer's settle */
    bool is_taken;    /* the reader has its result, or it has left */
    bool is_lent;     /* and has made no other call */
    bool is_released;
    weir_outcome_kind kind;
};

/* What items go by. */
extern struct items {
    struct fate fates[FLOW_ITEMS + 1]; /* by number; the first is not used */
    /* The source: it gives so many, and then ... */
    unsigned count;
    weir_status end; /* answers this, */
    bool blocks;     /* blocks until it is interrupted, */
    bool exits;      /* or ends its thread. */
    bool tells;      /* it has a settle and a release */
    unsigned given;
    bool is_asked, is_interrupted, is_closed;
    /* Whoever reads. */
    unsigned taken, taking;
    unsigned window;     /* items that were given and not taken at most */
    bool starts_nothing; /* what has not begun is cancelled */
    bool may_be_cancelled;
    bool asks_nothing; /* nobody is to ask the source any more */
    bool in_order;     /* handlers of the last stage begin so */
    bool is_serial;    /* of the last stage: one at a time */
    unsigned last_begun, last_running;
} items;

void items_reset(void);

weir_producer items_source(bool tells);
/* Lets a source that blocks go on: to its end. */
void items_unblock(void);

/* What runs an item at each stage; the result is its number. */
int items_first(weir_task *task, void *item);
int items_second(weir_task *task, void *item);

/* Whose outcome this is, if the item was not written as its attempt was still
 * at it. */
unsigned items_overdue(const weir_outcome *outcome);

/* Somebody hears of the item's outcome. */
void items_heard(unsigned number, const weir_outcome *outcome);

/* All that were given are settled, and released once. */
void items_must_be_over(void);
unsigned items_attempts(void);
unsigned items_that_are(weir_outcome_kind kind);

#endif /* WEIR_EXPLORE_FLOW_ITEMS_H */
