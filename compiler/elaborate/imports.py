"""`import "file.cnn"`: the blocks, lets and defaults of other files.

A path is relative to the file that imports, and never leaves the folder of the file that is
checked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from cnnc.dsl import nodes
from cnnc.dsl.diagnostics import Diagnostic, Diagnostics, Related, SpecError
from cnnc.dsl.parser import parse, read_source
from cnnc.dsl.record import State, fresh
from cnnc.dsl.source import Source

from .blocks import Block
from .declarations import Declarations

MOST_FILES = 1_000  # of a folder, that a missing one is compared with


class Library(State):
    """A file with those that it imports, in the order of its text.

    blocks   by name: its own, and those of the files that it imports
    partial  whether it, or what it imports, could not be read whole
    """

    declared: Declarations
    imports: tuple[Library, ...] = ()
    blocks: dict[str, Block] = fresh(factory=dict)
    partial: bool = False

    def own_blocks(self) -> list[Block]:
        """The blocks written in this file."""
        return [block for name, block in self.blocks.items() if name in self.declared.blocks]

    def everything(self) -> list[Library]:
        """The file after all that it imports, each once."""
        found: list[Library] = []
        for library in self.imports:
            found += [other for other in library.everything() if other not in found]
        return [*found, self]


class Importer(State):
    """Reads each file once."""

    found: Diagnostics
    root: str  # the folder that nothing is read outside of
    read: dict[str, Library] = fresh(factory=dict)

    @staticmethod
    def of(source: Source, found: Diagnostics) -> Importer:
        """For a file that is checked; for text without a file, the working folder is meant."""
        return Importer(found, os.path.realpath(_folder(source)))

    def library(
        self, declared: Declarations, source: Source, path: tuple[str, ...], partial: bool
    ) -> Library:
        """A file's declarations, with what it imports; `path` are the files that led to it."""
        imports: list[Library] = []
        for statement in declared.imports:
            library = self._import(statement, source, path)
            if library is None:
                partial = True
            elif library not in imports:
                imports.append(library)
                partial = partial or library.partial
        library = Library(declared, tuple(imports), partial=partial)
        library.blocks = self._blocks(library)
        return library

    def _import(
        self, statement: nodes.Import, source: Source, path: tuple[str, ...]
    ) -> Library | None:
        written = statement.path.value
        name = os.path.normpath(os.path.join(os.path.dirname(_path(source)), written))
        at = statement.path.span
        whole = os.path.realpath(name) if "\0" not in name else ""
        if not written or not whole or os.path.commonpath([whole, self.root]) != self.root:
            self.found.add(
                Diagnostic(
                    "E211", f'"{written}" lies outside the folder of the file that is checked', at,
                    "outside of its folder tree",
                    help=("copy the file into that folder, and import it from there",),
                )
            )  # fmt: skip
            return None
        if whole in path:
            circle = " -> ".join(os.path.basename(p) for p in (*path[path.index(whole) :], whole))
            self.found.add(
                Diagnostic("E212", f"{written} imports itself: {circle}", at,
                           help=("move what both need into a third file",))
            )  # fmt: skip
            return None
        if whole not in self.read:
            if os.path.exists(whole) and not os.path.isfile(whole) and not os.path.isdir(whole):
                # To open a pipe or a device may never end.
                self.found.add(
                    Diagnostic("E210", f"nothing can be imported: {name} is no regular file", at)
                )
                return None
            try:
                imported = read_source(name)
            except SpecError as error:
                reason = error.diagnostics[0].message
                self.found.add(
                    Diagnostic("E210", f"nothing can be imported: {reason}", at,
                               "relative to the folder of this file", help=self._near(whole))
                )  # fmt: skip
                return None
            file, syntax = parse(imported)
            self.found.extend(syntax)
            with self.found.within(Related("imported here", at)):
                declared = Declarations.of(file, self.found)
            self.read[whole] = self.library(declared, imported, (*path, whole), bool(syntax))
        return self.read[whole]

    def _near(self, path: str) -> tuple[str, ...]:
        """The file of that folder whose name is most like the one that is not there."""
        from ..suggest import nearest

        folder, name = os.path.split(path)
        try:
            there = sorted(n for n in os.listdir(folder) if n.endswith(".cnn"))[:MOST_FILES]
        except OSError:
            there = []
        near = nearest(name, there) or nearest(f"{name}.cnn", there)
        if near:
            return (f'did you mean "{near}"?',)
        return (f"put {name} into that folder, or write the path to it from there",)

    def _blocks(self, library: Library) -> dict[str, Block]:
        """By name; a file's own win over imported ones."""
        known: dict[str, Block] = {}
        for name, node in library.declared.blocks.items():
            known[name] = Block(node, known)
        for other in library.imports:
            for name, block in other.blocks.items():
                if known.setdefault(name, block) is not block and name not in (
                    library.declared.blocks
                ):
                    self._twice(name, known[name], block)
        return known

    def _twice(self, name: str, first: Block, second: Block) -> None:
        self.found.add(
            Diagnostic(
                "E209", f"two imported files have a block {name}", second.node.name.span,
                help=("give one of the two another name",),
                related=(Related("the first one", first.node.name.span),),
            )
        )  # fmt: skip


def imported_lets(library: Library) -> Mapping[str, Library]:
    """The lets that a file has from others: each with the file that declares it."""
    found: dict[str, Library] = {}
    for other in library.imports:
        for name in other.declared.lets:
            found.setdefault(name, other)
        for name, owner in imported_lets(other).items():
            found.setdefault(name, owner)
    own = {**library.declared.lets, **library.declared.knobs}
    return {name: owner for name, owner in found.items() if name not in own}


def _path(source: Source) -> str:
    """The path of a source; of standard input and of text, one in the working folder."""
    return os.path.join(".", "text") if source.name.startswith("<") else source.name


def _folder(source: Source) -> str:
    return os.path.dirname(_path(source)) or "."
