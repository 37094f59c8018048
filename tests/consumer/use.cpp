/* SPDX-License-Identifier: MIT */
/* use.cpp - a program of a stranger's; C++17.  It has a use for each template
 * of the C++ headers. */
#include <weir/weir.hpp>

#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

using namespace std::chrono_literals;

static bool uses_pools()
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_task_spec spec = WEIR_TASK_SPEC_INIT;
    std::atomic<int> settled{0};

    options.workers = 2;
    options.timeout_ns = weir::ns(10s);
    weir::pool pool(options, [&](const weir_outcome &) { settled++; });
    weir::job job([held = std::make_unique<int>(1)] { (void)held; });
    auto number =
        pool.async([](weir::task_ref task) { return task.attempt(); });
    auto text = pool.async([] { return std::string("weir"); }, spec, 10s);
    auto fails = pool.async([] { throw weir::failure(5, "no"); }, 10s);

    if (pool.submit(job) != WEIR_OK || job.valid() ||
        pool.submit([] {}, spec, std::chrono::steady_clock::now() + 10s) ||
        pool.submit([](weir::task_ref task) {
            weir_status status = task.defer([] {});

            status = status ? status : task.on_cancel([] {});
            status = status ? status : task.sleep_for(1us);
            if (status)
                task.fail(1, weir_status_text(status));
        }))
        return false;
    try {
        fails.get();
        return false;
    } catch (const weir::task_failed &e) {
        if (e.code() != 5)
            return false;
    }
    if (weir::wait_any(&number, &number + 1, 10s) != &number)
        return false;
    if (number.get() != 1 || text.get() != "weir")
        return false;
    weir::group group(pool);
    if (group.submit([] {}) || group.async([] { return 3; }, spec).get() != 3 ||
        group.join(10s) || group.ledger().done != 2)
        return false;
    return pool.join(10s) == WEIR_OK && settled == 8 &&
           pool.stats().ledger.failed == 1;
}

static bool uses_queues()
{
    weir::queue<int> queue(4);
    const int in[] = {2, 3};
    int out[2] = {};
    std::size_t done = 0;

    if (queue.put(1, 10s) || queue.put_many(in, 2, done) ||
        queue.take(WEIR_NOW) != 1 || queue.get_many(out, 2, done))
        return false;
    try {
        queue.task_done(4);
        return false;
    } catch (const weir::error &e) {
        return e.status() == WEIR_EINVAL;
    }
}

static long square(const int &number)
{
    return static_cast<long>(number) * number;
}

static void count_up(weir::task_ref task, long &number)
{
    *task.context<std::atomic<long>>() += number;
}

static bool uses_flow()
{
    const int all[] = {1, 2, 3};
    int next = 0;
    long sum = 0;
    std::atomic<long> counted{0};
    weir_pool_options with = WEIR_POOL_OPTIONS_INIT;
    weir_stage last = weir::stage<long, count_up>("count");
    weir::plain_pool<sizeof(int)> pool;
    weir::stream<int, long> squares(pool, weir::producer::array(all, 3),
                                    weir::handler<int, square>, WEIR_IN_ORDER);

    for (const auto &each : squares)
        sum += each.get();
    with.context = &counted;
    last.pool = &with;
    weir::pipeline pipeline(weir::producer::from([&]() -> std::optional<int> {
                                if (next == 3)
                                    return std::nullopt;
                                return all[next++];
                            }),
                            {weir::stage<int, square>("square"), last},
                            [](const char *, const void *,
                               const weir_outcome &) {});
    return pipeline.wait(10s) == WEIR_OK && sum == 14 && counted == 14;
}

static bool uses_limits()
{
    weir::semaphore two(2);
    weir::permit held(two);
    weir::rate rate(1000, 2);
    weir::breaker breaker;
    weir::adaptive adaptive;
    auto through = breaker.enter();
    auto call = adaptive.enter(10s);

    if (!through || !call || rate.acquire(2, 10s) || two.available() != 1)
        return false;
    through.leave(WEIR_RESULT_OK);
    call.leave(WEIR_RESULT_OK);
    return breaker.state() == WEIR_BREAKER_CLOSED && adaptive.in_flight() == 0;
}

int main()
{
    std::atomic<int> sum{0};
    weir::plain_pool pool;

    for (int i = 0; i < 100; i++)
        if (pool.submit([&sum, i] { sum += i; }))
            return 1;
    if (pool.stop(WEIR_STOP_AFTER_DRAIN, 10s) || sum != 4950)
        return 1;
    std::printf("%d done, weir %s\n",
                static_cast<int>(pool.stats().ledger.done), weir_version());
    return uses_pools() && uses_queues() && uses_flow() && uses_limits() ? 0
                                                                         : 1;
}
