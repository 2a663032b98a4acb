"""The peer's side of each case: answers `open NAME`, `time` and `memory`, a line each, until standard input ends.

Needs torch; MONAI for the losses that only it has. The one argument is the number of threads.
"""
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

LEAST = 0.030  # seconds; shorter runs are repeated within one timing


def conv_bn(ci, co):
    return nn.Sequential(nn.Conv2d(ci, co, 3, padding=1, bias=False), nn.BatchNorm2d(co), nn.ReLU())


class UNet(nn.Module):
    """Twice conv-norm-ReLU a level, max pooling down, nearest upsampling and concatenation up."""

    def __init__(self, channels=(32, 64, 128, 256)):
        super().__init__()
        ins = (3,) + channels[:-1]
        self.down = nn.ModuleList(nn.Sequential(conv_bn(i, o), conv_bn(o, o)) for i, o in zip(ins, channels))
        ups = list(reversed(channels))
        self.up = nn.ModuleList(nn.Sequential(conv_bn(i + o, o), conv_bn(o, o)) for i, o in zip(ups, ups[1:]))
        self.head = nn.Conv2d(channels[0], 1, 1)

    def forward(self, x):
        skips = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for block in self.up:
            x = block(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skips.pop()], 1))
        return self.head(x)


def training(net, x, loss):
    """A step as a user writes it."""
    net.train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss(net(x)).backward()
        optimizer.step()

    return run


def train(name):
    if name == "unet":
        y = (torch.rand(4, 1, 128, 128) > 0.5).float()
        return training(UNet(), torch.randn(4, 3, 128, 128), lambda o: F.binary_cross_entropy_with_logits(o, y))
    if name == "resnet18":
        from torchvision.models import resnet18

        y = torch.randint(0, 10, (8,))
        return training(resnet18(num_classes=10), torch.randn(8, 3, 224, 224), lambda o: F.cross_entropy(o, y))
    if name == "transformer":
        layer = nn.TransformerEncoderLayer(256, 4, 1024, dropout=0.0, norm_first=True, batch_first=True)
        y = torch.randn(8, 128, 256)
        net = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        return training(net, torch.randn(8, 128, 256), lambda o: F.mse_loss(o, y))
    raise KeyError(name)


CONVS = {  # batch, channels in and out, kernel, stride, padding, side
    "3x3": (4, 64, 64, 3, 1, 1, 64),
    "7x7s2": (4, 3, 64, 7, 2, 3, 224),
    "1x1": (8, 256, 64, 1, 1, 0, 28),
    "3x3s2": (8, 64, 128, 3, 2, 1, 56),
    "deep3x3": (8, 512, 512, 3, 1, 1, 7),
}


def conv(name):
    shape, part = name.split("/")
    b, ci, co, k, s, p, side = CONVS[shape]
    x, w = torch.randn(b, ci, side, side), torch.randn(co, ci, k, k)
    g = torch.randn_like(F.conv2d(x, w, None, s, p))
    if part == "forward":
        return lambda: F.conv2d(x, w, None, s, p)
    mask = [part == "dx", part == "dw", False]
    return lambda: torch.ops.aten.convolution_backward(g, x, w, None, [s, s], [p, p], [1, 1], False, [0, 0], 1, mask)


def optim(name):
    tensors, total = 160, 25_000_000
    small = tensors // 2
    large = (total - small * 256) // (tensors - small)
    params = []
    for i in range(tensors):
        p = nn.Parameter(torch.randn(256 if i % 2 else large) * 0.02)
        p.grad = torch.randn_like(p) * 1e-3
        params.append(p)
    kind, how = name.split("/")
    more = {} if how == "default" else {"fused": True}
    if how == "clip_ema":
        adamw = torch.optim.AdamW(params, lr=1e-3, weight_decay=0.01, **more)
        averages = [p.detach().clone() for p in params]
        move = torch.optim.swa_utils.get_ema_multi_avg_fn(0.999)

        def step():
            torch.nn.utils.clip_grad_norm_(params, 1.0)
            adamw.step()
            move(averages, params, 1)

        return step
    if kind == "adamw":
        return torch.optim.AdamW(params, lr=1e-3, weight_decay=0.01, **more).step
    if kind == "adam":
        return torch.optim.Adam(params, lr=1e-3, **more).step
    if kind == "adagrad":
        return torch.optim.Adagrad(params, lr=1e-3, **more).step
    return torch.optim.SGD(params, lr=1e-3, momentum=0.9, weight_decay=1e-4, **more).step


def focal_tversky(x, t, alpha=0.7, gamma=0.75):
    p = torch.sigmoid(x)
    tp, fp, fn = (p * t).sum(), (p * (1 - t)).sum(), ((1 - p) * t).sum()
    return (1 - tp / (tp + alpha * fp + (1 - alpha) * fn)).pow(gamma)


def loss(name):
    if name in ("ce21", "dicece21"):
        x, t = torch.randn(8, 21, 256, 256, requires_grad=True), torch.randint(0, 21, (8, 256, 256))
    else:
        x, t = torch.randn(8, 1, 352, 352, requires_grad=True), (torch.rand(8, 1, 352, 352) > 0.7).float()
    if name in ("dice", "dicebce", "tversky", "dicece21"):
        import monai.losses as ml
    if name == "dicece21":
        dice_ce = ml.DiceCELoss(softmax=True, to_onehot_y=True)
    f = {
        "bce": lambda: F.binary_cross_entropy_with_logits(x, t),
        "dice": lambda d=("dice" == name and ml.DiceLoss(sigmoid=True)): d(x, t),
        "dicebce": lambda d=("dicebce" == name and ml.DiceCELoss(sigmoid=True)): d(x, t),
        "tversky": lambda d=("tversky" == name and ml.TverskyLoss(sigmoid=True, alpha=0.3, beta=0.7)): d(x, t),
        "focal_tversky": lambda: focal_tversky(x, t),
        "ce21": lambda: F.cross_entropy(x, t),
        "dicece21": lambda: dice_ce(x, t.unsqueeze(1)),
    }[name]

    def run():
        x.grad = None
        f().backward()

    return run


def loader(name):
    from loader import loader

    return loader(name)


def start(name):
    from start import start

    return start(name)


def check(name):
    from check import check

    return check(name)


def augment(name):
    from augment import augment

    return augment(name)


def pixel(name):
    from pixel import pixel

    return pixel(name)


KINDS = {"pixel": pixel, "augment": augment, "loader": loader, "start": start, "check": check, "train": train, "conv": conv, "optim": optim, "loss": loss}


def seconds(run, repeats):
    began = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - began) / repeats


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(0)
    run, repeats = None, 1
    for line in sys.stdin:
        word, _, name = line.strip().partition(" ")
        if word == "open":
            kind, _, case = name.partition("/")
            run = KINDS[kind](case)
            run(), run()
            once = seconds(run, 1)
            repeats = max(1, -int(-LEAST // once))
            answer = once * 1e3
        elif word == "time":
            answer = seconds(run, repeats) * 1e3
        else:
            answer = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(answer, flush=True)


if __name__ == "__main__":
    main()
