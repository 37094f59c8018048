/* SPDX-License-Identifier: MIT */
/* test_producers_pipes.c - lines of descriptors that block, refuse or fail. */
#include <weir/producer.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault.h"
#include "faults.h"
#include "helper.h"
#include "suite.h"

static weir_producer producer;
static int fd = -1;      /* what is read */
static int pipe_in = -1; /* the pipe's other end */

/* What the next calls of the system answer, once. */
static int error_of_read, error_of_poll;

/* These stand before the C library's, to fail when a test says so. */
ssize_t read(int from, void *into, size_t room)
{
    static ssize_t (*real)(int from, void *into, size_t room);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "read");
    if (error_of_read == 0)
        return real(from, into, room);
    errno = error_of_read;
    error_of_read = 0;
    return -1;
}

int poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    static int (*real)(struct pollfd * polled, nfds_t count, int timeout_ms);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "poll");
    if (error_of_poll == 0 || timeout_ms == 0)
        return real(polled, count, timeout_ms);
    errno = error_of_poll;
    error_of_poll = 0;
    return -1;
}

static void setup(void)
{
    memset(&producer, 0, sizeof(producer));
}

static void teardown(void)
{
    if (producer.close)
        producer.close(producer.self);
    close(fd);
    close(pipe_in);
}

static void open_lines(void)
{
    ck_assert_int_eq(weir_producer_lines(&producer, fd, '\n', 0), WEIR_OK);
}

static void open_pipe(int flags)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | flags), 0);
    fd = ends[0];
    pipe_in = ends[1];
    open_lines();
}

static void send_text(const char *text)
{
    size_t size = strlen(text);

    ck_assert_int_eq(write(pipe_in, text, size), (ssize_t)size);
}

/* Returns when what was sent has been read. */
static void await_read(void)
{
    int left = 1;

    while (left > 0) {
        ck_assert_int_eq(ioctl(fd, FIONREAD, &left), 0);
        sched_yield();
    }
}

static void close_pipe_in(void)
{
    close(pipe_in);
    pipe_in = -1;
}

static void assert_names(const char *word)
{
    ck_assert_msg(strstr(weir_last_error(), word) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), word);
}

static void expect(const char *text)
{
    weir_line line = {0};

    ck_assert_int_eq(producer.next(producer.self, &line), WEIR_OK);
    ck_assert_str_eq(line.text, text);
    ck_assert_uint_eq(line.length, strlen(text));
    producer.release(producer.self, &line);
}

static void expect_status(weir_status status)
{
    weir_line line = {.length = 5};

    ck_assert_int_eq(producer.next(producer.self, &line), status);
    ck_assert_uint_eq(line.length, 5);
}

/* ---------------------------------------------------------------- blocking */

/* A call of next on a thread of its own. */
struct asking {
    struct helper helper;
    weir_status status;
    weir_line line;
};

static void ask(void *arg)
{
    struct asking *asking = arg;

    asking->status = producer.next(producer.self, &asking->line);
}

/* Returns when next has read "ab", so that it needs more. */
static void block_next(struct asking *asking)
{
    helper_start(&asking->helper, ask, asking);
    send_text("ab");
    await_read();
}

static void expect_abc(struct asking *asking)
{
    helper_join(&asking->helper);
    ck_assert_int_eq(asking->status, WEIR_OK);
    ck_assert_str_eq(asking->line.text, "abc");
    producer.release(producer.self, &asking->line);
}

START_TEST(a_pipe_gives_a_line_as_soon_as_it_is_whole)
{
    open_pipe(0);
    send_text("one\ntwo\nth");
    expect("one");
    expect("two");
    send_text("ree\n");
    expect("three");
    close_pipe_in();
    expect_status(WEIR_END);
}
END_TEST

START_TEST(a_pipes_end_ends_the_last_line)
{
    open_pipe(0);
    send_text("one\ntwo");
    close_pipe_in();
    expect("one");
    expect("two");
    expect_status(WEIR_END);
}
END_TEST

START_TEST(next_waits_for_the_rest_of_a_line)
{
    struct asking asking = {.status = WEIR_END};

    open_pipe(_i ? O_NONBLOCK : 0);
    block_next(&asking);
    send_text("c\n");
    expect_abc(&asking);
}
END_TEST

static void send_bytes_singly(void *arg)
{
    for (const char *byte = arg; *byte; byte++) {
        const char text[] = {*byte, '\0'};

        send_text(text);
        await_read();
    }
    close_pipe_in();
}

START_TEST(bytes_that_come_one_by_one_make_the_same_lines)
{
    char text[] = "one\n\ntwo\nth";
    struct helper writer;

    open_pipe(_i ? O_NONBLOCK : 0);
    helper_start(&writer, send_bytes_singly, text);
    expect("one");
    expect("");
    expect("two");
    expect("th");
    expect_status(WEIR_END);
    helper_join(&writer);
}
END_TEST

/* --------------------------------------------------------------- interrupt */

START_TEST(interrupt_ends_a_read_of_a_pipe_that_never_closes)
{
    struct asking asking = {.status = WEIR_END};

    open_pipe(_i ? O_NONBLOCK : 0);
    block_next(&asking);
    producer.interrupt(producer.self);
    helper_join(&asking.helper);
    ck_assert_int_eq(asking.status, WEIR_CANCELLED);
    ck_assert_ptr_null(asking.line.text);
}
END_TEST

/* Neither what is in the pipe nor what has been read comes any more. */
START_TEST(after_an_interrupt_every_next_is_cancelled)
{
    open_pipe(0);
    send_text("one\ntwo\n");
    expect("one");
    producer.interrupt(producer.self);
    expect_status(WEIR_CANCELLED);
    expect_status(WEIR_CANCELLED);
    producer.interrupt(producer.self);
    send_text("three\n");
    expect_status(WEIR_CANCELLED);
    close_pipe_in();
    expect_status(WEIR_CANCELLED);
}
END_TEST

START_TEST(an_interrupt_at_any_moment_ends_next)
{
    struct asking asking = {.status = WEIR_END};

    open_pipe(0);
    helper_start(&asking.helper, ask, &asking);
    for (int i = 0; i < 20 * _i; i++)
        sched_yield();
    producer.interrupt(producer.self);
    helper_join(&asking.helper);
    ck_assert_int_eq(asking.status, WEIR_CANCELLED);
}
END_TEST

START_TEST(a_pipe_can_be_read_on_after_an_interrupt)
{
    char rest[8] = "";

    open_pipe(0);
    producer.interrupt(producer.self);
    send_text("one\n");
    expect_status(WEIR_CANCELLED);
    producer.close(producer.self);
    producer.close = NULL;
    ck_assert_int_eq(read(fd, rest, sizeof(rest)), 4);
    ck_assert_str_eq(rest, "one\n");
}
END_TEST

/* ---------------------------------------------------------------- refusals */

START_TEST(a_descriptor_that_is_not_open_for_reading_is_refused)
{
    int closed;

    open_pipe(0);
    producer.close(producer.self);
    memset(&producer, 0, sizeof(producer));
    ck_assert_int_eq(weir_producer_lines(&producer, pipe_in, '\n', 0),
                     WEIR_EINVAL);
    assert_names("not open for reading");
    closed = pipe_in;
    close_pipe_in();
    ck_assert_int_eq(weir_producer_lines(&producer, closed, '\n', 0),
                     WEIR_EINVAL);
    assert_names("not open for reading");
    ck_assert_int_eq(weir_producer_lines(&producer, -1, '\n', 0), WEIR_EINVAL);
    assert_names("fd -1");
    ck_assert_int_eq(weir_producer_lines(NULL, fd, '\n', 0), WEIR_EINVAL);
    assert_names("out");
    ck_assert_ptr_null(producer.self);
}
END_TEST

START_TEST(a_descriptor_open_for_both_is_read)
{
    fd = memfd_create("records", MFD_CLOEXEC);
    ck_assert_int_eq(write(fd, "one\n", 4), 4);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    open_lines();
    expect("one");
}
END_TEST

START_TEST(a_directory_cannot_be_read)
{
    fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    open_lines();
    expect_status(WEIR_ESYSTEM);
    ck_assert_int_eq(errno, EISDIR);
    assert_names("after number 0");
    assert_names(strerror(EISDIR));
}
END_TEST

START_TEST(a_descriptor_closed_under_way_is_an_error_not_an_end)
{
    open_pipe(0);
    send_text("one\n");
    expect("one");
    close(fd);
    expect_status(WEIR_ESYSTEM);
    assert_names("after number 1");
    fd = -1;
}
END_TEST

START_TEST(a_call_that_fails_for_the_moment_is_made_again)
{
    open_pipe(0);
    send_text("one\n");
    error_of_poll = EINTR;
    error_of_read = EINTR;
    expect("one");
    send_text("two\n");
    error_of_read = EAGAIN;
    expect("two");
    ck_assert_int_eq(error_of_poll + error_of_read, 0);
}
END_TEST

START_TEST(a_call_that_fails_for_good_fails_the_producer)
{
    open_pipe(0);
    send_text("one\n");
    error_of_poll = ENOMEM;
    expect_status(WEIR_ESYSTEM);
    ck_assert_int_eq(errno, ENOMEM);
    assert_names("poll");
    error_of_read = EIO;
    expect_status(WEIR_ESYSTEM);
    ck_assert_int_eq(errno, EIO);
    assert_names(strerror(EIO));
    expect("one");
}
END_TEST

START_TEST(without_a_descriptor_for_itself_it_is_refused)
{
    struct rlimit before, none;

    fd = memfd_create("records", MFD_CLOEXEC);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_eq(weir_producer_lines(&producer, fd, '\n', 0), WEIR_ESYSTEM);
    ck_assert_int_eq(errno, EMFILE);
    assert_names("eventfd");
    assert_names(strerror(EMFILE));
    ck_assert_ptr_null(producer.self);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

/* ------------------------------------------------------------------ memory */

/* Reads three lines, of which one is longer than a read. */
static weir_status read_all(void *arg)
{
    weir_producer made = {0};
    weir_line line;
    weir_status status;

    (void)arg;
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    status = weir_producer_lines(&made, fd, '\n', 0);
    if (status) {
        ck_assert_ptr_null(made.self);
        assert_names("memory");
        return status;
    }
    while ((status = made.next(made.self, &line)) == WEIR_OK)
        made.release(made.self, &line);
    if (status == WEIR_ENOMEM)
        assert_names("no memory for a record");
    made.close(made.self);
    return status == WEIR_END ? WEIR_OK : status;
}

static void write_lines(void)
{
    char text[150000];

    memset(text, 'x', sizeof(text));
    text[2] = text[140000] = '\n';
    fd = memfd_create("records", MFD_CLOEXEC);
    ck_assert_int_eq(write(fd, text, sizeof(text)), (ssize_t)sizeof(text));
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
}

START_TEST(without_memory_it_fails_and_leaves_nothing)
{
    write_lines();
    /* Itself, its buffer that grows, and a text for each line. */
    ck_assert_uint_ge(fault_sweep(read_all, NULL, WEIR_ENOMEM), 6);
}
END_TEST

/* The n-th allocation fails once, and next is called again. */
START_TEST(asking_again_after_a_lack_of_memory_loses_nothing)
{
    const size_t lengths[] = {2, 140000 - 3, 150000 - 140001};
    size_t lines = 0, lacks = 0;
    weir_status status;
    weir_line line;

    write_lines();
    open_lines();
    weir__fault_arm((uint64_t)_i + 1);
    while ((status = producer.next(producer.self, &line)) != WEIR_END) {
        lacks += status == WEIR_ENOMEM;
        ck_assert(status == WEIR_OK || status == WEIR_ENOMEM);
        if (status == WEIR_ENOMEM)
            continue;
        ck_assert_uint_lt(lines, 3);
        ck_assert_uint_eq(line.length, lengths[lines++]);
        ck_assert_uint_eq(line.number, lines);
        producer.release(producer.self, &line);
    }
    weir__fault_arm(0);
    ck_assert_uint_eq(lines, 3);
    ck_assert_uint_eq(lacks, 1);
}
END_TEST

int main(void)
{
    const TTest *const pipes[] = {a_pipe_gives_a_line_as_soon_as_it_is_whole,
                                  a_pipes_end_ends_the_last_line,
                                  after_an_interrupt_every_next_is_cancelled,
                                  a_pipe_can_be_read_on_after_an_interrupt,
                                  NULL};
    const TTest *const both[] = {
        next_waits_for_the_rest_of_a_line,
        bytes_that_come_one_by_one_make_the_same_lines,
        interrupt_ends_a_read_of_a_pipe_that_never_closes, NULL};
    const TTest *const races[] = {an_interrupt_at_any_moment_ends_next, NULL};
    const TTest *const refusals[] = {
        a_descriptor_that_is_not_open_for_reading_is_refused,
        a_descriptor_open_for_both_is_read,
        a_directory_cannot_be_read,
        a_descriptor_closed_under_way_is_an_error_not_an_end,
        a_call_that_fails_for_the_moment_is_made_again,
        a_call_that_fails_for_good_fails_the_producer,
        without_a_descriptor_for_itself_it_is_refused,
        without_memory_it_fails_and_leaves_nothing,
        NULL};
    const TTest *const again[] = {
        asking_again_after_a_lack_of_memory_loses_nothing, NULL};
    const struct chapter chapters[] = {
        {"pipes", pipes, setup, teardown, 0, 0},
        {"blocking and not", both, setup, teardown, 2, 0},
        {"interrupt races", races, setup, teardown, 20, 0},
        {"refusals", refusals, setup, teardown, 0, 0},
        {"asking again", again, setup, teardown, 5, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("lines: pipes and failures", chapters);
}
