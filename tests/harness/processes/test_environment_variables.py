"""Which environment variables other processes receive."""

import pytest

from codegym_harness.processes.environment_variables import program_environment, server_environment

SECRETS = ("OPENAI_API_KEY", "HF_TOKEN", "DATABASE_URL", "PGPASS", "MY_PAT", "PYTHONPATH", "LD_PRELOAD")


def test_a_server_receives_only_listed_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SECRETS, "HARMLESS", "LC_TIME"):
        monkeypatch.setenv(name, "value")
    received = server_environment()
    assert received.keys().isdisjoint({*SECRETS, "HARMLESS"})
    assert {"PATH", "HOME", "LC_TIME"} <= received.keys()


def test_a_program_receives_the_keys_of_model_providers_and_no_other_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (*SECRETS, "ANTHROPIC_API_KEY", "MY_VENDOR_API_KEY", "CODEGYM_MCP_TOKEN"):
        monkeypatch.setenv(name, "value")
    received = program_environment()
    assert {"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "MY_VENDOR_API_KEY", "HF_TOKEN", "PATH"} <= received.keys()
    assert received.keys().isdisjoint({"DATABASE_URL", "PGPASS", "MY_PAT", "PYTHONPATH", "LD_PRELOAD"})
    assert "CODEGYM_MCP_TOKEN" not in received


def test_a_program_receives_further_variables_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MY_PAT", "MINE_ONE", "CODEGYM_MCP_TOKEN"):
        monkeypatch.setenv(name, "value")
    received = program_environment(["MY_PAT", "MINE_*", "CODEGYM_*"])
    assert {"MY_PAT", "MINE_ONE"} <= received.keys()
    assert "CODEGYM_MCP_TOKEN" not in received


@pytest.mark.parametrize(
    ("before", "after"), [(None, "127.0.0.1,localhost"), ("a.b", "a.b,127.0.0.1,localhost")]
)
def test_no_proxy_is_used_for_the_episode(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    if before is not None:
        monkeypatch.setenv("NO_PROXY", before)
    received = program_environment()
    assert (received["NO_PROXY"], received["no_proxy"]) == (after, after)
    assert received["HTTP_PROXY"] == "http://proxy:1"
