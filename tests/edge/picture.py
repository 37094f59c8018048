#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# picture.py PROGRAM... - what sample_trace draws is a picture: well-formed, in
# its frame, in both lights, and no two boxes of a row lie over each other.
import collections
import subprocess
import sys
import xml.etree.ElementTree

text = subprocess.run([*sys.argv[1:], "picture"], check=True, capture_output=True).stdout
root = xml.etree.ElementTree.fromstring(text)
svg = "{http://www.w3.org/2000/svg}"
assert root.tag == svg + "svg"
width, height = (float(root.get(n)) for n in ("width", "height"))
style = root.find(svg + "style").text
assert style.count("prefers-color-scheme:dark") == 1
assert b"href" not in text and b"url(" not in text, "it needs something else"

sorts = {"ok", "bad", "late", "try", "off", "on", "wait"}
for sort in sorts:
    assert style.count(f".{sort}{{fill:#") == 2, sort
rows = collections.defaultdict(list)
for box in root.iter(svg + "rect"):
    x, y, w, h = (float(box.get(n) or 0) for n in ("x", "y", "width", "height"))
    assert x >= 0 and x + w <= width + 0.2 and y >= 0 and y + h <= height, box.attrib
    if box.get("class") in sorts and not box.get("rx"):
        rows[y].append((x, w, box.get("class")))
for row in rows.values():
    row.sort()
    for before, after in zip(row, row[1:]):
        assert before[0] + min(before[1], 0.1) <= after[0] + 0.1, (before, after)
        assert before[1] <= 0.11 or before[0] + before[1] <= after[0] + 0.1, (before, after)
drawn = [{sort for _, _, sort in row} for row in rows.values()]
assert sum(row == {"wait"} for row in drawn) == 3, drawn
assert sum("wait" not in row for row in drawn) >= 4, drawn
assert {"ok", "bad", "late", "try"} <= set.union(*drawn), drawn
words = ["".join(t.itertext()) for t in root.iter(svg + "text")]
assert any(w.startswith('mill "1"') and "attempts" in w for w in words), words
assert "worker 0" in words and "blocked" in words and "waiting" in words, words
