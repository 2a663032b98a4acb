"""Runs PyTorch's schedulers and writes the rate in force in each epoch.

`lrs[e]` is the rate during epoch e, one tick after each epoch; with `base_lrs` in place of `base_lr` there are several
parameter groups, and `lrs[e]` has a rate for each. Where a case has `momentum`, the optimizer begins with it and
`momentums` is its curve. ReduceLROnPlateau is given `metrics[e]` after epoch e (null is NaN). A composite's kwargs
hold the nested schedulers; `warmup` is our slot's key, and stands for LinearLR before a SequentialLR here.

Usage: python schedulers.py            (needs torch; its version is written into the file)
"""

import json
import math
import pathlib
import warnings

import torch
from torch.optim import lr_scheduler, swa_utils

warnings.filterwarnings("ignore")
WAVE = [round(1 / (1 + e) + 0.3 * math.sin(e), 6) for e in range(24)]
FALL = [
    0.975936, 0.761132, 0.588107, 0.567317, 0.439924, 0.395816, 0.365478, 0.36301, 0.314643, 0.364353, 0.322746,
    0.325763, 0.324931, 0.274451, 0.316593, 0.290891, 0.272974, 0.352498, 0.289815, 0.31993, 0.3451, 0.328228,
    0.305179, 0.324416,
]  # fmt: skip
ABS = {"mode": "max", "factor": 0.5, "patience": 1, "threshold": 0.05, "threshold_mode": "abs", "cooldown": 2}


def of(name, **kwargs):
    return {"name": name, **kwargs}


LINEAR = of("LinearLR", start_factor=0.1, total_iters=5)

# Scheduler with its kwargs, and what differs from one group at the rate 0.1 over 24 epochs.
CASES = [
    (of("StepLR", step_size=3, gamma=0.5), {}),
    (of("StepLR", step_size=1), {"base_lr": 0.3}),
    (of("MultiStepLR", milestones=[2, 5, 9], gamma=0.2), {}),
    (of("MultiStepLR", milestones=[7, 0, 3, 3]), {}),
    (of("MultiStepLR", milestones=[]), {}),
    (of("ConstantLR"), {}),
    (of("ConstantLR", factor=0.25, total_iters=4), {}),
    (of("ConstantLR", factor=1.0, total_iters=40), {}),
    (of("LinearLR"), {"base_lr": 0.3}),
    (LINEAR, {}),
    (of("LinearLR", start_factor=1.0, end_factor=0.0, total_iters=7), {"base_lr": 0.3}),
    (of("ExponentialLR", gamma=0.9), {}),
    (of("ExponentialLR", gamma=1.5), {"base_lr": 1e-5}),
    (of("PolynomialLR"), {}),
    (of("PolynomialLR", total_iters=10, power=0.9), {}),
    (of("PolynomialLR", total_iters=30, power=2.0), {"base_lrs": [0.1, 0.02]}),
    (of("CosineAnnealingLR", T_max=10), {}),
    (of("CosineAnnealingLR", T_max=4, eta_min=0.01), {"base_lr": 0.2}),
    (of("CosineAnnealingLR", T_max=1), {"base_lr": 0.2}),
    (of("CosineAnnealingLR", T_max=3, eta_min=0.001), {"base_lrs": [0.1, 0.02]}),
    (of("CosineAnnealingWarmRestarts", T_0=4, T_mult=2), {}),
    (of("CosineAnnealingWarmRestarts", T_0=5, eta_min=0.02), {"base_lrs": [0.1, 0.05]}),
    (of("CosineAnnealingWarmRestarts", T_0=1, T_mult=3), {}),
    (of("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=4, cycle_momentum=False), {}),
    (of("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=3, step_size_down=2), {"momentum": 0.5}),
    (of("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=3, mode="triangular2"), {"momentum": 0.5}),
    (
        of("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=2, mode="exp_range", gamma=0.9, scale_mode="cycle"),
        {"momentum": 0.5},
    ),
    (
        of(
            "CyclicLR", base_lr=[0.01, 0.002], max_lr=[0.1, 0.001], step_size_up=3, step_size_down=0,
            base_momentum=[0.7, 0.6], max_momentum=[0.99, 0.8],
        ),
        {"base_lrs": [0.5, 0.6], "momentum": 0.3},
    ),
    (of("CyclicLR", base_lr=0.2, max_lr=0.1, step_size_up=3, scale_mode="iterations"), {"momentum": 0.5}),
    (of("OneCycleLR", max_lr=0.1, total_steps=20), {"epochs": 20}),
    (of("OneCycleLR", max_lr=0.1, total_steps=20), {"epochs": 20, "momentum": 0.9}),
    (of("OneCycleLR", max_lr=0.1, total_steps=24, three_phase=True), {"momentum": 0.9}),
    (of("OneCycleLR", max_lr=0.1, total_steps=24, anneal_strategy="linear", pct_start=0.55), {"momentum": 0.9}),
    (
        of(
            "OneCycleLR", max_lr=[0.1, 0.3], epochs=6, steps_per_epoch=4, pct_start=0.4, anneal_strategy="linear",
            base_momentum=[0.5, 0.6], max_momentum=[0.7, 0.9], div_factor=10.0, final_div_factor=100.0,
            three_phase=True,
        ),
        {"base_lrs": [1.0, 2.0], "momentum": 0.9},
    ),
    (of("OneCycleLR", max_lr=0.1, total_steps=24, pct_start=0.0, cycle_momentum=False), {"momentum": 0.9}),
    (of("OneCycleLR", max_lr=0.1, total_steps=24, pct_start=1.0), {"epochs": 23, "momentum": 0.9}),
    (of("ReduceLROnPlateau", factor=0.5, patience=2), {"metrics": FALL}),
    (of("ReduceLROnPlateau", **ABS), {"metrics": FALL}),
    (
        of("ReduceLROnPlateau", patience=0, cooldown=1, min_lr=0.01, threshold=0.1),
        {"base_lr": 0.2, "metrics": WAVE},
    ),
    (
        of("ReduceLROnPlateau", mode="max", patience=1, eps=0.02, threshold_mode="rel"),
        {"base_lr": 0.2, "metrics": WAVE},
    ),
    (
        of("ReduceLROnPlateau", factor=0.3, patience=2, threshold_mode="abs"),
        {"base_lr": 0.2, "metrics": [math.nan] * 5 + WAVE[5:]},
    ),
    (
        of("ReduceLROnPlateau", patience=1, factor=0.6, min_lr=[0.04, 0.001]),
        {"base_lrs": [0.1, 0.01], "metrics": WAVE},
    ),
    (of("SWALR", swa_lr=0.02), {}),
    (of("SWALR", swa_lr=[0.5, 0.001], anneal_epochs=6, anneal_strategy="linear"), {"base_lrs": [0.1, 0.01]}),
    (of("SWALR", swa_lr=0.02, anneal_epochs=0), {}),
    (of("SequentialLR", milestones=[5], schedulers=[LINEAR, of("CosineAnnealingLR", T_max=15)]), {"epochs": 20}),
    (
        of("SequentialLR", milestones=[5], schedulers=[LINEAR, of("PolynomialLR", total_iters=15, power=0.9)]),
        {"epochs": 20},
    ),
    (
        of(
            "SequentialLR", milestones=[3, 10],
            schedulers=[
                of("LinearLR", start_factor=0.5, total_iters=3),
                of("StepLR", step_size=2, gamma=0.5),
                of("LinearLR", start_factor=0.25, total_iters=6),
            ],
        ),
        {},
    ),
    (
        of("SequentialLR", milestones=[4], schedulers=[LINEAR, of("OneCycleLR", max_lr=1.0, total_steps=20)]),
        {"momentum": 0.9},
    ),
    (
        of(
            "SequentialLR", milestones=[6],
            schedulers=[of("OneCycleLR", max_lr=1.0, total_steps=12), of("CosineAnnealingLR", T_max=18)],
        ),
        {"momentum": 0.9},
    ),
    (
        of(
            "SequentialLR", milestones=[3],
            schedulers=[LINEAR, of("CyclicLR", base_lr=0.01, max_lr=1.0, step_size_up=3)],
        ),
        {"momentum": 0.9},
    ),
    (
        of(
            "SequentialLR", milestones=[5],
            schedulers=[of("CyclicLR", base_lr=0.01, max_lr=1.0, step_size_up=3), of("ExponentialLR", gamma=0.5)],
        ),
        {"momentum": 0.5},
    ),
    (
        of(
            "SequentialLR", milestones=[7],
            schedulers=[of("CosineAnnealingLR", T_max=20), of("SWALR", swa_lr=0.01, anneal_epochs=4)],
        ),
        {"base_lrs": [0.1, 0.02]},
    ),
    (
        of(
            "SequentialLR", milestones=[5],
            schedulers=[of("ExponentialLR", gamma=0.9), of("SWALR", swa_lr=0.01, anneal_epochs=0)],
        ),
        {},
    ),
    (
        of(
            "SequentialLR", milestones=[6, 6, 15],
            schedulers=[
                of("CosineAnnealingWarmRestarts", T_0=4),
                of("ExponentialLR", gamma=0.5),
                of("ConstantLR", factor=0.5, total_iters=2),
                of("MultiStepLR", milestones=[0, 3]),
            ],
        ),
        {},
    ),
    (of("SequentialLR", milestones=[0], schedulers=[LINEAR, of("ExponentialLR", gamma=0.5)]), {}),
    (
        of(
            "ChainedScheduler",
            schedulers=[of("ConstantLR", factor=0.1, total_iters=2), of("ExponentialLR", gamma=0.9)],
        ),
        {},
    ),
    (
        of(
            "ChainedScheduler",
            schedulers=[
                of("LinearLR"), of("StepLR", step_size=4), of("CosineAnnealingLR", T_max=9, eta_min=0.001),
            ],
        ),
        {"base_lrs": [0.1, 0.02]},
    ),
    (
        of(
            "ChainedScheduler",
            schedulers=[of("OneCycleLR", max_lr=1.0, total_steps=24), of("ConstantLR", factor=0.5, total_iters=6)],
        ),
        {"momentum": 0.9},
    ),
    (
        of(
            "ChainedScheduler",
            schedulers=[
                of("StepLR", step_size=2),
                of("CyclicLR", base_lr=0.01, max_lr=1.0, step_size_up=3, cycle_momentum=False),
            ],
        ),
        {},
    ),
    (
        of(
            "ChainedScheduler",
            schedulers=[
                of("ChainedScheduler", schedulers=[of("ConstantLR", factor=0.5, total_iters=4)]),
                of(
                    "SequentialLR", milestones=[2],
                    schedulers=[of("LinearLR", total_iters=2), of("ExponentialLR", gamma=0.9)],
                ),
            ],
        ),
        {},
    ),
    (of("CosineAnnealingLR", T_max=24, warmup=5), {}),
    (of("MultiStepLR", milestones=[3, 8], warmup={"length": 4, "start_factor": 0.25}), {"base_lrs": [0.1, 0.02]}),
    (of("OneCycleLR", max_lr=1.0, total_steps=20, warmup={"length": 4, "start_factor": 0.5}), {"momentum": 0.9}),
]


def build(kwargs, optimizer):
    kwargs = dict(kwargs)
    name = kwargs.pop("name")
    if "warmup" in kwargs:
        warmup = kwargs.pop("warmup")
        warmup = warmup if isinstance(warmup, dict) else {"length": warmup}
        length = warmup["length"]
        line = of("LinearLR", start_factor=warmup.get("start_factor", 0.1), total_iters=length)
        both = of("SequentialLR", milestones=[length], schedulers=[line, of(name, **kwargs)])
        return build(both, optimizer)
    if "schedulers" in kwargs:
        kwargs["schedulers"] = [build(s, optimizer) for s in kwargs["schedulers"]]
    if name == "ChainedScheduler":
        return lr_scheduler.ChainedScheduler(**kwargs)
    return getattr(swa_utils if name == "SWALR" else lr_scheduler, name)(optimizer, **kwargs)


def run(kwargs, base_lrs, momentum, metrics, epochs):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in base_lrs]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.0 if momentum is None else momentum)
    scheduler = build(kwargs, optimizer)
    curve = []
    for epoch in range(epochs):
        curve.append([(float(g["lr"]), float(g["momentum"])) for g in optimizer.param_groups])
        optimizer.step()
        scheduler.step(*([] if metrics is None else [metrics[epoch]]))
    return curve


def case(scheduler, rest):
    base_lrs = rest.get("base_lrs", [rest.get("base_lr", 0.1)])
    metrics, momentum = rest.get("metrics"), rest.get("momentum")
    curve = run(scheduler, base_lrs, momentum, metrics, rest.get("epochs", 24))
    of_groups = (lambda values: values) if "base_lrs" in rest else (lambda values: values[0])
    out = {"name": scheduler["name"], "kwargs": {k: v for k, v in scheduler.items() if k != "name"}}
    out.update({"base_lrs": base_lrs} if "base_lrs" in rest else {"base_lr": base_lrs[0]})
    if metrics:
        out["metrics"] = [None if math.isnan(m) else m for m in metrics]
    out["lrs"] = [of_groups([lr for lr, _ in now]) for now in curve]
    if momentum is not None:
        out["momentum"] = momentum
        out["momentums"] = [of_groups([m for _, m in now]) for now in curve]
    return out


def main():
    reference = {"name": "torch", "version": torch.__version__.split("+")[0]}
    cases = [json.dumps(case(*c)) for c in CASES]
    text = '{"reference": %s, "cases": [\n%s\n]}\n' % (json.dumps(reference), ",\n".join(cases))
    pathlib.Path(__file__).with_suffix(".json").write_text(text)


if __name__ == "__main__":
    main()
