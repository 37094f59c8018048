/* SPDX-License-Identifier: MIT */
/* tbb_flow.cpp - oneTBB's parallel_pipeline: numbers, a serial filter, a
 * parallel one, a serial one; as many tokens as the others' queues have room.
 */
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/version.h>

#include <string>

#include "contender.h"

extern "C" {
#include "crew.h"
#include "driver.h"
#include "work.h"
}

namespace
{

using oneapi::tbb::filter_mode;
using oneapi::tbb::global_control;
using oneapi::tbb::make_filter;

void run_pipeline(struct part *part)
{
    std::uint64_t given = 0;
    const struct work *work = part->work;

    oneapi::tbb::parallel_pipeline(
        work->capacity,
        make_filter<void, std::uint64_t>(
            filter_mode::serial_out_of_order,
            [&given, part](oneapi::tbb::flow_control &control) {
                if (given == part->count) {
                    control.stop();
                    return std::uint64_t{0};
                }
                return ++given;
            }) &
            make_filter<std::uint64_t, std::uint64_t>(
                filter_mode::serial_out_of_order,
                [](std::uint64_t item) { return item; }) &
            make_filter<std::uint64_t, std::uint64_t>(filter_mode::parallel,
                                                      [](std::uint64_t item) {
                                                          return ~item;
                                                      }) &
            make_filter<std::uint64_t, void>(filter_mode::serial_out_of_order,
                                             [part](std::uint64_t item) {
                                                 item = ~item;
                                                 part_take(part, &item, 1);
                                             }));
}

} // namespace

extern "C" {

struct driver_about driver_about(void)
{
    static const std::string version = std::to_string(TBB_VERSION_MAJOR) + "." +
                                       std::to_string(TBB_VERSION_MINOR);
    struct driver_about about = {"oneTBB parallel_pipeline", version.c_str(),
                                 true, false};

    return about;
}

const char *driver_why_not(const struct work *work)
{
    return work->kind == WORK_STAGES ? nullptr : "it is a pipeline";
}

void driver_run(const struct work *work, struct result *out)
{
    global_control limit(global_control::max_allowed_parallelism,
                         work->consumers + 1);
    struct part part = {};

    part.run = run_pipeline;
    part.work = work;
    part.count = work->items;
    crew_run(&part, 1, out);
}
}
