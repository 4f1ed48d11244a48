from pathlib import Path

import pytest
from platformdirs import user_cache_path

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import UnwritableError
from codegym_mcp.storage.cache_directory import cache_directory
from codegym_mcp.verification import verification_cache
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.verification.verification_cache import VerificationCache


@pytest.fixture
def kept(tmp_path: Path) -> VerificationCache:
    return VerificationCache(tmp_path, Limits())


def renamed(environment: Environment, name: str, comment: str = "") -> Environment:
    source = environment.program.source + comment
    return read_environment_source(source, name=name, path=f"{name}.py")


def with_task(environment: Environment) -> Environment:
    return environment.with_tasks((Task(id="one", config={"start": 0, "bell": 3}),))


def test_a_stored_verification_is_found(kept: VerificationCache, counter: Environment) -> None:
    assert kept.get(counter) is None
    verification = Verification.of("counter", [])
    kept.put(counter, verification)
    assert kept.get(counter) == verification


def test_the_same_content_with_another_name_is_found(kept: VerificationCache, counter: Environment) -> None:
    kept.put(counter, Verification.of("counter", []))
    assert kept.get(renamed(counter, "other")) == Verification.of("other", [])


def test_changed_content_limits_or_gates_are_not_found(
    kept: VerificationCache, counter: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.put(counter, Verification.of("counter", []))
    assert kept.get(renamed(counter, "counter", "\n# changed\n")) is None
    assert kept.get(with_task(counter)) is None
    assert VerificationCache(tmp_path, Limits(calls=10)).get(counter) is None
    monkeypatch.setattr(verification_cache, "code_digest", lambda: "another")
    assert kept.get(counter) is None


@pytest.mark.parametrize("damage", ["", "{", '{"environment": "counter"}'])
def test_a_damaged_file_is_ignored(
    kept: VerificationCache, counter: Environment, tmp_path: Path, damage: str
) -> None:
    kept.put(counter, Verification.of("counter", []))
    (file,) = tmp_path.rglob("*.json")
    file.write_text(damage)
    assert kept.get(counter) is None


def test_only_complete_files_are_left(kept: VerificationCache, counter: Environment, tmp_path: Path) -> None:
    for _ in range(2):
        kept.put(counter, Verification.of("counter", []))
    assert [file.suffix for file in tmp_path.rglob("*") if file.is_file()] == [".json"]


def test_the_digest_depends_on_the_content_only(counter: Environment) -> None:
    assert counter.content_digest == renamed(counter, "other").content_digest
    assert counter.content_digest != with_task(counter).content_digest


def test_the_cache_is_in_the_folder_of_the_variable_or_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEGYM_MCP_CACHE", "/mine")
    assert cache_directory() == Path("/mine")
    monkeypatch.delenv("CODEGYM_MCP_CACHE")
    assert cache_directory() == user_cache_path("codegym-mcp", appauthor=False)


def test_a_default_cache_that_cannot_be_written_is_skipped_with_one_warning(
    counter: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("CODEGYM_MCP_CACHE", str(tmp_path / "file" / "cache"))
    cache = VerificationCache.default(Limits())
    for _ in range(3):
        cache.put(counter, Verification.of("counter", []))
    assert cache.get(counter) is None
    (record,) = caplog.records
    assert "Verifications are not cached" in record.getMessage()
    with pytest.raises(UnwritableError):
        VerificationCache(cache_directory(), Limits()).put(counter, Verification.of("counter", []))
