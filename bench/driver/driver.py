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
    def __init__(self, producers, consumers, capacity, size, batch, items, rate, bound):
        self.producers, self.consumers, self.capacity = producers, consumers, capacity
        self.size, self.batch, self.items, self.rate = size, batch, items, rate
        self.bound = bound

    def share(self, producer):
        """The numbers that a producer puts."""
        count = self.items // self.producers
        return range(1 + producer * count, 1 + (producer + 1) * count)

    def warm_up(self):
        whole = self.producers * self.consumers
        items = self.items // 16 // whole * whole
        return Work(self.producers, self.consumers, self.capacity, 8, 1, items, 0, 0)


class Meter:
    """What the work cost, and what came out of it."""

    def __init__(self):
        self.items = self.sum = self.hash = 0

    def start(self):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.before = usage
        self.began = time.perf_counter_ns()

    def take_all(self, items):
        """Counts what a consumer has got."""
        self.items += len(items)
        self.sum += sum(items)
        for item in items:
            self.hash ^= item * HASH & ALL

    def stop(self):
        self.wall = time.perf_counter_ns() - self.began
        self.after = resource.getrusage(resource.RUSAGE_SELF)

    def print(self):
        a, b = self.after, self.before
        cpu = a.ru_utime + a.ru_stime - b.ru_utime - b.ru_stime
        switches = a.ru_nvcsw + a.ru_nivcsw - b.ru_nvcsw - b.ru_nivcsw
        say({"wall_ns": self.wall, "cpu_ns": round(cpu * 1e9), "switches": switches,
             "items": self.items, "sum": self.sum & ALL, "xor": self.hash})


def say(what):
    print(json.dumps(what, separators=(",", ":")))


def absent(why):
    say({"absent": why})
    sys.exit(3)


def main(name, kinds, why_not, bounded=True):
    """A contender's main; kinds: {"pass": function of work and meter, ...};
    why_not: {"tasks": why that makes no sense, ...}, all other kinds."""
    arguments = sys.argv[1:]
    if arguments == ["about"]:
        say({"name": name, "version": platform.python_version(),
             "bounded": bounded, "batches": False})
        return
    if len(arguments) != 9 or not all(a.isdecimal() for a in arguments[1:]):
        sys.exit(f"{name}: this is one contender; weir-bench runs them")
    kind, work = arguments[0], Work(*map(int, arguments[1:]))
    if kind in why_not:
        absent(why_not[kind])
    if work.batch > 1:
        absent("no batches")
    if work.bound:
        absent("its threads are not bound")
    if work.size > 8:
        absent("its items are references, whatever their size")
    kinds[kind](work.warm_up(), Meter())
    meter = Meter()
    kinds[kind](work, meter)
    meter.print()
