"""From the command to the first step: the quickstart as a user of PyTorch writes it, until it says that a step was taken."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def start(name):
    def run():
        child = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline().strip() == "stepped"
        child.kill()
        child.wait()

    return {"quickstart": run}[name]


def main():
    import gzip

    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    def idx(name, head):
        data = (ROOT / "examples/data/digits" / name).read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        return torch.frombuffer(bytearray(data[head:]), dtype=torch.uint8)

    x = idx("images-idx3-ubyte", 16).reshape(-1, 1, 8, 8).float() / 255
    y = idx("labels-idx1-ubyte", 8).long()
    layers, channels = [], 1
    for out in (32, 64, 128):
        layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        channels = out
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.003, weight_decay=0.01)
    for images, labels in data:
        optimizer.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        optimizer.step()
        print("stepped", flush=True)


if __name__ == "__main__":
    main()
