# SPDX-License-Identifier: MIT
"""rows.py - reads what weir-bench --json wrote; bench/README.md has the fields."""

import json
import math
import statistics

# Rows of these have no figures that could be compared.
UNTIMED = ("hostile", "goodput")
KEYS = ("producers", "consumers", "capacity", "item_size", "batch", "bound", "taken",
        "span_us")


class Trouble(Exception):
    """What is wrong with a file: its name, where, and what."""


class Row:
    """One contender at one work: type row, absent or failed."""

    def __init__(self, fields, where):
        self.fields = fields
        self.type = fields["type"]
        for name in ("bench", "work", "contender"):
            if not isinstance(fields.get(name), str):
                raise Trouble(f"{where}: a {self.type} without {name}")
        self.bench, self.work, self.who = (fields[n] for n in
                                           ("bench", "work", "contender"))
        self.at = (self.bench, self.work) + tuple(fields.get(k) for k in KEYS)
        self.each = self.read_each(where) if self.type == "row" else []

    def read_each(self, where):
        name = self.fields.get("figure")
        figure = self.fields.get(name) if isinstance(name, str) else None
        each = figure.get("each") if isinstance(figure, dict) else None
        if not isinstance(each, list) or not each:
            raise Trouble(f"{where}: a row without rounds of its figure ({name})")
        for value in each:
            if not is_number(value) or value < 0:
                raise Trouble(f"{where}: {name} has a round of {json.dumps(value)}")
        return each

    def get(self, name):
        return self.fields.get(name)

    @property
    def label(self):
        return f"{self.bench} {self.work} {self.who}"


class Run:
    """What one call of weir-bench wrote."""

    def __init__(self, head):
        self.head = head
        self.rows = []
        self.ended = False

    def beside(self, row, who):
        """Another's row at the same work, if it came so far."""
        for other in self.rows:
            if other.type == "row" and other.who == who and other.at == row.at:
                return other
        return None


class Spread:
    """Median and quartiles, and how many there were."""

    def __init__(self, values):
        self.count = len(values)
        self.median = statistics.median(values)
        self.least, self.most = min(values), max(values)
        self.low, self.high = self.least, self.most
        if self.count > 2:
            self.low, _, self.high = statistics.quantiles(values, n=4,
                                                          method="inclusive")


def is_number(value):
    return (isinstance(value, (int, float)) and not isinstance(value, bool)
            and math.isfinite(value))


def ratios(row, base):
    """Round by round, for rounds of one number were neighbours; None: it cannot
    be said."""
    others = base.each
    if len(row.each) != len(others):
        others = [statistics.median(others)] * len(row.each)
    if min(others) <= 0:
        return None
    return Spread([mine / other for mine, other in zip(row.each, others)])


def read_line(text, where):
    try:
        line = json.loads(text)
    except ValueError as error:
        raise Trouble(f"{where}: is not JSON: {error}") from None
    if not isinstance(line, dict) or not isinstance(line.get("type"), str):
        raise Trouble(f"{where}: is JSON, but no line of weir-bench's")
    return line


def take(runs, line, where):
    kind = line["type"]
    if kind == "run":
        if not isinstance(line.get("weir"), str) or not is_number(line.get("processors")):
            raise Trouble(f"{where}: a run that does not say of what and where")
        runs.append(Run(line))
        return
    if not runs:
        raise Trouble(f"{where}: begins with a {kind}, not with a run: no file of "
                      "weir-bench --json")
    if kind == "end":
        runs[-1].ended = True
    elif kind in ("row", "absent", "failed"):
        if line.get("bench") not in UNTIMED:
            runs[-1].rows.append(Row(line, where))
    else:
        raise Trouble(f"{where}: type {kind} is none of weir-bench's")


def read(path):
    """All runs of a file, in order; there is one at least."""
    runs = []
    try:
        with open(path, encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                if text.strip():
                    where = f"{path}:{number}"
                    take(runs, read_line(text, where), where)
    except OSError as error:
        raise Trouble(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Trouble(f"{path}: is no text") from None
    if not runs:
        raise Trouble(f"{path}: is empty; write one with ./dev bench --json FILE")
    return runs
