"""A solution as a program that can be lifted; one with side effects is refused."""

import ast
import re
from dataclasses import dataclass, field

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.allowed_modules import ALLOWED_MODULES
from codegym_mcp.source_parsing import is_main_block, parse_source
from codegym_mcp.synthesis.problem_outcomes import Stage
from codegym_mcp.synthesis.program_tracing.constant_tables import move_constant_tables
from codegym_mcp.synthesis.program_tracing.nested_functions import move_nested_functions
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError

_NOT_REPEATABLE = frozenset({"random", "secrets", "uuid", "time", "datetime"})
_MAX_INT = 2**63 - 1
_CACHES = re.compile(r"\b(lru_cache|cache|cached_property|overload|final|jit|njit)\b")


@dataclass
class Program:
    """A solution.

    Attributes:
        tree: the module: imports, constants, classes and functions.
        entry: the function that solves the problem.
        imported: names that imports bind.
        functions: its functions by name.
        summaries: the first paragraphs of the functions' docstrings, by name.
    """

    tree: ast.Module
    entry: ast.FunctionDef
    imported: frozenset[str]
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> list[str]:
        """The names of the entry function's parameters."""
        return [each.arg for each in self.entry.args.args]

    @property
    def source(self) -> str:
        """The program as text."""
        return ast.unparse(self.tree)


def read_program(solution: str, tests: tuple[str, ...], entry_point: str) -> Program:
    """Reads a solution.

    Args:
        tests: assertions that name the entry function, if `entry_point` does not.
        entry_point: name of the entry function, or the empty string.

    Raises:
        RefusedProblemError: the solution cannot be used; the reason says why.
    """
    try:
        tree = parse_source(solution, "solution")
    except SourceError as error:
        raise RefusedProblemError(f"The solution is {error.problem}.", Stage.PROBLEM) from None
    tree.body = [node for node in tree.body if not is_main_block(node)]
    summaries = _summaries(tree)
    tree = _Normalizer().normalize(tree)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    entry = functions.get(_public(entry_point)) if entry_point else _find_entry(functions, tests)
    if entry is None:
        raise RefusedProblemError("No function of the solution is called by its tests.", Stage.PROBLEM)
    keep_needed(tree, entry.name)
    _refuse_effects(tree)
    move_constant_tables(tree)
    move_nested_functions(tree)
    _make_positional(entry)
    imported = {alias.asname or alias.name for node in tree.body for alias in _aliases(node)}
    kept = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return Program(tree, entry, frozenset(imported), kept, summaries)


def _summaries(tree: ast.Module) -> dict[str, str]:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    texts = {_public(node.name): ast.get_docstring(node) or "" for node in functions}
    return {name: " ".join(text.split("\n\n")[0].split()) for name, text in texts.items() if text}


def _find_entry(functions: dict[str, ast.FunctionDef], tests: tuple[str, ...]) -> ast.FunctionDef | None:
    """Returns the function that most tests call; the last one if there are no tests."""
    text = "\n".join(tests)
    counts = {name: len(re.findall(rf"\b_*{re.escape(name.rstrip('_'))}_*\s*\(", text)) for name in functions}
    if text.strip():
        best = max(counts, key=lambda name: counts[name], default=None)
        return functions[best] if best is not None and counts[best] else None
    return functions[list(functions)[-1]] if functions else None


def _aliases(node: ast.stmt) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []


def keep_needed(tree: ast.Module, entry: str) -> None:
    """Removes the definitions that the entry function does not reach."""
    tree.body = ModuleDefinitions(tree).needed_by(entry)


class ModuleDefinitions:
    """The definitions of a module, by the names that they bind. The module is walked once."""

    def __init__(self, tree: ast.Module) -> None:
        self._nodes = tree.body
        self._bound = [_bound(node) for node in tree.body]
        self._used: dict[int, set[str]] = {}
        self._places: dict[str, list[int]] = {}
        for place, names in enumerate(self._bound):
            for name in names:
                self._places.setdefault(name, []).append(place)

    def needed_by(self, entry: str) -> list[ast.stmt]:
        """Returns the definitions that a function reaches, imports first; they are the module's own nodes."""
        needed: set[str] = set()
        kept: set[int] = set()
        waiting = [entry]
        while waiting:
            name = waiting.pop()
            if name in needed:
                continue
            needed.add(name)
            for place in self._places.get(name, ()):
                kept.add(place)
                waiting += self._names_in(place)
        found = [self._reduced(self._nodes[place], needed) for place in sorted(kept)]
        return sorted(found, key=lambda node: not isinstance(node, ast.Import | ast.ImportFrom))

    def _names_in(self, place: int) -> set[str]:
        if place not in self._used:
            nodes = ast.walk(self._nodes[place])
            self._used[place] = {each.id for each in nodes if isinstance(each, ast.Name)}
        return self._used[place]

    def _reduced(self, node: ast.stmt, needed: set[str]) -> ast.stmt:
        """Returns an import without the names that are not needed; other statements as they are."""
        names = [alias for alias in _aliases(node) if (alias.asname or alias.name) in needed]
        match node:
            case ast.Import():
                return ast.copy_location(ast.Import(names), node)
            case ast.ImportFrom(module=module, level=level):
                return ast.copy_location(ast.ImportFrom(module, names, level), node)
        return node


def _bound(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {alias.asname or alias.name.partition(".")[0] for alias in names}
    return {
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


def _refuse_effects(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        match node:
            case ast.Global():
                raise RefusedProblemError("The solution assigns a global variable.", Stage.PROBLEM)
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=module):
                modules = [module or "."]
            case ast.Call(func=ast.Name(id=name)) if name in ("print", "input", "open", "exec", "eval"):
                raise RefusedProblemError(f"The solution calls {name}.", Stage.PROBLEM)
            case ast.AsyncFunctionDef() | ast.Await():
                raise RefusedProblemError("The solution is asynchronous.", Stage.PROBLEM)
            case _:
                continue
        for module in modules:
            if module in _NOT_REPEATABLE:
                reason = f"The solution imports {module}; its result may differ from run to run."
                raise RefusedProblemError(reason, Stage.PROBLEM)
            if module not in ALLOWED_MODULES:
                raise RefusedProblemError(
                    f"The solution needs {module}, which environments cannot import.", Stage.PROBLEM
                )


def _make_positional(entry: ast.FunctionDef) -> None:
    """Turns keyword-only parameters of the entry function into positional ones."""
    arguments = entry.args
    if arguments.vararg or arguments.kwarg:
        raise RefusedProblemError("The solution takes any number of arguments.", Stage.PROBLEM)
    if not (arguments.posonlyargs or arguments.args or arguments.kwonlyargs):
        raise RefusedProblemError("The solution takes no argument.", Stage.PROBLEM)
    required = [
        (name, default)
        for name, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    if required and arguments.defaults:
        raise RefusedProblemError("The solution has required parameters after optional ones.", Stage.PROBLEM)
    arguments.args = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    arguments.defaults = [*arguments.defaults, *(each for each in arguments.kw_defaults if each is not None)]
    arguments.posonlyargs, arguments.kwonlyargs, arguments.kw_defaults = [], [], []


class _Normalizer(ast.NodeTransformer):
    """Hoists imports, removes annotations, docstrings and caches, and renames private names."""

    def __init__(self) -> None:
        self._hoisted: dict[str, ast.stmt] = {}
        self._depth = 0

    def normalize(self, tree: ast.Module) -> ast.Module:
        module: ast.Module = self.visit(tree)
        module.body = [*self._hoisted.values(), *module.body]
        for node in ast.walk(module):
            body = getattr(node, "body", None)
            if isinstance(body, list) and not body and not isinstance(node, ast.Module):
                body.append(ast.Pass())
        return ast.fix_missing_locations(module)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return
        names = [alias for alias in node.names if not (isinstance(node, ast.Import) and alias.name == "sys")]
        if names and not (isinstance(node, ast.ImportFrom) and node.module == "sys"):
            node.names = names
            self._hoisted.setdefault(ast.unparse(node), node)

    def visit_Import(self, node: ast.Import) -> None:
        self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._import(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = _public(node.name)
        node.returns = None
        node.decorator_list = [each for each in node.decorator_list if not _CACHES.search(ast.unparse(each))]
        node.body = _without_docstring(node.body)
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = _public(node.name)
        node.body = _without_docstring(node.body)
        node.bases = [each for each in node.bases if not (isinstance(each, ast.Name) and each.id == "object")]
        return self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = _public(node.name) if node.name is not None else None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        node.arg = _public(node.arg)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = _public(node.id)
        return ast.Constant(_MAX_INT) if node.id == "maxsize" and isinstance(node.ctx, ast.Load) else node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        node.arg = _public(node.arg) if node.arg is not None else None
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "sys":
            if node.attr in ("maxsize", "maxint"):
                return ast.Constant(_MAX_INT)
            raise RefusedProblemError(f"The solution uses sys.{node.attr}.", Stage.PROBLEM)
        node.attr = node.attr if node.attr.startswith("__") else _public(node.attr)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        return ast.Assign([node.target], node.value) if node.value is not None else ast.Pass()

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Writes `type(x) == T` as `isinstance(x, T)`."""
        self.generic_visit(node)
        match node:
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="type"), args=[value]),
                ops=[ast.Eq() | ast.Is()],
                comparators=[ast.Name() as kind],
            ):
                return ast.Call(ast.Name("isinstance", ast.Load()), [value, kind], [])
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Writes `"{} {}".format(a, b)` as an f-string."""
        self.generic_visit(node)
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"), keywords=[]
            ):
                parts = re.split(r"\{(\d?(?:[:!][^{}]*)?)\}", text)
                if "{" not in "".join(parts[::2]):
                    return _formatted(parts, node.args) or node
        return node


def _formatted(parts: list[str], values: list[ast.expr]) -> ast.expr | None:
    pieces: list[str] = []
    for place, part in enumerate(parts):
        if place % 2 == 0:
            pieces.append(part)
            continue
        number = int(part[0]) if part[:1].isdigit() else place // 2
        if number >= len(values):
            return None
        pieces.append(f"{{{ast.unparse(values[number])}{part.lstrip('0123456789')}}}")
    try:
        return ast.parse(f"f{''.join(pieces)!r}", mode="eval").body
    except SyntaxError:
        return None


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


_PARTS = frozenset({"Environment", "META", "accepts", "generate", "reference", "solve", "tools"})
"""Names that have a meaning in an environment file."""


def _public(name: str) -> str:
    if name in _PARTS:
        return f"{name}_"
    if not name.startswith("_") or name == "_" or (name.startswith("__") and name.endswith("__")):
        return name
    return f"{name.lstrip('_')}_"
