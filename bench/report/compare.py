# SPDX-License-Identifier: MIT
"""compare.py - what has become slower between two files of weir-bench --json.

A figure is compared as a multiple of the textbook's at the same work in the same
run: the hour and the machine are in both, and fall out.  Multiples are taken round
by round, for rounds of one number were measured one after the other.  A row is
slower if the median of its multiples has grown by more than the threshold, and the
middle half of the new ones lies above the middle half of the old ones.
"""

import argparse
import math
import sys

import rows

FEW_ROUNDS = 3


class Pair:
    """One contender at one work, in both files."""

    def __init__(self, old, new, threshold):
        self.name = old[0].label
        self.old, self.new = old[1], new[1]
        self.change = (self.new.median / self.old.median - 1 if self.old.median > 0
                       else math.inf if self.new.median > 0 else 0)
        self.verdict = self.judge(threshold)

    def judge(self, threshold):
        if min(self.old.count, self.new.count) < FEW_ROUNDS:
            return "too few rounds"
        if self.change > threshold and self.new.low > self.old.high:
            return "SLOWER"
        if self.change < -threshold and self.new.high < self.old.low:
            return "faster"
        return "same" if abs(self.change) <= threshold else "within the spread"


class Side:
    """The rows of one file, by name; the same name again is numbered."""

    def __init__(self, path, is_wanted, baseline):
        self.path = path
        self.runs = rows.read(path)
        self.ratios, self.others, self.bare = {}, {}, []
        times = {}
        for run in self.runs:
            for row in run.rows:
                if not is_wanted(row.who):
                    continue
                times[row.at, row.who] = times.get((row.at, row.who), 0) + 1
                key = (row.at, row.who, times[row.at, row.who])
                self.take(run, row, key, baseline)

    def take(self, run, row, key, baseline):
        if row.type != "row":
            self.others[key] = row
            return
        base = run.beside(row, baseline)
        ratio = rows.ratios(row, base) if base else None
        if ratio:
            self.ratios[key] = (row, ratio)
        else:
            self.others[key] = row
            self.bare.append(row)

    def describe(self):
        head = self.runs[0].head
        said = ", ".join(str(head[name]) for name in
                         ("weir", "started", "model", "kernel", "compiler")
                         if name in head)
        unended = "" if all(run.ended for run in self.runs) else "; broken off"
        return (f"{self.path}: weir {said}; {head['processors']:.0f} processors"
                f"{unended}")


def print_pairs(pairs, baseline):
    width = max(len(pair.name) for pair in pairs)
    print(f"\nmultiples of what {baseline} takes (least and most of the middle half):\n")
    print(f"{'what':{width}}  {'old':>24}  {'new':>24}  {'change':>8}")
    for pair in pairs:
        shown = (f"{s.median:8.3f} ({s.low:6.3f},{s.high:7.3f})"
                 for s in (pair.old, pair.new))
        print(f"{pair.name:{width}}  {'  '.join(shown)}  {pair.change:+7.1%}  "
              f"{pair.verdict}")


def print_missing(one, other):
    for key, (row, _) in one.ratios.items():
        if key in other.ratios:
            continue
        there = other.others.get(key)
        if not there:
            print(f"only in {one.path}: {row.label}")
        elif there.type == "absent":
            print(f"only in {one.path}: {row.label}; absent from {other.path}: "
                  f"{there.get('why')}")


def print_incomparable(sides, baseline):
    seen = sorted({row.label for side in sides for row in side.bare})
    if seen:
        print(f"not compared, for {baseline} is not there or took nothing: "
              f"{', '.join(seen)}")


def broken(old, new):
    """Rows that were there and are now failures."""
    return [new.others[key] for key in old.ratios
            if key in new.others and new.others[key].type == "failed"]


def compare(old, new, threshold, baseline):
    pairs = [Pair(old.ratios[key], new.ratios[key], threshold)
             for key in old.ratios if key in new.ratios]
    failed = broken(old, new)
    print(old.describe())
    print(new.describe())
    if not pairs and not failed:
        raise rows.Trouble(f"{old.path} and {new.path}: nothing in common that could be "
                           f"compared with {baseline}")
    pairs.sort(key=lambda pair: (pair.verdict != "SLOWER", -pair.change))
    if pairs:
        print_pairs(pairs, baseline)
    print()
    for row in failed:
        print(f"FAILED in {new.path}: {row.label}: {row.get('why')}")
    print_missing(old, new)
    print_missing(new, old)
    print_incomparable((old, new), baseline)
    slower = sum(pair.verdict == "SLOWER" for pair in pairs)
    few = sum(pair.verdict == "too few rounds" for pair in pairs)
    if few:
        print(f"{few} not judged: fewer than {FEW_ROUNDS} rounds (--rounds)")
    print(f"{len(pairs)} compared: {slower} slower by more than {threshold:.0%} and "
          f"beyond the spread, {sum(p.verdict == 'faster' for p in pairs)} faster"
          + (f"; {len(failed)} failed" if failed else ""))
    return 1 if slower or failed else 0


def percent(text):
    value = float(text)
    if not 0 <= value <= 1000:
        raise ValueError
    return value / 100


def main():
    parser = argparse.ArgumentParser(
        prog="./dev bench compare",
        description="What has become slower, by ratio to the textbook of its own run. "
                    "The files are written by ./dev bench ... --json FILE.",
        epilog="Exit status: 0; 1 something is slower, or fails now; 2 a file is of no "
               "use, or wrong usage.")
    parser.add_argument("old", metavar="OLD.json")
    parser.add_argument("new", metavar="NEW.json")
    parser.add_argument("--threshold", type=percent, default=0.1, metavar="PERCENT",
                        help="what is less is no change; 10 without it")
    parser.add_argument("--baseline", default="textbook", metavar="ID",
                        help="the contender that others are compared with")
    parser.add_argument("--who", metavar="ID,ID",
                        help="whom to compare; without it weir in all its forms")
    asked = parser.parse_args()

    def is_wanted(who):
        if asked.who:
            return who in asked.who.split(",")
        return who == "weir" or who.startswith("weir-")

    try:
        return compare(Side(asked.old, is_wanted, asked.baseline),
                       Side(asked.new, is_wanted, asked.baseline),
                       asked.threshold, asked.baseline)
    except rows.Trouble as trouble:
        print(f"compare: {trouble}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
