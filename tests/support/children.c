/* SPDX-License-Identifier: MIT */
/* children.c - see children.h. */
#include "children.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "gate.h"

weir_pool *pool;
weir_pool_options options;
weir_process_options children;
struct board *board;

static weir_future *last; /* whose message and result are lent */

/* There is nothing to be told by: other processes are nobody's we know. */
static void wait_a_moment(void)
{
    struct timespec moment = {0, 200000};

    clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
}

static weir_deadline hang(void)
{
    return weir_deadline_after(WEIR_SECONDS(10) * test_slowness());
}

/* --------------------------------------------------------------- fixtures */

void children_setup(void)
{
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(board, MAP_FAILED);
    ck_assert_int_eq(sem_init(&board->begun, 1, 0), 0);
    ck_assert_int_eq(sem_init(&board->go, 1, 0), 0);
    ck_assert_msg(weir_process_start() == WEIR_OK, "%s", weir_last_error());
    options = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
    children = (weir_process_options)WEIR_PROCESS_OPTIONS_INIT;
    options.workers = 1;
    options.isolation = WEIR_ISOLATE_PROCESS;
    options.item_size = sizeof(struct deed);
    options.process = &children;
}

void open_children(void)
{
    ck_assert_msg(weir_pool_create(&pool, &options) == WEIR_OK, "%s",
                  weir_last_error());
}

/* Which Linux lists by number. */
static bool has_children(int pid)
{
    char path[64], line[32];
    FILE *file;
    bool found;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    file = fopen(path, "re");
    found = file && fgets(line, sizeof(line), file);
    if (file)
        fclose(file);
    return found;
}

/* The pool's are gone by now; what they have started may take a moment. */
static void await_no_children(void)
{
    int server = atomic_load(&board->server);
    weir_deadline limit = hang();

    while (server != 0 && has_children(server)) {
        ck_assert_msg(weir_deadline_remaining(limit) > 0,
                      "the server has a child left");
        wait_a_moment();
    }
}

void end_children(void)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;

    weir_future_release(last);
    last = NULL;
    ck_assert_int_eq(weir_pool_stop(pool, WEIR_STOP_NOW, hang()), WEIR_OK);
    weir_pool_read_stats(pool, &stats);
    ck_assert(weir_ledger_balances(&stats.ledger));
    ck_assert_uint_eq(stats.ledger.overdue, 0);
    weir_pool_destroy(pool);
    pool = NULL;
    await_no_children();
}

void children_teardown(void)
{
    if (pool)
        end_children();
    munmap(board, sizeof(*board));
}

/* ------------------------------------------------------------------- deeds */

int do_deed(weir_task *task, void *item)
{
    struct deed *deed = item;

    atomic_store(&board->child, getpid());
    atomic_store(&board->server, getppid());
    return deed->act(task, deed);
}

static weir_future *submit_within(struct deed deed, int64_t timeout_ns)
{
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    weir_future *future = NULL;

    spec.handler = do_deed;
    spec.item = &deed;
    spec.copy = true;
    spec.timeout_ns = timeout_ns;
    ck_assert_msg(weir_pool_submit_task(pool, &spec, &future, hang()) ==
                      WEIR_OK,
                  "%s", weir_last_error());
    return future;
}

weir_future *submit_deed(struct deed deed)
{
    return submit_within(deed, 0);
}

weir_outcome outcome_of(weir_future *future)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;

    weir_future_release(last);
    last = future;
    ck_assert_int_eq(weir_future_wait(future, &outcome, hang()), WEIR_OK);
    return outcome;
}

weir_outcome outcome_of_deed(struct deed deed)
{
    return outcome_of(submit_deed(deed));
}

void assert_kind(struct deed deed, weir_outcome_kind kind, int code)
{
    weir_outcome outcome = outcome_of_deed(deed);

    ck_assert_msg(outcome.kind == kind && outcome.code == code,
                  "%s %d (%s), not %s %d", weir_outcome_name(outcome.kind),
                  outcome.code, outcome.message, weir_outcome_name(kind), code);
}

/* However busy the machine is. */
void assert_says(const char *word)
{
    ck_assert_msg(strstr(weir_last_error(), word) != NULL,
                  "\"%s\" does not say %s", weir_last_error(), word);
}

void assert_serves(void)
{
    weir_outcome outcome =
        outcome_of(submit_within((struct deed){act_nothing, 0, ""}, -1));

    ck_assert_msg(outcome.kind == WEIR_OUTCOME_DONE, "%s (%s), not done",
                  weir_outcome_name(outcome.kind), outcome.message);
}

int act_nothing(weir_task *task, struct deed *deed)
{
    (void)task;
    (void)deed;
    return 0;
}

int act_await_go(weir_task *task, struct deed *deed)
{
    (void)task;
    sem_post(&board->begun);
    while (sem_wait(&board->go))
        continue;
    return (int)deed->n;
}

int act_overstay(weir_task *task, struct deed *deed)
{
    (void)task;
    (void)deed;
    sem_post(&board->begun);
    for (;;)
        pause();
}

/* ----------------------------------------------------------------- waiting */

void await_sem(sem_t *sem)
{
    struct timespec limit = hang_limit();
    int error;

    limit = by_time_of_day(&limit);
    do
        error = sem_timedwait(sem, &limit) ? errno : 0;
    while (error == EINTR);
    ck_assert_msg(error == 0, "the other process did not come so far");
}

bool is_there(pid_t pid)
{
    return kill(pid, 0) == 0;
}

void await_gone(pid_t pid)
{
    weir_deadline limit = hang();

    while (is_there(pid)) {
        ck_assert_msg(weir_deadline_remaining(limit) > 0,
                      "process %d is still there", (int)pid);
        wait_a_moment();
    }
}

static char state_of(pid_t pid)
{
    char path[64], state = '?';
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    if (file)
        fclose(file);
    return state;
}

void stop_process(pid_t pid)
{
    weir_deadline limit = hang();

    kill(pid, SIGSTOP);
    while (state_of(pid) != 'T') {
        ck_assert_msg(weir_deadline_remaining(limit) > 0,
                      "process %d does not stop", (int)pid);
        wait_a_moment();
    }
}
