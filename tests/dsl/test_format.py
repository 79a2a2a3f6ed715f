"""The canonical form, example by example."""

from __future__ import annotations

import pytest

from cnnc.dsl.diagnostics import SpecError
from cnnc.dsl.format import format_source
from cnnc.dsl.source import Source


def formatted(text: str) -> str:
    once = format_source(Source("", text))
    assert format_source(Source("", once)) == once
    return once


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("net   A", "net A"),
        ("A→B ->C->D", "A -> B -> C -> D"),
        ("[ [ CONV->RELU ] *N->POOL ?] * M", "[[CONV -> RELU]*N -> POOL?]*M"),
        ("A ? ( b ) * ( N+1 ) as  c::3x3", "A?(b)*(N + 1) as c :: 3x3"),
        ("A* [1,2]", "A*[1, 2]"),
        ("A :: ( 64 , n )", "A :: (64, n)"),
        ("CONV ( 64 ,k = 3, pad= -1 )", "CONV(64, k=3, pad=-1)"),
        ("CONV( )", "CONV()"),
        ("UNPOOL(@ pool)->@ x", "UNPOOL(@pool) -> @x"),
        ("CONCAT {a|b->c}", "CONCAT{ a | b -> c }"),
        ("AUX( 0.3 ){a}", "AUX(0.3){ a }"),
        ("for a ,b in zip ( [1,2],c )[A(a)]*2", "for a, b in zip([1, 2], c) [A(a)]*2"),
        ("for a in b*c [D]", "for a in b * c [D]"),
        ("let a=1+2*3-4,b=2**-1", "let a = 1 + 2 * 3 - 4, b = 2 ** -1"),
        ("let a=-(1)-+2", "let a = -(1) - +2"),
        ("let a=(not b)and c<=d", "let a = (not b) and c <= d"),
        ("let a=b if c else(d)", "let a = b if c else (d)"),
        ("let a=(1,),b=(),c=[ ]", "let a = (1,), b = (), c = []"),
        ("param N=2 in[1,2],M=3", "param N = 2 in [1, 2], M = 3"),
        ("default CONV( 3 ,pad=same)", "default CONV(3, pad=same)"),
        ("block f( a,b = 1 )=CONV(a)->RELU", "block f(a, b=1) = CONV(a) -> RELU"),
        ("block f ( ) = A", "block f() = A"),
        ("import   'a.cnn'", "import 'a.cnn'"),
        ("expect memory( batch = 64 )<512MB", "expect memory(batch=64) < 512MB"),
        ("train{batch=64,epochs=10,}", "train { batch = 64  epochs = 10 }"),
        ("train{a=sgd(momentum=0.9)b=[flip,crop(4)]}",
         "train { a = sgd(momentum=0.9)  b = [flip, crop(4)] }"),
        ("train { }", "train { }"),
        ("net A#b", "net A  #b"),
        ("net A     # b   ", "net A  # b"),
        ("", ""),
        ("\n\n# c\n\n", "# c"),
    ],
)  # fmt: skip
def test_one_line(text: str, line: str) -> None:
    assert formatted(text) == (line + "\n" if line else "")


BEFORE_AND_AFTER = {
    "at most one blank line stays, and statements get lines of their own": (
        "\n\n# head\n\n\n\n# next\nnet A let b=1\n\n\nlet c=2\n# own\n\n\n\nA\n\n\n# end\n\n",
        "# head\n\n# next\nnet A\nlet b = 1\n\nlet c = 2\n# own\n\nA\n\n# end\n",
    ),
    "breaks before and after arrows are kept, as breaks before arrows": (
        "A -> B\n      -> C ->\n D -> E",
        "A -> B\n-> C\n-> D -> E\n",
    ),
    "a long chain is broken before arrows, at its outermost level": (
        "INPUT(3x32x32)->[CONV(64,3,pad=1)->RELU->CONV(64,3,pad=1)->RELU->POOL(2)]*2"
        "->[FC(4096)->RELU->DROPOUT(0.5)]*2->FC(1000)",
        """\
INPUT(3x32x32) -> [CONV(64, 3, pad=1) -> RELU -> CONV(64, 3, pad=1) -> RELU -> POOL(2)]*2
-> [FC(4096) -> RELU -> DROPOUT(0.5)]*2 -> FC(1000)
""",
    ),
    "a group that fits on no line is broken inside, below its first element": (
        "A->[CONV(64,3,pad=1)->RELU->CONV(64,3,pad=1)->RELU->CONV(64,3,pad=1)->RELU->"
        "CONV(64,3,pad=1)->RELU->POOL(2)]*2->B",
        """\
A
-> [CONV(64, 3, pad=1) -> RELU -> CONV(64, 3, pad=1) -> RELU -> CONV(64, 3, pad=1) -> RELU
    -> CONV(64, 3, pad=1) -> RELU -> POOL(2)]*2
-> B
""",
    ),
    "the body of a long `for` stands below it": (
        "INPUT(3x224x224)->for f,n in[(64,2),(128,2),(256,3),(512,3),(512,3)]"
        "[[CONV(f,3,pad=1)->RELU]*n->POOL(2)]::512x7x7",
        """\
INPUT(3x224x224)
-> for f, n in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
   [[CONV(f, 3, pad=1) -> RELU]*n -> POOL(2)] :: 512x7x7
""",
    ),
    "branches that don't fit stand one a line": (
        "block inception(c1,r3,c3,p)=CONCAT{CONV(c1,1)->RELU|CONV(r3,1)->RELU->"
        "CONV(c3,3,pad=1)->RELU|POOL(3,stride=1)->CONV(p,1)->RELU}->FC(10)",
        """\
block inception(c1, r3, c3, p) =
  CONCAT{ CONV(c1, 1) -> RELU
        | CONV(r3, 1) -> RELU -> CONV(c3, 3, pad=1) -> RELU
        | POOL(3, stride=1) -> CONV(p, 1) -> RELU }
  -> FC(10)
""",
    ),
    "a break before a branch is kept": (
        "ADD{A\n| B|C}",
        "ADD{ A\n   | B\n   | C }\n",
    ),
    "arguments and lists that don't fit are filled": (
        "LOCAL(16,5,table=[[0,1,2],[1,2,3],[2,3,4],[3,4,5],[0,4,5],[0,1,5],[0,1,2,3],[1,2,3,4],"
        "[2,3,4,5]],pad=1,bias=false)",
        """\
LOCAL(16, 5,
      table=[[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [0, 4, 5], [0, 1, 5], [0, 1, 2, 3],
             [1, 2, 3, 4], [2, 3, 4, 5]],
      pad=1, bias=false)
""",
    ),
    "knobs that don't fit stand below the first": (
        "param first_width=64 in[32,64,128],second_width=128 in[64,128,256],"
        "third_width=256 in[512]",
        """\
param first_width = 64 in [32, 64, 128], second_width = 128 in [64, 128, 256],
      third_width = 256 in [512]
""",
    ),
    "conditions are broken before operators": (
        "expect params<=600_000 and macs<1_000_000_000 and memory(batch=64)<512MB and layers<64 "
        "or depth<9",
        """\
expect params <= 600_000 and macs < 1_000_000_000 and memory(batch=64) < 512MB and layers < 64
       or depth < 9
""",
    ),
    "settings stand one a line where they don't fit": (
        "train{batch=64 epochs=10 optimizer=sgd(momentum=0.9,nesterov=true)lr=0.05 "
        "schedule=cosine(warmup=5) seed=3}",
        """\
train {
  batch = 64
  epochs = 10
  optimizer = sgd(momentum=0.9, nesterov=true)
  lr = 0.05
  schedule = cosine(warmup=5)
  seed = 3
}
""",
    ),
    "or where the first has a line of its own": (
        "train {\n batch=64,\n\n lr=1}",
        "train {\n  batch = 64\n  lr = 1\n}\n",
    ),
    "comments stay behind their word or before it": (
        """\
A # the first
# before the arrow
-> CONV(64, # filters
   # then the window
   3)
-> [B # in a group
] # behind it
-> CONCAT{ # branches
 C | # and another
 D }
train { # settings
batch=64, # samples
# how often
epochs=10 # times
}
# the end""",
        """\
A  # the first
# before the arrow
-> CONV(64,  # filters
        # then the window
        3)
-> [B  # in a group
]  # behind it
-> CONCAT{  # branches
           C
         |  # and another
           D }
train {  # settings
  batch = 64  # samples
  # how often
  epochs = 10  # times
}
# the end
""",
    ),
}


@pytest.mark.parametrize("name", BEFORE_AND_AFTER)
def test_layout(name: str) -> None:
    before, after = BEFORE_AND_AFTER[name]
    assert formatted(before) == after
    assert formatted(after) == after


def test_a_comment_alone_makes_no_line_longer() -> None:
    text = "A -> B  # " + "x" * 200 + "\n"
    assert formatted(text) == text


def test_brackets_up_to_the_limit() -> None:
    deep = "[" * 199 + "A" + " -> CONV(64, 3, pad=1) -> RELU" * 10 + "]" * 199
    assert formatted(deep).replace("\n", " ").count("[") == 199
    values = "let a = " + "[" * 199 + "1, " * 60 + "]" * 199
    assert formatted(values).count("[") == 199


def test_a_long_chain_takes_no_quadratic_time() -> None:
    text = "A" + " -> CONV(64, 3)" * 5000
    assert formatted(text).count("->") == 5000


def test_mistakes_are_raised_all_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        format_source(Source("a.cnn", "let a 1\nexpect b = 2\n"))
    assert [d.code for d in caught.value.diagnostics] == ["E118", "E116"]
