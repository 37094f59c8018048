/* SPDX-License-Identifier: MIT */
/* test_pool_polled.c - the pool's descriptor, as event loops see it. */
#include <weir/pool.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "pools.h"
#include "suite.h"

static bool is_readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    int found = poll(&polled, 1, 0);

    ck_assert_int_ge(found, 0);
    ck_assert(found == 0 || polled.revents == POLLIN);
    return found > 0;
}

static void await_readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    ck_assert_int_eq(poll(&polled, 1, 10000 * test_slowness()), 1);
}

static int watch_edges(int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    ck_assert_int_ge(epoll, 0);
    ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
    return epoll;
}

static void await_edge(int epoll)
{
    struct epoll_event event;

    ck_assert_int_eq(epoll_wait(epoll, &event, 1, 10000 * test_slowness()), 1);
}

static int pool_fd(void)
{
    int fd = weir_pool_fd(pool);

    ck_assert_int_ge(fd, 3);
    return fd;
}

/* No callbacks: tasks pass without a lock. */
static void open_plain(uint32_t workers, size_t capacity)
{
    options.on_settled = NULL;
    options.on_release = NULL;
    options.queue_capacity = capacity;
    open_pool_of(workers);
}

static atomic_int plain_ran;

static int count_me(weir_task *task, void *item)
{
    (void)task;
    (void)item;
    atomic_fetch_add(&plain_ran, 1);
    return 0;
}

static int wait_at_gate(weir_task *task, void *item)
{
    (void)task;
    gate_wait(item);
    return 0;
}

static void must_submit_plain(weir_handler *handler, void *item)
{
    ck_assert_int_eq(weir_pool_submit(pool, handler, item, WEIR_FOREVER),
                     WEIR_OK);
}

/* ---------------------------------------------------------------- settled */

START_TEST(nothing_has_settled_at_first)
{
    open_pool();
    ck_assert(!is_readable(pool_fd()));
    ck_assert_uint_eq(weir_pool_settled(pool), 0);
}
END_TEST

/* _i: plain, or with callbacks. */
START_TEST(it_is_readable_until_somebody_looks)
{
    int fd;

    if (_i)
        open_plain(1, 4);
    else
        open_pool();
    fd = pool_fd();
    for (uint64_t round = 1; round <= 3; round++) {
        if (_i)
            must_submit_plain(count_me, NULL);
        else
            finish_job(start_new(act_wait));
        await_readable(fd);
        ck_assert(is_readable(fd));
        ck_assert_uint_eq(weir_pool_settled(pool), round);
        ck_assert(!is_readable(fd));
    }
}
END_TEST

START_TEST(what_had_settled_before_is_told_of)
{
    open_plain(1, 4);
    must_submit_plain(count_me, NULL);
    settle_all();
    ck_assert_uint_eq(weir_pool_settled(pool), 1);
    ck_assert(is_readable(pool_fd()));
    ck_assert_uint_eq(weir_pool_settled(pool), 1);
    ck_assert(!is_readable(pool_fd()));
}
END_TEST

/* The end of a plain task is told though others wait, and run. */
START_TEST(it_does_not_wait_for_the_last)
{
    struct gate gate = GATE_INIT;
    int fd;

    open_plain(1, 4);
    fd = pool_fd();
    must_submit_plain(count_me, NULL);
    must_submit_plain(wait_at_gate, &gate);
    await_readable(fd);
    ck_assert_uint_eq(weir_pool_settled(pool), 1);
    ck_assert(!is_readable(fd));
    gate_open(&gate);
    await_readable(fd);
    ck_assert_uint_eq(weir_pool_settled(pool), 2);
}
END_TEST

START_TEST(a_deadline_is_told_of)
{
    struct job *job;
    int fd;

    options.timeout_ns = WEIR_MS(10);
    open_pool();
    fd = pool_fd();
    job = start_new(act_wait);
    advance_to(job->started_ns + WEIR_MS(10));
    await_readable(fd);
    ck_assert_uint_eq(weir_pool_settled(pool), 1);
    assert_outcome(job, WEIR_OUTCOME_TIMED_OUT);
    finish_job(job); /* its end settles nothing any more */
    ck_assert_uint_eq(weir_pool_settled(pool), 1);
}
END_TEST

START_TEST(a_cancel_is_told_of)
{
    struct job *running, *waiting;
    weir_future *future;
    int fd;

    open_pool();
    fd = pool_fd();
    running = start_new(act_wait);
    waiting = new_job(act_answer);
    future = submit_for(waiting);
    ck_assert_int_eq(weir_future_cancel(future), WEIR_OK);
    ck_assert(is_readable(fd));
    ck_assert_uint_eq(weir_pool_settled(pool), 1);
    weir_future_release(future);
    finish_job(running);
}
END_TEST

START_TEST(a_join_is_as_ever)
{
    struct call join = {0};
    struct job *job;
    int fd;

    open_pool();
    fd = pool_fd();
    job = start_new(act_wait);
    block_call(&join, act_join);
    finish_job(job);
    helper_join(&join.helper);
    ck_assert_int_eq(join.status, WEIR_OK);
    ck_assert(is_readable(fd));
    ck_assert_uint_eq(weir_pool_settled(pool), 1);
    ck_assert(!is_readable(fd));
}
END_TEST

/* ------------------------------------------------------------------- loops */

enum { TASKS = 20000 };

static void submit_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < TASKS; i++)
        must_submit_plain(count_me, NULL);
}

/* _i: by level, or by edges. */
START_TEST(a_loop_misses_nothing)
{
    struct helper submitter;
    uint64_t settled, before = 0;
    int fd, epoll;

    open_plain(2, 8);
    fd = pool_fd();
    epoll = watch_edges(fd);
    helper_start(&submitter, submit_all, NULL);
    do {
        if (_i)
            await_edge(epoll);
        else
            await_readable(fd);
        settled = weir_pool_settled(pool);
        ck_assert_uint_ge(settled, before);
        before = settled;
    } while (settled < TASKS);
    helper_join(&submitter);
    ck_assert_int_eq(atomic_load(&plain_ran), TASKS);
    close(epoll);
}
END_TEST

/* ------------------------------------------------------------- descriptors */

START_TEST(it_is_the_same_each_time_and_closed_at_destroy)
{
    int fd;

    open_pool();
    fd = pool_fd();
    ck_assert_int_eq(pool_fd(), fd);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    end_pool();
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

START_TEST(without_a_descriptor_it_says_so_and_goes_on)
{
    open_pool();
    weir__fault_arm(1);
    errno = 0;
    ck_assert_int_eq(weir_pool_fd(pool), -1);
    ck_assert_int_eq(errno, EMFILE);
    weir__fault_arm(0);
    finish_job(start_new(act_wait));
    ck_assert(is_readable(pool_fd()));
}
END_TEST

START_TEST(null_has_none)
{
    errno = 0;
    ck_assert_int_eq(weir_pool_fd(NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_uint_eq(weir_pool_settled(NULL), 0);
    assert_error_names("pool");
}
END_TEST

START_TEST(a_fork_child_has_none)
{
    int status;
    pid_t child;

    open_pool();
    finish_job(start_new(act_wait));
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        bool right = weir_pool_fd(pool) == -1 && errno == EPERM &&
                     strstr(weir_last_error(), "fork") &&
                     weir_pool_settled(pool) == 0;

        _exit(right ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(weir_pool_settled(pool), 1);
}
END_TEST

int main(void)
{
    const TTest *const settled[] = {
        nothing_has_settled_at_first,
        what_had_settled_before_is_told_of,
        it_does_not_wait_for_the_last,
        a_deadline_is_told_of,
        a_cancel_is_told_of,
        a_join_is_as_ever,
        NULL,
    };
    const TTest *const looks[] = {it_is_readable_until_somebody_looks,
                                  a_loop_misses_nothing, NULL};
    const TTest *const descriptors[] = {
        it_is_the_same_each_time_and_closed_at_destroy,
        without_a_descriptor_it_says_so_and_goes_on,
        null_has_none,
        a_fork_child_has_none,
        NULL,
    };
    const struct chapter chapters[] = {
        {"settled", settled, pool_setup, pool_teardown, 0, 0},
        {"looks", looks, pool_setup, pool_teardown, 2, 0},
        {"descriptors", descriptors, pool_setup, pool_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0},
    };

    return report("pool_polled", chapters);
}
