#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# trace.py PROGRAM... - what sample_trace writes is a trace: slices nest, arrows
# join, the depth is what went in less what came out.
import collections
import json
import subprocess
import sys

TASKS = 3 * 40


def nests(slices):
    """Each slice of a thread is within the one that is open, or behind it."""
    stack = []
    for s in sorted(slices, key=lambda s: (s["ts"], -s["dur"])):
        end = round(s["ts"] + s["dur"], 3)
        while stack and stack[-1] <= s["ts"]:
            stack.pop()
        if stack and end > stack[-1]:
            return False
        stack.append(end)
    return True


trace = json.loads(subprocess.run(sys.argv[1:], check=True, capture_output=True).stdout)
events = trace["traceEvents"]
assert trace["otherData"]["lost"] == "0", trace["otherData"]
by_phase = collections.defaultdict(list)
for event in events:
    by_phase[event["ph"]].append(event)
assert set(by_phase) <= set("MXCi"), set(by_phase)

names = {(e["pid"], e["tid"]): e["args"]["name"] for e in by_phase["M"]
         if e["name"] == "thread_name"}
processes = [e["args"]["name"] for e in by_phase["M"] if e["name"] == "process_name"]
assert processes == ['mill "1"'], processes

lanes = collections.defaultdict(list)
for event in by_phase["X"]:
    assert event["ts"] >= 0 and event["dur"] >= 0, event
    assert (event["pid"], event["tid"]) in names, event
    lanes[event["pid"], event["tid"]].append(event)
for lane, slices in lanes.items():
    assert nests(slices), names[lane]
assert sum(name.startswith("worker ") for name in names.values()) >= 4, names

submits = {e["args"]["task"]: e for e in by_phase["X"] if e["cat"] == "submit"}
attempts = collections.defaultdict(list)
for event in by_phase["X"]:
    if event["cat"] == "run":
        attempts[event["args"]["task"]].append(event)
assert len(submits) == TASKS and set(attempts) == set(submits), len(attempts)
ids = set()
for task, runs in attempts.items():
    runs.sort(key=lambda e: e["args"]["attempt"])
    assert [e["args"]["attempt"] for e in runs] == list(range(1, len(runs) + 1)), runs
    arrows = {submits[task]["bind_id"]} | {e["bind_id"] for e in runs}
    assert len(arrows) == 1, arrows
    ids |= arrows
    assert submits[task]["flow_out"] and not submits[task].get("flow_in")
    for i, run in enumerate(runs):
        last = i == len(runs) - 1
        assert run["flow_in"] and bool(run.get("flow_out")) != last, run
        assert (run["name"] == "retried") != last, run
        assert run["ts"] >= submits[task]["ts"], (run, submits[task])
assert len(ids) == TASKS
outcomes = collections.Counter(runs[-1]["name"] for runs in attempts.values())
assert outcomes["failed"] == 12 and outcomes["exited"] == 6, outcomes
assert outcomes["timed_out"] + outcomes["timed out"] == 12, outcomes
assert outcomes["done"] == TASKS - 30, outcomes
assert sum(len(r) for r in attempts.values()) > TASKS
assert len({(e["name"], e["cname"]) for r in attempts.values() for e in r}) == \
    len({e["name"] for r in attempts.values() for e in r})

depths = sorted((e["ts"], i, e["args"]["depth"]) for i, e in enumerate(by_phase["C"])
                if "depth" in e["args"])
assert depths[-1][2] == 0 and max(d for _, _, d in depths) >= 5, depths[-1]
assert min(d for _, _, d in depths) >= 0
waits = [e for e in by_phase["X"] if e["cat"] == "wait"]
assert waits and all("open" not in e["args"] for e in waits)
lives = {e["name"] for e in by_phase["i"]}
assert {"close", "exit"} <= lives, lives
