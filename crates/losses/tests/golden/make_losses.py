"""Computes losses and their gradients with PyTorch.

losses.json         float32, binary masks: inputs are kept, values and gradients are computed anew.
cross_entropy.json  float64: torch.nn.functional.cross_entropy over class weights, smoothing, ignored targets.
bce.json            float64: torch.nn.functional.binary_cross_entropy_with_logits, saturated logits included.

The overlap losses sum over the whole batch, with p the logistic function of the logits:
Dice = 1 - (2 sum(pt) + s) / (sum(p) + sum(t) + s); Tversky = 1 - (TP + s) / (TP + a FP + (1 - a) FN + s) with
TP = sum(pt), FP = sum(p (1 - t)), FN = sum(t (1 - p)); FocalTversky is its power gamma.

Usage: python make_losses.py            (needs torch; versions are written into the files)
"""

import json
import pathlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent


def dice(x, t, smooth=0.0):
    p = torch.sigmoid(x)
    return 1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth)


def tversky(x, t, alpha=0.7, smooth=0.0):
    p = torch.sigmoid(x)
    tp, fp, fn = (p * t).sum(), (p * (1 - t)).sum(), (t * (1 - p)).sum()
    return 1 - (tp + smooth) / (tp + alpha * fp + (1 - alpha) * fn + smooth)


def focal_tversky(x, t, alpha=0.7, gamma=0.75, smooth=0.0):
    return tversky(x, t, alpha, smooth) ** gamma


BINARY = {
    "BCE": F.binary_cross_entropy_with_logits,
    "Dice": dice,
    "Tversky": tversky,
    "FocalTversky": focal_tversky,
    "Dice+BCE": lambda x, t, smooth=0.0: dice(x, t, smooth) + F.binary_cross_entropy_with_logits(x, t),
}


def differentiate(function, logits, shape, dtype):
    x = torch.tensor(logits, dtype=dtype).reshape(shape).requires_grad_()
    value = function(x)
    value.backward()
    return {"value": value.item(), "grad": x.grad.reshape(-1).tolist()}


def write(name, cases):
    (HERE / name).write_text(json.dumps({"torch": torch.__version__, "cases": cases}))


def main():
    cases = json.loads((HERE / "losses.json").read_text())["cases"]
    for case in cases:
        target = torch.tensor(case["target"]).reshape(case["shape"])
        function = lambda x: BINARY[case["name"]](x, target, **case["kwargs"])
        case.update(differentiate(function, case["logits"], case["shape"], torch.float32))
    write("losses.json", cases)

    generator = torch.Generator().manual_seed(7)
    weight = [0.3, 1.0, 2.5, 0.0, 1.7]
    settings = [
        {},
        {"reduction": "sum"},
        {"weight": weight},
        {"weight": weight, "reduction": "sum"},
        {"label_smoothing": 0.1},
        {"label_smoothing": 0.2, "weight": weight},
        {"label_smoothing": 0.2, "weight": weight, "reduction": "sum"},
        {"ignore_index": 2},
        {"ignore_index": 255},
        {"ignore_index": 255, "weight": weight, "label_smoothing": 0.15},
    ]
    cases = []
    for kwargs in settings:
        for shape in ([6, 5], [2, 5, 3, 4]):
            logits = 3 * torch.randn(shape, generator=generator, dtype=torch.float64)
            target = torch.randint(0, 5, [shape[0]] + shape[2:], generator=generator)
            if kwargs.get("ignore_index") == 255:
                target.reshape(-1)[::3] = 255
            t = {k: torch.tensor(v, dtype=torch.float64) if k == "weight" else v for k, v in kwargs.items()}
            function = lambda x: F.cross_entropy(x, target, **t)
            flat = logits.reshape(-1).tolist()
            case = {"kwargs": kwargs, "shape": shape, "logits": flat, "target": target.reshape(-1).tolist()}
            cases.append(case | differentiate(function, flat, shape, torch.float64))
    write("cross_entropy.json", cases)

    cases = []
    for kwargs in ({}, {"reduction": "sum"}, {"pos_weight": [2.5]}, {"pos_weight": [0.5, 3.0, 1.0]}):
        shape = [2, 3, 2, 3]
        logits = 4 * torch.randn(shape, generator=generator, dtype=torch.float64)
        target = torch.rand(shape, generator=generator, dtype=torch.float64).round(decimals=1)
        logits.reshape(-1)[:4] = torch.tensor([100.0, -100.0, 100.0, -100.0])
        target.reshape(-1)[:4] = torch.tensor([0.0, 1.0, 1.0, 0.0])
        t = {k: torch.tensor(v, dtype=torch.float64)[:, None, None] if k == "pos_weight" else v for k, v in kwargs.items()}
        function = lambda x: F.binary_cross_entropy_with_logits(x, target, **t)
        flat = logits.reshape(-1).tolist()
        case = {"kwargs": kwargs, "shape": shape, "logits": flat, "target": target.reshape(-1).tolist()}
        cases.append(case | differentiate(function, flat, shape, torch.float64))
    write("bce.json", cases)


if __name__ == "__main__":
    main()
