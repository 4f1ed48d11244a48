import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import codegym_mcp
from codegym_mcp.code_digest import code_digest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package, whose digest is asked for."""
    copy = tmp_path / "codegym_mcp"
    shutil.copytree(Path(codegym_mcp.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    code_digest.cache_clear()
    monkeypatch.setattr(codegym_mcp, "__file__", str(copy / "__init__.py"))
    yield copy
    code_digest.cache_clear()


def changed_digest(path: Path, *folders: str) -> bool:
    """Whether a file decides the digest."""
    before = code_digest(*folders)
    path.parent.mkdir(exist_ok=True)
    path.write_text("changed")
    code_digest.cache_clear()
    return code_digest(*folders) != before


def test_the_digest_is_the_same_in_a_checkout_and_an_installation(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not changed_digest(package / "environments" / "added.py")
    copied = code_digest()
    code_digest.cache_clear()
    monkeypatch.undo()
    assert code_digest() == copied


def test_all_modules_decide_the_digest_unless_packages_are_named(package: Path) -> None:
    assert changed_digest(package / "server" / "added.py")
    assert not changed_digest(package / "server" / "added.py", "storage")
    assert changed_digest(package / "storage" / "added.py", "storage")
    assert changed_digest(package / "errors.py", "storage")


def test_a_package_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no package spec"):
        code_digest("spec")
