"""Makes my_plugin.json: what the reference of MyPlugin gives, for `pleach certify`.

Fill in `reference`: a call of the library or of the paper's code that MyPlugin must agree with. What stands there now
is the formula of the template, written a second time.

Usage: python golden/my_plugin.py
"""

import json
import math
import pathlib
import random

# The library that is asked, and its version.
REFERENCE = {"name": "by hand", "version": "1"}

RANDOM = random.Random(1)


def reference(logits, classes, scale=1.0):
    """Value and gradient for a list of rows of logits and the class of each row."""
    value, gradient = 0.0, []
    for row, of_row in zip(logits, classes):
        e = [math.exp(x - max(row)) for x in row]
        p = [x / sum(e) for x in e]
        away = [2 * scale * (p[k] - (k == of_row)) / len(logits) for k in range(len(p))]
        value += scale * sum((p[k] - (k == of_row)) ** 2 for k in range(len(p))) / len(logits)
        mean = sum(a * q for a, q in zip(away, p))
        gradient += [q * (a - mean) for a, q in zip(away, p)]
    return value, gradient


def case(samples, classes, **kwargs):
    logits = [[RANDOM.gauss(0, 2) for _ in range(classes)] for _ in range(samples)]
    target = [RANDOM.randrange(classes) for _ in range(samples)]
    value, gradient = reference(logits, target, **kwargs)
    return {
        "name": "MyPlugin", "kwargs": kwargs, "dtype": "float64",
        "shape": [samples, classes], "logits": sum(logits, []), "target": target, "target_shape": [samples],
        "value": value, "grad": gradient,
    }


golden = {"reference": REFERENCE, "cases": [case(4, 3), case(2, 5, scale=0.5)]}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=1) + "\n")
