/* SPDX-License-Identifier: MIT */
/*
 * untrusted.c - a parser that nobody should trust, on up to 10,000 real files.
 *
 * It crashes on a long line and never ends on a file whose last line does not;
 * each file runs in a child process, and every one is accounted for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <weir.h>

enum { PATH_ROOM = 512, LINE_ROOM = 120, FILES = 10000 };

/* Bytes, since a pointer leads nowhere in another process. */
struct file {
    char path[PATH_ROOM];
};

/* --------------------------------------------------------------- the parser */

/* With nothing behind it, so that a line too long is found out. */
static char *line_buffer(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (two == MAP_FAILED || mprotect(two + page, page, PROT_NONE))
        return NULL;
    return two + page - LINE_ROOM;
}

static void *make_buffer(const void *data, size_t data_size, uint32_t worker)
{
    (void)data;
    (void)data_size;
    (void)worker;
    return line_buffer();
}

/* False: the file is no text. */
static bool next_line(FILE *file, char *line)
{
    int c = getc(file);

    for (; c != '\n'; c = getc(file)) { /* at the end c is EOF for ever */
        if (c == '\0')
            return false;
        if (c != EOF)
            *line++ = (char)c;
    }
    *line = '\0';
    return true;
}

static int parse(weir_task *task, void *item)
{
    const struct file *it = item;
    FILE *file = fopen(it->path, "re");
    bool is_text = true;
    uint64_t lines = 0;

    if (!file)
        return weir_task_fail(task, 1, "cannot open %s", it->path);
    for (int c; is_text && (c = getc(file)) != EOF; lines += is_text) {
        ungetc(c, file);
        is_text = next_line(file, weir_task_context(task));
    }
    fclose(file);
    if (!is_text)
        return weir_task_fail(task, 2, "%s is no text", it->path);
    return (int)weir_task_result(task, &lines, sizeof(lines));
}

/* ---------------------------------------------------------------- the items */

/* Paths, copied out of what the library's own producer yields. */
struct paths {
    weir_producer files;
    size_t left;
};

static weir_status next_file(void *arg, void *item)
{
    struct paths *paths = arg;
    struct file *file = item;
    weir_status status = WEIR_END;
    char *path;

    while (paths->left > 0) {
        size_t length;

        status = paths->files.next(paths->files.self, &path);
        if (status)
            break;
        length = strlen(path);
        if (length < sizeof(file->path))
            memcpy(file->path, path, length + 1);
        paths->files.release(paths->files.self, &path);
        if (length < sizeof(file->path)) {
            paths->left--;
            return WEIR_OK;
        }
    }
    return paths->left > 0 ? status : WEIR_END;
}

static uint64_t lines; /* of all workers' threads, at the same time */

static void count(void *arg, const void *item, const weir_outcome *outcome)
{
    uint64_t some;

    (void)arg;
    (void)item;
    if (outcome->kind == WEIR_OUTCOME_DONE) {
        memcpy(&some, outcome->result, sizeof(some));
        __atomic_fetch_add(&lines, some, __ATOMIC_RELAXED);
    }
}

int main(int argc, char **argv)
{
    weir_process_options children = WEIR_PROCESS_OPTIONS_INIT;
    weir_pool_options pool = WEIR_POOL_OPTIONS_INIT;
    weir_run_options run = WEIR_RUN_OPTIONS_INIT;
    weir_report report = WEIR_REPORT_INIT;
    struct paths paths = {.left = FILES};
    weir_producer files;
    const weir_producer *producers[] = {&files};

    if (weir_process_start()) /* before there are threads */
        return 1;
    children.child_start = make_buffer;
    pool.isolation = WEIR_ISOLATE_PROCESS;
    pool.timeout_ns = WEIR_MS(250);
    pool.process = &children;
    pool.on_settled = count;
    run.producers = producers;
    run.producer_count = 1;
    run.handler = parse;
    run.pool = &pool;
    if (weir_producer_files(&paths.files,
                            argc > 1 ? argv[1] : "/usr/include") ||
        weir_producer_call(&files, next_file, &paths, sizeof(struct file)) ||
        weir_run(&run, &report)) {
        fprintf(stderr, "%s\n", weir_last_error());
        return 1;
    }
    paths.files.close(paths.files.self);
    printf("%llu files: %llu parsed (%llu lines), %llu refused, %llu crashed, "
           "%llu never ended\n",
           (unsigned long long)report.ledger.accepted,
           (unsigned long long)report.ledger.done, (unsigned long long)lines,
           (unsigned long long)report.ledger.failed,
           (unsigned long long)report.ledger.crashed,
           (unsigned long long)report.ledger.timed_out);
    printf("the first: %s\n", report.first_failure);
    printf("the ledger %s\n", weir_ledger_balances(&report.ledger)
                                  ? "balances"
                                  : "does not balance");
    return !weir_ledger_balances(&report.ledger);
}
