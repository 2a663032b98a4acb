"""Holds the event file of a run against its log.jsonl, with TensorBoard's own reader.

needs PyPI's tensorboard; usage: python read_tensorboard.py RUN_DIR
"""

import json
import math
import pathlib
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def number(x):
    return float(x["$float"]) if isinstance(x, dict) else float(x)


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


run = pathlib.Path(sys.argv[1])
lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
steps = [line for line in lines if line["event"] == "step"]
by_step = {name for line in steps for name in line["metrics"]}
expected = {}
validated = set()
for line in lines:
    values = {name: number(x) for name, x in line.get("metrics", {}).items()}
    if line["event"] == "step":
        for group, lr in enumerate(line["lr"]):
            values["lr" if group == 0 else f"lr_{group}"] = number(lr)
    elif line["event"] == "validation":
        validated |= values.keys()
    elif line["event"] == "epoch":
        values = {f"{n}_epoch" if n in by_step else n: x for n, x in values.items() if n not in validated}
        validated = set()
    for tag, x in values.items():
        expected.setdefault(tag, []).append((line["step"], single(x)))

reader = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0})
reader.Reload()
found = set(reader.Tags()["scalars"])
assert found == expected.keys(), found ^ expected.keys()
for tag, points in expected.items():
    read = [(event.step, event.value) for event in reader.Scalars(tag)]
    same = [a == b or (a[0] == b[0] and math.isnan(a[1]) and math.isnan(b[1])) for a, b in zip(read, points)]
    assert len(read) == len(points) and all(same), f"{tag}: {read[:3]} is not {points[:3]}"
    print(f"{tag}: {len(points)} points agree")
