# SPDX-License-Identifier: MIT
"""python-asyncio.py - Python's asyncio.Queue: tasks of one thread."""

import asyncio

import driver


async def crew(jobs, meter):
    meter.start()
    await asyncio.gather(*jobs)
    meter.stop()


async def pass_items(work, meter):
    items = asyncio.Queue(work.capacity)
    got = [[] for _ in range(work.consumers)]

    async def put_all(numbers):
        for number in numbers:
            await items.put(number)

    async def get_all(mine):
        for _ in range(work.items // work.consumers):
            mine.append(await items.get())

    await crew([put_all(work.share(p)) for p in range(work.producers)]
               + [get_all(mine) for mine in got], meter)
    for mine in got:
        meter.take_all(mine)


async def pingpong(work, meter):
    out, back = asyncio.Queue(work.capacity), asyncio.Queue(work.capacity)
    returned = []

    async def serve():
        for number in range(1, work.items + 1):
            await out.put(number)
            returned.append(await back.get())

    async def answer():
        for _ in range(work.items):
            await back.put(await out.get())

    await crew([serve(), answer()], meter)
    meter.take_all(returned)


def in_a_loop(job):
    return lambda work, meter: asyncio.run(job(work, meter))


driver.main("Python asyncio.Queue",
            {"pass": in_a_loop(pass_items), "pingpong": in_a_loop(pingpong)},
            {"paced": "waiting for the moment holds its only thread",
             **driver.no_pool})
