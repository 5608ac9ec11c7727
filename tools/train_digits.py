"""Trains the embedded digits model and writes everything under demo/digits.

Needs PyTorch 1.13, scikit-learn and NumPy (Debian: python3-torch, python3-sklearn, python3-numpy); no network. On one machine the
script is deterministic: the same seed gives the same files. Of the 1797 images of the data set 997 train the model and 800 are never
seen by training, nor by any choice made during it; those 800 are what is written and what the accuracy speaks of.
"""

import argparse
import hashlib
import json
import pathlib

import numpy as np
import sklearn
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

TEST_IMAGES = 800
EPOCHS = 60
BATCH = 64


class Digits(nn.Module):
    """Image [batch,1,8,8] in 0..1 to logits [batch,10]."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            *conv_bn_relu(1, 16),
            *conv_bn_relu(16, 32),
            nn.MaxPool2d(2),
            *conv_bn_relu(32, 32),
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, image):
        return self.head(self.features(image))


def conv_bn_relu(inputs, outputs):
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


def shifted(images, generator):
    """Every image moved by -1, 0 or 1 pixels along each axis, zeros coming in."""
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    offsets = torch.randint(0, 3, (len(images), 2), generator=generator)
    return torch.stack([p[:, y : y + 8, x : x + 8] for p, (y, x) in zip(padded, offsets.tolist())])


def train(images, labels, seed):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = Digits()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    steps = EPOCHS * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    model.train()
    for _ in range(EPOCHS):
        order = torch.randperm(len(images), generator=generator)
        for part in order[: len(order) // BATCH * BATCH].split(BATCH):
            optimiser.zero_grad()
            loss_of(model(shifted(images[part], generator)), labels[part]).backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def export(model, path):
    """PRESERVE keeps the exporter from folding the batch normalisations into the convolutions."""
    torch.onnx.export(
        model,
        torch.zeros(1, 1, 8, 8),
        str(path),
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        opset_version=13,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
    )


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=pathlib.Path, default=root / "demo" / "digits")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    data = load_digits()
    pixels = data.images.astype(np.uint8)
    train_pixels, test_pixels, train_labels, test_labels = train_test_split(
        pixels, data.target, test_size=TEST_IMAGES, random_state=arguments.seed, stratify=data.target
    )
    as_input = lambda p: torch.from_numpy(p.astype(np.float32) / 16).unsqueeze(1)

    model = train(as_input(train_pixels), torch.from_numpy(train_labels), arguments.seed)
    with torch.no_grad():
        answers = model(as_input(test_pixels)).argmax(1).numpy()
    correct = int((answers == test_labels).sum())

    arguments.out.mkdir(parents=True, exist_ok=True)
    export(model, arguments.out / "model.onnx")
    np.save(arguments.out / "images.npy", test_pixels)
    np.save(arguments.out / "labels.npy", test_labels.astype(np.uint8))
    report = {
        "test_images": len(test_labels),
        "correct": correct,
        "accuracy": correct / len(test_labels),
        "train_images": len(train_labels),
        "seed": arguments.seed,
        "torch": torch.__version__,
        "scikit_learn": sklearn.__version__,
        "numpy": np.__version__,
        "sha256": {
            name: hashlib.sha256((arguments.out / name).read_bytes()).hexdigest()
            for name in ("model.onnx", "images.npy", "labels.npy")
        },
    }
    (arguments.out / "accuracy.json").write_text(json.dumps(report, indent=2) + "\n")
    print(f"{correct} of {len(test_labels)} test images right ({correct / len(test_labels):.2%})")


if __name__ == "__main__":
    main()
