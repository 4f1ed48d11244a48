"""Finds environments and problems that repeat others."""

import ast
import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.synthesis.problem_reader import CodingProblem

CODE_SIMILARITY = 0.8
TEXT_SIMILARITY = 0.7
"""Similarity of code or task texts (Jaccard index, 0 to 1) from which an environment counts as a
duplicate."""

_CODE_RUN = 6
_TEXT_RUN = 3


@dataclass(frozen=True)
class Fingerprint:
    """The code and the task text of an environment as sets of n-grams.

    Attributes:
        name: name of the environment.
        code: n-grams of syntax node kinds, without names.
        text: n-grams of words of the task text.
    """

    name: str
    code: frozenset[Hashable]
    text: frozenset[Hashable]

    @classmethod
    def of(cls, environment: Environment) -> "Fingerprint":
        """Computes the fingerprint of an environment, without its oracle."""
        tree = ast.parse(environment.program.source)
        tree.body = [node for node in tree.body if not _is_ignored(node)]
        words = re.findall(r"\w+", environment.template.lower())
        return cls(environment.name, _runs(_shape(tree), _CODE_RUN), _runs(words, _TEXT_RUN))


@dataclass
class Fingerprints:
    """The fingerprints of the environments that new ones must not repeat."""

    known: list[Fingerprint] = field(default_factory=list)

    def find_duplicate(self, fingerprint: Fingerprint) -> tuple[str, float] | None:
        """Returns the name of the environment that this one repeats and their similarity (0 to 1), or
        None."""
        for each in self.known:
            code, text = _jaccard(each.code, fingerprint.code), _jaccard(each.text, fingerprint.text)
            if code >= CODE_SIMILARITY or text >= TEXT_SIMILARITY:
                return each.name, max(code, text)
        return None


def find_repeated_problems(problems: Iterable[CodingProblem]) -> dict[str, str]:
    """Maps the id of each problem whose statement or solution repeats an earlier one to the earlier id."""
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


def _is_ignored(node: ast.stmt) -> bool:
    named = isinstance(node, ast.FunctionDef) and node.name == "solve"
    meta = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "META"
    return named or meta


def _shape(tree: ast.AST, *, names: bool = False) -> list[str]:
    """Returns the kinds of a tree's nodes in order, with constants, without docstrings and annotations."""
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
                item for item in reversed(items) if isinstance(item, ast.AST) and not _is_docstring(item)
            )
    return found


def _kind(node: ast.AST, names: bool) -> str:
    kind = type(node).__name__
    match node:
        case ast.Constant(value=value):
            # Strings are left out, as names are: they are keys of dicts or texts for the agent.
            return f"{kind}:{value!r}" if names or not isinstance(value, str) else kind
        case ast.Name(id=name) | ast.FunctionDef(name=name) if names:
            return f"{kind}:{name}"
    return kind


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _runs(parts: Sequence[Hashable], length: int) -> frozenset[Hashable]:
    return frozenset(tuple(parts[start : start + length]) for start in range(max(1, len(parts) - length + 1)))


def _jaccard(one: frozenset[Hashable], other: frozenset[Hashable]) -> float:
    union = len(one | other)
    return len(one & other) / union if union else 0.0
