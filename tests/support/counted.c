/* SPDX-License-Identifier: MIT */
/* counted.c - see counted.h. */
#include "counted.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t out_mark = 0x6f7574206f757420;

/* As long as what malloc aligns to. */
union head {
    max_align_t align;
    struct {
        uint64_t mark;
        size_t bytes;
        const struct counted *owner;
    } is;
};

void *counted_allocate(void *arg, size_t bytes)
{
    struct counted *counted = arg;
    union head *head;

    ck_assert_uint_gt(bytes, 0);
    if (atomic_fetch_sub(&counted->allows, 1) == 0) {
        atomic_store(&counted->allows, 0);
        return NULL;
    }
    head = malloc(sizeof(*head) + bytes);
    ck_assert_ptr_nonnull(head);
    head->is.mark = out_mark;
    head->is.bytes = bytes;
    head->is.owner = counted;
    atomic_fetch_add(&counted->taken, 1);
    atomic_fetch_add(&counted->live, 1);
    return memset(head + 1, 0xa5, bytes);
}

void counted_release(void *arg, void *memory)
{
    struct counted *counted = arg;
    union head *head = (union head *)memory - 1;

    ck_assert_ptr_nonnull(memory);
    ck_assert_uint_eq(head->is.mark, out_mark);
    ck_assert_ptr_eq(head->is.owner, counted);
    memset(memory, 0x5a, head->is.bytes);
    head->is.mark = 0;
    atomic_fetch_sub(&counted->live, 1);
    free(head);
}
