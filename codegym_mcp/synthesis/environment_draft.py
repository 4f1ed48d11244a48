"""The parts of an environment that a model writes: everything but the oracle, and the oracle."""

import ast
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_metadata import read_meta
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.environment_definition.tool_methods import FINAL_STATE
from codegym_mcp.errors import SourceError
from codegym_mcp.source_parsing import parse_source
from codegym_mcp.synthesis.draft_faults import describe_faults, find_faults
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError
from codegym_mcp.unicode_text import is_encodable

_PATH = "the file"
"""Name of a generated file in error messages, which the model receives."""
_FUNCTIONS = {"reference", "generate", "accepts", "mistakes", "solve"}
_NO_TOOLS = {"__init__", FINAL_STATE}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NO_GENERATOR = "The function generate(random, difficulty) is missing."


@dataclass(frozen=True)
class Draft:
    """An environment without its oracle.

    Attributes:
        source: the source in the form in which it will be stored.
        title: the title from META.
        public: the names of the public values.
    """

    source: str
    title: str
    public: tuple[str, ...]

    @classmethod
    def read(cls, code: str, *, license: str, origin: str) -> "Draft":
        """Reads a generated file.

        Args:
            code: the file; an oracle in it is removed.
            license: replaces the licence that the model wrote.
            origin: replaces the source that the model wrote.

        Raises:
            UnusableReplyError: the file is not an environment; the error names all faults that can be found
                without running it.
        """
        tree = _parse(code)
        lines = _lines(code)
        try:
            meta = read_meta(tree, _PATH)
        except SourceError as error:
            raise UnusableReplyError(
                describe_faults([error, *_faults_without_meta(tree, code)], code)
            ) from None
        edits = [(node, "") for node in tree.body if _is(node, "solve")]
        edits += [(node, _render_meta(node, license, origin)) for node in tree.body if _assigns(node, "META")]
        for node, text in sorted(edits, key=lambda edit: edit[0].lineno, reverse=True):
            lines[node.lineno - 1 : node.end_lineno] = _lines(text) if text else []
        draft = cls("\n".join(lines).strip() + "\n", meta.title, tuple(meta.public))
        missing = not any(_is(node, "generate") for node in tree.body)
        try:
            draft.without_oracle("draft")
        except SourceError:
            faults = describe_faults(find_faults(_with_stub(tree, meta.public), code, _PATH), code)
            raise UnusableReplyError(f"{faults}\n{_NO_GENERATOR}" if missing else faults) from None
        if missing:
            raise UnusableReplyError(_NO_GENERATOR)
        return draft

    def without_oracle(self, name: str) -> Environment:
        """Returns the environment with an oracle that does nothing.

        Raises:
            SourceError: the draft is not an environment.
        """
        return self.with_oracle(_oracle_stub(self.public), name)

    def with_oracle(self, solve: str, name: str) -> Environment:
        """Returns the environment with an oracle.

        Args:
            solve: source of the oracle.
            name: name of the environment.

        Raises:
            SourceError: the oracle or the draft cannot be used.
        """
        return read_environment_source(f"{self.source}\n\n{solve.strip()}\n", name=name, path=_PATH)

    @property
    def oracle_line(self) -> int:
        """One-based line at which the oracle begins in the file that `with_oracle` makes."""
        return self.source.count("\n") + 3

    def read_oracle(self, code: str) -> str:
        """Returns a generated `solve` with the imports and helpers beside it.

        Raises:
            SourceError: the code is not Python.
            UnusableReplyError: `solve` is missing, or a helper has the name of a part of the environment.
        """
        tree = _parse(code)
        if not any(_is(node, "solve") for node in tree.body):
            raise UnusableReplyError("The function solve is missing.")
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
                    f"The environment has a {node.name} too. Define the helper inside solve."
                )
        lines = _lines(code)
        return "\n\n".join("\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in kept) + "\n"

    @cached_property
    def _tree(self) -> ast.Module:
        return _parse(self.source)

    def tool_stubs(self) -> str:
        """Returns the tools as an agent sees them: signatures, docstrings and the record types that they use.

        Record types that only the hidden configuration uses are left out.
        """
        stubs = []
        for node in self._tree.body:
            if _is(node, "Environment") and isinstance(node, ast.ClassDef):
                methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
                stubs = [_stub(method) for method in methods if method.name not in _NO_TOOLS]
        used = " ".join([*stubs, self.answer_annotation()])
        records: list[str] = []
        # A record may name those that are defined before it.
        for node in reversed([node for node in self._tree.body if _is_record(node)]):
            if isinstance(node, ast.ClassDef) and re.search(rf"\b{node.name}\b", used):
                records.insert(0, ast.unparse(node))
                used += records[0]
        return "\n\n".join(records + stubs)

    def answer_annotation(self) -> str:
        """Returns the annotation of the answer in Python syntax, or "None" if no answer is taken."""
        for node in self._tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == "reference" and node.returns is not None:
                return ast.unparse(node.returns)
        return "None"


def environment_name(title: str) -> str:
    """Returns a name for an environment, made from its title.

    Accents and apostrophes are dropped: "Master's façade" becomes "masters_facade".
    """
    decomposed = unicodedata.normalize("NFKD", title)
    letters = "".join(each for each in decomposed if not unicodedata.combining(each))
    words = re.findall(r"[a-z0-9]+", re.sub("['\u2019]", "", letters.lower()))
    name = "_".join(words)[:60].strip("_")
    return name if name and name[0].isalpha() else f"environment_{name}".strip("_")


def _oracle_stub(public: Iterable[str]) -> str:
    return f"def solve({', '.join(['tools', *public])}):\n    return None"


def _with_stub(tree: ast.Module, public: Iterable[str]) -> ast.Module:
    """Returns the module with an oracle that does nothing in place of its own."""
    body = [node for node in tree.body if not _is(node, "solve")]
    return ast.Module([*body, *ast.parse(_oracle_stub(public)).body], [])


def _faults_without_meta(tree: ast.Module, code: str) -> list[SourceError]:
    """Returns the faults of a module whose META cannot be read, those of META excluded."""
    body = [node for node in tree.body if not _assigns(node, "META")]
    placeholder = ast.parse('META = {"title": "Draft", "public": []}').body
    faults = find_faults(_with_stub(ast.Module([*body[:1], *placeholder, *body[1:]], []), ()), code, _PATH)
    # The placeholder has no public values, so that faults of the task text follow from it.
    return [fault for fault in faults if "public" not in fault.problem]


def _parse(code: str) -> ast.Module:
    try:
        tree = parse_source(code, _PATH)
    except SourceError as error:
        raise UnusableReplyError(describe_faults([error], code)) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not is_encodable(node.value):
            fault = SourceError(_PATH, node.lineno, "the string contains half of a surrogate pair")
            raise UnusableReplyError(describe_faults([fault], code))
    return tree


def _lines(code: str) -> list[str]:
    """Splits a text into lines as Python counts them."""
    return re.split("\r\n|\r|\n", code)


def _is(node: ast.stmt, name: str) -> bool:
    return isinstance(node, _DEFINITIONS) and node.name == name


def _is_record(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "TypedDict" for base in node.bases)


def _assigns(node: ast.stmt, name: str) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id=assigned)]) | ast.AnnAssign(target=ast.Name(id=assigned)):
            return assigned == name
    return False


def _render_meta(node: ast.stmt, license: str, origin: str) -> str:
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    assert node.value is not None
    meta: dict[str, Any] = ast.literal_eval(node.value)
    members = {**meta, "license": license, "source": origin}
    lines = [f"    {_literal(key)}: {_literal(value)}," for key, value in members.items()]
    return "\n".join(["META = {", *lines, "}"])


def _literal(value: Any) -> str:
    """Returns a value in Python syntax, with double quotes."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(_literal, value))}]"
        case dict():
            return f"{{{', '.join(f'{_literal(key)}: {_literal(item)}' for key, item in value.items())}}}"
    return repr(value)


def _stub(method: ast.FunctionDef) -> str:
    docstring = method.body[0]
    stub = ast.FunctionDef(
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
        body=[docstring],
        decorator_list=[],
        returns=method.returns,
    )
    return ast.unparse(ast.fix_missing_locations(stub))
