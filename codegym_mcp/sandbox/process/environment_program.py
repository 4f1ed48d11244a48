"""An environment's source as what each role may run of it.

Each role of an environment runs in a process of its own and receives only its own part: the process that
serves tools has no `reference`, the oracle's has no `Environment`.
"""

import ast
import hashlib
import marshal
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.restricted_python import parse, restrict, without
from codegym_mcp.sandbox.process.frames import MAX_FRAME


class Role(StrEnum):
    """What a process does with an environment's source."""

    TOOLS = "tools"
    SHARED = "shared"
    """The tools, for many episodes in one process."""
    REFERENCE = "reference"
    JUDGE = "judge"
    SOLVE = "solve"
    GENERATE = "generate"


Format = Literal["native", "codegym"]

_WITHHELD: dict[Role, frozenset[str]] = {
    **dict.fromkeys((Role.TOOLS, Role.SHARED), frozenset({"reference", "accepts", "solve", "generate"})),
    Role.REFERENCE: frozenset({"Environment", "accepts", "solve", "generate"}),
    Role.JUDGE: frozenset({"Environment", "solve", "generate"}),
    Role.SOLVE: frozenset({"Environment", "reference", "accepts", "generate"}),
    Role.GENERATE: frozenset({"Environment", "accepts", "solve"}),
}
_CODEGYM_WITHHELD: dict[Role, frozenset[str]] = {
    **dict.fromkeys((Role.TOOLS, Role.SHARED), frozenset({"Done", "solve", "get_ref_answer"})),
    Role.SOLVE: frozenset({"Done", "get_ref_answer"}),
}


@dataclass(frozen=True)
class EnvironmentProgram:
    """Source code that becomes, role by role, what a confined process runs.

    Attributes:
        path: how error messages name the source.
        source: the text of the whole file.
        format: the project's own contract, or a class in the CodeGym format.
        entry: the class that holds the tools.
        infinite: for a class in the CodeGym format, the parameters, by tool, in which the strings "Infinity"
            and "-Infinity" stand for the numbers.
    """

    path: str
    source: str
    format: Format = "native"
    entry: str = "Environment"
    infinite: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    _code: dict[Role, bytes] = field(default_factory=dict, repr=False, compare=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the source, in hexadecimal."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    def code(self, role: Role) -> bytes:
        """The marshalled code of one role; compiled once.

        Raises:
            SourceError: the source does not parse, the policy refuses it, or it is too large when compiled.
        """
        if role not in self._code:
            tree = parse(self.source, self.path)
            if self.format == "codegym":
                _strip_methods(tree, self.entry, _CODEGYM_WITHHELD.get(role, frozenset()))
                tree.body = without(tree.body, frozenset())
            else:
                tree.body = without(tree.body, _WITHHELD[role])
            code = marshal.dumps(restrict(tree, self.path, codegym=self.format == "codegym"))
            if len(code) > MAX_FRAME:
                raise SourceError(self.path, None, f"compiles to more than {MAX_FRAME:,} bytes")
            self._code[role] = code
        return self._code[role]

    def check(self) -> None:
        """Compiles the whole source, so that what the policy refuses anywhere is told at once.

        Raises:
            SourceError: the source does not parse, or the policy refuses it.
        """
        tree = parse(self.source, self.path)
        tree.body = without(tree.body, frozenset())
        restrict(tree, self.path, codegym=self.format == "codegym")


def _strip_methods(tree: ast.Module, entry: str, withheld: frozenset[str]) -> None:
    """Takes methods from the class, unless what remains of it calls them."""
    for cls in tree.body:
        if isinstance(cls, ast.ClassDef) and cls.name == entry:
            named = {
                item.name: {part.attr for part in ast.walk(item) if isinstance(part, ast.Attribute)}
                for item in cls.body
                if isinstance(item, ast.FunctionDef)
            }
            # Every step names Done, which the server answers in its place.
            named.get("step", set()).discard("Done")
            gone = set(withheld)
            waiting = [name for name in named if name not in withheld]
            while waiting:
                needed = named[waiting.pop()] & gone & named.keys()
                gone -= needed
                waiting += needed
            cls.body = [item for item in cls.body if getattr(item, "name", None) not in gone]
