"""Makes optimizers_beyond_*.json: what optimizers from outside of PyTorch leave of three small parameters.

One file for each reference, because a file names the one that it follows:

  lion-pytorch        Lion
  timm                LAMB, LARS, Adan
  pytorch_optimizer   Adan with max_grad_norm, which timm leaves out
  adabelief-pytorch   AdaBelief
  prodigyopt          Prodigy
  schedulefree        ScheduleFreeAdamW

A case is as in optimizers.py. ScheduleFreeAdamW has `evaluated` too: evaluated[i] are the weights to evaluate after
step i, where params[i] are those in training.

beyond_rates.json, for the tests of the crate, has cases whose rate at step i is `lr_factors[i]` times their first, and
whose second parameter has its first gradient at the fourth step (null before).

Usage: python optimizers_beyond.py        (needs the packages above)
"""

import contextlib
import importlib.metadata
import io
import json
import pathlib

import adabelief_pytorch
import lion_pytorch
import prodigyopt
import pytorch_optimizer
import schedulefree
import timm.optim
import torch

STEPS = 7
SHAPES = [[2, 3], [3], [2, 1, 2]]
HERE = pathlib.Path(__file__).parent

SETTINGS = {
    ("lion-pytorch", "Lion"): [
        {},
        {"lr": 0.02, "betas": [0.5, 0.8], "weight_decay": 0.3},
        {"lr": 0.02, "weight_decay": 0.01, "decoupled_weight_decay": True},
    ],
    ("timm", "LAMB"): [
        {},
        {"lr": 0.1, "betas": [0.4, 0.9], "eps": 0.001, "weight_decay": 0.1, "max_grad_norm": None},
        {"lr": 0.1, "bias_correction": False, "grad_averaging": False, "max_grad_norm": 0.3},
        {"lr": 0.1, "weight_decay": 0.0, "trust_clip": True},
        {"lr": 0.1, "weight_decay": 0.0, "trust_clip": True, "always_adapt": True},
        {"lr": 0.1, "weight_decay": 0.2, "caution": True},
        {"lr": 0.1, "weight_decay": 0.2, "decoupled_decay": True},
        {"lr": 0.1, "weight_decay": 0.2, "decoupled_decay": True, "corrected_weight_decay": True, "caution": True},
    ],
    ("timm", "LARS"): [
        {},
        {"lr": 3.0, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1, "trust_coeff": 0.05},
        {"lr": 3.0, "momentum": 0.7, "nesterov": True, "always_adapt": True, "trust_coeff": 0.05, "eps": 0.1},
        {"lr": 0.1, "weight_decay": 0.1, "trust_coeff": 0.2, "trust_clip": True},
    ],
    ("timm", "Adan"): [
        {},
        {"lr": 0.02, "betas": [0.7, 0.4, 0.9], "eps": 0.001, "weight_decay": 0.3},
        {"lr": 0.02, "weight_decay": 0.3, "no_prox": True},
    ],
    ("pytorch_optimizer", "Adan"): [
        {"lr": 0.02, "max_grad_norm": 0.5, "betas": [0.7, 0.4, 0.9]},
        {"lr": 0.02, "max_grad_norm": 2.5, "weight_decay": 0.3, "no_prox": True},
    ],
    ("adabelief-pytorch", "AdaBelief"): [
        {},
        {"lr": 0.02, "betas": [0.4, 0.8], "eps": 0.001, "weight_decay": 0.3},
        {"lr": 0.02, "rectify": False, "weight_decay": 0.1, "weight_decouple": False},
        {"lr": 0.02, "rectify": False, "weight_decay": 0.1, "fixed_decay": True, "amsgrad": True, "betas": [0.8, 0.7]},
        {"lr": 0.02, "betas": [0.9, 0.9], "amsgrad": True, "degenerated_to_sgd": False},
    ],
    ("prodigyopt", "Prodigy"): [
        {},
        {"d0": 0.01, "betas": [0.5, 0.8], "beta3": 0.7, "eps": 0.001, "weight_decay": 0.2},
        {"lr": 0.5, "d0": 0.01, "weight_decay": 0.2, "decouple": False, "use_bias_correction": True},
        {"lr": 0.5, "d0": 0.01, "safeguard_warmup": True, "d_coef": 2.0, "growth_rate": 1.1},
        {"d0": 0.01, "betas": [0.0, 0.9], "slice_p": 2},
    ],
    ("schedulefree", "ScheduleFreeAdamW"): [
        {},
        {"lr": 0.05, "betas": [0.4, 0.8], "eps": 0.001, "weight_decay": 0.3},
        {"lr": 0.05, "warmup_steps": 4, "r": 1.5, "weight_lr_power": 1.0},
    ],
}
# What is run in float64: all options of a class together, as far as they go.
DOUBLE = {
    "Lion": [1],
    "LAMB": [1, 7],
    "LARS": [1],
    "Adan": [1],
    "AdaBelief": [1, 3],
    "Prodigy": [1, 3],
    "ScheduleFreeAdamW": [2],
}
RATES = [
    ("lion-pytorch", "Lion", {"lr": 0.02, "weight_decay": 0.01, "decoupled_weight_decay": True}),
    ("timm", "LAMB", {"lr": 0.1, "weight_decay": 0.2, "decoupled_decay": True, "corrected_weight_decay": True}),
    ("timm", "LAMB", SETTINGS["timm", "LAMB"][1]),
    ("timm", "LARS", SETTINGS["timm", "LARS"][1]),
    ("timm", "LARS", SETTINGS["timm", "LARS"][3]),
    ("timm", "Adan", SETTINGS["timm", "Adan"][1]),
    ("adabelief-pytorch", "AdaBelief", SETTINGS["adabelief-pytorch", "AdaBelief"][1]),
    ("prodigyopt", "Prodigy", SETTINGS["prodigyopt", "Prodigy"][1]),
    ("prodigyopt", "Prodigy", SETTINGS["prodigyopt", "Prodigy"][3]),
    ("schedulefree", "ScheduleFreeAdamW", SETTINGS["schedulefree", "ScheduleFreeAdamW"][1]),
]
FACTORS = [0.5, 1.0, 0.8, 1.7, 0.0, 0.3, 1.0]


def make(library, name, kwargs, params):
    kwargs = {k: tuple(v) if isinstance(v, list) else v for k, v in kwargs.items()}
    if library == "pytorch_optimizer":
        kwargs["weight_decouple"] = kwargs.pop("no_prox", False)
        return pytorch_optimizer.Adan(params, foreach=False, **kwargs)
    if library == "timm":
        return {"LAMB": timm.optim.Lamb, "LARS": timm.optim.Lars, "Adan": timm.optim.Adan}[name](params, **kwargs)
    if library == "schedulefree":
        optimizer = schedulefree.AdamWScheduleFree(params, foreach=False, **kwargs)
        optimizer.train()
        return optimizer
    if library == "adabelief-pytorch":
        return adabelief_pytorch.AdaBelief(params, print_change_log=False, **kwargs)
    return {"Lion": lion_pytorch.Lion, "Prodigy": prodigyopt.Prodigy}[name](params, **kwargs)


def written(tensor):
    """The numbers of a tensor with as many digits as bring each back."""
    digits = 9 if tensor.dtype == torch.float32 else 17
    return [float(f"%.{digits}g" % x) for x in tensor.detach().reshape(-1).tolist()]


def run(library, name, kwargs, dtype, seed, first=0, factors=None):
    """`first`: the step at which the second parameter has its first gradient."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda s: torch.randn(s, generator=generator, dtype=torch.float64).to(getattr(torch, dtype))
    params = [draw(s).requires_grad_() for s in SHAPES]
    case = {"name": name, "kwargs": kwargs, "shapes": SHAPES, "init": [written(p) for p in params]}
    if dtype == "float64":
        case["dtype"] = dtype
    case["grads"], case["params"] = [], []
    if factors:
        case["lr_factors"] = factors
    if name == "ScheduleFreeAdamW":
        case["evaluated"] = []
    with contextlib.redirect_stdout(io.StringIO()):
        optimizer = make(library, name, kwargs, params)
        lr = optimizer.param_groups[0]["lr"]
        for i in range(STEPS):
            if factors:
                optimizer.param_groups[0]["lr"] = lr * factors[i]
            for j, p in enumerate(params):
                # Gradients that drift, so that Prodigy's estimate has something to find.
                p.grad = 0.7 * p.detach() + 0.5 * draw(p.shape) if j != 1 or i >= first else None
            if i == 2 and params[1].grad is not None:
                params[1].grad.view(-1)[0] = 0.0
            case["grads"].append([None if p.grad is None else written(p.grad) for p in params])
            optimizer.step()
            case["params"].append([written(p) for p in params])
            if name == "ScheduleFreeAdamW":
                copies = [p.detach().clone() for p in params]
                optimizer.eval()
                case["evaluated"].append([written(p) for p in params])
                optimizer.train()
                # Back and forth costs a rounding; training goes on from the same numbers.
                with torch.no_grad():
                    for p, c in zip(params, copies):
                        p.copy_(c)
    return case


def write(path, library, cases):
    version = importlib.metadata.version
    torch_version = version("torch").split("+")[0]
    reference = {"name": library, "version": version(library), "with": {"torch": torch_version}}
    path.write_text(json.dumps({"reference": reference, "cases": cases}, separators=(",", ":")) + "\n")


def main():
    files, seed = {}, 500
    for (library, name), settings in SETTINGS.items():
        cases = files.setdefault(library, [])
        for kwargs in settings:
            cases.append(run(library, name, kwargs, "float32", seed))
            seed += 1
        for i in DOUBLE[name] if library != "pytorch_optimizer" else []:
            cases.append(run(library, name, settings[i], "float64", seed))
            seed += 1
    for library, cases in files.items():
        write(HERE / f"optimizers_beyond_{library.replace('-', '_')}.json", library, cases)
    rates = [run(*case, "float64", 900 + i, first=3, factors=FACTORS) for i, case in enumerate(RATES)]
    path = HERE.parent.parent / "crates" / "optim" / "tests" / "golden" / "beyond_rates.json"
    path.write_text(json.dumps({"cases": rates}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
