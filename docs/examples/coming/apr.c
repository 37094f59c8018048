/* SPDX-License-Identifier: MIT */
/* apr.c - the ten of weir.c with APR's apr_thread_pool. */
#include <apr_atomic.h>
#include <apr_general.h>
#include <apr_poll.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_pool.h>
#include <apu_version.h>
#include <stdio.h>
#include <stdlib.h>

enum { NORMAL = APR_THREAD_TASK_PRIORITY_NORMAL };

static apr_pool_t *memory;
static apr_thread_pool_t *pool;
static apr_thread_mutex_t *mutex, *gate; /* held: tasks wait */
static apr_thread_cond_t *cond;

static void check(int right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void must(apr_status_t status)
{
    char text[80];

    check(!status, apr_strerror(status, text, sizeof(text)));
}

static void *nothing(apr_thread_t *thread, void *item)
{
    (void)thread;
    (void)item;
    return NULL;
}

static void *wait_at_gate(apr_thread_t *thread, void *item)
{
    (void)thread;
    (void)item;
    apr_thread_mutex_lock(gate);
    apr_thread_mutex_unlock(gate);
    return NULL;
}

static void with_threads(apr_size_t count)
{
    must(apr_thread_pool_create(&pool, count, count, memory));
}

static void until_idle(void)
{
    while (apr_thread_pool_tasks_count(pool) > 0 ||
           apr_thread_pool_busy_count(pool) > 0)
        apr_thread_yield();
}

/* ------------------------------------------------------------------ the ten */

static void make(void)
{
    /* >> 1 */
    /* At first, and at most. */
    must(apr_thread_pool_create(&pool, 4, 4, memory));

    apr_thread_pool_thread_max_set(pool, 8);
    /* << */
    check(apr_thread_pool_thread_max_get(pool) == 8, "eight");
    must(apr_thread_pool_destroy(pool));
}

struct job {
    int number;
};

static apr_uint32_t sum;

/* >> 2 */
static void *work(apr_thread_t *thread, void *item)
{
    struct job *job = item;

    (void)thread;
    apr_atomic_add32(&sum, (apr_uint32_t)job->number);
    free(job);
    return NULL; /* nobody gets it */
}

/* << */

static void submit(void)
{
    struct job *job = calloc(1, sizeof(*job));
    void *owner = &sum;

    with_threads(4);
    check(job != NULL, "no memory");
    /* >> 2 */
    job->number = 7;
    /* An error may mean that it is queued all the same. */
    must(apr_thread_pool_push(pool, work, job, NORMAL, owner));
    /* << */
    while (apr_atomic_read32(&sum) != 7)
        apr_thread_yield();
    must(apr_thread_pool_destroy(pool));
}

/* >> 3 */
struct answer {
    int number, square, done;
};

static void *square(apr_thread_t *thread, void *item)
{
    struct answer *answer = item;

    (void)thread;
    apr_thread_mutex_lock(mutex);
    answer->square = answer->number * answer->number;
    answer->done = 1;
    apr_thread_cond_broadcast(cond);
    apr_thread_mutex_unlock(mutex);
    return NULL;
}
/* << */

static void result(void)
{
    struct answer answer = {7, 0, 0};

    with_threads(4);
    /* >> 3 */
    must(apr_thread_pool_push(pool, square, &answer, NORMAL, NULL));
    apr_thread_mutex_lock(mutex);
    while (!answer.done)
        apr_thread_cond_wait(cond, mutex);
    apr_thread_mutex_unlock(mutex);
    /* << */
    check(answer.square == 49, "the answer");
    must(apr_thread_pool_destroy(pool));
}

/* >> 4 */
/* By hand: refuses, and may let some more in if several push. */
static apr_status_t try_push(apr_thread_start_t task, void *item)
{
    if (apr_thread_pool_tasks_count(pool) >= 100)
        return APR_EAGAIN;
    return apr_thread_pool_push(pool, task, item, NORMAL, NULL);
}
/* << */

static void limit(void)
{
    int taken = 0;

    with_threads(4);
    apr_thread_mutex_lock(gate);
    while (!try_push(wait_at_gate, NULL))
        taken++;
    apr_thread_mutex_unlock(gate);
    check(taken >= 100 && taken <= 104, "the limit");
    until_idle();
    must(apr_thread_pool_destroy(pool));
}

static int out; /* under the mutex */

/* >> 5 */
/* By hand: count what is out. */
static void *counted(apr_thread_t *thread, void *item)
{
    nothing(thread, item);
    apr_thread_mutex_lock(mutex);
    if (--out == 0)
        apr_thread_cond_broadcast(cond);
    apr_thread_mutex_unlock(mutex);
    return NULL;
}
/* << */

static void wait_for_all(void)
{
    with_threads(4);
    /* >> 5 */
    for (int i = 0; i < 1000; i++) {
        apr_thread_mutex_lock(mutex);
        out++;
        apr_thread_mutex_unlock(mutex);
        must(apr_thread_pool_push(pool, counted, NULL, NORMAL, NULL));
    }
    apr_thread_mutex_lock(mutex);
    while (out > 0)
        apr_thread_cond_wait(cond, mutex);
    apr_thread_mutex_unlock(mutex);
    /* << */
    check(apr_thread_pool_tasks_count(pool) == 0, "all");
    must(apr_thread_pool_destroy(pool));
}

static apr_uint32_t ran;

static void *count_at_gate(apr_thread_t *thread, void *item)
{
    wait_at_gate(thread, item);
    apr_atomic_inc32(&ran);
    return NULL;
}

static void stop(void)
{
    with_threads(1);
    apr_thread_mutex_lock(gate);
    for (int i = 0; i < 1000; i++)
        must(apr_thread_pool_push(pool, count_at_gate, NULL, NORMAL, NULL));
    apr_thread_mutex_unlock(gate);
    /* >> 6 */
    /* Waits for what runs; what does not is forgotten, untold. */
    apr_thread_pool_destroy(pool);
    /* << */
    printf("of 1000 tasks %u have run\n", ran);
}

static void cancel(void)
{
    void *owner = &ran;

    with_threads(1);
    ran = 0;
    apr_thread_mutex_lock(gate);
    must(apr_thread_pool_push(pool, wait_at_gate, NULL, NORMAL, NULL));
    for (int i = 0; i < 10; i++)
        must(apr_thread_pool_push(pool, count_at_gate, NULL, NORMAL, owner));
    /* >> 7 */
    /* All that one owner has pushed; waits for those that run. */
    apr_thread_pool_tasks_cancel(pool, owner);
    /* << */
    apr_thread_mutex_unlock(gate);
    until_idle();
    must(apr_thread_pool_destroy(pool));
    check(ran == 0, "none of the owner's");
}

static void *square_late(apr_thread_t *thread, void *item)
{
    wait_at_gate(thread, NULL);
    return square(thread, item);
}

static void time_limit(void)
{
    struct answer answer = {7, 0, 0};
    apr_status_t status = APR_SUCCESS;

    with_threads(4);
    apr_thread_mutex_lock(gate);
    must(apr_thread_pool_push(pool, square_late, &answer, NORMAL, NULL));
    /* >> 8 */
    /* By hand: the one who waits gives up; the task goes on. */
    apr_thread_mutex_lock(mutex);
    while (!answer.done && status == APR_SUCCESS)
        status = apr_thread_cond_timedwait(cond, mutex, 20000);
    apr_thread_mutex_unlock(mutex);
    /* << */
    check(APR_STATUS_IS_TIMEUP(status), "it is late");
    apr_thread_mutex_unlock(gate);
    until_idle();
    must(apr_thread_pool_destroy(pool));
}

/* >> 9 */
/* By hand: the item has room for an error. */
struct load {
    const char *path;
    apr_status_t error;
};

static void *load(apr_thread_t *thread, void *item)
{
    struct load *load = item;
    apr_file_t *file;

    load->error = apr_file_open(&file, load->path, APR_READ, APR_OS_DEFAULT,
                                apr_thread_pool_get(thread));
    if (!load->error)
        apr_file_close(file);
    return NULL;
}
/* << */

static void failure(void)
{
    struct load job = {"/no/such/file", 0};

    with_threads(4);
    must(apr_thread_pool_push(pool, load, &job, NORMAL, NULL));
    until_idle();
    check(APR_STATUS_IS_ENOENT(job.error), "the failure");
    must(apr_thread_pool_destroy(pool));
}

static apr_pollset_t *pollset;

/* >> 10 */
static void *then_wake(apr_thread_t *thread, void *item)
{
    nothing(thread, item);
    apr_pollset_wakeup(pollset);
    return NULL;
}
/* << */

static void loop(void)
{
    const apr_pollfd_t *ready;
    apr_status_t status;
    apr_int32_t count;

    with_threads(4);
    /* >> 10 */
    must(apr_pollset_create(&pollset, 16, memory, APR_POLLSET_WAKEABLE));
    must(apr_thread_pool_push(pool, then_wake, NULL, NORMAL, NULL));
    status = apr_pollset_poll(pollset, -1, &count, &ready);
    if (APR_STATUS_IS_EINTR(status))
        puts("some task has ended");
    /* << */
    check(APR_STATUS_IS_EINTR(status), "the loop");
    until_idle();
    must(apr_thread_pool_destroy(pool));
}

int main(void)
{
    must(apr_initialize());
    must(apr_pool_create(&memory, NULL));
    must(apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, memory));
    must(apr_thread_mutex_create(&gate, APR_THREAD_MUTEX_DEFAULT, memory));
    must(apr_thread_cond_create(&cond, memory));
    make();
    submit();
    result();
    limit();
    wait_for_all();
    stop();
    cancel();
    time_limit();
    failure();
    loop();
    apr_terminate();
    printf("ten things, APR-util %s\n", apu_version_string());
    return 0;
}
