"""Decides which solutions can be used: Python functions without side effects."""

import ast
import re
from collections.abc import Iterator

from codegym_mcp.errors import SourceError
from codegym_mcp.source_parsing import is_main_block, parse_source

MAX_LINES = 1_000
MAX_CHARACTERS = 50_000

_EFFECTFUL_CALLS = {"open", "eval", "exec", "compile", "__import__", "exit", "quit", "breakpoint"}
_EFFECTFUL_MODULES = frozenset(
    "asyncio concurrent ctypes ftplib glob http importlib io logging multiprocessing os pathlib pickle "
    "platform requests resource runpy select shelve shutil signal smtplib socket sqlite3 ssl subprocess "
    "tempfile threading tkinter urllib webbrowser _thread".split()
)
_EFFECTFUL_SYS = {"exit", "stdout", "stderr", "argv", "modules", "settrace"}

_PYTHON = re.compile(
    r"^\s*(def \w+\(.*:|class \w+.*:|import \w+|from [\w.]+ import .*)\s*(#.*)?$", re.MULTILINE
)
_OTHER_LANGUAGE = re.compile(
    r"^\s*(#include|#define|using |package |public |private |fn |func |function |const |let |var "
    r"|my [$@%]|<\?php|module |impl |unsigned |int |void "
    r"|long |double |\(defun|\(define|select |begin$|end[.;]?$|\w+ ::)"
    r"|[;{]\s*$|:=|=>",
    re.MULTILINE | re.IGNORECASE,
)
_CODE = re.compile(
    r"^\s*((for|if|elif|while|with) .*:|return\b.*|print\b.*|\w+\s*=[^=].*|\w+\(.*\))\s*$", re.MULTILINE
)


def find_solution_defect(code: str) -> str | None:
    """Returns why a solution cannot be used, or None if it can be used. The solution is not run."""
    lines = code.count("\n") + 1
    if lines > MAX_LINES:
        return f"The solution is {lines:,} lines long; at most {MAX_LINES:,} are allowed."
    if len(code) > MAX_CHARACTERS:
        return f"The solution is {len(code):,} characters long; at most {MAX_CHARACTERS:,} are allowed."
    try:
        tree = parse_source(code, "solution")
    except SourceError as error:
        return _why_not_python(code, error)
    # The main block is not part of the solution.
    tree.body = [node for node in tree.body if not is_main_block(node)]
    try:
        return _program_problem(tree)
    except RecursionError:
        return "The solution is nested too deeply."


def _why_not_python(code: str, error: SourceError) -> str:
    python = _PYTHON.search(code)
    if not python and _OTHER_LANGUAGE.search(code):
        return "The solution is not in Python."
    if python or _CODE.search(code):
        where = f" (line {error.line})" if error.line is not None else ""
        return f"The solution is {error.problem}{where}."
    return "The solution is prose, not code."


def _program_problem(tree: ast.Module) -> str | None:
    own = set(_bound_names(tree))
    used = {name for name in _used_names(tree) if name.partition(".")[0] not in own}
    read = sorted(used & {"input", "raw_input", "sys.stdin"})
    if read:
        return f"The solution reads its input with {read[0]} instead of taking it as arguments."
    effects = sorted(_effects(tree, used))
    if effects:
        return f"The solution has side effects: it uses {', '.join(effects)}."
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    if not functions:
        if "print" in used:
            return "The solution prints its result, and there is no function that returns it."
        if all(_is_bare(node) for node in tree.body):
            return "The solution is prose, not code."
        return "The solution has no function."
    if not any(_returns(node) for node in functions) and "print" in used:
        return "The solution prints its result, and there is no function that returns it."
    return None


def _effects(tree: ast.Module, used: set[str]) -> Iterator[str]:
    yield from used & _EFFECTFUL_CALLS
    for name in used:
        module, _, attribute = name.partition(".")
        if module == "sys" and attribute in _EFFECTFUL_SYS:
            yield name
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                modules = [module]
                if module == "sys":
                    yield from (f"sys.{alias.name}" for alias in names if alias.name in _EFFECTFUL_SYS)
            case _:
                continue
        yield from (module for module in modules if module.partition(".")[0] in _EFFECTFUL_MODULES)


def _used_names(tree: ast.Module) -> Iterator[str]:
    """Yields the names that are read, each with its first attribute if it has one."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                yield name
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                yield f"{name}.{attribute}"
            case ast.ImportFrom(module="sys", names=names):
                yield from (f"sys.{alias.name}" for alias in names)


def _bound_names(tree: ast.Module) -> Iterator[str]:
    """Yields the names that the solution binds, imports excluded."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def _returns(node: ast.AST) -> bool:
    if isinstance(node, ast.Lambda):
        return True
    return any(
        isinstance(part, ast.Yield | ast.YieldFrom)
        or (isinstance(part, ast.Return) and part.value is not None)
        for part in ast.walk(node)
    )


def _is_bare(node: ast.stmt) -> bool:
    """Returns whether a statement is only a name or a constant, as a sentence of prose may be by chance."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Name | ast.Constant | ast.Tuple)
