"""Runs timm's schedulers with their warm-up and writes the rate in force in each epoch.

timm's names and arguments are written as ours: CosineLRScheduler without restarts as CosineAnnealingLR, StepLRScheduler
as StepLR, `warmup_t` and `warmup_lr_init` as the slot's `warmup`, `warmup_prefix=False` as its rule "timm".

Usage: python schedulers_timm.py            (needs torch and timm; timm's version is written into the file)
"""

import json
import pathlib

import timm
import torch
from timm.scheduler import CosineLRScheduler, StepLRScheduler

# Scheduler, its own arguments, length and first rate of the warm-up, whether the clock begins after it.
CASES = [
    ("cosine", {"t_initial": 24, "lr_min": 0.0}, 5, 0.0, False, [0.1]),
    ("cosine", {"t_initial": 24, "lr_min": 1e-3}, 5, 1e-4, False, [0.1]),
    ("cosine", {"t_initial": 19, "lr_min": 1e-3}, 5, 1e-4, True, [0.1]),
    ("step", {"decay_t": 6, "decay_rate": 0.5}, 8, 1e-3, False, [0.1, 0.02]),
    ("step", {"decay_t": 6, "decay_rate": 0.5}, 8, 1e-3, True, [0.1, 0.02]),
]


def case(kind, kwargs, length, first, prefix, base_lrs, epochs=24):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in base_lrs]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    make = {"cosine": CosineLRScheduler, "step": StepLRScheduler}[kind]
    scheduler = make(optimizer, warmup_t=length, warmup_lr_init=first, warmup_prefix=prefix, **kwargs)
    lrs = []
    for epoch in range(epochs):
        lrs.append([g["lr"] for g in optimizer.param_groups])
        scheduler.step(epoch + 1)
    warmup = {"length": length, "rule": "torch_sequential" if prefix else "timm"}
    if prefix or first:
        warmup["start_lr"] = first
    if kind == "cosine":
        ours = {"name": "CosineAnnealingLR", "kwargs": {"T_max": kwargs["t_initial"], "eta_min": kwargs["lr_min"]}}
    else:
        ours = {"name": "StepLR", "kwargs": {"step_size": kwargs["decay_t"], "gamma": kwargs["decay_rate"]}}
    ours["kwargs"]["warmup"] = warmup
    if len(base_lrs) == 1:
        return {**ours, "base_lr": base_lrs[0], "lrs": [now[0] for now in lrs]}
    return {**ours, "base_lrs": base_lrs, "lrs": lrs}


def main():
    reference = {"name": "timm", "version": timm.__version__}
    cases = [json.dumps(case(*c)) for c in CASES]
    text = '{"reference": %s, "cases": [\n%s\n]}\n' % (json.dumps(reference), ",\n".join(cases))
    pathlib.Path(__file__).with_suffix(".json").write_text(text)


if __name__ == "__main__":
    main()
