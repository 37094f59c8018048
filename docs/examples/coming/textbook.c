/* SPDX-License-Identifier: MIT */
/* textbook.c - the ten of weir.c with a pool as textbooks have it: threads, a
 * ring, a mutex and condition variables. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static void check(int right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* ----------------------------------------------------------------- the pool */

/* >> 1 */
enum { THREADS = 4, CAPACITY = 100 };

struct task {
    void (*function)(void *);
    void *item;
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full, idle;
    struct task ring[CAPACITY];
    size_t first, count, running;
    bool closed;
    pthread_t threads[THREADS];
} pool;

static void *worker(void *arg)
{
    pthread_mutex_lock(&pool.mutex);
    for (;;) {
        while (pool.count == 0 && !pool.closed)
            pthread_cond_wait(&pool.not_empty, &pool.mutex);
        if (pool.count == 0)
            break;
        struct task task = pool.ring[pool.first];

        pool.first = (pool.first + 1) % CAPACITY;
        pool.count--;
        pool.running++;
        pthread_cond_signal(&pool.not_full);
        pthread_mutex_unlock(&pool.mutex);
        task.function(task.item);
        pthread_mutex_lock(&pool.mutex);
        pool.running--;
        if (pool.running == 0 && pool.count == 0)
            pthread_cond_broadcast(&pool.idle);
    }
    pthread_mutex_unlock(&pool.mutex);
    return arg;
}
/* << */

/* >> 4 */
static void put(void (*function)(void *), void *item)
{
    pthread_mutex_lock(&pool.mutex);
    while (pool.count == CAPACITY)
        pthread_cond_wait(&pool.not_full, &pool.mutex);
    pool.ring[(pool.first + pool.count) % CAPACITY] =
        (struct task){function, item};
    pool.count++;
    pthread_cond_signal(&pool.not_empty);
    pthread_mutex_unlock(&pool.mutex);
}
/* << */

/* ------------------------------------------------------------------ the ten */

static void nothing(void *item)
{
    (void)item;
}

static void make(void)
{
    check(!pthread_mutex_init(&pool.mutex, NULL) &&
              !pthread_cond_init(&pool.not_empty, NULL) &&
              !pthread_cond_init(&pool.not_full, NULL) &&
              !pthread_cond_init(&pool.idle, NULL),
          "no mutex");
    for (int i = 0; i < THREADS; i++)
        check(!pthread_create(&pool.threads[i], NULL, worker, NULL), "thread");
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

static void wait_for_all(void)
{
    /* >> 5 */
    pthread_mutex_lock(&pool.mutex);
    while (pool.count > 0 || pool.running > 0)
        pthread_cond_wait(&pool.idle, &pool.mutex);
    pthread_mutex_unlock(&pool.mutex);
    /* << */
}

static void submit(void)
{
    struct job *job = malloc(sizeof(*job));

    check(job != NULL, "no memory");
    /* >> 2 */
    job->number = 7;
    put(work, job);
    /* << */
    wait_for_all();
    check(sum == 7, "the sum");
    for (int i = 0; i < 1000; i++)
        put(nothing, NULL);
    wait_for_all();
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

/* >> 3 */
struct answer {
    int number, square;
    bool done;
};

static void square(void *item)
{
    struct answer *answer = item;

    pthread_mutex_lock(&mutex);
    answer->square = answer->number * answer->number;
    answer->done = true;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
}
/* << */

static void result(void)
{
    struct answer answer = {.number = 7};

    /* >> 3 */
    put(square, &answer);
    pthread_mutex_lock(&mutex);
    while (!answer.done)
        pthread_cond_wait(&cond, &mutex);
    pthread_mutex_unlock(&mutex);
    /* << */
    check(answer.square == 49, "the answer");
    wait_for_all();
}

static void stop(void)
{
    /* >> 6 */
    pthread_mutex_lock(&pool.mutex);
    pool.closed = true; /* at once: and pool.count = 0 */
    pthread_cond_broadcast(&pool.not_empty);
    pthread_mutex_unlock(&pool.mutex);
    for (int i = 0; i < THREADS; i++)
        pthread_join(pool.threads[i], NULL); /* for ever, if one does */
    /* << */
}

static atomic_int stopped;

/* >> 7 */
/* What waits begins, too, and has to look. */
struct scan {
    char *text;
    atomic_bool cancelled;
};

static void scan(void *item)
{
    struct scan *scan = item;

    for (char *at = scan->text; *at; at++)
        if (scan->cancelled) {
            stopped++;
            return;
        }
}
/* << */

static void cancel(void)
{
    char text[] = "text";
    struct scan job = {.text = text};

    /* >> 7 */
    job.cancelled = true;
    /* << */
    put(scan, &job);
    wait_for_all();
    check(stopped == 1, "it stopped");
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void square_late(void *item)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    square(item);
}

static void time_limit(void)
{
    struct answer answer = {.number = 7};
    struct timespec end;
    int error = 0;

    pthread_mutex_lock(&gate);
    put(square_late, &answer);
    /* >> 8 */
    /* The one who waits gives up; the task goes on. */
    clock_gettime(CLOCK_REALTIME, &end); /* which may be set */
    end.tv_sec += 1;
    pthread_mutex_lock(&mutex);
    while (!answer.done && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&cond, &mutex, &end);
    pthread_mutex_unlock(&mutex);
    /* << */
    pthread_mutex_unlock(&gate);
    wait_for_all();
    check(error == ETIMEDOUT, "it is late");
}

/* >> 9 */
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

    put(load, &job);
    wait_for_all();
    /* >> 9 */
    if (job.error)
        fprintf(stderr, "%s\n", strerror(job.error));
    /* << */
    check(job.error == ENOENT, "the failure");
}

/* >> 10 */
static int event_fd; /* which poll sees */

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
    put(then_tell, NULL);
    check(!eventfd_read(event_fd, &count) && count == 1, "the loop");
    wait_for_all();
    close(event_fd);
}

int main(void)
{
    make();
    submit();
    result();
    cancel();
    time_limit();
    failure();
    loop();
    stop();
    puts("ten things");
    return 0;
}
