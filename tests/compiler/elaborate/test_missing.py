"""What is still missing is reported all at once, with a command line that works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests.compiler.elaborate.harness import checked

from cnnc.api import check_source
from cnnc.cli.main import run
from cnnc.dsl.diagnostics import Diagnostic
from cnnc.dsl.source import Source

SEEDS = [
    "[[CONV->RELU]*N->POOL?]*M",
    "INPUT → [[CONV→RELU]*N→POOL?]*M → [FC→RELU]*K → FC",
]
OPEN = [
    *SEEDS,
    "INPUT -> FC",
    "CONV",
    "INPUT(3x8x8) -> CONV -> FC",
    "INPUT(3x8x8) -> RELU*N",
    "INPUT(3x8x8) -> RELU*(N + M - 1)",
    "INPUT(3x8x8) -> [POOL -> RELU]?(deep)",
    "INPUT(3x8x8) -> [POOL -> RELU]?(deep and not (flat or N > 2))",
    "INPUT(3x8x8) -> [RELU?([a, b])]*2",
    "INPUT(3x8x8) -> RELU?(1 if big else 0)",
    "INPUT(3x8x8) -> [RELU*[a, b]]*2",
    "INPUT(3x8x8) -> RELU*(max(a, len([b, 3])))",
    # a repeat that a list in it is for
    "[CONV([8, 16, 32], 3, pad=1) -> RELU]*N -> FC",
    "let w = [8, 16, 32]\n[[CONV(w, 3, pad=1) -> RELU]*2 -> POOL?([1, 1, 0])]*M -> FC(10)",
    "[[CONV([8, 16, 32], 3, pad=1) -> RELU]*N]*M",
    "[[CONV([8, 16], 3, pad=1) -> RELU]*N]*2",
    "[[CONV([8, 16, 32], 3, pad=1) -> RELU]*3]*M",
    "for f in [1, 2] [[CONV([8, 16], 3, pad=1)]*N]",
    "[[CONV([8, 16], 3, pad=1)]*2 -> RELU*[1, 2, 3]]*N",
    # a net that the usual shape is too small for
    "[[CONV(8, 3) -> RELU]*2 -> POOL]*5 -> FC(10)",
    "[[CONV(8, 3) -> RELU]*N -> POOL]*5 -> FC",
    "default CONV(k=11, stride=4)\nCONV -> RELU -> CONV -> POOL(3)",
]


def missing(text: str, name: str = "a.cnn", **given: object) -> tuple[Diagnostic, ...]:
    sets, input = {k: v for k, v in given.items() if k != "input"}, given.get("input")
    found = check_source(Source(name, text), sets, input).diagnostics  # type: ignore[arg-type]
    assert {d.code for d in found} <= {"E204", "E213", "E401"}
    return found


def command(found: tuple[Diagnostic, ...], file: str = "a.cnn") -> str:
    """The command line that gives all that is missing."""
    help = found[0].help[-1]
    if len(found) > 1:
        together = re.fullmatch(r"all (\d+) that are missing at once: (cnnc check .*)", help)
        assert together and int(together[1]) == len(found)
        return together[2]
    option = re.fullmatch("or on the command line: (.*)", help)
    assert option
    return f"cnnc check {file} {option[1]}"


@pytest.mark.parametrize("text", OPEN)
def test_the_command_line_works(text: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.cnn").write_text(text)
    cnnc, *args = shlex.split(command(missing(text)))
    assert cnnc == "cnnc"
    assert run(args) == 0, capsys.readouterr().out


@pytest.mark.parametrize("text", OPEN)
def test_what_the_spec_could_say_instead_works_too(text: str) -> None:
    """Each `param N = 2` and `default CONV(16)`, and the shape where it is written."""
    head, shape = text, None
    for found in missing(text):
        assert found.help[-2 if len(found.help) == 3 else -1].startswith("or on the command line: ")
        place, said = re.split(": ", found.help[0], maxsplit=1)
        if found.code == "E213":
            assert place == "write it in the spec"
            shape = re.fullmatch(r"INPUT\((.*)\)", said)
            assert shape
        elif found.code == "E204":
            assert place == "declare it in the spec"
            head = f"{said}\n{head}"
        else:
            default = re.fullmatch(r"(.*), or `(default .*)`", said)
            assert default and re.fullmatch(r"[A-Z]+\(\d+\)", default[1])
            head = f"{default[2]}\n{head}"
    assert checked(head, None, shape[1] if shape else None).ok


def test_the_seeds() -> None:
    found = missing(SEEDS[0])
    assert [d.message for d in found] == [
        "the input's shape is not given",
        "CONV's filters (how many filters, the output's channels) is not given",
        "the knob N is not given",
        "the knob M is not given",
    ]
    assert [d.code for d in found] == ["E213", "E401", "E204", "E204"]
    assert command(found) == (
        "cnnc check a.cnn --input 3x32x32 --set N=2 --set M=2 --set CONV.filters=16"
    )
    assert command(missing(SEEDS[1])) == (
        "cnnc check a.cnn --input 3x32x32 --set N=2 --set M=2 --set K=2 --set CONV.filters=16"
        " --set FC.units=10"
    )


def test_what_is_given_already_stays_in_the_command_line() -> None:
    found = missing(SEEDS[0], **{"CONV.pad": "(1, 1, 1, 1)", "N": "3", "input": "1x28x28"})
    assert command(found) == (
        "cnnc check a.cnn --input 1x28x28 --set N=3 --set M=2"
        " --set 'CONV.pad=(1, 1, 1, 1)' --set CONV.filters=16"
    )
    (last,) = missing(SEEDS[0], M=1, N=1, input="3x8x8")
    assert last.help == (
        "write it in the spec: CONV(16), or `default CONV(16)`",
        "or on the command line: --set CONV.filters=16",
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<stdin>", "-"),
        ("<text>", "FILE"),
        ("a b's.cnn", "'a b'\"'\"'s.cnn'"),
        ("-x.cnn", "./-x.cnn"),
        ("$(x).cnn", "'$(x).cnn'"),
    ],
)
def test_the_file_is_named_so_that_a_shell_finds_it(name: str, shown: str) -> None:
    assert command(missing("RELU*N", name)) == f"cnnc check {shown} --input 3x32x32 --set N=2"


def test_each_thing_is_missed_once() -> None:
    found = missing("INPUT(3x8x8) -> [CONV -> RELU*N]*2 -> CONV*N -> CONV(k=1)")
    assert [d.code for d in found] == ["E401", "E204"]


def test_a_shape_that_no_example_mends_is_the_usual_one() -> None:
    (found,) = (d for d in checked("RELU :: 5x5x5").diagnostics)
    assert found.help[0] == "write it in the spec: INPUT(3x32x32)"


def test_other_mistakes_are_reported_beside() -> None:
    codes = [d.code for d in checked("INPUT -> CONV(0) -> NOPE*N -> POOL(mode=3)").diagnostics]
    assert codes == ["E213", "E403", "E201", "E204", "E403"]


def test_a_chain_without_input_is_missed_at_its_first_element() -> None:
    (found,) = missing("RELU -> RELU")
    assert found.span and found.span.text == "RELU" and found.span.begin == (1, 1)
