"""Writes names.json and batch_norm.json beside this file.

names.json: names and shapes of the state dicts of torchvision's ResNets, in sorted order.
batch_norm.json: a BatchNorm2d's outputs and running statistics over three batches in training and one in evaluation.

Run as `python make.py` with torch and torchvision installed.
"""

import json
import pathlib

import torch
import torchvision

HERE = pathlib.Path(__file__).parent
VERSIONS = {"torch": torch.__version__.split("+")[0], "torchvision": torchvision.__version__.split("+")[0]}


def names():
    models = {}
    for depth in [18, 34, 50, 101]:
        state = getattr(torchvision.models, f"resnet{depth}")().state_dict()
        models[f"ResNet{depth}"] = {name: list(state[name].shape) for name in sorted(state)}
    (HERE / "names.json").write_text(json.dumps({**VERSIONS, "models": models}, separators=(",", ":")) + "\n")


def batch_norm():
    torch.manual_seed(7)
    norm = torch.nn.BatchNorm2d(2).double()
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.5, 1.5]))
        norm.bias.copy_(torch.tensor([0.25, -0.75]))
    batches, outputs = [], []
    for step in range(4):
        norm.train(step < 3)
        # Multiples of 1/64 are the same numbers in decimal text.
        x = (torch.randn(2, 2, 3, 2, dtype=torch.float64) * 64 * (step + 1)).round() / 64 + step
        batches.append(x.flatten().tolist())
        outputs.append(norm(x).flatten().tolist())
    state = {name: value.flatten().tolist() for name, value in norm.state_dict().items()}
    golden = {**VERSIONS, "shape": [2, 2, 3, 2], "batches": batches, "outputs": outputs, "state": state}
    (HERE / "batch_norm.json").write_text(json.dumps(golden, indent=1) + "\n")


names()
batch_norm()
