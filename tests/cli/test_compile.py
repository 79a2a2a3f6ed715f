"""`cnnc compile`: the program as text, at any stage, and the memory that it takes."""

from __future__ import annotations

import re

import pytest

SPEC = """param units = 3
INPUT(1x6x6) -> CONV(4, 3) -> RELU -> FC(units)
train { batch = 8  optimizer = sgd }
"""
FILES = {"a.cnn": SPEC}


def steps(out: str) -> list[str]:
    """The names of the steps of a listing."""
    return re.findall(r"(?m)^ *\d+  (\S+ \S+)", out)


def memory(out: str) -> dict[str, int]:
    """The table below the listing."""
    table = out.partition("\nmemory ")[2]
    return {name: int(n.replace(",", "")) for name, n in re.findall(r"(\w+) +([\d,]+)\n", table)}


def test_a_training_step(cnnc_here) -> None:
    done = cnnc_here("compile", "a.cnn", files=FILES)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(" #  step ")
    assert "-- the one part\n" in done.out
    names = steps(done.out)
    assert names[:5] == ["conv1 forward", "relu1 forward", "fc1 forward", "loss forward",
                         "loss backward"]  # fmt: skip
    assert names[-5:] == ["loss mean", "conv1.weight update", "conv1.bias update",
                          "fc1.weight update", "fc1.bias update"]  # fmt: skip


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        ("train", {"forward", "backward", "update", "mean"}),
        ("gradients", {"forward", "backward", "mean"}),
        ("predict", {"forward"}),
    ],
)
def test_each_purpose_has_its_steps(purpose: str, words: set[str], cnnc_here) -> None:
    done = cnnc_here("compile", "a.cnn", "--for", purpose, files=FILES)
    assert {name.split()[1] for name in steps(done.out)} == words


def test_memory_adds_up_and_goes_with_the_batch(cnnc_here) -> None:
    small = memory(cnnc_here("compile", "a.cnn", files=FILES).out)
    assert list(small) == ["weights", "gradients", "optimizer", "activations", "workspace", "total"]
    assert small["total"] == sum(small.values()) - small["total"]
    weights = 4 * (4 * 9 + 4 + 3 * 64 + 3)
    assert (small["weights"], small["gradients"], small["optimizer"]) == (weights, weights, 0)
    assert small == memory(cnnc_here("compile", "a.cnn", "--batch", "8").out), "the spec's batch"
    large = memory(cnnc_here("compile", "a.cnn", "--batch", "80").out)
    assert large["weights"] == weights
    assert large["activations"] > 9 * small["activations"]


def test_the_plan_is_shown_beside_the_least_that_is_possible(cnnc_here) -> None:
    done = cnnc_here("compile", "a.cnn", files=FILES)
    plan = re.search(r"([\d,]+) bytes planned, ([\d,]+) alive at the peak\n$", done.out)
    assert plan is not None
    planned, least = (int(n.replace(",", "")) for n in plan.groups())
    assert 0 < least <= planned


def test_parts(cnnc_here) -> None:
    done = cnnc_here("compile", "a.cnn", "--shards", "4", files=FILES)
    assert "-- each of 4 parts\n" in done.out
    joint = steps(done.out.partition("-- all parts together\n")[2])
    assert "conv1.weight add" in joint, "where the parts meet"
    few = cnnc_here("compile", "a.cnn", "--shards", "100")
    assert "-- each of 8 parts\n" in few.out  # no part is empty


def test_any_stage_can_be_shown(cnnc_here) -> None:
    last = cnnc_here("compile", "a.cnn", files=FILES).out
    assert cnnc_here("compile", "a.cnn", "--listing").out == last
    assert cnnc_here("compile", "a.cnn", "--print-after", "place-buffers").out == last
    lowered = cnnc_here("compile", "a.cnn", "--print-after", "lower").out
    assert steps(lowered)[:3] == ["conv1 forward", "relu1 forward", "fc1 forward"]
    assert "bytes" not in lowered, "nothing is placed yet"


def test_knobs_and_standard_input(cnnc_here) -> None:
    done = cnnc_here("compile", "-", "--set", "units=5", "--input", "1x4x4", input=SPEC)
    assert done.status == 0
    assert "fc1.weight (5x16)" in done.out


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("INPUT(1x6x6) -> POOL(9)", "E301"),
        ("INPUT(1x6x6) -> ", "E110"),
        ("RELU*N", "E213"),
        ("let a = 3", "E112"),
        ("", "E111"),
        ("INPUT(4) -> FC(3)\ntrain { batch = 0 }", "E403"),
        ("INPUT(4) -> FC(3)\nexpect params == 3", "E501"),
    ],
)
def test_a_spec_with_errors_has_no_program(text: str, code: str, cnnc_here) -> None:
    done = cnnc_here("compile", "a.cnn", files={"a.cnn": text})
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"error[{code}]: ")


def test_a_file_that_is_not_there(cnnc_here) -> None:
    done = cnnc_here("compile", "a.cnn")
    assert (done.status, done.out) == (1, "")
    assert done.err == "error[E101]: a.cnn does not exist\n\n1 error\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--batch", "0"], "'--batch'"),
        (["--batch", "1.5"], "'--batch'"),
        (["--shards", "0"], "'--shards'"),
        (["--for", "serving"], "'serving' is not one of"),
        (["--device", "tpu"], "'tpu' is not"),
        (["--print-after", "magic"], "'magic' is not one of"),
        (["--set", "unit=3"], "a.cnn has no knob unit; it has units\nhelp: did you mean units?"),
        (["b.cnn"], "unexpected extra argument (b.cnn)"),
    ],
)
def test_wrong_use(args: list[str], message: str, cnnc_here) -> None:
    done = cnnc_here("compile", "a.cnn", *args, files=FILES)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
