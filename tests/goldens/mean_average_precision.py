"""Writes mean_average_precision.json: rows with objects, true and predicted, and what pycocotools measures.

torchmetrics, given the same thresholds, must agree, or nothing is written. Turned boxes have no reference of their own:
their overlaps are shapely's, everything after them is pycocotools'.

pip install numpy pycocotools shapely torch torchmetrics
"""

import contextlib
import importlib.metadata
import io
import json
import math
import pathlib

import numpy as np
import pycocotools.mask
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from shapely.geometry import Polygon
from torchmetrics.detection import MeanAveragePrecision

CLASSES = ["cat", "dog", "cow"]
SIDE = 14
rng = np.random.default_rng(33)
cases = []


def box(x, y, w, h, angle=0.0):
    return {"cx": x + w / 2, "cy": y + h / 2, "w": w, "h": h, "angle": float(np.float32(angle))}


def corners(b):
    s, c = math.sin(b["angle"]), math.cos(b["angle"])
    steps = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    return [(b["cx"] + u * b["w"] * c - v * b["h"] * s, b["cy"] + u * b["w"] * s + v * b["h"] * c) for u, v in steps]


def xywh(b):
    return [b["cx"] - b["w"] / 2, b["cy"] - b["h"] / 2, b["w"], b["h"]]


def pixels(mask):
    return np.array(mask["inside"], dtype=np.uint8).reshape(mask["height"], mask["width"])


class Turned(COCOeval):
    """COCO's evaluation with the overlaps of turned boxes."""

    def computeIoU(self, image, category):
        truths, found = self._gts[image, category], self._dts[image, category]
        if not truths and not found:
            return []
        order = np.argsort([-d["score"] for d in found], kind="mergesort")[: self.params.maxDets[-1]]
        table = np.zeros((len(order), len(truths)))
        for i, d in enumerate(order):
            a = Polygon(corners(found[d]["turned"]))
            for j, t in enumerate(truths):
                b = Polygon(corners(t["turned"]))
                shared = a.intersection(b).area
                table[i, j] = shared / (a.area if t["iscrowd"] else a.area + b.area - shared)
        return table if len(truths) and len(order) else []


def area_of(instance, kind):
    if "area" in instance:
        return instance["area"]
    if kind == "segm":
        return int(pixels(instance["mask"]).sum())
    return instance["bbox"]["w"] * instance["bbox"]["h"]


def as_coco(samples, side, kind):
    """A data set in COCO's form. What is `ignore` gets an area outside every range, which comes to the same."""
    entries = []
    for image, sample in enumerate(samples, 1):
        for i in sample[side]["instances"]:
            entry = {
                "id": len(entries) + 1,
                "image_id": image,
                "category_id": i["class"] + 1,
                "area": 1e12 if i.get("ignore") else area_of(i, kind),
                "iscrowd": int(i.get("crowd", False)),
            }
            if "bbox" in i:
                entry |= {"bbox": xywh(i["bbox"]), "turned": i["bbox"]}
            if "mask" in i:
                entry["segmentation"] = pycocotools.mask.encode(np.asfortranarray(pixels(i["mask"])))
            if "score" in i:
                entry["score"] = i["score"]
            entries.append(entry)
    coco = COCO()
    coco.dataset = {
        "images": [{"id": n, "width": SIDE, "height": SIDE} for n in range(1, len(samples) + 1)],
        "annotations": entries,
        "categories": [{"id": n, "name": name} for n, name in enumerate(CLASSES, 1)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco


def measure(samples, kwargs):
    kind = kwargs.get("iou_type", "bbox")
    make = Turned if kind == "rotated_bbox" else COCOeval
    with contextlib.redirect_stdout(io.StringIO()):
        truth, predicted = (as_coco(samples, side, kind) for side in ("truth", "predicted"))
        e = make(truth, predicted, "segm" if kind == "segm" else "bbox")
        p = e.params
        if "iou_thresholds" in kwargs:
            p.iouThrs = np.array(kwargs["iou_thresholds"])
        if "rec_thresholds" in kwargs:
            p.recThrs = np.array(kwargs["rec_thresholds"])
        p.maxDets = kwargs.get("max_detection_thresholds", p.maxDets)
        if "area_ranges" in kwargs:
            sizes = sorted(kwargs["area_ranges"].items(), key=lambda item: item[1])
            p.areaRngLbl, p.areaRng = ["all"] + [name for name, _ in sizes], [[0, 1e10]] + [r for _, r in sizes]
        p.useCats = int(kwargs.get("average") != "micro")
        e.evaluate()
        e.accumulate()
    precision, recall = e.eval["precision"], e.eval["recall"]
    values = {}

    def put(name, cells):
        cells = cells[cells > -1]
        if cells.size:
            values[name] = round(float(cells.mean()), 12)

    put("map", precision[:, :, :, 0, -1])
    for name, threshold in [("map_50", 0.5), ("map_75", 0.75)]:
        put(name, precision[np.isclose(p.iouThrs, threshold)][:, :, :, 0, -1])
    for a, name in enumerate(p.areaRngLbl[1:], 1):
        put(f"map_{name}", precision[:, :, :, a, -1])
    for m, limit in enumerate(p.maxDets):
        put(f"mar_{limit}", recall[:, :, 0, m])
    for a, name in enumerate(p.areaRngLbl[1:], 1):
        put(f"mar_{name}", recall[:, :, a, -1])
    if kwargs.get("class_metrics"):
        for k, name in enumerate(CLASSES):
            put(f"map_per_class_{name}", precision[:, :, k, 0, -1])
            put(f"mar_{p.maxDets[-1]}_per_class_{name}", recall[:, k, 0, -1])
    return values, [float(t) for t in p.iouThrs]


def agree(samples, kwargs, thresholds, values):
    """Holds torchmetrics against the values where it means the same. Its `micro` ranks equal scores otherwise, and with
    masks it leaves out the images that have nothing to find."""
    kind = kwargs.get("iou_type", "bbox")
    if kind == "segm" and not all(s["truth"]["instances"] for s in samples):
        return
    if kind == "rotated_bbox" or {"area_ranges", "average"} & kwargs.keys() or any(
        i.get("ignore") for s in samples for i in s["truth"]["instances"]
    ):
        return
    metric = MeanAveragePrecision(
        box_format="xywh",
        iou_type=kind,
        iou_thresholds=thresholds,
        rec_thresholds=[float(r) for r in np.linspace(0, 1, 101)],
        max_detection_thresholds=kwargs.get("max_detection_thresholds"),
        class_metrics=False,
    )

    def side(instances, truth):
        out = {"labels": torch.tensor([i["class"] for i in instances], dtype=torch.int)}
        if kind == "segm":
            masks = [pixels(i["mask"]) for i in instances] or np.zeros((0, SIDE, SIDE))
            out["masks"] = torch.tensor(np.array(masks), dtype=torch.bool)
        else:
            out["boxes"] = torch.tensor([xywh(i["bbox"]) for i in instances]).reshape(-1, 4)
        if truth:
            out["iscrowd"] = torch.tensor([int(i.get("crowd", False)) for i in instances])
            out["area"] = torch.tensor([float(area_of(i, kind)) for i in instances])
        else:
            out["scores"] = torch.tensor([i["score"] for i in instances])
        return out

    predicted = [side(s["predicted"]["instances"], False) for s in samples]
    metric.update(predicted, [side(s["truth"]["instances"], True) for s in samples])
    theirs = metric.compute()
    for name, value in ((n, v) for n, v in values.items() if "per_class" not in n):
        assert abs(float(theirs[name]) - value) < 1e-6, (kwargs, name, float(theirs[name]), value)


def case(samples, **kwargs):
    values, thresholds = measure(samples, kwargs)
    agree(samples, kwargs, thresholds, values)
    cases.append(
        {
            "name": "MeanAveragePrecision",
            "kwargs": kwargs,
            "data": {"classes": CLASSES},
            "samples": samples,
            "values": values,
        }
    )


# Boxes. Scores are of one decimal, so that many are equal, within an image and between images.


def some_box(least, most):
    w, h = rng.integers(least, most, 2)
    return [int(rng.integers(0, 160 - w)), int(rng.integers(0, 160 - h)), int(w), int(h)]


def near(b):
    x, y, w, h = b
    return [x + int(rng.integers(-w // 8, w // 8 + 1)), y + int(rng.integers(-h // 8, h // 8 + 1)),
            max(1, w + int(rng.integers(-w // 8, w // 8 + 1))), max(1, h + int(rng.integers(-h // 8, h // 8 + 1)))]


def boxes(objects, guesses, special=False):
    truth, predicted = [], []
    for n in range(objects):
        b, c = some_box(*[(8, 30), (30, 70), (90, 140)][n % 3]), int(rng.integers(0, 2))
        t = {"class": c, "bbox": box(*b)}
        if n % 4 == 1:
            t["area"] = round(b[2] * b[3] * 0.75)  # as of a mask within the box
        if special and n % 5 == 2:
            t["crowd"] = True
        if special and n % 7 == 3:
            t["ignore"] = True
        truth.append(t)
        for _ in range(int(rng.integers(0, 3)) + 3 * t.get("crowd", False)):
            predicted.append({"class": c if rng.random() < 0.8 else 1 - c, "bbox": box(*near(b))})
    while len(predicted) < guesses:
        predicted.append({"class": int(rng.integers(0, 3)), "bbox": box(*some_box(8, 60))})
    for p in predicted:
        p["score"] = round(float(rng.integers(1, 10)) / 10, 1)
    return {"predicted": {"instances": predicted}, "truth": {"instances": truth}}


plain = [boxes(5, 8), boxes(0, 3), boxes(4, 0), boxes(0, 0), boxes(7, 12), boxes(3, 5)]
case(plain, class_metrics=True)
case(plain, average="micro")
case([boxes(9, 12, special=True) for _ in range(5)])
many = [boxes(12, 130), boxes(6, 20)]  # more predictions of one class than count
for p in many[0]["predicted"]["instances"]:
    p["class"] = 0
case(many)
case(
    [boxes(6, 9, special=True) for _ in range(3)],
    iou_thresholds=[0.3, 0.5, 0.6, 1.0],
    rec_thresholds=[0.0, 0.25, 0.5, 1.0],
    max_detection_thresholds=[2, 3, 5],
    area_ranges={"tiny": [0, 900], "rest": [900, 10000000000.0]},
)
case([boxes(0, 3), boxes(0, 2)])  # nothing to find: no values

# The same box predicted thrice, an exact fit of thresholds, two objects that fit alike.
squares = [
    {
        "predicted": {
            "instances": [{"class": 0, "score": 0.5, "bbox": box(0, 0, 10, 10)}] * 3
            + [{"class": 0, "score": s, "bbox": box(20, 0, 10, w)} for s, w in [(0.5, 5), (0.5, 6), (0.4, 9)]]
        },
        "truth": {"instances": [{"class": 0, "bbox": box(0, 0, 10, 10)}, {"class": 0, "bbox": box(20, 0, 10, 10)},
                                {"class": 0, "bbox": box(20, 0, 10, 10), "area": 2000}]},
    },
    {
        "predicted": {"instances": [{"class": 0, "score": 0.5, "bbox": box(50, 50, 10, 10)}]},
        "truth": {
            "instances": [
                {"class": 0, "bbox": box(0, 0, 100, 100), "crowd": True},
                {"class": 1, "bbox": box(0, 0, 9, 9)},
            ]
        },
    },
]
case(squares)
case(squares, iou_thresholds=[0.5, 0.6, 1.0])

# Masks: blobs in small frames.


def blob():
    y, x = np.mgrid[:SIDE, :SIDE]
    cx, cy, r = rng.uniform(2, SIDE - 2), rng.uniform(2, SIDE - 2), rng.uniform(1.5, 4)
    return (x - cx) ** 2 + (y - cy) ** 2 < r * r


def mask(m):
    return {"width": SIDE, "height": SIDE, "inside": [int(p) for p in m.astype(int).ravel()]}


def masks(objects, guesses):
    truth, predicted = [], []
    for n in range(objects):
        m, c = blob(), int(rng.integers(0, 3))
        more = {1: {"area": 30}, 2: {"crowd": True}}.get(n, {})
        truth.append({"class": c, "mask": mask(m)} | more)
        for _ in range(1 + (n == 2)):
            shifted = np.roll(m, rng.integers(-1, 2, 2), (0, 1))
            predicted.append({"class": c, "mask": mask(shifted & (rng.random(m.shape) < 0.95))})
    while len(predicted) < guesses:
        predicted.append({"class": int(rng.integers(0, 3)), "mask": mask(blob())})
    for p in predicted:
        p["score"] = round(float(rng.integers(1, 10)) / 10, 1)
    return {"predicted": {"instances": predicted}, "truth": {"instances": truth}}


blobs = [masks(3, 5), masks(4, 4), masks(0, 1), masks(2, 3)]
case(blobs, iou_type="segm")
case([masks(4, 4), masks(3, 6)], iou_type="segm")
case(blobs, iou_type="segm", area_ranges={"little": [0, 20], "more": [20, 1000]}, class_metrics=True)

# Turned boxes.


def turned(objects, guesses):
    truth, predicted = [], []
    for n in range(objects):
        b, angle, c = some_box(10, 60), rng.uniform(-1.5, 1.5), int(rng.integers(0, 2))
        truth.append({"class": c, "bbox": box(*b, angle)} | ({"crowd": True} if n == 1 else {}))
        for _ in range(int(rng.integers(1, 3))):
            predicted.append({"class": c, "bbox": box(*near(b), angle + rng.uniform(-0.2, 0.2))})
    while len(predicted) < guesses:
        predicted.append({"class": int(rng.integers(0, 2)), "bbox": box(*some_box(10, 60), rng.uniform(-3, 3))})
    for p in predicted:
        p["score"] = round(float(rng.integers(1, 100)) / 100, 2)
    return {"predicted": {"instances": predicted}, "truth": {"instances": truth}}


case([turned(4, 7), turned(3, 3), turned(0, 2), turned(5, 8)], iou_type="rotated_bbox")

reference = {"name": "pycocotools", "version": importlib.metadata.version("pycocotools")}
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(f'{{"reference": {json.dumps(reference)}, "cases": [\n{lines}\n]}}\n')
