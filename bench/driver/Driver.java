// SPDX-License-Identifier: MIT
// Driver.java - driver.c's work for Java: threads, clock, one line of JSON.  Each
// contender has a main of its own, which calls this one's.

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;

final class Driver {
    static final long HASH = 0x9E3779B97F4A7C15L;

    /** What is to be done, in the order of the command line. */
    record Work(int producers, int consumers, int capacity, int size, int batch,
                long items, long rate, long spanNs) {
        Work with(long items, long spanNs) {
            return new Work(producers, consumers, capacity, size, batch, items,
                rate, spanNs);
        }
    }

    /** An item is an object, as everything in a queue of Java's: a Long, or
        an array of longs. */
    interface Kind {
        Object make(long number);
        long first(Object item);
        long last(Object item);
    }

    static final Kind NUMBER = new Kind() {
        public Object make(long number) { return number; }
        public long first(Object item) { return (Long) item; }
        public long last(Object item) { return (Long) item; }
    };

    static Kind kindFor(int size) {
        int words = size / Long.BYTES;
        return words == 1 ? NUMBER : new Kind() {
            public Object make(long number) {
                long[] item = new long[words];
                item[0] = item[words - 1] = number;
                return item;
            }
            public long first(Object item) { return ((long[]) item)[0]; }
            public long last(Object item) { return ((long[]) item)[words - 1]; }
        };
    }

    /** What a part measured itself rather than what was measured around it; -1:
        it did not. */
    record Costs(long wall, long cpu, long switches) {
        static final Costs NONE = new Costs(-1, -1, -1);
    }

    /** What one thread does, and did. */
    abstract static class Part extends Thread {
        long items, sum, hash, began, ended, switches;
        long[] late = {};
        Costs measured = Costs.NONE;
        CyclicBarrier gate; // null: it begins at once
        boolean counts = true; // its switches

        abstract void work() throws Exception;

        void take(Kind kind, Object item) {
            items++;
            sum += kind.first(item);
            hash ^= kind.last(item) * HASH;
        }

        /** Counts what another has done. */
        void add(Part other) {
            items += other.items;
            sum += other.sum;
            hash ^= other.hash;
            switches += other.switches;
        }

        @Override public void run() {
            try {
                if (gate != null)
                    gate.await();
                began = System.nanoTime();
                work();
                ended = System.nanoTime();
                if (counts)
                    switches += switchesOfThisThread();
            } catch (Exception e) {
                e.printStackTrace();
                System.exit(1);
            }
        }
    }

    static long switchesOfThisThread() throws IOException {
        return switchesOf(Path.of("/proc/thread-self"));
    }

    private static long switchesOf(Path thread) throws IOException {
        return Files.readAllLines(thread.resolve("status")).stream()
            .filter(line -> line.contains("ctxt_switches"))
            .mapToLong(line -> Long.parseLong(line.split("\\s+")[1])).sum();
    }

    /** Of all threads that live but this one: the collector's and compiler's, too. */
    static long switchesOfOthers() throws IOException {
        long sum = 0;
        try (var threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path thread : threads)
                sum += switchesOf(thread);
        }
        return sum - switchesOfThisThread();
    }

    /** Of the whole process: collecting garbage and compiling, too. */
    static long cpuNanoseconds() {
        return ((com.sun.management.OperatingSystemMXBean)
            ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    /** Lets all go at once; prints what they did if that is wanted. */
    static void crew(List<Part> parts, boolean print) throws Exception {
        CyclicBarrier gate = new CyclicBarrier(parts.size() + 1);
        for (Part part : parts) {
            part.gate = gate;
            part.start();
        }
        long cpu = cpuNanoseconds();
        gate.await();
        for (Part part : parts)
            part.join();
        cpu = cpuNanoseconds() - cpu;
        long began = parts.stream().mapToLong(p -> p.began).min().getAsLong();
        long ended = parts.stream().mapToLong(p -> p.ended).max().getAsLong();
        long hash = parts.stream().mapToLong(p -> p.hash).reduce(0, (a, b) -> a ^ b);
        if (!print)
            return;
        Costs own = parts.stream().map(p -> p.measured).filter(m -> m != Costs.NONE)
            .findFirst().orElse(Costs.NONE);
        System.out.printf("{\"wall_ns\":%d,\"cpu_ns\":%d,\"switches\":%d,"
            + "\"items\":%d,\"sum\":%d,\"xor\":%s",
            own.wall() < 0 ? ended - began : own.wall(),
            own.cpu() < 0 ? cpu : own.cpu(), own.switches() < 0
                ? parts.stream().mapToLong(p -> p.switches).sum() : own.switches(),
            parts.stream().mapToLong(p -> p.items).sum(),
            parts.stream().mapToLong(p -> p.sum).sum(), Long.toUnsignedString(hash));
        // The first tenth is not counted: threads are still coming up.
        long[] late = parts.stream().flatMapToLong(p ->
            Arrays.stream(p.late).skip(p.late.length / 10)).sorted().toArray();
        if (late.length > 0)
            System.out.printf(",\"p50_ns\":%d,\"p99_ns\":%d,\"p999_ns\":%d,"
                + "\"max_ns\":%d",
                late[late.length / 2], late[(int) (late.length * 99L / 100)],
                late[(int) (late.length * 999L / 1000)], late[late.length - 1]);
        System.out.println("}");
    }

    /** Does the work once; prints the line if that is wanted. */
    interface Job {
        void run(Work work, boolean print) throws Exception;
    }

    static void absent(String why) {
        System.out.println("{\"absent\":\"" + why + "\"}");
        System.exit(3);
    }

    /** A contender's main; jobs: by the kind of work, and why there is no other.
        All of it is done once before it counts: by then it is compiled. */
    static void main(String name, Map<String, Job> jobs, String other,
                     String[] arguments) throws Exception {
        if (arguments.length == 1 && arguments[0].equals("about")) {
            System.out.printf("{\"name\":\"%s\",\"version\":\"%s\","
                + "\"bounded\":true,\"batches\":false}%n", name,
                System.getProperty("java.version"));
            return;
        }
        if (arguments.length != 10) {
            System.err.println("java: this is one contender; weir-bench runs them");
            System.exit(2);
        }
        long[] n = Arrays.stream(arguments).skip(1).mapToLong(Long::parseLong).toArray();
        Work work = new Work((int) n[0], (int) n[1], (int) n[2], (int) n[3],
            (int) n[4], n[5], n[6], 1000 * n[8]);
        if (work.batch > 1)
            absent("no batches");
        if (n[7] == 1)
            absent("its threads cannot be bound");
        Job job = jobs.get(arguments[0]);
        if (job == null)
            absent(other);
        job.run(work, false);
        job.run(work, true);
    }
}
