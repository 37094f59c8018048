# SPDX-License-Identifier: MIT
"""driver.py - driver.c's work for Python: clock, one line of JSON."""

import json
import platform
import resource
import sys
import time

HASH = 0x9E3779B97F4A7C15
ALL = (1 << 64) - 1


class Work:
    def __init__(self, producers, consumers, capacity, size, batch, items, rate, bound,
                 span_us):
        self.producers, self.consumers, self.capacity = producers, consumers, capacity
        self.size, self.batch, self.items, self.rate = size, batch, items, rate
        self.bound, self.span = bound, span_us / 1e6

    def share(self, producer):
        """The numbers that a producer puts."""
        count = self.items // self.producers
        return range(1 + producer * count, 1 + (producer + 1) * count)

    def warm_up(self):
        whole = self.producers * self.consumers
        items = self.items // 16 // whole * whole
        return Work(self.producers, self.consumers, self.capacity, 8, 1, items, self.rate,
                    0, 1e6 * self.span)


class Usage:
    """What a process, or one thread of it, has cost until now."""

    def __init__(self, who=resource.RUSAGE_SELF):
        usage = resource.getrusage(who)
        self.cpu = round((usage.ru_utime + usage.ru_stime) * 1e9)
        self.switches = usage.ru_nvcsw + usage.ru_nivcsw

    def __sub__(self, other):
        self.cpu = max(self.cpu - other.cpu, 0)  # told in steps
        self.switches -= other.switches
        return self


class Meter:
    """What the work cost, and what came out of it."""

    def __init__(self):
        self.items = self.sum = self.hash = 0
        self.late = []

    def start(self):
        self.before = Usage()
        self.began = time.perf_counter_ns()

    def take_all(self, items):
        """Counts what a consumer has got."""
        self.items += len(items)
        self.sum += sum(items)
        for item in items:
            self.hash ^= item * HASH & ALL

    def stop(self):
        self.wall = time.perf_counter_ns() - self.began
        self.cost = Usage() - self.before

    def print(self):
        line = {"wall_ns": self.wall, "cpu_ns": self.cost.cpu,
                "switches": self.cost.switches, "items": self.items,
                "sum": self.sum & ALL, "xor": self.hash}
        late = sorted(self.late[len(self.late) // 10:])  # the first are still coming up
        if late:
            n = len(late)
            line.update(p50_ns=late[n // 2], p99_ns=late[n * 99 // 100],
                        p999_ns=late[n * 999 // 1000], max_ns=late[-1])
        say(line)


# Kinds of work that a queue does not do.
no_pool = dict.fromkeys(["tasks", "submit", "start", "behind", "sleeps", "exits",
                         "deadlines", "idle", "computes"], "a queue, not a pool")


def say(what):
    print(json.dumps(what, separators=(",", ":")))


def absent(why):
    say({"absent": why})
    sys.exit(3)


def main(name, kinds, why_not, bounded=True, by_value=False):
    """A contender's main; kinds: {"pass": function of work and meter, ...};
    why_not: {"tasks": why that makes no sense, ...}, all other kinds."""
    arguments = sys.argv[1:]
    if arguments == ["about"]:
        say({"name": name, "version": platform.python_version(),
             "bounded": bounded, "batches": False})
        return
    if len(arguments) != 10 or not all(a.isdecimal() for a in arguments[1:]):
        sys.exit(f"{name}: this is one contender; weir-bench runs them")
    kind, work = arguments[0], Work(*map(int, arguments[1:]))
    if kind in why_not:
        absent(why_not[kind])
    if work.batch > 1:
        absent("no batches")
    if work.bound:
        absent("its threads are not bound")
    if work.size > 8 and not by_value:
        absent("its items are references, whatever their size")
    kinds[kind](work.warm_up(), Meter())
    meter = Meter()
    kinds[kind](work, meter)
    meter.print()
