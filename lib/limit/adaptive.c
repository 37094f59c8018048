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
#include "base/fault.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/trap.h"
#include "limit/estimate.h"
#include "limit/line.h"
#include "limit/permits.h"

/* I: set by create, then read-only.  L: only with `lock` held. */
struct weir_adaptive {
    struct weir__mutex lock;
    uint64_t generation;            /* I: see base/fork.h */
    struct weir__permits permits;   /* L */
    struct weir__estimate estimate; /* L */
};

weir_status
weir_adaptive_create(weir_adaptive **out, const weir_adaptive_options *options)
{
    WEIR__UNTRAPPED;
    weir_adaptive_options read;
    weir_adaptive *adaptive;
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = weir__estimate_read(&read, options);
    if (!status)
        status = weir__fork_watch();
    if (status)
        return status;
    adaptive = weir__allocate(sizeof(*adaptive));
    if (!adaptive)
        return weir__refuse(WEIR_ENOMEM, "no memory for an adaptive limit");
    status = weir__mutex_init(&adaptive->lock, WEIR__RANK_LIMIT);
    if (status) {
        weir__release(adaptive);
        return status;
    }
    adaptive->generation = weir__fork_generation();
    weir__estimate_init(&adaptive->estimate, &read);
    adaptive->permits.total = weir__estimate_limit(&adaptive->estimate);
    *out = adaptive;
    return WEIR_OK;
}

void weir_adaptive_destroy(weir_adaptive *adaptive)
{
    WEIR__UNTRAPPED;

    if (!adaptive || weir__is_forked(adaptive->generation))
        return;
    weir__mutex_dispose(&adaptive->lock);
    weir__release(adaptive);
}

static weir_status check_adaptive(const weir_adaptive *adaptive)
{
    if (!adaptive)
        return weir__refuse(WEIR_EINVAL, "adaptive is NULL");
    if (weir__is_forked(adaptive->generation))
        return weir__refuse_forked("adaptive limit");
    return WEIR_OK;
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
    weir__mutex_lock(&adaptive->lock);
    status = weir__line_wait(&adaptive->permits, &adaptive->lock, 1, deadline);
    if (status == WEIR_OK)
        *pass = (weir_adaptive_pass){adaptive->estimate.epoch, weir__now()};
    weir__mutex_unlock(&adaptive->lock);
    return status;
}

weir_status weir_adaptive_leave(weir_adaptive *adaptive,
                                weir_adaptive_pass *pass, weir_result result)
{
    WEIR__UNTRAPPED;
    weir_status status = check_adaptive(adaptive);
    struct weir__permits *permits;

    if (status)
        return status;
    if (!pass || pass->epoch == 0)
        return weir__refuse(WEIR_EINVAL, "the pass was not let in, or has left "
                                         "already: enter first");
    if ((unsigned)result > WEIR_RESULT_IGNORED)
        return weir__refuse(WEIR_EINVAL, "result %d is none", (int)result);
    permits = &adaptive->permits;
    weir__mutex_lock(&adaptive->lock);
    weir__estimate_note(&adaptive->estimate, pass->epoch, permits->held,
                        weir__now() - pass->since_ns, result);
    weir__permits_resize(permits, weir__estimate_limit(&adaptive->estimate));
    weir__permits_give(permits, 1);
    weir__mutex_unlock(&adaptive->lock);
    pass->epoch = 0;
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
    weir__mutex_lock(&a->lock);
    limit = a->permits.total;
    weir__mutex_unlock(&a->lock);
    return limit;
}

size_t weir_adaptive_in_flight(const weir_adaptive *adaptive)
{
    WEIR__UNTRAPPED;
    weir_adaptive *a = (weir_adaptive *)adaptive;
    size_t held;

    if (check_adaptive(a))
        return 0;
    weir__mutex_lock(&a->lock);
    held = a->permits.held;
    weir__mutex_unlock(&a->lock);
    return held;
}
