/* SPDX-License-Identifier: MIT */
/*
 * interrupt.c - signals for attempts that have been asked to stop.
 *
 * THE IDEA
 *
 * Whoever asks an attempt to stop (its deadline, a cancel, a stop) sends its
 * thread the pool's interrupt_signal, so that a call in which it is blocked
 * returns EINTR.  The signal may come before the call, and the handler may call
 * again: so the timekeeper repeats it, after 1, 2, 4 ms and so on up to 100,
 * until the handler has returned.
 *
 *     asked ─▶ signal ─1 ms─▶ signal ─2 ms─▶ signal ─4 ms─▶ ... ─▶ returned
 *
 * INVARIANTS (hold whenever the pool's lock is free)
 *
 *   1. A signal is sent only with this lock and the attempt's, and only while
 *      the attempt's door (base/interrupt.h) is open: from its start until its
 *      handler has returned, raised or ended the thread.  Clean-ups, callbacks
 *      and hooks are never hit, nor is the attempt that comes after.
 *   2. A worker's `repeat` is in the heap only while its attempt lives.
 */
#include "base/clock.h"
#include "pool/pool.h"

enum { MOST_MS_APART = 100 };

static void send_and_repeat(weir_pool *pool, struct weir__worker *worker)
    WEIR_REQUIRES(pool->lock)
{
    if (!weir__task_interrupt(&worker->task))
        return;
    weir__timekeeper_set_moment(pool, &worker->repeat,
                                weir__moment_after(weir__now(),
                                                   WEIR_MS(worker->repeat_ms)));
    worker->repeat_ms *= 2;
    if (worker->repeat_ms > MOST_MS_APART)
        worker->repeat_ms = MOST_MS_APART;
}

void weir__interrupt_begin(weir_pool *pool, struct weir__entry *entry)
{
    struct weir__worker *worker = entry->worker;

    if (pool->settings.options.interrupt_signal == 0 || worker->repeat.is_in)
        return;
    worker->repeat_ms = 1;
    send_and_repeat(pool, worker);
}

void weir__interrupt_again(weir_pool *pool, struct weir__moment *repeat)
{
    unsigned char *worker =
        (unsigned char *)repeat - offsetof(struct weir__worker, repeat);

    send_and_repeat(pool, (struct weir__worker *)(void *)worker);
}

void weir__interrupt_end(weir_pool *pool, struct weir__entry *entry)
{
    if (entry->worker)
        weir__moments_remove(&pool->moments, &entry->worker->repeat);
}
