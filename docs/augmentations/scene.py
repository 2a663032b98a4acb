"""Draws scene.jpg and scene.json, three objects with outlines on a table: the sample of the pictures in ../augmentations.md.

    pip install pillow numpy
    python scene.py
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

W, H, FINE = 320, 240, 4
here = Path(__file__).parent
rng = np.random.default_rng(3)


def ring(cx, cy, rx, ry, n, inner=1.0, turn=0.0):
    t = np.arange(n) * 2 * np.pi / n + turn
    r = np.where(np.arange(n) % 2 == 0, 1.0, inner)
    return np.stack([cx + rx * r * np.cos(t), cy + ry * r * np.sin(t)], 1)


OBJECTS = [
    ("fruit", (214, 84, 49), ring(90, 118, 46, 42, 60)),
    ("leaf", (72, 140, 70), ring(206, 72, 70, 24, 60, turn=0.3) @ np.array([[0.94, 0.2], [-0.2, 0.94]]) + [22, -36]),
    ("star", (233, 190, 60), ring(226, 170, 48, 48, 10, inner=0.45, turn=-np.pi / 2)),
]

# The table: boards with a grain.
y, x = np.mgrid[0:H, 0:W]
grain = np.sin(y / 2.1 + 2.5 * np.sin(x / 47.0) + np.floor(y / 60) * 2.0) * 6 + rng.normal(0, 2.5, (H, W))
board = np.where(y % 60 < 2, -35, 0)
light = 30 * (1 - ((x - 110) ** 2 + (y - 60) ** 2) / 90000)
table = np.array([150, 112, 78])[None, None] + (grain + board + light)[..., None]
picture = Image.fromarray(table.clip(0, 255).astype(np.uint8)).resize((W * FINE, H * FINE), Image.BICUBIC)

for _, colour, outline in OBJECTS:
    shadow = Image.new("L", picture.size, 0)
    ImageDraw.Draw(shadow).polygon([tuple(p) for p in (outline + [5, 7]) * FINE], fill=130)
    picture.paste((40, 26, 18), mask=shadow.filter(ImageFilter.GaussianBlur(4 * FINE)))
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).polygon([tuple(p) for p in outline * FINE], fill=255)
    (cx, cy), reach = outline.mean(0) * FINE, np.ptp(outline, 0).max() * FINE
    yy, xx = np.mgrid[0 : H * FINE, 0 : W * FINE]
    shade = 1.25 - 0.9 * np.hypot(xx - cx + 0.18 * reach, yy - cy + 0.2 * reach) / reach
    body = np.array(colour)[None, None] * shade[..., None]
    picture.paste(Image.fromarray(body.clip(0, 255).astype(np.uint8)), mask=mask)
picture.resize((W, H), Image.LANCZOS).save(here / "scene.jpg", quality=88)

annotations = []
for n, (_, _, outline) in enumerate(OBJECTS):
    (x0, y0), (x1, y1) = outline.min(0), outline.max(0)
    px, py = outline[:, 0], outline[:, 1]
    area = abs(np.dot(px, np.roll(py, -1)) - np.dot(py, np.roll(px, -1))) / 2
    round_ = lambda v: [round(float(a), 2) for a in v]
    annotations.append(
        {
            "id": n + 1,
            "image_id": 1,
            "category_id": n + 1,
            "bbox": round_([x0, y0, x1 - x0, y1 - y0]),
            "segmentation": [round_(outline.ravel())],
            "area": round(float(area), 2),
            "iscrowd": 0,
        }
    )
scene = {
    "images": [{"id": 1, "file_name": "scene.jpg", "width": W, "height": H}],
    "categories": [{"id": n + 1, "name": name} for n, (name, _, _) in enumerate(OBJECTS)],
    "annotations": annotations,
}
(here / "scene.json").write_text(json.dumps(scene, separators=(",", ":")) + "\n")
