"""Writes callbacks.json: what Lightning's EarlyStopping and ModelCheckpoint decide on random traces,
and the averages of PyTorch's AveragedModel.

needs torch and pytorch-lightning; usage: python callbacks.py > callbacks.json
"""

import json
import math
import random
import types

import pytorch_lightning
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

torch.set_default_dtype(torch.float64)
rng = random.Random(2)


def encoded(x):
    """Infinities and NaN as pleach writes them."""
    if math.isfinite(x):
        return x
    return {"$float": "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"}


def trace(length, odd):
    value, out = 1.0, []
    for i in range(length):
        value += rng.uniform(-0.3, 0.22)
        out.append(round(value, 3))
        if odd and rng.random() < 0.1:
            out[-1] = rng.choice([math.nan, math.inf, -math.inf])
    return out


def early_stopping():
    cases = []
    for number in range(40):
        mode = rng.choice(["min", "max"])
        params = {
            "min_delta": rng.choice([0.0, 0.1, 0.25]),
            "patience": rng.choice([1, 2, 3, 5]),
            "mode": mode,
            "check_finite": rng.random() < 0.5,
            "stopping_threshold": rng.choice([None, -0.5 if mode == "min" else 1.4]),
            "divergence_threshold": rng.choice([None, 1.4 if mode == "min" else -0.5]),
        }
        rule = EarlyStopping(monitor="m", **params)
        values = trace(16, odd=number % 2 == 0)
        stops = [bool(rule._evaluate_stopping_criteria(torch.tensor(v))[0]) for v in values]
        cases.append({"params": params, "values": [encoded(v) for v in values], "stops": stops})
    return cases


class Checkpoint(ModelCheckpoint):
    """Counts in place of writing."""

    def _get_metric_interpolated_filepath_name(self, candidates, trainer, del_filepath=None):
        return str(candidates["step"])

    def _save_checkpoint(self, trainer, filepath):
        pass

    def _should_remove_checkpoint(self, trainer, previous, current):
        return False


def top_k():
    trainer = types.SimpleNamespace(strategy=types.SimpleNamespace(reduce_boolean_decision=lambda b: b))
    cases = []
    for k in [-1, 1, 2, 3, 5]:
        for mode in ["min", "max"]:
            keeper = Checkpoint(monitor="m", save_top_k=k, mode=mode, dirpath=".")
            values = [rng.uniform(0, 1) for _ in range(16)]
            held = []
            for step, value in enumerate(values, start=1):
                keeper._save_monitor_checkpoint(trainer, {"m": torch.tensor(value), "step": step})
                held.append(sorted(int(name) for name in keeper.best_k_models))
            cases.append({"save_top_k": k, "mode": mode, "values": values, "held": held})
    return cases


def average():
    net = torch.nn.Module()
    net.weight = torch.nn.Parameter(torch.zeros(4))
    net.register_buffer("running", torch.zeros(2))
    ema = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=False)
    steps = []
    for _ in range(8):
        with torch.no_grad():
            net.weight.copy_(torch.tensor([rng.uniform(-1, 1) for _ in range(4)]))
            net.running.copy_(torch.tensor([rng.uniform(-1, 1) for _ in range(2)]))
        ema.update_parameters(net)
        steps.append({
            "weight": net.weight.tolist(),
            "running": net.running.tolist(),
            "average": ema.module.weight.tolist(),
            "running_average": ema.module.running.tolist(),
        })
    return {"decay": 0.9, "steps": steps}


versions = {"torch": torch.__version__, "pytorch-lightning": pytorch_lightning.__version__}
golden = {"versions": versions, "early_stopping": early_stopping(), "top_k": top_k(), "average": average()}
print(json.dumps(golden, separators=(",", ":"), allow_nan=False))
