# SPDX-License-Identifier: MIT
"""python_pool.py - Python's ThreadPoolExecutor, which is unbounded.
driver/pool_works.c has the essay on what is asked of a pool."""

import itertools
import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import driver

# As in driver/work.h.
BURST, LONG, REST = 64, 8, 0.2

mine = threading.local()


class Pool:
    """A pool whose workers remember what they were given."""

    def __init__(self, work):
        if work.producers > 1:
            driver.absent("one submitter only")
        if work.capacity < 1024:
            driver.absent("unbounded")
        self.noted = []
        self.executor = ThreadPoolExecutor(work.consumers, initializer=self.begin)
        self.submit = self.executor.submit

    def begin(self):
        mine.numbers = []
        self.noted.append(mine.numbers)

    def ran(self):
        return sum(map(len, self.noted))

    def wait_for(self, wanted):
        while self.ran() < wanted:
            time.sleep(50e-6)

    def finish(self, meter):
        self.executor.shutdown()
        meter.stop()
        for numbers in self.noted:
            meter.take_all(numbers)


def note(number):
    mine.numbers.append(number)


def submit_all(work, meter, task):
    pool = Pool(work)
    meter.start()
    for number in range(1, work.items + 1):
        pool.submit(task, number)
    pool.finish(meter)


def tasks(work, meter):
    submit_all(work, meter, note)


def sleeps(work, meter):
    def sleep(number):
        time.sleep(work.span)
        note(number)

    submit_all(work, meter, sleep)


def while_held(work, meter):
    pool, numbers, wall = Pool(work), itertools.count(1), 0
    held, let_go = threading.Semaphore(0), threading.Semaphore(0)

    def hold():
        held.release()
        let_go.acquire()

    meter.start()
    submitted = 0
    while submitted < work.items:
        for _ in range(work.consumers):
            pool.submit(hold)
        for _ in range(work.consumers):
            held.acquire()
        count = min(work.capacity // 2 + 1, work.items - submitted)
        began = time.perf_counter_ns()
        for number in itertools.islice(numbers, count):
            pool.submit(note, number)
        wall += time.perf_counter_ns() - began
        submitted += count
        let_go.release(work.consumers)
        pool.wait_for(submitted)
    pool.finish(meter)
    meter.wall = wall


def on_time(burst):
    def run(work, meter):
        pool = Pool(work)
        begun, meter.late = [0] * work.items, [0] * work.items

        def task(index):
            meter.late[index] = time.perf_counter_ns() - begun[index]
            if burst > 1 and (index + 1) % burst == LONG:
                time.sleep(work.span)
            note(index + 1)

        meter.start()
        start = time.perf_counter()
        for index in range(work.items):
            if index % burst == 0:
                time.sleep(max(start + index / work.rate - time.perf_counter(), 0))
            begun[index] = time.perf_counter_ns()
            pool.submit(task, index)
        pool.finish(meter)

    return run


def idle(work, meter):
    pool = Pool(work)
    meter.start()
    for number in range(1, work.items + 1):
        pool.submit(note, number)
    pool.wait_for(work.items)
    time.sleep(REST)
    thread = resource.RUSAGE_THREAD
    before, began = driver.Usage() - driver.Usage(thread), time.perf_counter_ns()
    time.sleep(work.span)
    wall = time.perf_counter_ns() - began
    cost = driver.Usage() - driver.Usage(thread) - before
    pool.finish(meter)
    meter.wall, meter.cost = wall, cost


driver.main("Python ThreadPoolExecutor",
            {"tasks": tasks, "submit": while_held, "start": on_time(1),
             "behind": on_time(BURST), "sleeps": sleeps, "idle": idle},
            {"exits": "no task can end its thread",
             "deadlines": "its tasks have no deadline",
             "computes": "one thread computes at a time",
             **dict.fromkeys(["pass", "pingpong", "paced"], "a pool, not a queue")},
            bounded=False)
