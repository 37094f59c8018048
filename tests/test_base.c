/* SPDX-License-Identifier: MIT */
/* test_base.c - statuses, deadlines, errors, options, faults, fork. */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weir/deadline.h>
#include <weir/status.h>
#include <weir/version.h>

#include "base/atomic.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/options.h"
#include "helper.h"
#include "suite.h"
#include "test_clock.h"

/* --------------------------------------------------------------- statuses */

static const struct {
    weir_status status;
    const char *name;
} statuses[] = {
    {WEIR_OK, "WEIR_OK"},
    {WEIR_TIMED_OUT, "WEIR_TIMED_OUT"},
    {WEIR_CLOSED, "WEIR_CLOSED"},
    {WEIR_POISONED, "WEIR_POISONED"},
    {WEIR_FULL, "WEIR_FULL"},
    {WEIR_END, "WEIR_END"},
    {WEIR_CANCELLED, "WEIR_CANCELLED"},
    {WEIR_STUCK, "WEIR_STUCK"},
    {WEIR_DEGRADED, "WEIR_DEGRADED"},
    {WEIR_FORKED, "WEIR_FORKED"},
    {WEIR_DEADLOCK, "WEIR_DEADLOCK"},
    {WEIR_EINVAL, "WEIR_EINVAL"},
    {WEIR_ENOMEM, "WEIR_ENOMEM"},
    {WEIR_ESYSTEM, "WEIR_ESYSTEM"},
    {WEIR_ECORRUPT, "WEIR_ECORRUPT"},
    {WEIR_FAILED, "WEIR_FAILED"},
};
enum { STATUSES = sizeof(statuses) / sizeof(statuses[0]) };

START_TEST(every_status_has_its_own_name)
{
    for (int i = 0; i < STATUSES; i++) {
        ck_assert_int_eq(statuses[i].status, -i);
        ck_assert_str_eq(weir_status_name(statuses[i].status),
                         statuses[i].name);
    }
}
END_TEST

START_TEST(every_status_has_a_text_of_its_own)
{
    for (int i = 0; i < STATUSES; i++) {
        const char *text = weir_status_text(statuses[i].status);

        ck_assert_str_ne(text, "");
        ck_assert_str_ne(text, "unknown status");
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(text, weir_status_text(statuses[j].status));
    }
    ck_assert_str_eq(weir_status_text(WEIR_CLOSED), "closed");
}
END_TEST

START_TEST(a_number_that_is_no_status_says_so)
{
    const int none[] = {1, 2, -STATUSES, -1000, INT_MAX, INT_MIN};

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        ck_assert_str_eq(weir_status_name((weir_status)none[i]), "WEIR_?");
        ck_assert_str_eq(weir_status_text((weir_status)none[i]),
                         "unknown status");
    }
}
END_TEST

START_TEST(the_version_is_the_headers)
{
    ck_assert_str_eq(weir_version(), WEIR_VERSION_TEXT);
    ck_assert_int_ge(WEIR_VERSION, 100);
}
END_TEST

/* -------------------------------------------------------------- deadlines */

START_TEST(a_deadline_lies_so_far_ahead_of_now)
{
    ck_assert_int_eq(weir_deadline_after(1).at_ns, WEIR_SECONDS(1000) + 1);
    ck_assert_int_eq(weir_deadline_after(WEIR_MS(5)).at_ns,
                     WEIR_SECONDS(1000) + 5000 * WEIR_US(1));
}
END_TEST

START_TEST(no_time_and_less_is_now)
{
    const int64_t none[] = {0, -1, -WEIR_SECONDS(1), INT64_MIN};

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(weir_deadline_after(none[i]).at_ns, WEIR_NOW.at_ns);
}
END_TEST

START_TEST(what_lies_beyond_the_clock_is_for_ever)
{
    int64_t most = INT64_MAX - WEIR_SECONDS(1000);

    ck_assert_int_eq(weir_deadline_after(INT64_MAX).at_ns, INT64_MAX);
    ck_assert_int_eq(weir_deadline_after(most + 1).at_ns, INT64_MAX);
    ck_assert_int_eq(weir_deadline_after(most).at_ns, WEIR_FOREVER.at_ns);
    ck_assert_int_eq(weir_deadline_after(most - 1).at_ns, INT64_MAX - 1);
}
END_TEST

START_TEST(what_remains_shrinks_to_nothing)
{
    weir_deadline deadline = weir_deadline_after(WEIR_MS(2));

    ck_assert_int_eq(weir_deadline_remaining(deadline), WEIR_MS(2));
    test_clock_advance(WEIR_MS(2) - 1);
    ck_assert_int_eq(weir_deadline_remaining(deadline), 1);
    test_clock_advance(1);
    ck_assert_int_eq(weir_deadline_remaining(deadline), 0);
    test_clock_advance(1);
    ck_assert_int_eq(weir_deadline_remaining(deadline), 0);
}
END_TEST

START_TEST(nothing_remains_of_now_and_all_of_for_ever)
{
    weir_deadline before = {-7};

    ck_assert_int_eq(weir_deadline_remaining(WEIR_NOW), 0);
    ck_assert_int_eq(weir_deadline_remaining(before), 0);
    ck_assert_int_eq(weir_deadline_remaining(WEIR_FOREVER), INT64_MAX);
}
END_TEST

START_TEST(without_a_test_the_clock_is_the_monotonic_one)
{
    struct timespec before, after;
    int64_t now_ns;

    clock_gettime(CLOCK_MONOTONIC, &before);
    now_ns = weir__now();
    clock_gettime(CLOCK_MONOTONIC, &after);
    ck_assert_int_ge(now_ns, WEIR_SECONDS(before.tv_sec) + before.tv_nsec);
    ck_assert_int_le(now_ns, WEIR_SECONDS(after.tv_sec) + after.tv_nsec);
}
END_TEST

/* ----------------------------------------------------------------- errors */

START_TEST(the_last_error_is_empty_at_first)
{
    ck_assert_str_eq(weir_last_error(), "");
}
END_TEST

START_TEST(a_refusal_is_kept_and_its_status_returned)
{
    ck_assert_int_eq(weir__refuse(WEIR_FULL, "%s %d", "row", 5), WEIR_FULL);
    ck_assert_str_eq(weir_last_error(), "row 5");
    ck_assert_int_eq(weir__refuse(WEIR_EINVAL, "other"), WEIR_EINVAL);
    ck_assert_str_eq(weir_last_error(), "other");
}
END_TEST

START_TEST(a_refusal_keeps_errno)
{
    errno = ERANGE;
    weir__refuse(WEIR_ESYSTEM, "%*d", 5, 1);
    ck_assert_int_eq(errno, ERANGE);
}
END_TEST

START_TEST(a_long_refusal_is_cut)
{
    weir__refuse(WEIR_EINVAL, "%01000d", 5);
    ck_assert_uint_eq(strlen(weir_last_error()), 255);
}
END_TEST

static void refuse_elsewhere(void *arg)
{
    *(bool *)arg = strcmp(weir_last_error(), "") == 0;
    weir__refuse(WEIR_EINVAL, "there");
}

START_TEST(each_thread_has_its_own_last_error)
{
    struct helper helper;
    bool empty_there = false;

    weir__refuse(WEIR_EINVAL, "here");
    helper_start(&helper, refuse_elsewhere, &empty_there);
    helper_join(&helper);
    ck_assert(empty_there);
    ck_assert_str_eq(weir_last_error(), "here");
}
END_TEST

/* ---------------------------------------------------------------- options */

/* What the library knows, and a caller's of a later version. */
struct known {
    size_t size;
    int first;
    int second;
};
struct newer {
    struct known known;
    int third, fourth; /* no padding: its bytes would be asked for */
};

static weir_status read_options(struct known *into, const void *from)
{
    memset(into, 0x77, sizeof(*into));
    return weir__options_read(into, sizeof(*into), from, "weir_some_options");
}

START_TEST(no_options_are_all_defaults)
{
    struct known read;

    ck_assert_int_eq(read_options(&read, NULL), WEIR_OK);
    ck_assert_int_eq(read.first, 0);
    ck_assert_int_eq(read.second, 0);
}
END_TEST

START_TEST(options_of_our_size_are_copied)
{
    struct known given = {sizeof(given), 1, 2}, read;

    ck_assert_int_eq(read_options(&read, &given), WEIR_OK);
    ck_assert_mem_eq(&read, &given, sizeof(given));
}
END_TEST

START_TEST(what_shorter_options_lack_is_zero)
{
    struct known given = {offsetof(struct known, second), 1, 2}, read;

    ck_assert_int_eq(read_options(&read, &given), WEIR_OK);
    ck_assert_int_eq(read.first, 1);
    ck_assert_int_eq(read.second, 0);
    given.size = sizeof(size_t);
    ck_assert_int_eq(read_options(&read, &given), WEIR_OK);
    ck_assert_int_eq(read.first, 0);
}
END_TEST

START_TEST(longer_options_are_read_if_the_rest_is_zero)
{
    struct newer given = {{sizeof(given), 1, 2}, 0, 0};
    struct known read;

    ck_assert_int_eq(read_options(&read, &given), WEIR_OK);
    ck_assert_int_eq(read.second, 2);
    given.third = 1 << 24;
    ck_assert_int_eq(read_options(&read, &given), WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "weir_some_options"));
    ck_assert_ptr_nonnull(strstr(weir_last_error(), weir_version()));
}
END_TEST

START_TEST(options_without_a_size_are_refused)
{
    struct known given = {0, 1, 2}, read;

    ck_assert_int_eq(read_options(&read, &given), WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "WEIR_SOME_OPTIONS_INIT"));
    given.size = sizeof(size_t) - 1;
    ck_assert_int_eq(read_options(&read, &given), WEIR_EINVAL);
}
END_TEST

START_TEST(a_snapshot_fills_what_the_caller_has)
{
    const struct known from = {sizeof(from), 1, 2};
    struct newer into = {{sizeof(struct known), 8, 8}, 8, 8};

    weir__snapshot_write(&into, &from, sizeof(from));
    ck_assert_uint_eq(into.known.size, sizeof(struct known));
    ck_assert_int_eq(into.known.second, 2);
    ck_assert_int_eq(into.third, 8);
}
END_TEST

START_TEST(a_snapshot_into_a_shorter_struct_stops_there)
{
    const struct known from = {sizeof(from), 1, 2};
    struct known into = {offsetof(struct known, second), 8, 8};

    weir__snapshot_write(&into, &from, sizeof(from));
    ck_assert_int_eq(into.first, 1);
    ck_assert_int_eq(into.second, 8);
    for (size_t size = 0; size <= sizeof(size_t); size++) {
        into = (struct known){size, 8, 8};
        weir__snapshot_write(&into, &from, sizeof(from));
        ck_assert_int_eq(into.first, 8);
        ck_assert_uint_eq(into.size, size);
    }
}
END_TEST

START_TEST(a_snapshot_into_a_longer_struct_zeroes_the_rest)
{
    const struct newer from = {{sizeof(from.known), 1, 2}, 9, 9};
    struct newer into = {{sizeof(into), 8, 8}, 8, 8};

    weir__snapshot_write(&into, &from, sizeof(from.known));
    ck_assert_uint_eq(into.known.size, sizeof(into));
    ck_assert_int_eq(into.known.second, 2);
    ck_assert_int_eq(into.third, 0);
    ck_assert_int_eq(into.fourth, 0);
}
END_TEST

/* ----------------------------------------------------------------- faults */

START_TEST(memory_is_zeroed)
{
    unsigned char *memory = weir__allocate_many(3, 5);

    for (int i = 0; i < 15; i++)
        ck_assert_uint_eq(memory[i], 0);
    weir__release(memory);
    weir__release(NULL);
}
END_TEST

START_TEST(a_product_that_overflows_is_no_memory)
{
    ck_assert_ptr_null(weir__allocate_many(SIZE_MAX / 2, 3));
}
END_TEST

START_TEST(nothing_is_counted_before_something_is_armed)
{
    weir__release(weir__allocate(1));
    ck_assert(!weir__fault_strikes());
    ck_assert_uint_eq(weir__fault_points(), 0);
}
END_TEST

START_TEST(the_armed_point_fails_and_no_other)
{
    void *first, *second, *third;

    weir__fault_arm(2);
    first = weir__allocate(1);
    errno = 0;
    second = weir__allocate(1);
    ck_assert_int_eq(errno, ENOMEM);
    third = weir__allocate(1);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(second);
    ck_assert_ptr_nonnull(third);
    ck_assert_uint_eq(weir__fault_points(), 3);
    weir__fault_arm(0);
    ck_assert_uint_eq(weir__fault_points(), 0);
    ck_assert(!weir__fault_strikes());
    weir__release(first);
    weir__release(third);
}
END_TEST

/* Writes all of it: a sanitizer sees what is beyond. */
START_TEST(memory_apart_is_zeroed_and_aligned_and_all_there)
{
    void *memory[300];

    for (size_t bytes = 1; bytes < 300; bytes++) {
        unsigned char *byte = weir__allocate_apart(bytes);

        ck_assert_uint_eq((uintptr_t)byte % WEIR__APART, 0);
        for (size_t i = 0; i < bytes; i++)
            if (byte[i])
                ck_abort_msg("byte %zu of %zu is not 0", i, bytes);
        memset(byte, 0xee, bytes);
        memory[bytes] = byte;
    }
    for (size_t bytes = 1; bytes < 300; bytes++)
        weir__release_apart(memory[bytes]);
}
END_TEST

START_TEST(memory_apart_that_no_size_can_hold_is_none)
{
    ck_assert_ptr_null(weir__allocate_apart(SIZE_MAX));
    ck_assert_ptr_null(weir__allocate_apart(SIZE_MAX - sizeof(void *)));
}
END_TEST

START_TEST(memory_apart_is_one_point_that_can_fail)
{
    void *memory;

    weir__fault_arm(1);
    errno = 0;
    ck_assert_ptr_null(weir__allocate_apart(64));
    ck_assert_int_eq(errno, ENOMEM);
    memory = weir__allocate_apart(64);
    ck_assert_ptr_nonnull(memory);
    ck_assert_uint_eq(weir__fault_points(), 2);
    weir__fault_arm(0);
    weir__release_apart(memory);
}
END_TEST

/* ------------------------------------------------------------------- fork */

static int child_generation(int depth)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(depth > 1 ? child_generation(depth - 1)
                        : (int)weir__fork_generation());
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(each_fork_child_is_a_generation_on)
{
    ck_assert_int_eq(weir__fork_watch(), WEIR_OK);
    ck_assert_int_eq(weir__fork_watch(), WEIR_OK); /* once per process */
    ck_assert_uint_eq(weir__fork_generation(), 0);
    ck_assert(!weir__is_forked(0));
    ck_assert_int_eq(child_generation(1), 1);
    ck_assert_int_eq(child_generation(2), 2);
    ck_assert_uint_eq(weir__fork_generation(), 0);
}
END_TEST

START_TEST(a_forked_handle_is_refused_by_name)
{
    ck_assert_int_eq(weir__refuse_forked("queue"), WEIR_FORKED);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "queue"));
}
END_TEST

int main(void)
{
    const TTest *const names[] = {every_status_has_its_own_name,
                                  every_status_has_a_text_of_its_own,
                                  a_number_that_is_no_status_says_so,
                                  the_version_is_the_headers, NULL};
    const TTest *const deadlines[] = {
        a_deadline_lies_so_far_ahead_of_now,
        no_time_and_less_is_now,
        what_lies_beyond_the_clock_is_for_ever,
        what_remains_shrinks_to_nothing,
        nothing_remains_of_now_and_all_of_for_ever,
        NULL};
    const TTest *const errors[] = {
        without_a_test_the_clock_is_the_monotonic_one,
        the_last_error_is_empty_at_first,
        a_refusal_is_kept_and_its_status_returned,
        a_refusal_keeps_errno,
        a_long_refusal_is_cut,
        each_thread_has_its_own_last_error,
        NULL};
    const TTest *const options[] = {
        no_options_are_all_defaults,
        options_of_our_size_are_copied,
        what_shorter_options_lack_is_zero,
        longer_options_are_read_if_the_rest_is_zero,
        options_without_a_size_are_refused,
        a_snapshot_fills_what_the_caller_has,
        a_snapshot_into_a_shorter_struct_stops_there,
        a_snapshot_into_a_longer_struct_zeroes_the_rest,
        NULL};
    const TTest *const faults[] = {
        memory_is_zeroed,
        a_product_that_overflows_is_no_memory,
        nothing_is_counted_before_something_is_armed,
        the_armed_point_fails_and_no_other,
        memory_apart_is_zeroed_and_aligned_and_all_there,
        memory_apart_that_no_size_can_hold_is_none,
        memory_apart_is_one_point_that_can_fail,
        each_fork_child_is_a_generation_on,
        a_forked_handle_is_refused_by_name,
        NULL};
    const struct chapter chapters[] = {
        {"names", names, NULL, NULL, 0, 0},
        {"deadlines", deadlines, test_clock_install, test_clock_remove, 0, 0},
        {"errors", errors, NULL, NULL, 0, 0},
        {"options and snapshots", options, NULL, NULL, 0, 0},
        {"faults and forks", faults, NULL, NULL, 0, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("base", chapters);
}
