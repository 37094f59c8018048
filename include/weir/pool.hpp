/* SPDX-License-Identifier: MIT */
/*
 * weir/pool.hpp - workers whose tasks are callables.
 *
 * THE IDEA
 *
 * An item of a weir::pool is a `work`: the address of two functions, and behind
 * it the callable.  One runs it, as a handler of C's; the other destroys it.
 * The pool's on_release calls that, so the library's own law (released once,
 * after settling, when the attempt has ended) is the callable's lifetime.
 *
 *   trivially copyable, small   submit_copy: the bytes lie in the pool's store,
 *                               and there is nothing to destroy
 *   any other                   submit: the item is on the heap
 *
 * A pool with an on_release is slower: its tasks are not plain.  A plain_pool
 * has none, and so takes only what there is nothing to destroy of.
 *
 * INVARIANTS
 *
 *   1. From WEIR_OK on a work belongs to the pool, and else to who submitted:
 *      there is no moment at which both would destroy it.  A handler that the
 *      submitter runs may end this thread inside of submit, after the release;
 *      so no frame here has a destructor for it.
 *   2. No exception leaves a function that C calls.
 */
#ifndef WEIR_POOL_HPP
#define WEIR_POOL_HPP

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <weir/callbacks.hpp>
#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/future.hpp>
#include <weir/pool.h>
#include <weir/task.hpp>

namespace weir
{

/* --------------------------------------------------------------- callables */

namespace detail
{

struct work;
struct work_kind {
    weir_handler *run;
    void (*destroy)(work *); /* NULL: there is nothing to destroy */
};
struct work {
    const work_kind *kind;
};

template <class F> struct work_of : work {
    F callable;

    template <class G>
    work_of(const work_kind *what, G &&from)
        : work{what}, callable(std::forward<G>(from))
    {
    }
    static int run(weir_task *task, void *item)
    {
        return answer(
            task, static_cast<work_of *>(static_cast<work *>(item))->callable);
    }
    static void destroy(work *ended)
    {
        delete static_cast<work_of *>(ended);
    }
};
template <class F>
inline constexpr work_kind on_heap = {work_of<F>::run, work_of<F>::destroy};
template <class F>
inline constexpr work_kind in_place = {work_of<F>::run, nullptr};

inline void destroy_work(work *ended)
{
    if (ended && ended->kind->destroy)
        ended->kind->destroy(ended);
}

/* The pool's on_release. */
inline void release_work(void *, void *item)
{
    destroy_work(static_cast<work *>(item));
}

/* Room for a copied item: all of it is copied, so all of it is written. */
template <std::size_t Bytes> struct item_room {
    alignas(std::max_align_t) unsigned char bytes[Bytes] = {};
};

template <class F, std::size_t Bytes>
inline constexpr bool
    fits = std::is_trivially_copyable_v<F> && sizeof(F) <= Bytes &&
           alignof(F) <= alignof(std::max_align_t);

/* What async makes of a callable: one that leaves its result for the future. */
template <class F, class R> struct by_bytes_of {
    F callable;

    void operator()(task_ref task)
    {
        if constexpr (std::is_void_v<R>) {
            call_with(callable, task.native());
        } else {
            const R result = call_with(callable, task.native());

            task.result(&result, sizeof(result));
        }
    }
};
template <class F, class R> struct on_shelf_of {
    F callable;
    shelf_of<R> shelf;

    void operator()(task_ref task)
    {
        shelf->emplace(call_with(callable, task.native()));
    }
};

inline void check_spec(const weir_task_spec &spec)
{
    if (spec.handler || spec.item || spec.copy)
        throw error(WEIR_EINVAL, "handler, item and copy of a weir_task_spec "
                                 "are set by submit: leave them 0");
    if (spec.every_ns != 0)
        throw error(WEIR_EINVAL, "a callable runs once: submit a series "
                                 "(every_ns) with weir_pool_submit_task");
}

/* A callable on its way: what submit and async have made of it. */
struct parcel {
    weir_handler *run;
    work *item;
    bool copy;
    const weir_task_spec *asked; /* may be NULL */
    weir_future **out;           /* may be NULL */

    weir_task_spec spec() const
    {
        weir_task_spec all = WEIR_TASK_SPEC_INIT;

        if (asked)
            all = *asked;
        all.handler = run;
        all.item = item;
        all.copy = copy;
        return all;
    }
};

/* ---------------------------------------------------------- any pool's way */

/* Waits for the handlers, and only then lets go of what callbacks need. */
struct end_pool {
    callables called = {};

    void operator()(weir_pool *ended) const
    {
        weir_status status = weir_pool_stop(ended, WEIR_STOP_NOW, WEIR_FOREVER);

        (void)status; /* however it is, nothing can be done about it */
        weir_pool_destroy(ended);
    }
};

class any_pool
{
  public:
    [[nodiscard]] weir_status join(weir::deadline until = WEIR_FOREVER)
    {
        return ordinary(weir_pool_join(native(), until));
    }
    /* WEIR_OK, WEIR_STUCK, WEIR_TIMED_OUT. */
    [[nodiscard]] weir_status
    stop(weir_stop_how how, weir::deadline until = WEIR_FOREVER)
    {
        return ordinary(weir_pool_stop(native(), how, until));
    }
    [[nodiscard]] weir_status resize(std::uint32_t workers)
    {
        return ordinary(weir_pool_resize(native(), workers));
    }
    /* As weir_pool_pressure. */
    double pressure() const
    {
        return weir_pool_pressure(native());
    }
    /* -1 with errno; see weir_pool_fd. */
    int fd()
    {
        return weir_pool_fd(native());
    }
    std::uint64_t settled_so_far()
    {
        return weir_pool_settled(native());
    }
    weir_pool_stats stats() const
    {
        weir_pool_stats now = WEIR_POOL_STATS_INIT;

        weir_pool_read_stats(native(), &now);
        return now;
    }
    /*
     * Ends the pool as weir_pool_destroy does, without waiting for handlers.
     * What they refer to has to outlive them, and their callables are not
     * destroyed.
     */
    void destroy()
    {
        weir_pool_destroy(pool_.release());
        pool_.get_deleter().called = {};
    }
    /* For calls of C; still owned by this.  The items of a weir::pool are its
     * own: submit none to it by a call of C. */
    weir_pool *native() const noexcept
    {
        return pool_.get();
    }

  protected:
    any_pool(weir_pool_options options, callables &&called)
        : pool_(nullptr, end_pool{std::move(called)})
    {
        weir_pool *made = nullptr;

        pool_.get_deleter().called.complete(options);
        require(weir_pool_create(&made, &options));
        pool_.reset(made);
    }
    any_pool(any_pool &&) = default;
    any_pool &operator=(any_pool &&) = default;
    ~any_pool() = default;

  private:
    std::unique_ptr<weir_pool, end_pool> pool_;
};

template <class Self> class takes_callables;

} // namespace detail

/* --------------------------------------------------------------------- job */

/*
 * A callable that waits to be submitted: what the pool refuses stays where it
 * is, and can be offered again.  (A callable given to submit itself is gone
 * when it is refused, like any argument that was moved.)  One allocation.
 */
class job
{
  public:
    job() noexcept = default;
    template <class F,
              class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, job>>>
    explicit job(F &&callable)
        : work_(new detail::work_of<std::decay_t<F>>(
              &detail::on_heap<std::decay_t<F>>, std::forward<F>(callable)))
    {
        static_assert(std::is_void_v<detail::result_of<F>>,
                      "a job returns nothing: throw, or use async");
    }
    /* Whether there is a callable: no longer once it is submitted. */
    bool valid() const noexcept
    {
        return work_ != nullptr;
    }

  private:
    template <class Self> friend class detail::takes_callables;
    struct destroy {
        void operator()(detail::work *ended) const
        {
            detail::destroy_work(ended);
        }
    };

    std::unique_ptr<detail::work, destroy> work_;
};

/* ----------------------------------------------------------- submit, async */

namespace detail
{

/* Room in a weir::pool for a copied work. */
inline constexpr std::size_t item_size = 64;

/*
 * What takes callables; Self::hand_over(parcel, deadline) submits one.
 *
 * Each form: Blocks and Threads as weir_pool_submit.
 */
template <class Self> class takes_callables
{
  public:
    /* The pool holds the callable on WEIR_OK; otherwise it is destroyed. */
    template <class F>
    [[nodiscard]] weir_status
    submit(F &&callable, deadline until = WEIR_FOREVER)
    {
        check_returns_nothing<F>();
        return detail::ordinary(
            offer(std::forward<F>(callable), nullptr, nullptr, until));
    }
    /* With the spec's timeout, time to live, retries, context and label. */
    template <class F>
    [[nodiscard]] weir_status submit(F &&callable, const weir_task_spec &spec,
                                     deadline until = WEIR_FOREVER)
    {
        check_returns_nothing<F>();
        detail::check_spec(spec);
        return detail::ordinary(
            offer(std::forward<F>(callable), &spec, nullptr, until));
    }
    /* Empties `job` on WEIR_OK; otherwise nothing has moved. */
    [[nodiscard]] weir_status submit(job &job, deadline until = WEIR_FOREVER)
    {
        return offer_job(job, nullptr, until);
    }
    [[nodiscard]] weir_status
    submit(job &job, const weir_task_spec &spec, deadline until = WEIR_FOREVER)
    {
        detail::check_spec(spec);
        return offer_job(job, &spec, until);
    }

    /*
     * Submits what returns something.  The result is of a type that can be
     * moved.
     *
     * Owns:    the pool holds the callable, and the caller the future.
     * Throws:  weir::error if it is not accepted: the callable is destroyed.
     */
    template <class F> auto async(F &&callable, deadline until = WEIR_FOREVER)
    {
        return ask(std::forward<F>(callable), nullptr, until);
    }
    template <class F>
    auto async(F &&callable, const weir_task_spec &spec,
               deadline until = WEIR_FOREVER)
    {
        detail::check_spec(spec);
        return ask(std::forward<F>(callable), &spec, until);
    }

  private:
    Self &self()
    {
        return static_cast<Self &>(*this);
    }

    template <class F> static constexpr void check_returns_nothing()
    {
        static_assert(std::is_void_v<detail::result_of<F>>,
                      "submit takes what returns nothing: throw to fail, or "
                      "use async for a result");
    }

    template <class F>
    weir_status offer(F &&callable, const weir_task_spec *spec,
                      weir_future **out, weir_deadline until)
    {
        using held_type = std::decay_t<F>;
        using work_type = detail::work_of<held_type>;

        if constexpr (std::is_trivially_copyable_v<held_type> &&
                      detail::fits<work_type, item_size>) {
            detail::item_room<item_size> item;
            work_type *made =
                new (item.bytes) work_type(&detail::in_place<held_type>,
                                           std::forward<F>(callable));

            return self().hand_over({work_type::run, made, true, spec, out},
                                    until);
        } else {
            work_type *made = new work_type(&detail::on_heap<held_type>,
                                            std::forward<F>(callable));
            weir_status status =
                self().hand_over({work_type::run, made, false, spec, out},
                                 until);

            if (status != WEIR_OK)
                delete made;
            return status;
        }
    }

    weir_status
    offer_job(job &offered, const weir_task_spec *spec, weir_deadline until)
    {
        detail::work *work = offered.work_.release();
        weir_status status;

        if (!work)
            throw error(WEIR_EINVAL, "the job is empty: it was submitted or "
                                     "moved from");
        status = self().hand_over({work->kind->run, work, false, spec, nullptr},
                                  until);
        if (status != WEIR_OK)
            offered.work_.reset(work);
        return detail::ordinary(status);
    }

    template <class F>
    auto ask(F &&callable, const weir_task_spec *spec, weir_deadline until)
    {
        using held_type = std::decay_t<F>;
        using result = std::remove_cv_t<detail::result_of<F>>;
        weir_future *out = nullptr;

        static_assert(!std::is_reference_v<result>,
                      "return a value or a pointer, not a reference");
        if constexpr (detail::by_bytes<result>) {
            detail::require(
                offer(detail::by_bytes_of<held_type, result>{std::forward<F>(
                          callable)},
                      spec, &out, until));
            return future<result>(out);
        } else {
            auto shelf = std::make_shared<std::optional<result>>();

            detail::require(
                offer(detail::on_shelf_of<held_type, result>{std::forward<F>(
                                                                 callable),
                                                             shelf},
                      spec, &out, until));
            return future<result>(out, std::move(shelf));
        }
    }
};

} // namespace detail

/* -------------------------------------------------------------------- pool */

/*
 * A pool whose tasks are callables.  Its destructor is a stop(WEIR_STOP_NOW):
 * what waits is cancelled, what runs is asked to stop, and waited for, since it
 * may refer to what is destroyed next.  So a handler that never looks at its
 * task_ref holds it up, unless grace_ns has it abandoned: then what it refers
 * to has to outlive it.  For all that was submitted to be done, join or
 * stop(WEIR_STOP_AFTER_DRAIN) first.
 */
class pool : public detail::any_pool, public detail::takes_callables<pool>
{
  public:
    /* Bytes of a trivially copyable callable for which nothing is allocated. */
    static constexpr std::size_t room =
        detail::item_size - sizeof(detail::work);

    pool() : pool(WEIR_POOL_OPTIONS_INIT)
    {
    }
    /*
     * `on_settled` is called as weir_settled says, and `on_log` as weir_logged;
     * where that is to be a function of C, weir_log_stderr for one, it may be
     * in the options instead.  item_size, on_settled and on_release of the
     * options stay 0: they are this class's own.
     */
    explicit pool(const weir_pool_options &options,
                  std::function<void(const weir_outcome &)> on_settled = {},
                  std::function<void(const weir_log_record &)> on_log = {})
        : any_pool(completed(options),
                   {std::move(on_settled), std::move(on_log)})
    {
    }

  private:
    friend class detail::takes_callables<pool>;

    static weir_pool_options completed(weir_pool_options options)
    {
        if (options.item_size != 0)
            throw error(WEIR_EINVAL, "item_size is weir::pool's own: leave it "
                                     "0, callables bring their size");
        if (options.on_settled || options.on_release)
            throw error(WEIR_EINVAL,
                        "on_settled and on_release are weir::pool's own: give "
                        "it a callable for the first, and destructors for the "
                        "second");
        options.item_size = detail::item_size;
        options.on_release = detail::release_work;
        return options;
    }

    weir_status hand_over(const detail::parcel &parcel, weir_deadline until)
    {
        const weir_task_spec spec = parcel.spec();

        if (parcel.asked || parcel.out)
            return weir_pool_submit_task(native(), &spec, parcel.out, until);
        if (parcel.copy)
            return weir_pool_submit_copy(native(), parcel.run, parcel.item,
                                         until);
        return weir_pool_submit(native(), parcel.run, parcel.item, until);
    }
};

/* -------------------------------------------------------------- plain pool */

/*
 * A pool for callables that are trivially copyable and have at most `Bytes`
 * bytes: they lie in its ring by value, and as long as nobody hears of them but
 * the ledger (no retries, time to live, callbacks) they pass without a lock.
 * Otherwise as weir::pool.
 */
template <std::size_t Bytes = 32> class plain_pool : public detail::any_pool
{
  public:
    plain_pool() : plain_pool(WEIR_POOL_OPTIONS_INIT)
    {
    }
    /* The item that callbacks get is the callable.  `on_log` as a weir::pool's.
     */
    explicit plain_pool(
        const weir_pool_options &options,
        std::function<void(const weir_log_record &)> on_log = {})
        : any_pool(completed(options), {nullptr, std::move(on_log)})
    {
    }

    template <class F>
    [[nodiscard]] weir_status
    submit(const F &callable, deadline until = WEIR_FOREVER)
    {
        using held_type = std::decay_t<F>;
        detail::item_room<Bytes> item;

        static_assert(std::is_void_v<detail::result_of<F>>,
                      "submit takes what returns nothing: throw to fail");
        static_assert(detail::fits<held_type, Bytes>,
                      "a plain_pool's callables are trivially copyable and "
                      "have at most Bytes bytes");
        new (item.bytes) held_type(callable);
        return detail::ordinary(
            weir_pool_submit_copy(native(), run<held_type>, item.bytes, until));
    }

  private:
    static weir_pool_options completed(weir_pool_options options)
    {
        if (options.item_size != 0)
            throw error(WEIR_EINVAL, "item_size is plain_pool's own: leave it "
                                     "0, and set Bytes");
        options.item_size = Bytes;
        return options;
    }

    template <class F> static int run(weir_task *task, void *item)
    {
        return detail::answer(task, *static_cast<F *>(item));
    }
};

} // namespace weir

#endif /* WEIR_POOL_HPP */
