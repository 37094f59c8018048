/* SPDX-License-Identifier: MIT */
/* cthreadpool.c - the ten of weir.c with C-Thread-Pool (thpool). */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <thpool.h>
#include <time.h>
#include <unistd.h>

static threadpool pool;

static void check(int right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void nothing(void *item)
{
    (void)item;
}

/* ------------------------------------------------------------------ the ten */

static void make(void)
{
    /* >> 1 */
    pool = thpool_init(4); /* as many for good */
    /* << */
    check(pool != NULL, "no pool");
}

struct job {
    int number;
};

static atomic_int sum;

/* >> 2 */
static void work(void *item)
{
    struct job *job = item;

    sum += job->number;
    free(job);
}

/* << */

static void submit(void)
{
    struct job *job = malloc(sizeof(*job));

    check(job != NULL, "no memory");
    /* >> 2 */
    job->number = 7;
    if (thpool_add_work(pool, work, job) != 0)
        free(job);
    /* << */
    thpool_wait(pool);
    check(sum == 7, "the sum");
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

/* >> 3 */
struct answer {
    int number, square, done;
};

static void square(void *item)
{
    struct answer *answer = item;

    pthread_mutex_lock(&mutex);
    answer->square = answer->number * answer->number;
    answer->done = 1;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
}
/* << */

static void result(void)
{
    struct answer answer = {7, 0, 0};

    /* >> 3 */
    thpool_add_work(pool, square, &answer);
    pthread_mutex_lock(&mutex);
    while (!answer.done)
        pthread_cond_wait(&cond, &mutex);
    pthread_mutex_unlock(&mutex);
    /* << */
    check(answer.square == 49, "the answer");
}

/* >> 4 */
/* By hand: a place for each task that is out. */
static sem_t places; /* sem_init(&places, 0, 100) */

static void with_place(void *item)
{
    nothing(item);
    sem_post(&places);
}
/* << */

static void limit(void)
{
    check(!sem_init(&places, 0, 100), "no semaphore");
    for (int i = 0; i < 1000; i++) {
        /* >> 4 */
        while (sem_wait(&places)) /* or sem_trywait, to refuse */
            continue;
        thpool_add_work(pool, with_place, NULL);
        /* << */
    }
}

static void wait_for_all(void)
{
    /* >> 5 */
    for (int i = 0; i < 1000; i++)
        thpool_add_work(pool, nothing, NULL);
    thpool_wait(pool);
    /* << */
}

static void stop(void)
{
    /* >> 6 */
    thpool_wait(pool);    /* else what waits is forgotten, untold */
    thpool_destroy(pool); /* waits for what runs, without a limit */
    /* << */
}

/* >> 7 */
/* By hand: what waits begins, too, and has to look. */
struct scan {
    char *text;
    atomic_bool cancelled;
};

static void scan(void *item)
{
    struct scan *scan = item;

    for (char *at = scan->text; *at; at++)
        if (scan->cancelled)
            return;
}
/* << */

static void cancel(void)
{
    char text[] = "text";
    struct scan job = {.text = text};

    /* >> 7 */
    job.cancelled = 1;
    /* << */
    thpool_add_work(pool, scan, &job);
    thpool_wait(pool);
}

static void time_limit(void)
{
    struct answer answer = {7, 0, 0};
    struct timespec end;
    int error = 0;

    thpool_add_work(pool, square, &answer);
    /* >> 8 */
    /* By hand: the one who waits gives up; the task goes on. */
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 1;
    pthread_mutex_lock(&mutex);
    while (!answer.done && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&cond, &mutex, &end);
    pthread_mutex_unlock(&mutex);
    /* << */
    thpool_wait(pool);
}

/* >> 9 */
/* By hand: the item has room for an error. */
struct load {
    const char *path;
    int error;
};

static void load(void *item)
{
    struct load *load = item;
    FILE *file = fopen(load->path, "r");

    load->error = file ? 0 : errno;
    if (file)
        fclose(file);
}
/* << */

static void failure(void)
{
    struct load job = {"/no/such/file", 0};

    thpool_add_work(pool, load, &job);
    thpool_wait(pool);
    /* >> 9 */
    if (job.error)
        fprintf(stderr, "%s\n", strerror(job.error));
    /* << */
}

/* >> 10 */
/* By hand: an eventfd, which poll sees. */
static int event_fd;

static void then_tell(void *item)
{
    nothing(item);
    eventfd_write(event_fd, 1);
}
/* << */

static void loop(void)
{
    eventfd_t count;

    event_fd = eventfd(0, EFD_CLOEXEC);
    thpool_add_work(pool, then_tell, NULL);
    check(!eventfd_read(event_fd, &count) && count == 1, "the loop");
    close(event_fd);
}

int main(void)
{
    make();
    submit();
    result();
    limit();
    wait_for_all();
    cancel();
    time_limit();
    failure();
    loop();
    stop();
    puts("ten things");
    return 0;
}
