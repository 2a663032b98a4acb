"""Writes trajectories.json beside this file: PyTorch's losses over 20 AdamW steps of a U-Net and of torchvision's ResNet-18.

Run as `python trajectories.py` with torch and torchvision installed; `python trajectories.py --stability` prints
instead how far a perturbation of the first weights by 1e-12 carries the losses.

Weights and batches come from a counter-based generator (the finaliser of SplitMix64), so that the Rust test makes the
same numbers to the bit and no weights need to be stored.
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

STEPS = 20
CLASSES = 3
torch.set_num_threads(2)
torch.use_deterministic_algorithms(True)


def uniform(stream, n):
    """n numbers in [-1, 1): number i of a stream is a function of (stream, i) alone."""
    with np.errstate(over="ignore"):
        z = np.arange(n, dtype=np.uint64) + np.uint64(stream << 32)
        z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) / 2.0**52 - 1.0


def set_weights(net, noise=0.0):
    """Weights of rank 2 and more within 1 / sqrt(fan in), scales of norms near 1, shifts and biases near 0."""
    with torch.no_grad():
        for stream, name in enumerate(sorted(name for name, _ in net.named_parameters())):
            p = net.get_parameter(name)
            u = uniform(stream, p.numel())
            if p.ndim > 1:
                u = u / math.sqrt(p.numel() // p.shape[0])
            else:
                u = 0.1 * u + (1.0 if name.endswith("weight") else 0.0)
            u = u + noise * uniform(stream + 5000, p.numel())
            p.copy_(torch.from_numpy(u).reshape(p.shape))


def classification_batch(step):
    """Two batches in turn, of smooth images: each is enlarged from 8 x 8 colours.

    Images of noise alone look alike to the deepest layers; batch norm magnifies what little differs between them, and
    rounding with it.
    """
    n, size = 4, 64
    colours = torch.from_numpy(uniform(1000 + step % 2, n * 3 * 8 * 8)).reshape(n, 3, 8, 8)
    return F.interpolate(colours, size=(size, size), mode="bilinear"), torch.tensor([0, 1, 2, 1])


def segmentation_batch(step):
    """Images of squares of 8 pixels, each of its class's colour under noise."""
    n, h, w = 2, 32, 32
    i, y, x = torch.meshgrid(torch.arange(n), torch.arange(h), torch.arange(w), indexing="ij")
    labels = (step + i + y // 8 + 2 * (x // 8)) % CLASSES
    images = torch.from_numpy(uniform(1000 + step, n * 3 * h * w)).reshape(n, 3, h, w)
    images += 0.5 * F.one_hot(labels, 3).permute(0, 3, 1, 2)
    return images, labels


class Block(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(cout)

    def forward(self, x):
        x = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(x)))


class Decoder(Block):
    def __init__(self, deep, skip):
        super().__init__(2 * skip, skip)
        self.up = nn.ConvTranspose2d(deep, skip, 2, stride=2)

    def forward(self, x, skip):
        x = self.up(x, output_size=skip.shape[-2:])
        return super().forward(torch.cat([skip, x], 1))


class UNet(nn.Module):
    def __init__(self, cin, cout, channels):
        super().__init__()
        self.encoder = nn.ModuleList(Block(a, b) for a, b in zip([cin, *channels[:-1]], channels))
        down = channels[::-1]
        self.decoder = nn.ModuleList(Decoder(a, b) for a, b in zip(down[:-1], down[1:]))
        self.head = nn.Conv2d(channels[0], cout, 1)

    def forward(self, x):
        skips = []
        for i, block in enumerate(self.encoder):
            x = block(x if i == 0 else F.max_pool2d(x, 2))
            skips.append(x)
        skips.pop()
        for block in self.decoder:
            x = block(x, skips.pop())
        return self.head(x)


# The learning rate of the ResNet is low because its trajectory must not be chaotic: with 1e-3, rounding in f32 alone moves
# PyTorch's own losses by a fifth within 20 steps.
RUNS = {
    "ResNet18": (lambda: torchvision.models.resnet18(num_classes=CLASSES), classification_batch, 1e-5),
    "UNet": (lambda: UNet(3, CLASSES, [8, 16, 32]), segmentation_batch, 1e-3),
}


def trajectory(name, dtype, noise=0.0):
    make, batch, lr = RUNS[name]
    net = make().to(dtype).train()
    set_weights(net, noise)
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=1e-2)
    losses = []
    for step in range(STEPS):
        images, labels = batch(step)
        loss = F.cross_entropy(net(images.to(dtype)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def stability():
    for name in RUNS:
        plain = np.array(trajectory(name, torch.float64))
        print(name, "losses", plain)
        for noise in [1e-12, 1e-7]:
            moved = np.array(trajectory(name, torch.float64, noise))
            print(name, f"f64, weights moved by {noise}:", np.max(np.abs(moved / plain - 1)))
        single = np.array(trajectory(name, torch.float32))
        print(name, "f32 against f64:", np.max(np.abs(single / plain - 1)))


if __name__ == "__main__":
    if "--stability" in sys.argv:
        stability()
    else:
        golden = {"torch": torch.__version__.split("+")[0], "torchvision": torchvision.__version__.split("+")[0]}
        for name in RUNS:
            golden[name] = {d: trajectory(name, getattr(torch, d)) for d in ["float64", "float32"]}
        path = pathlib.Path(__file__).with_name("trajectories.json")
        path.write_text(json.dumps(golden, indent=1) + "\n")
