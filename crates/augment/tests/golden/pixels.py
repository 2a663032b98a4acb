"""Makes pixels.json: what Albumentations 2.0.8 and torchvision's v2 functions do to the pixels of small images
for given draws.

    pip install albumentations==2.0.8 opencv-python-headless torchvision
    python pixels.py

Samples are base64, row by row, channels interleaved: bytes, or little-endian 32-bit floats. `tolerance` is in levels of
8 bits, and a hundred-thousandth of it in floats unless the case says `float_tolerance`.
"""

import base64
import json
import random
import warnings
from pathlib import Path

import albumentations as A
import albumentations.augmentations.blur.functional as fblur
import albumentations.augmentations.dropout.functional as fdropout
import albumentations.augmentations.pixel.functional as fpixel
import cv2
import numpy as np
import torch
import torchvision
import torchvision.transforms.v2.functional as F

warnings.filterwarnings("ignore")
rng = np.random.default_rng(11)


def scene(h, w, c):
    """Slopes, an edge, a dark and a bright part, and noise."""
    y, x, k = np.meshgrid(np.arange(h), np.arange(w), np.arange(c), indexing="ij")
    wave = 130 + 90 * np.sin(0.23 * x + 1.3 * k) * np.cos(0.31 * y - 0.7 * k) + 60 * (x + 2 * y > w)
    wave[: h // 4, : w // 3] *= 0.3
    wave[-3:, -9:] = 255
    wave[2:5, 4:9] = 7
    return (wave + rng.normal(0, 12, (h, w, c))).clip(0, 255).astype(np.uint8)


IMAGES = {
    "rgb": scene(21, 26, 3),
    "gray": scene(21, 26, 1),
    "five": scene(10, 13, 5),
    "rgba": scene(10, 13, 4),
    "pixel": scene(1, 1, 3),
    "thin": scene(1, 9, 3),
}
IMAGES["floats"] = (scene(8, 11, 3) / np.float32(255)).astype(np.float32)
IMAGES["gray_floats"] = (scene(8, 11, 1) / np.float32(255)).astype(np.float32)
cases = []


def packed(a):
    return base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()


def case(plugin, parameters, draw, image, result, tolerance=0, **more):
    source = IMAGES[image]
    result = np.asarray(result)
    result = result.reshape(source.shape[0], source.shape[1], -1)
    assert result.dtype == source.dtype, (plugin, result.dtype)
    item = {"plugin": plugin, "parameters": parameters, "draw": draw, "image": image}
    item |= {"channels": result.shape[2], "result": packed(result), "tolerance": tolerance} | more
    cases.append(item)


def on(images, plugin, parameters, draw, f, tolerance=0, **more):
    for image in images.split():
        case(plugin, parameters, draw, image, f(IMAGES[image].copy()), tolerance, **more)


def apply(transform, **params):
    return lambda img: transform.apply(img, **params)


ALL = "rgb gray five pixel floats"
RGB_GRAY = "rgb gray pixel floats"

# Tables.
for alpha, beta, images in [(1.17, 0.13, ALL), (0.8, -0.2, "rgb thin"), (1.0, 0.0, "rgb")]:
    f = lambda img: apply(A.RandomBrightnessContrast(), alpha=alpha, beta=beta * (255 if img.dtype == np.uint8 else 1.0))(img)
    on(images, "RandomBrightnessContrast", {}, {"alpha": alpha, "beta": beta}, f)
f = lambda img: apply(A.RandomBrightnessContrast(), alpha=1.1, beta=-0.15 * np.mean(img))(img)
on("rgb floats", "RandomBrightnessContrast", {"brightness_by_max": False}, {"alpha": 1.1, "beta": -0.15}, f)


def safe(img):
    alpha, beta = fpixel.get_safe_brightness_contrast_params(1.2, 0.1 * 255, 255)
    return apply(A.RandomBrightnessContrast(), alpha=alpha, beta=beta)(img)


on("rgb", "RandomBrightnessContrast", {"ensure_safe_range": True}, {"alpha": 1.2, "beta": 0.1}, safe)
for gamma in [0.8, 1.0, 1.2]:
    on(ALL if gamma == 0.8 else "rgb", "RandomGamma", {}, {"gamma": gamma}, apply(A.RandomGamma(), gamma=gamma))
for t in [0.5, 0.3]:
    on(ALL if t == 0.5 else "rgb", "Solarize", {}, {"threshold": t}, apply(A.Solarize(), threshold=t))
on(ALL, "InvertImg", {}, {}, apply(A.InvertImg()))
on("rgb gray floats", "Posterize", {}, {"bits": [4]}, apply(A.Posterize(), num_bits=4))
on("rgb", "Posterize", {"num_bits": [1, [2, 3], 7]}, {"bits": [1, 3, 7]}, apply(A.Posterize(), num_bits=[1, 3, 7]))
shift = np.array([-17.6, 8.2, 14.9]) / 255
add = lambda img: fpixel.add_noise(img, shift * (255 if img.dtype == np.uint8 else 1.0))
on("rgb floats", "RGBShift", {}, {"shift": shift.tolist()}, add)
on("gray", "RGBShift", {}, {"shift": [-17.6 / 255]}, lambda img: fpixel.add_noise(img, np.array([-17.6])))
on("rgb five", "MultiplicativeNoise", {}, {"factors": [1.07], "seed": 0}, lambda img: fpixel.multiply(img, np.full(img.shape[2], 1.07, np.float32)))
on("rgb floats", "MultiplicativeNoise", {"per_channel": True}, {"factors": [0.9, 1.0, 1.1], "seed": 0}, lambda img: fpixel.multiply(img, np.float32([0.9, 1.0, 1.1])))

# Counts.
for mode in ["cv", "pil"]:
    on("rgb gray floats", "Equalize", {"mode": mode}, {}, lambda img: apply(A.Equalize(mode=mode), mask=None)(img))
on("rgb", "Equalize", {"by_channels": False}, {}, apply(A.Equalize(by_channels=False), mask=None))
on("rgb gray five pixel floats", "AutoContrast", {}, {}, apply(A.AutoContrast()))
on("rgb", "AutoContrast", {"method": "pil"}, {}, apply(A.AutoContrast(method="pil")))
on("rgb", "AutoContrast", {"cutoff": 4.0}, {}, apply(A.AutoContrast(cutoff=4.0)))
on("rgb", "AutoContrast", {"cutoff": 3.0, "method": "pil", "ignore": 120}, {}, apply(A.AutoContrast(cutoff=3.0, method="pil", ignore=120)))
for clip in [2.5, 40.0]:
    on(RGB_GRAY if clip == 2.5 else "rgb", "CLAHE", {}, {"clip_limit": clip}, apply(A.CLAHE(), clip_limit=clip), 1, float_tolerance=1.01 / 255)
on("rgb", "CLAHE", {"tile_grid_size": [3, 5]}, {"clip_limit": 3.0}, apply(A.CLAHE(tile_grid_size=(3, 5)), clip_limit=3.0), 1)

# Channels and colours.
on("rgb floats", "ChannelShuffle", {}, {"order": [2, 0, 1]}, apply(A.ChannelShuffle(), channels_shuffled=[2, 0, 1]))
on("five", "ChannelShuffle", {}, {"order": [4, 1, 0, 3, 2]}, apply(A.ChannelShuffle(), channels_shuffled=[4, 1, 0, 3, 2]))
on("rgb five", "ChannelDropout", {"fill": 9.0}, {"channels": [1]}, apply(A.ChannelDropout(fill=9), channels_to_drop=[1]))
for method in ["weighted_average", "from_lab", "desaturation", "average", "max"]:
    images = "rgb floats" if method != "from_lab" else "rgb"
    if method in ("desaturation", "average", "max"):
        images += " five"
    for image in images.split():
        case("ToGray", {"method": method}, {}, image, A.ToGray(method=method).apply(IMAGES[image].copy()))
case("ToGray", {"num_output_channels": 1}, {}, "rgb", A.ToGray(num_output_channels=1).apply(IMAGES["rgb"].copy()))
case("ToGray", {}, {}, "gray", IMAGES["gray"])
for h, s, v in [(13.4, -20.2, 11.7), (-9.0, 25.5, -14.3), (0.0, 0.0, 6.0)]:
    on("rgb pixel floats", "HueSaturationValue", {}, {"hue": h, "saturation": s, "value": v}, apply(A.HueSaturationValue(), hue_shift=h, sat_shift=s, val_shift=v), 1, float_tolerance=1.01 / 255)
on("gray", "HueSaturationValue", {}, {"hue": 5.0, "saturation": 5.0, "value": -14.3}, apply(A.HueSaturationValue(), hue_shift=5.0, sat_shift=5.0, val_shift=-14.3))
for order, tolerance in [([0, 1, 2, 3], 1), ([3, 2, 1, 0], 2), ([1, 3, 0, 2], 2)]:
    draw = {"brightness": 1.13, "contrast": 0.86, "saturation": 1.19, "hue": -0.21}
    on("rgb gray floats", "ColorJitter", {}, draw | {"order": order}, apply(A.ColorJitter(), **draw, order=order), tolerance, float_tolerance=3e-5)
one = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0, "order": [0, 1, 2, 3]}
for key, value in [("brightness", 0.0), ("contrast", 0.0), ("contrast", 1.7), ("saturation", 0.0), ("saturation", 0.4), ("hue", 0.3)]:
    on("rgb pixel", "ColorJitter", {}, one | {key: value}, apply(A.ColorJitter(), **(one | {key: value})), 1)
on("rgb gray", "ToSepia", {}, {}, apply(A.ToSepia()), 1)
on("floats", "ToSepia", {}, {}, apply(A.ToSepia()))
case("ToRGB", {}, {}, "gray", A.ToRGB().apply(IMAGES["gray"].copy()))

# Blurs.
for size in [3, 5, 15, 17]:
    on("rgb gray five thin floats" if size == 5 else "rgb", "Blur", {}, {"size": size}, apply(A.Blur(), kernel=size))
for sigma, size in [(0.5, 0), (1.3, 0), (3.0, 0), (2.0, 6), (1.0, 3)]:
    kernel = fblur.create_gaussian_kernel_1d(sigma, size)
    images = "rgb gray five thin floats" if sigma == 1.3 else "rgb"
    on(images, "GaussianBlur", {}, {"sigma": sigma, "size": size}, apply(A.GaussianBlur(), kernel=kernel), 1)


class Shifts(random.Random):
    """Gives the shifts of a motion blur's line."""

    def __init__(self, *values):
        self.values = list(values)

    def uniform(self, a, b):
        return self.values.pop(0)


for size, angle, direction, sx, sy in [(7, 33.0, 0.0, 0.0, 0.0), (5, 190.0, -0.7, 0.4, -0.9), (3, 90.0, 0.5, 0.0, 0.0), (15, 281.0, 0.9, -0.8, 0.3)]:
    kernel = fblur.create_motion_kernel(size, angle, direction, True, Shifts(sx, sy))
    kernel = kernel.astype(np.float32) / np.sum(kernel)
    images = "rgb five thin floats" if size == 7 else "rgb"
    draw = {"size": size, "angle": angle, "direction": direction, "shift": [sx / 2, sy / 2]}
    on(images, "MotionBlur", {}, draw, apply(A.MotionBlur(), kernel=kernel), 1)
for size in [3, 5, 7, 9]:
    images = "rgb gray rgba thin pixel floats" if size in (3, 7) else "rgb"
    on(images, "MedianBlur", {}, {"size": size}, apply(A.MedianBlur(), kernel=size))
for radius, alias in [(3, 0.3), (7, 0.5), (8, 0.4), (10, 0.2), (1, 0.0)]:
    on("rgb gray floats" if radius == 3 else "rgb", "Defocus", {}, {"radius": radius, "alias_blur": alias}, apply(A.Defocus(), radius=radius, alias_blur=alias), 2 if radius >= 8 else 1, float_tolerance=1e-4)
for alpha, lightness in [(0.3, 0.8), (0.5, 0.5)]:
    matrix = A.Sharpen._Sharpen__generate_sharpening_matrix(alpha, lightness)
    on("rgb gray five thin floats" if alpha == 0.3 else "rgb", "Sharpen", {}, {"alpha": alpha, "lightness": lightness}, apply(A.Sharpen(), alpha=alpha, sharpening_matrix=matrix), 1)
# In 8 bits the difference wraps around there, which is not followed.
on("floats", "Sharpen", {"method": "gaussian"}, {"alpha": 0.4, "lightness": 0.5}, apply(A.Sharpen(method="gaussian"), alpha=0.4, sharpening_matrix=None), 1)
on("floats", "Sharpen", {"method": "gaussian", "kernel_size": 7, "sigma": 2.0}, {"alpha": 0.4, "lightness": 0.5}, apply(A.Sharpen(method="gaussian", kernel_size=7, sigma=2.0), alpha=0.4, sharpening_matrix=None), 1)
matrix = A.Emboss._Emboss__generate_emboss_matrix(0.4, 0.6)
on("rgb gray floats", "Emboss", {}, {"alpha": 0.4, "strength": 0.6}, apply(A.Emboss(), emboss_matrix=matrix), 1)
for size, sigma, alpha, threshold in [(5, 0.0, 0.4, 10), (7, 1.5, 0.5, 3), (3, 0.0, 0.2, 0)]:
    on("rgb gray floats" if size == 5 else "rgb", "UnsharpMask", {"threshold": threshold}, {"size": size, "sigma": sigma, "alpha": alpha}, apply(A.UnsharpMask(threshold=threshold), ksize=size, sigma=sigma, alpha=alpha), 1, float_tolerance=2e-5)

# Qualities and weather.
for quality in [1, 30, 50, 95, 100]:
    on("rgb gray five" if quality == 30 else "rgb", "ImageCompression", {}, {"quality": quality}, lambda img: fpixel.image_compression(img, quality, ".jpg"), 1)
NAMES = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA, "cubic": cv2.INTER_CUBIC, "lanczos4": cv2.INTER_LANCZOS4}
for scale, down, up in [(0.25, "nearest", "nearest"), (0.37, "nearest", "nearest"), (0.5, "area", "linear"), (0.6, "linear", "cubic"), (0.3, "area", "nearest"), (0.7, "cubic", "lanczos4")]:
    f = lambda img: apply(A.Downscale(interpolation_pair={"downscale": NAMES[down], "upscale": NAMES[up]}), scale=scale)(img)
    on("rgb gray floats" if scale == 0.25 else "rgb", "Downscale", {"interpolation_pair": {"downscale": down, "upscale": up}}, {"scale": scale}, f, 1)
polygons = [[[3, 11], [22, 10], [9, 20], [25, 18], [14, 13]], [[0, 12], [25, 20], [5, 19]]]
shadow = apply(A.RandomShadow(), vertices_list=[np.array(p) for p in polygons], intensities=np.array([0.5, 0.3]))
on("rgb gray", "RandomShadow", {}, {"polygons": polygons, "intensities": [0.5, 0.3]}, shadow)
particles = [[10, 12, 3], [22, 14, 1], [12, 14, 3], [0, 0, 2], [25, 20, 3], [14, 10, 6]]
fog = apply(A.RandomFog(), particle_positions=[tuple(p[:2]) for p in particles], radiuses=[p[2] for p in particles], intensity=0.8)
on("rgb", "RandomFog", {}, {"particles": particles, "intensity": 0.8}, fog, 1)

# Holes.
holes = [[3, 4, 9, 12], [16, 0, 26, 7], [8, 10, 10, 20]]
cut = lambda fill: lambda img: fdropout.cutout(img, np.array(holes), fill, None)
on("rgb gray", "CoarseDropout", {}, {"holes": holes, "seed": 0}, cut(0))
on("rgb", "CoarseDropout", {"fill": 77.0}, {"holes": holes, "seed": 0}, cut(77))
on("rgb", "CoarseDropout", {"fill": [1.0, 2.0, 200.0]}, {"holes": holes, "seed": 0}, cut((1, 2, 200)))


# torchvision.
def torchly(f):
    def run(img):
        out = f(torch.from_numpy(img.transpose(2, 0, 1).copy()))
        return out.numpy().transpose(1, 2, 0)

    return run


on("rgb floats", "RandomGrayscale", {}, {}, torchly(lambda t: F.rgb_to_grayscale(t, 3)), 1)
on("rgb", "RandomSolarize", {"threshold": 100.0}, {"threshold": 100.0}, torchly(lambda t: F.solarize(t, 100)))
on("rgb", "RandomPosterize", {"bits": 3}, {"bits": [3]}, torchly(lambda t: F.posterize(t, 3)))
on("rgb gray", "RandomEqualize", {}, {}, torchly(F.equalize))
on("rgb gray floats", "RandomAutocontrast", {}, {}, torchly(F.autocontrast), 0)
on("rgb five floats", "RandomInvert", {}, {}, torchly(F.invert))
none = {"brightness": None, "contrast": None, "saturation": None, "hue": None, "contrast_before": True, "order": None}
parts = {"brightness": (1.1, F.adjust_brightness), "contrast": (0.7, F.adjust_contrast), "saturation": (1.4, F.adjust_saturation), "hue": (-0.04, F.adjust_hue)}
for key, (value, f) in parts.items():
    on("rgb gray floats", "RandomPhotometricDistort", {}, none | {key: value}, torchly(lambda t: f(t, value)), 1)


def distort(t):
    t = F.adjust_hue(F.adjust_saturation(F.adjust_brightness(t, 1.1), 1.4), -0.04)
    return F.permute_channels(F.adjust_contrast(t, 0.7), [1, 2, 0])


draw = {key: value for key, (value, _) in parts.items()} | {"contrast_before": False, "order": [1, 2, 0]}
on("rgb floats", "RandomPhotometricDistort", {}, draw, torchly(distort), 2)

images = {
    name: {"height": a.shape[0], "width": a.shape[1], "channels": a.shape[2], "type": str(a.dtype), "samples": packed(a)}
    for name, a in IMAGES.items()
}
reference = {"albumentations": A.__version__, "opencv": cv2.__version__, "torchvision": torchvision.__version__}
text = ",\n".join(json.dumps(c) for c in cases)
body = f'{{"reference": {json.dumps(reference)},\n"images": {json.dumps(images)},\n"cases": [\n{text}\n]}}\n'
Path(__file__).with_suffix(".json").write_text(body)
print(len(cases), "cases", len(body), "bytes")
