/* SPDX-License-Identifier: MIT */
/* test_files.c - the regular files below a directory. */
#include <weir/producer.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"
#include "suite.h"

static weir_producer producer;
static char root[64]; /* the tree; also the working directory */
static bool tells_no_types;
static int fail_reading_after; /* entries, once; 0: never */

/* ----------------------------------------------------- the system's readdir */

/* Stands before the C library's, to be like a file system that does not tell
 * types, or to fail. */
struct dirent *readdir(DIR *directory)
{
    static struct dirent *(*real)(DIR * directory);
    struct dirent *found;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "readdir");
    if (fail_reading_after > 0 && --fail_reading_after == 0) {
        errno = EIO;
        return NULL;
    }
    found = real(directory);
    if (found && tells_no_types)
        found->d_type = DT_UNKNOWN;
    return found;
}

/* ----------------------------------------------------------------- the tree */

static void setup(void)
{
    memset(&producer, 0, sizeof(producer));
    snprintf(root, sizeof(root), "/tmp/weir-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    ck_assert_int_eq(chdir(root), 0);
}

/* Removes what is in the directory, however deep. */
static void empty_directory(DIR *directory)
{
    struct dirent *found;

    while ((found = readdir(directory)) != NULL) {
        int fd = dirfd(directory);

        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, found->d_name, 0) == 0)
            continue;
        if (fchmodat(fd, found->d_name, 0700, 0))
            continue; /* rmdir says that it is still there */
        empty_directory(
            fdopendir(openat(fd, found->d_name, O_RDONLY | O_DIRECTORY)));
        unlinkat(fd, found->d_name, AT_REMOVEDIR);
    }
    closedir(directory);
}

static void teardown(void)
{
    if (producer.close)
        producer.close(producer.self);
    tells_no_types = false;
    empty_directory(opendir(root));
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(root), 0);
}

static void make_directory(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void make_link(const char *target, const char *path)
{
    ck_assert_int_eq(symlink(target, path), 0);
}

/* Three files on three levels, and an empty directory. */
static void make_tree(void)
{
    make_file("f");
    make_directory("a");
    make_file("a/g");
    make_directory("a/b");
    make_file("a/b/.h");
    make_directory("empty");
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

/* ----------------------------------------------------------------- the walk */

static void open_walk(const char *path)
{
    ck_assert_int_eq(weir_producer_files(&producer, path), WEIR_OK);
    ck_assert_uint_eq(producer.size, sizeof(producer));
    ck_assert_uint_eq(producer.item_size, sizeof(char *));
    ck_assert(producer.has_pointers);
}

static weir_status next(char **path)
{
    return producer.next(producer.self, path);
}

static void release(char *path)
{
    producer.release(producer.self, &path);
}

/* Counts the files, each of which must exist, up to whatever ends the walk. */
static weir_status walk(int *count)
{
    weir_status status;
    struct stat about;
    char *path;

    for (*count = 0; (status = next(&path)) == WEIR_OK; ++*count) {
        ck_assert_int_eq(lstat(path, &about), 0);
        ck_assert(S_ISREG(about.st_mode));
        release(path);
    }
    return status;
}

/* Exactly these, in any order, and then the end. */
static void expect_files(const char *const *expected, size_t count)
{
    bool seen[8] = {false};
    char *path;

    for (size_t n = 0, i; n < count; n++) {
        ck_assert_int_eq(next(&path), WEIR_OK);
        for (i = 0; i < count && strcmp(path, expected[i]) != 0; i++)
            continue;
        ck_assert_msg(i < count && !seen[i], "%s came", path);
        seen[i] = true;
        release(path);
    }
    ck_assert_int_eq(next(&path), WEIR_END);
    ck_assert_int_eq(next(&path), WEIR_END);
}

#define EXPECT_FILES(...)                                                      \
 expect_files((const char *const[]){__VA_ARGS__},                              \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void assert_names(const char *word)
{
    ck_assert_msg(strstr(weir_last_error(), word) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), word);
}

static void must_refuse(const char *path, weir_status status, const char *word)
{
    ck_assert_int_eq(weir_producer_files(&producer, path), status);
    assert_names(word);
    ck_assert_ptr_null(producer.self);
}

/* ----------------------------------------------------------------- the root */

START_TEST(every_file_of_every_level_comes_once)
{
    make_tree();
    tells_no_types = _i;
    open_walk(".");
    EXPECT_FILES("./f", "./a/g", "./a/b/.h");
}
END_TEST

START_TEST(paths_begin_with_the_root_and_one_slash)
{
    make_tree();
    open_walk(_i ? "a/" : "a");
    EXPECT_FILES("a/g", "a/b/.h");
}
END_TEST

START_TEST(a_file_as_root_is_the_only_one)
{
    make_tree();
    tells_no_types = _i;
    open_walk("a/g");
    EXPECT_FILES("a/g");
}
END_TEST

START_TEST(an_absolute_root_gives_absolute_paths)
{
    char expected[80];

    make_file("f");
    snprintf(expected, sizeof(expected), "%s/f", root);
    open_walk(root);
    EXPECT_FILES(expected);
}
END_TEST

START_TEST(directories_without_files_end_at_once)
{
    char *path;

    make_directory("a");
    make_directory("a/b");
    make_directory("c");
    open_walk(".");
    ck_assert_int_eq(next(&path), WEIR_END);
}
END_TEST

START_TEST(the_root_is_copied)
{
    char path[] = "a";

    make_tree();
    open_walk(path);
    path[0] = 'x';
    EXPECT_FILES("a/g", "a/b/.h");
}
END_TEST

START_TEST(a_root_that_cannot_be_walked_is_refused)
{
    int before = count_open_files();

    must_refuse("missing", WEIR_ESYSTEM, "missing: ");
    ck_assert_int_eq(errno, ENOENT);
    must_refuse(NULL, WEIR_EINVAL, "root");
    must_refuse("", WEIR_EINVAL, "root");
    must_refuse("/dev/null", WEIR_EINVAL, "/dev/null");
    ck_assert_int_eq(weir_producer_files(NULL, "."), WEIR_EINVAL);
    assert_names("out");
    make_file("f");
    must_refuse("f/", WEIR_ESYSTEM, "f/: ");
    ck_assert_int_eq(errno, ENOTDIR);
    assert_names(strerror(ENOTDIR));
    make_link("round", "round");
    must_refuse("round", WEIR_ESYSTEM, "round: ");
    ck_assert_int_eq(errno, ELOOP);
    ck_assert_int_eq(count_open_files(), before);
}
END_TEST

/* ---------------------------------------------------- not files, deep, many */

START_TEST(links_and_other_things_are_passed_over)
{
    make_tree();
    make_link("f", "link-to-file");
    make_link("a", "link-to-directory");
    make_link(".", "a/loop");
    make_link("missing", "dangling");
    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    tells_no_types = _i;
    open_walk(".");
    EXPECT_FILES("./f", "./a/g", "./a/b/.h");
}
END_TEST

/* So deep that the path is longer than any one call of the system takes. */
START_TEST(a_tree_may_be_deep)
{
    enum { DEPTH = 200 };
    const char name[] = "a-directory-with-a-rather-long-name";
    size_t length = strlen("./f") + DEPTH * sizeof(name);
    char *path;

    for (int i = 0; i < DEPTH; i++) {
        make_directory(name);
        ck_assert_int_eq(chdir(name), 0);
    }
    make_file("f");
    ck_assert_int_eq(chdir(root), 0);
    open_walk(".");
    ck_assert_int_eq(next(&path), WEIR_OK);
    ck_assert_uint_eq(strlen(path), length);
    ck_assert_str_eq(path + length - 2, "/f");
    release(path);
    ck_assert_int_eq(next(&path), WEIR_END);
}
END_TEST

START_TEST(many_files_in_many_directories_are_counted_right)
{
    char path[32];
    int count;

    for (int i = 0; i < 30; i++) {
        snprintf(path, sizeof(path), "d%d", i);
        make_directory(path);
        for (int j = 0; j < i; j++) {
            snprintf(path, sizeof(path), "d%d/f%d", i, j);
            make_file(path);
        }
    }
    open_walk(".");
    ck_assert_int_eq(walk(&count), WEIR_END);
    ck_assert_int_eq(count, 30 * 29 / 2);
}
END_TEST

START_TEST(close_in_the_middle_leaves_nothing_open)
{
    int before = count_open_files();
    char *path;

    make_directory("a");
    make_directory("a/b");
    make_file("a/b/f");
    open_walk(".");
    ck_assert_int_eq(next(&path), WEIR_OK);
    release(path);
    producer.close(producer.self);
    producer.close = NULL;
    ck_assert_int_eq(count_open_files(), before);
}
END_TEST

START_TEST(an_interrupted_walk_gives_nothing_more)
{
    char *path;

    make_tree();
    open_walk(".");
    ck_assert_int_eq(next(&path), WEIR_OK);
    release(path);
    producer.interrupt(producer.self);
    ck_assert_int_eq(next(&path), WEIR_CANCELLED);
    ck_assert_int_eq(next(&path), WEIR_CANCELLED);
}
END_TEST

/* ------------------------------------------------------------- bad corners */

static void expect_error_after(int files, int error, const char *word)
{
    char *path;
    int count;

    ck_assert_int_eq(walk(&count), WEIR_ESYSTEM);
    ck_assert_int_eq(errno, error);
    ck_assert_int_eq(count, files);
    assert_names(word);
    assert_names(strerror(error));
    errno = 0;
    ck_assert_int_eq(next(&path), WEIR_ESYSTEM);
    ck_assert_int_eq(errno, error);
}

START_TEST(a_directory_that_may_not_be_read_is_told_at_the_end)
{
    bool is_root = geteuid() == 0;

    make_tree();
    ck_assert_int_eq(chmod(root, 0755), 0);
    ck_assert_int_eq(chmod("a/b", 0), 0);
    if (is_root && seteuid(65534)) {
        printf("SKIPPED: root reads everything and cannot be anybody else\n");
        return;
    }
    open_walk(".");
    expect_error_after(2, EACCES, "./a/b could not be read");
    ck_assert_int_eq(is_root ? seteuid(0) : 0, 0);
}
END_TEST

START_TEST(a_root_that_may_not_be_read_is_refused)
{
    bool is_root = geteuid() == 0;

    ck_assert_int_eq(chmod(root, 0755), 0);
    make_directory("a");
    ck_assert_int_eq(chmod("a", 0), 0);
    if (is_root && seteuid(65534)) {
        printf("SKIPPED: root reads everything and cannot be anybody else\n");
        return;
    }
    must_refuse("a", WEIR_ESYSTEM, "a could not be read");
    ck_assert_int_eq(errno, EACCES);
    ck_assert_int_eq(is_root ? seteuid(0) : 0, 0);
}
END_TEST

/* Nothing more can be opened. */
static void use_up_descriptors(struct rlimit *before)
{
    struct rlimit few;
    int next_fd = dup(0);

    close(next_fd);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, before), 0);
    few = *before;
    few.rlim_cur = (rlim_t)next_fd;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
}

START_TEST(without_descriptors_the_root_is_refused)
{
    struct rlimit before;

    make_directory("a");
    use_up_descriptors(&before);
    must_refuse("a", WEIR_ESYSTEM, "a could not be read");
    ck_assert_int_eq(errno, EMFILE);
    assert_names(strerror(EMFILE));
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

START_TEST(without_descriptors_the_level_above_is_still_walked)
{
    struct rlimit before;

    make_file("f");
    make_file("g");
    make_directory("a");
    make_file("a/h");
    open_walk(".");
    use_up_descriptors(&before);
    expect_error_after(2, EMFILE, "./a could not be read");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

START_TEST(a_long_path_that_cannot_be_read_is_told_cut)
{
    char name[201], words[256];
    struct rlimit before;

    memset(name, 'x', 200);
    name[200] = '\0';
    make_directory(name);
    open_walk(".");
    use_up_descriptors(&before);
    snprintf(words, sizeof(words), "./%.157s could not be read", name);
    expect_error_after(0, EMFILE, words);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

/* The second directory that the file system lists, if all are in `path`. */
static void find_second(const char *path, char *into, size_t room)
{
    DIR *directory = opendir(path);
    struct dirent *found;
    int count = 0;

    ck_assert_ptr_nonnull(directory);
    while (count < 2 && (found = readdir(directory)) != NULL) {
        count += found->d_name[0] != '.';
        snprintf(into, room, "%.8s/%.16s could not", path, found->d_name);
    }
    closedir(directory);
}

/* All of them have been listed as directories by the time of the first file.
 * What is told is the first that fails. */
START_TEST(a_directory_that_has_become_a_link_is_not_followed)
{
    char path[32], second[64], *first;
    int count;

    make_directory("inside");
    make_file("inside/x");
    make_directory("d");
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "d/%02d", i);
        make_directory(path);
        snprintf(path, sizeof(path), "d/%02d/f", i);
        make_file(path);
    }
    find_second("d", second, sizeof(second));
    open_walk("d");
    ck_assert_int_eq(next(&first), WEIR_OK);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "d/%02d/f", i);
        if (strcmp(path, first) == 0)
            continue;
        unlink(path);
        path[4] = '\0';
        ck_assert_int_eq(rmdir(path), 0);
        make_link("../inside", path);
    }
    release(first);
    ck_assert_int_eq(walk(&count), WEIR_ESYSTEM);
    ck_assert_int_eq(count, 0);
    ck_assert(errno == ELOOP || errno == ENOTDIR);
    assert_names(second);
}
END_TEST

START_TEST(a_directory_that_fails_under_way_is_told_at_the_end)
{
    make_directory("a");
    open_walk(".");
    fail_reading_after = 4; /* of ".", "..", "a" and what follows them */
    expect_error_after(0, EIO, "could not be read");
}
END_TEST

/* ------------------------------------------------------------------ memory */

static weir_status walk_all(void *arg)
{
    weir_status status = weir_producer_files(&producer, arg);
    int count;

    if (status == WEIR_OK) {
        status = walk(&count);
        producer.close(producer.self);
        ck_assert(status != WEIR_END || count == 3);
    }
    memset(&producer, 0, sizeof(producer));
    if (status == WEIR_ENOMEM)
        assert_names("no memory");
    return status == WEIR_END ? WEIR_OK : status;
}

START_TEST(without_memory_it_fails_and_leaves_nothing)
{
    char path[] = ".";
    int before = count_open_files();

    make_tree();
    /* Itself, its path, its levels twice, and each file's path. */
    ck_assert_uint_ge(fault_sweep(walk_all, path, WEIR_ENOMEM), 7);
    ck_assert_int_eq(count_open_files(), before);
}
END_TEST

int main(void)
{
    const TTest *const both[] = {every_file_of_every_level_comes_once,
                                 paths_begin_with_the_root_and_one_slash,
                                 a_file_as_root_is_the_only_one,
                                 links_and_other_things_are_passed_over, NULL};
    const TTest *const walks[] = {
        an_absolute_root_gives_absolute_paths,
        directories_without_files_end_at_once,
        the_root_is_copied,
        a_root_that_cannot_be_walked_is_refused,
        a_tree_may_be_deep,
        many_files_in_many_directories_are_counted_right,
        close_in_the_middle_leaves_nothing_open,
        an_interrupted_walk_gives_nothing_more,
        NULL};
    const TTest *const errors[] = {
        a_directory_that_may_not_be_read_is_told_at_the_end,
        a_root_that_may_not_be_read_is_refused,
        without_descriptors_the_root_is_refused,
        without_descriptors_the_level_above_is_still_walked,
        a_long_path_that_cannot_be_read_is_told_cut,
        a_directory_that_has_become_a_link_is_not_followed,
        a_directory_that_fails_under_way_is_told_at_the_end,
        without_memory_it_fails_and_leaves_nothing,
        NULL};
    const struct chapter chapters[] = {{"two ways", both, setup, teardown, 2,
                                        0},
                                       {"walks", walks, setup, teardown, 0, 0},
                                       {"bad corners", errors, setup, teardown,
                                        0, 0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("files", chapters);
}
