/* SPDX-License-Identifier: MIT */
/*
 * model.h - what a queue is for one thread, as simply as it can be said.
 *
 * A list of entries, each an item or some pills, and a few figures.  An item
 * is a number; what its bytes are is for the fuzzer.  Every call has the
 * queue's name and answers; `late` says that the deadline is no WEIR_NOW but
 * has passed, so that a call that has nothing to do waits and is counted.
 */
#ifndef WEIR_TESTS_MODEL_H
#define WEIR_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/queue.h>

/* Items at most, and entries: those are checked by an assert. */
enum { MODEL_ITEMS = 1024, MODEL_ENTRIES = 4 * MODEL_ITEMS };

struct model_entry {
    size_t pills; /* 0: an item */
    uint32_t item;
};

struct model {
    weir_queue_options options; /* with defaults filled in */
    struct model_entry entries[MODEL_ENTRIES];
    size_t length; /* of them */
    bool is_closed, poisoned;
    bool told; /* what pressure was told last */
    uint64_t finished;
    weir_queue_stats stats;
    /* Each may call the model; NULL is allowed. */
    void (*discarded)(struct model *model, uint32_t item,
                      weir_discard_reason reason);
    void (*pressure)(struct model *model, bool high);
};

/* Sets all but the callbacks. */
weir_status model_create(struct model *model, size_t item_size,
                         const weir_queue_options *options);
void model_destroy(struct model *model);

weir_status model_put(struct model *model, uint32_t item, bool late);
/* The items are `first`, first + 1, ... */
weir_status model_put_many(struct model *model, uint32_t first, size_t count,
                           size_t *done, bool late);
weir_status model_get(struct model *model, uint32_t *item, bool late);
weir_status model_get_many(struct model *model, uint32_t *items, size_t count,
                           size_t *done, bool late);

weir_status model_task_done(struct model *model, size_t count);
weir_status model_join(const struct model *model);
size_t model_unfinished(const struct model *model);

weir_status model_poison(struct model *model, size_t consumers);
void model_close(struct model *model);
void model_abort(struct model *model);

#endif /* WEIR_TESTS_MODEL_H */
