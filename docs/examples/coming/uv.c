/* SPDX-License-Identifier: MIT */
/* uv.c - the ten of weir.c with libuv's uv_queue_work. */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>
#include <weir.h>

static uv_loop_t *loop;

static void check(int right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void must(int status)
{
    check(!status, status ? uv_strerror(status) : "");
}

static void nothing(uv_work_t *request)
{
    (void)request;
}

static uv_sem_t gate; /* tasks wait for it */

static void wait_at_gate(uv_work_t *request)
{
    (void)request;
    uv_sem_wait(&gate);
}

/* ------------------------------------------------------------------ the ten */

static void make(void)
{
    /* >> 1 */
    /* Before the first request, for all of the process, for good. */
    must(uv_os_setenv("UV_THREADPOOL_SIZE", "4"));
    /* << */
}

struct job {
    int number, square;
};

static int answer;

/* >> 2 */
static void square(uv_work_t *request)
{
    struct job *job = request->data; /* on a thread */

    job->square = job->number * job->number;
}

/* << */

/* >> 3 */
static void squared(uv_work_t *request, int status)
{
    struct job *job = request->data; /* on the loop's thread */

    if (status == 0)
        answer = job->square;
    free(job);
    free(request);
}
/* << */

static void submit(void)
{
    uv_work_t *request = calloc(1, sizeof(*request));
    struct job *job = calloc(1, sizeof(*job));

    check(request && job, "no memory");
    /* >> 2 */
    job->number = 7;
    request->data = job;
    /* On the loop's thread only. */
    must(uv_queue_work(loop, request, square, squared));
    /* << */
    /* >> 3 */
    uv_run(loop, UV_RUN_DEFAULT);
    /* << */
    check(answer == 49, "the answer");
}

static int out;

static void came_back(uv_work_t *request, int status)
{
    (void)status;
    free(request);
    out--;
}

/* >> 4 */
/* By hand: counts what is out, and runs the loop until less is. */
static void queue_one(uv_work_cb work)
{
    uv_work_t *request = malloc(sizeof(*request));

    while (out >= 100)
        uv_run(loop, UV_RUN_ONCE);
    check(request != NULL, "no memory");
    must(uv_queue_work(loop, request, work, came_back));
    out++;
}
/* << */

static void wait_for_all(void)
{
    /* >> 5 */
    for (int i = 0; i < 1000; i++)
        queue_one(nothing);
    uv_run(loop, UV_RUN_DEFAULT); /* until nothing is active */
    /* << */
    check(out == 0, "all");
}

static void stop(void)
{
    uv_loop_t other;

    must(uv_loop_init(&other));
    /* >> 6 */
    /* The threads stay until the process ends, which waits for them;
     * a loop with requests out is not closed (UV_EBUSY). */
    uv_run(&other, UV_RUN_DEFAULT);
    must(uv_loop_close(&other));
    /* << */
}

static int cancelled;

/* >> 7 */
static void ended(uv_work_t *request, int status)
{
    (void)request;
    if (status == UV_ECANCELED)
        cancelled++;
}

/* << */

static void cancel(void)
{
    uv_work_t all[5];
    int busy = 0, status;

    for (int i = 0; i < 5; i++) /* one more than there are threads */
        must(uv_queue_work(loop, &all[i], wait_at_gate, ended));
    for (int i = 4; i >= 0; i--) {
        /* >> 7 */
        status = uv_cancel((uv_req_t *)&all[i]);
        if (status == UV_EBUSY)
            busy++; /* it runs, and is not told */
        /* << */
    }
    for (int i = 0; i < busy; i++)
        uv_sem_post(&gate);
    uv_run(loop, UV_RUN_DEFAULT);
    check(cancelled >= 1 && cancelled + busy == 5, "one has not run");
}

static int late;

/* >> 8 */
/* By hand: somebody is told; the task goes on. */
static void too_late(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
    late = 1;
}

/* << */

static void time_limit(void)
{
    uv_work_t request;
    uv_timer_t timer;

    must(uv_queue_work(loop, &request, wait_at_gate, ended));
    /* >> 8 */
    must(uv_timer_init(loop, &timer));
    must(uv_timer_start(&timer, too_late, 20, 0)); /* ms */
    /* << */
    while (!late)
        uv_run(loop, UV_RUN_ONCE);
    uv_sem_post(&gate);
    uv_run(loop, UV_RUN_DEFAULT);
}

/* >> 9 */
/* By hand: the request has room for an error. */
struct load {
    uv_work_t request;
    const char *path;
    int error;
};

static void load(uv_work_t *request)
{
    struct load *load = request->data;
    FILE *file = fopen(load->path, "r");

    load->error = file ? 0 : UV_ENOENT;
    if (file)
        fclose(file);
}

static void loaded(uv_work_t *request, int status)
{
    struct load *load = request->data;

    if (status == 0 && load->error) /* status: cancelled, or not */
        fprintf(stderr, "%s\n", uv_strerror(load->error));
}
/* << */

static void failure(void)
{
    struct load job = {.path = "/no/such/file"};

    job.request.data = &job;
    must(uv_queue_work(loop, &job.request, load, loaded));
    uv_run(loop, UV_RUN_DEFAULT);
    check(job.error == UV_ENOENT, "the failure");
}

static uv_async_t async;

/* >> 10 */
/* The loop is theirs.  From threads that are not, wake it: */
static void woken(uv_async_t *handle)
{
    uv_close((uv_handle_t *)handle, NULL);
}

/* << */

static void other_thread(void *arg)
{
    (void)arg;
    uv_async_send(&async);
}

static void in_loop(void)
{
    uv_thread_t thread;

    /* >> 10 */
    must(uv_async_init(loop, &async, woken));
    must(uv_thread_create(&thread, other_thread, NULL));
    uv_run(loop, UV_RUN_DEFAULT); /* until it is closed */
    /* << */
    must(uv_thread_join(&thread));
}

static weir_pool *pool;
static uint64_t settled;

static int quick(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

/* >> 11 */
static void some_settled(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    settled = weir_pool_settled(pool);
    /* collect: futures with WEIR_NOW, a queue of answers */
    if (settled == 1)
        uv_close((uv_handle_t *)handle, NULL);
}

/* << */

static void weir_in_loop(void)
{
    uv_poll_t handle;

    check(!weir_pool_create(&pool, NULL) &&
              !weir_pool_submit(pool, quick, NULL, WEIR_FOREVER),
          "weir");
    /* >> 11 */
    must(uv_poll_init(loop, &handle, weir_pool_fd(pool)));
    must(uv_poll_start(&handle, UV_READABLE, some_settled));
    uv_run(loop, UV_RUN_DEFAULT);
    /* << */
    check(settled == 1, "weir in the loop");
    weir_pool_destroy(pool);
}

int main(void)
{
    loop = uv_default_loop();
    must(uv_sem_init(&gate, 0));
    make();
    submit();
    wait_for_all();
    stop();
    cancel();
    time_limit();
    failure();
    in_loop();
    weir_in_loop();
    must(uv_loop_close(loop));
    printf("ten things, libuv %s\n", uv_version_string());
    return 0;
}
