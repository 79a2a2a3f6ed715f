"""Right specs, and a generator that puts one random mistake into one of them.

A kind of mistake is a pattern and what stands in its place afterwards. Every place that the
pattern finds must be one where the spec is wrong then, on that line. The same seed makes the same
mistake on every machine.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cnnc.compiler.layers.registry import LAYERS

SPECS = {
    "lenet": """\
# a comment with an -> arrow and a ( bracket
net LeNet5

INPUT(1x28x28)
-> CONV(6, 5, pad=2) -> TANH -> POOL(avg, 2) :: 6x14x14
-> CONV(16, 5) -> TANH
-> POOL(avg, 2) :: 16x5x5
-> FC(120) -> TANH
-> FC(84) -> TANH
-> FC(10)

expect params == 61_706
expect macs == 416_520 and depth == 5
expect output == 10

train {
  batch = 32
  epochs = 20
  optimizer = sgd(momentum=0.9)
  lr = 0.05
  schedule = cosine(warmup=1)
  augment = [crop(2)]
}
""",
    "pattern": """\
net classic
param N = 2 in [1, 2, 3], M = 2
param K = 1
param width = 16, pool = true
let hidden = 4 * width,
    classes = 10

default CONV(width, 3, pad=same)
default FC(hidden)

INPUT(3x32x32)
-> [
     [CONV -> RELU]*N
     -> POOL?
   ]*M
-> [FC -> RELU]*K
-> FC(classes)

expect output == classes
expect params <= 600k
expect layers < 30
""",
    "vgg": """\
net VGG
let stages = [(8, 1), (16, 2)]

INPUT(3x32x32) -> CENTER
-> for f, n in stages [
     [CONV(f, 3, pad=1) -> RELU]*n
     -> POOL(2)
   ] :: 16x8x8
-> for units in range(32, 16, -8) [
     FC(units) -> RELU
     -> DROPOUT(0.5)
   ]
-> FC(10)
expect depth == 6
expect receptive_field == 32x32
train { batch = 16  optimizer = adam(beta1=0.8)
  lr = 0.001  weight_decay = 0.01 }
""",
    "alexnet": """\
# groups, overlapping pooling, lists per repetition
INPUT(3x67x67) -> CENTER
-> CONV(24, 11, stride=4)
-> RELU -> POOL(3, stride=2) :: 24x7x7
-> CONV(32, 5, pad=2, groups=2) -> RELU
-> [
     CONV([48, 48, 32], 3, pad=1, groups=[1, 2, 2])
     -> RELU
   ]*3
-> POOL(3, stride=2)
:: 32x3x3
-> [
     FC(64, init=normal(0.01)) -> RELU
     -> DROPOUT(0.5)?([true, false])
   ]*2
-> FC(10, bias=false) -> SOFTMAX
expect trainable == params
expect memory(batch=8) < 4MB
""",
    "plain": """\
net Plain
param size = 20 in [12, 20, 28]
let half = size // 2, depths = [4, 8]
INPUT((2, size, size))
-> NORMALIZE(range, per=pixel)
-> CONV(depths, 3, pad=(1, 1, 1, 1), init=he)*2
-> LEAKYRELU(0.1) -> MAXPOOL(2, stride=2)
:: (8, half, half)
-> AVGPOOL(3, stride=1, pad=1, include_pad=false)
-> CONV(6, 3x3, pad=valid, dilation=2, lr=0.5, freeze=true)
-> SIGMOID
-> FLATTEN -> FC(max(4, half))
-> TANH(scale=1.7159, slope=0.6666)
-> FC(3)
expect trainable < params and output == 3
""",
    "resnet": """\
net Residual
param width = 8
block conv(f, k=3, s=1) =
  CONV(f, k, stride=s, pad=same, bias=false)
  -> BN
block residual(f, s=1, project=false) =
  ADD{ conv(f, s=s) -> RELU -> conv(f)
     | [conv(f, 1, s)]?(project) }
  -> RELU
default CONV(init=he)
INPUT(3x16x16)
-> conv(width) -> RELU
-> for f, s in [(8, 1), (16, 2)] [
     residual(f, s, s > 1)
     -> residual(f)
   ] :: 16x8x8
-> GLOBALPOOL(avg) -> FC(10)
expect main == params
expect output == 10
""",
    "unet": """\
INPUT(1x16x16)
-> [CONV(4, 3, pad=1) -> RELU] as enc1
-> POOL(2)
-> CONV(8, 3, pad=1) as low
-> RELU -> UPSAMPLE(2)
-> CONCAT{ ID | @enc1 } :: 12x16x16
-> MUL{ ID | GLOBALPOOL -> SIGMOID }
-> AUX(0.3){ CONV(2, 1) }
-> DECONV(2, 3, pad=1)
expect main < params and output == 2x16x16
""",
    "imported": """\
import "blocks.cnn"
import "lib/heads.cnn"
param depth = 2
INPUT(3x16x16)
-> conv(8) -> RELU
-> [residual(8)]*depth
-> POOL(2) :: 8x8x8
-> head(classes, drop=0.2)
expect output == classes
train {
  epochs = 3
  augment = [flip, crop(2)]
  loss = cross_entropy(label_smoothing=0.1)
}
""",
}  # fmt: skip

# The files that `imported` imports, by their paths.
FILES = {
    "blocks.cnn": """\
block conv(f, k=3) = CONV(f, k, pad=same, bias=false) -> BN
block residual(f) = ADD{ conv(f) -> RELU -> conv(f) | ID } -> RELU
""",
    "lib/heads.cnn": """\
let classes = 10
block head(units, drop) = DROPOUT(drop) -> FC(units)
""",
}


Change = Callable[[re.Match[str], random.Random], str]


@dataclass(frozen=True)
class Kind:
    """A kind of mistake: what it looks for, and what it puts there.

    below   by how many lines the mistake is further down than what was found
    """

    pattern: re.Pattern[str]
    change: Change
    below: int = 0


@dataclass(frozen=True)
class Mutant:
    """A spec with one mistake, and the line that it is on."""

    name: str
    text: str
    line: int


def kind(pattern: str, *news: str | Change, below: int = 0) -> Kind:
    r"""A kind whose mistake is one of `news`, in which \1 is what was there."""

    def change(match: re.Match[str], draw: random.Random) -> str:
        new = draw.choice(news)
        return match.expand(new) if isinstance(new, str) else new(match, draw)

    return Kind(re.compile(pattern, re.MULTILINE), change, below)


def mutants(kinds: Mapping[str, Kind], seeds: int) -> Iterator[Mutant]:
    """Up to so many different mistakes of each kind in each spec."""
    for name, mistake in kinds.items():
        for spec, text in SPECS.items():
            seen = {text}
            for seed in range(seeds):
                draw = random.Random(f"{name} {spec} {seed}")
                places = mistake.pattern.finditer(text)
                found = [m for m in places if not _in_comment(text, m.start())]
                if not found:
                    break
                match = draw.choice(found)
                changed = text[: match.start()] + mistake.change(match, draw) + text[match.end() :]
                if changed not in seen:
                    seen.add(changed)
                    line = text.count("\n", 0, match.start()) + 1 + mistake.below
                    yield Mutant(f"{name}-{spec}-{seed}", changed, line)


def _in_comment(text: str, place: int) -> bool:
    return "#" in text[text.rfind("\n", 0, place) + 1 : place + 1]


def misspelt(match: re.Match[str], draw: random.Random) -> str:
    """The word with two letters changed over, one left out or one doubled; not another word."""
    word = match[0]
    while True:
        at = draw.randrange(1, len(word))
        new = draw.choice(
            (
                word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
            )
        )
        if new not in WORDS and new != word:
            return new


def other_number(match: re.Match[str], draw: random.Random) -> str:
    """A larger number."""
    return str(int(match[0]) + draw.randint(1, 9))


def denied(match: re.Match[str], draw: random.Random) -> str:
    """A comparison that holds, turned into its opposite."""
    opposite = {"==": "!=", "<=": ">", "<": ">="}
    return f"{match[1]} {opposite[match[2]]}"


# No misspelling makes one of these of another: it would be no mistake, or one elsewhere.
WORDS = {*LAYERS, "ID", "AUX", "f", "n", "N", "M", "K", "in", "if", "or", "and", "not"}
WORDS |= {argument for layer in LAYERS.values() for argument in layer.arguments}

KINDS = {
    # -- letters ----------------------------------------------------------------------
    "misspelt layer": kind(
        r"\b(?:INPUT|CENTER|NORMALIZE|(?:MAX|AVG|GLOBAL)?POOL|(?:DE)?CONV|FC|(?:LEAKY)?RELU|TANH"
        r"|SIGMOID|FLATTEN|SOFTMAX|DROPOUT|BN|UPSAMPLE|CONCAT|ADD|MUL|AUX)\b",
        misspelt,
    ),
    "misspelt argument": kind(
        r"\b(?:stride|pad|groups|dilation|init|bias|freeze|per|include_pad|scale|slope|momentum"
        r"|warmup|beta1)(?==)",
        misspelt,
    ),
    "misspelt setting": kind(
        r"\b(?:epochs|optimizer|schedule|augment|weight_decay)(?= =)", misspelt
    ),
    "misspelt word": kind(
        r"(?<=pad=)(?:same|valid)|(?<=init=)(?:he|normal)|(?<=per=)pixel|\b(?:avg|range)(?=,)"
        r"|(?<== )(?:sgd|adam|cosine)|(?<=\[)crop",
        misspelt,
    ),
    "misspelt default or net": kind(r"^(?:default|net)\b", misspelt),
    "misspelt statement": kind(r"^(?:param|let|expect|block|train)\b", misspelt),
    "misspelt name": kind(
        r"(?<=CONV\()(?:width|depths)|(?<=\* )width|(?<=FC\()(?:hidden|classes|units)"
        r"|(?<=in )stages|(?<== )size|(?<=, )(?:size|half)(?=\))|(?<=== )classes",
        misspelt,
    ),
    "misspelt function": kind(r"\b(?:max|memory)(?=\()|\brange(?=\(\d)", misspelt),
    "misspelt quantity": kind(
        r"(?<=expect )(?:params|macs|output|layers|depth|receptive_field|trainable)", misspelt
    ),
    # -- signs ------------------------------------------------------------------------
    "missing arrow": kind(r"-> ", ""),
    "wrong arrow": kind(r"->", "=>", "-->", "- >", ">"),
    "arrow twice": kind(r"->", "-> ->"),
    "missing closing bracket": kind(r"(?<=\w)\)(?= ->| ::)|(?<=RELU)\](?=\*K)", ""),
    "missing opening bracket": kind(r"(?<=[A-Z])\((?=\d)|(?<=-> )\[(?=FC)", " "),
    "extra closing bracket": kind(r"^(-> [^()\n]*\([^()\n]*\d\))", r"\1)", r"\1]", r"\1}"),
    "extra opening bracket": kind(r"^(-> (?:.*?-> )?)(?=[A-Z])", r"\1["),
    "extra parenthesis": kind(r"(?<=-> )(?=[A-Z])", "("),
    "wrong bracket": kind(r"^(-> [^{\[\n]*?\d)\)(?= |$)", r"\1]", r"\1}"),
    "empty group": kind(r"\[CONV.*?\](?=\*)", "[]"),
    "missing comma": kind(r"(?<=\d), (?=\w)", " "),
    "comma twice": kind(r"(?<=\w), (?=\w)", ", , "),
    "open quote": kind(r"(?<=init=)he|(?<=pad=)\w+", r'"\g<0>'),
    "stray character": kind(r"(?<=\)) (?=->)", " ; ", " $ ", " % "),
    "value missing": kind(r"(?<=[a-z]=)[\w.]+(?=[,)])|(?<=param K = )\d+$", ""),
    "no equals sign": kind(r"(?<=param \w) =|(?<=^  \w\w) =|(?<=  epochs) =|(?<=let half) =", ""),
    "one equals sign": kind(r"(?<=[a-z]) ==(?= )", " ="),
    "two equals signs": kind(r"(?<=[a-z]) =(?= \d)", " =="),
    "word of Python": kind(r"\b(?:true|false)\b", "True", "False", "None"),
    "and of C": kind(r" and ", " && "),
    "reserved word": kind(r"(?<=net )\w+|(?<=param )[NK]\b(?! = 2)|(?<=for )units", "train", "in"),
    "spaces in a shape": kind(r"(\d+)x(\d+)x(\d+)", r"\1 x \2 x \3", r"\1X\2X\3", r"\1x\2x"),
    "argument without a name": kind(r"(\(\w+=\S+), (\w+)=", r"\1, "),
    # -- values -----------------------------------------------------------------------
    "wrong type": kind(
        r"(?<=CONV\()\d+|(?<=FC\()\d+|(?<=DROPOUT\()[\d.]+|(?<=LEAKYRELU\()[\d.]+",
        '"8"', "true", "3x3x3", "(1, 2)",
    ),
    "out of range": kind(
        r"((?:CONV|FC)\()\d+|((?:stride|groups|dilation)=)\d+|((?:\blr|batch|epochs) = )[\d.]+",
        r"\1\2\g<3>0", r"\1\2\g<3>-1",
    ),
    "no probability": kind(r"(?<=DROPOUT\()[\d.]+", "1", "1.5", "-0.1"),
    "argument too many": kind(r"\b(?:RELU|SIGMOID|FLATTEN|SOFTMAX)\b", r"\g<0>(3)", r"\g<0>(3, 4)"),
    "argument twice": kind(r"\b(\w+)=(\w+)(?=\))", r"\g<0>, \g<0>"),
    "argument missing": kind(r"\b(CONV|FC)\((?:\d|f)[^()]*\)", r"\1"),
    "unknown setting": kind(r"(?<=batch = )\d+", r"\g<0>  speed = 3"),
    "choice that is none": kind(r"(?<=param N = )2|(?<=param size = )20", "7", "true", '"a"'),
    "no list of choices": kind(r"(?<= in )\[1.*?\]", "20", "2", "true"),
    "no value": kind(
        r"4 \* width|size // 2|max\(4, half\)", "4 // 0", "-true", "max([])", "sqrt(-1)"
    ),
    "needs itself": kind(r"(?<=let )(hidden|half) = .*?(?=,)", r"\1 = \1 + 1"),
    "no count": kind(r"(?<=\*)\d$|(?<=\*)[NMK]\b", "2.5", "(0 - 1)", "(1 / 2)", "-2", '"2"'),
    "count not declared": kind(r"(?<=\*)[NMK]\b", "Q", "(Q + 1)", "depth"),
    "no condition": kind(r"(?<=POOL)\?|(?<=\))\?\(.*?\)$", "?(7)", '?("a")', "?(half)"),
    "group without condition": kind(r"(?<=\])\*\w+", r"\g<0>?"),
    "list of another length": kind(
        r"(\[|, )(\d+|true)(?=[^\[]*\](?:, 3|\)|\)$))", r"\1\2, \2", r"\1\2, \2, \2, \2"
    ),
    "list without repeat": kind(r"(?<=FC\()(?:10|84|120)\b", "[8, 9]", "[3]"),
    "no list to go through": kind(r"(?<=in )stages|(?<=in )range\(.*?\)", "3", "true", '"a"'),
    "names too many": kind(r"(?<=for f, n)(?= in)", ", m"),
    "bound twice": kind(r"(?<=for units)(?= in)", ", units", ", m, units"),
    # -- shapes and claims ------------------------------------------------------------
    "window too large": kind(
        r"((?:MAX|AVG)?POOL\((?:avg, )?)\d+|(CONV\(\d+, )\d+(?:x\d+)?", r"\1\g<2>99", r"\1\g<2>1x99"
    ),
    "groups that do not divide": kind(r"(?<=groups=)2", "5", "7"),
    "bad input shape": kind(
        r"(?<=INPUT\()\d+x\d+x\d+", "3x32", "0x8x8", "1x2x3x4", "1.5", '"3x8x8"', "3, 8, 8"
    ),
    "vector to a window": kind(r"(?<=-> )SOFTMAX|(?<=FC\(84\) -> )TANH", "POOL(2)", "CONV(4, 3)"),
    "data layer inside": kind(r"\b(?:RELU|TANH)(?= -> POOL)", "CENTER", "NORMALIZE(range)"),
    "second input": kind(r"\b(?:RELU|TANH|SIGMOID)\b(?!\()", "INPUT(3x8x8)", "INPUT(10)", "INPUT"),
    "wrong claim": kind(r"(?<=:: )\d+(?=x)|(?<=:: \()\d+(?=,)", other_number),
    "claim of another rank": kind(r"(?<=:: )(\d+)x\d+x\d+", r"\1", r"\1x7", r"\1x7x7x7"),
    "claim missing": kind(r"(?<=::) \d+x\d+x\d+", ""),
    "wrong expectation": kind(r"(?<=expect )(\S+) (==|<=|<)(?= )", denied),
    "expectation of nothing": kind(r"(?<=expect )(\S+) .*", r"\1", r"\1 == ", "3"),
    # -- blocks, branches, names ------------------------------------------------------
    "misspelt block": kind(r"(?<=-> )residual(?=\()|(?<=\{ )conv|(?<=\[)conv", misspelt),
    "misspelt formal": kind(r"(?<=\{ conv\(f, )s(?==)", "st", "f2"),
    "formal missing": kind(r"(?<=-> )(residual|conv)\((?:f|width)\)", r"\1", r"\1()"),
    "block in itself": kind(r"(?<=-> )BN$", "conv(f)", "conv"),
    "formal twice": kind(r"(?<=block conv\()f", "f, f", "s"),
    "no such tap": kind(r"@enc1", "@enc2", "@conv1", "@relu"),
    "tap inside a chain": kind(r"(?<=-> )(?=RELU -> UPSAMPLE)", "@enc1 -> "),
    "name twice": kind(r"(?<=as )low", "enc1"),
    "one branch": kind(r"(?<=\{ )ID \| ", ""),
    "branches that do not fit": kind(r"CONCAT(?=\{)", "ADD", "MUL"),
    "branches of no merge": kind(r"\b(?:CONCAT|ADD|MUL)(?=\{)", "RELU", "POOL(2)"),
    "side exit of another shape": kind(r"(?<=\{ CONV\()2", "3"),
    # -- habits of other languages ----------------------------------------------------
    "comment of another language": kind(r"(?<=\S)(?=\n-> )", " // more", " /* more */"),
    "layer of PyTorch": kind(
        r"(?<=-> )(?:CONV|DWCONV)\((?=[^()]*\))|(?<=-> )FC\((?=\d+\))",
        lambda m, draw: {"C": "nn.Conv2d(3, ", "D": "nn.Conv2d(3, ", "F": "nn.Linear(3, "}[m[0][0]],
    ),
    "layer in lower case": kind(
        r"(?<=-> )(?:CONV|RELU|POOL|FC|TANH|BN)\b", lambda m, draw: m[0].lower()
    ),
    "argument of another tool": kind(
        r"(?<=[(,] )(?:pad|stride)(?==)",
        lambda m, draw: {"pad": "padding", "stride": "strides"}[m[0]],
    ),
    "activation as an argument": kind(
        r"(CONV\([^()]*)\) -> RELU", r"\1, activation='relu')", r"\1, activation=relu)"
    ),
    "count in front": kind(r"(?<=-> )(\[[^\[\]\n]*\])\*(\d|[KNM])", r"3*\1"),
    "x for times": kind(r"(\])\*(\d)$", r"\1x\2"),
    "group in parentheses": kind(r"(?<=-> )\[(FC[^\[\]\n]*)\](?=\*)", r"(\1)", r"{\1}"),
    "branches in parentheses": kind(
        r"(CONCAT|MUL)\{ (ID) \| ([^|{}\n]*->[^|{}\n]*) \}", r"\1(\2, \3)", r"\1{ \2, \3 }"
    ),
    "index": kind(r"(?<=CONV\()depths", r"depths[0]"),
    "percent": kind(r"(?<=DROPOUT\()0\.5|(?<=drop=)0\.2", "50%"),
    "digits with commas": kind(r"(?<=== )138_357_544|(?<=== )61_706|(?<=== )416_520", "61,706"),
    "name in front": kind(r"(?<=-> )(CONV\([^()]*\)) as (\w+)", r"\2: \1", r"\2 = \1"),
    "no as": kind(r"(?<=\)) as (?=low)", " "),
    "tap without its sign": kind(r"@(?=enc1)", ""),
    "block without parentheses": kind(r"(?<=block residual)\(f, s=1, project=false\)", ""),
    "block of Python": kind(r"^block(?= residual)", "def", "function"),
    "block in braces": kind(r"(?<=s=1\)) =\n  (CONV.*\n  -> BN)", r" {\n  \1\n}"),
    # -- files and training -----------------------------------------------------------
    "misspelt import": kind(r"(?<=import \")(?:blocks|lib/heads)", misspelt),
    "import from outside": kind(r"(?<=import \")(?=blocks)", "../", "/tmp/"),
    "import without quotes": kind(r"import \"(.*)\"", r"import \1"),
    "argument of an import": kind(r"(?<=head\(classes, )drop", "dorp", "rate2"),
    "misspelt augmentation": kind(r"(?<=\[)flip|\bcrop(?=\(2)", misspelt),
    "misspelt loss": kind(r"cross_entropy|label_smoothing", misspelt),
    "colon in train": kind(r"(?<=  epochs) =", ":"),
    "train in parentheses": kind(r"(?<=train) \{ (batch = 16) .*\n.*\}", r"(\1)"),
    # -- statements -------------------------------------------------------------------
    "declared twice": kind(r"^((?:param|let) (?:K|stages|size) = .*)$", r"\1\n\1", below=1),
    "net twice": kind(r"^(net \w+)$", r"\1\n\1", r"\1\nnet Other", below=1),
    "default twice": kind(r"^(default FC.*)$", r"\1\n\1", below=1),
    "second chain": kind(r"^(expect .*)$", r"INPUT(1x8x8) -> RELU\n\1"),
    "no statement": kind(r"^(expect .*)$", r"width = 3\n\1", r"classes\n\1"),
}  # fmt: skip

# Mistakes for which there may be several errors, and why. One is on the mistake's line.
SEVERAL = {
    # What a loop binds no more is missed where it is used, and what it binds instead is no number.
    "names too few": kind(r"for f, n in stages \[\n", "for f in stages [\n", below=1),
}
