from pathlib import Path

import pytest

from codegym_mcp.limits import Limits
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.spec.environment_file import read_environment_source
from codegym_mcp.verification import verification_cache
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.verification.verification_cache import VerificationCache, cache_directory


@pytest.fixture
def kept(tmp_path: Path) -> VerificationCache:
    return VerificationCache(tmp_path, Limits())


def renamed(environment: Environment, name: str, comment: str = "") -> Environment:
    source = environment.program.source + comment
    return read_environment_source(source, name=name, path=f"{name}.py")


def with_task(environment: Environment) -> Environment:
    return environment.with_tasks((Task(id="one", config={"start": 0, "bell": 3}),))


def test_what_is_put_is_had_again(kept: VerificationCache, counter: Environment) -> None:
    assert kept.get(counter) is None
    verification = Verification.of("counter", [])
    kept.put(counter, verification)
    assert kept.get(counter) == verification


def test_the_same_content_by_another_name_is_known(kept: VerificationCache, counter: Environment) -> None:
    kept.put(counter, Verification.of("counter", []))
    assert kept.get(renamed(counter, "other")) == Verification.of("other", [])


def test_what_has_changed_is_not_known(
    kept: VerificationCache, counter: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.put(counter, Verification.of("counter", []))
    assert kept.get(renamed(counter, "counter", "\n# changed\n")) is None
    assert kept.get(with_task(counter)) is None
    assert VerificationCache(tmp_path, Limits(calls=10)).get(counter) is None
    monkeypatch.setattr(verification_cache, "gates_version", lambda: "another")
    assert kept.get(counter) is None


@pytest.mark.parametrize("damage", ["", "{", '{"environment": "counter"}'])
def test_a_damaged_file_counts_as_none(
    kept: VerificationCache, counter: Environment, tmp_path: Path, damage: str
) -> None:
    kept.put(counter, Verification.of("counter", []))
    (file,) = tmp_path.rglob("*.json")
    file.write_text(damage)
    assert kept.get(counter) is None


def test_nothing_but_whole_files_is_left(
    kept: VerificationCache, counter: Environment, tmp_path: Path
) -> None:
    for _ in range(2):
        kept.put(counter, Verification.of("counter", []))
    assert [file.suffix for file in tmp_path.rglob("*") if file.is_file()] == [".json"]


def test_the_digest_goes_by_content_alone(counter: Environment) -> None:
    assert counter.content_digest == renamed(counter, "other").content_digest
    assert counter.content_digest != with_task(counter).content_digest


def test_the_cache_is_where_the_user_or_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEGYM_MCP_CACHE", "/mine")
    assert cache_directory() == Path("/mine")
    monkeypatch.delenv("CODEGYM_MCP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_directory() == Path("/caches/codegym-mcp")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_directory() == Path.home() / ".cache" / "codegym-mcp"
