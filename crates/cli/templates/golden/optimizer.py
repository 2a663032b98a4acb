"""Makes my_plugin.json: what the reference of MyPlugin leaves of two parameters, for `pleach certify`.

Fill in `reference`: steps of the library or of the paper's code that MyPlugin must agree with. What stands there now is
the formula of the template, written a second time.

Usage: python golden/my_plugin.py
"""

import json
import pathlib
import random

# The library that is asked, and its version.
REFERENCE = {"name": "by hand", "version": "1"}

RANDOM = random.Random(1)
SHAPES = [[2, 3], [4]]
SIZES = [6, 4]
STEPS = 5


def reference(init, grads, lr=0.01, momentum=0.9):
    """The parameters after each step, for the gradients of each step; all are flat lists."""
    params, m, after = [list(p) for p in init], [[0.0] * len(p) for p in init], []
    for step in grads:
        for p, v, g in zip(params, m, step):
            for i in range(len(p)):
                v[i] = momentum * v[i] + g[i]
                p[i] -= lr * v[i]
        after.append([list(p) for p in params])
    return after


def numbers():
    return [[RANDOM.gauss(0, 1) for _ in range(size)] for size in SIZES]


def case(**kwargs):
    init, grads = numbers(), [numbers() for _ in range(STEPS)]
    return {
        "name": "MyPlugin", "kwargs": kwargs, "dtype": "float64",
        "shapes": SHAPES, "init": init, "grads": grads, "params": reference(init, grads, **kwargs),
    }


golden = {"reference": REFERENCE, "cases": [case(), case(lr=0.1, momentum=0.5)]}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=1) + "\n")
