/* SPDX-License-Identifier: MIT */
/*
 * merge.c - several producers as one, each in its turn.
 *
 * THE IDEA
 *
 * An inlet for each (inlets.h), with room for one item: whoever has one stands
 * in line once, so the others are at most one item each ahead of it.
 *
 *     item of the merged producer:  [ the source's item | whose, 4 bytes ]
 *
 * Whose it is must travel with the item: settle and release get nothing else.
 * It lies behind, so that a handler sees the source's item where it expects it.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "flow/inlets.h"
#include "flow/producers.h"
#include "queue/settings.h"

static size_t merged_bytes(const struct weir__inlets *in)
{
    return weir__inlets_source(in, 0)->item_size;
}

static weir_status next_merged(void *self, void *item)
{
    size_t count, from = 0;
    weir_status status = weir__inlets_take(self, item, &count, &from);
    uint32_t whose = (uint32_t)from;

    if (!status)
        memcpy((unsigned char *)item + merged_bytes(self), &whose,
               sizeof(whose));
    return status;
}

static size_t whose_item(const struct weir__inlets *in, const void *item)
{
    uint32_t whose;

    memcpy(&whose, (const unsigned char *)item + merged_bytes(in),
           sizeof(whose));
    return whose;
}

static void
settle_merged(void *self, const void *item, const weir_outcome *outcome)
{
    weir__inlets_settle(self, whose_item(self, item), item, 1, outcome);
}

static void release_merged(void *self, void *item)
{
    weir__inlets_release(self, whose_item(self, item), item, 1);
}

static void interrupt_merged(void *self)
{
    weir__inlets_interrupt(self);
}

static void close_merged(void *self)
{
    weir__inlets_close(self);
}

/* Reads one of the list into `all`. */
static weir_status
read_merged(weir_producer *all, size_t i, const weir_producer *const *sources)
{
    char name[40];
    weir_status status;

    for (size_t before = 0; before < i; before++)
        if (sources[before] == sources[i])
            return weir__refuse(WEIR_EINVAL,
                                "sources[%zu] and sources[%zu] are the same: "
                                "make two",
                                before, i);
    snprintf(name, sizeof(name), "sources[%zu]", i);
    status = weir__producer_read(&all[i], sources[i], name);
    if (!status && all[i].item_size != all[0].item_size)
        status = weir__refuse(WEIR_EINVAL,
                              "sources[%zu].item_size is %zu, but that of "
                              "sources[0] is %zu: one handler takes both",
                              i, all[i].item_size, all[0].item_size);
    if (!status && all[i].item_size + sizeof(uint32_t) > WEIR__MOST_ITEM_BYTES)
        status = weir__refuse(WEIR_EINVAL,
                              "sources[%zu].item_size %zu is not 1 to %zu: "
                              "produce pointers to larger items",
                              i, all[i].item_size,
                              WEIR__MOST_ITEM_BYTES - sizeof(uint32_t));
    return status;
}

static weir_status
make_merged(weir_producer *out, const weir_producer *all, size_t count)
{
    struct weir__inlets *in;
    bool settles = false, releases = false, has_pointers = false;
    weir_status status = weir__inlets_create(&in, all, count, 1, INT64_MAX);

    if (status)
        return status;
    for (size_t i = 0; i < count; i++) {
        settles = settles || all[i].settle;
        releases = releases || all[i].release;
        has_pointers = has_pointers || all[i].has_pointers;
    }
    *out = (weir_producer){.size = sizeof(*out),
                           .item_size = all[0].item_size + sizeof(uint32_t),
                           .next = next_merged,
                           .interrupt = interrupt_merged,
                           .settle = settles ? settle_merged : NULL,
                           .release = releases ? release_merged : NULL,
                           .close = close_merged,
                           .self = in,
                           .has_pointers = has_pointers};
    return WEIR_OK;
}

weir_status
weir_producer_merge(weir_producer *out, const weir_producer *const *sources,
                    size_t count)
{
    weir_status status = weir__producer_check(out, 1);
    weir_producer *all;

    if (status)
        return status;
    if (!sources || count == 0)
        return weir__refuse(WEIR_EINVAL, "there are no sources");
    if (count > UINT32_MAX)
        return weir__refuse(WEIR_EINVAL, "count %zu is too many", count);
    all = weir__allocate_many(count, sizeof(*all));
    if (!all)
        return weir__refuse(WEIR_ENOMEM, "no memory for a producer");
    for (size_t i = 0; !status && i < count; i++)
        status = read_merged(all, i, sources);
    if (!status)
        status = make_merged(out, all, count);
    weir__release(all);
    return status;
}
