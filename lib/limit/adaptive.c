/* SPDX-License-Identifier: MIT */
/*
 * adaptive.c - permits whose number follows an estimate.
 *
 * Who waits stands in the line of permits.h; after each call that ends, the
 * permits are as many as the estimate (estimate.h) says now.
 *
 * INVARIANT (holds whenever the lock is free): permits.held is the number of
 * calls in flight, permits.total the estimate's limit.
 *
 * LOCKING: rank LIMIT, no lock is taken below it.
 */
#include <weir/adaptive.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/trap.h"
#include "limit/estimate.h"
#include "limit/fronts.h"
#include "limit/limit.h"
#include "limit/line.h"

/* I: set by create, then read-only.  L: only with the limit's lock. */
struct weir_adaptive {
    struct weir__limit limit;       /* L */
    struct weir__estimate estimate; /* L */
};

weir_status
weir_adaptive_create(weir_adaptive **out, const weir_adaptive_options *options)
{
    WEIR__UNTRAPPED;
    weir_adaptive_options read;
    struct weir__limit *limit;
    weir_adaptive *adaptive;
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = weir__estimate_read(&read, options);
    if (!status)
        status =
            weir__limit_create(&limit, sizeof(*adaptive), "an adaptive limit");
    if (status)
        return status;
    adaptive = (weir_adaptive *)limit;
    weir__estimate_init(&adaptive->estimate, &read);
    limit->permits.total = weir__estimate_limit(&adaptive->estimate);
    *out = adaptive;
    return WEIR_OK;
}

void weir_adaptive_destroy(weir_adaptive *adaptive)
{
    WEIR__UNTRAPPED;

    weir__limit_destroy(weir__adaptive_as_limit(adaptive));
}

struct weir__limit *weir__adaptive_as_limit(weir_adaptive *adaptive)
{
    return (struct weir__limit *)adaptive;
}

static weir_status check_adaptive(const weir_adaptive *adaptive)
{
    return weir__limit_check((const struct weir__limit *)adaptive, "adaptive");
}

weir_status
weir_adaptive_enter(weir_adaptive *adaptive, weir_adaptive_pass *pass,
                    weir_deadline deadline)
{
    WEIR__UNTRAPPED;
    weir_status status = check_adaptive(adaptive);

    if (status)
        return status;
    if (!pass)
        return weir__refuse(WEIR_EINVAL, "pass is NULL");
    *pass = (weir_adaptive_pass){0, 0};
    weir__mutex_lock(&adaptive->limit.lock);
    status = weir__line_wait(&adaptive->limit.permits, &adaptive->limit.lock, 1,
                             deadline);
    if (status == WEIR_OK)
        *pass = (weir_adaptive_pass){adaptive->estimate.epoch, weir__now()};
    weir__limit_unlock(&adaptive->limit);
    return status;
}

void weir__adaptive_begin(weir_adaptive *adaptive, weir_adaptive_pass *pass)
{
    weir__mutex_lock(&adaptive->limit.lock);
    *pass = (weir_adaptive_pass){adaptive->estimate.epoch, weir__now()};
    weir__mutex_unlock(&adaptive->limit.lock);
}

static void end_call(weir_adaptive *adaptive, weir_adaptive_pass *pass,
                     weir_result result) WEIR_REQUIRES(adaptive->limit.lock)
{
    struct weir__permits *permits = &adaptive->limit.permits;

    weir__estimate_note(&adaptive->estimate, pass->epoch, permits->held,
                        weir__now() - pass->since_ns, result);
    weir__permits_resize(permits, weir__estimate_limit(&adaptive->estimate));
    weir__permits_give(permits, 1);
    pass->epoch = 0;
}

void weir__adaptive_end(weir_adaptive *adaptive, weir_adaptive_pass *pass,
                        weir_result result)
{
    weir__mutex_lock(&adaptive->limit.lock);
    end_call(adaptive, pass, result);
    adaptive->limit.references--; /* the grant's */
    weir__mutex_unlock(&adaptive->limit.lock);
}

weir_status weir_adaptive_leave(weir_adaptive *adaptive,
                                weir_adaptive_pass *pass, weir_result result)
{
    WEIR__UNTRAPPED;
    weir_status status = check_adaptive(adaptive);

    if (status)
        return status;
    if (!pass || pass->epoch == 0)
        return weir__refuse(WEIR_EINVAL, "the pass was not let in, or has left "
                                         "already: enter first");
    if ((unsigned)result > WEIR_RESULT_IGNORED)
        return weir__refuse(WEIR_EINVAL, "result %d is none", (int)result);
    weir__mutex_lock(&adaptive->limit.lock);
    end_call(adaptive, pass, result);
    weir__limit_unlock(&adaptive->limit);
    return WEIR_OK;
}

/* Reading takes the lock; a const handle does not forbid it. */
size_t weir_adaptive_limit(const weir_adaptive *adaptive)
{
    WEIR__UNTRAPPED;
    weir_adaptive *a = (weir_adaptive *)adaptive;
    size_t limit;

    if (check_adaptive(a))
        return 0;
    weir__mutex_lock(&a->limit.lock);
    limit = a->limit.permits.total;
    weir__mutex_unlock(&a->limit.lock);
    return limit;
}

size_t weir_adaptive_in_flight(const weir_adaptive *adaptive)
{
    WEIR__UNTRAPPED;
    weir_adaptive *a = (weir_adaptive *)adaptive;
    size_t held;

    if (check_adaptive(a))
        return 0;
    weir__mutex_lock(&a->limit.lock);
    held = a->limit.permits.held;
    weir__mutex_unlock(&a->limit.lock);
    return held;
}
