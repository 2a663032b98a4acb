"""Writes sampling.json beside this file: PyTorch's outputs and gradients of the operations that move pixels.

Run as `python sampling.py` with torch installed. Inputs are multiples of 1/256, hence exact in f32; results are
computed in f64 and serve both precisions, f32 with a wider tolerance.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(20240612)
cases = []


def randn(*shape):
    return (torch.randn(*shape, dtype=torch.float64) * 256).round() / 256


def pack(t):
    """Fourteen digits: a hundred times finer than the tolerance."""
    return {"shape": list(t.shape), "data": [float(f"{v:.14g}") for v in t.detach().flatten().tolist()]}


def case(op, fn, inputs, terms, value_only=False, **params):
    """`terms`: the longest sum involved."""
    inputs = [t.clone().requires_grad_(True) for t in inputs]
    y = fn(*inputs)
    cotangent = randn(*y.shape)
    grads = [] if value_only else torch.autograd.grad(y, inputs, cotangent)
    cases.append(
        {
            "op": op,
            "params": params,
            "inputs": [pack(t) for t in inputs],
            "cotangent": pack(cotangent),
            "output": pack(y),
            "grads": [pack(g) for g in grads],
            "terms": terms,
        }
    )


# Inside, at the corners, outside on each side, far outside, between two pixels, next to a corner.
special = [(-1, -1), (1, 1), (0, 0), (1, -1), (-1.5, 0.25), (0.5, 1.75), (5.25, -3.5), (0.75, 0.9375), (-40.125, 77.25)]
for how in ("bilinear", "nearest", "bicubic"):
    for outside in ("zeros", "border", "reflection"):
        for aligned in (False, True):
            grid = torch.cat([randn(1, 1, 9, 2), torch.tensor(special, dtype=torch.float64).reshape(1, 1, 9, 2)], 1)
            grid = torch.cat([grid, randn(1, 2, 9, 2)])
            case(
                "grid_sample",
                lambda x, g: F.grid_sample(x, g, how, outside, aligned),
                [randn(2, 2, 4, 5), grid], 60, how=how, outside=outside, aligned=aligned,
            )
case("grid_sample", lambda x, g: F.grid_sample(x, g, "bilinear", "reflection", True), [randn(1, 1, 1, 1), randn(1, 2, 2, 2)], 4, how="bilinear", outside="reflection", aligned=True)
case("grid_sample", lambda x, g: F.grid_sample(x, g, "bicubic", "reflection", True), [randn(1, 1, 1, 3), randn(1, 2, 2, 2)], 16, how="bicubic", outside="reflection", aligned=True)

for aligned in (False, True):
    for size in [(3, 4), (1, 5), (2, 1)]:
        case("affine_grid", lambda t: F.affine_grid(t, [2, 1, *size], aligned), [randn(2, 2, 3)], 12, size=size, aligned=aligned)

resizes = [("bilinear", False), ("bicubic", False), ("bilinear", True), ("bicubic", True)]
for mode, smooth in resizes:
    for aligned in (False, True):
        for size in [(8, 11), (3, 2), (1, 1), (4, 5), (2, 9)]:
            case(
                "interpolate",
                lambda x: F.interpolate(x, size, mode=mode, align_corners=aligned, antialias=smooth),
                [randn(1, 1, 4, 5)], 40, mode=mode, smooth=smooth, aligned=aligned, size=size,
            )
    for by in [(1.3, 2.0), (0.6, 0.45), (2.6, 1.1), (1.2, 1.1)]:
        for aligned in (False, True) if by[0] == 0.6 else (False,):
            case(
                "interpolate",
                lambda x: F.interpolate(x, scale_factor=by, mode=mode, align_corners=aligned, antialias=smooth),
                [randn(1, 1, 4, 5)], 40, mode=mode, smooth=smooth, aligned=aligned, by=by,
                # A side that keeps its size: PyTorch's values and its gradients come from different formulas.
                value_only=by[1] == 1.1 and (mode, smooth) != ("bilinear", False),
            )
# One of many to few: wide kernels.
for mode in ("bilinear", "bicubic"):
    case(
        "interpolate", lambda x: F.interpolate(x, (3, 2), mode=mode, antialias=True),
        [randn(1, 1, 13, 11)], 140, mode=mode, smooth=True, aligned=False, size=(3, 2),
    )
for mode in ("nearest", "nearest-exact", "area"):
    for size in [(8, 10), (7, 13), (3, 2), (4, 5), (1, 1)]:
        case("interpolate", lambda x: F.interpolate(x, size, mode=mode), [randn(1, 1, 4, 5)], 20, mode=mode, size=size)
    for by in [(1.3, 2.0), (0.6, 0.45), (2.6, 1.7), (2.1, 1.1)]:
        case("interpolate", lambda x: F.interpolate(x, scale_factor=by, mode=mode), [randn(1, 1, 4, 5)], 20, mode=mode, by=by)

for size in [(1, 1), (3, 2), (4, 9)]:
    # Halves: many ties.
    x = (torch.randn(1, 2, 7, 6, dtype=torch.float64) * 2).round() / 2
    case("adaptive_max_pool2d", lambda x: F.adaptive_max_pool2d(x, size), [x], 42, size=size)

for k, s, p, d, ceil in [((2, 3), (1, 2), (1, 1), (3, 2), False), ((3, 2), (2, 2), (1, 1), (2, 3), True), ((3, 3), (2, 1), (0, 1), (1, 2), True)]:
    x = (torch.randn(1, 2, 9, 8, dtype=torch.float64) * 2).round() / 2
    case(
        "max_pool2d", lambda x: F.max_pool2d(x, k, s, p, d, ceil_mode=ceil), [x], 9,
        kernel=k, stride=s, padding=p, dilation=d, ceil_mode=ceil,
    )
for k, s, p, ceil in [((2, 2), (2, 2), (0, 0), False), ((3, 2), (2, 1), (1, 1), True)]:
    case(
        "avg_pool2d", lambda x: F.avg_pool2d(x, k, s, p, ceil, divisor_override=7), [randn(1, 2, 8, 7)], 9,
        kernel=k, stride=s, padding=p, ceil_mode=ceil, divisor=7,
    )

for size, k, s, p, d in [((5, 6), (2, 3), (1, 1), (0, 0), (1, 1)), ((7, 6), (3, 2), (2, 3), (1, 2), (1, 2)), ((4, 4), (1, 1), (2, 2), (0, 0), (1, 1))]:
    params = {"kernel": k, "stride": s, "padding": p, "dilation": d}
    x = randn(2, 3, *size)
    case("unfold", lambda x: F.unfold(x, k, d, p, s), [x], 6, **params)
    patches = randn(*F.unfold(x, k, d, p, s).shape)
    case("fold", lambda x: F.fold(x, size, k, d, p, s), [patches], 6, size=size, **params)

for mode, pads in [("reflect", [(1, 2, 0, 2), (3, 0, 2, 1)]), ("circular", [(1, 2, 0, 3), (4, 4, 3, 3)]), ("replicate", [(5, 1, 4, 0)]), ("constant", [(5, 1, 4, 0)])]:
    for pad in pads:
        case("pad2d", lambda x: F.pad(x, pad, mode=mode), [randn(1, 2, 3, 4)], 30, pad=pad, mode=mode)

out = pathlib.Path(__file__).with_name("sampling.json")
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
out.write_text(f'{{"reference":{{"name":"torch","version":"{torch.__version__.split("+")[0]}"}},"cases":[\n{lines}\n]}}\n')
print(f"{len(cases)} cases, {out.stat().st_size / 1024:.0f} KiB")
