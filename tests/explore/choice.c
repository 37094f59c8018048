/* SPDX-License-Identifier: MIT */
/*
 * choice.c - see choice.h.
 *
 * THE IDEA
 *
 * An execution is a path down a tree.  The exhaustive search keeps the path,
 * and turns the last choice that has another way left; random and PCT begin at
 * the root each time; a replay is told the path.
 *
 *          0
 *        /   \            made: 1 0 2     next: 1 1
 *       0     1
 *            / \
 *           0   1
 *
 * A preemption takes the processor from a thread that could have gone on.  The
 * exhaustive search spends at most `bound` of them; a choice that it cannot
 * afford is no choice.  Nearly all bugs need two or fewer.
 *
 * A state that comes up again is not entered again (past.h), unless fewer were
 * spent this time.  It counts as another if another thread runs, for then other
 * switches are preemptions.  So nothing within the bound is lost: whatever
 * follows the second time followed the first time, at no higher price.
 *
 * PCT (Burckhardt and others, 2010) runs the thread of highest priority, and
 * lowers the running one's at depth - 1 random points.  It finds a bug of that
 * depth with a likelihood that can be stated.
 */
#include "choice.h"

#include <stdio.h>
#include <stdlib.h>

#include "states.h"

enum { MOST_CHANGES = 8, THREADS = 16, NO_LETTER = 255 };

struct decision {
    uint64_t allowed; /* exhaustive: what could be afforded, a bit each */
    unsigned char index;
};

static struct plan the_plan;
static enum strategy strategy; /* of this execution */
static unsigned depth;
static struct decision made[MOST_CHOICES];
static size_t made_count;
static size_t told; /* so many are prescribed */
static uint64_t spent;
static uint64_t state; /* of the random numbers */
static uint64_t priority[THREADS];
static uint64_t lowest;
static size_t change_at[MOST_CHANGES];
static size_t menus; /* seen */
static bool is_hushed;

static uint64_t random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(2685821657736338717);
}

static unsigned below(unsigned count)
{
    return (unsigned)((random_number() >> 33) % count);
}

void choice_plan(const struct plan *plan)
{
    the_plan = *plan;
    states_forget();
    told = 0;
    made_count = 0;
}

void choice_begin(uint64_t seed)
{
    unsigned length;

    /* splitmix64, so that neighbouring seeds have nothing in common */
    state = seed + UINT64_C(0x9E3779B97F4A7C15);
    state = (state ^ state >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    state = (state ^ state >> 27) * UINT64_C(0x94D049BB133111EB);
    state = (state ^ state >> 31) | 1;
    strategy = the_plan.strategy;
    depth = the_plan.depth ? the_plan.depth : 3;
    if (strategy == STRATEGY_MIX) {
        strategy = seed % 2 ? STRATEGY_PCT : STRATEGY_RANDOM;
        depth = seed % 4 == 1 ? 2 : 3;
    }
    made_count = 0;
    menus = 0;
    is_hushed = false;
    spent = 0;
    lowest = UINT32_MAX;
    /* How long it will be is not known; nor must it matter to this seed what
     * others took. */
    length = 16u << below(4);
    for (unsigned i = 0; i + 1 < depth && i < MOST_CHANGES; i++)
        change_at[i] = below(length);
}

void choice_hush(bool hushed)
{
    is_hushed = hushed;
}

bool choice_is_hushed(void)
{
    return is_hushed;
}

void choice_add_thread(unsigned thread)
{
    if (strategy == STRATEGY_PCT)
        priority[thread] = UINT32_MAX + (random_number() >> 32);
}

static void note(unsigned index)
{
    if (made_count < MOST_CHOICES)
        made[made_count++].index = (unsigned char)index;
}

/* What the path says, or else the first that can be afforded. */
static unsigned follow(unsigned count, const unsigned char *cost)
{
    struct decision *decision = &made[made_count];

    if (made_count >= MOST_CHOICES)
        return 0;
    if (made_count++ >= told) {
        decision->allowed = 0;
        for (unsigned i = 0; i < count; i++)
            if (!cost || spent + cost[i] <= the_plan.bound)
                decision->allowed |= UINT64_C(1) << i;
        decision->index = (unsigned char)__builtin_ctzll(decision->allowed);
    }
    if (decision->index >= count)
        decision->index = 0; /* a schedule of other code */
    spent += cost ? cost[decision->index] : 0;
    return decision->index;
}

static unsigned replay(unsigned count)
{
    const struct schedule *schedule = the_plan.schedule;
    unsigned index = 0;

    if (made_count < schedule->count)
        index = schedule->index[made_count];
    index = index < count ? index : 0; /* a schedule of other code */
    note(index);
    return index;
}

static unsigned by_priority(const struct menu *menu)
{
    unsigned best = 0;

    for (unsigned i = 1; i < menu->runs; i++)
        if (priority[menu->thread[i]] > priority[menu->thread[best]])
            best = i;
    return best;
}

static unsigned of_the_threads(const struct menu *menu)
{
    if (strategy == STRATEGY_RANDOM)
        return below(menu->runs);
    for (unsigned i = 0; i + 1 < depth && i < MOST_CHANGES; i++)
        if (change_at[i] == menus)
            priority[menu->thread[by_priority(menu)]] = lowest--;
    return by_priority(menu);
}

static unsigned by_lot(const struct menu *menu)
{
    unsigned rest = menu->count - menu->runs;

    if (rest && (below(32) == 0 || menu->runs == 0))
        return menu->runs + below(rest);
    return of_the_threads(menu);
}

unsigned choice_from(const struct menu *menu)
{
    unsigned index;

    if (is_hushed)
        return 0;
    menus++;
    if (strategy == STRATEGY_EXHAUSTIVE)
        return follow(menu->count, menu->cost);
    if (strategy == STRATEGY_REPLAY)
        return replay(menu->count);
    index = by_lot(menu);
    note(index);
    return index;
}

static unsigned among(unsigned count, unsigned lot)
{
    if (is_hushed)
        return 0;
    if (strategy == STRATEGY_EXHAUSTIVE)
        return follow(count, NULL);
    if (strategy == STRATEGY_REPLAY)
        return replay(count);
    note(lot);
    return lot;
}

unsigned choice_of(unsigned count)
{
    return among(count, below(count));
}

bool choice_rare(void)
{
    return among(2, below(8) == 0) == 1;
}

bool choice_keeps_past(void)
{
    return strategy == STRATEGY_EXHAUSTIVE;
}

bool choice_was_had(uint64_t in)
{
    if (strategy != STRATEGY_EXHAUSTIVE || the_plan.repeats ||
        made_count < told || is_hushed)
        return false;
    return states_has(in, (unsigned char)(spent < 255 ? spent : 255));
}

bool choice_next(void)
{
    while (made_count > 0) {
        struct decision *last = &made[made_count - 1];
        uint64_t left = last->allowed & ~UINT64_C(0) << last->index << 1;

        if (left) {
            last->index = (unsigned char)__builtin_ctzll(left);
            told = made_count;
            return true;
        }
        made_count--;
    }
    return false;
}

bool choice_is_full(void)
{
    return made_count == MOST_CHOICES;
}

uint64_t choice_digest(void)
{
    uint64_t digest = made_count;

    for (size_t i = 0; i < made_count; i++)
        digest = (digest ^ made[i].index) * UINT64_C(0x9E3779B97F4A7C15) + i;
    return digest;
}

void choice_copy(struct schedule *into)
{
    into->count = made_count;
    while (into->count > 0 && made[into->count - 1].index == 0)
        into->count--;
    for (size_t i = 0; i < into->count; i++)
        into->index[i] = made[i].index;
}

/* --------------------------------------------------------------- in letters */

static char letter(unsigned char index)
{
    return (char)(index < 26 ? 'a' + index : 'A' + index - 26);
}

static unsigned char letter_index(char letter)
{
    if (letter >= 'a' && letter <= 'z')
        return (unsigned char)(letter - 'a');
    if (letter >= 'A' && letter <= 'Z')
        return (unsigned char)(letter - 'A' + 26);
    return NO_LETTER;
}

char *schedule_write(const struct schedule *schedule, char *into, size_t room)
{
    const unsigned char *index = schedule->index;
    size_t used = 0;

    for (size_t i = 0; i < schedule->count && used + 16 < room;) {
        size_t run = 1;

        while (i + run < schedule->count && index[i + run] == index[i])
            run++;
        into[used++] = letter(index[i]);
        if (run > 1)
            used += (size_t)snprintf(into + used, room - used, "%zu", run);
        i += run;
    }
    into[used] = '\0';
    return into;
}

bool schedule_read(struct schedule *into, const char *text)
{
    into->count = 0;
    while (*text) {
        unsigned char index = letter_index(*text++);
        unsigned long times = 1;

        if (index == NO_LETTER)
            return false;
        if (*text >= '0' && *text <= '9') {
            char *end;

            times = strtoul(text, &end, 10);
            text = end;
        }
        for (; times > 0 && into->count < MOST_CHOICES; times--)
            into->index[into->count++] = index;
    }
    return true;
}
