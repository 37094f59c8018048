/* SPDX-License-Identifier: MIT */
/* weir/callbacks.hpp - callables that a pool calls back. */
#ifndef WEIR_CALLBACKS_HPP
#define WEIR_CALLBACKS_HPP

#include <functional>
#include <memory>
#include <utility>

#include <weir/error.hpp>
#include <weir/pool.h>
#include <weir/task.hpp>

namespace weir
{
namespace detail
{

using settled = std::function<void(const weir_outcome &)>;

inline void tell_settled(void *arg, const void *, const weir_outcome *outcome)
{
    auto tell = [arg, outcome] { (*static_cast<settled *>(arg))(*outcome); };

    contained(tell);
}

using logged = std::function<void(const weir_log_record &)>;

inline void tell_logged(void *arg, const weir_log_record *record)
{
    auto tell = [arg, record] { (*static_cast<logged *>(arg))(*record); };

    contained(tell);
}

/* What the pool's callbacks are given. */
struct callables {
    std::unique_ptr<settled> on_settled = nullptr;
    std::unique_ptr<logged> on_log = nullptr;

    callables(settled &&settles, logged &&logs)
    {
        if (settles)
            on_settled = std::make_unique<settled>(std::move(settles));
        if (logs)
            on_log = std::make_unique<logged>(std::move(logs));
    }
    callables() = default;

    /* A callable, or the options' own function of C. */
    void complete(weir_pool_options &options) const
    {
        if (on_settled) {
            options.on_settled = tell_settled;
            options.on_settled_arg = on_settled.get();
        }
        if (!on_log)
            return;
        if (options.on_log)
            throw error(WEIR_EINVAL, "on_log is given twice: in the options, "
                                     "and as a callable");
        options.on_log = tell_logged;
        options.on_log_arg = on_log.get();
    }
};

} // namespace detail
} // namespace weir

#endif /* WEIR_CALLBACKS_HPP */
