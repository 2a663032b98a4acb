"""Makes optimizers.json: what torch.optim's classes leave of three small parameters, step by step.

A case has `name`, `kwargs`, `shapes`, `init` and `params` (`params[i]` after step i; tensors are flat, row by row),
`dtype` where it is not "float32", and one of two sources of gradients:

  grads      the gradients of each step
  objective  a function of the parameters, for optimizers that evaluate it themselves:
             {"name": "quadratic" or "rosenbrock", "scale": s}

Over all values x[0] ... x[n-1] of the parameters in their order, as float64:

  quadratic   s / 2 sum (i + 1) (x[i] - 1)^2
  rosenbrock  s sum over i < n - 1 of 5 (x[i + 1] - x[i]^2)^2 + (1 - x[i])^2

Loss and gradient are computed in float64 by their formulas; the gradient is then rounded to the type of the
parameters.

Usage: python optimizers.py        (needs torch; its version is written into the file)
"""

import json
import pathlib

import torch

STEPS = 7
SHAPES = [[2, 3], [3], [2, 1, 2]]
# So small that no order of sums changes a digit of bfloat16, which Muon's iteration would amplify.
MATRICES = [[3, 2], [2, 5], [3, 3]]

ADAM = [
    {"lr": 0.02, "betas": [0.4, 0.9], "eps": 0.001},
    {"lr": 0.02, "weight_decay": 0.1, "maximize": True},
    {"lr": 0.02, "amsgrad": True, "betas": [0.8, 0.7]},
]
NADAM = [
    {"lr": 0.02, "betas": [0.4, 0.9], "eps": 0.001},
    {"lr": 0.02, "weight_decay": 0.1, "momentum_decay": 0.2},
    {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
]
RADAM = [
    {"lr": 0.02, "betas": [0.4, 0.9], "eps": 0.001},
    {"lr": 0.02, "betas": [0.9, 0.8], "weight_decay": 0.1},
    {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
]
SETTINGS = {
    "SGD": [
        {},
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1},
        {"lr": 0.05, "momentum": 0.7, "nesterov": True, "weight_decay": 0.1, "maximize": True},
    ],
    "Adam": [{}, *ADAM, {"lr": 0.02, "weight_decay": 0.3, "decoupled_weight_decay": True}],
    "AdamW": [{}, *ADAM],
    "Adadelta": [
        {},
        {"lr": 0.5, "rho": 0.6, "eps": 0.01},
        {"weight_decay": 0.1, "maximize": True, "rho": 1.0},
    ],
    "Adafactor": [
        {},
        {"lr": 0.2, "beta2_decay": -0.3, "eps": [0.01, 0.1]},
        {"lr": 0.1, "d": 1.5, "weight_decay": 0.1, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.2, "eps": 0.01},
        {"lr": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "maximize": True},
    ],
    "Adamax": [
        {},
        {"lr": 0.02, "betas": [0.4, 0.7], "eps": 0.01},
        {"lr": 0.02, "weight_decay": 0.1, "maximize": True},
    ],
    "ASGD": [
        {},
        {"lr": 0.1, "lambd": 0.2, "alpha": 0.5, "t0": 2.0},
        {"lr": 0.1, "weight_decay": 0.1, "maximize": True, "t0": 0.0},
    ],
    "NAdam": [{}, *NADAM],
    "RAdam": [{}, *RADAM],
    "RMSprop": [
        {},
        {"lr": 0.02, "alpha": 0.7, "eps": 0.01, "momentum": 0.6},
        {"lr": 0.02, "alpha": 0.7, "centered": True, "eps": 0.01},
        {"lr": 0.02, "centered": True, "momentum": 0.6, "weight_decay": 0.1, "maximize": True},
    ],
    "Rprop": [
        {},
        {"lr": 0.1, "etas": [0.3, 1.7], "step_sizes": [0.02, 0.2]},
        {"lr": 0.1, "maximize": True},
    ],
    "Muon": [
        {},
        {"lr": 0.02, "momentum": 0.4, "nesterov": False, "weight_decay": 0.0},
        {"lr": 0.02, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
        {"lr": 0.02, "adjust_lr_fn": "spectral_unclamped", "ns_coefficients": [2.0, -1.5, 0.5], "eps": 0.5},
        {"lr": 0.02, "adjust_lr_fn": "original", "momentum": 0.6},
    ],
}
# What is run in float64: all options of a class together, as far as they go.
DOUBLE = [
    ("SGD", SETTINGS["SGD"][1]),
    ("Adam", SETTINGS["Adam"][1]),
    ("AdamW", {"lr": 0.02, "amsgrad": True, "betas": [0.8, 0.7], "weight_decay": 0.2}),
    ("Adadelta", {"rho": 0.6, "weight_decay": 0.1}),
    ("Adafactor", {"lr": 0.2, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "initial_accumulator_value": 0.5}),
    ("Adamax", SETTINGS["Adamax"][2]),
    ("ASGD", SETTINGS["ASGD"][1]),
    ("NAdam", SETTINGS["NAdam"][2]),
    ("RAdam", SETTINGS["RAdam"][2]),
    ("RMSprop", SETTINGS["RMSprop"][3]),
    ("Rprop", SETTINGS["Rprop"][1]),
    ("Muon", SETTINGS["Muon"][4]),
]
SEARCH = {"line_search_fn": "strong_wolfe"}
# Settings, objective, type, steps: as many as leave a change of the last digit of `init` far below the tolerance.
LBFGS = [
    ({"max_iter": 4, "lr": 0.1}, ("quadratic", 1.0), "float32", 4),
    ({"max_iter": 3, **SEARCH}, ("rosenbrock", 1.0), "float32", 3),
    ({"max_iter": 3, "maximize": True, "lr": 0.5, **SEARCH}, ("quadratic", -1.0), "float32", 3),
    ({"max_iter": 5, "history_size": 2, "lr": 0.2}, ("rosenbrock", 0.3), "float32", 3),
    ({"max_iter": 4, "lr": 0.1}, ("quadratic", 1.0), "float64", 4),
    ({"max_iter": 5, "history_size": 3, "lr": 0.2}, ("rosenbrock", 1.0), "float64", 5),
    ({**SEARCH}, ("rosenbrock", 1.0), "float64", 3),
    ({"max_iter": 6, "max_eval": 4, "lr": 30.0, **SEARCH}, ("rosenbrock", 1.0), "float64", 4),
    ({"max_iter": 10, "lr": 1e-3, "tolerance_change": 0.01, **SEARCH}, ("rosenbrock", 1.0), "float64", 2),
    ({"max_iter": 10, "tolerance_grad": 2.0, **SEARCH}, ("rosenbrock", 1.0), "float64", 4),
    ({"max_iter": 3, "maximize": True, **SEARCH}, ("rosenbrock", -2.0), "float64", 5),
]


def written(tensor):
    """The numbers of a tensor with as many digits as bring each back."""
    digits = 9 if tensor.dtype == torch.float32 else 17
    return [float(f"%.{digits}g" % x) for x in tensor.detach().reshape(-1).tolist()]


def start(seed, shapes, dtype):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda s: torch.randn(s, generator=generator, dtype=torch.float64).to(dtype)
    return draw, [draw(s).requires_grad_() for s in shapes]


def head(name, kwargs, shapes, dtype, params):
    case = {"name": name, "kwargs": kwargs, "shapes": shapes, "init": [written(p) for p in params]}
    if dtype == "float64":
        case["dtype"] = dtype
    return case


def make(name, kwargs, params):
    # One tensor at a time: the order of operations that the class documents.
    single = {} if name in ("Muon", "LBFGS") else {"foreach": False}
    pairs = {k: tuple(v) if isinstance(v, list) else v for k, v in kwargs.items()}
    return getattr(torch.optim, name)(params, **pairs, **single)


def with_gradients(name, kwargs, dtype, seed):
    shapes = MATRICES if name == "Muon" else SHAPES
    draw, params = start(seed, shapes, getattr(torch, dtype))
    case = head(name, kwargs, shapes, dtype, params)
    optimizer = make(name, kwargs, params)
    case["grads"], case["params"] = [], []
    for i in range(STEPS):
        for p in params:
            p.grad = draw(p.shape)
        if i == 2:
            params[1].grad.view(-1)[0] = 0.0
        case["grads"].append([written(p.grad) for p in params])
        optimizer.step()
        case["params"].append([written(p) for p in params])
    return case


def evaluate(objective, params):
    """Loss and flat gradient, in float64."""
    name, scale = objective
    x = torch.cat([p.detach().reshape(-1).double() for p in params])
    if name == "quadratic":
        c = torch.arange(1, len(x) + 1, dtype=torch.float64)
        return scale * 0.5 * (c * (x - 1) ** 2).sum().item(), scale * c * (x - 1)
    bend, away = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    grad = torch.zeros_like(x)
    grad[1:] += 10 * bend
    grad[:-1] += -20 * x[:-1] * bend - 2 * away
    return scale * (5 * bend**2 + away**2).sum().item(), scale * grad


def with_objective(kwargs, objective, dtype, steps, seed):
    _, params = start(seed, SHAPES, getattr(torch, dtype))
    case = head("LBFGS", kwargs, SHAPES, dtype, params)
    case["objective"] = {"name": objective[0], "scale": objective[1]}
    optimizer = make("LBFGS", kwargs, params)

    def closure():
        loss, grad = evaluate(objective, params)
        at = 0
        for p in params:
            p.grad = grad[at : at + p.numel()].to(p.dtype).reshape(p.shape)
            at += p.numel()
        return loss

    case["params"] = []
    for _ in range(steps):
        optimizer.step(closure)
        case["params"].append([written(p) for p in params])
    return case


def main():
    cases = []
    for name, settings in SETTINGS.items():
        for kwargs in settings:
            cases.append(with_gradients(name, kwargs, "float32", 100 + len(cases)))
    for name, kwargs in DOUBLE:
        cases.append(with_gradients(name, kwargs, "float64", 100 + len(cases)))
    for i, (kwargs, objective, dtype, steps) in enumerate(LBFGS):
        cases.append(with_objective(kwargs, objective, dtype, steps, 300 + i))
    version = torch.__version__.split("+")[0]
    whole = {"reference": {"name": "torch", "version": version}, "cases": cases}
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(whole, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
