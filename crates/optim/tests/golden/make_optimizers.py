"""Runs PyTorch's optimizers over fixed gradients and writes what they leave.

optimizers.json      float32: inputs (init, grads) are kept, the trajectories (params) are computed anew.
optimizers_f64.json  float64, more settings, with the state tensors after the last step; inputs are those of
                     the first float32 case, and every lr_factors[i] multiplies the rate of step i.

Usage: python make_optimizers.py            (needs torch; versions are written into the files)
"""

import json
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
LR_FACTORS = [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 2.0, 2.0, 1.0, 0.1, 0.1]
SETTINGS = [
    ("SGD", {}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "dampening": 0.3, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("Adam", {"lr": 0.01, "betas": [0.3, 0.9], "eps": 1e-4}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
    ("AdamW", {"lr": 0.003, "weight_decay": 0.2, "betas": [0.8, 0.95]}),
    ("Adadelta", {"lr": 0.5}),
    ("Adafactor", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.1}),
    ("Adamax", {"lr": 0.02, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.05, "lambd": 0.1, "t0": 3.0}),
    ("NAdam", {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.8}),
    ("Rprop", {"lr": 0.02}),
]


def run(case, dtype, lr_factors=None):
    """All parameters after every step, and the state after the last."""
    kwargs = dict(case["kwargs"])
    if "betas" in kwargs:
        kwargs["betas"] = tuple(kwargs["betas"])
    shapes = case["shapes"]
    tensor = lambda flat, shape: torch.tensor(flat, dtype=dtype).reshape(shape)
    params = [tensor(x, s).requires_grad_() for x, s in zip(case["init"], shapes)]
    # One tensor at a time: the order of operations that the class documents.
    optimizer = getattr(torch.optim, case["name"])(params, foreach=False, **kwargs)
    base = optimizer.param_groups[0]["lr"]
    trajectory = []
    for i, grads in enumerate(case["grads"]):
        for p, g, s in zip(params, grads, shapes):
            p.grad = tensor(g, s)
        if lr_factors is not None:
            optimizer.param_groups[0]["lr"] = base * lr_factors[i]
        optimizer.step()
        trajectory.append([p.detach().reshape(-1).tolist() for p in params])
    state = [
        {k: v.reshape(-1).tolist() for k, v in optimizer.state[p].items() if torch.is_tensor(v)} for p in params
    ]
    return trajectory, state


def main():
    f32 = json.loads((HERE / "optimizers.json").read_text())
    for case in f32["cases"]:
        case["params"] = run(case, torch.float32)[0]
    f32["torch"] = torch.__version__
    (HERE / "optimizers.json").write_text(json.dumps(f32))

    inputs = {k: f32["cases"][0][k] for k in ("shapes", "init", "grads")}
    cases = []
    for name, kwargs in SETTINGS:
        params, state = run({"name": name, "kwargs": kwargs, **inputs}, torch.float64, LR_FACTORS)
        cases.append({"name": name, "kwargs": kwargs, "params": params[-1], "state": state})
    f64 = {"torch": torch.__version__, "lr_factors": LR_FACTORS, **inputs, "cases": cases}
    (HERE / "optimizers_f64.json").write_text(json.dumps(f64))


if __name__ == "__main__":
    main()
