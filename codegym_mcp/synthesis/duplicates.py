"""Whether there is such an environment, or such a problem, already."""

import ast
import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from codegym_mcp.spec.environment import Environment
from codegym_mcp.synthesis.problem_reader import CodingProblem

CODE_ALIKE = 0.8
TEXT_ALIKE = 0.7
"""So much of two environments' code, or task texts, is the same in a duplicate (Jaccard index)."""

_CODE_RUN = 6
_TEXT_RUN = 3


@dataclass(frozen=True)
class Fingerprint:
    """What an environment does, and what it says, as sets of short runs.

    Attributes:
        code: runs of syntax, whatever the names in it.
        text: runs of words of the task.
    """

    name: str
    code: frozenset[Hashable]
    text: frozenset[Hashable]

    @classmethod
    def of(cls, environment: Environment) -> "Fingerprint":
        """The fingerprint of an environment; its oracle is no part of it."""
        tree = ast.parse(environment.program.source)
        tree.body = [node for node in tree.body if not _is_left_out(node)]
        words = re.findall(r"\w+", environment.template.lower())
        return cls(environment.name, _runs(_shape(tree), _CODE_RUN), _runs(words, _TEXT_RUN))


@dataclass
class Fingerprints:
    """What exists."""

    known: list[Fingerprint] = field(default_factory=list)

    def alike(self, fingerprint: Fingerprint) -> tuple[str, float] | None:
        """The name of an environment that this one is a duplicate of, and how much is the same (0 to 1)."""
        for each in self.known:
            code, text = _jaccard(each.code, fingerprint.code), _jaccard(each.text, fingerprint.text)
            if code >= CODE_ALIKE or text >= TEXT_ALIKE:
                return each.name, max(code, text)
        return None


def same_problems(problems: Iterable[CodingProblem]) -> dict[str, str]:
    """Problems that say, or whose solutions do, the same as an earlier one: their ids, and the earlier's."""
    seen: dict[str, str] = {}
    found: dict[str, str] = {}
    for problem in problems:
        for key in (_digest(" ".join(problem.statement.lower().split())), _digest(_solution_key(problem))):
            earlier = seen.setdefault(key, problem.id)
            if earlier != problem.id:
                found.setdefault(problem.id, earlier)
    return found


def _solution_key(problem: CodingProblem) -> str:
    try:
        return " ".join(map(str, _shape(ast.parse(problem.solution), names=True)))
    except (SyntaxError, ValueError, RecursionError):
        return problem.solution


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _is_left_out(node: ast.stmt) -> bool:
    named = isinstance(node, ast.FunctionDef) and node.name == "solve"
    meta = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "META"
    return named or meta


def _shape(tree: ast.AST, *, names: bool = False) -> list[str]:
    """The kinds of a tree's nodes in order, with its constants; docstrings and annotations are left out."""
    found = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        found.append(_kind(node, names))
        for name, value in reversed(list(ast.iter_fields(node))):
            if name in ("annotation", "returns"):
                continue
            items = value if isinstance(value, list) else [value]
            waiting.extend(
                item for item in reversed(items) if isinstance(item, ast.AST) and not _is_text(item)
            )
    return found


def _kind(node: ast.AST, names: bool) -> str:
    kind = type(node).__name__
    match node:
        case ast.Constant(value=value):
            # Names of things in a dict, and words for the agent, are names too.
            return f"{kind}:{value!r}" if names or not isinstance(value, str) else kind
        case ast.Name(id=name) | ast.FunctionDef(name=name) if names:
            return f"{kind}:{name}"
    return kind


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _runs(parts: Sequence[Hashable], length: int) -> frozenset[Hashable]:
    return frozenset(tuple(parts[start : start + length]) for start in range(max(1, len(parts) - length + 1)))


def _jaccard(one: frozenset[Hashable], other: frozenset[Hashable]) -> float:
    union = len(one | other)
    return len(one & other) / union if union else 0.0
