"""The peer's side of the pixel cases: Albumentations on one 640x480 RGB picture with a mask."""
import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import warnings

import albumentations as A
import cv2
import torch
from augment import TORCHVISION, picture, torchvision

SPECIAL = {
    "Blur7": lambda: A.Blur((7, 7), p=1),
    "Defocus7": lambda: A.Defocus((7, 7), p=1),
    "GaussianBlur": lambda: A.GaussianBlur(sigma_limit=(2, 2), p=1),
    "ImageCompression50": lambda: A.ImageCompression(quality_range=(50, 50), p=1),
    "MedianBlur3": lambda: A.MedianBlur((3, 3), p=1),
    "MedianBlur5": lambda: A.MedianBlur((5, 5), p=1),
    "MedianBlur7": lambda: A.MedianBlur((7, 7), p=1),
    "MotionBlur7": lambda: A.MotionBlur((7, 7), p=1),
    "MultiplicativeNoiseEach": lambda: A.MultiplicativeNoise(elementwise=True, per_channel=True, p=1),
    "SharpenGaussian": lambda: A.Sharpen(method="gaussian", p=1),
}


def pixel(name):
    warnings.filterwarnings("ignore")
    if name in TORCHVISION:
        return torchvision(name)
    cv2.setNumThreads(torch.get_num_threads() if torch.get_num_threads() > 1 else 0)
    one = SPECIAL[name]() if name in SPECIAL else getattr(A, name)(p=1)
    both = A.Compose([one])
    image, mask = picture()
    return lambda: both(image=image, mask=mask)
