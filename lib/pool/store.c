/* SPDX-License-Identifier: MIT */
/* store.c - where entries come from: blocks made before they are needed. */
#include "pool/pool.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "base/fault.h"

static size_t aligned(size_t bytes)
{
    size_t unit = alignof(max_align_t);

    return (bytes + unit - 1) / unit * unit;
}

size_t weir__store_stride(size_t item_size)
{
    return aligned(sizeof(struct weir__entry)) +
           aligned(sizeof(struct weir__admission)) + aligned(item_size);
}

struct weir__admission *weir__store_admission_of(struct weir__entry *entry)
{
    return (struct weir__admission *)(void *)((unsigned char *)entry +
                                              aligned(sizeof(*entry)));
}

struct weir__entry *weir__store_entry_of(struct weir__admission *admission)
{
    return (struct weir__entry *)(void *)((unsigned char *)admission -
                                          aligned(sizeof(struct weir__entry)));
}

void *weir__store_copy_of(struct weir__entry *entry)
{
    return (unsigned char *)weir__store_admission_of(entry) +
           aligned(sizeof(struct weir__admission));
}

struct weir__block *weir__block_create(const weir_pool *pool, size_t entries)
{
    struct weir__block *block = weir__allocate(sizeof(*block));

    if (!block)
        return NULL;
    block->entries = entries;
    block->memory = weir__allocate_many(entries, pool->entry_stride);
    if (!block->memory) {
        weir__release(block);
        return NULL;
    }
    return block;
}

void weir__block_add(weir_pool *pool, struct weir__block *block)
{
    block->next = pool->store;
    pool->store = block;
    pool->free_count += block->entries;
}

/* Used ones first: they are warm, and fresh memory stays untouched. */
struct weir__entry *weir__store_take(weir_pool *pool)
{
    struct weir__entry *entry = pool->free_entries;

    if (entry) {
        pool->free_entries = entry->next;
        memset(entry, 0, sizeof(*entry));
    } else {
        struct weir__block *block = pool->store;

        while (block && block->used == block->entries)
            block = block->next;
        if (!block)
            return NULL;
        entry =
            (struct weir__entry *)(void *)(block->memory +
                                           block->used++ * pool->entry_stride);
    }
    pool->free_count--;
    return entry;
}

void weir__store_give_back(weir_pool *pool, struct weir__entry *entry)
{
    entry->state = WEIR__FREE;
    entry->next = pool->free_entries;
    pool->free_entries = entry;
    pool->free_count++;
}

void weir__blocks_release(struct weir__block *block)
{
    while (block) {
        struct weir__block *next = block->next;

        weir__release(block->memory);
        weir__release(block);
        block = next;
    }
}

struct weir__entry *weir__store_create_callers(const weir_pool *pool)
{
    size_t at_task = pool->entry_stride;
    size_t at_result = at_task + aligned(sizeof(struct weir_task));
    size_t room = pool->settings.options.max_result;
    unsigned char *memory = weir__allocate(at_result + room);
    struct weir__entry *entry = (struct weir__entry *)(void *)memory;

    if (!memory)
        return NULL;
    entry->is_callers = true;
    entry->task = (struct weir_task *)(void *)(memory + at_task);
    if (weir__task_init(entry->task, memory + at_result, room)) {
        weir__release(memory);
        return NULL;
    }
    return entry;
}

void weir__store_release_callers(struct weir__entry *entry)
{
    if (!entry)
        return;
    weir__task_dispose(entry->task);
    weir__release(entry);
}

void weir__entry_list_append(struct weir__entry_list *list,
                             struct weir__entry *entry)
{
    entry->next = NULL;
    entry->previous = list->last;
    if (list->last)
        list->last->next = entry;
    else
        list->first = entry;
    list->last = entry;
}

void weir__entry_list_insert(struct weir__entry_list *list,
                             struct weir__entry *entry)
{
    struct weir__entry *older = list->last, *younger = list->first;

    while (older && older->id > entry->id && younger->id < entry->id) {
        older = older->previous;
        younger = younger->next;
    }
    if (!older || older->id < entry->id)
        younger = older ? older->next : list->first;
    if (!younger) {
        weir__entry_list_append(list, entry);
        return;
    }
    entry->next = younger;
    entry->previous = younger->previous;
    if (younger->previous)
        younger->previous->next = entry;
    else
        list->first = entry;
    younger->previous = entry;
}

void weir__entry_list_remove(struct weir__entry_list *list,
                             struct weir__entry *entry)
{
    if (entry->previous)
        entry->previous->next = entry->next;
    else
        list->first = entry->next;
    if (entry->next)
        entry->next->previous = entry->previous;
    else
        list->last = entry->previous;
}
