"""Which package may import which: arrows point down, and no two packages import each other."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = [
    # Later floors may import earlier ones. Packages of one floor do not import each other.
    [
        "errors",
        "episode_limits",
        "version",
        "unicode_text",
        "json_line_escapes",
        "terminal_text",
        "json_schema",
        "loopback_addresses",
        "python_process",
        "code_digest",
    ],
    [
        "validation_messages",
        "episode_protocol",
        "source_parsing",
        "storage",
        "bundled_environments",
        "opentelemetry_tracer",
    ],
    ["sandbox.language", "sandbox.confinement", "models", "task_reference", "curriculum"],
    ["sandbox", "sandbox.process"],
    ["answer_scoring"],
    ["environment_definition"],
    ["catalog"],
    ["episodes", "doctor"],
    ["policies", "control_plane_messages"],
    ["runtime"],
    ["verification"],
    ["verification.gates"],
    ["verification.audit"],
    ["verification.batch", "episode_viewer"],
    ["server", "episode_api"],
    ["synthesis"],
    ["harness.processes"],
    ["harness.agent_enclosure"],
    ["harness.clients", "harness.records", "harness.deadline"],
    ["harness.statistics", "harness.agents"],
    ["harness.episode_sources"],
    ["harness.rollouts"],
    ["harness.ray_cluster"],
    ["harness.runs"],
    ["harness.export", "harness.report", "harness.run_viewer"],
    ["harness.task_sets"],
    ["harness.trainers"],
    ["harness"],
    ["aio"],
    ["evaluation_api"],
    ["testing", "inspect_ai_tasks", ""],
    ["cli"],
    ["__main__"],
]
TRACING = "codegym_mcp.synthesis.program_tracing"
TRACING_FLOORS = [
    # What all of program tracing uses lies beside these packages.
    "source_reading",
    "solution_execution",
    "input_generation",
    "lifting",
    "environment_files",
    "play_selection",
    "tracing_author",
]
HEIGHT = {package: height for height, floor in enumerate(FLOORS) for package in floor}
NESTED = ("sandbox", "verification")


def package_of(module: str) -> str:
    """Returns the package of a module as the list above names it."""
    parts = module.split(".")
    if parts[0] == "codegym_harness":
        return ".".join(["harness", *parts[1:2]])
    if len(parts) > 3 and parts[1] in NESTED:
        return ".".join(parts[1:3])
    return parts[1] if len(parts) > 1 else ""


def modules() -> Iterator[tuple[str, Path]]:
    for base, folder in (("codegym_mcp", ROOT), ("codegym_harness", ROOT / "harness")):
        for path in sorted((folder / base).rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def imports(path: Path, *, at_import: bool = False) -> Iterator[str]:
    """Yields the modules of this project that a module imports, by default also within functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if at_import else ast.walk(tree):
        # `import codegym_mcp` alone imports nothing else: the public names are imported with their first use.
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if "." in alias.name]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else node.module for name in names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in ("codegym_mcp", "codegym_harness"))


def member(module: str) -> str:
    """Returns the package of a module; the package of a sub-package's `__init__` is the sub-package."""
    is_package = MODULES[module].name == "__init__.py" and module.count(".") > 0
    return package_of(f"{module}.x" if is_package else module)


def test_every_package_has_a_floor() -> None:
    assert {member(module) for module in MODULES} <= HEIGHT.keys()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_floors_below(module: str) -> None:
    own = member(module)
    upward = [
        imported
        for imported in imports(MODULES[module])
        if member(imported) != own and HEIGHT[member(imported)] >= HEIGHT[own]
    ]
    assert upward == []


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith(f"{TRACING}.")])
def test_a_package_of_program_tracing_imports_only_from_earlier_ones(module: str) -> None:
    heights = {f"{TRACING}.{name}": height for height, name in enumerate(TRACING_FLOORS)}

    def height(name: str) -> int:
        return heights.get(".".join(name.split(".")[:4]), -1)

    assert [name for name in imports(MODULES[module]) if height(name) > height(module)] == []


def test_no_two_modules_import_each_other() -> None:
    graph = {module: set(imports(path, at_import=True)) - {module} for module, path in MODULES.items()}
    reached: dict[str, set[str]] = defaultdict(set)
    for module in graph:
        fresh = {module}
        while fresh:
            fresh = {imported for each in fresh for imported in graph.get(each, ())} - reached[module]
            reached[module] |= fresh
    assert {module for module in graph if module in reached[module]} == set()


def test_environments_import_nothing_of_the_project() -> None:
    for path in (ROOT / "environments").rglob("*.py"):
        assert list(imports(path)) == []
