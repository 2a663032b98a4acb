"""Makes names.json: the parameters of Albumentations' and torchvision's augmentations, with their defaults.

    pip install albumentations==2.0.8 torch torchvision==0.29.2
    python names.py
"""

import inspect
import json
from pathlib import Path

import albumentations as A
import torchvision
from torchvision.transforms import v2

ALBUMENTATIONS = """
HorizontalFlip VerticalFlip D4 Transpose RandomRotate90 Rotate SafeRotate Affine ShiftScaleRotate Perspective
ElasticTransform GridDistortion OpticalDistortion RandomCrop CenterCrop Crop RandomResizedCrop RandomSizedCrop CropAndPad Pad
PadIfNeeded Resize LongestMaxSize SmallestMaxSize RandomScale BBoxSafeRandomCrop RandomSizedBBoxSafeCrop
RandomCropFromBorders RandomBrightnessContrast ColorJitter HueSaturationValue RGBShift RandomGamma CLAHE Equalize AutoContrast
Posterize Solarize InvertImg ToGray ToRGB ToSepia ChannelShuffle ChannelDropout GaussianBlur MotionBlur MedianBlur Blur
Defocus GaussNoise ISONoise MultiplicativeNoise Sharpen Emboss UnsharpMask ImageCompression Downscale RandomShadow RandomFog
CoarseDropout GridDropout PixelDropout Erasing Mosaic Compose OneOf SomeOf Sequential RandomOrder Normalize ToFloat
""".split()
TORCHVISION = """
RandomHorizontalFlip RandomVerticalFlip RandomRotation RandomAffine RandomPerspective RandomIoUCrop RandomZoomOut
SanitizeBoundingBoxes RandomPhotometricDistort RandomGrayscale Grayscale RandomAutocontrast RandomEqualize RandomPosterize
RandomSolarize RandomInvert RandomErasing RandomApply RandomChoice RandomOrder ToDtype ToImage MixUp CutMix
RandomResizedCrop CenterCrop Resize GaussianBlur
""".split()


def plain(value):
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def parameters(transform):
    out = []
    for name, p in inspect.signature(transform.__init__).parameters.items():
        if name in ("self", "args", "kwargs"):
            continue
        required = p.default is inspect.Parameter.empty
        out.append({"name": name, "required": required, "default": None if required else plain(p.default)})
    return out


names = {
    "versions": {"albumentations": A.__version__, "torchvision": torchvision.__version__},
    "albumentations": {name: parameters(getattr(A, name)) for name in ALBUMENTATIONS},
    "torchvision": {name: parameters(getattr(v2, name)) for name in TORCHVISION},
}
Path(__file__).with_name("names.json").write_text(json.dumps(names, indent=1) + "\n")
