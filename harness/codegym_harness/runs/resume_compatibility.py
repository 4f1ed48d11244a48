"""Checks whether a run may be resumed: its configuration and its environments must not have changed."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegym_harness.runs.run_directory_reader import RunStart
from codegym_mcp.errors import RunError

FREE = frozenset(
    {
        "allow_unconfined",
        "concurrency",
        "count_oracle_calls",
        *(f"model.{name}" for name in ("attempts", "concurrency", "max_cost", "max_total_tokens")),
    }
)
"""Fields of a configuration that may change on resume, since no measurement depends on them."""

_DIFFERENCES_SHOWN = 5


def check_configuration(path: Path, recorded: BaseModel, requested: BaseModel) -> None:
    """Checks that the requested configuration is the recorded one.

    Raises:
        RunError: the configurations differ; the error names the fields.
    """
    pairs = _differences(recorded.model_dump(mode="json"), requested.model_dump(mode="json"))
    differences = [f"{name} was {_brief(was)} and is now {_brief(now)}" for name, was, now in pairs]
    if differences:
        raise RunError(
            path,
            f"{path} holds a run of another configuration: {_join(differences)}.",
            hint="Leave these options out to resume the run as it was started, or start another run.",
        )


def check_environments(path: Path, start: RunStart, served: Mapping[str, str]) -> None:
    """Checks that the environments are the same as when the run was started.

    Args:
        served: the digest of each environment that is to be played, by name.

    Raises:
        RunError: an environment has changed; the error names it.
    """
    changed = [name for name, digest in served.items() if start.environments.get(name) != digest]
    changed += [name for name in start.environments if name not in served]
    if changed:
        raise RunError(
            path,
            f"Environments have changed since the run in {path} was started: {_join(changed)}.",
            hint="Start another run, so that all of its episodes are of the same tasks.",
        )


def check_results(path: Path, keys: Collection[str], requested: Collection[str]) -> None:
    """Checks that every episode that was played belongs to the run.

    Raises:
        RunError: the directory holds other episodes.
    """
    unknown = sorted(set(keys) - set(requested))
    if unknown:
        raise RunError(
            path,
            f"{path} holds episodes that its configuration does not select: {_join(unknown)}.",
            hint="Its files were changed by hand, or belong to another run.",
        )


def _differences(
    recorded: dict[str, Any], requested: dict[str, Any], parent: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(recorded.keys() | requested.keys()):
        was, now = recorded.get(name), requested.get(name)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _differences(was, now, f"{parent}{name}.")
        elif was != now and f"{parent}{name}" not in FREE:
            yield f"{parent}{name}", was, now


def _brief(value: Any) -> str:
    """Returns a value for an error message; an object that has a name is shown by its name."""
    return repr(value["name"] if isinstance(value, dict) and "name" in value else value)


def _join(items: list[str]) -> str:
    more = len(items) - _DIFFERENCES_SHOWN
    return ", ".join(items[:_DIFFERENCES_SHOWN]) + (f" and {more} more" if more > 0 else "")
