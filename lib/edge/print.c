/* SPDX-License-Identifier: MIT */
/*
 * print.c - a pool at one look, for people.
 *
 * May run in a signal handler: see look.h for what is read and words.h for how
 * it is said.
 */
#include <inttypes.h>

#include "base/fork.h"
#include "edge/words.h"
#include "pool/look.h"
#include "pool/pool.h"

/* So many workers at a time: what lies on the stack. */
enum { PRINTED_AT_ONCE = 8 };

/* Seconds, with as many digits as it takes to tell. */
static void print_time(struct weir__words *words, int64_t ns)
{
    if (ns < WEIR_MS(1)) {
        weir__words_say(words, "%" PRId64 " us", ns / 1000);
    } else if (ns < WEIR_MS(1000)) {
        weir__words_say(words, "%" PRId64 " ms", ns / 1000000);
    } else {
        weir__words_decimal(words, ns / 1000000, 3);
        weir__words_say(words, " s");
    }
}

/* Three digits, as many as a histogram knows. */
static void print_span(struct weir__words *words, int64_t ns)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    int64_t unit = 1, whole = ns, digits = 0;
    size_t i = 0;

    for (; whole >= 1000 && i < 3; whole = ns / unit) {
        unit *= 1000;
        i++;
    }
    for (; unit > 1 && digits < 2 && whole < 100; digits++) {
        unit /= 10;
        whole = ns / unit;
    }
    weir__words_decimal(words, whole, (unsigned)digits);
    weir__words_say(words, " %s", units[i]);
}

static void print_name(struct weir__words *words, const char *name)
{
    weir__words_say(words, "\"");
    weir__words_quote(words, name, NULL, 0);
    weir__words_say(words, "\"");
}

/* ----------------------------------------------------------------- figures */

static void
print_part(struct weir__words *words, const char *name, uint64_t count)
{
    if (count > 0)
        weir__words_say(words, " + %s %" PRIu64, name, count);
}

static void print_ledger(struct weir__words *words, const weir_ledger *l)
{
    weir__words_say(words, "  accepted %" PRIu64 " = done %" PRIu64,
                    l->accepted, l->done);
    print_part(words, "failed", l->failed);
    print_part(words, "timed out", l->timed_out);
    print_part(words, "crashed", l->crashed);
    print_part(words, "exited", l->exited);
    print_part(words, "cancelled", l->cancelled);
    print_part(words, "expired", l->expired);
    print_part(words, "dropped", l->dropped);
    print_part(words, "queued", l->queued);
    print_part(words, "running", l->running);
    print_part(words, "retrying", l->retrying);
    weir__words_say(words,
                    "\n  refused %" PRIu64 ", attempts %" PRIu64
                    ", late %" PRIu64 ", overdue %" PRIu64
                    ", abandoned %" PRIu64 "\n",
                    l->refused, l->attempts, l->late, l->overdue, l->abandoned);
}

static void print_pool(struct weir__words *words, const struct weir__look *look)
{
    const weir_ledger *l = &look->ledger;

    weir__words_say(words, "pool ");
    print_name(words, look->name);
    weir__words_say(words, ": %" PRIu64 " of %" PRIu64 " places taken",
                    l->queued + l->retrying, look->capacity);
    if (look->delayed > 0)
        weir__words_say(words, " (%" PRIu64 " not before their time)",
                        look->delayed);
    if (look->exact)
        weir__words_say(words, ", %u workers", (unsigned)look->workers);
    if (look->callers > 0)
        weir__words_say(words, ", %u tasks run by their submitters",
                        (unsigned)look->callers);
    weir__words_say(words, "%s%s%s\n", look->closing ? ", closing" : "",
                    look->degraded ? ", degraded" : "",
                    look->tainted ? ", tainted" : "");
    print_ledger(words, l);
    if (!look->exact)
        weir__words_say(words, "  (its lock was taken: each figure is of a "
                               "moment of its own)\n");
}

static void print_share(struct weir__words *words, const char *name, int64_t ns)
{
    weir__words_say(words, "%s ", name);
    print_span(words, ns);
}

static void print_times(struct weir__words *words, const weir_pool *pool,
                        weir_pool_time of, const char *name)
{
    struct weir__look_times times;

    if (!weir__look_at_times(pool, of, &times) || times.count == 0)
        return;
    weir__words_say(words, "  %s ", name);
    print_share(words, "p50", times.p50_ns);
    print_share(words, ", p90", times.p90_ns);
    print_share(words, ", p99", times.p99_ns);
    print_share(words, ", max", times.max_ns);
    weir__words_say(words, "\n");
}

/* ----------------------------------------------------------------- workers */

static void
print_task(struct weir__words *words, const struct weir__look_at *at)
{
    static const char *const verbs[] = {
        [WEIR__DOES_RUN] = "runs",
        [WEIR__DOES_OVERSTAY] = "overstays in",
        [WEIR__DOES_LINGER] = "was abandoned in",
        [WEIR__DOES_TELL] = "runs callbacks of",
        [WEIR__DOES_DECIDE] = "asks whether to retry",
        [WEIR__DOES_START] = "starts",
        [WEIR__DOES_LEAVE] = "leaves",
        [WEIR__DOES_SOMETHING] = "goes from one thing to another",
        [WEIR__DOES_NOTHING] = "is idle"};

    weir__words_say(words, "  worker %u %s", (unsigned)at->index,
                    verbs[at->doing]);
    if (at->task_id > 0)
        weir__words_say(words, " task %" PRIu64, at->task_id);
    if (at->label[0]) {
        weir__words_say(words, " ");
        print_name(words, at->label);
    }
    if (at->attempt > 1)
        weir__words_say(words, ", attempt %" PRIu64, at->attempt);
    if (at->for_ns >= 0) {
        weir__words_say(words, at->at_least ? ", for at least " : ", for ");
        print_time(words, at->for_ns);
    }
    if (at->left_ns >= 0 && at->left_ns < INT64_MAX) {
        weir__words_say(words, ", ");
        print_time(words, at->left_ns);
        weir__words_say(words, " left");
    }
    weir__words_say(words, "\n");
}

static void print_workers(struct weir__words *words, const weir_pool *pool)
{
    struct weir__look_at seen[PRINTED_AT_ONCE];
    struct weir__worker *next = NULL;

    do {
        size_t count =
            weir__look_at_workers(pool, &next, seen, PRINTED_AT_ONCE);

        for (size_t i = 0; i < count; i++)
            if (seen[i].doing != WEIR__DOES_NOTHING)
                print_task(words, &seen[i]);
    } while (next);
}

void weir_pool_print(const weir_pool *pool, int fd)
{
    WEIR__UNTRAPPED;
    struct weir__words words;
    struct weir__look look;

    weir__words_open(&words, fd);
    if (!pool) {
        weir__words_say(&words, "no pool: it is NULL\n");
    } else if (weir__is_forked(pool->generation)) {
        weir__words_say(&words, "a pool of the parent process: it has no "
                                "threads here\n");
    } else {
        weir__look_at_pool(pool, &look);
        print_pool(&words, &look);
        print_times(&words, pool, WEIR_POOL_WAITING, "waiting");
        print_times(&words, pool, WEIR_POOL_RUNNING, "running");
        print_workers(&words, pool);
    }
    weir__words_flush(&words);
}
