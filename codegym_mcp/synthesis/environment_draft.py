"""What a model writes of an environment: all of it but the oracle, and then the oracle."""

import ast
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from codegym_mcp.errors import SourceError
from codegym_mcp.spec.environment import Environment
from codegym_mcp.spec.environment_file import read_environment_source
from codegym_mcp.spec.environment_metadata import read_meta
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError

_PATH = "the file"
"""How errors name what a model wrote; models read them too."""
_FUNCTIONS = {"reference", "generate", "accepts", "solve"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Draft:
    """An environment without its oracle.

    Attributes:
        source: the file, in the form in which it will be kept.
        title: as META has it.
        public: the names of the public values.
    """

    source: str
    title: str
    public: tuple[str, ...]

    @classmethod
    def read(cls, code: str, *, license: str, origin: str) -> "Draft":
        """Reads what a model wrote.

        Args:
            code: the file; an oracle in it is left out.
            license: whatever the model says, this is the licence.
            origin: likewise, where the problem comes from.

        Raises:
            SourceError: it is no environment.
            UnusableReplyError: a part is missing that every synthesized environment has.
        """
        tree = _parse(code)
        lines = _lines(code)
        meta = read_meta(tree, _PATH)
        edits = [(node, "") for node in tree.body if _is(node, "solve")]
        edits += [
            (node, _written_meta(node, license, origin)) for node in tree.body if _assigns(node, "META")
        ]
        for node, text in sorted(edits, key=lambda edit: edit[0].lineno, reverse=True):
            lines[node.lineno - 1 : node.end_lineno] = _lines(text) if text else []
        draft = cls("\n".join(lines).strip() + "\n", meta.title, tuple(meta.public))
        if not any(_is(node, "generate") for node in tree.body):
            raise UnusableReplyError("There is no function generate(random, difficulty).")
        draft.unsolved("draft")
        return draft

    def unsolved(self, name: str) -> Environment:
        """The environment with an oracle that does nothing.

        Raises:
            SourceError: it is no environment.
        """
        return self.solved(f"def solve({', '.join(['tools', *self.public])}):\n    return None", name)

    def solved(self, solve: str, name: str) -> Environment:
        """The environment with an oracle.

        Args:
            solve: its source.
            name: of the environment.

        Raises:
            SourceError: the oracle, or the whole, cannot be used.
        """
        return read_environment_source(f"{self.source}\n\n{solve.strip()}\n", name=name, path=_PATH)

    @property
    def oracle_line(self) -> int:
        """The line, counted from 1, at which an oracle begins in the file that `solved` makes."""
        return self.source.count("\n") + 3

    def read_oracle(self, code: str) -> str:
        """The `solve` that a model wrote, with imports and helpers where it has some outside.

        Raises:
            SourceError: it does not parse.
            UnusableReplyError: there is none, or something else has a name of the environment's.
        """
        tree = _parse(code)
        if not any(_is(node, "solve") for node in tree.body):
            raise UnusableReplyError("There is no function solve.")
        kept = [
            node
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)
            and not (isinstance(node, ast.FunctionDef) and node.name in _FUNCTIONS - {"solve"})
        ]
        taken = {node.name for node in self._tree.body if isinstance(node, _DEFINITIONS)}
        for node in kept:
            if isinstance(node, ast.FunctionDef) and node.name in taken:
                raise UnusableReplyError(
                    f"The helper {node.name} has a name that is taken. Put it inside solve."
                )
        lines = _lines(code)
        return "\n\n".join("\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in kept) + "\n"

    @cached_property
    def _tree(self) -> ast.Module:
        return _parse(self.source)

    def tool_stubs(self) -> str:
        """The tools as an agent may know them: signatures and docstrings, and the types that they name."""
        records = [ast.unparse(node) for node in self._tree.body if _is_record(node)]
        stubs = []
        for node in self._tree.body:
            if _is(node, "Environment") and isinstance(node, ast.ClassDef):
                methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
                stubs = [_stub(method) for method in methods if method.name != "__init__"]
        return "\n\n".join(records + stubs)

    def answer_annotation(self) -> str:
        """The type of the answer, as Python writes it."""
        for node in self._tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == "reference" and node.returns is not None:
                return ast.unparse(node.returns)
        raise AssertionError("every draft has a reference")


def environment_name(title: str) -> str:
    """A name for an environment, made of its title."""
    words = re.findall(r"[a-z0-9]+", title.lower())
    name = "_".join(words)[:60].strip("_")
    return name if name and name[0].isalpha() else f"environment_{name}".strip("_")


def _parse(code: str) -> ast.Module:
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise SourceError(_PATH, error.lineno, f"is not Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceError(_PATH, None, f"cannot be parsed: {error}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not _is_whole(node.value):
            raise SourceError(_PATH, node.lineno, "holds half of a character")
    return tree


def _lines(code: str) -> list[str]:
    """The lines as Python counts them."""
    return re.split("\r\n|\r|\n", code)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is(node: ast.stmt, name: str) -> bool:
    return isinstance(node, _DEFINITIONS) and node.name == name


def _is_record(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "TypedDict" for base in node.bases)


def _assigns(node: ast.stmt, name: str) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id=assigned)]) | ast.AnnAssign(target=ast.Name(id=assigned)):
            return assigned == name
    return False


def _written_meta(node: ast.stmt, license: str, origin: str) -> str:
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    assert node.value is not None
    meta: dict[str, Any] = ast.literal_eval(node.value)
    members = {**meta, "license": license, "source": origin}
    lines = [f"    {_literal(key)}: {_literal(value)}," for key, value in members.items()]
    return "\n".join(["META = {", *lines, "}"])


def _literal(value: Any) -> str:
    """A value as Python writes it, with double quotes."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(_literal, value))}]"
        case dict():
            return f"{{{', '.join(f'{_literal(key)}: {_literal(item)}' for key, item in value.items())}}}"
    return repr(value)


def _stub(method: ast.FunctionDef) -> str:
    documentation = method.body[0]
    shown = ast.FunctionDef(
        name=method.name,
        args=ast.arguments(
            posonlyargs=[],
            args=method.args.args[1:],
            vararg=None,
            kwonlyargs=method.args.kwonlyargs,
            kw_defaults=method.args.kw_defaults,
            kwarg=None,
            defaults=method.args.defaults,
        ),
        body=[documentation],
        decorator_list=[],
        returns=method.returns,
    )
    return ast.unparse(ast.fix_missing_locations(shown))
