# SPDX-License-Identifier: MIT
"""python-queue.py - Python's queue.Queue, with threads."""

import queue
import threading

import driver


def crew(jobs, meter):
    gate = threading.Barrier(len(jobs) + 1)

    def work(job):
        gate.wait()
        job()

    threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    meter.start()
    gate.wait()
    for thread in threads:
        thread.join()
    meter.stop()


def pass_items(work, meter):
    items = queue.Queue(work.capacity)
    got = [[] for _ in range(work.consumers)]

    def putter(numbers):
        def put_all():
            put = items.put
            for number in numbers:
                put(number)
        return put_all

    def getter(mine):
        def get_all():
            get = items.get
            for _ in range(work.items // work.consumers):
                mine.append(get())
        return get_all

    crew([putter(work.share(p)) for p in range(work.producers)]
         + [getter(mine) for mine in got], meter)
    for mine in got:
        meter.take_all(mine)


def pingpong(work, meter):
    out, back = queue.Queue(work.capacity), queue.Queue(work.capacity)
    returned = []

    def serve():
        for number in range(1, work.items + 1):
            out.put(number)
            returned.append(back.get())

    def answer():
        for _ in range(work.items):
            back.put(out.get())

    crew([serve, answer], meter)
    meter.take_all(returned)


driver.main("Python queue.Queue", {"pass": pass_items, "pingpong": pingpong},
            {"paced": "waiting for the moment holds the interpreter's lock",
             **driver.no_pool})
