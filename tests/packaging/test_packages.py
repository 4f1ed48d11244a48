"""What gets installed: the hand-kept list of packages, and a wheel in a folder with names like ours."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
FOREIGN = {
    "harness/__init__.py": "raise RuntimeError('the user\\'s own harness was imported')",
    "environments/__init__.py": "raise RuntimeError('the user\\'s own environments were imported')",
    "codegym.py": "raise RuntimeError('the user\\'s own module was imported')",
}


def packages_in(folder: Path, name: str) -> Iterator[str]:
    for found in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        holds_code = any(found.glob("*.py")) or found.name == "prompts"
        if holds_code and found.name != "__pycache__":
            yield ".".join((name, *found.relative_to(folder).parts))


def files_in(folder: Path) -> set[Path]:
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if "__pycache__" not in path.parts}


def test_the_list_of_packages_names_every_folder() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        *packages_in(ROOT / "codegym_mcp", "codegym_mcp"),
        *packages_in(ROOT / "harness" / "codegym_harness", "codegym_harness"),
        *packages_in(ROOT / "environments", "codegym_mcp.environments"),
    }
    assert sorted(listed) == sorted(found)


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "codegym_mcp.version.VERSION"}


def test_the_desktop_bundle_declares_what_the_command_needs_and_nothing_for_tests(tmp_path: Path) -> None:
    build = [sys.executable, str(ROOT / "packaging/mcpb/build_bundle.py"), str(tmp_path / "bundle")]
    subprocess.run(build, check=True)
    bundled, own = (
        tomllib.loads((folder / "pyproject.toml").read_text()) for folder in (tmp_path / "bundle", ROOT)
    )
    # uv, which starts the bundle, would resolve the groups of the tests as well.
    assert own.pop("dependency-groups")
    assert own["tool"].pop("uv")
    assert bundled == own


def test_groups_that_demand_different_versions_are_declared_to_exclude_one_another() -> None:
    """uv resolves all other groups together, and fails if it cannot."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    demanded: dict[str, dict[str, str]] = {}
    for group, requirements in project["dependency-groups"].items():
        for requirement in map(Requirement, requirements):
            demanded.setdefault(requirement.name, {})[group] = str(requirement.specifier)
    [excluding] = ({entry["group"] for entry in entries} for entries in project["tool"]["uv"]["conflicts"])
    assert excluding <= project["dependency-groups"].keys()
    for name, versions in demanded.items():
        together = {versions[group] for group in versions.keys() - excluding}
        assert len(together) <= 1, f"{name}: {versions}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a wheel of the project is installed, without its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    # The sources are copied by git's list, so that no file of the checkout alone gets into the wheel.
    source = folder / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.fail("the tests of the packaging need a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    subprocess.run([*pip, *build], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(folder / "site"), str(wheel)], check=True)
    return folder / "site"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A user's folder that has a harness, environments and a codegym of its own."""
    for name, text in FOREIGN.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_wheel_installs_no_names_but_ours(installed: Path) -> None:
    names = {path.name for path in installed.iterdir() if path.is_dir() and path.suffix != ".dist-info"}
    assert names == {"codegym_mcp", "codegym_harness", "bin"}
    assert (installed / "codegym_mcp" / "py.typed").exists()
    assert (installed / "codegym_harness" / "py.typed").exists()
    assert files_in(installed / "codegym_mcp" / "environments") == files_in(ROOT / "environments")
    page = "episode_viewer/assets"
    assets = {path.name for path in (ROOT / "codegym_mcp" / page).iterdir()}
    assert {path.name for path in (installed / "codegym_mcp" / page).iterdir()} == assets


@pytest.mark.parametrize("path", ["", "."], ids=["plain", "with PYTHONPATH=."])
@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("list", "--environments", "synthesized"),
        ("show", "night_courier"),
        ("eval", "--agent", "oracle", "--env", "leak_survey", "--tasks", "1", "--out", "run"),
        ("eval", "--agent", "play.py:play", "--env", "leak_survey", "--tasks", "1", "--out", "run"),
    ],
    ids=["list", "list of a set", "show", "eval with the oracle", "eval with a function"],
)
def test_commands_work_beside_a_users_own_names(
    installed: Path, foreign: Path, path: str, arguments: tuple[str, ...]
) -> None:
    (foreign / "play.py").write_text("async def play(episode):\n    return [1]\n")
    python_path = os.pathsep.join(filter(None, [str(installed), path]))
    environ = {**os.environ, "PYTHONPATH": python_path}
    done = subprocess.run(
        [sys.executable, "-m", "codegym_mcp", *arguments],
        cwd=foreign,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    place = "import codegym_mcp; print(codegym_mcp.__file__)"
    where = subprocess.run(
        [sys.executable, "-c", place], cwd=foreign, env=environ, capture_output=True, text=True, check=True
    )
    assert Path(where.stdout.strip()).is_relative_to(installed)


def test_the_sdist_holds_what_its_tests_need(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "build",
        "--sdist",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as members:
        names = {name.split("/", 1)[1] for name in members.getnames() if "/" in name}
    wanted = subprocess.run(
        ["git", "ls-files", "tests", "environments", "docs", "examples", "benchmarks", "Makefile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert {name for name in wanted if (ROOT / name).exists()} - names == set()
    assert not [name for name in names if "node_modules" in name]


def test_a_wheel_is_a_plain_archive(installed: Path) -> None:
    (wheel,) = installed.parent.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
