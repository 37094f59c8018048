/* SPDX-License-Identifier: MIT */
/* test_memory.c - an allocator of one's own.  Each test is a process. */
#include <weir.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "counted.h"
#include "suite.h"

enum { PLENTY = 1000000 };

static struct counted counted = {.allows = PLENTY};

static weir_allocator account_of(struct counted *whose)
{
    weir_allocator allocator = WEIR_ALLOCATOR_INIT;

    allocator.allocate = counted_allocate;
    allocator.release = counted_release;
    allocator.arg = whose;
    return allocator;
}

static void use_counted(void)
{
    weir_allocator allocator = account_of(&counted);

    ck_assert_int_eq(weir_set_allocator(&allocator), WEIR_OK);
}

static void assert_says(const char *word)
{
    if (!strstr(weir_last_error(), word))
        ck_abort_msg("\"%s\" does not say %s", weir_last_error(), word);
}

static int do_nothing(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    return 0;
}

/* ------------------------------------------------------- all goes through it
 */

static void use_a_pool(weir_events *events)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future;
    weir_group *group;
    weir_pool *pool;

    options.workers = 2;
    options.histograms = true;
    options.events = events;
    ck_assert_int_eq(weir_pool_create(&pool, &options), WEIR_OK);
    spec.handler = do_nothing;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, &future, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_future_wait(future, NULL, WEIR_FOREVER), WEIR_OK);
    weir_future_release(future);
    ck_assert_int_eq(weir_group_create(&group, pool), WEIR_OK);
    ck_assert_int_eq(weir_group_submit(group, do_nothing, NULL, WEIR_FOREVER),
                     WEIR_OK);
    ck_assert_int_eq(weir_group_join(group, WEIR_FOREVER), WEIR_OK);
    weir_group_destroy(group);
    ck_assert_int_eq(weir_pool_resize(pool, 3), WEIR_OK);
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER),
                     WEIR_OK);
    weir_pool_destroy(pool);
}

static void use_a_queue(void)
{
    weir_queue *queue;
    int item = 1;

    ck_assert_int_eq(weir_queue_create(&queue, sizeof(item), NULL), WEIR_OK);
    ck_assert_int_eq(weir_queue_put(queue, &item, WEIR_NOW), WEIR_OK);
    ck_assert_int_eq(weir_queue_poison(queue, 2), WEIR_OK);
    ck_assert_int_eq(weir_queue_get(queue, &item, WEIR_NOW), WEIR_OK);
    weir_queue_destroy(queue);
}

static void run_files_of(const char *root)
{
    weir_run_options how = WEIR_RUN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;
    weir_producer files = WEIR_PRODUCER_INIT;
    const weir_producer *producers[] = {&files};

    ck_assert_int_eq(weir_producer_files(&files, root), WEIR_OK);
    how.producers = producers;
    how.producer_count = 1;
    how.handler = do_nothing;
    ck_assert_int_eq(weir_run(&how, &report), WEIR_OK);
    ck_assert_uint_gt(report.ledger.done, 0);
}

static void use_limits(void)
{
    weir_semaphore *semaphore;
    weir_adaptive *adaptive;
    weir_breaker *breaker;
    weir_rate *rate;

    ck_assert_int_eq(weir_semaphore_create(&semaphore, 1), WEIR_OK);
    ck_assert_int_eq(weir_rate_create(&rate, 1, 1), WEIR_OK);
    ck_assert_int_eq(weir_breaker_create(&breaker, NULL), WEIR_OK);
    ck_assert_int_eq(weir_adaptive_create(&adaptive, NULL), WEIR_OK);
    weir_adaptive_destroy(adaptive);
    weir_breaker_destroy(breaker);
    weir_rate_destroy(rate);
    weir_semaphore_destroy(semaphore);
}

/* All of it is in rubbish: what has to be zero is zeroed by the library. */
START_TEST(what_is_taken_is_given_back)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    weir_events *events;
    size_t before;

    use_counted();
    ck_assert_int_eq(weir_events_create(&events, NULL), WEIR_OK);
    use_a_pool(events);
    ck_assert_int_eq(weir_trace_write(events, fd), WEIR_OK);
    ck_assert_int_eq(weir_picture_write(events, fd), WEIR_OK);
    ck_assert_uint_gt(counted.taken, 20);
    weir_events_destroy(events);
    ck_assert_uint_eq(counted.live, 0);

    before = counted.taken;
    use_a_queue();
    ck_assert_uint_gt(counted.taken, before + 1);
    before = counted.taken;
    use_limits();
    ck_assert_uint_ge(counted.taken, before + 4);
    before = counted.taken;
    run_files_of(".");
    ck_assert_uint_gt(counted.taken, before + 10);
    ck_assert_uint_eq(counted.live, 0);
    close(fd);
}
END_TEST

START_TEST(if_it_has_none_the_call_says_so_and_gives_back_the_rest)
{
    weir_status status = WEIR_ENOMEM;
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_pool *pool = NULL;
    int refused = -1;

    options.workers = 2;
    use_counted();
    for (size_t allows = 0; status == WEIR_ENOMEM; allows++, refused++) {
        counted.allows = allows;
        status = weir_pool_create(&pool, &options);
        if (status)
            ck_assert_uint_eq(counted.live, 0);
    }
    ck_assert_int_eq(status, WEIR_OK);
    ck_assert_int_ge(refused, 4);
    counted.allows = PLENTY;
    weir_pool_destroy(pool);
    ck_assert_uint_eq(counted.live, 0);
}
END_TEST

START_TEST(the_child_of_a_fork_uses_it_too)
{
    pid_t child;
    int status;

    use_counted();
    use_a_queue();
    child = fork();
    if (child == 0) {
        size_t before = counted.taken;

        use_a_queue();
        _exit(counted.taken > before && counted.live == 0 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* ----------------------------------------------------------------- refusals */

START_TEST(it_comes_before_anything_is_made)
{
    weir_allocator allocator = account_of(&counted);
    weir_queue *queue;

    ck_assert_int_eq(weir_queue_create(&queue, 4, NULL), WEIR_OK);
    ck_assert_int_eq(weir_set_allocator(&allocator), WEIR_EINVAL);
    assert_says("too late");
    weir_queue_destroy(queue);
    ck_assert_int_eq(weir_set_allocator(NULL), WEIR_EINVAL);
    ck_assert_uint_eq(counted.taken, 0);
}
END_TEST

/* Their server has a copy of what there was. */
START_TEST(it_comes_before_processes_are_started)
{
    weir_allocator allocator = account_of(&counted);

    ck_assert_int_eq(weir_process_start(), WEIR_OK);
    ck_assert_int_eq(weir_set_allocator(&allocator), WEIR_EINVAL);
    assert_says("too late");
}
END_TEST

START_TEST(until_then_the_last_one_counts)
{
    struct counted other = {.allows = PLENTY};
    weir_allocator allocator = account_of(&other);

    ck_assert_int_eq(weir_set_allocator(&allocator), WEIR_OK);
    use_counted();
    use_a_queue();
    ck_assert_uint_eq(other.taken, 0);
    ck_assert_uint_gt(counted.taken, 0);
}
END_TEST

START_TEST(null_is_malloc_again)
{
    use_counted();
    ck_assert_int_eq(weir_set_allocator(NULL), WEIR_OK);
    use_a_queue();
    ck_assert_uint_eq(counted.taken, 0);
}
END_TEST

START_TEST(half_an_allocator_is_refused)
{
    weir_allocator allocator = account_of(&counted);

    allocator.release = NULL;
    ck_assert_int_eq(weir_set_allocator(&allocator), WEIR_EINVAL);
    assert_says("release");
    allocator = account_of(&counted);
    allocator.allocate = NULL;
    ck_assert_int_eq(weir_set_allocator(&allocator), WEIR_EINVAL);
    assert_says("allocate");
    memset(&allocator, 0, sizeof(allocator));
    ck_assert_int_eq(weir_set_allocator(&allocator), WEIR_EINVAL);
    assert_says("WEIR_ALLOCATOR_INIT");
    use_a_queue();
    ck_assert_uint_eq(counted.taken, 0);
}
END_TEST

/* ---------------------------------------------------------- how much there is
 */

START_TEST(it_is_not_asked_for_more_than_there_can_be)
{
    use_counted();
    ck_assert_ptr_null(weir__allocate_many(SIZE_MAX / 2 + 1, 2));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_uint_eq(counted.taken, 0);
}
END_TEST

static void *note_bytes(void *arg, size_t bytes)
{
    *(size_t *)arg = bytes;
    return counted_allocate(&counted, bytes);
}

static void release_noted(void *arg, void *memory)
{
    (void)arg;
    counted_release(&counted, memory);
}

/* An allocator may have NULL for nothing, which would look like a failure. */
START_TEST(it_is_not_asked_for_nothing)
{
    size_t asked = 99;
    weir_allocator allocator = account_of(NULL);
    void *memory;

    allocator.allocate = note_bytes;
    allocator.release = release_noted;
    allocator.arg = &asked;
    ck_assert_int_eq(weir_set_allocator(&allocator), WEIR_OK);
    memory = weir__allocate(0);
    ck_assert_ptr_nonnull(memory);
    ck_assert_uint_eq(asked, 1);
    weir__release(memory);
    ck_assert_uint_eq(counted.live, 0);
}
END_TEST

int main(void)
{
    const TTest *const use[] = {
        what_is_taken_is_given_back,
        if_it_has_none_the_call_says_so_and_gives_back_the_rest,
        the_child_of_a_fork_uses_it_too, NULL};
    const TTest *const refusals[] = {it_comes_before_anything_is_made,
                                     it_comes_before_processes_are_started,
                                     until_then_the_last_one_counts,
                                     null_is_malloc_again,
                                     half_an_allocator_is_refused,
                                     NULL};
    const TTest *const sizes[] = {it_is_not_asked_for_more_than_there_can_be,
                                  it_is_not_asked_for_nothing, NULL};
    const struct chapter chapters[] = {{"use", use, NULL, NULL, 0, 0},
                                       {"sizes", sizes, NULL, NULL, 0, 0},
                                       {"refusals", refusals, NULL, NULL, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("memory", chapters);
}
