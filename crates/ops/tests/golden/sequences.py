"""Writes sequences.json beside this file: PyTorch's outputs and gradients of attention, embedding, the LSTM cell, the
RMS norm and convolutions of one and three dimensions.

Run as `python sequences.py` with torch installed. Inputs are multiples of 1/256, hence exact in f32; results are
computed in f64 and serve both precisions, f32 with a wider tolerance.
"""

import json
import math
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(20250302)
cases = []


def randn(*shape):
    return (torch.randn(*shape, dtype=torch.float64) * 256).round() / 256


def pack(t):
    """Fourteen digits: a hundred times finer than the tolerance."""
    return {"shape": list(t.shape), "data": [float(f"{v:.14g}") for v in t.detach().flatten().tolist()]}


def case(op, fn, inputs, terms, **params):
    """`terms`: the longest sum involved. `fn` gives one output or several, each with a cotangent of its own."""
    inputs = [t.clone().requires_grad_(True) for t in inputs]
    outputs = fn(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    cotangents = [randn(*y.shape) for y in outputs]
    grads = torch.autograd.grad(outputs, inputs, cotangents)
    cases.append(
        {
            "op": op,
            "params": params,
            "inputs": [pack(t) for t in inputs],
            "cotangents": [pack(c) for c in cotangents],
            "outputs": [pack(y) for y in outputs],
            "grads": [pack(g) for g in grads],
            "terms": terms,
        }
    )


def conv(dims, n, ci, size, co, k, stride=1, padding=0, dilation=1, groups=1, bias=True, mode="zeros"):
    make = [nn.Conv1d, nn.Conv2d, nn.Conv3d][dims - 1]
    every = lambda v: [v] * dims if isinstance(v, int) else list(v)
    layer = make(ci, co, tuple(every(k)), tuple(every(stride)), tuple(every(padding)), tuple(every(dilation)), groups, bias, mode)

    def fn(x, w, b=None):
        given = {"weight": w} if b is None else {"weight": w, "bias": b}
        return torch.func.functional_call(layer.double(), given, (x,))

    inputs = [randn(n, ci, *size), randn(co, ci // groups, *every(k))] + ([randn(co)] if bias else [])
    case(
        f"conv{dims}d", fn, inputs, max(ci // groups, co) * math.prod(every(k)) + n * math.prod(size),
        stride=every(stride), padding=every(padding), dilation=every(dilation), groups=groups, mode=mode,
    )


conv(1, 2, 3, [9], 4, 3, 2, 1)
conv(1, 1, 4, [10], 6, 3, 1, 2, 2, groups=2, bias=False)
conv(1, 2, 3, [8], 3, 5, 1, 2, groups=3, mode="replicate")
conv(1, 2, 2, [7], 3, 1)
conv(2, 1, 2, [5, 6], 3, [3, 2], [2, 1], [1, 2], mode="replicate")
conv(3, 1, 2, [4, 5, 4], 3, 3, 1, 1)
conv(3, 2, 2, [5, 4, 6], 2, [2, 3, 1], [2, 1, 2], [1, 0, 2], [2, 1, 1], bias=False)
conv(3, 1, 4, [4, 4, 3], 4, [3, 2, 2], 1, [1, 1, 0], groups=2)
conv(3, 1, 3, [4, 4, 4], 6, [3, 3, 2], [1, 2, 1], 1, groups=3)
conv(3, 1, 2, [3, 4, 3], 2, [3, 3, 3], 1, [2, 1, 3], mode="replicate")
conv(3, 2, 3, [2, 3, 3], 4, 1)


def transposed(dims, n, ci, size, co, k, stride=1, padding=0, more=0, dilation=1, groups=1, bias=True):
    f = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][dims - 1]
    every = lambda v: [v] * dims if isinstance(v, int) else list(v)
    inputs = [randn(n, ci, *size), randn(ci, co // groups, *every(k))] + ([randn(co)] if bias else [])
    case(
        f"conv_transpose{dims}d",
        lambda x, w, b=None: f(x, w, b, every(stride), every(padding), every(more), groups, every(dilation)),
        inputs, max(ci, co) * math.prod(every(k)) + n * math.prod(size) * math.prod(every(stride)),
        stride=every(stride), padding=every(padding), output_padding=every(more), dilation=every(dilation), groups=groups,
    )


transposed(1, 2, 3, [5], 4, 4, 2, 1)
transposed(1, 1, 4, [6], 6, 3, 3, 1, 2, 2, groups=2, bias=False)
transposed(3, 1, 2, [3, 4, 2], 3, 2, 2)
transposed(3, 2, 2, [2, 3, 3], 2, [3, 2, 3], [2, 1, 2], [1, 0, 1], [1, 0, 1], [1, 2, 1], bias=False)
transposed(3, 1, 4, [3, 2, 3], 4, [2, 3, 2], [1, 2, 2], [0, 1, 1], groups=2)
transposed(3, 1, 2, [3, 3, 2], 4, [3, 2, 2], [2, 2, 1], [1, 1, 0], groups=2)


def attend(q, k, v, mask=None, bias=None, **params):
    """`mask`: nested lists, true where a query sees a key; `bias`: a tensor that is added and has a gradient."""
    where = None if mask is None else torch.tensor(mask)
    inputs = [q, k, v] + ([] if bias is None else [bias])
    case(
        "scaled_dot_product_attention",
        lambda q, k, v, b=None: F.scaled_dot_product_attention(q, k, v, attn_mask=where if b is None else b, **params),
        inputs, q.shape[-1] + k.shape[-2] + q.shape[-2], mask=mask, **params,
    )


attend(randn(2, 2, 5, 4), randn(2, 2, 7, 4), randn(2, 2, 7, 3))
attend(randn(3, 4), randn(6, 4), randn(6, 4), scale=0.3)
attend(randn(2, 5, 3), randn(2, 5, 3), randn(2, 5, 2), is_causal=True)
attend(randn(2, 4, 3), randn(2, 6, 3), randn(2, 6, 3), is_causal=True)
attend(randn(2, 6, 3), randn(2, 4, 3), randn(2, 4, 3), is_causal=True)
# The second query sees nothing.
seen = [[True, True, False, True], [False] * 4, [False, False, True, False]]
attend(randn(2, 2, 3, 4), randn(2, 2, 4, 4), randn(2, 2, 4, 2), mask=seen)
attend(randn(2, 3, 4), randn(2, 4, 4), randn(2, 4, 2), mask=[[[True, False, True, True]], [[True, True, False, False]]])
attend(randn(2, 3, 4, 2), randn(2, 3, 5, 2), randn(2, 3, 5, 2), bias=randn(3, 4, 5))
attend(randn(2, 3, 4, 2), randn(2, 3, 5, 2), randn(2, 3, 5, 2), bias=randn(2, 1, 1, 5))
hidden = randn(3, 4)
hidden[1] = -math.inf
hidden[2, 1] = -math.inf
attend(randn(2, 3, 2), randn(2, 4, 2), randn(2, 4, 3), bias=hidden)
attend(randn(2, 1, 3, 2), randn(1, 3, 4, 2), randn(2, 3, 4, 2))

for shape, padding in [((7,), None), ((2, 5), 1), ((2, 1, 3), 3)]:
    indices = torch.randint(0, 4, shape)
    case(
        "embedding", lambda w: F.embedding(indices, w, padding_idx=padding), [randn(4, 3)], 7,
        indices=indices.flatten().tolist(), shape=list(shape), padding_idx=padding,
    )

for n, features, hidden, bias in [(3, 4, 5, True), (2, 3, 2, False), (1, 1, 17, True)]:
    cell = nn.LSTMCell(features, hidden, bias).double()
    names = ["weight_ih", "weight_hh"] + (["bias_ih", "bias_hh"] if bias else [])
    case(
        "lstm_cell",
        lambda x, h, c, *w: torch.func.functional_call(cell, dict(zip(names, w)), (x, (h, c))),
        [randn(n, features), randn(n, hidden), randn(n, hidden), randn(4 * hidden, features), randn(4 * hidden, hidden)]
        + ([randn(4 * hidden), randn(4 * hidden)] if bias else []),
        4 * hidden + features,
    )

for shape, dims, eps, weighed in [((3, 4, 8), 1, 1e-5, True), ((2, 3, 5), 2, 1e-2, True), ((4, 6), 1, 1e-6, False), ((5, 2), 1, 0.1, True)]:
    last = shape[-dims:]
    case(
        "rms_norm",
        lambda x, w=None: F.rms_norm(x, last, w, eps),
        [randn(*shape)] + ([randn(*last)] if weighed else []), 15, dims=dims, eps=eps,
    )


def plain(v):
    """Infinities as words, which JSON has no numbers for."""
    return "-inf" if v == -math.inf else v


for c in cases:
    for t in c["inputs"]:
        t["data"] = [plain(v) for v in t["data"]]
out = pathlib.Path(__file__).with_name("sequences.json")
lines = ",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in cases)
out.write_text(f'{{"torch":"{torch.__version__.split("+")[0]}","cases":[\n{lines}\n]}}\n')
print(f"{len(cases)} cases, {out.stat().st_size / 1024:.0f} KiB")
