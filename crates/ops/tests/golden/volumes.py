"""Writes volumes.json beside this file: PyTorch's outputs and gradients of products of matrices, of pooling, resizing and
sampling of sequences and volumes, and of norms with a rectifier.

Run as `python volumes.py` with torch installed. Inputs are multiples of 1/256, hence exact in f32; results are
computed in f64 and serve both precisions, f32 with a wider tolerance.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(20240613)
cases = []


def randn(*shape):
    return (torch.randn(*shape, dtype=torch.float64) * 256).round() / 256


def pack(t):
    """Fourteen digits: a hundred times finer than the tolerance."""
    return {"shape": list(t.shape), "data": [float(f"{v:.14g}") for v in t.detach().flatten().tolist()]}


def case(op, fn, inputs, terms, **params):
    """`terms`: the longest sum involved."""
    inputs = [t.clone().requires_grad_(True) for t in inputs]
    y = fn(*inputs)
    cotangent = randn(*y.shape)
    grads = torch.autograd.grad(y, inputs, cotangent)
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


for a, b in [((3, 4), (4, 2)), ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (3, 4, 2)), ((5, 3, 2), (2, 4)), ((3, 2), (2, 1, 2, 3))]:
    case("matmul", torch.matmul, [randn(*a), randn(*b)], 30)

for k, s, p, d, ceil in [(2, 2, 0, 1, False), (3, 2, 1, 1, True), (3, 1, 1, 2, False)]:
    # Halves: many ties.
    x = (torch.randn(2, 2, 9, dtype=torch.float64) * 2).round() / 2
    params = {"kernel": k, "stride": s, "padding": p, "dilation": d, "ceil_mode": ceil}
    case("max_pool1d", lambda x: F.max_pool1d(x, k, s, p, d, ceil), [x], 9, **params)
    if d == 1:
        for include in (True, False):
            case("avg_pool1d", lambda x: F.avg_pool1d(x, k, s, p, ceil, include), [x], 9, include=include, **params)
for k, s, p, d, ceil in [((2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1), False), ((3, 2, 3), (2, 1, 2), (1, 0, 1), (1, 1, 1), True), ((2, 1, 2), (1, 1, 1), (1, 0, 0), (2, 1, 2), False)]:
    x = (torch.randn(1, 2, 5, 4, 6, dtype=torch.float64) * 2).round() / 2
    params = {"kernel": k, "stride": s, "padding": p, "dilation": d, "ceil_mode": ceil}
    case("max_pool3d", lambda x: F.max_pool3d(x, k, s, p, d, ceil), [x], 27, **params)
    if d == (1, 1, 1):
        for include in (True, False):
            case("avg_pool3d", lambda x: F.avg_pool3d(x, k, s, p, ceil, include), [x], 27, include=include, **params)
        case("avg_pool3d", lambda x: F.avg_pool3d(x, k, s, p, ceil, divisor_override=5), [x], 27, divisor=5, **params)
for size in (1, 3, 8):
    case("adaptive_avg_pool1d", lambda x: F.adaptive_avg_pool1d(x, size), [randn(1, 2, 7)], 9, size=size)
    case("adaptive_max_pool1d", lambda x: F.adaptive_max_pool1d(x, size), [randn(1, 2, 7)], 9, size=size)
for size in ((1, 1, 1), (2, 3, 5)):
    case("adaptive_avg_pool3d", lambda x: F.adaptive_avg_pool3d(x, size), [randn(1, 2, 3, 4, 5)], 60, size=size)
    case("adaptive_max_pool3d", lambda x: F.adaptive_max_pool3d(x, size), [randn(1, 2, 3, 4, 5)], 60, size=size)


def unpool(x, places):
    return F.max_unpool2d(x, places, 2, output_size=(5, 6))


pooled, places = F.max_pool2d(randn(1, 2, 5, 6), 2, return_indices=True)
case("max_unpool2d", lambda x: unpool(x, places), [pooled], 1, indices=places.flatten().tolist(), size=(5, 6))

for size in (4, 11):
    for mode in ("nearest", "nearest-exact", "linear", "area"):
        for aligned in (False, True) if mode == "linear" else (None,):
            case("interpolate1d", lambda x: F.interpolate(x, size, mode=mode, align_corners=aligned), [randn(1, 2, 6)], 12, size=size, mode=mode, aligned=aligned)
for size in ((2, 6, 3), (5, 3, 4)):
    for mode in ("nearest", "nearest-exact", "trilinear", "area"):
        for aligned in (False, True) if mode == "trilinear" else (None,):
            case("interpolate3d", lambda x: F.interpolate(x, size, mode=mode, align_corners=aligned), [randn(1, 1, 3, 3, 4)], 40, size=size, mode=mode, aligned=aligned)

special = [(-1, -1, 1), (1, 1, 1), (0, 0, 0), (1.5, 0.25, -0.75), (-5.25, 3.5, 0.5), (0.5, 0.0, 1.75)]
for how in ("bilinear", "nearest"):
    for outside in ("zeros", "border", "reflection"):
        for aligned in (False, True):
            grid = torch.cat([randn(1, 1, 2, 3, 3), torch.tensor(special, dtype=torch.float64).reshape(1, 1, 2, 3, 3)], 1)
            case("grid_sample3d", lambda x, g: F.grid_sample(x, g, how, outside, aligned), [randn(1, 2, 3, 2, 4), grid], 60, how=how, outside=outside, aligned=aligned)
for aligned in (False, True):
    for size in ((2, 3, 4), (1, 5, 2)):
        case("affine_grid3d", lambda t: F.affine_grid(t, [2, 1, *size], aligned), [randn(2, 3, 4)], 30, size=size, aligned=aligned)

norms = [randn(2, 4, 3, 2), randn(4), randn(4)]
case("group_norm_then", lambda x, w, b: F.relu(F.group_norm(x, 2, w, b, 1e-5)), norms, 30)
case("instance_norm_then", lambda x, w, b: F.relu(F.instance_norm(x, weight=w, bias=b, eps=1e-5)), norms, 30)
case("layer_norm_then", lambda x, w, b: F.relu(F.layer_norm(x, (4,), w, b, 1e-5)), [randn(5, 4), randn(4), randn(4)], 20)

out = pathlib.Path(__file__).with_name("volumes.json")
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
out.write_text(f'{{"reference":{{"name":"torch","version":"{torch.__version__.split("+")[0]}"}},"cases":[\n{lines}\n]}}\n')
print(f"{len(cases)} cases, {out.stat().st_size / 1024:.0f} KiB")
