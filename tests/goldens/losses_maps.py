"""Values and gradients of the losses of maps and of classes, from the libraries that name them.

Writes losses_maps.json, in the format of losses that `pleach certify` reads. In every case the logits include 100 and
-100 unless they are probabilities; masks include an empty one, targets include one of a single class.

  torch                        BCE, CrossEntropy, and sums over the whole batch written out
  torchvision                  Focal in binary mode
  monai                        DiceLoss, TverskyLoss, GeneralizedDice, DiceCELoss, FocalLoss, MulticlassDice, CE+Dice,
                               and Focal between classes
  segmentation_models_pytorch  Jaccard, Lovasz

Usage: python losses_maps.py
"""

import functools
import json
import pathlib

import monai
import monai.losses.dice as dice_losses
import monai.losses.focal_loss as focal_losses
import monai.losses.tversky as tversky_losses
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
import torchvision
from monai.losses import DiceCELoss, DiceLoss, FocalLoss, GeneralizedDiceLoss, TverskyLoss
from segmentation_models_pytorch.losses.lovasz import _lovasz_softmax

# Some of the references turn to f32 on the way; here everything is f64.
torch.Tensor.float = torch.Tensor.double
for module in (dice_losses, focal_losses, tversky_losses):
    module.one_hot = functools.partial(module.one_hot, dtype=torch.float64)

IGNORED = 255
generator = torch.Generator().manual_seed(20)
cases = []


def double(x):
    return torch.tensor(x, dtype=torch.float64)


def logits(shape):
    x = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    flat = x.reshape(-1)
    flat[::11], flat[5::13] = 100.0, -100.0
    return x.to(torch.float32).double()


def probabilities(shape):
    return torch.rand(shape, generator=generator, dtype=torch.float64).to(torch.float32).double()


def masks(shape):
    t = torch.randint(0, 2, shape, generator=generator).double()
    t[-1] = 0
    return t


def classes(shape, n):
    y = torch.randint(0, n, shape, generator=generator)
    y[-1] = 1
    return y


def case(name, kwargs, x, target, loss, **more):
    x = x.clone().requires_grad_()
    value = loss(x)
    value.backward()
    cases.append(
        {
            "name": name,
            "kwargs": kwargs,
            "dtype": "float64",
            "shape": list(x.shape),
            "logits": x.detach().reshape(-1).tolist(),
            "target": target.reshape(-1).tolist(),
            "value": value.item(),
            "grad": x.grad.reshape(-1).tolist(),
        }
        | more
    )


OVER = {"batch": (0, 1, 2, 3), "sample": (1, 2, 3), "class": (0, 2, 3), "sample_class": (2, 3)}


def dice(x, t, smooth=0.0, reduce="batch"):
    p, d = torch.sigmoid(x), OVER[reduce]
    return (1 - (2 * (p * t).sum(d) + smooth) / (p.sum(d) + t.sum(d) + smooth)).mean()


def tversky(x, t, alpha=0.7, gamma=1.0, smooth=0.0, reduce="batch"):
    p, d = torch.sigmoid(x), OVER[reduce]
    tp, fp, fn = (p * t).sum(d), (p * (1 - t)).sum(d), (t * (1 - p)).sum(d)
    return ((1 - (tp + smooth) / (tp + alpha * fp + (1 - alpha) * fn + smooth)) ** gamma).mean()


def binary():
    shape = [2, 3, 2, 4]
    for reduce in OVER:
        x, t = logits(shape), masks(shape)
        for name, kwargs, f in [
            ("Dice", {"reduce": reduce, "smooth": 0.5}, dice),
            ("Tversky", {"reduce": reduce, "smooth": 0.5, "alpha": 0.3}, tversky),
            ("FocalTversky", {"reduce": reduce, "smooth": 0.5, "alpha": 0.6, "gamma": 1.5}, tversky),
        ]:
            case(name, kwargs, x, t, lambda x: f(x, t, **kwargs))
    for kwargs in ({}, {"pos_weight": [2.5]}, {"pos_weight": [0.5, 3.0, 1.0], "reduction": "sum"}):
        x, t = logits(shape), masks(shape)
        w = {k: double(v)[:, None, None] if k == "pos_weight" else v for k, v in kwargs.items()}
        case("BCE", kwargs, x, t, lambda x: F.binary_cross_entropy_with_logits(x, t, **w))
    for smooth in (0.0, 1.0):
        x, t = logits(shape), masks(shape)
        f = lambda x: dice(x, t, smooth) + F.binary_cross_entropy_with_logits(x, t)
        case("Dice+BCE", {"smooth": smooth}, x, t, f)
    # A side output of a clip at half of the size, as the polyp system has them.
    x, t = logits([1, 2, 1, 3, 4]), masks([1, 2, 1, 6, 8])
    small = F.interpolate(t.reshape(2, 1, 6, 8), scale_factor=4 / 8, mode="bilinear", align_corners=False)
    small = small.reshape(x.shape)
    f = lambda x: dice(x, small) + F.binary_cross_entropy_with_logits(x, small)
    case("Dice+BCE", {"differing": "resize_target"}, x, t, f, target_shape=list(t.shape))

    for kwargs in ({"alpha": 0.25}, {"gamma": 0.5}, {"gamma": 0.0, "alpha": 0.6}, {"gamma": 3.0, "reduction": "sum"}):
        x, t = logits(shape), masks(shape)
        if kwargs.get("gamma") == 0.5:
            # Below 1 the reference's slope is not a number where a logit is sure and right.
            x = x.clamp(-15, 15)
        f = lambda x: torchvision.ops.sigmoid_focal_loss(x, t, **({"alpha": -1, "reduction": "mean"} | kwargs))
        case("Focal", {"mode": "binary"} | kwargs, x, t, f)

    x, t = logits(shape), masks(shape)
    for kwargs in ({}, {"smooth": 0.5}, {"log_loss": True}, {"ignore_index": IGNORED}):
        y = t.clone()
        if "ignore_index" in kwargs:
            y.reshape(-1)[::4] = IGNORED
        case("Jaccard", {"mode": "binary"} | kwargs, x, y, lambda x: smp.losses.JaccardLoss("binary", **kwargs)(x, y))
    for kwargs in ({}, {"per_image": True}, {"ignore_index": IGNORED}):
        x = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
        x.reshape(-1)[3], x.reshape(-1)[8] = 100.0, -100.0
        y = t.clone()
        if "ignore_index" in kwargs:
            y.reshape(-1)[::4] = IGNORED
        f = lambda x: smp.losses.LovaszLoss("binary", **kwargs)(x, y.long())
        case("Lovasz", {"mode": "binary"} | kwargs, x, y, f)


def multiclass():
    shape, n = [2, 4, 3, 3], 4
    weight = [0.5, 1.0, 2.0, 0.0]
    settings = [{}, {"weight": weight}, {"ignore_index": IGNORED}, {"label_smoothing": 0.2, "weight": weight}]
    for kwargs in settings + [{"reduction": "sum", "ignore_index": 2}]:
        for s in (shape, [5, 4]):
            x, y = logits(s), classes(s[:1] + s[2:], n)
            if kwargs.get("ignore_index") == IGNORED:
                y.reshape(-1)[::3] = IGNORED
            w = {k: double(v) if k == "weight" else v for k, v in kwargs.items()}
            case("CrossEntropy", kwargs, x, y, lambda x: F.cross_entropy(x, y, **w))

    def masked(kwargs):
        x, y = logits(shape), classes(shape[:1] + shape[2:], n)
        if kwargs.get("ignore_index") == IGNORED:
            y.reshape(-1)[::3] = IGNORED
        return x, y

    def soft_dice(x, y, smooth=1.0, weight=None, ignore_index=None):
        options = dict(softmax=True, to_onehot_y=True, batch=True, smooth_nr=smooth, smooth_dr=smooth)
        weight = None if weight is None else double(weight) / sum(weight) * len(weight)
        return DiceLoss(**options, weight=weight, ignore_index=ignore_index)(x, y[:, None])

    for kwargs in ({}, {"smooth": 0.1, "weight": weight}, {"ignore_index": IGNORED}):
        x, y = masked(kwargs)
        case("MulticlassDice", kwargs, x, y, lambda x: soft_dice(x, y, **kwargs))
    for kwargs in (
        {},
        {"lambda_ce": 0.5, "lambda_dice": 2.0, "smooth": 0.5},
        {"weight": weight, "ignore_index": IGNORED, "label_smoothing": 0.1},
    ):
        x, y = masked(kwargs)
        ce = {k: v for k, v in kwargs.items() if k in ("ignore_index", "label_smoothing")}
        if "weight" in kwargs:
            ce["weight"] = double(weight)
        of_dice = {k: v for k, v in kwargs.items() if k in ("smooth", "weight", "ignore_index")}
        f = lambda x: kwargs.get("lambda_ce", 1.0) * F.cross_entropy(x, y, **ce) + kwargs.get(
            "lambda_dice", 1.0
        ) * soft_dice(x, y, **of_dice)
        case("CE+Dice", kwargs, x, y, f)

    for kwargs in ({}, {"alpha": 0.3, "gamma": 3.0}, {"alpha": [0.5, 1.0, 2.0, 0.25]}, {"ignore_index": IGNORED}):
        x, y = masked(kwargs)

        def focal(x):
            counts = y != kwargs.get("ignore_index", -100)
            hot = F.one_hot(torch.where(counts, y, 0), n).movedim(-1, 1) * counts[:, None]
            alpha = double(kwargs.get("alpha", 1.0)) * torch.ones(n, dtype=torch.float64)
            return focal_losses.softmax_focal_loss(x, hot, kwargs.get("gamma", 2.0), alpha).sum() / counts.sum()

        case("Focal", kwargs, x, y, focal)
    for kwargs in ({}, {"smooth": 1.0, "weight": weight}, {"ignore_index": IGNORED}, {"log_loss": True}):
        x, y = masked(kwargs)
        y[y == 3] = 0
        options = {("class_weights" if k == "weight" else k): v for k, v in kwargs.items()}
        case("Jaccard", kwargs, x, y, lambda x: smp.losses.JaccardLoss("multiclass", **options)(x, y))
    for kwargs in ({}, {"classes": "all"}, {"per_image": True}, {"per_image": True, "ignore_index": IGNORED}):
        x, y = masked(kwargs)
        # Saturated logits make equal errors, whose order, and so whose slope, is nobody's rule.
        x = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
        x.reshape(-1)[4] = 100.0
        y[y == 3] = 0
        options = {k: v for k, v in kwargs.items() if k != "classes"}
        if "classes" in kwargs:
            f = lambda x: _lovasz_softmax(x.softmax(1), y, classes="all")
        else:
            f = lambda x: smp.losses.LovaszLoss("multiclass", **options)(x, y)
        case("Lovasz", kwargs, x, y, f)


def of_monai():
    shape, n = [2, 3, 2, 4], 3
    tensor = lambda kwargs: {k: double(v) if isinstance(v, list) else v for k, v in kwargs.items()}

    def with_masks(name, loss, kwargs, soft=False):
        x = logits(shape) if kwargs.get("sigmoid") or name == "FocalLoss" else probabilities(shape)
        t = masks(shape)
        if soft:
            t = torch.rand(shape, generator=generator, dtype=torch.float64).to(torch.float32).double()
        case(name, kwargs, x, t, lambda x: loss(**tensor(kwargs))(x, t))

    def with_classes(name, loss, kwargs):
        x, y = logits(shape), classes(shape[:1] + shape[2:], n)
        if "ignore_index" in kwargs:
            y.reshape(-1)[::4] = kwargs["ignore_index"]
        case(name, kwargs, x, y, lambda x: loss(**tensor(kwargs), to_onehot_y=True)(x, y[:, None]))

    for kwargs in (
        {},
        {"sigmoid": True},
        {"sigmoid": True, "squared_pred": True, "batch": True},
        {"sigmoid": True, "jaccard": True, "include_background": False},
        {"sigmoid": True, "weight": [0.5, 2.0, 1.0], "reduction": "sum", "smooth_nr": 0.5, "smooth_dr": 1.0},
    ):
        with_masks("DiceLoss", DiceLoss, kwargs)
    with_masks("DiceLoss", DiceLoss, {"sigmoid": True, "soft_label": True}, soft=True)
    # Of several channels, the pixels that this one marks; or those that none marks, where there is no such channel.
    with_masks("DiceLoss", DiceLoss, {"sigmoid": True, "ignore_index": 1})
    with_masks("DiceLoss", DiceLoss, {"sigmoid": True, "ignore_index": IGNORED})
    for kwargs in (
        {"softmax": True},
        {"softmax": True, "squared_pred": True, "include_background": False, "weight": [0.5, 2.0]},
        {"softmax": True, "jaccard": True, "batch": True, "ignore_index": IGNORED},
        {"sigmoid": True},
    ):
        named = kwargs if "softmax" in kwargs else kwargs | {"to_onehot_y": True}
        with_classes("DiceLoss", DiceLoss, kwargs)
        cases[-1]["kwargs"] = named
    for kwargs in ({}, {"sigmoid": True, "alpha": 0.3, "beta": 0.9}, {"sigmoid": True, "batch": True, "reduction": "sum"}):
        with_masks("TverskyLoss", TverskyLoss, kwargs)
    with_masks("TverskyLoss", TverskyLoss, {"sigmoid": True, "soft_label": True}, soft=True)
    for kwargs in ({"softmax": True, "include_background": False}, {"softmax": True, "ignore_index": IGNORED}):
        with_classes("TverskyLoss", TverskyLoss, kwargs)
    for kwargs in ({}, {"sigmoid": True, "w_type": "simple"}, {"sigmoid": True, "batch": True, "reduction": "sum"}):
        with_masks("GeneralizedDice", GeneralizedDiceLoss, kwargs)
    for kwargs in (
        {"softmax": True},
        {"softmax": True, "w_type": "uniform", "include_background": False},
        {"softmax": True, "w_type": "simple", "batch": True, "smooth_nr": 0.5, "smooth_dr": 0.1},
    ):
        with_classes("GeneralizedDice", GeneralizedDiceLoss, kwargs)
    for kwargs in (
        {"softmax": True},
        {"softmax": True, "include_background": False, "weight": [0.5, 2.0, 1.0], "lambda_dice": 2.0, "lambda_ce": 0.3},
        {"softmax": True, "label_smoothing": 0.1, "batch": True, "reduction": "sum"},
    ):
        x, y = logits(shape), classes(shape[:1] + shape[2:], n)
        w = {k: double(v) if k == "weight" else v for k, v in kwargs.items()}
        case("DiceCELoss", kwargs, x, y, lambda x: DiceCELoss(**w, to_onehot_y=True)(x, y[:, None]))
    masked = {"sigmoid": True, "softmax": False}
    for more in ({"label_smoothing": 0.1, "weight": [0.5, 2.0, 1.0]}, {"squared_pred": True}):
        kwargs = masked | more
        x, t = logits(shape), masks(shape)
        w = {k: double(v) if k == "weight" else v for k, v in kwargs.items()}
        case("DiceCELoss", kwargs, x, t, lambda x: DiceCELoss(**w)(x, t))
    x, t = logits([2, 1, 3, 4]), masks([2, 1, 3, 4])
    kwargs = masked | {"weight": [3.0]}
    case("DiceCELoss", kwargs, x, t, lambda x: DiceCELoss(sigmoid=True, weight=double([3.0]))(x, t))

    for kwargs in (
        {},
        {"alpha": 0.25, "gamma": 1.0},
        {"alpha": [0.2, 0.5, 0.9], "weight": [0.5, 2.0, 1.0]},
        {"include_background": False, "reduction": "sum"},
        {"ignore_index": IGNORED},
        {"ignore_index": 0, "include_background": False, "reduction": "sum"},
    ):
        with_masks("FocalLoss", FocalLoss, kwargs)
    for kwargs in (
        {"use_softmax": True},
        {"use_softmax": True, "alpha": 0.25, "weight": 2.0},
        {"use_softmax": True, "alpha": [0.5, 0.2], "include_background": False, "ignore_index": IGNORED},
        {"use_softmax": True, "reduction": "sum", "ignore_index": IGNORED},
    ):
        with_classes("FocalLoss", FocalLoss, kwargs)


def rounded(x):
    return [float(f"{v:.14g}") for v in x]


binary()
multiclass()
of_monai()
for c in cases:
    assert all(v == v for v in c["grad"]) and c["value"] == c["value"], (c["name"], c["kwargs"])
    c["grad"] = rounded(c["grad"])
    c["value"] = float(f"{c['value']:.14g}")
versions = {m.__name__: m.__version__ for m in (torch, torchvision, monai, smp)}
reference = {"name": "torch", "version": torch.__version__.split("+")[0], "with": versions}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"reference": reference, "cases": cases}, separators=(",", ":")) + "\n")
print(len(cases), "cases,", path.stat().st_size, "bytes")
