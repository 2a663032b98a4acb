"""Writes coco_masks.json: segmentations with what pycocotools makes of them: the pixels, packed, their area, their box.

pip install numpy pycocotools
"""

import json
import pathlib

import numpy as np
import pycocotools.mask as masks

rng = np.random.default_rng(8)
cases = []


def case(segmentation, width, height):
    if isinstance(segmentation, list):
        rle = masks.merge(masks.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        rle = masks.frPyObjects(segmentation, height, width)
    else:
        rle = segmentation
    cases.append(
        {
            "segmentation": segmentation,
            "size": [width, height],
            "packed": rle["counts"] if isinstance(rle["counts"], str) else rle["counts"].decode(),
            "area": int(masks.area(rle)),
            "box": [int(x) for x in masks.toBbox(rle)],
        }
    )


def ring(points, low, high, digits):
    return [round(float(x), digits) for x in rng.uniform(low, high, 2 * points)]


for n in range(60):
    width, height = (int(x) for x in rng.integers(1, 40, 2))
    # Far out, on the grid of pixels, of halves and of tenths, of hundredths; one ring or several.
    rings = [ring(int(rng.integers(3, 9)), -8, 45, n % 4) for _ in range(1 + n % 3)]
    case(rings, width, height)
for points in (
    [5, 5, 5, 5, 5, 5],
    [2, 2, 9, 2, 2, 2],
    [0, 0, 12, 0, 12, 9, 0, 9],
    [0.5, 0.5, 8.5, 0.5, 8.5, 6.5, 0.5, 6.5],
    [-3, -3, 30, -3, 30, 30, -3, 30],
    [3.1, 2.3, 3.1, 8.7, 6.1, 8.7],
    [0.1, 0.1, 0.2, 0.1, 0.2, 0.2],
):
    case([points], 12, 9)
for n in range(12):
    width, height = (int(x) for x in rng.integers(1, 60, 2))
    if n % 2:
        pixels = rng.random((height, width)) < (0.0, 0.1, 0.5, 0.9, 1.0, 0.02)[n // 2]
    else:
        y, x = np.mgrid[:height, :width]
        pixels = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (3 + 4 * n) ** 2
    flat, counts, now = pixels.T.ravel(), [], False
    while len(flat):
        run = int(np.argmin(flat == now)) if not (flat == now).all() else len(flat)
        counts.append(run)
        flat, now = flat[run:], not now
    case({"size": [height, width], "counts": counts}, width, height)
    packed = masks.encode(np.asfortranarray(pixels.astype(np.uint8)))
    case({"size": [height, width], "counts": packed["counts"].decode()}, width, height)

lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
pathlib.Path(__file__).with_suffix(".json").write_text(f"[\n{lines}\n]\n")
