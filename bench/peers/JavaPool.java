// SPDX-License-Identifier: MIT
// JavaPool.java - Java's ThreadPoolExecutor on an ArrayBlockingQueue; who has a
// task for which there is no room waits.  driver/pool_works.c has the essay on
// what is asked of a pool.

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;

final class JavaPool {
    // As in driver/work.h.
    static final int BURST = 64, LONG = 8;
    static final long REST_NS = 200_000_000, COMPILED = 100_000;

    /** Ends its thread, which the pool then replaces. */
    static final class Leave extends RuntimeException {
        Leave() { super(null, null, false, false); }
    }

    /** A thread that the pool starts; `loop` takes tasks and runs them. */
    static Driver.Part worker(Runnable loop) {
        return new Driver.Part() {
            @Override void work() {
                try {
                    loop.run();
                } catch (Leave leave) {
                    counts = false; // reading what it cost would be most of it
                }
            }
        };
    }

    static void await(Runnable task, ThreadPoolExecutor pool) {
        try {
            pool.getQueue().put(task);
        } catch (InterruptedException e) {
            throw new RejectedExecutionException(e);
        }
    }

    static void note(long item) {
        ((Driver.Part) Thread.currentThread()).take(Driver.NUMBER, item);
    }

    /** What the submitter does. */
    interface Submit {
        void to(ThreadPoolExecutor pool, Driver.Part submitter) throws Exception;
    }

    static void run(Driver.Work work, boolean print, Submit submit) throws Exception {
        if (work.producers() > 1)
            Driver.absent("one submitter only");
        var workers = Collections.synchronizedList(new ArrayList<Driver.Part>());
        var pool = new ThreadPoolExecutor(work.consumers(), work.consumers(), 0,
            TimeUnit.SECONDS, new ArrayBlockingQueue<>(work.capacity()), loop -> {
                var worker = worker(loop);
                workers.add(worker);
                return worker;
            }, JavaPool::await);
        pool.prestartAllCoreThreads();
        Driver.crew(List.of(new Driver.Part() {
            @Override void work() throws Exception {
                submit.to(pool, this);
                pool.shutdown();
                // Who is replaced has started another before it ends.
                for (int i = 0; i < workers.size(); i++) {
                    workers.get(i).join();
                    add(workers.get(i));
                }
            }
        }), print);
    }

    static void submitAll(ThreadPoolExecutor pool, long items, LongConsumer task) {
        for (long i = 1; i <= items; i++) {
            long item = i;
            pool.execute(() -> task.accept(item));
        }
    }

    // ----------------------------------------------------------------- kinds

    static void tasks(Driver.Work work, boolean print) throws Exception {
        run(work, print, (pool, submitter) -> {
            for (long i = 1; i <= work.items(); i++) {
                long item = i;
                pool.execute(() -> note(item));
            }
        });
    }

    static void nap(long ns) {
        for (long end = System.nanoTime() + ns, left = ns; left > 0;
             left = end - System.nanoTime())
            LockSupport.parkNanos(left);
    }

    static void sleeps(Driver.Work work, boolean print) throws Exception {
        run(work, print, (pool, submitter) ->
            submitAll(pool, work.items(), item -> {
                nap(work.spanNs());
                note(item);
            }));
    }

    static volatile long result; // so that it is made use of

    /** As work_compute of driver/work.h. */
    static long compute(long number, long steps) {
        for (long i = 0; i < steps; i++)
            number = (number ^ number >>> 29) * 6364136223846793005L;
        return number;
    }

    static void computes(Driver.Work work, boolean print) throws Exception {
        run(work, print, (pool, submitter) ->
            submitAll(pool, work.items(), item -> {
                if (compute(item, work.rate()) == 0)
                    result++;
                note(item);
            }));
    }

    static void await(AtomicLong ran, long wanted) {
        while (ran.get() < wanted)
            nap(50_000);
    }

    /** Every worker is held up until let go. */
    static final class Gate {
        final Semaphore held = new Semaphore(0), letGo = new Semaphore(0);

        void hold(ThreadPoolExecutor pool, int workers) {
            for (int i = 0; i < workers; i++)
                pool.execute(() -> {
                    held.release();
                    letGo.acquireUninterruptibly();
                });
            held.acquireUninterruptibly(workers);
        }
    }

    static void submit(Driver.Work work, boolean print) throws Exception {
        var gate = new Gate();
        var ran = new AtomicLong();
        run(work, print, (pool, submitter) -> {
            long wall = 0;
            for (long next = 1; next <= work.items();) {
                gate.hold(pool, work.consumers());
                long began = System.nanoTime();
                for (int i = 0; next <= work.items() && i <= work.capacity() / 2; i++) {
                    long item = next++;
                    pool.execute(() -> {
                        note(item);
                        ran.incrementAndGet();
                    });
                }
                wall += System.nanoTime() - began;
                gate.letGo.release(work.consumers());
                await(ran, next - 1);
            }
            submitter.measured = new Driver.Costs(wall, -1, -1);
        });
    }

    static void onTime(Driver.Work work, int burst, boolean print) throws Exception {
        int items = (int) work.items();
        long[] begun = new long[items], late = new long[items];
        run(work, print, (pool, submitter) -> {
            long start = System.nanoTime();
            for (int i = 0; i < items; i++) {
                int index = i;
                if (i % burst == 0)
                    nap(start + i * 1_000_000_000L / work.rate() - System.nanoTime());
                begun[index] = System.nanoTime();
                pool.execute(() -> {
                    late[index] = System.nanoTime() - begun[index];
                    if (burst > 1 && (index + 1) % burst == LONG)
                        nap(work.spanNs());
                    note(index + 1);
                });
            }
            submitter.late = late;
        });
    }

    static void exits(Driver.Work work, boolean print) throws Exception {
        var gate = new Gate();
        run(work, print, (pool, submitter) -> {
            submitAll(pool, work.items(), item -> {
                note(item);
                throw new Leave();
            });
            gate.hold(pool, work.consumers()); // all of them live
            gate.letGo.release(work.consumers());
        });
    }

    /** Each task waits for a future of its own, which times out. */
    static void deadlines(Driver.Work work, boolean print) throws Exception {
        long[] late = new long[(int) work.items()];
        var ran = new AtomicLong();
        run(work, print, (pool, submitter) -> {
            for (int i = 0; i < late.length; i++) {
                int index = i;
                pool.execute(() -> {
                    var over = new CompletableFuture<Void>();
                    long due = System.nanoTime() + work.spanNs();
                    try {
                        over.orTimeout(work.spanNs(), TimeUnit.NANOSECONDS)
                            .whenComplete((nothing, timeout) ->
                                late[index] = System.nanoTime() - due)
                            .join();
                    } catch (CompletionException timeout) {
                        note(index + 1);
                    }
                    ran.incrementAndGet();
                });
                if ((i + 1) % work.consumers() == 0)
                    await(ran, i + 1);
            }
            submitter.late = late;
        });
    }

    static void idle(Driver.Work work, boolean print) throws Exception {
        var ran = new AtomicLong();
        run(work, print, (pool, submitter) -> {
            submitAll(pool, work.items(), item -> {
                note(item);
                ran.incrementAndGet();
            });
            await(ran, work.items());
            nap(REST_NS);
            long switches = Driver.switchesOfOthers();
            long cpu = Driver.cpuNanoseconds(), began = System.nanoTime();
            nap(work.spanNs());
            long wall = System.nanoTime() - began;
            cpu = Driver.cpuNanoseconds() - cpu;
            submitter.measured = new Driver.Costs(wall, cpu,
                Driver.switchesOfOthers() - switches);
        });
    }

    // ------------------------------------------------------------------ main

    /** What does not itself last long enough to be compiled comes after what
        does, and a sixteenth of it. */
    static Driver.Job warmedUp(Driver.Job job) {
        return (work, print) -> {
            if (print) {
                job.run(work, true);
                return;
            }
            tasks(work.with(COMPILED, 0), false);
            job.run(work.with(work.items() / 16 / work.consumers() * work.consumers(),
                work.spanNs() / 16), false);
        };
    }

    public static void main(String[] arguments) throws Exception {
        Driver.main("Java ThreadPoolExecutor", Map.of("tasks", JavaPool::tasks,
            "submit", JavaPool::submit, "start",
            warmedUp((work, print) -> onTime(work, 1, print)), "behind",
            warmedUp((work, print) -> onTime(work, BURST, print)), "sleeps",
            warmedUp(JavaPool::sleeps), "exits", warmedUp(JavaPool::exits),
            "deadlines", warmedUp(JavaPool::deadlines), "idle",
            warmedUp(JavaPool::idle), "computes", JavaPool::computes), "a pool, not a queue", arguments);
    }
}
