/* SPDX-License-Identifier: MIT */
/* test_process_refusals.c - what processes cannot be given. */
#include <weir.h>

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "suite.h"

static int some_int;

static void assert_refused(const char *word)
{
    weir_pool *none = NULL;

    ck_assert_int_eq(weir_pool_create(&none, &options), WEIR_EINVAL);
    ck_assert_ptr_null(none);
    assert_says(word);
    options.context = NULL;
    options.worker_start = NULL;
    options.worker_stop = NULL;
    options.interrupt_signal = 0;
    options.max_abandoned = 0;
    options.on_full = WEIR_ON_FULL_WAIT;
    options.isolation = WEIR_ISOLATE_PROCESS;
    children = (weir_process_options)WEIR_PROCESS_OPTIONS_INIT;
}

static void *start_nothing(const void *data, size_t data_size, uint32_t worker)
{
    (void)data;
    (void)data_size;
    (void)worker;
    return NULL;
}

static int greet(void *arg, uint32_t worker)
{
    (void)arg;
    (void)worker;
    return 0;
}

static void part(void *arg, uint32_t worker)
{
    (void)arg;
    (void)worker;
}

START_TEST(options_that_make_no_sense_with_processes_are_refused_by_name)
{
    options.context = &some_int;
    assert_refused("context");
    options.worker_start = greet;
    assert_refused("worker_start");
    options.worker_stop = part;
    assert_refused("worker_stop");
    options.interrupt_signal = SIGRTMIN;
    assert_refused("interrupt_signal");
    options.grace_ns = 1;
    options.max_abandoned = 1;
    assert_refused("max_abandoned");
    options.grace_ns = -1;
    assert_refused("grace_ns");
    options.grace_ns = 0;
    options.on_full = WEIR_ON_FULL_CALLER_RUNS;
    assert_refused("on_full");
    options.isolation = WEIR_ISOLATE_THREAD;
    assert_refused("process without isolation");
    children.cpu_ns = -1;
    assert_refused("process.cpu_ns");
    children.child_start = start_nothing;
    children.start_data = &some_int;
    children.start_data_size = 4097;
    assert_refused("process.start_data_size 4097");
    children.child_start = start_nothing;
    children.start_data_size = 4;
    assert_refused("process.start_data is NULL");
    children.start_data = &some_int;
    children.start_data_size = sizeof(some_int);
    assert_refused("child_start");
    children.size = 0;
    assert_refused("WEIR_PROCESS_OPTIONS_INIT");
}
END_TEST

START_TEST(what_points_to_this_process_is_refused_at_submit)
{
    struct deed deed = {act_nothing, 0, ""};
    void *items[] = {NULL, &deed};
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_group *group;
    size_t done;

    open_children();
    ck_assert_int_eq(weir_pool_submit(pool, do_deed, &deed, WEIR_NOW),
                     WEIR_EINVAL);
    assert_says("copy");
    ck_assert_int_eq(weir_pool_submit_many(pool, do_deed, items + 1, 1, &done,
                                           WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_uint_eq(done, 0);
    spec.handler = do_deed;
    spec.item = &deed;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    spec.copy = true;
    spec.context = &deed;
    ck_assert_int_eq(weir_pool_submit_task(pool, &spec, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    assert_says("child_start");
    ck_assert_int_eq(weir_group_create(&group, pool), WEIR_OK);
    ck_assert_int_eq(weir_group_submit(group, do_deed, &deed, WEIR_NOW),
                     WEIR_EINVAL);
    weir_group_destroy(group);
}
END_TEST

/* The conversion is POSIX's. */
START_TEST(code_that_was_loaded_later_is_refused)
{
    struct deed deed = {act_nothing, 0, ""};
    void *library = dlopen(LATE_LIBRARY, RTLD_NOW);
    void *symbol;
    weir_handler *late;

    ck_assert_ptr_nonnull(library);
    symbol = dlsym(library, "late_handler");
    ck_assert_ptr_nonnull(symbol);
    memcpy(&late, &symbol, sizeof(late));
    open_children();
    ck_assert_int_eq(weir_pool_submit_copy(pool, late, &deed, WEIR_NOW),
                     WEIR_EINVAL);
    assert_says("the handler was loaded after");
    memcpy(&children.child_start, &symbol, sizeof(symbol));
    end_children();
    assert_refused("process.child_start was loaded after");
    dlclose(library);
}
END_TEST

static int square(weir_task *task, void *item)
{
    (void)task;
    atomic_fetch_add(&board->count, (int)*(uint64_t *)item);
    return getpid() == getppid();
}

START_TEST(a_run_in_processes_takes_items_of_bytes_alone)
{
    weir_run_options run = WEIR_RUN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;
    weir_producer range, files;
    const weir_producer *producers[] = {&range};

    ck_assert_int_eq(weir_producer_range(&range, 1, 100), WEIR_OK);
    options.item_size = 0;
    options.grace_ns = WEIR_MS(7);
    children.child_start = NULL;
    run.producers = producers;
    run.producer_count = 1;
    run.handler = square;
    run.pool = &options;
    ck_assert_msg(weir_run(&run, &report) == WEIR_OK, "%s", weir_last_error());
    ck_assert_uint_eq(report.ledger.done, 100);
    ck_assert_int_eq(atomic_load(&board->count), 5050);

    ck_assert_int_eq(weir_producer_files(&files, "/etc"), WEIR_OK);
    producers[0] = &files;
    ck_assert_int_eq(weir_run(&run, &report), WEIR_EINVAL);
    assert_says("producers[0] yields pointers");
    files.close(files.self);
}
END_TEST

int main(void)
{
    const TTest *const refusals[] = {
        options_that_make_no_sense_with_processes_are_refused_by_name,
        what_points_to_this_process_is_refused_at_submit,
        code_that_was_loaded_later_is_refused,
        a_run_in_processes_takes_items_of_bytes_alone, NULL};
    const struct chapter chapters[] = {{"refusals", refusals, children_setup,
                                        children_teardown, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("process: refusals", chapters);
}
