/* SPDX-License-Identifier: MIT */
/* producers.c - items from an array, a range, a function, a queue. */
#include "flow/producers.h"

#include <stdint.h>
#include <string.h>

#include "base/atomic.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/options.h"
#include "queue/queue.h"
#include "queue/settings.h"

weir_status weir__producer_check(const weir_producer *out, size_t item_size)
{
    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    if (item_size == 0 || item_size > WEIR__MOST_ITEM_BYTES)
        return weir__refuse(WEIR_EINVAL,
                            "item_size %zu is not 1 to %d: produce pointers to "
                            "larger items",
                            item_size, WEIR__MOST_ITEM_BYTES);
    return WEIR_OK;
}

weir_status weir__producer_read(weir_producer *into, const weir_producer *from,
                                const char *name)
{
    weir_status status = WEIR_OK;

    if (!from)
        return weir__refuse(WEIR_EINVAL, "%s is NULL", name);
    if (from->size == 0)
        return weir__refuse(WEIR_EINVAL,
                            "%s.size is 0: use a constructor or "
                            "WEIR_PRODUCER_INIT",
                            name);
    status = weir__options_read(into, sizeof(*into), from, "weir_producer");
    if (!status && !into->next)
        status = weir__refuse(WEIR_EINVAL,
                              "%s.next is NULL: use a constructor or "
                              "WEIR_PRODUCER_INIT, and set it",
                              name);
    if (!status &&
        (into->item_size == 0 || into->item_size > WEIR__MOST_ITEM_BYTES))
        status = weir__refuse(WEIR_EINVAL, "%s.item_size %zu is not 1 to %d",
                              name, into->item_size, WEIR__MOST_ITEM_BYTES);
    return status;
}

void *weir__producer_allocate(size_t bytes)
{
    void *self = weir__allocate(bytes);

    if (!self)
        weir__refuse(WEIR_ENOMEM, "no memory for a producer");
    return self;
}

/* ------------------------------------------------------------------- array */

struct array {
    const unsigned char *next;
    size_t left;
    size_t item_size;
    struct weir__flag interrupted;
};

static weir_status next_of_array(void *self, void *item)
{
    struct array *array = self;

    if (weir__flag_read(&array->interrupted))
        return WEIR_CANCELLED;
    if (array->left == 0)
        return WEIR_END;
    memcpy(item, array->next, array->item_size);
    array->next += array->item_size;
    array->left--;
    return WEIR_OK;
}

static void interrupt_array(void *self)
{
    struct array *array = self;

    weir__flag_write(&array->interrupted, true);
}

weir_status weir_producer_array(weir_producer *out, const void *items,
                                size_t count, size_t item_size)
{
    weir_status status = weir__producer_check(out, item_size);
    struct array *array;

    if (!status && !items && count > 0)
        status = weir__refuse(WEIR_EINVAL, "items is NULL");
    if (status)
        return status;
    array = weir__producer_allocate(sizeof(*array));
    if (!array)
        return WEIR_ENOMEM;
    array->next = items;
    array->left = count;
    array->item_size = item_size;
    *out = (weir_producer){.size = sizeof(*out),
                           .item_size = item_size,
                           .next = next_of_array,
                           .interrupt = interrupt_array,
                           .close = weir__release,
                           .self = array};
    return WEIR_OK;
}

/* ------------------------------------------------------------------- range */

struct range {
    uint64_t next;
    uint64_t left;
    struct weir__flag interrupted;
};

static weir_status next_of_range(void *self, void *item)
{
    struct range *range = self;

    if (weir__flag_read(&range->interrupted))
        return WEIR_CANCELLED;
    if (range->left == 0)
        return WEIR_END;
    memcpy(item, &range->next, sizeof(range->next));
    range->next++;
    range->left--;
    return WEIR_OK;
}

static void interrupt_range(void *self)
{
    struct range *range = self;

    weir__flag_write(&range->interrupted, true);
}

weir_status
weir_producer_range(weir_producer *out, uint64_t first, uint64_t count)
{
    weir_status status = weir__producer_check(out, sizeof(uint64_t));
    struct range *range;

    if (!status && count > 0 && first > UINT64_MAX - (count - 1))
        status = weir__refuse(WEIR_EINVAL,
                              "the range's last number does not fit in 64 "
                              "bits: lower first or count");
    if (status)
        return status;
    range = weir__producer_allocate(sizeof(*range));
    if (!range)
        return WEIR_ENOMEM;
    range->next = first;
    range->left = count;
    *out = (weir_producer){.size = sizeof(*out),
                           .item_size = sizeof(uint64_t),
                           .next = next_of_range,
                           .interrupt = interrupt_range,
                           .close = weir__release,
                           .self = range};
    return WEIR_OK;
}

bool weir__producer_is_at_hand(const weir_producer *producer)
{
    return producer->next == next_of_array || producer->next == next_of_range;
}

/* -------------------------------------------------------------------- call */

struct call {
    weir_status (*next)(void *arg, void *item);
    void *arg;
};

static weir_status next_of_call(void *self, void *item)
{
    const struct call *call = self;

    return call->next(call->arg, item);
}

weir_status weir_producer_call(weir_producer *out,
                               weir_status (*next)(void *arg, void *item),
                               void *arg, size_t item_size)
{
    weir_status status = weir__producer_check(out, item_size);
    struct call *call;

    if (!status && !next)
        status = weir__refuse(WEIR_EINVAL, "next is NULL");
    if (status)
        return status;
    call = weir__producer_allocate(sizeof(*call));
    if (!call)
        return WEIR_ENOMEM;
    call->next = next;
    call->arg = arg;
    *out = (weir_producer){.size = sizeof(*out),
                           .item_size = item_size,
                           .next = next_of_call,
                           .close = weir__release,
                           .self = call};
    return WEIR_OK;
}

/* ------------------------------------------------------------------- queue */

struct tap {
    weir_queue *queue;
    struct weir__flag interrupted;
};

static weir_status next_of_queue(void *self, void *item)
{
    struct tap *tap = self;
    weir_status status;

    if (weir__flag_read(&tap->interrupted))
        return WEIR_CANCELLED;
    status = weir__queue_get_unless(tap->queue, item, WEIR_FOREVER,
                                    &tap->interrupted);
    return status == WEIR_CLOSED || status == WEIR_POISONED ? WEIR_END : status;
}

static void interrupt_queue(void *self)
{
    struct tap *tap = self;

    weir__flag_write(&tap->interrupted, true);
    weir__queue_wake_getters(tap->queue);
}

static void release_to_queue(void *self, void *item)
{
    struct tap *tap = self;
    weir_status status = weir_queue_task_done(tap->queue, 1);

    (void)item;
    (void)status; /* somebody else said too often that it was done */
}

weir_status
weir_producer_queue(weir_producer *out, weir_queue *queue, size_t item_size)
{
    weir_status status = weir__producer_check(out, item_size);
    struct tap *tap;

    /* A batch of none checks the handle and nothing else. */
    if (!status)
        status = weir_queue_put_many(queue, NULL, 0, NULL, WEIR_NOW);
    if (!status && weir__queue_item_size(queue) != item_size)
        status =
            weir__refuse(WEIR_EINVAL, "item_size %zu is not the queue's, %zu",
                         item_size, weir__queue_item_size(queue));
    if (status)
        return status;
    tap = weir__producer_allocate(sizeof(*tap));
    if (!tap)
        return WEIR_ENOMEM;
    tap->queue = queue;
    *out = (weir_producer){.size = sizeof(*out),
                           .item_size = item_size,
                           .next = next_of_queue,
                           .interrupt = interrupt_queue,
                           .release = release_to_queue,
                           .close = weir__release,
                           .self = tap};
    return WEIR_OK;
}
