/* SPDX-License-Identifier: MIT */
/*
 * breaker.c - a circuit with a lock and a clock.  The essay is in circuit.h.
 *
 * LOCKING: rank LIMIT, no lock is taken below it.
 */
#include <weir/breaker.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/trap.h"
#include "limit/circuit.h"

/* I: set by create, then read-only.  L: only with `lock` held. */
struct weir_breaker {
    struct weir__mutex lock;
    uint64_t generation;          /* I: see base/fork.h */
    struct weir__circuit circuit; /* L */
    unsigned char outcomes[];     /* L: the circuit's */
};

weir_status
weir_breaker_create(weir_breaker **out, const weir_breaker_options *options)
{
    WEIR__UNTRAPPED;
    weir_breaker_options read;
    weir_breaker *breaker;
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = weir__circuit_read(&read, options);
    if (!status)
        status = weir__fork_watch();
    if (status)
        return status;
    breaker = weir__allocate(sizeof(*breaker) + read.window);
    if (!breaker)
        return weir__refuse(WEIR_ENOMEM, "no memory for a breaker");
    status = weir__mutex_init(&breaker->lock, WEIR__RANK_LIMIT);
    if (status) {
        weir__release(breaker);
        return status;
    }
    breaker->generation = weir__fork_generation();
    weir__circuit_init(&breaker->circuit, &read, breaker->outcomes,
                       weir__now());
    *out = breaker;
    return WEIR_OK;
}

void weir_breaker_destroy(weir_breaker *breaker)
{
    WEIR__UNTRAPPED;

    if (!breaker || weir__is_forked(breaker->generation))
        return;
    weir__mutex_dispose(&breaker->lock);
    weir__release(breaker);
}

static weir_status check_breaker(const weir_breaker *breaker)
{
    if (!breaker)
        return weir__refuse(WEIR_EINVAL, "breaker is NULL");
    if (weir__is_forked(breaker->generation))
        return weir__refuse_forked("breaker");
    return WEIR_OK;
}

weir_status weir_breaker_enter(weir_breaker *breaker, weir_breaker_pass *pass)
{
    WEIR__UNTRAPPED;
    weir_status status = check_breaker(breaker);

    if (status)
        return status;
    if (!pass)
        return weir__refuse(WEIR_EINVAL, "pass is NULL");
    pass->epoch = 0;
    weir__mutex_lock(&breaker->lock);
    if (weir__circuit_enter(&breaker->circuit, weir__now()))
        pass->epoch = breaker->circuit.epoch;
    else
        status = WEIR_FULL;
    weir__mutex_unlock(&breaker->lock);
    return status;
}

weir_status weir_breaker_leave(weir_breaker *breaker, weir_breaker_pass *pass,
                               weir_result result)
{
    WEIR__UNTRAPPED;
    weir_status status = check_breaker(breaker);

    if (status)
        return status;
    if (!pass || pass->epoch == 0)
        return weir__refuse(WEIR_EINVAL, "the pass was not let in, or has left "
                                         "already: enter first");
    if ((unsigned)result > WEIR_RESULT_IGNORED)
        return weir__refuse(WEIR_EINVAL, "result %d is none", (int)result);
    weir__mutex_lock(&breaker->lock);
    weir__circuit_leave(&breaker->circuit, pass->epoch, result, weir__now());
    weir__mutex_unlock(&breaker->lock);
    pass->epoch = 0;
    return WEIR_OK;
}

/* Reading takes the lock; a const handle does not forbid it. */
weir_breaker_state weir_breaker_read(const weir_breaker *breaker)
{
    WEIR__UNTRAPPED;
    weir_breaker *b = (weir_breaker *)breaker;
    weir_breaker_state state;

    if (check_breaker(b))
        return WEIR_BREAKER_CLOSED;
    weir__mutex_lock(&b->lock);
    state = b->circuit.state;
    weir__mutex_unlock(&b->lock);
    return state;
}
