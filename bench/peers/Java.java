// SPDX-License-Identifier: MIT
// Java.java - Java's ArrayBlockingQueue.

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;

final class Java {
    // Item k comes from producer k mod P.  With a rate it is due at its own
    // time, and the consumer looks how late it is.
    static void pass(Driver.Work work, boolean print) throws Exception {
        var queue = new ArrayBlockingQueue<Object>(work.capacity());
        var kind = Driver.kindFor(work.size());
        var parts = new ArrayList<Driver.Part>();
        long start = System.nanoTime() + 5_000_000;
        long rate = print ? work.rate() : 0;

        for (int p = 0; p < work.producers(); p++) {
            long first = 1 + p;
            parts.add(new Driver.Part() {
                @Override void work() throws InterruptedException {
                    for (long i = first; i <= work.items(); i += work.producers()) {
                        while (rate > 0 && late(start, i, rate) < 0)
                            Thread.onSpinWait();
                        queue.put(kind.make(i));
                    }
                }
            });
        }
        for (int c = 0; c < work.consumers(); c++)
            parts.add(new Driver.Part() {
                @Override void work() throws InterruptedException {
                    int share = (int) (work.items() / work.consumers());
                    late = new long[rate > 0 ? share : 0];
                    for (int i = 0; i < share; i++) {
                        Object item = queue.take();
                        if (rate > 0)
                            late[i] = late(start, kind.first(item), rate);
                        take(kind, item);
                    }
                }
            });
        Driver.crew(parts, print);
    }

    static long late(long start, long item, long rate) {
        return System.nanoTime() - start - item * 1_000_000_000 / rate;
    }

    static void pingpong(Driver.Work work, boolean print) throws Exception {
        var out = new ArrayBlockingQueue<Object>(work.capacity());
        var back = new ArrayBlockingQueue<Object>(work.capacity());
        var kind = Driver.kindFor(work.size());
        var serve = new Driver.Part() {
            @Override void work() throws InterruptedException {
                for (long i = 1; i <= work.items(); i++) {
                    out.put(kind.make(i));
                    hash ^= kind.last(back.take()) * Driver.HASH;
                }
            }
        };
        var answer = new Driver.Part() {
            @Override void work() throws InterruptedException {
                for (long i = 0; i < work.items(); i++) {
                    Object item = out.take();
                    items++;
                    sum += kind.first(item);
                    back.put(item);
                }
            }
        };
        Driver.crew(List.of(serve, answer), print);
    }

    public static void main(String[] arguments) throws Exception {
        Driver.main("Java ArrayBlockingQueue", Map.of("pass", Java::pass, "paced",
            Java::pass, "pingpong", Java::pingpong), "a queue, not a pool",
            arguments);
    }
}
