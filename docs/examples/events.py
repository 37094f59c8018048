#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""events.py FILE - what lies in a file of weir's events (weir/events.h).

It may still be written to: each record is looked at as the layout says, and
one that is overwritten meanwhile is counted as lost.
"""
import collections
import mmap
import struct
import sys

KINDS = {
    1: "submit", 2: "start", 3: "settle", 4: "end", 5: "release", 6: "retry",
    7: "blocked", 8: "unblocked", 9: "pill", 10: "close", 11: "scale",
    12: "abandon", 13: "exit", 14: "crash", 15: "put", 16: "get",
    17: "discard", 18: "held", 19: "child",
}
HEADER = struct.Struct("=8s2IQ4I2Q2I2Q2Q")
SOURCE = struct.Struct("=2IQ16s")
RECORD = struct.Struct("=QqQq2I2HI")
Record = collections.namedtuple(
    "Record", "stamp at_ns task value worker attempt kind source flags")


def read(memory):
    """The records, by time, and how many are lost."""
    (magic, version, order, _, _, _, lanes_at, lanes, lane_bytes, records,
     record_bytes, records_at, _, _, _, lost) = HEADER.unpack_from(memory)
    if magic != b"weirevts" or version != 1 or order != 0x01020304:
        raise ValueError("no events of this version and byte order")
    found = []
    for lane in range(lanes):
        base = lanes_at + lane * lane_bytes
        written, = struct.unpack_from("=Q", memory, base)
        first = max(0, written - records)
        lost += first
        for n in range(first, written):
            at = base + records_at + n % records * record_bytes
            before, = struct.unpack_from("=Q", memory, at)
            record = Record._make(RECORD.unpack_from(memory, at))
            after, = struct.unpack_from("=Q", memory, at)
            if before == after == 2 * n + 2:
                found.append(record)
            else:
                lost += 1
    return sorted(found, key=lambda r: (r.at_ns, r.kind)), lost


def sources(memory):
    """Who has written: number to name."""
    at, count = struct.unpack_from("=2I", memory, 24)
    names = {}
    for number in range(1, count):
        kind, _, _, name = SOURCE.unpack_from(memory, at + 32 * number)
        if kind:
            names[number] = name.rstrip(b"\0").decode()
    return names


def main():
    with open(sys.argv[1], "rb") as file:
        memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    records, lost = read(memory)
    counts = collections.Counter(KINDS.get(r.kind, "?") for r in records)
    print(", ".join(sorted(sources(memory).values())))
    for kind, count in sorted(counts.items()):
        print(f"{kind} {count}")
    print(f"lost {lost}")


if __name__ == "__main__":
    main()
