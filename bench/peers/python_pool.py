# SPDX-License-Identifier: MIT
"""python_pool.py - Python's ThreadPoolExecutor, which is unbounded."""

import threading
from concurrent.futures import ThreadPoolExecutor

import driver

mine = threading.local()


def tasks(work, meter):
    if work.producers > 1:
        driver.absent("one submitter only")
    if work.capacity < 1024:
        driver.absent("unbounded")
    noted = []

    def begin():
        mine.numbers = []
        noted.append(mine.numbers)

    def note(number):
        mine.numbers.append(number)

    pool = ThreadPoolExecutor(work.consumers, initializer=begin)
    meter.start()
    for number in range(1, work.items + 1):
        pool.submit(note, number)
    pool.shutdown()
    meter.stop()
    for numbers in noted:
        meter.take_all(numbers)


driver.main("Python ThreadPoolExecutor", {"tasks": tasks},
            dict.fromkeys(["pass", "pingpong", "paced"], "a pool, not a queue"),
            bounded=False)
