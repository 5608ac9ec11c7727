"""Compares ox.DataLoader with PyTorch's in samples a second, on files that it makes; asserts nothing.

Both read the same files with the same cores and do the same work; PyTorch's number of workers is the best of 0, 1, 2 and 4, found beforehand, and its workers
stay between epochs. Epochs are timed in turn, A B A B, after one of each that is not counted. JPEGs go through the same decoder (libjpeg-turbo), a resize, a
crop and a normalisation: there by Pillow and PyTorch, as its users have it. The last case holds batches of a mapped file against a plain copy of the same bytes.

Usage: ./bench.sh data [--rounds N] [--json FILE]   a bare FILE goes to bench/results/<cpu>/
"""

import argparse
import datetime
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
WORKERS = (0, 1, 2, 4)


class Shards:
    """Rows of mapped NPY files, for PyTorch."""

    def __init__(self, files):
        self.arrays = [np.load(file, mmap_mode="r") for file in files]
        self.starts = np.cumsum([0, *(len(array) for array in self.arrays)])

    def __len__(self):
        return int(self.starts[-1])

    def __getitem__(self, index):
        import torch

        shard = int(np.searchsorted(self.starts, index, side="right")) - 1
        return torch.from_numpy(np.array(self.arrays[shard][index - self.starts[shard]]))


class Files:
    """NPY files that are a sample each, for PyTorch."""

    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        import torch

        return torch.from_numpy(np.load(self.files[index]))


class Pictures:
    """JPEG files by Pillow, for PyTorch: shorter side 256, the middle 224, normalised, channels first."""

    def __init__(self, files):
        import torch

        self.files = files
        self.mean, self.std = (torch.tensor(v).reshape(3, 1, 1) for v in (MEAN, STD))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        import torch

        pixels = torch.from_numpy(pillow(self.files[index])).permute(2, 0, 1).contiguous()
        return pixels.to(torch.float32).div_(255).sub_(self.mean).div_(self.std)


def pillow(file):
    from PIL import Image

    with Image.open(file) as image:
        image = image.convert("RGB")
        width, height = image.size
        size = (256, int(256 * height / width)) if width <= height else (int(256 * width / height), 256)
        image = image.resize(size, Image.BILINEAR)
        left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
        return np.array(image.crop((left, top, left + 224, top + 224)))


def peer(dataset, workers, batch, shuffle):
    import torch

    return torch.utils.data.DataLoader(dataset, batch_size=batch, shuffle=shuffle, num_workers=workers, persistent_workers=workers > 0)


def epoch(loader, samples):
    """Samples a second of one epoch."""
    began = time.perf_counter()
    for _ in loader:
        pass
    return samples / (time.perf_counter() - began)


def compare(name, ours, dataset, batch, shuffle, rounds):
    samples = len(dataset)
    rates = {}
    for workers in WORKERS:
        loader = peer(dataset, workers, batch, shuffle)
        epoch(loader, samples)
        rates[workers] = epoch(loader, samples)
        del loader
    best = max(rates, key=rates.get)
    theirs = peer(dataset, best, batch, shuffle)
    epoch(theirs, samples), epoch(ours, samples)
    pairs = [(epoch(ours, samples), epoch(theirs, samples)) for _ in range(rounds)]
    del theirs
    ratios = sorted(a / b for a, b in pairs)
    low, high = interval(ratios)
    return {
        "case": name,
        "samples": samples,
        "ours": statistics.median(a for a, _ in pairs),
        "peer": statistics.median(b for _, b in pairs),
        "peer_workers": best,
        "ratio": statistics.median(ratios),
        "low": low,
        "high": high,
    }


def interval(values):
    """A 95 % interval of the median, by order statistics; the extremes where there are too few."""
    n, chance, rank = len(values), 0.0, 0
    combinations = [1]
    for k in range(n):
        combinations.append(combinations[-1] * (n - k) // (k + 1))
    while rank < n // 2 and (chance + combinations[rank]) * 2 / 2**n < 0.05:
        chance += combinations[rank]
        rank += 1
    rank = max(rank - 1, 0)
    return values[rank], values[n - 1 - rank]


def copied(array, rows, threads):
    """Bytes a second of copies of as many rows into memory that is used again."""
    targets = [np.zeros((rows, *array.shape[1:]), array.dtype) for _ in range(2 * threads)]

    def work(part):
        for k, start in enumerate(range(part * rows, len(array) - rows + 1, threads * rows)):
            np.copyto(targets[part + threads * (k % 2)], array[start : start + rows])

    began = time.perf_counter()
    helpers = [threading.Thread(target=work, args=(part,)) for part in range(threads)]
    for helper in helpers:
        helper.start()
    for helper in helpers:
        helper.join()
    return array.nbytes / (time.perf_counter() - began)


def sequential(folder, ox, rounds):
    file = folder / "sequential.npy"
    array = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=(1024, 1 << 18))
    array[:] = np.arange(1 << 18, dtype=np.float32)
    array.flush()
    mapped = np.load(file, mmap_mode="r")
    loader = ox.DataLoader(file, batch_size=16)
    counts = {1, os.cpu_count() or 1}
    for threads in counts:
        copied(mapped, 16, threads)
    epoch(loader, 1), epoch(loader, 1)
    pairs = []
    for _ in range(rounds):
        plain = max(copied(mapped, 16, threads) for threads in counts)
        pairs.append((mapped.nbytes * epoch(loader, 1), plain))
    file.unlink()
    ratios = sorted(a / b for a, b in pairs)
    low, high = interval(ratios)
    return {"ours": statistics.median(a for a, _ in pairs), "copy": statistics.median(b for _, b in pairs), "ratio": statistics.median(ratios), "low": low, "high": high}


def pictures(folder, count):
    """JPEG files of smooth noise, 500 x 375, in two folders."""
    from PIL import Image

    generator = np.random.default_rng(0)
    files = []
    for i in range(count):
        coarse = generator.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        fine = generator.integers(0, 24, (375, 500, 3), dtype=np.uint8)
        pixels = np.clip(np.asarray(Image.fromarray(coarse).resize((500, 375), Image.BICUBIC)).astype(int) + fine - 12, 0, 255)
        files.append(folder / f"{i % 2}" / f"{i:05}.jpg")
        files[-1].parent.mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(files[-1], quality=90)
    return sorted(files)


def levels(files, ox):
    """The largest difference between our points and Pillow's, before they are normalised."""
    loader = ox.DataLoader(ox.data.images(files), batch_size=1, transform=ox.transforms.resize(256, crop=224))
    return max(int(np.abs(batch["image"][0].astype(int) - pillow(file).astype(int)).max()) for batch, file in zip(loader, files, strict=True))


def cpu():
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    name = fields.get("model name", "unknown CPU")
    return f"{name} family {fields['cpu family']} model {fields['model']}" if {"cpu family", "model"} <= set(fields) else name


def main():
    parser = argparse.ArgumentParser(prog="bench.sh data", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json")
    arguments = parser.parse_args()

    import torch
    from PIL import __version__ as pillow_version

    random.seed(0)
    torch.manual_seed(0)
    rounds, rows, found = arguments.rounds, [], {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        makers = {}
        shards, small, jpeg = folder / "shards", folder / "small", folder / "jpeg"
        for sub in (shards, small, jpeg):
            sub.mkdir()
        generator = np.random.default_rng(1)
        for i in range(8):
            np.save(shards / f"{i}.npy", generator.random((2048, 3, 32, 32), np.float32))
        for i in range(6000):
            np.save(small / f"{i:05}.npy", generator.random((3, 32, 32), np.float32))
        images = pictures(jpeg, 320)

        import ai_optix as ox

        makers["npy shards, shuffled"] = (lambda: ox.DataLoader(shards, batch_size=64, shuffle=True), Shards(sorted(shards.iterdir())), 64, True)
        makers["many small npy files, shuffled"] = (lambda: ox.DataLoader(small, batch_size=64, shuffle=True, per="file"), Files(sorted(small.iterdir())), 64, True)
        steps = [ox.transforms.resize(256, crop=224), ox.transforms.normalize(MEAN, STD)]
        makers["JPEG folder, 224 x 224"] = (lambda: ox.DataLoader(ox.data.images(images), batch_size=32, transform=steps), Pictures(images), 32, False)
        for case, (make, dataset, batch, shuffle) in makers.items():
            rows.append(compare(case, make(), dataset, batch, shuffle, rounds))
            print(f"  {case} ...", file=sys.stderr, flush=True)
        found["levels"] = levels(images, ox)
        found["sequential"] = sequential(folder, ox, rounds)

    version = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    least = min(rows, key=lambda row: row["ratio"])
    report = {
        "versions": {"aiOptix": f"{ox.__version__}+{version}", "pyTorch": torch.__version__, "pillow": pillow_version, "python": platform.python_version(), "numpy": np.__version__},
        "machine": {"cpu": cpu(), "cpus": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0]},
        "date": datetime.date.today().isoformat(),
        "rounds": rounds,
        "cases": rows,
        "pillowLevels": found["levels"],
        "sequential": found["sequential"],
    }
    print(f"{cpu()}, {report['machine']['cpus']} CPUs; PyTorch {torch.__version__}, Pillow {pillow_version}; {rounds} rounds")
    print(f"{'case':<34}{'samples/s':>12}{'PyTorch':>12}{'workers':>9}{'ratio':>8}  95 % interval")
    for row in rows:
        print(f"{row['case']:<34}{row['ours']:>12,.0f}{row['peer']:>12,.0f}{row['peer_workers']:>9}{row['ratio']:>8.2f}  {row['low']:.2f} to {row['high']:.2f}")
    s = found["sequential"]
    print(f"{'sequential mapped npy':<34}{s['ours'] / 1e9:>7.2f} GB/s{s['copy'] / 1e9:>7.2f} GB/s{'copy':>9}{s['ratio']:>8.2f}  {s['low']:.2f} to {s['high']:.2f}")
    print(f"JPEG points differ from Pillow's by {found['levels']} levels at most")
    if arguments.json:
        target = Path(arguments.json)
        if target.parent == Path():
            target = ROOT / "bench" / "results" / re.sub("[^a-z0-9]+", "-", cpu().lower()).strip("-") / target
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"least {least['ratio']:.2f} over PyTorch ({least['case']})")


if __name__ == "__main__":
    main()
