/* SPDX-License-Identifier: MIT */
/* helper.c - see helper.h. */
#include "helper.h"

#include <check.h>

static void *helper_main(void *arg)
{
    struct helper *helper = arg;

    helper->run(helper->arg);
    gate_open(&helper->ended);
    return NULL;
}

void helper_start(struct helper *helper, void (*run)(void *arg), void *arg)
{
    *helper = (struct helper){.ended = GATE_INIT, .run = run, .arg = arg};
    ck_assert_int_eq(pthread_create(&helper->native, NULL, helper_main, helper),
                     0);
}

void helper_join(struct helper *helper)
{
    gate_wait(&helper->ended);
    ck_assert_int_eq(pthread_join(helper->native, NULL), 0);
}

void helpers_start(struct helper *helpers, size_t count, void (*run)(void *arg),
                   void *args, size_t stride)
{
    for (size_t i = 0; i < count; i++)
        helper_start(&helpers[i], run, (unsigned char *)args + i * stride);
}

void helpers_join(struct helper *helpers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        helper_join(&helpers[i]);
}
