"""Writes photographs.json: small JPEG and PNG files of many kinds, and what OpenCV makes of their pixels.

Run it beside the file, with numpy, Pillow and opencv-python. Each case has the file in hexadecimal, `bits` (8 or 16), the
size and the samples as OpenCV reads them with IMREAD_ANYDEPTH (RGB, row by row), as stored, and for files with an
orientation in EXIF also `turned`, as `imread` turns them by default.
"""
import io
import json
import pathlib
import struct

import cv2
import numpy as np
import PIL
from PIL import Image

# Smooth, so that decoders which upsample chroma in other ways agree, and without any symmetry.
Y, X = np.mgrid[0:24, 0:40].astype(np.float64)
RGB = np.stack([40 + 5 * X, 30 + 8 * Y, 200 - 2 * X - 3 * Y], -1).clip(0, 255).astype(np.uint8)


def exif(orientation):
    tiff = b"MM\0\x2a" + struct.pack(">IH", 8, 1) + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + struct.pack(">I", 0)
    return b"Exif\0\0" + tiff


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92, **options)
    return out.getvalue()


def png(array):
    return cv2.imencode(".png", array[..., ::-1] if array.ndim == 3 else array)[1].tobytes()


def seen(data, more):
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | more
    return np.ascontiguousarray(cv2.imdecode(np.frombuffer(data, np.uint8), flags)[..., ::-1])


def case(name, data):
    stored = seen(data, cv2.IMREAD_IGNORE_ORIENTATION)
    turned = seen(data, 0)
    out = {
        "name": name,
        "file": data.hex(),
        "bits": stored.dtype.itemsize * 8,
        "size": [stored.shape[1], stored.shape[0]],
        "stored": stored.ravel().tolist(),
    }
    if turned.shape != stored.shape or (turned != stored).any():
        out["turned"] = turned.ravel().tolist()
        out["turned_size"] = [turned.shape[1], turned.shape[0]]
    return out


rgb = Image.fromarray(RGB)
small = Image.fromarray(RGB[:16, :24])
wide = RGB.astype(np.uint16) * 257 + 13
cases = [
    case("4:2:0", jpeg(rgb, subsampling=2)),
    case("4:2:2", jpeg(rgb, subsampling=1)),
    case("4:4:4", jpeg(rgb, subsampling=0)),
    case("progressive", jpeg(rgb, progressive=True)),
    case("restart markers", jpeg(rgb, restart_marker_blocks=1)),
    case("gray", jpeg(rgb.convert("L"))),
    case("CMYK", jpeg(rgb.convert("CMYK"))),
    case("16-bit PNG", png(wide)),
    case("16-bit gray PNG", png(wide[..., 0])),
    *(case(f"orientation {n}", jpeg(small, exif=exif(n), subsampling=0)) for n in range(1, 9)),
]
reference = {"opencv": cv2.__version__, "pillow": PIL.__version__}
here = pathlib.Path(__file__).with_suffix(".json")
here.write_text(json.dumps({"reference": reference, "cases": cases}, separators=(",", ":")))
