/* SPDX-License-Identifier: MIT */
/* pools.c - see pools.h. */
#include "pools.h"

#include <check.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

weir_pool *pool;
weir_pool_options options;
weir_retry policy;

static struct job jobs[JOB_ROOM];
static size_t job_count;

/* Far enough that no test lets so much time pass by the way. */
static int64_t next_moment_ns;

void pool_setup(void)
{
    test_clock_install();
    next_moment_ns = test_clock_now() + WEIR_SECONDS(100000);
    options = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    options.workers = 1;
    options.on_settled = note_settled;
    options.on_release = note_released;
    policy = (weir_retry)WEIR_RETRY_INIT;
    policy.max_attempts = 3;
    policy.base_ns = WEIR_SECONDS(10);
    policy.jitter = -1;
}

void open_pool(void)
{
    ck_assert_ptr_null(pool);
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
}

void open_pool_of(uint32_t workers)
{
    options.workers = workers;
    open_pool();
}

/* What the jobs say of the tasks that were accepted. */
static void assert_ledger_agrees(const weir_ledger *ledger)
{
    uint64_t of_kind[WEIR_OUTCOME_DROPPED + 1] = {0};
    uint64_t settled = 0, started = 0;

    for (size_t i = 0; i < job_count; i++) {
        started += tally_read(&jobs[i].started);
        if (tally_read(&jobs[i].settled) > 0) {
            of_kind[jobs[i].outcome.kind]++;
            settled++;
        }
    }
    if (settled != ledger->accepted)
        return; /* a test with items of its own */
    ck_assert_uint_eq(ledger->attempts, started);
    ck_assert_uint_eq(ledger->done, of_kind[WEIR_OUTCOME_DONE]);
    ck_assert_uint_eq(ledger->failed, of_kind[WEIR_OUTCOME_FAILED]);
    ck_assert_uint_eq(ledger->timed_out, of_kind[WEIR_OUTCOME_TIMED_OUT]);
    ck_assert_uint_eq(ledger->crashed, of_kind[WEIR_OUTCOME_CRASHED]);
    ck_assert_uint_eq(ledger->exited, of_kind[WEIR_OUTCOME_EXITED]);
    ck_assert_uint_eq(ledger->cancelled, of_kind[WEIR_OUTCOME_CANCELLED]);
    ck_assert_uint_eq(ledger->expired, of_kind[WEIR_OUTCOME_EXPIRED]);
    ck_assert_uint_eq(ledger->dropped, of_kind[WEIR_OUTCOME_DROPPED]);
}

/* Each job that was started or settled was settled once and released once. */
static void assert_jobs_complete(void)
{
    for (size_t i = 0; i < job_count; i++) {
        struct job *job = &jobs[i];

        if (tally_read(&job->started) + tally_read(&job->settled) == 0)
            continue; /* never accepted */
        ck_assert_uint_eq(tally_read(&job->settled), 1);
        if (!job->is_stuck)
            ck_assert_uint_eq(tally_read(&job->released), 1);
    }
}

void end_pool(void)
{
    weir_ledger ledger;

    assert_balanced();
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, WEIR_FOREVER),
                     WEIR_OK);
    assert_balanced();
    ledger = ledger_now();
    ck_assert_uint_eq(ledger.queued + ledger.running + ledger.retrying, 0);
    ck_assert_uint_eq(ledger.overdue + ledger.unreleased, 0);
    ck_assert_uint_eq(stats_now().workers, 0);
    drop_pool();
    if (options.on_settled == note_settled) {
        assert_jobs_complete();
        assert_ledger_agrees(&ledger);
    }
}

void drop_pool(void)
{
    weir_pool_destroy(pool);
    pool = NULL;
}

void pool_teardown(void)
{
    if (pool)
        end_pool();
    test_clock_remove();
}

/* ------------------------------------------------------------------- jobs */

struct job *new_job(int (*act)(weir_task *task, struct job *job))
{
    static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
    struct job *job;

    pthread_mutex_lock(&guard);
    ck_assert_uint_lt(job_count, JOB_ROOM);
    job = &jobs[job_count++];
    pthread_mutex_unlock(&guard);
    *job = (struct job){.act = act,
                        .finish = GATE_INIT,
                        .started = TALLY_INIT,
                        .ended = TALLY_INIT,
                        .settled = TALLY_INIT,
                        .released = TALLY_INIT};
    return job;
}

static void note_end(void *arg)
{
    struct job *job = arg;

    tally_add(&job->ended, 1);
}

int run_job(weir_task *task, void *item)
{
    struct job *job = item;

    ck_assert_uint_eq(tally_read(&job->started), tally_read(&job->ended));
    ck_assert_uint_eq(tally_read(&job->released), 0);
    ck_assert_ptr_eq(weir_task_current(), task);
    job->task = task;
    job->id = weir_task_id(task);
    job->attempt = weir_task_attempt(task);
    job->worker = weir_task_worker(task);
    job->context = weir_task_context(task);
    job->deadline = weir_task_deadline(task);
    job->started_ns = test_clock_now();
    job->ran_on = pthread_self();
    ck_assert_int_eq(weir_task_defer(task, note_end, job), WEIR_OK);
    tally_add(&job->started, 1);
    return job->act ? job->act(task, job) : 0;
}

int act_answer(weir_task *task, struct job *job)
{
    (void)task;
    return job->code;
}

int act_wait(weir_task *task, struct job *job)
{
    (void)task;
    gate_wait(&job->finish);
    return job->code;
}

int act_exit(weir_task *task, struct job *job)
{
    (void)task;
    (void)job;
    pthread_exit(NULL);
}

int act_wait_and_exit(weir_task *task, struct job *job)
{
    gate_wait(&job->finish);
    return act_exit(task, job);
}

int act_listen(weir_task *task, struct job *job)
{
    while (weir_task_sleep(task, INT64_MAX) == WEIR_OK)
        continue;
    return job->code;
}

void cancel_this_thread(void)
{
    if (pthread_cancel(pthread_self()))
        abort();
}

void note_settled(void *arg, const void *item, const weir_outcome *outcome)
{
    struct job *job = (struct job *)item;

    (void)arg;
    ck_assert_uint_eq(tally_read(&job->settled), 0);
    ck_assert_uint_eq(tally_read(&job->released), 0);
    ck_assert_ptr_nonnull(outcome->message);
    job->outcome = *outcome;
    strncpy(job->message, outcome->message, sizeof(job->message) - 1);
    job->outcome.message = job->message;
    if (outcome->result_size > 0 && outcome->result_size <= JOB_RESULT_ROOM)
        memcpy(job->result, outcome->result, outcome->result_size);
    job->outcome.result = outcome->result ? job->result : NULL;
    job->settled_on = pthread_self();
    job->settled_ns = test_clock_now();
    tally_add(&job->settled, 1);
}

void note_released(void *arg, void *item)
{
    struct job *job = item;

    (void)arg;
    ck_assert_uint_eq(tally_read(&job->settled), 1);
    ck_assert_uint_eq(tally_read(&job->released), 0);
    ck_assert_uint_eq(tally_read(&job->started), tally_read(&job->ended));
    job->released_on = pthread_self();
    tally_add(&job->released, 1);
}

weir_status submit(struct job *job)
{
    return weir_pool_submit(pool, run_job, job, WEIR_NOW);
}

void must_submit(struct job *job)
{
    ck_assert_int_eq(submit(job), WEIR_OK);
}

struct job *submit_new(int (*act)(weir_task *task, struct job *job))
{
    struct job *job = new_job(act);

    must_submit(job);
    return job;
}

struct job *start_new(int (*act)(weir_task *task, struct job *job))
{
    struct job *job = submit_new(act);

    await_start(job);
    return job;
}

weir_future *submit_for(struct job *job)
{
    return submit_spec(job, (weir_task_spec)WEIR_TASK_SPEC_INIT);
}

weir_future *submit_spec(struct job *job, weir_task_spec spec)
{
    weir_future *future = NULL;

    spec.handler = run_job;
    spec.item = job;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &future, WEIR_NOW),
                     WEIR_OK);
    ck_assert_ptr_nonnull(future);
    return future;
}

void await_start(struct job *job)
{
    await_count(&job->started, 1);
}

void await_attempt(struct job *job, uint32_t attempt)
{
    await_count(&job->started, attempt);
}

void await_settled(struct job *job)
{
    await_count(&job->settled, 1);
}

void await_released(struct job *job)
{
    await_count(&job->released, 1);
}

void finish_job(struct job *job)
{
    gate_open(&job->finish);
    await_released(job);
}

void assert_outcome(struct job *job, weir_outcome_kind kind)
{
    await_settled(job);
    ck_assert_str_eq(weir_outcome_name(job->outcome.kind),
                     weir_outcome_name(kind));
}

void assert_unsettled(struct job *job)
{
    ck_assert_uint_eq(tally_read(&job->settled), 0);
}

/* ---------------------------------------------------------------- workers */

int greeting;
struct tally greeted = TALLY_INIT, parted = TALLY_INIT;

/* Who uses which index; with `users_guard`. */
static pthread_mutex_t users_guard = PTHREAD_MUTEX_INITIALIZER;
static bool in_use[WORKER_ROOM];
static pthread_t users[WORKER_ROOM];

int greet_worker(void *arg, uint32_t worker)
{
    ck_assert_ptr_eq(arg, &greeting);
    ck_assert_uint_lt(worker, WORKER_ROOM);
    pthread_mutex_lock(&users_guard);
    ck_assert_msg(!in_use[worker], "two threads have one index");
    in_use[worker] = greeting == 0;
    users[worker] = pthread_self();
    pthread_mutex_unlock(&users_guard);
    tally_add(&greeted, 1);
    return greeting;
}

struct gate start_may_end = GATE_INIT;

int start_slowly(void *arg, uint32_t worker)
{
    int told = greet_worker(arg, worker);

    if (worker > 0)
        gate_wait(&start_may_end);
    return told;
}

static void assert_mine(uint32_t worker)
{
    ck_assert_uint_lt(worker, WORKER_ROOM);
    ck_assert(in_use[worker]);
    ck_assert(pthread_equal(users[worker], pthread_self()));
}

void part_worker(void *arg, uint32_t worker)
{
    ck_assert_ptr_eq(arg, &greeting);
    pthread_mutex_lock(&users_guard);
    assert_mine(worker);
    in_use[worker] = false;
    pthread_mutex_unlock(&users_guard);
    tally_add(&parted, 1);
}

void assert_index_is_mine(const weir_task *task, uint32_t below)
{
    ck_assert_uint_lt(weir_task_worker(task), below);
    pthread_mutex_lock(&users_guard);
    assert_mine(weir_task_worker(task));
    pthread_mutex_unlock(&users_guard);
}

/* ------------------------------------------------------------------- time */

void await_timekeeper(int64_t at_ns)
{
    struct timespec limit = hang_limit(), now = {0};
    int64_t next_ns;

    while ((next_ns = test_clock_await_any_waiter()) != at_ns) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        ck_assert_msg(now.tv_sec <= limit.tv_sec,
                      "hang: somebody waits, but not for this moment");
        if (next_ns < at_ns && next_ns > test_clock_now())
            test_clock_advance(next_ns - test_clock_now());
        else
            sched_yield(); /* somebody is on the way to or from a wait */
    }
}

void advance_to(int64_t at_ns)
{
    await_timekeeper(at_ns);
    test_clock_advance(at_ns - test_clock_now());
}

void advance_to_just_before(int64_t at_ns)
{
    await_timekeeper(at_ns);
    test_clock_advance(at_ns - test_clock_now() - 1);
}

void disturb_waiter(int64_t at_ns)
{
    test_clock_hold(at_ns);
    test_clock_disturb(at_ns);
    test_clock_release(at_ns);
    test_clock_await_waiter(at_ns);
}

void rouse_timekeeper(int64_t at_ns)
{
    test_clock_hold(at_ns);
    ck_assert_int_eq(weir_pool_resize(pool, stats_now().workers), WEIR_OK);
    test_clock_release(at_ns);
    test_clock_await_waiter(at_ns);
}

/* ---------------------------------------------------------------- figures */

weir_pool_stats stats_now(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_pool_read_stats(pool, &stats);
    return stats;
}

void await_held(uint64_t count)
{
    while (stats_now().held != count)
        sched_yield();
}

weir_ledger ledger_now(void)
{
    return stats_now().ledger;
}

void assert_balanced(void)
{
    weir_ledger l = ledger_now();
    uint64_t settled = l.done + l.failed + l.timed_out + l.crashed + l.exited +
                       l.cancelled + l.expired + l.dropped;

    ck_assert_uint_eq(l.accepted, settled + l.queued + l.running + l.retrying);
    ck_assert_uint_le(l.overdue, settled);
    ck_assert(weir_ledger_balances(&l));
}

void settle_all(void)
{
    ck_assert_int_eq(weir_pool_join(pool, WEIR_FOREVER), WEIR_OK);
}

void assert_error_names(const char *word)
{
    ck_assert_msg(strstr(weir_last_error(), word) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), word);
}

/* ------------------------------------------------------- calls that block */

weir_status act_submit(struct call *call)
{
    return weir_pool_submit(pool, run_job, call->job, call->deadline);
}

weir_status act_join(struct call *call)
{
    return weir_pool_join(pool, call->deadline);
}

weir_status act_stop(struct call *call)
{
    return weir_pool_stop(pool, call->how, call->deadline);
}

weir_status act_future_wait(struct call *call)
{
    return weir_future_wait(call->future, NULL, call->deadline);
}

weir_status act_resize(struct call *call)
{
    return weir_pool_resize(pool, call->workers);
}

weir_status act_destroy(struct call *call)
{
    (void)call;
    weir_pool_destroy(pool);
    return WEIR_OK;
}

static void run_call(void *arg)
{
    struct call *call = arg;

    call->status = call->act(call);
}

void start_call(struct call *call, weir_status (*act)(struct call *call))
{
    call->act = act;
    helper_start(&call->helper, run_call, call);
}

void block_call(struct call *call, weir_status (*act)(struct call *call))
{
    call->deadline.at_ns = next_moment_ns++;
    start_call(call, act);
    test_clock_await_waiter(call->deadline.at_ns);
}

weir_status end_call(struct call *call)
{
    helper_join(&call->helper);
    return call->status;
}

/* ----------------------------------------- pools whose workers are counted */

int act_check_index(weir_task *task, struct job *job)
{
    assert_index_is_mine(task, WORKER_ROOM);
    gate_wait(&job->finish);
    return 0;
}

void hooked_setup(void)
{
    pool_setup();
    options.worker_start = greet_worker;
    options.worker_stop = part_worker;
    options.worker_arg = &greeting;
}

void hooked_teardown(void)
{
    pool_teardown();
    if (!greeting)
        ck_assert_uint_eq(tally_read(&greeted), tally_read(&parted));
}

void must_resize(uint32_t workers)
{
    ck_assert_int_eq(weir_pool_resize(pool, workers), WEIR_OK);
}

void await_workers(uint32_t count)
{
    while (stats_now().workers != count)
        sched_yield();
}
