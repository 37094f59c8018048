/* SPDX-License-Identifier: MIT */
/*
 * batch.c - a producer's items by the group.
 *
 * THE IDEA
 *
 * One inlet (inlets.h) collects: it goes on while the pool is busy, so under
 * load batches are full, and when there is little to do they are young.
 *
 *     item of the batch producer:  [ weir_batch | item | item | ... room ]
 *
 * WHY NOT a pointer to the items: each batch would be an allocation that can
 * fail when an item is already in hand, and no process pool could take it.
 * Inline, a batch has the room of n items whether it is full or not, and n is
 * limited by what an item may have.
 */
#include <string.h>

#include "base/error.h"
#include "flow/inlets.h"
#include "flow/producers.h"
#include "queue/settings.h"

static size_t
batch_count(const weir_batch *batch, const struct weir__inlets *in)
{
    size_t most = (WEIR__MOST_ITEM_BYTES - sizeof(*batch)) /
                  weir__inlets_source(in, 0)->item_size;

    /* A handler may have written there. */
    return batch->count < most ? batch->count : most;
}

static weir_status next_batch(void *self, void *item)
{
    struct weir__inlets *in = self;
    weir_batch head = {0, weir__inlets_source(in, 0)->item_size};
    size_t from;
    weir_status status =
        weir__inlets_take(in, (unsigned char *)item + sizeof(head), &head.count,
                          &from);

    if (!status)
        memcpy(item, &head, sizeof(head));
    return status;
}

static void
settle_batch(void *self, const void *item, const weir_outcome *outcome)
{
    const weir_batch *batch = item;

    weir__inlets_settle(self, 0, batch + 1, batch_count(batch, self), outcome);
}

static void release_batch(void *self, void *item)
{
    weir_batch *batch = item;

    weir__inlets_release(self, 0, batch + 1, batch_count(batch, self));
}

static void interrupt_inlets(void *self)
{
    weir__inlets_interrupt(self);
}

static void close_inlets(void *self)
{
    weir__inlets_close(self);
}

static weir_status
check_batch(const weir_producer *source, size_t n, int64_t max_wait_ns)
{
    size_t most =
        (WEIR__MOST_ITEM_BYTES - sizeof(weir_batch)) / source->item_size;

    if (n == 0 || n > most)
        return weir__refuse(WEIR_EINVAL,
                            "n %zu is not 1 to %zu, what %d bytes hold of "
                            "items of %zu: produce pointers to larger items",
                            n, most, WEIR__MOST_ITEM_BYTES, source->item_size);
    if (max_wait_ns < 0)
        return weir__refuse(WEIR_EINVAL,
                            "max_wait_ns is negative: INT64_MAX waits for n");
    return WEIR_OK;
}

weir_status weir_producer_batch(weir_producer *out, const weir_producer *source,
                                size_t n, int64_t max_wait_ns)
{
    weir_status status = weir__producer_check(out, 1);
    weir_producer copy = WEIR_PRODUCER_INIT;
    struct weir__inlets *in;

    if (!status)
        status = weir__producer_read(&copy, source, "source");
    if (!status)
        status = check_batch(&copy, n, max_wait_ns);
    if (!status)
        status = weir__inlets_create(&in, &copy, 1, n, max_wait_ns);
    if (status)
        return status;
    *out = (weir_producer){.size = sizeof(*out),
                           .item_size = sizeof(weir_batch) + n * copy.item_size,
                           .next = next_batch,
                           .interrupt = interrupt_inlets,
                           .settle = copy.settle ? settle_batch : NULL,
                           .release = copy.release ? release_batch : NULL,
                           .close = close_inlets,
                           .self = in,
                           .has_pointers = copy.has_pointers};
    return WEIR_OK;
}
