/* SPDX-License-Identifier: MIT */
/*
 * test_adaptive.c - as many at once as the service can take.
 *
 * The policy is let loose on a service in virtual time: `capacity` calls are
 * served at once, each for about a second, as many again may queue, and the
 * rest are turned away after a tenth of a second.  There is always more to do
 * than the limit lets in.  An answer within 4 seconds is good.
 */
#include <weir/adaptive.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "faults.h"
#include "helper.h"
#include "limit/estimate.h"
#include "suite.h"
#include "test_clock.h"

enum { MOST_CALLS = 2000 };

static uint64_t seed;
static int variation; /* of the seed */

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* ------------------------------------------------------------- the service */

struct call_made {
    int64_t since_ns, ends_ns; /* ends: INT64_MAX while it queues */
    uint64_t epoch;
    bool is_refused;
};

static struct service {
    size_t capacity, served, queued;
    struct call_made calls[MOST_CALLS]; /* in order of arrival */
    size_t in_flight;
    int64_t now_ns;
    uint64_t made, refused, good;
} service;

static struct weir__estimate estimate;
static size_t fixed_limit; /* not 0: instead of the estimate */

static size_t limit_now(void)
{
    return fixed_limit ? fixed_limit : weir__estimate_limit(&estimate);
}

/* As the policy has it, before it is cut to a whole number. */
static double exact_limit(void)
{
    double limit = estimate.limit;

    return estimate.phase == WEIR__FOLLOWING ? limit : limit / 2;
}

static int64_t service_time(void)
{
    return WEIR_MS(800) + (int64_t)draw((uint64_t)WEIR_MS(400));
}

static void serve_queue(void)
{
    for (size_t i = 0; i < service.in_flight; i++) {
        if (service.served >= service.capacity || service.queued == 0)
            return;
        if (service.calls[i].ends_ns < INT64_MAX)
            continue;
        service.calls[i].ends_ns = service.now_ns + service_time();
        service.queued--;
        service.served++;
    }
}

static void make_call(void)
{
    struct call_made *made = &service.calls[service.in_flight++];

    *made = (struct call_made){.since_ns = service.now_ns,
                               .ends_ns = INT64_MAX,
                               .epoch = estimate.epoch};
    service.made++;
    made->is_refused = service.served >= service.capacity &&
                       service.queued >= service.capacity;
    if (made->is_refused) {
        made->ends_ns = service.now_ns + WEIR_MS(100);
        service.refused++;
    } else {
        service.queued++;
    }
    serve_queue();
}

static void end_call(size_t which)
{
    struct call_made ended = service.calls[which];
    int64_t latency_ns = ended.ends_ns - ended.since_ns;

    service.now_ns = ended.ends_ns;
    weir__estimate_note(&estimate, ended.epoch, service.in_flight, latency_ns,
                        ended.is_refused ? WEIR_RESULT_OVERLOADED
                                         : WEIR_RESULT_OK);
    service.served -= !ended.is_refused;
    service.good += !ended.is_refused && latency_ns <= WEIR_SECONDS(4);
    service.in_flight--;
    memmove(&service.calls[which], &service.calls[which + 1],
            (service.in_flight - which) * sizeof(ended));
    serve_queue();
}

static size_t next_to_end(void)
{
    size_t next = 0;

    for (size_t i = 1; i < service.in_flight; i++)
        if (service.calls[i].ends_ns < service.calls[next].ends_ns)
            next = i;
    return next;
}

/* How the limit has moved since the last call of watch(). */
static struct {
    double least, most, turn;
    int direction; /* of the last move of more than a tenth */
    int changes;
} watched;

static void watch(void)
{
    double limit = exact_limit();

    watched.least = watched.most = watched.turn = limit;
    watched.direction = watched.changes = 0;
}

/* A change of direction is one if it leads 10 % away from the turning point. */
static void look_at_limit(void)
{
    double limit = exact_limit();
    int way = limit > watched.turn * 1.1   ? 1
              : limit < watched.turn * 0.9 ? -1
                                           : 0;

    if (limit < watched.least)
        watched.least = limit;
    if (limit > watched.most)
        watched.most = limit;
    if (watched.direction >= 0 && limit > watched.turn && watched.direction)
        watched.turn = limit;
    if (watched.direction < 0 && limit < watched.turn)
        watched.turn = limit;
    if (way == 0 || way == watched.direction)
        return;
    watched.changes += watched.direction != 0;
    watched.direction = way;
    watched.turn = limit;
}

static void run_until(int64_t end_ns)
{
    while (service.now_ns < end_ns) {
        while (service.in_flight < limit_now()) {
            ck_assert_uint_lt(service.in_flight, MOST_CALLS);
            make_call();
        }
        end_call(next_to_end());
        look_at_limit();
    }
}

static void open_service(weir_adaptive_kind kind, size_t capacity)
{
    weir_adaptive_options asked = WEIR_ADAPTIVE_OPTIONS_INIT, read;

    asked.kind = kind;
    ck_assert_int_eq(weir__estimate_read(&read, &asked), WEIR_OK);
    weir__estimate_init(&estimate, &read);
    memset(&service, 0, sizeof(service));
    service.capacity = capacity;
}

/* Good answers in so many seconds from now. */
static uint64_t good_in(int64_t seconds)
{
    uint64_t before = service.good;

    run_until(service.now_ns + WEIR_SECONDS(seconds));
    return service.good - before;
}

/* The best that a fixed limit delivers, from half the capacity to twice that:
 * above that calls are refused, below it servers are idle. */
static uint64_t best_fixed(size_t capacity, int64_t seconds)
{
    uint64_t best = 0, found;

    for (size_t quarters = 2; quarters <= 8; quarters++) {
        open_service(WEIR_ADAPTIVE_GRADIENT, capacity);
        fixed_limit = capacity * quarters / 4;
        good_in(10);
        found = good_in(seconds);
        fixed_limit = 0;
        if (found > best)
            best = found;
    }
    return best;
}

/* --------------------------------------------------------- what it delivers */

enum { LEARNING = 50, COUNTED = 150 };

static const size_t capacities[] = {4, 40, 10};

static void follow_steps(weir_adaptive_kind kind)
{
    uint64_t best[3];

    seed = UINT64_C(3202034522624059733) + (uint64_t)variation;
    printf("seed %" PRIu64 "\n", seed);
    for (int i = 0; i < 3; i++)
        best[i] = best_fixed(capacities[i], COUNTED);
    open_service(kind, capacities[0]);
    for (int i = 0; i < 3; i++) {
        uint64_t good;

        service.capacity = capacities[i];
        good_in(LEARNING);
        good = good_in(COUNTED);
        printf("capacity %zu: limit %zu, good %" PRIu64 " of %" PRIu64 "\n",
               capacities[i], limit_now(), good, best[i]);
        ck_assert_uint_ge(good * 10, best[i] * 8);
    }
    printf("refused %" PRIu64 " of %" PRIu64 "\n", service.refused,
           service.made);
    ck_assert_uint_lt(service.refused * 20, service.made);
}

START_TEST(aimd_follows_steps_of_capacity)
{
    variation = _i;
    follow_steps(WEIR_ADAPTIVE_AIMD);
}
END_TEST

START_TEST(the_gradient_follows_steps_of_capacity)
{
    variation = _i;
    follow_steps(WEIR_ADAPTIVE_GRADIENT);
}
END_TEST

/* A thousand service times in which nothing changes. */
static void stay(weir_adaptive_kind kind, size_t capacity)
{
    seed = UINT64_C(3935559000370003845) + (uint64_t)variation;
    printf("seed %" PRIu64 "\n", seed);
    open_service(kind, capacity);
    good_in(400); /* it has found out by then what is to be found out */
    watch();
    good_in(1000);
    printf("capacity %zu: limit %.1f to %.1f, %d changes of direction\n",
           capacity, watched.least, watched.most, watched.changes);
}

START_TEST(if_nothing_changes_the_gradient_hardly_does)
{
    variation = _i;
    for (size_t i = 0; i < 3; i++) {
        stay(WEIR_ADAPTIVE_GRADIENT, capacities[i]);
        ck_assert_int_le(watched.changes, 2);
    }
}
END_TEST

START_TEST(if_nothing_changes_aimd_stays_within_a_quarter)
{
    variation = _i;
    for (size_t i = 0; i < 3; i++) {
        stay(WEIR_ADAPTIVE_AIMD, capacities[i]);
        ck_assert(watched.most * 0.75 <= watched.least);
    }
}
END_TEST

/* What it takes without a queue becomes three times as long. */
START_TEST(a_service_that_becomes_slower_is_not_taken_to_be_overloaded)
{
    weir_adaptive_options asked = WEIR_ADAPTIVE_OPTIONS_INIT, read;
    int64_t latency_ns = WEIR_SECONDS(1);

    asked.start = 20;
    asked.most = 40;
    ck_assert_int_eq(weir__estimate_read(&read, &asked), WEIR_OK);
    weir__estimate_init(&estimate, &read);
    for (int i = 0; i < 100000; i++) {
        if (i == 20000)
            latency_ns = WEIR_SECONDS(4);
        weir__estimate_note(&estimate, estimate.epoch, limit_now(), latency_ns,
                            WEIR_RESULT_OK);
    }
    ck_assert(estimate.limit == 40);
}
END_TEST

START_TEST(it_does_not_rise_while_it_is_not_made_use_of)
{
    for (int kind = 0; kind < 2; kind++) {
        open_service((weir_adaptive_kind)kind, 4);
        for (int i = 0; i < 1000; i++)
            weir__estimate_note(&estimate, estimate.epoch, 1, WEIR_MS(1),
                                WEIR_RESULT_OK);
        ck_assert(estimate.limit == 4);
    }
}
END_TEST

START_TEST(what_was_in_flight_together_lets_it_fall_once)
{
    uint64_t epoch;

    open_service(WEIR_ADAPTIVE_AIMD, 4);
    epoch = estimate.epoch;
    for (int i = 0; i < 4; i++)
        weir__estimate_note(&estimate, epoch, 4, 1, WEIR_RESULT_OVERLOADED);
    ck_assert(estimate.limit > 3.5);
    weir__estimate_note(&estimate, estimate.epoch, 4, 1,
                        WEIR_RESULT_OVERLOADED);
    ck_assert(estimate.limit < 3.5);
}
END_TEST

/* One window of good calls, with all of the limit in use. */
static void note_window(void)
{
    size_t limit = limit_now();

    for (size_t i = 0; i < (limit > 16 ? limit : 16); i++)
        weir__estimate_note(&estimate, estimate.epoch, limit, 1,
                            WEIR_RESULT_OK);
}

START_TEST(aimd_goes_slowly_where_it_was_overloaded)
{
    open_service(WEIR_ADAPTIVE_AIMD, 4);
    estimate.limit = 100;
    weir__estimate_note(&estimate, estimate.epoch, 100, 1,
                        WEIR_RESULT_OVERLOADED);
    ck_assert(estimate.limit == 90);
    note_window();
    ck_assert(estimate.limit == 90.25);
    estimate.limit = 50;
    note_window();
    ck_assert(estimate.limit == 51);
    estimate.limit = 120;
    note_window();
    ck_assert(estimate.limit == 121);
}
END_TEST

/* Failures and what is ignored say nothing; latencies leap, and are negative
 * where the clock has jumped back. */
START_TEST(whatever_time_does_it_stays_within_its_bounds)
{
    weir_adaptive_options asked = WEIR_ADAPTIVE_OPTIONS_INIT, read;

    seed = UINT64_C(7046029254386353131) + (uint64_t)_i;
    printf("seed %" PRIu64 "\n", seed);
    asked.kind = (weir_adaptive_kind)(_i % 2);
    asked.least = (uint32_t)(1 + draw(5));
    asked.most = (uint32_t)(asked.least + draw(100));
    ck_assert_int_eq(weir__estimate_read(&read, &asked), WEIR_OK);
    weir__estimate_init(&estimate, &read);
    for (int i = 0; i < 20000; i++) {
        int64_t latency_ns = (int64_t)(draw(INT64_MAX) >> draw(62));
        uint64_t epoch = estimate.epoch - draw(estimate.epoch < 3 ? 1 : 3);
        double before = estimate.limit;
        weir_result result = (weir_result)draw(4);

        if (draw(10) == 0)
            latency_ns = -latency_ns;
        weir__estimate_note(&estimate, epoch, 1 + (size_t)draw(limit_now()),
                            latency_ns, result);
        ck_assert_uint_ge(limit_now(), asked.least);
        ck_assert_uint_le(limit_now(), asked.most);
        if (result == WEIR_RESULT_FAILED || result == WEIR_RESULT_IGNORED)
            ck_assert(estimate.limit == before);
    }
}
END_TEST

/* ---------------------------------------------------------------- the front */

static weir_adaptive *adaptive;
static weir_adaptive_options options;

static void setup(void)
{
    test_clock_install();
    options = (weir_adaptive_options)WEIR_ADAPTIVE_OPTIONS_INIT;
    options.kind = WEIR_ADAPTIVE_AIMD;
    options.start = 2;
}

static void teardown(void)
{
    weir__fault_arm(0);
    weir_adaptive_destroy(adaptive);
    adaptive = NULL;
    test_clock_remove();
}

static void make(void)
{
    ck_assert_int_eq(weir_adaptive_create(&adaptive, &options), WEIR_OK);
}

static void must_enter(weir_adaptive_pass *pass)
{
    ck_assert_int_eq(weir_adaptive_enter(adaptive, pass, WEIR_NOW), WEIR_OK);
}

static void must_leave(weir_adaptive_pass *pass, weir_result result)
{
    ck_assert_int_eq(weir_adaptive_leave(adaptive, pass, result), WEIR_OK);
}

START_TEST(no_more_than_the_limit_are_in_flight)
{
    weir_adaptive_pass passes[2], another = {1, 1};

    make();
    ck_assert_uint_eq(weir_adaptive_limit(adaptive), 2);
    must_enter(&passes[0]);
    must_enter(&passes[1]);
    ck_assert_uint_eq(weir_adaptive_in_flight(adaptive), 2);
    ck_assert_int_eq(weir_adaptive_enter(adaptive, &another, WEIR_NOW),
                     WEIR_TIMED_OUT);
    ck_assert_uint_eq(another.epoch, 0);
    must_leave(&passes[0], WEIR_RESULT_OK);
    must_enter(&another);
    must_leave(&another, WEIR_RESULT_OK);
    must_leave(&passes[1], WEIR_RESULT_OK);
    ck_assert_uint_eq(weir_adaptive_in_flight(adaptive), 0);
}
END_TEST

struct enterer {
    struct helper helper;
    weir_adaptive_pass pass;
    weir_deadline deadline;
    weir_status status;
};

static void enter(void *arg)
{
    struct enterer *enterer = arg;

    enterer->status =
        weir_adaptive_enter(adaptive, &enterer->pass, enterer->deadline);
}

/* Of three in flight one leaves, and the limit is 2: nobody comes in. */
START_TEST(who_waits_is_let_in_only_when_there_is_room_below_the_limit)
{
    struct enterer waiting = {.deadline = {WEIR_SECONDS(5000)}};
    weir_adaptive_pass passes[3];

    options.start = 3;
    make();
    for (int i = 0; i < 3; i++)
        must_enter(&passes[i]);
    helper_start(&waiting.helper, enter, &waiting);
    test_clock_await_waiter(waiting.deadline.at_ns);
    must_leave(&passes[0], WEIR_RESULT_OVERLOADED);
    ck_assert_uint_eq(weir_adaptive_limit(adaptive), 2);
    ck_assert_uint_eq(weir_adaptive_in_flight(adaptive), 2);
    must_leave(&passes[1], WEIR_RESULT_OK);
    helper_join(&waiting.helper);
    ck_assert_int_eq(waiting.status, WEIR_OK);
    ck_assert_uint_eq(weir_adaptive_in_flight(adaptive), 2);
    must_leave(&passes[2], WEIR_RESULT_OK);
    must_leave(&waiting.pass, WEIR_RESULT_OK);
}
END_TEST

START_TEST(a_limit_that_rises_lets_in_who_waits)
{
    struct enterer waiting[2] = {{.deadline = {WEIR_SECONDS(5000)}},
                                 {.deadline = {WEIR_SECONDS(5001)}}};
    weir_adaptive_pass passes[2];

    make();
    must_enter(&passes[0]);
    for (int i = 0; i < 15; i++) { /* one short of a window */
        must_enter(&passes[1]);
        must_leave(&passes[1], WEIR_RESULT_OK);
    }
    must_enter(&passes[1]);
    for (int i = 0; i < 2; i++) {
        helper_start(&waiting[i].helper, enter, &waiting[i]);
        test_clock_await_waiter(waiting[i].deadline.at_ns);
    }
    must_leave(&passes[1], WEIR_RESULT_OK);
    ck_assert_uint_eq(weir_adaptive_limit(adaptive), 3);
    for (int i = 0; i < 2; i++) {
        helper_join(&waiting[i].helper);
        must_leave(&waiting[i].pass, WEIR_RESULT_OK);
    }
    must_leave(&passes[0], WEIR_RESULT_OK);
}
END_TEST

START_TEST(a_pass_leaves_once)
{
    weir_adaptive_pass pass = {0, 0};

    make();
    ck_assert_int_eq(weir_adaptive_leave(adaptive, &pass, WEIR_RESULT_OK),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_adaptive_leave(adaptive, NULL, WEIR_RESULT_OK),
                     WEIR_EINVAL);
    must_enter(&pass);
    ck_assert_int_eq(weir_adaptive_leave(adaptive, &pass, (weir_result)-1),
                     WEIR_EINVAL);
    must_leave(&pass, WEIR_RESULT_OK);
    ck_assert_int_eq(weir_adaptive_leave(adaptive, &pass, WEIR_RESULT_OK),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_adaptive_enter(adaptive, NULL, WEIR_NOW),
                     WEIR_EINVAL);
    ck_assert_int_eq(weir_adaptive_enter(NULL, &pass, WEIR_NOW), WEIR_EINVAL);
    ck_assert_uint_eq(weir_adaptive_limit(NULL), 0);
    ck_assert_uint_eq(weir_adaptive_in_flight(NULL), 0);
    ck_assert_uint_eq(weir_adaptive_in_flight(adaptive), 0);
}
END_TEST

static void assert_refused(const char *field)
{
    ck_assert_int_eq(weir_adaptive_create(&adaptive, &options), WEIR_EINVAL);
    ck_assert_ptr_null(adaptive);
    ck_assert_msg(strstr(weir_last_error(), field) != NULL,
                  "\"%s\" does not name %s", weir_last_error(), field);
    options = (weir_adaptive_options)WEIR_ADAPTIVE_OPTIONS_INIT;
}

START_TEST(options_out_of_range_are_refused)
{
    options.kind = (weir_adaptive_kind)2;
    assert_refused("kind");
    options.least = 11;
    options.most = 10;
    assert_refused("least");
    options.most = 1000001;
    assert_refused("most");
    options.most = 10;
    options.start = 11;
    assert_refused("start");
    options.least = 2;
    options.start = 1;
    assert_refused("start");
    options.tolerance = 0.5;
    assert_refused("tolerance");
    options.tolerance = 10.5;
    assert_refused("tolerance");
    options.size = 0;
    assert_refused("weir_adaptive_options");
    ck_assert_int_eq(weir_adaptive_create(NULL, NULL), WEIR_EINVAL);
    ck_assert_int_eq(weir_adaptive_create(&adaptive, NULL), WEIR_OK);
    ck_assert_uint_eq(weir_adaptive_limit(adaptive), 4);
}
END_TEST

static weir_status try_create(void *arg)
{
    (void)arg;
    return weir_adaptive_create(&adaptive, &options);
}

START_TEST(without_memory_there_is_none)
{
    /* Its own, and its lock. */
    ck_assert_uint_eq(fault_sweep(try_create, NULL, WEIR_ENOMEM), 2);
}
END_TEST

START_TEST(a_fork_child_may_not_use_it)
{
    weir_adaptive_pass pass;
    pid_t child;
    int status;

    make();
    must_enter(&pass);
    child = fork();
    if (child == 0) {
        weir_adaptive_pass another;
        bool right =
            weir_adaptive_enter(adaptive, &another, WEIR_NOW) == WEIR_FORKED &&
            weir_adaptive_leave(adaptive, &pass, WEIR_RESULT_OK) == WEIR_FORKED;

        weir_adaptive_destroy(adaptive);
        _exit(right ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    must_leave(&pass, WEIR_RESULT_OK);
}
END_TEST

int main(void)
{
    const TTest *const deliveries[] = {
        aimd_follows_steps_of_capacity, the_gradient_follows_steps_of_capacity,
        if_nothing_changes_the_gradient_hardly_does,
        if_nothing_changes_aimd_stays_within_a_quarter, NULL};
    const TTest *const rules[] = {
        a_service_that_becomes_slower_is_not_taken_to_be_overloaded,
        it_does_not_rise_while_it_is_not_made_use_of,
        what_was_in_flight_together_lets_it_fall_once,
        aimd_goes_slowly_where_it_was_overloaded, NULL};
    const TTest *const chance[] = {
        whatever_time_does_it_stays_within_its_bounds, NULL};
    const TTest *const front[] = {
        no_more_than_the_limit_are_in_flight,
        who_waits_is_let_in_only_when_there_is_room_below_the_limit,
        a_limit_that_rises_lets_in_who_waits,
        a_pass_leaves_once,
        options_out_of_range_are_refused,
        without_memory_there_is_none,
        a_fork_child_may_not_use_it,
        NULL};
    const struct chapter chapters[] = {{"what it delivers", deliveries, NULL,
                                        NULL, 3, 0},
                                       {"rules", rules, NULL, NULL, 0, 0},
                                       {"by chance", chance, NULL, NULL, 20, 0},
                                       {"the front", front, setup, teardown, 0,
                                        0},
                                       {NULL, NULL, NULL, NULL, 0, 0}};

    return report("adaptive", chapters);
}
