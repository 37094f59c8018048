/* SPDX-License-Identifier: MIT */
/* webhook_burst.c - more webhooks than can be delivered: what to do with them.
 *
 * Two workers deliver one in 5 ms each, 400 a second.  For a fifth of a second
 * 1000 a second come.  Who gets one more than 60 ms late has asked again. */
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <weir.h>

enum { WEBHOOKS = 200, DEADLINE_MS = 60, SERVICE_MS = 5 };

static atomic_uint in_time, late;

static int deliver(weir_task *task, void *item)
{
    (void)item;
    return weir_task_sleep(task, WEIR_MS(SERVICE_MS)) ? 1 : 0;
}

static void settled(void *arg, const void *item, const weir_outcome *outcome)
{
    (void)arg;
    (void)item;
    if (outcome->kind != WEIR_OUTCOME_DONE)
        return; /* the ledger counts it */
    if (outcome->waited_ns + outcome->ran_ns <= WEIR_MS(DEADLINE_MS))
        atomic_fetch_add(&in_time, 1);
    else
        atomic_fetch_add(&late, 1);
}

/* One a millisecond, whatever becomes of them. */
static int send_burst(weir_pool *pool)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; i < WEBHOOKS; i++) {
        weir_status status = weir_pool_submit(pool, deliver, NULL, WEIR_NOW);

        if (status && status != WEIR_FULL)
            return 1;
        nanosleep(&pause, NULL);
    }
    return weir_pool_join(pool, weir_deadline_after(WEIR_SECONDS(20)));
}

static int show(const char *policy, weir_pool_options options)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    const weir_ledger *l = &stats.ledger;
    weir_pool *pool;
    int wrong;

    atomic_store(&in_time, 0);
    atomic_store(&late, 0);
    options.workers = 2;
    options.on_settled = settled;
    if (weir_pool_create(&pool, &options)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    wrong = send_burst(pool);
    weir_pool_read_stats(pool, &stats);
    printf("%-13s %8u %6u %8u %8u %8u\n", policy, atomic_load(&in_time),
           atomic_load(&late), (unsigned)l->refused, (unsigned)l->dropped,
           (unsigned)l->expired);
    wrong |= !weir_ledger_balances(l) ||
             atomic_load(&in_time) + atomic_load(&late) != l->done ||
             l->accepted + l->refused != WEBHOOKS;
    weir_pool_destroy(pool);
    return wrong;
}

int main(void)
{
    weir_pool_options all = WEIR_POOL_OPTIONS_INIT; /* 1024 places */
    weir_pool_options refuse = WEIR_POOL_OPTIONS_INIT;
    weir_pool_options drop = WEIR_POOL_OPTIONS_INIT;
    weir_pool_options live = WEIR_POOL_OPTIONS_INIT;
    weir_pool_options codel = WEIR_POOL_OPTIONS_INIT;
    int wrong = 0;

    refuse.on_full = WEIR_ON_FULL_REFUSE;
    refuse.queue_capacity = 20; /* what 400 a second deliver in 50 ms */
    drop.on_full = WEIR_ON_FULL_DROP_OLDEST;
    drop.queue_capacity = 20;
    live.time_to_live_ns = WEIR_MS(DEADLINE_MS - 2 * SERVICE_MS);
    codel.codel_target_ns = WEIR_MS(25);
    codel.codel_interval_ns = WEIR_MS(50);

    printf("%-13s %8s %6s %8s %8s %8s\n", "policy", "in time", "late",
           "refused", "dropped", "expired");
    wrong |= show("keep all", all);
    wrong |= show("refuse", refuse);
    wrong |= show("drop oldest", drop);
    wrong |= show("time to live", live);
    wrong |= show("CoDel", codel);
    return wrong;
}
