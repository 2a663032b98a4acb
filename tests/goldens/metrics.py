"""Writes metrics.json: predicted and true rows with the values that scikit-learn, torchmetrics and MONAI give for them.

pip install numpy scikit-learn torch torchmetrics monai
"""

import json
import pathlib
import warnings

import monai
import numpy as np
import sklearn
import sklearn.metrics as sk
import torch
import torchmetrics
import torchmetrics.functional.classification as tm
import torchmetrics.functional.image as tmi
import torchmetrics.functional.regression as tmr
from monai.metrics import HausdorffDistanceMetric

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20)
cases = []


def plain(x):
    return round(float(x), 12)


def numbers(xs):
    """Numbers of single precision, as short as they are told apart."""
    return [float(str(np.float32(x))) for x in np.ravel(xs)]


def case(name, kwargs, data, samples, values):
    values = {key: plain(v) for key, v in values.items() if not np.isnan(float(v))}
    if isinstance(data, int):
        data = {"classes": [str(c) for c in range(data)]}
    cases.append({"name": name, "kwargs": kwargs, "data": data, "samples": samples, "values": values})


# Labels

def labels(classes, truths, guesses, n):
    """Truths from one list of classes; guesses mostly right, else from another list; scores go with the guesses."""
    y = rng.choice(truths, n)
    s = rng.random((n, classes)).round(4)
    for i in range(n):
        s[i, y[i] if y[i] in guesses and rng.random() < 0.6 else rng.choice(guesses)] += 1
    s = (s / s.sum(1, keepdims=True)).astype(np.float32)
    p = s.argmax(1)
    rows = [
        {
            "predicted": {"labels": {"class": int(b), "scores": numbers(row)}},
            "truth": {"labels": {"class": int(a)}},
        }
        for a, b, row in zip(y, p, s)
    ]
    bare = [
        {"predicted": {"labels": {"class": int(b)}}, "truth": {"labels": {"class": int(a)}}} for a, b in zip(y, p)
    ]
    return y, p, s, rows, bare


def suffix(average):
    return "" if average in ("macro", "none") else f"_{average}"


sets = [
    (4, labels(4, [0, 1, 2, 3], [0, 1, 2, 3], 24)),
    (6, labels(6, [0, 2, 4], [0, 1, 2], 20)),  # 3 and 5 nowhere, 4 never predicted, 1 never true
]
for classes, (y, p, s, rows, bare) in sets:
    union = sorted(set(y) | set(p))
    ty, tp, ts = torch.tensor(y), torch.tensor(p), torch.tensor(s)
    scores = [
        ("Precision", "precision", lambda zero, **k: sk.precision_score(y, p, zero_division=zero, **k)),
        ("Recall", "recall", lambda zero, **k: sk.recall_score(y, p, zero_division=zero, **k)),
        ("F1", "f1", lambda zero, **k: sk.f1_score(y, p, zero_division=zero, **k)),
        ("FBeta", "f_beta_2", lambda zero, **k: sk.fbeta_score(y, p, beta=2, zero_division=zero, **k)),
        ("FBeta", "f_beta_0_5", lambda zero, **k: sk.fbeta_score(y, p, beta=0.5, zero_division=zero, **k)),
    ]
    for name, value, score in scores:
        for average in ["macro", "micro", "weighted", "none"] if value != "f_beta_0_5" else ["macro", "weighted"]:
            kwargs = {"average": average}
            if name == "FBeta":
                kwargs["beta"] = 2.0 if value == "f_beta_2" else 0.5
            main = score(0.0, average="macro" if average == "none" else average)
            values = {value + suffix(average): main}
            if average == "none":
                each = score(0.0, average=None, labels=union)
                values |= {f"{value}_{c}": v for c, v in zip(union, each)}
            case(name, kwargs, classes, bare, values)
    case("Precision", {"zero_division": 1.0}, classes, bare, {"precision": scores[0][2](1.0, average="macro")})
    case("Sensitivity", {"zero_division": 1.0}, classes, bare, {"recall": scores[1][2](1.0, average="macro")})

    case("Accuracy", {}, classes, bare, {"accuracy": sk.accuracy_score(y, p)})
    macro = tm.multiclass_accuracy(tp, ty, classes, average="macro")
    each = tm.multiclass_accuracy(tp, ty, classes, average="none")
    case("Accuracy", {"average": "macro"}, classes, bare, {"accuracy_macro": macro})
    case(
        "MulticlassAccuracy",
        {"average": "none"},
        classes,
        bare,
        {"accuracy_macro": macro} | {f"accuracy_{c}": each[c] for c in union},
    )
    weighted = tm.multiclass_accuracy(tp, ty, classes, average="weighted")
    case("MulticlassAccuracy", {"average": "weighted"}, classes, bare, {"accuracy": weighted})
    for k in (2, 3):
        top = sk.top_k_accuracy_score(y, s, k=k, labels=range(classes))
        case("Accuracy", {"top_k": k}, classes, rows, {f"accuracy_top{k}": top})
    top = tm.multiclass_accuracy(ts, ty, classes, average="macro", top_k=2)
    case("Accuracy", {"average": "macro", "top_k": 2}, classes, rows, {"accuracy_macro_top2": top})

    for average in ["macro", "micro", "weighted", "none"]:
        one = "macro" if average == "none" else average
        values = {"specificity" + suffix(average): tm.multiclass_specificity(tp, ty, classes, average=one)}
        if average == "none":
            each = tm.multiclass_specificity(tp, ty, classes, average="none")
            values |= {f"specificity_{c}": each[c] for c in union}
        case("Specificity", {"average": average}, classes, bare, values)

    for how in ["none", "true", "pred", "all"]:
        m = sk.confusion_matrix(y, p, labels=range(classes), normalize=None if how == "none" else how)
        values = {"accuracy": sk.accuracy_score(y, p)}
        values |= {f"confusion_{t}_as_{g}": m[t][g] for t in range(classes) for g in range(classes)}
        case("ConfusionMatrix", {"normalize": how}, classes, bare, values)

    # Of scores, with ties: each class against all others, where both are there.
    held = [c for c in range(classes) if 0 < (y == c).sum() < len(y)]
    weight = [(y == c).sum() for c in held]
    coarse = s.round(1)
    tied = [
        {"predicted": {"labels": {"class": int(b), "scores": numbers(row)}}, "truth": {"labels": {"class": int(a)}}}
        for a, b, row in zip(y, p, coarse)
    ]
    for name, value, score in [
        ("AUROC", "auroc", sk.roc_auc_score),
        ("AveragePrecision", "average_precision", sk.average_precision_score),
    ]:
        each = [score(y == c, coarse[:, c]) for c in held]
        case(name, {}, classes, tied, {value: np.mean(each)})
        case(name, {"average": "weighted"}, classes, tied, {value + "_weighted": np.average(each, weights=weight)})
        values = {value: np.mean(each)} | {f"{value}_{c}": v for c, v in zip(held, each)}
        case(name, {"average": "none"}, classes, tied, values)
    # Of torchmetrics' binned curves; no score is 1, where its curve would not begin at 0.
    tc = torch.tensor(s * 0.97)
    fine = [
        {"predicted": {"labels": {"class": int(b), "scores": numbers(row)}}, "truth": {"labels": {"class": int(a)}}}
        for a, b, row in zip(y, p, tc)
    ]
    each = tm.multiclass_auroc(tc, ty, classes, average="none", thresholds=11)[held]
    case("MulticlassAUROC", {"thresholds": 11}, classes, fine, {"auroc": each.mean()})
    each = tm.multiclass_average_precision(tc, ty, classes, average="none", thresholds=11)[held]
    case("MulticlassAveragePrecision", {"thresholds": 11}, classes, fine, {"average_precision": each.mean()})

# Two classes
y, p, s, rows, bare = labels(2, [0, 1], [0, 1], 20)
case("AUROC", {}, 2, rows, {"auroc": sk.roc_auc_score(y, s[:, 1])})
case("AveragePrecision", {}, 2, rows, {"average_precision": sk.average_precision_score(y, s[:, 1])})
case("AUROC", {}, 2, [r for r, c in zip(rows, y) if c == 1], {})
case("AveragePrecision", {}, 2, [r for r, c in zip(rows, y) if c == 0], {})
case("F1", {"average": "binary"}, 2, bare, {"f1_binary": sk.f1_score(y, p)})
case("Precision", {"average": "binary"}, 2, bare, {"precision_binary": sk.precision_score(y, p)})
specificity = tm.binary_specificity(torch.tensor(p), torch.tensor(y))
case("Specificity", {"average": "binary"}, 2, bare, {"specificity_binary": specificity})
ignored = {"classes": ["0", "1"], "ignore_index": 255}
void = {"predicted": {"labels": {"class": 1, "scores": [0.1, 0.9]}}, "truth": {"labels": {"class": 255}}}
case("AUROC", {}, ignored, rows + [void], {"auroc": sk.roc_auc_score(y, s[:, 1])})
case("F1", {}, ignored, rows + [void], {"f1": sk.f1_score(y, p, average="macro")})


# Maps

def maps(truths, guesses, shape, right=0.6):
    y = rng.choice(truths, shape)
    return y, np.where((rng.random(shape) < right) & np.isin(y, guesses), y, rng.choice(guesses, shape))


def map_row(x, scores=None):
    one = {"frame": 0, "width": x.shape[1], "height": x.shape[0], "classes": [int(c) for c in x.ravel()]}
    if scores is not None:
        one["scores"] = numbers(scores)
    return {"maps": [one]}


def map_samples(y, p, scores=None):
    scores = [None] * len(y) if scores is None else scores
    return [{"predicted": map_row(b, c), "truth": map_row(a)} for a, b, c in zip(y, p, scores)]


for classes, ignore, (y, p) in [
    (4, None, maps([0, 1, 2, 3], [0, 1, 2, 3], (2, 6, 9))),
    (5, 255, maps([0, 1, 3, 255], [0, 1, 2], (2, 7, 5))),  # 4 nowhere, 3 never predicted, 2 never true
    (4, 2, maps([0, 1, 2, 3], [0, 1, 2, 3], (2, 6, 6))),  # the ignored class is one of the classes
]:
    samples = map_samples(y, p)
    data = {"classes": [str(c) for c in range(classes)]} | ({} if ignore is None else {"ignore_index": ignore})
    ty, tp = torch.tensor(y), torch.tensor(p)
    kept = y.ravel() != (-1 if ignore is None else ignore)
    fy, fp = y.ravel()[kept], p.ravel()[kept]
    present = [c for c in sorted(set(fy) | set(fp)) if c != ignore]
    iou = tm.multiclass_jaccard_index(tp, ty, classes, average=None, ignore_index=ignore)
    each = {f"iou_{c}": iou[c] for c in present}
    macro = tm.multiclass_jaccard_index(tp, ty, classes, average="macro", ignore_index=ignore)
    case("MeanIoU", {}, data, samples, {"mean_iou": macro} | each)
    if ignore is None:
        for average in ["micro", "weighted"]:
            v = tm.multiclass_jaccard_index(tp, ty, classes, average=average)
            case("JaccardIndex", {"average": average}, data, samples, {f"mean_iou_{average}": v} | each)
        front = {c: v for c, v in each.items() if c != "iou_0"}
        values = {"mean_iou": torch.stack(list(front.values())).mean()} | front
        case("Jaccard", {"include_background": False}, data, samples, values)
        confused = sk.multilabel_confusion_matrix(fy, fp, labels=[1, 2, 3]).sum(0)
        micro = 2 * confused[1, 1] / (2 * confused[1, 1] + confused[0, 1] + confused[1, 0])
        dice = sk.f1_score(fy, fp, labels=[1, 2, 3], average=None)
        values = {"dice_score_micro": micro} | {f"dice_{c}": v for c, v in zip([1, 2, 3], dice)}
        case("Dice", {"include_background": False, "average": "micro"}, data, samples, values)
    dice = sk.f1_score(fy, fp, labels=present, average=None)
    each = {f"dice_{c}": v for c, v in zip(present, dice)}
    case("DiceScore", {}, data, samples, {"dice_score": np.mean(dice)} | each)
    weighted = sk.f1_score(fy, fp, labels=present, average="weighted")
    case("DiceScore", {"average": "weighted"}, data, samples, {"dice_score_weighted": weighted} | each)
    right = {"pixel_accuracy": sk.accuracy_score(fy, fp)}
    case("PixelAccuracy", {}, data, samples, right)
    recall = sk.recall_score(fy, fp, labels=sorted(set(fy)), average=None)
    values = {"pixel_accuracy_macro": np.mean(recall)}
    case("PixelAccuracy", {"average": "macro"}, data, samples, values)
    values |= {f"pixel_accuracy_{c}": v for c, v in zip(sorted(set(fy)), recall)}
    case("PixelAccuracy", {"average": "none"}, data, samples, values)

# Each video, each sample: the mean of what every one gives alone; a row without a video is one of its own.
y, p = maps([0, 1], [0, 1], (5, 5, 6))
samples = map_samples(y, p)
for sample, video in zip(samples, ["a", "b", "a", None, "a"]):
    if video:
        sample["truth"]["video"] = sample["predicted"]["video"] = video
iou = lambda which: tm.multiclass_jaccard_index(torch.tensor(p[which]), torch.tensor(y[which]), 2, average=None)
groups = torch.stack([iou([0, 2, 4]), iou([1]), iou([3])])
values = {"mean_iou_per_video": groups.mean(), "iou_0_per_video": groups[:, 0].mean(), "iou_1_per_video": groups[:, 1].mean()}
case("MeanIoU", {"per": "video"}, 2, samples, values)
groups = torch.stack([iou([i]) for i in range(5)])
values = {"mean_iou_per_sample": groups.mean(), "iou_0_per_sample": groups[:, 0].mean(), "iou_1_per_sample": groups[:, 1].mean()}
case("MeanIoU", {"per": "sample"}, 2, samples, values)

# Scores of pixels
y, _ = maps([0, 1], [0, 1], (2, 6, 7))
y[0, 0, :3] = 255
s = (0.4 * (y == 1) + 0.6 * rng.random(y.shape)).round(1).astype(np.float32)
samples = map_samples(y, (s > 0.5).astype(int), s)
kept = y != 255
data = {"classes": ["0", "1"], "ignore_index": 255}
case("PixelAUROC", {}, data, samples, {"pixel_auroc": sk.roc_auc_score(y[kept], s[kept])})
ap = sk.average_precision_score(y[kept], s[kept])
case("PixelAveragePrecision", {}, data, samples, {"pixel_average_precision": ap})
case("PixelMAE", {}, data, samples, {"pixel_mae": np.mean([np.abs(a[k] - b[k].astype(float)).mean() for a, b, k in zip(y, s, kept)])})
ts, ty = torch.tensor(s[kept] * np.float32(0.97)), torch.tensor(y[kept])
samples = map_samples(y, (s > 0.5).astype(int), s * np.float32(0.97))
case("PixelAUROC", {"thresholds": 5}, data, samples, {"pixel_auroc": tm.binary_auroc(ts, ty, thresholds=5)})
ap = tm.binary_average_precision(ts, ty, thresholds=5)
case("PixelAveragePrecision", {"thresholds": 5}, data, samples, {"pixel_average_precision": ap})

# Distances of edges
y = np.zeros((3, 9, 8), int)
y[0, 1:6, 1:5] = 1
y[0, 6:9, 5:8] = 2
y[1, 2:5, 0:6] = 1  # no 2 in the second
y[2, 0:4, 0:4] = 2
p = np.zeros_like(y)
p[0, 2:7, 2:6] = 1
p[0, 7:9, 3:8] = 2
p[0, 0, 7] = 1
p[1, 2:6, 1:6] = 1
p[1, 8, 7] = 2
p[2, 1:6, 1:4] = 2


def distances(y, p, kwargs, ignore=None):
    hot = lambda x: torch.stack([torch.tensor(x == c) for c in range(3)], 1).float()
    ours = {k: v for k, v in kwargs.items() if k in ("percentile", "directed", "include_background")}
    metric = HausdorffDistanceMetric(**ours)
    a, b = hot(p), hot(y)
    if ignore is not None:
        a, b = a * torch.tensor(y != ignore)[:, None], b * torch.tensor(y != ignore)[:, None]
    metric(a, b)
    first = 0 if kwargs.get("include_background") else 1
    each, counted = metric.aggregate("none"), metric.aggregate("mean_batch")
    names = range(first, 3)
    values = {"": metric.aggregate("mean")}
    values |= {f"_{c}": v for c, v, d in zip(names, counted, each.T) if not torch.isnan(d).all()}
    return {k: float(v) for k, v in values.items()}


for kwargs in [
    {"percentile": 95.0},
    {"percentile": 50.0, "include_background": True},
    {"percentile": 80.0, "directed": True},
]:
    values = {"hausdorff_distance" + k: v for k, v in distances(y, p, kwargs).items()}
    case("HausdorffDistance", kwargs, 3, map_samples(y, p), values)
values = {"hausdorff_distance" + k: v for k, v in distances(y[::2], p[::2], {}).items()}
case("HausdorffDistanceMetric", {}, 3, map_samples(y[::2], p[::2]), values)
values = {"hausdorff_distance" + k: v for k, v in distances(y[::2], p[::2], {"directed": True}).items()}
case("HausdorffDistanceMetric", {"directed": True}, 3, map_samples(y[::2], p[::2]), values)
values = {"hd95" + k: v for k, v in distances(y, p, {"percentile": 95}).items()}
case("HD95", {}, 3, map_samples(y, p), values)
void = y.copy()
void[:, :, 4] = 255
values = {"hd95" + k: v for k, v in distances(void, p, {"percentile": 95}, 255).items()}
case("HD95", {}, {"classes": ["0", "1", "2"], "ignore_index": 255}, map_samples(void, p), values)


# Numbers

t = rng.normal(size=(12, 3)).astype(np.float32).round(2) * np.float32([1, 10, 0.1]) + np.float32([0, 100, 5])
g = (t + rng.normal(size=t.shape) * [0.3, 2, 0.05]).astype(np.float32)
t, g = t.round(3), g.round(3)
value_samples = lambda g, t: [{"predicted": {"values": numbers(a)}, "truth": {"values": numbers(b)}} for a, b in zip(g, t)]
wide = (t.astype(float), g.astype(float))
for name, value, score in [
    ("MAE", "mae", sk.mean_absolute_error),
    ("MSE", "mse", sk.mean_squared_error),
    ("RMSE", "rmse", sk.root_mean_squared_error),
    ("R2", "r2", sk.r2_score),
    ("MedianAbsoluteError", "median_absolute_error", sk.median_absolute_error),
    ("MaxError", "max_error", lambda t, g, multioutput: np.average(raw, weights=[1, 1, 1]) if multioutput != "raw_values" else raw),
]:
    raw = [sk.max_error(a, b) for a, b in zip(wide[0].T, wide[1].T)]
    case(name, {}, 0, value_samples(g, t), {value: score(*wide, multioutput="uniform_average")})
    values = {value: score(*wide, multioutput="uniform_average")}
    values |= {f"{value}_{i}": v for i, v in enumerate(score(*wide, multioutput="raw_values"))}
    case(name, {"multioutput": "raw_values"}, 0, value_samples(g, t), values)
one = value_samples(g[:11, :1], t[:11, :1])
first = (torch.tensor(wide[1][:11, 0]), torch.tensor(wide[0][:11, 0]))
case("MeanAbsoluteError", {}, 0, one, {"mae": tmr.mean_absolute_error(*first)})
case("MeanSquaredError", {}, 0, one, {"mse": tmr.mean_squared_error(*first)})
case("RMSE", {}, 0, one, {"rmse": tmr.mean_squared_error(*first, squared=False)})
case("R2Score", {"adjusted": 2}, 0, one, {"r2": tmr.r2_score(*first, adjusted=2)})
case("MedianAbsoluteError", {}, 0, one, {"median_absolute_error": sk.median_absolute_error(*first)})
weighted = sk.r2_score(*wide, multioutput="variance_weighted")
case("R2", {"multioutput": "variance_weighted"}, 0, value_samples(g, t), {"r2_weighted": weighted})


# Images

def frame(x):
    """HWC, bytes or floats."""
    kind = "u8" if x.dtype == np.uint8 else "f32"
    pixels = [int(v) for v in x.ravel()] if kind == "u8" else numbers(x)
    return {"width": x.shape[1], "height": x.shape[0], "channels": x.shape[2], kind: pixels}


def frame_samples(p, t):
    return [{"predicted": {"frames": [frame(a)]}, "truth": {"frames": [frame(b)]}} for a, b in zip(p, t)]


torch.set_default_dtype(torch.float64)  # the logarithm of `base`
nchw = lambda x: torch.tensor(x).double().permute(0, 3, 1, 2)
t8 = (rng.random((2, 13, 12, 3)) * 255).astype(np.uint8)
t8[:, 3:9, 2:8] //= 3
p8 = np.clip(t8 + rng.normal(size=t8.shape) * [[[[9]]], [[[25]]]], 0, 255).astype(np.uint8)
t32 = rng.random((2, 12, 14, 1)).astype(np.float32).round(3)
p32 = (t32 + 0.1 * rng.normal(size=t32.shape)).astype(np.float32).round(3)
for p, t, white in [(p8, t8, 255.0), (p32, t32, 1.0)]:
    samples = frame_samples(p, t)
    both = (nchw(p), nchw(t))
    case("PSNR", {}, 0, samples, {"psnr": tmi.peak_signal_noise_ratio(*both, data_range=white)})
    each = tmi.peak_signal_noise_ratio(*both, data_range=white, dim=(1, 2, 3))
    case("PSNR", {"per": "sample"}, 0, samples, {"psnr_per_sample": each})
    ssim = tmi.structural_similarity_index_measure(*both, data_range=white)
    case("SSIM", {}, 0, samples, {"ssim": ssim})
samples = frame_samples(p32, t32)
both = (nchw(p32), nchw(t32))
psnr = tmi.peak_signal_noise_ratio(*both, data_range=2.0, base=2.0)
case("PeakSignalNoiseRatio", {"data_range": 2.0, "base": 2.0}, 0, samples, {"psnr": psnr})
for kwargs in [
    {"data_range": 2.0, "k1": 0.02, "k2": 0.05},
    {"sigma": 0.8, "data_range": 1.0},
    {"gaussian_kernel": False, "kernel_size": 7, "data_range": 1.0},
]:
    ssim = tmi.structural_similarity_index_measure(*both, **kwargs)
    case("StructuralSimilarityIndexMeasure", kwargs, 0, samples, {"ssim": ssim})

names = f"scikit-learn {sklearn.__version__}, torchmetrics {torchmetrics.__version__}, MONAI"
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
head = json.dumps({"name": names, "version": monai.__version__})
text = f'{{"reference": {head}, "cases": [\n{lines}\n]}}\n'
pathlib.Path(__file__).with_name("metrics.json").write_text(text)
print(len(cases), "cases,", len(text), "bytes")
