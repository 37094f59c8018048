# SPDX-License-Identifier: MIT
"""report.py - measures, and writes docs/performance.md with its plots.

What was measured is kept as files of rows beside each other (--data): one for each
step below, billion.jsonl, and mode.json.  --render writes the page from them anew.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import page
import rows

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MOST_SECONDS = 20 * 60

# Those of Python take some 1400 ns an item and 12000 a task: they would take longer
# than all others together (bench/README.md has them).
QUEUES = ["weir", "textbook", "glib", "apr", "tbb", "moodycamel", "moodycamel-bounded",
          "rust-std", "crossbeam", "go", "java"]
POOLS = ["weir", "weir-timeouts", "textbook", "glib", "uv", "apr", "tbb", "go", "java",
         "rayon", "tokio"]
DOUBLING = {
    "workers": "1,2,4,8,16,32,64",
    "capacity": "1,4,16,64,256,1024,4096,16384,65536",
    "item": "8,16,32,64,128,256",
}

# What each step asks weir-bench, and whom; peers that are not there are left out.
# The billion comes before what grows: if the time ends, that is what is missing.
STEPS = {
    "queue": (["queue"], QUEUES),
    "pool": (["pool", "submit"], POOLS),
    "efficiency": (["efficiency"],
                   ["bare", "weir", "textbook", "glib", "tbb", "go"]),
    "workers": (["pool", "--workers", DOUBLING["workers"]],
                ["weir", "textbook", "go", "tbb"]),
    "capacity_queue": (["queue", "--shape", "2P2C", "--capacity", DOUBLING["capacity"]],
                       ["weir", "textbook", "go", "crossbeam"]),
    "capacity_pool": (["pool", "--workers", "2", "--capacity", DOUBLING["capacity"]],
                      ["weir", "textbook", "go"]),
    "item": (["queue", "--shape", "2P2C", "--item", DOUBLING["item"]],
             ["weir", "textbook", "go", "crossbeam", "moodycamel-bounded"]),
}

# Rounds, tasks of the longest way, and tasks of the others.
MODES = {"full": (7, 10 ** 9, 10 ** 7), "quick": (3, 2 * 10 ** 7, 2 * 10 ** 6),
         "smoke": (1, 10 ** 5, 10 ** 4)}
WAYS = [("many", 1), ("many", 2), ("submit", 1), ("copy", 1), ("run", 1), ("run", 2)]


class Measuring:
    """Runs the steps, one after the other, until the time is over."""

    def __init__(self, asked):
        self.bench = os.path.abspath(asked.bench)
        self.home = os.path.dirname(self.bench)
        self.asked = asked
        self.rounds, self.most_tasks, self.few_tasks = MODES[asked.mode]
        self.began = time.monotonic()
        self.left_out = []

    def is_there(self, who):
        return any(os.access(os.path.join(self.home, "peers", who + suffix), os.X_OK)
                   for suffix in ("", "_pool"))

    def call(self, what, command):
        """False: it was left out, or broken off."""
        left = self.asked.most - (time.monotonic() - self.began)
        print(f"report: {what}", file=sys.stderr, flush=True)
        if left <= 0:
            self.left_out.append(what)
            return False
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            status = process.wait(left)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
            self.left_out.append(what)
            return False
        if status > 1 or status < 0:  # 1: a contender failed, and has a row of that
            raise rows.Trouble(f"{what}: {os.path.basename(command[0])} ended with "
                               f"{status}")
        return True

    def step(self, name):
        words, who = STEPS[name]
        path = os.path.join(self.asked.data, name + ".jsonl")
        command = [self.bench, "run", *words, "--json", path, "--only",
                   ",".join(w for w in who if self.is_there(w)),
                   "--rounds", str(self.rounds)]
        if self.asked.mode == "smoke":
            command.append("--smoke")
        if self.asked.wait:
            command += ["--wait", str(self.asked.wait)]
        self.call(name, command)

    def billion(self):
        lines = []
        path = os.path.join(self.asked.data, "one.json")
        for way, producers in WAYS:
            first = (way, producers) == WAYS[0]
            tasks = self.most_tasks if first else self.few_tasks
            command = [os.path.join(self.home, "billion"), "--way", way, "--producers",
                       str(producers), "--tasks", str(tasks), "--json", path]
            if self.asked.mode == "smoke":
                command += ["--growth", "1000000"]
            if self.call(f"billion {way} {producers}", command):
                with open(path, encoding="utf-8") as file:
                    lines.append(file.read())
                os.remove(path)
        with open(os.path.join(self.asked.data, "billion.jsonl"), "w",
                  encoding="utf-8") as file:
            file.writelines(lines)

    def all(self):
        os.makedirs(self.asked.data, exist_ok=True)
        for name in [*STEPS, "billion"]:  # of an earlier time
            path = os.path.join(self.asked.data, name + ".jsonl")
            if os.path.exists(path):
                os.remove(path)
        for name in STEPS:
            self.step(name)
            if name == "efficiency":
                self.billion()
        with open(os.path.join(self.asked.data, "mode.json"), "w",
                  encoding="utf-8") as file:
            json.dump({"mode": self.asked.mode, "rounds": self.rounds,
                       "seconds": round(time.monotonic() - self.began),
                       "left_out": self.left_out}, file)


def load(data):
    """What was measured: the runs of each step that is there, and the mode."""
    measured = {}
    for name in STEPS:
        path = os.path.join(data, name + ".jsonl")
        if os.path.exists(path):
            measured[name] = rows.read(path)[0]
    if not measured:
        raise rows.Trouble(f"{data}: has nothing that was measured; run the report "
                           "without --render")
    billion = []
    path = os.path.join(data, "billion.jsonl")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            billion = [rows.read_line(text, f"{path}:{number}")
                       for number, text in enumerate(file, 1)]
    path = os.path.join(data, "mode.json")
    try:
        with open(path, encoding="utf-8") as file:
            mode = json.load(file)
    except (OSError, ValueError) as error:
        raise rows.Trouble(f"{path}: {error}") from None
    return measured, billion, mode


def main():
    parser = argparse.ArgumentParser(
        prog="./dev bench report",
        description="Measures, and writes docs/performance.md and its plots: at most 20 "
                    "minutes, on a machine that has nothing else to do.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", dest="mode", action="store_const", const="quick",
                      help="3 rounds instead of 7; the page says so")
    mode.add_argument("--smoke", dest="mode", action="store_const", const="smoke",
                      help="a little of everything, once: does it still run?")
    mode.add_argument("--render", action="store_true",
                      help="write the page from what was measured last")
    parser.add_argument("--wait", type=int, metavar="SECONDS",
                        help="before each round, up to so long, until others are quiet")
    parser.add_argument("--most", type=float, default=MOST_SECONDS, metavar="SECONDS",
                        help="what there is no time for is left out; 1200 without it")
    parser.add_argument("--bench", default=os.path.join(ROOT, "build/release/bench",
                                                        "weir-bench"),
                        metavar="PROGRAM", help="the weir-bench that is asked")
    parser.add_argument("--data", default=os.path.join(ROOT, "build/report"),
                        metavar="DIRECTORY", help="for what is measured")
    parser.add_argument("--out", default=os.path.join(ROOT, "docs"),
                        metavar="DIRECTORY", help="for the page and its plots")
    parser.set_defaults(mode="full")
    asked = parser.parse_args()
    try:
        if not asked.render:
            Measuring(asked).all()
        page.write(asked.out, *load(asked.data))
    except rows.Trouble as trouble:
        print(f"report: {trouble}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    print(os.path.join(os.path.relpath(asked.out), "performance.md"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
