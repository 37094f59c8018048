/* SPDX-License-Identifier: MIT */
/*
 * run.c - `weir run`: a command for each record.
 *
 * THE IDEA
 *
 * The library does the work: weir_producer_lines reads, a pool runs and tries
 * again, weir_run joins the two.  Here the producer is wrapped, so that a
 * record carries its output along:
 *
 *   next      a place in the window, then a line      -> struct record
 *   settle    the outcome is put into words
 *   release   the output goes to its turn, the line back to its producer
 *
 * Both halves of the end are the producer's rather than the pool's callbacks,
 * because only the producer's see a record that was read and not accepted any
 * more: it has taken a place in the window and a turn, and has to leave both.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <weir/run.h>

#include "arguments.h"
#include "command.h"
#include "leave.h"
#include "options.h"
#include "output.h"
#include "signals.h"
#include "summary.h"
#include "text.h"
#include "watch.h"

/* A longer record is no argument by far; it is a wrong delimiter. */
#define MAX_RECORD ((size_t)64 << 20)

enum {
    /* Descriptors of one attempt while it is started: two pipes, one for its
     * end, one for its cancelling. */
    FILES_PER_JOB = 6,
    FILES_OF_OURS = 32,
    /* How much of a record a message shows. */
    SHOWN_ROOM = 60
};

/* The item: what the producer yields and every attempt gets. */
struct record {
    weir_line line;
    struct output *output;
};

/* Set up by the main thread, then read-only, but for what `next` notes. */
struct job {
    struct options options;
    uint32_t jobs;
    int input;
    const char *input_name;
    weir_producer lines;
    struct outputs *outputs;
    weir_status input_status; /* next: why it failed; read after the run */
    int input_errno;
    struct leavings leavings;
    struct watch *watch; /* NULL: nobody does */
    size_t capacity;     /* of the pool's queue */
};

static int prepare(struct job *job, bool input_closed);
static int open_input(struct job *job, bool input_closed);
static int make_parts(struct job *job);
static int make_watch(struct job *job, struct outputs_options *how);
static void fit_files(struct job *job);
static int run(struct job *job);
static weir_status run_pool(struct job *job, weir_report *report);
static void
look_at_pool(void *arg, const weir_pool *pool, weir_run_moment moment);
static void log_record(void *arg, const weir_log_record *record);
static void set_retry(weir_retry *retry, const struct options *options);
static bool is_worth_it(void *arg, const weir_outcome *outcome);
static int exit_status(const struct job *job, const weir_report *report);
static void explain(const struct job *job, const weir_report *report);
static int handle(weir_task *task, void *item);
static int print_command(weir_task *task, const struct job *job,
                         const struct record *record, char *const *argv);
static weir_status next_record(void *self, void *item);
static void interrupt_records(void *self);
static void
settle_record(void *self, const void *item, const weir_outcome *outcome);
static char *put_into_words(const struct job *job, const struct record *record,
                            const weir_outcome *outcome);
static void give_reason(char *out, size_t room, const struct job *job,
                        const weir_outcome *outcome);
static void release_record(void *self, void *item);
static void close_records(void *self);

/* -------------------------------------------------------------------- use */

int run_command_line(int argc, char *const *argv, bool input_closed)
{
    struct job job = {.input = STDIN_FILENO, .input_name = "standard input"};
    int status;

    switch (options_read(&job.options, argc, argv)) {
    case OPTIONS_HELP:
        fputs(options_help, stdout);
        return EXIT_ALL_DONE;
    case OPTIONS_WRONG:
        return EXIT_USAGE;
    case OPTIONS_RUN:
        break;
    }
    status = prepare(&job, input_closed);
    if (status == EXIT_ALL_DONE)
        status = run(&job);
    watch_close(job.watch);
    if (job.input != STDIN_FILENO)
        close(job.input);
    return status;
}

/* ------------------------------------------------------------- setting up */

static int prepare(struct job *job, bool input_closed)
{
    const struct options *o = &job->options;
    const char *problem = command_problem(o->command[0]);
    char shown[80];
    int status;

    if (problem) {
        text_escape(shown, sizeof(shown), o->command[0], strlen(o->command[0]));
        fprintf(stderr, "weir run: '%s': %s\n", shown, problem);
        return EXIT_USAGE;
    }
    status = open_input(job, input_closed);
    if (status == EXIT_ALL_DONE &&
        !leavings_open(&job->leavings, o->trace_file, o->picture_file,
                       o->metrics_file))
        status = EXIT_USAGE;
    return status == EXIT_ALL_DONE ? make_parts(job) : status;
}

static int open_input(struct job *job, bool input_closed)
{
    const char *file = job->options.arg_file;
    char shown[80];

    if (!file || strcmp(file, "-") == 0) {
        if (input_closed) {
            fputs("weir run: standard input is closed; name a file with "
                  "-a FILE\n",
                  stderr);
            return EXIT_USAGE;
        }
        if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
            fputs("weir run: reading records from the terminal; ^D ends them\n",
                  stderr);
        return EXIT_ALL_DONE;
    }
    job->input_name = file;
    job->input = open(file, O_RDONLY | O_CLOEXEC);
    if (job->input >= 0)
        return EXIT_ALL_DONE;
    text_escape(shown, sizeof(shown), file, strlen(file));
    fprintf(stderr, "weir run: -a '%s': %s; name a file that can be read\n",
            shown, strerror(errno));
    job->input = STDIN_FILENO;
    return EXIT_USAGE;
}

static int make_parts(struct job *job)
{
    const struct options *o = &job->options;
    struct outputs_options how = {.max_buffer = o->max_buffer,
                                  .keep_order = o->keep_order || o->dry_run,
                                  .progress = o->progress};
    weir_status status;

    job->jobs = o->jobs ? o->jobs : usable_processors();
    fit_files(job);
    how.window = (size_t)job->jobs * 8 + 64;
    /* Small, so that records wait in the file rather than in memory. */
    job->capacity = job->jobs > 8 ? (size_t)job->jobs * 2 : 16;
    status = make_watch(job, &how);
    if (status)
        return status;
    status =
        weir_producer_lines(&job->lines, job->input, o->delimiter, MAX_RECORD);
    if (status == WEIR_EINVAL) {
        fprintf(stderr,
                "weir run: %s is not open for reading; name a file with "
                "-a FILE\n",
                job->input_name);
        return EXIT_USAGE;
    }
    if (!status && signals_open())
        status = outputs_open(&job->outputs, &how);
    if (job->outputs)
        return EXIT_ALL_DONE;
    fprintf(stderr, "weir run: cannot start: %s\n", strerror(errno));
    return EXIT_NOT_ALL;
}

/* Where the terminal can only print, --watch is --progress. */
static int make_watch(struct job *job, struct outputs_options *how)
{
    bool from_terminal = job->input == STDIN_FILENO && isatty(STDIN_FILENO);

    if (!job->options.watch)
        return EXIT_ALL_DONE;
    if (from_terminal) {
        fputs("weir run: --watch: the picture would hide the records that are "
              "typed; name a file with -a FILE\n",
              stderr);
        return EXIT_USAGE;
    }
    if (!screen_is_able()) {
        how->progress = PROGRESS_ALWAYS;
        return EXIT_ALL_DONE;
    }
    if (watch_open(&job->watch, job->jobs)) {
        how->screen = watch_screen(job->watch);
        return EXIT_ALL_DONE;
    }
    if (errno == ENOTTY) {
        fputs("weir run: --watch: there is no terminal to show it on; "
              "--progress=always writes lines to a log\n",
              stderr);
        return EXIT_USAGE;
    }
    fprintf(stderr, "weir run: cannot start: %s\n", strerror(errno));
    return EXIT_NOT_ALL;
}

/* The usual limit of 1024 is too low for -j 0.  It is raised only if it has to
 * be, for the commands inherit it.  Where that is not allowed fewer run. */
static void fit_files(struct job *job)
{
    rlim_t need = (rlim_t)job->jobs * FILES_PER_JOB + FILES_OF_OURS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
        return;
    limit.rlim_cur = need < limit.rlim_max ? need : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
        return;
    job->jobs = 1;
    if (limit.rlim_cur > FILES_OF_OURS + FILES_PER_JOB)
        job->jobs = (uint32_t)(limit.rlim_cur - FILES_OF_OURS) / FILES_PER_JOB;
    job->options.jobs = job->jobs;
    fprintf(stderr,
            "weir run: there are descriptors for %" PRIu32
            " at once; ulimit -n allows more\n",
            job->jobs);
}

/* ---------------------------------------------------------------- the run */

static int run(struct job *job)
{
    weir_report report = WEIR_REPORT_INIT;
    weir_status status = run_pool(job, &report);
    int answer;

    report.status = status;
    outputs_finish(job->outputs);
    watch_sum_up(job->watch);
    explain(job, &report);
    summary_write(stderr, job->options.summary, &report);
    answer = exit_status(job, &report);
    if (!leavings_close(&job->leavings) && answer == EXIT_ALL_DONE)
        answer = EXIT_NOT_ALL;
    outputs_close(job->outputs);
    return answer;
}

static weir_status run_pool(struct job *job, weir_report *report)
{
    const struct options *o = &job->options;
    weir_producer records = WEIR_PRODUCER_INIT;
    const weir_producer *const producers[] = {&records};
    weir_pool_options pool = WEIR_POOL_OPTIONS_INIT;
    weir_run_options run = WEIR_RUN_OPTIONS_INIT;
    weir_retry retry = WEIR_RETRY_INIT;
    weir_status status;

    records.item_size = sizeof(struct record);
    records.next = next_record;
    records.interrupt = interrupt_records;
    records.settle = settle_record;
    records.release = release_record;
    records.close = close_records;
    records.self = job;
    records.has_pointers = true;

    set_retry(&retry, o);
    pool.workers = o->jobs;
    pool.queue_capacity = job->capacity;
    pool.timeout_ns = o->timeout_ns;
    pool.retry = &retry;
    pool.context = job;
    pool.events = job->leavings.events;
    pool.histograms = o->metrics_file || job->watch;
    pool.on_log = o->log == LOG_OFF ? NULL : log_record;
    pool.on_log_arg = job;

    run.producers = producers;
    run.producer_count = 1;
    run.handler = handle;
    run.pool = &pool;
    run.stop_fd = signals_stop_fd();
    run.on_pool = look_at_pool;
    run.on_pool_arg = job;
    status = weir_run(&run, report);
    /* Refused before anything was touched: then it is still ours to close. */
    if (status == WEIR_EINVAL && !job->input_status)
        close_records(job);
    return status;
}

static void
look_at_pool(void *arg, const weir_pool *pool, weir_run_moment moment)
{
    struct job *job = arg;

    if (moment == WEIR_RUN_BEGINS) {
        if (!watch_begin(job->watch, pool, job->capacity, job->outputs))
            fprintf(stderr, "weir run: --watch: %s; going on without\n",
                    strerror(errno));
        return;
    }
    watch_end(job->watch);
    leavings_measure(&job->leavings, pool);
}

/* The pool's ids are the records' numbers: one producer submits all. */
static void log_record(void *arg, const weir_log_record *record)
{
    const struct job *job = arg;
    char line[512];

    if (!log_wants(job->options.log, record->level))
        return;
    log_put_into_words(line, sizeof(line), record);
    outputs_log(job->outputs, line);
}

static void set_retry(weir_retry *retry, const struct options *o)
{
    retry->max_attempts = o->attempts;
    retry->base_ns = o->backoff.base_ns;
    retry->factor = o->backoff.factor;
    retry->cap_ns = o->backoff.cap_ns;
    retry->retryable = is_worth_it;
    /* A group that was told to end may take the grace, and a moment. */
    retry->patience_ns = o->grace_ns + WEIR_SECONDS(1);
}

static bool is_worth_it(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    return outcome->kind == WEIR_OUTCOME_TIMED_OUT ||
           (outcome->kind == WEIR_OUTCOME_FAILED &&
            outcome->code != COMMAND_NO_AVAIL);
}

/* A run that was stopped, or whose output broke, has told that already. */
static void explain(const struct job *job, const weir_report *report)
{
    char shown[80];

    text_escape(shown, sizeof(shown), job->input_name, strlen(job->input_name));
    if (job->input_status == WEIR_EINVAL)
        fprintf(stderr,
                "weir run: %s: a record has more than 64 MiB; give its "
                "delimiter with -0 or -d\n",
                shown);
    else if (job->input_status)
        fprintf(stderr, "weir run: %s: %s\n", shown,
                job->input_status == WEIR_ESYSTEM
                    ? strerror(job->input_errno)
                    : weir_status_text(job->input_status));
    else if (report->status && report->status != WEIR_CANCELLED)
        fprintf(stderr, "weir run: cannot run: %s\n",
                weir_last_error()[0] ? weir_last_error()
                                     : weir_status_text(report->status));
}

static int exit_status(const struct job *job, const weir_report *report)
{
    if (signals_first())
        return EXIT_BY_SIGNAL + signals_first();
    if (outputs_broken(job->outputs) || report->status != WEIR_OK)
        return EXIT_NOT_ALL;
    return report->ledger.done == report->ledger.accepted ? EXIT_ALL_DONE
                                                          : EXIT_NOT_ALL;
}

/* ------------------------------------------------------------ the handler */

static int handle(weir_task *task, void *item)
{
    struct job *job = weir_task_context(task);
    struct record *record = item;
    const char *problem;
    char **argv;
    int answer;

    outputs_begin(job->outputs, record->output);
    problem = record_problem(record->line.text, record->line.length);
    if (problem)
        return weir_task_fail(task, COMMAND_NO_AVAIL, "not started: %s",
                              problem);
    argv = arguments_make(job->options.command, record->line.text,
                          record->line.length);
    if (!argv)
        return weir_task_fail(task, COMMAND_NO_AVAIL, "not started: no memory");
    watch_attempt_begins(job->watch, task, record->line.number,
                         record->line.text, record->line.length);
    if (job->options.dry_run)
        answer = print_command(task, job, record, argv);
    else
        answer = command_run(task, argv, job->options.grace_ns, job->outputs,
                             record->output);
    watch_attempt_ends(job->watch, task);
    free(argv);
    return answer;
}

static int print_command(weir_task *task, const struct job *job,
                         const struct record *record, char *const *argv)
{
    size_t length;
    char *text = arguments_quote(argv, &length);
    int error = ENOMEM;

    if (text)
        error = outputs_append(job->outputs, record->output, STREAM_OUT, text,
                               length);
    free(text);
    if (error)
        return weir_task_fail(task, COMMAND_NO_AVAIL, "not printed: %s",
                              strerror(error));
    return 0;
}

/* ----------------------------------------------------------- the producer */

static weir_status next_record(void *self, void *item)
{
    struct job *job = self;
    struct record *record = item;
    struct output *output = NULL;
    weir_status status = outputs_take(job->outputs, &output);

    if (!status) {
        status = job->lines.next(job->lines.self, &record->line);
        job->input_errno = errno;
        record->output = output;
    }
    if (status && output)
        outputs_give_back(job->outputs, output);
    if (status && status != WEIR_END && status != WEIR_CANCELLED)
        job->input_status = status;
    return status;
}

static void interrupt_records(void *self)
{
    struct job *job = self;

    outputs_interrupt(job->outputs);
    if (job->lines.interrupt)
        job->lines.interrupt(job->lines.self);
    outputs_announce_stop(job->outputs);
}

static void
settle_record(void *self, const void *item, const weir_outcome *outcome)
{
    struct job *job = self;
    const struct record *record = item;

    record->output->done = outcome->kind == WEIR_OUTCOME_DONE;
    if (!record->output->done)
        record->output->notice = put_into_words(job, record, outcome);
    outputs_settled(job->outputs, record->output);
    if (job->lines.settle)
        job->lines.settle(job->lines.self, &record->line, outcome);
}

/* "weir: task 7 (ARG): failed: exit status 3, attempt 2 of 3"; NULL without
 * memory. */
static char *put_into_words(const struct job *job, const struct record *record,
                            const weir_outcome *outcome)
{
    char shown[SHOWN_ROOM], reason[400], attempt[40] = "";
    char *words;

    text_escape(shown, sizeof(shown), record->line.text, record->line.length);
    give_reason(reason, sizeof(reason), job, outcome);
    if (job->options.attempts > 1 && outcome->attempts > 0)
        snprintf(attempt, sizeof(attempt), ", attempt %" PRIu32 " of %" PRIu32,
                 outcome->attempts, job->options.attempts);
    if (asprintf(&words, "weir: task %" PRIu64 " (%s): %s%s\n",
                 record->line.number, shown, reason, attempt) < 0)
        return NULL;
    return words;
}

static void give_reason(char *out, size_t room, const struct job *job,
                        const weir_outcome *outcome)
{
    char limit[24];

    switch (outcome->kind) {
    case WEIR_OUTCOME_TIMED_OUT:
        text_duration(limit, sizeof(limit), job->options.timeout_ns);
        snprintf(out, room, "timed out after %s", limit);
        break;
    case WEIR_OUTCOME_CANCELLED:
        snprintf(out, room, "cancelled: %s",
                 outcome->attempts ? "not tried again" : "not started");
        break;
    default:
        snprintf(out, room, "%s: %s", weir_outcome_name(outcome->kind),
                 outcome->message);
        break;
    }
}

static void release_record(void *self, void *item)
{
    struct job *job = self;
    struct record *record = item;

    outputs_release(job->outputs, record->output);
    if (job->lines.release)
        job->lines.release(job->lines.self, &record->line);
}

static void close_records(void *self)
{
    struct job *job = self;

    if (job->lines.close)
        job->lines.close(job->lines.self);
}
