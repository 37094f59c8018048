/* SPDX-License-Identifier: MIT */
/*
 * contest.c - contenders that take turns at the same work.
 *
 * THE IDEA
 *
 * A round is one process per contender; each next round begins with another
 * contender, so that a slow stretch of the machine falls on all of them and
 * nobody always comes after the same one.  The medians are compared.
 *
 * A contender says what came out; whether that is right is decided here: how
 * many items, the sum of their first words and the exclusive or of their hashed
 * last words.  A wrong one is an error, not a row.
 *
 * What others used is what all processors did, less what the contender and we
 * did.  The system counts in hundredths of a second, so it is told only for
 * all rounds of a contender together.
 */
#include "contest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "machine.h"

/* Less than this is too short to tell what others used. */
#define LONG_ENOUGH_S 0.3

/* How long one looks whether it is quiet. */
#define LOOK_S 0.1

/* One answer of a contender. */
struct answer {
    enum row_state state;
    char why[80];
    double figures[FIGURES];
    double foreign_s, lasted_s;
};

/* ----------------------------------------------------------------- checks */

/* The exclusive or of all hashes, 1 to items. */
static uint64_t hash_of(uint64_t items)
{
    static uint64_t known_items, known_hash;

    if (items != known_items) {
        known_hash = 0;
        for (uint64_t i = 1; i <= items; i++)
            known_hash ^= i * WORK_HASH;
        known_items = items;
    }
    return known_hash;
}

/* Fills in `figures` of a line that is right. */
static bool
read_answer(const struct work *work, const char *line, struct answer *out)
{
    static const char *const names[] = {"p50_ns", "p99_ns", "p999_ns",
                                        "max_ns"};
    uint64_t wall, cpu, switches, items, sum, hash, late[4] = {0};
    uint64_t ideal = work->items / work->consumers * work->span_us * 1000;
    double n = work->kind == WORK_IDLE ? 1 : (double)work->items;
    bool whole = child_number(line, "wall_ns", &wall) &&
                 child_number(line, "cpu_ns", &cpu) &&
                 child_number(line, "switches", &switches) &&
                 child_number(line, "items", &items) &&
                 child_number(line, "sum", &sum) &&
                 child_number(line, "xor", &hash);

    for (int i = 0; i < 4 && work_is_timed(work->kind); i++)
        whole = whole && child_number(line, names[i], &late[i]);
    if (!whole) {
        snprintf(out->why, sizeof(out->why), "its answer makes no sense");
        return false;
    }
    if (items != work->items || sum != work->items * (work->items + 1) / 2 ||
        hash != hash_of(work->items)) {
        snprintf(out->why, sizeof(out->why),
                 "wrong %s: items were lost, doubled or torn",
                 items != work->items ? "count" : "sum");
        return false;
    }
    if (work->kind == WORK_SLEEPS && wall < ideal) {
        snprintf(out->why, sizeof(out->why),
                 "too soon: more slept at once than there are workers");
        return false;
    }
    if (work->kind == WORK_SLEEPS)
        out->figures[FIGURE_OVER_NS] = (double)(wall - ideal);
    out->figures[FIGURE_WALL_NS] = (double)wall / n;
    out->figures[FIGURE_CPU_NS] = (double)cpu / n;
    out->figures[FIGURE_SWITCHES] = (double)switches / n;
    for (int i = 0; i < 4; i++)
        out->figures[FIGURE_P50_NS + i] = (double)late[i];
    return true;
}

/* ------------------------------------------------------------------- turns */

static void call(const struct entrant *who, const struct work *work,
                 unsigned limit_s, struct child_end *end)
{
    char words[WORK_ARGUMENTS - 1][24], program[PATH_MAX];
    char kind[16];
    char *argv[WORK_ARGUMENTS + 2] = {program, kind};
    const uint64_t numbers[WORK_ARGUMENTS - 1] = {
        work->producers, work->consumers, work->capacity,
        work->item_size, work->batch,     work->items,
        work->rate,      work->bound,     work->span_us};

    snprintf(program, sizeof(program), "%s", who->path);
    snprintf(kind, sizeof(kind), "%s", work_kind_name(work->kind));
    for (int i = 0; i < WORK_ARGUMENTS - 1; i++) {
        snprintf(words[i], sizeof(words[i]), "%" PRIu64, numbers[i]);
        argv[i + 2] = words[i];
    }
    *end = child_run(argv, limit_s);
}

/* Judges an ending. */
static void judge(const struct work *work, const struct child_end *end,
                  unsigned limit_s, struct answer *out)
{
    out->state = ROW_FAILED;
    if (!end->started)
        snprintf(out->why, sizeof(out->why), "not started");
    else if (end->timed_out)
        snprintf(out->why, sizeof(out->why),
                 "no end within %u s: a lost item or wake-up?", limit_s);
    else if (end->status == WORK_ABSENT &&
             child_text(end->line, "absent", out->why, sizeof(out->why)))
        out->state = ROW_ABSENT;
    else if (end->status > 128)
        snprintf(out->why, sizeof(out->why), "ended by signal %d (%s)",
                 end->status - 128, strsignal(end->status - 128));
    else if (end->status)
        snprintf(out->why, sizeof(out->why), "exit status %d", end->status);
    else if (read_answer(work, end->line, out))
        out->state = ROW_FINE;
}

static struct answer
take_turn(const struct entrant *who, const struct work *work, unsigned limit_s,
          pid_t taker)
{
    struct answer answer = {0};
    double ours = machine_cpu_s(getpid()), taken = machine_cpu_s(taker);
    struct machine_load before = machine_load(), after;
    struct child_end end;

    call(who, work, limit_s, &end);
    after = machine_load();
    ours = machine_cpu_s(getpid()) - ours + machine_cpu_s(taker) - taken;
    answer.lasted_s = after.now_s - before.now_s;
    answer.foreign_s =
        after.busy_s - before.busy_s - ours - (double)end.cpu_ns / 1e9;
    judge(work, &end, limit_s, &answer);
    return answer;
}

static void say_progress(const struct contest *contest, const struct row *row,
                         unsigned round)
{
    if (isatty(STDERR_FILENO) && row)
        fprintf(stderr, "\r\033[K%s %s, round %u: %s", contest->bench->name,
                contest->work.label, round + 1, row->who->id);
    else if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
}

/* False: it has failed. */
static bool note(struct row *row, const struct answer *answer)
{
    row->state = answer->state;
    snprintf(row->why, sizeof(row->why), "%s", answer->why);
    if (answer->state == ROW_FINE) {
        for (int f = 0; f < FIGURES; f++)
            row->each[f][row->rounds] = answer->figures[f];
        row->rounds++;
    }
    return answer->state != ROW_FAILED;
}

/* Waits until others leave the processors alone, at most so long. */
static void await_quiet(unsigned most_s, pid_t taker)
{
    double looks = most_s / LOOK_S;

    while (looks-- > 0 && !child_stop_signal() &&
           machine_foreign(LOOK_S, taker) > CONTEST_FOREIGN)
        continue;
}

/* Each contender, beginning with another one each round. */
static bool
run_round(struct contest *contest, unsigned round,
          const struct options *options, pid_t taker, double (*foreign)[2])
{
    bool good = true;

    for (size_t i = 0; i < contest->count; i++) {
        size_t r = (round + i) % contest->count;
        struct row *row = &contest->rows[r];
        struct answer answer;

        if (row->state != ROW_FINE || child_stop_signal())
            continue;
        say_progress(contest, row, round);
        await_quiet(options->wait_s, taker);
        answer =
            take_turn(row->who, &contest->work.work, options->limit_s, taker);
        say_progress(contest, NULL, round);
        foreign[r][0] += answer.foreign_s;
        foreign[r][1] += answer.lasted_s;
        if (note(row, &answer) || child_stop_signal())
            continue;
        fprintf(stderr, "weir-bench: %s: %s %s: %s\n", row->who->id,
                contest->bench->name, contest->work.label, row->why);
        good = false;
    }
    return good;
}

/* ----------------------------------------------------------------- figures */

enum figure contest_figure(const struct contest *contest)
{
    return bench_columns(contest->bench->kind)->of[0].figure;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct spread spread_of(const double *values, unsigned count)
{
    double sorted[MOST_ROUNDS];

    memcpy(sorted, values, count * sizeof(*values));
    qsort(sorted, count, sizeof(*sorted), by_size);
    return (struct spread){(sorted[(count - 1) / 2] + sorted[count / 2]) / 2,
                           sorted[0], sorted[count - 1]};
}

static enum figure ordered_by; /* for qsort */

static int by_figure(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->state != y->state)
        return (int)x->state - (int)y->state;
    return by_size(&x->spread[ordered_by].median,
                   &y->spread[ordered_by].median);
}

static bool is_among(const struct contest *contest, const struct entrant *who,
                     enum among among)
{
    /* Of the other works of pools none fills the queue but these. */
    bool room_matters = contest->bench->kind <= WORK_TASKS;

    if (among == AMONG_TEXTBOOK)
        return who->side == ENTRANT_TEXTBOOK;
    return who->side == ENTRANT_PEER &&
           (among != AMONG_PEERS || who->bounded || !room_matters) &&
           (among != AMONG_NATIVE_PEERS || who->native);
}

const struct row *contest_best(const struct contest *contest,
                               enum figure figure, enum among among)
{
    const struct row *best = NULL;

    for (size_t i = 0; i < contest->count; i++) {
        const struct row *row = &contest->rows[i];

        if (row->state == ROW_FINE && is_among(contest, row->who, among) &&
            (!best || row->spread[figure].median < best->spread[figure].median))
            best = row;
    }
    return best;
}

/* How fast a row is beside threads without a queue; 0: not known. */
static double share_of_bare(const struct contest *contest, double median)
{
    for (size_t i = 0; i < contest->count; i++) {
        const struct row *row = &contest->rows[i];

        if (row->state == ROW_FINE && row->who->side == ENTRANT_BARE)
            return row->spread[FIGURE_WALL_NS].median / median;
    }
    return 0;
}

static void compare(struct contest *contest)
{
    enum figure figure = contest_figure(contest);
    const struct row *textbook = contest_best(contest, figure, AMONG_TEXTBOOK);
    const struct row *peer = contest_best(contest, figure, AMONG_PEERS);

    for (size_t i = 0; i < contest->count; i++) {
        struct row *row = &contest->rows[i];
        double median = row->spread[figure].median;

        if (row->state != ROW_FINE || median <= 0)
            continue;
        row->times_bare = share_of_bare(contest, median);
        if (textbook)
            row->times_textbook = textbook->spread[figure].median / median;
        if (peer)
            row->times_peer = peer->spread[figure].median / median;
    }
}

bool contest_run(struct contest *contest, unsigned rounds,
                 const struct options *options)
{
    double foreign[MOST_ENTRANTS][2] = {{0}};
    pid_t taker = contest->work.taken ? machine_take() : -1;
    bool good = true;

    for (unsigned round = 0; round < rounds && !child_stop_signal(); round++)
        good = run_round(contest, round, options, taker, foreign) && good;
    machine_give_back(taker);
    if (child_stop_signal())
        return false;
    for (size_t i = 0; i < contest->count; i++) {
        struct row *row = &contest->rows[i];

        if (foreign[i][1] > LONG_ENOUGH_S && foreign[i][0] > 0)
            row->foreign = foreign[i][0] / foreign[i][1];
        for (int f = 0; f < FIGURES && row->state == ROW_FINE; f++)
            row->spread[f] = spread_of(row->each[f], row->rounds);
    }
    compare(contest);
    ordered_by = contest_figure(contest);
    qsort(contest->rows, contest->count, sizeof(*contest->rows), by_figure);
    return good;
}
