/* SPDX-License-Identifier: MIT */
/* trial.c - see trial.h. */
#include "trial.h"

#include "world.h"

struct findings findings;

struct search search_of(const struct scenario *scenario, enum strategy strategy)
{
    return (struct search){
        .scenario = scenario,
        .plan = {.strategy = strategy,
                 .bound = scenario->bound ? scenario->bound : 2},
        .rules = search_rules(scenario, strategy, false),
        .count = strategy == STRATEGY_EXHAUSTIVE ? 0 : 5000,
    };
}

void run(const struct scenario *scenario, enum strategy strategy)
{
    struct search search = search_of(scenario, strategy);

    search_run(&search, &findings);
}

void run_bound(const struct scenario *scenario, unsigned bound)
{
    struct search search = search_of(scenario, STRATEGY_EXHAUSTIVE);

    search.plan.bound = bound;
    search.plan.repeats = true;
    search.rules.noise = 0;
    search_run(&search, &findings);
}

void run_buffered(const struct scenario *scenario, bool buffered)
{
    struct search search = search_of(scenario, STRATEGY_EXHAUSTIVE);

    search.rules.store_buffer = buffered;
    search.plan.bound = 9;
    search_run(&search, &findings);
}

struct scenario bare(void (*act)(void))
{
    return (struct scenario){.name = "bare", .run = act, .threads = 3};
}

void both(void (*one)(void *), void (*other)(void *))
{
    unsigned first = world_spawn(one, NULL, NULL);
    unsigned second = world_spawn(other, NULL, NULL);

    world_join(first);
    world_join(second);
}
