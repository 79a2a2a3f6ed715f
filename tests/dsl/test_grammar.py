"""The grammar itself: no conflicts, no text that does not split into tokens, the examples."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from lark import Lark, logger

from cnnc.dsl import nodes as n
from cnnc.dsl.parser import parse, tokens_of
from cnnc.dsl.source import Source
from cnnc.grammars import cnn_grammar

# The examples of the language's description.
EXAMPLES = [
    """\
net classic                                   # the pattern every classic ConvNet follows
param N = 2 in [1, 2, 3], M = 2, K = 1        # free numbers: --set N=3
param width = 32, pool = true
default CONV(width, 3, pad=same)              # what a CONV does not say here
default FC(128)

INPUT(3x32x32) -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC(10)

expect output == 10
expect params <= 600k
train { batch = 64  epochs = 10  optimizer = sgd(momentum=0.9)  lr = 0.05  schedule = cosine }
""",
    """\
net VGG16
INPUT(3x224x224) -> CENTER
-> for f, n in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
   [ [CONV(f, 3, pad=1) -> RELU]*n -> POOL(2) ]      :: 512x7x7
-> [FC(4096) -> RELU -> DROPOUT(0.5)]*2 -> FC(1000)
expect params == 138_357_544
""",
    """\
block inception(c1, r3, c3, r5, c5, p) =
  CONCAT{ CONV(c1, 1) -> RELU
        | CONV(r3, 1) -> RELU -> CONV(c3, 3, pad=1) -> RELU
        | CONV(r5, 1) -> RELU -> CONV(c5, 5, pad=2) -> RELU
        | POOL(3, stride=1, pad=1) -> CONV(p, 1) -> RELU }
block residual(f, s=1, project=false) =
  ADD{ CONV(f, 3, stride=s, pad=1, bias=false) -> BN -> RELU -> CONV(f, 3, pad=1, bias=false) -> BN
     | [CONV(f, 1, stride=s, bias=false) -> BN]?(project) }   # without the projection: the input
  -> RELU
""",
    "[[CONV->RELU]*N->POOL?]*M",
    "INPUT → [[CONV→RELU]*N→POOL?]*M → [FC→RELU]*K → FC",
    'import "blocks.cnn"\nlet a = 1, b = a + 1\nINPUT((3, size, size))',
    "CONV([64, 128, 256], 3)*[2, 2, 3] -> RELU?([1, 1, 0]) -> AUX(0.3){ FC(10) }",
    "CONCAT{ ID | @enc1 } as x :: 64x16x16 -> UNPOOL(@pool) -> NORMALIZE(std, per=channel)",
    "CONV(2, init=normal(0.1), share='a', pad=(1, 2, 1, 2)) :: (64, 2*n, 16) -> MUL{ A }",
    "expect memory(batch=64) < 512MB and receptive_field == 31x31 or not layers > 3",
    "train { augment = [flip, crop(4)], betas = (0.9, .999), lr = 1e-4, x = a if b else c, }",
    "",
    "# only a comment",
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_parse(text: str) -> None:
    _, diagnostics = parse(Source("example.cnn", text))
    assert diagnostics == ()


def conflicts(grammar: str, start: list[str]) -> list[str]:
    """What lark says about conflicts: shift/reduce ones only in its debug log."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    listener, level = Listener(), logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    try:
        Lark(grammar, parser="lalr", lexer="basic", start=start, debug=True)
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)
    return [text for text in said if "conflict" in text.lower()]


def test_there_are_no_conflicts() -> None:
    assert conflicts(cnn_grammar(), ["file", "value", "mistake"]) == []


def test_a_conflict_would_be_seen() -> None:
    dangling = 'file: s\ns: "i" s | "i" s "e" s | "x"'
    assert conflicts(dangling, ["file"]) != []


@pytest.mark.parametrize(
    "edit",
    [
        # A comma that may trail in `param` and a count that is any value are ambiguous.
        lambda g: g.replace('("," knob)*', '("," knob)* [","]'),
        lambda g: g.replace('element "*" count ', 'element "*" value '),
    ],
)
def test_conflicts_the_comments_warn_of(edit: Callable[[str], str]) -> None:
    changed = edit(cnn_grammar())
    assert changed != cnn_grammar()
    assert conflicts(changed, ["file"]) != []


def test_every_rule_has_a_method_of_the_builder() -> None:
    from cnnc.dsl.build import Builder

    grammar = Lark(cnn_grammar(), parser="lalr", start=["file", "value", "mistake"])
    wanted = {
        rule.alias or rule.options.template_source or rule.origin.name
        for rule in grammar.rules
        if not rule.origin.name.startswith("_")
    }
    missing = {w for w in wanted if not hasattr(Builder, w)}
    # Rules that always vanish, being an alternative of one part.
    assert missing <= {
        "mistake", "statement", "element", "count", "shape", "value", "either", "both",
        "negation", "comparison", "sum", "term", "factor", "power", "atom",
    }  # fmt: skip


def test_rules_that_vanish_leave_no_trace() -> None:
    file, _ = parse(Source("", "let a = 1\nA*2 :: 3"))
    assert file == n.File(
        (
            n.Let(_at(file), (n.Setting(_at(file), n.Name(_at(file), "a"), _number(file, 1)),)),
            n.Chain(
                _at(file),
                (
                    n.Shaped(
                        _at(file),
                        n.Repeat(
                            _at(file), n.Layer(_at(file), "A", None, _at(file)), _number(file, 2)
                        ),
                        _number(file, 3),
                    ),
                ),
            ),
        ),
        file.source,
    )


def _at(file: n.File):  # type: ignore[no-untyped-def]
    return file.statements[0].span


def _number(file: n.File, value: int) -> n.Number:
    return n.Number(_at(file), value, str(value))


@pytest.mark.parametrize("codes", [range(0x250), range(0x2000, 0x2100), range(0xD7F0, 0xE010)])
def test_every_character_is_in_a_token_or_skipped(codes: range) -> None:
    for code in codes:
        for text in (chr(code), f"a{chr(code)}b", f"1{chr(code)}2", f'"{chr(code)}'):
            tokens_of(Source("", text))


def test_reserved_words_are_whole_words() -> None:
    types = [t.type for t in tokens_of(Source("", "net netx xnet in int INPUT for_ true trueish"))]
    assert types == ["NET", "NAME", "NAME", "IN", "NAME", "NAME", "NAME", "TRUE", "NAME"]
