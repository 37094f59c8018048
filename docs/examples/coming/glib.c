/* SPDX-License-Identifier: MIT */
/* glib.c - the ten of weir.c with GLib's GThreadPool. */
#include <glib-unix.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir.h>

static void check(int right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static GThreadPool *pool;

static void nothing(void *item, void *user_data)
{
    (void)item;
    (void)user_data;
}

/* ------------------------------------------------------------------ the ten */

static void make(void)
{
    void *context = NULL;
    /* >> 1 */
    /* One function for all tasks of the pool. */
    pool = g_thread_pool_new(nothing, context, 4, TRUE, NULL);
    if (!pool)
        g_error("no threads");

    g_thread_pool_set_max_threads(pool, 8, NULL);
    /* << */
    check(g_thread_pool_get_max_threads(pool) == 8, "eight");
    g_thread_pool_free(pool, FALSE, TRUE);
}

struct job {
    int number;
};

static int sum;

/* >> 2 */
static void work(void *item, void *user_data)
{
    struct job *job = item;

    (void)user_data;
    g_atomic_int_add(&sum, job->number);
    g_free(job);
}

/* << */

static void submit(void)
{
    /* >> 2 */
    pool = g_thread_pool_new_full(work, NULL, g_free, 4, TRUE, NULL);

    struct job *job = g_new0(struct job, 1);

    job->number = 7;
    g_thread_pool_push(pool, job, NULL); /* FALSE: it is queued, too */
    /* << */
    g_thread_pool_free(pool, FALSE, TRUE);
    check(sum == 7, "the sum");
}

/* >> 3 */
struct answer {
    GMutex mutex;
    GCond cond;
    int number, square;
    gboolean done;
};

static void square(void *item, void *user_data)
{
    struct answer *answer = item;

    (void)user_data;
    g_mutex_lock(&answer->mutex);
    answer->square = answer->number * answer->number;
    answer->done = TRUE;
    g_cond_signal(&answer->cond);
    g_mutex_unlock(&answer->mutex);
}
/* << */

static void result(void)
{
    struct answer answer = {.number = 7};

    g_mutex_init(&answer.mutex);
    g_cond_init(&answer.cond);
    pool = g_thread_pool_new(square, NULL, 4, TRUE, NULL);
    /* >> 3 */
    g_thread_pool_push(pool, &answer, NULL);
    g_mutex_lock(&answer.mutex);
    while (!answer.done)
        g_cond_wait(&answer.cond, &answer.mutex);
    g_mutex_unlock(&answer.mutex);
    /* << */
    check(answer.square == 49, "the answer");
    g_thread_pool_free(pool, FALSE, TRUE);
    g_cond_clear(&answer.cond);
    g_mutex_clear(&answer.mutex);
}

static GMutex gate; /* held: tasks wait */

static void wait_at_gate(void *item, void *user_data)
{
    (void)item;
    (void)user_data;
    g_mutex_lock(&gate);
    g_mutex_unlock(&gate);
}

/* >> 4 */
/* By hand: refuses, and may let some more in if several submit. */
static gboolean try_push(void *item)
{
    if (g_thread_pool_unprocessed(pool) >= 100)
        return FALSE;
    return g_thread_pool_push(pool, item, NULL);
}
/* << */

static void limit(void)
{
    int taken = 0;

    g_mutex_lock(&gate);
    pool = g_thread_pool_new(wait_at_gate, NULL, 4, TRUE, NULL);
    while (try_push(&gate))
        taken++;
    g_mutex_unlock(&gate);
    g_thread_pool_free(pool, FALSE, TRUE);
    check(taken >= 100 && taken <= 104, "the limit");
}

/* >> 5 */
/* By hand: count what is out. */
static struct {
    GMutex mutex;
    GCond none;
    int out;
} all;

static void counted(void *item, void *user_data)
{
    nothing(item, user_data);
    g_mutex_lock(&all.mutex);
    if (--all.out == 0)
        g_cond_broadcast(&all.none);
    g_mutex_unlock(&all.mutex);
}
/* << */

static void wait_for_all(void)
{
    pool = g_thread_pool_new(counted, NULL, 4, TRUE, NULL);
    /* >> 5 */
    for (int i = 0; i < 1000; i++) {
        g_mutex_lock(&all.mutex);
        all.out++;
        g_mutex_unlock(&all.mutex);
        g_thread_pool_push(pool, &all, NULL);
    }
    g_mutex_lock(&all.mutex);
    while (all.out > 0)
        g_cond_wait(&all.none, &all.mutex);
    g_mutex_unlock(&all.mutex);
    /* << */
    check(all.out == 0, "all");
    g_thread_pool_free(pool, FALSE, TRUE);
}

static int ran, freed;

static void count_at_gate(void *item, void *user_data)
{
    wait_at_gate(item, user_data);
    g_atomic_int_inc(&ran);
}

static void count_freed(void *item)
{
    (void)item;
    g_atomic_int_inc(&freed);
}

static void *free_at_once(void *thread_pool)
{
    /* >> 6 */
    /* At once: waits for what runs, frees what does not. */
    g_thread_pool_free(thread_pool, TRUE, TRUE);
    /* << */
    return NULL;
}

static void stop(void)
{
    GThread *stopper;

    pool = g_thread_pool_new(nothing, NULL, 4, TRUE, NULL);
    for (int i = 0; i < 100; i++)
        g_thread_pool_push(pool, &all, NULL);
    /* >> 6 */
    /* Runs what is there, and waits for it without a limit. */
    g_thread_pool_free(pool, FALSE, TRUE);

    /* << */
    g_mutex_lock(&gate);
    pool =
        g_thread_pool_new_full(count_at_gate, NULL, count_freed, 1, TRUE, NULL);
    for (int i = 0; i < 10; i++)
        g_thread_pool_push(pool, &all, NULL);
    while (g_thread_pool_unprocessed(pool) == 10)
        g_thread_yield();
    stopper = g_thread_new("stopper", free_at_once, pool);
    g_mutex_unlock(&gate);
    g_thread_join(stopper);
    check(ran >= 1 && ran + freed == 10, "each has run or is freed");
}

static int stopped;

/* >> 7 */
/* By hand: what waits begins, too, and has to look. */
struct scan {
    char *text;
    int cancelled;
};

static void scan(void *item, void *user_data)
{
    struct scan *scan = item;

    (void)user_data;
    for (char *at = scan->text; *at; at++)
        if (g_atomic_int_get(&scan->cancelled)) {
            g_atomic_int_inc(&stopped);
            return;
        }
}
/* << */

static void cancel(void)
{
    char text[] = "text";
    struct scan job = {.text = text};

    pool = g_thread_pool_new(scan, NULL, 4, TRUE, NULL);
    /* >> 7 */
    g_atomic_int_set(&job.cancelled, TRUE);
    /* << */
    g_thread_pool_push(pool, &job, NULL);
    g_thread_pool_free(pool, FALSE, TRUE);
    check(stopped == 1, "it stopped");
}

static void linger_at_gate(void *item, void *user_data)
{
    g_mutex_lock(&gate);
    g_mutex_unlock(&gate);
    square(item, user_data);
}

static void time_limit(void)
{
    struct answer answer = {.number = 7};
    gboolean late = FALSE;

    g_mutex_init(&answer.mutex);
    g_cond_init(&answer.cond);
    g_mutex_lock(&gate);
    pool = g_thread_pool_new(linger_at_gate, NULL, 4, TRUE, NULL);
    g_thread_pool_push(pool, &answer, NULL);
    /* >> 8 */
    /* By hand: the one who waits gives up; the task goes on. */
    gint64 end = g_get_monotonic_time() + 20 * G_TIME_SPAN_MILLISECOND;

    g_mutex_lock(&answer.mutex);
    while (!answer.done && !late)
        late = !g_cond_wait_until(&answer.cond, &answer.mutex, end);
    g_mutex_unlock(&answer.mutex);
    /* << */
    check(late, "it is late");
    g_mutex_unlock(&gate);
    g_thread_pool_free(pool, FALSE, TRUE);
    g_cond_clear(&answer.cond);
    g_mutex_clear(&answer.mutex);
}

/* >> 9 */
/* By hand: the item has room for an error. */
struct load {
    const char *path;
    GError *error;
};

static void load(void *item, void *user_data)
{
    struct load *load = item;
    char *text = NULL;

    (void)user_data;
    g_file_get_contents(load->path, &text, NULL, &load->error);
    g_free(text);
}
/* << */

static void failure(void)
{
    struct load job = {.path = "/no/such/file"};

    pool = g_thread_pool_new(load, NULL, 4, TRUE, NULL);
    g_thread_pool_push(pool, &job, NULL);
    g_thread_pool_free(pool, FALSE, TRUE);
    /* >> 9 */
    if (job.error)
        fprintf(stderr, "%s\n", job.error->message);
    /* << */
    check(job.error != NULL, "the failure");
    g_error_free(job.error);
}

/* >> 10 */
static gboolean in_loop(void *loop)
{
    g_main_loop_quit(loop); /* on the loop's thread */
    return G_SOURCE_REMOVE;
}

static void then_tell(void *item, void *user_data)
{
    nothing(item, NULL);
    g_idle_add(in_loop, user_data);
}
/* << */

static void loop(void)
{
    GMainLoop *main_loop = g_main_loop_new(NULL, FALSE);

    pool = g_thread_pool_new(then_tell, main_loop, 4, TRUE, NULL);
    g_thread_pool_push(pool, &all, NULL);
    g_main_loop_run(main_loop);
    g_thread_pool_free(pool, FALSE, TRUE);
    g_main_loop_unref(main_loop);
}

static int quick(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

static weir_pool *weir;

/* >> 11 */
static gboolean some_settled(int fd, GIOCondition condition, void *main_loop)
{
    uint64_t settled = weir_pool_settled(weir);

    (void)fd;
    (void)condition;
    /* collect: futures with WEIR_NOW, a queue of answers */
    if (settled == 1)
        g_main_loop_quit(main_loop);
    return G_SOURCE_CONTINUE;
}

/* << */

static void weir_in_loop(void)
{
    GMainLoop *main_loop = g_main_loop_new(NULL, FALSE);
    guint source;

    check(!weir_pool_create(&weir, NULL) &&
              !weir_pool_submit(weir, quick, NULL, WEIR_FOREVER),
          "weir");
    /* >> 11 */
    source =
        g_unix_fd_add(weir_pool_fd(weir), G_IO_IN, some_settled, main_loop);
    g_main_loop_run(main_loop);
    g_source_remove(source); /* before the pool is destroyed */
    /* << */
    weir_pool_destroy(weir);
    g_main_loop_unref(main_loop);
}

int main(void)
{
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
    weir_in_loop();
    printf("ten things, GLib %u.%u.%u\n", glib_major_version,
           glib_minor_version, glib_micro_version);
    return 0;
}
