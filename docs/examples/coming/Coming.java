// SPDX-License-Identifier: MIT
// Coming.java - the ten of weir.c with java.util.concurrent.
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.*;
import java.util.concurrent.atomic.AtomicInteger;

public class Coming {
    static void check(boolean right, String what) {
        if (!right)
            throw new AssertionError(what);
    }

    static void make() {
        // >> 1
        var pool = new ThreadPoolExecutor(4, 4, 0, TimeUnit.SECONDS,
            new LinkedBlockingQueue<>()); // = newFixedThreadPool(4)

        pool.setMaximumPoolSize(8);
        pool.setCorePoolSize(8);
        // <<
        pool.shutdown();
    }

    static void submit(ExecutorService pool) throws Exception {
        var sum = new AtomicInteger();
        var done = new CountDownLatch(1);
        int number = 7;
        // >> 2
        pool.execute(() -> {
            sum.addAndGet(number);
            done.countDown();
        });
        // <<
        done.await();
        check(sum.get() == 7, "the sum");
    }

    static void result(ExecutorService pool) throws Exception {
        int number = 7;
        // >> 3
        Future<Integer> future = pool.submit(() -> number * number);
        int answer = future.get();
        // <<
        check(answer == 49, "the answer");
    }

    static void limit() throws Exception {
        var gate = new CountDownLatch(1);
        Callable<Void> waits = () -> {
            gate.await();
            return null;
        };
        int taken = 0;
        // >> 4
        var pool = new ThreadPoolExecutor(4, 4, 0, TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(100),
            new ThreadPoolExecutor.AbortPolicy()); // or CallerRunsPolicy, ...
        // <<
        try {
            for (;; taken++) {
                // >> 4
                pool.submit(waits); // never waits for room
                // <<
            }
            // >> 4
        } catch (RejectedExecutionException full) {
            // <<
            check(taken == 104, "the limit");
        }
        gate.countDown();
        pool.shutdown();
    }

    static void waitForAll(ExecutorService pool) throws Exception {
        var tasks = new ArrayList<Callable<Void>>();
        for (int i = 0; i < 1000; i++)
            tasks.add(() -> null);
        // >> 5
        List<Future<Void>> all = pool.invokeAll(tasks); // these
        // <<
        check(all.size() == 1000 && all.get(999).isDone(), "all");
    }

    static void stop() throws Exception {
        var pool = Executors.newFixedThreadPool(4);
        for (int i = 0; i < 100; i++)
            pool.submit(() -> null);
        // >> 6
        pool.shutdown();
        if (!pool.awaitTermination(10, TimeUnit.SECONDS)) {
            List<Runnable> rest = pool.shutdownNow(); // interrupts
            pool.awaitTermination(1, TimeUnit.SECONDS);
        }
        // <<
        check(pool.isTerminated(), "the end");
    }

    static void cancel(ExecutorService pool) throws Exception {
        var begun = new CountDownLatch(1);
        var ended = new CountDownLatch(1);
        Callable<Void> sleeps = () -> {
            try {
                begun.countDown();
                Thread.sleep(600_000);
            } catch (InterruptedException asked) {
                ended.countDown();
            }
            return null;
        };
        Future<Void> future = pool.submit(sleeps);
        begun.await();
        // >> 7
        future.cancel(true); // what runs is interrupted
        // <<
        ended.await();
        check(future.isCancelled(), "it is cancelled");
    }

    static void timeLimit(ExecutorService pool) throws Exception {
        var gate = new CountDownLatch(1);
        Callable<Void> waits = () -> {
            gate.await();
            return null;
        };
        boolean late = false;
        // >> 8
        Future<Void> future = pool.submit(waits);
        try {
            future.get(20, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            future.cancel(true); // else it goes on
            // <<
            late = true;
        }
        check(late, "it is late");
    }

    static void failure(ExecutorService pool) throws Exception {
        Throwable cause = null;
        // >> 9
        Future<Void> future = pool.submit(() -> {
            throw new java.io.FileNotFoundException("/no/such/file");
        });
        try {
            future.get();
        } catch (ExecutionException e) {
            cause = e.getCause(); // without get() nobody hears of it
        }
        // <<
        check(cause instanceof java.io.FileNotFoundException, "the failure");
    }

    static void loop(ExecutorService pool) throws Exception {
        var loop = Executors.newSingleThreadExecutor();
        var answer = new CompletableFuture<Integer>();
        // >> 10
        CompletableFuture.supplyAsync(() -> 7 * 7, pool)
            .thenAcceptAsync(n -> answer.complete(n), loop);
        // <<
        check(answer.get() == 49, "the loop");
        loop.shutdown();
    }

    public static void main(String[] arguments) throws Exception {
        var pool = Executors.newFixedThreadPool(4);
        make();
        submit(pool);
        result(pool);
        limit();
        waitForAll(pool);
        stop();
        cancel(pool);
        timeLimit(pool);
        failure(pool);
        loop(pool);
        pool.shutdownNow();
        System.out.println("ten things, Java " + Runtime.version().feature());
    }
}
