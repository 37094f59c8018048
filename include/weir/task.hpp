/* SPDX-License-Identifier: MIT */
/* weir/task.hpp - what a handler gets, and how one is called from C. */
#ifndef WEIR_TASK_HPP
#define WEIR_TASK_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cxxabi.h>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/task.h>

namespace weir
{

namespace detail
{

/*
 * Runs what has nobody to answer to.  An exit passes, though.
 *
 * libstdc++ has a type for exits, with no object to it: what looks for null
 * references is to keep still.  libc++ has none, and cannot go on with an exit
 * that `...` has caught.
 */
template <class Call>
__attribute__((no_sanitize("null", "alignment"))) void contained(Call &call)
{
    try {
        call();
#ifdef __GLIBCXX__
    } catch (abi::__forced_unwind &) {
        throw;
#endif
    } catch (...) {
        std::terminate();
    }
}

/* A clean-up or action in C's two words; owned by the heap. */
template <class Call> void call_contained(void *held)
{
    contained(*static_cast<Call *>(held));
}

template <class Call> void destroy_held(void *held)
{
    delete static_cast<Call *>(held);
}

template <class Call> void call_and_destroy(void *held)
{
    std::unique_ptr<Call> call(static_cast<Call *>(held));

    contained(*call);
}

} // namespace detail

/*
 * The attempt at hand, as weir_task *: valid from the handler's start to its
 * end, on its thread.  A copy is as good.
 */
class task_ref
{
  public:
    explicit task_ref(weir_task *task) noexcept : task_(task)
    {
    }
    std::uint64_t id() const
    {
        return weir_task_id(task_);
    }
    std::uint32_t attempt() const
    {
        return weir_task_attempt(task_);
    }
    std::uint32_t worker() const
    {
        return weir_task_worker(task_);
    }
    template <class T> T *context() const
    {
        return static_cast<T *>(weir_task_context(task_));
    }
    weir::deadline deadline() const
    {
        return weir_task_deadline(task_);
    }
    bool cancelled() const
    {
        return weir_task_cancelled(task_);
    }
    int cancel_fd() const
    {
        return weir_task_cancel_fd(task_);
    }
    /* WEIR_OK, WEIR_CANCELLED. */
    template <class Rep, class Period>
    [[nodiscard]] weir_status
    sleep_for(std::chrono::duration<Rep, Period> time) const
    {
        return weir_task_sleep(task_, ns(time));
    }
    /* The task is FAILED, whatever the handler returns: for what is too common
     * to be thrown. */
    void fail(int code, std::string_view why) const
    {
        weir_task_fail(task_, code, "%.*s",
                       static_cast<int>(why.substr(0, 255).size()), why.data());
    }
    /* Bytes for the outcome; async does it for what its callable returns. */
    void result(const void *bytes, std::size_t size) const
    {
        detail::require(weir_task_result(task_, bytes, size));
    }
    /*
     * Has a callable run when the attempt ends, even by a jump out of C code;
     * else a destructor does as well.  The handler's own variables are gone
     * then: capture no reference to them.
     *
     * Owns:    one allocation; destroys the callable once it has run.
     * Returns: WEIR_OK, WEIR_FULL (16 stand already).
     */
    template <class Call> [[nodiscard]] weir_status defer(Call &&call) const
    {
        using held_type = std::decay_t<Call>;
        auto held = std::make_unique<held_type>(std::forward<Call>(call));
        weir_status status =
            weir_task_defer(task_, detail::call_and_destroy<held_type>,
                            held.get());

        if (status == WEIR_OK)
            held.release();
        return detail::ordinary(status);
    }
    /*
     * Has a callable run when the attempt is cancelled; it may still run after
     * the handler has returned, so let it refer to the handler's own variables
     * only if drop_cancel_actions comes before they go.
     *
     * Owns:    one allocation, and the place of one clean-up; destroys the
     *          callable when the attempt ends.
     * Returns: WEIR_OK, WEIR_FULL (16 stand already).
     */
    template <class Call> [[nodiscard]] weir_status on_cancel(Call &&call) const
    {
        using held_type = std::decay_t<Call>;
        auto held = std::make_unique<held_type>(std::forward<Call>(call));
        weir_status status =
            weir_task_defer(task_, detail::destroy_held<held_type>, held.get());

        if (status == WEIR_OK)
            status =
                weir_task_on_cancel(task_, detail::call_contained<held_type>,
                                    held.release());
        return detail::ordinary(status);
    }
    /* Takes back the actions that have not run, and waits for one that runs. */
    void drop_cancel_actions() const
    {
        detail::require(weir_task_on_cancel(task_, nullptr, nullptr));
    }
    weir_task *native() const noexcept
    {
        return task_;
    }

  private:
    weir_task *task_;
};

namespace detail
{

/* In a catch: makes the exception at hand the task's failure. */
inline int say_why(weir_task *task)
{
    try {
        throw;
    } catch (const failure &e) {
        return weir_task_fail(task, e.code(), "%s", e.what());
    } catch (const std::system_error &e) {
        return weir_task_fail(task, e.code().value(), "%s", e.what());
    } catch (const std::exception &e) {
        return weir_task_fail(task, 1, "%s", e.what());
    } catch (...) {
        return weir_task_fail(task, 1, "unknown exception");
    }
}

template <class F>
constexpr bool takes_task = std::is_invocable_v<F &, task_ref>;

template <class F> decltype(auto) call_with(F &callable, weir_task *task)
{
    static_assert(takes_task<F> || std::is_invocable_v<F &>,
                  "a handler takes nothing, or a weir::task_ref");
    if constexpr (takes_task<F>)
        return std::invoke(callable, task_ref(task));
    else
        return std::invoke(callable);
}

template <class F>
using result_of =
    decltype(call_with(std::declval<std::decay_t<F> &>(), nullptr));

/* Calls a handler from C.  Exits pass, as in contained. */
template <class F>
__attribute__((no_sanitize("null", "alignment"))) int
answer(weir_task *task, F &callable)
{
    try {
        call_with(callable, task);
        return 0; /* FAILED all the same if it said so */
#ifdef __GLIBCXX__
    } catch (abi::__forced_unwind &) {
        throw;
#endif
    } catch (...) {
        return say_why(task);
    }
}

template <class T> struct is_optional : std::false_type {
};
template <class T> struct is_optional<std::optional<T>> : std::true_type {
};

/* Calls a function with the task, if it takes it, and the item; what it returns
 * is the result. */
template <class Item, auto Call> void run_function(task_ref task, Item &item)
{
    auto call = [&]() -> decltype(auto) {
        if constexpr (std::is_invocable_v<decltype(Call), task_ref, Item &>)
            return std::invoke(Call, task, item);
        else
            return std::invoke(Call, item);
    };

    if constexpr (std::is_void_v<decltype(call())>) {
        call();
    } else {
        const auto made = call();
        using result = std::decay_t<decltype(made)>;

        static_assert(std::is_trivially_copyable_v<result>,
                      "results are bytes: return pointers to other things");
        if constexpr (!is_optional<result>::value)
            task.result(&made, sizeof(made));
        else if (made)
            task.result(&*made, sizeof(*made));
    }
}

} // namespace detail

/*
 * A handler of C's for a function of C++'s, which takes the item, or a task_ref
 * and the item: weir::handler<int, square>, for streams, pipelines and calls of
 * C.  What it throws is the task's failure; what it returns, trivially
 * copyable, its result; an empty std::optional is none.
 */
template <class Item, auto Call> int handler(weir_task *task, void *item)
{
    static_assert(std::is_trivially_copyable_v<Item>,
                  "items are bytes: produce pointers to other things");
    auto call = [item](task_ref its) {
        detail::run_function<Item, Call>(its, *static_cast<Item *>(item));
    };

    return detail::answer(task, call);
}

} // namespace weir

#endif /* WEIR_TASK_HPP */
