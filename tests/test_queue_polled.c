/* SPDX-License-Identifier: MIT */
/* test_queue_polled.c - the queue's descriptors, as event loops see them. */
#include <weir/queue.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "queues.h"
#include "suite.h"

/* --------------------------------------------------------------- looking */

static bool is_readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    int found = poll(&polled, 1, 0);

    ck_assert_int_ge(found, 0);
    ck_assert(found == 0 || polled.revents == POLLIN);
    return found > 0;
}

/* An epoll that is told of edges of `fd`. */
static int watch_edges(int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    ck_assert_int_ge(epoll, 0);
    ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
    return epoll;
}

static bool has_edge(int epoll)
{
    struct epoll_event event;
    int found = epoll_wait(epoll, &event, 1, 0);

    ck_assert_int_ge(found, 0);
    return found > 0;
}

/* For loops on threads of their own: hangs are detected. */
static void await_readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    ck_assert_int_eq(poll(&polled, 1, 10000 * test_slowness()), 1);
}

static void await_edge(int epoll)
{
    struct epoll_event event;

    ck_assert_int_eq(epoll_wait(epoll, &event, 1, 10000 * test_slowness()), 1);
}

static int item_fd(void)
{
    int fd = weir_queue_item_fd(queue);

    ck_assert_int_ge(fd, 3);
    return fd;
}

static int room_fd(void)
{
    int fd = weir_queue_room_fd(queue);

    ck_assert_int_ge(fd, 3);
    return fd;
}

static void open_refusing(size_t capacity, weir_on_full on_full)
{
    weir_queue_options options = noting_options(capacity);

    options.on_full = on_full;
    open_queue_as(sizeof(int), &options);
}

/* ----------------------------------------------------------------- items */

START_TEST(an_empty_queue_is_not_readable)
{
    open_queue(2);
    ck_assert(!is_readable(item_fd()));
}
END_TEST

START_TEST(what_was_put_before_is_readable)
{
    open_queue(2);
    must_put(1);
    ck_assert(is_readable(item_fd()));
    must_get();
}
END_TEST

START_TEST(a_put_is_told_of)
{
    int fd;

    open_queue(2);
    fd = item_fd();
    must_put(1);
    ck_assert(is_readable(fd));
    must_get();
}
END_TEST

START_TEST(it_is_readable_until_a_get_finds_nothing)
{
    int fd;

    open_queue(2);
    fd = item_fd();
    must_put_row(1, 2);
    must_get_row(1, 1);
    ck_assert(is_readable(fd));
    must_get_row(2, 1);
    ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
    ck_assert(!is_readable(fd));
    must_put(3);
    ck_assert(is_readable(fd));
    must_get();
}
END_TEST

START_TEST(so_it_is_for_batches)
{
    int items[4], fd;
    size_t done;

    open_queue(4);
    fd = item_fd();
    must_put_row(1, 3);
    ck_assert_int_eq(weir_queue_get_many(queue, items, 4, &done, WEIR_NOW),
                     WEIR_OK);
    ck_assert_uint_eq(done, 3);
    ck_assert_int_eq(weir_queue_get_many(queue, items, 4, &done, WEIR_NOW),
                     WEIR_TIMED_OUT);
    ck_assert(!is_readable(fd));
    must_put(1);
    ck_assert(is_readable(fd));
    must_get();
}
END_TEST

START_TEST(each_time_there_is_something_again_is_an_edge)
{
    int epoll;

    open_queue(2);
    epoll = watch_edges(item_fd());
    for (int i = 0; i < 10; i++) {
        ck_assert(!has_edge(epoll));
        must_put(i);
        ck_assert(has_edge(epoll));
        must_get_row(i, 1);
        ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
    }
    close(epoll);
}
END_TEST

START_TEST(a_burst_is_one_edge)
{
    int epoll;

    open_queue(8);
    epoll = watch_edges(item_fd());
    must_put_row(0, 4);
    ck_assert(has_edge(epoll));
    must_put_row(4, 4);
    ck_assert(!has_edge(epoll));
    must_get_row(0, 8);
    close(epoll);
}
END_TEST

START_TEST(a_pill_is_told_of)
{
    int fd;

    open_queue(2);
    fd = item_fd();
    must_poison(1);
    ck_assert(is_readable(fd));
    ck_assert_int_eq(get_now(), WEIR_POISONED);
    ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
    ck_assert(!is_readable(fd));
}
END_TEST

/* _i: how it ends. */
START_TEST(the_end_stays_readable)
{
    int items, room;

    open_queue(1);
    must_put(1);
    items = item_fd();
    room = room_fd();
    ck_assert(!is_readable(room));
    if (_i == 0)
        weir_queue_close(queue);
    else if (_i == 1)
        weir_queue_abort(queue);
    else
        must_poison(WEIR_EVERY_CONSUMER);
    ck_assert(is_readable(room));
    for (int i = 0; i < 3; i++) {
        (void)get_now();
        ck_assert_int_eq(put_now(2), WEIR_CLOSED);
        ck_assert(is_readable(items));
        ck_assert(is_readable(room));
    }
}
END_TEST

/* A thread that waits and one that polls are both told. */
START_TEST(a_thread_that_waits_is_woken_as_ever)
{
    struct call get = {0};
    int fd;

    open_queue(2);
    fd = item_fd();
    block_get(&get);
    must_put(1);
    ck_assert_int_eq(end_call(&get), WEIR_OK);
    ck_assert(is_readable(fd)); /* in vain */
    ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
    ck_assert(!is_readable(fd));
}
END_TEST

START_TEST(a_get_that_gives_up_hushes_it_too)
{
    struct call get = {0};
    int fd;

    open_queue(2);
    fd = item_fd();
    must_put(1);
    must_get_row(1, 1);
    ck_assert(is_readable(fd));
    block_get(&get);
    test_clock_advance(weir_deadline_remaining(get.deadline));
    ck_assert_int_eq(end_call(&get), WEIR_TIMED_OUT);
    ck_assert(!is_readable(fd));
    must_put(2);
    ck_assert(is_readable(fd));
    must_get_row(2, 1);
}
END_TEST

/* ------------------------------------------------------------------ room */

START_TEST(room_is_readable)
{
    open_queue(1);
    ck_assert(is_readable(room_fd()));
}
END_TEST

/* _i: wait, refuse. */
START_TEST(it_is_readable_until_a_put_finds_no_room)
{
    int fd, epoll;

    open_refusing(1, _i ? WEIR_ON_FULL_REFUSE : WEIR_ON_FULL_WAIT);
    fd = room_fd();
    epoll = watch_edges(fd);
    ck_assert(has_edge(epoll));
    for (int i = 0; i < 5; i++) {
        must_put(1);
        ck_assert(is_readable(fd)); /* nobody has looked */
        ck_assert_int_eq(put_now(2), _i ? WEIR_FULL : WEIR_TIMED_OUT);
        ck_assert(!is_readable(fd));
        ck_assert(!has_edge(epoll));
        must_get_row(1, 1);
        ck_assert(is_readable(fd));
        ck_assert(has_edge(epoll));
    }
    close(epoll);
}
END_TEST

START_TEST(a_batch_that_does_not_fit_hushes_it)
{
    const int items[3] = {1, 2, 3};
    size_t done;
    int fd;

    open_queue(2);
    fd = room_fd();
    ck_assert_int_eq(weir_queue_put_many(queue, items, 3, &done, WEIR_NOW),
                     WEIR_TIMED_OUT);
    ck_assert_uint_eq(done, 2);
    ck_assert(!is_readable(fd));
    must_get_row(1, 1);
    ck_assert(is_readable(fd));
    must_get_row(2, 1);
}
END_TEST

START_TEST(who_drops_always_has_room)
{
    int fd;

    open_refusing(1, WEIR_ON_FULL_DROP_OLDEST);
    fd = room_fd();
    for (int i = 0; i < 3; i++) {
        must_put(i);
        ck_assert(is_readable(fd));
    }
    must_get();
}
END_TEST

START_TEST(a_drop_tells_of_the_item_that_came)
{
    int fd;

    open_refusing(1, WEIR_ON_FULL_DROP_OLDEST);
    fd = item_fd();
    must_put(1);
    must_put(2);
    ck_assert(is_readable(fd));
    must_get_row(2, 1);
    ck_assert_int_eq(get_now(), WEIR_TIMED_OUT);
    ck_assert(!is_readable(fd));
}
END_TEST

/* ------------------------------------------------------------- both, racing */

enum { ITEMS = 20000, POLLERS = 2 };

/* Puts all, polling for room by edges. */
static void put_by_edges(void *arg)
{
    int epoll = watch_edges(room_fd());

    (void)arg;
    for (int i = 0; i < ITEMS; i++)
        while (put_now(i) == WEIR_TIMED_OUT)
            await_edge(epoll);
    close(epoll);
}

struct poller {
    struct helper helper;
    bool edges;
    uint64_t got, sum;
};

/* Gets until the end, polling as it is told. */
static void get_by_polling(void *arg)
{
    struct poller *poller = arg;
    int fd = item_fd(), epoll = watch_edges(fd), item;
    weir_status status;

    do {
        status = weir_queue_get(queue, &item, WEIR_NOW);
        if (status == WEIR_OK) {
            poller->got++;
            poller->sum += (uint64_t)item;
        } else if (status == WEIR_TIMED_OUT && poller->edges) {
            await_edge(epoll);
        } else if (status == WEIR_TIMED_OUT) {
            await_readable(fd);
        }
    } while (status != WEIR_CLOSED);
    close(epoll);
}

/* _i: how many poll by edges. */
START_TEST(loops_at_both_ends_miss_nothing)
{
    struct poller pollers[POLLERS] = {{.got = 0}};
    uint64_t got = 0, sum = 0;
    struct helper putter;

    open_queue(3);
    for (int i = 0; i < POLLERS; i++) {
        pollers[i].edges = i < _i;
        helper_start(&pollers[i].helper, get_by_polling, &pollers[i]);
    }
    helper_start(&putter, put_by_edges, NULL);
    helper_join(&putter);
    weir_queue_close(queue);
    for (int i = 0; i < POLLERS; i++) {
        helper_join(&pollers[i].helper);
        got += pollers[i].got;
        sum += pollers[i].sum;
    }
    ck_assert_uint_eq(got, ITEMS);
    ck_assert_uint_eq(sum, (uint64_t)ITEMS * (ITEMS - 1) / 2);
}
END_TEST

/* ------------------------------------------------------------ descriptors */

START_TEST(it_is_the_same_each_time_and_not_inherited)
{
    int fds[2];

    open_queue(1);
    fds[0] = item_fd();
    fds[1] = room_fd();
    ck_assert_int_ne(fds[0], fds[1]);
    ck_assert_int_eq(item_fd(), fds[0]);
    ck_assert_int_eq(room_fd(), fds[1]);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        ck_assert(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
    }
    end_queue();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(fcntl(fds[i], F_GETFD), -1);
        ck_assert_int_eq(errno, EBADF);
    }
}
END_TEST

START_TEST(without_descriptors_it_says_so_and_goes_on)
{
    open_queue(1);
    for (int i = 0; i < 2; i++) {
        int (*make)(weir_queue *) = i ? weir_queue_room_fd : weir_queue_item_fd;

        weir__fault_arm(1);
        errno = 0;
        ck_assert_int_eq(make(queue), -1);
        ck_assert_int_eq(errno, EMFILE);
        weir__fault_arm(0);
        ck_assert_int_ge(make(queue), 3);
    }
    must_put(1);
    must_get_row(1, 1);
}
END_TEST

START_TEST(null_has_none)
{
    errno = 0;
    ck_assert_int_eq(weir_queue_item_fd(NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    assert_error_names("queue");
    errno = 0;
    ck_assert_int_eq(weir_queue_room_fd(NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(a_fork_child_has_none)
{
    int status, fd;
    pid_t child;

    open_queue(1);
    fd = item_fd();
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        bool right = weir_queue_item_fd(queue) == -1 && errno == EPERM &&
                     strstr(weir_last_error(), "fork") &&
                     weir_queue_room_fd(queue) == -1 && errno == EPERM;

        weir_queue_destroy(queue);
        _exit(right ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(!is_readable(fd));
    must_put(1);
    ck_assert(is_readable(fd));
    must_get();
}
END_TEST

int main(void)
{
    const TTest *const items[] = {
        an_empty_queue_is_not_readable,
        what_was_put_before_is_readable,
        a_put_is_told_of,
        it_is_readable_until_a_get_finds_nothing,
        so_it_is_for_batches,
        each_time_there_is_something_again_is_an_edge,
        a_burst_is_one_edge,
        a_pill_is_told_of,
        a_thread_that_waits_is_woken_as_ever,
        a_get_that_gives_up_hushes_it_too,
        NULL,
    };
    const TTest *const ends[] = {the_end_stays_readable, NULL};
    const TTest *const room[] = {
        room_is_readable,
        a_batch_that_does_not_fit_hushes_it,
        who_drops_always_has_room,
        a_drop_tells_of_the_item_that_came,
        NULL,
    };
    const TTest *const policies[] = {it_is_readable_until_a_put_finds_no_room,
                                     NULL};
    const TTest *const races[] = {loops_at_both_ends_miss_nothing, NULL};
    const TTest *const descriptors[] = {
        it_is_the_same_each_time_and_not_inherited,
        without_descriptors_it_says_so_and_goes_on,
        null_has_none,
        a_fork_child_has_none,
        NULL,
    };
    const struct chapter chapters[] = {
        {"items", items, queue_setup, queue_teardown, 0, 0},
        {"ends", ends, queue_setup, queue_teardown, 3, 0},
        {"room", room, queue_setup, queue_teardown, 0, 0},
        {"policies", policies, queue_setup, queue_teardown, 2, 0},
        {"races", races, queue_setup, queue_teardown, 3, 0},
        {"descriptors", descriptors, queue_setup, queue_teardown, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0},
    };

    return report("queue_polled", chapters);
}
