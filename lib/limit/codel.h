/* SPDX-License-Identifier: MIT */
/*
 * codel.h - controlled delay: when the oldest of what waits is to be given up.
 *
 * THE IDEA
 *
 * A queue that is long for a moment is a burst, and does its work.  One whose
 * tasks have all waited longer than a target for a whole interval is standing:
 * it adds delay and nothing else, for it does not become shorter.  While it
 * stands, whatever has waited for more than twice the target is given up.  What
 * is looked at is how long a task has waited when it is taken: no lengths, no
 * rates, nothing to tune to the service.
 *
 *            waited
 *              │              ╱╲
 * twice target ┼ ─ ─ ─ ─ ─ ─ ╱─ ╲_________  as long as it stands, none is run
 *              │            ╱   ▲         ╲ that has waited longer
 *       target ┼ ─ ─ ─ ─ ─ ╱    │ ─ ─ ─ ─ ─╲─ ─
 *              │     ╱╲___╱     │           ╲__
 *              └───────────┴────┴──────────────▶ now
 *                          interval
 *
 * STATES, which are those of "ok to drop" in RFC 8289, chapter 5
 *
 *   below     ▶ above      one has waited for the target, and others wait
 *   above     ▶ below      one has not, or nothing waits behind it
 *             ▶ standing   above for an interval
 *   standing  ▶ below      as above
 *
 * That nothing waits need not be said: what comes next has not waited, or
 * nothing waits behind it.
 *
 * A clock that goes back is taken to have stood still: the interval never ends
 * further away than an interval.
 *
 * WHY NOT the RFC's control law, one drop after interval / sqrt(1),
 * interval / sqrt(2), ...: it counts on senders that slow down when something
 * is lost.  At twice the capacity, offered by some that do not, it takes
 * seconds to drop as fast as they send, empties the queue and begins anew: 11 %
 * of the capacity were done within a deadline of 100 ms, where this does 99 %
 * (tests/test_goodput.c has both).  Twice the target is what folly's Codel
 * gives up.
 *
 * LIMITS: what waits within the first interval may be late.  Where there is a
 * deadline a time to live is exact, but gives up what a burst brings, too.
 */
#ifndef WEIR_LIB_LIMIT_CODEL_H
#define WEIR_LIB_LIMIT_CODEL_H

#include <stdbool.h>
#include <stdint.h>

/* One owner; no lock of its own.  All zero but the first two at first. */
struct weir__codel {
    int64_t target_ns;   /* at least 1 */
    int64_t interval_ns; /* at least 1 */
    bool is_above;
    int64_t stands_from_ns; /* if it is above */
};

/*
 * One that has waited for `waited_ns` is about to be taken; `is_last`: nothing
 * waits behind it.  Returns whether it is to be given up: the next one is then
 * asked about.
 */
bool weir__codel_drops(struct weir__codel *codel, int64_t now_ns,
                       int64_t waited_ns, bool is_last);

#endif /* WEIR_LIB_LIMIT_CODEL_H */
