# SPDX-License-Identifier: MIT
"""page.py - docs/performance.md: tables, plots and what they do not show."""

import os

import plot
import rows

PLOTTED_SHAPES = ("1P1C", "2P2C", "4P4C")
# With more doubtful rows than this part the page begins with a warning.
DOUBTFUL_PART = 0.1
# Of the speed of bare threads, in percent, at so many microseconds a task.
ASKED = {1: 90, 100: 99}


class Writer:
    def __init__(self, out):
        self.out = out
        self.plots = os.path.join(out, "performance")
        self.lines = []
        os.makedirs(self.plots, exist_ok=True)

    def say(self, *lines):
        self.lines += [*lines, ""]

    def table(self, head, body):
        self.lines.append("| " + " | ".join(head) + " |")
        self.lines.append("|" + "---|" * len(head))
        self.lines += ["| " + " | ".join(cells) + " |" for cells in body]
        self.lines.append("")

    def show(self, name, what):
        self.say(f"![{what}](performance/{name}.svg)")

    def path(self, name):
        return os.path.join(self.plots, name + ".svg")

    def write(self):
        with open(os.path.join(self.out, "performance.md"), "w",
                  encoding="utf-8") as file:
            file.write("\n".join(self.lines).rstrip("\n") + "\n")


# ------------------------------------------------------------------- figures

def mark(row):
    """Median, least and most of what a row is about."""
    spread = rows.Spread(row.each)
    return spread.median, spread.least, spread.most


def is_doubtful(row):
    return bool(row.get("doubt"))


def cell(marked, doubtful=False):
    median, least, most = marked
    return (f"{plot.figure(median)} ({plot.figure(least)} to {plot.figure(most)})"
            + (" ?" if doubtful else ""))


def fine(run, bench=None):
    return [row for row in run.rows
            if row.type == "row" and (bench is None or row.bench == bench)]


def by(found, name):
    """{who: {value of a field: row}}; whom it does not suit is not there."""
    out = {}
    for row in found:
        out.setdefault(row.who, {})[row.get(name)] = row
    return out


def called(row):
    return row.who + ("" if row.get("bounded") else " (u)")


def works_of(found):
    return list(dict.fromkeys(row.work for row in found))


# ------------------------------------------------------------------ beside peers

def beside(writer, found, head):
    """A table: who, and each work; the fastest at the first work on top."""
    works = works_of(found)
    cells = {}
    for row in found:
        cells.setdefault(called(row), {})[row.work] = row
    order = sorted(cells, key=lambda who: min(mark(r)[0] for r in cells[who].values()))
    writer.table([head, *works],
                 [[who, *(cell(mark(cells[who][w]), is_doubtful(cells[who][w]))
                          if w in cells[who] else "" for w in works)]
                  for who in order])


def groups(found, works):
    """For bars: each work, the fastest first."""
    return [(work, [(called(row), mark(row), is_doubtful(row)) for row in
                    sorted((r for r in found if r.work == work),
                           key=lambda r: mark(r)[0])])
            for work in works]


def fastest_peer(run, row):
    """The fastest other that is bounded too, or None."""
    peers = [other for other in fine(run) if other.at == row.at and
             other.get("bounded") and other.who not in ("textbook", "bare") and
             not other.who.startswith("weir")]
    return min(peers, key=lambda other: mark(other)[0], default=None)


def queue(writer, run):
    found = fine(run, "queue")
    writer.say("## The queue beside others",
               "", "Nanoseconds for an item of 8 bytes through a queue of 1024 places, "
               "by producers and", "consumers: the median of the rounds, and the least "
               "and the most of them.")
    works = [w for w in works_of(found) if w in PLOTTED_SHAPES]
    plot.bars(writer.path("queue"), "What does it cost to pass an item?",
              "ns an item, less is better; whisker: least and most round",
              groups(found, works))
    writer.show("queue", "nanoseconds an item, by contender")
    beside(writer, found, "queue")


def pool(writer, run):
    tasks, submit = fine(run, "pool"), fine(run, "submit")
    writer.say("## The pool beside others", "", "Nanoseconds for an empty task from one "
               "submitter, a queue of 1024 places; and what the", "submitter pays for "
               "each while all workers are busy and there is room.")
    plot.bars(writer.path("pool"), "What does an empty task cost?",
              "ns a task, less is better; whisker: least and most round",
              groups(tasks, works_of(tasks)))
    writer.show("pool", "nanoseconds a task, by contender")
    beside(writer, tasks, "pool")
    if submit:
        beside(writer, submit, "to submit")


# ------------------------------------------------------------------ how it grows

def growing(writer, run, name, field, title, words):
    found = fine(run)
    series = {who: {x: mark(row) for x, row in marks.items()}
              for who, marks in by(found, field).items()}
    rowed = by(found, field)
    xs = sorted({x for marks in series.values() for x in marks})
    plot.lines(writer.path(name), title,
               f"ns, less is better, by {words}; bar: least and most round", xs, series)
    writer.show(name, title)
    writer.table([words, *series],
                 [[f"{x:,}", *(cell(series[who][x], is_doubtful(rowed[who][x]))
                               if x in series[who] else "" for who in series)]
                  for x in xs])


def growth(writer, measured):
    known = [("workers", "consumers", "An empty task, by the number of workers",
              "workers"),
             ("capacity_queue", "capacity", "An item through a queue, 2P2C, by its "
              "capacity", "capacity"),
             ("capacity_pool", "capacity", "An empty task of 2 workers, by the capacity "
              "of the queue", "capacity"),
             ("item", "item_size", "An item through a queue, 2P2C, by its size",
              "bytes an item")]
    writer.say("## How the cost grows", "", "Nanoseconds, median (least to most).")
    for name, field, title, words in known:
        if name in measured and fine(measured[name]):
            writer.say(f"### {title}")
            growing(writer, measured[name], name, field, title, words)


# --------------------------------------------------------------------- real work

def each_of(row, name):
    figure = row.get(name)
    return figure["each"] if isinstance(figure, dict) else []


def share(run, row, name="wall_ns"):
    """Of the speed of bare threads, in percent, round by round; or of what they take of
    the processors."""
    bare = run.beside(row, "bare")
    pairs = list(zip(each_of(bare, name), each_of(row, name))) if bare else []
    if not pairs or min(mine for _, mine in pairs) <= 0:
        return None
    return rows.Spread([100 * b / mine for b, mine in pairs])


def judged(run, row, spread):
    asked = ASKED.get(row.get("span_us"))
    if not asked:
        return ""
    if is_doubtful(row) or is_doubtful(run.beside(row, "bare")):
        return f"asked {asked} %: not to be said"
    return f"asked {asked} %: " + ("reached" if spread.median >= asked else
                                   "not reached")


def processors(run, row):
    spread = share(run, row, "cpu_ns")
    return cell((spread.median, spread.least, spread.most)) if spread else ""


def shares_of(run):
    """{(workers, us): [(row, its share)]}, the fastest first."""
    out = {}
    for row in fine(run):
        spread = share(run, row) if row.who != "bare" else None
        if spread:
            key = (row.get("consumers"), row.get("span_us"))
            out.setdefault(key, []).append((row, spread))
    for each in out.values():
        each.sort(key=lambda pair: -pair[1].median)
    return out


def efficiency(writer, run):
    shares = shares_of(run)
    writer.say("## Tasks that compute", "", "How fast tasks of 1, 10 and 100 us go, as a "
               "share of threads that do the same steps without", "a queue (*bare*), "
               "round by round in the same run: median (least to most), in percent. *Of "
               "the", "processors* is the same of processor time, the submitter's "
               "included, which others at work do not", "change much.")

    def name(key):
        return f"{key[0]} worker{'s' if key[0] > 1 else ''}, {key[1]} us"

    plot.bars(writer.path("efficiency"), "How fast are tasks that compute?",
              "% of the speed of threads without a queue, more is better; "
              "dashed: what is asked of weir",
              [(name(key), [(called(row), (s.median, s.least, s.most),
                             is_doubtful(row)) for row, s in each])
               for key, each in shares.items()],
              {name(key): ASKED[key[1]] for key in shares if key[1] in ASKED})
    writer.show("efficiency", "share of the speed of bare threads")
    who = list(dict.fromkeys(row.who for each in shares.values() for row, _ in each))
    who.sort(key=lambda w: not w.startswith("weir"))
    body = []
    for key, each in shares.items():
        known = {row.who: (row, s) for row, s in each}
        weir = known.get("weir")
        body.append([name(key),
                     *(cell((known[w][1].median, known[w][1].least, known[w][1].most),
                            is_doubtful(known[w][0])) if w in known else "" for w in who),
                     processors(run, weir[0]) if weir else "",
                     judged(run, *weir) if weir else ""])
    writer.table(["task", *who, "weir, of the processors", "of weir"], body)


# --------------------------------------------------------------------- the rest

def billion(writer, lines):
    if not lines:
        return
    writer.say("## A billion", "", "Tasks made when asked for, through a pool of 1024 "
               "places; memory that is resident, KiB.")
    writer.table(["way", "producers", "tasks", "ns a task", "s", "memory: start, end",
                  "memory, items, ledger"],
                 [[line["sentence"], str(line["producers"]), f"{line['tasks']:,}",
                   f"{line['wall_ns'] / line['tasks']:.1f}",
                   f"{line['wall_ns'] / 1e9:.2f}",
                   f"{line['start_kib']}, {line['end_kib']}",
                   ", ".join("right" if line[k] else "WRONG"
                             for k in ("memory", "items", "ledger"))]
                  for line in lines])


def trips(measured):
    return [trip["median"] for run in measured.values()
            if isinstance(trip := run.head.get("line_round_trip_ns"), dict)]


def machine(writer, measured, mode):
    runs = list(measured.values())
    head = runs[0].head
    doubts = [row for run in runs for row in fine(run) if is_doubtful(row)]
    rows_in_all = sum(len(fine(run)) for run in runs)
    cores = head["processors"]
    writer.say("## The machine")
    writer.table(["", ""], [
        ["processor", f"{head.get('model')}, {cores} of them usable"],
        ["system", f"{head.get('kernel')}, {head.get('libc')}, {head.get('compiler')}"],
        ["weir", f"{head.get('weir')}, measured from {head.get('started')} on, "
                 f"{mode['seconds'] / 60:.0f} minutes"],
        ["a cache line there and back", f"{min(trips(measured)):.0f} to "
                                        f"{max(trips(measured)):.0f} ns"],
        ["rounds", f"{mode['rounds']}, the contenders in turns"],
        ["doubtful rows, marked ?", f"{len(doubts)} of {rows_in_all}: others used more "
                                    "than 0.3 of a processor meanwhile, or the slowest "
                                    "round took 3 times as long as the fastest"],
    ])
    if mode["left_out"]:
        writer.say("There was no time left for all of: "
                   + ", ".join(mode["left_out"]) + ".")


def what_is_not_shown(writer, measured):
    cores = next(iter(measured.values())).head["processors"]
    writer.say(
        f"## What {cores} processors do not show", "",
        f"* At most {cores} threads run at a time. More workers than that show what it "
        "costs to have them,\n  not what they bring: nothing here says how throughput "
        "grows with processors.",
        "* How locks and cache lines fare that dozens of processors want at once, across "
        "sockets, or two\n  threads on one core, is not asked.",
        f"* There is one thread more than workers: the submitter. With {cores} workers "
        "it takes its time from\n  them, and so tasks that compute cannot quite reach "
        "what bare threads do.",
        "* A virtual machine's processors are moved and taken away by its host. The "
        "cache line's way above\n  says when. Figures of different sections were "
        "measured at different minutes: compare within a\n  table.",
        "* Contenders run as their makers ship them, without tuning; `(u)` is unbounded, "
        "which never waits\n  for room and does less. "
        "[bench/](../bench/README.md) says how each takes part, and has Python's.")


def in_short(writer, measured):
    said = []
    for name, bench, unit in (("queue", "queue", "an item"), ("pool", "pool", "a task")):
        for row in fine(measured[name], bench) if name in measured else []:
            peer = fastest_peer(measured[name], row)
            base = measured[name].beside(row, "textbook")
            if row.who != "weir" or not base:
                continue
            ratio = rows.ratios(row, base)
            said.append([f"{bench}, {row.work}", f"{mark(row)[0]:.1f} ns {unit}",
                         f"{mark(base)[0]:.0f}", f"{1 / ratio.median:.1f}"
                         if ratio and ratio.median else "",
                         f"{mark(peer)[0]:.1f} {peer.who}" if peer else ""])
    if said:
        writer.say("## In short", "", "The textbook's is one mutex and two conditions; "
                   "the fastest other is bounded, too.")
        writer.table(["work", "weir", "textbook", "times as fast", "fastest other"],
                     said)


def write(out, measured, lines, mode):
    writer = Writer(out)
    writer.say("<!-- written by ./dev bench report; what is changed here is lost -->",
               "# What it costs")
    if mode["mode"] != "full":
        writer.say(f"**From a {mode['mode']} run** (`./dev bench report "
                   f"--{mode['mode']}`): to see how things lie, not to quote.",
                   "`./dev bench report` measures with more rounds.")
    found = [row for run in measured.values() for row in fine(run)]
    doubts = sum(is_doubtful(row) for row in found)
    if doubts > DOUBTFUL_PART * len(found):
        writer.say(f"**The machine was not quiet**: {doubts} of {len(found)} rows are "
                   "doubtful, and marked `?`.")
    writer.say("`./dev bench report` has written this page: what it measures, beside "
               "whom and how, is in", "[bench/README.md](../bench/README.md). `./dev "
               "bench` measures any part of it on your machine.")
    in_short(writer, measured)
    machine(writer, measured, mode)
    if "queue" in measured:
        queue(writer, measured["queue"])
    if "pool" in measured:
        pool(writer, measured["pool"])
    growth(writer, measured)
    if "efficiency" in measured:
        efficiency(writer, measured["efficiency"])
    billion(writer, lines)
    what_is_not_shown(writer, measured)
    writer.write()
