"""Reads problems from Python files and installed packages: functions with doctests or assertions.

Nothing is imported: files are found by their names and parsed.
"""

import ast
import doctest
import importlib.metadata
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from codegym_mcp.errors import SourceError
from codegym_mcp.synthesis.problem_reader import CodingProblem, UnreadableProblem
from codegym_mcp.synthesis.program_tracing.source_reading.package_imports import (
    PackageModules,
    needed_definitions,
)

PREFIX = "package:"
"""What the name of an installed package begins with on the command line."""
_MAX_FILES = 5_000
_MAX_EXAMPLES = 40
_TESTS = ("test", "tests", "testing")


def is_python_source(name: str) -> bool:
    """Returns whether a source of problems is a Python file or an installed package."""
    return name.startswith(PREFIX) or name.endswith(".py")


def read_python_problems(name: str, *, license: str | None = None) -> list[CodingProblem | UnreadableProblem]:
    """Reads the public functions of a Python file, or of an installed package after `package:`.

    Args:
        license: the licence of all functions, instead of the one that the package states.

    Returns:
        One problem for each function; those without examples have the reason why they cannot be used.

    Raises:
        SourceError: there is no such file or package, or no function in it.
    """
    if name.startswith(PREFIX):
        package = name.removeprefix(PREFIX)
        files = list(_package_files(package))
        origin, stated = _distribution(package)
    else:
        files = [(Path(name).stem, Path(name))]
        origin, stated = Path(name).name, ""
    found: list[CodingProblem | UnreadableProblem] = []
    package_modules = PackageModules(files[:_MAX_FILES])
    for module, _ in files[:_MAX_FILES]:
        found += _module_problems(package_modules, module, origin, stated if license is None else license)
    if not found:
        raise SourceError(
            name, None, "contains no public function", hint="Name a file or package with functions."
        )
    return found


def _package_files(package: str) -> Iterator[tuple[str, Path]]:
    """Yields the modules of a package and their files, without its tests."""
    if not package.isidentifier():
        raise SourceError(package, None, "is not the name of a package", hint="Write: package:NAME")
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or (not spec.submodule_search_locations and spec.origin is None):
        raise SourceError(package, None, "is not installed", hint=f"Install the package {package} first.")
    if not spec.submodule_search_locations:
        yield package, Path(str(spec.origin))
        return
    for root in map(Path, spec.submodule_search_locations):
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if not any(part in _TESTS or part.startswith("test_") for part in parts):
                yield ".".join([package, *(part for part in parts if part != "__init__")]), path


def _distribution(package: str) -> tuple[str, str]:
    """Returns the name with version, and the licence, of the distribution that contains a package."""
    for name in importlib.metadata.packages_distributions().get(package, []):
        metadata = importlib.metadata.metadata(name)
        stated = (metadata.get_all("License-Expression") or metadata.get_all("License") or [""])[0]
        classifiers = [each for each in metadata.get_all("Classifier") or [] if each.startswith("License ::")]
        if classifiers and (not stated or len(stated) > 40):
            stated = classifiers[0].rpartition("::")[2].strip()
        return f"{name} {metadata['Version']}", stated.removesuffix(" License")
    return package, ""


def _module_problems(
    package: PackageModules, module: str, origin: str, license: str
) -> Iterator[CodingProblem | UnreadableProblem]:
    try:
        tree = package.parse(module)
    except SourceError as error:
        reason = error.problem
        yield UnreadableProblem(module, f"The file {'' if reason.startswith('is ') else 'is '}{reason}.")
        return
    seen: set[str] = set()
    assertions = list(_assertions(tree))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name not in seen:
            seen.add(node.name)
            tests = [*_doctests(ast.get_docstring(node) or "", node.name)]
            tests += [text for text, names in assertions if node.name in names]
            id = f"{module}:{node.name}"
            if not any(node.name in test for test in tests):
                reason = "The function has no example: neither a doctest nor an assertion calls it."
                yield UnreadableProblem(id, reason)
                continue
            needed = ast.Module(needed_definitions(package, module, node.name), [])
            yield _function_problem(id, node, needed, tests[:_MAX_EXAMPLES], (origin, license))


def _function_problem(
    id: str, node: ast.FunctionDef, needed: ast.Module, tests: list[str], origin: tuple[str, str]
) -> CodingProblem | UnreadableProblem:
    source, license = origin
    try:
        return CodingProblem(
            id=id,
            statement=ast.get_docstring(node) or node.name.replace("_", " "),
            solution=ast.unparse(needed),
            tests=tuple(tests),
            source=source,
            license=license,
            entry_point=node.name,
        )
    except ValidationError:
        return UnreadableProblem(id, "The function contains text that cannot be encoded.")
    except RecursionError:
        return UnreadableProblem(id, "The function is nested too deeply.")


def _doctests(documentation: str, name: str) -> Iterator[str]:
    try:
        examples = doctest.DocTestParser().get_examples(documentation)
    except ValueError:
        return
    for example in examples:
        if name in example.source or "=" in example.source:
            yield example.source.strip()


def _assertions(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Yields the assertions at the top level of a module and in its tests, with the names in them."""
    for node in tree.body:
        is_test = isinstance(node, ast.FunctionDef) and node.name.startswith("test")
        inside = ast.walk(node) if is_test or isinstance(node, ast.Assert | ast.If) else ()
        for each in inside:
            if isinstance(each, ast.Assert):
                yield ast.unparse(each), {part.id for part in ast.walk(each) if isinstance(part, ast.Name)}
