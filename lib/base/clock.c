/* SPDX-License-Identifier: MIT */
/* clock.c - moments on the monotonic clock. */
#include <weir/deadline.h>

#include <stddef.h>
#include <time.h>

#include "base/atomic.h"
#include "base/clock.h"

/* Written by tests before there are threads; read by every clock access. */
static struct weir__pointer time_source;

int64_t weir__now(void)
{
    const struct weir__time_source *source = weir__clock_source();
    struct timespec now;

    if (source)
        return source->now();
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * WEIR__NS_PER_SECOND + now.tv_nsec;
}

void weir__clock_use(const struct weir__time_source *source)
{
    weir__pointer_write(&time_source, source);
}

const struct weir__time_source *weir__clock_source(void)
{
    return weir__pointer_read(&time_source);
}

weir_deadline weir_deadline_after(int64_t ns)
{
    if (ns <= 0)
        return WEIR_NOW;
    return (weir_deadline){weir__moment_after(weir__now(), ns)};
}

int64_t weir_deadline_remaining(weir_deadline deadline)
{
    int64_t now_ns;

    if (weir__is_forever(deadline))
        return INT64_MAX;
    now_ns = weir__now();
    return deadline.at_ns > now_ns ? deadline.at_ns - now_ns : 0;
}
