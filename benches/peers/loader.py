"""The peer's side of the loader cases: OpenCV and numpy as a user writes them, on one thread."""
import os
import pathlib

import cv2
import numpy as np

BATCH, SIDE = 16, 352
MEAN, STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
FOLDERS = {
    "jpeg640x480": "blood-cells/JPEGImages",
    "jpeg400x533": "clothing/train/hat",
    "png480x360": "camvid/train",
}


def photographs(name):
    here = pathlib.Path(__file__).resolve().parents[2] / "../shared/data"
    folder = pathlib.Path(os.environ.get("PLEACH_DATA", here)) / FOLDERS[name]
    return [str(p) for p in sorted(folder.iterdir()) if p.suffix in (".jpg", ".png")][:BATCH]


def decode(path):
    with open(path, "rb") as f:
        data = np.frombuffer(f.read(), np.uint8)
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def prepared(path):
    x = cv2.resize(decode(path), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    x = (x.astype(np.float32) / 255.0 - MEAN) / STD
    return np.ascontiguousarray(x.transpose(2, 0, 1))


def loader(name):
    cv2.setNumThreads(1)
    folder, _, part = name.partition("/")
    paths = photographs(folder)
    if part == "decode":
        return lambda: [decode(p) for p in paths] and None
    return lambda: np.stack([prepared(p) for p in paths]) is None
