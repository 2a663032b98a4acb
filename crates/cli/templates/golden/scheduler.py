"""Makes my_plugin.json: the rates that the reference of MyPlugin gives, for `pleach certify`.

Fill in `reference`: the rates of the library or of the paper's code that MyPlugin must agree with. What stands there now
is the formula of the template, written a second time.

Usage: python golden/my_plugin.py
"""

import json
import pathlib

# The library that is asked, and its version.
REFERENCE = {"name": "by hand", "version": "1"}

EPOCHS = 12


def reference(base_lr, patience=2, factor=0.5):
    """The rate in force in each epoch; there is a tick after each."""
    return [base_lr * factor ** (epoch // patience) for epoch in range(EPOCHS)]


def case(base_lr, **kwargs):
    return {"name": "MyPlugin", "kwargs": kwargs, "base_lr": base_lr, "lrs": reference(base_lr, **kwargs)}


golden = {"reference": REFERENCE, "cases": [case(0.1), case(0.3, patience=5, factor=0.1)]}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=1) + "\n")
