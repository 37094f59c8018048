// SPDX-License-Identifier: MIT
// JavaPool.java - Java's ThreadPoolExecutor on an ArrayBlockingQueue; who has a
// task for which there is no room waits.

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

final class JavaPool {
    /** A thread that the pool starts; `loop` takes tasks and runs them. */
    static Driver.Part worker(Runnable loop) {
        return new Driver.Part() {
            @Override void work() { loop.run(); }
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

    static void tasks(Driver.Work work, boolean print) throws Exception {
        if (work.producers() > 1)
            Driver.absent("one submitter only");
        var workers = new ArrayList<Driver.Part>();
        var pool = new ThreadPoolExecutor(work.consumers(), work.consumers(), 0,
            TimeUnit.SECONDS, new ArrayBlockingQueue<>(work.capacity()), loop -> {
                workers.add(worker(loop));
                return workers.get(workers.size() - 1);
            }, JavaPool::await);
        pool.prestartAllCoreThreads();
        Driver.crew(List.of(new Driver.Part() {
            @Override void work() throws InterruptedException {
                for (long i = 1; i <= work.items(); i++) {
                    long item = i;
                    pool.execute(() -> note(item));
                }
                pool.shutdown();
                for (Driver.Part worker : workers) {
                    worker.join();
                    add(worker);
                }
            }
        }), print);
    }

    public static void main(String[] arguments) throws Exception {
        Driver.main("Java ThreadPoolExecutor", Map.of("tasks", JavaPool::tasks),
            "a pool, not a queue", arguments);
    }
}
