"""From text to syntax tree.

A correct text takes the short way: tokens, lark's LALR(1) parser, `build.Builder`. Only a text
with mistakes goes through `recovery`, which mends the list of tokens; the mended list then
takes the same way. So the tree has everything that could be understood.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Sequence

from lark import Lark, Token, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from ..grammars import cnn_grammar
from . import nodes as n
from .build import Builder
from .characters import character_diagnostics
from .diagnostics import Diagnostic, Diagnostics, SpecError
from .limits import LARGEST_TEXT, nesting_diagnostic, text_diagnostic, too_deep
from .source import Source, Span

# No text within the limit of 200 brackets has more open rules at once, unless operators nest
# without brackets: `not not not …`.
_MOST_OPEN_RULES = 6000

# Bytes of a file that are read: a text of CR LF alone is within the limit up to twice its size.
_MOST_READ = 2 * LARGEST_TEXT + 8


class _TooDeep(Exception):
    """The parser's stack outgrew every text within the limits; holds the token."""

    def __init__(self, token: Token) -> None:
        self.token = token


# -- the parser -------------------------------------------------------------------------------


class _Parser:
    """Lark's parser with the builder whose methods it calls. One thread at a time."""

    def __init__(self) -> None:
        self.builder = Builder()
        self.lock = threading.Lock()
        options = {
            "parser": "lalr",
            "lexer": "basic",
            "start": ["file", "value", "mistake"],
            "keep_all_tokens": True,
            "maybe_placeholders": False,
            "transformer": self.builder,
        }
        self.lark = Lark(cnn_grammar(), cache=_cache_file() or False, **options)

    def begin(self, start: str, text: str = "") -> InteractiveParser:
        return self.lark.parse_interactive(text, start=start)

    def tokens(self, text: str) -> list[Token]:
        # Any start symbol: the lexer takes no notice of the parser.
        fresh = self.begin("value", text)
        return list(fresh.lexer_thread.lex(fresh.parser_state))  # type: ignore[no-untyped-call]

    def run(self, source: Source, start: str, tokens: Sequence[Token]) -> object:
        """Parse and build; raises UnexpectedToken or _TooDeep."""
        self.builder.start(source)
        parser = self.begin(start)
        stack = parser.parser_state.state_stack
        for token in tokens:
            parser.feed_token(token)
            if len(stack) > _MOST_OPEN_RULES:
                raise _TooDeep(token)
        return parser.feed_token(end_token(source, tokens))


@functools.cache
def _parser() -> _Parser:
    return _Parser()


def _cache_file() -> str | None:
    """Where lark keeps its tables between runs; None where nothing can be written."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(home):
        home = os.path.expanduser("~/.cache")
    folder = os.path.join(home, "cnnc")
    if not os.path.isabs(folder):  # no home folder is known
        return None
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return None
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    file = os.path.join(folder, f"grammar-{version}.lark")
    writable = os.access(folder, os.W_OK | os.X_OK)
    return file if writable or os.access(file, os.R_OK) else None


def end_token(source: Source, tokens: Sequence[Token]) -> Token:
    """The token that ends a text: empty, right after the last one."""
    place = (tokens[-1].end_pos or 0) if tokens else len(source.text)
    return Token("$END", "", place, end_pos=place)


# -- public -----------------------------------------------------------------------------------


def parse(source: Source) -> tuple[n.File, tuple[Diagnostic, ...]]:
    """The tree of everything that could be understood, and what could not.

    Never raises on account of the text: mistakes are mended where that is safe, and the
    statements around one that can't be mended are kept.
    """
    tree, diagnostics = _parse(source, "file")
    if not isinstance(tree, n.File):
        return n.File((), source), diagnostics
    kept = []
    found = Diagnostics()
    found.extend(diagnostics)
    for statement in tree.statements:
        deep = nesting_diagnostic(statement)
        if deep is None:
            kept.append(statement)
        else:
            found.add(deep)
    return n.File(tuple(kept), source), found.sorted()


def parse_value(source: Source) -> tuple[n.Expr | None, tuple[Diagnostic, ...]]:
    """The one value that a text consists of (`--set NAME=VALUE`), or None with the reasons."""
    tree, diagnostics = _parse(source, "value")
    if isinstance(tree, n.Node) and not diagnostics:
        deep = nesting_diagnostic(tree)
        if deep is not None:
            return None, (deep,)
        return tree, ()  # type: ignore[return-value]
    return None, diagnostics


def tokens_of(source: Source) -> list[Token]:
    """The tokens of a text, in order. White space and comments stand between them."""
    return _parser().tokens(source.text)


def _parse(source: Source, start: str) -> tuple[object, tuple[Diagnostic, ...]]:
    limit = text_diagnostic(source)
    if limit is not None:
        return None, (limit,)
    found = Diagnostics()
    found.extend(character_diagnostics(source))
    parser = _parser()
    with parser.lock:
        tokens = parser.tokens(source.text)
        try:
            try:
                tree = parser.run(source, start, tokens)
            except UnexpectedToken:
                from .recovery import mend

                mended, mistakes = mend(source, tokens, parser.begin(start))
                found.extend(mistakes)
                tree = parser.run(source, start, mended) if mended is not None else None
        except _TooDeep as error:
            tree = None
            place = Span(source, error.token.start_pos or 0, error.token.end_pos or 0)
            found.add(too_deep(place, "values"))
        found.extend(parser.builder.diagnostics)
    return tree, found.sorted()


def read_source(path: str) -> Source:
    """The text of a file, or of standard input for `-`; SpecError where there is none.

    A byte order mark is dropped, and every line break becomes `\\n`.
    """
    name = "<stdin>" if path == "-" else path
    try:
        data = _bytes_of(path)
    except IsADirectoryError:
        raise SpecError([_unreadable(name, "is a folder, not a file")]) from None
    except FileNotFoundError:
        raise SpecError([_unreadable(name, "does not exist")]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError([_unreadable(name, f"cannot be read: {reason}")]) from None
    whole = len(data) < _MOST_READ  # what is cut off may end within a character
    try:
        text = data.decode("utf-8-sig", "strict" if whole else "replace")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 text: byte {error.object[error.start]:#04x} at offset {error.start}"
        raise SpecError([_unreadable(name, what, "E102")]) from None
    return Source(name, text.replace("\r\n", "\n").replace("\r", "\n"))


def _bytes_of(path: str) -> bytes:
    """What is read of a file: of one past the limit enough to tell, so that none fills memory."""
    if path == "-":
        return sys.stdin.buffer.read(_MOST_READ)
    with open(path, "rb") as file:
        return file.read(_MOST_READ)


def _unreadable(name: str, what: str, code: str = "E101") -> Diagnostic:
    return Diagnostic(code, f"{name} {what}")
