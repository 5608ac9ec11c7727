"""Scores a folder of samples in batches, past those that cannot be read.

Usage: python examples/score.py MODEL.onnx
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

import ai_optix as ox

session = ox.Session(sys.argv[1])
image, scores = session.inputs[0], session.outputs[0]

channels, height, width = image.shape[1:]

with tempfile.TemporaryDirectory() as folder:
    for i in range(200):
        pixels = np.random.default_rng(i).integers(0, 256, (height, width, channels), dtype=np.uint8)
        np.save(Path(folder) / f"{i:03}.npy", pixels)
    (Path(folder) / "100.npy").write_bytes(b"damaged")

    steps = ox.transforms.normalize(0.5, 0.25)  # to [channels, height, width]
    loader = ox.DataLoader(folder, per="file", names=image.name, batch_size=32, on_error="skip", transform=steps)
    classes = Counter()
    for batch in loader:
        classes.update(session.run(batch)[scores.name].argmax(axis=1).tolist())
    print(f"{classes.total()} samples scored, {loader.error_count} left out: {loader.errors[0].reason}")
    print(dict(classes.most_common(3)))
