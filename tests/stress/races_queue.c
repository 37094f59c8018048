/* SPDX-License-Identifier: MIT */
/*
 * races_queue.c - a little of everything a queue does, for race detectors.
 *
 * What the queue orders is used without any other order: parcels are written
 * before their put and read after their get, results before task_done and after
 * join, figures by on_pressure alone.  So a detector sees it if the queue does
 * not order them.  Threads yield where others might come between.  Without
 * Check: valgrind would follow its forks.
 */
#include <weir/queue.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { PUTTERS = 2, GETTERS = 2, EACH = 150, BATCH = 5 };

/* What the items point to: 1, 2, ... of all putters' numbers. */
struct parcel {
    uint64_t number;
};

/* One queue with its threads. */
struct scene {
    const char *name;
    size_t capacity;
    weir_on_full on_full;
    void (*end)(weir_queue *queue); /* once all is put; before that: abort */
    weir_queue *queue;
    uint64_t total[GETTERS]; /* of numbers got; not atomic, see above */
    uint64_t pressure_calls; /* twice; not atomic: one thread at a time */
};

/* One thread's part. */
struct part {
    pthread_t thread;
    struct scene *scene;
    uint64_t index;
};

static pthread_mutex_t discard_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t discarded; /* with `discard_mutex`: total of numbers */

static void must(bool so, const char *what, const struct scene *scene)
{
    if (so)
        return;
    fprintf(stderr, "races_queue: %s: %s\n", scene->name, what);
    exit(EXIT_FAILURE);
}

static uint64_t open_parcel(struct parcel *parcel)
{
    uint64_t number = parcel->number;

    free(parcel);
    return number;
}

static void on_discard(void *arg, void *item, weir_discard_reason reason)
{
    uint64_t number = open_parcel(*(struct parcel **)item);

    (void)arg;
    (void)reason;
    pthread_mutex_lock(&discard_mutex);
    discarded += number;
    pthread_mutex_unlock(&discard_mutex);
}

static void on_pressure(void *arg, bool high)
{
    struct scene *scene = arg;

    (void)high;
    scene->pressure_calls++;
    sched_yield();
    scene->pressure_calls++;
}

static struct parcel *new_parcel(const struct part *part, uint64_t n)
{
    struct parcel *parcel = malloc(sizeof(*parcel));

    must(parcel != NULL, "no memory", part->scene);
    parcel->number = part->index * EACH + n + 1;
    return parcel;
}

/* Puts them all; what is refused is as if discarded. */
static void *put_all(void *arg)
{
    const struct part *part = arg;
    weir_queue *queue = part->scene->queue;

    for (uint64_t n = 0; n < EACH;) {
        struct parcel *parcels[BATCH];
        size_t count = n % 2 ? BATCH : 1, done;

        if (count > EACH - n)
            count = (size_t)(EACH - n);
        for (size_t i = 0; i < count; i++)
            parcels[i] = new_parcel(part, n + i);
        (void)!weir_queue_put_many(queue, parcels, count, &done, WEIR_FOREVER);
        for (; done < count; done++)
            on_discard(NULL, &parcels[done], WEIR_DISCARD_ABORT);
        n += count;
    }
    return NULL;
}

static void *get_all(void *arg)
{
    const struct part *part = arg;
    struct scene *scene = part->scene;
    weir_status status;

    for (uint64_t turn = 0;; turn++) {
        weir_deadline limit =
            turn % 3 ? WEIR_FOREVER : weir_deadline_after(WEIR_MS(1));
        struct parcel *parcels[BATCH];
        size_t done = 0;

        status = weir_queue_get_many(scene->queue, parcels,
                                     turn % 2 ? BATCH : 1, &done, limit);
        if (status == WEIR_CLOSED || status == WEIR_POISONED)
            return NULL;
        sched_yield();
        for (size_t i = 0; i < done; i++)
            scene->total[part->index] += open_parcel(parcels[i]);
        if (done > 0)
            must(weir_queue_task_done(scene->queue, done) == WEIR_OK,
                 "task_done", scene);
    }
}

static void start(struct part *parts, size_t count, struct scene *scene,
                  void *(*run)(void *arg))
{
    for (size_t i = 0; i < count; i++) {
        parts[i].scene = scene;
        parts[i].index = i;
        must(pthread_create(&parts[i].thread, NULL, run, &parts[i]) == 0,
             "no thread", scene);
    }
}

static void join(const struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_join(parts[i].thread, NULL);
}

/* After the queue's join alone, while its threads still live. */
static uint64_t total_of(const struct scene *scene)
{
    uint64_t total = 0;

    for (size_t i = 0; i < GETTERS; i++)
        total += scene->total[i];
    pthread_mutex_lock(&discard_mutex);
    total += discarded;
    pthread_mutex_unlock(&discard_mutex);
    return total;
}

static void play(struct scene *scene)
{
    const uint64_t numbers = PUTTERS * EACH;
    weir_queue_options options = WEIR_QUEUE_OPTIONS_INIT;
    struct part putters[PUTTERS], getters[GETTERS];

    discarded = 0;
    options.capacity = scene->capacity;
    options.on_full = scene->on_full;
    options.on_discard = on_discard;
    options.on_pressure = on_pressure;
    options.on_pressure_arg = scene;
    must(weir_queue_create(&scene->queue, sizeof(struct parcel *), &options) ==
             WEIR_OK,
         "create", scene);
    start(getters, GETTERS, scene, get_all);
    start(putters, PUTTERS, scene, put_all);
    if (!scene->end)
        weir_queue_abort(scene->queue);
    join(putters, PUTTERS);
    must(weir_queue_join(scene->queue, WEIR_FOREVER) == WEIR_OK, "join", scene);
    must(total_of(scene) == numbers * (numbers + 1) / 2, "total", scene);
    if (scene->end)
        scene->end(scene->queue);
    join(getters, GETTERS);
    must(scene->pressure_calls % 4 == 0, "pressure", scene);
    weir_queue_destroy(scene->queue);
}

static void poison_each(weir_queue *queue)
{
    (void)!weir_queue_poison(queue, GETTERS);
}

static void poison_every(weir_queue *queue)
{
    (void)!weir_queue_poison(queue, WEIR_EVERY_CONSUMER);
}

/* Not on a stack: DRD does not look there. */
static struct scene scenes[] = {
    {.name = "one place", .capacity = 1, .end = weir_queue_close},
    {.name = "seven places", .capacity = 7, .end = poison_each},
    {.name = "dropping",
     .capacity = 3,
     .on_full = WEIR_ON_FULL_DROP_OLDEST,
     .end = poison_every},
    {.name = "refusing",
     .capacity = 3,
     .on_full = WEIR_ON_FULL_REFUSE,
     .end = weir_queue_close},
    {.name = "aborted", .capacity = 3}};

int main(void)
{
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
        play(&scenes[i]);
    return EXIT_SUCCESS;
}
