"""The peer's side of the augmentation cases: Albumentations on one 640x480 RGB picture with a mask."""
import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import cv2
import numpy as np
import torch

W, H = 640, 480


def picture():
    rng = np.random.default_rng(7)
    y, x, c = np.meshgrid(np.arange(H), np.arange(W), np.arange(3), indexing="ij")
    wave = 120 + 80 * np.sin(x / 40 + c) + 40 * np.cos(y / 25) + rng.integers(0, 16, (H, W, 3))
    mask = ((x[..., 0] // 80 + y[..., 0] // 60) % 2 == 0).astype(np.uint8)
    return wave.astype(np.uint8), mask


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
        "affine": A.Affine(scale=(0.8, 1.2), rotate=(-20, 20), shear=(-8, 8), p=1),
        "perspective": A.Perspective(p=1),
        "elastic": A.ElasticTransform(alpha=60, sigma=12, p=1),
        "grid": A.GridDistortion(p=1),
        "optical": A.OpticalDistortion(p=1),
        "crop": crop,
        "resize": A.Resize(352, 352, p=1),
        "resized_crop": A.RandomResizedCrop((352, 352), p=1),
        "gblur": blur,
        "mblur7": motion,
        "brightcontrast": bright,
        "normalize": normal,
    }
    return [A.HorizontalFlip(p=1), turn, crop, blur, motion, bright, normal] if name == "chain" else [one[name]]


def augment(name):
    cv2.setNumThreads(torch.get_num_threads() if torch.get_num_threads() > 1 else 0)
    both = A.Compose(steps(name))
    image, mask = picture()
    planes = name in ("chain", "normalize")

    def run():
        out = both(image=image, mask=mask)
        if planes:
            np.ascontiguousarray(out["image"].transpose(2, 0, 1))

    return run
