#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# metrics.py PROGRAM... - what sample_metrics writes, read by Prometheus' own parser
# and looked at by its conventions.
import re
import subprocess
import sys

from prometheus_client.parser import text_string_to_metric_families

UNITS = ("_seconds", "_tasks", "_items")


def page(what):
    text = subprocess.run([*sys.argv[1:], what], check=True, capture_output=True).stdout
    return text.decode("utf-8")


def look(text):
    """Families by name, after what holds of every page."""
    families = list(text_string_to_metric_families(text))
    assert families, "an empty page"
    by_name = {f.name: f for f in families}
    assert len(by_name) == len(families), "a family comes twice"
    declared = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M)
    assert len(declared) == len(families), "a family without a TYPE"
    for name, kind in declared:
        family = by_name[name.removesuffix("_total") if kind == "counter" else name]
        assert family.type == kind, name
        assert family.documentation.endswith("."), f"{name} has no HELP"
        assert (kind == "counter") == name.endswith("_total"), name
        assert re.fullmatch(r"weir_(pool|queue)_[a-z_]+", name), name
        if "seconds" in name:
            assert name.removesuffix("_total").endswith("_seconds"), name
        assert family.samples, f"{name} has no samples"
        for sample in family.samples:
            assert sample.value >= 0, sample
    return by_name


def values(family, label):
    return {(s.labels["pool"], s.labels.get(label)): s.value for s in family.samples}


def check_pools():
    families = look(page("pools"))
    names = ["plain", 'a"b\\c\nd', "plain-2", "x?"]
    accepted = values(families["weir_pool_tasks_accepted"], None)
    settled = values(families["weir_pool_tasks_settled"], "outcome")
    refused = values(families["weir_pool_tasks_refused"], "reason")
    states = values(families["weir_pool_tasks"], "state")
    workers = values(families["weir_pool_workers"], None)
    for i, name in enumerate(names):
        tasks = 10 * (i + 1)
        assert accepted[name, None] == tasks, (name, accepted)
        assert settled[name, "failed"] == tasks / 5, (name, settled)
        assert settled[name, "done"] == tasks - tasks / 5, (name, settled)
        assert sum(v for (pool, _), v in settled.items() if pool == name) == tasks
        assert sum(v for (pool, _), v in states.items() if pool == name) == 0
        assert sum(v for (pool, _), v in refused.items() if pool == name) == 0
        assert workers[name, None] == i + 1, workers
    assert len(accepted) == len(names)
    for what in ("waiting", "running"):
        counts = {s.labels["pool"]: s.value
                  for s in families[f"weir_pool_{what}_seconds"].samples
                  if s.name.endswith("_count")}
        assert counts == {names[i]: 10 * (i + 1) for i in (1, 2, 3)}, counts


def check_queues():
    families = look(page("queues"))
    for family, expected in (("puts", (3, 4)), ("items", (3, 4)), ("most_items", (3, 4)),
                             ("closed", (0, 1)), ("unfinished_items", (3, 4)),
                             ("capacity_items", (1024, 1024)), ("gets", (0, 0))):
        samples = families["weir_queue_" + family].samples
        assert [s.labels["queue"] for s in samples] == ["in", 'out "2"'], samples
        assert tuple(s.value for s in samples) == expected, (family, samples)


def check_histogram():
    family = look(page("histogram"))["weir_pool_waiting_seconds"]
    buckets = [s for s in family.samples if s.name.endswith("_bucket")]
    bounds = [float(s.labels["le"]) for s in buckets]
    counts = [s.value for s in buckets]
    rest = {s.name: s.value for s in family.samples if s not in buckets}
    assert bounds == sorted(bounds) and bounds[-1] == float("inf"), bounds
    assert bounds[0] == 1e-6 and bounds[1] == 2.5e-6 and bounds[2] == 5e-6, bounds
    assert counts == sorted(counts), counts
    assert rest["weir_pool_waiting_seconds_count"] == counts[-1] == 13, rest
    assert abs(rest["weir_pool_waiting_seconds_sum"] - 1111.111111111) < 1e-6, rest
    # 1, 10, 100 ns and, by its bucket, a microsecond; then one in each decade
    assert counts[1] == 4 and counts[4] == 5, counts


check_pools()
check_queues()
check_histogram()
