"""`cnnc check`: its tables, what it reads, how it ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import cnnc as package

SMALL = "net Small\nINPUT(1x6x6) -> CONV(4, 3) -> RELU -> FC(2)\n"
WRONG = "INPUT(1x6x6) -> CONV(4, 7)\n"
SEEDS = {
    "INPUT → [[CONV→RELU]*N→POOL?]*M → [FC→RELU]*K → FC": "--input 3x32x32 --set N=1 --set M=2"
    " --set K=1 --set CONV.filters=16 --set FC.units=10",
    "[[CONV->RELU]*N->POOL?]*M": "--input 3x32x32 --set N=2 --set M=2 --set CONV.filters=16",
}


def table(text: str) -> str:
    return dedent(text).lstrip("\n")


# -- tables ---------------------------------------------------------------------------


def test_table_of_a_net(cnnc_here) -> None:
    done = cnnc_here("check", "a.cnn", files={"a.cnn": SMALL})
    assert (done.status, done.err) == (0, "")
    assert done.out == table(
        """
        Small (a.cnn)
          name    layer         output  params  MACs  receptive field
          -----------------------------------------------------------
          input1  INPUT(1x6x6)  1x6x6        -     -  1x1
          conv1   CONV(4, 3)    4x4x4       40   576  3x3
          relu1   RELU          4x4x4        -     -  3x3
          fc1     FC(2)         2          130   128  6x6
          -----------------------------------------------------------
          total   4 layers      2          170   704  6x6

        """
    )


def test_table_with_knobs_frozen_weights_and_statistics(cnnc_here) -> None:
    text = """
    param width = 4, ks = [3, 1], deep = true, s = 'x', many = [0]*30
    INPUT(1x6x6) -> NORMALIZE -> [CONV(width, ks, freeze=deep)]*2 -> POOL? -> FC(1000)
    """
    done = cnnc_here("check", "a.cnn", "--set", "pool=false", files={"a.cnn": text})
    assert done.status == 0
    assert done.out.partition("warning")[0] == table(
        """
        a.cnn  width=4, ks=[3, 1], deep=true, s="x", many=[0, 0, 0, 0, …, 0], pool=false
          name        layer                    output  params    MACs  receptive field
          ----------------------------------------------------------------------------
          input1      INPUT(1x6x6)             1x6x6        -       -  1x1
          normalize1  NORMALIZE                1x6x6        -       -  1x1
          conv1       CONV(4, 3, freeze=true)  4x4x4       40     576  3x3
          conv2       CONV(4, 1, freeze=true)  4x4x4       20     256  3x3
          fc1         FC(1000)                 1000    65,000  64,000  6x6
          ----------------------------------------------------------------------------
          total       5 layers                 1000    65,060  64,832  6x6
          trainable: 65,000 of 65,060

        """
    )


def test_table_of_a_vector_net(cnnc_here) -> None:
    done = cnnc_here("check", "-", input="INPUT(4) -> FC(2) -> SOFTMAX")
    assert done.out == table(
        """
        <stdin>
          name      layer     output  params  MACs  receptive field
          ---------------------------------------------------------
          input1    INPUT(4)  4            -     -  -
          fc1       FC(2)     2           10     8  -
          softmax1  SOFTMAX   2            -     -  -
          ---------------------------------------------------------
          total     3 layers  2           10     8  -

        """
    )


def test_a_library_holds_without_a_table(cnnc_here) -> None:
    done = cnnc_here("check", "lib.cnn", files={"lib.cnn": "let a = 3\ndefault FC(a)\n"})
    assert done.status == 0
    assert done.out == "lib.cnn: holds; it has no chain, so there is no net to show\n\n"


def test_errors_are_the_result_and_stand_on_standard_output(cnnc_here) -> None:
    done = cnnc_here("check", "a.cnn", files={"a.cnn": WRONG})
    assert (done.status, done.err) == (1, "")
    assert done.out.startswith("error[E301]: CONV(4, 7) does not fit: its input is 6x6\n")
    assert "  --> a.cnn:1:17\n" in done.out
    assert done.out.endswith("\n\n1 error\n")


def test_notes_follow_the_table(cnnc_here) -> None:
    done = cnnc_here("check", "a.cnn", files={"a.cnn": "INPUT(1x7x7) -> POOL(2)"})
    assert done.status == 0
    assert done.out.index("total   2 layers") < done.out.index("note[W601]: POOL(2) never reaches")
    assert done.out.endswith("\n\n1 note\n")


# -- several files --------------------------------------------------------------------


def test_every_file_is_checked_whatever_the_others_are(cnnc_here) -> None:
    Path("folder").mkdir()
    files = {"a.cnn": SMALL, "b.cnn": WRONG, "c.cnn": "INPUT(4) ->", "e.cnn": "", "z.cnn": SMALL}
    done = cnnc_here("check", "a.cnn", "b.cnn", "missing.cnn", "c.cnn", "folder", "e.cnn", "z.cnn",
                     files=files)  # fmt: skip
    assert (done.status, done.err) == (1, "")
    assert done.out.index("Small (a.cnn)") < done.out.index("Small (z.cnn)")
    places = [
        "b.cnn:1:17",
        "missing.cnn does not exist",
        "c.cnn:1:",
        "folder is a folder",
        "e.cnn:",
    ]
    found = [done.out.index(place) for place in places]
    assert found == sorted(found)
    assert done.out.endswith("\n5 errors\n")


def test_bytes_that_are_no_text(cnnc_here) -> None:
    Path("a.cnn").write_bytes(b"INPUT(4)\xff")
    done = cnnc_here("check", "a.cnn")
    assert done.status == 1
    assert done.out.startswith("error[E102]: a.cnn is not UTF-8 text: byte 0xff at offset 8\n")


def test_the_same_file_twice(cnnc_here) -> None:
    done = cnnc_here("check", "a.cnn", "a.cnn", files={"a.cnn": SMALL})
    assert done.out.count("Small (a.cnn)") == 2


# -- the seeds ------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "options"), SEEDS.items())
def test_the_seed_as_a_file_and_on_standard_input(text: str, options: str, cnnc_here) -> None:
    done = cnnc_here("check", "-", input=text)
    assert done.status == 1
    assert "all at once" not in done.out
    assert "that are missing at once: cnnc check - --input 3x32x32 --set N=2" in done.out
    given = cnnc_here("check", "-", *options.split(), input=text)
    assert (given.status, given.err) == (0, "")
    as_file = cnnc_here("check", "seed.cnn", *options.split(), files={"seed.cnn": text})
    assert as_file.out == given.out.replace("<stdin>", "seed.cnn")


def test_the_first_seed_has_the_layers_that_it_says(cnnc_here) -> None:
    def names(*more: str) -> list[str]:
        out = cnnc_here("check", "-", *options.split(), *more, input=text).out
        _, rows, _ = re.split("(?m)^  -+\n", out)
        return [row.split()[0] for row in rows.splitlines()]

    text, options = next(iter(SEEDS.items()))
    assert names() == [
        "input1", "conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "fc1", "relu3", "fc2"
    ]  # fmt: skip
    assert names("--set", "pool=false", "--set", "K=0") == [
        "input1", "conv1", "relu1", "conv2", "relu2", "fc1"
    ]  # fmt: skip


# -- options --------------------------------------------------------------------------


def test_quiet_shows_only_what_is_wrong(cnnc_here) -> None:
    files = {"a.cnn": SMALL, "n.cnn": "INPUT(1x7x7) -> POOL(2)", "l.cnn": "let a = 1"}
    for option in ("-q", "--quiet"):
        done = cnnc_here("check", option, *files, files=files)
        assert (done.status, done.out, done.err) == (0, "", "")
    done = cnnc_here("check", "-q", "a.cnn", "b.cnn", files={"b.cnn": WRONG})
    assert done.status == 1
    assert done.out.startswith("error[E301]")


def test_strict_makes_warnings_errors_and_leaves_notes(cnnc_here) -> None:
    files = {"a.cnn": "INPUT(1x7x7) -> POOL(2) -> RELU"}
    done = cnnc_here("check", "a.cnn", files=files)
    assert done.status == 0
    assert "total   3 layers" in done.out and done.out.endswith("1 warning, 1 note\n")
    quiet = cnnc_here("check", "-q", "a.cnn").out
    assert quiet.startswith("warning[W604]: relu1 is a RELU at the output\n")
    assert quiet.endswith("\n1 warning\n")
    done = cnnc_here("check", "--strict", "a.cnn")
    assert done.status == 1
    assert "error[W604]: relu1 is a RELU" in done.out and "note[W601]: POOL(2)" in done.out
    assert "total" not in done.out and done.out.endswith("1 error, 1 note\n")
    whole = cnnc_here("check", "--strict", "a.cnn", "--format", "json").out
    assert '"ok": true' not in whole and '"totals": null' in whole


def test_a_comment_allows_a_warning_under_strict_too(cnnc_here) -> None:
    files = {"a.cnn": "# cnnc: allow W604\nINPUT(1x8x8) -> RELU"}
    assert cnnc_here("check", "--strict", "a.cnn", files=files).status == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--set", "N"], "'N' is not of the form NAME=VALUE"),
        (["--set", "N="], "'N=' is not of the form NAME=VALUE"),
        (["--set", "=3"], "'=3' is not of the form NAME=VALUE"),
        (["--set", "N=3 4"], "--set N takes a value of the language, and '3 4' is none"),
        (["--set", "N=3"], "a.cnn has no knob N; it has wide\n"),
        (["--set", "Wide=3"], "a.cnn has no knob Wide; it has wide\nhelp: did you mean wide?"),
        (["--set", "CONV.kk=3"], "CONV has no argument kk; it takes filters, k,"),
        (["--set", "COMV.k=3"], "a.cnn has no layer COMV; it has INPUT, CONV\nhelp: did you mean"),
        (["--input", "3x32"], "--input takes a shape such as 3x32x32 or 10, not 3x32"),
        (["--input", ""], "--input takes a value of the language, and '' is none"),
        (["--format", "xml"], "'xml' is not one of 'text',"),
        (["--fromat", "json"], "no such option '--fromat'"),
    ],
)  # fmt: skip
def test_wrong_use_has_a_status_of_its_own(args: list[str], message: str, cnnc_here) -> None:
    text = "param wide = 4\nINPUT(1x6x6) -> CONV(wide, 3)"
    done = cnnc_here("check", "a.cnn", *args, files={"a.cnn": text})
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert message in done.err


def test_of_several_files_the_one_without_the_knob_is_named(cnnc_here) -> None:
    files = {"a.cnn": "param N = 1\nINPUT(4) -> RELU*N", "b.cnn": "INPUT(4) -> RELU"}
    done = cnnc_here("check", "a.cnn", "b.cnn", "--set", "N=2", files=files)
    assert (done.status, done.out) == (2, "")
    assert done.err == "error: b.cnn has no knob N; it has none\n"


def test_the_last_of_two_values_counts(cnnc_here) -> None:
    done = cnnc_here("check", "-", "--set", "N=1", "--set", " N = 2 ", input="INPUT(4) -> RELU*N")
    assert done.out.startswith("<stdin>  N=2\n")


def test_a_wrong_value_of_an_option_is_shown_at_the_option(cnnc_here) -> None:
    done = cnnc_here("check", "-", "--set", "FC.units=0", input="INPUT(4) -> FC")
    assert done.status == 1
    assert "error[E403]: FC's units takes an integer of at least 1, not 0\n" in done.out
    assert "--> --set FC.units:1:1\n" in done.out


# -- terminals and pipes --------------------------------------------------------------


def test_colour_is_for_terminals_and_those_who_ask(cnnc_here, monkeypatch) -> None:
    assert "\x1b" not in cnnc_here("check", "a.cnn", files={"a.cnn": WRONG}).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31m" in cnnc_here("check", "a.cnn").out
    for form in ("json", "sarif", "github"):
        assert "\x1b" not in cnnc_here("check", "a.cnn", "--format", form).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in cnnc_here("check", "a.cnn").out


def test_control_characters_of_a_file_name_do_not_reach_the_terminal(cnnc_here) -> None:
    name = "a\x1b[2Jb.cnn"
    for text in (SMALL, WRONG, "let a = 1", ""):
        done = cnnc_here("check", name, files={name: text})
        assert "a␛[2Jb.cnn" in done.out
        assert "\x1b" not in done.out


def test_whoever_closes_the_pipe_has_seen_enough(tmp_path: Path) -> None:
    (tmp_path / "a.cnn").write_text("INPUT(1x4x4) -> RELU*20_000")
    check = subprocess.Popen(
        [sys.executable, "-m", "cnnc", "check", "a.cnn"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(package.__file__).parent.parent), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert check.stdout is not None and check.stderr is not None
    assert check.stdout.readline() == b"a.cnn\n"
    check.stdout.close()
    assert (check.wait(timeout=60), check.stderr.read()) == (1, b"")
    check.stderr.close()
