/* SPDX-License-Identifier: MIT */
/*
 * account.c - whether everything is as it must be.
 *
 * When all is quiet: nothing is in any pool, each has its workers, its ledger
 * balances and says what we have counted, every task has been settled and
 * released once.  Memory is compared with that of an earlier quiet moment.
 * When the pools are gone, no thread, descriptor or child is left.
 */
#include "chaos.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { MOST_GROWTH_KIB = 1024, TRIES = 20000 };

bool is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

/* -------------------------------------------------------------- belongings */

static uint64_t entries_of(const char *path)
{
    DIR *directory = opendir(path);
    uint64_t count = 0;

    if (!directory)
        fail("%s: %s", path, strerror(errno));
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* What is resident, exactly; the cheaper figures lag behind. */
static uint64_t resident_kib(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    char line[200];
    uint64_t kib = 0;

    if (!file)
        fail("/proc/self/smaps_rollup: %s", strerror(errno));
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, "Rss:", 4) == 0)
            kib = strtoull(line + 4, NULL, 10);
    fclose(file);
    return kib;
}

struct belongings belongings_now(void)
{
    malloc_trim(0);
    return (struct belongings){resident_kib(), entries_of("/proc/self/fd"),
                               entries_of("/proc/self/task")};
}

void account_check_memory(const struct belongings *before,
                          const struct belongings *after)
{
    printf("memory: %" PRIu64 " KiB when it was first quiet, %" PRIu64
           " KiB now%s\n",
           before->memory_kib, after->memory_kib,
           is_sanitized() ? " (a sanitizer keeps some: not judged)" : "");
    if (!is_sanitized() &&
        after->memory_kib > before->memory_kib + MOST_GROWTH_KIB)
        fail("memory has grown by more than %d KiB", MOST_GROWTH_KIB);
}

void account_check_remains(const struct belongings *before)
{
    struct belongings now = belongings_now();

    /* A thread that nobody joins may still be on its way out. */
    for (int i = 0; i < TRIES && now.threads > before->threads; i++) {
        nap_us(1000);
        now = belongings_now();
    }
    printf("left behind: %" PRId64 " threads, %" PRId64 " descriptors, ",
           (int64_t)(now.threads - before->threads),
           (int64_t)(now.descriptors - before->descriptors));
    if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
        fail("a child is left");
    printf("no child\n");
    if (now.threads != before->threads)
        fail("threads are left");
    if (now.descriptors != before->descriptors)
        fail("descriptors are left");
}

/* ------------------------------------------------------------------ pools */

static uint64_t sum_of(const struct house *house, size_t offset)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < kind_count; i++)
        sum += weir__counter_read(
            (const struct weir__counter
                 *)(const void *)((const char *)&house->tallies[i] + offset));
    return sum;
}
#define SUM(house, field) sum_of(house, offsetof(struct tally, field))

uint64_t tasks_offered(void)
{
    uint64_t sum = 0;

    for (enum house_id id = HOUSE_PLAIN; id < HOUSES; id++)
        sum += SUM(&houses[id], offered);
    return sum;
}

static void
must_be(const struct house *house, const char *what, uint64_t said, uint64_t is)
{
    if (said != is)
        fail("pool %s says that %s is %" PRIu64 "; it is %" PRIu64, house->name,
             what, said, is);
}

/* Those that ended last are being replaced, surplus ones leave; `more` of them
 * may be there yet. */
static void
await_workers(const struct house *house, uint32_t count, uint32_t more)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    for (int i = 0; i < TRIES; i++) {
        weir_pool_read_stats(house->pool, &stats);
        if (stats.workers >= count && stats.workers <= count + more &&
            stats.busy == 0)
            return;
        nap_us(1000);
    }
    fail("pool %s has %u workers, %u of them busy, and not %u", house->name,
         (unsigned)stats.workers, (unsigned)stats.busy, (unsigned)count);
}

/* Nothing to do, and all workers there that the last resize has asked for; then
 * those that there were at first. */
static void await_quiet(struct house *house)
{
    int64_t until_ns = hang().at_ns;
    uint32_t more = house == &houses[HOUSE_ELASTIC] ? 3 * wish.workers : 0;
    weir_status status;

    while ((status = weir_pool_join(house->pool, hang())) == WEIR_STUCK &&
           now_ns() < until_ns)
        nap_us(1000); /* what is abandoned comes back */
    if (status)
        fail("pool %s does not become idle: %s", house->name,
             weir_status_name(status));
    await_workers(house, house->wanted, more);
    if (house->wanted == wish.workers)
        return;
    house->wanted = wish.workers;
    if (weir_pool_resize(house->pool, house->wanted))
        fail("pool %s: %s", house->name, weir_last_error());
    await_workers(house, house->wanted, more);
}

void account_await_leanness(void)
{
    await_workers(&houses[HOUSE_ELASTIC], wish.workers, 0);
}

static uint64_t ended_as(const weir_ledger *ledger, weir_outcome_kind kind)
{
    const uint64_t ends[OUTCOMES] = {ledger->done,      ledger->failed,
                                     ledger->timed_out, ledger->crashed,
                                     ledger->exited,    ledger->cancelled,
                                     ledger->expired,   ledger->dropped};

    return ends[kind];
}

static void check_house(struct house *house)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    const weir_ledger *ledger = &stats.ledger;

    await_quiet(house);
    weir_pool_read_stats(house->pool, &stats);
    if (!weir_ledger_balances(ledger))
        fail("the ledger of pool %s does not balance", house->name);
    must_be(house, "queued + running + retrying + overdue",
            ledger->queued + ledger->running + ledger->retrying +
                ledger->overdue,
            0);
    if (stats.tainted !=
        (ledger->crashed > 0 && house != &houses[HOUSE_PROCESS]))
        fail("pool %s does not say that it is tainted, or says it wrongly",
             house->name);
    must_be(house, "accepted", ledger->accepted, SUM(house, accepted));
    must_be(house, "refused", ledger->refused,
            weir__counter_read(&house->refused));
    must_be(house, "attempts", ledger->attempts, SUM(house, attempts));
    must_be(house, "accepted (released)", ledger->accepted,
            SUM(house, released));
    if (house->is_deaf)
        return;
    must_be(house, "accepted (settled)", ledger->accepted, SUM(house, settled));
    for (int i = 0; i < OUTCOMES; i++)
        must_be(house, weir_outcome_name((weir_outcome_kind)i),
                ended_as(ledger, (weir_outcome_kind)i),
                SUM(house, outcomes[i]));
}

void account_check(void)
{
    for (enum house_id id = HOUSE_PLAIN; id < HOUSES; id++)
        check_house(&houses[id]);
    if (slots_out() > 0)
        fail("%" PRIu64 " tasks have not been released", slots_out());
    for (enum house_id id = HOUSE_PLAIN; id < HOUSES; id++)
        for (size_t i = 0; i < kind_count; i++) {
            const struct tally *tally = &houses[id].tallies[i];

            if (weir__counter_read(&tally->accepted) !=
                weir__counter_read(&tally->released))
                fail("kind %s in pool %s: not all were released", kinds[i].name,
                     houses[id].name);
        }
}

/* ------------------------------------------------------------- the mixture */

/* Of a kind, over the pools. */
struct total {
    uint64_t offered, accepted, attempts, outcomes[OUTCOMES];
    bool is_heard; /* somewhere */
};

static struct total total_of(size_t kind)
{
    struct total total = {0};

    for (enum house_id id = HOUSE_PLAIN; id < HOUSES; id++) {
        const struct tally *tally = &houses[id].tallies[kind];

        total.offered += weir__counter_read(&tally->offered);
        total.accepted += weir__counter_read(&tally->accepted);
        total.attempts += weir__counter_read(&tally->attempts);
        for (int i = 0; i < OUTCOMES; i++)
            total.outcomes[i] += weir__counter_read(&tally->outcomes[i]);
        if (!houses[id].is_deaf && kinds[kind].houses & 1u << id)
            total.is_heard = true;
    }
    return total;
}

static void check_kind(size_t kind, uint64_t all)
{
    struct total total = total_of(kind);
    uint64_t share = kinds[kind].share >= 10 ? 10 : 1;
    /* To be refused is what some are there for. */
    uint64_t came = kinds[kind].houses == 1u << HOUSE_REFUSING ? total.offered
                                                               : total.accepted;

    if (total.accepted == 0)
        fail("no task of kind %s came", kinds[kind].name);
    /* Some are refused, as trouble takes the memory for them away. */
    if (!wish.only && kinds[kind].share > 0 &&
        came * 10 * SHARES < all * 9 * share)
        fail("kind %s has less than %" PRIu64 " per mille of the tasks",
             kinds[kind].name, share);
    if (kinds[kind].retry && kinds[kind].retry->budget > 0 &&
        (total.attempts == total.accepted ||
         total.attempts == total.accepted * kinds[kind].retry->max_attempts))
        fail("kind %s was retried never, or always", kinds[kind].name);
    for (int i = 0; i < OUTCOMES && total.is_heard; i++)
        if (kinds[kind].expected & 1u << i && total.outcomes[i] == 0)
            fail("no task of kind %s ended as %s", kinds[kind].name,
                 weir_outcome_name((weir_outcome_kind)i));
}

/* What the kinds that go there must end as, its ledger says too; of a pool
 * without callbacks nothing else does. */
static void check_outcomes_of(enum house_id id)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(houses[id].pool, &stats);
    for (size_t k = 0; k < kind_count; k++)
        for (int i = 0; i < OUTCOMES; i++)
            if (kind_is_in(&kinds[k]) && kinds[k].houses & 1u << id &&
                kinds[k].expected & 1u << i &&
                ended_as(&stats.ledger, (weir_outcome_kind)i) == 0)
                fail("no task of pool %s ended as %s", houses[id].name,
                     weir_outcome_name((weir_outcome_kind)i));
}

static void must_have(const char *what, const struct weir__counter *counter)
{
    if (weir__counter_read(counter) == 0)
        fail("there were no %s", what);
}

void account_check_mixture(void)
{
    uint64_t all = 0;

    for (size_t i = 0; i < kind_count; i++)
        all += total_of(i).accepted;
    for (size_t i = 0; i < kind_count; i++)
        if (kind_is_in(&kinds[i]) && !(wish.only && kinds[i].share == 0))
            check_kind(i, all);
    must_have("resizes", &troubles.resizes);
    must_have("joins", &troubles.joins);
    must_have("looks", &troubles.looks);
    must_have("lists of tasks", &troubles.lists);
    must_have("faults that struck", &troubles.faults);
    must_have("signals", &troubles.signals_met);
    must_have("pools of a short life", &troubles.short_lives);
    if (wish.only)
        return;
    for (enum house_id id = HOUSE_PLAIN; id < HOUSES; id++)
        check_outcomes_of(id);
    must_have("refusals", &houses[HOUSE_REFUSING].refused);
    must_have("tasks that a submitter ran", &houses[HOUSE_CALLERS].stand_ins);
    must_have("tasks that were abandoned", &troubles.abandoned_seen);
    must_have("pools that grew", &troubles.growth_seen);
    must_have("submits to a degraded pool", &troubles.refused_degraded);
    must_have("waits for futures", &troubles.waits);
    must_have("waits for any of several futures", &troubles.waits_any);
    must_have("waits for any of several futures", &troubles.waits_any);
    must_have("groups joined", &troubles.group_joins);
    must_have("groups cancelled", &troubles.group_cancels);
    must_have("cancels", &troubles.cancels);
}

/* ------------------------------------------------------------------- words */

static void print_count(uint64_t count)
{
    if (count)
        printf(" %9" PRIu64, count);
    else
        printf(" %9s", "-");
}

static void print_kinds(void)
{
    printf("%-18s %9s %9s", "kind", "accepted", "attempts");
    for (int i = 0; i < OUTCOMES; i++)
        printf(" %9s", weir_outcome_name((weir_outcome_kind)i));
    printf("\n");
    for (size_t k = 0; k < kind_count; k++) {
        struct total total = total_of(k);

        if (kinds[k].no_sanitizer && is_sanitized())
            printf("%-18s left out: a sanitizer cannot have it\n",
                   kinds[k].name);
        if (!kind_is_in(&kinds[k]))
            continue;
        printf("%-18s", kinds[k].name);
        print_count(total.accepted);
        print_count(total.attempts);
        for (int i = 0; i < OUTCOMES; i++)
            print_count(total.outcomes[i]);
        printf("\n");
    }
}

static void print_pools(void)
{
    printf("\n%-18s %9s %9s", "pool", "accepted", "attempts");
    for (int i = 0; i < OUTCOMES; i++)
        printf(" %9s", weir_outcome_name((weir_outcome_kind)i));
    printf(" %9s %9s\n", "refused", "late");
    for (enum house_id id = HOUSE_PLAIN; id < HOUSES; id++) {
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;
        const weir_ledger *l = &stats.ledger;

        weir_pool_read_stats(houses[id].pool, &stats);
        printf("%-18s", houses[id].name);
        print_count(l->accepted);
        print_count(l->attempts);
        for (int i = 0; i < OUTCOMES; i++)
            print_count(ended_as(l, (weir_outcome_kind)i));
        print_count(l->refused);
        print_count(l->late);
        printf("  %u workers\n", (unsigned)stats.workers);
    }
}

static void print_troubles(void)
{
    const struct {
        const char *what;
        const struct weir__counter *count;
    } all[] = {
        {"resizes", &troubles.resizes},
        {"resizes refused", &troubles.resize_failures},
        {"joins", &troubles.joins},
        {"looks", &troubles.looks},
        {"lists of tasks", &troubles.lists},
        {"signals", &troubles.signals_met},
        {"pools of a short life", &troubles.short_lives},
        {"cancels", &troubles.cancels},
        {"waits for a future", &troubles.waits},
        {"for any of several", &troubles.waits_any},
        {"groups joined", &troubles.group_joins},
        {"groups cancelled", &troubles.group_cancels},
        {"faults", &troubles.faults},
        {"submits without memory", &troubles.refused_for_memory},
        {"submits to a degraded pool", &troubles.refused_degraded},
        {"tasks run by submitters", &houses[HOUSE_CALLERS].stand_ins},
    };
    size_t column = printf("meanwhile:") > 0 ? 10 : 0;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        char words[80];
        int length = snprintf(words, sizeof(words), " %" PRIu64 " %s%s",
                              weir__counter_read(all[i].count), all[i].what,
                              i + 1 < sizeof(all) / sizeof(all[0]) ? "," : "");

        column += (size_t)length;
        if (column > 78) {
            printf("\n ");
            column = (size_t)length + 1;
        }
        fputs(words, stdout);
    }
    printf("\n");
}

void account_print(void)
{
    printf("\n(Of a task in the plain pool only that pool's ledger hears.)\n");
    print_kinds();
    print_pools();
    printf("\n");
    print_troubles();
}
