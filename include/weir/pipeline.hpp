/* SPDX-License-Identifier: MIT */
/* weir/pipeline.hpp - stages in series. */
#ifndef WEIR_PIPELINE_HPP
#define WEIR_PIPELINE_HPP

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/pipeline.h>
#include <weir/producer.hpp>
#include <weir/task.hpp>

namespace weir
{

namespace detail
{

using left = std::function<void(const char *stage, const void *item,
                                const weir_outcome &outcome)>;

inline void tell_left(void *arg, const char *stage, const void *item,
                      const weir_outcome *outcome)
{
    auto tell = [=] { (*static_cast<left *>(arg))(stage, item, *outcome); };

    contained(tell);
}

/* Ends it, and only then lets go of what on_left needs. */
struct end_pipeline {
    std::unique_ptr<left> on_left = nullptr;

    void operator()(weir_pipeline *ended) const
    {
        weir_pipeline_destroy(ended);
    }
};

/* A stage whose handler calls a function; see weir::stage. */
template <class Item>
weir_stage
stage_of(const char *name, weir_handler *handler, weir_stage_kind kind)
{
    weir_stage made = WEIR_STAGE_INIT;

    made.name = name;
    made.kind = kind;
    made.handler = handler;
    made.item_size = sizeof(Item);
    return made;
}

} // namespace detail

/* A stage for items of one type: weir::stage<int, square>("square").  What is
 * not said here may be set in it. */
template <class Item, auto Call>
weir_stage stage(const char *name, weir_stage_kind kind = WEIR_STAGE_PARALLEL)
{
    return detail::stage_of<Item>(name, handler<Item, Call>, kind);
}

/*
 * Runs a producer's items through stages.  Its destructor is that of C: what
 * waits or runs leaves CANCELLED, handlers are asked to stop and not waited
 * for, so what they refer to outlives them.
 */
class pipeline
{
  public:
    /* `on_left` is called as weir_left says. */
    pipeline(producer from, const std::vector<weir_stage> &stages,
             detail::left on_left = {})
        : why_(from.why())
    {
        weir_pipeline_options options = WEIR_PIPELINE_OPTIONS_INIT;
        std::vector<const weir_stage *> in_series;
        std::unique_ptr<detail::left> told;
        weir_pipeline *made = nullptr;

        for (const weir_stage &stage : stages)
            in_series.push_back(&stage);
        if (on_left) {
            told = std::make_unique<detail::left>(std::move(on_left));
            options.on_left = detail::tell_left;
            options.on_left_arg = told.get();
        }
        options.stages = in_series.data();
        options.stage_count = in_series.size();
        detail::require(weir_pipeline_open(&made, from.native(), &options));
        from.release();
        pipeline_ = holder(made, detail::end_pipeline{std::move(told)});
    }
    /* WEIR_OK; WEIR_TIMED_OUT: it goes on; WEIR_CANCELLED, WEIR_DEGRADED.
     * Throws what the producer failed with. */
    [[nodiscard]] weir_status
    wait(deadline until = WEIR_FOREVER, weir_report *report = nullptr)
    {
        return detail::heard(weir_pipeline_wait(native(), report, until), why_);
    }
    void stop()
    {
        weir_pipeline_stop(native());
    }
    weir_stage_stats stats(std::size_t stage) const
    {
        weir_stage_stats now = WEIR_STAGE_STATS_INIT;

        detail::require(weir_pipeline_read_stats(native(), stage, &now));
        return now;
    }
    /* For calls of C; still owned by this. */
    weir_pipeline *native() const noexcept
    {
        return pipeline_.get();
    }

  private:
    using holder = std::unique_ptr<weir_pipeline, detail::end_pipeline>;

    detail::kept_exception why_;
    holder pipeline_;
};

} // namespace weir

#endif /* WEIR_PIPELINE_HPP */
