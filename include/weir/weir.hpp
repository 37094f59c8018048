/* SPDX-License-Identifier: MIT */
/*
 * weir/weir.hpp - queue, pool, group, future, stream, pipeline and limits for
 * C++17: lambdas, exceptions, chrono.
 *
 * THE IDEA
 *
 * A thin layer over the C headers; there is nothing to link but libweir.  A
 * member does what the C function of its name does, and the card in the C
 * header holds, but for what is said here.
 *
 *   weir::pool pool;
 *   auto sum = pool.async([&] { return add_up(rows); });
 *   std::cout << sum.get();
 *
 * A task is a callable, which takes nothing or a weir::task_ref.  The pool owns
 * it from the moment it is accepted and destroys it exactly once, when nobody
 * touches it any more: its destructor is the release.  So it may hold whatever
 * a lambda can capture, and whatever becomes of the task (it fails, overstays,
 * ends its thread, is cancelled, expires, is dropped, never starts), what it
 * holds is let go.  Only a callable that an attempt is stuck in when its pool
 * ends (its thread was abandoned, or the pool ended by destroy()) is never
 * destroyed.
 *
 * WHAT IT COSTS
 *
 * A callable that is trivially copyable (it captures references, pointers and
 * numbers) and fits into weir::pool::room bytes lies in the pool's own store;
 * for any other there is one allocation a task.  A future is one more, in the
 * library; a result that is not trivially copyable, or above 256 bytes, one
 * more.  A weir::plain_pool takes callables of the first kind only, and such
 * tasks pass without a lock.
 *
 * ERRORS: ONE RULE
 *
 * What a caller has to reckon with in the ordinary course (timed out, closed,
 * full, poisoned, cancelled, stuck, degraded) is a status, returned.
 * Everything else (an option out of range, no memory or threads, a deadlock, a
 * fork's child) is thrown, as weir::error.  What has no status to return
 * (constructors, async, get) throws weir::error for the former too.  Memory
 * that this header itself asks for is std::bad_alloc.
 *
 * FLOW
 *
 * The items of streams and pipelines are bytes, as in C, and their handlers
 * functions: weir::handler<Item, function> is a handler of C's that calls one.
 * A weir::producer closes itself, unless it is handed over.
 *
 * HOW A TASK FAILS
 *
 * By an exception.  It becomes FAILED with what() as its message and a code:
 * that of a weir::failure or a std::system_error; 1 for any other; "unknown
 * exception" if it is no std::exception.  None crosses a frame of the
 * library's.  The return value is the result, never a code: submit takes
 * callables that return nothing, async any.  weir_task_raise, a jump, must not
 * cross frames with destructors: throw instead.
 *
 * pthread_exit and pthread_cancel end the thread as they do in C, with the
 * destructors of the frames on the way; as everywhere in C++, a `catch (...)`
 * that does not rethrow, or a noexcept frame, ends the process then.
 *
 * A callback that is not a handler (on_settled, on_log, on_left, a clean-up, an
 * on_cancel action) has nobody to answer to: an exception there is
 * std::terminate.
 *
 * LIMITS
 *
 * -fno-exceptions is not supported, -fno-rtti is.  With libc++, which cannot
 * tell an exit of a thread from an exception, pthread_exit and pthread_cancel
 * in a handler end the process; libstdc++ is as said above.  A handle that was
 * moved from may only be assigned to or destroyed.  A handle is for any thread,
 * but its assignment, move and destruction for one with no other call in
 * progress.
 */
#ifndef WEIR_WEIR_HPP
#define WEIR_WEIR_HPP

#include <weir.h>

#include <weir/adaptive.hpp>
#include <weir/breaker.hpp>
#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/future.hpp>
#include <weir/group.hpp>
#include <weir/pipeline.hpp>
#include <weir/pool.hpp>
#include <weir/producer.hpp>
#include <weir/queue.hpp>
#include <weir/rate.hpp>
#include <weir/result.hpp>
#include <weir/semaphore.hpp>
#include <weir/stream.hpp>
#include <weir/task.hpp>

#endif /* WEIR_WEIR_HPP */
