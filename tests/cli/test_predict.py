"""`cnnc predict`: classes and probabilities of arrays and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.conftest import Command

import cnnc
from cnnc.cli.runs import open_run
from cnnc.runtime import safetensors

X = np.random.default_rng(7).random((4, 1, 6, 6), np.float32)


def expected(run: Path, x: Any) -> Any:
    """Probabilities (N, K)."""
    e = np.exp(open_run(str(run)).predict(x).astype("float64"))
    return e / e.sum(axis=1, keepdims=True)


def in_json(command: Command, *args: object) -> list[dict[str, Any]]:
    done = command("predict", *args, "--format", "json")
    assert (done.status, done.err) == (0, "")

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    found = json.loads(done.out, parse_constant=refuse)
    assert found["schema"] == "cnnc.predict/1" and found["run"] == str(args[0])
    results: list[dict[str, Any]] = found["results"]
    return results


def test_text_has_a_line_a_sample(
    trained: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    np.save("one.npy", X[0])
    np.save("four.npy", X[:, 0])  # (4, 6, 6): a grey image may lack its axis
    done = command("predict", "run", "one.npy", "four.npy")
    assert (done.status, done.err) == (0, "")
    shares = expected(trained / "run", X)
    best = shares.argmax(axis=1)
    said = [f"{k} ({100 * p[k]:.1f} %)" for k, p in zip(best, shares, strict=True)]
    names = ["one.npy", *(f"four.npy[{i}]" for i in range(4))]
    assert done.out.splitlines() == [
        f"{name}: {words}" for name, words in zip(names, [said[0], *said], strict=True)
    ]


def test_json(trained: Path, command: Command) -> None:
    np.save(trained / "one.npy", X[0])
    np.save(trained / "four.npy", X)
    run = trained / "run"
    results = in_json(command, run, trained / "four.npy", trained / "one.npy", "--top", 9)
    shares = expected(run, X)
    for number, result in enumerate(results[:4]):
        assert (result["file"], result["sample"]) == (f"{trained}/four.npy", number)
        order = np.argsort(-shares[number])
        assert result["classes"] == order.tolist()
        assert result["probabilities"] == pytest.approx(shares[number][order], rel=1e-5)
    assert (results[4]["sample"], results[4]["classes"]) == (None, results[0]["classes"])


def test_top_names_the_likeliest_first(trained: Path, command: Command) -> None:
    np.save(trained / "one.npy", X[0])
    order = np.argsort(-expected(trained / "run", X[:1])[0])
    out = command("predict", trained / "run", trained / "one.npy", "--top", 2).out
    words = out.removeprefix(f"{trained}/one.npy: ").split("  ")
    assert [word.split()[0] for word in words] == [str(k) for k in order[:2]]


def test_of_equal_probabilities_the_first_class_comes_first(
    trained: Path, command: Command
) -> None:
    """As where accuracy is counted."""
    path = trained / "run" / "weights.safetensors"
    tensors, _ = safetensors.load(path)
    safetensors.save(path, {name: np.zeros_like(tensor) for name, tensor in tensors.items()})
    np.save(trained / "one.npy", X[0])
    result = in_json(command, trained / "run", trained / "one.npy", "--top", 3)[0]
    assert result["classes"] == [0, 1, 2]
    assert result["probabilities"] == pytest.approx([1 / 3] * 3)


def test_a_net_that_ends_in_softmax(tmp_path: Path, command: Command) -> None:
    net = cnnc.parse("INPUT(1x6x6) -> CONV(3, 6) -> SOFTMAX")
    run = cnnc.train(net, "random:9", tmp_path / "run", epochs=1)
    np.save(tmp_path / "four.npy", X)
    for result, scores in zip(
        in_json(command, run.path, tmp_path / "four.npy", "--top", 3),
        run.compiled.predict(X).reshape(4, 3),
        strict=True,
    ):
        assert result["probabilities"] == pytest.approx(sorted(scores, reverse=True), rel=1e-6)


def test_probabilities_that_are_no_numbers_are_null(trained: Path, command: Command) -> None:
    path = trained / "run" / "weights.safetensors"
    tensors, _ = safetensors.load(path)
    tensors["fc1.weight"][...] = np.nan
    safetensors.save(path, tensors)
    np.save(trained / "one.npy", X[0])
    result = in_json(command, trained / "run", trained / "one.npy")[0]
    assert result["probabilities"] == [None]


def test_pictures(trained: Path, command: Command) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (6, 6), "uint8")
    image.fromarray(pixels).save(trained / "a.png")
    np.save(trained / "a.npy", pixels)
    run = trained / "run"
    one, other = (in_json(command, run, trained / f"a.{kind}", "--top", 3)[0] for kind in
                  ("png", "npy"))  # fmt: skip
    assert one["probabilities"] == other["probabilities"]
    assert one["classes"] == other["classes"]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("shape.npy", "shape.npy has shape 1x5x6, and the net's INPUT is 1x6x6"),
        ("text.npy", "text.npy is no .npy array, whatever its name says"),
        ("none.npy", "cannot read none.npy: No such file or directory"),
        ("nan.npy", "nan.npy: sample 0 holds nan at (0, 0, 0)"),
        ("data.npz", "data.npz: what kind of file is this?"),
    ],
)
def test_one_wrong_file_is_an_error_and_nothing_is_said_of_the_others(
    file: str, message: str, trained: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    np.save("good.npy", X[0])
    np.save("shape.npy", X[0, :, 1:])
    np.save("nan.npy", np.full((1, 6, 6), np.nan))
    Path("text.npy").write_text("hello")
    done = command("predict", "run", "good.npy", file)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"error: {message}")


def test_a_files_name_cannot_write_to_the_terminal(trained: Path, command: Command) -> None:
    path = trained / "a\x1b[31m\n.npy"
    np.save(path, X[0])
    out = command("predict", trained / "run", path).out
    assert "\x1b" not in out and out.count("\n") == 1


def test_wrong_use(trained: Path, command: Command) -> None:
    for args in (["predict", trained / "run"], ["predict"],
                 ["predict", trained / "run", "a.npy", "--top", 0]):  # fmt: skip
        assert command(*args)[:2] == (2, "")
