"""What the parser makes of correct texts, and how it refuses texts past the limits."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cnnc.dsl import nodes as n
from cnnc.dsl import parser as parser_module
from cnnc.dsl.diagnostics import SpecError
from cnnc.dsl.numerals import number_value
from cnnc.dsl.parser import parse, parse_value, read_source
from cnnc.dsl.source import Source


def value(text: str) -> n.Expr:
    found, diagnostics = parse_value(Source("value", text))
    assert diagnostics == ()
    assert found is not None
    return found


def chain(text: str) -> n.Chain:
    file, diagnostics = parse(Source("chain", text))
    assert diagnostics == ()
    (found,) = file.statements
    assert isinstance(found, n.Chain)
    return found


def shown(expr: n.Expr | n.Element) -> str:
    """A tree with all its parentheses."""
    match expr:
        case n.Number():
            return expr.text
        case n.Name():
            return expr.id
        case n.Unary():
            return f"({expr.op} {shown(expr.operand)})"
        case n.Binary() | n.Compare():
            rest = "".join(f" {op} {shown(v)}" for op, v in expr.rest)
            return f"({shown(expr.first)}{rest})"
        case n.Logical():
            return "(" + f" {expr.op} ".join(map(shown, expr.operands)) + ")"
        case n.Conditional():
            return f"({shown(expr.then)} if {shown(expr.test)} else {shown(expr.other)})"
        case n.Call():
            return f"{expr.function.id}({', '.join(shown(a.value) for a in expr.args)})"
        case n.Layer():
            return expr.name
        case n.Repeat():
            return f"({shown(expr.element)})*{shown(expr.count)}"
        case n.Optional():
            condition = f"({shown(expr.condition)})" if expr.condition else ""
            return f"({shown(expr.element)})?{condition}"
        case n.Named():
            return f"({shown(expr.element)}) as {expr.name.id}"
        case n.Shaped():
            return f"({shown(expr.element)}) :: {shown(expr.shape)}"
        case _:
            return type(expr).__name__


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a + b - c", "(a + b - c)"),
        ("a + b * c", "(a + (b * c))"),
        ("a * b // c / d % e", "(a * b // c / d % e)"),
        ("(a + b) * c", "((a + b) * c)"),
        ("a ** b ** c", "(a ** (b ** c))"),
        ("-a ** b", "(- (a ** b))"),
        ("a ** -b", "(a ** (- b))"),
        ("- - a", "(- (- a))"),
        ("-a * b", "((- a) * b)"),
        ("a - -b", "(a - (- b))"),
        ("a < b <= c", "(a < b <= c)"),
        ("a + 1 == b * 2", "((a + 1) == (b * 2))"),
        ("not a == b", "(not (a == b))"),
        ("not not a", "(not (not a))"),
        ("not a and b", "((not a) and b)"),
        ("a and b or c and d", "((a and b) or (c and d))"),
        ("a or b or c", "(a or b or c)"),
        ("a and (b and c)", "(a and (b and c))"),
        ("a if b else c if d else e", "(a if b else (c if d else e))"),
        ("a or b if c else d", "((a or b) if c else d)"),
        ("a if b or c else d and e", "(a if (b or c) else (d and e))"),
        ("max(a, b + 1) * 2", "(max(a, (b + 1)) * 2)"),
        ("1_000 + 2k", "(1_000 + 2k)"),
    ],
)
def test_precedence(text: str, meaning: str) -> None:
    assert shown(value(text)) == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("A*2*3", "((A)*2)*3"),
        ("A*2?", "((A)*2)?"),
        ("A?*2", "((A)?)*2"),
        ("A?(b)?", "((A)?(b))?"),
        ("A as x :: 3", "((A) as x) :: 3"),
        ("A :: n as x *(a + 1)", "(((A) :: n) as x)*(a + 1)"),
        ("A as x*2", "((A) as x)*2"),
        ("A*N ?(a)", "((A)*N)?(a)"),
    ],
)
def test_postfixes_apply_in_the_order_of_writing(text: str, meaning: str) -> None:
    (element,) = chain(text).elements
    assert shown(element) == meaning


def test_postfixes_on_every_kind_of_element() -> None:
    elements = chain("A(1)* 2 -> @x? -> [B]*2 -> ADD{ C }?(d) -> for a in b [D]*2 as e").elements
    assert [type(e) for e in elements] == [n.Repeat, n.Optional, n.Repeat, n.Optional, n.Named]


def test_kinds_may_be_any_name() -> None:
    names = [e.name for e in chain("Conv -> stem(3) -> x1_ -> CONV").elements]  # type: ignore[union-attr]
    assert names == ["Conv", "stem", "x1_", "CONV"]


def test_no_parentheses_is_not_empty_parentheses() -> None:
    first, second = chain("A -> A()").elements
    assert isinstance(first, n.Layer)
    assert isinstance(second, n.Layer)
    assert (first.args, second.args) == (None, ())


def test_tuples_lists_and_parentheses() -> None:
    assert type(value("(a)")) is n.Name
    assert value("(a,)") == n.TupleValue(value("a").span, (value("a"),))
    assert value("()") == n.TupleValue(value("a").span, ())
    assert value("(a, b,)") == value("(a,b)")
    assert value("[a, b,]") == value("[a,b]")
    assert value("[]") == n.ListValue(value("a").span, ())


def test_two_chains_are_two_statements() -> None:
    file, diagnostics = parse(Source("", "A -> B\nC [D] @e for a in b [F]"))
    assert diagnostics == ()
    assert [type(s) for s in file.statements] == [n.Chain] * 5


def test_every_statement() -> None:
    file, diagnostics = parse(
        Source(
            "",
            "net A param B = 1 in [1] let c = 2, d = 3 default E(4) block f(g, h=5) = I "
            'import "j.cnn" expect k < 6 train { l = 7, m = 8 n = 9 } O',
        )
    )
    assert diagnostics == ()
    kinds = [n.Net, n.Param, n.Let, n.Default, n.Block, n.Import, n.Expect, n.Train, n.Chain]
    assert [type(s) for s in file.statements] == kinds
    train = file.statements[-2]
    assert isinstance(train, n.Train)
    assert [s.name.id for s in train.settings] == ["l", "m", "n"]


# -- places ---------------------------------------------------------------------------------


def test_spans() -> None:
    text = "A(1, k=(a + b)*c)?(x) as n -> for f, g in zip(p, q) [ B ]*2"
    first, second = chain(text).elements
    assert first.span.text == "A(1, k=(a + b)*c)?(x) as n"
    assert isinstance(first, n.Named)
    assert first.name.span.text == "n"
    assert isinstance(first.element, n.Optional)
    layer = first.element.element
    assert isinstance(layer, n.Layer)
    assert layer.span.text == "A(1, k=(a + b)*c)"
    assert layer.name_span.text == "A"
    assert layer.args is not None
    argument = layer.args[1]
    assert argument.span.text == "k=(a + b)*c"
    assert argument.name_span is not None
    assert argument.name_span.text == "k"
    assert isinstance(argument.value, n.Binary)
    assert argument.value.span.text == "(a + b)*c"
    assert argument.value.first.span.text == "(a + b)"
    assert isinstance(second, n.Repeat)
    assert second.element.span.text == "for f, g in zip(p, q) [ B ]"
    assert second.count.span.text == "2"


def test_spans_of_statements_have_no_comments_at_their_ends() -> None:
    file, _ = parse(Source("", "# a\nnet A # b\n# c\nlet x = 1 # d\nB # e\n-> C # f\n"))
    assert [s.span.text for s in file.statements] == ["net A", "let x = 1", "B # e\n-> C"]


def test_trees_are_equal_wherever_they_stand() -> None:
    assert value("a + 1") == value("  a+1 # sum")
    assert value("1000") != value("1k")


# -- numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("007", 7), ("4096", 4096), ("61_706", 61706), ("100k", 100_000),
        ("1.5M", 1_500_000), ("2G", 2 * 10**9), ("512MB", 512 * 2**20), ("1KB", 1024),
        ("0.5GB", 2**29), ("1.2345k", 1234.5), ("0.1k", 100), (".5M", 500_000),
        ("0.05", 0.05), (".5", 0.5), ("3.", 3.0), ("1e-4", 1e-4), ("2E3", 2000.0), ("1_0.5", 10.5),
        (str(2**63), 2**63),
    ],
)  # fmt: skip
def test_numbers(text: str, number: float) -> None:
    found = value(text)
    assert isinstance(found, n.Number)
    assert found.value == number
    assert type(found.value) is type(number)
    assert found.text == text


def test_a_number_that_is_none() -> None:
    with pytest.raises(ValueError, match="no number"):
        number_value("1x")


# -- values alone ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "1 2", "a b", "[", "a -> b", "net", "1 +", "a = 1", "@a"])
def test_texts_that_are_no_value(text: str) -> None:
    found, diagnostics = parse_value(Source("--set", text))
    assert found is None
    assert diagnostics


# -- files ----------------------------------------------------------------------------------


def test_read_source(tmp_path: Path) -> None:
    file = tmp_path / "a.cnn"
    file.write_bytes("\ufeffnet A\r\nlet ü = 1\r".encode())
    source = read_source(str(file))
    assert source.name == str(file)
    assert source.text == "net A\nlet ü = 1\n"


def test_read_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"net A")))
    source = read_source("-")
    assert (source.name, source.text) == ("<stdin>", "net A")


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, "E101", "does not exist"),
        ("folder", "E101", "is a folder"),
        (b"net A \xff", "E102", "0xff at offset 6"),
        (b"\xef\xbb\xbfnet \xc3", "E102", "0xc3"),
        ("net A".encode("utf-16"), "E102", "0xff at offset 0"),
    ],
)
def test_files_that_are_no_text(
    tmp_path: Path, content: bytes | str | None, code: str, words: str
) -> None:
    path = tmp_path / "a.cnn"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read_source(str(path))
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert found.span is None
    assert words in found.message


def test_a_path_with_a_nul_is_an_unreadable_file() -> None:
    with pytest.raises(SpecError):
        read_source("a\0b")


# -- the machine around it ------------------------------------------------------------------

START = "from cnnc.dsl.parser import parse; from cnnc.dsl.source import Source; import sys;"


def run_in_own_process(code: str, root: Path, cache: Path | str) -> str:
    env = {**os.environ, "PYTHONPATH": str(root / "src"), "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", START + code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_cache_is_written_once_and_used(root: Path, tmp_path: Path) -> None:
    code = "print(len(parse(Source('', 'net A'))[0].statements))"
    assert run_in_own_process(code, root, tmp_path) == "1"
    (file,) = (tmp_path / "cnnc").iterdir()
    written = file.stat().st_mtime_ns
    assert run_in_own_process(code, root, tmp_path) == "1"
    assert file.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", [b"", b"garbage\n", b"\x80\x05junk"])
def test_a_damaged_cache_does_no_harm(root: Path, tmp_path: Path, damage: bytes) -> None:
    code = "print(len(parse(Source('', 'net A'))[0].statements))"
    run_in_own_process(code, root, tmp_path)
    (file,) = (tmp_path / "cnnc").iterdir()
    file.write_bytes(file.read_bytes()[:100] + damage)
    assert run_in_own_process(code, root, tmp_path) == "1"


def test_no_cache_folder_does_no_harm(root: Path, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    code = "print(len(parse(Source('', 'net A'))[0].statements))"
    assert run_in_own_process(code, root, in_the_way) == "1"


def test_nothing_heavy_is_imported(root: Path, tmp_path: Path) -> None:
    code = "parse(Source('', 'net A')); print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = run_in_own_process(code, root, tmp_path).split()
    assert not {"numpy", "click", "interegular", "cupy"} & set(loaded)
    # Recovery is for texts with mistakes only.
    code = "parse(Source('', 'net A')); print('cnnc.dsl.recovery' in sys.modules)"
    assert run_in_own_process(code, root, tmp_path) == "False"


def test_threads_do_not_mix_their_texts() -> None:
    results: dict[int, str] = {}

    def work(number: int) -> None:
        for _ in range(20):
            file, _ = parse(Source(f"{number}", f"net A{number}\n" + "let b = 1\n" * 20))
            names = {s.span.source.name for s in file.statements}
            results[number] = "ok" if names == {str(number)} else str(names)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(results.values()) == {"ok"}
    assert parser_module._parser.cache_info().currsize == 1
