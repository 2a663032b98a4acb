"""Writes special.json beside this file: what PyTorch makes of numbers that are none, infinite or at an end of the scale.

Run as `python special.py` with torch installed. Results are those of f32 on the CPU; numbers stand as strings, since
JSON has none for NaN and the infinities.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

nan, inf = float("nan"), float("inf")
cases = []


def pack(t):
    return {"shape": list(t.shape), "data": [repr(v) for v in t.detach().flatten().tolist()]}


def case(op, fn, x, **params):
    x = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    y = fn(x)
    (grad,) = torch.autograd.grad(y, x, torch.ones_like(y))
    cases.append({"op": op, "params": params, "x": pack(x), "y": pack(y), "grad": pack(grad)})


# Many of each, so that PyTorch takes its vectors and not its leftovers.
special = [nan, inf, -inf, 0.0, -0.0, 1e30, -1e30, 1e-40, -1e-40, 88.0, -88.0, 104.0, -104.0, 3.0, -3.0, 1.0]
for name, fn in [("relu", F.relu), ("gelu", F.gelu), ("silu", F.silu), ("sigmoid", torch.sigmoid), ("hardswish", F.hardswish)]:
    case(name, fn, [special] * 2)
rows = [[1.0, nan, 2.0], [inf, 1.0, 2.0], [-inf, 1.0, 2.0], [-inf, -inf, -inf], [inf, inf, -inf], [1e30, -1e30, 0.0]]
for name, fn in [("softmax", F.softmax), ("log_softmax", F.log_softmax)]:
    case(name, lambda x: fn(x, 1), rows, dim=1)
    case(name, lambda x: fn(x, 0), torch.tensor(rows).t().tolist(), dim=0)
case("layer_norm", lambda x: F.layer_norm(x, (3,)), rows[:5])
case("rms_norm", lambda x: F.rms_norm(x, (3,)), rows[:5])
case("group_norm", lambda x: F.group_norm(x, 1), [[[1.0, nan], [2.0, 3.0]], [[inf, 1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0, 5.0]]])

image = [[[[nan, 1.0, 2.0, 3.0], [4.0, inf, 5.0, 6.0], [7.0, 8.0, -inf, 9.0], [-1.0, -2.0, -3.0, nan]]]]
case("max_pool2d", lambda x: F.max_pool2d(x, 2), image, kernel=2)
case("max_pool2d", lambda x: F.max_pool2d(x, 3, 1, 1), image, kernel=3)
case("avg_pool2d", lambda x: F.avg_pool2d(x, 2), image)
case("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, (3, 3)), image)
case("adaptive_max_pool2d", lambda x: F.adaptive_max_pool2d(x, (3, 3)), image)
case("upsample_nearest2d", lambda x: F.interpolate(x, (3, 7)), image)
case("pad2d", lambda x: F.pad(x, (1, 2, 0, 1), mode="replicate"), image)
case("unfold", lambda x: F.unfold(x, 2), image)
case("bce_with_logits", lambda x: F.binary_cross_entropy_with_logits(x, torch.full_like(x, 0.25), reduction="none"), [special])

out = pathlib.Path(__file__).with_name("special.json")
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
out.write_text(f'{{"reference":{{"name":"torch","version":"{torch.__version__.split("+")[0]}"}},"cases":[\n{lines}\n]}}\n')
print(f"{len(cases)} cases, {out.stat().st_size / 1024:.0f} KiB")
