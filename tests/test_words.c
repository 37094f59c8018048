/* SPDX-License-Identifier: MIT */
/* test_words.c - text for a file descriptor, whatever that does. */
#include "edge/words.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

static char page[64 * 1024];
static int paper; /* a file in memory */

static void setup(void)
{
    paper = memfd_create("words", 0);
    ck_assert_int_ge(paper, 0);
    ck_assert_int_eq(fcntl(paper, F_SETFL, O_APPEND), 0);
}

static void teardown(void)
{
    close(paper);
}

/* What has been said since the last time. */
static const char *read_page(void)
{
    ssize_t size = pread(paper, page, sizeof(page) - 1, 0);

    ck_assert_int_ge(size, 0);
    page[size] = '\0';
    ck_assert_int_eq(ftruncate(paper, 0), 0);
    return page;
}

START_TEST(numbers_are_said_as_printf_would)
{
    struct weir__words words;
    char expected[256];

    weir__words_open(&words, paper);
    weir__words_say(&words, "%s %c %u %d %lu %ld %llu %lld.", "a", 'b', 7u, -7,
                    0ul, LONG_MIN, ULLONG_MAX, LLONG_MAX);
    weir__words_decimal(&words, -1234567, 3);
    weir__words_decimal(&words, 5, 2);
    weir__words_decimal(&words, 5, 0);
    weir__words_flush(&words);
    snprintf(expected, sizeof(expected),
             "%s %c %u %d %lu %ld %llu %lld.-1234.5670.055", "a", 'b', 7u, -7,
             0ul, LONG_MIN, ULLONG_MAX, LLONG_MAX);
    ck_assert_str_eq(read_page(), expected);
}
END_TEST

static void do_nothing(int signal)
{
    (void)signal;
}

/* Signals come all the time, and have calls that wait return. */
static void be_interrupted(void)
{
    struct sigaction action = {.sa_handler = do_nothing};
    struct itimerval often = {{0, 200}, {0, 200}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

START_TEST(an_interrupted_write_goes_on)
{
    struct weir__words words;
    int ends[2];
    char got[8];
    size_t total = 0;
    pid_t child;
    ssize_t size;

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        weir__words_open(&words, ends[1]);
        be_interrupted();
        for (int i = 0; i < 30000; i++)
            weir__words_say(&words, "%d ", i % 10);
        weir__words_flush(&words);
        _exit(words.error);
    }
    close(ends[1]);
    while ((size = read(ends[0], got, sizeof(got))) > 0)
        for (ssize_t i = 0; i < size; i++, total++)
            ck_assert_int_eq(got[i], total % 2 == 0
                                         ? (int)('0' + total / 2 % 10)
                                         : (int)' ');
    ck_assert_uint_eq(total, 60000);
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &(int){0}, 0), child);
}
END_TEST

START_TEST(a_short_write_is_followed_by_the_rest)
{
    struct rlimit small = {1500, 1500};
    struct weir__words words;
    pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &small);
        weir__words_open(&words, paper);
        for (int i = 0; i < 1000; i++)
            weir__words_say(&words, "ab");
        weir__words_flush(&words);
        _exit(words.error == EFBIG ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(strlen(read_page()), 1500);
}
END_TEST

START_TEST(the_first_error_is_kept_and_nothing_more_is_written)
{
    int full = open("/dev/full", O_WRONLY);
    struct weir__words words;

    weir__words_open(&words, full);
    weir__words_say(&words, "%s", "a");
    ck_assert_int_eq(weir__words_close(&words, "the figures"), WEIR_ESYSTEM);
    ck_assert_int_eq(words.error, ENOSPC);
    ck_assert(strstr(weir_last_error(), "the figures") != NULL);
    ck_assert(strstr(weir_last_error(), strerror(ENOSPC)) != NULL);
    words.fd = paper;
    weir__words_say(&words, "%s", "b");
    weir__words_flush(&words);
    ck_assert_str_eq(read_page(), "");
    close(full);
}
END_TEST

START_TEST(what_others_chose_is_quoted)
{
    static const struct weir__escape escapes[] = {{'"', "&q;"}};
    struct weir__words words;

    weir__words_open(&words, paper);
    weir__words_quote(&words, "a\"\t\x7f\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80|",
                      escapes, 1);
    weir__words_quote(&words, "\xff\xc3|\xc0\x80\xed\xa0\x80|\xe2\x82", escapes,
                      1);
    weir__words_flush(&words);
    ck_assert_str_eq(
        read_page(),
        "a&q;??\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80|" /* whole ones stay */
        "??|?????|??");
}
END_TEST

int main(void)
{
    const TTest *const words[] = {
        numbers_are_said_as_printf_would,
        an_interrupted_write_goes_on,
        a_short_write_is_followed_by_the_rest,
        the_first_error_is_kept_and_nothing_more_is_written,
        what_others_chose_is_quoted,
        NULL};
    const struct chapter chapters[] = {{"words", words, setup, teardown, 0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("words", chapters);
}
