/* SPDX-License-Identifier: MIT */
/* circuit.c - see circuit.h. */
#include "limit/circuit.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"

enum { DEFAULT_WINDOW = 100, DEFAULT_LEAST = 20, DEFAULT_TRIALS = 10 };
enum { MOST_OUTCOMES = 1000000 };

static weir_status check_counts(weir_breaker_options *o)
{
    if (o->window == 0)
        o->window = DEFAULT_WINDOW;
    if (o->window > MOST_OUTCOMES)
        return weir__refuse(WEIR_EINVAL, "window %u is above %d outcomes",
                            (unsigned)o->window, MOST_OUTCOMES);
    if (o->least_calls == 0)
        o->least_calls = o->window < DEFAULT_LEAST ? o->window : DEFAULT_LEAST;
    if (o->least_calls > o->window)
        return weir__refuse(WEIR_EINVAL,
                            "least_calls %u is above window %u, and would "
                            "never be reached: lower it",
                            (unsigned)o->least_calls, (unsigned)o->window);
    if (o->trials == 0)
        o->trials = DEFAULT_TRIALS;
    return WEIR_OK;
}

weir_status weir__circuit_read(weir_breaker_options *into,
                               const weir_breaker_options *options)
{
    weir_status status = weir__options_read(into, sizeof(*into), options,
                                            "weir_breaker_options");

    if (!status)
        status = check_counts(into);
    if (status)
        return status;
    if (into->failure_share == 0)
        into->failure_share = 0.5;
    if (!(into->failure_share > 0 && into->failure_share <= 1))
        return weir__refuse(WEIR_EINVAL, "failure_share is not above 0 and at "
                                         "most 1: 0.5 is one call in two");
    if (into->cool_down_ns < 0)
        return weir__refuse(WEIR_EINVAL,
                            "cool_down_ns is negative: 0 means 10 s");
    if (into->cool_down_ns == 0)
        into->cool_down_ns = WEIR_SECONDS(10);
    return WEIR_OK;
}

void weir__circuit_init(struct weir__circuit *circuit,
                        const weir_breaker_options *options,
                        unsigned char *outcomes, int64_t now_ns)
{
    *circuit = (struct weir__circuit){.options = *options,
                                      .outcomes = outcomes,
                                      .state = WEIR_BREAKER_CLOSED,
                                      .epoch = 1,
                                      .seen_ns = now_ns,
                                      .since_ns = now_ns};
}

static void
change_state(struct weir__circuit *circuit, weir_breaker_state state)
{
    circuit->state = state;
    circuit->epoch++;
    circuit->since_ns = circuit->seen_ns;
    circuit->at = circuit->calls = circuit->failed = 0;
    circuit->admitted = circuit->returned = 0;
}

static bool has_cooled(const struct weir__circuit *circuit)
{
    return circuit->seen_ns >=
           weir__moment_after(circuit->since_ns, circuit->options.cool_down_ns);
}

static bool
is_share(const struct weir__circuit *circuit, uint32_t failed, uint32_t calls)
{
    return failed > 0 &&
           (double)failed >= circuit->options.failure_share * (double)calls;
}

/* What a state becomes by itself when it is looked at. */
static void let_pass(struct weir__circuit *circuit, int64_t now_ns)
{
    if (now_ns > circuit->seen_ns)
        circuit->seen_ns = now_ns;
    if (circuit->state == WEIR_BREAKER_HALF_OPEN &&
        circuit->admitted == circuit->options.trials && has_cooled(circuit))
        change_state(circuit, WEIR_BREAKER_OPEN);
}

bool weir__circuit_enter(struct weir__circuit *circuit, int64_t now_ns)
{
    let_pass(circuit, now_ns);
    if (circuit->state == WEIR_BREAKER_OPEN && has_cooled(circuit))
        change_state(circuit, WEIR_BREAKER_HALF_OPEN);
    if (circuit->state == WEIR_BREAKER_CLOSED)
        return true;
    if (circuit->state == WEIR_BREAKER_OPEN ||
        circuit->admitted == circuit->options.trials)
        return false;
    circuit->admitted++;
    circuit->since_ns = circuit->seen_ns;
    return true;
}

/* On a copy: nothing of it changes. */
bool weir__circuit_would_enter(const struct weir__circuit *circuit,
                               int64_t now_ns)
{
    struct weir__circuit copy = *circuit;

    return weir__circuit_enter(&copy, now_ns);
}

/* Open: then it tries.  Half-open: then it opens again, if nothing comes. */
int64_t weir__circuit_next(const struct weir__circuit *circuit)
{
    return weir__moment_after(circuit->since_ns, circuit->options.cool_down_ns);
}

static void leave_closed(struct weir__circuit *circuit, bool failed)
{
    uint32_t window = circuit->options.window;

    if (circuit->calls == window)
        circuit->failed -= circuit->outcomes[circuit->at];
    else
        circuit->calls++;
    circuit->outcomes[circuit->at] = failed;
    circuit->failed += failed;
    circuit->at = circuit->at + 1 == window ? 0 : circuit->at + 1;
    if (circuit->calls >= circuit->options.least_calls &&
        is_share(circuit, circuit->failed, circuit->calls))
        change_state(circuit, WEIR_BREAKER_OPEN);
}

static void leave_half_open(struct weir__circuit *circuit, bool failed)
{
    circuit->returned++;
    circuit->failed += failed;
    if (is_share(circuit, circuit->failed, circuit->options.trials))
        change_state(circuit, WEIR_BREAKER_OPEN);
    else if (circuit->returned == circuit->options.trials)
        change_state(circuit, WEIR_BREAKER_CLOSED);
}

void weir__circuit_leave(struct weir__circuit *circuit, uint64_t epoch,
                         weir_result result, int64_t now_ns)
{
    let_pass(circuit, now_ns);
    if (epoch != circuit->epoch)
        return;
    if (result == WEIR_RESULT_IGNORED)
        circuit->admitted -= circuit->state == WEIR_BREAKER_HALF_OPEN;
    else if (circuit->state == WEIR_BREAKER_CLOSED)
        leave_closed(circuit, result != WEIR_RESULT_OK);
    else
        leave_half_open(circuit, result != WEIR_RESULT_OK);
}
