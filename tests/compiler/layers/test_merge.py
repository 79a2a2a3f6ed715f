"""CONCAT, ADD and MUL: shapes, values, gradients, and what flows through several branches."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.compiler.layers.numerical import check_gradients

import cnnc
from cnnc.compiler.layers.layer import Misfit, Shape
from cnnc.compiler.layers.merge import Add, Concat, Merge, Mul
from cnnc.compiler.layers.registry import LAYERS

MERGES = [cls for cls in LAYERS.values() if issubclass(cls, Merge)]
CASES = [(cls, shapes) for cls in MERGES for _, shapes in cls.merged]


def inputs(shapes: tuple[Shape, ...], n: int = 3) -> list[Any]:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(n, *shape)) for shape in shapes]
    for array in arrays:
        array.flags.writeable = False
    return arrays


def forward(merge: Merge, xs: list[Any]) -> Any:
    y = np.full((len(xs[0]), *merge.shape_from([x.shape[1:] for x in xs])), np.nan)
    merge.forward(np, SimpleNamespace(xs=xs, y=y))
    return y


def expected(merge: Merge, xs: list[Any]) -> Any:
    """The formula, written once more with what NumPy has."""
    if isinstance(merge, Concat):
        return np.concatenate(xs, axis=1)
    rank = max(x.ndim for x in xs)
    alike = [x if x.ndim == rank else x[:, :, None, None] for x in xs]
    result = alike[0]
    for x in alike[1:]:
        result = result + x if isinstance(merge, Add) else result * x
    return result


@pytest.mark.parametrize("cls, shapes", CASES)
def test_values(cls: type[Merge], shapes: tuple[Shape, ...]) -> None:
    xs = inputs(shapes)
    np.testing.assert_allclose(forward(cls(), xs), expected(cls(), xs), rtol=1e-15)


@pytest.mark.parametrize("cls, shapes", CASES)
def test_gradients(cls: type[Merge], shapes: tuple[Shape, ...]) -> None:
    merge, xs = cls(), inputs(shapes)
    dy = np.random.default_rng(1).normal(size=forward(merge, xs).shape)
    dy.flags.writeable = False
    for index, x in enumerate(xs):
        if merge.passes_gradient(index, shapes):
            dx = dy
        else:
            work = {
                w.name: np.full((len(x), *w.shape), np.nan)
                for w in merge.buffers_from(len(x), shapes)
            }
            dx = np.full(x.shape, np.nan)
            start = merge.start(index, shapes)
            a = SimpleNamespace(xs=xs, dx=dx, dy=dy, index=index, start=start, **work)
            merge.backward(np, a)
        d = np.random.default_rng(2).normal(size=x.shape)

        def at(step: float, index: int = index, d: Any = d) -> float:
            moved = [x + step * d if i == index else x for i, x in enumerate(xs)]
            return float((forward(merge, moved) * dy).sum())

        slope = (at(1e-6) - at(-1e-6)) / 2e-6
        assert slope == pytest.approx(float((dx * d).sum()), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("cls", [Add, Mul])
@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 3, 4), (3, 3, 4)),
        ((2, 3, 4), (2, 3, 1)),
        ((2, 3, 4), (2, 4, 3)),
        ((2, 3, 4), (3,)),
        ((2, 3, 4), (24,)),
        ((4,), (3,)),
        ((2, 1, 1), (3,)),
        ((2, 8, 8), (2, 4, 4)),
    ],
)
def test_shapes_that_do_not_go_together(cls: type[Merge], shapes: tuple[Shape, ...]) -> None:
    with pytest.raises(Misfit) as raised:
        cls().shape_from(shapes)
    assert raised.value.code == "E315"
    assert raised.value.rule
    assert len(raised.value.fixes) >= 2


@pytest.mark.parametrize("shapes", [((2, 3, 4), (2, 3, 5)), ((2, 3, 4), (3,)), ((3,), (3, 1, 1))])
def test_concat_of_shapes_that_do_not_go_together(shapes: tuple[Shape, ...]) -> None:
    with pytest.raises(Misfit) as raised:
        Concat().shape_from(shapes)
    assert raised.value.code == "E315" and len(raised.value.fixes) >= 2


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize(
    "chain",
    [
        "CONCAT{ CONV(2, 3, pad=1) -> TANH | CONV(3, 1) | ID }",
        "ADD{ CONV(3, 3, pad=1) | ID | ID }",
        "TANH as a -> CONV(3, 1) -> ADD{ ID | @a } -> TANH -> MUL{ @a | ID | @a }",
        "CONV(4, 3) as a -> MUL{ ID | POOL(avg, 4) -> FC(4) -> SIGMOID }",
        "CONV(4, 3) as a -> ADD{ ID | POOL(avg, 4) | POOL(avg, 4) -> FLATTEN }",
        "CONV(3, 1) -> ADD{ CONV(2, 1) | CONCAT{ CONV(1, 1) | CONV(1, 1) -> SIGMOID } }",
        "CONV(3, 3) -> CONCAT{ FLATTEN | FC(4) | POOL(2) -> FLATTEN }",
        "ADD{ FLATTEN | FLATTEN -> TANH }",
    ],
)
def test_gradients_through_branches(chain: str, shards: int) -> None:
    check_gradients(f"INPUT(2x6x6) -> CONV(3, 1) -> TANH -> {chain} -> FC(3)", shards=shards)


@pytest.mark.parametrize("shards", [1, 2])
def test_gradients_of_side_exits_and_shared_weights(shards: int) -> None:
    check_gradients(
        'INPUT(2x6x6) -> CONV(2, 3, pad=1, share="w") -> TANH -> AUX(0.3){ FC(3) }'
        ' -> CONV(2, 3, pad=1, share="w") -> AUX{ CONV(1, 1) -> TANH -> FC(3) -> SOFTMAX }'
        " -> TANH -> FC(3)",
        shards=shards,
    )


def test_the_loss_of_side_exits_is_weighed_and_prediction_leaves_them_out() -> None:
    x = np.random.default_rng(0).normal(size=(4, 1, 4, 4))
    y = np.array([0, 1, 2, 0])
    text = "INPUT(1x4x4) -> {} FC(3) as main"
    bare = cnnc.parse(text.format("")).compile(batch=4, dtype="float64")
    side = cnnc.parse(text.format("AUX(0.25){ FC(3) as side } ->")).compile(
        batch=4, dtype="float64"
    )
    for name in ("weight", "bias"):
        side.weights[f"main.{name}"] = bare.weights[f"main.{name}"]
        side.weights[f"side.{name}"] = 2 * bare.weights[f"main.{name}"]
    np.testing.assert_array_equal(bare.predict(x), side.predict(x))
    main, _ = bare.loss_and_grads(x, y)
    for name in ("weight", "bias"):
        bare.weights[f"main.{name}"] = 2 * bare.weights[f"main.{name}"]
    other, _ = bare.loss_and_grads(x, y)
    assert side.loss_and_grads(x, y)[0] == pytest.approx(main + 0.25 * other, rel=1e-12)


def test_an_add_passes_its_gradient_on_without_a_copy() -> None:
    program = cnnc.parse("INPUT(1x4x4) -> CONV(2, 1) -> ADD{ TANH | ID } -> FC(2)").compile(batch=2)
    steps = [f"{s.name} {s.op}" for s in program.program("gradients").steps]
    assert "add1 forward" in steps and "add1 backward" not in steps


@pytest.mark.parametrize(
    "chain",
    ["AUX{ CONV(3, 1) -> GLOBALPOOL } -> FC(3)", "AUX{ FC(3) } -> CONV(3, 3) -> GLOBALPOOL"],
)
def test_a_side_exit_of_maps_1x1_goes_with_a_vector(chain: str) -> None:
    check_gradients(f"INPUT(2x6x6) -> CONV(4, 3) -> TANH -> {chain}")
