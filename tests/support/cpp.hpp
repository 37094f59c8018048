/* SPDX-License-Identifier: MIT */
/* cpp.hpp - what the tests of the C++ headers share. */
#ifndef WEIR_TESTS_CPP_HPP
#define WEIR_TESTS_CPP_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <pthread.h>
#include <string>
#include <utility>

#include <weir/weir.hpp>

extern "C" {
#include "base/fault.h"
#include "gate.h"
#include "helper.h"
#include "suite.h"
#include "test_clock.h"
}
#undef fail /* a word of check.h's from long ago */

/* How often operator new was called, and whether the next call has to fail; for
 * programs with news.cpp in them. */
extern std::atomic<int> news;
extern std::atomic<bool> fail_next_new;

/*
 * What becomes of one callable.  The mark that it holds counts its destruction,
 * and checks that no attempt is at it then.
 */
struct fate {
    struct tally started = TALLY_INIT;
    struct tally ended = TALLY_INIT; /* with the destructors of its frame */
    struct tally destroyed = TALLY_INIT;
    struct gate finish = GATE_INIT; /* for handlers that wait */
    std::atomic<int> inside{0};
};

/* One for each callable: moved along with it, and never copied. */
class mark
{
  public:
    explicit mark(fate &whose) : whose_(&whose)
    {
    }
    mark(mark &&other) noexcept : whose_(std::exchange(other.whose_, nullptr))
    {
    }
    mark &operator=(mark &&) = delete;
    ~mark()
    {
        if (!whose_)
            return;
        ck_assert_int_eq(whose_->inside, 0);
        tally_add(&whose_->destroyed, 1);
    }
    fate &operator*() const
    {
        return *whose_;
    }
    fate *operator->() const
    {
        return whose_;
    }

  private:
    fate *whose_;
};

/* Stands in a handler's frame from its start to its end. */
class visit
{
  public:
    explicit visit(fate &whose) : whose_(whose)
    {
        whose_.inside++;
        tally_add(&whose_.started, 1);
    }
    visit(const visit &) = delete;
    visit &operator=(const visit &) = delete;
    ~visit()
    {
        whose_.inside--;
        tally_add(&whose_.ended, 1);
    }

  private:
    fate &whose_;
};

/* A callable that does what `act(task, fate)` does, and holds a mark. */
template <class Act> auto marked(fate &whose, Act act)
{
    return [held = mark(whose), act](weir::task_ref task) {
        const visit here(*held);

        act(task, *held);
    };
}

inline void do_nothing(weir::task_ref, fate &)
{
}
inline void wait_for_finish(weir::task_ref, fate &its)
{
    gate_wait(&its.finish);
}
inline void sleep_until_cancelled(weir::task_ref task, fate &)
{
    ck_assert_int_eq(task.sleep_for(std::chrono::hours(1)), WEIR_CANCELLED);
}

/* That it has been destroyed once, waiting for it. */
inline void await_destroyed(fate &its)
{
    await_count(&its.destroyed, 1);
    ck_assert_uint_eq(tally_read(&its.destroyed), 1);
}
inline void assert_not_destroyed(fate &its)
{
    ck_assert_uint_eq(tally_read(&its.destroyed), 0);
}

/* That `call` throws a weir::error of this status, whose words contain `word`
 * if there is one. */
template <class Call>
void assert_refused(Call call, weir_status status, const char *word = "")
{
    try {
        call();
    } catch (const weir::error &e) {
        ck_assert_int_eq(e.status(), status);
        ck_assert_ptr_nonnull(std::strstr(e.what(), word));
        return;
    }
    ck_abort_msg("nothing was thrown");
}

/* That getting throws a weir::task_failed of this kind. */
template <class T>
weir::task_failed assert_fails(weir::future<T> &future, weir_outcome_kind kind)
{
    try {
        future.get();
    } catch (const weir::task_failed &e) {
        ck_assert_int_eq(e.kind(), kind);
        ck_assert(!future.valid());
        return e;
    }
    ck_abort_msg("nothing was thrown");
}

/* The words by value: those of ck_assert_str_eq may be gone too early. */
inline void assert_words(const std::string &words, const std::string &expected)
{
    ck_assert_str_eq(words.c_str(), expected.c_str());
}

/* The options of a pool with one worker. */
inline weir_pool_options one_worker()
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;

    options.workers = 1;
    return options;
}

#endif /* WEIR_TESTS_CPP_HPP */
