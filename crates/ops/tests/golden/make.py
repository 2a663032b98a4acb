"""Writes golden.json beside this file: PyTorch's outputs and gradients for each operation of the crate.

Run as `python make.py` with torch installed. Inputs are multiples of 1/256, hence exact in f32; results are
computed in f64 and serve both precisions, f32 with a wider tolerance.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(20240611)
cases = []


def randn(*shape):
    return (torch.randn(*shape, dtype=torch.float64) * 256).round() / 256


def rand(*shape):
    return (torch.rand(*shape, dtype=torch.float64) * 256).round() / 256


def pack(t):
    """Fourteen digits: a hundred times finer than the tolerance."""
    return {"shape": list(t.shape), "data": [float(f"{v:.14g}") for v in t.detach().flatten().tolist()]}


def case(op, fn, inputs, terms, fixed=(), more=(), **params):
    """`fixed`: inputs without gradient; `more`: further outputs, given the inputs; `terms`: longest sum involved."""
    inputs = [t.clone().requires_grad_(True) for t in inputs]
    y = fn(*inputs, *fixed)
    cotangent = randn(*y.shape)
    grads = torch.autograd.grad(y, inputs, cotangent)
    cases.append(
        {
            "op": op,
            "params": params,
            "inputs": [pack(t) for t in [*inputs, *fixed]],
            "cotangent": pack(cotangent),
            "outputs": [pack(y), *[pack(m(*inputs)) for m in more]],
            "grads": [pack(g) for g in grads],
            "terms": terms,
        }
    )


def conv(n, ci, h, w, co, k, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, bias=True):
    inputs = [randn(n, ci, h, w), randn(co, ci // groups, *k)] + ([randn(co)] if bias else [])
    case(
        "conv2d",
        lambda x, w, b=None: F.conv2d(x, w, b, stride, padding, dilation, groups),
        inputs,
        max(ci // groups * math.prod(k), co * math.prod(k), n * h * w),
        stride=stride, padding=padding, dilation=dilation, groups=groups,
    )


conv(1, 3, 8, 7, 4, (3, 3), (2, 2), (1, 1))
conv(1, 2, 6, 5, 3, (3, 2), (1, 2), (2, 1), (2, 1), bias=False)
conv(2, 4, 3, 5, 3, (1, 1))
conv(1, 4, 5, 6, 6, (3, 3), (1, 1), (1, 1), groups=2)
conv(2, 3, 6, 7, 3, (3, 3), (2, 1), (1, 2), (1, 2), groups=3)
conv(1, 3, 4, 5, 6, (3, 3), (1, 1), (1, 1), groups=3)
conv(1, 1, 7, 6, 5, (7, 7), (2, 2), (3, 3))
conv(2, 3, 4, 4, 2, (1, 1), (2, 2))


def conv_transpose(n, ci, h, w, co, k, stride=(1, 1), padding=(0, 0), output_padding=(0, 0), dilation=(1, 1), groups=1, bias=True):
    inputs = [randn(n, ci, h, w), randn(ci, co // groups, *k)] + ([randn(co)] if bias else [])
    case(
        "conv_transpose2d",
        lambda x, w, b=None: F.conv_transpose2d(x, w, b, stride, padding, output_padding, groups, dilation),
        inputs,
        max(ci * math.prod(k), co // groups * math.prod(k), n * h * w * math.prod(stride)),
        stride=stride, padding=padding, output_padding=output_padding, dilation=dilation, groups=groups,
    )


conv_transpose(2, 3, 4, 5, 2, (2, 2), (2, 2))
conv_transpose(1, 4, 3, 4, 6, (3, 3), (2, 2), (1, 1), (1, 0), groups=2)
conv_transpose(1, 2, 4, 3, 3, (3, 2), (1, 2), (1, 0), (1, 1), (2, 3), bias=False)
conv_transpose(2, 3, 4, 4, 3, (3, 3), (2, 1), (1, 1), groups=3)

case("linear", F.linear, [randn(5, 7), randn(3, 7), randn(3)], 7)
case("linear", F.linear, [randn(2, 3, 4), randn(6, 4)], 6)

for k, s, p, ceil in [((2, 2), (2, 2), (0, 0), False), ((3, 3), (2, 2), (1, 1), False), ((3, 2), (2, 1), (1, 1), True), ((2, 3), (3, 2), (0, 1), True)]:
    params = {"kernel": k, "stride": s, "padding": p, "ceil_mode": ceil}
    # Halves: many ties.
    x = (torch.randn(1, 2, 8, 7, dtype=torch.float64) * 2).round() / 2
    case("max_pool2d", lambda x: F.max_pool2d(x, k, s, p, ceil_mode=ceil), [x], 9, **params)
    for include in (True, False):
        case(
            "avg_pool2d",
            lambda x: F.avg_pool2d(x, k, s, p, ceil_mode=ceil, count_include_pad=include),
            [randn(1, 2, 8, 7)], 9, include=include, **params,
        )
for size in [(1, 1), (3, 2), (4, 9)]:
    case("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, size), [randn(1, 2, 7, 6)], 42, size=size)
for size in [(8, 10), (7, 13), (3, 2), (4, 5), (1, 1)]:
    case("upsample_nearest2d", lambda x: F.interpolate(x, size, mode="nearest"), [randn(1, 1, 4, 5)], 12, size=size)
    for aligned in (False, True):
        case(
            "upsample_bilinear2d",
            lambda x: F.interpolate(x, size, mode="bilinear", align_corners=aligned),
            [randn(1, 1, 4, 5)], 25, size=size, aligned=aligned,
        )

for shape in [(3, 4, 5, 2), (6, 3), (2, 3, 7)]:
    c = shape[1]
    dims = [0, *range(2, len(shape))]
    case(
        "batch_norm_train",
        lambda x, w, b: F.batch_norm(x, None, None, w, b, True, eps=1e-3),
        [randn(*shape) * 3 + 2, randn(c), randn(c)], 30, eps=1e-3,
        more=[lambda x, *_: x.mean(dims), lambda x, *_: x.var(dims, unbiased=False)],
    )
    case(
        "batch_norm",
        lambda x, w, b, m, v: F.batch_norm(x, m, v, w, b, False, eps=1e-5),
        [randn(*shape), randn(c), randn(c)], 30, fixed=[randn(c), rand(c) + 0.5], eps=1e-5,
    )
case("layer_norm", lambda x, w, b: F.layer_norm(x, w.shape, w, b, 1e-5), [randn(3, 4, 8), randn(8), randn(8)], 12, eps=1e-5, dims=1)
case("layer_norm", lambda x, w, b: F.layer_norm(x, w.shape, w, b, 1e-5), [randn(2, 3, 5), randn(3, 5), randn(3, 5)], 15, eps=1e-5, dims=2)
for groups in (1, 2, 6):
    case("group_norm", lambda x, w, b: F.group_norm(x, groups, w, b, 1e-5), [randn(2, 6, 2, 3), randn(6), randn(6)], 36, eps=1e-5, groups=groups)
case("instance_norm", lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=1e-5), [randn(2, 3, 4, 5), randn(3), randn(3)], 40, eps=1e-5)

special = torch.tensor([-3.0, 0.0, 3.0, -10.0, 10.0, -0.0, 2.5, -30.0, 30.0], dtype=torch.float64)
points = torch.cat([randn(40) * 2, special])
for name, fn in [("relu", F.relu), ("gelu", F.gelu), ("silu", F.silu), ("sigmoid", torch.sigmoid), ("hardswish", F.hardswish)]:
    case(name, fn, [points], 4)
for dim in (0, 1, 3):
    x = randn(3, 5, 2, 4)
    case("softmax", lambda x: F.softmax(x, dim), [x], 5, dim=dim)
    case("log_softmax", lambda x: F.log_softmax(x, dim), [x], 5, dim=dim)

for left, right, top, bottom in [(1, 2, 0, 3), (0, 0, 2, 1)]:
    pad = (left, right, top, bottom)
    case("pad2d", lambda x: F.pad(x, pad), [randn(1, 2, 3, 4)], 12, pad=pad, replicate=False)
    case("pad2d", lambda x: F.pad(x, pad, mode="replicate"), [randn(1, 2, 3, 4)], 12, pad=pad, replicate=True)

logits = torch.cat([randn(4, 5) * 3, torch.tensor([[100.0, -100.0, 0.0, 40.0, -40.0]], dtype=torch.float64)])
case("bce_with_logits", lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"), [logits, rand(5, 5)], 4)
case(
    "bce_with_logits",
    lambda x, t, w: F.binary_cross_entropy_with_logits(x, t, reduction="none", pos_weight=w),
    [logits, rand(5, 5).round()], 5, fixed=[rand(5) * 4],
)

out = pathlib.Path(__file__).with_name("golden.json")
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
out.write_text(f'{{"torch":"{torch.__version__}","cases":[\n{lines}\n]}}\n')
print(f"{len(cases)} cases, {out.stat().st_size / 1024:.0f} KiB")
