/* SPDX-License-Identifier: MIT */
/*
 * breaker.c - a circuit with a lock and a clock.  The essay is in circuit.h.
 *
 * LOCKING: rank LIMIT, no lock is taken below it.
 */
#include <weir/breaker.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/trap.h"
#include "limit/circuit.h"
#include "limit/fronts.h"
#include "limit/limit.h"

/* I: set by create, then read-only.  L: only with the limit's lock. */
struct weir_breaker {
    struct weir__limit limit;
    struct weir__circuit circuit; /* L */
    unsigned char outcomes[];     /* L: the circuit's */
};

weir_status
weir_breaker_create(weir_breaker **out, const weir_breaker_options *options)
{
    WEIR__UNTRAPPED;
    weir_breaker_options read;
    struct weir__limit *limit;
    weir_breaker *breaker;
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = weir__circuit_read(&read, options);
    if (!status)
        status = weir__limit_create(&limit, sizeof(*breaker) + read.window,
                                    "a breaker");
    if (status)
        return status;
    breaker = (weir_breaker *)limit;
    weir__circuit_init(&breaker->circuit, &read, breaker->outcomes,
                       weir__now());
    *out = breaker;
    return WEIR_OK;
}

void weir_breaker_destroy(weir_breaker *breaker)
{
    WEIR__UNTRAPPED;

    weir__limit_destroy(weir__breaker_as_limit(breaker));
}

struct weir__limit *weir__breaker_as_limit(weir_breaker *breaker)
{
    return (struct weir__limit *)breaker;
}

static weir_status check_breaker(const weir_breaker *breaker)
{
    return weir__limit_check((const struct weir__limit *)breaker, "breaker");
}

static bool enter_circuit(weir_breaker *breaker, weir_breaker_pass *pass)
    WEIR_REQUIRES(breaker->limit.lock)
{
    bool is_in = weir__circuit_enter(&breaker->circuit, weir__now());

    pass->epoch = is_in ? breaker->circuit.epoch : 0;
    return is_in;
}

/* Whoever watches is told when one more might be let in. */
static void leave_circuit(weir_breaker *breaker, weir_breaker_pass *pass,
                          weir_result result) WEIR_REQUIRES(breaker->limit.lock)
{
    weir__circuit_leave(&breaker->circuit, pass->epoch, result, weir__now());
    pass->epoch = 0;
    if (breaker->limit.watching.first &&
        weir__circuit_would_enter(&breaker->circuit, weir__now()))
        weir__limit_tell_watching(&breaker->limit);
}

weir_status weir_breaker_enter(weir_breaker *breaker, weir_breaker_pass *pass)
{
    WEIR__UNTRAPPED;
    weir_status status = check_breaker(breaker);

    if (status)
        return status;
    if (!pass)
        return weir__refuse(WEIR_EINVAL, "pass is NULL");
    weir__mutex_lock(&breaker->limit.lock);
    if (!enter_circuit(breaker, pass))
        status = WEIR_FULL;
    weir__mutex_unlock(&breaker->limit.lock);
    return status;
}

bool weir__breaker_admit(weir_breaker *breaker, weir_breaker_pass *pass,
                         struct weir__bid *bid, int64_t *until_ns)
{
    bool is_in;

    weir__mutex_lock(&breaker->limit.lock);
    is_in = enter_circuit(breaker, pass);
    if (!is_in) {
        weir__limit_watch(&breaker->limit, bid);
        *until_ns = weir__circuit_next(&breaker->circuit);
    }
    weir__mutex_unlock(&breaker->limit.lock);
    return is_in;
}

bool weir__breaker_is_open(weir_breaker *breaker)
{
    bool open;

    weir__mutex_lock(&breaker->limit.lock);
    open = breaker->circuit.state == WEIR_BREAKER_OPEN &&
           !weir__circuit_would_enter(&breaker->circuit, weir__now());
    weir__mutex_unlock(&breaker->limit.lock);
    return open;
}

void weir__breaker_end(weir_breaker *breaker, weir_breaker_pass *pass,
                       weir_result result)
{
    weir__mutex_lock(&breaker->limit.lock);
    leave_circuit(breaker, pass, result);
    weir__mutex_unlock(&breaker->limit.lock);
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
    weir__mutex_lock(&breaker->limit.lock);
    leave_circuit(breaker, pass, result);
    weir__limit_unlock(&breaker->limit);
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
    weir__mutex_lock(&b->limit.lock);
    state = b->circuit.state;
    weir__mutex_unlock(&b->limit.lock);
    return state;
}
