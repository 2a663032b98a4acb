"""Runs PyTorch's schedulers and writes the learning rate in force in each epoch.

`lrs[e]` is the rate during epoch e; one tick after each epoch; ReduceLROnPlateau is given `metrics[e]` after
epoch e. SequentialLR's kwargs hold the nested schedulers. Cases are kept, their numbers computed anew, and
the settings below are added where the file has none of them.

Usage: python make_schedulers.py            (needs torch; its version is written into the file)
"""

import json
import math
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
WAVE = [1 / (1 + e) + 0.3 * math.sin(e) for e in range(24)]
SETTINGS = [
    ("StepLR", {"step_size": 1}, 0.3, None),
    ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.01}, 0.2, None),
    ("CosineAnnealingLR", {"T_max": 1}, 0.2, None),
    ("LinearLR", {}, 0.3, None),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 7}, 0.3, None),
    ("ReduceLROnPlateau", {"patience": 0, "cooldown": 1, "min_lr": 0.01, "threshold": 0.1}, 0.2, WAVE),
    ("ReduceLROnPlateau", {"mode": "max", "patience": 1, "eps": 0.02, "threshold_mode": "rel"}, 0.2, WAVE),
    ("ReduceLROnPlateau", {"factor": 0.3, "patience": 2, "threshold_mode": "abs"}, 0.2, [float("nan")] * 5 + WAVE[5:]),
    (
        "SequentialLR",
        {
            "milestones": [3, 10],
            "schedulers": [
                {"name": "LinearLR", "start_factor": 0.5, "total_iters": 3},
                {"name": "StepLR", "step_size": 2, "gamma": 0.5},
                {"name": "LinearLR", "start_factor": 0.25, "total_iters": 6},
            ],
        },
        0.1,
        None,
    ),
]


def build(name, kwargs, optimizer):
    kwargs = dict(kwargs)
    if "schedulers" in kwargs:
        kwargs["schedulers"] = [
            build(s["name"], {k: v for k, v in s.items() if k != "name"}, optimizer) for s in kwargs["schedulers"]
        ]
    return getattr(torch.optim.lr_scheduler, name)(optimizer, **kwargs)


def run(case):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=case["base_lr"])
    scheduler = build(case["name"], case["kwargs"], optimizer)
    lrs = []
    for epoch in range(len(case["lrs"])):
        lrs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if case.get("metrics"):
            metric = case["metrics"][epoch]
            scheduler.step(math.nan if metric is None else metric)
        else:
            scheduler.step()
    return lrs


def main():
    path = HERE / "schedulers.json"
    file = json.loads(path.read_text())
    for name, kwargs, base_lr, metrics in SETTINGS:
        if not any((c["name"], c["kwargs"], c["base_lr"]) == (name, kwargs, base_lr) for c in file["cases"]):
            case = {"name": name, "kwargs": kwargs, "base_lr": base_lr, "lrs": [0.0] * 24}
            if metrics:
                case["metrics"] = [None if math.isnan(m) else m for m in metrics]
            file["cases"].append(case)
    for case in file["cases"]:
        case["lrs"] = run(case)
    file["torch"] = torch.__version__
    path.write_text(json.dumps(file))


if __name__ == "__main__":
    main()
