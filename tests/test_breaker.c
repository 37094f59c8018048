/* SPDX-License-Identifier: MIT */
/* test_breaker.c - closed, open, half-open. */
#include <weir/breaker.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/deadline.h>

#include "base/fault.h"
#include "faults.h"
#include "helper.h"
#include "limit/circuit.h"
#include "suite.h"
#include "test_clock.h"

enum { TRIALS = 4, THREADS = 8 };

static weir_breaker *breaker;
static weir_breaker_options options;

static void setup(void)
{
    test_clock_install();
    options = (weir_breaker_options)WEIR_BREAKER_OPTIONS_INIT;
    options.failure_share = 0.5;
    options.window = 10;
    options.least_calls = 4;
    options.trials = TRIALS;
    options.cool_down_ns = WEIR_SECONDS(5);
}

static void teardown(void)
{
    weir__fault_arm(0);
    weir_breaker_destroy(breaker);
    breaker = NULL;
    test_clock_remove();
}

static void make(void)
{
    ck_assert_int_eq(weir_breaker_create(&breaker, &options), WEIR_OK);
}

/* ------------------------------------------------------------------ a table */

/*
 * What happens, one letter each: o, f, b, i a call that is let in and goes
 * well, fails, finds it overloaded, is ignored; ( a call is let in and ) the
 * first of those comes back well, ! badly; x none is let in; t time passes, but
 * not all of the cool-down; T the rest of it.  Then the state it is in.
 */
static const struct {
    const char *happens;
    weir_breaker_state state;
} table[] = {
    {"", WEIR_BREAKER_CLOSED},
    /* closed: too few calls, too small a share, the share */
    {"fff", WEIR_BREAKER_CLOSED},
    {"ooof", WEIR_BREAKER_CLOSED},
    {"oooff", WEIR_BREAKER_CLOSED},
    {"oofo", WEIR_BREAKER_CLOSED},
    {"oofb", WEIR_BREAKER_OPEN},
    {"ffff", WEIR_BREAKER_OPEN},
    {"fffo", WEIR_BREAKER_OPEN},
    {"fffi", WEIR_BREAKER_CLOSED},
    {"iiiiiifff", WEIR_BREAKER_CLOSED},
    /* the window slides: the failures fall out of it */
    {"oooooooooofffff", WEIR_BREAKER_OPEN},
    {"ooooooofff"
     "ooooooo"
     "ffff",
     WEIR_BREAKER_CLOSED},
    {"ooooooofff"
     "ooooooo"
     "fffff",
     WEIR_BREAKER_OPEN},
    /* open */
    {"ffffx", WEIR_BREAKER_OPEN},
    {"fffftx", WEIR_BREAKER_OPEN},
    {"fffftT", WEIR_BREAKER_OPEN},
    {"fffftT(", WEIR_BREAKER_HALF_OPEN},
    /* what was let in before does not count any more */
    {"(((ffff)))x", WEIR_BREAKER_OPEN},
    {"((((fffftToo))))", WEIR_BREAKER_HALF_OPEN},
    {"((((fffftToo!!!!", WEIR_BREAKER_HALF_OPEN},
    /* half-open: the trials */
    {"fffftTooo", WEIR_BREAKER_HALF_OPEN},
    {"fffftToooo", WEIR_BREAKER_CLOSED},
    {"fffftToofo", WEIR_BREAKER_CLOSED},
    {"fffftTfo", WEIR_BREAKER_HALF_OPEN},
    {"fffftTff", WEIR_BREAKER_OPEN},
    {"fffftToobf", WEIR_BREAKER_OPEN},
    {"fffftT((((x", WEIR_BREAKER_HALF_OPEN},
    {"fffftT((((x)x", WEIR_BREAKER_HALF_OPEN},
    {"fffftTiiiiioooo", WEIR_BREAKER_CLOSED},
    {"fffftT(((i(x", WEIR_BREAKER_HALF_OPEN},
    /* the trials do not come back */
    {"fffftT((((t", WEIR_BREAKER_HALF_OPEN},
    {"fffftT((((tx", WEIR_BREAKER_HALF_OPEN},
    {"fffftT((((tTx", WEIR_BREAKER_OPEN},
    {"fffftT((((tTx))))", WEIR_BREAKER_OPEN},
    {"fffftT((((tTxtT(", WEIR_BREAKER_HALF_OPEN},
    {"fffftT(((tT)))o", WEIR_BREAKER_CLOSED},
    /* after it closed it begins anew */
    {"fffftToooofff", WEIR_BREAKER_CLOSED},
    {"fffftToooofofo", WEIR_BREAKER_OPEN},
};

static weir_breaker_pass passes[32];
static size_t first_pass, last_pass;

static void must_enter(weir_breaker_pass *pass)
{
    ck_assert_int_eq(weir_breaker_enter(breaker, pass), WEIR_OK);
}

static void leave(weir_breaker_pass *pass, weir_result result)
{
    ck_assert_int_eq(weir_breaker_leave(breaker, pass, result), WEIR_OK);
}

static void call(weir_result result)
{
    weir_breaker_pass pass;

    must_enter(&pass);
    leave(&pass, result);
}

static void refused(void)
{
    weir_breaker_pass pass = {1};

    ck_assert_int_eq(weir_breaker_enter(breaker, &pass), WEIR_FULL);
    ck_assert_uint_eq(pass.epoch, 0);
}

static void let_happen(char what)
{
    switch (what) {
    case 'o':
        call(WEIR_RESULT_OK);
        break;
    case 'f':
        call(WEIR_RESULT_FAILED);
        break;
    case 'b':
        call(WEIR_RESULT_OVERLOADED);
        break;
    case 'i':
        call(WEIR_RESULT_IGNORED);
        break;
    case '(':
        must_enter(&passes[last_pass++]);
        break;
    case ')':
        leave(&passes[first_pass++], WEIR_RESULT_OK);
        break;
    case '!':
        leave(&passes[first_pass++], WEIR_RESULT_FAILED);
        break;
    case 'x':
        refused();
        break;
    case 't':
        test_clock_advance(WEIR_SECONDS(5) - 1);
        break;
    case 'T':
        test_clock_advance(1);
        break;
    default:
        ck_abort_msg("what is %c?", what);
    }
}

START_TEST(each_transition_has_its_cause)
{
    first_pass = last_pass = 0;
    make();
    for (const char *at = table[_i].happens; *at; at++)
        let_happen(*at);
    ck_assert_msg(weir_breaker_read(breaker) == table[_i].state,
                  "after \"%s\" it is %d", table[_i].happens,
                  (int)weir_breaker_read(breaker));
}
END_TEST

/* ---------------------------------------------------------------- half-open */

static struct gate racing;

struct racer {
    struct helper helper;
    weir_breaker_pass pass;
    bool is_in;
};

static void race(void *arg)
{
    struct racer *racer = arg;

    gate_wait(&racing);
    racer->is_in = weir_breaker_enter(breaker, &racer->pass) == WEIR_OK;
}

START_TEST(of_8_threads_exactly_the_trials_are_let_in)
{
    struct racer racers[THREADS] = {{.is_in = false}};
    size_t admitted = 0;

    make();
    for (int i = 0; i < 4; i++)
        call(WEIR_RESULT_FAILED);
    test_clock_advance(WEIR_SECONDS(5));
    racing = (struct gate)GATE_INIT;
    for (int i = 0; i < THREADS; i++)
        helper_start(&racers[i].helper, race, &racers[i]);
    gate_open(&racing);
    for (int i = 0; i < THREADS; i++)
        helper_join(&racers[i].helper);
    for (int i = 0; i < THREADS; i++)
        admitted += racers[i].is_in;
    ck_assert_uint_eq(admitted, TRIALS);
    for (int i = 0; i < THREADS; i++)
        if (racers[i].is_in)
            leave(&racers[i].pass, WEIR_RESULT_OK);
    ck_assert_int_eq(weir_breaker_read(breaker), WEIR_BREAKER_CLOSED);
}
END_TEST

/* ----------------------------------------------------------------- refusals */

START_TEST(a_pass_leaves_once)
{
    weir_breaker_pass pass = {0};

    make();
    ck_assert_int_eq(weir_breaker_leave(breaker, &pass, WEIR_RESULT_OK),
                     WEIR_EINVAL);
    must_enter(&pass);
    ck_assert_int_eq(weir_breaker_leave(breaker, &pass, (weir_result)4),
                     WEIR_EINVAL);
    leave(&pass, WEIR_RESULT_OK);
    ck_assert_int_eq(weir_breaker_leave(breaker, &pass, WEIR_RESULT_OK),
                     WEIR_EINVAL);
    ck_assert_ptr_nonnull(strstr(weir_last_error(), "pass"));
    ck_assert_int_eq(weir_breaker_leave(breaker, NULL, WEIR_RESULT_OK),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_breaker_enter(breaker, NULL), WEIR_EINVAL);
    ck_assert_int_eq(weir_breaker_enter(NULL, &pass), WEIR_EINVAL);
    ck_assert_int_eq(weir_breaker_read(NULL), WEIR_BREAKER_CLOSED);
}
END_TEST

static void assert_refused(const char *field)
{
    ck_assert_int_eq(weir_breaker_create(&breaker, &options), WEIR_EINVAL);
    ck_assert_ptr_null(breaker);
    ck_assert_msg(strstr(weir_last_error(), field) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), field);
    teardown();
    setup();
}

START_TEST(options_out_of_range_are_refused)
{
    options.failure_share = 1.01;
    assert_refused("failure_share");
    options.failure_share = 0.0 / 0.0;
    assert_refused("failure_share");
    options.failure_share = -1;
    assert_refused("failure_share");
    options.window = 1000001;
    assert_refused("window");
    options.least_calls = 11;
    assert_refused("least_calls");
    options.cool_down_ns = -1;
    assert_refused("cool_down_ns");
    options.size = 0;
    assert_refused("weir_breaker_options");
    ck_assert_int_eq(weir_breaker_create(NULL, NULL), WEIR_EINVAL);
}
END_TEST

START_TEST(the_defaults_are_those_of_the_header)
{
    weir_breaker_options read;

    ck_assert_int_eq(weir__circuit_read(&read, NULL), WEIR_OK);
    ck_assert(read.failure_share == 0.5);
    ck_assert_uint_eq(read.window, 100);
    ck_assert_uint_eq(read.least_calls, 20);
    ck_assert_uint_eq(read.trials, 10);
    ck_assert_int_eq(read.cool_down_ns, WEIR_SECONDS(10));
    options = (weir_breaker_options)WEIR_BREAKER_OPTIONS_INIT;
    options.window = 5;
    ck_assert_int_eq(weir__circuit_read(&read, &options), WEIR_OK);
    ck_assert_uint_eq(read.least_calls, 5);
}
END_TEST

static weir_status try_create(void *arg)
{
    (void)arg;
    return weir_breaker_create(&breaker, &options);
}

START_TEST(without_memory_there_is_none)
{
    /* Its own, and its lock. */
    ck_assert_uint_eq(fault_sweep(try_create, NULL, WEIR_ENOMEM), 2);
}
END_TEST

START_TEST(a_fork_child_may_not_use_it)
{
    weir_breaker_pass pass;
    pid_t child;
    int status;

    make();
    must_enter(&pass);
    child = fork();
    if (child == 0) {
        weir_breaker_pass another;
        bool right =
            weir_breaker_enter(breaker, &another) == WEIR_FORKED &&
            weir_breaker_leave(breaker, &pass, WEIR_RESULT_OK) == WEIR_FORKED;

        weir_breaker_destroy(breaker);
        _exit(right ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    leave(&pass, WEIR_RESULT_OK);
}
END_TEST

/* ---------------------------------------------------------------- by chance */

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* What has to hold of a circuit whatever time and calls do. */
static void check_circuit(const struct weir__circuit *circuit,
                          weir_breaker_state before, int64_t opened_ns)
{
    uint32_t failed = 0;

    ck_assert_uint_le(circuit->admitted, TRIALS);
    ck_assert_uint_le(circuit->returned, circuit->admitted);
    ck_assert_uint_le(circuit->calls, options.window);
    if (before == WEIR_BREAKER_OPEN && circuit->state != before) {
        ck_assert_int_eq(circuit->state, WEIR_BREAKER_HALF_OPEN);
        ck_assert_int_ge(circuit->seen_ns, opened_ns + options.cool_down_ns);
    }
    if (before == WEIR_BREAKER_CLOSED && circuit->state != before)
        ck_assert_int_eq(circuit->state, WEIR_BREAKER_OPEN);
    if (circuit->state != WEIR_BREAKER_CLOSED)
        return;
    for (uint32_t i = 0; i < circuit->calls; i++)
        failed += circuit->outcomes[i];
    ck_assert_uint_eq(circuit->failed, failed);
    ck_assert(circuit->calls < options.least_calls ||
              failed * 2 < circuit->calls);
}

START_TEST(whatever_time_and_calls_do_it_is_in_order)
{
    struct weir__circuit circuit;
    unsigned char outcomes[10] = {0};
    uint64_t epochs[16], inside = 0;
    int64_t now_ns = 0, opened_ns = 0;

    seed = UINT64_C(2862933555777941757) + (uint64_t)_i;
    printf("seed %" PRIu64 "\n", seed);
    weir__circuit_init(&circuit, &options, outcomes, now_ns);
    for (int i = 0; i < 50000; i++) {
        weir_breaker_state before = circuit.state;

        now_ns += (int64_t)draw(WEIR_MS(900)) - WEIR_MS(300);
        if (inside < 16 && draw(2)) {
            if (weir__circuit_enter(&circuit, now_ns))
                epochs[inside++] = circuit.epoch;
        } else if (inside > 0) {
            uint64_t which = draw(inside);
            uint64_t epoch = epochs[which];

            epochs[which] = epochs[--inside];
            weir__circuit_leave(&circuit, epoch, (weir_result)draw(4), now_ns);
        }
        check_circuit(&circuit, before, opened_ns);
        if (circuit.state == WEIR_BREAKER_OPEN && before != circuit.state)
            opened_ns = circuit.seen_ns;
    }
    ck_assert_uint_gt(circuit.epoch, 100);
}
END_TEST

int main(void)
{
    const TTest *const transitions[] = {each_transition_has_its_cause, NULL};
    const TTest *const races[] = {of_8_threads_exactly_the_trials_are_let_in,
                                  NULL};
    const TTest *const refusals[] = {a_pass_leaves_once,
                                     options_out_of_range_are_refused,
                                     the_defaults_are_those_of_the_header,
                                     without_memory_there_is_none,
                                     a_fork_child_may_not_use_it,
                                     NULL};
    const TTest *const chance[] = {whatever_time_and_calls_do_it_is_in_order,
                                   NULL};
    const struct chapter chapters[] = {
        {"transitions", transitions, setup, teardown,
         sizeof(table) / sizeof(table[0]), 0},
        {"half-open", races, setup, teardown, 50, 0},
        {"refusals", refusals, setup, teardown, 0, 0},
        {"by chance", chance, setup, teardown, 20, 0},
        {NULL, NULL, NULL, NULL, 0, 0}};

    return report("breaker", chapters);
}
