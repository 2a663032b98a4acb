"""Makes golden.json: what Albumentations and Pillow do to small images.

    pip install albumentations==2.0.8 opencv-python-headless pillow
    python make.py

Images are lists of samples, row by row, channels interleaved. Key points count from the centre of the
first pixel in Albumentations and from its corner here: half a pixel is added.
"""

import json
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
from PIL import Image

rng = np.random.default_rng(7)
cases = []


def smooth(h, w, c, dtype=np.uint8):
    """Waves: what lies between two pixels is well defined."""
    y, x, k = np.meshgrid(np.arange(h), np.arange(w), np.arange(c), indexing="ij")
    wave = 0.5 + 0.3 * np.sin(0.35 * x + k) + 0.2 * np.cos(0.5 * y - 0.7 * k)
    return (wave * np.iinfo(dtype).max).round().astype(dtype)


def noise(h, w, c, dtype=np.uint8):
    return rng.integers(0, np.iinfo(dtype).max + 1, (h, w, c)).astype(dtype)


def picture(a):
    a = a.reshape(a.shape[0], a.shape[1], -1)
    samples = a.ravel().tolist()
    if a.dtype.kind == "f":
        samples = [float(f"{x:.9g}") for x in samples]
    return {"width": a.shape[1], "height": a.shape[0], "channels": a.shape[2], "type": str(a.dtype), "samples": samples}


def case(plugin, parameters, draw, image, result, tolerance, **more):
    cases.append(
        {
            "plugin": plugin,
            "parameters": parameters,
            "draw": draw,
            "image": picture(image),
            "result": picture(result),
            "tolerance": tolerance,
        }
        | more
    )


BOX, POINT = [6.0, 5.0, 13.0, 10.0], [7.0, 6.0]


def moved(transform, image):
    """The image with a box in it, a key point and a mask of that box."""
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[5:10, 6:13] = 1
    both = A.Compose(
        [transform],
        bbox_params=A.BboxParams("pascal_voc", label_fields=["ids"]),
        keypoint_params=A.KeypointParams("xy", remove_invisible=False),
    )
    out = both(image=image, bboxes=[BOX], ids=[0], keypoints=[[POINT[0] - 0.5, POINT[1] - 0.5]], mask=mask)
    return out["image"], {
        "box": [BOX, [float(x) for x in out["bboxes"][0]]],
        "point": [POINT, [float(x) + 0.5 for x in out["keypoints"][0]]],
        "mask": [mask.ravel().tolist(), out["mask"].ravel().tolist()],
    }


for plugin, transform in [("HorizontalFlip", A.HorizontalFlip(p=1)), ("VerticalFlip", A.VerticalFlip(p=1))]:
    for c in (1, 3):
        image = noise(15, 18, c)
        out, parts = moved(transform, image)
        case(plugin, {}, {}, image, out, 0, **parts)

for degrees in (90, -33.5, 12, 180, 71.25):
    image = smooth(16, 19, 3)
    out, parts = moved(A.Rotate(limit=(degrees, degrees), p=1), image)
    del parts["mask"]
    case("Rotate", {}, {"degrees": float(degrees)}, image, out, 1, **parts)
for mode, flag in (("replicate", cv2.BORDER_REPLICATE), ("reflect_101", cv2.BORDER_REFLECT_101)):
    image = smooth(12, 14, 1)
    out = A.Rotate(limit=(25, 25), border_mode=flag, p=1)(image=image)["image"]
    case("Rotate", {"border_mode": mode}, {"degrees": 25.0}, image, out, 1)
image = smooth(12, 14, 3)
out = A.Rotate(limit=(-50, -50), fill=100, p=1)(image=image)["image"]
case("Rotate", {"fill": 100}, {"degrees": -50.0}, image, out, 1)

for h, w in ((20, 27), (9, 14), (5, 6)):
    for dtype in (np.uint8, np.uint16):
        image = noise(15, 18, 3 if dtype == np.uint8 else 1, dtype)
        out = cv2.resize(image, (w, h)) if dtype == np.uint16 else A.Resize(h, w)(image=image)["image"]
        case("Resize", {}, {"width": w, "height": h}, image, out, 1)
for h, w in ((9, 14), (5, 25)):
    image = noise(15, 18, 3)
    out = np.array(Image.fromarray(image).resize((w, h), Image.BILINEAR))
    case("Resize", {"interpolation": "antialias"}, {"width": w, "height": h}, image, out, 1)

image = noise(15, 18, 3)
out, parts = moved(A.Crop(x_min=4, y_min=3, x_max=4 + 12, y_max=3 + 9), image)
case("RandomCrop", {"height": 9, "width": 12}, {"x": 4, "y": 3}, image, out, 0, **parts)
for h, w in ((8, 13), (9, 10), (21, 11), (20, 27)):
    image = noise(15, 18, 3)
    out = A.CenterCrop(h, w, pad_if_needed=True, fill=60)(image=image)["image"]
    case("CenterCrop", {"height": h, "width": w, "pad_if_needed": True, "fill": 60}, None, image, out, 0)

image = noise(5, 7, 3)
case("Normalize", {}, {}, image, A.Normalize()(image=image)["image"], 0)
out = A.Normalize(mean=0.3, std=0.7)(image=image)["image"]
case("Normalize", {"mean": [0.3], "std": [0.7]}, {}, image, out, 0)
image = noise(5, 7, 3).astype(np.float32) / 255
case("Normalize", {}, {}, image, A.Normalize(max_pixel_value=1.0)(image=image)["image"], 1e-6)
image = noise(5, 7, 3)
case("ToFloat", {}, {}, image, A.ToFloat()(image=image)["image"], 0)

Path(__file__).with_name("golden.json").write_text(
    json.dumps({"albumentations": A.__version__, "opencv": cv2.__version__, "cases": cases}, separators=(",", ":"))
)
