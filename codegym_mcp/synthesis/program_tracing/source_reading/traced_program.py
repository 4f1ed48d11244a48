"""A solution as a program that can be lifted; one with side effects is refused."""

import ast
import re
from dataclasses import dataclass, field

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.allowed_modules import ALLOWED_MODULES
from codegym_mcp.source_parsing import is_main_block, parse_source
from codegym_mcp.synthesis.problem_outcomes import Stage
from codegym_mcp.synthesis.program_tracing.source_reading.constant_tables import move_constant_tables
from codegym_mcp.synthesis.program_tracing.source_reading.module_definitions import (
    ModuleDefinitions,
    import_aliases,
)
from codegym_mcp.synthesis.program_tracing.source_reading.nested_functions import move_nested_functions
from codegym_mcp.synthesis.program_tracing.source_reading.queue_classes import write_queues_as_containers
from codegym_mcp.synthesis.program_tracing.source_reading.source_normalization import (
    SourceNormalizer,
    public_name,
)
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError

_EFFECTS = frozenset({"print", "input", "open", "exec", "eval", "breakpoint", "exit", "quit", "help"})
"""Builtin functions with effects outside of the solution."""
_NOT_REPEATABLE = frozenset({"random", "secrets", "uuid", "time", "datetime"})


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
        verb = "is" if error.problem.startswith(("not ", "nested ")) else "cannot be read:"
        raise RefusedProblemError(f"The solution {verb} {error.problem}.", Stage.PROBLEM) from None
    tree.body = [node for node in tree.body if not is_main_block(node)]
    summaries = _summaries(tree)
    tree = SourceNormalizer().normalize(tree)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    entry = _named(functions, entry_point) if entry_point else _find_entry(functions, tests)
    if entry is None:
        if any(isinstance(node, ast.AsyncFunctionDef) for node in tree.body):
            raise RefusedProblemError("The solution is asynchronous.", Stage.PROBLEM)
        raise RefusedProblemError("No function of the solution is called by its tests.", Stage.PROBLEM)
    keep_needed(tree, entry.name)
    write_queues_as_containers(tree)
    _refuse_effects(tree)
    move_constant_tables(tree)
    move_nested_functions(tree)
    _make_positional(entry)
    imported = {alias.asname or alias.name for node in tree.body for alias in import_aliases(node)}
    kept = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return Program(tree, entry, frozenset(imported), kept, summaries)


def _summaries(tree: ast.Module) -> dict[str, str]:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    texts = {public_name(node.name): ast.get_docstring(node) or "" for node in functions}
    return {name: " ".join(text.split("\n\n")[0].split()) for name, text in texts.items() if text}


def _named(functions: dict[str, ast.FunctionDef], name: str) -> ast.FunctionDef | None:
    """Returns the function that a solution calls so."""
    return functions.get(public_name(name), functions.get(f"{name}_"))


def _find_entry(functions: dict[str, ast.FunctionDef], tests: tuple[str, ...]) -> ast.FunctionDef | None:
    """Returns the function that most tests call; the last one if there are no tests."""
    text = "\n".join(tests)
    counts = {name: len(re.findall(rf"\b_*{re.escape(name.rstrip('_'))}_*\s*\(", text)) for name in functions}
    if text.strip():
        best = max(counts, key=lambda name: counts[name], default=None)
        return functions[best] if best is not None and counts[best] else None
    return functions[list(functions)[-1]] if functions else None


def keep_needed(tree: ast.Module, entry: str) -> None:
    """Removes the definitions that the entry function does not reach."""
    tree.body = ModuleDefinitions(tree).needed_by(entry)


def _refuse_effects(tree: ast.Module) -> None:
    own = {
        each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }
    own |= {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
    own |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in ast.walk(tree):
        match node:
            case ast.Global():
                raise RefusedProblemError("The solution assigns a global variable.", Stage.PROBLEM)
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=module):
                modules = [module or "."]
            case ast.Name(id=name) if name in _EFFECTS - own:
                raise RefusedProblemError(f"The solution uses {name}.", Stage.PROBLEM)
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
