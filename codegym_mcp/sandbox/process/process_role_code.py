"""An environment's source and the code that each role may run of it.

Each role of an environment runs in a process of its own and receives only its own part: the process that
serves tools has no `reference`, the oracle's process has no `Environment`.
"""

import ast
import hashlib
import marshal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.environment_dialects import Dialect
from codegym_mcp.sandbox.language.syntax_policy import compile_restricted, restrict, without
from codegym_mcp.sandbox.process.message_frames import MAX_FRAME
from codegym_mcp.sandbox.process.process_messages import Role
from codegym_mcp.source_parsing import PARSER_LOCK, parse_source

_WITHHELD: dict[Dialect, dict[Role, frozenset[str]]] = {
    Dialect.NATIVE: {
        **dict.fromkeys(
            (Role.TOOLS, Role.SHARED), frozenset({"reference", "accepts", "mistakes", "solve", "generate"})
        ),
        Role.REFERENCE: frozenset({"Environment", "accepts", "mistakes", "solve", "generate"}),
        Role.JUDGE: frozenset({"Environment", "mistakes", "solve", "generate"}),
        Role.SOLVE: frozenset({"Environment", "reference", "accepts", "mistakes", "generate"}),
        # A generator may check that a misunderstanding is not accepted.
        **dict.fromkeys((Role.GENERATE, Role.MISTAKES), frozenset({"Environment", "solve"})),
    },
    Dialect.CODEGYM: {
        **dict.fromkeys(
            (Role.TOOLS, Role.SHARED, Role.GENERATE, Role.MISTAKES),
            frozenset({"Done", "solve", "get_ref_answer"}),
        ),
        Role.REFERENCE: frozenset(),
        Role.JUDGE: frozenset(),
        Role.SOLVE: frozenset({"Done", "get_ref_answer"}),
    },
}
"""The definitions that a role must not see: of the module, or of the class in the CodeGym format."""


@dataclass(frozen=True)
class EnvironmentProgram:
    """Source code, and the code of each role that confined processes run.

    Attributes:
        path: how error messages name the source.
        source: the text of the whole file.
        dialect: the form in which the source is written.
        entry: the class whose methods are the tools.
        infinite: for a class in the CodeGym format, the parameters, by tool, in which the strings "Infinity"
            and "-Infinity" stand for the numbers.
        one_config: whether functions take the configuration as one parameter `config`.
    """

    path: str
    source: str
    dialect: Dialect = Dialect.NATIVE
    entry: str = "Environment"
    infinite: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    one_config: bool = field(default=False, compare=False)
    _code: dict[Role, bytes] = field(default_factory=dict, repr=False, compare=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the source, in hexadecimal."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    def code(self, role: Role) -> bytes:
        """Returns the marshalled code of one role.

        Raises:
            SourceError: as `compile`.
        """
        with PARSER_LOCK:
            if not self._code:
                self.compile(parse_source(self.source, self.path))
            return self._code[role]

    def compile(self, tree: ast.Module) -> None:
        """Checks the whole source against the language policy and compiles the code of each role.

        Args:
            tree: the syntax tree of `source`; it is changed.

        Raises:
            SourceError: the policy refuses a line of the source, or the code of a role is too large to send.
        """
        tree.body = without(tree.body, frozenset())
        restricted = restrict(tree, self.path, self.dialect)
        compiled: dict[frozenset[str], bytes] = {}
        for withheld in dict.fromkeys(_WITHHELD[self.dialect].values()):
            part = _SELECT[self.dialect](restricted, self.entry, withheld)
            compiled[withheld] = marshal.dumps(compile_restricted(part, self.path))
            if len(compiled[withheld]) > MAX_FRAME:
                raise SourceError(self.path, None, f"compiles to more than {MAX_FRAME:,} bytes")
        self._code.update({role: compiled[each] for role, each in _WITHHELD[self.dialect].items()})

    def __getstate__(self) -> dict[str, Any]:
        # Marshalled code belongs to one version of Python; the reader of the pickle compiles again.
        return {**self.__dict__, "_code": {}}


def _without_definitions(module: ast.Module, _entry: str, withheld: frozenset[str]) -> ast.Module:
    """Returns the module without the withheld functions and classes."""
    return ast.Module(without(module.body, withheld), [])


def _without_methods(module: ast.Module, entry: str, withheld: frozenset[str]) -> ast.Module:
    """Returns the module with the withheld methods removed from the class, except those that others call."""
    return ast.Module([_strip(node, entry, withheld) for node in module.body], [])


def _strip(node: ast.stmt, entry: str, withheld: frozenset[str]) -> ast.stmt:
    if not isinstance(node, ast.ClassDef) or node.name != entry:
        return node
    called = {
        item.name: {part.attr for part in ast.walk(item) if isinstance(part, ast.Attribute)}
        for item in node.body
        if isinstance(item, ast.FunctionDef)
    }
    # `step` always names Done, whose place the server takes.
    called.get("step", set()).discard("Done")
    removed = set(withheld)
    pending = [name for name in called if name not in withheld]
    while pending:
        needed = called[pending.pop()] & removed & called.keys()
        removed -= needed
        pending += needed
    body = [item for item in node.body if getattr(item, "name", None) not in removed]
    stripped = ast.ClassDef(node.name, node.bases, node.keywords, body, node.decorator_list)
    return ast.copy_location(stripped, node)


_SELECT: dict[Dialect, Callable[[ast.Module, str, frozenset[str]], ast.Module]] = {
    Dialect.NATIVE: _without_definitions,
    Dialect.CODEGYM: _without_methods,
}
