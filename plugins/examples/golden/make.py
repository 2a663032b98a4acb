"""Makes golden.json: what the references of the example plugins give, for `pleach certify`.

  lion-pytorch  EvoSign
  numpy         CosineFloors, from its formula
  MONAI         AsymmetricFocal, on the classes (1 - p, p)
  scikit-learn  BrierScore

Usage: python make.py        (needs lion-pytorch, monai, numpy, scikit-learn and torch)
"""

import importlib.metadata
import json
import pathlib

import lion_pytorch
import numpy as np
import torch
from monai.losses.unified_focal_loss import AsymmetricFocalLoss
from sklearn.metrics import brier_score_loss

RNG = np.random.default_rng(4)


def flat(x):
    return [float(v) for v in np.asarray(x, dtype=np.float64).reshape(-1)]


def evo_sign(kwargs):
    shapes = [[2, 3], [4]]
    init = [RNG.normal(size=s) for s in shapes]
    params = [torch.nn.Parameter(torch.tensor(x)) for x in init]
    optimizer = lion_pytorch.Lion(params, **kwargs)
    grads, after = [], []
    for _ in range(6):
        step = [RNG.normal(size=s) for s in shapes]
        for p, g in zip(params, step):
            p.grad = torch.tensor(g)
        optimizer.step()
        grads.append([flat(g) for g in step])
        after.append([flat(p.detach().numpy()) for p in params])
    case = {"name": "EvoSign", "kwargs": kwargs, "dtype": "float64", "shapes": shapes}
    return case | {"init": [flat(x) for x in init], "grads": grads, "params": after}


def cosine_floors(cycle, floors, ticks, base_lr=0.1):
    lrs = []
    for t in range(ticks):
        floor = floors[min(t // cycle, len(floors) - 1)]
        lrs.append(base_lr * (floor + (1 - floor) * (1 + np.cos(np.pi * (t % cycle) / cycle)) / 2))
    return {"name": "CosineFloors", "kwargs": {"cycle": cycle, "floors": floors}, "base_lr": base_lr, "lrs": flat(lrs)}


def asymmetric_focal(kwargs):
    shape = (2, 1, 3, 4)
    x = torch.tensor(3 * RNG.normal(size=shape), requires_grad=True)
    t = torch.tensor((RNG.random(size=shape) < 0.4).astype(np.float64))
    p = torch.sigmoid(x)
    # MONAI keeps p off 0 and 1 by epsilon; logits of a few units are not touched by it.
    value = AsymmetricFocalLoss(epsilon=1e-15, **kwargs)(torch.cat([1 - p, p], 1), torch.cat([1 - t, t], 1))
    value.backward()
    case = {"name": "AsymmetricFocal", "kwargs": kwargs, "dtype": "float64", "shape": list(shape)}
    return case | {"logits": flat(x.detach()), "target": flat(t), "value": float(value), "grad": flat(x.grad)}


def brier_score(classes, samples=7):
    logits = RNG.normal(size=(samples, classes)).astype(np.float32)
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = RNG.integers(classes, size=samples)
    value = brier_score_loss(truth, scores.astype(np.float64) / scores.sum(1, keepdims=True, dtype=np.float64),
                             labels=list(range(classes)), scale_by_half=False)
    rows = [
        {"predicted": {"labels": {"class": int(s.argmax()), "scores": flat(s)}}, "truth": {"labels": {"class": int(t)}}}
        for s, t in zip(scores, truth)
    ]
    return {"name": "BrierScore", "kwargs": {}, "data": {"classes": classes}, "samples": rows,
            "values": {"brier_score": float(value)}}


CASES = [
    evo_sign({}),
    evo_sign({"lr": 0.02, "betas": [0.5, 0.8], "weight_decay": 0.3}),
    cosine_floors(4, [0.1, 0.01], 14),
    cosine_floors(5, [0.5], 12),
    asymmetric_focal({}),
    asymmetric_focal({"delta": 0.4, "gamma": 0.5}),
    brier_score(3),
    brier_score(2),
]

if __name__ == "__main__":
    others = ["lion-pytorch", "monai", "numpy", "scikit-learn"]
    reference = {"name": "torch", "version": importlib.metadata.version("torch"),
                 "with": {name: importlib.metadata.version(name) for name in others}}
    cases = ",\n".join(json.dumps(c) for c in CASES)
    text = f'{{"reference": {json.dumps(reference)}, "cases": [\n{cases}\n]}}\n'
    pathlib.Path(__file__).with_name("golden.json").write_text(text)
