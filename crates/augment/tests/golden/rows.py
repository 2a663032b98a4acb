"""Makes rows.json: crops around boxes, symmetries, mixing, elastic fields, interpolations and torchvision's own names, by
Albumentations, OpenCV, Pillow and torchvision, for given draws.

    pip install albumentations==2.0.8 opencv-python-headless pillow torch torchvision==0.29.2
    python rows.py

Samples of images are base64 of their bytes, row by row, channels interleaved; floats are little-endian.
"""

import base64
import json
from functools import partial
from pathlib import Path
from unittest import mock

import albumentations as A
import albumentations.augmentations.geometric.functional as geometric
import albumentations.augmentations.mixing.functional as mixing
import cv2
import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from cases import add

rng = np.random.default_rng(11)
cases = []


def smooth(h, w, c=3):
    y, x, k = np.meshgrid(np.arange(h), np.arange(w), np.arange(c), indexing="ij")
    wave = 0.5 + 0.3 * np.sin(0.35 * x + k) + 0.2 * np.cos(0.5 * y - 0.7 * k)
    return (wave * 255).round().astype(np.uint8)


def noise(h, w, c=3):
    return rng.integers(0, 256, (h, w, c)).astype(np.uint8)


def picture(a):
    a = np.ascontiguousarray(a.reshape(a.shape[0], a.shape[1], -1))
    packed = base64.b64encode(a.astype(a.dtype.newbyteorder("<")).tobytes()).decode()
    return {"width": a.shape[1], "height": a.shape[0], "channels": a.shape[2], "type": str(a.dtype), "samples": packed}


case = partial(add, cases, picture)


def tensor(image):
    return tv_tensors.Image(torch.from_numpy(image.transpose(2, 0, 1).copy()))


def array(t):
    return t.numpy().transpose(1, 2, 0)


BOXES = [[2.0, 3.0, 9.0, 8.0], [6.0, 5.0, 17.0, 14.0], [0.0, 10.0, 5.0, 15.0]]


def unit(boxes, h, w):
    """Albumentations' own form: shares of the frame, and a place for the index."""
    return np.array([[a / w, b / h, c / w, d / h, i] for i, (a, b, c, d) in enumerate(boxes)])


def pixels(boxes, h, w):
    """What is left of them in the frame, with their indices."""
    out = []
    for a, b, c, d, i in boxes.tolist():
        a, b, c, d = max(a * w, 0.0), max(b * h, 0.0), min(c * w, float(w)), min(d * h, float(h))
        if c > a and d > b:
            out.append([int(i), a, b, c, d])
    return out


# Symmetries.
image = noise(16, 19)
for member in ("e", "r90", "r180", "r270", "v", "hvt", "h", "t"):
    want = geometric.d4(image, member)
    moved = geometric.bboxes_d4(unit(BOXES, 16, 19), member)
    of = lambda t, q: np.rot90(image.transpose(1, 0, 2) if t else image, q)
    draws = [(t, q) for t in (False, True) for q in range(4)]
    [(transposed, quarters)] = [d for d in draws if of(*d).shape == want.shape and (of(*d) == want).all()]
    draw = {"transposed": transposed, "quarters": quarters}
    case("D4", {}, draw, image, want, boxes=[BOXES, pixels(moved, *want.shape[:2])])

# Crops around boxes.
image = noise(16, 19)
for coords in ((1, 2, 18, 15), (2, 3, 17, 16)):
    draw = {"x": coords[0], "y": coords[1], "width": coords[2] - coords[0], "height": coords[3] - coords[1]}
    safe = A.BBoxSafeRandomCrop()
    want = safe.apply(image, crop_coords=coords)
    moved = safe.apply_to_bboxes(unit(BOXES, 16, 19), crop_coords=coords, shape=image.shape)
    case("BBoxSafeRandomCrop", {}, draw, image, want, boxes=[BOXES, pixels(moved, *want.shape[:2])])
    blurry = smooth(16, 19)
    sized = A.RandomSizedBBoxSafeCrop(height=11, width=23)
    want = sized.apply(blurry, crop_coords=coords)
    moved = sized.apply_to_bboxes(unit(BOXES, 16, 19), crop_coords=coords, shape=image.shape)
    parameters = {"height": 11, "width": 23}
    case("RandomSizedBBoxSafeCrop", parameters, draw, blurry, want, 1, boxes=[BOXES, pixels(moved, 11, 23)])

# torchvision's crops and canvases.
def boxes_of(t):
    return [[i, *row] for i, row in enumerate(t.tolist())]


image = noise(16, 19)
torch_boxes = tv_tensors.BoundingBoxes(torch.tensor(BOXES), format="XYXY", canvas_size=(16, 19))
for left, top, width, height in ((1, 2, 12, 10), (4, 0, 15, 16)):
    x0, y0, x1, y1 = torch_boxes.unbind(-1)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    within = (left < cx) & (cx < left + width) & (top < cy) & (cy < top + height)
    params = {"top": top, "left": left, "height": height, "width": width, "is_within_crop_area": within}
    crop = v2.RandomIoUCrop()
    want, moved = crop.transform(tensor(image), params), crop.transform(torch_boxes, params)
    kept = [row for row in boxes_of(moved) if within[row[0]]]
    draw = {"x": left, "y": top, "width": width, "height": height}
    case("RandomIoUCrop", {}, draw, image, array(want), boxes=[BOXES, kept])
for padding in ([3, 4, 5, 6], [0, 0, 7, 2]):
    out = v2.RandomZoomOut(fill={tv_tensors.Image: [123, 117, 104], "others": 0})
    want, moved = (out.transform(t, {"padding": padding}) for t in (tensor(image), torch_boxes))
    height, width = want.shape[-2:]
    draw = {"x": -padding[0], "y": -padding[1], "width": width, "height": height}
    case("RandomZoomOut", {"fill": [123, 117, 104]}, draw, image, array(want), boxes=[BOXES, boxes_of(moved)])
odd = [[2.0, 3.0, 2.5, 8.0], [1.0, 1.0, 5.0, 4.0], [-1.0, 2.0, 5.0, 6.0], [4.0, 4.0, 19.5, 8.0], [3.0, 3.0, 3.0, 3.0], [0.0, 0.0, 19.0, 16.0]]
for size in (1.0, 5.0):
    given = tv_tensors.BoundingBoxes(torch.tensor(odd), format="XYXY", canvas_size=(16, 19))
    sane, labels = v2.SanitizeBoundingBoxes(min_size=size, labels_getter=lambda inputs: inputs[1])(given, torch.arange(len(odd)))
    kept = [[i, *row] for i, row in zip(labels.tolist(), sane.tolist())]
    case("SanitizeBoundingBoxes", {"min_size": size}, {}, image, image, boxes=[odd, kept])

# Mixing: a batch of two, each mixed with the other.
pair = [noise(12, 14), noise(12, 14)]
batch = tv_tensors.Image(torch.stack([tensor(i) for i in pair]))
labels = torch.tensor([1, 3])
floats = [(i / 255).astype(np.float32) for i in pair]
batch_f = tv_tensors.Image(torch.stack([tv_tensors.Image(torch.from_numpy(i.transpose(2, 0, 1).copy())) for i in floats]))
for lam in (0.3, 0.75):
    mix = v2.MixUp(num_classes=4)
    params = {"lam": lam, "labels": labels, "batch_size": 2}
    shares = mix.transform(labels, params)[0].tolist()
    more = {"partner": picture(floats[1]), "classes": [1, 3], "shares": shares}
    case("MixUp", {}, {"lambda": lam}, floats[0], array(mix.transform(batch_f, params)[0]), 1e-6, **more)
    # torchvision mixes whole numbers by multiplying in place, which drops fractions twice: in floats, and rounded.
    want = np.floor(pair[0] * lam + pair[1] * (1 - lam) + 0.5).astype(np.uint8)
    case("MixUp", {}, {"lambda": lam}, pair[0], want, 1, **(more | {"partner": picture(pair[1])}))
for box in ((2, 3, 9, 11), (0, 0, 5, 12)):
    mix = v2.CutMix(num_classes=4)
    share = 1 - (box[2] - box[0]) * (box[3] - box[1]) / (12 * 14)
    params = {"box": box, "lam_adjusted": share, "labels": labels, "batch_size": 2}
    shares = mix.transform(labels, params)[0].tolist()
    more = {"partner": picture(pair[1]), "classes": [1, 3], "shares": shares}
    case("CutMix", {}, {"window": list(box)}, pair[0], array(mix.transform(batch, params)[0]), **more)
tiles = [noise(10, 12) for _ in range(4)]
for left, top in ((4, 3), (9, 6), (12, 5)):
    mosaic = A.Mosaic(grid_yx=(2, 2), target_size=(10, 12), cell_shape=(10, 12), p=1)
    centre = lambda **_: (left + 6, top + 5)
    areas = [(12 - left if c == 0 else left) * (10 - top if r == 0 else top) for r in (0, 1) for c in (0, 1)]
    own = areas.index(max(areas))
    places = [n for n in range(4) if areas[n] > 0]

    def assign(num_items, cell_placements, py_random):
        rest = iter(range(1, num_items))
        return {place: 0 if n == own else next(rest) for n, place in zip(places, cell_placements)}

    with mock.patch.object(mixing, "calculate_mosaic_center_point", centre), mock.patch.object(
        mixing, "assign_items_to_grid_cells", assign
    ):
        mosaic.py_random = mock.Mock(sample=lambda items, n: items[:n])
        others = [{"image": tile} for tile in tiles[1:]]
        params = mosaic.get_params_dependent_on_data({}, {"image": tiles[0], "mosaic_metadata": others})
        want = mosaic.apply(tiles[0], **params)
    # Cells that are not shown take a partner too, here: those that are, in their order.
    partners, shown = [None] * 4, iter(tiles[1:])
    for n in places:
        if n != own:
            partners[n] = next(shown)
    others = [tiles[0] if p is None else p for n, p in enumerate(partners) if n != own]
    draw = {"own": own, "x": left, "y": top}
    parameters = {"target_size": [10, 12], "cell_shape": [10, 12]}
    case("Mosaic", parameters, draw, tiles[0], want, partners=[picture(p) for p in others])

# Pictures of other shapes than their cells, all of them in cells that are shown.
# Sides are odd: no pixel of a cell lies just between two of its picture.
tiles = [noise(9, 17), noise(13, 11), noise(15, 15), noise(7, 9)]
for fit_mode in ("cover", "contain"):
    mosaic = A.Mosaic(
        grid_yx=(2, 2), target_size=(10, 12), cell_shape=(10, 12), fit_mode=fit_mode, fill=90, p=1, interpolation=cv2.INTER_NEAREST_EXACT
    )
    left, top = 4, 3
    centre = lambda **_: (left + 6, top + 5)

    def assign(num_items, cell_placements, py_random):
        return dict(zip(cell_placements, range(num_items)))

    with mock.patch.object(mixing, "calculate_mosaic_center_point", centre), mock.patch.object(
        mixing, "assign_items_to_grid_cells", assign
    ):
        mosaic.py_random = mock.Mock(sample=lambda items, n: items[:n])
        params = mosaic.get_params_dependent_on_data({}, {"image": tiles[0], "mosaic_metadata": [{"image": t} for t in tiles[1:]]})
        want = mosaic.apply(tiles[0], **params)
    parameters = {"target_size": [10, 12], "cell_shape": [10, 12], "fit_mode": fit_mode, "fill": 90, "interpolation": "nearest"}
    case("Mosaic", parameters, {"own": 0, "x": left, "y": top}, tiles[0], want, partners=[picture(t) for t in tiles[1:]])

# Interpolations.
image = smooth(24, 30)
FLAGS = {"bicubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA, "lanczos4": cv2.INTER_LANCZOS4}
for name, flag in FLAGS.items():
    for height, width in ((9, 13), (12, 15), (40, 47)):
        want = A.Resize(height=height, width=width, interpolation=flag)(image=image)["image"]
        parameters = {"height": height, "width": width, "interpolation": name}
        case("Resize", parameters, {"width": width, "height": height}, image, want, 1)
rough = noise(15, 20)
for name, flag in FLAGS.items():
    want = A.Resize(height=6, width=11, interpolation=flag)(image=rough)["image"]
    case("Resize", {"height": 6, "width": 11, "interpolation": int(flag)}, {"width": 11, "height": 6}, rough, want, 1)
want = A.Resize(height=6, width=11, area_for_downscale="image")(image=rough)["image"]
case("Resize", {"height": 6, "width": 11, "area_for_downscale": "image"}, {"width": 11, "height": 6}, rough, want, 1)
for name in ("bicubic", "lanczos4"):
    want = A.Rotate(limit=(25, 25), interpolation=FLAGS[name], border_mode=cv2.BORDER_REFLECT_101, p=1)(image=image)["image"]
    parameters = {"interpolation": name, "border_mode": int(cv2.BORDER_REFLECT_101)}
    case("Rotate", parameters, {"degrees": 25.0}, image, want, 1)

# Normalisation by the frame itself.
image = noise(9, 11)
for name in ("image", "image_per_channel", "min_max", "min_max_per_channel"):
    want = A.Normalize(normalization=name)(image=image)["image"].astype(np.float32)
    case("Normalize", {"normalization": name}, {}, image, want, 2e-6)

# torchvision's own.
image = smooth(24, 30)
t = tensor(image)
rough = noise(24, 30)
sized = lambda h, w: {"width": w, "height": h}
for size, h, w in ((13, 13, 16), ([10, 17], 10, 17)):
    want = array(v2.Resize(size, antialias=True)(tensor(rough)))
    case("Resize", {"size": size}, sized(h, w), rough, want, 1)
want = array(v2.Resize(20, max_size=22, antialias=True)(tensor(rough)))
case("Resize", {"size": 20, "max_size": 22}, None, rough, want, 1)
case("CenterCrop", {"size": 14}, None, rough, array(v2.CenterCrop(14)(tensor(rough))))
for expand in (False, True):
    want = array(F.rotate(t, 33.0, interpolation=v2.InterpolationMode.BILINEAR, expand=expand, fill=[0.0]))
    parameters = {"degrees": 40, "interpolation": "bilinear", "expand": expand}
    case("RandomRotation", parameters, {"degrees": 33.0}, image, want, 2)
want = array(F.rotate(t, 90.0))
case("RandomRotation", {"degrees": 90}, {"degrees": 90.0}, image, want)
affine = {"angle": 17.0, "translate": [2, -1], "scale": 1.15, "shear": [8.0, -3.0]}
want = array(F.affine(t, **affine, interpolation=v2.InterpolationMode.BILINEAR, fill=[0.0]))
draw = {"scale": [1.15, 1.15], "translate": [2.0, -1.0], "rotate": 17.0, "shear": [8.0, -3.0]}
case("RandomAffine", {"degrees": 20, "interpolation": "bilinear"}, draw, image, want, 2)
start, end = [[0, 0], [29, 0], [29, 23], [0, 23]], [[3, 1], [26, 2], [28, 20], [1, 22]]
want = array(F.perspective(t, start, end, interpolation=v2.InterpolationMode.BILINEAR, fill=[0.0]))
case("RandomPerspective", {}, {"points": [[float(v) for v in p] for p in end]}, image, want, 2)
want = array(F.resized_crop(tensor(rough), 3, 2, 17, 21, [9, 12], antialias=True))
draw = {"x": 2, "y": 3, "width": 21, "height": 17}
case("RandomResizedCrop", {"size": [9, 12], "antialias": True}, draw, rough, want, 1)
case("RandomHorizontalFlip", {}, {}, rough, array(F.horizontal_flip(tensor(rough))))
case("Grayscale", {}, {}, rough, array(v2.Grayscale()(tensor(rough))))
case("Grayscale", {"num_output_channels": 3}, {}, rough, array(v2.Grayscale(3)(tensor(rough))))
case("ToDtype", {"scale": True}, {}, rough, array(v2.ToDtype(torch.float32, scale=True)(tensor(rough))))
case("ToDtype", {}, {}, rough, array(v2.ToDtype(torch.float32)(tensor(rough))))
half = (rough / 255).astype(np.float32)
want = array(v2.ToDtype(torch.uint8, scale=True)(tv_tensors.Image(torch.from_numpy(half.transpose(2, 0, 1).copy()))))
case("ToDtype", {"dtype": "uint8", "scale": True}, {}, half, want)
want = np.array(Image.fromarray(rough).crop((5, 3, 25, 21)).resize((30, 24), Image.BILINEAR))
case("RandomCropResize", {}, {"x": 5, "y": 3, "width": 20, "height": 18}, rough, want, 1)

# Elastic fields of given noise.
elastic = []
for alpha, sigma, approximate in ((30.0, 3.0, False), (50.0, 5.0, True)):
    given = rng.standard_normal((1, 14, 18)).astype(np.float32)
    source = mock.Mock(standard_normal=lambda shape, dtype: given.copy())
    kernel = (17, 17) if approximate else (0, 0)
    dx, _ = geometric.generate_displacement_fields((14, 18), alpha, sigma, True, kernel, source, "gaussian")
    flat = lambda a: [float(f"{x:.8g}") for x in a.ravel()]
    elastic.append(
        {"alpha": alpha, "sigma": sigma, "approximate": approximate, "width": 18, "noise": flat(given), "dx": flat(dx)}
    )
image = smooth(14, 18)
y, x = np.meshgrid(np.arange(14), np.arange(18), indexing="ij")
fields = []
for border, flag in (("constant", cv2.BORDER_CONSTANT), ("reflect_101", cv2.BORDER_REFLECT_101)):
    map_x = (x + 3 * dx.reshape(14, 18)).astype(np.float32)
    map_y = (y - 2 * dx.reshape(14, 18)).astype(np.float32)
    want = cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=flag)
    flat = lambda a: [float(f"{v:.8g}") for v in a.ravel()]
    fields.append({"border": border, "x": flat(map_x), "y": flat(map_y), "image": picture(image), "result": picture(want)})

versions = {"albumentations": A.__version__, "opencv": cv2.__version__, "torchvision": torchvision.__version__}
Path(__file__).with_name("rows.json").write_text(
    json.dumps(versions | {"elastic": elastic, "fields": fields, "cases": cases}, separators=(",", ":"))
)
