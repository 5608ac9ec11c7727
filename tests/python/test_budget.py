"""Quantised forms within a budget. Whether they are faster is the machine's to say; what is said of them must be consistent."""

import json

import numpy as np
import onnx_proto as onnx
import pytest

import ai_optix as ox

RNG = np.random.default_rng(0)
X = RNG.standard_normal((800, 1, 8, 8)).astype(np.float32)


def quick(**options):
    return ox.Optimizer(threads=1, seconds=0.02, pass_seconds=0, **options)


@pytest.fixture(scope="module")
def model():
    """A classifier of 8 x 8 images with ten classes."""
    nodes = [
        onnx.node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3]),
        onnx.node("Relu", ["c"], ["r"]),
        onnx.node("Flatten", ["r"], ["f"]),
        onnx.node("MatMul", ["f", "k"], ["y"]),
    ]
    weights = {"w": RNG.standard_normal((4, 1, 3, 3)).astype(np.float32), "k": RNG.standard_normal((144, 10)).astype(np.float32)}
    return ox.load(onnx.model(nodes, {"x": ("float32", ["N", 1, 8, 8])}, {"y": ("float32", ["N", 10])}, weights))


@pytest.fixture(scope="module")
def labels(model):
    return ox.Session(model, threads=1).run(X)["y"].argmax(axis=1)


def test_a_search(model, labels, tmp_path):
    told = []
    result = quick(max_accuracy_drop=0.1).optimize(model, X, labels, progress=lambda stage, done: told.append(stage))
    search = result.search
    assert (search.calibration, search.search, search.held_back) == (100, 100, 600)
    assert any(c.name.startswith("static int8") and c.noise > 0 for c in search.candidates)
    assert any(stage.startswith("comparing static int8") for stage in told)
    assert search.summary in str(result)
    if search.chosen is not None:
        assert search.proof.holds
        assert search.candidates[search.chosen].speed.low >= 1.02
        forms = {"static": "QuantizeLinear", "dynamic": "DynamicQuantizeLinear", "int8": "DequantizeLinear", "int4": "DequantizeLinear"}
        assert forms[search.candidates[search.chosen].name.split()[0]] in result.model.operators
    result.model.save(tmp_path / "fast.onnx")
    found = ox.Session(tmp_path / "fast.onnx", threads=1).run(X)["y"].argmax(axis=1)
    assert (found == labels).mean() >= 0.9
    result.save_report(tmp_path / "report.html")
    assert search.summary in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ["rows", "dicts", "pairs", "key", "list of labels", "batches"])
def test_forms_of_data(model, labels, form):
    n = 120
    rows = [X[i : i + 1] for i in range(n)]
    data, given = {
        "rows": (X[:n], labels[:n]),
        "dicts": ([{"x": row} for row in rows], labels[:n]),
        "pairs": (((row, label) for row, label in zip(rows, labels)), None),
        "key": (({"x": row, "label": label} for row, label in zip(rows, labels)), "label"),
        "list of labels": (rows, labels[:n].tolist()),
        "batches": ([X[i : i + 10] for i in range(0, n, 10)], labels[:n]),
    }[form]
    result = quick(max_accuracy_drop=0.2).optimize(model, data, given)
    assert result.search.proof is None or result.search.proof.units == 90
    assert result.search.held_back == (9 if form == "batches" else 90)


def test_a_data_loader(model, labels):
    loader = ox.DataLoader({"x": X[:200], "label": labels[:200]}, batch_size=10)
    search = quick(max_accuracy_drop=0.2).optimize(model, loader, "label").search
    assert search.held_back == 15
    assert search.proof is None or search.proof.units == 150


def test_a_file(model, labels, tmp_path):
    np.savez(tmp_path / "samples.npz", x=X[:200])
    np.save(tmp_path / "samples.npy", X[:200])
    for name in ("samples.npz", "samples.npy"):
        assert quick(max_accuracy_drop=0.2).optimize(model, tmp_path / name, labels[:200], batch=2).search.held_back == 75


def test_a_function_scores(model, labels):
    asked = []

    def score(outputs, label):
        asked.append(label)
        assert isinstance(outputs["y"], np.ndarray)
        return float(outputs["y"].argmax() == label)

    result = quick(max_accuracy_drop=0.2, metric=score).optimize(model, X[:200], labels[:200])
    assert len(asked) >= 150
    assert result.search.proof is None or result.search.proof.metric == "a function"


def test_a_function_may_score_rows_and_need_no_labels(model):
    result = quick(max_accuracy_drop=0.2, metric=lambda outputs: outputs["y"].max(axis=1)).optimize(model, X[:200], batch=5)
    assert result.search.held_back == 30


def test_what_a_function_raises_ends_the_search(model, labels):
    def score(outputs, label):
        raise ZeroDivisionError(label)

    with pytest.raises(ZeroDivisionError):
        quick(max_accuracy_drop=0.2, metric=score).optimize(model, X[:200], labels[:200])
    with pytest.raises(ox.InvalidInputError, match="no number"):
        quick(max_accuracy_drop=0.2, metric=lambda outputs: []).optimize(model, X[:200])


def test_an_error_budget_draws_its_samples(model):
    result = quick(max_error=0.1).optimize(model)
    assert result.search.held_back == 60
    assert result.search.proof is None or result.search.proof.is_error


def test_too_little_data(model, labels):
    with pytest.raises(ox.NotEnoughDataError, match="598 held-back"):
        quick(max_accuracy_drop=0.005).optimize(model, X[:100], labels[:100])
    assert quick(max_accuracy_drop=0.005, allow_little_data=True).optimize(model, X[:100], labels[:100]).search is not None


def test_a_recipe_and_a_state(model, labels, tmp_path):
    result = quick(max_accuracy_drop=0.1, objective="size").optimize(model, X, labels, state=tmp_path / "state.json")
    assert result.search.chosen is not None
    assert not (tmp_path / "state.json").exists()
    again = quick(max_accuracy_drop=0.1, objective="size").optimize(model, X, labels, recipe=json.loads(json.dumps(result.recipe)))
    assert again.search.chosen == 0
    # A replay proves the recipe's form alone.
    attempts, proven = again.recipe.pop("attempts"), result.recipe.pop("attempts")
    assert [a["name"] for a in attempts] == [proven[-1]["name"]]
    assert again.recipe == result.recipe
    assert np.array_equal(ox.Session(again.model, threads=1).run(X[:9])["y"], ox.Session(result.model, threads=1).run(X[:9])["y"])


@pytest.mark.parametrize(
    ("options", "arguments", "error", "text"),
    [
        ({"metric": "top1"}, {}, ValueError, "belongs to a budget"),
        ({"max_accuracy_drop": 0.1, "metric": 3}, {}, TypeError, "name or a function"),
        ({"max_accuracy_drop": 0.1, "metric": "best"}, {"data": X}, ValueError, "'best'"),
        ({"max_accuracy_drop": 0.1, "metric": "mse"}, {"data": X}, ValueError, "error"),
        ({"max_accuracy_drop": 0.1, "max_error": 0.1}, {"data": X}, ValueError, "either"),
        ({"max_accuracy_drop": 0.0}, {"data": X}, ValueError, "between 0 and 1"),
        ({"max_accuracy_drop": 0.1}, {}, ValueError, "needs data"),
        ({"max_accuracy_drop": 0.1, "objective": "beauty"}, {"data": X}, ValueError, "'beauty'"),
        ({"max_accuracy_drop": 0.1}, {"data": X, "labels": [1, 2]}, ValueError, "2 labels"),
        ({"max_accuracy_drop": 0.1}, {"data": X[:9], "labels": ["a"] * 9}, TypeError, "integer"),
        ({"max_accuracy_drop": 0.1}, {"data": X, "recipe": {}}, ValueError, "not a recipe"),
        ({}, {"data": X, "labels": [1]}, ValueError, "belong to a budget"),
    ],
)
def test_what_does_not_fit(model, options, arguments, error, text):
    with pytest.raises(error, match=text):
        quick(**options).optimize(model, **arguments)
