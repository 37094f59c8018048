/* SPDX-License-Identifier: MIT */
/*
 * search.c - see search.h.
 *
 * A schedule that was found by lot is full of switches that have nothing to do
 * with what failed.  So choices are set back to the first line, which is to go
 * on, in runs of half the schedule, then of a quarter, and so on, as long as
 * the same thing fails.
 */
#include "search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "linear.h"
#include "past.h"
#include "states.h"
#include "trace.h"

#define ENDED UINT64_C(0xE17D0000E17D0000)
enum { MOST_STEPS = 4000, SHORTENINGS = 3000, SAME_WORDS = 12 };

static const struct scenario *playing;

static void play(void)
{
    if (playing->play)
        playing->play(playing);
    else
        playing->run();
}

unsigned search_number(unsigned said, unsigned usual)
{
    if (said == SCENARIO_NONE)
        return 0;
    return said ? said : usual;
}

struct world_rules search_rules(const struct scenario *scenario,
                                enum strategy strategy, bool store_buffer)
{
    bool all = strategy == STRATEGY_EXHAUSTIVE;

    return (struct world_rules){
        .noise = all ? search_number(scenario->noise, 1) : 2,
        .failures = scenario->failures,
        .store_buffer = store_buffer,
        .delays = all ? 2 : 16,
        .processors = scenario->processors ? scenario->processors : 1,
        .overtaken_at_most =
            scenario->overtaken_at_most ? scenario->overtaken_at_most : 16,
        .most_steps = MOST_STEPS,
    };
}

static bool execute(const struct search *search, uint64_t seed)
{
    if (playing != search->scenario)
        linear_forget();
    playing = search->scenario;
    choice_begin(seed);
    return world_run(&search->rules, play);
}

/* ------------------------------------------------------------- making short */

static size_t switches(const struct schedule *schedule)
{
    size_t count = 0;

    for (size_t i = 0; i < schedule->count; i++)
        count += schedule->index[i] != 0;
    return count;
}

/* Whether this schedule fails in the same way; it becomes what was made of
 * it. */
static bool
fails_too(struct search *search, struct schedule *schedule, const char *what)
{
    search->plan.schedule = schedule;
    choice_plan(&search->plan);
    if (execute(search, 0) || strncmp(world_failure(), what, SAME_WORDS) != 0)
        return false;
    choice_copy(schedule);
    return true;
}

static bool set_back(struct schedule *schedule, size_t first, size_t count)
{
    bool changed = false;

    for (size_t i = first; i < first + count && i < schedule->count; i++) {
        changed |= schedule->index[i] != 0;
        schedule->index[i] = 0;
    }
    return changed;
}

static void copy(struct schedule *into, const struct schedule *from)
{
    into->count = from->count;
    memcpy(into->index, from->index, from->count);
}

static void shorten(const struct search *of, struct findings *findings)
{
    static struct schedule trial;
    struct search search = *of;
    struct schedule *best = &findings->schedule;
    unsigned left = SHORTENINGS;

    search.plan.strategy = STRATEGY_REPLAY;
    for (size_t width = best->count; width > 0; width /= 2)
        for (size_t at = 0; at < best->count && left > 0; at += width) {
            copy(&trial, best);
            if (!set_back(&trial, at, width))
                continue;
            left--;
            if (fails_too(&search, &trial, findings->what) &&
                switches(&trial) < switches(best))
                copy(best, &trial);
        }
    copy(&trial, best);
    if (fails_too(&search, &trial, findings->what))
        snprintf(findings->what, sizeof(findings->what), "%s", world_failure());
}

/* ------------------------------------------------------------------- at use */

static void note_failure(const struct search *search, struct findings *findings)
{
    findings->failed = true;
    findings->seed = search->seed + findings->executions - 1;
    snprintf(findings->what, sizeof(findings->what), "%s", world_failure());
    choice_copy(&findings->schedule);
    findings->choices = findings->schedule.count;
    if (!world_was_slow()) /* each attempt would take its seconds */
        shorten(search, findings);
}

/* A state that came before, or a new one, and never with other answers. */
static void note_end(struct findings *findings)
{
    uint64_t end = past_sum() ^ ENDED;
    unsigned char outcome = (unsigned char)(history_outcome() % 255);
    size_t before = states_count();

    if (states_first(end, outcome) != outcome) {
        findings->failed = true;
        snprintf(findings->what, sizeof(findings->what),
                 "the same past, and other answers: it leaves something out");
    }
    findings->ends += states_count() - before;
    findings->sum += (states_count() - before) * end;
}

void search_run(const struct search *search, struct findings *findings)
{
    *findings = (struct findings){.executions = 0};
    choice_plan(&search->plan);
    while (!search->count || findings->executions < search->count) {
        bool passed = execute(search, search->seed + findings->executions);

        findings->executions++;
        findings->cut += world_was_cut();
        findings->digest = findings->digest * 31 + choice_digest();
        if (!passed) {
            note_failure(search, findings);
            return;
        }
        if (search->plan.strategy == STRATEGY_EXHAUSTIVE && !world_was_cut())
            note_end(findings);
        if (findings->failed)
            return;
        if (search->plan.strategy == STRATEGY_EXHAUSTIVE && !choice_next()) {
            findings->exhausted = true;
            return;
        }
    }
}

const char *search_replay(const struct search *search)
{
    bool passed;

    choice_plan(&search->plan);
    trace_start();
    passed = execute(search, 0);
    return passed ? NULL : world_failure();
}
