/* SPDX-License-Identifier: MIT */
/*
 * trouble.c - who disturbs: resizes, reads figures, joins, lets memory and
 * threads run out, sends signals, cancels, and has pools live for a moment.
 */
#include "chaos.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/queue.h>

#include "base/fault.h"

enum { COLLECTORS = 8, AT_ONCE = 4, LISTED = 64, TASKS_A_FAULT = 2000 };

struct troubles troubles;

static struct weir__flag over;

struct handed {
    weir_future *future;
    const struct kind *kind;
};
static weir_queue *handed_over;

/* ------------------------------------------------------------------ futures */

void hand_over(weir_future *future, const struct kind *kind)
{
    struct handed handed = {future, kind};
    weir_status status = weir_queue_put(handed_over, &handed, hang());

    if (status)
        fail("nobody takes futures: %s", weir_status_name(status));
}

static void cancel(const struct handed *handed, uint32_t *random)
{
    if (draw(random, 8) == 0)
        nap_us(draw(random, 80000)); /* it may have started by now */
    if (weir_future_cancel(handed->future) != WEIR_OK)
        fail("a future cannot be cancelled");
    weir__counter_add(&troubles.cancels, 1);
}

static void look_at(const struct handed *handed)
{
    const struct kind *kind = handed->kind;
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    if (weir_future_wait(handed->future, &outcome, hang()) != WEIR_OK)
        fail("a future of kind %s does not settle", kind->name);
    if (!((kind->expected | kind->allowed) & 1u << outcome.kind))
        fail("a future of kind %s says %s", kind->name,
             weir_outcome_name(outcome.kind));
    weir__counter_add(&troubles.waits, 1);
}

/* All of them, as they settle. */
static void look_at_all(const struct handed *handed, size_t count)
{
    weir_future *futures[AT_ONCE];
    size_t index;

    for (size_t i = 0; i < count; i++)
        futures[i] = handed[i].future;
    for (size_t i = 0; i < count; i++) {
        weir_status status;

        do /* memory fails on purpose */
            status = weir_future_wait_any(futures, count, &index, hang());
        while (status == WEIR_ENOMEM);
        if (status)
            fail("waiting for any of %zu futures: %s", count - i,
                 weir_status_name(status));
        if (weir_future_wait(futures[index], NULL, WEIR_NOW) != WEIR_OK)
            fail("a future that is said to have settled has not");
        futures[index] = NULL;
        look_at(&handed[index]);
    }
    weir__counter_add(&troubles.waits_any, 1);
}

static void collect(uint32_t *random)
{
    struct handed handed[AT_ONCE];
    size_t count;

    while (weir_queue_get_many(handed_over, handed, 1 + draw(random, AT_ONCE),
                               &count, WEIR_FOREVER) == WEIR_OK) {
        for (size_t i = 0; i < count; i++)
            if (handed[i].kind->cancelled)
                cancel(&handed[i], random);
        if (draw(random, 2))
            look_at_all(handed, count);
        else
            for (size_t i = 0; i < count; i++)
                if (draw(random, 2))
                    look_at(&handed[i]);
        for (size_t i = 0; i < count; i++)
            weir_future_release(handed[i].future);
    }
}

/* ------------------------------------------------------------- disturbances */

static void resize_often(uint32_t *random)
{
    while (!weir__flag_read(&over)) {
        enum house_id id = (enum house_id)draw(random, HOUSES);
        struct house *house = &houses[id == HOUSE_ELASTIC ? HOUSE_RICH : id];
        uint32_t workers = 1 + draw(random, wish.workers * 2);
        weir_status status = weir_pool_resize(house->pool, workers);

        weir__counter_add(&troubles.resizes, 1);
        if (status == WEIR_OK)
            house->wanted = workers;
        else if (status == WEIR_ENOMEM || status == WEIR_ESYSTEM)
            weir__counter_add(&troubles.resize_failures, 1);
        else
            fail("resizing pool %s: %s", house->name, weir_status_name(status));
        nap_us(draw(random, 2000));
    }
}

static bool is_a_name(const char *label)
{
    bool found = *label == '\0';

    for (size_t i = 0; i < kind_count && !found; i++)
        found = strcmp(label, kinds[i].name) == 0;
    return found;
}

/* What it lists are tasks of ours, the overdue ones first, the waiting last. */
static void look_at_list(const struct house *house)
{
    weir_pool_entry entries[LISTED] = {WEIR_POOL_ENTRY_INIT};
    size_t count = weir_pool_list(house->pool, entries, LISTED);
    bool waits = false;

    for (size_t i = 0; i < count && i < LISTED; i++) {
        const weir_pool_entry *entry = &entries[i];
        bool runs = entry->state == WEIR_TASK_RUNNING ||
                    entry->state == WEIR_TASK_OVERDUE ||
                    entry->state == WEIR_TASK_ABANDONED;

        if (entry->task_id == 0 || !is_a_name(entry->label) ||
            (runs && entry->attempt == 0) || (runs && waits))
            fail("pool %s lists what it cannot have: entry %zu, task %llu, "
                 "state %d, attempt %u, label '%.31s'",
                 house->name, i, (unsigned long long)entry->task_id,
                 (int)entry->state, (unsigned)entry->attempt, entry->label);
        waits = !runs;
    }
    if (count > 0)
        weir__counter_add(&troubles.lists, 1);
}

static void look_often(uint32_t *random)
{
    uint64_t accepted[HOUSES] = {0};

    while (!weir__flag_read(&over)) {
        uint32_t id = draw(random, HOUSES);
        weir_pool_stats stats = WEIR_POOL_STATS_INIT;

        weir_pool_read_stats(houses[id].pool, &stats);
        weir__counter_add(&troubles.looks, 1);
        if (draw(random, 4) == 0)
            look_at_list(&houses[id]);
        if (!weir_ledger_balances(&stats.ledger))
            fail("the ledger of pool %s does not balance", houses[id].name);
        if (stats.ledger.accepted < accepted[id])
            fail("pool %s forgets tasks", houses[id].name);
        accepted[id] = stats.ledger.accepted;
        if (stats.workers > 2 * wish.workers)
            weir__counter_add(&troubles.growth_seen, 1);
        if (stats.ledger.abandoned > 0)
            weir__counter_add(&troubles.abandoned_seen, 1);
        nap_us(draw(random, 500));
    }
}

static void join_often(uint32_t *random)
{
    while (!weir__flag_read(&over)) {
        struct house *house = &houses[draw(random, HOUSES)];
        weir_status status =
            weir_pool_join(house->pool, weir_deadline_after(WEIR_US(300)));

        weir__counter_add(&troubles.joins, 1);
        if (status != WEIR_OK && status != WEIR_TIMED_OUT &&
            !(status == WEIR_STUCK && house == &houses[HOUSE_HASTY]))
            fail("joining pool %s: %s", house->name, weir_status_name(status));
        nap_us(draw(random, 500));
    }
}

/* A thread that does not start is tried again after 100 ms, in which its pool
 * starts no other: so there are as many faults as there are tasks for them. */
static void strike_often(uint32_t *random)
{
    uint64_t next = tasks_offered();

    while (!weir__flag_read(&over)) {
        uint64_t nth = 1 + draw(random, 8);

        if (tasks_offered() < next) {
            nap_us(1000);
            continue;
        }
        next =
            tasks_offered() + TASKS_A_FAULT / 2 + draw(random, TASKS_A_FAULT);
        weir__fault_arm(nth);
        while (!weir__flag_read(&over) && weir__fault_points() < nth)
            nap_us(1000);
        if (weir__fault_points() >= nth)
            weir__counter_add(&troubles.faults, 1);
    }
    weir__fault_arm(0);
}

static void on_signal(int number)
{
    (void)number;
    weir__counter_add(&troubles.signals_met, 1);
}

/* Without SA_RESTART, so that whatever blocks is interrupted. */
static void signal_often(uint32_t *random)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGUSR1, &action, NULL);
    while (!weir__flag_read(&over)) {
        kill(getpid(), SIGUSR1);
        weir__counter_add(&troubles.signals_sent, 1);
        nap_us(draw(random, 1000));
    }
}

/* ---------------------------------------------------- pools of a short life */

enum { BRIEF_TASKS = 20 };

/* What became of the tasks of one. */
struct brief {
    struct weir__counter settled, released;
};

static int be_brief(weir_task *task, void *item)
{
    uint32_t random = (uint32_t)(uintptr_t)item;

    switch (draw(&random, 4)) {
    case 0:
        pthread_exit(NULL);
    case 1:
        weir_task_raise(task, 1, "raised on purpose");
    case 2:
        return weir_task_sleep(task, WEIR_US(300)) == WEIR_OK ? 0 : 2;
    default:
        return 0;
    }
}

static void
brief_settled(void *arg, const void *item, const weir_outcome *outcome)
{
    struct brief *brief = arg;

    (void)item;
    (void)outcome;
    weir__counter_add(&brief->settled, 1);
}

static void brief_released(void *arg, void *item)
{
    struct brief *brief = arg;

    (void)item;
    weir__counter_add(&brief->released, 1);
}

static void stop_brief(weir_pool *pool, struct brief *brief, uint64_t accepted,
                       uint32_t *random)
{
    weir_stop_how how = draw(random, 2) ? WEIR_STOP_NOW : WEIR_STOP_AFTER_DRAIN;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    if (draw(random, 2)) /* may come too early */
        (void)!weir_pool_stop(pool, how, WEIR_NOW);
    if (weir_pool_stop(pool, how, hang()) != WEIR_OK)
        fail("a pool of a short life does not stop");
    weir_pool_read_stats(pool, &stats);
    if (!weir_ledger_balances(&stats.ledger) ||
        stats.ledger.accepted != accepted || stats.workers != 0 ||
        weir__counter_read(&brief->settled) != accepted ||
        weir__counter_read(&brief->released) != accepted)
        fail("a pool of a short life accepted %llu, settled %llu, released "
             "%llu",
             (unsigned long long)accepted,
             (unsigned long long)weir__counter_read(&brief->settled),
             (unsigned long long)weir__counter_read(&brief->released));
}

static void found_often(uint32_t *random)
{
    while (!weir__flag_read(&over)) {
        weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
        struct brief brief = {0};
        uint64_t accepted = 0;
        weir_pool *pool;

        nap_us(5000 + draw(random, 10000));
        options.workers = 1 + draw(random, 3);
        options.timeout_ns = draw(random, 2) ? WEIR_US(100) : 0;
        options.name = "brief";
        options.on_settled = brief_settled;
        options.on_settled_arg = &brief;
        options.on_release = brief_released;
        options.on_release_arg = &brief;
        if (weir_pool_create(&pool, &options))
            continue; /* a fault has struck */
        for (int i = 0; i < BRIEF_TASKS; i++)
            accepted +=
                weir_pool_submit(pool, be_brief,
                                 (void *)(uintptr_t)draw(random, UINT32_MAX),
                                 WEIR_NOW) == WEIR_OK;
        stop_brief(pool, &brief, accepted, random);
        weir_pool_destroy(pool);
        weir__counter_add(&troubles.short_lives, 1);
    }
}

/* ------------------------------------------------------------------ threads */

struct troublemaker {
    void (*run)(uint32_t *random);
    pthread_t thread;
    uint32_t random;
};

static struct troublemaker makers[] = {
    {.run = resize_often}, {.run = look_often},   {.run = join_often},
    {.run = strike_often}, {.run = signal_often}, {.run = found_often},
};
enum { MAKERS = sizeof(makers) / sizeof(makers[0]) };
static struct troublemaker collectors[COLLECTORS];

static void *troublemaker_main(void *arg)
{
    struct troublemaker *maker = arg;

    maker->run(&maker->random);
    return NULL;
}

static void maker_start(struct troublemaker *maker, uint32_t number)
{
    maker->random = seeded(number);
    if (pthread_create(&maker->thread, NULL, troublemaker_main, maker))
        fail("a thread of the run's own does not start");
}

void troubles_start(void)
{
    if (weir_queue_create(&handed_over, sizeof(struct handed), NULL))
        fail("%s", weir_last_error());
    weir__flag_write(&over, false);
    for (uint32_t i = 0; i < COLLECTORS; i++) {
        collectors[i].run = collect;
        maker_start(&collectors[i], 100 + i);
    }
    for (uint32_t i = 0; i < MAKERS; i++)
        maker_start(&makers[i], 200 + i);
}

void troubles_stop(void)
{
    weir_queue_close(handed_over);
    for (uint32_t i = 0; i < COLLECTORS; i++)
        pthread_join(collectors[i].thread, NULL);
    weir_queue_destroy(handed_over);
    weir__flag_write(&over, true);
    for (uint32_t i = 0; i < MAKERS; i++)
        pthread_join(makers[i].thread, NULL);
}
