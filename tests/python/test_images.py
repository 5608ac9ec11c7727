"""Images of the data loader against Pillow's."""

import numpy as np
import pytest

import ai_optix as ox

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
T = ox.transforms


def pixels(height, width, seed=0):
    """Smooth noise, as photographs are."""
    coarse = np.random.default_rng(seed).integers(0, 256, (max(2, height // 12), max(2, width // 12), 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.BICUBIC))


def load(path, transform=None, **more):
    (batch,) = ox.DataLoader(ox.data.images(path, **more), transform=transform)
    return batch["image"][0]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "grey.jpg", "grey.png", "alpha.png", "palette.png", "fine.jpg", "progressive.jpg"])
def test_decoded(tmp_path, name):
    image = Image.fromarray(pixels(61, 83))
    kind = name.split(".")[0]
    image = {"grey": lambda: image.convert("L"), "palette": lambda: image.quantize(64)}.get(kind, lambda: image)()
    image.save(tmp_path / name, **({"subsampling": 0, "quality": 95} if kind == "fine" else {"progressive": True} if kind == "progressive" else {}))
    with Image.open(tmp_path / name) as expected:
        assert np.abs(load(tmp_path / name).astype(int) - np.asarray(expected.convert("RGB")).astype(int)).max() == 0


@pytest.mark.parametrize("size", [(61, 83), (30, 40), (200, 111), (7, 5), (61, 10), (1, 1)])
def test_resized(tmp_path, size):
    image = Image.fromarray(pixels(61, 83))
    image.save(tmp_path / "a.png")
    expected = np.asarray(image.resize(size[::-1], Image.BILINEAR)).astype(int)
    assert np.abs(load(tmp_path / "a.png", T.resize(size)).astype(int) - expected).max() <= 2


def test_as_torchvision_does(tmp_path):
    image = Image.fromarray(pixels(375, 500))
    image.save(tmp_path / "a.png")
    resized = image.resize((int(256 * 500 / 375), 256), Image.BILINEAR)
    left, top = round((resized.width - 224) / 2), 16
    expected = np.asarray(resized.crop((left, top, left + 224, top + 224))).astype(np.float64) / 255
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = ((expected - mean) / std).transpose(2, 0, 1)
    found = load(tmp_path / "a.png", [T.resize(256, crop=224), T.normalize(mean, std)])
    assert found.shape == (3, 224, 224)
    assert np.abs(found - expected).max() <= 2.01 / 255 / std.min()


def test_channels(tmp_path):
    image = Image.fromarray(pixels(20, 30))
    image.save(tmp_path / "a.png")
    rgb = np.asarray(image)
    assert np.array_equal(load(tmp_path / "a.png", channels="bgr"), rgb[..., ::-1])
    assert np.array_equal(load(tmp_path / "a.png", channels="grey")[..., 0], np.asarray(image.convert("L")))
    assert np.array_equal(load(tmp_path / "a.png", T.channels_first()), rgb.transpose(2, 0, 1))


def test_damaged(tmp_path):
    Image.fromarray(pixels(40, 40)).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ox.SampleError, match=r"a\.jpg"):
        load(tmp_path / "a.jpg")
    Image.new("RGB", (3000, 3000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    with pytest.raises(ox.SampleError, match=r"bomb\.png") as caught:
        list(ox.DataLoader(tmp_path / "bomb.png", limits={"max_tensor_bytes": 1 << 20}))
    assert isinstance(caught.value.__cause__, ox.LimitExceededError)
