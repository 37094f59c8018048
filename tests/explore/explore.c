/* SPDX-License-Identifier: MIT */
/*
 * explore.c - runs scenarios under many schedules and says what it found.
 *
 * Without a strategy it follows the plan: a little of everything by lot, then
 * each scenario exhaustively, the small ones and the pool's also with a store
 * that comes late, then far more by lot, in turns with and without store
 * buffers, for one processor and for two.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fiber.h"
#include "race.h"
#include "scenario.h"
#include "search.h"
#include "trace.h"
#include "world.h"

enum { MOST_SCENARIOS = 1024, FEW_THREADS = 3, BOUND = 2, VARIETIES = 4 };

/* Executions of an exhaustive search in the plan; more: it is not that. */
enum { MOST_EXECUTIONS = 1000000 };

/* What the command line asks for; -1: not said. */
static struct wish {
    const char *scenario; /* a pattern */
    const char *replay;
    const char *command; /* how the user calls us */
    enum strategy strategy;
    bool has_strategy, store_buffer, goes_on, is_long, is_quiet, repeats,
        verifies;
    long bound, depth, noise, delays, processors;
    long long count;
    uint64_t seed;
} wish = {
    .scenario = "*",
    .command = "./dev explore",
    .bound = -1,
    .depth = -1,
    .noise = -1,
    .delays = -1,
    .processors = -1,
    .count = -1,
    .seed = 1,
};

static struct result {
    const struct scenario *scenario;
    uint64_t executions; /* that came to their ends */
    char exhausted[80];  /* what was, in words */
    bool failed;
} results[MOST_SCENARIOS];
static size_t result_count;

static struct findings findings;

/* ---------------------------------------------------------------- reporting */

static const char *const strategy_names[] = {"mix", "random", "pct",
                                             "exhaustive", "replay"};

static void report_failure(const struct search *search)
{
    static char text[MOST_CHOICES];

    printf("explore: FOUND in %s: %s\n", search->scenario->name, findings.what);
    printf("  the scenario:  %s\n", search->scenario->sentence);
    printf("  strategy %s, seed %" PRIu64 ", execution %" PRIu64
           ", %zu choices\n",
           strategy_names[search->plan.strategy], findings.seed,
           findings.executions, findings.choices);
    schedule_write(&findings.schedule, text, sizeof(text));
    printf("  the schedule, shortened:  %s\n", text);
    printf("  to see it:  %s --scenario %s --noise %u --processors %u",
           wish.command, search->scenario->name, search->rules.noise,
           search->rules.processors);
    if (search->rules.store_buffer)
        printf(" --store-buffer --delays %u", search->rules.delays);
    printf(" --replay %s\n", *text ? text : "a");
}

static void report_results(double seconds)
{
    uint64_t executions = 0;
    size_t failed = 0;

    for (size_t i = 0; i < result_count; i++) {
        const struct result *result = &results[i];

        executions += result->executions;
        failed += result->failed;
        if (wish.is_quiet)
            continue;
        printf("%-30s %u threads %9" PRIu64, result->scenario->name,
               result->scenario->threads, result->executions);
        printf("%s%s\n", result->exhausted, result->failed ? "  FAILED" : "");
    }
    printf("explore: %zu scenarios, %" PRIu64 " schedules, %" PRIu64
           " steps, %.1f s: ",
           result_count, executions, world_steps(), seconds);
    if (failed)
        printf("%zu failed\n", failed);
    else
        printf("nothing found\n");
}

static void list_scenarios(void)
{
    for (size_t i = 0; i < result_count; i++)
        printf("%-30s %u  %s\n", results[i].scenario->name,
               results[i].scenario->threads, results[i].scenario->sentence);
}

/* ---------------------------------------------------------------- searching */

static struct search search_for(const struct scenario *scenario,
                                enum strategy strategy, bool store_buffer)
{
    struct search search = {
        .scenario = scenario,
        .plan = {.strategy = strategy, .repeats = wish.repeats},
        .rules =
            search_rules(scenario, strategy, store_buffer && !scenario->prompt),
        .seed = wish.seed,
    };

    search.plan.bound = search_number(scenario->bound, BOUND);
    if (wish.bound >= 0)
        search.plan.bound = (unsigned)wish.bound;
    if (wish.depth >= 0)
        search.plan.depth = (unsigned)wish.depth;
    if (wish.noise >= 0)
        search.rules.noise = (unsigned)wish.noise;
    if (wish.delays >= 0)
        search.rules.delays = (unsigned)wish.delays;
    if (wish.processors >= 0)
        search.rules.processors = (unsigned)wish.processors;
    return search;
}

static void note_exhausted(struct result *result, const struct search *search)
{
    size_t used = strlen(result->exhausted);

    if (findings.exhausted)
        snprintf(result->exhausted + used, sizeof(result->exhausted) - used,
                 "%s bound %u%s",
                 used ? "," : "  exhausted:", search->plan.bound,
                 search->rules.store_buffer ? " with late stores" : "");
    else
        printf("explore: %s is not exhausted at bound %u%s: it has more than "
               "%" PRIu64 " schedules\n",
               search->scenario->name, search->plan.bound,
               search->rules.store_buffer ? " with late stores" : "",
               findings.executions);
}

/* Returns whether to go on. */
static bool run(struct result *result, struct search *search)
{
    if (result->failed)
        return true;
    search_run(search, &findings);
    result->executions += findings.executions - findings.cut;
    if (search->plan.strategy == STRATEGY_EXHAUSTIVE && !findings.failed)
        note_exhausted(result, search);
    if (findings.failed) {
        result->failed = true;
        report_failure(search);
        fflush(stdout);
    }
    return !findings.failed || wish.goes_on;
}

/* So many by lot for each scenario, from this seed on. */
static bool by_lot(uint64_t seed, uint64_t count)
{
    for (size_t i = 0; i < result_count; i++)
        for (unsigned variety = 0; variety < VARIETIES; variety++) {
            struct search search = search_for(results[i].scenario, STRATEGY_MIX,
                                              (variety & 1) != 0);

            if (race_is_watched)
                search.rules.store_buffer = false; /* they do not go together */
            if (wish.processors < 0 && variety & 2)
                search.rules.processors = 3 - search.rules.processors;
            search.seed = seed;
            search.count = count / VARIETIES + 1;
            if (!run(&results[i], &search))
                return false;
        }
    return true;
}

/* One read may miss what was written: what is lost by it is lost then. */
static struct search with_a_late_store(const struct scenario *scenario)
{
    struct search search = search_for(scenario, STRATEGY_EXHAUSTIVE, true);

    search.rules.delays = wish.delays >= 0 ? (unsigned)wish.delays : 1;
    search.rules.noise = 0;
    if (scenario->late && wish.bound < 0)
        search.plan.bound = search_number(scenario->late, 0);
    return search;
}

static bool knows_late_stores(const struct scenario *scenario)
{
    return (scenario->late || scenario->threads <= FEW_THREADS) &&
           !scenario->prompt && !race_is_watched;
}

/* In place of all that it has. */
static bool by_its_own_lot(struct result *result)
{
    struct search search = search_for(result->scenario, STRATEGY_MIX, false);

    search.count = result->scenario->by_lot;
    return run(result, &search);
}

static bool exhaustively(void)
{
    for (size_t i = 0; i < result_count; i++) {
        const struct scenario *scenario = results[i].scenario;
        struct search search = search_for(scenario, STRATEGY_EXHAUSTIVE, false);

        if (scenario->by_lot) {
            if (!by_its_own_lot(&results[i]))
                return false;
            continue;
        }
        search.count = MOST_EXECUTIONS;
        if (!run(&results[i], &search))
            return false;
        if (!knows_late_stores(scenario))
            continue;
        search = with_a_late_store(scenario);
        search.count = MOST_EXECUTIONS;
        if (!run(&results[i], &search))
            return false;
    }
    return true;
}

/* Whether nothing is lost by going on from each state once: the executions end
 * as they do if all of them are had. */
static bool verify(struct result *result, struct search *search)
{
    uint64_t ends, sum;

    search->plan.repeats = false;
    if (!run(result, search) || result->failed)
        return false;
    ends = findings.ends;
    sum = findings.sum;
    search->plan.repeats = true;
    if (!run(result, search) || result->failed)
        return false;
    if (findings.ends == ends && findings.sum == sum)
        return true;
    printf("explore: %s ends in %" PRIu64 " ways, but in %" PRIu64
           " if each state is had once\n",
           result->scenario->name, findings.ends, ends);
    result->failed = true;
    return false;
}

static void follow_plan(void)
{
    uint64_t each = (uint64_t)(wish.count >= 0 ? wish.count : 1000000);
    uint64_t seed = wish.seed;

    each = each / (result_count ? result_count : 1) + 1;
    if (!by_lot(seed, each / 20) || !exhaustively())
        return;
    seed += each / 20 + 1;
    do {
        if (!by_lot(seed, each))
            return;
        seed += each;
        if (wish.is_long)
            printf("up to seed %" PRIu64 "\n", seed);
        fflush(stdout);
    } while (wish.is_long);
}

static void follow_strategy(void)
{
    bool is_exhaustive = wish.strategy == STRATEGY_EXHAUSTIVE;

    for (size_t i = 0; i < result_count; i++) {
        struct search search =
            search_for(results[i].scenario, wish.strategy, wish.store_buffer);

        if (wish.count >= 0)
            search.count = (uint64_t)wish.count;
        else
            search.count = is_exhaustive ? 0 : 10000;
        if (wish.verifies && results[i].scenario->large)
            continue;
        if (!(wish.verifies ? verify : run)(&results[i], &search))
            return;
    }
}

static int replay(void)
{
    static struct schedule schedule;
    struct search search;
    const char *what;

    if (result_count != 1) {
        fprintf(stderr, "explore: a replay needs one --scenario\n");
        return 2;
    }
    if (!schedule_read(&schedule, wish.replay)) {
        fprintf(stderr, "explore: %s is no schedule\n", wish.replay);
        return 2;
    }
    search =
        search_for(results[0].scenario, STRATEGY_REPLAY, wish.store_buffer);
    search.plan.schedule = &schedule;
    what = search_replay(&search);
    printf("%s: %s\n\n", results[0].scenario->name,
           results[0].scenario->sentence);
    trace_print(results[0].scenario->threads);
    printf("\n%s\n", what ? what : "nothing failed");
    return what ? 1 : 0;
}

/* -------------------------------------------------------- the command line */

/* The script says how it was called. */
static void read_environment(void)
{
    const char *command = getenv("WEIR_EXPLORE_COMMAND");

    if (command)
        wish.command = command;
}

static const char usage[] =
    "usage: ./dev explore [OPTION...]\n"
    "  --races             watch plain memory too; slower\n"
    "  --queue FILE        explore somebody else's queue (docs/own-queue.md)\n"
    "  --list              the scenarios\n"
    "  --scenario PATTERN  only these; '!PATTERN': all but these\n"
    "  --strategy random | pct | mix | exhaustive\n"
    "                      instead of the plan, which has all of it\n"
    "  --count N           schedules: of the plan, or of each scenario\n"
    "  --seed N            where to begin\n"
    "  --bound N           preemptions at most (exhaustive)\n"
    "  --repeats           from each state as often as it comes (exhaustive)\n"
    "  --verify            with and without: the same ends? (exhaustive)\n"
    "  --depth N           priority changes and one (pct)\n"
    "  --noise N           spurious wake-ups and leaps of the clock at most\n"
    "  --store-buffer      stores may come late; --delays N: reads that miss\n"
    "                      them, at most\n"
    "  --processors N      that the library sees\n"
    "  --fibers native | ucontext\n"
    "  --long              the plan again and again\n"
    "  --all               go on after the first failure\n"
    "  --quiet             only the sum\n"
    "  --replay SCHEDULE   see one again, a column for each thread\n"
    "or:    ./dev explore --mutants [--only GLOB] [--sample N] [--count N]\n"
    "                      break the library and see that it is found\n"
    "or:    ./dev explore --survey [--only GLOB] [--all]\n"
    "                      break it and see what the other tests say\n";

static void refuse(const char *what)
{
    if (strcmp(what, "--help") == 0) {
        fputs(usage, stdout);
        exit(0);
    }
    fprintf(stderr, "explore: %s?\n%s", what, usage);
    exit(2);
}

static const char *value_of(char ***argument)
{
    if (!(*argument)[1])
        refuse(**argument);
    return *++*argument;
}

static long number_of(char ***argument)
{
    const char *text = value_of(argument);
    char *end;
    long number = strtol(text, &end, 10);

    if (*end || end == text || number < 0)
        refuse(text);
    return number;
}

static void read_strategy(const char *name)
{
    for (unsigned i = 0; i < STRATEGY_REPLAY; i++)
        if (strcmp(name, strategy_names[i]) == 0) {
            wish.strategy = (enum strategy)i;
            wish.has_strategy = true;
            return;
        }
    refuse(name);
}

static void read_fibers(const char *name)
{
    if (strcmp(name, "ucontext") == 0)
        fiber_use(FIBER_UCONTEXT);
    else if (strcmp(name, "native") != 0)
        refuse(name);
}

/* Options that take a number; false: it is none. */
static bool read_number(char ***argument)
{
    static const struct {
        const char *name;
        long *into;
    } options[] = {
        {"--bound", &wish.bound},           {"--depth", &wish.depth},
        {"--noise", &wish.noise},           {"--delays", &wish.delays},
        {"--processors", &wish.processors},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (strcmp(**argument, options[i].name) == 0) {
            *options[i].into = number_of(argument);
            return true;
        }
    if (strcmp(**argument, "--count") == 0)
        wish.count = number_of(argument);
    else if (strcmp(**argument, "--seed") == 0)
        wish.seed = (uint64_t)number_of(argument);
    else
        return false;
    return true;
}

/* Options that take none. */
static bool read_switch(const char *name)
{
    static const struct {
        const char *name;
        bool *into;
    } switches[] = {
        {"--store-buffer", &wish.store_buffer},
        {"--long", &wish.is_long},
        {"--all", &wish.goes_on},
        {"--quiet", &wish.is_quiet},
        {"--repeats", &wish.repeats},
        {"--verify", &wish.verifies},
    };

    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
        if (strcmp(name, switches[i].name) == 0)
            return *switches[i].into = true;
    return false;
}

/* Returns whether the scenarios are to be listed. */
static bool read_arguments(char **argument)
{
    bool lists = false;

    for (; *argument; argument++) {
        if (read_switch(*argument) || read_number(&argument))
            continue;
        if (strcmp(*argument, "--list") == 0)
            lists = true;
        else if (strcmp(*argument, "--scenario") == 0)
            wish.scenario = value_of(&argument);
        else if (strcmp(*argument, "--replay") == 0)
            wish.replay = value_of(&argument);
        else if (strcmp(*argument, "--strategy") == 0)
            read_strategy(value_of(&argument));
        else if (strcmp(*argument, "--fibers") == 0)
            read_fibers(value_of(&argument));
        else
            refuse(*argument);
    }
    return lists;
}

/* The pattern may begin with a !: all but these. */
static bool is_wanted(const struct scenario *scenario)
{
    bool all_but = wish.scenario[0] == '!';
    bool fits = fnmatch(wish.scenario + all_but, scenario->name, 0) == 0;

    return fits != all_but;
}

/* One that there is no room for would never be missed. */
static void add_scenario(const struct scenario *scenario)
{
    if (result_count == MOST_SCENARIOS) {
        fprintf(stderr,
                "explore: more than %d scenarios: raise "
                "MOST_SCENARIOS\n",
                MOST_SCENARIOS);
        exit(2);
    }
    results[result_count++].scenario = scenario;
}

static void gather_scenarios(void)
{
    for (size_t i = 0; scenario_themes[i]; i++)
        for (const struct scenario *it = scenario_themes[i]; it->name; it++)
            if (is_wanted(it))
                add_scenario(it);
    if (result_count == 0)
        refuse(wish.scenario);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int count, char **arguments)
{
    bool lists = read_arguments(arguments + (count > 0));
    double began = seconds();

    read_environment();
    gather_scenarios();
    if (lists) {
        list_scenarios();
        return 0;
    }
    world_catch_crashes();
    if (wish.replay)
        return replay();
    if (wish.has_strategy)
        follow_strategy();
    else
        follow_plan();
    report_results(seconds() - began);
    for (size_t i = 0; i < result_count; i++)
        if (results[i].failed)
            return 1;
    return 0;
}
