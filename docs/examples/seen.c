/* SPDX-License-Identifier: MIT */
/* seen.c - what a pool did: its events in a file, and how long things took. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <weir.h>

enum { TASKS = 1000, BYTES = 4 << 20 };

static int nap(weir_task *task, void *item)
{
    weir_status slept = weir_task_sleep(task, WEIR_US((uintptr_t)item % 200));

    return slept || (uintptr_t)item % 10 == 0; /* each tenth fails */
}

/* A file that others can map too; NULL: none could be made. */
static void *map_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *memory = MAP_FAILED;

    if (fd < 0)
        return NULL;
    if (ftruncate(fd, BYTES) == 0)
        memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return memory == MAP_FAILED ? NULL : memory;
}

static int run_tasks(weir_events *events)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_histogram running = WEIR_HISTOGRAM_INIT;
    weir_pool *pool;
    int refused = 0;

    options.workers = 2;
    options.events = events;
    options.histograms = true;
    if (weir_pool_create(&pool, &options))
        return -1;
    for (uintptr_t i = 1; i <= TASKS; i++)
        refused += weir_pool_submit(pool, nap, (void *)i, WEIR_FOREVER) != 0;
    refused += weir_pool_join(pool, WEIR_FOREVER) != 0;
    refused += weir_pool_read_histogram(pool, WEIR_POOL_RUNNING, &running) != 0;
    printf("%" PRIu64 " attempts; half of them took %" PRId64 " us at most, "
           "all but one in a hundred %" PRId64 " us\n",
           running.count, weir_histogram_quantile(&running, 0.5) / 1000,
           weir_histogram_quantile(&running, 0.99) / 1000);
    weir_pool_destroy(pool);
    return refused || running.count != TASKS;
}

/* How many events of failed tasks there are, or -1 if some are lost. */
static int count_failures(const weir_events *events)
{
    weir_events_cursor cursor = WEIR_EVENTS_CURSOR_INIT;
    weir_event some[64];
    size_t count;
    int failed = 0;

    while ((count = weir_events_read(events, &cursor, some, 64)) > 0)
        for (size_t i = 0; i < count; i++)
            failed += some[i].kind == WEIR_EVENT_SETTLE &&
                      some[i].value == WEIR_OUTCOME_FAILED;
    printf("%" PRIu64 " events, %" PRIu64 " lost; %d tasks failed\n",
           cursor.read, cursor.lost, failed);
    return cursor.lost > 0 ? -1 : failed;
}

int main(int argc, char **argv)
{
    weir_events_options options = WEIR_EVENTS_OPTIONS_INIT;
    weir_events *events;
    int wrong;

    if (argc > 1) {
        options.memory = map_file(argv[1]);
        options.memory_bytes = options.memory ? BYTES : 1;
    }
    if (weir_events_create(&events, &options)) {
        fprintf(stderr, "%s: %s\n", argv[0], weir_last_error());
        return 1;
    }
    wrong = run_tasks(events);
    wrong = count_failures(events) != TASKS / 10 || wrong;
    weir_events_destroy(events);
    return wrong;
}
