"""From the command to its answer: the configuration of `pleach check`'s case as jsonargparse, the parser of Lightning's
command line, holds it against the signatures of torch, torchvision and albumentations."""
import pathlib
import subprocess
import sys
import tempfile

AUGMENT = [
    ("Resize", {"height": 224, "width": 224}),
    ("Rotate", {"limit": 15, "p": 0.3}),
    ("HorizontalFlip", {"p": 0.5}),
    ("VerticalFlip", {"p": 0.1}),
] * 7 + [("Resize", {"height": 224, "width": 224})]

CONFIG = {
    "seed": 7,
    "optimizer": {
        "class_path": "torch.optim.AdamW",
        "init_args": {"lr": 5e-4, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.05},
    },
    "scheduler": {
        "class_path": "torch.optim.lr_scheduler.CosineAnnealingLR",
        "init_args": {"T_max": 300, "eta_min": 1e-6},
    },
    "loss": {"class_path": "torch.nn.CrossEntropyLoss", "init_args": {"label_smoothing": 0.1}},
    "model": {"weights": None, "progress": False},
    "loader": {"batch_size": 64, "num_workers": 8, "drop_last": True},
    "augment": [{"class_path": f"albumentations.{name}", "init_args": given} for name, given in AUGMENT],
}


def check(name):
    import yaml

    file = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
    file.write(yaml.safe_dump(CONFIG))
    file.close()

    def run():
        subprocess.run([sys.executable, __file__, "--config", file.name], check=True)

    return {"200_lines": run}[name]


def main():
    import albumentations
    import torch
    import torchvision
    from jsonargparse import ArgumentParser

    parser = ArgumentParser()
    parser.add_argument("--config", action="config")
    parser.add_argument("--seed", type=int)
    parser.add_subclass_arguments(torch.optim.Optimizer, "optimizer", skip={"params"})
    parser.add_subclass_arguments(torch.optim.lr_scheduler.LRScheduler, "scheduler", skip={"optimizer"})
    parser.add_subclass_arguments(torch.nn.Module, "loss")
    parser.add_function_arguments(torchvision.models.resnet18, "model")
    parser.add_class_arguments(torch.utils.data.DataLoader, "loader", skip={"dataset"})
    parser.add_argument("--augment", type=list[albumentations.BasicTransform])
    parser.parse_args()


if __name__ == "__main__":
    main()
