"""Makes losses_values.json and losses_values_ssim.json: losses of values, of (logarithms of) probabilities and of
embeddings, with their gradients.

losses_values.json       torch.nn's classes, in float32 and float64
losses_values_ssim.json  one minus torchmetrics' structural similarity, in float64

A case has `name`, `kwargs`, `shape`, `logits` (the prediction, flat, row by row, whatever its form), `target`, `value`
and `grad`; `dtype` where it is not "float32"; `target_shape` where the target is of another shape than the prediction.
Classes are integers. Embeddings are (samples, 2 or 3, features); triplets have no target.

Usage: python losses_values.py        (needs torch and torchmetrics; their versions are written into the files)
"""

import json
import pathlib

import torch
import torchmetrics
from torch import nn
from torchmetrics.functional.image import structural_similarity_index_measure

HERE = pathlib.Path(__file__).parent
GENERATOR = torch.Generator().manual_seed(11)


def normal(shape, dtype):
    return torch.randn(shape, generator=GENERATOR, dtype=torch.float64).to(dtype)


def numbers(x):
    digits = 9 if x.dtype == torch.float32 else 17
    return [float(f"{v:.{digits}g}") if x.is_floating_point() else v for v in x.reshape(-1).tolist()]


def case(name, kwargs, x, target, function):
    x = x.detach().clone().requires_grad_()
    value = function(x, target)
    value.backward()
    case = {"name": name, "kwargs": kwargs, "shape": list(x.shape), "logits": numbers(x.detach())}
    if target is not None:
        case["target"] = numbers(target)
        if target.shape != x.shape:
            case["target_shape"] = list(target.shape)
    case |= {"value": numbers(value.detach())[0], "grad": numbers(x.grad)}
    if x.dtype == torch.float64:
        case["dtype"] = "float64"
    return case


def loss(name, kwargs, dtype):
    """The class of a name, with lists as tensors."""
    tensors = {k: torch.tensor(v, dtype=dtype) if isinstance(v, list) else v for k, v in kwargs.items()}
    return getattr(nn, name)(**tensors)


def values(dtype):
    settings = [
        ("MSELoss", {}),
        ("MSELoss", {"reduction": "sum"}),
        ("L1Loss", {}),
        ("L1Loss", {"reduction": "sum"}),
        ("SmoothL1Loss", {}),
        ("SmoothL1Loss", {"beta": 0.3, "reduction": "sum"}),
        ("SmoothL1Loss", {"beta": 0.0}),
        ("HuberLoss", {}),
        ("HuberLoss", {"delta": 0.4, "reduction": "sum"}),
    ]
    for name, kwargs in settings:
        for shape in ([7], [2, 3, 2, 2]):
            x, t = normal(shape, dtype), normal(shape, dtype)
            # Equal, and at the place where it turns from squared to linear.
            t.reshape(-1)[0] = x.reshape(-1)[0]
            t.reshape(-1)[1] = x.reshape(-1)[1] + 1
            yield case(name, kwargs, x, t, loss(name, kwargs, dtype))


def probabilities(dtype):
    for kwargs in ({}, {"reduction": "sum"}, {"weight": [0.5, 2.0, 0.0, 1.5]}):
        for shape in ([3, 4], [2, 1, 2, 4]):
            x, t = torch.sigmoid(2 * normal(shape, dtype)), torch.sigmoid(2 * normal(shape, dtype)).round(decimals=1)
            x.reshape(-1)[:4] = torch.tensor([0.0, 1.0, 0.0, 1.0])
            t.reshape(-1)[:4] = torch.tensor([0.0, 1.0, 1.0, 0.0])
            yield case("BCELoss", kwargs, x, t, loss("BCELoss", kwargs, dtype))
    for reduction in ("mean", "batchmean", "sum"):
        for log_target in (False, True):
            kwargs = {"reduction": reduction, "log_target": log_target}
            for shape in ([3, 4], [2, 3, 2, 2]):
                x = torch.log_softmax(2 * normal(shape, dtype), 1)
                t = torch.log_softmax(2 * normal(shape, dtype), 1)
                if not log_target:
                    t = t.exp()
                    t[0] = 0
                    t[0, 1] = 1
                yield case("KLDivLoss", kwargs, x, t, loss("KLDivLoss", kwargs, dtype))
    weight = [0.3, 1.0, 2.5, 0.0, 1.7]
    settings = [
        {},
        {"reduction": "sum"},
        {"weight": weight},
        {"weight": weight, "reduction": "sum"},
        {"ignore_index": 2},
        {"ignore_index": 255, "weight": weight},
    ]
    for kwargs in settings:
        for shape in ([6, 5], [2, 5, 2, 2]):
            x = torch.log_softmax(2 * normal(shape, dtype), 1)
            t = torch.randint(0, 5, [shape[0]] + shape[2:], generator=GENERATOR)
            t.reshape(-1)[2] = kwargs.get("ignore_index", -100)
            yield case("NLLLoss", kwargs, x, t, loss("NLLLoss", kwargs, dtype))


def embeddings(dtype):
    for kwargs in ({}, {"margin": 0.3}, {"margin": -0.5, "reduction": "sum"}):
        for n, d in ((6, 3), (4, 2)):
            x = normal([n, 2, d], dtype)
            x[0, 0] = 0
            t = torch.where(torch.arange(n) % 2 == 0, 1.0, -1.0).to(dtype)
            function = loss("CosineEmbeddingLoss", kwargs, dtype)
            yield case("CosineEmbeddingLoss", kwargs, x, t, lambda x, t: function(x[:, 0], x[:, 1], t))
    settings = [
        {},
        {"margin": 0.2},
        {"p": 1.0},
        {"p": 3.5, "margin": 2.0},
        {"eps": 0.1, "reduction": "sum"},
        {"swap": True},
        {"swap": True, "p": 1.0, "margin": 3.0, "reduction": "sum"},
    ]
    for kwargs in settings:
        x = normal([5, 3, 4], dtype)
        x[0, 1] = x[0, 0]
        x[1, 2] = x[1, 0]
        function = loss("TripletMarginLoss", kwargs, dtype)
        yield case("TripletMarginLoss", kwargs, x, None, lambda x, _: function(x[:, 0], x[:, 1], x[:, 2]))


def similarity(dtype):
    settings = [
        ({}, [1, 2, 7, 10]),
        ({"sigma": 0.5, "k1": 0.05, "k2": 0.1}, [2, 3, 4, 5]),
        ({"sigma": 0.8, "data_range": 255.0, "reduction": "sum"}, [3, 1, 8, 7]),
        ({"gaussian_kernel": False, "kernel_size": 5}, [2, 2, 6, 5]),
    ]
    words = {"mean": "elementwise_mean", "sum": "sum"}
    for kwargs, shape in settings:
        scale = kwargs.get("data_range", 1.0)
        t = torch.rand(shape, generator=GENERATOR, dtype=torch.float64)
        t[0, 0, :, :6] = 0.25
        x = (t + 0.2 * normal(shape, torch.float64)).clamp(0, 1)
        x, t = ((v * scale).to(dtype) for v in (x, t))
        theirs = {k: v for k, v in kwargs.items() if k != "reduction"} | {"data_range": scale}
        theirs["reduction"] = words[kwargs.get("reduction", "mean")]
        total = shape[0] if "reduction" in kwargs else 1

        def function(x, t):
            return total - structural_similarity_index_measure(x, t, **theirs)

        yield case("SSIM", kwargs, x, t, function)


def write(name, module, cases):
    reference = {"name": module.__name__, "version": module.__version__.split("+")[0]}
    text = json.dumps({"reference": reference, "cases": list(cases)}, separators=(",", ":"))
    (HERE / name).write_text(text + "\n")


def main():
    cases = []
    for dtype in (torch.float32, torch.float64):
        cases += [*values(dtype), *probabilities(dtype), *embeddings(dtype)]
    write("losses_values.json", torch, cases)
    write("losses_values_ssim.json", torchmetrics, similarity(torch.float64))


if __name__ == "__main__":
    main()
