"""Writes metrics.json: labels and maps with the values that scikit-learn and torchmetrics give for them.

pip install numpy scikit-learn torch torchmetrics
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
import sklearn.metrics as sk
import torch
import torchmetrics
import torchmetrics.functional.classification as tm

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20)


def labels(classes, truths, guesses, n):
    """Random labels: truths from one list of classes, guesses mostly right, else from another."""
    y = rng.choice(truths, n)
    scores = rng.random((n, classes)).astype(np.float32).round(4)
    for i in range(n):
        scores[i, y[i] if y[i] in guesses and rng.random() < 0.6 else rng.choice(guesses)] += 1
    p = scores.argmax(1)
    expected = {}
    for name, score in [("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)]:
        for average in ["macro", "micro", "weighted"]:
            for zero in [0.0, 1.0]:
                expected[f"{name}/{average}/{zero}"] = score(y, p, average=average, zero_division=zero)
        union = sorted(set(y) | set(p))
        each = score(y, p, average=None, labels=union, zero_division=0.0)
        expected[f"{name}/none/0.0"] = {str(c): float(v) for c, v in zip(union, each)}
    tp, ty, ts = torch.tensor(p), torch.tensor(y), torch.tensor(scores)
    expected["accuracy/micro/1"] = sk.accuracy_score(y, p)
    expected["accuracy/macro/1"] = tm.multiclass_accuracy(tp, ty, classes, average="macro").item()
    for k in (2, 3):
        if k < classes:
            expected[f"accuracy/micro/{k}"] = sk.top_k_accuracy_score(y, scores, k=k, labels=range(classes))
            expected[f"accuracy/macro/{k}"] = tm.multiclass_accuracy(ts, ty, classes, average="macro", top_k=k).item()
    for how in ["none", "true", "pred", "all"]:
        expected[f"confusion/{how}"] = sk.confusion_matrix(
            y, p, labels=range(classes), normalize=None if how == "none" else how
        ).tolist()
    return {"classes": classes, "truth": y.tolist(), "scores": scores.tolist(), "expected": expected}


def maps(classes, truths, guesses, shape, ignore):
    """Two true and predicted maps, 255 or a class of their own being ignored."""
    y = rng.choice(truths, (2, *shape))
    p = np.where((rng.random(y.shape) < 0.6) & np.isin(y, guesses), y, rng.choice(guesses, y.shape))
    ty, tp = torch.tensor(y), torch.tensor(p)
    kept = y.ravel() != (-1 if ignore is None else ignore)
    fy, fp = y.ravel()[kept], p.ravel()[kept]
    present = [c for c in sorted(set(fy) | set(fp)) if c != ignore]
    iou = tm.multiclass_jaccard_index(tp, ty, classes, average=None, ignore_index=ignore)
    dice = sk.f1_score(fy, fp, labels=present, average=None)
    expected = {
        "mean_iou": tm.multiclass_jaccard_index(tp, ty, classes, average="macro", ignore_index=ignore).item(),
        "iou": {str(c): iou[c].item() for c in present},
        "dice_score": float(np.mean(dice)),
        "dice": {str(c): float(v) for c, v in zip(present, dice)},
        "pixel_accuracy": sk.accuracy_score(fy, fp),
        "pixel_accuracy_macro": sk.recall_score(fy, fp, labels=sorted(set(fy)), average="macro"),
    }
    return {"classes": classes, "ignore": ignore, "truth": y.tolist(), "predicted": p.tolist(), "expected": expected}


golden = {
    "versions": {"sklearn": sklearn.__version__, "torchmetrics": torchmetrics.__version__, "numpy": np.__version__},
    "labels": [
        labels(4, [0, 1, 2, 3], [0, 1, 2, 3], 60),
        labels(6, [0, 2, 4], [0, 1, 2], 40),  # 3 and 5 nowhere, 4 never predicted, 1 never true
        labels(2, [0, 1], [0, 1], 25),
        labels(3, [1], [1, 2], 10),
    ],
    "maps": [
        maps(4, [0, 1, 2, 3], [0, 1, 2, 3], (6, 9), None),
        maps(5, [0, 1, 3, 255], [0, 1, 2], (7, 5), 255),  # 4 nowhere, 3 never predicted, 2 never true
        maps(4, [0, 1, 2, 3], [0, 1, 2, 3], (6, 6), 2),  # the ignored class is one of the classes
        maps(2, [0, 1], [0, 1], (5, 8), None),
    ],
}
path = pathlib.Path(__file__).with_name("metrics.json")
path.write_text(json.dumps(golden, default=float) + "\n")
