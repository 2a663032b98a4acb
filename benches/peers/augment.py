"""The peer's side of the augmentation cases: Albumentations on one 640x480 RGB picture with a mask, or torchvision where it
alone has the case."""
import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import cv2
import numpy as np
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

W, H = 640, 480


def picture():
    rng = np.random.default_rng(7)
    y, x, c = np.meshgrid(np.arange(H), np.arange(W), np.arange(3), indexing="ij")
    wave = 120 + 80 * np.sin(x / 40 + c) + 40 * np.cos(y / 25) + rng.integers(0, 16, (H, W, 3))
    mask = ((x[..., 0] // 80 + y[..., 0] // 60) % 2 == 0).astype(np.uint8)
    return wave.astype(np.uint8), mask


def boxes():
    return np.array([[50 + 70 * n, 40 + 50 * n, 110 + 70 * n, 80 + 50 * n] for n in range(8)], np.float32)


def resize(height, width, how):
    return A.Resize(height, width, interpolation=how, p=1)


def steps(name):
    turn = A.Rotate(limit=(-45, 45), border_mode=cv2.BORDER_REFLECT_101, p=1)
    crop = A.RandomCrop(352, 352, p=1)
    blur = A.GaussianBlur(blur_limit=(7, 7), sigma_limit=(1.5, 1.5), p=1)
    motion = A.MotionBlur(blur_limit=(7, 7), p=1)
    bright, normal = A.RandomBrightnessContrast(p=1), A.Normalize(p=1)
    one = {
        "hflip": A.HorizontalFlip(p=1),
        "vflip": A.VerticalFlip(p=1),
        "transpose": A.Transpose(p=1),
        "rotate90": A.RandomRotate90(p=1),
        "rotate": turn,
        "rotate_constant": A.Rotate(limit=(-45, 45), p=1),
        "rotate_bicubic": A.Rotate(
            limit=(-45, 45), border_mode=cv2.BORDER_REFLECT_101, interpolation=cv2.INTER_CUBIC, p=1
        ),
        "safe_rotate": A.SafeRotate(p=1),
        "shift_scale_rotate": A.ShiftScaleRotate(p=1),
        "d4": A.D4(p=1),
        "affine": A.Affine(scale=(0.8, 1.2), rotate=(-20, 20), shear=(-8, 8), p=1),
        "perspective": A.Perspective(p=1),
        "elastic": A.ElasticTransform(alpha=60, sigma=12, p=1),
        "grid": A.GridDistortion(p=1),
        "optical": A.OpticalDistortion(p=1),
        "crop": crop,
        "center_crop": A.CenterCrop(352, 352, p=1),
        "crop_and_pad": A.CropAndPad(percent=[-0.1, 0.1], p=1),
        "pad": A.PadIfNeeded(p=1),
        "resize": resize(352, 352, cv2.INTER_LINEAR),
        "halve": resize(240, 320, cv2.INTER_LINEAR),
        "resize_bicubic": resize(352, 352, cv2.INTER_CUBIC),
        "enlarge_bicubic": resize(720, 960, cv2.INTER_CUBIC),
        "resize_area": resize(352, 352, cv2.INTER_AREA),
        "halve_area": resize(240, 320, cv2.INTER_AREA),
        "enlarge_area": resize(720, 960, cv2.INTER_AREA),
        "longest": A.LongestMaxSize(352, p=1),
        "smallest": A.SmallestMaxSize(352, p=1),
        "random_scale": A.RandomScale(p=1),
        "sized_crop": A.RandomSizedCrop((240, 400), (352, 352), p=1),
        "bbox_safe_crop": A.BBoxSafeRandomCrop(p=1),
        "to_float": A.ToFloat(p=1),
        "mosaic": A.Mosaic(p=1),
        "resized_crop": A.RandomResizedCrop((352, 352), p=1),
        "gblur": blur,
        "mblur7": motion,
        "brightcontrast": bright,
        "normalize": normal,
    }
    return [A.HorizontalFlip(p=1), turn, crop, blur, motion, bright, normal] if name == "chain" else [one[name]]


# Those that torchvision alone has.
TORCHVISION = {
    "zoom_out": lambda: v2.RandomZoomOut(p=1),
    "iou_crop": lambda: v2.RandomIoUCrop(),
    "sanitize": lambda: v2.SanitizeBoundingBoxes(),
    "RandomGrayscale": lambda: v2.RandomGrayscale(p=1),
    "RandomPhotometricDistort": lambda: v2.RandomPhotometricDistort(p=1),
}


def torchvision(name):
    image, mask = picture()
    sample = {
        "image": tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1).contiguous()),
        "mask": tv_tensors.Mask(torch.from_numpy(mask)),
        "boxes": tv_tensors.BoundingBoxes(boxes(), format="XYXY", canvas_size=(H, W)),
        "labels": torch.arange(8),
    }
    if name.startswith("Random"):
        sample = {key: sample[key] for key in ("image", "mask")}
    one = TORCHVISION[name]()
    return lambda: one(sample)


def typed(name):
    """The picture in the type that a case's name begins with, its mask, and the rest of the name."""
    image, mask = picture()
    kind, _, rest = name.partition("_")
    made = {
        "gray": lambda: np.ascontiguousarray(image[..., 0]),
        "u16": lambda: image.astype(np.uint16) * 257,
        "f32": lambda: image.astype(np.float32) / 255,
    }
    return (made[kind](), mask, rest) if kind in made else (image, mask, name)


def augment(name):
    if name in TORCHVISION:
        return torchvision(name)
    cv2.setNumThreads(torch.get_num_threads() if torch.get_num_threads() > 1 else 0)
    image, mask, name = typed(name)
    boxed = name == "bbox_safe_crop"
    both = A.Compose(steps(name), bbox_params=A.BboxParams("pascal_voc", label_fields=["labels"]) if boxed else None)
    also = {"bboxes": boxes(), "labels": np.arange(8)} if boxed else {}
    if name == "mosaic":
        also["mosaic_metadata"] = [{"image": image, "mask": mask}] * 3
    planes = name in ("chain", "normalize")

    def run():
        out = both(image=image, mask=mask, **also)
        if planes:
            np.ascontiguousarray(out["image"].transpose(2, 0, 1))

    return run
