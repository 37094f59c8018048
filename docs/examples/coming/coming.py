# SPDX-License-Identifier: MIT
"""coming.py - the ten of weir.c with concurrent.futures."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, TimeoutError, wait


def check(right, what):
    if not right:
        sys.exit(what)


def make():
    # >> 1
    pool = ThreadPoolExecutor(max_workers=4)  # as many for good
    # <<
    pool.shutdown()


def submit(pool):
    total = []

    # >> 2
    def work(number):
        total.append(number)

    pool.submit(work, 7)
    # <<
    pool.shutdown()
    check(total == [7], "the sum")


def result(pool):
    # >> 3
    future = pool.submit(lambda number: number * number, 7)
    answer = future.result()
    # <<
    check(answer == 49, "the answer")


def limit(pool):
    gate = threading.Event()
    taken = 0
    # >> 4
    # By hand: a place for each task that is out.
    places = threading.BoundedSemaphore(100)

    def try_submit(work):
        if not places.acquire(blocking=False):
            return None  # or acquire(timeout=10)
        future = pool.submit(work)
        future.add_done_callback(lambda _: places.release())
        return future
    # <<
    while try_submit(gate.wait):
        taken += 1
    gate.set()
    check(taken == 100, "the limit")


def wait_for_all(pool):
    # >> 5
    futures = [pool.submit(int) for _ in range(1000)]
    done, rest = wait(futures)  # these
    # <<
    check(len(done) == 1000 and not rest, "all")


def stop():
    pool = ThreadPoolExecutor(4)
    for _ in range(100):
        pool.submit(int)
    # >> 6
    # Runs what is there, and waits for it without a limit;
    pool.shutdown()
    # at once: cancels what waits, and waits for what runs.
    pool.shutdown(cancel_futures=True)
    # <<


def cancel():
    gate = threading.Event()
    pool = ThreadPoolExecutor(1)
    first = pool.submit(gate.wait)
    future = pool.submit(int)
    # >> 7
    if not future.cancel():
        print("it runs, or has ended, and is not told")
    # <<
    gate.set()
    check(future.cancelled() and first.result(), "what waits is cancelled")
    pool.shutdown()


def time_limit(pool):
    gate = threading.Event()
    late = False
    # >> 8
    future = pool.submit(gate.wait)
    try:
        future.result(timeout=0.02)
    except TimeoutError:
        late = True  # the task goes on
    # <<
    gate.set()
    check(late, "it is late")


def failure(pool):
    # >> 9
    future = pool.submit(open, "/no/such/file")
    error = future.exception()  # without asking nobody hears of it
    # <<
    check(isinstance(error, FileNotFoundError), "the failure")


def loop(pool):
    # >> 10
    async def main():
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, pow, 7, 2)
    # <<

    check(asyncio.run(main()) == 49, "the loop")


def main():
    make()
    submit(ThreadPoolExecutor(4))
    with ThreadPoolExecutor(4) as pool:
        result(pool)
        limit(pool)
        wait_for_all(pool)
        time_limit(pool)
        failure(pool)
        loop(pool)
    stop()
    cancel()
    print("ten things, Python", sys.version.split()[0])


main()
