# SPDX-License-Identifier: MIT
"""python_processes.py - Python's multiprocessing.Pool, one task at a time to each
process; it is unbounded."""

import multiprocessing
import time

import driver


def send_back(item):
    number, span, _ = item
    until = time.perf_counter() + span
    while span and time.perf_counter() < until:
        pass
    return item


def remote(work, meter):
    padding = bytes(work.size - 8)
    with multiprocessing.Pool(work.consumers) as pool:
        pool.map(len, [b""] * work.consumers)
        meter.start()
        items = ((number, work.span, padding) for number in range(1, work.items + 1))
        numbers = [item[0] for item in pool.imap_unordered(send_back, items)]
        meter.stop()
    meter.take_all(numbers)


if __name__ == "__main__":
    driver.main("Python multiprocessing.Pool", {"remote": remote},
                {"crashes": "a task whose process crashes never ends",
                 "kills": "its tasks have no deadline",
                 **dict.fromkeys(["pass", "pingpong", "paced", *driver.no_pool],
                                 "a pool of processes")},
                bounded=False, by_value=True)
