"""Random trees, texts and layouts: what is written is read, and nothing ever raises."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cnnc.dsl import nodes as n
from cnnc.dsl.diagnostics import SpecError
from cnnc.dsl.format import format_source
from cnnc.dsl.layout import WIDTH
from cnnc.dsl.numerals import number_value
from cnnc.dsl.parser import parse, parse_value, tokens_of
from cnnc.dsl.source import Source, Span

few = settings(max_examples=40, derandomize=True, deadline=None)
some = settings(max_examples=100, derandomize=True, deadline=None)

AT = Span(Source("", ""), 0, 0)
WORDS = ["a", "N", "width", "CONV", "RELU", "pool", "x", "x3", "same", "forty", "net_"]
NUMBERS = ["0", "2", "64", "61_706", "100k", "1.5M", "512MB", "0.05", ".5", "1e-4"]


# -- trees ------------------------------------------------------------------------------------

names = st.sampled_from(WORDS).map(lambda w: n.Name(AT, w))
words = st.sampled_from(WORDS)


def tuples(items: st.SearchStrategy, least: int, most: int) -> st.SearchStrategy:
    return st.lists(items, min_size=least, max_size=most).map(tuple)


def number(text: str) -> n.Number:
    value = number_value(text)
    assert value is not None
    return n.Number(AT, value, text)


shapes = tuples(st.integers(0, 512), 2, 4).map(lambda dims: n.ShapeLiteral(AT, dims))
atoms = st.one_of(
    names,
    st.sampled_from(NUMBERS).map(number),
    st.booleans().map(lambda b: n.Boolean(AT, b)),
    st.sampled_from(["", "a b", "it's", "# no comment", "->"]).map(lambda s: n.String(AT, s)),
    shapes,
)


def arguments(values: st.SearchStrategy) -> st.SearchStrategy:
    taps = words.map(lambda w: n.TapReference(AT, w))
    given = st.one_of(values, taps)
    plain = st.lists(given.map(lambda v: n.Argument(AT, None, v)), max_size=3)
    named = st.lists(st.builds(lambda w, v: n.Argument(AT, w, v), words, given), max_size=2)
    return st.builds(lambda p, q: (*p, *q), plain, named)


def operators(values: st.SearchStrategy) -> st.SearchStrategy:
    def run(*texts: str) -> st.SearchStrategy:
        return tuples(st.tuples(st.sampled_from(texts), values), 1, 3)

    return st.one_of(
        tuples(values, 0, 4).map(lambda v: n.ListValue(AT, v)),
        tuples(values, 0, 3).map(lambda v: n.TupleValue(AT, v)),
        st.builds(lambda op, v: n.Unary(AT, op, v), st.sampled_from(["-", "+", "not"]), values),
        st.builds(lambda v, r: n.Binary(AT, v, r), values, run("+", "-")),
        st.builds(lambda v, r: n.Binary(AT, v, r), values, run("*", "/", "//", "%")),
        st.builds(lambda v, w: n.Binary(AT, v, (("**", w),)), values, values),
        st.builds(lambda v, r: n.Compare(AT, v, r), values, run("<", ">", "<=", ">=", "==", "!=")),
        st.builds(
            lambda op, v: n.Logical(AT, op, v),
            st.sampled_from(["and", "or"]),
            tuples(values, 2, 3),
        ),
        st.builds(lambda a, b, c: n.Conditional(AT, a, b, c), values, values, values),
        st.builds(lambda f, a: n.Call(AT, f, a), names, arguments(values)),
    )


values = st.recursive(atoms, operators, max_leaves=8)
layers = st.builds(
    lambda w, a: n.Layer(AT, w, a, AT), words, st.one_of(st.none(), arguments(values))
)
counts = st.one_of(names, st.just(number("2")), values)


def composed(elements: st.SearchStrategy) -> st.SearchStrategy:
    chains = tuples(elements, 1, 4).map(lambda e: n.Chain(AT, e))
    args = st.one_of(st.none(), arguments(atoms))
    return st.one_of(
        chains.map(lambda c: n.Group(AT, c)),
        st.builds(
            lambda w, a, b: n.Branching(AT, w, a, b, AT),
            st.sampled_from(["CONCAT", "ADD", "AUX"]),
            args,
            tuples(chains, 1, 3),
        ),
        st.builds(lambda t, v, c: n.For(AT, t, v, c), tuples(names, 1, 2), values, chains),
        st.builds(lambda e, c: n.Repeat(AT, e, c), elements, counts),
        st.builds(lambda e, c: n.Optional(AT, e, c), elements, st.one_of(st.none(), values)),
        st.builds(lambda e, w: n.Named(AT, e, w), elements, names),
        st.builds(lambda e, s: n.Shaped(AT, e, s), elements, st.one_of(shapes, counts)),
    )


elements = st.recursive(
    st.one_of(layers, words.map(lambda w: n.Tap(AT, w))), composed, max_leaves=8
)
chains = tuples(elements, 1, 6).map(lambda e: n.Chain(AT, e))
setting = st.builds(lambda w, v: n.Setting(AT, w, v), names, values)
knobs = st.builds(lambda w, v, c: n.Knob(AT, w, v, c), names, values, st.one_of(st.none(), values))
formals = st.builds(lambda w, v: n.Formal(AT, w, v), names, st.one_of(st.none(), values))
statements = st.one_of(
    names.map(lambda w: n.Net(AT, w)),
    tuples(knobs, 1, 3).map(lambda k: n.Param(AT, k)),
    tuples(setting, 1, 3).map(lambda s: n.Let(AT, s)),
    tuples(setting, 0, 5).map(lambda s: n.Train(AT, s)),
    layers.filter(lambda la: la.args is not None).map(lambda la: n.Default(AT, la)),
    st.builds(lambda w, f, c: n.Block(AT, w, f, c), names, tuples(formals, 0, 3), chains),
    st.just(n.Import(AT, n.String(AT, "a/b.cnn"))),
    values.map(lambda v: n.Expect(AT, v)),
    chains,
)
files = st.lists(statements, max_size=5).map(lambda s: n.File(tuple(s), AT.source))


# -- trees as text ----------------------------------------------------------------------------


def written(node: object) -> str:
    """A tree as text, with parentheses around every operand that is no atom."""
    match node:
        case n.File():
            return "\n".join(map(written, node.statements))
        case n.Number():
            return node.text
        case n.Boolean():
            return str(node.value).lower()
        case n.String():
            return f'"{node.value}"'
        case n.ShapeLiteral():
            return "x".join(map(str, node.dims))
        case n.Name():
            return node.id
        case n.TapReference() | n.Tap():
            return f"@{node.name}"
        case n.ListValue():
            return f"[{listed(node.items)}]"
        case n.TupleValue():
            comma = "," if len(node.items) == 1 else ""
            return f"({listed(node.items)}{comma})"
        case n.Unary():
            return f"{node.op} {operand(node.operand)}"
        case n.Binary() | n.Compare():
            rest = "".join(f" {op} {operand(v)}" for op, v in node.rest)
            return operand(node.first) + rest
        case n.Logical():
            return f" {node.op} ".join(map(operand, node.operands))
        case n.Conditional():
            parts = map(operand, (node.then, node.test, node.other))
            return "{} if {} else {}".format(*parts)
        case n.Call():
            return f"{node.function.id}({listed(node.args)})"
        case n.Argument():
            return (f"{node.name}=" if node.name else "") + written(node.value)
        case n.Layer():
            return node.name + ("" if node.args is None else f"({listed(node.args)})")
        case n.Branching():
            args = "" if node.args is None else f"({listed(node.args)})"
            return f"{node.name}{args}{{ {' | '.join(map(written, node.branches))} }}"
        case n.Group():
            return f"[{written(node.chain)}]"
        case n.For():
            targets = ", ".join(map(written, node.targets))
            return f"for {targets} in {written(node.items)} [{written(node.body)}]"
        case n.Repeat():
            return f"{written(node.element)}*{enclosed(node.count)}"
        case n.Optional():
            condition = "" if node.condition is None else f"({written(node.condition)})"
            return f"{written(node.element)}?{condition}"
        case n.Named():
            return f"{written(node.element)} as {node.name.id}"
        case n.Shaped():
            return f"{written(node.element)} :: {enclosed(node.shape)}"
        case n.Chain():
            return " -> ".join(map(written, node.elements))
        case n.Net():
            return f"net {node.name.id}"
        case n.Knob():
            choices = "" if node.choices is None else f" in {written(node.choices)}"
            return f"{node.name.id} = {written(node.value)}{choices}"
        case n.Param():
            return f"param {listed(node.knobs)}"
        case n.Setting():
            return f"{node.name.id} = {written(node.value)}"
        case n.Let():
            return f"let {listed(node.settings)}"
        case n.Train():
            return f"train {{ {' '.join(map(written, node.settings))} }}"
        case n.Default():
            return f"default {written(node.layer)}"
        case n.Formal():
            default = "" if node.default is None else f"={written(node.default)}"
            return node.name.id + default
        case n.Block():
            return f"block {node.name.id}({listed(node.formals)}) = {written(node.body)}"
        case n.Import():
            return f"import {written(node.path)}"
        case n.Expect():
            return f"expect {written(node.condition)}"
    raise AssertionError(node)


def listed(items: tuple[object, ...]) -> str:
    return ", ".join(map(written, items))


def operand(value: n.Expr) -> str:
    compound = (n.Unary, n.Binary, n.Compare, n.Logical, n.Conditional)
    return f"({written(value)})" if isinstance(value, compound) else written(value)


def enclosed(value: n.Expr) -> str:
    """A count or a shape: what is not one word stands in parentheses."""
    if isinstance(value, n.Name) or (isinstance(value, n.Number) and value.text == "2"):
        return written(value)
    return f"({written(value)})"


def read(text: str) -> n.File:
    file, diagnostics = parse(Source("", text))
    assert diagnostics == ()
    return file


def formatted(text: str) -> str:
    return format_source(Source("", text))


@some
@given(files)
def test_what_is_written_is_read(file: n.File) -> None:
    assert read(written(file)) == file


@some
@given(values)
def test_a_value_alone(value: n.Expr) -> None:
    assert parse_value(Source("", written(value))) == (value, ())


@few
@given(files)
def test_every_span_says_what_its_node_says(file: n.File) -> None:
    found = read(written(file))
    for statement in found.statements:
        assert read(statement.span.text).statements == (statement,)


# -- any text ---------------------------------------------------------------------------------

TOKENS = [
    *"net param let default block import expect train for in as if else and or not true".split(),
    *"( ) [ ] { } | , = == * ** ? :: @ + - / // % < > <= -> → => ; $ . ' \" & && ! ö".split(),
    *WORDS, *NUMBERS, "3x32", "64abc", "3 x 3", '"text"', "\n", "# c\n", "\0", "\u00a0",
]  # fmt: skip
soups = st.lists(
    st.tuples(st.sampled_from(TOKENS), st.sampled_from(["", " ", " ", "\n"])), max_size=60
).map(lambda parts: "".join(token + space for token, space in parts))


def check_anything(text: str) -> None:
    source = Source("", text)
    file, diagnostics = parse(source)
    for found in diagnostics:
        assert found.span is not None
        assert 0 <= found.span.start <= found.span.end <= len(text)
        assert found.span.source is source
    assert len({(d.code, d.span) for d in diagnostics}) == len(diagnostics)
    if not diagnostics:
        assert read(formatted(text)) == file
    value, why = parse_value(source)
    assert (value is None) == bool(why)


@settings(some, max_examples=400)
@given(soups)
@example("")
@example("for (")
@example("net net net")
@example("a = ")
@example("let a = 1 ||")
@example("\ud800")
def test_token_soup_raises_nothing(text: str) -> None:
    check_anything(text)


@some
@given(st.text(max_size=40))
def test_any_text_raises_nothing(text: str) -> None:
    check_anything(text)


@few
@given(files, st.data())
def test_a_damaged_file_raises_nothing(file: n.File, data: st.DataObject) -> None:
    text = written(file)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 5)))
    check_anything(text[:start] + data.draw(st.sampled_from(TOKENS)) + text[end:])


# -- the formatter ----------------------------------------------------------------------------


def comments(text: str) -> list[tuple[str, bool]]:
    """The comments of a text, each with whether it has a line of its own."""
    found, end = [], 0
    tokens = [(t.start_pos or 0, t.end_pos or 0) for t in tokens_of(Source("", text))]
    for start, after in [*tokens, (len(text), len(text))]:
        own = end == 0
        for match in re.finditer(r"#[^\n]*|\n", text[end:start]):
            if match[0] == "\n":
                own = True
            else:
                found.append((match[0].rstrip(), own))
        end = after
    return found


def check_format(text: str) -> str:
    once = formatted(text)
    assert read(once) == read(text)
    assert formatted(once) == once
    assert comments(once) == comments(text)
    assert once == "" or once.endswith("\n")
    assert "\n\n\n" not in once
    assert not re.search(r"[ \t]\n", once)
    return once


@some
@given(files)
def test_format_of_any_file(file: n.File) -> None:
    check_format(written(file))


SPACE = [
    "",
    " ",
    "  ",
    "\n",
    "\n\n\n",
    " \n  ",
    " # c\n",
    "\n# own line\n",
    "\n\n#!\n\n",
    "#1\n#2\n",
]


@some
@given(files, st.randoms(use_true_random=False))
def test_format_of_any_layout_with_any_comments(file: n.File, random: object) -> None:
    choose = random.choice  # type: ignore[attr-defined]
    text = written(file)
    laid_out, end = choose(SPACE), 0
    for token in tokens_of(Source("", text)):
        start = token.start_pos or 0
        needed = " " if end < start or end == 0 else ""
        laid_out += (choose(SPACE) or needed) if needed or choose([0, 0, 1]) else ""
        word = "→" if token == "->" and choose([True, False]) else str(token)
        laid_out += word
        end = token.end_pos or 0
    check_format(laid_out + choose(SPACE))


groups = st.recursive(
    st.sampled_from(["CONV(64, 3, pad=1)", "RELU", "POOL?", "FC(4096)", "BN as norm"]),
    lambda e: st.lists(e, min_size=2, max_size=5).map(lambda p: f"[{' -> '.join(p)}]*2"),
    max_leaves=30,
)


@some
@given(st.lists(groups, min_size=1, max_size=6).map(" -> ".join))
def test_chains_of_groups_fit_on_their_lines(text: str) -> None:
    assert max(map(len, check_format(text).splitlines())) <= WIDTH


@few
@given(soups)
def test_format_refuses_what_has_mistakes(text: str) -> None:
    source = Source("", text)
    _, diagnostics = parse(source)
    try:
        format_source(source)
    except SpecError as error:
        assert error.diagnostics == diagnostics
        assert diagnostics
    else:
        assert diagnostics == ()
