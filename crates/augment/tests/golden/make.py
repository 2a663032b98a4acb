"""Makes golden.json: what Albumentations and Pillow do to small images.

    pip install albumentations==2.0.8 opencv-python-headless pillow
    python make.py

Images are lists of samples, row by row, channels interleaved. Key points count from the centre of the
first pixel in Albumentations and from its corner here: half a pixel is added.
"""

import json
from functools import partial
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
from PIL import Image

from cases import add

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


case = partial(add, cases, picture)


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

image = noise(15, 18, 3)
out, parts = moved(A.Transpose(p=1), image)
case("Transpose", {}, {}, image, out, 0, **parts)
for factor in range(4):
    image = noise(7, 9, 3)
    case("RandomRotate90", {}, {"factor": factor}, image, np.ascontiguousarray(np.rot90(image, factor)), 0)

for degrees in (30.0, -101.5):
    image = smooth(16, 19, 3)
    out = A.SafeRotate(limit=(degrees, degrees), p=1)(image=image)["image"]
    case("SafeRotate", {}, {"degrees": degrees}, image, out, 1)
image = smooth(16, 22, 3)
out = A.Rotate(limit=(20, 20), crop_border=True, p=1)(image=image)["image"]
case("Rotate", {"crop_border": True}, {"degrees": 20.0}, image, out, 1)
for scale, px, rotate, shear in (((1.2, 0.9), (2, -1), 15.0, (0.0, 0.0)), ((0.8, 0.8), (0, 3), -40.0, (10.0, -5.0))):
    image = smooth(16, 19, 3)
    transform = A.Affine(
        scale={"x": scale[0], "y": scale[1]},
        translate_px={"x": px[0], "y": px[1]},
        rotate=(rotate, rotate),
        shear={"x": shear[0], "y": shear[1]},
        p=1,
    )
    out, parts = moved(transform, image)
    del parts["mask"]
    draw = {"scale": list(scale), "translate": [float(v) for v in px], "rotate": rotate, "shear": list(shear)}
    case("Affine", {}, draw, image, out, 1, **parts)
image = smooth(16, 19, 3)
limits = {"shift_limit_x": (0.1, 0.1), "shift_limit_y": (-0.2, -0.2), "scale_limit": (0.2, 0.2), "rotate_limit": (33, 33)}
out = A.ShiftScaleRotate(**limits, p=1)(image=image)["image"]
draw = {"scale": [1.2, 1.2], "translate": [1.0, -3.0], "rotate": 33.0, "shear": [0.0, 0.0]}
case("ShiftScaleRotate", {}, draw, image, out, 1)

image = smooth(16, 19, 3)
for keep_size in (True, False):
    transform = A.Perspective(keep_size=keep_size, p=1)
    points = [[1.5, 1.0], [17.0, 0.5], [18.0, 14.5], [0.5, 15.0]]
    matrix, width, height = A.augmentations.geometric.functional.compute_perspective_params(
        np.array(points, np.float32), (16, 19)
    )
    out = transform.apply(image, matrix=matrix, max_width=width, max_height=height)
    case("Perspective", {"keep_size": keep_size}, {"points": points}, image, out, 1)

for mode, k in (("camera", 0.3), ("fisheye", -0.2)):
    image = smooth(16, 19, 3)
    out = A.OpticalDistortion(distort_limit=(k, k), mode=mode, p=1)(image=image)["image"]
    case("OpticalDistortion", {"mode": mode}, {"k": k}, image, out, 1)
image = smooth(17, 22, 3)
steps = [[1.2, 0.8, 1.1, 0.9, 1.0, 1.05], [0.9, 1.1, 1.0, 1.2, 0.8, 1.0]]
grid = A.augmentations.geometric.functional.generate_grid(image.shape[:2], steps[0], steps[1], 5)
out = cv2.remap(image, grid[0].astype(np.float32), grid[1].astype(np.float32), cv2.INTER_LINEAR, borderMode=0)
case("GridDistortion", {"normalized": False}, {"x": steps[0], "y": steps[1]}, image, out, 1)

image = noise(15, 18, 3)
out, parts = moved(A.Crop(x_min=2, y_min=1, x_max=16, y_max=12), image)
case("Crop", {"x_min": 2, "y_min": 1, "x_max": 16, "y_max": 12}, None, image, out, 0, **parts)
out, parts = moved(A.PadIfNeeded(min_height=20, min_width=25, fill=(9, 80, 200)), image)
case("PadIfNeeded", {"min_height": 20, "min_width": 25, "fill": [9, 80, 200]}, None, image, out, 0, **parts)
out, parts = moved(A.Pad(padding=(1, 2, 3, 4), border_mode=cv2.BORDER_REFLECT_101), image)
case("Pad", {"padding": [1, 2, 3, 4], "border_mode": "reflect_101"}, None, image, out, 0, **parts)
for mode, flag in (("reflect", cv2.BORDER_REFLECT), ("wrap", cv2.BORDER_WRAP)):
    out = cv2.copyMakeBorder(image, 3, 3, 3, 3, flag)
    case("Pad", {"padding": 3, "border_mode": mode}, None, image, out, 0)
image = smooth(15, 18, 3)
out = A.CropAndPad(px=[2, -3, -1, 4], p=1)(image=image)["image"]
case("CropAndPad", {"px": [2, -3, -1, 4]}, None, image, out, 1)
out = cv2.resize(image[2:13, 3:15], (10, 8))
region = {"x": 3, "y": 2, "width": 12, "height": 11}
case("RandomResizedCrop", {"size": [8, 10]}, region, image, out, 1)
for name, transform in (("LongestMaxSize", A.LongestMaxSize(max_size=11)), ("SmallestMaxSize", A.SmallestMaxSize(max_size=20))):
    out = transform(image=image)["image"]
    case(name, {"max_size": max(transform.max_size, 1)}, None, image, out, 1)
out = A.RandomScale(scale_limit=(0.3, 0.3), p=1)(image=image)["image"]
case("RandomScale", {}, {"width": out.shape[1], "height": out.shape[0]}, image, out, 1)

Path(__file__).with_name("golden.json").write_text(
    json.dumps({"albumentations": A.__version__, "opencv": cv2.__version__, "cases": cases}, separators=(",", ":"))
)
