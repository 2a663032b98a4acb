"""Makes my_plugin.json: what the reference of MyPlugin measures, for `pleach certify`.

Fill in `reference`: a call of the library or of the paper's code that MyPlugin must agree with. What stands there now
is the formula of the template, written a second time.

Usage: python golden/my_plugin.py
"""

import json
import pathlib
import random

# The library that is asked, and its version.
REFERENCE = {"name": "by hand", "version": "1"}

RANDOM = random.Random(1)
CLASSES = 3


def reference(scores, truth, sure=0.5):
    """The value for the probabilities of each sample and its class."""
    right = [s.index(max(s)) == t and max(s) >= sure for s, t in zip(scores, truth)]
    return sum(right) / len(right)


def sample():
    weights = [RANDOM.random() for _ in range(CLASSES)]
    return [w / sum(weights) for w in weights], RANDOM.randrange(CLASSES)


def case(samples, **kwargs):
    scores, truth = zip(*[sample() for _ in range(samples)])
    rows = [
        {"predicted": {"labels": {"class": s.index(max(s)), "scores": s}}, "truth": {"labels": {"class": t}}}
        for s, t in zip(scores, truth)
    ]
    values = {"my_plugin": reference(scores, truth, **kwargs)}
    return {"name": "MyPlugin", "kwargs": kwargs, "data": {"classes": CLASSES}, "samples": rows, "values": values}


golden = {"reference": REFERENCE, "cases": [case(9), case(9, sure=0.1)]}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=1) + "\n")
