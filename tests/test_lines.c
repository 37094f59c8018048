/* SPDX-License-Identifier: MIT */
/* test_lines.c - the records of files and pipes. */
#include <weir/producer.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper.h"
#include "suite.h"

static weir_producer producer;
static int fd = -1;      /* what is read */
static int pipe_in = -1; /* the pipe's other end */
static uint64_t number;  /* of the last record */

static void setup(void)
{
    memset(&producer, 0, sizeof(producer));
    number = 0;
}

static void close_producer(void)
{
    if (producer.close)
        producer.close(producer.self);
    producer.close = NULL;
}

static void teardown(void)
{
    close_producer();
    close(fd);
    close(pipe_in);
    fd = pipe_in = -1;
}

/* --------------------------------------------------------------- helpers */

static void open_bytes(const void *bytes, size_t size)
{
    fd = memfd_create("records", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
}

static void open_pipe(int flags)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | flags), 0);
    fd = ends[0];
    pipe_in = ends[1];
}

static void send_text(const char *text)
{
    size_t size = strlen(text);

    ck_assert_int_eq(write(pipe_in, text, size), (ssize_t)size);
}

static void open_lines(char delimiter, size_t max_bytes)
{
    ck_assert_int_eq(weir_producer_lines(&producer, fd, delimiter, max_bytes),
                     WEIR_OK);
    ck_assert_uint_eq(producer.size, sizeof(producer));
    ck_assert_uint_eq(producer.item_size, sizeof(weir_line));
    ck_assert(producer.has_pointers);
}

/* Lines of a file with these bytes. */
#define OPEN_TEXT(text)                                                        \
 (open_bytes(text, sizeof(text) - 1), open_lines('\n', 0))

static weir_status next(weir_line *line)
{
    return producer.next(producer.self, line);
}

static void expect(const void *text, size_t length)
{
    weir_line line = {0};

    ck_assert_int_eq(next(&line), WEIR_OK);
    ck_assert_uint_eq(line.length, length);
    ck_assert_mem_eq(line.text, text, length);
    ck_assert_int_eq(line.text[length], '\0');
    ck_assert_uint_eq(line.number, ++number);
    producer.release(producer.self, &line);
}

#define EXPECT(text) expect(text, sizeof(text) - 1)

static void expect_status(weir_status status)
{
    weir_line line = {.length = 5};

    ck_assert_int_eq(next(&line), status);
    ck_assert_uint_eq(line.length, 5);
}

static void expect_end(void)
{
    expect_status(WEIR_END);
    expect_status(WEIR_END);
}

static void assert_names(const char *word)
{
    ck_assert_msg(strstr(weir_last_error(), word) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), word);
}

static int count_open_files(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* --------------------------------------------------------------- records */

START_TEST(lines_come_without_their_ends_and_numbered)
{
    OPEN_TEXT("one\ntwo\nthree\n");
    EXPECT("one");
    EXPECT("two");
    EXPECT("three");
    expect_end();
}
END_TEST

START_TEST(the_last_line_may_lack_its_end)
{
    OPEN_TEXT("one\ntwo");
    EXPECT("one");
    EXPECT("two");
    expect_end();
}
END_TEST

START_TEST(empty_lines_are_lines)
{
    OPEN_TEXT("\n\none\n\n");
    EXPECT("");
    EXPECT("");
    EXPECT("one");
    EXPECT("");
    expect_end();
}
END_TEST

START_TEST(an_empty_file_has_no_lines)
{
    OPEN_TEXT("");
    expect_end();
}
END_TEST

START_TEST(a_lone_delimiter_is_one_empty_line)
{
    OPEN_TEXT("\n");
    EXPECT("");
    expect_end();
}
END_TEST

START_TEST(nuls_inside_a_line_stay)
{
    OPEN_TEXT("a\0b\n\0\n");
    EXPECT("a\0b");
    EXPECT("\0");
    expect_end();
}
END_TEST

START_TEST(records_may_end_in_nul)
{
    open_bytes("a\nb\0\0c", 6);
    open_lines('\0', 0);
    EXPECT("a\nb");
    EXPECT("");
    EXPECT("c");
    expect_end();
}
END_TEST

START_TEST(the_delimiter_may_be_any_byte)
{
    char bytes[] = {'a', (char)_i, (char)(_i + 1), (char)_i, 'b'};

    if (_i == 'a' || _i == 'b')
        return;
    open_bytes(bytes, sizeof(bytes));
    open_lines((char)_i, 0);
    EXPECT("a");
    expect(bytes + 2, 1);
    EXPECT("b");
    expect_end();
}
END_TEST

START_TEST(the_file_stays_open_and_nothing_else_does)
{
    int before;

    open_bytes("one\n", 4);
    before = count_open_files();
    open_lines('\n', 0);
    EXPECT("one");
    close_producer();
    ck_assert_int_eq(count_open_files(), before);
    ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
}
END_TEST

/* --------------------------------------------------------------- lengths */

/* Two records of `length`, with and without the end of the last. */
static void expect_two(size_t length, size_t max_bytes, bool ended)
{
    size_t size = 2 * length + 1 + ended;
    char *bytes = malloc(size);

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'a', length);
    bytes[length] = '\n';
    memset(bytes + length + 1, 'b', length);
    if (ended)
        bytes[size - 1] = '\n';
    open_bytes(bytes, size);
    open_lines('\n', max_bytes);
    expect(bytes, length);
    expect(bytes + length + 1, length);
    expect_end();
    free(bytes);
}

START_TEST(a_record_may_be_as_long_as_the_reads)
{
    const size_t lengths[] = {65534, 65535, 65536, 65537, 131071, 131072};

    expect_two(lengths[_i / 2], 0, _i % 2);
}
END_TEST

START_TEST(a_record_may_have_max_bytes)
{
    const size_t lengths[] = {1, 2, 1000, 65535, 65536, 65537};

    expect_two(lengths[_i / 2], lengths[_i / 2], _i % 2);
}
END_TEST

START_TEST(without_max_bytes_a_record_may_have_a_mebibyte)
{
    expect_two(1 << 20, 0, _i % 2);
}
END_TEST

/* A good record and one of `length`, too long by one. */
static void expect_too_long(size_t length, size_t max_bytes, bool ended)
{
    char *bytes = malloc(length + 3), words[80];

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'x', length + 2);
    bytes[1] = '\n';
    bytes[length + 2] = '\n';
    open_bytes(bytes, length + 2 + ended);
    free(bytes);
    open_lines('\n', max_bytes);
    EXPECT("x");
    expect_status(WEIR_EINVAL);
    assert_names("record 2 ");
    snprintf(words, sizeof(words), "max_bytes, %zu: raise it", length - 1);
    assert_names(words);
    assert_names("delimiter");
}

START_TEST(a_record_of_more_than_max_bytes_fails)
{
    const size_t most[] = {1, 2, 1000, 65535, 65536, 65537};

    expect_too_long(most[_i / 2] + 1, most[_i / 2], _i % 2);
}
END_TEST

START_TEST(without_max_bytes_a_record_of_more_than_a_mebibyte_fails)
{
    expect_too_long((1 << 20) + 1, 0, _i % 2);
}
END_TEST

/* It must not be read to its end, for it has none. */
START_TEST(a_record_without_end_fails_as_soon_as_it_is_too_long)
{
    open_pipe(0);
    open_lines('\n', 3);
    send_text("abcd");
    expect_status(WEIR_EINVAL);
    assert_names("record 1 ");
}
END_TEST

/* ------------------------------------------------------------ many bytes */

struct text {
    char *bytes;
    size_t size;
};

/* Reproducible, with many short records and some of several reads. */
static struct text random_text(unsigned seed, char delimiter)
{
    struct text text = {malloc(400000), 400000};
    size_t left = 0;

    ck_assert_ptr_nonnull(text.bytes);
    srandom(seed);
    for (size_t i = 0; i < text.size; i++) {
        text.bytes[i] = (char)random();
        if (left > 0 && text.bytes[i] == delimiter)
            text.bytes[i]++;
        if (left-- == 0) {
            text.bytes[i] = delimiter;
            left = (size_t)random() % (random() % 50 ? 90 : 90000);
        }
    }
    return text;
}

static void expect_text(const struct text *text, char delimiter)
{
    const char *from = text->bytes, *end = from + text->size;

    while (from < end) {
        const char *found = memchr(from, delimiter, (size_t)(end - from));
        const char *to = found ? found : end;

        expect(from, (size_t)(to - from));
        from = found ? found + 1 : end;
    }
    expect_end();
}

START_TEST(a_random_file_comes_byte_for_byte)
{
    char delimiter = (char)(_i * 37);
    struct text text = random_text((unsigned)_i, delimiter);

    open_bytes(text.bytes, text.size);
    open_lines(delimiter, 0);
    expect_text(&text, delimiter);
    free(text.bytes);
}
END_TEST

static void write_in_pieces(void *arg)
{
    const struct text *text = arg;
    unsigned seed = 1;

    for (size_t at = 0; at < text->size;) {
        size_t piece = 1 + (size_t)rand_r(&seed) % 9000;
        ssize_t wrote;

        if (piece > text->size - at)
            piece = text->size - at;
        wrote = write(pipe_in, text->bytes + at, piece);
        ck_assert_int_gt(wrote, 0);
        at += (size_t)wrote;
    }
    close(pipe_in);
    pipe_in = -1;
}

START_TEST(a_random_pipe_comes_byte_for_byte)
{
    char delimiter = (char)(_i * 37);
    struct text text = random_text(1000 + (unsigned)_i, delimiter);
    struct helper writer;

    open_pipe(0);
    open_lines(delimiter, 0);
    helper_start(&writer, write_in_pieces, &text);
    expect_text(&text, delimiter);
    helper_join(&writer);
    free(text.bytes);
}
END_TEST

int main(void)
{
    const TTest *const records[] = {
        lines_come_without_their_ends_and_numbered,
        the_last_line_may_lack_its_end,
        empty_lines_are_lines,
        an_empty_file_has_no_lines,
        a_lone_delimiter_is_one_empty_line,
        nuls_inside_a_line_stay,
        records_may_end_in_nul,
        the_file_stays_open_and_nothing_else_does,
        a_record_without_end_fails_as_soon_as_it_is_too_long,
        NULL};
    const TTest *const delimiters[] = {the_delimiter_may_be_any_byte, NULL};
    const TTest *const lengths[] = {a_record_may_be_as_long_as_the_reads,
                                    a_record_may_have_max_bytes,
                                    a_record_of_more_than_max_bytes_fails,
                                    NULL};
    const TTest *const defaults[] = {
        without_max_bytes_a_record_may_have_a_mebibyte,
        without_max_bytes_a_record_of_more_than_a_mebibyte_fails, NULL};
    const TTest *const many[] = {a_random_file_comes_byte_for_byte,
                                 a_random_pipe_comes_byte_for_byte, NULL};
    const struct chapter chapters[] = {
        {"records", records, setup, teardown, 0, 0},
        {"delimiters", delimiters, setup, teardown, 256, 0},
        {"lengths", lengths, setup, teardown, 12, 0},
        {"default length", defaults, setup, teardown, 2, 0},
        {"many bytes", many, setup, teardown, 7, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("lines", chapters);
}
